"""Tie parameters of single items and voters: against an optimiser, by law, against planted ones, and refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from tie_votes import OPTIONS, drawn, log_likelihood

import pairvote as pv
from pairvote.diagnostics._consensus import Consensus
from pairvote.diagnostics._tie_parameters import WithReadiness
from pairvote.diagnostics._tie_test import by_item, by_voter

VOTES = drawn(1)
# Two covariates of 500 votes, of which one unit adds 1 and 0.5 to the log tie parameter.
COVARIATES = np.column_stack([np.arange(500) % 2, np.random.default_rng(2).normal(size=500)])
EFFECTS = np.array([1.0, 0.5])
BY_COVARIATES = drawn(2, more=COVARIATES @ EFFECTS - 0.5)
SMALL = drawn(5, by_item=0.8, n_items=4, n_voters=3, each=25)


@pytest.mark.parametrize("by", ["item", "voter"])
def test_the_mode_and_the_marginal_likelihood_are_those_of_an_optimiser(by) -> None:
    consensus = Consensus.of(SMALL, None, 1.5)
    assert consensus.model.layout.has_position
    n = len(SMALL)
    z = np.zeros((n, 4 if by == "item" else 3))
    z[np.arange(n), SMALL.left if by == "item" else SMALL.voter] = 1
    if by == "item":
        z[np.arange(n), SMALL.right] = 1
    rows = list(zip(SMALL.left.tolist(), SMALL.right.tolist(), SMALL.outcome.tolist(), [1.0] * n, strict=True))
    spread = 0.6
    # Priors of scores, of log nu around log 2, of the side, and of t.
    precision = np.array([1.5**-2] * 4 + [1 / 9, 1 / 9] + [spread**-2] * z.shape[1])
    centre = np.array([0.0] * 4 + [math.log(2), 0.0] + [0.0] * z.shape[1])

    def loss(at) -> float:
        return 0.5 * precision @ (at - centre) ** 2 - log_likelihood(at, rows, z, 4, True)

    found = minimize(loss, centre, method="BFGS", options={"gtol": 1e-7})
    model = WithReadiness.of(consensus, by_item(consensus) if by == "item" else by_voter(consensus))
    mode = model.mode(spread, np.concatenate([model.start, np.zeros(z.shape[1])]))
    np.testing.assert_allclose(mode.parameters, found.x, atol=2e-4)
    assert model.log_likelihood(mode.parameters) == pytest.approx(log_likelihood(mode.parameters, rows, z, 4, True))
    units = 1e-3 * np.eye(len(found.x))
    hessian = (
        np.array(
            [
                [
                    loss(mode.parameters + a + b)
                    - loss(mode.parameters + a - b)
                    - loss(mode.parameters + b - a)
                    + loss(mode.parameters - a - b)
                    for a in units
                ]
                for b in units
            ]
        )
        / 4e-6
    )
    np.testing.assert_allclose(mode.covariance, np.linalg.inv(hessian), atol=2e-3)
    log_marginal = -loss(mode.parameters) - z.shape[1] * math.log(spread) - 0.5 * np.linalg.slogdet(hessian)[1]
    assert mode.log_marginal == pytest.approx(log_marginal, abs=1e-3)


def test_the_spread_is_the_most_likely_one() -> None:
    consensus = Consensus.of(SMALL, None, 1.5)
    model = WithReadiness.of(consensus, by_item(consensus))
    spread, mode = model.fitted()
    start = np.concatenate([model.start, np.zeros(4)])
    for other in (0.5 * spread, 0.9 * spread, 1.1 * spread, 2 * spread):
        assert model.mode(other, start).log_marginal < mode.log_marginal


def test_planted_parameters_are_found() -> None:
    rng = np.random.default_rng(11)
    rng.normal(size=8)
    truth = rng.normal(size=8)
    found = pv.diagnostics.tie_parameters(drawn(11, by_item=1.0, each=60), **OPTIONS)
    away = (found.log_ratios - (truth - truth.mean())) / found.standard_errors
    assert np.abs(away).max() < 3.5
    assert np.corrcoef(found.log_ratios, truth)[0, 1] > 0.9
    assert found.test.differs
    assert 0.5 < found.spread < 2
    assert found.log_ratios.mean() == pytest.approx(0.0, abs=1e-12)
    columns = found.to_columns()
    assert columns["log_ratio"] == sorted(columns["log_ratio"], reverse=True)
    first = found.labels.index(columns["label"][0])
    assert columns["tie_parameter"][0] == pytest.approx(found.tie_parameter * math.exp(2 * found.log_ratios[first]))
    assert "8 items with tie parameters of their own" in str(found)
    assert found.to_dict()["spread"] == found.spread


def test_labels_sides_and_rows_change_what_they_should() -> None:
    votes = drawn(7, by_voter=1.2)
    found = pv.diagnostics.tie_parameters(votes, by="voter", **OPTIONS)
    ratios = dict(zip(found.labels, found.log_ratios, strict=True))
    turned = votes._changed(left=votes.right, right=votes.left, outcome=2 - votes.outcome)
    mixed = votes._take(np.random.default_rng(1).permutation(len(votes)))
    for other in (turned, mixed):
        again = pv.diagnostics.tie_parameters(other, by="voter", **OPTIONS)
        assert again.spread == pytest.approx(found.spread, rel=1e-2)
        for label, ratio in zip(again.labels, again.log_ratios, strict=True):
            assert ratios[label] == pytest.approx(ratio, abs=0.01)
        np.testing.assert_allclose(again.scores, found.scores, atol=1e-3)


def test_coefficients_are_those_of_an_optimiser() -> None:
    # An optimiser by hand: Davidson's likelihood, and the priors that `bradley_terry` has beside its scores.
    found = pv.diagnostics.tie_parameters(BY_COVARIATES, by=COVARIATES, **OPTIONS)
    n, n_items = len(BY_COVARIATES), 8
    z = COVARIATES - COVARIATES.mean(axis=0)
    moments = z.T @ z / n
    left, right, outcome = BY_COVARIATES.left, BY_COVARIATES.right, BY_COVARIATES.outcome

    def loss(at) -> float:
        scores, eta, side, t = at[:n_items], at[n_items], at[n_items + 1], at[n_items + 2 :]
        ahead = scores[left] - scores[right] + side
        terms = np.stack([-ahead / 2, eta + z @ t, ahead / 2])
        said = terms[outcome, np.arange(n)] - np.log(np.exp(terms).sum(axis=0))
        prior = scores @ scores + (eta - math.log(2)) ** 2 / 9 + side**2 / 9 + t @ moments @ t / 9
        return 0.5 * prior - said.sum()

    by_hand = minimize(loss, np.zeros(n_items + 4), method="BFGS", options={"gtol": 1e-6})
    np.testing.assert_allclose(found.log_ratios, by_hand.x[-2:], atol=1e-4)
    units, at = 1e-3 * np.eye(len(by_hand.x)), by_hand.x
    hessian = [
        [loss(at + a + b) - loss(at + a - b) - loss(at + b - a) + loss(at - a - b) for a in units] for b in units
    ]
    covariance = np.linalg.inv(np.array(hessian) / 4e-6)
    np.testing.assert_allclose(found.standard_errors, np.sqrt(np.diag(covariance)[-2:]), rtol=1e-3)
    assert found.tie_parameter == pytest.approx(math.exp(by_hand.x[n_items]), rel=1e-4)
    np.testing.assert_allclose(found.scores, by_hand.x[:n_items] - by_hand.x[:n_items].mean(), atol=1e-4)


def test_planted_coefficients_are_found_in_any_unit() -> None:
    found = pv.diagnostics.tie_parameters(BY_COVARIATES, by=COVARIATES, **OPTIONS)
    assert (np.abs(found.log_ratios - EFFECTS) < 2.5 * found.standard_errors).all()
    assert (found.by, found.labels) == ("covariates", (0, 1))
    assert math.isnan(found.spread)
    # Years near 2000, and thousandths: a constant is what the tie parameter says already.
    other = pv.diagnostics.tie_parameters(BY_COVARIATES, by=COVARIATES * [1.0, 1e-3] + [2000.0, 7.0], **OPTIONS)
    np.testing.assert_allclose(other.log_ratios, found.log_ratios * [1.0, 1e3], rtol=1e-6)
    np.testing.assert_allclose(other.standard_errors, found.standard_errors * [1.0, 1e3], rtol=1e-6)
    assert other.tie_parameter == pytest.approx(found.tie_parameter)
    assert other.test.p == found.test.p
    columns = other.to_columns()
    assert columns["label"] == [1, 0]
    assert set(columns) == {"label", "log_ratio", "standard_error"}
    assert "a tie parameter that depends on 2 covariates" in str(other)
    # Swapped sides leave them.
    votes = BY_COVARIATES
    turned = votes._changed(left=votes.right, right=votes.left, outcome=2 - votes.outcome)
    again = pv.diagnostics.tie_parameters(turned, by=COVARIATES, **OPTIONS)
    np.testing.assert_allclose(again.log_ratios, found.log_ratios, atol=1e-4)


def test_a_coefficient_stays_finite_where_all_votes_with_a_value_are_ties() -> None:
    tired = np.arange(500) % 5 == 0
    votes = BY_COVARIATES._changed(outcome=np.where(tired, 1, BY_COVARIATES.outcome))
    found = pv.diagnostics.tie_parameters(votes, by=tired, **OPTIONS)
    assert 3 < found.log_ratios[0] < 20
    assert 0.3 < found.standard_errors[0] < 10


def test_covariates_are_those_of_the_votes_that_count() -> None:
    skips = pv.Votes.from_codes([0, 1], [1, 2], [3, 1], n_items=8, weight=[1.0, 0.0], voter=[0, 1])
    votes = BY_COVARIATES + skips
    covariates = np.concatenate([COVARIATES, [[1e9, -1e9], [1e9, 1e9]]])
    found = pv.diagnostics.tie_parameters(votes, by=covariates, **OPTIONS)
    alone = pv.diagnostics.tie_parameters(BY_COVARIATES, by=COVARIATES, **OPTIONS)
    np.testing.assert_allclose(found.log_ratios, alone.log_ratios, rtol=1e-6)


def test_covariates_without_a_say_are_refused_and_the_remedies_work() -> None:
    with pytest.raises(pv.InputError, match=r"do not say that how readily they tie depends on the covariates"):
        pv.diagnostics.tie_parameters(VOTES, by=COVARIATES[:, 1], **OPTIONS)
    twice = np.column_stack([COVARIATES, COVARIATES[:, 0] * 3 + 1])
    with pytest.raises(pv.InputError, match=r"covariates 0, 2 follow from each other .* leave one out"):
        pv.diagnostics.tie_parameters(BY_COVARIATES, by=twice, **OPTIONS)
    assert pv.diagnostics.tie_parameters(BY_COVARIATES, by=twice[:, :2], **OPTIONS).labels == (0, 1)
    with pytest.raises(pv.InputError, match=r"covariate 0 has values up to .*; measure it in a unit"):
        pv.diagnostics.tie_parameters(BY_COVARIATES, by=COVARIATES * 1e200, **OPTIONS)


def test_it_is_refused_where_votes_do_not_carry_it_and_the_remedy_works() -> None:
    with pytest.raises(pv.InputError, match=r"do not say that items differ .* keep one tie parameter"):
        pv.diagnostics.tie_parameters(VOTES, **OPTIONS)
    assert pv.bradley_terry(VOTES).fit.tie_parameter > 0


@pytest.mark.parametrize(
    ("votes", "options", "match"),
    [
        (pv.datasets.baseball(), {}, "nobody tied"),
        (VOTES, {"by": "judge"}, "by is 'judge'"),
        (VOTES, {"by": [1.0]}, "covariates has shape"),
        (VOTES, {"by": None}, "by is None"),
        (VOTES, {"by": np.ones(500)}, "covariate 0 is 1 in every answered vote"),
        (VOTES, {"by": np.full(500, np.nan)}, "covariates at row 0, column 0 is nan"),
        (VOTES.counts(), {}, "votes is a PairCounts"),
        (VOTES._changed(voter=None, voters=()), {"by": "voter"}, "do not say who voted"),
        (pv.Votes.from_codes(np.arange(1_200), np.arange(1, 1_201), [1, 2] * 600), {"prior_sd": 1.0}, "2,402 scores"),
        (VOTES, {"rate": -1}, "rate is -1"),
    ],
)
def test_what_has_no_tie_parameters_is_refused(votes, options, match) -> None:
    with pytest.raises(pv.InputError, match=match):
        pv.diagnostics.tie_parameters(votes, **{"n_simulations": 99, "rng": 1, **options})
