"""What an organiser with doubts tried: logs and snapshots from others, and blocks of `within` in each other."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from poll_views import Kept, assert_same_poll, eager, snapshots, write_snapshots

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.poll._book import QUESTION_COLUMNS
from pairvote.poll._snapshot import _hash, _head

sa = pytest.importorskip("sqlalchemy")

ITEMS = ["ash", "birch", "cedar"]
SAMPLERS = ["uniform", "balanced", "catch-up", "swiss", "information-gain", pv.sampling.TopK(2)]


def answer(poll: pv.Poll, voter: str | int, outcome: str = "left") -> int:
    question = poll.ask(voter)
    poll.answer(voter, question.id, outcome)
    return question.id


# --- what somebody else wrote ---


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize(("left", "right"), [(3, 0), (0, 3), (16_000_000, 1), (1, 1), (2**24 - 1, 2**24 - 1)])
@pytest.mark.parametrize("voter", [None, 0])
def test_an_imported_vote_on_items_that_are_not_there_is_refused(sampler, left: int, right: int, voter) -> None:
    store = MemoryStore()
    poll = pv.Poll(ITEMS, store=store, sampler=sampler, rng=1)
    answer(poll, "anna")
    number, time, *_, before = list(store.events(0))[-1]
    content = (number + 1, time, 16, voter, left * 2**24 + right, 2)
    digest = hashlib.sha256(before + json.dumps(content, separators=(",", ":")).encode()).digest()
    store.begin()
    store.append([(*content, digest)])
    store.commit()
    for act in (poll.votes, lambda: pv.Poll.open(store)):
        with pytest.raises(pv.StorageError, match=f"event {number + 1}"):
            act()


@pytest.mark.parametrize(
    ("column", "value"),
    [("left", 3), ("left", -1), ("left", 2**31 - 1), ("right", 99), ("right", -(2**31)), ("answer", 4), ("voter", 7)],
)
def test_a_snapshot_that_speaks_of_what_is_not_there_is_passed_over(column: str, value: int) -> None:
    """Its hashes fit, as whoever writes into a file can compute them."""
    store = Kept(MemoryStore())
    poll = eager(pv.Poll(ITEMS, store=store, sampler="information-gain", rng=1))
    for number in range(12):
        answer(poll, f"voter {number % 4}", ("left", "tie", "skip")[number % 3])
    records = snapshots(store)
    rows = records["snapshot/rows/00000000"]
    sizes = [np.dtype(kind).itemsize for kind in QUESTION_COLUMNS.values()]
    names = list(QUESTION_COLUMNS)
    start = len(rows) // sum(sizes) * sum(sizes[: names.index(column)])
    changed = rows[:start] + value.to_bytes(4, "little", signed=True) + rows[start + 4 :]
    head = _head(poll._log._state, [_hash(changed)])
    write_snapshots(store, {**records, "snapshot/head": head, "snapshot/rows/00000000": changed})
    opened = pv.Poll.open(store)
    assert opened.counts() == poll.counts()
    assert_same_poll(opened, poll, ["voter 0", "voter 3", "new"])


# --- blocks in each other, and tasks ---


@pytest.fixture
def engine(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/site.db")
    yield engine
    engine.dispose()


@pytest.fixture
def poll(engine):
    with pv.Poll(ITEMS, store=pv.poll.SQLStore(engine, name="kalmar"), rng=1) as poll:
        answer(poll, "anna")
        yield poll


def test_a_block_within_a_block_sees_and_adds_to_what_that_did(engine, poll) -> None:
    with engine.begin() as connection, poll.within(connection):
        poll.add_item("dome")
        with poll.within(connection):
            poll.add_item("elm")
            with pytest.raises(pv.InputError):
                poll.retire_item("none")
        assert poll.items == (*ITEMS, "dome", "elm")
        poll.add_item("fir")
        answer(poll, "bo", "tie")
    assert poll.items == (*ITEMS, "dome", "elm", "fir")
    assert_same_poll(pv.Poll.open(pv.poll.SQLStore(engine, name="kalmar")), poll, ["anna", "bo", "new"])


def test_what_a_savepoint_takes_back_the_block_around_it_does_not_have(engine, poll) -> None:
    def taken_back(connection) -> None:
        with connection.begin_nested(), poll.within(connection):
            poll.add_item("elm")
            answer(poll, "gone")
            raise KeyError

    with engine.begin() as connection, poll.within(connection):
        poll.add_item("dome")
        with pytest.raises(KeyError):
            taken_back(connection)
        assert poll.items == (*ITEMS, "dome")
        assert poll.history("gone") == []
        answer(poll, "bo", "tie")
    assert [voter.voter for voter in poll.voters()] == ["anna", "bo"]
    assert_same_poll(pv.Poll.open(pv.poll.SQLStore(engine, name="kalmar")), poll, ["anna", "bo", "gone"])


def test_a_savepoint_that_goes_back_below_a_block_is_noticed_by_it(engine, poll) -> None:
    with engine.begin() as connection, poll.within(connection):
        poll.add_item("dome")
        savepoint = connection.begin_nested()
        poll.add_item("elm")
        savepoint.rollback()
        with pytest.raises(pv.StorageError, match="no longer holds event"):
            poll.add_item("fir")
        assert poll.add_item("fir") is True
    assert poll.items == (*ITEMS, "dome", "fir")
    assert len(poll.verify()) == 64


def test_a_block_is_that_of_the_threads_to_which_its_task_hands_calls(engine, poll) -> None:
    async def approve() -> None:
        with engine.begin() as connection, poll.within(connection):
            await asyncio.to_thread(poll.add_item, "dome")
            questions = await asyncio.gather(*(asyncio.to_thread(poll.ask, voter) for voter in range(5)))
            assert len({question.id for question in questions}) == 5
            raise RuntimeError("the request failed")

    with pytest.raises(RuntimeError):
        asyncio.run(approve())
    assert poll.items == tuple(ITEMS)
    assert [voter.voter for voter in poll.voters()] == ["anna"]


def test_all_of_a_poll_can_be_done_and_copied_in_a_block(engine, poll, tmp_path) -> None:
    with engine.begin() as connection, poll.within(connection):
        poll.import_votes(pv.Votes.from_labels(["ash"], ["birch"], ["left"], voter=["paper"]))
        poll.end()
        poll.reopen()
        poll.change_settings(sampler="swiss", votes_each=3)
        poll.rename_item("ash", "oak")
        poll.remove_voter("anna")
        digest = poll.verify()
        assert poll.backup(tmp_path / "copy.db") == digest == poll.copy_to(MemoryStore())
        poll.forget_voter("paper")
    assert poll.settings.votes_each == 3
    assert poll.votes().voters == ("forgotten-2",)
    with pv.Poll.open(tmp_path / "copy.db") as copy:
        assert copy.votes().voters == ("paper",)


# --- forgetting in every state ---

ANNA = 'anna-"läuft"@example.org'


def _open(poll: pv.Poll) -> None:
    answer(poll, ANNA)
    poll.ask(ANNA)


def _removed(poll: pv.Poll) -> None:
    _open(poll)
    poll.remove_voter(ANNA)


def _imported(poll: pv.Poll) -> None:
    poll.import_votes(pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left", "skip"], voter=[ANNA] * 2))


def _ended(poll: pv.Poll) -> None:
    _open(poll)
    poll.end()


def _undone(poll: pv.Poll) -> None:
    answer(poll, ANNA)
    poll.undo(ANNA)
    poll.retire_item("ash")


STATES = {
    "only asked": lambda poll: poll.ask(ANNA),
    "open": _open,
    "removed": _removed,
    "banned": lambda poll: poll.remove_voter(ANNA),
    "in a group": lambda poll: poll.set_group(ANNA, "business"),
    "imported": _imported,
    "ended": _ended,
    "undone": _undone,
}


@pytest.mark.parametrize("votes", ["keep", "drop"])
@pytest.mark.parametrize("state", STATES)
def test_a_voter_is_forgotten_in_whatever_state_she_is(tmp_path, state: str, votes: str) -> None:
    path = tmp_path / "poll.db"
    with pv.Poll(ITEMS, store=SQLiteStore(path, "fast"), rng=1) as poll, pv.Poll.open(path) as other:
        answer(other, "bo")
        STATES[state](eager(poll))
        noted, n_votes, hers = other.verify(), len(poll.votes()), len(poll.history(ANNA))
        assert poll.forget_voter(ANNA, votes=votes) is True
        assert other.forget_voter(ANNA, votes=votes) is False
        for each in (poll, other):
            assert each.verify(noted) == poll.verify()
            assert len(each.votes()) == (n_votes if votes == "keep" else n_votes - hers)
            assert ANNA not in {*each.votes().voters, *each.groups(), *(voter.voter for voter in each.voters())}
            assert each.remaining(ANNA) == 20
        poll.backup(tmp_path / "copy.db")
        poll.copy_to(tmp_path / "other.db")
        files = [file for file in Path(tmp_path).iterdir() if file.name.startswith("poll.db")]
        assert len(files) == 3
        for file in tmp_path.iterdir():
            assert b"@example.org" not in file.read_bytes(), file.name
        poll.reopen()
        poll.restore_item("ash")
        answer(other, ANNA)
        assert len(poll.history(ANNA)) == 1


# --- letting go while others go on ---


def test_a_poll_is_closed_again_and_again_while_others_vote(tmp_path) -> None:
    poll = pv.Poll(range(9), store=SQLiteStore(tmp_path / "poll.db", "fast"), votes_each=30, rng=1)
    failures: list[BaseException] = []

    def vote(voter: int) -> None:
        try:
            for _ in range(30):
                answer(poll, voter)
                poll.counts()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=vote, args=(voter,)) for voter in range(5)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        poll.close()
        threads[0].join(0.001)
    assert failures == []
    assert len(poll.votes()) == 150
    poll.close()
    if os.path.isdir("/proc/self/fd"):
        opened = [os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
        assert not [name for name in opened if name.startswith(str(tmp_path))]


def test_half_a_character_in_a_log_is_refused_when_it_is_opened() -> None:
    store = MemoryStore()
    poll = pv.Poll(["ash", "birch"], store=store, rng=1)
    poll.add_item("cedar")
    number, time, kind, _, b, c, _ = store.events(1)[0]
    store._events[1] = (number, time, kind, "\ud800", b, c, bytes(32))
    with pytest.raises(pv.StorageError, match=r"event 2 .* does not follow"):
        pv.Poll.open(store)
