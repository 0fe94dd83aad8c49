"""Simulated votes scored and compared with the truth, block by block: `evaluate` and `experiment`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._common.parallel import each_answer
from pairvote.errors import InputError
from pairvote.ranking._results import normal_quantile
from pairvote.simulation import _metrics
from pairvote.simulation._asking import BLOCK, Block, Workshop, draw
from pairvote.simulation._batch import Scorer
from pairvote.simulation._records import Records, part_of
from pairvote.simulation._table import Row, Table

Floats = NDArray[np.float64]
Methods = str | Sequence[str] | Mapping[str, Mapping[str, Any]]
KALMAR = ("tally", "elo", "bradley-terry")
# Blocks that are worked on together and kept as one line: a fraction of a second of the Kalmar workshop.
BLOCKS = 4
# What a row of a table says of its workshop, in this order.
SETTINGS = ("sampler", "voters", "n_items", "n_voters", "votes_each", "strength_sd", "n_open")


@dataclass(frozen=True, eq=False)
class Cell:
    """One combination of settings to evaluate.

    in_grid: whether the rows of a table say what it is. held: its blocks, where they are drawn already.
    """

    workshop: Workshop
    methods: dict[str, dict[str, Any]]
    top_k: int
    level: float
    repetitions: int
    in_grid: bool = True
    held: Sequence[Block] = ()

    def __post_init__(self) -> None:
        if not is_whole(self.top_k) or not 1 <= self.top_k <= self.workshop.n_items:
            raise InputError(
                f"top_k is {shorten(self.top_k)}; pass a whole number from 1 to {self.workshop.n_items}, the items"
            )
        if not is_whole(self.repetitions):
            raise InputError(f"repetitions is {shorten(self.repetitions)}; pass a whole number from 2")
        if self.repetitions < 2:
            raise InputError(f"repetitions is {self.repetitions}; standard errors take two or more")
        normal_quantile(self.level)
        object.__setattr__(self, "top_k", int(self.top_k))
        object.__setattr__(self, "repetitions", int(self.repetitions))
        object.__setattr__(self, "level", float(self.level))

    def parts(self, together: int) -> list[Part]:
        """The blocks, so many together."""
        n_blocks = -(-self.repetitions // BLOCK)
        # A part has its own blocks only, since it may go to another process.
        alone = replace(self, held=())
        return [
            Part(alone, first, min(first + together, n_blocks), self.held[first : first + together])
            for first in range(0, n_blocks, together)
        ]

    def rows(self, sums: Floats) -> Iterable[Row]:
        """A row a method: `sums` has the shape (n_blocks, n_methods, 2, n_metrics)."""
        workshop, sizes = self.workshop, block_sizes(self.repetitions)
        setting = {name: getattr(workshop, name) for name in SETTINGS} if self.in_grid else {}
        if self.in_grid:
            setting["top_k"] = self.top_k
        for place, label in enumerate(self.methods):
            yield Row(
                setting={**setting, "method": label},
                sizes=sizes,
                sums=sums[:, place, 0],
                squares=sums[:, place, 1],
            )


@dataclass(frozen=True, eq=False)
class Part:
    """Blocks `first` to before `last` of a combination; `held` has them, where they are drawn already."""

    cell: Cell
    first: int
    last: int
    held: Sequence[Block] = ()

    @property
    def repetitions(self) -> int:
        return min(self.last * BLOCK, self.cell.repetitions) - self.first * BLOCK

    def described(self) -> dict[str, Any]:
        cell = self.cell
        return part_of(cell.workshop, cell.methods, cell.top_k, cell.level, self.first, self.repetitions)


def _work(part: Part) -> Floats:
    """The sums of a part's metrics: float64, shape (n_blocks, n_methods, 2, n_metrics)."""
    cell = part.cell
    sizes = block_sizes(part.repetitions).tolist()
    found = []
    for place, size in enumerate(sizes):
        block = part.held[place] if part.held else draw(cell.workshop, part.first + place, size)
        if cell not in _SCORERS:
            _SCORERS[cell] = [scorer_of(cell.workshop, options, block, cell.level) for options in cell.methods.values()]
        found.append(block_sums(block, _SCORERS[cell], cell.top_k))
    return np.array(found)


# The scorers of the cells that are worked on in this process, which check their options on the first votes they meet.
_SCORERS: WeakKeyDictionary[Cell, list[Scorer]] = WeakKeyDictionary()


def evaluate_cells(
    cells: Sequence[Cell],
    *,
    n_jobs: int,
    progress: bool,
    store: str | os.PathLike[str] | None = None,
    together: int = BLOCKS,
) -> Table:
    """The table of all cells: a row for each and each method. `together`: how many blocks are worked on at a time."""
    records = None if store is None else Records(store)
    parts_of = [cell.parts(together) for cell in cells]
    parts = [part for each in parts_of for part in each]
    kept = [None if records is None else records.get(part.described()) for part in parts]
    lacking = [part for part, sums in zip(parts, kept, strict=True) if sums is None]
    answers = each_answer(_work, lacking, n_jobs=n_jobs, progress=progress)
    found: list[Floats] = []
    for part, known in zip(parts, kept, strict=True):
        sums = known
        if sums is None:
            sums = next(answers)
            if records is not None:
                records.add(part.described(), sums)
        found.append(sums)
    # To its end, so that the bar is closed.
    list(answers)
    rest = iter(found)
    sums_of = [np.concatenate(list(islice(rest, len(each)))) for each in parts_of]
    return Table(rows=tuple(row for cell, sums in zip(cells, sums_of, strict=True) for row in cell.rows(sums)))


# --- methods ---


def methods_named(methods: Methods) -> dict[str, dict[str, Any]]:
    """The options of each method by its label, its name among them."""
    if isinstance(methods, str):
        methods = (methods,)
    if not isinstance(methods, Mapping):
        if not isinstance(methods, Sequence) or not all(isinstance(name, str) for name in methods):
            raise InputError(f"methods is {shorten(methods)}; pass names, or a mapping of labels to options")
        methods = {name: {"method": name} for name in methods}
    for label, options in methods.items():
        if not isinstance(options, Mapping) or "method" not in options:
            raise InputError(
                f"methods[{label!r}] is {shorten(options)}; pass a mapping such as "
                '{"method": "bradley-terry", "prior_sd": 1.0}'
            )
    if not methods:
        raise InputError("methods is empty; name one or more, such as 'bradley-terry'")
    return {label: dict(options) for label, options in methods.items()}


def scorer_of(workshop: Workshop, options: Mapping[str, Any], first: Block, level: float = 0.95) -> Scorer:
    """The scorer of these options, its name among them, with intervals at `level`."""
    rest = {name: value for name, value in options.items() if name != "method"}
    return Scorer(workshop, options["method"], rest, first, level=level)


def block_sums(block: Block, scorers: Sequence[Scorer], top_k: int) -> list[tuple[Floats, Floats]]:
    """The sums of each scorer's metrics over a block, and of their squares."""
    exposures = _metrics.exposure_range(block)
    return [_metrics.sums(block, scorer(block), exposures, top_k) for scorer in scorers]


def block_sizes(repetitions: int) -> NDArray[np.int64]:
    """How many repetitions each block has."""
    return np.minimum(BLOCK, repetitions - np.arange(0, repetitions, BLOCK))
