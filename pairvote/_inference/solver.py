"""The one Newton solver: the maximum of a concave log-posterior over a graph of pairs.

The information of the scores is a graph Laplacian plus the prior's precision on the diagonal, bordered by the
few parameters beside them. Few items are factored by Cholesky; above `Limits.dense_items`, conjugate gradients with
the diagonal as preconditioner solve with it, which takes few products where votes mix the items well. Where they do
not (chains, bands), a factor takes over: dense for up to `Limits.table_items` items, sparse for more. A model whose
pairs lie elsewhere is solved by conjugate gradients alone, however many products that takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.graph import fills_little, is_almost_tree
from pairvote._inference.models import Model
from pairvote._inference.sums import Slopes
from pairvote._inference.systems import (
    Dense,
    Gradients,
    Sparse,
    System,
    TooManyProductsError,
    dense_information,
    inverse_of,
    singular,
)
from pairvote._inference.workspace import NewtonWorkspace
from pairvote._kernels import davidson
from pairvote.errors import ConvergenceError

# Where few votes join large groups, scores may be much further off than gradients say, so the last step must be short.
LAST_TOLERANCE = 1e-6
LAST_STEPS = 1e3
# A gradient whose square is at most so much of the tolerance is expected to have vanished a step later.
NEAR = 0.02
# A gradient of at most so much of the votes that it adds up may be rounding alone.
ROUNDING = 4 * float(np.finfo(float).eps)
# A step that changes no vote's log-odds by more, after which the next one is its square unless rounding is all.
SHORT = 0.01
WEAKEST_PRIOR = 1e-6
LEAST_CURVATURE = 1e-250
LARGEST_STEP = 1e100
MOST_HALVINGS = 50


@dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
    """The maximum: its parameters and the Newton steps that led to it.

    upper: the information's upper factor, if at hand. mixed: whether votes mix the items so well that conjugate
    gradients arrive in few steps, or are too many for a sparse factor.
    """

    parameters: NDArray[np.float64]
    n_iter: int
    upper: NDArray[np.float64] | None = None
    mixed: bool = False


def maximise(model: Model, start: NDArray[np.float64], tol: float, max_iter: int) -> Solution:
    """Damped Newton steps from `start`, of mean zero, until each gradient is at most `tol` of its curvature.

    A full step is taken unless it might go too far. It cannot where the slope along the line is still upwards at
    its end, since the log-posterior is concave; nor where no difference of two scores changes by more than one,
    since then the curvature changes by less than a factor e (self-concordance: Bach 2010, "Self-concordant
    analysis for logistic regression", Electron. J. Statist. 4, proposition 1), and the step gains at least
    (3 - e) times its slope. Else the values decide, and the step is halved until it gains. Where this does not arrive,
    as from scores so far apart that the votes say nothing, level scores are tried as the start.

    Where votes nearly separate the items and a prior is very wide, a gradient's rounding may be more than `tol` of the
    curvature. The fit has converged too when, after a short step, a gradient that could be rounding alone falls no
    further.

    Raises
    ------
    ConvergenceError
        After `max_iter` steps, or where no step gains.
    """
    if not model.n_items:
        # Without votes, parameters beside the scores are where the prior has them, which is the start.
        return Solution(parameters=start, n_iter=0)
    with model.sums.threads():
        try:
            return _climb(model, start, tol, max_iter)
        except ConvergenceError:
            level = model.start()
            if np.array_equal(start, level):
                raise
            return _climb(model, level, tol, max_iter)


def _climb(model: Model, start: NDArray[np.float64], tol: float, max_iter: int) -> Solution:
    layout, done = model.layout, 0
    small = model.is_local and layout.n_items > 1 and layout.size <= model.limits.kernel_parameters
    if small and model.outcome.by_kernel and not layout.n_covariates:
        solution = _few(model, start, tol, max_iter)
        if solution.upper is not None:
            return solution
        start, done = solution.parameters, solution.n_iter
    system = _first_system(model)
    workspace = model.sums.workspace(model.likelihood)
    parameters, slopes = start, model.slopes(start, workspace)
    may_arrive = model.outcome.self_concordant and not layout.n_covariates
    rounding, error_before, reach = ROUNDING * _n_votes(model), math.inf, math.inf
    for n_iter in range(done, max_iter + 1):
        error = _scaled_gradient(slopes)
        converged = error <= tol
        stalls = reach < SHORT and error > 0.5 * error_before and bool((np.abs(slopes.gradient) <= rounding).all())
        if stalls and not converged:
            mixed = isinstance(system, Gradients) and system.does_well
            return Solution(parameters=centre(model, parameters), n_iter=n_iter, mixed=mixed)
        error_before = error
        if n_iter == max_iter and not converged:
            break
        near = may_arrive and error * error <= NEAR * tol
        tolerance = _last_tolerance(slopes, tol) if converged or near else max(min(0.1, error), 0.1 * tol / error)
        try:
            step = system.solve(slopes, slopes.gradient, tolerance)
        except TooManyProductsError:
            system, tolerance = _patient_system(model), tol
            step = system.solve(slopes, slopes.gradient, tolerance)
        reach = _reach(step, model.n_items)
        if converged:
            last = n_iter == max_iter or float(np.abs(step).max()) <= LAST_STEPS * tol
        else:
            last = near and _arrives(model, slopes, step, tolerance, tol)
        if last:
            ahead = parameters + step
            return Solution(
                parameters=centre(model, ahead if model.allows(ahead) else parameters),
                n_iter=n_iter + (not converged),
                mixed=isinstance(system, Gradients) and system.does_well,
            )
        parameters, slopes = _advance(model, parameters, slopes, step, workspace)
    raise ConvergenceError(
        f"the fit has not converged after {max_iter} steps (largest gradient {error:.2g} of its curvature)",
        option="max_iter",
        value=max_iter,
        remedy="raise max_iter, or set a finite prior_sd if it is infinite",
    )


def inverse_at(model: Model, solution: Solution) -> NDArray[np.float64]:
    """The inverse of the whole information at a solution, by the factor at hand if there is one."""
    if solution.upper is not None:
        inverse = np.zeros(solution.upper.size)
        davidson.invert_factored(solution.upper, inverse)
        return inverse.reshape(solution.upper.shape)
    slopes = model.slopes(solution.parameters)
    return inverse_of(dense_information(model.counts, slopes, anchored=model.prior.is_common))


def _first_system(model: Model) -> System:
    if not model.is_local:
        return Gradients(model, patient=True)
    if model.n_items <= model.limits.dense_items:
        return Dense(model)
    return Sparse(model) if is_almost_tree(model.sums, model.limits) else Gradients(model)


def _patient_system(model: Model) -> System:
    """Where conjugate gradients have not arrived soon: a factor, unless it would fill the memory."""
    n_items, limits = model.n_items, model.limits
    if not model.is_local:
        return Gradients(model, patient=True)
    if n_items > limits.dense_items and fills_little(model.sums, limits):
        return Sparse(model)
    return Dense(model) if n_items <= limits.table_items else Gradients(model, patient=True)


def _last_tolerance(slopes: Slopes, tol: float) -> float:
    """How well the last step must be known: so that, by the prior, no score is further off than `tol`.

    What is left of a step has at most the size |residual| / ridge, with the smallest ridge, and gradients are solved to
    a residual r with r' D^-1 r at most tolerance^2 g' D^-1 g.
    """
    n_items = len(slopes.diagonal)
    ridge = float(np.min(slopes.ridge))
    if len(slopes.gradient) > n_items or not ridge:
        return LAST_TOLERANCE
    gradient = slopes.gradient
    size = float(gradient @ (gradient / slopes.diagonal)) * float(slopes.diagonal.max())
    return max(LAST_TOLERANCE, ridge * tol / math.sqrt(size)) if size else 1.0


def _arrives(model: Model, slopes: Slopes, step: NDArray[np.float64], tolerance: float, tol: float) -> bool:
    """Whether the gradient after this step is sure to be at most `tol` of its curvature, before it is looked at.

    It is what the step leaves of the present one, the residual r with r' D^-1 r at most tolerance^2 g' D^-1 g, and the
    remainder of Taylor's series, the mean of (1 - t) times the third cumulant E (x - Ex)(z - Ez)^2 over the way t from
    0 to 1, vote by vote: z is the change of the vote's log-likelihood and x what it says of one parameter. Both have a
    range of at most 1 and `reach`, so that the cumulant is at most Var z <= reach^2 / 4 (Popoviciu), and the remainder
    reach^2 / 8.
    """
    n_items = model.n_items
    reach = _reach(step, n_items)
    n_votes = _n_votes(model)
    curvature, gradient = slopes.curvature, slopes.gradient
    residual = tolerance * math.sqrt(float(gradient @ (gradient / curvature)) / float(curvature.min()))
    # Half is left for how much curvatures change, and the next step would be about reach times this one.
    return residual + 0.125 * reach * reach * float((n_votes / curvature).max()) <= 0.5 * tol and reach * reach <= tol


def _n_votes(model: Model) -> NDArray[np.float64]:
    """The weight of the votes that bear on each parameter, which bounds its gradient's terms: shape (size,)."""
    n_votes = np.full(model.layout.size, model.n_decided + model.n_ties)
    n_votes[: model.n_items] = model.totals[:, : Outcome.SKIP] @ [1.0, model.outcome.tie_weight, 1.0]
    return n_votes


def _reach(step: NDArray[np.float64], n_items: int) -> float:
    """How much a vote's log-odds and nuisance parameters change together at most."""
    return float(np.ptp(step[:n_items]) + np.abs(step[n_items:]).sum())


def centre(model: Model, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift the scores in place to mean zero, which changes no likelihood and suits a prior best that all have.

    The same holds of each component on its own. Of these a prior that is very weak beside the votes says too little
    for steps to bring them there, through the rounding of the votes' gradients.
    """
    if not model.prior.is_common:
        return parameters
    scores = parameters[: model.n_items]
    scores -= scores.sum() / len(scores)
    if 0.0 < float(model.prior.precision) * len(scores) < WEAKEST_PRIOR * (model.n_decided + model.n_ties):
        components = model.sums.components()
        if components.max() > 0:
            scores -= (np.bincount(components, scores) / np.bincount(components))[components]
    return parameters


def _few(model: Model, start: NDArray[np.float64], tol: float, max_iter: int) -> Solution:
    """Newton steps in one kernel, as long as full ones are safe; no factor where they stopped being so."""
    counts, parameters = model.counts, start.copy()
    workspace = NewtonWorkspace(model.likelihood, counts.n_pairs, prior=model.prior, tol=tol, max_iter=max_iter)
    n_iter = workspace.climb(counts.start, counts.right, counts.table, parameters)
    if n_iter < 0:
        return Solution(parameters=parameters, n_iter=-1 - n_iter)
    return Solution(parameters=centre(model, parameters), n_iter=n_iter, upper=workspace.upper)


def _advance(
    model: Model,
    parameters: NDArray[np.float64],
    slopes: Slopes,
    step: NDArray[np.float64],
    workspace: NDArray[np.float64],
) -> tuple[NDArray[np.float64], Slopes]:
    n_items = model.n_items
    if not np.abs(step).max() < LARGEST_STEP:
        raise singular()
    reach = _reach(step, n_items)
    value: float | None = None
    for _ in range(MOST_HALVINGS):
        ahead = parameters + step
        if model.allows(ahead):
            # Of the slopes here only the gradient is still needed.
            slopes_ahead = model.slopes(ahead, workspace)
            if (reach <= 1.0 and model.outcome.self_concordant) or slopes_ahead.gradient @ step >= 0.0:
                return ahead, slopes_ahead
            value = model.log_posterior(parameters) if value is None else value
            # Where the gain is lost in rounding, the slope along the line must at least be smaller in size.
            gain = model.log_posterior(ahead) - value
            flatter = abs(slopes_ahead.gradient @ step) <= 0.5 * abs(slopes.gradient @ step)
            if gain > 0.0 or (flatter and abs(gain) <= 1e-12 * abs(value)):
                return ahead, slopes_ahead
        step, reach = 0.5 * step, 0.5 * reach
    raise ConvergenceError(
        f"no step along Newton's direction gains (halved {MOST_HALVINGS} times)",
        option="prior_sd",
        remedy="the votes may not determine every parameter, so set a smaller prior_sd or leave out the position "
        "effect",
    )


def _scaled_gradient(slopes: Slopes) -> float:
    curvature = slopes.curvature
    steps = np.divide(
        np.abs(slopes.gradient), curvature, out=np.abs(slopes.gradient), where=curvature > LEAST_CURVATURE
    )
    return float(steps.max(initial=0.0))


def solve(
    model: Model, slopes: Slopes, vector: NDArray[np.float64], *, mixed: bool, tolerance: float = 1e-10
) -> NDArray[np.float64]:
    """The information's inverse times `vector`, whose entries for the scores add up to zero, at any number of items."""
    if mixed and model.is_local:
        try:
            with model.sums.threads():
                return Gradients(model).solve(slopes, vector, tolerance)
        except TooManyProductsError:
            pass
    return _patient_system(model).solve(slopes, vector, tolerance)
