"""Votes as JSON Lines: one object a line."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote.errors import InputError
from pairvote.io._source import NEEDED, Columns, Source, Wanted
from pairvote.io._text import is_text, read_text, refuse_weight, text_columns, text_lines
from pairvote.votes._votes import Votes

ABSENT = object()


def read(file: Source, wanted: Wanted) -> tuple[Columns, Locate]:
    """The wanted columns as lists, and what tells the line of a row."""
    raw = read_text(file)

    def where(line: int) -> str:
        return f"line {line} of {file.name}"

    def locate(row: int) -> str:
        line, _ = next(islice(texts(raw), row, None))
        return where(line)

    columns, keys = collect(texts(raw), wanted, where)
    found = wanted.found_in(list(keys), file.name) if columns["left"] else {}
    return votes_columns(columns, found, raw, locate), locate


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
    if "weight" in taken:
        taken["weight"] = _weights(taken["weight"], locate)
    for part in taken.keys() & {"voter", "criterion"}:
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


def _weights(values: list[Any], locate: Locate) -> NDArray[np.float64]:
    numbers = np.empty(len(values))
    for row, value in enumerate(values):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            refuse_weight(None if value is ABSENT else value, locate(row))
        try:
            numbers[row] = value
        except OverflowError:
            numbers[row] = math.inf
    return numbers


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
