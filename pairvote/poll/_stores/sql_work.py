"""One call in a database: it locks the poll, reads what is new, and gathers what it will write."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pairvote.errors import InputError, StorageError
from pairvote.poll._stores import sql_text as text
from pairvote.poll._stores.sql_errors import problem_of
from pairvote.poll._stores.sql_link import Link, Statement

Events = list[tuple[Any, ...]]
# Events that are read at once, and that are gathered before they are sent ahead of the commit.
PAGE = 10_000
GATHERED = 2_000


class Work:
    """A poll that is locked in an open transaction, until that ends.

    Parameters
    ----------
    link : Link
        The connection, which the caller takes and gives back.
    poll : str
        The poll's name in the tables.
    name : str
        What to call its log in a message.
    """

    def __init__(self, link: Link, poll: str, name: str) -> None:
        self.link = link
        self.owner = threading.get_ident()
        self._poll, self._name = poll, name
        self._id = 0
        self._after, self._read = 0, Events()
        self._events: list[Sequence[Any]] = []
        self._records: dict[str, bytes | None] = {}
        self.last = 0

    def begin(self, before: Sequence[Statement], after: int, seconds: float | None) -> None:
        """Run statements, lock the poll and read the events after one."""
        self._after = after
        locking = text.lock(self.link, self._poll, seconds)
        rows = self.link.run([*before, locking, text.read(self.link, self._poll, after, PAGE)])
        self._id = rows[0][0] if rows else poll_id(self.link, self._poll, self._name)
        self._read = text.events_of(rows, self._name)
        self.last = self._read[-1][0] if self._read else after

    def page(self, after: int) -> Events:
        """The next events after one, at most `PAGE` of them."""
        if after >= self._after and (len(self._read) < PAGE or after < self.last):
            return [event for event in self._read if event[0] > after]
        return read_page(self.link, self._poll, self._name, after)

    def append(self, events: Sequence[Sequence[Any]]) -> None:
        """Gather events, and send them ahead where they are many."""
        self._events += events
        if events:
            self.last = int(events[-1][0])
        if len(self._events) > GATHERED:
            for statement in text.add_events(self.link, self._id, self._events):
                self.link.run([statement])
            self._events = []

    def keep(self, records: Mapping[str, bytes | None]) -> None:
        """Gather records."""
        self._records.update(records)

    def end(self, after: Sequence[Statement]) -> None:
        """Write what was gathered, and run further statements: in one message, if it is no long one."""
        script: list[Statement] = []
        size = 0
        for statement in (
            *text.add_events(self.link, self._id, self._events),
            *text.keep_records(self.link, self._id, self._records),
        ):
            length = text.size_of(statement[1])
            if script and size + length > text.SIZE_AT_ONCE:
                self.link.run(script)
                script, size = [], 0
            script.append(statement)
            size += length
        self.link.run([*script, *after])


class InDatabase:
    """The part of a store that is the same in a transaction of its own and in one of the application's."""

    name: str
    _work: Work | None

    def events(self, after: int) -> Iterable[tuple[Any, ...]]:
        """The events after one, as `EventStore.events`; where they are many they are read in pages as they are used."""
        page = self._page(after)
        return page if len(page) < PAGE else self._and_following(page)

    def append(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Add events, as `EventStore.append`. They are sent with the commit."""
        try:
            self._begun().append(events)
        except Exception as error:
            raise self._translated(error) from error

    def keep(self, records: Mapping[str, bytes | None]) -> None:
        """Write records beside the log, or delete them, as `EventStore.keep`. They are sent with the commit."""
        self._begun().keep(records)

    def _begun(self) -> Work:
        if self._work is None:
            raise StorageError(f"{self.name} was not begun; call begin first")
        return self._work

    def _and_following(self, page: Events) -> Iterator[tuple[Any, ...]]:
        while page:
            yield from page
            page = self._page(page[-1][0])

    def _page(self, after: int) -> Events:
        raise NotImplementedError

    def _translated(self, error: Exception) -> Exception:
        raise NotImplementedError


def poll_id(link: Link, poll: str, name: str) -> int:
    """The number of a poll in the tables."""
    rows = link.run([text.find(link, poll)])
    if not rows:
        raise StorageError(
            f"{name} has no log there; begin it with Poll(items, store=...), or mend the name that the store was given"
        )
    return int(rows[0][0])


def read_page(link: Link, poll: str, name: str, after: int) -> Events:
    """The next events after one, at most `PAGE` of them."""
    rows = link.run([text.read(link, poll, after, PAGE)])
    if not rows:
        poll_id(link, poll, name)
    return text.events_of(rows, name)


def read_records(link: Link, poll: str, first: str, last: str) -> list[tuple[str, bytes]]:
    """The records between two names."""
    rows = link.run([text.records(link, poll, first, last)])
    return [(name.decode() if isinstance(name, bytes) else str(name), bytes(content)) for name, content in rows]


def write_first(link: Link, poll: str, name: str, first: Sequence[Sequence[Any]]) -> None:
    """Add a poll with its first events; InputError if it is there already."""
    try:
        link.run([("INSERT INTO pairvote_polls (name) VALUES (%s)", (text.called(link, poll),))])
    except link.errors as error:
        if problem_of(error) == "twice":
            raise InputError(
                f"store is {name}, which has a log already; go on with it by Poll.open(store), or give the store "
                "another name"
            ) from None
        raise
    for statement in text.add_events(link, poll_id(link, poll, name), first):
        link.run([statement])
