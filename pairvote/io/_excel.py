"""Votes in a sheet of Excel, or of another program's workbook, through calamine."""

from __future__ import annotations

import datetime
from collections.abc import Generator, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import code_column
from pairvote._common.messages import Locate, listed, shorten
from pairvote.errors import InputError
from pairvote.io._file_format import Batch, FileFormat, Part, Reading, key_labels, with_keys
from pairvote.io._how import How
from pairvote.io._missing import without
from pairvote.io._source import Columns, Source
from pairvote.io._types import TypesApart
from pairvote.votes._wanted import AMOUNTS, Finder

# A zip archive, which workbooks of now are, and the compound file of those of old.
_BEGIN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


def begins(head: bytes) -> bool:
    """Whether a file that begins so is a workbook; other archives have been unpacked before."""
    return head.startswith(_BEGIN)


def read(file: Source, wanted: Finder, how: How) -> tuple[Columns, Locate]:
    """The wanted columns, coded where they are labels, and what tells the number of a row as Excel shows it."""
    sheet = _Sheet.of(file, how)
    return sheet.columns(wanted.found_in(sheet.names, sheet.title)), sheet.locate


def check(part: Part, reading: Reading) -> None:
    """Refuse a workbook whose sheet does not have the columns."""
    sheet = _Sheet.of(part.source(), reading.how)
    reading.wanted.found_in(part.among(sheet.names), sheet.title)


def scan(parts: Sequence[Part], reading: Reading) -> Generator[Batch, None, None]:
    """The rows of the workbooks in order, each as a whole."""
    for part in parts:
        sheet = _Sheet.of(part.source(), reading.how)
        found = reading.wanted.found_in(part.among(sheet.names), sheet.title)
        if not sheet.rows:
            continue
        reading.agree(part.name, found)
        taken = reading.of_interest(found)
        in_file = {vote_part: name for vote_part, name in taken.items() if name not in part.keys}
        columns = with_keys(sheet.columns(in_file), key_labels(part, taken), len(sheet.rows))
        yield Batch(columns, len(sheet.rows), sheet.locate, part.start + part.n_bytes)


class _Sheet:
    """The rows of a sheet below its header, without those that are empty, and their numbers."""

    def __init__(self, title: str, cells: Sequence[Sequence[Any]], how: How) -> None:
        self.title, self._na = title, how.na
        filled = [
            (number, row)
            for number, row in enumerate(cells, 1)
            if number > how.skip_lines and any(cell != "" for cell in row)
        ]
        if not filled:
            raise InputError(f"{title} has no cells", where=title, remedy="check that it is the right one")
        if how.header:
            self.names = [str(_plain(cell)) if cell != "" else "" for cell in filled.pop(0)[1]]
        else:
            self.names = [str(place) for place in range(1, len(filled[0][1]) + 1)]
        self.numbers, self.rows = [number for number, _ in filled], [row for _, row in filled]

    @classmethod
    def of(cls, file: Source, how: How) -> _Sheet:
        """The sheet of a workbook that is asked for, or the only one that has cells."""
        if file.is_decoded:
            raise InputError(f"{file.name} is open as text, which a workbook is not; open it as bytes, with mode 'rb'")
        with _Refusing(file.name):
            from python_calamine import CalamineWorkbook

            book = CalamineWorkbook.from_filelike(BytesIO(file.read()))
            name = _chosen(book, file.name, how)
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        return cls(f"sheet {shorten(name)} of {file.name}", cells, how)

    def columns(self, found: Mapping[str, str]) -> Columns:
        """The columns that were found."""
        columns: Columns = {}
        types = TypesApart()
        for part, name in found.items():
            place = self.names.index(name)
            values = without([_plain(row[place]) for row in self.rows], self._na)
            if part in AMOUNTS:
                columns[part] = values
                continue
            types.check(part, values, self.locate)
            column = code_column(values, part, self.locate)
            columns[part] = Coded(np.asarray(column.codes, np.int32), list(column.labels))
        return columns

    def locate(self, row: int) -> str:
        """Where a row stands, by the number that Excel shows."""
        return f"row {self.numbers[row]} of {self.title}"


class _Refusing:
    """In a ``with`` block, InputError for whatever calamine raises for a file that it does not read."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # What goes wrong within Rust is no Exception.
        is_ours = isinstance(error, Exception) or type(error).__name__ == "PanicException"
        if isinstance(error, InputError) or not is_ours:
            return
        reason = " ".join(str(error).split()) or type(error).__name__
        remedy = "check that it opens in Excel, and has no password; or save the sheet as CSV"
        problem = f"{self._file} cannot be read as a workbook ({reason})"
        raise InputError(problem, where=self._file, remedy=remedy) from error


def _chosen(book: Any, file: str, how: How) -> str:
    """The name of the sheet to read."""
    names: list[str] = list(book.sheet_names)
    if how.sheet is not None:
        return _asked_for(names, how.sheet, file)
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    kinds = (SheetTypeEnum.WorkSheet,)
    shown = [
        sheet.name for sheet in book.sheets_metadata if sheet.typ in kinds and sheet.visible == SheetVisibleEnum.Visible
    ]
    filled = [name for name in shown if book.get_sheet_by_name(name).start is not None]
    if len(filled) == 1:
        if len(names) > 1:
            how.report.remark(f"sheet {shorten(filled[0])} of {file} was read, the only one that shows cells")
        return filled[0]
    if not filled:
        raise InputError(f"{file} has no sheet with cells", where=file, remedy=_say(names))
    raise InputError(f"{file} has {len(filled)} sheets with cells", option="sheet", where=file, remedy=_say(filled))


def _say(names: Sequence[str]) -> str:
    return f"say which to read with sheet=; they are {listed(names)}" if len(names) > 1 else f"it has {listed(names)}"


def _asked_for(names: list[str], sheet: str | int, file: str) -> str:
    if isinstance(sheet, str) and sheet in names:
        return sheet
    number = int(sheet) if not isinstance(sheet, str) or sheet.isdecimal() else 0
    if 1 <= number <= len(names):
        return names[number - 1]
    raise InputError(
        f"{file} has no sheet {shorten(sheet)}",
        option="sheet",
        value=sheet,
        where=file,
        remedy=f"name one of {listed(names)}, or give its number from 1",
    )


def _plain(cell: Any) -> Any:
    """A cell's value: none for an empty one, a whole number where it is one, and a day as a time like others."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= 2**53:
        return int(cell)
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        return datetime.datetime(cell.year, cell.month, cell.day)
    return None if cell == "" else cell


EXCEL = FileFormat(
    name="excel",
    title="Excel",
    suffixes=(".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
    binary=True,
    begins=begins,
    read=read,
    check=check,
    scan=scan,
    takes=frozenset({"sheet", "skip_lines", "header"}),
    needs="python_calamine",
    extra="excel",
)
