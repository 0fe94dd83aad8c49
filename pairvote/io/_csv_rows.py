"""Rows of CSV, one by one: slow, and exact about what is wrong with which line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from pairvote.errors import InputError
from pairvote.io._text import check_text

# A longer line is refused rather than held in memory, and so is a longer row of several lines where rows are read one
# by one. The longest cell that the csv module takes has 2**17 characters.
LONGEST_LINE = 2**23
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}

Refuse = Callable[[InputError], object]


@dataclass(frozen=True)
class Dialect:
    """How the rows of a file are written."""

    delimiter: str = ","
    comment: bytes | None = None

    @property
    def parts_by(self) -> str:
        """What parts its cells, in the words of a message."""
        return _NAMES.get(self.delimiter, repr(self.delimiter))

    def reader(self, lines: Any) -> Any:
        """The csv module's reader of lines."""
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def may_have_comments(self, raw: bytes, at: int = 0) -> bool:
        """Whether a line of the text begins as a comment does."""
        mark = self.comment
        if mark is None:
            return False
        return raw.startswith(mark, at) or raw.find(b"\n" + mark, at) >= 0 or raw.find(b"\r" + mark, at) >= 0


def refuse(error: InputError) -> NoReturn:
    """Raise the error."""
    raise error


def pass_over(error: InputError) -> None:
    """Leave out the row that an error is about."""


class BadLineError(Exception):
    """A line that is no text, or the beginning of one that is too long."""

    def __init__(self, raw: bytes, *, is_long: bool) -> None:
        super().__init__()
        self.raw, self.is_long = raw, is_long


class Lines:
    """Lines of text in UTF-8, as the csv module takes them; one can go back.

    Attributes
    ----------
    position, number : int
        Bytes and lines before the line that comes next.
    """

    def __init__(self, buffer: bytes | bytearray, position: int = 0, *, longest: int = LONGEST_LINE) -> None:
        self._buffer, self._base, self._stop = buffer, 0, len(buffer)
        self.position, self.number, self.longest = position, 0, longest
        # Where the row at hand begins.
        self.row_start = position
        # Whether the position is within a line that was too long.
        self._is_cut = False

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        at = self.position - self._base
        match = _LINE.match(self._buffer, at, self._stop)
        if match is None or match.end() == self._stop or match.end() - at > self.longest or self._is_cut:
            return self._text(self._last_at_hand())
        raw = match.group()
        self.position += len(raw)
        self.number += 1
        return self._text(raw)

    def _last_at_hand(self) -> bytes:
        """The line at hand, which may go on beyond what was read of the text, or be too long."""
        start, end = self.position, self._line_end(self.longest)
        if end == start or self._is_cut:
            raise StopIteration
        self._pass(end)
        if end - start > self.longest:
            raise BadLineError(b"", is_long=True)
        return bytes(self._buffer[start - self._base : end - self._base])

    def _text(self, raw: bytes) -> str:
        if self.position - self.row_start > LONGEST_LINE and self.position - self.row_start > self.longest:
            raise BadLineError(raw, is_long=True)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise BadLineError(raw, is_long=False) from None
        if "\0" in text:
            raise BadLineError(raw, is_long=False)
        return text

    def pass_line(self) -> None:
        """Pass over a line, whatever is in it."""
        self._pass(self._line_end(None))

    def skip(self, n_lines: int) -> None:
        """Pass over the lines above the header."""
        for _ in range(n_lines):
            self.pass_line()

    def pass_comments(self, mark: bytes) -> None:
        """Pass over the lines at hand that begin with the mark."""
        while self._starts_with(mark):
            self.pass_line()

    def back_to(self, position: int, number: int) -> None:
        """Go back to a line that was passed."""
        self.position, self.number = position, number

    def _pass(self, end: int) -> None:
        if end > self.position:
            self.position, self.number = end, self.number + 1

    def _starts_with(self, mark: bytes) -> bool:
        return self._buffer.startswith(mark, self.position - self._base, self._stop)

    def _line_end(self, limit: int | None) -> int:
        """Where the line at hand ends, or any place in it that is beyond the limit."""
        look = self.position
        while True:
            match = _LINE.match(self._buffer, look - self._base, self._stop)
            end = look if match is None else self._base + match.end()
            if end < self._base + self._stop or (limit is not None and end - self.position > limit):
                return end
            if not self._more():
                return end
            # The last byte may be the first half of a line end.
            look = max(self.position, end - 1)

    def _more(self) -> bool:
        """Read on; False at the end of the text."""
        return False


def each_row(
    lines: Lines,
    dialect: Dialect,
    file: str,
    refuse: Refuse = refuse,
    *,
    width: int | None = None,
    n_before: Callable[[], int] = int,
    offset: int = 0,
) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line on which it starts.

    A row that cannot be read, or that has not `width` cells, goes to `refuse`. When that returns, reading goes on at
    the line below: a quote that is not closed costs one line and not the rest of the file. `n_before()` lines and
    `offset` bytes stand above the first of the lines.
    """
    reader = dialect.reader(lines)
    while True:
        if dialect.comment is not None:
            lines.pass_comments(dialect.comment)
        start = lines.row_start = lines.position
        n_above = lines.number
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, BadLineError) as error:
            refuse(_problem(error, file, lines, n_above, n_before(), offset))
            lines.back_to(start, n_above)
            lines.pass_line()
            reader = dialect.reader(lines)
            continue
        if not row:
            continue
        if width is None or len(row) == width:
            yield n_above + 1, row
            continue
        where = f"line {n_before() + n_above + 1} of {file}"
        refuse(
            InputError(
                f"{where} has {len(row)} cells and the header has {width}",
                where=where,
                remedy=f"give it one for each column, with quotes around text that has {dialect.parts_by}",
            )
        )


def _problem(
    error: csv.Error | BadLineError, file: str, lines: Lines, n_above: int, n_before: int, offset: int
) -> InputError:
    """What is wrong with the row that begins below `n_above` of the lines and ends where they are."""
    line = n_before + n_above + 1
    where = f"line {line} of {file}"
    remedy = "close every quote, and double those inside a cell"
    if lines.number > n_above + 1:
        # What was come upon at the end of several lines depends on how many of them are at hand.
        reason = "a quote that opens in it is not closed as it should be"
    elif isinstance(error, csv.Error):
        reason = str(error)
    elif error.is_long:
        remedy = "check that it is CSV with a line for each row, or shorten the line"
        return InputError(f"{where} is longer than {lines.longest:,} bytes", where=where, remedy=remedy)
    else:
        try:
            check_text(error.raw, file, offset + lines.position - len(error.raw), lambda: line - 1)
        except InputError as found:
            return found
        reason = "it is not text"
    return InputError(f"{where} is not CSV ({reason})", where=where, remedy=remedy)
