"""What weights mean: numbers of votes, or importance weights of any scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pairvote as pv

N_ITEMS, N_VOTES = 4, 600
RNG = np.random.default_rng(5)
LEFT = RNG.integers(N_ITEMS, size=N_VOTES)
RIGHT = (LEFT + RNG.integers(1, N_ITEMS, size=N_VOTES)) % N_ITEMS
OUTCOME = np.where(RNG.random(N_VOTES) < 0.7, np.where(LEFT < RIGHT, 2, 0), RNG.integers(0, 4, size=N_VOTES))
WEIGHT = np.where(RNG.random(N_VOTES) < 0.5, 0.1, 1.9)
VOTER = np.arange(N_VOTES) % 20


def ranked(weight: Any, *, outcome: Any = OUTCOME, **options: Any) -> pv.Ranking:
    votes = pv.Votes.from_codes(LEFT, RIGHT, outcome, n_items=N_ITEMS, weight=weight, voter=VOTER)
    return pv.bradley_terry(votes, **{"weights": "sampling", **options})


def robust(scores: Any, outcome: Any, weight: Any) -> Any:
    """The variances of centred scores without a prior: H^-1 (sum w^2 g g') H^-1."""
    kept = outcome != pv.Outcome.SKIP
    along = np.zeros((kept.sum(), N_ITEMS))
    along[np.arange(len(along)), LEFT[kept]] = 1
    along[np.arange(len(along)), RIGHT[kept]] = -1
    weight, p = weight[kept], 1 / (1 + np.exp(-along @ scores))
    inverse = np.linalg.pinv((along * (weight * p * (1 - p))[:, None]).T @ along)
    gradients = along * (weight * (outcome[kept] / 2 - p))[:, None]
    return np.diag(inverse @ (gradients.T @ gradients) @ inverse)


@pytest.mark.parametrize("with_covariates", [False, True])
@pytest.mark.parametrize("position", [False, True])
def test_errors_are_those_of_squared_weights(position, with_covariates) -> None:
    outcome = np.where(OUTCOME == pv.Outcome.TIE, pv.Outcome.SKIP, OUTCOME)
    ranking = ranked(WEIGHT, outcome=outcome, prior_sd=math.inf)
    assert ranking.fit.uncertainty == "sandwich"
    assert ranking.fit.weights == "sampling"
    np.testing.assert_allclose(ranking.standard_errors**2, robust(ranking.scores, outcome, WEIGHT), rtol=1e-6)
    # Doubling a weight is not a second vote, but a vote twice as heavy.
    covariates = np.random.default_rng(1).normal(size=(N_VOTES, 1)) if with_covariates else None
    options: dict[str, Any] = {"position": position, "covariates": covariates, "prior_sd": math.inf}
    counts, sampled = (ranked(WEIGHT, weights=weights, **options) for weights in ("counts", "sampling"))
    np.testing.assert_allclose(sampled.scores, counts.scores, atol=1e-7)
    assert sampled.standard_errors.mean() > 1.2 * counts.standard_errors.mean()


@pytest.mark.parametrize("uncertainty", ["model", "sandwich", "by-voter"])
@pytest.mark.parametrize("ties", ["davidson", "half", "drop"])
def test_the_scale_is_nothing(ties, uncertainty) -> None:
    expected = ranked(WEIGHT, ties=ties, uncertainty=uncertainty)
    for scale in (1e-300, 1e-6, 1e300):
        found = ranked(WEIGHT * scale, ties=ties, uncertainty=uncertainty)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("weight", [None, np.ones(N_VOTES), np.full(N_VOTES, 0.01)])
def test_equal_weights_are_votes(weight) -> None:
    expected = ranked(None, weights="counts", uncertainty="sandwich")
    np.testing.assert_allclose(ranked(weight).scores, expected.scores, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ranked(weight).covariance, expected.covariance, rtol=1e-7, atol=1e-12)


def test_weights_add_up_to_the_effective_number_of_votes() -> None:
    """So the prior has as much to say as beside that many votes."""
    answered = (OUTCOME != pv.Outcome.SKIP) & (np.arange(N_VOTES) % 2 == 0)
    weight = np.where(answered, WEIGHT, 0.0)
    weight[(OUTCOME == pv.Outcome.SKIP)] = 1e9
    model = ranked(weight, prior_sd=0.5).fit._posterior.model
    effective = weight[answered].sum() ** 2 / (weight[answered] ** 2).sum()
    assert 0.5 * model.totals[:, :3].sum() == pytest.approx(effective, rel=1e-12)
    counted = ranked(np.where(answered, WEIGHT, 0) * effective / weight[answered].sum(), weights="counts", prior_sd=0.5)
    np.testing.assert_allclose(ranked(weight, prior_sd=0.5).scores, counted.scores, rtol=0, atol=1e-9)
    # What is known of the scores, from votes and prior, is then about what errors say.
    ratio = np.trace(ranked(weight, prior_sd=0.5).covariance) / np.trace(counted.covariance)
    assert ratio == pytest.approx(1.0, abs=0.25)


def test_criteria_have_weights_of_their_own() -> None:
    asked = np.where(np.arange(N_VOTES) % 2, "new", "useful")
    heavy = WEIGHT * np.where(asked == "new", 1e6, 1.0)
    votes = pv.Votes.from_codes(LEFT, RIGHT, OUTCOME, n_items=N_ITEMS, weight=heavy, criterion=asked)
    both = pv.bradley_terry(votes, weights="sampling", criteria={"new": 1, "useful": 1})
    parts = [pv.bradley_terry(votes, weights="sampling", criterion=label) for label in ("new", "useful")]
    np.testing.assert_allclose(both.scores, (parts[0].scores + parts[1].scores) / 2, rtol=0, atol=1e-12)


def test_a_table_says_what_weights_came_to() -> None:
    small = ranked(np.full(N_VOTES, 1 / N_VOTES), weights="counts")
    n_rows = int((OUTCOME != pv.Outcome.SKIP).sum())
    assert small.fit.n_votes == n_rows
    total = f"{n_rows / N_VOTES:.4g}"
    said = f"weights add up to {total} for {n_rows} rows, so they count as {total} votes; pass weights="
    for text in (str(small), small._repr_html_()):
        assert said in text
    assert small.scores.max() < 0.6 * ranked(None, weights="counts").scores.max()
    assert f"weights are importance weights: {n_rows} votes, worth {n_rows}" in str(ranked(np.full(N_VOTES, 0.5)))
    for weight in (None, np.full(N_VOTES, 0.6), np.full(N_VOTES, 40.0)):
        assert "weights" not in str(ranked(weight, weights="counts"))
    counts = pv.Votes.from_codes(LEFT, RIGHT, OUTCOME, weight=WEIGHT).counts()
    assert pv.bradley_terry(counts).fit.n_votes is None


def test_what_cannot_be_is_refused() -> None:
    votes = pv.Votes.from_codes(LEFT, RIGHT, OUTCOME, n_items=N_ITEMS, weight=WEIGHT)
    with pytest.raises(pv.InputError, match=r"weights is 'shares'; use one of 'counts', 'sampling'"):
        pv.bradley_terry(votes, weights="shares")
    with pytest.raises(pv.InputError, match=r"votes is a PairCounts, which keeps the sums .*pass the Votes"):
        pv.bradley_terry(votes.counts(), weights="sampling")
    with pytest.raises(pv.InputError, match=r"votes is a list"):
        pv.bradley_terry([1, 2], weights="sampling")
