r"""Voters: how far they agree with the consensus, and who votes in a way that no honest voter would.

Each of three suspicions is a likelihood ratio of a voter's votes: the chance of what was picked under the suspicion
over the chance under the fitted model.

* one side: standing on the left (or on the right) adds 3 log-odds more for this voter;
* random: items do not matter to this voter, only the side;
* pushes: one item has 3 log-odds more in the eyes of this voter.

The first is the larger of both sides, the last the largest over items. No voter's ratio exceeds 1 / p with a chance of
more than p in an honest vote, were the model known (Ville 1939); since it is fitted, and there are many voters, the
largest of each kind in votes simulated from the model, each fitted anew, says how large is too large.

References
----------
Neyman and Pearson (1933) for the ratios; Westfall and Young (1993), "Resampling-based Multiple Testing", for the
largest of all. Ville (1939) for the bound.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._consensus import Consensus, added_up, no_voters
from pairvote.diagnostics._page import Block, Part, Table, named, some
from pairvote.diagnostics._residuals import squares_of_voters, tail

# What a suspicion adds to the log-odds: what was even becomes 20 to 1.
BIAS = 3.0
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Voters(Part):
    """How each voter votes.

    Attributes
    ----------
    voters : tuple of labels, length n_voters
        Those who answered a question, and who are known.
    n_votes : int64 array, shape (n_voters,)
        Answered questions.
    left_share : float64 array, shape (n_voters,)
        The share of decided votes that went to the left.
    agreement, expected_agreement : float64 arrays, shape (n_voters,)
        The share of decided votes that went to the item with the higher score, and what the model expects; items of
        level scores count half. nan for a voter without decided votes.
    infit, outfit, infit_t, outfit_t : float64 arrays, shape (n_voters,)
        Mean squares, about 1, and the same as standard normals: `pairvote.diagnostics.Items`.
    one_side_p, random_p, pushes_p : float64 arrays, shape (n_voters,)
        The chance that some voter of an honest vote looks so suspicious in any of the three ways, by simulation.
    favoured : tuple of labels, length n_voters
        The item for which the voter's votes say most that it is pushed.
    rate : float
        A voter with a chance of at most this is flagged: so often an honest vote has any flag.
    n_simulations : int

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> voters = pv.diagnostics.check(votes, rng=1).voters
    >>> len(voters.voters), voters.flags, round(float(voters.agreement.mean()), 2)
    (30, {}, 0.76)
    """

    title = "Voters"

    voters: tuple[Hashable, ...]
    n_votes: NDArray[np.int64]
    left_share: NDArray[np.float64]
    agreement: NDArray[np.float64]
    expected_agreement: NDArray[np.float64]
    infit: NDArray[np.float64]
    outfit: NDArray[np.float64]
    infit_t: NDArray[np.float64]
    outfit_t: NDArray[np.float64]
    one_side_p: NDArray[np.float64]
    random_p: NDArray[np.float64]
    pushes_p: NDArray[np.float64]
    favoured: tuple[Hashable, ...]
    rate: float
    n_simulations: int

    @property
    def flags(self) -> dict[Hashable, tuple[str, ...]]:
        """What each flagged voter is suspected of: "one side", "random", "pushes"; the most suspicious first."""
        chances = np.stack([self.one_side_p, self.random_p, self.pushes_p])
        flagged = np.flatnonzero(chances.min(axis=0) <= self.rate)
        order = flagged[np.argsort(chances[:, flagged].min(axis=0), kind="stable")]
        return {
            self.voters[v]: tuple(
                what for what, p in zip(SUSPICIONS, chances[:, v].tolist(), strict=True) if p <= self.rate
            )
            for v in order.tolist()
        }

    def _blocks(self) -> Iterator[Block]:
        n, flags = len(self.voters), self.flags
        yield f"{plural(n, 'voter')} with {self.n_votes.min():,} to {self.n_votes.max():,} answered questions"
        decided = ~np.isnan(self.agreement)
        if decided.any():
            agreement = self.agreement[decided]
            yield (
                f"they agree with the consensus in {agreement.min():.0%} to {agreement.max():.0%} of their votes, "
                f"{agreement.mean():.0%} on average ({self.expected_agreement[decided].mean():.0%} expected)"
            )
        yield f"infit {self.infit.min():.2f} to {self.infit.max():.2f}, outfit to {self.outfit.max():.2f}"
        yield (
            f"{len(flags) or 'no'} voter{'s' * (len(flags) != 1)} flagged; an honest vote has a flag with a chance of "
            f"at most {self.rate:.0%} (by {self.n_simulations:,} simulated votes)"
        )
        if flags:
            place = {label: v for v, label in enumerate(self.voters)}
            yield Table(
                ("voter", "votes", "left", "agreement", "infit", "suspected of"),
                [
                    (
                        named(label),
                        f"{self.n_votes[v]}",
                        f"{self.left_share[v]:.0%}",
                        f"{self.agreement[v]:.0%}",
                        f"{self.infit[v]:.2f}",
                        self._words(v, what),
                    )
                    for label, what in list(flags.items())[:20]
                    for v in (place[label],)
                ],
                text_columns=(0, 5),
            )

    def _words(self, v: int, what: tuple[str, ...]) -> str:
        words = {
            "pushes": f"pushing {named(self.favoured[v])}",
            "random": "picking at random",
            "one side": "one side only",
        }
        return ", ".join(words[flag] for flag in what)

    def _concerns(self) -> Iterator[str]:
        flags = self.flags
        for what, words in (
            ("one side", "picks one side whatever stands there"),
            ("random", "votes as a coin would, or against the others"),
            ("pushes", "pushes one item"),
        ):
            whom = [label for label, suspicions in flags.items() if what in suspicions]
            if whom:
                does = words if len(whom) == 1 else f"each {words}"
                yield f"{some(whom)} {does}; rank without to see what it changes"


def voters_of(consensus: Consensus, groups: Groups, largest: NDArray[np.float64], rate: float) -> Voters:
    """The voters, held against the largest evidence of each kind in simulated votes, (n_simulations, 3)."""
    votes, rows, voter, n_voters = consensus.rows, groups.rows, groups.voter, len(groups.codes)
    found = evidence(consensus, groups)
    holder, item = np.divmod(groups.cells, votes.n_items)
    order = np.lexsort((found.pushes, holder))
    last = np.searchsorted(holder[order], np.arange(n_voters), side="right") - 1
    best = order[last]
    # Three kinds of suspicion, so three chances to be wrong.
    adjusted = [
        np.minimum(1.0, len(SUSPICIONS) * tail(values, simulated))
        for values, simulated in zip(
            (found.one_side.max(axis=0), found.random, found.pushes[best]), largest.T, strict=True
        )
    ]

    def total(values: NDArray[np.float64] | NDArray[np.bool_]) -> NDArray[np.float64]:
        return added_up(voter, values, n_voters)

    outcome = votes.outcome[rows]
    decided = outcome != Outcome.TIE
    went_left = outcome == Outcome.LEFT
    scores = consensus.ranking.scores
    lead = scores[votes.left[rows]] - scores[votes.right[rows]]
    share_left = 0.5 + 0.5 * np.sign(lead)
    chances = consensus.probabilities[consensus.pair[rows]]
    of_decided = chances[:, Outcome.LEFT] / (1.0 - chances[:, Outcome.TIE])
    n_decided = total(decided)
    n_decided[n_decided == 0] = np.nan
    agreed = np.where(went_left, share_left, 1.0 - share_left)
    expected = of_decided * share_left + (1.0 - of_decided) * (1.0 - share_left)
    return Voters(
        voters=tuple(votes.voters[code] for code in groups.codes.tolist()),
        n_votes=np.bincount(voter, minlength=n_voters),
        left_share=total(went_left) / n_decided,
        agreement=total(agreed * decided) / n_decided,
        expected_agreement=total(expected * decided) / n_decided,
        **squares_of_voters(consensus, rows, voter, n_voters)._asdict(),
        one_side_p=adjusted[0],
        random_p=adjusted[1],
        pushes_p=adjusted[2],
        favoured=tuple(votes.items[code] for code in item[best].tolist()),
        rate=rate,
        n_simulations=len(largest),
    )
