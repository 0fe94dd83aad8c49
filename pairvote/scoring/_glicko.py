"""Glicko-2: ratings that say how well each is known, and how erratic each item's results are."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import shorten, wrong_option
from pairvote._common.options import check_flag
from pairvote._common.outcomes import Outcome
from pairvote._kernels import glicko as kernel
from pairvote.errors import InputError
from pairvote.ranking._chances import damped
from pairvote.ranking._history import RatingHistory
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._uncertainty import Independent
from pairvote.ranking._units import ELO_PER_LOG_ODDS
from pairvote.scoring._criteria import combine
from pairvote.scoring._elo_ratings import in_turn, time_order
from pairvote.scoring._elo_rule import USUAL_RATING, check_known
from pairvote.scoring._lengths import Length, length_of, numbers_of
from pairvote.votes._chunks import Criterion, each_chunk
from pairvote.votes._given import summed
from pairvote.votes._votes import Votes

ByItem = float | Mapping[Hashable, float]
Period = Literal["vote", "all"] | Length
NEEDED = "Glicko-2 needs Votes, since their order matters, or chunks of them, such as scan_votes gives"
USUAL_DEVIATION, USUAL_VOLATILITY = 350.0, 0.06
# Where ratings are so many log-odds from their beginning, exponentials come near the ends of float64.
FURTHEST = 300.0
MOST_PERIODS = 2.0**40
# Columns of the kernel's table of items.
MU, PHI, SIGMA, LAST = 0, 1, 2, 6


def glicko2(
    votes: Votes | Iterable[Votes],
    *,
    tau: float = 0.5,
    initial: ByItem = 1500.0,
    deviation: ByItem = 350.0,
    volatility: ByItem = 0.06,
    period: Period = "vote",
    history: bool = False,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by Glicko-2: Elo's scale, with a deviation that says how well each rating is known.

    In a rating period each item meets its opponents as they were before it. With :math:`\mu` and :math:`\phi` a rating
    and its deviation in log-odds, :math:`g(\phi) = 1 / \sqrt{1 + 3 \phi^2 / \pi^2}`,
    :math:`E_j = 1 / (1 + e^{-g(\phi_j)(\mu - \mu_j)})` and a vote of weight w counted w times, the period's votes give

    .. math:: 1 / v = \sum w_j g_j^2 E_j (1 - E_j), \quad
        \phi'^{-2} = (\phi^2 + \sigma'^2)^{-1} + 1 / v, \quad \mu' = \mu + \phi'^2 \sum w_j g_j (s_j - E_j)

    where the new volatility :math:`\sigma'` is larger the further results were from what was expected.

    Parameters
    ----------
    votes : Votes or iterable of Votes
        Or chunks of votes in their order, which are put together in memory. Skips and votes of weight zero change
        nothing.
    tau : float
        How fast volatilities change: from 0.01 to 2, and usually from 0.3 to 1.2.
    initial : float or mapping of label to float
        The rating that items begin with. By item: those that are not named begin at 1500.
    deviation : float or mapping of label to float
        How far off that rating may be, as a standard deviation in rating points, from 1 to 2,000. By item: 350 for
        those that are not named.
    volatility : float or mapping of label to float
        The standard deviation, in log-odds, of an item's change in one period, from 0.0001 to 1. By item: 0.06 for
        those that are not named.
    period : "vote", "all", float or timedelta
        The rating periods. "vote": every vote is one, for its two items; others do not change. "all": all votes are
        one. Or a length of time from the first vote on, in the unit of ``votes.time``, or a `datetime.timedelta` for
        votes at dates: then deviations also grow in periods in which an item has no votes, after its first one.
        Glickman advises periods of 10 to 15 votes for each item.
    history : bool
        Keep the ratings before and after each vote, as ``ranking.history``.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In Glicko points, which are Elo's. Its standard errors are the deviations, those of the ratings themselves and
        not of centred ones, with no covariances. They are too small where a period has many votes for an item, "all"
        above all. `volatilities` has the last volatility of each item.

    Raises
    ------
    InputError
        For an option out of range, a label that is no item, PairCounts, which have no order, a length of `period`
        without times, and ratings that run away under very large weights.

    References
    ----------
    Glickman (2022), "Example of the Glicko-2 system", glicko.net; Glickman (1999), "Parameter estimation in large
    dynamic paired comparison experiments", Applied Statistics 48.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["A", "C", "D"], ["B", "A", "A"], items=["A", "B", "C", "D"])
    >>> ranking = pv.glicko2(
    ...     votes,
    ...     period="all",
    ...     initial={"A": 1500, "B": 1400, "C": 1550, "D": 1700},
    ...     deviation={"A": 200, "B": 30, "C": 100, "D": 300},
    ... )
    >>> round(ranking.to_dict()["A"], 2), round(float(ranking.standard_errors[0]), 2)
    (1464.05, 151.52)
    """
    check_flag("history", history)
    options = {"tau": tau, "initial": initial, "deviation": deviation, "volatility": volatility, "period": period}
    if criteria is not None:
        if history:
            raise InputError(
                "history is wanted and criteria is given",
                option="history",
                remedy="rate each criterion with criterion=",
            )
        return combine(votes, criteria, criterion, glicko2, **options)
    if not isinstance(votes, Votes):
        votes, criterion = _joined(votes, criterion), None
    votes = votes.select(criterion)
    start = _Start.of(votes.items, initial, deviation, volatility)
    if not is_number(tau) or not 0.01 <= tau <= 2.0:
        raise wrong_option("tau", tau, "it is a number from 0.01 to 2, usually from 0.3 to 1.2")
    order = time_order(votes)
    in_order = votes if order is None else votes._take(order)
    score, weight = _counted(in_order)
    periods, grows = _periods(in_order, ~np.isnan(score), period)
    table, course = start.table(), np.empty((len(votes) if history else 0, 6))
    rule = np.array([float(tau), float(grows)])
    kernel.rate_periods(in_order.left, in_order.right, score, weight, periods, table, course, rule)
    _check_range(table)
    if grows:
        idle = np.where(table[:, LAST] >= 0.0, table[:, LAST].max(initial=0.0) - table[:, LAST], 0.0)
        table[:, PHI] = np.sqrt(table[:, PHI] ** 2 + idle * table[:, SIGMA] ** 2)
    kept = None
    if history:
        kept = _history(votes, course if order is None else course[np.argsort(order)], start.centre)
    totals, first = summed(votes)
    return Ranking(
        items=votes.items,
        scores=start.centre + ELO_PER_LOG_ODDS * table[:, MU],
        unit="glicko",
        method="glicko2",
        history=kept,
        volatilities=table[:, SIGMA].copy(),
        _totals=totals,
        _first=first,
        _uncertainty=Independent((ELO_PER_LOG_ODDS * table[:, PHI]) ** 2),
        _log_odds_per_unit=1.0 / ELO_PER_LOG_ODDS,
    )


@dataclass(frozen=True, eq=False)
class _Start:
    """What is taken of items before their first vote, and the rating that log-odds are counted from."""

    centre: float
    ratings: NDArray[np.float64]
    deviations: NDArray[np.float64]
    volatilities: NDArray[np.float64]

    @classmethod
    def of(cls, items: Sequence[Hashable], initial: ByItem, deviation: ByItem, volatility: ByItem) -> _Start:
        columns = []
        for option, value, usual, low, high in (
            ("initial", initial, USUAL_RATING, -1e12, 1e12),
            ("deviation", deviation, USUAL_DEVIATION, 1.0, 2000.0),
            ("volatility", volatility, USUAL_VOLATILITY, 1e-4, 1.0),
        ):
            columns.append(_by_item(items, option, value, usual, low, high))
        ratings, deviations, volatilities = columns
        centre = USUAL_RATING if isinstance(initial, Mapping) else float(initial)
        far = np.abs(ratings - centre) > 0.5 * FURTHEST * ELO_PER_LOG_ODDS
        if far.any():
            code = int(np.argmax(far))
            raise InputError(
                f"initial of {shorten(items[code])} is {ratings[code]:g}, too far from {centre:g}",
                option="initial",
                value=float(ratings[code]),
                remedy="let ratings begin within 20,000 points of 1500",
            )
        return cls(centre, ratings, deviations, volatilities)

    def table(self) -> NDArray[np.float64]:
        """The kernel's table of items."""
        table = np.zeros((len(self.ratings), 7))
        table[:, MU] = (self.ratings - self.centre) / ELO_PER_LOG_ODDS
        table[:, PHI] = self.deviations / ELO_PER_LOG_ODDS
        table[:, SIGMA] = self.volatilities
        table[:, LAST] = -1.0
        return table


def _by_item(
    items: Sequence[Hashable], option: str, value: object, usual: float, low: float, high: float
) -> NDArray[np.float64]:
    """An option of each item: float64, shape (n_items,); InputError for a number out of range."""
    own = value if isinstance(value, Mapping) else {}
    for where, number in [*own.items()] if isinstance(value, Mapping) else [(None, value)]:
        if not is_number(number) or not low <= number <= high:
            named = option if where is None else f"{option} of {shorten(where)}"
            raise InputError(
                f"{named} is {shorten(number)}",
                option=option,
                value=number,
                remedy=f"it is a number from {low:g} to {high:g}"
                + ("" if own else ", or one for each label in a dict"),
            )
    if own:
        check_known(option, own, items)
    return np.array([float(own.get(label, usual if isinstance(value, Mapping) else value)) for label in items], float)


def _counted(votes: Votes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The left side's share of each vote, nan for one that does not count, and the weights."""
    score = np.where(votes.outcome == Outcome.SKIP, np.nan, 0.5 * votes.outcome)
    if votes.share is not None:
        score = np.where(votes.is_graded, votes.share, score)
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    return np.where(weight > 0.0, score, np.nan), weight


def _periods(votes: Votes, counted: NDArray[np.bool_], period: Period) -> tuple[NDArray[np.float64], bool]:
    """The rating period of each vote, and whether deviations grow in those without votes."""
    if isinstance(period, str):
        if period not in ("vote", "all"):
            raise wrong_option("period", period, "it is 'vote', 'all', or a length in the unit of the votes' times")
        return (np.arange(len(votes), dtype=np.float64) if period == "vote" else np.zeros(len(votes))), False
    length, moments = length_of("period", period, "'vote', 'all', ")
    numbers = numbers_of("period", votes, moments)
    first = numbers[counted].min(initial=math.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        periods = np.floor((numbers - (first if first < math.inf else 0.0)) / length)
    if not (np.abs(periods) < MOST_PERIODS).all():
        raise wrong_option("period", period, f"it makes more than {MOST_PERIODS:,.0f} periods, so choose a longer one")
    return periods, True


def _check_range(table: NDArray[np.float64]) -> None:
    """InputError where ratings went so far that no chances can be computed."""
    if not (np.isfinite(table[:, : SIGMA + 1]).all() and (np.abs(table[:, MU]) < FURTHEST).all()):
        raise InputError(
            "the ratings run away, as Glicko-2's do where one period has very much weight for an item",
            option="weight",
            remedy="divide the weights by one number, choose shorter periods, or let tau be smaller",
        )


def _history(votes: Votes, course: NDArray[np.float64], centre: float) -> RatingHistory:
    """The course of ratings as a result, in points."""
    left, right, after_left, after_right = (centre + ELO_PER_LOG_ODDS * course[:, place] for place in (0, 1, 4, 5))
    gaps = damped(course[:, 0] - course[:, 1], course[:, 2] ** 2 + course[:, 3] ** 2, 1.0)
    return RatingHistory(
        items=votes.items,
        left=votes.left.copy(),
        right=votes.right.copy(),
        left_before=left,
        right_before=right,
        left_after=after_left,
        right_after=after_right,
        expected=0.5 + 0.5 * np.tanh(0.5 * gaps),
    )


def _joined(votes: object, criterion: Hashable | None) -> Votes:
    """Chunks of votes on one criterion as one table."""
    chosen = Criterion(criterion)
    parts = [chosen.of(chunk) for chunk in in_turn(each_chunk(votes, NEEDED))]
    chosen.check()
    while len(parts) > 1:
        # In pairs, so that a row is copied seldom.
        rest = parts[-1:] if len(parts) % 2 else []
        parts = [one + other for one, other in zip(parts[::2], parts[1::2], strict=False)] + rest
    return parts[0] if parts else Votes.from_codes([], [], [], items=[])
