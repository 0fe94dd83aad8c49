"""A model of what a cluster costs, fitted to small runs and held against larger ones.

Votes are read from Parquet, counted where they lie and fitted there (a tie is half a win for each side), in a process
of its own for every size. The model is linear in votes, labels, items and pairs; what it was not fitted to it predicts.
docs/scale.md explains its terms.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks import memory
from benchmarks.cases import Case, Group, Size
from benchmarks.parts import cluster
from benchmarks.parts.cluster import N_PARTS, PRIOR_SD


class Run(NamedTuple):
    """How many items, votes and workers."""

    n_items: int
    n_votes: int
    n_workers: int

    @property
    def name(self) -> str:
        workers = "one worker" if self.n_workers == 1 else f"{self.n_workers} workers"
        return f"{self.n_votes:,} votes, {self.n_items:,} items, {workers}"

    @property
    def n_labels(self) -> float:
        """How many labels all parts have together: of n items, a part of v votes shows n (1 - (1 - 1/n)^2v)."""
        votes_a_part = self.n_votes / N_PARTS
        return N_PARTS * -self.n_items * float(np.expm1(2 * votes_a_part * np.log1p(-1 / self.n_items)))


class Finished(NamedTuple):
    """What a process has to say."""

    counting: float
    fitting: float
    n_steps: int
    n_pairs: int


# Small runs that the model is fitted to, and larger ones that it is to predict.
FITTED_TO: dict[Size, tuple[Run, ...]] = {
    "full": (
        Run(129, 200_000, 2),
        Run(129, 10_000_000, 1),
        Run(129, 10_000_000, 2),
        Run(129, 20_000_000, 2),
        Run(10_000, 1_000_000, 2),
        Run(100_000, 1_000_000, 1),
        Run(100_000, 1_000_000, 2),
        Run(100_000, 4_000_000, 1),
        Run(300_000, 3_000_000, 2),
        Run(1_000_000, 4_000_000, 2),
    ),
    "quick": tuple(
        Run(n_items, n_votes, n_workers)
        for n_items, n_votes in (
            (129, 20_000),
            (129, 1_000_000),
            (1_000, 100_000),
            (10_000, 100_000),
            (10_000, 400_000),
        )
        for n_workers in (1, 2)
    ),
    "tiny": tuple(Run(20 + number, 2_000, 1) for number in range(10)),
}
PREDICTED: dict[Size, tuple[Run, ...]] = {
    "full": (Run(129, 50_000_000, 2), Run(100_000, 10_000_000, 2), Run(1_000_000, 20_000_000, 2)),
    "quick": (Run(129, 5_000_000, 2), Run(10_000, 800_000, 2), Run(30_000, 600_000, 2)),
    "tiny": tuple(Run(60 + number, 8_000, 1) for number in range(3)),
}
Term = Callable[[Run, Finished], float]
# Of counting, in seconds; labels are read and numbered by all workers, and matched by neighbours in a tree.
COUNTING: dict[str, Term] = {
    "a part": lambda run, _: N_PARTS,
    "a vote, by all workers": lambda run, _: run.n_votes / run.n_workers,
    "a label of a part, by all workers": lambda run, _: run.n_labels / run.n_workers,
    "a pair, by all workers": lambda run, done: done.n_pairs / run.n_workers,
}
# Of each Newton step of a fit.
FITTING: dict[str, Term] = {
    "a step": lambda run, _: 1.0,
    "an item": lambda run, _: run.n_items,
    "a pair, by all workers": lambda run, done: done.n_pairs / run.n_workers,
}
_finished: dict[Run, list[Finished]] = {}


def runs(size: Size) -> Group:
    """All sizes, those to be predicted last."""
    cases = tuple(_case(run) for run in FITTED_TO[size] + PREDICTED[size])
    return Group(title=f"{N_PARTS} files of Parquet, counted and fitted where they lie", cases=cases)


def _case(run: Run) -> Case:
    return Case(
        name=run.name,
        library="pairvote",
        fresh=lambda: partial(_run, run, cluster.parts_of(run.n_items, run.n_votes)),
        n_votes=run.n_votes,
        memory=False,
        own_cost=lambda done: (done.counting + done.fitting, None),
    )


def _run(run: Run, parts: cluster.Parts) -> Finished:
    done = memory.run_module("benchmarks.parts.scale", str(run.n_workers), parts.folder.name)
    if done.returncode:
        raise RuntimeError(f"the process with {run.name} failed:\n{done.stderr}")
    finished = Finished(*json.loads(done.stdout.splitlines()[-1]))
    _finished.setdefault(run, []).append(finished)
    return finished


# --- the model ---


@dataclass(frozen=True)
class Linear:
    """Seconds as a sum of terms, each times its cost: at least 0, and fitted to seconds in proportion to their size."""

    terms: dict[str, Term]
    costs: NDArray[np.float64]

    @classmethod
    def fit(cls, terms: dict[str, Term], done: dict[Run, Finished], seconds: Callable[[Finished], float]) -> Linear:
        from scipy.optimize import nnls

        times = np.array([seconds(finished) for finished in done.values()])
        table = np.array([[term(*entry) for term in terms.values()] for entry in done.items()])
        return cls(terms, nnls(table / times[:, None], np.ones(len(times)))[0])

    def __call__(self, run: Run, finished: Finished) -> float:
        return float(self.costs @ [term(run, finished) for term in self.terms.values()])


def after(size: Size) -> None:
    """Print the costs, and what they predict beside what was measured."""
    done = {run: _median(found) for run, found in _finished.items()}
    known = {run: done[run] for run in FITTED_TO[size]}
    counting = Linear.fit(COUNTING, known, lambda finished: finished.counting)
    fitting = Linear.fit(FITTING, known, lambda finished: finished.fitting / finished.n_steps)
    for what, model in (("counting", counting), ("a Newton step", fitting)):
        print(f"{what}:")
        for name, cost in zip(model.terms, model.costs, strict=True):
            print(f"  {1e9 * cost:12.4g} ns {name}")
    print(f"{'':50}  {'counting':>21}  {'a Newton step':>21}")
    print(f"{'':50}  {'predicted   measured':>21}  {'predicted   measured':>21}   steps        pairs")
    for run in FITTED_TO[size] + PREDICTED[size]:
        found = done[run]
        figures = [counting(run, found), found.counting, fitting(run, found), found.fitting / found.n_steps]
        texts = "".join(f"{figure:9.3g} s" for figure in figures)
        print(f"{run.name:50}  {texts}  {found.n_steps:6}  {found.n_pairs:11,}")
    print()


def _median(found: list[Finished]) -> Finished:
    columns = np.median(np.array(found), axis=0)
    return Finished(float(columns[0]), float(columns[1]), int(columns[2]), int(columns[3]))


# --- in a process of its own ---


def _counted(folder: Path) -> Any:
    return pv.distributed.count_pairs(cluster.scans_of(folder), most_pairs=0)


def _fitted(counts: Any) -> pv.Ranking:
    return pv.distributed.bradley_terry(counts, ties="half", prior_sd=PRIOR_SD, uncertainty="none")


def _main(n_workers: int, folder: Path) -> None:
    with cluster.workers(n_workers), cluster.few_votes() as few:
        _fitted(_counted(few))
        begun = time.perf_counter()
        counts = _counted(folder)
        counted = time.perf_counter()
        ranking = _fitted(counts)
        seconds = counted - begun, time.perf_counter() - counted
        fit = ranking.fit
        print(json.dumps([*seconds, 0 if fit is None else fit.n_iter, counts.n_pairs]))


GROUPS = (runs,)

if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]))
