"""A test of any store by what `EventStore` promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

from pairvote._common.messages import shorten
from pairvote.errors import InputError, PairvoteError, StorageError
from pairvote.poll._poll import Poll
from pairvote.poll._stores.contract import EventStore, check_is_store
from pairvote.poll._stores.memory import MemoryStore
from pairvote.votes._votes import Votes

Events = Sequence[tuple[Any, ...]]
# How long another opener is watched not to begin, and how long it may take when it can.
WATCHED_SECONDS, PATIENT_SECONDS = 0.1, 60.0


# What a column of text may cut, pad, fold or take for a number, and one of numbers may round.
ODD_LABELS = (
    *("17", 17, 2**63 - 1, -(2**63) + 1, "e\u0301", "\u00e9", " lead and trail ", "a\r\nb\rc", "nul \0 in"),
    *("\U0001f332", "x" * 70_000, "A", "a", "ss", "\u00df"),
)
# Events that make more than a page of a store that reads in pages.
N_MORE = 3000


def check_store(make_store: Callable[[], EventStore]) -> None:
    """Test a store by all that `EventStore` promises: nothing, or a StorageError that says what does not hold.

    Parameters
    ----------
    make_store : callable
        A function without arguments that gives a new store, whose log is not begun yet. If its stores share one log,
        such as ``lambda: SQLiteStore(path)``, several openers are tested too. The log is a poll of nonsense afterwards.

    Raises
    ------
    StorageError
        When a promise is not kept.
    InputError
        When `make_store` gives no store.

    Examples
    --------
    >>> import tempfile
    >>> import pairvote as pv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pv.poll.check_store(lambda: pv.poll.SQLiteStore(f"{folder}/poll.db"))
    >>> class Forgetful(pv.poll.MemoryStore):
    ...     def events(self, after):
    ...         return [(*event[:3], *map(str, event[3:6]), event[6]) for event in super().events(after)]
    >>> try:
    ...     pv.poll.check_store(Forgetful)
    ... except pv.StorageError as error:
    ...     print(str(error)[:101])
    the poll in memory fails its test: after create, b of event 1 came back as 'None' and went in as None
    """
    if not callable(make_store):
        raise InputError(f"make_store is {shorten(make_store)}; pass a function that gives a new store")
    store = check_is_store(make_store())
    written, ids = _sample()
    _call(store, "create", written[:1])
    _expect_events(store, written[:1], "after create")
    _expect_refusal(store, written[:1])
    _alone(store, written)
    _records_alone(store)
    _while_begun(store, store, written[:8], "in another thread, before anything was committed")
    other = check_is_store(make_store())
    if other is not store and _shares(other):
        _expect_refusal(other, written[:1])
        _together(store, other, written)
        _while_begun(store, other, written[:10], "in another store, before anything was committed")
        _one_moment(store, other)
    else:
        other = store
    _as_a_poll(store, other, written, ids)


def _sample() -> tuple[Events, dict[str, bytes]]:
    """The events of a poll in which every kind of event and every type of value comes, and who its voters are."""
    store, ticks = MemoryStore(), count()
    labels: list[str | int] = ["1", 1, "å\u2028\U0001f332", -(2**63), 'quoted "\\" and \t']
    poll = Poll(labels, store=store, rng=1, expire_after=1e6, clock=lambda: 1.7e9 + next(ticks) / 7)
    voters: tuple[str | int, ...] = ("1", 1, 2**63 - 1, "\U0001f333 anna")
    for number in range(10):
        question = poll.ask(voters[number % 4])
        if question is not None:
            poll.answer(voters[number % 4], question.id, ("left", "tie", "right", "skip")[number // 3])
    poll.undo("1")
    poll.add_item("late")
    poll.retire_item(1)
    poll.remove_voter(1)
    poll.change("\U0001f333 anna", poll.history("\U0001f333 anna")[0].id, "left")
    poll.change_settings(votes_each=30)
    poll.end()
    poll.reopen()
    poll.restore_item(1)
    poll.rename_item("late", "later")
    for label in ODD_LABELS:
        poll.add_item(label)
    poll.set_group("banned", 2**62 + 1)
    poll.import_votes(
        Votes.from_labels(["1", 1], [1, "1"], ["left", "tie"], voter=[None, "new"], time=[0.5, 1.0 / 3.0])
    )
    poll.forget_voter("banned")
    for number in range(N_MORE // 2):
        question = poll.ask(f"voter {number}")
        if question is not None:
            poll.answer(f"voter {number}", question.id, "tie")
    return list(store.events(0)), dict(store.kept("", "~"))


def _alone(store: EventStore, written: Events) -> None:
    """Promises of a store to its only opener; the first eight events are in it afterwards."""
    _call(store, "begin")
    _expect_events(store, [], "after begin", after=1)
    _call(store, "append", written[1:3])
    _call(store, "append", written[3:4])
    _call(store, "commit")
    _expect_events(store, written[:4], "after commit")
    for after in (1, 3, 4, 99):
        _expect_events(store, written[after:4], f"events({after}) after commit", after=after)
    _call(store, "begin")
    _call(store, "append", written[4:5])
    for _ in range(2):
        _call(store, "rollback")
        _expect_events(store, written[:4], "after rollback")
    _call(store, "begin")
    _call(store, "commit")
    _expect_events(store, written[:4], "after a commit of nothing")
    for _ in range(2):
        _call(store, "close")
    _expect_events(store, written[:4], "after close")
    _call(store, "close")
    _write(store, written[4:6])
    _expect_events(store, written[:6], "after close and a commit")
    _InThread(lambda: _write(store, written[6:8])).finish(store, "a commit in another thread")
    _expect_events(store, written[:8], "after a commit in another thread")


def _together(store: EventStore, other: EventStore, written: Events) -> None:
    """Promises of a store where another has the same log; the first ten events are in it afterwards."""
    _expect_events(other, written[:8], "in another store on the same log")
    _call(store, "begin")
    _call(store, "append", written[8:9])
    begun = threading.Event()
    found: list[Events] = []

    def wait_and_write() -> None:
        # Whoever does not wait may refuse, and is asked again when the other is done.
        try:
            other.begin()
        except StorageError:
            committed.wait(PATIENT_SECONDS)
            other.begin()
        begun.set()
        found.append(list(other.events(8)))
        other.append(written[9:10])
        other.commit()

    committed = threading.Event()
    writer = _InThread(wait_and_write)
    if begun.wait(WATCHED_SECONDS):
        raise _failure(store, "another store could begin before this one had committed; let begin wait, or raise")
    _call(store, "commit")
    committed.set()
    writer.finish(store, "begin of another store, after this one has committed,")
    _expect_same(store, found[0], written[8:9], "in another store that has begun")
    _expect_events(store, written[:10], "after a commit in another store")
    _call(other, "begin")
    _call(other, "rollback")


# In order. A name has up to 64 characters; there are records of no bytes and of several pages.
RECORDS: dict[str, bytes] = {
    "!": b"",
    "A": b"\0\xff\r\n",
    "_": bytes(range(256)) * 40,
    "a/0000000009": b"\x80",
    "a/0000000010": b"'; --",
    "a/000000001~": bytes(3_000_000),
    "b/" + 62 * "9": b"\xfe" * 1_000_003,
    "~" * 64: b"the last",
}


def _records_alone(store: EventStore) -> None:
    """Promises of records to the only opener; there are none afterwards."""
    names = list(RECORDS)
    _expect_records(store, {}, "after create")
    _keep(store, dict(reversed(RECORDS.items())))
    _expect_records(store, RECORDS, "after commit")
    for first, last in ((names[1], names[4]), ("a/0000000010", "a/0000000010"), ("a/", "a/~"), ("c", "d"), ("b", "a")):
        expected = {name: RECORDS[name] for name in names if first <= name <= last}
        _expect_same_records(store, _call(store, "kept", first, last), expected, f"kept({first!r}, {last!r})")
    _call(store, "begin")
    _expect_records(store, RECORDS, "after begin")
    _call(store, "keep", {"A": b"another", "_": None, "new": b"new"})
    for _ in range(2):
        _call(store, "rollback")
        _expect_records(store, RECORDS, "after rollback")
    _keep(
        store, {"A": RECORDS["_"], "_": b"", "!": None, "a/0000000010": None, "none": None}, {}, {"!": b"!", "B": b""}
    )
    _call(store, "close")
    changed = {**RECORDS, "!": b"!", "A": RECORDS["_"], "B": b"", "_": b""}
    del changed["a/0000000010"]
    changed = dict(sorted(changed.items()))
    _expect_records(store, changed, "after records were written again and deleted")
    _InThread(lambda: _keep(store, {"A": b"", "B": b"B"}, {"B": None})).finish(store, "keep in another thread")
    del changed["B"]
    _expect_records(store, {**changed, "A": b""}, "after a commit in another thread")
    _keep(store, dict.fromkeys(changed))
    _expect_records(store, {}, "after all records were deleted")


def _while_begun(store: EventStore, reader: EventStore, committed: Events, when: str) -> None:
    """Reading by others while a thread has begun."""
    kept = {"one": b"one", "two": bytes(5000)}
    _keep(store, kept)
    _call(store, "begin")
    _call(store, "append", [(len(committed) + 1, 1.5, 8, 2, 1, None, bytes(32))])
    _call(store, "keep", {"one": None, "two": b"", "three": b""})

    def look() -> None:
        _expect_events(reader, committed, when)
        _expect_records(reader, kept, when)

    # Nothing is committed before it has ended, so it may not wait for that.
    looking = _InThread(look)
    looking.finish(store, "events or kept, called while another thread has begun,")
    _call(store, "rollback")
    _keep(store, dict.fromkeys(kept))


def _one_moment(store: EventStore, other: EventStore) -> None:
    """Records that are read one by one are of one moment."""
    kept = {f"{number}": bytes([number]) * 1_500_000 for number in range(9)}
    _keep(store, kept)
    reading = iter(_call(other, "kept", "", "~"))
    found = [next(reading)]
    _keep(store, {"5": None, "7": b"changed", "9": b"new"})
    found += reading
    _expect_same_records(store, found, kept, "in another store that began to read before a commit")
    _expect_records(other, {**kept, "7": b"changed", "9": b"new"}, "after a commit in another store", without="5")
    _keep(store, dict.fromkeys([*kept, "9"]))


def _keep(store: EventStore, *changes: dict[str, bytes] | dict[str, None] | dict[str, bytes | None]) -> None:
    _call(store, "begin")
    for records in changes:
        _call(store, "keep", records)
    _call(store, "commit")


def _as_a_poll(store: EventStore, other: EventStore, written: Events, ids: dict[str, bytes]) -> None:
    """A poll runs on the log."""
    n_there = len(list(_call(store, "events", 0)))
    _write(store, written[n_there:])
    _keep(store, ids)
    poll = Poll.open(store)
    if poll.verify() != written[-1][-1].hex():
        raise _failure(store, "a poll that is opened from it has another digest; return every event as it was")
    question = poll.ask("another voter")
    if question is not None:
        poll.answer("another voter", question.id, "left")
    if Poll.open(other).verify() != poll.verify():
        raise _failure(store, "a poll that is opened from another store on the same log has another digest")
    poll.close()


def _write(store: EventStore, events: Events) -> None:
    _call(store, "begin")
    _call(store, "append", events)
    _call(store, "commit")


def _shares(other: EventStore) -> bool:
    """Whether a new store has the log that another store began."""
    try:
        return len(list(other.events(0))) > 0
    except PairvoteError:
        return False


def _call(store: EventStore, method: str, *given: Any) -> Any:
    try:
        return getattr(store, method)(*given)
    except PairvoteError:
        raise
    except Exception as error:
        raise _failure(store, f"{method} raised {error!r}; raise pairvote.StorageError for what goes wrong") from error


def _expect_refusal(store: EventStore, first: Events) -> None:
    try:
        _call(store, "create", first)
    except InputError:
        _expect_events(store, first, "after a second create", upto=1)
        return
    raise _failure(store, "create began a log that was there already; let it raise pairvote.InputError")


def _expect_events(store: EventStore, expected: Events, when: str, after: int = 0, upto: int | None = None) -> None:
    _expect_same(store, list(_call(store, "events", after))[:upto], expected, when)


def _expect_same(store: EventStore, found: Events, expected: Events, when: str) -> None:
    for event, wanted in zip(found, expected, strict=False):
        if len(event) != len(wanted):
            raise _failure(store, f"{when}, event {wanted[0]} came back as {shorten(event)}; return all seven values")
        for name, value, given in zip(("number", "time", "kind", "a", "b", "c", "digest"), event, wanted, strict=True):
            if type(value) is not type(given) or value != given:
                raise _failure(
                    store,
                    f"{when}, {name} of event {wanted[0]} came back as {shorten(value)} and went in as "
                    f"{shorten(given)}; return every value as it was, type included",
                )
    if len(found) != len(expected):
        raise _failure(store, f"{when} there are {len(found)} events and not {len(expected)}; see EventStore")


def _expect_records(store: EventStore, expected: dict[str, bytes], when: str, without: str = "") -> None:
    expected = {name: content for name, content in expected.items() if name != without}
    _expect_same_records(store, _call(store, "kept", "", "~" * 64), expected, when)


def _expect_same_records(
    store: EventStore, found: Iterable[tuple[str, bytes]], expected: dict[str, bytes], when: str
) -> None:
    rows = [tuple(row) for row in found]
    for row, (name, content) in zip(rows, expected.items(), strict=False):
        if len(row) != 2 or type(row[0]) is not str or type(row[1]) is not bytes:
            raise _failure(store, f"{when}, kept gave {shorten(row)}; return each record as its name and its bytes")
        if row[0] != name:
            raise _failure(
                store, f"{when}, kept gave record {row[0]!r} where {name!r} comes; return all, in order of the names"
            )
        if row[1] != content:
            raise _failure(
                store,
                f"{when}, record {name!r} came back as {shorten(row[1])} and went in as {shorten(content)}; return "
                "every byte as it was",
            )
    if len(rows) != len(expected):
        raise _failure(store, f"{when} there are {len(rows)} records and not {len(expected)}; see EventStore")


def _failure(store: EventStore, problem: str) -> StorageError:
    return StorageError(f"{store.name} fails its test: {problem}")


class _InThread:
    """A call in another thread."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.done = threading.Event()
        self._error: BaseException | None = None
        self._call = call
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._call()
        except BaseException as error:
            self._error = error
        finally:
            self.done.set()

    def finish(self, store: EventStore, what: str) -> None:
        """Wait for its end; raise what it raised."""
        if not self.done.wait(PATIENT_SECONDS):
            raise _failure(store, f"{what} did not return in {PATIENT_SECONDS:g} seconds")
        if isinstance(self._error, PairvoteError):
            raise self._error
        if self._error is not None:
            raise _failure(store, f"{what} raised {self._error!r}") from self._error
