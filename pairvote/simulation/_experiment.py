"""Simulations over a grid of settings: `experiment`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.options import check_jobs
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError
from pairvote.sampling._stream import Sampler
from pairvote.simulation._asking import workshop_of
from pairvote.simulation._evaluation import KALMAR, Cell, Methods, evaluate_cells, methods_named
from pairvote.simulation._table import Table
from pairvote.simulation._voters import VoterModel

Floats = NDArray[np.float64]
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
    rng: Rng = None,
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
    >>> settings = [{"sampler": name, "votes_each": 20} for name in ("balanced", "uniform")]
    >>> gain = table.difference("overlap", *settings)
    >>> gain.estimate > 2 * gain.standard_error
    True
    """
    if store is not None and rng is None:
        raise InputError("store is given and rng is None, so nothing could be gone on with; pass a seed, such as rng=1")
    number = generator(rng)
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
        cells.append(Cell(workshop, named, k, level, repetitions))
    return evaluate_cells(cells, n_jobs=n_jobs, progress=progress, store=store)


def _listed(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, Sampler, VoterModel)) or not isinstance(values, (Iterable, np.ndarray)):
        return [values]
    listed = list(values)
    if not listed:
        raise InputError(f"{name} is empty; pass one or more")
    return listed
