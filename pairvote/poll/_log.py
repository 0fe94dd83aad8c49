"""A log and the state that follows from it, kept together whoever else adds to the log."""

from __future__ import annotations

import copy
import math
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any

from pairvote._common.messages import shorten
from pairvote.errors import InputError, PairvoteError, StorageError
from pairvote.poll._audit import audited, check_ids
from pairvote.poll._call import Call
from pairvote.poll._events import START, Draft, Event, Kind, LaterVersionError, check_event, checked_chain, numbered
from pairvote.poll._forks import LOGS
from pairvote.poll._identities import LAST, Forgotten, Identity, read_identities, read_labels, record_name
from pairvote.poll._settings import Label, Settings, StrategyNeededError, check_sampler, from_json, to_json
from pairvote.poll._snapshot import FIRST as FIRST_OF_SNAPSHOT
from pairvote.poll._snapshot import HEAD, SnapshotError, Snapshots, copied, head_of, read_snapshot
from pairvote.poll._snapshot import LAST as LAST_OF_SNAPSHOT
from pairvote.poll._state import State
from pairvote.poll._stores.contract import EventStore
from pairvote.poll._stores.memory import MemoryStore
from pairvote.sampling._stream import Sampler

Clock = Callable[[], float]
# A clock that falls by less, by a correction or from one machine to another, holds the log's time still. After a
# greater fall one of the readings was wrong, and the log follows the clock: it would stand still for too long.
LONGEST_STANDSTILL_SECONDS = 3600.0
# The record that a copy has until all is in it.
UNFINISHED = "copy/unfinished"
# How long a call waits to be served before it stands at the lock itself. Threads that stand there slow one another.
PATIENT_SECONDS = 1.0


class Log:
    """Folds the events of a store, and adds those that are decided on.

    Calls that come while another waits for the store stand in a line: the first of them then decides them all, one
    after the other, and commits once. The state is behind a guard of its own, which is held neither while the store
    waits for others to end nor while it commits, so that those who only look do not wait for that.
    """

    def __init__(self, store: EventStore, sampler: Sampler | None, clock: Clock) -> None:
        if not callable(clock):
            raise InputError(f"clock is {shorten(clock)}; pass a function that gives the time in seconds")
        self.store = store
        self._sampler = sampler
        self._clock = clock
        # Whoever has it may add to the log: the thread, and the calls that are not served yet.
        self.lock = threading.RLock()
        self._server: int | None = None
        self._line: deque[Call] = deque()
        # Whoever has it may look at the state, or fold.
        self._guard = threading.RLock()
        self._state: State | None = None
        # Whether the state has events which are not committed yet.
        self._is_ahead, self._number_before = False, 0
        # What to say about a log that is not the one that was read before, until it was said.
        self._replaced: StorageError | None = None
        # The ids of voters whose coming is being folded, by code, and the codes that were looked up.
        self._ids: dict[int, Label] = {}
        self._looked_up = range(0)
        self._may_commit_lazily = hasattr(store, "commit_lazily")
        self.snapshots = Snapshots()
        self.keeps_snapshots = not isinstance(store, MemoryStore)
        LOGS.add(self)

    def begin(self, settings: Settings) -> None:
        """Write the first event."""
        first = numbered([Draft(Kind.OPENED, to_json(settings))], self._now(), 0, START)
        self.store.create(first)
        self._state = State(settings, Event(*first[0]), self._label_of, self._sampler, self.store.name)

    def inside(self, store: EventStore) -> Log:
        """The same log in a transaction of the caller's, which `store` adds to: with a state of its own."""
        log = Log(store, self._sampler, self._clock)
        log.keeps_snapshots = False
        with self._guard:
            # Without a look at the log, which may need a connection more than the pool has.
            if self._state is not None and not self._is_ahead:
                log._state = copied(self._state)
        if log._state is not None:
            log._state._label_of = log._label_of
        return log

    # --- looking ---

    @contextmanager
    def reading(self) -> Iterator[State]:
        """The state of this moment, which no other thread changes meanwhile. It never waits for a writer.

        While this process commits, it is the state after what is committed.
        """
        self._refresh()
        with self._guard:
            # Another thread's failure may have taken it away meanwhile.
            yield self._state if self._state is not None else self._opened()

    def _refresh(self) -> None:
        """Fold what others have added, reading it without the guard."""
        with self._guard:
            state = self._state
            if state is None:
                self._opened()
                return
            if self._is_ahead:
                return
            number, digest = state.number, state.digest
        # The last event that was read comes again, so that a log which is another one by now is seen to be.
        events = self.store.events(number - 1)
        if not isinstance(events, list):
            events = list(events)
        if len(events) == 1 and events[0][0] == number and events[0][6] == digest:
            return
        with self._guard:
            if not events or (events[0][0], events[0][6]) != (number, digest):
                if self._state is not state or self._is_ahead:
                    # It was found out by another thread, or this process's call has failed.
                    if self._state is None:
                        self._opened()
                    return
                self._replaced = _replaced(self.store.name, number)
                self._forget_state()
                self._opened()
            elif len(events) > 1 and self._state is state and not self._is_ahead:
                self._fold(state, [event for event in events if event[0] > state.number])

    # --- deciding ---

    def decide(
        self,
        decide: Callable[..., list[Draft]],
        *arguments: Any,
        view: Callable[[State], Any] | None = None,
        lasting: bool = True,
    ) -> Call:
        """Add what is decided on to the log, for good, and look at the state after it.

        Questions that have been open for too long are released before. A decision that is refused adds nothing else.
        Where it is not `lasting`, a crash of the machine may cost it.
        """
        call = Call(decide, arguments, view, lasting)
        try:
            self._line.append(call)
            while not call.served:
                self._wait_or_serve(call)
        finally:
            if not call.served:
                with suppress(ValueError):
                    self._line.remove(call)
            if self._line and self._server is None:
                # Whoever is first in the line now is to serve, if anybody still is.
                with suppress(IndexError):
                    self._line[0].turn.put(None)
        if call.error is not None:
            raise call.error
        return call

    def _wait_or_serve(self, call: Call) -> None:
        # Where it says that this thread serves, an interrupt has kept it from saying that it does no more.
        if self._server not in (None, threading.get_ident()):
            try:
                call.turn.get(timeout=PATIENT_SECONDS)
                return
            except Empty:
                # The commit takes its time, or the one who was to wake this thread was interrupted.
                pass
        with self.lock:
            if not call.served:
                self._serve()

    def did(self, decide: Callable[..., list[Draft]], *arguments: Any) -> bool:
        """Whether a decision, which is in the log afterwards, changed anything."""
        return self.decide(decide, *arguments).n_events > 0

    def _serve(self) -> None:
        """Decide all that stand in the line. They stay in it until they are served, whatever happens."""
        self._server = threading.get_ident()
        try:
            # A thread that was interrupted may leave the line meanwhile.
            calls = [self._line[0]] if len(self._line) == 1 else list(self._line.copy())
            try:
                self._commit(calls)
            except StorageError as error:
                for call in calls:
                    call.error = copy.copy(error)
                    call.error.__cause__ = error.__cause__
            except Exception as error:
                # Something that a clock or a strategy's learner raised, which is to be told to whoever called it.
                calls[0].error = error
                for call in calls if len(calls) > 1 else ():
                    call.error = self._error_of(call)
            self._tell(calls)
            self._keep_snapshot()
        finally:
            self._server = None

    def _error_of(self, call: Call) -> Exception | None:
        """Serve a call alone; the error that it raises."""
        try:
            self._commit([call])
        except Exception as error:
            return error
        return call.error

    def _tell(self, calls: Sequence[Call]) -> None:
        """Let the threads go that wait for these calls."""
        for call in calls:
            call.served = True
            call.turn.put(None)
            if self._line and self._line[0] is call:
                self._line.popleft()
            else:
                # Another that was first has left meanwhile, or this one has.
                with suppress(ValueError):
                    self._line.remove(call)

    def _commit(self, calls: Sequence[Call]) -> None:
        if self._state is None:
            self._refresh()
        try:
            self.store.begin()
            self._refresh()
            lasting = self._decide(calls)
            if lasting or not self._may_commit_lazily:
                self.store.commit()
            else:
                self.store.commit_lazily()  # type: ignore[attr-defined]
            self._is_ahead = False
        except BaseException as error:
            # Whatever went wrong, the next call folds what the log has.
            with self._guard:
                state, was_ahead = self._state, self._is_ahead
                if was_ahead:
                    self._forget_state()
                self._is_ahead = False
            self.store.rollback()
            is_interrupt = was_ahead and not isinstance(error, Exception)
            if is_interrupt and state and state.number > self._number_before and self._has(state.number, state.digest):
                # This thread was interrupted after the commit: the others are not to be decided once more.
                self._tell(calls)
            raise
        for call in calls:
            if call.error is not None and call.error is self._replaced:
                self._replaced = None

    def _event(self, number: int) -> tuple[Any, ...] | None:
        """The event of a number, None where the store has none."""
        found = next(iter(self.store.events(number - 1)), None)
        return found if found is not None and found[0] == number else None

    def _has(self, number: int, digest: bytes) -> bool:
        """Whether the store has this event."""
        found = self._event(number)
        return found is not None and found[6] == digest

    def _decide(self, calls: Sequence[Call]) -> bool:
        """Decide, and add the events to the store and to the state; whether any must last."""
        records: dict[str, bytes | None] = {}
        lasting = False
        with self._guard:
            state = self._state if self._state is not None else self._opened()
            now = self._now()
            if state.time - LONGEST_STANDSTILL_SECONDS <= now < state.time:
                now = state.time
            if state.settings.expire_after is not None and (expired := state.expired(now)):
                self._append(state, expired, now, records)
            for call in calls:
                call.error, drafts = None, []
                try:
                    if self._replaced is not None:
                        raise self._replaced
                    drafts = call.decide(state, *call.arguments)
                except Exception as error:
                    # A refusal, or what a strategy raised.
                    call.error = error
                if drafts:
                    self._append(state, drafts, now, records)
                call.n_events = len(drafts)
                # Also where it was there before: it may be sent again because it was not known to last.
                lasting = lasting or (call.lasting and call.error is None)
                if call.view is not None and call.error is None:
                    call.result = call.view(state)
        if records:
            self.store.keep(records)
        return lasting

    def _append(self, state: State, drafts: list[Draft], now: float, records: dict[str, bytes | None]) -> None:
        if not self._is_ahead:
            self._is_ahead, self._number_before = True, state.number
        n_voters = len(state.book.labels)
        for place, draft in enumerate(drafts):
            if type(draft.a) is Identity:
                self._ids[n_voters] = draft.a.label
                records[record_name(n_voters)] = draft.a.to_bytes()
                drafts[place] = draft._replace(a=draft.a.seal)
                n_voters += 1
            elif draft.kind == Kind.VOTER_FORGOTTEN:
                records[record_name(draft.a)] = None
        events = numbered(drafts, now, state.number, state.digest)
        self.store.append(events)
        start = time.perf_counter()
        for event in events:
            state.fold(event)
        self.snapshots.seconds += time.perf_counter() - start
        if self._ids:
            self._forget_ids()

    def _now(self) -> float:
        given: object = self._clock()
        try:
            # A store may give -0.0 back as 0.0.
            now = float(given) + 0.0  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            now = math.nan
        if not math.isfinite(now):
            raise InputError(f"clock gave {shorten(given)}; pass a function that gives the time in seconds")
        return now

    # --- folding ---

    def _opened(self) -> State:
        """The state after all that the store has, from the snapshot beside it where there is one that fits."""
        self._forget_state()
        if any(self.store.kept(UNFINISHED, UNFINISHED)):
            raise StorageError(f"{self.store.name} is a copy that was not finished; remove it, and copy the poll again")
        state = self._from_snapshot()
        if state is None:
            self._forget_ids()
            events = iter(self.store.events(0))
            first = next(events, None)
            state = self._begun(first)
        else:
            self.snapshots.found(state.number)
            events = iter(self.store.events(state.number))
        self._fold(state, events)
        check_sampler(self._sampler, state.settings.sampler, self.store.name)
        return state

    def _from_snapshot(self) -> State | None:
        try:
            records = self.store.kept(FIRST_OF_SNAPSHOT, LAST_OF_SNAPSHOT)
            return read_snapshot(records, self._event, self._label_of, self._sampler, self.store.name)
        except SnapshotError:
            # It is damaged, of another version, or of another log: all of the log is folded, and another one is kept.
            return None

    def _forget_state(self) -> None:
        self._state = None
        self._forget_ids()
        self.snapshots.forget()

    def _forget_ids(self) -> None:
        self._ids.clear()
        self._looked_up = range(0)

    def _fold(self, state: State, events: Iterable[tuple[Any, ...]]) -> None:
        """Fold further events of the store. Should one not fit, there is no state until all of the log was folded."""
        self._state = None
        start = time.perf_counter()
        for event in events:
            try:
                state.fold(event)
            except LaterVersionError:
                raise StorageError(
                    f"event {event[0]} of {self.store.name} is of kind {event[2]}, which this version of pairvote "
                    "does not know: a later version wrote it; go on with the poll in that version"
                ) from None
            except (StorageError, StrategyNeededError):
                raise
            except Exception as error:
                raise self._damaged(event, error) from error
        self.snapshots.seconds += time.perf_counter() - start
        self._forget_ids()
        self._state = state

    def _damaged(self, event: tuple[Any, ...], error: Exception) -> StorageError:
        return StorageError(
            f"event {event[0]} of {self.store.name} does not follow from those before it ({error!r}): the log "
            "was changed or damaged; restore the file from a copy"
        )

    def _begun(self, first: tuple[Any, ...] | None) -> State:
        try:
            if first is None:
                raise ValueError("there is none")
            opened = Event(*first)
            check_event(opened)
            if opened.kind != Kind.OPENED:
                raise ValueError(f"its kind is {opened.kind}")
            settings = from_json(str(opened.a), self._sampler, self.store.name)
            if opened.number != 1:
                raise ValueError(f"its number is {opened.number}")
        except PairvoteError:
            raise
        except Exception as error:
            raise StorageError(
                f"the first event of {self.store.name} does not say how the poll was begun ({error!r}): the log was "
                "changed or damaged; restore the file from a copy"
            ) from error
        return State(settings, opened, self._label_of, self._sampler, self.store.name)

    def _label_of(self, code: int) -> Label | Forgotten:
        """The id of a voter who comes, from the records beside the log; it is gone where she was forgotten since."""
        if code not in self._looked_up and code not in self._ids:
            records = self.store.kept(record_name(code), record_name(LAST))
            self._ids.update(read_labels(records, self.store.name))
            self._looked_up = range(code, max(self._ids, default=code) + 1)
        return self._ids.get(code, Forgotten(code))

    # --- what is beside the log ---

    @property
    def n_committed(self) -> int:
        """The number of the last event that is in the store."""
        with self.reading() as state:
            return self._number_before if self._is_ahead else state.number

    def _keep_snapshot(self) -> None:
        """Keep a snapshot where one is due. A call does not fail by it."""
        state = self._state
        if state is None or not self.keeps_snapshots or not self.snapshots.is_due(state):
            return
        try:
            self.store.begin()
            self._refresh()
            with self._guard:
                state = self._state if self._state is not None else self._opened()
                before = head_of(self.store.kept(HEAD, HEAD))
                if before is not None and not self._has(before["number"], before["digest"]):
                    before = None
                records = self.snapshots.written(state, before)
            if records:
                self.store.keep(records)
            if self._may_commit_lazily:
                self.store.commit_lazily()  # type: ignore[attr-defined]
            else:
                self.store.commit()
        except BaseException as error:
            self.snapshots.forget()
            self.store.rollback()
            if not isinstance(error, Exception):
                raise
            # The answer is stored. Where the store failed, the next is tried when as much was folded again.
            if not isinstance(error, StorageError):
                self.keeps_snapshots = False
                warnings.warn(
                    f"{self.store.name} has no more snapshots, so that it takes longer to open: "
                    f"{type(self._sampler).__name__} could not be saved ({error!r}); mend its method saved",
                    RuntimeWarning,
                    stacklevel=2,
                )

    def before_fork(self) -> None:
        """Let nothing happen until the fork is done: no connection may cross it."""
        self.lock.acquire()
        self._guard.acquire()
        self.store.close()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._guard.release()
        self.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin with nobody in the line: those who stood there are threads of another process."""
        self.lock, self._guard = threading.RLock(), threading.RLock()
        self._line.clear()
        self._server = None

    def verify(self, expected: bytes | None) -> bytes:
        """The digest of the last event, after the log, the ids beside it and the state were compared."""
        with self.reading() as state:
            number, facts, labels = state.number, state.facts(), list(state.book.labels)
        ledger = audited(checked_chain(self.store.events(0), self.store.name, expected), number, self.store.name)
        ids = dict(read_identities(self.store.kept(record_name(0), record_name(LAST)), self.store.name))
        since = self.store.events(ledger.number)
        check_ids(ledger.seals, ids, {event[3] for event in since if event[2] == Kind.VOTER_FORGOTTEN}, self.store.name)
        is_other = any(code in ids and ids[code].label != label for code, label in enumerate(labels))
        if is_other or ledger.facts not in (None, facts):
            with self.lock, self._guard:
                self._drop_snapshot()
            raise StorageError(
                f"{self.store.name} has a snapshot beside its log that says otherwise than the log: it was changed "
                "after it was written; it is dropped and the poll goes on by its log, so send the same call again"
            )
        return ledger.digest

    def _drop_snapshot(self) -> None:
        self._forget_state()
        try:
            self.store.begin()
            self.store.keep({HEAD: None})
            self.store.commit()
        except BaseException:
            self.store.rollback()
            raise


def _replaced(name: str, number: int) -> StorageError:
    return StorageError(
        f"{name} no longer holds event {number}, which this process has read: it was restored from a copy, or another "
        "log is in its place. This call was not stored, nor may others have been since that copy was made; the poll "
        "goes on with what is there now, so send the same call again"
    )
