"""Many callers: threads, and processes of threads, that vote on one poll at once; and those who only look meanwhile."""

from __future__ import annotations

import itertools
import multiprocessing as mp
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pairvote as pv
from benchmarks.cases import Case, Group, Size
from benchmarks.goals import AtLeast, Faster, Goal, Within
from benchmarks.polls.files import Figure, Run, new_path, stated

# How long they vote.
SECONDS: dict[Size, float] = {"full": 2.0, "quick": 0.5, "tiny": 0.1}
COMMIT_SECONDS = 0.004
N_ITEMS, N_THREADS = 23, 40
N_PROCESSES, N_THREADS_OF_EACH = 4, 10
TURNS = 3
N_LOOKS = 200
# Who waits for a lock in these cases waits until all looks are done, or for half a minute.
NOT_WAITED = Within(0.02)
Durability = Literal["full", "fast"]
Seconds = list[float]


class SlowStore(pv.poll.SQLiteStore):
    """A file on a disk that takes 4 ms for each commit."""

    def commit(self) -> None:
        """Commit, and take as long as a slow disk."""
        time.sleep(COMMIT_SECONDS)
        super().commit()


class HeldStore(pv.poll.MemoryStore):
    """A store that never ends a commit before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_commit, self.is_committing = threading.Event(), threading.Event()
        self.may_commit.set()

    def commit(self) -> None:
        """Commit when it may."""
        self.is_committing.set()
        self.may_commit.wait()
        super().commit()


def threads(size: Size) -> Group:
    """Threads of one process. Their calls are decided and committed together."""
    slow = f"a commit takes {COMMIT_SECONDS * 1e3:g} ms"
    memory, one = f"memory, {N_THREADS} threads", "memory, 1 thread"
    makers: dict[str, Callable[[], Any]] = {
        "memory": pv.poll.MemoryStore,
        "file, 'fast'": lambda: pv.poll.SQLiteStore(new_path(), "fast"),
        "file, durable": lambda: pv.poll.SQLiteStore(new_path()),
        slow: lambda: SlowStore(new_path()),
    }
    goals: dict[tuple[str, int], Goal] = {
        (slow, N_THREADS): AtLeast(1500),
        ("file, 'fast'", N_THREADS): Faster(1 / 3, memory),
        ("file, 'fast'", 1): Faster(1 / 3, one),
    }
    cases = [
        stated(
            f"{name}, {n_threads} thread{'s' * (n_threads > 1)}",
            partial(_rate_of, make_store, n_threads, SECONDS[size]),
            goals.get((name, n_threads)),
            n_votes=1,
            turns=TURNS,
            note="one after the other, each with two commits of 4 ms, would store 125 answers a second",
        )
        for name, make_store in makers.items()
        for n_threads in (N_THREADS, 1)
    ]
    return Group(title=f"ask and answer by threads, {N_ITEMS} items, Balanced", cases=cases)


def processes(size: Size) -> Group:
    """Processes of threads on one file."""
    cases: list[Case] = []
    for durability in ("full", "fast"):
        run = Run(partial(_by_processes, durability, SECONDS[size]))
        name = f"durability={durability!r}"
        cases.append(stated(f"{name}: ask and answer", run.figure("rate"), n_votes=1, turns=TURNS))
        for call in ("ask", "answer"):
            median = f"{name}: {call}, median"
            cases.append(stated(median, run.figure(f"{call} 50"), turns=TURNS))
            cases.append(
                stated(f"{name}: {call}, 99th percentile", run.figure(f"{call} 99"), Within(5, median), turns=TURNS)
            )
    return Group(
        title=f"{N_PROCESSES} processes of {N_THREADS_OF_EACH} threads on one file, {N_ITEMS} items", cases=cases
    )


def readers(size: Size) -> Group:
    """Looking, while nobody or somebody writes."""
    calls: dict[str, Callable[[pv.Poll], object]] = {
        "remaining": lambda poll: poll.remaining("anna"),
        "counts": lambda poll: poll.counts(),
    }
    cases: list[Case] = []
    for name, call in calls.items():
        cases += [
            stated(f"{name}, file, nobody writes", partial(_looking, call)),
            stated(f"{name}, file, another has its lock", partial(_looking_at_locked, call), NOT_WAITED),
            stated(f"{name}, a thread is in its commit", partial(_looking_in_commit, call), NOT_WAITED),
        ]
    return Group(title=f"the slowest of {N_LOOKS} looks", cases=cases)


# --- threads ---


def _rate_of(make_store: Callable[[], Any], n_threads: int, seconds: float) -> Figure:
    """Seconds for an answer, its question included."""
    with pv.Poll(range(N_ITEMS), store=make_store(), rng=1) as poll:
        begun = time.perf_counter()
        _, answers = vote_for(poll, n_threads, seconds)
        return (time.perf_counter() - begun) / max(len(answers), 1), None


def vote_for(poll: pv.Poll, n_threads: int, seconds: float, name: str = "") -> tuple[Seconds, Seconds]:
    """Vote by so many threads for so long; the seconds of every ask and of every answer."""
    asks: list[Seconds] = [[] for _ in range(n_threads)]
    answers: list[Seconds] = [[] for _ in range(n_threads)]
    end = time.perf_counter() + seconds
    errors: list[BaseException] = []

    def person(thread: int) -> None:
        try:
            for number in itertools.count():
                _voter(poll, f"{name}{thread}-{number}", end, asks[thread], answers[thread])
                if time.perf_counter() >= end:
                    return
        except Exception as error:
            errors.append(error)

    people = [threading.Thread(target=person, args=(thread,)) for thread in range(n_threads)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    if errors:
        raise errors[0]
    return list(itertools.chain(*asks)), list(itertools.chain(*answers))


def _voter(poll: pv.Poll, voter: str, end: float, asks: Seconds, answers: Seconds) -> None:
    """The twenty votes of one voter, or as many as there is time for."""
    begun = time.perf_counter()
    while begun < end and (question := poll.ask(voter)) is not None:
        asked = time.perf_counter()
        poll.answer(voter, question.id, "left")
        answered = time.perf_counter()
        asks.append(asked - begun)
        answers.append(answered - asked)
        begun = answered


# --- processes ---


def _by_processes(durability: Durability, seconds: float) -> Mapping[str, Figure]:
    path = new_path()
    with pv.Poll(range(N_ITEMS), store=pv.poll.SQLiteStore(path, durability), rng=1):
        pass
    found = in_processes(
        vote_in_process, [(path, durability, N_THREADS_OF_EACH, seconds, f"{k}-") for k in range(N_PROCESSES)]
    )
    asks, answers = (sorted(itertools.chain(*(each[place] for each in found))) for place in (0, 1))
    figures = {"rate": (max(each[2] for each in found) / len(answers), None)}
    for name, calls in (("ask", asks), ("answer", answers)):
        figures[f"{name} 50"] = statistics.median(calls), None
        figures[f"{name} 99"] = calls[int(0.99 * len(calls))], None
    return figures


def vote_in_process(
    path: Path, durability: Durability, n_threads: int, seconds: float, name: str
) -> tuple[Seconds, Seconds, float]:
    """Vote by threads of this process; the seconds of every ask and answer, and of it all."""
    with pv.Poll.open(pv.poll.SQLiteStore(path, durability)) as poll:
        begun = time.perf_counter()
        asks, answers = vote_for(poll, n_threads, seconds, name)
        return asks, answers, time.perf_counter() - begun


def in_processes(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Do something in processes that begin at one moment; what each gave."""
    context = mp.get_context("spawn")
    barrier, results = context.Barrier(len(arguments)), context.SimpleQueue()
    started = [context.Process(target=_at_once, args=(barrier, results, work, each)) for each in arguments]
    for process in started:
        process.start()
    found = [results.get() for _ in started]
    for process in started:
        process.join()
    for each in found:
        if isinstance(each, Exception):
            raise each
    return found


def _at_once(barrier: Any, results: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        barrier.wait()
        results.put(work(*arguments))
    except Exception as error:
        results.put(error)


# --- looking ---


def _slowest(call: Callable[[pv.Poll], object], poll: pv.Poll) -> Figure:
    slowest = 0.0
    for _ in range(N_LOOKS):
        begun = time.perf_counter()
        call(poll)
        slowest = max(slowest, time.perf_counter() - begun)
    return slowest, None


def _begun(store: Any) -> pv.Poll:
    poll = pv.Poll(range(N_ITEMS), store=store, rng=1)
    for voter in ("anna", "bert"):
        _voter(poll, voter, time.perf_counter() + 60.0, [], [])
    poll.counts()
    return poll


def _looking(call: Callable[[pv.Poll], object]) -> Figure:
    with _begun(pv.poll.SQLiteStore(new_path())) as poll:
        return _slowest(call, poll)


def _looking_at_locked(call: Callable[[pv.Poll], object]) -> Figure:
    path = new_path()
    other = pv.poll.SQLiteStore(path)
    with _begun(pv.poll.SQLiteStore(path)) as poll:
        other.begin()
        try:
            return _slowest(call, poll)
        finally:
            other.rollback()
            other.close()


def _looking_in_commit(call: Callable[[pv.Poll], object]) -> Figure:
    store = HeldStore()
    poll = _begun(store)
    store.may_commit.clear()
    store.is_committing.clear()
    writer = threading.Thread(target=poll.ask, args=("cleo",))
    writer.start()
    try:
        store.is_committing.wait()
        return _slowest(call, poll)
    finally:
        store.may_commit.set()
        writer.join()


GROUPS = (threads, processes, readers)
