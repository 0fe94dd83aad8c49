"""What a comparison of groups found, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole, restore
from pairvote._common.messages import plural, wrong_option
from pairvote._common.options import chosen_top_k
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote.groups._evidence import GroupTest
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import PriorSd
from pairvote.ranking._tables import decimals_for
from pairvote.ranking._units import UNITS

Floats = NDArray[np.float64]
LABEL_WIDTH, MOST_ROWS, MOST_NAMED, MOST_WITH_SCORES = 48, 50, 8, 3


@dataclass(frozen=True, kw_only=True)
class GroupDifference:
    """How far an item's score by one group is above that by another.

    Attributes
    ----------
    item : label
    group, other : label
    estimate : float
        In log-odds: the score by `group` less that by `other`, each from scores of mean zero. Where groups are small it
        is drawn to zero, as far as differences of all items say.
    standard_error : float
        Of the estimate.
    unshrunken : float
        The difference without being drawn to zero.
    low, high : float
        The ends of the interval; those of all items and pairs of groups hold at once with the comparison's `level`,
        whatever the differences are: they are those of unshrunken differences.

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
    >>> votes = sim.votes(0)
    >>> groups = {voter: ("public", "business")[voter % 2] for voter in votes.voters}
    >>> largest = pv.compare_groups(votes, groups).differences[0]
    >>> largest.item, largest.group, largest.other, round(largest.estimate, 1), largest.is_clear
    (13, 'public', 'business', -1.8, True)
    """

    item: Hashable
    group: Hashable
    other: Hashable
    estimate: float
    standard_error: float
    unshrunken: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval is all on one side of zero."""
        return self.low > 0.0 or self.high < 0.0


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GroupComparison:
    """The rankings of groups of voters on one scale, whether they agree, and where they do not.

    Attributes
    ----------
    items : tuple of labels
    groups : tuple of labels
    rankings : dict of label to Ranking
        The ranking by each group, of all items: in log-odds, mean zero over the same items for every group. An item
        that a group was not asked about has the score that the other groups give it, with a wide interval.
    overall : Ranking
        The mean of the groups' scores: every group counts alike, however many voters it has.
    n_voters, n_votes : tuple of int
        Of each group: voters with an answered vote, and answered votes.
    n_left_out : int
        Answered votes of voters who are unknown or in no group.
    p_value : float
        Of "the groups agree", by reassignment of voters to groups: it holds however much the votes of one voter
        resemble each other.
    n_reassignments : int
    likelihood_ratio : GroupTest
        By maximum likelihood, as if all votes were independent. Where one voter's votes resemble each other it finds
        differences that are not there.
    score_test : GroupTest
        Rao's test with voters as clusters, for many more voters than items.
    differences : tuple of GroupDifference
        Of every item and every two groups, the largest first.
    difference_sd : PriorSd
        The standard deviation of the difference between two groups' scores of an item, in log-odds, with what is known
        of it; infinite by maximum likelihood.
    design_effect : float
        How much more voters differ than independent votes would have them: 1 where votes are independent. The votes
        count as so many times fewer. nan by maximum likelihood, where errors between voters are used.
    level : float
        Of all intervals of `differences` at once.

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
    >>> votes = sim.votes(0)
    >>> groups = {voter: ("public", "business")[voter % 2] for voter in votes.voters}
    >>> found = pv.compare_groups(votes, groups)
    >>> found.groups, found.n_voters, found.p_value < 0.001
    (('public', 'business'), (15, 15), True)
    >>> found.rankings["public"].top(3), found.rankings["business"].top(3)
    ([21, 2, 18], [2, 16, 14])
    """

    items: tuple[Hashable, ...]
    groups: tuple[Hashable, ...]
    rankings: dict[Hashable, Ranking]
    overall: Ranking
    n_voters: tuple[int, ...]
    n_votes: tuple[int, ...]
    n_left_out: int
    p_value: float
    n_reassignments: int
    likelihood_ratio: GroupTest
    score_test: GroupTest
    differences: tuple[GroupDifference, ...]
    difference_sd: PriorSd
    design_effect: float
    level: float
    # Scores as they may truly be: (n_draws, n_groups, n_items).
    _draws: Floats

    __setstate__ = restore

    def __post_init__(self) -> None:
        self._draws.flags.writeable = False

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.items)

    def clear_differences(self) -> tuple[GroupDifference, ...]:
        """The differences whose interval is all on one side of zero, the largest first."""
        return tuple(difference for difference in self.differences if difference.is_clear)

    def shared_top(self, top_k: int | None = None) -> list[Hashable]:
        """The items in the top k of every group, best first by `overall`: what all would take.

        Parameters
        ----------
        top_k : int, optional
            By default 5, and of fewer than six items all except one. Items that are level with a group's k-th are in.

        Examples
        --------
        >>> import pairvote as pv
        >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
        >>> votes = sim.votes(0)
        >>> groups = {voter: ("public", "business")[voter % 2] for voter in votes.voters}
        >>> pv.compare_groups(votes, groups).shared_top(5)
        [2, 18, 14]
        """
        top_k = chosen_top_k(top_k, self.n_items)
        shared = set.intersection(*(set(ranking.top(top_k)) for ranking in self.rankings.values()))
        return [label for label in self.overall.order() if label in shared]

    def shared_top_probability(self, top_k: int | None = None) -> Floats:
        """The chance that each item is truly in the top k of every group: float64, shape (n_items,).

        The share of draws from what the scores may be, 2,000 at the least: its standard error is at most 0.011.
        """
        top_k = chosen_top_k(top_k, self.n_items)
        places = np.argsort(-self._draws, axis=2)[..., :top_k]
        inside = np.zeros(self._draws.shape, bool)
        np.put_along_axis(inside, places, True, axis=2)
        return np.asarray(inside.all(axis=1).mean(axis=0))

    def divisive(self, n: int = 5) -> list[Hashable]:
        """The items on which the groups' scores lie furthest apart, the most divisive first."""
        return self._first_by(-self._ranges, n)

    def shared(self, n: int = 5) -> list[Hashable]:
        """The items on which the groups agree most surely, the most shared first.

        By the root mean square of the distance between the groups that are furthest apart: an item of which little is
        known has a large one.
        """
        return self._first_by(self._root_mean_squares, n)

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each item, best first by `overall`.

        Columns: item, score (of `overall`), then "rank by g", "score by g" and "standard_error by g" for each group g,
        and range, the distance between the groups that are furthest apart.
        """
        order = [self.overall._codes[label] for label in self.overall.order()]
        columns: dict[str, list[Any]] = {
            "item": [self.items[code] for code in order],
            "score": self.overall.scores[order].tolist(),
        }
        for group, ranking in self.rankings.items():
            columns[f"rank by {group}"] = ranking.ranks()[order].tolist()
            columns[f"score by {group}"] = ranking.scores[order].tolist()
            columns[f"standard_error by {group}"] = ranking.standard_errors[order].tolist()
        columns["range"] = self._ranges[order].tolist()
        return columns

    @property
    def _scores(self) -> Floats:
        return np.array([self.rankings[group].scores for group in self.groups])

    @property
    def _ranges(self) -> Floats:
        return np.asarray(np.ptp(self._scores, axis=0))

    @property
    def _root_mean_squares(self) -> Floats:
        return np.sqrt(np.square(np.ptp(self._draws, axis=1)).mean(axis=0))

    def _first_by(self, values: Floats, n: int) -> list[Hashable]:
        if not is_whole(n) or n < 1:
            raise wrong_option("n", n, "it is a whole number from 1")
        return [self.items[code] for code in np.argsort(values, kind="stable")[:n].tolist()]

    # --- for people ---

    def _sentences(self) -> Iterator[str]:
        """What was found, without the table."""
        yield "; ".join(
            f"{_named(group)}: {plural(n_voters, 'voter')}, {plural(n_votes, 'vote')}"
            for group, n_voters, n_votes in zip(self.groups, self.n_voters, self.n_votes, strict=True)
        )
        if self.n_left_out:
            yield f"{plural(self.n_left_out, 'vote')} of voters without a group left out"
        verdict = "the groups differ" if self.p_value < 1.0 - self.level else "no sign that the groups differ"
        yield f"{verdict}: {_chance(self.p_value)} by {self.n_reassignments:,} reassignments of voters to groups"
        ratio = self.likelihood_ratio
        if ratio.problem is None:
            yield (
                f"likelihood ratio {ratio.statistic:.1f} on {plural(ratio.degrees_of_freedom, 'degree')} of freedom, "
                f"{_chance(ratio.p_value)} if all votes were independent"
            )
        else:
            yield f"no likelihood ratio: {ratio.problem}"
        clear = dict.fromkeys(difference.item for difference in self.clear_differences())
        found = f"they clearly differ on {_some(list(clear))}" if clear else "no item on which they clearly differ"
        yield f"{found} ({self.level:.0%} for all at once)"
        if math.isfinite(self.difference_sd):
            low, high = self.difference_sd.interval
            known = f" (95%: {low:.2g} to {high:.2g})" if self.difference_sd.learned else ""
            yield f"two groups' scores of an item differ with a standard deviation of {self.difference_sd:.2g}{known}"
        top_k = chosen_top_k(None, self.n_items)
        shared = self.shared_top(top_k)
        yield f"in the top {top_k} of every group: {_some(shared)}" if shared else f"no item is in every top {top_k}"

    def _table(self, n_rows: int = MOST_ROWS) -> tuple[list[str], list[list[str]]]:
        """Headings, and a row for each of the best items."""
        decimals = decimals_for(self.overall.standard_errors, UNITS["log-odds"], self.overall.scores)

        def number(value: float) -> str:
            return f"{round(value, decimals) + 0.0:.{decimals}f}"

        many = len(self.groups) > MOST_WITH_SCORES
        headings = ["item"]
        for group in self.groups:
            headings += [f"rank by {_named(group)}"] + ["score"] * (not many)
        headings += ["difference", f"{self.level:.0%} interval"] if len(self.groups) == 2 else ["range"]
        differences = {difference.item: difference for difference in self.differences}
        rows = []
        for label in self.overall.order()[:n_rows]:
            code = self.overall._codes[label]
            row = [_named(label)]
            for group in self.groups:
                ranking = self.rankings[group]
                rank = str(ranking.ranks()[code]) if ranking._voted[code] else "-"
                row += [rank] + [number(ranking.scores[code])] * (not many)
            if len(self.groups) == 2:
                difference = differences[label]
                clear = " *" if difference.is_clear else ""
                row += [number(difference.estimate), f"{number(difference.low)} to {number(difference.high)}{clear}"]
            else:
                row += [number(float(self._ranges[code]))]
            rows.append(row)
        return headings, rows

    def _text(self, width: int | None = None) -> str:
        headings, rows = self._table()
        more = [f"... and {self.n_items - len(rows):,} more"] if self.n_items > len(rows) else []
        return "\n".join([*self._sentences(), *text_lines(headings, rows, (0,), width=width), *more])

    def __repr__(self) -> str:
        return f"GroupComparison({plural(len(self.groups), 'group')}, {self.n_items:,} items, p = {self.p_value:.3g})"

    def __str__(self) -> str:
        return self._text()

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self._sentences()) + html_table(*self._table(), (0,))


class GroupScores(NamedTuple):
    """The scores of all groups, and how far they are known.

    scores: (n_groups, n_items). variances: (n_groups, n_groups, n_items), those of differences between groups. draws:
    (n_draws, n_groups, n_items), of what the scores may be.
    """

    scores: Floats
    variances: Floats
    draws: Floats

    def reach(self, level: float) -> float:
        """How many standard errors the largest of all differences is off at most, in so much of the draws."""
        largest = np.zeros(len(self.draws))
        for one, other in combinations(range(len(self.scores)), 2):
            away = self.draws[:, one] - self.draws[:, other] - (self.scores[one] - self.scores[other])
            error = np.sqrt(self.variances[one, other])
            known = error > 0.0
            if known.any():
                np.maximum(largest, np.abs(away[:, known] / error[known]).max(axis=1), out=largest)
        return float(np.quantile(largest, level))


def differences_of(
    items: tuple[Hashable, ...],
    groups: tuple[Hashable, ...],
    shrunken: GroupScores,
    unshrunken: GroupScores,
    level: float,
) -> tuple[GroupDifference, ...]:
    """The differences of every two groups on every item, the largest first, with intervals that hold at once.

    Estimates are the shrunken ones, and intervals those of the unshrunken, made to hold the estimates.
    """
    reach = unshrunken.reach(level)
    found = []
    for one, other in combinations(range(len(groups)), 2):
        estimates, middles = (scores[one] - scores[other] for scores in (shrunken.scores, unshrunken.scores))
        errors, reaches = np.sqrt(shrunken.variances[one, other]), reach * np.sqrt(unshrunken.variances[one, other])
        found += [
            GroupDifference(
                item=item,
                group=groups[one],
                other=groups[other],
                estimate=estimate,
                standard_error=error,
                unshrunken=middle,
                low=min(middle - away, estimate),
                high=max(middle + away, estimate),
            )
            for item, estimate, error, middle, away in zip(
                items, estimates.tolist(), errors.tolist(), middles.tolist(), reaches.tolist(), strict=True
            )
        ]
    return tuple(sorted(found, key=lambda difference: -abs(difference.estimate)))


def _named(label: object) -> str:
    return as_label(label, LABEL_WIDTH)


def _some(labels: Sequence[object]) -> str:
    shown = ", ".join(map(_named, labels[:MOST_NAMED]))
    return shown + (f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else "")


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
