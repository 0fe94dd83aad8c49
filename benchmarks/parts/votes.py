"""Making Votes of a million votes: from lists, from integer arrays, from data frames.

All that `Votes` promises is timed with it: labels numbered, outcomes understood, every row checked. "Off by"
is 0 where every vote was read right. What held the votes before is not timed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module, util
from typing import Any

import numpy as np

import pairvote as pv
from benchmarks import peers, reference
from benchmarks.cases import OUTCOME_LABELS, Case, Group, Scores, SeededVotes, Size, Work, describe, make_votes
from benchmarks.goals import Goal, Within

SIZES: dict[Size, tuple[int, int]] = {"full": (1000, 1_000_000), "quick": (1000, 100_000), "tiny": (20, 2000)}
COLUMNS = ("left", "right", "outcome")


def lists_as_read(size: Size) -> Group:
    """From lists in which every entry is a string of its own."""
    votes = make_votes(*SIZES[size])
    ours = (
        _case(
            votes,
            "Votes.from_labels, lists of strings",
            lambda: partial(pv.Votes.from_labels, *votes.read_strings()),
            goal=Within(0.3),
        ),
        _case(votes, "Votes.from_records, tuples of strings", partial(_records, votes)),
    )
    return _group("strings as read", votes, (*ours, *_indexing("strings as read", votes)))


def lists_repeated(size: Size) -> Group:
    """From lists in which the same strings come back."""
    votes = make_votes(*SIZES[size])
    ours = _case(
        votes,
        "Votes.from_labels, lists of strings",
        lambda: partial(pv.Votes.from_labels, *votes.repeated_strings()),
        goal=Within(0.3),
    )
    return _group("strings repeated", votes, (ours, *_indexing("strings repeated", votes)))


def codes(size: Size) -> Group:
    """From integer arrays."""
    votes = make_votes(*SIZES[size])

    def fresh(dtype: type[np.integer[Any]]) -> Work:
        sides = votes.left.astype(dtype), votes.right.astype(dtype)
        return partial(pv.Votes.from_codes, *sides, votes.outcome, items=votes.labels)

    ours = (
        _case(votes, "Votes.from_codes, int64", partial(fresh, np.int64)),
        _case(votes, "Votes.from_codes, int32", partial(fresh, np.int32)),
        _case(votes, "Votes.from_labels, int64 arrays", partial(_from_int_labels, votes)),
    )
    return _group("integer arrays", votes, ours)


def frames(size: Size) -> Group:
    """From the columns of data frames, of those libraries that are installed."""
    votes = make_votes(*SIZES[size])
    makers: dict[str, tuple[str, Callable[[SeededVotes], Any]]] = {
        "pandas strings": ("pandas", _pandas),
        "pandas objects": ("pandas", lambda votes: _pandas(votes).astype(object)),
        "pandas categorical": ("pandas", lambda votes: _pandas(votes).astype("category")),
        "polars strings": ("polars", _polars),
        "polars categorical": ("polars", _polars_categorical),
        "pyarrow strings": ("pyarrow", _pyarrow),
        "pyarrow dictionary": ("pyarrow", _pyarrow_dictionary),
    }
    ours = tuple(
        _case(votes, f"Votes.from_frame, {name}", partial(_from_frame, votes, make))
        for name, (package, make) in makers.items()
        if util.find_spec(package)
    )
    return _group("data frames", votes, ours)


def _records(votes: SeededVotes) -> Work:
    return partial(pv.Votes.from_records, list(zip(*votes.read_strings(), strict=True)))


def _from_int_labels(votes: SeededVotes) -> Work:
    outcome = [OUTCOME_LABELS[code] for code in votes.outcome.tolist()]
    return partial(pv.Votes.from_labels, votes.left, votes.right, outcome)


def _from_frame(votes: SeededVotes, make: Callable[[SeededVotes], Any]) -> Work:
    return partial(pv.Votes.from_frame, make(votes))


def _columns(votes: SeededVotes) -> dict[str, list[str]]:
    return dict(zip(COLUMNS, votes.read_strings(), strict=True))


def _pandas(votes: SeededVotes) -> Any:
    return import_module("pandas").DataFrame(_columns(votes))


def _polars(votes: SeededVotes) -> Any:
    return import_module("polars").DataFrame(_columns(votes))


def _polars_categorical(votes: SeededVotes) -> Any:
    polars = import_module("polars")
    return _polars(votes).with_columns(polars.col(*COLUMNS).cast(polars.Categorical))


def _pyarrow(votes: SeededVotes) -> Any:
    return import_module("pyarrow").table(_columns(votes))


def _pyarrow_dictionary(votes: SeededVotes) -> Any:
    table = _pyarrow(votes)
    return import_module("pyarrow").table({name: table[name].dictionary_encode() for name in COLUMNS})


def _indexing(holding: str, votes: SeededVotes) -> tuple[Case, ...]:
    return tuple(peer.case(votes) for peer in peers.INDEXING[holding])


def _case(votes: SeededVotes, name: str, fresh: Callable[[], Work], *, goal: Goal | None = None) -> Case:
    def scores(made: Any) -> Scores:
        labels = [label if isinstance(label, int) else int(label.split("-")[1]) for label in made.items]
        numbers = np.array(labels)
        return reference.fingerprint(numbers[made.left], numbers[made.right], made.outcome, votes.n_items)

    return Case(name=name, library="pairvote", fresh=fresh, n_votes=len(votes), scores=scores, goal=goal)


def _group(title: str, votes: SeededVotes, cases: tuple[Case, ...]) -> Group:
    return Group(
        title=f"{title}: {describe(votes)}", cases=cases, reference=cache(partial(reference.appearances, votes))
    )


GROUPS = (lists_as_read, lists_repeated, codes, frames)
