"""CSV in blocks of whole rows, several of which are parsed at the same time.

A block ends at the last line end before which quotes are even in number. That is the end of a row where cells are
quoted by the book; anywhere else the csv module finds the ends of rows, so that blocks hold the rows of the whole file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import IO, Any, NoReturn

from pairvote._common.threads import n_usable
from pairvote.errors import InputError
from pairvote.io._csv_cells import ARROW_FROM_BYTES, Rows, by_part, has_long_lines, is_plain
from pairvote.io._csv_rows import LONGEST_LINE, Dialect, Lines, each_row, pass_over
from pairvote.io._csv_table import SAMPLE_BYTES, Table, begin
from pairvote.io._encodings import BOM, count_lines, first_not_utf8
from pairvote.io._file_format import Batch, Part, Reading, key_labels, with_keys
from pairvote.io._text import check_start
from pairvote.votes._report import Report

# What pyarrow parses quickest: larger ones leave the processor's caches.
BLOCK_BYTES = 2**22
# A block's rows, and what was found to be wrong with those that were left out.
Job = Callable[[], tuple[Batch, Report]]


def scan(
    parts: Sequence[Part],
    reading: Reading,
    *,
    block_bytes: int = BLOCK_BYTES,
    arrow_from_bytes: int = ARROW_FROM_BYTES,
    n_threads: int | None = None,
    longest: int = LONGEST_LINE,
) -> Generator[Batch, None, None]:
    """The rows of the files, in order."""
    quickly = reading.n_bytes >= arrow_from_bytes
    jobs = (job for part in parts for job in _jobs(part, reading, block_bytes, longest, quickly=quickly))
    # Closed at once where a row is refused, so that no file stays open until the error is forgotten.
    with closing(jobs), closing(_ahead(jobs, n_usable() if n_threads is None else n_threads)) as found:
        for batch, report in found:
            _hand_on(report, reading.how.report)
            yield batch


def check(part: Part, reading: Reading) -> None:
    """Refuse a file whose first row does not have the columns."""
    with part.open_text(reading.how) as handle:
        _Layout(part, reading, _Cursor(handle, part.name, BLOCK_BYTES))


def _jobs(part: Part, reading: Reading, block_bytes: int, longest: int, *, quickly: bool) -> Iterator[Job]:
    """Each block of a file, as a function that parses it."""
    how = reading.how
    skips = how.report.skips
    with part.open_text(how) as handle:
        cursor = _Cursor(handle, part.name, block_bytes, longest)
        layout = _Layout(part, reading, cursor)
        reading.agree(part.name, layout.found)
        dialect = layout.table.dialect
        while True:
            start, n_above = cursor.position, cursor.number
            raw = cursor.plain_block(dialect, skips=skips) if quickly else None
            plain = raw is not None
            if raw is None:
                raw = cursor.block(dialect, skips=skips)
            elif skips:
                cursor.number += count_lines(raw)
            if not raw:
                return
            # Where rows are skipped, lines are counted on the way: to read the file anew for each would take too long.
            n_before = partial(int, n_above) if skips else partial(part.lines_before, start, how=how)
            rows = Rows(part.name, layout.table, raw, 0, n_before, start, longest)
            yield partial(layout.batch, rows, quickly=plain)


def _hand_on(found: Report, report: Report) -> None:
    """Tell of the rows that were skipped in a block, in the order of the blocks."""
    for problem in found.skipped:
        report.skip(1, problem)
    report.n_skipped += found.n_skipped - len(found.skipped)


def _ahead(jobs: Iterator[Job], n_threads: int) -> Generator[tuple[Batch, Report], None, None]:
    """What the jobs give, in order, while threads work on the jobs that come next."""
    from concurrent.futures import Future, ThreadPoolExecutor

    if n_threads == 1:
        for job in jobs:
            yield job()
        return
    pending: deque[Future[tuple[Batch, Report]]] = deque()
    failed: InputError | None = None
    pool = ThreadPoolExecutor(n_threads)
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
        # Not to be waited for: a loop that was left may be cleared up while another thread starts, which waits for it.
        pool.shutdown(wait=False, cancel_futures=True)


class _Layout:
    """What the header of a file says."""

    def __init__(self, part: Part, reading: Reading, cursor: _Cursor) -> None:
        self.part, self.how = part, reading.how
        self.table: Table = begin(cursor, cursor.head, part.name, reading.how, reading.wanted)
        names = self.table.names
        self.found = reading.wanted.found_in(part.among(names), part.name)
        taken = reading.of_interest(self.found)
        self.in_file = {vote_part: name for vote_part, name in taken.items() if name not in part.keys}
        self.places = [names.index(name) for name in dict.fromkeys(self.in_file.values())]
        self.keys = key_labels(part, taken)

    def batch(self, rows: Rows, *, quickly: bool) -> tuple[Batch, Report]:
        report = Report(bad_rows=self.how.report.bad_rows)
        # The first column says how many rows there are, should the names of folders say all that is wanted.
        places = self.places or [0]
        cells = rows.cells(places, quickly=quickly, report=report, n_threads=1)
        n_rows = len(cells[places[0]].codes)
        columns = by_part(cells, self.in_file, self.table.names, self.how.na)
        done = self.part.start + rows.offset + len(rows.raw)
        return Batch(with_keys(columns, self.keys, n_rows), n_rows, rows.locate, done), report


class _RefusedError(Exception):
    """A row is refused, at which a block ends."""


class _Cursor(Lines):
    """Position in an open text, always at the beginning of a row; what stands before the block at hand is let go."""

    _buffer: bytearray

    def __init__(self, handle: IO[bytes], file: str, block_bytes: int, longest: int = LONGEST_LINE) -> None:
        # One buffer for the whole file: new memory for every block would cost as much as reading it.
        super().__init__(bytearray(), longest=longest)
        self._handle: Any = handle
        self._file, self._block_bytes = file, block_bytes
        self._ended = False
        self._failed: InputError | None = None
        self._kept = 0
        self._fill(max(block_bytes, SAMPLE_BYTES))
        self.head = bytes(self._buffer[: min(self._stop, SAMPLE_BYTES)])
        check_start(self.head, file)
        if self.head.startswith(BOM):
            self.position = len(BOM)

    def plain_block(self, dialect: Dialect, *, skips: bool) -> bytes | None:
        """A block of whole rows that are quoted by the book; None when the block at hand is not.

        Where rows are skipped, all of it is text too: the rows below one that is not may begin at any line.
        """
        if self._failed is not None:
            return None
        self._kept = self.position
        self._fill(self._block_bytes)
        at = self.position - self._base
        stop = min(self._stop, at + self._block_bytes)
        is_last = self._ended and stop == self._stop
        end = stop if is_last else _row_end(self._buffer, at, stop)
        block = self._between(at, end)
        # Parsers take what looks like a byte order mark for one.
        if not block or block.startswith(BOM) or not is_plain(block, dialect):
            return None
        if skips and (has_long_lines(block, 0, self.longest) or b"\0" in block or first_not_utf8(block) >= 0):
            return None
        self.position += len(block)
        return block

    def block(self, dialect: Dialect, *, skips: bool) -> bytes:
        """Whole rows as the csv module finds them, about a block; a line that is too long is cut and ends the block."""
        if self._failed is not None:
            raise self._failed
        start = self._kept = self.position
        try:
            for _ in each_row(self, dialect, self._file, pass_over if skips else self._refuse):
                if self.position - start >= self._block_bytes:
                    break
        except _RefusedError:
            # Parsing the block will say why, and with the line in the whole file.
            pass
        raw = self._between(start - self._base, self.position - self._base)
        if self._is_cut:
            raw += b"\n"
            self._pass_rest()
        return raw

    def _refuse(self, error: InputError) -> NoReturn:
        self._failed = error
        raise _RefusedError

    def back_to(self, position: int, number: int) -> None:
        super().back_to(position, number)
        self._is_cut = False

    def pass_line(self) -> None:
        self._pass(self._line_end(self.longest))

    def _starts_with(self, mark: bytes) -> bool:
        while self._base + self._stop - self.position < len(mark) and self._more():
            pass
        return not self._is_cut and super()._starts_with(mark)

    def skip(self, n_lines: int) -> None:
        for _ in range(n_lines):
            self.pass_line()
            self._pass_rest()

    def _pass(self, end: int) -> None:
        cut = self.position + self.longest
        self._is_cut = end > cut
        super()._pass(min(end, cut))

    def _pass_rest(self) -> None:
        """Pass over what is left of a line that was cut."""
        while self._is_cut:
            self._kept = self.position
            number = self.number
            self._pass(self._line_end(self.longest))
            self.number = number

    def _between(self, start: int, stop: int) -> bytes:
        with memoryview(self._buffer) as view:
            return bytes(view[start:stop])

    def _more(self) -> bool:
        if self._ended:
            return False
        self._fill(self._base + self._stop - self._kept + max(self._block_bytes, 2**10))
        return True

    def _fill(self, length: int) -> None:
        """Read until `length` bytes from the beginning of the block on are at hand, or the text ends."""
        kept = self._kept - self._base
        left = self._stop - kept
        if left >= length or self._ended:
            return
        self._buffer[:left] = self._buffer[kept : self._stop]
        self._buffer.extend(bytes(max(length - len(self._buffer), 0)))
        with memoryview(self._buffer) as view:
            n_read = self._handle.readinto(view[left:length])
        self._base, self._stop = self._kept, left + n_read
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
