"""Calls of several threads: decided and committed together, each with its own end, and readers who never wait."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from dataclasses import dataclass
from typing import ClassVar

import pytest
from gated_store import PATIENT_SECONDS, Call, Gated, Line, n_waiting, queued, until
from poll_views import WithoutSnapshots, assert_same_poll

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.sampling import Sampler

ITEMS = ["ash", "birch", "cedar", "doum", "elm"]
VOTERS = [f"voter {number}" for number in range(8)]
STEPS = ["begin", "after begin", "append", "after append", "commit", "after commit"]


@dataclass(frozen=True)
class FailsOnce(Sampler):
    """A strategy that cannot choose the question after `at` others."""

    at: ClassVar[int] = -1

    def choose(self, stream, voter, uniforms):
        if stream.n_asked == FailsOnce.at:
            raise ZeroDivisionError
        return stream.allowed_pairs(voter)[0]


@pytest.fixture
def store() -> Gated:
    return Gated()


@pytest.fixture
def poll(store) -> pv.Poll:
    return pv.Poll(ITEMS, store=store, rng=1)


def as_replayed(poll: pv.Poll) -> None:
    """The state is that of the log."""
    assert_same_poll(poll, pv.Poll.open(WithoutSnapshots(poll._log.store)), VOTERS)


# --- together ---


def test_calls_that_wait_for_a_commit_are_committed_at_once(store, poll) -> None:
    questions = {voter: poll.ask(voter) for voter in VOTERS}
    hold = store.hold("commit")
    first, *others = VOTERS
    calls = [Call(poll.answer, first, questions[first].id, "left")]
    hold.wait()
    calls += [queued(poll, poll.answer, voter, questions[voter].id, "tie") for voter in others]
    before = store.calls.copy()
    hold.go.set()
    assert [call.result() for call in calls] == [None] * len(VOTERS)
    assert {step: store.calls[step] - before[step] for step in ("begin", "commit", "commit_lazily")} == {
        "begin": 1, "commit": 1, "commit_lazily": 0,
    }  # fmt: skip
    # In the order in which they came.
    columns = poll.votes().to_columns()
    assert columns["voter"] == VOTERS
    assert columns["outcome"] == ["left", *["tie"] * len(others)]
    as_replayed(poll)


def test_each_call_has_its_own_result_or_its_own_refusal(store, poll) -> None:
    anna, bo, cia = (poll.ask(voter) for voter in ("anna", "bo", "cia"))
    hold = store.hold("commit")
    leader = Call(poll.add_item, "fig")
    hold.wait()
    calls = {
        "a new voter asks": queued(poll, poll.ask, "new"),
        "and again": queued(poll, poll.ask, "new"),
        "anna answers": queued(poll, poll.answer, "anna", anna.id, "left"),
        "a double click": queued(poll, poll.answer, "anna", anna.id, "left"),
        "another answer": queued(poll, poll.answer, "anna", anna.id, "right"),
        "another's question": queued(poll, poll.answer, "anna", bo.id, "right"),
        "no question": queued(poll, poll.answer, "anna", 10**6, "right"),
        "the same item": queued(poll, poll.add_item, "fig"),
        "spam": queued(poll, poll.remove_voter, "cia"),
        "spam answers": queued(poll, poll.answer, "cia", cia.id, "left"),
        "bo answers": queued(poll, poll.answer, "bo", bo.id, "tie"),
        "bo asks": queued(poll, poll.ask, "bo"),
        "bo undoes": queued(poll, poll.undo, "bo", question=bo.id),
    }
    before = store.n_commits
    hold.go.set()
    assert leader.result() is True
    assert store.n_commits - before <= 1
    assert calls["a new voter asks"].result() == calls["and again"].result() == poll.ask("new")
    assert calls["the same item"].result() is False
    assert calls["spam"].result() is True
    assert calls["bo asks"].result().number == 2
    assert calls["bo undoes"].result() == bo
    for name in ("anna answers", "a double click", "bo answers"):
        assert calls[name].result() is None
    for name, kind, message in (
        ("another answer", pv.StateError, f"question {anna.id} was answered 'left'"),
        ("another's question", pv.StateError, f"question {bo.id} was not put to voter 'anna'"),
        ("no question", pv.InputError, "question 1000000 is unknown"),
        ("spam answers", pv.StateError, "voter 'cia' was removed"),
    ):
        with pytest.raises(kind, match=message):
            calls[name].result()
    assert poll.votes().to_columns()["voter"] == ["anna"]
    as_replayed(poll)


def test_together_they_are_decided_as_one_after_the_other(store, poll) -> None:
    alone = pv.Poll(ITEMS, rng=1)
    hold = store.hold("commit_lazily")
    calls = [Call(poll.ask, VOTERS[0])]
    hold.wait()
    calls += [queued(poll, poll.ask, voter) for voter in VOTERS[1:]]
    hold.go.set()
    questions = [call.result() for call in calls]
    assert questions == [alone.ask(voter) for voter in VOTERS]
    hold = store.hold("commit")
    answers = [Call(poll.answer, VOTERS[0], questions[0].id, "left")]
    hold.wait()
    outcomes = ["left", "tie", "skip", "right", "skip", "left", "tie", "left"]
    given = list(zip(VOTERS, ids(questions), outcomes, strict=True))
    answers += [queued(poll, poll.answer, *each) for each in given[1:]]
    answers += [queued(poll, poll.undo, VOTERS[2]), queued(poll, poll.retire_item, questions[1].left)]
    next_ = [queued(poll, poll.ask, voter) for voter in VOTERS]
    hold.go.set()
    for each in given:
        alone.answer(*each)
    assert [call.result() for call in answers[:-2]] == [None] * len(VOTERS)
    assert answers[-2].result() == alone.undo(VOTERS[2])
    assert answers[-1].result() is alone.retire_item(questions[1].left) is True
    assert [call.result() for call in next_] == [alone.ask(voter) for voter in VOTERS]
    assert poll.history(VOTERS[3])[0].id == alone.history(VOTERS[3])[0].id
    assert poll.votes().to_columns()["outcome"] == alone.votes().to_columns()["outcome"]
    as_replayed(poll)


def ids(questions: list[pv.Question]) -> list[int]:
    return [question.id for question in questions]


def test_a_caller_returns_when_its_own_answer_is_stored(store, poll) -> None:
    """Also whoever committed for others: it does not commit for those who came later, one after the other."""
    questions = [poll.ask(voter) for voter in VOTERS[:3]]
    hold = store.hold("commit")
    calls = [Call(poll.answer, VOTERS[0], questions[0].id, "left")]
    hold.wait()
    calls.append(queued(poll, poll.answer, VOTERS[1], questions[1].id, "left"))
    later = store.hold("commit")
    hold.go.set()
    later.wait()
    assert calls[0].result() is None
    later.go.set()
    assert calls[1].result() is None


# --- failures ---


@pytest.mark.parametrize("step", STEPS)
def test_a_store_that_fails_fails_all_of_them_and_the_next_calls_work(store, poll, step: str) -> None:
    questions = [poll.ask(voter) for voter in VOTERS]
    with Line(poll, store) as line:
        noted, n_events = Call(poll.verify).result(), len(store.events(0))
        calls = [line.call(poll.answer, *given, "left") for given in zip(VOTERS, ids(questions), strict=True)]
        store.fail(step, pv.StorageError("the disk is full; make room"))
    for call, voter in zip(calls, VOTERS, strict=True):
        assert "the disk is full" in str(call.error())
        assert (poll.remaining(voter) < 20) == (step == "after commit")
    if step != "after commit":
        assert (poll.verify(), poll.n_events) == (noted, n_events)
    for voter, question in zip(VOTERS, questions, strict=True):
        poll.answer(voter, question.id, "left")
    assert len(poll.votes()) == len(VOTERS)
    poll.verify(noted)
    as_replayed(poll)


def test_one_decision_that_raises_fails_its_caller_only(store, monkeypatch) -> None:
    sampler = FailsOnce()
    poll = pv.Poll(ITEMS, store=store, sampler=sampler, rng=1)
    hold = store.hold("commit_lazily")
    calls = [Call(poll.ask, VOTERS[0])]
    hold.wait()
    # The strategy fails while three questions were asked: at the fourth call.
    monkeypatch.setattr(FailsOnce, "at", 3)
    calls += [queued(poll, poll.ask, voter) for voter in VOTERS[1:3]]
    bad = queued(poll, poll.ask, VOTERS[3])
    hold.go.set()
    assert [call.result().number for call in calls] == [1] * 3
    with pytest.raises(ZeroDivisionError):
        bad.result()
    monkeypatch.setattr(FailsOnce, "at", -1)
    assert poll.ask(VOTERS[3]).number == 1
    again = pv.Poll.open(store, sampler=sampler)
    assert [again.ask(voter) for voter in VOTERS[:4]] == [poll.ask(voter) for voter in VOTERS[:4]]


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_in_the_thread_that_commits_is_its_own(store, poll, step: str) -> None:
    questions = [poll.ask(voter) for voter in VOTERS]
    with Line(poll, store) as line:
        calls = [line.call(poll.answer, *given, "tie") for given in zip(VOTERS, ids(questions), strict=True)]
        store.fail(step, KeyboardInterrupt())
    # Whoever of them committed for all is interrupted; the others are served.
    errors = [call.error() for call in calls]
    (interrupted,) = [place for place, error in enumerate(errors) if error is not None]
    assert isinstance(errors[interrupted], KeyboardInterrupt)
    # No lock is held and no transaction open.
    Call(begin_and_roll_back, store).result()
    assert Call(poll.ask, "new").result().number == 1
    if step != "after commit":
        assert poll.remaining(VOTERS[interrupted]) in (19, 20)
    poll.answer(VOTERS[interrupted], questions[interrupted].id, "tie")
    assert sorted(poll.votes().to_columns()["voter"]) == VOTERS
    as_replayed(poll)


def test_an_interrupt_after_a_commit_lets_nobody_be_served_twice(store, poll) -> None:
    """Two votes of each; each takes the last one back, once."""
    for voter in VOTERS:
        for _ in range(2):
            poll.answer(voter, poll.ask(voter).id, "left")
    with Line(poll, store) as line:
        calls = [line.call(poll.undo, voter) for voter in VOTERS]
        store.fail("after commit", KeyboardInterrupt())
    errors = [call.error() for call in calls]
    assert sum(isinstance(error, KeyboardInterrupt) for error in errors) == 1
    assert {poll.remaining(voter) for voter in VOTERS} == {19}
    as_replayed(poll)


def begin_and_roll_back(store: Gated) -> None:
    store.begin()
    store.rollback()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to a thread")
@pytest.mark.parametrize("decided", [False, True])
def test_an_interrupt_in_a_thread_that_waits_is_its_own(store, poll, decided: bool) -> None:
    """Of the main thread, whose call stands in line, or is committed by another thread already."""
    questions = [poll.ask(voter) for voter in VOTERS[:3]]
    main, left = threading.main_thread(), threading.Event()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    hold = store.hold("after commit")
    calls = [Call(poll.answer, VOTERS[0], questions[0].id, "left")]
    hold.wait()
    calls.append(queued(poll, poll.answer, VOTERS[1], questions[1].id, "left"))
    before = n_waiting(poll)

    def send_the_signal() -> None:
        until(lambda: n_waiting(poll) > before)
        calls.append(queued(poll, poll.set_group, "later", "public"))
        if decided:
            later = store.hold("commit")
            hold.go.set()
            later.wait()
        signal.pthread_kill(main.ident, signal.SIGUSR1)
        assert left.wait(PATIENT_SECONDS)
        hold.go.set()
        if decided:
            later.go.set()

    handler = signal.signal(signal.SIGUSR1, interrupt)
    try:
        sender = Call(send_the_signal)
        with pytest.raises(KeyboardInterrupt):
            poll.answer(VOTERS[2], questions[2].id, "left")
    finally:
        left.set()
        signal.signal(signal.SIGUSR1, handler)
    sender.result()
    assert [call.result() for call in calls] == [None, None, True]
    poll.answer(VOTERS[2], questions[2].id, "left")
    assert len(poll.votes()) == 3
    as_replayed(poll)


# --- readers ---

READS = {
    "counts": lambda poll: poll.counts().n_pairs,
    "remaining": lambda poll: poll.remaining(VOTERS[0]),
    "skips_remaining": lambda poll: poll.skips_remaining(VOTERS[0]),
    "history": lambda poll: poll.history(VOTERS[0]),
    "votes": lambda poll: len(poll.votes()),
    "voters": lambda poll: poll.voters(),
    "groups": lambda poll: poll.groups(),
    "items": lambda poll: poll.items,
    "settings": lambda poll: poll.settings,
    "ended": lambda poll: poll.ended,
    "verify": lambda poll: poll.verify(),
    "repr": repr,
    "n_events": lambda poll: poll.n_events,
}
# What the answer does not change, or is of the store alone.
FIXED = {"skips_remaining", "groups", "items", "settings", "ended", "verify"}


@pytest.mark.parametrize("step", ["begin", "after begin", "commit"])
def test_readers_do_not_wait_for_a_writer(store, poll, step: str) -> None:
    poll.answer(VOTERS[0], poll.ask(VOTERS[0]).id, "left")
    question = poll.ask(VOTERS[0])
    before = {name: read(poll) for name, read in READS.items()}
    hold = store.hold(step)
    writer = Call(poll.answer, VOTERS[0], question.id, "tie")
    hold.wait()
    try:
        for name, read in READS.items():
            found = Call(read, poll).result()
            # While the answer is committed it is seen by this process.
            assert found == before[name] or (step == "commit" and name not in FIXED), name
        # One that waits for the writer too keeps nobody from reading.
        waiting = queued(poll, poll.ask, VOTERS[1])
        assert Call(poll.verify).result() == before["verify"]
        assert Call(poll.remaining, VOTERS[0]).result() in (18, 19)
    finally:
        hold.go.set()
    assert writer.result() is None
    assert waiting.result().number == 1
    assert poll.remaining(VOTERS[0]) == 18
    as_replayed(poll)


def test_nothing_is_left_of_a_commit_that_failed(store, poll) -> None:
    question = poll.ask("anna")
    hold = store.hold("commit")
    store.fail("commit", pv.StorageError("the disk is full"))
    writer = Call(poll.answer, "anna", question.id, "left")
    hold.wait()
    assert Call(poll.remaining, "anna").result() in (19, 20)
    hold.go.set()
    assert isinstance(writer.error(), pv.StorageError)
    assert (poll.remaining("anna"), len(poll.votes()), poll.counts().n_pairs, poll.n_events) == (20, 0, 0, 2)
    as_replayed(poll)


# --- what must be on the disk ---


def test_a_question_need_not_be_on_the_disk_and_an_answer_must(store) -> None:
    now = [0.0]
    poll = pv.Poll(ITEMS, store=store, rng=1, expire_after=60, clock=lambda: now[0])

    def commits(call, *given, **options) -> tuple[int, int]:
        before = store.calls.copy()
        call(*given, **options)
        return tuple(store.calls[name] - before[name] for name in ("commit", "commit_lazily"))

    assert commits(poll.ask, "anna") == (0, 1)
    assert commits(poll.ask, "bo") == (0, 1)
    assert commits(poll.answer, "anna", poll.ask("anna").id, "left") == (1, 0)
    assert commits(poll.undo, "anna") == (1, 0)
    assert commits(poll.answer, "anna", poll.ask("anna").id, "left") == (1, 0)
    for act in (
        lambda: poll.change("anna", poll.history("anna")[0].id, "tie"),
        lambda: poll.add_item("fir"),
        lambda: poll.set_group("anna", "public"),
        lambda: poll.change_settings(votes_each=30),
        lambda: poll.forget_voter("anna"),
        lambda: poll.remove_voter("bo"),
        lambda: poll.import_votes(pv.Votes.from_wins(["ash"], ["birch"], items=poll.items)),
        poll.end,
        poll.reopen,
    ):
        assert commits(act)[0] >= 1
    # A question that is given up by its age, and the next one: nobody was told that they are for good.
    poll.ask("cia")
    now[0] += 60
    assert commits(poll.ask, "dan") == (0, 1)


def test_answers_and_questions_that_are_committed_together_are_all_on_the_disk(store, poll) -> None:
    question = poll.ask("anna")
    hold = store.hold("begin")
    asking = Call(poll.ask, "bo")
    hold.wait()
    answering = queued(poll, poll.answer, "anna", question.id, "left")
    commits = store.calls["commit"]
    hold.go.set()
    assert asking.result().number == 1
    assert answering.result() is None
    assert store.calls["commit"] == commits + 1


def test_a_store_that_cannot_be_lazy_commits() -> None:
    class Counting(MemoryStore):
        n_commits = 0

        def commit(self) -> None:
            super().commit()
            self.n_commits += 1

    store = Counting()
    poll = pv.Poll(ITEMS, store=store, rng=1)
    poll.answer("anna", poll.ask("anna").id, "left")
    assert store.n_commits == 2


# --- forks ---


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")
@pytest.mark.parametrize("in_file", [True, False])
def test_a_fork_while_others_call(tmp_path, in_file: bool) -> None:
    store = SQLiteStore(tmp_path / "poll.db", durability="fast") if in_file else MemoryStore()
    stop = threading.Event()
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        first = poll.ask("anna")

        def keep_busy(name: str) -> int:
            number = 0
            while not stop.is_set() and number < 500:
                voter = f"{name} {number}"
                poll.answer(voter, poll.ask(voter).id, "tie")
                poll.remaining(voter)
                number += 1
            return number

        threads = [Call(keep_busy, f"thread {name}") for name in range(6)]
        try:
            for number in range(6):
                until(lambda: all(len(poll.history(f"thread {name} 0")) for name in range(6)))
                child = os.fork()
                if not child:
                    code = 1
                    with contextlib.suppress(BaseException):
                        # Whoever waits for ever is ended by this.
                        signal.alarm(60)
                        assert poll.ask("anna") == first
                        question = Call(poll.ask, f"child {number}").result()
                        poll.answer(f"child {number}", question.id, "left")
                        poll.verify()
                        code = 0
                    os._exit(code)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            stop.set()
        n_answers = sum(thread.result() for thread in threads)
        assert len(poll.votes()) == n_answers + (6 if in_file else 0)
        as_replayed(poll)
