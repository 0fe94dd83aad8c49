"""Records of JSON in blocks: from lines of objects, or from a document that is parsed value by value as it is read."""

from __future__ import annotations

import json
import math
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.io._how import How
from pairvote.io._text import check_start, check_text

Record = dict[str, Any]
# The line on which a record stands, and its number among those of a document; 0 where a message leaves it out.
Place = tuple[int, int]
BLOCK_BYTES = 2**22
LOOKS_LIKE_THIS = '{"left": "ash", "right": "birch", "outcome": "tie"}'
# What no file has, so that a line which ends within an object, and goes on in the next one, is noticed.
_BETWEEN = secrets.token_hex(8)
_BLANK = re.compile(r"[ \t\n\r]*")
# No literal or escape is longer, so an error this near to the end may be of what is yet to be read.
_NEAR_THE_END = 16
# Enough to tell what a file is.
_FIRST_BYTES = 2**10
# So many blanks are passed over in one go at most.
_MOST_BLANKS = 2**18


@dataclass(frozen=True)
class Block:
    """Some records of a file, with their places; `done` bytes of it have been read."""

    records: list[Record]
    places: list[Place]
    done: int


class Doubled(dict[str, Any]):
    """An object that has a key more than once."""

    twice: str = ""


def _object(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    names = [name for name, _ in pairs]
    doubled = Doubled(record)
    doubled.twice = next(name for name in names if names.count(name) > 1)
    return doubled


def _constant(name: str) -> float:
    """What programs write for numbers that JSON does not have."""
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[name]


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def spelt(place: Place, file: str) -> str:
    """A record's place in the words of a message."""
    line, number = place
    if not number:
        return f"line {line} of {file}"
    return f"record {number} (line {line}) of {file}" if line else f"record {number} of {file}"


def line_blocks(
    handle: IO[bytes], file: str, how: How, records_of: Callable[[Record], list[Record]], n_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """The objects of a file that has one on each line; blank lines are passed over."""
    n_lines, done = 0, 0
    while lines := handle.readlines(n_bytes):
        raw = b"".join(lines)
        block = Block([], [], done + len(raw))
        if not done:
            check_start(raw, file)
        above = n_lines
        check_text(raw, file, done, lambda above=above: above)  # type: ignore[misc]
        texts = raw.decode("utf-8" if above else "utf-8-sig").split("\n")
        places = [(line, 0) for line, text in enumerate(texts, above + 1) if text and not text.isspace()]
        filled = [text for text in texts if text and not text.isspace()]
        records = _at_once(filled)
        if records is not None:
            block.records.extend(records)
            block.places.extend(places)
        else:
            for text, place in zip(filled, places, strict=True):
                _keep(_of_line(text, spelt(place, file)), place, file, how, block)
        n_lines += len(lines)
        done = block.done
        yield block
    if not done:
        check_start(b"", file)


def _at_once(texts: Sequence[str]) -> list[Record] | None:
    """The objects of lines, parsed as one array, which is quicker; None where some line is not just an object."""
    try:
        values = DECODER.decode("[" + f',"{_BETWEEN}",'.join(texts) + "]")
    except (ValueError, RecursionError):
        return None
    records = values[::2]
    whole = len(values) == 2 * len(texts) - 1 and values[1::2] == [_BETWEEN] * (len(texts) - 1)
    return records if whole and set(map(type, records)) == {dict} else None


def _of_line(text: str, where: str) -> Callable[[], Any]:
    def decode() -> Any:
        try:
            return DECODER.decode(text)
        except json.JSONDecodeError as error:
            problem = f"{where} is not JSON ({error.msg} at character {error.colno})"
            raise InputError(problem, where=where, remedy="write one whole object a line") from None
        except RecursionError:
            raise _too_deep(where) from None
        except ValueError as error:
            raise _unreadable(where, error) from None

    return decode


def _keep(value: Callable[[], Any], place: Place, file: str, how: How, block: Block) -> None:
    """Put a record in the block, or refuse it."""
    try:
        record = value()
        if type(record) is not dict:
            raise _no_record(record, spelt(place, file))
    except InputError as error:
        how.report.refuse(error)
    else:
        block.records.append(record)
        block.places.append(place)


def _no_record(value: Any, where: str) -> InputError:
    """The error for what is no object, or has a key twice."""
    if isinstance(value, Doubled):
        problem = f"{where} has the key {shorten(value.twice)} more than once"
        return InputError(problem, value=value.twice, where=where, remedy="rename or remove one of the two")
    remedy = f"write one object for each vote, such as {LOOKS_LIKE_THIS}"
    return InputError(f"{where} is {shorten(value)}", value=value, where=where, remedy=remedy)


def _too_deep(where: str) -> InputError:
    return InputError(f"{where} is nested too deeply", where=where, remedy="write one flat object for each vote")


def _unreadable(where: str, error: Exception) -> InputError:
    if "digits" in str(error):
        problem = f"{where} has a whole number of more than {sys.get_int_max_str_digits():,} digits"
        return InputError(problem, where=where, remedy="write it as text")
    return InputError(f"{where} cannot be read ({error})", where=where, remedy="mend it or remove it")


class _Values:
    """Whole values of JSON, one after the other, from a file of which no more than a block and a value is held."""

    def __init__(self, handle: IO[bytes], file: str, n_bytes: int) -> None:
        self._handle, self._file, self._n_bytes = handle, file, max(n_bytes, 1)
        self._text, self._at, self._ended = "", 0, False
        self._cut = b""
        # Where the text at hand begins: its line, and the characters of that line before it.
        self._line, self._column = 1, 0
        # The line of a place in the text, counted on from the last one that was asked for.
        self._counted, self._at_line = 0, 1
        self.done = 0

    def peek(self) -> str:
        """The next character that is not blank; empty at the end of the file."""
        least = 1
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            # More and more, so that blanks without end are passed over quickly.
            self._fill(least)
            least = min(2 * least, _MOST_BLANKS)

    def take(self) -> None:
        """Pass over the character that `peek` gave."""
        self._at += 1

    def line(self) -> int:
        """The line of what comes next."""
        self._at_line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._at_line

    def value(self) -> Any:
        """The value that comes next; InputError when it is none."""
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._ended and (
                    error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _NEAR_THE_END
                ):
                    self._fill()
                    continue
                raise self.wrong(error.msg, error.pos) from None
            except RecursionError:
                raise _too_deep(f"what begins at line {self.line()} of {self._file}") from None
            except ValueError as error:
                raise _unreadable(f"what begins at line {self.line()} of {self._file}", error) from None
            if end == len(self._text) and not self._ended:
                # A number may go on.
                self._fill()
                continue
            self._at = end
            return value

    def wrong(self, reason: str, at: int | None = None) -> InputError:
        """The error for text that is not JSON."""
        at = self._at if at is None else at
        line = self._line + self._text.count("\n", 0, at)
        newline = self._text.rfind("\n", 0, at)
        column = at - newline if newline >= 0 else self._column + at + 1
        where = f"line {line} of {self._file}"
        remedy = "check that it is JSON and was written to its end"
        return InputError(f"{where} is not JSON ({reason} at character {column})", where=where, remedy=remedy)

    def _fill(self, least: int = 0) -> None:
        """Read on; as much as there is, so that a long value is not parsed often, or the `least` if that is more."""
        self.line()
        left = self._text[self._at :]
        passed = self._text[: self._at]
        newline = passed.rfind("\n")
        self._column = len(passed) - newline - 1 if newline >= 0 else self._column + len(passed)
        self._line = self._at_line
        raw = self._handle.read(max(self._n_bytes, len(left), least, 0 if self.done else _FIRST_BYTES))
        if not self.done:
            check_start(raw, self._file)
        self._ended = not raw
        raw = self._cut + raw
        whole = len(raw) if self._ended else _whole_characters(raw)
        n_above = self._line - 1 + left.count("\n")
        check_text(raw[:whole], self._file, self.done - len(self._cut), lambda: n_above)
        text = raw[:whole].decode()
        if not self.done and text.startswith("\ufeff"):
            text = text[1:]
        self.done += len(raw) - len(self._cut)
        self._cut = raw[whole:]
        self._text, self._at, self._counted = left + text, 0, 0


def _whole_characters(raw: bytes) -> int:
    """Number of bytes before a character that was cut off."""
    for back in range(1, min(4, len(raw)) + 1):
        byte = raw[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(raw) - back if needed > back else len(raw)
        if byte < 0x80:
            break
    return len(raw)


def document_blocks(
    handle: IO[bytes],
    file: str,
    how: How,
    records_of: Callable[[Record], list[Record]],
    n_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """The records of a document: the entries of its arrays, or objects that stand one after the other.

    `records_of` gives those of an object that is all that there is.
    """
    values = _Values(handle, file, n_bytes)
    records = _Numbered(file, how)
    start, alone = 0, True
    while mark := values.peek():
        if mark == "[":
            for line, value in _entries(values):
                records.add(value, line)
                if values.done - start > n_bytes:
                    yield records.block(values.done)
                    start = values.done
            records.end()
        else:
            line = values.line()
            value = values.value()
            if alone and type(value) is dict and not values.peek():
                for record in records_of(value):
                    records.add(record, 0)
            else:
                records.add(value, line)
        alone = False
        if values.done - start > n_bytes:
            yield records.block(values.done)
            start = values.done
    yield records.block(values.done)


def _entries(values: _Values) -> Iterator[tuple[int, Any]]:
    """The entries of the array that comes next, with their lines."""
    values.take()
    if values.peek() != "]":
        while True:
            values.peek()
            line = values.line()
            yield line, values.value()
            mark = values.peek()
            if mark == "]":
                break
            if mark != ",":
                raise values.wrong("a comma or the end of the array was expected")
            values.take()
    values.take()


class _Numbered:
    """Records with their numbers, and rows that are arrays made into records."""

    def __init__(self, file: str, how: How) -> None:
        self._file, self._how = file, how
        self._number = 0
        self._names: list[str] | None = None
        self._block = Block([], [], 0)

    def add(self, value: Any, line: int) -> None:
        """Take in an entry of an array; the first row names the columns if rows are arrays."""
        if isinstance(value, list) and self._names is None:
            self._names = row_names(value, self._how, f"line {line} of {self._file}")
            if self._how.header:
                return
        self._number += 1
        place = (line, self._number)
        _keep(lambda: self._record(value, place), place, self._file, self._how, self._block)

    def _record(self, value: Any, place: Place) -> Any:
        return named(value, self._names, spelt(place, self._file)) if isinstance(value, list) and self._names else value

    def end(self) -> None:
        """The array is at its end."""
        self._names = None

    def block(self, done: int) -> Block:
        """The records since the last block."""
        block = Block(self._block.records, self._block.places, done)
        self._block = Block([], [], 0)
        return block


def row_names(first: Sequence[Any], how: How, where: str) -> list[str]:
    """The names of the columns, by the first of the rows."""
    if not how.header:
        return [str(place) for place in range(1, len(first) + 1)]
    if not all(isinstance(name, str) for name in first) or len(set(first)) < len(first):
        raise InputError(
            f"{where} begins with {shorten(list(first))}, which does not name the columns",
            where=where,
            option="header",
            remedy="give each column a name of its own there, or pass header=False",
        )
    return list(first)


def named(row: Sequence[Any], names: list[str], where: str) -> Record:
    """A row as a record."""
    if len(row) != len(names):
        raise InputError(
            f"{where} has {len(row)} cells and the first row has {len(names)}",
            where=where,
            remedy=f"give it one for each of {listed(names)}",
        )
    return dict(zip(names, row, strict=True))
