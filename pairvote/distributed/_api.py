"""Votes on a cluster, counted and ranked: the public functions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from numpy.typing import ArrayLike

from pairvote._common.checks import is_whole
from pairvote._common.labels import check_items
from pairvote._common.messages import wrong_option
from pairvote._common.outcomes import Outcomes
from pairvote._inference import LIMITS, LinkName, PriorOption, Ties, UncertaintyKind, fit
from pairvote.distributed._counts import DistributedCounts
from pairvote.distributed._engine import added, result, task
from pairvote.distributed._partitions import Asked, add, count_all, counts_of, delayed_partitions
from pairvote.distributed._remote import RemoteSums
from pairvote.errors import InputError
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._bradley_terry import bradley_terry as bradley_terry_here
from pairvote.scoring._bradley_terry import check_models, check_options, ranking_of, start_at
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

# The labels of more are matched once, and not whenever two counts are added up.
FEW_ITEMS = 10_000


def count_pairs(
    votes: Any,
    *,
    left: str = "left",
    right: str = "right",
    outcome: str = "outcome",
    weight: str | None = None,
    criterion: str | None = None,
    select: Hashable | None = None,
    items: Iterable[Hashable] | None = None,
    outcomes: Outcomes | None = None,
    most_pairs: int = 50_000_000,
) -> PairCounts | DistributedCounts:
    """Add the votes of a Dask DataFrame up by pair, each partition where it lies.

    Labels are matched across partitions, and items stand in the order in which they are first seen, as where all
    votes are read at once. The work is done by whichever of Dask's schedulers is set: threads, or a cluster's. Graded
    votes give each side its share; what is fitted to counts has errors of as many wins and losses, which are too large
    for these.

    Parameters
    ----------
    votes : Dask DataFrame, or list of delayed data frames
        A row for each vote. What is delayed may be a data frame of pandas, polars or pyarrow, `Votes`, or what
        `scan_votes` makes, which names its columns itself and is read by the worker chunk by chunk.
    left, right, outcome : str
        The names of the columns.
    weight, criterion : str, optional
        The names of further columns; by default the one called "weight" or "criterion" where there is one.
    select : label, optional
        The criterion to count, where the votes answer several.
    items, outcomes
        As in `Votes.from_labels`.
    most_pairs : int
        So many pairs, of 28 bytes each, may be brought here and make a `PairCounts`; more stay where they are. They are
        taken to be as many as all partitions hold together, or as there can be of so many items.

    Returns
    -------
    PairCounts or DistributedCounts

    Raises
    ------
    InputError
        Naming the partition, the row, the value and the remedy, for anything malformed; for labels of several types,
        within or across partitions; for votes on several criteria without choosing one; where Dask is not installed.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> import pairvote as pv
    >>> df = pd.DataFrame({"left": ["ash", "birch"], "right": ["birch", "cedar"], "outcome": ["left", "tie"]})
    >>> counts = pv.distributed.count_pairs(dd.from_pandas(df, npartitions=2))
    >>> counts, counts.items
    (PairCounts(2 votes, 3 items, 2 pairs), ('ash', 'birch', 'cedar'))
    """
    if not is_whole(most_pairs) or most_pairs < 0:
        raise wrong_option("most_pairs", most_pairs, "it is a whole number from 0, such as 50_000_000")
    if isinstance(votes, (Votes, PairCounts)):
        raise InputError(
            f"votes is a {type(votes).__name__}, which lies in this memory",
            option="votes",
            remedy="use votes.counts()",
        )
    asked = Asked(
        left=left,
        right=right,
        outcome=outcome,
        weight=weight,
        criterion=criterion,
        select=select,
        items=None if items is None else check_items(items),
        outcomes=outcomes,
    )
    counted, whole, summary = count_all(delayed_partitions(votes, asked), asked)
    n_items = len(summary.items)
    if min(sum(summary.n_pairs), n_items * (n_items - 1)) > most_pairs:
        return DistributedCounts.of(counted, whole, summary)
    if n_items > FEW_ITEMS:
        return DistributedCounts.of(counted, whole, summary).gather()
    counts: PairCounts = result(added([task(counts_of)(part) for part in counted], add))
    return counts


def bradley_terry(
    votes: Any,
    *,
    ties: Ties = "davidson",
    link: LinkName = "logistic",
    prior_sd: PriorOption = "learned",
    position: bool = False,
    covariates: None = None,
    uncertainty: UncertaintyKind = "model",
    start: Ranking | ArrayLike | Sequence[float] | None = None,
    tol: float = 1e-9,
    max_iter: int = 100,
) -> Ranking:
    """Rank votes on a cluster by Bradley-Terry scores: models, prior and numbers as of `pairvote.bradley_terry`.

    Where the pairs are few they are counted and fitted here. Where they stay on the cluster, the same Newton steps are
    taken here, and every sum over pairs is made there: the scores and vectors as long go out, and as many come back.
    Under a learned prior up to 20,000 pairs of up to 500 items are brought here in any case, for the draws that carry
    through what is not known of the prior. Of more it is put in as if it were known, as it is here of as many, and the
    printed ranking says so where standard errors may be too small for that.

    Parameters
    ----------
    votes : Dask DataFrame, list of delayed data frames, PairCounts or DistributedCounts
        Columns of other names, criteria and labels of outcomes are for `count_pairs`.
    ties, link, prior_sd, position, start, tol, max_iter
        As of `pairvote.bradley_terry`.
    covariates
        None: those are of single votes, which are not kept.
    uncertainty : {"model", "sandwich", "none"}
        Of pairs on the cluster, standard errors are approximate, and ``ranking.fit.approximation_error`` says how far
        they are off; those of ``ranking.difference(a, b)`` are not.

    Returns
    -------
    Ranking
        Of pairs that stay on the cluster without a covariance, and so without what is drawn from it.

    Raises
    ------
    InputError
        As `count_pairs`, and for "by-voter", "clustered" and covariates.
    NotIdentifiedError, ConvergenceError
        As `pairvote.bradley_terry`. For a tie parameter or a position effect under ``prior_sd=math.inf`` also where it
        cannot be told from the partitions one by one whether there is an estimate.

    Examples
    --------
    >>> import dask
    >>> import pairvote as pv
    >>> baseball = pv.datasets.baseball()
    >>> with dask.config.set(scheduler="synchronous"):
    ...     counts = pv.distributed.count_pairs([dask.delayed(baseball)], most_pairs=0)
    ...     ranking = pv.distributed.bradley_terry(counts, prior_sd=3.0)
    >>> bool(abs(ranking.scores - pv.bradley_terry(baseball, prior_sd=3.0).scores).max() < 1e-8)
    True
    """
    check_models(ties, link)
    check_options(prior_sd, position, uncertainty, tol, max_iter)
    if covariates is not None or uncertainty in ("by-voter", "clustered"):
        what = "covariates are" if covariates is not None else f"uncertainty={uncertainty!r} is"
        raise InputError(
            f"{what} of single votes, and of votes on a cluster only counts are kept",
            option="uncertainty" if covariates is None else "covariates",
            remedy="read them into this memory with read_votes or from_frame, and fit them by pairvote.bradley_terry",
        )
    counts = votes if isinstance(votes, (PairCounts, DistributedCounts)) else count_pairs(votes)
    if (
        prior_sd == "learned"
        and isinstance(counts, DistributedCounts)
        and LIMITS.can_draw(counts.n_items, counts.n_pairs)
    ):
        counts = counts.gather()
    options: dict[str, Any] = {"uncertainty": uncertainty, "start": start, "tol": tol, "max_iter": max_iter}
    if isinstance(counts, PairCounts):
        return bradley_terry_here(counts, ties=ties, link=link, prior_sd=prior_sd, position=position, **options)
    posterior = fit(
        RemoteSums(counts),
        ties=ties,
        prior_sd="learned" if isinstance(prior_sd, str) else float(prior_sd),
        position=bool(position),
        uncertainty=uncertainty,
        link=link,
        start=start_at(start, counts.items, ties, link),
        tol=tol,
        max_iter=max_iter,
    )
    return ranking_of(posterior, counts)
