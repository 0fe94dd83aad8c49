"""Where a poll's log is kept: what every store must do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError

METHODS = ("create", "begin", "events", "kept", "append", "keep", "commit", "rollback", "close")


class EventStore(Protocol):
    """A log of events that is only ever added to, and records beside it: write these ten names for a store of your own.

    An event is a tuple of seven values: number (int, 1 for the first and one more for each that follows), time (float,
    seconds), kind (int), a, b, c (each str, int of 64 bits with its sign, or None) and digest (32 bytes). Every value
    must come back as it was, type included: the text "1" is not the number 1, and a time is the same to the last bit.

    A record is bytes under a name: up to 64 characters of ASCII from "!" to "~". A record may be empty or have several
    million bytes. It is written again or deleted, unlike an event, and the log does not depend on it: records hold
    who the voters are, which may be forgotten, and snapshots, from which a poll opens sooner.

    Other polls, in this process or another, may have stores on the same log; each is an opener. What every store
    promises:

    - `begin` keeps all other openers from beginning until `commit` or `rollback`. It waits for them, or raises.
    - `events` and `kept` give what was committed, by any opener, and nothing that was not.
    - When `commit` returns, all that was appended and kept since `begin` is there, for every opener and for good. When
      it raises, all of it is there or none: the poll rolls back and reads again.
    - What goes wrong is raised as `pairvote.StorageError` with what to do about it.

    The poll calls `create` once, to begin a log. For each change it calls `begin`, then `events` and `kept`, then
    `append` and `keep`, each once, several times or not at all, then `commit`; to look at the state it calls `events`
    and `kept` alone. It asks for the last event that it has read again, and for all events where that is another one
    now. After anything has failed in `begin` or from there to the end of `commit` it calls `rollback`, and it calls
    `close` before the process forks and when the poll is closed.

    What is called from `begin` to `commit` or `rollback` comes from one thread at a time: the poll has a lock of its
    own. Other threads may call `events` and `kept` meanwhile. They see what is committed, and should not wait for the
    thread that has begun. `check_store` tests a store by all this.

    A store may have one method more, ``commit_lazily()``: as `commit`, except that a crash of the machine, not of the
    program, may cost what was committed since the last `commit`. The poll calls it where only questions were asked. A
    later `commit` makes all of that last, also if nothing was appended for it.

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
        """Begin the log with its first event, for good. There are no records yet.

        Raises
        ------
        InputError
            When there is a log already, which stays as it is.
        StorageError
            When it cannot be written.
        """

    def begin(self) -> None:
        """Keep all others from adding to the log until `commit` or `rollback`."""

    def events(self, after: int) -> Iterable[tuple[Any, ...]]:
        """The committed events with a number above `after`, in order; as tuples or other sequences of seven.

        They may be read as they are asked for, such as by a generator: from a long log not all need to be in memory at
        once. The poll has asked for all of them before it calls `append` or `keep`.
        """

    def kept(self, first: str, last: str) -> Iterable[tuple[str, bytes]]:
        """The committed records with first <= name <= last, each as its name and its bytes, in the order of the names.

        All are of one moment, also if they are read as they are asked for and others commit meanwhile.
        """

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, whose numbers follow the last one, to what `commit` makes last. Called after `begin` only."""

    def keep(self, records: Mapping[str, bytes | None]) -> None:
        """Write records, in the place of those of the same names, or delete those for which None is given.

        They last with the `commit`. To delete a record that is not there changes nothing. Called after `begin` only.
        """

    def commit(self) -> None:
        """Make what was appended and kept since `begin` last, which may be nothing, and let others begin."""

    def rollback(self) -> None:
        """Forget what was appended and kept since `begin` and let others begin. Without a `begin` it does nothing."""

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
