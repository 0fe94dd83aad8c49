"""Scores by the algorithms of the package choix."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Literal

import numpy as np

from pairvote._common.checks import is_number
from pairvote._common.messages import wrong_option
from pairvote._common.outcomes import Outcome
from pairvote._inference import LIMITS, centred, check_scores, decided
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._uncertainty import Known
from pairvote.scoring._bradley_terry import SMALLEST_PRIOR_SD
from pairvote.scoring._choix import MAXIMISERS, Table, estimate, expectation_propagation
from pairvote.scoring._criteria import combine
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import as_counts, summed
from pairvote.votes._votes import Votes

Algorithm = Literal["lsr", "ilsr", "mm", "rank-centrality", "ep"]
LuceTies = Literal["half", "drop"]
ALGORITHMS = (*MAXIMISERS, "ep")

DEFAULT_PRIOR_SD = 3.0
# Under a wider one the covariance of uncentred scores drowns that of the centred ones in rounding.
LARGEST_PRIOR_SD = 1e4
# More wins than that are level scores, and their sums must stay finite.
LARGEST_PRIOR = 1e9


def luce(
    votes: Votes | PairCounts,
    *,
    algorithm: Algorithm = "ilsr",
    ties: LuceTies = "half",
    prior: float = 0.0,
    prior_sd: float | None = None,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by an algorithm of the package choix, all of which estimate Bradley-Terry scores.

    "ilsr" and "mm" give the maximum-likelihood scores, as `bradley_terry` does under ``prior_sd=math.inf``; "lsr"
    and "rank-centrality" estimate them in one step, less precisely; "ep" approximates the mean and covariance of
    the posterior where `bradley_terry` takes its maximum and the curvature there. To be compared with these is
    what they are here for: `bradley_terry` is faster and knows ties and sides.

    Parameters
    ----------
    votes : Votes or PairCounts
    algorithm : {"lsr", "ilsr", "mm", "rank-centrality", "ep"}
        The last three take whole votes only: no weights such as 0.5, and no odd number of ties of two items
        under ``ties="half"``.
    ties : {"half", "drop"}
        What a tie says: half a vote for each side, or nothing.
    prior : float
        choix's ``alpha``, which pulls the scores together, so that there are some whatever the votes; from 0 to
        1e9. What it is differs. "mm": a in a Gamma(a + 1, a) prior on each w = exp(score), whose mode is
        at 1. "ilsr": a / n_items of the same. "lsr": half the wins, and "rank-centrality": the wins, that each
        item is given over each other.
    prior_sd : float, optional
        For "ep" only, which takes no `prior`: the standard deviation of the normal prior on each score, 3 by
        default. choix's ``alpha`` is then 1 over `prior_sd` squared.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In natural log-odds, mean zero. Only "ep" gives standard errors; `bootstrap` gives them to all.

    Raises
    ------
    InputError
        For an option out of range, votes that the algorithm cannot take, and more than 4,000 items.
    NotIdentifiedError
        Where without a prior no scores exist, naming the items.
    ConvergenceError
        Where choix did not converge, or stopped more than 1e-6 from the scores that the algorithm defines.

    References
    ----------
    Maystre and Grossglauser (2015), "Fast and accurate inference of Plackett-Luce models", NIPS 28 (lsr, ilsr).
    Hunter (2004), "MM algorithms for generalized Bradley-Terry models", Annals of Statistics 32, eq. 3, and with
    a prior Caron and Doucet (2012), "Efficient Bayesian inference for generalized Bradley-Terry models", J. Comp.
    Graph. Stat. 21. Negahban, Oh and Shah (2012), "Iterative ranking from pair-wise comparisons", NIPS 25. Chu and
    Ghahramani (2005), "Extensions of Gaussian processes for ranking", NIPS Workshop on Learning to Rank (ep).

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.baseball()
    >>> for algorithm in ("lsr", "ilsr", "mm", "rank-centrality", "ep"):
    ...     print(f"{algorithm:15}", pv.luce(votes, algorithm=algorithm).scores[:4].round(2))
    lsr             [0.53 0.39 0.2  0.23]
    ilsr            [0.53 0.39 0.24 0.2 ]
    mm              [0.53 0.39 0.24 0.2 ]
    rank-centrality [0.53 0.39 0.2  0.23]
    ep              [0.54 0.39 0.25 0.2 ]
    """
    if criteria is not None:
        return combine(votes, criteria, criterion, luce, algorithm=algorithm, ties=ties, prior=prior, prior_sd=prior_sd)
    _check_options(algorithm, ties, prior, prior_sd)
    counts = as_counts(votes, criterion=criterion, folded=True)
    n_items = counts.n_items
    if n_items > LIMITS.table_items:
        raise InputError(
            f"there are {n_items:,} items; luce takes up to {LIMITS.table_items:,}, so score with bradley_terry"
        )
    totals, first = summed(counts)
    if ties == "drop":
        counts = decided(counts)
    if algorithm != "ep" and not prior:
        check_scores(counts, option="prior", remedy="set a positive prior, or score with bradley_terry")
    wins = _wins(counts)
    scores, uncertainty = np.zeros(n_items), None
    if algorithm == "ep":
        scores, covariance = expectation_propagation(wins, DEFAULT_PRIOR_SD if prior_sd is None else float(prior_sd))
        uncertainty = Known(centred(covariance))
    elif n_items > 1:
        scores = estimate(algorithm, wins, float(prior))
    return Ranking(
        items=counts.items,
        scores=scores - scores.sum() / max(n_items, 1),
        unit="log-odds",
        method="luce",
        _totals=totals,
        _first=first,
        _uncertainty=uncertainty,
        _log_odds_per_unit=1.0,
    )


def _check_options(algorithm: str, ties: str, prior: float, prior_sd: float | None) -> None:
    for name, value, choices in (("algorithm", algorithm, ALGORITHMS), ("ties", ties, ("half", "drop"))):
        if not isinstance(value, str) or value not in choices:
            raise wrong_option(name, value, f"use one of {', '.join(map(repr, choices))}")
    if not is_number(prior) or not 0 <= prior <= LARGEST_PRIOR:
        raise wrong_option("prior", prior, f"it is a number from 0 to {LARGEST_PRIOR:g}")
    if algorithm == "ep" and prior:
        raise InputError(
            f"prior is {prior!r}, and 'ep' has a normal prior",
            option="prior_sd",
            remedy="set its prior_sd instead",
        )
    if prior_sd is not None and algorithm != "ep":
        raise InputError(
            f"prior_sd is {prior_sd!r}, and {algorithm!r} has no normal prior",
            option="prior",
            remedy="set prior instead",
        )
    if prior_sd is not None and (not is_number(prior_sd) or not SMALLEST_PRIOR_SD <= prior_sd <= LARGEST_PRIOR_SD):
        remedy = f"for 'ep' it is a number from {SMALLEST_PRIOR_SD:g} to {LARGEST_PRIOR_SD:,.0f}"
        raise wrong_option("prior_sd", prior_sd, remedy)


def _wins(counts: PairCounts) -> Table:
    """How often each item (row) won against each other (column), ties as half: float64, shape (n_items, n_items)."""
    wins = np.zeros((counts.n_items, counts.n_items))
    half = 0.5 * counts.table[:, Outcome.TIE]
    wins[counts.left, counts.right] = counts.table[:, Outcome.LEFT] + half
    wins[counts.right, counts.left] = counts.table[:, Outcome.RIGHT] + half
    return wins
