"""JSON Lines in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import IO, Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import look_up
from pairvote.errors import InputError
from pairvote.io._batches import Batch, Part, Reading, key_labels, with_keys
from pairvote.io._jsonl import ABSENT, collect, texts, votes_columns
from pairvote.io._source import OPTIONAL, Wanted
from pairvote.io._text import check_start, check_text

BLOCK_BYTES = 2**22


def scan(parts: Sequence[Part], reading: Reading) -> Iterator[Batch]:
    """The rows of the files, in order."""
    for part in parts:
        file = _File(part, reading)
        with part.open() as handle:
            for block in _blocks(handle, part, BLOCK_BYTES):
                yield file.batch(block)
        file.finish()


def check(part: Part, reading: Reading) -> None:
    """Refuse a file whose first record does not have the columns."""
    file = _File(part, reading)
    with part.open() as handle:
        for block in _blocks(handle, part, n_bytes=1):
            if file.collect(block)["left"]:
                return


def _blocks(handle: IO[bytes], part: Part, n_bytes: int) -> Iterator[_Block]:
    start = 0
    while lines := handle.readlines(n_bytes):
        raw = b"".join(lines)
        if not start:
            check_start(raw, part.name)
        yield _Block(part, start, raw)
        start += len(raw)
    if not start:
        check_start(b"", part.name)


class _Block:
    """Whole lines of a file from `start` on."""

    def __init__(self, part: Part, start: int, raw: bytes) -> None:
        self.part, self.start, self.raw = part, start, raw
        self.encoding = "utf-8" if start else "utf-8-sig"

    @cached_property
    def _n_before(self) -> int:
        return self.part.lines_before(self.start, b"\n")

    def texts(self) -> Iterator[tuple[int, str]]:
        """Each line that is not blank, with its number among those of the block."""
        return texts(self.raw, self.encoding)

    def where(self, line: int) -> str:
        return f"line {self._n_before + line} of {self.part.name}"

    def locate(self, row: int) -> str:
        line, _ = next(islice(self.texts(), row, None))
        return self.where(line)


class _File:
    """What the records of a file have had so far."""

    def __init__(self, part: Part, reading: Reading) -> None:
        self._part, self._reading = part, reading
        wanted = reading.wanted
        in_file = {vote_part: name for vote_part, name in wanted.names.items() if name not in part.keys}
        self._wanted = Wanted(in_file, wanted.needed)
        self._labels = key_labels(part, reading.of_interest(wanted.names))
        self._keys: dict[str, None] = {}
        self._has_rows = False

    def collect(self, block: _Block) -> dict[str, list[Any]]:
        check_text(block.raw, self._part.name, block.start, lambda: self._part.lines_before(block.start))
        columns, keys = collect(block.texts(), self._wanted, block.where)
        self._keys.update(keys)
        return columns

    def batch(self, block: _Block) -> Batch:
        weight_name = self._wanted.names.get("weight")
        unweighted = self._has_rows and weight_name not in self._keys
        values = self.collect(block)
        n_rows = len(next(iter(values.values()), ()))
        if unweighted and weight_name in self._keys:
            row = next(row for row, value in enumerate(values["weight"]) if value is not ABSENT)
            raise InputError(
                f"{block.locate(row)} has a weight and those above it have none; give each row a weight, or none"
            )
        self._has_rows |= n_rows > 0
        found = [part for part in OPTIONAL if self._wanted.names.get(part) in self._keys]
        taken = votes_columns(values, self._reading.of_interest(dict.fromkeys(found, "")), block.raw, block.locate)
        weight = taken.pop("weight", None)
        columns = {part: _coded(column) for part, column in taken.items()}
        columns, weight = with_keys(columns, self._labels, n_rows, weight)
        return Batch(columns, n_rows, block.locate, weight, self._part.start + block.start + len(block.raw))

    def finish(self) -> None:
        """Refuse a file that as a whole lacks a column."""
        if self._has_rows:
            found = self._reading.wanted.found_in(self._part.among(list(self._keys)), self._part.name)
            self._reading.agree(self._part.name, found)


def _coded(values: list[Any]) -> Coded:
    table: dict[Any, int] = {}
    try:
        (codes,) = look_up(table, [values])
    except TypeError:
        # Whoever looks up the labels refuses those that are not hashable.
        return Coded(np.arange(len(values), dtype=np.int32), values)
    return Coded(codes, list(table))
