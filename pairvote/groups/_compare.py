"""Groups that are known: a ranking of each, and whether they agree."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np

from pairvote.groups._comparison import GroupComparison
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._votes import Votes


def compare_groups(votes: Votes, groups: Mapping[Hashable, Hashable]) -> GroupComparison:
    """Rank by each group of voters, and test whether the groups agree.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> groups = {voter: "public" if voter < 15 else "business" for voter in votes.voters}
    >>> list(pv.compare_groups(votes, groups).rankings)
    ['public', 'business']
    """
    names = tuple(dict.fromkeys(groups.values()))
    of_voter = np.array([names.index(groups[voter]) for voter in votes.voters])
    rankings: dict[Hashable, object] = {}
    for code, name in enumerate(names):
        rankings[name] = bradley_terry(votes.where(of_voter[votes.voter] == code), prior_sd=3.0)
    return GroupComparison(items=votes.items, groups=names, rankings=rankings)  # type: ignore[arg-type]
