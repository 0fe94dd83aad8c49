"""What was shown so far: how often each item and pair, on which side, and which pairs to each voter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import exposure

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
# Rows of `items`; the kernel says what each holds.
SHOWN, LEAD, BY_LEVEL, LEVEL_PLACE, ACTIVE, PLACE, POINTS, ANSWERS = range(8)
N_ROWS = 12
FEWEST_SLOTS = 64


class Board:
    """The counts that every strategy shares, as the kernels take them.

    `levelled` keeps the items in the order of how often they were shown, without which most rules do.
    """

    def __init__(self, n_items: int, *, levelled: bool) -> None:
        self.items: Ints = np.zeros((N_ROWS, n_items), np.int32)
        codes = np.arange(n_items, dtype=np.int32)
        self.items[[BY_LEVEL, LEVEL_PLACE, ACTIVE, PLACE]] = codes
        # The first level begins at place 0, all higher ones past the last item.
        self.levels: Longs = np.array([n_items, 0] + [n_items] * 6 if levelled else [n_items])
        self.pairs: Longs = empty_table(FEWEST_SLOTS)
        self.n_pairs = 0
        self.seen: dict[Hashable, Longs] = {}

    @property
    def n_active(self) -> int:
        """How many items may be asked about."""
        return int(self.levels[0])

    @property
    def active(self) -> Ints:
        """Their codes, ascending."""
        return self.items[ACTIVE, : self.levels[0]]

    def seen_by(self, voter: Hashable) -> Longs:
        """The row of a voter's pairs, as the kernels take it; that of nobody for one who was shown nothing."""
        return self.seen.get(voter, NOBODY)

    def times_shown_to(self, voter: Hashable, i: int, j: int) -> int:
        """How often a voter was shown two items together."""
        row = self.seen_by(voter)[0]
        return int(np.count_nonzero(row[1 : 1 + row[0]] == (max(i, j) << 24) + min(i, j)))

    def least_shown_to(self, voter: Hashable) -> list[tuple[int, int]]:
        """All pairs (i, j), i > j, of active items that a voter was shown least often."""
        row = self.seen_by(voter)[0]
        shown = Counter(row[1 : 1 + row[0]].tolist())
        active = self.active.tolist()
        pairs = [(i, j) for place, i in enumerate(active) for j in active[:place]]
        times = [shown[(i << 24) + j] for i, j in pairs]
        least = min(times, default=0)
        return [pair for pair, n in zip(pairs, times, strict=True) if n == least]

    def show(self, voter: Hashable, left: int, right: int) -> None:
        """Count a question as asked."""
        seen = self.seen.get(voter)
        if seen is None or seen[0, 0] + 1 == seen.shape[1]:
            larger = np.zeros((1, 8 if seen is None else 2 * seen.shape[1]), np.int64)
            if seen is not None:
                larger[:, : seen.shape[1]] = seen
            self.seen[voter] = seen = larger
        if 2 * self.n_pairs >= self.pairs.shape[1]:
            larger = empty_table(2 * self.pairs.shape[1])
            exposure.rehash(self.pairs, larger)
            self.pairs = larger
        if len(self.levels) > 1 and max(self.items[SHOWN, left], self.items[SHOWN, right]) + 4 > len(self.levels):
            self.levels = np.concatenate([self.levels, np.full(len(self.levels), self.levels[0])])
        self.n_pairs += exposure.show(self.items, self.levels, self.pairs, seen, 0, left, right, 1)

    def take_back(self, voter: Hashable, left: int, right: int) -> None:
        """Count a question that was asked as never asked."""
        exposure.show(self.items, self.levels, self.pairs, self.seen[voter], 0, left, right, -1)

    def count_answer(self, left: int, right: int, outcome: int, times: int = 1) -> None:
        """Count an answer, 0 right, 1 tie or 2 left, to its items."""
        self.items[POINTS, left] += times * outcome
        self.items[POINTS, right] += times * (2 - outcome)
        self.items[ANSWERS, left] += times
        self.items[ANSWERS, right] += times

    def add_item(self) -> int:
        """Let a new item be asked about; its code."""
        code = self.items.shape[1]
        self.items = np.concatenate([self.items, np.zeros((N_ROWS, 1), np.int32)], axis=1)
        self._arrange(np.append(self.active, code))
        return code

    def retire(self, item: int) -> None:
        """Let an item be asked about no more."""
        self._arrange(self.active[self.active != item])

    def restore(self, item: int) -> None:
        """Let a retired item be asked about again."""
        self._arrange(np.sort(np.append(self.active, np.int32(item))))

    def is_active(self, item: int) -> bool:
        """Whether an item may be asked about."""
        return bool(self.items[PLACE, item] < self.levels[0])

    def _arrange(self, active: Ints) -> None:
        """Put these items, ascending, in their orders again."""
        n_active, n_items = len(active), self.items.shape[1]
        self.items[[LEVEL_PLACE, PLACE]] = n_items
        self.items[ACTIVE, :n_active] = active
        self.items[PLACE, active] = np.arange(n_active)
        self.levels[0] = n_active
        if len(self.levels) > 1:
            # Within a level the order says nothing, and the rules draw from it at random.
            order = active[np.argsort(self.items[SHOWN, active], kind="stable")]
            self.items[BY_LEVEL, :n_active] = order
            self.items[LEVEL_PLACE, order] = np.arange(n_active)
            self.levels[1:] = np.searchsorted(self.items[SHOWN, order], np.arange(len(self.levels) - 1))


def read_only(array: Ints) -> Ints:
    """A view that nobody can write through."""
    view = array.view()
    view.flags.writeable = False
    return view


def empty_table(n_slots: int) -> Longs:
    """A table of pairs and their counts without any."""
    table = np.zeros((2, n_slots), np.int64)
    table[0] = -1
    return table


NOBODY: Longs = np.zeros((1, 1), np.int64)
