"""Votes on a cluster: counted with one and with two workers, fitted where they lie, and what that costs for few votes.

Every call has a process of its own, which starts a cluster of single-threaded workers on this machine and stops it;
neither is timed, nor is what workers load on first use. What fits on one machine is better read there: the same votes
are counted without a cluster by ``python -m benchmarks streams``.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

import pairvote as pv
from benchmarks import memory, reference
from benchmarks.cases import Case, Group, Scores, SeededVotes, Size, make_votes
from benchmarks.goals import Faster, Goal

PRIOR_SD = 3.0
N_PARTS = 20
# Items, votes.
COUNTED: dict[Size, tuple[int, int]] = {
    "full": (129, 100_000_000),
    "quick": (129, 10_000_000),
    "tiny": (20, 2_000),
}
FITTED: dict[Size, tuple[int, int]] = {
    "full": (1_000_000, 20_000_000),
    "quick": (100_000, 2_000_000),
    "tiny": (60, 2_000),
}
FEW: dict[Size, tuple[int, int]] = {"full": (23, 600), "quick": (23, 600), "tiny": (23, 600)}
SPEED_UP = 1.7


@dataclass(frozen=True)
class Parts:
    """Files of Parquet with text for labels."""

    folder: TemporaryDirectory[str]
    n_items: int
    n_votes: int


class Finished(NamedTuple):
    """What a process has to say."""

    seconds: float
    scores: Scores


@cache
def parts_of(n_items: int, n_votes: int) -> Parts:
    """The files, which stay until this process ends."""
    import pyarrow as pa
    from pyarrow import parquet

    parts = Parts(TemporaryDirectory(), n_items, n_votes)
    names, items = pa.array(["right", "tie", "left"]), pa.array([f"item-{code:07d}" for code in range(n_items)])
    for number, votes in enumerate(_blocks(n_items, n_votes)):
        columns = {"left": items.take(pa.array(votes.left)), "right": items.take(pa.array(votes.right))}
        table = pa.table({**columns, "outcome": names.take(pa.array(votes.outcome))})
        parquet.write_table(table, Path(parts.folder.name, f"part-{number:02d}.parquet"), row_group_size=2**20)
    return parts


def _blocks(n_items: int, n_votes: int) -> list[SeededVotes]:
    """The votes of every part. All have the same strengths, since these are drawn from the seed before all else."""
    whole = make_votes(n_items, n_votes)
    cuts = np.linspace(0, n_votes, N_PARTS + 1).astype(int)
    return [
        SeededVotes(n_items, whole.left[a:b], whole.right[a:b], whole.outcome[a:b]) for a, b in pairwise(cuts.tolist())
    ]


@cache
def _right_scores(n_items: int, n_votes: int) -> Scores:
    return reference.bradley_terry_by_gradients(make_votes(n_items, n_votes), PRIOR_SD)


def counted(size: Size) -> Group:
    """From text in Parquet to PairCounts here."""
    n_items, n_votes = COUNTED[size]
    cases = []
    for how, name in (("frame", "dd.read_parquet"), ("scan", "delayed scan_votes")):
        one = f"distributed.count_pairs({name}), one worker"
        cases.append(_case(size, COUNTED, one, how, 1))
        cases.append(_case(size, COUNTED, f"the same of {name}, two", how, 2, goal=Faster(SPEED_UP, than=one)))
    title = f"counting {n_votes:,} votes over {n_items} items in {N_PARTS} files of Parquet"
    return Group(title=title, cases=tuple(cases))


def fitted(size: Size) -> Group:
    """Counts that stay on the cluster, from Parquet to scores."""
    n_items, n_votes = FITTED[size]
    cases = tuple(
        _case(size, FITTED, name, how, n_workers)
        for how, n_workers, name in (
            ("fit", 1, "distributed.bradley_terry, one worker"),
            ("fit", 2, "distributed.bradley_terry, two workers"),
            ("here", 0, "bradley_terry(count_pairs(scan_votes)), no cluster"),
        )
    )
    title = f"from {N_PARTS} files of Parquet to scores: {n_votes:,} votes over {n_items:,} items, 10% ties"
    return Group(title=title, cases=cases, unit="log-odds")


def few(size: Size) -> Group:
    """What a cluster costs where none is needed."""
    cases = tuple(
        _case(size, FEW, name, how, n_workers)
        for how, n_workers, name in (
            ("here", 0, "bradley_terry(count_pairs(scan_votes)), no cluster"),
            ("gathered", 2, "bradley_terry(distributed.count_pairs), two workers"),
            ("fit", 2, "distributed.bradley_terry of counts that stay there"),
        )
    )
    n_items, n_votes = FEW[size]
    return Group(title=f"few votes: {n_votes} over {n_items} items in {N_PARTS} files", cases=cases, unit="log-odds")


def _case(
    size: Size, sizes: dict[Size, tuple[int, int]], name: str, how: str, n_workers: int, goal: Goal | None = None
) -> Case:
    n_items, n_votes = sizes[size]
    scored = how in ("fit", "here", "gathered")
    return Case(
        name=name,
        library="pairvote",
        fresh=lambda: partial(_run, how, n_workers, parts_of(n_items, n_votes)),
        n_votes=n_votes,
        scores=(lambda finished: finished.scores) if scored else None,
        reference=partial(_right_scores, n_items, n_votes) if scored else None,
        goal=goal,
        memory=False,
        own_cost=lambda finished: (finished.seconds, None),
    )


def _run(how: str, n_workers: int, parts: Parts) -> Finished:
    with TemporaryDirectory() as folder:
        path = Path(folder, "scores.npy")
        arguments = (how, str(n_workers), parts.folder.name, str(parts.n_items), str(path))
        done = memory.run_module("benchmarks.parts.cluster", *arguments)
        if done.returncode:
            raise RuntimeError(f"the process that was to {how} with {n_workers} workers failed:\n{done.stderr}")
        return Finished(json.loads(done.stdout.splitlines()[-1]), np.load(path))


# --- in a process of its own ---


@contextmanager
def workers(n_workers: int) -> Iterator[None]:
    """A cluster of so many single-threaded workers on this machine; none for 0."""
    if not n_workers:
        yield
        return
    from distributed import Client, LocalCluster

    options: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
    with warnings.catch_warnings():
        # Dask 2026.8 warns of pandas 3.1 in its own reader.
        warnings.simplefilter("ignore")
        with LocalCluster(n_workers=n_workers, host="127.0.0.1", **options) as local, Client(local):
            yield


@contextmanager
def few_votes() -> Iterator[Path]:
    """Small files, enough for every worker to load what it needs."""
    with TemporaryDirectory() as folder:
        for number in range(8):
            pv.write_votes(make_votes(23, 100, seed=number).held(), Path(folder, f"part-{number}.parquet"))
        yield Path(folder)


def scans_of(folder: Path) -> list[Any]:
    """A scan of each file, to be made by whichever worker has it to do."""
    import dask

    return [dask.delayed(pv.scan_votes)(path) for path in sorted(folder.glob("*.parquet"))]


def _work(how: str, folder: Path) -> object:
    if how == "here":
        return _rank(pv.count_pairs(pv.scan_votes(folder)))
    if how == "frame":
        import dask.dataframe as dd

        return pv.distributed.count_pairs(dd.read_parquet(folder))
    if how == "fit":
        counts = pv.distributed.count_pairs(scans_of(folder), most_pairs=0)
        return pv.distributed.bradley_terry(counts, ties="half", prior_sd=PRIOR_SD, uncertainty="none")
    counts = pv.distributed.count_pairs(scans_of(folder))
    return counts if how == "scan" else _rank(counts)


def _rank(counts: Any) -> pv.Ranking:
    return pv.bradley_terry(counts, ties="half", prior_sd=PRIOR_SD, uncertainty="none")


def _main(how: str, n_workers: int, folder: Path, n_items: int, path: Path) -> None:
    with workers(n_workers), few_votes() as few:
        _work(how, few)
        begun = time.perf_counter()
        done = _work(how, folder)
        seconds = time.perf_counter() - begun
        scores = np.zeros(n_items)
        if isinstance(done, pv.Ranking):
            of_item = done.to_dict()
            scores = np.array([of_item.get(f"item-{code:07d}", 0.0) for code in range(n_items)])
        np.save(path, scores)
        print(json.dumps(seconds))


GROUPS = (counted, fitted, few)

if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
