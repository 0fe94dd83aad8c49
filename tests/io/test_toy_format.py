"""A format that a stranger adds in one file: registered, it is read, scanned, written, named and ranked like ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, get_args

import pytest

import pairvote as pv
from pairvote._common.labels import code_column
from pairvote._common.messages import Locate
from pairvote.cli._main import main
from pairvote.io._file_format import Batch, FileFormat, Part, Reading
from pairvote.io._formats import FORMATS, Format
from pairvote.io._how import How
from pairvote.io._source import Columns, Source
from pairvote.votes._wanted import Finder

MARKS = {" > ": "left", " < ": "right", " = ": "tie", " ? ": "skip"}
BLOCK_LINES = 3


def columns_of(lines: list[str], locate: Locate) -> Columns:
    """The parts of votes in lines such as "ash > birch"."""
    rows = []
    for row, line in enumerate(lines):
        mark = next((mark for mark in MARKS if mark in line), None)
        if mark is None:
            raise pv.InputError(f"{locate(row)} is {line!r}; write it as 'ash > birch'")
        left, _, right = line.partition(mark)
        rows.append((left, right, MARKS[mark]))
    return {part: [row[place] for row in rows] for place, part in enumerate(("left", "right", "outcome"))}


def locator(name: str, first: int = 0) -> Locate:
    return lambda row: f"line {first + row + 1} of {name}"


def read(file: Source, wanted: Finder, how: How) -> tuple[Columns, Locate]:
    wanted.found_in(["left", "right", "outcome"], file.name)
    locate = locator(file.name)
    return columns_of(file.read().decode().splitlines(), locate), locate


def check(part: Part, reading: Reading) -> None:
    reading.wanted.found_in(part.among(["left", "right", "outcome"]), part.name)


def scan(parts: Sequence[Part], reading: Reading) -> Iterator[Batch]:
    for part in parts:
        check(part, reading)
        with part.open() as handle:
            lines = handle.read().decode().splitlines()
        for first in range(0, len(lines), BLOCK_LINES):
            block, locate = lines[first : first + BLOCK_LINES], locator(part.name, first)
            columns = {name: code_column(values, name) for name, values in columns_of(block, locate).items()}
            yield Batch(columns, len(block), locate)


def write(votes: pv.Votes, handle: IO[bytes]) -> None:
    marks = {pv.Outcome[meaning.upper()]: mark for mark, meaning in MARKS.items()}
    for left, right, outcome in zip(votes.left, votes.right, votes.outcome, strict=True):
        handle.write(f"{votes.items[left]}{marks[outcome]}{votes.items[right]}\n".encode())


TOY = FileFormat(
    name="votes", title="lines of votes", suffixes=(".votes",), read=read, write=write, check=check, scan=scan
)
TEXT = "ash > birch\nbirch = cedar\ncedar < ash\nash ? cedar\nash > birch\n"


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    FORMATS[TOY.name] = TOY
    yield
    del FORMATS[TOY.name]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.votes"
    path.write_text(TEXT)
    return path


def test_it_is_read_written_and_scanned(path: Path, tmp_path: Path) -> None:
    votes = pv.read_votes(path)
    assert votes.items == ("ash", "birch", "cedar")
    assert votes.outcome.tolist() == [2, 1, 0, 3, 2]
    pv.write_votes(votes, tmp_path / "again.votes")
    assert (tmp_path / "again.votes").read_text() == TEXT
    pv.write_votes(votes, tmp_path / "other", format="votes")  # type: ignore[arg-type]
    assert (tmp_path / "other").read_text() == TEXT
    chunks = list(pv.scan_votes([path, tmp_path / "again.votes"], chunk_rows=4))
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    assert chunks[-1].items == votes.items
    assert pv.count_pairs(pv.scan_votes(path)).total == pv.count_pairs(votes).total


def test_its_refusals_give_file_and_line(path: Path) -> None:
    path.write_text(TEXT + "ash beats birch\n")
    for action in (lambda: pv.read_votes(path), lambda: list(pv.scan_votes(path))):
        with pytest.raises(pv.InputError, match=rf"line 6 of {path} is 'ash beats birch'"):
            action()
    path.write_text(TEXT + "ash > ash\n")
    for action in (lambda: pv.read_votes(path), lambda: list(pv.scan_votes(path))):
        with pytest.raises(pv.InputError, match=rf"line 6 of {path} has 'ash' against itself"):
            action()


def test_messages_name_it(tmp_path: Path) -> None:
    votes = pv.Votes.from_records([("ash", "birch", "left")])
    with pytest.raises(pv.InputError, match=r"use \.csv, \.jsonl, \.parquet or \.votes, or pass format='csv'"):
        pv.write_votes(votes, tmp_path / "x.md")
    with pytest.raises(pv.InputError, match="'arrow', 'excel' or 'votes'"):
        pv.scan_votes(tmp_path / "x.md", format="tsv")  # type: ignore[arg-type]


@pytest.mark.parametrize("large_bytes", [0, 2**26])
def test_the_command_line_takes_it(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], large_bytes: int
) -> None:
    FORMATS[TOY.name] = dataclasses.replace(TOY, large_bytes=large_bytes)
    assert main(["rank", str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("5 votes on 3 items, 1 tie and 1 skip among them")
    path.rename(tmp_path / "x")
    assert main(["rank", str(tmp_path / "x"), "--input-format", "votes"]) == 0
    assert capsys.readouterr().out == printed
    assert main(["rank", str(tmp_path / "x"), "--input-format", "tsv"]) == 2
    assert "(choose from csv, json, jsonl, parquet, arrow, excel, votes)" in capsys.readouterr().err.replace("'", "")
    assert main(["rank", "--help"]) == 0
    assert "csv, json, jsonl, parquet, arrow, excel, votes; by default" in " ".join(capsys.readouterr().out.split())


def test_a_poll_writes_it(tmp_path: Path) -> None:
    poll = pv.Poll(["ash", "birch"])
    question = poll.ask("anna")
    poll.answer("anna", question.id, "left")
    poll.export(tmp_path / "x.votes")
    assert (tmp_path / "x.votes").read_text() == f"{question.left} > {question.right}\n"


def test_the_documentation_names_our_own() -> None:
    del FORMATS[TOY.name]
    try:
        assert get_args(Format) == tuple(FORMATS)
        texts = {f: " ".join(str(f.__doc__).split()) for f in (pv.read_votes, pv.write_votes, pv.scan_votes)}
        for file_format in FORMATS.values():
            for function, text in texts.items():
                assert (f'"{file_format.name}"' in text) == (
                    file_format.write is not None or function != pv.write_votes
                )
            listed = texts[pv.read_votes]
            assert f"{file_format.title} ({', '.join(file_format.suffixes)})" in listed
            assert file_format.write is None or f"{file_format.suffixes[0]}" in texts[pv.write_votes]
    finally:
        FORMATS[TOY.name] = TOY
