"""The files of a source: one, several, those in folders and archives, or the fragments of a dataset; in their order."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from io import BytesIO, TextIOBase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote

from pairvote._common.messages import listed, plural, shorten
from pairvote.errors import InputError
from pairvote.io._bytes import HEAD_BYTES, displayed, inner_suffix, members_of_zip, opened, unreadable
from pairvote.io._file_format import FileFormat, Part, Reading
from pairvote.io._folders import files_below
from pairvote.io._formats import FORMATS, format_of, named, of_suffix, refuse_idle, require
from pairvote.io._how import How
from pairvote.io._source import Source
from pairvote.votes._report import Report

# What Hive writes where a value is missing.
_MISSING = "__HIVE_DEFAULT_PARTITION__"


class _File(NamedTuple):
    """A file to read: its path, the file within it if it is an archive, and the columns that folders give."""

    path: Path
    n_bytes: int
    inner: str = ""
    member: str | None = None
    keys: Mapping[str, Hashable] = {}

    @property
    def name(self) -> str:
        """What messages call it."""
        return displayed(self.path if self.member is None else f"{self.path}/{self.member}")


def parts_of(source: object, format: object, reading: Reading) -> list[Part]:
    """The parts of a source, in the order to read them.

    Raises
    ------
    InputError
        For what is no source, a file that is not there, and files in a folder or an archive that are no votes; with
        ``bad_rows="skip"`` these are left out, and the report names them.
    """
    datasets = sys.modules.get("pyarrow.dataset")
    if datasets is not None and isinstance(source, datasets.Dataset):
        fragments = _fragments(source)
        refuse_idle([part.format for part in fragments], reading.how, "the dataset")
        return fragments
    if callable(getattr(source, "read", None)):
        raise InputError(
            "source is an open file, which cannot be read again from its start; pass its path, or use read_votes"
        )
    if format is not None:
        named(format)
    report = reading.how.report
    parts: list[Part] = []
    paths = paths_of(source)
    twice = [name for name, count in Counter(map(_real, paths)).items() if count > 1]
    if twice:
        report.remark(f"{displayed(twice[0])} is named more than once, and its votes count each time")
    for path in paths:
        if _holds_files(path):
            parts += _votes_among(_within(path, report), displayed(path), format, reading)
        else:
            part = _part(_File(path, _size_of(path)), format, reading.how)
            require(part.format)
            parts.append(part)
    files = parts[0].name if len(parts) == 1 else "each of the files"
    refuse_idle([part.format for part in parts], reading.how, files)
    start = 0
    for place, part in enumerate(parts):
        parts[place] = replace(part, start=start)
        start += part.n_bytes
    return parts


def _real(path: Path) -> str:
    """The path without links; as it is where the system cannot have such a name, which opening it will say."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def paths_of(source: object) -> list[Path]:
    """The paths that a source names.

    Raises
    ------
    InputError
        For what is no path or a list of them, and for an empty name, which an unset variable gives.
    """
    given = [source] if isinstance(source, (str, Path)) else source
    if not isinstance(given, (list, tuple)) or not all(isinstance(path, (str, Path)) for path in given):
        raise InputError(
            f"source is {shorten(source)}; pass the path of a file or a folder, a list of paths, or a pyarrow dataset"
        )
    if not given:
        raise InputError("source is an empty list; name at least one file")
    for path in given:
        # Path("") is Path("."), so who means the current folder says "." as text.
        if path in ("", Path()):
            remedy = "see whether a variable is unset, or pass '.' for all files of the current folder"
            raise InputError("the name of the file is empty", value=path, remedy=remedy)
    return [Path(path) for path in given]


def is_several(source: object) -> bool:
    """Whether a source is several files: a list of them, a folder, or an archive of more than one."""
    if isinstance(source, (list, tuple)):
        return True
    return isinstance(source, (str, Path)) and _holds_files(*paths_of(source))


def _holds_files(path: Path) -> bool:
    """Whether a path is that of a folder, or of an archive of more than one file."""
    try:
        return path.is_dir() or (path.is_file() and len(members_of_zip(path) or ()) > 1)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise unreadable(displayed(path), error) from error


def file_of(source: object, format: object, how: How) -> tuple[Source, FileFormat]:
    """A single file, by its path or open, and its format."""
    asked = None if format is None else named(format)
    file = Source.of(paths_of(source)[0] if isinstance(source, (str, Path)) else source)
    path = file.path
    if path is not None and path.exists() and not path.is_file():
        # A pipe cannot be read twice.
        with opened(path, file.name) as handle:
            file = Source(file.name, None, BytesIO(handle.read()))
    likely = asked or of_suffix(file.suffix)
    if likely is not None and likely.binary and isinstance(file.stream, TextIOBase):
        raise InputError(f"{file.name} is open as text, which {likely.title} is not; open it as bytes, with mode 'rb'")
    chosen = require(format_of(format, file.suffix, file.name, file.head(), how))
    refuse_idle([chosen], how, file.name)
    return file, chosen


def _size_of(path: Path) -> int:
    try:
        n_bytes = path.stat().st_size
        if path.is_file():
            return n_bytes
    except (OSError, ValueError) as error:
        raise unreadable(displayed(path), error) from error
    raise InputError(f"{displayed(path)} is no regular file, which could be read again; use read_votes")


def _part(file: _File, format: object, how: How) -> Part:
    with opened(file.path, file.name, file.member) as handle:
        head = handle.read(HEAD_BYTES)
    suffix = inner_suffix(file.path if file.member is None else file.member)
    chosen = format_of(format, suffix, file.name, head, how)
    return Part(file.name, chosen, file.path, file.keys, file.n_bytes, member=file.member)


def _votes_among(files: Sequence[_File], folder: str, format: object, reading: Reading) -> list[Part]:
    """The files in a folder or an archive that are votes; others are refused, or left out where that was asked for."""
    report = reading.how.report
    parts: list[Part] = []
    others: dict[str, InputError] = {}
    for file in files:
        found = _part_of_votes(file, format, reading)
        if isinstance(found, Part):
            parts.append(found)
        else:
            others[file.inner] = found
    if not others:
        return parts
    first = next(iter(others.values()))
    if not parts:
        # A table tells more than a README.md that lies beside it.
        raise next((error for name, error in others.items() if of_suffix(inner_suffix(name)) is not None), first)
    names, files_of = listed(others), f"{plural(len(others), 'file')} of {folder}"
    if report.skips:
        sentence = f"{files_of} left out, which cannot be read as votes: {names}"
        report.left_out = f"{report.left_out}; {sentence}" if report.left_out else sentence
        report.remark(sentence)
        return parts
    them = "it" if len(others) == 1 else "them"
    raise InputError(
        f"{files_of} cannot be read as votes: {names} ({first.problem})",
        option="bad_rows",
        where=folder,
        remedy=f"name the files to read, move {them} elsewhere, or pass bad_rows='skip' to leave {them} out",
    )


def _part_of_votes(file: _File, format: object, reading: Reading) -> Part | InputError:
    """The file as a part, or what is wrong with it."""
    quiet = Report(reading.how.report.bad_rows)
    try:
        part = _part(file, format, reading.how.with_report(quiet))
    except InputError as error:
        return _unless_unreadable(error)
    require(part.format)
    try:
        part.format.check(part, replace(reading, how=reading.how.with_report(quiet), first=None))
    except InputError as error:
        return _unless_unreadable(error)
    return part


def _unless_unreadable(error: InputError) -> InputError:
    if isinstance(error.__cause__, OSError):
        raise error
    return error


def _within(path: Path, report: Report) -> list[_File]:
    """The files of a folder or an archive, in the order of their names; numbers are in numerical order."""
    name = displayed(path)
    if path.is_dir():
        found = {PurePosixPath(*below.parts): below for below in files_below(path, report)}
        sizes = {inner: _size_of(path / below) for inner, below in found.items()}
    else:
        sizes = {PurePosixPath(member): n_bytes for member, n_bytes in (members_of_zip(path) or {}).items()}
        found = {}
    if not sizes:
        raise InputError(f"{name} is a folder without files; pass one that has files of votes")
    in_order = sorted(sizes, key=_in_natural_order)
    keys = _keys(in_order, path)
    return [
        _File(path / found[inner], sizes[inner], str(inner), None, keys[inner])
        if inner in found
        else _File(path, sizes[inner], str(inner), str(inner), keys[inner])
        for inner in in_order
    ]


def _keys(files: Sequence[PurePosixPath], folder: Path) -> dict[PurePosixPath, dict[str, Hashable]]:
    """The columns that the names of folders give, such as criterion=useful."""
    texts = {file: dict(pair for step in file.parts[:-1] if (pair := _key(step)) is not None) for file in files}
    names = list(dict.fromkeys(name for keys in texts.values() for name in keys))
    for file, keys in texts.items():
        lacking = [key for key in names if key not in keys]
        if lacking:
            raise InputError(
                f"{displayed(folder / file)} is in no folder {lacking[0]}=..., and other files are; put it in one"
            )
    values = {name: _values([keys[name] for keys in texts.values()]) for name in names}
    return {file: {name: values[name][place] for name in names} for place, file in enumerate(texts)}


def _in_natural_order(path: PurePosixPath) -> tuple[list[list[tuple[int, str]]], str]:
    steps = [re.split(r"([0-9]+)", step) for step in path.parts]
    return [[(int(run), "") if run.isdecimal() else (-1, run) for run in step] for step in steps], str(path)


def _key(step: str) -> tuple[str, str] | None:
    name, mark, value = step.partition("=")
    return (unquote(name), value) if mark and name else None


def _values(texts: list[str]) -> list[Hashable]:
    """Values in the names of folders: whole numbers if all are, as other programs read them, otherwise text."""
    given = [None if text == _MISSING else unquote(text) for text in texts]
    if all(text is None or re.fullmatch(r"-?[0-9]{1,18}", text) for text in given):
        return [None if text is None else int(text) for text in given]
    return list(given)


def _fragments(dataset: Any) -> list[Part]:
    from pyarrow.dataset import get_partition_keys

    try:
        fragments = list(dataset.get_fragments())
    except ValueError as error:
        raise InputError(
            f"the dataset gives no fragments ({error}); pass it without a filter or a projection"
        ) from error
    parts = []
    for place, fragment in enumerate(fragments):
        path = getattr(fragment, "path", None)
        name = displayed(path) if path else f"fragment {place} of the dataset"
        keys = get_partition_keys(fragment.partition_expression)
        parts.append(Part(name, FORMATS["parquet"], None, keys, fragment=(fragment, dataset.schema)))
    return parts
