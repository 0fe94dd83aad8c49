"""Sums over all pairs: what a fit asks of the votes, whether they lie in this memory or elsewhere."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote._common.threads import Parts
from pairvote._inference.entries import AnswerCounts
from pairvote._inference.identification import check_answers, check_effects, check_maximum
from pairvote._inference.layout import ParameterLayout
from pairvote._inference.outcomes.base import OutcomeModel, SlopeSums
from pairvote._kernels import laplacian
from pairvote.votes._counts import PairCounts, is_folded
from pairvote.votes._given import components_of

NOTHING = np.empty(0)
NO_MOMENTS = np.ones((1, 1))
# Compressed rows: where the pairs of each item begin, the other item of each, and its value.
Rows = tuple[NDArray[np.int64], Codes, NDArray[np.float64]]


class Likelihood(NamedTuple):
    """What the parameters mean for a vote: the outcome model, and where each parameter stands."""

    outcome: OutcomeModel
    layout: ParameterLayout

    def over(self, n_items: int) -> Likelihood:
        """The likelihood of votes on so many items."""
        outcome, layout = self
        return Likelihood(
            outcome, ParameterLayout(n_items, layout.n_nuisance, layout.has_position, layout.n_covariates)
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Slopes:
    """First and second derivatives of a log-likelihood or a log-posterior at one point.

    gradient: (size,). weights: (n_pairs,), the information of each pair's difference, so that the information of the
    scores is the graph's Laplacian plus `ridge`, a number or (n_items,), on the diagonal, which is `diagonal`
    (n_items,). border: (n_items,
    n_beside) and corner: (n_beside, n_beside), the information of the parameters beside the scores.
    """

    gradient: NDArray[np.float64]
    weights: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    border: NDArray[np.float64]
    corner: NDArray[np.float64]
    ridge: float | NDArray[np.float64] = 0.0

    @property
    def curvature(self) -> NDArray[np.float64]:
        """The information's diagonal: float64, shape (size,)."""
        return np.concatenate([self.diagonal, np.diag(self.corner)])


class PairSums(Protocol):
    """What sums over pairs. All vectors are over all items; what is kept of each pair stays where the pairs are."""

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""

    @property
    def pairs(self) -> PairCounts | None:
        """The pairs, if they lie in this memory, where a solver may look at them itself."""

    @property
    def n_pairs(self) -> int:
        """The number of pairs; one that lies in several places counts in each."""

    @property
    def n_answers(self) -> int:
        """The number of answers that a vote may be: 3 unless votes are graded in more."""

    @property
    def n_covariates(self) -> int:
        """The number of covariates of each vote."""

    def covariate_moments(self) -> NDArray[np.float64]:
        """The mean products of 1 and each covariate over the votes: shape (1 + n_covariates, 1 + n_covariates)."""

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,)."""

    def sides_won(self) -> tuple[float, float]:
        """The weight of votes that the right and the left side won."""

    def check_maximum(self, likelihood: Likelihood, n_ties: float) -> None:
        """NotIdentifiedError unless a maximum of the likelihood exists, without any prior."""

    def threads(self) -> AbstractContextManager[Any]:
        """Inside, sums are made on several threads where it pays."""

    def effects(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What favours the left beside the scores, in log-odds: float64, one for all pairs or one for each."""

    def workspace(self, likelihood: Likelihood) -> NDArray[np.float64]:
        """Memory for what is kept of each pair; new memory costs about as much as what is put there."""

    def log_likelihood(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood without what ties add through the nuisance parameters alone."""

    def slopes(
        self, likelihood: Likelihood, parameters: NDArray[np.float64], workspace: NDArray[np.float64] | None = None
    ) -> Slopes:
        """The derivatives of that; in the same workspace they replace those that were there."""

    def squares(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> Slopes:
        """The sum over votes of the outer product of each vote's own gradient, in the shape of an information."""

    def add_products(self, slopes: Slopes, vectors: NDArray[np.float64], products: NDArray[np.float64]) -> None:
        """Add the Laplacian of the pairs' weights times each column of `vectors` (n_items, n) to `products`."""

    def second_order(self, slopes: Slopes) -> NDArray[np.float64]:
        """The sum of w^2 / (d_i d_j) over each item's pairs, w their weights, d the diagonal: shape (n_items,)."""

    def third_order(
        self, slopes: Slopes, likelihood: Likelihood, parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The third derivative of the likelihood by each score, at these weights of pairs: shape (n_items,)."""


@dataclass(frozen=True, eq=False)
class LocalSums:
    """Sums over pairs in this memory, which kernels make row by row.

    With a `design` (n_pairs, n_covariates) each entry of `pairs` is a vote, or votes with the same covariates, and d
    grows by design @ coefficients. `spread` (n_pairs,) is there where votes are graded: the sum of w y (1 - y) over the
    votes of each entry with the weight w and the share y, which `pairs` counts as parts of two votes. The last
    `n_features` columns of the design are what the left item has more of than the right one.
    """

    pairs: PairCounts
    design: NDArray[np.float64] | None = None
    spread: NDArray[np.float64] | None = None
    n_features: int = 0

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""
        return self.pairs.items

    @property
    def n_pairs(self) -> int:
        """The number of entries."""
        return self.pairs.n_pairs

    @property
    def n_answers(self) -> int:
        """The number of answers that a vote may be: 3 unless votes are graded in more."""
        return self.pairs.n_answers if isinstance(self.pairs, AnswerCounts) else 3

    @property
    def n_covariates(self) -> int:
        """The number of covariates of each vote."""
        return 0 if self.design is None else self.design.shape[1]

    def covariate_moments(self) -> NDArray[np.float64]:
        """The mean products of 1 and each covariate over the votes: shape (1 + n_covariates, 1 + n_covariates)."""
        if self.design is None:
            return NO_MOMENTS
        weights = self.pairs.table.sum(axis=1)
        columns = np.column_stack([np.ones(len(weights)), self.design])
        return np.asarray((weights / weights.sum() * columns.T) @ columns)

    @cached_property
    def parts(self) -> Parts:
        """The rows of pairs in parts that threads may share."""
        return Parts.of_rows(self.pairs.start)

    def threads(self) -> Parts:
        """Inside, sums are made on several threads where it pays."""
        return self.parts

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""
        return self.pairs.item_totals()

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,)."""
        return components_of(self.pairs)

    def sides_won(self) -> tuple[float, float]:
        """The weight of votes that the right and the left side won."""
        right, left = (float(self.pairs.table[:, outcome].sum()) for outcome in (Outcome.RIGHT, Outcome.LEFT))
        return right, left

    def check_maximum(self, likelihood: Likelihood, n_ties: float) -> None:
        """NotIdentifiedError unless a maximum of the likelihood exists, without any prior."""
        if isinstance(self.pairs, AnswerCounts):
            check_answers(self.pairs, *likelihood)
        else:
            check_maximum(self.pairs, *likelihood, n_ties)

    def check_coefficients(self, likelihood: Likelihood, n_ties: float, *, prior: bool) -> None:
        """NotIdentifiedError if coefficients can grow without end; `prior`: whether the scores have one."""
        if self.design is not None:
            check_effects(self.pairs, self.design, likelihood.layout, n_ties, prior=prior)

    def effects(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What favours the left beside the scores, in log-odds: float64, shape (1,), or (n_pairs,) with a design."""
        layout = likelihood.layout
        side = parameters[layout.position] if layout.has_position else np.zeros(1)
        if self.design is None:
            return side
        return np.asarray(self.design @ parameters[layout.coefficients] + side)

    def workspace(self, likelihood: Likelihood) -> NDArray[np.float64]:
        """Memory for what is kept of each pair; new memory costs about as much as what is put there."""
        n_rows = SlopeSums.n_rows(likelihood.layout.n_nuisance, by_pair=self.design is not None)
        return np.empty((n_rows, self.pairs.n_pairs))

    def log_likelihood(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood without what ties add through the nuisance parameters alone."""
        return likelihood.outcome.log_likelihood(self.pairs, *self._point(likelihood, parameters))

    def _point(
        self, likelihood: Likelihood, parameters: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Scores, effects and nuisance parameters."""
        layout = likelihood.layout
        return parameters[layout.scores], self.effects(likelihood, parameters), parameters[layout.nuisance]

    def slopes(
        self, likelihood: Likelihood, parameters: NDArray[np.float64], workspace: NDArray[np.float64] | None = None
    ) -> Slopes:
        """The derivatives of that; in the same workspace they replace those that were there."""
        (outcome, layout), n_items = likelihood, self.pairs.n_items
        kept = self.workspace(likelihood) if workspace is None else workspace
        sums = np.zeros(SlopeSums.length(n_items, layout.n_nuisance))
        self.parts.add_up(outcome.slopes(self.pairs, *self._point(likelihood, parameters), kept), sums)
        found = SlopeSums(sums, n_items, layout.n_nuisance)
        gradient = np.empty(layout.size)
        gradient[layout.scores], gradient[layout.nuisance] = found.scores, found.nuisance
        gradient[layout.position] = found.effect
        if self.design is not None:
            gradient[layout.coefficients] = kept[-1] @ self.design
        border, corner = self._border(layout, kept, found.nuisance_twice, found.both, float(found.effect_twice[0]))
        return Slopes(gradient=gradient, weights=kept[0], diagonal=found.diagonal, border=border, corner=corner)

    def squares(self, likelihood: Likelihood, parameters: NDArray[np.float64]) -> Slopes:
        r"""The sum over votes of the outer product of each vote's own gradient, in the shape of an information.

        A graded vote with the share y has the gradient :math:`g = y g_l + (1 - y) g_r`, g_l and g_r those of a win of
        either side, and :math:`g g' = y g_l g_l' + (1 - y) g_r g_r' - y (1 - y) (g_l - g_r) (g_l - g_r)'`: the first
        two terms are what its two parts add by themselves. In Bradley and Terry's model g is the residual, y - p.
        """
        outcome, layout = likelihood
        kept, twice = outcome.squares(self.pairs, self.parts, *self._point(likelihood, parameters))
        if self.spread is not None:
            scores, effects, nuisance = self._point(likelihood, parameters)
            log_odds = scores[self.pairs.left] - scores[self.pairs.right] + effects
            x, y = (np.asarray(by[..., 2, :] - by[..., 0, :]) for by in outcome.gradients(log_odds, nuisance))
            # What is left is a sum of squares, so not below zero but by rounding.
            kept[0] = np.maximum(kept[0] - self.spread * x * x, 0.0)
            kept[1:] -= self.spread * x * y
            twice = twice - np.einsum("n,an,bn->ab", self.spread, y, y)
        border, corner = self._border(layout, kept, twice, kept[1:].sum(axis=1), float(kept[0].sum()))
        return Slopes(gradient=NOTHING, weights=kept[0], diagonal=NOTHING, border=border, corner=corner)

    def divided(self, factor: float) -> LocalSums:
        """The sums of votes whose weights are divided by a factor."""
        pairs = self.pairs._changed(table=self.pairs.table / factor)
        return replace(self, pairs=pairs, spread=None if self.spread is None else self.spread / factor)

    def by_outcome(
        self, likelihood: Likelihood, parameters: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """A vote's gradient and information by d, for each outcome and entry, and the weight of such votes: (3, n)."""
        outcome = likelihood.outcome
        scores, effects, nuisance = self._point(likelihood, parameters)
        log_odds = scores[self.pairs.left] - scores[self.pairs.right] + effects
        weight = outcome._votes(self.pairs, slice(None))
        return outcome.gradients(log_odds, nuisance)[0], outcome.information(log_odds, nuisance)[0], weight

    def _border(
        self,
        layout: ParameterLayout,
        kept: NDArray[np.float64],
        nuisance_twice: NDArray[np.float64],
        both: NDArray[np.float64],
        effect_twice: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Border and corner of the information, given that of each pair by d twice and by d and nuisance parameter.

        Position effect and coefficients bear on d as the scores do, so on each other and on them through d twice.
        """
        pairs, n_nuisance, n_position = self.pairs, layout.n_nuisance, int(layout.has_position)
        through = [*kept[1 : 1 + n_nuisance], *kept[:n_position]]
        corner = np.empty((layout.n_beside, layout.n_beside))
        corner[:n_nuisance, :n_nuisance] = nuisance_twice
        if n_position:
            corner[n_nuisance, :n_nuisance] = corner[:n_nuisance, n_nuisance] = both
            corner[n_nuisance, n_nuisance] = effect_twice
        if self.design is not None:
            first, covariates = n_nuisance + n_position, self.design.T * kept[0]
            for place, values in enumerate(through):
                corner[place, first:] = corner[first:, place] = self.design.T @ values
            corner[first:, first:] = covariates @ self.design
            through += list(covariates)
        border = np.zeros((len(through), pairs.n_items))
        for sums, values in zip(border, through, strict=True):
            laplacian.add_differences(pairs.start, pairs.right, np.ascontiguousarray(values), sums)
        return border.T, corner

    def add_products(self, slopes: Slopes, vectors: NDArray[np.float64], products: NDArray[np.float64]) -> None:
        """Add the Laplacian of the pairs' weights times each column of `vectors` (n_items, n) to `products`."""
        pairs, alone = self.pairs, vectors.shape[1] == 1

        def add(first: int, last: int, sums: NDArray[np.float64]) -> None:
            rows = (pairs.start[first : last + 1], pairs.right, slopes.weights)
            if alone:
                laplacian.multiply_laplacian(*rows, vectors[:, 0], sums[:, 0], first)
            else:
                laplacian.multiply_columns(*rows, vectors, sums, first)

        self.parts.add_up(add, products)

    def second_order(self, slopes: Slopes) -> NDArray[np.float64]:
        """The sum of w^2 / (d_i d_j) over each item's pairs, w their weights, d the diagonal: shape (n_items,)."""
        start, second, weights = self._by_pair(slopes.weights)
        sums = np.zeros(self.pairs.n_items)

        def add(first: int, last: int, own: NDArray[np.float64]) -> None:
            laplacian.add_second_order(start[first : last + 1], second, weights, slopes.diagonal, own, first)

        with Parts.of_rows(start) as parts:
            parts.add_up(add, sums)
        return sums

    def third_order(
        self, slopes: Slopes, likelihood: Likelihood, parameters: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The third derivative of the likelihood by each score, at these weights of pairs: shape (n_items,)."""
        left, right, n_items = self.pairs.left, self.pairs.right, self.pairs.n_items
        scores, effects, nuisance = self._point(likelihood, parameters)
        d = scores[left] - scores[right] + effects
        of_pairs = likelihood.outcome.third_order(self.pairs, d, nuisance, slopes.weights)
        return np.asarray(np.bincount(left, of_pairs, n_items) - np.bincount(right, of_pairs, n_items), np.float64)

    def _by_pair(self, values: NDArray[np.float64]) -> Rows:
        """Compressed rows in which each pair stands once, whichever item was on the left and however often they met."""
        pairs = self.pairs
        if is_folded(pairs) and self.design is None:
            return pairs.start, pairs.right, values
        from scipy.sparse import coo_array

        ends = np.minimum(pairs.left, pairs.right), np.maximum(pairs.left, pairs.right)
        table = coo_array((values, ends), shape=(pairs.n_items, pairs.n_items)).tocsr()
        return table.indptr.astype(np.int64), table.indices.astype(np.int32), table.data
