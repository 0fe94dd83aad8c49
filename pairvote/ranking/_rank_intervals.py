"""What scores and their covariance say about ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote.ranking._results import quantile
from pairvote.ranking._uncertainty import difference_variances, stretches, symmetric_root


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How many draws a critical value is found from.

    most_items : with more items, Sidak's bound stands alone
    most_draws : how many draws there are at most
    most_differences : how many differences of two items are drawn at most, over all draws
    """

    most_items: int = 500
    most_draws: int = 10_000
    most_differences: int = 500_000_000


DRAWS = Draws()


class Estimate(NamedTuple):
    """Scores, their covariance, ranks and degrees of freedom, as a ranking has them."""

    scores: NDArray[np.float64]
    covariance: NDArray[np.float64]
    ranks: NDArray[np.int64]
    degrees_of_freedom: float = math.inf

    def best_first(self) -> tuple[Estimate, NDArray[np.intp]]:
        """The estimate with the best item first, so that draws do not depend on the order of items; and that order."""
        order = np.argsort(self.ranks, kind="stable")
        covariance = self.covariance[np.ix_(order, order)]
        return Estimate(self.scores[order], covariance, self.ranks[order], self.degrees_of_freedom), order


def rank_limits(
    estimate: Estimate, level: float, simultaneous: bool, rng: np.random.Generator, draws: Draws = DRAWS
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best and the worst rank that each item may have: int64, shape (n_items,)."""
    by_rank, order = estimate.best_first()
    low, high = np.empty((2, len(order)), np.int64)
    significant = significant_differences(by_rank, level, simultaneous, rng, draws)
    low[order], high[order] = rank_bounds(significant, by_rank.ranks)
    return low, high


def tiers_of(estimate: Estimate, level: float, rng: np.random.Generator, draws: Draws = DRAWS) -> NDArray[np.int64]:
    """The tier of each item, 1 for the best: int64, shape (n_items,)."""
    by_rank, order = estimate.best_first()
    tiers = np.empty(len(order), np.int64)
    tiers[order] = tier_numbers(significant_differences(by_rank, level, True, rng, draws), by_rank.ranks)
    return tiers


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
    estimate: Estimate, level: float, simultaneous: bool, rng: np.random.Generator, draws: Draws = DRAWS
) -> NDArray[np.bool_]:
    """Whether the difference of each two is significant, at its row's level: bool, shape (n_items, n_items).

    Found by stepping down: differences beyond the critical value are significant, and the next critical value is that
    of the differences which are left, until no more are found (Romano and Wolf 2005, algorithm 3).
    """
    errors = np.sqrt(difference_variances(estimate.covariance))
    gaps = np.abs(estimate.scores[:, None] - estimate.scores)
    freedom = estimate.degrees_of_freedom
    drawn = drawn_errors(estimate.covariance, level, rng, draws, freedom)
    left = errors > 0.0
    significant = ~left & (gaps > 0.0)
    while True:
        critical = critical_values(left, errors, drawn, level, simultaneous, freedom)
        found = left & (gaps > critical[:, None] * errors)
        if not found.any():
            return significant
        significant |= found
        left &= ~found


def critical_values(
    left: NDArray[np.bool_],
    errors: NDArray[np.float64],
    drawn: NDArray[np.float64] | None,
    level: float,
    simultaneous: bool,
    degrees_of_freedom: float = math.inf,
) -> NDArray[np.float64]:
    """The `level` quantile of the largest |t| over an item's differences, or over all: float64, shape (n_items,).

    Parameters
    ----------
    left : bool array, shape (n_items, n_items)
        The differences that count: those of item i in row i.
    errors : float64 array, shape (n_items, n_items)
        The standard errors of the differences.
    drawn : float64 array, shape (n_items, n_draws), or None
        Draws of the scores' errors; None takes Sidak's bound.
    level : float
    simultaneous : bool
    degrees_of_freedom : float
        Those of the t that bounds are of; the draws have them already.
    """
    single = quantile(level, degrees_of_freedom)
    n_differences = np.count_nonzero(left, axis=1)
    if simultaneous:
        n_differences[:] = n_differences.sum() // 2
    bounds = np.array([_sidak(level, n, degrees_of_freedom) if n > 1 else single for n in n_differences.tolist()])
    if drawn is None:
        return bounds
    largest = _largest_errors(np.divide(1.0, errors, out=np.zeros_like(errors), where=left), drawn)
    if simultaneous:
        largest = largest.max(axis=0, keepdims=True)
    place = _place(level, drawn.shape[1])
    return np.minimum(np.partition(largest, place - 1, axis=1)[:, place - 1], bounds)


def _place(level: float, n_draws: int) -> int:
    """Of n draws the k-th smallest exceeds a further one with probability k / (n + 1)."""
    return math.ceil(level * (n_draws + 1))


def drawn_errors(
    covariance: NDArray[np.float64],
    level: float,
    rng: np.random.Generator,
    draws: Draws = DRAWS,
    freedom: float = math.inf,
) -> NDArray[np.float64] | None:
    """Draws of the scores' errors: float64, shape (n_items, n_draws); None where Sidak's bound stands alone."""
    quantile(level)
    n_items = len(covariance)
    n_draws = min(draws.most_draws, draws.most_differences // max(n_items * (n_items - 1) // 2, 1))
    if n_items <= 2 or n_items > draws.most_items or _place(level, n_draws) > n_draws:
        return None
    drawn = symmetric_root(covariance) @ rng.standard_normal((n_items, n_draws))
    return drawn * stretches(freedom, n_draws, rng)


def _largest_errors(precisions: NDArray[np.float64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest |z_i - z_j| times the precision in row i, of each item i over all j: float64, (n_items, n_draws)."""
    n_items, n_draws = drawn.shape
    largest = np.zeros((n_items, n_draws))
    # As many draws at a time as keep the differences of one item in the cache.
    n_together = max(1, 2**16 // n_items)
    for start in range(0, n_draws, n_together):
        block = largest[:, start : start + n_together]
        errors = drawn[:, start : start + n_together]
        for item in range(n_items - 1):
            off = np.abs(errors[item + 1 :] - errors[item])
            np.maximum(block[item], (off * precisions[item, item + 1 :, None]).max(axis=0), out=block[item])
            off *= precisions[item + 1 :, [item]]
            np.maximum(block[item + 1 :], off, out=block[item + 1 :])
    return largest


def _sidak(level: float, n_differences: int, degrees_of_freedom: float = math.inf) -> float:
    """What `n_differences` of |t| stay below with probability `level` if independent, and more if not (Sidak 1967)."""
    beyond = -0.5 * math.expm1(math.log(level) / n_differences)
    if math.isinf(degrees_of_freedom):
        from statistics import NormalDist

        return -NormalDist().inv_cdf(beyond)
    from scipy.special import stdtrit

    return float(-stdtrit(degrees_of_freedom, beyond))
