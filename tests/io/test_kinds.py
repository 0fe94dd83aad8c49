"""From any file of votes to the right ranking in at most two commands, for someone who follows only the messages."""

from __future__ import annotations

import csv
import io
import json
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from kinds import KINDS, Kind, k16_workbook, k26_two_annotators

from pairvote.io._guess import guess
from pairvote.io._overview import Overview
from pairvote.io._proposal import as_command

NAMES = [make.__name__ for make in KINDS]
# What the csv and json modules read.
BY_HAND = [make for make in KINDS if make not in (k16_workbook, k26_two_annotators)]


@pytest.fixture
def kind(request, tmp_path, monkeypatch) -> Kind:
    """A kind, whose files are in the current folder."""
    made: Kind = request.param()
    for name in made.needs:
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    monkeypatch.chdir(tmp_path)
    for name, content in made.files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return made


def columns_of(kind: Kind) -> dict[str, list[Any]]:
    """The columns of the first file by the csv and json modules alone."""
    name, content = next(iter(kind.files.items()))
    text = content.decode("utf-8-sig")
    if name.endswith((".json", ".jsonl")):
        records = json.loads(text) if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]
        flat = [flattened(record) for record in records]
        return {key: [record.get(key) for record in flat] for key in flat[0]}
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=kind.reading.get("delimiter", ",")) if row]
    rows = rows[kind.reading.get("skip_lines", 0) :]
    if kind.reading.get("header", True):
        header, *rows = rows
    else:
        header = [str(place) for place in range(1, len(rows[0]) + 1)]
    return {name: [row[place] or None for row in rows] for place, name in enumerate(header)}


def flattened(value: Any, name: str = "") -> dict[str, Any]:
    """Objects within an object, and lists of one object, with dots between their keys; a list of one value is that."""
    if isinstance(value, list) and len(value) == 1:
        return flattened(value[0], name)
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: found
        for own, below in value.items()
        for key, found in flattened(below, f"{name}.{own}" if name else own).items()
    }


def test_there_is_a_file_of_every_kind() -> None:
    assert len({name for name in NAMES if name.startswith("k")} - {"k33_places", "k26_two_annotators"}) == 34


@pytest.mark.filterwarnings("ignore:.* skipped")
@pytest.mark.parametrize("kind", BY_HAND, ids=lambda make: make.__name__, indirect=True)
def test_the_guess_reads_the_file_rightly(kind: Kind) -> None:
    from pairvote import read_votes, tally

    columns = columns_of(kind)
    found = guess(Overview.of(columns), kind.reading)
    assert found.found
    assert kind.reading.items() <= found.options.items()
    if kind.target in kind.files and not kind.graded:
        votes = read_votes(kind.target, **found.options)
        assert counts_of(tally(votes).to_columns()) == kind.truth


def counts_of(table: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    rows = zip(*(table[name] for name in ("item", "won", "tied", "asked")), strict=True)
    return {str(item): (int(won), int(tied), int(asked)) for item, won, tied, asked in rows}


@pytest.mark.parametrize("kind", KINDS, ids=NAMES, indirect=True)
def test_two_commands_rank_it(kind: Kind, capsys) -> None:
    """The first command may fail; the one in its message is typed next, and must rank rightly."""
    report, n_commands = follow(["rank", kind.target, "--method", "win-rate", "--format", "json"], capsys)
    found = {row["item"]: (row["won"], row["tied"], row["asked"]) for row in report["ranking"]}
    if kind.graded:
        asked = {item: number for item, (_, _, number) in kind.truth.items()}
        assert {item: number for item, (_, _, number) in found.items()} == pytest.approx(asked)
        assert report["ranking"][0]["item"] == "ash"
    else:
        assert found == kind.truth
    assert report["method"] == "win-rate"
    assert n_commands <= 2


def follow(argv: list[str], capsys: Any) -> tuple[dict[str, Any], int]:
    """The report of a command, or of the one that its message says to try; and how many were typed."""
    from pairvote.cli import main

    for n_commands in (1, 2):
        status = main(argv)
        printed, said = capsys.readouterr()
        if status == 0:
            return json.loads(printed), n_commands
        assert status == 2
        tried = [line for line in said.splitlines() if "try: " in line]
        assert len(tried) == 1, said
        _, *argv = shlex.split(tried[0].split("try: ", 1)[1])
    raise AssertionError(said)


def test_a_command_is_taken_apart_again() -> None:
    command = as_command(
        {"left": "a b", "outcomes": {"x,y": "left", 'q"': "right", None: "skip"}, "bad_rows": "skip"}, ["it's.csv"]
    )
    assert shlex.split(command) == [
        "pairvote",
        "rank",
        "it's.csv",
        "--left",
        "a b",
        "--outcomes",
        '"x,y"=left,"q"""=right,=skip',
        "--skip-bad-rows",
    ]
