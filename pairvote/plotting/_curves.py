"""What experiments found, as curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.plotting._fonts import dress
from pairvote.plotting._style import canvas, label_of, line_style, quieten, require_matplotlib
from pairvote.ranking._results import normal_quantile
from pairvote.simulation._table import HEADINGS, METRICS, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNITS = {"regret": "log-odds", "rmse": "log-odds", "exposure_range": "questions"}
MOST_CURVES = 21


def plot_experiment(
    table: Table, *, x: str, metric: str = "overlap", level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw a metric of simulations along one of their settings: a curve for each combination of the others.

    The bands are normal intervals of the means, each for itself: two curves whose bands touch may still differ, which
    `Table.difference` tells.

    Parameters
    ----------
    table : Table
        Of `pairvote.experiment`.
    x : str
        The setting to go along, of numbers, such as "votes_each".
    metric : str
        One of those of `Table`.
    level : float
        Of the bands.
    ax : matplotlib Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    InputError
        For an unknown setting or metric, a setting that is no number, more than 21 curves, and where matplotlib is not
        installed.

    Examples
    --------
    >>> import pairvote as pv
    >>> from matplotlib.figure import Figure
    >>> table = pv.experiment(methods="tally", votes_each=[5, 10, 20], repetitions=50, rng=1)
    >>> ax = pv.plotting.plot_experiment(table, x="votes_each", ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('votes_each', 'overlap (share)', ['Uniform()', 'Balanced()'])
    """
    require_matplotlib()
    if not isinstance(table, Table):
        raise InputError(f"table is a {type(table).__name__}; pass what pairvote.experiment returns")
    if metric not in METRICS:
        raise InputError(f"metric is {shorten(metric)}; use one of {listed(METRICS)}")
    reach = normal_quantile(level)
    settings = [dict(row.setting) for row in table.rows]
    known = [name for name, value in settings[0].items() if isinstance(value, (int, float))] if settings else []
    if x not in known:
        raise InputError(f"x is {shorten(x)}; the settings that are numbers are {listed(known)}, so name one of them")
    # Whatever all curves share is not worth a name.
    told = [name for name in settings[0] if name != x and len({repr(setting[name]) for setting in settings}) > 1]
    columns = table.to_columns()
    curves: dict[tuple[Any, ...], list[tuple[float, float, float]]] = {}
    for setting, mean, error in zip(settings, columns[metric], columns[f"{metric}_error"], strict=True):
        if mean is not None:
            curves.setdefault(tuple(setting[name] for name in told), []).append((setting[x], mean, error or 0.0))
    if not curves:
        raise InputError(f"no method of the table has {metric!r}; use one of {listed(METRICS)}")
    if len(curves) > MOST_CURVES:
        raise InputError(
            f"there are {len(curves)} curves; vary fewer settings, so that there are at most {MOST_CURVES}"
        )
    ax = canvas(ax, (9.5, 4.2))
    labels = [", ".join(label_of(value, 40) for value in names) or metric for names in curves]
    for number, points in enumerate(curves.values()):
        along, mean, error = np.array(sorted(points)).T
        style = line_style(number)
        ax.fill_between(
            along, mean - reach * error, mean + reach * error, color=style["color"], alpha=0.15, linewidth=0
        )
        ax.plot(along, mean, marker="o", markersize=4, linewidth=1.8, label=f"curve {number}", **style)
    quieten(ax, "top", "right")
    ax.set_xlabel(x)
    ax.set_ylabel(f"{HEADINGS.get(metric, metric)}{f' ({UNITS[metric]})' if metric in UNITS else _share(metric)}")
    legend = ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        # A legend would read a dollar sign as a formula.
        text.set_text(label)
        text.set_parse_math(False)
    dress(ax)
    return ax


def _share(metric: str) -> str:
    return " (share)" if metric in ("exact", "overlap", "coverage") else ""
