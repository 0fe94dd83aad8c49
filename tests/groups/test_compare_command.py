"""Groups on the command line and in reports."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import pairvote as pv
from pairvote.cli._main import main

SIM = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=1.2), repetitions=1, rng=2014)
VOTES = SIM.votes(0)
GROUPS = {voter: ("public", "business")[voter % 2] for voter in VOTES.voters}
OUTCOMES = {0: "right", 1: "tie", 2: "left", 3: "skip"}


@pytest.fixture
def votes_file(tmp_path):
    path = tmp_path / "votes.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", "left", "right", "outcome", "sector", "shift"])
        for place, (voter, left, right, outcome) in enumerate(
            zip(VOTES.voter, VOTES.left, VOTES.right, VOTES.outcome, strict=True)
        ):
            shift = ("early", "late")[place // 300]
            writer.writerow([voter, f"item {left}", f"item {right}", OUTCOMES[int(outcome)], GROUPS[int(voter)], shift])
    return str(path)


def run(capsys, *argv) -> tuple[int, str, str]:
    status = main(list(argv))
    printed, said = capsys.readouterr()
    assert "Traceback" not in printed + said
    return status, printed, said


def read(path: str, **options) -> pv.groups.GroupComparison:
    """The comparison that the command makes."""
    votes, groups = pv.read_votes(path, voter="who"), pv.read_votes(path, voter="sector")
    return pv.compare_groups(votes, [groups.voters[code] for code in groups.voter], **options)


def test_rank_tells_of_groups_beneath_the_ranking(capsys, votes_file) -> None:
    status, printed, _ = run(capsys, "rank", votes_file, "--voter", "who", "--group-column", "sector")
    assert status == 0
    assert "public: 15 voters, 300 votes; business: 15 voters, 300 votes" in printed
    assert "the groups differ: p < 0.001" in printed
    found = read(votes_file)
    clear = dict.fromkeys(str(difference.item) for difference in found.clear_differences())
    assert len(clear) >= 3
    assert f"they clearly differ on {', '.join(clear)}"[:60] in printed


def test_rank_gives_groups_in_json(capsys, votes_file) -> None:
    _, printed, _ = run(
        capsys, "rank", votes_file, "--voter", "who", "--group-column", "sector", "--format", "json", "--level", "0.9"
    )
    told = json.loads(printed)["groups"]
    found = read(votes_file, level=0.9)
    assert told["p_value"] == found.p_value
    assert [group["n_voters"] for group in told["groups"]] == [15, 15]
    largest = found.differences[0]
    assert told["differences"][0]["item"] == largest.item
    assert told["differences"][0]["low"] == pytest.approx(largest.low, abs=1e-9)
    assert len(told["items"]) == 23


def test_folded_orders_keep_their_groups(capsys, votes_file) -> None:
    _, printed, _ = run(capsys, "rank", votes_file, "--voter", "who", "--group-column", "sector", "--fold-orders")
    assert "the groups differ: p < 0.001" in printed


def test_csv_has_the_ranking_and_says_where_the_groups_are(capsys, votes_file) -> None:
    argv = ("rank", votes_file, "--voter", "who", "--format", "csv")
    _, alone, _ = run(capsys, *argv)
    status, printed, said = run(capsys, *argv, "--group-column", "sector")
    assert (status, printed) == (0, alone)
    assert "the groups are in the table" in said


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--voter", "who", "--group-column", "shift"), "put every voter into one group"),
        (("--voter", "who", "--group-column", "rank"), "has no column 'rank'"),
        (("--group-column", "sector"), "do not say who voted"),
        (("--voter", "who", "--group-column", "who"), "has answered votes by 1 voter"),
        (("--voter", "who", "--group-column", "sector", "--criteria", "useful=1"), "on one criterion"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(capsys, votes_file, argv, words) -> None:
    status, printed, said = run(capsys, "rank", votes_file, *argv)
    assert (status, printed) == (2, "")
    assert words in said.splitlines()[-1]


def test_check_mentions_groups_that_differ(capsys, votes_file) -> None:
    argv = ("check", votes_file, "--voter", "who", "--top", "5")
    _, printed, _ = run(capsys, *argv, "--group-column", "sector")
    assert "2 groups of voters differ (p < 0.001), clearly on item " in printed
    _, printed, _ = run(capsys, *argv, "--group-column", "sector", "--format", "json")
    clear = dict.fromkeys(difference.item for difference in read(votes_file).clear_differences())
    assert json.loads(printed)["groups"]["differ_on"] == list(clear)


def test_check_is_silent_about_groups_that_agree() -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    groups = {voter: voter <= 15 for voter in votes.voters}
    report = pv.diagnostics.check(votes, groups=groups, rng=1, n_simulations=99)
    assert report.groups is not None
    assert report.groups.concerns() == ()
    assert not report.groups.differ
    alone = pv.diagnostics.check(votes, rng=1, n_simulations=99)
    assert alone.groups is None
    assert alone.concerns == report.concerns
    assert np.isfinite(report.to_dict()["groups"]["p_value"])
