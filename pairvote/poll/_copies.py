"""A poll's log and what is beside it, copied into another store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from pairvote._common.messages import shorten
from pairvote.errors import InputError, StorageError
from pairvote.poll._events import Kind
from pairvote.poll._identities import LAST, record_name
from pairvote.poll._log import UNFINISHED
from pairvote.poll._stores.contract import EventStore
from pairvote.poll._stores.sqlite import SQLiteStore

# What is written at once.
N_EVENTS, N_RECORDS = 10_000, 1_000


def copy_log(source: EventStore, to: EventStore) -> bytes:
    """Begin a log with all events of another and the ids of its voters; the digest of the last event."""
    events = iter(source.events(0))
    last = next(events, None)
    if last is None:
        raise StorageError(f"{source.name} has no events to copy; begin the poll first")
    to.create([last])
    _write(to, [], {UNFINISHED: b""})
    forgets = True
    # Once more where a voter was forgotten meanwhile: the copy is to have what says so, and not the id.
    while forgets:
        for some in _parts(events, N_EVENTS):
            last = some[-1]
            _write(to, some, {})
        ids = dict(source.kept(record_name(0), record_name(LAST)))
        for records in _parts(ids.items(), N_RECORDS):
            _write(to, [], dict(records))
        since = list(source.events(last[0]))
        forgets = any(event[2] == Kind.VOTER_FORGOTTEN for event in since)
        if forgets:
            _write(to, [], dict.fromkeys(ids))
            events = iter(since)
    _write(to, [], {UNFINISHED: None})
    digest: bytes = last[6]
    return digest


def back_up(source: EventStore, path: str | Path) -> bytes:
    """A copy in a new file of SQLite, all of it or none; the digest of its last event."""
    _check_path(path)
    if os.path.lexists(path):
        raise InputError(f"path is {str(path)!r}, a file that is there already; name another file")
    for suffix in ("-wal", "-shm", "-journal"):
        # SQLite would read it together with the copy.
        if os.path.lexists(f"{path}{suffix}"):
            raise InputError(
                f"path is {str(path)!r}, and an earlier file of this name has left {path}{suffix}; remove that, or "
                "name another file"
            )
    if isinstance(source, SQLiteStore):
        return source.backup_to(path)
    partial = SQLiteStore(f"{path}.partial")
    try:
        digest = copy_log(source, partial)
        partial.close()
        os.rename(partial.name, path)
    except OSError as error:
        raise StorageError(f"{path} cannot be made ({error.strerror}); choose another place") from error
    finally:
        partial.close()
        with suppress(OSError):
            os.unlink(partial.name)
    return digest


def _check_path(path: Any) -> None:
    if not isinstance(path, (str, Path)) or not str(path):
        raise InputError(f"path is {shorten(path)}; pass the path of a file")
    try:
        is_name = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise InputError(f"path is {shorten(path)}, which no file can be called; pass another path")


def _write(to: EventStore, events: list[Any], records: dict[str, bytes | None]) -> None:
    try:
        to.begin()
        if events:
            to.append(events)
        if records:
            to.keep(records)
        to.commit()
    except BaseException:
        to.rollback()
        raise


def _parts(whole: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(whole)
    while part := list(islice(rest, size)):
        yield part
