"""Counts whose pairs stay on a cluster."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import check_total
from pairvote._common.messages import plural
from pairvote.distributed import _shards
from pairvote.distributed._engine import Delayed, added, by_place, kept, result, task
from pairvote.distributed._labels import unpacked
from pairvote.distributed._partitions import Summary, add
from pairvote.votes._counts import PairCounts


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DistributedCounts:
    """Votes added up by ordered pair where they lie: what `count_pairs` leaves of too many.

    Labels and what is known of each item are here; the pairs stay on the cluster for as long as this is referred to, in
    a part for each thread of its workers. A pair that stands in several parts is held by each of them.

    Attributes
    ----------
    items : tuple of labels, length n_items
    n_pairs : int
        How many pairs the parts hold together.

    Examples
    --------
    >>> import dask
    >>> import pairvote as pv
    >>> votes = [dask.delayed(pv.Votes.from_wins)(["ash"], ["birch"]) for _ in range(3)]
    >>> with dask.config.set(scheduler="synchronous"):
    ...     counts = pv.distributed.count_pairs(votes, most_pairs=0)
    ...     whole = counts.gather()
    >>> counts
    DistributedCounts(3 votes, 2 items, 3 pairs in 3 parts)
    >>> whole
    PairCounts(3 votes, 2 items, 1 pair)
    """

    items: tuple[Hashable, ...]
    n_pairs: int
    shards: list[Delayed]
    totals: NDArray[np.float64]

    @classmethod
    def of(cls, counted: list[Delayed], whole: Delayed, summary: Summary) -> DistributedCounts:
        """The counts of partitions that have been counted; `whole` is the summary where they lie."""
        numbering = task(_shards.numbered)(whole)
        # One without pairs has no part in a fit, but may hold the only skips.
        apart = kept([task(_shards.as_shard)(part, numbering) for part in counted])
        shared = kept([added(group, add) for group in by_place(apart)])
        totals = result(added([task(_shards.totals)(shard, len(summary.items)) for shard in shared], add))
        # Each vote stands with two items.
        check_total(0.5 * totals)
        totals.flags.writeable = False
        n_pairs = result(added([task(_shards.n_pairs)(shard) for shard in shared], add))
        with_pairs = [shard for shard, n_held in zip(shared, n_pairs, strict=True) if n_held]
        return cls(items=unpacked(summary.items), n_pairs=sum(n_pairs), shards=with_pairs or shared[:1], totals=totals)

    @property
    def n_items(self) -> int:
        """The number of items, with or without votes."""
        return len(self.items)

    @property
    def total(self) -> float:
        """The weight of all votes but skips."""
        return 0.5 * float(self.totals[:, :3].sum())

    def __repr__(self) -> str:
        return (
            f"DistributedCounts({plural(self.total, 'vote')}, {plural(self.n_items, 'item')}, "
            f"{plural(self.n_pairs, 'pair')} in {plural(len(self.shards), 'part')})"
        )

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""
        return self.totals

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item, numbered by their first item: int32, shape (n_items,)."""
        return self._components

    @cached_property
    def _components(self) -> NDArray[np.int32]:
        return self.components_by(tied=True)

    def components_by(self, *, tied: bool) -> NDArray[np.int32]:
        """The same, where ties connect items only if `tied`."""
        found = [task(_shards.first_of_component)(shard, tied, self.n_items) for shard in self.shards]
        return np.unique(result(added(found, _shards.join)), return_inverse=True)[1].astype(np.int32)

    def gather(self) -> PairCounts:
        """All pairs in one table, brought here: 28 bytes for each."""
        over_all = [task(_shards.over_all)(shard, self.n_items) for shard in self.shards]
        whole: PairCounts = result(added(over_all, add))
        return whole._changed(items=self.items, skipped=np.array(self.totals[:, 3]))
