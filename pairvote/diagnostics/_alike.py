r"""How often two answers are alike: chance, Krippendorff's alpha, and intervals of both for answers that hang together.

Answers on a pair are shares p of the three outcomes, 1 for what was picked. With o the share of answers alike, t that
of ties and e what chance makes alike, alpha is :math:`1 - (1 - o) / (1 - e)`; each pair is entered from both of its
items, so that without ties e is nearly a half. To first order two answers p and q add

.. math:: p' Q q = a\,(p' q - o) - b\,(\tfrac12 (p_{tie} + q_{tie}) - t)

to what is estimated less its truth, with a = 1 and b = 0 for o, :math:`a = 1 / (1 - e)` and
:math:`b = (1 - o)\,e' / (1 - e)^2` for alpha, where :math:`e' = (3 t - 1)\,2 n / (2 n - 1)` is the derivative of e by t
for n answers. What is known of the variance V of that sum becomes an interval by Wilson's formula, with
:math:`o (1 - o) / V` as the number of answers and a quantile of t in place of the normal one.

References
----------
Krippendorff (2011), "Computing Krippendorff's alpha-reliability", University of Pennsylvania. Wilson (1927), "Probable
inference, the law of succession, and statistical inference", JASA 22. Korn and Graubard (1998), "Confidence intervals
for proportions with small expected number of positive counts estimated from survey data", Survey Methodology 24, for
the number of answers that a variance stands for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._consensus import added_up, folded_outcomes
from pairvote.ranking._results import Interval, quantile
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Alike:
    """The share of answers that are alike, what chance makes it, and alpha.

    observed : nan where there are no answers
    n, n_ties : answers, and ties among them
    """

    observed: float
    n: float
    n_ties: float

    @property
    def expected(self) -> float:
        """The share alike of two of all answers drawn at random, each entered from both items of its pair."""
        if not self.n:
            return math.nan
        decided, ties = self.n - self.n_ties, 2.0 * self.n_ties
        alike = 2.0 * decided * (decided - 1.0) + ties * (ties - 1.0)
        return alike / (2.0 * self.n * (2.0 * self.n - 1.0))

    @property
    def alpha(self) -> float:
        """Agreement beyond chance, 1 where all are alike; nan where all are ties."""
        return self.beyond_chance(self.observed)

    def beyond_chance(self, observed: float) -> float:
        """What alpha would be of another share alike."""
        return 1.0 - (1.0 - observed) / (1.0 - self.expected) if self.n_ties < self.n else math.nan

    def form(self, *, of_alpha: bool) -> Floats:
        """The matrix Q of the observed share, or of alpha in units of the observed share: shape (3, 3)."""
        tie = np.zeros(3)
        tie[Outcome.TIE] = 1.0
        share = self.n_ties / self.n
        # Alpha times 1 - e, so that both are shares of answers.
        slope = (3.0 * share - 1.0) * 2.0 * self.n / (2.0 * self.n - 1.0)
        b = (1.0 - self.observed) * slope / (1.0 - self.expected) if of_alpha else 0.0
        return np.asarray(np.eye(3) - 0.5 * b * (tie[:, None] + tie) + (b * share - self.observed))


def share_interval(share: float, variance: float, *, least: float, most: float, reach: float) -> Interval:
    """Wilson's interval of a share with this variance.

    It stands for as many independent answers as have the variance, not above `most`. Where all or none are alike the
    variance says nothing, and it is `least`.
    """
    binomial = share * (1.0 - share)
    n = min(binomial / variance, most) if variance > 0.0 and binomial > 0.0 else least
    low, high = wilson(share, n, reach)
    return Interval(float(low), float(high))


def wilson(share: Floats | float, n: Floats | float, reach: Floats | float) -> tuple[Floats, Floats]:
    """Wilson's interval of a share of n answers, `reach` standard errors to either side."""
    z2 = reach**2 / n
    middle = (share + 0.5 * z2) / (1.0 + z2)
    half = reach / (1.0 + z2) * np.sqrt((share * (1.0 - share) + 0.25 * z2) / n)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def clustered_variance(sums: Floats) -> float:
    """The variance of a total of independent sums, whose mean is 0."""
    n = len(sums)
    return float(sums @ sums) * n / (n - 1) if n > 1 else math.nan


def effective(sizes: Floats) -> float:
    """How many clusters of one size these are worth, were the answers of each all the same (Kish 1965)."""
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def reach_of(level: float, n_clusters: int) -> float:
    """The quantile of t for a variance from so many clusters; the normal one where a single one has no variance."""
    return quantile(level, n_clusters - 1 if n_clusters > 1 else math.inf)


@dataclass(frozen=True, kw_only=True)
class Retest:
    """Answers on pairs that their voters had answered before, each beside the answer before.

    now, before : (n, 3), 1 for the outcome and else 0
    voter : (n,), counted from 0
    """

    now: Floats
    before: Floats
    voter: NDArray[np.intp]

    @classmethod
    def of(cls, votes: Votes, who: Codes, before: NDArray[np.intp], later: NDArray[np.intp]) -> Retest:
        """Rows of votes, each later one with the row before it of its voter and pair."""
        answers = np.eye(3)[folded_outcomes(votes)]
        return cls(now=answers[later], before=answers[before], voter=np.unique(who[later], return_inverse=True)[1])

    @cached_property
    def all(self) -> Alike:
        """The agreement of all, of answers in twos."""
        n = len(self.now)
        alike = float((self.now * self.before).sum()) / n if n else math.nan
        ties = float(self.now[:, Outcome.TIE].sum() + self.before[:, Outcome.TIE].sum())
        return Alike(observed=alike, n=2.0 * n, n_ties=ties)

    def interval(self, level: float, *, of_alpha: bool) -> Interval:
        """An interval for other voters, or of a single one for other questions; nan where there is no share."""
        whole, n = self.all, len(self.now)
        if not n or (of_alpha and whole.n_ties == whole.n):
            return Interval(math.nan, math.nan)
        cluster = self.voter if self.voter.any() else np.arange(n)
        added = ((self.now @ whole.form(of_alpha=of_alpha)) * self.before).sum(axis=1) / n
        sums = added_up(cluster, added, int(cluster.max()) + 1)
        found = share_interval(
            whole.observed,
            clustered_variance(sums),
            least=effective(np.bincount(cluster).astype(np.float64)),
            most=float(n),
            reach=reach_of(level, len(sums)),
        )
        return Interval(*map(whole.beyond_chance, found)) if of_alpha else found
