"""The store in a file of SQLite: what it syncs and when, what it reads at once, backups, and what deleting leaves."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import pairvote as pv
from pairvote.poll import SQLiteStore
from pairvote.poll._events import Draft, Kind, numbered

ITEMS = ["ash", "birch", "cedar", "doum"]


@pytest.fixture
def store(tmp_path):
    """A begun store, which is closed afterwards."""
    store = SQLiteStore(tmp_path / "poll.db")
    pv.Poll(ITEMS, store=store, rng=1)
    yield store
    store.close()


def keep(store: SQLiteStore, **records: bytes | None) -> None:
    store.begin()
    store.keep(records)
    store.commit()


def content(path: Path) -> bytes:
    """The bytes of a file, read by another process: one that opens and closes it itself loses SQLite's locks on it."""
    code = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    return subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True).stdout


def asked(store: SQLiteStore, n_events: int) -> list:
    """So many events that follow the last one, of which nothing but the numbers and digests is looked at."""
    number, *_, digest = list(store.events(0))[-1]
    return numbered([Draft(Kind.ASKED, 0, 0, 1)] * n_events, 1.5, number, digest)


# --- syncs ---


@pytest.fixture
def log(monkeypatch) -> list[str]:
    """What was synced: the ends of the files' names."""
    synced: list[str] = []
    for name in ("fdatasync", "fsync"):
        real = getattr(os, name, None)
        if real is not None:

            def traced(descriptor, real=real):
                real(descriptor)
                synced.append(os.readlink(f"/proc/self/fd/{descriptor}").rpartition("poll.db")[2])

            monkeypatch.setattr(os, name, traced)
    return synced


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at descriptors in /proc")


@needs_proc
def test_an_answer_is_acknowledged_after_a_sync_and_a_question_before(tmp_path, log) -> None:
    with pv.Poll(ITEMS, store=tmp_path / "poll.db", rng=1) as poll:
        for number in range(5):
            log.clear()
            question = poll.ask("anna")
            assert not log
            poll.answer("anna", question.id, "left")
            assert log[0] == "-wal"
            # Sent again it is there already, maybe not on the disk.
            log.clear()
            poll.answer("anna", question.id, "left")
            assert log == ["-wal"], number
        log.clear()
        poll.undo("anna")
        assert log == ["-wal"]
    with pv.Poll.open(SQLiteStore(tmp_path / "poll.db", durability="fast")) as poll:
        log.clear()
        poll.answer("anna", poll.ask("anna").id, "left")
        assert not log


@needs_proc
def test_what_is_synced_is_committed_and_others_may_begin_meanwhile(store, tmp_path, monkeypatch) -> None:
    seen = []
    real = os.fdatasync

    def during(descriptor):
        with contextlib.closing(sqlite3.connect(tmp_path / "poll.db", timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            seen.append(other.execute("SELECT content FROM records WHERE name = 'a'").fetchall())
            other.execute("ROLLBACK")
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", during)
    keep(store, a=b"1")
    keep(store, a=b"2")
    assert seen == [[(b"1",)], [(b"2",)]]


@needs_proc
def test_what_could_not_be_synced_is_brought_to_the_disk_in_another_way(store, tmp_path, monkeypatch) -> None:
    """A system tells once that bytes did not get to the disk, and the next sync of them succeeds."""
    real, fails = os.fdatasync, [True]

    def failing(descriptor):
        if fails.pop():
            raise OSError(5, "Input/output error")
        real(descriptor)

    path = tmp_path / "poll.db"
    keep(store, first=b"x" * 50)
    assert len(list(store.kept("", "~"))) == 1
    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(pv.StorageError, match="could not be read or written: the disk may be full or failing"):
        keep(store, second=b"marked")
    store.rollback()
    assert b"marked" not in content(path)
    fails.append(False)
    store.begin()
    store.commit()
    # Without the log beside it.
    assert b"marked" in content(path)
    assert dict(store.kept("", "~")) == {"first": b"x" * 50, "second": b"marked"}


# --- reading ---


def test_a_long_log_is_read_in_pages(store) -> None:
    store.begin()
    new = asked(store, 25_000)
    store.append(new)
    store.commit()
    events = store.events(1)
    assert not isinstance(events, list)
    assert list(events) == new
    # What comes meanwhile follows; what is in the transaction of this thread is read there.
    events = store.events(1)
    first = next(events)
    store.begin()
    last = asked(store, 1)
    assert list(store.events(1)) == new
    store.append(last)
    store.commit()
    assert [first, *events] == new + last
    for after in (0, 5_000, 15_000, 15_001, 15_002, 25_001, 25_002, 99_999):
        assert [event[0] for event in store.events(after)] == list(range(after + 1, 25_003))


def test_a_log_that_is_replaced_while_it_is_read_is_not_mixed_with_the_other(store, tmp_path) -> None:
    path, other = tmp_path / "poll.db", tmp_path / "other.db"
    store.begin()
    store.append(asked(store, 15_000))
    store.commit()
    another = SQLiteStore(other)
    pv.Poll(ITEMS, store=another, rng=2)
    another.begin()
    another.append(asked(another, 15_000))
    another.commit()
    another.close()
    events = store.events(0)
    next(events)
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    other.rename(path)
    with pytest.raises(pv.StorageError, match=r"was deleted or replaced while event 10000 was read; send the same"):
        list(events)


def test_large_records_are_read_one_by_one_and_as_of_one_moment(store) -> None:
    large = {f"{number:02}": bytes([number]) * 1_000_000 for number in range(30)}
    keep(store, **large)
    records = store.kept("", "~")
    assert not isinstance(records, list)
    first = next(records)
    keep(store, **{"05": None, "29": b"another"})
    assert len(list(store.kept("", "~"))) == 29
    assert dict([first, *records]) == large
    # One that nobody goes on with holds nobody up.
    left = store.kept("", "~")
    store.begin()
    assert dict(store.kept("29", "29")) == {"29": b"another"}
    assert len(list(store.kept("", "~"))) == 29
    store.commit()
    del left
    store.purge()


def test_readers_do_not_wait_for_a_thread_that_has_begun(store) -> None:
    keep(store, a=b"before")
    store.begin()
    store.append(asked(store, 3))
    store.keep({"a": None, "b": b"x"})
    found: list = []
    reader = threading.Thread(target=lambda: found.extend([[e[0] for e in store.events(0)], list(store.kept("", "~"))]))
    reader.start()
    reader.join()
    store.commit()
    assert found == [[1], [("a", b"before")]]
    assert list(store.kept("", "~")) == [("b", b"x")]
    assert len(list(store.events(0))) == 4


# --- signals ---


def test_a_signal_at_any_line_of_a_call_leaves_no_transaction(tmp_path) -> None:
    """KeyboardInterrupt is raised at the first line of the store that a call runs, then at the second, and so on."""
    path = tmp_path / "poll.db"
    with (
        pv.Poll(ITEMS, store=path, rng=1, votes_each=10**6) as poll,
        contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
    ):
        n_interrupted, voters = 0, itertools.count()
        for n_lines in itertools.count():
            left = [n_lines]

            def interrupt(frame, event, _, left=left):
                if Path(frame.f_code.co_filename).parent.name != "_stores":
                    return None
                # A signal in the middle of what cleans up after another one is let be.
                if frame.f_code.co_name in ("rollback", "_stop_writing", "close", "__del__"):
                    return None
                if event == "line":
                    left[0] -= 1
                    if left[0] == -1:
                        raise KeyboardInterrupt
                return interrupt

            voter = next(voters)
            sys.settrace(interrupt)
            try:
                question = poll.ask(voter)
                poll.answer(voter, question.id, "left")
                break
            except KeyboardInterrupt:
                n_interrupted += 1
            finally:
                sys.settrace(None)
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
            assert poll.remaining(voter) in (10**6, 10**6 - 1)
            poll.answer("anna", poll.ask("anna").id, "left")
        assert n_interrupted > 40
        poll.verify()
        assert pv.Poll.open(path).remaining("anna") == poll.remaining("anna") == 10**6 - n_interrupted


# --- backups ---


def test_a_backup_is_there_whole_or_not_at_all(store, tmp_path, monkeypatch) -> None:
    keep(store, a=b"1")
    copy = tmp_path / "copy.db"
    digest = store.backup_to(copy)
    assert digest == list(store.events(0))[-1][-1]
    assert list(SQLiteStore(copy).events(0)) == list(store.events(0))
    assert list(SQLiteStore(copy).kept("", "~")) == [("a", b"1")]
    before, files = copy.read_bytes(), sorted(tmp_path.iterdir())
    with pytest.raises(pv.InputError, match=r"copy\.db', which is there already; name a new file"):
        store.backup_to(copy)
    assert copy.read_bytes() == before
    with pytest.raises(pv.InputError, match="path is None; pass the path of a file"):
        store.backup_to(None)
    with pytest.raises(pv.StorageError, match=r"cannot be made \(No such file or directory\); choose another place"):
        store.backup_to(tmp_path / "nowhere" / "copy.db")

    def broken(*_):
        raise OSError(28, "No space left on device")

    def interrupted(*_):
        raise KeyboardInterrupt

    for name in ("fsync", "open"):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, broken)
            with pytest.raises(pv.StorageError, match=r"cannot be made \(No space left on device\)"):
                store.backup_to(tmp_path / "another.db")
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.backup_to(tmp_path / "another.db")
    assert sorted(tmp_path.iterdir()) == files
    # Where there are no links.
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", broken)
        store.backup_to(tmp_path / "another.db")
        with pytest.raises(pv.InputError, match="is there already"):
            store.backup_to(copy)
    assert (tmp_path / "another.db").read_bytes() == before
    assert len(list(tmp_path.glob(".*"))) == 0


VOTE = """
import sys, time
import pairvote as pv
poll = pv.Poll.open(pv.poll.SQLiteStore(sys.argv[1], durability="fast"))
for voter in range(10**9):
    question = poll.ask(f"other {voter % 50}")
    poll.answer(f"other {voter % 50}", question.id, "left")
    print(question.id, flush=True)
    time.sleep(float(sys.argv[2]))
"""


# PAIRVOTE_TEST_COPIES=1000 takes some minutes.
N_COPIES = int(os.environ.get("PAIRVOTE_TEST_COPIES", "20"))


def test_every_backup_under_load_holds_what_was_acknowledged(tmp_path) -> None:
    path, copy = tmp_path / "poll.db", tmp_path / "copy.db"
    acknowledged: list[int] = []
    stop = threading.Event()
    with pv.Poll(range(9), store=SQLiteStore(path, durability="fast"), rng=1, votes_each=10**9) as poll:
        other = subprocess.Popen([sys.executable, "-c", VOTE, path, "0.1"], stdout=subprocess.PIPE, text=True)

        def vote(name: str) -> None:
            for number in itertools.count():
                voter = f"{name} {number % 50}"
                question = poll.ask(voter)
                poll.answer(voter, question.id, "left")
                acknowledged.append(question.id)
                # So that a thousand copies are not of a log that grows without end.
                if stop.wait(0.1):
                    break

        def listen() -> None:
            acknowledged.extend(map(int, other.stdout))

        threads = [threading.Thread(target=vote, args=(f"thread {number}",)) for number in range(3)]
        threads.append(threading.Thread(target=listen))
        for thread in threads:
            thread.start()
        try:
            for _ in range(N_COPIES):
                known = list(acknowledged)
                digest = poll._log.store.backup_to(copy)
                with pv.Poll.open(copy) as copied:
                    assert copied.verify() == digest.hex()
                    answers = {each.id for voter in copied.voters() for each in copied.history(voter.voter)}
                assert answers.issuperset(known)
                copy.unlink()
        finally:
            stop.set()
            other.kill()
            for thread in threads:
                thread.join()
            other.communicate()
    assert known


# --- what was deleted ---


def bytes_left(folder: Path, marks: list[bytes]) -> list[tuple[str, bytes]]:
    contents = {file.name: content(file) for file in folder.iterdir()}
    return [(name, mark[:20]) for name, found in contents.items() for mark in marks if mark in found]


def test_no_byte_of_a_deleted_record_is_left(tmp_path) -> None:
    path = tmp_path / "poll.db"
    sizes = [3, 40, 300, 990, 1010, 4000, 5000, 70_000]
    records = {f"kept/{number:010}": f"<{number}>".encode() * 5 for number in range(5000)}
    deleted = {f"kept/{617 * k:010}": b"%d!" % k + b"\xa7\xb8" * (size // 2) for k, size in enumerate(sizes)}
    marks = [content[:6] for content in deleted.values()]
    store = SQLiteStore(path, durability="fast")
    with pv.Poll(ITEMS, store=store, rng=1) as poll, pv.Poll.open(path) as second:
        keep(store, **records)
        keep(store, **deleted)
        other = subprocess.Popen([sys.executable, "-c", VOTE, path, "0"], stdout=subprocess.PIPE, text=True)
        try:
            other.stdout.readline()
            assert len(second.voters()) > 0
            assert len(bytes_left(tmp_path, marks)) >= len(sizes)
            keep(store, **dict.fromkeys(deleted))
            store.purge()
            assert bytes_left(tmp_path, marks) == []
            other.stdout.readline()
        finally:
            other.kill()
            other.communicate()
        store.backup_to(tmp_path / "copy.db")
        assert bytes_left(tmp_path, marks) == []
        assert (
            dict(store.kept("kept/0000000051", "kept/~")).items()
            >= {
                name: content for name, content in records.items() if name > "kept/0000000051" and name not in deleted
            }.items()
        )
        poll.verify()


def test_who_reads_on_while_others_purge_is_waited_for(tmp_path) -> None:
    store = SQLiteStore(tmp_path / "poll.db", busy_seconds=0.05)
    pv.Poll(ITEMS, store=store, rng=1)
    keep(store, gone=b"marked" * 100)
    with contextlib.closing(sqlite3.connect(tmp_path / "poll.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM events").fetchall()
        keep(store, gone=None)
        with pytest.raises(pv.StorageError, match=r"in use for 0\.05 seconds, so what was deleted may still .* again"):
            store.purge()
        reader.execute("COMMIT")
        store.purge()
        assert bytes_left(tmp_path, [b"marked"]) == []
    store.close()


# --- the log beside the file ---


def test_a_deleted_write_ahead_log_takes_no_answer(store, tmp_path) -> None:
    keep(store, a=b"1")
    store.begin()
    store.keep({"a": b"2"})
    Path(tmp_path / "poll.db-wal").unlink()
    with pytest.raises(pv.StorageError, match="was deleted or replaced during the call, which is not stored"):
        store.commit()
    store.rollback()


def test_a_file_by_another_name_is_synced_where_it_is(tmp_path) -> None:
    folder = tmp_path / "real"
    folder.mkdir()
    (tmp_path / "poll.db").symlink_to(folder / "poll.db")
    store = SQLiteStore(folder / "poll.db")
    with pv.Poll(ITEMS, store=store, rng=1), pv.Poll.open(tmp_path / "poll.db") as poll:
        poll.answer("anna", poll.ask("anna").id, "left")
        assert len(poll.votes()) == 1
    assert not (tmp_path / "poll.db-wal").exists()
