"""Elo with k and beginnings by item, k by games, ratings that fade, and their course, held against a plain loop."""

from __future__ import annotations

import datetime as dt
import json
import math
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Sample, samples

import pairvote as pv

SKIP = 3
NAMES = ["ash", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo"]


def fide(games):
    """K of FIDE's rating regulations 8.3.3, without its 10 for ratings of 2400."""
    return np.where(games < 30, 40, 20)


def one_by_one(games):
    """As a person writes it who does not think of arrays."""
    return 40 if games < 2 else 20 - min(games, 10)


def slow(rows, n_items, *, ks, starts, half_life=math.inf, times=None, function=None):
    """Ratings before and after each row, and at the end: Elo (1978) with each side's own k, written out."""
    ratings, last, games = list(starts), [None] * n_items, [0] * n_items
    course = []
    for row, (left, right, outcome, weight) in enumerate(rows):
        now = 0.0 if times is None else times[row]
        seen = []
        for item in (left, right):
            gap = 0.0 if last[item] is None else now - last[item]
            seen.append(starts[item] + (ratings[item] - starts[item]) * 0.5 ** (gap / half_life))
        course.append([*seen, *seen])
        if outcome == SKIP or weight == 0.0:
            continue
        surprise = weight * (outcome / 2 - 1 / (1 + 10 ** ((seen[1] - seen[0]) / 400)))
        for item, rating, sign, place in ((left, seen[0], 1, 2), (right, seen[1], -1, 3)):
            k = ks[item] if function is None else function(games[item])
            course[-1][place] = ratings[item] = rating + sign * k * surprise
            last[item], games[item] = now, games[item] + 1
    end = max((time for time in last if time is not None), default=0.0)
    for item, time in enumerate(last):
        if time is not None:
            ratings[item] = starts[item] + (ratings[item] - starts[item]) * 0.5 ** ((end - time) / half_life)
    return np.array(ratings), np.array(course).reshape(-1, 4)


def timed(sample: Sample, draw: np.random.Generator) -> tuple[pv.Votes, list[float]]:
    times = np.sort(draw.integers(0, 20, size=len(sample.rows)) / 4).tolist()
    return sample.votes(items=NAMES[: sample.n_items], time=times), times


def random_votes(n_items, n_votes, seed, **options):
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    return pv.Votes.from_codes(left, right, rng.choice([0, 1, 2, 3], size=n_votes), n_items=n_items, **options)


# --- what the options do ---


@given(samples(min_items=2), st.integers(0, 2**32), st.sampled_from([0.5, 3.0, 1e9, 1e-9]))
def test_all_options_together_equal_the_plain_loop(sample, seed, half_life) -> None:
    rng = np.random.default_rng(seed)
    votes, times = timed(sample, rng)
    names = NAMES[: sample.n_items]
    ks = {name: float(k) for name, k in zip(names, rng.integers(0, 64, size=len(names)), strict=True) if k % 3}
    starts = {name: float(r) for name, r in zip(names, rng.normal(1500, 200, len(names)), strict=True) if r > 1400}
    own = {"ks": [ks.get(n, 32.0) for n in names], "starts": [starts.get(n, 1500.0) for n in names]}
    ranking = pv.elo(votes, k=ks, initial=starts, half_life=half_life, history=True)
    expected, course = slow(sample.rows, sample.n_items, **own, half_life=half_life, times=times)
    np.testing.assert_allclose(ranking.scores, expected, rtol=1e-12)
    history = ranking.history
    for place, name in enumerate(("left_before", "right_before", "left_after", "right_after")):
        np.testing.assert_allclose(getattr(history, name), course[:, place], rtol=1e-12)
    np.testing.assert_allclose(history.expected, 1 / (1 + 10 ** ((course[:, 1] - course[:, 0]) / 400)), rtol=1e-10)
    for function in (fide, one_by_one):
        by_games = pv.elo(votes, k=function, initial=starts)
        expected, _ = slow(sample.rows, sample.n_items, **own, function=function)
        np.testing.assert_allclose(by_games.scores, expected, rtol=1e-12)


@given(samples(min_items=2))
def test_options_that_say_nothing_change_no_bit(sample) -> None:
    names = NAMES[: sample.n_items]
    votes = sample.votes(items=names)
    plain = pv.elo(votes)
    for options in (
        {"k": dict.fromkeys(names, 32)},
        {"k": {}},
        {"initial": {}},
        {"initial": dict.fromkeys(names, 1500)},
        {"k": lambda games: 32},
        {"k": lambda games: 32.0 + 0 * games},
        {"history": True},
    ):
        ranking = pv.elo(votes, **options)
        assert ranking.scores.tolist() == plain.scores.tolist()
        np.testing.assert_array_equal(ranking.won, plain.won)
    if len(votes):
        still = sample.votes(items=names, time=[7] * len(votes))
        assert pv.elo(still, half_life=0.001).scores.tolist() == plain.scores.tolist()


def test_k_by_item_moves_each_side_by_its_own() -> None:
    ranking = pv.elo(pv.Votes.from_wins(["new", "old"], ["old", "other"]), k={"new": 64, "old": 0})
    assert ranking.to_dict() == {"new": 1532.0, "old": 1500.0, "other": 1484.0}


def test_k_by_games_is_asked_once_for_all_numbers() -> None:
    asked = []

    def k(games):
        asked.append(games)
        return np.where(games < 30, 40, 20)

    votes = random_votes(4, 2000, 1)
    assert pv.elo(votes, k=k).scores.tolist() != pv.elo(votes, k=40).scores.tolist()
    assert len(asked) == 1
    assert asked[0].dtype == np.int64


def test_ratings_fade_to_their_beginning() -> None:
    votes = pv.Votes.from_wins(["a", "c"], ["b", "d"], time=[0, 30])
    ranking = pv.elo(votes, half_life=10, initial={"a": 1800, "b": 1800})
    # Three half-lives after the only vote of a and b, an eighth of 16 points is left.
    assert ranking.to_dict() == {"a": 1802.0, "b": 1798.0, "c": 1516.0, "d": 1484.0}
    days = pv.Votes.from_wins(["a", "c"], ["b", "d"], time=["2024-01-01", "2024-01-31"])
    for half_life in (dt.timedelta(days=10), np.timedelta64(10, "D"), np.timedelta64(864000, "s")):
        np.testing.assert_array_equal(
            pv.elo(days, half_life=half_life, initial={"a": 1800, "b": 1800}).scores, ranking.scores
        )


def test_a_half_life_is_a_part_of_the_way_back_in_each_season() -> None:
    """FiveThirtyEight's NFL ratings go back to the mean by a third between seasons."""
    half_life = math.log(2) / -math.log(1 - 1 / 3)
    votes = pv.Votes.from_wins(["a", "a"], ["b", "b"], time=[2020, 2021])
    before = pv.elo(votes, half_life=half_life, history=True).history.left_before
    assert before.tolist() == pytest.approx([1500.0, 1500 + 16 * 2 / 3], rel=1e-14)


def test_rows_are_rated_in_the_order_of_time_and_told_in_their_own() -> None:
    votes = random_votes(5, 60, 2, time=np.random.default_rng(3).permutation(60))
    order = np.argsort(votes.time)
    inside = pv.Votes.from_codes(
        votes.left[order], votes.right[order], votes.outcome[order], n_items=5, time=votes.time[order]
    )
    for options in ({}, {"half_life": 9.0}, {"k": fide}):
        mixed, ordered = (pv.elo(each, history=True, **options) for each in (votes, inside))
        assert mixed.scores.tolist() == ordered.scores.tolist()
        for name in ("left", "right", "left_before", "right_before", "left_after", "right_after", "expected"):
            np.testing.assert_array_equal(getattr(mixed.history, name)[order], getattr(ordered.history, name))
        assert mixed.history.left.tolist() == votes.left.tolist()


# --- laws ---


@given(samples(min_items=2), st.integers(0, 2**32))
def test_laws(sample, seed) -> None:
    rng = np.random.default_rng(seed)
    _, times = timed(sample, rng)
    names = NAMES[: sample.n_items]
    starts, ks = dict(zip(names, rng.normal(1500, 90, 7), strict=False)), dict(zip(names, range(7), strict=False))

    def rated(rows, *, times=times, names=names, weighted=sample.weighted):
        votes = Sample(rows, len(names), weighted).votes(items=names, time=times)
        return np.array(
            [
                [pv.elo(votes, initial=starts, half_life=2.0, **more).to_dict()[n] for n in NAMES[: sample.n_items]]
                for more in ({"k": ks}, {"k": fide})
            ]
        )

    scores = rated(sample.rows)
    swapped = [(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows]
    np.testing.assert_allclose(rated(swapped), scores, rtol=1e-13)
    places = rng.permutation(sample.n_items)
    renamed = [names[code] for code in np.argsort(places)]
    moved = [(int(places[i]), int(places[j]), o, w) for i, j, o, w in sample.rows]
    np.testing.assert_array_equal(rated(moved, names=renamed), scores)
    # Skips and votes of no weight change nothing: not even the time of an item's last vote.
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows]
    skips = [(j, i, SKIP, w) for i, j, _, w in sample.rows]
    mixed = [row for rows in zip(idle, sample.rows, skips, strict=True) for row in rows]
    np.testing.assert_array_equal(
        rated(mixed, times=[time for time in times for _ in range(3)], weighted=True), rated(sample.rows, weighted=True)
    )
    later = [t + 1e3 for t in times]
    np.testing.assert_allclose(rated(sample.rows, times=later), scores, rtol=1e-12)


def test_weights_scale_the_whole_update() -> None:
    one = pv.Votes.from_labels(["a"], ["b"], ["left"], weight=[2.5])
    plain = pv.Votes.from_wins(["a"], ["b"])
    assert pv.elo(one, k={"a": 10, "b": 4}).scores.tolist() == pv.elo(plain, k={"a": 25, "b": 10}).scores.tolist()


def test_graded_votes_move_by_their_share() -> None:
    graded = pv.Votes.from_labels(["a", "b"], ["b", "c"], [0.75, "left"], outcomes="share")
    ranking = pv.elo(graded, k={"a": 40}, history=True)
    assert ranking.history.left_after[0] == 1510.0
    assert ranking.history.right_after[0] == 1492.0
    np.testing.assert_array_equal(pv.elo(graded, history=True).scores, pv.elo(graded).scores)


# --- the stream: the same to the bit ---

OPTIONS = (
    {"k": {"ash": 64, "cedar": 0}, "initial": {"birch": 1700.5, "elm": 1000}},
    {"k": fide},
    {"k": one_by_one, "half_life": 1.5},
    {"half_life": 0.75, "initial": {"ash": 1900}},
)


@pytest.mark.parametrize("options", OPTIONS)
@given(sample=samples(min_items=2), cut=st.integers(0, 25), seed=st.integers(0, 2**32))
def test_chunks_batches_single_votes_and_states_equal_the_whole(options, sample, cut, seed) -> None:
    votes, times = timed(sample, np.random.default_rng(seed))
    names = NAMES[: sample.n_items]
    options = {
        name: {k: v for k, v in value.items() if k in names} if isinstance(value, dict) else value
        for name, value in options.items()
    }
    whole = pv.elo(votes, history=True, **options)
    single, batch, again = (pv.EloRatings(names, **options) for _ in range(3))
    found = batch.update(votes, history=True)
    for place, ((left, right, outcome, weight), time) in enumerate(zip(sample.rows, times, strict=True)):
        more = {"time": time} if "half_life" in options else {}
        single.record(NAMES[left], NAMES[right], pv.Outcome(outcome), weight, **more)
        if place < cut:
            again.record(NAMES[left], NAMES[right], pv.Outcome(outcome), weight, **more)
    function = {"k": options["k"]} if callable(options.get("k")) else {}
    for state in (again.state(), json.loads(json.dumps(again.state()))):
        later = pv.EloRatings.from_state(state, **function)
        assert later.state() == again.state()
    rest = np.arange(len(votes)) >= cut
    later.update(votes.where(rest))
    for ratings in (single, batch, later):
        ranking = ratings.ranking()
        assert ranking.scores.tolist() == whole.scores.tolist() == [ratings[name] for name in names]
        np.testing.assert_array_equal(ranking.won, whole.won)
    assert single.state() == batch.state() == later.state()
    for name in ("left", "left_before", "right_before", "left_after", "right_after", "expected"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole.history, name))
    named = {label for value in options.values() if isinstance(value, dict) for label in value}
    if named <= {names[code] for code in (*votes.left, *votes.right)}:
        chunks = pv.elo([votes.where(~rest), votes.where(rest)], history=True, **options)
        for name, score in chunks.to_dict().items():
            assert score == whole.to_dict()[name]
        for name in ("left_before", "right_before", "left_after", "right_after", "expected"):
            np.testing.assert_array_equal(getattr(chunks.history, name), getattr(whole.history, name))


def test_items_added_later_have_their_own_k_and_beginning() -> None:
    ratings = pv.EloRatings(["ash"], k={"fir": 64}, initial={"fir": 1700}, half_life=5)
    ratings.add("fir")
    ratings.update(pv.Votes.from_wins(["elm"], ["ash"], time=[3]), add=True)
    assert ratings["fir"] == 1700.0
    ratings.record("fir", "elm", "right", time=3)
    assert ratings["fir"] < 1660
    copy = pickle.loads(pickle.dumps(ratings))
    assert copy.state() == ratings.state()


def test_a_stream_that_fades_wants_times_in_their_order() -> None:
    ratings = pv.EloRatings(["a", "b"], half_life=2)
    ratings.record("a", "b", "left", time=5)
    before = ratings.state()
    for act, message in (
        (lambda: ratings.record("a", "b", "left"), "half_life is a length of time and these votes have no times"),
        (lambda: ratings.record("a", "b", "left", time=4), "time is 4, before that of a vote"),
        (lambda: ratings.record("a", "b", "left", time=dt.datetime(2024, 1, 1)), "are dates and half_life is a number"),
        (lambda: ratings.record("a", "b", "left", time="soon"), "time at row 0 is 'soon'"),
        (lambda: ratings.update(pv.Votes.from_wins(["a"], ["b"])), "these votes have no times"),
        (lambda: ratings.update(pv.Votes.from_wins(["a"], ["b"], time=[4.5])), "time is 4.5, before"),
        (lambda: pv.EloRatings(["a", "b"]).record("a", "b", "left", time=4), "time is given and these ratings do not"),
    ):
        with pytest.raises(pv.InputError, match=re.escape(message)):
            act()
    assert ratings.state() == before
    ratings.record("a", "b", "left", time=5)
    assert ratings.n_votes == 2


def test_threads_that_add_items_never_lead_a_kernel_out_of_memory() -> None:
    """Items that several threads add at one time may be refused, and nothing else happens."""
    ratings = pv.EloRatings(["a"], k=fide, half_life=5)

    def add(thread):
        for number in range(300):
            try:
                ratings.update(pv.Votes.from_wins([(thread, number)], ["a"], time=[1]), add=True)
                ratings["a"]
            except (pv.InputError, pv.StateError):
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert len(ratings) > 1
    assert np.isfinite(ratings._run.ratings).all()


def test_a_function_of_k_is_passed_again() -> None:
    ratings = pv.EloRatings(["a", "b"], k=fide)
    ratings.record("a", "b", "left")
    with pytest.raises(pv.InputError, match=re.escape("pass it: EloRatings.from_state(state, k=f)")):
        pv.EloRatings.from_state(ratings.state())
    assert pv.EloRatings.from_state(ratings.state(), k=fide)["a"] == 1520.0
    with pytest.raises(pv.InputError, match=re.escape("the state has its own, 32.0; leave k out")):
        pv.EloRatings.from_state(pv.EloRatings(["a"]).state(), k=fide)


class Raises:
    """What cannot be read as a number, and says so in its own way."""

    def __float__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "change",
    [
        {"k": [["a"]]},
        {"k": [["a", -1]]},
        {"k": "32"},
        {"k": [[["a"], 2]]},
        {"initial": [["a", math.inf]]},
        {"half_life": -1},
        {"half_life": "7"},
        {"half_life_in_microseconds": 0.5},
        {"half_life_in_microseconds": 10**400},
        {"half_life_in_microseconds": 10**30},
        {"last": [math.inf, 1]},
        {"last": [math.nan, 1]},
        {"last": [1]},
        {"last": 5},
        {"games": [1.5, 1]},
        {"games": [-1, 1]},
        {"games": [math.nan, 1]},
        {"games": [1e300, 1]},
        {"games": ["x", 1]},
        {"ratings": [10**400, 0]},
        {"n_votes": -1},
        {"k": 10**400},
        {"items": 5},
        {"ratings": [Raises(), 0]},
    ],
)
def test_a_changed_state_is_refused(change) -> None:
    ratings = pv.EloRatings(["a", "b"], k={"a": 20}, half_life=7)
    ratings.record("a", "b", "left", time=1)
    with pytest.raises(pv.InputError):
        pv.EloRatings.from_state(ratings.state() | change)


# --- the course ---


def test_the_course_chains_and_its_arrays_are_read_only() -> None:
    votes = random_votes(6, 300, 4)
    ranking = pv.elo(votes, history=True)
    history, rating = ranking.history, dict.fromkeys(range(6), 1500.0)
    for row, (left, right) in enumerate(zip(votes.left.tolist(), votes.right.tolist(), strict=True)):
        assert (history.left_before[row], history.right_before[row]) == (rating[left], rating[right])
        rating[left], rating[right] = history.left_after[row], history.right_after[row]
        if votes.outcome[row] == SKIP:
            assert history.left_after[row] == history.left_before[row]
    assert [rating[code] for code in range(6)] == ranking.scores.tolist()
    for name in ("left", "right", "left_before", "right_before", "left_after", "right_after", "expected"):
        assert getattr(history, name).shape == (300,)
        with pytest.raises(ValueError, match="read-only"):
            getattr(history, name)[0] = 0
    rows, curve = history.of(2)
    assert rows.tolist() == np.flatnonzero((votes.left == 2) | (votes.right == 2)).tolist()
    assert curve[-1] == ranking.scores[2]
    with pytest.raises(pv.InputError, match="'x' is not among the items"):
        history.of("x")
    assert pickle.loads(pickle.dumps(history)).expected.tolist() == history.expected.tolist()


def test_the_course_is_printed_and_tabulated() -> None:
    history = pv.elo(random_votes(6, 30, 4), history=True).history
    assert repr(history) == "RatingHistory(30 votes, 6 items)"
    assert len(history) == 30
    lines = str(history).splitlines()
    assert len(lines) == 12
    assert len({len(line) for line in lines[1:]}) == 1
    assert history._repr_html_().count("<tr>") == 11
    frame = history.to_frame("pandas")
    assert list(frame) == [
        "left",
        "right",
        "left_before",
        "right_before",
        "left_after",
        "right_after",
        "expected",
    ]
    assert frame.shape == (30, 7)
    none = pv.elo(pv.Votes.from_wins([], []), history=True).history
    assert len(none) == 0
    assert str(none).startswith("Ratings before and after each of 0 votes")
    assert pv.elo([], history=True).history.expected.shape == (0,)
    assert pv.elo(random_votes(3, 5, 1)).history is None


def test_forecasts_are_better_than_a_coin() -> None:
    """What `expected` says before each vote has a log loss below log 2 once strengths differ."""
    rng = np.random.default_rng(5)
    strength = rng.normal(0, 1.5, 12)
    left = rng.integers(12, size=3000)
    right = (left + rng.integers(1, 12, size=3000)) % 12
    won = rng.random(3000) < 1 / (1 + np.exp(strength[right] - strength[left]))
    history = pv.elo(pv.Votes.from_codes(left, right, 2 * won), history=True).history
    loss = -np.log(np.where(won, history.expected, 1 - history.expected))
    assert loss[500:].mean() + 3 * loss[500:].std() / math.sqrt(2500) < math.log(2)


# --- on Elo's scale ---


def test_elo_ratings_are_anchored() -> None:
    votes = random_votes(5, 200, 6)
    ranking = pv.elo(votes, history=True)
    moved = ranking.on_elo_scale(1114, anchor=3)
    assert moved.to_dict()[3] == 1114.0
    shift = 1114.0 - ranking.scores[3]
    np.testing.assert_allclose(moved.scores, ranking.scores + shift, rtol=1e-13)
    np.testing.assert_allclose(moved.history.left_after, ranking.history.left_after + shift, rtol=1e-13)
    np.testing.assert_array_equal(moved.history.expected, ranking.history.expected)
    assert (moved.unit, moved.method) == ("elo", "elo")
    assert moved.expected_score(0, 1) == pytest.approx(ranking.expected_score(0, 1), rel=1e-12)
    assert ranking.on_elo_scale(1000).scores.mean() == pytest.approx(1000, rel=1e-13)
    twice = pv.bradley_terry(votes, prior_sd=2.0).on_elo_scale().on_elo_scale(0, anchor=1)
    assert twice.scores[1] == 0.0
    with pytest.raises(pv.InputError, match=r"200 points of these ratings are odds.*; rate with scale=400 and base=10"):
        pv.elo(votes, scale=200).on_elo_scale()
    assert pv.elo(votes, scale=400, base=10).on_elo_scale(anchor=0).scores[0] == 1500.0
    with pytest.raises(pv.InputError, match="'x' is not among the items"):
        ranking.on_elo_scale(anchor="x")


# --- what is refused ---

VOTES = pv.Votes.from_wins(["a", "b"], ["b", "c"], time=[1, 2])


def shouts(games):
    raise KeyError("games")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": {"a": -1}}, "k of 'a' is -1; the values are finite numbers from 0"),
        ({"k": {"a": "x"}}, "k of 'a' is 'x'"),
        ({"k": {"a": True}}, "k of 'a' is True"),
        ({"k": {"a": math.nan}}, "k of 'a' is nan"),
        ({"k": {"a": 10**400}}, "k of 'a' is 1000"),
        ({"k": {"a": 1e300}}, "could move a rating by more than 1e+100"),
        ({"k": {"z": 1}}, "k names 'z', which is not among the 3 items; check its spelling"),
        ({"k": [32, 32]}, "k is [32, 32]; it is a finite number above 0, or one for each label in a dict"),
        ({"k": lambda games: -1}, "k after 0 votes is -1.0; its values are numbers from 0 to 1e+100"),
        ({"k": lambda games: np.where(games < 5, 40.0, np.nan)}, "k after 5 votes is nan"),
        ({"k": lambda games: "x"}, "k after 0 votes is 'x'"),
        ({"k": lambda games: None}, "k after 0 votes is None"),
        ({"k": lambda games: 10**400}, "k after 0 votes is 1000"),
        ({"k": lambda: 3}, "k raised TypeError"),
        ({"k": shouts}, "k raised KeyError('games') after 0 votes; pass a function of the number of votes"),
        ({"initial": {"a": math.inf}}, "initial of 'a' is inf; the values are finite numbers"),
        ({"initial": {"a": None}}, "initial of 'a' is None"),
        ({"initial": {"z": 1}}, "initial names 'z', which is not among the 3 items"),
        ({"initial": [1500]}, "initial is [1500]; it is a finite number, or one for each label in a dict"),
        ({"initial": 10**400}, "initial is 1000"),
        ({"half_life": 0}, "half_life is 0; it is a number above 0"),
        ({"half_life": -2.0}, "half_life is -2.0"),
        ({"half_life": math.inf}, "half_life is inf"),
        ({"half_life": "7"}, "half_life is '7'"),
        ({"half_life": True}, "half_life is True"),
        ({"half_life": 10**400}, "half_life is 1000"),
        ({"half_life": dt.timedelta(0)}, "half_life is datetime.timedelta(0)"),
        ({"half_life": np.timedelta64(3, "M")}, "half_life is "),
        ({"half_life": np.timedelta64("NaT", "D")}, "half_life is "),
        ({"half_life": dt.timedelta(days=3)}, "are numbers and half_life is a timedelta; pass a number"),
        ({"half_life": np.timedelta64(3, "D")}, "half_life is "),
        ({"k": np.timedelta64(3, "D")}, "k is "),
        ({"n_shuffles": 10**400}, "n_shuffles is 1000"),
        ({"history": 1}, "history is 1; it is True or False"),
        ({"history": None}, "history is None"),
        ({"history": True, "n_shuffles": 3}, "history is given with n_shuffles"),
        ({"half_life": 3, "n_shuffles": 3}, "half_life is given with n_shuffles"),
        ({"history": True, "criteria": {"x": 1}}, "rate each criterion with criterion="),
        ({"n_shuffles": 3, "rng": -1}, "rng is -1"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.elo(VOTES, **options)


def test_times_are_needed_and_the_remedy_works() -> None:
    votes = pv.Votes.from_wins(["a"], ["b"])
    with pytest.raises(pv.InputError, match=re.escape("make the votes with time=, one for each")):
        pv.elo(votes, half_life=3)
    assert pv.elo(pv.Votes.from_wins(["a"], ["b"], time=[1]), half_life=3).scores.tolist() == [1516.0, 1484.0]
    days = pv.Votes.from_wins(["a"], ["b"], time=["2024-01-01"])
    with pytest.raises(pv.InputError, match=re.escape("pass a datetime.timedelta, such as timedelta(days=365)")):
        pv.elo(days, half_life=3)
    assert pv.elo(days, half_life=dt.timedelta(days=365)).scores.tolist() == [1516.0, 1484.0]
    assert pv.elo(pv.Votes.from_wins([], []), half_life=3, k=fide, history=True).n_items == 0


def test_chunks_name_labels_that_no_vote_bears() -> None:
    with pytest.raises(pv.InputError, match="k names 'z', which is not among the 3 items"):
        pv.elo([VOTES], k={"z": 1})
    assert pv.elo([VOTES], k={"c": 0}).to_dict()["c"] == 1500.0


def test_weights_that_would_overflow_are_refused() -> None:
    heavy = pv.Votes.from_labels(["a"], ["b"], ["left"], weight=[9e99], time=[1])
    for options in ({"k": fide}, {"k": {"a": 20}}, {"half_life": 1}, {"history": True}):
        with pytest.raises(pv.InputError, match="could move a rating by more than 1e"):
            pv.elo(heavy, **options)


def test_ratings_at_the_ends_of_float64_are_told_without_a_warning() -> None:
    ranking = pv.elo(VOTES, initial={"a": -1e308, "b": 1e308}, history=True)
    assert ranking.history.expected.tolist() == [0.0, 1.0]
    with pytest.raises(pv.InputError, match="is not among the items"):
        ranking.history.of(np.timedelta64(3, "D"))


def test_shuffles_take_k_by_item_and_by_games() -> None:
    votes = random_votes(4, 60, 7)
    for k in ({0: 64}, fide):
        ranking = pv.elo(votes, k=k, n_shuffles=40, rng=1)
        assert ranking.order_spread is not None
        # The mean over orders is near the votes' own, by a few spreads.
        np.testing.assert_array_less(
            np.abs(ranking.scores - pv.elo(votes, k=k).scores), 5 * ranking.order_spread + 1e-9
        )


def test_the_laboratory_takes_the_options() -> None:
    sim = pv.simulate(n_items=5, n_voters=4, votes_each=10, repetitions=4, rng=1)
    plain, same = sim.scores("elo"), sim.scores("elo", k=lambda games: 32)
    np.testing.assert_array_equal(plain, same)
    assert (sim.scores("elo", k=fide) != plain).any()
