r"""Models of noisy voters, fitted plainly with scipy: a peer's model when it is solved, and what an oracle knows.

crowd-kit's noisy Bradley-Terry lets voter v answer by the scores with the chance :math:`\gamma_v`, or else pick the
left with the chance :math:`\beta_v`:

.. math:: P(left) = \gamma_v\,\sigma(s_l - s_r) + (1 - \gamma_v)\,\beta_v, \qquad
          \gamma_v = \sigma(g_v),\ \beta_v = \sigma(q_v),

each by maximum likelihood. Its own fit has a gradient of g and q that is not that of its likelihood, and ends after a
few steps; `solved` is the same model, start and number of steps with the right gradient.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import pairvote as pv

Floats = NDArray[np.float64]
SOLVED = "its model"
# crowd-kit's, whose value has the other sign than its gradient; the gradient's is the one that pulls scores together.
RIDGE = 1e-5


def log_likelihood(x: Floats, votes: pv.Votes, n_voters: int, ridge: float = RIDGE) -> tuple[float, Floats]:
    """The log-likelihood of crowd-kit's model less its ridge, and the gradient.

    x: the level that scores are pulled to, n_items scores, n_voters q, n_voters g.
    """
    from scipy.special import expit

    n_items, voter = votes.n_items, np.asarray(votes.voter)
    scores = x[1 : n_items + 1]
    q, g = x[n_items + 1 : n_items + 1 + n_voters][voter], x[n_items + 1 + n_voters :][voter]
    y = np.where(votes.outcome == pv.Outcome.LEFT, 1.0, -1.0)
    by_scores, by_side, attentive = expit(y * (scores[votes.left] - scores[votes.right])), expit(y * q), expit(g)
    chance = attentive * by_scores + (1.0 - attentive) * by_side
    of_lead = y * attentive * by_scores * (1.0 - by_scores) / chance
    of_q = y * (1.0 - attentive) * by_side * (1.0 - by_side) / chance
    of_g = attentive * (1.0 - attentive) * (by_scores - by_side) / chance
    pull = np.tanh((scores - x[0]) / 2.0)
    gradient = np.concatenate(
        [
            [ridge * pull.sum()],
            np.bincount(votes.left, of_lead, n_items) - np.bincount(votes.right, of_lead, n_items) - ridge * pull,
            np.bincount(voter, of_q, n_voters),
            np.bincount(voter, of_g, n_voters),
        ]
    )
    penalty = -np.log(expit(scores - x[0])) - np.log(expit(x[0] - scores))
    return float(np.log(chance).sum() - ridge * penalty.sum()), gradient


def solved(votes: pv.Votes) -> Floats:
    """Scores of crowd-kit's model by crowd-kit's start, steps and tolerance, with the right gradient; no ties."""
    from scipy.optimize import minimize

    n_voters = int(np.asarray(votes.voter).max()) + 1

    def loss(x: Floats) -> tuple[float, Floats]:
        value, gradient = log_likelihood(x, votes, n_voters)
        return -value, -gradient

    start = np.random.RandomState(0).rand(1 + votes.n_items + 2 * n_voters)
    result = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-5})
    return np.asarray(result.x[1 : votes.n_items + 1], np.float64)


def with_slopes(votes: pv.Votes, slopes: Floats, prior_sd: float) -> Floats:
    """The scores that are most likely where each vote's lead counts times a known slope: Newton's method."""
    from scipy.special import expit

    design = np.zeros((len(votes), votes.n_items))
    rows = np.arange(len(votes))
    design[rows, votes.left], design[rows, votes.right] = slopes, -slopes
    won = (votes.outcome == pv.Outcome.LEFT).astype(np.float64)
    scores = np.zeros(votes.n_items)
    for _ in range(100):
        p = expit(design @ scores)
        gradient = design.T @ (won - p) - scores / prior_sd**2
        information = (design.T * (p * (1.0 - p))) @ design + np.eye(votes.n_items) / prior_sd**2
        step = np.linalg.solve(information, gradient)
        scores += step
        if np.abs(step).max() < 1e-9:
            return scores
    raise RuntimeError("Newton's method did not converge in 100 steps")
