r"""Whether questions were chosen by earlier answers.

By the answers before a question, an item has the share :math:`s = (w + 1) / (m + 2)` of its m answers, w of them won
and a tie as half. The statistic is the distance of the two items of each question, over the mean distance of any two
items at that time, both added up over all questions:

.. math:: R = \sum_t |s_{t, i_t} - s_{t, j_t}| \Big/ \sum_t \frac{2}{n (n - 1)} \sum_{i < j} |s_{ti} - s_{tj}|.

A sampler that asks about items of like standing makes R small. Its distribution where questions do not depend on
answers is that in votes simulated from the fitted model, on the same questions in the same order. So an uneven design,
or one that joins items which somebody thought equally good, does not count: only its dependence on the answers does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._consensus import Consensus, added_up
from pairvote.diagnostics._page import Block, Part, chance
from pairvote.diagnostics._residuals import tail

# Shares are taken before each question, or of many questions before each of so many stages, of so many shares in all.
MOST_STAGES, MOST_SHARES = 1_000, 200_000
UNLIKELY = 0.01
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class Adaptivity(Part):
    """Whether questions were chosen by earlier answers: about items of like standing by then.

    After such questions scores are spread too far under a prior wider than the strengths are, and what compares their
    spread with their errors is inflated: scale separation, and split halves, which share the questions (Bramley 2015;
    Bramley and Vitello 2019). Under a learned prior both are near what they should be.

    Attributes
    ----------
    distance : float
        How far apart the items of a question were, by their shares of wins before it, over the mean distance of two
        items at that time.
    expected : float
        The mean of that in votes simulated from the fitted model, on the same questions: questions that do not depend
        on the answers.
    p : float
        The chance of so small a distance there.

    References
    ----------
    Bramley (2015), "Investigating the reliability of Adaptive Comparative Judgment", Cambridge Assessment research
    report. Bramley and Vitello (2019), "The effect of adaptivity on the reliability coefficient in adaptive comparative
    judgement", Assessment in Education 26.

    Examples
    --------
    >>> import pairvote as pv
    >>> workshop = {"n_items": 23, "n_voters": 30, "votes_each": 20, "repetitions": 1, "rng": 1}
    >>> for sampler in (pv.sampling.Balanced(), pv.sampling.Swiss()):
    ...     found = pv.diagnostics.adaptivity(pv.simulate(sampler=sampler, **workshop).votes(0), rng=1)
    ...     print(round(found.distance, 2), round(found.expected, 2), found.p <= 0.01)
    0.96 0.97 False
    0.75 0.94 True
    """

    title = "Choice of questions"

    distance: float
    expected: float
    p: float

    def _blocks(self) -> Iterator[Block]:
        yield (
            f"by earlier answers, the items of a question were {self.distance:.2f} times as far apart as any two; "
            f"{self.expected:.2f} expected ({chance(self.p)})"
        )
        if not self.is_found:
            yield "no sign that earlier answers chose the questions"

    def _concerns(self) -> Iterator[str]:
        if self.is_found:
            yield (
                "questions were chosen by earlier answers, as by adaptive sampling: by these, their items were "
                f"{self.distance:.2f} times as far apart as any two, and {self.expected:.2f} times is expected of "
                f"questions that do not depend on answers ({chance(self.p)})"
            )

    @property
    def is_found(self) -> bool:
        """Whether chance hardly explains the distance: p is at most 1%."""
        return self.p <= UNLIKELY


class Questions(NamedTuple):
    """The answered questions in their order, in stages before which shares are taken.

    left, right: of each question, as places among stages x items, shape (n_rows,). answers: those of each item before
    each stage, shape (n_stages, n_items). n_each: the questions of each stage.
    """

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    answers: NDArray[np.float64]
    n_each: NDArray[np.intp]

    @classmethod
    def of(cls, consensus: Consensus) -> Questions:
        """The questions behind a fit."""
        rows, n_items = consensus.rows, consensus.n_items
        n_stages = min(len(rows), MOST_STAGES, max(MOST_SHARES // n_items, 1))
        stage = np.arange(len(rows)) * n_stages // len(rows)
        left, right = stage * n_items + rows.left, stage * n_items + rows.right
        asked = np.bincount(left, minlength=n_stages * n_items) + np.bincount(right, minlength=n_stages * n_items)
        return cls(left, right, _before(asked.reshape(n_stages, n_items)), np.bincount(stage))

    def distance(self, outcome: NDArray[np.uint8]) -> float:
        """The statistic R for these outcomes; 1 where all items have had the same share throughout."""
        n_stages, n_items = self.answers.shape
        won = outcome / float(Outcome.LEFT)
        wins = added_up(self.left, won, self.answers.size) + added_up(self.right, 1.0 - won, self.answers.size)
        shares = (_before(wins.reshape(n_stages, n_items)) + 1.0) / (self.answers + 2.0)
        # Sorted, the k-th of n shares is the larger of k pairs and the smaller of n - 1 - k.
        weights = (2.0 * np.arange(n_items) - (n_items - 1)) * 2.0 / (n_items * (n_items - 1))
        usual = float(self.n_each @ (np.sort(shares, axis=1) @ weights))
        shares = shares.ravel()
        return float(np.abs(shares[self.left] - shares[self.right]).sum()) / usual if usual > ROUNDING else 1.0


def _before(amounts: NDArray[np.float64] | NDArray[np.intp]) -> NDArray[np.float64]:
    """What came before each stage: the sums of the rows above."""
    return np.cumsum(amounts, axis=0, dtype=np.float64) - amounts


def adaptivity_of(consensus: Consensus, questions: Questions, simulated: NDArray[np.float64]) -> Adaptivity:
    """The distance, held against those of simulated votes."""
    found = questions.distance(consensus.rows.outcome)
    return Adaptivity(
        distance=found, expected=float(simulated.mean()), p=float(tail(np.array([-found]), -simulated)[0])
    )
