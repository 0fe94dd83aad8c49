"""The labels of a dictionary of Arrow."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from pairvote._common.labels import Codes
from pairvote._common.text_table import PackedTexts

# Number of texts from which a table of texts is quicker than looking up Python strings.
MANY_TEXTS = 2**12


def labels_of(dictionary: Any, *, many_texts: int = MANY_TEXTS) -> Sequence[Hashable]:
    """The entries of a dictionary of Arrow: Python's objects, or `Texts` for many texts without a null."""
    import pyarrow as pa

    if len(dictionary) >= many_texts and dictionary.type == pa.string() and not dictionary.null_count:
        return Texts(dictionary)
    entries: list[Hashable] = dictionary.to_pylist()
    return entries


def place_of(labels: Sequence[Hashable], text: str) -> int:
    """The place of a text among labels, -1 where it is none of them."""
    if isinstance(labels, Texts):
        return int(labels.array.index(text).as_py())
    return labels.index(text) if text in labels else -1


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
        """The texts at several places."""
        return list(self.array.take(places).to_pylist())

    def packed(self) -> PackedTexts:
        """All texts as bytes, in the memory of Arrow."""
        array = self.array
        _, begins, data = array.buffers()
        first, last = array.offset, array.offset + len(array) + 1
        return PackedTexts(
            np.frombuffer(begins, np.int32)[first:last],
            np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8),
        )
