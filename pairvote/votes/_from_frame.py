"""Votes from the columns of a data frame."""

from __future__ import annotations

import warnings
from typing import Any, get_args

from pairvote._common.frames import Frame
from pairvote._common.messages import plural, row_number, wrong_option
from pairvote._common.options import check_flag
from pairvote.votes._build import Fields, from_columns
from pairvote.votes._normaliser import Normaliser
from pairvote.votes._report import BadRows, Report
from pairvote.votes._shapes import VOTE_COLUMNS, Reader
from pairvote.votes._wanted import Wanted


def from_frame(
    df: object,
    *,
    items: Any,
    outcomes: Any,
    tie: str | None,
    bad_rows: BadRows,
    use_weight: bool,
    normalise: bool,
    **names: Any,
) -> Fields:
    """The fields of votes; the options are those of `Votes.from_frame`."""
    check_flag("use_weight", use_weight)
    check_flag("normalise", normalise)
    if not isinstance(bad_rows, str) or bad_rows not in get_args(BadRows):
        raise wrong_option("bad_rows", bad_rows, "use 'raise' or 'skip'")
    frame = Frame(df)
    report = Report(bad_rows)
    wanted = Wanted.of(use_weight=use_weight, any_names=True, tie=tie, **names)
    reader = Reader(wanted, report, outcomes, tie, decimal=None, normaliser=Normaliser() if normalise else None)
    found = reader.found_in(frame.columns, "the data frame")
    columns = {part: frame.column(name) for part, name in found.items()}
    table = reader.rows(columns, len(frame), row_number, whole=True)
    parts = {part: table.columns[part] for part in VOTE_COLUMNS if part in table.columns}
    fields = from_columns(**parts, items=items, outcomes=outcomes, locate=table.locate)
    warn_of_skipped(report, stacklevel=4)
    return fields


def warn_of_skipped(report: Report, stacklevel: int = 3) -> None:
    """Warn of the files and rows that were left out."""
    if report.left_out:
        warnings.warn(report.left_out, stacklevel=stacklevel)
    if report.n_skipped:
        skipped = f"{plural(report.n_skipped, 'row')} skipped: {'; '.join(report.skipped)}"
        warnings.warn(skipped, stacklevel=stacklevel)
