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


def davidson(votes: SeededVotes, prior_sd: float = math.inf) -> Scores:
    """Centred log-odds by Davidson's model, by Newton steps over the whole table of pairs and the tie parameter.

    The outcomes of a pair have the log weights (-d / 2, eta, d / 2); gradient and information are the statistics' mean
    and covariance. With a prior on the scores eta has Normal(log 2, 3^2).

    References
    ----------
    Davidson (1970), JASA 65, equation 2.3.
    """
    n_items = votes.n_items
    pair = votes.left * n_items + votes.right
    lost, drew, won = (
        np.bincount(pair[votes.outcome == outcome], minlength=n_items**2).reshape(n_items, n_items).astype(np.float64)
        for outcome in (0, 1, 2)
    )
    won, tied = won + lost.T, drew + drew.T
    met = won + won.T + tied
    precision = prior_sd**-2
    precision_of_tie = 1 / 9 if precision else 0.0
    parameters = np.zeros(n_items + 1)
    information = np.empty((n_items + 1, n_items + 1))
    for _ in range(100):
        scores, tie = parameters[:-1], math.exp(parameters[-1])
        ahead = np.exp((scores[:, None] - scores) / 2)
        total = ahead + 1 / ahead + tie
        p_won, p_tied = ahead / total, tie / total
        links = met * (p_won * p_won.T + p_tied * (p_won + p_won.T) / 4)
        border = (met * p_tied * (p_won.T - p_won) / 2).sum(axis=1)
        # The likelihood says nothing of the scores' common level; 1 / n_items holds it.
        information[:-1, :-1] = np.diag(links.sum(axis=1) + precision) - links + 1 / n_items
        information[:-1, -1] = information[-1, :-1] = border
        information[-1, -1] = (met * p_tied * (1 - p_tied)).sum() / 2 + precision_of_tie
        gradient = (won + tied / 2 - met * (p_won + p_tied / 2)).sum(axis=1) - precision * scores
        of_tie = (tied - met * p_tied).sum() / 2 - precision_of_tie * (parameters[-1] - math.log(2))
        step = np.linalg.solve(information, np.append(gradient, of_tie))
        parameters += step * min(1.0, LONGEST_STEP / np.abs(step).max())
        parameters[:-1] -= parameters[:-1].mean()
        if np.abs(step).max() < 1e-13 * max(1.0, np.abs(parameters).max()) * n_items:
            return parameters[:-1]
    raise RuntimeError("the reference did not converge; are the votes connected?")


def sandwich(votes: SeededVotes, scores: Scores) -> Scores:
    """Standard errors of centred maximum-likelihood scores that hold where votes are only independent.

    The square roots of the diagonal of H^+ M H^+, with H the information, M the sum over votes of the outer products
    of their gradients, and a tie half a win for each side.

    References
    ----------
    White (1982), Econometrica 50, theorem 3.2.
    """
    n_items = votes.n_items
    chance = 1 / (1 + np.exp(scores[votes.right] - scores[votes.left]))
    bread, meat = (_laplacian(votes, weights) for weights in (chance * (1 - chance), (votes.outcome / 2 - chance) ** 2))
    inverse = np.linalg.inv(bread + 1 / n_items)
    return np.sqrt(np.diag(inverse @ meat @ inverse))


def _laplacian(votes: SeededVotes, weights: Scores) -> Scores:
    n_items = votes.n_items
    links = np.bincount(votes.left * n_items + votes.right, weights, n_items**2).reshape(n_items, n_items)
    links = links + links.T
    return np.diag(links.sum(axis=1)) - links


def bradley_terry_by_gradients(votes: SeededVotes, prior_sd: float) -> Scores:
    """What `bradley_terry` gives, for more items than a table of all pairs holds: scipy's conjugate gradients.

    They solve for each Newton step roughly, the next step for what is left.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    n_items, left, right = votes.n_items, votes.left, votes.right
    precision = prior_sd**-2

    def at_items(values: Scores, sign: float) -> Scores:
        return np.asarray(np.bincount(left, values, n_items) + sign * np.bincount(right, values, n_items))

    scores = np.zeros(n_items)
    for _ in range(100):
        chance = 1 / (1 + np.exp(scores[right] - scores[left]))
        weights = chance * (1 - chance)
        gradient = at_items(votes.outcome / 2 - chance, -1) - precision * scores
        diagonal = at_items(weights, 1) + precision
        size = (n_items, n_items)
        information = LinearOperator(
            size, lambda x, weights=weights: at_items(weights * (x[left] - x[right]), -1) + precision * x, dtype=float
        )
        preconditioner = LinearOperator(size, lambda x, diagonal=diagonal: x / diagonal, dtype=float)
        step, failed = cg(information, gradient, rtol=1e-4, M=preconditioner)
        if failed:
            break
        scores += step * min(1.0, LONGEST_STEP / np.abs(step).max())
        scores -= scores.mean()
        if np.abs(step).max() < 1e-9:
            return scores
    raise RuntimeError("the reference did not converge")


def appearances(votes: SeededVotes) -> Scores:
    """What `fingerprint` gives for votes that were read right."""
    return fingerprint(votes.left, votes.right, votes.outcome, votes.n_items)


def fingerprint(left: ArrayLike, right: ArrayLike, outcome: ArrayLike, n_items: int) -> Scores:
    """A number for each item that depends on its side and the outcome in every one of its votes."""
    weight = np.asarray(outcome) + 1.0
    return np.bincount(left, weight, n_items) - 5.0 * np.bincount(right, weight, n_items)
