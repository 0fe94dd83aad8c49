"""Where a poll's log is kept: what every store must do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError

METHODS = ("create", "begin", "events", "append", "commit", "rollback", "close")


class EventStore(Protocol):
    """A log of events that is only ever added to: write these eight names for a store of your own.

    An event is a tuple of seven values: number (int, 1 for the first and one more for each that follows), time (float,
    seconds), kind (int), a, b, c (each str, int of 64 bits with its sign, or None) and digest (32 bytes). Every value
    must come back as it was, type included: the text "1" is not the number 1, and a time is the same to the last bit.

    A poll calls a store from any thread, and from one at a time: the poll has a lock of its own. Other polls, in this
    process or another, may have stores on the same log; each is an opener. What every store promises:

    - `begin` keeps all other openers from beginning until `commit` or `rollback`. It waits for them, or raises.
    - `events` gives what was committed, by any opener, and nothing that was not.
    - When `commit` returns, all that was appended since `begin` is in the log, for every opener and for good. When it
      raises, all of it is there or none: the poll rolls back and reads again.
    - What goes wrong is raised as `pairvote.StorageError` with what to do about it.

    The poll calls `create` once, to begin a log. For each change it calls `begin`, `events`, `append` once or twice,
    and `commit`; to look at the state it calls `events` alone. It asks for the last event that it has read again, and
    for all events where that is another one now. After anything has failed in `begin` or from there to the end of
    `commit` it calls `rollback`, and it calls `close` before the process forks and when the poll is closed.
    `check_store` tests a store by all this.

    Examples
    --------
    A store that notes how often it had to commit:

    >>> import pairvote as pv
    >>> class Counting(pv.poll.MemoryStore):
    ...     n_commits = 0
    ...     def commit(self):
    ...         super().commit()
    ...         self.n_commits += 1
    >>> pv.poll.check_store(Counting)
    >>> store = Counting()
    >>> poll = pv.Poll(["ash", "birch"], store=store, rng=1)
    >>> poll.answer("anna", poll.ask("anna").id, "left")
    >>> store.n_commits
    2
    """

    @property
    def name(self) -> str:
        """What to call the log in a message, such as its path."""

    def create(self, first: Sequence[tuple[Any, ...]]) -> None:
        """Begin the log with its first event, for good.

        Raises
        ------
        InputError
            When there is a log already, which stays as it is.
        StorageError
            When it cannot be written.
        """

    def begin(self) -> None:
        """Keep all others from adding to the log until `commit` or `rollback`."""

    def events(self, after: int) -> Sequence[tuple[Any, ...]]:
        """The committed events with a number above `after`, in order; as tuples or other sequences of seven."""

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, whose numbers follow the last one, to what `commit` makes last. Called after `begin` only."""

    def commit(self) -> None:
        """Make what was appended since `begin` last, which may be nothing, and let others begin."""

    def rollback(self) -> None:
        """Forget what was appended since `begin` and let others begin. Without a `begin` it does nothing."""

    def close(self) -> None:
        """Let go of files and connections. The next call of any method opens them again."""


def check_is_store(store: Any) -> EventStore:
    """A store, if it has what one must have; InputError otherwise."""
    lacking = [name for name in METHODS if not callable(getattr(store, name, None))]
    if isinstance(store, type) or len(lacking) == len(METHODS):
        raise InputError(f"store is {shorten(store)}; pass the path of a file, or an object such as MemoryStore()")
    if lacking or not isinstance(getattr(store, "name", None), str):
        wanted = listed(lacking) if lacking else "'name', which is text"
        raise InputError(f"store is {shorten(store)}, which lacks {wanted}; see pairvote.poll.EventStore")
    checked: EventStore = store
    return checked
