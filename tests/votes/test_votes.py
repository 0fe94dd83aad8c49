"""Votes: every road in gives the same table; adding, picking and giving out change nothing but what they say."""

from __future__ import annotations

import array
import copy
import pickle
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import DECIDED, INTEGERS, ROADS, TEXT, Columns, Sample, assert_same_votes, columns, first_seen, samples

import pairvote as pv

LEFT, RIGHT, OUTCOME = ["ash", "birch", "ash"], ["birch", "cedar", "cedar"], ["left", "tie", "right"]
ARRAYS = ("left", "right", "outcome", "voter", "weight", "criterion")


def test_a_table_of_votes_holds_codes_and_labels() -> None:
    votes = pv.Votes.from_labels(
        LEFT, RIGHT, OUTCOME, voter=["bo", None, "anna"], weight=[1, 0, 2.5], criterion=["new", "useful", None]
    )
    assert (len(votes), votes.n_items) == (3, 3)
    assert votes.items == ("ash", "birch", "cedar")
    assert (votes.voters, votes.criteria) == (("bo", "anna"), ("new", "useful"))
    expected = {
        "left": ([0, 1, 0], np.int32),
        "right": ([1, 2, 2], np.int32),
        "outcome": ([2, 1, 0], np.uint8),
        "voter": ([0, -1, 1], np.int32),
        "weight": ([1.0, 0.0, 2.5], np.float64),
        "criterion": ([0, 1, -1], np.int32),
    }
    for name, (values, dtype) in expected.items():
        column = getattr(votes, name)
        assert column.tolist() == values, name
        assert column.dtype == dtype, name


@pytest.mark.parametrize(
    ("votes", "text"),
    [
        (pv.Votes.from_labels([], [], []), "Votes(0 votes, 0 items: 0 left, 0 right, 0 tie, 0 skip)"),
        (pv.Votes.from_labels(LEFT, RIGHT, OUTCOME), "Votes(3 votes, 3 items: 1 left, 1 right, 1 tie, 0 skip)"),
        (
            pv.Votes.from_labels(["a"], ["b"], ["skip"], voter=["anna"]),
            "Votes(1 vote, 2 items, 1 voter: 0 left, 0 right, 0 tie, 1 skip)",
        ),
        (
            pv.Votes.from_codes(np.zeros(1200, int), np.ones(1200, int), np.full(1200, 2), voter=range(1200)),
            "Votes(1,200 votes, 2 items, 1,200 voters: 1,200 left, 0 right, 0 tie, 0 skip)",
        ),
    ],
)
def test_repr_says_how_many_of_what(votes: pv.Votes, text: str) -> None:
    assert repr(votes) == text


def test_nothing_can_be_assigned_or_written_to() -> None:
    votes = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, voter=LEFT, weight=[1, 2, 3], criterion=LEFT)
    with pytest.raises(FrozenInstanceError):
        votes.items = ()  # type: ignore[misc]
    tables = [votes, votes.where([True, True, False]), votes + votes, votes.select("ash")]
    tables += [pickle.loads(pickle.dumps(votes)), copy.deepcopy(votes)]
    for table in tables:
        for name in ARRAYS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(table, name)[0] = 1


@given(columns())
def test_pickling_and_copying_change_nothing(table: Columns) -> None:
    votes = pv.Votes.from_labels(**table)
    assert_same_votes(pickle.loads(pickle.dumps(votes)), votes)
    assert_same_votes(copy.deepcopy(votes), votes)


def test_the_callers_arrays_are_neither_frozen_nor_shared() -> None:
    theirs = {
        "left": np.array([0, 1, 0], np.int32),
        "right": np.array([1, 2, 2], np.int32),
        "outcome": np.array([2, 1, 0], np.uint8),
        "voter": np.array([0, 1, 0], np.int32),
        "weight": np.array([1.0, 2.0, 3.0]),
        "criterion": np.array([1, 1, 0], np.int32),
    }
    labelled = {**theirs, "outcome": np.array(OUTCOME)}
    items = np.array(["ash", "birch", "cedar"])
    tables = [pv.Votes.from_codes(**theirs, items=items), pv.Votes.from_labels(**labelled)]
    mask = np.array([True, False, True])
    tables.append(tables[0].where(mask))
    before = [pickle.dumps(votes.to_columns()) for votes in tables]
    for given_array in (*theirs.values(), labelled["outcome"], items, mask):
        given_array[:] = given_array[::-1].copy()
    assert [pickle.dumps(votes.to_columns()) for votes in tables] == before

    wins, ties = np.array([[0.0, 2.5], [1, 0]]), np.array([[0.0, 1], [1, 0]])
    votes = pv.Votes.from_matrix(wins, ties=ties)
    wins[:], ties[:] = 7, 7
    assert votes.weight is not None
    assert votes.weight.tolist() == [2.5, 1.0, 1.0]


@given(columns())
def test_labels_keep_first_seen_order(table: Columns) -> None:
    votes = pv.Votes.from_labels(**table)
    assert list(votes.items) == first_seen(table["left"], table["right"])
    assert list(votes.voters) == first_seen(table.get("voter", []))
    assert list(votes.criteria) == first_seen(table.get("criterion", []))


@given(columns())
def test_to_columns_gives_back_what_came_in(table: Columns) -> None:
    assert pv.Votes.from_labels(**table).to_columns() == table


@given(columns(), st.randoms(use_true_random=False), st.data())
def test_items_fixes_the_order_and_may_hold_more(table: Columns, random: Any, data: st.DataObject) -> None:
    seen = first_seen(table["left"], table["right"])
    more = data.draw(st.lists(TEXT.filter(lambda label: label not in seen), max_size=2, unique=True))
    items = [*seen, *more]
    random.shuffle(items)
    votes = pv.Votes.from_labels(**table, items=items)
    assert list(votes.items) == items
    assert votes.to_columns() == table
    assert_same_votes(pv.Votes.from_labels(**table, items=iter(items)), votes)


@given(columns())
def test_codes_and_records_are_the_same_votes_as_labels(table: Columns) -> None:
    votes = pv.Votes.from_labels(**table)
    places = {label: place for place, label in enumerate(votes.items)}
    rest = {name: values for name, values in table.items() if name not in ("left", "right", "outcome")}
    left, right = ([places[label] for label in table[side]] for side in ("left", "right"))
    outcome = [pv.Outcome[name.upper()] for name in table["outcome"]]
    for codes in (outcome, np.array(outcome, np.int8), pd.Series(outcome, dtype=int), tuple(table["outcome"])):
        assert_same_votes(pv.Votes.from_codes(left, right, codes, items=votes.items, **rest), votes)

    records = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    # A column in which nothing is known is no column.
    kept = {name: values for name, values in table.items() if any(value is not None for value in values)}
    kept = {**kept, **{name: table[name] for name in ("left", "right", "outcome")}}
    assert_same_votes(pv.Votes.from_records(records), pv.Votes.from_labels(**kept))
    assert_same_votes(pv.Votes.from_records(iter(records)), pv.Votes.from_labels(**kept))


@given(columns(with_weight=False))
def test_records_of_three_and_four_are_the_same_votes(table: Columns) -> None:
    table.pop("criterion", None)
    records = list(zip(*table.values(), strict=True))
    if not any(label is not None for label in table.get("voter", [])):
        table.pop("voter", None)
    assert_same_votes(pv.Votes.from_records(records), pv.Votes.from_labels(**table))


def test_records_of_three_and_four_and_mappings_mix() -> None:
    records = [("a", "b", "left"), ["b", "c", pv.Outcome.TIE, "anna"], {"left": "c", "right": "a", "outcome": "skip"}]
    columns = {"left": list("abc"), "right": list("bca"), "outcome": ["left", "tie", "skip"]}
    assert_same_votes(pv.Votes.from_records(records), pv.Votes.from_labels(**columns, voter=[None, "anna", None]))


@given(st.lists(st.tuples(INTEGERS, INTEGERS).filter(lambda pair: pair[0] != pair[1])), st.booleans())
def test_arrays_of_integers_are_the_same_votes_as_lists(pairs: list[tuple[int, int]], near: bool) -> None:
    if near:
        pairs = [(left % 7 - 3, right % 7 + 10) for left, right in pairs]
    left, right = ([pair[side] for pair in pairs] for side in (0, 1))
    outcome = ["left"] * len(pairs)
    votes = pv.Votes.from_labels(left, right, outcome)
    assert_same_votes(pv.Votes.from_labels(np.array(left, np.int64), np.array(right, np.int64), outcome), votes)
    mixed = pv.Votes.from_labels(np.array(left, np.int64), right, outcome, voter=np.array(right, np.int64))
    assert_same_votes(mixed, pv.Votes.from_labels(left, right, outcome, voter=right))


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<i8", ">i8", "<u8", ">u8"])
def test_arrays_of_every_integer_type_keep_their_extremes(dtype: str) -> None:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    left, right = np.array([low, high, 5], dtype), np.array([high, 3, 4], dtype)
    votes = pv.Votes.from_labels(left, right, OUTCOME)
    assert_same_votes(votes, pv.Votes.from_labels([low, high, 5], [high, 3, 4], OUTCOME))
    assert_same_votes(
        pv.Votes.from_codes(np.array([0, 1, 2], dtype), np.array([1, 2, 0], dtype), np.array([2, 1, 0], dtype)),
        pv.Votes.from_codes([0, 1, 2], [1, 2, 0], [2, 1, 0]),
    )


@pytest.mark.parametrize(("dtype", "reach"), [("i1", 100), ("i2", 20_000), ("i4", 2**30 + 1)])
def test_labels_may_lie_further_apart_than_their_type_reaches(dtype: str, reach: int) -> None:
    n_votes = 15_000
    left, right = (np.resize(np.array(labels, dtype), n_votes) for labels in ([-reach, reach], [0, 1, 2]))
    outcome = ["left"] * n_votes
    assert_same_votes(
        pv.Votes.from_labels(left, right, outcome), pv.Votes.from_labels(left.tolist(), right.tolist(), outcome)
    )


@pytest.mark.parametrize("spread", [1, 1000, 10**12])
def test_wide_and_narrow_ranges_of_integers_are_coded_alike(spread: int) -> None:
    rng = np.random.default_rng(1)
    left = rng.integers(-20, 20, 500) * spread
    right = left + spread * rng.integers(1, 5, 500)
    outcome = ["left"] * 500
    assert_same_votes(
        pv.Votes.from_labels(left, right, outcome), pv.Votes.from_labels(left.tolist(), right.tolist(), outcome)
    )


def test_first_seen_order_holds_over_many_rows() -> None:
    rng = np.random.default_rng(2)
    # The labels of the last rows turn up nowhere before.
    left = np.concatenate([rng.integers(0, 50, 40_000), [900, 800]])
    right = np.concatenate([rng.integers(50, 100, 40_000), [700, 600]])
    votes = pv.Votes.from_labels(left, right, np.full(40_002, "tie"))
    assert list(votes.items) == first_seen(left.tolist(), right.tolist())
    assert votes.items[-4:] == (900, 700, 800, 600)
    assert np.array_equal(np.array(votes.items)[votes.left], left)


@pytest.mark.parametrize("step", [2, -1, -3])
def test_strided_arrays_of_codes_are_taken(step: int) -> None:
    codes = np.arange(60, dtype=np.int32)
    left, right, weight = codes[::step], codes[::-1][::step], np.arange(1.0, 61.0)[::step]
    keep = left != right
    left, right, weight = left[keep], right[keep], weight[keep]
    votes = pv.Votes.from_codes(left[::-1], right[::-1], np.full(len(left), 2)[::-1], n_items=60, weight=weight[::-1])
    assert votes.left.tolist() == left.tolist()[::-1]
    assert votes.left.flags.c_contiguous
    assert votes.counts().n_pairs == len(left)


@pytest.mark.parametrize(
    "left",
    [
        (label for label in LEFT),
        tuple(LEFT),
        deque(LEFT),
        iter(LEFT),
        map(str, LEFT),
        dict(enumerate(LEFT)).values(),
        np.array(LEFT),
        np.array(LEFT, object),
        pd.Series(LEFT),
        pd.Series(LEFT, index=[7, 7, 3]),
        pd.Index(LEFT),
        pd.Categorical(LEFT, categories=["zelkova", "birch", "ash"]),
        pd.Series(pd.Categorical(LEFT, categories=["zelkova", "birch", "ash"])),
        pd.CategoricalIndex(LEFT),
    ],
    ids=lambda left: type(left).__name__,
)
def test_any_column_of_labels_will_do(left: Any) -> None:
    assert_same_votes(pv.Votes.from_labels(left, RIGHT, OUTCOME), pv.Votes.from_labels(LEFT, RIGHT, OUTCOME))


def test_ranges_and_array_arrays_are_columns_too() -> None:
    votes = pv.Votes.from_labels([1, 2], [3, 4], ["left", "tie"])
    assert_same_votes(pv.Votes.from_labels(range(1, 3), array.array("q", [3, 4]), deque(["left", "tie"])), votes)


@pytest.mark.parametrize("name", ROADS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", " "),
        ("nan", "None"),
        ("å", "a\u030a"),
        ("\x00", "\ufeff"),
        ("👩‍🌾", "\u202e"),
        ("\ud800", "x" * 10_000),
        (0, -1),
        (2**70, -(2**70)),
        ((), (1, "a")),
        (b"", 0.5),
        (frozenset("a"), frozenset("b")),
        (pv.Outcome, int),
    ],
)
def test_any_hashable_is_a_label(name: str, one: Hashable, other: Hashable) -> None:
    make, _ = ROADS[name]
    votes = make([one, other], [other, one], ["left", "left"])
    assert votes.items == (one, other)
    assert (votes.left.tolist(), votes.right.tolist()) == ([0, 1], [1, 0])


def test_zero_votes_and_skips_only_are_votes() -> None:
    empty = pv.Votes.from_labels([], [], [])
    for votes in (
        pv.Votes.from_codes([], [], []),
        pv.Votes.from_codes(np.empty(0), np.empty(0), np.empty(0)),
        pv.Votes.from_codes([], [], [], n_items=0),
        pv.Votes.from_records([]),
        pv.Votes.from_wins([], []),
        pv.Votes.from_matrix(np.zeros((0, 0))),
        pv.Votes.from_choix([]),
        pv.Votes.from_labels(iter([]), np.array([], int), np.array([], str)),
    ):
        assert_same_votes(votes, empty)
    none_left = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME).where([False] * 3)
    assert (none_left.items, len(none_left)) == (("ash", "birch", "cedar"), 0)
    assert pv.Votes.from_codes([], [], [], n_items=3).items == (0, 1, 2)
    assert pv.Votes.from_labels([], [], [], items=LEFT[:2], voter=[], weight=[]).items == ("ash", "birch")
    assert pv.Votes.from_labels(LEFT, RIGHT, ["skip"] * 3).outcome.tolist() == [3, 3, 3]


def test_without_items_codes_are_their_own_labels() -> None:
    assert pv.Votes.from_codes([0, 4], [2, 0], [2, 2]).items == (0, 1, 2, 3, 4)
    assert pv.Votes.from_codes([0, 1], [2, 0], [2, 2], n_items=np.int64(4)).items == (0, 1, 2, 3)
    assert pv.Votes.from_codes([0], [1], [2], n_items=2, items=["a", "b"]).items == ("a", "b")


@given(samples(outcomes=DECIDED, weights=None))
def test_choix_pairs_go_there_and_back(sample: Sample) -> None:
    votes = sample.votes()
    pairs = [(a, b) if outcome == 2 else (b, a) for a, b, outcome, _ in sample.rows]
    assert votes.to_choix() == pairs
    back = pv.Votes.from_choix(iter(pairs), n_items=sample.n_items)
    assert_same_votes(back, pv.Votes.from_wins(*([p[i] for p in pairs] for i in (0, 1)), items=range(sample.n_items)))
    assert back.to_choix() == pairs


def test_to_choix_leaves_out_skips_and_wants_a_word_about_ties() -> None:
    votes = pv.Votes.from_codes([0, 1, 2], [1, 2, 0], [2, 3, 0])
    assert votes.to_choix() == [(0, 1), (0, 2)]
    tied = votes + pv.Votes.from_codes([0, 0], [1, 2], [1, 1])
    with pytest.raises(pv.InputError, match=r"2 of the votes are ties.*ties='drop'"):
        tied.to_choix()
    assert tied.to_choix(ties="drop") == [(0, 1), (0, 2)]
    with pytest.raises(pv.InputError, match=r"ties is 'half'; use 'raise' or 'drop'"):
        tied.to_choix(ties="half")  # type: ignore[arg-type]
    with pytest.raises(pv.InputError, match=r"weights, which choix does not know; repeat the rows"):
        pv.Votes.from_codes([0], [1], [2], weight=[1.0]).to_choix()


@pytest.mark.parametrize(
    "weight",
    [[1, 0, 2], (1.0, 0.0, 2.0), np.array([1, 0, 2], np.int8), np.array([1, 0, 2], ">f4"), pd.Series([1, 0, 2])],
    ids=lambda weight: type(weight).__name__,
)
def test_weights_may_be_any_numbers(weight: Any) -> None:
    votes = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, weight=weight)
    assert votes.weight is not None
    assert (votes.weight.tolist(), votes.weight.dtype) == ([1.0, 0.0, 2.0], np.dtype(float))


@pytest.mark.parametrize(
    "items",
    [
        ("ash", "birch", "cedar", "dogwood"),
        (label for label in ("ash", "birch", "cedar", "dogwood")),
        np.array(["ash", "birch", "cedar", "dogwood"]),
        pd.Series(["ash", "birch", "cedar", "dogwood"]),
        pd.Series(
            pd.Categorical(["ash", "birch", "cedar", "dogwood"], categories=["dogwood", "cedar", "birch", "ash"])
        ),
        deque(["ash", "birch", "cedar", "dogwood"]),
    ],
    ids=lambda items: type(items).__name__,
)
def test_items_may_come_in_any_ordered_collection(items: Any) -> None:
    assert pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, items=items).items == ("ash", "birch", "cedar", "dogwood")


def test_a_label_that_no_row_bears_may_be_outside_items() -> None:
    left = pd.Series(pd.Categorical(["ash"], categories=["ash", "zelkova"]))
    assert pv.Votes.from_labels(left, ["birch"], ["left"], items=["birch", "ash"]).items == ("birch", "ash")


def test_times_stay_times() -> None:
    days = np.array(["2014-05-01", "2014-05-02"], "M8[ns]")
    votes = pv.Votes.from_labels(days, days[::-1], ["left", "left"])
    assert votes.items == (days[0], days[1])
    with pytest.raises(pv.InputError, match=r"right at row 1 is missing"):
        pv.Votes.from_labels(days, np.array(["2015-01-01", "NaT"], "M8[ns]"), ["left", "left"])


def test_generators_are_read_once_each() -> None:
    def once(values: list[Any]) -> Iterator[Any]:
        yield from values

    votes = pv.Votes.from_labels(
        once(LEFT),
        once(RIGHT),
        once(OUTCOME),
        voter=once(LEFT),
        criterion=once(RIGHT),
        items=once(["cedar", *LEFT[:2]]),
    )
    expected = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, voter=LEFT, criterion=RIGHT, items=["cedar", "ash", "birch"])
    assert_same_votes(votes, expected)


@st.composite
def matrices(draw: st.DrawFn, entries: st.SearchStrategy[Any]) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(0, 4))
    wins, ties = (np.array(draw(st.lists(entries, min_size=n * n, max_size=n * n))).reshape(n, n) for _ in range(2))
    return np.where(np.eye(n), 0, wins), np.triu(ties, 1) + np.triu(ties, 1).T


@given(matrices(st.integers(0, 3)))
def test_whole_numbers_give_a_row_for_every_vote(tables: tuple[np.ndarray, np.ndarray]) -> None:
    wins, ties = tables
    n = len(wins)
    rows = [(i, j, 2) for i in range(n) for j in range(n) for _ in range(wins[i, j])]
    rows += [(i, j, 1) for i in range(n) for j in range(i + 1, n) for _ in range(ties[i, j])]
    expected = pv.Votes.from_codes(*([row[k] for row in rows] for k in range(3)), n_items=n)
    assert_same_votes(pv.Votes.from_matrix(wins, ties=ties), expected)
    assert_same_votes(pv.Votes.from_matrix(wins.astype(float), ties=ties.tolist() if n else ties), expected)


@given(matrices(st.integers(0, 3).map(lambda n: n * 0.75)))
def test_fractions_give_a_weighted_row_for_every_cell(tables: tuple[np.ndarray, np.ndarray]) -> None:
    wins, ties = tables
    n = len(wins)
    votes = pv.Votes.from_matrix(wins, ties=ties, items=[f"item {i}" for i in range(n)])
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    won, tied = np.zeros((n, n)), np.zeros((n, n))
    for row in range(len(votes)):
        assert votes.outcome[row] in (1, 2)
        table = won if votes.outcome[row] == 2 else tied
        table[votes.left[row], votes.right[row]] += weight[row]
    np.testing.assert_array_equal(won, wins)
    np.testing.assert_array_equal(tied + tied.T, ties)
    if ((wins % 1) > 0).any():
        assert len(votes) == np.count_nonzero(wins) + np.count_nonzero(ties) // 2


def test_a_table_of_more_wins_than_rows_can_be_held_is_weighted() -> None:
    votes = pv.Votes.from_matrix([[0, 1e15], [1e300, 0]])
    assert votes.weight is not None
    assert votes.weight.tolist() == [1e15, 1e300]


@pytest.mark.slow
@given(columns(), columns())
def test_adding_votes_is_adding_rows(ours: Columns, theirs: Columns) -> None:
    fill = {"voter": None, "weight": 1.0, "criterion": None}
    lengths = (len(ours["left"]), len(theirs["left"]))
    both: Columns = {name: ours[name] + theirs[name] for name in ("left", "right", "outcome")}
    for name, value in fill.items():
        if name in ours or name in theirs:
            parts = (table.get(name, [value] * n) for table, n in zip((ours, theirs), lengths, strict=True))
            both[name] = [entry for part in parts for entry in part]
    assert_same_votes(pv.Votes.from_labels(**ours) + pv.Votes.from_labels(**theirs), pv.Votes.from_labels(**both))


def test_adding_keeps_items_without_votes_and_takes_only_votes() -> None:
    ours = pv.Votes.from_labels(["a"], ["b"], ["left"], items=["z", "b", "a"])
    theirs = pv.Votes.from_labels(["c"], ["z"], ["tie"], items=["y", "c", "z"])
    assert (ours + theirs).items == ("z", "b", "a", "y", "c")
    assert (ours + theirs).to_columns() == {"left": ["a", "c"], "right": ["b", "z"], "outcome": ["left", "tie"]}
    with pytest.raises(TypeError, match="unsupported operand"):
        ours + "abc"  # type: ignore[operator]


@given(columns(), st.data())
def test_where_keeps_the_codes_of_the_rows_it_keeps(table: Columns, data: st.DataObject) -> None:
    votes = pv.Votes.from_labels(**table)
    mask = data.draw(st.lists(st.booleans(), min_size=len(votes), max_size=len(votes)))
    kept = votes.where(np.array(mask, bool))
    for name in ("items", "voters", "criteria"):
        assert getattr(kept, name) == getattr(votes, name)
    rows = [row for row, keep in enumerate(mask) if keep]
    assert kept.to_columns() == {name: [values[row] for row in rows] for name, values in table.items()}


@given(columns())
def test_select_keeps_the_rows_on_one_criterion(table: Columns) -> None:
    votes = pv.Votes.from_labels(**table)
    named = set(table.get("criterion", [None]))
    for criterion in votes.criteria:
        selected = votes.select(criterion)
        rows = [row for row, label in enumerate(table["criterion"]) if label == criterion]
        assert selected.to_columns() == {name: [values[row] for row in rows] for name, values in table.items()}
        assert selected.items == votes.items
        # Chosen once, it need not be chosen again.
        assert selected.select(None) is selected
    if len(named) <= 1:
        assert votes.select(None) is votes
    else:
        with pytest.raises(pv.InputError, match=r"several criteria \(.*\); choose one with criterion="):
            votes.select(None)
