"""One set of votes in many containers: the same command prints the same bytes for all of them."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from kinds import TOWNS, counted, duels, table
from workbooks import workbook

VOTES = duels(77, 60, items=TOWNS)
HEADER = ["HomeTeam", "AwayTeam", "FTR", "Season"]
ROWS = [(v.left, v.right, {"left": "H", "right": "A", "tie": "D"}[v.outcome], 2019) for v in VOTES]
RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
ARGUMENTS = ["--left", "HomeTeam", "--right", "AwayTeam", "--outcome", "FTR", "--outcomes", "H/D/A"]
PLAIN = table(HEADER, ROWS)


def zipped(name: str, content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, content)
    return held.getvalue()


def arrow(name: str) -> bytes:
    """The columns as pyarrow writes them."""
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet

    columns = pa.table({key: [record[key] for record in RECORDS] for key in HEADER})
    held = io.BytesIO()
    if name == "parquet":
        pyarrow.parquet.write_table(columns, held)
    elif name == "feather":
        pyarrow.feather.write_feather(columns, held)
    else:
        with (
            pa.ipc.new_stream(held, columns.schema)
            if name == "stream"
            else pa.ipc.new_file(held, columns.schema) as writer
        ):
            writer.write_table(columns)
    return held.getvalue()


def in_latin() -> bytes:
    return PLAIN.decode().encode("cp1252")


CONTAINERS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "votes.txt": (lambda: PLAIN, ()),
    "votes.CSV": (lambda: PLAIN, ()),
    "crlf.csv": (lambda: PLAIN.replace(b"\n", b"\r\n"), ()),
    "cr.csv": (lambda: PLAIN.replace(b"\n", b"\r"), ()),
    "bom.csv": (lambda: b"\xef\xbb\xbf" + PLAIN, ()),
    "quoted.csv": (lambda: table(HEADER, ROWS, quoting=csv.QUOTE_ALL), ()),
    "semicolons.csv": (lambda: table(HEADER, ROWS, delimiter=";"), ()),
    "bars.csv": (lambda: table(HEADER, ROWS, delimiter="|"), ()),
    "tabs.tsv": (lambda: table(HEADER, ROWS, delimiter="\t"), ()),
    "tabs.csv": (lambda: table(HEADER, ROWS, delimiter="\t"), ()),
    "utf16.csv": (lambda: PLAIN.decode().encode("utf-16"), ()),
    "gz.csv.gz": (lambda: gzip.compress(PLAIN, mtime=0), ()),
    "bz2.csv.bz2": (lambda: bz2.compress(PLAIN), ()),
    "xz.csv.xz": (lambda: lzma.compress(PLAIN), ()),
    "zip.zip": (lambda: zipped("votes.csv", PLAIN), ()),
    "zipped.csv": (lambda: gzip.compress(PLAIN, mtime=0), ()),
    "array.json": (lambda: json.dumps(RECORDS).encode(), ()),
    "columns.json": (lambda: json.dumps({key: [record[key] for record in RECORDS] for key in HEADER}).encode(), ()),
    "lines.ndjson": (lambda: "\n".join(map(json.dumps, RECORDS)).encode(), ()),
    "lines.json": (lambda: "\n".join(map(json.dumps, RECORDS)).encode(), ()),
    "votes.parquet": (lambda: arrow("parquet"), ("pyarrow",)),
    "votes.pq": (lambda: arrow("parquet"), ("pyarrow",)),
    "votes.feather": (lambda: arrow("feather"), ("pyarrow",)),
    "votes.arrow": (lambda: arrow("file"), ("pyarrow",)),
    "votes.arrows": (lambda: arrow("stream"), ("pyarrow",)),
    "votes.xlsx": (lambda: workbook({"votes": [HEADER, *ROWS]}), ("python_calamine",)),
}


def ranked(path: Path, capsys: Any, *more: str) -> str:
    from pairvote.cli import main

    status = main(["rank", str(path), *more, *ARGUMENTS, "--format", "json"])
    printed, said = capsys.readouterr()
    assert status == 0, said
    return str(printed)


@pytest.fixture
def expected(tmp_path, capsys) -> str:
    path = tmp_path / "plain.csv"
    path.write_bytes(PLAIN)
    printed = ranked(path, capsys)
    found = {row["item"]: (row["won"], row["tied"], row["asked"]) for row in json.loads(printed)["ranking"]}
    assert found == counted(VOTES)
    return printed


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_gives_the_same(name, expected, tmp_path, capsys) -> None:
    make, needs = CONTAINERS[name]
    if any(find_spec(package) is None for package in needs):
        pytest.skip(f"{needs} is not installed")
    path = tmp_path / name
    path.write_bytes(make())
    assert ranked(path, capsys) == expected


def test_another_encoding_is_asked_for(expected, tmp_path, capsys) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(in_latin())
    assert ranked(path, capsys, "-e", "cp1252") == expected


def test_several_files_and_a_folder_are_one(expected, tmp_path, capsys) -> None:
    folder = tmp_path / "seasons"
    folder.mkdir()
    for place in range(3):
        (folder / f"{place}.csv").write_bytes(table(HEADER, ROWS[20 * place : 20 * place + 20]))
    assert json.loads(ranked(folder, capsys))["ranking"] == json.loads(expected)["ranking"]
    first, *others = sorted(folder.iterdir())
    assert ranked(first, capsys, *map(str, others)) == expected
