r"""What an outcome model is: the chance of each outcome given d, the log-odds of the left side.

Everything that a fit needs follows from three functions of :math:`d` and of the nuisance parameters :math:`\eta`: the
chances, the gradient of a vote's log-likelihood and its information. A model without a kernel writes these three, and
sums over pairs are made here from them. A model with a kernel replaces the sums. The log-likelihood of every outcome
must be concave in :math:`(d, \eta)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.threads import Parts
from pairvote._inference.outcomes.links import LOGISTIC, Link
from pairvote.votes._counts import PairCounts

Floats = NDArray[np.float64]
# Adds what the rows of pairs from the first to before the last say to flat sums of the length `SlopeSums.length`.
Work = Callable[[int, int, Floats], None]


class SlopeSums:
    """Named views of the flat array in which kernels and threads add up slopes.

    scores, diagonal: (n_items,), the gradient and the information of each score. nuisance: (n_nuisance,), effect: (1,):
    the gradient by nuisance parameter and by an effect on d that all pairs share. nuisance_twice: (n_nuisance,
    n_nuisance), effect_twice: (1,), both: (n_nuisance,): the information of these. Kernels take room for one nuisance
    parameter when there is none.
    """

    def __init__(self, sums: Floats, n_items: int, n_nuisance: int) -> None:
        places = max(n_nuisance, 1)
        effect = n_items + places
        effect_twice = effect + 1 + places * places
        self.scores, self.diagonal = sums[:n_items], sums[effect_twice + 1 + places :]
        self.nuisance, self.effect = sums[n_items : n_items + n_nuisance], sums[effect : effect + 1]
        twice = sums[effect + 1 : effect_twice].reshape(places, places)
        self.nuisance_twice = twice[:n_nuisance, :n_nuisance]
        self.effect_twice = sums[effect_twice : effect_twice + 1]
        self.both = sums[effect_twice + 1 : effect_twice + 1 + n_nuisance]

    @staticmethod
    def length(n_items: int, n_nuisance: int) -> int:
        """The length of the flat array."""
        places = max(n_nuisance, 1)
        return 2 * n_items + 2 + 2 * places + places * places

    @staticmethod
    def n_rows(n_nuisance: int, *, by_pair: bool) -> int:
        """The number of rows of what is kept of each pair, with its own gradient by d if `by_pair`."""
        return 2 + max(n_nuisance, 1) if by_pair else 1 + n_nuisance


@dataclass(frozen=True, kw_only=True)
class OutcomeModel:
    """A model of what a vote's outcome says of d, by its name in the registry.

    tie_weight: what the weight of ties is multiplied by. n_nuisance: the number of nuisance parameters.
    self_concordant: whether the third derivative along a line is bounded by the second times the largest change of d
    and the nuisance parameters together, so that a Newton step which changes them by less than one is safe. by_kernel:
    whether `workspace.NewtonWorkspace` fits it. is_likelihood: whether the chances are those of a likelihood, ties
    included, so that the inverse information is the covariance. link: the distribution of what is noticed of d, and so
    the unit of d.
    """

    name: str
    tie_weight: float = 1.0
    n_nuisance: int = 0
    self_concordant: bool = False
    by_kernel: bool = False
    is_likelihood: bool = True
    link: Link = LOGISTIC

    def given(self, n_ties: float, n_answers: int = 3) -> OutcomeModel:
        """The model of votes with so many ties and answers: a tie parameter has no estimate when nobody tied."""
        return self

    @property
    def has_ties(self) -> bool:
        """Whether a tie is an outcome with a parameter of its own."""
        return self.n_nuisance > 0

    # --- the three functions ---

    def probabilities(self, log_odds: Floats, tie_parameter: float) -> Floats:
        """P(right), P(tie) and P(left), given the public tie parameter: float64, shape (..., 3)."""
        raise NotImplementedError

    def gradients(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats]:
        """A vote's gradient by outcome: by d, (3, n), and by nuisance parameter, (n_nuisance, 3, n)."""
        raise NotImplementedError

    def information(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats, Floats]:
        """A vote's information by outcome: by d twice, (3, n); by d and each nuisance parameter, (n_nuisance, 3, n);
        and by two of these, (n_nuisance, n_nuisance, 3, n).
        """
        raise NotImplementedError

    # --- the nuisance parameters ---

    def tie_parameter(self, nuisance: Floats) -> float:
        """The public tie parameter; without one, 0."""
        return 0.0

    def thresholds(self, nuisance: Floats) -> Floats:
        """The thresholds between answers, if it has any."""
        return np.empty(0)

    def tie_slope(self, nuisance: Floats) -> Floats:
        """The derivative of the public tie parameter by the nuisance parameters: shape (n_nuisance,)."""
        return np.zeros(self.n_nuisance)

    def nuisance_at(self, tie_parameter: float) -> Floats | None:
        """The nuisance parameters at a public tie parameter; None where they are not finite."""
        return np.zeros(self.n_nuisance)

    def start(self, odds: float) -> Floats:
        """Where to begin, given the odds of a tie among all votes and level scores: shape (n_nuisance,).

        At odds of 1 this is also the centre of the weak prior of these parameters.
        """
        return np.zeros(self.n_nuisance)

    def with_odds_times(self, nuisance: Floats, factor: float) -> Floats:
        """Nuisance parameters at which ties are about so many times as likely."""
        return nuisance

    def allows(self, nuisance: Floats) -> bool:
        """Whether the nuisance parameters are inside the model, and nothing overflows."""
        return True

    # --- sums over pairs ---

    def log_probabilities(self, log_odds: Floats, nuisance: Floats) -> Floats:
        """The logarithms of the three chances: float64, shape (..., 3)."""
        chances = self.probabilities(log_odds, self.tie_parameter(nuisance))
        return np.log(chances, out=np.full_like(chances, -np.inf), where=chances > 0)

    def log_likelihood(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats) -> float:
        """The log-likelihood without what `alone` adds; effects: (1,) or (n_pairs,), what favours the left."""
        log_odds = scores[counts.left] - scores[counts.right] + effects
        votes = np.ascontiguousarray(self._votes(counts, slice(None)).T)
        terms = np.zeros_like(votes)
        # An outcome without votes adds nothing, impossible or not.
        np.multiply(votes, self.log_probabilities(log_odds, nuisance), out=terms, where=votes > 0)
        return float(terms.sum())

    def alone(self, nuisance: Floats, n_ties: float) -> tuple[float, Floats, Floats]:
        """What ties add to the sums over pairs through the nuisance parameters alone: value, gradient, information."""
        return 0.0, np.zeros(self.n_nuisance), np.zeros((self.n_nuisance, self.n_nuisance))

    def slopes(self, counts: PairCounts, scores: Floats, effects: Floats, nuisance: Floats, kept: Floats) -> Work:
        """How to add up first and second derivatives over rows of pairs, without what `alone` adds.

        The work fills `kept`, (`SlopeSums.n_rows`, n_pairs): the information of each pair by d twice, then by d and
        each nuisance parameter, and in the last row, where there is one more, the gradient by d.
        """
        n_items, n_nuisance = counts.n_items, self.n_nuisance

        def work(first: int, last: int, sums: Floats) -> None:
            rows = slice(counts.start[first], counts.start[last])
            left, right = counts.left[rows], counts.right[rows]
            log_odds = scores[left] - scores[right] + (effects[rows] if len(effects) > 1 else effects)
            votes = self._votes(counts, rows)
            by_d, by_nuisance = ((votes * values).sum(axis=-2) for values in self.gradients(log_odds, nuisance))
            twice, both, nuisance_twice = (
                (votes * values).sum(axis=-2) for values in self.information(log_odds, nuisance)
            )
            kept[0, rows], kept[1 : 1 + n_nuisance, rows] = twice, both
            if len(kept) > SlopeSums.n_rows(n_nuisance, by_pair=False):
                kept[-1, rows] = by_d
            found = SlopeSums(sums, n_items, n_nuisance)
            found.scores += np.bincount(left, by_d, n_items) - np.bincount(right, by_d, n_items)
            found.diagonal += np.bincount(left, twice, n_items) + np.bincount(right, twice, n_items)
            found.effect += by_d.sum()
            found.effect_twice += twice.sum()
            found.nuisance += by_nuisance.sum(axis=-1)
            found.nuisance_twice += nuisance_twice.sum(axis=-1)
            found.both += both.sum(axis=-1)

        return work

    def squares(
        self, counts: PairCounts, parts: Parts, scores: Floats, effects: Floats, nuisance: Floats
    ) -> tuple[Floats, Floats]:
        """Sums over votes of products of each vote's own gradient.

        Of each pair those by d twice and by d and each nuisance parameter, (1 + n_nuisance, n_pairs); and over all
        votes those by two nuisance parameters, (n_nuisance, n_nuisance).
        """
        x, y = self.gradients(scores[counts.left] - scores[counts.right] + effects, nuisance)
        votes = self._votes(counts, slice(None))
        kept = np.concatenate([[(votes * x * x).sum(axis=0)], (votes * x * y).sum(axis=1)])
        return kept, np.einsum("on,aon,bon->ab", votes, y, y)

    def third_order(self, counts: PairCounts, log_odds: Floats, nuisance: Floats, weights: Floats) -> Floats:
        """The third derivative of each pair's log-likelihood by d, less its sign, given the second: shape (n_pairs,).

        Of a logistic likelihood it is w (p - q), with the weight w = n p q.
        """
        return np.asarray(weights * np.tanh(0.5 * log_odds))

    def _votes(self, counts: PairCounts, rows: slice) -> Floats:
        """The weight of votes by outcome: shape (3, n)."""
        return np.asarray(counts.table[rows].T * np.array([[1.0], [self.tie_weight], [1.0]]))
