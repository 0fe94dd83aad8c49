r"""How far the votes of each pair of items are from what the model expects of them.

A vote is scored x = 1 where the first item of a pair won, 1/2 for a tie, 0 where it lost. With O the sum of the scores
of a pair's n votes, E its expectation and V its variance under the fitted model,

.. math:: z = \frac{O - E}{\sqrt{V - J C J'}},

J being the derivative of E by the parameters and C their covariance: since the fit follows the votes, O - E varies less
than O. The deviance residual is

.. math:: d = \mathrm{sign}(O - E) \sqrt{2 \sum_o n_o \log \frac{n_o}{e_o}},

with :math:`n_o` votes for each outcome, of which :math:`e_o` are expected; both orders of a pair are added up. Without
a position effect its squares add up to the deviance of the fit. Of pairs with few votes it is less skew than z, so that
the largest of all is judged by it.

References
----------
McCullagh and Nelder (1989), "Generalized Linear Models", sections 2.4 and 12.5. Firth (2005), "Bradley-Terry models in
R", J. Statistical Software 12(1), section 5. Davison and Hinkley (1997), "Bootstrap Methods and their Application",
section 4.2, for tests by simulation.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.options import check_jobs
from pairvote._common.outcomes import Outcome
from pairvote._common.random import Rng, generator
from pairvote._inference import PriorOption
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus, added_up, check_rate
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, chance, named
from pairvote.diagnostics._residuals import tail
from pairvote.diagnostics._simulated import check_simulation, simulate
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
SCORE = np.array([0.0, 0.5, 1.0])
# A variance that is a smaller part of V than this is what rounding leaves: such a pair is fitted exactly.
LEAST_PART = 1e-9


class Sums(NamedTuple):
    """What adds up over the votes of each unordered pair, the lower code first: each of shape (n_pairs,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    votes: Floats
    won: Floats
    expected: Floats
    tied: Floats
    expected_ties: Floats
    variance: Floats
    squared_deviance: Floats

    @classmethod
    def of(cls, consensus: Consensus) -> Sums:
        """Of the votes that a model was fitted to, by that model."""
        counts, chances = consensus.counts, consensus.probabilities
        left, right = counts.left.astype(np.int64), counts.right.astype(np.int64)
        turned = left > right
        key = np.minimum(left, right) * counts.n_items + np.maximum(left, right)
        keys, pair = np.unique(key, return_inverse=True)

        def by_pair(values: Floats) -> Floats:
            return added_up(pair, values, len(keys))

        # Outcomes as those of the first item: the other one won, a tie, this one won.
        table = np.where(turned[:, None], counts.table[:, ::-1], counts.table)
        chances = np.where(turned[:, None], chances[:, ::-1], chances)
        votes, mean = table.sum(axis=1), chances @ SCORE
        found, expected = (
            np.stack([by_pair(column) for column in values.T], axis=1) for values in (table, votes[:, None] * chances)
        )
        return cls(
            first=keys // counts.n_items,
            second=keys % counts.n_items,
            votes=found.sum(axis=1),
            won=found @ SCORE,
            expected=expected @ SCORE,
            tied=found[:, Outcome.TIE],
            expected_ties=expected[:, Outcome.TIE],
            variance=by_pair(votes * (chances @ SCORE**2 - mean**2)),
            squared_deviance=_squared_deviance(found, expected),
        )

    @property
    def deviance(self) -> Floats:
        """The deviance residual of each pair."""
        return np.copysign(np.sqrt(self.squared_deviance), self.won - self.expected)

    def left_by_fit(self, consensus: Consensus) -> Floats:
        """The variance of O - E of each pair: V - J C J'."""
        model, parameters, counts = consensus.model, consensus.parameters, consensus.counts
        layout = model.layout
        by_d, by_nuisance, _ = model.outcome.information(consensus.log_odds, parameters[layout.nuisance])
        chances = consensus.probabilities.T
        by_d, by_nuisance = (chances * by_d).sum(axis=0), (chances * by_nuisance).sum(axis=1)
        votes = counts.table.sum(axis=1)
        turned = counts.left > counts.right
        side = np.where(turned, -1.0, 1.0)
        key = np.minimum(counts.left, counts.right).astype(np.int64) * counts.n_items
        key += np.maximum(counts.left, counts.right)
        pair = np.searchsorted(self.first * counts.n_items + self.second, key)
        own = added_up(pair, votes * by_d, len(self.first))
        parts = [(self.first, own), (self.second, -own)]
        for place in range(layout.n_nuisance):
            slope = added_up(pair, votes * side * by_nuisance[place], len(self.first))
            parts.append((np.full(len(own), layout.nuisance.start + place), slope))
        if layout.has_position:
            slope = added_up(pair, votes * side * by_d, len(self.first))
            parts.append((np.full(len(own), layout.position.start), slope))
        inverse = consensus.fitted._inverse
        taken = sum((a * b * inverse[i, j] for i, a in parts for j, b in parts), np.zeros(len(own)))
        return np.asarray(self.variance - taken)


def _squared_deviance(found: Floats, expected: Floats) -> Floats:
    """Twice what shares of its own votes add to the log-likelihood of each pair: float64, shape (n_pairs,)."""
    ratios = np.divide(found, expected, out=np.ones_like(found), where=found > 0.0)
    return np.maximum(2.0 * (found * np.log(ratios)).sum(axis=1), 0.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class PairResiduals(Part):
    """The votes of each pair of items beside what the model expects of them, and whether it fits.

    Attributes
    ----------
    items : tuple of labels
    first, second : int64 arrays, shape (n_pairs,)
        The codes of the items of each pair that has votes, the lower one first.
    votes : float64 array, shape (n_pairs,)
        The weight of the pair's votes.
    won, expected : float64 arrays, shape (n_pairs,)
        How many of these the first item won, a tie as half, and how many it is expected to win.
    tied, expected_ties : float64 arrays, shape (n_pairs,)
    standardised : float64 array, shape (n_pairs,)
        `won` less `expected`, over its standard deviation; 0 where the fit follows the pair's votes exactly.
    deviance : float64 array, shape (n_pairs,)
        The deviance residual: that of the numbers of all outcomes, with the sign of `won` less `expected`.
    p : float64 array, shape (n_pairs,)
        The chance that some pair of votes that follow the model has so large a deviance residual, by simulation.
    fit_p : float
        The chance that such votes have so large a deviance in all: small where the model does not fit.
    rate : float
        Pairs with a `p` of at most this are flagged.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.residuals(pv.datasets.baseball(), rng=1)
    >>> worst = found.to_columns()
    >>> worst["first"][0], worst["second"][0], worst["won"][0], round(worst["expected"][0], 1)
    ('Detroit', 'Boston', 11.0, 7.3)
    """

    title = "Pairs"

    items: tuple[Hashable, ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    votes: Floats
    won: Floats
    expected: Floats
    tied: Floats
    expected_ties: Floats
    standardised: Floats
    deviance: Floats
    p: Floats
    fit_p: float
    rate: float

    @property
    def flagged(self) -> tuple[tuple[Hashable, Hashable], ...]:
        """The pairs of labels whose votes are further from the model than chance explains, the furthest first."""
        order = self._order
        return tuple(self._labels(place) for place in order[self.p[order] <= self.rate].tolist())

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each pair, the largest deviance residual first.

        Columns: first, second, votes, won, expected, tied, expected_ties, standardised, deviance, p.
        """
        order = self._order
        labels = [self._labels(place) for place in order.tolist()]
        names = ("votes", "won", "expected", "tied", "expected_ties", "standardised", "deviance", "p")
        return {
            "first": [first for first, _ in labels],
            "second": [second for _, second in labels],
            **{name: getattr(self, name)[order].tolist() for name in names},
        }

    @property
    def _order(self) -> NDArray[np.intp]:
        return np.argsort(-np.abs(self.deviance), kind="stable")

    def _labels(self, place: int) -> tuple[Hashable, Hashable]:
        return self.items[self.first[place]], self.items[self.second[place]]

    def _blocks(self) -> Iterator[Block]:
        total = float(np.square(self.deviance).sum())
        verdict = "the model does not fit" if self.fit_p <= self.rate else "no sign that the model does not fit"
        yield (
            f"{plural(len(self.first), 'pair')} with votes have a deviance of {total:.1f} "
            f"({chance(self.fit_p)} by simulated votes: {verdict})"
        )
        order = self._order[:MOST_ROWS]
        if not len(order):
            return
        largest = order[0]
        first, second = self._labels(largest)
        yield (
            f"the furthest off is {named(first)} against {named(second)}, "
            + ("more than" if self.p[largest] <= self.rate else "no more than")
            + f" chance explains ({chance(self.p[largest])})"
        )
        has_ties = bool(self.tied.any())
        rows = []
        for place in order.tolist():
            first, second = self._labels(place)
            row = [named(first), named(second), f"{self.votes[place]:.6g}"]
            row += [f"{self.won[place]:.6g}", f"{self.expected[place]:.1f}"]
            row += [f"{self.tied[place]:.6g}", f"{self.expected_ties[place]:.1f}"] if has_ties else []
            rows.append([*row, f"{self.standardised[place]:+.1f}", f"{self.deviance[place]:+.1f}"])
        ties = ("tied", "expected") if has_ties else ()
        yield Table(
            ("first", "second", "votes", "first won", "expected", *ties, "standardised", "deviance"), rows, (0, 1)
        )

    def _concerns(self) -> Iterator[str]:
        if self.fit_p <= self.rate:
            yield (
                f"the votes of pairs are further from the model than chance explains ({chance(self.fit_p)}): no score "
                "for each item can say who beats whom"
            )


def totals_of(drawn: Consensus) -> tuple[float, float]:
    """The deviance of a fit, and its largest deviance residual."""
    squared = Sums.of(drawn).squared_deviance
    return float(squared.sum()), float(np.sqrt(squared.max(initial=0.0)))


def residuals(
    votes: Votes,
    *,
    rate: float = 0.05,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> PairResiduals:
    """What was voted on each pair of items, beside what Bradley-Terry expects of it.

    The model has Davidson's ties, and a position effect where both sides won. Whether it fits, and whether some pair is
    further off than chance explains, votes simulated from it say, on the same questions, each scored anew: that holds
    for pairs with few votes too, for which neither a chi-squared nor a normal distribution does.

    Parameters
    ----------
    votes : Votes
    rate : float
        How often votes that follow the model may have any pair flagged.
    n_simulations : int, optional
        From 99; by default 499, of large votes fewer, down to 199.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`; finite. Where it is learned, votes are held against a fit under a normal prior of the
        learned spread, of 0.3 at the least.
    n_jobs : int
        How many processes simulate, -1 for all cores; the answer is the same for any.
    progress : bool
        Show a bar of the simulations.

    Returns
    -------
    PairResiduals

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    McCullagh and Nelder (1989), "Generalized Linear Models", section 2.4.

    Examples
    --------
    >>> import pairvote as pv
    >>> for line in str(pv.diagnostics.residuals(pv.datasets.baseball(), rng=1)).splitlines()[:6]:
    ...     print(line)
    Pairs
      21 pairs with votes have a deviance of 17.0 (p = 0.42 by simulated votes: no sign that the model does not fit)
      the furthest off is Detroit against Boston, no more than chance explains (p = 0.27)
      first      second     votes  first won  expected  standardised  deviance
      Detroit    Boston        13         11       7.3          +2.4      +2.2
      Boston     Baltimore     13         12       9.3          +1.9      +1.9
    """
    check_rate(rate)
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    (drawn,) = simulate(consensus, n_simulations, generator(rng), [totals_of], n_jobs=n_jobs, progress=progress)
    found = Sums.of(consensus)
    left = found.left_by_fit(consensus)
    varies = left > LEAST_PART * found.variance
    standardised = np.zeros(len(left))
    np.divide(found.won - found.expected, np.sqrt(np.where(varies, left, 1.0)), out=standardised, where=varies)
    deviance = found.deviance
    return PairResiduals(
        items=consensus.rows.items,
        first=found.first,
        second=found.second,
        votes=found.votes,
        won=found.won,
        expected=found.expected,
        tied=found.tied,
        expected_ties=found.expected_ties,
        standardised=standardised,
        deviance=deviance,
        p=tail(np.abs(deviance), drawn[:, 1]),
        fit_p=float(tail(np.array([found.squared_deviance.sum()]), drawn[:, 0])[0]),
        rate=rate,
    )
