"""How well candidates foretell votes that were held out: for people and for programs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import restore
from pairvote._common.frames import Backend, make_frame
from pairvote._common.messages import plural, wrong_option
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote.ranking._results import Difference

Floats = NDArray[np.float64]
Measure = Literal["log-loss", "brier"]
MEASURES: tuple[Measure, ...] = ("log-loss", "brier")
Counted = Literal["all", "decided"]
LABEL_WIDTH = 48
# Standard errors below are those of losses that are all alike.
LEAST_ERROR = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CrossValidation:
    r"""The losses of candidates on votes that were held out, and how sure their differences are.

    With p the chance that a candidate gave to each outcome before it saw a vote, and y = 1 for what was said, the log
    loss of a vote is :math:`-\sum_o y_o \log p_o` and its Brier score :math:`\sum_o (y_o - p_o)^2`. Both are least on
    average where the chances are the true ones; means are weighted by the votes' weights. Of a graded vote y is the
    share of each side.

    Attributes
    ----------
    candidates : tuple of str
    log_loss, log_loss_errors : float64 arrays, shape (n_candidates,)
        The mean log loss of a vote, and its standard error; infinite, and nan, where a candidate gave no chance to what
        was said. Level chances have log 2 = 0.693 where nobody ties.
    brier, brier_errors : float64 arrays, shape (n_candidates,)
        The mean Brier score, from 0 to 2, and its standard error.
    counted : {"all", "decided"}
        Which votes are foretold: all, or those that one side won, with the chances given that.
    n_votes : float
        The weight of these.
    by : str
        What is held out: "vote", "voter" or "cluster".
    n_units : int
        The number of these.
    folds : int

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.cross_validate(pv.datasets.baseball(), rng=1)
    >>> found.best, found.candidates
    ('position', ('default', 'probit', 'position', 'elo', 'level'))
    >>> behind = found.difference("default", "position")
    >>> round(behind.estimate, 3), round(behind.standard_error, 3)
    (0.009, 0.008)
    """

    candidates: tuple[str, ...]
    log_loss: Floats
    log_loss_errors: Floats
    brier: Floats
    brier_errors: Floats
    counted: Counted
    n_votes: float
    by: str
    n_units: int
    folds: int
    # Losses summed over each unit, (n_measures, n_candidates, n_units), and the weight of each unit's votes.
    _losses: Floats
    _weights: Floats

    __setstate__ = restore

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @classmethod
    def of(cls, names: tuple[str, ...], losses: Floats, weights: Floats, **about: Any) -> CrossValidation:
        """The means and their errors of losses by unit."""
        means = [[mean_with_error(loss, weights) for loss in measure] for measure in losses]
        (log_loss, log_errors), (brier, brier_errors) = np.array(means).transpose(0, 2, 1)
        return cls(
            candidates=names,
            log_loss=log_loss,
            log_loss_errors=log_errors,
            brier=brier,
            brier_errors=brier_errors,
            n_votes=float(weights.sum()),
            n_units=len(weights),
            _losses=losses,
            _weights=weights,
            **about,
        )

    @property
    def best(self) -> str:
        """The candidate with the least log loss, the first of them where several have it."""
        return self.candidates[int(np.argmin(self.log_loss))]

    def difference(self, candidate: str, other: str, measure: Measure = "log-loss") -> Difference:
        """How much larger the loss of a candidate is than that of another, with the error of a paired difference.

        Both foretold the same votes from the same training votes, so much of what chance does to them is the same and
        drops out. An estimate above zero speaks for the other one; of less than two standard errors it says little.

        Raises
        ------
        InputError
            For a candidate or a measure that is not there.

        Examples
        --------
        >>> import pairvote as pv
        >>> found = pv.cross_validate(pv.datasets.baseball(), rng=1)
        >>> low, high = found.difference("level", "default").confidence_interval()
        >>> bool(low > 0)
        True
        """
        if measure not in MEASURES:
            raise wrong_option("measure", measure, f"use one of {', '.join(map(repr, MEASURES))}")
        one, another = (self._losses[MEASURES.index(measure), self._place(name)] for name in (candidate, other))
        with np.errstate(invalid="ignore"):
            estimate, error = mean_with_error(one - another, self._weights)
        freedom = math.inf if self.by == "vote" else self.n_units - 1.0
        return Difference(estimate=estimate, standard_error=error, degrees_of_freedom=freedom)

    def _place(self, name: str) -> int:
        if name not in self.candidates:
            raise wrong_option("candidate", name, f"use one of {', '.join(map(repr, self.candidates))}")
        return self.candidates.index(name)

    @property
    def _order(self) -> list[int]:
        """The places of the candidates, the least log loss first."""
        return np.argsort(self.log_loss, kind="stable").tolist()

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each candidate, best first.

        Columns: candidate, log_loss and its standard_error, difference from the best candidate and difference_error,
        brier and brier_error.
        """
        order = self._order
        behind = [self.difference(self.candidates[place], self.best) for place in order]
        return {
            "candidate": [self.candidates[place] for place in order],
            "log_loss": self.log_loss[order].tolist(),
            "standard_error": self.log_loss_errors[order].tolist(),
            "difference": [difference.estimate for difference in behind],
            "difference_error": [difference.standard_error for difference in behind],
            "brier": self.brier[order].tolist(),
            "brier_error": self.brier_errors[order].tolist(),
        }

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow"."""
        return make_frame(self.to_columns(), backend)

    # --- for people ---

    def _heading(self) -> str:
        votes = plural(float(f"{self.n_votes:.10g}"), "decided vote" if self.counted == "decided" else "vote")
        units = "" if self.by == "vote" else f" by {plural(self.n_units, self.by)}"
        return f"{votes}{units}, each foretold from those in the other {self.folds - 1} of {self.folds} parts"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        columns = self.to_columns()
        errors = columns["difference_error"] + columns["standard_error"]
        decimals = decimals_of(min((error for error in errors if error > LEAST_ERROR), default=0.001))
        best = self.best
        rows = []
        for place, name in enumerate(columns["candidate"]):
            cell = [columns[key][place] for key in ("log_loss", "standard_error", "difference", "difference_error")]
            loss, error, behind, behind_error = cell
            rows.append(
                [
                    as_label(name, LABEL_WIDTH),
                    with_error(loss, error, decimals),
                    "" if name == best else with_error(behind, behind_error, decimals),
                    f"{columns['brier'][place]:.{decimals}f}",
                ]
            )
        return ["candidate", "log loss a vote", "more than the best", "Brier score"], rows

    def __repr__(self) -> str:
        return f"CrossValidation({plural(len(self.candidates), 'candidate')}, best {self.best!r})"

    def __str__(self) -> str:
        headings, rows = self._cells()
        return "\n".join([self._heading(), *text_lines(headings, rows, text_columns=(0,))])

    def _repr_html_(self) -> str:
        headings, rows = self._cells()
        return f"<p>{self._heading()}</p>" + html_table(headings, rows, text_columns=(0,))


def mean_with_error(losses: Floats, weights: Floats) -> tuple[float, float]:
    """The mean of losses summed over units, and its standard error as a ratio of two sums over units."""
    total, n_units = float(weights.sum()), len(weights)
    mean = float(losses.sum() / total)
    if not math.isfinite(mean):
        return mean, math.nan
    if n_units < 2:
        return mean, math.inf
    scatter = float(np.square(losses - mean * weights).sum())
    return mean, math.sqrt(scatter * n_units / (n_units - 1)) / total


def decimals_of(error: float) -> int:
    """So many that a standard error shows two digits; between 3 and 6."""
    return min(max(3, 1 - math.floor(math.log10(error))), 6)


def with_error(value: float, error: float, decimals: int) -> str:
    """A number and its standard error."""
    if not math.isfinite(value):
        return "infinite" if math.isinf(value) else "-"
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"
