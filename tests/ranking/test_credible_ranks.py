"""What is said of ranks by the posterior: intervals, tiers and chances, against slow loops and known posteriors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import reference

import pairvote as pv
from pairvote.ranking._credible_ranks import credible_limits, credible_tiers, places_of
from pairvote.ranking._order import ranks_of
from pairvote.ranking._uncertainty import Chosen, Combined, Known, Scaled

VOTES = pv.datasets.kalmar().simulated_votes(rng=2014)
KALMAR = pv.bradley_terry(VOTES, prior_sd=3.0)
LEARNED = pv.bradley_terry(VOTES)


def drawn(n_items: int, n_draws: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Draws of scores that are known well and less well, and the ranks of their means."""
    rng = np.random.default_rng(seed)
    means, errors = spread * rng.normal(size=n_items), np.exp(0.3 * rng.normal(size=n_items))
    draws = means + errors * rng.normal(size=(n_draws, n_items))
    return draws, ranks_of(draws.mean(axis=0), 0.0)


def refusal(function, *arguments, error=pv.InputError, **options) -> str:
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    return str(caught.value)


# --- intervals ---


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("seed", range(3))
def test_one_by_one_they_are_the_narrowest_that_hold_the_level(level, seed) -> None:
    draws, ranks = drawn(5, 120, seed)
    low, high = credible_limits(draws, ranks, level, False)
    places = 1 + places_of(draws)
    assert (((low <= places) & (places <= high)).mean(axis=0) >= level).all()
    assert ((low >= 1) & (low <= ranks) & (ranks <= high) & (high <= 5)).all()
    # Narrower than the narrowest they cannot be, nor wider than it would be for one draw more, which the normal adds.
    widths = high - low + 1
    assert (widths >= reference.credible_ranks(draws, level)).all()
    assert (widths <= reference.credible_ranks(draws, level + 1 / 120)).all()


def test_the_places_of_a_draw() -> None:
    assert places_of(np.array([[0.5, 2.0, -1.0], [1.0, 0.0, 3.0]])).tolist() == [[1, 0, 2], [1, 2, 0]]


def test_a_second_peak_is_reached_across_the_valley() -> None:
    # Item 0 is best in half of the draws and last in the others; so any interval with most of them is the whole.
    rng = np.random.default_rng(0)
    others = np.array([4.0, 3.0, 2.0, 1.0]) + 0.01 * rng.normal(size=(400, 4))
    draws = np.column_stack([np.where(np.arange(400) % 2, 9.0, -9.0), others])
    low, high = credible_limits(draws, np.array([1, 2, 3, 4, 5]), 0.9, False)
    assert (low[0], high[0]) == (1, 5)
    # The others have two ranks each, side by side.
    assert (high - low)[1:].tolist() == [1] * 4


@pytest.mark.parametrize("n_items", [2, 5, 23])
def test_simultaneous_ones_hold_the_others_and_a_higher_level_only_widens(n_items) -> None:
    draws, ranks = drawn(n_items, 500, n_items)
    before = None
    for level in (0.01, 0.5, 0.9, 0.95, 0.99, 1 - 1e-12):
        both = [credible_limits(draws, ranks, level, which) for which in (True, False)]
        (low, high), (inner_low, inner_high) = both
        assert (low <= inner_low).all()
        assert (inner_high <= high).all()
        if before is not None:
            for wide, narrow in zip(both, before, strict=True):
                assert (wide[0] <= narrow[0]).all()
                assert (narrow[1] <= wide[1]).all()
        before = both


def test_relabelling_permutes_and_the_unit_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(23).tolist()
    other = pv.bradley_terry(
        pv.Votes.from_codes(
            *(np.argsort(order)[codes] for codes in (VOTES.left, VOTES.right)), VOTES.outcome, n_items=23
        ),
        prior_sd=3.0,
    )
    scaled = KALMAR.on_elo_scale()
    for simultaneous in (True, False):
        ours, theirs, elo = (which.rank_interval(simultaneous=simultaneous, rng=1) for which in (KALMAR, other, scaled))
        np.testing.assert_array_equal(ours, elo)
        np.testing.assert_array_equal(np.array(ours)[:, order], theirs)
    np.testing.assert_array_equal(KALMAR.tiers(rng=1), scaled.tiers(rng=1))
    np.testing.assert_array_equal(KALMAR.tiers(rng=1)[order], other.tiers(rng=1))
    np.testing.assert_allclose(KALMAR.top_k_probability(5)[order], other.top_k_probability(5), atol=1e-12)


@pytest.mark.parametrize(
    ("n_items", "n_draws", "carried"), [(23, 300, 0.0), (23, 1000, 0.4), (60, 700, 0.0), (120, 1000, 0.2)]
)
def test_the_simultaneous_level_is_met_though_the_draws_are_few(n_items, n_draws, carried) -> None:
    """The posterior is known and the truth drawn from it; draws of a chain resemble the one before."""
    rng = np.random.default_rng(n_items + n_draws)
    together, alone, in_order = [], [], []
    for _ in range(12):
        means, errors = rng.normal(size=n_items), 0.4 * np.exp(0.3 * rng.normal(size=n_items))
        steps = rng.normal(size=(n_draws, n_items))
        for number in range(1, n_draws):
            steps[number] = carried * steps[number - 1] + math.sqrt(1 - carried**2) * steps[number]
        draws = means + errors * steps
        ranks = ranks_of(draws.mean(axis=0), 0.0)
        strengths = means + errors * rng.normal(size=(300, n_items))
        truth = 1 + places_of(strengths)
        for simultaneous in (True, False):
            low, high = credible_limits(draws, ranks, 0.95, simultaneous)
            holds = (low <= truth) & (truth <= high)
            (together if simultaneous else alone).append(holds.all(axis=1).mean() if simultaneous else holds.mean())
        tiers, order = credible_tiers(draws, ranks, 0.95), np.argsort(ranks)
        best = order[np.flatnonzero(np.diff(tiers[order], prepend=0))]
        in_order.append((np.diff(strengths[:, best], axis=1) < 0).all(axis=1).mean())
    assert 0.93 < np.mean(together) < 0.97
    assert 0.945 < np.mean(alone) < 0.98
    assert 0.93 < np.mean(in_order) < 0.98


@pytest.mark.parametrize("n_draws", [1, 2, 7])
def test_a_handful_of_draws_says_little_but_something(n_draws) -> None:
    draws, ranks = drawn(6, n_draws, 1)
    for simultaneous in (True, False):
        low, high = credible_limits(draws, ranks, 0.9, simultaneous)
        assert ((low >= 1) & (low <= ranks) & (ranks <= high) & (high <= 6)).all()
    assert credible_tiers(draws, ranks, 0.9).min() == 1


def test_few_items() -> None:
    for n_items in (0, 1, 2):
        ranking = KALMAR.only(KALMAR.top(n_items + 1)[1:])
        for simultaneous in (True, False):
            low, high = ranking.rank_interval(kind="credible", simultaneous=simultaneous)
            assert low.tolist() == [1] * n_items
            assert high.tolist() == [n_items] * n_items
        assert ranking.tiers(kind="credible").tolist() == [1] * n_items


# --- kinds ---


def test_credible_where_there_is_a_posterior_and_else_confidence() -> None:
    flat = pv.bradley_terry(VOTES, prior_sd=math.inf)
    resampled = pv.bootstrap(VOTES, "bradley-terry", n_resamples=100, rng=0)
    credible = [KALMAR, KALMAR.on_elo_scale(), LEARNED, pv.bradley_terry(VOTES, uncertainty="sandwich")]
    for ranking in credible:
        wide, narrow = ranking.rank_interval(kind="confidence"), ranking.rank_interval(kind="credible")
        np.testing.assert_array_equal(ranking.rank_interval(), narrow)
        np.testing.assert_array_equal(ranking.tiers(), ranking.tiers(kind="credible"))
        assert (narrow.high - narrow.low).sum() < 0.8 * (wide.high - wide.low).sum()
        assert ranking.tiers(kind="credible").max() > ranking.tiers(kind="confidence").max()
    for ranking in (flat, resampled):
        np.testing.assert_array_equal(ranking.rank_interval(), ranking.rank_interval(kind="confidence"))
        np.testing.assert_array_equal(ranking.tiers(), ranking.tiers(kind="confidence"))
        for ask in (ranking.rank_interval, ranking.tiers):
            message = refusal(ask, kind="credible")
            assert message.startswith("kind is 'credible', and this ranking by 'bradley-terry' has no posterior; ")
    assert refusal(KALMAR.tiers, kind="bayes") == "kind is 'bayes'; use 'credible' or 'confidence'"
    without = pv.tally(VOTES)
    for ask in (without.rank_interval, without.tiers, lambda: without.top_k_probability(2)):
        assert "bootstrap" in refusal(ask, error=pv.MissingUncertaintyError)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, math.nan, "0.95", None, True])
def test_level_out_of_range_is_refused(level) -> None:
    for ask in (KALMAR.rank_interval, KALMAR.tiers, KALMAR.only([]).rank_interval, KALMAR.only([]).tiers):
        assert refusal(ask, level) == f"level is {level!r}; it is a probability between 0 and 1, such as 0.95"


# --- one set of draws ---


def test_all_chances_come_from_the_draws_at_hand() -> None:
    draws, ranks = drawn(6, 400, 5)
    ranking = pv.Ranking(
        items=tuple("abcdef"),
        scores=draws.mean(axis=0),
        unit="log-odds",
        method="by hand",
        _totals=np.ones((6, 4)),
        _first=None,
        _uncertainty=Known(np.cov(draws.T), draws, is_posterior=True),
    )
    for simultaneous in (True, False):
        low, high = ranking.rank_interval(0.9, simultaneous=simultaneous, rng=1)
        np.testing.assert_array_equal([low, high], credible_limits(draws, ranks, 0.9, simultaneous))
    np.testing.assert_array_equal(ranking.tiers(0.9, rng=7), credible_tiers(draws, ranks, 0.9))
    places = places_of(draws)
    for k in range(1, 7):
        np.testing.assert_allclose(ranking.top_k_probability(k), (places < k).mean(axis=0))
    part = ranking.only(list("fba"))
    assert part.top_k_probability(1)[2] == (draws[:, 0] > draws[:, [1, 5]].max(axis=1)).mean()


def test_without_an_rng_every_call_says_the_same() -> None:
    for first, prior_sd in ((KALMAR, 3.0), (LEARNED, "learned")):
        again = pv.bradley_terry(VOTES, prior_sd=prior_sd)
        for ask in ("rank_interval", "tiers"):
            np.testing.assert_array_equal(getattr(first, ask)(), getattr(again, ask)())
        np.testing.assert_array_equal(first.top_k_probability(5), again.top_k_probability(5))
    assert (KALMAR.top_k_probability(5, rng=1) != KALMAR.top_k_probability(5)).any()
    # Draws at hand are taken as they are.
    np.testing.assert_array_equal(LEARNED.top_k_probability(5, rng=1), LEARNED.top_k_probability(5))


def test_criteria_add_up_their_draws_as_independent() -> None:
    samples, _ = drawn(4, 5000, 2)
    samples -= samples.mean(axis=0)
    one = Known(np.cov(samples.T), samples, is_posterior=True)
    # Both criteria were drawn from one seed, so draw by draw they are the same.
    both = Combined((one, Scaled(one, 2.0)), (0.5, 0.5))
    assert both.is_posterior
    np.testing.assert_allclose(np.cov(both.samples.T), both.covariance(), atol=0.12)
    shorter = Combined((one, Known(one.matrix, samples[:100], is_posterior=True)), (0.5, 0.5))
    assert shorter.samples.shape == (100, 4)
    mixed = Combined((one, Known(one.matrix)), (0.5, 0.5))
    assert mixed.samples is None
    assert not mixed.is_posterior
    part = Chosen(both, np.array([3, 1]), 4)
    np.testing.assert_array_equal(part.samples, both.samples[:, [3, 1]])
    assert part.contrast_variance(np.array([1.0, -1.0])) == pytest.approx(
        both.contrast_variance(np.array([0, -1, 0, 1.0]))
    )


def test_rankings_of_several_criteria_have_credible_ranks() -> None:
    twice = pv.Votes.from_codes(
        np.tile(VOTES.left, 2),
        np.tile(VOTES.right, 2),
        np.tile(VOTES.outcome, 2),
        n_items=23,
        criterion=["useful"] * len(VOTES) + ["new"] * len(VOTES),
    )
    ranking = pv.bradley_terry(twice, criteria={"useful": 1, "new": 1})
    np.testing.assert_array_equal(ranking.rank_interval(), ranking.rank_interval(kind="credible"))
    width, alone = (np.subtract(*which.rank_interval()[::-1]).sum() for which in (ranking, KALMAR))
    assert width < alone


# --- tiers ---


def test_tiers_are_as_many_as_the_draws_bear() -> None:
    rng = np.random.default_rng(8)
    steps = rng.normal(size=(2000, 5)) + np.array([0.0, -6.0, -7.0, -14.0, -15.0])
    assert credible_tiers(steps, np.array([1, 2, 3, 4, 5]), 0.95).tolist() == [1, 2, 2, 3, 3]
    level = rng.normal(size=(2000, 5))
    assert credible_tiers(level, np.array([1, 1, 1, 1, 1]), 0.95).tolist() == [1] * 5
    assert credible_tiers(level, np.array([1, 2, 3, 4, 5]), 0.95).tolist() == [1] * 5


def test_level_items_share_a_tier() -> None:
    rng = np.random.default_rng(9)
    # The second and the third are level, and only one of them is surely behind the first.
    draws = np.array([5.0, 0.0, 0.0, -30.0]) + rng.normal(size=(1000, 4)) * [1.0, 0.3, 5.0, 1.0]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        found = credible_tiers(draws[:, order], np.array([1, 2, 2, 4])[order], 0.95)
        assert found.tolist() == np.array([1, 1, 1, 2])[order].tolist()


@pytest.mark.parametrize("ranking", [KALMAR, LEARNED], ids=["normal", "learned"])
def test_tiers_go_down_the_ranking(ranking) -> None:
    for level in (0.5, 0.9, 0.99):
        tiers = ranking.tiers(level)
        down = tiers[np.argsort(ranking.ranks(), kind="stable")]
        assert down[0] == 1
        assert set(np.diff(down)) <= {0, 1}
        assert tiers.dtype == np.int64
        assert not tiers.flags.writeable
    assert ranking.tiers(0.5).max() > ranking.tiers(0.99).max()


def test_scores_far_apart_have_a_tier_each() -> None:
    apart = replace(KALMAR, scores=KALMAR.scores * 1000)
    assert apart.tiers().max() == apart.ranks().max()
