"""Shares of votes won, averaged over opponents, and how far they are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote._inference import centred
from pairvote.errors import MissingUncertaintyError
from pairvote.votes._counts import LIMITS, PairCounts

Floats = NDArray[np.float64]
# Votes that are added to each side of a pair for the variance of its share.
ADDED = 2.0


@dataclass(frozen=True, eq=False)
class PairwiseSpread:
    """The covariance of scores that are sums over pairs, whose votes are independent of those on other pairs.

    Attributes
    ----------
    left, right : int32 arrays, shape (n_pairs,)
    own : float64 array, shape (n_items,)
        The variance of each score, not centred.
    both : float64 array, shape (n_pairs,)
        The covariance of the two scores of each pair, not centred; those of other items are independent.
    """

    left: Codes
    right: Codes
    own: Floats
    both: Floats

    @property
    def samples(self) -> None:
        """There are no draws."""

    @property
    def is_posterior(self) -> bool:
        """The errors are those of shares, and no posterior."""
        return False

    @property
    def degrees_of_freedom(self) -> float:
        """Those of a normal."""
        return math.inf

    def covariance(self) -> Floats:
        """The whole covariance of centred scores: float64, shape (n_items, n_items)."""
        n_items = len(self.own)
        if n_items > LIMITS.table_items:
            raise MissingUncertaintyError(
                f"the covariance of {n_items:,} items would take {n_items**2 * 8 / 2**30:.1f} GiB; it is given for up "
                f"to {LIMITS.table_items:,}, but standard_errors and difference() for any number"
            )
        covariance = np.diag(self.own)
        covariance[self.left, self.right] = covariance[self.right, self.left] = self.both
        return centred(covariance)

    def variances(self) -> Floats:
        """Those of the centred scores: float64, shape (n_items,)."""
        if not len(self.own):
            return self.own
        means = (self.own + added_up(self.left, self.right, self.both, self.both, len(self.own))) / len(self.own)
        # Items whose scores hang together wholly leave no variance but what rounding makes of it.
        return np.maximum(self.own - 2.0 * means + means.mean(), 0.0)

    def contrast_variance(self, contrast: Floats) -> float:
        """The variance of contrast @ scores."""
        across = contrast[self.left] * contrast[self.right] * self.both
        return float(contrast**2 @ self.own + 2.0 * across.sum())


def opponent_rates(counts: PairCounts, ties: float, prior: float) -> tuple[Floats, PairwiseSpread]:
    r"""Each item's share of the votes against each opponent that it met, averaged over these; and the spread of that.

    With :math:`m_i` opponents, :math:`n_i` votes and shares :math:`s_{ij}` the score is
    :math:`c_i \sum_j s_{ij} / m_i + (1 - c_i) / 2` with :math:`c_i = n_i / (n_i + 2 prior)`: the prior adds wins and
    losses as it does to the plain rate, and the two are equal where an item was asked equally often against all that it
    met.

    The variance of the share w / n is taken as :math:`\tilde p (1 - \tilde p) / n` with
    :math:`\tilde p = (w + 2) / (n + 4)`, since of few votes on a pair all may be won (Agresti and Coull 1998, The
    American Statistician 52(2)); less than one vote counts as one there, since a share lies between 0 and 1. What the
    prior leaves open is the variance of a share under it, 1 / (4 (2 prior + 1)), times :math:`(1 - c_i)^2`.

    Parameters
    ----------
    counts : PairCounts
        With sides forgotten.
    ties : float
        What a tie counts for each side.
    prior : float
        Wins and losses added to those of every item; above 0 where an item has no votes.
    """
    voted = counts.table.sum(axis=1) > 0.0
    left, right, table = counts.left[voted], counts.right[voted], counts.table[voted]
    n_votes = table.sum(axis=1)

    def by_item(of_left: Floats, of_right: Floats) -> Floats:
        return added_up(left, right, of_left, of_right, counts.n_items)

    asked, n_met = by_item(n_votes, n_votes), by_item(np.ones(len(left)), np.ones(len(left)))
    weight = asked / (asked + 2.0 * prior)
    # What a share counts in the score of its item.
    part = np.divide(weight, n_met, out=np.zeros(counts.n_items), where=n_met > 0.0)
    scores = by_item(*(side * part[item] for side, item in zip(_shares(table, ties), (left, right), strict=True)))
    scores += 0.5 * (1.0 - weight)

    n_votes = np.maximum(n_votes, 1.0)
    smoothed = table + np.where(np.arange(3) == Outcome.TIE, 0.0, ADDED)
    one, other = _shares(smoothed, ties)
    tied = smoothed[:, Outcome.TIE] / smoothed.sum(axis=1)
    # A vote is worth 1, `ties` or 0 to a side: the mean of its square is its mean less what ties lack of that.
    lacking = ties * (1.0 - ties) * tied
    of_left, of_right = part[left] ** 2 * (one - lacking - one**2), part[right] ** 2 * (other - lacking - other**2)
    own = by_item(of_left / n_votes, of_right / n_votes) + (1.0 - weight) ** 2 / (4.0 * (2.0 * prior + 1.0))
    both = part[left] * part[right] * (ties**2 * tied - one * other) / n_votes
    return scores, PairwiseSpread(left, right, own, both)


def added_up(left: Codes, right: Codes, of_left: Floats, of_right: Floats, n_items: int) -> Floats:
    """The sums of what the left and the right side of each pair have, by item."""
    # Without any pair numpy counts in integers.
    return (np.bincount(left, of_left, n_items) + np.bincount(right, of_right, n_items)).astype(np.float64)


def _shares(table: Floats, ties: float) -> tuple[Floats, Floats]:
    """What each side of each pair has of its votes."""
    n_votes, tied = table.sum(axis=1), ties * table[:, Outcome.TIE]
    return (table[:, Outcome.LEFT] + tied) / n_votes, (table[:, Outcome.RIGHT] + tied) / n_votes
