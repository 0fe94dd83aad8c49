"""Votes: who met whom, and what was picked. One immutable row per answered or skipped question."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import check_total, item_codes
from pairvote._common.frames import Backend, make_frame
from pairvote._common.labels import Codes, as_array, code_pairs, first_row, iterate_labels, merge_labels
from pairvote._common.messages import listed, plural, shorten
from pairvote._common.outcome_columns import outcome_codes
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome, Outcomes
from pairvote.errors import InputError
from pairvote.votes._build import append_codes, assemble, from_columns, from_records, tabulated
from pairvote.votes._counts import NO_WEIGHTS, PairCounts, count_rows
from pairvote.votes._from_frame import from_frame
from pairvote.votes._own import OwnTable, amounts, column, n_labels
from pairvote.votes._report import BadRows
from pairvote.votes._wanted import Name

__all__ = ["Outcome", "Votes"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Votes(OwnTable):
    """An immutable table of votes in time order.

    Make one with `from_labels`, `from_codes`, `from_records`, `from_wins`, `from_matrix`, `from_frame`,
    `from_choix` or `pairvote.read_votes`. This constructor takes codes; it copies and checks them too.

    Attributes
    ----------
    items : tuple of labels, length n_items
        What is voted on, in first-seen order or in that of ``items=``.
    left, right : int32 array, shape (n_votes,)
        The item on each side, as a code: its place in `items`.
    outcome : uint8 array, shape (n_votes,)
        What was picked, as a value of `Outcome`.
    voter : int32 array, shape (n_votes,), or None
        Who voted, as a code into `voters`; -1 where the voter is not known.
    voters : tuple of labels
    weight : float64 array, shape (n_votes,), or None
        How many votes a row stands for; None where every row is one vote.
    criterion : int32 array, shape (n_votes,), or None
        What was asked, as a code into `criteria`; -1 where no criterion is named.
    criteria : tuple of labels

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels(["ash", "birch"], ["birch", "cedar"], ["left", "tie"], voter=["anna", "bo"])
    >>> votes
    Votes(2 votes, 3 items, 2 voters: 1 left, 0 right, 1 tie, 0 skip)
    >>> votes.items, votes.left.tolist(), votes.voters
    (('ash', 'birch', 'cedar'), [0, 1], ('anna', 'bo'))
    """

    items: tuple[Hashable, ...]
    left: Codes
    right: Codes
    outcome: NDArray[np.uint8]
    voter: Codes | None = None
    voters: tuple[Hashable, ...] = ()
    weight: NDArray[np.float64] | None = None
    criterion: Codes | None = None
    criteria: tuple[Hashable, ...] = ()

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
        return f"Votes({plural(len(self), 'vote')}, {plural(self.n_items, 'item')}{voters}: {named})"

    # --- constructors ---

    @classmethod
    def from_labels(
        cls,
        left: Iterable[Hashable],
        right: Iterable[Hashable],
        outcome: Iterable[Any],
        *,
        voter: Iterable[Any] | None = None,
        weight: ArrayLike | None = None,
        criterion: Iterable[Any] | None = None,
        items: Iterable[Hashable] | None = None,
        outcomes: Outcomes | None = None,
    ) -> Votes:
        """Votes from one entry a vote: the two labels and what was picked.

        Parameters
        ----------
        left, right : iterable of labels, length n_votes
            Any hashable but None and NaN. A column of a data frame will do; a categorical one costs no string work.
        outcome : iterable, length n_votes
            `Outcome` members or "left", "right", "tie", "skip"; a bare number is refused.
        voter, criterion : iterable of labels, length n_votes, optional
            None where it is not known.
        weight : array_like of float, length n_votes, optional
            Finite and not negative: how many votes the row stands for.
        items : iterable of labels, optional
            All items, in the order to keep; a label outside it is refused.
        outcomes : mapping, optional
            What other outcome labels mean, such as ``{"model_a": "left", "model_b": "right"}``.

        Raises
        ------
        InputError
            Naming the value, its row and the remedy, for anything malformed.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels(["ash"], ["birch"], ["model_a"], outcomes={"model_a": "left"})
        >>> bool(votes.outcome[0] == pv.Outcome.LEFT)
        True
        """
        fields = from_columns(
            left, right, outcome, voter=voter, weight=weight, criterion=criterion, items=items, outcomes=outcomes
        )
        return cls._unchecked(**fields)

    @classmethod
    def from_codes(
        cls,
        left: ArrayLike,
        right: ArrayLike,
        outcome: ArrayLike,
        *,
        items: Iterable[Hashable] | None = None,
        n_items: int | None = None,
        voter: Iterable[Any] | None = None,
        weight: ArrayLike | None = None,
        criterion: Iterable[Any] | None = None,
    ) -> Votes:
        """Votes from integer codes: the fastest way in.

        Parameters
        ----------
        left, right : array_like of int, shape (n_votes,)
            Places in `items`, from 0 to n_items - 1.
        outcome : array_like, shape (n_votes,)
            Values of `Outcome` as integers (0 right, 1 tie, 2 left, 3 skip), or what `from_labels` takes.
        items : iterable of labels, optional
            Labels of the codes; the codes themselves by default.
        n_items : int, optional
            The number of items where `items` is not given; by default one more than the largest code.
        voter, weight, criterion
            As in `from_labels`.

        Raises
        ------
        InputError
            Naming the value, its row and the remedy, for anything malformed.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_codes([0, 1], [1, 2], [2, 1], items=["ash", "birch", "cedar"])
        Votes(2 votes, 3 items: 1 left, 0 right, 1 tie, 0 skip)
        """
        left_codes, right_codes, labels = item_codes({"left": left, "right": right}, items, n_items)
        outcomes = outcome_codes(outcome)
        return cls._unchecked(
            **assemble(left_codes, right_codes, outcomes, labels, voter=voter, weight=weight, criterion=criterion)
        )

    @classmethod
    def from_records(
        cls,
        records: Iterable[Sequence[Any] | Mapping[str, Any]],
        *,
        items: Iterable[Hashable] | None = None,
        outcomes: Outcomes | None = None,
    ) -> Votes:
        """Votes from one record each: (left, right, outcome) or (left, right, outcome, voter), or a mapping.

        A mapping has the keys left, right and outcome, and may have voter, weight and criterion.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_records([("ash", "birch", "left"), ("birch", "cedar", "tie", "anna")])
        Votes(2 votes, 3 items, 1 voter: 1 left, 0 right, 1 tie, 0 skip)
        """
        return cls._unchecked(**from_records(records, items=items, outcomes=outcomes))

    @classmethod
    def from_wins(
        cls,
        winners: Iterable[Hashable],
        losers: Iterable[Hashable],
        *,
        items: Iterable[Hashable] | None = None,
    ) -> Votes:
        """Votes from the winner and the loser of each; the winner is put on the left.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash", "ash"], ["birch", "cedar"])
        Votes(2 votes, 3 items: 2 left, 0 right, 0 tie, 0 skip)
        """
        left, right, labels = code_pairs(winners, losers, items, names=("winners", "losers"))
        return cls._unchecked(**assemble(left, right, np.full(len(left), Outcome.LEFT, np.uint8), labels))

    @classmethod
    def from_matrix(
        cls, wins: ArrayLike, *, ties: ArrayLike | None = None, items: Iterable[Hashable] | None = None
    ) -> Votes:
        """Votes from a square table: ``wins[i, j]`` is how often i beat j.

        Whole numbers that add up to at most ten million give a row for every vote, the winner on the left; anything
        else gives a weighted row for every cell that is not zero.

        Parameters
        ----------
        wins : array_like, shape (n_items, n_items)
            Finite, not negative, zero on the diagonal.
        ties : array_like, shape (n_items, n_items), optional
            ``ties[i, j]`` is how often i and j tied; symmetric, zero on the diagonal.
        items : iterable of labels, optional

        Raises
        ------
        InputError
            For a table of another shape or with other values.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_matrix([[0, 2], [1, 0]], items=["ash", "birch"])
        Votes(3 votes, 2 items: 3 left, 0 right, 0 tie, 0 skip)
        """
        return cls._unchecked(**tabulated(wins, ties, items))

    @classmethod
    def from_frame(
        cls,
        df: object,
        *,
        left: Name = "left",
        right: Name = "right",
        outcome: str = "outcome",
        winner: str | None = None,
        loser: str | None = None,
        tie: str | None = None,
        left_score: str | None = None,
        right_score: str | None = None,
        left_wins: str | None = None,
        right_wins: str | None = None,
        tied: str | None = None,
        voter: str | None = None,
        weight: str | None = None,
        criterion: str | None = None,
        time: str | None = None,
        items: Iterable[Hashable] | None = None,
        outcomes: Outcomes | None = None,
        bad_rows: BadRows = "raise",
        use_weight: bool = True,
        normalise: bool = False,
    ) -> Votes:
        """Votes from the columns of a data frame (pandas, polars, pyarrow: any that narwhals knows).

        Parameters
        ----------
        df : data frame with a row for each vote
        left, right, outcome, winner, loser, tie, left_score, right_score, left_wins, right_wins, tied
            The names of the columns, as in `pairvote.read_votes`: sides and an outcome, sides and a winner, a winner
            and a loser, sides and their scores, or pairs and how often each side won.
        voter, weight, criterion : str, optional
            The names of further columns; by default the one called "voter", "weight" or "criterion" where there is one.
        time : str, optional
            The column of times, by which Elo goes.
        items, outcomes
            As in `from_labels`.
        bad_rows : "raise" or "skip"
            What to do with a row that is no vote: refuse the frame, or leave the row out and warn of it.
        use_weight : bool
            Whether a column called "weight" is taken for weights without being named.
        normalise : bool
            Whether labels of items that print alike are one item.

        Raises
        ------
        InputError
            For a missing column, listing those that there are, and for anything malformed in one.

        Warns
        -----
        UserWarning
            With ``bad_rows="skip"``, where rows were left out.

        Examples
        --------
        >>> import pandas as pd
        >>> import pairvote as pv
        >>> df = pd.DataFrame({"left": ["ash"], "right": ["birch"], "outcome": ["tie"]})
        >>> pv.Votes.from_frame(df)
        Votes(1 vote, 2 items: 0 left, 0 right, 1 tie, 0 skip)
        >>> df = pd.DataFrame({"left": ["ash", "ash"], "right": ["birch", "birch"], "picked": ["birch", "ash"]})
        >>> pv.Votes.from_frame(df, winner="picked").outcome.tolist()
        [0, 2]
        """
        given = {name: value for name, value in locals().items() if name not in ("cls", "df")}
        return cls._unchecked(**from_frame(df, **given))

    @classmethod
    def from_choix(
        cls, pairs: Iterable[tuple[int, int]], *, n_items: int | None = None, items: Iterable[Hashable] | None = None
    ) -> Votes:
        """Votes from choix's list of (winner, loser) codes.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_choix([(0, 1), (2, 1)], n_items=4)
        Votes(2 votes, 4 items: 2 left, 0 right, 0 tie, 0 skip)
        """
        try:
            rows = [(winner, loser) for winner, loser in list(pairs)]
        except Exception:
            raise InputError("pairs must hold (winner, loser) for every vote, such as [(0, 1), (2, 1)]") from None
        sides = {name: [row[place] for row in rows] for place, name in enumerate(("winner", "loser"))}
        winners, losers, labels = item_codes(sides, items, n_items)
        return cls._unchecked(**assemble(winners, losers, np.full(len(rows), Outcome.LEFT, np.uint8), labels))

    # --- what to make of them ---

    def to_choix(self, *, ties: Literal["raise", "drop"] = "raise") -> list[tuple[int, int]]:
        """The list of (winner, loser) codes that choix's functions take; skips have no winner and are left out.

        Raises
        ------
        InputError
            Where votes have weights, and where there are ties unless ``ties="drop"``: choix knows neither.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_labels(["ash", "ash"], ["birch", "cedar"], ["left", "right"]).to_choix()
        [(0, 1), (2, 0)]
        """
        if ties not in ("raise", "drop"):
            raise InputError(f"ties is {shorten(ties)}; use 'raise' or 'drop'")
        if self.weight is not None:
            raise InputError("these votes have weights, which choix does not know; repeat the rows instead")
        n_tied = int((self.outcome == Outcome.TIE).sum())
        if n_tied and ties == "raise":
            raise InputError(
                f"{n_tied} of the votes are ties, which choix does not know; pass ties='drop' to leave them out"
            )
        left_won = self.outcome == Outcome.LEFT
        decided = left_won | (self.outcome == Outcome.RIGHT)
        winners = np.where(left_won, self.left, self.right)[decided]
        losers = np.where(left_won, self.right, self.left)[decided]
        return list(zip(winners.tolist(), losers.tolist(), strict=True))

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow".

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash"], ["birch"]).to_frame("polars").rows()
        [('ash', 'birch', 'left')]
        """
        return make_frame(self.to_columns(), backend)

    def to_columns(self) -> dict[str, list[Any]]:
        """The columns as lists of labels: left, right, outcome, and voter, weight and criterion where there are any.

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
        if self.voter is not None:
            columns["voter"] = list(iterate_labels(self.voter, self.voters))
        if self.weight is not None:
            columns["weight"] = self.weight.tolist()
        if self.criterion is not None:
            columns["criterion"] = list(iterate_labels(self.criterion, self.criteria))
        return columns

    def where(self, mask: ArrayLike) -> Votes:
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

    def _take(self, rows: NDArray[Any]) -> Votes:
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
        )

    def __add__(self, other: Votes) -> Votes:
        """These votes, then the others; labels are matched, new ones come after the old."""
        if not isinstance(other, Votes):
            return NotImplemented
        items, item_codes = merge_labels(self.items, other.items)
        voters, voter_codes = merge_labels(self.voters, other.voters)
        criteria, criterion_codes = merge_labels(self.criteria, other.criteria)
        weight = None
        if self.weight is not None or other.weight is not None:
            weight = np.concatenate([np.ones(len(v)) if v.weight is None else v.weight for v in (self, other)])
            check_total(weight)
        return Votes._unchecked(
            items=items,
            left=np.concatenate([self.left, item_codes[other.left]]),
            right=np.concatenate([self.right, item_codes[other.right]]),
            outcome=np.concatenate([self.outcome, other.outcome]),
            voter=append_codes(self.voter, other.voter, voter_codes, len(self), len(other)),
            voters=voters,
            weight=weight,
            criterion=append_codes(self.criterion, other.criterion, criterion_codes, len(self), len(other)),
            criteria=criteria,
        )

    def select(self, criterion: Hashable | None) -> Votes:
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
                    remedy="choose one with criterion=, or to score several, weigh them with criteria=",
                )
            return self
        if self.criterion is None or criterion not in self.criteria:
            raise InputError(
                f"there is no criterion {shorten(criterion)}",
                option="criterion",
                value=criterion,
                remedy=f"the criteria are {listed(self.criteria)}",
            )
        return self._take(self.criterion == self.criteria.index(criterion))

    def counts(self, *, criterion: Hashable | None = None) -> PairCounts:
        """The votes added up by ordered pair, on one criterion where there are several.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash", "ash"], ["birch", "birch"]).counts()
        PairCounts(2 votes, 2 items, 1 pair)
        """
        chosen = self.select(criterion)
        weight = NO_WEIGHTS if chosen.weight is None else chosen.weight
        return count_rows(chosen.items, chosen.left, chosen.right, chosen.outcome, weight)
