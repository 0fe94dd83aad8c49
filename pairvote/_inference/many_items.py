"""The uncertainty of more items than a dense table of covariances holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.clustered import ClusterSizes, voter_gradients
from pairvote._inference.models import Model
from pairvote._inference.outcomes import DEFAULT_TIES
from pairvote._inference.solver import Solution, solve
from pairvote._inference.sums import Slopes
from pairvote._inference.systems import Sparse
from pairvote._inference.vote_rows import VoteRows
from pairvote.errors import MissingUncertaintyError

N_CHECKED = 30
CHECKED_TOGETHER = 10


@dataclass(frozen=True, eq=False)
class ManyItems:
    r"""Variances of centred scores without the covariance.

    Where conjugate gradients do badly the graph has few cycles or long ways, so a sparse factor is there, and with it
    the exact diagonal of the inverse. Elsewhere, with d the diagonal of the information and w the information of pairs,

    .. math:: \mathrm{Var}(s_i) \approx \frac{1}{d_i} + \sum_j \frac{w_{ij}^2}{d_i^2 d_j},

    the first terms of the Neumann series of :math:`(D - W)^{-1}`, and what the other parameters add. `error`
    says how far this is off. Of the sandwich only the variance of a contrast is worked out, by one solve; gradients of
    J clusters are corrected by sqrt(J / (J - 1)).
    """

    model: Model
    solution: Solution
    is_robust: bool
    rows: VoteRows | None
    squared: Model | None = None

    @cached_property
    def _slopes(self) -> Slopes:
        return self.model.slopes(self.solution.parameters)

    @cached_property
    def _vote_squares(self) -> Slopes:
        return self._squared.sums.squares(self._squared.likelihood, self.solution.parameters)

    @cached_property
    def _weight(self) -> float:
        """The mean weight of a vote."""
        return 1.0 if self.rows is None else ClusterSizes.of(self.model, self.solution.parameters, self.rows).weight

    @property
    def _squared(self) -> Model:
        return self.model if self.squared is None else self.squared

    @cached_property
    def _gradients(self) -> Any:
        """Sparse, shape (n_clusters, n_parameters); None where votes are taken one by one."""
        return None if self.rows is None else voter_gradients(self.model, self.solution.parameters, self.rows)

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ parameters, by one solve."""
        return float(self._squares(contrast[:, None], self._solve(contrast[:, None], 1e-8))[0])

    def columns(self, contrasts: NDArray[np.float64]) -> NDArray[np.float64]:
        """The covariance of all parameters with those along each column: float64, of the shape of `contrasts`."""
        if self.is_robust:
            raise self._no_robust_errors()
        return self._solve(contrasts, 1e-6)

    def _solve(self, contrasts: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
        return solve(self.model, self._slopes, contrasts, mixed=self.solution.mixed, tolerance=tolerance)

    def _squares(self, contrasts: NDArray[np.float64], solved: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variance along each column c of contrasts, given H^-1 c."""
        by_model = np.asarray((contrasts * solved).sum(axis=0))
        if not self.is_robust:
            return by_model
        n_items = self.model.n_items
        prior = (solved * self.model.prior_products(solved)).sum(axis=0)
        gradients = self._gradients
        if gradients is not None:
            n_clusters = gradients.shape[0]
            across = np.square(gradients @ solved).sum(axis=0) * (n_clusters / (n_clusters - 1.0))
            return _not_certain(across + prior, by_model * self._weight, n_clusters)
        squares = self._vote_squares
        scores, beside = np.ascontiguousarray(solved[:n_items]), solved[n_items:]
        products = np.zeros_like(scores)
        self._squared.sums.add_products(squares, scores, products)
        across = (scores * (products + 2.0 * squares.border @ beside)).sum(axis=0)
        across += (beside * (squares.corner @ beside)).sum(axis=0)
        return _not_certain(across + prior, by_model, 0.5 * float(self.model.totals[:, :3].sum()))

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,)."""
        if self.is_robust:
            raise self._no_robust_errors()
        slopes = self._slopes
        if self.solution.mixed:
            return (1.0 + self.model.sums.second_order(slopes)) / slopes.diagonal + self._from_beside
        return Sparse(self.model).variances(slopes) + self._from_beside

    def _no_robust_errors(self) -> MissingUncertaintyError:
        kind = "sandwich errors"
        if self.rows is not None:
            kind = f"standard errors between {'voters' if self.rows.kind == 'by-voter' else 'clusters'}"
        model, limits = self.model, self.model.limits
        given = f"up to {limits.table_items:,} items" if model.is_local else "pairs in this memory, not on a cluster"
        fit = "uncertainty='model'" if model.is_likelihood else f"ties={DEFAULT_TIES!r}"
        return MissingUncertaintyError(
            f"{kind} of all items are given for {given}, and these are {model.n_items:,} items; "
            f"difference() is exact for two items at any number, and {fit} gives all by the model"
        )

    @property
    def _from_beside(self) -> NDArray[np.float64]:
        """What not knowing the other parameters adds: the diagonal of Z C^-1 Z', with Z = H^-1 B, B the border."""
        n_items, size = self.model.n_items, len(self.solution.parameters)
        if size == n_items:
            return np.zeros(n_items)
        # These columns of the whole inverse are -Z C^-1, and below it C^-1.
        columns = self._solve(np.eye(size - n_items, size, n_items).T, 1e-6)
        across = columns[:n_items]
        return np.asarray((across * np.linalg.solve(columns[n_items:], across.T).T).sum(axis=1))

    @cached_property
    def error(self) -> float:
        """How far a standard error is off at most, of 30 items from best known to least; 0 where all are exact.

        A share of the exact one, which is found to 0.01%.
        """
        if not self.solution.mixed:
            return 0.0
        n_items, size = self.model.n_items, len(self.solution.parameters)
        checked = np.argsort(self.variances, kind="stable")[np.linspace(0, n_items - 1, N_CHECKED).astype(int)]
        worst = 0.0
        for block in np.split(checked, range(CHECKED_TOGETHER, N_CHECKED, CHECKED_TOGETHER)):
            contrasts = np.zeros((size, len(block)))
            contrasts[:n_items] = -1.0 / n_items
            contrasts[block, range(len(block))] += 1.0
            exact = self._squares(contrasts, self._solve(contrasts, 1e-4))
            worst = max(worst, float(np.abs(np.sqrt(self.variances[block] / exact) - 1.0).max()))
        return worst

    def largest_share(self) -> float:
        """The largest share of a contrast's variance in that by the prior alone, to 1%, as `Posterior.prior_share`."""
        from scipy.sparse.linalg import LinearOperator, eigsh

        n_items, size = self.model.n_items, len(self.solution.parameters)
        root = np.sqrt(self.model.precisions)
        along = root / np.linalg.norm(root)

        def multiply(vector: NDArray[np.float64]) -> NDArray[np.float64]:
            whole = np.zeros((size, 1))
            whole[:n_items, 0] = root * (vector.ravel() - (along @ vector.ravel()) * along)
            solved = root * self._solve(whole, 1e-4)[:n_items, 0]
            return np.asarray(solved - (along @ solved) * along)

        inverse = LinearOperator((n_items, n_items), matvec=multiply, dtype=np.float64)
        ramp = np.linspace(-1.0, 1.0, n_items)
        return float(eigsh(inverse, k=1, which="LA", v0=ramp, tol=1e-2, return_eigenvectors=False)[0])


def _not_certain(robust: NDArray[np.float64], by_model: NDArray[np.float64], n_pieces: float) -> NDArray[np.float64]:
    """Variances with one vote, or cluster, more as the model has it, where they are less than half the model's."""
    return np.asarray(robust + np.maximum(by_model - 2.0 * robust, 0.0) / (n_pieces + 1.0))
