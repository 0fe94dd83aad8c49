"""Graded answers by thresholds: the models that they hold within them, an independent maximum, and resamples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

import pairvote as pv

Floats = NDArray[np.float64]
LINKS = ("logistic", "probit")
CDF = {"logistic": expit, "probit": norm.cdf}
N_ITEMS = 6


def graded(
    seed: int, link: str = "probit", *, n_votes: int = 300, cuts: Any = (-1.2, -0.4, 0.4, 1.2)
) -> tuple[list[NDArray[np.int64]], pv.Votes]:
    """Votes of ten people in one answer more than there are cuts, 0 for the right side: columns and votes."""
    rng = np.random.default_rng(seed)
    left = rng.integers(N_ITEMS, size=n_votes)
    right = (left + rng.integers(1, N_ITEMS, size=n_votes)) % N_ITEMS
    noise = rng.normal(size=n_votes) if link == "probit" else rng.logistic(size=n_votes)
    lead = 0.35 * (right - left) + noise
    answer = (lead[:, None] > np.array(cuts)).sum(axis=1)
    voter = np.arange(n_votes) % 10
    return [left, right, answer], votes_of(left, right, answer, len(cuts), voter=voter)


def votes_of(left: Any, right: Any, answer: Any, most: int, **columns: Any) -> pv.Votes:
    return pv.Votes.from_labels(left, right, most - answer, outcomes=f"0-{most}", items=range(N_ITEMS), **columns)


# --- three answers ---


@pytest.mark.parametrize("uncertainty", ["model", "sandwich"])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("prior_sd", [1.0, math.inf])
@pytest.mark.parametrize("link", LINKS)
def test_three_answers_are_the_threshold_model(link, prior_sd, position, uncertainty) -> None:
    """Rao and Kupper's by the logistic link, Glenn and David's by the probit one."""
    (left, right, answer), votes = graded(1, link, cuts=(-0.4, 0.4))
    plain = pv.Votes.from_codes(left, right, answer, n_items=N_ITEMS)
    options = {"link": link, "prior_sd": prior_sd, "position": position, "uncertainty": uncertainty}
    name = {"logistic": "rao-kupper", "probit": "glenn-david"}[link]
    expected = pv.bradley_terry(plain, ties=name, **options)
    for given in (votes, plain):
        ranking = pv.bradley_terry(given, ties="cumulative", **options)
        np.testing.assert_allclose(ranking.scores, expected.scores, atol=1e-9)
        np.testing.assert_allclose(ranking.covariance, expected.covariance, rtol=1e-8, atol=1e-10)
        ours, theirs = ranking.fit, expected.fit
        np.testing.assert_allclose(ours.thresholds, theirs.thresholds, atol=1e-9)
        np.testing.assert_allclose(ours.threshold_standard_errors, theirs.threshold_standard_errors, rtol=1e-8)
        for number in ("tie_parameter", "tie_standard_error", "log_likelihood", "position_effect"):
            assert getattr(ours, number) == pytest.approx(getattr(theirs, number), rel=1e-9, abs=1e-9), number
        assert ranking.outcome_probabilities(0, 1) == pytest.approx(expected.outcome_probabilities(0, 1), abs=1e-9)
        assert ours.has_tie_parameter


@pytest.mark.parametrize("link", LINKS)
def test_two_answers_are_bradley_terrys_or_thurstones(link) -> None:
    (left, right, answer), votes = graded(2, link, cuts=(0.0,))
    plain = pv.bradley_terry(pv.Votes.from_codes(left, right, 2 * answer, n_items=N_ITEMS), link=link, prior_sd=1.0)
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=1.0)
    np.testing.assert_allclose(ranking.scores, plain.scores, atol=1e-9)
    assert ranking.fit.thresholds.shape == ranking.fit.threshold_standard_errors.shape == (0,)
    assert not ranking.fit.has_tie_parameter


# --- more answers ---


@pytest.mark.parametrize("cuts", [(-0.8, 0.0, 0.8), (-1.2, -0.4, 0.4, 1.2), (-1.8, -1.0, -0.3, 0.3, 1.0, 1.8)])
@pytest.mark.parametrize("link", LINKS)
def test_a_general_optimiser_ends_where_we_do(link, cuts) -> None:
    """The likelihood of an ordered regression with symmetric cuts (Agresti 1992, section 2), written out row by row."""
    (left, right, answer), votes = graded(3, link, cuts=cuts)
    m, f = len(cuts) // 2 if len(cuts) % 2 == 0 else (len(cuts) - 1) // 2, CDF[link]

    def loss(at: Floats) -> float:
        # The thresholds by their steps, which are positive.
        thresholds = np.cumsum(np.exp(at[N_ITEMS : N_ITEMS + m]))
        middle = [0.0] if len(cuts) % 2 else []
        ends = np.concatenate([[-np.inf], -thresholds[::-1], middle, thresholds, [np.inf]])
        d = at[left] - at[right] + at[-1]
        return float(-np.log(f(ends[answer + 1] - d) - f(ends[answer] - d)).sum() + at[:N_ITEMS].sum() ** 2)

    start = np.concatenate([np.zeros(N_ITEMS), np.full(m, -0.5), [0.0]])
    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-5})
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=math.inf, position=True)
    np.testing.assert_allclose(ranking.scores, best.x[:N_ITEMS], atol=2e-5)
    np.testing.assert_allclose(ranking.fit.thresholds, np.cumsum(np.exp(best.x[N_ITEMS : N_ITEMS + m])), atol=2e-5)
    assert ranking.fit.position_effect == pytest.approx(best.x[-1], abs=2e-5)
    assert ranking.fit.log_likelihood == pytest.approx(-best.fun, abs=1e-7)


@pytest.mark.parametrize("link", LINKS)
def test_chances_are_those_of_a_side_and_of_the_middle(link) -> None:
    _, votes = graded(4, link)
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=1.0)
    first, f = ranking.fit.thresholds[0], CDF[link]
    d = ranking.scores[1] - ranking.scores[4]
    expected = [f(d - first), f(first - d) - f(-first - d), f(-first - d)]
    assert list(ranking.outcome_probabilities(1, 4)) == pytest.approx(expected, rel=1e-9)
    assert ranking.expected_score(1, 4) == pytest.approx(expected[0] + expected[1] / 2, rel=1e-9)
    _, even = graded(4, link, cuts=(-0.8, 0.0, 0.8))
    ranking = pv.bradley_terry(even, ties="cumulative", link=link, prior_sd=1.0)
    d = ranking.scores[1] - ranking.scores[4]
    assert list(ranking.outcome_probabilities(1, 4)) == pytest.approx([f(d), 0.0, f(-d)], rel=1e-9)
    assert not ranking.fit.has_tie_parameter


@pytest.mark.parametrize("link", LINKS)
def test_grades_say_more_than_sides(link) -> None:
    """Errors are smaller than with the same votes cut down to three answers, and scores alike."""
    (left, right, answer), votes = graded(5, link, n_votes=600)
    sides = np.array([0, 0, 1, 2, 2])[answer]
    few = pv.bradley_terry(pv.Votes.from_codes(left, right, sides, n_items=N_ITEMS), ties="cumulative", link=link)
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link)
    assert ranking.standard_errors.mean() < 0.97 * few.standard_errors.mean()
    np.testing.assert_allclose(ranking.scores, few.scores, atol=3 * few.standard_errors.max())


@pytest.mark.parametrize("link", LINKS)
def test_an_answer_that_only_one_side_gave_has_its_mirror(link) -> None:
    """Answers that nobody gave from one side have thresholds by the other's; unevenly spaced shares are answers too."""
    left, right, share = [0, 1, 2, 0, 1, 2, 0], [1, 2, 0, 1, 2, 0, 1], [0.9, 0.6, 0.9, 0.1, 0.5, 0.4, 1.0]
    votes = pv.Votes.from_labels(left, right, share, outcomes="share")
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=1.0)
    # 0, 0.1, 0.4, 0.5, 0.6, 0.9 and 1.
    assert ranking.fit.thresholds.shape == (3,)
    assert (np.diff([0.0, *ranking.fit.thresholds]) > 0.0).all()


@pytest.mark.parametrize("link", LINKS)
def test_a_start_at_the_maximum_takes_no_step(link) -> None:
    _, votes = graded(10, link)
    options = {"ties": "cumulative", "link": link, "prior_sd": 1.0, "position": True}
    ranking = pv.bradley_terry(votes, **options)
    again = pv.bradley_terry(votes, start=ranking, **options)
    assert again.fit.n_iter == 0
    np.testing.assert_allclose(again.fit.thresholds, ranking.fit.thresholds, rtol=0, atol=1e-12)
    # One of other answers is a start of the scores alone.
    _, fewer = graded(10, link, cuts=(-0.5, 0.5))
    other = pv.bradley_terry(votes, start=pv.bradley_terry(fewer, **options), **options)
    np.testing.assert_allclose(other.scores, ranking.scores, atol=1e-7)
    np.testing.assert_allclose(other.fit.thresholds, ranking.fit.thresholds, atol=1e-7)


# --- resamples ---


@pytest.mark.parametrize("by", ["vote", "voter"])
@pytest.mark.parametrize("link", LINKS)
def test_a_bootstrap_refits_the_answers_of_each_resample(link, by) -> None:
    """The same lots drawn as weights, and scored from the start."""
    (left, right, answer), votes = graded(6, link, n_votes=120)
    options = {"ties": "cumulative", "link": link, "prior_sd": 1.0}
    found = pv.bootstrap(votes, by=by, n_resamples=10, rng=7, **options)._uncertainty.samples
    lot = np.arange(120) if by == "vote" else votes.voter
    n_lots, rng = int(lot.max()) + 1, np.random.default_rng(7).spawn(1)[0]
    for sample in found:
        times = np.bincount(rng.integers(n_lots, size=n_lots), minlength=n_lots)
        resample = votes_of(left, right, answer, 4, weight=times[lot].astype(float))
        np.testing.assert_allclose(sample, pv.bradley_terry(resample, **options).scores, atol=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_a_bootstrap_has_about_the_models_errors(link) -> None:
    """On one criterion, and on two that are weighed."""
    columns, votes = graded(8, link, n_votes=240)
    options = {"ties": "cumulative", "link": link, "prior_sd": 1.0}
    errors = pv.bootstrap(votes, n_resamples=200, rng=8, **options).standard_errors
    assert errors.mean() == pytest.approx(pv.bradley_terry(votes, **options).standard_errors.mean(), rel=0.15)
    both = votes_of(*columns, 4, criterion=np.arange(240) % 2)
    options["criteria"] = {0: 1, 1: 2}
    errors = pv.bootstrap(both, n_resamples=60, rng=9, **options).standard_errors
    assert errors.mean() == pytest.approx(pv.bradley_terry(both, **options).standard_errors.mean(), rel=0.25)


# --- what is refused ---


def test_what_answers_in_order_cannot_do_is_refused() -> None:
    _, votes = graded(9)
    with pytest.raises(pv.InputError, match="reliability is 'lapse' and ties is 'cumulative' with graded answers"):
        pv.bradley_terry(votes, ties="cumulative", reliability="lapse")
    many = pv.Votes.from_labels(["ash"] * 30, ["birch"] * 30, np.linspace(0, 1, 30), outcomes="share")
    with pytest.raises(pv.InputError, match=r"take 30 different values.*; round the shares to a few points") as caught:
        pv.bradley_terry(many, ties="cumulative")
    assert caught.value.option == "ties"
    # The remedies work.
    assert pv.bradley_terry(many).scores.shape == (2,)
    few = pv.Votes.from_labels(["ash"] * 30, ["birch"] * 30, np.linspace(0, 1, 30).round(1), outcomes="share")
    assert pv.bradley_terry(few, ties="cumulative", prior_sd=1.0).fit.thresholds.shape == (5,)


@pytest.mark.parametrize("link", LINKS)
def test_few_or_no_votes_have_an_answer(link) -> None:
    for left, right, answer in (([], [], []), ([0], [1], [1]), ([0, 1], [1, 2], [0, 4])):
        votes = votes_of(left, right, np.array(answer, int), 4)
        for prior_sd in (1.0, "learned"):
            ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=prior_sd, position=True)
            assert np.isfinite([*ranking.scores, *ranking.standard_errors]).all()
            assert (np.diff([0.0, *ranking.fit.thresholds]) > 0.0).all()
            assert np.isfinite(ranking.fit.threshold_standard_errors).all()


@pytest.mark.parametrize("link", LINKS)
def test_grades_that_nobody_gave_change_nothing(link) -> None:
    """Of a scale of five points whose ends nobody used there are three answers, also by maximum likelihood."""
    rng = np.random.default_rng(3)
    left = rng.integers(4, size=120)
    right = (left + rng.integers(1, 4, size=120)) % 4
    place = rng.integers(3, size=120)
    five = pv.Votes.from_labels(left, right, (2 + place).tolist(), outcomes="1-5", items=range(4))
    three = pv.Votes.from_codes(left, right, 2 - place, n_items=4)
    for prior_sd in (math.inf, 2.0):
        one = pv.bradley_terry(five, ties="cumulative", link=link, prior_sd=prior_sd)
        other = pv.bradley_terry(three, ties="cumulative", link=link, prior_sd=prior_sd)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-8)
        np.testing.assert_allclose(one.fit.thresholds, other.fit.thresholds, atol=1e-8)
        assert one.fit.log_likelihood == pytest.approx(other.fit.log_likelihood)
    # All of one grade on either side: two answers; all in the middle: nothing but ties.
    sides = pv.Votes.from_labels([0, 1, 2], [1, 2, 0], [2, 2, 4], outcomes="1-5")
    assert pv.bradley_terry(sides, ties="cumulative", link=link, prior_sd=1.0).fit.thresholds.shape == (0,)
    middle = pv.Votes.from_labels([0, 1, 2], [1, 2, 0], [3, 3, 3], outcomes="1-5")
    assert pv.bradley_terry(middle, ties="cumulative", link=link, prior_sd=1.0).fit.thresholds.shape == (1,)


@pytest.mark.parametrize("n_answers", [2, 3])
@pytest.mark.parametrize("link", LINKS)
def test_up_to_three_answers_are_whole_votes(link, n_answers) -> None:
    """Whatever the shares are called: scores, errors of each kind, resamples; and rows of no weight change nothing."""
    rng = np.random.default_rng(8)
    left = rng.integers(4, size=60)
    right = (left + rng.integers(1, 4, size=60)) % 4
    place, voter = rng.integers(n_answers, size=60), rng.integers(6, size=60)
    share = np.array([0.25, 0.75] if n_answers == 2 else [0.25, 0.5, 0.75])[place]
    outcome = np.array([0, 2] if n_answers == 2 else [0, 1, 2])[place]
    weight = np.append(np.ones(60), 0.0)
    whole = pv.Votes.from_codes(left, right, outcome, n_items=4, voter=voter)
    by_share = [np.append(left, 0), np.append(right, 1), np.append(share, 1.0)]
    graded = pv.Votes.from_labels(
        *by_share, outcomes="share", items=range(4), weight=weight, voter=np.append(voter, 0).tolist()
    )
    for options in (
        {"prior_sd": 1.0},
        {"prior_sd": math.inf},
        {"prior_sd": 1.0, "position": True, "uncertainty": "sandwich"},
        {"prior_sd": 1.0, "uncertainty": "by-voter"},
        {"prior_sd": 1.0, "weights": "sampling"},
    ):
        one, other = (pv.bradley_terry(votes, ties="cumulative", link=link, **options) for votes in (graded, whole))
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-9)
        np.testing.assert_allclose(one.standard_errors, other.standard_errors, rtol=1e-7)
        np.testing.assert_allclose(one.fit.thresholds, other.fit.thresholds, atol=1e-9)
    fits = [
        pv.bootstrap(votes, n_resamples=5, rng=1, by="voter", ties="cumulative", link=link, prior_sd=1.0)
        for votes in (graded, whole)
    ]
    np.testing.assert_allclose(fits[0].standard_errors, fits[1].standard_errors, rtol=1e-6)
