"""Votes that move Elo ratings, by the plain kernel where one k moves all, and else by the table of items."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._kernels import elo as kernel
from pairvote.errors import StateError
from pairvote.ranking._history import RatingHistory
from pairvote.scoring._elo_rule import GAMES, LAST, EloRule, K, KByGames, check_change
from pairvote.votes._counts import NO_WEIGHTS
from pairvote.votes._votes import Votes

NO_K = np.empty(0)
NO_HISTORY = np.empty((0, 4))


class EloRun:
    """Ratings of items, and what moves them.

    Attributes
    ----------
    rule : EloRule
    ratings : float64 array, shape (n_items,)
        Each as it was after the item's last vote.
    table : float64 array, shape (n_items, 4), or None
        What the kernel knows of each item beside that; None where one k moves all ratings and they do not fade.
    """

    __slots__ = ("_k_by_games", "ratings", "rule", "table")

    def __init__(self, rule: EloRule, items: Sequence[Hashable]) -> None:
        self.rule = rule
        self.ratings = rule.starts(items)
        self.table = None if rule.is_plain else rule.table(items)
        self._k_by_games = None if rule.k_function is None else KByGames(rule.k_function)

    def add(self, labels: Sequence[Hashable]) -> None:
        """Make room for new items."""
        # The table first, so that it is never the shorter one for another thread.
        if self.table is not None:
            self.table = np.vstack([self.table, self.rule.table(labels)])
        self.ratings = np.append(self.ratings, self.rule.starts(labels))

    def record(self, votes: Votes, *, history: bool = False) -> NDArray[np.float64]:
        """Move the ratings by votes in the order of their rows.

        Returns
        -------
        float64 array, shape (n_votes, 4)
            With `history` the ratings of left and right before each vote and after it; else empty.
        """
        weight = NO_WEIGHTS if votes.weight is None else votes.weight
        (ratings, table), rule = self.room(votes.n_items), self.rule
        if table is None and history:
            table = rule.table(votes.items)
        if table is not None:
            return self._record_rows(votes, ratings, table, weight, history)
        check_change(rule.k, weight.max(initial=0.0))
        if votes.share is not None:
            kernel.record_leads(votes.left, votes.right, leads_of(votes), weight, ratings, rule.k, rule.slope)
        else:
            kernel.record_votes(votes.left, votes.right, votes.outcome, weight, ratings, rule.k, rule.slope)
        return NO_HISTORY

    def room(self, n_items: int) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """The ratings and the table, if they have room for so many items: the kernels do not ask.

        Raises
        ------
        StateError
            Where they have not.
        """
        ratings, table = self.ratings, self.table
        if len(ratings) < n_items or (table is not None and len(table) < n_items):
            raise too_few(n_items, len(ratings))
        return ratings, table

    def _record_rows(
        self,
        votes: Votes,
        ratings: NDArray[np.float64],
        table: NDArray[np.float64],
        weight: NDArray[np.float64],
        history: bool,
    ) -> NDArray[np.float64]:
        rule, leads = self.rule, leads_of(votes)
        rows = np.zeros((len(votes), 3))
        rows[:, 0] = leads
        rows[:, 1] = weight if len(weight) else 1.0
        if rule.half_life > 0.0:
            rows[:, 2] = rule.times_of(votes)
        k_of_games = NO_K
        if self._k_by_games is not None:
            counted = ~np.isnan(leads) & (rows[:, 1] > 0.0)
            sides = np.concatenate([votes.left[counted], votes.right[counted]])
            games = table[:, GAMES] + np.bincount(sides, minlength=len(table))
            k_of_games = self._k_by_games.up_to(int(games.max(initial=0.0)))
        largest = k_of_games if len(k_of_games) else table[:, K]
        check_change(float(largest.max(initial=0.0)), float(rows[:, 1].max(initial=0.0)))
        course = np.empty((len(votes), 4)) if history else NO_HISTORY
        settings = np.array([rule.slope, rule.half_life])
        kernel.record_rows(votes.left, votes.right, rows, ratings, table, k_of_games, course, settings)
        return course

    @property
    def now(self) -> float:
        """The time of the last vote that counted, -inf before the first."""
        return -math.inf if self.table is None else float(self.table[:, LAST].max(initial=-math.inf))

    def present(self) -> NDArray[np.float64]:
        """A copy of the ratings, faded to the time of the last vote."""
        ratings, table = self.room(len(self.ratings))
        if table is None or self.rule.half_life == 0.0:
            return ratings.copy()
        present = np.empty(len(ratings))
        kernel.fade(ratings, table, self.now, self.rule.half_life, present)
        return present


def too_few(n_items: int, n_ratings: int) -> StateError:
    """The error for ratings that lack some of the items."""
    return StateError(
        f"there are {n_items} items and {n_ratings} ratings, since several threads added items at one time; "
        "let one thread at a time have the ratings"
    )


def leads_of(votes: Votes) -> NDArray[np.float64]:
    """Twice the left side's score less one, which is what a whole vote's code is too; nan for a skip."""
    whole = np.where(votes.outcome == Outcome.SKIP, np.nan, votes.outcome - 1.0)
    return whole if votes.share is None else np.where(votes.is_graded, 2.0 * votes.share - 1.0, whole)


def history_of(
    items: tuple[Hashable, ...],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    course: NDArray[np.float64],
    slope: float,
) -> RatingHistory:
    """The course of ratings as a result."""
    columns = course.T.copy()
    # A lead beyond the end of float64 is certain to win.
    with np.errstate(over="ignore"):
        lead = slope * (columns[0] - columns[1])
    return RatingHistory(
        items=items,
        left=left.copy(),
        right=right.copy(),
        left_before=columns[0],
        right_before=columns[1],
        left_after=columns[2],
        right_after=columns[3],
        expected=0.5 + 0.5 * np.tanh(0.5 * lead),
    )
