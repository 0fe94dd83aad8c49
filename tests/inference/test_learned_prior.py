"""Scores under a learned prior, held against the stored numbers of an exact sampler (`learned_prior_sets`)."""

from __future__ import annotations

import json
import math
from typing import Any

import learned_prior_sets
import numpy as np
import pytest
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels
from pairvote._inference.learned import Effort, sample

Floats = NDArray[np.float64]
ORACLE: dict[str, Any] = json.loads(learned_prior_sets.TABLE.read_text())
N_BATCHES = 25


def votes_of(stored: dict[str, Any]) -> pv.Votes:
    columns = (stored[name] for name in ("left", "right", "outcome"))
    return pv.Votes.from_codes(*columns, n_items=stored["n_items"], weight=stored["weight"])


def ranked(stored: dict[str, Any]) -> pv.Ranking:
    covariates = stored.get("covariates")
    return pv.bradley_terry(votes_of(stored), prior_sd="learned", covariates=covariates, **stored["options"])


def monte_carlo_errors(samples: Floats | None, n_items: int) -> tuple[Floats, Floats]:
    """Errors of the means and of the standard deviations, from how far batches of samples differ."""
    if samples is None:
        return np.zeros(n_items), np.zeros(n_items)
    mean = samples.mean(axis=0)
    batches = np.array_split(samples, N_BATCHES)
    means = np.array([batch.mean(axis=0) for batch in batches])
    variances = np.array([((batch - mean) ** 2).mean(axis=0) for batch in batches])
    root_n = math.sqrt(N_BATCHES)
    return means.std(axis=0, ddof=1) / root_n, variances.std(axis=0, ddof=1) / root_n / (2 * samples.std(axis=0))


def assert_within(found: Floats, expected: Floats, slack: Floats, errors: Floats) -> None:
    """Each by itself with room for 3.5 Monte Carlo errors, and on average with room for two."""
    off = np.abs(found - expected)
    assert (off <= slack + 3.5 * errors).all(), f"{(off / slack).max():.2f} times the slack"
    assert off.mean() <= (slack + 2 * errors).mean(), f"{off.mean() / slack.mean():.2f} times the slack on average"


def assert_as_by_the_exact_sampler(samples: Floats, stored: dict[str, Any], most: tuple[float, float]) -> None:
    """Means within 0.05 of a standard deviation, standard deviations within 5%, and Monte Carlo error.

    most: the largest Monte Carlo errors of both in standard deviations; beyond, samples say too little for a test.
    """
    expected = {part: np.array(values) for part, values in stored["scores"].items()}
    mean_error, sd_error = monte_carlo_errors(samples, stored["n_items"])
    assert (mean_error < most[0] * expected["sd"]).all()
    assert (sd_error < most[1] * expected["sd"]).all()
    mean_error = np.hypot(mean_error, expected["mean_error"])
    sd_error = np.hypot(sd_error, expected["sd_error"])
    assert_within(samples.mean(axis=0), expected["mean"], 0.05 * expected["sd"], mean_error)
    assert_within(samples.std(axis=0), expected["sd"], 0.05 * expected["sd"], sd_error)


def draws_of(ranking: pv.Ranking) -> Floats:
    assert ranking.fit is not None
    return ranking.fit._posterior.draws[:, : ranking.n_items].astype(np.float64)


# Sets of so few votes, or of groups so far apart, that standard deviations by the default call have a Monte Carlo error
# of 10 to 20%.
HEAVY = ("one_vote", "first_vote_tied", "sparse", "two_groups_top_k")


@pytest.mark.parametrize("name", ORACLE)
def test_scores_are_those_of_the_exact_sampler(name):
    stored = ORACLE[name]
    ranking = ranked(stored)
    samples = draws_of(ranking)
    assert_as_by_the_exact_sampler(samples, stored, (0.1, 0.2 if name in HEAVY else 0.1))
    assert samples.mean(axis=1) == pytest.approx(np.zeros(len(samples)), abs=1e-5)
    assert ranking.scores == pytest.approx(samples.mean(axis=0), abs=1e-5)
    # Errors of ties as halves are a sandwich, which is no posterior's.
    if stored["options"].get("ties") != "half":
        assert ranking.standard_errors == pytest.approx(samples.std(axis=0), rel=1e-3)
        np.testing.assert_array_equal(ranking._uncertainty.samples, samples)
    else:
        assert ranking._uncertainty.samples is None


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
@pytest.mark.parametrize("name", ORACLE)
def test_more_draws_are_nearer_to_the_exact_sampler(name):
    posterior = ranked(ORACLE[name]).fit._posterior
    n_draws = 100_000 if name in HEAVY else 20_000
    draws = sample(posterior, Effort(most=(n_draws, n_draws), enough=math.inf))
    assert len(draws.parameters) >= n_draws
    samples = draws.parameters[:, : ORACLE[name]["n_items"]]
    assert_as_by_the_exact_sampler(samples, ORACLE[name], (0.045, 0.06 if name in HEAVY else 0.035))


WITH_TIES = ("weighted_ties", "rao_kupper", "components", "first_vote_tied")
WITH_EFFECTS = ("baseball", "rao_kupper", "components")


@pytest.mark.parametrize("name", WITH_TIES)
def test_the_tie_parameter_is_that_of_the_exact_sampler(name):
    """Its logarithm's mean and standard deviation, within 0.2 and 15%: 0.05 and 5%, and Monte Carlo error."""
    fit, expected = ranked(ORACLE[name]).fit, ORACLE[name]["log_tie"]
    assert fit is not None
    assert math.log(fit.tie_parameter) == pytest.approx(expected["mean"][0], abs=0.2 * expected["sd"][0])
    assert fit.tie_standard_error / fit.tie_parameter == pytest.approx(expected["sd"][0], rel=0.15)


@pytest.mark.parametrize("name", WITH_EFFECTS)
def test_effects_are_those_of_the_exact_sampler(name):
    """Means and standard deviations of the position effect and of the coefficients, within 0.2 and 15%."""
    stored = ORACLE[name]
    fit, expected = ranked(stored).fit, stored["effects"]
    assert fit is not None
    has_position = bool(stored["options"].get("position"))
    found = [fit.position_effect] * has_position
    errors = [fit.position_standard_error] * has_position
    if "covariates" in stored:
        sizes = np.abs(stored["covariates"]).max(axis=0)
        found += (fit.coefficients * sizes).tolist()
        errors += (fit.coefficient_standard_errors * sizes).tolist()
    off = np.subtract(found, expected["mean"]) / expected["sd"]
    assert (np.abs(off) < 0.2).all()
    assert errors == pytest.approx(expected["sd"], rel=0.15)


@pytest.mark.parametrize("make", [learned_prior_sets.baseball, learned_prior_sets.citations])
def test_the_stored_votes_are_those_of_the_data_set(make):
    stored = ORACLE[make.__name__]
    assert {key: stored[key] for key in make()} == make()


def test_the_stored_numbers_are_known_well_enough():
    """Monte Carlo errors that leave no room for what the test of the library allows: a fifth of it."""
    assert len(ORACLE) >= 10
    for name, stored in ORACLE.items():
        scores = {part: np.array(values) for part, values in stored["scores"].items()}
        assert len(scores["mean"]) == stored["n_items"], name
        assert abs(scores["mean"].sum()) < 1e-4, name
        assert (scores["mean_error"] < 0.01 * scores["sd"]).all(), name
        assert (scores["sd_error"] < 0.015 * scores["sd"]).all(), name


@pytest.mark.slow
def test_the_stored_numbers_come_out_again():
    """By other random numbers, of a set with ties, weights and an item without votes."""
    stored = ORACLE["weighted_ties"]
    again = learned_prior_sets.said(stored, 250, seed=2)
    assert set(again) == {"scores", "log_scale", "log_tie", "tie_parameter"}
    for part, found in again.items():
        mean, mean_error, sd, sd_error = (
            np.array([found[key], stored[part][key]]) for key in ("mean", "mean_error", "sd", "sd_error")
        )
        assert (np.abs(mean[0] - mean[1]) < 4 * np.hypot(*mean_error)).all(), part
        assert (np.abs(sd[0] - sd[1]) < 4 * np.hypot(*sd_error)).all(), part
        assert (mean_error[0] < 0.05 * sd[1]).all(), part
