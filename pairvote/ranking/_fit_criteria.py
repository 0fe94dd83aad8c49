r"""How well a fit describes its votes, for the price of its parameters: deviance, AIC and BIC.

With :math:`\ell` the log-likelihood of the votes at the fit and :math:`\ell_s` that of the saturated model, which gives
every pair the shares that its votes have,

.. math:: D = 2 (\ell_s - \ell), \qquad AIC = -2 \ell + 2 p, \qquad BIC = -2 \ell + p \log n.

Under a prior p is the effective number of parameters, :math:`p = \mathrm{tr}(C H)`, H being the information of the
votes and C the inverse of the posterior's, H + Q with Q the prior's precision: so
:math:`p = \mathrm{tr}(I - C Q)`. Without a prior every parameter counts one, except that scores are known
up to their mean.

References
----------
Akaike (1974), "A new look at the statistical model identification", IEEE Trans. Automatic Control 19. Schwarz (1978),
"Estimating the dimension of a model", Annals of Statistics 6. Spiegelhalter, Best, Carlin and van der Linde (2002),
"Bayesian measures of model complexity and fit", JRSS B 64, section 3.1, and Vaida and Blanchard (2005), "Conditional
Akaike information for mixed-effects models", Biometrika 92, for the effective number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference import AnchoredPosterior, AnswerCounts, NoRemainder, Posterior, centred
from pairvote.errors import InputError, MissingUncertaintyError

Floats = NDArray[np.float64]
BY_HELD_OUT = "compare it by votes held out, with pairvote.cross_validate"


def effective_parameters(posterior: Posterior) -> float:
    """The trace of C H; without a prior the number of parameters, less one where no score is known."""
    model = posterior.model
    layout = model.layout
    if isinstance(posterior, AnchoredPosterior):
        inverse = posterior._inverse[np.ix_(posterior.free, posterior.free)]
        return len(inverse) - float((inverse * posterior.precision).sum())
    if isinstance(posterior, NoRemainder):
        return float(layout.n_beside)
    if not model.prior.is_finite or not layout.n_items:
        return float(max(layout.size - 1, 0))
    if not model.is_local or layout.n_items > model.limits.table_items:
        raise MissingUncertaintyError(
            f"the effective number of parameters of {layout.n_items:,} items takes a table of their covariances, which "
            f"there is for up to {model.limits.table_items:,} in one memory",
            remedy=BY_HELD_OUT,
        )
    inverse, scores, free = Posterior(model, posterior.solution)._inverse, layout.scores, layout.size
    if model.prior.is_common:
        # Their mean, of which votes say nothing, is held in place.
        inverse, free = inverse.copy(), layout.size - 1
        inverse[scores, scores] = centred(inverse[scores, scores])
    return float(free - np.trace(model.prior_products(inverse)))


def deviance(posterior: Posterior, log_likelihood: float) -> float:
    """Twice what the saturated model's log-likelihood is above that of the fit."""
    check_single_model(posterior, "deviance")
    return 2.0 * (posterior.dispersion * saturated_log_likelihood(posterior) - log_likelihood)


def saturated_log_likelihood(posterior: Posterior) -> float:
    """The log-likelihood of shares that are those of the votes of each pair."""
    from scipy.special import xlogy

    votes = votes_by_pair(posterior)
    return float(xlogy(votes, votes / np.maximum(votes.sum(axis=1, keepdims=True), np.finfo(float).tiny)).sum())


def cells(posterior: Posterior) -> int:
    """The number of shares that the saturated model is free to choose."""
    votes = votes_by_pair(posterior)
    return (votes.shape[1] - 1) * int(np.count_nonzero(votes.sum(axis=1)))


def votes_by_pair(posterior: Posterior) -> Floats:
    """The weight of votes of each pair by outcome: float64, shape (n_pairs, n_outcomes).

    Outcomes are right, tie and left, or all graded answers where these are answers in order. The two orders of a pair
    are one pair unless there is a position effect, and with covariates every vote is a pair of its own. Where ties have
    no parameter of their own, a tie that counts is half a vote for each of two outcomes.
    """
    model = posterior.model
    if not model.is_local:
        raise InputError(
            "the pairs of this fit lie apart on a cluster; gather() the counts and fit those, or compare fits by their "
            "log_likelihood"
        )
    counts = model.counts
    if isinstance(counts, AnswerCounts):
        return counts.answers
    if not model.layout.has_position and not model.layout.n_covariates:
        counts = counts.folded()
    votes = counts.table * np.array([1.0, model.outcome.tie_weight, 1.0])
    if model.outcome.has_ties:
        return votes
    halves = 0.5 * votes[:, Outcome.TIE]
    return np.stack([votes[:, Outcome.RIGHT] + halves, votes[:, Outcome.LEFT] + halves], axis=1)


def check_single_model(posterior: Posterior, what: str) -> None:
    """InputError where each voter has a model of their own, which no table of pairs is held against."""
    if posterior.voters is not None:
        raise InputError(
            f"a fit that weighs voters has no {what}: its likelihood is that of a mixture over voters",
            option="reliability",
            remedy=BY_HELD_OUT,
        )


def check_likelihood(posterior: Posterior, weights: str, what: str) -> None:
    """InputError where the criterion is not one of a likelihood of independent votes."""
    check_single_model(posterior, what)
    model = posterior.model
    if not model.is_likelihood:
        problem, option = "counts a tie as half a vote for each side, which is no likelihood", "ties"
    elif weights == "sampling":
        problem, option = "has importance weights, whose likelihood is not that of the votes", "weights"
    elif model.is_local and getattr(model.sums, "spread", None) is not None:
        problem, option = "is of graded votes, whose quasi-likelihood has no chances of outcomes", "votes"
    else:
        return
    raise InputError(f"there is no {what}: the fit {problem}", option=option, remedy=BY_HELD_OUT)
