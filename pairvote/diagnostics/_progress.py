"""Whether a vote is to be trusted yet."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import plural, wrong_option
from pairvote._common.options import check_top_k
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
        The best k now, best first; where some are level with the k-th, the first of them.
    probability : float64 array, shape (k,)
        The chance of each to be truly among the best k.
    overlap : float
        The share of them that is right, on average: the mean of these chances.
    exact : float
        The chance that all are.
    n_votes : float
        The weight of the votes so far, without skips.
    more_votes : int or None
        About how many more bring the expected overlap to `target`; None where a thousand times as many would not.
    target : float

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> print(pv.diagnostics.progress(votes, top_k=5, rng=1))
    4.1 of the best 5 are right on average, all of them with a chance of 0.23; about 1,800 more votes would make it 4.5
    """

    top: list[Hashable]
    probability: Floats
    overlap: float
    exact: float
    n_votes: float
    more_votes: int | None
    target: float

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
    top_k: int = 5,
    target: float = 0.9,
    prior_sd: float = 3.0,
    rng: int | np.random.Generator | None = None,
    **options: Any,
) -> Progress:
    r"""How sure the best k of a vote are now, and about how many more votes would settle them.

    The scores have the normal posterior of `bradley_terry`, with mean m and covariance S. With f times as many votes on
    the same pairs the covariance would be about S / f, around a mean that now has the distribution N(m, S - S / f). So
    the overlap to expect then is that of the best k of :math:`m' \sim N(m, S - S/f)` with those of
    :math:`\theta \sim N(m', S / f)`, over 4,000 draws of both, and the f that brings it to the target is found by
    bisection.

    Parameters
    ----------
    votes : Votes or PairCounts
    top_k : int
        How many of the best are wanted, at most the number of items.
    target : float
        The share of the best k to be right on average, below 1.
    prior_sd : float
        Of `bradley_terry`. The chances are right on average when the strengths spread as much as this, in log-odds.
    rng : None, int or numpy.random.Generator, keyword-only
    **options
        More of `bradley_terry`, such as ``uncertainty="by-voter"`` where tastes differ.

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
    >>> round(now.overlap, 2), now.top[0] in now.top, now.more_votes > 0
    (0.81, True, True)
    """
    generator = np.random.default_rng(rng)
    if not is_number(target) or not 0 < target < 1:
        raise wrong_option("target", target, "it is a share of the best k, above 0 and below 1, such as 0.9")
    ranking = bradley_terry(votes, prior_sd=prior_sd, **options)
    check_top_k(top_k, ranking.n_items)
    k = int(top_k)
    values, vectors = np.linalg.eigh(ranking.covariance)
    roots = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    size = (N_DRAWS, ranking.n_items)
    before, after = (generator.standard_normal(size) @ roots for _ in range(2))
    means = ranking.scores

    def right(times: float) -> NDArray[np.int64]:
        """How many of the best k are right in each draw, with so many times the votes."""
        then = means + np.sqrt(1.0 - 1.0 / times) * before
        return (_best(then, k) & _best(then + np.sqrt(1.0 / times) * after, k)).sum(axis=1)

    top = ranking.top(k, ties="first")
    codes = [ranking.items.index(label) for label in top]
    chosen = np.zeros((1, ranking.n_items), bool)
    chosen[0, codes] = True
    truly = _best(means + after, k)
    in_common = (truly & chosen).sum(axis=1)
    n_votes = 0.5 * float(ranking.asked.sum())
    return Progress(
        top=top,
        probability=truly.mean(axis=0)[codes],
        overlap=float(in_common.mean() / k),
        exact=float((in_common == k).mean()),
        n_votes=n_votes,
        more_votes=_more_votes(lambda times: float(right(times).mean() / k), target, n_votes),
        target=float(target),
    )


def _best(scores: Floats, k: int) -> NDArray[np.bool_]:
    """Who is among the best k of each row."""
    chosen = np.zeros(scores.shape, bool)
    np.put_along_axis(chosen, np.argpartition(-scores, k - 1, axis=1)[:, :k], True, axis=1)
    return chosen


def _more_votes(overlap: Any, target: float, n_votes: float) -> int | None:
    """The votes that are lacking, to two digits."""
    low, high = 1.0, 1.0
    while overlap(high) < target:
        if high > MOST_TIMES or not n_votes:
            return None
        low, high = high, 2.0 * high
    while high - low > PRECISION * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if overlap(middle) >= target else (middle, high)
    return int(float(f"{(high - 1.0) * n_votes:.2g}")) if high > 1.0 else 0
