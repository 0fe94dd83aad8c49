"""One caller of this pairvote beside one of another checkout, turn by turn, each in a process of its own.

This file is also the program that runs there, on whichever pairvote is on the path: ``beside.py STORE VOTES FILE``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pairvote as pv

N_ITEMS, N_WARM_UP = 1000, 100
KINDS = {"memory": 4000, "fast": 2000, "full": 300}


def seconds_of(kind: str, checkout: Path, file: Path) -> float:
    """Seconds for a question and its answer in a checkout: those of the processor where no disk is waited for."""
    done = subprocess.run(
        [sys.executable, "-P", __file__, kind, str(KINDS[kind]), str(file)],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the process with the pairvote of {checkout} failed:\n{done.stderr}")
    seconds, where = json.loads(done.stdout)
    if Path(where).resolve() != (checkout / "pairvote" / "__init__.py").resolve():
        raise RuntimeError(f"{checkout} has no pairvote: {where} was run")
    return float(seconds)


def _vote(poll: pv.Poll, voters: range) -> None:
    for voter in voters:
        for number in range(20):
            question = poll.ask(voter)
            if question is None:
                raise RuntimeError(f"voter {voter} was to have another question")
            poll.answer(voter, question.id, ("left", "right", "tie")[number % 3])


def _main(kind: str, n_votes: int, file: str) -> None:
    store = None if kind == "memory" else pv.poll.SQLiteStore(file, "full" if kind == "full" else "fast")
    poll = pv.Poll(range(N_ITEMS), store=store, rng=1)
    _vote(poll, range(N_WARM_UP // 20))
    voters = range(N_WARM_UP // 20, (N_WARM_UP + n_votes) // 20)
    clock = time.perf_counter if kind == "full" else time.process_time
    begun = clock()
    _vote(poll, voters)
    print(json.dumps([(clock() - begun) / (20 * len(voters)), pv.__file__]))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
