"""Glicko-2, held against Glickman's published example and against his steps written out."""

from __future__ import annotations

import datetime as dt
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Sample, samples

import pairvote as pv

SKIP = 3
SCALE = 400 / math.log(10)
NAMES = ["ash", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo"]
# Glickman (2022), "Example of the Glicko-2 system": a player of 1500 meets three others, wins, loses, loses.
EXAMPLE = pv.Votes.from_wins(["A", "C", "D"], ["B", "A", "A"], items=["A", "B", "C", "D"])
EXAMPLE_OPTIONS = {
    "initial": {"A": 1500, "B": 1400, "C": 1550, "D": 1700},
    "deviation": {"A": 200, "B": 30, "C": 100, "D": 300},
    "period": "all",
}


def volatility(sigma, delta, phi, v, tau):
    """Step 5 as the equation that it solves, by bisection."""
    a = math.log(sigma**2)

    def f(x):
        grown = math.exp(x)
        return grown * (delta**2 - phi**2 - v - grown) / (2 * (phi**2 + v + grown) ** 2) - (x - a) / tau**2

    low, high = a - 50.0, a + 50.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) > 0 else (low, middle)
    return math.exp((low + high) / 4)


def slow(rows, n_items, *, starts, deviations, sigmas, periods, tau=0.5, grows=False):
    """Ratings, deviations and volatilities after all periods: steps 2 to 8 of Glickman (2022), item by item."""
    mu, phi, sigma = [(r - 1500) / SCALE for r in starts], [d / SCALE for d in deviations], list(sigmas)
    counted = [row for row in range(len(rows)) if rows[row][2] != SKIP and rows[row][3] > 0]
    begun = [False] * n_items
    every = sorted({periods[row] for row in counted})
    for period in range(int(every[0]), int(every[-1]) + 1) if grows and every else every:
        before = list(mu), list(phi)
        met = {}
        for row in counted:
            left, right, outcome, weight = rows[row]
            if periods[row] == period:
                met.setdefault(left, []).append((right, outcome / 2, weight))
                met.setdefault(right, []).append((left, 1 - outcome / 2, weight))
        for item in range(n_items):
            if item not in met:
                if grows and begun[item]:
                    phi[item] = math.hypot(phi[item], sigma[item])
                continue
            begun[item] = True
            information = change = 0.0
            for other, score, weight in met[item]:
                g = 1 / math.sqrt(1 + 3 * before[1][other] ** 2 / math.pi**2)
                expected = 1 / (1 + math.exp(-g * (before[0][item] - before[0][other])))
                information += weight * g**2 * expected * (1 - expected)
                change += weight * g * (score - expected)
            sigma[item] = volatility(sigma[item], change / information, phi[item], 1 / information, tau)
            star = phi[item] ** 2 + sigma[item] ** 2
            phi[item] = 1 / math.sqrt(1 / star + information)
            mu[item] = before[0][item] + phi[item] ** 2 * change
    return np.array(mu) * SCALE + 1500, np.array(phi) * SCALE, np.array(sigma)


def random_votes(n_items, n_votes, seed, **options):
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    return pv.Votes.from_codes(left, right, rng.choice([0, 1, 2, 3], size=n_votes), n_items=n_items, **options)


def found(ranking):
    return ranking.scores, ranking.standard_errors, ranking.volatilities


# --- the example, and the steps ---


def test_the_published_example() -> None:
    ranking = pv.glicko2(EXAMPLE, **EXAMPLE_OPTIONS)
    # The paper rounds on the way: 1464.06, 151.52 and 0.05999.
    assert ranking.to_dict()["A"] == pytest.approx(1464.06, abs=0.01)
    assert ranking.standard_errors[0] == pytest.approx(151.52, abs=0.005)
    assert ranking.volatilities[0] == pytest.approx(0.05999, abs=0.00001)
    own = {"starts": [1500, 1400, 1550, 1700], "deviations": [200, 30, 100, 300], "sigmas": [0.06] * 4}
    expected = slow([(0, 1, 2, 1.0), (2, 0, 2, 1.0), (3, 0, 2, 1.0)], 4, **own, periods=[0] * 3)
    for ours, theirs in zip(found(ranking), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert (ranking.unit, ranking.method, ranking.fit) == ("glicko", "glicko2", None)


@given(
    samples(min_items=2, weights=st.sampled_from([0.0, 0.25, 1.0, 3.0])),
    st.integers(0, 2**32),
    st.sampled_from([0.2, 0.5, 1.2]),
    st.sampled_from(["vote", "all", 1.0, 0.3]),
)
def test_equals_the_steps_written_out(sample, seed, tau, period) -> None:
    rng = np.random.default_rng(seed)
    names, n_votes = NAMES[: sample.n_items], len(sample.rows)
    times = np.sort(rng.integers(0, 20, size=n_votes) / 4)
    own = {
        "starts": rng.normal(1500, 150, sample.n_items).tolist(),
        "deviations": rng.uniform(30, 350, sample.n_items).tolist(),
        "sigmas": rng.uniform(0.01, 0.3, sample.n_items).tolist(),
    }
    options = {
        name: dict(zip(names, values, strict=True))
        for name, values in zip(("initial", "deviation", "volatility"), own.values(), strict=True)
    }
    votes = sample.votes(items=names, time=times)
    ranking = pv.glicko2(votes, tau=tau, period=period, **options)
    counted = [row for row in range(n_votes) if sample.rows[row][2] != SKIP and sample.rows[row][3] > 0]
    if period in ("vote", "all"):
        periods = list(range(n_votes)) if period == "vote" else [0] * n_votes
    else:
        periods = np.floor((times - times[counted[0]]) / period).tolist() if counted else []
    expected = slow(sample.rows, sample.n_items, **own, periods=periods, tau=tau, grows=isinstance(period, float))
    for ours, theirs in zip(found(ranking), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_wild_results_make_items_volatile() -> None:
    """An item that loses all it should win, and then wins all it should lose, is more volatile than a steady one."""
    rows = [("steady", "other")] * 10 + [("other", "wild")] * 10 + [("wild", "steady")] * 20
    votes = pv.Votes.from_wins(*zip(*rows, strict=True), time=np.arange(40) // 10)
    ranking = pv.glicko2(votes, period=1, tau=1.0)
    volatile = dict(zip(ranking.items, ranking.volatilities.tolist(), strict=True))
    assert volatile["wild"] > 0.065 > volatile["other"]


# --- laws ---


@given(samples(min_items=2, weights=st.sampled_from([0.25, 1.0, 3.0])), st.integers(0, 2**32))
@pytest.mark.parametrize("period", ["vote", "all", 1.5])
def test_laws(period, sample, seed) -> None:
    rng = np.random.default_rng(seed)
    names = NAMES[: sample.n_items]
    times = np.sort(rng.integers(0, 20, size=len(sample.rows)) / 4).tolist()
    options = {"period": period, "initial": dict(zip(names, rng.normal(1500, 90, 7).tolist(), strict=False))}

    def rated(rows, *, times=times, names=names, weighted=sample.weighted, **more):
        votes = Sample(rows, len(names), weighted).votes(items=names, time=times)
        ranking = pv.glicko2(votes, **options | more)
        order = [ranking.items.index(name) for name in NAMES[: sample.n_items]]
        return np.array([each[order] for each in found(ranking)])

    scores = rated(sample.rows)
    swapped = [(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows]
    np.testing.assert_allclose(rated(swapped), scores, rtol=1e-11)
    places = rng.permutation(sample.n_items)
    renamed = [names[code] for code in np.argsort(places)]
    moved = [(int(places[i]), int(places[j]), o, w) for i, j, o, w in sample.rows]
    np.testing.assert_array_equal(rated(moved, names=renamed), scores)
    # Skips and votes of no weight change nothing.
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows]
    skips = [(j, i, SKIP, w) for i, j, _, w in sample.rows]
    mixed = [row for rows in zip(idle, sample.rows, skips, strict=True) for row in rows]
    mixed_times = [time for time in times for _ in range(3)]
    weighted = rated(sample.rows, weighted=True)
    np.testing.assert_array_equal(rated(mixed, times=mixed_times, weighted=True), weighted)
    shifted = {name: rating + 250.0 for name, rating in options["initial"].items()}
    np.testing.assert_allclose(rated(sample.rows, initial=shifted)[0], scores[0] + 250, rtol=1e-11)
    if period != "vote":
        # In one period a vote of weight two is two votes, and their order does not matter.
        double = [(i, j, o, 2 * w) for i, j, o, w in sample.rows]
        twice = [row for row in sample.rows for _ in range(2)]
        np.testing.assert_allclose(
            rated(twice, times=[time for time in times for _ in range(2)], weighted=True),
            rated(double, weighted=True),
            rtol=1e-11,
        )
    if period == "all":
        shuffled = [sample.rows[row] for row in rng.permutation(len(sample.rows))]
        np.testing.assert_allclose(rated(shuffled), scores, rtol=1e-11)


@given(samples(min_items=2), st.integers(0, 25))
@pytest.mark.parametrize("period", ["vote", "all", 1.5])
def test_chunks_equal_the_whole(period, sample, cut) -> None:
    times = np.arange(len(sample.rows)) / 3
    votes = sample.votes(items=NAMES[: sample.n_items], time=times)
    rest = np.arange(len(votes)) >= cut
    whole = pv.glicko2(votes, period=period, history=True)
    for chunks in (
        [votes.where(~rest), votes.where(rest)],
        [votes.where(np.arange(len(votes)) == row) for row in range(len(votes))] or [votes],
    ):
        ranking = pv.glicko2(iter(chunks), period=period, history=True)
        for ours, theirs in zip(found(ranking), found(whole), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(ranking.history.expected, whole.history.expected)


def test_rows_are_rated_in_the_order_of_time_and_told_in_their_own() -> None:
    time = np.random.default_rng(3).permutation(60)
    votes = random_votes(5, 60, 2, time=time)
    order = np.argsort(time)
    inside = pv.Votes.from_codes(
        votes.left[order], votes.right[order], votes.outcome[order], n_items=5, time=time[order]
    )
    for period in ("vote", 7):
        mixed, ordered = (pv.glicko2(each, period=period, history=True) for each in (votes, inside))
        np.testing.assert_array_equal(mixed.scores, ordered.scores)
        np.testing.assert_array_equal(mixed.history.left_after[order], ordered.history.left_after)


def test_dates_and_numbers_are_alike() -> None:
    numbers = random_votes(5, 60, 2, time=np.arange(60))
    dates = random_votes(5, 60, 2, time=np.datetime64("2024-01-01") + np.arange(60))
    expected = found(pv.glicko2(numbers, period=7))
    for week in (dt.timedelta(weeks=1), np.timedelta64(7, "D")):
        for ours, theirs in zip(found(pv.glicko2(dates, period=week)), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


# --- what the ranking says ---


def test_standard_errors_are_the_deviations() -> None:
    ranking = pv.glicko2(EXAMPLE, **EXAMPLE_OPTIONS)
    deviations = ranking.standard_errors
    np.testing.assert_allclose(ranking.covariance, np.diag(deviations**2))
    gap = ranking.difference("D", "A")
    assert gap.standard_error == pytest.approx(math.hypot(deviations[3], deviations[0]))
    low, high = ranking.confidence_interval()
    np.testing.assert_allclose(high - low, 2 * 1.959963984540054 * deviations)
    assert ranking.top_k_probability(1, rng=0).sum() == pytest.approx(1.0)
    best, worst = ranking.rank_interval(rng=0)
    assert (best <= ranking.ranks()).all()
    assert (worst >= ranking.ranks()).all()
    assert ranking.only(["C", "A"]).volatilities.tolist() == ranking.volatilities[[2, 0]].tolist()
    assert ranking.only(["C", "A"]).standard_errors.tolist() == deviations[[2, 0]].tolist()
    for array in (ranking.volatilities, ranking.standard_errors, ranking.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    moved = ranking.on_elo_scale(1000, anchor="B")
    assert moved.to_dict()["B"] == 1000.0
    np.testing.assert_allclose(moved.standard_errors, deviations)
    assert "score (glicko)" in str(ranking)


def test_chances_are_damped_by_what_is_not_known() -> None:
    ranking = pv.glicko2(EXAMPLE, **EXAMPLE_OPTIONS)
    gap = (ranking.scores[3] - ranking.scores[0]) / SCALE
    spread = math.hypot(*ranking.standard_errors[[3, 0]]) / SCALE
    expected = 1 / (1 + math.exp(-gap / math.sqrt(1 + 3 * spread**2 / math.pi**2)))
    assert ranking.expected_score("D", "A") == pytest.approx(expected, rel=1e-12)
    table = ranking.probability_matrix()
    assert table[3, 0] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(table + table.T, 1.0)
    # A logistic averaged over a normal, which the damped gap is meant for, and the plain one is far from.
    draws = gap + spread * np.random.default_rng(1).standard_normal(200_000)
    averaged = np.mean(1 / (1 + np.exp(-draws)))
    assert abs(expected - averaged) < 0.02
    assert abs(1 / (1 + math.exp(-gap)) - averaged) > 0.03


def test_the_course_forecasts_before_it_learns() -> None:
    votes = random_votes(6, 200, 4)
    ranking = pv.glicko2(votes, history=True)
    history = ranking.history
    rating = dict.fromkeys(range(6), 1500.0)
    for row, (left, right) in enumerate(zip(votes.left.tolist(), votes.right.tolist(), strict=True)):
        assert (history.left_before[row], history.right_before[row]) == (rating[left], rating[right])
        rating[left], rating[right] = history.left_after[row], history.right_after[row]
        if votes.outcome[row] == SKIP:
            assert history.left_after[row] == history.left_before[row]
        part = pv.glicko2(votes.where(np.arange(200) < row)) if row % 40 == 0 else None
        if part is not None:
            assert history.expected[row] == pytest.approx(part.expected_score(left, right), rel=1e-10)
    assert [rating[code] for code in range(6)] == ranking.scores.tolist()


@pytest.mark.slow
def test_deviations_are_honest_where_the_model_holds() -> None:
    """Strengths from the prior that walk as volatilities say: 95% intervals of differences hold in about 95%."""
    rng = np.random.default_rng(7)
    n_items, n_periods, sigma, held, asked = 12, 25, 0.12, 0, 0
    for _ in range(100):
        strength = rng.normal(0, 200 / SCALE, n_items)
        columns = []
        for period in range(n_periods):
            strength = strength + rng.normal(0, sigma, n_items) * (period > 0)
            left = rng.integers(n_items, size=60)
            right = (left + rng.integers(1, n_items, size=60)) % n_items
            won = rng.random(60) < 1 / (1 + np.exp(strength[right] - strength[left]))
            columns.append((left, right, 2 * won, np.full(60, period)))
        left, right, outcome, time = map(np.concatenate, zip(*columns, strict=True))
        votes = pv.Votes.from_codes(left, right, outcome, n_items=n_items, time=time)
        ranking = pv.glicko2(votes, period=1, deviation=200, volatility=sigma, tau=0.2)
        for one in range(n_items - 1):
            low, high = ranking.difference(one, one + 1).confidence_interval()
            held += low <= (strength[one] - strength[one + 1]) * SCALE <= high
            asked += 1
    # The standard error over simulations is 0.008.
    assert 0.92 < held / asked < 0.97


def test_ties_graded_votes_and_criteria() -> None:
    level = pv.glicko2(pv.Votes.from_labels(["a"], ["b"], ["tie"]))
    assert level.scores.tolist() == [1500.0, 1500.0]
    assert level.standard_errors[0] < 300
    graded = pv.Votes.from_labels(["a", "a"], ["b", "b"], [0.75, 1.0], outcomes="share")
    halves = pv.glicko2(graded.where([True, False])).scores
    whole = pv.glicko2(graded.where([False, True])).scores
    np.testing.assert_allclose(halves - 1500, (whole - 1500) / 2, rtol=1e-3)
    votes = pv.Votes.from_labels(list("abab"), list("baba"), ["left"] * 4, criterion=["new", "new", "old", "old"])
    with pytest.raises(pv.InputError, match="several criteria"):
        pv.glicko2(votes)
    assert pv.glicko2(votes, criterion="new").asked.tolist() == [2.0, 2.0]
    assert pv.glicko2([votes], criterion="new").to_dict() == pv.glicko2(votes, criterion="new").to_dict()


def test_no_votes_and_items_without_votes() -> None:
    assert pv.glicko2(pv.Votes.from_wins([], [])).n_items == 0
    assert pv.glicko2([]).n_items == 0
    for period in ("vote", "all", 3):
        ranking = pv.glicko2(pv.Votes.from_labels([], [], [], items=["a", "b"]), period=period, history=True)
        assert found(ranking)[0].tolist() == [1500.0, 1500.0]
        np.testing.assert_allclose(ranking.standard_errors, 350.0)
    skips = pv.Votes.from_labels(["a"], ["b"], ["skip"], time=[3])
    for period in ("vote", "all", 3):
        np.testing.assert_allclose(pv.glicko2(skips, period=period).standard_errors, 350.0)
        assert pv.glicko2(skips, period=period, history=True).history.expected.tolist() == [0.5]


def test_a_ranking_by_name() -> None:
    votes = random_votes(5, 100, 1)
    named = pv.rank(votes, "glicko2", tau=0.3)
    assert named.scores.tolist() == pv.glicko2(votes, tau=0.3).scores.tolist()


# --- what is refused ---

TIMED = pv.Votes.from_wins(["a", "b"], ["b", "c"], time=[1, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ({"tau": t}, f"tau is {t!r}; it is a number from 0.01 to 2")
            for t in (0, -1, 3, math.nan, "0.5", None, True)
        ),
        ({"tau": 10**400}, "tau is 1000"),
        ({"deviation": 0}, "deviation is 0; it is a number from 1 to 2000, or one for each label in a dict"),
        ({"deviation": math.nan}, "deviation is nan"),
        ({"deviation": {"a": -3}}, "deviation of 'a' is -3; it is a number from 1 to 2000"),
        ({"deviation": {"z": 30}}, "deviation names 'z', which is not among the 3 items"),
        ({"volatility": 0}, "volatility is 0; it is a number from 0.0001 to 1"),
        ({"volatility": {"a": "x"}}, "volatility of 'a' is 'x'"),
        ({"volatility": {"z": 0.1}}, "volatility names 'z'"),
        ({"initial": math.inf}, "initial is inf"),
        ({"initial": 10**400}, "initial is 1000"),
        ({"initial": [1500]}, "initial is [1500]"),
        ({"initial": {"a": 10**6}}, "too far from 1500; let ratings begin within 20,000 points"),
        ({"initial": {"z": 1400}}, "initial names 'z'"),
        ({"period": "votes"}, "period is 'votes'; it is 'vote', 'all', or a length"),
        ({"period": None}, "period is None; it is 'vote', 'all', a number above 0"),
        ({"period": 0}, "period is 0"),
        ({"period": -1.0}, "period is -1.0"),
        ({"period": True}, "period is True"),
        ({"period": math.inf}, "period is inf"),
        ({"period": 5e-324}, "period is 5e-324; it makes more than"),
        ({"period": dt.timedelta(days=1)}, "times of these votes are numbers and period is a timedelta"),
        ({"history": 1}, "history is 1; it is True or False"),
        ({"history": True, "criteria": {"x": 1}}, "rate each criterion with criterion="),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.glicko2(TIMED, **options)


def test_a_length_needs_times_and_the_remedy_works() -> None:
    with pytest.raises(pv.InputError, match=re.escape("period is a length of time and these votes have no times")):
        pv.glicko2(pv.Votes.from_wins(["a"], ["b"]), period=3)
    assert pv.glicko2(pv.Votes.from_wins(["a"], ["b"], time=[1]), period=3).scores[0] > 1500


def test_what_has_no_order_is_refused() -> None:
    for refused in (TIMED.counts(), None, "ash", [None]):
        with pytest.raises(pv.InputError, match="Glicko-2 needs Votes, since their order matters"):
            pv.glicko2(refused)
    with pytest.raises(pv.InputError, match="time at row 2 is 1"):
        pv.glicko2([TIMED, TIMED])


def test_ratings_that_run_away_are_refused_and_the_remedy_works() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.integers(6, size=400), rng.integers(6, size=400)
    left, right = left[left != right], right[left != right]
    weight = 10.0 ** rng.uniform(-3, 12, size=len(left))
    votes = pv.Votes.from_codes(left, right, rng.choice([0, 2], size=len(left)), weight=weight)
    with pytest.raises(
        pv.InputError, match=r"the ratings run away.*; divide the weights by one number, choose .* let tau be smaller"
    ):
        pv.glicko2(votes)
    lighter = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, weight=weight / weight.max())
    assert np.isfinite(pv.glicko2(lighter).scores).all()
