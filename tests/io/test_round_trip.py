"""What is written comes back whole: labels with their types, items without votes, times, questions and criteria."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import pairvote as pv
from pairvote.io._options import options_of
from pairvote.io._read import read_reported
from pairvote.votes._report import Report

COLUMNS = {"time": "time", "question": "question"}
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
# The least number of 64 bits stands for no time.
TIMES = st.integers(-(2**63) + 1, 2**63 - 1)
# The labels that each format takes; texts of CSV must tell all of them apart.
LABELS = {
    "votes.csv": [st.one_of(WORDS, NUMBERS)],
    "votes.jsonl": [st.one_of(WORDS, NUMBERS)],
    "votes.parquet": [WORDS, NUMBERS],
    "votes.arrow": [WORDS, NUMBERS],
}


def labels_for(name: str, *, at_least: int) -> st.SearchStrategy[list[Any]]:
    return st.one_of([st.lists(each, min_size=at_least, max_size=6, unique_by=str) for each in LABELS[name]])


@st.composite
def votes_for(draw: st.DrawFn, name: str) -> pv.Votes:
    """Votes that a format can hold, with any of the columns that there are, and items that perhaps nobody voted on."""
    items = draw(labels_for(name, at_least=0))
    n_votes = draw(st.integers(0, 5)) if len(items) > 1 else 0
    pairs = [draw(st.permutations(range(len(items))))[:2] for _ in range(n_votes)]

    def column(entries: st.SearchStrategy[Any]) -> list[Any] | None:
        return draw(st.none() | st.lists(entries, min_size=n_votes, max_size=n_votes))

    people, themes = (draw(labels_for(name, at_least=1)) for _ in range(2))
    kind = draw(st.sampled_from([st.floats(-1e18, 1e18), TIMES, st.datetimes()]))
    return pv.Votes.from_codes(
        [left for left, _ in pairs],
        [right for _, right in pairs],
        draw(st.lists(st.integers(0, 3), min_size=n_votes, max_size=n_votes)),
        items=items,
        voter=column(st.none() | st.sampled_from(people)),
        weight=column(st.floats(0, 1e6)),
        criterion=column(st.none() | st.sampled_from(themes)),
        time=column(kind),
        question=column(st.integers(-1, 2**63 - 1)),
    )


def written(votes: pv.Votes, path: Path) -> Path:
    """The path of a file that holds the votes; Arrow, which is not written, is made of the same table as Parquet."""
    if path.suffix != ".arrow":
        pv.write_votes(votes, path)
        return path
    pv.write_votes(votes, path.with_suffix(".parquet"))
    table = parquet.read_table(path.with_suffix(".parquet"))
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return path


def as_text(columns: dict[str, list[Any]], name: str) -> dict[str, list[Any]]:
    """The columns as a format gives them back: voters and criteria are texts in CSV, which has no types."""
    texts = columns.keys() & ({"voter", "criterion"} if name == "votes.csv" else set())
    return columns | {part: [None if label is None else str(label) for label in columns[part]] for part in texts}


def named(votes: pv.Votes) -> dict[str, Any]:
    return {name: name for name in COLUMNS if getattr(votes, name) is not None}


def same_counts(ours: pv.PairCounts, theirs: pv.PairCounts) -> bool:
    return ours.items == theirs.items and all(
        np.array_equal(getattr(ours, field.name), getattr(theirs, field.name))
        for field in fields(ours)
        if field.name != "items"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("name", list(LABELS))
@given(data=st.data())
def test_votes_come_back_by_their_items(folder: Path, name: str, data: st.DataObject) -> None:
    votes = data.draw(votes_for(name))
    again = pv.read_votes(written(votes, folder / name), items=votes.items, **named(votes))
    assert again.items == votes.items
    assert list(map(type, again.items)) == list(map(type, votes.items))
    if len(votes) or name != "votes.jsonl":
        # Without a line, JSON Lines have no columns.
        assert again.to_columns() == as_text(votes.to_columns(), name)
    assert again.time is None or again.time.dtype == votes.time.dtype or not len(votes)
    chosen = [None] if votes.criterion is None else votes.criteria
    spelt = {str(label): label for label in again.criteria}
    for criterion in chosen:
        counts = again.counts(criterion=None if criterion is None else spelt[str(criterion)])
        assert same_counts(counts, votes.counts(criterion=criterion))


@pytest.mark.parametrize("name", ["votes.parquet", "votes.arrow"])
@given(data=st.data())
def test_parquet_names_the_items_itself(folder: Path, name: str, data: st.DataObject) -> None:
    votes = data.draw(votes_for(name))
    again = pv.read_votes(written(votes, folder / name), **named(votes))
    assert again.items == votes.items
    assert again.to_columns() == votes.to_columns()


@pytest.mark.parametrize("name", list(LABELS))
@given(data=st.data())
def test_chunks_come_back_by_their_items(folder: Path, name: str, data: st.DataObject) -> None:
    votes = data.draw(votes_for(name))
    scan = pv.scan_votes(written(votes, folder / name), items=votes.items, chunk_rows=2, **named(votes))
    chunks = list(scan)
    assert sum(map(len, chunks)) == len(votes)
    for chunk, first in zip(chunks, range(0, len(votes), 2), strict=True):
        assert chunk.items == votes.items
        assert chunk.left.tolist() == votes.left[first : first + 2].tolist()
        assert chunk.question is None or chunk.question.tolist() == votes.question[first : first + 2].tolist()
    if votes.criterion is None:
        assert same_counts(pv.count_pairs(scan), votes.counts())


def scanned(path: Path, **options: Any) -> pv.Votes:
    return next(iter(pv.scan_votes(path, **options)))


class TestItemsByTheirTexts:
    @pytest.mark.parametrize("read", [pv.read_votes, scanned])
    def test_a_label_is_the_item_whose_text_it_is(self, tmp_path: Path, read: Any) -> None:
        items = [3, uuid.UUID(int=7), "3.0", 2.5, np.int64(12)]
        path = tmp_path / "votes.csv"
        path.write_text(f"left,right,outcome\n3,{items[1]},left\n3.0,2.5,tie\n12,3,right\n")
        votes = read(path, items=items)
        assert votes.items == tuple(items)
        assert [votes.left.tolist(), votes.right.tolist()] == [[0, 2, 4], [1, 3, 0]]

    @pytest.mark.parametrize("read", [pv.read_votes, scanned])
    def test_the_text_of_several_items_is_refused_where_a_row_has_it(self, tmp_path: Path, read: Any) -> None:
        path = tmp_path / "votes.csv"
        path.write_text("left,right,outcome\n2,3,left\n1,2,left\n")
        message = r"left at line 3 of .*votes.csv is '1', the text of several items \(1, '1'\); give items whose texts"
        with pytest.raises(pv.InputError, match=message) as caught:
            read(path, items=[1, 2, 3, "1"])
        assert caught.value.option == "items"
        path.write_text("left,right,outcome\n2,3,left\n")
        read(path, items=[1, 2, 3, "1"])
        # Labels of JSON have types, so that nothing needs to be told apart by its text.
        pv.write_votes(pv.Votes.from_wins([1], ["1"]), tmp_path / "votes.jsonl")
        assert next(iter(pv.read_votes(tmp_path / "votes.jsonl", items=["1", 1]).left)) == 1

    @pytest.mark.parametrize("text", ["4", "01", " 1", "1.0", "+1"])
    def test_a_label_that_is_no_items_text_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "votes.csv"
        path.write_text(f'left,right,outcome\n"{text}",2,left\n')
        for read in (pv.read_votes, scanned):
            with pytest.raises(pv.InputError, match=rf"left at line 2 .* is '{re.escape(text)}', .* 3 items of items="):
                read(path, items=[1, 2, 3])

    def test_texts_of_other_formats_stay_texts(self, tmp_path: Path) -> None:
        pv.write_votes(pv.Votes.from_wins(["1"], ["2"]), tmp_path / "votes.jsonl")
        with pytest.raises(pv.InputError, match="'1', which is not among the 2 items"):
            pv.read_votes(tmp_path / "votes.jsonl", items=[1, 2])

    @pytest.mark.parametrize(
        ("text", "options", "expected"),
        [
            ("a,b,won\n1,2,2\n3,1,a\n", {"left": "a", "right": "b", "winner": "won"}, [(1, 2, 0), (3, 1, 2)]),
            ("winner,loser\n1,2\n3,1\n", {}, [(1, 2, 2), (3, 1, 2)]),
            ("left,right,left_wins,right_wins\n3,1,1,1\n", {}, [(3, 1, 2), (3, 1, 0)]),
        ],
    )
    def test_every_shape_of_rows_has_them(self, tmp_path: Path, text: str, options: Any, expected: Any) -> None:
        (tmp_path / "votes.csv").write_text(text)
        votes = pv.read_votes(tmp_path / "votes.csv", items=[3, 2, 1], **options)
        assert votes.items == (3, 2, 1)
        found = zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), strict=True)
        assert [(votes.items[left], votes.items[right], outcome) for left, right, outcome in found] == expected

    def test_many_texts_are_found_as_well(self, tmp_path: Path) -> None:
        items = list(range(10_000))
        votes = pv.Votes.from_codes(items, items[1:] + items[:1], [2] * len(items))
        path = tmp_path / "votes.csv"
        pv.write_votes(votes, path)
        assert np.array_equal(pv.read_votes(path, items=items[::-1]).left, 9_999 - votes.left)
        assert same_counts(pv.count_pairs(pv.scan_votes(path, items=items)), votes.counts())


class TestItemsInMetadata:
    """Anybody may write a file, and change the rows or the metadata of one."""

    VOTES = pv.Votes.from_codes([2], [0], ["left"], items=[1, 2, 3])

    def rewritten(self, path: Path, said: Any, table: Any = None) -> Path:
        pv.write_votes(self.VOTES, path)
        table = parquet.read_table(path) if table is None else table
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        parquet.write_table(table.replace_schema_metadata({b"pairvote": content}), path)
        return path

    def read(self, path: Path, **options: Any) -> tuple[tuple[Any, ...], list[str]]:
        report = Report()
        votes = read_reported(path, None, options_of(**options), report)
        return votes.items, list(report.remarks)

    def test_they_are_in_the_file_only_where_rows_do_not_show_them(self, tmp_path: Path) -> None:
        path = tmp_path / "votes.parquet"
        pv.write_votes(self.VOTES, path)
        assert json.loads(parquet.read_schema(path).metadata[b"pairvote"]) == {"items": [1, 2, 3]}
        assert self.read(path) == ((1, 2, 3), [f"the metadata of {path} name 1 item without votes"])
        pv.write_votes(pv.Votes.from_wins([3], [1]), path)
        assert not parquet.read_schema(path).metadata
        # Labels that the file cannot hold are not in it.
        pv.write_votes(pv.Votes.from_codes([0], [1], ["left"], items=["b", "a", ("odd",)]), path)
        assert not parquet.read_schema(path).metadata

    def test_what_the_caller_says_counts(self, tmp_path: Path) -> None:
        path = self.rewritten(tmp_path / "votes.parquet", {"items": [1, 2, 3, 4]})
        assert self.read(path)[0] == (1, 2, 3, 4)
        assert self.read(path, items=[3, 1])[0] == (3, 1)

    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"\xff",
            b"{",
            b"[" * 100_000,
            b'{"items": [' + b"9" * 5_000 + b"]}",
            [1, 2, 3],
            {},
            {"items": None},
            {"items": {"1": 2}},
            {"items": [1, 2, 3, [4]]},
            {"items": [1, 2, 3, None]},
            {"items": [1, 2, 3, 1.5]},
            {"items": [1, 2, 3, True]},
            {"items": [1, 2, 3, 3]},
            {"items": [1, 2, 3, "\ud800"]},
        ],
        ids=lambda said: str(said)[:30],
    )
    def test_a_list_that_is_none_is_passed_over(self, tmp_path: Path, said: Any) -> None:
        path = self.rewritten(tmp_path / "votes.parquet", said)
        remark = f"what the metadata of {path} say of items is no list of labels, and is passed over"
        assert self.read(path) == ((3, 1), [remark])

    @pytest.mark.parametrize(
        ("said", "row"),
        [
            ([1, 2], (3, 1)),
            (["1", "2", "3"], (3, 1)),
            ([1, 2, 3], ("3", "1")),
            ([0, 1], (True, False)),
            ([1, 2, 3], (3.0, 1.0)),
        ],
        ids=str,
    )
    def test_a_list_without_a_label_of_the_rows_is_passed_over(self, tmp_path: Path, said: Any, row: Any) -> None:
        table = pa.table({"left": [row[0]], "right": [row[1]], "outcome": ["left"]})
        path = self.rewritten(tmp_path / "votes.parquet", {"items": said}, table)
        items, remarks = self.read(path)
        assert items == row
        assert type(items[0]) is type(row[0])
        assert remarks == [f"the items that the metadata of {path} name lack {row[0]!r}, and are passed over"]


@pytest.mark.parametrize("n_items", [0, 1, 2])
@pytest.mark.parametrize("name", list(LABELS))
def test_a_vote_that_has_not_begun_comes_back(tmp_path: Path, name: str, n_items: int) -> None:
    votes = pv.Votes.from_codes([], [], [], items=range(n_items))
    path = written(votes, tmp_path / name)
    again = pv.read_votes(path, items=votes.items)
    assert again.items == votes.items == tuple(range(n_items))
    assert list(pv.scan_votes(path, items=votes.items)) == []
    assert same_counts(pv.count_pairs(pv.scan_votes(path, items=votes.items)), votes.counts())
