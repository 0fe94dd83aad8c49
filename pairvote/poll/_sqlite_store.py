"""A log in a file of SQLite."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pairvote._common.checks import is_number
from pairvote._common.messages import shorten
from pairvote.errors import InputError, StorageError
from pairvote.poll._sqlite_file import ERRORS, OpenFile, begin_tables, code_of, failure

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Durability = Literal["full", "fast"]
# How often a call looks whether other processes have finished theirs.
LOOK_AGAIN_SECONDS = 0.0005
# How many events are read at once, and how many bytes of records.
PAGE_EVENTS, PAGE_BYTES = 10_000, 8_000_000
READ = "SELECT number, time, kind, a, b, c, digest FROM events WHERE number > ? ORDER BY number LIMIT ?"
KEPT = "SELECT name, content FROM records WHERE name BETWEEN ? AND ? ORDER BY name"
DURABILITIES = ("full", "fast")
_sync = getattr(os, "fdatasync", os.fsync)


class SQLiteStore:
    """A log in a file of SQLite, which several processes may add to.

    Parameters
    ----------
    path : str or Path
        The file. `Poll` begins it, `Poll.open` goes on with it.
    durability : "full" or "fast"
        "full", the default, waits until the disk has what is committed. "fast" does not: a crash of the program loses
        nothing, a crash of the machine may cost the last answers.
    busy_seconds : float, default 30
        How long a call waits for other processes to finish theirs.

    Raises
    ------
    InputError
        When a value cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pairvote as pv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = pv.poll.SQLiteStore(Path(folder) / "poll.db", durability="fast")
    ...     with pv.Poll(["ash", "birch"], store=store, rng=1) as poll:
    ...         poll.ask("anna")
    Question(id=2, left='ash', right='birch', number=1)
    """

    def __init__(self, path: str | Path, durability: Durability = "full", *, busy_seconds: float = 30.0) -> None:
        if not isinstance(path, (str, Path)) or not str(path):
            raise InputError(f"store is {shorten(path)}; pass the path of a file")
        if not isinstance(durability, str) or durability not in DURABILITIES:
            raise InputError(f"durability is {shorten(durability)}; use 'full' or 'fast'")
        if not is_number(busy_seconds) or not 0 <= busy_seconds < math.inf:
            raise InputError(f"busy_seconds is {shorten(busy_seconds)}; pass a finite number of seconds from 0")
        self.name = str(path)
        try:
            os.fsencode(path)
            # Whole, so that a later change of directory does not lead to another file.
            self._path = Path(path).absolute()
        except UnicodeEncodeError:
            raise InputError(f"store is {shorten(self.name)}, which no file can be called; pass another path") from None
        except OSError as error:
            raise StorageError(
                f"{self.name} has no place: the working directory is gone ({error.strerror}); pass a whole path"
            ) from error
        if "\0" in self.name:
            raise InputError(f"store is {shorten(self.name)}, which no file can be called; pass another path")
        self._is_durable = durability == "full"
        self._busy_seconds = float(busy_seconds)
        self._process = os.getpid()
        # One connection for the thread that has begun, and one for all others, who have it one after the other.
        self._writing: OpenFile | None = None
        self._writer: int | None = None
        self._reading: OpenFile | None = None
        self._reading_lock = threading.Lock()

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log in a file that is not there yet.

        Raises
        ------
        InputError
            When there is a file already.
        StorageError
            When it cannot be written.
        """
        self._leave_inherited()
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))
        except FileExistsError:
            raise InputError(
                f"store is {self.name!r}, a file that is there already; go on with the poll in it by "
                f"Poll.open({self.name!r}), or name another file"
            ) from None
        except OSError as error:
            raise StorageError(f"{self.name} cannot be made ({error.strerror}); choose another place") from error
        try:
            self._writing = made = OpenFile(self._path, self.name, checked=False)
            if made.connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise StorageError(
                    f"{self.name} is where SQLite can keep no write-ahead log; choose a directory on a local disk"
                )
            made.connection.execute("BEGIN IMMEDIATE")
            begin_tables(made.connection)
            self.append(first)
            self.commit()
        except BaseException as error:
            self.close()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            if isinstance(error, ERRORS):
                raise self._failure(error) from error
            raise

    def begin(self) -> None:
        """Keep others out, as `EventStore.begin`."""
        self._leave_inherited()
        patience = time.monotonic() + self._busy_seconds
        try:
            while True:
                writing = self._writing
                if writing is None:
                    self._writing = writing = OpenFile(self._path, self.name)
                self._patiently(writing, "BEGIN IMMEDIATE", (), patience)
                if writing.is_at_its_path():
                    break
                # What is open was deleted, or replaced, while this process had it or waited for others.
                self._stop_writing()
        except ERRORS as error:
            self._stop_writing()
            raise self._failure(error) from error
        self._writer = threading.get_ident()

    def events(self, after: int) -> Iterable[tuple[Any, ...]]:
        """The events after one, as `EventStore.events`: a list of some, or an iterator where there are many."""
        page = self._rows(READ, (after, PAGE_EVENTS))
        return page if len(page) < PAGE_EVENTS else self._pages(page)

    def kept(self, first: str, last: str) -> Iterable[tuple[str, bytes]]:
        """The records of some names, as `EventStore.kept`."""
        return self._rows(KEPT, (first, last))

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, as `EventStore.append`."""
        self._write("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", events)

    def keep(self, records: Mapping[str, bytes | None]) -> None:
        """Write or delete records, as `EventStore.keep`."""
        deleted = [(name,) for name, content in records.items() if content is None]
        if deleted:
            self._write("DELETE FROM records WHERE name = ?", deleted)
        self._write("REPLACE INTO records VALUES (?, ?)", [each for each in records.items() if each[1] is not None])

    def commit(self) -> None:
        """Make it all last, as `EventStore.commit`."""
        writing = self._commit()
        if self._is_durable:
            try:
                _sync(writing.log)
            except OSError as error:
                raise self._failure(error) from error
        self._expect_in_place(writing)

    def commit_lazily(self) -> None:
        """As `commit`, except that a crash of the machine may cost it."""
        self._expect_in_place(self._commit())

    def rollback(self) -> None:
        """Forget it, as `EventStore.rollback`: closing does it, and after a failure a new connection is safer."""
        self._leave_inherited()
        self._stop_writing()

    def close(self) -> None:
        """Let go of the file, as `EventStore.close`."""
        self._leave_inherited()
        self._stop_writing()
        with self._reading_lock:
            self._stop_reading()

    def __del__(self) -> None:
        for each in (getattr(self, "_writing", None), getattr(self, "_reading", None)):
            if each is not None:
                each.close()

    # --- writing ---

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            self._begun().connection.executemany(statement, rows)
        except ERRORS as error:
            self._stop_writing()
            raise self._failure(error) from error

    def _commit(self) -> OpenFile:
        writing = self._begun()
        try:
            writing.connection.execute("COMMIT")
        except ERRORS as error:
            self._stop_writing()
            raise self._failure(error) from error
        self._writer = None
        return writing

    def _begun(self) -> OpenFile:
        if self._writing is None:
            raise StorageError(f"{self.name} was not begun to be written to; call begin before")
        return self._writing

    def _expect_in_place(self, writing: OpenFile) -> None:
        if not writing.is_at_its_path():
            raise StorageError(
                f"{self.name} was deleted or replaced during the call, which is not stored; put the poll's file "
                "back where it was and send the same call again"
            )

    def _stop_writing(self) -> None:
        writing, self._writing, self._writer = self._writing, None, None
        if writing is not None:
            writing.close()

    # --- reading ---

    def _rows(self, statement: str, arguments: tuple[Any, ...]) -> list[Any]:
        """All rows of a statement, in the transaction of this thread or else outside of any."""
        self._leave_inherited()
        if self._writer == threading.get_ident():
            try:
                return self._begun().connection.execute(statement, arguments).fetchall()
            except ERRORS as error:
                self._stop_writing()
                raise self._failure(error) from error
        patience = time.monotonic() + self._busy_seconds
        with self._reading_lock:
            try:
                if self._reading is not None and not self._reading.is_at_its_path():
                    self._stop_reading()
                if self._reading is None:
                    self._reading = OpenFile(self._path, self.name)
                return self._patiently(self._reading, statement, arguments, patience)
            except ERRORS as error:
                self._stop_reading()
                raise self._failure(error) from error

    def _pages(self, page: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """The events of a page and of all that follow."""
        while page:
            yield from page
            last = page[-1]
            # The last one again: it has the digest of all before, so what follows it belongs to the same log.
            page = self._rows(READ, (last[0] - 1, PAGE_EVENTS))
            if not page or page[0] != last:
                raise StorageError(
                    f"{self.name} was deleted or replaced while event {last[0]} was read; send the same call again"
                )
            del page[0]

    def _stop_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    # --- both ---

    def _patiently(self, file: OpenFile, statement: str, arguments: tuple[Any, ...], patience: float) -> list[Any]:
        """All rows of a statement, after waiting for other processes where need be."""
        while True:
            try:
                return file.connection.execute(statement, arguments).fetchall()
            except sqlite3.OperationalError as error:
                if code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                    raise
            time.sleep(LOOK_AGAIN_SECONDS)

    def _failure(self, error: Exception) -> StorageError:
        return failure(error, self.name, self._path, self._busy_seconds)

    def _leave_inherited(self) -> None:
        """In a child process: nothing of the parent's is used, neither its connections nor a lock that it may hold."""
        if self._process != os.getpid():
            self._reading_lock = threading.Lock()
            self._stop_writing()
            self._stop_reading()
            self._process = os.getpid()
