"""Which question each vote answers: a column of its own, wherever votes come from and go to."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbooks import workbook

import pairvote as pv

LARGEST = 2**63 - 1


def votes_of(question: Any) -> pv.Votes:
    n_votes = len(question)
    return pv.Votes.from_labels(["ash"] * n_votes, ["birch"] * n_votes, ["left"] * n_votes, question=question)


def numbers(votes: pv.Votes) -> list[int]:
    assert votes.question is not None
    assert votes.question.dtype == np.int64
    assert not votes.question.flags.writeable
    return votes.question.tolist()


@pytest.mark.parametrize(
    "column",
    [
        [7, None, LARGEST],
        [7, -1, LARGEST],
        ("7", "-1", str(LARGEST)),
        np.array([7, -1, LARGEST]),
        pd.Series([7, None, LARGEST], dtype="Int64"),
        pd.Series([7, None, LARGEST], dtype=object),
        pl.Series([7, None, LARGEST]),
        pa.array([7, None, LARGEST]),
        pd.Series(["7", None, str(LARGEST)], dtype="category"),
    ],
    ids=lambda column: type(column).__name__,
)
def test_questions_are_whole_numbers_to_the_last_digit(column: Any) -> None:
    assert numbers(votes_of(column)) == [7, -1, LARGEST]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1, 2.5], r"question at row 1 is 2\.5, which is no number of a question; pass whole numbers from 0"),
        ([1, float("inf")], "question at row 1 is inf"),
        ([1, -2], "question at row 1 is -2"),
        (np.array([1, -2]), "question at row 1 is -2"),
        ([2**63, 1], "question at row 0 is 9223372036854775808"),
        (np.array([1, 2**63], np.uint64), "question at row 1 is 9223372036854775808"),
        ([True, 1], "question at row 0 is True"),
        (["1", "1_0"], "question at row 1 is '1_0'"),
        (["1", "٣"], "question at row 1 is '٣'"),
        (["1", "9" * 19], "question at row 1 is '9999999999999999999'"),
        ([1, [2]], r"question at row 1 is \[2\]"),
        ([1.0, 2.0**53], "question at row 1 is 9007199254740992.0"),
    ],
    ids=str,
)
def test_what_is_no_question_is_refused(column: Any, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        votes_of(column)


@pytest.mark.parametrize("question", [[1], [1, 2, 3], 5, "12", np.zeros((2, 1), int)], ids=str)
def test_there_is_one_for_every_vote(question: Any) -> None:
    with pytest.raises(pv.InputError, match=r"^question"):
        pv.Votes.from_wins(["ash"] * 2, ["birch"] * 2, question=question)


def test_every_way_in_takes_them() -> None:
    more = {"criterion": ["new", "good"], "question": [4, 4]}
    by_wins = pv.Votes.from_wins(["ash"] * 2, ["birch"] * 2, **more)
    by_labels = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left"] * 2, **more)
    by_codes = pv.Votes.from_codes([0, 0], [1, 1], [2, 2], items=["ash", "birch"], **more)
    record = {"left": "ash", "right": "birch", "outcome": "left", "question": 4}
    by_records = pv.Votes.from_records([record | {"criterion": "new"}, record | {"criterion": "good"}])
    frame = by_wins.to_frame("polars")
    by_frame = pv.Votes.from_frame(frame, question="question")
    for votes in (by_wins, by_labels, by_codes, by_records, by_frame):
        assert votes.to_columns() == by_wins.to_columns()
        assert numbers(votes) == [4, 4]
    # A column called so may hold anything, the text of a question for example: it is taken where it is named.
    assert pv.Votes.from_frame(frame).question is None
    assert pv.Votes.from_frame(frame.rename({"question": "q"}), question="q").question.tolist() == [4, 4]


@given(st.lists(st.integers(-1, 9), max_size=8), st.data())
def test_a_question_stays_with_its_row(question: list[int], data: st.DataObject) -> None:
    votes = votes_of(question)
    mask = data.draw(st.lists(st.booleans(), min_size=len(question), max_size=len(question)))
    kept = [number for number, is_kept in zip(question, mask, strict=True) if is_kept]
    assert numbers(votes.where(np.array(mask, bool))) == kept
    assert numbers(votes + votes) == question * 2
    plain = pv.Votes.from_wins(["ash"] * 2, ["birch"] * 2)
    assert numbers(votes + plain) == [*question, -1, -1]
    assert numbers(plain + votes) == [-1, -1, *question]
    assert (plain + plain).question is None
    for copied in (pickle.loads(pickle.dumps(votes)), copy.deepcopy(votes), replace(votes)):
        assert numbers(copied) == question
    unknown = [None if number < 0 else number for number in question]
    assert votes.to_columns()["question"] == unknown
    for backend in ("pandas", "polars", "pyarrow"):
        assert numbers(pv.Votes.from_frame(votes.to_frame(backend), question="question")) == question


def test_counts_do_not_depend_on_them() -> None:
    with_questions, without = votes_of([3, 3, 5]), votes_of([None] * 3)
    assert with_questions.counts().table.tolist() == without.counts().table.tolist()
    assert votes_of([1, 2]).fold_orders(by=["a", "a"]).question.tolist() == [1, 2]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@given(question=st.lists(st.sampled_from([-1, 0, 7, 2**53 + 1, LARGEST]), min_size=1, max_size=5))
def test_files_hold_them(tmp_path_factory: pytest.TempPathFactory, suffix: str, question: list[int]) -> None:
    path = tmp_path_factory.mktemp("questions") / f"votes{suffix}"
    pv.write_votes(votes_of(question), path)
    assert numbers(pv.read_votes(path, question="question")) == question
    chunks = list(pv.scan_votes(path, question="question", chunk_rows=2))
    assert [number for chunk in chunks for number in numbers(chunk)] == question
    assert pv.read_votes(path).question is None


def test_a_file_without_the_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"left": "ash", "right": "birch", "outcome": "left"}\n')
    pv.write_votes(votes_of([4, None]), tmp_path / "2.jsonl")
    with pytest.raises(pv.InputError, match="no column 'question'"):
        pv.read_votes(tmp_path, question="question")
    joined = pv.read_votes(tmp_path / "1.jsonl") + pv.read_votes(tmp_path / "2.jsonl", question="question")
    assert numbers(joined) == [-1, 4, -1]


def test_a_row_whose_question_is_no_number_is_left_out_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome,question\nash,birch,left,1\nash,birch,left,first\nash,birch,left,\n")
    with pytest.raises(pv.InputError, match=r"question at line 3 .* is 'first'"):
        pv.read_votes(path, question="question")
    with pytest.warns(UserWarning, match=r"^1 row skipped: question at line 3 .* is 'first'"):
        assert numbers(pv.read_votes(path, question="question", bad_rows="skip")) == [1, -1]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_workbook_holds_them(tmp_path: Path, rows: int) -> None:
    cells = [["ash", "birch", "left", 7 if row else None] for row in range(rows)]
    sheet = [["left", "right", "outcome", "question"], *cells]
    (tmp_path / "votes.xlsx").write_bytes(workbook({"votes": sheet}))
    assert numbers(pv.read_votes(tmp_path / "votes.xlsx", question="question")) == [-1, 7, 7][:rows]
