"""Voters: how far they agree with the ranking, and who votes in a way that no honest voter would."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._consensus import MAX_ITER, TOL, Consensus, added_up, posterior_of
from pairvote.diagnostics._page import Block, Part, Table, chance, named, some
from pairvote.diagnostics._residuals import squares_of_voters, tail
from pairvote.diagnostics._suspicions import SUSPICIONS, Groups, evidence, inattention
from pairvote.errors import ConvergenceError
from pairvote.scoring._bradley_terry import bradley_terry

# Who is likelier inattentive than not, as `VoterReliability.flags` has it.
LIKELY = 0.5
MOST_LISTED = 20

# A larger part of the voters is hardly inattentive, but may be of another mind.
MANY = 0.4


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
        How often an honest vote would have this voter or any other so suspicious in any of the three ways: at the
        least `inattentive_p`, since nobody is suspected unless all voters together are.
    favoured : tuple of labels, length n_voters
        The item for which the voter's votes say most that it is pushed.
    attentive : float64 array, shape (n_voters,)
        The chance that the voter looks at the items in every answer, by ``bradley_terry(votes, reliability="lapse")``
        under a normal prior; nan where that has not settled.
    inattentive : float
        How many voters are expected not to, by these chances.
    inattentive_p : float
        The chance that the voters of an honest vote look as inattentive, all together, by simulation.
    graded : bool
        Whether votes are graded, which that scorer does not take; here each is the side that it leans to.
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
    attentive: NDArray[np.float64]
    inattentive: float
    inattentive_p: float
    graded: bool
    rate: float
    n_simulations: int

    @property
    def flags(self) -> dict[Hashable, tuple[str, ...]]:
        """What each flagged voter is suspected of: "one side", "random", "pushes"; the most suspicious first.

        Nobody where so many look inattentive that they may be a camp of their own.
        """
        chances = np.stack([self.one_side_p, self.random_p, self.pushes_p])
        flagged = np.flatnonzero((chances.min(axis=0) <= self.rate) & (not self.may_be_a_camp))
        order = flagged[np.lexsort((self.attentive[flagged], chances[:, flagged].min(axis=0)))]
        return {
            self.voters[v]: tuple(
                what for what, p in zip(SUSPICIONS, chances[:, v].tolist(), strict=True) if p <= self.rate
            )
            for v in order.tolist()
        }

    @property
    def is_found(self) -> bool:
        """Whether an honest vote has voters who look so inattentive, all together, no more often than `rate`."""
        return self.inattentive_p <= self.rate

    @property
    def may_be_a_camp(self) -> bool:
        """Whether so many voters look inattentive that they may rather be of another mind; then nobody is flagged."""
        return self.inattentive > MANY * len(self.voters)

    def _blocks(self) -> Iterator[Block]:
        n, flags = len(self.voters), self.flags
        yield f"{plural(n, 'voter')} with {self.n_votes.min():,} to {self.n_votes.max():,} answered questions"
        decided = ~np.isnan(self.agreement)
        if decided.any():
            agreement = self.agreement[decided]
            yield (
                f"they agree with the ranking in {agreement.min():.0%} to {agreement.max():.0%} of their votes, "
                f"{agreement.mean():.0%} on average ({self.expected_agreement[decided].mean():.0%} expected)"
            )
        yield f"infit {self.infit.min():.2f} to {self.infit.max():.2f}, outfit to {self.outfit.max():.2f}"
        yield (
            f"{len(flags) or 'no'} voter{'s' * (len(flags) != 1)} flagged; an honest vote has a flag with a chance of "
            f"at most {self.rate:.0%} (by {self.n_simulations:,} simulated votes)"
        )
        yield self._together()
        listed = self._listed()
        if listed:
            yield Table(
                ("voter", "votes", "left", "agreement", "infit", "attentive", "suspected of"),
                [
                    (
                        named(self.voters[v]),
                        f"{self.n_votes[v]}",
                        f"{self.left_share[v]:.0%}",
                        f"{self.agreement[v]:.0%}",
                        f"{self.infit[v]:.2f}",
                        f"{self.attentive[v]:.2f}",
                        self._words(v, flags.get(self.voters[v], ())),
                    )
                    for v in listed[:MOST_LISTED]
                ],
                text_columns=(0, 6),
            )
            if len(listed) > MOST_LISTED:
                yield f"and {plural(len(listed) - MOST_LISTED, 'more voter')}"

    def _together(self) -> str:
        """What is known of all voters together."""
        verdict = "more than chance explains" if self.is_found else "which chance may explain"
        if np.isnan(self.inattentive):
            return f"all together they look inattentive with {chance(self.inattentive_p)}"
        return (
            f"each is attentive with a chance of {self.attentive.min():.2f} to {self.attentive.max():.2f}, so about "
            f"{self.inattentive:.1f} are not, {verdict} ({chance(self.inattentive_p)})"
        )

    def _listed(self) -> list[int]:
        """Flagged voters, the most suspicious first; where some are found to be inattentive, the likeliest of them."""
        place = {label: v for v, label in enumerate(self.voters)}
        flagged = [place[label] for label in self.flags]
        if not self.is_found or self.may_be_a_camp:
            return flagged
        order = np.argsort(self.attentive, kind="stable").tolist()
        return flagged + [v for v in order if self.attentive[v] < LIKELY and v not in flagged]

    def _words(self, v: int, what: tuple[str, ...]) -> str:
        words = {
            "pushes": f"pushing {named(self.favoured[v])}",
            "random": "at random, or against the others",
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
        if self.is_found and self.may_be_a_camp:
            yield (
                f"about {self.inattentive:.0f} of {plural(len(self.voters), 'voter')} do not follow the common ranking "
                f"({chance(self.inattentive_p)}): they may be a camp of their own, so see find_groups, and "
                "compare_groups where groups are known"
            )
        elif self.is_found:
            yield (
                f"some voters do not follow the common ranking ({chance(self.inattentive_p)}), as if they did not look "
                f"at the items: {self._remedy()}"
            )

    def _remedy(self) -> str:
        if self.graded:
            return "look at who is least attentive, and rank without to see what it changes"
        return "rank with bradley_terry(votes, reliability='lapse'), which weighs each voter by how attentive"


def voters_of(
    consensus: Consensus, groups: Groups, simulated: NDArray[np.float64], rate: float, *, graded: bool
) -> Voters:
    """The voters, held against the suspicions in simulated votes, (n_simulations, 4); see `suspicions`."""
    votes, rows, voter, n_voters = consensus.rows, groups.rows, groups.voter, len(groups.codes)
    together = np.array([inattention(consensus, groups, evidence(consensus, groups))])
    some_p = float(tail(together, simulated[:, -1])[0])
    believed, attentive = weighed(consensus, n_voters)
    found, largest = evidence(believed, groups), simulated[:, : len(SUSPICIONS)]
    holder, item = np.divmod(groups.cells, votes.n_items)
    order = np.lexsort((found.pushes, holder))
    last = np.searchsorted(holder[order], np.arange(n_voters), side="right") - 1
    best = order[last]
    # Three kinds of suspicion, so three chances to be wrong. Simulated votes are not weighed, so that all voters
    # together are held against them first: names follow only where that finds something.
    adjusted = [
        np.clip(len(SUSPICIONS) * tail(values, of_simulated), some_p, 1.0)
        for values, of_simulated in zip(
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
        attentive=attentive,
        inattentive=float((1.0 - attentive).sum()),
        inattentive_p=some_p,
        graded=graded,
        rate=rate,
        n_simulations=len(simulated),
    )


def weighed(consensus: Consensus, n_voters: int) -> tuple[Consensus, NDArray[np.float64]]:
    """The consensus of votes weighed by their voters, and the chance that each voter is attentive: shape (n_voters,).

    By the scorer itself, under the prior that was asked for. Where the weights do not settle, the consensus as it is,
    and nan.
    """
    model, fit = consensus.fitted.model, consensus.ranking.fit
    learns = fit is not None and fit.prior_sd.learned
    try:
        ranking = bradley_terry(
            consensus.rows,
            prior_sd="learned" if learns else model.prior_sd,
            position=model.layout.has_position,
            reliability="lapse",
            uncertainty="none",
            start=consensus.ranking,
            tol=TOL,
            max_iter=MAX_ITER,
        )
    except ConvergenceError:
        return consensus, np.full(n_voters, np.nan)
    parameters = posterior_of(ranking).parameters
    if ranking.voters is None or parameters.shape != consensus.parameters.shape:
        raise TypeError("these votes were not weighed by their voters")
    return replace(consensus, parameters=parameters), ranking.voters.attentive
