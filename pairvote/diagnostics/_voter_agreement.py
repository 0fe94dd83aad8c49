r"""How far voters agree on the pairs that several of them answered.

Every pair is a unit, every voter an observer, and the values are: one item won, the other won, a tie. With
:math:`m_u` voters on pair u and :math:`p_{uv}(c)` the share of voter v's answers on it that are c (nearly always 0 or
1), the coincidences are

.. math:: o_{ck} = \sum_u \frac{1}{m_u - 1} \sum_{v \ne w} p_{uv}(c)\, p_{uw}(k), \qquad
          n_c = \sum_k o_{ck}, \qquad n = \sum_c n_c,

over the pairs with at least two voters. Then the observed agreement is :math:`\sum_c o_{cc} / n`, that expected by
chance :math:`\sum_c n_c (n_c - 1) / (n (n - 1))`, and alpha is 1 less the observed disagreement over the expected.

Which of a pair's two items is called the first is arbitrary, so each pair is entered from both: once with either item
as the first. That leaves the observed agreement as it is, makes "the first won" and "the second won" equally frequent,
and alpha independent of the order of the items. Without ties alpha is close to twice the observed agreement less 1,
Kendall and Babington Smith's coefficient of agreement.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural, wrong_option
from pairvote.diagnostics._consensus import answered, check_votes, known_voters, no_voters
from pairvote.diagnostics._consistency import Consistency, consistency_of
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, named
from pairvote.diagnostics._shared_pairs import SharedPairs
from pairvote.ranking._results import Interval, check_level
from pairvote.votes._votes import Votes

Sample = Literal["voter", "pair"]


@dataclass(frozen=True, eq=False, kw_only=True)
class VoterAgreement(Part):
    """How far voters agree on the pairs that several of them answered.

    Attributes
    ----------
    observed : float
        From 0 to 1: the share of two voters' answers on the same pair that are alike, pairs weighted by their voters;
        nan where no pair was answered by two voters.
    expected : float
        What it would be by chance, if every voter drew answers from those of all on all pairs.
    alpha : float
        Krippendorff's alpha for nominal values: 1 where all agree, 0 where they agree no more than by chance, below 0
        where less. nan where no pair was answered by two voters, and where all their answers are ties.
    observed_interval, alpha_interval : Interval
        Both ends at `level`, for other voters like these, or other pairs like these: `by`. nan for fewer than three
        voters, or two pairs.
    level : float
    by : {"voter", "pair"}
        What the intervals take for the sample.
    n_pairs : int
        Pairs that two or more voters answered.
    n_voters : int
        Voters who answered such a pair.
    n_answers : int
        Their answers on such pairs, those of one voter on one pair counted once.
    voters : tuple of labels, length n_voters
        Those voters; who agrees least with the others comes first.
    shared : int64 array, shape (n_voters,)
        Pairs that the voter and others answered.
    agreement : float64 array, shape (n_voters,)
        The share of the others' answers on these pairs that are like the voter's.
    agreement_interval : Interval of float64 arrays, shape (n_voters,)
        Both ends at `level`, for other pairs; an answer on one pair is taken for independent of those on others.
    others : float64 array, shape (n_voters,)
        How far the others agree with each other on these pairs, which may be close ones; nan where no two others
        answered any.
    alpha_without : float64 array, shape (n_voters,)
        Alpha of the other voters; nan where they have no pair in common.
    consistency : Consistency
        How far each voter agrees with their own answers: repeated pairs and circles.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels([*"aabb"], [*"bbcc"], ["left", "left", "left", "right"], voter=[*"uvuv"])
    >>> found = pv.diagnostics.voter_agreement(votes)
    >>> found.observed, found.n_pairs, found.n_answers
    (0.5, 2, 4)
    """

    title = "Agreement between voters"

    observed: float
    expected: float
    alpha: float
    observed_interval: Interval
    alpha_interval: Interval
    level: float
    by: Sample
    n_pairs: int
    n_voters: int
    n_answers: int
    voters: tuple[Hashable, ...]
    shared: NDArray[np.int64]
    agreement: NDArray[np.float64]
    agreement_interval: Interval
    others: NDArray[np.float64]
    alpha_without: NDArray[np.float64]
    consistency: Consistency

    def _blocks(self) -> Iterator[Block]:
        if self.n_pairs:
            yield from self._between()
        else:
            yield "no pair was answered by two voters, so nothing is known of their agreement"
        yield from self.consistency._sentences()

    def _between(self) -> Iterator[Block]:
        yield (
            f"{plural(self.n_pairs, 'pair')} answered by two or more of {plural(self.n_voters, 'voter')}, with "
            f"{plural(self.n_answers, 'answer')} in all"
        )
        yield (
            f"two voters answer the same pair alike in {self.observed:.0%}{self._within(self.observed_interval, '.0%')}"
            f"; by chance it would be {self.expected:.0%}"
        )
        if math.isnan(self.alpha):
            yield "all of these answers are ties, so there is no agreement beyond chance to speak of"
        else:
            yield (
                f"Krippendorff's alpha {self.alpha:.2f}{self._within(self.alpha_interval, '.2f')} (1: all agree, 0: as "
                "by chance)"
            )
        if math.isnan(self.observed_interval.low):
            yield (
                f"one pair says nothing of others, so there is no interval by {self.by!r}"
                if self.by == "pair"
                else "two voters say nothing of others; by='pair' takes the pairs for the sample"
            )
            return
        rows = zip(
            self.voters[:MOST_ROWS],
            self.shared.tolist(),
            self.agreement.tolist(),
            *(end.tolist() for end in self.agreement_interval),
            self.others.tolist(),
            self.alpha_without.tolist(),
            strict=False,
        )
        yield Table(
            ("voter", "shared", "alike", f"{self.level:.0%} interval", "others there", "alpha without"),
            [
                (named(label), f"{n:,}", f"{own:.0%}", f"{low:.0%} to {high:.0%}", _share(others), _number(without))
                for label, n, own, low, high, others, without in rows
            ],
        )
        if self.n_voters > MOST_ROWS:
            yield f"and {plural(self.n_voters - MOST_ROWS, 'more voter')}, who agree more"
        yield "somebody always agrees least; pairvote.diagnostics.voters says who does so beyond chance"

    def _within(self, interval: Interval, form: str) -> str:
        if math.isnan(interval.low):
            return ""
        return f" ({self.level:.0%} interval {interval.low:{form}} to {interval.high:{form}})"


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def voter_agreement(
    votes: Votes, *, level: float = 0.95, by: Sample = "voter", criterion: Hashable | None = None
) -> VoterAgreement:
    r"""How far voters agree on the pairs that several of them answered, raw and beyond chance.

    Ties are an outcome of their own, and skips are left out. With :math:`D_o` the share of two voters' answers on the
    same pair that differ, and :math:`D_e` that of two answers drawn from all, alpha is :math:`1 - D_o / D_e`. Which
    item of a pair is called the first does not matter: each pair is entered from both, so that by chance either wins
    equally often. Where a voter answered a pair several times, the answers share the weight of one.

    It does not say whether tastes differ. Voters who all follow the same scores agree little on items that are nearly
    level, and camps agree where the average voter of all is clear. `consistency` tells more of that.

    Parameters
    ----------
    votes : Votes
        A row is one answer, whatever its weight. Those of unknown voters are left out.
    level : float
        Of the intervals.
    by : {"voter", "pair"}
        What the intervals take for the sample: "voter" for other voters asked about these pairs, "pair" for these
        voters asked about other pairs.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, votes that do not say who voted, and for more than
        4,000 items.

    Notes
    -----
    The intervals are no bootstrap. Voters drawn again agree with their own copies: percentiles of such alphas never
    held the truth in 200 workshops of Kalmar's size. The variance is that of dyads: what two voters have in common
    hangs together with all that either has in common with others. The interval is Wilson's with so much variance and
    a quantile of t. `docs/diagnostics.md` says how often it holds. For more than 20 million pairs of answers the
    variance is that of the jackknife, with an interval up to 1.4 times as wide.

    References
    ----------
    Krippendorff (2011), "Computing Krippendorff's alpha-reliability", University of Pennsylvania, section C: nominal
    data, any number of observers, missing data. Kendall and Babington Smith (1940), "On the method of paired
    comparisons", Biometrika 31, for the coefficient of agreement. Aronow, Samii and Assenova (2015), "Cluster-robust
    variance estimation for dyadic data", Political Analysis 23. Wilson (1927), JASA 22.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> found = pv.diagnostics.voter_agreement(votes)
    >>> round(found.alpha, 2), [round(end, 2) for end in found.alpha_interval]
    (0.31, [0.19, 0.43])
    >>> found.voters[0], int(found.shared[0]), round(float(found.agreement[0]), 2), round(float(found.others[0]), 2)
    (28, 16, 0.47, 0.67)
    """
    check_level(level)
    if not isinstance(by, str) or by not in get_args(Sample):
        raise wrong_option("by", by, "it is 'voter' or 'pair'")
    rows = answered(check_votes(votes, criterion))
    known = known_voters(rows)
    if known is None:
        raise no_voters()
    pairs = SharedPairs.of(*known)
    whole = pairs.all
    shared, agreement, others = pairs.by_voter()
    # Of sums in another order voters who agree alike stay so.
    order = np.argsort(agreement.round(12), kind="stable")
    low, high = (end[order] for end in pairs.intervals_by_voter(level))
    low.flags.writeable = high.flags.writeable = False
    return VoterAgreement(
        observed=whole.observed,
        expected=whole.expected,
        alpha=whole.alpha,
        observed_interval=pairs.interval(level, by_pair=by == "pair", of_alpha=False),
        alpha_interval=pairs.interval(level, by_pair=by == "pair", of_alpha=True),
        level=float(level),
        by=by,
        n_pairs=len(pairs.n_each),
        n_voters=pairs.n_voters,
        n_answers=len(pairs.shares),
        voters=tuple(votes.voters[code] for code in pairs.codes[order].tolist()),
        shared=shared[order],
        agreement=agreement[order],
        agreement_interval=Interval(low, high),
        others=others[order],
        alpha_without=pairs.without_each()[order],
        consistency=consistency_of(rows, level),
    )
