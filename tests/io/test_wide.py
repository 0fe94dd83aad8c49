"""Square tables of wins and ballots, one a row, become the votes that they stand for."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest

import pairvote as pv
from pairvote.cli._main import main

MATRIX = ",ash,birch,cedar\nash,,3,1\nbirch,0,,2\ncedar,4,NA,\n"


def read(text: str, **options: Any) -> pv.Votes:
    return pv.read_votes(io.StringIO(text), format="csv", **options)


def beaten(votes: pv.Votes) -> dict[tuple[Any, Any], float]:
    """How often each item beat each, counted row by row; a tie is half a win for both."""
    counted: dict[tuple[Any, Any], float] = {}
    for left, right, outcome in zip(votes.left, votes.right, votes.outcome, strict=True):
        a, b, score = votes.items[left], votes.items[right], outcome / 2
        counted[a, b] = counted.get((a, b), 0.0) + score
        counted[b, a] = counted.get((b, a), 0.0) + 1.0 - score
    return {pair: times for pair, times in counted.items() if times}


class TestMatrix:
    def test_a_cell_says_how_often_its_row_beat_its_column(self) -> None:
        votes = read(MATRIX, matrix=True)
        assert votes.items == ("ash", "birch", "cedar")
        assert beaten(votes) == {("ash", "birch"): 3, ("ash", "cedar"): 1, ("birch", "cedar"): 2, ("cedar", "ash"): 4}

    @pytest.mark.parametrize(
        "text",
        [
            MATRIX.replace(",ash,", "name,ash,"),
            MATRIX.replace("birch,cedar\n", "birch ,cedar\n"),
            ",cedar,ash,birch,age\nash,1,,3,5\nbirch,2,0,,7\ncedar,,4,NA,1\n",
            MATRIX.replace(",", ";"),
        ],
        ids=["a name above the labels", "a blank at an end", "other columns, in another order", "semicolons"],
    )
    def test_it_may_be_written_otherwise(self, text: str) -> None:
        assert beaten(read(text, matrix=True)) == beaten(read(MATRIX, matrix=True))

    def test_numbers_alone_are_named_by_the_header(self) -> None:
        votes = read("ash,birch\n0,3\n1,0\n", matrix=True)
        assert beaten(votes) == {("ash", "birch"): 3, ("birch", "ash"): 1}

    def test_what_is_left_out_is_said(self, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "m.csv").write_text(",ash,birch,age\nash,7,3,50\nbirch,,0,60\n")
        assert main(["rank", str(tmp_path / "m.csv"), "--matrix", "--format", "csv", "--method", "tally"]) == 0
        printed, said = capsys.readouterr()
        assert printed.splitlines()[1].startswith("1,ash,3.0,")
        for words in (
            "the columns 'age' are left out",
            "1 cells on the diagonal, where an item meets itself, are left out",
            "1 empty cells count as 0",
            "a cell is how often the item of its row beat the item of its column",
        ):
            assert words in said

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (",ash,birch\nash,0,1\nfir,1,0\n", "no column for 'fir'"),
            (",ash,birch\nash,0,1\nash,1,0\n", "one item in two rows"),
            (",ash,birch\nash,0,many\nbirch,1,0\n", "'birch' at line 2 of .* is 'many', which is not a number"),
            (",ash,birch\nash,0,-1\nbirch,1,0\n", "negative"),
        ],
    )
    def test_what_is_no_matrix_is_refused(self, text: str, words: str) -> None:
        with pytest.raises(pv.InputError, match=words):
            read(text, matrix=True)

    def test_it_is_one_file(self, tmp_path: Any) -> None:
        (tmp_path / "m.csv").write_text(MATRIX)
        with pytest.raises(pv.InputError, match="matrix is for one file"):
            pv.read_votes(tmp_path, matrix=True)


BALLOTS = [["ash", "birch", "cedar"], ["birch", "ash"], ["cedar", "ash", "birch"]]
PAIRS = [pair for ballot in BALLOTS for pair in itertools.combinations(ballot, 2)]


class TestRankings:
    BY_PLACE = "first,second,third\nash,birch,cedar\nbirch,ash,\ncedar,ash,birch\n"
    BY_ITEM = "ash,birch,cedar\n1,2,3\n2,1,\n2,3,1\n"

    def truth(self) -> dict[tuple[Any, Any], float]:
        return {pair: float(PAIRS.count(pair)) for pair in PAIRS}

    @pytest.mark.parametrize(
        "text", [BY_PLACE, BY_ITEM, BY_ITEM.replace("1", "1st").replace("2", "2nd").replace("3", "3rd")]
    )
    def test_every_pair_of_a_ballot_is_a_vote(self, text: str) -> None:
        votes = read(text, rankings="all")
        assert beaten(votes) == self.truth()
        assert votes.voter is not None
        assert np.bincount(votes.voter).tolist() == [3, 1, 3]

    def test_columns_are_named_where_there_are_others(self) -> None:
        text = "who,ash,birch,cedar,age\nu,1,2,3,50\nv,2,1,,40\nw,2,3,1,30\n"
        votes = read(text, rankings=["ash", "birch", "cedar"], voter="who")
        assert (beaten(votes), votes.voters) == (self.truth(), ("u", "v", "w"))

    def test_items_on_one_place_tie(self) -> None:
        votes = read("ash,birch,cedar\n1,1,2\n", rankings="all")
        assert beaten(votes) == {
            ("ash", "birch"): 0.5,
            ("birch", "ash"): 0.5,
            ("ash", "cedar"): 1.0,
            ("birch", "cedar"): 1.0,
        }

    @pytest.mark.parametrize(
        ("text", "rankings", "words"),
        [
            ("ash,birch\n1,x\n", "all", "'birch' are not numbers and others are"),
            ("first,second\nash,ash\n", "all", "line 2 of .* ranks an item twice"),
            ("ash,birch\n1,2\n", ["ash", "elm"], "no column 'elm'"),
            ("ash,birch\n1,2\n", "ash", "rankings is 'ash'; pass 'all'"),
            ("ash,birch\n1,2\n", ["ash", "ash"], "each once"),
        ],
    )
    def test_what_is_no_ballot_is_refused(self, text: str, rankings: Any, words: str) -> None:
        with pytest.raises(pv.InputError, match=words):
            read(text, rankings=rankings)


@pytest.mark.parametrize("wide", [{"matrix": True}, {"rankings": "all"}])
@pytest.mark.parametrize(
    "other",
    [
        {"left": "ash"},
        {"outcome": "birch"},
        {"winner": "ash", "loser": "birch"},
        {"tie": "drawn"},
        {"outcomes": {"x": "left"}},
        {"extract": {"ash": "(?P<left>.)"}},
    ],
)
def test_options_for_rows_of_votes_do_not_go_with_wide_files(wide: dict[str, Any], other: dict[str, Any]) -> None:
    (option, *_) = other
    (name,) = wide
    with pytest.raises(pv.InputError, match=f"{name} and {option} are both given.*leave out {name}= or {option}="):
        read(MATRIX, **wide, **other)
