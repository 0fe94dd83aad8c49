r"""Where to begin the fit of many items that met many others: not far from where it will end.

Where opponents are well mixed, those of any item scatter as all items do, normally with variance :math:`V`. An item
at s then takes the share :math:`\mathrm{E}\,S(s - z)` of its votes, where :math:`z \sim N(0, V)` and :math:`S(d)` is
the chance of a win and half that of a tie; and of all votes :math:`\mathrm{E}\,P_{tie}(z)` are ties, with
:math:`z \sim N(0, 2V)`. Both are averages over a normal, taken by Gauss and Hermite's quadrature, and the first one's
inverse is read off a grid. V is the variance of the scores so found, less what chance adds to them, and the tie
parameter is moved by what is lacking in ties, a few times in turn.

References
----------
MacKay (1992), "The evidence framework applied to classification networks", Neural Computation 4(5), for the mean of a
logistic curve over a normal.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.models import Model

ROUNDS = 3
GRID = np.linspace(-8.0, 8.0, 65)
# Of ties and wins of the left side; of what the left side's vote counts.
TIE, SHARE = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.5, 1.0])


def well_mixed_start(model: Model) -> NDArray[np.float64]:
    """Parameters to begin at, of mean zero, for items that met many others."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(11)
    weights /= weights.sum()
    parameters, n_items, outcome, layout = model.start(), model.n_items, model.outcome, model.layout
    lost, tied, won = model.totals.T[:3]
    tied = 0.5 * outcome.tie_weight * tied
    asked = won + lost + 2.0 * tied + 1.0
    share = (won + tied + 0.5) / asked
    by_chance = share * (1.0 - share) / asked
    scores, variance = parameters[layout.scores], 0.0
    for _ in range(ROUNDS):
        opponents = math.sqrt(variance) * nodes
        curve = model.probabilities(GRID[:, None] - opponents, parameters) @ SHARE @ weights
        scores[:] = np.interp(share, curve, GRID)
        scores -= scores.mean()
        slope = np.interp(scores, GRID, np.gradient(curve, GRID))
        variance = max(float(scores @ scores - (by_chance / slope**2).sum()) / n_items, 0.0)
        if layout.n_nuisance and model.n_decided:
            apart = math.sqrt(2.0 * variance) * nodes
            chance = float(model.probabilities(apart, parameters) @ TIE @ weights)
            lacking = model.n_ties / model.n_decided * (1.0 - chance) / chance
            parameters[layout.nuisance] = outcome.with_odds_times(parameters[layout.nuisance], lacking)
    return parameters
