"""Voters who do not look, all together and one by one: against slow sums, the scorer's own word, and planted coins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given
from strategies import FEWER, samples

import pairvote as pv
from pairvote.diagnostics._consensus import Consensus
from pairvote.diagnostics._suspicions import Groups, evidence, inattention

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)
# The weights of kinds before votes are seen: attentive, random, each side, pushing any item.
WEIGHTS = (4.0, 0.7, 0.1, 0.1)


def workshop(*, n_voters: int, votes_each: int, n_random: int, rng: int) -> tuple[pv.Votes, np.ndarray]:
    """Votes of which the first voters' are a coin's, and the strengths."""
    draws = np.random.default_rng(rng)
    strengths, n_votes = draws.normal(size=12), n_voters * votes_each
    left = draws.integers(12, size=n_votes)
    right = (left + draws.integers(1, 12, size=n_votes)) % 12
    voter = np.repeat(np.arange(n_voters), votes_each)
    chances = np.where(voter < n_random, 0.5, 1.0 / (1.0 + np.exp(strengths[right] - strengths[left])))
    outcome = np.where(draws.random(n_votes) < chances, 2, 0)
    return pv.Votes.from_codes(left, right, outcome, n_items=12, voter=voter), strengths


THIRD, _ = workshop(n_voters=15, votes_each=60, n_random=5, rng=1)
FOUND = pv.diagnostics.voters(THIRD, n_simulations=199, rng=1)


@FEWER
@given(samples(min_items=2, max_items=5, min_votes=1, max_votes=30))
def test_the_ratio_of_all_equals_a_slow_sum_over_kinds(sample) -> None:
    votes = replace(sample.votes(), voter=np.arange(len(sample.rows), dtype=np.int32) % 3 - 1, voters=("a", "b"))
    try:
        consensus = Consensus.of(votes, None, 3.0)
    except pv.InputError:
        return
    groups = Groups.of(consensus)
    if groups is None:
        return
    model, scores = consensus.model, consensus.scores
    tie, side = model.tie_parameter(consensus.parameters), model.position_effect(consensus.parameters)
    attentive, random, one_side, pushes = WEIGHTS
    if not model.layout.has_position:
        one_side = 0.0
    expected = 0.0
    for code in groups.codes.tolist():
        rows = consensus.rows.where(consensus.rows.voter == code)
        weight = np.ones(len(rows)) if rows.weight is None else rows.weight
        own = list(zip(rows.left.tolist(), rows.right.tolist(), rows.outcome.tolist(), weight.tolist(), strict=True))
        ratios = reference.suspicions(own, scores, tie, side)
        mixed = attentive + random * math.exp(ratios["random"])
        mixed += one_side * sum(map(math.exp, ratios["sides"]))
        mixed += pushes * float(np.mean([math.exp(ratio) for ratio in ratios["pushes"]]))
        expected += math.log(mixed / (attentive + random + 2 * one_side + pushes))
    found = inattention(consensus, groups, evidence(consensus, groups))
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-8)


def test_chances_are_those_of_the_scorer() -> None:
    ranking = pv.bradley_terry(THIRD, position=True, reliability="lapse")
    assert FOUND.voters == ranking.voters.voters
    np.testing.assert_array_equal(FOUND.attentive, ranking.voters.attentive)
    assert FOUND.inattentive == pytest.approx((1.0 - FOUND.attentive).sum())
    assert not FOUND.attentive.flags.writeable


def test_coins_are_found_and_the_remedy_helps() -> None:
    assert FOUND.is_found
    assert FOUND.inattentive == pytest.approx(5.0, abs=1.5)
    # Nobody else but one whom chance makes look so.
    assert len(set(FOUND.flags) - set(range(5))) <= 1
    concern = FOUND.concerns()[-1]
    assert concern.startswith("some voters do not follow the common ranking (p = 0.005)")
    assert "rank with bradley_terry(votes, reliability='lapse')" in concern
    assert set(pv.bradley_terry(THIRD, reliability="lapse").voters.flags()) >= set(range(5))
    gains = []
    for seed in range(20):
        votes, strengths = workshop(n_voters=15, votes_each=60, n_random=5, rng=seed)
        plain, weighed = (pv.bradley_terry(votes, prior_sd=1.0, reliability=how) for how in (None, "lapse"))
        gains.append(np.corrcoef(weighed.scores, strengths)[0, 1] - np.corrcoef(plain.scores, strengths)[0, 1])
    assert np.mean(gains) > 2.0 * np.std(gains) / math.sqrt(len(gains))


def test_nobody_is_named_unless_all_together_look_inattentive() -> None:
    for found in (FOUND, pv.diagnostics.voters(KALMAR, n_simulations=99, rng=1)):
        least = np.stack([found.one_side_p, found.random_p, found.pushes_p]).min()
        assert least >= found.inattentive_p
    assert found.inattentive_p > 0.05
    assert "chance may explain" in str(found)
    assert found.inattentive < 1.0


def test_those_likely_inattentive_are_listed_where_some_are_found() -> None:
    named = {line.split()[0] for line in str(FOUND).splitlines() if "others" in line or "pushing" in line}
    assert named == {str(label) for label in FOUND.flags}
    listed = str(FOUND).partition("suspected of")[2].splitlines()[1:]
    assert {int(line.split()[0]) for line in listed} == set(FOUND.flags) | set(np.flatnonzero(FOUND.attentive < 0.5))


def test_the_order_of_rows_does_not_matter() -> None:
    order = np.random.default_rng(3).permutation(len(THIRD))
    columns = [column[order] for column in (THIRD.left, THIRD.right, THIRD.outcome, THIRD.voter)]
    mixed = pv.Votes.from_codes(*columns[:3], n_items=12, voter=columns[3])
    turned = pv.diagnostics.voters(mixed, n_simulations=99, rng=1)
    found = dict(zip(turned.voters, turned.attentive, strict=True))
    assert found == pytest.approx(dict(zip(FOUND.voters, FOUND.attentive, strict=True)), abs=1e-4)


def test_graded_votes_are_not_sent_to_a_scorer_that_refuses_them() -> None:
    graded = THIRD + pv.Votes.from_labels(
        [THIRD.items[0]], [THIRD.items[1]], [0.7], outcomes="share", voter=[THIRD.voters[0]]
    )
    with pytest.raises(pv.InputError, match="graded"):
        pv.bradley_terry(graded, reliability="lapse")
    for found in (
        pv.diagnostics.voters(graded, n_simulations=99, rng=1),
        pv.diagnostics.check(graded, n_simulations=99, rng=1).voters,
    ):
        assert found is not None
        assert found.graded
        assert found.is_found
        assert "lapse" not in found.concerns()[-1]


def test_votes_written_winner_first_say_nothing_of_sides() -> None:
    won = pv.Votes.from_wins([*"aaabbc"], [*"bcdcdd"], voter=[*"uvwuvw"])
    found = pv.diagnostics.voters(won, n_simulations=99, rng=1)
    assert found.one_side_p.tolist() == [1.0, 1.0, 1.0]
    assert not found.flags
    assert ((found.attentive > 0.5) & (found.attentive <= 1.0)).all()


def test_the_report_names_nobody_for_a_close_cut_and_gives_no_sign_away() -> None:
    report = pv.diagnostics.check(KALMAR, n_simulations=99, rng=1)
    assert report.influence is not None
    n_decisive = len(report.influence.decisive)
    concern = next(concern for concern in report.concerns if "without any one of" in concern)
    assert f"any one of {n_decisive} voters: the items at the cut are close" in concern
    assert report.position.ratio_p > 0.01
    assert "no clear sign" in str(report.position)
    assert "no sign that earlier answers chose the questions" in str(report.adaptivity)
    assert "pairvote.find_groups" in str(report.split_half)


def test_a_camp_is_not_accused() -> None:
    camps = pv.VoterModel(clusters=2, cluster_sd=1.2, random_voters=0.1, tie_parameter=0.3)
    sim = pv.simulate(n_items=12, n_voters=20, votes_each=40, repetitions=1, rng=5, voters=camps)
    found = pv.diagnostics.voters(sim.votes(0), n_simulations=99, rng=1)
    assert found.is_found
    assert found.may_be_a_camp
    assert found.flags == {}
    (concern,) = found.concerns()
    assert "see find_groups" in concern
    assert "lapse" not in concern
    assert pv.find_groups(sim.votes(0)).n_groups == 2
