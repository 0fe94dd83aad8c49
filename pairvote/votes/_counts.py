"""Votes added up by pair, and the graph of who was compared with whom."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import check_total
from pairvote._common.labels import Codes, comparing, first_row, merge_labels
from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote._common.threads import LEAST_SHARED, Parts
from pairvote._kernels import by_item, counting
from pairvote.errors import InputError
from pairvote.votes._cells import Cells
from pairvote.votes._own import OwnTable, amounts, column, n_labels

# Where each item's votes end, their keys (4 x the other item + outcome), and their weights or nothing.
Bucketed = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]
# Compressed rows of pairs: where each item's begin, their second items, and their counts.
Rows = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]
# The columns of votes: left, right, outcome, and weight or nothing.
VoteColumns = tuple[Codes, Codes, NDArray[np.uint8], NDArray[np.float64]]
NO_WEIGHTS = np.empty(0)
FEW_SWEEPS = 4


@dataclass(frozen=True)
class CountingLimits:
    """Which way of counting is taken for how many votes and items.

    Attributes
    ----------
    cells, few_cells, votes_a_cell, most_cells : float or int
        With up to `cells` pairs for each vote, votes are added up in a cell for each pair: where these are so few that
        they stay in a fast cache, or so many votes come to each. They take at most 256 MiB.
    crowded : float
        With up to so many pairs for each vote, votes are added up in rows over all items: a third quicker than sorting
        there, and slower beyond.
    least_shared : int
        The fewest votes for which it pays to wake a thread.
    table_items : int
        The most items for which a table of all pairs is made, of 128 MB.
    """

    cells: float = 2
    few_cells: int = 2**16
    votes_a_cell: int = 8
    most_cells: int = 2**23
    crowded: float = 0.8
    least_shared: int = LEAST_SHARED
    table_items: int = 4_000

    def in_cells(self, n_items: int, n_votes: int) -> bool:
        """Whether votes are added up in a cell for each pair."""
        few = max(self.few_cells, n_votes // self.votes_a_cell)
        return n_items * n_items <= min(self.cells * n_votes, few, self.most_cells)


LIMITS = CountingLimits()


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PairCounts(OwnTable):
    """All that a scorer to which order does not matter needs of any number of votes.

    Pairs stand in compressed rows, sorted: those with item i on the left are entries ``start[i]`` to
    ``start[i + 1]``. Counts of several sets of votes add up with ``+``, so they can be made chunk by chunk. Counts with
    the same items in one order, and the same numbers, are equal.

    Attributes
    ----------
    items : tuple of labels, length n_items
    start : int64 array, shape (n_items + 1,)
    right : int32 array, shape (n_pairs,)
        The code of the item on the right.
    table : float64 array, shape (n_pairs, 3)
        The weight of votes with each outcome: ``table[:, Outcome.LEFT]`` went to the left item, and so on.
    skipped : float64 array, shape (n_items,)
        The weight of skipped questions with each item.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels(["ash", "ash", "birch"], ["birch", "birch", "ash"], ["left", "tie", "left"])
    >>> counts = votes.counts()
    >>> counts.left.tolist(), counts.right.tolist(), counts.table.tolist()
    ([0, 1], [1, 0], [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    >>> (counts + counts).table[0].tolist()
    [0.0, 2.0, 2.0]
    >>> votes.counts() == counts
    True
    """

    items: tuple[Hashable, ...]
    start: NDArray[np.int64]
    right: Codes
    table: NDArray[np.float64]
    skipped: NDArray[np.float64]

    def __post_init__(self) -> None:
        n_items = n_labels(self.items, "items")
        right = column(self.right, "right", np.int32, (0, n_items), None)
        n_pairs = len(right)
        start = column(self.start, "start", np.int64, (0, n_pairs + 1), n_items + 1)
        if start[0] != 0 or start[-1] != n_pairs or (np.diff(start) < 0).any():
            raise InputError(
                f"start begins with {start[0]} and ends with {start[-1]}; it rises from 0 to the {n_pairs} pairs, "
                "so let Votes.counts make the counts"
            )
        table, skipped = amounts(self.table, "table", (n_pairs, 3)), amounts(self.skipped, "skipped", (n_items,))
        check_total(table, 0.5 * skipped)
        self._set({"start": start, "right": right, "table": table, "skipped": skipped})
        left = _left(start)
        wrong = self._misplaced(left, right)
        if wrong.any():
            pair = first_row(wrong)
            raise InputError(
                f"right at row {pair} is {right[pair]}, in the row of item {left[pair]}; each row has other items "
                "only, in rising order, so let Votes.counts make the counts"
            )

    @staticmethod
    def _misplaced(left: Codes, right: Codes) -> NDArray[np.bool_]:
        """Whether each pair is one item twice, or stands before its place: bool, shape (n_pairs,)."""
        wrong = left == right
        wrong[1:] |= (left[1:] == left[:-1]) & (right[1:] <= right[:-1])
        return wrong

    @property
    def n_items(self) -> int:
        """The number of items, with or without votes."""
        return len(self.items)

    @property
    def n_pairs(self) -> int:
        """The number of ordered pairs with votes."""
        return len(self.right)

    @property
    def total(self) -> float:
        """The weight of all votes but skips."""
        return float(self.table.sum())

    @cached_property
    def left(self) -> Codes:
        """The code of the item on the left of each pair: int32, shape (n_pairs,)."""
        left = _left(self.start)
        left.flags.writeable = False
        return left

    def __eq__(self, other: object) -> bool:
        """Whether both have the same items in one order, and the same counts of every pair and of skips."""
        if not isinstance(other, PairCounts):
            return NotImplemented
        if self is other:
            return True
        with comparing():
            if self.items != other.items:
                return False
        return all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in ("start", "right", "table", "skipped")
        )

    # Equal objects would need equal hashes, for which all counts had to be gone through.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"PairCounts({plural(self.total, 'vote')}, {plural(self.n_items, 'item')}, {plural(self.n_pairs, 'pair')})"
        )

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4).

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.Votes.from_wins(["ash"], ["birch"]).counts().item_totals().tolist()
        [[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]
        """
        totals = np.zeros((self.n_items, 4))
        by_item.add_pairs_to_items(self.start, self.right, self.table, totals)
        totals[:, Outcome.SKIP] = self.skipped
        return totals

    def win_shares(self) -> NDArray[np.float64]:
        """Each item's share of its votes against each other one: float64, shape (n_items, n_items).

        Row i, column j is the share that i won of the votes between i and j on either side, a tie as half; nan where
        there is no vote, as on the diagonal.

        Raises
        ------
        InputError
            For more than 4,000 items: the table would fill the memory.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels(["ash", "ash", "birch"], ["birch", "birch", "cedar"], ["left", "tie", "left"])
        >>> votes.counts().win_shares().tolist()
        [[nan, 0.75, nan], [0.25, nan, 1.0], [nan, 0.0, nan]]
        """
        if self.n_items > LIMITS.table_items:
            raise InputError(
                f"the shares of {self.n_items:,} items would take {self.n_items**2 * 8 / 2**30:.1f} GiB; they are "
                f"given for up to {LIMITS.table_items:,}; read the pairs with votes from left, right and table"
            )
        won, asked = np.zeros((2, self.n_items, self.n_items))
        shares = self.table[:, Outcome.LEFT] + 0.5 * self.table[:, Outcome.TIE]
        n_votes = self.table.sum(axis=1)
        won[self.left, self.right] = shares
        won[self.right, self.left] += n_votes - shares
        asked[self.left, self.right] = n_votes
        asked[self.right, self.left] += n_votes
        return np.divide(won, asked, out=np.full(won.shape, math.nan), where=asked > 0.0)

    def folded(self) -> PairCounts:
        """Counts with sides forgotten: the lower code of every pair on the left."""
        upper = self.right > self.left
        n_upper = int(np.count_nonzero(upper))
        if n_upper == self.n_pairs:
            return self
        n_each = np.bincount(self.right[~upper], minlength=self.n_items)
        start = np.concatenate([[0], np.cumsum(n_each)])
        right, table = np.empty(start[-1], np.int32), np.empty((start[-1], 3))
        counting.transpose_lower(self.start, self.right, self.table, start[:-1].copy(), right, table)
        upper_start = np.concatenate([[0], np.cumsum(upper)])[self.start]
        return _merged(
            self.items, (upper_start, self.right[upper], self.table[upper]), (start, right, table), self.skipped
        )

    def __add__(self, other: PairCounts) -> PairCounts:
        """Both counts in one; labels are matched, new ones come after the old.

        Raises
        ------
        InputError
            For weights that add up to more than 1e306, which further sums might carry beyond what a number holds.
        """
        if not isinstance(other, PairCounts):
            return NotImplemented
        items, codes = merge_labels(self.items, other.items)
        skipped = np.zeros(len(items))
        skipped[: self.n_items] = self.skipped
        skipped[codes] += other.skipped
        start = np.pad(self.start, (0, len(items) - self.n_items), mode="edge")
        both = _merged(items, (start, self.right, self.table), other._renumbered(codes, len(items)), skipped)
        check_total(both.table, 0.5 * both.skipped)
        return both

    def _renumbered(self, codes: Codes, n_items: int) -> Rows:
        """The rows of pairs under other codes, among so many items."""
        left, right = codes[self.left], codes[self.right]
        # One key for each pair sorts several times as fast as two.
        in_order = not (np.diff(codes) < 0).any()
        order = slice(None) if in_order else np.argsort(left.astype(np.int64) * n_items + right)
        return np.searchsorted(left[order], np.arange(n_items + 1)), right[order], self.table[order]

    def _among(self, codes: Codes, items: tuple[Hashable, ...]) -> PairCounts:
        """Counts over other items, among which these have the codes."""
        start, right, table = self._renumbered(codes, len(items))
        skipped = np.zeros(len(items))
        skipped[codes] = self.skipped
        start = start.astype(np.int64)
        return PairCounts._unchecked(items=items, start=start, right=right, table=table, skipped=skipped)

    def dominance(self) -> NDArray[np.int32]:
        """Groups of items each of which beat or tied with the others, directly or in a chain: int32, shape (n_items,).

        Maximum-likelihood scores exist only if there is one group.

        References
        ----------
        Ford (1957), "Solution of a ranking problem from binary comparisons", Amer. Math. Monthly 64(8), assumption A.
        """
        if self.n_items and counting.reach_all(
            self.start, self.right, self.table, FEW_SWEEPS, *np.zeros((2, self.n_items), np.int32)
        ):
            return np.zeros(self.n_items, np.int32)
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        not_lost = self.table[:, Outcome.LEFT] + self.table[:, Outcome.TIE] > 0
        not_won = self.table[:, Outcome.RIGHT] + self.table[:, Outcome.TIE] > 0
        over = np.concatenate([self.left[not_lost], self.right[not_won]])
        under = np.concatenate([self.right[not_lost], self.left[not_won]])
        graph = coo_array((np.ones(len(over)), (over, under)), shape=(self.n_items, self.n_items))
        _, groups = connected_components(graph.tocsr(), directed=True, connection="strong")
        return groups.astype(np.int32)


def count_rows(
    items: tuple[Hashable, ...],
    left: Codes,
    right: Codes,
    outcome: NDArray[np.uint8],
    weight: NDArray[np.float64] = NO_WEIGHTS,
    *,
    folded: bool = False,
    limits: CountingLimits = LIMITS,
) -> PairCounts:
    """Add votes up by pair; `folded` forgets the sides, which costs less than folding afterwards.

    Each row's codes are places in `items`, and an empty `weight` gives every row the weight 1. Where the pairs that
    there could be are few, votes are added up in a cell for each. Else they are sorted by first item; those of one item
    are then added up in a row over all others, or sorted by second item too where that row would be long for so few
    votes. O(votes + items) either way.
    """
    n_items, n_votes = len(items), len(left)
    if limits.in_cells(n_items, n_votes):
        cells = Cells(n_items, folded=folded)
        cells.count(left, right, outcome, weight, least=limits.least_shared)
        start, second, table, skipped = cells.gather(n_votes)
        return PairCounts._unchecked(items=items, start=start, right=second, table=table, skipped=skipped)
    rows = (left, right, outcome, weight)
    if len(weight) and not weight.all():
        counted = weight > 0
        rows = (left[counted], right[counted], outcome[counted], weight[counted])
        n_votes = len(rows[0])
    start = np.zeros(n_items + 1, np.int64)
    most_pairs = n_items * (n_items - 1) // (2 if folded else 1)
    crowded = most_pairs <= limits.crowded * n_votes
    with Parts.equal(n_votes, limits.least_shared) as parts:
        stops, keys, weights = _by_item(rows, n_items, folded + 2 * (not crowded), parts)
    if crowded:
        # Memory that is not written to costs nothing, so there is room for every pair that there could be.
        most = min(n_votes, most_pairs)
        second, table = np.empty(most, np.int32), np.empty((most, 3))
        n_pairs = counting.gather_rows(stops, keys, weights, folded, np.zeros((n_items, 3)), start, second, table)
        second, table = second[:n_pairs], table[:n_pairs]
    else:
        stops, keys, weights = _then_by_first(stops, keys, weights, limits.least_shared)
        second, table = _gather_runs(stops, keys, weights, start, limits.least_shared)
    answered = stops[-1] if n_items else 0
    skipped = np.zeros(n_items) if answered == n_votes else _skipped(rows, n_items)
    return PairCounts._unchecked(items=items, start=start, right=second, table=table, skipped=skipped)


def no_votes(items: tuple[Hashable, ...]) -> PairCounts:
    """Counts over these items of no votes."""
    start, skipped = np.zeros(len(items) + 1, np.int64), np.zeros(len(items))
    none = {"right": np.empty(0, np.int32), "table": np.empty((0, 3))}
    return PairCounts._unchecked(items=items, start=start, skipped=skipped, **none)


def _by_item(rows: VoteColumns, n_items: int, mode: int, parts: Parts) -> Bucketed:
    left, _, _, weight = rows
    counts = np.zeros((len(parts), n_items), np.int64)
    keys, weights = np.empty(len(left), np.int32), np.empty(len(weight))

    def count(number: int, first: int, last: int) -> None:
        counting.count_sides(*(column[first:last] for column in rows[:3]), mode, counts[number])

    def place(number: int, first: int, last: int) -> None:
        counting.place_votes(*(column[first:last] for column in rows), mode, places[number], keys, weights)

    parts.run(count)
    places = _places(counts)
    parts.run(place)
    return places[-1], keys, weights


def _then_by_first(stops: NDArray[np.int64], keys: Codes, weights: NDArray[np.float64], least: int) -> Bucketed:
    """Votes that stand by second item, brought together by first: then they are sorted by both."""
    begin = np.concatenate([[0], stops])
    placed, placed_weights = np.empty_like(keys), np.empty_like(weights)
    with Parts.of_rows(begin, least) as parts:
        counts = np.zeros((len(parts), len(stops)), np.int64)

        def count(number: int, first: int, last: int) -> None:
            counting.count_keys(keys[begin[first] : begin[last]], counts[number])

        def place(number: int, first: int, last: int) -> None:
            counting.place_keys(stops[:last], keys, weights, first, places[number], placed, placed_weights)

        parts.run(count)
        places = _places(counts)
        parts.run(place)
    return places[-1], placed, placed_weights


def _places(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each part's votes of each item go, those of earlier parts first: int64, shape (n_parts, n_items)."""
    each = np.cumsum(counts, axis=0)
    begin = np.cumsum(each[-1]) - each[-1]
    return np.asarray(begin + each - counts)


def _gather_runs(
    stops: NDArray[np.int64], keys: Codes, weights: NDArray[np.float64], start: NDArray[np.int64], least: int
) -> tuple[Codes, NDArray[np.float64]]:
    """The second items and counts of sorted votes, and in `start` where each first item's begin."""
    with Parts.of_rows(np.concatenate([[0], stops]), least) as parts:
        parts.run(lambda _, first, last: counting.count_runs(stops[:last], keys, first, start[1:]))
        np.cumsum(start, out=start)
        right, table = np.empty(start[-1], np.int32), np.zeros((start[-1], 3))
        parts.run(lambda _, first, last: counting.gather_runs(stops[:last], keys, weights, first, start, right, table))
    return right, table


def _skipped(rows: VoteColumns, n_items: int) -> NDArray[np.float64]:
    left, right, outcome, weight = rows
    skips = outcome == Outcome.SKIP
    both = np.concatenate([left[skips], right[skips]])
    return np.asarray(np.bincount(both, np.tile(weight[skips], 2) if len(weight) else None, n_items), np.float64)


def _left(start: NDArray[np.int64]) -> Codes:
    """The first item of each pair of compressed rows."""
    return np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))


def is_folded(counts: PairCounts) -> bool:
    """Whether every pair has its lower code on the left."""
    return bool((counts.left < counts.right).all())


def _merged(items: tuple[Hashable, ...], one: Rows, other: Rows, skipped: NDArray[np.float64]) -> PairCounts:
    """Two sets of rows added up; the other's start is used up."""
    start = other[0].astype(np.int64)
    most = len(one[1]) + len(other[1])
    right, table = np.empty(most, np.int32), np.empty((most, 3))
    counting.merge_rows(*one, start, *other[1:], right, table)
    right, table = right[: start[-1]], table[: start[-1]]
    return PairCounts._unchecked(items=items, start=start, right=right, table=table, skipped=skipped)
