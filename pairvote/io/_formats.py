"""The formats of files of votes, from which readers, writers, their messages and the command line follow."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Literal

from pairvote._common.messages import shorten, wrong_option
from pairvote.errors import InputError
from pairvote.io._arrow import ARROW
from pairvote.io._csv import CSV
from pairvote.io._encodings import head_as_utf8
from pairvote.io._excel import EXCEL
from pairvote.io._file_format import FileFormat
from pairvote.io._how import How
from pairvote.io._json import JSON, JSONL
from pairvote.io._kinds import refuse_kind
from pairvote.io._parquet import PARQUET

Format = Literal["csv", "json", "jsonl", "parquet", "arrow", "excel"]
# To add a format, write its module, name it here and in `Format`.
FORMATS: dict[str, FileFormat] = {
    file_format.name: file_format for file_format in (CSV, JSON, JSONL, PARQUET, ARROW, EXCEL)
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def format_of(format: object, suffix: str, file: str, head: bytes, how: How | None = None) -> FileFormat:
    """The format asked for; or else the one that the first bytes of a file show, its suffix where they may be of any.

    Raises
    ------
    InputError
        For a format that there is not, a file of another format than the one asked for, and bytes of none.
    """
    asked = None if format is None else named(format)
    named_so = of_suffix(suffix)
    shown = _of_content(head, asked or named_so)
    if shown is None:
        head = head_as_utf8(head, None if how is None else how.encoding)
        shown = _of_content(head, asked or named_so)
    if asked is not None:
        if shown not in (None, asked):
            raise InputError(
                f"{file} is {shown.title} and not {asked.title}",
                option="format",
                value=asked.name,
                where=file,
                remedy=f"pass format={shown.name!r}, or leave out format=",
            )
        return asked
    chosen = shown or named_so or FORMATS["csv"]
    if shown is None and head:
        refuse_kind(head, file)
        if chosen.begins is not None and not chosen.begins(head) and _is_text(head):
            chosen = FORMATS["csv"]
        elif named_so is None and not _is_text(head):
            titles = either(file_format.title for file_format in FORMATS.values())
            raise InputError(f"{file} is no text, nor a file of {titles}", where=file, remedy="check that it is votes")
    if how is not None and suffix and chosen is not named_so:
        but = "" if named_so is None else f", though its name ends as that of {named_so.title} does"
        how.report.remark(f"{file} is read as {chosen.title}{but}")
    return chosen


def _of_content(head: bytes, likely: FileFormat | None) -> FileFormat | None:
    """The format that the first bytes show; None where they show none that can be told so."""
    if likely is not None and likely.begins is not None and head and likely.begins(head) is not False:
        return likely
    return next((one for one in FORMATS.values() if one.begins is not None and one.begins(head)), None)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head or head.startswith(_UTF16) or not any(head[1::2]) or not any(head[::2])


def named(format: object) -> FileFormat:
    """The format of this name."""
    if not isinstance(format, str) or format not in FORMATS:
        raise wrong_option("format", format, f"use {either(map(repr, FORMATS))}")
    return FORMATS[format]


def refuse_idle(formats: Iterable[FileFormat], how: How, source: str) -> None:
    """Refuse an option of reading that says nothing of files of these formats.

    Raises
    ------
    InputError
        Naming the option.
    """
    among = list(dict.fromkeys(formats))
    for option, value in how.of_formats.items():
        if among and not any(option in file_format.takes for file_format in among):
            titles = " and ".join(file_format.title for file_format in among)
            raise InputError(
                f"{option} is {shorten(value)} and {source} is {titles}, which has no use for it",
                option=option,
                value=value,
                where=source,
                remedy=f"leave out {option}=",
            )


def writer_of(format: object, suffix: str, file: str) -> FileFormat:
    """The format asked for, or else the one that the suffix of a file to be written names."""
    written = {name: file_format for name, file_format in FORMATS.items() if file_format.write is not None}
    names = either(f"{'format=' * (not place)}{name!r}" for place, name in enumerate(written))
    suffixes = either(file_format.suffixes[0] for file_format in written.values())
    if format is not None:
        chosen = named(format)
        if chosen.write is None:
            raise InputError(
                f"{chosen.title} can be read and not written",
                option="format",
                value=format,
                remedy=f"pass {names}",
            )
        return chosen
    for file_format in written.values():
        if suffix == file_format.suffixes[0]:
            return file_format
    ending = f"has the suffix {suffix!r}" if suffix else "has no suffix"
    raise InputError(
        f"{file} {ending}, which names no format that is written",
        option="format",
        where=file,
        remedy=f"use {suffixes}, or pass {names}",
    )


def of_suffix(suffix: str) -> FileFormat | None:
    """The format that a suffix names, if any."""
    return next((file_format for file_format in FORMATS.values() if suffix in file_format.suffixes), None)


def require(file_format: FileFormat) -> FileFormat:
    """The format; InputError when the package that it needs is not installed."""
    package = file_format.needs
    if package is not None and sys.modules.get(package) is None and find_spec(package) is None:
        others = either(other.suffixes[0] for other in FORMATS.values() if other.needs is None)
        raise InputError(
            f"{file_format.title} needs {package.replace('_', '-')}, which is not installed",
            option="format",
            remedy=f"pip install 'pairvote[{file_format.extra}]', or use {others}",
        )
    return file_format


def either(words: Iterable[str]) -> str:
    """Words as a choice between them: "a, b or c"."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
