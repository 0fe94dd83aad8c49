"""The single votes of a fit that cannot do with counts: covariates of each vote, or the cluster of each."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.labels import Codes, as_array
from pairvote._common.messages import listed, plural
from pairvote._common.outcomes import Outcome
from pairvote._inference.entries import AnswerCounts, SingleVotes, sides
from pairvote._inference.graded import Answered
from pairvote._inference.sums import LocalSums
from pairvote.errors import InputError, NotIdentifiedError
from pairvote.votes._counts import PairCounts
from pairvote.votes._votes import Votes

LEAST_SPREAD = 1e-12
LEAST_PART = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class VoteRows:
    """Votes but skips and those of weight zero, as columns.

    cluster: what errors are taken between, by default the voter; -1 where it is not known, None where it never is.
    design: (n_votes, n_covariates), or None. kind: the uncertainty that `cluster` is for. share: the left side's share
    of graded votes, nan for others; None where there are none. dispersion: what weights were divided by. n_answers: how
    many answers there are that `outcome` is one of.
    """

    n_items: int
    left: Codes
    right: Codes
    outcome: NDArray[np.uint8]
    weight: NDArray[np.float64]
    cluster: Codes | None
    design: NDArray[np.float64] | None
    kind: str = "by-voter"
    share: NDArray[np.float64] | None = None
    dispersion: float = 1.0
    n_answers: int = 3

    @classmethod
    def of(
        cls,
        votes: Votes,
        design: NDArray[np.float64] | None = None,
        kind: str = "by-voter",
        answered: Answered | None = None,
    ) -> VoteRows:
        """The rows that count, of votes and of the design beside them; clusters stand in the place of voters.

        answered: the answers of graded votes that are not taken as shares.
        """
        weight = np.ones(len(votes)) if votes.weight is None else votes.weight
        counted = (votes.outcome != Outcome.SKIP) & (weight > 0)
        return cls(
            n_items=votes.n_items,
            left=votes.left[counted],
            right=votes.right[counted],
            outcome=(votes.outcome if answered is None else answered.answer)[counted],
            weight=weight[counted],
            cluster=None if votes.voter is None else votes.voter[counted],
            design=None if design is None else design[counted],
            kind=kind,
            share=None if votes.share is None or answered is not None else votes.share[counted],
            n_answers=3 if answered is None else answered.n_answers,
        )

    @property
    def is_graded(self) -> NDArray[np.bool_]:
        """Whether each row is graded: bool, shape (n_votes,)."""
        return np.zeros(len(self.left), bool) if self.share is None else ~np.isnan(self.share)

    def squared(self) -> VoteRows:
        """Rows with the squares of their weights."""
        return replace(self, weight=np.square(self.weight))

    def divided(self, dispersion: float) -> VoteRows:
        """Rows whose weights are divided by a dispersion."""
        return replace(self, weight=self.weight / dispersion, dispersion=dispersion)

    def scaled(self) -> tuple[VoteRows, NDArray[np.float64]]:
        """Rows with covariates of at most 1, and what they were divided by."""
        if self.design is None:
            return self, np.empty(0)
        scale = np.abs(self.design).max(axis=0)
        return replace(self, design=self.design / scale), scale

    def sums(self, items: tuple[Hashable, ...]) -> LocalSums:
        """Sums over single votes, in the order of their left items."""
        order = np.argsort(self.left, kind="stable")
        start = np.searchsorted(self.left[order], np.arange(self.n_items + 1)).astype(np.int64)
        weight, whole = self.weight[order], ~self.is_graded[order]
        table, spread = np.zeros((len(order), self.n_answers)), None
        table[whole, self.outcome[order][whole]] = weight[whole]
        if self.share is not None:
            share = np.where(whole, 0.0, self.share[order])
            graded = np.where(whole, 0.0, weight)
            table[:, Outcome.LEFT] += graded * share
            table[:, Outcome.RIGHT] += graded * (1.0 - share)
            spread = graded * share * (1.0 - share)
        skipped = np.zeros(self.n_items)
        own = {"items": items, "start": start, "right": self.right[order], "skipped": skipped}
        counts = (
            SingleVotes._unchecked(table=table, **own)
            if self.n_answers == 3
            else AnswerCounts._unchecked(table=sides(table), answers=table, **own)
        )
        return LocalSums(counts, None if self.design is None else self.design[order], spread)

    def clusters(self) -> tuple[NDArray[np.intp], int]:
        """The number of each vote's cluster, and how many there are.

        Raises
        ------
        InputError
            Where the clusters are not known, or there is only one.
        """
        if self.cluster is None:
            raise InputError(
                "uncertainty is 'by-voter' and these votes do not say who voted",
                option="voter",
                remedy="pass voter= when making them, or use 'sandwich'",
            )
        unknown = int((self.cluster < 0).sum())
        if unknown:
            raise InputError(
                f"uncertainty is 'by-voter' and the voters of {unknown:,} of {len(self.cluster):,} answered votes are "
                "unknown; name them, leave these votes out with where(votes.voter >= 0), or use 'sandwich'"
            )
        names, numbers = np.unique(self.cluster, return_inverse=True)
        if len(names) < 2:
            count, between = (
                (f"are by {plural(len(names), 'voter')}", "voters")
                if self.kind == "by-voter"
                else (f"fall into {plural(len(names), 'cluster')}", "clusters")
            )
            raise InputError(
                f"uncertainty is {self.kind!r} and the answered votes {count}; errors between {between} need at least "
                "2, so use 'sandwich'"
            )
        return numbers, len(names)


def sums_of(votes: Votes, counts: PairCounts, *, folded: bool) -> LocalSums:
    """Sums over the pairs of counted votes, of which some are graded."""
    if votes.share is None:
        return LocalSums(counts)
    graded = votes.is_graded
    left, right, share = votes.left[graded].astype(np.int64), votes.right[graded].astype(np.int64), votes.share[graded]
    if folded:
        left, right = np.minimum(left, right), np.maximum(left, right)
    weight = share * (1.0 - share) * (1.0 if votes.weight is None else votes.weight[graded])
    pairs = counts.left.astype(np.int64) * counts.n_items + counts.right
    # Votes of weight zero have no pair.
    counted = weight > 0.0
    places = np.searchsorted(pairs, (left * counts.n_items + right)[counted])
    return LocalSums(counts, spread=np.bincount(places, weight[counted], counts.n_pairs).astype(np.float64))


def single_votes(
    given: Votes | PairCounts,
    chosen: Votes | PairCounts,
    covariates: ArrayLike | None,
    criterion: Hashable | None,
    kind: str,
    answered: Answered | None = None,
) -> VoteRows:
    """The rows of the votes `chosen` by `criterion` from those `given`, whose covariates these are.

    kind: the uncertainty that the rows are for. answered: the answers of `chosen`, if they are not taken as shares.
    """
    if not isinstance(given, Votes) or not isinstance(chosen, Votes):
        raise InputError(
            "votes is a PairCounts, which keeps no single votes; with covariates=, uncertainty='by-voter' or "
            "weights='sampling' pass Votes"
        )
    design = None if covariates is None else check_covariates(covariates, len(given))
    if design is not None and given.criterion is not None and len(chosen) != len(given):
        design = design[given.criterion == given.criteria.index(criterion)]
    return VoteRows.of(chosen, design, kind, answered)


def check_covariates(covariates: ArrayLike, n_votes: int) -> NDArray[np.float64]:
    """A user's covariates as float64, shape (n_votes, n_covariates)."""
    array = as_array(covariates, "covariates")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] == 0 or len(array) != n_votes:
        raise InputError(
            f"covariates has shape {np.shape(covariates)}; pass ({n_votes}, n_covariates), one row for every vote"
        )
    if array.dtype.kind not in "biuf":
        raise InputError(f"covariates are of type {array.dtype}; pass numbers, and categories as columns of 0 and 1")
    array = array.astype(np.float64)
    wrong = ~np.isfinite(array)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise InputError(
            f"covariates at row {row}, column {column} is {array[row, column]}; fill it in, or leave out the vote"
        )
    return array


def check_determined(rows: VoteRows, position: bool, *, prior: bool) -> None:
    """NotIdentifiedError where a covariate is constant over the votes that count, or follows from the others.

    Without a `prior` on the scores it must not follow from these either, as a difference of what items have would.
    """
    if rows.design is None:
        return
    design = rows.design
    columns = design / np.maximum(np.abs(design).max(axis=0, initial=0.0), np.finfo(float).tiny)
    for column, values in enumerate(columns.T):
        if not len(values) or np.ptp(values) <= LEAST_SPREAD:
            value = design[0, column] if len(values) else 0.0
            raise NotIdentifiedError(
                f"covariate {column} is {value:g} in every answered vote, so it has no coefficient of its own; leave "
                "it out, and for what standing on the left adds pass position=True"
            )
    if position:
        columns = np.column_stack([columns, np.ones(len(columns))])
    found = dependent(columns, columns)
    if found:
        raise NotIdentifiedError(
            f"{_effects(found, design.shape[1])} follow from each other (they are linearly dependent over the "
            "answered votes), so their coefficients are not determined; leave one out"
        )
    found = [] if prior else dependent(_beside_scores(rows, columns), columns)
    if found:
        raise NotIdentifiedError(
            f"the coefficients of {_effects(found, design.shape[1])} are not determined beside the scores: their "
            "sum, each times some number, is in every answered vote what the left item has more of than the right "
            "one",
            option="prior_sd",
            remedy="leave one out, or set a finite prior_sd",
        )


def dependent(columns: NDArray[np.float64], beside: NDArray[np.float64]) -> list[int]:
    """The columns with a part in a sum that vanishes, in proportion to the size of those `beside` them."""
    sizes, sums = np.linalg.eigh(columns.T @ columns)
    if sizes[0] > LEAST_SPREAD * np.linalg.eigvalsh(beside.T @ beside)[-1]:
        return []
    least: list[int] = np.flatnonzero(np.abs(sums[:, 0]) > LEAST_PART).tolist()
    return least


def _effects(columns: list[int], n_covariates: int) -> str:
    """What the columns are called, the position effect after the covariates."""
    covariates = [column for column in columns if column < n_covariates]
    numbers = f"covariate{'s' * (len(covariates) > 1)} {listed(covariates)}"
    return numbers if covariates == columns else f"{numbers} and the position effect"


def _beside_scores(rows: VoteRows, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is left of the columns when differences of scores have explained what they can, by least squares."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import lsqr

    n_votes = len(rows.left)
    ends = np.column_stack([rows.left, rows.right]).ravel()
    start = 2 * np.arange(n_votes + 1)
    differences = csr_array((np.tile([1.0, -1.0], n_votes), ends, start), shape=(n_votes, rows.n_items))
    explained = [lsqr(differences, column, atol=1e-12, btol=1e-12)[0] for column in columns.T]
    return columns - differences @ np.column_stack(explained)
