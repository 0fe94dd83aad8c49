"""Votes as JSON Lines: one object a line. Large files are read in blocks of whole lines."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import IO, Any, NoReturn

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import look_up
from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote.errors import InputError
from pairvote.io._file_format import Batch, FileFormat, Part, Reading, key_labels, with_keys
from pairvote.io._how import How
from pairvote.io._source import NEEDED, OPTIONAL, Columns, Source
from pairvote.io._text import check_start, check_text, is_text, read_text, text_columns, text_lines
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import AMOUNTS, Finder, Wanted

ABSENT = object()
BLOCK_BYTES = 2**22


def read(file: Source, wanted: Finder, how: How) -> tuple[Columns, Locate]:
    """The wanted columns as lists, and what tells the line of a row."""
    raw = read_text(file)

    def where(line: int) -> str:
        return f"line {line} of {file.name}"

    def locate(row: int) -> str:
        line, _ = next(islice(texts(raw), row, None))
        return where(line)

    records = [_record(text, line, where) for line, text in texts(raw)]
    keys = list(dict.fromkeys(key for record in records for key in record))
    found = wanted.found_in(keys, file.name) if records else {}
    columns = {part: [record.get(name) for record in records] for part, name in found.items()}
    if not records:
        columns = {part: [] for part in NEEDED}
    if re.search(rb"\\u[dD][89a-fA-F]", raw):
        _refuse_surrogates(columns, locate)
    return columns, locate


def texts(raw: bytes, encoding: str = "utf-8-sig") -> Iterator[tuple[int, str]]:
    """Each line that is not blank, with its number."""
    lines = text_lines(raw, "\n", encoding)
    return ((line, text) for line, text in enumerate(lines, 1) if not text.isspace())


def collect(
    lines: Iterable[tuple[int, str]], wanted: Wanted, where: Callable[[int], str]
) -> tuple[dict[str, list[Any]], dict[str, None]]:
    """The values of each part, ABSENT where a record has none, and all keys in the order in which they turn up."""
    columns: dict[str, list[Any]] = {part: [] for part in wanted.names}
    keys: dict[str, None] = {}
    for line, text in lines:
        record = _record(text, line, where)
        for part, name in wanted.names.items():
            value = record.get(name, ABSENT)
            if value is ABSENT and part in NEEDED:
                raise wanted.lacks(part, list(record), where(line))
            columns[part].append(value)
        keys.update(dict.fromkeys(record))
    return columns, keys


def votes_columns(columns: dict[str, list[Any]], found: Iterable[str], raw: bytes, locate: Locate) -> Columns:
    """The parts that the file has, from what was collected of the lines in `raw`."""
    taken: Columns = {part: columns[part] for part in (*NEEDED, *found) if part in columns}
    for part in taken:
        taken[part] = [None if value is ABSENT else value for value in taken[part]]
    if re.search(rb"\\u[dD][89a-fA-F]", raw):
        _refuse_surrogates(taken, locate)
    return taken


def _record(text: str, line: int, where: Callable[[int], str]) -> dict[str, Any]:
    try:
        record = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where(line)} is not JSON ({error.msg} at character {error.colno})",
            where=where(line),
            remedy="write one whole object a line",
        ) from None
    except RecursionError:
        problem = f"{where(line)} is nested too deeply"
        raise InputError(problem, where=where(line), remedy="write one flat object a line") from None
    except ValueError as error:
        problem = f"{where(line)} cannot be read ({error})"
        raise InputError(problem, where=where(line), remedy="mend the line or remove it") from None
    if not isinstance(record, dict):
        raise InputError(
            f"{where(line)} is {shorten(record)}",
            value=record,
            where=where(line),
            remedy='write one object a line, such as {"left": "ash", "right": "birch", "outcome": "tie"}',
        )
    return record


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has the key {twice!r} more than once")
    return record


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_no_constant)


def _refuse_surrogates(columns: Mapping[str, Any], locate: Locate) -> None:
    for part, values in columns.items():
        for row, value in enumerate(values):
            if isinstance(value, str) and not is_text(value):
                found = f"{shorten(value)}, which has half of a surrogate pair and so is not text"
                raise wrong_entry(part, locate(row), value, "write the whole character", found=found)


def write(votes: Votes, handle: IO[bytes]) -> None:
    columns = text_columns(votes, _cell, missing="null", advice="use text or numbers as labels")
    line = "{" + ", ".join(f'"{part}": %s' for part in columns) + "}\n"
    handle.writelines((line % row).encode() for row in zip(*columns.values(), strict=True))
    if not len(votes):
        # A file of no bytes is taken for one that went wrong.
        handle.write(b"\n")


def _cell(label: Hashable) -> str:
    plain: Any = operator.index(label) if isinstance(label, np.integer) else label
    if not isinstance(plain, (str, int, float)):
        raise ValueError("a label in JSON is text or a number")
    if isinstance(plain, str) and not is_text(plain):
        raise ValueError("it has half of a surrogate pair and so is not text")
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def scan(parts: Sequence[Part], reading: Reading, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Batch]:
    """The rows of the files, in order."""
    for part in parts:
        file = _File(part, reading)
        with part.open() as handle:
            for block in _blocks(handle, part, block_bytes):
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
    """A file whose records are read in blocks, and the keys that they have had so far."""

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
        coded = {part: column if part in AMOUNTS else _coded(column) for part, column in taken.items()}
        columns = with_keys(coded, self._labels, n_rows)
        return Batch(columns, n_rows, block.locate, self._part.start + block.start + len(block.raw))

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


JSONL = FileFormat(
    name="jsonl", title="JSON Lines", suffixes=(".jsonl",), read=read, write=write, check=check, scan=scan
)
