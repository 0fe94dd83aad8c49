"""The room that a poll takes: its arrays, not its log."""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from poll_views import WithoutSnapshots, assert_same_poll, eager, snapshots

import pairvote as pv
from pairvote.poll import SQLiteStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="a sanitizer takes memory of its own"),
]

N_VOTERS, VOTES_EACH, N_ITEMS = 5000, 20, 23
N_ANSWERS = N_VOTERS * VOTES_EACH
MOST_BYTES_AN_ANSWER = 100


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Any:
    """A file of 100,000 answers, with a snapshot beside the log."""
    path = tmp_path_factory.mktemp("memory") / "poll.db"
    memory = pv.Poll(range(N_ITEMS), votes_each=VOTES_EACH, rng=1)
    for number in range(VOTES_EACH):
        for voter in range(N_VOTERS):
            memory.answer(f"voter {voter}", memory.ask(f"voter {voter}").id, ("left", "right", "tie")[number % 3])
    memory.copy_to(SQLiteStore(path, durability="fast"))
    with eager(pv.Poll.open(path)) as poll:
        poll.set_group("voter 1", "public")
    assert snapshots(SQLiteStore(path))
    return path


def taken(act: Callable[[], Any]) -> tuple[Any, int, int]:
    """What a call gives, the memory that is taken after it, and at its height."""
    gc.collect()
    tracemalloc.start()
    try:
        found = act()
        gc.collect()
        return found, *tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("replayed", [True, False])
def test_a_poll_takes_at_most_100_bytes_an_answer_and_opens_page_by_page(path, replayed: bool) -> None:
    store = SQLiteStore(path, durability="fast")
    # What is loaded once is not the poll's.
    pv.Poll.open(path).close()

    def opened() -> pv.Poll:
        poll = pv.Poll.open(WithoutSnapshots(store) if replayed else store)
        assert poll.remaining("voter 1") == 0
        return poll

    poll, after, height = taken(opened)
    with poll:
        assert poll.n_events > 2 * N_ANSWERS
        assert after <= MOST_BYTES_AN_ANSWER * N_ANSWERS
        # The log itself, as 200,000 tuples, takes some 70 MB.
        assert height <= 2 * MOST_BYTES_AN_ANSWER * N_ANSWERS


def test_a_call_takes_no_room_that_grows_with_the_log(path) -> None:
    with pv.Poll.open(path) as poll:
        poll.answer("new", poll.ask("new").id, "left")
        poll.counts()

        def calls() -> None:
            for _ in range(10):
                poll.answer("new", poll.ask("new").id, "left")
                poll.counts()
                poll.history("new")

        _, _, height = taken(calls)
        assert height < 2_000_000
        with pv.Poll.open(WithoutSnapshots(SQLiteStore(path))) as again:
            assert_same_poll(again, poll, ["new", "voter 7"])


def test_verify_and_a_copy_read_the_log_page_by_page(path, tmp_path) -> None:
    with pv.Poll.open(path) as poll:
        # Beside a page, all that is known of voters and questions, twice: as it is and as the log says it.
        for act in (poll.verify, lambda: poll.backup(tmp_path / "backup.db")):
            _, _, height = taken(act)
            assert height < 20_000_000
