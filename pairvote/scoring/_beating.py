"""Who beats whom, by the majority of the votes on each pair, and the sets and cycles that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote.votes._counts import PairCounts

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
# A margin that is a smaller part of the votes on its pair is what rounding leaves of a tie.
ROUNDING = 1e-12


def pair_tables(counts: PairCounts) -> tuple[Floats, Floats]:
    """The votes that each item won against each other one, a tie as half, and by how many votes it is ahead.

    Both of shape (n_items, n_items). The margin is nan where there is no vote, and 0 where the two are level.
    """
    won = np.zeros((counts.n_items, counts.n_items))
    margins = np.full_like(won, np.nan)
    n_votes = counts.table.sum(axis=1)
    voted = n_votes > 0.0
    left, right, table = counts.left[voted], counts.right[voted], counts.table[voted]
    half_ties = 0.5 * table[:, Outcome.TIE]
    won[left, right] = table[:, Outcome.LEFT] + half_ties
    won[right, left] = table[:, Outcome.RIGHT] + half_ties
    ahead = table[:, Outcome.LEFT] - table[:, Outcome.RIGHT]
    ahead[np.abs(ahead) <= ROUNDING * n_votes[voted]] = 0.0
    # A margin of nothing has no sign.
    margins[left, right], margins[right, left] = ahead, 0.0 - ahead
    return won, margins


@dataclass(frozen=True, eq=False)
class Components:
    """Strongly connected components of who beats whom: items of one beat each other, directly or in a chain.

    Attributes
    ----------
    component : intp array, shape (n_items,)
        The component of each item, numbered so that no item is beaten by one of a later component. Of two that may
        stand either way round, the one with the better `priority` comes first.
    above : bool array, shape (n_components, n_components)
        Whether an item of the row's component beats one of the column's; only above the diagonal.
    """

    component: Ints
    above: NDArray[np.bool_]

    @classmethod
    def of(cls, beats: NDArray[np.bool_], priority: Floats) -> Components:
        """The components of a graph of who beats whom; `priority` of each item, larger is better."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        n_items = len(beats)
        if not n_items:
            return cls(np.empty(0, np.intp), np.empty((0, 0), bool))
        n_components, number = connected_components(csr_array(beats), directed=True, connection="strong")
        above = np.zeros((n_components, n_components), bool)
        winner, loser = np.nonzero(beats)
        above[number[winner], number[loser]] = True
        np.fill_diagonal(above, False)
        first = np.full(n_components, n_items, np.intp)
        np.minimum.at(first, number, np.arange(n_items))
        means = np.bincount(number, priority, n_components) / np.bincount(number, minlength=n_components)
        order = _downwards(above, np.lexsort((first, -means)))
        place = np.empty(n_components, np.intp)
        place[order] = np.arange(n_components)
        return cls(place[number], above[np.ix_(order, order)])

    def members(self) -> list[Ints]:
        """The codes of each component's items, in rising order."""
        order = np.argsort(self.component, kind="stable")
        ends = np.cumsum(np.bincount(self.component, minlength=len(self.above)))
        return np.split(order, ends[:-1]) if len(order) else []

    def are_unbeaten(self) -> NDArray[np.bool_]:
        """Whether no item of each component is beaten by one of another: bool, shape (n_components,)."""
        return np.asarray(~self.above.any(axis=0))


def _downwards(above: NDArray[np.bool_], preferred: Ints) -> Ints:
    """The numbers of a graph without cycles so that each comes after all above it (Kahn 1962), preferred ones early."""
    n = len(above)
    preference = np.empty(n, np.intp)
    preference[preferred] = np.arange(n)
    n_above = above.sum(axis=0)
    # The preference of those that may come next, and n of the others.
    waiting = np.where(n_above == 0, preference, n)
    order = np.empty(n, np.intp)
    for place in range(n):
        chosen = int(waiting.argmin())
        order[place] = chosen
        waiting[chosen] = n
        n_above -= above[chosen]
        free = above[chosen] & (n_above == 0)
        waiting[free] = preference[free]
    return order


def smith_set(beats: NDArray[np.bool_]) -> Ints:
    """The smallest set of items of which each beats every item outside: codes, best first.

    With s_i = (beaten by i) + (pairs of i without a majority) / 2, the scores of k items add up to k (k - 1) / 2 from
    the pairs within, and to k (n - k) more if and only if all pairs with the others are won. The members then have the
    k largest scores, so it is enough to look at the first k by score, for each k.
    """
    n_items = len(beats)
    wins, losses = beats.sum(axis=1), beats.sum(axis=0)
    scores = wins + 0.5 * (n_items - 1 - wins - losses)
    order = np.argsort(-scores, kind="stable")
    k = np.arange(1, n_items + 1)
    enough = np.cumsum(scores[order]) == 0.5 * k * (k - 1) + k * (n_items - k)
    return order[: int(enough.argmax()) + 1] if n_items else order


def shortest_cycle(beats: NDArray[np.bool_], item: int) -> list[int]:
    """A shortest chain of items each of which beats the next one, from `item` back to it, which there must be.

    Where every pair has a majority it has three items (Moon 1968, Topics on Tournaments, theorem 3).
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    order, before = breadth_first_order(csr_array(beats), item)
    last = next(int(node) for node in order if beats[node, item])
    chain = [last]
    while chain[-1] != item:
        chain.append(int(before[chain[-1]]))
    return chain[::-1]
