"""How far each voter is to be believed: what a scorer needs for it, and what it says of it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pairvote._inference import Answers, Posterior, VoterKinds, single_votes
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._voters import VoterReliability
from pairvote.scoring._rows import counted_rows
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

Reliability = Literal["lapse", "slope"]
RELIABILITIES: tuple[Reliability, ...] = ("lapse", "slope")
# More items have no whole table of covariances, in which what is not known of voters could be counted.
MOST_ITEMS = 4_000


def answers_of(
    given: Votes | PairCounts,
    votes: Votes | PairCounts,
    reliability: Reliability,
    uncertainty: str,
    criterion: Hashable | None,
    covariates: ArrayLike | None,
    *,
    position: bool,
) -> Answers:
    """The answers of the voters of `votes`, which were chosen by the criterion from those `given`."""
    if uncertainty in ("by-voter", "clustered"):
        raise InputError(
            f"reliability is {reliability!r} and uncertainty is {uncertainty!r}",
            option="uncertainty",
            value=uncertainty,
            remedy="leave uncertainty out, since errors then include what is not known of the voters; or leave out "
            "reliability",
        )
    if not isinstance(votes, Votes):
        raise InputError(
            "votes is a PairCounts, which does not say who voted, and reliability is " + repr(reliability),
            option="votes",
            remedy="pass the Votes that it was counted from",
        )
    if votes.n_items > MOST_ITEMS:
        raise InputError(
            f"these votes have {votes.n_items:,} items and reliability is {reliability!r}, which is fitted for up to "
            f"{MOST_ITEMS:,}",
            option="reliability",
            value=reliability,
            remedy="leave reliability out",
        )
    counted = counted_rows(votes)
    if votes.share is not None and (votes.is_graded & counted).any():
        raise InputError(
            f"some votes are graded and reliability is {reliability!r}, which is for votes that pick a side",
            option="reliability",
            value=reliability,
            remedy="leave reliability out, or the graded votes with where(~votes.is_graded)",
        )
    if counted.any() and (votes.voter is None or not (votes.voter[counted] >= 0).any()):
        raise InputError(
            f"reliability is {reliability!r} and these votes do not say who voted",
            option="voter",
            remedy="pass voter= when making them, or leave reliability out",
        )
    rows = single_votes(given, votes, covariates, criterion, "by-voter")
    if rows.design is not None:
        rows, _ = rows.scaled()
    return Answers.of(rows, votes.items, votes.voters, folded=not position and rows.design is None)


def voters_of(ranking: Ranking, posterior: Posterior, answers: Answers, votes: Votes | PairCounts) -> VoterReliability:
    """What a fit has found of each voter."""
    found = posterior.voters
    if not isinstance(votes, Votes) or not isinstance(found, VoterKinds):
        raise TypeError("these votes were not weighed by their voters")
    found, rows, voter, order = found.in_order(), answers.rows, answers.voter, np.argsort(answers.codes)
    n_each = np.bincount(voter[answers.known], minlength=answers.n_voters)
    lead = ranking.scores[rows.left] - ranking.scores[rows.right]
    agreed = 0.5 + 0.5 * np.sign(lead) * (rows.outcome.astype(float) - 1.0)
    decided = ~answers.tied
    with np.errstate(invalid="ignore"):
        agreement = answers.by_voter(agreed * decided) / answers.by_voter(decided.astype(float))
    return VoterReliability(
        reliability="lapse" if found.nodes is None else "slope",
        voters=tuple(votes.voters[code] for code in found.codes.tolist()),
        n_votes=n_each[order],
        attentive=found.attentive,
        agreement=agreement[order],
        following=found.following,
        _kinds=found,
        _items=votes.items,
    )
