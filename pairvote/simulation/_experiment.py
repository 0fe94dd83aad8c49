"""Simulations over a grid of settings: `experiment`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._common.options import check_jobs
from pairvote._common.parallel import each_answer
from pairvote.errors import InputError
from pairvote.sampling._stream import Sampler
from pairvote.simulation._asking import BLOCK, Workshop, draw
from pairvote.simulation._records import Records, part_of
from pairvote.simulation._simulate import (
    KALMAR,
    Methods,
    block_sizes,
    block_sums,
    check_evaluation,
    methods_named,
    scorer_of,
    workshop_of,
)
from pairvote.simulation._table import Row, Table
from pairvote.simulation._voters import VoterModel

Floats = NDArray[np.float64]
# Blocks that are worked on together and kept as one line: a fraction of a second of the Kalmar workshop.
BLOCKS = 4
Whole = int | Sequence[int]


def experiment(
    *,
    samplers: Sampler | str | Sequence[Sampler | str] = ("uniform", "balanced"),
    methods: Methods = KALMAR,
    n_items: Whole = 23,
    n_voters: Whole = 30,
    votes_each: Whole = 20,
    voters: VoterModel | Sequence[VoterModel] | None = None,
    strength_sd: float | Sequence[float] = 1.0,
    strengths: ArrayLike | Callable[[np.random.Generator, tuple[int, int]], Floats] | None = None,
    n_open: Whole = 0,
    top_k: Whole = 5,
    level: float = 0.95,
    repetitions: int = 1000,
    rng: int | np.random.Generator | None = None,
    n_jobs: int = 1,
    progress: bool = False,
    store: str | os.PathLike[str] | None = None,
) -> Table:
    """Simulate every combination of some settings, and evaluate every method on each.

    All combinations have the same random streams: of equal n_items they meet the same strengths, and of equal size the
    same answers too, so that differences between them are paired (`Table.difference`).

    Parameters
    ----------
    samplers, n_items, n_voters, votes_each, voters, strength_sd, n_open, top_k
        As in `simulate` and `Simulation.evaluate`, one of each or a sequence.
    methods, level
        As in `Simulation.evaluate`.
    strengths
        As in `simulate`.
    repetitions : int
        Of each combination.
    rng : None, int or numpy.random.Generator, keyword-only
    n_jobs : int
        How many processes, -1 for all cores; the answer is the same for any. Inside joblib's `parallel_config` the work
        goes to the backend that it names, such as a cluster of Dask or Ray.
    progress : bool
        Show a bar.
    store : path, optional
        A file of JSON Lines to keep every 100 repetitions in as soon as they are done. What is there already is not
        done again, so an experiment that was interrupted goes on, and a larger one begins where a smaller one ended.
        It needs an `rng` that is a seed.

    Returns
    -------
    Table
        A row for each combination and method.

    Raises
    ------
    InputError
        For a value out of range, and for what a store cannot know again.
    StorageError
        Where the store is no such file, or cannot be read or written.

    Examples
    --------
    >>> import pairvote as pv
    >>> table = pv.experiment(methods="tally", votes_each=[10, 20], repetitions=50, rng=1)
    >>> [f"{mean:.2f}" for mean in table.to_columns()["overlap"]]
    ['0.61', '0.72', '0.74', '0.80']
    >>> settings = [{"sampler": name, "votes_each": 20} for name in ("Balanced()", "Uniform()")]
    >>> gain = table.difference("overlap", *settings)
    >>> gain.estimate > 2 * gain.standard_error
    True
    """
    if store is not None and rng is None:
        raise InputError("store is given and rng is None, so nothing could be gone on with; pass a seed, such as rng=1")
    number = np.random.default_rng(rng)
    check_jobs(n_jobs, progress)
    named = methods_named(methods)
    seed = int(number.integers(2**63))
    axes: dict[str, list[Any]] = {
        "sampler": _listed(samplers, "samplers"),
        "voters": _listed(VoterModel() if voters is None else voters, "voters"),
        **{
            name: _listed(values, name)
            for name, values in (
                ("strength_sd", strength_sd),
                ("n_items", n_items),
                ("n_voters", n_voters),
                ("votes_each", votes_each),
                ("n_open", n_open),
                ("top_k", top_k),
            )
        },
    }
    cells = []
    for values in product(*axes.values()):
        setting = dict(zip(axes, values, strict=True))
        k = setting.pop("top_k")
        workshop = workshop_of(**setting, strengths=strengths, seed=seed)
        if not is_whole(repetitions):
            raise InputError(f"repetitions is {shorten(repetitions)}; pass a whole number from 2")
        check_evaluation(workshop, repetitions, k, level)
        cells.append(_Cell(workshop, named, int(k), float(level), int(repetitions)))
    found = _run(cells, n_jobs=n_jobs, progress=progress, records=None if store is None else Records(store))
    return Table(rows=tuple(row for cell, sums in zip(cells, found, strict=True) for row in cell.rows(sums)))


@dataclass(frozen=True, eq=False)
class _Cell:
    """One combination of settings."""

    workshop: Workshop
    methods: dict[str, dict[str, Any]]
    top_k: int
    level: float
    repetitions: int

    def parts(self) -> list[_Part]:
        """The blocks, some at a time."""
        n_blocks = -(-self.repetitions // BLOCK)
        return [_Part(self, first, min(first + BLOCKS, n_blocks)) for first in range(0, n_blocks, BLOCKS)]

    def rows(self, sums: Floats) -> Iterable[Row]:
        """A row a method: `sums` has the shape (n_blocks, n_methods, 2, n_metrics)."""
        workshop, sizes = self.workshop, block_sizes(self.repetitions)
        setting = {
            "sampler": repr(workshop.sampler),
            "voters": repr(workshop.voters),
            **{
                name: getattr(workshop, name) for name in ("n_items", "n_voters", "votes_each", "strength_sd", "n_open")
            },
            "top_k": self.top_k,
        }
        for place, label in enumerate(self.methods):
            yield Row(
                setting={**setting, "method": label},
                sizes=sizes,
                sums=sums[:, place, 0],
                squares=sums[:, place, 1],
            )


@dataclass(frozen=True, eq=False)
class _Part:
    """Blocks `first` to before `last` of a combination."""

    cell: _Cell
    first: int
    last: int

    @property
    def repetitions(self) -> int:
        return min(self.last * BLOCK, self.cell.repetitions) - self.first * BLOCK

    def described(self) -> dict[str, Any]:
        cell = self.cell
        return part_of(cell.workshop, cell.methods, cell.top_k, cell.level, self.first, self.repetitions)


def _work(part: _Part) -> Floats:
    """The sums of a part's metrics: float64, shape (n_blocks, n_methods, 2, n_metrics)."""
    cell = part.cell
    sizes = block_sizes(part.repetitions).tolist()
    found = []
    for number, size in enumerate(sizes, start=part.first):
        block = draw(cell.workshop, number, size)
        if number == part.first:
            scorers = [scorer_of(cell.workshop, options, block) for options in cell.methods.values()]
        found.append(block_sums(block, scorers, cell.top_k, cell.level))
    return np.array(found)


def _run(cells: Sequence[_Cell], *, n_jobs: int, progress: bool, records: Records | None) -> list[Floats]:
    """The sums of every cell."""
    parts = [part for cell in cells for part in cell.parts()]
    kept = [None if records is None else records.get(part.described()) for part in parts]
    lacking = [part for part, sums in zip(parts, kept, strict=True) if sums is None]
    answers = each_answer(_work, lacking, n_jobs=n_jobs, progress=progress)
    found: dict[int, list[Floats]] = {id(cell): [] for cell in cells}
    for part, known in zip(parts, kept, strict=True):
        sums = known
        if sums is None:
            sums = next(answers)
            if records is not None:
                records.add(part.described(), sums)
        found[id(part.cell)].append(sums)
    # To its end, so that the bar is closed.
    list(answers)
    return [np.concatenate(found[id(cell)]) for cell in cells]


def _listed(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, Sampler, VoterModel)) or not isinstance(values, (Iterable, np.ndarray)):
        return [values]
    listed = list(values)
    if not listed:
        raise InputError(f"{name} is empty; pass one or more")
    return listed
