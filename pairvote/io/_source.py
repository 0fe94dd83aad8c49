"""What the file formats share: the source, the columns that are wanted, how a file is replaced."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from pairvote._common.labels import Codes
from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.io._bytes import HEAD_BYTES, displayed, inner_suffix, opened, unpacked, unreadable
from pairvote.votes._votes import Votes

__all__ = ["Source", "displayed", "replacing", "unreadable"]

Columns = dict[str, Any]
NEEDED = ("left", "right", "outcome")
OPTIONAL = ("voter", "weight", "criterion")
OUTCOME_LABELS = tuple(Outcome(value).name.lower() for value in range(4))


@dataclass(frozen=True)
class Source:
    """A file by its path, or one that is open already."""

    name: str
    path: Path | None
    stream: Any = None

    @classmethod
    def of(cls, source: object) -> Source:
        if isinstance(source, (str, Path)):
            return cls(displayed(source), Path(source))
        if callable(getattr(source, "read", None)):
            name = getattr(source, "name", None)
            return cls(displayed(name) if isinstance(name, str) else "the stream", None, source)
        raise InputError(f"source is {shorten(source)}; pass the path of a file, or an open file")

    @property
    def suffix(self) -> str:
        """The suffix that tells the format, under those of packed files."""
        return inner_suffix(self.name if self.path is None else self.path)

    @property
    def is_decoded(self) -> bool:
        """Whether it is an open file that gives text and not bytes."""
        return self.path is None and isinstance(self._given, str)

    def read(self) -> bytes:
        """All of it, unpacked, as bytes; text that an open file gives is in UTF-8."""
        if self.path is None:
            return self._content
        with opened(self.path, self.name) as handle:
            return self._all_of(handle)

    def head(self) -> bytes:
        """How it begins when it is unpacked, in at most HEAD_BYTES."""
        if self.path is None:
            return self._content[:HEAD_BYTES]
        with opened(self.path, self.name) as handle:
            return handle.read(HEAD_BYTES)

    @cached_property
    def _content(self) -> bytes:
        given = self._given
        if isinstance(given, str):
            try:
                return given.encode("utf-8")
            except UnicodeError as error:
                raise InputError(f"{self.name} is not UTF-8 text ({error}); save it as UTF-8") from error
        with unpacked(BytesIO(given), self.name) as handle:
            return self._all_of(handle)

    @cached_property
    def _given(self) -> bytes | str:
        """What an open file gives; it is read once."""
        try:
            content = self.stream.read()
        except UnicodeError as error:
            raise InputError(f"{self.name} is not UTF-8 text ({error}); save it as UTF-8") from error
        except Exception as error:
            # A stream is somebody else's object (a socket, a decompressor) and may raise anything.
            raise InputError(f"{self.name} cannot be read ({error}); is it open for reading?") from error
        if isinstance(content, str):
            return content
        if not isinstance(content, (bytes, bytearray, memoryview)):
            raise InputError(f"{self.name} gave {shorten(content)} and not text or bytes; pass an open file")
        return bytes(content)

    def _all_of(self, handle: IO[bytes]) -> bytes:
        try:
            return handle.read()
        except OSError as error:
            raise unreadable(self.name, error) from error


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write in place of the one at `path`, which stays as it was unless all goes well."""
    file = displayed(path)
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise InputError(f"{file} is a directory; pass the path of a file")
        if target.exists() and not target.is_file():
            raise InputError(f"{file} is not a regular file, which cannot be replaced; pass the path of one")
        unfinished = target.with_name(f".pairvote-{secrets.token_hex(8)}.tmp")
        try:
            with unfinished.open("xb") as handle:
                yield handle
                handle.flush()
                os.fsync(handle.fileno())
            if target.exists():
                shutil.copymode(target, unfinished)
            os.replace(unfinished, target)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{file} cannot be written ({reason}); check its folder and that you may write there"
        ) from error


def label_columns(votes: Votes) -> Iterator[tuple[str, dict[str, Codes], list[Hashable]]]:
    """Each kind of label, with the columns coded in it and the labels that they use."""
    (left, right), items = _in_use([votes.left, votes.right], votes.items)
    yield "item", {"left": left, "right": right}, items
    outcome = votes.outcome.astype(np.int32)
    names: list[Hashable] = list(OUTCOME_LABELS)
    if votes.share is not None:
        # A graded vote is written as its share, which outcomes="share" reads back.
        shares, places = np.unique(votes.share[votes.is_graded], return_inverse=True)
        outcome[votes.is_graded] = len(names) + places
        names += map(repr, shares.tolist())
    yield "outcome", {"outcome": outcome}, names
    for part, codes, labels in (
        ("voter", votes.voter, votes.voters),
        ("criterion", votes.criterion, votes.criteria),
    ):
        if codes is not None:
            (coded,), used = _in_use([codes], labels)
            yield part, {part: coded}, used


def in_order(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The columns in the order in which files have them."""
    return {part: columns[part] for part in (*NEEDED, *OPTIONAL, "time", "question") if part in columns}


def _in_use(columns: Sequence[Codes], labels: Sequence[Hashable]) -> tuple[list[Codes], list[Hashable]]:
    """The columns renumbered to the labels that they use, and these labels; -1 stays."""
    used = np.zeros(len(labels) + 1, bool)
    for codes in columns:
        used[codes] = True
    used[-1] = False
    numbers = np.where(used, np.cumsum(used) - 1, -1).astype(np.int32)
    return [numbers[codes] for codes in columns], [labels[code] for code in np.flatnonzero(used).tolist()]
