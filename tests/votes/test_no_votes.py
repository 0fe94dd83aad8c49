"""Votes and counts of which nobody has voted yet, over no item, one or a few; and when counts are equal."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv

COLUMNS: dict[str, list[Any]] = {name: [] for name in ("voter", "weight", "criterion", "time", "question")}


@pytest.fixture(params=[0, 1, 2, 5], ids=lambda n_items: f"{n_items} items")
def items(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return tuple("abcde"[: request.param])


@pytest.fixture(params=[{}, COLUMNS], ids=["bare", "all columns"])
def votes(request: pytest.FixtureRequest, items: tuple[str, ...]) -> pv.Votes:
    return pv.Votes.from_codes([], [], [], items=items, **request.param)


def test_a_table_of_no_votes_is_one(votes: pv.Votes, items: tuple[str, ...]) -> None:
    assert (len(votes), votes.items, votes.n_items) == (0, items, len(items))
    assert repr(votes).startswith(f"Votes(0 votes, {len(items)} item")
    assert set(map(len, votes.to_columns().values())) == {0}
    for same in (votes.where([]), votes + votes, votes.select(None), votes.fold_orders(by=[]), copy.deepcopy(votes)):
        assert (len(same), same.items) == (0, items)
    some = pv.Votes.from_wins(["x"], ["y"])
    assert (votes + some).items == (*items, "x", "y")
    assert (some + votes).items == ("x", "y", *items)
    assert (votes + some).left.tolist() == [len(items)]


def test_its_counts_are_none(votes: pv.Votes, items: tuple[str, ...]) -> None:
    for counts in (votes.counts(), pv.count_pairs(votes), pv.count_pairs([votes, votes]), votes.counts().folded()):
        assert (counts.items, counts.n_pairs, counts.total) == (items, 0, 0.0)
        assert counts.item_totals().tolist() == [[0.0] * 4] * len(items)
        assert counts.start.tolist() == [0] * (len(items) + 1)
        assert counts.win_shares().shape == (len(items), len(items))
        assert np.isnan(counts.win_shares()).all()
        assert counts.dominance().shape == (len(items),)
        assert repr(counts).startswith(f"PairCounts(0 votes, {len(items)} item")
        assert counts + votes.counts() == counts == pickle.loads(pickle.dumps(counts))
    some = pv.Votes.from_wins(["x"], ["y"]).counts()
    assert (votes.counts() + some).items == (*items, "x", "y")
    assert (votes.counts() + some).total == 1.0


@pytest.mark.parametrize("method", ["bradley-terry", "elo", "luce", "tally", "win-rate"])
def test_a_ranking_of_it_ranks_nobody_or_says_why_not(votes: pv.Votes, items: tuple[str, ...], method: str) -> None:
    if method == "luce" and len(items) > 1:
        # Items that nothing compares have no scores of maximum likelihood.
        with pytest.raises(pv.NotIdentifiedError, match="nothing compares"):
            pv.rank(votes, method=method)
        return
    ranking = pv.rank(votes, method=method)
    assert ranking.items == items
    assert sorted(ranking.order()) == list(items)
    assert len(ranking.scores) == len(items)
    known = ranking.scores[np.isfinite(ranking.scores)]
    np.testing.assert_allclose(known, known[:1].repeat(len(known)), atol=1e-12)
    assert str(ranking)
    assert repr(ranking)
    assert ranking._repr_html_()
    with pytest.raises(pv.InputError, match=f"k is 9; with {len(items)} items"):
        ranking.top(9)
    if method == "bradley-terry":
        assert len(ranking.tiers()) == len(items)
        assert ranking.standard_errors.shape == (len(items),)


# --- counts are equal by what they count ---

ROWS = st.lists(st.tuples(st.sampled_from([(0, 1), (1, 0), (2, 0), (1, 2)]), st.integers(0, 3)), max_size=4)


def counts_of(rows: list[tuple[tuple[int, int], int]], items: str = "abc") -> pv.PairCounts:
    sides = [[pair[side] for pair, _ in rows] for side in (0, 1)]
    return pv.Votes.from_codes(*sides, [outcome for _, outcome in rows], items=list(items)).counts()


def tallied(rows: list[tuple[tuple[int, int], int]]) -> Counter[tuple[Any, int]]:
    """What counts keep of the rows: of a pair the outcomes, of a skip only each of its items."""
    skipped = Counter((item, pv.Outcome.SKIP) for pair, outcome in rows if outcome == pv.Outcome.SKIP for item in pair)
    return skipped + Counter((pair, outcome) for pair, outcome in rows if outcome != pv.Outcome.SKIP)


@given(ROWS, ROWS | st.none(), st.randoms(use_true_random=False))
def test_counts_are_equal_where_they_count_the_same(ours: Any, theirs: Any, random: Any) -> None:
    if theirs is None:
        theirs = random.sample(ours, len(ours))
    assert (counts_of(ours) == counts_of(theirs)) == (tallied(ours) == tallied(theirs))
    assert (counts_of(ours) != counts_of(theirs)) == (tallied(ours) != tallied(theirs))
    half = len(ours) // 2
    assert counts_of(ours[:half]) + counts_of(ours[half:]) == counts_of(ours)


def test_counts_over_other_items_or_of_another_weight_are_not_equal() -> None:
    rows = [((0, 1), 2)]
    counts = counts_of(rows)
    assert counts != counts_of(rows, "abd")
    assert counts != counts_of(rows, "abcd")
    assert counts != counts_of(rows, "bac")
    assert counts != pv.Votes.from_codes([0], [1], [2], items=list("abc"), weight=[1.5]).counts()
    assert counts != counts.table.tolist()
    assert counts != None  # noqa: E711
    with pytest.raises(TypeError, match="unhashable"):
        hash(counts)
