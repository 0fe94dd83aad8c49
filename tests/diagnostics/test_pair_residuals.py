"""Votes of each pair beside what the model expects: against slow sums, by law, and against planted circles."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from strategies import FEWER, samples

import pairvote as pv
from pairvote.diagnostics._consensus import Consensus
from pairvote.diagnostics._pair_residuals import Sums

TIED = pv.simulate(n_items=6, n_voters=8, votes_each=15, voters=pv.VoterModel(tie_parameter=0.8), rng=3).votes(0)


def expected_of(parameters, rows, n_items, position):
    """By unordered pair the score and the ties that the first item, of the lower code, is expected to have."""
    scores, eta, gamma = reference.unpack(parameters, rows, n_items, "davidson", position)
    found = {}
    for left, right, _, weight in reference.answered(rows):
        lost, tied, won = reference.chances(
            np.array(scores), left, right, math.exp(eta) if eta is not None else 0.0, gamma
        )
        pair, mean = ((left, right), won + tied / 2) if left < right else ((right, left), lost + tied / 2)
        at = found.setdefault(pair, np.zeros(3))
        at += weight * np.array([mean, tied, won + tied / 4 - (won + tied / 2) ** 2])
    return found


@FEWER
@given(samples(min_items=2, max_items=4, min_votes=3, max_votes=30))
def test_residuals_are_those_of_slow_sums(sample) -> None:
    rows, n_items = sample.rows, sample.n_items
    counted = list(reference.answered(rows))
    assume(counted)
    position = {0, 2} <= {row[2] for row in counted}
    consensus = Consensus.of(sample.votes(), None, 1.5)
    assert consensus.model.layout.has_position == position
    fit = reference.bradley_terry(rows, n_items, "davidson", 1.5, position)
    found = Sums.of(consensus)
    expected = expected_of(fit["parameters"], rows, n_items, position)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == sorted(expected)
    left = found.left_by_fit(consensus)
    for place, pair in enumerate(pairs):
        votes = np.zeros(3)
        for one, other, outcome, weight in counted:
            if {one, other} == set(pair):
                votes[outcome if one < other else 2 - outcome] += weight
        mean, ties, variance = expected[pair]
        assert found.won[place] == pytest.approx(votes[2] + votes[1] / 2)
        assert found.expected[place] == pytest.approx(mean, abs=1e-5)
        assert (found.tied[place], found.expected_ties[place]) == (votes[1], pytest.approx(ties, abs=1e-5))
        wins = mean - ties / 2
        terms = [(votes[2], wins), (votes[1], ties), (votes[0], votes.sum() - wins - ties)]
        deviance = 2 * sum(n * math.log(n / e) for n, e in terms if n > 0)
        assert found.squared_deviance[place] == pytest.approx(deviance, abs=1e-4)
        # The derivative of the expected score by all parameters, numerically.
        slope = np.empty(len(fit["parameters"]))
        for number in range(len(slope)):
            up, down = fit["parameters"].copy(), fit["parameters"].copy()
            up[number] += 1e-5
            down[number] -= 1e-5
            ends = [expected_of(at, rows, n_items, position)[pair][0] for at in (up, down)]
            slope[number] = (ends[0] - ends[1]) / 2e-5
        taken = slope @ fit["inverse_information"] @ slope
        assert left[place] == pytest.approx(variance - taken, abs=1e-4)


def test_squares_add_up_to_the_deviance_of_a_fit_without_sides() -> None:
    # Written winner first, so that there is no position effect.
    rng = np.random.default_rng(2)
    votes = pv.Votes.from_wins(rng.choice(["a", "b", "c"], 60), rng.choice(["d", "e"], 60))
    votes += pv.Votes.from_wins(["d"] * 5 + ["e"] * 4, ["a", "b", "c", "a", "b", "a", "b", "c", "a"])
    found = pv.diagnostics.residuals(votes, prior_sd=2.0, n_simulations=99, rng=1)
    fit = pv.bradley_terry(votes, prior_sd=2.0).fit
    assert np.square(found.deviance).sum() == pytest.approx(fit.deviance, abs=1e-5)


def test_sides_rows_and_labels_change_what_they_should() -> None:
    options = {"prior_sd": 1.0, "n_simulations": 99, "rng": 1}
    found = pv.diagnostics.residuals(TIED, **options)
    turned = pv.Votes.from_codes(TIED.right, TIED.left, 2 - TIED.outcome, items=TIED.items)
    mixed = TIED._take(np.random.default_rng(1).permutation(len(TIED)))
    n = TIED.n_items
    renamed = pv.Votes.from_codes(n - 1 - TIED.left, n - 1 - TIED.right, TIED.outcome, items=TIED.items[::-1])
    for other in (turned, mixed, renamed):
        again = pv.diagnostics.residuals(other, **options)
        table, other_table = found.to_columns(), again.to_columns()
        by_pair = {
            frozenset(pair): (won, abs(z), abs(d))
            for *pair, won, z, d in zip(
                *(other_table[name] for name in ("first", "second", "expected_ties", "standardised", "deviance")),
                strict=True,
            )
        }
        for *pair, ties, z, d in zip(
            *(table[name] for name in ("first", "second", "expected_ties", "standardised", "deviance")), strict=True
        ):
            assert by_pair[frozenset(pair)] == pytest.approx((ties, abs(z), abs(d)), abs=1e-4)
    weighed = pv.diagnostics.residuals(TIED._changed(weight=np.full(len(TIED), 2.0)), **options)
    doubled = pv.diagnostics.residuals(TIED + TIED, **options)
    np.testing.assert_allclose(weighed.standardised, doubled.standardised, atol=1e-6)
    np.testing.assert_allclose(weighed.won, 2 * found.won)


def test_a_planted_circle_is_found() -> None:
    circle = [("a", "b"), ("b", "c"), ("c", "a")]
    wins = [pair for pair in circle for _ in range(12)] + [pair[::-1] for pair in circle for _ in range(2)]
    wins += [(item, "d") for item in "abc" for _ in range(6)] + [("d", item) for item in "abc" for _ in range(6)]
    votes = pv.Votes.from_wins(*zip(*wins, strict=True))
    found = pv.diagnostics.residuals(votes, rng=1, n_simulations=199)
    assert found.fit_p <= 0.01
    assert {frozenset(pair) for pair in found.flagged} == {frozenset(pair) for pair in circle}
    assert "the model does not fit" in str(found)
    assert "who beats whom" in found.concerns()[0]
    assert found.to_dict()["fit_p"] == found.fit_p
    assert "<table>" in found._repr_html_()


def test_two_items_are_fitted_exactly() -> None:
    votes = pv.Votes.from_wins(["a"] * 7 + ["b"] * 3, ["b"] * 7 + ["a"] * 3)
    found = pv.diagnostics.residuals(votes, prior_sd=1e5, n_simulations=99, rng=1)
    assert found.won.tolist() == [7.0]
    assert found.expected.tolist() == pytest.approx([7.0], abs=1e-4)
    assert found.deviance.tolist() == pytest.approx([0.0], abs=1e-4)
    assert found.concerns() == ()


@pytest.mark.parametrize(
    ("votes", "options", "match"),
    [
        (TIED.counts(), {}, "votes is a PairCounts"),
        (pv.Votes.from_labels(["a"], ["b"], ["skip"]), {}, "none of them is answered"),
        (TIED, {"rate": 0}, "rate is 0"),
        (TIED, {"n_simulations": 5}, "n_simulations is 5"),
        (TIED, {"prior_sd": math.inf}, "prior_sd is inf"),
        (TIED, {"criterion": "new"}, "there is no criterion"),
        (TIED, {"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_what_has_no_residuals_is_refused(votes, options, match) -> None:
    with pytest.raises(pv.InputError, match=match):
        pv.diagnostics.residuals(votes, **options)


@pytest.mark.parametrize("outcome", ["left", "tie"])
def test_votes_of_one_kind_have_residuals(outcome) -> None:
    votes = pv.Votes.from_labels(["a", "a", "c"], ["b", "c", "b"], [outcome] * 3, items=["a", "b", "c", "d"])
    found = pv.diagnostics.residuals(votes, prior_sd=1.0, n_simulations=99, rng=1)
    assert np.isfinite(found.standardised).all()
    assert len(found.first) == 3
