"""Values, gradients and informations of the models, held against finite differences and against reference.py."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import outcome_models
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import Sample, samples

import pairvote as pv
from pairvote._inference import Likelihood, LocalSums, Model, Slopes, VoteRows, outcome_model, outcome_probabilities
from pairvote._inference.solver import maximise
from pairvote._inference.start import well_mixed_start
from pairvote._inference.systems import dense_information

Floats = NDArray[np.float64]
TIES = outcome_models.NAMES
PRIORS = (3.0, math.inf)
MODELS = list(itertools.product(TIES, (False, True), PRIORS))
SIZES = (0.0, 3.0, 40.0, 700.0)


def drawn(seed: int, *, n_items: int = 5, n_votes: int = 40, weighted: bool = False) -> Sample:
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n_votes):
        left, right = rng.choice(n_items, size=2, replace=False).tolist()
        rows.append((left, right, int(rng.choice([0, 1, 2])), float(rng.gamma(1.0)) if weighted else 1.0))
    return Sample(rows, n_items, weighted)


def model_of(sample: Sample, ties: str, position: bool, prior_sd: float) -> Model:
    counts = sample.votes().counts()
    return model_from(counts if position else counts.folded(), ties, prior_sd, position)


def model_from(votes: pv.PairCounts | LocalSums, ties: str, prior_sd: float, position: bool) -> Model:
    """The model of a name of `outcome_models`."""
    known = outcome_models.options(ties)
    return Model.of(votes, known["ties"], prior_sd, position, link=known["link"])


def point(model: Model, size: float, seed: int) -> Floats:
    """Random parameters with scores as large as `size`."""
    rng = np.random.default_rng(seed)
    parameters = np.zeros(model.layout.size)
    scores = rng.uniform(-1, 1, size=model.counts.n_items)
    parameters[: model.counts.n_items] = size * scores / np.abs(scores).max()
    if model.layout.n_nuisance:
        parameters[model.counts.n_items] = rng.uniform(0.2, 1.5)
    if model.layout.has_position:
        parameters[-1] = rng.uniform(-0.8, 0.8)
    return parameters


def derivative(function, at: Floats, step: float = 1e-3) -> Floats:
    """Central differences of fourth order, one row for each parameter."""
    rows = []
    for place in range(len(at)):
        along = np.zeros(len(at))
        along[place] = step
        near = np.asarray(function(at + along)) - np.asarray(function(at - along))
        far = np.asarray(function(at + 2 * along)) - np.asarray(function(at - 2 * along))
        rows.append((8 * near - far) / (12 * step))
    return np.array(rows)


def information(model: Model, slopes: Slopes) -> Floats:
    upper = np.triu(dense_information(model.counts, slopes, anchored=False))
    return upper + np.triu(upper, 1).T


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_gradient_and_information_are_the_derivatives(ties, position, prior_sd, weighted, size) -> None:
    model = model_of(drawn(1, weighted=weighted), ties, position, prior_sd)
    at = point(model, size, seed=2)
    slopes = model.slopes(at)
    # Of a value as large as the scores the differences keep fewer digits.
    scale = max(1.0, size)
    np.testing.assert_allclose(slopes.gradient, derivative(model.log_posterior, at), rtol=1e-8, atol=1e-8 * scale)
    expected = -derivative(lambda parameters: model.slopes(parameters).gradient, at)
    np.testing.assert_allclose(information(model, slopes), expected, rtol=1e-8, atol=1e-9 * scale)
    np.testing.assert_allclose(slopes.diagonal, np.diag(expected)[: model.counts.n_items], rtol=1e-8, atol=1e-9 * scale)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_everything_equals_the_reference(ties, position, prior_sd, size) -> None:
    sample = drawn(3, weighted=True, n_votes=20)
    model = model_of(sample, ties, position, prior_sd)
    at = point(model, size, seed=4)
    task = (at, sample.rows, sample.n_items, ties)
    gradient, expected, outer = reference.derivatives(*task, prior_sd, position)
    assert model.log_posterior(at) == pytest.approx(reference.log_posterior(*task, prior_sd, position), rel=1e-13)
    assert model.log_likelihood(at) == pytest.approx(reference.log_posterior(*task, math.inf, position), rel=1e-13)
    slopes = model.slopes(at)
    np.testing.assert_allclose(slopes.gradient, gradient, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(information(model, slopes), expected, rtol=1e-8, atol=1e-9)
    # Without the prior, the squares are the sum over single votes of the outer product of each one's gradient.
    squares = model.sums.squares(model.likelihood, at)
    np.testing.assert_allclose(information(model, squares), outer, rtol=1e-10, atol=1e-10)


def with_design(sample: Sample, ties: str, position: bool, prior_sd: float) -> tuple[Model, Floats]:
    """The model of single votes with two covariates, and the covariates in the order of the votes."""
    covariates = np.random.default_rng(17).normal(size=(len(sample.rows), 2))
    votes = sample.votes()
    return model_from(VoteRows.of(votes, covariates).sums(votes.items), ties, prior_sd, position), covariates


def set_effects(at: Floats, position: bool, *coefficients: float) -> None:
    at[-len(coefficients) :] = coefficients
    if position:
        at[-len(coefficients) - 1] = 0.3


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_with_covariates_they_are_the_derivatives_too(ties, position, prior_sd, weighted, size) -> None:
    model, _ = with_design(drawn(1, weighted=weighted), ties, position, prior_sd)
    at = point(model, size, seed=2)
    set_effects(at, position, 0.6, -0.9)
    slopes = model.slopes(at)
    scale = max(1.0, size)
    np.testing.assert_allclose(slopes.gradient, derivative(model.log_posterior, at), rtol=1e-8, atol=1e-8 * scale)
    expected = -derivative(lambda parameters: model.slopes(parameters).gradient, at)
    np.testing.assert_allclose(information(model, slopes), expected, rtol=1e-8, atol=1e-9 * scale)
    np.testing.assert_allclose(slopes.diagonal, np.diag(expected)[: model.counts.n_items], rtol=1e-8, atol=1e-9 * scale)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_with_covariates_everything_equals_the_reference(ties, position, prior_sd, size) -> None:
    sample = drawn(3, weighted=True, n_votes=20)
    model, covariates = with_design(sample, ties, position, prior_sd)
    at = point(model, size, seed=4)
    set_effects(at, position, -0.4, 0.7)
    votes = reference.vote_by_vote(at, sample.rows, covariates, sample.n_items, ties, position)
    shape = (len(at), sample.rows, covariates, sample.n_items)
    precision, centres = reference.priors_with_covariates(*shape, ties, prior_sd, position)
    assert model.log_likelihood(at) == pytest.approx(votes.values.sum(), rel=1e-13)
    slopes = model.slopes(at)
    np.testing.assert_allclose(
        slopes.gradient, votes.gradients.sum(axis=0) - precision @ (at - centres), rtol=1e-10, atol=1e-10
    )
    expected = votes.informations.sum(axis=0) + precision
    np.testing.assert_allclose(information(model, slopes), expected, rtol=1e-8, atol=1e-9)
    outer = np.einsum("vi,vj->ij", votes.gradients / votes.weights[:, None], votes.gradients)
    squares = model.sums.squares(model.likelihood, at)
    np.testing.assert_allclose(information(model, squares), outer, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("ties", TIES)
def test_effects_are_those_of_side_and_covariates(ties) -> None:
    for position in (False, True):
        sample = drawn(18)
        model, covariates = with_design(sample, ties, position, 3.0)
        at = point(model, 1.0, seed=19)
        set_effects(at, position, 2.0, -1.0)
        side = 0.3 if position else 0.0
        order = np.argsort([left for left, *_ in sample.rows], kind="stable")
        np.testing.assert_allclose(model.sums.effects(model.likelihood, at), (covariates @ [2.0, -1.0])[order] + side)
        assert at[model.layout.coefficients].tolist() == [2.0, -1.0]
        assert model.allows(at)
        at[-2:] = 1e3, 0.0
        assert not model.allows(at)


@given(samples(min_items=2, min_votes=1), st.sampled_from(TIES), st.booleans())
def test_squares_have_the_priors_precision(sample, ties, position) -> None:
    model = model_of(sample, ties, position, 0.5)
    at = point(model, 1.0, seed=0)
    squares, votes_alone = model.squares(at), model.sums.squares(model.likelihood, at)
    assert squares.ridge == 4.0
    weak = (reference.unit_of(ties) / 3) ** 2 * np.eye(model.layout.n_beside)
    np.testing.assert_allclose(squares.corner - votes_alone.corner, weak, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ties", outcome_models.WITH_TIES)
@pytest.mark.parametrize("size", SIZES)
def test_without_ties_it_is_bradley_terry_to_the_bit(ties, size) -> None:
    """Or Thurstone's case V; by another path nearly so."""
    sample = drawn(5)
    decided = Sample([row for row in sample.rows if row[2] != 1], sample.n_items, False)
    rtol = 1e-12 if ties == "cumulative" else 0.0
    for position in (False, True):
        drop = ties.replace(outcome_models.ties_of(ties), "drop")
        ours, plain = (model_of(decided, t, position, 3.0) for t in (ties, drop))
        assert not ours.layout.n_nuisance
        at = point(plain, size, seed=6)
        assert ours.log_posterior(at) == pytest.approx(plain.log_posterior(at), rel=rtol, abs=0.0)
        for name, value in vars(plain.slopes(at)).items():
            np.testing.assert_allclose(getattr(ours.slopes(at), name), value, rtol=rtol, err_msg=name)
        np.testing.assert_array_equal(ours.start(), plain.start())


OF_TWO_PATHS = [
    model for model in MODELS if hasattr(outcome_model(*outcome_models.options(model[0]).values()), "largest_score")
]


@pytest.mark.parametrize(("ties", "position", "prior_sd"), OF_TWO_PATHS)
def test_far_apart_scores_take_another_path_to_the_same_slopes(ties, position, prior_sd) -> None:
    model = model_of(drawn(7, weighted=True), ties, position, prior_sd)
    at = point(model, 20.0, seed=8)
    near = model.slopes(at)
    outcome = replace(model.outcome, largest_score=0.0)
    far = replace(model, likelihood=Likelihood(outcome, model.layout)).slopes(at)
    for name, value in vars(near).items():
        np.testing.assert_allclose(getattr(far, name), value, rtol=1e-11, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("size", [299.9, 300.1, 1e3, 1e6])
@pytest.mark.parametrize(("ties", "position", "prior_sd"), MODELS)
def test_nothing_overflows(ties, position, prior_sd, size) -> None:
    model = model_of(drawn(9, weighted=True), ties, position, prior_sd)
    at = point(model, size, seed=10)
    for beside in (0.0, 99.0):
        at[model.counts.n_items :] += beside
        assert model.allows(at)
        assert math.isfinite(model.log_posterior(at))
        for name, value in vars(model.slopes(at)).items():
            assert np.isfinite(value).all(), name
        assert (model.slopes(at).weights >= 0).all()
        at[model.counts.n_items :] = np.minimum(at[model.counts.n_items :], 1.0)


def test_parameters_outside_the_model_are_not_allowed() -> None:
    davidson, rao_kupper = (model_of(drawn(11), ties, True, 3.0) for ties in ("davidson", "rao-kupper"))
    inside = np.array([0.0] * 5 + [0.5, -0.5])
    assert davidson.allows(inside)
    assert rao_kupper.allows(inside)
    for place, value in ((5, 1e3), (6, 1e3), (6, -1e3), (5, math.nan), (6, math.nan)):
        outside = inside.copy()
        outside[place] = value
        assert not davidson.allows(outside)
        assert not rao_kupper.allows(outside)
    for threshold in (0.0, -0.1):
        outside = inside.copy()
        outside[5] = threshold
        assert not rao_kupper.allows(outside)
        assert davidson.allows(outside)


@pytest.mark.parametrize("ties", outcome_models.WITH_TIES)
def test_start_has_the_tie_parameter_that_suits_equal_scores(ties) -> None:
    model = model_of(drawn(12, weighted=True), ties, False, math.inf)
    start = model.start()
    n_items = model.counts.n_items
    assert (start[:n_items] == 0).all()
    assert model.slopes(start).gradient[n_items] == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("ties", TIES)
def test_well_mixed_start_is_near_where_the_fit_ends(ties) -> None:
    """Opponents that scatter are allowed for: the plain log-odds of votes won are a quarter too small here."""
    rng = np.random.default_rng(16)
    strengths = rng.normal(0.0, 1.5, 300)
    left, right = rng.integers(300, size=(2, 200_000))
    kept = left != right
    left, right = left[kept], right[kept]
    right_wins, tie, _ = outcome_probabilities(strengths[left] - strengths[right], 0.4, "davidson").T
    drawn = rng.random(len(left))
    outcome = (drawn > right_wins).astype(np.int64) + (drawn > right_wins + tie)
    counts = pv.Votes.from_codes(left, right, outcome, n_items=300).counts().folded()
    model = model_from(counts, ties, 3.0, False)
    start, end = well_mixed_start(model), maximise(model, model.start(), 1e-9, 100).parameters
    assert abs(start[:300].mean()) < 1e-12
    assert np.sqrt(np.mean((start - end) ** 2)) < 0.06 * np.std(end[:300])
    if model.layout.n_nuisance:
        assert start[300] == pytest.approx(end[300], abs=0.05)


@pytest.mark.parametrize("ties", TIES)
def test_well_mixed_start_is_finite_for_any_votes(ties) -> None:
    for votes in ([(0, 1, 2, 1.0)], [(0, 1, 1, 1.0), (1, 2, 0, 1e9)], [(0, 1, 2, 1e-9), (0, 1, 1, 1e-9)]):
        left, right, outcome, weight = zip(*votes, strict=True)
        counts = pv.Votes.from_codes(left, right, outcome, n_items=4, weight=weight).counts()
        assert np.isfinite(well_mixed_start(model_from(counts, ties, 3.0, False))).all()


def test_self_concordance_bounds_the_third_derivative() -> None:
    """|f'''| <= R f'' along any line, R the largest change of d and eta: what the full steps of the solver rest on."""
    rng = np.random.default_rng(14)
    for ties, position in itertools.product(("davidson", "half", "drop"), (False, True)):
        model = model_of(drawn(15, n_votes=8), ties, position, math.inf)
        n_items = model.counts.n_items
        for _ in range(20):
            at, along = point(model, 4.0, int(rng.integers(10**6))), rng.normal(size=model.layout.size)
            reach = np.ptp(along[:n_items]) + np.abs(along[n_items:]).sum()

            def bend(t: float, model=model, at=at, along=along) -> float:
                return float(along @ information(model, model.slopes(at + t * along)) @ along)

            step = 1e-4
            third = (bend(step) - bend(-step)) / (2 * step)
            assert abs(third) <= reach * bend(0.0) * (1 + 1e-6)
            # So a step of reach r multiplies the curvature by no more than e^r.
            assert bend(1.0) <= math.exp(reach) * bend(0.0) * (1 + 1e-9)
            assert bend(1.0) >= math.exp(-reach) * bend(0.0) * (1 - 1e-9)


def test_rao_kuppers_log_likelihood_is_not_self_concordant_in_that_sense() -> None:
    assert model_of(drawn(16), "davidson", False, 3.0).outcome.self_concordant
    assert not model_of(drawn(16), "rao-kupper", False, 3.0).outcome.self_concordant


# --- probabilities ---

LOG_ODDS = st.floats(-800, 800)


@given(LOG_ODDS, st.floats(0, 50), st.sampled_from(TIES))
def test_outcome_probabilities_sum_to_one_and_mirror(log_odds, parameter, ties) -> None:
    tie_parameter = {"davidson": parameter, "rao-kupper": 1 + parameter, "cumulative": 1 + parameter}.get(ties, 0.0)
    if ties in ("probit glenn-david", "probit cumulative"):
        tie_parameter = parameter
    known = outcome_models.options(ties)
    here, there = (outcome_probabilities(np.array(d), tie_parameter, **known).tolist() for d in (log_odds, -log_odds))
    assert sum(here) == pytest.approx(1.0, abs=2e-15)
    assert min(here) >= 0.0
    assert here == pytest.approx(there[::-1], rel=1e-15)


@given(st.floats(-30, 30), st.floats(0.01, 20), st.sampled_from(outcome_models.WITH_TIES))
def test_outcome_probabilities_equal_the_reference(log_odds, parameter, ties) -> None:
    tie = math.log(parameter) if ties == "davidson" else math.log1p(parameter)
    expected = [math.exp(reference.log_probability(outcome, ties, log_odds, tie).real) for outcome in (0, 1, 2)]
    public = reference.public_tie(ties, tie)
    ours = outcome_probabilities(np.array([log_odds]), public, **outcome_models.options(ties))[0]
    # Of a probit far out the logarithm has a thousand as its size.
    np.testing.assert_allclose(ours, expected, rtol=3e-12)


def test_outcome_probabilities_keep_the_shape() -> None:
    gaps = np.zeros((2, 3, 4))
    for ties in TIES:
        assert outcome_probabilities(gaps, 1.0, **outcome_models.options(ties)).shape == (2, 3, 4, 3)


# --- the laws of the likelihood ---


@given(samples(min_items=2, min_votes=1), st.sampled_from(TIES), st.integers(0, 10**6))
def test_swapping_sides_negates_the_position_effect(sample, ties, seed) -> None:
    model = model_of(sample, ties, True, 3.0)
    swapped = Sample([(j, i, 2 - o if o < 3 else o, w) for i, j, o, w in sample.rows], sample.n_items, sample.weighted)
    mirrored = model_of(swapped, ties, True, 3.0)
    at = point(model, 2.0, seed)
    flipped = at.copy()
    flipped[-1] *= -1
    assert mirrored.log_posterior(flipped) == pytest.approx(model.log_posterior(at), rel=1e-12, abs=1e-12)
    gradient = mirrored.slopes(flipped).gradient
    gradient[-1] *= -1
    np.testing.assert_allclose(gradient, model.slopes(at).gradient, rtol=1e-10, atol=1e-11)


@given(samples(min_items=2, min_votes=1), st.sampled_from(TIES), st.booleans(), st.integers(0, 10**6))
def test_shifting_all_scores_changes_no_likelihood(sample, ties, position, seed) -> None:
    model = model_of(sample, ties, position, math.inf)
    at = point(model, 2.0, seed)
    shifted = at.copy()
    shifted[: sample.n_items] += 1.5
    assert model.log_likelihood(shifted) == pytest.approx(model.log_likelihood(at), rel=1e-12, abs=1e-12)
    assert model.slopes(at).gradient[: sample.n_items].sum() == pytest.approx(0.0, abs=1e-10)


def test_weights_that_rounding_would_hide_make_all_votes_ties() -> None:
    weight = np.random.default_rng(0).random(50)
    sample = Sample([(k % 5, (k + 1 + k % 3) % 5, 1, w) for k, w in enumerate(weight.tolist())], 5, True)
    model = model_of(sample, "davidson", False, 3.0)
    assert model.n_decided == 0.0
    assert model.n_ties == pytest.approx(weight.sum())


def test_model_counts_what_it_has_to_explain() -> None:
    sample = Sample([(0, 1, 2, 2.0), (1, 0, 1, 0.5), (0, 1, 0, 1.0), (0, 1, 3, 9.0)], 2, True)
    kept, dropped = (model_of(sample, ties, False, 3.0) for ties in ("half", "drop"))
    assert (kept.n_decided, kept.n_ties, kept.outcome.tie_weight) == (3.0, 0.5, 1.0)
    assert (dropped.n_decided, dropped.n_ties, dropped.outcome.tie_weight) == (3.0, 0.0, 0.0)
    assert pv.bradley_terry(sample.votes(), ties="drop").fit.log_likelihood == pytest.approx(
        pv.bradley_terry(sample.votes().where(np.array([True, False, True, True])), ties="davidson").fit.log_likelihood
    )
