"""The bytes of a file: unpacked, whatever packed them, and the same from the beginning to the end of the reading."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import zipfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Any

from pairvote._common.messages import listed
from pairvote.errors import InputError

# What tells the kinds of files apart is in so many bytes; a tar archive says it at 257.
HEAD_BYTES = 512
# So often a file may be packed within another: votes.csv.gz in a zip archive is 2.
MOST_LAYERS = 4
# A longer name of a file is cut in its middle.
MOST_SHOWN = 400
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
# Files in a zip archive that make it a workbook or a document, which is not to be unpacked.
_DOCUMENTS = ("[Content_Types].xml", "mimetype")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def opened(path: Path, name: str, member: str | None = None) -> IO[bytes]:
    """A file, open for reading and unpacked as it is read; `member` is the one to read of those in a zip archive."""
    try:
        handle = _Watched(path, name)
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error
    with ExitStack() as stack:
        stack.enter_context(closing(handle))
        if not handle.seekable():
            # A pipe is read once.
            return io.BufferedReader(unpacked(io.BytesIO(handle.readall()), name, member))
        taken = unpacked(handle, name, member)
        stack.pop_all()
    return io.BufferedReader(handle) if taken is handle else taken


def unpacked(handle: Any, name: str, member: str | None = None) -> Any:
    """What is packed in a file that is open at its beginning, as a stream; the file itself when it is not packed.

    Raises
    ------
    InputError
        For an archive that is broken, or that has several files none of which was asked for.
    """
    layers: list[Any] = [handle]
    kinds: list[str] = []
    while (kind := _packing(_head(layers[-1], name, kinds))) is not None:
        if len(kinds) == MOST_LAYERS:
            raise InputError(f"{name} is packed more than {MOST_LAYERS} times; unpack it first")
        try:
            inner = _OPENERS[kind](layers[-1], name, member)
        except Exception as error:
            raise broken(name, kind, error) from error
        if inner is None:
            layers[-1].seek(0)
            break
        kinds.append(kind)
        layers.append(inner)
        member = None
    if member is not None:
        raise InputError(f"{name} is no zip archive, so there is no file {member!r} in it; pass the path of one")
    return io.BufferedReader(_Unpacked(layers, name, kinds[-1])) if kinds else handle


def members_of_zip(path: Path) -> dict[str, int] | None:
    """The files in a zip archive and their sizes in bytes, in its order; None for what is no zip archive.

    Hidden files and notes of the packing program are left out. A workbook is no archive.
    """
    try:
        with path.open("rb") as handle:
            if not handle.read(4).startswith(_ZIP):
                return None
            with zipfile.ZipFile(handle) as archive:
                return None if _is_document(archive) else {info.filename: info.file_size for info in _files(archive)}
    except Exception as error:
        name = displayed(path)
        raise (unreadable(name, error) if isinstance(error, OSError) else broken(name, "zip", error)) from error


def inner_suffix(path: str | Path) -> str:
    """The suffix that tells the format: ".csv" for votes.csv.gz, and for a votes.zip in which there is a votes.csv."""
    stem, suffix = os.path.splitext(path)
    while suffix.lower() in PACKED_SUFFIXES:
        within = os.path.splitext(stem)[1]
        if suffix.lower() == ".zip" and not within and (only := _only_member(Path(path))) is not None:
            return inner_suffix(only)
        stem, suffix = os.path.splitext(stem)
    return suffix.lower()


def displayed(path: object) -> str:
    """A file's name as it goes into a message, on one line and in valid Unicode."""
    text = str(path)
    if len(text) > MOST_SHOWN:
        text = f"{text[: MOST_SHOWN // 2]}…{text[-MOST_SHOWN // 2 :]}"
    return text if text.isprintable() and text else repr(text)


def unreadable(name: str, error: Exception) -> InputError:
    """The error for a file that cannot be opened or read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {name}", where=name, remedy="check its path")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name} is a directory", where=name, remedy="pass the path of a file")
    reason = getattr(error, "strerror", None) or error
    return InputError(f"{name} cannot be read ({reason})", where=name, remedy="check its path and that you may read it")


def broken(name: str, kind: str, error: Exception) -> InputError:
    """The error for an archive that cannot be unpacked, or not to its end."""
    if isinstance(error, InputError):
        return error
    reason = " ".join(str(error).split()) or type(error).__name__
    if "password" in reason or "encrypted" in reason:
        return InputError(
            f"{name} is encrypted", where=name, remedy="unpack it with its password, and pass what comes out"
        )
    return InputError(
        f"{name} is packed by {kind} and cannot be unpacked to its end ({reason})",
        where=name,
        remedy="copy or download it once more, or unpack it with a program that mends archives",
    )


class _Watched(io.FileIO):
    """A file that must not change from when it is opened to when its end is read."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, "rb")
        self._shown = name
        self._before = os.fstat(self.fileno())

    def readinto(self, buffer: Any) -> int:
        n_read = super().readinto(buffer) or 0
        if not n_read:
            self.check_unchanged()
        return n_read

    def readall(self) -> bytes:
        content = super().readall()
        self.check_unchanged()
        return content

    def check_unchanged(self) -> None:
        before, now = self._before, os.fstat(self.fileno())
        if not stat.S_ISREG(now.st_mode) or (before.st_size, before.st_mtime_ns) == (now.st_size, now.st_mtime_ns):
            return
        how = f"from {before.st_size:,} to {now.st_size:,} bytes" if before.st_size != now.st_size else "in its content"
        raise InputError(
            f"{self._shown} changed while it was read, {how}",
            where=self._shown,
            remedy="read it again when nothing writes to it, or copy it and read the copy",
        )


class _Unpacked(io.RawIOBase):
    """What is in the last of several layers of packing, the first of which is the file."""

    def __init__(self, layers: list[Any], name: str, kind: str) -> None:
        self._layers, self._name, self._kind = layers, name, kind

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n_read = 0
        try:
            with memoryview(buffer) as whole, whole.cast("B") as view:
                while n_read < len(view) and (some := self._layers[-1].readinto(view[n_read:])):
                    n_read += some
        except Exception as error:
            self._check_unchanged()
            # Unpackers raise errors of many kinds for what they do not understand.
            raise broken(self._name, self._kind, error) from error
        if not n_read:
            self._check_unchanged()
        return n_read

    def _check_unchanged(self) -> None:
        if isinstance(self._layers[0], _Watched):
            self._layers[0].check_unchanged()

    def close(self) -> None:
        if not self.closed:
            for layer in reversed(self._layers):
                layer.close()
        super().close()


def _head(handle: Any, name: str, kinds: list[str]) -> bytes:
    try:
        head = bytes(handle.read(HEAD_BYTES))
        handle.seek(0)
    except Exception as error:
        if not kinds:
            raise unreadable(name, error) from error
        raise broken(name, kinds[-1], error) from error
    return head


def _packing(head: bytes) -> str | None:
    return next((kind for kind, signatures in _SIGNATURES.items() if head.startswith(signatures)), None)


def _open_zip(handle: Any, name: str, member: str | None) -> Any:
    archive = zipfile.ZipFile(handle)
    if _is_document(archive):
        return None
    files = [info.filename for info in _files(archive)]
    if member is not None:
        if member not in files:
            raise InputError(f"{name} has no file {member!r}; those in it are {listed(files)}")
        return archive.open(member)
    if not files:
        raise InputError(f"{name} is a zip archive without files; pass one that has votes")
    if len(files) > 1:
        raise InputError(
            f"{name} is a zip archive with {len(files)} files: {listed(files)}",
            where=name,
            remedy="unpack it, and pass the file that has the votes",
        )
    return archive.open(files[0])


def _is_document(archive: zipfile.ZipFile) -> bool:
    return any(document in archive.NameToInfo for document in _DOCUMENTS)


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in an archive that are there to be read; all of them, when none is."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    return [
        info for info in files if not any(step.startswith((".", "_")) for step in info.filename.split("/"))
    ] or files


def _only_member(path: Path) -> str | None:
    try:
        members = members_of_zip(path)
    except InputError:
        # Whoever opens it says what is wrong.
        return None
    return next(iter(members)) if members is not None and len(members) == 1 else None


_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "gzip": (b"\x1f\x8b\x08",),
    # After the level come the first block's mark, or that of the end.
    "bzip2": tuple(b"BZh%d%b" % (level, mark) for level in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")),
    "xz": (b"\xfd7zXZ\0",),
    "zip": _ZIP,
}
_OPENERS: dict[str, Callable[[Any, str, str | None], Any]] = {
    "gzip": lambda handle, name, member: gzip.GzipFile(fileobj=handle, mode="rb"),
    "bzip2": lambda handle, name, member: bz2.BZ2File(handle),
    "xz": lambda handle, name, member: lzma.LZMAFile(handle),  # noqa: SIM115
    "zip": _open_zip,
}
