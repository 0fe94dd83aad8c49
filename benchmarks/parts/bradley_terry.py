"""Bradley-Terry on a million votes, held and from lists, and on ten million from integer arrays.

A tie is half a win for each side, as in evalica and arena-rank; choix and crowd-kit take no ties and have a
table of their own. "Off by" is the distance of the centred log scores to those of a solver of this package's
own, run to the last digit on what the case solves: the normal prior of three log-odds where pairvote is
called as it comes, maximum likelihood for all others. Standard errors are timed where the name says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pairvote as pv
from benchmarks import peers, reference
from benchmarks.cases import Case, Group, Scores, SeededVotes, Size, Work, describe, make_votes
from benchmarks.goals import Faster, Goal, Within

Sizes = dict[Size, tuple[int, int]]
SIZES: Sizes = {"full": (1000, 1_000_000), "quick": (1000, 100_000), "tiny": (20, 2000)}
MANY: Sizes = {"full": (129, 10_000_000), "quick": (129, 1_000_000), "tiny": (20, 2000)}
DECIDED: Sizes = {"full": (100, 20_000), "quick": (100, 4000), "tiny": (20, 2000)}
DEFAULT_PRIOR_SD = 3.0


def held(size: Size) -> Group:
    """From codes."""
    votes = make_votes(*SIZES[size])
    default = cache(partial(reference.bradley_terry, votes, DEFAULT_PRIOR_SD))

    def fresh(prior_sd: float, read: Callable[[pv.Ranking], object] | None = None) -> Work:
        return partial(_rank, votes.held(), prior_sd, read)

    case = partial(_case, votes)
    goal = Faster(25, "evalica.bradley_terry, lists of ints")
    ours = (
        case("pairvote.bradley_terry, held Votes", partial(fresh, DEFAULT_PRIOR_SD), reference=default, goal=goal),
        case(
            "pairvote.bradley_terry, held Votes, standard errors",
            partial(fresh, DEFAULT_PRIOR_SD, lambda ranking: ranking.standard_errors),
            reference=default,
        ),
        case("pairvote.bradley_terry(prior_sd=inf), held Votes", partial(fresh, math.inf)),
    )
    return _group("held", votes, ours, peers.BRADLEY_TERRY_HELD)


def strings_as_read(size: Size) -> Group:
    """From lists in which every entry is a string of its own."""
    return _strings(size, "strings as read")


def strings_repeated(size: Size) -> Group:
    """From lists in which the same strings come back."""
    return _strings(size, "strings repeated")


def _strings(size: Size, holding: str) -> Group:
    votes = make_votes(*SIZES[size])

    def fresh(prior_sd: float) -> Work:
        lists = votes.read_strings() if holding == "strings as read" else votes.repeated_strings()
        return lambda: _rank(pv.Votes.from_labels(*lists), prior_sd)

    others = peers.BRADLEY_TERRY_STRINGS[holding]
    ours = _case(
        votes,
        "pairvote.bradley_terry(Votes.from_labels), lists of strings",
        partial(fresh, DEFAULT_PRIOR_SD),
        reference=cache(partial(reference.bradley_terry, votes, DEFAULT_PRIOR_SD)),
        goal=Faster(4, others[0].name),
    )
    return _group(holding, votes, (ours,), others)


def many(size: Size) -> Group:
    """Ten million votes, from integer arrays to scores, the checks included."""
    votes = make_votes(*MANY[size])

    def work() -> pv.Ranking:
        held = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=votes.n_items)
        return _rank(held, DEFAULT_PRIOR_SD)

    ours = _case(
        votes,
        "pairvote.bradley_terry(Votes.from_codes), int64 arrays",
        lambda: work,
        reference=cache(partial(reference.bradley_terry, votes, DEFAULT_PRIOR_SD)),
        goal=Within(0.3),
        labelled=False,
    )
    return _group("many", votes, (ours,), peers.BRADLEY_TERRY_MANY)


def decided(size: Size) -> Group:
    """Votes without ties, few enough for solvers that are loops in Python."""
    votes = make_votes(*DECIDED[size], tie_share=0.0)
    ours = _case(
        votes,
        "pairvote.bradley_terry(prior_sd=inf), held Votes",
        lambda: partial(_rank, votes.held(), math.inf),
    )
    return _group("without ties", votes, (ours,), peers.BRADLEY_TERRY_DECIDED)


def _rank(votes: pv.Votes, prior_sd: float, read: Callable[[pv.Ranking], object] | None = None) -> pv.Ranking:
    ranking = pv.bradley_terry(votes, ties="half", prior_sd=prior_sd)
    if read is not None:
        read(ranking)
    return ranking


def _case(
    votes: SeededVotes,
    name: str,
    fresh: Callable[[], Work],
    *,
    reference: Callable[[], Scores] | None = None,
    goal: Goal | None = None,
    labelled: bool = True,
) -> Case:
    def scores(ranking: Any) -> Scores:
        return votes.by_code(ranking.to_dict()) if labelled else ranking.scores

    return Case(
        name=name,
        library="pairvote",
        fresh=fresh,
        n_votes=len(votes),
        scores=scores,
        reference=reference,
        goal=goal,
    )


def _group(title: str, votes: SeededVotes, ours: tuple[Case, ...], others: tuple[peers.PeerCase, ...]) -> Group:
    return Group(
        title=f"{title}: {describe(votes)}",
        cases=(*ours, *(peer.case(votes) for peer in others)),
        reference=cache(partial(reference.bradley_terry, votes)),
        unit="log-odds",
    )


GROUPS = (held, strings_as_read, strings_repeated, many, decided)
