"""Data frames of pandas, polars and pyarrow: the same votes as from lists, and back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import FEWER, Columns, assert_same_votes, columns

import pairvote as pv
from pairvote._common.frames import Backend

BACKENDS: tuple[Backend, ...] = ("pandas", "polars", "pyarrow")
SIDES = ("left", "right", "outcome")
LEFT, RIGHT, OUTCOME = ["ash", "birch", "ash"], ["birch", "cedar", "cedar"], ["left", "tie", "right"]


def pandas_categories(values: list[Any]) -> pd.Series:
    """With the categories backwards, and one that no row bears."""
    seen = [value for value in dict.fromkeys(values) if value is not None]
    return pd.Series(pd.Categorical(values, categories=["unused", *seen[::-1]]))


def polars_categories(values: list[Any]) -> pl.Series:
    return pl.Series(values, dtype=pl.Categorical)


def polars_enum(values: list[Any]) -> pl.Series:
    seen = [value for value in dict.fromkeys(values) if value is not None]
    return pl.Series(values, dtype=pl.Enum(["unused", *seen[::-1]]))


def arrow_chunks(values: list[Any]) -> pa.ChunkedArray:
    """Three chunks, each with a dictionary of its own."""
    cuts = (0, len(values) // 3, len(values) // 2, len(values))
    chunks = [pa.array(values[a:b], pa.string()).dictionary_encode() for a, b in pairwise(cuts)]
    return pa.chunked_array(chunks)


def arrow_scattered(values: list[Any]) -> pa.ChunkedArray:
    """One dictionary of unsigned codes that holds a null and every label twice."""
    seen = [*dict.fromkeys(values), None]
    numbers = {value: 2 * seen.index(value) + row % 2 for row, value in enumerate(values)}
    return pa.chunked_array(
        [
            pa.DictionaryArray.from_arrays(
                pa.array([numbers[value] for value in values], pa.uint8()),
                pa.array([value for value in seen for _ in range(2)], pa.string()),
            )
        ]
    )


# Columns of text or None; each gives a list's values another shape.
TEXT_COLUMNS: dict[str, Callable[[list[Any]], Any]] = {
    "numpy object": lambda values: np.array(values, object),
    "pandas": pd.Series,
    "pandas object": lambda values: pd.Series(values, dtype=object),
    "pandas string": lambda values: pd.Series(values, dtype="string"),
    "pandas arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "pandas arrow dictionary": lambda values: pd.Series(
        values, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    ),
    "pandas categorical": pandas_categories,
    "polars": lambda values: pl.Series(values, dtype=pl.String),
    "polars categorical": polars_categories,
    "polars enum": polars_enum,
    "arrow": lambda values: pa.chunked_array([values[:2], values[2:]], pa.string()),
    "arrow large string": lambda values: pa.chunked_array([values], pa.large_string()),
    "arrow of no chunks": lambda values: pa.chunked_array([values] if values else [], pa.string()),
    "arrow array": lambda values: pa.array(values, pa.string()),
    "arrow dictionary": arrow_chunks,
    "arrow dictionary of no chunks": lambda values: pa.chunked_array(
        [pa.array(values, pa.string()).dictionary_encode()] if values else [], pa.dictionary(pa.int32(), pa.string())
    ),
    "arrow dictionary array": lambda values: pa.array(values, pa.string()).dictionary_encode(),
    "arrow scattered dictionary": arrow_scattered,
}


@pytest.mark.slow
@pytest.mark.parametrize("make", TEXT_COLUMNS.values(), ids=TEXT_COLUMNS.keys())
@FEWER
@given(table=columns("text", max_votes=8))
def test_columns_of_text_are_the_same_votes_as_lists(make: Callable[[list[Any]], Any], table: Columns) -> None:
    assume(all(label != "unused" for values in table.values() for label in values))
    made = {name: values if name == "weight" else make(values) for name, values in table.items()}
    assert_same_votes(pv.Votes.from_labels(**made), pv.Votes.from_labels(**table))


FRAMES: dict[str, Callable[[Columns], Any]] = {
    "pandas": pd.DataFrame,
    "pandas categorical": lambda table: pd.DataFrame(
        {name: values if name == "weight" else pandas_categories(values) for name, values in table.items()}
    ),
    "polars": lambda table: pl.DataFrame(table, schema_overrides=types(table, pl.String, pl.Float64)),
    "polars categorical": lambda table: pl.DataFrame(
        {name: values if name == "weight" else polars_categories(values) for name, values in table.items()}
    ),
    "polars lazy": lambda table: pl.LazyFrame(table, schema_overrides=types(table, pl.String, pl.Float64)),
    "pyarrow": lambda table: pa.table(table, pa.schema(list(types(table, pa.string(), pa.float64()).items()))),
    "pyarrow dictionary": lambda table: pa.table(
        {name: values if name == "weight" else arrow_chunks(values) for name, values in table.items()}
    ),
}


def types(table: Columns, text: Any, number: Any) -> dict[str, Any]:
    return {name: number if name == "weight" else text for name in table}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES.keys())
@FEWER
@given(table=columns("text", max_votes=8))
def test_frames_are_the_same_votes_as_lists(make: Callable[[Columns], Any], table: Columns) -> None:
    assert_same_votes(pv.Votes.from_frame(make(table)), pv.Votes.from_labels(**table))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["text", "integers"])
@FEWER
@given(data=st.data())
def test_to_frame_goes_there_and_back(backend: Backend, kind: str, data: st.DataObject) -> None:
    votes = pv.Votes.from_labels(**data.draw(columns(kind, max_votes=8)))
    df = votes.to_frame(backend)
    assert type(df).__module__.split(".")[0] == backend
    assert_same_votes(pv.Votes.from_frame(df), votes)
    assert_same_votes(pv.Votes.from_frame(df, items=votes.items), votes)


@given(table=columns("mixed", max_votes=8))
def test_pandas_holds_labels_of_any_kind(table: Columns) -> None:
    votes = pv.Votes.from_labels(**table)
    assert_same_votes(pv.Votes.from_frame(votes.to_frame("pandas")), votes)


def test_large_integers_beside_the_unknown_stay_exact() -> None:
    voter = [2**53 + 1, None, -(2**63)]
    votes = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, voter=voter)
    for backend in BACKENDS:
        assert pv.Votes.from_frame(votes.to_frame(backend)).to_columns()["voter"] == voter


@pytest.mark.parametrize("backend", ["polars", "pyarrow"])
@pytest.mark.parametrize("labels", [[("a", 1), ("b", 2)], ["a", 1], ["\ud800", "b"]])
def test_labels_that_a_frame_cannot_hold_are_refused(backend: Backend, labels: list[Any]) -> None:
    votes = pv.Votes.from_labels(labels, labels[::-1], ["left", "left"])
    with pytest.raises(pv.InputError, match=rf"{backend} cannot hold these labels .* to_columns\(\)"):
        votes.to_frame(backend)


def test_to_frame_has_the_columns_that_there_are() -> None:
    votes = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME)
    assert list(votes.to_frame().columns) == list(SIDES)
    everything = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, voter=LEFT, weight=[1, 2, 3], criterion=RIGHT)
    assert everything.to_frame("polars").columns == [*SIDES, "voter", "weight", "criterion"]


def test_columns_may_have_other_names() -> None:
    table = {"a": LEFT, "b": RIGHT, "picked": ["a", "tie", "b"], "who": LEFT, "times": [1, 2, 3], "asked": RIGHT}
    names = {"left": "a", "right": "b", "outcome": "picked", "voter": "who", "weight": "times", "criterion": "asked"}
    expected = pv.Votes.from_labels(LEFT, RIGHT, OUTCOME, voter=LEFT, weight=[1, 2, 3], criterion=RIGHT)
    for df in (pd.DataFrame(table), pl.DataFrame(table), pa.table(table)):
        votes = pv.Votes.from_frame(df, **names, outcomes={"a": "left", "b": "right"})
        assert_same_votes(votes, expected)
    numbered = pd.DataFrame(list(zip(LEFT, RIGHT, OUTCOME, strict=True)))
    assert_same_votes(
        pv.Votes.from_frame(numbered, left=0, right=1, outcome=2),  # type: ignore[arg-type]
        pv.Votes.from_labels(LEFT, RIGHT, OUTCOME),
    )


def test_voter_weight_and_criterion_are_found_by_name_and_other_columns_left_alone() -> None:
    table = {"left": LEFT, "note": [[], {}, None], "right": RIGHT, "outcome": OUTCOME, "weight": [1, 2, 3]}
    votes = pv.Votes.from_frame(pd.DataFrame(table))
    assert votes.to_columns() == {"left": LEFT, "right": RIGHT, "outcome": OUTCOME, "weight": [1.0, 2.0, 3.0]}


def test_the_index_of_a_frame_says_nothing() -> None:
    df = pd.DataFrame({"left": LEFT, "right": RIGHT, "outcome": OUTCOME}, index=[2, 0, 0])
    assert pv.Votes.from_frame(df).to_columns()["left"] == LEFT


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=BACKENDS)
@pytest.mark.parametrize("option", ["left", "right", "outcome", "voter", "weight", "criterion"])
def test_a_missing_column_is_refused_and_those_there_are_listed(make: Callable[[Any], Any], option: str) -> None:
    df = make({"left": LEFT, "right": RIGHT, "outcome": OUTCOME})
    message = r"the data frame has no column 'who'; its columns are 'left', 'right', 'outcome', so name the right one"
    with pytest.raises(pv.InputError, match=message):
        pv.Votes.from_frame(df, **{option: "who"})


def test_a_frame_of_no_columns_has_none_to_list() -> None:
    with pytest.raises(pv.InputError, match=r"no columns 'left', 'right', 'outcome'; its columns are none"):
        pv.Votes.from_frame(pd.DataFrame())


@pytest.mark.parametrize(
    "df",
    [
        pd.DataFrame([["ash", "birch", "cedar", "left"]], columns=["left", "left", "right", "outcome"]),
        pa.table([pa.array(["ash"])] * 3, names=["left", "left", "outcome"]),
    ],
    ids=["pandas", "pyarrow"],
)
def test_columns_of_one_name_are_refused(df: Any) -> None:
    with pytest.raises(pv.InputError, match=r"several columns have one name .*'left'"):
        pv.Votes.from_frame(df)


@pytest.mark.parametrize(
    ("df", "name"),
    [
        (None, "NoneType"),
        ({"left": LEFT, "right": RIGHT, "outcome": OUTCOME}, "dict"),
        ([("ash", "birch", "left")], "list"),
        (np.zeros((2, 3)), "ndarray"),
        (pd.Series(LEFT), "Series"),
        (pl.Series(LEFT), "Series"),
    ],
)
def test_what_is_no_frame_is_refused(df: Any, name: str) -> None:
    with pytest.raises(pv.InputError, match=rf"{name} is not a data frame; pass one of pandas, polars or pyarrow"):
        pv.Votes.from_frame(df)


@pytest.mark.parametrize("backend", ["excel", "", None, "Pandas"])
def test_an_unknown_frame_library_is_refused(backend: Any) -> None:
    with pytest.raises(pv.InputError, match=r"backend is .*; use 'pandas', 'polars' or 'pyarrow'"):
        pv.Votes.from_labels(LEFT, RIGHT, OUTCOME).to_frame(backend)


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES.keys())
def test_missing_labels_in_frames_are_refused(make: Callable[[Columns], Any]) -> None:
    for side in ("left", "right"):
        table = {"left": ["ash", "birch", "dogwood"], "right": ["birch", "cedar", "elm"], "outcome": list(OUTCOME)}
        table[side][1] = None  # type: ignore[call-overload]
        with pytest.raises(pv.InputError, match=rf"{side} at row 1 is missing.*; a vote needs two items"):
            pv.Votes.from_frame(make(table))
    table = {"left": LEFT, "right": RIGHT, "outcome": ["left", None, "tie"]}  # type: ignore[list-item]
    with pytest.raises(pv.InputError, match=r"outcome at row 1 is missing; "):
        pv.Votes.from_frame(make(table))


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES.keys())
def test_unknown_voters_in_frames_are_unknown(make: Callable[[Columns], Any]) -> None:
    table = {"left": LEFT, "right": RIGHT, "outcome": OUTCOME, "voter": [None, "anna", None]}
    votes = pv.Votes.from_frame(make(table))
    assert votes.voters == ("anna",)
    assert votes.voter is not None
    assert votes.voter.tolist() == [-1, 0, -1]


def test_pandas_numbers_of_every_kind_are_labels() -> None:
    for dtype in ("int64", "Int64", "uint8", pd.ArrowDtype(pa.int64())):
        votes = pv.Votes.from_labels(
            pd.Series([1, 2], dtype=dtype),
            pd.Series([2, 3], dtype=dtype),
            ["left", "tie"],
            weight=pd.Series([1, 2], dtype=dtype),
        )
        assert votes.items == (1, 2, 3)
        assert votes.weight is not None
        assert votes.weight.tolist() == [1.0, 2.0]


def test_many_chunks_of_small_dictionaries_make_one_large_one() -> None:
    # Together they have more labels than int8 codes can tell apart.
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array(range(100), pa.int8()), [f"{letter}{n}" for n in range(100)])
        for letter in "abc"
    ]
    votes = pv.Votes.from_labels(pa.chunked_array(chunks), ["other"] * 300, ["left"] * 300)
    assert votes.to_columns()["left"] == [f"{letter}{n}" for letter in "abc" for n in range(100)]


def test_a_slice_of_a_large_categorical_keeps_only_its_labels() -> None:
    labels = [f"item {n}" for n in range(1000)]
    for column in (pd.Series(pd.Categorical(labels))[500:502], pl.Series(labels, dtype=pl.Categorical)[500:502]):
        assert pv.Votes.from_labels(column, ["other"] * 2, ["left"] * 2).items == ("item 500", "other", "item 501")


def test_coded_columns_are_neither_frozen_nor_shared() -> None:
    categories = pd.Categorical(LEFT)
    df = pd.DataFrame({"left": categories, "right": RIGHT, "outcome": OUTCOME, "weight": [1.0, 2.0, 3.0]})
    votes = pv.Votes.from_frame(df)
    df.loc[0, "left"] = "birch"
    df.loc[0, "weight"] = 9.0
    assert votes.to_columns()["left"] == LEFT
    assert votes.to_columns()["weight"] == [1.0, 2.0, 3.0]


def test_integers_of_128_bits_are_labels() -> None:
    import polars

    large = 2**70
    df = polars.DataFrame(
        {"left": polars.Series([large, 1], dtype=polars.Int128), "right": [2, 2], "outcome": ["left", "tie"]}
    )
    assert pv.Votes.from_frame(df).items == (large, 2, 1)
