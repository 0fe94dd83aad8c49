"""Circular triads: a beats b, b beats c, and c beats a."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._consensus import Consensus
from pairvote.diagnostics._page import Block, Part, chance
from pairvote.votes._counts import PairCounts

DENSE_ITEMS = 400
UNLIKELY = 0.01


@dataclass(frozen=True, eq=False, kw_only=True)
class Triads(Part):
    """How often three items beat each other in a circle, by the majority of the votes on each pair.

    Attributes
    ----------
    circular : int
        Circular triads.
    complete : int
        Triads of which each pair has a majority; the others cannot be circular.
    consistence : float
        Kendall and Babington Smith's zeta, from 0 (as circular as can be) to 1 (a ranking), where every pair of all
        items has a majority; else nan.
    expected : float
        The mean number of circular triads in votes simulated from the fitted model, on the same questions.
    p : float
        The chance of so many there: small where the items differ in more than one way, so that no single ranking
        does justice to the votes.

    References
    ----------
    Kendall and Babington Smith (1940), "On the method of paired comparisons", Biometrika 31: circular triads and zeta.

    Examples
    --------
    >>> import pairvote as pv
    >>> triads = pv.diagnostics.check(pv.datasets.baseball(), rng=1).triads
    >>> triads.circular, triads.complete
    (2, 35)
    """

    title = "Circular triads"

    circular: int
    complete: int
    consistence: float
    expected: float
    p: float

    def _blocks(self) -> Iterator[Block]:
        yield (
            f"{self.circular:,} of {self.complete:,} complete triads are circular; {self.expected:,.1f} expected of a "
            f"single ranking ({chance(self.p)})"
        )
        if not math.isnan(self.consistence):
            yield f"coefficient of consistence {self.consistence:.3f}"

    def _concerns(self) -> Iterator[str]:
        if self.p < UNLIKELY:
            yield (
                f"{self.circular:,} circular triads where {self.expected:,.0f} are expected ({chance(self.p)}): the "
                "voters judge by more than one thing, and no single ranking does them justice"
            )


def count_triads(counts: PairCounts, *, dense_items: int = DENSE_ITEMS) -> tuple[int, int]:
    """Circular triads and complete ones: trace(B^3) / 3 and trace(M^3) / 6, B who beat whom, M either way.

    The matrices of more than `dense_items` items are sparse.
    """
    margin = counts.table[:, Outcome.LEFT] - counts.table[:, Outcome.RIGHT]
    beats: Any
    if counts.n_items <= dense_items:
        lead = np.zeros((counts.n_items, counts.n_items))
        lead[counts.left, counts.right] = margin
        lead -= lead.T
        beats = (lead > 0).astype(np.float32)
        met = beats + beats.T
        return round(float(_closed(beats @ beats, beats)) / 3), round(float(_closed(met @ met, met)) / 6)
    from scipy.sparse import csr_array

    shape = (counts.n_items, counts.n_items)
    lead = csr_array((margin, counts.right, counts.start), shape=shape)
    beats = ((lead - lead.T) > 0).astype(np.float64)
    met = beats + beats.T
    circular, complete = (round(closed_paths(m).sum() / n) for m, n in ((beats, 3), (met, 6)))
    return circular, complete


def closed_paths(steps: Any) -> NDArray[np.float64]:
    """Paths of three steps from each node back to it, the diagonal of M^3 of a sparse matrix: shape (n_nodes,)."""
    return np.asarray((steps @ steps).multiply(steps.T).sum(axis=1), np.float64).ravel()


def _closed(paths: NDArray[np.float32], steps: NDArray[np.float32]) -> float:
    """Paths of two steps that a third one closes."""
    return float(np.einsum("ij,ji->", paths, steps, dtype=np.float64))


def most_circular(n_items: int) -> float:
    """The largest number of circular triads among so many items."""
    return (n_items**3 - n_items * (1 if n_items % 2 else 4)) / 24


def triads_of(consensus: Consensus, simulated: NDArray[np.float64]) -> Triads:
    """The triads, held against the numbers of circular ones in simulated votes."""
    circular, complete = count_triads(consensus.counts)
    n = consensus.n_items
    whole = n >= 3 and complete == math.comb(n, 3)
    return Triads(
        circular=circular,
        complete=complete,
        consistence=1.0 - circular / most_circular(n) if whole else math.nan,
        expected=float(simulated.mean()),
        p=float((1 + (simulated >= circular).sum()) / (1 + len(simulated))),
    )
