"""What formats of text share: bytes that must be text in UTF-8, and labels that must be read back as they are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from io import BytesIO, TextIOWrapper
from typing import IO, Any

from pairvote._common.messages import shorten
from pairvote._common.questions import known
from pairvote._common.times import MOMENTS, written
from pairvote.errors import InputError
from pairvote.io._bytes import HEAD_BYTES
from pairvote.io._encodings import BOM, as_utf8, count_lines, encoding_of, first_not_utf8, not_utf8
from pairvote.io._how import How
from pairvote.io._kinds import refuse_kind
from pairvote.io._source import Source, in_order, label_columns
from pairvote.votes._votes import Votes


def read_text(file: Source, how: How | None = None, *, checked: bool = True) -> bytes:
    """The file's text, in UTF-8 whatever it was in; where it is not `checked`, bytes may be in it that are no text."""
    how = how or How()
    raw = file.read()
    # An open file of text has been decoded already.
    encoding = None if file.is_decoded else encoding_of(raw[:HEAD_BYTES], how)
    if encoding is not None:
        raw = as_utf8(BytesIO(raw), file.name, encoding).read()
    check_start(raw, file.name)
    if checked:
        check_text(raw, file.name)
    return raw


def in_utf8(handle: Any, name: str, how: How) -> IO[bytes]:
    """The text of a file that is open at its beginning, as a stream in UTF-8 that is never in memory as a whole."""
    encoding = encoding_of(handle.peek(HEAD_BYTES)[:HEAD_BYTES], how)
    stream: IO[bytes] = handle if encoding is None else as_utf8(handle, name, encoding)
    return stream


def check_start(raw: bytes, name: str) -> None:
    """Refuse a file that is empty, or that begins as a file of another kind does."""
    if raw in (b"", BOM):
        raise InputError(f"{name} is empty; check that it is the right file and was written to its end")
    head = raw[:HEAD_BYTES]
    refuse_kind(head, name)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        remedy = "pass encoding='utf-16', or leave out encoding="
        raise InputError(f"{name} is UTF-16 text", option="encoding", where=name, remedy=remedy)


def check_text(raw: bytes, name: str, offset: int = 0, n_before: Callable[[], int] = int) -> None:
    """Refuse bytes that are not text in UTF-8: a file, or lines of it from `offset` on, below `n_before()` lines."""
    at = raw.find(b"\0")
    if at >= 0:
        where = f"line {n_before() + count_lines(raw[:at]) + 1}"
        raise InputError(
            f"{name} has a NUL byte at {where}, so it is not text",
            where=f"{where} of {name}",
            remedy="pass CSV or JSON Lines in UTF-8",
        )
    at = first_not_utf8(raw)
    if at >= 0:
        raise not_utf8(raw, at, name, n_before() + count_lines(raw[:at]) + 1, offset + at)


def text_lines(raw: bytes, newline: str, encoding: str = "utf-8-sig") -> TextIOWrapper:
    """The text line by line, by default without its byte order mark."""
    return TextIOWrapper(BytesIO(raw), encoding, newline=newline)


def is_text(label: str) -> bool:
    """Whether UTF-8 can hold the label; it cannot hold half of a surrogate pair."""
    try:
        label.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def text_columns(
    votes: Votes, encode: Callable[[Hashable], str], missing: str, advice: str
) -> dict[str, Iterator[str]]:
    """The columns as cells, one for each vote; `encode` raises ValueError for what it cannot write."""
    columns: dict[str, Iterator[str]] = {}
    for kind, coded, labels in label_columns(votes):
        cells = [*_cells(labels, encode, kind, advice), missing]
        for part, codes in coded.items():
            columns[part] = map(cells.__getitem__, codes.tolist())
    if votes.weight is not None:
        columns["weight"] = map(repr, votes.weight.tolist())
    if votes.time is not None:
        times = written(votes.time)
        columns["time"] = map(encode, times) if votes.time.dtype == MOMENTS else iter(times)
    if votes.question is not None:
        columns["question"] = (missing if number is None else str(number) for number in known(votes.question))
    return in_order(columns)


def _cells(labels: Sequence[Hashable], encode: Callable[[Hashable], str], kind: str, advice: str) -> list[str]:
    label_of: dict[str, Hashable] = {}
    for label in labels:
        try:
            cell = encode(label)
        except ValueError as error:
            raise InputError(f"{kind} {shorten(label)} cannot be written: {error}; {advice}") from None
        if cell in label_of:
            raise InputError(
                f"{kind} {shorten(label_of[cell])} and {shorten(label)} would be written alike; rename one, or {advice}"
            )
        label_of[cell] = label
    return list(label_of)
