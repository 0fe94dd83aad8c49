r"""Scores that are :math:`X \beta` and nothing else: a regression on differences of features, by maximum likelihood.

The log-odds of a vote are :math:`d = (x_l - x_r)'\beta + z'\delta`, which in Bradley and Terry's model is a logistic
regression, as is every other generalised linear model that compares two (Springall 1973). No prior takes part. Newton's
steps go along what is beside the scores, which stay zero; the inverse information of that is the covariance, and a
sandwich of it is C B C.

References
----------
Springall (1973), "Response surface fitting using a generalization of the Bradley-Terry paired comparison model",
Applied Statistics 22.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.clustered import ClusterSizes, corrected_gradients
from pairvote._inference.dispersion import dispersion
from pairvote._inference.held import climb
from pairvote._inference.identification import check_beside, check_effects
from pairvote._inference.limits import Limits
from pairvote._inference.models import Model
from pairvote._inference.outcomes.links import LinkName
from pairvote._inference.posterior import Posterior, UncertaintyKind
from pairvote._inference.prior import Prior
from pairvote._inference.robust import least_freedom
from pairvote._inference.solver import Solution
from pairvote._inference.sums import LocalSums, PairSums
from pairvote._inference.systems import inverse_of
from pairvote._inference.vote_rows import VoteRows
from pairvote.errors import ConvergenceError, NotIdentifiedError
from pairvote.votes._counts import PairCounts

Floats = NDArray[np.float64]


def without_remainder(
    votes: PairCounts | PairSums,
    ties: str,
    position: bool,
    uncertainty: UncertaintyKind,
    rows: VoteRows | None,
    squares: PairSums | None,
    tol: float,
    max_iter: int,
    limits: Limits,
    link: LinkName,
) -> NoRemainder:
    """The maximum-likelihood fit of scores that are sums over features.

    Raises
    ------
    NotIdentifiedError
        Where some parameter has no finite estimate.
    ConvergenceError
        After `max_iter` steps.
    """
    if not isinstance(votes, LocalSums) or votes.design is None:
        raise TypeError("without a remainder scores follow from features alone, and these votes have none")
    model = Model.of(votes, ties, Prior(precision=0.0), position, limits, link)
    check_beside(*model.likelihood, model.n_decided, model.n_ties, model.sums.sides_won)
    if not model.n_decided and not model.n_ties:
        raise NotIdentifiedError(
            "no answered vote says anything of the features",
            option="prior_sd",
            value=0.0,
            remedy="add votes that are no ties, or leave prior_sd out, and coefficients have a weak prior",
        )
    try:
        solution = _climb(model, tol, max_iter)
    except ConvergenceError as failure:
        try:
            check_effects(votes.pairs, votes.design, model.layout, model.n_ties, prior=True)
        except NotIdentifiedError:
            raise NotIdentifiedError(
                "the coefficients have no finite estimate by maximum likelihood: some sum of the features is "
                "higher for the winner of every vote, or for none but it",
                option="prior_sd",
                value=0.0,
                remedy="leave prior_sd out, or set it above 0, and coefficients have a weak prior; or leave out a "
                "feature",
            ) from failure
        raise
    rows = rows if uncertainty in ("by-voter", "clustered") else None
    squared = None if squares is None else replace(model, sums=squares)
    found = NoRemainder(model, solution, uncertainty, rows, squared)
    if votes.spread is None:
        return found
    known = dispersion(votes, model.likelihood, solution.parameters, model.layout.n_covariates)
    scaled = Model.of(votes.divided(known), ties, model.prior, position, limits, link)
    return replace(
        found,
        model=scaled,
        rows=None if rows is None else rows.divided(known),
        squared=replace(scaled, sums=votes.divided(known**2)) if squared is None else squared,
        dispersion=known,
    )


def _climb(model: Model, tol: float, max_iter: int) -> Solution:
    """The maximum of the likelihood over what is beside the scores."""
    n_beside = model.layout.n_beside
    free = np.arange(model.n_items, model.layout.size)
    return climb(model, model.start(), free, np.zeros((n_beside, n_beside)), np.zeros(n_beside), tol, max_iter)


@dataclass(frozen=True, eq=False)
class NoRemainder(Posterior):
    """A normal approximation at the maximum, of what is beside the scores, which are zero."""

    @property
    def prior_sd(self) -> float:
        """The standard deviation of remainders: none."""
        return 0.0

    @property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of the t distribution of intervals."""
        if self.rows is None or not self.is_robust:
            return np.inf
        return least_freedom(ClusterSizes.of(self.model, self.parameters, self.rows).effective)

    @cached_property
    def _beside(self) -> Floats:
        """The covariance of what is beside the scores: float64, shape (n_beside, n_beside)."""
        model, layout = self.model, self.model.layout
        inverse = inverse_of(model.slopes(self.parameters).corner.copy())
        if not self.is_robust:
            return inverse
        if self.rows is None:
            of = model if self.squared is None else self.squared
            middle = of.sums.squares(of.likelihood, self.parameters).corner
            return np.asarray(inverse @ middle @ inverse)
        whole = np.zeros((layout.size, layout.size))
        whole[layout.beside, layout.beside] = inverse
        gradients = corrected_gradients(model, self.parameters, self.rows, whole).toarray()[:, layout.beside]
        pulls = gradients @ inverse
        return np.asarray(pulls.T @ pulls)

    def covariance(self) -> Floats:
        """The covariance of the remainders, zero: float64, shape (n_items, n_items)."""
        return np.zeros((self.model.n_items, self.model.n_items))

    def variances(self) -> Floats:
        """The variances of the remainders, zero: float64, shape (n_items,)."""
        return np.zeros(self.model.n_items)

    def contrast_variance(self, contrast: Floats) -> float:
        """The variance of contrast @ parameters."""
        if len(contrast) <= self.model.n_items:
            return 0.0
        beside = contrast[self.model.layout.beside]
        return float(beside @ self._beside @ beside)

    def last_columns(self, number: int) -> Floats:
        """The covariance of all parameters with the last ones: float64, shape (size, number)."""
        columns = np.zeros((self.model.layout.size, number))
        columns[self.model.layout.beside] = self._beside[:, self.model.layout.n_beside - number :]
        return columns

    def approximation_error(self) -> float:
        """How far standard errors are off: not at all."""
        return 0.0
