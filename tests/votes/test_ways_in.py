"""Votes of winners, of totals by pair and of rankings; times; and the two orders of a pair folded."""

from __future__ import annotations

import datetime as dt
import itertools
import pickle
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv

LABELS = ["ash", "birch", "cedar", "oak"]


def refusal(make: Any, *arguments: Any, **options: Any) -> pv.InputError:
    with pytest.raises(pv.InputError) as caught:
        make(*arguments, **options)
    return caught.value


def won(votes: pv.Votes) -> Counter[tuple[str, str, bool]]:
    """How often each label beat or tied another, whichever side they stood on, by weight."""
    found: Counter[tuple[str, str, bool]] = Counter()
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    for left, right, outcome, times in zip(votes.left, votes.right, votes.outcome, weight, strict=True):
        pair = (votes.items[left], votes.items[right])
        if outcome == pv.Outcome.TIE:
            found[(*sorted(pair), True)] += times
        else:
            found[(*(pair if outcome == pv.Outcome.LEFT else pair[::-1]), False)] += times
    return found


# --- winners ---


def test_winners_take_all_that_labels_take() -> None:
    more = {"voter": ["u", "u", "v"], "weight": [1, 2, 3], "criterion": ["new", "new", "good"], "time": [3, 1, 2]}
    by_wins = pv.Votes.from_wins(["ash", "cedar", "ash"], ["birch", "birch", "cedar"], **more)
    by_labels = pv.Votes.from_labels(["ash", "cedar", "ash"], ["birch", "birch", "cedar"], ["left"] * 3, **more)
    assert by_wins.to_columns() == by_labels.to_columns()


# --- totals ---


@given(
    st.lists(
        st.tuples(st.permutations(LABELS).map(lambda labels: labels[:2]), *[st.sampled_from([0, 1, 2, 5])] * 3),
        max_size=5,
    ),
    st.booleans(),
)
def test_totals_are_as_many_votes(rows: Any, fractions: bool) -> None:
    left, right = ([pair[side] for pair, *_ in rows] for side in (0, 1))
    unit = 0.5 if fractions else 1
    totals = [[row[place] * unit for row in rows] for place in (1, 2, 3)]
    votes = pv.Votes.from_pairs(left, right, totals[0], totals[1], ties=totals[2], items=LABELS)
    expected: Counter[tuple[str, str, bool]] = Counter()
    for (first, second), wins, losses, ties in rows:
        expected[first, second, False] += wins * unit
        expected[second, first, False] += losses * unit
        expected[(*sorted([first, second]), True)] += ties * unit
    assert won(votes) == +expected
    whole = all(total == int(total) for column in totals for total in column)
    assert (votes.weight is None) is whole
    assert votes.items == tuple(LABELS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["ash"], ["birch"], [-1], [2]), r"left_wins at row 0 is -1; totals are finite and not negative"),
        ((["ash"], ["birch"], [1], ["two"]), r"right_wins at row 0 is 'two'; totals are numbers"),
        ((["ash"], ["birch"], [1, 2], [2]), r"left_wins has shape \(2,\) and there are 1 rows"),
        ((["ash", "oak"], ["birch", "oak"], [1, 0], [2, 0]), r"row 1 has 'oak' against itself"),
        ((["ash"], [None], [1], [2]), r"right at row 0 is missing"),
    ],
)
def test_wrong_totals_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_pairs(*arguments)


# --- rankings ---


@given(st.lists(st.permutations(LABELS).flatmap(lambda p: st.integers(0, len(p)).map(lambda n: p[:n])), max_size=4))
def test_a_ranking_is_a_vote_for_every_two(rankings: Any) -> None:
    votes = pv.Votes.from_rankings(rankings, items=LABELS)
    expected = Counter((*pair, False) for ranking in rankings for pair in itertools.combinations(ranking, 2))
    assert won(votes) == expected
    rankers = Counter(n for n, ranking in enumerate(rankings) for _ in itertools.combinations(ranking, 2))
    assert Counter(votes.voters[code] for code in votes.voter.tolist()) == rankers


def test_items_on_one_place_tie() -> None:
    votes = pv.Votes.from_rankings([["ash", ["birch", "oak"], "cedar"]], voter=["anna"])
    better = [("ash", "birch"), ("ash", "oak"), ("ash", "cedar"), ("birch", "cedar"), ("oak", "cedar")]
    assert won(votes) == Counter({**{(*pair, False): 1 for pair in better}, ("birch", "oak", True): 1})
    assert votes.voters == ("anna",)


def test_one_voter_may_rank_twice_and_a_tuple_is_a_label() -> None:
    votes = pv.Votes.from_rankings([[("a", 1), ("b", 2)], [("b", 2), ("a", 1)]], voter=["u", "u"])
    assert votes.items == (("a", 1), ("b", 2))
    assert votes.voter.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("rankings", "options", "message"),
    [
        ("ash", {}, r"rankings is 'ash'; pass a list of rankings"),
        ([["ash"], "birch"], {}, r"ranking 1 is 'birch'; pass its labels as a list"),
        ([["ash", "birch"], ["ash", "oak", "ash"]], {}, r"ranking 1 has 'ash' twice"),
        ([["ash", None]], {}, r"an item at ranking 0 is missing"),
        ([["ash", "oak"]], {"items": ["ash"]}, r"an item at ranking 0 is 'oak', which is not among the 1 items"),
        ([["ash", "oak"]], {"voter": ["u", "v"]}, r"voter has 2 entries and rankings has 1"),
        ([["ash", {}]], {}, r"not hashable"),
    ],
)
def test_wrong_rankings_are_refused(rankings: Any, options: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_rankings(rankings, **options)


# --- times ---

MOMENTS = [dt.datetime(2014, 5, 1, 12), dt.datetime(2014, 5, 1, 11, 59, 59, 1), dt.datetime(2014, 5, 2)]
TEXTS = ["2014-05-01T12:00:00", "2014-05-01 11:59:59.000001", "2014-05-02"]
ZONED = ["2014-05-01T14:00:00+02:00", "2014-05-01T11:59:59.000001Z", "2014-05-02T00:00:00Z"]


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ([3, 1, 2], np.int64),
        (["3", "1", "2"], np.int64),
        (np.array([3, 1, 2], np.uint8), np.int64),
        ([3, 1.5, 2], np.float64),
        (pl.Series([3.0, 1.0, 2.0]), np.float64),
        ([2**60 + 3, 2**60 + 1, 2**60 + 2], np.int64),
        (MOMENTS, "M8[us]"),
        (TEXTS, "M8[us]"),
        (ZONED, "M8[us]"),
        (np.array(TEXTS, "M8[ns]"), "M8[us]"),
        (pd.Series(MOMENTS), "M8[us]"),
        (pd.Series(pd.to_datetime(ZONED, format="ISO8601", utc=True)), "M8[us]"),
        (pl.Series(MOMENTS), "M8[us]"),
        (pa.array(MOMENTS), "M8[us]"),
        (pd.Series(pd.Categorical(TEXTS)), "M8[us]"),
        ([MOMENTS[0], "2014-04-30", dt.date(2014, 5, 1)], "M8[us]"),
    ],
    ids=str,
)
def test_times_are_kept_to_the_last_digit(column: Any, dtype: Any) -> None:
    votes = pv.Votes.from_labels(["ash"] * 3, ["birch"] * 3, ["left"] * 3, time=column)
    assert votes.time.dtype == dtype
    assert np.argsort(votes.time).tolist() == [1, 2, 0] if votes.time.dtype != "M8[us]" else [1, 0, 2]
    if votes.time.dtype == "M8[us]" and dtype == "M8[us]" and "04-30" not in str(column):
        assert votes.time.tolist() == MOMENTS
    copies = (
        pickle.loads(pickle.dumps(votes)),
        votes.where(np.ones(3, bool)),
        pv.Votes.from_frame(votes.to_frame(), time="time"),
    )
    for copy in copies:
        assert copy.time.tolist() == votes.time.tolist()
    assert (votes + votes).time.tolist() == votes.time.tolist() * 2


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1, None], r"time at row 1 is missing"),
        (np.array(["2014", "NaT"], "M8[us]"), r"time at row 1 is missing"),
        ([1.0, float("nan")], r"time at row 1 is missing"),
        ([1.0, float("inf")], r"time at row 1 is inf, which is not finite"),
        ([1, "noon"], r"time at row 1 is 'noon', .*ISO 8601"),
        ([True, 1], r"time at row 0 is True"),
        (["2014-05-01", 3], r"time at row 1 is 3, .*make all times of one kind"),
        (["2014-05-01T00:00Z", "2014-05-01T00:00"], r"time at row 1 .*a time zone"),
        (np.array([1, 2], "M8[ns]"), r"time at row 0 is .*, which is finer than a microsecond"),
        ([2**63, 1], r"time at row 0 is 9223372036854775808"),
        ([1], r"time has shape \(1,\) and there are 2 votes"),
        ("now", r"time is 'now'"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(column: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left"] * 2, time=column)


def test_times_of_some_votes_only_are_refused() -> None:
    with_times = pv.Votes.from_wins(["ash"], ["birch"], time=[1])
    without, moments = (
        pv.Votes.from_wins(["ash"], ["birch"]),
        pv.Votes.from_wins(["ash"], ["birch"], time=["2014-05-01"]),
    )
    for other in (without, moments):
        assert refusal(with_times.__add__, other).option == "time"
    nothing = without.where([False])
    assert (nothing + with_times).time.tolist() == (with_times + nothing).time.tolist() == [1]


# --- the two orders of a pair ---

ROWS = st.lists(
    st.tuples(
        st.sampled_from("uv"),
        st.permutations(LABELS[:3]).map(lambda labels: tuple(labels[:2])),
        st.sampled_from(["left", "right", "tie", "skip"]),
        st.sampled_from(["new", "good"]),
    ),
    max_size=14,
)


def folded_by_hand(rows: Any) -> list[tuple[str, tuple[str, str], str, str]]:
    """Row by row: each looks for the first row before it that waits for the other order of its pair."""
    waiting: dict[Any, list[int]] = {}
    found: list[Any] = []
    for voter, pair, outcome, criterion in rows:
        found.append((voter, pair, outcome, criterion))
        if outcome == "skip":
            continue
        partners = waiting.get((voter, pair[::-1], criterion), [])
        if not partners:
            waiting.setdefault((voter, pair, criterion), []).append(len(found) - 1)
            continue
        place = partners.pop(0)
        turned = {"left": "right", "right": "left"}.get(outcome, outcome)
        first = found[place][2]
        found[place] = (*found[place][:2], first if first == turned else "tie", criterion)
        found[-1] = None
    return [row for row in found if row is not None]


@given(ROWS)
def test_orders_are_folded_as_by_hand(rows: Any) -> None:
    voter, pairs, outcome, criterion = (list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 4
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    votes = pv.Votes.from_labels(left, right, outcome, voter=voter, criterion=criterion)
    folded = votes.fold_orders()
    columns = folded.to_columns()
    found = list(
        zip(
            columns["voter"],
            zip(columns["left"], columns["right"], strict=True),
            columns["outcome"],
            columns["criterion"],
            strict=True,
        )
    )
    assert found == folded_by_hand(rows)
    assert votes.fold_orders(by=voter).to_columns() == columns


def test_graded_orders_become_their_mean() -> None:
    left, right, shares = [*"ABABAB"], [*"BABABA"], [0.9, 0.3, 0.6, "left", 0.25, 0.25]
    votes = pv.Votes.from_labels(left, right, shares, outcomes="share", voter=[*"uuvvww"])
    folded = votes.fold_orders()
    np.testing.assert_allclose(folded.share, [(0.9 + 0.7) / 2, (0.6 + 0.0) / 2, 0.5])
    assert folded.outcome.tolist() == [2, 0, 1]


def test_orders_that_cannot_be_folded_are_refused() -> None:
    pair = {"left": [*"AB"], "right": [*"BA"], "outcome": ["left"] * 2}
    assert refusal(pv.Votes.from_labels(**pair).fold_orders).option == "voter"
    assert refusal(pv.Votes.from_labels(**pair, voter=["u", None]).fold_orders).where == "row 1"
    weighted = pv.Votes.from_labels(**pair, voter=["u", "u"], weight=[1, 2])
    assert "rows 0 and 1" in refusal(weighted.fold_orders).problem
    assert len(weighted.fold_orders(by=[1, 2])) == 2
    assert refusal(weighted.fold_orders, by=[1]).option == "by"
    assert refusal(weighted.fold_orders, by="judge").option == "by"


# --- weights ---


@pytest.mark.parametrize("weight", [[2**53 + 1], np.array([2**53 + 1]), [2**53 + 1, 0.5], pa.array([2**53 + 1])])
def test_a_weight_that_would_change_is_refused(weight: Any) -> None:
    n_votes = len(weight)
    with pytest.raises(pv.InputError, match=r"weight at row 0 is 9007199254740993, which is not kept exactly"):
        pv.Votes.from_labels(["ash"] * n_votes, ["birch"] * n_votes, ["left"] * n_votes, weight=weight)
    kept = pv.Votes.from_labels(["ash"], ["birch"], ["left"], weight=[2**53 + 2])
    assert kept.weight.tolist() == [2**53 + 2]
