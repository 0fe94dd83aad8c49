"""Seconds. The cases of a group take turns, so that what slows the machine for a while slows all of them."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.goals import Cost, Verdict

OURS = "pairvote"
SHORTEST_REPEAT = 0.02


@dataclass(kw_only=True, eq=False)
class Row:
    """What was measured of a case.

    Attributes
    ----------
    status : str
        "measured", "not installed" or what else is missing, or how a peer failed.
    seconds : list of float
        Of one call, in every repeat; where short calls were timed together, their mean.
    difference : float or None
        How far the result is from the right scores, at most over items.
    checksum : float or None
        Of the scores of the last repeat: their sum, each times its place from 1.
    peak_bytes : int or None
        What one call took at its peak on top of what was held before, or all of a process of its own.
    times_fastest_peer : float or None
        How many times as fast as the fastest peer of the group whose answer is right, per vote.
    """

    case: Case
    status: str = "measured"
    loops: int = 1
    seconds: list[float] = field(default_factory=list)
    difference: float | None = None
    checksum: float | None = None
    peak_bytes: int | None = None
    times_fastest_peer: float | None = None
    verdict: Verdict | None = None
    result: Any = None

    @property
    def measured(self) -> bool:
        return self.status == "measured"

    @property
    def is_peer(self) -> bool:
        return self.case.library in peers.PEERS

    @property
    def is_ours(self) -> bool:
        return self.case.library == OURS

    @property
    def cost(self) -> Cost:
        return Cost(statistics.median(self.seconds), self.case.n_votes, self.peak_bytes)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A peer or a server that fails is a line of the table; pairvote that fails is an error."""
        try:
            yield
        except Exception as error:
            if not self.is_peer and not self.case.may_fail:
                raise
            self.status = f"failed: {type(error).__name__}: {error}"


def measure(
    make_group: Callable[[Size], Group], size: Size, *, repeats: int, with_peers: bool
) -> tuple[Group, list[Row]]:
    """Time every case of a group, compare the results with the right ones and judge the goals.

    Before the first repeat every case runs once on a few votes, so that imports and what is set up on first use
    are not timed. The garbage collector runs before every call and not during it, as in `timeit`.
    """
    group, warm_ups = make_group(size), make_group("tiny").cases
    rows = [Row(case=case) for case in group.cases]
    for row, warm_up in zip(rows, warm_ups, strict=True):
        if row.is_peer and peers.version(row.case.library) is None:
            row.status = "not installed"
        elif row.case.missing:
            row.status = row.case.missing
        elif with_peers or not row.is_peer:
            with row.attempt():
                # What runs in a process of its own has nothing set up here.
                if row.case.own_cost is None:
                    _time(warm_up.fresh())
                row.loops = _loops(row.case)
    rows = [row for row in rows if with_peers or not row.is_peer]
    for turn in range(repeats):
        first = turn % len(rows)
        for row in rows[first:] + rows[:first]:
            if row.measured and (row.case.turns is None or turn < row.case.turns):
                with row.attempt():
                    seconds, row.result = _time(row.case.fresh(), row.loops)
                    if row.case.own_cost is not None:
                        seconds, peak_bytes = row.case.own_cost(row.result)
                        row.peak_bytes = max(filter(None, (row.peak_bytes, peak_bytes)), default=None)
                    row.seconds.append(seconds / row.case.operations)
    _compare_results(rows, group)
    _compare_costs(rows, group.close)
    return group, rows


def _loops(case: Case) -> int:
    """How many calls are timed together."""
    if not case.repeatable:
        return 1
    work = case.fresh()
    work()
    seconds, _ = _time(work)
    return max(1, math.ceil(SHORTEST_REPEAT / max(seconds, 1e-7)))


def _compare_results(rows: list[Row], group: Group) -> None:
    for row in rows:
        if row.measured and row.case.scores is not None:
            with row.attempt():
                scores = row.case.scores(row.result)
                row.checksum = float(scores @ np.arange(1, len(scores) + 1))
                reference = row.case.reference or group.reference
                if row.case.comparable and reference is not None:
                    row.difference = float(np.abs(scores - reference()).max())
        row.result = None


def _time(work: Work, loops: int = 1) -> tuple[float, Any]:
    """Seconds of one call, and the result of the last."""
    result = None
    gc.collect()
    gc.disable()
    try:
        begun = time.perf_counter()
        for _ in range(loops):
            result = work()
        return (time.perf_counter() - begun) / loops, result
    finally:
        gc.enable()


def _compare_costs(rows: list[Row], close: float) -> None:
    """Judge the goals, and compare with the fastest of the peers whose answer is right."""
    measured = [row for row in rows if row.measured]
    costs = {row.case.name: row.cost for row in measured}
    right = [row for row in measured if row.difference is None or row.difference <= close]
    fastest = min((row.cost.per_vote for row in right if row.is_peer), default=None)
    for row in measured:
        if fastest is not None and row in right and (row.is_peer or row.is_ours):
            row.times_fastest_peer = fastest / row.cost.per_vote
        if row.case.goal is not None:
            row.verdict = row.case.goal.judge(row.cost, costs)
