"""The picture of groups beside each other: a line for each item, from its score by one group to that by the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural, wrong_option
from pairvote._common.options import chosen_top_k
from pairvote.errors import InputError
from pairvote.groups._comparison import GroupComparison
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import (
    COLOUR,
    CONTRAST,
    QUIET,
    SHORT_WIDTH,
    canvas,
    label_inches,
    label_of,
    quieten,
    require_matplotlib,
    row,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
MOST_ITEMS = 200
# Inches between groups, and what stands above and below them.
APART, AROUND = 2.6, 1.1
# How far labels stand from the dots, as a part of the distance between two groups, and a leader's ends.
LABEL_AT, LEADER = 0.09, (0.015, 0.08)


def plot_slopes(comparison: GroupComparison, *, top_k: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the scores by every group beside each other, with a line for each item: steep where groups differ.

    Items on which two groups clearly differ are in one colour, those in the top k of every group in another, all others
    in grey.

    Parameters
    ----------
    comparison : GroupComparison
        Of `pairvote.compare_groups`.
    top_k : int, optional
        By default 5, and of fewer than six items all except one.
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own, whose size suits the number of items and groups.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For `top_k` out of range, more than 200 items, and where matplotlib is not installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
    >>> groups = {voter: ("public", "business")[voter % 2] for voter in range(30)}
    >>> ax = pv.plotting.plot_slopes(pv.compare_groups(sim.votes(0), groups), ax=Figure(figsize=(6, 7)).subplots())
    >>> [label.get_text() for label in ax.get_xticklabels()], len(ax.get_lines()) >= 23
    (['public', 'business'], True)
    """
    require_matplotlib()
    if not isinstance(comparison, GroupComparison):
        raise InputError(f"comparison is a {type(comparison).__name__}; pass what pairvote.compare_groups returns")
    if comparison.n_items > MOST_ITEMS:
        raise wrong_option("comparison", comparison, f"slopes are drawn of up to {plural(MOST_ITEMS, 'item')}")
    top_k = chosen_top_k(top_k, comparison.n_items)
    n_groups, n_items = len(comparison.groups), comparison.n_items
    row_height, size = row(n_items)
    width = APART * n_groups + 2.0 * label_inches(comparison.items, SHORT_WIDTH)
    ax = canvas(ax, (width, AROUND + n_items * row_height))
    scores = np.array([comparison.rankings[group].scores for group in comparison.groups])
    clear = {difference.item for difference in comparison.clear_differences()}
    shared = set(comparison.shared_top(top_k))
    for place, item in enumerate(comparison.items):
        colour, wide = (CONTRAST, 2.0) if item in clear else (COLOUR, 1.6) if item in shared else (QUIET, 1.0)
        front = 2 if colour == QUIET else 3
        ax.plot(range(n_groups), scores[:, place], "o-", color=colour, linewidth=wide, markersize=4.0, zorder=front)
    _write_labels(ax, comparison, scores, size)
    # Labels are the voters' words: a dollar sign in them is no formula.
    ax.set_xticks(range(n_groups), [label_of(group, SHORT_WIDTH) for group in comparison.groups], parse_math=False)
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("score (log-odds)")
    ax.set_xlabel(_words(bool(clear), bool(shared), top_k, comparison.level))
    quieten(ax, "top", "right", "left", "bottom")
    ax.grid(visible=False, axis="x")
    dress(ax)
    return ax


def _words(clear: bool, shared: bool, top_k: int, level: float) -> str:
    told = [f"orange: groups clearly differ ({level:.0%} for all at once)"] if clear else []
    told += [f"blue: in the top {top_k} of every group"] if shared else []
    return "\n".join(told) or "no item on which groups clearly differ"


def _write_labels(ax: Axes, comparison: GroupComparison, scores: Floats, size: float) -> None:
    """The items' names at both ends, moved apart where they would lie on each other, with a line to the dot."""
    last = len(scores) - 1
    low, high = float(scores.min()), float(scores.max())
    # A line of text is about 1.25 of its size high; a point is 1/72 inch.
    inches = ax.get_window_extent().height / ax.figure.dpi
    gap = 1.25 * size / 72.0 / max(inches, 0.5)
    room = max(high - low, 1e-6)
    for column, away, align in ((0, -1.0, "right"), (last, 1.0, "left")):
        places = spread_out(scores[column], gap * room)
        for place, item in enumerate(comparison.items):
            y = float(places[place])
            ends = [column + away * end for end in LEADER]
            ax.plot(ends, [scores[column, place], y], color=QUIET, linewidth=0.5, zorder=1)
            write(
                ax,
                column + away * LABEL_AT,
                y,
                label_of(item, SHORT_WIDTH),
                ha=align,
                va="center",
                size=size,
                clip_on=False,
            )
        low, high = min(low, float(places.min())), max(high, float(places.max()))
    edge = 0.03 * (high - low) + 1e-6
    ax.set_ylim(low - edge, high + edge)
    side = label_inches(comparison.items, SHORT_WIDTH) / APART + 2.0 * LABEL_AT
    ax.set_xlim(-side, last + side)


def spread_out(values: Floats, gap: float) -> Floats:
    """Places as near to the values as they can be with at least so much between any two: float64, shape (n,).

    In order of the values, places less multiples of the gap must not fall; the nearest such numbers are those of
    isotonic regression, by pooling neighbours that are out of order.
    """
    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    pools: list[tuple[float, int]] = []
    for value in (values[order] - steps).tolist():
        mean, size = value, 1
        while pools and pools[-1][0] > mean:
            before, n = pools.pop()
            mean, size = (before * n + mean * size) / (n + size), n + size
        pools.append((mean, size))
    places = np.empty(len(values))
    places[order] = np.repeat([mean for mean, _ in pools], [size for _, size in pools]) + steps
    return places
