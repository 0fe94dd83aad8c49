"""The rules of a poll, one by one; tests/poll/test_poll_model.py mixes them."""

from __future__ import annotations

import enum
import itertools
import json
import threading
import uuid
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from poll_views import assert_same_poll
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv
from pairvote.poll import SQLiteStore
from pairvote.sampling import Balanced, CatchUp, InformationGain, Sampler, Swiss, TopK, Uniform

ITEMS = ["ash", "birch", "cedar", "doum", "elm"]
SAMPLERS = [Uniform(), Balanced(), CatchUp(exponent=2.0), Swiss(), InformationGain(), TopK(np.int64(2), prior_sd=0.5)]


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class FirstAllowed(Sampler):
    """A strategy of one's own."""

    offset: int = 0

    def choose(self, stream, voter, uniforms):
        pairs = stream.allowed_pairs(voter)
        return pairs[self.offset % len(pairs)]


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return None if request.param == "memory" else SQLiteStore(tmp_path / "poll.db", durability="fast")


def run(poll: pv.Poll, n_voters: int = 4, seed: int = 0) -> list[pv.Question]:
    """Let voters vote in turn until all votes are spent; every question asked."""
    rng, asked = np.random.default_rng(seed), []
    voters = [f"voter {number}" for number in range(n_voters)]
    while voters:
        voter = voters[rng.integers(len(voters))]
        question = poll.ask(voter)
        if question is None:
            voters.remove(voter)
            continue
        asked.append(question)
        kind = rng.integers(8)
        if kind < 6:
            poll.answer(voter, question.id, ("left", "right", "tie")[kind % 3])
        elif kind == 6 and poll.remaining(voter) > 3:
            poll.answer(voter, question.id, "skip")
        elif poll.votes().voters.count(voter):
            poll.undo(voter)
    return asked


def n_open(poll: pv.Poll) -> int:
    """How many questions are open."""
    with poll._log.reading() as state:
        return len(state.stream.open_questions)


def test_a_whole_vote(store) -> None:
    with pv.Poll(ITEMS, votes_each=3, store=store, rng=1) as poll:
        for voter in ("anna", "bo"):
            for number in (1, 2, 3):
                question = poll.ask(voter)
                assert question == poll.ask(voter)
                assert question.number == number
                assert poll.remaining(voter) == 4 - number
                poll.answer(voter, question.id, "left")
            assert poll.ask(voter) is None
        votes = poll.votes()
        assert len(votes) == 6
        assert votes.voters == ("anna", "bo")
        assert votes.items == poll.items == tuple(ITEMS)
        assert_same_counts(poll.counts(), votes.counts())
        where = "the poll in memory" if store is None else store.name
        assert repr(poll) == f"Poll(5 items, 2 voters, 6 answers, in {where})"


def test_a_skip_uses_no_vote_is_not_asked_again_at_once_and_is_bounded(store) -> None:
    with pv.Poll(ITEMS, votes_each=4, skips_each=3, store=store, rng=1) as poll:
        seen = []
        for _ in range(3):
            question = poll.ask("anna")
            assert question.number == 1
            seen.append(frozenset([question.left, question.right]))
            poll.answer("anna", question.id, pv.Outcome.SKIP)
            poll.answer("anna", question.id, "skip")
        assert len(set(seen)) == 3
        question = poll.ask("anna")
        with pytest.raises(pv.StateError, match="voter 'anna' has skipped 3 questions, as many as a voter may; answer"):
            poll.answer("anna", question.id, "skip")
        assert poll.ask("anna") == question
        assert poll.remaining("anna") == 4
        poll.answer("anna", question.id, "tie")
        assert poll.remaining("anna") == 3
        assert Counter(poll.votes().outcome.tolist()) == {3: 3, 1: 1}


def test_by_default_a_voter_may_skip_as_often_as_vote() -> None:
    poll = pv.Poll(ITEMS, votes_each=2, rng=1)
    for _ in range(2):
        poll.answer("anna", poll.ask("anna").id, "skip")
    with pytest.raises(pv.StateError, match="has skipped 2 questions"):
        poll.answer("anna", poll.ask("anna").id, "skip")


def refusals(poll: pv.Poll, first: pv.Question, open_: pv.Question, closed: pv.Question):
    gone = closed.left

    def answer(voter, question, outcome="left"):
        return lambda: poll.answer(voter, question, outcome)

    return [
        (answer("anna", first.id, "right"), pv.StateError, f"question {first.id} was answered 'left'; call undo first"),
        (answer("anna", first.id, "skip"), pv.StateError, "was answered 'left'"),
        (answer("bo", open_.id), pv.StateError, f"question {open_.id} was not put to voter 'bo'"),
        (answer("anna", 10**9), pv.InputError, "question 1000000000 is unknown; pass the id of what ask returned"),
        (answer("anna", 1), pv.InputError, "question 1 is unknown"),
        (answer("anna", True), pv.InputError, "question True is unknown"),
        (answer("anna", "2"), pv.InputError, "question '2' is unknown"),
        (answer("anna", []), pv.InputError, r"question \[\] is unknown"),
        (answer("anna", None), pv.InputError, "question None is unknown"),
        (answer("anna", open_.id, "lef"), pv.InputError, "outcome is 'lef'; it must be 'left', 'right', 'tie' or"),
        (answer("anna", open_.id, 2), pv.InputError, "outcome is 2; it must be"),
        (answer("anna", open_.id, True), pv.InputError, "outcome is True; it must be"),
        (answer("anna", open_.id, []), pv.InputError, r"outcome is \[\]; it must be"),
        (
            answer("cia", closed.id),
            pv.StateError,
            f"question {closed.id} is open no more: an item of it was retired; ask",
        ),
        (answer(None, open_.id), pv.InputError, "voter is None; pass text or a whole number"),
        (lambda: poll.ask(1.5), pv.InputError, "voter is 1.5; pass text or a whole number"),
        (lambda: poll.ask(True), pv.InputError, "voter is True; pass"),
        (lambda: poll.ask(2**63), pv.InputError, "voter is 9223372036854775808, which has more than 64 bits"),
        (lambda: poll.ask("\ud800"), pv.InputError, "which is no valid Unicode"),
        (lambda: poll.ask(("anna",)), pv.InputError, r"voter is \('anna',\); pass"),
        (lambda: poll.undo("new"), pv.StateError, "voter 'new' has no answer to take back"),
        (lambda: poll.undo("cia"), pv.StateError, "voter 'cia' has no answer to take back"),
        (lambda: poll.ask("spam"), pv.StateError, "voter 'spam' was removed and may not vote"),
        (lambda: poll.undo("spam"), pv.StateError, "voter 'spam' was removed"),
        (answer("spam", open_.id), pv.StateError, "voter 'spam' was removed"),
        (lambda: poll.add_item(None), pv.InputError, "label is None; pass text or a whole number"),
        (lambda: poll.retire_item("fir"), pv.InputError, "label is 'fir', which no item has"),
        (lambda: poll.restore_item("fir"), pv.InputError, "label is 'fir', which no item has"),
        (lambda: poll.rename_item("fir", "oak"), pv.InputError, "label is 'fir', which no item has"),
        (lambda: poll.rename_item("ash", "birch"), pv.InputError, "new is 'birch', which an item has already"),
        (lambda: poll.rename_item("ash", None), pv.InputError, "new is None; pass text or a whole number"),
        (lambda: poll.add_item(gone), pv.StateError, f"item {gone!r} is there and retired; call restore_item to"),
        (lambda: poll.verify("zz"), pv.InputError, "digest is 'zz'; pass what verify returned earlier"),
        (lambda: poll.verify(7), pv.InputError, "digest is 7; pass what verify"),
        (lambda: poll.verify("00" * 32), pv.StorageError, "no event has the digest 0000"),
    ]


def test_what_cannot_be_is_refused_and_changes_nothing(store) -> None:
    with pv.Poll([*ITEMS, "fig"], store=store, rng=1) as poll:
        first = poll.ask("anna")
        poll.answer("anna", first.id, "left")
        open_ = poll.ask("anna")
        poll.answer("spam", poll.ask("spam").id, "tie")
        poll.remove_voter("spam")
        closed = poll.ask("cia")
        gone = closed.left
        assert gone not in (open_.left, open_.right)
        poll.retire_item(gone)
        before = poll.verify()
        for act, kind, message in refusals(poll, first, open_, closed):
            with pytest.raises(kind, match=message):
                act()
        assert poll.verify() == before
        assert poll.ask("anna") == open_


BAD = [
    (lambda: pv.Poll("ash"), "items is 'ash'; pass the labels as a list"),
    (lambda: pv.Poll(["ash", "ash"]), r"items\[1\] is 'ash' again"),
    (lambda: pv.Poll(["ash", 1.5]), r"items\[1\] is 1.5; pass text or a whole number"),
    (lambda: pv.Poll(["ash", True]), r"items\[1\] is True; pass text"),
    (lambda: pv.Poll(["ash", 2**63]), r"items\[1\] is 9223372036854775808, which has more than 64 bits"),
    (lambda: pv.Poll(ITEMS, votes_each=0), "votes_each is 0; pass a whole number from 1"),
    (lambda: pv.Poll(ITEMS, votes_each=2.0), "votes_each is 2.0; pass"),
    (lambda: pv.Poll(ITEMS, skips_each=-1), "skips_each is -1; pass a whole number from 0, or None"),
    (lambda: pv.Poll(ITEMS, expire_after=0), "expire_after is 0; pass a positive number of seconds"),
    (lambda: pv.Poll(ITEMS, expire_after=float("nan")), "expire_after is nan; pass"),
    (lambda: pv.Poll(ITEMS, sampler="top-k"), r"use one of 'balanced', .* or an object such as pairvote.sampling.TopK"),
    (lambda: pv.Poll(ITEMS, sampler=Balanced), "sampler is <class .*; use one of"),
    (lambda: pv.Poll(ITEMS, store=3), "store is 3; pass the path of a file"),
    (lambda: pv.Poll(ITEMS, store=""), "store is ''; pass the path"),
    (lambda: SQLiteStore("x.db", durability="none"), "durability is 'none'; use 'full' or 'fast'"),
    (lambda: SQLiteStore("x.db", busy_seconds=-1), "busy_seconds is -1; pass a finite number of seconds from 0"),
    (lambda: SQLiteStore(b"x.db"), "store is b'x.db'; pass the path of a file"),
    (lambda: pv.Poll(ITEMS, store=b"x.db"), "store is b'x.db'; pass the path of a file, or an object such as"),
    (lambda: pv.Poll(ITEMS, store=SQLiteStore), "store is <class .*; pass the path of a file, or an object such as"),
    (lambda: pv.Poll(ITEMS, store=[]), "store is .*, which lacks 'create', 'begin', "),
    (lambda: pv.Poll(ITEMS, clock=5), "clock is 5; pass a function"),
    (lambda: pv.Poll(ITEMS, clock=lambda: float("nan")), "clock gave nan; pass a function"),
]


@pytest.mark.parametrize(("act", "message"), BAD)
def test_a_poll_that_cannot_be_is_not_begun(act, message: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pv.InputError, match=message):
        act()
    assert not list(tmp_path.iterdir())


def test_one_and_its_text_are_two(store) -> None:
    with pv.Poll([1, "1"], votes_each=2, store=store, rng=1) as poll:
        one, text = poll.ask(np.int64(1)), poll.ask("1")
        assert one.id != text.id
        with pytest.raises(pv.StateError, match="was not put to voter '1'"):
            poll.answer("1", one.id, "left")
        poll.answer(1, one.id, "left")
        poll.answer("1", text.id, "left")
        assert poll.votes().voters == (1, "1")
        assert poll.votes().items == (1, "1")
        poll.remove_voter("1")
        assert poll.votes().voters == (1,)


class Tree(str, enum.Enum):  # noqa: UP042
    ASH = "ash"
    BIRCH = "birch"


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


def test_a_label_is_what_it_equals(store) -> None:
    with pv.Poll([Tree.ASH, Tree.BIRCH, Number.ONE, np.str_("doum")], store=store, rng=1) as poll:
        assert poll.items == ("ash", "birch", 1, "doum")
        assert list(map(type, poll.items)) == [str, str, int, str]
        assert poll.ask(Tree.ASH) == poll.ask("ash")
        assert poll.ask(Number.TWO) == poll.ask(2)


def test_a_uuid_is_its_text(store) -> None:
    item, voter = uuid.UUID(int=7), uuid.UUID(int=2**127 + 1)
    with pv.Poll([item, "ash"], store=store, rng=1) as poll:
        assert poll.items == ("00000000-0000-0000-0000-000000000007", "ash")
        question = poll.ask(voter)
        assert poll.ask(str(voter)) == question
        poll.answer(voter, question.id, "left")
        assert poll.votes().voters == (str(voter),)
        poll.remove_voter(voter)
        poll.retire_item(item)
    with pytest.raises(pv.InputError, match="00000000-0000-0000-0000-000000000007"):
        pv.Poll([item, str(item)])


@pytest.mark.parametrize("call", ["ask", "answer", "undo", "remaining", "remove_voter"])
def test_an_empty_voter_is_refused(call: str) -> None:
    poll = pv.Poll(ITEMS, rng=1)
    given = (2, "left") if call == "answer" else ()
    with pytest.raises(
        pv.InputError, match="voter is '', so that all who come without a name would be one voter; pass"
    ):
        getattr(poll, call)("", *given)


@pytest.mark.parametrize("name", ["votes_each", "items", "anything"])
def test_nothing_is_set_on_a_poll(name: str) -> None:
    poll = pv.Poll(ITEMS, rng=1)
    for kind in (pv.InputError, AttributeError):
        with pytest.raises(kind, match=f"{name} of a poll cannot be set to 30, which would do nothing"):
            setattr(poll, name, 30)
    assert poll.items == tuple(ITEMS)


def test_undo_takes_back_one_answer_after_another(store) -> None:
    with pv.Poll(ITEMS, votes_each=3, store=store, rng=1) as poll:
        asked = []
        for outcome in ("left", "skip", "tie"):
            asked.append(poll.ask("anna"))
            poll.answer("anna", asked[-1].id, outcome)
        next_ = poll.ask("anna")
        assert poll.undo("anna") == asked[2]
        with pytest.raises(pv.StateError, match="is open no more: it expired, or was given up by an undo"):
            poll.answer("anna", next_.id, "left")
        assert poll.ask("anna") == asked[2]
        assert poll.undo("anna") == asked[1]
        assert poll.undo("anna") == asked[0]
        assert poll.remaining("anna") == 3
        assert len(poll.votes()) == 0
        assert poll.counts().n_pairs == 0
        with pytest.raises(pv.StateError, match="no answer to take back"):
            poll.undo("anna")
        poll.answer("anna", asked[0].id, "right")
        assert poll.votes().outcome.tolist() == [0]


def test_undo_of_one_question_takes_one_answer_back_however_often_it_comes(store) -> None:
    with pv.Poll(ITEMS, votes_each=3, store=store, rng=1) as poll:
        asked = []
        for outcome in ("left", "right", "tie"):
            asked.append(poll.ask("anna"))
            poll.answer("anna", asked[-1].id, outcome)
        for _ in range(2):
            assert poll.undo("anna", question=asked[2].id) == asked[2]
            assert poll.votes().outcome.tolist() == [2, 0]
        # An earlier one; what was open is given up, and a late retry of the first undo finds nothing to do.
        for question in (asked[0].id, asked[0].id, asked[2].id):
            reopened = poll.undo("anna", question=question)
            assert (reopened.id, reopened.left, reopened.right) == (asked[0].id, asked[0].left, asked[0].right)
            assert poll.votes().outcome.tolist() == [0]
            assert poll.remaining("anna") == 2
        poll.answer("anna", asked[0].id, "tie")
        assert poll.votes().outcome.tolist() == [0, 1]
        before = poll.verify()
        with pytest.raises(pv.StateError, match=f"question {asked[1].id} was not put to voter 'bo'"):
            poll.undo("bo", question=asked[1].id)
        for question in (99, True, 2.0, "2"):
            with pytest.raises(pv.InputError, match=r"is unknown.*; pass the id of what ask returned"):
                poll.undo("anna", question=question)
        assert poll.verify() == before


def test_a_skip_that_is_taken_back_gives_no_vote_more(store) -> None:
    with pv.Poll(ITEMS, votes_each=2, store=store, rng=1) as poll:
        skipped = poll.ask("anna")
        for outcome in ("skip", "left", "tie"):
            poll.answer("anna", poll.ask("anna").id, outcome)
        assert poll.undo("anna", question=skipped.id) is None
        assert poll.ask("anna") is None
        with pytest.raises(pv.StateError, match="is open no more"):
            poll.answer("anna", skipped.id, "left")
        assert poll.votes().outcome.tolist() == [2, 1]


def test_undo_of_a_question_about_a_retired_item_gives_the_vote_back(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        question = poll.ask("anna")
        poll.answer("anna", question.id, "left")
        poll.retire_item(question.left)
        assert len(poll.votes()) == 1
        assert poll.undo("anna") is None
        assert poll.remaining("anna") == 20
        assert question.left not in (poll.ask("anna").left, poll.ask("anna").right)
        assert poll.retired == (question.left,)


@pytest.mark.parametrize("call", ["ask", "answer", "undo", "add_item"])
def test_abandoned_questions_expire_and_free_their_reservation(store, call: str) -> None:
    clock = Clock()
    with pv.Poll(ITEMS, store=store, rng=1, expire_after=60, clock=clock) as poll:
        old = poll.ask("anna")
        clock.now += 30
        poll.answer("bo", poll.ask("bo").id, "left")
        fresh = poll.ask("bo")
        clock.now += 30
        assert n_open(poll) == 2
        match call:
            case "ask":
                assert poll.ask("cia") is not None
            case "answer":
                with pytest.raises(pv.StateError, match=f"question {old.id} is open no more: it expired"):
                    poll.answer("anna", old.id, "left")
            case "undo":
                poll.undo("bo")
            case "add_item":
                poll.add_item("fir")
        with poll._log.reading() as state:
            assert state.stream.shown.sum() == 2 * (len(poll.votes()) + n_open(poll))
        assert n_open(poll) == {"ask": 2, "answer": 1, "undo": 1, "add_item": 1}[call]
        assert (poll.ask("bo") == fresh) == (call != "undo")
        assert poll.ask("anna").id != old.id
        assert poll.remaining("anna") == 20


def test_a_question_that_undo_opened_expires_from_then_on() -> None:
    clock = Clock()
    poll = pv.Poll(ITEMS, rng=1, expire_after=60, clock=clock)
    question = poll.ask("anna")
    poll.answer("anna", question.id, "left")
    clock.now += 59
    poll.undo("anna")
    clock.now += 59
    assert poll.ask("anna") == question
    clock.now += 1
    assert poll.ask("anna") != question


def test_times_in_the_log_never_fall() -> None:
    clock = Clock()
    poll = pv.Poll(ITEMS, rng=1, expire_after=60, clock=clock)
    clock.now -= 500
    question = poll.ask("anna")
    clock.now += 559
    assert poll.ask("anna") == question
    times = [event[1] for event in poll._log.store.events(0)]
    assert times == sorted(times)


def test_a_clock_that_was_wrong_once_does_not_end_expiry(store) -> None:
    clock = Clock()
    with pv.Poll(ITEMS, store=store, rng=1, expire_after=60, clock=clock) as poll:
        clock.now = 1e9
        wrong = poll.ask("bo")
        clock.now = 1100.0
        right = poll.ask("cai")
        assert poll.ask("bo") == wrong
        clock.now += 59
        assert (poll.ask("bo"), poll.ask("cai")) == (wrong, right)
        clock.now += 1
        for voter, question in (("bo", wrong), ("cai", right)):
            with pytest.raises(pv.StateError, match="is open no more: it expired"):
                poll.answer(voter, question.id, "left")
        if store is not None:
            with pv.Poll.open(store.name, clock=clock) as again:
                assert again.ask("dora") == poll.ask("dora")
                assert_same_poll(again, poll, ["bo", "cai", "dora"])


def test_a_clock_that_was_behind_once_gives_up_what_was_open_and_no_more() -> None:
    clock = Clock(1e6)
    poll = pv.Poll(ITEMS, rng=1, expire_after=60, clock=clock)
    first = poll.ask("anna")
    clock.now = 0.0
    poll.ask("bo")
    clock.now = 1e6
    second = poll.ask("anna")
    assert second != first
    clock.now += 59
    assert poll.ask("anna") == second


def test_a_late_item_is_asked_about_and_a_retired_one_is_not(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        for number in range(20):
            poll.answer(number, poll.ask(number).id, "left")
        open_ = [poll.ask(number) for number in range(20)]
        poll.retire_item("ash")
        poll.add_item("fir")
        assert poll.items == (*ITEMS, "fir")
        for number, question in enumerate(open_):
            assert (poll.ask(number) == question) == ("ash" not in (question.left, question.right))
        shown = Counter()
        for number in range(100, 130):
            question = poll.ask(number)
            shown.update([question.left, question.right])
        assert shown["ash"] == 0
        assert shown["fir"] > 8
        assert poll.votes().n_items == 6
        for label in ("birch", "cedar", "doum", "fir"):
            poll.retire_item(label)
        with pytest.raises(pv.StateError, match="fewer than two items are left"):
            poll.ask("new")


def test_a_removed_voters_votes_leave_the_count_and_the_exposures_and_stay_in_the_log(store) -> None:
    with pv.Poll(ITEMS, votes_each=6, store=store, rng=1) as poll:
        run(poll, n_voters=2)
        before, events = poll.votes(), poll.n_events
        for outcome in ("left", "tie", "skip", "left"):
            poll.answer("spam", poll.ask("spam").id, outcome)
        poll.counts()
        poll.ask("spam")
        poll.remove_voter("spam")
        assert poll.remaining("spam") == 0
        assert_same_votes(poll.votes(), before)
        assert_same_counts(poll.counts(), before.counts())
        with poll._log.reading() as state:
            assert state.stream.shown.sum() == 2 * len(before)
        assert n_open(poll) == 0
        assert poll.n_events == len(list(poll._log.store.events(0))) == events + 10


@pytest.mark.parametrize("sampler", [*SAMPLERS, FirstAllowed(3)], ids=repr)
def test_a_replay_equals_the_original_to_the_bit(sampler: Sampler, tmp_path) -> None:
    path = tmp_path / "poll.db"
    own = sampler if isinstance(sampler, FirstAllowed) else None
    with pv.Poll(ITEMS, votes_each=7, sampler=sampler, store=SQLiteStore(path, "fast"), rng=3) as poll:
        asked = run(poll, n_voters=3)
        poll.add_item("fir")
        poll.retire_item("ash")
        run(poll, n_voters=5, seed=1)
        poll.remove_voter("voter 1")
        with pv.Poll.open(path, sampler=own) as again:
            assert_same_votes(again.votes(), poll.votes())
            assert_same_counts(again.counts(), poll.counts())
            assert_same_poll(again, poll, ["voter 0", "voter 1", "next"])
            assert again.ask("next") == poll.ask("next")
    memory = pv.Poll(ITEMS, votes_each=7, sampler=sampler, rng=3)
    assert run(memory, n_voters=3) == asked


def test_the_same_seed_asks_the_same_and_another_does_not() -> None:
    one, two, other = (run(pv.Poll(range(9), votes_each=5, rng=seed)) for seed in (1, 1, 2))
    assert one == two != other
    assert run(pv.Poll(range(9), votes_each=5, rng=np.random.default_rng(1))) == one
    assert run(pv.Poll(range(9), votes_each=5)) != run(pv.Poll(range(9), votes_each=5))


def test_a_strategy_of_ones_own_is_passed_again(tmp_path) -> None:
    path = tmp_path / "poll.db"
    with pv.Poll(ITEMS, sampler=FirstAllowed(), store=path) as poll:
        poll.ask("anna")
    with pytest.raises(pv.InputError, match=r"goes by the strategy FirstAllowed, .* pass the same to Poll.open"):
        pv.Poll.open(path)
    with pytest.raises(pv.InputError, match=r"sampler is Balanced\(.*\), and .* goes by FirstAllowed; pass that one"):
        pv.Poll.open(path, sampler=Balanced())
    pv.Poll.open(path, sampler=FirstAllowed()).close()


def test_a_strategy_of_pairvotes_own_is_in_the_log(tmp_path) -> None:
    path = tmp_path / "poll.db"
    pv.Poll(ITEMS, sampler=TopK(2, prior_sd=0.5), store=path).close()
    pv.Poll.open(path, sampler=TopK(2, prior_sd=0.5)).close()
    with pytest.raises(pv.InputError, match=r"sampler is TopK\(k=3, .* goes by TopK\(k=2, .* leave it out"):
        pv.Poll.open(path, sampler=TopK(3))
    with pytest.raises(pv.InputError, match="sampler is 'balanced'; pass the object"):
        pv.Poll.open(path, sampler="balanced")
    event = next(iter(SQLiteStore(path).events(0)))
    assert json.loads(event[3])["sampler"] == {
        "name": "TopK",
        "options": {"k": 2, "prior_sd": 0.5, "refit_every": None, "information_share": 0.05},
    }


def test_forty_threads_on_ten_voters(store) -> None:
    with pv.Poll(range(23), store=store, rng=1) as poll:
        failed: list[BaseException] = []

        def vote(number: int) -> None:
            voter = number % 10
            try:
                while (question := poll.ask(voter)) is not None:
                    try:
                        poll.answer(voter, question.id, ("left", "right")[number % 2])
                    except pv.StateError as error:
                        # Another thread of the same voter was faster, with the other answer.
                        assert "was answered" in str(error)  # noqa: PT017
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=vote, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        votes = poll.votes()
        assert np.bincount(votes.voter).tolist() == [20] * 10
        assert_same_counts(poll.counts(), votes.counts())
        with poll._log.reading() as state:
            assert np.ptp(state.stream.shown) <= 2


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_export_is_read_back(tmp_path, suffix: str) -> None:
    poll = pv.Poll(ITEMS, votes_each=5, rng=1)
    run(poll)
    poll.export(tmp_path / f"votes.{suffix}")
    assert_same_votes(pv.read_votes(tmp_path / f"votes.{suffix}", items=ITEMS), poll.votes())
    poll.export(tmp_path / "votes.txt", format="csv")
    with pytest.raises(pv.InputError, match=r"has the suffix '\.txt'"):
        poll.export(tmp_path / "votes.txt")


def test_counts_are_kept_and_handed_out_again_where_nothing_came() -> None:
    poll = pv.Poll(range(6), votes_each=8, rng=1)
    for voter in itertools.islice(itertools.cycle("abc"), 24):
        poll.answer(voter, poll.ask(voter).id, "left")
        assert_same_counts(poll.counts(), poll.votes().counts())
    assert poll.counts() is poll.counts()


def test_a_failing_strategy_leaves_the_poll_as_it_was(store) -> None:
    class Failing(FirstAllowed):
        def choose(self, stream, voter, uniforms):
            if voter == "bad":
                raise ZeroDivisionError
            return super().choose(stream, voter, uniforms)

    with pv.Poll(ITEMS, sampler=Failing(), store=store, rng=1) as poll:
        question = poll.ask("anna")
        with pytest.raises(ZeroDivisionError):
            poll.ask("bad")
        assert poll.ask("anna") == question
        poll.answer("anna", question.id, "left")
        assert len(poll.votes()) == 1
