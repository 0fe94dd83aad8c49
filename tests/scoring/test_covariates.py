"""Bradley-Terry with covariates of each vote, held against reference.py and the laws of a vote."""

from __future__ import annotations

import itertools
import math
import pickle
import re
from typing import Any, NamedTuple

import limited
import numpy as np
import outcome_models
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import OUTCOME_MODELS, Limits, solver

Floats = NDArray[np.float64]
TIES = tuple(OUTCOME_MODELS)
COMPILED = _kernels.davidson.COMPILED
RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
FEW = settings(max_examples=20 if COMPILED else 8)
OPTIONS = st.fixed_dictionaries(
    {"ties": st.sampled_from(TIES), "position": st.booleans(), "prior_sd": st.sampled_from([0.5, 3.0, math.inf])}
)
SEEDS = st.integers(0, 10**6)


class Table(NamedTuple):
    """Votes as columns, and a row of covariates for each."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    outcome: NDArray[np.int64]
    weight: Floats
    covariates: Floats
    n_items: int

    def votes(self, **options: Any) -> pv.Votes:
        return pv.Votes.from_codes(
            self.left, self.right, self.outcome, n_items=self.n_items, weight=self.weight, **options
        )

    @property
    def rows(self) -> list[reference.Row]:
        columns = (self.left, self.right, self.outcome, self.weight)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def take(self, order: NDArray[np.int64]) -> Table:
        return Table(*(column[order] for column in self[:5]), self.n_items)


def simulated(
    seed: int,
    *,
    n_items: int = 6,
    n_votes: int = 110,
    coefficients: tuple[float, ...] = (0.8, -0.5),
    ties: float = 0.2,
    weighted: bool = False,
) -> Table:
    """Votes by strengths of spread 0.7 that covariates sway, one normal and the next 0 or 1; a tenth skipped."""
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    kinds = [rng.normal(size=n_votes), rng.integers(2, size=n_votes).astype(float), rng.gamma(2.0, size=n_votes)]
    covariates = np.column_stack(kinds[: len(coefficients)])
    strength = 0.7 * rng.normal(size=n_items)
    log_odds = strength[left] - strength[right] + covariates @ np.array(coefficients)
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(-log_odds)), LEFT, RIGHT)
    outcome[rng.random(n_votes) < ties] = TIE
    outcome[rng.random(n_votes) < 0.1] = SKIP
    weight = rng.integers(0, 4, size=n_votes) / 2 if weighted else np.ones(n_votes)
    return Table(left, right, outcome, weight, covariates, n_items)


def fitted(table: Table, **options: Any) -> pv.Ranking:
    return pv.bradley_terry(table.votes(), covariates=table.covariates, **options)


def numbers_of(ranking: pv.Ranking) -> Floats:
    fit = ranking.fit
    return np.array([fit.tie_parameter, fit.position_effect, fit.log_likelihood])


def assert_same_fit(ours: pv.Ranking, theirs: pv.Ranking, tolerance: float = 1e-8) -> None:
    np.testing.assert_allclose(ours.scores, theirs.scores, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours.fit.coefficients, theirs.fit.coefficients, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(numbers_of(ours), numbers_of(theirs), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(further_errors(ours), further_errors(theirs), rtol=1e-6, atol=1e-8)


def further_errors(ranking: pv.Ranking) -> Floats:
    fit = ranking.fit
    return np.array([fit.tie_standard_error, fit.position_standard_error, *fit.coefficient_standard_errors])


# --- against the reference ---


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("prior_sd", [0.7, 3.0, math.inf])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_equals_the_reference(ties, position, prior_sd, seed) -> None:
    table = simulated(seed, weighted=seed % 2 == 1)
    options = {"ties": ties, "position": position, "prior_sd": prior_sd}
    expected = reference.bradley_terry_with_covariates(table.rows, table.covariates, 6, **options)
    covariances = {"model": expected["inverse"], "sandwich": reference.covariance_between(expected, None)}
    has_ties = ties in outcome_models.WITH_TIES
    for kind, covariance in covariances.items():
        ranking = fitted(table, uncertainty=kind, **options)
        fit = ranking.fit
        np.testing.assert_allclose(ranking.scores, expected["scores"], rtol=0, atol=1e-8)
        np.testing.assert_allclose(fit.coefficients, expected["coefficients"], rtol=0, atol=1e-8)
        assert fit.position_effect == pytest.approx(expected["position"], abs=1e-8)
        assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-8)
        if has_ties:
            assert fit.tie_parameter == pytest.approx(expected["tie"], abs=1e-8)
        if ties == "half" and kind == "model":
            assert fit.uncertainty == "sandwich"
            continue
        assert fit.uncertainty == kind
        np.testing.assert_allclose(ranking.covariance, reference.centred(covariance, 6), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(ranking.standard_errors**2, np.diag(ranking.covariance), rtol=1e-9)
        contrast = np.zeros(len(covariance))
        contrast[[0, 4]] = 1, -1
        assert ranking.difference(0, 4).standard_error ** 2 == pytest.approx(contrast @ covariance @ contrast, rel=1e-6)
        errors = np.sqrt(np.diag(covariance)[6:])
        # That of the tie parameter itself, of which the fit takes the logarithm.
        expected_errors = [errors[0] * expected["tie"] if has_ties else 0.0]
        expected_errors += [errors[int(has_ties)] if position else 0.0, *errors[-2:]]
        np.testing.assert_allclose(further_errors(ranking), expected_errors, rtol=1e-6)


@pytest.mark.slow
def test_the_reference_without_covariates_is_the_one_without_covariates() -> None:
    table = simulated(3, weighted=True)
    for ties, position, prior_sd in itertools.product(TIES, (False, True), (2.0, math.inf)):
        options = {"ties": ties, "position": position, "prior_sd": prior_sd}
        ours = reference.bradley_terry_with_covariates(table.rows, np.empty((110, 0)), 6, **options)
        theirs = reference.bradley_terry(table.rows, 6, **options)
        np.testing.assert_allclose(ours["scores"], theirs["scores"], atol=1e-9)
        np.testing.assert_allclose(reference.centred(ours["inverse"], 6), theirs["covariance"], atol=1e-9)
        sandwich = reference.centred(reference.covariance_between(ours, None), 6)
        np.testing.assert_allclose(sandwich, theirs["sandwich_covariance"], atol=1e-9)


@pytest.mark.parametrize("ties", TIES)
def test_two_items_and_a_group_have_their_closed_form(ties) -> None:
    """Two items asked about in two situations: logit(p) in the one, and in the other more by the coefficient."""
    votes = pv.Votes.from_codes([0] * 4, [1] * 4, [LEFT, RIGHT, LEFT, RIGHT], weight=[8.0, 2.0, 6.0, 9.0])
    ranking = pv.bradley_terry(votes, covariates=[0, 0, 1, 1], ties=ties, prior_sd=math.inf)
    assert ranking.difference(0, 1).estimate == pytest.approx(math.log(8 / 2), rel=1e-10)
    assert ranking.difference(0, 1).standard_error == pytest.approx(math.sqrt(1 / 8 + 1 / 2), rel=1e-8)
    assert ranking.fit.coefficients.tolist() == [pytest.approx(math.log(6 / 9) - math.log(8 / 2), rel=1e-10)]
    expected = math.sqrt(1 / 8 + 1 / 2 + 1 / 6 + 1 / 9)
    assert ranking.fit.coefficient_standard_errors.tolist() == [pytest.approx(expected, rel=1e-8)]


@pytest.mark.parametrize("position", [False, True])
def test_covariates_go_with_the_votes_on_their_criterion(position) -> None:
    table = simulated(4, n_votes=300)
    asked = np.random.default_rng(5).choice(["useful", "new", "cheap"], size=300)
    votes = table.votes(criterion=asked)
    for criterion in ("new", "useful", "cheap"):
        ranking = pv.bradley_terry(votes, covariates=table.covariates, criterion=criterion, position=position)
        assert_same_fit(ranking, fitted(table.take(np.flatnonzero(asked == criterion)), position=position), 0.0)
    alone = table.votes(criterion=["new"] * 300)
    for options in ({}, {"criterion": "new"}):
        ranking = pv.bradley_terry(alone, covariates=table.covariates, position=position, **options)
        assert_same_fit(ranking, fitted(table, position=position), 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ties", "position", "prior_sd", "n_items"),
    [("davidson", True, math.inf, 512), ("rao-kupper", False, 3.0, 512), ("davidson", False, 3.0, 1024)],
)
def test_conjugate_gradients_equal_the_dense_answer(ties, position, prior_sd, n_items, monkeypatch) -> None:
    table = simulated(6, n_items=n_items, n_votes=(40 if COMPILED else 25) * n_items)
    options = {"ties": ties, "position": position, "prior_sd": prior_sd, "uncertainty": "sandwich"}
    ours = fitted(table, **options)
    solved = []
    original = solver.Dense.solve

    def counting(self, *arguments):
        solved.append(self)
        return original(self, *arguments)

    monkeypatch.setattr(solver.Dense, "solve", counting)
    limits = Limits(dense_items=n_items)
    dense = limited.bradley_terry(table.votes(), limits, covariates=table.covariates, **options)
    assert solved
    np.testing.assert_allclose(ours.scores, dense.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.fit.coefficients, dense.fit.coefficients, rtol=0, atol=1e-8)
    np.testing.assert_allclose(numbers_of(ours), numbers_of(dense), rtol=1e-10, atol=1e-8)
    np.testing.assert_allclose(further_errors(ours), further_errors(dense), rtol=1e-6)
    assert ours.difference(3, 5).standard_error == pytest.approx(dense.difference(3, 5).standard_error, rel=1e-6)


def test_intervals_of_coefficients_cover() -> None:
    """95% of 400 workshops, to three standard errors of such a share, and the errors are as large as the scatter."""
    truth, n_runs = np.array([0.8, -0.5]), 400 if COMPILED else 60
    estimates, errors = [], []
    for seed in range(n_runs):
        table = simulated(1000 + seed, n_items=10, n_votes=400, ties=0.0)
        fit = fitted(table, prior_sd=3.0).fit
        estimates.append(fit.coefficients)
        errors.append(fit.coefficient_standard_errors)
    off = (np.array(estimates) - truth) / np.array(errors)
    covered = (np.abs(off) <= 1.959964).mean(axis=0)
    print(f"covered: {covered}; mean {off.mean(axis=0)}; scatter {off.std(axis=0)}")
    np.testing.assert_allclose(covered, 0.95, atol=3 * math.sqrt(0.95 * 0.05 / n_runs))
    np.testing.assert_allclose(off.std(axis=0), 1.0, atol=3 / math.sqrt(2 * n_runs))
    # Coefficients have no prior, and are about 3% too large with so few votes.
    np.testing.assert_allclose(off.mean(axis=0), 0.0, atol=0.2 + 3 / math.sqrt(n_runs))


# --- laws ---


@given(SEEDS, OPTIONS, st.tuples(*[st.sampled_from([1e-200, 1e-6, 0.5, -3.0, 1e6, 1e200])] * 2))
@FEW
def test_other_units_change_coefficients_inversely_and_nothing_else(seed, options, units) -> None:
    table = simulated(seed)
    ranking, other = fitted(table, **options), fitted(table._replace(covariates=table.covariates * units), **options)
    np.testing.assert_allclose(other.scores, ranking.scores, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.covariance, ranking.covariance, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(numbers_of(other), numbers_of(ranking), rtol=1e-9)
    np.testing.assert_allclose(other.fit.coefficients * units, ranking.fit.coefficients, rtol=1e-8, atol=1e-9)
    errors = other.fit.coefficient_standard_errors * np.abs(units)
    np.testing.assert_allclose(errors, ranking.fit.coefficient_standard_errors, rtol=1e-7)


@given(SEEDS, OPTIONS)
@FEW
def test_sums_of_covariates_are_as_good_as_the_covariates(seed, options) -> None:
    table = simulated(seed)
    mixed = np.array([[1.0, 0.4], [-0.7, 2.0]])
    ranking, other = fitted(table, **options), fitted(table._replace(covariates=table.covariates @ mixed), **options)
    np.testing.assert_allclose(other.scores, ranking.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(other.covariance, ranking.covariance, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(mixed @ other.fit.coefficients, ranking.fit.coefficients, rtol=1e-7, atol=1e-8)


@given(SEEDS, OPTIONS)
@FEW
def test_a_constant_in_a_covariate_is_the_position_effects(seed, options) -> None:
    options = {**options, "position": True}
    table = simulated(seed)
    ranking, other = (
        fitted(table, **options),
        fitted(table._replace(covariates=table.covariates + np.array([2.0, 0.0])), **options),
    )
    np.testing.assert_allclose(other.scores, ranking.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(other.fit.coefficients, ranking.fit.coefficients, rtol=1e-7, atol=1e-8)
    moved = ranking.fit.position_effect - 2.0 * ranking.fit.coefficients[0]
    assert other.fit.position_effect == pytest.approx(moved, abs=1e-7)


@given(SEEDS, OPTIONS)
@FEW
def test_the_side_shown_first_as_a_covariate_is_the_position_effect(seed, options) -> None:
    """The same votes written down with sides swapped now and then, and a covariate of 1 or -1 that says so."""
    options = {**options, "position": False}
    table = simulated(seed)
    swapped = np.random.default_rng(seed).random(len(table.left)) < 0.5
    sign = np.where(swapped, -1.0, 1.0)
    decided = table.outcome != SKIP
    there = Table(
        np.where(swapped, table.right, table.left),
        np.where(swapped, table.left, table.right),
        np.where(swapped & decided, 2 - table.outcome, table.outcome),
        table.weight,
        np.column_stack([table.covariates * sign[:, None], sign]),
        table.n_items,
    )
    sided, covered = fitted(table, **{**options, "position": True}), fitted(there, **options)
    np.testing.assert_allclose(covered.scores, sided.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(covered.covariance, sided.covariance, rtol=1e-6, atol=1e-9)
    expected = [*sided.fit.coefficients, sided.fit.position_effect]
    np.testing.assert_allclose(covered.fit.coefficients, expected, rtol=1e-7, atol=1e-8)
    expected_errors = [*sided.fit.coefficient_standard_errors, sided.fit.position_standard_error]
    np.testing.assert_allclose(covered.fit.coefficient_standard_errors, expected_errors, rtol=1e-6)


@given(SEEDS, OPTIONS)
@FEW
def test_swapping_sides_with_negated_covariates_negates_the_position_effect_alone(seed, options) -> None:
    table = simulated(seed)
    outcome = np.where(table.outcome == SKIP, SKIP, 2 - table.outcome)
    mirrored = Table(table.right, table.left, outcome, table.weight, -table.covariates, table.n_items)
    ranking, other = fitted(table, **options), fitted(mirrored, **options)
    assert other.fit.position_effect == pytest.approx(-ranking.fit.position_effect, abs=1e-8)
    np.testing.assert_allclose(other.scores, ranking.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(other.fit.coefficients, ranking.fit.coefficients, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(other.covariance, ranking.covariance, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(further_errors(other), further_errors(ranking), rtol=1e-6)
    np.testing.assert_allclose(numbers_of(other)[[0, 2]], numbers_of(ranking)[[0, 2]], rtol=1e-9)


@given(SEEDS, OPTIONS, st.sampled_from([0.0, 1e-9, 7.0, -1e6]))
@FEW
def test_votes_of_no_weight_and_skips_change_nothing(seed, options, value) -> None:
    table = simulated(seed)
    idle = simulated(seed + 1, n_votes=20)
    weight = np.where(np.arange(20) < 10, 0.0, 1.0)
    outcome = np.where(np.arange(20) < 10, idle.outcome, SKIP)
    more = idle._replace(weight=weight, outcome=outcome, covariates=np.full((20, 2), value))
    padded = Table(*(np.concatenate(columns) for columns in zip(more[:5], table[:5], strict=True)), table.n_items)
    assert_same_fit(fitted(padded, **options), fitted(table, **options), 0.0)


@given(SEEDS, OPTIONS, st.sampled_from(["model", "sandwich"]))
@FEW
def test_a_vote_cast_twice_equals_weight_two(seed, options, uncertainty) -> None:
    table = simulated(seed)
    times = np.random.default_rng(seed).integers(1, 3, size=len(table.left))
    twice, heavy = table.take(np.repeat(np.arange(len(times)), times)), table._replace(weight=times.astype(float))
    options = {**options, "uncertainty": uncertainty}
    assert_same_fit(fitted(twice, **options), fitted(heavy, **options))


@given(SEEDS, OPTIONS)
@FEW
def test_the_order_of_votes_and_of_labels_is_irrelevant(seed, options) -> None:
    table = simulated(seed)
    ranking = fitted(table, **options)
    rng = np.random.default_rng(seed)
    shuffled = table.take(rng.permutation(len(table.left)))
    assert_same_fit(fitted(shuffled, **options), ranking)
    places = rng.permutation(6)
    again = fitted(table._replace(left=places[table.left], right=places[table.right]), **options)
    np.testing.assert_allclose(again.scores[places], ranking.scores, rtol=0, atol=1e-8)
    np.testing.assert_allclose(again.fit.coefficients, ranking.fit.coefficients, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(again.covariance[np.ix_(places, places)], ranking.covariance, rtol=1e-6, atol=1e-9)


@given(SEEDS, OPTIONS)
@FEW
def test_chances_are_those_at_covariates_of_zero(seed, options) -> None:
    table = simulated(seed, ties=0.0)
    ranking = fitted(table, **options)
    lead = ranking.scores[1] - ranking.scores[4] + ranking.fit.position_effect
    assert ranking.outcome_probabilities(1, 4).left == pytest.approx(1 / (1 + math.exp(-lead)), rel=1e-12)


# --- what a fit says of itself ---


def test_a_fit_without_covariates_has_no_coefficients() -> None:
    table = simulated(7)
    fit = pv.bradley_terry(table.votes()).fit
    assert fit.coefficients.shape == fit.coefficient_standard_errors.shape == (0,)
    assert fit.position_standard_error == 0.0
    assert fit.tie_standard_error > 0.0
    assert pv.bradley_terry(table.votes(), ties="drop").fit.tie_standard_error == 0.0


def test_what_a_fit_hands_out_is_read_only_and_keeps_when_copied() -> None:
    ranking = fitted(simulated(8), position=True)
    for array in (ranking.fit.coefficients, ranking.fit.coefficient_standard_errors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    again = pickle.loads(pickle.dumps(ranking))
    np.testing.assert_array_equal(again.fit.coefficients, ranking.fit.coefficients)
    np.testing.assert_array_equal(further_errors(again), further_errors(ranking))
    with pytest.raises(ValueError, match="read-only"):
        again.fit.coefficients[0] = 1.0


def test_parameters_have_no_errors_where_the_scores_have_none() -> None:
    table = simulated(9)
    fits = [fitted(table, uncertainty="none", position=True).fit]
    fits.append(pv.bootstrap(table.votes(), position=True, n_resamples=2, rng=0).fit)
    for fit in fits:
        for name in ("tie_standard_error", "position_standard_error"):
            with pytest.raises(
                pv.MissingUncertaintyError, match=f"uncertainty '{fit.uncertainty}' has no standard err"
            ):
                getattr(fit, name)
    with pytest.raises(pv.MissingUncertaintyError):
        fits[0].coefficient_standard_errors  # noqa: B018


def test_published_standard_error_of_the_home_effect() -> None:
    # Agresti (2002), "Categorical Data Analysis", section 10.6, and R's BradleyTerry2: at.home 0.3023 (0.1309).
    fit = pv.bradley_terry(pv.datasets.baseball(), prior_sd=math.inf, position=True).fit
    assert round(fit.position_effect, 4) == 0.3023
    assert round(fit.position_standard_error, 4) == 0.1309
    assert fit.approximation_error == 0.0


# --- start ---


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("position", [False, True])
def test_start_changes_the_way_but_not_the_answer(ties, position) -> None:
    table = simulated(10)
    options = {"ties": ties, "position": position, "prior_sd": 3.0}
    cold = fitted(table, **options)
    assert fitted(table, start=cold, **options).fit.n_iter == 0
    others = [
        fitted(table, ties="half", position=True, prior_sd=3.0),
        pv.bradley_terry(table.votes(), **options),
        pv.bradley_terry(table.votes(), covariates=table.covariates[:, 1], **options),
        pv.bradley_terry(table.votes(), covariates=table.covariates[:, ::-1], **options),
        # The same in other units, by which the coefficients would be far out.
        *(fitted(table._replace(covariates=table.covariates * unit), **options) for unit in (1e-3, 1e-6, 1e6)),
    ]
    for start in (*others, cold.scores, np.arange(6.0)):
        assert_same_fit(fitted(table, start=start, **options), cold)
        assert_same_fit(pv.bradley_terry(table.votes(), start=cold, **options), others[1])


# --- what the votes do not determine ---

SOME = simulated(11)
PRIORS = [3.0, math.inf]


def refusal(covariates: Any, table: Table = SOME, **options: Any) -> str:
    with pytest.raises(pv.NotIdentifiedError) as caught:
        pv.bradley_terry(table.votes(), covariates=covariates, **options)
    return str(caught.value)


@pytest.mark.parametrize("prior_sd", PRIORS)
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 1e300, 1e-300])
def test_constant_covariates_are_named(value, position, prior_sd) -> None:
    normal = SOME.covariates[:, 0]
    for column, covariates in enumerate(([np.full(110, value), normal], [normal, np.full(110, value)])):
        message = refusal(np.column_stack(covariates), position=position, prior_sd=prior_sd)
        assert f"covariate {column} is {value:g} in every answered vote, so it has no coefficient of its own" in message
        assert "leave it out, and for what standing on the left adds pass position=True" in message


def test_what_a_covariate_is_in_votes_that_do_not_count_is_no_matter() -> None:
    idle = (SOME.outcome == SKIP) | (np.arange(110) < 20)
    table = SOME._replace(weight=np.where(np.arange(110) < 20, 0.0, 1.0))
    assert "covariate 0 is 3 in every answered vote" in refusal(np.where(idle, SOME.covariates[:, 0], 3.0), table)


@pytest.mark.parametrize("prior_sd", PRIORS)
def test_dependent_covariates_are_named(prior_sd) -> None:
    one, other = SOME.covariates.T
    group = np.arange(110) % 3
    sizes = np.array([1.0, 1e6, 1e-6])
    threefold = refusal(np.column_stack([one, other, one - 2 * other]) * sizes, prior_sd=prior_sd)
    assert "covariates 0, 1, 2 follow from each other" in threefold
    assert "leave one out" in threefold
    repeated = refusal(np.column_stack([one, other, -3 * one]), prior_sd=prior_sd)
    assert "covariates 0, 2 follow from each other (they are linearly dependent" in repeated
    # Each vote belongs to one of three groups: with a position effect, one indicator too many.
    indicators = np.column_stack([one, *(group == label for label in range(3))]).astype(float)
    assert fitted(SOME._replace(covariates=indicators), prior_sd=prior_sd).fit.coefficients.shape == (4,)
    message = refusal(indicators, prior_sd=prior_sd, position=True)
    assert "covariates 1, 2, 3 and the position effect follow from each other" in message
    many = np.random.default_rng(0).normal(size=(110, 111))
    assert "follow from each other" in refusal(many, prior_sd=prior_sd)


def test_covariates_that_nearly_depend_are_told_apart() -> None:
    one = SOME.covariates[:, 0]
    near = np.column_stack([one, one + 1e-4 * np.random.default_rng(1).normal(size=110)])
    ranking = fitted(SOME._replace(covariates=near), prior_sd=3.0)
    assert ranking.fit.coefficient_standard_errors.min() > 1e3
    expected = reference.bradley_terry_with_covariates(SOME.rows, near, 6)
    np.testing.assert_allclose(ranking.scores, expected["scores"], atol=1e-6)
    # Years and the like vary little beside their size.
    years = 2014.0 + np.arange(110) / 110
    sided, moved = (
        fitted(SOME._replace(covariates=years[:, None] - first), position=True, prior_sd=3.0) for first in (0.0, 2014.0)
    )
    np.testing.assert_allclose(sided.scores, moved.scores, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_separating_covariates_are_named(ties, position) -> None:
    """Whoever won had the covariate on its side, so the larger the coefficient the better."""
    options = {"ties": ties, "position": position, "prior_sd": math.inf}
    size = np.random.default_rng(12).uniform(0.1, 1.0, size=110)
    sign = SOME.outcome - 1.0
    sign[SOME.outcome == SKIP] = 0.3
    normal = SOME.covariates[:, 0]
    message = refusal(np.column_stack([normal, size * sign]), **options)
    # A prior keeps its coefficient finite, and what there is of it is large.
    bounded = fitted(SOME._replace(covariates=np.column_stack([normal, size * sign])), ties=ties, position=position)
    assert 2.0 < bounded.fit.coefficients[1] < 30.0
    assert np.isfinite([*bounded.standard_errors, *bounded.fit.coefficient_standard_errors]).all()
    # Where there are no ties to go between, other coefficients may grow along with it.
    named = r"the coefficients have no finite estimate: growing without end, those of covariates (0, )?1 make no vote"
    assert re.search(named, message)
    assert "leave such a covariate out, or add votes that go against it" in message
    # Half of the votes, where it is not zero, are enough.
    half = np.where(np.arange(110) % 2 == 0, size * sign, 0.0)
    assert "those of covariates 0 make" in refusal(np.column_stack([half, normal]), **options)
    # Two that separate together, though neither does alone.
    other = np.random.default_rng(13).normal(size=110)
    assert "those of covariates 0, 1 make" in refusal(np.column_stack([size * sign + other, other]), **options)


@pytest.mark.parametrize("ties", TIES)
def test_covariates_that_separate_together_with_what_else_is_free_are_named(ties) -> None:
    """More by a constant, as for a position effect, or by a difference of items, as for scores without a prior."""
    side = np.where(SOME.outcome == SKIP, 0.3, SOME.outcome - 1.0)
    size = np.random.default_rng(14).uniform(0.1, 1.0, size=110)
    length = np.linspace(-3.0, 3.0, 6)
    longer = length[SOME.left] - length[SOME.right]
    for more, options in ((3.0, {"position": True}), (longer, {})):
        message = refusal(size * side + more, ties=ties, prior_sd=math.inf, **options)
        assert "the coefficients have no finite estimate: growing without end, those of covariates 0 make" in message
        determined = fitted(SOME._replace(covariates=(size * side + more)[:, None]), ties=ties)
        assert 0.0 < determined.fit.coefficients[0] < 20.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half"])
def test_ties_go_against_a_covariate_that_decided_votes_go_with(ties, sign) -> None:
    """Where it is as large in ties as where it wins, on either side, it has a coefficient."""
    size = np.random.default_rng(15).uniform(0.1, 1.0, size=110)
    side = np.where(SOME.outcome == TIE, sign, SOME.outcome - 1.0)
    fit = fitted(SOME._replace(covariates=(size * side)[:, None]), ties=ties).fit
    assert 0.0 < fit.coefficients[0] < 20.0
    model = fit._posterior.model
    model.sums.check_coefficients(model.likelihood, model.n_ties, prior=True)


@pytest.mark.parametrize("n_items", [520, 30])
def test_separation_is_seen_in_tables_of_any_size(n_items) -> None:
    table = simulated(15, n_items=n_items, n_votes=15 * n_items, ties=0.0)
    sign = np.where(table.outcome == SKIP, 0.5, table.outcome - 1.0)
    assert "those of covariates 0 make no vote less likely" in refusal(sign, table, prior_sd=math.inf)
    assert 2.0 < fitted(table._replace(covariates=sign[:, None])).fit.coefficients[0] < 20.0


@pytest.mark.parametrize("n_items", [6, 60, 520])
@pytest.mark.parametrize("position", [False, True])
def test_what_items_have_is_no_covariate_without_a_prior(position, n_items) -> None:
    """A difference of what the two items have adds nothing to their scores: only the prior tells them apart."""
    table = simulated(15, n_items=n_items, n_votes=35 * n_items)
    length = np.random.default_rng(16).normal(size=n_items)
    longer = (length[table.left] - length[table.right])[:, None]
    options = {"position": position}
    for covariates, named in (
        (longer, "covariate 0"),
        (np.hstack([table.covariates, 7 * longer]), "covariate 2"),
        (np.hstack([table.covariates[:, :1] + longer, table.covariates[:, :1]]), "covariates 0, 1"),
    ):
        message = refusal(covariates, table, prior_sd=math.inf, **options)
        assert f"the coefficients of {named} are not determined beside the scores" in message
        assert "set a finite prior_sd" in message
    # With noise it is a covariate like others.
    noisy = longer + 0.1 * np.random.default_rng(17).normal(size=longer.shape)
    fitted(table._replace(covariates=noisy), prior_sd=math.inf, **options)
    # A prior decides, and the fit says so.
    options = {"position": position, "prior_sd": 3.0}
    decided = fitted(table._replace(covariates=longer), **options)
    assert decided.fit.prior_share > 0.6
    plain = pv.bradley_terry(table.votes(), **options)
    assert plain.fit.prior_share < 0.2
    fits = [ranking.fit._posterior for ranking in (decided, plain)]
    posteriors = [fit.model.log_posterior(fit.parameters) for fit in fits]
    assert posteriors[0] >= posteriors[1] - 1e-9


# --- what is refused ---


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        (np.zeros(109), "covariates has shape (109,); pass (110, n_covariates), one row for every vote"),
        (np.zeros((111, 2)), "covariates has shape (111, 2); pass (110, n_covariates)"),
        (np.zeros((110, 0)), "covariates has shape (110, 0)"),
        (np.zeros((110, 2, 1)), "covariates has shape (110, 2, 1)"),
        (0.5, "covariates has shape ()"),
        ([], "covariates has shape (0,)"),
        ([[1.0, 2.0], [3.0]], "covariates cannot be made an array"),
        (np.full(110, "long"), "covariates are of type <U4; pass numbers, and categories as columns of 0 and 1"),
        (np.full(110, None), "covariates are of type object; pass numbers"),
        (np.full(110, 1j), "covariates are of type complex128; pass numbers"),
        (np.full(110, np.datetime64("2014-05-05")), "covariates are of type datetime64[D]; pass numbers"),
        (np.where(np.arange(110) == 7, np.nan, 1.0), "covariates at row 7, column 0 is nan; fill it in, or leave out"),
        (np.where(np.arange(220).reshape(110, 2) == 25, np.inf, 1.0), "covariates at row 12, column 1 is inf; fill"),
        (np.ma.masked_less(SOME.covariates, 0.0), "covariates has masked entries"),
    ],
)
def test_what_are_no_covariates_is_refused(covariates, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.bradley_terry(SOME.votes(), covariates=covariates)


@pytest.mark.parametrize("kind", ["list", "float32", "int", "bool", "pandas", "polars", "one column"])
def test_numbers_of_any_kind_are_taken(kind) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    binary = (SOME.covariates > 0.4).astype(float)
    given = {
        "list": binary.tolist(),
        "float32": binary.astype(np.float32),
        "int": binary.astype(np.int8),
        "bool": binary > 0.5,
        "pandas": pandas.DataFrame(binary, columns=["longer", "newer"]),
        "polars": polars.DataFrame(binary, schema=["longer", "newer"]),
        "one column": binary[:, 0],
    }[kind]
    expected = fitted(SOME._replace(covariates=binary[:, :1] if kind == "one column" else binary))
    assert_same_fit(pv.bradley_terry(SOME.votes(), covariates=given), expected, 0.0)


def test_counts_have_no_covariates() -> None:
    with pytest.raises(pv.InputError, match=r"votes is a PairCounts, which keeps no single votes; .* pass Votes"):
        pv.bradley_terry(SOME.votes().counts(), covariates=SOME.covariates)


def test_several_criteria_at_once_have_no_covariates() -> None:
    votes = SOME.votes(criterion=["new", "useful"] * 55)
    with pytest.raises(pv.InputError, match=r"covariates is given with criteria=; score one criterion at a time"):
        pv.bradley_terry(votes, covariates=SOME.covariates, criteria={"new": 1, "useful": 2})
    with pytest.raises(pv.InputError, match="answer several criteria"):
        pv.bradley_terry(votes, covariates=SOME.covariates)


def test_a_bootstrap_has_no_covariates() -> None:
    with pytest.raises(pv.InputError, match="covariates is given, which a bootstrap does not draw with the votes"):
        pv.bootstrap(SOME.votes(), covariates=SOME.covariates)


def test_votes_that_say_nothing_determine_no_coefficient() -> None:
    skips = SOME._replace(outcome=np.full(110, SKIP))
    assert "covariate 0 is 0 in every answered vote" in refusal(SOME.covariates, skips)
    none = SOME.take(np.empty(0, np.int64))
    assert "in every answered vote" in refusal(np.empty((0, 1)), none)
