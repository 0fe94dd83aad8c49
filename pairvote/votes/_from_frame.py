"""Votes from the columns of a data frame."""

from __future__ import annotations

from typing import Any

from pairvote._common.frames import Frame
from pairvote._common.messages import row_number
from pairvote._common.options import check_flag
from pairvote.votes._build import Fields
from pairvote.votes._normaliser import Normaliser
from pairvote.votes._report import BadRows, Report, check_bad_rows, warn_of_skipped
from pairvote.votes._shapes import Reader
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
    check_bad_rows(bad_rows)
    frame = Frame(df)
    report = Report(bad_rows)
    wanted = Wanted.of(use_weight=use_weight, any_names=True, tie=tie, **names)
    reader = Reader(wanted, report, outcomes, tie, decimal=None, normaliser=Normaliser() if normalise else None)
    found = reader.found_in(frame.columns, "the data frame")
    columns = {part: frame.column(name) for part, name in found.items()}
    fields = reader.fields(columns, len(frame), row_number, items)
    warn_of_skipped(report, stacklevel=4)
    return fields
