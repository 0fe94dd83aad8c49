"""What CSV and JSON Lines share: bytes that must be text, and labels that must be read back as they are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from io import BytesIO, TextIOWrapper

from pairvote._common.messages import shorten
from pairvote.errors import InputError
from pairvote.io._source import Source, in_order, label_columns
from pairvote.votes._votes import Votes

BOM = b"\xef\xbb\xbf"
PARQUET = b"PAR1\x15"
_SIGNATURES = {
    b"\xff\xfe": ("UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "save it as UTF-8"),
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "save it as CSV in UTF-8"),
    b"\x1f\x8b": ("compressed with gzip", "unpack it first"),
    PARQUET: ("Parquet", "pass format='parquet'"),
}


def read_text(file: Source) -> bytes:
    """The file's bytes, which are text in UTF-8."""
    raw = file.read()
    check_start(raw, file.name)
    check_text(raw, file.name)
    return raw


def check_start(raw: bytes, name: str) -> None:
    """Refuse a file that is empty, or that begins as a file of another kind does."""
    if raw in (b"", BOM):
        raise InputError(f"{name} is empty; check that it is the right file and was written to its end")
    for signature, (kind, remedy) in _SIGNATURES.items():
        if raw.startswith(signature):
            option = "format" if signature == PARQUET else None
            raise InputError(f"{name} is {kind}", option=option, where=name, remedy=remedy)


def check_text(raw: bytes, name: str, offset: int = 0, n_before: Callable[[], int] = int) -> None:
    """Refuse bytes that are not text in UTF-8: a file, or lines of it from `offset` on, below `n_before()` lines."""
    at = raw.find(b"\0")
    if at >= 0:
        raise InputError(
            f"{name} has a NUL byte at line {n_before() + count_lines(raw[:at]) + 1}, so it is not text; "
            "pass CSV or JSON Lines in UTF-8"
        )
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name} is not UTF-8 at line {n_before() + count_lines(raw[: error.start]) + 1} "
                f"(byte 0x{raw[error.start]:02x} at position {offset + error.start}); save it as UTF-8"
            ) from None


def count_lines(raw: bytes) -> int:
    """Number of line ends, of any of the three kinds."""
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")


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
