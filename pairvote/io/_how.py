"""How files of votes are to be read, and what is to be told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pairvote.errors import InputError

BadRows = Literal["raise", "skip"]
# So many of the rows that were skipped are named.
NAMED = 5


@dataclass
class Report:
    """What was used and what was left out, for a person who wants to know.

    Attributes
    ----------
    bad_rows : "raise" or "skip"
        Whether a row that is no vote ends the reading, or is counted and left out.
    n_rows : int
        Rows read, without those that were skipped.
    n_skipped : int
    skipped : list of str
        What is wrong with the first of the rows that were skipped.
    remarks : dict
        Sentences on how the file was read, as keys, in the order in which they were made.
    columns : dict
        The column that gave each part of a vote, where it is one.
    """

    bad_rows: BadRows = "raise"
    n_rows: int = 0
    n_skipped: int = 0
    skipped: list[str] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def skips(self) -> bool:
        """Whether bad rows are left out."""
        return self.bad_rows == "skip"

    def remark(self, sentence: str) -> None:
        """Take note of how the file was read, once."""
        self.remarks[sentence] = None

    def refuse(self, error: InputError) -> None:
        """Raise the error, or count the row that it is about as skipped."""
        if not self.skips:
            raise error
        self.skip(1, error.problem)

    def skip(self, n_rows: int, problem: str) -> None:
        """Count rows that are left out; `problem` says what is wrong with the first of them."""
        self.n_skipped += n_rows
        if n_rows and len(self.skipped) < NAMED:
            self.skipped.append(problem)


@dataclass(frozen=True, kw_only=True)
class How:
    """How bytes become columns, whatever is in them.

    Parameters
    ----------
    delimiter : str, optional
        What parts the cells of CSV; by default what the first lines suggest.
    encoding : str, optional
        The encoding of text; by default UTF-8, or UTF-16 where the file begins so.
    decimal : str
        What stands before the fraction of a number in text.
    sheet : str or int, optional
        The sheet of a workbook, by its name or its number from 1.
    na : tuple of str
        Cells that mean a missing value, beside the empty one.
    comment : str, optional
        Lines of CSV that begin so are passed over.
    skip_lines : int
        Lines of CSV above the header, or rows of a sheet.
    header : bool
        Whether the first row names the columns; they are called 1, 2, 3 … otherwise.
    extract : mapping
        For a column, the regular expression whose named groups are columns of their own.
    """

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str = "."
    sheet: str | int | None = None
    na: tuple[str, ...] = ()
    comment: str | None = None
    skip_lines: int = 0
    header: bool = True
    extract: Mapping[str, str] = field(default_factory=dict)
    report: Report = field(default_factory=Report)
