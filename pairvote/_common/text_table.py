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
from pairvote.errors import InputError

# What it takes for labels to be compared as bytes and not as objects: the kernel would be slow if interpreted.
COMPILED: bool = lookup.COMPILED
# UTF-8, but that half of a surrogate pair, which a Python string may hold, is kept as well.
ENCODING = ("utf-8", "surrogatepass")


@dataclass(frozen=True)
class TextLimits:
    """Fewer texts, in fewer bytes, can be numbered than these."""

    texts: int = MAX_ITEMS
    n_bytes: int = 2**31


LIMITS = TextLimits()


@dataclass(frozen=True, eq=False)
class PackedTexts:
    """Texts in one piece of bytes: where each begins, and where the last ends: int32, shape (n_texts + 1,)."""

    begins: Codes
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Sequence[str], limits: TextLimits = LIMITS) -> PackedTexts | None:
        """The texts as bytes; None where they are more than can be numbered."""
        encoded = [text.encode(*ENCODING) for text in texts]
        begins = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=begins[1:])
        if len(encoded) >= limits.texts or begins[-1] >= limits.n_bytes:
            return None
        return cls(begins.astype(np.int32), np.frombuffer(b"".join(encoded), np.uint8))

    def __len__(self) -> int:
        return len(self.begins) - 1

    def own(self) -> PackedTexts:
        """A copy that nobody else can change.

        Raises
        ------
        InputError
            Where a text does not lie within the data, which a broken file may say.
        """
        begins = np.array(self.begins, np.int32)
        data = np.array(self.data[: max(int(begins[-1]), 0)], np.uint8)
        if begins[0] < 0 or begins[-1] > len(data) or (np.diff(begins) < 0).any():
            raise InputError(
                f"the places of {len(begins) - 1} texts do not rise from 0 to the {len(data)} bytes that they have; "
                "write the file anew"
            )
        return PackedTexts(begins, data)

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

    def __init__(self, n_slots: int = 2**15, limits: TextLimits = LIMITS) -> None:
        self.n_texts = 0
        self._limits = limits
        self._slots = _empty_slots(n_slots)
        self._begins, self._store = np.zeros(2, np.int64), np.empty(0, np.uint8)

    def number(self, texts: PackedTexts) -> Codes | None:
        """The number of each, new ones being numbered as they come; None where there would be too many."""
        texts = texts.own()
        most = self.n_texts + len(texts)
        n_bytes = int(self._begins[self.n_texts]) + int(texts.begins[-1] - texts.begins[0])
        if most >= self._limits.texts or n_bytes >= self._limits.n_bytes:
            return None
        self._begins, self._store = _with_room(self._begins, most + 1), _with_room(self._store, n_bytes)
        if 2 * most > len(self._slots):
            known = self.packed()
            self._slots = _empty_slots(1 << (2 * most).bit_length())
            self._number(known, 0, self.n_texts)
        codes, self.n_texts = self._number(texts, self.n_texts, most)
        return codes

    def known(self, texts: PackedTexts) -> Codes:
        """The number of each, where all have one: this changes nothing, so several threads may ask.

        Raises
        ------
        InputError
            For a text that was never asked for.
        """
        own = texts.own()
        codes, _ = self._number(own, self.n_texts, self.n_texts)
        if len(codes) and codes.min() < 0:
            raise InputError(
                f"{own.texts()[int(codes.argmin())]!r} is not among the {self.n_texts} labels that were read before; "
                "let nothing change the votes while they are read"
            )
        return codes

    def packed(self) -> PackedTexts:
        """All texts, in the order of their numbers."""
        begins = self._begins[: self.n_texts + 1]
        return PackedTexts(begins.astype(np.int32), self._store[: begins[-1]].copy())

    def _number(self, texts: PackedTexts, n_texts: int, most_texts: int) -> tuple[Codes, int]:
        codes = np.empty(len(texts), np.int32)
        arguments: tuple[Any, ...] = (self._slots, self._begins, self._store, n_texts, most_texts, codes)
        return codes, lookup.number_texts(texts.begins, texts.data, *arguments)


def _empty_slots(n_slots: int) -> NDArray[np.int64]:
    return np.full(n_slots, -1, np.int64)


def _with_room(array: NDArray[Any], length: int) -> NDArray[Any]:
    if len(array) >= length:
        return array
    larger = np.zeros(2 * length, array.dtype)
    larger[: len(array)] = array
    return larger
