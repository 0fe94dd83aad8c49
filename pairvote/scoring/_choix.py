"""Calls of the package choix, whose answers are checked before they are handed out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import ConvergenceError, InputError

Table = NDArray[np.float64]
Scores = NDArray[np.float64]

# Some algorithms take a list with one entry for each vote.
MOST_LISTED = 10_000_000
# In log-odds, how far a score may be from what the algorithm is defined to give.
FARTHEST = 1e-6
# Wider scores cannot be checked, since exp(score) of the lowest would be lost.
WIDEST = 600.0
# choix's own 1e-8 is the length of a step, many of which may be left to go.
MM_TOL = 1e-11
REMEDY = "score with bradley_terry, or with a stronger prior"


def _gradient(wins: Table, weights: Scores, pull: float) -> tuple[Table, Scores]:
    """The gradient of the log-likelihood with its prior, by each score, and the derivatives of that by the others."""
    met = wins + wins.T
    share = weights[:, None] / (weights[:, None] + weights)
    slopes = met * share * share.T + pull * np.outer(weights, weights) / len(weights)
    return slopes, wins.sum(axis=1) - (met * share).sum(axis=1) + pull * (1.0 - weights)


def _flow(rates: Table, weights: Scores) -> tuple[Table, Scores]:
    """The flow into each item less that out of it, of a walk that steps from loser to winner at these rates."""
    flow = rates.T * weights
    return flow, flow.sum(axis=1) - weights * rates.sum(axis=1)


def _ratio_flow(wins: Table, weights: Scores, prior: float) -> tuple[Table, Scores]:
    rates = wins.T + prior
    return _flow(np.divide(rates, rates + rates.T, out=np.zeros_like(rates), where=rates > 0), weights)


class Maximiser(NamedTuple):
    """An algorithm of choix, and the equations that define its scores (Maystre and Grossglauser 2015, eq. 2).

    run : the scores by the module choix, of wins or the list of votes, and of the prior
    balance : of wins, exp(scores) and the prior: the derivative of each item's equation (row) by the others' scores,
        which is that by its own with the sign changed, and what is left over: shapes (n_items, n_items) and (n_items,)
    listed : whether it takes a list of votes
    """

    run: Callable[[ModuleType, Table, Any, float], Scores]
    balance: Callable[[Table, Scores, float], tuple[Table, Scores]]
    listed: bool = False


MAXIMISERS = {
    "lsr": Maximiser(
        lambda choix, wins, votes, prior: choix.lsr_pairwise_dense(wins, prior),
        lambda wins, weights, prior: _flow(wins.T + 2.0 * prior, weights),
    ),
    "ilsr": Maximiser(
        lambda choix, wins, votes, prior: choix.ilsr_pairwise_dense(wins, prior),
        lambda wins, weights, prior: _gradient(wins, weights, prior * len(wins)),
    ),
    "mm": Maximiser(
        lambda choix, wins, votes, prior: choix.mm_pairwise(len(wins), votes, alpha=prior, tol=MM_TOL),
        _gradient,
        listed=True,
    ),
    "rank-centrality": Maximiser(
        lambda choix, wins, votes, prior: choix.rank_centrality(len(wins), votes, prior),
        _ratio_flow,
        listed=True,
    ),
}


def estimate(algorithm: str, wins: Table, prior: float) -> Scores:
    """The scores by one of `MAXIMISERS`; ConvergenceError where they are not what the algorithm defines."""
    import choix

    chosen = MAXIMISERS[algorithm]
    votes = _pairs(wins, algorithm) if chosen.listed else None
    scores = run(algorithm, lambda: chosen.run(choix, wins, votes, prior))
    check_solution(algorithm, wins, scores, prior)
    return scores


def check_solution(algorithm: str, wins: Table, scores: Scores, prior: float) -> None:
    """ConvergenceError where scores are not what the algorithm defines.

    How far they are from solving its equations is found to first order, as the largest change of Newton's step.
    """
    check_finite(algorithm, scores)
    spread = np.ptp(scores)
    if spread > WIDEST:
        raise ConvergenceError(f"choix's {algorithm!r} gave scores that are {spread:.0f} log-odds apart; {REMEDY}")
    weights = np.exp(scores - scores.max())
    slopes, excess = MAXIMISERS[algorithm].balance(wins, weights * (len(wins) / weights.sum()), prior)
    np.fill_diagonal(slopes, 0.0)
    total = slopes.sum(axis=1)
    system = np.eye(len(total)) - slopes / total[:, None] + 1.0 / len(total)
    step = run(algorithm, lambda: np.linalg.solve(system, excess / total))
    distance = float(np.abs(step - step.mean()).max())
    if not distance <= FARTHEST:
        raise ConvergenceError(
            f"choix's {algorithm!r} gave scores that are about {distance:.1g} log-odds from what it defines; {REMEDY}"
        )


def expectation_propagation(wins: Table, prior_sd: float) -> tuple[Scores, Table]:
    """The mean and the covariance of the scores' posterior."""
    n_items, precision = len(wins), prior_sd**-2.0
    pairs = _pairs(wins, "ep")
    if not pairs:
        return np.zeros(n_items), np.eye(n_items) / precision
    ep_pairwise = _own_choix_ep().ep_pairwise
    mean, covariance = run("ep", lambda: ep_pairwise(n_items, pairs, precision))
    check_finite("ep", mean, covariance)
    return mean, covariance


def _own_choix_ep() -> Any:
    """A copy of the module choix.ep that visits votes in an order of its own, always the same one.

    choix draws the order from numpy's global state, which is not ours to seed: other threads see it.
    """
    spec: Any = find_spec("choix.ep")
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.nprand = np.random.default_rng(0)
    return module


def _pairs(wins: Table, algorithm: str) -> list[tuple[int, int]]:
    """The wins as choix's list of (winner, loser), one entry a vote."""
    winner, loser = np.nonzero(wins)
    won = wins[winner, loser]
    broken = won[won % 1 > 0]
    if len(broken):
        raise InputError(
            f"{algorithm!r} takes whole votes, and here one item has {broken[0]:g} wins over another",
            option="ties",
            remedy="use algorithm='ilsr', or where ties make the halves, ties='drop'",
        )
    if won.sum() > MOST_LISTED:
        raise InputError(
            f"{algorithm!r} takes a list of all votes, and there are {won.sum():,.12g}; use algorithm='ilsr'"
        )
    times = won.astype(np.int64)
    return list(zip(np.repeat(winner, times).tolist(), np.repeat(loser, times).tolist(), strict=True))


def check_finite(algorithm: str, *answers: NDArray[np.float64]) -> None:
    """ConvergenceError where an answer of choix is not finite."""
    if not all(np.isfinite(answer).all() for answer in answers):
        raise ConvergenceError(f"choix's {algorithm!r} gave scores that are not finite; {REMEDY}")


def run(algorithm: str, compute: Callable[[], Any]) -> Any:
    """What `compute` returns; the several ways in which choix gives up become one ConvergenceError."""
    try:
        # A weight that is lost to rounding has the logarithm -inf or none; `check_solution` refuses such scores.
        with np.errstate(divide="ignore", invalid="ignore"):
            return compute()
    except (RuntimeError, ArithmeticError, ValueError) as failure:
        raise ConvergenceError(f"choix's {algorithm!r} gave up ({failure}); {REMEDY}") from failure
