"""A log in a file of SQLite."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pairvote._common.checks import is_number
from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError, StorageError
from pairvote.poll._events import FORMAT

Durability = Literal["full", "fast"]
SYNCHRONOUS = {"full": "FULL", "fast": "NORMAL"}
# "pvot": tells a poll from other files of SQLite.
APPLICATION_ID = 0x70766F74
# How often a call looks whether other processes have finished theirs. SQLite itself waits in steps of up to 0.1 s, so
# that a process which calls without a pause would keep the others out for seconds.
LOOK_AGAIN_SECONDS = 0.0005
SCHEMA = """CREATE TABLE events (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, kind INTEGER NOT NULL, a, b, c, digest BLOB NOT NULL
)"""


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
        if not isinstance(durability, str) or durability not in SYNCHRONOUS:
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
        self._synchronous = SYNCHRONOUS[durability]
        self._busy_seconds = float(busy_seconds)
        self._open: sqlite3.Connection | None = None
        # Which file is open: its device and its number there.
        self._file: tuple[int, int] | None = None
        self._process = os.getpid()

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log in a file that is not there yet.

        Raises
        ------
        InputError
            When there is a file already.
        StorageError
            When it cannot be written.
        """
        with self._translated():
            try:
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))
            except FileExistsError:
                raise InputError(
                    f"store is {self.name!r}, a file that is there already; go on with the poll in it by "
                    f"Poll.open({self.name!r}), or name another file"
                ) from None
            try:
                self._open = connection = self._connect()
                if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                    raise StorageError(
                        f"{self.name} is where SQLite can keep no write-ahead log; choose a directory on a local disk"
                    )
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(SCHEMA)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                self.append(first)
                self.commit()
            except BaseException:
                self.close()
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                raise

    def begin(self) -> None:
        """Keep others out, as `EventStore.begin`."""
        with self._translated():
            self._execute("BEGIN IMMEDIATE")
            if self._file != self._file_at_path():
                # What is open was deleted, or replaced, while this process had it or waited for others.
                self.close()
                self._execute("BEGIN IMMEDIATE")

    def events(self, after: int) -> Sequence[tuple[Any, ...]]:
        """The events after one, as `EventStore.events`."""
        with self._translated():
            if self._open is not None and not self._open.in_transaction and self._file != self._file_at_path():
                self.close()
            return self._execute(
                "SELECT number, time, kind, a, b, c, digest FROM events WHERE number > ? ORDER BY number", (after,)
            )

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, as `EventStore.append`."""
        with self._translated():
            self._connection().executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", events)

    def commit(self) -> None:
        """Make them last, as `EventStore.commit`."""
        with self._translated():
            self._execute("COMMIT")
            if self._file != self._file_at_path():
                raise StorageError(
                    f"{self.name} was deleted or replaced during the call, which is not stored; put the poll's file "
                    "back where it was and send the same call again"
                )

    def rollback(self) -> None:
        """Forget them, as `EventStore.rollback`: closing does it, and after a failure a new connection is safer."""
        self.close()

    def close(self) -> None:
        """Let go of the file, as `EventStore.close`."""
        connection, self._open = self._open, None
        if self._process != os.getpid():
            # A connection that was made before a fork is not to be used, nor even closed.
            _INHERITED.append(connection)
            self._process = os.getpid()
        elif connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def __del__(self) -> None:
        if getattr(self, "_open", None) is not None:
            self.close()

    def _execute(self, statement: str, arguments: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement, after waiting for other processes where need be."""
        patience = time.monotonic() + self._busy_seconds
        while True:
            try:
                return self._connection().execute(statement, arguments).fetchall()
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > patience:
                    raise
            time.sleep(LOOK_AGAIN_SECONDS)

    def _connection(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            self.close()
        if self._open is None:
            connection = self._connect()
            try:
                self._check(connection)
            except BaseException:
                connection.close()
                raise
            self._open = connection
        return self._open

    def _file_at_path(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        # Before opening, so that a file which is replaced in between is found to be another.
        self._file = self._file_at_path()
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=0.0,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA trusted_schema = OFF")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        found, version = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        schema = connection.execute(
            # What ANALYZE leaves is let be.
            "SELECT type, name, sql FROM sqlite_master WHERE NOT (type = 'table' AND name GLOB 'sqlite_stat[14]')"
        ).fetchmany(3)
        if not found and not schema:
            raise StorageError(
                f"{self.name} has no events in it: they may be in a file {self._path.name}-wal that was left where it "
                "was copied from, or the program ended while it began the poll; copy the two together, or begin a poll "
                "in another file with Poll(..., store=)"
            )
        if found != APPLICATION_ID:
            raise StorageError(f"{self.name} holds no poll; check the path, or begin a poll with Poll(..., store=)")
        if version != FORMAT:
            raise StorageError(
                f"{self.name} has format {version} and this pairvote knows {FORMAT}; open it with the one that wrote it"
            )
        if schema != [("table", "events", SCHEMA)]:
            # A trigger could drop an answer that was acknowledged, a view make up events without end.
            odd = [
                f"{kind} {title}" for kind, title, sql in schema if (kind, title, sql) != ("table", "events", SCHEMA)
            ]
            raise StorageError(
                f"{self.name} holds {listed(odd) if odd else 'no table of events'}, which pairvote did not make; open "
                "a poll's own file, or restore it from a copy"
            )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors as a StorageError that says what to do. After one the connection is closed."""
        try:
            yield
        except sqlite3.Error as error:
            self.close()
            code = _code(error)
            if code == sqlite3.SQLITE_CANTOPEN and self._is_missing():
                problem = "is not there; check the path, or begin a poll with Poll(..., store=)"
            else:
                problem = PROBLEMS.get(code, "cannot be used; look at what SQLite says")
                if isinstance(error, sqlite3.OperationalError) and "decode" in str(error):
                    # Python's own error, without a code: text that is no UTF-8.
                    problem = PROBLEMS[sqlite3.SQLITE_CORRUPT]
                problem = problem.format(seconds=self._busy_seconds)
            raise StorageError(f"{self.name} {problem} (SQLite: {error})") from error
        except UnicodeDecodeError as error:
            self.close()
            raise StorageError(f"{self.name} is damaged; restore the file from a copy ({error})") from error
        except OSError as error:
            raise StorageError(f"{self.name} cannot be made ({error.strerror}); choose another place") from error

    def _is_missing(self) -> bool:
        try:
            os.stat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False


def _code(error: sqlite3.Error) -> int:
    """The kind of an error, without its variety; 0 where it is one of Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


# What SQLite's codes mean here, and what to do.
PROBLEMS = {
    sqlite3.SQLITE_BUSY: "was locked by another process for {seconds:g} seconds; end the one that holds it and "
    "send the same call again",
    sqlite3.SQLITE_READONLY: "may only be read; make the file and its directory writable to go on voting",
    sqlite3.SQLITE_FULL: "has no room to grow: the disk is full; make room and send the same call again",
    sqlite3.SQLITE_IOERR: "could not be read or written: the disk may be full or failing; make room, or restore the "
    "file from a copy, and send the same call again",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; make the file and its directory readable and writable",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore the file from a copy",
    sqlite3.SQLITE_NOTADB: "is not a file of SQLite, or its beginning is damaged; check the path, or restore a copy",
    sqlite3.SQLITE_ERROR: "holds no log that can be read; restore the file from a copy",
}
_INHERITED: list[sqlite3.Connection | None] = []
