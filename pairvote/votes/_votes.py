"""Votes: who met whom, and what was picked. One immutable row per answered or skipped question."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from pairvote._common.checks import item_codes
from pairvote._common.labels import code_pairs
from pairvote._common.messages import plural, shorten
from pairvote._common.outcome_columns import outcome_codes
from pairvote._common.outcomes import Outcome, Outcomes
from pairvote.errors import InputError
from pairvote.votes._build import assemble, from_columns, from_records, tabulated
from pairvote.votes._from_frame import from_frame
from pairvote.votes._pairs import paired, ranked
from pairvote.votes._report import BadRows
from pairvote.votes._table import VoteTable
from pairvote.votes._wanted import Name

__all__ = ["Outcome", "Votes"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Votes(VoteTable):
    """An immutable table of votes in time order.

    Make one with `from_labels`, `from_codes`, `from_records`, `from_wins`, `from_pairs`, `from_rankings`,
    `from_matrix`, `from_frame`, `from_choix` or `pairvote.read_votes`. This constructor takes codes; it copies and
    checks them too.

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
    share : float64 array, shape (n_votes,), or None
        The left side's share of a graded vote, from 0 to 1; nan where a vote is not graded. `outcome` is then the side
        with more than half, or a tie. None where no vote is graded.
    time : int64, float64 or datetime64[us] array, shape (n_votes,), or None
        When each vote was given; rows need not be in its order.
    question : int64 array, shape (n_votes,), or None
        The number of the question that a row answers; -1 where it is not known. Rows of several criteria share it.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels(["ash", "birch"], ["birch", "cedar"], ["left", "tie"], voter=["anna", "bo"])
    >>> votes
    Votes(2 votes, 3 items, 2 voters: 1 left, 0 right, 1 tie, 0 skip)
    >>> votes.items, votes.left.tolist(), votes.voters
    (('ash', 'birch', 'cedar'), [0, 1], ('anna', 'bo'))
    """

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
        time: Iterable[Any] | None = None,
        question: Iterable[Any] | None = None,
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
        time : iterable, length n_votes, optional
            Numbers, or moments as datetimes or as texts in ISO 8601, to the microsecond.
        question : iterable of int, length n_votes, optional
            Which question a row answers, from 0; -1 or None where it is not known. Rows of several criteria that were
            judged on one screen share it.
        items : iterable of labels, optional
            All items, in the order to keep; a label outside it is refused.
        outcomes : mapping or str, optional
            What other outcome labels mean, such as ``{"model_a": "left", "model_b": "right"}``; a float from 0.0 to 1.0
            is the left side's share of the vote. Or a text: "share", where all are such shares; a scale such as "1-5",
            where 1 is wholly left and 5 wholly right; "scores", for "3-2"; or the labels of left, tie and right such
            as "H/D/A", or of left and right such as "model_a/model_b".

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
        >>> pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, [0.73, 0.4], outcomes="share")
        Votes(2 votes, 2 items: 1 left, 1 right, 0 tie, 0 skip; 2 graded)
        """
        fields = from_columns(
            left,
            right,
            outcome,
            voter=voter,
            weight=weight,
            criterion=criterion,
            time=time,
            question=question,
            items=items,
            outcomes=outcomes,
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
        time: Iterable[Any] | None = None,
        question: Iterable[Any] | None = None,
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
        voter, weight, criterion, time, question
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
            **assemble(
                left_codes,
                right_codes,
                outcomes,
                labels,
                voter=voter,
                weight=weight,
                criterion=criterion,
                time=time,
                question=question,
            )
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

        A mapping has the keys left, right and outcome, and may have voter, weight, criterion, time and question.

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
        voter: Iterable[Any] | None = None,
        weight: ArrayLike | None = None,
        criterion: Iterable[Any] | None = None,
        time: Iterable[Any] | None = None,
        question: Iterable[Any] | None = None,
        items: Iterable[Hashable] | None = None,
    ) -> Votes:
        """Votes from the winner and the loser of each; the winner is put on the left.

        Parameters
        ----------
        winners, losers : iterable of labels, length n_votes
        voter, weight, criterion, time, question, items
            As in `from_labels`.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash", "ash"], ["birch", "cedar"])
        Votes(2 votes, 3 items: 2 left, 0 right, 0 tie, 0 skip)
        """
        left, right, labels = code_pairs(winners, losers, items, names=("winners", "losers"))
        outcome = np.full(len(left), Outcome.LEFT, np.uint8)
        return cls._unchecked(
            **assemble(
                left,
                right,
                outcome,
                labels,
                voter=voter,
                weight=weight,
                criterion=criterion,
                time=time,
                question=question,
            )
        )

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
    def from_pairs(
        cls,
        left: Iterable[Hashable],
        right: Iterable[Hashable],
        left_wins: ArrayLike,
        right_wins: ArrayLike,
        *,
        ties: ArrayLike | None = None,
        items: Iterable[Hashable] | None = None,
    ) -> Votes:
        """Votes from a row for each pair of items, with how often each of them won.

        Whole numbers that add up to at most ten million give a row for every vote; anything else gives a weighted row
        for every total that is not zero. A pair may come several times.

        Parameters
        ----------
        left, right : iterable of labels, length n_pairs
        left_wins, right_wins : array_like of float, shape (n_pairs,)
            Finite and not negative.
        ties : array_like of float, shape (n_pairs,), optional
        items : iterable of labels, optional

        Raises
        ------
        InputError
            Naming the value, its row and the remedy, for anything malformed.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_pairs(["ash", "birch"], ["birch", "cedar"], [7, 4], [3, 4], ties=[0, 1])
        Votes(19 votes, 3 items: 11 left, 7 right, 1 tie, 0 skip)
        """
        return cls._unchecked(**paired(left, right, left_wins, right_wins, ties, items))

    @classmethod
    def from_rankings(
        cls,
        rankings: Iterable[Sequence[Any]],
        *,
        voter: Iterable[Any] | None = None,
        items: Iterable[Hashable] | None = None,
    ) -> Votes:
        """Votes from whole rankings: one for every two items of each ranking, the better one on the left.

        The votes of a ranking go together, so its ranker is their voter: score with ``uncertainty="by-voter"``.

        Parameters
        ----------
        rankings : iterable of sequences of labels, length n_rankings
            Each best first. A list within a ranking holds items on one place, which tie.
        voter : iterable of labels, length n_rankings, optional
            Who ranked; by default the number of the ranking, from 0.
        items : iterable of labels, optional

        Raises
        ------
        InputError
            Naming the ranking, for one that is no sequence of labels or has a label twice.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_rankings([["ash", "birch", "cedar"], ["birch", ["ash", "cedar"]]], voter=["anna", "bo"])
        Votes(6 votes, 3 items, 2 voters: 5 left, 0 right, 1 tie, 0 skip)
        """
        return cls._unchecked(**ranked(rankings, voter, items))

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
        question: str | None = None,
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
        question : str, optional
            The column of numbers of questions.
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
            Where votes have weights or are graded, and where there are ties unless ``ties="drop"``: choix knows
            none of these.

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
        if self.is_graded.any():
            raise InputError(
                f"{plural(int(self.is_graded.sum()), 'vote')} are graded, which choix does not know",
                option="outcomes",
                remedy="score them here, by bradley_terry or luce, or read them with outcomes= that name whole votes",
            )
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
