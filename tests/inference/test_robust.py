"""The sandwich by its formula, with the prior's precision as a vector and as a matrix, and the degrees of freedom."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import pairvote as pv
from pairvote._inference.posterior import Posterior
from pairvote._inference.robust import Sandwich, prior_precisions, symmetric
from pairvote._inference.systems import dense_information

N_ITEMS = 6


def posterior_of(uncertainty: str, **options: object) -> Posterior:
    rng = np.random.default_rng(8)
    left = rng.integers(N_ITEMS, size=240)
    right = (left + rng.integers(1, N_ITEMS, size=240)) % N_ITEMS
    votes = pv.Votes.from_codes(
        left, right, rng.integers(0, 3, size=240), n_items=N_ITEMS, voter=rng.integers(7, size=240)
    )
    ranking = pv.bradley_terry(votes, uncertainty=uncertainty, position=True, **options)  # type: ignore[arg-type]
    assert ranking.fit is not None
    return ranking.fit._posterior


def centred(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    centring = np.eye(N_ITEMS) - 1 / N_ITEMS
    return np.asarray(centring @ matrix[:N_ITEMS, :N_ITEMS] @ centring)


@pytest.mark.parametrize("uncertainty", ["sandwich", "by-voter"])
def test_it_is_what_a_posterior_mean_is_off_by(uncertainty) -> None:
    """V = C (B + D) C = C + C (B - H) C, for a diagonal D and for any other."""
    posterior = posterior_of(uncertainty, prior_sd=0.8)
    model, parameters = posterior.model, posterior.parameters
    found = posterior._sandwich
    likelihood = symmetric(
        dense_information(model.counts, model.sums.slopes(model.likelihood, parameters), anchored=False)
    )
    n_nuisance = model.layout.n_nuisance
    # What ties add through their parameter alone.
    likelihood[N_ITEMS : N_ITEMS + n_nuisance, N_ITEMS : N_ITEMS + n_nuisance] += model.outcome.alone(
        parameters[model.layout.nuisance], model.n_ties
    )[2]
    b = found.middle * found.scale**2
    assert found._model_part == 0.0
    inverse = posterior._inverse
    np.testing.assert_allclose(
        centred(found.covariance()), centred(inverse + inverse @ (b - likelihood) @ inverse), atol=1e-9
    )
    np.testing.assert_allclose(found.variances(), np.diag(centred(found.covariance())), rtol=1e-9)
    # A prior under which scores hang together: D and C are whole matrices.
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(len(inverse), len(inverse)))
    prior = factor @ factor.T / len(inverse) + np.eye(len(inverse))
    inverse = np.linalg.inv(likelihood + prior)
    of_any = Sandwich.of(model, parameters, inverse, rows=posterior.rows, prior=prior)
    b = of_any.middle * of_any.scale**2
    np.testing.assert_allclose(of_any.covariance(), inverse @ (b + prior) @ inverse, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_any.variances(), np.diag(centred(of_any.covariance())), rtol=1e-9)


@pytest.mark.parametrize("prior_sd", [0.3, 3.0, math.inf])
def test_a_diagonal_is_a_matrix(prior_sd) -> None:
    posterior = posterior_of("by-voter", prior_sd=prior_sd)
    precisions = prior_precisions(posterior.model)
    task = (posterior.model, posterior.parameters, posterior._inverse)
    diagonal, whole = (
        Sandwich.of(*task, rows=posterior.rows, prior=prior) for prior in (precisions, np.diag(precisions))
    )
    np.testing.assert_allclose(whole.covariance(), diagonal.covariance(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(whole.variances(), diagonal.variances(), rtol=1e-9)
    assert whole.degrees_of_freedom == pytest.approx(diagonal.degrees_of_freedom, rel=1e-9)
    assert whole._prior_trace == pytest.approx(diagonal._prior_trace, abs=1e-9)
    if math.isinf(prior_sd):
        assert 5 < diagonal.degrees_of_freedom < 6
    else:
        share = 1 - np.trace(centred(posterior._inverse @ np.diag(precisions) @ posterior._inverse)) / np.trace(
            centred(diagonal.covariance())
        )
        assert diagonal.degrees_of_freedom == pytest.approx((diagonal.n_effective - 1) / share**2, rel=1e-9)


def test_an_empty_middle_takes_its_part_from_the_model() -> None:
    """With B = 0 the errors are those of one voter among n + 1, with what the prior says."""
    posterior = posterior_of("by-voter", prior_sd=0.8)
    found = Sandwich(posterior._inverse, np.zeros((8, 8)), 1.0, prior_precisions(posterior.model), N_ITEMS, 7.0, 6.5)
    inverse, prior = posterior._inverse, np.diag(prior_precisions(posterior.model))
    expected = inverse @ prior @ inverse * (1 - 1 / 8) + inverse / 8
    np.testing.assert_allclose(centred(found.covariance()), centred(expected), rtol=1e-9, atol=1e-12)
