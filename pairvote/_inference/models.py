r"""The chance of every outcome given two scores: Bradley-Terry, Davidson, Rao-Kupper.

With :math:`s` the scores in log-odds, :math:`\gamma` the position effect and
:math:`d = s_{left} - s_{right} + \gamma`,

* Bradley and Terry (1952): :math:`P(left) = 1 / (1 + e^{-d})`;
* Davidson (1970): :math:`P(left) : P(tie) : P(right) = e^{d/2} : \nu : e^{-d/2}`, which is Bradley-Terry at
  :math:`\nu = 0`. In :math:`(d, \eta = \log\nu)` it is an exponential family with the statistics
  :math:`x = \pm 1/2, 0` and :math:`y = [tie]`, so its log-likelihood is concave, the gradient is observed less
  expected :math:`(x, y)` and the information is their covariance:
  :math:`\mathrm{Var}\,x = p_l p_r + p_t (p_l + p_r) / 4`,
  :math:`\mathrm{Cov}(x, y) = p_t (p_r - p_l) / 2`, :math:`\mathrm{Var}\,y = p_t (1 - p_t)`;
* Rao and Kupper (1967): :math:`P(left) = \sigma(d - \tau)`, :math:`P(right) = \sigma(-d - \tau)`, and a tie for
  the rest, :math:`(\theta^2 - 1)\,\sigma(d - \tau)\,\sigma(-d - \tau)` with :math:`\theta = e^\tau \geq 1`.
  In :math:`(d, \tau)` every term is concave: log-sigmoids of linear functions, and
  :math:`\log(e^{2\tau} - 1)`.

"half" counts a tie as half a vote for each side, "drop" leaves ties out; both are then Bradley-Terry.

References
----------
Bradley and Terry (1952), "Rank analysis of incomplete block designs", Biometrika 39.
Davidson (1970), "On extending the Bradley-Terry model to accommodate ties", JASA 65, equation 2.3.
Davidson and Beaver (1977), "On extending the Bradley-Terry model to incorporate within-pair order effects",
Biometrics 33.
Rao and Kupper (1967), "Ties in paired-comparison experiments", JASA 62, equations 2.5 to 2.7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote._common.threads import Parts
from pairvote._inference.outcomes import _sigmoid, outcome_probabilities
from pairvote._kernels import davidson, laplacian, rao_kupper, sandwich
from pairvote.votes._counts import PairCounts, is_folded
from pairvote.votes._given import components_of

Ties = Literal["davidson", "rao-kupper", "half", "drop"]
TIES: tuple[Ties, ...] = ("davidson", "rao-kupper", "half", "drop")
# Where each item's pairs begin, the other item of each, and its value.
Rows = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]

NOTHING = np.empty(0)
# Beyond this, exp(score / 2) of two items could overflow when multiplied; the kernel then works with differences.
LARGEST_SCORE = 300.0
# No votes ask for a tie parameter or a position effect of e^100, but a step on the way to less might.
LARGEST_FURTHER = 100.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Slopes:
    """First and second derivatives of a log-posterior at one point.

    gradient: (n_items + n_extra,). weights: (n_pairs,), the information of each pair's difference, so that the
    scores' information is the graph's Laplacian plus `ridge` on the diagonal, which is `diagonal` (n_items,).
    border: (n_items, n_extra) and corner: (n_extra, n_extra), what the tie parameter and the position effect add.
    """

    gradient: NDArray[np.float64]
    weights: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    border: NDArray[np.float64]
    corner: NDArray[np.float64]
    ridge: float

    @property
    def curvature(self) -> NDArray[np.float64]:
        """The information's diagonal: float64, shape (n_items + n_extra,)."""
        return np.concatenate([self.diagonal, np.diag(self.corner)])


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """A log-posterior over the parameters: scores, the tie parameter's logarithm, the position effect, coefficients.

    `counts` may be folded unless `position`, which costs less to work with, and `totals` (n_items, 4) are those of each
    item. With a `design` (n_pairs, n_covariates) each entry of `counts` is a vote, or votes with the same covariates,
    and d grows by design @ coefficients. `n_decided` is the weight of votes that one side won and `n_ties` that of the
    ties that the model has to explain, and `has_ties` whether it has a tie parameter: only where somebody tied.

    All that sums over pairs is a method, so that a model whose pairs lie elsewhere may have the sums made there;
    `at_hand` says whether they lie here, where a solver may look at them itself.
    """

    at_hand: ClassVar[bool] = True

    counts: PairCounts
    ties: Ties
    prior_sd: float
    position: bool
    totals: NDArray[np.float64]
    n_decided: float
    n_ties: float
    has_ties: bool
    design: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        counts: PairCounts,
        ties: Ties,
        prior_sd: float,
        position: bool,
        design: NDArray[np.float64] | None = None,
    ) -> Model:
        """The model of these counts."""
        totals = counts.item_totals()
        # Every vote stands with two items: a decided one with a loser and a winner.
        n_decided, twice_tied = totals[:, Outcome.RIGHT].sum(), totals[:, Outcome.TIE].sum()
        n_ties = 0.0 if ties == "drop" else 0.5 * float(twice_tied)
        has_ties = ties in ("davidson", "rao-kupper") and n_ties > 0
        return cls(
            counts=counts,
            ties=ties,
            prior_sd=prior_sd,
            position=position,
            totals=totals,
            n_decided=float(n_decided),
            n_ties=n_ties,
            has_ties=has_ties,
            design=design,
        )

    @cached_property
    def parts(self) -> Parts:
        """The rows of pairs in parts that threads may share."""
        return Parts.of_rows(self.counts.start)

    @property
    def n_covariates(self) -> int:
        """How many coefficients there are."""
        return 0 if self.design is None else self.design.shape[1]

    @property
    def n_extra(self) -> int:
        """How many parameters there are beside the scores."""
        return self.has_ties + self.position + self.n_covariates

    @property
    def tie_weight(self) -> float:
        """What the weight of ties is multiplied by: nothing is left of them under "drop"."""
        return 0.0 if self.ties == "drop" else 1.0

    @property
    def prior_precision(self) -> float:
        """1 / prior_sd squared; 0 for maximum likelihood."""
        return 0.0 if math.isinf(self.prior_sd) else self.prior_sd**-2

    @property
    def self_concordant(self) -> bool:
        """Whether the third derivative along a line is bounded by the second times the largest change of d and eta."""
        return self.ties != "rao-kupper" or not self.has_ties

    def start(self) -> NDArray[np.float64]:
        """Where to begin: equal scores, and the tie parameter that they would have."""
        n_items = self.counts.n_items
        parameters = np.zeros(n_items + self.n_extra)
        if self.has_ties:
            odds = self.n_ties / self.n_decided
            # Equal scores: P(tie) = nu / (2 + nu), or (theta - 1) / (theta + 1).
            parameters[n_items] = math.log(2 * odds) if self.ties == "davidson" else math.log1p(2 * odds)
        return parameters

    def split(self, parameters: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
        """The scores, the tie parameter's logarithm (-inf or 0 where there are no ties) and the position effect."""
        n_items = self.counts.n_items
        none = 0.0 if self.ties == "rao-kupper" else -math.inf
        return (
            parameters[:n_items],
            float(parameters[n_items]) if self.has_ties else none,
            float(parameters[n_items + self.has_ties]) if self.position else 0.0,
        )

    def coefficients(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those of the covariates: float64, shape (n_covariates,)."""
        return parameters[len(parameters) - self.n_covariates :]

    def effects(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What favours the left beside the scores, in log-odds: float64, shape (1,) or with covariates (n_pairs,)."""
        _, _, side = self.split(parameters)
        if self.design is None:
            return np.array([side])
        return np.asarray(self.design @ self.coefficients(parameters) + side)

    def allows(self, parameters: NDArray[np.float64]) -> bool:
        """Whether Rao and Kupper's threshold is positive, as their model asks, and nothing overflows."""
        _, log_tie, _ = self.split(parameters)
        if self.ties == "rao-kupper" and self.has_ties and not log_tie > 0.0:
            return False
        return log_tie < LARGEST_FURTHER and bool((np.abs(self.effects(parameters)) < LARGEST_FURTHER).all())

    def log_likelihood(self, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood, without the prior."""
        scores, log_tie, _ = self.split(parameters)
        pairs = (self.counts.start, self.counts.right, self.counts.table, np.ascontiguousarray(scores))
        effects = self.effects(parameters)
        if self.ties == "rao-kupper" and self.has_ties:
            return float(
                rao_kupper.log_likelihood(*pairs, effects, log_tie)
                + self.n_ties * (2 * log_tie + math.log(-math.expm1(-2 * log_tie)))
            )
        tie = math.exp(log_tie) if self.has_ties else 0.0
        return float(davidson.log_likelihood(*pairs, effects, tie, log_tie if self.has_ties else 0.0, self.tie_weight))

    def log_posterior(self, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood less half the prior's sum of squares."""
        scores = parameters[: self.counts.n_items]
        return self.log_likelihood(parameters) - 0.5 * self.prior_precision * float(scores @ scores)

    def room(self) -> NDArray[np.float64]:
        """Memory for the weights of `slopes`: new memory costs about as much as what is put there."""
        return np.empty((1 + self.has_ties if self.design is None else 3, self.counts.n_pairs))

    def slopes(self, parameters: NDArray[np.float64], room: NDArray[np.float64] | None = None) -> Slopes:
        """Gradient and information of the log-posterior; in the same `room` they replace those that were there."""
        counts, n_items = self.counts, self.counts.n_items
        scores, log_tie, _ = self.split(parameters)
        rooted = not n_items or float(np.abs(scores).max()) < LARGEST_SCORE
        levels = np.exp(0.5 * scores) if rooted else np.ascontiguousarray(scores)
        # Without ties Rao and Kupper's threshold is 1, but the model is Davidson's at 0: Bradley-Terry.
        tie = math.exp(log_tie) if self.has_ties else 0.0
        homes = np.exp(0.5 * self.effects(parameters))
        thresholds = self.ties == "rao-kupper" and self.has_ties
        bends = self.room() if room is None else room
        sums = np.zeros(2 * n_items + 5)
        kernel = rao_kupper.slopes if thresholds else davidson.slopes

        def add(first: int, last: int, own: NDArray[np.float64]) -> None:
            extra = np.array([tie, rooted, self.tie_weight, first])
            kernel(counts.start[first : last + 1], counts.right, counts.table, levels, homes, extra, bends, own)

        self.parts.add_up(add, sums)
        if thresholds:
            beyond = -math.expm1(-2 * log_tie)
            sums[n_items] += 2 * self.n_ties / beyond
            sums[n_items + 2] += 4 * self.n_ties / beyond * math.exp(-2 * log_tie) / beyond
        precision = self.prior_precision
        sums[:n_items] -= precision * scores
        diagonal = sums[n_items + 5 :]
        diagonal += precision
        by_tie, by_side, tie_twice, side_twice, both = sums[n_items : n_items + 5].tolist()
        gradient = [by_tie] * self.has_ties + [by_side] * self.position
        if self.design is not None:
            gradient += (bends[2] @ self.design).tolist()
        return Slopes(
            gradient=np.concatenate([sums[:n_items], gradient]) if gradient else sums[:n_items],
            diagonal=diagonal,
            ridge=precision,
            **self._bordered(bends, tie_twice, side_twice, both),
        )

    def meat(self, parameters: NDArray[np.float64]) -> Slopes:
        """The sum over votes of the outer product of each vote's own gradient, in the shape of an information."""
        counts = self.counts
        scores, log_tie, _ = self.split(parameters)
        effects = self.effects(parameters)
        if self.ties == "rao-kupper" and self.has_ties:
            x, y = self.gradients(scores[counts.left] - scores[counts.right] + effects, log_tie)
            votes = counts.table.T
            bends = np.stack([(votes * x * x).sum(axis=0), (votes * x * y).sum(axis=0)])
            tie_twice = float((votes * y * y).sum())
        else:
            tie = math.exp(log_tie) if self.has_ties else 0.0
            scores = np.ascontiguousarray(scores)
            bends = np.empty((1 + self.has_ties, counts.n_pairs))

            def fill(_: int, first: int, last: int) -> float:
                rows = (counts.start[first : last + 1], counts.right, counts.table)
                extra = np.array([tie, self.tie_weight, first])
                return float(sandwich.sum_squares(*rows, scores, effects, extra, bends))

            with self.parts:
                tie_twice = sum(self.parts.run(fill))
        sums = tie_twice, float(bends[0].sum()), float(bends[-1].sum())
        return Slopes(gradient=NOTHING, diagonal=NOTHING, ridge=self.prior_precision, **self._bordered(bends, *sums))

    def add_products(self, slopes: Slopes, vectors: NDArray[np.float64], products: NDArray[np.float64]) -> None:
        """Add the Laplacian of the pairs' weights times each column of `vectors` (n_items, n) to `products`."""
        counts, alone = self.counts, vectors.shape[1] == 1

        def add(first: int, last: int, sums: NDArray[np.float64]) -> None:
            rows = (counts.start[first : last + 1], counts.right, slopes.weights)
            if alone:
                laplacian.multiply_laplacian(*rows, vectors[:, 0], sums[:, 0], first)
            else:
                laplacian.multiply_columns(*rows, vectors, sums, first)

        self.parts.add_up(add, products)

    def second_order(self, slopes: Slopes) -> NDArray[np.float64]:
        """The sum of w^2 / (d_i d_j) over each item's pairs, w their weights, d the diagonal: shape (n_items,)."""
        sums = np.zeros(self.counts.n_items)
        _add_up(laplacian.add_second_order, self._by_pair(slopes.weights), sums, slopes.diagonal)
        return sums

    def _by_pair(self, values: NDArray[Any]) -> tuple[NDArray[np.int64], Codes, NDArray[Any]]:
        """Compressed rows in which each pair stands once, whichever item was on the left and however often they met."""
        counts = self.counts
        if is_folded(counts) and self.design is None:
            return counts.start, counts.right, values
        from scipy.sparse import coo_array

        ends = np.minimum(counts.left, counts.right), np.maximum(counts.left, counts.right)
        table = coo_array((values, ends), shape=(counts.n_items, counts.n_items)).tocsr()
        return table.indptr.astype(np.int64), table.indices.astype(np.int32), table.data

    def sides_won(self) -> tuple[float, float]:
        """The weight of votes that the right and the left side won."""
        right, left = (float(self.counts.table[:, outcome].sum()) for outcome in (Outcome.RIGHT, Outcome.LEFT))
        return right, left

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,)."""
        return components_of(self.counts)

    def gradients(
        self, log_odds: NDArray[np.float64], log_tie: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a vote with each outcome says of d and of the tie parameter's logarithm: each (3, n), by outcome."""
        if self.ties == "rao-kupper" and self.has_ties:
            lost_left, lost_right = _sigmoid(log_tie - log_odds), _sigmoid(log_tie + log_odds)
            x = np.array([-lost_right, lost_left - lost_right, lost_left])
            y = np.array([-lost_right, 2 / -math.expm1(-2 * log_tie) - lost_left - lost_right, -lost_left])
            return x, y
        tie = math.exp(log_tie) if self.has_ties else 0.0
        p_right, p_tie, p_left = outcome_probabilities(log_odds, tie, "davidson").T
        x = np.array([-p_left - 0.5 * p_tie, 0.5 * (p_right - p_left), p_right + 0.5 * p_tie])
        return x, np.array([-p_tie, 1 - p_tie, -p_tie])

    def bends(
        self, log_odds: NDArray[np.float64], log_tie: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The information in a vote with each outcome: by d twice, by both, by the tie parameter twice: (3, n)."""
        if self.ties == "rao-kupper" and self.has_ties:
            lost_left, lost_right = _sigmoid(log_tie - log_odds), _sigmoid(log_tie + log_odds)
            none = np.zeros_like(log_odds)
            left, right = lost_left * (1 - lost_left), lost_right * (1 - lost_right)
            by_tie_alone = 4 * math.exp(-2 * log_tie) / math.expm1(-2 * log_tie) ** 2
            xx = np.array([right, left + right, left])
            xy = np.array([right, right - left, none - left])
            return xx, xy, np.array([right, left + right + by_tie_alone, left])
        tie = math.exp(log_tie) if self.has_ties else 0.0
        p_right, p_tie, p_left = outcome_probabilities(log_odds, tie, "davidson").T
        xx = p_left * p_right + 0.25 * p_tie * (p_left + p_right)
        xy, yy = 0.5 * p_tie * (p_right - p_left), p_tie * (p_left + p_right)
        return np.array([xx] * 3), np.array([xy] * 3), np.array([yy] * 3)

    def _bordered(
        self, bends: NDArray[np.float64], tie_twice: float, side_twice: float, both: float
    ) -> dict[str, NDArray[np.float64]]:
        """What `bends`, by d twice and by d and the tie parameter, make of the information: weights, border, corner.

        Position effect and coefficients bear on d as the scores do, so on each other and on them through d twice.
        """
        counts = self.counts
        through = ([bends[1]] if self.has_ties else []) + ([bends[0]] if self.position else [])
        corner = np.array([[tie_twice, both], [both, side_twice]])
        wanted = [0] * self.has_ties + [1] * self.position
        corner = corner[np.ix_(wanted, wanted)]
        if self.design is not None:
            covariates = self.design.T * bends[0]
            through += list(covariates)
            beside = [self.design.T @ values for values in through[: len(wanted)]]
            rows = np.reshape(beside, (len(wanted), self.n_covariates))
            corner = np.block([[corner, rows], [rows.T, covariates @ self.design]])
        border = np.zeros((len(through), counts.n_items))
        for sums, values in zip(border, through, strict=True):
            laplacian.add_differences(counts.start, counts.right, np.ascontiguousarray(values), sums)
        return {"weights": bends[0], "border": border.T, "corner": corner}


def _add_up(
    kernel: Callable[..., None], pairs: Rows, sums: NDArray[np.float64], *arguments: NDArray[np.float64]
) -> None:
    start, second, weights = pairs

    def add(first: int, last: int, own: NDArray[np.float64]) -> None:
        kernel(start[first : last + 1], second, weights, *arguments, own, first)

    with Parts.of_rows(start) as parts:
        parts.add_up(add, sums)
