"""What draws from the posterior say about ranks: intervals and tiers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import wrong_option
from pairvote.errors import InputError
from pairvote.ranking._results import check_level
from pairvote.ranking._uncertainty import stretches, symmetric_root

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A simultaneous level is judged by draws that had no part in the intervals: each tenth by the other nine.
N_PARTS = 10


@dataclass(frozen=True, kw_only=True)
class NormalDraws:
    """How many draws are taken from a normal posterior.

    most, least : how many draws there are at most, and at least
    most_scores : how many scores are drawn at most, unless that makes fewer draws than `least`
    """

    most: int = 10_000
    least: int = 2_000
    most_scores: int = 2_000_000

    def number(self, n_items: int) -> int:
        """The number of draws for so many items."""
        return min(self.most, max(self.least, self.most_scores // max(n_items, 1)))


NORMAL_DRAWS = NormalDraws()


def is_credible(kind: str | None, has_posterior: bool, method: str) -> bool:
    """Whether statements of this kind are credible ones; None is the default, credible where there is a posterior."""
    if kind is None:
        return has_posterior
    if kind not in ("credible", "confidence"):
        raise wrong_option("kind", kind, "use 'credible' or 'confidence'")
    if kind == "credible" and not has_posterior:
        raise InputError(
            f"kind is 'credible', and this ranking by {method!r} has no posterior",
            option="kind",
            value=kind,
            remedy="use kind='confidence', or score with bradley_terry, a finite prior_sd and without a bootstrap",
        )
    return kind == "credible"


def normal_draws(
    scores: Floats,
    covariance: Floats,
    ranks: Ints,
    degrees_of_freedom: float,
    rng: np.random.Generator,
    number: NormalDraws = NORMAL_DRAWS,
) -> Floats:
    """Scores drawn from a normal, or a multivariate t: float64, shape (n_draws, n_items).

    They are drawn in the order of rank, so that another order of the items does not change what is drawn.
    """
    n_items = len(scores)
    order = np.argsort(ranks, kind="stable")
    root = symmetric_root(covariance[np.ix_(order, order)])
    draws = np.empty((number.number(n_items), n_items))
    away = rng.standard_normal(draws.shape) @ root
    draws[:, order] = scores[order] + stretches(degrees_of_freedom, len(draws), rng)[:, None] * away
    return draws


def credible_limits(draws: Floats, ranks: Ints, level: float, simultaneous: bool) -> tuple[Ints, Ints]:
    """The best and the worst rank that each item may have by the posterior: int64, shape (n_items,).

    An interval is what remains when ranks are taken off its ends, the less probable first. One by one, `level` of an
    item's draws remain. Together, ranks are taken off all intervals alike, each until the same share of the item's
    draws is gone, for as long as `level` of the draws remain in all of them. The estimated rank always remains.

    Parameters
    ----------
    draws : float64 array, shape (n_draws, n_items)
    ranks : int64 array, shape (n_items,)
        The estimated ranks.
    level : float
    simultaneous : bool
    """
    check_level(level)
    n_draws, n_items = draws.shape
    if n_items < 2:
        return ranks.copy(), ranks.copy()
    places = places_of(draws)
    outside = shares_outside(rank_counts(places))
    least = 1.0 - level
    if simultaneous:
        held = _held_out(places)
        # Of n + 1 draws, so many at most may have an item outside its interval.
        n_failing = min(math.floor(least * (n_draws + 1)), n_draws - 1)
        least = min(least, float(np.partition(held, n_failing)[n_failing]))
        inside = outside >= least
    else:
        inside = outside > least
    low = 1 + inside.argmax(axis=1)
    high = n_items - inside[:, ::-1].argmax(axis=1)
    return np.minimum(low, ranks), np.maximum(high, ranks)


def places_of(draws: Floats) -> NDArray[np.int32]:
    """The place of each item in each draw, 0 for the best: int32, shape (n_draws, n_items)."""
    places = np.empty(draws.shape, np.int32)
    np.put_along_axis(places, np.argsort(-draws, axis=1), np.arange(draws.shape[1], dtype=np.int32)[None], axis=1)
    return places


def rank_counts(places: NDArray[np.int32]) -> Ints:
    """In how many draws each item has each place: int64, shape (n_items, n_items)."""
    n_items = places.shape[1]
    cells = places + n_items * np.arange(n_items)
    return np.bincount(cells.ravel(), minlength=n_items**2).reshape(n_items, n_items)


def shares_outside(counts: Ints) -> Floats:
    """The share of an item's draws that is gone once each rank has been taken off: float64, shape (n_items, n_items).

    Ranks go in the order of the least unimodal distribution above the counts, so that what remains is one interval,
    the narrowest if the distribution has one peak. To the draws is added as much as one from the normal with the mean
    and the standard deviation of the item's ranks: it orders the ranks that no draw has.
    """
    n_items = len(counts)
    places = np.arange(n_items)
    n_draws = counts[0].sum()
    means = counts @ places / n_draws
    spreads = np.sqrt(np.maximum(counts @ places**2 / n_draws - means**2, 0.25))
    normal = np.exp(-0.5 * ((places - means[:, None]) / spreads[:, None]) ** 2)
    mass = counts + normal / normal.sum(axis=1, keepdims=True)
    heights = np.minimum(np.maximum.accumulate(mass, axis=1), np.maximum.accumulate(mass[:, ::-1], axis=1)[:, ::-1])
    # Of ranks of one height, the farther from the peak goes first.
    heights *= 1.0 - 1e-9 * np.abs(places - mass.argmax(axis=1, keepdims=True)) / n_items
    order = np.argsort(heights, axis=1, kind="stable")
    gone = np.cumsum(np.take_along_axis(mass, order, axis=1), axis=1)
    outside = np.empty_like(gone)
    np.put_along_axis(outside, order, gone / n_draws, axis=1)
    return outside


def _held_out(places: NDArray[np.int32]) -> Floats:
    """The least share outside of any item's rank in each draw, by draws of other parts: float64, shape (n_draws,)."""
    items = np.arange(places.shape[1])
    counts, parts = rank_counts(places), in_parts(places)
    if len(parts) < 2:
        return np.zeros(len(places))
    return np.concatenate([shares_outside(counts - rank_counts(part))[items, part].min(axis=1) for part in parts])


def in_parts(draws: NDArray[Any]) -> list[NDArray[Any]]:
    """The draws in parts of consecutive ones: neighbours in a chain are alike and must not judge each other."""
    return np.array_split(draws, min(N_PARTS, len(draws)))


def credible_tiers(draws: Floats, ranks: Ints, level: float) -> Ints:
    """The tier of each item, 1 for the best: int64, shape (n_items,).

    Down the ranking, a tier begins at the first item that the last tier's best is ahead of in a large enough share of
    the draws: the least one, for all tiers alike, by which the best items of all tiers stand in this order in `level`
    of the draws. Items that share a rank stay together: all of them are ahead, or all behind.
    """
    check_level(level)
    n_draws, n_items = draws.shape
    if not n_items:
        return np.empty(0, np.int64)
    order = np.argsort(ranks, kind="stable")
    leads = _Leads.of(draws[:, order], np.unique(ranks) - 1)
    low = least = math.ceil(level * n_draws)
    # In more draws than there are nobody is ahead, and there is one tier.
    high = n_draws + 1
    while low < high:
        middle = (low + high) // 2
        if leads.n_in_order(middle) >= least:
            high = middle
        else:
            low = middle + 1
    begins = np.zeros(n_items, np.int64)
    begins[leads.first[leads.best(high)]] = 1
    tiers = np.empty(n_items, np.int64)
    tiers[order] = np.cumsum(begins)
    return tiers


@dataclass(frozen=True, eq=False)
class _Leads:
    """Who is ahead of whom in how many draws, of groups of items that share a rank, best first.

    first : int64 array, shape (n_groups,), the first item of each group
    parts : for each part of the draws, the best and the worst score in each group: float64, shape (n_in_part, n_groups)
    """

    first: Ints
    parts: list[tuple[Floats, Floats]]
    _ahead: dict[int, Ints] = field(default_factory=dict)

    @classmethod
    def of(cls, draws: Floats, first: Ints) -> _Leads:
        """The leads in draws of items in the order of rank."""
        upper = lower = draws
        if len(first) < draws.shape[1]:
            upper, lower = np.maximum.reduceat(draws, first, axis=1), np.minimum.reduceat(draws, first, axis=1)
        return cls(first, list(zip(in_parts(upper), in_parts(lower), strict=True)))

    def ahead(self, group: int) -> Ints:
        """In how many draws of each part a group is ahead of each one after it: int64, shape (n_parts, n_after)."""
        if group not in self._ahead:
            counts = [
                np.count_nonzero(lower[:, [group]] > upper[:, group + 1 :], axis=0) for upper, lower in self.parts
            ]
            self._ahead[group] = np.array(counts)
        return self._ahead[group]

    def best(self, n_needed: float, without: int | None = None) -> list[int]:
        """The best group of each tier, where a tier's best is ahead of the next in so many draws, of all parts or but
        for one.
        """
        best, others = [0], np.arange(len(self.parts)) != without
        while (clear := self.ahead(best[-1])[others].sum(axis=0) >= n_needed).any():
            best.append(best[-1] + 1 + int(clear.argmax()))
        return best

    def n_in_order(self, n_needed: int) -> int:
        """In how many draws the best groups of the tiers, found from the draws of other parts, stand in order."""
        n_draws, n_held = sum(len(upper) for upper, _ in self.parts), 0
        for place, (upper, lower) in enumerate(self.parts):
            best = self.best(n_needed * (1.0 - len(upper) / n_draws), without=place)
            n_held += int((lower[:, best[:-1]] > upper[:, best[1:]]).all(axis=1).sum())
        return n_held
