"""The workshop's own rule: count the votes won."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Literal, get_args

import numpy as np

from pairvote._common.checks import is_number
from pairvote._common.messages import wrong_option
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._criteria import combine
from pairvote.scoring._opponents import opponent_rates
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import as_counts, as_counts_or_votes, summed
from pairvote.votes._votes import Votes

Average = Literal["votes", "opponents"]
AVERAGES: tuple[Average, ...] = get_args(Average)


def tally(
    votes: Votes | PairCounts,
    *,
    ties: float = 0.5,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    """Rank by votes won, a tie counting `ties` for each side; skips do not count.

    Fair only where every item was shown about equally often; `win_rate` divides by how often it was.

    Parameters
    ----------
    votes : Votes or PairCounts
    ties : float
        From 0 to 1.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In votes, without standard errors.

    Raises
    ------
    InputError
        For `ties` out of range, and for votes on several criteria without choosing one.

    References
    ----------
    Copeland (1951); David (1988), "The Method of Paired Comparisons", 2nd ed., section 2.3.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels(["ash", "birch"], ["birch", "cedar"], ["left", "tie"])
    >>> print(pv.tally(votes))
    rank  item   score (votes)  won  tied  asked
       1  ash              1.0    1     0      1
       2  birch            0.5    0     1      2
       2  cedar            0.5    0     1      1
    """
    if criteria is not None:
        return combine(votes, criteria, criterion, tally, ties=ties)
    _check_ties(ties)
    votes = as_counts_or_votes(votes, criterion)
    totals, first = summed(votes)
    _, tied, won, _ = totals.T
    return Ranking(
        items=votes.items,
        scores=won + ties * tied,
        unit="votes",
        method="tally",
        _totals=totals,
        _first=first,
    )


def win_rate(
    votes: Votes | PairCounts,
    *,
    ties: float = 0.5,
    prior: float = 1.0,
    average: Average = "votes",
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by the share of votes won, shrunk towards one half: (won + prior) / (asked + 2 prior).

    With ``prior=1`` it is the chance of winning against a random other item under a uniform prior; the score of
    All Our Ideas' wiki surveys is 100 times this.

    The plain rate favours who met weak opponents often. ``average="opponents"`` takes the share against each opponent,
    and the mean of these in place of the share of all votes: who was met how often is then irrelevant, though not who
    was met at all. `bradley_terry` accounts for that too.

    Parameters
    ----------
    votes : Votes or PairCounts
    ties : float
        What a tie counts for each side, from 0 to 1.
    prior : float
        Wins and losses added to those of every item; finite and not negative. With 0, an item that nobody was
        asked about raises.
    average : {"votes", "opponents"}
        Whether every vote counts alike, or every opponent that an item met. The prior adds as much to either; they are
        equal where each item was asked about equally often against all that it met.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In shares. By votes it has no standard errors. By opponents it has those of independent votes, on the safe side
        where votes on a pair are few: in simulated votes, 95% intervals held the mean of the true chances against the
        opponents met in 95% to 99.6%. `bootstrap` with ``by="voter"`` gives those of votes that hang together.

    Raises
    ------
    InputError
        For an option out of range, and with ``prior=0`` for an item without votes, naming it.

    References
    ----------
    Salganik and Levy (2015), "Wiki surveys: open and quantifiable social data collection", PLOS ONE 10(5).

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.win_rate(pv.Votes.from_wins(["ash", "ash"], ["birch", "birch"])).to_dict()
    {'ash': 0.75, 'birch': 0.25}

    Birch beat a weak opponent eight times, and lost to ash:

    >>> votes = pv.Votes.from_pairs(["ash", "birch"], ["birch", "cedar"], [1, 8], [0, 0])
    >>> pv.win_rate(votes, prior=0).scores.round(2).tolist()
    [1.0, 0.89, 0.0]
    >>> by_opponents = pv.win_rate(votes, prior=0, average="opponents")
    >>> by_opponents.scores.tolist(), by_opponents.standard_errors.round(2).tolist()
    ([1.0, 0.5, 0.0], [0.41, 0.34, 0.14])
    """
    if criteria is not None:
        return combine(votes, criteria, criterion, win_rate, ties=ties, prior=prior, average=average)
    _check_ties(ties)
    if not is_number(prior) or not 0 <= prior < float("inf"):
        raise wrong_option("prior", prior, "it is a finite number from 0")
    if not isinstance(average, str) or average not in AVERAGES:
        raise wrong_option("average", average, f"use one of {', '.join(map(repr, AVERAGES))}")
    by_opponents = average == "opponents"
    votes = as_counts(votes, criterion=criterion, folded=True) if by_opponents else as_counts_or_votes(votes, criterion)
    totals, first = summed(votes)
    lost, tied, won, _ = totals.T
    asked = lost + tied + won
    if prior == 0 and (asked == 0).any():
        unasked = votes.items[int(np.argmin(asked))]
        raise InputError(
            f"nobody was asked about {unasked!r}, so its share of votes is 0 / 0",
            option="prior",
            value=unasked,
            remedy="set a positive prior",
        )
    spread = None
    if isinstance(votes, PairCounts) and by_opponents:
        scores, spread = opponent_rates(votes, ties, prior)
    else:
        scores = (won + ties * tied + prior) / (asked + 2.0 * prior)
    return Ranking(
        items=votes.items,
        scores=scores,
        unit="share",
        method="win-rate",
        _totals=totals,
        _first=first,
        _uncertainty=spread,
    )


def _check_ties(ties: float) -> None:
    if not is_number(ties) or not 0 <= ties <= 1:
        raise wrong_option("ties", ties, "it is what a tie counts for each side, a number from 0 to 1")
