"""Deviance, AIC and BIC of a fit: against published numbers, and against sums over single votes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import FEWER, samples

import pairvote as pv

# Davidson (1970), JASA 65, 317-328: puddings, as left, right, left wins, ties, right wins.
PUDDINGS = [
    *((1, 2, 19, 16, 22), (1, 3, 16, 12, 19), (2, 3, 19, 10, 19), (1, 4, 18, 13, 23), (2, 4, 23, 9, 19)),
    *((3, 4, 19, 15, 20), (1, 5, 13, 18, 19), (2, 5, 16, 12, 20), (3, 5, 16, 17, 15), (4, 5, 17, 16, 14)),
    *((1, 6, 18, 12, 21), (2, 6, 22, 12, 20), (3, 6, 13, 10, 18), (4, 6, 14, 18, 19), (5, 6, 11, 12, 21)),
]
KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)


def from_table(table) -> pv.Votes:
    left, right, left_wins, ties, right_wins = zip(*table, strict=True)
    return pv.Votes.from_pairs(left, right, left_wins, right_wins, ties=ties)


def fitted(votes, **options) -> pv.Fit:
    return pv.bradley_terry(votes, **{"prior_sd": math.inf, **options}).fit


# --- published numbers ---


def test_puddings_have_the_residual_deviance_of_plackett_luce() -> None:
    # R's PlackettLuce, vignette "Overview": residual deviance 1619.4, AIC 1631.4. Its rows are single rankings, whose
    # saturated model has a log-likelihood of 0.
    fit = fitted(from_table(PUDDINGS))
    assert -2 * fit.log_likelihood == pytest.approx(1619.4, abs=0.05)
    assert fit.aic == pytest.approx(1631.4, abs=0.05)
    assert fit.n_parameters == 6
    assert fit.residual_degrees_of_freedom == 30 - 6


def test_baseball_has_the_deviances_that_are_published() -> None:
    # Agresti (2002), "Categorical Data Analysis", section 10.6.4, and R's BradleyTerry2: by the 42 ordered pairs 44.053
    # on 36 degrees of freedom, and 38.643 on 35 with home advantage.
    votes = pv.datasets.baseball()
    fit, home = fitted(votes), fitted(votes, position=True)
    assert (home.deviance, home.residual_degrees_of_freedom) == (pytest.approx(38.643, abs=5e-4), 35)
    rows = list(zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), [1.0] * len(votes), strict=True))
    ordered = 2 * (slow_saturated(rows, folded=False, with_ties=False) - fit.log_likelihood)
    assert ordered == pytest.approx(44.053, abs=5e-4)
    assert fit.residual_degrees_of_freedom == 21 - 6


def test_citations_have_the_deviance_of_a_binomial_regression() -> None:
    # Stigler (1994), Agresti (2002) p. 448: 4.29 on 3 degrees of freedom, further digits by R's glm.
    fit = fitted(pv.datasets.citations())
    assert (fit.deviance, fit.residual_degrees_of_freedom) == (pytest.approx(4.29338396988906, abs=1e-6), 3)


# --- against sums over single votes ---


def slow_saturated(rows, *, folded: bool, with_ties: bool) -> float:
    """The sum over votes of the log-share of what was said among the votes of its pair."""
    table: dict[tuple[int, int], list[float]] = {}
    for left, right, outcome, weight in reference.answered(rows):
        turned = folded and left > right
        pair, said = ((right, left), 2 - outcome) if turned else ((left, right), outcome)
        parts = {said: weight} if with_ties or said != reference.TIE else {0: weight / 2, 2: weight / 2}
        for place, part in parts.items():
            table.setdefault(pair, [0.0, 0.0, 0.0])[place] += part
    return sum(n * math.log(n / sum(votes)) for votes in table.values() for n in votes if n > 0)


@FEWER
@given(
    samples(min_items=2, max_items=5, min_votes=1, max_votes=30),
    st.sampled_from(["davidson", "rao-kupper", "half", "drop"]),
    st.sampled_from([0.7, 2.0, math.inf]),
    st.booleans(),
)
def test_criteria_are_those_of_the_reference(sample, ties, prior_sd, position) -> None:
    rows, n_items = sample.rows, sample.n_items
    assume(any(True for _ in reference.answered(rows)))
    assume(reference.maximum_exists(rows, n_items, ties, prior_sd, position))
    known = reference.bradley_terry(rows, n_items, ties, prior_sd, position)
    fit = pv.bradley_terry(sample.votes(), ties=ties, prior_sd=prior_sd, position=position).fit
    with_tie = reference.has_tie_parameter(rows, ties)
    counted = [row for row in rows if ties != "drop" or row[2] != reference.TIE]
    level = known["log_likelihood"]
    saturated = slow_saturated(counted, folded=not position, with_ties=with_tie)
    assert fit.deviance == pytest.approx(2 * (saturated - level), abs=1e-7)
    precision = np.diag(reference.normal_priors(len(known["parameters"]), rows, n_items, ties, prior_sd)[0])
    inverse = known["inverse_information"]
    whole = np.linalg.inv(inverse) - precision if math.isfinite(prior_sd) else None
    n_free = n_items - 1 + with_tie + position if whole is None else np.trace(inverse @ whole)
    assert fit.n_parameters == pytest.approx(n_free, abs=1e-6)
    tied = any(row[2] == reference.TIE for row in reference.answered(rows))
    if ties == "half" and tied:
        with pytest.raises(pv.InputError, match="no AIC: the fit counts a tie as half"):
            _ = fit.aic
        return
    assert fit.aic == pytest.approx(2 * (n_free - level), abs=1e-6)
    if math.isinf(prior_sd):
        n_votes = sum(weight for *_, weight in reference.answered(counted))
        assert fit.bic == pytest.approx(n_free * math.log(n_votes) - 2 * level, abs=1e-6)
    else:
        with pytest.raises(pv.InputError, match="no BIC under a prior"):
            _ = fit.bic


def test_the_remedy_for_a_bic_under_a_prior_works() -> None:
    assert fitted(pv.datasets.baseball()).bic == pytest.approx(2 * 172.24818 + 6 * math.log(273), abs=1e-3)


# --- laws ---


def test_sides_labels_and_doubled_votes_change_what_they_should() -> None:
    votes = from_table(PUDDINGS)
    fit = fitted(votes)
    turned = pv.Votes.from_codes(votes.right, votes.left, 2 - votes.outcome, items=votes.items)
    renamed = pv.Votes.from_codes(5 - votes.left, 5 - votes.right, votes.outcome, items=votes.items[::-1])
    for same in (turned, renamed, votes.counts(), turned.counts(), votes.counts().folded()):
        again = fitted(same)
        assert again.deviance == pytest.approx(fit.deviance, abs=1e-6)
        assert (again.aic, again.bic) == (pytest.approx(fit.aic, abs=1e-6), pytest.approx(fit.bic, abs=1e-6))
    weighed = pv.Votes.from_codes(
        votes.left, votes.right, votes.outcome, items=votes.items, weight=np.full(len(votes), 2.0)
    )
    doubled = fitted(votes + votes)
    for name in ("deviance", "aic", "bic", "n_parameters", "residual_degrees_of_freedom"):
        assert getattr(fitted(weighed), name) == pytest.approx(getattr(doubled, name), abs=1e-6)
    assert doubled.deviance == pytest.approx(2 * fit.deviance, abs=1e-6)


@pytest.mark.parametrize("position", [False, True])
def test_a_deviance_is_not_below_zero_and_no_parameter_counts_more_than_one(position) -> None:
    for prior_sd in (0.01, 0.5, 3.0, 1e6):
        fit = fitted(KALMAR, prior_sd=prior_sd, position=position)
        assert fit.deviance > 0
        assert 0 < fit.n_parameters < KALMAR.n_items + 1
    assert fitted(KALMAR, prior_sd=1e6, position=position).n_parameters == pytest.approx(22 + position, abs=0.01)


def test_a_learned_prior_has_an_effective_number_of_parameters() -> None:
    drawn = pv.bradley_terry(KALMAR).fit
    alike = pv.bradley_terry(KALMAR, prior_sd=float(drawn.prior_sd)).fit
    assert drawn.n_parameters == pytest.approx(alike.n_parameters, rel=0.02)
    # The mean of draws is near the maximum, where the log-likelihood is flat beside the prior.
    assert drawn.aic == pytest.approx(alike.aic, abs=3)


def test_scores_that_follow_features_alone_count_no_parameter() -> None:
    table = np.random.default_rng(1).normal(size=(23, 2))
    fit = pv.bradley_terry(KALMAR, item_covariates=table, prior_sd=0, position=True).fit
    assert fit.n_parameters == 3
    assert fit.aic == pytest.approx(6 - 2 * fit.log_likelihood)
    assert fit.bic == pytest.approx(3 * math.log(600) - 2 * fit.log_likelihood)


def test_known_scores_are_no_parameters() -> None:
    known = {KALMAR.items[0]: 0.5, KALMAR.items[1]: -0.3, KALMAR.items[2]: 0.0}
    fit = fitted(KALMAR, known_scores=known)
    assert fit.n_parameters == pytest.approx(20)
    assert fit.aic == pytest.approx(40 - 2 * fit.log_likelihood)
    assert fit.bic == pytest.approx(20 * math.log(600) - 2 * fit.log_likelihood)
    narrow = fitted(KALMAR, known_scores=known, prior_sd=1.0)
    assert 10 < narrow.n_parameters < 20
    with pytest.raises(pv.InputError, match="no BIC under a prior"):
        _ = narrow.bic


def test_every_vote_is_a_pair_where_there_are_covariates() -> None:
    longer = np.random.default_rng(1).normal(size=len(KALMAR))
    fit = fitted(KALMAR, prior_sd=1.0, covariates=longer)
    assert fit.deviance == pytest.approx(-2 * fit.log_likelihood)
    plain = fitted(KALMAR, prior_sd=1.0)
    assert fit.n_parameters == pytest.approx(plain.n_parameters + 1, abs=0.1)


def test_graded_answers_are_shares_of_all_answers() -> None:
    rng = np.random.default_rng(3)
    answers = rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=60, p=[0.1, 0.2, 0.2, 0.3, 0.2])
    left = rng.integers(3, size=60)
    labels = np.array(["a", "b", "c"])
    votes = pv.Votes.from_labels(labels[left], labels[(left + 1) % 3], answers, outcomes="share")
    fit = fitted(votes, ties="cumulative")
    saturated = 0.0
    for first in range(3):
        _, counts = np.unique(answers[left == first], return_counts=True)
        saturated += float((counts * np.log(counts / counts.sum())).sum())
    assert fit.deviance == pytest.approx(2 * (saturated - fit.log_likelihood), abs=1e-7)
    # Two scores and two thresholds, of three pairs with five answers each.
    assert (fit.n_parameters, fit.residual_degrees_of_freedom) == (4, 8)
    assert fit.aic == pytest.approx(8 - 2 * fit.log_likelihood)
    assert fit.bic == pytest.approx(4 * math.log(60) - 2 * fit.log_likelihood)


@pytest.mark.parametrize("ties", ["davidson", "half", "drop"])
def test_probit_fits_have_the_saturated_model_of_logistic_ones(ties) -> None:
    votes = from_table(PUDDINGS)
    logistic, probit = (fitted(votes, link=link, ties=ties) for link in ("logistic", "probit"))
    assert probit.n_parameters == logistic.n_parameters
    assert probit.residual_degrees_of_freedom == logistic.residual_degrees_of_freedom
    saturated = [fit.deviance / 2 + fit.log_likelihood for fit in (logistic, probit)]
    assert saturated[0] == pytest.approx(saturated[1], abs=1e-7)


# --- what has none ---


@pytest.mark.parametrize(
    ("votes", "options", "match"),
    [
        (from_table(PUDDINGS), {"ties": "half"}, "half a vote"),
        (from_table(PUDDINGS), {"weights": "sampling"}, "importance weights"),
        (
            pv.Votes.from_labels(["a", "b", "a"], ["b", "c", "c"], [0.7, 0.4, 0.2], outcomes="share"),
            {"prior_sd": 1.0},
            "graded votes",
        ),
        (KALMAR, {"prior_sd": 1.0, "reliability": "lapse"}, "weighs voters"),
    ],
)
def test_what_is_no_likelihood_has_no_criterion(votes, options, match) -> None:
    fit = fitted(votes, **options)
    for name in ("aic", "bic"):
        with pytest.raises(pv.InputError, match=match):
            getattr(fit, name)
    if "reliability" in options:
        with pytest.raises(pv.InputError, match="no deviance"):
            _ = fit.deviance
    else:
        assert fit.deviance >= 0


def test_votes_of_nothing_miss_nothing() -> None:
    votes = pv.Votes.from_labels(["a"], ["b"], ["skip"], items=["a", "b", "c"])
    fit = pv.bradley_terry(votes, prior_sd=1.0).fit
    assert (fit.deviance, fit.aic, fit.n_parameters) == (0.0, pytest.approx(0.0), pytest.approx(0.0))
    none = pv.bradley_terry(pv.Votes.from_labels([], [], []), prior_sd=1.0).fit
    assert (none.deviance, none.n_parameters) == (0.0, 0.0)


def test_too_many_items_for_a_table_are_said() -> None:
    n_items = 4_001
    chain = pv.Votes.from_codes(np.arange(n_items - 1), np.arange(1, n_items), np.full(n_items - 1, 2))
    fit = pv.bradley_terry(chain, prior_sd=1.0, uncertainty="none").fit
    with pytest.raises(pv.MissingUncertaintyError, match="4,001 items"):
        _ = fit.aic
    assert fit.deviance > 0
