"""The order nearest to the votes by Kemeny's distance: exact for few items, and with a proven bound for many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import ConvergenceError
from pairvote.scoring._linear_ordering import LinearProgram, Prices, cheapest_order

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
# What two numbers that should be equal may differ by, as a part of the largest margin.
ROUNDING = 1e-9


@dataclass(frozen=True)
class KemenyLimits:
    """Which way of looking for the nearest order is taken for how many items that beat each other in a cycle.

    Attributes
    ----------
    subsets : int
        Up to so many, all sets of items that may come first are gone through: 2^n n^2 steps.
    cuts : int
        Up to so many, a linear program with cuts is solved, a second's work.
    rounds : int
        So often cuts are added.
    prices : int
        So many solutions of the linear program are mixed where it leaves a gap.
    work : float
        Where it leaves a gap, sets of items that may come first are gone through: of one size so many divided by n^4,
        with n^4 steps for each of these.
    sweeps : int
        So often each item is moved to its best place, where that gains.
    reversed_pairs : int
        So many pairs that the order goes against are looked at for the bound, those with the largest margins first.
    """

    subsets: int = 12
    cuts: int = 40
    rounds: int = 60
    prices: int = 8
    work: float = 1.4e10
    sweeps: int = 50
    reversed_pairs: int = 20_000


LIMITS = KemenyLimits()


@dataclass(frozen=True, eq=False)
class Nearest:
    """An order near to the votes.

    order : codes, best first
    against : the margins that the order goes against, added up
    at_least : no order goes against less; the same where no order is nearer
    """

    order: Ints
    against: float
    at_least: float

    @property
    def is_exact(self) -> bool:
        """Whether no order is nearer, but for rounding."""
        return self.at_least == self.against


def nearest_order(lead: Floats, components: Sequence[Ints], limits: KemenyLimits = LIMITS) -> Nearest:
    """The order that goes against as little as can be.

    An order costs, for every item i that it puts below j although i is ahead, the votes by which i is. No item is
    beaten by one of a later component, so an order that puts the components one after the other goes against margins
    within them only, and each may be ordered by itself.

    Parameters
    ----------
    lead : float64 array, shape (n_items, n_items)
        Antisymmetric: by how many votes the row's item is ahead of the column's.
    components : sequence of arrays of codes
        All items, by strongly connected components of who beats whom, the winning ones first.

    References
    ----------
    Conitzer, Davenport and Kalagnanam (2006), "Improved bounds for computing Kemeny rankings", AAAI.
    """
    parts, against, at_least = [np.empty(0, np.intp)], 0.0, 0.0
    for codes in components:
        if len(codes) == 1:
            parts.append(codes)
            continue
        inside = lead[np.ix_(codes, codes)]
        # Good items first: those that beat many, and of these those ahead by much.
        begin = np.lexsort((-inside.sum(axis=1), -np.sign(inside).sum(axis=1)))
        found = _within(inside[np.ix_(begin, begin)], limits)
        parts.append(codes[begin[found.order]])
        against += found.against
        at_least += found.at_least
    return Nearest(np.concatenate(parts), against, at_least)


def _within(lead: Floats, limits: KemenyLimits) -> Nearest:
    """The nearest order of the items of a component, which stand from good to bad."""
    n_items = len(lead)
    if n_items <= limits.subsets:
        order, _ = cheapest_order(Prices.plain(lead), math.inf, 2**n_items)
        if order is None:
            raise ConvergenceError(f"the sums of margins of {n_items} items are not finite")
        return Nearest(order, cost(lead, order), cost(lead, order))
    order = improved(lead, np.arange(n_items), limits.sweeps)
    against = cost(lead, order)
    found = Nearest(order, against, min(packed_cycles(lead, order, limits.reversed_pairs), against))
    return _settled(lead, _by_cuts(lead, found, limits) if n_items <= limits.cuts else found)


def _by_cuts(lead: Floats, known: Nearest, limits: KemenyLimits) -> Nearest:
    """The nearest order by a linear program with cuts; where this leaves a gap, by all sets that lie within it."""
    order, against, at_least = known.order, known.against, known.at_least
    step = _least_step(lead)
    program = LinearProgram(lead)
    for _ in range(limits.rounds):
        if against - at_least < step:
            break
        before, prices = program.solve()
        if before is None or prices is None:
            break
        candidate = improved(lead, np.argsort(-before.sum(axis=1), kind="stable"), limits.sweeps)
        if cost(lead, candidate) < against:
            order, against = candidate, cost(lead, candidate)
        at_least = max(at_least, prices.at_least)
        if against - at_least >= step and not program.cut(before):
            prices = program.mixed_prices(limits.prices) or prices
            return _within_gap(lead, Nearest(order, against, at_least), prices, limits)
    return Nearest(order, against, at_least)


def _within_gap(lead: Floats, known: Nearest, prices: Prices, limits: KemenyLimits) -> Nearest:
    """The nearest order by all sets of items that an order of less cost may begin with, as far as they are not many."""
    order, against = known.order, known.against
    step, slack = _least_step(lead), ROUNDING * float(np.abs(lead).max())
    most_sets = max(int(limits.work / len(lead) ** 4), 1)
    while True:
        # An order that costs less costs less by a step.
        nearer, all_seen = cheapest_order(prices, against - step - prices.at_least + slack, most_sets)
        if nearer is not None and cost(lead, nearer) < against:
            order, against = nearer, cost(lead, nearer)
        elif not all_seen:
            return Nearest(order, against, known.at_least)
        if all_seen:
            return Nearest(order, against, against)


def _settled(lead: Floats, found: Nearest) -> Nearest:
    """The order with its bound rounded up to what an order can cost."""
    step = _least_step(lead)
    if found.against - found.at_least < step:
        return Nearest(found.order, found.against, found.against)
    at_least = math.ceil(found.at_least - (1.0 - step)) if _is_whole(lead) else found.at_least
    return Nearest(found.order, found.against, min(at_least, found.against))


def _least_step(lead: Floats) -> float:
    """What two different costs differ by at the least, but for rounding: 1 where margins are whole."""
    rounding = ROUNDING * float(np.abs(lead).max())
    return 1.0 - rounding if _is_whole(lead) else 2.0 * rounding


def _is_whole(lead: Floats) -> bool:
    return bool((lead == np.rint(lead)).all()) and float(np.abs(lead).max()) < 0.1 / ROUNDING


def cost(lead: Floats, order: Ints) -> float:
    """The margins that an order goes against, added up."""
    ordered = lead[np.ix_(order, order)]
    return float(np.maximum(np.tril(ordered), 0.0).sum())


def improved(lead: Floats, order: Ints, most_sweeps: int) -> Ints:
    """The order in which no single item gains by moving elsewhere, or what it is after so many sweeps."""
    n_items = len(order)
    order, place = order.copy(), np.empty(n_items, np.intp)
    place[order] = np.arange(n_items)
    least_gain = ROUNDING * float(np.abs(lead).max(initial=0.0))
    # What an item costs before the k-th, less what it costs as the first; the item itself adds nothing.
    costs = np.zeros(n_items + 1)
    for _ in range(most_sweeps):
        has_moved = False
        for item in order.tolist():
            np.cumsum(lead[item].take(order), out=costs[1:])
            here, best = int(place[item]), int(costs.argmin())
            if costs[best] >= costs[here] - least_gain:
                continue
            if best < here:
                order[best + 1 : here + 1] = order[best:here]
                order[best] = item
            else:
                order[here : best - 1] = order[here + 1 : best]
                order[best - 1] = item
            first, last = min(best, here), max(best, here + 1)
            place[order[first:last]] = np.arange(first, last)
            has_moved = True
        if not has_moved:
            break
    return order


def packed_cycles(lead: Floats, order: Ints, most_pairs: int) -> float:
    """A cost that no order is below: cycles of three that share no vote, each of which costs its smallest margin.

    For each pair that the order goes against, cycles through it are taken as long as there is anything left of it.
    They are a solution of the dual of the linear program, so their sum is a bound (Conitzer, Davenport and
    Kalagnanam 2006).
    """
    left = np.maximum(lead[np.ix_(order, order)], 0.0)
    # Row by column: the item at `low` is ahead of that at `high`, and stands below it.
    low, high = np.nonzero(np.tril(left))
    first = np.argsort(-left[low, high], kind="stable")[:most_pairs]
    total = 0.0
    for one, other in zip(low[first].tolist(), high[first].tolist(), strict=True):
        while left[one, other] > 0.0:
            through = np.minimum(left[other], left[:, one])
            third = int(through.argmax())
            amount = min(float(through[third]), float(left[one, other]))
            if amount <= 0.0:
                break
            total += amount
            left[one, other] -= amount
            left[other, third] -= amount
            left[third, one] -= amount
    return total
