"""Means over simulated votes, each with its standard error, as a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.frames import Backend, make_frame
from pairvote._common.messages import listed, shorten
from pairvote._common.tables import html_table, text_lines
from pairvote.errors import InputError
from pairvote.ranking._results import Difference
from pairvote.sampling._registry import sampler_named
from pairvote.sampling._stream import Sampler
from pairvote.simulation._voters import VoterModel

Floats = NDArray[np.float64]
METRICS = ("exact", "overlap", "regret", "kendall_tau", "spearman", "rmse", "coverage", "exposure_range")
HEADINGS = {"kendall_tau": "Kendall's tau", "exposure_range": "exposure range"}
MOST_DECIMALS = 6


@dataclass(frozen=True, eq=False, kw_only=True)
class Row:
    """One line: what was simulated, and of each block of repetitions the sums of its metrics and of their squares.

    sums, squares: float64, shape (n_blocks, n_metrics), nan where a scorer has no such metric. sizes: int64, shape
    (n_blocks,).
    """

    setting: Mapping[str, Any]
    sizes: NDArray[np.int64]
    sums: Floats
    squares: Floats

    @property
    def n(self) -> int:
        """How many repetitions there are."""
        return int(self.sizes.sum())

    @property
    def means(self) -> Floats:
        """The mean of each metric."""
        return np.asarray(self.sums.sum(axis=0) / self.n)

    @property
    def errors(self) -> Floats:
        """The standard error of each mean."""
        n, means = self.n, self.means
        # Rounding may leave a little less than nothing.
        variances = np.maximum(self.squares.sum(axis=0) / n - means**2, 0.0)
        return np.sqrt(variances / (n - 1))


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Table:
    """What simulations found: a row for each method and setting, the mean of each metric and its standard error.

    Attributes
    ----------
    rows : tuple of Row
        Samplers and voter models stand in `Row.setting` as objects; they are printed in tables and frames.

    Notes
    -----
    exact
        The share of repetitions whose best k are exactly the true ones.
    overlap
        The share of the true best k among those found.
    regret
        How much stronger the true best k are than those found, on average, in log-odds.
    kendall_tau, spearman
        Tau-b and the correlation of the ranks, of scores and strengths; 0 where all scores are level.
    rmse
        The root mean square error of the scores in log-odds, both sides centred, for scorers that give log-odds.
    coverage
        The share of items whose interval, as `Ranking.confidence_interval` gives it, holds the centred strength, for
        scorers that give intervals.
    exposure_range
        How often the item shown most often was shown, less the same of the one shown least often.

    Items level at the k-th place are taken by lot: the figures are expectations over the draw.

    Examples
    --------
    >>> import pairvote as pv
    >>> table = pv.simulate(repetitions=50, rng=1).evaluate(methods=("tally", "bradley-terry"))
    >>> round(table.mean("overlap", method="tally"), 3), round(table.error("overlap", method="tally"), 3)
    (0.801, 0.02)
    """

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, **setting: Any) -> Row:
        """The one row of this setting, such as ``method="elo"``; a sampler is an object, or one of the known names.

        Raises
        ------
        InputError
            Where there is none, or more than one.
        """
        for name in setting:
            if not any(name in row.setting for row in self.rows):
                known = listed(dict.fromkeys(name for row in self.rows for name in row.setting))
                raise InputError(f"there is no column {name!r}; the settings are {known}")
        wanted = setting
        if isinstance(setting.get("sampler"), str):
            wanted = {**setting, "sampler": sampler_named(setting["sampler"])}
        found = [row for row in self.rows if all(row.setting.get(name) == value for name, value in wanted.items())]
        if len(found) != 1:
            told = ", ".join(f"{name}={shorten(value)}" for name, value in setting.items()) or "no setting"
            raise InputError(f"{told} is that of {len(found)} rows of {len(self.rows)}; name one that is of one row")
        return found[0]

    def mean(self, metric: str, **setting: Any) -> float:
        """The mean of a metric in the one row of this setting; nan where its scorer has none."""
        return float(self.row(**setting).means[_place(metric)])

    def error(self, metric: str, **setting: Any) -> float:
        """The standard error of that mean."""
        return float(self.row(**setting).errors[_place(metric)])

    def difference(self, metric: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Difference:
        """How far the mean in the first row is above that in the second, with the error of a paired difference.

        Rows of equal seed and sizes met the same strengths and the same voters, so much of what chance does to them is
        the same and drops out. The error is estimated from the means of blocks of 25 repetitions.

        Raises
        ------
        InputError
            Where a row is not there, the two have other repetitions, or fewer than two blocks.

        Examples
        --------
        >>> import pairvote as pv
        >>> sim = pv.simulate(n_items=8, n_voters=5, votes_each=8, repetitions=250, rng=1)
        >>> table = sim.evaluate(methods=("tally", "elo"), top_k=2)
        >>> gain = table.difference("overlap", {"method": "elo"}, {"method": "tally"})
        >>> round(gain.estimate, 3), round(gain.standard_error, 3)
        (0.004, 0.009)
        """
        place = _place(metric)
        one, other = self.row(**first), self.row(**second)
        if not np.array_equal(one.sizes, other.sizes) or len(one.sizes) < 2:
            raise InputError(
                f"the rows have {one.n} and {other.n} repetitions; a paired difference takes as many in both, and more "
                "than one block of 25"
            )
        gaps = (one.sums - other.sums)[:, place]
        estimate = float(gaps.sum() / one.n)
        # A last block that is smaller counts for as much as it holds (the ratio estimator's variance).
        scatter = float(np.square(gaps - estimate * one.sizes).sum())
        n_blocks = len(gaps)
        return Difference(estimate=estimate, standard_error=math.sqrt(scatter * n_blocks / (n_blocks - 1)) / one.n)

    def to_columns(self) -> dict[str, list[Any]]:
        """The columns as lists: the settings, the repetitions, and of each metric mean and error, None where none is.

        Examples
        --------
        >>> import pairvote as pv
        >>> list(pv.simulate(repetitions=50, rng=1).evaluate(methods=["elo"]).to_columns())[:4]
        ['method', 'repetitions', 'exact', 'exact_error']
        """
        names = dict.fromkeys(name for row in self.rows for name in row.setting)
        columns: dict[str, list[Any]] = {name: [_printed(row.setting.get(name)) for row in self.rows] for name in names}
        columns["repetitions"] = [row.n for row in self.rows]
        for place, metric in enumerate(METRICS):
            for suffix, values in (
                ("", [row.means for row in self.rows]),
                ("_error", [row.errors for row in self.rows]),
            ):
                columns[metric + suffix] = [_or_none(float(numbers[place])) for numbers in values]
        return columns

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow".

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.simulate(repetitions=50, rng=1).evaluate(methods=["elo", "tally"]).to_frame("polars")["method"].to_list()
        ['elo', 'tally']
        """
        return make_frame(self.to_columns(), backend)

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        columns = self.to_columns()
        repetitions = columns.pop("repetitions")
        headings: list[str] = []
        cells: list[list[str]] = []
        for name in [name for name in columns if name.removesuffix("_error") not in METRICS]:
            # What all rows share need not stand in each.
            if name != "method" and len(set(map(str, columns[name]))) == 1:
                continue
            headings.append(name)
            cells.append([_text(value) for value in columns[name]])
        for metric in METRICS:
            means, errors = columns[metric], columns[f"{metric}_error"]
            if any(mean is not None for mean in means):
                decimals = _decimals(errors)
                headings.append(HEADINGS.get(metric, metric))
                cells.append([_figure(mean, error, decimals) for mean, error in zip(means, errors, strict=True)])
        if len(set(repetitions)) > 1:
            headings.append("repetitions")
            cells.append([f"{n:,}" for n in repetitions])
        return headings, [list(row) for row in zip(*cells, strict=True)]

    def __str__(self) -> str:
        headings, rows = self._cells()
        return "\n".join(text_lines(headings, rows, text_columns=range(len(headings))))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        headings, rows = self._cells()
        return html_table(headings, rows, text_columns=range(len(headings)))


def _place(metric: str) -> int:
    if metric not in METRICS:
        raise InputError(f"metric is {shorten(metric)}; use one of {', '.join(map(repr, METRICS))}")
    return METRICS.index(metric)


def _printed(value: Any) -> Any:
    return repr(value) if isinstance(value, (Sampler, VoterModel)) else value


def _or_none(number: float) -> float | None:
    return None if math.isnan(number) else number


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _decimals(errors: Sequence[float | None]) -> int:
    """So many that the smallest standard error shows two digits."""
    smallest = min((error for error in errors if error), default=1.0)
    return min(max(0, 1 - math.floor(math.log10(smallest))), MOST_DECIMALS)


def _figure(mean: float | None, error: float | None, decimals: int) -> str:
    if mean is None or error is None:
        return "-"
    return f"{round(mean, decimals) + 0.0:.{decimals}f} ± {error:.{decimals}f}"
