"""PairCounts and the comparison graph, held against tests/reference.py, by each kernel and on each path."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from reference import LEFT, RIGHT, SKIP, TIE
from strategies import FEWER, Sample, assert_same_counts, labels, samples

import pairvote as pv
from pairvote import _kernels
from pairvote.votes import _cells, _given
from pairvote.votes import _counts as counts
from pairvote.votes._counts import CountingLimits

KERNELS: dict[str, Callable[[str], Any]] = {
    "python": _kernels.interpreted_module,
    "chosen": lambda name: getattr(_kernels, name),
}
# Added up in a cell for every pair, in rows over all items, or sorted.
PATHS = {
    "cells": CountingLimits(cells=10**9, crowded=0),
    "rows": CountingLimits(cells=-1, crowded=10**9),
    "sorted": CountingLimits(cells=-1, crowded=-1),
}

kernels = pytest.mark.parametrize("kernel", KERNELS)
paths = pytest.mark.parametrize("path", PATHS)


@contextmanager
def running(kernel: str) -> Iterator[None]:
    """Count with one kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "counting", KERNELS[kernel]("counting"))
        patch.setattr(_cells, "kernel", KERNELS[kernel]("cells"))
        yield


def as_table(counted: pv.PairCounts) -> dict[tuple[int, int], list[float]]:
    pairs = zip(counted.left.tolist(), counted.right.tolist(), strict=True)
    return dict(zip(pairs, counted.table.tolist(), strict=True))


def assert_counts_of(counted: pv.PairCounts, sample: Sample) -> None:
    """The counts are those of the rows, and stand as the docstring says."""
    n_items, n_pairs = sample.n_items, counted.n_pairs
    expected = reference.pair_table(sample.rows)
    assert as_table(counted) == expected
    assert counted.items == tuple(range(n_items))
    assert [counted.start.dtype, counted.right.dtype] == [np.int64, np.int32]
    assert [counted.left.dtype, counted.table.dtype, counted.skipped.dtype] == [np.int32, float, float]
    assert [counted.start.shape, counted.table.shape, counted.skipped.shape] == [
        (n_items + 1,),
        (n_pairs, 3),
        (n_items,),
    ]
    assert (counted.start[0], counted.start[-1]) == (0, n_pairs)
    # Sorted by left item, then by right, no pair twice.
    pairs = list(zip(counted.left.tolist(), counted.right.tolist(), strict=True))
    assert pairs == sorted(expected)
    for item in range(n_items):
        assert (counted.left[counted.start[item] : counted.start[item + 1]] == item).all()
    skipped = reference.item_totals(sample.rows, n_items)["skipped"]
    np.testing.assert_array_equal(counted.skipped, skipped)
    assert counted.total == sum(weight for *_, weight in reference.answered(sample.rows))


def swapped(sample: Sample) -> Sample:
    """The same votes with the lower item on the left of each."""
    rows = [
        (left, right, outcome, weight)
        if left < right
        else (right, left, outcome if outcome == SKIP else 2 - outcome, weight)
        for left, right, outcome, weight in sample.rows
    ]
    return sample._replace(rows=rows)


@kernels
@paths
@FEWER
@given(sample=samples())
def test_votes_are_added_up_by_ordered_pair(kernel: str, path: str, sample: Sample) -> None:
    with running(kernel):
        assert_counts_of(_given.count_votes(sample.votes(), limits=PATHS[path]), sample)


@kernels
@paths
@FEWER
@given(sample=samples())
def test_folded_counts_forget_the_sides(kernel: str, path: str, sample: Sample) -> None:
    with running(kernel):
        votes = sample.votes()
        folded = _given.count_votes(votes, limits=PATHS[path]).folded()
        assert_counts_of(folded, swapped(sample))
        assert_same_counts(_given.count_votes(votes, folded=True, limits=PATHS[path]), folded)
        assert_same_counts(_given.as_counts(votes, folded=True), folded)
        assert_same_counts(_given.as_counts(votes.counts(), folded=True), folded)
        assert_same_counts(folded.folded(), folded)


@pytest.mark.slow
@kernels
@paths
@pytest.mark.parametrize("n_items", [2, 30, 500])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_votes_over_few_and_many_items(kernel: str, path: str, n_items: int, weighted: bool) -> None:
    rng = np.random.default_rng(n_items)
    left = rng.integers(n_items, size=3000)
    right = (left + rng.integers(1, n_items, size=3000)) % n_items
    outcome = rng.choice(4, size=3000, p=[0.4, 0.1, 0.45, 0.05])
    weight = rng.integers(5, size=3000) / 4 if weighted else np.ones(3000)
    rows = list(zip(left.tolist(), right.tolist(), outcome.tolist(), weight.tolist(), strict=True))
    sample = Sample(rows, n_items, weighted)
    with running(kernel):
        assert_counts_of(_given.count_votes(sample.votes(), limits=PATHS[path]), sample)
        assert_counts_of(_given.count_votes(sample.votes(), folded=True, limits=PATHS[path]), swapped(sample))


@given(samples())
def test_the_path_that_is_chosen_makes_no_difference(sample: Sample) -> None:
    chosen = sample.votes().counts()
    for limits in PATHS.values():
        assert_same_counts(_given.count_votes(sample.votes(), limits=limits), chosen)


def test_each_path_is_taken_where_it_should_be() -> None:
    called = []

    class Recorder(SimpleNamespace):
        def __getattr__(self, name: str) -> Any:
            called.append(name)
            return getattr(_kernels.cells if hasattr(_kernels.cells, name) else _kernels.counting, name)

    crowded = pv.Votes.from_codes([0, 1] * 50, [1, 0] * 50, [2] * 100)
    sparse = pv.Votes.from_codes([0, 98], [1, 99], [2, 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "counting", Recorder())
        patch.setattr(_cells, "kernel", Recorder())
        crowded.counts()
        assert called == ["tabulate", "gather_cells"]
        called.clear()
        few = CountingLimits(few_cells=3)
        _given.count_votes(crowded, limits=few)
        assert called == ["tabulate", "gather_cells"], "there are more than eight votes for each cell"
        called.clear()
        _given.count_votes(crowded.where(np.arange(100) < 20), limits=few)
        assert called == ["count_sides", "place_votes", "gather_rows"]
        called.clear()
        sparse.counts()
        assert called == ["count_sides", "place_votes", "count_keys", "place_keys", "count_runs", "gather_runs"]


@given(samples(), st.data())
def test_order_does_not_matter(sample: Sample, data: st.DataObject) -> None:
    shuffled = sample._replace(rows=data.draw(st.permutations(sample.rows)))
    assert_same_counts(shuffled.votes().counts(), sample.votes().counts())


@given(samples())
def test_votes_without_weight_change_no_pair(sample: Sample) -> None:
    rows = [(left, right, outcome, 0.0) for left, right, outcome, _ in sample.rows]
    weighted = Sample([*sample.rows, *rows], sample.n_items, weighted=True)
    assert_same_counts(weighted.votes().counts(), sample.votes().counts())


@given(samples(weights=None))
def test_a_vote_of_weight_two_is_two_votes(sample: Sample) -> None:
    doubled = Sample([(*row[:3], 2.0) for row in sample.rows], sample.n_items, weighted=True)
    twice = Sample([*sample.rows, *sample.rows], sample.n_items, weighted=False)
    assert_same_counts(doubled.votes().counts(), twice.votes().counts())


@given(samples(), st.data())
def test_swapping_the_sides_of_every_vote_mirrors_the_counts(sample: Sample, data: st.DataObject) -> None:
    rows = [(b, a, outcome if outcome == SKIP else 2 - outcome, weight) for a, b, outcome, weight in sample.rows]
    mirrored = as_table(sample._replace(rows=rows).votes().counts())
    assert mirrored == {(b, a): table[::-1] for (a, b), table in as_table(sample.votes().counts()).items()}


@given(samples(), st.data())
def test_counts_in_chunks_are_counts_at_once(sample: Sample, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sample.rows)), max_size=3)))
    bounds = [0, *cuts, len(sample.rows)]
    chunks = [sample._replace(rows=sample.rows[a:b]).votes() for a, b in pairwise(bounds)]
    whole = sample.votes().counts()
    total = chunks[0].counts()
    for chunk in chunks[1:]:
        total += chunk.counts()
    assert_same_counts(total, whole)
    backwards = chunks[-1].counts()
    for chunk in chunks[-2::-1]:
        backwards += chunk.counts()
    assert_same_counts(backwards, whole)


@given(samples(), samples(), st.data())
def test_counts_over_other_labels_add_up_by_label(ours: Sample, theirs: Sample, data: st.DataObject) -> None:
    pool = data.draw(labels(min_size=9, max_size=9))
    mine, yours = (data.draw(st.permutations(pool)) for _ in range(2))
    votes, others = ours.votes(mine[: ours.n_items]), theirs.votes(yours[: theirs.n_items])
    together = votes.counts() + others.counts()
    assert_same_counts(together, (votes + others).counts())
    assert list(together.items) == list(dict.fromkeys([*votes.items, *others.items]))


@given(samples())
def test_adding_nothing_changes_nothing(sample: Sample) -> None:
    counted = sample.votes().counts()
    nothing = pv.Votes.from_labels([], [], []).counts()
    assert_same_counts(counted + nothing, counted)
    assert_same_counts(nothing + counted, counted)


def test_only_counts_add_to_counts() -> None:
    votes = pv.Votes.from_wins(["a"], ["b"])
    with pytest.raises(TypeError, match="unsupported operand"):
        votes.counts() + votes  # type: ignore[operator]


@given(samples())
def test_item_totals_add_up_each_items_votes(sample: Sample) -> None:
    totals = reference.item_totals(sample.rows, sample.n_items)
    expected = np.column_stack([totals[name] for name in ("lost", "tied", "won", "skipped")])
    votes = sample.votes()
    for counted in (votes.counts(), votes.counts().folded()):
        np.testing.assert_array_equal(counted.item_totals(), expected)
        np.testing.assert_array_equal(_given.totals_of(counted), expected)
    for kernel in KERNELS:
        with running(kernel):
            np.testing.assert_array_equal(_given.totals_of(votes), expected)


@kernels
@FEWER
@given(sample=samples(max_items=9, max_votes=10))
def test_components_are_those_of_a_breadth_first_search(kernel: str, sample: Sample) -> None:
    expected = reference.components(sample.rows, sample.n_items)
    with running(kernel):
        for votes in (sample.votes(), sample.votes().counts(), sample.votes().counts().folded()):
            found = _given.components_of(votes)
            assert found.dtype == np.int32
            np.testing.assert_array_equal(found, expected)


@kernels
def test_components_of_long_chains_in_any_order(kernel: str) -> None:
    n_items = 3000
    rng = np.random.default_rng(3)
    chain = np.arange(n_items - 1)
    for order in (chain, chain[::-1], rng.permutation(chain)):
        with running(kernel):
            joined = _given.components_of(pv.Votes.from_codes(order, order + 1, np.full(n_items - 1, 2)))
            every_other = order[order % 2 == 0]
            pairs = pv.Votes.from_codes(every_other, every_other + 1, np.full(len(every_other), 1), n_items=n_items)
            assert not joined.any()
            np.testing.assert_array_equal(_given.components_of(pairs), np.arange(n_items) // 2)


@given(samples(max_votes=12))
def test_dominance_groups_who_beats_whom_in_a_ring(sample: Sample) -> None:
    expected = reference.strongly_connected(sample.rows, sample.n_items)
    for counted in (sample.votes().counts(), sample.votes().counts().folded()):
        groups = counted.dominance()
        assert groups.shape == (sample.n_items,)
        # Groups are the same if every two items are together in both or in neither.
        np.testing.assert_array_equal(groups[:, None] == groups, expected[:, None] == expected)


@given(samples(max_votes=30, min_items=1))
def test_everybody_reaches_everybody_only_if_they_do(sample: Sample) -> None:
    """One sweep may be too few to see it, as many as there are items are not."""
    together = bool((reference.strongly_connected(sample.rows, sample.n_items) == 0).all())
    for counted in (sample.votes().counts(), sample.votes().counts().folded()):
        for most_sweeps in (1, sample.n_items + 1):
            reached = np.zeros((2, sample.n_items), np.int32)
            found = _kernels.counting.reach_all(counted.start, counted.right, counted.table, most_sweeps, *reached)
            assert found == bool(reached.all())
            assert not found or together
        assert found == together


def test_dominance_of_a_ring_a_line_and_a_tie() -> None:
    ring = pv.Votes.from_codes([0, 1, 2], [1, 2, 0], [LEFT, LEFT, LEFT])
    assert len(set(ring.counts().dominance().tolist())) == 1
    line = pv.Votes.from_codes([0, 1], [1, 2], [LEFT, LEFT])
    assert len(set(line.counts().dominance().tolist())) == 3
    tied = pv.Votes.from_codes([0, 1], [1, 2], [TIE, RIGHT])
    assert len(set(tied.counts().dominance().tolist())) == 2


def test_counts_cannot_be_written_to() -> None:
    votes = pv.Votes.from_codes([0, 1], [1, 0], [LEFT, SKIP], weight=[1.0, 2.0])
    counted = votes.counts()
    copies = [counted, counted + counted, counted.folded(), pickle.loads(pickle.dumps(counted)), copy.deepcopy(counted)]
    for one in copies:
        for name in ("start", "right", "left", "table", "skipped"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(one, name)[0] = 0


@given(samples())
def test_pickling_and_copying_change_nothing(sample: Sample) -> None:
    counted = sample.votes().counts()
    for one in (pickle.loads(pickle.dumps(counted)), copy.deepcopy(counted)):
        assert_same_counts(one, counted)


@pytest.mark.parametrize(
    ("votes", "text"),
    [
        (pv.Votes.from_labels([], [], []), "PairCounts(0 votes, 0 items, 0 pairs)"),
        (pv.Votes.from_codes([0], [1], [2]), "PairCounts(1 vote, 2 items, 1 pair)"),
        (pv.Votes.from_codes([0, 1], [1, 0], [2, 3], weight=[0.5, 1]), "PairCounts(0.5 votes, 2 items, 1 pair)"),
        (
            pv.Votes.from_codes([0, 1], [1, 0], [2, 1], weight=[1e6, 0.25], n_items=1000),
            "PairCounts(1,000,000.25 votes, 1,000 items, 2 pairs)",
        ),
    ],
)
def test_repr_says_how_many_of_what(votes: pv.Votes, text: str) -> None:
    assert repr(votes.counts()) == text


def test_only_votes_and_counts_are_counted() -> None:
    votes = pv.Votes.from_labels(["a"] * 2, ["b"] * 2, ["left"] * 2, criterion=["new", "useful"])
    assert _given.as_counts(votes, criterion="new").total == 1
    with pytest.raises(pv.InputError, match=r"votes is a list; pass Votes or PairCounts, .*Votes\.from_labels"):
        _given.as_counts([("a", "b", "left")])  # type: ignore[arg-type]
    with pytest.raises(
        pv.InputError, match=r"criterion is 'new', which PairCounts do not keep; choose it when counting"
    ):
        _given.as_counts(votes.counts(criterion="new"), criterion="new")
    with pytest.raises(pv.InputError, match=r"several criteria \('new', 'useful'\); choose one with criterion="):
        votes.counts()


@given(samples())
def test_win_shares_are_those_of_single_votes(sample: Sample) -> None:
    n_items = sample.n_items
    won, asked = np.zeros((2, n_items, n_items))
    for left, right, outcome, weight in reference.answered(sample.rows):
        won[left, right] += outcome / 2 * weight
        won[right, left] += (1 - outcome / 2) * weight
        asked[[left, right], [right, left]] += weight
    found = sample.votes().counts().win_shares()
    assert found.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(found), asked == 0)
    np.testing.assert_allclose(found[asked > 0], (won[asked > 0] / asked[asked > 0]), atol=1e-12)


def test_win_shares_of_too_many_items_are_refused() -> None:
    counts = pv.Votes.from_codes([0], [4000], [2], n_items=4001).counts()
    with pytest.raises(pv.InputError, match=r"the shares of 4,001 items would take 0\.1 GiB; they are given for up to"):
        counts.win_shares()
    assert counts.left.tolist() == [0]
