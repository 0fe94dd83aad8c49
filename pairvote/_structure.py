"""What a graph of pairs looks like to a solver: almost a tree, a narrow band, or items that are well mixed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote.counts import PairCounts

ALMOST_TREE = 1.25
# A factor of a graph with more pairs for each item may fill up.
FEW_PAIRS = 3.0
LARGEST_FILL = 30_000_000


def pairs_an_item(counts: PairCounts) -> float:
    """How many pairs there are for each item: 1 along a chain or in a tree, half the items where all have met."""
    return counts.n_pairs / max(counts.n_items, 1)


def is_almost_tree(counts: PairCounts) -> bool:
    """Whether there are few pairs beyond those that join the items."""
    return pairs_an_item(counts) <= ALMOST_TREE


def is_crowded(counts: PairCounts) -> bool:
    """Whether items met so many others that a factor may fill up, and that their shares of votes say much of them."""
    return pairs_an_item(counts) > FEW_PAIRS


def fills_little(counts: PairCounts) -> bool:
    """Whether a sparse factor has little more entries than the graph: it is almost a tree, or a narrow band."""
    if is_almost_tree(counts):
        return True
    if is_crowded(counts):
        return False
    place = np.empty(counts.n_items, np.int64)
    place[narrow_order(counts)] = np.arange(counts.n_items)
    # The band's width bounds that of the factor.
    width = int(np.abs(place[counts.left] - place[counts.right]).max(initial=0))
    return width * counts.n_items <= LARGEST_FILL


def narrow_order(counts: PairCounts) -> NDArray[np.int32]:
    """The items in reverse Cuthill-McKee order: a band is narrow in it, and a tree has children before parents.

    References
    ----------
    Cuthill and McKee (1969), "Reducing the bandwidth of sparse symmetric matrices", Proc. 24th ACM National Conference.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    shape = (counts.n_items, counts.n_items)
    links = csr_array((np.ones(counts.n_pairs), counts.right, counts.start), shape=shape)
    return np.asarray(reverse_cuthill_mckee((links + links.T).tocsr(), symmetric_mode=True))
