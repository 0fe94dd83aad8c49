"""What a ranking can know of the covariance of its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Uncertainty(Protocol):
    """Whatever knows the covariance of centred scores."""

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """Scores as they might have come out, shape (n_samples, n_items), where there are such."""

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""

    def variances(self) -> NDArray[np.float64]:
        """The diagonal of the covariance, which may cost less than the whole: float64, shape (n_items,)."""

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores, the contrast adding up to zero."""


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

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        return float(contrast @ self.matrix @ contrast)


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
        """None: whoever needs some draws them from the normal."""
        return None

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""
        return self._sum([part.covariance() for part in self.parts])

    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,)."""
        return self._sum([part.variances() for part in self.parts])

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        return float(
            sum(w**2 * part.contrast_variance(contrast) for w, part in zip(self.weights, self.parts, strict=True))
        )

    def _sum(self, terms: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(sum(w**2 * term for w, term in zip(self.weights, terms, strict=True)))
