"""How many voters a vote needs: `how_many`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError
from pairvote.ranking._results import normal_quantile
from pairvote.sampling._stream import Sampler
from pairvote.simulation._experiment import experiment
from pairvote.simulation._table import Row, Table
from pairvote.simulation._voters import VoterModel

Metric = Literal["exact", "overlap", "kendall_tau", "spearman", "regret", "rmse"]
# Whether more of it is better.
RISES: dict[Metric, bool] = {
    "exact": True,
    "overlap": True,
    "kendall_tau": True,
    "spearman": True,
    "regret": False,
    "rmse": False,
}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Needed:
    """How many voters are needed, with what simulation leaves open of it.

    Attributes
    ----------
    n_voters : int
        The fewest whose votes reach the target, by the simulated means.
    low, high : int
        The interval that the standard errors of these means leave, at `level`.
    level : float
    metric : str
    target : float
    curve : Table
        What was simulated on the way, by n_voters.

    Examples
    --------
    >>> import pairvote as pv
    >>> needed = pv.how_many(n_items=8, top_k=2, votes_each=6, target=0.6, repetitions=50, rng=1)
    >>> needed.low <= needed.n_voters <= needed.high
    True
    """

    n_voters: int
    low: int
    high: int
    level: float
    metric: Metric
    target: float
    votes_each: int
    curve: Table

    def __repr__(self) -> str:
        return f"Needed({self})"

    def __str__(self) -> str:
        bound = "at least" if RISES[self.metric] else "at most"
        return (
            f"{plural(self.n_voters, 'voter')} ({100 * self.level:g}% interval {self.low:,} to {self.high:,}) x "
            f"{self.votes_each:,} for {self.metric} of {bound} {self.target:g}"
        )


def how_many(
    *,
    votes_each: int = 20,
    top_k: int = 5,
    n_items: int = 23,
    target: float = 0.8,
    metric: Metric = "overlap",
    method: str | Mapping[str, Any] = "bradley-terry",
    sampler: Sampler | str = "balanced",
    voters: VoterModel | None = None,
    strength_sd: float = 1.0,
    strengths: ArrayLike | Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]] | None = None,
    n_open: int = 0,
    repetitions: int = 1000,
    level: float = 0.95,
    most: int = 2000,
    rng: Rng = None,
    n_jobs: int = 1,
    progress: bool = False,
) -> Needed:
    """How many voters are needed to reach a target on average, by bisection over simulations.

    All numbers of voters meet the same items, so that the simulated means rise nearly without noise.

    Parameters
    ----------
    votes_each, top_k, n_items, sampler, voters, strength_sd, strengths, n_open
        As in `simulate` and `Simulation.evaluate`.
    target : float
    metric : {"exact", "overlap", "kendall_tau", "spearman", "regret", "rmse"}
        What is to reach the target; see `Table`. Of the last two less is better.
    method : str or mapping
        The scorer, or its options with its name under "method". Bradley-Terry has ``prior_sd=3.0`` unless another is
        asked for.
    repetitions : int
        Of every number of voters that is tried.
    level : float
        Of the interval.
    most : int
        No more voters than these are tried.
    rng : None, int or numpy.random.Generator, keyword-only
    n_jobs : int
        How many processes, -1 for all cores; the answer is the same for any.
    progress : bool
        Show a bar for each number of voters that is tried.

    Raises
    ------
    InputError
        For a value out of range, and where `most` voters do not reach the target.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.how_many(n_items=10, top_k=3, votes_each=10, target=0.75, repetitions=100, rng=1))
    6 voters (95% interval 4 to 13) x 10 for overlap of at least 0.75
    """
    number = generator(rng)
    if metric not in RISES:
        raise wrong_option("metric", metric, f"use one of {', '.join(map(repr, RISES))}")
    # What rises with more voters is a share or a correlation.
    if not is_number(target) or not -1 <= target <= (1.0 if RISES[metric] else np.finfo(float).max):
        raise wrong_option("target", target, f"it is a number that {metric} can reach, such as 0.8")
    if not is_whole(most) or most < 1:
        raise wrong_option("most", most, "pass a whole number of voters from 1")
    reach = normal_quantile(level)
    seed = int(number.integers(2**63))
    sign = 1.0 if RISES[metric] else -1.0
    rows: dict[int, Row] = {}

    def ahead(n_voters: int, errors: float) -> bool:
        """Whether so many reach the target, if the mean were so many standard errors better."""
        if n_voters not in rows:
            rows[n_voters] = experiment(
                samplers=sampler,
                methods=method if isinstance(method, str) else {str(method.get("method")): method},
                n_items=n_items,
                n_voters=n_voters,
                votes_each=votes_each,
                voters=voters,
                strength_sd=strength_sd,
                strengths=strengths,
                n_open=n_open,
                top_k=top_k,
                repetitions=repetitions,
                rng=np.random.default_rng(seed),
                n_jobs=n_jobs,
                progress=progress,
            ).rows[0]
        found = Table(rows=(rows[n_voters],))
        mean, error = found.mean(metric), found.error(metric)
        if np.isnan(mean):
            problem = f"{shorten(method)} gives no log-odds, so it has no {metric}"
            raise InputError(problem, option="metric", value=metric, remedy="choose another metric")
        return bool(sign * (mean - target) + errors * error >= 0.0)

    def fewest(errors: float) -> int | None:
        """The fewest that do; None where `most` do not."""
        enough = 1
        while not ahead(enough, errors):
            if enough == most:
                return None
            enough = min(2 * enough, most)
        short = enough // 2 if enough < most else max((n for n in rows if n < most and not ahead(n, errors)), default=0)
        while enough - short > 1:
            middle = (short + enough) // 2
            if ahead(middle, errors):
                enough = middle
            else:
                short = middle
        return enough

    n_voters = fewest(0.0)
    if n_voters is None:
        best = Table(rows=(rows[most],)).mean(metric)
        raise InputError(
            f"{metric} is {best:.3g} with {plural(most, 'voter')}, short of the target {target:g}",
            option="target",
            value=best,
            remedy="lower target, or raise votes_each or most",
        )
    low, high = fewest(reach), fewest(-reach)
    return Needed(
        n_voters=n_voters,
        low=min(n_voters, n_voters if low is None else low),
        high=max(n_voters, most if high is None else high),
        level=float(level),
        metric=metric,
        target=float(target),
        votes_each=int(votes_each),
        curve=Table(rows=tuple(rows[n] for n in sorted(rows))),
    )
