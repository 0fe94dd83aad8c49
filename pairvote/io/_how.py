"""How files become columns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pairvote.votes._report import Report


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
    """

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str = "."
    sheet: str | int | None = None
    na: tuple[str, ...] = ()
    comment: str | None = None
    skip_lines: int = 0
    header: bool = True
    report: Report = field(default_factory=Report)

    @property
    def of_formats(self) -> dict[str, object]:
        """The options that were given and say something of files of some formats only."""
        names = ("delimiter", "encoding", "sheet", "comment", "skip_lines", "header")
        given = {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value != getattr(How, name)}

    def with_report(self, report: Report) -> How:
        """The options of one pass over the files, which this report is about."""
        return replace(self, report=report)
