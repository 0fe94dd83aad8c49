"""Each diagnostic says what a slow version of it says, or what was published; and planted offenders are found."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, chisquare
from strategies import FEWER, Sample, samples

import pairvote as pv
from pairvote import _kernels
from pairvote.diagnostics._consensus import LEAST_SD, Consensus, posterior_of
from pairvote.diagnostics._influence import MOST_REFITS, influence_of
from pairvote.diagnostics._reliability import correlation
from pairvote.diagnostics._residuals import squares_of_items, squares_of_voters, tail
from pairvote.diagnostics._suspicions import Groups, evidence
from pairvote.diagnostics._triads import count_triads, most_circular

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)
REPORT = pv.diagnostics.check(KALMAR, rng=1)
FULL = _kernels.davidson.COMPILED


def workshop(
    rng: np.random.Generator, *, n_items: int = 23, n_voters: int = 30, votes_each: int = 20, tie: float = 0.0
) -> pv.Votes:
    """Random pairs, strengths Normal(0, 1), honest voters by Davidson's model."""
    strengths = rng.normal(size=n_items)
    n_votes = n_voters * votes_each
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    worth = np.exp(0.5 * (strengths[left] - strengths[right]))
    point = rng.random(n_votes) * (worth + 1 / worth + tie)
    outcome = np.where(point < 1 / worth, 0, np.where(point < 1 / worth + tie, 1, 2))
    return pv.Votes.from_codes(left, right, outcome, n_items=n_items, voter=np.repeat(np.arange(n_voters), votes_each))


def with_outcome(votes: pv.Votes, outcome: np.ndarray) -> pv.Votes:
    return replace(votes, outcome=outcome.astype(np.uint8))


def rows_of(votes: pv.Votes) -> list[reference.Row]:
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    columns = (votes.left, votes.right, votes.outcome, weight)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def decidable(sample: Sample) -> bool:
    outcomes = {row[2] for row in sample.rows if row[3] > 0}
    return bool(outcomes & {0, 2})


some_votes = samples(min_items=3, max_items=6, min_votes=4, max_votes=30, weights=None).filter(decidable)


def refusal(function, *arguments, **options) -> str:
    with pytest.raises(pv.InputError) as caught:
        function(*arguments, **options)
    return str(caught.value)


# --- what was asked and answered ---


@given(some_votes)
def test_exposure_counts_each_question_once_for_each_side(sample) -> None:
    found = pv.diagnostics.exposure(sample.votes())
    answered = list(reference.answered(sample.rows))
    for item in range(sample.n_items):
        assert found.asked[item] == sum(item in row[:2] for row in answered)
        assert found.left[item] == sum(item == row[0] for row in answered)
    assert found.n_pairs == len({frozenset(row[:2]) for row in answered})
    assert found.variation == pytest.approx(found.asked.std() / found.asked.mean())


def test_unequal_exposure_and_lopsided_sides_have_the_tails_they_are_said_to_have() -> None:
    rng = np.random.default_rng(8)
    n_workshops = 400 if FULL else 100
    found = [pv.diagnostics.exposure(workshop(rng)) for _ in range(n_workshops)]
    for chances in ([one.unequal_p for one in found], [one.side_p for one in found]):
        # A tail so low happens to be expected; three standard errors.
        share = np.mean(np.array(chances) <= 0.1)
        assert abs(share - 0.1) < 3 * math.sqrt(0.09 / n_workshops) + 0.01
    balanced = pv.diagnostics.exposure(pv.datasets.baseball())
    assert balanced.unequal_p == 1.0


def test_an_items_side_has_the_binomial_tail() -> None:
    votes = pv.Votes.from_codes([0] * 9 + [1], [1] * 9 + [0], [2, 0] * 5, n_items=2)
    tail = binomtest(9, 10).pvalue
    assert pv.diagnostics.exposure(votes).side_p == pytest.approx(1 - (1 - tail) ** 2)
    assert tail == pytest.approx(2 * binom.cdf(1, 10, 0.5))


@given(some_votes)
def test_connectivity_equals_the_reference(sample) -> None:
    found = pv.diagnostics.connectivity(sample.votes())
    component = reference.components(sample.rows, sample.n_items)
    groups = {tuple(np.flatnonzero(component == which).tolist()) for which in set(component.tolist())}
    assert set(found.components) == groups
    totals = reference.item_totals(sample.rows, sample.n_items)
    asked = totals["won"] + totals["tied"] + totals["lost"]
    assert found.undefeated == tuple(np.flatnonzero((asked > 0) & (totals["lost"] == 0)).tolist())
    assert found.winless == tuple(np.flatnonzero((asked > 0) & (totals["won"] == 0)).tolist())
    strong = reference.strongly_connected(sample.rows, sample.n_items)
    assert found.one_way == (len(set(strong.tolist())) > len(groups))


@given(some_votes)
def test_ties_and_skips_are_counted_by_pair_whichever_the_side(sample) -> None:
    votes = sample.votes()
    found = pv.diagnostics.answers(votes, prior_sd=3.0)
    for place, pair in enumerate(found.pairs):
        of_pair = [row[2] for row in sample.rows if {row[0], row[1]} == set(pair)]
        counts = (len(of_pair), of_pair.count(reference.TIE), of_pair.count(reference.SKIP))
        assert (found.shown[place], found.tied[place], found.skipped[place]) == counts
    assert found.shown.sum() == len(votes)
    # The likelihood equation of the tie parameter, less the slope of its prior, N(log 2, 3^2).
    consensus = Consensus.of(votes, None, 3.0)
    tie_parameter = consensus.model.tie_parameter(consensus.parameters)
    by_prior = math.log(tie_parameter / 2) / 9 if tie_parameter else 0.0
    assert found.expected_ties.sum() == pytest.approx(found.tied.sum() - by_prior, abs=1e-5)


def test_skips_that_gather_on_one_pair_are_seen_and_scattered_ones_are_not() -> None:
    rng = np.random.default_rng(3)
    votes = workshop(rng, n_items=8)
    scattered = with_outcome(votes, np.where(rng.random(len(votes)) < 0.05, 3, votes.outcome))
    assert pv.diagnostics.answers(scattered).skip_p > 0.01
    pair = (np.minimum(votes.left, votes.right) == 2) & (np.maximum(votes.left, votes.right) == 5)
    gathered = with_outcome(votes, np.where(pair, 3, votes.outcome))
    found = pv.diagnostics.answers(gathered)
    assert found.skip_p < 1e-6
    assert found.pairs[0] == (2, 5)
    assert "skips gather on some pairs" in found.concerns()[0]
    tied = [workshop(rng, n_items=8, tie=0.5) for _ in range(100)]
    tail = [pv.diagnostics.answers(votes, prior_sd=3.0).tie_p <= 0.05 for votes in tied]
    assert np.mean(tail) < 0.12


# --- sides ---


def test_the_home_advantage_is_the_published_one() -> None:
    # Agresti (2002), section 10.6.4: 0.302 with standard error 0.131, and deviances of 44.05 and 38.64.
    found = pv.diagnostics.position_bias(pv.datasets.baseball(), prior_sd=math.inf)
    assert round(found.effect, 3) == 0.302
    assert round(found.standard_error, 3) == 0.131
    assert found.ratio == pytest.approx(44.05 - 38.64, abs=0.01)
    assert found.wald_p == pytest.approx(2 * (1 - 0.98953), abs=1e-4)


@pytest.mark.parametrize("tie", [0.0, 0.6])
def test_the_position_ratio_equals_the_reference(tie) -> None:
    votes = workshop(np.random.default_rng(4), n_items=5, n_voters=4, votes_each=10, tie=tie)
    rows = rows_of(votes)
    values = []
    for position in (True, False):
        fit = reference.bradley_terry(rows, 5, position=position)
        values.append(reference.log_posterior(fit["parameters"], rows, 5, "davidson", 3.0, position))
    found = pv.diagnostics.position_bias(votes, prior_sd=3.0)
    assert found.ratio == pytest.approx(2 * (values[0] - values[1]), abs=1e-8)


@pytest.mark.parametrize(("prior_sd", "n_workshops"), [(3.0, 400), ("learned", 60)])
def test_an_honest_position_test_is_level(prior_sd, n_workshops) -> None:
    rng = np.random.default_rng(5)
    n_workshops = n_workshops if FULL else n_workshops // 4
    chances = np.array(
        [pv.diagnostics.position_bias(workshop(rng), prior_sd=prior_sd).ratio_p for _ in range(n_workshops)]
    )
    assert chisquare(np.histogram(chances, bins=5, range=(0, 1))[0]).pvalue > 0.001


def test_one_side_that_always_won_is_said_so() -> None:
    votes = with_outcome(KALMAR, np.full(len(KALMAR), 2))
    found = pv.diagnostics.position_bias(votes)
    assert (found.effect, found.standard_error, found.wald_p) == (math.inf, math.inf, 1.0)
    assert found.ratio_p < 1e-12
    assert found.right_won == 0
    tied = with_outcome(KALMAR, np.where(np.arange(len(KALMAR)) % 2, 1, 0))
    found = pv.diagnostics.position_bias(tied)
    assert found.effect == -math.inf
    # Growing effects approach this from below, so nothing fitted exceeds it.
    near = pv.bradley_terry(
        with_outcome(tied, np.where(np.arange(len(tied)) == 0, 2, tied.outcome)).counts(), position=True
    )
    assert found.ratio > 0.5 * abs(near.fit.position_effect)
    # Whoever writes winners down first says nothing of sides: nobody is a straight-liner for that.
    report = pv.diagnostics.check(votes, n_simulations=99, rng=1)
    assert not any("one side" in flags for flags in report.voters.flags.values())
    assert math.isnan(report.exposure.side_p)
    assert sum("side" in concern for concern in report.concerns) == 1
    json.dumps(report.to_dict())


# --- mean squares ---


@FEWER
@given(some_votes)
def test_mean_squares_equal_the_reference(sample) -> None:
    votes = replace(sample.votes(), voter=np.arange(len(sample.rows), dtype=np.int32) % 3, voters=("a", "b", "c"))
    consensus = Consensus.of(votes, None, 3.0)
    model, scores = consensus.model, consensus.scores
    tie, side = model.tie_parameter(consensus.parameters), model.position_effect(consensus.parameters)
    rows = rows_of(consensus.rows)
    by_item = [[row for row, vote in enumerate(rows) if item in vote[:2]] for item in range(sample.n_items)]
    found = np.array(squares_of_items(consensus))
    expected = reference.mean_squares(rows, by_item, scores, tie, side)
    np.testing.assert_allclose(found, expected[[0, 1, 2, 3]], rtol=1e-7, atol=1e-7)
    groups = Groups.needed(consensus)
    by_voter = [[row for row in range(len(rows)) if groups.voter[row] == v] for v in range(len(groups.codes))]
    found = np.array(squares_of_voters(consensus, groups.rows, groups.voter, len(groups.codes)))
    expected = reference.mean_squares(rows, by_voter, scores, tie, side)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_mean_squares_of_the_true_model_are_standard() -> None:
    # Scores that are known need no allowance for their fit: t has mean 0 and standard deviation 1, and squares mean 1.
    rng = np.random.default_rng(6)
    consensus = Consensus.of(workshop(rng, tie=0.5), None, 3.0)
    draws = []
    right, tie, _ = consensus.probabilities[consensus.pair].T
    for _ in range(400):
        point = rng.random(len(consensus.pair))
        outcome = (point >= right).astype(np.uint8) + (point >= right + tie)
        draws.append(squares_of_items(replace(consensus, rows=with_outcome(consensus.rows, outcome))))
    infit, outfit, infit_t, outfit_t = (np.concatenate(values) for values in zip(*draws, strict=True))
    for squares in (infit, outfit):
        assert squares.mean() == pytest.approx(1.0, abs=0.01)
    for t in (infit_t, outfit_t):
        assert t.mean() == pytest.approx(0.0, abs=0.05)
        assert t.std() == pytest.approx(1.0, abs=0.05)


# --- voters ---


@FEWER
@given(some_votes)
def test_evidence_equals_the_reference(sample) -> None:
    votes = replace(sample.votes(), voter=np.arange(len(sample.rows), dtype=np.int32) % 3 - 1, voters=("a", "b"))
    consensus = Consensus.of(votes, None, 3.0)
    groups = Groups.of(consensus)
    if groups is None:
        return
    model, scores = consensus.model, consensus.scores
    tie, side = model.tie_parameter(consensus.parameters), model.position_effect(consensus.parameters)
    found = evidence(consensus, groups)
    rows = rows_of(consensus.rows)
    for v, code in enumerate(groups.codes.tolist()):
        own = [row for row, voter in zip(rows, consensus.rows.voter.tolist(), strict=True) if voter == code]
        expected = reference.suspicions(own, scores, tie, side)
        known = 1.0 if consensus.model.layout.has_position else 0.0
        np.testing.assert_allclose(found.one_side[:, v], known * np.array(expected["sides"]), rtol=1e-7, atol=1e-9)
        assert found.random[v] == pytest.approx(expected["random"], abs=1e-9)
        for cell, ratio in zip(groups.cells.tolist(), found.pushes.tolist(), strict=True):
            if cell // sample.n_items == v:
                assert ratio == pytest.approx(expected["pushes"][cell % sample.n_items], abs=1e-9)


def test_agreement_is_with_the_order_of_the_scores() -> None:
    voters = REPORT.voters
    scores = REPORT.ranking.scores
    for v, label in enumerate(voters.voters):
        own = [row for row, code in zip(rows_of(KALMAR), KALMAR.voter.tolist(), strict=True) if code == v]
        assert label == v + 1
        with_it = [(scores[left] > scores[right]) == (outcome == 2) for left, right, outcome, _ in own]
        assert voters.agreement[v] == pytest.approx(np.mean(with_it))
        assert voters.left_share[v] == pytest.approx(np.mean([row[2] == 2 for row in own]))
        assert voters.n_votes[v] == len(own) == 20
    fitted = voters.agreement.mean() - voters.expected_agreement.mean()
    assert 0 < fitted < 0.06, "votes agree a little more with scores fitted to them"


@pytest.mark.slow
def test_an_honest_workshop_has_a_flag_no_more_often_than_stated() -> None:
    n_workshops = 100 if FULL else 25
    rng = np.random.default_rng(100)
    flagged, misfits = 0, 0
    for number in range(n_workshops):
        votes = workshop(rng, n_items=12, n_voters=12, tie=0.5 * (number % 2))
        flagged += bool(pv.diagnostics.voters(votes, rate=0.1, n_simulations=99, rng=rng).flags)
        misfits += bool(pv.diagnostics.items(votes, rate=0.1, n_simulations=99, rng=rng).flagged)
    most = 0.1 * n_workshops + 2.6 * math.sqrt(0.09 * n_workshops)
    assert flagged <= most
    assert misfits <= most
    assert flagged + misfits > 0, "a test that never flags would pass this too"


def test_straight_liners_are_found() -> None:
    rng = np.random.default_rng(7)
    for side, words in ((2, "left"), (0, "right")):
        votes = workshop(rng)
        planted = with_outcome(votes, np.where(votes.voter == 11, side, votes.outcome))
        flags = pv.diagnostics.voters(planted, rng=1).flags
        assert next(iter(flags)) == 11, words
        assert "one side" in flags[11]


def test_random_answerers_and_contrarians_are_found() -> None:
    # With twice the votes: of 20 each, one random answerer in four is found (docs/diagnostics.md).
    rng = np.random.default_rng(9)
    found = dict.fromkeys(("coin", "contrary"), 0)
    for _ in range(10):
        votes = workshop(rng, n_items=15, n_voters=20, votes_each=60)
        answers = {"coin": 2 * rng.integers(2, size=len(votes)), "contrary": 2 - votes.outcome}
        for what, outcome in answers.items():
            planted = with_outcome(votes, np.where(votes.voter == 4, outcome, votes.outcome))
            flags = pv.diagnostics.voters(planted, n_simulations=99, rng=rng).flags
            found[what] += "random" in flags.get(4, ())
    assert found["coin"] >= 6
    assert found["contrary"] == 10


def test_self_promoters_are_found_where_they_saw_their_item_often() -> None:
    rng = np.random.default_rng(10)
    found = 0
    for _ in range(10):
        votes = workshop(rng, n_items=10, n_voters=20, votes_each=60)
        worst = int(np.argmin(pv.tally(votes).scores))
        own = votes.voter == 3
        outcome = np.where(own & (votes.left == worst), 2, np.where(own & (votes.right == worst), 0, votes.outcome))
        voters = pv.diagnostics.voters(with_outcome(votes, outcome), n_simulations=99, rng=rng)
        found += "pushes" in voters.flags.get(3, ()) and voters.favoured[3] == worst
    assert found >= 8


def test_the_most_suspicious_stands_first_and_is_named_in_the_report() -> None:
    left = pv.Votes.from_labels(KALMAR.items[:20], KALMAR.items[1:21], ["left"] * 20, voter=["Åsa"] * 20)
    report = pv.diagnostics.check(KALMAR + left, rng=1)
    assert list(report.voters.flags) == ["Åsa"]
    assert any(concern.startswith("Åsa picks one side") for concern in report.concerns)
    assert "one side only" in str(report)


# --- items and triads ---


def test_an_item_that_divides_the_voters_is_flagged() -> None:
    rng = np.random.default_rng(11)
    votes = workshop(rng, n_items=8, n_voters=40)
    # Half of them love it, half hate it.
    loves = votes.voter % 2 == 0
    outcome = np.where(votes.left == 2, 2 * loves, np.where(votes.right == 2, 2 - 2 * loves, votes.outcome))
    found = pv.diagnostics.items(with_outcome(votes, outcome), rng=1)
    assert found.flagged == (2,)
    assert found.infit[2] > 1.1


def test_votes_that_contradict_nothing_are_not_said_to() -> None:
    # Every outcome that the model draws has the observed statistic, or two in three have; simulated votes are fitted
    # less closely, so theirs may be smaller by what that leaves.
    order = pv.Votes.from_labels([*"abc"], [*"bca"], ["left", "left", "right"], voter=["eve"] * 3)
    two_to_one = pv.Votes.from_wins([*"aab"], [*"bba"])
    for votes in (order, two_to_one):
        found = pv.diagnostics.items(votes, rng=0)
        assert not found.flagged
        assert found.misfit_p.min() > 0.5
    assert min(pv.diagnostics.voters(order, rng=0).random_p) > 0.5


def test_statistics_that_are_equal_up_to_the_fit_count_as_equal() -> None:
    simulated = np.array([1.0, 2.0, 200.0])
    np.testing.assert_allclose(tail(np.array([1.0 + 2e-5, 2.001, 200.01, np.nan]), simulated), [1.0, 0.5, 0.5, 1.0])


@given(samples(min_items=3, max_items=7, min_votes=1, max_votes=40))
def test_triads_equal_the_reference(sample) -> None:
    assert count_triads(sample.votes().counts()) == reference.circular_triads(sample.rows, sample.n_items)


def test_triads_of_many_items_are_counted_the_same() -> None:
    votes = workshop(np.random.default_rng(12), n_items=30)
    dense, sparse = (count_triads(votes.counts(), dense_items=most) for most in (30, 10))
    assert sparse == dense == reference.circular_triads(rows_of(votes), 30)


@pytest.mark.parametrize(
    ("n_items", "published"),
    [(3, [6, 2]), (4, [24, 16, 24]), (5, [120, 120, 240, 240, 280, 24])],
)
def test_circular_triads_of_all_tournaments_have_the_published_frequencies(n_items, published) -> None:
    # Kendall and Babington Smith (1940), table of the distribution of d.
    pairs = list(itertools.combinations(range(n_items), 2))
    left, right = np.array(pairs).T
    counts = [0] * len(published)
    for outcome in itertools.product((0, 2), repeat=len(pairs)):
        circular, complete = count_triads(pv.Votes.from_codes(left, right, outcome, n_items=n_items).counts())
        assert complete == math.comb(n_items, 3)
        counts[circular] += 1
    assert counts == published
    assert most_circular(n_items) == len(published) - 1


def test_votes_by_two_criteria_have_more_circles_than_one_ranking_explains() -> None:
    rng = np.random.default_rng(13)
    votes = workshop(rng, n_items=9, n_voters=60)
    assert pv.diagnostics.triads(votes, rng=1).p > 0.01
    # Rock, scissors and paper, three of each.
    kind = np.arange(9) % 3
    beats = (kind[votes.left] - kind[votes.right]) % 3
    outcome = np.where(beats == 0, votes.outcome, np.where(beats == 1, 2, 0))
    found = pv.diagnostics.triads(with_outcome(votes, outcome), rng=1)
    assert found.p < 0.01
    assert "no single ranking" in found.concerns()[0]


# --- reliability ---


def test_split_halves_equal_the_reference_on_the_same_splits() -> None:
    votes = workshop(np.random.default_rng(14), n_items=5, n_voters=6, votes_each=8)
    found = pv.diagnostics.split_half(votes, top_k=2, n_splits=5, rng=21, prior_sd=3.0)
    rng = np.random.default_rng(21)
    rows, expected, overlaps = rows_of(votes), [], []
    for _ in range(5):
        chosen = set(rng.permutation(6)[:3].tolist())
        halves = [
            [row for row, voter in zip(rows, votes.voter.tolist(), strict=True) if (voter in chosen) == which]
            for which in (True, False)
        ]
        scores = [reference.bradley_terry(half, 5, position=True)["scores"] for half in halves]
        expected.append(np.corrcoef(*scores)[0, 1])
        best = [set(np.argsort(-one)[:2].tolist()) for one in scores]
        overlaps.append(len(best[0] & best[1]) / 2)
    np.testing.assert_allclose(found.correlations, expected, atol=1e-4)
    assert found.overlap == pytest.approx(np.mean(overlaps))
    mean = np.mean(expected)
    assert found.reliability == pytest.approx(2 * mean / (1 + mean), abs=1e-4)
    assert found.by == "voter"


def test_votes_are_split_where_voters_are_not_known() -> None:
    assert pv.diagnostics.split_half(pv.datasets.baseball(), rng=1).by == "vote"
    assert correlation(np.ones(3), np.arange(3.0)) == 0.0


# --- who and what decides ---


def top_set(scores, k) -> set[int]:
    return set(np.argsort(-np.asarray(scores), kind="stable")[:k].tolist())


@pytest.mark.parametrize("tie", [0.0, 0.6])
def test_influence_equals_a_fit_without_each_voter(tie) -> None:
    votes = workshop(np.random.default_rng(15), n_items=5, n_voters=6, votes_each=6, tie=tie)
    found = pv.diagnostics.influence(votes, top_k=2, prior_sd=3.0)
    rows = rows_of(votes)
    scores = reference.bradley_terry(rows, 5, position=True)["scores"]
    for v in range(6):
        others = [row for row, voter in zip(rows, votes.voter.tolist(), strict=True) if voter != v]
        without = reference.bradley_terry(others, 5, position=True)["scores"]
        assert found.shift[v] == pytest.approx(np.abs(without - scores).max(), abs=1e-5)
        assert set(found.joins[v]) == top_set(without, 2) - top_set(scores, 2)
        assert set(found.leaves[v]) == top_set(scores, 2) - top_set(without, 2)
    assert found.refitted.all()


def test_of_many_voters_those_who_matter_most_are_refitted() -> None:
    everyone = pv.diagnostics.influence(KALMAR)
    assert everyone.refitted.all()
    assert len(everyone.voters) < MOST_REFITS
    assert everyone.decisive
    consensus = Consensus.of(KALMAR, None, "learned")
    some = influence_of(consensus, Groups.needed(consensus), 5, most_refits=12)
    assert some.refitted.sum() == 12
    assert some.decisive == everyone.decisive
    # One Newton step is near the fit.
    left = ~some.refitted
    np.testing.assert_allclose(some.shift[left], everyone.shift[left], rtol=0.2, atol=0.02)


@pytest.mark.parametrize(("seed", "tie"), [(17, 0.0), (18, 0.6), (19, 0.0), (20, 0.6)])
def test_deciding_votes_are_those_whose_loss_changes_the_best(seed, tie) -> None:
    votes = workshop(np.random.default_rng(seed), n_items=6, n_voters=5, votes_each=12, tie=tie)
    found = pv.diagnostics.cut(votes, top_k=2, prior_sd=3.0)

    def fitted(some: pv.Votes) -> pv.Ranking:
        return pv.bradley_terry(some.counts(), position=True, prior_sd=3.0)

    everything = fitted(votes)
    best = top_set(everything.scores, 2)
    rows = np.arange(len(votes))
    decide = [row for row in rows.tolist() if top_set(fitted(votes.where(rows != row)).scores, 2) != best]
    assert found.deciding.tolist() == decide
    order = everything.order()
    assert (found.last_in, found.first_out) == (order[1], order[2])
    gap = everything.difference(order[1], order[2])
    assert found.gap == pytest.approx(gap.estimate)
    assert found.standard_error == pytest.approx(gap.standard_error)

    def flipped(which) -> set[int]:
        outcome = np.where(np.isin(rows, which), 2 - votes.outcome, votes.outcome)
        return top_set(fitted(with_outcome(votes, outcome)).scores, 2)

    single = any(flipped([row]) != best for row in rows.tolist())
    assert (found.flips == 1) == single
    if found.flips == 2:
        assert any(flipped(list(pair)) != best for pair in itertools.combinations(rows.tolist(), 2))


def test_rows_of_deciding_votes_count_skips() -> None:
    skip = pv.Votes.from_labels([KALMAR.items[0]], [KALMAR.items[1]], ["skip"], voter=[1], items=KALMAR.items)
    shifted = pv.diagnostics.cut(skip + KALMAR)
    np.testing.assert_array_equal(shifted.deciding, pv.diagnostics.cut(KALMAR).deciding + 1)
    assert len(shifted.deciding)


def test_what_cannot_be_turned_over_says_so() -> None:
    votes = pv.Votes.from_labels(["ash"] * 3, ["birch"] * 3, ["tie", "tie", "left"])
    found = pv.diagnostics.cut(votes + pv.Votes.from_wins(["birch"], ["cedar"]), top_k=2)
    assert found.flips is not None
    ties = pv.Votes.from_labels(["ash", "birch", "ash"], ["birch", "cedar", "cedar"], ["tie", "tie", "left"])
    assert "The cut" in str(pv.diagnostics.cut(ties, top_k=1))


# --- tally after adaptive sampling ---


def adaptive_votes(sampler, seed: int) -> pv.Votes:
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=23)
    stream = sampler.start(23, votes_each=20, rng=rng)
    rows = []
    for _ in range(20):
        for voter in range(30):
            left, right = stream.propose(voter)
            won = rng.random() < 1 / (1 + math.exp(strengths[right] - strengths[left]))
            stream.record(voter, left, right, "left" if won else "right")
            rows.append((left, right, 2 * won, voter))
    left, right, outcome, voter = np.array(rows).T
    return pv.Votes.from_codes(left, right, outcome, n_items=23, voter=voter)


def test_a_tally_of_adaptively_sampled_votes_is_warned_of_and_of_balanced_ones_not() -> None:
    adaptive = pv.diagnostics.check(adaptive_votes(pv.sampling.TopK(5), 1), n_simulations=99, rng=1)
    assert adaptive.tally_misleads
    assert any("plain vote counts mean little" in concern for concern in adaptive.concerns)
    for sampler in (pv.sampling.Balanced(), pv.sampling.Uniform()):
        plain = pv.diagnostics.check(adaptive_votes(sampler, 1), n_simulations=99, rng=1)
        assert not plain.tally_misleads


# --- the report ---


def test_the_same_seed_gives_the_same_report_and_arrays_are_read_only() -> None:
    again = pv.diagnostics.check(KALMAR, rng=1)
    assert again.to_dict() == REPORT.to_dict()
    for part in REPORT.parts.values():
        for value in vars(part).values():
            if isinstance(value, np.ndarray):
                assert not value.flags.writeable


def test_the_report_is_shown_as_text_html_and_dict() -> None:
    text, page = str(REPORT), REPORT._repr_html_()
    for part in REPORT.parts.values():
        assert part.title in text
        assert f"<h4>{part.title}</h4>" in page
        assert str(part).splitlines()[0] == part.title
        assert part._repr_html_().startswith("<h4>")
    assert text.startswith("600 votes on 23 items: is this vote to be trusted?")
    assert all(f"  - {concern}" in text.splitlines() for concern in REPORT.concerns)
    assert repr(REPORT) == f"Report(600 votes, {len(REPORT.concerns)} concerns)"
    assert max(map(len, text.splitlines())) <= 190
    found = json.loads(json.dumps(REPORT.to_dict()))
    assert found["cut"]["last_in"] == REPORT.cut.last_in
    numbers = {"n_votes", "n_answered", "total_weight", "concerns", "inflated", "tally_misleads", "prior_share"}
    assert set(found) == {*numbers, *REPORT.parts}
    assert len(found["voters"]["infit"]) == 30
    script = pv.Votes.from_wins(["<b>ash", "birch", "birch"], ["birch", "<b>ash", "cedar"])
    assert "<b>ash" not in pv.diagnostics.check(script, top_k=1, rng=1)._repr_html_()


def test_without_voters_or_a_cut_their_parts_are_left_out() -> None:
    report = pv.diagnostics.check(pv.datasets.citations(), top_k=5, n_simulations=99, rng=1)
    assert report.voters is report.influence is report.repeats is report.cut is None
    assert "voters" not in report.to_dict()
    assert "Voters" not in str(report)
    assert pv.diagnostics.check(pv.datasets.citations(), top_k=2, n_simulations=99, rng=1).cut.last_in == "Biometrika"


@pytest.mark.parametrize(("n_items", "usual"), [(2, 1), (3, 2), (5, 4), (6, 5), (9, 5)])
def test_the_usual_number_of_best_suits_few_items(n_items, usual) -> None:
    left, right = np.triu_indices(n_items, 1)
    both = (np.concatenate([left, right]), np.concatenate([right, left]))
    outcome = np.where(np.arange(2 * len(left)) % 3, 2, 0)
    votes = pv.Votes.from_codes(*both, outcome, n_items=n_items, voter=np.arange(2 * len(left)) % 2)
    assert pv.diagnostics.cut(votes).top_k == usual
    assert pv.diagnostics.influence(votes).top_k == usual
    assert pv.diagnostics.split_half(votes, n_splits=2, rng=1).top_k == usual
    report = pv.diagnostics.check(votes, n_simulations=99, rng=1)
    assert report.cut.top_k == report.influence.top_k == report.split_half.top_k == usual


@pytest.mark.slow
@FEWER
@given(samples(min_items=2, max_items=6, min_votes=1, max_votes=25).filter(decidable), st.booleans())
def test_any_votes_can_be_checked(sample, with_voters) -> None:
    votes = sample.votes(voter=[row % 3 or None for row in range(len(sample.rows))] if with_voters else None)
    report = pv.diagnostics.check(votes, top_k=2, n_simulations=99, rng=1)
    assert str(report)
    assert report._repr_html_()
    assert report.n_votes == len(votes)
    json.dumps(report.to_dict())


@pytest.mark.slow
def test_relabelling_changes_labels_only() -> None:
    named = replace(KALMAR, items=tuple(f"{code} ö" for code in range(23)))
    ours, theirs = (pv.diagnostics.check(votes, rng=3).to_dict() for votes in (KALMAR, named))
    assert ours["voters"]["infit"] == theirs["voters"]["infit"]
    assert ours["triads"] == theirs["triads"]
    assert theirs["cut"]["last_in"] == f"{KALMAR.items.index(ours['cut']['last_in'])} ö"


def test_votes_on_several_criteria_are_checked_one_at_a_time() -> None:
    votes = pv.Votes.from_labels(
        ["ash", "birch", "ash", "birch"],
        ["birch", "ash", "birch", "ash"],
        ["left"] * 4,
        criterion=["new", "new", "x", "x"],
    )
    assert "choose one" in refusal(pv.diagnostics.check, votes)
    assert pv.diagnostics.check(votes, criterion="new", top_k=1, rng=1).n_votes == 2


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        ("check", {"rate": 0}, "rate is 0"),
        ("check", {"rate": 5}, "rate is 5"),
        ("check", {"n_simulations": 10}, "n_simulations is 10; it is a whole number from 99"),
        ("check", {"prior_sd": math.inf}, "simulated votes need 'learned', or a finite one"),
        ("check", {"prior_sd": "unknown"}, "prior_sd is 'unknown'"),
        ("influence", {"prior_sd": "unknown"}, "prior_sd is 'unknown'; it is 'learned', or a number above 0"),
        ("check", {"top_k": 0}, "k is 0"),
        ("check", {"top_k": "5"}, "k is '5'"),
        ("influence", {"top_k": 23}, "top_k is 23 and there are as many items"),
        ("cut", {"top_k": 24}, "k is 24"),
        ("split_half", {"n_splits": 1}, "n_splits is 1"),
        ("check", {"criterion": "new"}, "there is no criterion 'new'"),
    ],
)
def test_options_are_checked(function, options, message) -> None:
    assert message in refusal(getattr(pv.diagnostics, function), KALMAR, **options)


def test_votes_are_checked() -> None:
    assert "votes is a PairCounts" in refusal(pv.diagnostics.check, KALMAR.counts())
    nothing = pv.Votes.from_labels(["ash"], ["birch"], ["skip"])
    assert "none of them is answered" in refusal(pv.diagnostics.check, nothing)
    many = pv.Votes.from_codes([0], [4000], [2])
    assert "there are 4,001 items" in refusal(pv.diagnostics.exposure, many)
    for name in ("voters", "influence"):
        assert "do not say who voted" in refusal(getattr(pv.diagnostics, name), pv.datasets.baseball())


def test_a_first_vote_can_be_checked_whatever_it_is() -> None:
    for outcome in ("tie", "left", "right"):
        report = pv.diagnostics.check(pv.Votes.from_labels(["ash"], ["birch"], [outcome]), n_simulations=99, rng=1)
        assert np.isfinite(report.ranking.scores).all()
        assert "1 vote on 2 items" in str(report)
    tied = pv.diagnostics.position_bias(pv.Votes.from_labels(["ash"], ["birch"], ["tie"]))
    assert (tied.effect, tied.ratio, tied.ratio_p) == (0.0, 0.0, 1.0)
    assert "no vote was won by either side" in str(tied)


def test_winners_written_down_first_keep_their_scores() -> None:
    """A position effect would take them, by a weak prior, where the left side won every vote."""
    votes = pv.Votes.from_wins([*"aaabbc"], [*"bcdcdd"])
    report = pv.diagnostics.check(votes, n_simulations=99, rng=1)
    np.testing.assert_allclose(report.ranking.scores, pv.bradley_terry(votes.counts()).scores, rtol=0, atol=1e-12)
    assert not report.ranking.fit.position_effect
    (concern,) = [one for one in report.concerns if "winner first" in one]
    assert "position=True would take for an effect of the side what is the items'" in concern
    # That it would is so: scores are nearer to each other, and the side is said to help much.
    sided = pv.bradley_terry(votes, position=True)
    assert sided.fit.position_effect > 1.0
    assert np.ptp(sided.scores) < np.ptp(report.ranking.scores)


def test_what_is_fitted_again_has_a_normal_prior_of_the_learned_spread() -> None:
    for votes in (KALMAR, pv.Votes.from_wins([*"abab"], [*"baba"])):
        consensus = Consensus.of(votes, None, "learned")
        spread = max(consensus.ranking.fit.prior_sd, LEAST_SD)
        assert consensus.model.prior_sd == pytest.approx(spread)
        assert consensus.fitted.learned is None
        known = Consensus.of(votes, None, spread)
        np.testing.assert_allclose(known.scores, consensus.scores, atol=1e-7)
        assert known.fitted is posterior_of(known.ranking)
    # Of wide strengths the spread is theirs.
    assert Consensus.of(KALMAR, None, "learned").model.prior_sd > 2 * LEAST_SD


def test_simulated_scores_spread_as_far_as_those_of_the_votes() -> None:
    rng = np.random.default_rng(3)
    sim = pv.simulate(n_voters=15, repetitions=8, rng=2, sampler="uniform")
    simulated, real = [], []
    for r in range(8):
        consensus = Consensus.of(sim.votes(r), None, 1.0)
        drawn = [consensus.answered_by(consensus.simulated(rng)) for _ in range(10)]
        simulated += [one.scores.var() for one in drawn if one is not None]
        real.append(consensus.scores.var())
    # Scores shrunk again by their reliability would spread to 0.7 of it.
    assert np.mean(simulated) / np.mean(real) == pytest.approx(1.0, abs=0.12)


def test_the_cut_and_the_separation_are_those_of_the_default_call() -> None:
    report = pv.diagnostics.check(KALMAR, n_simulations=99, rng=1)
    ranking = pv.bradley_terry(KALMAR.counts(), position=True)
    np.testing.assert_array_equal(report.ranking.scores, ranking.scores)
    assert report.cut.gap == ranking.difference(report.cut.last_in, report.cut.first_out).estimate
    assert (report.cut.last_in, report.cut.first_out) == tuple(ranking.order()[4:6])
    assert report.separation.reliability == pv.diagnostics.separation(ranking).reliability
    assert report.position.effect == ranking.fit.position_effect
    assert report.prior_share == ranking.fit.prior_share


def chain_of(n_items: int) -> pv.Votes:
    """Every item beat the next and lost to it, on either side."""
    lower, upper = np.arange(n_items - 1), np.arange(1, n_items)
    left, right = np.concatenate([lower, upper, lower, upper]), np.concatenate([upper, lower, upper, lower])
    return pv.Votes.from_codes(left, right, np.repeat([2, 0], 2 * len(lower)), n_items=n_items)


def of_prior(votes: pv.Votes, prior_sd: float = 3.0) -> list[str]:
    report = pv.diagnostics.check(votes, n_simulations=99, rng=1, prior_sd=prior_sd)
    fit = report.ranking.fit
    assert report.prior_share == report.to_dict()["prior_share"] == fit.prior_share
    return [concern for concern in report.concerns if "prior decides" in concern]


def test_what_the_prior_decides_of_a_long_chain_is_a_concern() -> None:
    for n_items, prior_sd in ((10, 0.5), (60, 3.0)):
        (concern,) = of_prior(chain_of(n_items), prior_sd)
        share = pv.bradley_terry(chain_of(n_items), position=True, prior_sd=prior_sd).fit.prior_share
        assert concern.startswith(f"the prior decides {share:.0%} of the least determined difference between scores")
        assert concern.endswith("ask about pairs across it, or score with a larger prior_sd")
    # A learned prior decides much of level scores; that is a concern where a wide one would decide as much.
    learned = pv.diagnostics.check(chain_of(60), n_simulations=99, rng=1)
    assert any("the prior decides" in concern for concern in learned.concerns)
    level = pv.Votes.from_codes(*np.triu_indices(8, 1), np.arange(28) % 2 * 2, n_items=8)
    found = pv.diagnostics.check(level + level, n_simulations=99, rng=1)
    assert found.prior_share > 0.8
    assert not any("the prior decides" in concern for concern in found.concerns)
    # What the concern names as remedies helps.
    assert not of_prior(chain_of(60), prior_sd=30.0)
    across = pv.Votes.from_codes(*np.triu_indices(60, 1), np.arange(1770) % 2 * 2, n_items=60)
    assert not of_prior(chain_of(60) + across)


def test_what_the_prior_decides_across_components_is_said_once() -> None:
    apart = chain_of(60).where(np.arange(236) % 59 != 30)
    report = pv.diagnostics.check(apart, n_simulations=99, rng=1)
    assert report.prior_share == pytest.approx(1.0)
    assert sum("prior" in concern for concern in report.concerns) == 1


@pytest.mark.slow
@pytest.mark.parametrize("votes", [KALMAR, pv.Votes.from_labels([*"aab"], [*"bcc"], ["left"] * 3, voter=[*"xxy"])])
def test_any_number_of_jobs_gives_the_same_report(votes, capsys) -> None:
    options = {"top_k": 1, "n_simulations": 120}
    one, two = np.random.default_rng(3), np.random.default_rng(3)
    alone = pv.diagnostics.check(votes, rng=one, **options)
    assert capsys.readouterr() == ("", "")
    shared = pv.diagnostics.check(votes, rng=two, n_jobs=2, progress=np.True_, **options)
    assert "100%" in capsys.readouterr().err
    assert repr(shared.to_dict()) == repr(alone.to_dict())
    assert one.random() == two.random()


@pytest.mark.parametrize("name", ["check", "voters", "items", "triads"])
def test_jobs_and_progress_mean_everywhere_the_same(name) -> None:
    function = getattr(pv.diagnostics, name)
    for options, message in (({"n_jobs": 0}, "n_jobs is 0"), ({"progress": 1}, "progress is 1; it is True or False")):
        with pytest.raises(pv.InputError, match=message):
            function(KALMAR, rng=1, **options)
