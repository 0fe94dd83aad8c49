"""A table of votes: its columns, how they are checked, and what can be made of a table as a whole."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import check_total
from pairvote._common.frames import Backend, make_frame
from pairvote._common.labels import Codes, as_array, first_row, iterate_labels, merge_labels
from pairvote._common.messages import listed, plural, shorten
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome, direction
from pairvote._common.questions import Questions, joined_questions, known, questions
from pairvote._common.times import Times, joined_times, times
from pairvote.errors import InputError
from pairvote.votes._build import append_codes
from pairvote.votes._counts import NO_WEIGHTS, PairCounts, count_rows
from pairvote.votes._fold import folded_rows
from pairvote.votes._own import OwnTable, amounts, column, n_labels


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class VoteTable(OwnTable):
    """The columns of `Votes`, which adds the ways in and out."""

    items: tuple[Hashable, ...]
    left: Codes
    right: Codes
    outcome: NDArray[np.uint8]
    voter: Codes | None = None
    voters: tuple[Hashable, ...] = ()
    weight: NDArray[np.float64] | None = None
    criterion: Codes | None = None
    criteria: tuple[Hashable, ...] = ()
    share: NDArray[np.float64] | None = None
    time: Times | None = None
    question: Questions | None = None

    def __post_init__(self) -> None:
        items = (0, n_labels(self.items, "items"))
        left = column(self.left, "left", np.int32, items, None)
        n_votes = len(left)
        right = column(self.right, "right", np.int32, items, n_votes)
        same = left == right
        if same.any():
            raise InputError(
                f"row {first_row(same)} has {shorten(self.items[left[first_row(same)]])} against itself; a vote needs "
                "two different items, so remove the row"
            )
        own = {"left": left, "right": right, "outcome": column(self.outcome, "outcome", np.uint8, (0, 4), n_votes)}
        for name, codes, labels in (
            ("voter", self.voter, n_labels(self.voters, "voters")),
            ("criterion", self.criterion, n_labels(self.criteria, "criteria")),
        ):
            if codes is not None:
                own[name] = column(codes, name, np.int32, (-1, labels), n_votes)
        if self.weight is not None:
            own["weight"] = amounts(self.weight, "weight", (n_votes,))
        if self.share is not None:
            own["share"] = _shares(self.share, own["outcome"])
        if self.time is not None:
            own["time"] = times(self.time, n_votes)
        if self.question is not None:
            own["question"] = questions(self.question, n_votes)
        self._set(own)

    @property
    def n_items(self) -> int:
        """The number of items, with or without votes."""
        return len(self.items)

    def __len__(self) -> int:
        return len(self.left)

    def __repr__(self) -> str:
        tallies = np.bincount(self.outcome, minlength=4).tolist()
        voters = f", {plural(len(self.voters), 'voter')}" if self.voter is not None else ""
        named = ", ".join(f"{tallies[OUTCOME_NAMES[name]]:,} {name}" for name in ("left", "right", "tie", "skip"))
        if self.share is not None:
            named += f"; {int(self.is_graded.sum()):,} graded"
        return f"Votes({plural(len(self), 'vote')}, {plural(self.n_items, 'item')}{voters}: {named})"

    @property
    def is_graded(self) -> NDArray[np.bool_]:
        """Whether each row is a share of a vote and not the whole of it: bool, shape (n_votes,).

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, [0.73, "tie"], outcomes="share").is_graded.tolist()
        [True, False]
        """
        return np.zeros(len(self), bool) if self.share is None else ~np.isnan(self.share)

    def where(self, mask: ArrayLike) -> Self:
        """The rows that `mask` picks: booleans, shape (n_votes,). Items and voters keep their codes.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels(["ash", "ash"], ["birch", "cedar"], ["left", "skip"])
        >>> len(votes.where(votes.outcome != pv.Outcome.SKIP))
        1
        """
        keep = as_array(mask, "mask")
        if not keep.size and not len(self):
            return self
        if keep.dtype != bool or keep.shape != (len(self),):
            raise InputError(
                f"mask has dtype {keep.dtype} and shape {keep.shape}; pass one boolean for each of {len(self)} votes"
            )
        return self._take(keep)

    def _take(self, rows: NDArray[Any] | slice) -> Self:
        """The votes at `rows`: booleans or row numbers, repeats allowed."""

        def pick(array: NDArray[Any] | None) -> Any:
            return None if array is None else array[rows]

        return self._changed(
            left=self.left[rows],
            right=self.right[rows],
            outcome=self.outcome[rows],
            voter=pick(self.voter),
            weight=pick(self.weight),
            criterion=pick(self.criterion),
            share=pick(self.share),
            time=pick(self.time),
            question=pick(self.question),
        )

    def __add__(self, other: VoteTable) -> Self:
        """These votes, then the others; labels are matched, new ones come after the old."""
        if not isinstance(other, VoteTable):
            return NotImplemented
        items, item_codes = merge_labels(self.items, other.items)
        voters, voter_codes = merge_labels(self.voters, other.voters)
        criteria, criterion_codes = merge_labels(self.criteria, other.criteria)
        weight = None
        if self.weight is not None or other.weight is not None:
            weight = np.concatenate([np.ones(len(v)) if v.weight is None else v.weight for v in (self, other)])
            check_total(weight)
        return self._unchecked(
            items=items,
            left=np.concatenate([self.left, item_codes[other.left]]),
            right=np.concatenate([self.right, item_codes[other.right]]),
            outcome=np.concatenate([self.outcome, other.outcome]),
            voter=append_codes(self.voter, other.voter, voter_codes, len(self), len(other)),
            voters=voters,
            weight=weight,
            criterion=append_codes(self.criterion, other.criterion, criterion_codes, len(self), len(other)),
            criteria=criteria,
            share=_appended(self, other),
            time=joined_times([self.time, other.time], [len(self), len(other)]),
            question=joined_questions([self.question, other.question], [len(self), len(other)]),
        )

    def select(self, criterion: Hashable | None) -> Self:
        """The votes on one criterion, by its label; all of them for None, if that mixes none.

        Raises
        ------
        InputError
            For a label that is not among `criteria`, and for None where there are several: their answers are
            to different questions.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left", "right"], criterion=["useful", "new"])
        >>> votes.select("new").outcome.tolist()
        [0]
        """
        if criterion is None:
            if self.criterion is not None and len(np.unique(self.criterion)) > 1:
                several = listed(self.criteria) + (" and none" if (self.criterion < 0).any() else "")
                raise InputError(
                    f"these votes answer several criteria ({several})",
                    option="criterion",
                    remedy="choose one with criterion=; scorers also take several with criteria=",
                )
            return self
        # An array is no label, and cannot be looked for among labels.
        if self.criterion is None or not isinstance(criterion, Hashable) or criterion not in self.criteria:
            raise InputError(
                f"there is no criterion {shorten(criterion)}",
                option="criterion",
                value=criterion,
                remedy=f"the criteria are {listed(self.criteria)}",
            )
        return self._take(self.criterion == self.criteria.index(criterion))

    def counts(self, *, criterion: Hashable | None = None) -> PairCounts:
        """The votes added up by ordered pair, on one criterion where there are several.

        A graded vote gives each side its share. That these were shares of one vote is not kept: what is fitted to the
        counts has errors of as many wins and losses, which are too large for them.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash", "ash"], ["birch", "birch"]).counts()
        PairCounts(2 votes, 2 items, 1 pair)
        """
        chosen = self.select(criterion)._in_halves()
        weight = NO_WEIGHTS if chosen.weight is None else chosen.weight
        return count_rows(chosen.items, chosen.left, chosen.right, chosen.outcome, weight)

    def fold_orders(self, by: Literal["voter"] | ArrayLike = "voter") -> Self:
        """Votes with the two orders of a pair made one vote, where one judge saw the pair both ways round.

        Of the rows of one voter on one pair and criterion, the first of each order are folded together, then the
        second of each, and so on. Where both say the same, they become one vote for it, and where they differ, a tie:
        the order has decided. Where one is graded, they become their mean. Each takes the place of the first of its
        two rows. Rows without a partner stay, and so do skips.

        Parameters
        ----------
        by : "voter" or array_like of labels, shape (n_votes,)
            Who judged, or what else the two orders share.

        Raises
        ------
        InputError
            For votes whose voter is not known, and for two rows with different weights.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels([*"ABAB"], [*"BABA"], ["left", "left", "left", "right"], voter=[1, 1, 2, 2])
        >>> votes.fold_orders().outcome.tolist()
        [1, 2]
        """
        rows, outcome, share = folded_rows(self, by)
        return self._take(rows)._changed(outcome=outcome, share=share)

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow".

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash"], ["birch"]).to_frame("polars").rows()
        [('ash', 'birch', 'left')]
        """
        columns = self.to_columns()
        if self.is_graded.any() and not self.is_graded.all():
            # Some libraries have no columns of numbers and words.
            columns["outcome"] = [str(outcome) for outcome in columns["outcome"]]
        return make_frame(columns, backend)

    def to_columns(self) -> dict[str, list[Any]]:
        """The columns as lists: left, right and outcome, and the others where there are any.

        These are voter, weight, criterion, time and question, with None where a value is not known. The outcome of a
        graded vote is its share, which ``outcomes="share"`` reads back.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash"], ["birch"]).to_columns()
        {'left': ['ash'], 'right': ['birch'], 'outcome': ['left']}
        """
        names = [Outcome(value).name.lower() for value in range(4)]
        columns: dict[str, list[Any]] = {
            "left": list(iterate_labels(self.left, self.items)),
            "right": list(iterate_labels(self.right, self.items)),
            "outcome": list(iterate_labels(self.outcome.astype(np.int8), names)),
        }
        if self.share is not None:
            for row in np.flatnonzero(self.is_graded).tolist():
                columns["outcome"][row] = float(self.share[row])
        if self.voter is not None:
            columns["voter"] = list(iterate_labels(self.voter, self.voters))
        if self.weight is not None:
            columns["weight"] = self.weight.tolist()
        if self.criterion is not None:
            columns["criterion"] = list(iterate_labels(self.criterion, self.criteria))
        if self.time is not None:
            columns["time"] = self.time.tolist()
        if self.question is not None:
            columns["question"] = known(self.question)
        return columns

    @property
    def _tied(self) -> NDArray[np.bool_]:
        """Whether each row is a tie; a graded vote of one half is none."""
        tied = self.outcome == Outcome.TIE
        return tied if self.share is None else tied & ~self.is_graded

    def _in_halves(self) -> Self:
        r"""Votes of which each graded one is two: a win of the left by its share, and one of the right by the rest.

        The log-likelihood of a vote with the share y is :math:`y \log p + (1 - y) \log(1 - p)`, p the chance that the
        left is picked: a quasi-likelihood, whose maximum estimates the scores if :math:`E[y] = p`, whatever the
        distribution of y.

        References
        ----------
        Papke and Wooldridge (1996), "Econometric methods for fractional response variables", J. Appl. Econometrics 11,
        equation 4.
        """
        if self.share is None:
            return self
        graded = np.flatnonzero(self.is_graded)
        if not len(graded):
            return self._changed(share=None)
        whole = np.flatnonzero(np.isnan(self.share))
        weight = np.ones(len(self)) if self.weight is None else self.weight
        to_left = weight[graded] * self.share[graded]
        to_right = weight[graded] - to_left
        # A part of nothing is no vote.
        lefts, rights = graded[to_left > 0.0], graded[to_right > 0.0]
        outcomes = (self.outcome[whole], np.full(len(lefts), 2, np.uint8), np.zeros(len(rights), np.uint8))
        return self._take(np.concatenate([whole, lefts, rights]))._changed(
            outcome=np.concatenate(outcomes),
            weight=np.concatenate([weight[whole], to_left[to_left > 0.0], to_right[to_right > 0.0]]),
            share=None,
        )


def _shares(values: ArrayLike, outcome: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A copy of shares, nan where a row is not graded, which must lean as the outcomes say."""
    array = as_array(values, "share", copy=False)
    if array.shape != outcome.shape or array.dtype.kind != "f":
        raise InputError(
            f"share has shape {array.shape} and type {array.dtype}; pass one float for every row, nan where it is not "
            "graded"
        )
    own = array.astype(np.float64)
    graded = ~np.isnan(own)
    wrong = graded & ~((own >= 0.0) & (own <= 1.0) & (direction(own) == outcome))
    if wrong.any():
        row = first_row(wrong)
        raise InputError(
            f"share at row {row} is {own[row]:g} and outcome is {outcome[row]}; a share is from 0 to 1, and the "
            "outcome is the side that has more than half, or a tie; let Votes.from_labels make the table"
        )
    return own


def _appended(ours: VoteTable, theirs: VoteTable) -> NDArray[np.float64] | None:
    """The shares of both; nan where a row is not graded."""
    if ours.share is None and theirs.share is None:
        return None
    return np.concatenate([np.full(len(v), np.nan) if v.share is None else v.share for v in (ours, theirs)])
