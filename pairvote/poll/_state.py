"""The state of a poll: a fold over its log, the same whoever folds it and however often."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pairvote.poll._book import FORGOTTEN, GONE, NO_ROW, NOBODY, OPEN, REMOVED, Book
from pairvote.poll._criteria import Criteria
from pairvote.poll._events import MOST_EVENTS, Draft, Event, Kind, Why, check_event
from pairvote.poll._identities import Forgotten
from pairvote.poll._settings import Label, Settings, changed
from pairvote.poll._tally import Tally
from pairvote.sampling._saving import is_own
from pairvote.sampling._stream import PairStream, Sampler

LAST_ITEM = 2**24 - 1


class State:
    """All that a poll decides by.

    Attributes
    ----------
    number, time, digest
        Those of the last event folded.
    items : tuple of labels
        In the order of their codes; those of `retired` too.
    book : Book
        Who was asked what, and what came of it.
    open : dict from question to the time from which it is open
        The longest open first.
    stream : PairStream
        Which two next.

    The time of an event may be before that of the event before, where a clock was set back. Questions that are open
    then were asked no later than at that event, and count from there.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Event,
        label_of: Callable[[int], Label | Forgotten],
        sampler: Sampler | None = None,
        name: str = "",
    ) -> None:
        self._label_of, self._sampler, self._name = label_of, sampler, name
        self.settings = settings
        self.criteria = Criteria(settings.criteria, settings.weights)
        self.number, self.time, self.digest = opened.number, opened.time, opened.digest
        self.items: tuple[Label, ...] = settings.items
        self.codes = {label: code for code, label in enumerate(settings.items)}
        self.retired: set[int] = set()
        # Which items had another label, so that a second renaming is known from a first.
        self.former: dict[Label, int] = {}
        self.book = Book()
        self.ended = False
        self.open: dict[int, float] = {}
        self.tally = Tally(self.criteria)
        self.stream = self._new_stream()

    def fold(self, event: tuple[Any, ...]) -> None:
        """Be the state after one more event."""
        number, time, kind, a, b, c, digest = event
        if number != self.number + 1 or number > MOST_EVENTS:
            raise ValueError(f"event {number} does not follow event {self.number}")
        check_event(event)
        if time < self.time:
            self.open = {question: min(since, time) for question, since in self.open.items()}
        # The state is of this event before it is looked at, so that whoever catches what it raises knows which it was.
        self.number, self.time, self.digest = number, time, digest
        self._FOLDS[kind](self, a, b, c)

    # --- what an event changes ---

    def _asked(self, voter: Any, left: Any, right: Any) -> None:
        book = self.book
        code = self._come(voter)
        if book.open[code] >= 0 or book.standing[code] & REMOVED:
            raise ValueError("the voter has a question open, or was removed")
        self.stream.reserve(book.labels[code], left, right)
        book.open[code] = book.ask(self.number, code, left, right)
        self.open[self.number] = self.time

    def _answered(self, question: Any, answer: Any, _: Any) -> None:
        row = self._row(question)
        del self.open[question]
        self.book.open[self.book.voter[row]] = NO_ROW
        self._cast(row, answer, self.number, self.time)

    def _undone(self, question: Any, *_: Any) -> None:
        row = self._row(question)
        code = self.book.voter[row]
        if self.book.open[code] >= 0:
            raise ValueError("the voter has a question open")
        self._take_back(row)
        self.book.open[code] = row
        self.open[question] = self.time

    def _released(self, question: Any, *_: Any) -> None:
        row = self._row(question)
        del self.open[question]
        book = self.book
        code = book.voter[row]
        self.stream.release(book.labels[code], book.left[row], book.right[row])
        book.open[code] = NO_ROW
        book.write(row, GONE, 0, 0.0)

    def _item_added(self, label: Any, *_: Any) -> None:
        if label in self.codes:
            raise ValueError("an item has this label already")
        self.codes[label] = self.stream.add_item()
        self.items = (*self.items, label)

    def _item_retired(self, code: Any, *_: Any) -> None:
        self.stream.retire(code)
        self.retired.add(code)

    def _item_renamed(self, code: Any, label: Any, _: Any) -> None:
        if label in self.codes or not 0 <= code < len(self.items):
            raise ValueError("an item has this label already, or there is no such item")
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
        self._drop(self._come(voter))

    def _changed(self, question: Any, answer: Any, _: Any) -> None:
        row = self._row(question)
        answered, time = self.book.answered[row], self.book.time[row]
        self._take_back(row)
        # Its place among the answers, and its time, stay.
        self._cast(row, answer, answered, time)

    def _ended(self, *_: Any) -> None:
        self.ended = True

    def _reopened(self, *_: Any) -> None:
        self.ended = False

    def _settings_changed(self, changes: Any, *_: Any) -> None:
        before = self.settings.sampler
        self.settings = changed(self.settings, changes, self._sampler, self._name)
        if self.settings.sampler != before:
            self._start_again()

    def _group_set(self, voter: Any, group: Any, _: Any) -> None:
        code = self._come(voter)
        if group is None:
            self.book.groups.pop(code, None)
        else:
            self.book.groups[code] = group

    def _voter_forgotten(self, code: Any, votes_go: Any, _: Any) -> None:
        book = self.book
        self._check_code(code)
        if votes_go:
            self._drop(code)
        elif book.open[code] >= 0:
            self._released(book.number[book.open[code]])
        before = book.forget(code)
        seen = self.stream._board.seen.pop(before, None)
        if seen is not None:
            self.stream._board.seen[book.labels[code]] = seen

    def _imported(self, voter: Any, pair: Any, given: Any) -> None:
        code = NOBODY if voter is None else self._come(voter)
        if code >= 0 and self.book.standing[code] & REMOVED:
            raise ValueError("the voter was removed")
        answer, time = json.loads(given) if isinstance(given, str) else (given, self.time)
        if type(answer) is not int or type(time) is not float or not math.isfinite(time) or not 0 <= pair < 2**48:
            raise ValueError(f"an imported vote cannot hold {pair!r}, {given!r}")
        left, right = pair >> 24, pair & LAST_ITEM
        if not (left < len(self.items) and right < len(self.items)) or left == right:
            raise ValueError(f"there are no such two items as {left} and {right}")
        # As `reserve` does, also for a retired item.
        self.stream._ask(self.book.label(code), left, right)
        self._cast(self.book.ask(self.number, code, left, right), answer, self.number, time)
        # Nobody is asked again, and what was shown to nobody would be as long as all such votes.
        self.stream._board.seen.pop(None, None)

    # By plain numbers, which are found sooner than members of an enumeration.
    _FOLDS: ClassVar[dict[int, Callable[..., None]]] = {
        Kind.ASKED.value: _asked,
        Kind.ANSWERED.value: _answered,
        Kind.UNDONE.value: _undone,
        Kind.RELEASED.value: _released,
        Kind.ITEM_ADDED.value: _item_added,
        Kind.ITEM_RETIRED.value: _item_retired,
        Kind.VOTER_REMOVED.value: _voter_removed,
        Kind.CHANGED.value: _changed,
        Kind.ENDED.value: _ended,
        Kind.REOPENED.value: _reopened,
        Kind.SETTINGS_CHANGED.value: _settings_changed,
        Kind.ITEM_RENAMED.value: _item_renamed,
        Kind.ITEM_RESTORED.value: _item_restored,
        Kind.GROUP_SET.value: _group_set,
        Kind.VOTER_FORGOTTEN.value: _voter_forgotten,
        Kind.IMPORTED.value: _imported,
    }

    def _come(self, voter: int | str) -> int:
        """The code of a voter, who comes now where a seal stands for her."""
        if isinstance(voter, str):
            return self.book.come(self._label_of(len(self.book.labels)))
        self._check_code(voter)
        return voter

    def _check_code(self, code: int) -> None:
        if not 0 <= code < len(self.book.labels):
            raise ValueError(f"there is no voter {code}")

    def _row(self, question: int) -> int:
        row = self.book.row(question)
        if row < 0:
            raise ValueError(f"there is no question {question}")
        return row

    def _cast(self, row: int, answer: int, answered: int, time: float) -> None:
        """Count an answer to an open question."""
        book = self.book
        if book.answer[row] != OPEN or not self.criteria.is_answer(answer):
            raise ValueError(f"{answer!r} is no answer, or the question is not open")
        left, right, code = book.left[row], book.right[row], book.voter[row]
        self.stream.record(book.label(code), left, right, self.criteria.mean(answer))
        book.write(row, answer, answered, time)
        self.tally.note(left, right, answer, True)
        if code >= 0:
            (book.n_skips if answer == self.criteria.skip else book.n_votes)[code] += 1

    def _take_back(self, row: int) -> None:
        """Take an answer back, so that its question is open."""
        book = self.book
        answer = book.answer[row]
        if answer < 0:
            raise ValueError("the question has no answer")
        left, right, code = book.left[row], book.right[row], book.voter[row]
        self.stream.withdraw(book.label(code), left, right, self.criteria.mean(answer))
        book.write(row, OPEN, 0, 0.0)
        self.tally.note(left, right, answer, False)
        if code >= 0:
            (book.n_skips if answer == self.criteria.skip else book.n_votes)[code] -= 1

    def _drop(self, code: int) -> None:
        """Take out all that a voter did, and take nothing more."""
        book = self.book
        book.standing[code] |= REMOVED
        if book.open[code] >= 0:
            self._released(book.number[book.open[code]])
        for row in book.answered_by(code):
            self._take_back(row)
            self.stream.release(book.labels[code], book.left[row], book.right[row])
            book.write(row, GONE, 0, 0.0)

    # --- the strategy ---

    def _new_stream(self) -> PairStream:
        settings = self.settings
        stream = PairStream(settings.sampler, len(self.items), votes_each=settings.votes_each, rng=settings.seed)
        if is_own(settings.sampler):
            stream._keep_no_log()
        return stream

    def _start_again(self) -> None:
        """Another strategy, which is told what was asked and answered."""
        self.stream, book = self._new_stream(), self.book
        for row in range(len(book)):
            answer, asked = book.answer[row], (book.label(book.voter[row]), book.left[row], book.right[row])
            if answer != GONE:
                self.stream.reserve(*asked)
            if answer >= 0:
                self.stream.record(*asked, self.criteria.mean(answer))
        self.stream._board.seen.pop(None, None)
        for code in sorted(self.retired):
            self.stream.retire(code)

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

    def facts(self) -> dict[str, Any]:
        """All that the log says but who is forgotten, which the ids say sooner; nothing of what a strategy keeps."""
        settings = self.settings
        numbers = (settings.votes_each, settings.skips_each, settings.expire_after, settings.criteria, settings.weights)
        columns = self.book.columns()
        columns["standing"] = bytes(standing & ~FORGOTTEN for standing in columns["standing"])
        return {
            **columns,
            "items": (self.items, sorted(self.retired), self.former),
            "groups": self.book.groups,
            "open": list(self.open.items()),
            "settings": (self.ended, *numbers),
        }

    def remaining(self, code: int | None) -> int:
        """How many votes a voter has left, None standing for one who did not come yet."""
        if code is None:
            return self.settings.votes_each
        return 0 if self.book.standing[code] & REMOVED else max(0, self.settings.votes_each - self.book.n_votes[code])

    def skips_remaining(self, code: int | None) -> int:
        """How many questions a voter may still skip."""
        if code is None:
            return self.settings.skips_each
        return 0 if self.book.standing[code] & REMOVED else max(0, self.settings.skips_each - self.book.n_skips[code])

    def open_questions(self) -> Iterator[tuple[Label | Forgotten | None, int, int]]:
        """The open questions: who is asked about which items."""
        for question in self.open:
            row = self.book.row(question)
            yield self.book.label(self.book.voter[row]), self.book.left[row], self.book.right[row]
