"""A log and the state that follows from it, kept together: one thread, and one process, at a time."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from pairvote._common.messages import shorten
from pairvote.errors import InputError, PairvoteError, StorageError
from pairvote.poll._event_store import EventStore
from pairvote.poll._events import START, Draft, Event, Kind, LaterVersionError, check_event, numbered
from pairvote.poll._settings import Settings, from_json, to_json
from pairvote.poll._state import State
from pairvote.sampling._stream import Sampler

Clock = Callable[[], float]
# A clock that falls by less, by a correction or from one machine to another, holds the log's time still. After a
# greater fall one of the readings was wrong, and the log follows the clock: it would stand still for too long.
LONGEST_STANDSTILL_SECONDS = 3600.0


class Log:
    """Folds the events of a store, and adds those that are decided on."""

    def __init__(self, store: EventStore, sampler: Sampler | None, clock: Clock) -> None:
        if not callable(clock):
            raise InputError(f"clock is {shorten(clock)}; pass a function that gives the time in seconds")
        self.store = store
        self._sampler = sampler
        self._clock = clock
        self._state: State | None = None
        # What to say about a log that is not the one that was read before, until it was said.
        self._replaced: StorageError | None = None
        self._n_decided = 0
        self.lock = threading.RLock()
        _LOGS.add(self)

    def begin(self, settings: Settings) -> None:
        """Write the first event."""
        first = numbered([Draft(Kind.OPENED, to_json(settings))], self._now(), 0, START)
        self.store.create(first)
        self._state = State(settings, first[0])

    @contextmanager
    def reading(self) -> Iterator[State]:
        """The state of this moment, which no other thread changes meanwhile."""
        with self.lock:
            yield self._current()

    @contextmanager
    def deciding(self, decide: Callable[..., list[Draft]], *arguments: Any) -> Iterator[State]:
        """The state after what is decided on that of this moment was added to the log, for good.

        Questions that have been open for too long are released before. A decision that is refused adds nothing else.
        """
        refusal: PairvoteError | None = None
        with self.lock:
            try:
                self.store.begin()
                state = self._current()
                now = self._now()
                if state.time - LONGEST_STANDSTILL_SECONDS <= now < state.time:
                    now = state.time
                self._append(state, state.expired(now), now)
                try:
                    if self._replaced is not None:
                        raise self._replaced
                    drafts = decide(state, *arguments)
                except PairvoteError as error:
                    drafts, refusal = [], error
                self._append(state, drafts, now)
                self._n_decided = len(drafts)
                self.store.commit()
            except BaseException:
                # Whatever went wrong, the next call folds what the log has.
                self._state = None
                self.store.rollback()
                raise
            if refusal is not None:
                if refusal is self._replaced:
                    self._replaced = None
                raise refusal
            yield state

    def did(self, decide: Callable[..., list[Draft]], *arguments: Any) -> bool:
        """Whether a decision, which is in the log afterwards, changed anything."""
        with self.deciding(decide, *arguments):
            return self._n_decided > 0

    def _now(self) -> float:
        given: object = self._clock()
        try:
            now = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            now = math.nan
        if not math.isfinite(now):
            raise InputError(f"clock gave {shorten(given)}; pass a function that gives the time in seconds")
        return now

    def _append(self, state: State, drafts: list[Draft], now: float) -> None:
        if drafts:
            events = numbered(drafts, now, state.number, state.digest)
            self.store.append(events)
            for event in events:
                state.fold(event)

    def _current(self) -> State:
        """The state after all events, those of other processes included."""
        state = self._state
        if state is not None:
            # The last event that was read comes again, so that a log which is another one by now is seen to be.
            events = self.store.events(state.number - 1)
            if not events or (events[0][0], events[0][6]) != (state.number, state.digest):
                self._replaced = _replaced(self.store.name, state.number)
                self._state = state = None
            elif len(events) == 1:
                return state
            else:
                events = events[1:]
        if state is None:
            events = self.store.events(0)
        # Should an event not fit, there is no state until all of the log was folded.
        self._state = None
        if state is None:
            state = self._opened(events)
            events = events[1:]
        for event in events:
            try:
                state.fold(event)
            except LaterVersionError:
                raise StorageError(
                    f"event {event[0]} of {self.store.name} is of kind {event[2]}, which this version of pairvote "
                    "does not know: a later version wrote it; go on with the poll in that version"
                ) from None
            except Exception as error:
                raise StorageError(
                    f"event {event[0]} of {self.store.name} does not follow from those before it ({error!r}): the log "
                    "was changed or damaged; restore the file from a copy"
                ) from error
        self._state = state
        return state

    def _opened(self, events: Sequence[tuple[Any, ...]]) -> State:
        try:
            first = Event(*events[0])
            check_event(first)
            if first.kind != Kind.OPENED:
                raise ValueError(f"its kind is {first.kind}")
            settings = from_json(str(first.a), self._sampler, self.store.name)
            if first.number != 1:
                raise ValueError(f"its number is {first.number}")
        except PairvoteError:
            raise
        except Exception as error:
            raise StorageError(
                f"the first event of {self.store.name} does not say how the poll was begun ({error!r}): the log was "
                "changed or damaged; restore the file from a copy"
            ) from error
        return State(settings, first)


def _replaced(name: str, number: int) -> StorageError:
    return StorageError(
        f"{name} no longer holds event {number}, which this process has read: it was restored from a copy, or another "
        "log is in its place. This call was not stored, nor may others have been since that copy was made; the poll "
        "goes on with what is there now, so send the same call again"
    )


# --- forks: no connection to a file may cross one, and no lock may be held across it ---

_LOGS: WeakSet[Log] = WeakSet()
_held: list[Log] = []


def _before_fork() -> None:
    for log in list(_LOGS):
        log.lock.acquire()
        _held.append(log)
        log.store.close()


def _after_fork_in_parent() -> None:
    while _held:
        _held.pop().lock.release()


def _after_fork_in_child() -> None:
    while _held:
        _held.pop().lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
