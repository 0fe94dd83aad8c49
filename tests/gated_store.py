"""Stores of which a test holds a step, or lets it fail, and calls in threads of their own."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pairvote as pv
from pairvote.poll import MemoryStore

# How long anything may take before a test says that it hangs.
PATIENT_SECONDS = 60.0


class Hold:
    """One step that waits: `reached` when it does, until `go` is set."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

    def wait(self) -> None:
        """Wait until somebody has come to the step."""
        assert self.reached.wait(PATIENT_SECONDS), "nobody came to this step"


class Gated(MemoryStore):
    """A log in memory that counts its calls, and waits or fails at a step if it is told to.

    The steps are begin, append, keep, commit and commit_lazily, each before anything is done, and "after begin", "after
    commit" and so on.
    """

    name = "the gated poll"

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self._held: dict[str, Hold] = {}
        self._failures: dict[str, BaseException] = {}

    def hold(self, step: str) -> Hold:
        """Let the next call of a step wait."""
        self._held[step] = hold = Hold()
        return hold

    def fail(self, step: str, error: BaseException) -> None:
        """Let the next call of a step fail."""
        self._failures[step] = error

    def _pass(self, step: str) -> None:
        self.calls[step] += 1
        # What is asked for while it waits is for the next one.
        hold, error = self._held.pop(step, None), self._failures.pop(step, None)
        if hold is not None:
            hold.reached.set()
            assert hold.go.wait(PATIENT_SECONDS), "the test did not let this step go on"
        if error is not None:
            raise error

    def begin(self) -> None:
        self._pass("begin")
        super().begin()
        self._pass("after begin")

    def append(self, events: Any) -> None:
        self._pass("append")
        super().append(events)
        self._pass("after append")

    def keep(self, records: Any) -> None:
        self._pass("keep")
        super().keep(records)

    def commit(self) -> None:
        self._pass("commit")
        super().commit()
        self._pass("after commit")

    def commit_lazily(self) -> None:
        self._pass("commit_lazily")
        super().commit()
        self._pass("after commit_lazily")

    @property
    def n_commits(self) -> int:
        """How often it was asked to commit, either way."""
        return self.calls["commit"] + self.calls["commit_lazily"]


class Call(threading.Thread):
    """A call in a thread of its own, begun at once."""

    def __init__(self, function: Callable[..., Any], *given: Any, **options: Any) -> None:
        super().__init__(daemon=True)
        self._function, self._given, self._options = function, given, options
        self._value: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._function(*self._given, **self._options)
        except BaseException as error:
            self._error = error

    def error(self) -> BaseException | None:
        """What it raised, when it has ended."""
        self.join(PATIENT_SECONDS)
        assert not self.is_alive(), "the call did not return"
        return self._error

    def result(self) -> Any:
        """What it returned, when it has ended."""
        error = self.error()
        if error is not None:
            raise error
        return self._value


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENT_SECONDS
    while not condition():
        assert time.monotonic() < end, "this never came"
        time.sleep(0.001)


def n_waiting(poll: pv.Poll) -> int:
    """How many calls wait to be decided."""
    return len(poll._log._line)


class Line:
    """Calls that stand in line together, behind one that has committed and is held, until the block ends."""

    def __init__(self, poll: pv.Poll, store: Gated) -> None:
        self._poll, self._hold = poll, store.hold("after commit")
        self._first = Call(poll.set_group, "whoever is first", os.urandom(4).hex())
        self._hold.wait()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._hold.go.set()
        assert self._first.result() is True

    def call(self, function: Callable[..., Any], *given: Any, **options: Any) -> Call:
        """One more."""
        return queued(self._poll, function, *given, **options)


def queued(poll: pv.Poll, function: Callable[..., Any], *given: Any, **options: Any) -> Call:
    """A call that has come into the queue of a poll whose leader is held."""
    before = n_waiting(poll)
    call = Call(function, *given, **options)
    until(lambda: n_waiting(poll) > before)
    return call
