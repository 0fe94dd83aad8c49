"""A log-posterior: an outcome model, a prior, and the votes that sums are made over."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.layout import ParameterLayout
from pairvote._inference.limits import LIMITS, Limits
from pairvote._inference.outcomes import outcome_model
from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.outcomes.links import LinkName
from pairvote._inference.prior import CENTRAL_ODDS, Prior
from pairvote._inference.sums import Likelihood, LocalSums, PairSums, Slopes
from pairvote.votes._counts import PairCounts

# No votes ask for a position effect of 100, but a step on the way to less might.
LARGEST_EFFECT = 100.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    r"""A log-posterior over the scores, nuisance parameters, the position effect and coefficients.

    With :math:`s` the scores in log-odds, :math:`\gamma` the position effect and :math:`x` a vote's covariates,
    :math:`d = s_{left} - s_{right} + \gamma + x \beta`, and the outcome model says what a vote says of :math:`d`
    (`pairvote._inference.outcomes`). The priors are normal (`pairvote._inference.prior`).

    sums: what sums over pairs; it may be folded unless there is a position effect, which costs less to work with.
    totals: (n_items, 4), the weight of votes that each item lost, tied, won and skipped. n_decided: the weight of votes
    that one side won. n_ties: the weight of the ties that the model has to explain.

    References
    ----------
    Davidson and Beaver (1977), "On extending the Bradley-Terry model to incorporate within-pair order effects",
    Biometrics 33.
    """

    sums: PairSums
    likelihood: Likelihood
    prior: Prior
    totals: NDArray[np.float64]
    n_decided: float
    n_ties: float
    limits: Limits = LIMITS

    @classmethod
    def of(
        cls,
        votes: PairCounts | PairSums,
        ties: str,
        prior: float | Prior,
        position: bool,
        limits: Limits = LIMITS,
        link: LinkName = "logistic",
    ) -> Model:
        """The model of these counts, with a prior, or the standard deviation of one."""
        sums = LocalSums(votes) if isinstance(votes, PairCounts) else votes
        totals, outcome = sums.item_totals(), outcome_model(ties, link)
        # Every vote stands with two items: a decided one with a loser and a winner.
        n_decided, twice_tied = totals[:, Outcome.RIGHT].sum(), totals[:, Outcome.TIE].sum()
        n_ties = 0.5 * outcome.tie_weight * float(twice_tied)
        outcome = outcome.given(n_ties, sums.n_answers)
        layout = ParameterLayout(len(totals), outcome.n_nuisance, position, sums.n_covariates)
        return cls(
            sums=sums,
            likelihood=Likelihood(outcome, layout),
            prior=Prior.of(prior),
            totals=totals,
            n_decided=float(n_decided),
            n_ties=n_ties,
            limits=limits,
        )

    # --- what it is ---

    @property
    def outcome(self) -> OutcomeModel:
        """The outcome model, without a tie parameter if nobody tied."""
        return self.likelihood.outcome

    @property
    def unit(self) -> float:
        """How many log-odds one unit of the scores is, at level scores."""
        return self.outcome.link.unit

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """Whether each parameter stays where it is: bool, shape (size,)."""
        return np.zeros(self.layout.size, bool)

    @property
    def layout(self) -> ParameterLayout:
        """Where each parameter stands."""
        return self.likelihood.layout

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""
        return self.sums.items

    @property
    def n_items(self) -> int:
        """The number of items."""
        return self.likelihood.layout.n_items

    @property
    def counts(self) -> PairCounts:
        """The pairs, which lie in this memory."""
        pairs = self.sums.pairs
        if pairs is None:
            raise TypeError("the pairs of this model do not lie in this memory")
        return pairs

    @property
    def is_local(self) -> bool:
        """Whether the pairs lie in this memory."""
        return self.sums.pairs is not None

    @property
    def is_likelihood(self) -> bool:
        """Whether the inverse information is a covariance of the scores."""
        return self.outcome.is_likelihood or not self.n_ties

    @property
    def prior_sd(self) -> float:
        """The standard deviation of the scores' prior."""
        return self.prior.sd

    @cached_property
    def _prior_of_all(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.prior.of_all(self.likelihood)

    @property
    def precisions(self) -> NDArray[np.float64]:
        """The prior's precision of each score: float64, shape (n_items,); 0 for maximum likelihood."""
        return self._prior_of_all[0][self.layout.scores]

    @property
    def prior_centres(self) -> NDArray[np.float64]:
        """The prior's mean of each parameter: float64, shape (size,)."""
        return self._prior_of_all[1]

    @cached_property
    def precision_beside(self) -> NDArray[np.float64]:
        """The prior's precision of the parameters beside the scores: float64, shape (n_beside, n_beside)."""
        layout = self.layout
        precision = np.diag(self._prior_of_all[0][layout.beside])
        if layout.n_covariates and self.prior.is_finite:
            first = 0 if layout.has_position else 1
            effects = slice(layout.n_nuisance, None)
            moments = self.sums.covariate_moments()[first:, first:]
            precision[effects, effects] = self.prior.weak_precision(self.outcome) * moments
        return precision

    def prior_products(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The prior's precision times a vector over all parameters, or times each column of a table of them."""
        n_items = self.n_items
        return np.concatenate([(vectors[:n_items].T * self.precisions).T, self.precision_beside @ vectors[n_items:]])

    # --- parameters ---

    def start(self) -> NDArray[np.float64]:
        """Where to begin: equal scores, and the nuisance parameters that they would have.

        Where all votes are ties these are infinite, and the prior's centre is a better place.
        """
        layout = self.layout
        parameters = np.zeros(layout.size)
        if layout.n_nuisance:
            odds = self.n_ties / self.n_decided if self.n_decided else CENTRAL_ODDS
            parameters[layout.nuisance] = self.outcome.start(odds)
        return parameters

    def tie_parameter(self, parameters: NDArray[np.float64]) -> float:
        """The public tie parameter."""
        return self.outcome.tie_parameter(parameters[self.layout.nuisance])

    def position_effect(self, parameters: NDArray[np.float64]) -> float:
        """What standing on the left adds, in log-odds."""
        layout = self.layout
        return float(parameters[layout.position][0]) if layout.has_position else 0.0

    def probabilities(self, log_odds: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(right), P(tie) and P(left) at these log-odds of the left side: float64, shape (..., 3)."""
        return self.outcome.probabilities(log_odds, self.tie_parameter(parameters))

    def allows(self, parameters: NDArray[np.float64]) -> bool:
        """Whether the nuisance parameters are inside the model, and nothing overflows."""
        if not self.outcome.allows(parameters[self.layout.nuisance]):
            return False
        return bool((np.abs(self.sums.effects(self.likelihood, parameters)) < LARGEST_EFFECT).all())

    # --- sums over pairs ---

    def log_likelihood(self, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood, without the prior."""
        alone = self.outcome.alone(parameters[self.layout.nuisance], self.n_ties)[0] if self.n_ties else 0.0
        return self.sums.log_likelihood(self.likelihood, parameters) + alone

    def log_posterior(self, parameters: NDArray[np.float64]) -> float:
        """The log-likelihood less half the prior's sum of squares."""
        away = parameters - self._prior_of_all[1]
        return self.log_likelihood(parameters) - 0.5 * float(self.prior_products(away) @ away)

    def slopes(self, parameters: NDArray[np.float64], workspace: NDArray[np.float64] | None = None) -> Slopes:
        """Gradient and information of the log-posterior; in the same workspace they replace those that were there."""
        layout = self.layout
        found = self.sums.slopes(self.likelihood, parameters, workspace)
        if layout.n_nuisance:
            _, gradient, information = self.outcome.alone(parameters[layout.nuisance], self.n_ties)
            found.gradient[layout.nuisance] += gradient
            found.corner[: layout.n_nuisance, : layout.n_nuisance] += information
        if not self.prior.is_finite:
            return found
        found.gradient[:] -= self.prior_products(parameters - self._prior_of_all[1])
        np.add(found.diagonal, self.prior.precision, out=found.diagonal)
        return self._with_ridge(found)

    def squares(self, parameters: NDArray[np.float64]) -> Slopes:
        """The sum over votes of the outer product of each vote's own gradient, with the prior's precision as ridge."""
        return self._with_ridge(self.sums.squares(self.likelihood, parameters))

    def _with_ridge(self, slopes: Slopes) -> Slopes:
        """The slopes with the prior's precision as ridge, and in the corner."""
        return replace(slopes, corner=slopes.corner + self.precision_beside, ridge=self.prior.precision)
