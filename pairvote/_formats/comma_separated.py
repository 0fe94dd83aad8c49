"""Votes as CSV.

It is read by the standard library's `csv`, and by pyarrow where that is installed and the file is large and
written so plainly that both read the same; which of the two it was never shows.
"""

from __future__ import annotations

import csv
import operator
import re
from collections import defaultdict
from collections.abc import Hashable, Iterator
from itertools import count, islice
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pairvote._formats.base import Columns, Source, Wanted
from pairvote._formats.text import BOM, is_text, read_text, refuse_weight, text_columns, text_lines
from pairvote._labels import Coded, Codes, Locate, first_row
from pairvote.errors import InputError
from pairvote.votes import Votes

# Below this, importing pyarrow takes longer than the csv module takes to read the file.
ARROW_FROM_BYTES = 2**22
ROWS_AT_ONCE = 2**15


def read(file: Source, wanted: Wanted) -> tuple[Columns, Locate]:
    """The wanted columns, coded, and what tells the line of a row."""
    raw = read_text(file)
    header = next(_rows(raw, file.name), None)
    if header is None:
        raise InputError(f"{file.name} has only blank lines; begin it with one such as left,right,outcome")
    names = header[1]
    found = wanted.found_in(names, file.name)
    places = {name: names.index(name) for name in found.values()}

    def locate(row: int) -> str:
        line, _ = next(islice(_rows(raw, file.name), row + 1, None))
        return f"line {line} of {file.name}"

    by_name = _read_by_arrow(raw, list(places)) if len(raw) >= ARROW_FROM_BYTES else None
    if by_name is None:
        by_name = _read_by_csv(raw, len(names), places, file.name)
    columns: Columns = {
        part: _weights(by_name[name], locate) if part == "weight" else _without_empty(by_name[name])
        for part, name in found.items()
    }
    return columns, locate


def _reader(raw: bytes) -> Any:
    return csv.reader(text_lines(raw, newline=""), strict=True)


def _rows(raw: bytes, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it starts: slow, and exact about what is wrong."""
    reader = _reader(raw)
    width = None
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"line {line} of {file} is not CSV ({error}); close every quote, and double those inside a cell"
            ) from None
        if not row:
            continue
        if width is None:
            width = len(row)
        if len(row) != width:
            raise InputError(
                f"line {line} of {file} has {len(row)} cells and the header has {width}; give it one for each "
                "column, with quotes around text that has commas"
            )
        yield line, row


def _read_by_csv(raw: bytes, width: int, places: dict[str, int], file: str) -> dict[str, Coded]:
    tables: dict[str, defaultdict[str, int]] = {name: defaultdict(count().__next__) for name in places}
    chunks: dict[str, list[Codes]] = {name: [np.empty(0, np.int32)] for name in places}
    reader = filter(None, _reader(raw))
    next(reader)
    try:
        while rows := list(islice(reader, ROWS_AT_ONCE)):
            if any(len(row) != width for row in rows):
                raise csv.Error("rows of several lengths")
            for name, place in places.items():
                cells = map(operator.itemgetter(place), rows)
                codes = map(tables[name].__getitem__, cells)
                chunks[name].append(np.fromiter(codes, np.int32, count=len(rows)))
    except csv.Error:
        for _ in _rows(raw, file):
            pass
        raise
    return {name: Coded(np.concatenate(chunks[name]), list(tables[name])) for name in places}


def _read_by_arrow(raw: bytes, names: list[str]) -> dict[str, Coded] | None:
    """The columns as pyarrow reads them, or None where it is absent or might not read them as `csv` does."""
    try:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv
    except ImportError:
        return None
    if not _is_plain(raw):
        return None
    text = pa.dictionary(pa.int32(), pa.string())
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(raw),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=b'"' in raw),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=names, column_types=dict.fromkeys(names, text), null_values=[]
            ),
        )
    except (pa.ArrowException, OSError, KeyError, UnicodeError):
        return None
    columns = {}
    for name in names:
        array = table[name].unify_dictionaries().combine_chunks()
        columns[name] = Coded(array.indices.to_numpy(), array.dictionary.to_pylist())
    return columns


_AROUND_CELLS = np.zeros(256, bool)
_AROUND_CELLS[list(b',\r\n"')] = True


def _is_plain(raw: bytes) -> bool:
    """Whether cells are quoted by the book, and none is longer than the csv module takes.

    By the book, quotes come in pairs: the first opens a cell or is the second half of a doubled quote, the
    second closes a cell or is the first half of a doubled quote.
    """
    limit = csv.field_size_limit()
    # A longer cell without quotes would fill one of these blocks.
    step = max(limit // 2, 1)
    for start in range(0, len(raw) - step + 1, step):
        if all(raw.find(mark, start, start + step) < 0 for mark in (b",", b"\n", b"\r")):
            return False
    octets = np.frombuffer(raw, np.uint8)
    quotes = np.flatnonzero(octets == ord('"'))
    if not quotes.size:
        return True
    if quotes.size % 2:
        return False
    padded = np.concatenate([[ord("\n")], octets, [ord("\n")]]).astype(np.uint8)
    if raw.startswith(BOM):
        padded[len(BOM)] = ord("\n")
    opening, closing = quotes[::2], quotes[1::2]
    before, after = padded[opening], padded[closing + 2]
    if not (_AROUND_CELLS[before].all() and _AROUND_CELLS[after].all()):
        return False
    longest = (closing[after != ord('"')] - opening[before != ord('"')]).max()
    return bool(longest <= limit)


def _without_empty(column: Coded) -> Coded:
    codes, labels = column
    if "" in labels:
        codes = np.where(codes == labels.index(""), -1, codes)
    return Coded(codes, labels)


def _weights(column: Coded, locate: Locate) -> NDArray[np.float64]:
    numbers = np.empty(len(column.labels), np.float64)
    for code, text in enumerate(map(str, column.labels)):
        try:
            # Python's float also takes 1_000, which no CSV means.
            numbers[code] = float("" if "_" in text else text)
        except ValueError:
            refuse_weight(text or None, locate(first_row(column.codes == code)))
    weights: NDArray[np.float64] = numbers[column.codes]
    return weights


def write(votes: Votes, handle: IO[bytes]) -> None:
    columns = text_columns(votes, _cell, missing="", advice="use .jsonl or .parquet")
    handle.write((",".join(columns) + "\n").encode())
    handle.writelines((",".join(row) + "\n").encode() for row in zip(*columns.values(), strict=True))


def _cell(label: Hashable) -> str:
    text = _as_text(label)
    if not text:
        raise ValueError("an empty cell is read as a missing one")
    if not is_text(text):
        raise ValueError("it has half of a surrogate pair and so is not text")
    if "\0" in text:
        raise ValueError("it has a NUL character, which CSV does not")
    if len(text) > csv.field_size_limit():
        raise ValueError(f"a cell has at most {csv.field_size_limit():,} characters")
    if not re.search(r'[",\r\n]|^\s|\s$', text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _as_text(label: Hashable) -> str:
    if isinstance(label, str):
        return str.__str__(label)
    if isinstance(label, (int, np.integer)) and not isinstance(label, bool):
        return str(operator.index(label))
    raise ValueError("a cell of CSV is text or a whole number")
