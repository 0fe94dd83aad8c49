"""What is malformed is refused, by every road in: with the value, its row and the remedy."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from strategies import ROADS, Road

import pairvote as pv
from pairvote._common.labels import MAX_ITEMS

LEFT, RIGHT, OUTCOME = ["ash", "birch", "ash"], ["birch", "cedar", "cedar"], ["left", "tie", "right"]


@pytest.fixture(params=ROADS)
def road(request: pytest.FixtureRequest) -> Road:
    return ROADS[request.param]


@pytest.mark.parametrize(
    "missing", [None, float("nan"), np.nan, np.float64("nan"), pd.NA, pd.NaT, np.datetime64("NaT")]
)
@pytest.mark.parametrize("side", [0, 1])
def test_a_missing_label_is_refused(road: Road, missing: Any, side: int) -> None:
    make, name = road
    sides = [list(LEFT), list(RIGHT)]
    sides[side][1] = missing
    name = name if side == 0 else {"left": "right", "winners": "losers"}[name]
    with pytest.raises(pv.InputError, match=rf"{name} at row 1 is missing.*; a vote needs two items, so fill it in"):
        make(*sides, OUTCOME)


@pytest.mark.parametrize("label", [["ash"], {"ash": 1}, {"ash"}, np.array([1, 2]), (1, [2])])
def test_an_unhashable_label_is_refused(road: Road, label: Any) -> None:
    make, name = road
    message = rf"{name} at row 2 is .*{re.escape(repr(label)[-4:])}, which is not hashable .*; use a string"
    with pytest.raises(pv.InputError, match=message):
        make(["ash", "birch", label], RIGHT, OUTCOME)


def test_an_item_against_itself_is_refused(road: Road) -> None:
    with pytest.raises(pv.InputError, match=r"row 1 has 'cedar' against itself; .* so remove the row or mend"):
        road[0](["ash", "cedar", "ash"], RIGHT, OUTCOME)
    with pytest.raises(pv.InputError, match=r"row 0 has 1(\.0)? against itself"):
        road[0]([1, 2], [1.0, 3], OUTCOME[:2])


def test_a_label_outside_items_is_refused(road: Road) -> None:
    make, name = road
    message = rf"{name} at row 1 is 'birch', which is not among the 2 items of items=; add it there or "
    with pytest.raises(pv.InputError, match=message):
        make(LEFT, ["cedar"] * 3, OUTCOME, items=["ash", "cedar"])


ITEM_ROADS: dict[str, Callable[[Any], pv.Votes]] = {
    **{
        name: lambda items, make=make: make(LEFT, RIGHT, OUTCOME, items=items)  # type: ignore[misc]
        for name, (make, _) in ROADS.items()
    },
    "from_codes": lambda items: pv.Votes.from_codes([0], [1], [2], items=items),
    "from_matrix": lambda items: pv.Votes.from_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]], items=items),
    "from_choix": lambda items: pv.Votes.from_choix([(0, 1)], items=items),
}


@pytest.mark.parametrize("make", ITEM_ROADS.values(), ids=ITEM_ROADS.keys())
@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("abc", r"items is 'abc'; pass the labels as a list"),
        (b"abc", r"items is b'abc'; pass the labels as a list"),
        ({"ash", "birch", "cedar"}, r"items is \{.*\}; pass the labels as a list, in the order"),
        (frozenset({"ash"}), r"items is frozenset.*; pass the labels as a list, in the order"),
        ({"ash": 1, "birch": 2, "cedar": 3}, r"items is \{.*\}; pass the labels as a list"),
        (3, r"items is 3; pass the labels as a list"),
        (["ash", "birch", "ash"], r"items\[2\] is 'ash' again, after items\[0\]; give every item a label of its own"),
        ([1, 2, 1.0], r"items\[2\] is 1\.0 again, after items\[0\]"),
        (["ash", None, "cedar"], r"items\[1\] is None; every item needs a label"),
        (["ash", "birch", float("nan")], r"items\[2\] is nan; every item needs a label"),
        (["ash", "birch", pd.NA], r"items\[2\] is <NA>; every item needs a label"),
        (["ash", ["birch"], "cedar"], r"items\[1\] is \['birch'\], which is not hashable"),
        (np.array([["ash", "birch", "cedar"]]), r"items has shape \(1, 3\); pass a one-dimensional array"),
        (pd.Series(pd.Categorical(["ash", None, "cedar"])), r"items\[1\] is None; every item needs a label"),
    ],
)
def test_malformed_items_are_refused(make: Callable[[Any], pv.Votes], items: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        make(items)


@pytest.mark.parametrize("name", ["left", "right", "outcome", "voter", "weight", "criterion"])
def test_columns_of_different_length_are_refused(name: str) -> None:
    table: dict[str, Any] = {
        "left": LEFT, "right": RIGHT, "outcome": OUTCOME, "voter": LEFT, "weight": [1, 2, 3], "criterion": LEFT
    }  # fmt: skip
    message = {
        "left": r"left has 2 entries and right has 3; pass one of each for every vote",
        "right": r"left has 3 entries and right has 2; pass one of each for every vote",
        "weight": r"weight has shape \(2,\) and there are 3 votes; pass one number for every vote",
    }.get(name, rf"{name} has 2 entries and left has 3; pass one for every vote")
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_labels(**{**table, name: table[name][:2]})
    codes = {**table, "left": [0, 1, 0], "right": [1, 2, 2]}
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_codes(**{**codes, name: codes[name][:2]})


def test_sides_of_different_length_are_refused_in_the_words_of_the_constructor() -> None:
    with pytest.raises(pv.InputError, match=r"winners has 1 entries and losers has 2; pass one of each"):
        pv.Votes.from_wins(["ash"], ["birch", "cedar"])


@pytest.mark.parametrize("name", ["left", "right", "outcome", "voter", "criterion"])
@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("abc", r"{} is 'abc'; pass a list"),
        (b"abc", r"{} is b'abc'; pass a list"),
        ({"a": 1, "b": 2, "c": 3}, r"{} is \{{.*\}}; pass a list"),
        ({1, 2, 3}, r"{} is \{{.*\}}; pass a list"),
        (7, r"{} is 7; pass a list"),
        (np.array([["a"], ["b"], ["c"]]), r"{} has shape \(3, 1\); pass a one-dimensional array"),
        (np.array([[1], [2], [3]]), r"{} has shape \(3, 1\); pass a one-dimensional array"),
        (np.array("abc"), r"{} has shape \(\); pass a one-dimensional array"),
    ],
)
def test_what_is_no_column_is_refused(name: str, column: Any, message: str) -> None:
    table: dict[str, Any] = {"left": LEFT, "right": RIGHT, "outcome": OUTCOME}
    with pytest.raises(pv.InputError, match=message.format(name)):
        pv.Votes.from_labels(**{**table, name: column})


@pytest.mark.parametrize("name", ["voter", "criterion"])
def test_unhashable_voters_and_criteria_are_refused(name: str) -> None:
    message = rf"{name} at row 1 is \['x'\], which is not hashable .*; use a string, a number or a tuple"
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, **{name: ["a", ["x"], "b"]})


def test_masked_entries_are_missing_or_refused() -> None:
    masked = np.ma.array([0, 99, 0], mask=[False, True, False])
    with pytest.raises(pv.InputError, match=r"left at row 1 is missing"):
        pv.Votes.from_labels(masked, [1, 2, 2], OUTCOME)
    for name in ("left", "outcome", "weight"):
        codes: dict[str, Any] = {"left": [0, 0, 0], "right": [1, 2, 2], "outcome": [2, 2, 2], "weight": [1, 1, 1]}
        with pytest.raises(pv.InputError, match=rf"{name} has masked entries; fill them in, or leave out their rows"):
            pv.Votes.from_codes(**{**codes, name: masked})
    assert pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, voter=masked).to_columns()["voter"] == [0, None, 0]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("codes", "options", "message"),
    [
        ([0, -1, 0], {}, r"{} at row 1 is -1; the codes are 0 to {most}, so check that codes count from 0"),
        (np.array([0, -1, 0], np.int8), {"n_items": 1000}, r"{} at row 1 is -1; the codes are 0 to 999"),
        (np.array([0, 0, -1], np.int16), {}, r"{} at row 2 is -1; the codes are 0 to"),
        (np.array([0, 0, -1], ">i8"), {}, r"{} at row 2 is -1; the codes are 0 to"),
        (np.array([0, 2**24, 0], ">i4"), {"n_items": 5}, r"{} at row 1 is 16777216; the codes are 0 to 4"),
        ([0, 5, 0], {"n_items": 5}, r"{} at row 1 is 5; the codes are 0 to 4, so check that codes count from 0"),
        ([0, 3, 0], {"items": ["a", "b", "c"]}, r"{} at row 1 is 3; the codes are 0 to 2"),
        ([0, 0, 0], {"n_items": 0}, r"{} at row 0 is 0; the codes are none, since there are no items"),
        ([MAX_ITEMS, 0, 0], {}, r"{} at row 0 is {items}; the codes are 0 to {most}.* or use from_labels"),
        ([2**31, 0, 0], {}, r"{} at row 0 is 2147483648; the codes are 0 to {most}.* or use from_labels"),
        ([0, 2**32 + 1, 0], {"n_items": 5}, r"{} at row 1 is 4294967297; the codes are 0 to 4"),
        (np.array([2**64 - 1, 0, 0], np.uint64), {}, r"{} at row 0 is 18446744073709551615; the codes are 0 to"),
        ([2**64, 0, 0], {}, r"{} has dtype object .*18446744073709551616.*; codes are integers"),
        ([0.0, 1.0, 0.0], {}, r"{} has dtype float64 \(its first entry is .*0\.0\)?\); codes are integers, so convert"),
        ([True, False, True], {}, r"{} has dtype bool \(.*True_?\)?\); codes are integers, so .* from_labels"),
        (["a", "b", "a"], {}, r"{} has dtype <U1 \(.*'a'\)?\); codes are integers, .* or use from_labels for labels"),
        ([0, None, 0], {}, r"{} has dtype object .*; codes are integers"),
        ([[0], [1], [0]], {}, r"{} has shape \(3, 1\); pass a one-dimensional array with one code a vote"),
        ([[0], [1, 2], [0]], {}, r"{} cannot be made an array .*; pass a flat list or array"),
        (0, {}, r"{} has shape \(\); pass a one-dimensional array"),
    ],
)
def test_malformed_codes_are_refused(side: str, codes: Any, options: dict[str, Any], message: str) -> None:
    n_items = options.get("n_items", 3)
    other = [n_items - 1, n_items - 2, n_items - 1] if n_items else [0, 0, 0]
    sides = {"left": other, "right": other, side: codes}
    if n_items == 0:
        side = "left"
    with pytest.raises(pv.InputError, match=message.format(side, most=MAX_ITEMS - 1, items=MAX_ITEMS)):
        pv.Votes.from_codes(**sides, outcome=[2, 2, 2], **options)


def test_a_code_against_itself_is_refused_by_its_label() -> None:
    with pytest.raises(pv.InputError, match=r"row 1 has 'b' against itself; a vote needs two different items"):
        pv.Votes.from_codes([0, 1], [1, 1], [2, 2], items=["a", "b"])


@pytest.mark.parametrize(
    ("n_items", "message"),
    [
        (-1, r"n_items is -1; pass the number of items, a whole number from 0"),
        (2.0, r"n_items is 2\.0; pass the number of items"),
        (True, r"n_items is True; pass the number of items"),
        ("3", r"n_items is '3'; pass the number of items"),
        (2**40, r"n_items is 1099511627776; there can be at most [\d,]+, so pass the number"),
    ],
)
def test_malformed_n_items_is_refused(n_items: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_codes([0], [1], [2], n_items=n_items)
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_choix([(0, 1)], n_items=n_items)


def test_n_items_and_items_must_agree() -> None:
    with pytest.raises(pv.InputError, match=r"n_items is 3 and items has 2 labels; pass one of them"):
        pv.Votes.from_codes([0], [1], [2], n_items=3, items=["a", "b"])


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([(0, 1), (2,)], r"pairs must hold \(winner, loser\) for every vote, such as \[\(0, 1\), \(2, 1\)\]"),
        ([(0, 1, 2)], r"pairs must hold \(winner, loser\)"),
        (7, r"pairs must hold \(winner, loser\)"),
        ([0, 1], r"pairs must hold \(winner, loser\)"),
        ([(0, 1), (0, -1)], r"loser at row 1 is -1; the codes are 0 to"),
        ([(1.5, 1)], r"winner has dtype float64 .*; codes are integers"),
        ([(1, 1)], r"row 0 has 1 against itself"),
        (["ab"], r"winner has dtype <U1 .*; codes are integers"),
    ],
)
def test_malformed_choix_pairs_are_refused(pairs: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_choix(pairs)


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ("abc", r"records is 'abc'; pass a list of \(left, right, outcome\)"),
        ({"left": ["a"]}, r"records is \{'left': \['a'\]\}; pass a list"),
        (3, r"records is 3; pass a list"),
        ([("a", "b", "left"), ("a", "b")], r"row 1 is \('a', 'b'\); a record is \(left, right, outcome\)"),
        ([("a", "b", "left", "anna", 1)], r"row 0 is \('a', .*; a record is \(left, right, outcome\)"),
        (["abc"], r"row 0 is 'abc'; a record is"),
        ([("a", "b", "left"), 5], r"row 1 is 5; a record is"),
        ([{"left": "a", "outcome": "tie"}], r"row 0 has no 'right'; .*'left', 'outcome'"),
        ([{}], r"row 0 has no 'left'; .*(nothing|none)"),
    ],
)
def test_malformed_records_are_refused(records: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_records(records)


WEIGHT_ROADS: dict[str, Callable[[Any], pv.Votes]] = {
    "from_labels": lambda weight: pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, weight=weight),
    "from_codes": lambda weight: pv.Votes.from_codes([0, 1, 0], [1, 2, 2], [2, 1, 0], weight=weight),
    "from_records": lambda weight: pv.Votes.from_records(
        [
            {"left": a, "right": b, "outcome": c, "weight": w}
            for a, b, c, w in zip(LEFT, RIGHT, OUTCOME, weight, strict=True)
        ]
    ),
    "from_frame": lambda weight: pv.Votes.from_frame(
        pd.DataFrame({"left": LEFT, "right": RIGHT, "outcome": OUTCOME, "weight": pd.Series(weight, dtype=object)})
    ),
}


@pytest.mark.parametrize("make", WEIGHT_ROADS.values(), ids=WEIGHT_ROADS.keys())
@pytest.mark.parametrize(
    ("weight", "value"),
    [
        ([1, -0.5, 1], r"-0\.5"),
        ([1, -1, 1], "-1"),
        ([1, float("nan"), 1], "nan"),
        ([1, float("inf"), 1], "inf"),
        ([1, "2", 1], "'2'"),
        ([1, "two", 1], "'two'"),
        ([1.5, True, 1], "True"),
        ([1, 1j, 1], "1j"),
        ([1, (2,), 1], None),
        ([1, 10**400, 1], "1000.*"),
        ([1, pd.NA, 1], "<NA>"),
    ],
    ids=repr,
)
def test_malformed_weights_are_refused(make: Callable[[Any], pv.Votes], weight: Any, value: str | None) -> None:
    message = "weight cannot be made an array|weight at row 1 is" if value is None else rf"weight at row 1 is {value}; "
    with pytest.raises(pv.InputError, match=message) as caught:
        make(weight)
    assert value is None or "finite and not negative, so mend or remove it" in str(caught.value)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.array([True, True, False]), r"weight at row 0 is True; weights are numbers"),
        (np.array(["1", "2", "3"]), r"weight at row 0 is '1'; weights are numbers"),
        (np.array([1j, 1, 1]), r"weight at row 0 is 1j; weights are numbers"),
        (["1", "2", "3"], r"weight at row 0 is '1'; weights are numbers"),
        ([None, 1, 2], r"weight at row 0 is None; weights are numbers"),
        (np.ones((3, 1)), r"weight has shape \(3, 1\) and there are 3 votes; pass one number for every vote"),
        (2.0, r"weight has shape \(\) and there are 3 votes"),
        ("abc", r"weight has shape \(\) and there are 3 votes"),
        ([[1], [1, 2], [3]], r"weight cannot be made an array .*; pass a flat list"),
    ],
)
def test_what_is_no_column_of_weights_is_refused(weight: Any, message: str) -> None:
    for road in ("from_labels", "from_codes"):
        with pytest.raises(pv.InputError, match=message):
            WEIGHT_ROADS[road](weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wins": [[0, 1, 2], [1, 0, 3]]}, r"wins has shape \(2, 3\); pass a square table"),
        ({"wins": [1, 2]}, r"wins has shape \(2,\); pass a square table"),
        ({"wins": [[0, 1], [1]]}, r"wins cannot be made .*; pass a"),
        ({"wins": [[0, -1], [1, 0]]}, r"wins\[0, 1\] is -1; .* not negative"),
        ({"wins": [[0, 1], [np.nan, 0]]}, r"wins\[1, 0\] is nan; .* finite"),
        ({"wins": [[0, np.inf], [1, 0]]}, r"wins\[0, 1\] is inf; .* finite"),
        ({"wins": [[0, "1"], ["1", 0]]}, r"wins\[0, 0\] is '?0'?; .* numbers|wins\[0, 1\] is '1'; .* numbers"),
        ({"wins": [[0, None], [1, 0]]}, r"wins\[0, 1\] is None; .* numbers"),
        ({"wins": np.array([[0, 1j], [1, 0]])}, r"wins\[0, 0\] is 0j; .* numbers"),
        ({"wins": [[0, 10**400], [1, 0]]}, r"wins\[0, 1\] is 1000.*; .* finite"),
        ({"wins": [[0, 1], [1, 2]]}, r"wins\[1, 1\] is 2; an item does not meet itself, so set the diagonal to zero"),
        ({"wins": [[0, 1], [1, 0]], "ties": [[0]]}, r"ties is \(1, 1\) and wins is \(2, 2\); pass tables of one shape"),
        (
            {"wins": [[0, 1], [1, 0]], "ties": [[0, 2], [1, 0]]},
            r"ties\[0, 1\] is 2 and ties\[1, 0\] is 1; .* symmetric",
        ),
        ({"wins": [[0, 1], [1, 0]], "ties": [[1, 0], [0, 0]]}, r"ties\[0, 0\] is 1; .* diagonal"),
        ({"wins": [[0, 1], [1, 0]], "items": ["a"]}, r"wins is 2 x 2 and items has 1 labels; give one for each row"),
        ({"wins": "abc"}, r"wins has shape \(\); pass a square table"),
    ],
)
def test_malformed_tables_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_matrix(**options)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ([1, 0, 1], r"mask has dtype int64 and shape \(3,\); pass one boolean for each of (the )?3 votes"),
        ([0, 2], r"mask has dtype int64 and shape \(2,\); pass one boolean"),
        (["True"] * 3, r"mask has dtype <U4"),
        ([True, None, False], r"mask has dtype object"),
        ([True, False], r"mask has dtype bool and shape \(2,\); pass one boolean for each of (the )?3 votes"),
        (np.ones((3, 1), bool), r"mask has dtype bool and shape \(3, 1\)"),
        (True, r"mask has dtype bool and shape \(\)"),
        ([[True], [True, False]], r"mask cannot be made an array"),
    ],
)
def test_a_malformed_mask_is_refused(mask: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_labels(LEFT, RIGHT, OUTCOME).where(mask)


def test_a_criterion_that_is_not_there_is_refused() -> None:
    votes = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, criterion=["new", "useful", "new"])
    for choose in (votes.select, lambda criterion: votes.counts(criterion=criterion)):
        with pytest.raises(pv.InputError, match=r"there is no criterion 'nice'; the criteria are 'new', 'useful'"):
            choose("nice")
    with pytest.raises(pv.InputError, match=r"there is no criterion 'new'; the criteria are none"):
        pv.Votes.from_labels(LEFT, RIGHT, OUTCOME).select("new")


def test_an_array_without_dimensions_holds_no_records() -> None:
    # What it holds may be iterable without an end, such as a network of addresses.
    endless = np.empty((), object)
    endless[()] = itertools.count()
    with pytest.raises(pv.InputError, match="records is array"):
        pv.Votes.from_records(endless)
