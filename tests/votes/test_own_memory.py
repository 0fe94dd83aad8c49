"""Tables of votes and counts are checked however they are made, and nobody else can change their arrays."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv

VOTES = pv.Votes.from_labels(
    ["ash", "birch", "ash"],
    ["birch", "cedar", "cedar"],
    ["left", "tie", "skip"],
    voter=["anna", None, "bo"],
    weight=[1.0, 0.5, 2.0],
    criterion=["new", "useful", None],
)
COUNTS = VOTES._changed(criterion=None, criteria=()).counts()


def constructed(table: Any, column: dict[str, Any]) -> Any:
    return type(table)(**{field.name: getattr(table, field.name) for field in fields(table)} | column)


def restored(table: Any, column: dict[str, Any]) -> Any:
    made = object.__new__(type(table))
    made.__setstate__(vars(table) | column)
    return made


def unpickled(table: Any, column: dict[str, Any]) -> Any:
    return pickle.loads(pickle.dumps(type(table)._unchecked(**vars(table) | column)))


def copied(table: Any, column: dict[str, Any]) -> Any:
    return copy.deepcopy(type(table)._unchecked(**vars(table) | column))


WAYS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "constructed": constructed,
    "replaced": lambda table, column: replace(table, **column),
    "restored": restored,
    "unpickled": unpickled,
    "copied": copied,
}
ways = pytest.mark.parametrize("way", WAYS)


@ways
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"left": [0, 1, 3]}, "left at row 2 is 3; it lies between 0 and 2"),
        ({"left": [0, -1, 0]}, "left at row 1 is -1"),
        ({"right": [1, 2, 2**30]}, "right at row 2 is 1073741824"),
        ({"right": [0, 2, 2]}, "row 0 has 'ash' against itself"),
        ({"right": [1, 2]}, "right has 2 entries and there are 3 rows"),
        ({"left": [[0, 1, 0]]}, "left has shape"),
        ({"left": [0.0, 1.0, 0.0]}, "left has shape .* and type float64"),
        ({"left": "abc"}, "left has shape"),
        ({"outcome": [2, 1, 4]}, "outcome at row 2 is 4; it lies between 0 and 3"),
        ({"outcome": [2, 1, -1]}, "outcome at row 2 is -1"),
        ({"voter": [0, -2, 1]}, "voter at row 1 is -2; it lies between -1 and 1"),
        ({"voter": [0, 2, 1]}, "voter at row 1 is 2"),
        ({"voters": ("anna",)}, "voter at row 2 is 1"),
        ({"criterion": [0, 1, 2]}, "criterion at row 2 is 2"),
        ({"weight": [1.0, np.nan, 1.0]}, "weight at row 1 is nan"),
        ({"weight": [1.0, 1.0, np.inf]}, "weight at row 2 is inf"),
        ({"weight": [-1.0, 1.0, 1.0]}, "weight at row 0 is -1"),
        ({"weight": [1.0]}, "weight has shape"),
        ({"items": ("ash", "birch")}, "right at row 1 is 2"),
        ({"items": ["ash", "birch", "cedar"]}, "items is .*; pass a tuple of labels"),
        ({"voters": None}, "voters is None; pass a tuple"),
    ],
)
def test_votes_with_impossible_columns_are_refused(way: str, column: dict[str, Any], message: str) -> None:
    arrays = {
        name: np.array(values) if isinstance(values, list) and name != "items" else values
        for name, values in column.items()
    }
    with pytest.raises(pv.InputError, match=message):
        WAYS[way](VOTES, arrays)


@ways
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"start": [0, 2, 3]}, "start has 3 entries"),
        ({"start": [1, 1, 1, 2]}, "start begins with 1"),
        ({"start": [0, 0, 0, 1]}, "start begins with 0 and ends with 1"),
        ({"start": [0, 2, 1, 2]}, "rises from 0 to the 2 pairs"),
        ({"start": [0, 3, 2, 2]}, "start at row 1 is 3"),
        ({"start": [0, 2, 2, 2], "right": [2, 1]}, "right at row 1 is 1, in the row of item 0; .* rising order"),
        ({"start": [0, 2, 2, 2], "right": [1, 1]}, "right at row 1 is 1, in the row of item 0"),
        ({"right": [1, 3]}, "right at row 1 is 3; it lies between 0 and 2"),
        ({"right": [-1, 2]}, "right at row 0 is -1"),
        ({"right": [0, 2]}, "right at row 0 is 0, in the row of item 0"),
        ({"table": [[1.0, 0.0, 0.0], [np.nan, 0.0, 0.0]]}, "table at row 1 is nan"),
        ({"table": [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]}, "table at row 1"),
        ({"table": [[1.0, 0.0, 0.0]]}, "table has shape"),
        ({"skipped": [0.0, 0.0]}, "skipped has shape"),
        ({"skipped": [0.0, 0.0, np.inf]}, "skipped at row 2 is inf"),
        ({"items": ("ash", "birch")}, "right at row 1 is 2"),
    ],
)
def test_counts_with_impossible_columns_are_refused(way: str, column: dict[str, Any], message: str) -> None:
    arrays = {name: np.array(values) if isinstance(values, list) else values for name, values in column.items()}
    with pytest.raises(pv.InputError, match=message):
        WAYS[way](COUNTS, arrays)


@ways
def test_a_table_made_again_is_the_same_with_arrays_of_its_own(way: str) -> None:
    votes, counts = WAYS[way](VOTES, {}), WAYS[way](COUNTS, {})
    assert_same_votes(votes, VOTES)
    assert_same_counts(counts, COUNTS)
    for made, table in ((votes, VOTES), (counts, COUNTS)):
        for field in fields(table):
            array = getattr(made, field.name)
            if isinstance(array, np.ndarray):
                assert not np.shares_memory(array, getattr(table, field.name))
                assert not array.flags.writeable
    empty = pv.Votes.from_codes([], [], [])
    assert_same_votes(WAYS[way](empty, {}), empty)
    assert_same_counts(WAYS[way](empty.counts(), {}), empty.counts())


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, ">i4"])
def test_columns_of_any_integers_are_taken_and_copied(dtype: Any) -> None:
    left, right, outcome = (np.array(column, dtype) for column in ([0, 1], [1, 2], [2, 3]))
    weight = np.ones(2, np.float32)
    votes = pv.Votes(items=("a", "b", "c"), left=left, right=right, outcome=outcome, weight=weight)
    for array in (left, right, outcome, weight):
        array[:] = 77
    expected = pv.Votes.from_codes([0, 1], [1, 2], [2, 3], items=["a", "b", "c"], weight=[1, 1])
    assert_same_votes(votes, expected)
    assert votes.left.dtype == np.int32


@pytest.mark.parametrize("table", [VOTES, COUNTS])
def test_a_state_has_all_columns_and_nothing_else_counts(table: Any) -> None:
    made = object.__new__(type(table))
    for state in (None, (None, {}), [], "state"):
        with pytest.raises(pv.InputError, match=f"state of {type(table).__name__} is"):
            made.__setstate__(state)
    with pytest.raises(pv.InputError, match="has no 'items'"):
        made.__setstate__({})
    made.__setstate__(vars(table) | {"left_": 1, "n_votes": 10**9})
    assert set(vars(made)) <= {field.name for field in fields(table)}
    COUNTS.left  # noqa: B018
    kept = vars(pickle.loads(pickle.dumps(COUNTS)))
    assert "left" not in kept


def test_a_mask_is_copied_and_lists_within_lists_are_too() -> None:
    mask = np.array([True, False, True])
    picked = VOTES.where(mask)
    mask[:] = False
    assert len(picked) == 2

    class Wins(float):
        def __float__(self) -> float:
            rows.clear()
            rows[:] = [[0.0]]
            return 1.0

    rows: list[list[float]] = [[0.0, Wins(1.0)], [2.0, 0.0]]
    assert pv.Votes.from_matrix(rows).counts().total == 3.0
