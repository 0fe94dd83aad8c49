r"""Voters who do not look at the items: which kind each voter is, given what the model says of each answer.

Every voter is of one kind c, with the chance :math:`\pi_c` before the votes are seen:

* attentive: answers by the outcome model;
* random: the items do not matter, either side wins with the chance :math:`(1 - \tau) / 2` and :math:`\tau` is a tie;
* one side, left or right: the items do not matter, and that side wins 20 times as often as the other;
* pushes item i: it wins 20 times as often as the other where it stands, and other answers are attentive.

With :math:`\ell_{vc}` the log-likelihood of voter v's answers under kind c, its chance is
:math:`\rho_{vc} \propto \pi_c e^{\ell_{vc}}`, and a vote counts for the scores by the chance that it was attentive.
The shares :math:`\pi` have a Dirichlet prior: 4 for attentive, 1 for all the others together, so that before the votes
are seen a fifth of the voters are expected to be of those, give or take a sixth. The chance of a tie :math:`\tau` has
that of all votes as its prior mean, worth 20 votes.

The scores are not known but for a normal :math:`N(\hat d, v)` of each difference, so an attentive answer has on average
over the scores, to second order,

.. math:: E \log P(y \mid d) = \log P(y \mid \hat d) - \tfrac12 v\, I_y(\hat d),

with :math:`I_y` the information of an answer y (variational Bayes: Bishop 2006, section 10.2). At the maximum of the
scores alone, answers that moved the scores would speak for their own voters.

References
----------
Dawid and Skene (1979), "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied
Statistics 28. Wichmann and Hill (2001), "The psychometric function: I", Perception & Psychophysics 63, for lapses.
Bishop (2006), "Pattern Recognition and Machine Learning".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.answers import Answers, adder
from pairvote._inference.models import Model
from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.voter_kinds import VoterKinds

Floats = NDArray[np.float64]
# What a side or a pushed item gains: what was even becomes 20 to 1.
BIAS = 3.0
# The prior weight of attentive voters, and of the others: random, one side (left, right), pushing any item.
ATTENTIVE, RANDOM, SIDE, PUSHES = 4.0, 0.7, 0.1, 0.1
# What the prior of the chance of a tie is worth, in votes.
TIE_VOTES = 20.0
# Where nearly all votes went to one side, winners were written down first, and nothing is known of sides.
LEAST_SIDE = 0.1
LEAST_TIE = 1e-9
# No vote counts for less, so that what these votes alone say, such as of ties, stays determined.
LEAST_WEIGHT = 1e-4
# A pushed item of a smaller chance has no part in the errors.
LEAST_CHANCE = 1e-6


class Shares(NamedTuple):
    """Logarithms of the chances of kinds, and the chance of a tie in an inattentive answer.

    log_chances: (5,), attentive, random, left, right, and pushing a certain item.
    """

    log_chances: Floats
    tie: float


class Chances(NamedTuple):
    """The chance of each kind: attentive, random (n_voters,), sides (2, n_voters), left and right, pushes (n_cells,).

    total: the log-likelihood of all voters together.
    """

    attentive: Floats
    random: Floats
    sides: Floats
    pushes: Floats
    total: float


@dataclass(frozen=True, eq=False)
class Lapses:
    """The kinds of the voters of some answers, by what is the same whatever the scores are.

    left_cell, right_cell: (n_known,), the cell of each known voter's vote and its left or right item; cell_voter,
    cell_item: (n_cells,). won: (2, n_voters), the weight of votes that the left and the right side won, as they stood
    on the page; ties: (n_voters,). of_cell: (3, n_cells), the weight that the item won, tied and lost.
    """

    answers: Answers
    outcome: OutcomeModel
    left_cell: NDArray[np.intp]
    right_cell: NDArray[np.intp]
    cell_voter: NDArray[np.intp]
    cell_item: NDArray[np.intp]
    won: Floats
    ties: Floats
    of_cell: Floats
    has_sides: bool
    tie_share: float

    @classmethod
    def of(cls, answers: Answers, outcome: OutcomeModel) -> Lapses:
        """What the answers say of kinds that do not look at the items."""
        rows, known, n_items = answers.rows, answers.known, max(len(answers.items), 1)
        voter = answers.voter[known]
        both = np.concatenate([voter * n_items + side[known] for side in (rows.left, rows.right)])
        cells, cell = np.unique(both, return_inverse=True)
        cell = cell.reshape(-1)
        n_known = len(voter)
        left_cell, right_cell = cell[:n_known], cell[n_known:]
        weight = rows.weight
        lost, tied, won = (np.where(rows.outcome == each, weight, 0.0) for each in (0, 1, 2))
        left = np.where(answers.turned, lost, won)
        right = np.where(answers.turned, won, lost)
        total = float(weight[known].sum())
        sides = np.array([left[known].sum(), right[known].sum()])
        of_cell = np.stack(
            [
                np.bincount(left_cell, won[known], len(cells)) + np.bincount(right_cell, lost[known], len(cells)),
                np.bincount(left_cell, tied[known], len(cells)) + np.bincount(right_cell, tied[known], len(cells)),
                np.bincount(left_cell, lost[known], len(cells)) + np.bincount(right_cell, won[known], len(cells)),
            ]
        )
        return cls(
            answers,
            outcome,
            left_cell,
            right_cell,
            cells // n_items,
            cells % n_items,
            np.stack([answers.by_voter(left), answers.by_voter(right)]),
            answers.by_voter(tied),
            of_cell,
            bool(sides.min() >= LEAST_SIDE * sides.sum() > 0.0),
            (float(tied[known].sum()) + 0.5) / (total + 1.0),
        )

    @property
    def n_cells(self) -> int:
        """The number of pairs of a voter and an item that the voter was asked about."""
        return len(self.cell_voter)

    # --- shares ---

    def prior(self) -> Floats:
        """The weights of the Dirichlet prior: attentive, random, left, right, pushes."""
        side = SIDE if self.has_sides else 0.0
        return np.array([ATTENTIVE, RANDOM, side, side, PUSHES])

    def first_shares(self) -> Shares:
        """The shares before the votes are seen."""
        prior = self.prior()
        return self._shares(np.log(np.where(prior > 0.0, prior, 1.0) / prior.sum()), self.tie_share)

    def shares(self, chances: Chances) -> Shares:
        """The expected logarithms of the shares given the chances of each voter."""
        from scipy.special import digamma

        weights = self.prior() + self.numbers(chances)
        used = np.where(self.prior() > 0.0, weights, 1.0)
        ties, asked = self._inattentive(chances)
        tie = (TIE_VOTES * self.tie_share + ties) / (TIE_VOTES + asked)
        return self._shares(digamma(used) - digamma(weights.sum()), tie)

    def _inattentive(self, chances: Chances) -> tuple[float, float]:
        """The expected weight of inattentive answers that are ties, and of all of them."""
        away = chances.random + chances.sides.sum(axis=0)
        ties = away @ self.ties + chances.pushes @ self.of_cell[1]
        asked = away @ (self.won.sum(axis=0) + self.ties) + chances.pushes @ self.of_cell.sum(axis=0)
        return float(ties), float(asked)

    def numbers(self, chances: Chances) -> Floats:
        """How many voters are of each kind, by their chances: shape (5,)."""
        return np.array(
            [chances.attentive.sum(), chances.random.sum(), *chances.sides.sum(axis=1), chances.pushes.sum()]
        )

    def _shares(self, logs: Floats, tie: float) -> Shares:
        logs = np.where(self.prior() > 0.0, logs, -np.inf)
        # Any item may be the one that is pushed.
        logs[4] -= math.log(max(len(self.answers.items), 1))
        return Shares(logs, tie)

    # --- draws ---

    def drawn(self, chances: Chances, model: Model, parameters: Floats, rng: np.random.Generator) -> Chances:
        """Kinds drawn by their chances: 1 for the kind of each voter and 0 for the others."""
        n_voters = len(chances.attentive)
        kinds = np.stack([chances.attentive, chances.random, *chances.sides])
        limits = np.cumsum(kinds, axis=0)
        uniforms = rng.random(n_voters)
        chosen = (uniforms >= limits).sum(axis=0)
        pushes = np.zeros(self.n_cells)
        pushing = np.flatnonzero(chosen == len(kinds))
        if len(pushing):
            # The cells of a voter lie side by side; what is left of the uniform says which.
            sums = np.cumsum(chances.pushes)
            first = np.searchsorted(self.cell_voter, pushing)
            last = np.searchsorted(self.cell_voter, pushing, side="right") - 1
            before = np.where(first > 0, sums[first - 1], 0.0)
            cell = np.searchsorted(sums, before + uniforms[pushing] - limits[-1, pushing], side="right")
            pushes[np.clip(cell, first, last)] = 1.0
        each = [np.where(chosen == kind, 1.0, 0.0) for kind in range(len(kinds))]
        return Chances(each[0], each[1], np.stack(each[2:]), pushes, chances.total)

    def drawn_shares(self, kinds: Chances, rng: np.random.Generator) -> Shares:
        """The logarithms of shares drawn from what they are by the kinds of the voters, and the chance of a tie."""
        prior = self.prior()
        weights = np.where(prior > 0.0, prior + self.numbers(kinds), 1.0)
        gammas = np.maximum(rng.standard_gamma(weights), np.finfo(float).tiny)
        ties, asked = self._inattentive(kinds)
        tie = rng.beta(TIE_VOTES * self.tie_share + ties, TIE_VOTES * (1.0 - self.tie_share) + asked - ties)
        logs = np.log(gammas) - math.log(gammas[prior > 0.0].sum())
        return self._shares(logs, float(np.clip(tie, LEAST_TIE, 1.0 - LEAST_TIE)))

    # --- chances ---

    def chances(self, model: Model, parameters: Floats, shares: Shares, variances: Floats | None = None) -> Chances:
        """The chances of kinds at these parameters; variances: (n_entries,), of the log-odds."""
        answers, (logs, tie) = self.answers, shares
        attentive = answers.log_chances(model, parameters, variances)[0] * answers.rows.weight
        usual = answers.by_voter(attentive)
        n_voters = len(usual)
        known = attentive[answers.known]
        own = np.bincount(self.left_cell, known, self.n_cells) + np.bincount(self.right_cell, known, self.n_cells)
        fair = self._values(0.5, tie)
        biased = self._values(1.0 / (1.0 + math.exp(-BIAS)), tie)
        random = logs[1] + self.won.sum(axis=0) * fair[0] + self.ties * fair[1]
        sides = np.full((2, n_voters), -np.inf)
        if self.has_sides:
            at_ties = self.ties * biased[1]
            sides[0] = logs[2] + self.won[0] * biased[0] + self.won[1] * biased[2] + at_ties
            sides[1] = logs[3] + self.won[1] * biased[0] + self.won[0] * biased[2] + at_ties
        pushes = logs[4] + usual[self.cell_voter] - own + biased @ self.of_cell
        usual = usual + logs[0]
        most = np.max([usual, random, *sides], axis=0, initial=-np.inf)
        np.maximum.at(most, self.cell_voter, pushes)
        parts = [np.exp(values - most) for values in (usual, random, *sides)]
        pushed = np.exp(pushes - most[self.cell_voter])
        total = np.sum(parts, axis=0) + np.bincount(self.cell_voter, pushed, n_voters)
        return Chances(
            attentive=parts[0] / total,
            random=parts[1] / total,
            sides=np.stack(parts[2:]) / total,
            pushes=pushed / total[self.cell_voter],
            total=float((most + np.log(total)).sum() + attentive[~answers.known].sum()),
        )

    def _values(self, chance: float, tie: float) -> Floats:
        """The log-likelihood of a win of what is favoured with this chance, of a tie and of a loss: shape (3,)."""
        won, lost = math.log(chance), math.log1p(-chance)
        if self.outcome.n_nuisance:
            decided = math.log1p(-tie)
            return np.array([won + decided, math.log(tie), lost + decided])
        return np.array([won, 0.5 * self.outcome.tie_weight * (won + lost), lost])

    def amounts(self, chances: Chances) -> Floats:
        """How much of each vote counts at each outcome, by the chance that it was attentive: shape (n_votes, 3)."""
        pushing = np.bincount(self.cell_voter, chances.pushes, len(chances.attentive))
        weights = self.answers.of_votes(chances.attentive + pushing, 1.0)
        weights[self.answers.known] -= chances.pushes[self.left_cell] + chances.pushes[self.right_cell]
        return np.asarray(self.answers.whole * np.clip(weights, LEAST_WEIGHT, 1.0)[:, None])

    # --- what is said of voters ---

    def lost(self, model: Model, parameters: Floats, chances: Chances, variances: Floats | None) -> Floats:
        """The covariance of each voter's gradient over kinds, summed over voters: float64, shape (size, size)."""
        gradients, n_voters = self.answers.gradients(model, parameters), self.answers.n_voters
        whole = self.answers.adder @ gradients
        cells = np.flatnonzero(chances.pushes > LEAST_CHANCE)
        on_items = (adder(self.left_cell, self.n_cells) + adder(self.right_cell, self.n_cells))[cells] @ gradients
        pushed, by_voter = whole[self.cell_voter[cells]] - on_items, self.cell_voter[cells]
        weighed = whole * chances.attentive[:, None]
        mean = weighed + adder(by_voter, n_voters, chances.pushes[cells]) @ pushed
        squares = whole.T @ weighed + pushed.T @ (pushed * chances.pushes[cells][:, None])
        return np.asarray((squares - mean.T @ mean).toarray())

    def kinds(
        self, chances: Chances, *, errors: Floats | None = None, draws: NDArray[np.float32] | None = None
    ) -> VoterKinds:
        """What is known of each voter; errors: (n_voters,), of the log-odds of attention; draws: chances of it."""
        n_voters = self.answers.n_voters
        pushes = np.bincount(self.cell_voter, chances.pushes, n_voters).astype(np.float64)
        order = np.lexsort((chances.pushes, self.cell_voter))
        last = np.searchsorted(self.cell_voter[order], np.arange(n_voters), side="right") - 1
        return VoterKinds(
            codes=self.answers.codes,
            attentive=chances.attentive,
            random=chances.random,
            left=chances.sides[0],
            right=chances.sides[1],
            pushes=pushes,
            pushed=self.cell_item[order[last]],
            following=chances.attentive + pushes + 0.5 * (1.0 - chances.attentive - pushes),
            log_likelihood=chances.total,
            errors=errors,
            draws=draws,
        )
