"""Scales of scores: just-objectionable differences and Elo's, of either link."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

import pairvote as pv

LINKS = ("logistic", "probit")
VOTES = pv.datasets.baseball()


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("ties", ["drop", "half"])
def test_one_jod_is_three_votes_to_one(link, ties) -> None:
    """Perez-Ortiz and Mantiuk (2017), section 3: 75% of votes against 25%."""
    odds = pv.Votes.from_codes([0] * 4, [1] * 4, [2, 2, 2, 0], items=["ash", "birch"])
    ranking = pv.bradley_terry(odds, link=link, ties=ties, prior_sd=math.inf).on_jod_scale()
    assert ranking.scores[0] - ranking.scores[1] == pytest.approx(1.0, abs=1e-9)
    assert ranking.expected_score("ash", "birch") == pytest.approx(0.75, abs=1e-9)
    double = {"logistic": 9 / 10, "probit": norm.cdf(2 * norm.ppf(0.75))}[link]
    many = pv.Votes.from_codes([0, 0], [1, 1], [2, 0], items=["ash", "birch"], weight=[double, 1 - double])
    ranking = pv.bradley_terry(many, link=link, ties=ties, prior_sd=math.inf).on_jod_scale()
    assert ranking.scores[0] - ranking.scores[1] == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("prior_sd", [2.0, "learned"])
def test_another_scale_changes_nothing_but_the_unit(link, prior_sd) -> None:
    ranking = pv.bradley_terry(VOTES, link=link, prior_sd=prior_sd)
    quartile, elo = (math.log(3), 400 / math.log(10)) if link == "logistic" else (norm.ppf(0.75), 200 * math.sqrt(2))
    for other, factor, unit in (
        (ranking.on_jod_scale(), 1 / quartile, "jod"),
        (ranking.on_elo_scale(initial=0.0), elo, "elo"),
    ):
        assert other.unit == unit
        np.testing.assert_allclose(other.scores, factor * ranking.scores, atol=1e-12 * factor)
        np.testing.assert_allclose(other.standard_errors, factor * ranking.standard_errors, rtol=1e-12)
        np.testing.assert_allclose(other.covariance, factor**2 * ranking.covariance, rtol=1e-12)
        for ours, theirs in zip(other.confidence_interval(), ranking.confidence_interval(), strict=True):
            np.testing.assert_allclose(ours, factor * theirs, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other.probability_matrix(), ranking.probability_matrix(), atol=1e-13)
        assert other.order() == ranking.order()
        np.testing.assert_array_equal(other.rank_interval(), ranking.rank_interval())
        difference, plain = (one.difference("Milwaukee", "Boston") for one in (other, ranking))
        assert difference.estimate == pytest.approx(factor * plain.estimate)
        assert difference.standard_error == pytest.approx(factor * plain.standard_error)
        assert unit in str(other)


@pytest.mark.parametrize("link", LINKS)
def test_an_anchor_is_at_nought_and_errors_stay_those_of_centred_scores(link) -> None:
    ranking = pv.bradley_terry(VOTES, link=link, prior_sd=2.0)
    plain, anchored = ranking.on_jod_scale(), ranking.on_jod_scale(anchor="Boston")
    assert anchored.to_dict()["Boston"] == 0.0
    np.testing.assert_allclose(np.diff(anchored.scores), np.diff(plain.scores), atol=1e-12)
    np.testing.assert_array_equal(anchored.standard_errors, plain.standard_errors)
    low, high = anchored.confidence_interval()
    assert ((low < anchored.scores) & (anchored.scores < high)).all()
    np.testing.assert_allclose((low + high) / 2, anchored.scores, atol=1e-9)
    with pytest.raises(pv.InputError, match="'Havana'"):
        ranking.on_jod_scale(anchor="Havana")


def test_scores_without_a_model_of_a_vote_have_no_such_scale() -> None:
    for method in ("tally", "win-rate", "elo"):
        with pytest.raises(pv.InputError, match="score with bradley_terry"):
            pv.rank(VOTES, method).on_jod_scale()


@pytest.mark.parametrize("link", LINKS)
def test_scales_follow_each_other(link) -> None:
    """Put on one scale and then on another, or on the same once more, a ranking is as if put there at once."""
    for known in (None, {"Boston": 1.5}):
        fit = pv.bradley_terry(VOTES, link=link, prior_sd=2.0, known_scores=known)
        elo, jod = fit.on_elo_scale(1000), fit.on_jod_scale()
        for found, right in (
            (jod.on_elo_scale(1000), elo),
            (elo.on_jod_scale(), jod),
            (elo.on_elo_scale(1000), elo),
            (fit.on_elo_scale(1500, anchor="Boston").on_elo_scale(1000), elo),
            (jod.on_jod_scale(anchor="Boston").on_jod_scale(), jod),
            (elo.on_jod_scale(anchor="Boston"), fit.on_jod_scale(anchor="Boston")),
        ):
            assert found.unit == right.unit
            np.testing.assert_allclose(found.scores, right.scores, rtol=1e-12, atol=1e-9)
            np.testing.assert_allclose(found.standard_errors, right.standard_errors, rtol=1e-9)
            assert found.expected_score("Boston", "Detroit") == pytest.approx(fit.expected_score("Boston", "Detroit"))


def test_a_mean_of_criteria_keeps_no_link() -> None:
    """What a JOD of it is in Elo points is not known; the remedy says to start from the ranking as it was scored."""
    votes = pv.Votes.from_labels(["a", "a", "b"], ["b", "c", "c"], ["left"] * 3, criterion=["new", "useful", "new"])
    ranking = pv.bradley_terry(votes, criteria={"new": 1, "useful": 1}, prior_sd=1.0)
    with pytest.raises(pv.InputError, match="as it was scored, before any other"):
        ranking.on_jod_scale().on_elo_scale()
    with pytest.raises(pv.InputError, match="on this scale before any other"):
        ranking.on_elo_scale().on_jod_scale()
    assert ranking.on_elo_scale().unit == "elo"
    assert ranking.on_jod_scale().on_jod_scale(anchor="a").to_dict()["a"] == 0.0
