"""Parts of large arrays worked on at the same time: the kernels let go of the interpreter while they run."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# A fraction of a millisecond's work; for less it does not pay to wake a thread.
LEAST_SHARED = 100_000
MOST_PARTS = 4


class Parts:
    """What lies between bounds, such as rows, in parts of about as much work each.

    How many parts there are follows from the work alone, so sums over them come out alike, to the bit, for any number
    of threads. Inside a ``with`` block the parts have threads of their own, `n_threads` or all that may run; outside,
    they are worked on in turn.
    """

    def __init__(self, bounds: list[tuple[int, int]], n_threads: int | None = None) -> None:
        self.bounds = bounds
        self._n_threads = n_threads
        self._pool: ThreadPoolExecutor | None = None

    @classmethod
    def equal(cls, n_rows: int, least: int = LEAST_SHARED) -> Parts:
        """Parts of rows that are as much work each, of at least so many rows."""
        n_parts = _n_parts(n_rows, least)
        return cls([(n_rows * part // n_parts, n_rows * (part + 1) // n_parts) for part in range(n_parts)])

    @classmethod
    def of_rows(cls, stops: NDArray[np.int64], least: int = LEAST_SHARED) -> Parts:
        """Parts of rows that are more or less work: `stops` (n_rows + 1,) rises from 0, the work before each."""
        work = int(stops[-1])
        n_parts = _n_parts(work, least)
        if n_parts == 1:
            return cls([(0, len(stops) - 1)])
        cuts = np.searchsorted(stops, np.linspace(0, work, n_parts + 1)[1:-1])
        return cls(list(pairwise([0, *cuts.tolist(), len(stops) - 1])))

    def __len__(self) -> int:
        return len(self.bounds)

    def __enter__(self) -> Parts:
        n_threads = min(len(self.bounds), self._n_threads or n_usable())
        if n_threads > 1:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(n_threads - 1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def run(self, work: Callable[[int, int, int], Any]) -> list[Any]:
        """Call work(number, first, last) for every part; what it returns, in order."""
        tasks = [(number, *bounds) for number, bounds in enumerate(self.bounds)]
        if self._pool is None:
            return [work(*task) for task in tasks]
        futures = [self._pool.submit(work, *task) for task in tasks[1:]]
        own = {0: work(*tasks[0])}
        # What no other thread has begun, this one does itself, from the end.
        for number, future in reversed(list(enumerate(futures, start=1))):
            if future.cancel():
                own[number] = work(*tasks[number])
        return [own[number] if number in own else futures[number - 1].result() for number in range(len(tasks))]

    def add_up(self, work: Callable[[int, int, NDArray[np.float64]], Any], sums: NDArray[np.float64]) -> None:
        """Call work(first, last, its own sums) for every part, and add what they find to `sums`, in order."""
        own = [sums, *(np.zeros_like(sums) for _ in self.bounds[1:])]
        self.run(lambda number, first, last: work(first, last, own[number]))
        for more in own[1:]:
            sums += more


def at_once(one: Callable[[], Any], other: Callable[[], Any], work: int, least: int = 2 * LEAST_SHARED) -> None:
    """Call two functions; on two threads where there is work enough, both having let go of the interpreter."""
    if work < least or n_usable() < 2:
        one()
        other()
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(other)
        one()
        beside.result()


def _n_parts(work: int, least: int) -> int:
    return min(max(work // least, 1), MOST_PARTS)


def n_usable() -> int:
    """How many threads may run at once: the processors given to this process, or OMP_NUM_THREADS where it is less."""
    n_processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(n_processors, int(asked)) if asked.isdecimal() and int(asked) else n_processors
