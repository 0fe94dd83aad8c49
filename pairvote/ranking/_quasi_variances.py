"""Quasi-variances: one number an item from which the error of every difference follows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import shorten
from pairvote.errors import ConvergenceError, InputError
from pairvote.ranking._uncertainty import difference_variances

MOST_QUASI_ITEMS = 2_000
TOL = 1e-10


def check_quasi_items(n_items: int) -> None:
    """InputError for more items than quasi-variances are fitted to."""
    if n_items > MOST_QUASI_ITEMS:
        raise InputError(
            f"there are {n_items:,} items; quasi-variances are fitted to up to {MOST_QUASI_ITEMS:,}, "
            "so score fewer, or ask for single differences"
        )


def quasi_variances(covariance: NDArray[np.float64], items: Sequence[Hashable]) -> NDArray[np.float64]:
    """Numbers q with q_i + q_j close to the variance of s_i - s_j, for all pairs: float64, shape (n_items,)."""
    variances = difference_variances(covariance)
    never = np.argwhere(np.triu(variances == 0.0, 1))
    if len(never) and len(items) > 2:
        one, other = (shorten(items[code]) for code in never[0])
        raise InputError(
            f"the difference of {one} and {other} has no variance, and quasi-variances approximate its logarithm; "
            "leave one of the two out"
        )
    return fit_quasi_variances(variances)


def quasi_variance_error(quasi: NDArray[np.float64], covariance: NDArray[np.float64]) -> float:
    """By how much sqrt(q_i + q_j) misses the standard error of s_i - s_j at worst, as a part of it."""
    if len(quasi) <= 2:
        return 0.0
    pairs = np.triu_indices(len(quasi), 1)
    ratios = (quasi[:, None] + quasi)[pairs] / difference_variances(covariance)[pairs]
    return float(np.abs(np.sqrt(ratios) - 1.0).max())


def fit_quasi_variances(variances: NDArray[np.float64], max_iter: int = 200) -> NDArray[np.float64]:
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
    for _ in range(max_iter):
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
    raise ConvergenceError(f"the quasi-variances have not converged after {max_iter} steps; ask for single differences")


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
