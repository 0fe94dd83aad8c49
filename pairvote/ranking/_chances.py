"""Chances of a vote's outcomes, of arrays of differences in log-odds."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._inference import DEFAULT_TIES, LIMITS, outcome_probabilities
from pairvote.errors import InputError
from pairvote.ranking._results import Fit, OutcomeProbabilities


class ScoredItems(Protocol):
    """The part of a ranking from which chances follow."""

    @property
    def method(self) -> str:
        """The scorer's name."""

    @property
    def fit(self) -> Fit | None:
        """None for scorers that fit nothing."""

    @property
    def _log_odds_per_unit(self) -> float | None: ...

    def _gaps(self, one: NDArray[np.integer[Any]], other: NDArray[np.integer[Any]]) -> NDArray[np.float64]: ...


def check_table_size(n_items: int) -> None:
    """InputError for more items than a table of all pairs is made for."""
    if n_items > LIMITS.table_items:
        raise InputError(
            f"the probabilities of {n_items:,} items would take {n_items**2 * 8 / 2**30:.1f} GiB; they "
            f"are given for up to {LIMITS.table_items:,}, but expected_score() of two items for any number"
        )


def damped(gaps: NDArray[np.float64], variances: NDArray[np.float64], log_odds_per_unit: float) -> NDArray[np.float64]:
    """Gaps between uncertain scores as they count for a chance: times g = 1 / sqrt(1 + 3 variance / pi^2).

    gaps, variances : those of differences, in a unit of so many log-odds

    References
    ----------
    Glickman (1999), "Parameter estimation in large dynamic paired comparison experiments", Applied Statistics 48: a
    logistic averaged over a normal is close to a logistic of the damped gap.
    """
    return np.asarray(gaps / np.sqrt(1.0 + 3.0 * variances * (log_odds_per_unit / np.pi) ** 2))


def expected_scores(
    gaps: NDArray[np.float64], log_odds_per_unit: float | None, fit: Fit | None, method: str
) -> NDArray[np.float64]:
    """The chance that the first of two is picked, a tie as half, averaged over the two sides that it may stand on.

    gaps : how far the first is ahead, in a unit of so many log-odds; InputError where it is None
    """
    if log_odds_per_unit is None:
        raise InputError(
            f"a ranking by {method!r} has no model of a vote; score with elo or bradley_terry, "
            "and where there are several criteria, one of them"
        )
    log_odds = log_odds_per_unit * gaps
    if fit is None:
        right, _, left = np.moveaxis(outcome_probabilities(log_odds), -1, 0)
        return np.asarray(0.5 + 0.5 * (left - right))
    here, there = (
        outcome_probabilities(log_odds + side, fit.tie_parameter, fit.ties, fit.link)
        for side in (fit.position_effect, -fit.position_effect)
    )
    leads = here[..., 2] - here[..., 0] + there[..., 2] - there[..., 0]
    return np.asarray(0.5 + 0.25 * leads)


def chances_of(
    gap: float, log_odds_per_unit: float | None, fit: Fit | None, method: str, *, tied: bool
) -> OutcomeProbabilities:
    """The chance of each outcome where the left item is ahead by `gap`; `tied` says whether anybody tied.

    InputError where ties are not modelled.
    """
    if fit is None or log_odds_per_unit is None or (tied and not fit.has_tie_parameter):
        raise InputError(
            f"this ranking by {method!r} has no model of ties; score with bradley_terry and ties={DEFAULT_TIES!r}"
        )
    log_odds = np.array(log_odds_per_unit * gap + fit.position_effect)
    right, tie, left = outcome_probabilities(log_odds, fit.tie_parameter, fit.ties, fit.link).tolist()
    return OutcomeProbabilities(left, tie, right)


def vote_chances(
    ranking: ScoredItems,
    left: NDArray[np.integer[Any]],
    right: NDArray[np.integer[Any]],
    covariates: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """P(right), P(tie) and P(left) of votes between these items, by their codes: float64, shape (n_votes, 3).

    covariates : (n_votes, n_covariates), of votes whose fit has coefficients; InputError where there is no model
    """
    per_unit, fit = ranking._log_odds_per_unit, ranking.fit
    if per_unit is None:
        raise InputError(
            f"a ranking by {ranking.method!r} has no model of a vote",
            option="method",
            value=ranking.method,
            remedy="score with bradley-terry, luce, elo or glicko2, and one criterion at a time",
        )
    log_odds = per_unit * ranking._gaps(left, right)
    if fit is None:
        return outcome_probabilities(log_odds)
    log_odds = log_odds + fit.position_effect
    if covariates is not None:
        log_odds = log_odds + covariates @ fit.coefficients
    posterior = fit._posterior
    return posterior.model.probabilities(log_odds, posterior.parameters)
