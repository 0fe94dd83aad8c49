"""Standard errors for any scorer: score the votes again as they might have been."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._checks import is_whole
from pairvote._labels import plural
from pairvote._outcomes import Outcome
from pairvote._posterior import Known, centred
from pairvote.errors import InputError, PairvoteError
from pairvote.ranking import Ranking, Rng
from pairvote.scoring.methods import rank, scorer_named
from pairvote.solver import LARGEST_DENSE
from pairvote.votes import Votes

By = Literal["vote", "voter"]


def bootstrap(
    votes: Votes,
    method: str = "bradley-terry",
    *,
    n_resamples: int = 1000,
    by: By = "vote",
    rng: Rng = None,
    criterion: Hashable | None = None,
    **options: Any,
) -> Ranking:
    """Rank by any scorer, with standard errors from resampling the votes.

    The scores are the scorer's own. The covariance is that of the centred scores of `n_resamples` sets of
    votes, each as large as the real one and drawn from it with replacement; `Ranking.top_k_probability` is
    the share of these sets in which an item is among the best k. Drawn votes keep their time order, which
    matters to Elo. Skips and votes of weight zero, which no scorer counts, are not drawn; a vote of weight 2
    is drawn as one vote.

    Parameters
    ----------
    votes : Votes
    method : str
        The scorer, by its name in `pairvote.rank`.
    n_resamples : int
        From 2. The standard error of a standard error is about its size / sqrt(2 n_resamples).
    by : {"vote", "voter"}
        What is drawn: single votes, or voters with all their votes. "voter" holds also where one person's
        votes resemble each other more than those of two people.
    rng : None, int or numpy.random.Generator
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    **options
        Those of the scorer.

    Returns
    -------
    Ranking
        As the scorer gives it, with the standard errors of the bootstrap in place of its own.

    Raises
    ------
    InputError
        For an option out of range, for PairCounts, for fewer than two votes or voters to draw from, for more
        than 4,000 items, and with ``by="voter"`` for votes whose voter is not known.
    NotIdentifiedError
        Where some resample cannot be scored (under ``prior_sd=math.inf``), saying how many.

    References
    ----------
    Efron and Tibshirani (1993), "An Introduction to the Bootstrap", algorithm 6.1. By voter, the cluster
    bootstrap: Davison and Hinkley (1997), "Bootstrap Methods and their Application", section 3.8.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash"] * 30 + ["birch"] * 20, ["birch"] * 30 + ["ash"] * 20)
    >>> ranking = pv.bootstrap(votes, "tally", rng=0)
    >>> ranking.scores.tolist(), ranking.standard_errors.round(1).tolist()
    ([30.0, 20.0], [3.4, 3.4])
    >>> float(ranking.top_k_probability(1)[0]) > 0.8
    True
    """
    rng = np.random.default_rng(rng)
    scorer = scorer_named(method)
    if not isinstance(votes, Votes):
        raise InputError(f"votes is a {type(votes).__name__}; a bootstrap draws single votes, so pass Votes")
    if not is_whole(n_resamples) or n_resamples < 2:
        raise InputError(f"n_resamples is {n_resamples!r}; it is a whole number from 2, such as 1000")
    if by not in ("vote", "voter"):
        raise InputError(f"by is {by!r}; use 'vote' or 'voter'")
    if votes.n_items > LARGEST_DENSE:
        raise InputError(
            f"there are {votes.n_items:,} items; a bootstrap takes up to {LARGEST_DENSE:,}, so score fewer"
        )
    if "rng" in (scorer.__kwdefaults__ or {}):
        options["rng"] = rng
    votes = votes.select(criterion)
    estimate = rank(votes, method, **options)
    samples = _resampled_scores(votes, method, options, int(n_resamples), by, rng)
    deviations = samples - samples.mean(axis=0)
    covariance = centred(deviations.T @ deviations / (len(samples) - 1))
    fit = None if estimate.fit is None else replace(estimate.fit, uncertainty="bootstrap")
    return replace(estimate, fit=fit, uncertainty=Known(covariance, samples))


def _resampled_scores(
    votes: Votes, method: str, options: dict[str, Any], n_resamples: int, by: By, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The scores of each resample: float64, shape (n_resamples, n_items)."""
    counted = votes.outcome != Outcome.SKIP
    if votes.weight is not None:
        counted &= votes.weight > 0
    votes = votes.where(counted)
    unit, n_units = _units(votes, by)
    if n_units < 2:
        raise InputError(f"the answered votes give {plural(n_units, by)} to draw from; a bootstrap needs at least 2")
    rows = np.arange(len(votes))
    samples = np.empty((n_resamples, votes.n_items))
    failures: list[PairvoteError] = []
    for sample in samples:
        times_drawn = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
        resample = votes._take(np.repeat(rows, times_drawn[unit]))
        try:
            sample[:] = rank(resample, method, **options).scores
        except PairvoteError as failure:
            failures.append(failure)
    if failures:
        raise type(failures[0])(
            f"{len(failures):,} of {n_resamples:,} resamples cannot be scored, the first since {failures[0]}"
        ) from failures[0]
    return samples


def _units(votes: Votes, by: By) -> tuple[NDArray[np.intp], int]:
    """What is drawn together, as a number for each vote, and how many of these there are."""
    if by == "vote":
        return np.arange(len(votes)), len(votes)
    if votes.voter is None:
        raise InputError(
            "by is 'voter' and these votes do not say who voted; pass voter= when making them, or use by='vote'"
        )
    unknown = np.flatnonzero(votes.voter < 0)
    if len(unknown):
        raise InputError(
            f"by is 'voter' and the voters of {len(unknown):,} of {len(votes):,} answered votes are unknown; "
            "name them, leave these votes out with where(votes.voter >= 0), or use by='vote'"
        )
    voters, unit = np.unique(votes.voter, return_inverse=True)
    return unit, len(voters)
