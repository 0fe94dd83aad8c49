"""All of it in one report."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import plural
from pairvote._common.options import check_jobs, chosen_top_k
from pairvote._common.random import Rng, generator
from pairvote._inference import PriorOption
from pairvote.diagnostics._adaptivity import UNLIKELY, Adaptivity, Questions, adaptivity_of
from pairvote.diagnostics._answered import Answers, answers_of
from pairvote.diagnostics._asked import Connectivity, Exposure, connectivity, exposure
from pairvote.diagnostics._border import Cut, cut_of
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus, check_rate, check_votes, posterior_of
from pairvote.diagnostics._groups import GroupAgreement
from pairvote.diagnostics._influence import Influence, influence_of
from pairvote.diagnostics._names import name_concerns
from pairvote.diagnostics._page import Block, Part, as_html, as_text
from pairvote.diagnostics._reliability import Separation, SplitHalf, separation_of, split_of
from pairvote.diagnostics._repeats import Repeats, repeats_of
from pairvote.diagnostics._residuals import Items, items_of
from pairvote.diagnostics._sides import PositionBias, position_of
from pairvote.diagnostics._simulated import (
    check_simulation,
    distance_of,
    largest_misfit,
    n_circular,
    simulate,
    suspicions,
)
from pairvote.diagnostics._suspicions import Groups
from pairvote.diagnostics._triads import Triads, triads_of
from pairvote.diagnostics._voters import Voters, voters_of
from pairvote.groups import compare_groups
from pairvote.groups._known import Groups as GroupsOption
from pairvote.ranking._ranking import Ranking
from pairvote.votes._votes import Votes

N_SPLITS = 100
VERY_UNEQUAL, CORRELATED = 0.25, 0.3
# A share that the prior decides of a difference, and the prior that decides it where the ranking's was learned.
MOSTLY_PRIOR, WIDE_SD = 0.8, 3.0
# A mean weight below which weights look as if they said something other than numbers of votes.
LIGHT = 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """Is this vote to be trusted? What `check` found; it prints, shows itself in notebooks and gives a dict.

    Attributes
    ----------
    ranking : Ranking
        By `bradley_terry`, with a position effect where it is determined.
    n_votes, n_answered : int
        Rows, and those of them that were answered.
    total_weight : float
        The weight of the answered votes: as many votes are they in the fit.
    exposure, connectivity, position, answers, items, triads, separation, adaptivity
        The parts, each with its own attributes.
    split_half : SplitHalf or None
        None for a single voter, or vote.
    voters : Voters or None
        None where the votes do not say who voted.
    repeats : Repeats or None
        The same.
    influence : Influence or None
        The same, and where there are no more items than `top_k`.
    cut : Cut or None
        None where there are no more items than `top_k`.
    groups : GroupAgreement or None
        None where no groups are given.
    inflated : tuple of str
        The parts whose numbers are inflated because questions were chosen by earlier answers: "separation",
        "split_half". Empty where there is no sign of that, and where the prior was learned.
    tally_misleads : bool
        Whether exposures are very unequal and go with the scores, as after adaptive sampling: then votes won count how
        often an item was shown.
    prior_share : float
        How much the prior decides of the least determined difference between scores: 0 nothing, 1 everything.
    concerns : tuple of str
        What speaks against trusting the vote, in sentences; empty where nothing does.

    Examples
    --------
    >>> import pairvote as pv
    >>> report = pv.diagnostics.check(pv.datasets.kalmar().simulated_votes(rng=2014), rng=1)
    >>> report.voters.flags, int(report.position.left_won), round(report.separation.reliability, 2)
    ({}, 297, 0.91)
    """

    ranking: Ranking
    n_votes: int
    n_answered: int
    total_weight: float
    exposure: Exposure
    connectivity: Connectivity
    position: PositionBias
    answers: Answers
    voters: Voters | None
    repeats: Repeats | None
    items: Items
    triads: Triads
    split_half: SplitHalf | None
    separation: Separation
    adaptivity: Adaptivity
    influence: Influence | None
    cut: Cut | None
    groups: GroupAgreement | None
    inflated: tuple[str, ...]
    tally_misleads: bool
    prior_share: float
    concerns: tuple[str, ...]

    @property
    def parts(self) -> dict[str, Part]:
        """The parts that there are, by name."""
        names = (
            "cut",
            "influence",
            "groups",
            "voters",
            "repeats",
            "position",
            "exposure",
            "connectivity",
            "answers",
            "items",
            "triads",
            "split_half",
            "separation",
            "adaptivity",
        )
        found = {name: getattr(self, name) for name in names}
        return {name: part for name, part in found.items() if part is not None}

    def to_dict(self) -> dict[str, Any]:
        """All that was found, as plain numbers, strings, lists and dicts; labels as they are.

        Examples
        --------
        >>> import pairvote as pv
        >>> found = pv.diagnostics.check(pv.datasets.baseball(), rng=1).to_dict()
        >>> found["position"]["left_won"], found["n_votes"], found["concerns"]
        (154.0, 273, [])
        """
        return {
            "n_votes": self.n_votes,
            "n_answered": self.n_answered,
            "total_weight": self.total_weight,
            "concerns": list(self.concerns),
            "inflated": list(self.inflated),
            "tally_misleads": self.tally_misleads,
            "prior_share": self.prior_share,
            **{name: part.to_dict() for name, part in self.parts.items()},
        }

    def _sections(self) -> list[tuple[str, list[Block]]]:
        heading = (
            f"{plural(self.n_votes, 'vote')} on {plural(self.ranking.n_items, 'item')}: is this vote to be trusted?"
        )
        found: list[Block] = [f"- {concern}" for concern in self.concerns]
        return [
            (heading, found or ["nothing speaks against it"]),
            *((part.title, list(part._blocks())) for part in self.parts.values()),
        ]

    def __repr__(self) -> str:
        return f"Report({plural(self.n_votes, 'vote')}, {plural(len(self.concerns), 'concern')})"

    def __str__(self) -> str:
        return as_text(self._sections())

    def _repr_html_(self) -> str:
        return as_html(self._sections())


def check(
    votes: Votes,
    *,
    top_k: int | None = None,
    rate: float = 0.05,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    groups: GroupsOption | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> Report:
    """Is this vote to be trusted? Everything that this module looks at, in one report.

    Bradley-Terry with Davidson's ties, and with a position effect where it is determined, is fitted to the votes.
    Voters, items, triads and the choice of questions are held against votes simulated from the fit on the same
    questions, each scored anew. The scores behind these are brought to the spread that the strengths have by the fit,
    so that those fitted to simulated votes spread as far as the real ones. Where the prior is learned, as by default,
    votes are scored anew under a normal one of its spread, of 0.3 at the least; so do `cut`, `influence` and
    `split_half`.

    Parameters
    ----------
    votes : Votes
        Weights have a part in the fit; else a row is one answer. A graded vote is taken for the side that has more of
        it, or for a tie.
    top_k : int, optional
        How many of the best are wanted; by default 5, and of fewer than six items all except one. With no more items
        than an explicit one, the parts about the border of the best k are left out.
    rate : float
        How often an honest vote may have a voter flagged, all voters and suspicions together, or inattentive voters
        found without a name; and as often an item.
    n_simulations : int, optional
        From 99; by default 499, of large votes fewer, down to 199.
    rng : None, int or numpy.random.Generator
        For the simulations and the split halves.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    groups : mapping of voter to group, or array_like of labels, shape (n_votes,), optional
        Whose agreement to look at, as in `pairvote.compare_groups`.
    prior_sd : float or "learned"
        Of `bradley_terry`; finite, since simulated votes need not determine all scores.
    n_jobs : int
        How many processes simulate, -1 for all cores; the answer is the same for any.
    progress : bool
        Show a bar of the simulations.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        For an option out of range, PairCounts, votes none of which is answered, and for more than 4,000 items.

    Notes
    -----
    "Honest" is by the model: everybody sees the same scores. Voters who differ in taste are less honest in this sense,
    and may be flagged a little more often than stated.

    References
    ----------
    Those of the parts, in their own docstrings. That a tally misleads after adaptive sampling: Bramley and Vitello
    (2019), Assessment in Education 26.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> left = pv.Votes.from_labels(votes.items[:20], votes.items[1:21], ["left"] * 20, voter=["eve"] * 20)
    >>> pv.diagnostics.check(votes + left, rng=1).voters.flags
    {'eve': ('one side',)}
    """
    rng = generator(rng)
    n_graded = int(votes.select(criterion).is_graded.sum()) if isinstance(votes, Votes) else 0
    given, votes = votes, check_votes(votes, criterion)
    check_rate(rate)
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, None, prior_sd)
    k = chosen_top_k(min(top_k, votes.n_items) if is_whole(top_k) else top_k, votes.n_items)
    compared = None if groups is None else compare_groups(given, groups, criterion=criterion)
    cells = Groups.of(consensus)
    n_rows, n_items = len(consensus.rows), consensus.n_items
    questions = Questions.of(consensus)
    statistics = [largest_misfit, n_circular, distance_of(questions)]
    if cells is not None:
        statistics.append(suspicions(cells))
    misfit, circular, distances, *against = simulate(
        consensus, n_simulations, rng, statistics, n_jobs=n_jobs, progress=progress
    )
    asked = exposure(votes)
    if not consensus.model.layout.has_position:
        asked = replace(asked, side_p=math.nan)
    can_split = n_rows > 1
    between = k < n_items
    parts: dict[str, Any] = {
        "exposure": asked,
        "connectivity": connectivity(votes),
        "position": position_of(consensus.ranking, consensus.fitted),
        "answers": answers_of(votes, consensus),
        "voters": None if cells is None else voters_of(consensus, cells, against[0], rate, graded=n_graded > 0),
        "items": items_of(consensus, misfit[:, 0], rate),
        "triads": triads_of(consensus, circular[:, 0]),
        "split_half": split_of(consensus, k, N_SPLITS, rng) if can_split else None,
        "separation": separation_of(consensus.ranking),
        "influence": influence_of(consensus, cells, k) if cells is not None and between else None,
        "cut": cut_of(votes, consensus, k) if between else None,
        "groups": None if compared is None else GroupAgreement.of(compared, k),
        "repeats": repeats_of(consensus.rows, consensus.spread_probabilities[consensus.pair]),
        "adaptivity": adaptivity_of(consensus, questions, distances[:, 0]),
    }
    misleads = _tally_misleads(asked, consensus.scores)
    prior_share = posterior_of(consensus.ranking).prior_share()
    concerns = [concern for part in parts.values() if part is not None for concern in part.concerns()]
    if misleads:
        concerns.append(
            f"items were asked about {asked.asked.min():,} to {asked.asked.max():,} times, and the higher scored the "
            "more often, as by adaptive sampling: plain vote counts mean little (use bradley_terry)"
        )
    inflated = _inflated(parts, misleads)
    if inflated:
        concerns.append(
            f"of the numbers in this report, {' and '.join(inflated.values())} {'is' if len(inflated) == 1 else 'are'} "
            "inflated, since earlier answers chose the questions: do not compare with votes on random pairs, "
            "and trust the cut more"
        )
    concerns += name_concerns(votes)
    if n_graded:
        concerns.append(
            f"{plural(n_graded, 'vote')} are graded, and this report takes each for the side that has more of it: how "
            "far the votes lean is in the ranking by bradley_terry, not here"
        )
    total_weight = float(consensus.weight.sum())
    if total_weight < LIGHT * n_rows:
        concerns.append(
            f"the weights of {plural(n_rows, 'answered vote')} add up to {total_weight:.3g}, so that they count as "
            f"{plural(float(f'{total_weight:.3g}'), 'vote')}: scores are shrunk towards the prior, and errors are "
            "large; score with weights='sampling' if weights say how much a vote counts, or scale them to a mean of 1"
        )
    # Between components the prior decides everything, which is a concern of its own.
    if _held_together(consensus) > MOSTLY_PRIOR and len(parts["connectivity"].components) == 1:
        concerns.append(
            f"the prior decides {prior_share:.0%} of the least determined difference between scores, and the votes the "
            "rest, for example when a long chain of votes joins the items: items far apart on it come out too close "
            "together; ask about pairs across it, or score with a larger prior_sd"
        )
    return Report(
        ranking=consensus.ranking,
        n_votes=len(votes),
        n_answered=n_rows,
        total_weight=total_weight,
        inflated=tuple(inflated),
        tally_misleads=misleads,
        prior_share=prior_share,
        concerns=tuple(concerns),
        **parts,
    )


def _held_together(consensus: Consensus) -> float:
    """How much the prior decides of the least determined difference; where it was learned, how much a wide one would.

    A learned prior decides nearly all of scores that it has found to be level, as it should. Of a difference of which
    votes have the information h a prior of precision q decides q / (q + h).
    """
    share = consensus.fitted.prior_share()
    if posterior_of(consensus.ranking).learned is None:
        return share
    return share / (share + (1.0 - share) * (WIDE_SD / consensus.fitted.model.prior_sd) ** 2)


def _inflated(parts: dict[str, Any], misleads: bool) -> dict[str, str]:
    """The parts that are inflated by questions that earlier answers chose, and what each says, in words."""
    # A learned prior takes off scores what chance has added, so that both are near what they should be.
    if parts["separation"].is_learned or not (misleads or parts["adaptivity"].is_found):
        return {}
    words = {"separation": "scale-separation reliability", "split_half": "split-half reliability"}
    return {
        name: f"the {what} ({parts[name].reliability:.2f})" for name, what in words.items() if parts[name] is not None
    }


def _tally_misleads(asked: Exposure, scores: NDArray[np.float64]) -> bool:
    """Whether exposures are very unequal and go with the scores, each beyond chance."""
    if asked.variation < VERY_UNEQUAL or asked.unequal_p > UNLIKELY or np.ptp(scores) == 0.0:
        return False
    from scipy.stats import spearmanr

    found = spearmanr(asked.asked, scores)
    return bool(found.statistic > CORRELATED and found.pvalue < UNLIKELY)
