"""``pairvote majority``: who beats whom, as text, CSV and JSON, and what is refused."""

from __future__ import annotations

import csv
import io
import json

import pytest

import pairvote as pv
from pairvote.cli._main import main

VOTES = """voter,left,right,outcome
anna,ash,birch,left
bo,birch,ash,tie
anna,cedar,birch,right
bo,ash,cedar,right
cia,=elm,ash,right
cia,birch,cedar,skip
"""


@pytest.fixture
def votes_file(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return str(path)


@pytest.fixture
def run(capsysbinary):
    """Run the command; its exit status, what it printed, and what it said."""

    def run(*argv):
        status = main(["majority", *map(str, argv)])
        printed, said = capsysbinary.readouterr()
        return status, printed.decode(), said.decode()

    return run


def test_text_is_what_the_result_prints(run, votes_file) -> None:
    status, printed, said = run(votes_file)
    assert (status, printed) == (0, f"{pv.majority(pv.read_votes(votes_file))}\n")
    assert "6 pairs of 4 items: 4 with a majority, 0 tied, 2 never asked" in printed
    assert said.splitlines() == [
        f"pairvote: note: 6 rows read from {votes_file}, from the columns left, right, outcome, voter"
    ]


def test_json_has_all(run, votes_file) -> None:
    status, printed, _ = run(votes_file, "--format", "json")
    report = json.loads(printed, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    found = pv.majority(pv.read_votes(votes_file))
    assert status == 0
    assert (report["version"], report["n_items"], report["n_pairs"], report["n_unasked"]) == (1, 4, 6, 2)
    assert report["condorcet_winner"] is None
    for name in ("unbeaten", "smith_set", "schwartz_set", "copeland_winners", "minimax_winners"):
        assert report[name] == list(getattr(found, name))
    assert report["cycles"] == [{"cycle": list(found.cycles[0]), "among": list(found.cycle_groups[0])}]
    assert report["kemeny"] == {
        "exact": True,
        "distance": found.kemeny_distance,
        "at_least": found.kemeny_bound,
        "votes": 5,
    }
    columns = found.to_columns()
    assert list(report["items"][0]) == list(columns)
    for name, values in columns.items():
        assert [row[name] for row in report["items"]] == values
    assert report["warnings"] == []


def test_csv_has_the_table(run, votes_file) -> None:
    _, printed, _ = run(votes_file, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(printed)))
    columns = pv.majority(pv.read_votes(votes_file)).to_columns()
    assert [row["item"] for row in rows] == columns["item"]
    assert [float(row["copeland"]) for row in rows] == columns["copeland"]
    assert "=elm" in columns["item"]
    _, safe, _ = run(votes_file, "--format", "csv", "--safe-csv")
    assert safe == printed.replace("=elm", "'=elm")


def test_there_is_no_number_for_an_item_without_votes(run, tmp_path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\nash,birch,left\nash,cedar,skip\n")
    _, printed, _ = run(path, "--format", "json")
    assert json.loads(printed)["items"][-1]["minimax"] is None
    _, printed, _ = run(path, "--format", "csv")
    assert printed.splitlines()[-1] == "3,cedar,0,0,0,2,0.0,,True"


def test_a_winner_is_named(run, tmp_path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\n1,2,left\n1,3,left\n2,3,left\n")
    _, printed, _ = run(path, "--format", "json")
    (winner,) = pv.majority(pv.read_votes(path)).smith_set
    assert json.loads(printed)["condorcet_winner"] == winner
    assert f"Condorcet winner: {winner} beats every other item" in run(path)[1]


def test_criteria_and_columns_reach_it(run, tmp_path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("a,b,said,what\nash,birch,first,new\nash,birch,second,useful\n")
    options = ["--left", "a", "--right", "b", "--outcome", "said", "--outcomes", "first=left,second=right"]
    options += ["--criterion-column", "what"]
    for criterion, winner in (("new", "ash"), ("useful", "birch")):
        _, printed, _ = run(path, *options, "--criterion", criterion, "--format", "json")
        assert json.loads(printed)["condorcet_winner"] == winner
    status, printed, said = run(path, *options)
    assert (status, printed) == (2, "")
    assert "--criterion LABEL" in said
    status, _, said = run(path, *options, "--criterion", "old")
    assert status == 2
    assert "there is no criterion 'old'" in said


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--safe-csv"], "--safe-csv is given without --format csv"),
        (["--group-column", "voter"], "--group-column goes with rank and check, not with majority; leave it out"),
        (["--format", "xml"], "invalid choice: 'xml'"),
        (["--top", "3"], "unrecognized arguments: --top 3"),
    ],
)
def test_what_it_does_not_take_is_refused(run, votes_file, argv, message) -> None:
    status, printed, said = run(votes_file, *argv)
    assert (status, printed) == (2, "")
    assert message in said


def test_a_file_that_is_no_votes_is_explained_with_this_command(run, tmp_path) -> None:
    path = tmp_path / "games.csv"
    path.write_text("home,away,result\nash,birch,home\nbirch,ash,away\ncedar,ash,home\n")
    status, printed, said = run(path)
    assert (status, printed) == (2, "")
    assert "pairvote rank" not in said
    assert f"pairvote majority {path}" in said
    assert "there is no file nowhere.csv" in run("nowhere.csv")[2]
