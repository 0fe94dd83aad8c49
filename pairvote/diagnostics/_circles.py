"""Circles in the answers of single voters: a beats b, b beats c, and c beats a."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._alike import Floats
from pairvote.diagnostics._consensus import added_up
from pairvote.diagnostics._triads import closed_paths
from pairvote.votes._votes import Votes


@dataclass(frozen=True, kw_only=True)
class Circles:
    """A graph for each voter, side by side in one: a node is an item in the eyes of a voter, an edge an answer.

    left, right : (n_rows,), the nodes of each answer; a voter has one answer at most on a pair
    outcome : (n_rows,)
    holder : (n_nodes,), the code of each node's voter
    """

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    outcome: NDArray[np.uint8]
    holder: NDArray[np.int64]

    @classmethod
    def of(cls, votes: Votes, who: Codes) -> Circles:
        """The graphs of answers, of which no voter has two on one pair."""
        voter = who.astype(np.int64) * votes.n_items
        nodes, node = np.unique(np.concatenate([voter + votes.left, voter + votes.right]), return_inverse=True)
        left, right = node[: len(votes)], node[len(votes) :]
        return cls(left=left, right=right, outcome=votes.outcome, holder=nodes // votes.n_items)

    def counted(self) -> tuple[Floats, Floats]:
        """Each node's triads without a tie, and its circular ones: shape (n_nodes,)."""
        beats = self._edges((self.outcome == Outcome.LEFT) * 1.0, (self.outcome == Outcome.RIGHT) * 1.0)
        # A triad has six paths around it from some node to that node, a circle three.
        return closed_paths(beats + beats.T) / 2.0, closed_paths(beats)

    def expected(self, chances: Floats) -> Floats:
        """The circles expected of each node, by the chances of each answer's outcomes, (n_rows, 3)."""
        return closed_paths(self._edges(chances[:, Outcome.LEFT], chances[:, Outcome.RIGHT]))

    def by_voter(self, found: Floats, n_voters: int) -> Floats:
        """What nodes have in common, by voter: three nodes have a triad, so a third of their sum."""
        return added_up(self.holder, found, n_voters) / 3.0

    def _edges(self, left_won: Floats, right_won: Floats) -> Any:
        """The sparse matrix of who beats whom."""
        from scipy.sparse import csr_array

        n = len(self.holder)
        ends = np.concatenate([self.left, self.right]), np.concatenate([self.right, self.left])
        edges = csr_array((np.concatenate([left_won, right_won]), ends), shape=(n, n))
        edges.eliminate_zeros()
        return edges
