"""Elo ratings: votes one after another, each moving two ratings."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._common.options import check_flag
from pairvote._common.random import Rng, generator
from pairvote._common.threads import at_once
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._criteria import combine
from pairvote.scoring._elo_ratings import NEEDED, EloRatings, Rated, history_of_parts, in_turn, time_order
from pairvote.scoring._elo_rule import ByItem, EloRule, KFunction
from pairvote.scoring._elo_run import EloRun
from pairvote.scoring._lengths import Length
from pairvote.votes._chunks import Criterion, each_chunk
from pairvote.votes._given import add_and_join, summed
from pairvote.votes._votes import Votes

MOST_SHUFFLES = 1_000_000


def elo(
    votes: Votes | Iterable[Votes],
    *,
    k: ByItem | KFunction = 32.0,
    initial: ByItem = 1500.0,
    scale: float = 400.0,
    base: float = 10.0,
    half_life: Length | None = None,
    history: bool = False,
    n_shuffles: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by Elo ratings, the votes taken in the order of their times, or of their rows where they have none.

    A vote of weight w that gives the left side the score S (1, 1/2 for a tie, 0, or its share of a graded vote) adds
    :math:`k_l w (S - 1 / (1 + b^{-(r_l - r_r) / scale}))` to the left rating and takes :math:`k_r w` times the same
    bracket off the right one. Skips and votes of weight zero change nothing.

    Parameters
    ----------
    votes : Votes or iterable of Votes
        Or chunks of votes in their order, such as `pairvote.scan_votes` gives, with the same result to the bit. Where
        they have times, chunks must come in the order of these.
    k : float, mapping of label to float, or function
        The most that one vote moves a rating. By item: items that are not named keep 32, and 0 holds a rating where it
        begins. Or a function of the number of votes that an item was in before this one, from 0, such as FIDE's
        ``lambda games: np.where(games < 30, 40, 20)``: it is asked once for all numbers, as an int64 array, and number
        by number where it takes no arrays.
    initial : float or mapping of label to float
        The rating that items begin with. By item: those that are not named begin at 1500.
    scale, base : float
        A lead of `scale` makes the odds `base` to 1.
    half_life : float or timedelta, optional
        Ratings fade: in so much time half of what an item's rating is away from its beginning is forgotten,
        :math:`r \leftarrow r_0 + (r - r_0) 2^{-t / half\_life}`. A number in the unit of ``votes.time``, and a
        `datetime.timedelta` for votes at dates. Scores are those at the time of the last vote.
    history : bool
        Keep the ratings before and after each vote, as ``ranking.history``.
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
        For an option out of range, a label in `k` or `initial` that is no item, PairCounts, which have no order,
        chunks whose times go back, `half_life` without times, and `half_life` or `history` with `n_shuffles`.

    References
    ----------
    Elo (1978), "The Rating of Chessplayers, Past and Present", section 1.6. FIDE (2024), Rating Regulations, section
    8.3.3, for k by games. Silver and Fischer-Baum (2015), "How we calculate NBA Elo ratings", FiveThirtyEight: between
    seasons ratings go back to the mean by a part of the way, which is a half-life in steps.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.elo(pv.Votes.from_wins(["ash"], ["birch"])).to_dict()
    {'ash': 1516.0, 'birch': 1484.0}
    >>> pv.elo(pv.Votes.from_wins(["ash"], ["birch"]), k={"ash": 64}, initial={"birch": 1600}).scores.round(1).tolist()
    [1541.0, 1579.5]
    """
    check_flag("history", history)
    if criteria is not None:
        if history:
            raise InputError(
                "history is wanted and criteria is given",
                option="history",
                remedy="rate each criterion with criterion=",
            )
        return combine(
            votes,
            criteria,
            criterion,
            elo,
            k=k,
            initial=initial,
            scale=scale,
            base=base,
            half_life=half_life,
            n_shuffles=n_shuffles,
            rng=generator(rng),
        )
    rule = EloRule.of(k, initial, scale, base, half_life)
    if n_shuffles is not None:
        _check_shuffles(n_shuffles, votes, rule, history)
    if not isinstance(votes, Votes):
        return _rate_chunks(
            votes, criterion, history, k=k, initial=initial, scale=scale, base=base, half_life=half_life
        )
    votes = votes.select(criterion)
    rule.check_labels(votes.items)
    spread, course = None, None
    if n_shuffles is None:
        order = time_order(votes)
        run, in_order = EloRun(rule, votes.items), votes if order is None else votes._take(order)
        totals, first = np.zeros((votes.n_items, 4)), np.arange(votes.n_items, dtype=np.int32)
        courses: list[NDArray[np.float64]] = []
        at_once(
            lambda: courses.append(run.record(in_order, history=history)),
            lambda: add_and_join(in_order, totals, first),
            work=len(votes),
        )
        ratings = run.ratings if rule.half_life == 0.0 else run.present()
        if history:
            course = history_of_parts(votes.items, [Rated(in_order, courses[0]).in_rows(order)], rule.slope)
    else:
        totals, first = summed(votes)
        ratings, spread = _shuffled(votes, n_shuffles, generator(rng), rule)
    return Ranking(
        items=votes.items,
        scores=ratings,
        unit="elo",
        method="elo",
        order_spread=spread,
        history=course,
        _totals=totals,
        _first=first,
        _log_odds_per_unit=rule.slope,
    )


def _check_shuffles(n_shuffles: object, votes: object, rule: EloRule, history: bool) -> None:
    """InputError where orders of the votes at random are asked for with what needs their own order."""
    if not isinstance(votes, Votes):
        raise InputError("n_shuffles is given with chunks of votes, which cannot be shuffled; pass them as one Votes")
    if not is_whole(n_shuffles) or not 2 <= n_shuffles <= MOST_SHUFFLES:
        raise InputError(
            f"n_shuffles is {shorten(n_shuffles)}; it is a whole number from 2 to {MOST_SHUFFLES:,}, or None for the "
            "votes' own order"
        )
    for option, wanted in (("history", history), ("half_life", rule.half_life > 0.0)):
        if wanted:
            raise InputError(
                f"{option} is given with n_shuffles, which gives up the order of the votes",
                option=option,
                remedy="leave one of them out",
            )


def _shuffled(
    votes: Votes, n_shuffles: int, rng: np.random.Generator, rule: EloRule
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and the standard deviation of the ratings over random orders of the votes."""
    mean, squares = np.zeros(votes.n_items), np.zeros(votes.n_items)
    for done in range(1, n_shuffles + 1):
        run = EloRun(rule, votes.items)
        run.record(votes._take(rng.permutation(len(votes))))
        change = run.ratings - mean
        mean += change / done
        squares += change * (run.ratings - mean)
    return mean, np.sqrt(squares / (n_shuffles - 1))


def _rate_chunks(votes: Any, criterion: Hashable | None, history: bool, **options: Any) -> Ranking:
    ratings, first = EloRatings((), **options), np.empty(0, np.int32)
    chosen, parts = Criterion(criterion), list[Rated]()
    for chunk in in_turn(each_chunk(votes, NEEDED)):
        taken = ratings._take_in(chosen.of(chunk), add=True, history=history)
        first = np.append(first, np.arange(len(first), taken.votes.n_items, dtype=np.int32))
        add_and_join(taken.votes, ratings._totals, first)
        parts += [taken] if history else []
    chosen.check()
    ratings._rule.check_labels(ratings.items)
    course = history_of_parts(ratings.items, parts, ratings._rule.slope) if history else None
    return ratings._ranking(first, course)
