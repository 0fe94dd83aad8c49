"""The chance of every item against every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pairvote.plotting._fonts import dress
from pairvote.plotting._ranking import best_codes
from pairvote.plotting._style import (
    COLOUR,
    CONTRAST,
    ROOMY,
    canvas,
    fit_labels,
    label_inches,
    name_rows,
    require_matplotlib,
    row,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pairvote.ranking._ranking import Ranking


def plot_probabilities(ranking: Ranking, *, top_k: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw the chance that one item is picked over another, of all pairs: blue where it is the row's, orange where not.

    Over 60 items, places are numbered instead of labelled.

    Parameters
    ----------
    ranking : Ranking
        By elo or bradley_terry.
    top_k : int, optional
        Draw only the best so many, with all that are level with the last of them.
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For a `top_k` out of range, a scorer without a model of votes, more than 4,000 items, and where matplotlib is
        not installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> ax = pv.plotting.plot_probabilities(pv.bradley_terry(pv.datasets.baseball()), ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_yticklabels()[0].get_text()
    ('place of the other item', 'Milwaukee')
    """
    require_matplotlib()
    codes = best_codes(ranking, top_k)
    from matplotlib.colors import LinearSegmentedColormap

    labels = [ranking.items[code] for code in codes]
    chances = ranking.probability_matrix()[codes][:, codes]
    n = len(codes)
    # More labels than this would make the picture too large to see as one.
    numbered = n > ROOMY
    side = 8.0 if numbered else max(2.5, n * row(n)[0])
    room = 0.5 if numbered else 0.85 * label_inches(labels)
    given = ax
    ax = canvas(given, (side + room + 1.4, side + 0.8))
    colours = LinearSegmentedColormap.from_list("pairvote", [CONTRAST, "white", COLOUR])
    image = ax.imshow(
        chances, cmap=colours, vmin=0.0, vmax=1.0, extent=(0.5, n + 0.5, n + 0.5, 0.5), interpolation="nearest"
    )
    bar = ax.figure.colorbar(image, ax=ax, shrink=min(1.0, 6.0 / side), pad=0.02, aspect=25)
    bar.set_label("chance that the row's item is picked")
    bar.outline.set_visible(False)
    ax.set_xlabel("place of the other item")
    every_tenth = [1, *range(10, n + 1, 10 if n <= 300 else 100)]
    ax.set_xticks(every_tenth if n > ROOMY // 2 else range(1, n + 1))
    if numbered:
        ax.set_yticks(every_tenth)
        ax.set_ylabel("place of the item")
    else:
        name_rows(ax, labels)
        ax.set_ylim(n + 0.5, 0.5)
        if given is None:
            fit_labels(ax, n)
    ax.spines[:].set_visible(False)
    dress(ax)
    return ax
