r"""Do groups agree? Three tests of "all groups have the same scores".

By reassignment. Where groups agree, who belongs to which says nothing of the votes, so voters may be dealt out to
groups anew. That holds however much the votes of one voter resemble each other. With :math:`g_v` the gradient of voter
v's votes at the scores of all votes together and :math:`S_g` its sum over the voters of group g, the statistic is

.. math:: T = \sum_g S_g'\, M\, S_g / \pi_g, \qquad M = (w H + \sigma^{-2} I)^{-1},

with H the information of all votes, :math:`\pi_g` the part of it that group g's votes have and w the mean of
:math:`(n_g / n)(1 - n_g / n)` over the groups' numbers of voters. For two groups :math:`w H` is about the information
of their difference, and T the statistic that tells differences of standard deviation :math:`\sigma` from none best;
with few votes it is the locally best one against small differences at random. Dividing by :math:`\pi_g`, dealt out anew
too, makes up for voters with more votes in one group than in another. The p-value is the rank of T among the
reassignments.

By scores. The same sums with M the inverse of the sum of outer products :math:`\sum_v g_v g_v'`, and
:math:`\pi_g = n_g / n`: Rao's test with voters as clusters, which is also the test of parameter instability by which
model-based trees split. It needs many more voters than items.

By likelihoods. Twice the gain in the maximum log-likelihood where each group has parameters of its own. It takes all
votes for independent.

References
----------
Pesarin and Salmaso (2010), "Permutation tests for complex data". Chung and Romano (2013), "Exact and asymptotically
robust permutation tests", Annals of Statistics 41, for statistics that are made alike before they are dealt out.
Zeileis, Hothorn and Hornik (2008), "Model-based recursive partitioning", JCGS 17, and Strobl, Wickelmaier and Zeileis
(2011), "Accounting for individual differences in Bradley-Terry models by means of recursive partitioning", JEBS 36, for
the second. Goeman, van de Geer and van Houwelingen (2006), "Testing against a high dimensional alternative", JRSS-B 68,
for the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._inference import Posterior, Ties, fit, single_votes, sums_of, voter_gradients
from pairvote.errors import ConvergenceError, NotIdentifiedError
from pairvote.groups._joint import leverages
from pairvote.groups._known import Grouped, Ints
from pairvote.votes._given import count_votes
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
# Labels that are dealt out at once, and in all unless that makes too few.
MOST_TOGETHER, MOST_LABELS, FEWEST_REASSIGNMENTS = 2_000_000, 20_000_000, 999
# Eigenvalues below this part of the largest are those of directions of which nothing is known.
NOTHING_KNOWN = 1e-9
# Gradients that differ by less are the same, so that the order of voters has no part in the answer.
DIGITS = 9
SAME = 1e-9


@dataclass(frozen=True, kw_only=True)
class GroupTest:
    """A test of "the groups agree" by a chi-squared distribution.

    Attributes
    ----------
    statistic : float
        nan where there is none.
    degrees_of_freedom : int
    p_value : float
        nan where there is none.
    problem : str or None
        Why there is none.

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
    >>> groups = {voter: ("public", "business")[voter % 2] for voter in range(30)}
    >>> test = pv.compare_groups(sim.votes(0), groups).likelihood_ratio
    >>> round(test.statistic, 1), test.degrees_of_freedom
    (75.3, 22)
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    problem: str | None = None

    @classmethod
    def of(cls, statistic: float, degrees_of_freedom: int) -> GroupTest:
        """The test by this statistic."""
        from scipy.special import chdtrc

        p = float(chdtrc(degrees_of_freedom, max(statistic, 0.0)))
        return cls(statistic=statistic, degrees_of_freedom=degrees_of_freedom, p_value=p)

    @classmethod
    def without(cls, problem: str) -> GroupTest:
        """The test where there is none."""
        return cls(statistic=math.nan, degrees_of_freedom=0, p_value=math.nan, problem=problem)


def fit_votes(votes: Votes, prior_sd: float, ties: Ties, position: bool) -> Posterior:
    """The fit of single votes under a normal prior, or by maximum likelihood."""
    counts = count_votes(votes, folded=not position)
    sums = sums_of(votes, counts, folded=not position)
    return fit(sums, ties=ties, prior_sd=prior_sd, position=position)


def likelihood_ratio(grouped: Grouped, ties: Ties, position: bool) -> GroupTest:
    """The test by maximum likelihoods; without a statistic where one of these is not there."""
    if bool(grouped.votes.is_graded.any()):
        return GroupTest.without("graded votes have no likelihood")
    whole, size = 0.0, 0
    for group in range(-1, grouped.n_groups):
        votes = grouped.votes if group < 0 else grouped.of_group(group)
        try:
            fitted = fit_votes(votes, math.inf, ties, position)
        except (NotIdentifiedError, ConvergenceError) as error:
            who = "together" if group < 0 else f"by group {grouped.names[group]!r} alone"
            return GroupTest.without(f"{who} {error.problem}")
        if not fitted.model.is_likelihood:
            return GroupTest.without(f"with ties={ties!r} there is no likelihood of a tie")
        if group < 0:
            whole, size = fitted.log_likelihood(), fitted.model.layout.size - 1
        else:
            whole -= fitted.log_likelihood()
    return GroupTest.of(-2.0 * whole, (grouped.n_groups - 1) * size)


def score_test(grouped: Grouped, ties: Ties, position: bool) -> GroupTest:
    """Rao's test with voters as clusters; without a statistic where there are too few of them."""
    votes = grouped.votes
    try:
        fitted = fit_votes(votes, math.inf, ties, position)
    except (NotIdentifiedError, ConvergenceError) as error:
        return GroupTest.without(f"together {error.problem}")
    rows = single_votes(votes, votes, None, None, "by-voter")
    gradients = voter_gradients(fitted.model, fitted.parameters, rows).toarray()
    outer = gradients.T @ gradients
    values, vectors = np.linalg.eigh(outer)
    known = values > NOTHING_KNOWN * values[-1]
    size = fitted.model.layout.size - 1
    if int(known.sum()) < size:
        return GroupTest.without(f"{len(gradients):,} voters are too few for {size:,} parameters")
    turned = gradients @ (vectors[:, known] / np.sqrt(values[known]))
    sums = group_sums(turned, grouped.group_of, grouped.n_groups)
    statistic = float((np.square(sums).sum(axis=1) * len(gradients) / grouped.n_voters).sum())
    return GroupTest.of(statistic, (grouped.n_groups - 1) * size)


def group_sums(values: Floats, group_of: Ints, n_groups: int) -> Floats:
    """The sum of the rows of each group: float64, shape (n_groups, n_columns)."""
    return np.asarray((group_of == np.arange(n_groups)[:, None]).astype(np.float64) @ values)


def reassigned(
    grouped: Grouped, sigma: float, ties: Ties, position: bool, n_reassignments: int, rng: np.random.Generator
) -> tuple[float, int]:
    """The p-value by reassignments of voters to groups, and how many there were."""
    gradients, sizes = _dealt(grouped, sigma, ties, position)
    # An order of voters that is theirs, whichever of them came first.
    order = np.lexsort([*np.round(gradients, DIGITS).T, np.round(sizes, DIGITS)])
    gradients, sizes, group_of = gradients[order], sizes[order], grouped.group_of[order]
    n_groups, n_voters = grouped.n_groups, len(group_of)
    observed = _statistics(gradients, sizes, group_of[None, :], n_groups)[0]
    n_reassignments = min(n_reassignments, max(MOST_LABELS // n_voters, FEWEST_REASSIGNMENTS))
    n_above, together = 0, max(1, MOST_TOGETHER // n_voters)
    for first in range(0, n_reassignments, together):
        n = min(together, n_reassignments - first)
        dealt = rng.permuted(np.broadcast_to(group_of, (n, n_voters)), axis=1)
        n_above += int((_statistics(gradients, sizes, dealt, n_groups) >= observed * (1.0 - SAME)).sum())
    return (n_above + 1) / (n_reassignments + 1), n_reassignments


def _dealt(grouped: Grouped, sigma: float, ties: Ties, position: bool) -> tuple[Floats, Floats]:
    """What is dealt out: each voter's gradient turned by a root of M, and the voter's part of the information."""
    votes = grouped.votes
    fitted = fit_votes(votes, sigma, ties, position)
    rows = single_votes(votes, votes, None, None, "by-voter")
    shares = grouped.n_voters / grouped.n_voters.sum()
    part = float((shares * (1.0 - shares)).mean())
    # M / w is the covariance under a prior of the variance w sigma^2.
    narrow = covariance_under(fitted, math.sqrt(part) * sigma)
    scores = fitted.model.layout.scores
    gradients = voter_gradients(fitted.model, fitted.parameters, rows)[:, scores].toarray()
    sizes, _ = leverages(fitted.model, fitted.parameters, rows, narrow)
    sizes = sizes / sizes.sum() if sizes.sum() > 0.0 else np.full(len(sizes), 1.0 / len(sizes))
    # A prior draws the scores in, so that gradients do not add up to nothing.
    gradients = gradients - sizes[:, None] * gradients.sum(axis=0)
    values, vectors = np.linalg.eigh(narrow)
    return gradients @ (vectors * np.sqrt(np.maximum(values, 0.0))), sizes


def covariance_under(fitted: Posterior, prior_sd: float) -> Floats:
    """The covariance of the scores of a fit, were its prior another one: float64, shape (n_items, n_items)."""
    values, vectors = np.linalg.eigh(fitted.covariance())
    more = prior_sd**-2.0 - fitted.model.prior_sd**-2.0
    # Nothing along the mean of all scores, and of rounding below it.
    known = values > NOTHING_KNOWN * values.max(initial=0.0)
    values = np.where(known, values / (1.0 + more * values), 0.0)
    return np.asarray((vectors * values) @ vectors.T)


def _statistics(gradients: Floats, sizes: Floats, dealt: Ints, n_groups: int) -> Floats:
    """T for each row of group labels (n, n_voters): float64, shape (n,)."""
    found = np.zeros(len(dealt))
    for group in range(n_groups):
        members = (dealt == group).astype(np.float64)
        part = members @ sizes
        sums = np.square(members @ gradients).sum(axis=1)
        found += np.divide(sums, part, out=np.zeros(len(sums)), where=part > 0.0)
    return found
