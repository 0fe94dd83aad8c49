"""A poll's file of SQLite: how it is opened, what may be in it, and what is said when something is wrong with it."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path

from pairvote._common.messages import listed
from pairvote.errors import StorageError
from pairvote.poll._events import FORMAT

# "pvot": tells a poll from other files of SQLite.
APPLICATION_ID = 0x70766F74
TABLES = {
    "events": """CREATE TABLE events (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, kind INTEGER NOT NULL, a, b, c, digest BLOB NOT NULL
)""",
    "records": "CREATE TABLE records (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID",
}
SETTINGS = (
    # `OpenFile.sync` does what FULL would do.
    "synchronous = NORMAL",
    "trusted_schema = OFF",
    "secure_delete = ON",
    # After a large transaction the write-ahead log is cut to so many bytes when it begins anew.
    "journal_size_limit = 16000000",
)
# What can go wrong with a file.
ERRORS = (sqlite3.Error, UnicodeDecodeError, OSError)
TOO_MANY_OPEN = (errno.EMFILE, errno.ENFILE)


class OpenFile:
    """A connection to a poll's file."""

    def __init__(self, path: str, name: str, *, checked: bool = True) -> None:
        self._process = os.getpid()
        self._path = path
        self._log: int | None = None
        self._is_folder_synced = False
        # Before it is opened, so that a file which is replaced in between is found to be another.
        self._file = _file_at(path)
        self.connection = sqlite3.connect(
            f"{Path(path).as_uri()}?mode=rw", uri=True, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        try:
            for setting in SETTINGS:
                self.connection.execute(f"PRAGMA {setting}")
            if checked:
                _check(self.connection, name)
        except BaseException:
            self.close()
            raise

    def is_in_place(self) -> bool:
        """Whether the file was neither deleted nor replaced since it was opened."""
        return self._file == _file_at(self._path)

    def is_written_in_place(self) -> bool:
        """Whether what is committed gets to where others find it: the file and its write-ahead log are in place."""
        return self.is_in_place() and os.fstat(self._log_descriptor()).st_nlink > 0

    def sync(self) -> None:
        """Wait until the disk has all that was committed: as durable as SQLite's ``synchronous = FULL``.

        SQLite's own sync holds the lock for writing. This one comes after it was given back, so that other processes
        go on meanwhile. What was committed with ``synchronous = NORMAL`` is in the write-ahead log, as the system sees
        it; a sync through any descriptor brings it to the disk. In between another process may have

        - committed more: that is brought along;
        - copied the log into the database (a checkpoint), which leaves the log as it is;
        - begun the log anew after that. It does so only when a checkpoint has copied all of it, and such a one syncs
          the database before it says so (``walCheckpoint`` in SQLite's wal.c: first the log, then the copying, then
          the database). So all was on the disk before a byte of the log was overwritten. The new log's header is
          synced before anything follows it (``sqlite3WalFrames``), also with NORMAL.

        The log is not deleted as long as this connection is open, and that there is one is kept by syncing the folder.
        """
        descriptor = self._log_descriptor()
        # macOS and Windows have no fdatasync.
        getattr(os, "fdatasync", os.fsync)(descriptor)
        if not self._is_folder_synced:
            sync_folder(os.path.dirname(os.path.realpath(self._path)))
            self._is_folder_synced = True

    def close(self) -> None:
        """Let go of it."""
        log, self._log = self._log, None
        if log is not None:
            os.close(log)
        if self._process != os.getpid():
            # A connection that was made before a fork is not to be used, nor even closed.
            _INHERITED.append(self.connection)
        else:
            with contextlib.suppress(sqlite3.Error):
                self.connection.close()

    def __del__(self) -> None:
        if hasattr(self, "connection"):
            self.close()

    def _log_descriptor(self) -> int:
        """The write-ahead log, which SQLite has made by the time that it has begun.

        SQLite has no locks on it. The database must never be opened and closed like this: its locks would be gone.
        """
        if self._log is None:
            self._log = os.open(f"{os.path.realpath(self._path)}-wal", os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        return self._log


def begin_tables(connection: sqlite3.Connection) -> None:
    """Make an empty poll's tables, in a transaction."""
    for schema in TABLES.values():
        connection.execute(schema)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def sync_folder(folder: str) -> None:
    """Make last which files are in a folder."""
    if os.name == "nt":
        return  # Windows opens no folder, and keeps this by itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def failure(error: Exception, name: str, path: str, busy_seconds: float) -> StorageError:
    """An error of SQLite or the system as one that says what to do."""
    if _has_too_many_open(error, path):
        return StorageError(
            f"{name} cannot be opened: this process has as many files open as it may; close polls that are not in use, "
            "or let it have more (ulimit -n)"
        )
    if isinstance(error, UnicodeDecodeError):
        return StorageError(f"{name} is damaged; restore the file from a copy ({error})")
    if isinstance(error, sqlite3.Error):
        code = code_of(error)
        if code == sqlite3.SQLITE_CANTOPEN and _is_missing(path):
            problem = "is not there; check the path, or begin a poll with Poll(..., store=)"
        else:
            problem = PROBLEMS.get(code, "cannot be used; look at what SQLite says")
            if isinstance(error, sqlite3.OperationalError) and "decode" in str(error):
                # Python's own error, without a code: text that is no UTF-8.
                problem = PROBLEMS[sqlite3.SQLITE_CORRUPT]
            problem = problem.format(seconds=busy_seconds)
        return StorageError(f"{name} {problem} (SQLite: {error})")
    if isinstance(error, PermissionError):
        return StorageError(f"{name} {PROBLEMS[sqlite3.SQLITE_READONLY]} ({error.strerror})")
    return StorageError(f"{name} {PROBLEMS[sqlite3.SQLITE_IOERR]} ({error})")


def _has_too_many_open(error: Exception, path: str) -> bool:
    """Whether no descriptor is left, which SQLite does not tell from other reasons."""
    if isinstance(error, OSError):
        return error.errno in TOO_MANY_OPEN
    if code_of(error) != sqlite3.SQLITE_CANTOPEN:
        return False
    try:
        # The folder, and never the file: whoever closes that loses SQLite's locks on it.
        os.close(os.open(os.path.dirname(path) or ".", os.O_RDONLY))
    except OSError as own:
        return own.errno in TOO_MANY_OPEN
    return False


def code_of(error: Exception) -> int:
    """The kind of an error of SQLite, without its variety; 0 where it is another one."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _check(connection: sqlite3.Connection, name: str) -> None:
    found, version = (connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("application_id", "user_version"))
    schema = connection.execute(
        # What ANALYZE leaves is let be.
        "SELECT type, name, sql FROM sqlite_master WHERE NOT (type = 'table' AND name GLOB 'sqlite_stat[14]') LIMIT 5"
    ).fetchall()
    if not found and not schema:
        raise StorageError(
            f"{name} has no events in it: they may be in a file {Path(name).name}-wal that was left where it was "
            "copied from, or the program ended while it began the poll; copy the two together, or begin a poll in "
            "another file with Poll(..., store=)"
        )
    if found != APPLICATION_ID:
        raise StorageError(f"{name} holds no poll; check the path, or begin a poll with Poll(..., store=)")
    if version != FORMAT:
        raise StorageError(
            f"{name} has format {version} and this pairvote knows {FORMAT}; open it with the one that wrote it"
        )
    ours = [("table", title, sql) for title, sql in TABLES.items()]
    # A trigger could drop an answer that was acknowledged, a view make up events without end.
    odd = [f"{kind} {title}" for kind, title, sql in schema if (kind, title, sql) not in ours]
    lacking = [title for kind, title, sql in ours if (kind, title, sql) not in schema]
    if odd:
        raise StorageError(
            f"{name} holds {listed(odd)}, which pairvote did not make; open a poll's own file, or restore it from a "
            "copy"
        )
    if lacking:
        raise StorageError(f"{name} has lost its table {listed(lacking)}; restore the file from a copy")


def _is_missing(path: str) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


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
_INHERITED: list[sqlite3.Connection] = []
