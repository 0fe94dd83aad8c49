"""What scores and their covariance say about ranks. The first four functions are methods of `Ranking`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pairvote._labels import shorten
from pairvote._results import Interval, normal_quantile
from pairvote.errors import ConvergenceError, InputError

if TYPE_CHECKING:
    from pairvote.ranking import Ranking, Rng

# Over this many items the Sidak bound stands alone; up to it the draws, times pairs, are limited too.
MOST_DRAWN_FOR = 500
MOST_DRAWS, MOST_DRAWN = 10_000, 500_000_000
MOST_QUASI_ITEMS = 2_000
MAX_ITER, TOL = 200, 1e-10
# What rounding leaves of the variance of two items that never differ, as a part of their own variances.
ROUNDING = 1e-14


def rank_interval(ranking: Ranking, level: float = 0.95, *, simultaneous: bool = True, rng: Rng = None) -> Interval:
    """The best and the worst rank that each item may truly have: two int64 arrays, shape (n_items,), 1 for the best.

    The best is one more than the number of items significantly ahead, the worst n_items less the number of items
    significantly behind. A difference is significant if it exceeds c times its standard error.

    Parameters
    ----------
    level : float
        The probability with which the intervals hold the true ranks, at least.
    simultaneous : bool
        True: with this probability all intervals hold at once; c is the `level` quantile of the largest error of all
        differences, in standard errors. False: each single interval holds with this probability, but some of many
        will not; c is that of an item's own n_items - 1 differences, so the intervals are shorter.
    rng : None, int or numpy.random.Generator
        For the draws from which c is estimated.

    Returns
    -------
    Interval
        `low` the best and `high` the worst rank. Of items that are level in truth, each may have any of the ranks
        that they share.

    Raises
    ------
    MissingUncertaintyError
        Where the scorer has no covariance.
    InputError
        For a `level` out of range, or `simultaneous` that is neither True nor False.

    Notes
    -----
    Errors are taken in both directions, and in one step: no second look at what the first has left open. An interval
    fails only if a significant difference has the wrong sign, so `level` is a lower bound.

    The quantile is that of 10,000 draws from the normal with the ranking's covariance (from 317 items on of fewer,
    for 500 items of 4,000), taken so that the level holds on average over draws; a single set of them may miss a
    level of 95% by 0.2% (0.35% at 4,000), one standard error. It never exceeds Sidak's bound, which is used alone
    for two items, where it is exact, and for more than 500, where c is 2% larger than need be (7% if not
    `simultaneous`). After a bootstrap the covariance is used in the same way.

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with applications to mobility across
    neighbourhoods and academic achievement across countries", Review of Economic Studies 91: the two-sided sets of
    one step, simultaneous and marginal. Klein, Wright and Wieczorek (2020), "A joint confidence region for an overall
    ranking of populations", JRSS C 69. Sidak (1967), "Rectangular confidence regions for the means of multivariate
    normal distributions", JASA 62.

    Examples
    --------
    >>> import pairvote as pv
    >>> ranking = pv.bradley_terry(pv.datasets.baseball())
    >>> low, high = ranking.rank_interval(rng=0)
    >>> dict(zip(ranking.items, zip(low.tolist(), high.tolist())))["Baltimore"]
    (6, 7)
    """
    if not isinstance(simultaneous, (bool, np.bool_)):
        raise InputError(f"simultaneous is {simultaneous!r}; it is True or False")
    order = ranking._order
    significant = _significant(ranking, level, bool(simultaneous), rng)
    ranks = ranking.ranks()[order]
    low, high = np.empty((2, ranking.n_items), np.int64)
    low[order] = 1 + (significant & (ranks < ranks[:, None])).sum(axis=1)
    high[order] = ranking.n_items - (significant & (ranks > ranks[:, None])).sum(axis=1)
    low.flags.writeable = high.flags.writeable = False
    return Interval(low, high)


def tiers(ranking: Ranking, level: float = 0.95, *, rng: Rng = None) -> NDArray[np.int64]:
    """The tier of each item, 1 for the best: int64, shape (n_items,).

    Down the ranking, a tier ends before the first rank at which an item is significantly behind the tier's best;
    what is significant is as in `rank_interval`, for all pairs at once. So with probability `level` every tier's
    best item is truly ahead of the next tier's.

    More than that it does not say: neighbours on either side of a border may be hard to tell apart, and two items of
    one tier may differ significantly, where its best is the least well measured. `difference` answers for any two.

    Parameters
    ----------
    level : float
    rng : None, int or numpy.random.Generator
        As in `rank_interval`.

    Raises
    ------
    MissingUncertaintyError
        Where the scorer has no covariance.
    InputError
        For a `level` out of range.

    Examples
    --------
    >>> import pairvote as pv
    >>> ranking = pv.bradley_terry(pv.datasets.citations())
    >>> dict(zip(ranking.items, ranking.tiers(rng=0).tolist()))
    {'Biometrika': 2, 'Comm Statist': 4, 'JASA': 3, 'JRSS-B': 1}
    """
    order = ranking._order
    significant = _significant(ranking, level, True, rng)
    ranks, counts = np.unique(ranking.ranks(), return_counts=True)
    result = np.empty(ranking.n_items, np.int64)
    tier, best = 0, slice(0, 0)
    for rank, count in zip(ranks.tolist(), counts.tolist(), strict=True):
        here = slice(rank - 1, rank - 1 + count)
        if not tier or significant[best, here].any():
            tier, best = tier + 1, here
        result[order[here]] = tier
    result.flags.writeable = False
    return result


def quasi_variances(ranking: Ranking) -> NDArray[np.float64]:
    """Numbers q with q_i + q_j close to the variance of s_i - s_j, for all pairs: float64, shape (n_items,).

    They stand in for the whole covariance where items are compared: score and quasi-variance of each are enough to
    judge any difference, which scores and their standard errors are not. They minimise the sum over pairs of
    (log(q_i + q_j) - log Var(s_i - s_j))^2. For three items they are exact; of two, which share one variance, each
    gets half; one alone has 0.

    A quasi-variance can be negative (one at most, of an item whose differences vary less than theirs with one
    another would allow, such as the hub of a star). It serves in sums as well as any, but has no root to draw.

    Raises
    ------
    MissingUncertaintyError
        Where the scorer has no covariance.
    InputError
        For more than 2,000 items, and where the difference of two among three or more has no variance.

    References
    ----------
    Firth and de Menezes (2004), "Quasi-variances", Biometrika 91(1); the criterion is that of R's qvcalc.

    Examples
    --------
    >>> import math
    >>> import pairvote as pv
    >>> ranking = pv.bradley_terry(pv.datasets.baseball())
    >>> q = dict(zip(ranking.items, ranking.quasi_variances.tolist()))
    >>> exact = ranking.difference("Boston", "Detroit").standard_error
    >>> round(exact, 4), round(math.sqrt(q["Boston"] + q["Detroit"]), 4)
    (0.3068, 0.3067)
    """
    if ranking.n_items > MOST_QUASI_ITEMS:
        raise InputError(
            f"there are {ranking.n_items:,} items; quasi-variances are fitted to up to {MOST_QUASI_ITEMS:,}, "
            "so score fewer, or ask for single differences"
        )
    variances = _difference_variances(ranking.covariance)
    never = np.argwhere(np.triu(variances == 0.0, 1))
    if len(never) and ranking.n_items > 2:
        one, other = (shorten(ranking.items[code]) for code in never[0])
        raise InputError(
            f"the difference of {one} and {other} has no variance, and quasi-variances approximate its logarithm; "
            "leave one of the two out"
        )
    result = fit_quasi_variances(variances)
    result.flags.writeable = False
    return result


def quasi_variance_error(ranking: Ranking) -> float:
    """By how much sqrt(q_i + q_j) misses the standard error of s_i - s_j at worst, as a part of it: 0.02 is 2%.

    About 0.06 for 600 votes on random pairs of 23 items. In a chain, whose neighbours are known far better relative to
    each other than to its ends, no quasi-variances fit, and this is larger than 1.

    Raises
    ------
    MissingUncertaintyError, InputError
        As `quasi_variances`.

    Examples
    --------
    >>> import pairvote as pv
    >>> f"{pv.bradley_terry(pv.datasets.baseball()).quasi_variance_error:.1%}"
    '1.9%'
    """
    quasi = ranking.quasi_variances
    if ranking.n_items <= 2:
        return 0.0
    pairs = np.triu_indices(ranking.n_items, 1)
    ratios = (quasi[:, None] + quasi)[pairs] / _difference_variances(ranking.covariance)[pairs]
    return float(np.abs(np.sqrt(ratios) - 1.0).max())


def fit_quasi_variances(variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Newton's method for quasi-variances of differences with these variances, a table with zeros on its diagonal.

    With e = q_i + q_j and r = log v - log e of a pair, half the sum of squares of r has the gradient -sum r/e and
    the Hessian sum (1 + r)/e^2 along (1, 1); where that is not positive definite, sum 1/e^2 stands in (Gauss-Newton).
    """
    n_items = len(variances)
    if n_items <= 2:
        return np.asarray(variances.sum(axis=1) / 2.0)
    off_diagonal = ~np.eye(n_items, dtype=bool)
    logs = np.log(variances, out=np.zeros_like(variances), where=off_diagonal)
    nearest = variances.min(axis=1, initial=math.inf, where=off_diagonal)
    # No sum exceeds its variance here, so every r is positive and the criterion convex.
    quasi = nearest / 2.0
    sums, residuals, value = _residuals(quasi, logs)
    for _ in range(MAX_ITER):
        step = _newton_step(sums, residuals)
        if np.abs((step[:, None] + step) / sums)[off_diagonal].max() < TOL:
            quasi = quasi + step
            # The hub of a star has none, which rounding must not make negative.
            return np.where(np.abs(quasi) < 10.0 * TOL * nearest, 0.0, quasi)
        while True:
            trial = _residuals(quasi + step, logs)
            if trial[2] <= value * (1.0 + 1e-12):
                break
            step /= 2.0
        quasi = quasi + step
        sums, residuals, value = trial
    raise ConvergenceError(f"the quasi-variances have not converged after {MAX_ITER} steps; ask for single differences")


def _newton_step(sums: NDArray[np.float64], residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    precisions = 1.0 / sums**2
    np.fill_diagonal(precisions, 0.0)
    slopes = (residuals / sums).sum(axis=1)
    for weights in ((1.0 + residuals) * precisions, precisions):
        try:
            return np.asarray(cho_solve(cho_factor(weights + np.diag(weights.sum(axis=1))), slopes))
        except LinAlgError:
            continue
    raise ConvergenceError(
        "the variances of differences are too unequal for quasi-variances; ask for single differences"
    )


def _residuals(
    quasi: NDArray[np.float64], logs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Sums q_i + q_j, log v - log of them, and the sum of squares of these; infinite where a sum is not positive."""
    sums = quasi[:, None] + quasi
    np.fill_diagonal(sums, 1.0)
    if sums.min() <= 0.0:
        return sums, logs, math.inf
    residuals = logs - np.log(sums)
    return sums, residuals, float((residuals**2).sum())


def _difference_variances(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance of the difference of each two: float64, shape (n_items, n_items); what rounding leaves is 0."""
    variances = np.diag(covariance)
    sums = variances[:, None] + variances
    differences = sums - 2.0 * covariance
    differences[differences <= ROUNDING * sums] = 0.0
    np.fill_diagonal(differences, 0.0)
    return differences


def _significant(ranking: Ranking, level: float, simultaneous: bool, rng: Rng) -> NDArray[np.bool_]:
    """Whether the difference of each two exceeds its critical value: bool, shape (n_items, n_items), best first.

    Rows decide by their own critical value. By order of rank, the draws do not depend on that of the items.
    """
    rng = np.random.default_rng(rng)
    order = ranking._order
    scores, covariance = ranking.scores[order], ranking.covariance[np.ix_(order, order)]
    errors = np.sqrt(_difference_variances(covariance))
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
