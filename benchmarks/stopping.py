"""Stopping early: how often the best five are right when a vote ends as soon as it says that they are.

A vote is looked at every 20 votes from 60 on, and ends when `diagnostics.progress(votes, top_k=5).settled(0.9)`, or at
1,200 votes. The same workshops, looked at after fixed numbers of votes, say how many votes the rule saves.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks import truth
from benchmarks.honesty import NOISE, SEED, TOP_K, Figure, mean_of, share_of

Floats = NDArray[np.float64]
SURE = 0.9
FIRST, EVERY, LAST, KALMAR = 60, 20, 1200, 600
# The numbers of votes at which the workshops are scored, whether the rule has ended them or not.
FIXED = tuple(range(FIRST, LAST + 1, 60))
N_RESAMPLES = 200
# Of the means of a few hundred shares.
ROUNDING = 1e-9


class Run(NamedTuple):
    """One workshop: where the rule ends it, whether its five are right there, and after the `FIXED` numbers of votes.

    `at` is None where the rule does not end it; `right` is then None.
    """

    at: int | None
    right: bool | None
    fixed: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the rule does under one sampler.

    Attributes
    ----------
    ended : Figure
        The share of workshops that it ends within 1,200 votes.
    right : Figure or None
        The share of these whose five are right.
    votes_600, right_600, all_600 : Figure
        With the rule and at most 600 votes: the mean number of votes and the share that is right; and that share
        without the rule.
    votes_1200, right_1200, all_1200 : Figure
        The same for 1,200.
    same : Figure or None
        The number of votes, the same for all workshops, after which as many are right as with the rule and at most
        1,200; None where no such number was looked at.
    """

    name: str
    repetitions: int
    ended: Figure
    right: Figure | None
    votes_600: Figure
    right_600: Figure
    all_600: Figure
    votes_1200: Figure
    right_1200: Figure
    all_1200: Figure
    same: Figure | None

    @property
    def verdict(self) -> str:
        """Whether the rule is right as often as it says."""
        if self.right is None:
            return "none ended"
        by = SURE - self.right.value
        return "yes" if by <= 0.0 else "in doubt" if by <= NOISE * self.right.error else "NO"


def samplers() -> dict[str, pv.sampling.Sampler]:
    """The strategies that the rule is tried under."""
    return {name: sampler for name, sampler in truth.samplers(TOP_K).items() if name in ("Balanced", f"TopK({TOP_K})")}


def measure(name: str, sampler: pv.sampling.Sampler, repetitions: int, *, prior_sd: Any = None, n_jobs: int = 2) -> Row:
    """Simulate the rule under one sampler, on strengths N(0, 1); the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    simulation = pv.simulate(sampler=sampler, n_voters=LAST // 20, repetitions=repetitions, rng=SEED)
    options = {} if prior_sd is None else {"prior_sd": prior_sd}
    calls = (
        delayed(run)(simulation.votes(r), strengths, options, (SEED, r))
        for r, strengths in enumerate(simulation.strengths)
    )
    return summary(name, Parallel(n_jobs=n_jobs)(calls))


def run(votes: pv.Votes, strengths: Floats, options: Mapping[str, Any], seed: Sequence[int]) -> Run:
    """One workshop, looked at again and again."""
    rng = np.random.default_rng(seed)
    best = set(np.argsort(-strengths)[:TOP_K].tolist())
    at, right = None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for n_votes in range(FIRST, LAST + 1, EVERY):
            now = pv.diagnostics.progress(_first(votes, n_votes), top_k=TOP_K, rng=rng, **options)
            if is_settled(now):
                at, right = n_votes, set(now.top) == best
                break
        fixed = [
            set(pv.bradley_terry(_first(votes, n_votes), **options).top(TOP_K, ties="first")) == best
            for n_votes in FIXED
        ]
    return Run(at, right, tuple(fixed))


def is_settled(now: pv.diagnostics.Progress) -> bool:
    """Whether the five are right with the probability that is wanted."""
    settled = getattr(now, "settled", None)
    return bool(now.exact >= SURE if settled is None else settled(SURE))


def _first(votes: pv.Votes, n_votes: int) -> pv.Votes:
    return votes.where(np.arange(len(votes)) < n_votes)


def summary(name: str, runs: Sequence[Run]) -> Row:
    """The figures of a row from its workshops."""
    ended = [one for one in runs if one.at is not None]
    limited = {most: _limited(runs, most) for most in (KALMAR, LAST)}
    figures = {
        f"{what}_{most}": mean(values)
        for most, columns in limited.items()
        for (what, mean), values in zip(
            (("votes", mean_of), ("right", share_of), ("all", share_of)), columns.T, strict=True
        )
    }
    fixed, right = np.array([one.fixed for one in runs], np.float64), limited[LAST][:, 1]
    return Row(
        name=name,
        repetitions=len(runs),
        ended=share_of([one.at is not None for one in runs]),
        right=share_of([bool(one.right) for one in ended]) if ended else None,
        same=_same(fixed, right),
        **figures,
    )


def _limited(runs: Sequence[Run], most: int) -> Floats:
    """With at most so many votes: the votes of each workshop, whether it is right, and if it had all votes."""
    rows = []
    for one in runs:
        at_most = one.fixed[FIXED.index(most)]
        early = one.at is not None and one.at <= most
        rows.append((one.at if early else most, one.right if early else at_most, at_most))
    return np.array(rows, np.float64)


def _same(fixed: Floats, right: Floats) -> Figure | None:
    """The fixed number of votes that is as often right, with an error by resampling the workshops."""
    number = _number(fixed, right)
    if number is None:
        return None
    rng = np.random.default_rng(SEED)
    drawn = [_number(fixed[rows], right[rows]) for rows in rng.integers(len(right), size=(N_RESAMPLES, len(right)))]
    return Figure(number, float(np.std([one for one in drawn if one is not None])))


def _number(fixed: Floats, right: Floats) -> float | None:
    from scipy.optimize import isotonic_regression

    # More votes are right more often; what says otherwise is chance.
    curve = isotonic_regression(fixed.mean(axis=0)).x
    wanted = right.mean() - ROUNDING
    if not curve[0] < wanted <= curve[-1]:
        return None
    after = int(np.searchsorted(curve, wanted))
    part = (wanted - curve[after - 1]) / (curve[after] - curve[after - 1])
    return float(FIXED[after - 1] + part * (FIXED[after] - FIXED[after - 1]))
