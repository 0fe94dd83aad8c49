"""Errors between clusters of any kind, the t intervals that go with few of them, and the options that ask for them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import pairvote as pv
from pairvote.ranking._uncertainty import Known

N_ITEMS, N_VOTERS = 6, 5
RNG = np.random.default_rng(3)
LEFT = RNG.integers(N_ITEMS, size=200)
RIGHT = (LEFT + RNG.integers(1, N_ITEMS, size=200)) % N_ITEMS
OUTCOME = RNG.integers(0, 4, size=200)
VOTER = RNG.permutation(np.arange(200) % N_VOTERS)


def votes_of(**columns: Any) -> pv.Votes:
    return pv.Votes.from_codes(LEFT, RIGHT, OUTCOME, n_items=N_ITEMS, **columns)


def assert_same(found: Any, expected: Any) -> None:
    """Equal but for the order in which clusters are added up."""
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def clustered(votes: pv.Votes, clusters: Any, **options: Any) -> pv.Ranking:
    return pv.bradley_terry(votes, uncertainty="clustered", clusters=clusters, **options)


def test_clusters_are_to_clustered_what_voters_are_to_by_voter() -> None:
    expected = pv.bradley_terry(votes_of(voter=VOTER), uncertainty="by-voter")
    names = np.array(["ash", "birch", "cedar", "elm", "fir"])[VOTER]
    pairs = [("session", int(voter)) for voter in VOTER]
    arrays = (VOTER, VOTER / 2, names, names.astype(object))
    for clusters in (*arrays, VOTER.tolist(), tuple(VOTER), names.tolist(), pairs):
        ranking = clustered(votes_of(), clusters)
        assert_same(ranking.covariance, expected.covariance)
        assert ranking.fit.uncertainty == "clustered"
        assert ranking.fit.degrees_of_freedom == pytest.approx(expected.fit.degrees_of_freedom, rel=1e-12)
    # Whose the votes are does not matter then.
    assert_same(clustered(votes_of(voter=LEFT), VOTER).covariance, expected.covariance)
    covariates = np.random.default_rng(0).normal(size=(200, 1))
    one = pv.bradley_terry(votes_of(voter=VOTER), uncertainty="by-voter", covariates=covariates)
    assert_same(clustered(votes_of(), VOTER, covariates=covariates).covariance, one.covariance)


def test_categories_of_a_data_frame_are_clusters() -> None:
    pandas = pytest.importorskip("pandas")
    expected = clustered(votes_of(), VOTER).covariance
    series = pandas.Series(VOTER).map(str)
    for column in (series, series.astype("category")):
        assert_same(clustered(votes_of(), column).covariance, expected)


def test_clusters_go_with_their_votes_when_criteria_are_chosen() -> None:
    asked = np.where(np.arange(200) % 3, "new", "useful")
    votes = votes_of(criterion=asked)
    for label in ("new", "useful"):
        alone = clustered(votes_of().where(asked == label), VOTER[asked == label])
        assert_same(clustered(votes, VOTER, criterion=label).covariance, alone.covariance)
    both = clustered(votes, VOTER, criteria={"new": 1, "useful": 3})
    parts = [clustered(votes, VOTER, criterion=label) for label in ("new", "useful")]
    np.testing.assert_allclose(both.covariance, (parts[0].covariance + 9 * parts[1].covariance) / 16, rtol=1e-12)
    # Satterthwaite's rule: (v + w)^2 / (v^2 / a + w^2 / b) degrees of freedom of a sum of two variances.
    v, w = (share**2 * np.trace(part.covariance) for share, part in zip((0.25, 0.75), parts, strict=True))
    a, b = (part.fit.degrees_of_freedom for part in parts)
    low, high = both.confidence_interval()
    reach = stats.t((v + w) ** 2 / (v**2 / a + w**2 / b)).ppf(0.975)
    np.testing.assert_allclose(high - low, 2 * reach * both.standard_errors, rtol=1e-9)


# --- intervals ---


def test_intervals_of_few_clusters_are_those_of_a_t_distribution() -> None:
    ranking = clustered(votes_of(), VOTER, prior_sd=math.inf)
    freedom = ranking.fit.degrees_of_freedom
    # Of five clusters of about equal information.
    assert 3.8 < freedom < 4.0
    for level in (0.5, 0.95):
        reach = stats.t(freedom).ppf(0.5 + level / 2)
        low, high = ranking.confidence_interval(level)
        np.testing.assert_allclose(high - low, 2 * reach * ranking.standard_errors, rtol=1e-9)
        difference = ranking.difference(0, 3)
        low, high = difference.confidence_interval(level)
        assert difference.degrees_of_freedom == freedom
        assert high - low == pytest.approx(2 * reach * difference.standard_error, rel=1e-9)
        # Another scale, the same distribution.
        on_scale = ranking.on_elo_scale()
        low, high = on_scale.confidence_interval(level)
        np.testing.assert_allclose(high - low, 2 * reach * on_scale.standard_errors, rtol=1e-9)


@pytest.mark.parametrize("uncertainty", ["model", "sandwich"])
def test_other_intervals_are_normal(uncertainty) -> None:
    ranking = pv.bradley_terry(votes_of(voter=VOTER), prior_sd=3.0, uncertainty=uncertainty)
    assert ranking.fit.degrees_of_freedom == ranking.difference(0, 1).degrees_of_freedom == math.inf
    low, high = ranking.confidence_interval()
    np.testing.assert_allclose(high - low, 2 * 1.959963984540054 * ranking.standard_errors, rtol=1e-12)
    resampled = pv.bootstrap(votes_of(voter=VOTER), n_resamples=20, rng=0, uncertainty="by-voter")
    assert resampled.fit.degrees_of_freedom == math.inf


def test_degrees_of_freedom_follow_from_how_much_clusters_say() -> None:
    def freedom(clusters: Any, prior_sd: float = math.inf) -> float:
        return clustered(votes_of(), clusters, prior_sd=prior_sd).fit.degrees_of_freedom

    many = freedom(np.arange(200) % 40)
    assert 30 < many < 39
    # One cluster of 160 votes beside four of 10 says nearly all: (sum n)^2 / sum n^2 = 1.54 clusters in effect.
    assert freedom(np.where(np.arange(200) < 160, 0, np.arange(200) % 4 + 1)) == 1.0
    # What the prior decides needs no clusters.
    assert freedom(VOTER) < freedom(VOTER, 3.0) < freedom(VOTER, 1.0) < freedom(VOTER, 0.3)
    ranking = clustered(votes_of(), VOTER, prior_sd=0.5)
    information = np.linalg.inv(ranking.fit._posterior._inverse)
    centring = np.eye(N_ITEMS) - 1 / N_ITEMS
    inverse = np.linalg.inv(information)[:N_ITEMS, :N_ITEMS]
    of_prior = 4.0 * np.trace(centring @ inverse @ inverse @ centring)
    # The tie parameter has a part in the inverse, and none in the prior.
    share = 1 - of_prior / np.trace(ranking.covariance)
    effective = freedom(VOTER) + 1
    assert ranking.fit.degrees_of_freedom == pytest.approx((effective - 1) / share**2, rel=0.02)


# --- what must not happen ---


@pytest.mark.parametrize("uncertainty", ["by-voter", "sandwich"])
@pytest.mark.parametrize("exponent", [-200, 158, 200, 300])
def test_weights_of_any_size_have_errors(uncertainty, exponent) -> None:
    options: dict[str, Any] = {"uncertainty": uncertainty, "prior_sd": math.inf}
    once = pv.bradley_terry(votes_of(voter=VOTER), **options).standard_errors
    size = 1.0 if uncertainty == "by-voter" else 10.0 ** (-exponent / 2)
    heavy = votes_of(voter=VOTER, weight=np.full(200, 10.0**exponent))
    np.testing.assert_allclose(pv.bradley_terry(heavy, **options).standard_errors, once * size, rtol=1e-6)
    with_prior = pv.bradley_terry(heavy, uncertainty=uncertainty).standard_errors
    assert np.isfinite(with_prior).all()
    assert (with_prior > 0).all()


@pytest.mark.parametrize("uncertainty", ["sandwich", "by-voter"])
@pytest.mark.parametrize("n_each", [1, 100])
def test_votes_that_are_all_ties_are_not_certain(n_each, uncertainty) -> None:
    """Their gradients are zero: the errors are those of one vote (or voter) among n that was not."""
    votes = pv.Votes.from_labels(
        ["oak", "elm", "fir"] * n_each * 2,
        ["elm", "fir", "oak"] * n_each * 2,
        ["tie"] * 6 * n_each,
        voter=["a"] * 3 * n_each + ["b"] * 3 * n_each,
    )
    ranking = pv.bradley_terry(votes, ties="half", prior_sd=math.inf, uncertainty=uncertainty)
    # Three pairs with an information of n/2 each: the inverse for centred scores is 2/3 / (n/2 * 3) on the diagonal.
    by_model = 2 / 3 / (2 * n_each / 4 * 3)
    n_pieces = 2 if uncertainty == "by-voter" else 6 * n_each
    np.testing.assert_allclose(ranking.standard_errors**2, by_model / (n_pieces + 1), rtol=1e-9)
    # Where half of the votes are decided, nothing is added to what they say.
    mixed = pv.Votes.from_labels(["oak", "elm"] * 40, ["elm", "oak"] * 40, ["left", "tie", "tie", "left"] * 20)
    plain = pv.bradley_terry(mixed, ties="half", prior_sd=math.inf)
    p = 1 / (1 + np.exp(plain.scores[1] - plain.scores[0]))
    gradients = np.array([1 - p] * 20 + [0.5 - p] * 40 + [-p] * 20)
    assert (gradients @ gradients) > 0.49 * 80 * p * (1 - p)
    variance = gradients @ gradients / (80 * p * (1 - p)) ** 2 / 4
    np.testing.assert_allclose(plain.standard_errors**2, variance, rtol=1e-8)


def refusal(votes: Any, **options: Any) -> str:
    with pytest.raises(pv.InputError) as caught:
        pv.bradley_terry(votes, **options)
    return str(caught.value)


def test_clusters_are_checked() -> None:
    votes = votes_of(voter=VOTER)
    assert "clusters is not given; pass clusters=" in refusal(votes, uncertainty="clustered")
    for uncertainty in ("model", "sandwich", "by-voter", "none"):
        message = refusal(votes, clusters=VOTER, uncertainty=uncertainty)
        assert f"clusters is given and uncertainty is {uncertainty!r}; pass uncertainty='clustered'" in message

    def wrong(clusters: Any, votes: Any = votes) -> str:
        return refusal(votes, clusters=clusters, uncertainty="clustered")

    assert "clusters has 199 entries and there are 200 votes; pass one label for every row" in wrong(VOTER[1:])
    assert "clusters is 5" in wrong(5)
    assert "fall into 1 cluster; errors between clusters need at least 2" in wrong(np.zeros(200, int))
    assert "not hashable" in wrong([[1]] * 200)
    assert "votes is a PairCounts, which has no rows for clusters=" in wrong(VOTER, votes.counts())
    assert "votes is a list" in wrong(VOTER, [1, 2])
    answered = int(np.flatnonzero(OUTCOME != pv.Outcome.SKIP)[3])
    names = [None if row == answered else voter for row, voter in enumerate(VOTER.tolist())]
    assert f"clusters at row {answered} is missing" in wrong(names)
    # Skips need none.
    skipped = np.flatnonzero(OUTCOME == pv.Outcome.SKIP)
    names = [None if row in skipped else voter for row, voter in enumerate(VOTER.tolist())]
    assert_same(clustered(votes, names).covariance, clustered(votes, VOTER).covariance)


def test_an_item_that_only_one_cluster_knows_has_no_errors() -> None:
    clusters = np.where((LEFT == 2) | (RIGHT == 2), 0, 1 + np.arange(200) % 4)
    ranking = clustered(votes_of(), clusters, prior_sd=math.inf)
    with pytest.raises(pv.MissingUncertaintyError, match=r"'clustered' and .* only one cluster has votes on, a single"):
        ranking.standard_errors  # noqa: B018
    assert np.isfinite(clustered(votes_of(), clusters).standard_errors).all()


def test_statements_on_ranks_know_how_little_few_clusters_say() -> None:
    """Intervals of ranks are as wide as those by a normal of an error that is longer by the ratio of quantiles."""
    few = clustered(votes_of(), VOTER % 3, prior_sd=3.0)
    assert few.fit.degrees_of_freedom < 3
    normal = replace(few, _uncertainty=Known(few.covariance, is_posterior=True))
    for options in ({"kind": "confidence"}, {"kind": "credible"}, {"kind": "credible", "simultaneous": False}):
        ours, theirs = (ranking.rank_interval(rng=0, **options) for ranking in (few, normal))
        assert (ours.low <= theirs.low).all()
        assert (ours.high >= theirs.high).all()
        assert (ours.high - ours.low).sum() > (theirs.high - theirs.low).sum()
    # Chances are nearer to even.
    chances, sharper = (ranking.top_k_probability(2, rng=0) for ranking in (few, normal))
    assert np.abs(chances - 1 / 3).sum() < np.abs(sharper - 1 / 3).sum()
