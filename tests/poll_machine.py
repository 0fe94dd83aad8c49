"""A poll against a naive model, on any store, whatever voters and organisers do and in which order."""

from __future__ import annotations

import dataclasses
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from naive_poll import NaivePoll, Refused
from poll_views import (
    DAMAGES,
    Kept,
    WithoutSnapshots,
    assert_same_poll,
    damaged,
    eager,
    files_with,
    snapshots,
    write_snapshots,
)
from strategies import assert_same_counts

import pairvote as pv
from pairvote.poll import EventStore, MemoryStore, SQLiteStore
from pairvote.sampling import Balanced, InformationGain, Sampler, Swiss, TopK, Uniform

ITEMS = ["ash", 1, "1", "birch"]
LATE = ["cedar", 2, "2", "ash"]
OUTCOMES = ("right", "tie", "left", "skip")
ANNA, BO = "anna of Kalmar", "bo of Öland"
NAMES = (ANNA, BO, 7, "7")
VOTERS = st.sampled_from([ANNA, ANNA, ANNA, *NAMES])
REFUSALS = (pv.StateError, pv.InputError)
CRITERIA = ["useful", "new", "cheap"]


@dataclasses.dataclass(frozen=True)
class FewestMeetings(Sampler):
    """A strategy from outside the library, of whose state no snapshot is kept."""

    def choose(self, stream, voter, uniforms):
        pairs = sorted(stream.allowed_pairs(voter), key=lambda pair: (stream.times_shown(*pair), pair))
        return pairs[int(uniforms[0] * min(2, len(pairs)))]


SAMPLERS = [Balanced(), Uniform(), Swiss(), InformationGain(), TopK(1)]


class PollMachine(RuleBasedStateMachine):
    """One poll, perhaps through two openers, and its model.

    `stores` of a subclass is given an empty folder, and gives the function that makes an opener of the poll's store.
    """

    stores: ClassVar[Callable[[Path], Callable[[], EventStore]]]
    # Whether a deleted record leaves no byte in the files of the folder.
    leaves_no_byte: ClassVar[bool] = True

    @initialize(
        sampler=st.sampled_from([*SAMPLERS, FewestMeetings()]),
        items=st.sampled_from([ITEMS, ITEMS, ITEMS, ITEMS[:1], []]),
        criteria=st.sampled_from([0, 0, 1, 2, 3]),
        weighted=st.booleans(),
        votes_each=st.integers(1, 4),
        skips_each=st.integers(0, 3),
        expire_after=st.sampled_from([None, 10.0]),
        seed=st.integers(0, 5),
    )
    def begin(self, sampler, items, criteria, weighted, votes_each, skips_each, expire_after, seed) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.store = type(self).stores(self.folder)
        self.now = 100.0
        self.criteria = CRITERIA[:criteria]
        self.model = NaivePoll(items, votes_each, skips_each, expire_after, self.criteria)
        self.own = None if sampler in SAMPLERS else sampler
        weights = {name: weight for weight, name in enumerate(self.criteria, 1)}
        poll = pv.Poll(
            items,
            votes_each=votes_each,
            sampler=sampler,
            skips_each=skips_each,
            expire_after=expire_after,
            criteria=(weights if weighted else self.criteria) or None,
            rng=seed,
            store=self.store(),
            clock=self.clock,
        )
        self.poll = self.second = eager(poll)
        self.digests = [self.poll.verify()]
        self.old_snapshots: list[dict[str, bytes]] = []
        # What the votes of persons who were forgotten are kept under.
        self.pseudonyms: dict[int, Any] = {}

    def clock(self) -> float:
        return self.now

    def opened(self, store: EventStore) -> pv.Poll:
        return eager(pv.Poll.open(store, clock=self.clock, sampler=self.own))

    def of(self, second: bool) -> pv.Poll:
        return self.second if second else self.poll

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
        poll = self.poll
        return poll.votes().to_columns(), poll.items, poll.retired, poll.voters(), poll.settings, poll.groups()

    # --- voters ---

    def _ask(self, poll: pv.Poll, voter: Any) -> None:
        self.model.expire(self.now)
        try:
            expected = self.model.may_ask(voter)
        except Refused:
            with pytest.raises(pv.StateError):
                poll.ask(voter)
            return
        question = poll.ask(voter)
        if expected == "none":
            assert question is None
            return
        assert question is not None
        assert question.number == self.model.used(voter) + 1
        if expected == "new":
            assert question.id == poll.n_events
            self.model.asked(voter, question.id, question.left, question.right, self.now)
        assert question.id == self.model.open_of(voter)
        found = self.model.questions[question.id]
        assert (question.left, question.right) == (found["left"], found["right"])

    def _outcome(self, data: Any) -> Any:
        """An answer, by every criterion where there are some."""
        if not self.criteria or data.draw(st.integers(0, 4)) == 0:
            return "skip" if self.criteria else data.draw(st.sampled_from(OUTCOMES))
        return {name: data.draw(st.sampled_from(OUTCOMES)) for name in reversed(self.criteria)}

    @rule(voter=VOTERS, second=st.booleans())
    def ask(self, voter, second) -> None:
        self._ask(self.of(second), voter)

    @rule(voter=VOTERS, data=st.data(), times=st.integers(1, 2), second=st.booleans())
    def ask_and_answer(self, voter, data, times, second) -> None:
        model, poll = self.model, self.of(second)
        if not model.is_removed(voter) and (model.open_of(voter) or len(model.active()) > 1):
            self._ask(self.poll, voter)
        question, outcome = model.open_of(voter), self._outcome(data)
        for _ in range(times):
            self.both(lambda: poll.answer(voter, question, outcome), lambda: model.answer(voter, question, outcome))

    @rule(data=st.data(), voter=VOTERS)
    def answer_anything(self, data, voter) -> None:
        question = data.draw(st.sampled_from([*self.model.questions, 1, 10**6]))
        outcome = self._outcome(data)
        self.both(
            lambda: self.poll.answer(voter, question, outcome), lambda: self.model.answer(voter, question, outcome)
        )

    @rule(data=st.data(), voter=VOTERS, changing=st.booleans())
    def answer_what_is_no_outcome(self, data, voter, changing) -> None:
        whole = dict.fromkeys(CRITERIA, "left")
        odd = [
            "lef", None, 2, [], {}, {"useful": "lef"}, {name: "left" for name in CRITERIA if name not in self.criteria},
            dict.fromkeys(self.criteria[1:], "left"), whole | {"other": "tie"},
            dict.fromkeys(self.criteria), whole if len(self.criteria) < 3 else "left",
        ]  # fmt: skip
        question = data.draw(st.sampled_from([*self.model.questions, 1]))
        self.model.expire(self.now)
        before = self.seen()
        with pytest.raises(pv.InputError):
            (self.poll.change if changing else self.poll.answer)(voter, question, data.draw(st.sampled_from(odd)))
        assert self.seen() == before

    @rule(voter=VOTERS)
    def undo(self, voter) -> None:
        def act() -> int | None:
            question = self.poll.undo(voter)
            return None if question is None else question.id

        self.both(act, lambda: self.model.undo(voter, self.now))

    @rule(data=st.data(), voter=VOTERS, times=st.integers(1, 2), second=st.booleans())
    def undo_one(self, data, voter, times, second) -> None:
        question = data.draw(st.sampled_from([*self.model.answers_of(voter), *self.model.questions, 1]))
        poll = self.of(second)

        def act() -> int | None:
            found = poll.undo(voter, question=question)
            return None if found is None else found.id

        for _ in range(times):
            self.both(act, lambda: self.model.undo(voter, self.now, question))

    @rule(data=st.data(), voter=VOTERS, second=st.booleans())
    def change(self, data, voter, second) -> None:
        mine = [*self.model.answers_of(voter), *self.model.answers_of(voter), *self.model.questions, 1]
        question, poll, outcome = data.draw(st.sampled_from(mine)), self.of(second), self._outcome(data)
        self.both(lambda: poll.change(voter, question, outcome), lambda: self.model.change(voter, question, outcome))

    # --- organisers ---

    @rule(sure=st.integers(0, 5), second=st.booleans())
    def end(self, sure, second) -> None:
        if not sure:
            self.both(self.of(second).end, self.model.end)

    @rule(second=st.booleans())
    def reopen(self, second) -> None:
        self.both(self.of(second).reopen, self.model.reopen)

    @rule(
        votes_each=st.sampled_from([None, None, 1, 2, 5, 8]),
        skips_each=st.sampled_from([None, 0, 2, 4]),
        expire_after=st.sampled_from([..., None, 5.0, 10.0]),
        sampler=st.sampled_from([None, None, *SAMPLERS]),
        second=st.booleans(),
    )
    def change_settings(self, votes_each, skips_each, expire_after, sampler, second) -> None:
        poll = self.of(second)
        if self.own is not None:
            # Whoever opens the poll again passes the strategy that it was begun with.
            sampler = None
        if votes_each is skips_each is sampler is None and expire_after is ...:
            with pytest.raises(pv.InputError, match="nothing to change; pass votes_each"):
                poll.change_settings()
            return
        changes = {"votes_each": votes_each, "skips_each": skips_each, "expire_after": expire_after}
        self.both(
            lambda: poll.change_settings(**changes, sampler=sampler), lambda: self.model.change_settings(**changes)
        )
        if sampler is not None:
            assert self.poll.settings.sampler == sampler

    @rule(seconds=st.sampled_from([0.5, 4.0, 9.5, 10.0]))
    def wait(self, seconds) -> None:
        self.now += seconds

    @rule(label=st.sampled_from([*LATE, *ITEMS]))
    def add_item(self, label) -> None:
        self.both(lambda: self.poll.add_item(label), lambda: self.model.add_item(label))

    @rule(label=st.sampled_from([*ITEMS, *LATE]), sure=st.integers(0, 1))
    def retire_item(self, label, sure) -> None:
        if sure or len(self.model.active()) > 2:
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

    @rule(voter=VOTERS, votes=st.sampled_from(["keep", "drop"]), times=st.integers(1, 2), second=st.booleans())
    def forget_voter(self, voter, votes, times, second) -> None:
        noted = self.poll.verify()
        for _ in range(times):
            self.both(
                lambda: self.of(second).forget_voter(voter, votes=votes),
                lambda: self.model.forget_voter(voter, votes),
            )
        self.poll.verify(noted)
        if voter in (ANNA, BO) and self.leaves_no_byte:
            assert files_with(self.folder, voter) == []

    @rule(voter=VOTERS, group=st.sampled_from(["public", "business", 3, "3"]), second=st.booleans())
    def set_group(self, voter, group, second) -> None:
        self.both(lambda: self.of(second).set_group(voter, group), lambda: self.model.set_group(voter, group))

    @rule(
        data=st.data(),
        n_rows=st.integers(0, 4),
        known=st.booleans(),
        timed=st.booleans(),
        stranger=st.sampled_from([None, None, None, "nobody's item"]),
        second=st.booleans(),
    )
    def import_votes(self, data, n_rows, known, timed, stranger, second) -> None:
        items = [*self.model.items, *([stranger] if stranger else [])]
        if len(items) < 2:
            return
        rows = []
        for _ in range(n_rows):
            pair = data.draw(st.permutations(items))[:2]
            voter = data.draw(st.sampled_from([*NAMES, None])) if known else None
            rows.append((voter, *pair, self._outcome(data), data.draw(st.floats(0, 1e9)) if timed else None))
        self.both(
            lambda: self.of(second).import_votes(self._as_votes(rows, items)),
            lambda: self.model.import_votes(rows, 10**9),
        )
        # What the poll numbered them, which is one after the other.
        moved = [number for number in self.model.questions if number >= 10**9]
        ids = list(dict.fromkeys(self.poll.votes().question.tolist()))[len(self.model.answered) - len(moved) :]
        assert ids == list(range(ids[0], ids[0] + len(moved))) if moved else not ids
        for number, question in zip(moved, ids, strict=True):
            self.model.questions[question] = self.model.questions.pop(number)
        self.model.answered[len(self.model.answered) - len(moved) :] = ids

    def _as_votes(self, rows: Sequence[tuple[Any, ...]], items: Sequence[Any]) -> pv.Votes:
        """Rows as a table, one for each criterion of an answer."""
        table: list[tuple[Any, ...]] = []
        for voter, left, right, outcome, time in rows:
            meant = self.model.meant(outcome)
            for name, part in meant.items() if self.criteria else [(None, meant)]:
                table.append((left, right, part, voter, name, time))
        left, right, outcome, voter, criterion, time = zip(*table, strict=True) if table else [()] * 6
        given: dict[str, Any] = {"criterion": criterion} if self.criteria else {}
        if any(name is not None for name in voter):
            given["voter"] = voter
        if any(moment is not None for moment in time):
            given["time"] = time
        return pv.Votes.from_labels(left, right, outcome, items=items, **given)

    # --- the log, and what lies beside it ---

    @rule()
    def open_again(self) -> None:
        """From the snapshot, if there is one, everything is as from the whole log."""
        if self.second is not self.poll:
            self.second.close()
        self.second = self.opened(self.store())
        assert_same_poll(self.second, self.opened(WithoutSnapshots(self.store())), NAMES)
        assert_same_poll(self.second, self.poll, NAMES)

    @rule(how=st.sampled_from([*DAMAGES, "older", "foreign"]), seed=st.integers(0, 99))
    def damage_the_snapshot(self, how, seed) -> None:
        draw, records = random.Random(seed), snapshots(self.store())
        if how == "older":
            changed = draw.choice([*self.old_snapshots, {}])
        elif how == "foreign":
            changed = self._foreign(draw)
        else:
            changed = damaged(records, how, draw)
        self.old_snapshots.append(records)
        write_snapshots(self.store(), changed)
        self.open_again()

    def _foreign(self, draw: random.Random) -> dict[str, bytes]:
        """The snapshot of another poll of the same settings."""
        store, options = Kept(MemoryStore()), self.poll.settings
        poll = pv.Poll(
            self.model.items, store=store, sampler=options.sampler, criteria=self.criteria or None, clock=self.clock,
            votes_each=options.votes_each, rng=draw.randrange(9),
        )  # fmt: skip
        eager(poll)
        while len(self.model.items) > 1 and poll.n_events < self.poll.n_events:
            poll.ask(poll.n_events)
        return snapshots(store)

    @rule(in_file=st.booleans())
    def copy(self, in_file) -> None:
        copy: EventStore = MemoryStore()
        if in_file:
            copy = SQLiteStore(Path(tempfile.mkdtemp(dir=self.folder)) / "copy.db", durability="fast")
        digest = self.poll.copy_to(copy)
        with self.opened(copy) as again:
            assert again.verify() == digest == self.poll.verify()
            assert_same_poll(again, self.poll, NAMES)
        if in_file:
            shutil.rmtree(Path(copy.name).parent)

    @rule()
    def backup(self) -> None:
        path = Path(tempfile.mkdtemp(dir=self.folder)) / "backup.db"
        digest = self.poll.backup(path)
        with pv.Poll.open(path, clock=self.clock, sampler=self.own) as again:
            assert again.verify() == digest == self.poll.verify()
            assert_same_poll(again, self.poll, NAMES)
        shutil.rmtree(path.parent)

    @rule()
    def note(self) -> None:
        self.digests.append(self.poll.verify())

    # --- what holds at any time ---

    @invariant()
    def looks_the_same(self) -> None:
        for poll in {self.poll, self.second}:
            self._votes_are_those(poll)
            assert poll.items == tuple(self.model.items)
            assert set(poll.retired) == self.model.retired
            for voter in NAMES:
                assert poll.remaining(voter) == self.model.remaining(voter) >= 0
                assert poll.skips_remaining(voter) == self.model.skips_remaining(voter) >= 0
                assert [dataclasses.astuple(answer) for answer in poll.history(voter)] == self.model.history(voter)
            known = [dataclasses.astuple(voter) for voter in poll.voters() if voter.voter in NAMES]
            assert known == self.model.voters()
            assert {voter: group for voter, group in poll.groups().items() if voter in NAMES} == self.model.groups()
            assert poll.ended == self.model.ended
            found = poll.settings
            expected = (self.model.votes_each, self.model.skips_each, self.model.expire_after)
            assert (found.votes_each, found.skips_each, found.expire_after) == expected
            assert found.items == poll.items
            # The last event, of which the store has none that follows.
            last = list(self.store().events(poll.n_events - 1))
            assert [event[0] for event in last] == [poll.n_events]

    def _votes_are_those(self, poll: pv.Poll) -> None:
        votes = poll.votes()
        columns = votes.to_columns()
        n_votes = len(votes)
        criterion = columns.get("criterion", [None] * n_votes)
        voters = columns.get("voter", [None] * n_votes)
        known = (columns["left"], columns["right"], columns["outcome"], criterion, votes.question.tolist(), votes.time)
        rows, expected = list(zip(*known, strict=True)), self.model.rows()
        assert rows == [row[:-1] for row in expected]
        assert [list(map(type, row[:2])) for row in rows] == [list(map(type, row[:2])) for row in expected]
        for voter, (*_, person) in zip(voters, expected, strict=True):
            if person is None:
                assert voter is None
            elif self.model.persons[person] is None:
                assert self.pseudonyms.setdefault(person, voter) == voter
            else:
                assert (voter, type(voter)) == (self.model.persons[person], type(self.model.persons[person]))
        assert len(set(self.pseudonyms.values())) == len(self.pseudonyms)
        assert not {None, *NAMES} & set(self.pseudonyms.values())
        assert votes.items == poll.items
        if not self.criteria:
            assert_same_counts(poll.counts(), votes.counts())
            return
        by_each = [poll.counts(criterion=name) for name in self.criteria]
        assert_same_counts(poll.counts(), sum(by_each[1:], by_each[0]))
        for name, counts in zip(self.criteria, by_each, strict=True):
            assert_same_counts(counts, votes.counts(criterion=name))

    @invariant()
    def exposures_are_those_of_the_questions(self) -> None:
        with self.poll._log.reading() as state:
            assert state.stream.shown.tolist() == self.model.shown()
            n_open = sum(question["status"] == "open" for question in self.model.questions.values())
            assert len(state.stream.open_questions) == n_open

    def teardown(self) -> None:
        if not hasattr(self, "poll"):
            return
        for digest in self.digests:
            self.poll.verify(digest)
        self.open_again()
        for poll in (self.poll, self.second):
            poll.close()
        shutil.rmtree(self.folder)
