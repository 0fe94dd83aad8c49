r"""Pairs that several voters answered: what each voter says of each, who agrees with whom, and how sure that is.

A coincidence is two voters' answers on one pair. Those that share a voter hang together, since a voter may be careless
or have a taste of their own, and others are independent. With :math:`h_{vw}` what the coincidences of voters v and w
add to an estimate, the variance is that of dyads,

.. math:: V = c \sum_v \Bigl(\sum_{w \ne v} h_{vw}\Bigr)^2 - \sum_{v < w} h_{vw}^2,
          \qquad c = \frac{J (J - 1)}{(J - 2)^2},

and not below the last sum, which is right where all are independent. The factor c makes the first sum that of the
jackknife over J voters who answered the same pairs. The jackknife alone counts twice what two voters have to
themselves. Voters drawn again count it three times, or agree with their own copies.

References
----------
Fafchamps and Gubert (2007), "The formation of risk sharing networks", Journal of Development Economics 83. Aronow,
Samii and Assenova (2015), "Cluster-robust variance estimation for dyadic data", Political Analysis 23. Efron and Stein
(1981), "The jackknife estimate of variance", Annals of Statistics 9. Owen (2007), "The pigeonhole bootstrap", Annals of
Applied Statistics 1, for voters drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._alike import Alike, Floats, clustered_variance, effective, reach_of, share_interval, wilson
from pairvote.diagnostics._consensus import added_up, folded_outcomes, pair_keys
from pairvote.ranking._results import Interval
from pairvote.votes._votes import Votes

# The most pairs of answers from which the part of single dyads in the variance is found; of more it is left in.
MOST_COINCIDENCES = 20_000_000


@dataclass(frozen=True, kw_only=True)
class SharedPairs:
    """What each voter says of each pair that two or more voters answered: a row is a voter and a pair.

    shares : (n_rows, 3), the share of each outcome in the voter's answers
    pair, voter : (n_rows,), counted from 0
    codes : (n_voters,), the code of each voter
    most_coincidences : of more pairs of answers the variance is the jackknife's
    """

    shares: Floats
    pair: NDArray[np.intp]
    voter: NDArray[np.intp]
    codes: NDArray[np.int64]
    most_coincidences: int = MOST_COINCIDENCES

    @classmethod
    def of(cls, rows: Votes, who: Codes) -> SharedPairs:
        """The shared pairs of answered votes whose voters are known."""
        _, pair = np.unique(pair_keys(rows), return_inverse=True)
        n_voters = len(rows.voters)
        cells, cell = np.unique(pair.astype(np.int64) * n_voters + who, return_inverse=True)
        answers = np.bincount(3 * cell + folded_outcomes(rows), minlength=3 * len(cells)).reshape(-1, 3)
        pair, voter = np.divmod(cells, n_voters)
        shared = np.bincount(pair)[pair] > 1
        codes, voter = np.unique(voter[shared], return_inverse=True)
        answers = answers[shared].astype(np.float64)
        return cls(
            shares=answers / answers.sum(axis=1, keepdims=True),
            pair=np.unique(pair[shared], return_inverse=True)[1],
            voter=voter,
            codes=codes,
        )

    @property
    def n_voters(self) -> int:
        """Voters who answered a pair that another did."""
        return len(self.codes)

    @cached_property
    def n_each(self) -> NDArray[np.int64]:
        """The voters of each pair."""
        return np.bincount(self.pair)

    @cached_property
    def _totals(self) -> Floats:
        """What all say of each row's pair: shape (n_rows, 3)."""
        return self._per_pair(self.shares)[self.pair]

    @cached_property
    def _others(self) -> Floats:
        """How many others answered each row's pair: shape (n_rows,)."""
        return (self.n_each[self.pair] - 1).astype(np.float64)

    @cached_property
    def alike(self) -> Floats:
        """The share of the others on the pair with the answer of each row: shape (n_rows,)."""
        # The product with what all say of the pair, less that with the voter's own.
        return (self._totals * self.shares - self.shares**2).sum(axis=1) / self._others

    @cached_property
    def all(self) -> Alike:
        """The agreement of all voters."""
        n = len(self.shares)
        observed = float(self.alike.sum()) / n if n else np.nan
        return Alike(observed=observed, n=n, n_ties=float(self.shares[:, Outcome.TIE].sum()))

    def _per_pair(self, values: Floats) -> Floats:
        n = len(self.n_each)
        if values.ndim == 1:
            return added_up(self.pair, values, n)
        return np.stack([added_up(self.pair, column, n) for column in values.T], axis=1)

    def _per_voter(self, values: Floats) -> Floats:
        return added_up(self.voter, values, self.n_voters)

    def by_voter(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """The pairs of each voter, the agreement with the others on them, and that of the others among themselves.

        The last is on those of the pairs that two others answered; nan where there are none.
        """
        n = np.bincount(self.voter, minlength=self.n_voters)
        two_others = self._others > 1
        n_two = self._per_voter(two_others.astype(np.float64))
        n_two[n_two == 0] = np.nan
        among = self._alike_without[two_others] / self._others[two_others]
        others = added_up(self.voter[two_others], among, self.n_voters) / n_two
        return n, self._per_voter(self.alike) / n, others

    def intervals_by_voter(self, level: float) -> Interval:
        """An interval of each voter's agreement with the others, for other pairs: arrays of shape (n_voters,)."""
        n = np.bincount(self.voter, minlength=self.n_voters).astype(np.float64)
        share = self._per_voter(self.alike) / n
        spread = self._per_voter((self.alike - share[self.voter]) ** 2)
        binomial = n * share * (1.0 - share)
        # As many answers of yes or no as have the variance; where all pairs are alike they are the pairs.
        varies = (spread > 1e-12) & (n > 1)
        n_answers = np.where(varies, binomial * (n - 1.0) / np.where(varies, spread, 1.0), n)
        different, which = np.unique(n.astype(np.int64), return_inverse=True)
        reach = np.array([reach_of(level, size) for size in different.tolist()])[which]
        low, high = wilson(share, np.minimum(n_answers, self._per_voter(self._others)), reach)
        return Interval(low, high)

    @cached_property
    def _alike_without(self) -> Floats:
        """The sum of `alike` over the others on each row's pair, were the voter of the row away: shape (n_rows,)."""
        own = (self.shares**2).sum(axis=1)
        products = ((self._totals - self.shares) ** 2).sum(axis=1) - (self._per_pair(own)[self.pair] - own)
        # A voter left alone on a pair agrees with nobody.
        return np.where(self._others > 1, products / np.maximum(self._others - 1.0, 1.0), 0.0)

    def without_each(self) -> Floats:
        """Alpha with each voter left out in turn; nan where no pair is left, or only ties: shape (n_voters,)."""
        whole, alone = self.all, self._others == 1
        lost = self._per_pair(self.alike)[self.pair] - self._alike_without
        ties = self.shares[:, Outcome.TIE]
        n = whole.n - self._per_voter(np.where(alone, 2.0, 1.0))
        alike = whole.observed * whole.n - self._per_voter(lost)
        n_ties = whole.n_ties - self._per_voter(np.where(alone, self._totals[:, Outcome.TIE], ties))
        # What is left of sums after rounding is no tie and no answer.
        left = [
            Alike(observed=a / m, n=m, n_ties=t if t > 1e-9 else 0.0) if m > 0.5 else None
            for a, m, t in zip(alike.tolist(), n.tolist(), n_ties.tolist(), strict=True)
        ]
        return np.array([np.nan if one is None or one.n - one.n_ties < 1e-9 else one.alpha for one in left])

    def interval(self, level: float, *, by_pair: bool, of_alpha: bool) -> Interval:
        """An interval of the observed agreement or of alpha; nan where there are too few to tell."""
        whole = self.all
        if (len(self.n_each) < 2 if by_pair else self.n_voters < 3) or (of_alpha and whole.n_ties == whole.n):
            return Interval(np.nan, np.nan)
        n_coincidences = float((self.n_each * (self.n_each - 1.0)).sum() / 2.0)
        weighed = self.shares @ whole.form(of_alpha=of_alpha)
        added = ((self._totals - self.shares) * weighed).sum(axis=1) / self._others / whole.n
        if by_pair:
            variance = clustered_variance(self._per_pair(added))
            least, reach = effective(self.n_each.astype(np.float64)), reach_of(level, len(self.n_each))
        else:
            variance = self._dyadic_variance(2.0 * self._per_voter(added), weighed)
            # Two voters make a coincidence: so many have no voter in common.
            least = effective(np.bincount(self.voter).astype(np.float64)) / 2.0
            reach = reach_of(level, self.n_voters)
        found = share_interval(whole.observed, variance, least=least, most=n_coincidences, reach=reach)
        return Interval(*map(whole.beyond_chance, found)) if of_alpha else found

    def _dyadic_variance(self, sums: Floats, weighed: Floats) -> float:
        """The variance V of the module, from what each voter's coincidences add up to."""
        n_voters = self.n_voters
        jackknifed = float(sums @ sums) * n_voters * (n_voters - 1) / (n_voters - 2) ** 2
        if (self.n_each**2).sum() > self.most_coincidences:
            return jackknifed
        from scipy.sparse import csr_array

        shape = (n_voters, 3 * len(self.n_each))
        row, place = np.repeat(self.voter, 3), (3 * self.pair[:, None] + np.arange(3)).ravel()
        one = csr_array((self.shares.ravel(), (row, place)), shape=shape)
        one.eliminate_zeros()
        other = csr_array(((weighed * (2.0 / self.all.n / self._others)[:, None]).ravel(), (row, place)), shape=shape)
        between = one @ other.T
        own = between.diagonal()
        squares = float((between.multiply(between).sum() - own @ own) / 2.0)
        return max(jackknifed - squares, squares)
