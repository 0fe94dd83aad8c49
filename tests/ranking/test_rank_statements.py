"""What is said of ranks holds: intervals, tiers, quasi-variances; against slow loops, exact cases and simulation."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote import _kernels
from pairvote.ranking._credible_ranks import NormalDraws, credible_limits, credible_tiers, normal_draws
from pairvote.ranking._quasi_variances import fit_quasi_variances
from pairvote.ranking._rank_intervals import (
    DRAWS,
    Draws,
    Estimate,
    critical_values,
    drawn_errors,
    rank_bounds,
    rank_limits,
)
from pairvote.ranking._uncertainty import Known

KALMAR = pv.bradley_terry(pv.datasets.kalmar().simulated_votes(rng=2014), prior_sd=3.0)
N_WORKSHOPS = 200 if _kernels.davidson.COMPILED else 40
UNCORRELATED = np.eye(5)


def ranking_of(scores, covariance, unit: pv.ranking.Unit = "log-odds", items=None) -> pv.Ranking:
    """A ranking of these scores that no votes led to."""
    items = tuple(range(len(scores))) if items is None else tuple(items)
    return pv.Ranking(
        items=items,
        scores=np.array(scores, float),
        unit=unit,
        method="by hand",
        _totals=np.ones((len(items), 4)),
        _first=None,
        _uncertainty=Known(np.array(covariance, float)),
    )


def random_covariance(rng: np.random.Generator, n_items: int) -> np.ndarray:
    """Of correlated scores that are known well and less well, centred."""
    roots = rng.normal(size=(n_items, n_items + 2)) * np.exp(rng.normal(size=(n_items, 1)))
    centring = np.eye(n_items) - 1 / n_items
    return centring @ (roots @ roots.T) @ centring


@st.composite
def rankings(draw: st.DrawFn, max_items: int = 8, level_scores: bool = True) -> pv.Ranking:
    n_items = draw(st.integers(1, max_items))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = rng.normal(size=n_items) * draw(st.sampled_from([0.5, 5.0, 50.0]))
    if level_scores and draw(st.booleans()):
        scores = scores.round()
    return ranking_of(scores, random_covariance(rng, n_items))


def quick_interval(
    ranking: pv.Ranking, level: float, simultaneous: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """What `rank_interval` says, from a tenth of the draws."""
    estimate = Estimate(ranking.scores, ranking.covariance, ranking.ranks())
    return rank_limits(estimate, level, simultaneous, rng, Draws(most_draws=1_000))


def significant_of(ranking: pv.Ranking, level: float, simultaneous: bool, seed: int) -> set:
    """The pairs of items that differ significantly, by the reference, for the draws that `rank_interval` takes."""
    order = np.argsort(ranking.ranks(), kind="stable")
    drawn = drawn_errors(ranking.covariance[np.ix_(order, order)], level, np.random.default_rng(seed))
    draws = None if drawn is None else drawn[np.argsort(order)].T
    return reference.stepped_down(ranking.scores, ranking.covariance, level, draws, of_one=not simultaneous)


def one_step(
    covariance: np.ndarray, level: float, simultaneous: bool, rng: np.random.Generator, draws: Draws = DRAWS
) -> np.ndarray:
    """The critical values over all differences."""
    errors = np.sqrt(reference.difference_variances(covariance))
    return critical_values(errors > 0, errors, drawn_errors(covariance, level, rng, draws), level, simultaneous)


def refusal(function, *arguments, error=pv.InputError, **options) -> str:
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    return str(caught.value)


# Score and standard error of each country, in the order of the alphabet.
PISA = """
    491.36 1.939833 498.9423 2.970999 508.0703 2.262662 512.0169 2.357476 417.4066 2.415888 390.9323 2.989559
    499.4677 2.460662 509.3984 1.735002 523.4146 1.743602 507.3014 1.96792 495.4076 2.320214 500.0438 2.647083
    451.3703 3.091228 481.0826 2.319597 495.1874 1.953083 499.6329 2.198621 463.0345 3.498563 486.5899 2.780046
    526.9733 2.471475 525.933 3.121394 496.1263 1.962767 481.1912 1.953282 483.4215 1.097632 408.8015 2.493226
    519.231 2.632278 494.4897 1.705943 500.9638 2.219045 515.6479 2.602085 492.4874 2.68457 486.1649 2.555596
    508.8975 1.363878 481.3926 1.462418 502.3877 2.654251 515.3147 2.908004 453.5078 2.260407 501.7699 2.564428
    478.2447 3.235444
"""


# --- intervals of ranks ---


@given(rankings(), st.sampled_from([0.5, 0.9, 0.95]), st.booleans())
def test_rank_bounds_equal_the_reference(ranking, level, simultaneous) -> None:
    best, worst = reference.rank_bounds(ranking.scores, significant_of(ranking, level, simultaneous, seed=1))
    low, high = ranking.rank_interval(level, simultaneous=simultaneous, rng=1)
    np.testing.assert_array_equal(low, best)
    np.testing.assert_array_equal(high, worst)
    assert low.dtype == high.dtype == np.int64
    assert not low.flags.writeable
    assert not high.flags.writeable


@given(rankings())
def test_intervals_hold_the_estimate_and_simultaneous_ones_hold_the_marginal(ranking) -> None:
    (low, high), (inner_low, inner_high) = (ranking.rank_interval(simultaneous=both, rng=0) for both in (True, False))
    assert (low <= inner_low).all()
    assert (inner_low <= ranking.ranks()).all()
    assert (ranking.ranks() <= inner_high).all()
    assert (inner_high <= high).all()


@given(rankings(), st.booleans())
def test_a_higher_level_only_widens(ranking, simultaneous) -> None:
    levels = [0.01, 0.5, 0.95, 0.999, 0.9999, 0.99999, 1 - 1e-12]
    intervals = [ranking.rank_interval(level, simultaneous=simultaneous, rng=0) for level in levels]
    for narrow, wide in pairwise(intervals):
        assert (wide.low <= narrow.low).all()
        assert (narrow.high <= wide.high).all()


@given(rankings(level_scores=False), st.randoms(use_true_random=False))
def test_relabelling_permutes(ranking, random) -> None:
    order = list(range(ranking.n_items))
    random.shuffle(order)
    other = ranking_of(ranking.scores[order], ranking.covariance[np.ix_(order, order)])
    for simultaneous in (True, False):
        ours, theirs = (which.rank_interval(simultaneous=simultaneous, rng=3) for which in (ranking, other))
        np.testing.assert_array_equal(ours.low[order], theirs.low)
        np.testing.assert_array_equal(ours.high[order], theirs.high)
    np.testing.assert_array_equal(ranking.tiers(rng=3)[order], other.tiers(rng=3))
    np.testing.assert_allclose(ranking.quasi_variances[order], other.quasi_variances, rtol=1e-8)


@given(rankings())
def test_the_unit_changes_nothing_but_the_size_of_quasi_variances(ranking) -> None:
    scaled, square = ranking.on_elo_scale(), (400 / math.log(10)) ** 2
    for simultaneous in (True, False):
        ours, theirs = (which.rank_interval(simultaneous=simultaneous, rng=3) for which in (ranking, scaled))
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(ranking.tiers(rng=3), scaled.tiers(rng=3))
    np.testing.assert_allclose(scaled.quasi_variances, square * ranking.quasi_variances, rtol=1e-8)
    assert scaled.quasi_variance_error == pytest.approx(ranking.quasi_variance_error, abs=1e-7)


@pytest.mark.parametrize("simultaneous", [True, False])
def test_items_far_apart_stand_where_they_stand_and_level_ones_anywhere(simultaneous) -> None:
    apart = ranking_of([30, 10, 50, 20, 40], UNCORRELATED)
    np.testing.assert_array_equal(apart.rank_interval(simultaneous=simultaneous, rng=0), [[3, 5, 1, 4, 2]] * 2)
    assert apart.tiers(rng=0).tolist() == [3, 5, 1, 4, 2]
    level = ranking_of([7.0] * 5, UNCORRELATED)
    np.testing.assert_array_equal(level.rank_interval(simultaneous=simultaneous, rng=0), [[1] * 5, [5] * 5])
    assert level.tiers(rng=0).tolist() == [1] * 5


def test_two_items_are_told_apart_where_their_difference_is() -> None:
    for gap in (2.7, 2.8):
        ranking = ranking_of([gap, 0.0], np.eye(2))
        low, _ = ranking.difference(0, 1).confidence_interval(0.95)
        for simultaneous in (True, False):
            bounds = ranking.rank_interval(simultaneous=simultaneous)
            np.testing.assert_array_equal(bounds, [[1, 2], [1, 2]] if low > 0 else [[1, 1], [2, 2]])
        assert ranking.tiers().tolist() == ([1, 2] if low > 0 else [1, 1])
        assert (low > 0) == (gap == 2.8)


def test_few_items() -> None:
    for n_items in (0, 1):
        ranking = ranking_of(np.zeros(n_items), np.zeros((n_items, n_items)))
        for simultaneous in (True, False):
            np.testing.assert_array_equal(ranking.rank_interval(simultaneous=simultaneous), np.ones((2, n_items)))
        assert ranking.tiers().tolist() == [1] * n_items
        assert ranking.quasi_variances.tolist() == [0.0] * n_items
        assert ranking.quasi_variance_error == 0.0


def test_items_that_never_differ_are_told_apart_exactly() -> None:
    # Items 0 and 1 move together, whatever the votes; so any lead is certain, and none is none.
    covariance = np.array([[0.3, 0.3, 0.1], [0.3, 0.3, 0.1], [0.1, 0.1, 0.7]])
    for gap, low, high in ((0.0, [1, 1, 1], [3, 3, 3]), (1e-12, [1, 1, 1], [3, 3, 3]), (1e-5, [1, 2, 1], [2, 3, 3])):
        ranking = ranking_of([gap, 0.0, 0.0], covariance)
        for simultaneous in (True, False):
            np.testing.assert_array_equal(ranking.rank_interval(simultaneous=simultaneous, rng=0), [low, high])
    assert ranking.tiers(rng=0).tolist() == [1, 2, 2]
    # The critical value is that of the differences left, here one: of two items' with the third.
    bound = one_step(covariance, 0.95, True, np.random.default_rng(0))
    assert bound == pytest.approx([1.96] * 3, abs=0.05)
    still = ranking_of([2, 1, 0], np.zeros((3, 3)))
    np.testing.assert_array_equal(still.rank_interval(rng=0), [[1, 2, 3], [1, 2, 3]])
    assert still.tiers(rng=0).tolist() == [1, 2, 3]


@pytest.mark.parametrize("seed", range(10))
def test_what_rounding_leaves_of_no_variance_is_none(seed) -> None:
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(6, 8))
    roots[3] = roots[0]
    centring = np.eye(6) - 1 / 6
    ranking = ranking_of([1e-6, 0.0, 0.0, 0.0, 0.0, 0.0], centring @ (roots @ roots.T) @ centring)
    # Item 0 is ahead of item 3 for certain, and of the others nobody knows.
    low, high = ranking.rank_interval(rng=0)
    assert low.tolist() == [1, 1, 1, 2, 1, 1]
    assert high.tolist() == [5, 6, 6, 6, 6, 6]
    assert "the difference of 0 and 3 has no variance" in refusal(lambda: ranking.quasi_variances)


def test_a_bootstrap_with_items_nobody_saw_says_so_of_the_others() -> None:
    votes = pv.Votes.from_wins(
        ["ash"] * 40 + ["birch"] * 5, ["birch"] * 40 + ["ash"] * 5, items=["x", "y", "ash", "birch"]
    )
    ranking = pv.bootstrap(votes, "tally", n_resamples=50, rng=0)
    assert ranking.tiers(rng=0).tolist() == [3, 3, 1, 2]
    np.testing.assert_array_equal(ranking.rank_interval(rng=0), [[3, 3, 1, 2], [4, 4, 1, 2]])
    message = refusal(lambda: ranking.quasi_variances)
    assert message.startswith("the difference of 'x' and 'y' has no variance")


def test_the_draws_are_the_seeds() -> None:
    first = KALMAR.rank_interval(0.8, rng=5)
    np.testing.assert_array_equal(first, KALMAR.rank_interval(0.8, rng=np.random.default_rng(5)))
    rng = np.random.default_rng(5)
    KALMAR.rank_interval(0.8, rng=rng)
    assert rng.bit_generator.state != np.random.default_rng(5).bit_generator.state


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, math.nan, "0.95", None, True])
def test_level_out_of_range_is_refused(level) -> None:
    expected = f"level is {level!r}; it is a probability between 0 and 1, such as 0.95"
    for ranking in (KALMAR, ranking_of([], np.empty((0, 0)))):
        for simultaneous in (True, False):
            assert refusal(ranking.rank_interval, level, simultaneous=simultaneous) == expected
        assert refusal(ranking.tiers, level) == expected


def test_simultaneous_is_yes_or_no() -> None:
    assert refusal(KALMAR.rank_interval, simultaneous="no") == "simultaneous is 'no'; it is True or False"
    np.testing.assert_array_equal(
        KALMAR.rank_interval(simultaneous=np.False_, rng=0), KALMAR.rank_interval(simultaneous=False, rng=0)
    )


def test_where_there_is_no_covariance_it_says_who_has_one() -> None:
    ranking = pv.tally(pv.Votes.from_wins(["ash"], ["birch"]))
    asks = (ranking.rank_interval, ranking.tiers, lambda: ranking.quasi_variances, lambda: ranking.quasi_variance_error)
    for ask in asks:
        assert "bootstrap" in refusal(ask, error=pv.MissingUncertaintyError)


# --- critical values ---


@pytest.mark.slow
@pytest.mark.parametrize("n_items", [3, 10, 60])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("simultaneous", [True, False])
def test_critical_values_are_tukeys_and_dunnetts(n_items, level, simultaneous) -> None:
    found = one_step(np.eye(n_items), level, simultaneous, np.random.default_rng(1))
    expected = reference.largest_error_quantile(level, n_items, of_one=not simultaneous)
    # 10,000 draws give a quantile with the error sqrt(p (1 - p) / 10,000) / density; 60 of them go up to 4 such.
    step = 1e-3
    above = reference.largest_error_quantile(level + step, n_items, of_one=not simultaneous)
    error = math.sqrt(level * (1 - level) / 10_000) * (above - expected) / step
    assert np.abs(found - expected).max() < (4 if n_items == 60 else 3) * error
    assert (len(set(found)) == 1) == simultaneous


def test_critical_values_hold_for_fresh_draws_of_unequal_and_correlated_scores() -> None:
    rng = np.random.default_rng(7)
    covariance = random_covariance(rng, 7)
    errors = np.sqrt(reference.difference_variances(covariance))
    draws = rng.multivariate_normal(np.zeros(7), covariance, size=40_000, method="svd")
    ratios = np.abs(draws[:, :, None] - draws[:, None, :]) / (errors + np.eye(7))
    for level in (0.8, 0.95):
        allowed = 3.5 * math.sqrt(level * (1 - level) * (1 / 10_000 + 1 / 40_000))
        together, alone = (one_step(covariance, level, which, rng) for which in (True, False))
        assert abs((ratios.max(axis=(1, 2)) <= together[0]).mean() - level) < allowed
        assert np.abs((ratios.max(axis=2) <= alone).mean(axis=0) - level).max() < allowed


def test_many_items_take_the_bound_and_it_bounds() -> None:
    covariance, rng = np.eye(20), np.random.default_rng(0)
    drawn = [one_step(covariance, 0.95, which, rng)[0] for which in (True, False)]
    state = rng.bit_generator.state
    none = Draws(most_items=19)
    bound = [one_step(covariance, 0.95, which, rng, none)[0] for which in (True, False)]
    assert rng.bit_generator.state == state
    for value, n_differences in zip(bound, (190, 19), strict=True):
        within = math.erf(value / math.sqrt(2))
        assert within**n_differences == pytest.approx(0.95, rel=1e-9)
    assert (np.array(drawn) < bound).all()
    assert (np.array(bound) < 1.06 * np.array(drawn)).all()


def test_draws_never_go_beyond_the_bound_nor_turn_with_rounding() -> None:
    covariance = np.eye(20) - 1 / 20
    noise = np.random.default_rng(0).normal(size=(20, 20)) * 1e-15
    values = [one_step(c, 0.95, True, np.random.default_rng(0)) for c in (covariance, covariance + noise + noise.T)]
    np.testing.assert_allclose(*values, rtol=1e-6)
    twenty = Draws(most_draws=20)
    few = [one_step(covariance, 0.95, True, np.random.default_rng(seed), twenty)[0] for seed in range(20)]
    bound = -NormalDist().inv_cdf(0.5 - 0.5 * 0.95 ** (1 / 190))
    assert max(few) == pytest.approx(bound, rel=1e-9)
    assert min(few) < 0.99 * bound


def test_no_draws_are_taken_for_more_items_than_500() -> None:
    ranking = ranking_of(np.arange(501.0), np.eye(501))
    rng = np.random.default_rng(0)
    low, high = ranking.rank_interval(rng=rng)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state
    # Sidak's bound over 125,250 pairs is 5.065, so items 8 apart are told apart and items 7 apart are not. Over the
    # 3,486 pairs that are left it is 4.335, so that the next step tells items 7 apart, and then over 2,991 no more.
    assert (low[0], high[0]) == (495, 501)


def test_stepping_down_only_shortens_and_claims_no_more_of_level_items() -> None:
    """OECD PISA 2018, mathematics, 37 countries: scores and standard errors as Mogstad et al. (2024) have them."""
    scores, errors = np.array(PISA.split(), float).reshape(-1, 2).T
    ranking = ranking_of(scores, np.diag(errors**2))
    significant = np.abs(scores[:, None] - scores) > (
        one_step(ranking.covariance, 0.95, True, np.random.default_rng(0))[:, None]
        * np.sqrt(errors[:, None] ** 2 + errors**2)
    )
    in_one_step = rank_bounds(significant, ranking.ranks())
    low, high = ranking.rank_interval(rng=0)
    assert (low >= in_one_step[0]).all()
    assert (high <= in_one_step[1]).all()
    # 422 in all by one step, as published; 404 for a critical value without Monte Carlo error.
    assert abs((in_one_step[1] - in_one_step[0]).sum() - 422) <= 2
    assert abs((high - low).sum() - 404) <= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "strengths", [[0, 0, 0, 9, 9, 9], [0, 0.1, 0.2, 9, 9.1, 9.2], [0, 1, 2, 3, 4, 5], [0] * 5 + [2]]
)
def test_stepping_down_gives_no_wrong_order_more_often_than_it_says(strengths) -> None:
    level, truth, rng = 0.8, np.array(strengths, float), np.random.default_rng(12)
    wrong = []
    for scores in truth + rng.normal(size=(1000, 6)) * [0.5, 0.5, 1.0, 1.0, 1.0, 2.0]:
        ranking = ranking_of(scores, np.diag([0.25, 0.25, 1.0, 1.0, 1.0, 4.0]))
        low, high = quick_interval(ranking, level, True, rng)
        best, worst = ((truth[:, None] < truth).sum(axis=1) + 1, (truth[:, None] <= truth).sum(axis=1))
        wrong.append(((low > best) | (high < worst)).any())
    assert np.mean(wrong) < 1 - level + 3 * math.sqrt(level * (1 - level) / 1000)


@pytest.mark.slow
@pytest.mark.parametrize("simultaneous", [True, False])
def test_the_level_is_met_exactly_where_all_items_are_level_in_truth(simultaneous) -> None:
    """Level items may have any rank, so an interval holds them all or fails: the case where most can go wrong."""
    level, n_items, rng = 0.8, 6, np.random.default_rng(11)
    covariance = random_covariance(rng, n_items)
    held = []
    for scores in rng.multivariate_normal(np.zeros(n_items), covariance, size=1500, method="svd"):
        low, high = quick_interval(ranking_of(scores, covariance), level, simultaneous, rng)
        whole = (low == 1) & (high == n_items)
        held.append(whole.all() if simultaneous else whole.mean())
    assert abs(np.mean(held) - level) < 3 * np.std(held) / math.sqrt(len(held))
    assert np.std(held) > 0.1


# --- tiers ---


@given(rankings(), st.sampled_from([0.5, 0.95]))
def test_tiers_equal_the_reference_and_run_down_the_order(ranking, level) -> None:
    found = ranking.tiers(level, rng=2)
    np.testing.assert_array_equal(found, reference.tiers(ranking.scores, significant_of(ranking, level, True, seed=2)))
    assert found.dtype == np.int64
    assert not found.flags.writeable
    down = found[np.argsort(ranking.ranks(), kind="stable")]
    assert down[0] == 1
    assert set(np.diff(down)) <= {0, 1}


def test_what_tiers_do_not_say() -> None:
    # Best to worst, a lead of 3 is significant, but the best is poorly measured.
    ranking = ranking_of([6, 5, 1, 0], np.diag([9.0, 0.1, 0.1, 0.1]))
    assert ranking.tiers(rng=0).tolist() == [1, 1, 1, 1]
    low, high = ranking.rank_interval(rng=0)
    assert (low[2], high[1]) == (2, 2)
    steps = ranking_of([8, 6, 4, 2, 0], np.eye(5))
    assert steps.tiers(rng=0).tolist() == [1, 1, 2, 2, 3]
    low, high = steps.difference(1, 2).confidence_interval()
    assert low < 0 < high


def test_level_items_share_a_tier_whatever_their_order() -> None:
    # Of the two level items only the well measured one is significantly behind; so they both are of the next tier.
    for order in ([0, 1, 2], [0, 2, 1], [2, 1, 0]):
        ranking = ranking_of(np.array([5.0, 0.0, 0.0])[order], np.diag(np.array([1.0, 0.1, 25.0])[order]))
        assert ranking.tiers(rng=0).tolist() == np.array([1, 2, 2])[order].tolist()


# --- quasi-variances ---

# Ship type, year of construction, period, months of service, damage incidents (McCullagh and Nelder 1989, table 6.2),
# without ships that saw no service.
SHIPS = """
    A 60 60 127 0    A 60 75 63 0    A 65 60 1095 3    A 65 75 1095 4    A 70 60 1512 6    A 70 75 3353 18
    A 75 75 2244 11    B 60 60 44882 39    B 60 75 17176 29    B 65 60 28609 58    B 65 75 20370 53
    B 70 60 7064 12    B 70 75 13099 44    B 75 75 7117 18    C 60 60 1179 1    C 60 75 552 1    C 65 60 781 0
    C 65 75 676 1    C 70 60 783 6    C 70 75 1948 2    C 75 75 274 1    D 60 60 251 0    D 60 75 105 0
    D 65 60 288 0    D 65 75 192 0    D 70 60 349 2    D 70 75 1208 11    D 75 75 2051 4    E 60 60 45 0
    E 65 60 789 7    E 65 75 437 7    E 70 60 1157 5    E 70 75 2161 12    E 75 75 542 1
"""


def ship_covariance() -> np.ndarray:
    """Of the five types in the Poisson model with dispersion, fitted as R's glm does, which stops a step early."""
    kinds, years, periods, *counts = np.array(SHIPS.split()).reshape(-1, 5).T
    service, incidents = np.array(counts, float)
    levels = [kinds == kind for kind in "ABCDE"] + [years == year for year in ("65", "70", "75")] + [periods == "75"]
    design = np.array(levels, float).T
    means, deviance = incidents + 0.1, math.inf
    for _ in range(25):
        weights, before = means, deviance
        working = np.log(means / service) + (incidents - means) / means
        information = design.T @ (weights[:, None] * design)
        means = service * np.exp(design @ np.linalg.solve(information, design.T @ (weights * working)))
        logs = np.log(np.where(incidents > 0, incidents, 1.0) / means)
        deviance = 2 * float((incidents * logs - (incidents - means)).sum())
        if abs(deviance - before) < 1e-8 * (abs(deviance) + 0.1):
            break
    dispersion = (weights * ((incidents - means) / means) ** 2).sum() / (len(means) - design.shape[1])
    return dispersion * np.linalg.inv(information)[:5, :5]


def test_quasi_variances_of_the_ship_damage_data_are_qvcalcs() -> None:
    """From the tests of R's qvcalc 1.0.4 (Firth); the range of errors from its documentation."""
    ranking = ranking_of(np.zeros(5), ship_covariance(), items="ABCDE")
    published = [0.200965853501369, 0.112705161723464, 0.375250492322657, 0.323893536427565, 0.232171862907782]
    np.testing.assert_allclose(np.sqrt(ranking.quasi_variances), published, rtol=1e-8)
    assert ranking.quasi_variance_error == pytest.approx(0.009, abs=0.0005)


@pytest.mark.parametrize("n_items", [3, 4, 23, 100])
def test_variances_that_are_sums_come_back_exactly(n_items) -> None:
    rng = np.random.default_rng(n_items)
    own = np.exp(3 * rng.normal(size=n_items))
    shift = rng.normal(size=n_items)
    # What all pairs of scores share adds nothing to differences.
    ranking = ranking_of(shift, np.diag(own) + shift[:, None] + shift)
    np.testing.assert_allclose(ranking.quasi_variances, own, rtol=1e-9)
    assert ranking.quasi_variance_error < 1e-9
    assert not ranking.quasi_variances.flags.writeable


@given(st.integers(0, 2**32))
def test_three_items_are_exact_even_where_one_is_negative(seed) -> None:
    covariance = random_covariance(np.random.default_rng(seed), 3)
    v = reference.difference_variances(covariance)
    expected = [(v[i, j] + v[i, k] - v[j, k]) / 2 for i, j, k in ((0, 1, 2), (1, 0, 2), (2, 0, 1))]
    ranking = ranking_of(np.zeros(3), covariance)
    np.testing.assert_allclose(ranking.quasi_variances, expected, atol=1e-9 * v.max())
    assert ranking.quasi_variance_error < 1e-8


def test_two_items_share_their_variance_evenly() -> None:
    ranking = ranking_of([1, 0], [[3.0, 1.0], [1.0, 1.0]])
    assert ranking.quasi_variances.tolist() == [1.0, 1.0]
    assert ranking.quasi_variance_error == 0.0
    assert ranking_of([1, 0], np.ones((2, 2))).quasi_variances.tolist() == [0.0, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_quasi_variances_are_the_least_squares_of_logarithms(seed) -> None:
    rng = np.random.default_rng(seed)
    covariance = random_covariance(rng, 4 + seed % 2)
    ranking = ranking_of(np.zeros(len(covariance)), covariance)
    expected = reference.quasi_variances(covariance)
    np.testing.assert_allclose(ranking.quasi_variances, expected, atol=1e-5 * np.abs(expected).max())
    v = reference.difference_variances(covariance)
    errors = [abs(math.sqrt((expected[i] + expected[j]) / v[i, j]) - 1) for i in range(len(v)) for j in range(i)]
    assert ranking.quasi_variance_error == pytest.approx(max(errors), abs=1e-4)


def test_the_hub_of_a_star_has_none() -> None:
    votes = pv.Votes.from_wins(["hub"] * 12, [f"leaf {i}" for i in range(6)] * 2)
    votes += pv.Votes.from_wins([f"leaf {i}" for i in range(6)], ["hub"] * 6)
    ranking = pv.bradley_terry(votes, prior_sd=math.inf)
    assert ranking.quasi_variances[0] == 0.0
    np.testing.assert_allclose(ranking.quasi_variances[1:], 1.5, rtol=1e-6)


CHAIN = [(item, item + 1, 1.0) for item in range(29)]
UNEVEN_CHAIN = [(item, item + 1, 100.0 if item % 2 else 1.0) for item in range(9)]
BRIDGE = [(i, j, 5.0) for group in (range(4), range(4, 8)) for i in group for j in group if i < j] + [(0, 4, 1e-3)]


@pytest.mark.parametrize("links", [CHAIN, UNEVEN_CHAIN, BRIDGE], ids=["chain", "uneven chain", "bridge"])
def test_where_none_fit_they_are_found_and_the_error_says_so(links) -> None:
    n_items = 1 + max(j for _, j, _ in links)
    information = np.zeros((n_items, n_items))
    for i, j, weight in links:
        information[[i, j, i, j], [i, j, j, i]] += np.array([1, 1, -1, -1]) * weight
    ranking = ranking_of(np.zeros(n_items), np.linalg.pinv(information))
    assert ranking.quasi_variance_error > 1
    assert KALMAR.quasi_variance_error < 0.2
    # The criterion has no slope where the search ended, nor another minimum close by.
    v = reference.difference_variances(ranking.covariance)
    quasi, pairs = ranking.quasi_variances, np.triu_indices(n_items, 1)

    def logs_and_sums(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sums = at[:, None] + at
        return np.log(v[pairs] / sums[pairs]), sums[pairs]

    logs, sums = logs_and_sums(quasi)
    slopes = np.bincount(pairs[0], logs / sums, n_items) + np.bincount(pairs[1], logs / sums, n_items)
    assert np.abs(slopes).max() < 1e-6 * np.abs(logs / sums).max()
    rng = np.random.default_rng(0)
    for _ in range(100):
        elsewhere, _ = logs_and_sums(quasi * np.exp(0.01 * rng.normal(size=n_items)))
        assert (elsewhere**2).sum() > (logs**2).sum()


def test_quasi_variances_are_for_up_to_2000_items() -> None:
    ranking = replace(KALMAR, items=tuple(range(2001)), scores=np.zeros(2001))
    assert refusal(lambda: ranking.quasi_variances).startswith("there are 2,001 items; quasi-variances")


def test_quasi_variances_that_do_not_converge_are_none() -> None:
    v = reference.difference_variances(KALMAR.covariance)
    assert "after 1 steps" in refusal(fit_quasi_variances, v, max_iter=1, error=pv.ConvergenceError)


# --- in simulated workshops ---


@pytest.mark.slow
def test_ranks_and_chances_hold_in_workshops_of_kalmars_size() -> None:
    """Strengths from the prior that the scorer is told; the figures of 2,000 workshops stand in docs/ranking.md."""
    n_items, rng = 23, np.random.default_rng(600)
    all_hold, alone_hold, wide, narrow, stated, came = [], [], [], [], [], []
    held: dict[bool, list[float]] = {True: [], False: []}
    widths: dict[bool, list[float]] = {True: [], False: []}
    in_order = []
    for _ in range(N_WORKSHOPS):
        strengths = rng.normal(size=n_items)
        left = rng.integers(n_items, size=600)
        right = (left + rng.integers(1, n_items, size=600)) % n_items
        picked = rng.random(600) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
        ranking = pv.bradley_terry(pv.Votes.from_codes(left, right, 2 * picked, n_items=n_items), prior_sd=1.0)
        truth = 1 + (strengths > strengths[:, None]).sum(axis=1)
        low, high = quick_interval(ranking, 0.95, True, rng)
        all_hold.append(((low <= truth) & (truth <= high)).all())
        wide.append((high - low).mean())
        low, high = quick_interval(ranking, 0.95, False, rng)
        alone_hold.append(((low <= truth) & (truth <= high)).mean())
        narrow.append((high - low).mean())
        stated.append(ranking.top_k_probability(5, rng=rng))
        came.append(truth <= 5)
        draws = normal_draws(*ranking._estimate(), rng, NormalDraws(most=1_000))
        for together in (True, False):
            low, high = credible_limits(draws, ranking.ranks(), 0.95, together)
            holds = (low <= truth) & (truth <= high)
            held[together].append(holds.all() if together else holds.mean())
            widths[together].append((high - low).mean())
        tier, order = credible_tiers(draws, ranking.ranks(), 0.95), np.argsort(ranking.ranks(), kind="stable")
        best = order[np.flatnonzero(np.diff(tier[order], prepend=0))]
        in_order.append((np.diff(truth[best]) > 0).all())
    assert np.mean(all_hold) >= 0.95
    assert np.mean(alone_hold) >= 0.95
    # Not by saying nothing: of 22 places between first and last, an interval leaves a fifth or a third out.
    assert np.mean(wide) < 18
    assert np.mean(narrow) < 15.5
    # By the posterior they say more, and hold on average over strengths like the prior's.
    error = math.sqrt(0.05 * 0.95 / N_WORKSHOPS)
    assert abs(np.mean(held[True]) - 0.95) < 3 * error
    assert 0.95 < np.mean(held[False]) < 0.98
    assert np.mean(widths[True]) < 13
    assert np.mean(widths[False]) < 10
    assert np.mean(in_order) > 0.95 - 3 * error
    chances, within = np.array(stated), np.array(came)
    for least, most in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):
        chosen = (least < chances) & (chances <= most)
        surplus = (chosen * (within - chances)).sum(axis=1)
        # Of one workshop five are among the best, so it is workshops that are independent.
        known = (chosen * chances * (1 - chances)).sum()
        assert abs(surplus.sum()) < 3 * math.sqrt(max((surplus**2).sum(), known))
        assert chosen.sum() > N_WORKSHOPS / 2
