"""The posterior of scores whose prior is learned, from draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.learned import Draws
from pairvote._inference.posterior import Learned, Posterior, centred
from pairvote._inference.prior import Prior
from pairvote._inference.robust import Sandwich, centred_variances

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class SampledPosterior(Posterior):
    """Means, covariances and quantiles of draws; errors without the model go out from their variances.

    The model has the normal prior of the learned spread, for those errors and for whoever fits more votes like these.
    The solution holds the means of the draws.
    """

    draws: Draws

    @classmethod
    def of(cls, posterior: Posterior, draws: Draws) -> SampledPosterior:
        """The posterior from draws that began at a fit under a normal prior."""
        solution = replace(posterior.solution, parameters=draws.parameters.mean(axis=0), upper=None)
        low, middle, high = np.quantile(draws.spreads(), [0.025, 0.5, 0.975]).tolist()
        return cls(
            replace(posterior.model, prior=Prior.of(middle)),
            solution,
            posterior.uncertainty,
            posterior.rows,
            posterior.squared,
            Learned(middle, low, high),
            draws=draws,
        )

    @property
    def samples(self) -> Floats | None:
        """The draws of the centred scores: float64, shape (n_draws, n_items); None beside errors without the model."""
        return None if self.is_robust else self.draws.parameters[:, : self.model.n_items]

    @cached_property
    def _inverse(self) -> Floats:
        """The covariance of the draws; along the mean score, of which there is no variance, that of one score."""
        layout, parameters = self.model.layout, self.draws.parameters
        covariance = np.atleast_2d(np.cov(parameters, rowvar=False))
        scores = (layout.scores, layout.scores)
        covariance[scores] = centred(covariance[scores])
        covariance[scores] += np.trace(covariance[scores]) / layout.n_items**2
        return covariance

    @cached_property
    def _sandwich(self) -> Sandwich:
        """That of the normal approximation, in units in which its standard deviations are those of the draws.

        With the covariance C of the draws itself C (B + C^-1 - H) C need not be positive: the draws may be skew, or too
        few for an inverse.
        """
        n_items, inverse = self.model.n_items, Posterior(self.model, self.solution)._inverse
        found = Sandwich.of(self.model, self.parameters, inverse, rows=self.rows, squared=self.squared)
        variances = [
            np.concatenate([centred_variances(each, n_items), each.diagonal()[n_items:]])
            for each in (self._inverse, inverse)
        ]
        unit = np.sqrt(variances[0] / variances[1])
        units = np.outer(unit, unit)
        prior = found.prior / (unit**2 if found.prior.ndim == 1 else units)
        return replace(found, inverse=inverse * units, middle=found.middle / units, prior=prior)
