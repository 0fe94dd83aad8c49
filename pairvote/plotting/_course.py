"""How a ranking took shape as the votes came in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._common.options import check_top_k
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import (
    QUIET,
    ROOMY,
    SHORT_WIDTH,
    canvas,
    label_inches,
    label_of,
    line_style,
    quieten,
    require_matplotlib,
    write,
)
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 30


class _Moment(NamedTuple):
    """The ranking by the first so many votes."""

    n_votes: int
    ranking: Ranking


def plot_course(votes: Votes, *, top_k: int = 5, n_steps: int = 30, ax: Axes | None = None) -> Axes:
    """Draw the bump chart: the Bradley-Terry rank of each item as the votes came in, the best k at the end in colour.

    Of up to 60 items all are drawn, of more the first 30 places.

    Parameters
    ----------
    votes : Votes
        In the order in which they were cast.
    top_k : int
        How many are drawn in colour, at most the number of items.
    n_steps : int
        At how many moments to rank, from 2.
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For an option out of range, fewer than two votes, votes on several criteria, and where matplotlib is not
        installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> ax = pv.plotting.plot_course(votes, ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel(), len(ax.get_lines())
    ('votes cast', 'place', 23)
    """
    require_matplotlib()
    moments = list(_moments(votes, top_k, n_steps, "none"))
    ranking = moments[-1].ranking
    n = ranking.n_items
    n_rows = n if n <= ROOMY else MOST_ROWS
    codes = np.argsort(ranking.ranks(), kind="stable")
    places = np.array([_places(moment.ranking) for moment in moments])
    shown = ranking.order()[: max(n_rows if n <= ROOMY else top_k, 1)]
    ax = canvas(ax, (6.5 + label_inches(shown, SHORT_WIDTH), 1.0 + 0.24 * max(n_rows, 12)))
    times = [moment.n_votes for moment in moments]
    for place, code in reversed(list(enumerate(codes.tolist()))):
        if place < top_k:
            ax.plot(times, places[:, code], linewidth=2.2, zorder=3, **line_style(place))
        else:
            ax.plot(times, places[:, code], linewidth=0.9, color=QUIET, zorder=2)
        if place < n_rows and (n <= ROOMY or place < top_k):
            colour = line_style(place)["color"] if place < top_k else "#606060"
            text = label_of(ranking.items[code], SHORT_WIDTH)
            at_end = ax.get_yaxis_transform()
            write(ax, 1.01, place + 1, text, color=colour, va="center", size=8, transform=at_end, clip_on=False)
    ax.set_ylim(n_rows + 0.6, 0.4)
    ax.set_yticks([1, *range(5, n_rows + 1, 5)])
    _along_votes(ax, times)
    ax.set_ylabel("place" if n_rows == n else f"place (the first {n_rows} of {n})")
    dress(ax)
    return ax


def plot_certainty(votes: Votes, *, top_k: int = 5, n_steps: int = 20, rng: Rng = None, ax: Axes | None = None) -> Axes:
    """Draw how sure it was that an item is among the best k, as the votes came in.

    In colour those that are the best k at the end, in grey whoever else had a chance of at least 10% at some time; in
    black, dashed, the mean chance of those who were the best k at the time. It is 1 when all is settled.

    Parameters
    ----------
    votes : Votes
        In the order in which they were cast.
    top_k : int
        Fewer than there are items.
    n_steps : int
        At how many moments to look, from 2.
    rng : None, int or numpy.random.Generator
        For `Ranking.top_k_probability`.
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For an option out of range, fewer than two votes, votes on several criteria, more than 4,000 items, and where
        matplotlib is not installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> ax = pv.plotting.plot_certainty(votes, n_steps=4, rng=1, ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('votes cast', 'probability to be among the best 5')
    """
    rng = generator(rng)
    require_matplotlib()
    moments = list(_moments(votes, top_k, n_steps, "model"))
    if top_k == votes.n_items:
        raise InputError(f"top_k is {top_k} and there are as many items, so all are certain; pass a smaller one")
    chances = np.array([moment.ranking.top_k_probability(top_k, rng=rng) for moment in moments])
    tops = [np.argsort(-moment.ranking.scores, kind="stable")[:top_k] for moment in moments]
    mean = [chance[best].mean() for chance, best in zip(chances, tops, strict=True)]
    ranking = moments[-1].ranking
    codes = np.argsort(ranking.ranks(), kind="stable")
    labels = [ranking.items[code] for code in codes[:top_k].tolist()]
    ax = canvas(ax, (6.5 + label_inches(labels, SHORT_WIDTH), 4.2))
    times = [moment.n_votes for moment in moments]
    for code in codes[top_k:].tolist():
        if chances[:, code].max() >= 0.1:
            ax.plot(times, chances[:, code], color=QUIET, linewidth=0.9, zorder=2)
    for place, code in enumerate(codes[:top_k].tolist()):
        ax.plot(times, chances[:, code], linewidth=2.0, label=f"place {place + 1}", zorder=3, **line_style(place))
    ax.plot(times, mean, color="black", linewidth=2.0, linestyle=(0, (1, 1)), label="mean of the best then", zorder=4)
    ax.set_ylim(0.0, 1.02)
    _along_votes(ax, times)
    ax.set_ylabel(f"probability to be among the best {top_k}")
    legend = ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    for text, label in zip(legend.get_texts(), labels, strict=False):
        # A legend would read a dollar sign as a formula, and leave out what begins with an underscore.
        text.set_text(label_of(label, SHORT_WIDTH))
        text.set_parse_math(False)
    dress(ax)
    return ax


def _along_votes(ax: Axes, times: list[int]) -> None:
    ax.set_xlim(times[0], times[-1])
    ax.set_xlabel("votes cast")
    quieten(ax, "top", "right")


def _moments(votes: Votes, top_k: int, n_steps: int, uncertainty: Literal["model", "none"]) -> Iterator[_Moment]:
    """Rankings by more and more of the votes, each fit beginning where the last ended."""
    if not isinstance(votes, Votes):
        raise InputError(f"votes is a {type(votes).__name__}; pass Votes in the order in which they were cast")
    votes = votes.select(None)
    if len(votes) < 2:
        raise InputError(f"there are {len(votes)} votes; a course needs at least 2")
    check_top_k(top_k, votes.n_items)
    if not is_whole(n_steps) or n_steps < 2:
        raise InputError(f"n_steps is {shorten(n_steps)}; it is a whole number from 2, such as 30")
    ends = np.unique(np.linspace(len(votes) / n_steps, len(votes), n_steps).round().astype(int))
    ranking = None
    row = np.arange(len(votes))
    for end in ends[ends > 0].tolist():
        ranking = bradley_terry(votes.where(row < end), start=ranking, uncertainty=uncertainty)
        yield _Moment(end, ranking)


def _places(ranking: Ranking) -> NDArray[np.int64]:
    """A place of its own for each item, level ones in their order."""
    places = np.empty(ranking.n_items, np.int64)
    places[np.argsort(ranking.ranks(), kind="stable")] = np.arange(1, ranking.n_items + 1)
    return places
