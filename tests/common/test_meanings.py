"""What `outcomes=` may say: a mapping, or a text for shares, grades, scores and labels."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote._common.outcome_columns import read_outcomes
from pairvote._common.outcomes import Meanings

RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3


def codes_of(labels: Any, outcomes: Any) -> list[int]:
    return read_outcomes(labels, outcomes, str).codes.tolist()


def refusal(labels: Any, outcomes: Any = None) -> pv.InputError:
    n_votes = len(labels)
    with pytest.raises(pv.InputError) as caught:
        pv.Votes.from_labels(["ash"] * n_votes, ["birch"] * n_votes, labels, outcomes=outcomes)
    return caught.value


@given(st.lists(st.floats(0, 1), min_size=1))
def test_a_share_is_itself_and_leans_to_the_larger_part(shares: list[float]) -> None:
    sides = [LEFT if share > 0.5 else RIGHT if share < 0.5 else TIE for share in shares]
    columns: list[Any] = [shares, tuple(shares), np.array(shares), pd.Series(shares), [repr(share) for share in shares]]
    for column in columns:
        read = read_outcomes(column, "share", str)
        assert read.codes.tolist() == sides
        assert read.share is not None
        assert read.share.tolist() == shares


@given(st.integers(-10, 10), st.integers(-10, 10), st.floats(0, 1))
def test_the_first_number_of_a_scale_is_wholly_left(first: int, second: int, part: float) -> None:
    if first == second:
        return
    meanings = Meanings.of(f"{first}-{second}")
    number = first + part * (second - first)
    assert meanings.is_graded
    for grade, share in ((first, 1), (second, 0), (str(first), 1), (f" {second}", 0)):
        assert meanings.share(grade) == share
    if min(first, second) <= number <= max(first, second):
        exact = (Fraction(second) - Fraction(number)) / (second - first)
        assert meanings.share(number) == pytest.approx(float(exact), abs=1e-12)
    for outside in (min(first, second) - 1, max(first, second) + 0.5, math.nan, math.inf, "much", True):
        assert meanings.code(outside) == -1
        assert math.isnan(meanings.share(outside))


def test_words_and_shares_may_stand_side_by_side() -> None:
    read = read_outcomes(["left", 0.25, "tie", "skip", "right", "0.5"], "share", str)
    assert read.codes.tolist() == [LEFT, RIGHT, TIE, SKIP, RIGHT, TIE]
    assert read.share is not None
    np.testing.assert_array_equal(read.share, [math.nan, 0.25, math.nan, math.nan, math.nan, 0.5])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("3-2", LEFT),
        ("2:3", RIGHT),
        ("1\u20130", LEFT),
        (" 0 \u2014 1 ", RIGHT),
        ("1/2-1/2", TIE),
        ("\u00bd\u2013\u00bd", TIE),
        ("10-9", LEFT),
        ("2.5 : 1.5", LEFT),
        ("9007199254740993-9007199254740992", LEFT),
        ("left", LEFT),
        ("skip", SKIP),
        ("3-2-1", -1),
        ("3", -1),
        ("", -1),
        ("1/0-1", -1),
        ("-3-2", -1),
    ],
)
def test_scores_tell_the_winner(text: str, code: int) -> None:
    meanings = Meanings.of("scores")
    assert (meanings.code(text), meanings.is_graded) == (code, False)
    assert math.isnan(meanings.share(text))


@pytest.mark.parametrize(
    ("outcomes", "labels", "codes"),
    [
        ("H/D/A", ["H", "D", "A", "tie"], [LEFT, TIE, RIGHT, TIE]),
        ("model_a / model_b", ["model_a", "model_b"], [LEFT, RIGHT]),
        ("1/0", [1, 0, 1.0, "0"], [LEFT, RIGHT, LEFT, RIGHT]),
        ("true/false", [True, False, np.True_], [LEFT, RIGHT, LEFT]),
        ({"True": "left", "false": "right"}, [True, False], [LEFT, RIGHT]),
        ({True: "left", False: "right"}, ["true", "False", "TRUE", True], [LEFT, RIGHT, LEFT, LEFT]),
    ],
)
def test_labels_of_the_sides_in_one_text_and_booleans_by_name(outcomes: Any, labels: Any, codes: list[int]) -> None:
    assert codes_of(labels, outcomes) == codes


def test_a_number_and_a_boolean_in_one_column_are_told_apart() -> None:
    assert refusal([True, 1], {"true": "left"}).value == 1
    assert refusal([0.5, True], "share").value is True


def test_a_mapping_may_give_shares() -> None:
    grades = {"much better": 1.0, "better": 0.75, "same": "tie", "worse": np.float64(0.25), "much worse": 0}
    read = read_outcomes(list(grades), grades, str)
    assert read.codes.tolist() == [LEFT, LEFT, TIE, RIGHT, RIGHT]
    assert read.share is not None
    np.testing.assert_array_equal(read.share, [1.0, 0.75, math.nan, 0.25, 0.0])


def test_more_labels_in_one_text_are_grades_from_left_to_right() -> None:
    labels = ["much better", "better", "same", "worse", "much worse"]
    read = read_outcomes(labels, "/".join(labels), str)
    assert read.codes.tolist() == [LEFT, LEFT, TIE, RIGHT, RIGHT]
    assert read.share is not None
    np.testing.assert_array_equal(read.share, [1.0, 0.75, 0.5, 0.25, 0.0])
    four = read_outcomes(list("abcd"), "a / b / c / d", str)
    np.testing.assert_allclose(four.share, [1, 2 / 3, 1 / 3, 0])


@pytest.mark.parametrize("meaning", [1, 0, True, 1.5, -0.1, math.nan, "0.5"])
def test_what_is_no_share_is_refused(meaning: Any) -> None:
    with pytest.raises(pv.InputError, match=r"outcomes\['a'\] is .*the left side's share as a float from 0\.0 to 1\.0"):
        Meanings.of({"a": meaning})


@pytest.mark.parametrize(
    "text", ["shares", "5-5", "a/b/c/c", "a//b", "a/a", "", "1-", "/".join("abcdefghijklmnopqrstuv")]
)
def test_a_text_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(pv.InputError, match=r"outcomes is .*'share', 'scores', a scale such as '1-5'") as caught:
        Meanings.of(text)
    assert caught.value.option == "outcomes"


def test_all_labels_without_a_meaning_are_said_at_once() -> None:
    error = refusal(["left", "won", "lost", "won", None, "drew"])
    assert (error.option, error.value, error.where) == ("outcomes", "won", "row 1")
    assert error.problem == (
        "outcome at row 1 is 'won' (2 rows), at row 2 'lost' (1 row), at row 4 missing (1 row), at row 5 'drew' (1 row)"
    )


def test_so_many_unknown_labels_that_only_a_screen_of_them_is_shown() -> None:
    error = refusal([f"{'long ' * 100}{number}" for number in range(5000)])
    assert "and 4,992 more labels in 4,992 rows" in error.problem
    assert len(str(error)) < 1500


@pytest.mark.parametrize(
    ("labels", "outcomes"),
    [
        ([0.73, 0.4], "share"),
        (["0.73", "0.4"], "share"),
        ([1, 2, 3, 5], "1-5"),
        (["3-2", "0\u20131"], "scores"),
    ],
)
def test_what_outcomes_look_like_is_advised_and_works(labels: Any, outcomes: str) -> None:
    assert f"outcomes={outcomes!r}" in refusal(labels).remedy
    assert -1 not in codes_of(labels, outcomes)


class TestWinnersByName:
    LEFT = ("ash", "birch", "birch", "ash")
    RIGHT = ("birch", "cedar", "ash", "cedar")

    @pytest.mark.parametrize("winners", [("ash", "cedar", "ash", "ash"), ("ash", None, None, "cedar")])
    def test_a_column_that_names_the_winner_is_seen(self, winners: Any) -> None:
        with pytest.raises(pv.InputError) as caught:
            pv.Votes.from_labels(self.LEFT, self.RIGHT, winners)
        error = caught.value
        assert error.option == "winner"
        assert "the label of the left item" in error.problem
        assert "winner=" in str(error.remedy)

    def test_a_label_of_other_items_is_no_winner(self) -> None:
        with pytest.raises(pv.InputError) as caught:
            pv.Votes.from_labels(self.LEFT, self.RIGHT, ["cedar", "ash", "cedar", "birch"])
        assert caught.value.option == "outcomes"

    def test_so_it_is_in_files_and_their_scans(self, tmp_path: Any) -> None:
        rows = zip(self.LEFT, self.RIGHT, ("ash", "cedar", "ash", "ash"), strict=True)
        path = tmp_path / "votes.csv"
        path.write_text("left,right,outcome\n" + "\n".join(map(",".join, rows)))
        for read in (pv.read_votes, lambda path: list(pv.scan_votes(path))):
            with pytest.raises(pv.InputError, match=r"line 2 of .*'ash', the label of the left item") as caught:
                read(path)
            assert caught.value.option == "winner"
