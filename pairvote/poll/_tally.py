"""Pair counts that are kept current: those of all votes up to a moment, and what came since."""

from __future__ import annotations

import numpy as np

from pairvote.votes._counts import PairCounts, count_rows


class Tally:
    """The counts of votes that come one by one and may be taken back, equal to those of all that stand.

    Adding what came since to the counts costs as much as there are pairs, however many votes they stand for.
    """

    def __init__(self) -> None:
        self._counts: PairCounts | None = None
        self._cast: list[tuple[int, int, int]] = []
        self._taken_back: list[tuple[int, int, int]] = []

    def cast(self, left: int, right: int, outcome: int) -> None:
        """A vote was cast."""
        self._cast.append((left, right, outcome))

    def take_back(self, left: int, right: int, outcome: int) -> None:
        """A vote was taken back."""
        self._taken_back.append((left, right, outcome))

    def rename(self, items: tuple[str | int, ...]) -> None:
        """The items have other labels, in the same order."""
        if self._counts is not None:
            self._counts = self._counts._changed(items=items[: self._counts.n_items])

    def counts(self, items: tuple[str | int, ...]) -> PairCounts:
        """The counts of all votes among these items, of which the last may be new."""
        counts = self._counts
        if counts is None or self._cast or counts.n_items < len(items):
            cast = _count(self._cast, items)
            counts = cast if counts is None else counts + cast
        if self._taken_back:
            counts = _difference(counts, _count(self._taken_back, items))
        self._counts = counts
        self._cast.clear()
        self._taken_back.clear()
        return counts


def _count(rows: list[tuple[int, int, int]], items: tuple[str | int, ...]) -> PairCounts:
    left, right, outcome = np.array(rows, np.int32).reshape(-1, 3).T.copy()
    return count_rows(items, left, right, outcome.astype(np.uint8))


def _difference(counts: PairCounts, less: PairCounts) -> PairCounts:
    """What is left of counts, without pairs of which nothing is."""
    whole = counts + less._changed(table=-less.table, skipped=-less.skipped)
    kept = whole.table.any(axis=1)
    return PairCounts._unchecked(
        items=whole.items,
        start=np.concatenate([[0], np.cumsum(kept)])[whole.start],
        right=whole.right[kept],
        table=whole.table[kept],
        skipped=whole.skipped,
    )
