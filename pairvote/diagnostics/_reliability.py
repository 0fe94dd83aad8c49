"""How well the same people, or others like them, would say the same again."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import wrong_option
from pairvote._common.options import chosen_top_k
from pairvote._common.random import Rng, generator
from pairvote._inference import PriorOption
from pairvote.diagnostics._asked import groups_of
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus
from pairvote.diagnostics._page import Block, Part, some
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.votes._votes import Votes

LITTLE = 0.7
# So many components are named.
MOST_NAMED = 4
# What the prior may add to a reliability before it is said.
FLATTERED = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class SplitHalf(Part):
    """How far two random halves of the voters rank alike.

    Attributes
    ----------
    by : {"voter", "vote"}
        What was split: "vote" where the voters are not known.
    correlations : float64 array, shape (n_splits,)
        Of the Bradley-Terry scores of both halves, for each random split.
    correlation : float
        Their mean.
    reliability : float
        That of all votes together, which are twice as many: 2 r / (1 + r) of the mean, 0 for a negative one.
    top_k : int
    overlap : float
        The mean share of the best k that two halves have in common. Two votes as large as this one would have more.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.split_half(pv.datasets.baseball(), top_k=1, rng=1)
    >>> found.by, len(found.correlations), round(found.overlap, 2)
    ('vote', 100, 0.21)
    """

    title = "Split halves"

    by: Literal["voter", "vote"]
    correlations: NDArray[np.float64]
    correlation: float
    reliability: float
    top_k: int
    overlap: float

    def _blocks(self) -> Iterator[Block]:
        yield (
            f"scores by two random halves of the {self.by}s correlate by {self.correlation:.2f} (mean of "
            f"{len(self.correlations):,} splits, standard deviation {self.correlations.std(ddof=1):.2f}), so those by "
            f"all are reliable to {self.reliability:.2f}"
        )
        yield f"two halves have {self.overlap * self.top_k:.1f} of their best {self.top_k} in common"
        if self.by == "voter":
            yield "random halves have voters of every kind, so this says nothing of camps: see pairvote.find_groups"

    def _concerns(self) -> Iterator[str]:
        if self.reliability < LITTLE:
            yield (
                f"two halves of the {self.by}s agree little (split-half reliability {self.reliability:.2f}); more "
                "votes are needed to tell the items apart"
            )


def split_half(
    votes: Votes,
    *,
    top_k: int | None = None,
    n_splits: int = 100,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
) -> SplitHalf:
    r"""Split the voters into random halves, score each half, and correlate the scores; again and again.

    The halves have half the votes each; Spearman and Brown's formula :math:`2 r / (1 + r)` says how reliable scores by
    all of them are. Where voters are not known, votes are split instead, which takes two votes of one person for
    independent.

    Parameters
    ----------
    votes : Votes
    top_k : int, optional
        How many of the best to compare, at most the number of items; by default 5, and of fewer than six items all
        except one.
    n_splits : int
        From 2.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`; for the halves a learned one becomes a normal one of its spread. An item that a half did not
        see has score 0 there.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, fewer than two voters or votes, and for more than
        4,000 items.

    References
    ----------
    Spearman (1910) and Brown (1910), British Journal of Psychology 3. For comparative judgement, Bisson, Gilmore,
    Inglis and Jones (2016), "Measuring conceptual understanding using comparative judgement", IJRUME 2.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> found = pv.diagnostics.split_half(votes, rng=1)
    >>> round(found.correlation, 2), round(found.reliability, 2), round(found.overlap, 2)
    (0.84, 0.91, 0.63)
    """
    rng = generator(rng)
    consensus = Consensus.of(votes, criterion, prior_sd)
    k = chosen_top_k(top_k, consensus.n_items)
    if not is_whole(n_splits) or n_splits < 2:
        raise wrong_option("n_splits", n_splits, "it is a whole number from 2, such as 100")
    return split_of(consensus, k, int(n_splits), rng)


def split_of(consensus: Consensus, top_k: int, n_splits: int, rng: np.random.Generator) -> SplitHalf:
    """Split halves of a fit at hand."""
    voter = consensus.rows.voter
    lot, by = np.arange(len(consensus.rows)), "vote"
    if voter is not None and (voter >= 0).all() and np.ptp(voter):
        lot, by = np.unique(voter, return_inverse=True)[1], "voter"
    n_lots = int(lot.max()) + 1
    if n_lots < 2:
        raise InputError("there is one answered vote; split halves need at least 2")
    whole = consensus.table_of()
    correlations, overlaps = np.empty(n_splits), np.empty(n_splits)
    for split in range(n_splits):
        chosen = np.zeros(n_lots, bool)
        chosen[rng.permutation(n_lots)[: n_lots // 2]] = True
        table = consensus.table_of(np.flatnonzero(chosen[lot]))
        one, other = consensus.scores_of(table), consensus.scores_of(whole - table)
        correlations[split] = correlation(one, other)
        best = [set(np.argsort(-scores, kind="stable")[:top_k].tolist()) for scores in (one, other)]
        overlaps[split] = len(best[0] & best[1]) / top_k
    mean = float(correlations.mean())
    return SplitHalf(
        by="voter" if by == "voter" else "vote",
        correlations=correlations,
        correlation=mean,
        reliability=2.0 * mean / (1.0 + mean) if mean > 0.0 else 0.0,
        top_k=top_k,
        overlap=float(overlaps.mean()),
    )


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's; 0 where all of one are level."""
    one, other = one - one.mean(), other - other.mean()
    product = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / product if product > 0 else 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Separation(Part):
    """How much of the variance of the scores is not error.

    It says little about the best few: of 23 items and 600 votes it is 0.90 while the five best are found exactly in 28%
    of workshops, for it is easy to tell the best from the worst. And where questions were chosen by earlier answers it
    is inflated (Bramley and Vitello 2019), unless the prior was learned.

    Attributes
    ----------
    reliability : float
        From 0 to 1: an estimate of the squared correlation of the scores with the true strengths.
    separation : float
        How many standard errors the spread of the true scores is: sqrt(reliability / (1 - reliability)).
    spread, error : float
        The standard deviation of the scores, and the root of the mean squared standard error, in the unit of the
        scores. Where votes do not join all items, both are taken within components.
    formula : {"posterior", "sampling"}
        "posterior": spread^2 / (spread^2 + error^2), for scores under a prior with the errors of their posterior.
        "sampling": (spread^2 - error^2) / spread^2, for maximum likelihood and for errors by a bootstrap.
    without_prior : float
        The reliability when a prior of known width is not trusted to be as wide as the strengths are spread; equal to
        `reliability` where the prior was learned, for the formula "sampling" and for combined criteria.
    is_learned : bool
        Whether the prior of the scores was learned.
    components : tuple of tuples of labels
        Items that answered questions connect, the largest group first. Nothing is known of how far two groups are
        apart, and items without votes have no part in the numbers.
    unit : str
        That of the scores, such as "log-odds".

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.separation(pv.datasets.citations())
    >>> round(found.spread, 2), round(found.error, 3), round(found.reliability, 3)
    (1.46, 0.081, 0.997)
    """

    title = "Scale separation"

    reliability: float
    separation: float
    spread: float
    error: float
    formula: Literal["posterior", "sampling"]
    without_prior: float
    is_learned: bool
    components: tuple[tuple[Hashable, ...], ...]
    unit: str = "log-odds"

    def _blocks(self) -> Iterator[Block]:
        yield (
            f"reliability {self.reliability:.2f}: scores spread by {self.spread:.2f} {self.unit}, with errors of "
            f"{self.error:.2f}"
        )
        if self.reliability - self.without_prior > FLATTERED:
            yield (
                f"it is {self.without_prior:.2f} where the prior is not trusted; the first flatters if the prior is "
                "much wider than the strengths are spread"
            )
        if len(self.components) > 1:
            groups = "; ".join(some(group, 3) for group in self.components[:MOST_NAMED])
            more = len(self.components) - MOST_NAMED
            yield (
                f"votes do not join {len(self.components):,} components ({groups}"
                f"{f'; and {more:,} more' if more > 0 else ''}): this is the reliability within them, and how far they "
                "are apart is not known"
            )
        inflated = "" if self.is_learned else ", and is inflated where earlier answers chose the questions"
        yield f"it says little about the best few{inflated}"


def separation(
    votes: Votes | Ranking, *, criterion: Hashable | None = None, prior_sd: PriorOption = PRIOR_SD
) -> Separation:
    r"""The scale-separation reliability: how much of the variance of Bradley-Terry scores is not error.

    It estimates the squared correlation of scores with true strengths. V is the variance of the scores over items, with
    n - 1 below, and :math:`\overline{SE^2}` the mean of their squared standard errors. Which formula is right depends
    on what the scores are:

    * Under a prior, scores are posterior means, which are less spread than the strengths: by the law of total
      variance the strengths have the variance :math:`V + \overline{SE^2}`, so the reliability is
      :math:`V / (V + \overline{SE^2})`. It is right where the prior is as wide as the strengths are spread, as a
      learned one is by what the votes say: a little low where they say little (0.45 for 0.50 with strengths of standard
      deviation 0.5 and 17 votes an item), and 0.15 for answers by a coin.
      Under a much wider prior it is too high when votes are few: ``prior_sd=3.0`` gives 0.67 in that example, and 0.50
      for a coin. `Separation.without_prior` holds under any normal prior, with more scatter: the error of a
      posterior mean as an estimate is :math:`SE^2 (1 - SE^2 / prior\_sd^2)`, and this
      in place of :math:`SE^2` in the formula of maximum likelihood. There the example gives 0.50, and the coin 0.11.
    * By maximum likelihood, or with errors by a bootstrap, scores are strengths plus errors, and more spread than
      them: the reliability is :math:`(V - \overline{SE^2}) / V`, not below 0.

    `Separation` says what it does not tell.

    Parameters
    ----------
    votes : Votes or Ranking
        A ranking is one with standard errors.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`, for votes.

    Raises
    ------
    InputError
        For votes none of which is answered, and for more than 4,000 items.
    MissingUncertaintyError
        For a ranking without standard errors, or of more than 4,000 items that votes do not join.

    References
    ----------
    Wright and Masters (1982), "Rating Scale Analysis", chapter 5, for maximum likelihood. Adams (2005),
    "Reliability as a measurement design effect", Studies in Educational Evaluation 31, for posterior means. Bramley
    and Vitello (2019), "The effect of adaptivity on the reliability coefficient in adaptive comparative judgement",
    Assessment in Education 26.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.separation(pv.datasets.kalmar().simulated_votes(rng=2014))
    >>> round(found.reliability, 2), round(found.separation, 2), found.formula
    (0.91, 3.19, 'posterior')
    """
    ranking = votes if isinstance(votes, Ranking) else Consensus.of(votes, criterion, prior_sd).ranking
    return separation_of(ranking)


def separation_of(ranking: Ranking) -> Separation:
    """The separation of a ranking with standard errors."""
    if ranking.n_items < 2:
        raise InputError(f"there is {ranking.n_items} item; separation is of at least 2")
    # First, since a ranking without standard errors may not know its components either.
    ranking.standard_errors  # noqa: B018
    component = ranking.components
    variance, errors = _within(ranking, component)
    error = float(errors.mean())
    posterior = ranking._known_uncertainty().is_posterior
    is_learned = posterior and ranking.fit is not None and ranking.fit.prior_sd.learned
    if not variance:
        reliability = 0.0
    else:
        reliability = variance / (variance + error) if posterior else max(0.0, 1.0 - error / variance)
    without_prior = reliability
    # Combined criteria have no one fit, and so no one prior; nor have scores that follow features or known scores.
    is_plain = ranking.fit is not None and ranking.features is None and not ranking.fit._posterior.n_known
    if posterior and variance and ranking.fit is not None and is_plain and not is_learned:
        prior_sd = ranking.fit._posterior.model.prior_sd / (ranking._log_odds_per_unit or 1.0)
        shrunk = np.clip(1.0 - errors / prior_sd**2, 0.0, 1.0)
        without_prior = max(0.0, 1.0 - float((shrunk * errors).mean()) / variance)
    return Separation(
        reliability=reliability,
        separation=math.sqrt(reliability / (1.0 - reliability)) if reliability < 1 else math.inf,
        spread=math.sqrt(variance),
        error=math.sqrt(error),
        formula="posterior" if posterior else "sampling",
        without_prior=without_prior,
        is_learned=is_learned,
        components=groups_of(ranking.items, component),
        unit=ranking.unit,
    )


def _within(ranking: Ranking, component: NDArray[np.int32]) -> tuple[float, NDArray[np.float64]]:
    """The variance of the scores within components, and the squared errors of scores centred there."""
    if not component.any():
        return float(ranking.scores.var(ddof=1)), ranking.standard_errors**2
    n_each = np.bincount(component)
    joined = n_each[component] > 1
    n_joined, n_groups = int(joined.sum()), int((n_each > 1).sum())
    if not n_joined:
        return 0.0, np.zeros(1)
    # Centres each component: the identity less, for items of the same one, one over its size.
    centring = np.eye(ranking.n_items) - (component[:, None] == component) / n_each[component]
    errors = np.einsum("ij,jk,ik->i", centring, ranking.covariance, centring, optimize=True)
    squares = ((centring @ ranking.scores) ** 2).sum()
    return float(squares / max(n_joined - n_groups, 1)), errors[joined]
