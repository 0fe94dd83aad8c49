"""What a graph of pairs looks like to a solver: almost a tree, a narrow band, or items that are well mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.models import Model
from pairvote.votes._counts import PairCounts, is_folded

ALMOST_TREE = 1.25
# A factor of a graph with more pairs for each item may fill up.
FEW_PAIRS = 3.0
LARGEST_FILL = 30_000_000


def pairs_an_item(model: Model) -> float:
    """How many pairs there are for each item, 1 along a chain or in a tree; where they are many, at least how many.

    A pair counts once, whichever item stood on the left, and however many entries it has where these are single votes.
    """
    counts = model.counts
    if not model.at_hand or (model.design is None and counts.n_pairs > 2.0 * FEW_PAIRS * counts.n_items):
        return 0.5 * counts.n_pairs / counts.n_items
    keys = counts.left.astype(np.int64) * counts.n_items + counts.right
    once = is_folded(counts) and bool((np.diff(keys) > 0).all())
    return (counts.n_pairs if once else _links(counts).nnz / 2) / max(counts.n_items, 1)


def is_almost_tree(model: Model) -> bool:
    """Whether there are few pairs beyond those that join the items."""
    return pairs_an_item(model) <= ALMOST_TREE


def is_crowded(model: Model) -> bool:
    """Whether items met so many others that a factor may fill up, and that their shares of votes say much of them."""
    return pairs_an_item(model) > FEW_PAIRS


def fills_little(model: Model) -> bool:
    """Whether a sparse factor has little more entries than the graph: it is almost a tree, or a narrow band."""
    if is_almost_tree(model):
        return True
    if is_crowded(model):
        return False
    counts = model.counts
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
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    return np.asarray(reverse_cuthill_mckee(_links(counts), symmetric_mode=True))


def _links(counts: PairCounts) -> Any:
    """Who met whom, both ways: a sparse array, shape (n_items, n_items)."""
    from scipy.sparse import csr_array

    shape = (counts.n_items, counts.n_items)
    links = csr_array((np.ones(counts.n_pairs), counts.right, counts.start), shape=shape)
    return (links + links.T).tocsr()
