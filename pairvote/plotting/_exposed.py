"""How often each item was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import (
    COLOUR,
    CONTRAST,
    MOST_LABELLED,
    QUIET,
    ROOMY,
    canvas,
    fit_labels,
    name_rows,
    quieten,
    require_matplotlib,
    rows_size,
)
from pairvote.scoring._tally import win_rate
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_exposure(votes: Votes, *, ax: Axes | None = None) -> Axes:
    """Draw how often each item was asked about on each side, and how often it was skipped; the highest win rate on top.

    Bars of one length mean that all had the same chance; bars that shrink downwards, that the better were asked about
    more often, as adaptive sampling does.

    Parameters
    ----------
    votes : Votes
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For votes on no items or several criteria, and where matplotlib is not installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> ax = pv.plotting.plot_exposure(pv.datasets.baseball(), ax=Figure().subplots())
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('questions with the item (votes)', ['on the left', 'on the right'])
    """
    require_matplotlib()
    if not isinstance(votes, Votes):
        raise InputError(f"votes is a {type(votes).__name__}; pass Votes")
    ranking = win_rate(votes.select(None))
    if not ranking.n_items:
        raise InputError("there are no items to draw; pass votes on some")
    codes = np.argsort(ranking.ranks(), kind="stable")
    labels = ranking.order()
    skipped = votes.outcome == Outcome.SKIP
    counts = {
        "on the left": np.bincount(votes.left[~skipped], minlength=votes.n_items),
        "on the right": np.bincount(votes.right[~skipped], minlength=votes.n_items),
        "skipped": np.bincount(np.concatenate([votes.left[skipped], votes.right[skipped]]), minlength=votes.n_items),
    }
    given = ax
    ax = canvas(given, rows_size(labels))
    places = np.arange(1, len(codes) + 1)
    start = np.zeros(len(codes))
    height = 0.75 if len(codes) <= MOST_LABELLED else 1.0
    for (what, count), colour in zip(counts.items(), (COLOUR, CONTRAST, QUIET), strict=True):
        if count.any() or what != "skipped":
            ax.barh(places, count[codes], left=start, height=height, color=colour, label=what)
            start = start + count[codes]
    name_rows(ax, labels)
    if given is None:
        fit_labels(ax, len(codes))
    ax.set_xlim(0, max(float(start.max()), 1.0) * 1.02)
    ax.set_xlabel("questions with the item (votes)")
    quieten(ax, "top", "right", "left")
    ax.grid(visible=False, axis="y")
    # Above the scale, where that is repeated on top.
    above = 2.0 if len(codes) > ROOMY and given is None else 0.2
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, borderaxespad=above)
    dress(ax)
    return ax
