"""The registry of scorers: all that the library and the command line know of each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import wrong_option
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._units import ELO, GLICKO, LOG_ODDS, SHARE, UNITS, VOTES, Unit
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.scoring._elo import elo
from pairvote.scoring._glicko import glicko2
from pairvote.scoring._luce import luce
from pairvote.scoring._pagerank import pagerank
from pairvote.scoring._tally import tally, win_rate
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import components_of, totals_of
from pairvote.votes._votes import Votes


@dataclass(frozen=True)
class Need:
    """What votes must tell of an item, so that its score is an estimate and not the prior's.

    unknown : whether votes lack it, for each item: bool, shape (n_items,)
    gap : what is missing, in words, of "{item}" and perhaps compared with the "{first}" item
    """

    unknown: Callable[[Votes | PairCounts], NDArray[np.bool_]]
    gap: str = ""


def _none_unknown(votes: Votes | PairCounts) -> NDArray[np.bool_]:
    return np.zeros(votes.n_items, bool)


def _unasked(votes: Votes | PairCounts) -> NDArray[np.bool_]:
    return np.asarray(totals_of(votes)[:, :3].sum(axis=1) == 0.0)


def _apart(votes: Votes | PairCounts) -> NDArray[np.bool_]:
    return np.asarray(components_of(votes) > 0)


NOTHING = Need(_none_unknown)
A_VOTE = Need(_unasked, "no vote is about {item}")
A_CHAIN = Need(_apart, "no vote, and no chain of votes, joins {item} to {first}")


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A scorer and what is known of it.

    name : what `pairvote.rank`, `bootstrap`, simulations and the command line call it
    function : takes Votes or PairCounts, and options by keyword
    unit : what the scores are measured in, with the decimals that they are shown with
    uses_order : whether the order of votes matters, so that counts are not enough and chunks come in order
    needs : what votes must tell of each item
    flags : options that the command line offers
    """

    name: str
    function: Callable[..., Ranking]
    unit: Unit
    uses_order: bool = False
    needs: Need = A_CHAIN
    flags: tuple[str, ...] = ()

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options of the function, and their defaults."""
        parameters = inspect.signature(self.function).parameters.values()
        return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}


SCORERS: dict[str, Scorer] = {}


def register(scorer: Scorer) -> None:
    """Let a scorer be known by its name everywhere."""
    SCORERS[scorer.name] = scorer
    UNITS[scorer.unit.name] = scorer.unit


for _scorer in (
    Scorer(name="tally", function=tally, unit=VOTES, needs=NOTHING, flags=("ties",)),
    Scorer(name="win-rate", function=win_rate, unit=SHARE, needs=A_VOTE, flags=("ties", "average")),
    Scorer(name="elo", function=elo, unit=ELO, uses_order=True, flags=("k", "initial")),
    Scorer(name="glicko2", function=glicko2, unit=GLICKO, uses_order=True, flags=("initial",)),
    Scorer(
        name="bradley-terry",
        function=bradley_terry,
        unit=LOG_ODDS,
        flags=("ties", "link", "prior_sd", "position", "reliability", "item_covariates", "known_scores"),
    ),
    Scorer(name="luce", function=luce, unit=LOG_ODDS, flags=("ties",)),
    Scorer(name="pagerank", function=pagerank, unit=SHARE, needs=A_VOTE, flags=("ties",)),
):
    register(_scorer)


def rank(votes: Votes | PairCounts, method: str = "bradley-terry", **options: Any) -> Ranking:
    """Rank by the scorer of that name: "tally", "win-rate", "elo", "glicko2", "bradley-terry", "luce", "pagerank".

    Parameters
    ----------
    votes : Votes or PairCounts
    method : str
    **options
        Options of the scorer.

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
    unknown = [name for name in options if name not in scorer.options]
    if unknown:
        raise InputError(f"{method!r} has no option {unknown[0]!r}; its options are {', '.join(scorer.options)}")
    return scorer.function(votes, **options)


def scorer_named(method: str) -> Scorer:
    """The scorer of that name."""
    try:
        return SCORERS[method]
    except (KeyError, TypeError):
        raise wrong_option("method", method, f"use one of {', '.join(map(repr, SCORERS))}") from None
