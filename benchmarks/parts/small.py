"""A workshop: 600 votes over 23 items from codes to ranking, and single votes as they come in.

Short calls are timed many together, each from raw input to the numbers that are read, so that nothing is
remembered from the last. Davidson's model fits a tie parameter, which no peer's does. The size is the same
in quick runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import pairvote as pv
from benchmarks import peers
from benchmarks.cases import Case, Group, Scores, SeededVotes, Size, Work, describe, make_votes
from benchmarks.goals import Goal, Within

N_ITEMS, N_VOTES = 23, 600


def workshop(size: Size) -> Group:
    """The whole call."""
    votes = make_votes(N_ITEMS, N_VOTES)
    columns = votes.repeated_strings()

    def from_codes() -> pv.Votes:
        return pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=N_ITEMS)

    def with_errors(made: pv.Votes, **options: Any) -> Scores:
        ranking = pv.bradley_terry(made, prior_sd=3.0, **options)
        return np.concatenate([ranking.scores, ranking.standard_errors])

    ours = (
        _case("from_codes, bradley_terry, standard errors", lambda: with_errors(from_codes()), goal=Within(200e-6)),
        _case(
            "from_codes, bradley_terry(ties='half'), standard errors", lambda: with_errors(from_codes(), ties="half")
        ),
        _case(
            "from_codes, bradley_terry(ties='drop'), standard errors", lambda: with_errors(from_codes(), ties="drop")
        ),
        _case("from_codes, bradley_terry, no errors", lambda: pv.bradley_terry(from_codes(), prior_sd=3.0).scores),
        _case("from_labels, bradley_terry, standard errors", lambda: with_errors(pv.Votes.from_labels(*columns))),
        _case("from_codes, elo", lambda: pv.elo(from_codes()).scores),
        _case("from_codes, tally", lambda: pv.tally(from_codes()).scores),
    )
    others = (peer.case(votes, repeatable=True, memory=False) for peer in peers.BRADLEY_TERRY_SMALL)
    return Group(title=f"workshop: {describe(votes)}", cases=(*ours, *others))


def single_votes(size: Size) -> Group:
    """Votes one at a time; seconds are those of one."""
    votes = make_votes(N_ITEMS, N_VOTES)
    ours = Case(
        name="EloRatings.record",
        library="pairvote",
        fresh=partial(_record_all, votes),
        n_votes=1,
        operations=len(votes),
        scores=np.asarray,
        repeatable=True,
        memory=False,
    )
    return Group(
        title=f"one vote at a time: {describe(votes)}",
        cases=(ours, *(peer.case(votes, memory=False, single=True) for peer in peers.SINGLE_VOTES)),
    )


def _record_all(votes: SeededVotes) -> Work:
    ratings = pv.EloRatings(votes.labels)
    left, right, outcome = votes.repeated_strings()
    rows = list(zip(left, right, outcome, strict=True))

    def work() -> Scores:
        for row in rows:
            ratings.record(*row)
        return ratings.ranking().scores

    return work


def _case(name: str, work: Callable[[], Scores], *, goal: Goal | None = None) -> Case:
    return Case(
        name=name,
        library="pairvote",
        fresh=lambda: work,
        n_votes=N_VOTES,
        scores=np.asarray,
        goal=goal,
        repeatable=True,
        memory=False,
    )


GROUPS = (workshop, single_votes)
