"""A normal posterior of the scores that is kept up question by question."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from pairvote._inference import (
    LIMITS,
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
from pairvote.votes._counts import PairCounts

# Refits stop where no score is further off than this.
TOLERANCE = 1e-9
MOST_STEPS = 100
# A tie is half a win for each side.
TIES: Ties = "half"
Ints = NDArray[np.int32]
# Above, the covariance of all items would cost more to keep up than an answer is worth.
LARGEST_COVARIANCE = 300


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

    def learn(self, left: int, right: int, outcome: int) -> None:
        """An open question was answered."""
        self._close(left, right)
        self._count(*_folded(left, right, outcome), 1.0)
        self._since += 1
        if self._since >= self.refit_every:
            self.refit()
        else:
            self._move(left, right, 0.5 * outcome)

    def unlearn(self, left: int, right: int, outcome: int) -> None:
        """An answer was taken back."""
        self._count(*_folded(left, right, outcome), -1.0)
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

    def _close(self, left: int, right: int) -> None:
        self._open[left, right] -= 1
        if not self._open[left, right]:
            del self._open[left, right]

    def _resize(self) -> None:
        """Be ready for `n_items` items, of which the last may be new."""
        raise NotImplementedError

    def _count(self, low: int, high: int, outcome: int, weight: float) -> None:
        """Count an answer about a pair, the lower item on the left."""
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
        self.gains = np.zeros((n_items + 2, n_items))
        self.board = np.zeros((n_items + 2, n_items), np.int32)
        self._workspace = (
            NewtonWorkspace(
                Likelihood(OUTCOME_MODELS[TIES], ParameterLayout(n_items)),
                len(low),
                prior=Prior.of(self.prior_sd),
                tol=TOLERANCE,
                max_iter=MOST_STEPS,
            )
            if n_items <= LIMITS.kernel_parameters
            else None
        )

    def _count(self, low: int, high: int, outcome: int, weight: float) -> None:
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

    def _count(self, low: int, high: int, outcome: int, weight: float) -> None:
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


def _folded(left: int, right: int, outcome: int) -> tuple[int, int, int]:
    """The answer as if the lower item had stood on the left."""
    return (left, right, outcome) if left < right else (right, left, 2 - outcome)
