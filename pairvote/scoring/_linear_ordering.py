"""The linear ordering problem by a linear program with cuts, and a dynamic program over what its prices leave open.

A variable x_ij for each two items i < j is 1 if i stands before j. An order is any 0-1 solution without cycles of
three, x_ij + x_jk + x_ki <= 2 with x_ji = 1 - x_ij (Groetschel, Juenger and Reinelt 1984, "A cutting plane algorithm
for the linear ordering problem", Operations Research 32(6)).

With prices y >= 0 of the cycles and reduced costs r >= 0, an order costs the bound plus what it adds in r and y. What
standing next adds depends only on the set of items that stand before, so that a dynamic program over these sets finds
the least (Held and Karp 1962, J. SIAM 10), and only sets are gone through that add less than the gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
# How far a cycle must be above 2 to be cut off.
VIOLATED = 1e-6
# How far limits are moved to find other prices that are as good.
MOVED = 1e-3


@dataclass(frozen=True, eq=False)
class Prices:
    """What an order costs above a bound.

    at_least : no order costs less
    before : (n_items, n_items), what it adds that the row's item stands before the column's, 0 or more
    between : (n_items, n_items, n_items) or None: what it adds that j stands between i and k, in row j, i, k
    """

    at_least: float
    before: Floats
    between: Floats | None = None

    @classmethod
    def plain(cls, lead: Floats) -> Prices:
        """The margins themselves, above nothing."""
        return cls(0.0, np.maximum(lead.T, 0.0))


def cheapest_order(prices: Prices, most: float, most_sets: int) -> tuple[Ints | None, bool]:
    """The order that adds least to the bound, if that is at most `most`; and whether all such orders were looked at.

    A set of up to 62 items is the bits of an integer. Of more than `most_sets` sets of one size only those are gone on
    with that have added least, and not all orders are looked at.
    """
    n_items = len(prices.before)
    sets, added = np.zeros(1, np.int64), np.zeros(1)
    layers: list[tuple[NDArray[np.int64], Ints]] = []
    all_seen = True
    for _ in range(n_items):
        inside = ((sets[:, None] >> np.arange(n_items)) & 1).astype(np.float64)
        step = inside @ prices.before
        if prices.between is not None:
            outside = 1.0 - inside
            for item in range(n_items):
                step[:, item] += np.einsum("si,si->s", inside @ prices.between[item], outside)
        total = added[:, None] + step
        row, added_item = np.nonzero((inside == 0.0) & (total <= most))
        if not len(row):
            return None, all_seen
        grown, total = sets[row] | np.left_shift(1, added_item, dtype=np.int64), total[row, added_item]
        # Of several ways to a set the cheapest, and of equal ones that with the latest item last.
        best = np.lexsort((-added_item, total, grown))
        best = best[np.concatenate([[True], np.diff(grown[best]) != 0])]
        sets, added = grown[best], total[best]
        last = added_item[best]
        if len(sets) > most_sets:
            kept = np.sort(np.argsort(added, kind="stable")[:most_sets])
            sets, added, last, all_seen = sets[kept], added[kept], last[kept], False
        layers.append((sets, last))
    order, rest = [], int(sets[0])
    for known, last in reversed(layers):
        item = int(last[np.searchsorted(known, rest)])
        order.append(item)
        rest ^= 1 << item
    return np.array(order[::-1], np.intp), all_seen


class LinearProgram:
    """The linear program of one table of margins, with the cycles that have been cut off so far."""

    def __init__(self, lead: Floats) -> None:
        self._n_items = len(lead)
        self._pairs = np.triu_indices(self._n_items, 1)
        self._number = np.zeros((self._n_items, self._n_items), np.intp)
        self._number[self._pairs] = np.arange(len(self._pairs[0]))
        # Divided by a power of two, which changes no digit, so that the solver sees numbers of usual size.
        self._unit = 2.0 ** math.floor(math.log2(float(np.abs(lead).max())))
        margins = lead[self._pairs] / self._unit
        # x = 1 costs what j is ahead by, x = 0 what i is.
        self._costs, self._constant = -margins, float(np.maximum(margins, 0.0).sum())
        # A cycle i, j, k stands with its lowest item first.
        self._cycles = np.empty((0, 3), np.intp)

    def solve(self) -> tuple[Floats | None, Prices | None]:
        """Who stands before whom, (n_items, n_items), in parts of 1; and the prices. None where the solver fails."""
        from scipy.optimize import linprog

        rows, limits = self._constraints()
        found = linprog(self._costs, A_ub=rows, b_ub=limits, bounds=(0.0, 1.0), method="highs")
        if found.x is None:
            return None, None
        before = np.zeros((self._n_items, self._n_items))
        before[self._pairs] = found.x
        before.T[self._pairs] = 1.0 - found.x
        return before, self._prices(rows, limits, np.maximum(-found.ineqlin.marginals, 0.0))

    def mixed_prices(self, n_solutions: int) -> Prices | None:
        """The mean of several best prices, of which there are many: more of what an order may do adds something.

        Which prices are best is settled by limits that are moved by next to nothing. The bound is as good as that of
        one, but for that.
        """
        from scipy.optimize import linprog

        rows, limits = self._constraints()
        rng, n_pairs = np.random.default_rng(0), len(self._costs)
        cycles = []
        for _ in range(n_solutions):
            low, high = -MOVED * rng.random(n_pairs), 1.0 + MOVED * rng.random(n_pairs)
            moved = limits + MOVED * rng.random(len(limits))
            bounds = np.stack([low, high], axis=1)
            found = linprog(self._costs, A_ub=rows, b_ub=moved, bounds=bounds, method="highs")
            if found.x is not None:
                cycles.append(np.maximum(-found.ineqlin.marginals, 0.0))
        return self._prices(rows, limits, np.mean(cycles, axis=0)) if cycles else None

    def _prices(self, rows: Any, limits: Floats, cycles: Floats) -> Prices:
        """Any prices of cycles that are not negative give a bound, whatever the solver's tolerance."""
        reduced = self._costs + rows.T @ cycles
        at_least = self._constant - float(cycles @ limits) + float(np.minimum(reduced, 0.0).sum())
        reduced, cycles, at_least = reduced * self._unit, cycles * self._unit, at_least * self._unit
        before = np.zeros((self._n_items, self._n_items))
        before[self._pairs] = np.maximum(reduced, 0.0)
        before.T[self._pairs] = np.maximum(-reduced, 0.0)
        between = np.zeros((self._n_items,) * 3)
        # An order that goes through i, j and k the other way round is 1 below the limit of the cycle.
        for one, other, third in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            i, j, k = self._cycles[:, one], self._cycles[:, other], self._cycles[:, third]
            np.add.at(between, (j, k, i), cycles)
        return Prices(at_least, before, between)

    def cut(self, before: Floats) -> bool:
        """Cut off cycles of a solution; whether there were any."""
        around = before[:, :, None] + before + before.T[:, None, :]
        around[self._not_first] = 0.0
        i, j, k = np.nonzero(around > 2.0 + VIOLATED)
        worst = np.argsort(-around[i, j, k], kind="stable")[: 10 * self._n_items]
        self._cycles = np.concatenate([self._cycles, np.stack([i, j, k], axis=1)[worst]])
        return len(worst) > 0

    @property
    def _not_first(self) -> NDArray[np.bool_]:
        """Whether the first of three items is not the lowest, or two are the same."""
        i, j, k = np.ogrid[: self._n_items, : self._n_items, : self._n_items]
        return np.asarray((i >= j) | (i >= k) | (j == k))

    def _constraints(self) -> tuple[Any, Floats]:
        """A row for each cycle: x_ij + x_jk + x_ki <= 2, with 1 - x_ij for x_ji."""
        from scipy.sparse import csr_array

        n_cycles = len(self._cycles)
        first, second = self._cycles, np.roll(self._cycles, -1, axis=1)
        turned = first > second
        columns = self._number[np.minimum(first, second), np.maximum(first, second)]
        values = np.where(turned, -1.0, 1.0)
        rows = csr_array(
            (values.ravel(), columns.ravel(), 3 * np.arange(n_cycles + 1)), shape=(n_cycles, len(self._costs))
        )
        return rows, 2.0 - turned.sum(axis=1)
