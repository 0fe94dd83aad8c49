"""Elo ratings: votes one after another, each moving two ratings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._common.random import Rng, generator
from pairvote._common.threads import at_once
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._criteria import combine
from pairvote.scoring._elo_ratings import NEEDED, EloRatings, check_options, in_time_order, in_turn, record_all
from pairvote.votes._chunks import Criterion, each_chunk
from pairvote.votes._given import add_and_join, summed
from pairvote.votes._votes import Votes


def elo(
    votes: Votes | Iterable[Votes],
    *,
    k: float = 32.0,
    initial: float = 1500.0,
    scale: float = 400.0,
    base: float = 10.0,
    n_shuffles: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by Elo ratings, the votes taken in the order of their times, or of their rows where they have none.

    A vote of weight w that gives the left side the score S (1, 1/2 for a tie, 0, or its share of a graded vote) adds
    :math:`k w (S - 1 / (1 + b^{-(r_l - r_r) / scale}))` to the left rating and takes as much off the right one.
    Skips change nothing.

    Parameters
    ----------
    votes : Votes or iterable of Votes
        Or chunks of votes in their order, such as `pairvote.scan_votes` gives, with the same result to the bit. Where
        they have times, chunks must come in the order of these.
    k : float
        The most that one vote moves a rating.
    initial : float
        The rating that all items begin with.
    scale, base : float
        A lead of `scale` makes the odds `base` to 1.
    n_shuffles : int, optional
        Average the ratings over so many random orders of the votes, and give their standard deviation as
        ``ranking.order_spread``. By default the votes' own order is taken once.
    rng : None, int or numpy.random.Generator
        For the shuffles.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In Elo points. It has no standard errors: what the order of votes does to a rating is no measure of how
        far it is from the truth.

    Raises
    ------
    InputError
        For an option out of range, for PairCounts, which have no order, and for chunks whose times go back.

    References
    ----------
    Elo (1978), "The Rating of Chessplayers, Past and Present", section 1.6.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.elo(pv.Votes.from_wins(["ash"], ["birch"])).to_dict()
    {'ash': 1516.0, 'birch': 1484.0}
    """
    if criteria is not None:
        return combine(
            votes,
            criteria,
            criterion,
            elo,
            k=k,
            initial=initial,
            scale=scale,
            base=base,
            n_shuffles=n_shuffles,
            rng=generator(rng),
        )
    slope = check_options(k, initial, scale, base)
    if not isinstance(votes, Votes):
        if n_shuffles is not None:
            raise InputError(
                "n_shuffles is given with chunks of votes, which cannot be shuffled; pass them as one Votes"
            )
        return _rate_chunks(votes, criterion, k=k, initial=initial, scale=scale, base=base)
    votes = in_time_order(votes.select(criterion))
    k = float(k)
    spread = None
    if n_shuffles is None:
        ratings = np.full(votes.n_items, float(initial))
        totals, first = np.zeros((votes.n_items, 4)), np.arange(votes.n_items, dtype=np.int32)
        at_once(
            lambda: record_all(votes, ratings, k, slope), lambda: add_and_join(votes, totals, first), work=len(votes)
        )
    else:
        if not is_whole(n_shuffles) or n_shuffles < 2:
            raise InputError(
                f"n_shuffles is {shorten(n_shuffles)}; it is a whole number from 2, or None for the votes' own order"
            )
        totals, first = summed(votes)
        ratings, spread = _shuffled(votes, n_shuffles, generator(rng), float(initial), k, slope)
    return Ranking(
        items=votes.items,
        scores=ratings,
        unit="elo",
        method="elo",
        order_spread=spread,
        _totals=totals,
        _first=first,
        _log_odds_per_unit=slope,
    )


def _shuffled(
    votes: Votes, n_shuffles: int, rng: np.random.Generator, initial: float, k: float, slope: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and the standard deviation of the ratings over random orders of the votes."""
    mean, squares = np.zeros(votes.n_items), np.zeros(votes.n_items)
    for done in range(1, n_shuffles + 1):
        ratings = np.full(votes.n_items, initial)
        record_all(votes._take(rng.permutation(len(votes))), ratings, k, slope)
        change = ratings - mean
        mean += change / done
        squares += change * (ratings - mean)
    return mean, np.sqrt(squares / (n_shuffles - 1))


def _rate_chunks(votes: Any, criterion: Hashable | None, **options: float) -> Ranking:
    ratings, first = EloRatings((), **options), np.empty(0, np.int32)
    chosen = Criterion(criterion)
    for chunk in in_turn(each_chunk(votes, NEEDED)):
        taken = ratings._take_in(chosen.of(chunk), add=True)
        first = np.append(first, np.arange(len(first), taken.n_items, dtype=np.int32))
        add_and_join(taken, ratings._totals, first)
    chosen.check()
    return ratings._ranking(first)
