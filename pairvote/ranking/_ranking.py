"""What every scorer returns: a score for each item, with its uncertainty and its fit."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
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
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError, MissingUncertaintyError
from pairvote.ranking._credible_ranks import credible_limits, credible_tiers, is_credible, normal_draws
from pairvote.ranking._features import ItemFeatures
from pairvote.ranking._forecast import Forecast
from pairvote.ranking._history import RatingHistory
from pairvote.ranking._order import chosen_codes, first_of_each, sample_shares
from pairvote.ranking._quasi_variances import check_quasi_items, quasi_variance_error, quasi_variances
from pairvote.ranking._rank_intervals import Estimate, rank_limits, tiers_of
from pairvote.ranking._results import (
    Difference,
    Interval,
    are_enough,
    check_level,
    quantile,
    quantiles,
)
from pairvote.ranking._standing import read_only
from pairvote.ranking._tables import MOST_ROWS, Table, columns_of, decimals_for, notes_on, shown_ranks
from pairvote.ranking._uncertainty import Chosen, Scaled, difference_variance
from pairvote.ranking._units import UNITS, jods_per_unit, points_per_unit
from pairvote.ranking._voters import VoterReliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Intervals = Literal["confidence", "comparison"]
RankKind = Literal["credible", "confidence"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Ranking(Forecast):
    """A score for each item, best highest, with uncertainty where the scorer has any.

    Attributes
    ----------
    items : tuple of labels, length n_items
    scores : float64 array, shape (n_items,), read-only
    unit : {"log-odds", "probit", "jod", "elo", "glicko", "votes", "share"}
    method : str
        The scorer's name.
    fit : Fit or None
        None for scorers that fit nothing.
    order_spread : float64 array, shape (n_items,), or None
        For Elo with ``n_shuffles``: the standard deviation of a score over orders of the same votes. It says how
        much the order matters, not how far the score is from the truth, and is no standard error.
    voters : VoterReliability or None
        For ``bradley_terry(votes, reliability=...)``: how far each voter is to be believed.
    history : RatingHistory or None
        For ``elo`` and ``glicko2`` with ``history=True``: the ratings before and after each vote.
    volatilities : float64 array, shape (n_items,), or None
        For `glicko2`: the standard deviation, in log-odds, of each item's change in one period.
    features : ItemFeatures or None
        For ``bradley_terry(votes, item_covariates=...)``: what scores owe to features of the items, in log-odds.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch"], ["birch", "cedar", "cedar"])
    >>> ranking = pv.tally(votes)
    >>> ranking.order(), ranking.scores.tolist(), ranking.ranks().tolist()
    (['ash', 'birch', 'cedar'], [2.0, 1.0, 0.0], [1, 2, 3])
    """

    order_spread: NDArray[np.float64] | None = None
    voters: VoterReliability | None = None
    history: RatingHistory | None = None
    volatilities: NDArray[np.float64] | None = None
    features: ItemFeatures | None = None
    # Where the zero of the scores as they were fitted is on this scale.
    _zero: float = 0.0

    __setstate__ = restore

    def __post_init__(self) -> None:
        self.scores.flags.writeable = self._totals.flags.writeable = False
        for array in (self.order_spread, self.volatilities, self._first):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    def only(self, labels: Iterable[Hashable]) -> Ranking:
        """The part of a ranking with these items, in this order; ranks are counted anew.

        Scores stay as they are, from all votes and not centred anew, and so do their standard errors and the
        uncertainty of their differences. What was won, tied and asked still counts the votes with other items.

        Parameters
        ----------
        labels : iterable of labels
            Each of them once.

        Raises
        ------
        InputError
            For a label that is not there, and for one that is there twice.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball()).only(["Boston", "Toronto"])
        >>> ranking.order(), ranking.ranks().tolist()
        (['Toronto', 'Boston'], [2, 1])
        """
        codes = chosen_codes(labels, self.items, self._codes)
        spread, uncertainty, volatilities = self.order_spread, self._uncertainty, self.volatilities
        return replace(
            self,
            items=tuple(self.items[code] for code in codes.tolist()),
            scores=self.scores[codes],
            order_spread=None if spread is None else spread[codes],
            volatilities=None if volatilities is None else volatilities[codes],
            _totals=self._totals[codes],
            _first=None if self._first is None else first_of_each(self.components[codes]),
            _uncertainty=None if uncertainty is None else Chosen(uncertainty, codes, self.n_items),
        )

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """The covariance of the centred scores, or on the scale of known ones of the scores: (n_items, n_items).

        MissingUncertaintyError where the scorer has none.
        """
        return read_only(self._known_uncertainty().covariance())

    @cached_property
    def standard_errors(self) -> NDArray[np.float64]:
        """The standard error of each centred score, or on the scale of known ones of the score: shape (n_items,).

        MissingUncertaintyError where the scorer has none.
        """
        return read_only(np.sqrt(self._known_uncertainty().variances()))

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The interval of each score at `level`: two float64 arrays, shape (n_items,).

        Where there are draws from the posterior it leaves out equally many on either side. Else it is a normal one, or
        for errors between voters or clusters one by a t distribution with ``ranking.fit.degrees_of_freedom``.
        """
        check_level(level)
        draws = self._posterior_draws
        if draws is not None and are_enough(draws, level):
            # Draws are of centred log-odds, and scores may have another origin.
            return Interval(*map(read_only, self.scores + quantiles(draws - draws.mean(axis=0), level)))
        reach = quantile(level, self._known_uncertainty().degrees_of_freedom) * self.standard_errors
        return Interval(read_only(self.scores - reach), read_only(self.scores + reach))

    def difference(self, a: Hashable, b: Hashable) -> Difference:
        """How far item `a` is ahead of item `b`, with its standard error.

        Examples
        --------
        >>> import pairvote as pv
        >>> round(pv.bradley_terry(pv.datasets.baseball()).difference("Boston", "Detroit").standard_error, 1)
        0.3
        """
        i, j = self._code(a), self._code(b)
        known, draws = self._known_uncertainty(), self._posterior_draws
        return Difference(
            estimate=float(self.scores[i] - self.scores[j]),
            standard_error=math.sqrt(difference_variance(known, i, j, self.n_items)),
            degrees_of_freedom=known.degrees_of_freedom,
            _draws=None if draws is None else draws[:, i] - draws[:, j],
        )

    @property
    def _posterior_draws(self) -> NDArray[np.float64] | None:
        """Draws of the scores from the posterior, where there are any: float64, shape (n_draws, n_items)."""
        known = self._known_uncertainty()
        return known.samples if known.is_posterior else None

    def top_k_probability(self, top_k: int, *, rng: Rng = None) -> NDArray[np.float64]:
        """The posterior probability that each item is among the best k: float64, shape (n_items,); sums to k.

        It is the share of posterior draws. A fit under a learned prior has some, worth 350 or more independent ones, so
        that its standard error is at most about 0.03. Else they are from a normal with the ranking's covariance: 10,000
        for up to 200 items, and 2,000 at the least, with a standard error of at most 0.005, or 0.011. After a bootstrap
        it is the share of resamples; items level at the k-th place share it evenly.

        Parameters
        ----------
        top_k : int
        rng : None, int or numpy.random.Generator
            For draws from the normal. None: the same draws at every call.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash"] * 9, ["birch"] * 9))
        >>> bool(ranking.top_k_probability(1, rng=0)[0] > 0.9)
        True
        """
        rng = _generator(rng)
        check_top_k(top_k, self.n_items)
        return read_only(sample_shares(self._draws(rng), int(top_k), self._level_within))

    def rank_interval(
        self,
        level: float = 0.95,
        *,
        kind: RankKind | None = None,
        simultaneous: bool = True,
        rng: Rng = None,
    ) -> Interval:
        """The best and the worst rank that each item may truly have: two int64 arrays, shape (n_items,); 1 is best.

        The documentation's page on rankings says how each kind is found, and how far it holds.

        Parameters
        ----------
        level : float
            The probability with which the intervals hold the true ranks, at least.
        kind : {"credible", "confidence"}, optional
            "credible": the narrowest intervals that hold the ranks in `level` of the draws from the posterior. They are
            right on average over strengths like the prior's. "confidence": right whatever the strengths are, and
            wider; an item's best rank is one more than the number of items significantly ahead, its worst n_items less
            the number of items significantly behind. By default "credible" where there is a posterior, and
            "confidence" under maximum likelihood and after a bootstrap.
        simultaneous : bool
            True: all intervals hold at once with this probability. False: each single interval does, but some of many
            will not; the intervals are shorter.
        rng : None, int or numpy.random.Generator
            For draws from a normal. None: the same draws at every call.

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has no covariance.
        InputError
            For an option out of range, and for `kind` "credible" where there is no posterior.

        References
        ----------
        Besag, Green, Higdon and Mengersen (1995), "Bayesian computation and stochastic systems", Statistical Science
        10, section 6.3, for simultaneous sets of draws. Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for
        ranks with applications to mobility across neighbourhoods and academic achievement across countries", Review of
        Economic Studies 91, with the step-down of Romano and Wolf (2005), Econometrica 73, for "confidence".

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball(), prior_sd=3.0)
        >>> low, high = ranking.rank_interval(kind="confidence", rng=0)
        >>> dict(zip(ranking.items, zip(low.tolist(), high.tolist())))["Baltimore"]
        (6, 7)
        """
        check_flag("simultaneous", simultaneous)
        rng, both = _generator(rng), bool(simultaneous)
        if self._is_credible(kind):
            low, high = credible_limits(self._draws(rng), self._ranks, level, both)
        else:
            low, high = rank_limits(self._estimate(), level, both, rng)
        return Interval(read_only(low), read_only(high))

    def tiers(self, level: float = 0.95, *, kind: RankKind | None = None, rng: Rng = None) -> NDArray[np.int64]:
        """The tier of each item, 1 for the best: int64, shape (n_items,).

        Down the ranking, a tier ends before the first item that is clearly behind the tier's best: so clearly that with
        probability `level` every tier's best item is truly ahead of the next tier's. Neighbours on either side of a
        border may be hard to tell apart; `difference` answers for any two.

        Parameters
        ----------
        level : float
        kind : {"credible", "confidence"}, optional
            What the probability is, as in `rank_interval`: that of the posterior, or that of significant differences.
        rng : None, int or numpy.random.Generator
            For draws from a normal. None: the same draws at every call.

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
        rng = _generator(rng)
        if self._is_credible(kind):
            return read_only(credible_tiers(self._draws(rng), self._ranks, level))
        return read_only(tiers_of(self._estimate(), level, rng))

    def _estimate(self) -> Estimate:
        return Estimate(self.scores, self.covariance, self._ranks, self._known_uncertainty().degrees_of_freedom)

    def _is_credible(self, kind: RankKind | None) -> bool:
        """Whether statements on ranks come from the posterior."""
        return is_credible(kind, self._known_uncertainty().is_posterior, self.method)

    def _draws(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Scores as they may truly be, or those of resamples: float64, shape (n_draws, n_items)."""
        samples = self._known_uncertainty().samples
        return normal_draws(*self._estimate(), rng) if samples is None else samples

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
        return read_only(quasi_variances(self.covariance, self.items))

    @cached_property
    def quasi_variance_error(self) -> float:
        """By how much sqrt(q_i + q_j) misses the standard error of s_i - s_j at worst, as a part of it: 0.02 is 2%.

        Examples
        --------
        >>> import pairvote as pv
        >>> f"{pv.bradley_terry(pv.datasets.baseball(), prior_sd=3.0).quasi_variance_error:.1%}"
        '1.9%'
        """
        return quasi_variance_error(self.quasi_variances, self.covariance)

    def on_elo_scale(self, initial: float = 1500.0, *, anchor: Hashable | None = None) -> Ranking:
        """Put the ranking on Elo's scale: log-odds x 400 / ln 10, with mean `initial`; Elo ratings are only moved.

        Probits are multiplied by 200 sqrt 2: Elo's own curve was the normal one, of performances that scatter by 200.

        Parameters
        ----------
        initial : float
        anchor : label, optional
            The item that gets exactly `initial`, in place of the mean. Standard errors stay those of centred scores.
            Scores on the scale of known ones have no mean of zero: without an anchor their zero gets `initial`, so
            that both years stay on one scale.

        References
        ----------
        Elo (1978), "The rating of chessplayers, past and present", section 8.2, for the normal curve.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball()).on_elo_scale(1000, anchor="Boston")
        >>> ranking.to_dict()["Boston"]
        1000.0
        >>> pv.elo(pv.Votes.from_wins(["ash"], ["birch"])).on_elo_scale(1114, anchor="birch").to_dict()
        {'ash': 1146.0, 'birch': 1114.0}
        """
        factor = points_per_unit(self.unit, self._log_odds_per_unit, None if self.fit is None else self.fit.link)
        if not is_number(initial) or not math.isfinite(initial):
            raise InputError(f"initial is {shorten(initial)}; it is a finite number, such as 1500")
        return self._in_unit(self.unit if self.unit == "glicko" else "elo", factor, initial, anchor)

    def on_jod_scale(self, *, anchor: Hashable | None = None) -> Ranking:
        """Put the ranking on a scale of just-objectionable differences: one unit is 75% of votes against 25%.

        That is log 3 in log-odds, and 0.674 in probits.

        Parameters
        ----------
        anchor : label, optional
            The item that gets exactly 0, such as an undistorted picture, in place of the mean. Standard errors stay
            those of centred scores.

        References
        ----------
        Perez-Ortiz and Mantiuk (2017), "A practical guide and software for analysing pairwise comparison experiments",
        arXiv:1712.03686, section 3.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball(), link="probit").on_jod_scale(anchor="Boston")
        >>> ranking.unit, ranking.to_dict()["Boston"], round(ranking.to_dict()["Milwaukee"], 2)
        ('jod', 0.0, 0.32)
        """
        return self._in_unit("jod", jods_per_unit(self.unit, None if self.fit is None else self.fit.link), 0.0, anchor)

    def _in_unit(self, unit: str, factor: float, middle: float, anchor: Hashable | None) -> Ranking:
        """The scores times a factor, with their mean or the anchor at `middle`."""
        # Scores of a fit have mean zero, or on the scale of known ones their zero.
        mean = float(self.scores.mean()) if self.fit is None and self.n_items else self._zero
        at = mean if anchor is None else float(self.scores[self._code(anchor)])
        origin, known, slope = middle - at * factor, self._uncertainty, self._log_odds_per_unit
        return replace(
            self,
            scores=(self.scores - at) * factor + middle,
            unit=unit,
            _zero=(self._zero - at) * factor + middle,
            history=None if self.history is None else self.history._moved(origin),
            _uncertainty=None if known is None else Scaled(known, factor, origin),
            _log_odds_per_unit=None if slope is None else slope / factor,
        )

    def to_columns(self, level: float = 0.95) -> dict[str, list[Any]]:
        """The whole table as columns, best first: rank, item, score, then standard_error, low and high where there
        are standard errors, then won, tied, asked and skipped. Items without a vote come last.
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
        return columns_of(self.items, self._ranks, arrays, self._voted_first[:n_rows])

    def _table(self, n_rows: int = MOST_ROWS, level: float = 0.95) -> Table:
        """The best `n_rows` items, for people."""
        errors = None
        with suppress(MissingUncertaintyError):
            errors = self.standard_errors
        unit = UNITS[self.unit]
        decimals = decimals_for(errors, unit, self.scores)
        voted = self._voted
        columns = self._columns(n_rows, level)
        columns["rank"] = shown_ranks(self._ranks, voted, self._voted_first[:n_rows])
        first = self._first if isinstance(self._first, np.ndarray) else None
        on_known = self.fit is not None and self.fit._posterior.n_known > 0
        by = {"by_features": self.features is not None, "by_known": on_known}
        notes = notes_on(self.items, self._order, voted, first, **by)
        notes += () if self.features is None else (self.features.summary,)
        notes += () if self.fit is None else self.fit._notes
        return Table(columns=columns, unit=unit, decimals=decimals, n_items=self.n_items, level=level, notes=notes)

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


def _generator(rng: Rng) -> np.random.Generator:
    """The generator of a user's `rng`; None begins at the same seed every time, so that one vote has one answer."""
    return generator(0 if rng is None else rng)
