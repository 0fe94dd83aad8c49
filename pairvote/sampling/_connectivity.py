"""How well pairs hold the items together, and a better choice of the pairs that come once more than others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import by_item

Ints = NDArray[np.int64]
# Eigenvalues of a dense matrix of so many items take about a second; of few, next to nothing.
MOST_ITEMS = 1000
FEW_ITEMS = 300
SWEEPS = 8
# Switches tried in a sweep: so many for each question that may take part, up to a bound.
TRIES = 4
MOST_TRIES = 50_000


def algebraic_connectivity(left: NDArray[np.integer], right: NDArray[np.integer], n_items: int) -> float:
    """The second-smallest eigenvalue of the comparison graph's Laplacian, pairs counted as often as they come.

    It is 0 for a graph that falls apart, and n_items for one copy of all pairs: Fiedler (1973), "Algebraic connectivity
    of graphs", Czechoslovak Mathematical Journal 23.
    """
    return float(_spectrum(left, right, n_items)[1])


def _spectrum(left: NDArray[np.integer], right: NDArray[np.integer], n_items: int) -> NDArray[np.float64]:
    """The Laplacian's eigenvalues, ascending, those of a component each exactly 0."""
    laplacian = np.zeros((n_items, n_items))
    np.add.at(laplacian, (left, right), -1.0)
    laplacian += laplacian.T
    laplacian[np.diag_indices(n_items)] = -laplacian.sum(axis=1)
    values = np.asarray(np.linalg.eigvalsh(laplacian), np.float64)
    values[: _n_components(left, right, n_items)] = 0.0
    return values


def _n_components(left: NDArray[np.integer], right: NDArray[np.integer], n_items: int) -> int:
    component = np.empty(n_items, np.int32)
    return by_item.join_components(
        np.ascontiguousarray(left, np.int32), np.ascontiguousarray(right, np.int32), component
    )


def well_connected(pairs: Ints, n_items: int, *, others: bool, rng: np.random.Generator) -> Ints:
    """The pairs after random switches, those of the best-connected state met on the way.

    A switch takes two questions about pairs that come more often than others, {a, b} and {c, d}, and asks {a, c} and
    {b, d} instead, which come less often, where neither voter is thereby asked anything twice nor loses balance: so all
    that `design` promises stays true, of items, pairs and voters. What changes is which pairs come once more. The
    rounds of a design leave them in bands around a circle, that hold together less well than chance would have them.

    Parameters
    ----------
    pairs : (n_voters, n_pairs, 2)
        As `design` makes them.
    others : bool
        Whether the voters will be asked about all other pairs instead.
    """
    low, high = pairs.min(axis=2).ravel(), pairs.max(axis=2).ravel()
    keys, times = np.unique(low * n_items + high, return_counts=True)
    if len(keys) < 2 or (len(keys) == n_items * (n_items - 1) // 2 and times.min() == times.max()):
        return pairs
    questions = _Questions(low, high, keys[times == times.max()], pairs.shape[1], n_items)
    best, best_score = pairs, questions.score(others)
    for sweep in range(SWEEPS):
        questions.switch(rng)
        if n_items <= FEW_ITEMS or sweep == SWEEPS - 1:
            score = questions.score(others)
            if score >= best_score:
                best, best_score = questions.pairs(), score
    return best


class _Questions:
    """All voters' questions while they are switched: `often` has the pairs that come more often than others."""

    def __init__(self, low: Ints, high: Ints, often: Ints, n_pairs: int, n_items: int) -> None:
        self.n_pairs, self.n_items = n_pairs, n_items
        self.level = 2 * n_pairs // n_items
        self.low, self.high = low.tolist(), high.tolist()
        self.often = set(often.tolist())
        voter = np.arange(len(low)) // n_pairs
        self.asked = set(((voter * n_items + low) * n_items + high).tolist())
        items = np.concatenate([voter * n_items + low, voter * n_items + high])
        voter_items, times = np.unique(items, return_counts=True)
        self.times = dict(zip(voter_items.tolist(), times.tolist(), strict=True))

    def pairs(self) -> Ints:
        return np.stack([self.low, self.high], axis=1).reshape(-1, self.n_pairs, 2)

    def score(self, others: bool) -> tuple[int, float]:
        """The fewer components and then the higher connectivity the better, or that of all other pairs."""
        left, right = np.divmod(np.fromiter(self.often, np.int64, count=len(self.often)), self.n_items)
        n_components = 0 if others else _n_components(left, right, self.n_items)
        # Of many items any random state holds together about as well as another.
        if self.n_items > FEW_ITEMS:
            return -n_components, 0.0
        values = _spectrum(left, right, self.n_items)
        return -n_components, float(-values[-1] if others else values[1])

    def switch(self, rng: np.random.Generator) -> None:
        """Try random switches: half of them between two questions of one voter, half between any two."""
        often = self.often
        n_items, n_pairs = self.n_items, self.n_pairs
        open_to = [
            place for place, (a, b) in enumerate(zip(self.low, self.high, strict=True)) if a * n_items + b in often
        ]
        n_tries = min(TRIES * len(open_to), MOST_TRIES)
        one, other = rng.choice(open_to, size=(2, n_tries))
        same_voter = rng.random(n_tries) < 0.5
        own = one // n_pairs * n_pairs + rng.integers(n_pairs, size=n_tries)
        flips = rng.integers(4, size=n_tries)
        other = np.where(same_voter, own, other)
        for first, second, flip in zip(one.tolist(), other.tolist(), flips.tolist(), strict=True):
            self._try(first, second, flip)

    def _try(self, first: int, second: int, flip: int) -> None:
        n_items, often, asked = self.n_items, self.often, self.asked
        a, b, c, d = self.low[first], self.high[first], self.low[second], self.high[second]
        was = a * n_items + b, c * n_items + d
        if was[0] not in often or was[1] not in often:
            return
        if flip & 1:
            a, b = b, a
        if flip & 2:
            c, d = d, c
        if a == c or b in (c, d):
            return
        # The first question swaps its b for the second one's c.
        low, high = (a, c) if a < c else (c, a)
        low_too, high_too = (b, d) if b < d else (d, b)
        now = low * n_items + high, low_too * n_items + high_too
        if now[0] in often or now[1] in often:
            return
        voter, voter_too = first // self.n_pairs, second // self.n_pairs
        base, base_too = voter * n_items, voter_too * n_items
        square = n_items * n_items
        if voter * square + now[0] in asked or voter_too * square + now[1] in asked:
            return
        if voter != voter_too:
            times, level = self.times, self.level
            if (
                times[base + b] <= level
                or times[base_too + c] <= level
                or times.get(base + c, 0) > level
                or times.get(base_too + b, 0) > level
            ):
                return
            for place, change in ((base + b, -1), (base + c, 1), (base_too + c, -1), (base_too + b, 1)):
                times[place] = times.get(place, 0) + change
        for before, after, voter_square in ((was[0], now[0], voter * square), (was[1], now[1], voter_too * square)):
            often.remove(before)
            often.add(after)
            asked.remove(voter_square + before)
            asked.add(voter_square + after)
        self.low[first], self.high[first] = low, high
        self.low[second], self.high[second] = low_too, high_too
