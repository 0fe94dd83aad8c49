"""Priors that differ by item, and the weak ones of the parameters beside the scores."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import outcome_models
import pytest
import reference
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.stats import norm

import pairvote as pv
from pairvote._inference import LIMITS, Limits, Model, Posterior, Prior, fit
from pairvote._inference.many_items import ManyItems
from pairvote._inference.solver import centre, maximise

Floats = NDArray[np.float64]
N_ITEMS = 8
NO_KERNEL = Limits(kernel_parameters=0)
WAYS = {
    "kernel": LIMITS,
    "dense": NO_KERNEL,
    "gradients": Limits(kernel_parameters=0, dense_items=0),
    "gradients, then sparse": Limits(
        kernel_parameters=0, dense_items=0, most_products=3, table_items=0, few_pairs=99.0
    ),
}
TIES = tuple(name for name in outcome_models.NAMES if not name.endswith("drop"))
# Far from alike: a shift of all scores changes what such a prior says.
UNLIKE = Prior(precision=np.geomspace(0.02, 5.0, N_ITEMS), centre=np.linspace(-2.0, 3.0, N_ITEMS))


def some_rows(n_votes: int = 40) -> list[tuple[int, int, int, float]]:
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(n_votes):
        left, right = rng.choice(N_ITEMS, size=2, replace=False).tolist()
        rows.append((left, right, int(rng.choice([0, 1, 2], p=[0.3, 0.3, 0.4])), float(rng.gamma(2.0))))
    return rows


ROWS = some_rows()


def counted(*, position: bool) -> pv.PairCounts:
    left, right, outcome, weight = map(np.array, zip(*ROWS, strict=True))
    counts = pv.Votes.from_codes(left, right, outcome, n_items=N_ITEMS, weight=weight).counts()
    return counts if position else counts.folded()


def fitted(prior: float | Prior, ties: str, way: str, *, position: bool) -> Posterior:
    """What a way through the solver leads to, with all that is asked of few items."""
    known = outcome_models.options(ties)
    found = fit(counted(position=position), prior_sd=prior, position=position, limits=WAYS[way], **known)
    return Posterior(replace(found.model, limits=LIMITS), found.solution)


def priors_of_all(ties: str, position: bool, prior: Prior) -> tuple[Floats, Floats]:
    """By the definition, the scores' own entries put into those of `reference.normal_priors`."""
    size = N_ITEMS + (not ties.endswith("half")) + position
    precisions, centres = reference.normal_priors(size, ROWS, N_ITEMS, ties, 3.0)
    precisions[:N_ITEMS], centres[:N_ITEMS] = prior.precision, prior.centre
    return precisions, centres


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ties", "position"), list(itertools.product(TIES, (False, True))))
def test_scores_with_priors_of_their_own_equal_an_independent_maximum(ties, position, way) -> None:
    ours = fitted(UNLIKE, ties, way, position=position)
    precisions, centres = priors_of_all(ties, position, UNLIKE)

    def negative(parameters: Floats) -> float:
        away = parameters - centres
        task = (parameters, ROWS, N_ITEMS, ties, math.inf, position)
        # A step may go beyond a threshold of nought, where nothing is.
        return min(float(0.5 * precisions @ away**2 - reference.log_posterior(*task)), 1e6)

    assert ours.model.log_posterior(ours.parameters) == pytest.approx(-negative(ours.parameters), rel=1e-12)
    gradient, information, outer = reference.derivatives(ours.parameters, ROWS, N_ITEMS, ties, math.inf, position)
    np.testing.assert_allclose(gradient, precisions * (ours.parameters - centres), atol=1e-8)
    # The mean of all scores is the prior's to say, and not zero.
    assert abs(ours.scores.mean()) > 0.05
    inverse = np.linalg.inv(information + np.diag(precisions))
    np.testing.assert_allclose(ours.covariance(), reference.centred(inverse, N_ITEMS), rtol=1e-7, atol=1e-9)
    contrast = np.zeros(len(precisions))
    contrast[[0, 5]] = 1.0, -1.0
    assert ours.contrast_variance(contrast) == pytest.approx(contrast @ inverse @ contrast, rel=1e-7)
    if not ties.endswith("half"):
        # The derivative of the public tie parameter.
        slope = 1.0 if ties.startswith("probit") else math.exp(ours.parameters[N_ITEMS])
        error = slope * math.sqrt(inverse[N_ITEMS, N_ITEMS])
        assert ours.tie_error() == pytest.approx(error, rel=1e-7)
    if position:
        assert ours.position_error() == pytest.approx(math.sqrt(inverse[-1, -1]), rel=1e-7)
    middle = inverse @ (outer + np.diag(precisions)) @ inverse
    sandwich = Posterior(ours.model, ours.solution, "sandwich")
    np.testing.assert_allclose(sandwich.covariance(), reference.centred(middle, N_ITEMS), rtol=1e-7, atol=1e-9)
    # Over all contrasts, of which these are a basis, the largest share of the variance in that by the prior alone.
    basis = np.eye(N_ITEMS - 1, N_ITEMS) - np.eye(N_ITEMS - 1, N_ITEMS, 1)
    by_prior = basis / precisions[:N_ITEMS] @ basis.T
    share = eigh(basis @ inverse[:N_ITEMS, :N_ITEMS] @ basis.T, by_prior, eigvals_only=True)[-1]
    assert share < 1.0
    assert ours.prior_share() == pytest.approx(share, rel=1e-7)
    if way == "kernel":
        # The gradient vanishes where a general method stops too, begun from elsewhere.
        there = minimize(negative, ours.parameters + 0.3, method="BFGS", options={"gtol": 1e-6}).x
        np.testing.assert_allclose(ours.parameters, there, atol=1e-5)


@pytest.mark.parametrize("uncertainty", ["model", "sandwich"])
@pytest.mark.parametrize("way", ["gradients", "gradients, then sparse"])
def test_contrasts_of_many_items_with_priors_of_their_own_are_exact(way, uncertainty) -> None:
    exact = fit(counted(position=True), prior_sd=UNLIKE, position=True, uncertainty=uncertainty)
    model = Model.of(counted(position=True), "davidson", UNLIKE, True, WAYS[way])
    solution = maximise(model, model.start(), 1e-9, 100)
    many = ManyItems(model, solution, uncertainty == "sandwich", None)
    for place in ([0, 5], [3, 2], [7, 0]):
        contrast = np.zeros(model.layout.size)
        contrast[place] = 1.0, -1.0
        assert many.contrast_variance(contrast) == pytest.approx(exact.contrast_variance(contrast), rel=1e-6)
    assert many.largest_share() == pytest.approx(exact.prior_share(), rel=0.01)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ties", "position"), list(itertools.product(TIES, (False, True))))
def test_equal_priors_item_by_item_equal_the_common_one(ties, position, way) -> None:
    one_by_one = Prior(precision=np.full(N_ITEMS, 0.25), centre=np.full(N_ITEMS, 0.7))
    common, own = (fitted(prior, ties, way, position=position) for prior in (2.0, one_by_one))
    assert own.scores.mean() == pytest.approx(0.7, abs=1e-9)
    np.testing.assert_allclose(own.scores - 0.7, common.scores, atol=1e-8)
    np.testing.assert_allclose(own.parameters[N_ITEMS:], common.parameters[N_ITEMS:], atol=1e-8)
    np.testing.assert_allclose(own.covariance(), common.covariance(), rtol=1e-7, atol=1e-10)
    assert own.prior_share() == pytest.approx(common.prior_share(), rel=1e-7)


def test_what_a_prior_is() -> None:
    flat, common = Prior.of(math.inf), Prior.of(2)
    assert (flat.precision, flat.is_finite, flat.is_common, flat.sd) == (0.0, False, True, math.inf)
    assert (common.precision, common.is_finite, common.is_common, common.sd) == (0.25, True, True, 2.0)
    assert Prior.of(UNLIKE) is UNLIKE
    assert (UNLIKE.is_finite, UNLIKE.is_common, math.isnan(UNLIKE.sd)) == (True, False, True)
    assert not Prior(precision=1.0, centre=np.zeros(3)).is_common


UPPER_QUARTILE = float(norm.ppf(0.75))
CENTRES = [("davidson", math.log(2)), ("rao-kupper", math.log(3)), ("cumulative", math.log(3))]
CENTRES += [("probit glenn-david", UPPER_QUARTILE), ("probit cumulative", UPPER_QUARTILE)]


@pytest.mark.parametrize(("ties", "centred_at"), CENTRES)
def test_parameters_beside_the_scores_have_weak_priors_if_the_scores_have_one(ties, centred_at) -> None:
    known, unit = outcome_models.options(ties), math.sqrt(8 / math.pi) if ties.startswith("probit") else 1.0
    model = Model.of(counted(position=True), known["ties"], 0.5, True, link=known["link"])
    precisions, centres = model.prior.of_all(model.likelihood)
    assert precisions.tolist() == pytest.approx([4.0] * N_ITEMS + [unit**2 / 9] * 2)
    assert centres.tolist() == pytest.approx([0.0] * N_ITEMS + [centred_at, 0.0])
    # Half of the votes on level items are ties there.
    level = model.outcome.probabilities(np.zeros(1), model.outcome.tie_parameter(centres[N_ITEMS : N_ITEMS + 1]))
    assert level[0].tolist() == pytest.approx([0.25, 0.5, 0.25])
    flat = Model.of(counted(position=True), known["ties"], math.inf, True, link=known["link"])
    assert not flat.precisions.any()


def test_scores_with_priors_of_their_own_are_not_shifted() -> None:
    model = Model.of(counted(position=False), "half", UNLIKE, False)
    at = np.arange(float(N_ITEMS))
    assert centre(model, at.copy()).tolist() == at.tolist()


def nearly_ordered(seed: int) -> tuple[pv.Votes, list[tuple[int, int, int, float]]]:
    """Many votes by one order of 20 items, and one against it."""
    rng = np.random.default_rng(seed)
    left = rng.integers(20, size=400)
    right = (left + 1 + rng.integers(19, size=400)) % 20
    outcome = np.where(left < right, 2, 0)
    outcome[0] ^= 2
    rows = zip(left.tolist(), right.tolist(), outcome.tolist(), [1.0] * 400, strict=True)
    return pv.Votes.from_codes(left, right, outcome, n_items=20), list(rows)


@pytest.mark.parametrize("way", ["kernel", "dense"])
@pytest.mark.parametrize("seed", [1, 2, 27])
def test_a_very_wide_prior_has_a_maximum_where_votes_nearly_separate_the_items(seed, way) -> None:
    votes, rows = nearly_ordered(seed)
    scores = fit(votes.counts().folded(), prior_sd=1e6, limits=WAYS[way]).scores
    slopes, curvatures = [[] for _ in range(20)], np.full(20, 1e-12)
    for left, right, outcome, _ in rows:
        won, lost = (left, right) if outcome == 2 else (right, left)
        away = math.exp(-abs(scores[won] - scores[lost]))
        surprise = (away if scores[won] > scores[lost] else 1.0) / (1.0 + away)
        slopes[won].append(surprise)
        slopes[lost].append(-surprise)
        curvatures[[won, lost]] += away / (1.0 + away) ** 2
    # Added up without rounding, what is left of each gradient is little beside the curvature.
    for item, terms in enumerate(slopes):
        assert abs(math.fsum([*terms, -1e-12 * scores[item]])) <= 1e-4 * curvatures[item]
