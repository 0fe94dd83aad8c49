"""What scores and their covariance say about ranks."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pairvote.ranking._quasi_variances import difference_variances
from pairvote.ranking._results import normal_quantile

# Over this many items the Sidak bound stands alone; up to it the draws, times pairs, are limited too.
MOST_DRAWN_FOR = 500
MOST_DRAWS, MOST_DRAWN = 10_000, 500_000_000


def rank_bounds(
    significant: NDArray[np.bool_], ranks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best and the worst rank that each item may have, given which differences are significant and the ranks."""
    low = 1 + (significant & (ranks < ranks[:, None])).sum(axis=1)
    high = len(ranks) - (significant & (ranks > ranks[:, None])).sum(axis=1)
    return low, high


def tier_numbers(significant: NDArray[np.bool_], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The tier of each item, best first: a new one begins where an item is significantly behind the tier's best."""
    places, counts = np.unique(ranks, return_counts=True)
    tiers = np.empty(len(ranks), np.int64)
    tier, best = 0, slice(0, 0)
    for place, count in zip(places.tolist(), counts.tolist(), strict=True):
        here = slice(place - 1, place - 1 + count)
        if not tier or significant[best, here].any():
            tier, best = tier + 1, here
        tiers[here] = tier
    return tiers


def significant_differences(
    scores: NDArray[np.float64],
    covariance: NDArray[np.float64],
    level: float,
    simultaneous: bool,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Whether the difference of each two exceeds its critical value: bool, shape (n_items, n_items).

    Rows decide by their own critical value. Where items stand by rank, the draws do not depend on their order.
    """
    errors = np.sqrt(difference_variances(covariance))
    critical = critical_values(covariance, errors, level, simultaneous, rng)
    return np.abs(scores[:, None] - scores) > critical[:, None] * errors


def critical_values(
    covariance: NDArray[np.float64],
    errors: NDArray[np.float64],
    level: float,
    simultaneous: bool,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """The `level` quantile of the largest |t| over an item's differences, or over all: float64, shape (n_items,)."""
    n_items = len(covariance)
    single = normal_quantile(level)
    n_differences = np.count_nonzero(errors, axis=1)
    if simultaneous:
        n_differences[:] = n_differences.sum() // 2
    bounds = np.array([_sidak(level, n) if n > 1 else single for n in n_differences.tolist()])
    n_draws = min(MOST_DRAWS, MOST_DRAWN // max(n_items * (n_items - 1) // 2, 1))
    # Of n draws the k-th smallest exceeds a further one with probability k / (n + 1).
    place = math.ceil(level * (n_draws + 1))
    if n_items <= 2 or n_items > MOST_DRAWN_FOR or place > n_draws:
        return bounds
    largest = _largest_errors(covariance, errors, n_draws, rng)
    if simultaneous:
        largest = largest.max(axis=0, keepdims=True)
    return np.minimum(np.partition(largest, place - 1, axis=1)[:, place - 1], bounds)


def _largest_errors(
    covariance: NDArray[np.float64], errors: NDArray[np.float64], n_draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The largest |z_i - z_j| / se_ij of each item over all others, for draws z: float64, shape (n_items, n_draws)."""
    n_items = len(covariance)
    values, vectors = np.linalg.eigh(covariance)
    # The symmetric root, which unlike the vectors does not turn with rounding.
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    precisions = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0.0)
    largest = np.zeros((n_items, n_draws))
    # As many draws at a time as keep the differences of one item in the cache.
    n_together = max(1, 2**16 // n_items)
    for start in range(0, n_draws, n_together):
        block = largest[:, start : start + n_together]
        drawn = root @ rng.standard_normal(block.shape)
        for item in range(n_items - 1):
            off = drawn[item + 1 :] - drawn[item]
            off *= precisions[item + 1 :, [item]]
            np.abs(off, out=off)
            np.maximum(block[item], off.max(axis=0), out=block[item])
            np.maximum(block[item + 1 :], off, out=block[item + 1 :])
    return largest


def _sidak(level: float, n_differences: int) -> float:
    """What `n_differences` of |t| stay below with probability `level` if independent, and more if not (Sidak 1967)."""
    from statistics import NormalDist

    return -NormalDist().inv_cdf(-0.5 * math.expm1(math.log(level) / n_differences))
