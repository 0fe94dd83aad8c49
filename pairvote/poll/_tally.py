"""Pair counts that are kept current: those of all votes up to a moment, and what came since."""

from __future__ import annotations

import numpy as np

from pairvote.poll._book import Book
from pairvote.poll._criteria import Criteria
from pairvote.votes._counts import PairCounts, count_rows

Items = tuple[str | int, ...]
# Beyond, all votes are counted anew, in a millisecond for each 30,000.
MOST_CHANGES = 20_000


class Tally:
    """The counts of votes that come one by one and may be taken back, equal to those of all that stand.

    Nothing is kept before they are asked for. From then on, adding what came since costs as much as there are pairs.
    """

    def __init__(self, criteria: Criteria) -> None:
        self._criteria = criteria
        self._counts: list[PairCounts] = []
        # Left, right, answer, and whether it was cast or taken back.
        self._changes: list[tuple[int, int, int, bool]] = []

    def note(self, left: int, right: int, answer: int, cast: bool) -> None:
        """An answer was cast, or taken back."""
        if self._counts:
            self._changes.append((left, right, answer, cast))
            if len(self._changes) > MOST_CHANGES:
                self._counts.clear()
                self._changes.clear()

    def rename(self, items: Items) -> None:
        """The items have other labels, in the same order."""
        self._counts = [counts._changed(items=items[: counts.n_items]) for counts in self._counts]

    def counts(self, book: Book, items: Items) -> list[PairCounts]:
        """The counts of all votes among these items, of which the last may be new, by each criterion."""
        if not self._counts:
            rows = np.flatnonzero(book.column("answered"))
            table = np.stack([book.column(name)[rows] for name in ("left", "right", "answer")])
            self._counts = self._counted(table, items)
        elif self._changes or self._counts[0].n_items < len(items):
            changes = np.array(self._changes, np.int32).reshape(-1, 4).T.copy()
            cast = changes[3].astype(bool)
            self._counts = [
                c + new for c, new in zip(self._counts, self._counted(changes[:3, cast], items), strict=True)
            ]
            if not cast.all():
                taken_back = self._counted(changes[:3, ~cast], items)
                self._counts = [_difference(c, less) for c, less in zip(self._counts, taken_back, strict=True)]
        self._changes.clear()
        return self._counts

    def _counted(self, table: np.ndarray, items: Items) -> list[PairCounts]:
        left, right, answer = np.ascontiguousarray(table)
        return [
            count_rows(items, left, right, self._criteria.of(answer, place)) for place in range(self._criteria.n_each)
        ]


def _difference(counts: PairCounts, less: PairCounts) -> PairCounts:
    """Counts less others, without the pairs of which nothing is left."""
    whole = counts + less._changed(table=-less.table, skipped=-less.skipped)
    kept = whole.table.any(axis=1)
    return PairCounts._unchecked(
        items=whole.items,
        start=np.concatenate([[0], np.cumsum(kept)])[whole.start],
        right=whole.right[kept],
        table=whole.table[kept],
        skipped=whole.skipped,
    )
