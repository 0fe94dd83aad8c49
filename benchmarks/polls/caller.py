"""One caller: a question and its answer in memory, in a file, on a server, beside a bare write that waits for a disk.

The files are in the directory for temporary files (TMPDIR): set it to one on the disk that is meant. The bare write is
what SQLite writes for an event, one page and its header, over and over in a file of the size that its log has. Only an
answer waits for the disk.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pairvote as pv
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.goals import Beyond, Goal, Within
from benchmarks.polls import beside as seconds_beside
from benchmarks.polls import servers
from benchmarks.polls.files import Figure, Run, new_path, stated

N_VOTES: dict[Size, int] = {"full": 2000, "quick": 400, "tiny": 4}
N_DURABLE: dict[Size, int] = {"full": 300, "quick": 50, "tiny": 2}
OUTCOMES = ("left", "right", "tie")
N_ITEMS = 1000
# A page of SQLite with the header of its frame, and how many there are in its log before it begins anew.
FRAME_BYTES, N_FRAMES = 4096 + 24, 1000
BARE = "one write and sync of 4,120 bytes"
# What the revision before wrote down (docs/poll.md at 36ed156), on the machine of docs/benchmarks.md, when a question
# waited for the disk too.
EARLIER = (
    "the revision before: 42 to 52 µs for a question and its answer in memory; a call, either of them, 816 µs in a "
    "durable file beside 585 µs for the bare write, and 115 µs in a 'fast' one"
)
HERE = Path(pv.__file__).resolve().parents[1]
_polls = itertools.count()


def in_memory(size: Size) -> Group:
    """Nothing but the poll."""
    n_votes = N_VOTES[size]
    cases = [
        Case(
            name=f"ask and answer, {n_items:,} items, {sampler}",
            library="pairvote",
            fresh=partial(_votes_of_new, sampler, n_items, n_votes),
            n_votes=1,
            operations=n_votes,
            comparable=False,
            memory=False,
            goal=Within(1 / 20_000) if n_items == N_ITEMS else None,
            note=EARLIER,
        )
        for sampler, n_items in (("balanced", N_ITEMS), ("balanced", 23), ("information-gain", 23))
    ]
    return Group(title="one caller, in memory, twenty votes each", cases=cases)


def in_stores(size: Size) -> Group:
    """What a call costs beyond what the disk takes, store by store."""
    n_durable, n_fast = N_DURABLE[size], N_VOTES[size]
    sqlite = pv.poll.SQLiteStore
    cases = [stated(BARE, partial(_bare_writes, n_durable), library="baseline")]
    cases += _cases("file, durable", lambda: sqlite(new_path()), n_durable, Beyond(300e-6, BARE))
    cases += _cases("file, 'fast'", lambda: sqlite(new_path(), "fast"), n_fast)
    cases += _cases("SQLStore, SQLite", lambda: pv.poll.SQLStore(f"sqlite:///{new_path()}", name="kalmar"), n_durable)
    for kind in servers.KINDS:
        name = f"SQLStore, {servers.NAMES[kind]}"
        missing = servers.missing(kind)
        cases += _cases(name, partial(_on_server, kind), n_durable, missing=missing, may_fail=True)
    return Group(title=f"one caller, in {tempfile.gettempdir()}, {N_ITEMS:,} items, Balanced", cases=cases)


def beside(checkout: Path, size: Size) -> Group:
    """A question and its answer here and in another checkout, such as one of an earlier revision."""
    cases: list[Case] = []
    for kind in seconds_beside.KINDS:
        other = f"{kind}, {checkout}"
        cases += [
            stated(f"{kind}, here", partial(_beside, kind, HERE), Within(1.0, other)),
            stated(other, partial(_beside, kind, checkout), library="baseline"),
        ]
    return Group(title=f"one caller, a question and its answer, {N_ITEMS:,} items, Balanced", cases=cases)


def _beside(kind: str, checkout: Path) -> Figure:
    return seconds_beside.seconds_of(kind, checkout, new_path()), None


def _cases(
    name: str,
    make_store: Callable[[], Any],
    n_votes: int,
    goal: Goal | None = None,
    *,
    missing: str = "",
    may_fail: bool = False,
) -> list[Case]:
    """A question and an answer, each by itself."""
    run = Run(lambda: _asked_and_answered(make_store(), n_votes))
    return [
        stated(f"{name}: ask", run.figure("ask"), missing=missing, may_fail=may_fail),
        stated(f"{name}: answer", run.figure("answer"), goal, missing=missing, may_fail=may_fail),
    ]


def _asked_and_answered(store: Any, n_votes: int) -> dict[str, Figure]:
    asking = answering = 0.0
    with pv.Poll(range(N_ITEMS), store=store, rng=1) as poll:
        for number in range(n_votes):
            voter = number // 20
            begun = time.perf_counter()
            question = poll.ask(voter)
            asked = time.perf_counter()
            asking += asked - begun
            if question is None:
                raise RuntimeError(f"voter {voter} was to have another question")
            poll.answer(voter, question.id, OUTCOMES[number % 3])
            answering += time.perf_counter() - asked
    return {"ask": (asking / n_votes, None), "answer": (answering / n_votes, None)}


def _on_server(kind: str) -> Any:
    return pv.poll.SQLStore(servers.url(kind), name=f"poll-{next(_polls)}")


def vote(poll: pv.Poll, n_votes: int, first: int = 0) -> None:
    """So many votes, twenty by each voter."""
    for number in range(first, first + n_votes):
        question = poll.ask(number // 20)
        if question is not None:
            poll.answer(number // 20, question.id, OUTCOMES[number % 3])


def _votes_of_new(sampler: str, n_items: int, n_votes: int) -> Work:
    return partial(vote, pv.Poll(range(n_items), sampler=sampler, rng=1), n_votes)


def _bare_writes(n_writes: int) -> Figure:
    path, frame = new_path(), os.urandom(FRAME_BYTES)
    with path.open("wb", buffering=0) as file:
        begun = time.perf_counter()
        for number in range(n_writes):
            file.seek(number % N_FRAMES * FRAME_BYTES)
            file.write(frame)
            os.fsync(file.fileno())
        return (time.perf_counter() - begun) / n_writes, None


GROUPS = (in_memory, in_stores)
