"""The part of all pairs that is held in one place, and the sums over them that are made there.

A shard numbers its own items and knows their codes among all, so that it is as small as its votes. What it is sent, and
what it sends back, are vectors over all items.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote._inference import NOTHING, Likelihood, LocalSums, Slopes, has_circle
from pairvote._kernels import by_item, counting
from pairvote.distributed._labels import Numbering
from pairvote.distributed._partitions import Counted, Summary
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import components_of

# Over one shard's rows; a sweep that changes nothing is the last anyway.
SWEEPS = 50
Links = Literal["beat", "right won", "left won"]


@dataclass(frozen=True, eq=False)
class Shard:
    """Counts over items of its own, and the code of each among all items, in rising order."""

    counts: PairCounts
    codes: Codes

    def __add__(self, other: Shard) -> Shard:
        """Both in one, over the items of either."""
        codes = np.union1d(self.codes, other.codes)
        items = unlabelled(len(codes))
        ours, theirs = (
            shard.counts._among(np.searchsorted(codes, shard.codes).astype(np.int32), items) for shard in (self, other)
        )
        return Shard(ours + theirs, codes)

    def here(self, parameters: NDArray[np.float64], n_items: int) -> NDArray[np.float64]:
        """The parameters of these items, and those beside the scores."""
        return np.concatenate([parameters[:n_items][self.codes], parameters[n_items:]])

    def spread(self, values: NDArray[Any], n_items: int) -> NDArray[Any]:
        """Rows of these items' values among zeros for all others."""
        whole = np.zeros((n_items, *values.shape[1:]), values.dtype)
        whole[self.codes] = values
        return whole


def unlabelled(n_items: int) -> tuple[Hashable, ...]:
    """Labels for counts whose items have none here: their codes, which take no memory."""
    return cast("tuple[Hashable, ...]", range(n_items))


def numbered(summary: Summary) -> Numbering:
    """The code of every label."""
    return Numbering.of(summary.items)


def as_shard(counted: Counted, numbering: Numbering) -> Shard:
    """A partition's counts with codes in place of labels."""
    counts = counted.counts
    codes = numbering.codes(counts.items)
    order, places = np.argsort(codes), np.empty_like(codes)
    places[order] = np.arange(len(codes), dtype=np.int32)
    return Shard(counts._among(places, unlabelled(counts.n_items)), codes[order])


def n_pairs(shard: Shard) -> list[int]:
    """How many pairs it holds."""
    return [shard.counts.n_pairs]


def totals(shard: Shard, n_items: int) -> NDArray[np.float64]:
    """The totals of each item: float64, shape (n_items, 4)."""
    return shard.spread(shard.counts.item_totals(), n_items)


def over_all(shard: Shard, n_items: int) -> PairCounts:
    """The counts over all items, by their codes."""
    return shard.counts._among(shard.codes, unlabelled(n_items))


def add_arrays(one: list[NDArray[Any]], other: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Two lists of arrays, added up."""
    return [ours + theirs for ours, theirs in zip(one, other, strict=True)]


def _weighted(weights: NDArray[np.float64], diagonal: NDArray[np.float64] = NOTHING) -> Slopes:
    # What comes from another worker may be unaligned.
    weights = np.require(weights, requirements="A")
    return Slopes(gradient=NOTHING, weights=weights, diagonal=diagonal, border=NOTHING, corner=NOTHING)


def slopes(
    shard: Shard, likelihood: Likelihood, parameters: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[Any]]:
    """The information of each pair, which stays, and the sums: gradient, diagonal and border, then those beside."""
    n_items, n_own = likelihood.layout.n_items, len(shard.codes)
    found = LocalSums(shard.counts).slopes(likelihood.over(n_own), shard.here(parameters, n_items))
    columns = np.column_stack([found.gradient[:n_own], found.diagonal, found.border])
    beside = np.concatenate([found.gradient[n_own:], found.corner.ravel()])
    return found.weights.copy(), [shard.spread(columns, n_items), beside]


def squares(
    shard: Shard, likelihood: Likelihood, parameters: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[Any]]:
    """The sum of the outer products of the votes' gradients: of each pair, which stays; border and corner."""
    n_items, n_own = likelihood.layout.n_items, len(shard.codes)
    found = LocalSums(shard.counts).squares(likelihood.over(n_own), shard.here(parameters, n_items))
    return found.weights.copy(), [shard.spread(np.ascontiguousarray(found.border), n_items), found.corner]


def log_likelihood(shard: Shard, likelihood: Likelihood, parameters: NDArray[np.float64]) -> list[Any]:
    """The log-likelihood of the shard's votes."""
    own = shard.here(parameters, likelihood.layout.n_items)
    return [np.array(LocalSums(shard.counts).log_likelihood(likelihood.over(len(shard.codes)), own))]


def products(shard: Shard, weights: NDArray[np.float64], vectors: NDArray[np.float64]) -> list[Any]:
    """The Laplacian of the pairs' weights times each column."""
    own = vectors[shard.codes]
    sums = np.zeros_like(own)
    LocalSums(shard.counts).add_products(_weighted(weights), own, sums)
    return [shard.spread(sums, len(vectors))]


def second_order(shard: Shard, weights: NDArray[np.float64], diagonal: NDArray[np.float64]) -> list[Any]:
    """See `PairSums`; a pair that stands in several shards counts in each by itself."""
    sums = LocalSums(shard.counts).second_order(_weighted(weights, diagonal[shard.codes]))
    return [shard.spread(sums, len(diagonal))]


def third_order(
    shard: Shard, weights: NDArray[np.float64], likelihood: Likelihood, parameters: NDArray[np.float64]
) -> list[Any]:
    """The third derivative by each score."""
    n_items = likelihood.layout.n_items
    here = likelihood.over(len(shard.codes)), shard.here(parameters, n_items)
    return [shard.spread(LocalSums(shard.counts).third_order(_weighted(weights), *here), n_items)]


def sides_won(shard: Shard) -> list[Any]:
    """The weight of votes that the right and the left side won."""
    return [shard.counts.table[:, [Outcome.RIGHT, Outcome.LEFT]].sum(axis=0)]


def _linked(counts: PairCounts, links: Links, tied: bool) -> NDArray[np.float64]:
    """A table that has the left item beat the right one where `links` lead from left to right, and so the other way."""
    lost, ties, won = counts.table.T > 0
    down = lost if links == "right won" else won
    up = lost if links == "beat" else np.zeros_like(lost)
    if tied:
        down = down | ties
        up = up | ties if links == "beat" else up
    table = np.zeros_like(counts.table)
    table[:, Outcome.LEFT], table[:, Outcome.RIGHT] = down, up
    return table


def reach(shard: Shard, links: Links, tied: bool, above: Codes, below: Codes) -> list[Any]:
    """Which items now are known to lead to the first of all by `links`, and which it leads to: 1 for each."""
    counts, none = shard.counts, np.zeros(1, np.int32)
    # The kernel begins at the first item, which here is one more, that met nobody.
    own_above, own_below = (np.concatenate([none, known[shard.codes]]) for known in (above, below))
    start, right = np.concatenate([[0], counts.start]), counts.right + np.int32(1)
    counting.reach_all(start, right, _linked(counts, links, tied), SWEEPS, own_above, own_below)
    return [shard.spread(own[1:], len(above)) for own in (own_above, own_below)]


def either(one: list[Codes], other: list[Codes]) -> list[Codes]:
    """Two lists of marks, set where one of them is."""
    return [np.maximum(ours, theirs) for ours, theirs in zip(one, other, strict=True)]


def circle(shard: Shard, links: Links, tied: bool) -> bool:
    """Whether the shard's own `links` lead from some item back to it."""
    counts = shard.counts
    table = _linked(counts, links, tied) > 0
    down, up = table[:, Outcome.LEFT], table[:, Outcome.RIGHT]
    source = np.concatenate([counts.left[down], counts.right[up]])
    return has_circle(counts, source, np.concatenate([counts.right[down], counts.left[up]]))


def any_of(one: bool, other: bool) -> bool:
    """Whether one of the two holds."""
    return one or other


def first_of_component(shard: Shard, tied: bool, n_items: int) -> Codes:
    """For every item one that the shard's votes connect it to, the same for all that are connected; ties if `tied`."""
    counts = shard.counts
    if tied:
        component = components_of(counts)
    else:
        decided = counts.table[:, Outcome.LEFT] + counts.table[:, Outcome.RIGHT] > 0
        component = np.empty(counts.n_items, np.int32)
        by_item.join_components(counts.left[decided], counts.right[decided], component)
    first = np.arange(n_items, dtype=np.int32)
    first[shard.codes] = shard.codes[_firsts(component)]
    return first


def join(one: Codes, other: Codes) -> Codes:
    """What `first_of_component` says of the votes of both."""
    component = np.empty(len(one), np.int32)
    everyone = np.arange(len(one), dtype=np.int32)
    by_item.join_components(np.tile(everyone, 2), np.concatenate([one, other]), component)
    return _firsts(component)


def _firsts(component: Codes) -> Codes:
    """The first item of each item's component."""
    first = np.empty(component.max(initial=-1) + 1, np.int32)
    first[component[::-1]] = np.arange(len(component), dtype=np.int32)[::-1]
    return first[component]
