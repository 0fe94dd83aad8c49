"""How two rankings agree, held against brute force; and rankings anchored on Elo's scale."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st

import pairvote as pv

VOTES = pv.datasets.kalmar().simulated_votes(rng=3, ties=0.5)
BASEBALL = pv.bradley_terry(pv.datasets.baseball())


def ranking_of(scores, items=None, unit="log-odds") -> pv.Ranking:
    """A ranking of these scores that no votes led to."""
    items = tuple(range(len(scores)) if items is None else items)
    return pv.Ranking(
        items=items,
        scores=np.array(scores, float),
        unit=unit,
        method="by hand",
        _totals=np.ones((len(items), 4)),
        _first=None,
    )


@st.composite
def pairs_of_scores(draw, max_items=6, levels=4):
    """Two lists of as many scores, neither all level."""
    n_items = draw(st.integers(2, max_items))
    both = [draw(st.lists(st.integers(0, levels), min_size=n_items, max_size=n_items)) for _ in range(2)]
    assume(all(len(set(scores)) > 1 for scores in both))
    return both


def numbers(agreement):
    return agreement.kendall_tau, agreement.spearman, agreement.top_k_overlap, agreement.rank_biased_overlap


@given(both=pairs_of_scores(), p=st.sampled_from([0.1, 0.5, 0.9, 0.98]), data=st.data())
def test_equals_the_reference(both, p, data) -> None:
    one, other = map(ranking_of, both)
    k = data.draw(st.integers(1, one.n_items))
    ours = one.agreement(other, k, p=p)
    ranks = [reference.ranks(scores, 0.0).tolist() for scores in both]
    assert ours.kendall_tau == pytest.approx(reference.kendall_tau_b(*ranks), abs=1e-12)
    assert ours.spearman == pytest.approx(reference.spearman(*ranks), abs=1e-12)
    parts = [reference.top_k_parts(given, k) for given in ranks]
    assert ours.top_k_overlap == pytest.approx(np.minimum(*parts).sum() / k, abs=1e-12)
    assert ours.rank_biased_overlap == pytest.approx(reference.rank_biased_overlap(*ranks, p), abs=1e-12)
    assert (ours.top_k, ours.p) == (k, p)


def test_a_worked_example() -> None:
    # In common of the first 1, 2, ... items: 0/1, 1/2, 2/3, 4/4, 5/5, and all below.
    ours, theirs = ranking_of([5, 4, 3, 2, 1]), ranking_of([2, 5, 4, 3, 1])
    agreement = ours.agreement(theirs, 3)
    assert agreement.rank_biased_overlap == pytest.approx(0.1 * (0.9 / 2 + 0.81 * 2 / 3 + 0.9**3 + 0.9**4) + 0.9**5)
    assert agreement.top_k_overlap == pytest.approx(2 / 3)
    assert agreement.kendall_tau == pytest.approx((7 - 3) / 10)
    assert agreement.spearman == pytest.approx(1 - 6 * (9 + 1 + 1 + 1) / 120)


# --- laws ---


@given(both=pairs_of_scores(max_items=9), random=st.randoms())
def test_agreement_is_mutual_and_knows_labels_not_places(both, random) -> None:
    one, other = map(ranking_of, both)
    expected = numbers(one.agreement(other, 2))
    assert numbers(other.agreement(one, 2)) == pytest.approx(expected, abs=1e-14)
    places = list(range(one.n_items))
    random.shuffle(places)
    shuffled = ranking_of([both[1][place] for place in places], items=places)
    assert numbers(one.agreement(shuffled, 2)) == pytest.approx(expected, abs=1e-14)
    stretched = ranking_of(np.exp(both[1]), unit="elo")
    assert numbers(one.agreement(stretched, 2)) == pytest.approx(expected, abs=1e-14)


@given(both=pairs_of_scores(max_items=9), data=st.data())
def test_a_ranking_agrees_wholly_with_itself(both, data) -> None:
    ranking = ranking_of(both[0])
    k = data.draw(st.integers(1, ranking.n_items))
    assert numbers(ranking.agreement(ranking, k)) == pytest.approx((1.0, 1.0, 1.0, 1.0), abs=1e-12)


@given(st.integers(2, 30))
def test_upside_down_is_the_least_agreement(n_items) -> None:
    ranking, reverse = ranking_of(range(n_items)), ranking_of(range(n_items, 0, -1))
    k = n_items // 2
    agreement = ranking.agreement(reverse, k)
    assert numbers(agreement)[:3] == pytest.approx((-1.0, -1.0, 0.0), abs=1e-12)
    assert agreement.rank_biased_overlap < ranking.agreement(ranking, k).rank_biased_overlap


@given(both=pairs_of_scores(max_items=9))
def test_numbers_stay_in_their_range(both) -> None:
    one, other = map(ranking_of, both)
    for k in range(1, one.n_items + 1):
        agreement = one.agreement(other, k)
        assert all(-1 - 1e-12 <= value <= 1 + 1e-12 for value in numbers(agreement)[:2])
        assert all(0 <= value <= 1 for value in numbers(agreement)[2:])
    assert agreement.top_k_overlap == pytest.approx(1.0)


def test_level_within_rounding_is_level() -> None:
    exact, rounded = ranking_of([1.0, 0.3, 0.3, 0.0]), ranking_of([1.0, 0.1 + 0.2, 0.3, -1e-17])
    assert numbers(exact.agreement(rounded, 2)) == pytest.approx((1.0, 1.0, 1.0, 1.0), abs=1e-12)


def test_scorers_of_the_same_votes_agree() -> None:
    bradley_terry = pv.bradley_terry(VOTES)
    for method in ("tally", "win-rate", "elo", "luce"):
        agreement = bradley_terry.agreement(pv.rank(VOTES, method))
        assert 0.7 < agreement.kendall_tau <= agreement.spearman <= 1
        assert agreement.top_k == 5
        assert agreement.p == 0.9


# --- what is refused ---


def test_rankings_of_different_items_are_refused() -> None:
    three, four = ranking_of([1, 2, 3], "abc"), ranking_of([1, 2, 3, 4], "abxy")
    with pytest.raises(pv.InputError, match=r"\('c' only in the first; 'x', 'y' only in the second\); compare"):
        three.agreement(four, 1)
    with pytest.raises(pv.InputError, match=r"\('x', 'y' only in the first; 'c' only in the second\)"):
        four.agreement(three, 1)
    with pytest.raises(pv.InputError, match=r"\(3, 4, 5, \.\.\. only in the first\)"):
        ranking_of(range(9)).agreement(ranking_of(range(3)), 1)


def test_no_order_no_agreement() -> None:
    level, some = ranking_of([1.0, 1.0 + 1e-12, 1.0]), ranking_of([1, 2, 3])
    for one, other in ((level, some), (some, level), (level, level)):
        with pytest.raises(pv.InputError, match="all 3 items of one ranking are level"):
            one.agreement(other, 1)
    with pytest.raises(pv.InputError, match="all 1 items of one ranking are level"):
        ranking_of([1]).agreement(ranking_of([1]), 1)


@pytest.mark.parametrize("k", [0, 4, 1.0, True, "2"])
def test_k_out_of_range_is_refused(k) -> None:
    ranking = ranking_of([1, 2, 3])
    with pytest.raises(pv.InputError, match=re.escape(f"k is {k!r}; with 3 items it is a whole number from 1 to 3")):
        ranking.agreement(ranking, k)
    with pytest.raises(pv.InputError, match="from 1 to 0"):
        ranking_of([]).agreement(ranking_of([]))


@pytest.mark.parametrize("p", [0, 1, -0.5, 1.5, math.nan, "0.9", None, True])
def test_p_out_of_range_is_refused(p) -> None:
    ranking = ranking_of([1, 2, 3])
    with pytest.raises(pv.InputError, match=re.escape(f"p is {p!r}; it is a number between 0 and 1")):
        ranking.agreement(ranking, 1, p=p)


@pytest.mark.parametrize("other", [None, [1, 2, 3], {"a": 1.0}])
def test_what_is_no_ranking_is_refused(other) -> None:
    with pytest.raises(pv.InputError, match=f"other is a {type(other).__name__}; pass a Ranking"):
        ranking_of([1, 2, 3]).agreement(other, 1)


# --- an anchor on Elo's scale ---


@pytest.mark.parametrize("ranking", [BASEBALL, pv.luce(VOTES), pv.bootstrap(VOTES, n_resamples=50, rng=1)])
def test_an_anchor_shifts_the_numbers_and_nothing_else(ranking) -> None:
    mean = ranking.on_elo_scale()
    for anchor in ranking.items[:3]:
        anchored = ranking.on_elo_scale(1000, anchor=anchor)
        assert anchored.to_dict()[anchor] == 1000.0
        shift = anchored.scores - mean.scores
        np.testing.assert_allclose(shift, shift[0], atol=1e-9)
        np.testing.assert_array_equal(anchored.ranks(), mean.ranks())
        np.testing.assert_allclose(anchored.probability_matrix(), ranking.probability_matrix(), atol=1e-12)
        if ranking._uncertainty is None:
            continue
        np.testing.assert_array_equal(anchored.covariance, mean.covariance)
        np.testing.assert_array_equal(anchored.standard_errors, mean.standard_errors)
        a, b = ranking.items[1:3]
        assert anchored.difference(a, b).standard_error == mean.difference(a, b).standard_error
        assert anchored.difference(a, b).estimate == pytest.approx(mean.difference(a, b).estimate, abs=1e-9)
        # Both take the same draws, or samples; the shift is lost to rounding but for some digits.
        np.testing.assert_allclose(anchored.top_k_probability(3, rng=0), ranking.top_k_probability(3, rng=0), atol=1e-3)
        ours, theirs = (np.array(which.confidence_interval()) for which in (anchored, ranking))
        np.testing.assert_allclose(ours - anchored.scores, (theirs - ranking.scores) * 400 / math.log(10), atol=1e-9)


def test_an_unknown_anchor_is_refused() -> None:
    with pytest.raises(pv.InputError, match="'Bosten' is not among the items"):
        BASEBALL.on_elo_scale(anchor="Bosten")


@pytest.mark.parametrize("initial", [math.nan, math.inf, "1500", None, True])
def test_an_initial_that_is_no_number_is_refused(initial) -> None:
    with pytest.raises(pv.InputError, match=re.escape(f"initial is {initial!r}; it is a finite number")):
        BASEBALL.on_elo_scale(initial)


@pytest.mark.parametrize(("n_items", "usual"), [(2, 1), (4, 3), (5, 4), (6, 5), (30, 5)])
def test_without_top_k_five_are_compared_or_all_except_one(n_items, usual) -> None:
    ranking = ranking_of(range(n_items))
    assert ranking.agreement(ranking).top_k == usual
    assert ranking.agreement(ranking, n_items).top_k == n_items
    with pytest.raises(pv.InputError, match=f"top_k is {n_items + 1}; with {n_items} items"):
        ranking.agreement(ranking, n_items + 1)
