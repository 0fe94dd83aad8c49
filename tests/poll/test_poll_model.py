"""A poll against a naive model, in memory and in a file, whatever voters and organisers do and in which order."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from naive_poll import NaivePoll, Refused
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv
from pairvote.poll import SQLiteStore
from pairvote.sampling import Balanced, InformationGain, Swiss, TopK

pytestmark = pytest.mark.slow

ITEMS = ["ash", 1, "1", "birch"]
LATE = ["cedar", 2, "2", "ash"]
OUTCOMES = ("right", "tie", "left", "skip")
VOTERS = st.sampled_from(["anna", "anna", "anna", "bo", 7, "7"])
REFUSALS = (pv.StateError, pv.InputError)


def fast(path: Path | None) -> SQLiteStore | None:
    """A store that does not wait for the disk."""
    return None if path is None else SQLiteStore(path, durability="fast")


class PollMachine(RuleBasedStateMachine):
    """One poll, perhaps through two connections, and its model."""

    in_file: bool

    @initialize(
        sampler=st.sampled_from([Balanced(), Swiss(), InformationGain(), TopK(1)]),
        votes_each=st.integers(1, 4),
        skips_each=st.integers(0, 3),
        expire_after=st.sampled_from([None, 10.0]),
        seed=st.integers(0, 5),
    )
    def begin(self, sampler, votes_each, skips_each, expire_after, seed) -> None:
        self.folder = Path(tempfile.mkdtemp()) if self.in_file else None
        self.now = 100.0
        self.model = NaivePoll(ITEMS, votes_each, skips_each, expire_after)
        self.poll = pv.Poll(
            ITEMS,
            votes_each=votes_each,
            sampler=sampler,
            skips_each=skips_each,
            expire_after=expire_after,
            rng=seed,
            store=fast(self.path),
            clock=self.clock,
        )
        self.second = self.poll
        self.digests = [self.poll.verify()]

    @property
    def path(self) -> Path | None:
        return None if self.folder is None else self.folder / "poll.db"

    def clock(self) -> float:
        return self.now

    def both(self, act: Any, told: Any) -> Any:
        """Do it to the poll and to the model: both take it, or both refuse it."""
        self.model.expire(self.now)
        before = self.seen()
        try:
            expected = told()
        except Refused:
            with pytest.raises(REFUSALS):
                act()
            assert self.seen() == before
            return None
        assert act() == expected
        return expected

    def seen(self) -> tuple[Any, ...]:
        """What a refusal must leave as it is."""
        votes = self.poll.votes()
        return votes.to_columns(), self.poll.items, self.poll.retired, self.poll.voters(), self.poll.settings

    # --- rules ---

    def _ask(self, poll: pv.Poll, voter: Any) -> None:
        self.model.expire(self.now)
        try:
            expected = self.model.may_ask(voter)
        except Refused:
            with pytest.raises(REFUSALS):
                poll.ask(voter)
            return
        question = poll.ask(voter)
        if expected == "none":
            assert question is None
            return
        assert question is not None
        assert question.number == self.model.used(voter) + 1
        if expected == "new":
            self.model.asked(voter, question.id, question.left, question.right, self.now)
        assert question.id == self.model.open_of(voter)
        found = self.model.questions[question.id]
        assert (question.left, question.right) == (found["left"], found["right"])

    @rule(voter=VOTERS, second=st.booleans())
    def ask(self, voter, second) -> None:
        self._ask(self.second if second else self.poll, voter)

    @rule(voter=VOTERS, outcome=st.sampled_from(OUTCOMES), times=st.integers(1, 2), second=st.booleans())
    def ask_and_answer(self, voter, outcome, times, second) -> None:
        if voter not in self.model.removed and (self.model.open_of(voter) or len(self.model.active()) > 1):
            self._ask(self.poll, voter)
        question = self.model.open_of(voter)
        poll = self.second if second else self.poll
        for _ in range(times):
            self.both(
                lambda: poll.answer(voter, question, outcome), lambda: self.model.answer(voter, question, outcome)
            )

    @rule(data=st.data(), voter=VOTERS, outcome=st.sampled_from([*OUTCOMES, "lef", None]))
    def answer_anything(self, data, voter, outcome) -> None:
        question = data.draw(st.sampled_from([*self.model.questions, 1, 10**6]))
        if outcome not in OUTCOMES:
            with pytest.raises(pv.InputError, match="it must be 'left', 'right', 'tie' or 'skip'"):
                self.poll.answer(voter, question, outcome)
            return
        self.both(
            lambda: self.poll.answer(voter, question, outcome), lambda: self.model.answer(voter, question, outcome)
        )

    @rule(voter=VOTERS)
    def undo(self, voter) -> None:
        def act() -> int | None:
            question = self.poll.undo(voter)
            return None if question is None else question.id

        self.both(act, lambda: self.model.undo(voter, self.now))

    @rule(data=st.data(), voter=VOTERS, times=st.integers(1, 2), second=st.booleans())
    def undo_one(self, data, voter, times, second) -> None:
        mine = [*self.model.answers_of(voter), *self.model.questions, 1]
        question = data.draw(st.sampled_from(mine))
        poll = self.second if second else self.poll

        def act() -> int | None:
            found = poll.undo(voter, question=question)
            return None if found is None else found.id

        for _ in range(times):
            self.both(act, lambda: self.model.undo(voter, self.now, question))

    @rule(data=st.data(), voter=VOTERS, outcome=st.sampled_from(OUTCOMES), second=st.booleans())
    def change(self, data, voter, outcome, second) -> None:
        mine = [*self.model.answers_of(voter), *self.model.answers_of(voter), *self.model.questions, 1]
        question, poll = data.draw(st.sampled_from(mine)), self.second if second else self.poll
        self.both(lambda: poll.change(voter, question, outcome), lambda: self.model.change(voter, question, outcome))

    @rule(sure=st.integers(0, 5), second=st.booleans())
    def end(self, sure, second) -> None:
        if not sure:
            self.both((self.second if second else self.poll).end, self.model.end)

    @rule(second=st.booleans())
    def reopen(self, second) -> None:
        self.both((self.second if second else self.poll).reopen, self.model.reopen)

    @rule(
        votes_each=st.sampled_from([None, None, 1, 2, 5, 8]),
        skips_each=st.sampled_from([None, 0, 2, 4]),
        expire_after=st.sampled_from([..., None, 5.0, 10.0]),
        second=st.booleans(),
    )
    def change_settings(self, votes_each, skips_each, expire_after, second) -> None:
        poll = self.second if second else self.poll
        if votes_each is skips_each is None and expire_after is ...:
            with pytest.raises(pv.InputError, match="nothing to change; pass votes_each"):
                poll.change_settings()
            return
        self.both(
            lambda: poll.change_settings(votes_each=votes_each, skips_each=skips_each, expire_after=expire_after),
            lambda: self.model.change_settings(votes_each, skips_each, expire_after),
        )

    @rule(seconds=st.sampled_from([0.5, 4.0, 9.5, 10.0]))
    def wait(self, seconds) -> None:
        self.now += seconds

    @rule(label=st.sampled_from(LATE))
    def add_item(self, label) -> None:
        self.both(lambda: self.poll.add_item(label), lambda: self.model.add_item(label))

    @precondition(lambda self: len(self.model.active()) > 1)
    @rule(label=st.sampled_from([*ITEMS, *LATE]))
    def retire_item(self, label) -> None:
        self.both(lambda: self.poll.retire_item(label), lambda: self.model.retire_item(label))

    @rule(label=st.sampled_from([*ITEMS, *LATE]))
    def restore_item(self, label) -> None:
        self.both(lambda: self.poll.restore_item(label), lambda: self.model.restore_item(label))

    @rule(label=st.sampled_from([*ITEMS, *LATE]), new=st.sampled_from([*ITEMS, *LATE, "oak"]), times=st.integers(1, 2))
    def rename_item(self, label, new, times) -> None:
        for _ in range(times):
            self.both(lambda: self.poll.rename_item(label, new), lambda: self.model.rename_item(label, new))

    @rule(voter=VOTERS, sure=st.integers(0, 3))
    def remove_voter(self, voter, sure) -> None:
        if not sure:
            self.both(lambda: self.poll.remove_voter(voter), lambda: self.model.remove_voter(voter))

    @precondition(lambda self: self.in_file)
    @rule()
    def open_again(self) -> None:
        if self.second is not self.poll:
            self.second.close()
        self.second = pv.Poll.open(fast(self.path), clock=self.clock)

    @rule()
    def note(self) -> None:
        self.digests.append(self.poll.verify())

    # --- what holds at any time ---

    @invariant()
    def looks_the_same(self) -> None:
        for poll in {self.poll, self.second}:
            votes = poll.votes()
            columns = votes.to_columns()
            rows = list(zip(*(columns[name] for name in ("left", "right", "outcome", "voter")), strict=True))
            expected = self.model.rows()
            assert rows == expected
            assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]
            assert votes.items == poll.items == tuple(self.model.items)
            assert set(poll.retired) == self.model.retired
            assert_same_counts(poll.counts(), votes.counts())
            for voter in ("anna", "bo", 7, "7"):
                assert poll.remaining(voter) == self.model.remaining(voter) >= 0
                assert poll.skips_remaining(voter) == self.model.skips_remaining(voter) >= 0
                assert [dataclasses.astuple(answer) for answer in poll.history(voter)] == self.model.history(voter)
            assert [dataclasses.astuple(voter) for voter in poll.voters()] == self.model.voters()
            assert poll.ended == self.model.ended
            found = poll.settings
            expected = (self.model.votes_each, self.model.skips_each, self.model.expire_after)
            assert (found.votes_each, found.skips_each, found.expire_after) == expected
            assert found.items == poll.items

    @invariant()
    def exposures_are_those_of_the_questions(self) -> None:
        with self.poll._log.reading() as state:
            assert state.stream.shown.tolist() == self.model.shown()
            open_questions = [i for i, q in self.model.questions.items() if q["status"] == "open"]
            assert sorted(state.open) == open_questions
            assert len(state.stream.open_questions) == len(open_questions)

    def teardown(self) -> None:
        if not hasattr(self, "poll"):
            return
        for digest in self.digests:
            self.poll.verify(digest)
        if self.folder is not None:
            again = pv.Poll.open(self.path, clock=self.clock)
            assert_same_votes(again.votes(), self.poll.votes())
            with again._log.reading() as replayed, self.poll._log.reading() as state:
                for voter in ("anna", "new"):
                    if len(state.stream.active) > 1:
                        assert replayed.stream.propose(voter) == state.stream.propose(voter)
            for poll in (again, self.poll, self.second):
                poll.close()
            shutil.rmtree(self.folder)


class InMemory(PollMachine):
    in_file = False


class InFile(PollMachine):
    in_file = True


TestInMemory = InMemory.TestCase
TestInMemory.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=40)
TestInFile = InFile.TestCase
TestInFile.settings = settings(TestInMemory.settings, max_examples=settings().max_examples)
