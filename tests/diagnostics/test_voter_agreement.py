"""Agreement of voters on the same pairs, against Krippendorff's published example and a slow alpha."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from scipy.stats import t as student
from strategies import Sample, samples

import pairvote as pv
from pairvote.diagnostics._shared_pairs import SharedPairs


def test_the_slow_alpha_is_the_published_one() -> None:
    # Krippendorff (2011), section C: four observers, twelve units, five categories, alpha 0.743.
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[row[unit] for row in observers if row[unit] != "."] for unit in range(12)]
    assert reference.nominal_alpha(units)[1] == pytest.approx(0.743, abs=5e-4)
    # Sections A and B: two observers, of two and of five categories; alpha 0.095 and 0.692.
    for one, other, alpha in (("0100000010", "1110010000", 0.095), ("aabbdcccedda", "babbbccceddd", 0.692)):
        assert reference.nominal_alpha(zip(one, other, strict=True))[1] == pytest.approx(alpha, abs=5e-4)


def test_it_equals_the_alpha_of_other_packages() -> None:
    """evalica 0.4.2 and krippendorff 0.9.0 on the same answers, each pair entered from both of its items."""
    left, right = [*"aaaabbbccaaabb"], [*"bbccccddddddcd"]
    words = {"l": "left", "r": "right", "t": "tie"}
    outcome, voter = [words[letter] for letter in "lrltlltrlltlrr"], [*"uvuvuvuwvuvwww"]
    votes = pv.Votes.from_labels(left, right, outcome, voter=voter)
    assert pv.diagnostics.voter_agreement(votes).alpha == pytest.approx(-0.2806324110671936, abs=1e-14)
    # One answer of a voter on a pair: theirs know of no two.
    kalmar = pv.datasets.kalmar().simulated_votes(rng=2014)
    pair = np.stack([kalmar.voter, np.minimum(kalmar.left, kalmar.right), np.maximum(kalmar.left, kalmar.right)])
    first = np.isin(np.arange(len(kalmar)), np.unique(pair, axis=1, return_index=True)[1])
    assert pv.diagnostics.voter_agreement(kalmar.where(first)).alpha == pytest.approx(0.308642669440417, abs=1e-14)


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


def says(votes: pv.Votes, **options: Any) -> dict[str, Any]:
    """What was found, voters in the order of their labels, as numbers that can be compared."""
    found = pv.diagnostics.voter_agreement(votes, **options)
    order = np.argsort([str(label) for label in found.voters])
    columns = (found.shared, found.agreement, *found.agreement_interval, found.others, found.alpha_without)
    own = found.consistency
    back = np.argsort([str(label) for label in own.voters])
    more = (own.repeated, own.changed, own.expected_changed, own.triads, own.circular, own.expected_circular)
    whole = (found.observed, found.expected, found.alpha, *found.observed_interval, *found.alpha_interval)
    mine = (own.alike, own.by_chance, own.expected, own.alpha, *own.alike_interval, *own.alpha_interval)
    counts = (found.n_pairs, found.n_voters, found.n_answers, own.n_repeated)
    return {
        "voters": sorted(map(str, found.voters)) + sorted(map(str, own.voters)),
        "numbers": np.concatenate(
            [counts, whole, mine, *(column[order] for column in columns), *(c[back] for c in more)]
        ),
    }


def assert_says_the_same(votes: pv.Votes, other: pv.Votes, **options: Any) -> None:
    one, two = says(votes, **options), says(other, **options)
    assert one["voters"] == two["voters"]
    # What is expected of voters is by a fit, which stops within its tolerance.
    np.testing.assert_allclose(one["numbers"], two["numbers"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("by", ["voter", "pair"])
def test_neither_sides_nor_the_order_of_items_and_voters_matter(by: str) -> None:
    votes = workshop(3, ties=0.2)
    sides = pv.Votes.from_codes(votes.right, votes.left, 2 - votes.outcome, n_items=5, voter=votes.voter)
    assert_says_the_same(votes, sides, by=by)
    order = np.array([3, 0, 4, 1, 2])
    items = pv.Votes.from_codes(order[votes.left], order[votes.right], votes.outcome, n_items=5, voter=votes.voter)
    assert_says_the_same(votes, items, by=by)
    # Voters one after the other, the last first; each one's answers stay in their order.
    turned = np.argsort(-votes.voter, kind="stable")
    columns = (votes.left, votes.right, votes.outcome)
    left, right, outcome = (column[turned] for column in columns)
    assert_says_the_same(votes, pv.Votes.from_codes(left, right, outcome, n_items=5, voter=votes.voter[turned]), by=by)


def test_weights_are_no_answers_and_skips_unknown_voters_and_weight_0_leave_agreement_as_it_is() -> None:
    votes = workshop(5, ties=0.1)
    found = pv.diagnostics.voter_agreement(votes)
    weighted = replace(votes, weight=np.random.default_rng(5).uniform(0.5, 3.0, len(votes)))
    more = pv.Votes.from_labels(
        [0, 1, 2] * 2,
        [1, 2, 0] * 2,
        ["left", "right", "skip", "left", "left", "left"],
        items=votes.items,
        voter=[0, 1, 2, None, None, 3],
        weight=[0.0, 0.0, 1.0, 1.0, 1.0, 0.0],
    )
    # Unknown voters have a part in the fit, and so in what is expected.
    for other in (weighted, weighted + more):
        same = pv.diagnostics.voter_agreement(other)
        assert same.voters == found.voters
        assert (same.alpha, same.alpha_interval) == (found.alpha, found.alpha_interval)
        np.testing.assert_array_equal(same.agreement, found.agreement)
        np.testing.assert_array_equal(same.consistency.circular, found.consistency.circular)
        assert same.consistency.alike_interval == found.consistency.alike_interval


def cells_of(votes: pv.Votes) -> list[tuple[int, tuple[int, int], int]]:
    """Voter, pair and outcome of votes that answer no pair twice."""
    rows = zip(votes.voter.tolist(), votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), strict=True)
    return [(who, (min(a, b), max(a, b)), outcome if a < b else 2 - outcome) for who, a, b, outcome in rows]


def on_few_pairs(seed: int, n_voters: int, n_pairs: int, *, ties: float = 0.3) -> pv.Votes:
    """Voters who answer about half of the pairs of five items, each once and some more often alike than others."""
    rng = np.random.default_rng(seed)
    first, second = np.triu_indices(5, 1)
    asked = rng.random((n_voters, n_pairs)) < 0.5
    who, pair = np.nonzero(asked)
    outcome = np.where(rng.random(len(who)) < ties, 1, 2 * (rng.random(len(who)) < 0.1 + 0.8 * (pair % 2)))
    return pv.Votes.from_codes(first[pair], second[pair], outcome, n_items=5, voter=who)


@pytest.mark.parametrize("ties", [0.0, 0.3])
@pytest.mark.parametrize(("n_voters", "n_pairs"), [(3, 10), (6, 4), (12, 10)])
def test_the_intervals_are_those_of_slow_sums_over_dyads(n_voters: int, n_pairs: int, ties: float) -> None:
    votes = on_few_pairs(8, n_voters, n_pairs, ties=ties)
    found = pv.diagnostics.voter_agreement(votes, level=0.9)
    cells = cells_of(votes)
    times = Counter(pair for _, pair, _ in cells)
    most = sum(m * (m - 1) / 2 for m in times.values())
    reach = student.ppf(0.95, len({who for who, pair, _ in cells if times[pair] > 1}) - 1)

    def interval(variance: float) -> tuple[float, float]:
        return reference.wilson(found.observed, min(found.observed * (1 - found.observed) / variance, most), reach)

    assert found.observed_interval == pytest.approx(interval(reference.dyadic_variance(cells)), abs=1e-7)
    ends = interval(reference.dyadic_variance(cells, of_alpha=True))
    alphas = [1 - (1 - end) / (1 - found.expected) for end in ends]
    assert found.alpha_interval == pytest.approx(alphas, abs=1e-7)


def test_by_pair_the_intervals_are_those_of_independent_pairs() -> None:
    votes = on_few_pairs(9, 12, 10)
    found = pv.diagnostics.voter_agreement(votes, by="pair")
    units: dict[tuple[int, int], list[int]] = defaultdict(list)
    for _, pair, outcome in cells_of(votes):
        units[pair].append(outcome)
    assert min(map(len, units.values())) > 1
    alike = {
        pair: [np.mean([a == b for j, b in enumerate(u) if j != i]) for i, a in enumerate(u)]
        for pair, u in units.items()
    }
    sums = np.array([sum(values) - found.observed * len(values) for values in alike.values()]) / found.n_answers
    variance = len(units) / (len(units) - 1) * float((sums**2).sum())
    n = found.observed * (1 - found.observed) / variance
    expected = reference.wilson(found.observed, n, student.ppf(0.975, len(units) - 1))
    assert found.observed_interval == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [0.0, 0.2])
def test_each_voter_is_held_against_the_others(ties: float) -> None:
    votes = workshop(6, ties=ties).where(np.arange(120) % 10 < 4)
    found = pv.diagnostics.voter_agreement(votes)
    assert found.agreement.tolist() == sorted(found.agreement.tolist())
    answers: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for who, pair, outcome in cells_of(votes):
        answers[pair][who].append(outcome)

    def alike(one: list[int], other: list[int]) -> float:
        return float(np.mean([a == b for a in one for b in other]))

    for place, label in enumerate(found.voters):
        who = votes.voters.index(label) if votes.voters else label
        with_others = [(by, [v for v in by if v != who]) for by in answers.values() if who in by and len(by) > 1]
        assert found.shared[place] == len(with_others)
        own = [np.mean([alike(by[who], by[v]) for v in others]) for by, others in with_others]
        assert found.agreement[place] == pytest.approx(np.mean(own), abs=1e-12)
        among = [
            np.mean([alike(by[v], by[w]) for v, w in combinations(others, 2)])
            for by, others in with_others
            if len(others) > 1
        ]
        assert found.others[place] == pytest.approx(np.mean(among) if among else math.nan, abs=1e-12, nan_ok=True)
        without = pv.diagnostics.voter_agreement(votes.where(votes.voter != who))
        assert found.alpha_without[place] == pytest.approx(without.alpha, abs=1e-10, nan_ok=True)
        low, high = (end[place] for end in found.agreement_interval)
        assert 0.0 <= low <= found.agreement[place] <= high <= 1.0


def test_a_voter_of_the_opposite_mind_comes_first_and_lowers_alpha() -> None:
    votes = pv.simulate(n_items=6, n_voters=10, votes_each=15, strength_sd=3.0, repetitions=1, rng=2).votes(0)
    # The last voter picks the opposite.
    contrary = np.where(votes.voter == 9, 2 - votes.outcome, votes.outcome)
    votes = pv.Votes.from_codes(votes.left, votes.right, contrary, n_items=6, voter=votes.voter)
    found = pv.diagnostics.voter_agreement(votes)
    assert found.voters[0] == 9
    assert found.agreement_interval.high[0] < found.others[0]
    assert found.alpha_without.argmax() == 0
    assert found.alpha_without[0] > found.alpha + 0.2
    rows = str(found).splitlines()
    assert rows[4].split()[:2] == ["voter", "shared"]
    assert rows[5].split()[:2] == ["9", f"{found.shared[0]}"]


def test_where_all_agree_the_interval_is_no_point() -> None:
    left, right = np.array([0, 0, 1]), np.array([1, 2, 2])
    for n_voters, least in ((4, 0.05), (40, 0.7)):
        votes = pv.Votes.from_codes(
            *(np.tile(column, n_voters) for column in (left, right, np.full(3, 2))),
            n_items=3,
            voter=np.repeat(np.arange(n_voters), 3),
        )
        found = pv.diagnostics.voter_agreement(votes)
        assert found.observed == found.alpha == 1.0
        assert least < found.observed_interval.low < 1.0
        assert found.observed_interval.high == found.alpha_interval.high == 1.0
        # As after n_voters / 2 answers that have no voter in common.
        expected = reference.wilson(1.0, n_voters / 2, student.ppf(0.975, n_voters - 1))[0]
        assert found.observed_interval.low == pytest.approx(expected, abs=1e-12)


def test_two_voters_tell_nothing_of_others_and_what_is_said_to_do_helps() -> None:
    votes = workshop(7).where(np.isin(workshop(7).voter, [0, 1]))
    found = pv.diagnostics.voter_agreement(votes)
    assert all(math.isnan(end) for end in (*found.observed_interval, *found.alpha_interval))
    assert "by='pair' takes the pairs" in str(found)
    helped = pv.diagnostics.voter_agreement(votes, by="pair")
    assert helped.alpha_interval.low < helped.alpha < helped.alpha_interval.high
    one = pv.Votes.from_labels([*"aa"], [*"bb"], ["left", "right"], voter=[*"uv"])
    assert "one pair says nothing of others" in str(pv.diagnostics.voter_agreement(one, by="pair"))


def test_what_is_handed_out_cannot_be_changed_and_options_are_checked() -> None:
    found = pv.diagnostics.voter_agreement(workshop(1))
    columns = (found.shared, found.agreement, found.others, found.alpha_without, *found.agreement_interval)
    for column in (*columns, found.consistency.changed):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0
    for level in (0.0, 1.0, "0.95", math.nan):
        with pytest.raises(pv.InputError, match="level is"):
            pv.diagnostics.voter_agreement(workshop(1), level=level)
    for by in ("vote", None, ["voter", "pair"], np.array([1, 2])):
        with pytest.raises(pv.InputError, match="it is 'voter' or 'pair'"):
            pv.diagnostics.voter_agreement(workshop(1), by=by)
    with pytest.raises(pv.InputError, match="diagnostics look at single votes"):
        pv.diagnostics.voter_agreement(workshop(1).counts())


def test_one_criterion_is_looked_at() -> None:
    useful, new = workshop(1), workshop(2)
    both = pv.Votes.from_codes(
        *(np.concatenate([getattr(useful, name), getattr(new, name)]) for name in ("left", "right", "outcome")),
        n_items=5,
        voter=np.concatenate([useful.voter, new.voter]),
        criterion=np.repeat([0, 1], [len(useful), len(new)]),
    )
    assert_says_the_same(both.where(both.criterion == 1), new)
    found = pv.diagnostics.voter_agreement(both, criterion=both.criteria[1] if both.criteria else 1)
    assert found.alpha == pv.diagnostics.voter_agreement(new).alpha
    with pytest.raises(pv.InputError, match="several criteria"):
        pv.diagnostics.voter_agreement(both)


def test_of_very_many_coincidences_the_interval_is_that_of_the_jackknife() -> None:
    n_voters, first, second = 9, *np.triu_indices(5, 1)
    outcome = 2 * (np.random.default_rng(3).random((n_voters, 10)) < 0.7)
    voter = np.repeat(np.arange(n_voters), 10)
    columns = (np.tile(first, n_voters), np.tile(second, n_voters), outcome.ravel())
    votes = pv.Votes.from_codes(*columns, n_items=5, voter=voter)
    pairs = replace(SharedPairs.of(votes, votes.voter), most_coincidences=100)
    without = [pv.diagnostics.voter_agreement(votes.where(voter != who)).observed for who in range(n_voters)]
    variance = (n_voters - 1) * np.var(without)
    share = pairs.all.observed
    expected = reference.wilson(share, share * (1 - share) / variance, student.ppf(0.975, n_voters - 1))
    assert pairs.interval(0.95, by_pair=False, of_alpha=False) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("n_voters", "votes_each", "ties"), [(15, 30, 0.0), (30, 20, 0.3)])
def test_intervals_hold_for_other_voters(n_voters: int, votes_each: int, ties: float) -> None:
    """Ten items; each voter has a taste of their own, and one in ten answers by a coin."""
    rng = np.random.default_rng(11)
    first, second = np.triu_indices(10, 1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    weights /= weights.sum()
    held = []
    for _ in range(300):
        worth = rng.normal(size=10)
        lead = worth[first] - worth[second]
        # What the average voter's chance is, tastes of standard deviation 0.5 on both items taken together.
        wins = 0.9 * (weights / (1 + np.exp(-lead[:, None] - math.sqrt(0.5) * nodes))).sum(axis=1) + 0.05
        chances = np.stack([(1 - ties) * (1 - wins), np.full(45, ties), (1 - ties) * wins], axis=1)
        asked = np.stack([rng.permutation(45)[:votes_each] for _ in range(n_voters)])
        own = worth + 0.5 * rng.normal(size=(n_voters, 10))
        own[rng.random(n_voters) < 0.1] = 0.0
        voter = np.repeat(np.arange(n_voters), votes_each)
        left, right = first[asked.ravel()], second[asked.ravel()]
        won = rng.random(len(voter)) < 1 / (1 + np.exp(own[voter, right] - own[voter, left]))
        outcome = np.where(rng.random(len(voter)) < ties, 1, 2 * won)
        # Without the fit that says what is expected of voters' own answers.
        votes = pv.Votes.from_codes(left, right, outcome, n_items=10, voter=voter)
        found = SharedPairs.of(votes, votes.voter)
        times = np.bincount(asked.ravel(), minlength=45)
        times = np.where(times > 1, times, 0)
        alike = times @ (chances**2).sum(axis=1) / times.sum()
        alpha = 1 - (1 - alike) / (1 - (1 - ties) ** 2 / 2 - ties**2)
        ends = [found.interval(0.95, by_pair=False, of_alpha=of_alpha) for of_alpha in (False, True)]
        held.append([low <= truth <= high for (low, high), truth in zip(ends, (alike, alpha), strict=True)])
    # 95%, but for the coins among 15 or 30 voters; two standard errors are 2.5%.
    assert (np.mean(held, axis=0) >= 0.91).all()
    assert (np.mean(held, axis=0) <= 0.985).all()


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
    one, other = (pv.diagnostics.voter_agreement(votes).to_dict() for votes in (once, often))
    # What u says of u is another matter.
    assert one.pop("consistency") != other.pop("consistency")
    assert str(one) == str(other)
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
