"""Votes chunk by chunk: counts and ratings as of the whole, whatever the chunks and the numbers of their labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEWER, Sample, assert_same_counts, samples

import pairvote as pv
from pairvote._common import coded
from pairvote.votes._chunks import CodedSource, CodedVotes, Criterion
from pairvote.votes._running import RunningLimits, count_chosen

LABELS = tuple(f"item {code}" for code in range(100))
# Items from which on pairs are sorted and not added up in cells, and votes that are gathered for that.
WAYS = {
    "cells": RunningLimits(),
    "cells, then sorted": RunningLimits(most_items=2, gathered=3, gathered_an_item=0),
    "sorted": RunningLimits(most_items=0, gathered=1, gathered_an_item=0),
    "sorted at the end": RunningLimits(most_items=0),
}
ways = pytest.mark.parametrize("way", WAYS)


class Coded:
    """Chunks of votes as a file might have them: in codes of its own, with entries that no row uses."""

    def __init__(self, chunks: Sequence[pv.Votes], seed: int = 0, n_spare: int = 1) -> None:
        self.chunks, self.seed, self.n_spare = chunks, seed, n_spare

    def coded(self, *, voters: bool) -> Iterator[CodedVotes]:
        assert not voters
        rng = np.random.default_rng(self.seed)

        def numbered(codes: np.ndarray, n_labels: int) -> coded.Coded:
            numbers = rng.permutation(n_labels + self.n_spare * (n_labels > 0)).astype(np.int32)
            places = np.argsort(numbers).astype(np.int32)
            return coded.Coded(places[codes], np.minimum(numbers, max(n_labels - 1, 0)))

        for votes in self.chunks:
            yield CodedVotes(
                items=votes.items,
                left=numbered(votes.left, votes.n_items),
                right=numbered(votes.right, votes.n_items),
                outcome=numbered(votes.outcome, 4),
                weight=votes.weight,
                criterion=votes.criterion,
                criteria=votes.criteria,
                locate=lambda row: f"row {row} of the file",
            )


def chunks_of(sample: Sample, cuts: Sequence[int], *, shared: bool) -> list[pv.Votes]:
    """The votes in chunks, whose items are those so far, or those of each chunk by itself."""
    whole, chunks = sample.votes(LABELS[: sample.n_items]), []
    for first, last in pairwise([0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]):
        chunk = whole.where((np.arange(len(whole)) >= first) & (np.arange(len(whole)) < last))
        if shared:
            n_items = max([-1, *whole.left[:last].tolist(), *whole.right[:last].tolist()]) + 1
            chunks.append(replace(chunk, items=whole.items[:n_items]))
        else:
            columns = chunk.to_columns()
            chunks.append(pv.Votes.from_labels(**columns))
    return chunks


def counted(chunks: Iterable[pv.Votes] | CodedSource, way: str) -> pv.PairCounts:
    return count_chosen(chunks, Criterion(None), limits=WAYS[way])


def in_items_of(counts: pv.PairCounts, other: pv.PairCounts) -> pv.PairCounts:
    """The counts with their items, and those that only the other has, in the other's order."""
    return pv.Votes.from_codes([], [], [], items=other.items).counts() + counts


@ways
@FEWER
@given(sample=samples(), cuts=st.lists(st.integers(0, 12), max_size=4), data=st.data())
def test_chunks_add_up_to_the_whole(way: str, sample: Sample, cuts: list[int], data: st.DataObject) -> None:
    whole = sample.votes(LABELS[: sample.n_items]).counts()
    shared, own = chunks_of(sample, cuts, shared=True), chunks_of(sample, cuts, shared=False)
    for chunks in (shared, own, iter(own), Coded(shared, data.draw(st.integers(0, 9)))):
        assert_same_counts(in_items_of(counted(chunks, way), whole), whole)


def test_items_stand_in_the_order_in_which_they_come() -> None:
    chunks = [pv.Votes.from_wins(["b"], ["d"]), pv.Votes.from_wins(["a", "c"], ["d", "b"])]
    assert pv.count_pairs(chunks).items == ("b", "d", "a", "c")
    empty = pv.Votes.from_codes([], [], [], items=["z"])
    assert pv.count_pairs([empty, *chunks, empty]).items == ("z", "b", "d", "a", "c")


@ways
def test_items_without_votes_are_kept(way: str) -> None:
    late = [pv.Votes.from_wins(["a", "b"], ["b", "c"]), pv.Votes.from_codes([], [], [], items=["a", "b", "c", "d"])]
    counts = counted(late, way)
    assert (counts.items, counts.skipped.tolist(), counts.start.tolist()) == (
        ("a", "b", "c", "d"),
        [0.0] * 4,
        [0, 1, 2, 2, 2],
    )
    assert pv.count_pairs([]).items == ()


def test_votes_and_counts_are_counted_as_they_are() -> None:
    votes = pv.Votes.from_wins(["a", "b"], ["b", "c"])
    assert_same_counts(pv.count_pairs(votes), votes.counts())
    assert pv.count_pairs(votes.counts()) is not None
    assert isinstance(Coded([votes]), CodedSource)


@pytest.mark.parametrize("n_entries", [4, 255, 256, 1000])
def test_outcomes_may_stand_in_a_long_dictionary(n_entries: int) -> None:
    votes = pv.Votes.from_codes([0, 1, 2, 0], [1, 2, 0, 2], [0, 1, 2, 3])
    counts = pv.count_pairs(Coded([votes], seed=3, n_spare=n_entries - 4))
    assert_same_counts(counts, votes.counts())


@ways
def test_an_item_against_itself_is_named_with_its_row(way: str) -> None:
    sound = pv.Votes.from_codes([0, 1], [1, 2], [2, 2], items=LABELS[:3])
    for outcome in range(4):
        itself = sound._changed(right=np.array([2, 1], np.int32), outcome=np.array([0, outcome], np.uint8))
        for weight in (None, np.zeros(2)):
            chunks = [votes._changed(weight=weight) for votes in (sound, itself, sound)]
            with pytest.raises(pv.InputError, match="row 1 of the file has 'item 1' against itself"):
                counted(Coded(chunks), way)


def criteria_chunks() -> list[pv.Votes]:
    one = pv.Votes.from_labels(["a", "a"], ["b", "c"], ["left", "tie"], criterion=["new", "new"])
    other = pv.Votes.from_labels(["b"], ["c"], ["right"], criterion=["useful"])
    return [one, other, pv.Votes.from_codes([], [], [], items=["a"])]


def test_one_criterion_is_counted_wherever_it_occurs() -> None:
    chunks = criteria_chunks()
    for make in (list, Coded):
        for criterion, expected in (("new", chunks[0].counts()), ("useful", chunks[1].counts())):
            found = pv.count_pairs(make(chunks[:1] if criterion == "new" else chunks[1:2]), criterion=criterion)
            assert_same_counts(in_items_of(found, expected), expected)
        assert pv.count_pairs(make(chunks), criterion="useful").total == 1
        with pytest.raises(pv.InputError, match=r"several criteria \('new', 'useful'\); choose one with criterion="):
            pv.count_pairs(make(chunks))
        with pytest.raises(pv.InputError, match="there is no criterion 'odd'; the criteria are 'new', 'useful'"):
            pv.count_pairs(make(chunks), criterion="odd")
        assert pv.count_pairs(make(chunks[:1])).total == 2
    unnamed = pv.Votes.from_wins(["a"], ["b"])
    with pytest.raises(pv.InputError, match=r"several criteria \('new' and none\)"):
        pv.count_pairs([chunks[0], unnamed])
    assert pv.count_pairs([chunks[0], unnamed], criterion="new").total == 2
    with pytest.raises(pv.InputError, match=r"there is no criterion 'new'; the criteria are none$"):
        pv.count_pairs([unnamed], criterion="new")


@pytest.mark.parametrize("refused", [None, 7, "ash", b"ash", {"left": ["a"]}, [None], [[("a", "b", "left")]]])
def test_what_is_no_chunk_is_refused(refused: object) -> None:
    with pytest.raises(pv.InputError, match=r"votes is a .*; pass Votes, or chunks of them, such as scan_votes gives"):
        pv.count_pairs(refused)
    with pytest.raises(pv.InputError, match="criterion is 'new', which PairCounts do not keep"):
        pv.count_pairs(pv.Votes.from_wins(["a"], ["b"]).counts(), criterion="new")


# --- Elo ---


@FEWER
@given(sample=samples(), cuts=st.lists(st.integers(0, 12), max_size=4))
def test_elo_of_chunks_is_that_of_the_whole_to_the_bit(sample: Sample, cuts: list[int]) -> None:
    whole = pv.elo(sample.votes(LABELS[: sample.n_items]))
    for shared in (True, False):
        found = pv.elo(chunks_of(sample, cuts, shared=shared))
        ratings = whole.to_dict() | found.to_dict()
        assert {label: ratings[label] for label in whole.items} == whole.to_dict()
        assert [whole.to_dict()[label] for label in found.items] == found.scores.tolist()
        components = dict(zip(whole.items, whole.components.tolist(), strict=True))
        pairs = [(a, b) for a in found.items for b in found.items]
        place = {label: number for number, label in enumerate(found.items)}
        for a, b in pairs:
            together = found.components[place[a]] == found.components[place[b]]
            assert together == (components[a] == components[b])
        for name in ("won", "tied", "asked", "skipped"):
            of_whole = dict(zip(whole.items, getattr(whole, name).tolist(), strict=True))
            assert [of_whole[label] for label in found.items] == getattr(found, name).tolist()


@given(samples(), st.lists(st.integers(0, 12), max_size=4), st.integers(0, 4))
def test_a_stream_goes_on_from_a_checkpoint_to_the_bit(sample: Sample, cuts: list[int], stop: int) -> None:
    chunks = chunks_of(sample, cuts, shared=False)
    unbroken = pv.EloRatings([], k=20)
    unbroken.update(chunks, add=True)
    first = pv.EloRatings([], k=20)
    first.update(chunks[:stop], add=True)
    second = pv.EloRatings.from_state(json.loads(json.dumps(first.state())))
    assert second.n_votes == sum(map(len, chunks[:stop]))
    second.update(chunks[stop:], add=True)
    assert second.state() == unbroken.state()
    assert unbroken.n_votes == len(sample.rows)
    assert [unbroken[label] for label in unbroken.items] == pv.elo(chunks, k=20).scores.tolist()


def test_an_unknown_item_is_refused_unless_it_is_to_be_added() -> None:
    chunks = [pv.Votes.from_wins(["a"], ["b"]), pv.Votes.from_wins(["a", "c"], ["b", "a"])]
    ratings = pv.EloRatings(["a", "b"])
    with pytest.raises(pv.InputError, match="'c' is not among the 2 items; add it first"):
        ratings.update(chunks)
    assert ratings.n_votes == 1, "the chunk before it stays taken in"
    assert ratings["a"] == pv.elo(chunks[0]).scores[0]
    ratings.update(chunks[1], add=True)
    assert (ratings.items, ratings.n_votes) == (("a", "b", "c"), 3)
    with pytest.raises(pv.InputError, match="add is 1; it is True or False"):
        ratings.update(chunks[0], add=1)


def test_chunks_of_elo_choose_a_criterion_and_are_not_shuffled() -> None:
    chunks = criteria_chunks()
    assert pv.elo(chunks, criterion="useful").to_dict() == pv.elo(chunks[1]).to_dict()
    ratings = pv.EloRatings(["a", "b", "c"])
    for scorer in (pv.elo, ratings.update):
        with pytest.raises(pv.InputError, match="there is no criterion 'odd'"):
            scorer(chunks, criterion="odd")
    with pytest.raises(pv.InputError, match="several criteria"):
        pv.elo(chunks)
    with pytest.raises(pv.InputError, match="n_shuffles is given with chunks"):
        pv.elo(chunks, n_shuffles=3)
    with pytest.raises(pv.InputError, match="to score several criteria pass Votes"):
        pv.elo(chunks, criteria={"new": 1})


def test_a_bar_counts_the_chunks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monday, tuesday = pv.Votes.from_wins(["ash"], ["birch"]), pv.Votes.from_wins(["birch"], ["ash"])
    pv.write_votes(monday, tmp_path / "votes.csv")
    for votes, n_chunks in (([monday, tuesday], 2), (iter([monday]), 1), (pv.scan_votes(tmp_path / "votes.csv"), 1)):
        counts = pv.count_pairs(votes, progress=True)
        assert counts.items == ("ash", "birch")
        assert f"{n_chunks}chunk" in capsys.readouterr().err
    assert pv.count_pairs(monday, progress=np.True_).n_pairs == 1
    pv.count_pairs([monday], progress=np.False_)
    assert capsys.readouterr().err == ""
    with pytest.raises(pv.InputError, match="progress is 'yes'; it is True or False"):
        pv.count_pairs([monday], progress="yes")  # type: ignore[arg-type]


# --- weights that would overflow ---


def heavy(outcome: str = "left") -> pv.Votes:
    return pv.Votes.from_labels(["a", "b"], ["b", "a"], [outcome] * 2, weight=[2e305, 2e305])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("outcome", ["left", "skip"])
def test_sums_of_votes_refuse_weights_that_may_overflow(outcome: str) -> None:
    """Each set is within what one set may have; more than two of them are not."""
    for one in (heavy(outcome), heavy(outcome).counts()):
        both = one + one
        with pytest.raises(
            pv.InputError, match=r"add up to more than 1e\+306; divide those of all sets of votes by one"
        ):
            both + one
    for limits in (RunningLimits(), RunningLimits(most_items=1, gathered=1), RunningLimits(most_items=1)):
        with pytest.raises(pv.InputError, match=r"add up to more than 1e\+306"):
            count_chosen([heavy(outcome)] * 500, Criterion(None), limits=limits)
        count_chosen([heavy(outcome)] * 2, Criterion(None), limits=limits)


def test_counts_of_ones_own_refuse_weights_that_may_overflow() -> None:
    counts = heavy().counts()
    with pytest.raises(pv.InputError, match=r"add up to more than 1e\+306"):
        replace(counts, table=5.0 * counts.table)
