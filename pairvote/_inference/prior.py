r"""The normal prior of a fit: of each score as asked for, and a weak one of every parameter beside the scores.

The prior of the scores is the user's, and each score's is independent of the others. Where it is finite, the tie
parameter's logarithm has

.. math:: \eta \sim N(\eta_0, 3^2)

with :math:`\eta_0` the value at which half of the votes between level items are ties, and what else favours the left in
a vote, :math:`z'\delta` with the position effect and coefficients :math:`\delta` and with z of a 1 and the covariates,

.. math:: \delta \sim N(0, 3^2 M^{-1}), \qquad M = \overline{z z'},

the mean over all votes. Without covariates that is :math:`\gamma \sim N(0, 3^2)`. The information of n votes on level
items is n M / 4, so in every direction this prior weighs as much as half a vote; and it is the same whatever units,
origins or sums of the covariates are taken (Zellner 1986, "On assessing prior distributions and Bayesian regression
analysis with g-prior distributions"). These priors keep estimates finite where the first votes are all ties, or all won
by the left side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.sums import Likelihood

Floats = NDArray[np.float64]
# What a user may ask for: a standard deviation in log-odds, `math.inf` for maximum likelihood, or a learned prior.
PriorOption = float | Literal["learned"]
# The standard deviation of the priors of parameters beside the scores.
WEAK_SD = 3.0
# The odds of a tie among all votes, at level scores, at the centre of a tie parameter's prior.
CENTRAL_ODDS = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Prior:
    """A normal prior of the scores, with weak ones beside them; flat if the precision is 0.

    precision: 1 / sd^2 of each score; a number where all have the same, or (n_items,), above 0. centre: the mean; 0
    where all have the same, or (n_items,). spread: where scores differ in it, the standard deviation that the prior has
    as a whole.
    """

    precision: float | Floats
    centre: float | Floats = 0.0
    spread: float | None = None

    @classmethod
    def of(cls, prior: float | Prior) -> Prior:
        """A standard deviation of scores around 0, `math.inf` for none, as a prior; a prior as it is."""
        if isinstance(prior, Prior):
            return prior
        return cls(precision=0.0 if math.isinf(prior) else float(prior) ** -2.0)

    @property
    def is_finite(self) -> bool:
        """Whether there is a prior at all."""
        return bool(np.any(np.asarray(self.precision) > 0.0))

    @property
    def is_common(self) -> bool:
        """Whether all scores have the same prior, so that the best of all shifts of the scores is to mean zero."""
        return np.ndim(self.precision) == 0 and np.ndim(self.centre) == 0

    @property
    def sd(self) -> float:
        """The standard deviation that all scores have, or the prior as a whole; infinite without a prior."""
        if not self.is_common:
            return math.nan if self.spread is None else self.spread
        return float(self.precision) ** -0.5 if self.is_finite else math.inf

    @staticmethod
    def weak_precision(outcome: OutcomeModel) -> float:
        """The precision of the parameters beside the scores, in the unit of the outcome model's link."""
        return (WEAK_SD / outcome.link.unit) ** -2.0

    def of_all(self, likelihood: Likelihood) -> tuple[Floats, Floats]:
        """The precision and the centre of each parameter, if there are no covariates: two of float64, shape (size,)."""
        outcome, layout = likelihood
        precisions, centres = np.zeros((2, layout.size))
        if self.is_finite:
            precisions[layout.scores], centres[layout.scores] = self.precision, self.centre
            precisions[layout.beside] = self.weak_precision(outcome)
            centres[layout.nuisance] = outcome.start(CENTRAL_ODDS)
        return precisions, centres
