"""What may stand in the column of outcomes, and that nothing there is guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv

NAMES = ("right", "tie", "left", "skip")


def outcomes_of(values: Any, **options: Any) -> list[int]:
    n_votes = len(values)
    return pv.Votes.from_labels(["ash"] * n_votes, ["birch"] * n_votes, values, **options).outcome.tolist()


def from_records(values: Any, **options: Any) -> list[int]:
    return pv.Votes.from_records([("ash", "birch", value) for value in values], **options).outcome.tolist()


def from_frame(values: Any, **options: Any) -> list[int]:
    n_votes = len(values)
    df = pd.DataFrame({"left": "ash", "right": "birch", "outcome": pd.Series(values, dtype=object)}, range(n_votes))
    return pv.Votes.from_frame(df, **options).outcome.tolist()


def from_codes(values: Any) -> list[int]:
    n_votes = len(values)
    return pv.Votes.from_codes([0] * n_votes, [1] * n_votes, values).outcome.tolist()


# The constructors in which a number must be given a meaning.
ROADS: dict[str, Callable[..., list[int]]] = {
    "from_labels": outcomes_of,
    "from_records": from_records,
    "from_frame": from_frame,
}


@pytest.fixture(params=ROADS)
def read(request: pytest.FixtureRequest) -> Callable[..., list[int]]:
    return ROADS[request.param]


def test_an_outcome_is_twice_the_left_sides_score() -> None:
    assert {outcome.name: outcome.value for outcome in pv.Outcome} == {"RIGHT": 0, "TIE": 1, "LEFT": 2, "SKIP": 3}


@given(st.lists(st.sampled_from([*NAMES, *pv.Outcome])))
def test_names_and_members_mean_themselves(values: list[Any]) -> None:
    expected = [NAMES.index(value) if isinstance(value, str) else int(value) for value in values]
    for read in (*ROADS.values(), from_codes):
        assert read(values) == expected
        assert read(tuple(values)) == expected


@pytest.mark.parametrize(
    "column",
    [
        np.array(NAMES),
        np.array(NAMES, object),
        pd.Series(NAMES),
        pd.Series(pd.Categorical(NAMES, categories=["skip", "no such outcome", *NAMES[:3]])),
        pl.Series(NAMES),
        pl.Series(NAMES, dtype=pl.Categorical),
        pl.Series(NAMES, dtype=pl.Enum(["no such outcome", *NAMES])),
        pa.chunked_array([NAMES[:1], NAMES[1:]]),
        pa.chunked_array([pa.array(NAMES[:1]).dictionary_encode(), pa.array(NAMES[1:]).dictionary_encode()]),
        pa.array(NAMES),
    ],
    ids=lambda column: f"{type(column).__module__.partition('.')[0]} {getattr(column, 'dtype', type(column))}",
)
def test_any_column_of_names_will_do(column: Any) -> None:
    # A category that no row bears, such as "no such outcome", is no outcome of these votes.
    assert outcomes_of(column) == from_codes(column) == [0, 1, 2, 3]


@given(st.dictionaries(st.one_of(st.text(max_size=3), st.integers(0, 5)), st.sampled_from([*NAMES, *pv.Outcome])))
def test_outcomes_gives_labels_a_meaning(outcomes: dict[Any, Any]) -> None:
    labels = list(outcomes)
    meanings = [NAMES.index(m) if isinstance(m, str) else int(m) for m in outcomes.values()]
    for read in ROADS.values():
        assert read(labels, outcomes=outcomes) == meanings
        # The members keep their meaning, whatever numbers are made to mean.
        assert read([*pv.Outcome, *labels], outcomes=outcomes) == [0, 1, 2, 3, *meanings]


def test_outcomes_adds_to_the_names_and_may_change_them(read: Callable[..., list[int]]) -> None:
    assert read(["a", "left", "tie"], outcomes={"a": "left"}) == [2, 2, 1]
    assert read(["left", "right", "tie"], outcomes={"left": "right", "right": "left"}) == [0, 2, 1]


def test_numbers_take_the_meaning_that_outcomes_gives(read: Callable[..., list[int]]) -> None:
    loss_first = {0: "right", 0.5: "tie", 1: "left"}
    assert read([1, 0.5, 0, 1.0, np.int64(0), True], outcomes=loss_first) == [2, 1, 0, 2, 0, 2]
    assert outcomes_of(np.array([1, 0, 1]), outcomes=loss_first) == [2, 0, 2]
    assert outcomes_of(np.array([1, 0.5, 0]), outcomes=loss_first) == [2, 1, 0]
    assert outcomes_of(pd.Series([True, False]), outcomes=loss_first) == [2, 0]


@pytest.mark.parametrize(
    "number", [0, 1, 2, 3, -1, 2.0, 0.5, 10**30, np.int64(2), np.uint8(2), np.float32(1), True, False]
)
def test_a_bare_number_is_refused_with_its_remedy(read: Callable[..., list[int]], number: Any) -> None:
    message = r"outcome at row 1 is the number .*, which could mean anything; say what each number means, .*such as "
    with pytest.raises(pv.InputError, match=message) as caught:
        read(["left", number])
    _, _, remedy = str(caught.value).partition("such as outcomes=")
    assert read(["right", number], outcomes=eval(remedy, {"np": np})) == [0, 2]


@pytest.mark.parametrize(
    "column", [np.array([2, 2]), np.array([2.0, 1.0]), np.array([True, False]), pd.Series([2, 1]), pl.Series([2, 1])]
)
def test_columns_of_bare_numbers_are_refused(column: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcome at row 0 is the number (2|2\.0|True) ?.*, .* outcomes="):
        outcomes_of(column)


@pytest.mark.parametrize("label", ["Left", "LEFT", " left", "model_a", "", "1", b"left", ("left",), "l\u0435ft"])
def test_an_unknown_label_is_refused(read: Callable[..., list[int]], label: Any) -> None:
    with pytest.raises(
        pv.InputError, match=r"outcome at row 2 is .*; the labels are 'right', 'tie', 'left', 'skip'"
    ) as e:
        read(["left", "tie", label, "nonsense"])
    assert repr(label) in str(e.value)
    assert "'nonsense' (1 row)" in str(e.value)
    assert str(e.value).endswith("so mend them or name them in outcomes=")


@pytest.mark.parametrize("label", [["left"], {"left": 1}, {"left"}])
def test_an_unhashable_label_is_refused(read: Callable[..., list[int]], label: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcome at row 1 is .*left.*; the labels are"):
        read(["left", label])
    with pytest.raises(pv.InputError, match=r"outcome at row 0 is .*left.*; the labels are"):
        from_codes([label])


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_a_missing_outcome_is_refused_until_it_has_a_meaning(read: Callable[..., list[int]], missing: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcome at row 1 is missing; .* outcomes=\{None: 'skip'\}"):
        read(["left", missing])
    for key in (None, float("nan"), pd.NA):
        assert read(["left", missing], outcomes={key: "skip"}) == [2, 3]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.Categorical(["left", None])),
        pl.Series(["left", None], dtype=pl.Categorical),
        pa.chunked_array([["left"], [None]], pa.string()),
        pa.chunked_array([pa.array(["left", None]).dictionary_encode()]),
        pd.Series(["left", None], dtype="string"),
    ],
    ids=lambda column: f"{type(column).__module__.partition('.')[0]} {getattr(column, 'dtype', type(column))}",
)
def test_a_missing_outcome_in_a_coded_column_is_refused_too(column: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcome at row 1 is missing; "):
        outcomes_of(column)
    assert outcomes_of(column, outcomes={None: "tie"}) == [2, 1]


@pytest.mark.parametrize("meaning", ["LEFT", "model_a", 2, None, True, ["left"]])
def test_an_unknown_meaning_is_refused(read: Callable[..., list[int]], meaning: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcomes\['a'\] is .*; it must be 'left', 'right', 'tie' or 'skip'") as e:
        read(["a"], outcomes={"a": meaning})
    assert repr(meaning) in str(e.value)


@pytest.mark.parametrize("outcomes", ["left", ["left", "right"], 3, {"left"}])
def test_outcomes_must_be_a_mapping(read: Callable[..., list[int]], outcomes: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcomes is .*; pass a mapping such as \{'model_a': 'left'"):
        read(["left"], outcomes=outcomes)


@pytest.mark.parametrize(
    "codes",
    [
        [0, 1, 2, 3],
        (0, 1, 2, 3),
        range(4),
        [np.int64(code) for code in range(4)],
        np.arange(4, dtype=np.uint8),
        np.arange(4, dtype=np.int8),
        np.arange(4, dtype=">i4"),
        np.arange(4, dtype=np.uint64),
        pd.Series(range(4)),
        pl.Series(range(4)),
        pa.chunked_array([[0, 1], [2, 3]]),
    ],
    ids=lambda codes: f"{type(codes).__module__.partition('.')[0]} {getattr(codes, 'dtype', type(codes))}",
)
def test_from_codes_takes_the_values_of_outcome(codes: Any) -> None:
    assert from_codes(codes) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([2, 4], r"outcome at row 1 is 4; the codes are 0 right, 1 tie, 2 left, 3 skip"),
        ([2, -1], r"outcome at row 1 is -1; the codes are 0 right"),
        (np.array([2, -1], np.int8), r"outcome at row 1 is -1; the codes are"),
        (np.array([2, 256], np.int16), r"outcome at row 1 is 256; the codes are"),
        (np.array([2, 2**24], ">i4"), r"outcome at row 1 is 16777216; the codes are"),
        (np.array([2, 2**63], np.uint64), r"outcome at row 1 is 9223372036854775808; the codes are"),
        ([2.0, 1.0], r"outcome has dtype float64; pass integers: 0 right, 1 tie, 2 left, 3 skip"),
        (np.array([2.0, np.nan]), r"outcome has dtype float64; pass integers"),
        ([[2], [1]], r"outcome at row 0 is \[2\] .*; the labels are"),
        (np.array([[2], [1]]), r"outcome has shape \(2, 1\); pass a one-dimensional array"),
        ([True, False], r"outcome at row 0 is the number True"),
        (np.array([True, False]), r"outcome at row 0 is the number True"),
        (["left", 2], r"outcome at row 1 is the number 2"),
        (["left", "lef"], r"outcome at row 1 is 'lef'; the labels are"),
        ("left", r"outcome is 'left'; pass a list"),
    ],
)
def test_from_codes_refuses_other_outcomes(codes: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_codes([0, 0], [1, 1], codes)


def test_lengths_of_time_are_no_outcomes() -> None:
    with pytest.raises(pv.InputError, match="outcome at row 0 is"):
        pv.Votes.from_codes([0, 0], [1, 1], np.array([0, 0], "timedelta64[D]"), n_items=2)
