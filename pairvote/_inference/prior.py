r"""The normal prior of a fit: of each score as asked for, and a weak one of every parameter beside the scores.

Each parameter has a normal prior of its own, independent of the others. That of the scores is the user's; where it is
finite, those of the tie parameter's logarithm, the position effect and the coefficients are

.. math:: \eta \sim N(\eta_0, 3^2), \qquad \gamma \sim N(0, 3^2), \qquad \beta_k \sim N(0, 3^2 / \overline{x_k^2}),

with :math:`\eta_0` the value at which half of the votes between level items are ties, and :math:`\overline{x_k^2}` the
mean square of a covariate over the votes, so that its units do not matter. The information of n votes is at most
n / 4 for :math:`\gamma` and :math:`n \overline{x_k^2} / 4` for :math:`\beta_k`, so these priors weigh as much as half a
vote on level items. They keep estimates finite where the first votes are all ties, or all won by the left side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.sums import Likelihood

Floats = NDArray[np.float64]
# The standard deviation of the priors of parameters beside the scores.
WEAK_SD = 3.0
# The odds of a tie among all votes, at level scores, at the centre of a tie parameter's prior.
CENTRAL_ODDS = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Prior:
    """A normal prior of the scores, with weak ones beside them; flat if the precision is 0.

    precision: 1 / sd^2 of each score; a number where all have the same, or (n_items,), above 0. centre: the mean; 0
    where all have the same, or (n_items,).
    """

    precision: float | Floats
    centre: float | Floats = 0.0

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
        """The standard deviation that all scores have; infinite without a prior, and nan where they differ."""
        if not self.is_common:
            return math.nan
        return float(self.precision) ** -0.5 if self.is_finite else math.inf

    def of_all(self, likelihood: Likelihood, covariate_squares: Floats) -> tuple[Floats, Floats]:
        """The precision and the centre of each parameter of a likelihood: two of float64, shape (size,).

        covariate_squares: the mean square of each covariate, (n_covariates,).
        """
        outcome, layout = likelihood
        precisions, centres = np.zeros((2, layout.size))
        if self.is_finite:
            precisions[layout.scores], centres[layout.scores] = self.precision, self.centre
            precisions[layout.beside] = WEAK_SD**-2.0
            precisions[layout.coefficients] *= covariate_squares
            centres[layout.nuisance] = outcome.start(CENTRAL_ODDS)
        return precisions, centres
