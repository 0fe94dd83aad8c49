r"""Davidson's model of ties, and Bradley and Terry's, which it is without a tie parameter.

Davidson (1970): :math:`P(left) : P(tie) : P(right) = e^{d/2} : \nu : e^{-d/2}`, which is Bradley-Terry at
:math:`\nu = 0`. In :math:`(d, \eta = \log\nu)` it is an exponential family with the statistics
:math:`x = \pm 1/2, 0` and :math:`y = [tie]`, so its log-likelihood is concave, the gradient is observed less expected
:math:`(x, y)` and the information is their covariance: :math:`\mathrm{Var}\,x = p_l p_r + p_t (p_l + p_r) / 4`,
:math:`\mathrm{Cov}(x, y) = p_t (p_r - p_l) / 2`, :math:`\mathrm{Var}\,y = p_t (1 - p_t)`.

Without a tie parameter a tie pulls as half a win for each side, times its weight.

References
----------
Bradley and Terry (1952), "Rank analysis of incomplete block designs", Biometrika 39.
Davidson (1970), "On extending the Bradley-Terry model to accommodate ties", JASA 65, equation 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pairvote._common.threads import Parts
from pairvote._inference.outcomes.base import Floats, OutcomeModel, Work
from pairvote._kernels import davidson, sandwich
from pairvote.votes._counts import PairCounts

# No votes ask for a tie parameter of e^100, but a step on the way to less might.
LARGEST_NUISANCE = 100.0


@dataclass(frozen=True, kw_only=True)
class Davidson(OutcomeModel):
    """Davidson's model with a tie parameter, or Bradley and Terry's without.

    largest_score: beyond, exp(score / 2) of two items could overflow when multiplied, and the kernel works with
    differences.
    """

    self_concordant: bool = True
    by_kernel: bool = True
    largest_score: float = 300.0

    def given(self, n_ties: float, n_answers: int = 3) -> OutcomeModel:
        """Bradley and Terry's model when nobody tied."""
        return self if n_ties or not self.n_nuisance else self._without_ties

    @cached_property
    def _without_ties(self) -> OutcomeModel:
        return Davidson(name=self.name, largest_score=self.largest_score)

    def probabilities(self, log_odds: Floats, tie_parameter: float) -> Floats:
        """P(right), P(tie) and P(left): float64, shape (..., 3)."""
        away = np.exp(-np.abs(log_odds))
        tie = tie_parameter * np.sqrt(away)
        total = 1.0 + away + tie
        ahead = log_odds > 0
        right, left = np.where(ahead, away, 1.0) / total, np.where(ahead, 1.0, away) / total
        return np.stack([right, tie / total, left], axis=-1)

    def log_probabilities(self, log_odds: Floats, nuisance: Floats) -> Floats:
        """The logarithms of the three chances: float64, shape (..., 3)."""
        half, log_tie = 0.5 * log_odds, nuisance[0] if self.n_nuisance else -math.inf
        total = np.logaddexp(np.logaddexp(half, -half), log_tie)
        return np.stack([-half - total, log_tie - total, half - total], axis=-1)

    def gradients(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats]:
        """A vote's gradient by outcome: by d, (3, n), and by the log tie parameter, (n_nuisance, 3, n)."""
        p_right, p_tie, p_left = self.probabilities(log_odds, self._tie(nuisance)).T
        x = np.array([-p_left - 0.5 * p_tie, 0.5 * (p_right - p_left), p_right + 0.5 * p_tie])
        return x, np.array([[-p_tie, 1 - p_tie, -p_tie]])[: self.n_nuisance]

    def information(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats, Floats]:
        """A vote's information, which is alike for all outcomes."""
        p_right, p_tie, p_left = self.probabilities(log_odds, self._tie(nuisance)).T
        xx = p_left * p_right + 0.25 * p_tie * (p_left + p_right)
        xy, yy = 0.5 * p_tie * (p_right - p_left), p_tie * (p_left + p_right)
        k = self.n_nuisance
        return np.array([xx] * 3), np.array([[xy] * 3])[:k], np.array([[[yy] * 3]])[:k, :k]

    def _tie(self, nuisance: Floats) -> float:
        return math.exp(nuisance[0]) if self.n_nuisance else 0.0

    def tie_parameter(self, nuisance: Floats) -> float:
        """Davidson's nu; 0 without ties."""
        return self._tie(nuisance)

    def tie_slope(self, nuisance: Floats) -> Floats:
        """The derivative of nu by its logarithm."""
        return np.exp(nuisance)

    def nuisance_at(self, tie_parameter: float) -> Floats | None:
        """The logarithm of nu."""
        return np.array([math.log(tie_parameter)])[: self.n_nuisance] if tie_parameter > 0.0 else None

    def start(self, odds: float) -> Floats:
        """Level scores have P(tie) = nu / (2 + nu)."""
        return np.array([math.log(2 * odds)]) if self.n_nuisance else np.empty(0)

    def with_odds_times(self, nuisance: Floats, factor: float) -> Floats:
        """The odds of ties are proportional to nu."""
        return nuisance + math.log(factor)

    def allows(self, nuisance: Floats) -> bool:
        """Whether nothing overflows."""
        return bool((nuisance < LARGEST_NUISANCE).all())

    def log_likelihood(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats) -> float:
        """The log-likelihood; effects: (1,) or (n_pairs,), what favours the left."""
        rows = (counts.start, counts.right, counts.table, np.ascontiguousarray(scores), effects)
        log_tie = float(nuisance[0]) if self.n_nuisance else 0.0
        return float(davidson.log_likelihood(*rows, self._tie(nuisance), log_tie, self.tie_weight))

    def slopes(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats, kept: Floats) -> Work:
        """How to add up first and second derivatives over rows of pairs, by a kernel."""
        options = (self._tie(nuisance), self.tie_weight, self.largest_score)
        return kernel_work(davidson.slopes, counts, scores, effects, kept, *options)

    def squares(
        self, counts: PairCounts, parts: Parts, scores: Floats, effects: Floats, nuisance: Floats
    ) -> tuple[Floats, Floats]:
        """Sums over votes of products of each vote's own gradient, by a kernel."""
        tie, scores = self._tie(nuisance), np.ascontiguousarray(scores)
        kept = np.empty((1 + self.n_nuisance, counts.n_pairs))

        def fill(_: int, first: int, last: int) -> float:
            rows = (counts.start[first : last + 1], counts.right, counts.table)
            options = np.array([tie, self.tie_weight, first])
            return float(sandwich.sum_squares(*rows, scores, effects, options, kept))

        with parts:
            twice = sum(parts.run(fill))
        return kept, np.full((self.n_nuisance, self.n_nuisance), twice)


def kernel_work(
    kernel: Callable[..., None],
    counts: PairCounts,
    scores: Floats,
    effects: Floats,
    kept: Floats,
    tie: float,
    tie_weight: float,
    largest_score: float,
) -> Work:
    """How to add up slopes by a kernel of the form of `davidson.slopes`."""
    rooted = not len(scores) or float(np.abs(scores).max()) < largest_score
    root_odds = np.exp(0.5 * scores) if rooted else np.ascontiguousarray(scores)
    side_odds = np.exp(0.5 * effects)

    def work(first: int, last: int, sums: Floats) -> None:
        settings = np.array([tie, rooted, tie_weight, first])
        kernel(counts.start[first : last + 1], counts.right, counts.table, root_odds, side_odds, settings, kept, sums)

    return work
