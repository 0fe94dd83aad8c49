r"""Voters who follow the common scale more or less closely, or go against it: what the votes say of each.

Voter v follows the scale in a part :math:`\eta_v` of the answers and goes against it in the others (Crowd-BT: Chen et
al. 2013, equation 4),

.. math:: P(y \mid v) = \eta_v\, P(y \mid d) + (1 - \eta_v)\, P(\bar y \mid d),

with :math:`\bar y` the answer y with its sides exchanged; a tie says the same either way. So 1 is to follow closely, a
half is a coin, 0 is to go against it, and :math:`2 \eta - 1` is the slope, to which the lead of one item over another
is shortened for this voter where items are close. With a chance that has a Beta(4, 1) prior a voter has
:math:`\eta = 1`, and else any from 0 to 1 alike, here the middles of 20 equal parts. So nothing is lost where all
follow the scale, and the scale is that of those who do.

Scores are not known but for a normal of each difference; both chances are taken as the exponential of their mean
logarithm, as in `pairvote._inference.lapses`.

References
----------
Chen, Bennett, Collins-Thompson and Horvitz (2013), "Pairwise ranking aggregation in a crowdsourced setting", WSDM.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.answers import Answers, adder
from pairvote._inference.models import Model
from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.voter_kinds import VoterKinds

Floats = NDArray[np.float64]
# The prior weight of voters who follow the scale, and of the others.
FOLLOWS, OTHERS = 4.0, 1.0
N_NODES = 20
NODES = (np.arange(N_NODES) + 0.5) / N_NODES
LEAST = 1e-300
# Votes times nodes that are worked on together.
MOST_TOGETHER = 2_000_000


class Following(NamedTuple):
    """The chances of slopes: attentive (n_voters,), that all answers follow, and nodes (n_voters, 20), of each part.

    following: (n_votes,), the chance that each answer follows the scale. total: the log-likelihood of all voters.
    """

    attentive: Floats
    nodes: Floats
    following: Floats
    total: float


@dataclass(frozen=True, eq=False)
class Slopes:
    """The slopes of the voters of some answers."""

    answers: Answers
    outcome: OutcomeModel

    @classmethod
    def of(cls, answers: Answers, outcome: OutcomeModel) -> Slopes:
        """The slopes of these voters."""
        return cls(answers, outcome)

    # --- shares ---

    def first_shares(self) -> Floats:
        """The logarithms of the chances of following the scale, and of not, before the votes are seen."""
        return np.log(np.array([FOLLOWS, OTHERS]) / (FOLLOWS + OTHERS))

    def shares(self, chances: Following) -> Floats:
        """Their expected logarithms given the chances of each voter."""
        from scipy.special import digamma

        n_following = chances.attentive.sum()
        weights = np.array([FOLLOWS + n_following, OTHERS + len(chances.attentive) - n_following])
        return np.asarray(digamma(weights) - digamma(weights.sum()))

    def drawn_shares(self, chances: Following, rng: np.random.Generator) -> Floats:
        """The logarithms of shares drawn from what they are by the slopes of the voters."""
        n_following = chances.attentive.sum()
        share = rng.beta(FOLLOWS + n_following, OTHERS + len(chances.attentive) - n_following)
        return np.log(np.maximum([share, 1.0 - share], LEAST))

    # --- chances ---

    def chances(self, model: Model, parameters: Floats, shares: Floats, variances: Floats | None = None) -> Following:
        """The chances of slopes at these parameters; variances: (n_entries,), of the log-odds."""
        answers = self.answers
        ahead, against = answers.log_chances(model, parameters, variances)
        # A vote by the larger of the two, of which weights and logarithms are safe.
        most = np.maximum(ahead, against)
        p, q = np.exp(ahead - most), np.exp(against - most)
        mixed = NODES[:, None] * p + (1.0 - NODES[:, None]) * q
        weight, n_voters = answers.rows.weight, answers.n_voters
        values = np.log(mixed) * weight
        nodes = answers.adder @ values[:, answers.known].T + (shares[1] - np.log(N_NODES))
        whole = answers.by_voter(weight * (ahead - most)) + shares[0]
        top = np.maximum(whole, nodes.max(axis=1, initial=-np.inf)) if n_voters else whole
        part, parts = np.exp(whole - top), np.exp(nodes - top[:, None])
        total = part + parts.sum(axis=1)
        attentive, nodes = part / total, parts / total[:, None]
        known, following = answers.known, np.ones(len(ahead))
        voter = answers.voter[known]
        by_node = NODES[:, None] * p[known] / mixed[:, known]
        following[known] = attentive[voter] + (nodes[voter].T * by_node).sum(axis=0)
        value = float((top + np.log(total)).sum() + (weight * most)[known].sum() + (weight * ahead)[~known].sum())
        return Following(attentive, nodes, following, value)

    def amounts(self, chances: Following) -> Floats:
        """How much of each vote counts at each outcome: float64, shape (n_votes, 3)."""
        whole = self.answers.whole
        return np.asarray(whole * chances.following[:, None] + whole[:, ::-1] * (1.0 - chances.following)[:, None])

    def drawn(self, chances: Following, model: Model, parameters: Floats, rng: np.random.Generator) -> Following:
        """Slopes drawn by their chances, and which answers follow the scale, given these."""
        answers, n_voters = self.answers, len(chances.attentive)
        limits = np.cumsum(np.column_stack([chances.attentive, chances.nodes]), axis=1)
        chosen = (rng.random(n_voters)[:, None] >= limits[:, :-1]).sum(axis=1)
        share = np.append(np.append(1.0, NODES)[chosen], 1.0)[answers.voter]
        ahead, against = answers.log_chances(model, parameters)
        odds = share * np.exp(np.minimum(ahead - against, 700.0))
        following = (rng.random(len(share)) * (odds + 1.0 - share) < odds).astype(np.float64)
        nodes = (chosen[:, None] == np.arange(1, N_NODES + 1)).astype(np.float64)
        return Following((chosen == 0).astype(np.float64), nodes, following, chances.total)

    # --- what is said of voters ---

    def lost(self, model: Model, parameters: Floats, chances: Following, variances: Floats | None) -> Floats:
        """The information lost by not knowing slopes and which answers follow: float64, shape (size, size).

        Given the slope, answers follow independently, each with a chance phi, and its gradient by d is x or, against
        the scale, x'; so phi (1 - phi) (x - x')^2 of its information is lost, and the covariance over slopes of what is
        the mean gradient of the voter's answers given each.
        """
        answers, known, n_voters = self.answers, self.answers.known, self.answers.n_voters
        ahead, against = answers.log_chances(model, parameters, variances)
        most = np.maximum(ahead, against)
        p, q = np.exp(ahead - most)[known], np.exp(against - most)[known]
        voter, turns = answers.voter[known], answers.turns(model, parameters)
        phi = NODES[:, None] * p / (NODES[:, None] * p + (1.0 - NODES[:, None]) * q)
        chance = chances.nodes.T[:, voter]
        # Whoever follows the scale in full turns nothing round, so the covariance is that of what the others do.
        mean = adder(voter, n_voters, (chance * (1.0 - phi)).sum(axis=0)) @ turns
        squares = -(mean.T @ mean)
        together = max(1, MOST_TOGETHER // max(len(voter), 1))
        for first in range(0, N_NODES, together):
            some = slice(first, first + together)
            parts = np.sqrt(chance[some]) * (1.0 - phi[some])
            rows = np.arange(len(parts))[:, None] * n_voters + voter
            turned = _by_node(rows, parts, len(parts) * n_voters) @ turns
            squares = squares + turned.T @ turned
        # A vote of the weight w is w votes, each of which may follow or not.
        varied = (chance * phi * (1.0 - phi)).sum(axis=0) / np.maximum(answers.rows.weight[known], LEAST)
        found = squares + turns.T @ (turns * varied[:, None])
        return np.asarray(found.toarray())

    def kinds(
        self, chances: Following, *, errors: Floats | None = None, draws: NDArray[np.float32] | None = None
    ) -> VoterKinds:
        """What is known of each voter; errors: (n_voters,), of the log-odds of attention; draws: chances of it."""
        return VoterKinds(
            codes=self.answers.codes,
            attentive=chances.attentive,
            following=chances.attentive + chances.nodes @ NODES,
            nodes=chances.nodes,
            log_likelihood=chances.total,
            errors=errors,
            draws=draws,
        )


def _by_node(rows: NDArray[np.intp], values: Floats, n_rows: int) -> Any:
    """What adds up votes by node and voter, each times its value (n_nodes, n_votes): a sparse array."""
    from scipy.sparse import csr_array

    votes = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    return csr_array((values.ravel(), (rows.ravel(), votes.ravel())), shape=(n_rows, rows.shape[1]))
