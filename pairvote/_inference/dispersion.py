r"""How much less than wins and losses graded votes scatter.

A share y of a vote with the mean p has at most the variance :math:`p (1 - p)` of a win or a loss, and
:math:`E[(y - p)^2] = p (1 - p) - E[y (1 - y)]`. So over votes of weight w the variance is

.. math:: \varphi = 1 - \frac{\sum w\, y (1 - y)}{\sum w\, p (1 - p)}

times that of wins and losses: 1 for whole votes, of which :math:`y (1 - y) = 0`. As in every quasi-likelihood,
:math:`1 / \varphi` times the log-likelihood has the information that the votes have. That changes nothing of what the
votes say by themselves, only how much they weigh against a prior: without it, scores of votes that scatter little would
be drawn together as if they scattered much, and no errors around them would hold.

The chances are those of the fit, in which a vote more as the model has it keeps phi from zero. They lie nearer to the
votes than the true ones: k scores that are free to follow n votes take up k of them, so phi is multiplied by
n / (n - k), up to 1.

References
----------
McCullagh and Nelder (1989), "Generalized Linear Models", sections 4.5 and 9.2. Papke and Wooldridge (1996),
"Econometric methods for fractional response variables", J. Appl. Econometrics 11, equations 5 to 9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.sums import Likelihood, LocalSums

# Rounds in which the dispersion of graded votes is found, and the relative change at which it is.
MOST_ROUNDS = 20
SAME_DISPERSION = 1e-7


def dispersion(
    sums: LocalSums, likelihood: Likelihood, parameters: NDArray[np.float64], n_free: int | None = None
) -> float:
    """Phi at these parameters, above 0 and at most 1; n_free: that of free parameters, by default of the scores."""
    if sums.spread is None:
        return 1.0
    gradient, information, votes = sums.by_outcome(likelihood, parameters)
    n_votes, of_model = float(votes.sum()), float((votes * information).sum())
    if not of_model > 0.0:
        return 1.0
    # The squares of what a win of either side would add to the gradient, less that of what the share adds.
    less = float(sums.spread @ np.square(gradient[Outcome.LEFT] - gradient[Outcome.RIGHT]))
    if n_free is None:
        n_free = sums.pairs.n_items - len(np.unique(sums.components()))
    if n_votes <= n_free + 1:
        return 1.0
    part = 1.0 - less / (of_model * (1.0 + 1.0 / n_votes))
    return min(max(part, 1.0 / (n_votes + 1.0)) * n_votes / (n_votes - n_free), 1.0)
