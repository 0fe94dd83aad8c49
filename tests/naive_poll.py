"""A poll in plain lists and dictionaries: the oracle of tests/poll/test_poll_model.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Refused(Exception):  # noqa: N818
    """The poll must refuse this."""


class NaivePoll:
    """What was asked and answered. It does not choose pairs: `ask` is told which one the poll chose.

    A voter is a person: a number, in the order in which they came. An id that was forgotten is nobody's, and whoever
    comes with it again is another person.
    """

    def __init__(
        self,
        items: Sequence[Any],
        votes_each: int,
        skips_each: int,
        expire_after: float | None,
        criteria: Sequence[str] = (),
    ) -> None:
        self.items = list(items)
        self.retired: set[Any] = set()
        # The id of each person, None where it was forgotten; who was removed, and who is of which group.
        self.persons: list[Any] = []
        self.removed: set[int] = set()
        self.group: dict[int, Any] = {}
        self.votes_each, self.skips_each, self.expire_after = votes_each, skips_each, expire_after
        self.criteria = list(criteria)
        # Every question ever asked, by id: person, left, right, "open", "answered" or "closed".
        self.questions: dict[int, dict[str, Any]] = {}
        # Questions that are answered, in the order of the answers.
        self.answered: list[int] = []
        self.ended = False
        # Labels that items had, and their places.
        self.names: dict[Any, int] = {}
        self.now = 0.0

    # --- what a voter has ---

    def person_of(self, voter: Any) -> int | None:
        return self.persons.index(voter) if voter is not None and voter in self.persons else None

    def person(self, voter: Any) -> int:
        """The person with an id, who is another one from now on where nobody has it."""
        if voter not in self.persons:
            self.persons.append(voter)
        return self.persons.index(voter)

    def is_removed(self, voter: Any) -> bool:
        return self.person_of(voter) in self.removed

    def open_of(self, voter: Any) -> int | None:
        person = self.person_of(voter)
        if person is None:
            return None
        found = [i for i, q in self.questions.items() if q["person"] == person and q["status"] == "open"]
        assert len(found) <= 1
        return found[0] if found else None

    def answers_of_person(self, person: int | None) -> list[int]:
        return [i for i in self.answered if person is not None and self.questions[i]["person"] == person]

    def answers_of(self, voter: Any) -> list[int]:
        return self.answers_of_person(self.person_of(voter))

    def used_by(self, person: int | None) -> int:
        return sum(not is_skip(self.questions[i]["outcome"]) for i in self.answers_of_person(person))

    def used(self, voter: Any) -> int:
        return self.used_by(self.person_of(voter))

    def skipped(self, voter: Any) -> int:
        return len(self.answers_of(voter)) - self.used(voter)

    def active(self) -> list[Any]:
        return [item for item in self.items if item not in self.retired]

    def meant(self, outcome: Any) -> Any:
        """An outcome as it is kept: a skip of everything is one by every criterion."""
        if self.criteria and outcome == "skip":
            return dict.fromkeys(self.criteria, "skip")
        return outcome

    # --- what happens ---

    def expire(self, now: float) -> None:
        self.now = now
        for question in self.questions.values():
            if (
                question["status"] == "open"
                and self.expire_after is not None
                and now - question["since"] >= self.expire_after
            ):
                question["status"] = "closed"

    def may_ask(self, voter: Any) -> str:
        """Whether the poll must give the "open" question again, "none", or a "new" one."""
        if self.is_removed(voter):
            raise Refused
        if self.open_of(voter) is not None:
            return "open"
        if self.ended or self.used(voter) >= self.votes_each:
            return "none"
        if len(self.active()) < 2:
            raise Refused
        return "new"

    def asked(self, voter: Any, question: int, left: Any, right: Any, now: float) -> None:
        assert question not in self.questions
        assert left != right
        assert {left, right} <= set(self.active())
        person = self.person(voter)
        seen = [{q["left"], q["right"]} for q in self.questions.values() if q["person"] == person and counts_as(q)]
        active = self.active()
        times = [seen.count({a, b}) for place, a in enumerate(active) for b in active[:place]]
        assert seen.count({left, right}) == min(times)
        self.questions[question] = {
            "person": person, "left": left, "right": right, "status": "open", "outcome": None, "since": now,
        }  # fmt: skip

    def _put_to(self, voter: Any, question: Any) -> dict[str, Any]:
        """A question that was put to a voter who may vote."""
        if self.is_removed(voter) or question not in self.questions:
            raise Refused
        found = self.questions[question]
        if found["person"] is None or found["person"] != self.person_of(voter):
            raise Refused
        return found

    def answer(self, voter: Any, question: Any, outcome: Any) -> None:
        found, outcome = self._put_to(voter, question), self.meant(outcome)
        if found["status"] == "answered":
            if found["outcome"] != outcome:
                raise Refused
            return
        if self.ended or found["status"] != "open" or (is_skip(outcome) and self.skipped(voter) >= self.skips_each):
            raise Refused
        found["status"], found["outcome"], found["time"] = "answered", outcome, self.now
        self.answered.append(question)

    def undo(self, voter: Any, now: float, question: Any = None) -> int | None:
        if self.is_removed(voter):
            raise Refused
        if question is not None:
            self._put_to(voter, question)
            if question not in self.answered:
                return self.open_of(voter)
        elif not self.answers_of(voter):
            raise Refused
        if self.ended:
            raise Refused
        opened = self.open_of(voter)
        if opened is not None:
            self.questions[opened]["status"] = "closed"
        last = self.answers_of(voter)[-1] if question is None else question
        self.answered.remove(last)
        found = self.questions[last]
        found["outcome"], found["since"] = None, now
        gone = {found["left"], found["right"]} & self.retired or self.used(voter) >= self.votes_each
        found["status"] = "closed" if gone else "open"
        return None if gone else last

    def change(self, voter: Any, question: Any, outcome: Any) -> None:
        found, outcome = self._put_to(voter, question), self.meant(outcome)
        if found["status"] == "answered" and found["outcome"] == outcome:
            return
        if self.ended or found["status"] != "answered":
            raise Refused
        if is_skip(outcome) and not is_skip(found["outcome"]) and self.skipped(voter) >= self.skips_each:
            raise Refused
        if is_skip(found["outcome"]) and not is_skip(outcome) and self.used(voter) >= self.votes_each:
            raise Refused
        found["outcome"] = outcome
        self.give_up_spent()

    def give_up_spent(self) -> None:
        for question in self.questions.values():
            if question["status"] == "open" and self.used_by(question["person"]) >= self.votes_each:
                question["status"] = "closed"

    def end(self) -> None:
        self.ended = True
        for question in self.questions.values():
            if question["status"] == "open":
                question["status"] = "closed"

    def reopen(self) -> None:
        self.ended = False

    def change_settings(self, votes_each: int | None, skips_each: int | None, expire_after: Any) -> None:
        self.votes_each = self.votes_each if votes_each is None else votes_each
        self.skips_each = self.skips_each if skips_each is None else skips_each
        self.expire_after = self.expire_after if expire_after is ... else expire_after
        self.give_up_spent()

    def add_item(self, label: Any) -> bool:
        if label in self.retired:
            raise Refused
        if label in self.items:
            return False
        self.items.append(label)
        return True

    def restore_item(self, label: Any) -> bool:
        if label not in self.items:
            raise Refused
        was_retired = label in self.retired
        self.retired.discard(label)
        return was_retired

    def rename_item(self, label: Any, new: Any) -> bool:
        if label not in self.items:
            place = self.names.get(label)
            if place is not None and self.items[place] == new:
                return False
            raise Refused
        if label == new:
            return False
        if new in self.items:
            raise Refused
        place = self.items.index(label)
        self.items[place] = new
        self.names.pop(new, None)
        self.names[label] = place
        if label in self.retired:
            self.retired = self.retired - {label} | {new}
        for question in self.questions.values():
            for side in ("left", "right"):
                if question[side] == label:
                    question[side] = new
        return True

    def retire_item(self, label: Any) -> bool:
        if label not in self.items:
            raise Refused
        if label in self.retired:
            return False
        self.retired.add(label)
        for question in self.questions.values():
            if question["status"] == "open" and label in (question["left"], question["right"]):
                question["status"] = "closed"
        return True

    def remove_voter(self, voter: Any) -> bool:
        person = self.person(voter)
        if person in self.removed:
            return False
        self.removed.add(person)
        self._drop(person)
        return True

    def _drop(self, person: int) -> None:
        """Neither questions nor answers of a person count any more."""
        self.answered = [i for i in self.answered if self.questions[i]["person"] != person]
        for question in self.questions.values():
            if question["person"] == person:
                question["status"] = "closed"

    def forget_voter(self, voter: Any, votes: str) -> bool:
        person = self.person_of(voter)
        if person is None:
            return False
        opened = self.open_of(voter)
        if opened is not None:
            self.questions[opened]["status"] = "closed"
        if votes == "drop":
            self._drop(person)
        self.persons[person] = None
        return True

    def set_group(self, voter: Any, group: Any) -> bool:
        person = self.person_of(voter)
        if (None if person is None else self.group.get(person)) == group:
            return False
        self.group[self.person(voter)] = group
        return True

    def import_votes(self, rows: Sequence[tuple[Any, ...]], first: int) -> int:
        """Answers from elsewhere, of which the first is question `first`: voter or None, left, right, outcome, time."""
        if self.ended or any(
            self.is_removed(voter) or not {left, right} <= set(self.items) for voter, left, right, *_ in rows
        ):
            raise Refused
        for question, (voter, left, right, outcome, time) in enumerate(rows, first):
            assert question not in self.questions
            self.questions[question] = {
                "person": None if voter is None else self.person(voter), "left": left, "right": right,
                "status": "answered", "outcome": self.meant(outcome), "since": self.now,
                "time": self.now if time is None else time,
            }  # fmt: skip
            self.answered.append(question)
        self.give_up_spent()
        return len(rows)

    # --- what is to be seen ---

    def remaining(self, voter: Any) -> int:
        return 0 if self.is_removed(voter) else max(0, self.votes_each - self.used(voter))

    def skips_remaining(self, voter: Any) -> int:
        return 0 if self.is_removed(voter) else max(0, self.skips_each - self.skipped(voter))

    def history(self, voter: Any) -> list[tuple[Any, ...]]:
        found = [(i, self.questions[i]) for i in self.answers_of(voter)]
        return [(i, q["left"], q["right"], q["outcome"], q["time"]) for i, q in found]

    def voters(self) -> list[tuple[Any, ...]]:
        """All that are known by an id."""
        names = [voter for voter in self.persons if voter is not None]
        return [(v, self.used(v), self.skipped(v), self.remaining(v), self.is_removed(v)) for v in names]

    def groups(self) -> dict[Any, Any]:
        """The group of every voter that is known by an id and has one."""
        found = [(voter, self.group.get(person)) for person, voter in enumerate(self.persons) if voter is not None]
        return {voter: group for voter, group in found if group is not None}

    def rows(self) -> list[tuple[Any, ...]]:
        """A row for each answer and criterion: left, right, outcome, criterion, question, time, person."""
        rows = []
        for number in self.answered:
            q = self.questions[number]
            for criterion in self.criteria or [None]:
                outcome = q["outcome"] if criterion is None else q["outcome"][criterion]
                rows.append((q["left"], q["right"], outcome, criterion, number, q["time"], q["person"]))
        return rows

    def shown(self) -> list[int]:
        asked = [label for q in self.questions.values() if counts_as(q) for label in (q["left"], q["right"])]
        return [asked.count(label) for label in self.items]


def counts_as(question: dict[str, Any]) -> bool:
    """Whether a question counts as asked."""
    return question["status"] in ("open", "answered")


def is_skip(outcome: Any) -> bool:
    """Whether an answer uses no vote: it is a skip, by every criterion where there are some."""
    return set(outcome.values()) == {"skip"} if isinstance(outcome, dict) else outcome == "skip"
