"""How far the scores of simulated votes are from the strengths they were drawn by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import batch
from pairvote.simulation._asking import Block
from pairvote.simulation._batch import Scored
from pairvote.simulation._table import METRICS

Floats = NDArray[np.float64]
RMSE, COVERAGE, EXPOSURE_RANGE = METRICS.index("rmse"), METRICS.index("coverage"), METRICS.index("exposure_range")


def exposure_range(block: Block) -> Floats:
    """How often the item shown most often was shown, less the one shown least often: float64, shape (n,)."""
    n, n_items = block.strengths.shape
    totals = np.zeros((n, n_items, 4))
    batch.count_votes(block.left, block.right, block.outcome, totals, np.empty((n, 0, 3)))
    return np.ptp(totals.sum(axis=2), axis=1)


def sums(block: Block, scored: Scored, exposures: Floats, top_k: int) -> tuple[Floats, Floats]:
    """The sums of the metrics of some repetitions, and of their squares, in the order of `METRICS`; nan for none."""
    n, n_items = block.strengths.shape
    found = np.full((n, len(METRICS)), np.nan)
    compared = np.empty((n, 5))
    strengths = np.ascontiguousarray(block.strengths)
    batch.compare(strengths, scored.scores, top_k, scored.within, np.empty((4, n_items), np.int32), compared)
    found[:, :5], found[:, EXPOSURE_RANGE] = compared, exposures
    if scored.log_odds_per_unit is not None:
        origin = scored.scores.mean(axis=1, keepdims=True)
        true = strengths - strengths.mean(axis=1, keepdims=True)
        off = scored.log_odds_per_unit * (scored.scores - origin) - true
        found[:, RMSE] = np.sqrt(np.square(off).mean(axis=1))
        if scored.ends is not None:
            low, high = scored.log_odds_per_unit * (scored.ends - origin)
            found[:, COVERAGE] = ((low <= true) & (true <= high)).mean(axis=1)
    return found.sum(axis=0), np.square(found).sum(axis=0)
