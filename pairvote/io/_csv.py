"""Votes as CSV.

Python's `csv` reads it. Pyarrow, when it is installed, reads large files that are written so plainly that both read
them alike: the votes and the messages do not depend on which of the two it was.
"""

from __future__ import annotations

import csv
import operator
import re
from collections.abc import Hashable
from functools import partial
from typing import IO

import numpy as np

from pairvote._common.messages import Locate
from pairvote.io._csv_blocks import check, scan
from pairvote.io._csv_cells import ARROW_FROM_BYTES, Rows, by_part, is_plain
from pairvote.io._csv_rows import LONGEST_LINE, Lines
from pairvote.io._csv_table import SAMPLE_BYTES, begin
from pairvote.io._encodings import BOM
from pairvote.io._file_format import FileFormat
from pairvote.io._how import How
from pairvote.io._source import Columns, Source
from pairvote.io._text import is_text, read_text, text_columns
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import Finder


def read(
    file: Source,
    wanted: Finder,
    how: How,
    *,
    arrow_from_bytes: int = ARROW_FROM_BYTES,
    longest: int = LONGEST_LINE,
) -> tuple[Columns, Locate]:
    """The wanted columns, coded, and what tells the line of a row."""
    report = how.report
    raw = read_text(file, how, checked=not report.skips)
    lines = Lines(raw, len(BOM) if raw.startswith(BOM) else 0, longest=longest)
    table = begin(lines, raw[:SAMPLE_BYTES], file.name, how, wanted)
    found = wanted.found_in(table.names, file.name)
    places = [table.names.index(name) for name in dict.fromkeys(found.values())]
    rows = Rows(file.name, table, raw, lines.position, partial(int, table.n_above), longest=longest)
    quickly = len(raw) >= arrow_from_bytes and is_plain(raw, table.dialect)
    cells = rows.cells(places, quickly=quickly, report=report)
    return by_part(cells, found, table.names, how.na), rows.locate


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


CSV = FileFormat(
    name="csv",
    title="CSV",
    suffixes=(".csv", ".tsv", ".tab", ".txt", ".dat"),
    read=read,
    write=write,
    check=check,
    scan=scan,
    has_types=False,
    takes=frozenset({"delimiter", "encoding", "comment", "skip_lines", "header"}),
)
