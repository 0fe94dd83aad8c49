"""Stores: ours, and one written outside the library in a file of JSON Lines, keep what `EventStore` promises."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from strategies import assert_same_votes

import pairvote as pv
from pairvote.poll import EventStore, MemoryStore, SQLiteStore, check_store

ITEMS = ["ash", "birch", "cedar"]


class JSONLinesStore:
    """A log in a text file, a line an event or a record; a file beside it is there while somebody writes."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path, self._lock = path, path.with_suffix(".lock")
        self._lines: list[str] | None = None

    def create(self, first):
        if self._path.exists():
            raise pv.InputError(f"store is {self.name!r}, which is there already; open it by Poll.open")
        self._path.write_text("".join(map(self._line, first)), encoding="ascii")

    def begin(self):
        for _ in range(100_000):
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._lock, os.O_CREAT | os.O_EXCL))
                self._lines = []
                return
            threading.Event().wait(0.001)
        raise pv.StorageError(f"{self.name} is locked; remove {self._lock.name} if nobody writes")

    def events(self, after):
        events = (line for line in self._read() if isinstance(line, list))
        return ([*values, bytes.fromhex(digest)] for *values, digest in itertools.islice(events, after, None))

    def kept(self, first, last):
        records: dict = {}
        for line in self._read():
            records |= line if isinstance(line, dict) else {}
        names = sorted(name for name in records if first <= name <= last and records[name] is not None)
        return ((name, bytes.fromhex(records[name])) for name in names)

    def append(self, events):
        self._lines.extend(map(self._line, events))

    def keep(self, records):
        self._lines.append(
            json.dumps({name: each if each is None else each.hex() for name, each in records.items()}) + "\n"
        )

    def commit(self):
        with self._path.open("a", encoding="ascii") as file:
            # One write, for those who read meanwhile.
            os.write(file.fileno(), "".join(self._lines).encode())
            os.fsync(file.fileno())
        self.rollback()

    def rollback(self):
        if self._lines is not None:
            self._lines = None
            self._lock.unlink()

    def close(self):
        pass

    def _read(self):
        if not self._path.exists():
            raise pv.StorageError(f"{self.name} is not there; check the path")
        return map(json.loads, self._path.read_text(encoding="ascii").splitlines())

    @staticmethod
    def _line(event):
        *values, digest = event
        return json.dumps([*values, digest.hex()]) + "\n"


def same_again(store):
    return lambda: store


NUMBERS = itertools.count()
STORES: dict[str, Callable[[Path], Callable[[], EventStore]]] = {
    "memory": lambda folder: MemoryStore,
    "one in memory": lambda folder: same_again(MemoryStore()),
    "sqlite": lambda folder: lambda: SQLiteStore(folder / "poll.db"),
    "sqlite, fast": lambda folder: lambda: SQLiteStore(str(folder / "poll.db"), durability="fast"),
    "sqlite that does not wait": lambda folder: lambda: SQLiteStore(folder / "poll.db", busy_seconds=0),
    "a file of its own each": lambda folder: lambda: SQLiteStore(folder / f"{next(NUMBERS)}.db"),
    "one's own": lambda folder: lambda: JSONLinesStore(folder / "poll.jsonl"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STORES)
def test_a_store_keeps_what_it_promises(name: str, tmp_path) -> None:
    check_store(STORES[name](tmp_path))


@pytest.mark.parametrize("name", ["sqlite", "one's own", "one in memory"])
def test_a_whole_poll_runs_on_it_and_two_openers_share_it(name: str, tmp_path) -> None:
    make_store = STORES[name](tmp_path)
    with pytest.raises(pv.StorageError):
        pv.Poll.open(make_store())
    with pv.Poll(ITEMS, store=make_store(), votes_each=3, rng=5) as poll, pv.Poll.open(make_store()) as other:
        with pytest.raises(pv.InputError, match=r"Poll\.open"):
            pv.Poll(ITEMS, store=make_store())
        threads = [threading.Thread(target=vote, args=(each, range(4))) for each in (poll, other) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        poll.add_item("doum")
        poll.remove_voter(3)
        assert other.items == (*ITEMS, "doum")
        assert_same_votes(poll.votes(), other.votes())
        assert len(poll.votes()) == 9
        assert poll.verify() == other.verify()
    again = pv.Poll.open(make_store())
    assert_same_votes(again.votes(), poll.votes())
    # What follows is that of a poll in memory.
    alone = pv.Poll(ITEMS, votes_each=3, rng=5)
    assert alone.ask("anna").left in ITEMS
    assert repr(again).endswith(f"in {make_store().name})")


def vote(poll: pv.Poll, voters: range) -> None:
    for voter in (*voters, *reversed(voters)) * 3:
        question = poll.ask(voter)
        if question is not None:
            with contextlib.suppress(pv.StateError):
                poll.answer(voter, question.id, ("left", "right")[question.id % 2])


def test_a_store_of_ones_own_gives_the_questions_that_any_gives(tmp_path) -> None:
    asked = []
    for store in (None, tmp_path / "poll.db", JSONLinesStore(tmp_path / "poll.jsonl")):
        with pv.Poll(ITEMS, store=store, rng=3, clock=lambda: 5.0) as poll:
            for number in range(8):
                poll.answer(number, poll.ask(number).id, "tie")
            asked.append((poll.ask("anna"), poll.history(7)))
    assert asked[0] == asked[1] == asked[2]


# --- a store that breaks a promise is told which ---


class Twice(MemoryStore):
    def create(self, first):
        self._events += first


class Lossy(MemoryStore):
    def commit(self):
        del self._pending[-1:]
        super().commit()


class Early(MemoryStore):
    def append(self, events):
        self._events += events


class Texts(MemoryStore):
    def events(self, after):
        return [(*event[:6], event[6].hex()) for event in super().events(after)]


class Rounding(MemoryStore):
    def events(self, after):
        return [(event[0], round(event[1], 3), *event[2:]) for event in super().events(after)]


class Short(MemoryStore):
    def events(self, after):
        return [event[:6] for event in super().events(after)]


class Careless(MemoryStore):
    def rollback(self):
        self.commit()


class Closing(MemoryStore):
    def close(self):
        self._events = []


class Broken(MemoryStore):
    def append(self, events):
        raise KeyError("events")


class Bound(MemoryStore):
    def __init__(self):
        super().__init__()
        self._home = threading.get_ident()

    def begin(self):
        if threading.get_ident() != self._home:
            raise RuntimeError("made in another thread")
        super().begin()


class Shared(MemoryStore):
    """Stores on one list, of which nobody keeps the other out."""

    def __init__(self, events: list) -> None:
        super().__init__()
        self._events = events


class Gullible(Shared):
    """Stores on one list, of which the second sees what is not committed."""

    lock = threading.Lock()

    n_before = None

    def begin(self):
        self.lock.acquire()
        self.n_before = len(self._events)
        super().begin()

    def append(self, events):
        self._events += events

    def commit(self):
        self._let_others_begin()
        super().commit()

    def rollback(self):
        if self.n_before is not None:
            del self._events[self.n_before :]
            self._let_others_begin()
        super().rollback()

    def _let_others_begin(self):
        self.n_before = None
        self.lock.release()


class Forgetting(MemoryStore):
    def keep(self, records):
        super().keep({name: content for name, content in records.items() if content})


class Unsorted(MemoryStore):
    def kept(self, first, last):
        return reversed(super().kept(first, last))


class Views(MemoryStore):
    def kept(self, first, last):
        return [(name, memoryview(content)) for name, content in super().kept(first, last)]


class Cut(MemoryStore):
    def kept(self, first, last):
        return [(name, content[:65535]) for name, content in super().kept(first, last)]


class Exclusive(MemoryStore):
    def kept(self, first, last):
        return [record for record in super().kept(first, last) if record[0] < last or first == last]


class Hasty(MemoryStore):
    """Records are written before the commit."""

    def keep(self, records):
        super().keep(records)
        for name, content in records.items():
            self._put(name, content)


class Locked(MemoryStore):
    """Whoever reads waits for whoever has begun, and gives up."""

    def events(self, after):
        if not self._lock.acquire(timeout=0.01):
            raise pv.StorageError("locked")
        self._lock.release()
        return super().events(after)


BROKEN = [
    (Forgetting, r"after commit, kept gave record 'A' where '!' comes; return all, in order of the names"),
    (Unsorted, r"after commit, kept gave record '~+' where '!' comes; return all, in order of the names"),
    (Views, "after commit, kept gave .*; return each record as its name and its bytes"),
    (Cut, "record 'a/000000001~' came back as .* and went in as .*; return every byte as it was"),
    (Exclusive, "after commit there are 7 records and not 8"),
    (Hasty, r"after rollback, (record 'A' came back|kept gave record)"),
    (Twice, "create began a log that was there already; let it raise pairvote.InputError"),
    (Lossy, "after commit there are 3 events and not 4"),
    (Early, "after rollback there are 5 events and not 4"),
    (Texts, r"digest of event 1 came back as '.* and went in as b.*; return every value as it was, type included"),
    (Rounding, "time of event 2 came back as"),
    (Short, "event 1 came back as .*; return all seven values"),
    (Careless, "after rollback there are 5 events and not 4"),
    (Closing, "after close there are 0 events and not 4"),
    (Broken, r"append raised KeyError\('events'\); raise pairvote.StorageError"),
    (Bound, r"another thread.* raised RuntimeError|begin raised RuntimeError"),
]


@pytest.mark.parametrize(("make_store", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_promise_is_named(make_store, message: str) -> None:
    with pytest.raises(pv.StorageError, match=f"the poll in memory fails its test: .*{message}"):
        check_store(make_store)


def test_a_store_whose_readers_wait_for_the_writer_is_told() -> None:
    with pytest.raises(pv.StorageError, match="locked"):
        check_store(Locked)


def test_a_store_that_does_not_keep_others_out_is_told() -> None:
    events: list = []
    with pytest.raises(pv.StorageError, match="another store could begin before this one had committed; let begin"):
        check_store(lambda: Shared(events))


def test_what_is_not_committed_must_not_be_seen() -> None:
    events: list = []
    with pytest.raises(pv.StorageError, match=r"in another store, before anything was committed|there are \d+ events"):
        check_store(lambda: Gullible(events))


@pytest.mark.parametrize(
    ("make_store", "message"),
    [
        (MemoryStore(), "make_store is .*; pass a function that gives a new store"),
        (lambda: None, "store is None; pass the path of a file"),
        (lambda: MemoryStore, "store is <class .*; pass the path of a file, or an object"),
        (list, "store is .*, which lacks 'create', 'begin', 'events', 'kept', 'keep', 'commit', 'rollback', 'close'"),
    ],
)
def test_what_is_no_store_is_refused(make_store, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        check_store(make_store)


def test_a_store_needs_a_name() -> None:
    class Nameless(MemoryStore):
        name = None

    with pytest.raises(pv.InputError, match=r"which lacks 'name', which is text; see pairvote\.poll\.EventStore"):
        pv.Poll(ITEMS, store=Nameless())
