"""Solving with the information of a fit: by a dense factor, a sparse one, or conjugate gradients.

The information of the scores is a graph Laplacian plus the prior's precision on the diagonal, bordered by the few
parameters beside the scores.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.graph import fills_little, narrow_order
from pairvote._inference.models import Model
from pairvote._inference.sums import Slopes
from pairvote._kernels import laplacian
from pairvote.errors import ConvergenceError
from pairvote.votes._counts import PairCounts

LEAST_PIVOT = 1e-13
LEAST_RATIO = 1e-100
# Rows that are copied together, so few that they stay in a fast cache.
BLOCK = 256
MOST_HALVINGS = 20


class System(Protocol):
    """A way to solve with the information."""

    def solve(self, slopes: Slopes, vector: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """The information's inverse times `vector`, whose entries for the scores add up to zero."""


class TooManyProductsError(Exception):
    """Conjugate gradients have not arrived."""


def singular() -> ConvergenceError:
    """The error for an information that has no inverse."""
    return ConvergenceError(
        "the information is singular: the votes and the prior do not determine every parameter",
        option="prior_sd",
        remedy="set a finite or smaller prior_sd, or leave out the position effect",
    )


def dense_information(counts: PairCounts, slopes: Slopes, *, anchored: bool) -> NDArray[np.float64]:
    """The whole information, upper triangle; `anchored` adds a constant to all scores' entries.

    It fixes their mean, which the votes leave open and a prior may say little of, and nothing else as long as all
    scores have the same ridge: then the direction of all ones is one of its eigenvectors.
    """
    n_items = counts.n_items
    n_all = n_items + len(slopes.corner)
    matrix = np.zeros((n_all, n_all))
    laplacian.fill_laplacian(counts.start, counts.right, slopes.weights, matrix)
    if anchored and n_items:
        matrix[:n_items, :n_items] += (np.trace(matrix) + float(slopes.ridge) or 1.0) / n_items**2
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

        common = self._model.prior.is_common
        lower = factor(dense_information(self._model.counts, slopes, anchored=common))
        solution = np.asarray(dpotrs(lower, vector, lower=1)[0])
        if common:
            _centre_rows(solution, self._model.n_items)
        return solution


def factor(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cholesky's lower factor, column-major, of a matrix given by its upper triangle, which it overwrites."""
    from scipy.linalg.lapack import dpotrf

    if not len(matrix):
        return matrix.T
    diagonal = matrix.diagonal().copy()
    lower, info = dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    # A pivot that is only rounding left over would make arbitrary numbers.
    if info or not (lower.diagonal() ** 2 > LEAST_PIVOT * diagonal).all():
        raise singular()
    return np.asarray(lower)


def symmetric(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix with its upper triangle, in rows, copied to the lower, in place."""
    for first in range(0, len(matrix), BLOCK):
        last = first + BLOCK
        matrix[last:, first:last] = matrix[first:last, last:].T
        corner = matrix[first:last, first:last]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
    return matrix


def inverse_of(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of a positive matrix given by its upper triangle, which it overwrites."""
    from scipy.linalg.lapack import dpotri

    if not len(matrix):
        return matrix
    lower, _ = dpotri(factor(matrix), lower=1, overwrite_c=1)
    return symmetric(lower.T)


def inverse_without(model: Model, parameters: NDArray[np.float64], lost: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of the information less what is lost, of which as much is taken off as leaves it positive."""
    slopes, part = model.slopes(parameters), 1.0
    information = dense_information(model.counts, slopes, anchored=model.prior.is_common)
    for _ in range(MOST_HALVINGS):
        try:
            return inverse_of(information - part * lost)
        except ConvergenceError:
            part *= 0.5
    return inverse_of(information)


class Gradients:
    """Conjugate gradients, the diagonal as preconditioner; TooManyProductsError where they have not arrived."""

    def __init__(self, model: Model, *, patient: bool = False) -> None:
        self._model = model
        self._patient = patient
        self._most_products = 0

    @property
    def does_well(self) -> bool:
        """Whether few products were enough for every solution, or no other way would do better."""
        limits = self._model.limits
        return self._most_products <= limits.few_products or not fills_little(self._model.sums, limits)

    def solve(self, slopes: Slopes, vector: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """The information's inverse times `vector`, or each of its columns, to a residual of at most `tolerance`.

        That is r with r' D^-1 r at most tolerance^2 v' D^-1 v, D the diagonal of the information.
        """
        n_items, diagonal = self._model.n_items, slopes.curvature[:, None]
        if not diagonal.min() > LEAST_RATIO * diagonal.max():
            raise TooManyProductsError
        residuals = vector.reshape(len(vector), -1).copy()
        common = self._model.prior.is_common
        if common:
            # In exact arithmetic the scores' entries add up to zero; what rounding leaves has no solution without a
            # prior.
            _centre_rows(residuals, n_items)
        directions = residuals / diagonal
        solutions = np.zeros_like(residuals)
        sizes = _dots(residuals, directions)
        enough = tolerance * tolerance * sizes
        limits = self._model.limits
        for n_products in range(limits.patience if self._patient else limits.most_products):
            going = sizes > enough
            if not going.any():
                self._most_products = max(self._most_products, n_products)
                if common:
                    _centre_rows(solutions, n_items)
                return solutions.reshape(vector.shape)
            products = self._multiply(slopes, directions)
            curvatures = _dots(directions, products)
            if not (curvatures[going] > 0.0).all():
                raise TooManyProductsError
            along = np.divide(sizes, curvatures, out=np.zeros_like(sizes), where=going)
            solutions += along * directions
            residuals -= along * products
            preconditioned = residuals / diagonal
            sizes_before, sizes = sizes, _dots(residuals, preconditioned)
            # A column that has arrived stands still.
            directions *= np.divide(sizes, sizes_before, out=np.zeros_like(sizes), where=going)
            directions += preconditioned
        if not self._patient:
            raise TooManyProductsError
        raise ConvergenceError(
            f"conjugate gradients have not arrived after {limits.patience:,} products",
            option="prior_sd",
            remedy="the votes join large groups of items by long chains, so set a smaller prior_sd, or score fewer "
            "items",
        )

    def _multiply(self, slopes: Slopes, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The information times each column."""
        n_items = self._model.n_items
        scores, beside = vectors[:n_items], vectors[n_items:]
        ridge = np.reshape(slopes.ridge, (-1, 1))
        products = np.concatenate([ridge * scores, slopes.border.T @ scores + slopes.corner @ beside])
        self._model.sums.add_products(slopes, scores, products[:n_items])
        products[:n_items] += slopes.border @ beside
        return products


def _centre_rows(vectors: NDArray[np.float64], n_items: int) -> None:
    """Take off the mean of the first rows, those of the scores, in place."""
    scores = vectors[:n_items]
    scores -= scores.mean(axis=0)


def _dots(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scalar product of each column of `a` with that of `b`."""
    return np.asarray(np.einsum("ij,ij->j", a, b))


class Sparse:
    """A sparse direct factorisation in a narrow order; without a prior its last item is held at zero."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def solve(self, slopes: Slopes, vector: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        """The information's inverse times `vector`, or each of its columns, to rounding.

        The parameters beside the scores are eliminated (Schur's complement).
        """
        n_items, n_vectors = self._model.n_items, 1 if vector.ndim == 1 else vector.shape[1]
        columns = np.column_stack([vector[:n_items], slopes.border])
        common = self._model.prior.is_common
        if common:
            # In exact arithmetic each adds up to zero; what rounding leaves has no solution where there is no prior.
            _centre_rows(columns, n_items)
        lu, kept = self._factor(slopes)
        solutions = np.zeros_like(columns)
        solutions[kept] = lu.solve(columns[kept])
        if common:
            _centre_rows(solutions, n_items)
        scores, bordered = solutions[:, :n_vectors].reshape(vector[:n_items].shape), solutions[:, n_vectors:]
        complement = slopes.corner - slopes.border.T @ bordered
        if len(complement) and not np.linalg.eigvalsh(complement)[0] > LEAST_PIVOT * np.trace(slopes.corner):
            raise singular()
        beside = np.linalg.solve(complement, vector[n_items:] - slopes.border.T @ scores)
        return np.concatenate([scores - bordered @ beside, beside])

    def variances(self, slopes: Slopes) -> NDArray[np.float64]:
        """The diagonal of the inverse of the scores' information, centred: float64, shape (n_items,).

        References
        ----------
        Takahashi, Fagan and Chen (1973), "Formation of a sparse bus impedance matrix", 8th PICA Conference; as in
        Erisman and Tinney (1975), "On computing certain elements of the inverse of a sparse matrix", CACM 18.
        """
        lu, kept = self._factor(slopes)
        lower = lu.L.tocsc()
        lower.sort_indices()
        # Each column's first entry is the diagonal's 1.
        below = np.ones(lower.nnz, bool)
        below[lower.indptr[:-1]] = False
        start = lower.indptr.astype(np.int64) - np.arange(len(lower.indptr))
        entries, pivots = np.ascontiguousarray(lower.data[below]), lu.U.diagonal()
        diagonal, places = np.empty(len(pivots)), np.full(len(pivots), -1, np.int32)
        rows = lower.indices[below].astype(np.int32)
        laplacian.invert_on_pattern(start, rows, entries, pivots, np.empty(len(entries)), diagonal, places)
        n_items = len(slopes.diagonal)
        variances, means = np.zeros(n_items), np.zeros(n_items)
        variances[kept] = diagonal[lu.perm_c]
        means[kept] = lu.solve(np.full(len(kept), 1.0 / n_items))
        return np.asarray(variances - 2.0 * means + means.mean())

    def _factor(self, slopes: Slopes) -> tuple[Any, NDArray[np.int32]]:
        """The factor, and the items that it is of, in its order."""
        from scipy.sparse import coo_array, diags_array
        from scipy.sparse.linalg import splu

        counts = self._model.counts
        shape = (counts.n_items, counts.n_items)
        links = coo_array((slopes.weights, (counts.left, counts.right)), shape=shape)
        order = narrow_order(counts)
        kept = order if self._model.prior.is_finite else order[:-1]
        matrix = (diags_array(slopes.diagonal) - links - links.T).tocsr()[kept][:, kept].tocsc()
        symmetric = {"SymmetricMode": True}
        try:
            lu = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=symmetric)
        except RuntimeError:
            raise singular() from None
        return lu, kept
