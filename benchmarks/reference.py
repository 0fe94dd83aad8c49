"""The right answers, worked out slowly and by other means than pairvote's or any peer's."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.cases import Scores, SeededVotes

LONGEST_STEP = 2.0


def elo(votes: SeededVotes, k: float = 32.0, initial: float = 1500.0, scale: float = 400.0) -> Scores:
    """Elo ratings by the definition, one vote after another in plain Python.

    References
    ----------
    Elo (1978), "The Rating of Chessplayers, Past and Present", section 1.6.
    """
    ratings = [initial] * votes.n_items
    for left, right, outcome in zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), strict=True):
        expected = 1.0 / (1.0 + 10.0 ** ((ratings[right] - ratings[left]) / scale))
        change = k * (outcome / 2 - expected)
        ratings[left] += change
        ratings[right] -= change
    return np.array(ratings)


def bradley_terry(votes: SeededVotes, prior_sd: float = math.inf) -> Scores:
    """Centred log-odds, a tie being half a win for each side, by Newton steps over the whole table of pairs.

    References
    ----------
    Bradley and Terry (1952), Biometrika 39.
    """
    n_items = votes.n_items
    halves = np.bincount(votes.left * n_items + votes.right, votes.outcome / 2, n_items**2)
    met = np.bincount(votes.left * n_items + votes.right, minlength=n_items**2)
    won = halves.reshape(n_items, n_items) + (met - halves).reshape(n_items, n_items).T
    met_either = won + won.T
    precision = prior_sd**-2
    scores = np.zeros(n_items)
    # The likelihood says nothing of the scores' common level; this holds it.
    level = np.full((n_items, n_items), 1 / n_items)
    for _ in range(100):
        chance = 1 / (1 + np.exp(scores - scores[:, None]))
        information = met_either * chance * (1 - chance)
        gradient = (won - met_either * chance).sum(axis=1) - precision * scores
        hessian = np.diag(information.sum(axis=1) + precision) - information + level
        step = np.linalg.solve(hessian, gradient)
        scores += step * min(1.0, LONGEST_STEP / np.abs(step).max())
        scores -= scores.mean()
        if np.abs(step).max() < 1e-13 * max(1.0, np.abs(scores).max()) * n_items:
            return scores
    raise RuntimeError("the reference did not converge; are the votes connected?")


def appearances(votes: SeededVotes) -> Scores:
    """What `fingerprint` gives for votes that were read right."""
    return fingerprint(votes.left, votes.right, votes.outcome, votes.n_items)


def fingerprint(left: ArrayLike, right: ArrayLike, outcome: ArrayLike, n_items: int) -> Scores:
    """A number for each item that depends on its side and the outcome in every one of its votes."""
    weight = np.asarray(outcome) + 1.0
    return np.bincount(left, weight, n_items) - 5.0 * np.bincount(right, weight, n_items)
