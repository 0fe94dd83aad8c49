"""The one Newton solver: the maximum of a concave log-posterior over a graph of pairs.

The information of the scores is a graph Laplacian plus the prior's precision on the diagonal, bordered by the
few further parameters. Up to `DENSE_ITEMS` items it is factored by Cholesky; above, conjugate gradients with the
diagonal as preconditioner solve with it, which takes few products where votes mix the items well. Where they do
not (chains, bands), a factor takes over: dense for up to `LARGEST_DENSE` items, sparse for more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import davidson, laplacian
from pairvote.counts import PairCounts, components_of
from pairvote.errors import ConvergenceError
from pairvote.models import Model, Slopes

KERNEL_PARAMETERS = 128
DENSE_ITEMS = 500
LARGEST_DENSE = 4_000
MOST_PRODUCTS = 200
# Where few votes join large groups, scores may be much further off than gradients say, so the last step must be short.
LAST_TOLERANCE = 1e-6
LAST_STEPS = 1e3
LEAST_PIVOT = 1e-13
WEAKEST_PRIOR = 1e-6
LEAST_CURVATURE = 1e-250
LEAST_RATIO = 1e-100
LARGEST_STEP = 1e100
SINGULAR = (
    "the information is singular: the votes and the prior do not determine every parameter; "
    "set a finite or smaller prior_sd, or leave out the position effect"
)
MOST_HALVINGS = 50


@dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
    """The maximum: its parameters, the Newton steps that led to it, and the information's upper factor if at hand."""

    parameters: NDArray[np.float64]
    n_iter: int
    upper: NDArray[np.float64] | None = None


class System(Protocol):
    """A way to solve with the information."""

    def solve(self, slopes: Slopes, vector: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """The information's inverse times `vector`, whose entries for the scores add up to zero."""


def maximise(model: Model, start: NDArray[np.float64], tol: float, max_iter: int) -> Solution:
    """Damped Newton steps from `start`, of mean zero, until each gradient is at most `tol` of its curvature.

    A full step is taken unless it might go too far. It cannot where the slope along the line is still upwards at
    its end, since the log-posterior is concave; nor where no difference of two scores changes by more than one,
    since then the curvature changes by less than a factor e (self-concordance: Bach 2010, "Self-concordant
    analysis for logistic regression", Electron. J. Statist. 4, proposition 1), and the step gains at least
    (3 - e) times its slope. Else the values decide, and the step is halved until it gains. Where this does not arrive,
    as from scores so far apart that the votes say nothing, level scores are tried as the start.

    Raises
    ------
    ConvergenceError
        After `max_iter` steps, or where no step gains.
    """
    if not len(start):
        return Solution(parameters=start, n_iter=0, upper=np.empty((0, 0)))
    with model.parts:
        try:
            return _climb(model, start, tol, max_iter)
        except ConvergenceError:
            level = model.start()
            if np.array_equal(start, level):
                raise
            return _climb(model, level, tol, max_iter)


def _climb(model: Model, start: NDArray[np.float64], tol: float, max_iter: int) -> Solution:
    n_items, done = model.counts.n_items, 0
    if model.self_concordant and model.design is None and n_items > 1 and len(start) <= KERNEL_PARAMETERS:
        solution = _few(model, start, tol, max_iter)
        if solution.upper is not None:
            return solution
        start, done = solution.parameters, solution.n_iter
    system: System = Dense(model) if n_items <= DENSE_ITEMS else Gradients(model)
    parameters, slopes = start, model.slopes(start)
    for n_iter in range(done, max_iter + 1):
        error = _scaled_gradient(slopes)
        converged = error <= tol
        if n_iter == max_iter and not converged:
            break
        tolerance = _last_tolerance(slopes, tol) if converged else max(min(0.1, error), 0.1 * tol / error)
        try:
            step = system.solve(slopes, slopes.gradient, tolerance)
        except TooManyProductsError:
            system = (Dense if n_items <= LARGEST_DENSE else Sparse)(model)
            step = system.solve(slopes, slopes.gradient, tol)
        if converged and (n_iter == max_iter or float(np.abs(step).max()) <= LAST_STEPS * tol):
            ahead = parameters + step
            return Solution(parameters=centre(model, ahead if model.allows(ahead) else parameters), n_iter=n_iter)
        parameters, slopes = _advance(model, parameters, slopes, step)
    raise ConvergenceError(
        f"the fit has not converged after {max_iter} steps (largest gradient {error:.2g} of its curvature); "
        "raise max_iter, or set a finite prior_sd if it is infinite"
    )


def _last_tolerance(slopes: Slopes, tol: float) -> float:
    """How well the last step must be known: so that, by the prior, no score is further off than `tol`.

    What is left of a step has at most the size |residual| / ridge, and gradients are solved to a residual r with
    r' D^-1 r at most tolerance^2 g' D^-1 g.
    """
    n_items = len(slopes.diagonal)
    if len(slopes.gradient) > n_items or not slopes.ridge:
        return LAST_TOLERANCE
    gradient = slopes.gradient
    size = float(gradient @ (gradient / slopes.diagonal)) * float(slopes.diagonal.max())
    return max(LAST_TOLERANCE, slopes.ridge * tol / math.sqrt(size)) if size else 1.0


def centre(model: Model, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift the scores in place to mean zero, which changes no likelihood and suits a prior best.

    The same holds of each component on its own. Of these a prior that is very weak beside the votes says too little
    for steps to bring them there, through the rounding of the votes' gradients.
    """
    scores = parameters[: model.counts.n_items]
    scores -= scores.sum() / len(scores)
    if 0.0 < model.prior_precision * len(scores) < WEAKEST_PRIOR * (model.n_decided + model.n_ties):
        components = components_of(model.counts)
        if components.max() > 0:
            scores -= (np.bincount(components, scores) / np.bincount(components))[components]
    return parameters


def _few(model: Model, start: NDArray[np.float64], tol: float, max_iter: int) -> Solution:
    """The same steps in one kernel, as long as full ones are safe; no factor where they stopped being so."""
    counts = model.counts
    parameters = start.copy()
    size = len(parameters)
    options = np.array([model.prior_precision, tol, max_iter, model.has_ties, model.position, model.tie_weight])
    upper, scratch = np.zeros((size, size)), np.empty((2, counts.n_pairs))
    sums = np.zeros(3 * counts.n_items + 10 + size)
    n_iter = davidson.newton_steps(counts.start, counts.right, counts.table, parameters, options, upper, scratch, sums)
    if n_iter < 0:
        return Solution(parameters=parameters, n_iter=-1 - n_iter)
    return Solution(parameters=centre(model, parameters), n_iter=n_iter, upper=upper)


def _advance(
    model: Model, parameters: NDArray[np.float64], slopes: Slopes, step: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Slopes]:
    n_items = model.counts.n_items
    if not np.abs(step).max() < LARGEST_STEP:
        raise ConvergenceError(SINGULAR)
    reach = float(np.ptp(step[:n_items]) + np.abs(step[n_items:]).sum())
    value: float | None = None
    for _ in range(MOST_HALVINGS):
        ahead = parameters + step
        if model.allows(ahead):
            slopes_ahead = model.slopes(ahead)
            if (reach <= 1.0 and model.self_concordant) or slopes_ahead.gradient @ step >= 0.0:
                return ahead, slopes_ahead
            value = model.log_posterior(parameters) if value is None else value
            # Where the gain is lost in rounding, the slope along the line must at least be smaller in size.
            gain = model.log_posterior(ahead) - value
            flatter = abs(slopes_ahead.gradient @ step) <= 0.5 * abs(slopes.gradient @ step)
            if gain > 0.0 or (flatter and abs(gain) <= 1e-12 * abs(value)):
                return ahead, slopes_ahead
        step, reach = 0.5 * step, 0.5 * reach
    raise ConvergenceError(
        f"no step along Newton's direction gains (halved {MOST_HALVINGS} times); "
        "the votes may not determine every parameter, so set a smaller prior_sd or leave out the position effect"
    )


def _scaled_gradient(slopes: Slopes) -> float:
    curvature = np.concatenate([slopes.diagonal, np.diag(slopes.corner)])
    steps = np.divide(
        np.abs(slopes.gradient), curvature, out=np.abs(slopes.gradient), where=curvature > LEAST_CURVATURE
    )
    return float(steps.max(initial=0.0))


def dense_information(counts: PairCounts, slopes: Slopes, *, anchored: bool) -> NDArray[np.float64]:
    """The whole information, upper triangle; `anchored` adds a constant to all scores' entries.

    It fixes their mean, which the votes leave open and a prior may say little of, and nothing else.
    """
    n_items = counts.n_items
    n_all = n_items + len(slopes.corner)
    matrix = np.zeros((n_all, n_all))
    laplacian.fill_laplacian(counts.start, counts.right, slopes.weights, matrix)
    if anchored:
        matrix[:n_items, :n_items] += (np.trace(matrix) + slopes.ridge or 1.0) / n_items**2
    matrix.flat[: n_items * (n_all + 1) : n_all + 1] += slopes.ridge
    if n_all > n_items:
        matrix[:n_items, n_items:] = slopes.border
        matrix[n_items:, n_items:] = slopes.corner
    return matrix


class Dense:
    """Cholesky's factor of the whole information."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def solve(self, slopes: Slopes, vector: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """The information's inverse times `vector`, to rounding."""
        from scipy.linalg.lapack import dpotrs

        counts = self._model.counts
        solution, _ = dpotrs(factor(dense_information(counts, slopes, anchored=True)), vector, lower=1)
        scores = solution[: counts.n_items]
        scores -= scores.mean()
        return np.asarray(solution)


def factor(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cholesky's lower factor, column-major, of a matrix given by its upper triangle, which it overwrites."""
    from scipy.linalg.lapack import dpotrf

    if not len(matrix):
        return matrix.T
    diagonal = matrix.diagonal().copy()
    lower, info = dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    # A pivot that is only rounding left over would make arbitrary numbers.
    if info or not (lower.diagonal() ** 2 > LEAST_PIVOT * diagonal).all():
        raise ConvergenceError(SINGULAR)
    return np.asarray(lower)


class TooManyProductsError(Exception):
    """Conjugate gradients have not arrived."""


class Bordered:
    """Solves with the scores' information; the further parameters are eliminated (Schur's complement)."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def solve(self, slopes: Slopes, vector: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """The information's inverse times `vector`, to a residual of about `tolerance` of the vector's size."""
        n_items = self._model.counts.n_items
        columns = np.column_stack([vector[:n_items], slopes.border])
        # In exact arithmetic each adds up to zero; what rounding leaves has no solution where there is no prior.
        columns -= columns.mean(axis=0)
        # The solutions of the border enter a difference, so they are solved more tightly.
        solutions = self.solve_scores(slopes, columns, [tolerance] + [0.1 * tolerance] * slopes.border.shape[1])
        solutions -= solutions.mean(axis=0)
        scores, bordered = solutions[:, 0], solutions[:, 1:]
        complement = slopes.corner - slopes.border.T @ bordered
        try:
            further = np.linalg.solve(complement, vector[n_items:] - slopes.border.T @ scores)
        except np.linalg.LinAlgError:
            raise ConvergenceError(SINGULAR) from None
        return np.concatenate([scores - bordered @ further, further])

    def solve_scores(
        self, slopes: Slopes, columns: NDArray[np.float64], tolerances: list[float]
    ) -> NDArray[np.float64]:
        """The inverse of the scores' information times each column."""
        raise NotImplementedError


class Gradients(Bordered):
    """Conjugate gradients, the diagonal as preconditioner; TooManyProductsError where they have not arrived."""

    def solve_scores(
        self, slopes: Slopes, columns: NDArray[np.float64], tolerances: list[float]
    ) -> NDArray[np.float64]:
        """The inverse of the scores' information times each column, to each one's tolerance."""
        if not slopes.diagonal.min() > LEAST_RATIO * slopes.diagonal.max():
            raise TooManyProductsError
        inverse_diagonal = 1.0 / slopes.diagonal
        solved = [
            self._solve_one(slopes, column, inverse_diagonal, tolerance)
            for column, tolerance in zip(columns.T, tolerances, strict=True)
        ]
        return np.column_stack(solved)

    def _solve_one(
        self, slopes: Slopes, vector: NDArray[np.float64], inverse_diagonal: NDArray[np.float64], tolerance: float
    ) -> NDArray[np.float64]:
        counts, parts = self._model.counts, self._model.parts

        def multiply(first: int, last: int, sums: NDArray[np.float64]) -> None:
            rows = counts.start[first : last + 1]
            laplacian.multiply_laplacian(rows, counts.right, slopes.weights, direction, sums, first)

        solution = np.zeros(len(vector))
        residual = vector.copy()
        direction = inverse_diagonal * residual
        size = float(residual @ direction)
        enough = tolerance**2 * size
        for _ in range(MOST_PRODUCTS):
            if size <= enough:
                return solution
            product = slopes.ridge * direction
            parts.add_up(multiply, product)
            bend = float(direction @ product)
            if not bend > 0.0:
                raise TooManyProductsError
            along = size / bend
            solution += along * direction
            residual -= along * product
            preconditioned = inverse_diagonal * residual
            size_before, size = size, float(residual @ preconditioned)
            direction = preconditioned + (size / size_before) * direction
        raise TooManyProductsError


class Sparse(Bordered):
    """A sparse direct factorisation, minimum degree first; without a prior the first item is held at zero."""

    def solve_scores(
        self, slopes: Slopes, columns: NDArray[np.float64], tolerances: list[float]
    ) -> NDArray[np.float64]:
        """The inverse of the scores' information times each column, to rounding."""
        from scipy.sparse import coo_array, diags_array
        from scipy.sparse.linalg import splu

        counts = self._model.counts
        shape = (counts.n_items, counts.n_items)
        links = coo_array((slopes.weights, (counts.left, counts.right)), shape=shape)
        matrix = (diags_array(slopes.diagonal) - links - links.T).tocsc()
        held = 0 if slopes.ridge else 1
        try:
            lu = splu(matrix[held:, held:].tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0)
        except RuntimeError:
            raise ConvergenceError(SINGULAR) from None
        solved = np.zeros_like(columns)
        solved[held:] = lu.solve(np.ascontiguousarray(columns[held:]))
        return solved
