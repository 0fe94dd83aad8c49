r"""Suspicions against voters, one by one and all together.

Each of three suspicions is a likelihood ratio of a voter's votes: the chance of what was picked under the suspicion
over the chance under the fitted model.

* one side: standing on the left (or on the right) adds 3 log-odds more for this voter;
* random: items do not matter to this voter, only the side;
* pushes: one item has 3 log-odds more in the eyes of this voter.

The first is the larger of both sides, the last the largest over items. No voter's ratio exceeds 1 / p with a chance of
more than p in an honest vote, were the model known (Ville 1939); since it is fitted, and there are many voters, the
largest of each kind in votes simulated from the model, each fitted anew, says how large is too large.

All together: with :math:`\pi_c` the shares of kinds before votes are seen, which are those of
``bradley_terry(votes, reliability="lapse")``, and :math:`\Lambda_{vc}` the ratio of voter v for kind c,

.. math:: T = \sum_v \log\Bigl(\pi_0 + \sum_c \pi_c \Lambda_{vc}\Bigr)

is the log-likelihood ratio of voters of these kinds to voters who are all attentive, :math:`\pi_0` the share of
attentive ones. Where many look suspicious, none of them enough to be named, T is larger than in simulated votes.

Voters by a coin draw the scores towards level ones, which hides them. So where T is larger than in honest votes, ratios
of single voters are those at the scores of votes weighed by their voters, which the scorer finds. An honest vote has a
name no more often than T is too large (a closed test: Marcus, Peritz and Gabriel 1976).

References
----------
Neyman and Pearson (1933) for the ratios; Westfall and Young (1993), "Resampling-based Multiple Testing", for the
largest of all. Ville (1939) for the bound. Marcus, Peritz and Gabriel (1976), Biometrika 63. Dawid and Skene (1979),
Applied Statistics 28, for kinds of voters.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._inference import ATTENTIVE, BIAS, PUSHES, RANDOM, SIDE
from pairvote.diagnostics._consensus import Consensus, added_up, no_voters

SUSPICIONS = ("one side", "random", "pushes")


class Groups(NamedTuple):
    """Rows whose voter is known: `voter` counts them from 0 to n_voters, and cells are voters and items together."""

    rows: NDArray[np.intp]
    voter: NDArray[np.intp]
    codes: Codes
    left_cell: NDArray[np.intp]
    right_cell: NDArray[np.intp]
    cells: NDArray[np.int64]

    @classmethod
    def of(cls, consensus: Consensus) -> Groups | None:
        """None where no voter is known."""
        votes = consensus.rows
        rows = np.empty(0, np.intp) if votes.voter is None else np.flatnonzero(votes.voter >= 0)
        if votes.voter is None or not len(rows):
            return None
        codes, voter = np.unique(votes.voter[rows], return_inverse=True)
        both = np.concatenate([voter * votes.n_items + side[rows] for side in (votes.left, votes.right)])
        cells, cell = np.unique(both, return_inverse=True)
        return cls(rows, voter, codes, cell[: len(rows)], cell[len(rows) :], cells)

    @classmethod
    def needed(cls, consensus: Consensus) -> Groups:
        """The voters; InputError where no voter is known."""
        groups = cls.of(consensus)
        if groups is None:
            raise no_voters()
        return groups


class Evidence(NamedTuple):
    """Log-likelihood ratios: one_side (2, n_voters) for left and right, random (n_voters,), pushes (n_cells,)."""

    one_side: NDArray[np.float64]
    random: NDArray[np.float64]
    pushes: NDArray[np.float64]

    def largest(self) -> tuple[float, float, float]:
        """The largest of each kind."""
        return float(self.one_side.max()), float(self.random.max()), float(self.pushes.max())


def evidence(consensus: Consensus, groups: Groups) -> Evidence:
    """What the votes say for each suspicion."""
    model = consensus.model
    nuisance = consensus.parameters[model.layout.nuisance]
    places = 3 * consensus.pair[groups.rows] + consensus.rows.outcome[groups.rows]

    def log_chances(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """The logarithm of the chance of what each vote picked."""
        return model.outcome.log_probabilities(log_odds, nuisance).ravel()[places]

    usual = log_chances(consensus.log_odds)

    def ratios(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        return log_chances(log_odds) - usual

    n_voters = len(groups.codes)
    left, right = ratios(consensus.log_odds + BIAS), ratios(consensus.log_odds - BIAS)
    random = ratios(np.full(consensus.counts.n_pairs, model.position_effect(consensus.parameters)))
    pushes = added_up(groups.left_cell, left, len(groups.cells))
    pushes += added_up(groups.right_cell, right, len(groups.cells))
    one_side = np.zeros((2, n_voters))
    if model.layout.has_position:
        # Else one side won every vote, so winners were written down first and nothing is known of sides.
        one_side[:] = [added_up(groups.voter, ratio, n_voters) for ratio in (left, right)]
    return Evidence(
        one_side=one_side,
        random=added_up(groups.voter, random, n_voters),
        pushes=pushes,
    )


def inattention(consensus: Consensus, groups: Groups, found: Evidence) -> float:
    """The log-likelihood ratio T of voters some of whom are inattentive to voters who are all attentive."""
    n_voters, n_items = len(groups.codes), consensus.n_items
    has_sides = consensus.model.layout.has_position
    total = ATTENTIVE + RANDOM + PUSHES + 2.0 * SIDE * has_sides
    voter = groups.cells // n_items
    # The cells of a voter lie side by side.
    first = np.searchsorted(voter, np.arange(n_voters))
    # Of pushing an item that the voter did not see the votes say nothing.
    unseen = PUSHES * (n_items - np.bincount(voter, minlength=n_voters)) / n_items
    kinds = [
        np.log(ATTENTIVE + unseen),
        math.log(RANDOM) + found.random,
        math.log(PUSHES / n_items) + np.logaddexp.reduceat(found.pushes, first),
    ]
    if has_sides:
        kinds += list(math.log(SIDE) + found.one_side)
    return float((np.logaddexp.reduce(kinds, axis=0) - math.log(total)).sum())
