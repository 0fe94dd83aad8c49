"""What the command prints fits the terminal, reads back in other programs, and replaces nothing unasked."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

import pairvote as pv
from pairvote._common.cells import n_cells, printable
from pairvote.cli._main import main

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1])}
LABELS = (
    "car\rriage",
    "two\r\nlines",
    "two\nlines",
    " leading",
    "trailing ",
    'say "x"',
    "a, b",
    "\u65e5\u672c\u8a9e",
    "\tab",
    "semi;colon",
    "'quoted'",
    "# no comment",
    "line\u2028separator",
    "\rfirst",
    "\u202eright to left",
    "\x1b[2Jgone",
    "\U0001f600",
    "=1+1",
    "-3",
    "+4",
    "@cell",
)
FORMULAS = {label for label in LABELS if label[0] in "=+-@\t\r"}
LONG = ("\u65e5\u672c\u8a9e\u306e\u9577\u3044\u984c\u540d" * 6, "b" * 100, "\U0001f600 smile " + "word " * 20, "ash")

Run = Callable[..., str]


def votes_of(labels: tuple[str, ...]) -> str:
    """Votes as JSON Lines: each label once over the one before."""
    rows = [{"left": label, "right": labels[place - 1], "outcome": "left"} for place, label in enumerate(labels)]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def printed(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """What the command prints, as UTF-8; or, where it is to refuse, the one line that it says beside notes."""

    def printed(*argv: object, stdin: str = "", status: int = 0) -> str:
        source = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        with mock.patch.object(sys, "stdin", source):
            assert main(list(map(str, argv))) == status
        out, said = (part.decode() for part in capsysbinary.readouterr())
        lines = [line for line in said.splitlines(keepends=True) if "note: " not in line and "print alike" not in line]
        assert len(lines) == (1 if status else 0), said
        return lines[0] if status else out

    return printed


def in_a_terminal(*argv: str, stdin: str, columns: int, env: dict[str, str] | None = None) -> list[str]:
    """The lines that the command prints on a terminal of so many columns."""
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "COLUMNS"} | (env or {})
    command = [sys.executable, "-m", "pairvote", *argv]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=theirs, env=environment) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
    os.close(ours)
    assert process.returncode == 0
    return b"".join(parts).decode().splitlines()


def rows_of(lines: list[str], n: int) -> list[str]:
    """The heading of the table and the rows of so many items."""
    first = next(place for place, line in enumerate(lines) if line.startswith("rank"))
    return lines[first : first + n + 1]


# --- the terminal ---


@pytest.mark.parametrize("columns", [1, 50, 60, 80, 100, 300])
def test_a_table_is_no_wider_than_the_terminal(columns: int) -> None:
    heading, *rows = rows_of(in_a_terminal("rank", "-", stdin=votes_of(LONG), columns=columns), len(LONG))
    # 50 cells are what the numbers of this table and four cells of a label need.
    assert max(map(n_cells, [heading, *rows])) <= max(columns, 50)
    # Numbers are never cut: rank, score, interval, won, tied, asked.
    for row in rows:
        assert re.fullmatch(r" +1  .+ -?\d+\.\d+  +-\d+\.\d+ to \d+\.\d+ +1 +0 +2", row), row
    if columns == 300:
        assert all(any(label.rstrip() in row for row in rows) for label in LONG)
    else:
        assert sum("…" in row for row in rows) == 3


def test_columns_say_how_wide_a_terminal_is() -> None:
    lines = in_a_terminal("rank", "-", stdin=votes_of(LONG), columns=300, env={"COLUMNS": "70"})
    assert 65 <= max(map(n_cells, rows_of(lines, len(LONG)))) <= 70


def test_a_pipe_gets_the_same_from_every_terminal() -> None:
    command = [sys.executable, "-m", "pairvote", "rank", "-"]
    outputs = {
        subprocess.run(
            command, input=votes_of(LONG).encode(), capture_output=True, check=True, env=ENVIRONMENT | {"COLUMNS": wide}
        ).stdout
        for wide in ("20", "300")
    }
    (output,) = outputs
    assert f"{'b' * 79}…" in output.decode()


@pytest.mark.slow
def test_check_fits_its_tables_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "kalmar.csv"
    pv.write_votes(pv.datasets.kalmar().simulated_votes(rng=2014), path)
    piped = str(pv.diagnostics.check(pv.read_votes(path), top_k=5, rng=0)).splitlines()
    shown = in_a_terminal("check", str(path), stdin="", columns=70)
    assert len(shown) == len(piped)
    changed = [place for place, line in enumerate(piped) if shown[place] != line]
    assert max(len(piped[place]) for place in changed) > 100
    assert max(n_cells(shown[place]) for place in changed) <= 70


def test_labels_print_on_one_line_and_steer_nothing(printed: Run) -> None:
    lines = printed("rank", "-", "--method", "tally", stdin=votes_of(LABELS)).splitlines()
    assert len(lines) == 2 + len(LABELS)
    assert all(printable(line) == line for line in lines)
    assert any("\\u202eright to left" in line for line in lines)


# --- CSV ---


def test_csv_is_read_back_by_every_reader(printed: Run) -> None:
    text = printed("rank", "-", "--method", "tally", "--format", "csv", stdin=votes_of(LABELS))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["item"] for row in rows} == set(LABELS)
    assert {row["won"] for row in rows} == {"1"}
    read: dict[str, set[str]] = {}
    if pandas := _module("pandas"):
        for engine in ("c", "python"):
            read[f"pandas {engine}"] = set(pandas.read_csv(io.StringIO(text, newline=""), engine=engine)["item"])
    if polars := _module("polars"):
        read["polars"] = set(polars.read_csv(text.encode())["item"])
    if arrow := _module("pyarrow.csv"):
        options = arrow.ParseOptions(newlines_in_values=True)
        table = arrow.read_csv(io.BytesIO(text.encode()), parse_options=options)
        read["pyarrow"] = set(table["item"].to_pylist())
    if duckdb := _module("duckdb"):
        table = duckdb.read_csv(io.StringIO(text, newline=""), header=True)
        read["duckdb"] = {row[1] for row in table.fetchall()}
    for reader, labels in read.items():
        assert labels == set(LABELS), reader


def _module(name: str):
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        return None


def test_csv_is_what_the_csv_module_writes_of_plain_labels(printed: Run) -> None:
    labels = ("ash", 'say "x"', "a, b", "two\nlines", "\u65e5\u672c")
    text = printed("rank", "-", "--format", "csv", stdin=votes_of(labels))
    again = io.StringIO()
    csv.writer(again, lineterminator="\n").writerows(csv.reader(io.StringIO(text, newline="")))
    assert again.getvalue() == text


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
@pytest.mark.parametrize("format", ["csv", "json"])
def test_data_are_in_utf8_whatever_the_locale(encoding: str, format: str) -> None:
    labels = ("\u65e5\u672c\u8a9e", "Öl", "\U0001f600")
    result = subprocess.run(
        [sys.executable, "-m", "pairvote", "rank", "-", "--format", format],
        input=votes_of(labels).encode(),
        capture_output=True,
        check=True,
        env=ENVIRONMENT | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )
    text = result.stdout.decode("utf-8")
    assert all(label in text for label in labels)
    assert "\r" not in text


def test_ballots_are_in_utf8_whatever_the_locale() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pairvote", "plan", "--items", "-", "--voters", "2", "--votes", "1"],
        input="\u65e5\u672c\nÖl\n".encode(),
        capture_output=True,
        check=True,
        env=ENVIRONMENT | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    rows = list(csv.DictReader(io.StringIO(result.stdout.decode("utf-8"))))
    assert {row["left"] for row in rows} | {row["right"] for row in rows} == {"\u65e5\u672c", "Öl"}


def test_safe_csv_has_no_formulas_and_the_same_numbers(printed: Run) -> None:
    options = ("rank", "-", "--format", "csv")
    plain, safe = (
        list(csv.DictReader(io.StringIO(printed(*options, *more, stdin=votes_of(LABELS)), newline="")))
        for more in ((), ("--safe-csv",))
    )
    assert any(row["score"].startswith("-") or row["low"].startswith("-") for row in plain)
    for before, after in zip(plain, safe, strict=True):
        label = before.pop("item")
        assert after.pop("item") == (f"'{label}" if label in FORMULAS else label)
        assert after == before


@pytest.mark.parametrize("format", ["table", "json"])
def test_safe_csv_goes_with_csv(printed: Run, format: str) -> None:
    said = printed("rank", "-", "--format", format, "--safe-csv", stdin=votes_of(LABELS), status=2)
    assert said == "pairvote: error: --safe-csv is given without --format csv; pass both, or leave it out\n"


# --- JSON ---


def test_json_says_what_the_votes_were_and_what_was_warned_of(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(
        "left,right,outcome,voter\nash,birch,left,a\nash,birch,tie,b\ncedar,elm,skip,b\ncedar,elm,left,c\nbirch,ash,tie,\n"
    )
    assert main(["rank", str(path), "--format", "json", "--top", "1", "--method", "tally"]) == 0
    out, said = capsys.readouterr()
    report = json.loads(out)
    assert (report["version"], report["pairvote"]) == (1, pv.__version__)
    counts = {"n_votes": 5, "n_ties": 2, "n_skips": 1, "n_voters": 3, "n_items": 4, "n_components": 2}
    assert {name: report[name] for name in counts} == counts
    assert report["skipped_rows"] == {"n": 0, "first": []}
    told = [line for line in said.splitlines() if not line.startswith("pairvote: note: ")]
    assert [f"pairvote: {sentence}" for sentence in report["warnings"]] == told
    assert len(told) == 1


def test_json_says_which_rows_were_skipped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\nash,birch,left\nash,ash,left\ncedar,ash,left\ncedar,ash,lost\n")
    assert main(["rank", str(path), "--format", "json", "--skip-bad-rows"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["n_votes"], report["skipped_rows"]["n"]) == (2, 2)
    first = " ".join(report["skipped_rows"]["first"])
    assert "line 3" in first
    assert "line 5" in first
    assert any("2 rows skipped" in sentence for sentence in report["warnings"])


def test_json_of_labels_that_steer_holds_them_as_escapes(printed: Run) -> None:
    text = printed("rank", "-", "--method", "tally", "--format", "json", stdin=votes_of(LABELS))
    assert {row["item"] for row in json.loads(text)["ranking"]} == set(LABELS)
    assert all(printable(line) == line for line in text.splitlines())


def test_check_as_json_has_a_version(printed: Run) -> None:
    report = json.loads(printed("check", "-", "--top", "1", "--format", "json", stdin=votes_of(("a", "b", "c"))))
    assert (report["version"], report["pairvote"], report["n_votes"]) == (1, pv.__version__, 3)


# --- plan ---


def test_ballots_that_are_there_are_replaced_only_by_force(printed: Run, tmp_path: Path) -> None:
    titles, out = tmp_path / "titles.txt", tmp_path / "ballots.csv"
    titles.write_text("ash\nbirch\ncedar\n")
    command = ("plan", "--items", titles, "--voters", 2, "--votes", 2, "--out", out)
    assert f"The ballots are in {out}." in printed(*command)
    filled = out.read_text().replace(",\n", ",left\n")
    out.write_text(filled)
    said = printed(*command, status=2)
    assert f"{out} is there already" in said
    assert "--force" in said
    assert out.read_text() == filled
    printed(*command, "--force")
    assert out.read_text().splitlines()[1].endswith(",")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ballots.csv", "titles.txt"]


def test_ballots_never_replace_the_titles(printed: Run, tmp_path: Path) -> None:
    titles, link = tmp_path / "titles.txt", tmp_path / "link.csv"
    titles.write_text("ash\nbirch\n")
    link.symlink_to(titles)
    for out in (titles, link):
        said = printed("plan", "--items", titles, "--voters", 1, "--votes", 1, "--out", out, "--force", status=2)
        assert "the file of the titles; choose another --out" in said
    assert titles.read_text() == "ash\nbirch\n"


# --- options that are odd ---


@pytest.mark.parametrize(
    "argv",
    [
        ["--top", "1" + "0" * 30],
        ["--top", "1" + "0" * 5000],
        ["--level", "1" + "0" * 400],
        ["--level", "0.99999999999999999999"],
        ["--format", "x" * 100_000],
        ["--ties", "x" * 100_000],
        ["--method", "\x1b[2J\u202e\n" * 1000],
        ["--plot", "x" * 100_000],
        ["--plot", "nul\0.png"],
        ["--plot", ""],
        ["--plot", "a\nb.png/c.png"],
    ],
    ids=lambda argv: ascii(argv[1])[:12],
)
def test_odd_options_are_refused_in_a_line_that_fits_a_screen(printed: Run, argv: list[str]) -> None:
    said = printed("rank", "-", *argv, stdin=votes_of(("a", "b", "c")), status=2)
    assert len(said) <= 2000
    assert printable(said.rstrip("\n")) == said.rstrip("\n")


@pytest.mark.parametrize("level", ["1e-300", "5e-324", "0.9999999999999999"])
@pytest.mark.parametrize("format", ["table", "csv", "json"])
def test_levels_at_the_edge_give_numbers(printed: Run, level: str, format: str) -> None:
    text = printed(
        "rank", "-", "--level", level, "--format", format, "--prior-sd", "1", stdin=votes_of(("a", "b", "c"))
    )
    assert not re.search(r"\b(nan|inf)\b", text, re.IGNORECASE)


def suffixes() -> list[str]:
    backends = pytest.importorskip("matplotlib.backend_bases")
    return sorted(backends.FigureCanvasBase.get_supported_filetypes())


@pytest.mark.slow
def test_every_suffix_that_is_offered_works_and_no_other(printed: Run, tmp_path: Path) -> None:
    command = ("rank", "-", "--format", "csv")
    said = printed(*command, "--plot", "ranking.doc", stdin=votes_of(("a", "b")), status=2)
    offered = re.findall(r"\.(\w+)", said.partition("must be one of")[2].partition(";")[0])
    assert {"png", "svg", "pdf", "eps", "jpg"} <= set(offered) <= set(suffixes())
    for suffix in offered:
        picture = tmp_path / f"ranking.{suffix}"
        printed(*command, "--plot", picture, stdin=votes_of(("a", "b")))
        assert picture.stat().st_size > 1000, suffix
    for suffix in set(suffixes()) - set(offered):
        said = printed(*command, "--plot", tmp_path / f"ranking.{suffix}", stdin=votes_of(("a", "b")), status=2)
        assert "choose another name, such as ranking.png" in said
        assert not (tmp_path / f"ranking.{suffix}").exists()


def test_a_picture_that_takes_latex_is_refused_without_it(
    printed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = printed("rank", "-", "--plot", tmp_path / "x.pgf", stdin=votes_of(("a", "b")), status=2)
    assert "that takes LaTeX, and there is no xelatex here; choose another name, such as ranking.png" in said
    assert not (tmp_path / "x.pgf").exists()


@pytest.mark.parametrize(
    "error", [RuntimeError("LaTeX\nfailed"), KeyError("WEBP"), ValueError(""), OSError("no encoder")]
)
def test_whatever_fails_in_saving_a_picture_is_said_in_one_line(
    printed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    monkeypatch.setattr(figure.Figure, "savefig", mock.Mock(side_effect=error))
    said = printed("rank", "-", "--plot", tmp_path / "x.webp", stdin=votes_of(("a", "b")), status=2)
    assert "the picture cannot be saved as" in said
    assert "choose another" in said


@pytest.mark.parametrize("n_columns", [60, 400])
def test_a_wide_file_is_explained_on_a_screen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, n_columns: int
) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"col{i}" for i in range(n_columns)) + "\n" + ",".join(["0"] * n_columns) + "\n")
    assert main(["rank", str(path)]) == 2
    said = capsys.readouterr().err
    assert len(said) <= 2000
    assert "has no columns 'left', 'right', 'outcome'" in " ".join(said.split())


def test_long_options_make_no_long_message(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\nash,ash,left\n")
    assert main(["rank", str(path), "--outcomes", ",".join(f"w{i}=left" for i in range(5000))]) == 2
    said = capsys.readouterr().err
    assert len(said) <= 2000
    assert "'ash' against itself" in said
