"""Agreement of voters on the same pairs, against Krippendorff's published example and a slow alpha."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from strategies import Sample, samples

import pairvote as pv


def test_the_slow_alpha_is_the_published_one() -> None:
    # Krippendorff (2011), section C: four observers, twelve units, five categories, alpha 0.743.
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[row[unit] for row in observers if row[unit] != "."] for unit in range(12)]
    assert reference.nominal_alpha(units)[1] == pytest.approx(0.743, abs=5e-4)


def units_of(sample: Sample, voter: list[int]) -> list[list[str]]:
    """The values of each pair, entered from both of its items; the voter's first answer only."""
    units: dict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    for (left, right, outcome, weight), who in zip(sample.rows, voter, strict=True):
        if outcome == reference.SKIP or weight == 0:
            continue
        words = {reference.LEFT: "first", reference.TIE: "tie", reference.RIGHT: "second"}
        turned = {reference.LEFT: "second", reference.TIE: "tie", reference.RIGHT: "first"}
        units[left, right].setdefault(who, words[outcome])
        units[right, left].setdefault(who, turned[outcome])
    return [list(unit.values()) for unit in units.values()]


@given(samples(min_items=2, max_items=4, min_votes=2, max_votes=40))
def test_it_equals_the_slow_alpha_with_pairs_entered_from_both_items(sample) -> None:
    # A voter of one's own for each time that a pair comes up.
    times: dict[frozenset[int], int] = defaultdict(int)
    voter = []
    for left, right, outcome, weight in sample.rows:
        pair = frozenset((left, right))
        voter.append(times[pair])
        times[pair] += outcome != reference.SKIP and weight > 0
    assume(any(outcome != reference.SKIP and weight > 0 for _, _, outcome, weight in sample.rows))
    found = pv.diagnostics.voter_agreement(sample.votes(voter=voter))
    units = [unit for unit in units_of(sample, voter) if len(unit) > 1]
    assert found.n_pairs == len(units) / 2
    assert found.n_answers == sum(map(len, units)) / 2
    values = {value for unit in units for value in unit}
    if len(values) < 2:
        assert math.isnan(found.alpha)
        return
    observed, alpha = reference.nominal_alpha(units)
    assert found.observed == pytest.approx(observed, abs=1e-12)
    assert found.alpha == pytest.approx(alpha, abs=1e-12)


def workshop(seed: int, ties: float = 0.0) -> pv.Votes:
    votes = pv.simulate(n_items=5, n_voters=12, votes_each=10, repetitions=1, rng=seed).votes(0)
    drawn = np.random.default_rng(seed).random(len(votes)) < ties
    outcome = np.where(drawn, 1, votes.outcome)
    return pv.Votes.from_codes(votes.left, votes.right, outcome, n_items=5, voter=votes.voter)


def test_neither_sides_nor_the_order_of_items_matter() -> None:
    votes = workshop(3, ties=0.2)
    found = pv.diagnostics.voter_agreement(votes).to_dict()
    sides = pv.Votes.from_codes(votes.right, votes.left, 2 - votes.outcome, n_items=5, voter=votes.voter)
    order = np.array([3, 0, 4, 1, 2])
    items = pv.Votes.from_codes(order[votes.left], order[votes.right], votes.outcome, n_items=5, voter=votes.voter)
    for other in (sides, items):
        assert pv.diagnostics.voter_agreement(other).to_dict() == pytest.approx(found, abs=1e-12)


def test_coins_do_not_agree_beyond_chance_and_like_minds_do() -> None:
    rng = np.random.default_rng(4)
    left = np.tile(np.repeat(np.arange(5), 5), 40)
    right = np.tile(np.tile(np.arange(5), 5), 40)
    voter = np.repeat(np.arange(40), 25)
    real = left != right
    left, right, voter = left[real], right[real], voter[real]
    coins = pv.Votes.from_codes(left, right, rng.integers(3, size=len(left)), n_items=5, voter=voter)
    found = pv.diagnostics.voter_agreement(coins)
    assert abs(found.alpha) < 0.03
    assert found.expected == pytest.approx(1 / 3, abs=0.03)
    like = pv.Votes.from_codes(left, right, np.where(left < right, 2, 0), n_items=5, voter=voter)
    found = pv.diagnostics.voter_agreement(like)
    assert (found.observed, found.alpha) == (1.0, 1.0)


def test_answers_of_one_voter_on_one_pair_share_the_weight_of_one() -> None:
    once = pv.Votes.from_labels([*"aa"], [*"bb"], ["left", "right"], voter=[*"uv"])
    often = pv.Votes.from_labels([*"aaaa"], [*"bbbb"], ["left", "left", "left", "right"], voter=[*"uuuv"])
    assert pv.diagnostics.voter_agreement(often).to_dict() == pv.diagnostics.voter_agreement(once).to_dict()
    # u is of two minds, so agrees with v by half.
    torn = pv.Votes.from_labels([*"aaa"], [*"bbb"], ["left", "right", "right"], voter=[*"uuv"])
    assert pv.diagnostics.voter_agreement(torn).observed == pytest.approx(0.5)


def test_what_cannot_be_said_is_said_so() -> None:
    alone = pv.diagnostics.voter_agreement(pv.Votes.from_labels([*"ab"], [*"bc"], ["left"] * 2, voter=[*"uv"]))
    assert math.isnan(alone.observed)
    assert math.isnan(alone.alpha)
    assert alone.n_pairs == alone.n_voters == alone.n_answers == 0
    assert "no pair was answered by two voters" in str(alone)
    ties = pv.diagnostics.voter_agreement(pv.Votes.from_labels([*"aa"], [*"bb"], ["tie"] * 2, voter=[*"uv"]))
    assert ties.observed == ties.expected == 1.0
    assert math.isnan(ties.alpha)
    assert "all of these answers are ties" in str(ties)
    some = pv.Votes.from_labels([*"aaa"], [*"bbb"], ["left"] * 3, voter=["u", "v", None])
    assert pv.diagnostics.voter_agreement(some).n_answers == 2
    assert "alpha 1.00" in pv.diagnostics.voter_agreement(some)._repr_html_()
    with pytest.raises(pv.InputError, match="do not say who voted"):
        pv.diagnostics.voter_agreement(pv.datasets.baseball())
    with pytest.raises(pv.InputError, match="none of them is answered"):
        pv.diagnostics.voter_agreement(pv.Votes.from_labels(["a"], ["b"], ["skip"], voter=["u"]))
