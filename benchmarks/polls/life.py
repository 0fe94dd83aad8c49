"""A long life: polls of 100,000 answers and more, folded whole and opened by the snapshot beside the log.

Each poll is opened in processes of their own, which have opened a small one before. Seconds are those of the processor,
memory is what the process has grown by.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pairvote as pv
from benchmarks import memory
from benchmarks.cases import Case, Group, Size
from benchmarks.goals import Fits, Goal, Holds, Within
from benchmarks.polls.files import Figure, Run, stated
from benchmarks.polls.made import log_of, log_of_topk

# Answers and items.
SHORT: dict[Size, int] = {"full": 100_000, "quick": 10_000, "tiny": 60}
LONG: dict[Size, int] = {"full": 1_000_000, "quick": 100_000, "tiny": 80}
LARGE: dict[Size, int] = {"full": 10_000_000, "quick": 1_000_000, "tiny": 100}
TOPK: dict[Size, int] = {"full": 10_000, "quick": 1_000, "tiny": 40}
FEW_ITEMS, MANY_ITEMS, TOPK_ITEMS, K = 23, 1000, 200, 5
N_CALLS = 100
TURNS = 3
FOLDED, WRITTEN = "Poll.open, from its log alone", "the call that writes the snapshot"
OPENED, FIRST, NEXT = "Poll.open", "ask and answer, first", "ask and answer, next"
COUNTED, COUNTED_AGAIN, ROWS = "counts, first", "an answer, then counts", "votes"
HELD, ALL = "all of these, and what is held then", "the whole process"
RANKED = "bradley_terry(counts, prior_sd=3.0) with standard errors"
LOOKS = (OPENED, FIRST, NEXT, COUNTED, COUNTED_AGAIN, HELD, ROWS, RANKED, ALL)
GOALS: dict[str, Goal] = {OPENED: Fits(0.5, 100_000_000), HELD: Holds(100)}
NOTE = "memory is what the process has grown by at its peak in the call, or since before the poll was opened"


def short(size: Size) -> Group:
    """As many as before."""
    return _group(SHORT[size], MANY_ITEMS, {FOLDED: Within(2.0)})


def long_of_few(size: Size) -> Group:
    """A million about few items."""
    return _group(LONG[size], FEW_ITEMS, GOALS)


def long_of_many(size: Size) -> Group:
    """A million about many items."""
    return _group(LONG[size], MANY_ITEMS, GOALS)


def topk(size: Size) -> Group:
    """A strategy that knows more of each answer than a count."""
    path = partial(log_of_topk, TOPK[size], TOPK_ITEMS, K)
    title = f"{TOPK[size]:,} answers, {TOPK_ITEMS} items, TopK({K})"
    return Group(title=title, cases=_cases(path, TOPK[size], {OPENED: Within(0.5)}))


def large(size: Size) -> Group:
    """Ten million."""
    return _group(LARGE[size], MANY_ITEMS, {HELD: Holds(100)})


def _group(n_answers: int, n_items: int, goals: Mapping[str, Goal]) -> Group:
    path = partial(log_of, n_answers, n_items)
    return Group(title=f"{n_answers:,} answers, {n_items:,} items, Balanced", cases=_cases(path, n_answers, goals))


def _cases(path: Callable[[], Path], n_answers: int, goals: Mapping[str, Goal]) -> list[Case]:
    # The folding leaves the snapshot from which the poll is opened then.
    folded, opened = Run(lambda: _in_process("fold", path())), Run(lambda: _in_process("open", path()))
    return [
        *(stated(name, folded.figure(name), goals.get(name), turns=1, note=NOTE) for name in (FOLDED, WRITTEN)),
        *(
            stated(name, opened.figure(name), goals.get(name), n_votes=n_answers if name == HELD else 0, turns=TURNS)
            for name in LOOKS
        ),
    ]


def _in_process(what: str, path: Path) -> Mapping[str, Figure]:
    done = memory.run_module("benchmarks.polls.life", what, str(path))
    if done.returncode:
        raise RuntimeError(f"the process that was to {what} {path} failed:\n{done.stderr}")
    return {name: (seconds, n_bytes) for name, (seconds, n_bytes) in json.loads(done.stdout).items()}


# --- in a process of its own ---


class Watch:
    """Notes what calls cost."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}

    def call(self, name: str, work: Callable[[], Any]) -> Any:
        """Do something, and note the seconds of the processor and the memory at its peak, over that before."""

        def timed() -> tuple[float, Any]:
            begun = time.process_time()
            result = work()
            return time.process_time() - begun, result

        (seconds, result), before, peak = memory.watch(timed)
        self.figures[name] = seconds, None if before is None or peak is None else peak - before
        return result


def _open(path: str) -> pv.Poll:
    return pv.Poll.open(pv.poll.SQLiteStore(path, "fast"))


def _vote(poll: pv.Poll, voter: str) -> None:
    question = poll.ask(voter)
    if question is None:
        raise RuntimeError(f"{voter} was to have a question")
    poll.answer(voter, question.id, "left")


def _fold(path: str) -> dict[str, Figure]:
    """Open a poll without a snapshot, and answer once, after which one is there."""
    store = pv.poll.SQLiteStore(path, "fast")
    names = [name for name, _ in store.kept("snapshot/", "snapshot/~")]
    store.begin()
    store.keep(dict.fromkeys(names))
    store.commit()
    store.close()
    watch = Watch()
    poll = watch.call(FOLDED, partial(_open, path))
    watch.call(WRITTEN, partial(_vote, poll, f"voter-{poll.n_events}"))
    poll.close()
    return watch.figures


def _look(path: str) -> dict[str, Figure]:
    """Open a poll by its snapshot, and use it."""
    watch = Watch()
    before = memory.resident()
    poll = watch.call(OPENED, partial(_open, path))
    number = poll.n_events

    def ask_and_answer_more() -> None:
        for call in range(N_CALLS):
            _vote(poll, f"next-{number}-{call // 20}")

    def answer_and_count() -> None:
        _vote(poll, f"last-{number}")
        poll.counts()

    watch.call(FIRST, partial(_vote, poll, f"first-{number}"))
    watch.call(NEXT, ask_and_answer_more)
    seconds, n_bytes = watch.figures[NEXT]
    watch.figures[NEXT] = seconds / N_CALLS, n_bytes
    watch.call(COUNTED, poll.counts)
    watch.call(COUNTED_AGAIN, answer_and_count)
    after = memory.resident()
    grown = None if before is None or after is None else after - before
    watch.figures[HELD] = sum(seconds for seconds, _ in watch.figures.values()), grown
    watch.call(ROWS, poll.votes)
    watch.call(RANKED, lambda: pv.bradley_terry(poll.counts(), prior_sd=3.0).standard_errors)
    watch.figures[ALL] = time.process_time(), memory.resident()
    poll.close()
    return watch.figures


def _warm_up() -> None:
    """Load what a worker has loaded, by a small poll."""
    with TemporaryDirectory() as folder:
        store = pv.poll.SQLiteStore(Path(folder, "small.db"), "fast")
        with pv.Poll(range(FEW_ITEMS), store=store, rng=1) as poll:
            for voter in ("anna", "bert"):
                _vote(poll, voter)
            poll.counts()


GROUPS, MORE = (short, long_of_few, long_of_many, topk), (large,)

if __name__ == "__main__":
    _warm_up()
    print(json.dumps({"fold": _fold, "open": _look}[sys.argv[1]](sys.argv[2])))
