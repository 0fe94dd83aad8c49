"""The cells of CSV, by the csv module or by pyarrow."""

from __future__ import annotations

import csv
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import count, islice

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import Codes
from pairvote.errors import InputError
from pairvote.io._arrow_text import labels_of, place_of
from pairvote.io._csv_rows import LONGEST_LINE, Dialect, Lines, Refuse, each_row, pass_over
from pairvote.io._csv_table import Table
from pairvote.io._encodings import BOM
from pairvote.io._source import Columns
from pairvote.io._text import check_text
from pairvote.votes._report import Report

# Below this, importing pyarrow takes longer than the csv module takes to read the file.
ARROW_FROM_BYTES = 2**22
ROWS_AT_ONCE = 2**15


@dataclass(frozen=True, eq=False)
class Rows:
    """Whole rows of a file.

    Parameters
    ----------
    file : str
        The name of the file.
    table : Table
    raw : bytes
        Text of the file, in which the rows begin at `at`.
    at : int
    n_before : function
        Gives the number of lines above them.
    offset : int
        Number of bytes in the text before those of `raw`.
    longest : int
        Bytes of the longest line.
    """

    file: str
    table: Table
    raw: bytes
    at: int
    n_before: Callable[[], int]
    offset: int = 0
    longest: int = LONGEST_LINE

    def each(self, refuse: Refuse = pass_over) -> Iterator[tuple[int, list[str]]]:
        """The rows one by one, with their lines among those of the rows."""
        lines = Lines(self.raw, self.at, longest=self.longest)
        table = self.table
        return each_row(
            lines, table.dialect, self.file, refuse, width=table.width, n_before=self.n_before, offset=self.offset
        )

    def locate(self, row: int) -> str:
        """Where a row stands, among those that were read."""
        line, _ = next(islice(self.each(), row, None))
        return f"line {self.n_before() + line} of {self.file}"

    def cells(
        self, places: list[int], *, quickly: bool, report: Report, n_threads: int | None = None
    ) -> dict[int, Coded]:
        """Cells by the places of their columns; the report refuses what is no row.

        Pyarrow reads them when `quickly` is set, which plain text allows, on one thread or on all that there are.
        """
        cells = self._together(places, quickly, n_threads) if self._is_clean(report) else None
        return _coded((row for _, row in self.each(report.refuse)), places) if cells is None else cells

    def _is_clean(self, report: Report) -> bool:
        """Whether all lines can be read together; otherwise the rows are to be looked at one by one."""
        if has_long_lines(self.raw, self.at, self.longest):
            return False
        try:
            check_text(self.raw, self.file, self.offset, self.n_before)
        except InputError:
            if not report.skips:
                raise
            return False
        return True

    def _together(self, places: list[int], quickly: bool, n_threads: int | None) -> dict[int, Coded] | None:
        """The cells, read all at once; None where that cannot be."""
        raw, at, dialect = self.raw, self.at, self.table.dialect
        if dialect.may_have_comments(raw, at):
            if raw.find(b'"', at) >= 0:
                return None
            raw, at = _without_comments(raw[at:], dialect), 0
        # Parsers take what looks like a byte order mark for one.
        if quickly and not raw.startswith(BOM, at):
            cells = _read_by_arrow(raw, at, places, self.table, n_threads)
            if cells is not None:
                return cells
        stream = BytesIO(raw)
        stream.seek(at)
        return _read_by_csv(TextIOWrapper(stream, "utf-8", newline=""), places, self.table)


def by_part(cells: dict[int, Coded], found: dict[str, str], names: list[str], na: tuple[str, ...] = ()) -> Columns:
    """The parts of votes that were found, from the cells by their places; empty cells and `na` are missing."""
    return {part: _without(cells[names.index(name)], ("", *na)) for part, name in found.items()}


def has_long_lines(raw: bytes, at: int, longest: int) -> bool:
    """Whether some line is too long; True also for lines that are not, if they are long."""
    # A line that is too long would fill one of these blocks.
    step = max(longest // 2, 1)
    return any(
        raw.find(b"\n", start, start + step) < 0 and raw.find(b"\r", start, start + step) < 0
        for start in range(at, len(raw) - step + 1, step)
    )


def _read_by_csv(lines: Iterable[str], places: list[int], table: Table) -> dict[int, Coded] | None:
    """The cells as the csv module reads them, or None where something is wrong with a row."""
    try:
        return _coded(filter(None, table.dialect.reader(lines)), places, table.width)
    except csv.Error:
        return None


def _coded(rows: Iterable[list[str]], places: list[int], width: int | None = None) -> dict[int, Coded]:
    """The cells of rows; csv.Error for a row that has not the width."""
    tables: dict[int, defaultdict[str, int]] = {place: defaultdict(count().__next__) for place in places}
    chunks: dict[int, list[Codes]] = {place: [np.empty(0, np.int32)] for place in places}
    each = iter(rows)
    while some := list(islice(each, ROWS_AT_ONCE)):
        if width is not None and any(len(row) != width for row in some):
            raise csv.Error("rows of several lengths")
        for place in places:
            codes = map(tables[place].__getitem__, map(operator.itemgetter(place), some))
            chunks[place].append(np.fromiter(codes, np.int32, count=len(some)))
    return {place: Coded(np.concatenate(chunks[place]), list(tables[place])) for place in places}


def _read_by_arrow(
    raw: bytes, at: int, places: list[int], table: Table, n_threads: int | None
) -> dict[int, Coded] | None:
    """The cells as pyarrow reads them, or None where it is absent or refuses them; they are plain, and text."""
    try:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv
    except ImportError:
        return None
    text = pa.dictionary(pa.int32(), pa.string())
    names = [str(place) for place in range(table.width)]
    taken = [names[place] for place in places]
    # Blocks are parsed side by side, each on one thread.
    sizes = {"use_threads": False, "block_size": len(raw)} if n_threads == 1 else {}
    try:
        read = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(raw).slice(at)),
            read_options=arrow_csv.ReadOptions(column_names=names, **sizes),
            parse_options=arrow_csv.ParseOptions(
                delimiter=table.dialect.delimiter, newlines_in_values=raw.find(b'"', at) >= 0
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=taken, column_types=dict.fromkeys(taken, text), null_values=[], check_utf8=False
            ),
        )
    except (pa.ArrowException, OSError, KeyError, UnicodeError, ValueError):
        return None
    cells = {}
    for place, name in zip(places, taken, strict=True):
        array = read[name].unify_dictionaries().combine_chunks()
        cells[place] = Coded(array.indices.to_numpy(), labels_of(array.dictionary))
    return cells


_QUOTE = ord('"')


def is_plain(raw: bytes, dialect: Dialect) -> bool:
    """Whether cells are quoted by the book, none is longer than the csv module takes, and there are no comments.

    By the book, quotes come in pairs: the first opens a cell or is the second half of a doubled quote, the
    second closes a cell or is the first half of a doubled quote.
    """
    if not dialect.delimiter.isascii() or dialect.may_have_comments(raw):
        return False
    delimiter = ord(dialect.delimiter)
    limit = csv.field_size_limit()
    # A longer cell without quotes would fill one of these blocks.
    step = max(limit // 2, 1)
    for start in range(0, len(raw) - step + 1, step):
        if all(raw.find(mark, start, start + step) < 0 for mark in (delimiter, b"\n", b"\r")):
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
            (seen == _QUOTE) | (seen == delimiter) | (seen == ord("\n")) | (seen == ord("\r"))
        )
        if not start and raw.startswith(BOM):
            ends[len(BOM)] = True
        if (quotes & inside & ~ends[:-2]).any() or (quotes & ~inside & ~ends[2:]).any():
            return False
        # A longer cell within quotes would fill a piece.
        if len(piece) == size and (inside | quotes).all():
            return False
    return not within


def _without_comments(raw: bytes, dialect: Dialect) -> bytes:
    """Text without quotes, without the lines that are comments."""
    if dialect.comment is None:
        return raw
    return re.sub(rb"(?:(?<=[\r\n])|\A)" + re.escape(dialect.comment) + rb"[^\r\n]*(?:\r\n|\r|\n)?", b"", raw)


def _without(column: Coded, texts: tuple[str, ...]) -> Coded:
    """The column in which these texts are missing values."""
    codes, labels = column
    places = [place for text in texts if (place := place_of(labels, text)) >= 0]
    for place in places:
        codes = np.where(codes == place, np.int32(-1), codes)
    return Coded(codes, labels)
