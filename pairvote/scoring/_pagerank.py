r"""PageRank: how often a walk that goes from losers to winners is at each item."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import wrong_option
from pairvote._common.outcomes import Outcome
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._criteria import combine
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import as_counts, summed
from pairvote.votes._votes import Votes

# How near the shares come to those that the walk has in the end, together.
TOLERANCE = 1e-13


def pagerank(
    votes: Votes | PairCounts,
    *,
    damping: float = 0.85,
    ties: float = 0.5,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by PageRank: a walk goes from an item to one that beat it, as often as that did.

    With :math:`w_{ij}` the votes that i won against j, and the share `damping` d, the scores are the shares of time

    .. math:: r_i = \frac{1 - d}{n} + d \sum_j \frac{w_{ij}}{\sum_k w_{kj}}\,r_j,

    where from an item that never lost the walk goes on to any item. An item gains much by one win over a highly ranked
    item, and nothing by how often it lost; so this is no estimate under a model of votes, and has no errors.
    `bradley_terry` is the better choice, unless it is this number that is asked for.

    Parameters
    ----------
    votes : Votes or PairCounts
    damping : float
        How often the walk follows a vote and does not jump to any item, from 0 to below 1.
    ties : float
        What a tie counts for each side, from 0 to 1.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In shares that add up to 1, without standard errors.

    Raises
    ------
    InputError
        For an option out of range, and for votes on several criteria without choosing one.

    References
    ----------
    Brin and Page (1998), "The anatomy of a large-scale hypertextual Web search engine", Computer Networks 30.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch"], ["birch", "cedar", "cedar"])
    >>> pv.pagerank(votes).scores.round(3).tolist()
    [0.521, 0.282, 0.198]
    """
    if criteria is not None:
        return combine(votes, criteria, criterion, pagerank, damping=damping, ties=ties)
    if not is_number(damping) or not 0.0 <= damping < 1.0:
        raise wrong_option("damping", damping, "it is a number from 0 to below 1, such as 0.85")
    if not is_number(ties) or not 0.0 <= ties <= 1.0:
        raise wrong_option("ties", ties, "it is what a tie counts for each side, from 0 to 1")
    counts = as_counts(votes, criterion=criterion, folded=True)
    totals, first = summed(counts)
    return Ranking(
        items=counts.items,
        scores=_shares(counts, float(damping), float(ties)),
        unit="share",
        method="pagerank",
        _totals=totals,
        _first=first,
    )


def _shares(counts: PairCounts, damping: float, ties: float) -> NDArray[np.float64]:
    """The shares of time that the walk is at each item: float64, shape (n_items,)."""
    from scipy.sparse import coo_array

    n_items = counts.n_items
    if not n_items:
        return np.empty(0)
    table = counts.table / max(float(counts.table.max(initial=0.0)), np.finfo(float).tiny)
    lost, tied, won = (table[:, outcome] for outcome in (Outcome.RIGHT, Outcome.TIE, Outcome.LEFT))
    votes = np.concatenate([won + ties * tied, lost + ties * tied])
    winners, losers = np.concatenate([counts.left, counts.right]), np.concatenate([counts.right, counts.left])
    leaving = np.bincount(losers, votes, n_items)
    parts = np.divide(votes, leaving[losers], out=np.zeros(len(votes)), where=votes > 0.0)
    walk = coo_array((parts, (winners, losers)), shape=(n_items, n_items)).tocsr()
    stuck = leaving == 0.0
    shares = np.full(n_items, 1.0 / n_items)
    # Each step is nearer by the factor `damping`, from at most 2 away.
    n_steps = math.ceil(math.log(0.5 * TOLERANCE) / math.log(damping)) if damping else 1
    for _ in range(n_steps):
        before = shares
        shares = damping * (walk @ before + before[stuck].sum() / n_items) + (1.0 - damping) / n_items
        shares /= shares.sum()
        if np.abs(shares - before).sum() <= TOLERANCE * (1.0 - damping):
            break
    return shares
