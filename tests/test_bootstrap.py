"""The bootstrap's standard errors are those that theory gives, and its refusals say what to do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import pairvote as pv
from pairvote._posterior import Known
from pairvote.scoring.methods import METHODS

WORKSHOP = pv.datasets.kalmar().simulated_votes(rng=7, ties=0.5)


def centring(n_items):
    return np.eye(n_items) - 1 / n_items


def credit(votes):
    """What each vote adds to the tally: shape (n_votes, n_items)."""
    table = np.zeros((len(votes), votes.n_items))
    rows = np.arange(len(votes))
    table[rows, votes.left] = votes.outcome / 2
    table[rows, votes.right] = 1 - votes.outcome / 2
    return table


def assert_same_covariance(ranking, expected, n_resamples):
    """Each entry within five of its standard errors, those of a sample covariance of normal variables."""
    variances = np.diag(expected)
    errors = np.sqrt((np.outer(variances, variances) + expected**2) / n_resamples)
    np.testing.assert_array_less(np.abs(ranking.covariance - expected), 5 * errors + 1e-12)


def test_covariance_of_tally_by_vote_is_the_analytic_one():
    n_resamples = 2000
    ranking = pv.bootstrap(WORKSHOP, "tally", n_resamples=n_resamples, rng=1)
    # A sum of n independent draws from the votes has n times the covariance of one of them.
    one_vote = np.cov(credit(WORKSHOP).T, bias=True)
    p = centring(23)
    assert_same_covariance(ranking, p @ (len(WORKSHOP) * one_vote) @ p, n_resamples)


def test_covariance_of_tally_by_voter_is_the_analytic_one():
    n_resamples = 2000
    ranking = pv.bootstrap(WORKSHOP, "tally", n_resamples=n_resamples, by="voter", rng=1)
    ballots = np.stack([credit(WORKSHOP)[WORKSHOP.voter == voter].sum(axis=0) for voter in range(30)])
    p = centring(23)
    assert_same_covariance(ranking, p @ (30 * np.cov(ballots.T, bias=True)) @ p, n_resamples)


def test_voters_who_repeat_themselves_count_once_by_voter():
    # 40 voters of 9 equal votes each: 360 votes that hold no more than 40.
    picks = np.repeat(["left"] * 24 + ["right"] * 16, 9)
    votes = pv.Votes.from_labels(["ash"] * 360, ["birch"] * 360, picks, voter=np.repeat(np.arange(40), 9))
    by_vote = pv.bootstrap(votes, "tally", n_resamples=2000, rng=2).standard_errors[0]
    by_voter = pv.bootstrap(votes, "tally", n_resamples=2000, by="voter", rng=2).standard_errors[0]
    # The standard error of a ratio of two standard errors is its size / sqrt(n_resamples).
    assert by_voter / by_vote == pytest.approx(3.0, rel=5 / math.sqrt(2000))


def test_covariance_of_bradley_terry_is_near_the_model_where_the_model_holds():
    rng = np.random.default_rng(3)
    strengths = np.array([0.6, 0.2, -0.2, -0.6])
    left = rng.integers(4, size=4000)
    right = (left + rng.integers(1, 4, size=4000)) % 4
    won = rng.random(4000) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    votes = pv.Votes.from_codes(left, right, np.where(won, 2, 0))
    model = pv.bradley_terry(votes)
    ranking = pv.bootstrap(votes, n_resamples=400, rng=3)
    np.testing.assert_allclose(ranking.standard_errors, model.standard_errors, rtol=5 / math.sqrt(2 * 400))
    np.testing.assert_array_equal(ranking.scores, model.scores)


def test_intervals_cover():
    rng = np.random.default_rng(4)
    n_votes, n_workshops = 60, 150
    covered = 0
    for _ in range(n_workshops):
        won = rng.random(n_votes) < 0.7
        votes = pv.Votes.from_codes([0] * n_votes, [1] * n_votes, 2 * won)
        low, high = pv.bootstrap(votes, "tally", n_resamples=100, rng=rng).confidence_interval()
        covered += int(low[0] <= 0.7 * n_votes <= high[0])
    assert abs(covered / n_workshops - 0.95) < 3 * math.sqrt(0.95 * 0.05 / n_workshops)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("by", ["vote", "voter"])
def test_same_seed_same_answer_and_the_scorers_own_estimate(method, by):
    first, again, other = (pv.bootstrap(WORKSHOP, method, n_resamples=20, by=by, rng=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.covariance, again.covariance)
    np.testing.assert_array_equal(first.top_k_probability(5), again.top_k_probability(5))
    assert not np.array_equal(first.covariance, other.covariance)
    plain = pv.rank(WORKSHOP, method)
    np.testing.assert_array_equal(first.scores, plain.scores)
    for name in ("unit", "method", "log_odds_per_unit"):
        assert getattr(first, name) == getattr(plain, name)
    np.testing.assert_allclose(first.covariance.sum(axis=0), 0.0, atol=1e-9 * np.abs(first.covariance).max())


def test_the_fit_says_where_the_standard_errors_come_from():
    assert pv.bootstrap(WORKSHOP, n_resamples=2, rng=0).fit.uncertainty == "bootstrap"
    assert pv.bootstrap(WORKSHOP, "tally", n_resamples=2, rng=0).fit is None


@pytest.mark.parametrize("method", METHODS)
def test_skips_and_weightless_votes_change_nothing(method):
    extra = pv.Votes.from_codes([3, 4], [5, 6], [3, 2], items=WORKSHOP.items, voter=[1, 77], weight=[1.0, 0.0])
    plain = pv.bootstrap(WORKSHOP, method, n_resamples=10, rng=8)
    more = pv.bootstrap(extra + WORKSHOP, method, n_resamples=10, rng=8)
    np.testing.assert_array_equal(plain.covariance, more.covariance)
    assert more.skipped.sum() == 2


def test_options_and_criterion_reach_every_resample():
    criterion = np.where(np.arange(len(WORKSHOP)) % 2, "new", "useful")
    both = pv.Votes.from_codes(
        WORKSHOP.left, WORKSHOP.right, WORKSHOP.outcome, items=WORKSHOP.items, criterion=criterion
    )
    chosen = pv.bootstrap(both, "elo", n_resamples=10, rng=9, k=8.0, criterion="new")
    alone = pv.bootstrap(both.where(criterion == "new"), "elo", n_resamples=10, rng=9, k=8.0)
    np.testing.assert_array_equal(chosen.covariance, alone.covariance)
    larger = pv.bootstrap(both, "elo", n_resamples=10, rng=9, k=16.0, criterion="new")
    assert (larger.standard_errors > chosen.standard_errors).all()


def test_drawn_votes_keep_their_order():
    # The two wins in the other order give other ratings, which must never be drawn.
    votes = pv.Votes.from_wins(["ash", "birch"], ["birch", "ash"])
    samples = pv.bootstrap(votes, "elo", n_resamples=60, rng=0).uncertainty.samples
    drawn = [votes._take(np.array(rows)) for rows in ([0, 0], [0, 1], [1, 1])]
    expected = {pv.elo(resample).scores[0] for resample in drawn}
    assert pv.elo(votes._take(np.array([1, 0]))).scores[0] not in expected
    assert set(samples[:, 0].tolist()) == expected


def test_shuffled_elo_takes_its_shuffles_from_the_same_seed():
    first, again = (pv.bootstrap(WORKSHOP, "elo", n_resamples=5, rng=1, n_shuffles=3) for _ in range(2))
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.covariance, again.covariance)
    assert first.order_spread is not None


def test_top_k_probability_is_the_share_of_resamples():
    ranking = pv.bootstrap(WORKSHOP, "elo", n_resamples=50, rng=1)
    best = np.argsort(-ranking.uncertainty.samples, axis=1)[:, :5]
    np.testing.assert_allclose(ranking.top_k_probability(5), np.bincount(best.ravel(), minlength=23) / 50)
    scaled = pv.bootstrap(WORKSHOP, n_resamples=50, rng=1)
    np.testing.assert_array_equal(scaled.on_elo_scale().top_k_probability(5), scaled.top_k_probability(5))
    np.testing.assert_array_equal(ranking.top_k_probability(23), np.ones(23))


def test_items_level_at_the_last_place_share_it_evenly():
    ranking = pv.tally(pv.Votes.from_wins(["ash"], ["birch"], items=["ash", "birch", "cedar", "elm"]))
    samples = np.array([[2.0, 1.0, 1.0, 1.0], [0.0, 3.0, 3.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    shares = replace(ranking, uncertainty=Known(np.eye(4), samples)).top_k_probability(2)
    np.testing.assert_allclose(shares, [2 / 3, (1 / 3 + 1 + 1) / 3, (1 / 3 + 1) / 3, 1 / 9])
    for k in (1, 2, 3, 4):
        total = pv.bootstrap(WORKSHOP, "tally", n_resamples=50, rng=1).top_k_probability(k).sum()
        assert total == pytest.approx(k, rel=1e-12)


def test_resamples_that_cannot_be_scored_are_counted_and_named():
    # The point estimate exists, but a resample without the one vote for birch has ash undefeated.
    votes = pv.Votes.from_wins(["ash"] * 3 + ["birch"], ["birch"] * 3 + ["ash"])
    with pytest.raises(pv.NotIdentifiedError, match=r"^\d+ of 100 resamples .* undefeated.*finite prior_sd"):
        pv.bootstrap(votes, n_resamples=100, prior_sd=math.inf, rng=0)
    assert pv.bootstrap(votes, n_resamples=100, rng=0).standard_errors.shape == (2,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "borda"}, "method is 'borda'"),
        ({"n_resamples": 1}, "n_resamples is 1; "),
        ({"n_resamples": 10.0}, "n_resamples is 10.0; "),
        ({"n_resamples": True}, "n_resamples is True; "),
        ({"by": "item"}, "by is 'item'; use 'vote' or 'voter'"),
        ({"method": "elo", "prior_sd": 1.0}, "has no option 'prior_sd'"),
        ({"prior_sd": 0.0}, "prior_sd is 0.0"),
        ({"criterion": "new"}, "no criterion 'new'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(pv.InputError, match=message):
        pv.bootstrap(WORKSHOP, **options)


def test_votes_that_cannot_be_resampled_are_refused():
    with pytest.raises(pv.InputError, match="votes is a PairCounts"):
        pv.bootstrap(WORKSHOP.counts())
    with pytest.raises(pv.InputError, match="do not say who voted"):
        pv.bootstrap(pv.Votes.from_wins(["ash"], ["birch"]), by="voter")
    records = [("ash", "birch", "left", voter) for voter in ("anna", None, "bo")]
    with pytest.raises(pv.InputError, match="voters of 1 of 3 answered votes are unknown"):
        pv.bootstrap(pv.Votes.from_records(records), by="voter")
    with pytest.raises(pv.InputError, match="give 1 vote to draw from"):
        pv.bootstrap(pv.Votes.from_records([("ash", "birch", "left"), ("ash", "birch", "skip")]))
    with pytest.raises(pv.InputError, match="give 0 voters to draw from"):
        pv.bootstrap(pv.Votes.from_records([("ash", "birch", "skip", "anna")]), by="voter")
    with pytest.raises(pv.InputError, match="4,001 items"):
        pv.bootstrap(pv.Votes.from_codes([0], [1], [2], n_items=4001))
