"""Running a vote: ask and answer in memory and in a file, beside a bare write that waits for the disk; opening again.

The files are in the directory for temporary files (TMPDIR): set it to one on the disk that is meant. A call is an `ask`
or an `answer`, each of which adds one event, and where durable waits for the disk. The bare write is what SQLite writes
for such an event, one page and its header, over and over in a file of the size that its log has.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import pairvote as pv
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.goals import Beyond, Goal, Within

N_VOTES: dict[Size, int] = {"full": 2000, "quick": 400, "tiny": 4}
N_DURABLE: dict[Size, int] = {"full": 300, "quick": 50, "tiny": 2}
N_ANSWERS: dict[Size, int] = {"full": 100_000, "quick": 10_000, "tiny": 40}
OUTCOMES = ("left", "right", "tie")
N_ITEMS = 1000
# A page of SQLite with the header of its frame, and how many there are in its log before it begins anew.
FRAME_BYTES, N_FRAMES = 4096 + 24, 1000
BARE = "one write and sync of 4,120 bytes"


def in_memory(size: Size) -> Group:
    """Nothing but the poll."""
    n_votes = N_VOTES[size]
    cases = [
        _case(
            f"ask and answer, {n_items:,} items, {sampler}",
            partial(_votes_of_new, sampler, n_items, n_votes),
            n_votes,
            Within(1 / 20_000) if n_items == N_ITEMS else None,
            n_votes=1,
        )
        for sampler, n_items in (("balanced", N_ITEMS), ("balanced", 23), ("information-gain", 23))
    ]
    return Group(title="in memory, twenty votes each", cases=cases)


def in_a_file(size: Size) -> Group:
    """What a call costs beyond what the disk takes."""
    n_durable, n_fast = N_DURABLE[size], N_VOTES[size]
    cases = [
        _case("a call, durable", partial(_votes_in_file, "full", n_durable), 2 * n_durable, Beyond(300e-6, BARE)),
        _case(BARE, partial(_bare_writes, 2 * n_durable), 2 * n_durable, library="baseline"),
        _case("a call, durability='fast'", partial(_votes_in_file, "fast", n_fast), 2 * n_fast),
    ]
    return Group(title=f"in a file in {tempfile.gettempdir()}, {N_ITEMS:,} items, Balanced", cases=cases)


def opened_again(size: Size) -> Group:
    """A log that is folded from its beginning."""
    n_answers = N_ANSWERS[size]
    cases = [
        _case("Poll.open", partial(_opening, n_answers), 1, Within(2.0)),
        _case("verify", partial(_verifying, n_answers), 1),
        _case("an answer, then counts", partial(_counting, n_answers), 1),
    ]
    return Group(title=f"a file of {n_answers:,} answers, {N_ITEMS:,} items, Balanced", cases=cases)


def _case(
    name: str,
    fresh: Callable[[], Work],
    operations: int,
    goal: Goal | None = None,
    *,
    library: str = "pairvote",
    n_votes: int = 0,
) -> Case:
    return Case(
        name=name,
        library=library,
        fresh=fresh,
        n_votes=n_votes,
        operations=operations,
        comparable=False,
        memory=False,
        goal=goal,
    )


def _vote(poll: pv.Poll, n_votes: int, first: int = 0) -> None:
    """So many votes, twenty by each voter."""
    for number in range(first, first + n_votes):
        question = poll.ask(number // 20)
        if question is not None:
            poll.answer(number // 20, question.id, OUTCOMES[number % 3])


def _votes_of_new(sampler: str, n_items: int, n_votes: int) -> Work:
    return partial(_vote, pv.Poll(range(n_items), sampler=sampler, rng=1), n_votes)


def _votes_in_file(durability: Literal["full", "fast"], n_votes: int) -> Work:
    poll = pv.Poll(range(N_ITEMS), store=pv.poll.SQLiteStore(_new_path(), durability), rng=1)
    return partial(_vote, poll, n_votes)


def _bare_writes(n_writes: int) -> Work:
    path, frame = _new_path(), os.urandom(FRAME_BYTES)

    def work() -> None:
        with path.open("wb", buffering=0) as file:
            for number in range(n_writes):
                file.seek(number % N_FRAMES * FRAME_BYTES)
                file.write(frame)
                os.fsync(file.fileno())

    return work


@functools.cache
def _file_of(n_answers: int) -> Path:
    path = _new_path()
    with pv.Poll(range(N_ITEMS), store=pv.poll.SQLiteStore(path, "fast"), rng=1) as poll:
        _vote(poll, n_answers)
    return path


def _opening(n_answers: int) -> Work:
    path = _file_of(n_answers)
    return lambda: pv.Poll.open(path)


def _verifying(n_answers: int) -> Work:
    return pv.Poll.open(_file_of(n_answers)).verify


def _counting(n_answers: int) -> Work:
    # In memory, so that the file stays as it is.
    poll = pv.Poll(range(N_ITEMS), rng=1)
    _vote(poll, n_answers)
    poll.counts()

    def work() -> pv.PairCounts:
        _vote(poll, 1, first=n_answers)
        return poll.counts()

    return work


_numbers = itertools.count()


def _new_path() -> Path:
    return _folder() / f"{next(_numbers)}.db"


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


GROUPS = (in_memory, in_a_file, opened_again)
