"""Who beats whom by the majority of the votes on each pair."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from pairvote.errors import InputError
from pairvote.scoring._beating import Components, pair_tables, shortest_cycle, smith_set
from pairvote.scoring._majority import Labels, Majority
from pairvote.votes._counts import LIMITS, PairCounts
from pairvote.votes._given import as_counts
from pairvote.votes._votes import Votes


def majority(votes: Votes | PairCounts, *, criterion: Hashable | None = None) -> Majority:
    r"""Say who beats whom by the majority of the votes on each pair, and what follows from it.

    With :math:`w_{ij}` the votes that i won against j, a tie as half, i beats j where :math:`w_{ij} > w_{ji}`.
    A *Condorcet winner* beats every other item. *Copeland's* score counts the items beaten, and half of those tied
    with. The *Smith set* is the smallest set of items that all beat everything outside. *Minimax* looks at the largest
    margin :math:`\max_j (w_{ji} - w_{ij})` by which each item is beaten. *Kemeny's* order has the least distance
    :math:`\sum w_{ji}` over all i that stand before j; a Condorcet winner stands first in it, and the Smith set before
    all other items.

    No model is fitted, so there is no error either: with few votes on a pair its majority may be chance, and so may a
    cycle. `pairvote.diagnostics.check` says how many cycles chance would give.

    Parameters
    ----------
    votes : Votes or PairCounts
        Skips are not counted. A row of weight w is w votes, and a graded vote is divided between the sides.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Returns
    -------
    Majority
        Kemeny's order is looked for when it is first asked for. Of items that beat each other in a circle it is exact
        for up to 12, nearly always for up to 30, and mostly for up to 40, in seconds at the most; of more it is the
        best order found, with a bound.

    Raises
    ------
    InputError
        For votes on several criteria without choosing one, and for more than 4,000 items.

    Notes
    -----
    Copeland (1951) took the items beaten less those beaten by. With every pair asked the two order alike.

    References
    ----------
    Condorcet (1785), "Essai sur l'application de l'analyse à la probabilité des décisions rendues à la pluralité des
    voix". Copeland (1951), "A 'reasonable' social welfare function". Smith (1973), Econometrica 41. Schwartz (1972),
    Nous 6. Simpson (1969), Quarterly Journal of Economics 83, and Kramer (1977), J. Economic Theory 16, for minimax.
    Kemeny (1959), Daedalus 88, and Young (1988), American Political Science Review 82.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.majority(pv.datasets.baseball())
    >>> found.condorcet_winner, found.unbeaten
    ('Milwaukee', ('Milwaukee',))
    >>> found.kemeny[:3], found.kemeny_exact, found.kemeny_distance
    (('Milwaukee', 'New York', 'Detroit'), True, 97.0)
    >>> found.cycles
    (('Detroit', 'Toronto', 'New York'),)
    """
    counts = as_counts(votes, criterion=criterion, folded=True)
    if counts.n_items > LIMITS.table_items:
        raise InputError(
            f"there are {counts.n_items:,} items; majorities are told of up to {LIMITS.table_items:,}, "
            "so rank them by bradley_terry or win_rate"
        )
    won, margins = pair_tables(counts)
    beats = margins > 0.0
    n_beaten, n_losses, n_level = beats.sum(axis=1), beats.sum(axis=0), (margins == 0.0).sum(axis=1)
    has_votes = n_beaten + n_losses + n_level > 0
    copeland = n_beaten + 0.5 * n_level
    # Items without votes stand last.
    components = Components.of(beats, np.where(has_votes, n_beaten - n_losses, -math.inf))
    members = components.members()
    best = np.argsort(-copeland, kind="stable")
    in_cycles = [best[np.isin(best, codes)].tolist() for codes in members if len(codes) > 1]

    def named(codes: Sequence[int]) -> Labels:
        return tuple(counts.items[code] for code in codes)

    winner = np.flatnonzero(n_beaten == counts.n_items - 1)
    return Majority(
        items=counts.items,
        won=won,
        margins=margins,
        condorcet_winner=counts.items[int(winner[0])] if len(winner) else None,
        unbeaten=named(best[((n_losses == 0) & has_votes)[best]].tolist()),
        copeland=copeland,
        smith_set=named(smith_set(beats).tolist()),
        schwartz_set=named(best[components.are_unbeaten()[components.component[best]]].tolist()),
        minimax=np.fmax.reduce(margins, axis=0, initial=math.nan),
        cycle_groups=tuple(map(named, in_cycles)),
        cycles=tuple(named(shortest_cycle(beats, codes[0])) for codes in in_cycles),
        _components=tuple(members),
    )
