"""Tables of items on the command line: features, and scores of an earlier vote."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import pairvote as pv
from pairvote.cli._main import main

Run = Callable[..., str]
LENGTH = {"ash": 3.0, "birch": 2.0, "cedar": 0.5, "elm": 4.0}


@pytest.fixture
def votes(tmp_path: Path) -> tuple[pv.Votes, Path]:
    """Votes on three trees, and their file."""
    made = pv.Votes.from_labels(
        ["ash", "birch", "ash", "cedar", "ash"] * 8,
        ["birch", "cedar", "cedar", "birch", "birch"] * 8,
        ["left", "left", "tie", "left", "right"] * 8,
    )
    path = tmp_path / "votes.csv"
    pv.write_votes(made, path)
    return made, path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*argv: object, status: int = 0) -> str:
        assert main(["rank", *map(str, argv)]) == status
        out, said = capsys.readouterr()
        return said if status else out + said

    return run


def written(path: Path, header: str, rows: dict[str, object]) -> Path:
    path.write_text(
        "\n".join([header, *(f"{label},{value}" for label, value in rows.items())]) + "\n", encoding="utf-8"
    )
    return path


def test_features_are_read_and_items_that_only_they_name_are_predicted(votes, run, tmp_path) -> None:
    made, path = votes
    table = written(tmp_path / "items.csv", "tree,length", LENGTH)
    said = json.loads(run(path, "--item-covariates", table, "--format", "json").partition("\npairvote:")[0])
    whole = pv.Votes.from_codes(made.left, made.right, made.outcome, items=[*made.items, "elm"])
    expected = pv.bradley_terry(whole, item_covariates={label: {"length": value} for label, value in LENGTH.items()})
    assert {row["item"]: row["score"] for row in said["ranking"]} == pytest.approx(expected.to_dict())
    assert said["features"][0]["feature"] == "length"
    assert said["features"][0]["coefficient"] == pytest.approx(expected.features.coefficients[0])
    text = run(path, "--item-covariates", table, "--prior-sd", "0")
    assert "1 item has no vote, and a score by features alone: elm" in text
    assert "scores are sums over these features, without a remainder" in text
    assert "their order across components is by features alone" in text


def test_the_csv_of_an_earlier_ranking_is_a_scale(votes, run, tmp_path) -> None:
    made, path = votes
    columns = run(path, "--format", "csv", "--prior-sd", "1").partition("pairvote:")[0]
    earlier = {row["item"]: row for row in csv.DictReader(io.StringIO(columns))}
    known = tmp_path / "known.csv"
    kept = [line for line in columns.splitlines() if "cedar" not in line]
    known.write_text("\n".join([*kept, "9,larch,0.5,0.1,0,0,0,0,0,0"]) + "\n", encoding="utf-8")
    said = run(path, "--known-scores", known, "--prior-sd", "1", "--format", "json")
    assert "of 3 known scores 1 are of items that are not in these votes" in said
    scores = {
        name: (float(earlier[name]["score"]), float(earlier[name]["standard_error"])) for name in ("ash", "birch")
    }
    expected = pv.bradley_terry(made, known_scores=scores, prior_sd=1.0)
    found = {row["item"]: row["score"] for row in json.loads(said.partition("\npairvote:")[0])["ranking"]}
    assert found == pytest.approx(expected.to_dict(), abs=1e-9)
    exact = written(tmp_path / "exact.csv", "item,score", {"ash": 1.5})
    text = run(path, "--known-scores", exact)
    assert "has no column standard_error, so its scores are taken as exact" in text
    assert "on the scale of 1 known one" in text


def test_numbers_as_labels_are_matched(run, tmp_path) -> None:
    path = tmp_path / "votes.csv"
    pv.write_votes(pv.Votes.from_wins([1, 2, 3] * 5, [2, 3, 1] * 5), path)
    table = written(tmp_path / "items.csv", "id,size", {"1": 1.0, "2": 2.5, "3": 0.0})
    assert "has no vote" not in run(path, "--item-covariates", table, "--prior-sd", "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its header is empty"),
        ("tree\nash\n", "its header is tree"),
        ("tree,length,length\nash,1,2\n", "each with a name of its own"),
        ("tree,length\nash,1\nash,2\n", "row 3 is a second one of 'ash'"),
        ("tree,length\nash,long\n", "row 2, of 'ash', has a cell that is no number"),
        ("tree,length\nash,inf\n", "row 2, of 'ash', has a cell that is no number"),
        ("tree,length\nash\n", "row 2 has 1 cells and the header 2"),
        ("tree,length\nash,1\n", "item_covariates has no row for"),
    ],
)
def test_tables_that_cannot_be_are_refused(votes, run, tmp_path, text, message) -> None:
    table = tmp_path / "items.csv"
    table.write_text(text, encoding="utf-8")
    assert message in run(votes[1], "--item-covariates", table, status=2)


def test_files_and_flags_that_do_not_go_together_are_refused(votes, run, tmp_path) -> None:
    path = votes[1]
    assert "it cannot be read" in run(path, "--item-covariates", tmp_path / "nothing.csv", status=2)
    (tmp_path / "bytes.csv").write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    assert "it cannot be read" in run(path, "--known-scores", tmp_path / "bytes.csv", status=2)
    table = written(tmp_path / "items.csv", "tree,length", LENGTH)
    assert "needs columns item, score" in run(path, "--known-scores", table, status=2)
    other = written(tmp_path / "other.csv", "item,score", {"larch": 1.0})
    assert "none of the 1 items" in run(path, "--known-scores", other, status=2)
    assert "--item-covariates goes with --method bradley-terry" in run(
        path, "--item-covariates", table, "--method", "elo", status=2
    )
    said = run(path, "--item-covariates", table, "--prior-sd", "inf", status=2)
    assert "on the command line: --prior-sd SD" in said
