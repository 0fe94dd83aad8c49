"""Scorers by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pairvote._common.messages import wrong_option
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.scoring._elo import elo
from pairvote.scoring._luce import luce
from pairvote.scoring._tally import tally, win_rate
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

METHODS: dict[str, Callable[..., Ranking]] = {
    "tally": tally,
    "win-rate": win_rate,
    "elo": elo,
    "bradley-terry": bradley_terry,
    "luce": luce,
}


def rank(votes: Votes | PairCounts, method: str = "bradley-terry", **options: Any) -> Ranking:
    """Rank by the scorer of that name: "tally", "win-rate", "elo", "bradley-terry" or "luce".

    Parameters
    ----------
    votes : Votes or PairCounts
    method : str
    **options
        Those of the scorer.

    Raises
    ------
    InputError
        For an unknown method or option, naming those that there are.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.rank(pv.Votes.from_wins(["ash"], ["birch"]), method="elo", k=16).to_dict()
    {'ash': 1508.0, 'birch': 1492.0}
    """
    scorer = scorer_named(method)
    known = scorer.__kwdefaults__ or {}
    unknown = [name for name in options if name not in known]
    if unknown:
        raise InputError(f"{method!r} has no option {unknown[0]!r}; its options are {', '.join(known)}")
    return scorer(votes, **options)


def scorer_named(method: str) -> Callable[..., Ranking]:
    """The scorer of that name."""
    try:
        return METHODS[method]
    except (KeyError, TypeError):
        raise wrong_option("method", method, f"use one of {', '.join(map(repr, METHODS))}") from None
