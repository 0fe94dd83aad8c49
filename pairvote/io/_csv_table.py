"""What the first lines of a CSV file say: how its cells are parted, and what its columns are called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pairvote._common.checks import is_whole
from pairvote._common.messages import wrong_option
from pairvote._common.options import check_flag
from pairvote.errors import InputError
from pairvote.io._csv_rows import Dialect, Lines, each_row
from pairvote.io._how import How
from pairvote.votes._wanted import Finder

# What the delimiter and the width of the rows are found out from.
SAMPLE_BYTES, SAMPLE_ROWS = 2**16, 50
DELIMITERS = (",", ";", "\t", "|")
_SHOWN = {"\t": "tabs"}


@dataclass(frozen=True)
class Table:
    """How the rows of a file are written, the columns that they have, and the lines above the first row."""

    dialect: Dialect
    names: list[str]
    n_above: int

    @property
    def width(self) -> int:
        """Number of cells in a row."""
        return len(self.names)


def begin(lines: Lines, head: bytes, file: str, how: How, wanted: Finder) -> Table:
    """The table that the lines hold, which go on at its first row afterwards.

    `head` are the first SAMPLE_BYTES of the text, or all of it.

    Raises
    ------
    InputError
        For an option of reading that cannot be, and for a header that is lacking or broken.
    """
    delimiter, comment = _checked(how)
    lines.skip(how.skip_lines)
    sample = _whole_lines(head)[lines.position :]
    if delimiter is None:
        delimiter = _sniffed(sample, comment)
        if delimiter != ",":
            how.report.remark(f"cells are parted by {_SHOWN.get(delimiter, repr(delimiter))}")
    dialect = Dialect(delimiter, comment)
    start, n_above = lines.position, lines.number
    _, first = next(each_row(lines, dialect, file), (0, None))
    if first is None:
        below = f" below the first {how.skip_lines}" if how.skip_lines else ""
        raise InputError(f"{file} has only blank lines{below}; begin it with one such as left,right,outcome")
    if how.header:
        return Table(dialect, _fitting(first, _rows(sample, dialect)[1:], file, how, wanted), lines.number)
    lines.back_to(start, n_above)
    return Table(dialect, [str(number) for number in range(1, len(first) + 1)], n_above)


def _checked(how: How) -> tuple[str | None, bytes | None]:
    """The delimiter and what begins comments, when they are given."""
    delimiter, comment = how.delimiter, how.comment
    if delimiter == "\\t":
        delimiter = "\t"
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise wrong_option("delimiter", how.delimiter, "pass one character, such as ',', ';', '\\t' or '|'")
    if comment is not None and (not isinstance(comment, str) or not comment or comment[0] in '"\r\n'):
        raise wrong_option("comment", comment, "pass what such lines begin with, such as '#'")
    if not is_whole(how.skip_lines) or how.skip_lines < 0:
        raise wrong_option("skip_lines", how.skip_lines, "pass the number of lines above the header, from 0")
    check_flag("header", how.header)
    for option, text in (("delimiter", delimiter), ("comment", comment)):
        if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
            raise wrong_option(option, text, "it has half of a surrogate pair and so is not text")
    return delimiter, None if comment is None else comment.encode()


def _whole_lines(head: bytes) -> bytes:
    """The head without the line that its end may cut."""
    if len(head) < SAMPLE_BYTES:
        return head
    return head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head


def _rows(sample: bytes, dialect: Dialect) -> list[list[str]]:
    """The first rows, up to one that is broken."""
    rows: list[list[str]] = []
    try:
        for _, row in each_row(Lines(sample), dialect, ""):
            rows.append(row)
            if len(rows) > SAMPLE_ROWS:
                break
    except InputError:
        pass
    return rows


def _sniffed(sample: bytes, comment: bytes | None) -> str:
    """The delimiter that parts most of the first rows into as many cells as the header, or about."""
    best, found = (0.0, False, 1), ","
    for delimiter in DELIMITERS:
        header, *rows = map(len, _rows(sample, Dialect(delimiter, comment)) or [[]])
        if header > 1:
            n_rows = Counter(rows)
            share = max(n_rows[width] for width in range(header - 1, header + 2)) / len(rows) if rows else 1.0
            rating = (share, delimiter == ",", header)
            if rating > best:
                best, found = rating, delimiter
    return found


def _fitting(names: list[str], rows: list[list[str]], file: str, how: How, wanted: Finder) -> list[str]:
    """The names of the columns, where the header has one more or one less than the rows have cells.

    One row alone says nothing: it may be the one that is wrong. Nor are cells of a column that is wanted given up.
    """
    widths = set(map(len, rows))
    if len(rows) < 2 or len(widths) > 1:
        return names
    more = widths.pop() - len(names)
    if more == -1 and (_are_enough(names[:-1], file, wanted) or not _are_enough(names, file, wanted)):
        how.report.remark(f"the header names a column more than the rows have, so its last, {names[-1]!r}, is left out")
        return names[:-1]
    if more == 1 and not any(row[-1] for row in rows):
        how.report.remark("the rows end with an empty cell more than the header has names")
        return [*names, ""]
    if more == 1:
        how.report.remark("the rows have a cell more than the header, as R writes them, so their first has no name")
        return ["", *names]
    return names


def _are_enough(names: list[str], file: str, wanted: Finder) -> bool:
    """Whether the columns that are wanted are among these."""
    try:
        wanted.found_in(names, file)
    except InputError:
        return False
    return True
