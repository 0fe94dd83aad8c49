"""Calls in a transaction of the caller's: they are there when it is committed, and were never made when it is not."""

from __future__ import annotations

from typing import Any

import pytest
from gated_store import Call
from poll_views import WithoutSnapshots, assert_same_poll

import pairvote as pv
from pairvote.poll import MemoryStore

ITEMS = ["ash", "birch", "cedar"]


class Connection:
    """A transaction on a `Shared` store, begun by the first change in it and ended by `commit` or `rollback`."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.begun = False
        self.events: list[Any] = []
        self.records: dict[str, bytes | None] = {}
        # The application's own rows.
        self.rows: list[str] = []

    def commit(self) -> None:
        if self.begun:
            self.store.append(self.events)
            self.store.keep(self.records)
            self.store.commit()
        self._end()

    def rollback(self) -> None:
        if self.begun:
            self.store.rollback()
        self.rows.clear()
        self._end()

    def _end(self) -> None:
        self.begun = False
        self.events, self.records = [], {}


class Bound:
    """A store whose changes are a connection's, which alone makes them last."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.store = connection, connection.store
        self.name = self.store.name
        self._pending: list[Any] = []
        self._records: dict[str, bytes | None] = {}

    def create(self, first):
        raise AssertionError("the log is there")

    def begin(self):
        if not self.connection.begun:
            self.store.begin()
            self.connection.begun = True

    def events(self, after):
        found = [*self.store.events(0), *self.connection.events]
        return found[after:]

    def append(self, events):
        self._pending += events

    def keep(self, records):
        self._records |= records

    def kept(self, first, last):
        found = dict(self.store.kept("", "\x7f")) | self.connection.records
        return sorted((n, r) for n, r in found.items() if r is not None and first <= n <= last)

    def commit(self):
        self.connection.events += self._pending
        self.connection.records |= self._records
        self.rollback()

    def rollback(self):
        self._pending, self._records = [], {}

    def close(self):
        pass


class Shared(MemoryStore):
    """A log in memory that can be written in a caller's transaction."""

    def bound(self, connection: Connection) -> Bound:
        return Bound(connection)


@pytest.fixture
def poll() -> pv.Poll:
    poll = pv.Poll(ITEMS, store=Shared(), rng=1)
    poll.answer("anna", poll.ask("anna").id, "left")
    return poll


def as_replayed(poll: pv.Poll) -> None:
    assert_same_poll(poll, pv.Poll.open(WithoutSnapshots(poll._log.store)), ["anna", "bo", "new"])


def everything(poll: pv.Poll, connection: Connection) -> pv.Question:
    """Calls of all kinds in a transaction; the question that a new voter has open at their end."""
    with poll.within(connection):
        question = poll.ask("new")
        poll.answer("new", question.id, "tie")
        assert poll.history("new")[0].id == question.id
    connection.rows.append("approved: fir")
    with poll.within(connection):
        assert poll.add_item("fir") is True
        assert poll.add_item("fir") is False
        assert poll.items == (*ITEMS, "fir")
        poll.set_group("new", "business")
        with pytest.raises(pv.InputError, match="is unknown"):
            poll.answer("new", 10**6, "left")
        poll.undo("anna")
        poll.remove_voter("spam")
        assert len(poll.votes()) == 1
        return poll.ask("new")


def test_what_is_committed_with_the_callers_own_rows_is_there_for_all(poll) -> None:
    store = poll._log.store
    other, connection = pv.Poll.open(store), Connection(store)
    question = everything(poll, connection)
    connection.commit()
    assert connection.rows == ["approved: fir"]
    for each in (poll, other):
        assert each.items == (*ITEMS, "fir")
        assert each.ask("new") == question
        assert each.groups() == {"new": "business"}
        assert each.votes().to_columns()["voter"] == ["new"]
        with pytest.raises(pv.StateError, match="'spam' was removed"):
            each.ask("spam")
        as_replayed(each)
    poll.answer("new", question.id, "left")
    assert other.remaining("new") == 18


def test_what_is_rolled_back_was_never_done(poll) -> None:
    store = poll._log.store
    other, connection = pv.Poll.open(store), Connection(store)
    before, votes, records = poll.verify(), poll.votes(), dict(store.kept("voter/", "voter/~"))
    everything(poll, connection)
    connection.rollback()
    assert connection.rows == []
    for each in (poll, other):
        assert each.verify() == before
        assert each.items == tuple(ITEMS)
        assert each.groups() == {}
        assert each.history("new") == []
        assert each.votes().to_columns() == votes.to_columns()
        assert [voter.voter for voter in each.voters()] == ["anna"]
    assert dict(store.kept("voter/", "voter/~")) == records
    # And the calls that follow are as if it had never been.
    assert poll.ask("spam").number == 1
    assert poll.add_item("fir") is True
    question = other.ask("new")
    assert poll.ask("new") == question
    poll.answer("new", question.id, "left")
    assert poll.votes().to_columns()["voter"] == ["anna", "new"]
    as_replayed(poll)
    as_replayed(other)


def test_an_exception_in_it_is_the_callers_and_ends_it(poll) -> None:
    connection = Connection(poll._log.store)

    def fails() -> None:
        with poll.within(connection):
            poll.add_item("fir")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    connection.rollback()
    assert poll.items == tuple(ITEMS)
    assert poll.add_item("oak") is True
    as_replayed(poll)


def test_other_threads_see_it_when_it_is_committed(poll) -> None:
    connection = Connection(poll._log.store)
    with poll.within(connection):
        poll.add_item("fir")
        poll.remove_voter("anna")
        assert Call(lambda: poll.items).result() == tuple(ITEMS)
        assert len(Call(poll.votes).result()) == 1
        assert Call(poll.remaining, "anna").result() == 19
    # The transaction is open still: who would change something waits for its end.
    writer = Call(poll.ask, "bo")
    assert Call(lambda: poll.items).result() == tuple(ITEMS)
    connection.commit()
    assert writer.result().number == 1
    assert Call(lambda: poll.items).result() == poll.items == (*ITEMS, "fir")
    assert Call(poll.remaining, "anna").result() == 0
    as_replayed(poll)


def test_two_transactions_after_each_other(poll) -> None:
    for number, end in enumerate(["rollback", "commit", "rollback", "commit"]):
        connection = Connection(poll._log.store)
        with poll.within(connection):
            poll.add_item(f"item {number}")
            poll.ask(f"voter {number}")
        getattr(connection, end)()
    assert poll.items == (*ITEMS, "item 1", "item 3")
    assert [voter.voter for voter in poll.voters()] == ["anna", "voter 1", "voter 3"]
    as_replayed(poll)


@pytest.mark.parametrize("store", [None, MemoryStore()], ids=["none", "memory"])
def test_a_store_that_has_no_transactions_says_so(store) -> None:
    poll = pv.Poll(ITEMS, store=store, rng=1)
    with (
        pytest.raises(pv.InputError, match="takes part in no transaction of others; keep the poll in the database"),
        poll.within(object()),
    ):
        poll.add_item("fir")
    assert poll.items == tuple(ITEMS)
