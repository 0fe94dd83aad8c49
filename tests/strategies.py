"""Hypothesis strategies for votes, and what tells two tables of votes apart.

`samples` draws plain rows as tests/reference.py takes them; `columns` draws columns of labels as people pass them in.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

import pairvote as pv

Row = tuple[int, int, int, float]
Columns = dict[str, Any]
Road = tuple[Callable[..., pv.Votes], str]

# For tests that are run many times over with other parameters.
FEWER = settings(max_examples=settings().max_examples // 3)

OUTCOMES = (0, 1, 2, 3)
DECIDED = (0, 2)
# Sums of quarters are exact in floating point, so that counts can be compared without a tolerance.
QUARTERS = st.integers(0, 12).map(lambda n: n / 4)

TEXT = st.text(max_size=4)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
LABEL_KINDS = {
    "text": TEXT,
    "integers": INTEGERS,
    "tuples": st.tuples(TEXT, st.integers(0, 3)),
    "mixed": st.one_of(TEXT, st.integers(), st.tuples(TEXT, TEXT), st.binary(max_size=3), st.floats(allow_nan=False)),
}


class Sample(NamedTuple):
    """Rows (left, right, outcome, weight) of item codes; without weights every row's weight is one."""

    rows: list[Row]
    n_items: int
    weighted: bool

    @property
    def weight(self) -> list[float] | None:
        return [weight for *_, weight in self.rows] if self.weighted else None

    def votes(self, items: Sequence[Hashable] | None = None, **options: Any) -> pv.Votes:
        left, right, outcome = ([row[place] for row in self.rows] for place in range(3))
        n_items = self.n_items if items is None else None
        return pv.Votes.from_codes(left, right, outcome, items=items, n_items=n_items, weight=self.weight, **options)


@st.composite
def samples(
    draw: st.DrawFn,
    *,
    min_items: int = 0,
    max_items: int = 7,
    min_votes: int = 0,
    max_votes: int = 25,
    outcomes: Sequence[int] = OUTCOMES,
    weights: st.SearchStrategy[float] | None = QUARTERS,
) -> Sample:
    """Votes as rows; `weights` None for none ever."""
    n_items = draw(st.integers(max(min_items, 2) if min_votes else min_items, max_items))
    weighted = weights is not None and draw(st.booleans())
    if n_items < 2:
        return Sample([], n_items, weighted)
    row = st.tuples(
        st.integers(0, n_items - 1),
        st.integers(1, n_items - 1),
        st.sampled_from(outcomes),
        weights if weighted and weights is not None else st.just(1.0),
    )
    drawn = draw(st.lists(row, min_size=min_votes, max_size=max_votes))
    rows = [(left, (left + step) % n_items, outcome, weight) for left, step, outcome, weight in drawn]
    return Sample(rows, n_items, weighted)


def labels(kind: str = "mixed", *, min_size: int = 2, max_size: int = 6) -> st.SearchStrategy[list[Hashable]]:
    """Different labels of one of LABEL_KINDS."""
    return st.lists(LABEL_KINDS[kind], min_size=min_size, max_size=max_size, unique=True)


@st.composite
def columns(draw: st.DrawFn, kind: str = "mixed", *, max_votes: int = 15, with_weight: bool = True) -> Columns:
    """Columns left, right and outcome of equal length, perhaps voter (some unknown), weight and criterion."""
    items = draw(labels(kind))
    side = st.integers(0, len(items) - 1)
    pairs = draw(st.lists(st.tuples(side, side).filter(lambda pair: pair[0] != pair[1]), max_size=max_votes))
    n_votes = len(pairs)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n_votes, max_size=n_votes))

    table: Columns = {
        "left": [items[left] for left, _ in pairs],
        "right": [items[right] for _, right in pairs],
        "outcome": column(st.sampled_from(["left", "right", "tie", "skip"])),
    }
    for name in ("voter", "criterion"):
        if draw(st.booleans()):
            table[name] = column(st.sampled_from([*draw(labels(kind, max_size=3)), None]))
    if with_weight and draw(st.booleans()):
        table["weight"] = column(QUARTERS)
    return table


def first_seen(*lists: Sequence[Hashable]) -> list[Hashable]:
    """Labels but None in the order in which they are first met, row by row over all lists."""
    return list(dict.fromkeys(label for row in zip(*lists, strict=True) for label in row if label is not None))


def assert_same_votes(ours: pv.Votes, theirs: pv.Votes) -> None:
    """Same labels in the same order, same arrays of the same types."""
    for name in ("items", "voters", "criteria"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("left", "right", "outcome", "voter", "weight", "criterion"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert (one is None) == (other is None), name
        if one is not None:
            assert one.dtype == other.dtype, name
            np.testing.assert_array_equal(one, other, err_msg=name)


def assert_same_counts(ours: pv.PairCounts, theirs: pv.PairCounts) -> None:
    """Same items, same pairs in the same order, same numbers."""
    assert ours.items == theirs.items
    for name in ("start", "right", "left", "table", "skipped"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert one.dtype == other.dtype, name
        np.testing.assert_array_equal(one, other, err_msg=name)


def from_mappings(left: Any, right: Any, outcome: Any, **options: Any) -> pv.Votes:
    rows = zip(left, right, outcome, strict=True)
    return pv.Votes.from_records([{"left": a, "right": b, "outcome": c} for a, b, c in rows], **options)


def from_tuples(left: Any, right: Any, outcome: Any, **options: Any) -> pv.Votes:
    return pv.Votes.from_records(zip(left, right, outcome, strict=True), **options)


def from_winners(left: Any, right: Any, outcome: Any, **options: Any) -> pv.Votes:
    return pv.Votes.from_wins(left, right, **options)


def from_pandas(left: Any, right: Any, outcome: Any, **options: Any) -> pv.Votes:
    sides = {"left": pd.Series(left, dtype=object), "right": pd.Series(right, dtype=object)}
    return pv.Votes.from_frame(pd.DataFrame({**sides, "outcome": outcome}), **options)


def from_arrays(left: Any, right: Any, outcome: Any, **options: Any) -> pv.Votes:
    lefts, rights = (np.fromiter(side, object, count=len(side)) for side in (left, right))
    return pv.Votes.from_labels(lefts, rights, np.array(outcome), **options)


# Every constructor that takes labels, and what it calls the left side.
ROADS: dict[str, Road] = {
    "from_labels": (pv.Votes.from_labels, "left"),
    "from_labels of arrays": (from_arrays, "left"),
    "from_records of tuples": (from_tuples, "left"),
    "from_records of mappings": (from_mappings, "left"),
    "from_wins": (from_winners, "winners"),
    "from_frame": (from_pandas, "left"),
}
