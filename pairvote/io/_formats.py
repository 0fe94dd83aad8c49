"""The formats of files of votes, from which readers, writers, their messages and the command line follow."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Literal

from pairvote._common.messages import wrong_option
from pairvote.errors import InputError
from pairvote.io._csv import CSV
from pairvote.io._file_format import FileFormat
from pairvote.io._jsonl import JSONL
from pairvote.io._parquet import PARQUET

Format = Literal["csv", "jsonl", "parquet"]
# To add a format, write its module, name it here and in `Format`.
FORMATS: dict[str, FileFormat] = {file_format.name: file_format for file_format in (CSV, JSONL, PARQUET)}


def format_of(format: object, suffix: str, file: str) -> FileFormat:
    """The format asked for, or else the one that the suffix of a file names."""
    if format is None:
        found = of_suffix(suffix)
        if found is not None:
            return found
        ending = f"has the suffix {suffix!r}" if suffix else "has no suffix"
        names = either(f"{'format=' if not place else ''}{name!r}" for place, name in enumerate(FORMATS))
        raise InputError(
            f"{file} {ending}, which names no format",
            option="format",
            where=file,
            remedy=f"use {suffixes()}, or pass {names}",
        )
    if not isinstance(format, str) or format not in FORMATS:
        raise wrong_option("format", format, f"use {either(map(repr, FORMATS))}")
    return FORMATS[format]


def of_suffix(suffix: str) -> FileFormat | None:
    """The format that a suffix names, if any."""
    return next((file_format for file_format in FORMATS.values() if suffix in file_format.suffixes), None)


def suffixes() -> str:
    """The suffix to recommend for each format, as a message lists them."""
    return either(file_format.suffixes[0] for file_format in FORMATS.values())


def require(file_format: FileFormat) -> FileFormat:
    """The format; InputError when the package that it needs is not installed."""
    package = file_format.needs
    if package is not None and sys.modules.get(package) is None and find_spec(package) is None:
        others = either(other.suffixes[0] for other in FORMATS.values() if other.needs is None)
        raise InputError(
            f"{file_format.title} needs {package}, which is not installed",
            option="format",
            remedy=f"pip install 'pairvote[{file_format.extra}]', or use {others}",
        )
    return file_format


def either(words: Iterable[str]) -> str:
    """Words as a choice between them: "a, b or c"."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
