"""The cells of CSV, by the csv module or by pyarrow."""

from __future__ import annotations

import csv
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import Codes
from pairvote.errors import InputError
from pairvote.io._arrow_text import labels_of, place_of
from pairvote.io._source import Columns
from pairvote.io._text import BOM, text_lines

# Below this, importing pyarrow takes longer than the csv module takes to read the file.
ARROW_FROM_BYTES = 2**22
ROWS_AT_ONCE = 2**15


def read_cells(
    raw: bytes, places: list[int], names: list[str] | int, rows: Callable[[], Any], *, quickly: bool
) -> dict[int, Coded]:
    """Cells by the places of their columns; pyarrow reads them when `quickly` is set, which plain text allows.

    `names` are those in the header of `raw`, or the number of columns when it has none. `rows` gives what `each_row`
    does, to say what is wrong with a row.
    """
    cells = _read_by_arrow(raw, places, names) if quickly else None
    if cells is not None:
        return cells
    if isinstance(names, int):
        return _read_by_csv(_reader(text_lines(raw, "", "utf-8")), places, names, rows)
    reader = _reader(text_lines(raw, newline=""))
    next(filter(None, reader))
    return _read_by_csv(reader, places, len(names), rows)


def by_part(cells: dict[int, Coded], found: dict[str, str], names: list[str]) -> Columns:
    """The parts of votes that were found, from the cells by their places."""
    return {part: _without_empty(cells[names.index(name)]) for part, name in found.items()}


def _reader(lines: Iterable[str]) -> Any:
    return csv.reader(lines, strict=True)


def header(rows: Iterator[tuple[int, list[str]]], file: str) -> list[str]:
    """The names of the columns, from the first of the rows."""
    first = next(rows, None)
    if first is None:
        raise InputError(f"{file} has only blank lines; begin it with one such as left,right,outcome")
    return first[1]


def each_row(
    lines: Iterable[str], file: str, width: int | None = None, n_before: Callable[[], int] = int
) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it starts: slow, and exact about what is wrong.

    `width` is the number of cells in the header, when that is not among the lines. `n_before()` lines stand above.
    """
    reader = _reader(lines)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            where = f"line {n_before() + line} of {file}"
            raise InputError(
                f"{where} is not CSV ({error})",
                where=where,
                remedy="close every quote, and double those inside a cell",
            ) from None
        if not row:
            continue
        if width is None:
            width = len(row)
        if len(row) != width:
            where = f"line {n_before() + line} of {file}"
            raise InputError(
                f"{where} has {len(row)} cells and the header has {width}",
                where=where,
                remedy="give it one for each column, with quotes around text that has commas",
            )
        yield line, row


def _read_by_csv(reader: Any, places: list[int], width: int, rows: Callable[[], Any]) -> dict[int, Coded]:
    tables: dict[int, defaultdict[str, int]] = {place: defaultdict(count().__next__) for place in places}
    chunks: dict[int, list[Codes]] = {place: [np.empty(0, np.int32)] for place in places}
    filled = filter(None, reader)
    try:
        while some := list(islice(filled, ROWS_AT_ONCE)):
            if any(len(row) != width for row in some):
                raise csv.Error("rows of several lengths")
            for place in places:
                codes = map(tables[place].__getitem__, map(operator.itemgetter(place), some))
                chunks[place].append(np.fromiter(codes, np.int32, count=len(some)))
    except csv.Error:
        for _ in rows():
            pass
        raise
    return {place: Coded(np.concatenate(chunks[place]), list(tables[place])) for place in places}


def _read_by_arrow(raw: bytes, places: list[int], names: list[str] | int) -> dict[int, Coded] | None:
    """The cells as pyarrow reads them, or None where it is absent or refuses them; they are plain, and text.

    `names` are those in the header, or how many columns there are in rows without one.
    """
    try:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv
    except ImportError:
        return None
    text = pa.dictionary(pa.int32(), pa.string())
    if isinstance(names, int):
        names = [str(place) for place in range(names)]
        # Blocks are parsed side by side, each on one thread.
        options = arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(raw))
    else:
        options = arrow_csv.ReadOptions()
    taken = [names[place] for place in places]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(raw),
            read_options=options,
            parse_options=arrow_csv.ParseOptions(newlines_in_values=b'"' in raw),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=taken, column_types=dict.fromkeys(taken, text), null_values=[], check_utf8=False
            ),
        )
    except (pa.ArrowException, OSError, KeyError, UnicodeError):
        return None
    cells = {}
    for place, name in zip(places, taken, strict=True):
        array = table[name].unify_dictionaries().combine_chunks()
        cells[place] = Coded(array.indices.to_numpy(), labels_of(array.dictionary))
    return cells


_QUOTE = ord('"')


def is_plain(raw: bytes) -> bool:
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
    if b'"' not in raw:
        return True
    octets = np.frombuffer(raw, np.uint8)
    within = np.False_
    # Pieces so small that what is found out about them stays in the processor's cache.
    size = min(step, 2**16)
    for start in range(0, len(raw), size):
        piece = octets[start : start + size]
        quotes = piece == _QUOTE
        inside = np.bitwise_xor.accumulate(quotes) ^ within
        within = inside[-1]
        # Of the octets before and after those of the piece, too; beyond the ends is as good as a line end.
        ends = np.ones(len(piece) + 2, bool)
        seen = octets[max(start - 1, 0) : start + size + 1]
        ends[not start :][: len(seen)] = (
            (seen == _QUOTE) | (seen == ord(",")) | (seen == ord("\n")) | (seen == ord("\r"))
        )
        if not start and raw.startswith(BOM):
            ends[len(BOM)] = True
        if (quotes & inside & ~ends[:-2]).any() or (quotes & ~inside & ~ends[2:]).any():
            return False
        # A longer cell within quotes would fill a piece.
        if len(piece) == size and (inside | quotes).all():
            return False
    return not within


def _without_empty(column: Coded) -> Coded:
    codes, labels = column
    empty = place_of(labels, "")
    return column if empty < 0 else Coded(np.where(codes == empty, np.int32(-1), codes), labels)
