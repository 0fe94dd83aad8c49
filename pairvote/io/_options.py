"""What the readers of files have in common: the options, checked once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pairvote._common.checks import is_whole
from pairvote._common.labels import check_items
from pairvote._common.messages import listed, wrong_option
from pairvote._common.options import check_flag
from pairvote._common.outcomes import Meanings, Outcomes
from pairvote.errors import InputError
from pairvote.io._file_format import FileFormat
from pairvote.io._how import How
from pairvote.votes._item_texts import ItemTexts
from pairvote.votes._normaliser import Normaliser
from pairvote.votes._report import BadRows, Report, check_bad_rows
from pairvote.votes._shapes import Reader
from pairvote.votes._wanted import ALWAYS, Wanted


@dataclass(frozen=True)
class Options:
    """The options of one reading; `report` and `reader` are made anew for every pass over the files."""

    wanted: Wanted
    how: How
    items: tuple[Hashable, ...] | None
    outcomes: Outcomes | None
    tie: str | None
    bad_rows: BadRows
    normalise: bool
    matrix: bool
    rankings: tuple[str, ...] | None

    @property
    def is_wide(self) -> bool:
        """Whether the file is votes as a whole and not row by row."""
        return self.matrix or self.rankings is not None

    def ranked(self, columns: list[str], file: str) -> list[str]:
        """The columns of ballots: those named, or all that are not voters, weights and criteria."""
        if not self.rankings:
            others = {self.wanted.name(part) for part in ALWAYS}
            return [name for name in columns if name not in others]
        lacking = [name for name in self.rankings if name not in columns]
        if lacking:
            raise InputError(
                f"{file} has no column {listed(lacking)}",
                option="rankings",
                value=lacking[0],
                where=file,
                remedy=f"its columns are {listed(columns)}",
            )
        return list(self.rankings)

    def item_texts(self, file_format: FileFormat) -> ItemTexts | None:
        """What finds the items that texts stand for, in files of a format in which all labels are texts."""
        return None if file_format.has_types else ItemTexts.of(self.items)

    def reader(self, report: Report) -> Reader:
        """What makes votes of columns."""
        normaliser = Normaliser() if self.normalise else None
        return Reader(self.wanted, report, self.outcomes, self.tie, self.how.decimal, normaliser)


def options_of(
    *,
    items: Iterable[Hashable] | None = None,
    outcomes: Outcomes | None = None,
    tie: str | None = None,
    matrix: bool = False,
    rankings: str | Sequence[str] | None = None,
    extract: Mapping[str, str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str = ".",
    sheet: str | int | None = None,
    na: str | Sequence[str] = (),
    comment: str | None = None,
    skip_lines: int = 0,
    header: bool = True,
    bad_rows: BadRows = "raise",
    use_weight: bool = True,
    normalise: bool = False,
    **names: Any,
) -> Options:
    """The options of `read_votes`; those that name columns are `names`.

    Raises
    ------
    InputError
        For an option that cannot be used.
    """
    flags = {"matrix": matrix, "header": header, "use_weight": use_weight, "normalise": normalise}
    for name, flag in flags.items():
        check_flag(name, flag)
    for name, text in (("delimiter", delimiter), ("encoding", encoding), ("comment", comment), ("tie", tie)):
        if text is not None and (not isinstance(text, str) or not text):
            raise wrong_option(name, text, "pass text")
    if not isinstance(decimal, str) or decimal not in (".", ","):
        raise wrong_option("decimal", decimal, "use '.' or ','")
    if sheet is not None and not (isinstance(sheet, str) and sheet) and not (is_whole(sheet) and int(sheet) > 0):
        raise wrong_option("sheet", sheet, "pass the name of a sheet, or its number from 1")
    missing = (na,) if isinstance(na, str) else na
    if not isinstance(missing, (list, tuple)) or not all(isinstance(cell, str) for cell in missing):
        raise wrong_option("na", na, "pass the cells that mean a missing value, such as ['NA']")
    if not is_whole(skip_lines) or skip_lines < 0:
        raise wrong_option("skip_lines", skip_lines, "pass a whole number from 0")
    check_bad_rows(bad_rows)
    Meanings.of(outcomes)
    how = How(
        delimiter=delimiter,
        encoding=encoding,
        decimal=decimal,
        sheet=sheet,
        na=tuple(missing),
        comment=comment,
        skip_lines=int(skip_lines),
        header=bool(header),
    )
    wanted = Wanted.of(use_weight=bool(use_weight), extract=extract, tie=tie, **names)
    if matrix or rankings is not None:
        _refuse_beside_wide("matrix" if matrix else "rankings", wanted, outcomes)
    return Options(
        wanted=wanted,
        how=how,
        items=None if items is None else check_items(items),
        outcomes=outcomes,
        tie=tie,
        bad_rows=bad_rows,
        normalise=bool(normalise),
        matrix=bool(matrix),
        rankings=_rankings(rankings, matrix=bool(matrix)),
    )


def _refuse_beside_wide(wide: str, wanted: Wanted, outcomes: Outcomes | None) -> None:
    """Refuse options that say nothing of a matrix, or of rankings: these may have columns beside those of ballots."""
    said = [part for part in wanted.given if wide == "matrix" or part not in ALWAYS]
    said += ["extract"] * bool(wanted.extract) + ["outcomes"] * (outcomes is not None)
    if said:
        problem = f"{wide} and {said[0]} are both given, and a file of {wide} has no use for {said[0]}"
        raise InputError(problem, option=said[0], remedy=f"leave out {wide}= or {said[0]}=")


def _rankings(rankings: str | Sequence[str] | None, *, matrix: bool) -> tuple[str, ...] | None:
    if rankings is None:
        return None
    is_all = isinstance(rankings, str) and rankings == "all"
    names = () if is_all else tuple(rankings) if isinstance(rankings, (list, tuple)) else None
    if names is None or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise wrong_option("rankings", rankings, "pass 'all', or the names of the columns, each once")
    if matrix:
        raise InputError("matrix and rankings are both given", option="rankings", remedy="pass one of them")
    return names
