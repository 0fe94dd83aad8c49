"""Whether one tie parameter is enough: against numerical derivatives, by law, and against planted differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from strategies import FEWER, samples
from tie_votes import OPTIONS, drawn, log_likelihood

import pairvote as pv
from pairvote.diagnostics._consensus import Consensus
from pairvote.diagnostics._tie_test import by_item, by_voter

VOTES = drawn(1)


# --- against numerical derivatives ---


@FEWER
@given(samples(min_items=2, max_items=3, min_votes=3, max_votes=15))
def test_scores_and_variances_are_those_of_numerical_derivatives(sample) -> None:
    rows, n_items = list(reference.answered(sample.rows)), sample.n_items
    assume(any(row[2] == 1 for row in rows) and any(row[2] != 1 for row in rows))
    voter = [number % 2 for number, row in enumerate(sample.rows)]
    whose = [who for who, row in zip(voter, sample.rows, strict=True) if row[2] != 3 and row[3] > 0]
    consensus = Consensus.of(sample.votes(voter=voter), None, 1.5)
    position = consensus.model.layout.has_position
    fit = reference.bradley_terry(sample.rows, n_items, "davidson", 1.5, position)
    items = np.zeros((len(rows), n_items))
    for number, (left, right, _, _) in enumerate(rows):
        items[number, [left, right]] = 1
    voters = np.array(whose)[:, None] == np.unique(whose)
    for readiness, z in ((by_item(consensus), items), (by_voter(consensus), voters.astype(float))):
        n_first, size = len(fit["parameters"]), len(fit["parameters"]) + z.shape[1]
        at = np.concatenate([fit["parameters"], np.zeros(z.shape[1])])

        def value(step, at=at, z=z):
            return log_likelihood(at + step, rows, z, n_items, position)

        h = 1e-3
        units = h * np.eye(size)
        slope = [(value(unit) - value(-unit)) / (2 * h) for unit in units[n_first:]]
        information = np.array(
            [
                [-(value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * h * h) for a in units]
                for b in units
            ]
        )
        across = information[n_first:, :n_first]
        variance = information[n_first:, n_first:] - across @ fit["inverse_information"] @ across.T
        tied, expected = readiness.scores(consensus)
        assert tied - expected == pytest.approx(slope, abs=1e-4)
        np.testing.assert_allclose(readiness.variance(consensus), variance, atol=1e-3)
        assert readiness.statistic(consensus) == pytest.approx(np.square(slope).sum(), abs=1e-3)


# --- laws ---


def test_what_changes_nothing_changes_nothing() -> None:
    turned = VOTES._changed(left=VOTES.right, right=VOTES.left, outcome=2 - VOTES.outcome)
    renamed = pv.Votes.from_codes(
        7 - VOTES.left, 7 - VOTES.right, VOTES.outcome, items=VOTES.items[::-1], voter=VOTES.voter
    )
    for by in ("item", "voter"):
        found = pv.diagnostics.tie_test(VOTES, by=by, **OPTIONS)
        ties = dict(zip(found.labels, zip(found.tied, found.expected, strict=True), strict=True))
        for other in (turned, renamed):
            again = pv.diagnostics.tie_test(other, by=by, **OPTIONS)
            assert again.spread == pytest.approx(found.spread, abs=1e-4)
            for label, tied, expected in zip(again.labels, again.tied, again.expected, strict=True):
                assert ties[label] == pytest.approx((tied, expected), abs=1e-3)
    # Every tie is of two items, and as many are expected as there are but for the weak prior of the tie parameter.
    by_items = pv.diagnostics.tie_test(VOTES, **OPTIONS)
    assert by_items.tied.sum() == 2 * (VOTES.outcome == 1).sum()
    assert by_items.expected.sum() == pytest.approx(by_items.tied.sum(), rel=0.01)


def test_a_covariate_in_other_units_says_the_same() -> None:
    values = np.random.default_rng(1).normal(size=(len(VOTES), 2))
    found, other = (pv.diagnostics.tie_test(VOTES, by=v, **OPTIONS) for v in (values, values @ [[1e3, 0], [0, -2e-4]]))
    assert found.p == other.p
    assert math.isnan(found.spread)
    assert found.labels == (0, 1)


def test_a_covariate_that_begins_elsewhere_says_the_same() -> None:
    # The years 2000 to 2004 differ by a thousandth of their size.
    values = np.random.default_rng(3).integers(5, size=len(VOTES)).astype(float)
    found, other = (pv.diagnostics.tie_test(VOTES, by=v, **OPTIONS) for v in (values, values + 2000.0))
    assert found.p == other.p
    assert found.tied[0] == pytest.approx(values[VOTES.outcome == 1].sum())
    assert other.tied[0] == pytest.approx((values + 2000.0)[VOTES.outcome == 1].sum())


# --- planted ---


@pytest.mark.parametrize(("by", "other"), [("item", "voter"), ("voter", "item")])
def test_planted_differences_are_found_where_they_are(by, other) -> None:
    votes = drawn(3, **{f"by_{by}": 1.0})
    found = pv.diagnostics.tie_test(votes, by=by, **OPTIONS)
    assert found.differs
    assert found.spread == pytest.approx(1.0, abs=0.5)
    assert len(found.concerns()) == 1
    assert not pv.diagnostics.tie_test(votes, by=other, **OPTIONS).differs
    assert "ties gather on some" in str(found)
    columns = found.to_columns()
    beyond = np.array(columns["tied"]) - np.array(columns["expected"])
    assert (np.diff(beyond) <= 0).all()


def test_planted_covariates_are_found() -> None:
    late = np.arange(len(VOTES)) % 25 / 24
    tired = np.random.default_rng(4).random(len(VOTES)) < 0.6 * late
    votes = VOTES._changed(outcome=np.where(tired, 1, VOTES.outcome))
    assert pv.diagnostics.tie_test(votes, by=late, **OPTIONS).differs
    assert not pv.diagnostics.tie_test(VOTES, by=late, **OPTIONS).differs


@pytest.mark.slow
def test_the_level_is_as_stated() -> None:
    found = [
        pv.diagnostics.tie_test(drawn(seed, each=10), by=by, prior_sd=1.0, n_simulations=99, rng=seed).differs
        for seed in range(12)
        for by in ("item", "voter")
    ]
    # Of 24 at 5%, more than 5 have a chance of 0.1%.
    assert sum(found) <= 5


# --- what has none ---


@pytest.mark.parametrize(
    ("votes", "options", "match"),
    [
        (pv.datasets.baseball(), {}, "nobody tied"),
        (VOTES.counts(), {}, "votes is a PairCounts"),
        (VOTES._changed(voter=None, voters=()), {"by": "voter"}, "do not say who voted"),
        (VOTES, {"by": "judge"}, "by is 'judge'"),
        (VOTES, {"by": None}, "by is None"),
        (VOTES, {"by": [1.0, 2.0]}, "covariates has shape"),
        (VOTES, {"by": np.ones(len(VOTES))}, "covariate 0 is 1 in every answered vote"),
        (VOTES, {"rate": 2}, "rate is 2"),
        (VOTES, {"prior_sd": math.inf}, "prior_sd is inf"),
        (VOTES, {"prior_sd": np.array([1.0, 2.0])}, r"prior_sd is .*; simulated votes need 'learned'"),
        (VOTES, {"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_what_cannot_be_tested_is_refused(votes, options, match) -> None:
    with pytest.raises(pv.InputError, match=match):
        pv.diagnostics.tie_test(votes, **options)


def test_unknown_voters_and_skips_say_nothing_of_voters() -> None:
    voter = [None if code == 3 else code for code in VOTES.voter.tolist()]
    votes = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, n_items=9, voter=voter)
    votes += pv.Votes.from_labels([0], [1], ["skip"], voter=["late"])
    found = pv.diagnostics.tie_test(votes, by="voter", **OPTIONS)
    assert set(found.labels) == set(range(20)) - {3}
    items = pv.diagnostics.tie_test(votes, **OPTIONS)
    assert (items.tied[8], items.expected[8]) == (0.0, 0.0)
