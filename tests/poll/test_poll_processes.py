"""Several processes on one file: kill -9, forks, quotas, exposures. No test depends on how fast anything is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv

N_ITEMS = 23
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes"),
    # What Python 3.12 warns of is what is tested here.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

VOTE = """
import sys
import pairvote as pv
path, first, last, durability = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
poll = pv.Poll.open(pv.poll.SQLiteStore(path, durability=durability))
print("ready", flush=True)
sys.stdin.readline()
for number in range(1000):
    spent = True
    for voter in range(first, last):
        question = poll.ask(voter)
        if question is None:
            continue
        spent = False
        outcome = ("left", "right", "tie")[(question.id + voter) % 3]
        poll.answer(voter, question.id, outcome)
        # Written down only after answer has returned.
        print(question.id, voter, question.left, question.right, outcome, flush=True)
        if question.id % 7 == 0:
            poll.answer(voter, question.id, outcome)
    if spent:
        break
"""


@contextlib.contextmanager
def voting(path: Path, voters: list[range], durability: str = "fast"):
    """A process for each range of voters, all ready; they are let go one after the other at once."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", VOTE, path, str(each.start), str(each.stop), durability],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for each in voters
    ]
    try:
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        yield children
    finally:
        for child in children:
            child.kill()
            child.communicate()


@pytest.mark.parametrize(
    "voters",
    [
        pytest.param([range(6), range(6, 12)], id="two processes"),
        pytest.param([range(3), range(3, 6), range(6, 9), range(9, 12)], id="four processes"),
        pytest.param([range(6)] * 4, id="four processes, the same voters"),
    ],
)
def test_quotas_are_exact_and_exposures_as_level_as_in_one_process(tmp_path, voters: list[range]) -> None:
    path = tmp_path / "poll.db"
    n_voters = max(each.stop for each in voters)
    with pv.Poll(range(N_ITEMS), votes_each=20, store=path, rng=1) as poll:
        with voting(path, voters) as children:
            printed = []
            for child in children:
                out, err = child.communicate()
                # Of two processes with one voter, one may find the question answered: the same answer, so no error.
                assert not err
                printed += [tuple(map(str, line.split())) for line in out.splitlines()]
        votes = poll.votes()
        assert np.bincount(votes.voter).tolist() == [20] * n_voters
        assert len({line[0] for line in printed}) == 20 * n_voters
        assert_same_counts(poll.counts(), votes.counts())
        with poll._log.reading() as state:
            assert not state.open
            assert np.ptp(state.stream.shown) <= 2
            assert np.abs(state.stream.leads).max() <= 4
        poll.verify()
        with pv.Poll.open(path) as again:
            assert_same_votes(again.votes(), votes)


def test_after_kill_9_no_acknowledged_vote_is_lost_and_none_is_counted_twice(tmp_path) -> None:
    path = tmp_path / "poll.db"
    pv.Poll(range(N_ITEMS), votes_each=40, store=path, rng=1).close()
    rng = np.random.default_rng(5)
    acknowledged: dict[str, tuple[str, ...]] = {}
    for round_ in range(12):
        with voting(path, [range(8), range(4, 12)], "full") as children:
            # Both are killed after as many acknowledgements as is drawn, wherever they are by then.
            readers = [
                threading.Thread(target=_read_then_kill, args=(child, int(n), acknowledged))
                for child, n in zip(children, rng.integers(1, 15, 2), strict=True)
            ]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
        with pv.Poll.open(path) as poll:
            poll.verify()
            given = {
                each.id: (voter, each.left, each.right, each.outcome)
                for voter in range(12)
                for each in poll.history(voter)
            }
            for question, line in acknowledged.items():
                assert tuple(map(str, given[int(question)])) == line
            with poll._log.reading() as state:
                assert state.stream.shown.sum() == 2 * (len(given) + len(state.open))
                assert len(state.open) <= 12
            votes = poll.votes()
            # An answer may be on disk without having been acknowledged: one at most for each process that was killed.
            assert len(acknowledged) <= len(votes) <= len(acknowledged) + 2 * (round_ + 1)
            assert np.bincount(votes.voter).max() <= 40
            assert_same_counts(poll.counts(), votes.counts())
    assert len(acknowledged) > 24


def _read_then_kill(child: subprocess.Popen, n_lines: int, acknowledged: dict[str, tuple[str, ...]]) -> None:
    for number, line in enumerate(child.stdout, 1):
        if line.endswith("\n"):
            question, *rest = line.split()
            acknowledged[question] = tuple(rest)
        if number == n_lines:
            os.kill(child.pid, signal.SIGKILL)


def test_a_process_that_is_killed_within_a_call_leaves_nothing_half_done(tmp_path) -> None:
    path = tmp_path / "poll.db"
    with pv.Poll(range(N_ITEMS), store=path, rng=1) as poll:
        poll.answer("anna", poll.ask("anna").id, "left")
        poll.ask("anna")
        before = poll.verify()
        for step in ("begin", "append", "fold", "commit"):
            child = os.fork()
            if not child:
                with contextlib.suppress(BaseException):
                    _die_after(poll, step)
                    poll.undo("anna")
                os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            if step != "commit":
                assert poll.verify() == before
                assert poll.remaining("anna") == 19
        # Once it is committed it stands, whole.
        assert poll.remaining("anna") == 20
        assert len(poll.votes()) == 0


def _die_after(poll: pv.Poll, step: str) -> None:
    with poll._log.reading() as state:
        owner = state if step == "fold" else poll._log.store
    real = getattr(owner, step)

    def dying(*arguments):
        real(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, step, dying)


@pytest.mark.parametrize("in_file", [True, False])
@pytest.mark.parametrize("busy", [True, False])
def test_a_fork_takes_neither_the_connection_nor_a_lock_along(tmp_path, in_file: bool, busy: bool) -> None:
    store = pv.poll.SQLiteStore(tmp_path / "poll.db", durability="fast") if in_file else None
    stop = threading.Event()
    with pv.Poll(range(N_ITEMS), store=store, rng=1) as poll:
        first = poll.ask("anna")

        def keep_busy() -> None:
            for voter in range(10**6):
                if stop.is_set():
                    break
                poll.answer(voter, poll.ask(voter).id, "tie")

        thread = threading.Thread(target=keep_busy)
        if busy:
            thread.start()
        try:
            for number in range(8):
                child = os.fork()
                if not child:
                    code = 1
                    with contextlib.suppress(BaseException):
                        # Whoever waits for ever is ended by this.
                        signal.alarm(60)
                        assert poll._log.store.__dict__.get("_writing") is None
                        assert poll.ask("anna") == first
                        # The main thread would not notice a lock that it took before the fork.
                        with ThreadPoolExecutor(1) as pool:
                            question = pool.submit(poll.ask, f"child {number}").result()
                        poll.answer(f"child {number}", question.id, "left")
                        code = 0
                    os._exit(code)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            stop.set()
            if busy:
                thread.join()
        poll.verify()
        assert poll.ask("anna") == first
        voters = {voter for voter in poll.votes().voters if isinstance(voter, str)}
        assert voters == ({f"child {number}" for number in range(8)} if in_file else set())


def test_a_connection_that_came_through_a_fork_is_left_alone(tmp_path) -> None:
    """Where a server forks without telling Python, the parent's connections are there: not used, not closed."""
    poll = pv.Poll(range(N_ITEMS), store=tmp_path / "poll.db", rng=1)
    poll.ask("anna")
    assert poll.remaining("anna") == 20
    store = poll._log.store
    inherited = [store._writing, store._reading]
    for each in (store, *inherited):
        each._process = -1
    assert poll.remaining("anna") == 20
    assert poll.ask("bo") is not None
    assert store._reading not in inherited
    assert store._writing not in inherited
    poll.close()
    for each in inherited:
        assert each.connection.execute("SELECT count(*) FROM events").fetchone() == (3,)
        each.connection.close()
