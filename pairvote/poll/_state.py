"""The state of a poll: a fold over its log, the same whoever folds it and however often."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pairvote._common.outcomes import Outcome
from pairvote.poll._events import Draft, Event, Kind, Why, check_event
from pairvote.poll._settings import Label, Settings, changed
from pairvote.poll._tally import Tally
from pairvote.votes._votes import Votes


class Asked(NamedTuple):
    """A question: who is asked, and about which items, by code."""

    voter: Label
    left: int
    right: int


class Voter:
    """What one voter did: the questions answered, skips included, in order; the one that is open, 0 for none."""

    __slots__ = ("answered", "n_skips", "open", "removed")

    def __init__(self) -> None:
        self.answered: list[int] = []
        self.n_skips = 0
        self.open = 0
        self.removed = False

    @property
    def n_votes(self) -> int:
        """How many of the voter's votes are used."""
        return len(self.answered) - self.n_skips


class State:
    """All that a poll decides by.

    Attributes
    ----------
    number, time, digest
        Those of the last event folded.
    items : tuple of labels
        In the order of their codes; those of `retired` too.
    questions : dict from question to Asked
    answers : dict from question to outcome
        In the order in which they were given; only those that count.
    times : dict from question to time
        When each of them was given.
    open : dict from question to the time from which it is open
        The longest open first.

    The time of an event may be before that of the event before, where a clock was set back. Questions that are open
    then were asked no later than at that event, and count from there.
    """

    def __init__(self, settings: Settings, opened: Event) -> None:
        self.settings = settings
        self.number, self.time, self.digest = opened.number, opened.time, opened.digest
        self.items: tuple[Label, ...] = settings.items
        self.codes = {label: code for code, label in enumerate(settings.items)}
        self.retired: set[int] = set()
        # Which items had another label, so that a second renaming is known from a first.
        self.former: dict[Label, int] = {}
        self.voters: dict[Label, Voter] = {}
        self.questions: dict[int, Asked] = {}
        self.answers: dict[int, int] = {}
        self.times: dict[int, float] = {}
        self.ended = False
        self.open: dict[int, float] = {}
        self.tally = Tally()
        self.stream = settings.sampler.start(len(settings.items), votes_each=settings.votes_each, rng=settings.seed)
        self._folds = {
            Kind.ASKED: self._asked,
            Kind.ANSWERED: self._answered,
            Kind.UNDONE: self._undone,
            Kind.RELEASED: self._released,
            Kind.ITEM_ADDED: self._item_added,
            Kind.ITEM_RETIRED: self._item_retired,
            Kind.VOTER_REMOVED: self._voter_removed,
            Kind.CHANGED: self._changed,
            Kind.ENDED: self._ended,
            Kind.REOPENED: self._reopened,
            Kind.SETTINGS_CHANGED: self._settings_changed,
            Kind.ITEM_RENAMED: self._item_renamed,
            Kind.ITEM_RESTORED: self._item_restored,
        }

    def fold(self, event: tuple[Any, ...]) -> None:
        """Be the state after one more event."""
        number, time, kind, a, b, c, digest = event
        if number != self.number + 1:
            raise ValueError(f"event {number} does not follow event {self.number}")
        check_event(event)
        if time < self.time:
            self.open = {question: min(since, time) for question, since in self.open.items()}
        # The state is of this event before it is looked at, so that whoever catches what it raises knows which it was.
        self.number, self.time, self.digest = number, time, digest
        self._folds[kind](a, b, c)

    # --- what an event changes ---

    def _asked(self, voter: Any, left: Any, right: Any) -> None:
        question = self.number
        known = self.voters.get(voter)
        if known is not None and (known.open or known.removed):
            raise ValueError("the voter has a question open, or was removed")
        self.stream.reserve(voter, left, right)
        self.questions[question] = Asked(voter, left, right)
        if known is None:
            known = self.voters[voter] = Voter()
        known.open = question
        self.open[question] = self.time

    def _answered(self, question: Any, outcome: Any, _: Any) -> None:
        voter, left, right = self.questions[question]
        del self.open[question]
        self.stream.record(voter, left, right, outcome)
        self.answers[question] = outcome
        self.times[question] = self.time
        self.tally.cast(left, right, outcome)
        known = self.voters[voter]
        known.open = 0
        known.answered.append(question)
        if outcome == Outcome.SKIP:
            known.n_skips += 1

    def _undone(self, question: Any, *_: Any) -> None:
        known = self.voters[self.questions[question].voter]
        known.answered.remove(question)
        if self._withdraw(question) == Outcome.SKIP:
            known.n_skips -= 1
        known.open = question
        self.open[question] = self.time

    def _released(self, question: Any, *_: Any) -> None:
        del self.open[question]
        asked = self.questions[question]
        self.voters[asked.voter].open = 0
        self.stream.release(*asked)

    def _item_added(self, label: Any, *_: Any) -> None:
        if label in self.codes:
            raise ValueError("an item has this label already")
        self.codes[label] = self.stream.add_item()
        self.items = (*self.items, label)

    def _item_retired(self, code: Any, *_: Any) -> None:
        self.stream.retire(code)
        self.retired.add(code)

    def _item_renamed(self, code: Any, label: Any, _: Any) -> None:
        if label in self.codes:
            raise ValueError("an item has this label already")
        labels = list(self.items)
        before, labels[code] = labels[code], label
        self.items = tuple(labels)
        del self.codes[before]
        self.codes[label] = code
        self.former.pop(label, None)
        self.former[before] = code
        self.tally.rename(self.items)

    def _item_restored(self, code: Any, *_: Any) -> None:
        self.stream.restore(code)
        self.retired.remove(code)

    def _voter_removed(self, voter: Any, *_: Any) -> None:
        known = self.voters[voter]
        known.removed = True
        if known.open:
            self._released(known.open)
        for question in known.answered:
            self._withdraw(question)
            self.stream.release(*self.questions[question])

    def _changed(self, question: Any, outcome: Any, _: Any) -> None:
        before, (voter, left, right) = self.answers[question], self.questions[question]
        self.stream.withdraw(voter, left, right, before)  # type: ignore[arg-type]
        self.stream.record(voter, left, right, outcome)
        self.tally.take_back(left, right, before)
        self.tally.cast(left, right, outcome)
        # Its place among the answers, and its time, stay.
        self.answers[question] = outcome
        self.voters[voter].n_skips += (outcome == Outcome.SKIP) - (before == Outcome.SKIP)

    def _ended(self, *_: Any) -> None:
        self.ended = True

    def _reopened(self, *_: Any) -> None:
        self.ended = False

    def _settings_changed(self, changes: Any, *_: Any) -> None:
        self.settings = changed(self.settings, changes)

    def _withdraw(self, question: int) -> int:
        """Take an answer back; which it was."""
        outcome = self.answers.pop(question)
        del self.times[question]
        voter, left, right = self.questions[question]
        self.stream.withdraw(voter, left, right, outcome)  # type: ignore[arg-type]
        self.tally.take_back(left, right, outcome)
        return outcome

    # --- what follows from it ---

    def expired(self, now: float) -> list[Draft]:
        """The releases of the questions that have been open for too long."""
        drafts: list[Draft] = []
        if self.settings.expire_after is not None:
            for question, since in self.open.items():
                if now - since < self.settings.expire_after:
                    break
                drafts.append(Draft(Kind.RELEASED, question, Why.EXPIRED.value))
        return drafts

    def votes(self) -> Votes:
        """The answers that count, in the order in which they were given."""
        rows = [(*self.questions[question], outcome) for question, outcome in self.answers.items()]
        voters, left, right, outcomes = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Votes.from_codes(
            np.array(left, np.int32),
            np.array(right, np.int32),
            np.array(outcomes, np.uint8),
            items=self.items,
            voter=voters,
        )
