"""Snapshots: a poll opens sooner by them, is the same to the bit, and loses nothing when they are lost or damaged."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import sqlite3

import numpy as np
import pytest
from poll_views import (
    DAMAGES,
    Kept,
    WithoutSnapshots,
    assert_same_poll,
    damaged,
    snapshots,
    write_snapshots,
)

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.sampling import Balanced, CatchUp, InformationGain, Swiss, TopK, Uniform

pytestmark = pytest.mark.slow

SAMPLERS = [Uniform(), Balanced(), CatchUp(), Swiss(), InformationGain(), TopK(3)]
VOTERS = [f"voter {number}" for number in range(60)]
# Enough for several snapshots.
N_QUESTIONS = 2000


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return Kept(MemoryStore()) if request.param == "memory" else SQLiteStore(tmp_path / "poll.db", durability="fast")


def lived(poll: pv.Poll, n_questions: int = N_QUESTIONS, seed: int = 0) -> pv.Poll:
    """A poll in which everything has happened, and often."""
    rng = np.random.default_rng(seed)
    for number in range(n_questions):
        voter = VOTERS[rng.integers(len(VOTERS))]
        question = poll.ask(voter)
        what = rng.integers(100)
        if question is None or what < 3:
            continue
        poll.answer(voter, question.id, ("left", "right", "tie", "skip")[rng.integers(4)])
        if what < 8:
            poll.undo(voter)
        elif what < 12:
            poll.change(voter, poll.history(voter)[0].id, "left")
        elif what == 12:
            poll.set_group(voter, f"group {number % 3}")
        elif what == 13 and len(poll.retired) < 3:
            poll.retire_item(poll.items[rng.integers(len(poll.items))])
        elif what == 17 and len(poll.items) < 16:
            poll.add_item(f"late {len(poll.items)}")
        elif what == 14 and poll.retired:
            poll.restore_item(poll.retired[0])
        elif what == 15 and number % 5 == 0:
            poll.forget_voter(voter, votes=("keep", "drop")[number % 2])
        elif what == 16 and number % 9 == 0:
            poll.import_votes(pv.Votes.from_labels(["item 1"], ["item 2"], ["tie"], voter=[None]))
    poll.answer(f"spam {seed}", poll.ask(f"spam {seed}").id, "left")
    poll.remove_voter(f"spam {seed}")
    return poll


def begun(store, sampler=None, **options) -> pv.Poll:
    items = [f"item {number}" for number in range(12)]
    options = {"votes_each": 200, "skips_each": 200, "sampler": sampler or Balanced(), "rng": 1} | options
    return often(pv.Poll(items, store=store, **options))


def often(poll: pv.Poll) -> pv.Poll:
    """The poll, of which a snapshot is written after each few hundred calls."""
    poll._log.snapshots.after = 0.01
    return poll


def as_replayed(store) -> None:
    """From the snapshot and from the whole log the poll is one."""
    assert_same_poll(pv.Poll.open(store), pv.Poll.open(WithoutSnapshots(store)), VOTERS)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_a_poll_opened_from_its_snapshot_is_that_of_the_whole_log(store, sampler) -> None:
    adaptive = isinstance(sampler, (InformationGain, TopK))
    with lived(begun(store, sampler), N_QUESTIONS // (3 if adaptive else 1)) as poll:
        assert snapshots(store)
        again = often(pv.Poll.open(store))
        assert_same_poll(again, poll, VOTERS)
        as_replayed(store)
        # And they stay the same in what follows.
        lived(again, 300, seed=1)
        assert_same_poll(again, poll, VOTERS)
        as_replayed(store)


class Counted:
    """A store that counts the events that are read from it."""

    def __init__(self, store) -> None:
        self.store, self.n_read = store, 0

    def __getattr__(self, name: str):
        return getattr(self.store, name)

    def events(self, after):
        for event in self.store.events(after):
            self.n_read += 1
            yield event


def test_what_is_in_the_snapshot_is_not_read_again(store) -> None:
    with lived(begun(store)) as poll:
        counted = Counted(store)
        assert_same_poll(pv.Poll.open(counted), poll, VOTERS[:3])
        # assert_same_poll reads all events once, for the digest.
        assert poll.n_events < counted.n_read < 1.5 * poll.n_events


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_snapshot_costs_time_and_nothing_else(store, how) -> None:
    with lived(begun(store)) as poll:
        kept = snapshots(store)
        draw = random.Random(how)
        for _ in range(6):
            write_snapshots(store, damaged(kept, how, draw))
            assert_same_poll(pv.Poll.open(store), poll, VOTERS[:5])
        # Whoever goes on with it writes another.
        again = often(pv.Poll.open(store))
        before = snapshots(store)
        lived(again, 1000, seed=2)
        assert snapshots(store) != before
        assert_same_poll(again, poll, VOTERS)
        as_replayed(store)


def test_a_snapshot_of_another_poll_or_of_another_time_does_no_harm(store) -> None:
    other = Kept(MemoryStore())
    lived(begun(other), seed=5)
    with lived(begun(store), N_QUESTIONS // 2) as poll:
        older = snapshots(store)
        lived(poll, seed=3)
        for records in (snapshots(other), older, {**older, **snapshots(other)}, {**snapshots(store), **older}):
            write_snapshots(store, records)
            assert_same_poll(pv.Poll.open(store), poll, VOTERS)


def test_a_log_that_was_restored_from_a_copy_has_a_snapshot_of_its_future(store) -> None:
    """The records are of a longer log than that beside which they lie."""
    with lived(begun(store), N_QUESTIONS // 2) as poll:
        earlier = Kept(MemoryStore())
        poll.copy_to(earlier)
        lived(poll, seed=3)
        write_snapshots(earlier, snapshots(store))
        as_replayed(earlier)
        # Also if it went on since in another way.
        lived(often(pv.Poll.open(earlier)), 500, seed=4)
        write_snapshots(earlier, snapshots(store))
        as_replayed(earlier)


def test_a_poll_by_several_criteria_has_snapshots_too(store) -> None:
    with begun(store, criteria={"useful": 2, "new": 1, "cheap": 1}) as poll:
        rng = np.random.default_rng(1)
        for number in range(N_QUESTIONS // 2):
            voter = VOTERS[number % len(VOTERS)]
            question = poll.ask(voter)
            names = ("left", "right", "tie", "skip")
            outcome = {name: names[rng.integers(4)] for name in ("useful", "new", "cheap")}
            poll.answer(voter, question.id, outcome)
        assert snapshots(store)
        assert_same_poll(pv.Poll.open(store), poll, VOTERS)
        as_replayed(store)


def test_forgetting_leaves_no_id_in_a_snapshot(store) -> None:
    with lived(begun(store)) as poll:
        for voter in VOTERS[:20]:
            poll.forget_voter(voter)
            assert not any(f'{voter}"'.encode() in content for content in snapshots(store).values())
        as_replayed(store)


def rewritten(path, change) -> None:
    """Change the arrays of a snapshot's head and its chunk, with hashes that fit."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        records = dict(connection.execute("SELECT name, content FROM records WHERE name GLOB 'snapshot/*'"))
        with np.load(io.BytesIO(records["snapshot/head"])) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays.pop("about").tobytes())
        rows = np.frombuffer(records["snapshot/rows/00000000"], np.uint8).copy()
        change(about, arrays, rows)
        about["chunks"] = [hashlib.blake2b(rows.tobytes(), digest_size=16).hexdigest()]
        head = io.BytesIO()
        np.savez(head, **arrays, about=np.frombuffer(json.dumps(about).encode(), np.uint8))
        new = [(head.getvalue(), "snapshot/head"), (rows.tobytes(), "snapshot/rows/00000000")]
        connection.executemany("UPDATE records SET content = ? WHERE name = ?", new)
        connection.commit()


def column(rows: np.ndarray, place: int) -> np.ndarray:
    """The whole numbers of a column of a chunk, by its place."""
    n_rows = len(rows) // 36
    return rows[4 * n_rows * place : 4 * n_rows * (place + 1)].view(np.int32)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda about, arrays, rows: column(rows, 2).__setitem__(3, 10**6), id="a left item that is none"),
        pytest.param(lambda about, arrays, rows: column(rows, 3).__setitem__(3, -5), id="a right item that is none"),
        pytest.param(
            lambda about, arrays, rows: column(rows, 2).__setitem__(3, column(rows, 3)[3]), id="an item twice"
        ),
        pytest.param(lambda about, arrays, rows: column(rows, 5).__setitem__(3, 9), id="an answer that is none"),
        pytest.param(lambda about, arrays, rows: column(rows, 1).__setitem__(3, 99), id="a voter who is none"),
        pytest.param(lambda about, arrays, rows: column(rows, 4).__setitem__(3, 99), id="a row before that is after"),
        pytest.param(lambda about, arrays, rows: about.__setitem__("time", None), id="no time"),
        pytest.param(lambda about, arrays, rows: about.__setitem__("time", about["time"] + 1), id="another time"),
        pytest.param(lambda about, arrays, rows: about.__setitem__("retired", [77]), id="a retired item that is none"),
    ],
)
def test_a_snapshot_that_no_poll_has_written_is_dropped(tmp_path, change) -> None:
    path = tmp_path / "poll.db"
    with pv.Poll(["ash", "birch", "cedar"], votes_each=9, store=path, sampler="information-gain", rng=1) as poll:
        poll._log.snapshots.after = -1.0
        for voter in ("anna", "bo"):
            while (question := poll.ask(voter)) is not None:
                poll.answer(voter, question.id, "left")
        votes, digest = poll.votes().to_columns(), poll.verify()
    rewritten(path, change)
    with pv.Poll.open(path) as poll:
        assert poll.verify() == digest
        assert poll.votes().to_columns() == votes
        assert poll.retired == ()
        assert poll.ask("cai").number == 1


def test_what_others_write_while_a_snapshot_is_stored_is_in_the_next(tmp_path) -> None:
    path = tmp_path / "poll.db"
    meanwhile: list = []

    class Interrupted(SQLiteStore):
        keeps_one = False

        def keep(self, records):
            self.keeps_one = "snapshot/head" in records
            super().keep(records)

        def commit_lazily(self):
            super().commit_lazily()
            if self.keeps_one:
                self.keeps_one = False
                for act in meanwhile:
                    act()
                meanwhile.clear()

    with (
        pv.Poll(["ash", "birch", "cedar"], votes_each=9, store=Interrupted(path, "fast"), rng=1) as poll,
        pv.Poll.open(path) as other,
    ):
        other._log.keeps_snapshots = False
        poll._log.snapshots.after = -1.0
        for _ in range(3):
            poll.answer("anna", poll.ask("anna").id, "left")
        first = poll.history("anna")[0].id
        # Another process changes an old answer, and a reader here folds it before the writer goes on.
        meanwhile += [lambda: other.change("anna", first, "right"), poll.counts]
        poll.set_group("anna", "business")
        assert not meanwhile
        poll.set_group("anna", "public")
        with pv.Poll.open(path) as again:
            assert again.history("anna")[0].outcome == "right"
            assert again.verify() == poll.verify()


def test_a_strategy_that_cannot_be_saved_after_all_costs_snapshots_and_no_answer(tmp_path) -> None:
    class Broken(pv.sampling.Learner):
        def saved(self):
            raise ZeroDivisionError

    class Odd(pv.sampling.Sampler):
        def begin(self, n_items):
            return Broken()

        def choose(self, stream, voter, uniforms):
            return stream.allowed_pairs(voter)[0]

    with pv.Poll(["ash", "birch"], store=tmp_path / "poll.db", sampler=Odd(), rng=1) as poll:
        poll._log.snapshots.after = -1.0
        with pytest.warns(RuntimeWarning, match="Odd could not be saved .ZeroDivisionError.*mend its method saved"):
            question = poll.ask("anna")
        poll.answer("anna", question.id, "left")
        assert len(poll.votes()) == 1
