"""Votes told in several shapes are the same votes, whether a file is read whole, in chunks, or as a data frame."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv

ITEMS = ("ash", "birch", "cedar", "elm, tall", "Åspen")
Row = tuple[str, str, str]


def as_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


def by_file(tmp_path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path = tmp_path / "votes.csv"
    path.write_bytes(as_csv(header, rows).encode())
    return path


READERS: dict[str, Callable[..., pv.Votes]] = {
    "whole": pv.read_votes,
    "chunks": lambda path, **options: sum_of(list(pv.scan_votes(path, chunk_rows=3, **options))),
    "pandas": lambda path, **options: pv.Votes.from_frame(
        pd.read_csv(path, keep_default_na=False, na_values=[""]), **options
    ),
    "polars": lambda path, **options: pv.Votes.from_frame(pl.read_csv(path), **options),
}


def sum_of(chunks: Sequence[pv.Votes]) -> pv.Votes:
    votes = chunks[0]
    for chunk in chunks[1:]:
        votes = votes + chunk
    return votes


def results(votes: pv.Votes) -> Counter[tuple[Any, ...]]:
    """How often each item won against each, or tied with it, counted row by row."""
    counted: Counter[tuple[Any, ...]] = Counter()
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    for left, right, outcome, times in zip(votes.left, votes.right, votes.outcome, weight.tolist(), strict=True):
        a, b = votes.items[left], votes.items[right]
        if outcome == pv.Outcome.TIE:
            counted["tie", *sorted((a, b))] += times
        elif outcome != pv.Outcome.SKIP:
            counted["win", *((a, b) if outcome == pv.Outcome.LEFT else (b, a))] += times
    return counted


def expected(rows: Sequence[Row]) -> Counter[tuple[Any, ...]]:
    counted: Counter[tuple[Any, ...]] = Counter()
    for a, b, outcome in rows:
        if outcome == "tie":
            counted["tie", *sorted((a, b))] += 1
        else:
            counted["win", *((a, b) if outcome == "left" else (b, a))] += 1
    return counted


ROWS: list[Row] = [
    ("ash", "birch", "left"),
    ("birch", "cedar", "right"),
    ("cedar", "ash", "tie"),
    ("elm, tall", "ash", "left"),
    ("Åspen", "elm, tall", "right"),
    ("ash", "birch", "right"),
    ("birch", "Åspen", "tie"),
]


def named_winner(row: Row) -> str:
    return {"left": row[0], "right": row[1], "tie": "tie"}[row[2]]


SHAPES: dict[str, tuple[Sequence[str], list[Sequence[object]], Mapping[str, Any]]] = {
    "outcome": (("left", "right", "outcome"), [list(row) for row in ROWS], {}),
    "winner by label": (("left", "right", "winner"), [[a, b, named_winner((a, b, o))] for a, b, o in ROWS], {}),
    "winner by side": (("a", "b", "w"), [list(row) for row in ROWS], {"left": "a", "right": "b", "winner": "w"}),
    "winner by column": (
        ("a", "b", "w"),
        [[a, b, {"left": "a", "right": "b", "tie": "tie"}[o]] for a, b, o in ROWS],
        {"left": "a", "right": "b", "winner": "w"},
    ),
    "an empty winner": (
        ("left", "right", "winner"),
        [[a, b, named_winner((a, b, o)).replace("tie", "")] for a, b, o in ROWS],
        {"winner": "winner"},
    ),
    "a word for ties": (
        ("left", "right", "winner"),
        [[a, b, named_winner((a, b, o)).replace("tie", "remis")] for a, b, o in ROWS],
        {"winner": "winner", "tie": "remis"},
    ),
    "winner and loser": (
        ("won by", "lost by", "draw"),
        [[*((a, b) if o != "right" else (b, a)), "yes" if o == "tie" else "no"] for a, b, o in ROWS],
        {"winner": "won by", "loser": "lost by", "tie": "draw"},
    ),
    "scores": (
        ("left", "right", "left_score", "right_score"),
        [[a, b, *{"left": (3, 1), "right": (0, 2), "tie": (1, 1)}[o]] for a, b, o in ROWS],
        {},
    ),
    "totals": (
        ("left", "right", "left_wins", "right_wins", "drawn"),
        [[a, b, int(o == "left"), int(o == "right"), int(o == "tie")] for a, b, o in ROWS],
        {"tied": "drawn"},
    ),
    "one cell": (
        ("log",),
        [[f"{a}|{b} -> {o}"] for a, b, o in ROWS],
        {"extract": {"log": r"(?P<left>.+)\|(?P<right>.+) -> (?P<outcome>\w+)"}},
    ),
}


class TestShapes:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("reader", READERS)
    def test_every_shape_gives_the_same_votes(self, tmp_path: Path, shape: str, reader: str) -> None:
        header, rows, options = SHAPES[shape]
        if "extract" in options and reader in ("pandas", "polars"):
            pytest.skip("a frame's columns are taken apart in the frame")
        votes = READERS[reader](by_file(tmp_path, header, rows), **options)
        assert results(votes) == expected(ROWS)

    @given(
        rows=st.lists(
            st.tuples(st.permutations(ITEMS), st.sampled_from(["left", "right", "tie"])).map(
                lambda drawn: (drawn[0][0], drawn[0][1], drawn[1])
            ),
            min_size=1,
            max_size=30,
        )
    )
    def test_a_winner_by_its_label_is_the_outcome(self, rows: list[Row]) -> None:
        text = as_csv(("left", "right", "winner"), [[a, b, named_winner((a, b, o))] for a, b, o in rows])
        votes = pv.read_votes(io.StringIO(text), format="csv")
        plain = pv.Votes.from_records(rows)
        assert votes.items == plain.items
        assert votes.outcome.tolist() == plain.outcome.tolist()

    def test_items_that_are_called_as_sides_are_items(self) -> None:
        text = as_csv(
            ("left", "right", "winner"), [["right", "tie", "right"], ["ash", "right", "right"], ["ash", "oak", "right"]]
        )
        votes = pv.read_votes(io.StringIO(text), format="csv")
        assert votes.outcome.tolist() == [pv.Outcome.LEFT, pv.Outcome.RIGHT, pv.Outcome.RIGHT]

    def test_sides_whose_columns_say_who_won_need_no_outcome(self) -> None:
        text = "winner_name,loser_name,voter\nash,birch,u\ncedar,birch,v\n"
        votes = pv.read_votes(io.StringIO(text), format="csv", left="winner_name", right="loser_name")
        assert votes.outcome.tolist() == [pv.Outcome.LEFT] * 2
        with pytest.raises(pv.InputError, match="no column 'outcome'"):
            pv.read_votes(io.StringIO(text), format="csv", left="loser_name", right="winner_name")

    def test_what_outcomes_says_goes_before_an_empty_winner_is_a_tie(self) -> None:
        text = as_csv(("left", "right", "winner"), [["ash", "oak", ""], ["ash", "oak", "none"]])
        votes = pv.read_votes(io.StringIO(text), format="csv", outcomes={None: "skip", "none": "right"})
        assert votes.outcome.tolist() == [pv.Outcome.SKIP, pv.Outcome.RIGHT]

    def test_columns_of_a_side_are_joined(self) -> None:
        header = ("type 1", "level 1", "type 2", "level 2", "outcome")
        rows = [["jpeg", 1, "jpeg", 2, "left"], ["jpeg", 2, "png", 1, "right"], ["png", 1, "jpeg", 1, "tie"]]
        options: dict[str, Any] = {"left": ["type 1", "level 1"], "right": ["type 2", "level 2"]}
        votes = pv.read_votes(io.StringIO(as_csv(header, rows)), format="csv", **options)
        assert votes.items == ("jpeg / 1", "jpeg / 2", "png / 1")
        frame = pv.Votes.from_frame(pd.DataFrame(rows, columns=list(header)), **options)
        assert (frame.items, frame.outcome.tolist()) == (votes.items, votes.outcome.tolist())

    def test_items_that_would_be_joined_alike_are_refused(self) -> None:
        rows = [["a / b", "c", "x", "y", "left"], ["a", "b / c", "x", "y", "left"]]
        text = as_csv(("a", "b", "c", "d", "outcome"), rows)
        with pytest.raises(pv.InputError, match="two items would both be called 'a / b / c'"):
            pv.read_votes(io.StringIO(text), format="csv", left=["a", "b"], right=["c", "d"])

    def test_totals_are_rows_where_whole_and_weights_elsewhere(self) -> None:
        text = "left,right,left_wins,right_wins\nash,oak,2,0.5\n"
        votes = pv.read_votes(io.StringIO(text), format="csv")
        assert votes.weight is not None
        assert votes.weight.tolist() == [2.0, 0.5]
        votes = pv.read_votes(io.StringIO(text.replace("0.5", "1")), format="csv")
        assert (votes.weight, votes.outcome.tolist()) == (None, [2, 2, 0])

    def test_decimal_commas(self) -> None:
        text = 'left;right;left_score;right_score\nash;oak;"2,5";2,25\n'
        votes = pv.read_votes(io.StringIO(text), format="csv", decimal=",")
        assert votes.outcome.tolist() == [pv.Outcome.LEFT]

    def test_shares_may_have_decimal_commas(self) -> None:
        text = "left;right;share\nash;oak;0,75\noak;elm;1\n"
        votes = pv.read_votes(io.StringIO(text), outcome="share", outcomes="share", decimal=",")
        assert votes.share is not None
        assert votes.share.tolist() == [0.75, 1.0]

    @pytest.mark.parametrize(
        ("text", "options", "words"),
        [
            ("left,right,winner\nash,oak,elm\nash,oak,fir\n", {}, "winner at line 2 of the stream is 'elm'.*'fir'"),
            ("left,right,left_score,right_score\nash,oak,3,x\n", {}, "right_score at line 2 .* is 'x', which is not"),
            ("left,right,left_score,right_score\nash,oak,3,\n", {}, "right_score at line 2 .* is missing"),
            ("left,right,left_score,right_score\nash,oak,3,nan\n", {}, "right_score at line 2"),
            ("left,right,left_wins,right_wins\nash,oak,3,-1\n", {}, "right_wins at line 2 .* finite and not negative"),
            ("left,right,left_wins,right_wins\nash,oak,3,inf\n", {}, "right_wins at line 2 .* finite and not negative"),
            ("winner,loser,drawn\nash,oak,perhaps\n", {"tie": "drawn"}, "tie at line 2 .* is 'perhaps'.*say true"),
            ("winner,loser\nash,ash\n", {}, "'ash' against itself"),
            ("winner,loser\nash,\n", {}, "missing"),
            ("left,right,outcome\nash,oak,left\n", {"winner": "w", "outcome": "outcome"}, "no columns? 'w'"),
            ("left,right,outcome\nash,oak,left\n", {"winner": "w", "left_score": "s"}, "do not go together"),
            (
                "left,right,outcome\nash,oak,left\n",
                {"weight": "w", "use_weight": False},
                "weight is 'w' and use_weight is False",
            ),
            ("Left,right,outcome\nash,oak,left\n", {"voter": "who"}, "no column.* 'Left'"),
            ("log\nx\n", {"extract": {"log": "("}}, "is no regular expression"),
            ("log\nx\n", {"extract": {"log": "x"}}, "name its groups"),
            ("log\nx\n", {"extract": "log"}, "extract is 'log'; pass a mapping"),
            ("left,right,outcome\na,b,tie\n", {"extract": {"log": "(?P<left>.)"}}, "no column 'log' to extract from"),
            ("left,right,outcome\na,b,tie\n", {"extract": {"left": "(?P<x>.)"}}, "is not used: 'x'; name it, such as"),
            ("a,b\nx,y\n", {"extract": dict.fromkeys("ab", "(?P<left>.)")}, "has the group left in two patterns"),
            ("left,right,outcome\nash,oak,left\n", {"bad_rows": "drop"}, "bad_rows is 'drop'; use 'raise' or 'skip'"),
            ("left,right,outcome\nash,oak,left\n", {"decimal": ";"}, "decimal is ';'"),
            ("left,right,outcome\nash,oak,left\n", {"skip_lines": -1}, "skip_lines is -1"),
            ("left,right,outcome\nash,oak,left\n", {"na": 3}, "na is 3"),
            ("left,right,outcome\nash,oak,left\n", {"left": []}, r"left is \[\]; pass the name of a column"),
            ("left,right,outcome\nash,oak,left\n", {"normalise": "yes"}, "normalise is 'yes'; it is True or False"),
        ],
    )
    def test_what_is_wrong_is_said(self, text: str, options: dict[str, Any], words: str) -> None:
        with pytest.raises(pv.InputError, match=words):
            pv.read_votes(io.StringIO(text), format="csv", **options)

    def test_all_columns_that_lack_are_named(self) -> None:
        with pytest.raises(
            pv.InputError, match="no columns 'left', 'right', 'outcome', 'who'; its columns are 'a', 'b'"
        ):
            pv.read_votes(io.StringIO("a,b\nx,y\n"), format="csv", voter="who")


BAD = [
    ("left", "right", "outcome", "weight"),
    ("ash", "oak", "left", "1"),
    ("ash", "ash", "left", "1"),
    ("", "oak", "left", "1"),
    ("ash", "oak", "won", "1"),
    ("ash", "oak", "", "1"),
    ("ash", "oak", "right", "-1"),
    ("oak", "elm", "tie", "2"),
]


class TestBadRows:
    @pytest.mark.parametrize("reader", READERS)
    def test_they_are_left_out_and_counted(self, tmp_path: Path, reader: str) -> None:
        path = by_file(tmp_path, BAD[0], BAD[1:])
        with pytest.warns(UserWarning, match="^5 rows skipped: .*against itself.*missing.*'won'.*missing.* -1"):
            votes = READERS[reader](path, bad_rows="skip")
        assert results(votes) == Counter({("win", "ash", "oak"): 1, ("tie", "elm", "oak"): 2})

    @pytest.mark.parametrize("reader", ["whole", "chunks"])
    def test_the_first_are_named_with_their_lines(self, tmp_path: Path, reader: str) -> None:
        path = by_file(tmp_path, BAD[0], BAD[1:])
        with pytest.warns(UserWarning, match="rows skipped") as caught:
            READERS[reader](path, bad_rows="skip")
        said = str(caught[0].message)
        assert [f"line {line} of {path}" in said for line in range(2, 9)] == [False] + [True] * 5 + [False]

    @pytest.mark.parametrize("reader", READERS)
    def test_where_there_are_none_nothing_is_said(self, tmp_path: Path, reader: str) -> None:
        path = by_file(tmp_path, ("left", "right", "outcome"), [list(row) for row in ROWS])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            votes = READERS[reader](path, bad_rows="skip")
        assert results(votes) == expected(ROWS)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_in_every_shape(self, tmp_path: Path, shape: str) -> None:
        header, rows, options = SHAPES[shape]
        bad = [["" for _ in header], *rows, ["?" for _ in header]]
        with pytest.warns(UserWarning, match="^2 rows skipped: "):
            votes = pv.read_votes(by_file(tmp_path, header, bad), bad_rows="skip", **options)
        assert results(votes) == expected(ROWS)

    @pytest.mark.parametrize("reader", ["whole", "chunks"])
    def test_times_that_are_none_are_left_out(self, tmp_path: Path, reader: str) -> None:
        rows = [("ash", "oak", "left", at) for at in ("2012-05-01 10:00:00 UTC", "soon", "", "2012-05-01T12:00+03:00")]
        path = by_file(tmp_path, ("left", "right", "outcome", "at"), rows)
        with pytest.warns(UserWarning, match="^2 rows skipped: time at line 3 .* is 'soon'; time at line 4 .* missing"):
            votes = READERS[reader](path, time="at", bad_rows="skip")
        assert votes.time is not None
        assert votes.time.tolist() == [dt.datetime(2012, 5, 1, 10), dt.datetime(2012, 5, 1, 9)]
        with pytest.raises(pv.InputError, match=r"time at line 3 .* is 'soon', which is no time here"):
            READERS[reader](path, time="at")

    @pytest.mark.parametrize("reader", ["whole", "chunks"])
    @pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv", "jsonl"])
    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    def test_times_that_are_no_numbers_are_left_out(self, tmp_path: Path, reader: str, suffix: str, bad: float) -> None:
        at = [1.5, bad, 0.5]
        path = tmp_path / f"votes.{suffix}"
        table = {"left": ["ash"] * 3, "right": ["oak"] * 3, "outcome": ["left"] * 3, "at": at}
        if suffix == "csv":
            path.write_text(as_csv(tuple(table), list(zip(*table.values(), strict=True))))
        elif suffix == "jsonl":
            rows = zip(*table.values(), strict=True)
            path.write_text("".join(json.dumps(dict(zip(table, row, strict=True))) + "\n" for row in rows))
        else:
            pa = pytest.importorskip("pyarrow")
            if suffix == "parquet":
                pytest.importorskip("pyarrow.parquet").write_table(pa.table(table), path)
            else:
                pytest.importorskip("pyarrow.feather").write_feather(pa.table(table), path)
        with pytest.warns(
            UserWarning,
            match=r"^1 row skipped: time at (row 1|line [23]) of \S*votes\.\w+ is ('?-?(nan|inf)'?|missing)$",
        ):
            votes = READERS[reader](path, time="at", bad_rows="skip")
        assert votes.time is not None
        assert votes.time.tolist() == [1.5, 0.5]

    def test_an_item_against_itself_once_labels_are_joined(self, tmp_path: Path) -> None:
        path = by_file(tmp_path, ("left", "right", "outcome"), [("ash", "Ash ", "left"), ("ash", "oak", "left")])
        with pytest.warns(UserWarning, match="^1 row skipped: line 2 .* has 'ash' against itself"):
            assert len(pv.read_votes(path, bad_rows="skip", normalise=True)) == 1


class TestNormalise:
    def test_a_winner_is_found_by_a_label_that_prints_alike(self) -> None:
        text = as_csv(("left", "right", "winner"), [("ash", "Oak", "oak "), ("oak", "ash", "ASH")])
        votes = pv.read_votes(io.StringIO(text), format="csv", normalise=True)
        assert results(votes) == Counter({("win", "Oak", "ash"): 1, ("win", "ash", "Oak"): 1})
        with pytest.raises(pv.InputError, match="winner at line 2"):
            pv.read_votes(io.StringIO(text), format="csv")

    TEXT = (
        "left,right,outcome\nash,oak,left\nash ,oak,left\nAsh,oak,left\na\u200bsh,oak,right\n"
        "OAK, a\u030ash,tie\n\u00e5sh,oak,left\n"
    )

    @pytest.mark.parametrize("reader", READERS)
    def test_labels_that_print_alike_are_one_item(self, tmp_path: Path, reader: str) -> None:
        path = tmp_path / "votes.csv"
        path.write_text(self.TEXT, encoding="utf-8")
        votes = READERS[reader](path, normalise=True)
        assert set(votes.items) == {"ash", "oak", "åsh"}
        assert results(votes) == Counter(
            {("win", "ash", "oak"): 3, ("win", "oak", "ash"): 1, ("tie", "oak", "åsh"): 1, ("win", "åsh", "oak"): 1}
        )

    def test_without_being_asked_they_are_several(self, tmp_path: Path) -> None:
        path = tmp_path / "votes.csv"
        path.write_text(self.TEXT, encoding="utf-8")
        assert pv.read_votes(path).n_items == 8

    def test_labels_that_are_no_text_stay(self) -> None:
        frame = pd.DataFrame({"left": [1, 2], "right": [2, 3], "outcome": ["left", "tie"]})
        assert pv.Votes.from_frame(frame, normalise=True).items == (1, 2, 3)
