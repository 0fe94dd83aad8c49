"""A poll's file when things go wrong: locked, full, read-only, truncated, foreign, edited."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from strategies import assert_same_votes

import pairvote as pv
from pairvote.poll import SQLiteStore

ITEMS = ["ash", "birch", "cedar", "doum"]


@pytest.fixture
def path(tmp_path) -> Path:
    """A poll with 40 answers and one open question, in one file."""
    path = tmp_path / "poll.db"
    with pv.Poll(ITEMS, store=path, rng=1) as poll:
        for number in range(40):
            voter = number % 4
            poll.answer(voter, poll.ask(voter).id, ("left", "right", "tie")[number % 3])
        poll.ask("anna")
    assert not path.with_name("poll.db-wal").exists()
    return path


def connected(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def edit(path: Path, *statements: str) -> None:
    with connected(path) as connection:
        for statement in statements:
            connection.execute(statement)


# --- beginning and opening ---


def test_a_file_that_is_there_is_not_begun_again(path) -> None:
    before = path.read_bytes()
    with pytest.raises(
        pv.InputError, match=r"a file that is there already; go on with the poll in it by Poll\.open\('"
    ):
        pv.Poll(ITEMS, store=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not there; check the path, or begin a poll"),
        (b"", r"has no events in it: they may be in a file poll\.db-wal .* copy the two together, or begin a poll in"),
        (b"name,votes\nash,3\n" * 100, "is not a file of SQLite, or its beginning is damaged; check the path"),
        (b"SQLite format 3\0" + bytes(5000), "is not a file of SQLite|is damaged"),
    ],
)
def test_what_is_no_poll_is_not_opened(tmp_path, content, message: str) -> None:
    path = tmp_path / "poll.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(pv.StorageError, match=message):
        pv.Poll.open(path)
    assert (path.read_bytes() if path.exists() else None) == content


def test_another_programs_file_is_not_opened_nor_changed(tmp_path) -> None:
    path = tmp_path / "other.db"
    edit(path, "CREATE TABLE events (number)", "PRAGMA application_id = 7")
    before = path.read_bytes()
    with pytest.raises(pv.StorageError, match="holds no poll; check the path"):
        pv.Poll.open(path)
    assert path.read_bytes() == before


def test_a_directory_and_a_place_that_is_none(tmp_path) -> None:
    with pytest.raises(pv.StorageError, match="cannot be opened; make the file and its directory readable"):
        pv.Poll.open(tmp_path)
    with pytest.raises(pv.InputError, match="store is None; pass the path of a file"):
        pv.Poll.open(None)
    with pytest.raises(pv.StorageError, match=r"cannot be made \(No such file or directory\); choose another place"):
        pv.Poll(ITEMS, store=tmp_path / "nowhere" / "poll.db")


def test_a_later_format_is_left_to_later_versions(path) -> None:
    edit(path, "PRAGMA user_version = 3")
    with pytest.raises(
        pv.StorageError, match="has format 3 and this pairvote knows 2; open it with the one that wrote"
    ):
        pv.Poll.open(path)


def test_a_path_means_the_same_file_after_a_change_of_directory(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a poll?mode=memory#% å.db"
    with pv.Poll(ITEMS, store=name, rng=1) as poll:
        poll.close()
        monkeypatch.chdir("/")
        poll.ask("anna")
    assert [found.name for found in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a\0b.db", "\ud800.db"])
def test_what_no_file_can_be_called_is_refused(name: str) -> None:
    for act in (lambda: pv.Poll(ITEMS, store=name), lambda: pv.Poll.open(name)):
        with pytest.raises(pv.InputError, match="which no file can be called; pass another path"):
            act()
    with pytest.raises(pv.StorageError, match="cannot be made"):
        pv.Poll(ITEMS, store="x" * 5000 + ".db")


def test_a_copy_of_the_main_file_alone_is_not_said_to_be_worthless(tmp_path) -> None:
    path, copy = tmp_path / "poll.db", tmp_path / "copy.db"
    with pv.Poll(ITEMS, store=path, rng=1) as poll:
        poll.answer("anna", poll.ask("anna").id, "left")
        shutil.copy(path, copy)
        with pytest.raises(
            pv.StorageError, match=r"may be in a file copy\.db-wal that was left .* copy the two together"
        ):
            pv.Poll.open(copy)
        # The remedy, followed.
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
        assert_same_votes(pv.Poll.open(copy).votes(), poll.votes())


# --- only a poll's own schema ---

FOREIGN = {
    "trigger drop": "CREATE TRIGGER 'drop' BEFORE INSERT ON events WHEN new.kind = 2 BEGIN SELECT RAISE(IGNORE); END",
    "index once": "CREATE UNIQUE INDEX once ON events (kind, b) WHERE kind = 99",
    "view more": "CREATE VIEW more AS SELECT 1",
    "table mine": "CREATE TABLE mine (a)",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_schema_that_pairvote_did_not_make_is_not_opened(path, name: str) -> None:
    edit(path, FOREIGN[name])
    with pytest.raises(pv.StorageError, match=f"holds '{name}', which pairvote did not make; open a poll's own file"):
        pv.Poll.open(path)


def test_a_view_in_the_place_of_the_events_is_not_read(path) -> None:
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS number FROM r WHERE n < 0"
    edit(path, "ALTER TABLE events RENAME TO other", f"CREATE VIEW events AS {endless}")
    with pytest.raises(pv.StorageError, match="holds 'table other', 'view events', which pairvote did not make"):
        pv.Poll.open(path)


def test_another_table_of_events_is_not_opened_and_what_analyze_leaves_is(path) -> None:
    edit(path, "ANALYZE")
    pv.Poll.open(path).close()
    edit(path, "ALTER TABLE events ADD COLUMN d DEFAULT 'x'")
    with pytest.raises(pv.StorageError, match="holds 'table events', which pairvote did not make"):
        pv.Poll.open(path)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE records", "has lost its table 'records'; restore the file from a copy"),
        ("ALTER TABLE records ADD COLUMN d", "holds 'table records', which pairvote did not make"),
        ("CREATE INDEX long ON records (length(content))", "holds 'index long', which pairvote did not make"),
    ],
)
def test_other_records_than_pairvotes_are_not_opened(path, statement: str, message: str) -> None:
    edit(path, statement)
    with pytest.raises(pv.StorageError, match=message):
        pv.Poll.open(path)


# --- another log in the file's place ---


def answered(poll: pv.Poll, voter: str, times: int) -> None:
    for _ in range(times):
        poll.answer(voter, poll.ask(voter).id, "left")


def copied(source: Path, target: Path) -> None:
    with connected(source) as read, connected(target) as written:
        read.backup(written)


def test_a_deleted_file_takes_no_answer(path) -> None:
    with pv.Poll.open(path) as poll:
        question = poll.ask("anna")
        kept = path.with_name("kept.db")
        copied(path, kept)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink()
        for act in (lambda: poll.answer("anna", question.id, "left"), lambda: poll.ask("new"), poll.votes):
            with pytest.raises(pv.StorageError, match="is not there; check the path"):
                act()
        assert not path.exists()
        # What is put back is gone on with.
        kept.rename(path)
        poll.answer("anna", question.id, "left")
        assert len(poll.votes()) == 41


def test_a_file_that_is_replaced_is_the_poll_from_then_on(path) -> None:
    copied(path, path.with_name("copy.db"))
    with pv.Poll.open(path) as poll:
        question = poll.ask("anna")
        answered(poll, "new", 3)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink()
        path.with_name("copy.db").rename(path)
        # A look at it gives what is there, and a change is told of once.
        assert len(poll.votes()) == 40
        with pytest.raises(pv.StorageError, match=r"no longer holds event \d+, .* send the same call again") as told:
            poll.answer("anna", question.id, "left")
        assert "restored from a copy" in str(told.value)
        assert len(pv.Poll.open(path).votes()) == len(poll.votes()) == 40
        poll.answer("anna", question.id, "left")
        assert_same_votes(pv.Poll.open(path).votes(), poll.votes())
        assert len(poll.votes()) == 41
        poll.verify()


@pytest.mark.parametrize("others", [False, True], ids=["alone", "another wrote first"])
@pytest.mark.parametrize("lost", [1, 7])
def test_a_copy_restored_below_a_worker_is_gone_on_with(path, lost: int, others: bool) -> None:
    copy = path.with_name("copy.db")
    copied(path, copy)
    with pv.Poll.open(path) as poll:
        answered(poll, "cai", lost)
        copied(copy, path)
        if others:
            with pv.Poll.open(path) as other:
                answered(other, "dora", lost)
        with pytest.raises(pv.StorageError, match="no longer holds event"):
            poll.ask("cai")
        answered(poll, "cai", 2)
        with pv.Poll.open(path) as fresh:
            assert_same_votes(fresh.votes(), poll.votes())
            assert [poll.remaining(voter) for voter in ("cai", "dora")] == [18, 20 - lost * others]
            assert fresh.verify() == poll.verify()
            assert fresh.ask("next") == poll.ask("next")


def test_a_log_that_loses_its_end_in_a_store_of_ones_own_is_noticed() -> None:
    store = pv.poll.MemoryStore()
    poll = pv.Poll(ITEMS, store=store, rng=1)
    answered(poll, "anna", 4)
    del store._events[-3:]
    assert poll.remaining("anna") == 18
    with pytest.raises(pv.StorageError, match="the poll in memory no longer holds event 9"):
        poll.ask("anna")
    answered(poll, "anna", 1)
    assert_same_votes(pv.Poll.open(store).votes(), poll.votes())


def test_a_file_that_is_replaced_during_a_call_acknowledges_nothing(path) -> None:
    class Slow(SQLiteStore):
        replace = False

        def append(self, events):
            super().append(events)
            if self.replace:
                self.replace = False
                path.rename(path.with_name("gone.db"))

    store = Slow(path)
    with pv.Poll.open(store) as poll:
        question = poll.ask("anna")
        store.replace = True
        with pytest.raises(
            pv.StorageError, match=r"was deleted or replaced during the call, which is not stored|is not there; check"
        ):
            poll.answer("anna", question.id, "left")


# --- locked, full, read-only ---


def test_a_locked_file_is_said_to_be_and_nothing_is_lost(path) -> None:
    with pv.Poll.open(SQLiteStore(path, busy_seconds=0.05)) as poll:
        question = poll.ask("anna")
        with connected(path) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                with pytest.raises(pv.StorageError, match=r"by another process for 0\.05 seconds; end the one"):
                    poll.answer("anna", question.id, "left")
            # To look at it needs no lock.
            assert len(poll.votes()) == 40
            other.execute("ROLLBACK")
        poll.answer("anna", question.id, "left")
        assert len(poll.votes()) == 41
        poll.verify()


def test_opening_waits_for_whoever_has_the_file_alone(path) -> None:
    """As the last one does who closes it."""
    alone = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    alone.execute("PRAGMA locking_mode = EXCLUSIVE")
    alone.execute("BEGIN IMMEDIATE")
    with pytest.raises(pv.StorageError, match=r"by another process for 0\.05 seconds; end the one"):
        pv.Poll.open(SQLiteStore(path, busy_seconds=0.05))
    ends = threading.Timer(0.1, alone.close)
    ends.start()
    with pv.Poll.open(path) as poll:
        assert len(poll.votes()) == 40
    ends.join()


FULL = """
import resource, signal, sys
import pairvote as pv
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
poll = pv.Poll.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
acknowledged, failed = 0, 0
for voter in range(100, 100_000):
    try:
        question = poll.ask(voter)
        poll.answer(voter, question.id, "left")
        acknowledged += 1
    except pv.StorageError as error:
        failed += 1
        assert "the disk" in str(error), error
        if failed == 3:
            break
seen = len(poll.votes())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
# There is room again.
poll.answer(voter, poll.ask(voter).id, "left")
print(acknowledged, seen, len(poll.votes()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes are limited by POSIX only")
def test_a_full_disk_loses_nothing_that_was_acknowledged(path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    acknowledged, seen, after = map(int, done.stdout.split())
    assert acknowledged > 5
    assert (seen, after) == (40 + acknowledged, 41 + acknowledged)
    with pv.Poll.open(path) as poll:
        assert len(poll.votes()) == after
        poll.verify()


def test_a_full_file_says_so(path) -> None:
    with pv.Poll.open(path) as poll:
        poll.ask("anna")
        connection = poll._log.store._writing.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(pv.StorageError, match="has no room to grow: the disk is full; make room and send the same"):  # noqa: PT012
            for voter in range(1000, 2000):
                connection.execute(f"PRAGMA max_page_count = {pages}")
                poll.answer(voter, poll.ask(voter).id, "left")
        count = len(poll.votes())
        # The connection that failed is not used again, and with it went the limit.
        poll.answer(voter, poll.ask(voter).id, "left")
        assert len(poll.votes()) == count + 1
        poll.verify()


READ_ONLY = """
import os, sys
import pairvote as pv
path, user = sys.argv[1], int(sys.argv[2])
pv.Poll(["ash", "birch"]).ask("anna")  # loads what is needed, which another user may not be able to
if user:
    os.setuid(user)
poll = pv.Poll.open(path)
print(len(poll.votes()), len(poll.verify()))
for act in (lambda: poll.ask("new"), lambda: poll.answer("anna", poll.ask("anna").id, "left")):
    try:
        act()
    except pv.StorageError as error:
        print(error)
print(len(poll.votes()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_file_that_may_only_be_read_is_read(path) -> None:
    # To the superuser every file may be written, so the child becomes another user.
    folder = Path(tempfile.mkdtemp())
    try:
        copy = folder / "poll.db"
        shutil.copy(path, copy)
        copy.chmod(0o444)
        with contextlib.closing(sqlite3.connect(copy)) as keeper:
            # A reader of a WAL file needs the shared memory of one who may write, or a directory to make it in.
            keeper.execute("SELECT count(*) FROM events").fetchone()
            for file in folder.iterdir():
                file.chmod(0o444)
            folder.chmod(0o555)
            user = 65534 if os.getuid() == 0 else 0
            done = subprocess.run(
                [sys.executable, "-c", READ_ONLY, copy, str(user)], capture_output=True, text=True, check=False
            )
        assert done.returncode == 0, done.stderr
        first, *refused, last = done.stdout.splitlines()
        assert (first, last) == ("40 64", "40")
        assert len(refused) == 2
        assert all("may only be read; make the file and its directory writable to go on voting" in r for r in refused)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


# --- truncated and edited ---


def test_a_truncated_file_is_not_opened(path) -> None:
    whole = path.read_bytes()
    assert len(whole) > 3 * 4096
    for length in (50, 100, 4096, 5000, len(whole) // 2, len(whole) - 4096):
        path.write_bytes(whole[:length])
        with pytest.raises(pv.StorageError, match=r"restore|check the path"):
            pv.Poll.open(path)
        assert path.read_bytes() == whole[:length]
    # SQLite reads the byte that is not there as zero; it is the end of a digest.
    path.write_bytes(whole.rstrip(b"\0")[:-1])
    with (
        pv.Poll.open(path) as poll,
        pytest.raises(pv.StorageError, match=r"event \d+ of .* was changed after it was written"),
    ):
        poll.verify()
    path.write_bytes(whole)
    with pv.Poll.open(path) as poll:
        assert len(poll.votes()) == 40


def test_a_log_that_was_cut_short_is_found_by_a_digest_written_down(path) -> None:
    with pv.Poll.open(path) as poll:
        noted = poll.verify()
        poll.answer("anna", poll.ask("anna").id, "left")
        assert poll.verify(noted) != noted
    edit(path, "DELETE FROM events WHERE number > 80")
    with pv.Poll.open(path) as poll:
        poll.verify()
        with pytest.raises(pv.StorageError, match=f"ends at event 80 and no event has the digest {noted}: .* cut off"):
            poll.verify(noted)


EDITS = {
    "an outcome": ("UPDATE events SET b = 2 - b WHERE number = 3", 3),
    "another outcome": ("UPDATE events SET b = 3 WHERE number = 41", 41),
    "a voter": ("UPDATE events SET a = 5 WHERE number = 40", 40),
    "a voter's type": ("UPDATE events SET a = CAST(a AS TEXT) WHERE number = 40", 40),
    "the sides": ("UPDATE events SET b = c, c = b WHERE number = 2", 2),
    "a time": ("UPDATE events SET time = time + 1e-6 WHERE number = 12", 12),
    "a kind": ("UPDATE events SET kind = 4 WHERE number = 81", 81),
    "a digest": ("UPDATE events SET digest = zeroblob(32) WHERE number = 7", 7),
    "the seed": ("""UPDATE events SET a = replace(a, '"seed": ', '"seed": 1') WHERE number = 1""", 1),
    "one taken out": ("DELETE FROM events WHERE number = 30", 30),
    "the first taken out": ("DELETE FROM events WHERE number = 1", 1),
    "an empty log": ("DELETE FROM events", None),
    "no table": ("DROP TABLE events", None),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_log_is_found_out(path, name: str) -> None:
    statement, event = EDITS[name]
    with pv.Poll.open(path) as poll:
        noted = poll.verify()
        edit(path, statement)
        with pytest.raises(pv.StorageError, match=rf"event {event}\b|first event|no event has the digest|holds no log"):
            poll.verify(noted)
        if event is not None:
            with pytest.raises(pv.StorageError, match=rf"event {event} .*restore the file from a copy"):
                poll.verify()
    # Opening looks at what cannot have happened only.
    with contextlib.suppress(pv.StorageError):
        pv.Poll.open(path).close()


IMPOSSIBLE = {
    "a time that is text": "UPDATE events SET time = 'abc' WHERE number = 6",
    "a time without end": "UPDATE events SET time = 9e999 WHERE number = 6",
    "a blob": "UPDATE events SET a = X'00' WHERE number = 6",
    "a kind that is text": "UPDATE events SET kind = 'asked' WHERE number = 6",
    "a kind below all": "UPDATE events SET kind = -1 WHERE number = 6",
    "an outcome that is text": "UPDATE events SET b = 'left' WHERE number = 3",
    "an outcome that is none": "UPDATE events SET b = 9 WHERE number = 3",
    "an item that is none": "UPDATE events SET b = 99 WHERE number = 2",
    "digests that are text": "UPDATE events SET digest = 'x'",
    "a second question": "UPDATE events SET kind = 1, a = 3, b = 0, c = 1 WHERE number = 81",
    "a seed below all": """UPDATE events SET a = replace(a, '"seed": ', '"seed": -') WHERE number = 1""",
    "a seed that is text": """UPDATE events SET a = replace(a, '"seed": ', '"seed": "x", "x": ') WHERE number = 1""",
    "items that are lists": """UPDATE events SET a = replace(a, '"items": [', '"items": [["a"],') WHERE number = 1""",
    "settings that are no JSON": "UPDATE events SET a = 'x' WHERE number = 1",
    "a limit that is none": """UPDATE events SET a = replace(a, 'each": 20', 'each": []') WHERE number = 1""",
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_whatever_is_in_a_log_is_an_answer_or_a_storage_error(path, name: str) -> None:
    edit(path, IMPOSSIBLE[name])
    try:
        with pv.Poll.open(path) as poll:
            poll.answer("cai", poll.ask("cai").id, "left")
            poll.votes(), poll.counts()
            raise AssertionError(f"{name} is taken")
    except pv.StorageError as error:
        assert "restore the file from a copy" in str(error)  # noqa: PT017


def test_an_event_of_a_later_version_is_told_as_that(path) -> None:
    edit(path, "INSERT INTO events VALUES (83, 1e12, 99, 'x', NULL, NULL, zeroblob(32))")
    with pytest.raises(
        pv.StorageError, match=r"event 83 of .* is of kind 99, .* a later version wrote it; go on"
    ) as told:
        pv.Poll.open(path)
    assert "copy" not in str(told.value)


def test_a_byte_of_the_schema_that_is_no_text(path) -> None:
    path.write_bytes(
        path.read_bytes().replace(b"number INTEGER PRIMARY KEY", b"number INTEGER \xff\xff\xff\xff\xff\xff\xff KEY")
    )
    with pytest.raises(pv.StorageError, match="restore"):
        pv.Poll.open(path)


def test_swapped_events_are_found_out(path) -> None:
    edit(
        path,
        "UPDATE events SET number = 1000 WHERE number = 11",
        "UPDATE events SET number = 11 WHERE number = 13",
        "UPDATE events SET number = 13 WHERE number = 1000",
    )
    with pytest.raises(pv.StorageError, match=r"event 11 of .* does not follow from those before it"):
        pv.Poll.open(path)


@pytest.mark.parametrize("event", [30, 31], ids=["a question", "an answer"])
def test_a_removed_row_is_not_passed_over(path, event: int) -> None:
    edit(path, f"DELETE FROM events WHERE number = {event}")
    with pytest.raises(
        pv.StorageError, match=rf"event {event + 1} of .* does not follow from those before it .*restore"
    ):
        pv.Poll.open(path)
    edit(path, "DELETE FROM events")
    with pytest.raises(pv.StorageError, match=r"the first event of .* does not say how the poll was begun"):
        pv.Poll.open(path)


def test_the_log_is_what_the_documentation_says(path) -> None:
    """Anybody can check the chain without pairvote."""
    import hashlib
    import json

    before = bytes(32)
    with connected(path) as connection:
        for *content, digest in connection.execute("SELECT * FROM events ORDER BY number"):
            text = json.dumps(content, separators=(",", ":"))
            assert hashlib.sha256(before + text.encode()).digest() == digest
            before = digest
    with pv.Poll.open(path) as poll:
        assert poll.verify() == before.hex()


# --- failures in the middle ---


class Failing(SQLiteStore):
    """A store that is interrupted after it has appended, or before it commits."""

    failing: str | None = None

    def begin(self):
        super().begin()
        if self.failing == "begin":
            raise KeyboardInterrupt

    def append(self, events):
        super().append(events)
        if self.failing == "append":
            raise KeyboardInterrupt

    def commit(self):
        if self.failing == "commit":
            raise KeyboardInterrupt
        super().commit()


@pytest.mark.parametrize("step", ["begin", "append", "commit"])
def test_whatever_fails_the_state_is_never_ahead_of_the_disk(path, step: str) -> None:
    store = Failing(path)
    with pv.Poll.open(store) as poll, pv.Poll.open(path) as other:
        question = poll.ask("anna")
        store.failing = step
        with pytest.raises(KeyboardInterrupt):
            poll.answer("anna", question.id, "left")
        with pytest.raises(KeyboardInterrupt):
            poll.remove_voter(0)
        # No transaction is left open.
        with connected(path) as third:
            third.execute("BEGIN IMMEDIATE")
            third.execute("ROLLBACK")
        store.failing = None
        assert_same_votes(poll.votes(), other.votes())
        assert len(poll.votes()) == 40
        assert poll.ask("anna") == question == other.ask("anna")
        poll.answer("anna", question.id, "left")
        assert_same_votes(poll.votes(), other.votes())
