"""What a graph of pairs looks like to a solver: almost a tree, a narrow band, or items that are well mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.limits import Limits
from pairvote._inference.sums import PairSums
from pairvote.votes._counts import PairCounts, is_folded


def pairs_an_item(sums: PairSums, limits: Limits) -> float:
    """How many pairs there are for each item, 1 along a chain or in a tree; where they are many, at least how many.

    A pair counts once, whichever item stood on the left, and however many entries it has where these are single votes.
    """
    counts, n_items = sums.pairs, len(sums.items)
    if counts is None or (not sums.n_covariates and counts.n_pairs > 2.0 * limits.few_pairs * n_items):
        return 0.5 * sums.n_pairs / n_items
    keys = counts.left.astype(np.int64) * n_items + counts.right
    once = is_folded(counts) and bool((np.diff(keys) > 0).all())
    return (counts.n_pairs if once else _links(counts).nnz / 2) / max(n_items, 1)


def is_almost_tree(sums: PairSums, limits: Limits) -> bool:
    """Whether there are few pairs beyond those that join the items."""
    return pairs_an_item(sums, limits) <= limits.almost_tree


def is_crowded(sums: PairSums, limits: Limits) -> bool:
    """Whether items met so many others that a factor may fill up, and that their shares of votes say much of them."""
    return pairs_an_item(sums, limits) > limits.few_pairs


def fills_little(sums: PairSums, limits: Limits) -> bool:
    """Whether a sparse factor has little more entries than the graph: it is almost a tree, or a narrow band."""
    counts = sums.pairs
    if counts is None or is_crowded(sums, limits):
        return False
    if is_almost_tree(sums, limits):
        return True
    place = np.empty(counts.n_items, np.int64)
    place[narrow_order(counts)] = np.arange(counts.n_items)
    # The band's width bounds that of the factor.
    width = int(np.abs(place[counts.left] - place[counts.right]).max(initial=0))
    return width * counts.n_items <= limits.largest_fill


def narrow_order(counts: PairCounts) -> NDArray[np.int32]:
    """The items in reverse Cuthill-McKee order: a band is narrow in it, and a tree has children before parents.

    References
    ----------
    Cuthill and McKee (1969), "Reducing the bandwidth of sparse symmetric matrices", Proc. 24th ACM National Conference.
    """
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    return np.asarray(reverse_cuthill_mckee(_links(counts), symmetric_mode=True))


def _links(counts: PairCounts) -> Any:
    """Who met whom, both ways: a sparse array, shape (n_items, n_items)."""
    from scipy.sparse import csr_array

    shape = (counts.n_items, counts.n_items)
    links = csr_array((np.ones(counts.n_pairs), counts.right, counts.start), shape=shape)
    return (links + links.T).tocsr()
