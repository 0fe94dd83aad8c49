"""How well pairs hold the items together, and a better choice of the pairs that come once more than others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import counting

Ints = NDArray[np.int64]
# Eigenvalues of a dense matrix of so many items take a fraction of a second; of fewer, next to nothing.
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
    values = np.linalg.eigvalsh(laplacian)
    values[: _n_components(left, right, n_items)] = 0.0
    return values


def _n_components(left: NDArray[np.integer], right: NDArray[np.integer], n_items: int) -> int:
    component = np.empty(n_items, np.int32)
    return counting.join_components(
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
    n_voters, n_pairs, _ = pairs.shape
    low, high = pairs.min(axis=2).ravel(), pairs.max(axis=2).ravel()
    keys, times = np.unique(low * n_items + high, return_counts=True)
    if len(keys) < 2 or (len(keys) == n_items * (n_items - 1) // 2 and times.min() == times.max()):
        return pairs
    n_each = len(keys) * times.max() - len(low) if len(keys) else 0
    del n_each
    state = _Switching(low, high, n_voters, n_pairs, n_items, set(keys[times == times.max()].tolist()))
    best, best_score = pairs, state.score(others)
    for sweep in range(SWEEPS):
        state.sweep(rng)
        if n_items <= FEW_ITEMS or sweep == SWEEPS - 1:
            score = state.score(others)
            if score > best_score:
                best, best_score = state.pairs(), score
    return best
