"""Work on a cluster in the words of Dask: tasks, trees that add up, and what is kept where it was made.

Everything goes through `dask.delayed`, `dask.persist` and `dask.compute`, so that any of Dask's schedulers does it, and
a cluster's own record of how a thing was made brings back what a worker took with it when it died.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pairvote.errors import InputError, StateError

# A `dask.delayed.Delayed`, whose values are made when somebody asks for them.
Delayed = Any
MISSING = "votes on a cluster are read through Dask, which is not installed here; pip install 'pairvote[dask]'"
LOST = "the cluster that held these counts was closed or restarted, and they went with it; count the votes again"


def task(function: Callable[..., Any], n_values: int | None = None) -> Callable[..., Delayed]:
    """The function as one that a cluster calls; with `n_values` it returns so many, each of which may be kept."""
    try:
        from dask import delayed
    except ImportError as error:
        raise InputError(MISSING) from error
    wrapped: Callable[..., Delayed] = delayed(function, nout=n_values, pure=False)
    return wrapped


def sent(value: object) -> Delayed:
    """A value of ours for several tasks, which is sent once, and again where it is lost."""
    from dask import delayed

    return delayed(value, traverse=False, pure=False)


def added(values: Sequence[Delayed], add: Callable[..., Any]) -> Delayed:
    """The sum of at least one value, neighbours first, so that their order is kept and only sums travel."""
    combine, values = task(add), list(values)
    while len(values) > 1:
        pairs = [combine(*values[place : place + 2]) for place in range(0, len(values) - 1, 2)]
        values = pairs + values[2 * len(pairs) :]
    return values[0]


def kept(values: Sequence[Delayed]) -> list[Delayed]:
    """The values, made now and kept where they were made for as long as somebody refers to them."""
    import dask

    with _meant(values):
        return list(dask.persist(*values))


def result(value: Delayed) -> Any:
    """The value itself, brought here."""
    import dask

    with _meant([value]):
        return dask.compute(value)[0]


@contextmanager
def _meant(values: Sequence[Delayed]) -> Iterator[None]:
    """Without the warning of vectors sent along, and with a clear word where a cluster fails."""
    if any(future.cancelled() for future in _futures(values)):
        raise StateError(LOST)
    with warnings.catch_warnings():
        # They are in the graph on purpose: what is scattered is lost with the worker that has it.
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        try:
            yield
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "distributed":
                raise
            if "Cancelled" in type(error).__name__:
                raise StateError(LOST) from error
            raise StateError(
                f"the cluster gave up ({type(error).__name__}: {' '.join(str(error).split())}); its logs say why, and "
                "where workers ran out of memory, make the partitions smaller"
            ) from error


def _futures(values: Sequence[Delayed]) -> list[Any]:
    """What a cluster keeps of these values."""
    distributed = sys.modules.get("distributed")
    return [] if distributed is None else list(distributed.futures_of(values))


def by_place(values: Sequence[Delayed]) -> list[list[Delayed]]:
    """Kept values in groups: for every thread of a cluster's workers some of those that the worker has."""
    futures = _futures(values)
    if not futures:
        return [[value] for value in values]
    from distributed import wait

    client = futures[0].client
    wait(futures)
    holders, n_threads = client.who_has(futures), client.nthreads()
    by_worker: dict[str, list[Delayed]] = {}
    for value in values:
        by_worker.setdefault(min(holders.get(value.key, ()), default=""), []).append(value)
    groups = []
    for worker, held in by_worker.items():
        n_groups = min(n_threads.get(worker, 1), len(held))
        groups += [held[number::n_groups] for number in range(n_groups)]
    return groups
