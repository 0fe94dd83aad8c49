"""What is to be told of columns that were read as votes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Literal, get_args

from pairvote._common.messages import plural, wrong_option
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
    others : list of str
        Columns that were passed over.
    left_out : str
        Which files of a folder were left out, since they cannot be read as votes; empty where none was.
    n_empty : int
        Empty cells in a column of winners, which are ties.
    """

    bad_rows: BadRows = "raise"
    n_rows: int = 0
    n_skipped: int = 0
    skipped: list[str] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    left_out: str = ""
    n_empty: int = 0

    @property
    def room(self) -> int:
        """How many more of the rows that are skipped will be named."""
        return max(NAMED - len(self.skipped), 0)

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


def check_bad_rows(bad_rows: object) -> None:
    """InputError unless the option is "raise" or "skip"."""
    if not isinstance(bad_rows, str) or bad_rows not in get_args(BadRows):
        raise wrong_option("bad_rows", bad_rows, "use 'raise' or 'skip'")


def warn_of_skipped(report: Report, stacklevel: int = 3) -> None:
    """Warn of the files and rows that were left out."""
    if report.left_out:
        warnings.warn(report.left_out, stacklevel=stacklevel)
    if report.n_skipped:
        skipped = f"{plural(report.n_skipped, 'row')} skipped: {'; '.join(report.skipped)}"
        warnings.warn(skipped, stacklevel=stacklevel)
