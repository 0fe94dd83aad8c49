"""Votes as JSON: a record on each line, or one document. Large files are read in blocks."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from typing import IO, Any

import numpy as np

from pairvote._common.messages import Locate
from pairvote.errors import InputError
from pairvote.io._file_format import Batch, FileFormat, Part, Reading, key_labels, with_keys
from pairvote.io._how import How
from pairvote.io._join import joined
from pairvote.io._json_rows import Rows, coded, records_of
from pairvote.io._json_values import BLOCK_BYTES, DECODER, Block, Place, Record, document_blocks, line_blocks, spelt
from pairvote.io._source import Columns, Source
from pairvote.io._text import is_text, read_text, text_columns
from pairvote.votes._report import Report
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import AMOUNTS, NEEDED, AllColumns, Finder

# Takes an open file, its name, how it is read, what gives the records of a lone object, and how much to read at once.
Blocks = Callable[[IO[bytes], str, How, Callable[[Record], list[Record]], int], Iterator[Block]]


def read(
    file: Source, wanted: Finder, how: How, *, blocks: Blocks, block_bytes: int = BLOCK_BYTES
) -> tuple[Columns, Locate]:
    """The wanted columns, coded where they are labels, and what tells the place of a row."""

    def find(names: Sequence[str]) -> dict[str, str]:
        return wanted.found_in(names, file.name)

    every = isinstance(wanted, AllColumns)
    rows = Rows(file.name, how, find, every=every)
    lone = partial(records_of, find=find, file=file.name, every=every)
    pieces = []
    for block in blocks(BytesIO(read_text(file, how, checked=False)), file.name, how, lone, block_bytes):
        for columns, places, _ in rows.blocks(block):
            locate = _locate(places, file.name)
            pieces.append((_coded(columns, locate), len(places), locate))
    rows.finish()
    return joined(pieces, list(rows.found or NEEDED))


def scan(
    parts: Sequence[Part], reading: Reading, *, blocks: Blocks, block_bytes: int = BLOCK_BYTES
) -> Generator[Batch, None, None]:
    """The rows of the files, in order."""
    for part in parts:
        yield from _batches(part, reading, blocks, block_bytes)


def check(part: Part, reading: Reading, *, blocks: Blocks) -> None:
    """Refuse a file whose first records lack a column that is needed."""
    quiet = replace(reading.how, report=Report(bad_rows=reading.how.report.bad_rows))
    next(_batches(part, replace(reading, how=quiet, first=None), blocks, 1), None)


def _batches(part: Part, reading: Reading, blocks: Blocks, block_bytes: int) -> Iterator[Batch]:
    def find(names: Sequence[str]) -> dict[str, str]:
        return reading.wanted.found_in(part.among(names), part.name)

    def find_in_file(names: Sequence[str]) -> dict[str, str]:
        taken = reading.of_interest(find(names))
        return {vote_part: name for vote_part, name in taken.items() if name not in part.keys}

    every = isinstance(reading.wanted, AllColumns)
    rows = Rows(part.name, reading.how, find_in_file, every=every)
    lone = partial(records_of, find=find_in_file, file=part.name, every=every)
    shown: set[str] | None = None
    with part.open_text(reading.how) as handle:
        for block in blocks(handle, part.name, reading.how, lone, block_bytes):
            for columns, places, done in rows.blocks(block):
                if not places:
                    continue
                late = rows.found.keys() - shown - {"voter"} if shown is not None else set()
                if late:
                    raise _late(min(late), rows.found[min(late)], columns, places, part.name)
                shown = set(rows.found)
                locate = _locate(places, part.name)
                keys = key_labels(part, reading.of_interest(find(rows.names)))
                batch = with_keys(_coded(columns, locate), keys, len(places))
                yield Batch(batch, len(places), locate, part.start + done)
    rows.finish()
    if shown is not None:
        reading.agree(part.name, find(rows.names))


def _late(part: str, name: str, columns: Columns, places: list[Place], file: str) -> InputError:
    values = columns[part]
    row = next((row for row, value in enumerate(values) if value is not None), 0)
    where = spelt(places[row], file)
    return InputError(
        f"{where} has a {name} and those above it have none",
        option=part,
        where=where,
        remedy=f"give each row a {name}, or none",
    )


def _locate(places: list[Place], file: str) -> Locate:
    """What tells the place of a row, in as little memory as it takes: it is kept until all is read."""
    lines, numbers = np.array(places, np.int64).reshape(-1, 2).T.copy()

    def locate(row: int) -> str:
        return spelt((int(lines[row]), int(numbers[row])), file)

    return locate


def _coded(columns: Columns, locate: Locate) -> Columns:
    return {part: values if part in AMOUNTS else coded(values, part, locate) for part, values in columns.items()}


def write(votes: Votes, handle: IO[bytes]) -> None:
    columns = text_columns(votes, _cell, missing="null", advice="use text or numbers as labels")
    line = "{" + ", ".join(f'"{part}": %s' for part in columns) + "}\n"
    handle.writelines((line % row).encode() for row in zip(*columns.values(), strict=True))
    if not len(votes):
        # A file of no bytes is taken for one that went wrong.
        handle.write(b"\n")


def _cell(label: Hashable) -> str:
    plain: Any = operator.index(label) if isinstance(label, np.integer) else label
    if not isinstance(plain, (str, int, float)):
        raise ValueError("a label in JSON is text or a number")
    if isinstance(plain, str) and not is_text(plain):
        raise ValueError("it has half of a surrogate pair and so is not text")
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def is_lines(head: bytes) -> bool | None:
    """Whether a file that begins so has an object on each line; None where it may be a document as well."""
    kind = _kind(head)
    return None if kind in ("one", "perhaps") else kind == "lines"


def is_document(head: bytes) -> bool | None:
    """Whether a file that begins so is a document of JSON; None where it has objects one after the other."""
    kind = _kind(head)
    return None if kind in ("lines", "perhaps") else kind in ("document", "one")


def _kind(head: bytes) -> str:
    """What JSON begins so: lines, a document, or one object that may be either."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = head.decode(encoding, "ignore").lstrip()
    inside = text[1:].lstrip()[:1]
    if text[:1] == "[":
        return "document" if inside in ("", "{", "[", "]") else "perhaps"
    if text[:1] != "{" or inside not in ("", '"', "}"):
        return "perhaps" if text[:1] in ("", "{") else ""
    first, newline, rest = text.partition("\n")
    if not newline:
        return "one"
    try:
        DECODER.decode(first)
    except (ValueError, RecursionError):
        return "document"
    return "lines" if rest.strip() else "one"


JSONL = FileFormat(
    name="jsonl",
    title="JSON Lines",
    suffixes=(".jsonl", ".ndjson"),
    begins=is_lines,
    read=partial(read, blocks=line_blocks),
    write=write,
    check=partial(check, blocks=line_blocks),
    scan=partial(scan, blocks=line_blocks),
    takes=frozenset({"encoding"}),
)
JSON = FileFormat(
    name="json",
    title="JSON",
    suffixes=(".json",),
    begins=is_document,
    read=partial(read, blocks=document_blocks),
    check=partial(check, blocks=document_blocks),
    scan=partial(scan, blocks=document_blocks),
    takes=frozenset({"encoding", "header"}),
)
