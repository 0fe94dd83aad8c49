"""Votes on several criteria, such as how useful and how new, weighed into one ranking."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import listed, shorten, wrong_option
from pairvote.errors import InputError, PairvoteError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._uncertainty import Combined
from pairvote.votes._given import summed
from pairvote.votes._votes import Votes


def combine(
    votes: object,
    criteria: Mapping[Hashable, float],
    criterion: Hashable | None,
    scorer: Callable[..., Ranking],
    **options: Any,
) -> Ranking:
    """Score each criterion by itself, and rank by the weighted mean of the scores.

    What every scorer does with ``criteria={"useful": 2, "new": 1}``: the scores of "useful" count two thirds and
    those of "new" one third. The votes on each criterion are taken as independent of those on the others, so the
    covariance is the sum of theirs times the squared weights. Votes of one voter on several criteria are not quite
    independent; ``pairvote.bootstrap(..., by="voter", criteria=...)`` accounts for that.

    Parameters
    ----------
    votes : Votes
    criteria : mapping of label to float
        Each weight a finite number above 0; only their ratios matter.
    criterion : None
        As given to the scorer beside `criteria`, which says the same in another way.
    scorer : callable
        A scorer of this package.
    **options
        Options of the scorer.

    Returns
    -------
    Ranking
        In the scorer's unit, over all items of `votes`; what was won and asked counts the votes on these criteria. It
        has no `fit` and no model of a vote: nobody was asked this mixture of questions.

    Raises
    ------
    InputError
        For criteria or weights that cannot be, for `criterion` beside `criteria`, and for PairCounts.
    PairvoteError
        What the scorer raises, naming the criterion.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left", "right"], criterion=["useful", "new"])
    >>> pv.tally(votes, criteria={"useful": 3, "new": 1}).to_dict()
    {'ash': 0.75, 'birch': 0.25}
    """
    if criterion is not None:
        raise InputError(
            f"criterion is {shorten(criterion)} and criteria is {shorten(criteria)}",
            option="criteria",
            value=criteria,
            remedy="pass one of them",
        )
    votes = votes_on(votes, criteria)
    rankings = []
    for label in criteria:
        try:
            rankings.append(scorer(votes, criterion=label, **options))
        except PairvoteError as failure:
            raise failure.at(f"criterion {shorten(label)}") from failure
    weights = shares_of(criteria)
    parts = [ranking._uncertainty for ranking in rankings if ranking._uncertainty is not None]
    spreads = [ranking.order_spread for ranking in rankings if ranking.order_spread is not None]
    totals, first = summed(votes)
    return Ranking(
        items=votes.items,
        scores=weights @ [ranking.scores for ranking in rankings],
        unit=rankings[0].unit,
        method=rankings[0].method,
        _totals=totals,
        _first=first,
        _uncertainty=Combined(tuple(parts), tuple(weights.tolist())) if parts else None,
        order_spread=np.sqrt(weights**2 @ np.square(spreads)) if spreads else None,
    )


def shares_of(criteria: Mapping[Hashable, float]) -> NDArray[np.float64]:
    """The weights of criteria, so that they add up to 1: float64, shape (n_criteria,)."""
    # Divided twice, so that the sum of large ones does not overflow.
    weights = np.array([float(weight) for weight in criteria.values()])
    weights /= weights.max()
    return np.asarray(weights / weights.sum())


def votes_on(votes: object, criteria: Mapping[Hashable, float]) -> Votes:
    """The votes on any of these criteria; InputError for criteria that cannot be."""
    if not isinstance(criteria, Mapping) or not criteria:
        raise wrong_option("criteria", criteria, "pass the weight of each, such as {'useful': 2, 'new': 1}")
    if not isinstance(votes, Votes):
        raise InputError(
            f"votes is a {type(votes).__name__}; to score several criteria pass Votes, which say what was asked"
        )
    for label, weight in criteria.items():
        if not is_number(weight) or not 0 < weight < math.inf:
            raise InputError(
                f"the weight of criterion {shorten(label)} is {shorten(weight)}",
                option="criteria",
                value=weight,
                remedy="weights are finite numbers above 0",
            )
        if label not in votes.criteria:
            raise InputError(
                f"there is no criterion {shorten(label)}",
                option="criteria",
                value=label,
                remedy=f"the criteria are {listed(votes.criteria)}",
            )
    codes = [votes.criteria.index(label) for label in criteria]
    return votes.where(np.isin(np.asarray(votes.criterion), codes))
