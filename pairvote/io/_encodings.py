"""Text in any encoding, as UTF-8."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from typing import IO, Any

from pairvote._common.messages import shorten, wrong_option
from pairvote.errors import InputError
from pairvote.io._how import How

BOM = codecs.BOM_UTF8
# The encoding to try on text that is not UTF-8: that of spreadsheet programs on Windows.
USUAL = "windows-1252"
_COMMON = ("utf-8", "utf-16", USUAL, "shift_jis", "gb18030")
# Those of UTF-32 come first: one of them begins with one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_PIECE_BYTES = 2**18
_BETWEEN_CELLS = b',;\t|"\r\n'


def encoding_of(head: bytes, how: How) -> str | None:
    """The encoding of text that begins so, or the one that was asked for; None for UTF-8.

    Raises
    ------
    InputError
        For an encoding that Python does not know.
    """
    seen = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None) or _without_mark(head)
    if how.encoding is None:
        if seen is not None:
            how.report.remark(f"it is {seen[:6].upper()}")
        return seen
    asked = _known(how.encoding)
    if asked in ("utf-8", "utf-8-sig"):
        return None
    # Python takes the byte order of this machine where there is no mark.
    return seen if asked in ("utf-16", "utf-32") and seen is not None and seen.startswith(asked) else asked


def head_as_utf8(head: bytes, encoding: str | None) -> bytes:
    """How a file of text begins, in UTF-8; `encoding` is the one that was asked for."""
    found = encoding_of(head, How(encoding=encoding))
    try:
        return head if found is None else head.decode(found, "ignore").encode("utf-8", "ignore")
    except UnicodeError:
        # Some codecs do not ignore what they cannot decode.
        return head


def as_utf8(handle: Any, name: str, encoding: str) -> IO[bytes]:
    """The text of a file that is open at its beginning, in UTF-8; it is read as it is needed."""
    return io.BufferedReader(_Transcoded(handle, name, encoding))


def first_not_utf8(raw: bytes) -> int:
    """The place of the first byte that is not UTF-8, -1 if there is none."""
    if raw.isascii():
        return -1
    at, n_bytes = 0, len(raw)
    with memoryview(raw) as view:
        while at < n_bytes:
            stop = min(at + _PIECE_BYTES, n_bytes)
            try:
                at += codecs.utf_8_decode(view[at:stop], "strict", stop == n_bytes)[1]
            except UnicodeDecodeError as error:
                return at + error.start
    return -1


def not_utf8(raw: bytes, at: int, name: str, line: int, position: int) -> InputError:
    """The error for the byte at `at`, which is not UTF-8; it shows how its cell reads in the usual encoding."""
    where = f"line {line} of {name}"
    problem = f"{name} is not UTF-8 at line {line} (byte 0x{raw[at]:02x} at position {position})"
    try:
        cell = shorten(_cell(raw, at).decode(USUAL))
    except UnicodeDecodeError:
        remedy = "pass the encoding that it has, or save it as UTF-8"
        return InputError(problem, option="encoding", where=where, remedy=remedy)
    return InputError(
        problem,
        option="encoding",
        value=USUAL,
        where=where,
        remedy=f"pass encoding={USUAL!r} if {cell} is what should stand there, or save it as UTF-8",
    )


def count_lines(raw: bytes) -> int:
    """Number of line ends, of any of the three kinds."""
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")


class _Transcoded(io.RawIOBase):
    """Text in UTF-8 that is decoded from another encoding as it is read."""

    def __init__(self, handle: Any, name: str, encoding: str) -> None:
        self._handle, self._name, self._encoding = handle, name, encoding
        make: Callable[[], codecs.IncrementalDecoder] = codecs.getincrementaldecoder(encoding)
        self._decoder = make()
        self._ready, self._at, self._ended = b"", 0, False
        self._n_bytes = self._n_lines = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._at == len(self._ready) and not self._ended:
            raw = self._handle.read(_PIECE_BYTES)
            self._n_bytes += len(raw)
            before = self._ready
            self._n_lines += count_lines(before)
            self._ready, self._at, self._ended = self._decoded(raw), 0, not raw
            self._n_lines -= before.endswith(b"\r") and self._ready.startswith(b"\n")
        taken = self._ready[self._at : self._at + len(buffer)]
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)

    def _decoded(self, raw: bytes) -> bytes:
        try:
            return self._decoder.decode(raw, not raw).encode()
        except UnicodeDecodeError as error:
            seen: bytes = error.object
            line = self._n_lines + self._lines_in(seen[: error.start]) + 1
            position = self._n_bytes - len(seen) + error.start
            at = f"line {line} (byte 0x{seen[error.start]:02x} at position {position})"
        except (UnicodeError, ValueError) as error:
            line = self._n_lines + 1
            at = f"line {line} or below ({error})"
        raise InputError(
            f"{self._name} is not {self._encoding} at {at}",
            option="encoding",
            where=f"line {line} of {self._name}",
            remedy="pass the encoding that it has, or save it as UTF-8",
        )

    def _lines_in(self, raw: bytes) -> int:
        try:
            return count_lines(raw.decode(self._encoding, "replace").encode("utf-8", "replace"))
        except UnicodeError:
            # Some codecs do not replace.
            return 0

    def close(self) -> None:
        self._handle.close()
        super().close()


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a byte order mark, told by the NUL that stands beside every plain character."""
    first, second = head[: len(head) // 2 * 2 : 2], head[1::2]
    for zeros, others, name in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if len(zeros) > 1 and 0 not in others and zeros.count(0) > 0.8 * len(zeros):
            return name
    return None


def _known(encoding: object) -> str:
    """Python's name of an encoding of text."""
    try:
        if not isinstance(encoding, str):
            raise LookupError
        found = codecs.lookup(encoding)
        if found.incrementaldecoder is None:
            raise LookupError
    except (LookupError, ValueError, OSError):
        raise _unknown(encoding) from None
    try:
        # Codecs that give no text say so only when they are used.
        b"ab".decode(encoding, "ignore")
    except UnicodeError:
        pass
    except (LookupError, ValueError, OSError):
        raise _unknown(encoding) from None
    return found.name


def _unknown(encoding: object) -> InputError:
    from difflib import get_close_matches
    from encodings.aliases import aliases

    names = {alias.replace("_", "-") for alias in (*aliases, *aliases.values())} | set(_COMMON)
    asked = encoding.lower().replace("_", "-") if isinstance(encoding, str) else ""
    # A codec that gives no text has the name that was asked for.
    near = get_close_matches(asked, sorted(names - {asked}), 1) if asked not in names else []
    advice = f"did you mean {near[0]!r}? Others are" if near else "it is one of Python's for text, such as"
    return wrong_option("encoding", encoding, f"{advice} {', '.join(map(repr, _COMMON))}")


def _cell(raw: bytes, at: int) -> bytes:
    """The bytes around a place up to what parts cells, whichever delimiter that is."""
    start = 1 + max(raw.rfind(mark, 0, at) for mark in map(bytes, zip(_BETWEEN_CELLS)))
    ends = [end for mark in map(bytes, zip(_BETWEEN_CELLS)) if (end := raw.find(mark, at)) >= 0]
    return raw[start : min(ends, default=len(raw))]
