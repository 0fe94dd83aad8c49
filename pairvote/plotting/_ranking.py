"""The picture of a ranking: scores with their intervals, best on top."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import shorten
from pairvote._common.options import check_flag, check_top_k
from pairvote.errors import InputError
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import (
    COLOUR,
    MOST_LABELLED,
    ROOMY,
    canvas,
    fit_labels,
    name_rows,
    paler,
    quieten,
    require_matplotlib,
    row,
    rows_size,
    write,
)
from pairvote.ranking._results import quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pairvote.ranking._ranking import Intervals, Ranking

SHADE = "#F0F0F0"


def plot_ranking(
    ranking: Ranking,
    *,
    level: float = 0.95,
    top_k: int | None = None,
    intervals: Intervals = "confidence",
    tiers: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the scores, best on top: a dot each, and a bar for the interval where there are standard errors.

    Parameters
    ----------
    ranking : Ranking
    level : float
        Of the intervals.
    top_k : int, optional
        Draw only the best so many, with all that are level with the last of them.
    intervals : {"confidence", "comparison"}
        "confidence": of each centred score on its own. "comparison": of the scores' quasi-variances, for judging two
        items by their bars, where confidence intervals mislead. The interval of a difference reaches as far as the
        root of the summed squares of the two bars' reaches; so two items whose bars do not overlap differ at
        `level`, and two whose bars overlap a little may as well. How well this holds is written under the picture.
    tiers : bool
        Shade every other of `Ranking.tiers` at `level`, and name them at the right.
    ax : matplotlib Axes, optional
        Where to draw. By default on a figure of its own, made by pyplot, whose size suits the number of items
        and the length of their labels.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For a `level` or `top_k` out of range, for a ranking of no items, and where matplotlib is not installed. For
        comparison intervals also where `Ranking.quasi_variances` has none, or a negative one.
    MissingUncertaintyError
        For comparison intervals and tiers where the scorer has no covariance; confidence intervals are then left out.

    Notes
    -----
    Labels longer than 70 characters are cut; over 300 items, places are numbered instead. Characters that the font
    lacks are drawn with installed fonts that have them; a warning names those that no font has, and the package to
    install.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash", "birch"], ["birch", "cedar"]))
    >>> ax = pv.plotting.plot_ranking(ranking, ax=Figure().subplots())
    >>> ax.get_xlabel(), [label.get_text() for label in ax.get_yticklabels()]
    ('score (log-odds) with 95% intervals', ['ash', 'birch', 'cedar'])
    """
    require_matplotlib()
    codes = best_codes(ranking, top_k)
    bars = _bars(ranking, level, intervals)
    groups = _tiers(ranking, level, tiers)
    given = ax
    ax = canvas(given, rows_size([ranking.items[code] for code in codes]))
    if given is None:
        fit_labels(ax, len(codes))
    _draw(ranking, codes, bars, groups, ax)
    dress(ax)
    return ax


def save_ranking(
    ranking: Ranking,
    path: str | os.PathLike[str],
    *,
    level: float = 0.95,
    top_k: int | None = None,
    intervals: Intervals = "confidence",
    tiers: bool = False,
) -> None:
    """Save the picture of `plot_ranking` to a file, without pyplot and so without a screen or global state.

    Parameters
    ----------
    ranking : Ranking
    path : str or path
        With a suffix that matplotlib can write, such as .png, .svg or .pdf.
    level, top_k, intervals, tiers
        As in `plot_ranking`.

    Raises
    ------
    InputError
        For a suffix that matplotlib cannot write, and as `plot_ranking`.
    MissingUncertaintyError
        As `plot_ranking`.
    OSError
        Where the file cannot be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import pairvote as pv
    >>> ranking = pv.tally(pv.Votes.from_wins(["ash"], ["birch"]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture = pathlib.Path(folder, "ranking.png")
    ...     pv.plotting.save_ranking(ranking, picture)
    ...     picture.read_bytes()[1:4]
    b'PNG'
    """
    check_picture(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    codes = best_codes(ranking, top_k)
    bars = _bars(ranking, level, intervals)
    groups = _tiers(ranking, level, tiers)
    figure: Figure = Figure(figsize=rows_size([ranking.items[code] for code in codes]), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    fit_labels(ax, len(codes))
    _draw(ranking, codes, bars, groups, ax)
    dress(ax)
    try:
        with warnings.catch_warnings():
            # What it says of each glyph, `dress` has said of all.
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            figure.savefig(path, dpi=150)
    except OSError:
        raise
    except Exception as error:
        # Formats are written by other programs, LaTeX and Pillow among them, which may raise anything.
        raise _unsaved(path, str(error) or type(error).__name__) from error


def check_picture(path: str | os.PathLike[str]) -> None:
    """InputError unless matplotlib is installed and can write a file with this suffix."""
    require_matplotlib()
    from matplotlib import rcParams
    from matplotlib.backend_bases import FigureCanvasBase

    known = set(FigureCanvasBase.get_supported_filetypes())
    suffix = os.path.splitext(os.fspath(path))[1].lower().removeprefix(".")
    latex = rcParams["pgf.texsystem"]
    if "pgf" in known and shutil.which(latex) is None:
        if suffix == "pgf":
            raise _unsaved(path, f"that takes LaTeX, and there is no {latex} here")
        known.remove("pgf")
    if suffix not in known:
        raise _unsaved(path, f"its suffix must be one of {', '.join(f'.{name}' for name in sorted(known))}")


def _unsaved(path: str | os.PathLike[str], reason: str) -> InputError:
    return InputError(
        f"the picture cannot be saved as {shorten(os.fspath(path), 300)}: {reason}",
        option="path",
        value=os.fspath(path),
        remedy="choose another name, such as ranking.png, ranking.svg or ranking.pdf",
    )


def best_codes(ranking: Ranking, top_k: int | None) -> list[int]:
    """The codes of what to draw, best first."""
    if not ranking.n_items:
        raise InputError("there are no items to draw; rank some votes first")
    if top_k is not None:
        check_top_k(top_k, ranking.n_items)
    labels = ranking.order() if top_k is None else ranking.top(top_k)
    code_of = {label: code for code, label in enumerate(ranking.items)}
    return [code_of[label] for label in labels]


# The low and the high ends of all items, and what they are.
Bars = tuple[NDArray[np.float64], NDArray[np.float64], str]


def _confidence(ranking: Ranking, level: float) -> Bars | None:
    if ranking._uncertainty is None:
        return None
    return *ranking.confidence_interval(level), f"with {100 * level:g}% intervals"


def _comparison(ranking: Ranking, level: float) -> Bars:
    quasi = ranking.quasi_variances
    if (quasi < 0.0).any():
        raise InputError(
            f"the quasi-variance of {shorten(ranking.items[quasi.argmin()])} is negative and so has no root to draw; "
            "use intervals='confidence'"
        )
    reach = quantile(level, ranking._known_uncertainty().degrees_of_freedom) * np.sqrt(quasi)
    words = (
        f"with {100 * level:g}% comparison intervals\n"
        f"(standard errors of differences to within {ranking.quasi_variance_error:.1%})"
    )
    return ranking.scores - reach, ranking.scores + reach, words


_INTERVALS: dict[str, Callable[[Ranking, float], Bars | None]] = {"confidence": _confidence, "comparison": _comparison}


def _bars(ranking: Ranking, level: float, intervals: Intervals) -> Bars | None:
    if intervals not in list(_INTERVALS):
        raise InputError(f"intervals is {intervals!r}; use {' or '.join(map(repr, _INTERVALS))}")
    return _INTERVALS[intervals](ranking, level)


def _tiers(ranking: Ranking, level: float, wanted: bool) -> NDArray[np.int64] | None:
    check_flag("tiers", wanted)
    return ranking.tiers(level, rng=0) if wanted else None


def _draw(ranking: Ranking, codes: list[int], bars: Bars | None, groups: NDArray[np.int64] | None, ax: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    labels = [ranking.items[code] for code in codes]
    places = list(range(1, len(codes) + 1))
    dot, bar = (1.5, 0.5) if len(codes) > MOST_LABELLED else (3.5, 1.5) if len(codes) > ROOMY else (5.0, 2.0)
    title = f"score ({ranking.unit})"
    if bars is not None:
        low, high, words = bars
        ax.hlines(places, low[codes], high[codes], color=paler(COLOUR, 0.55), linewidth=bar, zorder=2)
        title += f" {words}"
    ax.plot(ranking.scores[codes], places, "o", color=COLOUR, markersize=dot, zorder=3)
    name_rows(ax, labels)
    if groups is not None:
        _shade(ax, groups[codes])
    ax.set_xlabel(title)
    if ranking.unit == "votes":
        ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    quieten(ax, "top", "right", "left")


def _shade(ax: Axes, tiers: NDArray[np.int64]) -> None:
    """A band behind every other tier, and the number of each at the right."""
    size = row(len(tiers))[1]
    for tier in np.unique(tiers).tolist():
        first, last = (np.flatnonzero(tiers == tier)[[0, -1]] + 1).tolist()
        if tier % 2:
            ax.axhspan(first - 0.5, last + 0.5, color=SHADE, zorder=0, linewidth=0)
        write(
            ax, 1.01, 0.5 * (first + last), f"tier {tier}", transform=ax.get_yaxis_transform(), va="center", size=size
        )
