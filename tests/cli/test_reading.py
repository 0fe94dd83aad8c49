"""What the commands say of the files that they read, and how they are asked to read them."""

from __future__ import annotations

import gzip
import json
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pairvote as pv
from pairvote.cli._main import main

Run = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: its status, what it printed, and the lines of what it said."""

    def run(*argv: object) -> tuple[int, str, list[str]]:
        status = main([str(word) for word in argv])
        printed, said = capsys.readouterr()
        return status, printed, said.splitlines()

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file; its path."""

    def write(text: str, name: str = "votes.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def won(printed: str) -> dict[str, float]:
    """Votes won by each item, in the JSON of a ranking."""
    return {row["item"]: row["won"] for row in json.loads(printed)["ranking"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--tied", "nope"], "votes.csv has no column 'nope'"),
        (["--left", "left", "--left", "n", "--right", "right", "--matrix"], "matrix and left are both given"),
        (["--left", "left", "--left", "n", "--right", "right", "--outcome", "nope"], "has no column 'nope'"),
    ],
)
def test_options_that_do_not_fit_are_explained(tmp_path, capsys, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{left},{right},left,3,4,{n}\n" for n, (left, right) in enumerate([("ash", "oak"), ("oak", "elm")]))
    (tmp_path / "votes.csv").write_text("left,right,outcome,left_wins,right_wins,n\n" + rows)
    assert main(["rank", "votes.csv", *options]) == 2
    assert words in capsys.readouterr().err


def test_a_file_that_is_named_twice_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("left,right,outcome\nash,oak,left\n")
    assert main(["rank", "a.csv", "./a.csv", "--method", "tally"]) == 0
    assert "a.csv is named more than once, and its votes count each time" in capsys.readouterr().err


class TestWhatWasUsed:
    def test_rows_and_columns_are_named(self, run: Run, write: Any) -> None:
        path = write("a,b,outcome,weight,judge\nash,oak,left,3,u\noak,ash,left,1,v\n")
        status, printed, said = run("rank", path, "--left", "a", "--right", "b", "--voter", "judge", "--format", "json")
        assert (status, said) == (
            0,
            [
                f"pairvote: note: 2 rows read from {path}, from the columns left 'a', right 'b', outcome, "
                "voter 'judge', weight 'weight' (--no-weight leaves it out)"
            ],
        )
        found = json.loads(printed)
        assert found["columns"] == {
            "left": "a",
            "right": "b",
            "outcome": "outcome",
            "voter": "judge",
            "weight": "weight",
        }
        assert (found["n_votes"], found["n_voters"]) == (2, 2)
        assert won(printed) == {"ash": 3, "oak": 1}

    def test_weights_may_be_left_out(self, run: Run, write: Any) -> None:
        path = write("left,right,outcome,weight\nash,oak,left,80\noak,ash,left,75\noak,ash,left,1\n")
        status, printed, said = run("rank", path, "--no-weight", "--format", "json")
        assert status == 0
        assert won(printed) == {"oak": 2, "ash": 1}
        assert said[0].endswith("from the columns left, right, outcome")

    def test_rows_that_are_skipped_are_counted_and_named(self, run: Run, write: Any) -> None:
        rows = "".join(f"ash,oak,{word}\n" for word in ("left", *(f"x{n}" for n in range(7)), "right"))
        path = write("left,right,outcome\n" + rows)
        status, printed, said = run("rank", path, "--skip-bad-rows", "--format", "json")
        assert status == 0
        (warning,) = [line for line in said if "rows skipped" in line]
        assert warning.startswith(f"pairvote: warning: 7 rows skipped: outcome at line 3 of {path} is 'x0'; ")
        assert warning.endswith("is 'x4'; …")
        found = json.loads(printed)
        assert (found["skipped_rows"]["n"], len(found["skipped_rows"]["first"])) == (7, 5)
        assert found["warnings"] == [warning.removeprefix("pairvote: ")]

    def test_empty_winners_are_said_to_be_ties(self, run: Run, write: Any) -> None:
        path = write("left,right,winner\nash,oak,ash\nash,oak,\n")
        status, _, said = run("rank", path)
        assert status == 0
        assert any("1 empty cell in the column of winners counted as ties" in line for line in said)
        status, printed, said = run("rank", path, "--outcomes", "=skip", "--format", "json")
        assert (json.loads(printed)["n_skips"], len(said)) == (1, 1)

    @pytest.mark.parametrize("command", ["rank", "check"])
    def test_labels_that_print_alike_are_named(self, run: Run, write: Any, command: str) -> None:
        path = write("left,right,outcome\nash,oak,left\nash ,oak,left\nOak,ash,left\n")
        status, _, said = run(command, path)
        assert status == 0
        (warning,) = [line for line in said if "print alike" in line]
        assert "'ash', 'ash '; 'oak', 'Oak'; --strip joins them" in warning
        status, _, said = run(command, path, "--strip")
        assert (status, [line for line in said if "print alike" in line]) == (0, [])

    def test_a_word_for_a_missing_value_is_named(self, run: Run, write: Any) -> None:
        path = write("left,right,outcome\nash,NA,left\nash,oak,left\n")
        status, _, said = run("rank", path)
        (warning,) = [line for line in said if "'NA' is an item" in line]
        assert (status, warning.split("pass ")[1]) == (0, "--na NA --skip-bad-rows")
        status, printed, _ = run("rank", path, "--na", "NA", "--skip-bad-rows", "--format", "json")
        assert (status, won(printed)) == (0, {"ash": 1, "oak": 0})

    def test_a_column_of_times_that_elo_passes_over_is_named(self, run: Run, write: Any) -> None:
        path = write("left,right,outcome,created_at\nash,oak,left,3\noak,ash,left,1\nash,oak,left,2\n")
        status, _, said = run("rank", path, "--method", "elo")
        assert status == 0
        (note,) = [line for line in said if "passed over" in line]
        assert note.endswith("'created_at' is passed over; --time created_at goes by it")
        status, timed, said = run("rank", path, "--method", "elo", "--time", "created_at", "--format", "csv")
        assert (status, len(said)) == (0, 1)
        sorted_path = write("left,right,outcome\noak,ash,left\nash,oak,left\nash,oak,left\n", "sorted.csv")
        rows = run("rank", sorted_path, "--method", "elo", "--format", "csv")[1]
        assert sorted(timed.splitlines()) == sorted(rows.splitlines())
        assert not any("passed over" in line for line in run("rank", path)[2])


class TestFiles:
    def test_several_files_are_one(self, run: Run, write: Any) -> None:
        one = write("left,right,outcome\nash,oak,left\n", "one.csv")
        other = write('{"left": "oak", "right": "elm", "outcome": "tie"}\n', "other.jsonl")
        status, printed, said = run("rank", one, other, "--format", "json")
        assert (status, json.loads(printed)["n_votes"]) == (0, 2)
        assert said[0].startswith(f"pairvote: note: 2 rows read from {one}, {other}, from")
        assert json.loads(run("rank", one.parent, "--format", "json")[1])["ranking"] == json.loads(printed)["ranking"]
        assert run("check", one, other)[0] == 0

    def test_a_packed_file_gives_the_same_bytes(self, run: Run, write: Any) -> None:
        path = write("left,right,outcome\nash,oak,left\noak,elm,tie\n")
        packed = path.with_name("packed.csv.gz")
        packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        assert run("rank", packed)[1] == run("rank", path)[1]

    def test_an_archive_of_several_files_is_ranked(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "leagues.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("2019/a.csv", "HomeTeam,AwayTeam,FTR\nash,oak,H\noak,ash,D\n")
            archive.writestr("2020/b.csv", "HomeTeam,AwayTeam,FTR\nelm,oak,A\nash,oak,H\n")
        status, _, said = run("rank", path)
        assert status == 2
        status, printed, _ = run(*shlex.split(said[-1].removeprefix("try: pairvote ")), "--format", "json")
        assert (status, won(printed)) == (0, {"ash": 2, "oak": 1, "elm": 0})

    @pytest.mark.parametrize("command", ["rank", "check"])
    @pytest.mark.parametrize(
        ("text", "argv", "words"),
        [
            ("left,right,outcome\n", [], "has columns and no row of votes"),
            ("left,right,outcome\nash,ash,left\n", ["--skip-bad-rows"], "has no vote: 1 row skipped, the first since"),
            ("left;right;outcome\nash;oak;left\n", ["-d", ",", "-t"], "-d and -t are both given"),
            (
                "left,right,outcome\nash,oak,left\n",
                ["--no-weight", "--weight", "w"],
                "weight is 'w' and use_weight is False",
            ),
            ("left,right,outcome\nash,oak,left\n", ["--fold-orders"], "do not say who voted"),
        ],
    )
    def test_what_is_refused(self, run: Run, write: Any, command: str, text: str, argv: list[str], words: str) -> None:
        status, printed, said = run(command, write(text), *argv)
        assert (status, printed) == (2, "")
        assert words in "\n".join(said)

    def test_two_orders_become_one_vote(self, run: Run, write: Any) -> None:
        path = write("left,right,winner,judge\nash,oak,ash,u\noak,ash,oak,u\nash,oak,ash,v\noak,ash,ash,v\n")
        (note,) = [line for line in run("rank", path, "--voter", "judge")[2] if "both orders" in line]
        assert note.endswith(
            "2 pairs judged in both orders by one voter are two votes each; --fold-orders makes one of them"
        )
        argv = ("rank", path, "--voter", "judge", "--fold-orders", "--method", "tally", "--format", "json")
        status, printed, said = run(*argv)
        found = json.loads(printed)
        assert (status, found["n_votes"], found["n_ties"], won(printed)) == (0, 2, 1, {"ash": 1, "oak": 0})
        assert said[1] == "pairvote: note: 2 pairs judged in both orders by one voter became one vote each"


class TestExplained:
    TEXT = "model_a,model_b,winner,judge\nx,y,model_a,u\ny,z,model_b,v\nx,z,tie (bothbad),v\nz,x,model_a,u\n"

    @pytest.mark.parametrize("command", ["rank", "check"])
    def test_the_command_that_is_proposed_works(self, run: Run, write: Any, command: str) -> None:
        status, printed, said = run(command, write(self.TEXT))
        assert (status, printed) == (2, "")
        assert said[0].endswith("has no columns 'left', 'right', 'outcome'")
        assert said[-1].startswith(f"try: pairvote {command} ")
        status, printed, _ = run(*shlex.split(said[-1].removeprefix("try: pairvote ")))
        assert status == 0
        assert "4 votes" in printed

    def test_all_faults_are_said_at_once(self, run: Run, write: Any) -> None:
        text = self.TEXT.replace("model_a,model_b,w", "Left, right,w") + "x,,model_a,u\ny,y,model_b,u\n"
        _, _, said = run("rank", write(text), "--outcome", "Winner")
        whole = "\n".join(said)
        for words in (
            "did you mean 'winner' for 'Winner'?",
            "--left Left",
            "--right ' right'",
            "1 row",
            "--skip-bad-rows",
        ):
            assert words in whole
        assert len(said) <= 24

    def test_ballots_whose_columns_are_places(self, run: Run, write: Any) -> None:
        path = write("voter,1st,2nd,3rd\nu,ash,oak,elm\nv,oak,ash,\nw,elm,oak,ash\nx,ash,elm,oak\n")
        status, _, said = run("rank", path)
        assert status == 2
        status, printed, _ = run(*shlex.split(said[-1].removeprefix("try: pairvote ")), "--format", "json")
        assert (status, won(printed)) == (0, {"ash": 4, "oak": 3, "elm": 3})
        assert json.loads(printed)["n_voters"] == 4

    def test_it_keeps_the_other_arguments(self, run: Run, write: Any) -> None:
        _, _, said = run("rank", write(self.TEXT), "--method", "elo", "--top", "2")
        assert {"--method", "elo", "--top", "2"} <= set(said[-1].split())
        assert run(*shlex.split(said[-1].removeprefix("try: pairvote ")))[0] == 0

    def test_what_scoring_refuses_is_not_about_the_file(self, run: Run, write: Any) -> None:
        status, _, said = run("rank", write("left,right,outcome\nash,oak,left\n"), "--prior-sd", "inf")
        assert (status, len(said)) == (2, 1)
        assert "undefeated" in said[0]

    @pytest.mark.parametrize(
        ("above", "proposed"),
        [
            ("exported in 2020\n\n", "--skip-lines 1"),
            ("sep=,\n", "--skip-lines 1"),
            ("# one\n# two, three\n", "--comment '#'"),
        ],
    )
    def test_lines_above_the_header_are_seen(self, run: Run, write: Any, above: str, proposed: str) -> None:
        path = write(above + "left,right,outcome\nash,oak,left\noak,elm,tie\nelm,ash,left\n")
        status, _, said = run("rank", path)
        assert (status, said[-1]) == (2, f"try: pairvote rank {path} {proposed}")
        status, printed, _ = run(*shlex.split(said[-1].removeprefix("try: pairvote ")), "--format", "json")
        assert (status, won(printed)) == (0, {"ash": 1, "elm": 1, "oak": 0})


def test_graded_votes_have_their_own_errors_in_a_folder_too(run: Run, write: Any, tmp_path: Path) -> None:
    """A folder is read chunk by chunk, where it makes no difference."""
    shares = [0.2, 0.7, 0.55, 0.9, 0.35, 0.6] * 10
    rows = [f"{left},{right},{share}" for left, right, share in zip("abcabc" * 10, "bcabca" * 10, shares, strict=True)]
    (tmp_path / "folder").mkdir()
    path = write("left,right,outcome\n" + "\n".join(rows) + "\n", "folder/votes.csv")
    options = ("--outcomes", "share", "--prior-sd", "2")
    tables = [run("rank", source, *options)[1] for source in (path, path.parent)]
    assert tables[0] == tables[1] != ""
    votes = pv.read_votes(path, outcomes="share")
    of_counts = pv.bradley_terry(votes.counts(), prior_sd=2.0)
    assert (pv.bradley_terry(votes, prior_sd=2.0).standard_errors < 0.7 * of_counts.standard_errors).all()
