"""Bradley-Terry on a million votes, held and from lists, and on ten million from integer arrays.

A tie is half a win for each side, as in evalica and arena-rank, but where Davidson's model is named; choix and
crowd-kit take no ties and have a table of their own. "Off by" is the distance of the centred log scores to those of
a solver of this package's own, run to the last digit on what the case solves: the normal prior of three log-odds
where pairvote is called as it comes, maximum likelihood for all others. Standard errors are timed where the name
says so; intervals are compared by scores and standard errors together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from importlib import util
from typing import Any

import numpy as np

import pairvote as pv
from benchmarks import peers, reference
from benchmarks.cases import SEED, Case, Group, Scores, SeededVotes, Size, Work, describe, make_votes
from benchmarks.goals import Faster, Goal, Within

Sizes = dict[Size, tuple[int, int]]
# Tiny is still large enough for scipy to be loaded.
SIZES: Sizes = {"full": (1000, 1_000_000), "quick": (1000, 100_000), "tiny": (150, 6000)}
MANY: Sizes = {"full": (129, 10_000_000), "quick": (129, 1_000_000), "tiny": (20, 2000)}
DECIDED: Sizes = {"full": (100, 20_000), "quick": (100, 4000), "tiny": (20, 2000)}
DEFAULT_PRIOR_SD = 3.0
ARENA_COLUMNS: dict[str, Any] = {
    "left": "model_a",
    "right": "model_b",
    "outcome": "winner",
    "outcomes": {"model_a": "left", "tie": "tie", "model_b": "right"},
}


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


def many_davidson(size: Size) -> Group:
    """The same by Davidson's model, which evalica fits by Newman's iteration."""
    votes = make_votes(*MANY[size])

    def work() -> pv.Ranking:
        return pv.bradley_terry(
            pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=votes.n_items), prior_sd=3.0
        )

    ours = _case(
        votes,
        "pairvote.bradley_terry(Votes.from_codes), Davidson, int64 arrays",
        lambda: work,
        reference=cache(partial(reference.davidson, votes, DEFAULT_PRIOR_SD)),
        goal=Within(0.4),
        labelled=False,
    )
    right = cache(partial(reference.davidson, votes))
    return _group("many, Davidson", votes, (ours,), peers.DAVIDSON_MANY, right)


def intervals(size: Size) -> Group:
    """Maximum likelihood with sandwich intervals, from the frame that arena-rank takes, and from integer arrays."""
    votes = make_votes(*SIZES[size])

    def from_codes() -> pv.Ranking:
        return _with_intervals(pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=votes.n_items))

    def from_frame() -> Work:
        frame = peers.arena_frame(votes)
        return lambda: _with_intervals(pv.Votes.from_frame(frame, **ARENA_COLUMNS))

    def right() -> Scores:
        scores = reference.bradley_terry(votes)
        return np.concatenate([scores, reference.sandwich(votes, scores)])

    goal = Faster(50, peers.BRADLEY_TERRY_INTERVALS[0].name)
    case = partial(_case, votes, scores=partial(_scores_and_errors, votes))
    ours = [case("pairvote.bradley_terry(Votes.from_codes), int64 arrays, intervals", lambda: from_codes)]
    if util.find_spec("pandas"):
        ours += [case("pairvote.bradley_terry(Votes.from_frame), pandas ints, intervals", from_frame, goal=goal)]
    return _group("sandwich intervals", votes, tuple(ours), peers.BRADLEY_TERRY_INTERVALS, cache(right))


def refit(size: Size) -> Group:
    """A hundred votes more: their counts added to those of the million, and a fit that starts at the last."""
    votes = make_votes(*SIZES[size])
    more = make_votes(votes.n_items, 100, seed=SEED + 1)
    columns = ((getattr(votes, name), getattr(more, name)) for name in ("left", "right", "outcome"))
    all_votes = SeededVotes(votes.n_items, *map(np.concatenate, columns))

    def again() -> Work:
        counts, added = votes.held().counts(), more.held()
        ranking = pv.bradley_terry(counts, prior_sd=3.0)
        return lambda: pv.bradley_terry(counts + added.counts(), prior_sd=3.0, start=ranking)

    first_name = "pairvote.bradley_terry, held Votes"
    ours = (
        _case(votes, first_name, lambda: partial(pv.bradley_terry, votes.held(), prior_sd=3.0)),
        _case(
            all_votes,
            "pairvote.bradley_terry(PairCounts + PairCounts, start=), 100 more",
            again,
            reference=cache(partial(reference.davidson, all_votes, DEFAULT_PRIOR_SD)),
            goal=Within(0.2, of=first_name),
        ),
    )
    right = cache(partial(reference.davidson, votes, DEFAULT_PRIOR_SD))
    return _group("refit, Davidson", votes, ours, (), right)


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


def _with_intervals(votes: pv.Votes) -> pv.Ranking:
    ranking = pv.bradley_terry(votes, ties="half", prior_sd=math.inf, uncertainty="sandwich")
    ranking.confidence_interval()
    return ranking


def _scores_and_errors(votes: SeededVotes, ranking: pv.Ranking) -> Scores:
    place = np.argsort(np.array(ranking.items))
    return np.concatenate([ranking.scores[place], ranking.standard_errors[place]])


def _case(
    votes: SeededVotes,
    name: str,
    fresh: Callable[[], Work],
    *,
    scores: Callable[[Any], Scores] | None = None,
    reference: Callable[[], Scores] | None = None,
    goal: Goal | None = None,
    labelled: bool = True,
) -> Case:
    def in_code_order(ranking: Any) -> Scores:
        return votes.by_code(ranking.to_dict()) if labelled else ranking.scores

    return Case(
        name=name,
        library="pairvote",
        fresh=fresh,
        n_votes=len(votes),
        scores=scores or in_code_order,
        reference=reference,
        goal=goal,
    )


def _group(
    title: str,
    votes: SeededVotes,
    ours: tuple[Case, ...],
    others: tuple[peers.PeerCase, ...],
    right: Callable[[], Scores] | None = None,
) -> Group:
    return Group(
        title=f"{title}: {describe(votes)}",
        cases=(*ours, *(peer.case(votes) for peer in others)),
        reference=right or cache(partial(reference.bradley_terry, votes)),
        unit="log-odds",
    )


GROUPS = (held, strings_as_read, strings_repeated, many, many_davidson, intervals, refit, decided)
