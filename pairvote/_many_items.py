"""The uncertainty of more items than a dense table of covariances holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._clusters import voter_gradients
from pairvote._kernels import laplacian, sandwich
from pairvote._labels import Codes
from pairvote._systems import Sparse
from pairvote._threads import Parts
from pairvote._vote_rows import VoteRows
from pairvote.counts import is_folded
from pairvote.errors import MissingUncertaintyError
from pairvote.models import Model, Slopes
from pairvote.solver import Solution, solve

# Where each item's pairs begin, the other item of each, and its value.
Rows = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]

N_CHECKED = 30
CHECKED_TOGETHER = 10


@dataclass(frozen=True, eq=False)
class ManyItems:
    r"""Variances of centred scores without the covariance.

    Where conjugate gradients do badly the graph has few cycles or long ways, so a sparse factor is there, and with it
    the exact diagonal of the inverse. Elsewhere, with d the diagonal of the information and w the information of pairs,

    .. math:: \mathrm{Var}(s_i) \approx \frac{1}{d_i} + \sum_j \frac{w_{ij}^2}{d_i^2 d_j},

    the first terms of the Neumann series of :math:`(D - W)^{-1}`, and beside them what further parameters add. The
    sandwich takes the same approximation of the inverse's columns, and in the middle only the pairs of i and of those
    it met. `error` says how far this is off.
    """

    model: Model
    solution: Solution
    sandwich: bool
    rows: VoteRows | None

    @cached_property
    def _slopes(self) -> Slopes:
        return self.model.slopes(self.solution.parameters)

    @cached_property
    def _meat(self) -> Slopes:
        return self.model.meat(self.solution.parameters)

    @cached_property
    def _voter_gradients(self) -> Any:
        """Sparse, shape (n_voters, n_parameters); None where votes are taken one by one."""
        return None if self.rows is None else voter_gradients(self.model, self.solution.parameters, self.rows)

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ parameters, by one solve."""
        return float(self._squares(contrast[:, None], self._solve(contrast[:, None], 1e-8))[0])

    def _solve(self, contrasts: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        return solve(self.model, self._slopes, contrasts, mixed=self.solution.mixed, tolerance=tolerance)

    def _squares(self, contrasts: NDArray[np.float64], solved: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variance along each column c of contrasts, given H^-1 c."""
        if not self.sandwich:
            return np.asarray((contrasts * solved).sum(axis=0))
        n_items = self.model.counts.n_items
        prior = self.model.prior_precision * np.square(solved[:n_items]).sum(axis=0)
        if self._voter_gradients is not None:
            return np.asarray(np.square(self._voter_gradients @ solved).sum(axis=0) + prior)
        meat, counts = self._meat, self.model.counts
        scores, further = np.ascontiguousarray(solved[:n_items]), solved[n_items:]
        products = np.zeros_like(scores)
        laplacian.multiply_columns(counts.start, counts.right, meat.weights, scores, products, 0)
        across = (scores * (products + 2.0 * meat.border @ further)).sum(axis=0)
        return np.asarray(across + (further * (meat.corner @ further)).sum(axis=0) + prior)

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,)."""
        if self.rows is not None:
            raise MissingUncertaintyError(
                f"standard errors between voters are given for up to 4,000 items and these are "
                f"{self.model.counts.n_items:,}; difference() gives them for two items, "
                "and uncertainty='sandwich' those between votes for all"
            )
        if self.solution.mixed:
            return self._approximate
        if self.sandwich:
            raise MissingUncertaintyError(
                "sandwich errors of more than 4,000 items are given where votes mix the items well, and here they form "
                "long chains; difference() gives them for two items, and uncertainty='model' those of the model for all"
            )
        return Sparse(self.model).variances(self._slopes) + self._from_further

    @property
    def _from_further(self) -> NDArray[np.float64]:
        """What not knowing the further parameters adds: the diagonal of Z C^-1 Z', with Z = H^-1 B, B the border."""
        n_items, size = self.model.counts.n_items, len(self.solution.parameters)
        if size == n_items:
            return np.zeros(n_items)
        # These columns of the whole inverse are -Z C^-1, and below it C^-1.
        columns = self._solve(np.eye(size - n_items, size, n_items).T, 1e-6)
        across = columns[:n_items]
        return np.asarray((across * np.linalg.solve(columns[n_items:], across.T).T).sum(axis=1))

    @property
    def _approximate(self) -> NDArray[np.float64]:
        counts, slopes = self.model.counts, self._slopes
        pairs = self._by_pair(slopes.weights)
        second_order = np.zeros(counts.n_items)
        _add_up(laplacian.add_second_order, pairs, second_order, slopes.diagonal)
        here = (1.0 + second_order) / slopes.diagonal
        if not self.sandwich:
            return here + self._from_further
        meat, middle = self._meat.weights, np.full(counts.n_items, slopes.ridge)
        for side in (counts.left, counts.right):
            middle += np.bincount(side, meat, counts.n_items)
        variances = middle * here * here
        diagonals = np.stack([here, slopes.diagonal, middle])
        _add_up(sandwich.add_sandwiched, pairs, variances, self._by_pair(meat)[2], diagonals)
        return variances

    def _by_pair(self, values: NDArray[np.float64]) -> Rows:
        """Compressed rows in which each pair stands once, whichever item was on the left and however often they met."""
        counts = self.model.counts
        if is_folded(counts) and self.model.design is None:
            return counts.start, counts.right, values
        from scipy.sparse import coo_array

        ends = np.minimum(counts.left, counts.right), np.maximum(counts.left, counts.right)
        table = coo_array((values, ends), shape=(counts.n_items, counts.n_items)).tocsr()
        return table.indptr.astype(np.int64), table.indices.astype(np.int32), table.data

    @cached_property
    def error(self) -> float:
        """How far a standard error is off at most, of 30 items from best known to least; 0 where all are exact.

        A share of the exact one, which is found to 0.01%.
        """
        if not self.solution.mixed:
            return 0.0
        n_items, size = self.model.counts.n_items, len(self.solution.parameters)
        checked = np.argsort(self.variances, kind="stable")[np.linspace(0, n_items - 1, N_CHECKED).astype(int)]
        worst = 0.0
        for block in np.split(checked, range(CHECKED_TOGETHER, N_CHECKED, CHECKED_TOGETHER)):
            contrasts = np.zeros((size, len(block)))
            contrasts[:n_items] = -1.0 / n_items
            contrasts[block, range(len(block))] += 1.0
            exact = self._squares(contrasts, self._solve(contrasts, 1e-4))
            worst = max(worst, float(np.abs(np.sqrt(self.variances[block] / exact) - 1.0).max()))
        return worst

    def largest_variance(self) -> float:
        """The variance in the direction of centred scores that is least determined, to 1%."""
        from scipy.sparse.linalg import LinearOperator, eigsh

        n_items, size = self.model.counts.n_items, len(self.solution.parameters)

        def multiply(vector: NDArray[np.float64]) -> NDArray[np.float64]:
            whole = np.zeros((size, 1))
            whole[:n_items, 0] = vector.ravel() - vector.mean()
            return self._solve(whole, 1e-4)[:n_items, 0]

        inverse = LinearOperator((n_items, n_items), matvec=multiply, dtype=np.float64)
        ramp = np.linspace(-1.0, 1.0, n_items)
        return float(eigsh(inverse, k=1, which="LA", v0=ramp, tol=1e-2, return_eigenvectors=False)[0])


def _add_up(
    kernel: Callable[..., None], pairs: Rows, sums: NDArray[np.float64], *arguments: NDArray[np.float64]
) -> None:
    start, second, weights = pairs

    def add(first: int, last: int, own: NDArray[np.float64]) -> None:
        kernel(start[first : last + 1], second, weights, *arguments, own, first)

    with Parts.of_rows(start) as parts:
        parts.add_up(add, sums)
