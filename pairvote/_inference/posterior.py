"""The uncertainty of a fit, worked out when it is first asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.clustered import corrected_gradients
from pairvote._inference.many_items import ManyItems
from pairvote._inference.models import Model
from pairvote._inference.solver import Solution
from pairvote._inference.systems import dense_information, factor
from pairvote._inference.vote_rows import VoteRows
from pairvote._kernels import davidson
from pairvote.errors import MissingUncertaintyError

UncertaintyKind = Literal["model", "sandwich", "by-voter", "none"]
# Rows that are copied together, so few that they stay in a fast cache.
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Posterior:
    """A normal approximation at the maximum: P Sigma P with P = I - 11'/n.

    Sigma is the block of the scores in the inverse of the whole information H, or for "sandwich" in
    H^-1 (M + Q) H^-1, with M the sum of the outer products of the votes' gradients and Q the prior's
    precision, so that it equals H^-1 where the model holds (White 1982, "Maximum likelihood estimation of
    misspecified models", Econometrica 50, theorem 3.2, with the prior as more observations). For "by-voter", M is made
    of the gradients of voters, whose single votes are `rows` (`pairvote._inference.clustered`).
    """

    model: Model
    solution: Solution
    uncertainty: UncertaintyKind = "model"
    rows: VoteRows | None = None

    @property
    def parameters(self) -> NDArray[np.float64]:
        """The parameters at the maximum, in the order of the model's layout."""
        return self.solution.parameters

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores at the maximum, of mean zero: float64, shape (n_items,)."""
        return self.solution.parameters[: self.model.n_items]

    @property
    def tie_parameter(self) -> float:
        """The public tie parameter."""
        return self.model.tie_parameter(self.solution.parameters)

    @property
    def position_effect(self) -> float:
        """What standing on the left adds, in log-odds."""
        return self.model.position_effect(self.solution.parameters)

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """The coefficients of the covariates: float64, shape (n_covariates,)."""
        return self.solution.parameters[self.model.layout.coefficients]

    @property
    def sandwich(self) -> bool:
        """Whether errors hold without the model."""
        return self.uncertainty in ("sandwich", "by-voter")

    @property
    def samples(self) -> None:
        """None: whoever needs some draws them from the normal."""
        return None

    @property
    def is_posterior(self) -> bool:
        """Whether there is a prior; by maximum likelihood there is none, and so no posterior."""
        return self.model.prior_precision > 0.0

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""
        n_items = self.model.n_items
        if not self.model.is_local:
            raise MissingUncertaintyError(
                "the covariance is not given where the pairs lie apart on a cluster, but standard_errors and "
                "difference() are; gather() the counts and fit those to have it"
            )
        largest = self.model.limits.table_items
        if n_items > largest:
            raise MissingUncertaintyError(
                f"the covariance of {n_items:,} items would take {n_items**2 * 8 / 2**30:.1f} GiB; it is given "
                f"for up to {largest:,}, but standard_errors and difference() for any number"
            )
        return centred(self._covariance[:n_items, :n_items])

    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,): S_ii less twice its row's mean plus the mean of all."""
        n_items = self.model.n_items
        if not self._dense:
            return self._of_many.variances
        # First what our own threads do: those of the BLAS go on looking for work for a while.
        middle = self._middle if self.sandwich else None
        inverse = self._inverse
        average = np.zeros(len(inverse))
        average[:n_items] = 1.0 / max(n_items, 1)
        if middle is not None:
            shares = inverse @ average
            diagonal, means = np.empty(n_items), np.empty(n_items)
            # So few columns at a time that their product is at hand when it is summed.
            for first in range(0, n_items, BLOCK):
                block = slice(first, min(first + BLOCK, n_items))
                columns = inverse[block].T
                half = _times(middle, columns)
                diagonal[block], means[block] = np.einsum("ij,ij->j", half, columns), shares @ half
        else:
            diagonal, means = inverse.diagonal()[:n_items], (average @ inverse)[:n_items]
        average = average[:n_items]
        return np.asarray(diagonal - 2.0 * means + average @ means)

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ parameters; its entries for the scores, which may be all, add up to zero."""
        whole = np.zeros(len(self.solution.parameters))
        whole[: len(contrast)] = contrast
        if self._dense:
            return float(whole @ self._covariance @ whole)
        return self._of_many.contrast_variance(whole)

    @cached_property
    def _errors_beside(self) -> NDArray[np.float64]:
        """The standard errors of the parameters beside the scores: float64, shape (n_beside,)."""
        layout = self.model.layout
        contrasts = np.eye(layout.n_beside, layout.size, layout.n_items)
        return np.sqrt([self.contrast_variance(contrast) for contrast in contrasts])

    def tie_error(self) -> float:
        """The standard error of the public tie parameter, by the delta method; 0 when nobody tied."""
        layout = self.model.layout
        if not layout.n_nuisance:
            return 0.0
        contrast = np.zeros(layout.size)
        contrast[layout.nuisance] = self.model.outcome.tie_slope(self.parameters[layout.nuisance])
        return math.sqrt(self.contrast_variance(contrast))

    def position_error(self) -> float:
        """The standard error of the position effect; 0 without one."""
        layout = self.model.layout
        return float(self._errors_beside[layout.n_nuisance]) if layout.has_position else 0.0

    def coefficient_errors(self) -> NDArray[np.float64]:
        """The standard errors of the coefficients: float64, shape (n_covariates,)."""
        layout = self.model.layout
        return self._errors_beside[layout.n_beside - layout.n_covariates :]

    def approximation_error(self) -> float:
        """How far standard errors are off at most, of 30 items that were solved exactly; 0 where all are."""
        return 0.0 if self._dense else self._of_many.error

    @property
    def _dense(self) -> bool:
        """Whether the inverse of the whole information is at hand."""
        return self.model.is_local and self.model.n_items <= self.model.limits.table_items

    @cached_property
    def _of_many(self) -> ManyItems:
        return ManyItems(self.model, self.solution, self.sandwich, self.rows)

    @cached_property
    def _covariance(self) -> NDArray[np.float64]:
        if not self.sandwich:
            return self._inverse
        half = _times(self._middle, self._inverse)
        return self._inverse @ half

    @cached_property
    def _middle(self) -> NDArray[np.float64]:
        """M + Q."""
        parameters = self.solution.parameters
        if self.rows is None:
            return symmetric(dense_information(self.model.counts, self.model.squares(parameters), anchored=False))
        gradients = corrected_gradients(self.model, parameters, self.rows, self._inverse)
        middle = (gradients.T @ gradients).toarray()
        return np.asarray(middle + self.model.prior_products(np.eye(len(middle))))

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        # The factor at hand is that of one step before, from which parts of the information must not be taken off.
        if self.solution.upper is not None and self.rows is None:
            inverse = np.zeros(self.solution.upper.size)
            davidson.invert_factored(self.solution.upper, inverse)
            return inverse.reshape(self.solution.upper.shape)
        from scipy.linalg.lapack import dpotri

        slopes = self.model.slopes(self.solution.parameters)
        matrix = dense_information(self.model.counts, slopes, anchored=self.model.prior.is_common)
        if not len(matrix):
            return matrix
        lower, _ = dpotri(factor(matrix), lower=1, overwrite_c=1)
        return symmetric(lower.T)

    def log_likelihood(self) -> float:
        """The log-likelihood at the maximum, without the prior."""
        return self.model.log_likelihood(self.solution.parameters)

    def prior_share(self) -> float:
        """A contrast's variance over that by the prior alone, where it is largest: how much the prior decides.

        A contrast c = Q^1/2 y, Q the prior's precision, adds up to zero where y is orthogonal to u, the square roots of
        the scores' precisions. So that is the largest eigenvalue of Q^1/2 Sigma Q^1/2 orthogonal to u.
        """
        n_items = self.model.n_items
        if not self.model.prior.is_finite or n_items < 2:
            return 0.0
        if not self._dense:
            return min(self._of_many.largest_share(), 1.0)
        root = np.sqrt(self.model.precisions)
        along = root / np.linalg.norm(root)
        scaled = root * self._inverse[:n_items, :n_items] * root[:, None]
        means = along @ scaled
        # What is taken off each side, so that nothing is left along u.
        taken = np.outer(along, means - 0.5 * (along @ means) * along)
        return float(min(np.linalg.eigvalsh(scaled - taken - taken.T)[-1], 1.0))


def _times(middle: NDArray[np.float64], inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of two symmetric matrices, of the second perhaps only the first columns.

    By scipy's BLAS, as the factor before it: numpy has one of its own, whose threads would wait for those of scipy's,
    which go on looking for work for a while.
    """
    from scipy.linalg.blas import dsymm

    return np.asarray(dsymm(1.0, middle.T, inverse, lower=1))


def symmetric(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix with its upper triangle, in rows, copied to the lower, in place."""
    for first in range(0, len(matrix), BLOCK):
        last = first + BLOCK
        matrix[last:, first:last] = matrix[first:last, last:].T
        corner = matrix[first:last, first:last]
        corner[:] = np.triu(corner) + np.triu(corner, 1).T
    return matrix


def centred(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """P Sigma P with P = I - 11'/n."""
    if not len(covariance):
        return covariance
    average = np.full(len(covariance), 1.0 / len(covariance))
    means = average @ covariance
    return covariance - (means + means[:, None]) + average @ means
