"""A thousand resamples of 9,000 votes over 60 items, each scored by Bradley-Terry.

A tie is half a win for each side, as in evalica. evalica's default intervals (BCa) need a fit without each of the
votes beside those of the resamples; its percentile intervals do not. "Off by" is of the scores of all votes, as in
the part "bradley-terry".
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import pairvote as pv
from benchmarks import peers, reference
from benchmarks.cases import Case, Group, Scores, Size, Work, describe, make_votes
from benchmarks.goals import Faster, Goal

# Items, votes, resamples.
SIZES: dict[Size, tuple[int, int, int]] = {"full": (60, 9000, 1000), "quick": (60, 900, 100), "tiny": (20, 400, 10)}
DEFAULT_PRIOR_SD = 3.0


def bootstrap(size: Size) -> Group:
    """From held votes, or lists of codes, to the standard errors or intervals."""
    n_items, n_votes, n_resamples = SIZES[size]
    votes = make_votes(n_items, n_votes)
    default = cache(partial(reference.bradley_terry, votes, DEFAULT_PRIOR_SD))

    def case(text: str, goal: Goal | None = None, **options: Any) -> Case:
        def fresh() -> Work:
            return partial(_errors, votes.held(), n_resamples=n_resamples, rng=1, ties="half", prior_sd=3.0, **options)

        return Case(
            name=f"pairvote.bootstrap({text})",
            library="pairvote",
            fresh=fresh,
            n_votes=n_votes,
            scores=_scores,
            reference=default,
            goal=goal,
        )

    others = peers.bootstraps(n_resamples)
    ours = (
        case("ties='half'", Faster(100, others[0].name)),
        case("ties='half', n_jobs=-1", n_jobs=-1),
    )
    return Group(
        title=f"{n_resamples:,} resamples of {describe(votes)}",
        cases=(*ours, *(peer.case(votes, memory=False) for peer in others)),
        reference=cache(partial(reference.bradley_terry, votes)),
        unit="log-odds",
    )


def _errors(votes: pv.Votes, **options: Any) -> pv.Ranking:
    ranking = pv.bootstrap(votes, **options)
    ranking.standard_errors  # noqa: B018
    return ranking


def _scores(ranking: pv.Ranking) -> Scores:
    return ranking.scores


GROUPS = (bootstrap,)
