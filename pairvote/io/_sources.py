"""The files of a source for scanning, or the fragments of a dataset, in the order to read them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.io._file_format import FileFormat, Part
from pairvote.io._formats import FORMATS
from pairvote.io._source import displayed, unreadable

# What Hive writes where a value is missing.
_MISSING = "__HIVE_DEFAULT_PARTITION__"
FormatOf = Callable[[str, str], FileFormat]


def parts_of(source: object, format_of: FormatOf) -> list[Part]:
    """The parts of a source; `format_of` tells the format by a file's suffix and name."""
    datasets = sys.modules.get("pyarrow.dataset")
    if datasets is not None and isinstance(source, datasets.Dataset):
        return _fragments(source)
    if isinstance(source, (str, Path)):
        path = Path(source)
        try:
            is_folder = path.is_dir()
        except ValueError as error:
            raise unreadable(displayed(source), error) from error
        return _in_folder(path, format_of) if is_folder else _files([path], format_of)
    if callable(getattr(source, "read", None)):
        raise InputError(
            "source is an open file, which cannot be read again from its start; pass its path, or use read_votes"
        )
    if not isinstance(source, (list, tuple)) or not all(isinstance(path, (str, Path)) for path in source):
        raise InputError(
            f"source is {shorten(source)}; pass the path of a file or a folder, a list of paths, or a pyarrow dataset"
        )
    if not source:
        raise InputError("source is an empty list; name at least one file")
    return _files([Path(path) for path in source], format_of)


def _files(paths: list[Path], format_of: FormatOf, keys: list[dict[str, Hashable]] | None = None) -> list[Part]:
    parts, start = [], 0
    for place, path in enumerate(paths):
        name = displayed(path)
        try:
            n_bytes = path.stat().st_size
            if path.is_dir():
                raise InputError(f"{name} is a folder; pass it alone, or the files in it")
            if not path.is_file():
                raise InputError(f"{name} is no regular file, which could be read again; use read_votes")
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise unreadable(name, error) from error
        chosen = format_of(os.path.splitext(path)[1].lower(), name)
        parts.append(Part(name, chosen, path, keys[place] if keys else {}, n_bytes, start))
        start += n_bytes
    return parts


def _in_folder(folder: Path, format_of: FormatOf) -> list[Part]:
    """The files below a folder, in the order of their names; numbers are in numerical order."""
    found = sorted(_below(folder), key=_in_natural_order)
    name = displayed(folder)
    if not found:
        raise InputError(f"{name} is a folder without files; pass one that has files of votes")
    texts = [dict(pair for step in path.parts[:-1] if (pair := _key(step)) is not None) for path in found]
    names = list(dict.fromkeys(name for keys in texts for name in keys))
    for path, keys in zip(found, texts, strict=True):
        lacking = [key for key in names if key not in keys]
        if lacking:
            raise InputError(
                f"{displayed(folder / path)} is in no folder {lacking[0]}=..., and other files are; put it in one"
            )
    values = {key: _values([keys[key] for keys in texts]) for key in names}
    parts = _files(
        [folder / path for path in found],
        format_of,
        [{key: values[key][place] for key in names} for place in range(len(found))],
    )
    formats = {part.format.name: part.name for part in parts}
    if len(formats) > 1:
        raise InputError(
            f"{name} has files of several formats, such as {listed(formats.values())}; pass a list of those to read"
        )
    return parts


def _below(folder: Path) -> Iterator[Path]:
    """Paths of the files, within the folder; hidden files and notes of the writing program are left out."""

    def refuse(error: OSError) -> None:
        raise unreadable(displayed(error.filename or folder), error) from error

    for root, folders, files in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        yield from (Path(root, name).relative_to(folder) for name in files if not name.startswith((".", "_")))


def _in_natural_order(path: Path) -> tuple[list[list[tuple[int, str]]], str]:
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
