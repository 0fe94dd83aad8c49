"""Texts as Arrow has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from pairvote._common.labels import Codes
from pairvote._common.text_table import PackedTexts

# From so many on, a table of texts is quicker than looking up Python's.
MANY_TEXTS = 2**12


class Texts(Sequence[str]):
    """The entries of a dictionary of Arrow, an array of strings without nulls."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.to_pylist())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        taken = self.array[place]
        return taken.to_pylist() if isinstance(place, slice) else taken.as_py()

    def at(self, places: Codes) -> list[str]:
        """Those at several places."""
        return list(self.array.take(places).to_pylist())

    def packed(self) -> PackedTexts:
        """The same in the memory of Arrow."""
        array = self.array
        _, begins, data = array.buffers()
        first, last = array.offset, array.offset + len(array) + 1
        return PackedTexts(
            np.frombuffer(begins, np.int32)[first:last],
            np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8),
        )
