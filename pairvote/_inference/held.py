"""Newton's steps over some of the parameters, under a normal prior of any precision, while the others stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.models import Model
from pairvote._inference.solver import LAST_STEPS, Solution
from pairvote._inference.sums import Slopes
from pairvote._inference.systems import dense_information, factor, inverse_of, symmetric
from pairvote.errors import ConvergenceError

Floats = NDArray[np.float64]
MOST_HALVINGS = 50
# A step that gains less than this part of the log-posterior may gain nothing but rounding.
ROUNDING = 1e-12


def information_of(model: Model, slopes: Slopes, free: NDArray[np.intp]) -> Floats:
    """The votes' information of these parameters: float64, shape (n_free, n_free)."""
    n_items = model.n_items
    if (free >= n_items).all():
        chosen = free - n_items
        return np.asarray(slopes.corner[np.ix_(chosen, chosen)])
    whole = symmetric(dense_information(model.counts, slopes, anchored=False))
    return np.asarray(whole[np.ix_(free, free)])


def climb(
    model: Model,
    start: Floats,
    free: NDArray[np.intp],
    precision: Floats,
    centre: Floats,
    tol: float,
    max_iter: int,
) -> Solution:
    """Newton's steps, halved until they gain, until each gradient is at most `tol` of its curvature.

    model: without a prior. precision, centre: (n_free, n_free) and (n_free,), of the free parameters' prior.

    Raises
    ------
    ConvergenceError
        After `max_iter` steps, or where no step gains.
    """
    from scipy.linalg.lapack import dpotrs

    def value_at(at: Floats) -> float:
        away = at[free] - centre
        return model.log_likelihood(at) - 0.5 * float(away @ precision @ away)

    parameters = start.copy()
    value = value_at(parameters)
    for n_iter in range(max_iter + 1):
        slopes = model.slopes(parameters)
        gradient = slopes.gradient[free] - precision @ (parameters[free] - centre)
        information = information_of(model, slopes, free) + precision
        curvature = np.maximum(np.diag(information), np.finfo(float).tiny)
        error = float(np.max(np.abs(gradient) / curvature, initial=0.0))
        step = np.zeros(len(parameters))
        step[free] = dpotrs(factor(information), gradient, lower=1)[0] if len(free) else 0.0
        ahead = parameters + step
        # Where votes say little of some direction, the way to the maximum is much longer than gradients say.
        if error <= tol and (float(np.abs(step).max(initial=0.0)) <= LAST_STEPS * tol or n_iter == max_iter):
            return Solution(parameters=ahead if model.allows(ahead) else parameters, n_iter=n_iter)
        if n_iter == max_iter:
            break
        for _ in range(MOST_HALVINGS):
            ahead = parameters + step
            if model.allows(ahead):
                there = value_at(ahead)
                if there >= value - ROUNDING * abs(value):
                    break
            step *= 0.5
        else:
            raise ConvergenceError(
                f"no step along Newton's direction gains (halved {MOST_HALVINGS} times)",
                option="prior_sd",
                remedy="the votes may not determine every parameter, so set another prior_sd, or leave it out",
            )
        parameters, value = ahead, there
    raise ConvergenceError(
        f"the fit has not converged after {max_iter} steps (largest gradient {error:.2g} of its curvature)",
        option="max_iter",
        value=max_iter,
        remedy="raise max_iter",
    )


def inverse_over(model: Model, parameters: Floats, free: NDArray[np.intp], precision: Floats) -> Floats:
    """The inverse of the whole information of these parameters: float64, shape (n_free, n_free)."""
    return inverse_of(information_of(model, model.slopes(parameters), free) + precision)
