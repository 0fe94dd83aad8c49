r"""Rao and Kupper's model of ties: a threshold of what can be told apart.

Rao and Kupper (1967): :math:`P(left) = \sigma(d - \tau)`, :math:`P(right) = \sigma(-d - \tau)`, and a tie for the rest,
:math:`(\theta^2 - 1)\,\sigma(d - \tau)\,\sigma(-d - \tau)` with :math:`\theta = e^\tau \geq 1`. In :math:`(d, \tau)`
every term is concave: log-sigmoids of linear functions, and :math:`\log(e^{2\tau} - 1)`.

References
----------
Rao and Kupper (1967), "Ties in paired-comparison experiments", JASA 62, equations 2.5 to 2.7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pairvote._inference.outcomes.base import Floats, OutcomeModel, Work
from pairvote._inference.outcomes.davidson import LARGEST_NUISANCE, Davidson, kernel_work
from pairvote._kernels import rao_kupper
from pairvote.votes._counts import PairCounts


@dataclass(frozen=True, kw_only=True)
class RaoKupper(OutcomeModel):
    """Rao and Kupper's model; without ties the threshold is 1, and the model is Bradley and Terry's."""

    n_nuisance: int = 1
    largest_score: float = 300.0

    def given(self, n_ties: float, n_answers: int = 3) -> OutcomeModel:
        """Bradley and Terry's model when nobody tied."""
        return self if n_ties else self._without_ties

    @cached_property
    def _without_ties(self) -> OutcomeModel:
        return _WithoutTies(name=self.name, largest_score=self.largest_score)

    def probabilities(self, log_odds: Floats, tie_parameter: float) -> Floats:
        """P(right), P(tie) and P(left): float64, shape (..., 3)."""
        tau = math.log(tie_parameter)
        right, left = _sigmoid(-log_odds - tau), _sigmoid(log_odds - tau)
        return np.stack([right, (tie_parameter**2 - 1) * left * right, left], axis=-1)

    def gradients(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats]:
        """A vote's gradient by outcome: by d, (3, n), and by the threshold, (1, 3, n)."""
        tau = float(nuisance[0])
        lost_left, lost_right = _sigmoid(tau - log_odds), _sigmoid(tau + log_odds)
        x = np.array([-lost_right, lost_left - lost_right, lost_left])
        return x, np.array([[-lost_right, 2 / -math.expm1(-2 * tau) - lost_left - lost_right, -lost_left]])

    def information(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats, Floats]:
        """A vote's information by outcome: by d twice, by d and the threshold, and by the threshold twice."""
        tau = float(nuisance[0])
        lost_left, lost_right = _sigmoid(tau - log_odds), _sigmoid(tau + log_odds)
        left, right = lost_left * (1 - lost_left), lost_right * (1 - lost_right)
        by_tie_alone = 4 * math.exp(-2 * tau) / math.expm1(-2 * tau) ** 2
        xx, xy = np.array([right, left + right, left]), np.array([[right, right - left, -left]])
        return xx, xy, np.array([[[right, left + right + by_tie_alone, left]]])

    def tie_parameter(self, nuisance: Floats) -> float:
        """Rao and Kupper's theta."""
        return math.exp(nuisance[0])

    def thresholds(self, nuisance: Floats) -> Floats:
        """The logarithm of theta."""
        return nuisance

    def tie_slope(self, nuisance: Floats) -> Floats:
        """The derivative of theta by its logarithm."""
        return np.exp(nuisance)

    def nuisance_at(self, tie_parameter: float) -> Floats | None:
        """The logarithm of theta."""
        return np.log([tie_parameter]) if tie_parameter > 1.0 else None

    def start(self, odds: float) -> Floats:
        """Level scores have P(tie) = (theta - 1) / (theta + 1)."""
        return np.log1p([2 * odds])

    def with_odds_times(self, nuisance: Floats, factor: float) -> Floats:
        """The odds of ties are about proportional to theta - 1."""
        return np.log1p(factor * np.expm1(nuisance))

    def allows(self, nuisance: Floats) -> bool:
        """Whether the threshold is positive, and nothing overflows."""
        return bool(0.0 < nuisance[0] < LARGEST_NUISANCE)

    def log_likelihood(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats) -> float:
        """The log-likelihood without what ties add by the threshold alone."""
        rows = (counts.start, counts.right, counts.table, np.ascontiguousarray(scores), effects)
        return float(rao_kupper.log_likelihood(*rows, float(nuisance[0])))

    def alone(self, nuisance: Floats, n_ties: float) -> tuple[float, Floats, Floats]:
        """What ties add by the threshold alone: log(theta^2 - 1) for each, and its derivatives."""
        tau = float(nuisance[0])
        beyond = -math.expm1(-2 * tau)
        curvature = 4 * n_ties / beyond * math.exp(-2 * tau) / beyond
        return n_ties * (2 * tau + math.log(beyond)), np.array([2 * n_ties / beyond]), np.array([[curvature]])

    def slopes(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats, kept: Floats) -> Work:
        """How to add up first and second derivatives over rows of pairs, by a kernel."""
        options = (math.exp(nuisance[0]), self.tie_weight, self.largest_score)
        return kernel_work(rao_kupper.slopes, counts, scores, effects, kept, *options)


class _WithoutTies(Davidson):
    """Bradley and Terry's model, whose public tie parameter is a threshold of 1."""

    def probabilities(self, log_odds: Floats, tie_parameter: float) -> Floats:
        """P(right), P(tie), which is 0, and P(left): float64, shape (..., 3)."""
        return super().probabilities(log_odds, 0.0)

    def tie_parameter(self, nuisance: Floats) -> float:
        """Rao and Kupper's theta."""
        return 1.0


def _sigmoid(x: Floats) -> Floats:
    smaller = np.exp(-np.abs(x))
    return np.where(x > 0, 1.0, smaller) / (1.0 + smaller)
