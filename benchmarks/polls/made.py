"""Logs of many answers, written event by event as docs/poll.md describes them, in a tenth of the time of asking.

Every voter has twenty questions, no two about the same pair, and every item is asked about as often as any other. The
poll opens such a log as one that it wrote itself, and `verify` finds its digests right.
"""

from __future__ import annotations

import functools
import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np

import pairvote as pv
from benchmarks.cases import SEED
from benchmarks.polls.files import new_path

VOTES_EACH = 20
# Voters whose votes are written at once.
N_TOGETHER = 500
ASKED, ANSWERED = 1, 2
# From the first item of a pair to that of the next; it has no divisor in common with the numbers of items.
STEP = 7


@functools.cache
def log_of(n_answers: int, n_items: int) -> Path:
    """A file with so many answers and no snapshot yet, made once in a process."""
    path = new_path()
    with pv.Poll(range(n_items), store=pv.poll.SQLiteStore(path, "fast"), rng=1):
        pass
    store = pv.poll.SQLiteStore(path, "fast")
    (first,) = store.events(0)
    number, time, digest = first[0], first[1], first[6]
    rng = np.random.default_rng(SEED)
    for begin in range(0, n_answers // VOTES_EACH, N_TOGETHER):
        codes = range(begin, min(begin + N_TOGETHER, n_answers // VOTES_EACH))
        ids = [json.dumps(f"voter-{code}@example.org").encode() for code in codes]
        salts = [random.Random(code).randbytes(16) for code in codes]
        seals = [hashlib.sha256(salt + written).hexdigest() for salt, written in zip(salts, ids, strict=True)]
        events: list[tuple[Any, ...]] = []
        for place, left, right, outcome in _votes(codes, n_items, rng):
            code, vote = divmod(place, VOTES_EACH)
            voter: str | int = code if vote else seals[code - begin]
            for kind, a, b, c in ((ASKED, voter, left, right), (ANSWERED, number + 1, outcome, None)):
                number += 1
                time += 0.5
                digest = _digest(digest, number, time, kind, a, b, c)
                events.append((number, time, kind, a, b, c, digest))
        store.begin()
        store.append(events)
        store.keep(
            {f"voter/{code:010d}": salts[code - begin].hex().encode() + b" " + ids[code - begin] for code in codes}
        )
        store.commit()
    store.close()
    return path


def _votes(codes: range, n_items: int, rng: np.random.Generator) -> Any:
    """The votes of some voters: their places in the log, items and outcomes."""
    places = np.arange(codes.start * VOTES_EACH, codes.stop * VOTES_EACH)
    one = STEP * places % n_items
    other = (one + 1 + places // n_items % ((n_items - 1) // 2)) % n_items
    is_first_left = rng.random(len(places)) < 0.5
    left, right = np.where(is_first_left, one, other), np.where(is_first_left, other, one)
    return zip(places.tolist(), left.tolist(), right.tolist(), rng.integers(3, size=len(places)).tolist(), strict=True)


def _digest(before: bytes, number: int, time: float, kind: int, a: str | int, b: int, c: int | None) -> bytes:
    # A seal has nothing in it that JSON would escape.
    first = f'"{a}"' if isinstance(a, str) else a
    event = f"[{number},{time!r},{kind},{first},{b},{'null' if c is None else c}]"
    return hashlib.sha256(before + event.encode()).digest()


@functools.cache
def log_of_topk(n_answers: int, n_items: int, k: int) -> Path:
    """A file of a poll with `TopK`, which was really asked and answered; no snapshot yet."""
    path = new_path()
    poll = pv.Poll(range(n_items), sampler=pv.sampling.TopK(k), rng=1)
    outcomes = ("left", "right", "tie")
    for place in range(n_answers):
        voter = f"voter-{place // VOTES_EACH}@example.org"
        question = poll.ask(voter)
        if question is not None:
            poll.answer(voter, question.id, outcomes[question.id // 2 % 3])
    poll.copy_to(pv.poll.SQLiteStore(path, "fast"))
    return path
