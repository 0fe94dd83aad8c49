r"""Infit and outfit mean squares: how far votes are from what the model expects of them.

A vote is scored x = 1 where the left side won, 1/2 for a tie, 0 where the right side won. With E its expectation, W its
variance and C its fourth central moment under the fitted model,

.. math:: outfit = \frac1n \sum \frac{(x - E)^2}{W}, \qquad infit = \frac{\sum (x - E)^2}{\sum W},

both about 1. Their variances are :math:`\sum (C / W^2 - 1) / n^2` and :math:`\sum (C - W^2) / (\sum W)^2`, and
:math:`t = (MS^{1/3} - 1) \cdot 3 / q + q / 3` with q the standard deviation is about standard normal.

References
----------
Wright and Masters (1982), "Rating Scale Analysis", chapter 5 (infit, outfit and t).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote.diagnostics._consensus import Consensus
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, chance, named

LEAST_SPREAD = 1e-6
# Statistics of two fits that differ by less, as a part of them where they exceed 1, are the same.
SAME = 1e-4
SCORE = np.array([0.0, 0.5, 1.0])


class MeanSquares(NamedTuple):
    """Mean squares of each group of votes: float64, shape (n_groups,); nan where there are none."""

    infit: NDArray[np.float64]
    outfit: NDArray[np.float64]
    infit_t: NDArray[np.float64]
    outfit_t: NDArray[np.float64]


class Moments(NamedTuple):
    """What the model expects of a vote on each pair: float64, from_expected (n_pairs, 3), the others (n_pairs,)."""

    from_expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    fourth: NDArray[np.float64]

    @classmethod
    def of(cls, consensus: Consensus) -> Moments:
        """Under its model."""
        chances = consensus.probabilities
        from_expected = SCORE - (chances @ SCORE)[:, None]
        squares = from_expected**2
        return cls(from_expected, (chances * squares).sum(axis=1), (chances * squares**2).sum(axis=1))


def squares_of_voters(
    consensus: Consensus, rows: NDArray[np.intp], voter: NDArray[np.intp], n_voters: int
) -> MeanSquares:
    """Infit and outfit of the votes at `rows`, by the voter of each."""
    moments, pair = Moments.of(consensus), consensus.pair[rows]
    squares = moments.from_expected[pair, consensus.rows.outcome[rows]] ** 2
    sums = _terms(np.ones(len(rows)), squares, moments.variance[pair], moments.fourth[pair])
    return _mean_squares(np.stack([np.bincount(voter, term, n_voters) for term in sums]))


def squares_of_items(consensus: Consensus) -> MeanSquares:
    """Infit and outfit of each item's votes."""
    moments, counts, n_items = Moments.of(consensus), consensus.counts, consensus.n_items
    cells = 3 * consensus.pair + consensus.rows.outcome
    table = np.bincount(cells, minlength=3 * counts.n_pairs).reshape(-1, 3)
    squares = (table * moments.from_expected**2).sum(axis=1)
    sums = _terms(table.sum(axis=1), squares, moments.variance, moments.fourth)
    return _mean_squares(
        np.stack([np.bincount(counts.left, term, n_items) + np.bincount(counts.right, term, n_items) for term in sums])
    )


def _terms(
    n: NDArray[Any], squares: NDArray[np.float64], variance: NDArray[np.float64], fourth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """What adds up over votes: how many they are, and the numerators and denominators of both mean squares."""
    return (
        n,
        n * variance,
        squares,
        squares / variance,
        n * (fourth - variance**2),
        n * (fourth / variance**2 - 1.0),
    )


def _mean_squares(sums: NDArray[np.float64]) -> MeanSquares:
    """The mean squares of sums, (6, n_groups)."""
    n, information, squares, standard_squares, by_information, by_number = sums
    infit, outfit = _ratio(squares, information), _ratio(standard_squares, n)
    infit_spread = _ratio(np.sqrt(np.maximum(by_information, 0.0)), information)
    outfit_spread = _ratio(np.sqrt(np.maximum(by_number, 0.0)), n)
    return MeanSquares(infit, outfit, _standardised(infit, infit_spread), _standardised(outfit, outfit_spread))


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient, and nan for a group without votes."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0.0)


def _standardised(mean_square: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wilson and Hilferty's cube root; 0 where every vote is expected to be even, for then squares do not vary."""
    even = spread < LEAST_SPREAD
    spread = np.where(even, 1.0, spread)
    return np.where(even, 0.0, (np.cbrt(mean_square) - 1.0) * (3.0 / spread) + spread / 3.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Items(Part):
    """How well the votes on each item fit the model.

    Attributes
    ----------
    items : tuple of labels, length n_items
    infit, outfit, infit_t, outfit_t : float64 arrays, shape (n_items,)
        Mean squares, about 1, and the same as standard normals; nan for an item that nobody was asked about.
    misfit_p : float64 array, shape (n_items,)
        The chance that some item of an honest vote has so high an `infit_t`, by simulation.
    rate : float
        Items with a `misfit_p` of at most this are flagged.

    Examples
    --------
    >>> import pairvote as pv
    >>> items = pv.diagnostics.check(pv.datasets.baseball(), rng=1).items
    >>> dict(zip(items.items, items.infit.round(2).tolist()))["Boston"], items.flagged
    (0.88, ())
    """

    title = "Items"

    items: tuple[Hashable, ...]
    infit: NDArray[np.float64]
    outfit: NDArray[np.float64]
    infit_t: NDArray[np.float64]
    outfit_t: NDArray[np.float64]
    misfit_p: NDArray[np.float64]
    rate: float

    @property
    def flagged(self) -> tuple[Hashable, ...]:
        """The labels of the items whose votes contradict each other more than chance explains."""
        return tuple(self.items[code] for code in np.flatnonzero(self.misfit_p <= self.rate))

    def _blocks(self) -> Iterator[Block]:
        low, high = np.nanmin(self.infit), np.nanmax(self.infit)
        yield f"infit {low:.2f} to {high:.2f}, outfit {np.nanmin(self.outfit):.2f} to {np.nanmax(self.outfit):.2f}"
        # nan, of an item without votes, comes last.
        worst = np.argsort(-self.infit_t)[:MOST_ROWS]
        rows = [
            (
                named(self.items[code]),
                f"{self.infit[code]:.2f}",
                f"{self.outfit[code]:.2f}",
                f"{self.infit_t[code]:.1f}",
                f"{self.misfit_p[code]:.3f}",
            )
            for code in worst.tolist()
            if self.misfit_p[code] <= self.rate
        ]
        if rows:
            yield Table(("item", "infit", "outfit", "t", "p"), rows)

    def _concerns(self) -> Iterator[str]:
        for code in np.flatnonzero(self.misfit_p <= self.rate).tolist():
            yield (
                f"the votes on {named(self.items[code])} contradict each other (infit {self.infit[code]:.2f}, "
                f"{chance(self.misfit_p[code])}): the voters may see different things in it"
            )


def items_of(consensus: Consensus, largest: NDArray[np.float64], rate: float) -> Items:
    """The items, held against the largest infit_t of each simulated vote."""
    found = squares_of_items(consensus)
    return Items(items=consensus.rows.items, **found._asdict(), misfit_p=tail(found.infit_t, largest), rate=rate)


def tail(found: NDArray[np.float64], simulated: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1 + how many of the simulated are at least so large) / (1 + how many there are); 1 for nan.

    Simulated votes are fitted less closely than the real ones, so what is equal except for that counts as equal.
    """
    ordered = np.sort(simulated)
    least = found - SAME * np.maximum(1.0, np.abs(found))
    above = len(ordered) - np.searchsorted(ordered, least, side="left")
    return np.where(np.isnan(found), 1.0, (1.0 + above) / (1.0 + len(ordered)))
