"""Voters held against their own answers: pairs asked again and circles, against slow counts and honest voters."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest
import reference
from hypothesis import given
from scipy.stats import t as student
from strategies import FEWER, samples

import pairvote as pv

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)


@FEWER
@given(samples(min_items=2, max_items=5, min_votes=1, max_votes=40))
def test_repeats_and_circles_are_those_of_slow_counts(sample) -> None:
    voter = [row % 2 if row % 5 else None for row in range(len(sample.rows))]
    own = defaultdict(list)
    for (left, right, outcome, weight), who in zip(sample.rows, voter, strict=True):
        if who is not None and outcome != reference.SKIP and weight > 0:
            own[who].append((left, right, outcome))
    votes = sample.votes(voter=voter)
    if not own:
        with pytest.raises(pv.InputError, match=r"do not say who voted|none of them is answered"):
            pv.diagnostics.consistency(votes)
        return
    found = pv.diagnostics.consistency(votes)
    circles = {who: reference.own_circles(rows, sample.n_items) for who, rows in own.items()}
    again = {who: len(rows) - len({frozenset(row[:2]) for row in rows}) for who, rows in own.items()}
    assert set(found.voters) == {who for who in own if again[who] or circles[who][0]}
    for place, who in enumerate(found.voters):
        assert (found.triads[place], found.circular[place]) == circles[who]
        assert found.repeated[place] == again[who]
    # The answers on repeated pairs are counted in one place alone.
    counted = pv.diagnostics.repeats(votes)
    repeated = dict(zip(counted.voters, zip(counted.repeated, counted.changed, strict=True), strict=True))
    for place, who in enumerate(found.voters):
        assert repeated.get(who, (0, 0)) == (found.repeated[place], found.changed[place])
    assert found.n_repeated == counted.repeated.sum() == found.repeated.sum()
    contradictions = (found.changed + found.circular).tolist()
    assert contradictions == sorted(contradictions, reverse=True)


def retests(votes: pv.Votes) -> list[tuple[int, int, int]]:
    """Voter, answer before and answer now of each pair asked again, as if the item of the lower code stood left."""
    before: dict[tuple[int, int, int], int] = {}
    found = []
    rows = zip(votes.voter.tolist(), votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), strict=True)
    for who, left, right, outcome in rows:
        now = outcome if left < right else 2 - outcome
        place = (who, min(left, right), max(left, right))
        if place in before:
            found.append((who, before[place], now))
        before[place] = now
    return found


def asked_often(seed: int, *, n_voters: int = 12, ties: float = 0.2, votes_each: int = 15) -> pv.Votes:
    """Voters who answer ten pairs so often that many come again."""
    votes = pv.simulate(
        n_items=5, n_voters=n_voters, votes_each=votes_each, sampler="uniform", repetitions=1, rng=seed
    ).votes(0)
    drawn = np.random.default_rng(seed).random(len(votes)) < ties
    return pv.Votes.from_codes(votes.left, votes.right, np.where(drawn, 1, votes.outcome), n_items=5, voter=votes.voter)


@pytest.mark.parametrize("ties", [0.0, 0.2])
def test_test_and_retest_are_two_observers(ties: float) -> None:
    votes = asked_often(1, ties=ties)
    found = pv.diagnostics.consistency(votes, level=0.9)
    twos = retests(votes)
    assert found.n_repeated == len(twos)
    # Each pair entered from both of its items.
    observed, alpha = reference.nominal_alpha([two for _, a, b in twos for two in ((a, b), (2 - a, 2 - b))])
    assert found.alike == pytest.approx(observed, abs=1e-12)
    assert found.alpha == pytest.approx(alpha, abs=1e-12)
    assert found.alpha == pytest.approx(1 - (1 - found.alike) / (1 - found.by_chance), abs=1e-12)
    # Survey statistics' variance of a ratio, by voter.
    who = np.array([voter for voter, *_ in twos])
    same = np.array([a == b for _, a, b in twos])
    sums = np.array([(same[who == voter] - observed).sum() for voter in np.unique(who)])
    variance = len(sums) / (len(sums) - 1) * (sums**2).sum() / len(twos) ** 2
    n = min(observed * (1 - observed) / variance, len(twos))
    expected = reference.wilson(observed, n, student.ppf(0.95, len(sums) - 1))
    assert found.alike_interval == pytest.approx(expected, abs=1e-9)
    low, high = found.alpha_interval
    assert low < alpha < high
    if not ties:
        chance = found.by_chance
        assert (low, high) == pytest.approx([1 - (1 - end) / (1 - chance) for end in expected], abs=1e-9)


def test_what_is_expected_is_what_the_fitted_model_would_answer() -> None:
    votes = asked_often(2, ties=0.0, n_voters=40, votes_each=60)
    prior_sd = 1.0
    found = pv.diagnostics.consistency(votes, prior_sd=prior_sd)
    ranking = pv.bradley_terry(votes, prior_sd=prior_sd, position=True)
    # So many votes leave nothing to the prior, so that scores are as spread as the strengths.
    odds = ranking.scores[:, None] - ranking.scores
    to_left = 1 / (1 + np.exp(-odds - ranking.fit.position_effect))
    rows = defaultdict(list)
    for who, left, right in zip(votes.voter.tolist(), votes.left.tolist(), votes.right.tolist(), strict=True):
        low_wins = to_left[left, right] if left < right else 1 - to_left[left, right]
        rows[who, min(left, right), max(left, right)].append(low_wins)
    alike = [a * b + (1 - a) * (1 - b) for shown in rows.values() for a, b in pairwise(shown)]
    assert found.expected == pytest.approx(np.mean(alike), abs=2e-3)
    assert found.expected_changed.sum() == pytest.approx(len(alike) - sum(alike), rel=5e-3)
    for place, who in enumerate(found.voters):
        first = {(a, b): shown[0] for (voter, a, b), shown in rows.items() if voter == who}
        first |= {(b, a): 1 - chance for (a, b), chance in first.items()}
        threes = [t for t in combinations(range(5), 3) if all(pair in first for pair in combinations(t, 2))]
        # Either way around.
        ways = sum(
            first[a, b] * first[b, c] * first[c, a] + first[b, a] * first[c, b] * first[a, c] for a, b, c in threes
        )
        assert found.expected_circular[place] == pytest.approx(ways, rel=0.03, abs=1e-3)


def test_a_coin_closes_a_quarter_of_its_triads_and_one_who_ranks_closes_none() -> None:
    first, second = np.triu_indices(9, 1)
    n = len(first)
    coin = np.random.default_rng(5).integers(2, size=(40, n)) * 2
    columns = (np.tile(first, 40), np.tile(second, 40))
    votes = pv.Votes.from_codes(*columns, coin.ravel(), n_items=9, voter=np.repeat(np.arange(40), n))
    found = pv.diagnostics.consistency(votes)
    assert found.triads.tolist() == [math.comb(9, 3)] * 40
    assert found.circular.sum() == pytest.approx(found.triads.sum() / 4, rel=0.05)
    assert found.expected_circular.sum() == pytest.approx(found.triads.sum() / 4, rel=0.02)
    ranks = pv.Votes.from_rankings([[*"abcdefghi"]] * 2, voter=["u", "v"])
    assert pv.diagnostics.consistency(ranks).circular.tolist() == [0, 0]


def test_the_most_circles_are_kendalls() -> None:
    # Kendall and Babington Smith (1940): 7 items have 14 circular triads at most, where each beats three.
    left, right = np.array([(i, (i + step) % 7) for i in range(7) for step in (1, 2, 3)]).T
    votes = pv.Votes.from_codes(left, right, np.full(21, 2), n_items=7, voter=np.zeros(21, int))
    found = pv.diagnostics.consistency(votes)
    assert (found.circular.tolist(), found.triads.tolist()) == ([14], [35])


@pytest.mark.slow
def test_honest_voters_contradict_themselves_as_often_as_expected_and_those_of_own_taste_less() -> None:
    rng = np.random.default_rng(4)
    voter = np.repeat(np.arange(20), 30)

    def gaps(taste: float) -> np.ndarray:
        """What is found less what is expected in 40 workshops: the share alike, and circles."""
        found = []
        for _ in range(40):
            left = rng.integers(10, size=600)
            right = (left + rng.integers(1, 10, size=600)) % 10
            worth = rng.normal(size=10) + taste * rng.normal(size=(20, 10))
            lead = worth[voter, left] - worth[voter, right]
            outcome = np.where(rng.random(600) < 1 / (1 + np.exp(-lead)), 2, 0)
            one = pv.diagnostics.consistency(pv.Votes.from_codes(left, right, outcome, n_items=10, voter=voter))
            found.append((one.alike - one.expected, one.circular.sum() - one.expected_circular.sum()))
        return np.array(found)

    honest = gaps(0.0)
    errors = honest.std(axis=0, ddof=1) / math.sqrt(len(honest))
    assert (np.abs(honest.mean(axis=0)) < 3.5 * errors).all()
    assert (errors < (0.01, 1.5)).all()
    own = gaps(1.0).mean(axis=0)
    assert own[0] > 0.05
    assert own[1] < -3.0


def test_what_cannot_be_said_is_said_so() -> None:
    once = pv.diagnostics.consistency(pv.Votes.from_labels([*"ab"], [*"bc"], ["left"] * 2, voter=[*"uv"]))
    assert (once.voters, once.n_repeated) == ((), 0)
    assert all(math.isnan(value) for value in (once.alike, once.alpha, once.expected, once.by_chance))
    assert all(math.isnan(end) for end in (*once.alike_interval, *once.alpha_interval))
    assert "nothing is known of test and retest" in str(once)
    # All ties determine no model, and say nothing beyond chance.
    ties = pv.diagnostics.consistency(pv.Votes.from_labels([*"aab"], [*"bba"], ["tie"] * 3, voter=[*"uuu"]))
    assert ties.alike == ties.by_chance == 1.0
    assert math.isnan(ties.alpha)
    assert math.isnan(ties.alpha_interval.low)
    assert 0.0 < ties.alike_interval.low < ties.alike_interval.high == 1.0
    assert "100% as before" in str(ties)
    with pytest.raises(pv.InputError, match="do not say who voted"):
        pv.diagnostics.consistency(pv.datasets.baseball())
    with pytest.raises(pv.InputError, match="level is 95"):
        pv.diagnostics.consistency(KALMAR, level=95)
    with pytest.raises(pv.InputError, match="prior_sd is -1"):
        pv.diagnostics.consistency(pv.Votes.from_labels([*"ab"], [*"bc"], ["left"] * 2, voter=[*"uv"]), prior_sd=-1)
    # Weights without bounds determine no model either, and answers count all the same.
    weight = [1e-300, 1.0, 1e-5, 1e300]
    wild = pv.Votes.from_labels([*"aaaa"], [*"bbbb"], ["left", "right", "left", "tie"], voter=[*"uvwu"], weight=weight)
    assert math.isnan(pv.diagnostics.consistency(wild).expected)
    assert pv.diagnostics.voter_agreement(wild).n_answers == 3
    with pytest.raises(pv.InputError, match="diagnostics look at single votes"):
        pv.diagnostics.consistency(KALMAR.counts())


def test_of_a_single_voter_answers_are_the_sample() -> None:
    votes = pv.Votes.from_labels([*"aabbaa"], [*"bbaabb"], ["left"] * 6, voter=["u"] * 6)
    found = pv.diagnostics.consistency(votes)
    assert (found.repeated.tolist(), found.changed.tolist()) == ([5], [2])
    expected = reference.wilson(0.6, 4.0, student.ppf(0.975, 4))
    assert found.alike_interval == pytest.approx(expected, abs=1e-9)
    once = pv.diagnostics.consistency(pv.Votes.from_labels([*"aa"], [*"bb"], ["left"] * 2, voter=["u"] * 2))
    assert once.alike == 1.0
    assert once.alike_interval == pytest.approx(reference.wilson(1.0, 1.0, 1.959964), abs=1e-6)


def test_who_contradicts_most_comes_first_in_the_table() -> None:
    left, right = ["ash", "birch", "ash", "ash", "birch", "ash"], ["birch", "ash", "cedar", "birch", "cedar", "birch"]
    votes = pv.Votes.from_labels(left, right, ["left"] * 6, voter=["bo", "bo", "bo", "eve", "eve", "eve"])
    found = pv.diagnostics.consistency(votes)
    assert found.voters == ("bo", "eve")
    rows = [line.split() for line in str(found).splitlines() if line.startswith(("  bo", "  eve"))]
    assert [row[:3] for row in rows] == [["bo", "1", "1"]]
    agreement = pv.diagnostics.voter_agreement(votes)
    assert str(agreement).splitlines()[-2] == str(found).splitlines()[1]
    assert agreement.to_dict()["consistency"] == found.to_dict()
    assert found._repr_html_().startswith("<h4>Voters and their own answers")
