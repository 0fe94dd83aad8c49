"""What a file format is: functions that read a file whole, read files in batches of rows, and write one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.messages import Locate
from pairvote.errors import InputError
from pairvote.io._bytes import opened
from pairvote.io._encodings import count_lines
from pairvote.io._how import How
from pairvote.io._source import OPTIONAL, Columns, Source
from pairvote.io._text import in_utf8
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import Finder


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: the columns by the parts of a vote. `done` is how much has been read by their end.

    Columns of labels are `Coded`; those of amounts are as the file has them, in a list, an array of its own, or coded.
    When a column has the labels that it had in the batch before, `labels` is the same object: they are looked up once.
    """

    columns: Mapping[str, Any]
    n_rows: int
    locate: Locate
    done: int = 0

    def after(self, n_rows: int) -> Batch:
        """The batch without its first rows."""
        columns = {
            part: Coded(column.codes[n_rows:], column.labels) if isinstance(column, Coded) else column[n_rows:]
            for part, column in self.columns.items()
        }
        return Batch(columns, self.n_rows - n_rows, lambda row: self.locate(row + n_rows), self.done)


@dataclass(frozen=True, kw_only=True)
class FileFormat:
    """A format of files of votes; `pairvote.io._formats.FORMATS` lists those that there are.

    Parameters
    ----------
    name, title : str
        What `format=` calls it, and what people call it.
    suffixes : tuple of str
        Suffixes of its files, with the dot and in small letters. The first is the one to recommend.
    read : function
        Takes a `Source`, the `Wanted` columns and `How` it is read. Returns the columns by part, as the file has
        them, and a function that says where a row stands.
    check : function
        Takes a `Part` and a `Reading`. Raises InputError for a file whose first row lacks a column that is needed.
    scan : function
        Takes several `Part` and a `Reading`. Yields the rows of all files in order, as `Batch`.
    write : function, optional
        Takes `Votes` and a file open for writing bytes. Raises InputError for a label that it would not read back.
    begins : function, optional
        Takes the first bytes of a file, and says whether it is of this format: None where it may be. By default only
        the suffix says so.
    binary : bool
        Whether its files are no text.
    has_types : bool
        Whether labels have types there; otherwise all are texts, and ``items=`` says which labels they stand for.
    metadata : function, optional
        Takes a `Source`. Returns what a file says beside its rows, where the items may be named.
    large_bytes : int
        Size in bytes from which the command line reads a file in batches.
    takes : frozenset of str
        The options of `How` that say something of its files, beside those of every format.
    needs, extra : str, optional
        The package that it needs, and the extra of pairvote that installs it.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Source, Finder, How], tuple[Columns, Locate]]
    check: Callable[[Part, Reading], None]
    scan: Callable[[Sequence[Part], Reading], Generator[Batch, None, None]]
    write: Callable[[Votes, IO[bytes]], None] | None = None
    begins: Callable[[bytes], bool | None] | None = None
    binary: bool = False
    has_types: bool = True
    metadata: Callable[[Source], Mapping[bytes, bytes]] | None = None
    large_bytes: int = 2**26
    takes: frozenset[str] = frozenset()
    needs: str | None = None
    extra: str | None = None


@dataclass(frozen=True)
class Part:
    """A file among those to read, or a fragment of a dataset.

    `keys` are the columns that stand in the names of its folders, `start` the bytes in the files before it, `member`
    the file in a zip archive.
    """

    name: str
    format: FileFormat
    path: Path | None = None
    keys: Mapping[str, Hashable] = field(default_factory=dict)
    n_bytes: int = 0
    start: int = 0
    fragment: Any = None
    member: str | None = None

    def open(self) -> IO[bytes]:
        """The file's bytes, unpacked as they are read; InputError when they change before their end is reached."""
        if self.path is None:
            raise InputError(f"{self.name} is no file; pass the path of one")
        return opened(self.path, self.name, self.member)

    def source(self) -> Source:
        """The file as it is read at once."""
        if self.member is None and self.path is not None:
            return Source(self.name, self.path)
        with self.open() as handle:
            return Source(self.name, None, BytesIO(handle.read()))

    def open_text(self, how: How) -> IO[bytes]:
        """The file's text in UTF-8, transcoded as it is read."""
        handle = self.open()
        try:
            return in_utf8(handle, self.name, how)
        except BaseException:
            handle.close()
            raise

    def lines_before(self, offset: int, newline: bytes | None = None, how: How | None = None) -> int:
        """Number of lines that end before `offset` in the text; they end by any line end, or by `newline`."""
        n_lines, last = 0, b""
        with self.open_text(how or How()) as handle:
            while offset and (raw := handle.read(min(offset, 2**24))):
                offset -= len(raw)
                if newline is not None:
                    n_lines += raw.count(newline)
                    continue
                n_lines += count_lines(raw) - (last == b"\r" and raw.startswith(b"\n"))
                last = raw[-1:]
        return n_lines

    def among(self, names: Sequence[str]) -> list[str]:
        """Names of all columns: of a column that a folder's name gives, the folder's value counts."""
        return [name for name in names if name not in self.keys] + list(self.keys)


@dataclass
class Reading:
    """One pass over the parts: the columns wanted, the rows yet to pass over, and the columns of the first part."""

    wanted: Finder
    voters: bool = True
    skip: int = 0
    n_bytes: int = 0
    how: How = field(default_factory=How)
    first: tuple[str, frozenset[str]] | None = None

    def of_interest(self, found: Mapping[str, str]) -> dict[str, str]:
        """The parts to read, among the parts that were found."""
        return {part: name for part, name in found.items() if part != "voter" or self.voters}

    def agree(self, file: str, found: Mapping[str, str]) -> None:
        """Refuse weights or criteria in some files and not in others: there is no telling what the others mean."""
        if self.first is None:
            self.first = (file, frozenset(found))
            return
        other, parts = self.first
        for part in OPTIONAL[1:]:
            if (part in found) != (part in parts):
                has, lacks = (file, other) if part in found else (other, file)
                name = self.wanted.name(part)
                raise InputError(
                    f"{lacks} has no column {name!r} and {has} has one; give every file a {part}, or none of them"
                )


def key_labels(part: Part, found: Mapping[str, str]) -> dict[str, list[Hashable]]:
    """Parts of votes that the names of a file's folders give, each as the only label of a column."""
    return {vote_part: [part.keys[name]] for vote_part, name in found.items() if name in part.keys}


def with_keys(columns: dict[str, Any], keys: Mapping[str, Sequence[Hashable]], n_rows: int) -> dict[str, Any]:
    """The columns, together with what the names of folders give."""
    return {**columns, **{part: Coded(np.zeros(n_rows, np.int32), labels) for part, labels in keys.items()}}
