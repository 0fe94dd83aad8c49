"""What a scorer was given, as counts or as votes, and what can be asked of either."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._kernels import counting
from pairvote.errors import InputError
from pairvote.votes._chunks import CodedSource
from pairvote.votes._counts import LIMITS, NO_WEIGHTS, CountingLimits, PairCounts, count_rows
from pairvote.votes._votes import Votes


@dataclass(frozen=True, eq=False)
class ItemTotals:
    """What is left of votes that were scored as they came: the weight that each item lost, tied, won and skipped."""

    items: tuple[Hashable, ...]
    totals: NDArray[np.float64]
    components: NDArray[np.int32] | None = None


@runtime_checkable
class Elsewhere(Protocol):
    """Counts whose pairs lie elsewhere, such as on a cluster."""

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""

    def item_totals(self) -> NDArray[np.float64]:
        """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""

    def components(self) -> NDArray[np.int32]:
        """The connected component of each item, numbered by their first item: int32, shape (n_items,)."""


def count_votes(votes: Votes, *, folded: bool = False, limits: CountingLimits = LIMITS) -> PairCounts:
    """Votes added up by pair, those on all criteria together; `folded` forgets the sides."""
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    return count_rows(votes.items, votes.left, votes.right, votes.outcome, weight, folded=folded, limits=limits)


def as_counts(votes: Votes | PairCounts, *, criterion: Hashable | None = None, folded: bool = False) -> PairCounts:
    """What a scorer was given, as PairCounts; InputError for anything else."""
    if isinstance(votes, Votes):
        return count_votes(votes.select(criterion), folded=folded)
    if not isinstance(votes, PairCounts):
        raise InputError(f"votes is a {type(votes).__name__}", option="votes", remedy=_remedy(votes))
    if criterion is not None:
        raise InputError(f"criterion is {criterion!r}, which PairCounts do not keep; choose it when counting the votes")
    return votes.folded() if folded else votes


def _remedy(votes: object) -> str:
    if isinstance(votes, Elsewhere):
        return "rank it by pairvote.distributed.bradley_terry, or bring it into this memory by its gather()"
    if isinstance(votes, CodedSource):
        return "add its chunks up first, by pairvote.count_pairs, and pass the PairCounts"
    return "pass Votes or PairCounts, see Votes.from_labels"


def as_counts_or_votes(votes: Votes | PairCounts, criterion: Hashable | None = None) -> Votes | PairCounts:
    """What a scorer was given, with its criterion chosen; InputError for anything but Votes and PairCounts."""
    return votes.select(criterion) if isinstance(votes, Votes) else as_counts(votes, criterion=criterion)


def totals_of(votes: Votes | PairCounts | ItemTotals | Elsewhere) -> NDArray[np.float64]:
    """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""
    if isinstance(votes, ItemTotals):
        return votes.totals
    if not isinstance(votes, Votes):
        return votes.item_totals()
    totals = np.zeros((votes.n_items, 4))
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    counting.add_to_items(votes.left, votes.right, votes.outcome, weight, totals)
    return totals


def components_of(votes: Votes | PairCounts | ItemTotals | Elsewhere) -> NDArray[np.int32]:
    """The connected component of each item, numbered by their first item: int32, shape (n_items,).

    Two items are connected where votes other than skips lead from one to the other.
    """
    if isinstance(votes, ItemTotals):
        if votes.components is not None:
            return votes.components
        raise InputError(
            "running Elo ratings do not keep who met whom; rank the votes themselves to see the components"
        )
    if not isinstance(votes, (Votes, PairCounts)):
        return votes.components()
    return joined_components(np.empty(0, np.int32), votes)


def joined_components(component: NDArray[np.int32], votes: Votes | PairCounts) -> NDArray[np.int32]:
    """The components after these votes, of items that were in these before; items beyond them are new."""
    left, right = votes.left, votes.right
    if isinstance(votes, Votes):
        linked = votes.outcome != Outcome.SKIP
        if votes.weight is not None:
            linked &= votes.weight > 0
        left, right = left[linked], right[linked]
    if len(component):
        # Each item is linked with one of its component.
        before = np.arange(len(component), dtype=np.int32)
        one_of = np.empty_like(before)
        one_of[component] = before
        left, right = np.concatenate([before, left]), np.concatenate([one_of[component], right])
    joined = np.empty(votes.n_items, np.int32)
    counting.join_components(left, right, joined)
    return joined
