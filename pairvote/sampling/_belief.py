"""A normal posterior of the scores that is kept up question by question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._inference import (
    OUTCOME_MODELS,
    Likelihood,
    NewtonWorkspace,
    ParameterLayout,
    Posterior,
    Prior,
    Start,
    Ties,
    fit,
)
from pairvote._kernels import gaussian
from pairvote.sampling._checks import check_that, own_array
from pairvote.votes._counts import PairCounts

# Refits stop where no score is further off than this.
TOLERANCE = 1e-9
MOST_STEPS = 100
# A tie is half a win for each side.
TIES: Ties = "half"
Ints = NDArray[np.int32]
# Above, the covariance of all items would cost more to keep up than an answer is worth.
LARGEST_COVARIANCE = 300
# What saved arrays may hold at most: votes of a pair, of which sums are exact, and log-odds.
MOST_VOTES, LARGEST_SCORE = 2.0**29, 300.0
# Rows of the kernel's scratch beside one for each item.
N_SCRATCH_ROWS = 10


class Belief:
    """The posterior of Bradley-Terry scores under Normal(0, prior_sd) on each, a tie as half a win for each side.

    Every answer moves it by one Newton step; after each `refit_every` of them it is fitted exactly, by the solver of
    `bradley_terry`. Open questions count in the covariance, which falls, and not in the mean.
    """

    def __init__(self, n_items: int, prior_sd: float, refit_every: int | None) -> None:
        self.prior_sd = prior_sd
        self.n_items = n_items
        self._refit_every = refit_every
        self._since = 0
        self._open: Counter[tuple[int, int]] = Counter()

    @property
    def refit_every(self) -> int:
        """How many answers apart exact fits are."""
        return self._refit_every or max(5, self.n_items // 4)

    @property
    def mean(self) -> NDArray[np.float64]:
        """The scores' mean: float64, shape (n_items,)."""
        raise NotImplementedError

    @property
    def variances(self) -> NDArray[np.float64]:
        """The scores' variances: float64, shape (n_items,)."""
        raise NotImplementedError

    def reserve(self, left: int, right: int) -> None:
        """A question is open: the variance that its answer will take is taken."""
        self._open[left, right] += 1
        self._absorb(left, right)

    def release(self, left: int, right: int) -> None:
        """An open question will not be answered."""
        self._close(left, right)
        self.refit()

    def learn(self, left: int, right: int, outcome: float) -> None:
        """An open question was answered."""
        self._close(left, right)
        self._count(left, right, outcome, 1.0)
        self._since += 1
        if self._since >= self.refit_every:
            self.refit()
        else:
            self._move(left, right, 0.5 * outcome)

    def unlearn(self, left: int, right: int, outcome: float) -> None:
        """An answer was taken back."""
        self._count(left, right, outcome, -1.0)
        self._open[left, right] += 1
        self.refit()

    def add_item(self) -> None:
        """There is one more item, of which only the prior is known."""
        start = np.append(self.mean, 0.0)
        self.n_items += 1
        self._resize()
        self.refit(start)

    def refit(self, start: NDArray[np.float64] | None = None) -> None:
        """Fit all answers exactly, and take off what the open questions will tell."""
        self._since = 0
        start = self.mean.copy() if start is None else start
        start -= start.mean()
        self._fit(start)
        for left, right in self._open.elements():
            self._absorb(left, right)

    def restrict(self, active: Ints) -> None:
        """Only these items may be asked about."""

    def saved(self) -> dict[str, NDArray[Any]]:
        """Arrays from which `restore` makes this posterior again, to the bit."""
        open_pairs = [(left, right, times) for (left, right), times in self._open.items()]
        table = {"since": np.array([self._since]), "open": np.array(open_pairs, np.int64).reshape(-1, 3)}
        return table | self._saved()

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Be what was saved, of any number of items, all of which may be asked about; ValueError where it cannot be."""
        self._restore(arrays)
        since = own_array(arrays, "since", np.int64, (1,))
        open_pairs = own_array(arrays, "open", np.int64, (None, 3))
        check_that(0 <= since[0] < self.refit_every, "an exact fit is due")
        items, times = open_pairs[:, :2], open_pairs[:, 2]
        check_that(((items >= 0) & (items < self.n_items)).all(), "open questions are about known items")
        check_that((items[:, 0] != items[:, 1]).all() and (times >= 1).all(), "open questions are about two items")
        self._since = int(since[0])
        self._open = Counter({(left, right): n for left, right, n in open_pairs.tolist()})
        check_that(len(self._open) == len(open_pairs), "open questions are counted once")

    @property
    def open_pairs(self) -> Mapping[tuple[int, int], int]:
        """How many questions are open about a left and a right item."""
        return self._open

    def answers(self) -> NDArray[np.float64]:
        """How many answers each item has: float64, shape (n_items,)."""
        counts = self._counts()
        total = np.zeros(self.n_items)
        np.add.at(total, np.repeat(np.arange(self.n_items), np.diff(counts.start)), counts.table.sum(axis=1))
        np.add.at(total, counts.right, counts.table.sum(axis=1))
        return total

    def _close(self, left: int, right: int) -> None:
        self._open[left, right] -= 1
        if not self._open[left, right]:
            del self._open[left, right]

    def _resize(self) -> None:
        """Be ready for `n_items` items, of which the last may be new."""
        raise NotImplementedError

    def _count(self, left: int, right: int, outcome: float, weight: float) -> None:
        """Count an answer as if the lower item had stood on the left; a graded one by shares, a win for each side."""
        low, high = min(left, right), max(left, right)
        if left > right:
            outcome = 2 - outcome
        if isinstance(outcome, int):
            self._add(low, high, outcome, weight)
        else:
            self._add(low, high, 2, weight * 0.5 * outcome)
            self._add(low, high, 0, weight * (1.0 - 0.5 * outcome))

    def _add(self, low: int, high: int, outcome: int, weight: float) -> None:
        """Add to the answers about a pair, the lower item on the left."""
        raise NotImplementedError

    def _saved(self) -> dict[str, NDArray[Any]]:
        """The answers and the posterior."""
        raise NotImplementedError

    def _restore(self, arrays: Mapping[str, Any]) -> None:
        """Have the answers and the posterior that were saved."""
        raise NotImplementedError

    def _counts(self) -> PairCounts:
        """All answers counted, folded."""
        raise NotImplementedError

    def _fit(self, start: NDArray[np.float64]) -> None:
        """Be the exact fit of all answers."""
        counts = self._counts()
        self._take(
            fit(counts, ties=TIES, prior_sd=self.prior_sd, start=Start(start), tol=TOLERANCE, max_iter=MOST_STEPS)
        )

    def _take(self, posterior: Posterior) -> None:
        """Be what was fitted."""
        raise NotImplementedError

    def _absorb(self, left: int, right: int) -> None:
        """Take off the variance that an answer will take."""
        raise NotImplementedError

    def _move(self, left: int, right: int, share: float) -> None:
        """Move the mean by an answer whose variance is taken."""
        raise NotImplementedError


class WholeBelief(Belief):
    """The covariance of all items, as the kernels take it; n_items^2 numbers."""

    def __init__(
        self, n_items: int, prior_sd: float, refit_every: int | None, k: int = 0, information_share: float = 0.0
    ) -> None:
        super().__init__(n_items, prior_sd, refit_every)
        # As the kernel takes them: the last is how many items may be asked about.
        self.options = np.array([k, information_share, n_items])
        self._table = np.zeros((0, 3))
        self._resize()
        self.posterior[:-1] = np.diag(np.full(n_items, prior_sd**2))
        self.restrict(np.arange(n_items, dtype=np.int32))

    @property
    def mean(self) -> NDArray[np.float64]:
        """The scores' mean: float64, shape (n_items,)."""
        return self.posterior[-1]

    @property
    def variances(self) -> NDArray[np.float64]:
        """The scores' variances: float64, shape (n_items,)."""
        return self.posterior[:-1].diagonal()

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The scores' covariance: float64, shape (n_items, n_items)."""
        return self.posterior[:-1]

    def restrict(self, active: Ints) -> None:
        """Only these items may be asked about."""
        self.board[-1, : len(active)] = active
        self.options[2] = len(active)

    @property
    def table(self) -> NDArray[np.float64]:
        """The answers by pair, the lower item on the left: float64, shape (n_pairs, 3), right, tie and left."""
        return self._table

    def forget(self, prior: NDArray[np.float64]) -> None:
        """Know nothing but the prior's covariance, as at the start, for simulations of one vote after another."""
        self.posterior[:-1], self.posterior[-1] = prior, 0.0
        self._table[:] = 0.0
        self.board[:-1] = 0
        self._open.clear()
        self._since = 0

    def absorb(self, left: int, right: int) -> None:
        """Take off the variance that the answer to an open question will take."""
        self._absorb(left, right)

    def _resize(self) -> None:
        n_items, before = self.n_items, self._table
        low, high = np.triu_indices(n_items, 1)
        self._table = np.zeros((len(low), 3))
        # The pairs of new items stand last in each row.
        self._table[high < n_items - 1 if len(before) else slice(0)] = before
        self._right = high.astype(np.int32)
        self._start = np.searchsorted(low, np.arange(n_items + 1)).astype(np.int64)
        self.posterior = np.zeros((n_items + 1, n_items))
        self.gains = np.zeros((n_items + N_SCRATCH_ROWS, n_items))
        self.board = np.zeros((n_items + 2, n_items), np.int32)
        self._workspace = (
            NewtonWorkspace(
                Likelihood(OUTCOME_MODELS[TIES], ParameterLayout(n_items)),
                len(low),
                prior=Prior.of(self.prior_sd),
                tol=TOLERANCE,
                max_iter=MOST_STEPS,
            )
            if 1 < n_items <= LARGEST_COVARIANCE
            else None
        )

    def _saved(self) -> dict[str, NDArray[Any]]:
        return {"answers": self._table.copy(), "posterior": self.posterior.copy()}

    def _restore(self, arrays: Mapping[str, Any]) -> None:
        posterior = own_array(arrays, "posterior", np.float64, (None, None))
        n_items = posterior.shape[1]
        check_that(len(posterior) == n_items + 1 and _are_scores(posterior[-1]), "a mean and a covariance")
        check_that(_is_covariance(posterior[:-1], 2.0 * self.prior_sd**2), "a covariance that is less than the prior's")
        table = own_array(arrays, "answers", np.float64, (n_items * (n_items - 1) // 2, 3))
        check_that(_are_counts(table), "counts of answers")
        self.n_items, self._table = n_items, np.zeros((0, 3))
        self._resize()
        self._table, self.posterior = table, posterior
        self.restrict(np.arange(n_items, dtype=np.int32))

    def _add(self, low: int, high: int, outcome: int, weight: float) -> None:
        self._table[low * (2 * self.n_items - low - 1) // 2 + high - low - 1, outcome] += weight

    def _counts(self) -> PairCounts:
        asked = self._table.any(axis=1)
        return PairCounts._unchecked(
            items=tuple(range(self.n_items)),
            start=np.concatenate([[0], np.cumsum(asked)])[self._start],
            right=self._right[asked],
            table=self._table[asked],
            skipped=np.zeros(self.n_items),
        )

    def _fit(self, start: NDArray[np.float64]) -> None:
        n_items, workspace = self.n_items, self._workspace
        # What `fit` would do for so few items, without what it must find out first.
        if workspace is not None and workspace.climb(self._start, self._right, self._table, start) >= 0:
            workspace.invert(self.posterior.reshape(-1)[: n_items**2])
            self.posterior[n_items] = start - start.mean()
            return
        super()._fit(start)

    def _take(self, posterior: Posterior) -> None:
        self.posterior[: self.n_items] = posterior.covariance()
        self.posterior[self.n_items] = posterior.scores

    def _absorb(self, left: int, right: int) -> None:
        gaussian.absorb(self.posterior, self.gains, left, right)

    def _move(self, left: int, right: int, share: float) -> None:
        gaussian.learn(self.posterior, left, right, share)


class DiagonalBelief(Belief):
    """The variances alone, as if the scores were independent: 1 / (1 / prior_sd^2 + the information on each)."""

    def __init__(self, n_items: int, prior_sd: float, refit_every: int | None) -> None:
        super().__init__(n_items, prior_sd, refit_every)
        self._votes: dict[tuple[int, int], list[float]] = {}
        self._mean = np.zeros(n_items)
        self.precision = np.full(n_items, prior_sd**-2.0)

    @property
    def refit_every(self) -> int:
        """How many answers apart exact fits are."""
        return self._refit_every or self.n_items

    @property
    def mean(self) -> NDArray[np.float64]:
        """The scores' mean: float64, shape (n_items,)."""
        return self._mean

    @property
    def variances(self) -> NDArray[np.float64]:
        """The scores' variances: float64, shape (n_items,)."""
        return 1.0 / self.precision

    def _resize(self) -> None:
        self._mean = np.append(self._mean, 0.0)
        self.precision = np.append(self.precision, self.prior_sd**-2.0)

    def _saved(self) -> dict[str, NDArray[Any]]:
        votes = sorted(self._votes.items())
        return {
            "answered": np.array([pair for pair, _ in votes], np.int32).reshape(-1, 2),
            "answers": np.array([table for _, table in votes]).reshape(-1, 3),
            "mean": self._mean.copy(),
            "precision": self.precision.copy(),
        }

    def _restore(self, arrays: Mapping[str, Any]) -> None:
        mean = own_array(arrays, "mean", np.float64, (None,))
        precision = own_array(arrays, "precision", np.float64, mean.shape)
        pairs = own_array(arrays, "answered", np.int32, (None, 2))
        table = own_array(arrays, "answers", np.float64, (len(pairs), 3))
        least = 0.5 * self.prior_sd**-2.0
        check_that(_are_scores(mean), "a mean")
        check_that((precision > least).all() and (precision < 4.0 * least + MOST_VOTES).all(), "a precision")
        low, high = pairs.T
        check_that((low >= 0).all() and (low < high).all() and (high < len(mean)).all(), "answers are of known items")
        check_that(_are_counts(table) and table.any(axis=1).all(), "counts of answers")
        self.n_items, self._mean, self.precision = len(mean), mean, precision
        self._votes = dict(zip(map(tuple, pairs.tolist()), table.tolist(), strict=True))
        check_that(len(self._votes) == len(pairs), "pairs are counted once")

    def _add(self, low: int, high: int, outcome: int, weight: float) -> None:
        if not weight:
            return
        table = self._votes.setdefault((low, high), [0.0, 0.0, 0.0])
        table[outcome] += weight
        if not any(table):
            del self._votes[low, high]

    def _counts(self) -> PairCounts:
        pairs = np.array(sorted(self._votes), np.int32).reshape(-1, 2)
        return PairCounts._unchecked(
            items=tuple(range(self.n_items)),
            start=np.searchsorted(pairs[:, 0], np.arange(self.n_items + 1)).astype(np.int64),
            right=pairs[:, 1].copy(),
            table=np.array([self._votes[low, high] for low, high in pairs.tolist()]).reshape(-1, 3),
            skipped=np.zeros(self.n_items),
        )

    def _take(self, posterior: Posterior) -> None:
        self._mean = posterior.parameters
        self.precision = posterior.model.slopes(self._mean).diagonal.copy()

    def _absorb(self, left: int, right: int) -> None:
        chance = 0.5 + 0.5 * math.tanh(0.5 * (self._mean[left] - self._mean[right]))
        self.precision[[left, right]] += chance * (1.0 - chance)

    def _move(self, left: int, right: int, share: float) -> None:
        surprise = share - 0.5 - 0.5 * math.tanh(0.5 * (self._mean[left] - self._mean[right]))
        self._mean[left] += surprise / self.precision[left]
        self._mean[right] -= surprise / self.precision[right]


def _are_counts(table: NDArray[np.float64]) -> bool:
    """Whether a table has sums of votes, none of them too large to be exact."""
    return bool((table >= 0).all() and (table < MOST_VOTES).all())


def _are_scores(mean: NDArray[np.float64]) -> bool:
    """Whether odds of these scores can be computed; no votes give larger ones."""
    return bool((np.abs(mean) < LARGEST_SCORE).all())


def _is_covariance(matrix: NDArray[np.float64], largest: float) -> bool:
    """Whether a matrix is symmetric and positive semidefinite to rounding, with no number above the largest."""
    rounding = 1e-9 * largest
    if not (np.abs(matrix) <= largest).all() or not (np.abs(matrix - matrix.T) <= rounding).all():
        return False
    try:
        np.linalg.cholesky(matrix + rounding * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True
