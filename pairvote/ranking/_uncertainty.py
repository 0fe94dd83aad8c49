"""Covariances of scores: known, scaled, or combined; and the variances of differences that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._inference import LIMITS, centred
from pairvote.errors import InputError

# What rounding leaves of the variance of two items that never differ, as a part of their own variances.
ROUNDING = 1e-14


class Uncertainty(Protocol):
    """Anything that knows the covariance of centred scores."""

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """Draws from the posterior, or scores of resamples, where there are any: shape (n_samples, n_items)."""

    @property
    def is_posterior(self) -> bool:
        """Whether scores have a posterior given the votes: there is a prior, and no resampling in its place."""

    @property
    def degrees_of_freedom(self) -> float:
        """Those of the t distribution that the scores follow; infinite where it is a normal one."""

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
    degrees_of_freedom: float = math.inf
    is_posterior: bool = False

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
class Independent:
    """Scores that are each known by themselves, as Glicko-2's are: variances without covariances."""

    diagonal: NDArray[np.float64]
    samples: None = None
    degrees_of_freedom: float = math.inf
    is_posterior: bool = True

    def covariance(self) -> NDArray[np.float64]:
        """The whole covariance: float64, shape (n_items, n_items)."""
        if len(self.diagonal) > LIMITS.table_items:
            raise InputError(
                f"the covariance of {len(self.diagonal):,} items would fill the memory; it is given for up to "
                f"{LIMITS.table_items:,}, and standard_errors for any number"
            )
        return np.diag(self.diagonal)

    def variances(self) -> NDArray[np.float64]:
        """The diagonal: float64, shape (n_items,)."""
        return self.diagonal.copy()

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        return float(contrast**2 @ self.diagonal)


@dataclass(frozen=True, eq=False)
class Scaled:
    """The covariance of scores that were multiplied by a factor, and then moved by `origin`."""

    unscaled: Uncertainty
    scale: float
    origin: float = 0.0

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """The samples, multiplied and moved as the scores are."""
        samples = self.unscaled.samples
        return None if samples is None else samples * self.scale + self.origin

    @property
    def degrees_of_freedom(self) -> float:
        """Those of the scores before."""
        return self.unscaled.degrees_of_freedom

    @property
    def is_posterior(self) -> bool:
        """Whether the unscaled scores have a posterior."""
        return self.unscaled.is_posterior

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
    def samples(self) -> NDArray[np.float64] | None:
        """The weighted sums of the draws of all parts, where all have some.

        Each part's are taken from another place on, so that parts whose draws began at one seed are independent.
        """
        samples = [part.samples for part in self.parts]
        known = [drawn for drawn in samples if drawn is not None]
        if len(known) < len(samples):
            return None
        n_draws = min(map(len, known))
        n_parts = len(known)
        moved = [np.roll(drawn[:n_draws], n_draws * place // n_parts, axis=0) for place, drawn in enumerate(known)]
        return np.asarray(sum(weight * drawn for weight, drawn in zip(self.weights, moved, strict=True)))

    @property
    def is_posterior(self) -> bool:
        """Whether the scores of all parts have a posterior."""
        return all(part.is_posterior for part in self.parts)

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Those of the sum, on average over items, by Satterthwaite's rule for a sum of variances."""
        known = [part.degrees_of_freedom for part in self.parts]
        if all(map(math.isinf, known)):
            return math.inf
        terms = [w**2 * part.variances().sum() for w, part in zip(self.weights, self.parts, strict=True)]
        squares = sum(term**2 / freedom for term, freedom in zip(terms, known, strict=True))
        return float(sum(terms) ** 2 / squares) if squares else math.inf

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


@dataclass(frozen=True, eq=False)
class Chosen:
    """The uncertainty of some of the scores, which stay centred over all items."""

    whole: Uncertainty
    codes: NDArray[np.intp]
    n_items: int

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """The samples of these items."""
        samples = self.whole.samples
        return None if samples is None else samples[:, self.codes]

    @property
    def is_posterior(self) -> bool:
        """Whether the whole has a posterior."""
        return self.whole.is_posterior

    @property
    def degrees_of_freedom(self) -> float:
        """Those of the whole."""
        return self.whole.degrees_of_freedom

    def covariance(self) -> NDArray[np.float64]:
        """The rows and columns of these items: float64, shape (n_chosen, n_chosen)."""
        return self.whole.covariance()[np.ix_(self.codes, self.codes)]

    def variances(self) -> NDArray[np.float64]:
        """The diagonal: float64, shape (n_chosen,)."""
        return self.whole.variances()[self.codes]

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ scores."""
        whole = np.zeros(self.n_items)
        whole[self.codes] = contrast
        return self.whole.contrast_variance(whole)


def symmetric_root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root that is symmetric, which unlike the eigenvectors does not turn with rounding."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def stretches(degrees_of_freedom: float, n_draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """What draws from a normal are multiplied by to be draws from a multivariate t: float64, shape (n_draws,)."""
    if math.isinf(degrees_of_freedom):
        return np.ones(n_draws)
    return np.sqrt(degrees_of_freedom / rng.chisquare(degrees_of_freedom, n_draws))


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
