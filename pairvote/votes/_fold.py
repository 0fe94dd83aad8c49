"""Two orders of one pair made one vote."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes, as_column, code_column, first_row
from pairvote._common.messages import wrong_option
from pairvote._common.outcomes import Outcome, direction
from pairvote.errors import InputError


class Foldable(Protocol):
    """The columns of votes that folding looks at."""

    @property
    def left(self) -> Codes: ...
    @property
    def right(self) -> Codes: ...
    @property
    def outcome(self) -> NDArray[np.uint8]: ...
    @property
    def voter(self) -> Codes | None: ...
    @property
    def weight(self) -> NDArray[np.float64] | None: ...
    @property
    def criterion(self) -> Codes | None: ...
    @property
    def share(self) -> NDArray[np.float64] | None: ...


def folded_rows(votes: Foldable, by: Any) -> tuple[NDArray[np.intp], NDArray[np.uint8], NDArray[np.float64] | None]:
    """The rows that are left when two orders are folded, with the outcome and share of each."""
    answered = votes.outcome != Outcome.SKIP
    judge = _judges(votes, by, answered)
    first, second = _partners(votes, judge, np.flatnonzero(answered))
    if votes.weight is not None:
        unequal = votes.weight[first] != votes.weight[second]
        if unequal.any():
            one, other = int(first[first_row(unequal)]), int(second[first_row(unequal)])
            raise InputError(
                f"rows {one} and {other} are two orders of one pair by one judge, and their weights are "
                f"{votes.weight[one]:g} and {votes.weight[other]:g}",
                option="weight",
                value=float(votes.weight[other]),
                where=f"row {other}",
                remedy="give both the same weight, or leave out one of them",
            )
    outcome = votes.outcome.copy()
    # The second row as the first shows the pair.
    turned = 2 - votes.outcome[second]
    outcome[first] = np.where(outcome[first] == turned, turned, np.uint8(Outcome.TIE))
    share = votes.share
    if share is not None:
        share = share.copy()
        ours, theirs = _as_shares(votes.outcome, share, first), 1.0 - _as_shares(votes.outcome, share, second)
        graded = ~(np.isnan(share[first]) & np.isnan(share[second]))
        share[first] = np.where(graded, 0.5 * (ours + theirs), np.nan)
        outcome[first[graded]] = direction(share[first[graded]])
    kept = np.ones(len(outcome), bool)
    kept[second] = False
    rows = np.flatnonzero(kept)
    return rows, outcome[rows], None if share is None else share[rows]


def _as_shares(outcome: NDArray[np.uint8], share: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """The left side's share of each row, that of a whole vote too."""
    return np.where(np.isnan(share[rows]), 0.5 * outcome[rows], share[rows])


def _judges(votes: Foldable, by: Any, answered: NDArray[np.bool_]) -> Codes:
    """The code of who judged each row."""
    if isinstance(by, str):
        if by != "voter":
            raise wrong_option("by", by, "use 'voter', or an array with one label for every vote")
        if votes.voter is None:
            raise InputError(
                "by is 'voter' and these votes do not say who voted",
                option="voter",
                remedy="pass voter= when making them, or say who judged with by=",
            )
        codes = votes.voter
    else:
        codes = code_column(as_column(by, "by"), "by").codes
        if len(codes) != len(votes.outcome):
            raise InputError(
                f"by has {len(codes):,} entries and there are {len(votes.outcome):,} votes",
                option="by",
                remedy="pass one label for every row, that of a skip too",
            )
    unknown = (codes < 0) & answered
    if unknown.any():
        row = first_row(unknown)
        raise InputError(
            f"who judged is not known at row {row} and in {int(unknown.sum()):,} of the answered votes",
            option="by",
            where=f"row {row}",
            remedy="name them, or leave these votes out with where()",
        )
    return codes


def _partners(votes: Foldable, judge: Codes, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows that are folded: the first and the second of each two."""
    left, right = votes.left[rows], votes.right[rows]
    forward = left < right
    criterion = np.zeros(len(rows), np.int32) if votes.criterion is None else votes.criterion[rows]
    # A group is one judge, pair and criterion; rows of one order in it are numbered as they come.
    keys = np.stack([judge[rows], criterion, np.minimum(left, right), np.maximum(left, right)])
    _, group = np.unique(keys, axis=1, return_inverse=True)
    lot = 2 * group.reshape(-1).astype(np.int64) + forward
    order = np.argsort(lot, kind="stable")
    begin = np.flatnonzero(np.diff(lot[order], prepend=-1))
    number = np.empty(len(rows), np.int64)
    number[order] = np.arange(len(rows)) - np.repeat(begin, np.diff(np.append(begin, len(rows))))
    together = np.lexsort((number, lot >> 1))
    same = (np.diff(lot[together] >> 1) == 0) & (np.diff(number[together]) == 0)
    first, second = rows[together[:-1][same]], rows[together[1:][same]]
    return np.minimum(first, second), np.maximum(first, second)
