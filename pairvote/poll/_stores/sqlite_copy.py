"""A copy of a poll's file, made while it is in use."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from pairvote._common.messages import shorten
from pairvote.errors import InputError, StorageError
from pairvote.poll._stores.sqlite_file import PROBLEMS, code_of, sync_folder

# Errors of which the poll and not the copy is the cause.
OF_THE_POLL = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_BUSY)


def copy_to_file(source: sqlite3.Connection, path: str | Path, name: str) -> None:
    """Copy what a connection sees, in the transaction that it is in, to a new file: whole or not at all."""
    if not isinstance(path, (str, Path)) or not str(path):
        raise InputError(f"path is {shorten(path)}; pass the path of a file")
    place = Path(os.path.abspath(path))
    if os.path.lexists(place):
        raise _there_already(path)
    temporary = place.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        os.close(descriptor)
        _copy(source, temporary)
        # No connection has the copy open, so it may be opened and closed without a loss of locks.
        descriptor = os.open(temporary, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _rename(temporary, place)
        sync_folder(str(place.parent))
    except FileExistsError:
        raise _there_already(path) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be made ({error.strerror}); choose another place") from error
    except sqlite3.Error as error:
        if code_of(error) in OF_THE_POLL:
            raise
        problem = PROBLEMS.get(code_of(error), "cannot be made; choose another place")
        raise StorageError(f"{path} {problem} (SQLite: {error}); nothing of it is left, and {name} is whole") from error
    finally:
        for suffix in ("", "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(f"{temporary}{suffix}")


def _copy(source: sqlite3.Connection, temporary: Path) -> None:
    with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
        # What is unfinished is thrown away, so it needs no journal.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        source.backup(copy)


def _rename(temporary: Path, place: Path) -> None:
    """Give a file its name unless there is one of that name."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links.
        if os.path.lexists(place):
            raise FileExistsError from None
        temporary.rename(place)


def _there_already(path: str | Path) -> InputError:
    return InputError(f"path is {str(path)!r}, which is there already; name a new file")
