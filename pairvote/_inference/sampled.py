"""The posterior of scores whose prior is learned, from draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.learned import Draws
from pairvote._inference.posterior import Learned, Posterior, centred
from pairvote._inference.robust import Sandwich, symmetric
from pairvote._inference.systems import dense_information

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class SampledPosterior(Posterior):
    """Means, covariances and quantiles of draws; errors without the model go out from their covariance.

    The model has the normal prior whose spread is about the learned one's, for whoever fits more votes like these. Its
    solution holds the means of the draws.
    """

    draws: Draws

    @classmethod
    def of(cls, posterior: Posterior, draws: Draws) -> SampledPosterior:
        """The posterior from draws that began at a fit under a normal prior."""
        solution = replace(posterior.solution, parameters=draws.parameters.mean(axis=0), upper=None)
        low, middle, high = np.quantile(draws.spreads(), [0.025, 0.5, 0.975]).tolist()
        return cls(
            posterior.model,
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
        """Of the draws' covariance C and the votes' information H, with the prior C^-1 - H."""
        model, parameters = self.model, self.parameters
        information = symmetric(dense_information(model.counts, model.slopes(parameters), anchored=False))
        prior = np.linalg.inv(self._inverse) - information + model.prior_products(np.eye(len(information)))
        return Sandwich.of(model, parameters, self._inverse, rows=self.rows, squared=self.squared, prior=prior)
