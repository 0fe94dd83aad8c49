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

import numpy as np

from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote.diagnostics._consensus import answered, check_votes, folded_outcomes, known_voters, no_voters, pair_keys
from pairvote.diagnostics._page import Block, Part
from pairvote.votes._votes import Votes


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
    n_pairs : int
        Pairs that two or more voters answered.
    n_voters : int
        Voters who answered such a pair.
    n_answers : int
        Their answers on such pairs, those of one voter on one pair counted once.

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
    n_pairs: int
    n_voters: int
    n_answers: int

    def _blocks(self) -> Iterator[Block]:
        if not self.n_pairs:
            yield "no pair was answered by two voters, so nothing is known of their agreement"
            return
        yield (
            f"{plural(self.n_pairs, 'pair')} answered by two or more of {plural(self.n_voters, 'voter')}, with "
            f"{plural(self.n_answers, 'answer')} in all"
        )
        yield f"two voters answer the same pair alike in {self.observed:.0%}; by chance it would be {self.expected:.0%}"
        if math.isnan(self.alpha):
            yield "all of these answers are ties, so there is no agreement beyond chance to speak of"
        else:
            yield f"Krippendorff's alpha {self.alpha:.2f} (1: all agree, 0: as by chance)"


def voter_agreement(votes: Votes, *, criterion: Hashable | None = None) -> VoterAgreement:
    r"""How far voters agree on the pairs that several of them answered, raw and beyond chance.

    Ties are an outcome of their own, and skips are left out. With :math:`D_o` the share of two voters' answers on the
    same pair that differ, and :math:`D_e` that of two answers drawn from all, alpha is :math:`1 - D_o / D_e`. Which
    item of a pair is called the first does not matter: each pair is entered from both, so that by chance either wins
    equally often. Where a voter answered a pair several times, the answers share the weight of one.

    It says how far people are of one mind on the pairs asked, close ones or not: voters who all follow the same scores
    agree little on items that are nearly level.

    Parameters
    ----------
    votes : Votes
        A row is one answer, whatever its weight. Those of unknown voters are left out.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Raises
    ------
    InputError
        For votes none of which is answered, votes that do not say who voted, and for more than 4,000 items.

    References
    ----------
    Krippendorff (2011), "Computing Krippendorff's alpha-reliability", University of Pennsylvania, section C: nominal
    data, any number of observers, missing data. Kendall and Babington Smith (1940), "On the method of paired
    comparisons", Biometrika 31, for the coefficient of agreement.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.voter_agreement(pv.datasets.kalmar().simulated_votes(rng=2014)))
    Agreement between voters
      156 pairs answered by two or more of 30 voters, with 499 answers in all
      two voters answer the same pair alike in 66%; by chance it would be 50%
      Krippendorff's alpha 0.31 (1: all agree, 0: as by chance)
    """
    known = known_voters(answered(check_votes(votes, criterion)))
    if known is None:
        raise no_voters()
    rows, who = known
    _, pair = np.unique(pair_keys(rows), return_inverse=True)
    n_voters = len(rows.voters)
    cells, cell = np.unique(pair.astype(np.int64) * n_voters + who, return_inverse=True)
    answers = np.bincount(3 * cell + folded_outcomes(rows), minlength=3 * len(cells)).reshape(-1, 3).astype(np.float64)
    # What each voter says of each pair, as shares of the three outcomes.
    shares = answers / answers.sum(axis=1, keepdims=True)
    pair, voter = np.divmod(cells, n_voters)
    m = np.bincount(pair)[pair]
    shares, pair, voter, m = (values[m > 1] for values in (shares, pair, voter, m))
    n = len(shares)
    if not n:
        return VoterAgreement(observed=math.nan, expected=math.nan, alpha=math.nan, n_pairs=0, n_voters=0, n_answers=0)
    # The product with what all say of the pair, less that with the voter's own.
    totals = np.stack([np.bincount(pair, shares[:, outcome]) for outcome in Outcome if outcome != Outcome.SKIP], axis=1)
    alike = (totals[pair] * shares - shares**2).sum(axis=1) / (m - 1)
    observed = float(alike.sum() / n)
    # Every pair entered from both of its items: 2 n values, and as many wins of the first as of the second.
    n_ties = float(shares[:, Outcome.TIE].sum())
    n_each = np.array([n - n_ties, 2.0 * n_ties, n - n_ties])
    expected = float((n_each * (n_each - 1.0)).sum() / (2.0 * n * (2.0 * n - 1.0)))
    return VoterAgreement(
        observed=observed,
        expected=expected,
        alpha=1.0 - (1.0 - observed) / (1.0 - expected) if n_ties < n else math.nan,
        n_pairs=len(np.unique(pair)),
        n_voters=len(np.unique(voter)),
        n_answers=n,
    )
