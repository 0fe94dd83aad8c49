"""An interrupt at any line of a call: no lock stays, no transaction stays open, and nothing that was said is lost."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pairvote as pv
from pairvote.poll import SQLiteStore

HERE = str(Path(pv.__file__).parent / "poll")


class Interrupt:
    """Raises KeyboardInterrupt before the line of `pairvote.poll` that comes as the one of this number."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, frame: Any, event: str, argument: Any) -> Any:
        return self.line if frame.f_code.co_filename.startswith(HERE) else None

    def line(self, frame: Any, event: str, argument: Any) -> Any:
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.line


def interrupted(act: Callable[[], object], at: int) -> bool:
    """Whether a call was interrupted at a line, and not done before."""
    before = sys.gettrace()
    sys.settrace(Interrupt(at))
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("call", ["ask", "answer", "undo", "set_group"])
def test_an_interrupt_at_any_line_leaves_nothing_locked_and_loses_nothing(tmp_path, call: str) -> None:
    path = tmp_path / "poll.db"
    poll = pv.Poll(range(5), votes_each=10**6, rng=1, store=SQLiteStore(path, "fast"))
    second = pv.Poll.open(SQLiteStore(path, "fast"))
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    said: list[int] = []
    at, done = 0, False
    while not done:
        at += 1
        question = poll.ask("anna")
        match call:
            case "ask":
                done = not interrupted(lambda at=at: poll.ask(f"voter {at}"), at)
            case "answer":
                done = not interrupted(lambda question=question: poll.answer("anna", question.id, "left"), at)
            case "undo":
                poll.answer("anna", question.id, "tie")
                done = not interrupted(lambda question=question: poll.undo("anna", question=question.id), at)
            case "set_group":
                done = not interrupted(lambda at=at: poll.set_group(f"voter {at}", "business"), at)
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        question = poll.ask("anna")
        assert second.ask("anna") == question
        poll.answer("anna", question.id, "left")
        said.append(question.id)
        assert poll.votes().question.tolist() == second.votes().question.tolist()
    assert at > 20
    assert set(said) <= set(poll.votes().question.tolist())
    assert poll.verify() == second.verify()
    assert poll.groups() == second.groups()
    other.close()
    poll.close()
    second.close()
