"""An outcome model that this file adds to the registry, and nothing else, is fitted through the public interface."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm

import pairvote as pv
from pairvote._inference import DEFAULT_TIES, MODELS_BY_LINK, OUTCOME_MODELS, LinkName, OutcomeModel, Ties
from pairvote._inference.outcomes import PROBIT_MODELS
from pairvote._inference.outcomes.davidson import Davidson

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Probit(OutcomeModel):
    """Thurstone's case V, P(left) = Phi(d), without ties: three functions in numpy and scipy, and no kernel."""

    tie_weight: float = 0.0

    def probabilities(self, log_odds: Floats, tie_parameter: float) -> Floats:
        return np.stack([norm.cdf(-log_odds), np.zeros_like(log_odds), norm.cdf(log_odds)], axis=-1)

    def gradients(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats]:
        right, left = (norm.pdf(log_odds) / norm.cdf(sign * log_odds) for sign in (-1, 1))
        return np.array([-right, np.zeros_like(right), left]), np.empty((0, 3, len(right)))

    def information(self, log_odds: Floats, nuisance: Floats) -> tuple[Floats, Floats, Floats]:
        (right, none, left), y = self.gradients(log_odds, nuisance)
        return np.array([right * (right + log_odds), none, left * (left + log_odds)]), y, y[None]


@dataclass(frozen=True, kw_only=True)
class PlainDavidson(Davidson):
    """Davidson's model by the sums of any model without a kernel."""

    by_kernel: bool = False
    log_likelihood = OutcomeModel.log_likelihood
    log_probabilities = OutcomeModel.log_probabilities
    slopes = OutcomeModel.slopes
    squares = OutcomeModel.squares


@contextmanager
def registered(model: OutcomeModel) -> Iterator[str]:
    OUTCOME_MODELS[model.name] = model
    try:
        yield model.name
    finally:
        del OUTCOME_MODELS[model.name]


@pytest.fixture
def toy() -> Iterator[str]:
    with registered(Probit(name="toy")) as name:
        yield name


def some_votes(*, ties: float = 0.0, n_items: int = 6, n_votes: int = 300) -> tuple[pv.Votes, Floats]:
    """Votes by 20 voters on random pairs, and a covariate of each."""
    rng = np.random.default_rng(1)
    strength = rng.normal(0, 0.8, n_items)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    covariate = rng.normal(size=n_votes)
    d = strength[left] - strength[right] + 0.3 + 0.5 * covariate
    outcome = np.where(rng.random(n_votes) < norm.cdf(d), 2, 0)
    outcome[rng.random(n_votes) < ties] = 1
    voter = rng.integers(20, size=n_votes)
    weight = rng.choice([0.5, 1.0, 2.0], size=n_votes)
    return pv.Votes.from_codes(left, right, outcome, n_items=n_items, voter=voter, weight=weight), covariate


def derivatives(function, at: Floats, step: float = 1e-4) -> Floats:
    """Central differences, one row for each parameter."""
    along = step * np.eye(len(at))
    return np.array([(np.asarray(function(at + one)) - function(at - one)) / (2 * step) for one in along])


@pytest.mark.parametrize("prior_sd", [1.5, math.inf])
@pytest.mark.parametrize("with_effects", [False, True])
@pytest.mark.parametrize("uncertainty", ["model", "sandwich"])
def test_a_toy_model_is_fitted_through_the_public_interface(toy, prior_sd, with_effects, uncertainty) -> None:
    votes, covariate = some_votes()
    options = {"covariates": covariate, "position": True} if with_effects else {}
    ranking = pv.bradley_terry(votes, ties=toy, prior_sd=prior_sd, uncertainty=uncertainty, **options)
    sign = votes.outcome - 1.0
    # The position effect and the coefficient have weak priors.
    precision = np.zeros((8, 8))
    if not math.isinf(prior_sd):
        columns = np.column_stack([np.ones(len(votes)), covariate])
        precision[range(6), range(6)] = prior_sd**-2
        precision[6:, 6:] = (votes.weight / votes.weight.sum() * columns.T) @ columns / 9
    precision = precision if with_effects else precision[:6, :6]

    def vote_by_vote(parameters: Floats) -> Floats:
        d = parameters[votes.left] - parameters[votes.right]
        if with_effects:
            d = d + parameters[6] + parameters[7] * covariate
        return norm.logcdf(sign * d)

    def negative(parameters: Floats) -> float:
        # The last term fixes the mean of the scores, which nothing else does without a prior.
        prior = 0.5 * parameters @ precision @ parameters
        return float(-votes.weight @ vote_by_vote(parameters) + prior + parameters[:6].sum() ** 2)

    best = minimize(negative, np.zeros(8 if with_effects else 6), method="BFGS", options={"gtol": 1e-7}).x
    np.testing.assert_allclose(ranking.scores, best[:6], atol=1e-5)
    fit = ranking.fit
    if with_effects:
        np.testing.assert_allclose([fit.position_effect, *fit.coefficients], best[6:], atol=1e-5)
    parameters = np.concatenate([ranking.scores, [fit.position_effect, *fit.coefficients] if with_effects else []])
    assert fit.log_likelihood == pytest.approx(votes.weight @ vote_by_vote(parameters), rel=1e-12)
    inverse = np.linalg.inv(derivatives(lambda p: derivatives(negative, p, 1e-3), parameters, 1e-3))
    if uncertainty == "sandwich":
        gradients = derivatives(vote_by_vote, parameters)
        middle = (gradients * votes.weight) @ gradients.T
        middle += precision
        inverse = inverse @ middle @ inverse
    centring = np.eye(6) - 1 / 6
    np.testing.assert_allclose(ranking.covariance, centring @ inverse[:6, :6] @ centring, rtol=1e-4, atol=1e-7)
    if with_effects:
        errors = [fit.position_standard_error, *fit.coefficient_standard_errors]
        np.testing.assert_allclose(errors, np.sqrt(np.diag(inverse)[6:]), rtol=1e-4)


def test_a_toy_model_answers_what_a_ranking_is_asked(toy) -> None:
    votes, _ = some_votes()
    ranking = pv.bradley_terry(votes, ties=toy)
    gap = ranking.scores[2] - ranking.scores[4]
    assert ranking.expected_score(2, 4) == pytest.approx(norm.cdf(gap))
    assert ranking.outcome_probabilities(2, 4) == pytest.approx((norm.cdf(gap), 0.0, norm.cdf(-gap)))
    assert (ranking.fit.ties, ranking.fit.tie_parameter, ranking.fit.has_tie_parameter) == (toy, 0.0, False)
    plain = pv.bradley_terry(votes, ties=toy, prior_sd=3.0)
    assert pv.bradley_terry(votes, ties=toy, prior_sd=3.0, start=plain).fit.n_iter == 0
    assert pv.rank(votes, "bradley-terry", ties=toy).order() == ranking.order()
    assert pv.bootstrap(votes, ties=toy, n_resamples=20, rng=1).standard_errors.min() > 0
    with pytest.raises(pv.NotIdentifiedError, match="maximum-likelihood scores do not exist"):
        pv.bradley_terry(pv.Votes.from_wins(["ash"], ["birch"]), ties=toy, prior_sd=math.inf)


def test_a_toy_model_has_its_learned_prior_put_in_and_says_so(toy) -> None:
    """Few votes of a model that the sampler does not know."""
    votes, _ = some_votes(n_votes=40)
    ranking = pv.bradley_terry(votes, ties=toy)
    assert ranking._uncertainty.samples is None
    assert ranking.fit.prior_sd.learned
    low, high = ranking.fit.prior_sd.interval
    assert low < ranking.fit.prior_sd < high
    assert str(ranking).splitlines()[-1].endswith(") and taken as known, so that errors may be too small")
    assert pv.bradley_terry(votes)._uncertainty.samples is not None


@pytest.mark.parametrize("uncertainty", ["model", "sandwich", "by-voter"])
@pytest.mark.parametrize("with_effects", [False, True])
def test_sums_without_a_kernel_equal_those_of_the_kernel(with_effects, uncertainty) -> None:
    votes, covariate = some_votes(ties=0.2)
    options = {"covariates": covariate, "position": True} if with_effects else {}
    options |= {"prior_sd": 3.0}
    expected = pv.bradley_terry(votes, uncertainty=uncertainty, **options)
    with registered(PlainDavidson(name="plain", n_nuisance=1)) as name:
        ranking = pv.bradley_terry(votes, ties=name, uncertainty=uncertainty, **options)
        assert ranking.outcome_probabilities(0, 1) == pytest.approx(expected.outcome_probabilities(0, 1))
    np.testing.assert_allclose(ranking.scores, expected.scores, atol=1e-9)
    np.testing.assert_allclose(ranking.covariance, expected.covariance, rtol=1e-7, atol=1e-10)
    ours, theirs = ranking.fit, expected.fit
    for name in ("tie_parameter", "log_likelihood", "tie_standard_error", "position_effect", "position_standard_error"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-7), name


def test_messages_name_what_is_registered() -> None:
    names = "'davidson', 'rao-kupper', 'cumulative', 'half', 'drop'"
    with pytest.raises(pv.InputError, match=f"^ties is 'toy'; use one of {names}$"):
        pv.bradley_terry(some_votes()[0], ties="toy")
    with registered(Probit(name="toy")), pytest.raises(pv.InputError, match=f"use one of {names}, 'toy'$"):
        pv.bradley_terry(some_votes()[0], ties="nothing")
    with pytest.raises(
        pv.InputError, match=r"^ties is 'toy'; use one of 'glenn-david', 'cumulative', 'half', 'drop', "
    ):
        pv.bradley_terry(some_votes()[0], ties="toy", link="probit")
    assert set(OUTCOME_MODELS) | set(PROBIT_MODELS) == set(get_args(Ties))
    assert tuple(MODELS_BY_LINK) == get_args(LinkName)
    for link, models in MODELS_BY_LINK.items():
        assert {model.link.name for model in models.values()} == {link}
        # Either link takes the default's name.
        assert DEFAULT_TIES in models
    assert DEFAULT_TIES in OUTCOME_MODELS
