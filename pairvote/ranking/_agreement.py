"""How far two rankings of the same items agree."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.ranking._order import place_shares

MOST_NAMED = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Agreement:
    """How far two rankings of the same items agree; level scores count as level in all four.

    Attributes
    ----------
    kendall_tau : float
        From -1 to 1: of the pairs of items, those in the same order less those in opposite order, over the geometric
        mean of how many pairs each ranking orders at all (tau-b).
    spearman : float
        From -1 to 1: the correlation of the ranks, level items at the mean of their places.
    top_k_overlap : float
        From 0 to 1: the share of the best k in common. Items level at the k-th place share the places left evenly,
        and what is in common is the smaller of an item's two parts.
    rank_biased_overlap : float
        From 0 to 1: what the two have in common down to each depth, averaged with weights that fall off by the factor
        p from each depth to the next. Level items all stand at the first of their places, and what two sets have in
        common is twice the items in both over the sum of their sizes.
    top_k : int
        From 1 to n_items; by default 5, and of fewer than six items all except one.
    p : float
        Between 0 and 1, 0.9 by default: the smaller, the more the first places weigh. At 0.9 the first ten have 86%
        of the weight.

    References
    ----------
    Kendall (1945), "The treatment of ties in ranking problems", Biometrika 33(3). Webber, Moffat and Zobel (2010), "A
    similarity measure for indefinite rankings", ACM TOIS 28(4), eq. 32, for lists that both hold all items.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> agreement = pv.tally(votes).agreement(pv.bradley_terry(votes, prior_sd=3.0), top_k=5, p=0.9)
    >>> round(agreement.kendall_tau, 3), round(agreement.spearman, 3)
    (0.869, 0.953)
    >>> agreement.top_k_overlap, round(agreement.rank_biased_overlap, 3)
    (0.9, 0.884)
    """

    kendall_tau: float
    spearman: float
    top_k_overlap: float
    rank_biased_overlap: float
    top_k: int
    p: float


def agreement(ranks: NDArray[np.int64], others: NDArray[np.int64], top_k: int, p: float) -> Agreement:
    """Compare two rankings by the ranks that each gives the same items; `top_k` is checked already."""
    if not is_number(p) or not 0 < p < 1:
        raise InputError(f"p is {shorten(p)}; it is a number between 0 and 1, such as 0.9")
    for which in (ranks, others):
        if which.max() == 1:
            raise InputError(
                f"all {len(which)} items of one ranking are level, so it has no order to compare; leave it out"
            )
    from scipy.stats import kendalltau, spearmanr

    return Agreement(
        kendall_tau=float(kendalltau(ranks, others).statistic),
        spearman=float(spearmanr(ranks, others).statistic),
        top_k_overlap=float(np.minimum(place_shares(ranks, top_k), place_shares(others, top_k)).sum() / top_k),
        rank_biased_overlap=_rank_biased_overlap(ranks, others, float(p)),
        top_k=int(top_k),
        p=float(p),
    )


def matched_ranks(items: Sequence[Hashable], others: Sequence[Hashable], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ranks of the others, in the order of our items; InputError where the two do not have the same items."""
    rank_of = dict(zip(others, ranks.tolist(), strict=True))
    lacking = [label for label in items if label not in rank_of]
    known = set(items)
    new = [label for label in others if label not in known]
    if lacking or new:
        named = [
            f"{listed(labels[:MOST_NAMED])}{', ...' if len(labels) > MOST_NAMED else ''} only in the {place}"
            for labels, place in ((lacking, "first"), (new, "second"))
            if labels
        ]
        raise InputError(f"the rankings differ in their items ({'; '.join(named)}); compare rankings of the same items")
    return np.array([rank_of[label] for label in items], np.int64)


def _rank_biased_overlap(ranks: NDArray[np.int64], others: NDArray[np.int64], p: float) -> float:
    """(1 - p) sum p^(d-1) A_d over all depths d, as 1 less what is not in common: nothing, below the last item."""
    depths = np.arange(1, len(ranks) + 1)

    def sizes(places: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(np.sort(places), depths, side="right")

    in_common = 2.0 * sizes(np.maximum(ranks, others)) / (sizes(ranks) + sizes(others))
    return float(1.0 - (1.0 - p) * ((1.0 - in_common) @ p ** (depths - 1.0)))
