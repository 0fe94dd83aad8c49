"""What was shown so far: how often each item and pair, on which side, and which pairs to each voter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._kernels import exposure
from pairvote.sampling._checks import ONE, check_that, own_array

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
# Rows of `items`; the kernel says what each holds.
SHOWN, LEAD, BY_LEVEL, LEVEL_PLACE, ACTIVE, PLACE, POINTS, ANSWERS = range(8)
REST = 12
N_ROWS = 13
# Those that do not follow from others.
SAVED_ROWS = [SHOWN, LEAD, POINTS, REST, ANSWERS]
FEWEST_LEVELS = 8
# Room for a voter's pairs: twenty, their number and one beyond.
FEWEST_SEEN = 22
FEWEST_SLOTS = 64


class Board:
    """The counts that every strategy shares, as the kernels take them.

    `levelled` keeps the items in the order of how often they were shown, without which most rules do. `seen_of`, where
    there is one, gives the pairs that a voter was shown so far, as integers in any order with repeats; it is asked when
    a voter is first looked at.
    """

    def __init__(self, n_items: int, *, levelled: bool) -> None:
        self.items: Ints = np.zeros((N_ROWS, n_items), np.int32)
        codes = np.arange(n_items, dtype=np.int32)
        self.items[[BY_LEVEL, LEVEL_PLACE, ACTIVE, PLACE]] = codes
        # The first level begins at place 0, all higher ones past the last item.
        self.levelled = levelled
        self.levels: Longs = np.array([n_items, 0] + [n_items] * (FEWEST_LEVELS - 2) if levelled else [n_items])
        self.pairs: Longs = empty_table(FEWEST_SLOTS)
        self.n_pairs = 0
        self.seen: dict[Hashable, Longs] = {}
        self.seen_of: Callable[[Hashable], ArrayLike] | None = None

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
        seen = self.seen.get(voter)
        if seen is None:
            return NOBODY if self.seen_of is None else self._recalled(voter, self.seen_of(voter))
        return seen

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
        seen, items = self.seen_by(voter), self.items
        if seen.item(0) + 1 == seen.shape[1]:
            larger = np.zeros((1, max(FEWEST_SEEN, 2 * seen.shape[1])), np.int64)
            larger[:, : seen.shape[1]] = seen
            self.seen[voter] = seen = larger
        if 2 * self.n_pairs >= self.pairs.shape[1]:
            larger = empty_table(2 * self.pairs.shape[1])
            exposure.rehash(self.pairs, larger)
            self.pairs = larger
        if self.levelled and max(items.item(SHOWN, left), items.item(SHOWN, right)) + 4 > len(self.levels):
            self.levels = np.concatenate([self.levels, np.full(len(self.levels), self.levels[0])])
        self.n_pairs += exposure.show(items, self.levels, self.pairs, seen, 0, left, right, 1)

    def take_back(self, voter: Hashable, left: int, right: int) -> None:
        """Count a question that was asked as never asked."""
        # Of counts that were saved, and of `seen_of`, the kernel must not be told what they do not hold.
        if not (self.times_shown_to(voter, left, right) and exposure.times_shown(self.pairs, left, right) > 0):
            raise ValueError(f"items {left} and {right} were never shown to this voter")
        exposure.show(self.items, self.levels, self.pairs, self.seen[voter], 0, left, right, -1)

    def count_answer(self, left: int, right: int, outcome: float, times: int = 1) -> None:
        """Count an answer, 0 right, 1 tie, 2 left or a share of these, to its items."""
        exposure.answer(self.items, left, right, int(outcome * ONE), times)

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
        return self.items.item(PLACE, item) < self.levels.item(0)

    def saved(self) -> dict[str, NDArray[Any]]:
        """Arrays from which `restored` makes these counts again, without what each voter was shown."""
        asked = np.flatnonzero(self.pairs[1] > 0)
        pairs = self.pairs[:, asked[np.argsort(self.pairs[0, asked])]]
        by_level = self.items[BY_LEVEL, : self.n_active if self.levelled else 0].copy()
        return {"items": self.items[SAVED_ROWS], "active": self.active.copy(), "by_level": by_level, "pairs": pairs}

    @classmethod
    def restored(
        cls,
        arrays: Mapping[str, Any],
        n_items: int,
        *,
        levelled: bool,
        most_asked: int,
        seen_of: Callable[[Hashable], ArrayLike],
    ) -> Board:
        """The counts that were saved; ValueError unless all of them agree, and with no more than so many questions."""
        rows = own_array(arrays, "items", np.int32, (len(SAVED_ROWS), n_items))
        active = own_array(arrays, "active", np.int32, (None,))
        by_level = own_array(arrays, "by_level", np.int32, (len(active) if levelled else 0,))
        pairs = own_array(arrays, "pairs", np.int64, (2, None))
        check_pairs(pairs[0], n_items)
        times = pairs[1]
        check_that(times.min(initial=1) >= 1 and times.max(initial=0) <= most_asked < 2**31, "pairs are shown so often")
        check_that(times.sum() <= most_asked, "as many questions were asked")
        _check_rows(rows, pairs)
        check_that((np.diff(active) > 0).all() and active.min(initial=0) >= 0, "active items ascend from 0")
        check_that(active.max(initial=-1) < n_items, "active items are known")
        if levelled:
            check_that(np.array_equal(np.sort(by_level), active), "levels have the active items")
            check_that((np.diff(rows[0, by_level]) >= 0).all(), "levels go by how often items were shown")

        board = cls(n_items, levelled=levelled)
        board.items[SAVED_ROWS] = rows
        if levelled:
            n_levels = FEWEST_LEVELS
            while n_levels < rows[0].max(initial=0) + 4:
                n_levels *= 2
            board.levels = np.zeros(n_levels, np.int64)
        board._arrange(active, by_level)
        n_slots = FEWEST_SLOTS
        while n_slots <= 2 * pairs.shape[1]:
            n_slots *= 2
        board.pairs, board.n_pairs = empty_table(n_slots), pairs.shape[1]
        exposure.rehash(pairs, board.pairs)
        board.seen_of = seen_of
        return board

    def _recalled(self, voter: Hashable, pairs: ArrayLike) -> Longs:
        """The row of a voter who was not looked at so far; that of nobody for one who was shown nothing."""
        keys = np.sort(np.array(pairs, np.int64).reshape(-1))
        if not len(keys):
            return NOBODY
        check_pairs(np.unique(keys), self.items.shape[1])
        seen = np.zeros((1, max(FEWEST_SEEN, len(keys) + 2)), np.int64)
        seen[0, 0], seen[0, 1 : 1 + len(keys)] = len(keys), keys
        self.seen[voter] = seen
        return seen

    def _arrange(self, active: Ints, by_level: Ints | None = None) -> None:
        """Put these items, ascending, in their orders again."""
        n_active, n_items = len(active), self.items.shape[1]
        self.items[[LEVEL_PLACE, PLACE]] = n_items
        self.items[ACTIVE, :n_active] = active
        self.items[PLACE, active] = np.arange(n_active)
        self.levels[0] = n_active
        if self.levelled:
            # Within a level the order says nothing, and the rules draw from it at random.
            order = active[np.argsort(self.items[SHOWN, active], kind="stable")] if by_level is None else by_level
            self.items[BY_LEVEL, :n_active] = order
            self.items[LEVEL_PLACE, order] = np.arange(n_active)
            self.levels[1:] = np.searchsorted(self.items[SHOWN, order], np.arange(len(self.levels) - 1))


def check_pairs(keys: Longs, n_items: int) -> None:
    """ValueError unless these are pairs as the kernels take them, ascending."""
    high, low = keys >> 24, keys & 0xFFFFFF
    check_that((np.diff(keys) > 0).all() and keys.min(initial=0) >= 0, "pairs ascend")
    check_that(high.max(initial=-1) < n_items and (low < high).all(), "pairs are of known items")


def _check_rows(rows: Ints, pairs: Longs) -> None:
    """ValueError unless the counts of items are those of the pairs that were shown."""
    shown, leads, points, rest, answers = rows.astype(np.int64)
    for ends in (pairs[0] >> 24, pairs[0] & 0xFFFFFF):
        np.subtract.at(shown, ends, pairs[1])
    check_that(not shown.any(), "items were shown as often as their pairs")
    shown = rows[0].astype(np.int64)
    check_that((np.abs(leads) <= shown).all() and not leads.sum() and not ((shown - leads) % 2).any(), "sides are even")
    check_that((answers >= 0).all() and (answers <= shown).all(), "no more answers than questions")
    check_that((points >= 0).all() and (rest >= 0).all() and (rest < ONE).all(), "points are not negative")
    won = points * ONE + rest
    check_that((won <= 2 * ONE * answers).all() and won.sum() == ONE * answers.sum(), "points are those of answers")


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
