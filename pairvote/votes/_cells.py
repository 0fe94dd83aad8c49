"""Votes added up in a cell for every pair and outcome that there could be: the quickest way where items are few."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.threads import LEAST_SHARED, Parts
from pairvote._kernels import cells as kernel

# Where each item's pairs begin, their second items, their counts, and what each item skipped.
Gathered = tuple[NDArray[np.int64], Codes, NDArray[np.float64], NDArray[np.float64]]
OUTCOMES = np.arange(4, dtype=np.int32)
NO_WEIGHTS = np.empty(0)


class Cells:
    """Cells for every ordered pair of items, or `folded` for every pair, with the lower code first."""

    def __init__(self, n_items: int, *, folded: bool = False) -> None:
        code = np.arange(n_items, dtype=np.int32)
        self.n_items = n_items
        self.folded = folded
        # A row for each first item, of all others or of those that come after it.
        self._first = 4 * (code * (2 * n_items - code - 1) // 2 - code - 1 if folded else code * n_items)
        self._second = 4 * code
        self.table = np.zeros(2 * n_items * (n_items - 1) if folded else 4 * n_items**2)

    def count(
        self,
        left: Codes,
        right: Codes,
        outcome: NDArray[np.uint8],
        weight: NDArray[np.float64],
        *,
        least: int = LEAST_SHARED,
    ) -> None:
        """Add votes by the codes of their items; threads share them where they outnumber the cells that each needs."""
        with Parts.equal(len(left), max(least, len(self.table))) as parts:

            def add(first: int, last: int, table: NDArray[np.float64]) -> None:
                rows = (column[first:last] for column in (left, right, outcome, weight))
                if self.folded:
                    kernel.tabulate_folded(*rows, self._first, self._second, table)
                else:
                    kernel.tabulate(*rows, self._first, self._second, OUTCOMES, table)

            parts.add_up(add, self.table)

    def count_coded(self, columns: tuple[Codes, Codes, NDArray[np.uint8]], numbers: tuple[Codes, Codes, Codes]) -> None:
        """Add votes without weights, by codes whose items and outcomes are `numbers`."""
        left, right, outcome = numbers
        places = (self._first[left], self._second[right], outcome)
        kernel.tabulate(*columns, NO_WEIGHTS, *places, self.table)

    def meets_itself(self) -> bool:
        """Whether some vote had an item against itself."""
        return bool(self.table.reshape(-1, 4)[:: self.n_items + 1].any())

    def resized(self, n_items: int) -> Cells:
        """Cells with room for so many items: more, or fewer where the last ones have no votes."""
        other, both = Cells(n_items), slice(min(n_items, self.n_items))
        shapes = ((n_items, n_items, 4), (self.n_items, self.n_items, 4))
        other.table.reshape(shapes[0])[both, both] = self.table.reshape(shapes[1])[both, both]
        return other

    def gather(self, most_pairs: int) -> Gathered:
        """The pairs that met, of which there are at most so many."""
        most = min(most_pairs, len(self.table) // 4)
        start, skipped = np.empty(self.n_items + 1, np.int64), np.zeros(self.n_items)
        right, pairs = np.empty(most, np.int32), np.empty((most, 3))
        n_pairs = kernel.gather_cells(self.table, self.folded, start, right, pairs, skipped)
        return start, right[:n_pairs], pairs[:n_pairs], skipped
