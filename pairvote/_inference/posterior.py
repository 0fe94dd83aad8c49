"""The uncertainty of a fit, worked out when it is first asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.clustered import ClusterSizes
from pairvote._inference.many_items import ManyItems
from pairvote._inference.models import Model
from pairvote._inference.robust import Sandwich, centred_variances, least_freedom
from pairvote._inference.solver import Solution, inverse_at
from pairvote._inference.systems import inverse_without
from pairvote._inference.vote_rows import VoteRows
from pairvote._inference.voter_kinds import VoterKinds
from pairvote.errors import MissingUncertaintyError

UncertaintyKind = Literal["model", "sandwich", "by-voter", "clustered", "none"]


class Learned(NamedTuple):
    """A prior that was learned: the spread that it has, in log-odds, with the ends of its 95% interval.

    is_honest: whether what is left out of the uncertainty is small, where the prior is put in as if it were known.
    """

    spread: float
    low: float
    high: float
    is_honest: bool = True


@dataclass(frozen=True, eq=False)
class Posterior:
    """A normal approximation at the maximum: P Sigma P with P = I - 11'/n.

    Sigma is the block of the scores in the inverse of the whole information, or for "sandwich" in a `Sandwich` of
    single votes (`pairvote._inference.robust`), for "by-voter" and "clustered" in one of clusters, whose votes are
    `rows` (`pairvote._inference.clustered`). `squared` is the model of votes of squared weights, where the weights are
    importance weights or votes are graded. `learned` says what was learned of a prior. `dispersion` is what the weights
    of graded votes were divided by (`pairvote._inference.dispersion`). `voters` says what was found of each voter where
    votes are weighed by them, and `lost` is the information that is lost by not knowing them (size, size).
    """

    model: Model
    solution: Solution
    uncertainty: UncertaintyKind = "model"
    rows: VoteRows | None = None
    squared: Model | None = None
    learned: Learned | None = None
    dispersion: float = 1.0
    voters: VoterKinds | None = None
    lost: NDArray[np.float64] | None = None

    @property
    def parameters(self) -> NDArray[np.float64]:
        """The parameters at the maximum, in the order of the model's layout."""
        return self.solution.parameters

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores at the maximum, of mean zero: float64, shape (n_items,)."""
        return self.solution.parameters[: self.model.n_items]

    @property
    def tie_parameter(self) -> float:
        """The public tie parameter."""
        return self.model.tie_parameter(self.solution.parameters)

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """The thresholds between answers: float64, shape (n_thresholds,), empty for models without."""
        return self.model.outcome.thresholds(self.solution.parameters[self.model.layout.nuisance])

    def threshold_errors(self) -> NDArray[np.float64]:
        """The standard errors of the thresholds: float64, shape (n_thresholds,)."""
        return self._errors_beside[: len(self.thresholds)]

    @property
    def position_effect(self) -> float:
        """What standing on the left adds, in log-odds."""
        return self.model.position_effect(self.solution.parameters)

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """The coefficients of the covariates: float64, shape (n_covariates,)."""
        return self.solution.parameters[self.model.layout.coefficients]

    @property
    def is_robust(self) -> bool:
        """Whether errors hold without the model."""
        return self.uncertainty in ("sandwich", "by-voter", "clustered")

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Those of the t distribution that intervals are made with: few for few clusters, infinite without."""
        if self.rows is None or not self.is_robust:
            return math.inf
        if self._dense:
            return self._sandwich.degrees_of_freedom
        return least_freedom(ClusterSizes.of(self.model, self.parameters, self.rows).effective)

    @property
    def samples(self) -> NDArray[np.float64] | None:
        """None: whoever needs some draws them from the normal."""
        return None

    @property
    def drawn_parameters(self) -> NDArray[np.float64] | None:
        """Draws of all parameters, where there are any: shape (n_draws, size)."""
        return None

    @property
    def n_known(self) -> int:
        """The number of items whose scores were known before the votes."""
        return 0

    @property
    def prior_sd(self) -> float:
        """The standard deviation of the scores' prior."""
        return self.model.prior_sd

    def of_more_items(self, n_items: int) -> NDArray[np.float64] | None:
        """Draws of scores of more items, where there are draws: shape (n_draws, n_items)."""
        return None

    def last_columns(self, number: int) -> NDArray[np.float64]:
        """The covariance of all parameters with the last ones: float64, shape (size, number)."""
        size = self.model.layout.size
        if self._dense:
            return self._covariance[:, size - number :]
        return self._of_many.columns(np.eye(size, number, number - size))

    @property
    def is_posterior(self) -> bool:
        """Whether there is a prior; by maximum likelihood there is none, and so no posterior."""
        return self.model.prior.is_finite

    def covariance(self) -> NDArray[np.float64]:
        """Float64, shape (n_items, n_items)."""
        n_items = self.model.n_items
        if not self.model.is_local:
            raise MissingUncertaintyError(
                "the covariance is not given where the pairs lie apart on a cluster, but standard_errors and "
                "difference() are; gather() the counts and fit those to have it"
            )
        largest = self.model.limits.table_items
        if n_items > largest:
            raise MissingUncertaintyError(
                f"the covariance of {n_items:,} items would take {n_items**2 * 8 / 2**30:.1f} GiB; it is given "
                f"for up to {largest:,}, but standard_errors and difference() for any number"
            )
        return centred(self._covariance[:n_items, :n_items])

    def variances(self) -> NDArray[np.float64]:
        """Float64, shape (n_items,): S_ii less twice its row's mean plus the mean of all."""
        n_items = self.model.n_items
        if not self._dense:
            return self._of_many.variances
        return self._sandwich.variances() if self.is_robust else centred_variances(self._inverse, n_items)

    def contrast_variance(self, contrast: NDArray[np.float64]) -> float:
        """The variance of contrast @ parameters; its entries for the scores, which may be all, add up to zero."""
        whole = np.zeros(len(self.solution.parameters))
        whole[: len(contrast)] = contrast
        if self._dense:
            return float(whole @ self._covariance @ whole)
        return self._of_many.contrast_variance(whole)

    @cached_property
    def _errors_beside(self) -> NDArray[np.float64]:
        """The standard errors of the parameters beside the scores: float64, shape (n_beside,)."""
        layout = self.model.layout
        contrasts = np.eye(layout.n_beside, layout.size, layout.n_items)
        return np.sqrt([self.contrast_variance(contrast) for contrast in contrasts])

    def tie_error(self) -> float:
        """The standard error of the public tie parameter, by the delta method; 0 when nobody tied."""
        layout = self.model.layout
        if not layout.n_nuisance:
            return 0.0
        contrast = np.zeros(layout.size)
        contrast[layout.nuisance] = self.model.outcome.tie_slope(self.parameters[layout.nuisance])
        return math.sqrt(self.contrast_variance(contrast))

    def position_error(self) -> float:
        """The standard error of the position effect; 0 without one."""
        layout = self.model.layout
        return float(self._errors_beside[layout.n_nuisance]) if layout.has_position else 0.0

    def coefficient_errors(self) -> NDArray[np.float64]:
        """The standard errors of the coefficients: float64, shape (n_covariates,)."""
        layout = self.model.layout
        return self._errors_beside[layout.n_beside - layout.n_covariates :]

    def approximation_error(self) -> float:
        """How far standard errors are off at most, of 30 items that were solved exactly; 0 where all are."""
        return 0.0 if self._dense else self._of_many.error

    @property
    def _dense(self) -> bool:
        """Whether the inverse of the whole information is at hand."""
        return self.model.is_local and self.model.n_items <= self.model.limits.table_items

    @cached_property
    def _of_many(self) -> ManyItems:
        return ManyItems(self.model, self.solution, self.is_robust, self.rows, self.squared)

    @cached_property
    def _covariance(self) -> NDArray[np.float64]:
        return self._sandwich.covariance() if self.is_robust else self._inverse

    @cached_property
    def _sandwich(self) -> Sandwich:
        return Sandwich.of(self.model, self.parameters, self._inverse, rows=self.rows, squared=self.squared)

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        if self.lost is not None:
            return inverse_without(self.model, self.solution.parameters, self.lost)
        # The factor at hand is that of one step before, from which parts of the information must not be taken off.
        solution = self.solution if self.rows is None else replace(self.solution, upper=None)
        return inverse_at(self.model, solution)

    def log_likelihood(self) -> float:
        """The log-likelihood at the maximum, without the prior."""
        if self.voters is not None:
            return self.voters.log_likelihood
        return self.dispersion * self.model.log_likelihood(self.solution.parameters)

    def prior_share(self) -> float:
        """A contrast's variance over that by the prior alone, where it is largest: how much the prior decides.

        A contrast c = Q^1/2 y, Q the prior's precision, adds up to zero where y is orthogonal to u, the square roots of
        the scores' precisions. So that is the largest eigenvalue of Q^1/2 Sigma Q^1/2 orthogonal to u.
        """
        n_items = self.model.n_items
        if not self.model.prior.is_finite or n_items < 2:
            return 0.0
        if not self._dense:
            return min(self._of_many.largest_share(), 1.0)
        root = np.sqrt(self.model.precisions)
        along = root / np.linalg.norm(root)
        scaled = root * self._inverse[:n_items, :n_items] * root[:, None]
        means = along @ scaled
        # What is taken off each side, so that nothing is left along u.
        taken = np.outer(along, means - 0.5 * (along @ means) * along)
        return float(min(np.linalg.eigvalsh(scaled - taken - taken.T)[-1], 1.0))


def centred(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """P Sigma P with P = I - 11'/n."""
    if not len(covariance):
        return covariance
    average = np.full(len(covariance), 1.0 / len(covariance))
    means = average @ covariance
    return covariance - (means + means[:, None]) + average @ means
