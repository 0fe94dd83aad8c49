"""What was asked: exposure of items and sides, and whether votes connect all items."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote.diagnostics._consensus import answered, check_votes
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, chance, named, some
from pairvote.votes._given import components_of, count_votes, totals_of
from pairvote.votes._votes import Votes

# What is worth a remark.
UNLIKELY = 0.01


@dataclass(frozen=True, eq=False, kw_only=True)
class Exposure(Part):
    """How often each item was asked about, and on which side; skipped questions are left out.

    Attributes
    ----------
    items : tuple of labels, length n_items
    asked, left : int64 arrays, shape (n_items,)
        Answered questions with the item, and those in which it stood on the left.
    n_pairs : int
        Different pairs that were asked about, whichever stood on the left.
    variation : float
        The standard deviation of `asked` over its mean.
    unequal_p : float
        The chance that pairs drawn at random give exposures so unequal.
    side_p : float
        The chance that random sides are so lopsided for some item, after Sidak's correction for all items. In the
        report on votes that one side won all, whose sides say nothing, nan.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.exposure(pv.Votes.from_wins(["ash", "ash"], ["birch", "cedar"]))
    >>> found.asked.tolist(), found.left.tolist(), found.n_pairs
    ([2, 1, 1], [2, 0, 0], 2)
    """

    title = "Exposure"

    items: tuple[Hashable, ...]
    asked: NDArray[np.int64]
    left: NDArray[np.int64]
    n_pairs: int
    variation: float
    unequal_p: float
    side_p: float

    def _blocks(self) -> Iterator[Block]:
        n_items = len(self.items)
        most_pairs = n_items * (n_items - 1) // 2
        yield (
            f"each item was asked about {self.asked.min():,} to {self.asked.max():,} times, on average "
            f"{self.asked.mean():,.1f} (variation {self.variation:.0%}; for random pairs {chance(self.unequal_p)})"
        )
        yield f"{self.n_pairs:,} of {most_pairs:,} pairs were asked about"
        shares = self.left[self.asked > 0] / self.asked[self.asked > 0]
        if not math.isnan(self.side_p):
            yield (
                f"items stood on the left {shares.min():.0%} to {shares.max():.0%} of the time (for random sides "
                f"{chance(self.side_p)})"
            )

    def _concerns(self) -> Iterator[str]:
        never = [label for label, n in zip(self.items, self.asked.tolist(), strict=True) if not n]
        if never:
            yield f"nobody was asked about {some(never)}; their scores are the prior's"
        if self.side_p < UNLIKELY:
            worst = int(np.argmax(np.abs(self.left - 0.5 * self.asked) / np.sqrt(np.maximum(self.asked, 1))))
            yield (
                f"{named(self.items[worst])} stood on the left in {self.left[worst]:,} of {self.asked[worst]:,} "
                "questions, so a position effect bears on its score; draw sides at random, or fit position=True"
            )


def exposure(votes: Votes, *, criterion: Hashable | None = None) -> Exposure:
    r"""How often each item was asked about and on which side, and whether chance explains the differences.

    With m_i the questions about item i and m their mean, :math:`\sum (m_i - m)^2 / (m (n-2)/(n-1))` is about
    chi-squared with n - 1 degrees of freedom where pairs were drawn at random. The side of an item is a fair coin for
    each of its questions.

    Parameters
    ----------
    votes : Votes
        A row is one question, whatever its weight.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Raises
    ------
    InputError
        For votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    The chi-squared statistic of Pearson (1900), with the covariance of a draw of two of n items. Sidak (1967), JASA 62.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.exposure(pv.datasets.baseball()))
    Exposure
      each item was asked about 78 to 78 times, on average 78.0 (variation 0%; for random pairs p = 1.00)
      21 of 21 pairs were asked about
      items stood on the left 49% to 51% of the time (for random sides p = 1.00)
    """
    from scipy.stats import binom, chi2

    rows = answered(check_votes(votes, criterion))
    n_items = rows.n_items
    left = np.bincount(rows.left, minlength=n_items)
    asked = left + np.bincount(rows.right, minlength=n_items)
    mean = float(asked.mean())
    spread = float(((asked - mean) ** 2).sum())
    unequal = float(chi2.sf(spread / (mean * (n_items - 2) / (n_items - 1)), n_items - 1)) if n_items > 2 else 1.0
    tails = np.minimum(1.0, 2.0 * binom.cdf(np.minimum(left, asked - left), asked, 0.5))
    return Exposure(
        items=rows.items,
        asked=asked,
        left=left,
        n_pairs=count_votes(rows, folded=True).n_pairs,
        variation=math.sqrt(spread / n_items) / mean,
        unequal_p=unequal,
        side_p=float(-np.expm1(n_items * np.log1p(-min(tails.min(), 1.0 - 1e-16)))),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Connectivity(Part):
    """Whether votes lead from every item to every other.

    Attributes
    ----------
    components : tuple of tuples of labels
        Items that answered questions connect, the largest group first.
    undefeated, winless : tuple of labels
        Items asked about that never lost, or never won; a tie is neither. Maximum likelihood gives them no score.
    one_way : bool
        Whether some items lost to others, but never beat or tied with them, directly or in a chain; then
        maximum-likelihood scores do not exist (Ford 1957).

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.connectivity(pv.datasets.baseball()))
    Connectivity
      all items are connected by votes
    """

    title = "Connectivity"

    components: tuple[tuple[Hashable, ...], ...]
    undefeated: tuple[Hashable, ...]
    winless: tuple[Hashable, ...]
    one_way: bool

    def _blocks(self) -> Iterator[Block]:
        sizes = [len(group) for group in self.components]
        if len(sizes) == 1:
            yield "all items are connected by votes"
        else:
            yield f"{len(sizes):,} components, of {', '.join(map(str, sizes[:MOST_ROWS]))} items"
        for what, labels in (("undefeated", self.undefeated), ("winless", self.winless)):
            if labels:
                yield f"{what}: {some(labels)}"

    def _concerns(self) -> Iterator[str]:
        if len(self.components) > 1:
            yield (
                f"the items fall into {len(self.components):,} components that no vote connects; their order across "
                "components is the prior's"
            )
        for what, labels in (("undefeated", self.undefeated), ("winless", self.winless)):
            if labels:
                yield f"{what}, so how far out is the prior's word: {some(labels)}"


def connectivity(votes: Votes, *, criterion: Hashable | None = None) -> Connectivity:
    """Which items votes connect, and which were never beaten or never won.

    Parameters
    ----------
    votes : Votes
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Raises
    ------
    InputError
        For votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    Ford (1957), "Solution of a ranking problem from binary comparisons", Amer. Math. Monthly 64(8), assumption A.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.connectivity(pv.Votes.from_wins(["ash", "birch"], ["birch", "cedar"]))
    >>> len(found.components), found.undefeated, found.winless
    (1, ('ash',), ('cedar',))
    """
    rows = answered(check_votes(votes, criterion))
    component = components_of(rows)
    lost, tied, won, _ = totals_of(rows).T
    return Connectivity(
        components=groups_of(rows.items, component),
        undefeated=_picked(rows.items, (lost == 0) & (won + tied > 0)),
        winless=_picked(rows.items, (won == 0) & (lost + tied > 0)),
        one_way=bool(count_votes(rows).dominance().max() > component.max()),
    )


def groups_of(items: tuple[Hashable, ...], component: NDArray[np.int32]) -> tuple[tuple[Hashable, ...], ...]:
    """The labels of each component, the largest first."""
    groups: list[list[Hashable]] = [[] for _ in range(int(component.max()) + 1)]
    for label, group in zip(items, component.tolist(), strict=True):
        groups[group].append(label)
    return tuple(sorted(map(tuple, groups), key=len, reverse=True))


def _picked(items: tuple[Hashable, ...], mask: NDArray[np.bool_]) -> tuple[Hashable, ...]:
    return tuple(items[code] for code in np.flatnonzero(mask))
