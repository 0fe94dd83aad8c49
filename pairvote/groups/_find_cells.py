r"""Votes by voter, pair and outcome: all that a mixture over voters needs of them.

With :math:`c_{vpo}` the weight of voter v's votes on pair p with outcome o and :math:`\ell_{po}(s)` the log-chance of
that outcome at scores s, voter v's log-likelihood is :math:`\sum_{po} c_{vpo}\, \ell_{po}(s)`: a sparse table times a
column. Voters v that count for :math:`r_v` have the counts :math:`\sum_v r_v c_{vpo}`.

The log-chances are Davidson's, whose gradient by d is the half of wins less losses beyond what is expected, and whose
information follows from the chances alone (`pairvote._inference.outcomes.davidson`). The tie parameter and what the
left side adds are those of all votes together.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference import OutcomeModel, fit
from pairvote.errors import InputError
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import count_votes
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
# Every step solves for all items together, once for each camp and start.
MOST_ITEMS = 500
# What the tie parameter and the position effect of all votes are fitted beside.
POOLED_SD = 3.0
N_OUTCOMES = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class VoterCells:
    """The answered votes of known voters.

    rows: those votes. voters: labels, (n_voters,). voter: the place in `voters` of each row. left, right: (n_pairs,),
    the pairs that were asked. table: sparse, (n_voters, 3 n_pairs), the weight of votes by voter and by pair and
    outcome. model, nuisance: the model of ties. position_effect: what the left side adds. tie_share: how often voters
    tie.
    """

    rows: Votes
    voters: tuple[Hashable, ...]
    voter: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    table: Any
    model: OutcomeModel
    nuisance: Floats
    position_effect: float
    tie_share: float

    @classmethod
    def of(cls, votes: Votes, criterion: Hashable | None, *, position: bool) -> VoterCells:
        """The cells of votes on one criterion; InputError for what has none."""
        from scipy.sparse import csr_array

        rows = known_rows(votes, criterion)
        counts = count_votes(rows, folded=not position)
        posterior = fit(counts, prior_sd=POOLED_SD, position=position, uncertainty="none")
        halves = rows._in_halves()
        codes, voter = np.unique(np.asarray(halves.voter), return_inverse=True)
        low, high, outcome = halves.left.astype(np.int64), halves.right, halves.outcome.astype(np.int64)
        if not position:
            turned = low > high
            low, high = np.where(turned, high, low), np.where(turned, low, high)
            outcome = np.where(turned, 2 - outcome, outcome)
        keys, pair = np.unique(low * rows.n_items + high, return_inverse=True)
        weight = np.ones(len(halves)) if halves.weight is None else halves.weight
        shape = (len(codes), N_OUTCOMES * len(keys))
        table = csr_array((weight, (voter, N_OUTCOMES * pair + outcome)), shape=shape)
        table.sum_duplicates()
        left, right = np.divmod(keys, rows.n_items)
        # A vote more, so that a side may win even where nobody has picked one.
        n_ties = float(weight[outcome == Outcome.TIE].sum())
        return cls(
            rows=rows,
            voters=tuple(rows.voters[code] for code in codes.tolist()),
            voter=np.searchsorted(codes, np.asarray(rows.voter)),
            left=left,
            right=right,
            table=table,
            model=posterior.model.outcome,
            nuisance=posterior.parameters[posterior.model.layout.nuisance],
            position_effect=float(posterior.position_effect),
            tie_share=n_ties / (float(weight.sum()) + 1.0),
        )

    @property
    def n_items(self) -> int:
        """The number of items."""
        return self.rows.n_items

    @property
    def n_voters(self) -> int:
        """The number of voters."""
        return len(self.voters)

    @property
    def n_pairs(self) -> int:
        """The number of pairs that were asked, by side where there is a position effect."""
        return len(self.left)

    @property
    def n_votes(self) -> float:
        """The weight of all votes."""
        return float(self.table.sum())

    def folds(self, n_folds: int) -> list[tuple[VoterCells, VoterCells]]:
        """Votes to fit and votes held out: each voter's pairs dealt out in turn, a pair with all its votes."""
        cells = self.table.tocoo()
        voter, pair = cells.coords[0], cells.coords[1] // N_OUTCOMES
        low, high = np.minimum(self.left, self.right)[pair], np.maximum(self.left, self.right)[pair]
        asked, which = np.unique((voter.astype(np.int64), low, high), axis=1, return_inverse=True)
        first = np.searchsorted(asked[0], np.arange(self.n_voters))
        fold = (np.arange(asked.shape[1]) - first[asked[0]])[which.ravel()] % n_folds
        return [(self._with(fold != held), self._with(fold == held)) for held in range(n_folds)]

    def _with(self, kept: NDArray[np.bool_]) -> VoterCells:
        from scipy.sparse import csr_array

        cells = self.table.tocoo()
        entries = (cells.data[kept], (cells.coords[0][kept], cells.coords[1][kept]))
        return replace(self, table=csr_array(entries, shape=self.table.shape))

    def log_odds(self, scores: Floats) -> Floats:
        """The log-odds of the left side of each pair: shape (..., n_pairs), given scores (..., n_items)."""
        return np.asarray(scores[..., self.left] - scores[..., self.right] + self.position_effect)

    def log_likelihoods(self, scores: Floats) -> Floats:
        """The log-likelihood of each voter's votes: shape (..., n_voters), given scores (..., n_items)."""
        log_chances = self.model.log_probabilities(self.log_odds(scores), self.nuisance)
        if not self.model.n_nuisance:
            # Nobody tied, so that the logarithm of no chance is never looked at.
            log_chances[..., Outcome.TIE] = 0.0
        return self._of_voters(log_chances.reshape(*scores.shape[:-1], -1))

    def coin_log_likelihoods(self) -> Floats:
        """The log-likelihood of each voter's votes as those of a coin: shape (n_voters,)."""
        tie_share = self.tie_share
        side = np.log(0.5 * (1.0 - tie_share))
        of_outcome = [side, np.log(tie_share) if tie_share > 0.0 else 0.0, side]
        return self._of_voters(np.tile(of_outcome, self.n_pairs))

    def _of_voters(self, values: Floats) -> Floats:
        """Sums over the votes of each voter: shape (..., n_voters), of values (..., 3 n_pairs)."""
        flat = values.reshape(-1, values.shape[-1])
        return np.ascontiguousarray((self.table @ flat.T).T).reshape(*values.shape[:-1], self.n_voters)

    def counts_of(self, shares: Floats) -> Floats:
        """The counts by pair and outcome of voters who count for so much: (n, 3 n_pairs), of shares (n, n_voters)."""
        return np.ascontiguousarray((self._turned @ shares.T).T)

    def slopes(self, counts: Floats, scores: Floats) -> tuple[Floats, Floats]:
        """Gradient (n, n_items) and information (n, n_items, n_items) of counts (n, 3 n_pairs), each at its scores."""
        excess, weight = self._excess(counts.reshape(len(counts), -1, N_OUTCOMES), scores)
        n, every = self.n_items, np.arange(self.n_items)
        gradient = np.ascontiguousarray((self._sides @ excess.T).T)
        cells = np.zeros((len(counts), n * n))
        cells[:, self.left * n + self.right] = -weight
        information = cells.reshape(-1, n, n)
        information = information + information.transpose(0, 2, 1)
        information[:, every, every] = -information.sum(axis=2)
        return gradient, information

    def _excess(self, counts: Floats, scores: Floats) -> tuple[Floats, Floats]:
        """The gradient by d and the information of each pair."""
        right, tie, left = np.moveaxis(
            self.model.probabilities(self.log_odds(scores), self.model.tie_parameter(self.nuisance)), -1, 0
        )
        votes = counts.sum(axis=-1)
        won = counts[..., Outcome.LEFT] - counts[..., Outcome.RIGHT]
        return 0.5 * (won - votes * (left - right)), votes * (left * right + 0.25 * tie * (left + right))

    @cached_property
    def _turned(self) -> Any:
        """The table by pair and outcome, and by voter: sparse, (3 n_pairs, n_voters)."""
        return self.table.T.tocsr()

    @cached_property
    def _sides(self) -> Any:
        """Sparse, (n_items, n_pairs): 1 for the item on the left, -1 for that on the right."""
        from scipy.sparse import csr_array

        ends, pairs = np.ones(self.n_pairs), np.arange(self.n_pairs)
        places = np.concatenate([self.left, self.right]), np.concatenate([pairs, pairs])
        return csr_array((np.concatenate([ends, -ends]), places), shape=(self.n_items, self.n_pairs))

    def departures(self, scores: Floats, spread: float) -> Any:
        r"""What each voter adds to each score, to first order: sparse, shape (n_voters, n_items).

        With :math:`g_{vi}` the gradient of voter v's votes by the score of item i at scores (n_items,), or of each
        voter's own, (n_voters, n_items), and :math:`h_{vi}` the information, under a prior Normal(0, spread)
        :math:`\hat u_{vi} = g_{vi} / (h_{vi} + 1 / spread^2)`: a Newton step by the diagonal.
        """
        from scipy.sparse import coo_array, csr_array

        cells = self.table.tocoo()
        voter, (pair, outcome) = cells.coords[0], np.divmod(cells.coords[1], N_OUTCOMES)
        own = scores[voter] if scores.ndim == 2 else np.broadcast_to(scores, (len(voter), self.n_items))
        some = np.arange(len(voter))
        d = own[some, self.left[pair]] - own[some, self.right[pair]] + self.position_effect
        right, tie, left = self.model.probabilities(d, self.model.tie_parameter(self.nuisance)).T
        excess = 0.5 * cells.data * (outcome - 1.0 - (left - right))
        weight = cells.data * (left * right + 0.25 * tie * (left + right))
        shape = (self.n_voters, self.n_items)
        places = (np.concatenate([voter] * 2), np.concatenate([self.left[pair], self.right[pair]]))
        gradient = csr_array(coo_array((np.concatenate([excess, -excess]), places), shape=shape))
        information = csr_array(coo_array((np.concatenate([weight, weight]), places), shape=shape))
        gradient.sum_duplicates()
        information.sum_duplicates()
        # Both have their entries in the same places.
        return csr_array(
            (gradient.data / (information.data + spread**-2.0), gradient.indices, gradient.indptr), shape=shape
        )


def known_rows(votes: Votes, criterion: Hashable | None) -> Votes:
    """The answered votes of known voters; InputError where there are none."""
    if not isinstance(votes, Votes):
        given = "PairCounts, which do not say who voted" if isinstance(votes, PairCounts) else type(votes).__name__
        raise InputError(f"votes is a {given}" if given.isidentifier() else f"votes are {given}", option="votes",
                         remedy="pass Votes with voter=")  # fmt: skip
    votes = votes.select(criterion)
    if votes.n_items > MOST_ITEMS:
        raise InputError(
            f"there are {votes.n_items:,} items, and camps are found of up to {MOST_ITEMS:,}; leave out the least asked"
        )
    counted = votes.outcome != Outcome.SKIP
    if votes.weight is not None:
        counted &= votes.weight > 0
    if not counted.any():
        raise InputError(f"there are {len(votes):,} votes and none of them is answered; pass votes with an outcome")
    if votes.voter is None or not (votes.voter[counted] >= 0).any():
        raise InputError("these votes do not say who voted", option="voter", remedy="pass voter= when making them")
    return votes.where(counted & (votes.voter >= 0))
