r"""Scores that follow features of the items: :math:`s = X \beta + u`, u a remainder with the prior of scores.

The log-odds of a vote are :math:`d = s_l - s_r = (x_l - x_r)'\beta + u_l - u_r`. So the remainders stand where scores
do without features, and :math:`\beta` are coefficients of covariates that all votes of a pair share, :math:`x_l - x_r`,
with the weak prior of coefficients (`pairvote._inference.prior`). With :math:`\theta = (u, \psi, \beta)`, :math:`\psi`
what is beside, scores are :math:`s = T \theta` with :math:`T = [I\;0\;X]`, and so are their draws; their covariance is
:math:`T \,\mathrm{Cov}(\theta)\, T'`, whichever errors :math:`\mathrm{Cov}(\theta)` has. The columns of X have a mean
of zero over the items, which changes no difference, so that scores of centred remainders are centred.

An item without votes has the score :math:`x'\beta` plus a remainder of which only the prior speaks.

References
----------
Springall (1973), "Response surface fitting using a generalization of the Bradley-Terry paired comparison model",
Applied Statistics 22, for scores that follow features. Firth (2005), "Bradley-Terry models in R", Journal of
Statistical Software 12, and Turner and Firth (2012), "Bradley-Terry models in R: the BradleyTerry2 package", the same
48, section 3, for the remainder. Breslow and Lin (1995), "Bias correction in generalised linear mixed models with a
single component of dispersion", Biometrika 82. Tierney and Kadane (1986), "Accurate approximations for posterior
moments and marginal densities", JASA 81.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.messages import shorten
from pairvote._inference.posterior import Posterior, centred
from pairvote._inference.solver import centre, solve
from pairvote._inference.sums import LocalSums
from pairvote._inference.vote_rows import LEAST_SPREAD, VoteRows, dependent
from pairvote.errors import NotIdentifiedError
from pairvote.votes._counts import PairCounts

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Features:
    """Features of items: in `table` (n_items, n_features) less `centre` and over `scale`, both (n_features,)."""

    names: tuple[str, ...]
    table: Floats
    centre: Floats
    scale: Floats

    @classmethod
    def of(cls, names: Sequence[str], table: Floats) -> Features:
        """The features of a table in a user's units, each then of mean zero and at most 1."""
        sizes = np.maximum(np.abs(table).max(axis=0, initial=0.0), np.finfo(float).tiny)
        # In parts of the largest, so that nothing overflows.
        parts = table / sizes
        centre = parts.mean(axis=0) if len(parts) else np.zeros(len(sizes))
        away = parts - centre
        reach = np.abs(away).max(axis=0, initial=0.0)
        alike = reach <= LEAST_SPREAD
        away[:, alike], reach[alike] = 0.0, 1.0
        return cls(names=tuple(names), table=away / reach, centre=centre * sizes, scale=reach * sizes)

    @property
    def n_features(self) -> int:
        """The number of features."""
        return len(self.names)

    def differences(self, left: Codes, right: Codes) -> Floats:
        """What the left items have more than the right ones: float64, shape (n, n_features)."""
        return np.asarray(self.table[left] - self.table[right])

    def sums(self, votes: PairCounts | LocalSums) -> LocalSums:
        """Sums over pairs, or over single votes with a design of their own, with the features of the items."""
        sums = LocalSums(votes) if isinstance(votes, PairCounts) else votes
        found = self.differences(sums.pairs.left, sums.pairs.right)
        design = found if sums.design is None else np.column_stack([sums.design, found])
        return replace(sums, design=design, n_features=self.n_features)

    def beside(self, rows: VoteRows) -> VoteRows:
        """Single votes with the features behind the covariates of their own."""
        found = self.differences(rows.left, rows.right)
        return replace(rows, design=found if rows.design is None else np.column_stack([rows.design, found]))

    def check(self, sums: LocalSums, *, position: bool) -> None:
        """NotIdentifiedError where the answered votes do not tell a feature from nothing, or from other effects.

        sums: those with the features.
        """
        design = sums.design if sums.design is not None else np.empty((0, 0))
        columns = design[sums.pairs.table.sum(axis=1) > 0.0]
        n_own = columns.shape[1] - self.n_features
        for name, values in zip(self.names, columns.T[n_own:], strict=True):
            if not len(values) or np.abs(values).max() <= LEAST_SPREAD:
                raise NotIdentifiedError(
                    f"feature {shorten(name)} is the same for both items of every answered vote, so it has no "
                    "coefficient",
                    option="item_covariates",
                    remedy="leave it out, or add votes between items that differ in it",
                )
        effects = [f"covariate {column}" for column in range(n_own)] + [f"feature {shorten(n)}" for n in self.names]
        if position:
            columns = np.column_stack([columns, np.ones(len(columns))])
            effects.append("the position effect")
        columns = columns / np.maximum(np.abs(columns).max(axis=0), np.finfo(float).tiny)
        found = dependent(columns, columns)
        if found:
            raise NotIdentifiedError(
                f"{', '.join(effects[place] for place in found)} follow from each other (they are linearly dependent "
                "over the answered votes), so their coefficients are not determined",
                option="item_covariates",
                remedy="leave one out",
            )


def with_means(posterior: Posterior) -> Posterior:
    r"""A normal approximation around the posterior means, to first order, in the place of the maximum.

    Where each remainder has few votes the maximum is not near the means, and coefficients are too small by more than
    their errors (Breslow and Lin 1995). With t the third derivative of the log-likelihood of a pair by its log-odds d,
    D the directions in which these depend on the parameters, one a row, and C the inverse information,

    .. math:: \bar\theta = \hat\theta + \tfrac12\, C D' (t\, \mathrm{Var}(d)), \qquad \mathrm{Var}(d) = diag(D C D')

    (Tierney and Kadane 1986). For more items than a table of covariances holds, Var(d) is that of the two remainders.
    """
    model, parameters = posterior.model, posterior.parameters
    layout, sums = model.layout, model.sums
    if not isinstance(sums, LocalSums) or sums.design is None:
        raise TypeError("features are for votes in this memory")
    left, right = sums.pairs.left, sums.pairs.right
    effects = np.column_stack([np.ones((len(left), int(layout.has_position))), sums.design])
    slopes, beside = model.slopes(parameters), slice(layout.nuisance.stop, layout.size)
    log_odds = parameters[left] - parameters[right] + effects @ parameters[beside]
    third = model.outcome.third_order(sums.pairs, log_odds, parameters[layout.nuisance], slopes.weights)
    inverse = posterior._inverse if posterior._dense else None
    if inverse is None:
        variances = 1.0 / slopes.diagonal[left] + 1.0 / slopes.diagonal[right]
    else:
        variances = inverse[left, left] + inverse[right, right] - 2.0 * inverse[left, right]
        across = inverse[left, beside] - inverse[right, beside]
        variances += ((2.0 * across + effects @ inverse[beside, beside]) * effects).sum(axis=1)
    pull, pulls = np.zeros(layout.size), 0.5 * third * variances
    pull[layout.scores] = np.bincount(left, pulls, layout.n_items) - np.bincount(right, pulls, layout.n_items)
    pull[beside] = pulls @ effects
    mixed = posterior.solution.mixed
    ahead = parameters + (solve(model, slopes, pull, mixed=mixed) if inverse is None else inverse @ pull)
    solution = replace(posterior.solution, parameters=centre(model, ahead), upper=None)
    return replace(posterior, solution=solution)


@dataclass(frozen=True, eq=False)
class FeatureScores:
    """The uncertainty of scores that follow features, given that of remainders and coefficients: T Cov(theta) T'."""

    posterior: Posterior
    features: Features

    @property
    def scores(self) -> Floats:
        """X b + u, of mean zero: float64, shape (n_items,)."""
        return np.asarray(self.posterior.scores + self.features.table @ self.coefficients)

    @property
    def coefficients(self) -> Floats:
        """The coefficients of the features, in the units of `features`: float64, shape (n_features,)."""
        return self.posterior.coefficients[-self.features.n_features :]

    @cached_property
    def samples(self) -> Floats | None:
        """Draws of the scores, where there are any: shape (n_draws, n_items)."""
        remainders, drawn = self.posterior.samples, self.drawn_coefficients
        return None if remainders is None or drawn is None else remainders + drawn @ self.features.table.T

    @property
    def drawn_coefficients(self) -> Floats | None:
        """Draws of the coefficients, where there are any: shape (n_draws, n_features)."""
        drawn = self.posterior.drawn_parameters
        return None if drawn is None else drawn[:, -self.features.n_features :]

    def of_more_items(self, table: Floats) -> tuple[Floats, Floats, Floats | None]:
        """Scores of more items by their features, the variances, and draws if there are any.

        table: in the units of `features`, shape (n, n_features). Remainders of a spread sd, of which the mean over n
        other items is taken off, have the variance sd^2 (1 + 1 / n) around 0.
        """
        means = table @ self.coefficients
        drawn, remainders = self.drawn_coefficients, self.posterior.of_more_items(len(table))
        if drawn is not None and remainders is not None:
            draws = drawn @ table.T + remainders
            return draws.mean(axis=0), draws.var(axis=0, ddof=1), draws
        spread = self.posterior.prior_sd**2 * (1.0 + 1.0 / max(self.posterior.model.n_items, 1))
        return means, np.einsum("ij,jk,ik->i", table, self.coefficient_covariance(), table) + spread, None

    @property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of the errors of remainders and coefficients."""
        return self.posterior.degrees_of_freedom

    @property
    def is_posterior(self) -> bool:
        """Whether there is a prior."""
        return self.posterior.is_posterior

    @cached_property
    def _beside(self) -> tuple[Floats, Floats]:
        """The covariance of centred remainders with coefficients (n_items, n_features), and that of coefficients."""
        columns, n_items = self.posterior.last_columns(self.features.n_features), self.posterior.model.n_items
        across = columns[:n_items]
        return across - across.mean(axis=0) if n_items else across, columns[-self.features.n_features :]

    def coefficient_covariance(self) -> Floats:
        """The covariance of the coefficients, in the units of `features`: float64, shape (n_features, n_features)."""
        return self._beside[1]

    def covariance(self) -> Floats:
        """The whole covariance: float64, shape (n_items, n_items)."""
        (across, beside), table = self._beside, self.features.table
        both = across @ table.T
        return centred(self.posterior.covariance() + both + both.T + table @ beside @ table.T)

    def variances(self) -> Floats:
        """The diagonal: float64, shape (n_items,)."""
        (across, beside), table = self._beside, self.features.table
        found = self.posterior.variances() + ((2.0 * across + table @ beside) * table).sum(axis=1)
        # A quadratic form, below 0 but by rounding.
        return np.asarray(np.maximum(found, 0.0))

    def contrast_variance(self, contrast: Floats) -> float:
        """The variance of contrast @ scores, which is (contrast, X'contrast) of remainders and coefficients."""
        layout = self.posterior.model.layout
        whole = np.zeros(layout.size)
        whole[: len(contrast)] = contrast
        whole[layout.size - self.features.n_features :] = self.features.table.T @ contrast
        return self.posterior.contrast_variance(whole)
