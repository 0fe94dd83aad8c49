"""What others simulated, with our strategies on the same axes: Hybrid-MST, ASAP, and coin flips under Swiss pairing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import published
from benchmarks.cases import Group, Size

# Tables of accuracy, none of times.
GROUPS: tuple[Callable[[Size], Group], ...] = ()
RUNS: dict[Size, int] = {"full": 20, "quick": 3, "tiny": 2}


def after(size: Size, _options: Any = None) -> None:
    """Print the tables, a line at a time."""
    n_runs = RUNS[size]
    for study in (published.HYBRID_MST, published.ASAP):
        trials = None if size == "full" else study.trials[:1] if size == "tiny" else study.trials[:3]
        for line in published.lines(study, n_runs, trials):
            print(line, flush=True)
    for line in published.coin_flips(n_runs):
        print(line, flush=True)
