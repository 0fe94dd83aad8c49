r"""Answers in order, by thresholds: Thurstone's case V, Glenn and David's ties, and graded answers of either link.

With the thresholds :math:`0 < \tau_1 < \dots < \tau_m`, their negatives and, where no answer is in the middle, 0 as
cuts :math:`c_0 = -\infty < c_1 < \dots < c_K = \infty`, the answer k of K has the chance

.. math:: P(k) = F(c_{k+1} - d) - F(c_k - d),

which is :math:`F(d)` for the left side where there are no thresholds (Thurstone 1927, case V, with the standard
deviation of a difference as unit), Glenn and David's model with one threshold and the probit link, Rao and Kupper's
with the logistic one, and the cumulative model of Agresti (1992) with more. Thresholds are symmetric, so that nothing
but d tells the sides apart. The logarithm of each chance is concave in :math:`(d, \tau)`.

References
----------
Thurstone (1927), "A law of comparative judgment", Psychological Review 34. Glenn and David (1960), "Ties in
paired-comparison experiments using a modified Thurstone-Mosteller model", Biometrics 16, equations 2.1 to 2.3. Agresti
(1992), "Analysis of ordinal paired comparison data", Applied Statistics 41, section 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.entries import AnswerCounts
from pairvote._inference.outcomes.base import Floats, OutcomeModel, Work
from pairvote._inference.outcomes.davidson import LARGEST_NUISANCE
from pairvote._inference.outcomes.links import Derivatives
from pairvote._kernels import ordered
from pairvote.votes._counts import PairCounts

# Half of the step by which third derivatives are found; their error is of its square.
HALF_STEP = 1e-4
# Links as kernels know them, and what stands there for an infinite cut.
LINK_NUMBERS = {"logistic": 1.0, "probit": 2.0}
BEYOND = 1e300


@dataclass(frozen=True, kw_only=True)
class Ordered(OutcomeModel):
    """Answers in order: n_nuisance thresholds on either side, and perhaps an answer in the middle, which is a tie.

    Without thresholds a tie is half a win for each side, as in the other models.
    """

    has_middle: bool = False

    def given(self, n_ties: float, n_answers: int = 3) -> OutcomeModel:
        """The model of so many answers; of the two sides alone where nobody tied, or where a tie is no answer."""
        if n_answers == 3 and not (n_ties and self.n_nuisance):
            return replace(self, n_nuisance=0, has_middle=False)
        return replace(self, n_nuisance=(n_answers - 1) // 2, has_middle=n_answers % 2 == 1)

    @property
    def has_ties(self) -> bool:
        """Whether there is an answer in the middle."""
        return self.has_middle

    # --- cuts ---

    @property
    def n_answers(self) -> int:
        """How many answers there are."""
        return 2 * self.n_nuisance + (1 if self.has_middle else 2)

    @cached_property
    def _signs(self) -> Floats:
        """The derivative of each cut by each threshold: float64, shape (n_answers + 1, n_nuisance)."""
        m = self.n_nuisance
        middle = [] if self.has_middle else [np.zeros(m)]
        ends = np.zeros((1, m))
        return np.vstack([ends, -np.eye(m)[::-1], *middle, np.eye(m), ends])

    @property
    def bounds(self) -> NDArray[np.int32]:
        """The lower and the upper cut of each answer: k for the threshold k from 1 on, -k for its negative, 0 for 0.

        Beyond the last threshold m there is no cut: m + 1 and -(m + 1). Int32, shape (2, n_answers).
        """
        m = self.n_nuisance
        cuts = [-k for k in range(m + 1, 0, -1)] + [0] * (not self.has_middle) + list(range(1, m + 2))
        return np.array([cuts[:-1], cuts[1:]], np.int32)

    def _cuts(self, nuisance: Floats) -> Floats:
        cuts = self._signs @ nuisance if self.n_nuisance else np.zeros(len(self._signs))
        cuts[0], cuts[-1] = -math.inf, math.inf
        return cuts

    def _ends(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats, Floats]:
        """The ends of each answer's interval, (n_answers, ...), and how far apart they are, (n_answers, 1, ...)."""
        cuts = self._cuts(nuisance).reshape(-1, *[1] * np.ndim(log_odds))
        return cuts[:-1] - log_odds, cuts[1:] - log_odds, np.diff(cuts, axis=0)

    # --- the three functions ---

    def probabilities(self, log_odds: Floats, tie_parameter: float) -> Floats:
        """P(right), P(tie) and P(left), given the public tie parameter: float64, shape (..., 3)."""
        threshold = math.log(tie_parameter) if self.link.name == "logistic" else tie_parameter
        log_odds = np.asarray(log_odds, np.float64)
        left, right = (np.exp(self.link.log_cumulative(side - threshold)) for side in (log_odds, -log_odds))
        tie = np.zeros(log_odds.shape)
        if threshold > 0.0:
            ends = -threshold - log_odds, threshold - log_odds, np.array(2.0 * threshold)
            tie = np.exp(self.link.log_chances(*ends))
        return np.stack([right, tie, left], axis=-1)

    def log_probabilities(self, log_odds: Floats, nuisance: Floats) -> Floats:
        """The logarithm of each answer's chance, without thresholds with that of half a win between them."""
        found = self.link.log_chances(*self._ends(log_odds, nuisance))
        return np.moveaxis(self._with_halves(found), 0, -1)

    def gradients(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats]:
        """A vote's gradient by answer: by d, (n_answers, n), and by threshold, (n_nuisance, n_answers, n)."""
        found = self.link.derivatives(*self._ends(log_odds, nuisance))
        by_d = self._with_halves(-found.shift)
        lower, upper = self._signs[:-1], self._signs[1:]
        by_cut = np.einsum("kn,kj->jkn", found.low, lower) + np.einsum("kn,kj->jkn", found.high, upper)
        return by_d, by_cut if self.n_nuisance else np.empty((0, *by_d.shape))

    def information(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats, Floats]:
        """A vote's information by answer: by d twice, by d and threshold, and by two thresholds."""
        found = self.link.derivatives(*self._ends(log_odds, nuisance))
        twice = self._with_halves(found.shift_twice)
        if not self.n_nuisance:
            return twice, np.empty((0, *twice.shape)), np.empty((0, 0, *twice.shape))
        return twice, *self._of_thresholds(found)

    def _of_thresholds(self, found: Derivatives) -> tuple[Floats, Floats]:
        lower, upper = self._signs[:-1], self._signs[1:]
        by_low, by_high = -(found.low_twice + found.both), -(found.both + found.high_twice)
        both = np.einsum("kn,kj->jkn", by_low, lower) + np.einsum("kn,kj->jkn", by_high, upper)
        across = np.einsum("kn,ki,kj->ijkn", found.both, lower, upper)
        own = np.einsum("kn,ki,kj->ijkn", found.low_twice, lower, lower)
        own += np.einsum("kn,ki,kj->ijkn", found.high_twice, upper, upper)
        return both, own + across + np.swapaxes(across, 0, 1)

    def _with_halves(self, found: Floats) -> Floats:
        """What is found of the answers; of two, with half of each for a tie between them."""
        if self.n_nuisance:
            return np.asarray(found)
        return np.stack([found[0], 0.5 * (found[0] + found[1]), found[1]])

    def third_order(self, counts: PairCounts, log_odds: Floats, nuisance: Floats, weights: Floats) -> Floats:
        """The third derivative of each pair's log-likelihood by d, by a central difference."""
        votes = self._votes(counts, slice(None))
        after, before = (
            (votes * self.information(log_odds + step, nuisance)[0]).sum(axis=0) for step in (HALF_STEP, -HALF_STEP)
        )
        return np.asarray((before - after) / (2.0 * HALF_STEP))

    # --- the thresholds ---

    def tie_parameter(self, nuisance: Floats) -> float:
        """The first threshold, or by the logistic link its exponential, as Rao and Kupper's; without ties that of 0."""
        threshold = float(nuisance[0]) if self.has_middle else 0.0
        return math.exp(threshold) if self.link.name == "logistic" else threshold

    def thresholds(self, nuisance: Floats) -> Floats:
        """All nuisance parameters."""
        return nuisance

    def tie_slope(self, nuisance: Floats) -> Floats:
        """The derivative of the public tie parameter by the thresholds."""
        slope = np.zeros(self.n_nuisance)
        if self.has_middle:
            slope[0] = self.tie_parameter(nuisance) if self.link.name == "logistic" else 1.0
        return slope

    def nuisance_at(self, tie_parameter: float) -> Floats | None:
        """The threshold at a public tie parameter, where there is only one."""
        if not self.n_nuisance:
            return np.empty(0)
        threshold = tie_parameter
        if self.link.name == "logistic":
            threshold = math.log(tie_parameter) if tie_parameter > 0.0 else 0.0
        return np.array([threshold]) if threshold > 0.0 and self.n_answers == 3 else None

    def start(self, odds: float) -> Floats:
        """Thresholds at which level scores have so many ties, and all other answers equally often."""
        m = self.n_nuisance
        tied = odds / (1.0 + odds) if self.has_middle else 0.0
        # The chance between level items of an answer closer to the middle than each threshold.
        within = [j / (m + 1.0 - self.has_middle) for j in range(1 - self.has_middle, m + 1 - self.has_middle)]
        return np.array([self.link.quantile(0.5 + 0.5 * (tied + (1.0 - tied) * part)) for part in within])

    def with_odds_times(self, nuisance: Floats, factor: float) -> Floats:
        """Thresholds, moved together, at which ties between level items are so many times as likely."""
        if not self.has_middle:
            return nuisance
        tied = 2.0 * math.exp(self.link.log_cumulative(nuisance[0])) - 1.0
        odds = factor * tied / (1.0 - tied)
        return nuisance + (self.link.quantile(0.5 + 0.5 * odds / (1.0 + odds)) - nuisance[0])

    def allows(self, nuisance: Floats) -> bool:
        """Whether the thresholds are above 0 and in order, and nothing overflows."""
        return bool((np.diff(nuisance, prepend=0.0) > 0.0).all() and (nuisance < LARGEST_NUISANCE).all())

    # --- sums over pairs ---

    def log_likelihood(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats) -> float:
        """The log-likelihood, by a kernel."""
        rows = (counts.start, counts.right, self._table(counts), np.ascontiguousarray(scores), effects)
        cuts = np.clip(self._cuts(nuisance), -BEYOND, BEYOND)
        return float(ordered.log_likelihood(*rows, cuts, LINK_NUMBERS[self.link.name], self._tie_weight))

    def slopes(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats, kept: Floats) -> Work:
        """How to add up first and second derivatives over rows of pairs, by a kernel."""
        m, table, scores = self.n_nuisance, self._table(counts), np.ascontiguousarray(scores)
        cuts = np.clip(self._cuts(nuisance), -BEYOND, BEYOND)
        marks = np.append(self.bounds[0], self.bounds[1, -1])
        marks = np.where(np.abs(marks) > m, 0, marks)

        def work(first: int, last: int, sums: Floats) -> None:
            settings = np.array([LINK_NUMBERS[self.link.name], self._tie_weight, first, m, *cuts, *marks])
            own = np.zeros(len(sums) + 5 + max(m, 1))
            start = counts.start[first : last + 1]
            ordered.slopes(start, counts.right, table, scores, effects, settings, kept, own)
            sums += own[: len(sums)]

        return work

    @property
    def _tie_weight(self) -> float:
        """What the kernel multiplies ties by where they are halves of two answers; below 0 where they are not."""
        return -1.0 if self.n_nuisance else self.tie_weight

    def _table(self, counts: PairCounts) -> Floats:
        """The weight of votes of each pair by answer, or by the three outcomes where there are two answers."""
        return counts.answers if isinstance(counts, AnswerCounts) and self.n_answers > 3 else counts.table

    def _votes(self, counts: PairCounts, rows: slice) -> Floats:
        """The weight of votes by answer: shape (n_answers, n)."""
        if self.n_answers <= 3:
            return super()._votes(counts, rows)
        if not isinstance(counts, AnswerCounts):
            raise TypeError("these votes have no more than three answers")
        return np.asarray(counts.answers[rows].T)
