"""A log in a file of SQLite."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pairvote._common.checks import is_number
from pairvote._common.messages import shorten
from pairvote.errors import InputError, StorageError
from pairvote.poll._stores.sqlite_copy import copy_to_file
from pairvote.poll._stores.sqlite_file import ERRORS, OpenFile, begin_tables, code_of, failure

T = TypeVar("T")
Durability = Literal["full", "fast"]
DURABILITIES = ("full", "fast")
# How often a call looks whether other processes have finished theirs, at first; it looks twice as often after it has
# waited for PATIENT_SECONDS, three times as often after twice that, and so on. So whoever has waited longest is the
# most likely to be next, rather than whoever had the lock and wants it again.
LOOK_AGAIN_SECONDS, PATIENT_SECONDS = 0.0005, 0.002
# How many events are read at once, and how many bytes of records stand in memory together.
PAGE_EVENTS, PAGE_BYTES = 10_000, 8_000_000
EVENTS = "SELECT number, time, kind, a, b, c, digest FROM events WHERE number > ? ORDER BY number"
RECORDS = "SELECT name, content FROM records WHERE name BETWEEN ? AND ? ORDER BY name"


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
            self._place = str(Path(path).absolute())
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
        # Whether a sync has failed, and what was committed before may not be on the disk.
        self._is_doubtful = False
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
            os.close(os.open(self._place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))
        except FileExistsError:
            raise InputError(
                f"store is {self.name!r}, a file that is there already; go on with the poll in it by "
                f"Poll.open({self.name!r}), or name another file"
            ) from None
        except OSError as error:
            raise StorageError(f"{self.name} cannot be made ({error.strerror}); choose another place") from error
        try:
            self._writing = made = OpenFile(self._place, self.name, checked=False)
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
                Path(f"{self._place}{suffix}").unlink(missing_ok=True)
            if isinstance(error, ERRORS):
                raise self._failure(error) from error
            raise

    def begin(self) -> None:
        """Keep others out, as `EventStore.begin`."""
        self._leave_inherited()
        try:
            while True:
                writing = self._writing
                if writing is None:
                    self._writing = writing = self._patiently(OpenFile, self._place, self.name)
                self._patiently(writing.connection.execute, "BEGIN IMMEDIATE").close()
                if writing.is_written_in_place():
                    break
                # What is open was deleted, or replaced, while this process had it or waited for others.
                self.close()
        except ERRORS as error:
            self._stop_writing()
            raise self._failure(error) from error
        self._writer = threading.get_ident()

    def events(self, after: int) -> Iterable[tuple[Any, ...]]:
        """The events after one, as `EventStore.events`: a list of some, or an iterator where there are many."""
        page = self._page(after)
        return page if len(page) < PAGE_EVENTS else self._pages(page)

    def kept(self, first: str, last: str) -> Iterable[tuple[str, bytes]]:
        """The records of some names, as `EventStore.kept`: a list, or an iterator where they are large."""
        with self._looking() as file:
            cursor = self._patiently(file.connection.execute, RECORDS, (first, last))
            rows, size = [], 0
            for row in cursor:
                if type(row[1]) is not bytes:
                    raise StorageError(f"{self.name} holds a record that is none; restore the file from a copy")
                rows.append(row)
                size += len(row[1])
                if size > PAGE_BYTES and file is self._reading:
                    # The connection is the iterator's from now on, so that all is read as it is at this moment.
                    self._reading = None
                    return self._rest(rows, cursor, file)
            return rows

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
        self.commit_lazily()
        # Also if nothing was appended: what the call has found there is to last as well, and may be another's that is
        # not synced yet, or one that was committed lazily.
        if self._is_durable:
            writing = self._begun()
            try:
                if self._is_doubtful:
                    self._expect_copied(writing)
                writing.sync()
                self._is_doubtful = False
            except ERRORS as error:
                self._is_doubtful = True
                self._stop_writing()
                raise self._failure(error) from error

    def commit_lazily(self) -> None:
        """Make it all last unless the machine crashes, as ``commit_lazily`` in `EventStore`."""
        writing = self._begun()
        try:
            writing.connection.execute("COMMIT")
            is_in_place = writing.is_written_in_place()
        except ERRORS as error:
            self._stop_writing()
            raise self._failure(error) from error
        self._writer = None
        if not is_in_place:
            raise StorageError(
                f"{self.name} was deleted or replaced during the call, which is not stored; put the poll's file "
                "back where it was and send the same call again"
            )

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

    def backup_to(self, path: str | Path) -> bytes:
        """Copy the poll as it is at this moment into a new file, while it is in use.

        Parameters
        ----------
        path : str or Path
            The file, which is there when all of it is on the disk, and not before.

        Returns
        -------
        bytes
            The digest of the last event in it.

        Raises
        ------
        InputError
            When there is a file already.
        StorageError
            When it cannot be written, or the poll cannot be read.

        Examples
        --------
        >>> import tempfile
        >>> import pairvote as pv
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = pv.poll.SQLiteStore(f"{folder}/poll.db")
        ...     with pv.Poll(["ash", "birch"], store=store, rng=1) as poll:
        ...         digest = store.backup_to(f"{folder}/copy.db")
        ...     digest.hex() == pv.Poll.open(f"{folder}/copy.db").verify()
        True
        """
        with self._alone() as file:
            file.connection.execute("BEGIN")
            # With the first look the moment is fixed.
            last = self._patiently(file.connection.execute, "SELECT max(number), digest FROM events").fetchone()
            copy_to_file(file.connection, path, self.name)
            return bytes(last[1] or b"")

    def purge(self) -> None:
        """Let no byte of deleted records be left in the file or beside it, by writing it anew.

        It takes about as long as copying the file, and others that want to write wait meanwhile.

        Raises
        ------
        StorageError
            When others were at it for `busy_seconds`: deleted records may be left until it is called again.

        Examples
        --------
        >>> import tempfile
        >>> import pairvote as pv
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = pv.poll.SQLiteStore(f"{folder}/poll.db")
        ...     with pv.Poll(["ash", "birch"], store=store, rng=1) as poll:
        ...         store.purge()
        """
        with self._alone() as file:
            patience = time.monotonic() + self._busy_seconds
            self._patiently(file.connection.execute, "VACUUM").close()
            while self._patiently(file.connection.execute, "PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if time.monotonic() > patience:
                    raise StorageError(
                        f"{self.name} was in use for {self._busy_seconds:g} seconds, so what was deleted may still be "
                        "read from the file beside it; send the same call again when less is going on"
                    )
                time.sleep(LOOK_AGAIN_SECONDS)

    # --- writing ---

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        try:
            self._begun().connection.executemany(statement, rows)
        except ERRORS as error:
            self._stop_writing()
            raise self._failure(error) from error

    def _begun(self) -> OpenFile:
        if self._writing is None:
            raise StorageError(f"{self.name} was not begun to be written to; call begin before")
        return self._writing

    def _expect_copied(self, writing: OpenFile) -> None:
        """Bring all to the disk after a sync has failed, which the system tells of once only.

        The next sync of the same bytes may succeed though they are not on the disk, so they are written elsewhere: into
        the database.
        """
        busy, n_there, n_copied = self._patiently(writing.connection.execute, "PRAGMA wal_checkpoint(FULL)").fetchone()
        if busy or n_there != n_copied:
            raise sqlite3.OperationalError("what could not be synced could not be copied into the database either")

    def _stop_writing(self) -> None:
        writing, self._writing, self._writer = self._writing, None, None
        if writing is not None:
            writing.close()

    # --- reading ---

    @contextlib.contextmanager
    def _looking(self) -> Iterator[OpenFile]:
        """The connection of this thread's transaction, or else the one for reading, which this thread has meanwhile."""
        self._leave_inherited()
        if self._writer == threading.get_ident():
            try:
                yield self._begun()
            except ERRORS as error:
                self._stop_writing()
                raise self._failure(error) from error
            return
        with self._reading_lock:
            try:
                if self._reading is not None and not self._reading.is_in_place():
                    self._stop_reading()
                if self._reading is None:
                    self._reading = self._patiently(OpenFile, self._place, self.name)
                yield self._reading
            except ERRORS as error:
                self._stop_reading()
                raise self._failure(error) from error

    def _page(self, after: int) -> list[tuple[Any, ...]]:
        with self._looking() as file:
            cursor = self._patiently(file.connection.execute, EVENTS, (after,))
            page = cursor.fetchmany(PAGE_EVENTS)
            cursor.close()
            return page

    def _pages(self, page: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """The events of a page and of all that follow."""
        while page:
            yield from page
            last = page[-1]
            # The last one again: it has the digest of all before, so what follows it belongs to the same log.
            page = self._page(last[0] - 1)
            if not page or page[0] != last:
                raise StorageError(
                    f"{self.name} was deleted or replaced while event {last[0]} was read; send the same call again"
                )
            del page[0]

    def _rest(
        self, rows: list[tuple[str, bytes]], cursor: sqlite3.Cursor, file: OpenFile
    ) -> Iterator[tuple[str, bytes]]:
        """Records that were read, and those that follow."""
        try:
            rows.reverse()
            while rows:
                yield rows.pop()
            yield from cursor
        except ERRORS as error:
            raise self._failure(error) from error
        finally:
            file.close()

    def _stop_reading(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    # --- both ---

    @contextlib.contextmanager
    def _alone(self) -> Iterator[OpenFile]:
        """A connection for what goes on beside the calls of other threads."""
        try:
            file = self._patiently(OpenFile, self._place, self.name)
            try:
                yield file
            finally:
                file.close()
        except ERRORS as error:
            raise self._failure(error) from error

    def _patiently(self, act: Callable[..., T], *arguments: Any) -> T:
        """Call something again until other processes let it, and return its result."""
        started: float | None = None
        while True:
            try:
                return act(*arguments)
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                started = now if started is None else started
                if code_of(error) != sqlite3.SQLITE_BUSY or now - started >= self._busy_seconds:
                    raise
            time.sleep(LOOK_AGAIN_SECONDS / (1 + (now - started) / PATIENT_SECONDS))

    def _failure(self, error: Exception) -> StorageError:
        return failure(error, self.name, self._place, self._busy_seconds)

    def _leave_inherited(self) -> None:
        """In a child process: nothing of the parent's is used, neither its connections nor a lock that it may hold."""
        if self._process != os.getpid():
            self._reading_lock = threading.Lock()
            self._stop_writing()
            self._stop_reading()
            self._process = os.getpid()
