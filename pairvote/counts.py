"""Votes added up by pair, and the graph of who was compared with whom."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._cells import Cells
from pairvote._checks import restore
from pairvote._kernels import counting
from pairvote._labels import Codes, merge_labels, plural
from pairvote._outcomes import Outcome
from pairvote._threads import Parts
from pairvote.errors import InputError
from pairvote.votes import Votes

# Where each item's votes end, their keys (4 x the other item + outcome), and their weights or nothing.
Bucketed = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]
# Compressed rows of pairs: where each item's begin, their second items, and their counts.
Rows = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]
NO_WEIGHTS = np.empty(0)
# Up to so many pairs for each vote, votes are added up in a cell for each pair where the cells stay in a fast cache, or
# there are so many votes for each; they take at most 256 MiB.
CELLS = 2
FEW_CELLS = 2**16
VOTES_A_CELL = 8
MOST_CELLS = 2**23
# Up to so many pairs for each vote, in rows over all items.
CROWDED = 16
FEW_SWEEPS = 4


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PairCounts:
    """All that a scorer to which order does not matter needs of any number of votes.

    Pairs stand in compressed rows, sorted: those with item i on the left are entries ``start[i]`` to
    ``start[i + 1]``. Counts of several sets of votes add up with ``+``, so they can be made chunk by chunk.

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
    """

    items: tuple[Hashable, ...]
    start: NDArray[np.int64]
    right: Codes
    table: NDArray[np.float64]
    skipped: NDArray[np.float64]

    def __post_init__(self) -> None:
        for array in (self.start, self.right, self.table, self.skipped):
            array.flags.writeable = False

    __setstate__ = restore

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
        left = np.repeat(np.arange(self.n_items, dtype=np.int32), np.diff(self.start))
        left.flags.writeable = False
        return left

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
        counting.add_pairs_to_items(self.start, self.right, self.table, totals)
        totals[:, Outcome.SKIP] = self.skipped
        return totals

    def folded(self) -> PairCounts:
        """The same counts with sides forgotten: the lower code of every pair on the left."""
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
        """Both counts in one; labels are matched, new ones come after the old."""
        if not isinstance(other, PairCounts):
            return NotImplemented
        items, codes = merge_labels(self.items, other.items)
        skipped = np.zeros(len(items))
        skipped[: self.n_items] = self.skipped
        skipped[codes] += other.skipped
        start = np.pad(self.start, (0, len(items) - self.n_items), mode="edge")
        return _merged(items, (start, self.right, self.table), other._renumbered(codes, len(items)), skipped)

    def _renumbered(self, codes: Codes, n_items: int) -> Rows:
        """The rows of pairs under other codes, among so many items."""
        left, right = codes[self.left], codes[self.right]
        # One key for each pair sorts several times as fast as two.
        in_order = not (np.diff(codes) < 0).any()
        order = slice(None) if in_order else np.argsort(left.astype(np.int64) * n_items + right)
        return np.searchsorted(left[order], np.arange(n_items + 1)), right[order], self.table[order]

    def _among(self, codes: Codes, items: tuple[Hashable, ...]) -> PairCounts:
        """The same counts over other items, among which these have the codes."""
        start, right, table = self._renumbered(codes, len(items))
        skipped = np.zeros(len(items))
        skipped[codes] = self.skipped
        return PairCounts(items=items, start=start.astype(np.int64), right=right, table=table, skipped=skipped)

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


@dataclass(frozen=True, eq=False)
class ItemTotals:
    """What is left of votes that were scored as they came: the weight that each item lost, tied, won and skipped."""

    items: tuple[Hashable, ...]
    totals: NDArray[np.float64]
    components: NDArray[np.int32] | None = None


class Elsewhere(Protocol):
    """Counts whose pairs lie elsewhere, such as on a cluster."""

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item, numbered by their first item: int32, shape (n_items,)."""


def count_votes(votes: Votes, *, folded: bool = False) -> PairCounts:
    """Add votes up by pair; `folded` forgets the sides, which costs less than folding afterwards.

    Where the pairs that there could be are few, in a cell for each. Else the votes are sorted by first item; those of
    one item are then added up in a row over all others, or sorted by second item too where that row would be long for
    so few votes. O(votes + items) either way.
    """
    n_items, n_votes = votes.n_items, len(votes)
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    if n_items * n_items <= min(CELLS * n_votes, max(FEW_CELLS, n_votes // VOTES_A_CELL), MOST_CELLS):
        cells = Cells(n_items, folded=folded)
        cells.count(votes.left, votes.right, votes.outcome, weight)
        start, right, table, skipped = cells.gather(n_votes)
        return PairCounts(items=votes.items, start=start, right=right, table=table, skipped=skipped)
    if votes.weight is not None and not weight.all():
        votes = votes.where(weight > 0)
        weight = weight[weight > 0]
    start = np.zeros(n_items + 1, np.int64)
    crowded = n_items * n_items <= CROWDED * len(votes)
    with Parts.equal(len(votes)) as parts:
        stops, keys, weights = _by_item(votes, weight, folded + 2 * (not crowded), parts)
    if crowded:
        # Memory that is not written to costs nothing, so there is room for every pair that there could be.
        most = min(len(votes), n_items * (n_items - 1) // (2 if folded else 1))
        right, table = np.empty(most, np.int32), np.empty((most, 3))
        n_pairs = counting.gather_rows(stops, keys, weights, folded, np.zeros((n_items, 3)), start, right, table)
        right, table = right[:n_pairs], table[:n_pairs]
    else:
        stops, keys, weights = _then_by_first(stops, keys, weights)
        right, table = _gather_runs(stops, keys, weights, start)
    answered = stops[-1] if n_items else 0
    skipped = np.zeros(n_items) if answered == len(votes) else _skipped(votes)
    return PairCounts(items=votes.items, start=start, right=right, table=table, skipped=skipped)


def no_votes(items: tuple[Hashable, ...]) -> PairCounts:
    """Counts over these items of no votes."""
    start, skipped = np.zeros(len(items) + 1, np.int64), np.zeros(len(items))
    return PairCounts(items=items, start=start, right=np.empty(0, np.int32), table=np.empty((0, 3)), skipped=skipped)


def _by_item(votes: Votes, weight: NDArray[np.float64], mode: int, parts: Parts) -> Bucketed:
    columns = (votes.left, votes.right, votes.outcome)
    counts = np.zeros((len(parts), votes.n_items), np.int64)
    keys, weights = np.empty(len(votes), np.int32), np.empty(len(weight))

    def count(number: int, first: int, last: int) -> None:
        counting.count_sides(*(column[first:last] for column in columns), mode, counts[number])

    def place(number: int, first: int, last: int) -> None:
        rows = (column[first:last] for column in (*columns, weight))
        counting.place_votes(*rows, mode, places[number], keys, weights)

    parts.run(count)
    places = _places(counts)
    parts.run(place)
    return places[-1], keys, weights


def _then_by_first(stops: NDArray[np.int64], keys: Codes, weights: NDArray[np.float64]) -> Bucketed:
    """Votes that stand by second item, brought together by first: then they are sorted by both."""
    begin = np.concatenate([[0], stops])
    placed, placed_weights = np.empty_like(keys), np.empty_like(weights)
    with Parts.of_rows(begin) as parts:
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
    stops: NDArray[np.int64], keys: Codes, weights: NDArray[np.float64], start: NDArray[np.int64]
) -> tuple[Codes, NDArray[np.float64]]:
    """The second items and counts of sorted votes, and in `start` where each first item's begin."""
    with Parts.of_rows(np.concatenate([[0], stops])) as parts:
        parts.run(lambda _, first, last: counting.count_runs(stops[:last], keys, first, start[1:]))
        np.cumsum(start, out=start)
        right, table = np.empty(start[-1], np.int32), np.zeros((start[-1], 3))
        parts.run(lambda _, first, last: counting.gather_runs(stops[:last], keys, weights, first, start, right, table))
    return right, table


def _skipped(votes: Votes) -> NDArray[np.float64]:
    skips = votes.where(votes.outcome == Outcome.SKIP)
    weight = np.ones(len(skips)) if skips.weight is None else skips.weight
    both = np.concatenate([skips.left, skips.right])
    return np.asarray(np.bincount(both, np.tile(weight, 2), votes.n_items), np.float64)


def is_folded(counts: PairCounts) -> bool:
    """Whether every pair has its lower code on the left."""
    return bool((counts.left < counts.right).all())


def as_counts(votes: Votes | PairCounts, *, criterion: Hashable | None = None, folded: bool = False) -> PairCounts:
    """What a scorer was given, as PairCounts; InputError for anything else."""
    if isinstance(votes, Votes):
        return count_votes(votes.select(criterion), folded=folded)
    if not isinstance(votes, PairCounts):
        raise InputError(f"votes is a {type(votes).__name__}; pass Votes or PairCounts, see Votes.from_labels")
    if criterion is not None:
        raise InputError(f"criterion is {criterion!r}, which PairCounts do not keep; choose it when counting the votes")
    return votes.folded() if folded else votes


def as_counts_or_votes(votes: Votes | PairCounts, criterion: Hashable | None = None) -> Votes | PairCounts:
    """What a scorer was given, with its criterion chosen; InputError for anything but Votes and PairCounts."""
    return votes.select(criterion) if isinstance(votes, Votes) else as_counts(votes, criterion=criterion)


def totals_of(votes: Votes | PairCounts | ItemTotals | Elsewhere) -> NDArray[np.float64]:
    """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""
    if isinstance(votes, ItemTotals):
        return votes.totals
    if not isinstance(votes, Votes):
        return votes.item_totals()
    totals = np.zeros((votes.n_items, 4))
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    counting.add_to_items(votes.left, votes.right, votes.outcome, weight, totals)
    return totals


def components_of(votes: Votes | PairCounts | ItemTotals | Elsewhere) -> NDArray[np.int32]:
    """The connected component of each item, numbered by their first item: int32, shape (n_items,).

    Two items are connected where votes other than skips lead from one to the other.
    """
    if isinstance(votes, ItemTotals):
        if votes.components is not None:
            return votes.components
        raise InputError(
            "running Elo ratings do not keep who met whom; rank the votes themselves to see the components"
        )
    if not isinstance(votes, (Votes, PairCounts)):
        return votes.components()
    return joined_components(np.empty(0, np.int32), votes)


def joined_components(component: NDArray[np.int32], votes: Votes | PairCounts) -> NDArray[np.int32]:
    """The components after these votes, of items that were in these before; items beyond them are new."""
    left, right = votes.left, votes.right
    if isinstance(votes, Votes):
        linked = votes.outcome != Outcome.SKIP
        if votes.weight is not None:
            linked &= votes.weight > 0
        left, right = left[linked], right[linked]
    if len(component):
        # Each item is linked with one of its component.
        before = np.arange(len(component), dtype=np.int32)
        one_of = np.empty_like(before)
        one_of[component] = before
        left, right = np.concatenate([before, left]), np.concatenate([one_of[component], right])
    joined = np.empty(votes.n_items, np.int32)
    counting.join_components(left, right, joined)
    return joined


def _merged(items: tuple[Hashable, ...], one: Rows, other: Rows, skipped: NDArray[np.float64]) -> PairCounts:
    """Two sets of rows added up; the other's start is used up."""
    start = other[0].astype(np.int64)
    most = len(one[1]) + len(other[1])
    right, table = np.empty(most, np.int32), np.empty((most, 3))
    counting.merge_rows(*one, start, *other[1:], right, table)
    return PairCounts(items=items, start=start, right=right[: start[-1]], table=table[: start[-1]], skipped=skipped)
