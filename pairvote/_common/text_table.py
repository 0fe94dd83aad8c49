"""Texts by the million, numbered without a Python object for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import MAX_ITEMS, Codes
from pairvote._kernels import lookup

# What it takes for labels to be compared as bytes and not as objects: the kernel would be slow if interpreted.
COMPILED: bool = lookup.COMPILED
MOST_BYTES = 2**31
# UTF-8, but that half of a surrogate pair, which a Python string may hold, is kept as well.
ENCODING = ("utf-8", "surrogatepass")


@dataclass(frozen=True, eq=False)
class PackedTexts:
    """Texts in one piece of bytes: where each begins, and where the last ends: int32, shape (n_texts + 1,)."""

    begins: Codes
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Sequence[str], *, max_texts: int = MAX_ITEMS, max_bytes: int = MOST_BYTES) -> PackedTexts | None:
        """The texts as bytes; None when they are more than can be numbered."""
        encoded = [text.encode(*ENCODING) for text in texts]
        begins = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=begins[1:])
        if len(encoded) >= max_texts or begins[-1] >= max_bytes:
            return None
        return cls(begins.astype(np.int32), np.frombuffer(b"".join(encoded), np.uint8))

    def __len__(self) -> int:
        return len(self.begins) - 1

    def texts(self) -> tuple[str, ...]:
        """Each text as a Python string."""
        data = self.data.tobytes()
        ends = pairwise(self.begins.tolist())
        if data.isascii():
            text = data.decode("ascii")
            return tuple([text[first:last] for first, last in ends])
        return tuple([data[first:last].decode(*ENCODING) for first, last in ends])


class TextTable:
    """Every text that was ever asked for, and its number."""

    def __init__(self, *, n_slots: int = 2**15, max_texts: int = MAX_ITEMS, max_bytes: int = MOST_BYTES) -> None:
        self.n_texts = 0
        self._max_texts, self._max_bytes = max_texts, max_bytes
        self._slots = _empty_slots(n_slots)
        self._begins, self._store = np.zeros(2, np.int64), np.empty(0, np.uint8)

    def number(self, texts: PackedTexts) -> Codes | None:
        """The number of each text. New texts get the next numbers; None when there would be too many."""
        most = self.n_texts + len(texts)
        n_bytes = int(self._begins[self.n_texts]) + int(texts.begins[-1] - texts.begins[0])
        if most >= self._max_texts or n_bytes >= self._max_bytes:
            return None
        self._begins, self._store = _with_room(self._begins, most + 1), _with_room(self._store, n_bytes)
        if 2 * most > len(self._slots):
            known = self.packed()
            self._slots = _empty_slots(1 << (2 * most).bit_length())
            self._number(known, 0)
        codes, self.n_texts = self._number(texts, self.n_texts)
        return codes

    def known(self, texts: PackedTexts) -> Codes:
        """The number of each text, all of them known. Nothing is changed, so several threads may ask."""
        return self._number(texts, self.n_texts)[0]

    def packed(self) -> PackedTexts:
        """All texts, in the order of their numbers."""
        begins = self._begins[: self.n_texts + 1]
        return PackedTexts(begins.astype(np.int32), self._store[: begins[-1]].copy())

    def _number(self, texts: PackedTexts, n_texts: int) -> tuple[Codes, int]:
        codes = np.empty(len(texts), np.int32)
        arguments: tuple[Any, ...] = (self._slots, self._begins, self._store, n_texts, codes)
        return codes, lookup.number_texts(texts.begins, texts.data, *arguments)


def _empty_slots(n_slots: int) -> NDArray[np.int64]:
    return np.full(n_slots, -1, np.int64)


def _with_room(array: NDArray[Any], length: int) -> NDArray[Any]:
    if len(array) >= length:
        return array
    larger = np.zeros(2 * length, array.dtype)
    larger[: len(array)] = array
    return larger
