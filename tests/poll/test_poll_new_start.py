"""A poll that begins with nothing, what its votes are stamped with, its number, and its copies."""

from __future__ import annotations

import copy
import pickle
import sqlite3
import threading

import numpy as np
import pytest
from gated_store import Call
from poll_views import WithoutSnapshots, assert_same_poll

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.sampling import Balanced, CatchUp, InformationGain, Swiss, TopK, Uniform

ITEMS = ["ash", "birch", "cedar", "doum"]
SAMPLERS = [Uniform(), Balanced(), CatchUp(), Swiss(), InformationGain(), TopK(1)]


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "poll.db", durability="fast")


def as_replayed(poll: pv.Poll) -> None:
    for store in (poll._log.store, WithoutSnapshots(poll._log.store)):
        assert_same_poll(poll, pv.Poll.open(store), ["anna", "bo"])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
@pytest.mark.parametrize("items", [[], ["ash"]], ids=["empty", "one"])
def test_a_poll_begins_with_no_items_or_one(store, sampler, items) -> None:
    with pv.Poll(items, sampler=sampler, store=store, rng=1) as poll:
        assert poll.items == tuple(items)
        assert (len(poll.votes()), poll.votes().items, poll.counts().n_pairs) == (0, tuple(items), 0)
        with pytest.raises(pv.StateError, match="fewer than two items are left"):
            poll.ask("anna")
        assert poll.remaining("anna") == 20
        assert poll.voters() == []
        assert poll.settings.items == tuple(items)
        as_replayed(poll)
        for label in ITEMS[len(items) :]:
            poll.add_item(label)
        assert poll.items == tuple(ITEMS)
        for voter in ("anna", "bo"):
            while (question := poll.ask(voter)) is not None:
                poll.answer(voter, question.id, "left")
        assert len(poll.votes()) == 40
        as_replayed(poll)


def test_votes_have_the_time_and_the_question_of_their_answer(store) -> None:
    now = [1e9]

    def clock() -> float:
        now[0] += 0.1
        return now[0]

    with pv.Poll(ITEMS, store=store, rng=1, clock=clock) as poll:
        assert poll.votes().time.dtype == np.float64
        assert poll.votes().question.dtype == np.int64
        for voter in ("anna", "bo") * 3:
            poll.answer(voter, poll.ask(voter).id, "left")
        given = {answer.id: answer.time for voter in ("anna", "bo") for answer in poll.history(voter)}
        votes = poll.votes()
        assert dict(zip(votes.question.tolist(), votes.time.tolist(), strict=True)) == given
        assert votes.time.tolist() == sorted(votes.time.tolist())
        # The log's own times, to the last bit.
        logged = {event[3]: event[1] for event in store.events(0) if event[2] == 2}
        assert logged == given
        # A change leaves the time; an answer after an undo has its own.
        poll.change("anna", votes.question[0].item(), "tie")
        assert poll.votes().time.tolist() == votes.time.tolist()
        last = poll.undo("bo")
        poll.answer("bo", last.id, "right")
        assert poll.votes().question[-1] == last.id
        assert poll.votes().time[-1] > votes.time[-1]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_export_carries_time_and_question(tmp_path, suffix: str) -> None:
    poll = pv.Poll(ITEMS, rng=1, clock=lambda: 1.7e9 + 1 / 3)
    for voter in ("anna", "bo"):
        poll.answer(voter, poll.ask(voter).id, "left")
    poll.export(tmp_path / f"votes.{suffix}")
    read = pv.read_votes(tmp_path / f"votes.{suffix}", items=ITEMS, time="time", question="question")
    assert read.time.tolist() == [1.7e9 + 1 / 3] * 2
    assert read.question.tolist() == poll.votes().question.tolist()


def test_the_number_of_events_moves_when_anything_does(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        other = pv.Poll.open(store)
        assert poll.n_events == other.n_events == 1
        seen = [1]
        question = poll.ask("anna")
        for act in (
            lambda: None,
            lambda: poll.answer("anna", question.id, "left"),
            lambda: other.undo("anna"),
            lambda: other.add_item("fig"),
            lambda: poll.set_group("anna", "public"),
            lambda: other.change_settings(votes_each=3),
            lambda: poll.forget_voter("anna"),
            poll.end,
        ):
            act()
            seen.append(poll.n_events)
            assert other.n_events == poll.n_events == len(list(store.events(0)))
        assert seen == list(range(1, 10))
        # What changes nothing does not move it.
        poll.end()
        poll.add_item("fig")
        poll.votes(), poll.counts(), poll.verify()
        assert poll.n_events == 9


def test_another_strategy_goes_on_with_what_is_known(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        open_ = poll.ask("bo")
        for _ in range(5):
            poll.answer("anna", poll.ask("anna").id, "left")
        other = pv.Poll.open(store)
        for sampler in (*SAMPLERS, Balanced()):
            poll.change_settings(sampler=sampler)
            assert poll.settings.sampler == other.settings.sampler == sampler
            digest = poll.verify()
            poll.change_settings(sampler=sampler)
            assert poll.verify() == digest
            assert poll.ask("bo") == other.ask("bo") == open_
            with poll._log.reading() as state:
                assert state.stream.shown.sum() == 2 * (len(poll.votes()) + 1)
                assert state.stream.points.sum() == (poll.votes().outcome != 3).sum()
            poll.answer("anna", other.ask("anna").id, "tie")
            as_replayed(poll)
        poll.change_settings(sampler="swiss")
        assert other.settings.sampler == Swiss()
        for wrong in ("top-k", Balanced, 3):
            with pytest.raises(pv.InputError, match="sampler is "):
                poll.change_settings(sampler=wrong)


# --- copies ---


def test_a_copy_has_the_same_digest_and_goes_its_own_way(store, tmp_path) -> None:
    with pv.Poll(ITEMS, store=store, rng=1, criteria=["useful", "new"]) as poll:
        for voter in ("anna", "bo"):
            poll.answer(voter, poll.ask(voter).id, {"useful": "left", "new": "skip"})
        poll.set_group("anna", "public")
        poll.forget_voter("bo")
        noted = poll.verify()
        copies = [MemoryStore(), SQLiteStore(tmp_path / "copy.db", durability="fast")]
        for copy in copies:
            assert poll.copy_to(copy) == noted
            again = pv.Poll.open(copy)
            assert_same_poll(again, poll, ["anna", "bo"])
            again.answer("anna", again.ask("anna").id, "skip")
            assert again.verify(noted) != poll.verify() == noted
        with pytest.raises(pv.InputError, match="already"):
            poll.copy_to(copies[0])
        with pytest.raises(pv.InputError, match="store is 3"):
            poll.copy_to(3)


def test_a_backup_is_a_file_of_its_own(store, tmp_path) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        question = poll.ask("anna")
        path = tmp_path / "backup.db"
        digest = poll.backup(path)
        poll.answer("anna", question.id, "left")
        assert [file.name for file in tmp_path.iterdir() if "backup" in file.name] == ["backup.db"]
        with pytest.raises(pv.InputError, match="there already"):
            poll.backup(path)
        with pv.Poll.open(path) as again:
            assert again.verify() == digest
            assert again.ask("anna") == question
            assert len(again.votes()) == 0
        with pytest.raises(pv.PairvoteError, match="nowhere"):
            poll.backup(tmp_path / "nowhere" / "backup.db")
        assert not (tmp_path / "nowhere").exists()
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


@pytest.mark.slow
def test_every_backup_under_load_opens_and_holds_what_was_acknowledged(store, tmp_path) -> None:
    with pv.Poll(range(9), store=store, rng=1) as poll:
        acknowledged: list[int] = []
        running = [True]

        def vote(name: str) -> None:
            number = 0
            while running:
                voter = f"{name} {number % 500}"
                question = poll.ask(voter)
                if question is not None:
                    poll.answer(voter, question.id, "left")
                    acknowledged.append(question.id)
                number += 1
                # So that the log does not grow faster than it is copied.
                threading.Event().wait(0.002)

        threads = [Call(vote, str(number)) for number in range(3)]
        try:
            for number in range(25):
                before = set(acknowledged)
                digest = poll.backup(tmp_path / f"{number}.db")
                with pv.Poll.open(tmp_path / f"{number}.db") as copy:
                    assert copy.verify() == digest
                    assert before <= set(copy.votes().question.tolist())
                poll.verify(digest)
        finally:
            running.clear()
            for thread in threads:
                thread.result()


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_backup_beside_what_another_file_left_is_refused(store, tmp_path, suffix: str) -> None:
    with pv.Poll(["ash", "birch"], store=store) as poll:
        (tmp_path / f"copy.db{suffix}").write_bytes(b"of another")
        with pytest.raises(pv.InputError, match=f"has left .*copy.db{suffix}; remove that"):
            poll.backup(tmp_path / "copy.db")
        assert not (tmp_path / "copy.db").exists()


def test_a_url_is_not_taken_for_a_path_nor_is_its_password_told() -> None:
    url = "postgresql://user:secret@host/site"
    for begin in (lambda: pv.Poll(["ash"], store=url), lambda: pv.Poll.open(url), lambda: pv.Poll([]).copy_to(url)):
        with pytest.raises(pv.InputError, match=r"a URL of 'postgresql', .*SQLStore") as caught:
            begin()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("digest", ["", "00", "x" * 64, "0" * 62, 7])
def test_what_no_verify_returned_is_no_note_of_a_digest(digest) -> None:
    with pytest.raises(pv.InputError, match="pass what verify returned earlier"):
        pv.Poll(["ash", "birch"]).verify(digest)


def test_a_poll_is_neither_pickled_nor_copied(store) -> None:
    with pv.Poll(["ash", "birch"], store=store) as poll:
        for act in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(pv.StateError, match=r"cannot be pickled or copied; call Poll\.open"):
                act(poll)
