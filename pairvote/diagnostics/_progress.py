"""Whether a vote is to be trusted yet."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import plural, wrong_option
from pairvote._common.options import chosen_top_k
from pairvote._common.random import Rng, generator
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._uncertainty import symmetric_root
from pairvote.scoring._bradley_terry import bradley_terry
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
N_DRAWS = 4000
# No more times as many votes as there are than these are thought of.
MOST_TIMES = 1000.0
PRECISION = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Progress:
    """How sure the best k are now, and about how many more votes would settle them.

    Attributes
    ----------
    top : list of labels
        The best k now, best first; where some are level with the k-th, the first of them. Items without a vote come
        after all others.
    probability : float64 array, shape (k,)
        The chance of each to be truly among the best k, as in `Ranking.top_k_probability`.
    overlap : float
        The share of them that is right, on average: the mean of these chances.
    exact : float
        The chance that all are: the posterior probability that these k are the k best.
    n_votes : float
        The weight of the votes so far, without skips; of importance weights the number of votes that they are worth.
    more_votes : int or None
        About how many more bring the expected overlap to `target`; None where a thousand times as many would not.
    target : float

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> print(pv.diagnostics.progress(votes, top_k=5, prior_sd=3.0, rng=1))
    4.1 of the best 5 are right on average, all of them with a chance of 0.23; about 1,800 more votes would make it 4.5
    >>> pv.diagnostics.progress(votes, top_k=1).settled(0.5)
    True
    """

    top: list[Hashable]
    probability: Floats
    overlap: float
    exact: float
    n_votes: float
    more_votes: int | None
    target: float

    def settled(self, probability: float = 0.9) -> bool:
        """Whether the best k are all right with this probability, so that the vote may end.

        It compares `exact` with it. The chances are given the votes, so they hold however the pairs were chosen, and
        however often one looks before stopping: of the votes that are ended by this rule, at least this share has all
        of the best k right, as far as the prior fits.

        Parameters
        ----------
        probability : float
            Above 0 and below 1.

        Raises
        ------
        InputError
            For a probability out of range.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_wins(["ash", "birch"] * 30, ["birch", "cedar"] * 30)
        >>> now = pv.diagnostics.progress(votes, top_k=1)
        >>> now.settled(0.9), round(now.exact, 2)
        (True, 1.0)
        """
        if not is_number(probability) or not 0 < probability < 1:
            raise wrong_option("probability", probability, "it is above 0 and below 1, such as 0.9")
        return self.exact >= probability

    def __str__(self) -> str:
        k = len(self.top)
        settled = f"{self.target * k:.1f}"
        if self.more_votes is None:
            rest = f"no number of votes in reach would make it {settled}"
        elif self.more_votes:
            rest = f"about {plural(self.more_votes, 'more vote')} would make it {settled}"
        else:
            rest = f"no more votes are needed for {settled}"
        return (
            f"{self.overlap * k:.1f} of the best {k} are right on average, all of them with a chance of "
            f"{self.exact:.2f}; {rest}"
        )

    def __repr__(self) -> str:
        return f"Progress({self})"


def progress(
    votes: Votes | PairCounts,
    *,
    top_k: int | None = None,
    target: float = 0.9,
    rng: Rng = None,
    **options: Any,
) -> Progress:
    r"""How sure the best k of a vote are now, and about how many more votes would settle them.

    The chances now are those of the posterior of `bradley_terry`, by the same draws as `Ranking.top_k_probability`.
    What more votes would do is found from its mean m and covariance S: with f times as many votes on
    the same pairs the covariance would be about S / f, around a mean that now has the distribution N(m, S - S / f). So
    the overlap to expect then is that of the best k of :math:`m' \sim N(m, S - S/f)` with those of
    :math:`\theta \sim N(m', S / f)`, over 4,000 draws of both, and the f that brings it to the target is found by
    bisection.

    Parameters
    ----------
    votes : Votes or PairCounts
    top_k : int, optional
        How many of the best are wanted, at most the number of items; by default 5, and of fewer than six items
        all except one.
    target : float
        The share of the best k to be right on average, below 1.
    rng : None, int or numpy.random.Generator, keyword-only
        For draws. None: the same draws at every call.
    **options
        Options of `bradley_terry`, such as ``prior_sd=1.0`` where the strengths are known to spread as much as that,
        or ``uncertainty="by-voter"`` where tastes differ.

    Raises
    ------
    InputError
        For a value out of range.

    References
    ----------
    Raiffa and Schlaifer (1961), "Applied Statistical Decision Theory", section 5.4: the distribution of the posterior
    mean before the data are in.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> now = pv.diagnostics.progress(votes, top_k=5, rng=1)
    >>> round(now.overlap, 1), now.top[0] in now.top, now.more_votes > 0
    (0.8, True, True)
    """
    randomness = generator(0 if rng is None else rng)
    if not is_number(target) or not 0 < target < 1:
        raise wrong_option("target", target, "it is a share of the best k, above 0 and below 1, such as 0.9")
    ranking = bradley_terry(votes, **options)
    k = chosen_top_k(top_k, ranking.n_items)
    codes = ranking._voted_first[:k]
    right_now = _best(ranking._draws(randomness), k)[:, codes]
    probability = right_now.mean(axis=0)
    # Those of the fit, where importance weights have the unit of votes.
    totals = ranking._totals if ranking.fit is None else ranking.fit._posterior.model.totals
    n_votes = 0.5 * float(totals[:, :3].sum())
    more_votes: int | None = 0
    if probability.mean() < target:
        more_votes = _more_votes(_Later.of(ranking, k, randomness), target, n_votes)
    return Progress(
        top=[ranking.items[code] for code in codes.tolist()],
        probability=probability,
        overlap=float(probability.mean()),
        exact=float(right_now.all(axis=1).mean()),
        n_votes=n_votes,
        more_votes=more_votes,
        target=float(target),
    )


@dataclass(frozen=True, eq=False)
class _Later:
    """What more votes are expected to do, by draws of what they add and of what is then still unknown."""

    means: Floats
    before: Floats
    after: Floats
    k: int

    @classmethod
    def of(cls, ranking: Ranking, k: int, rng: np.random.Generator) -> _Later:
        """Draws of both from the normal with the ranking's covariance."""
        root = symmetric_root(ranking.covariance)
        before, after = (rng.standard_normal((N_DRAWS, ranking.n_items)) @ root for _ in range(2))
        return cls(ranking.scores, before, after, k)

    def overlap(self, times: float) -> float:
        """The share of the best k to be right on average, with so many times the votes."""
        then = self.means + np.sqrt(1.0 - 1.0 / times) * self.before
        right = _best(then, self.k) & _best(then + np.sqrt(1.0 / times) * self.after, self.k)
        return float(right.sum(axis=1).mean() / self.k)


def _best(scores: Floats, k: int) -> NDArray[np.bool_]:
    """Who is among the best k of each row."""
    chosen = np.zeros(scores.shape, bool)
    np.put_along_axis(chosen, np.argpartition(-scores, k - 1, axis=1)[:, :k], True, axis=1)
    return chosen


def _more_votes(later: _Later, target: float, n_votes: float) -> int | None:
    """The votes that are lacking, to two digits."""
    low, high = 1.0, 1.0
    while later.overlap(high) < target:
        if high > MOST_TIMES or not n_votes:
            return None
        low, high = high, 2.0 * high
    while high - low > PRECISION * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if later.overlap(middle) >= target else (middle, high)
    return int(float(f"{(high - 1.0) * n_votes:.2g}")) if high > 1.0 else 0
