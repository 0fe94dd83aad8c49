"""What messages propose can be typed: the shell, the parser and Python give the options back."""

from __future__ import annotations

import csv
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds import KINDS

import pairvote as pv
from pairvote.cli._arguments import outcomes
from pairvote.cli._parser import make_parser
from pairvote.cli._reading import library_options
from pairvote.io._guess import guess, said
from pairvote.io._overview import Overview
from pairvote.io._proposal import as_call, as_command, explain, lacking, spelt

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.isprintable)
MEANING = st.one_of(st.sampled_from(["left", "right", "tie", "skip"]), st.floats(0, 1))
LABEL = st.one_of(st.none(), TEXT)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("outcome", "winner", "loser", "tie", "left_score", "right_score", "voter", "weight", "criterion", "time"),
            TEXT,
        ),
        **dict.fromkeys(("left", "right"), st.one_of(TEXT, st.lists(TEXT, min_size=2, max_size=2))),
        "outcomes": st.dictionaries(LABEL, MEANING, min_size=1, max_size=4),
        "rankings": st.one_of(st.just("all"), st.lists(TEXT, min_size=2, max_size=3, unique=True)),
        "extract": st.just({"decision": r"(?P<left>[^,]+),(?P<right>[^,]+) -> (?P<winner>[^,]+)"}),
        "na": st.lists(st.sampled_from(["NA", "-", "n a"]), min_size=1, max_size=2, unique=True),
        "bad_rows": st.just("skip"),
        "header": st.just(False),
        "use_weight": st.just(False),
        "matrix": st.just(True),
        "normalise": st.just(True),
        "decimal": st.just(","),
        "delimiter": st.sampled_from([";", "|", "~"]),
        "encoding": st.just("cp1252"),
        "skip_lines": st.integers(1, 9),
        "comment": st.just("#"),
        "sheet": TEXT.filter(lambda name: not name.strip().isdecimal()),
    },
)


def parsed(command: str) -> dict[str, Any]:
    """The options that the parser makes of a command as a shell gives it."""
    program, *argv = shlex.split(command)
    assert program == "pairvote"
    return said(library_options(make_parser().parse_args(argv)))


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Without the numbers and booleans that labels in a command stand for as well."""
    return {
        name: {label: told for label, told in value.items() if label is None or isinstance(label, str)}
        if name == "outcomes" and isinstance(value, dict)
        else value
        for name, value in options.items()
    }


@settings(max_examples=300)
@given(OPTIONS)
def test_the_parser_gives_the_options_of_a_command_back(options) -> None:
    found = _plain(parsed(as_command(options, "votes.csv")))
    assert found == said(options)


@given(st.dictionaries(LABEL, MEANING, min_size=1))
def test_outcomes_are_read_back(meanings) -> None:
    text = ",".join(f"{spelt(label)}={meaning}" for label, meaning in meanings.items())
    assert _plain({"outcomes": outcomes(text)})["outcomes"] == meanings


def test_labels_stand_for_numbers_and_booleans_too() -> None:
    assert outcomes("1=left,0=right,true=tie")[1.0] == "left"
    assert outcomes("False=left,TRUE=right") == {"False": "left", "TRUE": "right", False: "left", True: "right"}
    assert outcomes("=skip") == {None: "skip"}


@pytest.mark.parametrize("text", ["scores", "share", "1-5", "-3-3", "H/D/A", "a/b"])
def test_texts_tell_outcomes(text) -> None:
    assert outcomes(text) == text
    assert parsed(as_command({"outcomes": text}, "votes.csv")) == {"outcomes": text}


@pytest.mark.parametrize(
    "argv", [["--outcomes", "a=left", "--outcomes", "a=right"], ["--outcomes", "scores", "--outcomes", "a=left"]]
)
def test_meanings_do_not_contradict(argv) -> None:
    with pytest.raises(pv.InputError, match=r"twice|alone"):
        make_parser().parse_args(["rank", "votes.csv", *argv])


def test_outcomes_may_be_given_several_times() -> None:
    found = make_parser().parse_args(["rank", "v.csv", "--outcomes", "a=left", "--outcomes", '"b, too"=right'])
    assert found.outcomes == {"a": "left", "b, too": "right"}


@pytest.mark.parametrize("text", ["a=left,", "a", "a=b", '"a=left', "a=1.5", "a=-1", "=left,=right", "1-1", ""])
def test_what_says_no_outcome_is_refused(text) -> None:
    with pytest.raises(pv.InputError, match="argument --outcomes"):
        make_parser().parse_args(["rank", "votes.csv", f"--outcomes={text}"])


def test_control_characters_are_written_out() -> None:
    command = as_command({"left": "a\tb\n'", "outcomes": {"x\x1b[31m": "left"}}, "-f.csv")
    assert command.isprintable()
    assert command.startswith("pairvote rank ./-f.csv --left $'a\\tb\\n\\''")


@settings(max_examples=50)
@given(OPTIONS)
def test_a_call_is_python(options) -> None:
    found: dict[str, Any] = {}
    file = 'it\'s "here".csv'
    name, _, _ = as_call(options, file).partition("(")
    exec(as_call(options, file), {name: lambda path, **given: found.update(given, path=path)})
    assert found == {**options, "path": file}


# --- messages ---


def height(lines: list[str]) -> int:
    """How many lines of 100 characters a terminal makes of lines."""
    return sum(-(-len(line) // 100) for line in lines)


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_message_fits_a_screen(make) -> None:
    kind = make()
    for name, content in kind.files.items():
        if not name.endswith(".csv") or kind.reading:
            continue
        header, *rows = csv.reader(io.StringIO(content.decode()))
        overview = Overview.of({column: [row[place] or None for row in rows] for place, column in enumerate(header)})
        found = guess(overview)
        text = explain(
            "there is no column " + ", ".join(map(repr, ("left", "right", "outcome"))),
            overview,
            found,
            as_command(found.options, name),
        )
        *lines, last = text.splitlines()
        assert height([*lines, last]) <= 24
        assert all(line.isprintable() for line in lines)
        assert last.startswith("try: pairvote rank ")
        assert all(f"  {column}" in text for column in overview.names[:3])


def test_a_message_on_any_cells_fits_a_screen() -> None:
    columns = {f"column {n}\x1b[1m" + "x" * n: ["y" * 500, "\u202e\r\n", None] for n in range(50)}
    overview = Overview.of(columns)
    text = explain(
        pv.InputError("p" * 3000, remedy="mend it"), overview, guess(overview), "read_votes('x')", {"left": "column"}
    )
    assert height(text.splitlines()) <= 24
    assert all(line.isprintable() for line in text.splitlines())
    assert re.search(r"and \d+ more columns", text)


def test_columns_that_were_meant_are_named() -> None:
    overview = Overview.of({"Left": ["ash"], "rigth ": ["elm"], "verdict": ["left"]})
    given = {"left": "left", "right": "right", "outcome": "xyz", "voter": None}
    assert lacking(overview, given) == {"left": "Left", "right": "rigth ", "xyz": None}
    text = explain("there is no column 'left'", overview, guess(overview, given), "…", given)
    assert "did you mean 'Left' for 'left', 'rigth ' for 'right'?" in text.splitlines()


def test_every_command_of_the_page_is_one() -> None:
    """What docs/command-line.md says to type for a file is understood."""
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| (.+) \|$", page, re.MULTILINE)
    flags = [flag for row in rows for flag in re.findall(r"`(-[^`]+)`", row)]
    assert len(flags) > 25
    for text in flags:
        parsed("pairvote rank votes.csv " + text.removesuffix(" …").replace("--sheet NAME", "--sheet games"))
