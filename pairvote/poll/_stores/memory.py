"""A log in memory."""

from __future__ import annotations

import contextlib
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from pairvote.errors import InputError


class MemoryStore:
    """A log that ends with the process, as a `Poll` has it without a `store`.

    Several polls of one process may share it: `Poll.open` goes on with the log of another.

    Examples
    --------
    >>> import pairvote as pv
    >>> store = pv.poll.MemoryStore()
    >>> poll = pv.Poll(["ash", "birch"], store=store, rng=1)
    >>> question = poll.ask("anna")
    >>> pv.Poll.open(store).ask("anna") == question
    True
    """

    name = "the poll in memory"

    def __init__(self) -> None:
        self._events: list[tuple[Any, ...]] = []
        self._records: dict[str, bytes] = {}
        # The names of the records in order.
        self._names: list[str] = []
        # What was appended and kept since `begin`.
        self._pending: list[tuple[Any, ...]] = []
        self._changed: dict[str, bytes | None] = {}
        # Once that is committed: the number of events before, at which it belongs.
        self._committed_at: int | None = None
        # Of the thread that has begun. An RLock knows by itself whose it is, also when a signal comes right after it
        # was taken.
        self._lock = threading.RLock()
        # Of whoever looks at the records, or puts what is committed in its place.
        self._looking = threading.Lock()

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log, as `EventStore.create`."""
        with self._lock:
            if self._events:
                raise InputError("store has a log already; go on with it by Poll.open(store), or pass another store")
            self._events += first

    def begin(self) -> None:
        """Keep others out, as `EventStore.begin`."""
        self._lock.acquire()

    def events(self, after: int) -> list[tuple[Any, ...]]:
        """The events after one, as `EventStore.events`."""
        return self._events[after:] if len(self._events) > after else []

    def kept(self, first: str, last: str) -> list[tuple[str, bytes]]:
        """The records of some names, as `EventStore.kept`."""
        with self._looking:
            names = self._names[bisect_left(self._names, first) : bisect_right(self._names, last)]
            return [(name, self._records[name]) for name in names]

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, as `EventStore.append`."""
        self._pending += events

    def keep(self, records: Mapping[str, bytes | None]) -> None:
        """Write or delete records, as `EventStore.keep`."""
        self._changed.update(records)

    def commit(self) -> None:
        """Make it all last, as `EventStore.commit`."""
        if self._pending or self._changed:
            self._committed_at = len(self._events)
        self._end()

    def rollback(self) -> None:
        """Forget it, as `EventStore.rollback`."""
        # Free, or this thread's, who alone may end what it began.
        if self._lock.acquire(blocking=False):
            self._lock.release()
            self._end()

    def close(self) -> None:
        """Let go of nothing: there is nothing but memory."""

    def _end(self) -> None:
        if self._committed_at is not None:
            # A commit that a signal interrupts is done again from here, by `rollback`.
            if self._changed:
                with self._looking:
                    for name, content in self._changed.items():
                        self._put(name, content)
            self._events[self._committed_at :] = self._pending
        self._committed_at = None
        self._pending = []
        self._changed = {}
        with contextlib.suppress(RuntimeError):
            self._lock.release()

    def _put(self, name: str, content: bytes | None) -> None:
        place = bisect_left(self._names, name)
        is_there = self._names[place : place + 1] == [name]
        if content is not None:
            self._records[name] = content
            if not is_there:
                self._names.insert(place, name)
        elif is_there:
            del self._names[place]
            del self._records[name]
