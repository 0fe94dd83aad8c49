"""CSV in blocks of whole rows, several of which are parsed at the same time.

A block ends at the last line end before which quotes are even in number. That is the end of a row where cells are
quoted by the book; anywhere else the csv module finds the ends of rows, so that blocks hold the rows of the whole file.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from itertools import islice
from typing import IO, Any

from pairvote._common.threads import n_usable
from pairvote.errors import InputError
from pairvote.io._csv_cells import ARROW_FROM_BYTES, by_part, each_row, header, is_plain, read_cells
from pairvote.io._file_format import Batch, Part, Reading, key_labels, with_keys
from pairvote.io._text import BOM, check_start, check_text, text_lines

# What pyarrow parses quickest: larger ones leave the processor's caches.
BLOCK_BYTES = 2**22
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?")


def scan(
    parts: Sequence[Part],
    reading: Reading,
    *,
    block_bytes: int = BLOCK_BYTES,
    arrow_from_bytes: int = ARROW_FROM_BYTES,
    n_threads: int | None = None,
) -> Iterator[Batch]:
    """The rows of the files, in order."""
    quickly = reading.n_bytes >= arrow_from_bytes
    jobs = (job for part in parts for job in _jobs(part, reading, block_bytes, quickly=quickly))
    return _ahead(jobs, n_usable() if n_threads is None else n_threads)


def check(part: Part, reading: Reading) -> None:
    """Refuse a file whose first row does not have the columns."""
    with part.open() as handle:
        _Layout(part, reading, _Cursor(handle, part, BLOCK_BYTES))


def _jobs(part: Part, reading: Reading, block_bytes: int, *, quickly: bool) -> Iterator[Callable[[], Batch]]:
    """Each block of a file, as a function that parses it."""
    with part.open() as handle:
        cursor = _Cursor(handle, part, block_bytes)
        layout = _Layout(part, reading, cursor)
        reading.agree(part.name, layout.found)
        while True:
            start = cursor.offset
            raw = cursor.plain_block() if quickly else None
            plain = raw is not None
            if raw is None:
                raw = cursor.block()
            if not raw:
                return
            yield partial(_Block(part, start, raw, layout).batch, quickly=plain)


def _ahead(jobs: Iterator[Callable[[], Batch]], n_threads: int) -> Iterator[Batch]:
    """What the jobs give, in order, while threads work on the jobs that come next."""
    from concurrent.futures import Future, ThreadPoolExecutor

    if n_threads == 1:
        for job in jobs:
            yield job()
        return
    pending: deque[Future[Batch]] = deque()
    failed: InputError | None = None
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            while True:
                try:
                    while failed is None and len(pending) <= n_threads:
                        pending.append(pool.submit(next(jobs)))
                except InputError as error:
                    # The rows before it come first.
                    failed = error
                except StopIteration:
                    break
                if not pending:
                    break
                yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
            if failed is not None:
                raise failed
        finally:
            for future in pending:
                future.cancel()


class _Layout:
    """What the header of a file says."""

    def __init__(self, part: Part, reading: Reading, cursor: _Cursor) -> None:
        raw = cursor.block(n_rows=1)
        check_text(raw, part.name)
        self.names = header(each_row(text_lines(raw, "", "utf-8"), part.name), part.name)
        self.found = reading.wanted.found_in(part.among(self.names), part.name)
        taken = reading.of_interest(self.found)
        self.in_file = {vote_part: name for vote_part, name in taken.items() if name not in part.keys}
        self.places = [self.names.index(name) for name in dict.fromkeys(self.in_file.values())]
        self.keys = key_labels(part, taken)


class _Block:
    """Whole rows of a file from `start` on."""

    def __init__(self, part: Part, start: int, raw: bytes, layout: _Layout) -> None:
        self.part, self.start, self.raw, self.layout = part, start, raw, layout

    @cached_property
    def _n_before(self) -> int:
        return self.part.lines_before(self.start)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        lines = text_lines(self.raw, "", "utf-8")
        return each_row(lines, self.part.name, len(self.layout.names), lambda: self._n_before)

    def locate(self, row: int) -> str:
        line, _ = next(islice(self.rows(), row, None))
        return f"line {self._n_before + line} of {self.part.name}"

    def batch(self, *, quickly: bool) -> Batch:
        layout = self.layout
        check_text(self.raw, self.part.name, self.start, lambda: self._n_before)
        # The first column says how many rows there are, should the names of folders say all that is wanted.
        places = layout.places or [0]
        cells = read_cells(self.raw, places, len(layout.names), self.rows, quickly=quickly)
        n_rows = len(cells[places[0]].codes)
        columns = with_keys(by_part(cells, layout.in_file, layout.names), layout.keys, n_rows)
        return Batch(columns, n_rows, self.locate, self.part.start + self.start + len(self.raw))


class _Cursor:
    """Position in an open file, always at the beginning of a row."""

    def __init__(self, handle: IO[bytes], part: Part, block_bytes: int) -> None:
        self._handle: Any = handle
        self._block_bytes = block_bytes
        # One buffer for the whole file: new memory for every block would cost as much as reading it.
        self._buffer, self._at, self._stop, self._ended = bytearray(), 0, 0, False
        self.offset = 0
        self._fill(max(block_bytes, 2**10))
        check_start(bytes(self._buffer[: self._stop]), part.name)
        if self._buffer.startswith(BOM):
            self._take(len(BOM))

    def plain_block(self) -> bytes | None:
        """A block of whole rows that are quoted by the book; None when the block at hand is not."""
        self._fill(self._block_bytes)
        at, stop = self._at, min(self._stop, self._at + self._block_bytes)
        is_last = self._ended and stop == self._stop
        end = stop if is_last else _row_end(self._buffer, at, stop)
        block = self._take(end - at)
        # Parsers take what looks like a byte order mark for one.
        if block and not block.startswith(BOM) and is_plain(block):
            return block
        self._at, self.offset = at, self.offset - len(block)
        return None

    def block(self, n_rows: int | None = None) -> bytes:
        """Whole rows as the csv module finds them: about a block, or the first `n_rows` that are not blank."""
        start, n_found = self.offset, 0
        lines: list[bytes] = []
        # Parsing the block will say, with its line, what is wrong with a row.
        with suppress(csv.Error):
            for row in csv.reader(self._lines_into(lines), strict=True):
                n_found += bool(row)
                if n_found == n_rows or (n_rows is None and self.offset - start >= self._block_bytes):
                    break
        return b"".join(lines)

    def _lines_into(self, lines: list[bytes]) -> Iterator[str]:
        while line := self._line():
            lines.append(line)
            yield line.decode("utf-8", "replace")

    def _line(self) -> bytes:
        end = self._line_end()
        while end == self._stop and not self._ended:
            self._fill(self._stop - self._at + max(self._block_bytes, 2**10))
            end = self._line_end()
        return self._take(end - self._at)

    def _line_end(self) -> int:
        match = _LINE.match(self._buffer, self._at, self._stop)
        return match.end() if match else self._at

    def _take(self, length: int) -> bytes:
        with memoryview(self._buffer) as view:
            taken = bytes(view[self._at : self._at + length])
        self._at += length
        self.offset += length
        return taken

    def _fill(self, length: int) -> None:
        """Read until `length` bytes are at hand or the file ends."""
        left = self._stop - self._at
        if left >= length or self._ended:
            return
        self._buffer[:left] = self._buffer[self._at : self._stop]
        self._buffer.extend(bytes(max(length - len(self._buffer), 0)))
        with memoryview(self._buffer) as view:
            n_read = self._handle.readinto(view[left:length])
        self._at, self._stop = 0, left + n_read
        self._ended = self._stop < length


def _row_end(buffer: bytearray, start: int, stop: int) -> int:
    """The last line end before which quotes are even in number; `start` if there is none."""
    end = max(buffer.rfind(b"\n", start, stop) + 1, start)
    # Finding that there is none is many times as fast as counting.
    odd = buffer.find(b'"', start, end) >= 0 and buffer.count(b'"', start, end) % 2
    while odd:
        before = max(buffer.rfind(b"\n", start, end - 1) + 1, start)
        odd ^= buffer.count(b'"', before, end) % 2
        end = before
    return end
