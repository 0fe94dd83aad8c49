"""The uncertainty of a fit, worked out when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import davidson
from pairvote.errors import MissingUncertaintyError
from pairvote.models import Model
from pairvote.solver import LARGEST_DENSE, Solution, dense_information, factor


class Uncertainty(Protocol):
    """Whatever knows the covariance of centred scores."""

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """Scores as they might have come out, shape (n_samples, n_items), where there are such."""

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""

    def variances(self) -> NDArray[np.float64]:
        """The diagonal of the covariance, which may cost less than the whole: float64, shape (n_items,)."""


@dataclass(frozen=True, eq=False)
class Known:
    """A covariance that was computed elsewhere, such as that of a bootstrap."""

    matrix: NDArray[np.float64]
    samples: NDArray[np.float64] | None = None

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""
        return self.matrix

    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,)."""
        return np.diag(self.matrix)


@dataclass(frozen=True, eq=False)
class Scaled:
    """The covariance of scores multiplied by a factor."""

    unscaled: Uncertainty
    scale: float

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """The samples of the scores, multiplied; their origin is not that of the scores."""
        samples = self.unscaled.samples
        return None if samples is None else samples * self.scale

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""
        return self.unscaled.covariance() * self.scale**2

    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,)."""
        return self.unscaled.variances() * self.scale**2


@dataclass(frozen=True, eq=False)
class Posterior:
    """A normal approximation at the maximum: P Sigma P with P = I - 11'/n.

    Sigma is the block of the scores in the inverse of the whole information H, or for "sandwich" in
    H^-1 (M + Q) H^-1, with M the sum of the outer products of the votes' gradients and Q the prior's
    precision, so that it equals H^-1 where the model holds (White 1982, "Maximum likelihood estimation of
    misspecified models", Econometrica 50, theorem 3.2, with the prior as further observations).
    """

    model: Model
    solution: Solution
    sandwich: bool = False

    @property
    def samples(self) -> None:
        """None: whoever needs some draws them from the normal."""
        return None

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""
        n_items = self.model.counts.n_items
        whole = self._inverse @ self._meat @ self._inverse if self.sandwich else self._inverse
        return centred(whole[:n_items, :n_items])

    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,): S_ii less twice its row's mean plus the mean of all."""
        n_items = self.model.counts.n_items
        inverse = self._inverse[:, :n_items]
        average = np.full(n_items, 1.0 / max(n_items, 1))
        if self.sandwich:
            half = self._meat @ inverse
            diagonal, means = np.einsum("ij,ij->j", half, inverse), (inverse @ average) @ half
        else:
            diagonal, means = inverse.diagonal(), average @ inverse[:n_items]
        return np.asarray(diagonal - 2.0 * means + average @ means)

    @property
    def _meat(self) -> NDArray[np.float64]:
        meat = self.model.meat(self.solution.parameters)
        upper = np.triu(dense_information(self.model.counts, meat, anchored=False))
        return np.asarray(upper + np.triu(upper, 1).T)

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        n_items = self.model.counts.n_items
        if n_items > LARGEST_DENSE:
            raise MissingUncertaintyError(
                f"standard errors of {n_items:,} items would need a table of {n_items**2 * 8 / 2**30:.1f} GiB; "
                f"they are given for up to {LARGEST_DENSE:,} items, so score fewer or pass uncertainty='none'"
            )
        if self.solution.upper is not None:
            inverse = np.zeros(self.solution.upper.size)
            davidson.invert_factored(self.solution.upper, inverse)
            return inverse.reshape(self.solution.upper.shape)
        from scipy.linalg.lapack import dpotri

        slopes = self.model.slopes(self.solution.parameters)
        matrix = dense_information(self.model.counts, slopes, anchored=True)
        if not len(matrix):
            return matrix
        lower, _ = dpotri(factor(matrix), lower=1, overwrite_c=1)
        lower = np.tril(lower)
        return np.asarray(lower + np.tril(lower, -1).T)

    def log_likelihood(self) -> float:
        """The log-likelihood at the maximum, without the prior."""
        return self.model.log_likelihood(self.solution.parameters)

    def prior_share(self) -> float:
        """The prior's precision over the posterior's, in the direction of centred scores that is least determined."""
        n_items = self.model.counts.n_items
        precision = self.model.prior_precision
        if not precision or n_items < 2:
            return 0.0
        variances = np.linalg.eigvalsh(centred(self._inverse[:n_items, :n_items]))
        return float(min(variances[-1] * precision, 1.0))


def centred(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """P Sigma P with P = I - 11'/n."""
    if not len(covariance):
        return covariance
    average = np.full(len(covariance), 1.0 / len(covariance))
    means = average @ covariance
    return covariance - (means + means[:, None]) + average @ means
