"""Ballots planned ahead: every promise of `plan_ballots`, counted naively, and the command `pairvote plan`."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from itertools import combinations, pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote.cli._main import main
from pairvote.sampling import _design
from pairvote.sampling._connectivity import MOST_ITEMS, algebraic_connectivity
from pairvote.sampling._plan import describe_plan, plan_ballots

KALMAR = {"n_items": 23, "n_voters": 30, "votes_each": 20}
# Numbers for which a first attempt at whole units fails, so that runs have to stay within them.
WITHIN = [(7, 6, 9), (9, 11, 11), (11, 4, 14), (13, 9, 16), (15, 9, 19)]
# Half of a cycle over, which the straddling of two cycles excepts; all pairs but one; a copy of all pairs and more.
CORNERS = [(7, 3, 10), (7, 5, 11), (9, 4, 13), (6, 4, 14), (2, 1, 1), (2, 5, 60), (3, 4, 2), (4, 3, 5), (5, 40, 10)]


def spread(counts):
    """The largest less the smallest of counts, for all that could have been counted."""
    return max(counts) - min(counts)


def item_counts(questions, n_items):
    counts = Counter(item for question in questions for item in question)
    return [counts[item] for item in range(n_items)]


def pair_counts(questions, n_items):
    counts = Counter(frozenset(question) for question in questions)
    return [counts[frozenset(pair)] for pair in combinations(range(n_items), 2)]


def lead(questions, n_items):
    """How much more often each item is left than right."""
    lefts, rights = (Counter(question[side] for question in questions) for side in (0, 1))
    return [lefts[item] - rights[item] for item in range(n_items)]


def n_components(questions, n_items):
    component = list(range(n_items))
    for a, b in questions:
        component = [component[a] if one == component[b] else one for one in component]
    return len(set(component))


def assert_keeps_its_promises(ballots, n_items, n_voters, votes_each):
    assert ballots.shape == (n_voters, votes_each, 2)
    voters = [[tuple(question) for question in ballot] for ballot in ballots.tolist()]
    questions = [question for ballot in voters for question in ballot]
    n_pairs = n_items * (n_items - 1) // 2
    assert all(0 <= item < n_items for question in questions for item in question)
    assert all(left != right for left, right in questions)

    assert spread(item_counts(questions, n_items)) <= 1
    assert spread(pair_counts(questions, n_items)) <= 1
    assert max(map(abs, lead(questions, n_items))) <= 1
    for ballot in voters:
        assert spread(item_counts(ballot, n_items)) <= 1
        assert max(map(abs, lead(ballot, n_items))) <= 1
        if 2 * votes_each <= n_items:
            assert max(item_counts(ballot, n_items)) == 1
        for first in range(0, votes_each, n_pairs):
            shown = ballot[first : first + n_pairs]
            assert max(pair_counts(shown, n_items)) == 1, "a pair again before all pairs were shown"
    if 2 * votes_each <= n_items:
        way_round = Counter(questions)
        assert all(abs(way_round[a, b] - way_round[b, a]) <= 1 for a, b in combinations(range(n_items), 2))
    assert n_components(questions, n_items) == max(1, n_items - len(questions))


@pytest.mark.slow
@given(st.integers(2, 40), st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32))
def test_a_plan_keeps_all_its_promises(n_items, n_voters, votes_each, seed):
    ballots = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=seed)
    assert_keeps_its_promises(ballots, n_items, n_voters, votes_each)


@pytest.mark.parametrize(("n_items", "n_voters", "votes_each"), [*WITHIN, *CORNERS])
def test_a_plan_keeps_its_promises_in_corners(n_items, n_voters, votes_each):
    ballots = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=1)
    assert_keeps_its_promises(ballots, n_items, n_voters, votes_each)


def test_a_plan_keeps_its_promises_for_all_small_numbers():
    for n_items in range(2, 8):
        for votes_each in range(1, n_items * (n_items - 1) // 2 + 2):
            for n_voters in (1, 2, 3, 5, 8):
                ballots = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=0)
                assert_keeps_its_promises(ballots, n_items, n_voters, votes_each)


@pytest.mark.parametrize(("n_items", "n_voters", "votes_each"), [(1000, 100, 20), (200, 300, 20), (61, 20, 200)])
def test_a_large_plan_keeps_its_promises(n_items, n_voters, votes_each):
    ballots = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=1)
    codes = ballots.astype(np.int64)
    low, high = codes.min(axis=2), codes.max(axis=2)
    assert (low < high).all()
    table = np.zeros((n_items, n_items), int)
    np.add.at(table, (low, high), 1)
    assert np.ptp(table[np.triu_indices(n_items, 1)]) <= 1
    assert np.ptp(np.bincount(codes.ravel(), minlength=n_items)) <= 1
    lefts, rights = (np.bincount(codes[..., side].ravel(), minlength=n_items) for side in (0, 1))
    assert np.abs(lefts - rights).max() <= 1
    for voter in range(n_voters):
        assert np.ptp(np.bincount(codes[voter].ravel(), minlength=n_items)) <= 1
        assert len(set(zip(low[voter], high[voter], strict=True))) == votes_each


@pytest.mark.slow
def test_millions_of_items_can_be_planned():
    ballots = plan_ballots(n_items=2**24, n_voters=3, votes_each=4, rng=1)
    assert len(set(ballots.ravel().tolist())) == 24


@given(st.integers(2, 12), st.integers(1, 8), st.integers(1, 20), st.integers(0, 2**32))
def test_a_seed_gives_one_plan(n_items, n_voters, votes_each, seed):
    numbers = {"n_items": n_items, "n_voters": n_voters, "votes_each": votes_each}
    ballots = plan_ballots(**numbers, rng=seed)
    np.testing.assert_array_equal(ballots, plan_ballots(**numbers, rng=np.random.default_rng(seed)))


def test_seeds_give_different_plans_and_no_seed_a_random_one():
    plans = [plan_ballots(**KALMAR, rng=rng) for rng in (1, 2, None, None)]
    assert len({plan.tobytes() for plan in plans}) == 4


def test_a_plan_is_read_only_and_has_twenty_votes_each_by_default():
    ballots = plan_ballots(n_items=23, n_voters=30, rng=1)
    assert ballots.shape == (30, 20, 2)
    assert ballots.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        ballots[0, 0, 0] = 1


@pytest.mark.slow
@pytest.mark.parametrize(("n_items", "votes_each"), [(5, 3), (2, 1), (3, 2), (3, 3), (4, 7)])
def test_no_item_has_a_place_of_its_own(n_items, votes_each):
    # Over many plans each item is as likely as another in a voter's first question, and on either side.
    n_plans, share = 600, 1 / n_items
    plans = [plan_ballots(n_items=n_items, n_voters=1, votes_each=votes_each, rng=seed) for seed in range(n_plans)]
    first = np.array([plan[0, 0] for plan in plans])
    counts = np.array([np.bincount(first[:, side], minlength=n_items) for side in (0, 1)])
    deviation = (counts - n_plans * share) / np.sqrt(n_plans * share * (1 - share))
    assert np.abs(deviation).max() < 4


def test_no_item_is_in_two_questions_in_a_row_at_the_workshop_s_size():
    for seed in range(10):
        for ballot in plan_ballots(**KALMAR, rng=seed).tolist():
            assert not any(set(one) & set(next_one) for one, next_one in pairwise(ballot))


def random_pairs(n_questions, n_items, rng):
    left = rng.integers(n_items, size=n_questions)
    return left, (left + rng.integers(1, n_items, size=n_questions)) % n_items


@pytest.mark.parametrize(
    ("n_items", "n_voters", "votes_each", "gain"),
    [
        (23, 30, 20, 1.25),
        (23, 5, 20, 1.5),
        (50, 30, 20, 1.3),
        (200, 100, 20, 1.3),
        (23, 100, 1, 1.5),
        (12, 10, 50, 1.05),
    ],
)
def test_a_plan_is_better_connected_than_random_pairs(n_items, n_voters, votes_each, gain):
    rng = np.random.default_rng(1)
    drawn = [algebraic_connectivity(*random_pairs(n_voters * votes_each, n_items, rng), n_items) for _ in range(20)]
    ballots = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=1)
    assert connectivity(ballots, n_items) > gain * np.mean(drawn)


def connectivity(ballots, n_items):
    return algebraic_connectivity(*ballots.reshape(-1, 2).T, n_items)


@pytest.mark.parametrize(("n_items", "n_voters", "votes_each"), [(8, 5, 3), (9, 3, 5), (8, 5, 25), (9, 3, 31)])
def test_a_plan_is_no_worse_connected_than_its_design(n_items, n_voters, votes_each):
    n_pairs = n_items * (n_items - 1) // 2
    few = min(votes_each, n_pairs - votes_each)
    for seed in range(20):
        pairs = _design.design(n_items, n_voters, few, np.random.default_rng(seed))
        designed = pairs if few == votes_each else _design.others(pairs, n_items)
        planned = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=seed)
        assert connectivity(planned, n_items) >= connectivity(designed, n_items) - 1e-9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_items", "n_voters", "votes_each"), [(23, 1, 20), (23, 4, 5), (1101, 11, 100), (1101, 11, 50)]
)
def test_few_questions_leave_as_few_pieces_as_can_be(n_items, n_voters, votes_each):
    for seed in range(5):
        ballots = plan_ballots(n_items=n_items, n_voters=n_voters, votes_each=votes_each, rng=seed)
        assert n_components(ballots.reshape(-1, 2).tolist(), n_items) == n_items - n_voters * votes_each


@pytest.mark.parametrize("n_items", [2, 3, 5, 8])
def test_algebraic_connectivity_of_known_graphs(n_items):
    codes = np.arange(n_items)
    path = algebraic_connectivity(codes[:-1], codes[1:], n_items)
    assert path == pytest.approx(2 - 2 * np.cos(np.pi / n_items))
    left, right = np.triu_indices(n_items, 1)
    assert algebraic_connectivity(left, right, n_items) == pytest.approx(n_items)
    assert algebraic_connectivity(np.tile(left, 3), np.tile(right, 3), n_items) == pytest.approx(3 * n_items)
    assert algebraic_connectivity(codes[:-2], codes[1:-1], n_items) == 0


@pytest.mark.parametrize("n_items", range(4, 20))
def test_neighbouring_units_are_level_as_designed(n_items):
    size, n_units = _design._units(n_items)
    excepted = {size, n_items + (n_items - 1) // 2, n_items + (n_items + 1) // 2} if n_items % 2 else {size}
    for unit in range(2 * n_units):
        pairs = _design._pairs_at(np.arange(unit * size, (unit + 2) * size), n_items).tolist()
        for first in range(size):
            for stop in range(first + 1, size + 1):
                assert spread(item_counts(pairs[first:stop], n_items)) <= 1
        for tail in range(1, size):
            for head in range(1, size):
                level = spread(item_counts(pairs[size - tail : size + head], n_items)) <= 1
                assert level or tail + head in excepted
    everything = _design._pairs_at(np.arange(n_units * size), n_items).tolist()
    assert set(pair_counts(everything, n_items)) == {1}


@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, "3", None, True, float("nan")])
@pytest.mark.parametrize("name", ["n_items", "n_voters", "votes_each"])
def test_what_is_no_number_of_anything_is_refused(name, value):
    with pytest.raises(pv.errors.InputError, match=f"^{name} is .*pass a whole number from [12]$"):
        plan_ballots(**{**KALMAR, name: value})


def test_numbers_out_of_range_are_refused():
    with pytest.raises(pv.errors.InputError, match="n_items is 1; pass a whole number from 2"):
        plan_ballots(n_items=1, n_voters=3)
    with pytest.raises(pv.errors.InputError, match="n_items is 16777217; there can be at most 16,777,216"):
        plan_ballots(n_items=2**24 + 1, n_voters=3)
    with pytest.raises(pv.errors.InputError, match="more than 10,000,000 questions"):
        plan_ballots(n_items=23, n_voters=10**6, votes_each=11)


def test_numpy_s_whole_numbers_are_taken():
    ballots = plan_ballots(n_items=np.int8(23), n_voters=np.uint8(30), votes_each=np.int64(20), rng=1)
    np.testing.assert_array_equal(ballots, plan_ballots(**KALMAR, rng=1))


# --- the description ---


def test_the_description_counts():
    ballots = plan_ballots(**KALMAR, rng=1)
    lines = describe_plan(ballots, 23, 1).splitlines()
    ours = connectivity(ballots, 23)
    assert lines[:3] == [
        "600 questions: 30 voters, 20 each",
        "23 items, each asked about 52 to 53 times, by one voter 1 to 2 times; left and right differ by at most 1",
        "253 pairs, each asked about 2 to 3 times, by one voter 0 to 1 times",
    ]
    assert lines[3].startswith(f"algebraic connectivity {ours:.3g}, and ")
    assert lines[3].endswith(" where pairs are drawn at random (the mean of 20 such designs)")
    assert float(lines[3].split()[4]) < ours


def test_the_description_is_of_the_ballots_and_not_of_what_they_should_be():
    ballots = np.array([[[0, 1], [0, 1], [0, 2]], [[0, 1], [0, 2], [0, 3]]])
    lines = describe_plan(ballots, 5, 1).splitlines()
    assert lines[1] == (
        "5 items, each asked about 0 to 6 times, by one voter 0 to 3 times; left and right differ by at most 6"
    )
    assert lines[2] == "10 pairs, each asked about 0 to 3 times, by one voter 0 to 2 times"
    assert lines[3].startswith("algebraic connectivity 0, ")


def test_the_description_says_where_it_computes_no_connectivity():
    n_items = MOST_ITEMS + 1
    ballots = plan_ballots(n_items=n_items, n_voters=2, votes_each=5, rng=1)
    assert describe_plan(ballots, n_items, 1).splitlines()[-1] == (
        "algebraic connectivity is computed for up to 1,000 items only"
    )


# --- the command ---

TITLES = ["Öppen innovation", 'Mer, "bättre"', "=1+1", "birch", "cedar", "elm"]


@pytest.fixture
def titles_file(tmp_path):
    path = tmp_path / "titles.txt"
    path.write_text("\n".join(TITLES) + "\n", encoding="utf-8")
    return path


def run(capsys, *argv, stdin=b""):
    """The command's exit status, what it printed, and the lines of what it said on stderr."""
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))):
        status = main(["plan", *map(str, argv)])
    printed, said = capsys.readouterr()
    return status, printed, said.splitlines()


def refusal(capsys, *argv, stdin=b""):
    """The one line in which the command refuses, having printed nothing."""
    status, printed, said = run(capsys, *argv, stdin=stdin)
    assert (status, printed, len(said)) == (2, "", 1), said
    return said[0]


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_ballots_to_standard_output(capsys, titles_file):
    argv = ("--items", titles_file, "--voters", 4, "--votes", 3, "--seed", 5)
    status, printed, said = run(capsys, *argv)
    assert status == 0
    assert printed.splitlines()[0] == "voter,question,left,right,outcome"
    ballots = plan_ballots(n_items=6, n_voters=4, votes_each=3, rng=5)
    assert [[row["voter"], row["question"], row["left"], row["right"], row["outcome"]] for row in rows_of(printed)] == [
        [str(voter + 1), str(number + 1), TITLES[left], TITLES[right], ""]
        for voter, ballot in enumerate(ballots.tolist())
        for number, (left, right) in enumerate(ballot)
    ]
    assert said == [f"pairvote: {line}" for line in describe_plan(ballots, 6, 5).splitlines()]
    assert run(capsys, *argv, "--out", "-") == (status, printed, said)


def test_ballots_to_a_file_and_filled_in_back_to_rank(capsys, titles_file, tmp_path):
    out = tmp_path / "ballots.csv"
    argv = ("--items", titles_file, "--voters", 4, "--votes", 3, "--seed", 5)
    status, printed, said = run(capsys, *argv, "--out", out)
    assert (status, said) == (0, [])
    assert printed.splitlines()[0] == "12 questions: 4 voters, 3 each"
    assert printed.splitlines()[-1] == f"The ballots are in {out}."
    text = out.read_text(encoding="utf-8")
    assert text == run(capsys, *argv)[1]

    rows = rows_of(text)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        # The title that comes first in the list is picked.
        writer.writerows(
            {**row, "outcome": min(("left", "right"), key=lambda side: TITLES.index(row[side]))} for row in rows
        )
    votes = pv.read_votes(out)
    assert (len(votes), votes.voters) == (12, ("1", "2", "3", "4"))
    assert main(["rank", str(out), "--format", "csv"]) == 0
    ranked = [row["item"] for row in rows_of(capsys.readouterr().out)]
    assert sorted(ranked) == sorted(TITLES)
    assert (ranked[0], ranked[-1]) == (TITLES[0], TITLES[-1])


def test_twenty_votes_by_default_and_another_plan_each_time(capsys, titles_file):
    plans = [run(capsys, "--items", titles_file, "--voters", 2)[1] for _ in range(2)]
    assert plans[0] != plans[1]
    assert [len(rows_of(text)) for text in plans] == [40, 40]


@pytest.mark.parametrize("stdin", [b"\xef\xbb\xbfash\r\nbirch\r\n", b"\n  ash \n\n\t\nbirch", b"ash\rbirch\r"])
def test_titles_from_standard_input_with_marks_blanks_and_any_line_ends(capsys, stdin):
    _, printed, _ = run(capsys, "--items", "-", "--voters", 1, "--votes", 1, stdin=stdin)
    (row,) = rows_of(printed)
    assert {row["left"], row["right"]} == {"ash", "birch"}


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"", "standard input has 0 titles; pass two or more"),
        (b"\n \n", "standard input has 0 titles; pass two or more"),
        (b"ash\n", "standard input has 1 title; pass two or more"),
        (b"ash\n\nbirch\nash \n", "line 4 of standard input is 'ash', as is line 1; keep one"),
        (b"ash\nb\xf6rk\n", "standard input is not text in UTF-8"),
        ("ash\nbirch\n".encode("utf-16"), "standard input is not text in UTF-8"),
        ("ash\nbirch\n".encode("utf-16-le"), "line 1 of standard input has a NUL byte"),
    ],
)
def test_bad_titles_are_refused_in_one_line(capsys, stdin, message):
    assert message in refusal(capsys, "--items", "-", "--voters", 1, stdin=stdin)


def test_bad_files_are_refused_in_one_line(capsys, titles_file, tmp_path):
    assert "nowhere.txt" in refusal(capsys, "--items", tmp_path / "nowhere.txt", "--voters", 1)
    assert "is a directory" in refusal(capsys, "--items", tmp_path, "--voters", 1)
    argv = ("--items", titles_file, "--voters", 1, "--out")
    assert "cannot be written" in refusal(capsys, *argv, tmp_path / "nowhere" / "ballots.csv")
    assert "is a directory" in refusal(capsys, *argv, tmp_path)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--voters", "0"], "'0' is not a whole number from 1"),
        (["--voters", "2.5"], "'2.5' is not a whole number from 1"),
        (["--voters", "3", "--votes", "none"], "'none' is not a whole number from 1"),
        (["--voters", "3", "--seed", "-1"], "'-1' is not a whole number from 0"),
        (
            ["--voters", "10000000"],
            "plan for groups of voters, one at a time (on the command line: --voters N)",
        ),
        ([], "--voters is not given; pass it, or --top K"),
    ],
)
def test_bad_numbers_are_refused_in_one_line(capsys, titles_file, argv, message):
    assert message in refusal(capsys, "--items", titles_file, *argv)


def test_titles_are_needed(capsys):
    assert "the following arguments are required: --items" in refusal(capsys, "--voters", 3)
