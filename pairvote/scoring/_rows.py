"""What beside the votes says how their rows hang together, and what their weights mean."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, code_column
from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

Weights = Literal["counts", "sampling"]
WEIGHTS: tuple[Weights, ...] = ("counts", "sampling")


def counted_rows(votes: Votes) -> NDArray[np.bool_]:
    """Whether each row was answered and has a weight above 0."""
    counted = votes.outcome != Outcome.SKIP
    return counted if votes.weight is None else counted & (votes.weight > 0)


def with_clusters(votes: Votes, labels: object, option: str) -> Votes:
    """Votes with a user's clusters in the place of voters.

    labels: one for each row. option: what the user passed them as.

    Raises
    ------
    InputError
        For clusters that are not one for each row, and where that of an answered vote is missing.
    """
    column = as_column(labels, option)
    n_labels = len(column.codes) if isinstance(column, Coded) else len(column)
    if n_labels != len(votes):
        raise InputError(
            f"{option} has {n_labels:,} entries and there are {len(votes):,} votes",
            option=option,
            remedy="pass one label for every row, that of a skip too",
        )
    coded = code_column(column, option)
    missing = np.flatnonzero((coded.codes < 0) & counted_rows(votes))
    if len(missing):
        row = int(missing[0])
        raise InputError(
            f"{option} at row {row} is missing, as are {len(missing):,} of those of answered votes",
            option=option,
            where=f"row {row}",
            remedy="name them, or leave these votes out with where()",
        )
    return votes._changed(voter=coded.codes, voters=tuple(range(len(coded.labels))))


def check_clusters(votes: Votes | PairCounts, clusters: object, uncertainty: str | None) -> Votes | PairCounts:
    """The votes with `clusters` in the place of voters, if there are any; InputError where the options do not agree."""
    if clusters is None:
        if uncertainty == "clustered":
            raise InputError(
                "uncertainty is 'clustered' and clusters is not given",
                option="clusters",
                remedy="pass clusters= with one label for every vote, or use 'by-voter' or 'sandwich'",
            )
        return votes
    if uncertainty != "clustered":
        raise InputError(
            f"clusters is given and uncertainty is {shorten(uncertainty)}",
            option="uncertainty",
            value=uncertainty,
            remedy="pass uncertainty='clustered', or leave out clusters",
        )
    if isinstance(votes, PairCounts):
        raise InputError(
            "votes is a PairCounts, which has no rows for clusters= to stand beside",
            option="votes",
            remedy="pass the Votes that it was counted from",
        )
    return with_clusters(votes, clusters, "clusters") if isinstance(votes, Votes) else votes


def lots_of(votes: Votes, what: str) -> tuple[NDArray[np.intp], int]:
    """What goes together, a "vote" or a "voter", as a number for each vote, and how many of these lots there are."""
    if what == "vote":
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
    voters, lot = np.unique(votes.voter, return_inverse=True)
    return lot, len(voters)


def with_sampling_weights(votes: Votes | PairCounts, tie_weight: float = 1.0) -> Votes:
    r"""Votes with importance weights in the units of votes: they add up to Kish's effective number of votes.

    Weights that are importance weights mean the same on any scale, but a prior needs one. With weights w, the sandwich
    of the likelihood alone is :math:`H^{-1} M H^{-1}`, with :math:`H = \sum w_i h_i` and
    :math:`M = \sum w_i^2 g_i g_i'`. Where weights have nothing to do with outcomes, M is
    :math:`(\sum w^2 / \sum w) H` on average, so what the votes say of the scores has the precision
    :math:`(\sum w / \sum w^2) H`. That is the information under the weights :math:`w_i \sum w / \sum w^2`, whose sum is
    :math:`(\sum w)^2 / \sum w^2` (Kish 1965, "Survey Sampling"). A scale that makes the sum the number of rows would
    say that the votes know more.
    """
    if isinstance(votes, PairCounts):
        raise InputError(
            "votes is a PairCounts, which keeps the sums of weights and not the weights, and weights is 'sampling'",
            option="votes",
            remedy="pass the Votes that it was counted from",
        )
    if votes.weight is None:
        return votes
    counted = counted_rows(votes)
    if not tie_weight:
        counted &= ~votes._tied
    weight = votes.weight / max(float(votes.weight[counted].max(initial=0.0)), np.finfo(float).tiny)
    used = weight[counted]
    if not len(used):
        return votes
    # A skip of large weight must not overflow: it says nothing.
    scaled = np.where(counted_rows(votes), weight, 0.0) * (used.sum() / (used @ used))
    return votes._changed(weight=scaled)


def squared(votes: Votes) -> Votes:
    """Votes with the squares of their weights."""
    return votes if votes.weight is None else votes._changed(weight=np.square(votes.weight))
