"""Two servers on one poll: groups of processes with engines of their own. They are killed, and so is the database.

No test depends on how fast anything is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import servers
import sqlalchemy as sa
from sql_polls import begun, engine_of, new_name
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv
from pairvote.poll import SQLStore

N_ITEMS = 23
pytestmark = [
    pytest.mark.slow,
    pytest.mark.servers,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes"),
]

# A server: workers that are forked, with threads, as a web server has them. Each answer is written down only after
# `answer` has returned. What StorageError advises is followed: the same call is sent again.
SERVE = """
import os, signal, sys, threading
import pairvote as pv
url, name, first, last, n_workers = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
poll = pv.Poll.open(pv.poll.SQLStore(url, name))
poll.remaining("nobody")
children = []

def say(*words):
    # One write a line: lines of several threads and processes must not mix.
    os.write(1, (" ".join(map(str, words)) + chr(10)).encode())

def persistently(call, *arguments):
    for _ in range(1000):
        try:
            return call(*arguments)
        except pv.StorageError as error:
            say("storage", *str(error).split())
            threading.Event().wait(0.05)
    os._exit(3)

def vote(voters):
    for number in range(1000):
        spent = True
        for voter in voters:
            question = persistently(poll.ask, voter)
            if question is None:
                continue
            spent = False
            outcome = ("left", "right", "tie")[(question.id + voter) % 3]
            try:
                persistently(poll.answer, voter, question.id, outcome)
            except (pv.InputError, pv.StateError) as error:
                # The log went back to before the question was asked, or another answered it.
                say("refused", *str(error).split())
                continue
            say("stored", question.id, voter, question.left, question.right, outcome)
        if spent:
            break

say("ready")
sys.stdin.readline()
for worker in range(n_workers):
    child = os.fork()
    if not child:
        step = range(first + worker, last, n_workers)
        threads = [threading.Thread(target=vote, args=(step[n::2],)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


class Serving:
    """A server that runs, in a process group of its own."""

    def __init__(self, url: str, name: str, first: int, last: int, n_workers: int = 2) -> None:
        command = [sys.executable, "-c", SERVE, url, name, *map(str, (first, last, n_workers))]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        self.stored: dict[int, tuple[str, ...]] = {}
        self.said: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)

    def start(self) -> None:
        assert self.process.stdout.readline() == "ready\n", self.process.communicate()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            word, *rest = line.split()
            with self._changed:
                if not line.endswith("\n"):
                    break
                if word == "stored" and len(rest) == 5:
                    self.stored[int(rest[0])] = tuple(rest[1:])
                else:
                    self.said.append(line)
                self._changed.notify_all()

    def wait_for(self, n_more: int) -> None:
        """Until it has stored so many answers more, or has nothing left to store."""
        with self._changed:
            wanted = len(self.stored) + n_more
            self._changed.wait_for(lambda: len(self.stored) >= wanted or not self._reader.is_alive(), 120)

    def kill(self) -> None:
        """All processes at once, wherever they are."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.finish()

    def finish(self) -> str:
        self._reader.join(120)
        self.process.stdin.close()
        self.process.wait(120)
        error = self.process.stderr.read()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return error


@contextlib.contextmanager
def serving(*servers_: Serving):
    try:
        for each in servers_:
            each.start()
        yield servers_
    finally:
        for each in servers_:
            if each.process.poll() is None:
                os.killpg(each.process.pid, signal.SIGKILL)
                each.finish()


def check(poll: pv.Poll, stored: dict[int, tuple[str, ...]], n_votes_each: int) -> None:
    """All that was acknowledged is in the log as it was, and the poll is as one process would have run it."""
    poll.verify()
    votes = poll.votes()
    found = {
        int(answer.id): (str(voter), str(answer.left), str(answer.right), answer.outcome)
        for voter in votes.voters
        for answer in poll.history(voter)
    }
    lost = {number: answer for number, answer in stored.items() if found.get(number) != answer}
    assert not lost
    assert np.bincount(votes.voter).max() <= n_votes_each
    assert_same_counts(poll.counts(), votes.counts())


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_two_servers_share_a_poll_exactly(kind: str) -> None:
    url, name = servers.database(kind), new_name()
    with pv.Poll(range(N_ITEMS), votes_each=10, store=SQLStore(url, name), rng=1) as poll:
        with serving(Serving(url, name, 0, 8), Serving(url, name, 4, 12)) as group:
            errors = [each.finish() for each in group]
        assert errors == ["", ""]
        assert not any(line.startswith("storage") for each in group for line in each.said)
        stored = {number: answer for each in group for number, answer in each.stored.items()}
        check(poll, stored, 10)
        assert np.bincount(poll.votes().voter).tolist() == [10] * 12
        assert len(stored) == 120
        with pv.Poll.open(SQLStore(url, name)) as other:
            assert_same_votes(other.votes(), poll.votes())
            assert other.verify() == poll.verify()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_after_kill_9_of_servers_no_acknowledged_answer_is_lost(kind: str) -> None:
    url, name = servers.database(kind), new_name()
    rng = np.random.default_rng(5)
    stored: dict[int, tuple[str, ...]] = {}
    with pv.Poll(range(N_ITEMS), votes_each=100, store=SQLStore(url, name), rng=1) as poll:
        for _ in range(6):
            with serving(Serving(url, name, 0, 8), Serving(url, name, 4, 12)) as group:
                for each in group:
                    each.wait_for(int(rng.integers(3, 25)))
                for each in group:
                    each.kill()
                for each in group:
                    stored |= each.stored
            check(poll, stored, 100)
        assert len(stored) > 24


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_that_crashes_and_comes_back_costs_no_acknowledged_answer(kind: str) -> None:
    """`pg_ctl restart -m immediate`, kill -9 of mariadbd: the servers go on without being started again."""
    server = getattr(servers, kind)()
    url, name = servers.database(kind), new_name()
    with pv.Poll(range(N_ITEMS), votes_each=200, store=SQLStore(url, name), rng=1) as poll:
        with serving(Serving(url, name, 0, 8), Serving(url, name, 4, 12)) as group:
            for _ in range(3):
                for each in group:
                    each.wait_for(8)
                server.restart()
            for each in group:
                each.wait_for(8)
            for each in group:
                each.kill()
        # Whoever is in the midst of a call is told, and told what to do.
        said = [line for each in group for line in each.said if line.startswith("storage")]
        assert all("send the same call again" in line for line in said)
        check(poll, {number: answer for each in group for number, answer in each.stored.items()}, 200)


def test_connections_that_are_terminated_cost_no_acknowledged_answer() -> None:
    url, name = servers.database("postgresql"), new_name()
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    with pv.Poll(range(N_ITEMS), votes_each=200, store=SQLStore(url, name), rng=1) as poll:
        with engine_of(url) as engine, serving(Serving(url, name, 0, 8), Serving(url, name, 4, 12)) as group:
            for _ in range(20):
                for each in group:
                    each.wait_for(3)
                with engine.connect() as connection:
                    connection.exec_driver_sql(statement)
            for each in group:
                each.kill()
        check(poll, {number: answer for each in group for number, answer in each.stored.items()}, 200)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_after_a_failover_to_a_copy_that_lags_every_worker_notices(kind: str) -> None:
    """The log as such a copy would have it: without its last events. They are lost, and nothing else is."""
    url, name = servers.database(kind), new_name()
    poll = pv.Poll(range(N_ITEMS), votes_each=50, store=SQLStore(url, name), rng=1)
    workers = [pv.Poll.open(SQLStore(url, name)) for _ in range(4)]
    for number in range(40):
        worker = workers[number % 4]
        worker.answer(number % 7, worker.ask(number % 7).id, "left")
    kept = 61
    expected = {answer.id for voter in range(7) for answer in poll.history(voter) if answer.id < kept}
    with engine_of(url) as engine, engine.begin() as connection:
        where = "number > :kept AND poll = (SELECT id FROM pairvote_polls WHERE name = :name)"
        connection.execute(sa.text(f"DELETE FROM pairvote_events WHERE {where}"), {"kept": kept, "name": name})
    for number, worker in enumerate(workers):
        # Told once, then it goes on; what it is told to send again is stored.
        with pytest.raises(pv.StorageError, match=r"no longer holds event .* so send the same call again"):
            worker.ask(f"after {number}")
        question = worker.ask(f"after {number}")
        worker.answer(f"after {number}", question.id, "right")
        worker.verify()
    answers = {answer.id for voter in range(7) for answer in workers[0].history(voter)}
    assert answers >= expected
    with pv.Poll.open(SQLStore(url, name)) as again:
        for worker in workers:
            assert_same_votes(worker.votes(), again.votes())
            assert worker.verify() == again.verify()
        assert len(again.votes()) == len(answers) + 4


def test_a_copy_of_the_data_directory_that_lags_takes_over(tmp_path: Path) -> None:
    """A standby's files as they were when it lost its primary, put in the primary's place."""
    server = servers.postgresql()
    url = servers.database("postgresql", fresh=True)
    copy = server.folder / "copy"
    poll = pv.Poll(range(N_ITEMS), votes_each=50, store=SQLStore(url, "kalmar"), rng=1)
    other = pv.Poll.open(SQLStore(url, "kalmar"))
    for number in range(10):
        poll.answer(number, poll.ask(number).id, "left")
    before = poll.verify()
    server.stop("fast")
    server.copy_data(copy)
    server.start()
    for number in range(10, 15):
        other.answer(number, other.ask(number).id, "left")
    assert poll.remaining(14) == 49
    server.stop("immediate")
    server.put_back(copy)
    server.start()
    for worker in (poll, other):
        with pytest.raises(pv.StorageError, match=r"no longer holds event .* so send the same call again"):
            worker.ask("after")
        assert len(worker.votes()) == 10
    poll.verify(before)
    question = other.ask("after")
    poll.answer("after", question.id, "tie")
    assert_same_votes(poll.votes(), pv.Poll.open(SQLStore(url, "kalmar")).votes())


def test_a_commit_that_may_have_been_stored_is_one_vote(tmp_path: Path) -> None:
    """The connection is lost after the server has committed: sent again, the answer is one vote."""
    url = servers.database("postgresql")
    store = begun(url)
    name = f"{store._poll}, lost"

    class Losing(SQLStore):
        lose = False

        def commit(self) -> None:
            super().commit()
            if self.lose:
                self.lose = False
                raise pv.StorageError(f"{self.name} was lost after the commit; send the same call again")

    losing = Losing(url, name)
    with pv.Poll(range(N_ITEMS), store=losing, rng=1) as poll:
        question = poll.ask("anna")
        losing.lose = True
        with pytest.raises(pv.StorageError, match="send the same call again"):
            poll.answer("anna", question.id, "left")
        poll.answer("anna", question.id, "left")
        assert len(poll.votes()) == 1
        assert poll.verify() == pv.Poll.open(SQLStore(url, name)).verify()
