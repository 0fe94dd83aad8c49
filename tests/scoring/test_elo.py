"""Elo ratings, held against reference.py and evalica; single votes and batches give the same bits."""

from __future__ import annotations

import itertools
import json
import math
import pickle
import re

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import Sample, samples

import pairvote as pv
from pairvote import _kernels

RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
OPTIONS = st.fixed_dictionaries(
    {
        "k": st.sampled_from([4, 32.0, 0.5, 100]),
        "initial": st.sampled_from([1500.0, 0, -20.5]),
        "scale": st.sampled_from([400, 173.7, 1.0]),
        "base": st.sampled_from([10, math.e, 2.0]),
    }
)
NAMES = ["ash", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo"]


def random_votes(n_items: int, n_votes: int, seed: int, *, weighted: bool = False) -> pv.Votes:
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    weight = rng.gamma(1.0, size=n_votes) if weighted else None
    return pv.Votes.from_codes(left, right, rng.choice([0, 1, 2, 3], size=n_votes), n_items=n_items, weight=weight)


# --- the batch ---


@given(samples(), OPTIONS)
def test_equals_the_reference(sample, options) -> None:
    ranking = pv.elo(sample.votes(), **options)
    expected = reference.elo(sample.rows, sample.n_items, **options)
    np.testing.assert_allclose(ranking.scores, expected, rtol=1e-12, atol=1e-11)
    assert (ranking.unit, ranking.method, ranking.fit, ranking.order_spread) == ("elo", "elo", None, None)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_reference_over_many_votes(weighted) -> None:
    votes = random_votes(20, 5000, 1, weighted=weighted)
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    rows = list(zip(*(column.tolist() for column in (votes.left, votes.right, votes.outcome, weight)), strict=True))
    np.testing.assert_allclose(pv.elo(votes).scores, reference.elo(rows, 20), rtol=1e-12)


def test_equals_evalica() -> None:
    evalica = pytest.importorskip("evalica", reason="evalica is not installed")
    votes = random_votes(9, 800, 2)
    votes = votes.where(votes.outcome != SKIP)
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[o] for o in votes.outcome.tolist()]
    left, right = ([f"{code}" for code in codes.tolist()] for codes in (votes.left, votes.right))
    theirs = evalica.elo(left, right, winners, k=4.0, initial=1500.0).scores.sort_index().to_numpy()
    np.testing.assert_allclose(pv.elo(votes, k=4).scores, theirs, rtol=1e-13)


def test_one_vote_moves_by_the_formula() -> None:
    votes = pv.Votes.from_wins(["ash", "ash"], ["birch", "birch"])
    first, second = 16.0, 32 * (1 - 1 / (1 + 10 ** (-32 / 400)))
    assert pv.elo(votes).scores.tolist() == pytest.approx([1500 + first + second, 1500 - first - second], rel=1e-15)


@given(samples(min_items=2), OPTIONS)
def test_votes_keep_their_order(sample, options) -> None:
    """The ratings are those after each vote in turn, and no others."""
    rated = pv.elo(sample.votes(), **options)
    rows, seen = list(sample.rows), pv.EloRatings(range(sample.n_items), **options)
    for left, right, outcome, weight in rows:
        seen.record(left, right, pv.Outcome(outcome), weight)
    assert [seen[item] for item in range(sample.n_items)] == rated.scores.tolist()


def test_totals_and_components_of_many_votes_are_those_of_chunks() -> None:
    votes = random_votes(30, 250_000 if _kernels.elo.COMPILED else 2_000, 4)
    first_half = np.arange(len(votes)) < len(votes) // 2
    whole, chunks = (
        pv.elo(votes),
        pv.elo([votes.where(first_half), votes.where(~first_half)]),
    )
    np.testing.assert_array_equal(whole.scores, chunks.scores)
    for name in ("won", "tied", "asked", "skipped", "components"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(chunks, name))
    np.testing.assert_array_equal(whole.won, pv.tally(votes, ties=0).scores)


def test_another_order_gives_other_ratings() -> None:
    votes = random_votes(5, 40, 3)
    backwards = pv.Votes.from_codes(votes.left[::-1], votes.right[::-1], votes.outcome[::-1], n_items=5)
    assert np.abs(pv.elo(votes).scores - pv.elo(backwards).scores).max() > 0.1


@given(samples(min_items=2), st.randoms(use_true_random=False))
def test_laws(sample, random) -> None:
    scores = pv.elo(sample.votes()).scores

    def rated(rows, *, weighted=sample.weighted):
        return pv.elo(Sample(rows, sample.n_items, weighted).votes()).scores

    swapped = [(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows]
    np.testing.assert_allclose(rated(swapped), scores, rtol=1e-14)
    places = list(range(sample.n_items))
    random.shuffle(places)
    np.testing.assert_array_equal(rated([(places[i], places[j], o, w) for i, j, o, w in sample.rows])[places], scores)
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows]
    skips = [(j, i, SKIP, w) for i, j, _, w in sample.rows]
    mixed = [row for rows in zip(idle, skips, sample.rows, strict=True) for row in rows]
    np.testing.assert_array_equal(rated(mixed, weighted=True), scores)
    np.testing.assert_array_equal(
        rated([(i, j, o, 1.0) for i, j, o, _ in sample.rows]),
        rated([(i, j, o, 1.0) for i, j, o, _ in sample.rows], weighted=True),
    )
    assert scores.sum() == pytest.approx(1500 * sample.n_items, rel=1e-13)


def test_weights_scale_the_whole_update() -> None:
    one = pv.Votes.from_labels(["a"], ["b"], ["left"], weight=[2.5])
    assert pv.elo(one, k=10).scores.tolist() == pv.elo(pv.Votes.from_wins(["a"], ["b"]), k=25).scores.tolist()


def test_initial_shifts_and_scale_stretches() -> None:
    votes = random_votes(6, 200, 4)
    scores = pv.elo(votes).scores
    np.testing.assert_allclose(pv.elo(votes, initial=0).scores, scores - 1500, atol=1e-9)
    np.testing.assert_allclose(pv.elo(votes, initial=0, scale=800, k=64).scores, 2 * (scores - 1500), atol=1e-9)
    natural = pv.elo(votes, initial=0, scale=1.0, base=math.e, k=32 * math.log(10) / 400)
    np.testing.assert_allclose(natural.scores * 400 / math.log(10), scores - 1500, atol=1e-9)


def test_expected_score_of_the_ranking_is_that_of_the_update() -> None:
    votes = random_votes(6, 200, 5)
    for options in ({}, {"scale": 100, "base": 2.0}):
        ranking = pv.elo(votes, **options)
        lead = (ranking.scores[0] - ranking.scores[1]) / options.get("scale", 400)
        expected = 1 / (1 + options.get("base", 10) ** -lead)
        assert ranking.expected_score(0, 1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int8])
def test_numbers_of_other_widths_are_taken_as_what_they_are(kind) -> None:
    """Compiled or interpreted, arithmetic is in double precision."""
    votes = random_votes(4, 50, 6)
    k, scale = kind(7), kind(100)
    assert (
        pv.elo(votes, k=k, scale=scale, initial=kind(3)).scores.tolist()
        == pv.elo(votes, k=float(k), scale=float(scale), initial=3.0).scores.tolist()
    )
    ratings, same = (pv.EloRatings(["a", "b"], k=number, scale=width) for number, width in ((k, scale), (7.0, 100.0)))
    ratings.record("a", "b", "left", kind(3))
    same.record("a", "b", "left", 3.0)
    assert ratings["a"] == same["a"]
    assert json.loads(json.dumps(ratings.state())) == same.state()


# --- shuffles ---


def test_shuffles_give_the_mean_and_the_spread_over_orders() -> None:
    votes = random_votes(4, 6, 7)
    rows = list(zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), [1.0] * 6, strict=True))
    every = np.array([reference.elo(order, 4) for order in itertools.permutations(rows)])
    n_shuffles = 4000
    ranking = pv.elo(votes, n_shuffles=n_shuffles, rng=1)
    error = every.std(axis=0) / math.sqrt(n_shuffles)
    np.testing.assert_array_less(np.abs(ranking.scores - every.mean(axis=0)), 4 * error + 1e-9)
    np.testing.assert_allclose(ranking.order_spread, every.std(axis=0), rtol=0.06)


def test_shuffles_follow_the_rng() -> None:
    votes = random_votes(8, 100, 8, weighted=True)
    first, again, other = (pv.elo(votes, n_shuffles=5, rng=rng) for rng in (3, np.random.default_rng(3), 4))
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.order_spread, again.order_spread)
    assert (first.scores != other.scores).any()
    rng, samples_ = np.random.default_rng(3), []
    for _ in range(5):
        order = rng.permutation(len(votes))
        shuffled = pv.Votes.from_codes(
            votes.left[order], votes.right[order], votes.outcome[order], n_items=8, weight=votes.weight[order]
        )
        samples_.append(pv.elo(shuffled).scores)
    np.testing.assert_allclose(first.scores, np.mean(samples_, axis=0), rtol=1e-14)
    np.testing.assert_allclose(first.order_spread, np.std(samples_, axis=0, ddof=1), rtol=1e-10)
    with pytest.raises(ValueError, match="read-only"):
        first.order_spread[0] = 0.0


def test_the_spread_over_orders_is_no_standard_error() -> None:
    ranking = pv.elo(random_votes(4, 20, 9), n_shuffles=3, rng=0)
    assert ranking.order_spread is not None
    for name in ("standard_errors", "covariance"):
        with pytest.raises(pv.MissingUncertaintyError, match="by 'elo' of 4 items has no standard errors"):
            getattr(ranking, name)
    for ask in (ranking.confidence_interval, lambda: ranking.difference(0, 1), lambda: ranking.top_k_probability(1)):
        with pytest.raises(pv.MissingUncertaintyError):
            ask()
    assert "order_spread" in ranking.to_columns()
    assert not {"standard_error", "low", "high"} & set(ranking.to_columns())
    assert "spread over orders" in str(ranking)
    assert "interval" not in str(ranking)


# --- what is refused ---


@pytest.mark.parametrize(
    "make",
    [lambda **options: pv.elo(random_votes(3, 5, 0), **options), lambda **o: pv.EloRatings(["a", "b", "c"], **o)],
)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ({"k": k}, f"k is {k!r}; it is a finite number above 0")
            for k in (0, -1, math.nan, math.inf, "32", None, True)
        ),
        *(
            ({"scale": s}, f"scale is {s!r}; it is a finite number above 0")
            for s in (0.0, -400, math.nan, math.inf, "400")
        ),
        *(
            ({"base": b}, f"base is {b!r}; it is a finite number above 1")
            for b in (1, 0.5, -10, math.nan, math.inf, None)
        ),
        *(
            ({"initial": i}, f"initial is {i!r}; it is a finite number")
            for i in (math.nan, math.inf, -math.inf, "1500", True)
        ),
        ({"scale": 5e-324}, "scale is 5e-324, so small that any lead is certain to win"),
        ({"k": 1e300}, "k is 1e+300, so a vote of weight 1 could move a rating by more than 1e+100"),
    ],
)
def test_options_out_of_range_are_refused(make, options, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        make(**options)


@pytest.mark.parametrize("n_shuffles", [0, 1, -3, 2.0, True, "10"])
def test_number_of_shuffles_out_of_range_is_refused(n_shuffles) -> None:
    with pytest.raises(pv.InputError, match=re.escape(f"n_shuffles is {n_shuffles!r}; it is a whole number from 2")):
        pv.elo(random_votes(3, 5, 0), n_shuffles=n_shuffles)


def test_counts_have_no_order() -> None:
    votes = random_votes(3, 5, 0)
    ratings = pv.EloRatings(range(3))
    for refused in (votes.counts(), None, "ash", [("a", "b", "left")], [votes, None]):
        what = (
            "chunk [01] of votes is a (tuple|NoneType)" if isinstance(refused, list) else "votes is a (PairC|None|str)"
        )
        message = f"{what}.*; Elo needs Votes, since their order matters"
        with pytest.raises(pv.InputError, match=message):
            pv.elo(refused)
        with pytest.raises(pv.InputError, match=message):
            ratings.update(refused)


def test_criteria_are_rated_one_at_a_time() -> None:
    votes = pv.Votes.from_labels(list("abab"), list("baba"), ["left"] * 4, criterion=["new", "new", "useful", "useful"])
    ratings = pv.EloRatings(["a", "b"])
    for scorer in (pv.elo, ratings.update):
        with pytest.raises(pv.InputError, match="several criteria"):
            scorer(votes)
    ratings.update(votes, criterion="new")
    assert [ratings["a"], ratings["b"]] == pv.elo(votes, criterion="new").scores.tolist()


@pytest.mark.parametrize("weight", [9e99, 4e99])
def test_weights_that_would_overflow_are_refused(weight) -> None:
    votes = pv.Votes.from_labels(list("ab"), list("ba"), ["left", "tie"], weight=[1.0, weight])
    with pytest.raises(pv.InputError, match=re.escape("could move a rating by more than 1e+100; let k or the weights")):
        pv.elo(votes)
    ratings = pv.EloRatings(["a", "b"])
    with pytest.raises(pv.InputError, match="more than"):
        ratings.update(votes)
    for heavy in (weight, 1e308):
        with pytest.raises(pv.InputError, match="more than"):
            ratings.record("a", "b", "left", heavy)
    assert ratings.state() == pv.EloRatings(["a", "b"]).state()


def test_large_weights_below_that_stay_finite() -> None:
    votes = pv.Votes.from_labels(list("abab"), list("baba"), ["left", "tie", "right", "left"], weight=[1e98] * 4)
    assert np.isfinite(pv.elo(votes).scores).all()


# --- the stream ---


@given(samples(min_items=2), st.integers(0, 25), OPTIONS)
def test_single_votes_equal_batches_to_the_bit(sample, split, options) -> None:
    votes = sample.votes(items=NAMES[: sample.n_items])
    single, batch, mixed = (pv.EloRatings(NAMES[: sample.n_items], **options) for _ in range(3))
    batch.update(votes)
    for place, (left, right, outcome, weight) in enumerate(sample.rows):
        single.record(NAMES[left], NAMES[right], pv.Outcome(outcome), weight)
        if place < split:
            mixed.record(NAMES[left], NAMES[right], pv.Outcome(outcome), weight)
    mixed.update(votes.where(np.arange(len(votes)) >= split))
    assert single.state() == batch.state() == mixed.state()
    assert single.state()["ratings"] == pv.elo(votes, **options).scores.tolist()
    totals = reference.item_totals(sample.rows, sample.n_items)
    ranking = single.ranking()
    for name in ("won", "tied", "skipped"):
        np.testing.assert_array_equal(getattr(ranking, name), totals[name])


@given(samples(min_items=2), st.randoms(use_true_random=False))
def test_batches_match_labels_in_any_order(sample, random) -> None:
    names = NAMES[: sample.n_items]
    expected = pv.EloRatings(names)
    expected.update(sample.votes(items=names))
    order = [*names, "someone else"]
    random.shuffle(order)
    ratings = pv.EloRatings(order)
    ratings.update(sample.votes(items=names))
    assert {name: ratings[name] for name in names} == {name: expected[name] for name in names}
    assert ratings["someone else"] == 1500.0
    assert (
        dict(zip(ratings.items, ratings.ranking().won, strict=True)).items()
        >= dict(zip(names, expected.ranking().won, strict=True)).items()
    )


def test_labels_that_no_vote_bears_need_not_be_known() -> None:
    votes = pv.Votes.from_wins(["ash"], ["birch"], items=["zelkova", "birch", "ash"])
    ratings = pv.EloRatings(["ash", "birch"])
    ratings.update(votes)
    assert ratings.ranking().to_dict() == {"ash": 1516.0, "birch": 1484.0}


def test_a_batch_with_an_unknown_item_changes_nothing() -> None:
    ratings = pv.EloRatings(["ash", "birch"])
    ratings.record("ash", "birch", "left")
    before = ratings.state()
    votes = pv.Votes.from_wins(["ash", "cedar"], ["birch", "ash"])
    with pytest.raises(pv.InputError, match="'cedar' is not among the 2 items; add it first"):
        ratings.update(votes)
    assert ratings.state() == before
    ratings.add("cedar")
    ratings.update(votes)
    assert ratings["cedar"] > 1500


@pytest.mark.parametrize(
    ("vote", "message"),
    [
        (("ash", "cedar", "left"), "'cedar' is not among the 2 items; add it first"),
        ((None, "ash", "left"), "None is not among the 2 items"),
        ((["ash"], "birch", "left"), "['ash'] is not among the 2 items"),
        (("ash", "ash", "left"), "the vote has 'ash' against itself"),
        (("ash", "birch", "won"), "outcome is 'won'; it is 'left', 'right', 'tie' or 'skip'"),
        (("ash", "birch", 2), "outcome is 2"),
        (("ash", "birch", None), "outcome is None"),
        (("ash", "birch", ["left"]), "outcome is ['left']"),
        (("ash", "birch", "left", -1.0), "weight is -1.0; weights are finite numbers and not negative"),
        (("ash", "birch", "left", math.nan), "weight is nan"),
        (("ash", "birch", "left", math.inf), "weight is inf"),
        (("ash", "birch", "left", "2"), "weight is '2'"),
        (("ash", "birch", "left", None), "weight is None"),
        (("ash", "birch", "left", [1.0]), "weight is [1.0]"),
    ],
)
def test_a_refused_vote_changes_nothing(vote, message) -> None:
    ratings = pv.EloRatings(["ash", "birch"])
    ratings.record("birch", "ash", "left")
    before = ratings.state()
    with pytest.raises(pv.InputError, match=re.escape(message)):
        ratings.record(*vote)
    assert ratings.state() == before


def test_outcomes_go_by_name_or_by_member() -> None:
    for name, outcome in (
        ("left", pv.Outcome.LEFT),
        ("right", pv.Outcome.RIGHT),
        ("tie", pv.Outcome.TIE),
        ("skip", pv.Outcome.SKIP),
    ):
        ratings, same = pv.EloRatings(["a", "b"], initial=0), pv.EloRatings(["a", "b"], initial=0)
        ratings.record("b", "a", "left")
        same.record("b", "a", "left")
        ratings.record("a", "b", name)
        same.record("a", "b", outcome)
        assert ratings.state() == same.state()


def test_votes_of_no_weight_change_no_rating() -> None:
    ratings = pv.EloRatings(["a", "b"])
    ratings.record("a", "b", "left", 0.0)
    assert ratings.state() == pv.EloRatings(["a", "b"]).state() | {"n_votes": 1}


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("ash", "items[2] is 'ash' again, after items[0]"),
        (None, "items[2] is None; every item needs a label"),
        (math.nan, "items[2] is nan"),
        (["x"], "items[2] is ['x'], which is not hashable"),
    ],
)
def test_a_label_that_cannot_be_added_changes_nothing(label, message) -> None:
    ratings = pv.EloRatings(["ash", "birch"])
    before = ratings.state()
    with pytest.raises(pv.InputError, match=re.escape(message)):
        ratings.add(label)
    assert ratings.state() == before
    assert len(ratings) == 2


def test_items_added_later_begin_at_the_initial_rating() -> None:
    ratings = pv.EloRatings([], initial=1000.0, k=16)
    assert (len(ratings), ratings.ranking().scores.tolist(), ratings.ranking().order()) == (0, [], [])
    for label in ("ash", 7, ("a", "b")):
        ratings.add(label)
    ratings.record(("a", "b"), 7, "left")
    assert ratings.items == ("ash", 7, ("a", "b"))
    assert [ratings[label] for label in ratings.items] == [1000.0, 992.0, 1008.0]
    assert ratings.ranking().order() == [("a", "b"), "ash", 7]
    with pytest.raises(pv.InputError, match="'birch' is not among the 3 items"):
        ratings["birch"]


@pytest.mark.parametrize("items", ["abc", {"a", "b"}, {"a": 1}, 5, None])
def test_items_without_an_order_are_refused(items) -> None:
    if items == "abc":
        with pytest.raises(pv.InputError, match="items is 'abc'; pass the labels as a list"):
            pv.EloRatings(items)
    else:
        with pytest.raises(pv.InputError, match="items is"):
            pv.EloRatings(items)


# --- kept and taken up again ---


@given(samples(min_items=2), OPTIONS)
def test_ratings_go_through_a_dict_and_json_to_the_bit(sample, options) -> None:
    ratings = pv.EloRatings(NAMES[: sample.n_items], **options)
    ratings.update(sample.votes(items=NAMES[: sample.n_items]))
    for state in (ratings.state(), json.loads(json.dumps(ratings.state()))):
        again = pv.EloRatings.from_state(state)
        assert again.state() == ratings.state()
        again.record("ash", "birch", "tie", 0.3)
        same = pickle.loads(pickle.dumps(ratings))
        same.record("ash", "birch", "tie", 0.3)
        assert again.state() == same.state()


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("ratings"),
        lambda state: state.pop("k"),
        lambda state: state.update(k=-1),
        lambda state: state.update(items=["a"]),
        lambda state: state.update(items=["a", "a"]),
        lambda state: state.update(ratings=[1.0]),
        lambda state: state.update(ratings=["x", "y"]),
        lambda state: state.update(ratings=[1.0, math.nan]),
        lambda state: state.update(ratings=[1.0, math.inf]),
        lambda state: state.update(totals=[[0.0] * 4]),
        lambda state: state.update(totals=[[0.0] * 3] * 2),
        lambda state: state.update(totals=[[math.nan] * 4] * 2),
        lambda state: state.update(totals=None),
    ],
)
def test_a_changed_dict_is_refused(change) -> None:
    state = pv.EloRatings(["a", "b"]).state()
    change(state)
    with pytest.raises(pv.InputError, match=r"pass (its dict|the dict of EloRatings\.state) unchanged"):
        pv.EloRatings.from_state(state)


@pytest.mark.parametrize("state", [None, [], "state", {}, 3])
def test_what_is_no_dict_of_ratings_is_refused(state) -> None:
    with pytest.raises(pv.InputError, match=r"this is not what EloRatings\.state gave"):
        pv.EloRatings.from_state(state)


def test_a_ranking_is_a_picture_of_the_moment() -> None:
    ratings = pv.EloRatings(["a", "b"])
    ratings.record("a", "b", "left")
    ranking = ratings.ranking()
    ratings.record("a", "b", "right")
    ratings.record("a", "b", "skip")
    assert ranking.to_dict() == {"a": 1516.0, "b": 1484.0}
    assert (ranking.won.tolist(), ranking.skipped.tolist()) == ([1.0, 0.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="read-only"):
        ranking.scores[0] = 0.0
    with pytest.raises(pv.InputError, match="running Elo ratings do not keep who met whom"):
        ranking.components  # noqa: B018
    assert repr(ratings) == "EloRatings(2 items, 2 votes)"


class TestTimes:
    """Votes are taken in the order of their times; of one time, as they stand."""

    def votes(self, seed: int = 0) -> pv.Votes:
        rng = np.random.default_rng(seed)
        left = rng.integers(5, size=60)
        right = (left + rng.integers(1, 5, size=60)) % 5
        return pv.Votes.from_codes(left, right, rng.integers(4, size=60), n_items=5, time=rng.integers(20, size=60))

    def in_order(self) -> pv.Votes:
        votes = self.votes()
        order = sorted(range(len(votes)), key=lambda row: int(votes.time[row]))
        columns = {name: getattr(votes, name)[order] for name in ("left", "right", "outcome")}
        return pv.Votes.from_codes(**columns, n_items=5)

    def test_rows_are_sorted_by_time(self) -> None:
        votes, sorted_votes = self.votes(), self.in_order()
        assert pv.elo(votes).scores.tolist() == pv.elo(sorted_votes).scores.tolist()
        untimed = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=5)
        assert pv.elo(untimed).scores.tolist() != pv.elo(votes).scores.tolist()
        ratings = pv.EloRatings(range(5))
        ratings.update(votes)
        assert ratings.ranking().scores.tolist() == pv.elo(votes).scores.tolist()

    def test_chunks_must_come_in_order(self) -> None:
        votes = self.votes()
        rows = np.argsort(votes.time, kind="stable")
        ordered = [votes.where(np.isin(np.arange(60), rows[part])) for part in (slice(0, 0), slice(60))]
        with pytest.raises(pv.InputError, match=r"time at row \d+ is \d+, and that of the row above it is") as caught:
            pv.elo(ordered)
        back = np.flatnonzero(np.diff(votes.time) < 0)[0] + 1
        assert (caught.value.option, caught.value.where) == ("time", f"row {back}")

    def test_chunks_in_order_are_the_whole(self) -> None:
        untimed = self.in_order()
        time = np.sort(self.votes().time)
        columns = {name: getattr(untimed, name) for name in ("left", "right", "outcome")}
        votes = pv.Votes.from_codes(**columns, n_items=5, time=time)
        rows = np.arange(60)
        chunks = [votes.where(rows < 7), votes.where((rows >= 7) & (rows < 40)), votes.where(rows >= 40)]
        assert pv.elo(chunks).scores.tolist() == pv.elo(untimed).scores.tolist()
        with pytest.raises(pv.InputError, match=r"time at row 27 is") as caught:
            pv.elo([chunks[0], chunks[2], chunks[1]]) if time[7] < time[-1] else None
        assert caught.value.option == "time"
