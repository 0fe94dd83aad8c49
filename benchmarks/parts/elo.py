"""Elo on a million votes: from Votes that are held, and from lists of strings.

Held means that the labels are coded and checked already. From lists, both are timed. All take the votes in
their order with k = 32, and "off by" is the distance to a plain loop in Python, in points. riix and openskill
go vote by vote in Python.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import pairvote as pv
from benchmarks import peers, reference
from benchmarks.cases import Case, Group, Scores, SeededVotes, Size, Work, describe, make_votes
from benchmarks.goals import Faster

SIZES: dict[Size, tuple[int, int]] = {"full": (1000, 1_000_000), "quick": (1000, 100_000), "tiny": (20, 2000)}


def held(size: Size) -> Group:
    """From codes."""
    votes = make_votes(*SIZES[size])
    ours = Case(
        name="pairvote.elo, held Votes",
        library="pairvote",
        fresh=lambda: partial(pv.elo, votes.held()),
        n_votes=len(votes),
        scores=partial(_scores, votes),
        goal=Faster(60, "evalica.elo, lists of ints"),
    )
    return Group(
        title=f"held: {describe(votes)}",
        cases=(ours, *(peer.case(votes) for peer in peers.ELO_HELD)),
        reference=cache(partial(reference.elo, votes)),
        unit="points",
    )


def strings_as_read(size: Size) -> Group:
    """From lists in which every entry is a string of its own."""
    return _strings(size, "strings as read")


def strings_repeated(size: Size) -> Group:
    """From lists in which the same strings come back."""
    return _strings(size, "strings repeated")


def _strings(size: Size, holding: str) -> Group:
    votes = make_votes(*SIZES[size])

    def fresh() -> Work:
        lists = votes.read_strings() if holding == "strings as read" else votes.repeated_strings()
        return lambda: pv.elo(pv.Votes.from_labels(*lists))

    (peer,) = peers.ELO_STRINGS[holding]
    ours = Case(
        name="pairvote.elo(Votes.from_labels), lists of strings",
        library="pairvote",
        fresh=fresh,
        n_votes=len(votes),
        scores=partial(_scores, votes),
        goal=Faster(4, peer.name),
    )
    return Group(
        title=f"{holding}: {describe(votes)}",
        cases=(ours, peer.case(votes)),
        reference=cache(partial(reference.elo, votes)),
        unit="points",
    )


def _scores(votes: SeededVotes, ranking: Any) -> Scores:
    return votes.by_code(ranking.to_dict())


GROUPS = (held, strings_as_read, strings_repeated)
