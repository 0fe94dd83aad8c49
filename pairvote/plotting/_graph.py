"""Who was compared with whom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import (
    COLOUR,
    CONTRAST,
    PALETTE,
    QUIET,
    ROOMY,
    SHORT_WIDTH,
    canvas,
    label_inches,
    label_of,
    require_matplotlib,
    write,
)
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import as_counts
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ITEMS = 1_000


def plot_comparisons(votes: Votes | PairCounts, *, ax: Axes | None = None) -> Axes:
    """Draw the comparison graph: items on a circle, clockwise from the best, and a line for each pair compared.

    A line is the thicker the more votes the pair has, and orange where the lower-ranked item won most of them. A dot is
    the larger the more often its item was asked about, hollow where nobody was; each component that no vote connects to
    the others has a colour of its own.

    Parameters
    ----------
    votes : Votes or PairCounts
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For votes on no items, more than 1,000 or several criteria, and where matplotlib is not installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> ax = pv.plotting.plot_comparisons(pv.datasets.baseball(), ax=Figure().subplots())
    >>> len(ax.collections[0].get_segments()), ax.get_xlabel().splitlines()[0]
    (21, '7 items, 21 of 21 pairs compared, 273 votes')
    """
    require_matplotlib()
    from matplotlib.collections import LineCollection

    counts = as_counts(votes, folded=True)
    n = counts.n_items
    if not 0 < n <= MOST_ITEMS:
        raise InputError(f"there are {n:,} items; the graph is drawn of 1 to {MOST_ITEMS:,}")
    ranking = bradley_terry(counts, uncertainty="none")
    labels = ranking.order()
    place = np.empty(n, np.intp)
    place[np.argsort(ranking.ranks(), kind="stable")] = np.arange(n)
    angle = 0.5 * math.pi - 2.0 * math.pi * place / n
    points = np.column_stack([np.cos(angle), np.sin(angle)])
    asked, components = ranking.asked, ranking.components

    room = label_inches(labels, SHORT_WIDTH) if n <= ROOMY else 0.4
    ax = canvas(ax, (6.0 + 2.0 * room, 6.6 + min(room, 0.8)))
    total = counts.table.sum(axis=1)
    lead = counts.table[:, Outcome.LEFT] - counts.table[:, Outcome.RIGHT]
    upset = lead * (place[counts.left] - place[counts.right]) > 0
    # The many that went as expected below, the few that did not above.
    order = np.argsort(upset, kind="stable")
    ends = np.stack([points[counts.left], points[counts.right]], axis=1)[order]
    widths = (0.6 + 2.4 * total / max(float(total.max(initial=0.0)), 1.0)) * min(1.0, math.sqrt(ROOMY / n))
    faint = min(1.0, 12.0 * math.sqrt(n) / max(counts.n_pairs, 1))
    lines = LineCollection(
        list(ends),
        colors=[CONTRAST if one else QUIET for one in upset[order].tolist()],
        linewidths=widths[order],
        alpha=max(0.15, min(0.7, 1.5 * faint)),
        zorder=1,
    )
    ax.add_collection(lines)
    many = components.max(initial=0) > 0
    colours = [PALETTE[c % len(PALETTE)] if many else COLOUR for c in components.tolist()]
    sizes = (12.0 + 70.0 * asked / max(float(asked.max(initial=0.0)), 1.0)) * min(1.0, ROOMY / n)
    faces = [colour if times else "white" for colour, times in zip(colours, asked.tolist(), strict=True)]
    ax.scatter(points[:, 0], points[:, 1], s=sizes, c=faces, edgecolors=colours, linewidths=1.0, zorder=2)
    for code, where in enumerate(place.tolist()):
        if n <= ROOMY:
            text = label_of(ranking.items[code], SHORT_WIDTH)
        elif where == 0 or ((where + 1) % 10 == 0 and where < n - 3):
            text = f"{where + 1}"
        else:
            continue
        x, y = (1.06 * points[code]).tolist()
        side = "center" if abs(x) < 0.05 else "left" if x > 0 else "right"
        write(ax, x, y, text, ha=side, va="bottom" if y > 1 else "top" if y < -1 else "center", size=8)
    ax.set_aspect("equal")
    ax.set_xlim(-1.12, 1.12)
    ax.set_ylim(-1.12, 1.12)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    pairs = f"{counts.n_pairs:,} of {n * (n - 1) // 2:,} pairs compared"
    numbered = "" if n <= ROOMY else ", numbered by place"
    ax.set_xlabel(
        f"{n:,} items{numbered}, {pairs}, {counts.total:,.10g} votes\norange: the lower-ranked item won most of them",
        labelpad=14,
    )
    dress(ax)
    return ax
