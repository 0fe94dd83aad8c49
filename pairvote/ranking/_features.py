"""What scores owe to features of the items, as a ranking says it, and what it predicts of other items."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import restore
from pairvote._common.labels import as_array
from pairvote._common.messages import listed, plural, shorten
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote._inference import FeatureScores
from pairvote.errors import InputError, MissingUncertaintyError
from pairvote.ranking._results import Interval, PriorSd, are_enough, check_level, quantile, quantiles

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class ItemFeatures:
    """What scores owe to features of the items: ``bradley_terry(votes, item_covariates=...).features``.

    Attributes
    ----------
    names : tuple of str, length n_features
        As the mapping of `item_covariates` has them, or "feature 0" and so on.
    coefficients : float64 array, shape (n_features,)
        What each unit of a feature adds to a score.
    unit : str
        That of the scores: "log-odds", or "probit" by the probit link.
    remainder_sd : PriorSd
        How much scores differ beside what the features say: the standard deviation of the remainders' prior, with an
        interval where it was learned. 0 where there are none, by ``prior_sd=0``.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch", "cedar"] * 9, ["birch", "cedar", "cedar", "ash"] * 9)
    >>> length = {"ash": 3.0, "birch": 2.0, "cedar": 0.5}
    >>> features = pv.bradley_terry(votes, item_covariates=length, prior_sd=0).features
    >>> features.names, features.coefficients.round(2).tolist(), features.standard_errors.round(2).tolist()
    (('feature 0',), [0.33], [0.18])
    """

    names: tuple[str, ...]
    coefficients: Floats
    unit: str
    remainder_sd: PriorSd
    _fitted: FeatureScores
    _has_errors: bool

    __setstate__ = restore

    def __post_init__(self) -> None:
        self.coefficients.flags.writeable = False

    def _known(self) -> FeatureScores:
        if not self._has_errors:
            raise MissingUncertaintyError(
                "these coefficients have no standard errors",
                option="uncertainty",
                remedy="fit with uncertainty='model', 'sandwich', 'by-voter' or 'clustered'",
            )
        return self._fitted

    @cached_property
    def covariance(self) -> Floats:
        """The covariance of the coefficients: float64, shape (n_features, n_features)."""
        scale = self._fitted.features.scale
        found = np.asarray(self._known().coefficient_covariance() / scale / scale[:, None])
        found.flags.writeable = False
        return found

    @property
    def standard_errors(self) -> Floats:
        """The standard errors of the coefficients: float64, shape (n_features,)."""
        return np.sqrt(np.diag(self.covariance))

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The interval of each coefficient: two float64 arrays, shape (n_features,).

        By draws from the posterior where there are enough; else a normal one, or one by a t distribution between voters
        or clusters.

        Parameters
        ----------
        level : float
            Between 0 and 1.
        """
        check_level(level)
        drawn = self._known().drawn_coefficients
        if drawn is not None and are_enough(drawn, level):
            return Interval(*(quantiles(drawn, level) / self._fitted.features.scale))
        reach = quantile(level, self._fitted.degrees_of_freedom) * self.standard_errors
        return Interval(self.coefficients - reach, self.coefficients + reach)

    def predict(self, item_covariates: ArrayLike | Mapping[Any, Any]) -> PredictedScores:
        """Scores of items that nobody was asked about, from their features, on the scale of the ranking.

        Their errors have the remainder that each will have, and what is not known of the coefficients.

        Parameters
        ----------
        item_covariates : array_like, shape (n, n_features), or mapping of label to features
            As for ``bradley_terry``.

        Raises
        ------
        InputError
            For features other than those of the fit.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_wins(["ash", "ash", "birch", "cedar"] * 9, ["birch", "cedar", "cedar", "ash"] * 9)
        >>> length = {"ash": 3.0, "birch": 2.0, "cedar": 0.5}
        >>> features = pv.bradley_terry(votes, item_covariates=length, prior_sd=1.0).features
        >>> features.predict({"elm": 4.0}).scores.round(1).tolist()
        [0.6]
        """
        option, names = "item_covariates", self.names
        if isinstance(item_covariates, Mapping):
            labels = tuple(item_covariates)
            found, table = named_rows(list(item_covariates.values()), labels, option)
            if any(isinstance(row, Mapping) for row in item_covariates.values()):
                if set(found) != set(names):
                    raise InputError(
                        f"{option} has the features {listed(found)}, and the fit {listed(names)}",
                        option=option,
                        remedy="pass those of the fit",
                    )
                table = table[:, [found.index(name) for name in names]]
        else:
            found, table = feature_rows(item_covariates, option)
            labels = tuple(range(len(table)))
        if table.shape[1] != len(names):
            raise InputError(
                f"{option} has {plural(table.shape[1], 'feature')}, and the fit {len(names)}: {listed(names)}",
                option=option,
                remedy="pass those of the fit",
            )
        known = self._known()
        scores, variances, draws = known.of_more_items((table - known.features.centre) / known.features.scale)
        return PredictedScores(
            items=labels,
            scores=scores,
            standard_errors=np.sqrt(variances),
            unit=self.unit,
            _draws=draws,
            _degrees_of_freedom=known.degrees_of_freedom,
        )

    def to_columns(self, level: float = 0.95) -> dict[str, list[Any]]:
        """A column for each number, for ``pandas.DataFrame(...)`` and the like."""
        columns: dict[str, list[Any]] = {"feature": list(self.names), "coefficient": self.coefficients.tolist()}
        if self._has_errors:
            low, high = self.confidence_interval(level)
            columns |= {"standard_error": self.standard_errors.tolist(), "low": low.tolist(), "high": high.tolist()}
        return columns

    def __repr__(self) -> str:
        pairs = ", ".join(f"{name}={value:.4g}" for name, value in zip(self.names, self.coefficients, strict=True))
        return f"ItemFeatures({shorten(pairs, 200)})"

    def __str__(self) -> str:
        headings, rows = self._table()
        return "\n".join([*text_lines(headings, rows, (0,)), self.note])

    def _repr_html_(self) -> str:
        headings, rows = self._table()
        return f"{html_table(headings, rows, (0,))}<p>{html.escape(self.note)}</p>"

    def _table(self) -> tuple[list[str], list[list[str]]]:
        columns = self.to_columns()
        rows = [[as_label(name), f"{value:.3g}"] for name, value in zip(self.names, self.coefficients, strict=True)]
        headings = ["feature", f"{self.unit} a unit"]
        if self._has_errors:
            headings.append("95% interval")
            for row, low, high in zip(rows, columns["low"], columns["high"], strict=True):
                row.append(f"{low:.3g} to {high:.3g}")
        return headings, rows

    @property
    def summary(self) -> str:
        """What scores are made of, in words."""
        beside = "and a remainder" if self.remainder_sd else "alone"
        return f"scores follow {plural(len(self.names), 'feature')} {beside}"

    @property
    def note(self) -> str:
        """How much the scores differ beside what the features say, in words."""
        known = self.remainder_sd
        if not known:
            return "scores are sums over these features, without a remainder"
        if not known.learned:
            return f"beside their features scores have a remainder of spread {known:.3g}"
        return (
            f"beside their features scores have a remainder, whose spread was learned: {known:.2g} "
            f"(95%: {known.interval.low:.2g} to {known.interval.high:.2g})"
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class PredictedScores:
    """Scores of items that nobody was asked about: ``ranking.features.predict(...)``.

    Attributes
    ----------
    items : tuple of labels, length n
    scores : float64 array, shape (n,)
        As the ranking's: its own items have a mean of zero.
    standard_errors : float64 array, shape (n,)
        The remainder that each item will have is part of them.
    unit : str
        "log-odds", or "probit" by the probit link.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch", "cedar"] * 9, ["birch", "cedar", "cedar", "ash"] * 9)
    >>> length = {"ash": 3.0, "birch": 2.0, "cedar": 0.5}
    >>> features = pv.bradley_terry(votes, item_covariates=length, prior_sd=1.0).features
    >>> print(features.predict({"elm": 4.0, "fir": 2.0}))
    item  score (log-odds)  95% interval
    elm                0.6   -2.6 to 3.9
    fir                0.0   -2.2 to 2.3
    """

    items: tuple[Hashable, ...]
    scores: Floats
    standard_errors: Floats
    unit: str
    _draws: Floats | None = None
    _degrees_of_freedom: float = np.inf

    __setstate__ = restore

    def __post_init__(self) -> None:
        self.scores.flags.writeable = self.standard_errors.flags.writeable = False

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The interval of each score: two float64 arrays, shape (n,).

        Parameters
        ----------
        level : float
            Between 0 and 1.
        """
        check_level(level)
        if self._draws is not None and are_enough(self._draws, level):
            return Interval(*quantiles(self._draws, level))
        reach = quantile(level, self._degrees_of_freedom) * self.standard_errors
        return Interval(self.scores - reach, self.scores + reach)

    def to_columns(self, level: float = 0.95) -> dict[str, list[Any]]:
        """A column for each number, for ``pandas.DataFrame(...)`` and the like."""
        low, high = self.confidence_interval(level)
        return {
            "item": list(self.items),
            "score": self.scores.tolist(),
            "standard_error": self.standard_errors.tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
        }

    def __repr__(self) -> str:
        return f"PredictedScores({plural(len(self.items), 'item')})"

    def __str__(self) -> str:
        return "\n".join(text_lines(*self._table(), (0,)))

    def _repr_html_(self) -> str:
        return html_table(*self._table(), (0,))

    def _table(self) -> tuple[list[str], list[list[str]]]:
        low, high = self.confidence_interval()
        numbers = zip(self.items, self.scores.tolist(), low.tolist(), high.tolist(), strict=True)
        rows = [[as_label(item), f"{score:.1f}", f"{a:.1f} to {b:.1f}"] for item, score, a, b in numbers]
        return ["item", f"score ({self.unit})", "95% interval"], rows


def feature_rows(values: ArrayLike, option: str) -> tuple[tuple[str, ...], Floats]:
    """Names and a table of features from an array of a row for each item, or of one number for each."""
    # A class that is asked does not have to find its columns out, as a lazy frame has.
    if hasattr(type(values), "columns"):
        raise InputError(
            f"{option} is a data frame, whose rows may stand in any order",
            option=option,
            remedy="pass a mapping of labels to rows, such as frame.set_index('item').to_dict('index')",
        )
    if hasattr(type(values), "to_dict"):
        raise InputError(
            f"{option} is a series, whose rows may stand in any order",
            option=option,
            remedy="pass a mapping of labels to numbers, such as series.to_dict()",
        )
    array = as_array(values, option)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(
            f"{option} has shape {np.shape(array)}",
            option=option,
            remedy="pass (n_items, n_features), one row for every item",
        )
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{option} is of type {array.dtype}",
            option=option,
            remedy="pass numbers, and categories as columns of 0 and 1",
        )
    table = array.astype(np.float64)
    wrong = ~np.isfinite(table)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise InputError(
            f"{option} at row {row}, column {column} is {table[row, column]}",
            option=option,
            where=f"row {row}",
            remedy="fill it in, or leave out the feature",
        )
    return tuple(f"feature {column}" for column in range(table.shape[1])), table


def named_rows(rows: Sequence[Any], labels: Sequence[Hashable], option: str) -> tuple[tuple[str, ...], Floats]:
    """Names and a table of features from a row for each label: a number, numbers, or names and numbers."""
    if not any(isinstance(row, Mapping) for row in rows):
        try:
            return feature_rows(np.array([np.atleast_1d(as_array(row, option)) for row in rows]), option)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"the rows of {option} are of different lengths", option=option, remedy="pass as many numbers for each"
            ) from None
    names = list(rows[0]) if isinstance(rows[0], Mapping) else []
    for label, row in zip(labels, rows, strict=True):
        if not isinstance(row, Mapping) or set(row) != set(names) or not names:
            has = f"has {listed(row)}" if isinstance(row, Mapping) else f"is {shorten(row)}"
            raise InputError(
                f"the row of {shorten(label)} in {option} {has}, and the first one {listed(names) or 'has no names'}",
                option=option,
                value=label,
                remedy="pass the same features of every item",
            )
    _, table = feature_rows(np.array([[row[name] for name in names] for row in rows]), option)
    return tuple(str(name) for name in names), table
