"""The answers of a fit, each with its voter, so that the answers of each voter can be weighed."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcome
from pairvote._inference.clustered import VoteDerivatives
from pairvote._inference.entries import SingleVotes
from pairvote._inference.models import Model
from pairvote._inference.solver import Solution, inverse_at
from pairvote._inference.sums import LocalSums
from pairvote._inference.vote_rows import VoteRows
from pairvote.votes._counts import PairCounts

Floats = NDArray[np.float64]
# Up to so many items the variance of each difference is worked out from the whole covariance.
MOST_EXACT = 300


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """Votes in the order of their entries, which are pairs of items, or single votes where these have covariates.

    items: the labels. rows: the votes. voter: (n_votes,), a number from 0 to n_voters, -1 where the voter is not known.
    codes: (n_voters,), the code of each voter among the votes' own. turned: (n_votes,), whether the items of a vote
    changed sides. first: (n_entries,), the first vote of each entry. left, right: (n_entries,), its items.
    """

    items: tuple[Hashable, ...]
    rows: VoteRows
    voter: NDArray[np.intp]
    codes: NDArray[np.intp]
    turned: NDArray[np.bool_]
    first: NDArray[np.intp]
    left: Codes
    right: Codes

    @classmethod
    def of(cls, rows: VoteRows, items: tuple[Hashable, ...], voters: tuple[Hashable, ...], *, folded: bool) -> Answers:
        """The answers in `rows`, whose clusters are the voters; `folded`: whether the side of an item is forgotten.

        Voters are numbered in the order of their labels, so that draws are the same whoever voted first.
        """
        turned = (rows.left > rows.right) & folded
        left, right = np.where(turned, rows.right, rows.left), np.where(turned, rows.left, rows.right)
        key = left.astype(np.int64) * len(items) + right
        outcome = np.where(turned, Outcome.LEFT - rows.outcome, rows.outcome).astype(np.uint8)
        known = np.full(len(key), -1) if rows.cluster is None else rows.cluster
        codes = np.unique(known[known >= 0])
        codes = np.array(sorted(codes.tolist(), key=lambda code: shorten(voters[code])), np.intp)
        number = np.full(len(voters) + 1, -1)
        number[codes] = np.arange(len(codes))
        # By pair, and then by what votes say, so that draws are the same in whatever order the votes came.
        order = np.lexsort((rows.weight, outcome, number[known], key))
        new = np.diff(key[order], prepend=-1) != 0
        first = np.flatnonzero(new if rows.design is None else np.ones_like(new))
        ordered = replace(
            rows,
            left=left[order].astype(rows.left.dtype),
            right=right[order].astype(rows.right.dtype),
            outcome=outcome[order],
            weight=rows.weight[order],
            cluster=None if rows.cluster is None else rows.cluster[order],
            design=None if rows.design is None else rows.design[order],
        )
        return cls(
            items=items,
            rows=ordered,
            voter=number[known[order]],
            codes=codes,
            turned=turned[order],
            first=first,
            left=ordered.left[first],
            right=ordered.right[first],
        )

    @property
    def n_voters(self) -> int:
        """The number of voters who are known."""
        return len(self.codes)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Whether the voter of each vote is known: bool, shape (n_votes,)."""
        return self.voter >= 0

    @cached_property
    def entry(self) -> NDArray[np.intp]:
        """The entry of each vote: shape (n_votes,)."""
        return np.repeat(np.arange(len(self.first)), np.diff(self.first, append=len(self.voter)))

    @cached_property
    def tied(self) -> NDArray[np.bool_]:
        """Whether each vote is a tie: bool, shape (n_votes,)."""
        return self.rows.outcome == Outcome.TIE

    @cached_property
    def whole(self) -> Floats:
        """The weight of each vote at its outcome: float64, shape (n_votes, 3)."""
        amounts = np.zeros((len(self.voter), 3))
        amounts[np.arange(len(amounts)), self.rows.outcome] = self.rows.weight
        return amounts

    @cached_property
    def adder(self) -> Any:
        """What adds up rows of the known voters' votes by their voters: sparse, shape (n_voters, n_known)."""
        return adder(self.voter[self.known], self.n_voters)

    def by_voter(self, values: Floats) -> Floats:
        """Sums over the votes of each known voter: float64, shape (n_voters,)."""
        return np.bincount(self.voter[self.known], values[self.known], self.n_voters).astype(np.float64)

    def of_votes(self, by_voter: Floats, unknown: float) -> Floats:
        """A value of each voter for each vote; `unknown` where the voter is not known: float64, shape (n_votes,)."""
        return np.append(by_voter, unknown)[self.voter]

    def table(self, amounts: Floats) -> Floats:
        """Sums of (n_votes, 3) over the votes of each entry: float64, shape (n_entries, 3)."""
        if not len(self.first):
            return np.zeros((0, 3))
        return np.add.reduceat(amounts, self.first, axis=0)

    def sums(self, amounts: Floats) -> LocalSums:
        """Sums over entries of so much of each vote at each outcome: amounts (n_votes, 3)."""
        n_items, design = len(self.items), self.rows.design
        kind = PairCounts if design is None else SingleVotes
        start = np.searchsorted(self.left, np.arange(n_items + 1)).astype(np.int64)
        counts = kind._unchecked(
            items=self.items, start=start, right=self.right, table=self.table(amounts), skipped=np.zeros(n_items)
        )
        return LocalSums(counts, design)

    def log_odds(self, model: Model, parameters: Floats) -> Floats:
        """The log-odds of the left side of each entry: float64, shape (n_entries,)."""
        scores = parameters[model.layout.scores]
        return np.asarray(scores[self.left] - scores[self.right] + model.sums.effects(model.likelihood, parameters))

    def variances(self, model: Model, solution: Solution) -> Floats:
        """The variance of the log-odds of each entry: float64, shape (n_entries,).

        With many items each score's own information alone counts, so that variances are too small where few votes join
        groups of items.
        """
        layout, left, right = model.layout, self.left, self.right
        if layout.n_items > MOST_EXACT:
            own = 1.0 / np.maximum(model.slopes(solution.parameters).diagonal, np.finfo(float).tiny)
            return np.asarray(own[left] + own[right])
        inverse = inverse_at(model, solution)
        own = inverse.diagonal()
        found = own[left] + own[right] - 2.0 * inverse[left, right]
        if layout.has_position:
            side = layout.position.start
            found = found + own[side] + 2.0 * (inverse[left, side] - inverse[right, side])
        return np.maximum(found, 0.0)

    def log_chances(self, model: Model, parameters: Floats, variances: Floats | None = None) -> tuple[Floats, Floats]:
        """The logarithm of the chance of each vote's outcome, and of that with the sides exchanged: two of (n_votes,).

        variances: (n_entries,), those of the log-odds; with them, the mean over normal log-odds, to second order.
        """
        outcome, nuisance = model.outcome, parameters[model.layout.nuisance]
        log_odds = self.log_odds(model, parameters)
        values = outcome.log_probabilities(log_odds, nuisance)
        if not outcome.n_nuisance:
            # A tie is half a win of either side.
            values[:, Outcome.TIE] = 0.5 * outcome.tie_weight * (values[:, Outcome.LEFT] + values[:, Outcome.RIGHT])
        if variances is not None:
            information = outcome.information(log_odds, nuisance)[0] * np.array([[1.0], [outcome.tie_weight], [1.0]])
            values = values - 0.5 * (variances * information).T
        at = self.rows.outcome.astype(np.intp)
        return values[self.entry, at], values[self.entry, Outcome.LEFT - at]

    def gradients(self, model: Model, parameters: Floats) -> Any:
        """The gradient of each known voter's vote by all parameters: a sparse array, shape (n_known, size)."""
        votes = VoteDerivatives.of(model, parameters, self.rows)
        return self._of_known(votes, votes.x, votes.y, model.layout.size)

    def turns(self, model: Model, parameters: Floats) -> Any:
        """How much each known voter's vote pulls more than with its sides exchanged: sparse, shape (n_known, size)."""
        votes = VoteDerivatives.of(model, parameters, self.rows)
        turned = replace(self.rows, outcome=(Outcome.LEFT - self.rows.outcome).astype(np.uint8))
        other = VoteDerivatives.of(model, parameters, turned)
        return self._of_known(votes, votes.x - other.x, votes.y - other.y, model.layout.size)

    def _of_known(self, votes: VoteDerivatives, x: Floats, y: Floats, size: int) -> Any:
        """Rows of known voters' votes that pull by x at d and by y at the nuisance parameters: a sparse array."""
        values = np.concatenate([votes.values * x[:, None], y], axis=1)[self.known]
        places = np.concatenate([votes.places, np.broadcast_to(votes.nuisance, y.shape)], axis=1)[self.known]
        return _sparse_rows(places, values, size)


def _sparse_rows(places: NDArray[np.intp], values: Floats, size: int) -> Any:
    from scipy.sparse import csr_array

    start = np.arange(0, places.size + 1, places.shape[1])
    return csr_array((values.ravel(), places.ravel(), start), shape=(len(places), size))


def adder(groups: NDArray[np.intp], n_groups: int, values: Floats | None = None) -> Any:
    """What adds up rows by their groups, each times its value: a sparse array, shape (n_groups, n_rows)."""
    from scipy.sparse import csr_array

    amounts = np.ones(len(groups)) if values is None else values
    return csr_array((amounts, (groups, np.arange(len(groups)))), shape=(n_groups, len(groups)))
