"""Votes that come chunk by chunk, added up in memory that depends on items and pairs only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from pairvote._common.checks import check_total
from pairvote._common.labels import merge_labels
from pairvote._common.options import check_flag
from pairvote._common.parallel import with_bar
from pairvote.votes._cells import Cells
from pairvote.votes._chunks import CodedSource, CodedVotes, Criterion, each_chunk
from pairvote.votes._counts import NO_WEIGHTS, PairCounts, count_rows, no_votes
from pairvote.votes._given import as_counts
from pairvote.votes._votes import Votes

# So many entries of a dictionary can be told apart by a byte.
MOST_OUTCOMES = 256


@dataclass(frozen=True)
class RunningLimits:
    """What is kept while votes come.

    Attributes
    ----------
    most_items : int
        For more items a cell for every pair, 32 MiB here, is too large for the caches.
    gathered, gathered_an_item : int
        Votes over more items are gathered until they are at least so many, and so many for each item: the fewer counts
        there are to add up, the better, and a gathered vote takes less memory than a pair.
    """

    most_items: int = 1024
    gathered: int = 2**20
    gathered_an_item: int = 8


LIMITS = RunningLimits()


def count_pairs(
    votes: Votes | PairCounts | Iterable[Votes], *, criterion: Hashable | None = None, progress: bool = False
) -> PairCounts:
    """Votes added up by ordered pair, chunk by chunk.

    The chunks may share one numbering of their items, as those of `pairvote.scan_votes` do, or each have its own:
    labels are matched, new ones come after the old. Memory depends on items and pairs, and not on how many votes
    there are.

    Parameters
    ----------
    votes : Votes, PairCounts, or iterable of Votes
    criterion : label, optional
        Which criterion to count, where the votes answer several.
    progress : bool
        Show a bar that counts the chunks. How many there will be is not known; `scan_votes` has a bar that knows.

    Raises
    ------
    InputError
        For a chunk that is no Votes, for votes on several criteria without choosing one, and for weights that add up
        to more than 1e306.

    Examples
    --------
    >>> import pairvote as pv
    >>> monday, tuesday = pv.Votes.from_wins(["ash"], ["birch"]), pv.Votes.from_wins(["ash", "oak"], ["birch", "ash"])
    >>> counts = pv.count_pairs([monday, tuesday])
    >>> counts, counts.items
    (PairCounts(3 votes, 3 items, 2 pairs), ('ash', 'birch', 'oak'))
    >>> pv.bradley_terry(counts).order()
    ['oak', 'ash', 'birch']
    """
    check_flag("progress", progress)
    if isinstance(votes, (Votes, PairCounts)):
        return as_counts(votes, criterion=criterion)
    chosen = Criterion(criterion)
    counts = count_chosen(votes, chosen, progress=bool(progress))
    chosen.check()
    return counts


def count_chosen(
    votes: Iterable[Votes] | CodedSource,
    chosen: Criterion,
    *,
    progress: bool = False,
    limits: RunningLimits = LIMITS,
) -> PairCounts:
    """The counts of the chunks' votes on a criterion, which learns of those that there are."""
    running = RunningCounts(limits)
    if isinstance(votes, CodedSource):
        with closing(votes.coded(voters=False)) as chunks_coded:
            for coded in with_bar(chunks_coded, progress, unit="chunk"):
                if coded.criterion is None and chosen.wanted is None:
                    chosen.see([None])
                    running.add_coded(coded)
                else:
                    running.add(chosen.of(coded.votes()))
    else:
        chunks = each_chunk(votes, "pass Votes, or chunks of them, such as scan_votes gives")
        for chunk in with_bar(chunks, progress, unit="chunk"):
            running.add(chosen.of(chunk))
    return running.counts()


class RunningCounts:
    """Votes added up as they come.

    Over few items they are added up in a cell for every pair. Over more they are gathered, sorted and counted; these
    counts are added up like the digits of a binary number, so that every pair is moved a logarithmic number of times.
    """

    def __init__(self, limits: RunningLimits = LIMITS) -> None:
        self._limits = limits
        self._items: tuple[Hashable, ...] = ()
        self._cells: Cells | None = Cells(0)
        self._gathered: list[Votes] = []
        self._counted: list[PairCounts] = []

    def add(self, votes: Votes) -> None:
        """Take in a chunk; its labels are matched, new ones come after the old."""
        votes = votes._in_halves()
        self._items, codes = merge_labels(self._items, votes.items)
        same = self._items[: votes.n_items] == votes.items
        left, right = (votes.left, votes.right) if same else (codes[votes.left], codes[votes.right])
        weight = NO_WEIGHTS if votes.weight is None else votes.weight
        cells = self._with_room()
        if cells is not None:
            cells.count(left, right, votes.outcome, weight)
        elif len(votes):
            self._gather(votes._changed(left=left, right=right))

    def add_coded(self, chunk: CodedVotes) -> None:
        """Take in a chunk of a source of which all chunks come here."""
        if chunk.weight is not None or chunk.share is not None:
            self.add(chunk.votes())
            return
        self._items = chunk.items
        cells = self._with_room()
        if cells is None:
            self._gather(chunk.votes())
            return
        outcome, numbers = chunk.outcome
        if len(numbers) > MOST_OUTCOMES:
            outcome, numbers = chunk.outcome.spread(), np.arange(4, dtype=np.int32)
        columns = (chunk.left.codes, chunk.right.codes, outcome.astype(np.uint8))
        cells.count_coded(columns, (chunk.left.labels, chunk.right.labels, numbers))
        if cells.meets_itself():
            # Says which row it is.
            chunk.votes()

    def _with_room(self) -> Cells | None:
        """Cells for all items; None where these are too many."""
        if self._cells is None or len(self._items) <= self._cells.n_items:
            return self._cells
        if len(self._items) > self._limits.most_items:
            self._count(self._of_cells(self._cells))
            self._cells = None
        else:
            n_items = max(len(self._items), 2 * self._cells.n_items)
            self._cells = self._cells.resized(min(n_items, self._limits.most_items))
        return self._cells

    def _of_cells(self, cells: Cells) -> PairCounts:
        n_items = min(len(self._items), cells.n_items)
        start, right, table, skipped = cells.resized(n_items).gather(n_items**2)
        check_total(table, 0.5 * skipped)
        return PairCounts._unchecked(
            items=self._items[:n_items], start=start, right=right, table=table, skipped=skipped
        )

    def _gather(self, votes: Votes) -> None:
        self._gathered.append(votes)
        limits = self._limits
        if sum(map(len, self._gathered)) >= max(limits.gathered, limits.gathered_an_item * len(self._items)):
            self._count_gathered()

    def _count_gathered(self) -> None:
        gathered = self._gathered
        columns = zip(*((votes.left, votes.right, votes.outcome) for votes in gathered), strict=True)
        weight = NO_WEIGHTS
        if any(votes.weight is not None for votes in gathered):
            weight = np.concatenate([np.ones(len(v)) if v.weight is None else v.weight for v in gathered])
        left, right, outcome = map(np.concatenate, columns)
        counts = count_rows(self._items, left, right, outcome, weight)
        check_total(counts.table, 0.5 * counts.skipped)
        self._gathered.clear()
        self._count(counts)

    def _count(self, counts: PairCounts) -> None:
        while self._counted and self._counted[-1].n_pairs <= 2 * counts.n_pairs:
            counts = self._counted.pop() + counts
        self._counted.append(counts)

    def counts(self) -> PairCounts:
        """All that was added."""
        if self._cells is not None:
            return self._of_cells(self._cells)
        if self._gathered:
            self._count_gathered()
        counts = self._counted[-1]
        for larger in self._counted[-2::-1]:
            counts = larger + counts
        return counts + no_votes(self._items)
