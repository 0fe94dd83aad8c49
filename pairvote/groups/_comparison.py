"""What a comparison of groups found."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from pairvote.ranking._ranking import Ranking


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupComparison:
    """The rankings of groups of voters on one scale, and where they differ.

    Attributes
    ----------
    items : tuple of labels
    groups : tuple of labels
    rankings : dict of label to Ranking
        The ranking of each group.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> groups = {voter: "public" if voter < 15 else "business" for voter in votes.voters}
    >>> pv.compare_groups(votes, groups).groups
    ('public', 'business')
    """

    items: tuple[Hashable, ...]
    groups: tuple[Hashable, ...]
    rankings: dict[Hashable, Ranking]
