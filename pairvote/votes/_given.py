"""What a scorer was given, as counts or as votes, and what can be asked of either."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pairvote._kernels import by_item
from pairvote.errors import InputError
from pairvote.votes._chunks import CodedSource
from pairvote.votes._counts import LIMITS, NO_WEIGHTS, CountingLimits, PairCounts, count_rows
from pairvote.votes._votes import Votes


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
    votes = votes._in_halves()
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


def totals_of(votes: Votes | PairCounts | Elsewhere) -> NDArray[np.float64]:
    """The weight of votes that each item lost, tied, won and skipped: float64, shape (n_items, 4)."""
    return summed(votes)[0] if isinstance(votes, Votes) else votes.item_totals()


def components_of(votes: Votes | PairCounts) -> NDArray[np.int32]:
    """The connected component of each item, numbered by their first item: int32, shape (n_items,).

    Two items are connected where votes other than skips lead from one to the other.
    """
    return numbered(summed(votes)[1] if isinstance(votes, Votes) else _joined_pairs(votes))


def summed(votes: Votes | PairCounts) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """The totals of each item, and the first item of its component: float64, (n_items, 4), and int32, (n_items,)."""
    if isinstance(votes, PairCounts):
        return votes.item_totals(), _joined_pairs(votes)
    totals, first = np.zeros((votes.n_items, 4)), np.arange(votes.n_items, dtype=np.int32)
    add_and_join(votes, totals, first)
    return totals, first


def _joined_pairs(counts: PairCounts) -> NDArray[np.int32]:
    """The first item of each item's component."""
    first = np.arange(counts.n_items, dtype=np.int32)
    by_item.join_pairs(counts.start, counts.right, first)
    return first


def add_and_join(votes: Votes, totals: NDArray[np.float64], first: NDArray[np.int32]) -> None:
    """Add votes to the totals of items, and join the components that they connect."""
    votes = votes._in_halves()
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    by_item.add_and_join(votes.left, votes.right, votes.outcome, weight, totals, first)


def numbered(first: NDArray[np.int32]) -> NDArray[np.int32]:
    """The number of each item's component, of which the first item is known: int32, shape (n_items,)."""
    is_first = first == np.arange(len(first), dtype=np.int32)
    return (np.cumsum(is_first, dtype=np.int32) - 1)[first]
