"""The command does what it says, and says in one line what it cannot do."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote.cli._main import main
from pairvote.cli._parser import FLAGS, make_parser

VOTES = """voter,left,right,outcome
anna,ash,birch,left
bo,birch,ash,tie
anna,cedar,birch,right
bo,ash,cedar,left
cia,cedar,ash,left
cia,birch,cedar,skip
"""
CEDAR_LEVEL = "left,right,outcome\nash,birch,left\nash,cedar,left\nbirch,elm,left\ncedar,elm,left\n"


def unexpected(said):
    """What was said on stderr, without the line on the rows that were read."""
    return [line for line in said if not re.match(r"pairvote: note: [0-9,]+ rows? read from ", line)]


@pytest.fixture
def votes_file(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return str(path)


@pytest.fixture
def run(capsys):
    """Run the command; its exit status, what it printed, and the lines of what it said on stderr."""

    def run(*argv, stdin=None):
        source = io.TextIOWrapper(io.BytesIO(stdin if isinstance(stdin, bytes) else (stdin or "").encode()))
        with mock.patch.object(sys, "stdin", source):
            status = main([str(part) for part in argv])
        printed, said = capsys.readouterr()
        assert "Traceback" not in printed + said
        return status, printed, said.splitlines()

    return run


@pytest.fixture
def done(run):
    """Run the command, which must succeed and say no more than what it read; what it printed."""

    def done(*argv, stdin=None):
        status, printed, said = run(*argv, stdin=stdin)
        assert (status, unexpected(said)) == (0, [])
        return printed

    return done


@pytest.fixture
def refused(run):
    """Run the command, which must print nothing and refuse on at most a screen; what it said."""

    def refused(*argv, stdin=None):
        status, printed, said = run(*argv, stdin=stdin)
        assert (status, printed) == (2, ""), said
        said = unexpected(said)
        assert said[0].startswith("pairvote: error: ")
        assert len(said) <= 24
        assert not any(line.startswith("pairvote: ") for line in said[1:])
        return "\n".join(said).removeprefix("pairvote: error: ")

    return refused


def in_a_process(*argv, **options):
    environment = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1]), **options.pop("env", {})}
    command = [sys.executable, "-W", "error", "-m", "pairvote", *map(str, argv)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False, **options)


# --- rank ---

CIRCLE = "left,right,outcome\na,b,left\nb,c,left\nc,a,left\n"


def test_table(done, votes_file):
    lines = done("rank", votes_file).splitlines()
    ranking = pv.bradley_terry(pv.read_votes(votes_file))
    n = len(str(ranking).splitlines())
    assert lines[0] == "6 votes by 3 voters on 3 items, 1 tie and 1 skip among them, scored by bradley-terry"
    assert lines[1 : n + 1] == str(ranking).splitlines()
    spread = ranking.fit.prior_sd
    assert lines[n].startswith(f"the prior was learned: spread {spread:.2g} (95%: {spread.interval.low:.2g} to ")
    chance = ranking.outcome_probabilities("ash", "birch").tie
    assert lines[-1].startswith(f"tie parameter (davidson) {ranking.fit.tie_parameter:.3g}: two equal items tie with")
    assert float(lines[-1].split()[-1]) >= chance - 0.005, "equal items tie most"
    assert len(lines) == 6 + 1


def test_table_says_the_chance_that_equal_items_tie(done):
    # Four ties in ten votes between two items that won three each: they are equal, and tie with probability 0.4.
    rows = ["a,b,left"] * 3 + ["b,a,left"] * 3 + ["a,b,tie"] * 4
    stdin = "left,right,outcome\n" + "\n".join(rows)
    for model, parameter in (("davidson", 2 * 0.4 / 0.6), ("rao-kupper", 1.4 / 0.6)):
        last = done("rank", "-", "--ties", model, "--prior-sd", "inf", stdin=stdin).splitlines()[-1]
        assert last == f"tie parameter ({model}) {parameter:.3g}: two equal items tie with probability 0.40"
    for ties in ("half", "drop"):
        assert "tie parameter" not in done("rank", "-", "--ties", ties, stdin=stdin)


def test_no_tie_parameter_where_nobody_tied(done):
    assert "tie parameter" not in done("rank", "-", stdin=CEDAR_LEVEL)


def test_position_effect(done):
    stdin = "left,right,outcome\n" + "a,b,left\n" * 6 + "b,a,left\n" * 6 + "a,b,right\n" * 2 + "b,a,right\n" * 2
    last = done("rank", "-", "--position", "--prior-sd", "inf", stdin=stdin).splitlines()[-1]
    assert last == f"position effect: standing on the left adds {np.log(3):.3g} log-odds"


def test_csv(done, votes_file):
    text = done("rank", votes_file, "--format", "csv", "--level", "0.8")
    assert text.splitlines()[0] == "rank,item,score,standard_error,low,high,won,tied,asked,skipped"
    assert "\r" not in text
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = pv.bradley_terry(pv.read_votes(votes_file)).to_columns(level=0.8)
    assert [row["item"] for row in rows] == columns.pop("item")
    for name, values in columns.items():
        assert [float(row[name]) for row in rows] == values
    assert rows[0]["won"] == "2"


def test_csv_of_a_scorer_without_standard_errors_leaves_their_cells_empty(done, votes_file):
    rows = list(csv.DictReader(io.StringIO(done("rank", votes_file, "--format", "csv", "--method", "elo"))))
    assert len(rows) == 3
    assert {row[name] for row in rows for name in ("standard_error", "low", "high")} == {""}


def test_csv_quotes_labels(done):
    stdin = 'left,right,outcome\n"a, b","say ""x""",left\n'
    rows = list(csv.DictReader(io.StringIO(done("rank", "-", "--format", "csv", stdin=stdin))))
    assert [row["item"] for row in rows] == ["a, b", 'say "x"']


def test_json(done, votes_file):
    text = done("rank", votes_file, "--format", "json")
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    told = {
        "version": 1,
        "pairvote": pv.__version__,
        "method": "bradley-terry",
        "unit": "log-odds",
        "level": 0.95,
        "n_votes": 6,
        "n_ties": 1,
        "n_skips": 1,
        "n_voters": 3,
        "n_items": 3,
        "n_components": 1,
        "columns": {name: name for name in ("left", "right", "outcome", "voter")},
        "skipped_rows": {"n": 0, "first": []},
        "warnings": [],
    }
    assert list(report) == [*told, "fit", "ranking"]
    assert {name: report[name] for name in told} == told
    ranking = pv.bradley_terry(pv.read_votes(votes_file))
    spread = ranking.fit.prior_sd
    told = {"prior_sd_low": spread.interval.low, "prior_sd_high": spread.interval.high, "prior_learned": True}
    for name, value in report["fit"].items():
        assert value == (told[name] if name in told else getattr(ranking.fit, name))
    assert {"converged", "n_iter", "log_likelihood", "tie_parameter", "position_effect"} <= set(report["fit"])
    columns = ranking.to_columns()
    for name, values in columns.items():
        assert [row[name] for row in report["ranking"]] == values
    assert list(report["ranking"][0]) == list(columns)


def test_json_of_a_scorer_that_fits_nothing(done, votes_file):
    report = json.loads(done("rank", votes_file, "--format", "json", "--method", "tally"))
    assert report["fit"] is None
    assert report["ranking"][0]["standard_error"] is None
    assert (report["unit"], report["ranking"][0]["score"]) == ("votes", 2.5)


def test_json_keeps_letters_and_numbers_as_they_are(done):
    stdin = '{"left": "Öl", "right": 7, "outcome": "left"}\n'
    text = done("rank", "-", "--format", "json", stdin=stdin)
    assert "Öl" in text
    assert [row["item"] for row in json.loads(text)["ranking"]] == ["Öl", 7]


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        (["--method", "elo"], {}),
        (["--method", "elo", "--k", "16", "--initial", "1000"], {"k": 16.0, "initial": 1000.0}),
        (["--method", "glicko2", "--initial", "1000"], {"initial": 1000.0}),
        (["--method", "tally", "--ties", "0.25"], {"ties": 0.25}),
        (["--method", "win-rate", "--ties", "1"], {"ties": 1.0}),
        (["--ties", "half"], {"ties": "half"}),
        (["--ties", "drop", "--prior-sd", "0.5"], {"ties": "drop", "prior_sd": 0.5}),
        (["--ties", "rao-kupper", "--position"], {"ties": "rao-kupper", "position": True}),
        (["--prior-sd", "inf"], {"prior_sd": np.inf}),
        (["--prior-sd", "learned"], {}),
    ],
)
def test_options_reach_the_scorer(done, votes_file, argv, options):
    report = json.loads(done("rank", votes_file, "--format", "json", *argv))
    method = argv[1] if argv[0] == "--method" else "bradley-terry"
    expected = pv.rank(pv.read_votes(votes_file), method, **options)
    assert {row["item"]: row["score"] for row in report["ranking"]} == expected.to_dict()


def test_the_prior_is_told(done, votes_file):
    spread = pv.bradley_terry(pv.read_votes(votes_file)).fit.prior_sd
    for argv, expected in (
        ([], [float(spread), *spread.interval, True]),
        (["--prior-sd", "2"], [2.0, 2.0, 2.0, False]),
        (["--prior-sd", "inf", "--ties", "half"], [None, None, None, False]),
    ):
        fit = json.loads(done("rank", "-", *argv, "--format", "json", stdin=CIRCLE))["fit"] if argv else None
        fit = json.loads(done("rank", votes_file, "--format", "json"))["fit"] if fit is None else fit
        assert [fit[name] for name in ("prior_sd", "prior_sd_low", "prior_sd_high", "prior_learned")] == expected
    assert "the prior was learned: spread" in done("rank", votes_file)
    assert "learned" not in done("rank", votes_file, "--prior-sd", "3")
    helped = " ".join(done("rank", "--help").split())
    assert "inf for maximum likelihood; by default learned: spread and shape from the votes" in helped


def test_top_includes_those_level_with_the_last_and_says_so(run):
    status, printed, said = run("rank", "-", "--method", "tally", "--top", "2", "--format", "csv", stdin=CEDAR_LEVEL)
    assert status == 0
    assert [line.split(",")[1] for line in printed.splitlines()[1:]] == ["ash", "birch", "cedar"]
    assert unexpected(said) == ["pairvote: note: 3 items are shown, not 2, since place 2 is shared"]


@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_top_leaves_out_the_others(done, format):
    printed = done("rank", "-", "--method", "tally", "--top", "3", "--format", format, stdin=CEDAR_LEVEL)
    assert "cedar" in printed
    assert "elm" not in printed


def test_all_items_are_shown_without_top(done):
    stdin = "left,right,outcome\n" + "".join(f"0,{i},left\n0,{i},right\n" for i in range(1, 121))
    assert len(done("rank", "-", "--prior-sd", "3", stdin=stdin).splitlines()) == 1 + 1 + 121


def test_what_the_prior_decides_of_a_long_chain_is_for_check_to_say(run):
    stdin = "left,right,outcome\n" + "".join(f"{i},{i + 1},left\n{i + 1},{i},left\n" for i in range(60))
    status, _, said = run("rank", "-", "--prior-sd", "3", stdin=stdin)
    assert (status, unexpected(said)) == (0, [])
    status, printed, said = run("check", "-", "--top", "3", stdin=stdin)
    assert (status, unexpected(said)) == (0, [])
    assert "- the prior decides 100% of the least determined difference between scores" in printed


@pytest.mark.parametrize("argv", [[], ["--input-format", "csv"]])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_from_standard_input(done, votes_file, argv, mark):
    assert done("rank", "-", *argv, stdin=mark + VOTES.encode()) == done("rank", votes_file)


@pytest.mark.parametrize("argv", [[], ["--input-format", "jsonl"]])
@pytest.mark.parametrize("head", ["", " \n\t\n"])
def test_json_lines_from_standard_input(done, votes_file, argv, head):
    rows = csv.DictReader(io.StringIO(VOTES))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert done("rank", "-", *argv, stdin=head + lines) == done("rank", votes_file)


def test_parquet_from_standard_input(done, votes_file, tmp_path):
    pytest.importorskip("pyarrow")
    pv.write_votes(pv.read_votes(votes_file), tmp_path / "votes.parquet")
    stdin = (tmp_path / "votes.parquet").read_bytes()
    assert done("rank", "-", "--input-format", "parquet", stdin=stdin) == done("rank", votes_file)


def test_columns_by_other_names(done, votes_file):
    head, _, rows = VOTES.partition("\n")
    names = "who,a,b,picked,times,question"
    assert head == "voter,left,right,outcome"
    stdin = names + "\n" + "".join(f"{row},2,x\n" for row in rows.splitlines())
    flags = ["--left", "a", "--right", "b", "--outcome", "picked", "--voter", "who", "--weight", "times"]
    report = json.loads(
        done(
            "rank", "-", *flags, "--criterion-column", "question", "--format", "json", "--method", "tally", stdin=stdin
        )
    )
    plain = pv.tally(pv.read_votes(votes_file))
    assert {row["item"]: row["score"] / 2 for row in report["ranking"]} == plain.to_dict()
    assert "by 3 voters" in done("rank", "-", *flags, stdin=stdin)


def test_other_outcome_labels(done):
    stdin = "left,right,outcome\na,b,model_a\nb,a,model=b\na,b,\n"
    flags = ["--outcomes", "model_a=left,model=b=right,=skip"]
    report = json.loads(done("rank", "-", *flags, "--method", "tally", "--format", "json", stdin=stdin))
    assert [(row["item"], row["score"], row["skipped"]) for row in report["ranking"]] == [("a", 2, 1), ("b", 0, 1)]


@pytest.mark.parametrize("one", ["1", '"1"', "1.0"])
def test_outcomes_that_are_numbers(done, one):
    stdin = f'{{"left": "a", "right": "b", "outcome": {one}}}\n{{"left": "a", "right": "b", "outcome": 0.5}}'
    report = json.loads(
        done("rank", "-", "--outcomes", "1=left,0.5=tie", "--method", "tally", "--format", "json", stdin=stdin)
    )
    assert [row["score"] for row in report["ranking"]] == [1.5, 0.5]


def test_criterion_by_its_name_or_number(done):
    stdin = "left,right,outcome,criterion\na,b,left,new\na,b,right,useful\na,b,right,useful\n"
    assert done("rank", "-", "--criterion", "useful", stdin=stdin).startswith("2 votes on 2 items")
    stdin = '{"left": 1, "right": 2, "outcome": "left", "criterion": 3}\n'
    assert done("rank", "-", "--criterion", "3", stdin=stdin).startswith("1 vote on 2 items")


def test_items_that_nothing_compares_are_warned_of(run):
    status, printed, said = run("rank", "-", stdin="left,right,outcome\na,b,left\nc,d,left\n")
    assert (status, len(printed.splitlines())) == (0, 8)
    assert "no vote joins the 2 components" in printed
    assert [line.startswith("pairvote: warning: the items fall into 2 components") for line in unexpected(said)] == [
        True
    ]


def test_a_picture_is_saved_beside_the_table(done, votes_file, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "ranking.png"
    assert done("rank", votes_file, "--plot", picture) == done("rank", votes_file)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_letters_that_the_picture_cannot_show_are_warned_of_in_one_line(run, tmp_path):
    pytest.importorskip("matplotlib")
    stdin = "left,right,outcome\n\U00013000,\U00013001,left\n"
    status, _, said = run("rank", "-", "--plot", tmp_path / "ranking.png", stdin=stdin)
    said = unexpected(said)
    assert (status, len(said)) == (0, 1)
    assert said[0].startswith("pairvote: warning: ")
    assert "(U+13000)" in said[0]
    assert "install fonts-noto-core" in said[0]
    assert "Glyph" not in said[0]


def test_labels_cannot_break_a_line_or_steer_the_terminal(done):
    stdin = 'left,right,outcome\n"two\nlines","\x1b[2Jgone",left\n'
    lines = done("rank", "-", "--method", "tally", stdin=stdin).splitlines()
    assert len(lines) == 4
    assert "\\x1b[2Jgone" in lines[3]


# --- what is refused ---

HEAD = "left,right,outcome\n"


@pytest.mark.parametrize(
    ("stdin", "argv", "message"),
    [
        ("", [], "standard input is empty"),
        (HEAD + "a,b,won\n", [], r"'won'[^$]*\ntry: pairvote rank - --outcomes won=left"),
        (HEAD + "a,b,\n", [], r"missing[^$]*\ntry: pairvote rank - --skip-bad-rows"),
        (HEAD + "a,a,left\n", [], "itself"),
        (HEAD + "a,b\n", [], "line 2"),
        (HEAD + ",b,left\n", [], "line 2"),
        ("l,right,outcome\na,b,left\n", [], r"no column 'left'"),
        (HEAD + "a,b,left\n", ["--voter", "who"], r"no column 'who'[^$]*\ntry: pairvote rank -$"),
        (HEAD + "a,b,left\n", ["--criterion-column", "c"], r"no column 'c'[^$]*\ntry: pairvote rank -$"),
        ("left,right,outcome,criterion\na,b,left,x\na,b,left,y\n", [], r"several criteria.*--criterion LABEL"),
        (HEAD + "a,b,left\n", ["--criterion", "x"], "no criterion 'x'"),
        ('{"left": "a", "right": "b", "outcome": 1}', [], r"number 1[^$]*\ntry: pairvote rank - --outcomes 1=left"),
        ('{"left": "a", "right": ', [], "line 1"),
        (b"\x00\x01\xff" * 50, [], "standard input"),
        (VOTES, ["--input-format", "parquet"], "standard input"),
        (HEAD + "a,b,left\n", ["--prior-sd", "inf"], r"undefeated.*--prior-sd SD"),
        (HEAD + "a,b,tie\n", ["--prior-sd", "inf"], r"ties.*--ties"),
        (HEAD + "a,b,left\n", ["--position", "--prior-sd", "inf"], r"position.*leave out --position"),
    ],
)
def test_bad_votes_are_refused_in_one_line(refused, stdin, argv, message):
    assert re.search(message, refused("rank", "-", *argv, stdin=stdin))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--level", "95"], "'95' is not a probability"),
        (["--level", "nan"], "'nan' is not a probability"),
        (["--level", "high"], "'high' is not a number"),
        (["--top", "0"], "'0' is not a whole number from 1"),
        (["--top", "2.5"], "'2.5' is not a whole number from 1"),
        (["--top", "4"], "--top is 4 and there are 3 items"),
        (["--method", "borda"], "invalid choice: 'borda'"),
        (["--format", "xml"], "invalid choice: 'xml'"),
        (["--input-format", "xls"], "invalid choice: 'xls'"),
        (["--input-format", "jsonl"], "votes.csv"),
        (["--ties", "0.5"], "ties is 0.5; use one of 'davidson'"),
        (["--ties", "draw"], "ties is 'draw'"),
        (["--method", "tally", "--ties", "half"], "a number from 0 to 1"),
        (["--method", "tally", "--ties", "2"], "a number from 0 to 1"),
        (
            ["--method", "elo", "--ties", "half"],
            "--ties goes with --method tally, win-rate, bradley-terry, luce, pagerank, not with elo",
        ),
        (["--method", "tally", "--prior-sd", "3"], "--prior-sd goes with --method bradley-terry"),
        (["--method", "elo", "--position"], "--position goes with --method bradley-terry"),
        (["--prior-sd", "0"], "prior_sd is 0.0; it is 'learned', or a number above 0"),
        (["--prior-sd", "-1"], "prior_sd is -1.0"),
        (["--prior-sd", ""], "'' is not learned, a number above 0, or inf"),
        (["--prior-sd", "Learned"], "'Learned' is not learned, a number above 0, or inf"),
        (["--prior-sd", "nan"], "prior_sd is nan"),
        (["--prior-sd", "wide"], "'wide' is not learned, a number above 0, or inf"),
        (["--outcomes", "left"], "'left' is not LABEL=left"),
        (["--outcomes", "a=won"], "'a=won' is not LABEL=left"),
        (["--outcomes", "a=left,a=right"], "'a' is given a meaning twice"),
        (["--outcomes", ""], "'' is not LABEL=left"),
        (["--colour"], "unrecognized arguments: --colour"),
        (["--to", "1"], "unrecognized arguments: --to 1"),
        (["second.csv"], "there is no file second.csv"),
        (["-"], "- stands beside other files"),
        ([""], "the name of a file is empty"),
    ],
)
def test_bad_options_are_refused_in_one_line(refused, votes_file, argv, message):
    assert message in refused("rank", votes_file, *argv)


def test_every_flag_that_an_error_may_name_is_one_of_the_parser():
    commands = {
        name: vars(make_parser().parse_args(argv))
        for name, argv in {"rank": ["rank", "-"], "check": ["check", "-"], "plan": ["plan", "--items", "-"]}.items()
    }
    helped = " ".join(done_help(name) for name in commands)
    for option, flags in FLAGS.items():
        assert flags, option
        for argument, text in flags.items():
            assert any(argument in arguments for arguments in commands.values()), (option, argument)
            (flag,) = re.findall(r"--[a-z-]+", text)
            assert re.search(rf"{flag}\b", helped), (option, flag)


def done_help(command):
    output = io.StringIO()
    with mock.patch.object(sys, "stdout", output):
        assert main([command, "--help"]) == 0
    return output.getvalue()


def test_only_flags_of_the_command_at_hand_are_named(refused):
    stdin = "left,right,outcome,criterion\na,b,left,x\na,b,left,y\n"
    assert refused("rank", "-", stdin=stdin).endswith(
        "(on the command line: --criterion LABEL, --criteria LABEL=WEIGHT)"
    )
    assert refused("check", "-", stdin=stdin).endswith("(on the command line: --criterion LABEL)")


def test_bad_files_are_refused_in_one_line(refused, tmp_path):
    assert "nowhere.csv" in refused("rank", tmp_path / "nowhere.csv")
    assert "is a folder without files" in refused("rank", tmp_path)
    (tmp_path / "votes.txt").write_text("ash oak left")
    assert "votes.txt has no columns" in refused("rank", tmp_path / "votes.txt")
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv" in refused("rank", tmp_path / "folder.csv")
    (tmp_path / "two\nlines.csv").write_text("")
    assert "lines.csv" in refused("rank", tmp_path / "two\nlines.csv")
    assert refused("rank", "nul\0.csv")


def test_bad_commands_are_refused_in_one_line(refused):
    assert "VOTES" in refused("rank")
    assert "invalid choice: 'vote'" in refused("vote")
    assert "'x' is not a whole number" in refused("demo", "--seed", "x")
    assert "'-1' is not a whole number" in refused("demo", "--seed", "-1")


@pytest.mark.slow
@pytest.mark.parametrize("command", [["rank", "votes_file"], ["demo"]])
def test_pictures_that_cannot_be_saved_are_refused_in_one_line(refused, votes_file, tmp_path, command):
    pytest.importorskip("matplotlib")
    command = [votes_file if part == "votes_file" else part for part in command]
    assert ".png" in refused(*command, "--plot", tmp_path / "ranking.doc")
    assert "No such file or directory" in refused(*command, "--plot", tmp_path / "nowhere" / "ranking.png")
    (tmp_path / "folder.png").mkdir()
    assert "folder.png" in refused(*command, "--plot", tmp_path / "folder.png")


def test_a_picture_without_matplotlib_is_refused(refused, votes_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'pairvote[plot]'" in refused("rank", votes_file, "--plot", tmp_path / "ranking.png")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode(errors="surrogatepass")))
def test_whatever_comes_in_there_is_no_traceback(stdin):
    output, errors = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin))
    with (
        mock.patch.object(sys, "stdin", source),
        mock.patch.object(sys, "stdout", output),
        mock.patch.object(sys, "stderr", errors),
    ):
        status = main(["rank", "-", "--method", "tally"])
    assert status in (0, 2)
    if status == 2:
        assert output.getvalue() == ""
        assert "pairvote: error: " in errors.getvalue()
        assert len(errors.getvalue().splitlines()) <= 24


# --- demo ---


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's picture and what it prints."""
    picture = tmp_path_factory.mktemp("demo") / "kalmar.png"
    output = io.StringIO()
    with mock.patch.object(sys, "stdout", output):
        assert main(["demo", "--plot", str(picture)]) == 0
    return picture, output.getvalue()


def table_below(printed, heading):
    """The lines from the one that holds a heading to the next empty one."""
    lines = printed.splitlines()
    first = next(row for row, line in enumerate(lines) if heading in line)
    return lines[first : lines.index("", first)]


def test_the_demo_says_that_its_votes_are_simulated(demo):
    _, printed = demo
    assert "THE VOTES ARE SIMULATED (seed 2014)" in printed.split("\n\n")[0]


def test_the_demo_prints_three_rankings_side_by_side(demo):
    _, printed = demo
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    lines = table_below(printed, "votes won-")
    assert re.fullmatch(r" *-+votes won-+ +-+Elo-+ +-+Bradley-Terry-+", lines[0])
    assert len(lines) == 2 + 23
    assert max(map(len, lines)) <= 120
    fitted = pv.bradley_terry(votes)
    number = r"(-?\d+\.?\d*)"
    row_of = re.compile(r"(.+?)" + rf" +(\d+) +{number} +{number} to {number}" * 3)
    for place, line in enumerate(lines[2:]):
        title, *cells = row_of.fullmatch(line).groups()
        full = fitted.order()[place]
        assert full.startswith(title.rstrip(" …"))
        code = votes.items.index(full)
        for ranking, at in ((pv.tally(votes), 0), (pv.elo(votes), 4), (fitted, 8)):
            rank, score, low, high = map(float, cells[at : at + 4])
            assert rank == ranking.ranks()[code]
            assert score == pytest.approx(ranking.scores[code], abs=0.51 if at == 4 else 0.051)
            assert low < score < high
        low, high = fitted.confidence_interval()
        assert [float(cell) for cell in cells[10:]] == pytest.approx([low[code], high[code]], abs=0.0051)


def test_the_demo_says_who_is_in_the_top_five_and_how_sure_that_is(demo):
    _, printed = demo
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    rankings = [
        pv.bootstrap(votes, "tally", rng=2014),
        pv.bootstrap(votes, "elo", rng=2014),
        pv.bradley_terry(votes),
    ]
    *rows, expected, found = table_below(printed, "In the top five")[1:]
    seen = [set() for _ in rankings]
    for row in rows:
        title, *cells = re.fullmatch(r"(.+?) {2,}(.) +(\S+) {2,}(.) +(\S+) {2,}(.) +(\S+)", row).groups()
        for place, ranking in enumerate(rankings):
            star, percent = cells[2 * place : 2 * place + 2]
            if star == "*":
                seen[place].add(title)
            chance = ranking.top_k_probability(5, rng=2014)[votes.items.index(title)]
            assert abs(float(percent.strip("<>%")) - 100 * chance) < 1
    assert seen == [set(ranking.top(5)) for ranking in rankings]
    for cell, ranking, top in zip(re.findall(r"(\d\.\d) of (\d)", expected), rankings, seen, strict=True):
        chances = dict(zip(ranking.items, ranking.top_k_probability(5, rng=2014), strict=True))
        assert float(cell[0]) == pytest.approx(sum(chances[title] for title in top), abs=0.051)
        assert int(cell[1]) == len(top)
    winners = set(pv.datasets.kalmar().winners)
    assert re.findall(r"(\d) of 5", found) == [str(len(winners & top)) for top in seen]


def test_the_demo_saves_the_picture_and_says_where(demo):
    picture, printed = demo
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert printed.splitlines()[-1] == f"The Bradley-Terry scores with their intervals are drawn in {picture}."


@pytest.mark.slow
def test_the_demo_repeats_itself_for_a_seed_and_differs_for_another(demo, done, tmp_path):
    picture = tmp_path / "kalmar.png"
    again = done("demo", "--seed", "2014", "--plot", picture)
    assert again.replace(str(picture), str(demo[0])) == demo[1]
    assert table_below(done("demo", "--seed", "1", "--plot", picture), "votes won-") != table_below(again, "votes won-")


def test_the_demo_draws_kalmar_png_here_by_default(done, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "drawn in kalmar.png." in done("demo")
    assert (tmp_path / "kalmar.png").exists()


def test_the_demo_goes_on_without_matplotlib(demo, done, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    *lines, last = done("demo", "--plot", tmp_path / "kalmar.png").splitlines()
    assert lines == demo[1].splitlines()[:-1]
    assert "pip install 'pairvote[plot]'" in last
    assert not list(tmp_path.iterdir())


# --- the process ---


def test_version_in_a_process():
    result = in_a_process("--version")
    assert (result.returncode, result.stdout.decode().split(), result.stderr) == (0, ["pairvote", pv.__version__], b"")


def test_version_and_help_load_no_numbers():
    code = "import sys, pairvote.cli._main; pairvote.cli._main.main(['--version']); print('numpy' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1])}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "False"


def test_without_a_command_there_is_help(run):
    status, printed, said = run()
    assert (status, printed) == (2, "")
    assert "rank" in " ".join(said)
    assert "demo" in " ".join(said)
    assert run("--help")[0] == 0
    assert run("--version")[:2] == (0, f"pairvote {pv.__version__}\n")


def test_interruption(votes_file, monkeypatch, capsys):
    monkeypatch.setattr("pairvote.io._read.read_reported", mock.Mock(side_effect=KeyboardInterrupt))
    assert main(["rank", votes_file]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_a_terminal_without_swedish_letters(format):
    votes = "left,right,outcome\nÖl,Åska,left\n".encode()
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = in_a_process("rank", "-", "--format", format, input=votes, env=environment)
    assert (result.returncode, unexpected(result.stderr.decode().splitlines())) == (0, [])
    assert b"ska" in result.stdout
    if format == "json":
        assert json.loads(result.stdout)["ranking"][0]["item"] == "Öl"
    broken = in_a_process("rank", "-", input="left,right,outcome\nÖl,Öl,left\n".encode(), env=environment)
    assert (broken.returncode, broken.stdout, len(broken.stderr.splitlines())) == (2, b"", 7)


def test_a_reader_who_leaves_is_no_error(votes_file):
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1])}
    for argv in (["rank", votes_file], ["--help"]):
        result = subprocess.run(
            [sys.executable, "-m", "pairvote", *argv],
            env=environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        assert result.returncode in (0, 1)
        assert not unexpected(result.stderr.decode().splitlines())
    os.close(writing)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_said_in_one_line(votes_file):
    environment = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1])}
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "pairvote", "rank", votes_file],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    assert result.returncode == 2
    assert len(unexpected(result.stderr.decode().splitlines())) == 1
    assert b"the output cannot be written" in result.stderr


# --- check ---


@pytest.fixture
def kalmar_file(tmp_path):
    path = tmp_path / "kalmar.csv"
    pv.write_votes(pv.datasets.kalmar().simulated_votes(rng=2014), path)
    return str(path)


@pytest.mark.slow
def test_check_prints_the_report(done, kalmar_file):
    printed = done("check", kalmar_file, "--top", 3)
    report = pv.diagnostics.check(pv.read_votes(kalmar_file), top_k=3, rng=0)
    assert printed == f"{report}\n"
    assert printed.startswith("600 votes on 23 items: is this vote to be trusted?\n")


@pytest.mark.slow
def test_check_as_json(done, kalmar_file, votes_file):
    found = json.loads(done("check", kalmar_file, "--format", "json", "--seed", 7))
    report = pv.diagnostics.check(pv.read_votes(kalmar_file), rng=7).to_dict()
    assert found["cut"] == report["cut"]
    assert found["voters"]["infit"] == report["voters"]["infit"]
    # Three items, so no cut after five, and triads of which one pair has no majority: no number, so null.
    small = json.loads(done("check", votes_file, "--format", "json"))
    assert "cut" not in small
    assert small["triads"]["consistence"] is None


def test_check_refuses_in_the_words_of_the_command(refused, kalmar_file):
    assert refused("check", kalmar_file, "--top", 0) == (
        "argument --top: '0' is not a whole number from 1; see pairvote check --help"
    )
    assert "there is no criterion 'new'" in refused("check", kalmar_file, "--criterion", "new")
    assert "there is no file nowhere.csv" in refused("check", "nowhere.csv")


def test_compare_models_prints_the_page(done, kalmar_file):
    printed = done("compare-models", kalmar_file, "--by", "vote")
    page = pv.diagnostics.compare_models(pv.read_votes(kalmar_file), by="vote", rng=0)
    assert printed == f"{page}\n"
    found = json.loads(done("compare-models", kalmar_file, "--by", "vote", "--format", "json"))
    assert found["log_loss"] == page.held_out.log_loss.tolist()
    assert found["recommendation"] == page.recommendation
    # Nobody tied, and level items have no BIC: no number, so null.
    assert found["ties_by_item"] is None
    assert found["bic"][-1] is None


def test_compare_models_refuses_in_the_words_of_the_command(refused, kalmar_file):
    assert "there is no criterion 'new'" in refused("compare-models", kalmar_file, "--criterion", "new")
    assert "goes with rank and check" in refused("compare-models", kalmar_file, "--group-column", "voter")
    assert "invalid choice: 'judge'" in refused("compare-models", kalmar_file, "--by", "judge")
    lonely = "left,right,outcome\na,b,left\n"
    assert "give 1 vote to hold out" in refused("compare-models", "-", stdin=lonely)


def test_check_reads_as_rank_does(done, tmp_path):
    text = "a,b,who\nash,birch,x\nbirch,ash,y\nash,birch,x\n"
    options = ("--left", "a", "--right", "b", "--outcome", "who", "--outcomes", "x=left,y=right")
    assert done("check", "-", *options, "--top", 1, stdin=text).startswith("3 votes on 2 items")
