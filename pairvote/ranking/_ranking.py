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

from pairvote._common.checks import check_k, is_number, restore
from pairvote._common.frames import Backend, make_frame
from pairvote._common.messages import shorten
from pairvote._common.options import check_flag
from pairvote._common.random import Rng
from pairvote._inference.outcomes import outcome_probabilities
from pairvote._inference.solver import LARGEST_DENSE
from pairvote.errors import InputError, MissingUncertaintyError
from pairvote.ranking._agreement import Agreement, agreement, matched_ranks
from pairvote.ranking._quasi_variances import check_quasi_items, quasi_variance_error, quasi_variances
from pairvote.ranking._rank_intervals import rank_bounds, significant_differences, tier_numbers
from pairvote.ranking._results import Difference, Fit, Interval, OutcomeProbabilities, normal_quantile
from pairvote.ranking._tables import MOST_ROWS, as_html, as_text, decimals_for
from pairvote.ranking._uncertainty import Scaled, Uncertainty
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import Elsewhere, ItemTotals, components_of, totals_of
from pairvote.votes._votes import Votes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Unit = Literal["log-odds", "elo", "votes", "share"]

ELO_PER_LOG_ODDS = 400.0 / math.log(10.0)
N_DRAWS = 20_000


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
    unit: Unit
    method: str
    source: Votes | PairCounts | ItemTotals | Elsewhere
    fit: Fit | None = None
    uncertainty: Uncertainty | None = None
    log_odds_per_unit: float | None = None
    order_spread: NDArray[np.float64] | None = None

    __setstate__ = restore

    def __post_init__(self) -> None:
        for array in (self.scores, self.order_spread):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.items)

    # --- order ---

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        order = np.argsort(-self.scores, kind="stable")
        drops = -np.diff(self.scores[order])
        first = np.concatenate([[True], drops > self._level_within])[: self.n_items]
        ranks = np.empty(self.n_items, np.int64)
        ranks[order] = np.flatnonzero(first)[np.cumsum(first) - 1] + 1
        return _read_only(ranks)

    @property
    def _level_within(self) -> float:
        """Scores closer than this are level: the same item twice differs in rounding, or by a fit's tolerance."""
        if self.unit in ("votes", "share"):
            return 1e-12 * float(np.abs(self.scores).max(initial=0.0))
        return 1e-8 if self.unit == "log-odds" else 1e-8 * ELO_PER_LOG_ODDS

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
        check_k(k, self.n_items)
        if ties not in ("include", "raise", "first"):
            raise InputError(f"ties is {ties!r}; use 'include', 'raise' or 'first'")
        order = self.order()
        if ties == "first":
            return order[:k]
        last_rank = self._ranks[self._order[k - 1]]
        within = int((self._ranks <= last_rank).sum())
        if within > k and ties == "raise":
            level = [self.items[code] for code in self._order.tolist() if self._ranks[code] == last_rank]
            raise InputError(
                f"place {k} is shared by {', '.join(map(repr, level))}; pass ties='include' or 'first', or another k"
            )
        return order[:within]

    # --- uncertainty ---

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """The covariance of the centred scores: float64, shape (n_items, n_items).

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has none.
        """
        return _read_only(self._known_uncertainty().covariance())

    @cached_property
    def standard_errors(self) -> NDArray[np.float64]:
        """The standard error of each centred score: float64, shape (n_items,).

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has none.
        """
        return _read_only(np.sqrt(self._known_uncertainty().variances()))

    def _known_uncertainty(self) -> Uncertainty:
        if self.uncertainty is None:
            raise MissingUncertaintyError(
                f"this ranking by {self.method!r} of {self.n_items:,} items has no standard errors",
                option="uncertainty",
                remedy="bradley_terry gives them (unless uncertainty='none'), and up to 4,000 items bootstrap for any "
                "scorer",
            )
        return self.uncertainty

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The normal interval of each score at `level`: two float64 arrays, shape (n_items,).

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash", "birch"], ["birch", "ash"]))
        >>> low, high = ranking.confidence_interval(0.9)
        >>> bool((low < 0).all()), bool((high > 0).all())
        (True, True)
        """
        reach = normal_quantile(level) * self.standard_errors
        return Interval(_read_only(self.scores - reach), _read_only(self.scores + reach))

    def difference(self, a: Hashable, b: Hashable) -> Difference:
        """How far item `a` is ahead of item `b`, with its standard error.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash", "birch"], ["birch", "ash"]))
        >>> round(ranking.difference("ash", "birch").estimate, 9)
        0.0
        """
        i, j = self._code(a), self._code(b)
        contrast = np.zeros(self.n_items)
        contrast[i] += 1.0
        contrast[j] -= 1.0
        variance = max(self._known_uncertainty().contrast_variance(contrast), 0.0)
        return Difference(estimate=float(self.scores[i] - self.scores[j]), standard_error=math.sqrt(variance))

    def top_k_probability(self, k: int, *, rng: Rng = None) -> NDArray[np.float64]:
        """The posterior probability that each item is among the best `k`: float64, shape (n_items,); sums to k.

        Estimated from 20,000 draws of the scores from a normal with the ranking's covariance, so with a standard
        error of at most 0.0036. After a bootstrap it is the share of resamples instead, where items level at the
        k-th place share it evenly.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash"] * 9, ["birch"] * 9))
        >>> bool(ranking.top_k_probability(1, rng=0)[0] > 0.9)
        True
        """
        rng = np.random.default_rng(rng)
        check_k(k, self.n_items)
        if self.uncertainty is not None and self.uncertainty.samples is not None:
            return _read_only(self._top_k_share(self.uncertainty.samples, int(k)))
        values, vectors = np.linalg.eigh(self.covariance)
        roots = vectors * np.sqrt(np.maximum(values, 0.0))
        counts = np.zeros(self.n_items)
        drawn = 0
        while drawn < N_DRAWS:
            n_draws = min(N_DRAWS - drawn, max(1, 2**21 // self.n_items))
            scores = self.scores + rng.standard_normal((n_draws, self.n_items)) @ roots.T
            best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            counts += np.bincount(best.ravel(), minlength=self.n_items)
            drawn += n_draws
        return _read_only(counts / N_DRAWS)

    def _top_k_share(self, samples: NDArray[np.float64], k: int) -> NDArray[np.float64]:
        """The share of samples that have each item among the best `k`; items level at the k-th place share it."""
        last = np.partition(samples, -k, axis=1)[:, [-k]]
        above = samples > last + self._level_within
        level = ~above & (samples >= last - self._level_within)
        vacant = k - above.sum(axis=1, keepdims=True)
        return np.asarray((above + level * (vacant / level.sum(axis=1, keepdims=True))).mean(axis=0))

    def rank_interval(self, level: float = 0.95, *, simultaneous: bool = True, rng: Rng = None) -> Interval:
        """The best and the worst rank that each item may truly have: two int64 arrays, shape (n_items,); 1 is best.

        The best is one more than the number of items significantly ahead, the worst n_items less the number of items
        significantly behind. A difference is significant if it exceeds c times its standard error.

        Parameters
        ----------
        level : float
            The probability with which the intervals hold the true ranks, at least.
        simultaneous : bool
            True: with this probability all intervals hold at once; c is the `level` quantile of the largest error of
            all differences, in standard errors. False: each single interval holds with this probability, but some of
            many will not; c is that of an item's own n_items - 1 differences, so the intervals are shorter.
        rng : None, int or numpy.random.Generator
            For the draws from which c is estimated.

        Returns
        -------
        Interval
            `low` the best and `high` the worst rank. Of items that are level in truth, each may have any of the ranks
            that they share.

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has no covariance.
        InputError
            For a `level` out of range, or `simultaneous` that is neither True nor False.

        Notes
        -----
        Errors are taken in both directions, and in one step: no second look at what the first has left open. An
        interval fails only if a significant difference has the wrong sign, so `level` is a lower bound.

        The quantile is that of 10,000 draws from the normal with the ranking's covariance (from 317 items on of fewer,
        for 500 items of 4,000), taken so that the level holds on average over draws; a single set of them may miss a
        level of 95% by 0.2% (0.35% at 4,000), one standard error. It never exceeds Sidak's bound, which is used alone
        for two items, where it is exact, and for more than 500, where c is 2% larger than need be (7% if not
        `simultaneous`). After a bootstrap the covariance is used in the same way.

        References
        ----------
        Mogstad, Romano, Shaikh and Wilhelm (2024), "Inference for ranks with applications to mobility across
        neighbourhoods and academic achievement across countries", Review of Economic Studies 91: the two-sided sets of
        one step, simultaneous and marginal. Klein, Wright and Wieczorek (2020), "A joint confidence region for an
        overall ranking of populations", JRSS C 69. Sidak (1967), "Rectangular confidence regions for the means of
        multivariate normal distributions", JASA 62.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball())
        >>> low, high = ranking.rank_interval(rng=0)
        >>> dict(zip(ranking.items, zip(low.tolist(), high.tolist())))["Baltimore"]
        (6, 7)
        """
        check_flag("simultaneous", simultaneous)
        by_rank = self._significant(level, bool(simultaneous), rng)
        low, high = np.empty((2, self.n_items), np.int64)
        low[self._order], high[self._order] = rank_bounds(by_rank, self._ranks[self._order])
        return Interval(_read_only(low), _read_only(high))

    def tiers(self, level: float = 0.95, *, rng: Rng = None) -> NDArray[np.int64]:
        """The tier of each item, 1 for the best: int64, shape (n_items,).

        Down the ranking, a tier ends before the first rank at which an item is significantly behind the tier's best;
        what is significant is as in `rank_interval`, for all pairs at once. So with probability `level` every tier's
        best item is truly ahead of the next tier's.

        More than that it does not say: neighbours on either side of a border may be hard to tell apart, and two items
        of one tier may differ significantly, where its best is the least well measured. `difference` answers for any
        two.

        Parameters
        ----------
        level : float
        rng : None, int or numpy.random.Generator
            As in `rank_interval`.

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has no covariance.
        InputError
            For a `level` out of range.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.citations())
        >>> dict(zip(ranking.items, ranking.tiers(rng=0).tolist()))
        {'Biometrika': 2, 'Comm Statist': 4, 'JASA': 3, 'JRSS-B': 1}
        """
        result = np.empty(self.n_items, np.int64)
        result[self._order] = tier_numbers(self._significant(level, True, rng), self._ranks[self._order])
        return _read_only(result)

    def _significant(self, level: float, simultaneous: bool, rng: Rng) -> NDArray[np.bool_]:
        """Whether the difference of each two is significant, the items best first: bool, shape (n_items, n_items)."""
        order = self._order
        covariance = self.covariance[np.ix_(order, order)]
        return significant_differences(self.scores[order], covariance, level, simultaneous, np.random.default_rng(rng))

    @cached_property
    def quasi_variances(self) -> NDArray[np.float64]:
        """Numbers q with q_i + q_j close to the variance of s_i - s_j, for all pairs: float64, shape (n_items,).

        They stand in for the whole covariance where items are compared: score and quasi-variance of each are enough to
        judge any difference, which scores and their standard errors are not. They minimise the sum over pairs of
        (log(q_i + q_j) - log Var(s_i - s_j))^2. For three items they are exact; of two, which share one variance, each
        gets half; one alone has 0.

        A quasi-variance can be negative (one at most, of an item whose differences vary less than theirs with one
        another would allow, such as the hub of a star). It serves in sums as well as any, but has no root to draw.

        Raises
        ------
        MissingUncertaintyError
            Where the scorer has no covariance.
        InputError
            For more than 2,000 items, and where the difference of two among three or more has no variance.

        References
        ----------
        Firth and de Menezes (2004), "Quasi-variances", Biometrika 91(1); the criterion is that of R's qvcalc.

        Examples
        --------
        >>> import math
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.datasets.baseball())
        >>> q = dict(zip(ranking.items, ranking.quasi_variances.tolist()))
        >>> exact = ranking.difference("Boston", "Detroit").standard_error
        >>> round(exact, 4), round(math.sqrt(q["Boston"] + q["Detroit"]), 4)
        (0.3068, 0.3067)
        """
        check_quasi_items(self.n_items)
        return _read_only(quasi_variances(self.covariance, self.items))

    @cached_property
    def quasi_variance_error(self) -> float:
        """By how much sqrt(q_i + q_j) misses the standard error of s_i - s_j at worst, as a part of it: 0.02 is 2%.

        About 0.06 for 600 votes on random pairs of 23 items. In a chain, whose neighbours are known far better relative
        to each other than to its ends, no quasi-variances fit, and this is larger than 1.

        Raises
        ------
        MissingUncertaintyError, InputError
            As `quasi_variances`.

        Examples
        --------
        >>> import pairvote as pv
        >>> f"{pv.bradley_terry(pv.datasets.baseball()).quasi_variance_error:.1%}"
        '1.9%'
        """
        return quasi_variance_error(self.quasi_variances, self.covariance)

    # --- probabilities ---

    def expected_score(self, a: Hashable, b: Hashable) -> float:
        """The chance that `a` is picked over `b`, a tie as half; the two sides equally often where sides matter.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.elo(pv.Votes.from_wins(["ash"], ["birch"]))
        >>> round(ranking.expected_score("ash", "birch"), 3)
        0.546
        """
        gap = self.scores[self._code(a)] - self.scores[self._code(b)]
        return float(self._expected(np.array(gap)))

    def probability_matrix(self) -> NDArray[np.float64]:
        """`expected_score` of every item over every other: float64, shape (n_items, n_items); 0.5 on the diagonal.

        An InputError for more than 4,000 items: it would fill the memory.
        """
        if self.n_items > LARGEST_DENSE:
            raise InputError(
                f"the probabilities of {self.n_items:,} items would take {self.n_items**2 * 8 / 2**30:.1f} GiB; they "
                f"are given for up to {LARGEST_DENSE:,}, but expected_score() of two items for any number"
            )
        return _read_only(self._expected(self.scores[:, None] - self.scores))

    def _expected(self, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.log_odds_per_unit is None:
            raise InputError(
                f"a ranking by {self.method!r} has no model of a vote; score with elo or bradley_terry, "
                "and where there are several criteria, one of them"
            )
        log_odds = self.log_odds_per_unit * gaps
        if self.fit is None:
            right, _, left = np.moveaxis(outcome_probabilities(log_odds, 0.0, "davidson"), -1, 0)
            return np.asarray(0.5 + 0.5 * (left - right))
        here, there = (
            outcome_probabilities(log_odds + side, self.fit.tie_parameter, self.fit.ties)
            for side in (self.fit.position_effect, -self.fit.position_effect)
        )
        leads = here[..., 2] - here[..., 0] + there[..., 2] - there[..., 0]
        return np.asarray(0.5 + 0.25 * leads)

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
        if self.fit is None or self.log_odds_per_unit is None or (self.fit.ties in ("half", "drop") and self._tied_any):
            raise InputError(
                f"this ranking by {self.method!r} has no model of ties; score with bradley_terry and ties='davidson'"
            )
        gap = self.scores[self._code(left)] - self.scores[self._code(right)]
        log_odds = np.array(self.log_odds_per_unit * gap + self.fit.position_effect)
        p_right, p_tie, p_left = outcome_probabilities(log_odds, self.fit.tie_parameter, self.fit.ties).tolist()
        return OutcomeProbabilities(p_left, p_tie, p_right)

    @property
    def _tied_any(self) -> bool:
        return bool(self.tied.any())

    # --- what the votes were ---

    @cached_property
    def _totals(self) -> NDArray[np.float64]:
        return _read_only(totals_of(self.source))

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
        return _read_only(components_of(self.source))

    # --- other forms ---

    def agreement(self, other: Ranking, k: int = 5, *, p: float = 0.9) -> Agreement:
        """How far two rankings of the same items, in any order and unit, agree; `Agreement` explains the numbers.

        Raises
        ------
        InputError
            For `k` or `p` out of range, rankings that differ in their items, and where all items of one are level.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
        >>> pv.tally(votes).agreement(pv.elo(votes), k=10).top_k_overlap
        0.9
        """
        if not isinstance(other, Ranking):
            raise InputError(f"other is a {type(other).__name__}; pass a Ranking of the same items")
        check_k(k, self.n_items)
        return agreement(self._ranks, matched_ranks(self.items, other.items, other._ranks), k, p)

    def on_elo_scale(self, initial: float = 1500.0, *, anchor: Hashable | None = None) -> Ranking:
        """The same ranking on Elo's scale: log-odds x 400 / ln 10, with mean `initial`.

        Parameters
        ----------
        initial : float
        anchor : label, optional
            The item that gets exactly `initial`, in place of the mean. That shifts the numbers only: standard errors
            stay those of the centred scores, and those of differences are the same anyway.

        Examples
        --------
        >>> import pairvote as pv
        >>> ranking = pv.bradley_terry(pv.Votes.from_wins(["ash"], ["birch"])).on_elo_scale()
        >>> ranking.unit, round(float(ranking.scores.mean()), 6)
        ('elo', 1500.0)
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
            uncertainty=None if self.uncertainty is None else Scaled(self.uncertainty, ELO_PER_LOG_ODDS),
            log_odds_per_unit=None if self.log_odds_per_unit is None else 1.0 / ELO_PER_LOG_ODDS,
        )

    def to_dict(self) -> dict[Hashable, float]:
        """The score of each label, best first.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.tally(pv.Votes.from_wins(["ash"], ["birch"])).to_dict()
        {'ash': 1.0, 'birch': 0.0}
        """
        return {self.items[code]: float(self.scores[code]) for code in self._order.tolist()}

    def to_columns(self, level: float = 0.95) -> dict[str, list[Any]]:
        """The whole table as columns, best first: rank, item, score, then standard_error, low and high where there
        are standard errors, then won, tied, asked and skipped.

        Examples
        --------
        >>> import pairvote as pv
        >>> list(pv.tally(pv.Votes.from_wins(["ash"], ["birch"])).to_columns())
        ['rank', 'item', 'score', 'won', 'tied', 'asked', 'skipped']
        """
        return self._columns(self.n_items, level)

    def _columns(self, n_rows: int, level: float) -> dict[str, list[Any]]:
        """The columns of the best `n_rows` items."""
        order = self._order[:n_rows]
        columns: dict[str, list[Any]] = {"item": [self.items[code] for code in order.tolist()]}
        arrays: dict[str, NDArray[Any]] = {"rank": self._ranks, "score": self.scores}
        with suppress(MissingUncertaintyError):
            low, high = self.confidence_interval(level)
            arrays |= {"standard_error": self.standard_errors, "low": low, "high": high}
        if self.order_spread is not None:
            arrays["order_spread"] = self.order_spread
        arrays |= {"won": self.won, "tied": self.tied, "asked": self.asked, "skipped": self.skipped}
        columns |= {name: array[order].tolist() for name, array in arrays.items()}
        return {"rank": columns.pop("rank"), **columns}

    @property
    def _decimals(self) -> int:
        """How many decimals of a score are worth showing."""
        smallest = 0.0
        with suppress(MissingUncertaintyError):
            smallest = float(self.standard_errors.min(initial=math.inf))
        return decimals_for(smallest, self.unit, not (self.scores % 1.0).any())

    def to_frame(self, backend: Backend = "pandas", *, level: float = 0.95) -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow".

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.tally(pv.Votes.from_wins(["ash"], ["birch"])).to_frame("polars")["item"].to_list()
        ['ash', 'birch']
        """
        return make_frame(self.to_columns(level), backend)

    def plot(
        self,
        *,
        level: float = 0.95,
        intervals: Literal["confidence", "comparison"] = "confidence",
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the scores with their intervals, best on top: `pairvote.plotting.plot_ranking`."""
        import pairvote

        return pairvote.plotting.plot_ranking(self, level=level, intervals=intervals, ax=ax)

    def __repr__(self) -> str:
        best = f", best {shorten(self.items[self._order[0]], 40)}" if self.items else ""
        return f"Ranking({self.n_items:,} items by {self.method!r} in {self.unit}{best})"

    def __str__(self) -> str:
        return self._text(MOST_ROWS, 0.95)

    def _text(self, n_rows: int, level: float) -> str:
        """The table of the best `n_rows` items."""
        return as_text(self._columns(n_rows, level), self.unit, self._decimals, self.n_items, level)

    def _repr_html_(self) -> str:
        return as_html(self._columns(MOST_ROWS, 0.95), self.unit, self._decimals, self.n_items)

    @cached_property
    def _codes(self) -> dict[Hashable, int]:
        return {label: code for code, label in enumerate(self.items)}

    def _code(self, label: Hashable) -> int:
        try:
            return self._codes[label]
        except (KeyError, TypeError):
            listed = ", ".join(map(repr, self.items[:5])) + (", ..." if self.n_items > 5 else "")
            raise InputError(f"{shorten(label)} is not among the items ({listed}); check its spelling") from None


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
