"""Pair counts that are kept current: those of all votes up to a moment, and what came since."""

from __future__ import annotations

import numpy as np

from pairvote.counts import PairCounts, count_votes
from pairvote.votes import Votes


class Tally:
    """The counts of votes that come one by one and may be taken back, equal to those of all that stand.

    Adding what came since to the counts costs as much as there are pairs, however many votes they stand for.
    """

    def __init__(self) -> None:
        self._counts: PairCounts | None = None
        self._since: list[tuple[int, int, int, int]] = []

    def add(self, left: int, right: int, outcome: int, times: int) -> None:
        """A vote was cast, or with -1 `times` taken back."""
        self._since.append((left, right, outcome, times))

    def counts(self, items: tuple[str | int, ...]) -> PairCounts:
        """The counts of all votes among these items, of which the last may be new."""
        if self._counts is None or self._since or self._counts.n_items < len(items):
            left, right, outcome, times = np.array(self._since, np.int32).reshape(-1, 4).T
            since = count_votes(
                Votes(
                    items=items,
                    left=left.copy(),
                    right=right.copy(),
                    outcome=outcome.astype(np.uint8),
                    weight=times.astype(np.float64),
                )
            )
            whole = since if self._counts is None else self._counts + since
            self._counts = _without_empty(whole) if (times < 0).any() else whole
            self._since.clear()
        return self._counts


def _without_empty(counts: PairCounts) -> PairCounts:
    """The same counts without pairs of which every vote was taken back."""
    kept = counts.table.any(axis=1)
    return PairCounts(
        items=counts.items,
        start=np.concatenate([[0], np.cumsum(kept)])[counts.start],
        right=counts.right[kept],
        table=counts.table[kept],
        skipped=counts.skipped,
    )
