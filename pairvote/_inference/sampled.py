"""The posterior of scores whose prior is learned, from draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.learned import SEED, Draws, unvoted
from pairvote._inference.posterior import Learned, Posterior
from pairvote._inference.prior import Prior
from pairvote._inference.robust import Sandwich
from pairvote._inference.sums import LocalSums

Floats = NDArray[np.float64]
# Rounds in which units are found, since scores in other units are centred again.
N_ROUNDS = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class SampledPosterior(Posterior):
    """Means, covariances and quantiles of draws; errors without the model go out from their variances.

    The model has the normal prior of the learned spread, for those errors and for whoever fits more votes like these.
    The solution holds the means of the draws. draws: (n_draws, size), of which seven digits are enough. numbers:
    (n_draws, 11), those of the prior as `Draws` has them, where scores follow features.
    """

    draws: NDArray[np.float32]
    numbers: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, posterior: Posterior, draws: Draws) -> Posterior:
        """The posterior from draws that began at a fit under a normal prior; their means alone where no errors are."""
        solution = replace(posterior.solution, parameters=draws.parameters.mean(axis=0), upper=None)
        low, middle, high = np.quantile(draws.spreads(), [0.025, 0.5, 0.975]).tolist()
        learned = Learned(middle, low, high)
        model = replace(posterior.model, prior=Prior.of(middle))
        if posterior.uncertainty == "none":
            return replace(posterior, model=model, solution=solution, learned=learned)
        # Only scores that follow features say something of items that are not there.
        follows = isinstance(model.sums, LocalSums) and model.sums.n_features > 0
        return cls(
            model,
            solution,
            posterior.uncertainty,
            posterior.rows,
            posterior.squared,
            learned,
            posterior.dispersion,
            posterior.voters,
            draws=draws.parameters.astype(np.float32),
            numbers=draws.numbers.astype(np.float32) if follows else None,
        )

    def of_more_items(self, n_items: int) -> Floats | None:
        """Draws of scores of more items, of which only the prior speaks: shape (n_draws, n_items), or None."""
        if self.is_robust or self.numbers is None:
            return None
        return unvoted(self.numbers.astype(np.float64), n_items, np.random.Generator(np.random.PCG64(SEED)))

    @property
    def samples(self) -> Floats | None:
        """The draws of the centred scores: float64, shape (n_draws, n_items); None beside errors without the model."""
        return None if self.is_robust else self.draws[:, : self.model.n_items].astype(np.float64)

    @property
    def drawn_parameters(self) -> Floats | None:
        """The draws of all parameters, scores of mean zero; None beside errors without the model."""
        return None if self.is_robust else self.draws.astype(np.float64)

    @cached_property
    def _inverse(self) -> Floats:
        return self._centred(np.atleast_2d(np.cov(self.draws.astype(np.float64), rowvar=False)))

    def _centred(self, covariance: Floats) -> Floats:
        """The covariance of all parameters, its scores less their mean."""
        scores, covariance = self.model.layout.scores, covariance.copy()
        covariance[scores] -= covariance[scores].mean(axis=0)
        covariance[:, scores] -= covariance[:, scores].mean(axis=1, keepdims=True)
        return covariance

    def prior_share(self) -> float:
        """How much the prior decides, of a normal prior of the learned spread."""
        return Posterior(self.model, self.solution).prior_share()

    @cached_property
    def _sandwich(self) -> Sandwich:
        """That of the normal approximation, in units in which its standard deviations are those of the draws.

        With the covariance C of the draws itself C (B + C^-1 - H) C need not be positive: the draws may be skew, or too
        few for an inverse.
        """
        inverse = Posterior(self.model, self.solution)._inverse
        found = Sandwich.of(self.model, self.parameters, inverse, rows=self.rows, squared=self.squared)
        # What lies along the mean score would come into the others in other units.
        inverse = self._centred(inverse)
        unit = np.ones(len(inverse))
        for _ in range(N_ROUNDS):
            unit *= np.sqrt(self._inverse.diagonal() / self._centred(inverse * np.outer(unit, unit)).diagonal())
        units = np.outer(unit, unit)
        prior = found.prior / (unit**2 if found.prior.ndim == 1 else units)
        return replace(found, inverse=inverse * units, middle=found.middle / units, prior=prior)
