"""A poll in plain lists and dictionaries: the oracle of tests/test_poll_model.py."""

from __future__ import annotations

from typing import Any


class Refused(Exception):  # noqa: N818
    """The poll must refuse this."""


class NaivePoll:
    """What was asked and answered. It does not choose pairs: `ask` is told which one the poll chose."""

    def __init__(self, items: list[Any], votes_each: int, skips_each: int, expire_after: float | None) -> None:
        self.items = list(items)
        self.retired: set[Any] = set()
        self.removed: set[Any] = set()
        self.votes_each, self.skips_each, self.expire_after = votes_each, skips_each, expire_after
        # Every question ever asked, by id: voter, left, right, "open", "answered" or "closed".
        self.questions: dict[int, dict[str, Any]] = {}
        # Questions that are answered, in the order of the answers.
        self.answered: list[int] = []
        self.ended = False
        # Labels that items had, and their places.
        self.names: dict[Any, int] = {}
        self.now = 0.0

    # --- what a voter has ---

    def open_of(self, voter: Any) -> int | None:
        found = [i for i, q in self.questions.items() if q["voter"] == voter and q["status"] == "open"]
        assert len(found) <= 1
        return found[0] if found else None

    def answers_of(self, voter: Any) -> list[int]:
        return [i for i in self.answered if self.questions[i]["voter"] == voter]

    def used(self, voter: Any) -> int:
        return sum(self.questions[i]["outcome"] != "skip" for i in self.answers_of(voter))

    def skipped(self, voter: Any) -> int:
        return len(self.answers_of(voter)) - self.used(voter)

    def active(self) -> list[Any]:
        return [item for item in self.items if item not in self.retired]

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
        if voter in self.removed:
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
        seen = [{q["left"], q["right"]} for q in self.questions.values() if q["voter"] == voter and self.counts_as(q)]
        active = self.active()
        times = [seen.count({a, b}) for place, a in enumerate(active) for b in active[:place]]
        assert seen.count({left, right}) == min(times)
        self.questions[question] = {
            "voter": voter, "left": left, "right": right, "status": "open", "outcome": None, "since": now,
        }  # fmt: skip

    @staticmethod
    def counts_as(question: dict[str, Any]) -> bool:
        """Whether a question counts as asked."""
        return question["status"] in ("open", "answered")

    def answer(self, voter: Any, question: Any, outcome: Any) -> None:
        if voter in self.removed or question not in self.questions:
            raise Refused
        found = self.questions[question]
        if found["voter"] != voter:
            raise Refused
        if found["status"] == "answered":
            if found["outcome"] != outcome:
                raise Refused
            return
        if self.ended or found["status"] != "open" or (outcome == "skip" and self.skipped(voter) >= self.skips_each):
            raise Refused
        found["status"], found["outcome"], found["time"] = "answered", outcome, self.now
        self.answered.append(question)

    def undo(self, voter: Any, now: float, question: Any = None) -> int | None:
        if voter in self.removed:
            raise Refused
        if question is not None:
            if question not in self.questions or self.questions[question]["voter"] != voter:
                raise Refused
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
        if voter in self.removed or question not in self.questions or self.questions[question]["voter"] != voter:
            raise Refused
        found = self.questions[question]
        if found["status"] == "answered" and found["outcome"] == outcome:
            return
        if self.ended or found["status"] != "answered":
            raise Refused
        if outcome == "skip" and self.skipped(voter) >= self.skips_each:
            raise Refused
        if found["outcome"] == "skip" and self.used(voter) >= self.votes_each:
            raise Refused
        found["outcome"] = outcome
        self.give_up_spent()

    def give_up_spent(self) -> None:
        for question in self.questions.values():
            if question["status"] == "open" and self.used(question["voter"]) >= self.votes_each:
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
        if voter not in [q["voter"] for q in self.questions.values()]:
            raise Refused
        if voter in self.removed:
            return False
        self.removed.add(voter)
        self.answered = [i for i in self.answered if self.questions[i]["voter"] != voter]
        for question in self.questions.values():
            if question["voter"] == voter:
                question["status"] = "closed"
        return True

    # --- what is to be seen ---

    def remaining(self, voter: Any) -> int:
        return 0 if voter in self.removed else max(0, self.votes_each - self.used(voter))

    def skips_remaining(self, voter: Any) -> int:
        return 0 if voter in self.removed else max(0, self.skips_each - self.skipped(voter))

    def history(self, voter: Any) -> list[tuple[Any, ...]]:
        found = [(i, self.questions[i]) for i in self.answers_of(voter)]
        return [(i, q["left"], q["right"], q["outcome"], q["time"]) for i, q in found]

    def voters(self) -> list[tuple[Any, ...]]:
        names = list(dict.fromkeys(q["voter"] for q in self.questions.values()))
        return [(v, self.used(v), self.skipped(v), self.remaining(v), v in self.removed) for v in names]

    def rows(self) -> list[tuple[Any, ...]]:
        found = [self.questions[i] for i in self.answered]
        return [(q["left"], q["right"], q["outcome"], q["voter"]) for q in found]

    def shown(self) -> list[int]:
        asked = [label for q in self.questions.values() if self.counts_as(q) for label in (q["left"], q["right"])]
        return [asked.count(label) for label in self.items]
