"""What every scorer returns: a score for each item, with its uncertainty and its fit."""

from __future__ import annotations

import math
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, restore
from pairvote._common.frames import Backend, make_frame
from pairvote._common.messages import shorten
from pairvote._common.options import check_flag, check_top_k
from pairvote._common.random import Rng
from pairvote.errors import InputError, MissingUncertaintyError
from pairvote.ranking._agreement import Agreement, agreement, matched_ranks
from pairvote.ranking._chances import chances_of, check_table_size, expected_scores
from pairvote.ranking._order import code_of, drawn_shares, n_best, ranks_of, sample_shares
from pairvote.ranking._quasi_variances import check_quasi_items, quasi_variance_error, quasi_variances
from pairvote.ranking._rank_intervals import Estimate, rank_limits, tiers_of
from pairvote.ranking._results import Difference, Fit, Interval, OutcomeProbabilities, normal_quantile
from pairvote.ranking._tables import MOST_ROWS, Table, columns_of, decimals_for
from pairvote.ranking._uncertainty import Scaled, Uncertainty, difference_variance
from pairvote.ranking._units import ELO_PER_LOG_ODDS, UNITS
from pairvote.votes._given import Elsewhere, numbered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Intervals = Literal["confidence", "comparison"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Ranking:
    """A score for each item, best highest, with uncertainty where the scorer has any.

    Attributes
    ----------
    items : tuple of labels, length n_items
    scores : float64 array, shape (n_items,), read-only
    unit : {"log-odds", "elo", "votes", "share"}
    method : str
        The scorer's name.
    fit : Fit or None
        None for scorers that fit nothing.
    order_spread : float64 array, shape (n_items,), or None
        For Elo with ``n_shuffles``: the standard deviation of a score over orders of the same votes. It says how
        much the order matters, not how far the score is from the truth, and is no standard error.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch"], ["birch", "cedar", "cedar"])
    >>> ranking = pv.tally(votes)
    >>> ranking.order(), ranking.scores.tolist(), ranking.ranks().tolist()
    (['ash', 'birch', 'cedar'], [2.0, 1.0, 0.0], [1, 2, 3])
    """

    items: tuple[Hashable, ...]
    scores: NDArray[np.float64]
    unit: str
    method: str
    fit: Fit | None = None
    order_spread: NDArray[np.float64] | None = None
    # What each item lost, tied, won and skipped; and the first item of its component, what tells it if asked, or None.
    _totals: NDArray[np.float64]
    _first: NDArray[np.int32] | Elsewhere | None
    _uncertainty: Uncertainty | None = None
    _log_odds_per_unit: float | None = None

    __setstate__ = restore

    def __post_init__(self) -> None:
        self.scores.flags.writeable = self._totals.flags.writeable = False
        for array in (self.order_spread, self._first):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.items)

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        return _read_only(ranks_of(self.scores, self._level_within))

    @property
    def _level_within(self) -> float:
        """Scores at most this far apart are level."""
        return UNITS[self.unit].tolerance(self.scores)

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return np.argsort(self._ranks, kind="stable")

    def ranks(self) -> NDArray[np.int64]:
        """The rank of each item, 1 for the best: int64, shape (n_items,). Level scores share the best of them."""
        return self._ranks

    def order(self) -> list[Hashable]:
        """The labels, best first; level items in the order of `items`."""
        return [self.items[code] for code in self._order.tolist()]

    def top(self, k: int, ties: Literal["include", "raise", "first"] = "include") -> list[Hashable]:
        """The best `k` labels, best first.

        Parameters
        ----------
        k : int
            From 1 to n_items.
        ties : {"include", "raise", "first"}
            What to do with items level with the k-th: include them all, raise, or take the first by `items`.

        Raises
        ------
        InputError
            For `k` out of range, and under "raise" for a level k-th place, naming those who share it.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.tally(pv.Votes.from_wins(["ash", "birch"], ["cedar", "cedar"]))
        >>> ranking.top(1), ranking.top(1, ties="first")
        (['ash', 'birch'], ['ash'])
        """
        check_top_k(k, self.n_items, "k")
        if ties not in ("include", "raise", "first"):
            raise InputError(f"ties is {ties!r}; use 'include', 'raise' or 'first'")
        within, level = n_best(self._ranks, k)
        if within > k and ties == "raise":
            names = ", ".join(repr(self.items[code]) for code in level.tolist())
            raise InputError(f"place {k} is shared by {names}; pass ties='include' or 'first', or another k")
        return self.order()[: k if ties == "first" else within]

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """The covariance of the centred scores: float64, shape (n_items, n_items).

        MissingUncertaintyError where the scorer has none.
        """
        return _read_only(self._known_uncertainty().covariance())

    @cached_property
    def standard_errors(self) -> NDArray[np.float64]:
        """The standard error of each centred score: float64, shape (n_items,).

        MissingUncertaintyError where the scorer has none.
        """
        return _read_only(np.sqrt(self._known_uncertainty().variances()))

    def _known_uncertainty(self) -> Uncertainty:
        if self._uncertainty is None:
            raise MissingUncertaintyError(
                f"this ranking by {self.method!r} of {self.n_items:,} items has no standard errors",
                option="uncertainty",
                remedy="bradley_terry gives them (unless uncertainty='none'), and up to 4,000 items bootstrap for any "
                "scorer",
            )
        return self._uncertainty

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The normal interval of each score at `level`: two float64 arrays, shape (n_items,)."""
        reach = normal_quantile(level) * self.standard_errors
        return Interval(_read_only(self.scores - reach), _read_only(self.scores + reach))

    def difference(self, a: Hashable, b: Hashable) -> Difference:
        """How far item `a` is ahead of item `b`, with its standard error.

        Examples
        --------
        >>> import pairvote as pv
        >>> round(pv.bradley_terry(pv.datasets.baseball()).difference("Boston", "Detroit").standard_error, 4)
        0.3068
        """
        i, j = self._code(a), self._code(b)
        variance = difference_variance(self._known_uncertainty(), i, j, self.n_items)
        return Difference(estimate=float(self.scores[i] - self.scores[j]), standard_error=math.sqrt(variance))

    def top_k_probability(self, top_k: int, *, rng: Rng = None) -> NDArray[np.float64]:
        """The posterior probability that each item is among the best k: float64, shape (n_items,); sums to k.

        It is estimated from 20,000 draws of the scores from a normal with the ranking's covariance, so its standard
        error is at most 0.0036. After a bootstrap it is the share of resamples; items level at the k-th place share it
        evenly.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash"] * 9, ["birch"] * 9))
        >>> bool(ranking.top_k_probability(1, rng=0)[0] > 0.9)
        True
        """
        rng = np.random.default_rng(rng)
        check_top_k(top_k, self.n_items)
        samples = None if self._uncertainty is None else self._uncertainty.samples
        if samples is None:
            return _read_only(drawn_shares(self.scores, self.covariance, int(top_k), rng))
        return _read_only(sample_shares(samples, int(top_k), self._level_within))

    def rank_interval(self, level: float = 0.95, *, simultaneous: bool = True, rng: Rng = None) -> Interval:
        """The best and the worst rank that each item may truly have: two int64 arrays, shape (n_items,); 1 is best.

        The best is one more than the number of items significantly ahead, the worst n_items less the number of items
        significantly behind. Items that are level in truth may each have any of the ranks that they share.
        The documentation's page on rankings says what is significant, and how far this holds.

        Parameters
        ----------
        level : float
            The probability with which the intervals hold the true ranks, at least.
        simultaneous : bool
            True: all intervals hold at once with this probability. False: each single interval does, but some of many
            will not; the intervals are shorter.
        rng : None, int or numpy.random.Generator
            For the draws that find how large a significant difference is.

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has no covariance.
        InputError
            For a `level` out of range, or `simultaneous` that is neither True nor False.

        References
        ----------
        Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with applications to mobility across
        neighbourhoods and academic achievement across countries", Review of Economic Studies 91.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball())
        >>> low, high = ranking.rank_interval(rng=0)
        >>> dict(zip(ranking.items, zip(low.tolist(), high.tolist())))["Baltimore"]
        (6, 7)
        """
        check_flag("simultaneous", simultaneous)
        low, high = rank_limits(self._estimate(), level, bool(simultaneous), np.random.default_rng(rng))
        return Interval(_read_only(low), _read_only(high))

    def tiers(self, level: float = 0.95, *, rng: Rng = None) -> NDArray[np.int64]:
        """The tier of each item, 1 for the best: int64, shape (n_items,).

        Down the ranking, a tier ends before the first rank at which an item is significantly behind the tier's best;
        significant means what it does in `rank_interval`, for all pairs at once. So with probability `level` every
        tier's best item is truly ahead of the next tier's. Neighbours on either side of a border may be hard to tell
        apart; `difference` answers for any two.

        Raises
        ------
        MissingUncertaintyError, InputError
            As `rank_interval`.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.citations())
        >>> dict(zip(ranking.items, ranking.tiers(rng=0).tolist()))
        {'Biometrika': 2, 'Comm Statist': 4, 'JASA': 3, 'JRSS-B': 1}
        """
        return _read_only(tiers_of(self._estimate(), level, np.random.default_rng(rng)))

    def _estimate(self) -> Estimate:
        return Estimate(self.scores, self.covariance, self._ranks)

    @cached_property
    def quasi_variances(self) -> NDArray[np.float64]:
        """Numbers q with q_i + q_j close to the variance of s_i - s_j, for all pairs: float64, shape (n_items,).

        Score and quasi-variance of each item are enough to judge any difference; scores and their standard errors are
        not. One quasi-variance can be negative. The documentation's page on rankings says how they are found.

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has no covariance.
        InputError
            For more than 2,000 items, and where the difference of two among three or more has no variance.

        References
        ----------
        Firth and de Menezes (2004), "Quasi-variances", Biometrika 91(1); the criterion is that of R's qvcalc.
        """
        check_quasi_items(self.n_items)
        return _read_only(quasi_variances(self.covariance, self.items))

    @cached_property
    def quasi_variance_error(self) -> float:
        """By how much sqrt(q_i + q_j) misses the standard error of s_i - s_j at worst, as a part of it: 0.02 is 2%.

        Examples
        --------
        >>> import pairvote as pv
        >>> f"{pv.bradley_terry(pv.datasets.baseball()).quasi_variance_error:.1%}"
        '1.9%'
        """
        return quasi_variance_error(self.quasi_variances, self.covariance)

    def expected_score(self, a: Hashable, b: Hashable) -> float:
        """The chance that `a` is picked over `b`, a tie as half; the two sides equally often where sides matter.

        Examples
        --------
        >>> import pairvote as pv
        >>> round(pv.elo(pv.Votes.from_wins(["ash"], ["birch"])).expected_score("ash", "birch"), 3)
        0.546
        """
        gap = self.scores[self._code(a)] - self.scores[self._code(b)]
        return float(self._expected(np.array(gap)))

    def probability_matrix(self) -> NDArray[np.float64]:
        """`expected_score` of every item over every other: float64, shape (n_items, n_items); 0.5 on the diagonal.

        An InputError for more than 4,000 items: it would fill the memory.
        """
        check_table_size(self.n_items)
        return _read_only(self._expected(self.scores[:, None] - self.scores))

    def _expected(self, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
        return expected_scores(gaps, self._log_odds_per_unit, self.fit, self.method)

    def outcome_probabilities(self, left: Hashable, right: Hashable) -> OutcomeProbabilities:
        """The chance of each outcome when `left` stands on the left and `right` on the right.

        Raises
        ------
        InputError
            Where the scorer has no model of ties although there are ties.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_labels(["ash"] * 4, ["birch"] * 4, ["left", "right", "tie", "tie"])
        >>> chances = pv.bradley_terry(votes).outcome_probabilities("ash", "birch")
        >>> round(chances.left, 6), round(chances.tie, 6), round(chances.right, 6)
        (0.25, 0.5, 0.25)
        """
        gap = float(self.scores[self._code(left)] - self.scores[self._code(right)])
        return chances_of(gap, self._log_odds_per_unit, self.fit, self.method, tied=bool(self.tied.any()))

    @property
    def won(self) -> NDArray[np.float64]:
        """The weight of votes that each item won: float64, shape (n_items,)."""
        return self._totals[:, 2]

    @property
    def tied(self) -> NDArray[np.float64]:
        """The weight of votes in which each item tied: float64, shape (n_items,)."""
        return self._totals[:, 1]

    @property
    def asked(self) -> NDArray[np.float64]:
        """The weight of answered questions that each item was in, skips left out: float64, shape (n_items,)."""
        return _read_only(self._totals[:, :3].sum(axis=1))

    @property
    def skipped(self) -> NDArray[np.float64]:
        """The weight of skipped questions that each item was in: float64, shape (n_items,)."""
        return self._totals[:, 3]

    @cached_property
    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,).

        No vote leads from one component to another, so their order relative to each other is the prior's.
        """
        if self._first is None:
            raise InputError(
                "running Elo ratings do not keep who met whom; rank the votes themselves to see the components"
            )
        return _read_only(numbered(self._first) if isinstance(self._first, np.ndarray) else self._first.components())

    def agreement(self, other: Ranking, top_k: int = 5, *, p: float = 0.9) -> Agreement:
        """How far two rankings of the same items, in any order and unit, agree; `Agreement` explains the numbers.

        Raises
        ------
        InputError
            For `top_k` or `p` out of range, rankings that differ in their items, and where all items of one are level.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
        >>> pv.tally(votes).agreement(pv.elo(votes), top_k=10).top_k_overlap
        0.9
        """
        if not isinstance(other, Ranking):
            raise InputError(f"other is a {type(other).__name__}; pass a Ranking of the same items")
        check_top_k(top_k, self.n_items)
        return agreement(self._ranks, matched_ranks(self.items, other.items, other._ranks), top_k, p)

    def on_elo_scale(self, initial: float = 1500.0, *, anchor: Hashable | None = None) -> Ranking:
        """Put the ranking on Elo's scale: log-odds x 400 / ln 10, with mean `initial`.

        Parameters
        ----------
        initial : float
        anchor : label, optional
            The item that gets exactly `initial`, in place of the mean. Standard errors stay those of centred scores.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball()).on_elo_scale(1000, anchor="Boston")
        >>> ranking.to_dict()["Boston"]
        1000.0
        """
        if self.unit != "log-odds":
            raise InputError(f"scores in {self.unit!r} have no place on Elo's scale; score with bradley_terry or elo")
        if not is_number(initial) or not math.isfinite(initial):
            raise InputError(f"initial is {initial!r}; it is a finite number, such as 1500")
        origin = 0.0 if anchor is None else self.scores[self._code(anchor)]
        return replace(
            self,
            scores=(self.scores - origin) * ELO_PER_LOG_ODDS + initial,
            unit="elo",
            _uncertainty=None if self._uncertainty is None else Scaled(self._uncertainty, ELO_PER_LOG_ODDS),
            _log_odds_per_unit=None if self._log_odds_per_unit is None else 1.0 / ELO_PER_LOG_ODDS,
        )

    def to_dict(self) -> dict[Hashable, float]:
        """The score of each label, best first."""
        return {self.items[code]: float(self.scores[code]) for code in self._order.tolist()}

    def to_columns(self, level: float = 0.95) -> dict[str, list[Any]]:
        """The whole table as columns, best first: rank, item, score, then standard_error, low and high where there
        are standard errors, then won, tied, asked and skipped.
        """
        return self._columns(self.n_items, level)

    def _columns(self, n_rows: int, level: float) -> dict[str, list[Any]]:
        """The columns of the best `n_rows` items."""
        arrays: dict[str, NDArray[Any]] = {"score": self.scores}
        with suppress(MissingUncertaintyError):
            low, high = self.confidence_interval(level)
            arrays |= {"standard_error": self.standard_errors, "low": low, "high": high}
        if self.order_spread is not None:
            arrays["order_spread"] = self.order_spread
        arrays |= {"won": self.won, "tied": self.tied, "asked": self.asked, "skipped": self.skipped}
        return columns_of(self.items, self._ranks, arrays, self._order[:n_rows])

    def _table(self, n_rows: int = MOST_ROWS, level: float = 0.95) -> Table:
        """The best `n_rows` items, for people."""
        errors = None
        with suppress(MissingUncertaintyError):
            errors = self.standard_errors
        unit = UNITS[self.unit]
        decimals = decimals_for(errors, unit, self.scores)
        columns = self._columns(n_rows, level)
        return Table(columns=columns, unit=unit, decimals=decimals, n_items=self.n_items, level=level)

    def to_frame(self, backend: Backend = "pandas", *, level: float = 0.95) -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow"."""
        return make_frame(self.to_columns(level), backend)

    def plot(self, *, level: float = 0.95, intervals: Intervals = "confidence", ax: Axes | None = None) -> Axes:
        """Draw the scores with their intervals, best on top: `pairvote.plotting.plot_ranking`."""
        import pairvote

        return pairvote.plotting.plot_ranking(self, level=level, intervals=intervals, ax=ax)

    def __repr__(self) -> str:
        best = f", best {shorten(self.items[self._order[0]], 40)}" if self.items else ""
        return f"Ranking({self.n_items:,} items by {self.method!r} in {self.unit}{best})"

    def __str__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()

    @cached_property
    def _codes(self) -> dict[Hashable, int]:
        return {label: code for code, label in enumerate(self.items)}

    def _code(self, label: Hashable) -> int:
        return code_of(label, self.items, self._codes)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
