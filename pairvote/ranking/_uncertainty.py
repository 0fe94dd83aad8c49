"""Covariances of scores: known, scaled, or combined; and the variances of differences that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._inference import centred

# What rounding leaves of the variance of two items that never differ, as a part of their own variances.
ROUNDING = 1e-14


class Uncertainty(Protocol):
    """Anything that knows the covariance of centred scores."""

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """Scores as they might have come out, where there are any: shape (n_samples, n_items)."""

    def covariance(self) -> NDArray[np.float64]:
        """The whole covariance: float64, shape (n_items, n_items)."""

    def variances(self) -> NDArray[np.float64]:
        """The diagonal of the covariance, which may cost less than the whole: float64, shape (n_items,)."""

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores; the contrast adds up to zero."""


@dataclass(frozen=True, eq=False)
class Known:
    """A covariance that was computed elsewhere."""

    matrix: NDArray[np.float64]
    samples: NDArray[np.float64] | None = None

    @classmethod
    def of_samples(cls, samples: NDArray[np.float64]) -> Known:
        """The covariance of centred samples, such as those of a bootstrap: shape (n_samples, n_items), from two."""
        deviations = samples - samples.mean(axis=0)
        return cls(centred(deviations.T @ deviations / (len(samples) - 1)), samples)

    def covariance(self) -> NDArray[np.float64]:
        """The whole covariance: float64, shape (n_items, n_items)."""
        return self.matrix

    def variances(self) -> NDArray[np.float64]:
        """The diagonal: float64, shape (n_items,)."""
        return np.diag(self.matrix)

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        return float(contrast @ self.matrix @ contrast)


@dataclass(frozen=True, eq=False)
class Scaled:
    """The covariance of scores that were multiplied by a factor."""

    unscaled: Uncertainty
    scale: float

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """The samples, multiplied; their origin is not that of the scores."""
        samples = self.unscaled.samples
        return None if samples is None else samples * self.scale

    def covariance(self) -> NDArray[np.float64]:
        """The whole covariance: float64, shape (n_items, n_items)."""
        return self.unscaled.covariance() * self.scale**2

    def variances(self) -> NDArray[np.float64]:
        """The diagonal: float64, shape (n_items,)."""
        return self.unscaled.variances() * self.scale**2

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        return self.unscaled.contrast_variance(contrast) * self.scale**2


@dataclass(frozen=True, eq=False)
class Combined:
    """The covariance of a weighted sum of scores that come from different votes: sum w^2 Sigma."""

    parts: tuple[Uncertainty, ...]
    weights: tuple[float, ...]

    @property
    def samples(self) -> None:
        """None; scores are drawn from the normal instead."""
        return None

    def covariance(self) -> NDArray[np.float64]:
        """The whole covariance: float64, shape (n_items, n_items)."""
        return self._sum([part.covariance() for part in self.parts])

    def variances(self) -> NDArray[np.float64]:
        """The diagonal: float64, shape (n_items,)."""
        return self._sum([part.variances() for part in self.parts])

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        return float(
            sum(w**2 * part.contrast_variance(contrast) for w, part in zip(self.weights, self.parts, strict=True))
        )

    def _sum(self, terms: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(sum(w**2 * term for w, term in zip(self.weights, terms, strict=True)))


def difference_variance(uncertainty: Uncertainty, one: int, other: int, n_items: int) -> float:
    """The variance of one item's score less another's, by their codes."""
    contrast = np.zeros(n_items)
    contrast[one] += 1.0
    contrast[other] -= 1.0
    return max(uncertainty.contrast_variance(contrast), 0.0)


def difference_variances(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance of the difference of each two: float64, shape (n_items, n_items); what rounding leaves is 0."""
    variances = np.diag(covariance)
    sums = variances[:, None] + variances
    differences = sums - 2.0 * covariance
    differences[differences <= ROUNDING * sums] = 0.0
    np.fill_diagonal(differences, 0.0)
    return differences
