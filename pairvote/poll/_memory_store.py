"""A log in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
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
        self._pending: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()
        # The thread that has begun, which alone may end what it began.
        self._owner: int | None = None

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log, as `EventStore.create`."""
        with self._lock:
            if self._events:
                raise InputError("store has a log already; go on with it by Poll.open(store), or pass another store")
            self._events += first

    def begin(self) -> None:
        """Keep others out, as `EventStore.begin`."""
        self._lock.acquire()
        self._owner = threading.get_ident()

    def events(self, after: int) -> list[tuple[Any, ...]]:
        """The events after one, as `EventStore.events`."""
        return self._events[after:] if len(self._events) > after else []

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, as `EventStore.append`."""
        self._pending += events

    def commit(self) -> None:
        """Make them last, as `EventStore.commit`."""
        self._events += self._pending
        self._end()

    def rollback(self) -> None:
        """Forget them, as `EventStore.rollback`."""
        if self._owner == threading.get_ident():
            self._end()

    def close(self) -> None:
        """Let go of nothing: there is nothing but memory."""

    def _end(self) -> None:
        self._pending.clear()
        self._owner = None
        self._lock.release()
