"""Voters and items on a map, so that camps are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pairvote.errors import InputError
from pairvote.groups._camps import Camps
from pairvote.groups._map import OpinionMap
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import (
    PALETTE,
    QUIET,
    SHORT_WIDTH,
    SMALL_LABEL_SIZE,
    canvas,
    label_of,
    quieten,
    require_matplotlib,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (7.0, 6.0)
MARKERS = "osD^vP*X<>"
# Items that are farthest out are named, since these are what voters differ about.
MOST_NAMED = 12
# How much of the voters' room items take.
ROOM = 1.1


def plot_opinion_map(found: Camps | OpinionMap, *, ax: Axes | None = None) -> Axes:
    """Draw voters and items in the two directions in which voters differ most; camps have colours and marks.

    Voters who stand together answer alike, and prefer the items on their side more than others do. Items are crosses,
    drawn on a scale of their own; the names of those farthest out are written. The picture shows voters scattered even
    where all are of one mind: whether there are camps `find_groups` says.

    Parameters
    ----------
    found : Camps or OpinionMap
        What `find_groups` or `groups.map_voters` gives.
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For anything else, and where matplotlib is not installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> two = pv.VoterModel(clusters=2, cluster_sd=1.5)
    >>> votes = pv.simulate(votes_each=40, voters=two, repetitions=1, rng=1).votes(0)
    >>> ax = pv.plotting.plot_opinion_map(pv.find_groups(votes, rng=1), ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['items', 'camp A (15)', 'camp B (15)']
    """
    require_matplotlib()
    if not isinstance(found, Camps | OpinionMap):
        raise InputError(
            f"found is a {type(found).__name__}",
            option="found",
            remedy="pass what find_groups or groups.map_voters gives",
        )
    opinions = found.map if isinstance(found, Camps) else found
    ax = canvas(ax, SIZE)
    voters, items = opinions.voter_places, opinions.item_places
    farthest = float(np.abs(items).max(initial=0.0))
    items = items * (ROOM * float(np.abs(voters).max(initial=0.0)) / farthest if farthest > 0.0 else 1.0)
    ax.scatter(*items.T, marker="+", color=QUIET, label="items", zorder=2)
    for label, who, colour, marker in _layers(found):
        ax.scatter(
            *voters[who].T, marker=marker, color=colour, edgecolors="white", linewidths=0.5, label=label, zorder=3
        )
    for code in np.argsort(-(items**2).sum(axis=1), kind="stable")[:MOST_NAMED].tolist():
        x, y = items[code].tolist()
        side = "left" if x >= 0.0 else "right"
        write(
            ax,
            x,
            y,
            f" {label_of(opinions.items[code], SHORT_WIDTH)} ",
            fontsize=SMALL_LABEL_SIZE,
            ha=side,
            va="center",
        )
    ax.set_xlabel(f"first direction ({opinions.shares[0]:.0%} of what voters differ in)")
    ax.set_ylabel(f"second direction ({opinions.shares[1]:.0%})")
    ax.margins(0.15)
    quieten(ax, "top", "right")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    dress(ax)
    return ax


def _layers(found: Camps | OpinionMap) -> list[tuple[str, list[int], str, str]]:
    """Voters that are drawn alike: the label, their places, colour and mark."""
    if isinstance(found, OpinionMap):
        return [("voters", list(range(len(found.voters))), PALETTE[0], MARKERS[0])]
    camps = [found.groups.get(voter) for voter in found.voters]
    layers = []
    for number, name in enumerate(found.names):
        who = [place for place, camp in enumerate(camps) if camp == name]
        layers.append((f"camp {name} ({len(who)})", who, PALETTE[number % len(PALETTE)], MARKERS[number]))
    coins = [place for place, camp in enumerate(camps) if camp is None]
    return [*layers, (f"in no camp ({len(coins)})", coins, QUIET, "o")] if coins else layers
