"""Copies of a poll while it is used, and what else goes through all of it."""

from __future__ import annotations

import itertools
import multiprocessing as mp
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pairvote as pv
from benchmarks.cases import Case, Group, Size
from benchmarks.polls import servers
from benchmarks.polls.files import Figure, new_path, stated
from benchmarks.polls.load import vote_in_process
from benchmarks.polls.made import log_of

N_ANSWERS: dict[Size, int] = {"full": 100_000, "quick": 10_000, "tiny": 60}
N_ITEMS, N_THREADS, TURNS = 1000, 10, 3
# More than anything here takes.
LONG_SECONDS = 3600.0
_voters = itertools.count()
_names = itertools.count()


def copied(size: Size) -> Group:
    """A poll of many answers."""
    path = partial(_copy_of_log, N_ANSWERS[size])
    cases: list[Case] = [
        stated("backup", partial(_with_poll, path, _back_up), turns=TURNS),
        stated("backup, while others vote", partial(_while_others_vote, path, _back_up), turns=TURNS),
        stated("verify", partial(_with_poll, path, lambda poll: poll.verify()), turns=TURNS),
        stated(
            "verify, while others vote",
            partial(_while_others_vote, path, lambda poll: poll.verify()),
            turns=TURNS,
        ),
        stated("forget_voter", partial(_with_poll, path, _forget), turns=TURNS),
        stated("forget_voter, while others vote", partial(_while_others_vote, path, _forget), turns=TURNS),
        stated("copy_to a file", partial(_with_poll, path, _copy_to_file), turns=TURNS),
        *(
            stated(
                f"copy_to {servers.NAMES[kind]}",
                partial(_copying_to_server, kind, path),
                turns=1,
                missing=servers.missing(kind),
                may_fail=True,
            )
            for kind in servers.KINDS
        ),
    ]
    title = (
        f"a durable file of {N_ANSWERS[size]:,} answers, {N_ITEMS:,} items; others: a process of {N_THREADS} threads"
    )
    return Group(title=title, cases=cases)


def _copy_of_log(n_answers: int) -> Path:
    """A file of its own for each call."""
    path = new_path()
    with pv.Poll.open(log_of(n_answers, N_ITEMS)) as poll:
        poll.backup(path)
    return path


def _with_poll(path: Callable[[], Path], work: Callable[[pv.Poll], object]) -> Figure:
    """Seconds of a call on a poll that nobody else uses."""
    with pv.Poll.open(path()) as poll:
        return _timed(work, poll)


def _while_others_vote(path: Callable[[], Path], work: Callable[[pv.Poll], object]) -> Figure:
    """Seconds of a call while a process votes on the same poll."""
    file = path()
    with pv.Poll.open(file) as poll, _voting(file) as others:
        before = poll.n_events
        while poll.n_events == before and others.is_alive():
            time.sleep(0.01)
        return _timed(work, poll)


def _timed(work: Callable[[pv.Poll], object], poll: pv.Poll) -> Figure:
    poll.n_events  # noqa: B018 - opens it
    begun = time.perf_counter()
    work(poll)
    return time.perf_counter() - begun, None


@contextmanager
def _voting(path: Path) -> Iterator[SpawnProcess]:
    """Let others vote meanwhile. They are killed then, which costs them nothing that was stored."""
    name = f"other-{next(_voters)}-"
    others = mp.get_context("spawn").Process(
        target=vote_in_process, args=(path, "full", N_THREADS, LONG_SECONDS, name), daemon=True
    )
    others.start()
    try:
        yield others
        if not others.is_alive():
            raise RuntimeError("those who were to vote meanwhile have ended")
    finally:
        others.kill()
        others.join()


def _back_up(poll: pv.Poll) -> str:
    return poll.backup(new_path())


def _forget(poll: pv.Poll) -> bool:
    return poll.forget_voter(f"voter-{next(_voters) % 3}@example.org")


def _copy_to_file(poll: pv.Poll) -> str:
    return poll.copy_to(pv.poll.SQLiteStore(new_path()))


def _copying_to_server(kind: str, path: Callable[[], Path]) -> Figure:
    # Before the time is taken: the server may have to be started.
    store: Any = pv.poll.SQLStore(servers.url(kind), name=f"copy-{next(_names)}")
    try:
        return _with_poll(path, lambda poll: poll.copy_to(store))
    finally:
        store.close()


GROUPS = (copied,)
