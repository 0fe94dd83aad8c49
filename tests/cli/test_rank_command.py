"""Large files are ranked chunk by chunk, and what is said of them is what is said of others."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pairvote as pv
from pairvote.cli._main import main
from pairvote.scoring._methods import SCORERS

Run = Callable[..., str]


def votes(*, weighted: bool = False, criteria: bool = False) -> pv.Votes:
    rng = np.random.default_rng(5)
    left = rng.integers(6, size=300)
    right = (left + rng.integers(1, 6, size=300)) % 6
    labels = np.array(["ash", "birch", "cedar", "elm", "fir", "oak"])
    return pv.Votes.from_labels(
        labels[left].tolist(),
        labels[right].tolist(),
        rng.choice(["left", "right", "tie", "skip"], size=300, p=[0.5, 0.3, 0.15, 0.05]).tolist(),
        voter=[f"voter {row % 15}" for row in range(300)],
        weight=(rng.integers(1, 5, size=300) / 2).tolist() if weighted else None,
        criterion=rng.choice(["new", "useful"], size=300).tolist() if criteria else None,
    )


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Run:
    """What the command prints, of files that are taken for large or not, or judged by their size."""

    def printed(*argv: object, large: bool | None = None, status: int = 0) -> str:
        assert main(["rank", *map(str, argv)], by_chunks=large) == status
        out, said = capsys.readouterr()
        return said if status else out

    return printed


def assert_close(found: Any, expected: Any) -> None:
    """Two values of JSON, numbers to eight digits."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name in expected:
            if name != "n_iter":
                assert_close(found[name], expected[name])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    elif isinstance(expected, float):
        assert math.isclose(found, expected, rel_tol=1e-7, abs_tol=1e-8)
    else:
        assert found == expected


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_answer_is_the_same(printed: Run, tmp_path: Path, suffix: str, method: str, weighted: bool) -> None:
    path = tmp_path / f"votes.{suffix}"
    pv.write_votes(votes(weighted=weighted), path)
    whole, chunks = (
        json.loads(printed(path, "--method", method, "--format", "json", large=large)) for large in (False, True)
    )
    # Names of voters are not read chunk by chunk.
    assert (chunks.pop("n_voters"), whole.pop("n_voters")) == (None, 15)
    assert_close(chunks, whole)
    assert chunks["n_votes"] == 300


@pytest.mark.parametrize("options", [["--top", "2"], ["--position"], ["--ties", "half"], ["--prior-sd", "inf"]])
def test_options_are_the_same(printed: Run, tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "votes.csv"
    pv.write_votes(votes(), path)
    whole, chunks = (printed(path, *options, large=large).replace(" by 15 voters", "") for large in (False, True))
    assert chunks == whole


def test_one_criterion_is_chosen_as_it_is_spelt(printed: Run, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    pv.write_votes(votes(criteria=True), path)
    for method in ("bradley-terry", "elo", "tally"):
        options = ("--criterion", "new", "--method", method, "--format", "json")
        whole, chunks = (json.loads(printed(path, *options, large=large)) for large in (False, True))
        assert (chunks.pop("n_voters"), whole.pop("n_voters")) == (None, 15)
        assert_close(chunks, whole)
    said = printed(path, large=True, status=2)
    assert "several criteria ('useful', 'new'); choose one with criterion=" in said
    assert "--criterion LABEL" in said
    assert "there is no criterion 'odd'" in printed(path, "--criterion", "odd", large=True, status=2)
    # Several criteria are weighed from the whole file.
    assert printed(path, "--criteria", "new=1", large=True) == printed(path, "--criteria", "new=1", large=False)


def test_criteria_that_are_numbers_are_found_by_how_they_are_written(printed: Run, tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    rows = [("ash", "birch", "left", 1), ("ash", "birch", "right", 2), ("birch", "ash", "left", 2)]
    path.write_text(
        "".join(
            json.dumps(dict(zip(("left", "right", "outcome", "criterion"), row, strict=True))) + "\n" for row in rows
        )
    )
    report = json.loads(printed(path, "--criterion", "2", "--format", "json", large=True))
    assert (report["n_votes"], report["ranking"][0]["item"]) == (2, "birch")


def test_a_directory_of_files_is_ranked(printed: Run, tmp_path: Path) -> None:
    whole = votes()
    for number in range(3):
        pv.write_votes(whole.where(np.arange(300) % 3 == number), tmp_path / f"part-{number}.parquet")
    report = json.loads(printed(tmp_path, "--input-format", "parquet", "--format", "json"))
    assert report["n_votes"] == 300
    expected = pv.bradley_terry(whole)
    for row in report["ranking"]:
        assert row["score"] == pytest.approx(expected.to_dict()[row["item"]], abs=1e-8)
    assert report["fit"]["prior_sd"] == pytest.approx(float(expected.fit.prior_sd), rel=1e-6)


def test_what_is_wrong_is_told_with_its_line(printed: Run, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\nash,birch,left\nash,ash,tie\n")
    for large in (False, True):
        assert f"line 3 of {path} has 'ash' against itself" in printed(path, large=large, status=2)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_progress_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "votes.csv"
    pv.write_votes(votes(), path)
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert main(["rank", str(path)], by_chunks=True) == 0
        assert ("100%" in stream.getvalue()) == shown


class TestReliability:
    """Voters who answer by a coin are weighed, and listed below the ranking."""

    @pytest.fixture
    def crowd(self, tmp_path: Path) -> Path:
        voters = pv.VoterModel(random_voters=0.25)
        path = tmp_path / "votes.csv"
        pv.write_votes(pv.simulate(n_voters=8, votes_each=150, voters=voters, repetitions=1, rng=1).votes(0), path)
        return path

    @pytest.mark.parametrize("large", [None, True])
    def test_voters_stand_below_the_table(self, printed: Run, crowd: Path, large: bool | None) -> None:
        out = printed(crowd, "--reliability", "lapse", "--prior-sd", 1, large=large)
        ranking = pv.bradley_terry(pv.read_votes(crowd), reliability="lapse", prior_sd=1.0)
        assert out.endswith(f"\n\n{ranking.voters}\n")
        assert ranking.voters is not None
        assert [str(label) for label in ranking.voters.flags()] == ["6", "7"]

    def test_json_has_a_row_a_voter(self, printed: Run, crowd: Path) -> None:
        out = printed(crowd, "--reliability", "slope", "--prior-sd", 1, "--format", "json", "--level", 0.9)
        found = json.loads(out)["voters"]
        ranking = pv.bradley_terry(pv.read_votes(crowd), reliability="slope", prior_sd=1.0)
        assert ranking.voters is not None
        columns = ranking.voters.to_columns(0.9)
        assert [row["following"] for row in found] == columns["following"]
        assert [row["low"] for row in found] == columns["low"]
        assert [row["voter"] for row in found] == [str(label) for label in columns["voter"]]

    def test_it_goes_with_bradley_terry(self, printed: Run, crowd: Path) -> None:
        said = printed(crowd, "--reliability", "lapse", "--method", "elo", status=2)
        assert "--reliability goes with --method bradley-terry" in said

    def test_votes_without_voters_are_refused(self, printed: Run, tmp_path: Path) -> None:
        path = tmp_path / "votes.csv"
        pv.write_votes(pv.Votes.from_wins(["a"], ["b"]), path)
        assert "do not say who voted" in printed(path, "--reliability", "lapse", status=2)
