r"""A map of voters and items: in which two directions voters depart most from what they have in common.

With :math:`s` the scores of all voters together, voter v sees item i at :math:`s_i + u_{vi}`. A Newton step by the
diagonal from :math:`u = 0` under a prior Normal(0, sigma), sigma the spread of the scores, is

.. math:: \hat u_{vi} = \frac{g_{vi}}{h_{vi} + 1 / \sigma^2}

with :math:`g_{vi}` the gradient of voter v's votes by the score of item i and :math:`h_{vi}` their information. An item
that a voter was not asked about stays at 0, in the middle. The map is the best approximation of rank two,

.. math:: \hat u_{vi} - \bar u_i \approx x_{v1} y_{i1} + x_{v2} y_{i2},

by principal components: voters who stand together answer alike, and a voter prefers the items of the own direction more
than others do.

References
----------
Small, Bjorkegren, Erkkilä, Shaw and Megill (2021), "Polis: Scaling deliberation by mapping high dimensional opinion
spaces", Recerca 26, who draw principal components of votes. Eckart and Young (1936), Psychometrika 1. Gabriel (1971),
"The biplot graphic display of matrices", Biometrika 58.
"""

from __future__ import annotations

import html
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import restore
from pairvote._common.messages import plural
from pairvote._common.options import check_flag
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote.groups._find_cells import VoterCells
from pairvote.groups._find_mixture import Common, leading
from pairvote.votes._votes import Votes

N_AXES = 2
# Items of a printed table, and the most cells of their labels.
MOST_ITEMS, LABEL_WIDTH = 8, 48


@dataclass(frozen=True, eq=False, kw_only=True)
class OpinionMap:
    """Voters and items in two dimensions; `map_voters` makes one, and `Camps.map` is one.

    Attributes
    ----------
    voters, items : tuples of labels
    voter_places : float64 array, shape (n_voters, 2)
        Where each voter stands: how many log-odds more than others the voter gives an item at 1 of that axis.
    item_places : float64 array, shape (n_items, 2)
        Where each item stands; the mean square of each axis is 1, and its largest entry is positive.
    shares : float64 array, shape (2,)
        The part of what voters differ in that each axis shows, from 0 to 1.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.groups.map_voters(pv.datasets.kalmar().simulated_votes(rng=2014))
    >>> found.voter_places.shape, found.item_places.shape
    ((30, 2), (23, 2))
    """

    voters: tuple[Hashable, ...]
    items: tuple[Hashable, ...]
    voter_places: NDArray[np.float64]
    item_places: NDArray[np.float64]
    shares: NDArray[np.float64]

    __setstate__ = restore

    def __post_init__(self) -> None:
        for array in (self.voter_places, self.item_places, self.shares):
            array.flags.writeable = False

    def __repr__(self) -> str:
        return f"OpinionMap({plural(len(self.voters), 'voter')}, {plural(len(self.items), 'item')})"

    def __str__(self) -> str:
        head, headings, rows = self._table()
        return "\n".join([head, *text_lines(headings, rows, (0,))])

    def _repr_html_(self) -> str:
        head, headings, rows = self._table()
        return f"<p>{html.escape(head)}</p>{html_table(headings, rows, (0,))}"

    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
        """What the axes show, and the items that stand furthest out."""
        first, second = self.shares.tolist()
        head = (
            f"Map of {plural(len(self.voters), 'voter')} and {plural(len(self.items), 'item')}: the axes show "
            f"{first:.0%} and {second:.0%} of what voters differ in; the items furthest out"
        )
        order = np.argsort(-np.square(self.item_places).sum(axis=1), kind="stable")[:MOST_ITEMS].tolist()
        rows = [
            (as_label(self.items[item], LABEL_WIDTH), *(f"{place:+.2f}" for place in self.item_places[item].tolist()))
            for item in order
        ]
        return head, ("item", "first axis", "second axis"), rows

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each voter and then for each item: what it is, its label, and where it stands as x and y."""
        places = np.concatenate([self.voter_places, self.item_places])
        return {
            "kind": ["voter"] * len(self.voters) + ["item"] * len(self.items),
            "label": [*self.voters, *self.items],
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
        }


def map_voters(votes: Votes, *, position: bool = False, criterion: Hashable | None = None) -> OpinionMap:
    r"""Place voters and items in two dimensions, so that voters who answer alike stand together.

    Voter v sees item i at :math:`s_i + u_{vi}`, where s are the scores of all voters together. The map shows the first
    two principal components of estimates of u, shrunken towards 0 where a voter's votes say little. It is a picture,
    no test: also voters who are all of one mind are spread over it, by chance. `find_groups` says whether there are
    camps.

    Parameters
    ----------
    votes : Votes
        Votes of unknown voters are left out.
    position : bool
        Whether standing on the left may add something, alike for all voters.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, votes that do not say who voted, and for more than
        500 items.

    References
    ----------
    Small et al. (2021), "Polis: Scaling deliberation by mapping high dimensional opinion spaces", Recerca 26. Gabriel
    (1971), "The biplot graphic display of matrices", Biometrika 58.

    Examples
    --------
    >>> import pairvote as pv
    >>> two = pv.VoterModel(clusters=2, cluster_sd=1.5)
    >>> found = pv.groups.map_voters(pv.simulate(votes_each=40, voters=two, repetitions=1, rng=1).votes(0))
    >>> right = found.voter_places[:, 0] > 0.0
    >>> bool(right[::2].all() != right[1::2].all())      # voters 0, 2, 4, ... are one camp, the others the other
    True
    """
    check_flag("position", position)
    return map_of(VoterCells.of(votes, criterion, position=bool(position)))


def map_of(cells: VoterCells) -> OpinionMap:
    """The map of cells."""
    pooled = Common.pooled(cells)
    places, axes, shares = leading(cells.departures(pooled.scores, pooled.sigma), N_AXES)
    scale = math.sqrt(cells.n_items)
    return OpinionMap(
        voters=cells.voters,
        items=cells.rows.items,
        voter_places=places / scale,
        item_places=axes * scale,
        shares=shares,
    )
