"""Scale separation: which formula, how near the truth it is, and what it says where votes do not join all items."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference

import pairvote as pv

N_WORKSHOPS = 60


def votes_on(strengths: np.ndarray, n_votes: int, rng: np.random.Generator) -> pv.Votes:
    """Votes on random pairs."""
    n_items = len(strengths)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    won = rng.random(n_votes) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    return pv.Votes.from_codes(left, right, 2 * won, n_items=n_items)


def test_by_maximum_likelihood_it_is_the_share_of_variance_that_is_no_error() -> None:
    votes = pv.datasets.baseball()
    found = pv.diagnostics.separation(pv.bradley_terry(votes, prior_sd=math.inf))
    rows = list(zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), [1.0] * len(votes), strict=True))
    fit = reference.bradley_terry(rows, 7, prior_sd=math.inf)
    error = np.trace(fit["covariance"]) / 7
    assert found.formula == "sampling"
    assert found.reliability == pytest.approx(1 - error / fit["scores"].var(ddof=1), abs=1e-8)
    assert found.separation == pytest.approx(math.sqrt(found.reliability / (1 - found.reliability)))


@pytest.mark.parametrize("uncertainty", ["model", "sandwich"])
def test_of_a_posterior_error_is_added_to_the_variance_of_the_scores(uncertainty) -> None:
    ranking = pv.bradley_terry(pv.datasets.baseball(), prior_sd=0.5, uncertainty=uncertainty)
    found = pv.diagnostics.separation(ranking)
    variance, error = ranking.scores.var(ddof=1), (ranking.standard_errors**2).mean()
    assert found.formula == "posterior"
    assert found.reliability == pytest.approx(variance / (variance + error))
    assert (found.spread, found.error) == pytest.approx((math.sqrt(variance), math.sqrt(error)))


def test_it_says_when_a_wide_prior_flatters() -> None:
    # Answers by a coin: nothing is reliable.
    rng = np.random.default_rng(6)
    votes = [votes_on(np.zeros(23), 600, rng) for _ in range(20)]
    found = [pv.diagnostics.separation(one, prior_sd=3.0) for one in votes]
    assert np.mean([one.reliability for one in found]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([one.without_prior for one in found]) < 0.25
    assert f"it is {found[0].without_prior:.2f} where the prior is not trusted" in str(found[0])
    # The scale does not matter, and maximum likelihood has no prior to trust.
    ranking = pv.bradley_terry(votes[0], prior_sd=3.0)
    on_elo_scale = pv.diagnostics.separation(ranking.on_elo_scale())
    assert on_elo_scale.without_prior == pytest.approx(pv.diagnostics.separation(ranking).without_prior)
    likely = pv.diagnostics.separation(pv.bradley_terry(votes[0], prior_sd=math.inf))
    assert likely.without_prior == likely.reliability
    assert found[0].without_prior == pytest.approx(likely.reliability, abs=0.03)
    strong = pv.diagnostics.separation(votes_on(np.linspace(-3, 3, 23), 2000, rng))
    assert "flatters" not in str(strong)


def test_a_learned_prior_is_not_flattered_by_a_coin() -> None:
    rng = np.random.default_rng(6)
    found = [pv.diagnostics.separation(votes_on(np.zeros(12), 300, rng)) for _ in range(4)]
    assert max(one.reliability for one in found) < 0.4
    assert np.mean([one.reliability for one in found]) < 0.25
    for one in found:
        assert one.is_learned
        assert one.without_prior == one.reliability
        assert "flatters" not in str(one)


def test_errors_by_a_bootstrap_are_those_of_estimates_whatever_the_prior() -> None:
    ranking = pv.bootstrap(pv.datasets.baseball(), n_resamples=20, rng=1, prior_sd=0.5)
    found = pv.diagnostics.separation(ranking)
    assert found.formula == "sampling"
    share = (ranking.standard_errors**2).mean() / ranking.scores.var(ddof=1)
    assert found.reliability == pytest.approx(max(0.0, 1 - share))


@pytest.mark.parametrize(
    ("spread", "prior_sd", "within"),
    # The prior that the strengths have; one wider than they are, which is said to be too high; none; a learned one.
    [
        (0.5, 0.5, 0.05),
        (1.0, 1.0, 0.05),
        (2.0, 2.0, 0.05),
        (1.0, 3.0, 0.08),
        (1.0, math.inf, 0.05),
        (1.0, "learned", 0.06),
    ],
)
def test_it_is_near_the_squared_correlation_with_the_truth(spread, prior_sd, within) -> None:
    rng = np.random.default_rng(5)
    found, true, without = [], [], []
    while len(found) < N_WORKSHOPS:
        strengths = spread * rng.normal(size=23)
        try:
            ranking = pv.bradley_terry(votes_on(strengths, 230, rng), prior_sd=prior_sd)
        except pv.NotIdentifiedError:
            continue
        separation = pv.diagnostics.separation(ranking)
        found.append(separation.reliability)
        without.append(separation.without_prior)
        true.append(np.corrcoef(ranking.scores, strengths)[0, 1] ** 2)
    print(f"said {np.mean(found):.3f}, {np.mean(without):.3f} without the prior; true {np.mean(true):.3f}")
    assert np.mean(without) == pytest.approx(np.mean(true), abs=0.08)
    assert np.mean(found) == pytest.approx(np.mean(true), abs=within)


def test_components_are_named_and_it_is_taken_within_them() -> None:
    winners, losers = [*"aaaaabbbc"], [*"bbbccccca"]
    alone = pv.diagnostics.separation(pv.Votes.from_wins(winners, losers), prior_sd=3.0)
    upper = [label.upper() for label in winners], [label.upper() for label in losers]
    items = [*"abcABC", "nobody"]
    both = pv.Votes.from_labels(winners + upper[0], losers + upper[1], ["left"] * 18, items=items)
    found = pv.diagnostics.separation(both, prior_sd=3.0)
    assert found.components == (("a", "b", "c"), ("A", "B", "C"), ("nobody",))
    assert alone.components == (("a", "b", "c"),)
    assert found.reliability == pytest.approx(alone.reliability)
    assert (found.spread, found.error) == pytest.approx((alone.spread, alone.error))
    assert "votes do not join 3 components (a, b, c; A, B, C; nobody)" in str(found)
    assert "components" not in str(alone)
    assert found.to_dict()["components"] == [["a", "b", "c"], ["A", "B", "C"], ["nobody"]]


def test_level_scores_have_no_reliability_and_one_item_or_no_errors_are_refused() -> None:
    level = pv.Votes.from_wins(["a", "b"], ["b", "a"])
    found = pv.diagnostics.separation(level, prior_sd=3.0)
    assert (found.reliability, found.separation) == (0.0, 0.0)
    assert pv.diagnostics.separation(level).reliability < 0.05
    nobody = pv.bradley_terry(pv.Votes.from_codes([], [], [], n_items=3))
    assert pv.diagnostics.separation(nobody).reliability < 0.05
    with pytest.raises(pv.MissingUncertaintyError):
        pv.diagnostics.separation(pv.tally(level))
    with pytest.raises(pv.InputError, match="there is 1 item"):
        pv.diagnostics.separation(pv.bradley_terry(pv.Votes.from_codes([], [], [], n_items=1)))


def test_the_spread_is_said_in_the_unit_of_the_scores() -> None:
    ranking = pv.bradley_terry(pv.datasets.baseball(), link="probit", prior_sd=1.0)
    for scores in (ranking, ranking.on_elo_scale(), ranking.on_jod_scale()):
        found = pv.diagnostics.separation(scores)
        assert found.unit == scores.unit
        assert f" {scores.unit}, with errors" in str(found)
        assert "log-odds" not in str(found)
