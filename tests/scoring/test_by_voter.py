"""Standard errors between voters, held against the definition, exact refits without a voter, and laws."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any, NamedTuple

import numpy as np
import outcome_models
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import fractional_matrix_power

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import OUTCOME_MODELS
from pairvote._inference import clustered as _clusters

Floats = NDArray[np.float64]
TIES = tuple(OUTCOME_MODELS)
COMPILED = _kernels.davidson.COMPILED
RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
FEW = settings(max_examples=20 if COMPILED else 8)
OPTIONS = st.fixed_dictionaries(
    {"ties": st.sampled_from(TIES), "position": st.booleans(), "prior_sd": st.sampled_from([0.5, 3.0, math.inf])}
)
SEEDS = st.integers(0, 10**6)
BY_VOTER = {"uncertainty": "by-voter"}


class Table(NamedTuple):
    """Votes as columns, whose they are, and two covariates for each."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    outcome: NDArray[np.int64]
    weight: Floats
    voter: NDArray[np.int64]
    covariates: Floats
    n_items: int

    def votes(self, **options: Any) -> pv.Votes:
        columns = {"weight": self.weight, "voter": self.voter, **options}
        return pv.Votes.from_codes(self.left, self.right, self.outcome, n_items=self.n_items, **columns)

    @property
    def rows(self) -> list[reference.Row]:
        columns = (self.left, self.right, self.outcome, self.weight)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def take(self, order: NDArray[np.int64]) -> Table:
        return Table(*(column[order] for column in self[:6]), self.n_items)


def simulated(
    seed: int,
    *,
    n_items: int = 5,
    n_votes: int = 120,
    n_voters: int = 9,
    taste_sd: float = 1.0,
    ties: float = 0.2,
    weighted: bool = False,
) -> Table:
    """Votes by voters whose own strengths scatter by `taste_sd`, some of whom vote much more than others."""
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    voter = np.minimum(rng.geometric(0.3, size=n_votes), n_voters) - 1
    voter[:n_voters] = np.arange(n_voters)
    covariates = np.column_stack([rng.normal(size=n_votes), rng.integers(2, size=n_votes)])
    strengths = 0.7 * rng.normal(size=n_items) + taste_sd * rng.normal(size=(n_voters, n_items))
    log_odds = strengths[voter, left] - strengths[voter, right] + covariates @ [0.5, -0.3]
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(-log_odds)), LEFT, RIGHT)
    outcome[rng.random(n_votes) < ties] = TIE
    outcome[rng.random(n_votes) < 0.1] = SKIP
    weight = rng.integers(0, 4, size=n_votes) / 2 if weighted else np.ones(n_votes)
    return Table(left, right, outcome, weight, voter, covariates, n_items)


def kalmar_like(seed: int, *, n_items: int = 12, n_voters: int = 30, n_each: int = 20) -> Table:
    """Voters with equally many votes, without ties and skips."""
    table = simulated(seed, n_items=n_items, n_votes=n_voters * n_each, n_voters=n_voters, ties=0.0)
    rng = np.random.default_rng(seed + 1)
    outcome = np.where(table.outcome == SKIP, rng.choice([RIGHT, LEFT], size=len(table.outcome)), table.outcome)
    return table._replace(outcome=outcome, voter=np.repeat(np.arange(n_voters), n_each))


def covariance_of(table: Table, **options: Any) -> Floats:
    return pv.bradley_terry(table.votes(), **{**BY_VOTER, **options}).covariance


# --- the definition ---


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("with_covariates", [False, True])
@pytest.mark.parametrize("prior_sd", [0.7, math.inf])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_equals_the_definition(ties, position, prior_sd, with_covariates, weighted) -> None:
    table = simulated(1, weighted=weighted)
    n_votes = len(table.left)
    covariates = table.covariates if with_covariates else np.empty((n_votes, 0))
    options = {"ties": ties, "position": position, "prior_sd": prior_sd}
    expected = reference.bradley_terry_with_covariates(table.rows, covariates, 5, **options)
    whole = reference.covariance_between(expected, table.voter.tolist(), corrected=True)
    ranking = pv.bradley_terry(table.votes(), covariates=covariates if with_covariates else None, **BY_VOTER, **options)
    assert ranking.fit.uncertainty == "by-voter"
    np.testing.assert_allclose(ranking.scores, expected["scores"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ranking.covariance, reference.centred(whole, 5), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ranking.standard_errors**2, np.diag(ranking.covariance), rtol=1e-9)
    contrast = np.zeros(len(whole))
    contrast[[2, 3]] = 1, -1
    assert ranking.difference(2, 3).standard_error ** 2 == pytest.approx(contrast @ whole @ contrast, rel=1e-6)
    errors, fit = np.sqrt(np.diag(whole)), ranking.fit
    has_ties = ties in outcome_models.WITH_TIES
    assert fit.tie_standard_error == pytest.approx(errors[5] * expected["tie"] if has_ties else 0.0, rel=1e-6)
    assert fit.position_standard_error == pytest.approx(errors[5 + has_ties] if position else 0.0, rel=1e-6)
    np.testing.assert_allclose(fit.coefficient_standard_errors, errors[5 + has_ties + position :], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("with_covariates", [False, True])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_the_gradients_behind_it(ties, position, with_covariates) -> None:
    """Uncorrected, the outer products of any two votes of one voter; corrected, (I - H_v C)^(-1/2) g_v."""
    table = simulated(2, weighted=True)
    covariates = table.covariates if with_covariates else np.empty((120, 0))
    options = {"ties": ties, "position": position, "prior_sd": 3.0}
    expected = reference.bradley_terry_with_covariates(table.rows, covariates, 5, **options)
    votes, inverse = expected["votes"], expected["inverse"]
    posterior = pv.bradley_terry(
        table.votes(), covariates=covariates if with_covariates else None, **BY_VOTER, **options
    ).fit._posterior
    # Covariates are scaled to be at most one, and their coefficients inversely.
    scale = np.ones(len(inverse))
    if with_covariates:
        scale[-2:] = np.abs(covariates[votes.numbers]).max(axis=0)
    task = (posterior.model, posterior.solution.parameters, posterior.rows)
    plain = _clusters.voter_gradients(*task).toarray() * scale
    meat = np.zeros_like(inverse)
    for (one, other), (here, there) in zip(
        itertools.product(range(len(votes.numbers)), repeat=2),
        itertools.product(table.voter[votes.numbers].tolist(), repeat=2),
        strict=True,
    ):
        if here == there:
            meat += np.outer(votes.gradients[one], votes.gradients[other])
    np.testing.assert_allclose(plain.T @ plain, meat, rtol=1e-6, atol=1e-8)
    # The level of the scores is free in it, and drops out where gradients multiply: they add up to zero over scores.
    anchored = np.linalg.inv(np.diag(1 / scale) @ np.linalg.inv(inverse) @ np.diag(1 / scale))
    corrected = _clusters.corrected_gradients(*task, anchored).toarray() * scale
    voters = np.unique(table.voter[votes.numbers])
    assert len(corrected) == len(voters)
    for found, voter in zip(corrected, voters, strict=True):
        own = table.voter[votes.numbers] == voter
        without = np.eye(len(inverse)) - votes.informations[own].sum(axis=0) @ inverse
        power = np.real(fractional_matrix_power(without, -0.5))
        np.testing.assert_allclose(found, power @ votes.gradients[own].sum(axis=0), atol=1e-6)


def test_voters_with_many_votes_and_with_few_take_two_ways_to_one_answer() -> None:
    table = simulated(3)
    n_each = np.bincount(table.voter[table.outcome != SKIP])
    n_parameters = 5 + 1 + 1 + 2
    assert n_each.min() < n_parameters < n_each.max()
    options = {"position": True, "ties": "davidson", **BY_VOTER}
    posterior = pv.bradley_terry(table.votes(), covariates=table.covariates, **options).fit._posterior
    task = (posterior.model, posterior.solution.parameters, posterior.rows, posterior._inverse)
    expected = _clusters.corrected_gradients(*task).toarray()
    for largest_system in (0, 10_000):
        found = _clusters.corrected_gradients(*task, largest_system=largest_system, most_together=1).toarray()
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_few_voters_bias_no_variance() -> None:
    """Four voters who all answer by the model: variances between them are those of the model, on average.

    Uncorrected they are a quarter too small.
    """
    rng, ratios = np.random.default_rng(4), []
    strengths = np.array([0.8, 0.3, -0.1, -0.4, -0.6])
    left, right = np.tile(np.triu_indices(5, 1), 24)
    voter = np.arange(len(left)) % 4
    for _ in range(150):
        won = rng.random(len(left)) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
        votes = pv.Votes.from_codes(left, right, np.where(won, LEFT, RIGHT), n_items=5, voter=voter)
        between, model = (pv.bradley_terry(votes, uncertainty=kind).covariance for kind in ("by-voter", "model"))
        ratios.append(np.trace(between) / np.trace(model))
    error = np.std(ratios) / math.sqrt(len(ratios))
    print(f"{np.mean(ratios):.3f} with a standard error of {error:.3f}")
    assert error < 0.05
    assert abs(np.mean(ratios) - 1.0) < 0.1


def test_single_votes_have_their_closed_form() -> None:
    """With a voter for each vote, a gradient is divided by the root of one less the vote's leverage."""
    table = kalmar_like(5, n_items=6, n_voters=40, n_each=3)
    table = table._replace(voter=np.arange(120))
    ranking = pv.bradley_terry(table.votes(), prior_sd=3.0, **BY_VOTER)
    information, meat = np.eye(6) / 9, np.eye(6) / 9
    for left, right, _, _ in table.rows:
        along = np.zeros(6)
        along[[left, right]] = 1, -1
        p = 1 / (1 + math.exp(ranking.scores[right] - ranking.scores[left]))
        information += p * (1 - p) * np.outer(along, along)
    inverse = np.linalg.inv(information)
    for left, right, outcome, _ in table.rows:
        along = np.zeros(6)
        along[[left, right]] = 1, -1
        p = 1 / (1 + math.exp(ranking.scores[right] - ranking.scores[left]))
        gradient = (outcome / 2 - p) / math.sqrt(1 - p * (1 - p) * along @ inverse @ along)
        meat += gradient**2 * np.outer(along, along)
    np.testing.assert_allclose(ranking.covariance, reference.centred(inverse @ meat @ inverse, 6), rtol=1e-8)
    # So it is a little more than the sandwich, which takes single votes too but does not correct for few.
    sandwich = pv.bradley_terry(table.votes(), prior_sd=3.0, uncertainty="sandwich")
    ratios = ranking.standard_errors / sandwich.standard_errors
    assert 1.0 < ratios.min() < ratios.max() < 1.06


# --- laws ---


@given(SEEDS, OPTIONS)
@FEW
def test_names_of_voters_and_the_order_of_votes_are_irrelevant(seed, options) -> None:
    table = simulated(seed)
    rng = np.random.default_rng(seed)
    expected = covariance_of(table, **options)
    renamed = table._replace(voter=rng.permutation(9)[table.voter])
    shuffled = table.take(rng.permutation(120))
    for other in (renamed, shuffled):
        np.testing.assert_allclose(covariance_of(other, **options), expected, rtol=1e-6, atol=1e-9)
    names = [f"person {voter}" for voter in table.voter.tolist()]
    ranking = pv.bradley_terry(table.votes(voter=names), **BY_VOTER, **options)
    np.testing.assert_allclose(ranking.covariance, expected, rtol=1e-6, atol=1e-9)


@given(SEEDS, OPTIONS)
@FEW
def test_skips_and_votes_of_no_weight_change_nothing_whoever_cast_them(seed, options) -> None:
    table, idle = simulated(seed), simulated(seed + 1, n_votes=20)
    expected = covariance_of(table, **options)
    weight = np.where(np.arange(20) < 10, 0.0, 1.0)
    outcome = np.where(np.arange(20) < 10, idle.outcome, SKIP)
    more = idle._replace(weight=weight, outcome=outcome)
    padded = Table(*(np.concatenate(columns) for columns in zip(more[:6], table[:6], strict=True)), 5)
    for stranger in (3, 77, None):
        votes = padded.votes(voter=[*[stranger] * 20, *table.voter.tolist()])
        covariance = pv.bradley_terry(votes, **BY_VOTER, **options).covariance
        np.testing.assert_allclose(covariance, expected, rtol=1e-9, atol=1e-12)


@given(SEEDS, OPTIONS)
@FEW
def test_a_vote_cast_twice_by_one_voter_equals_weight_two(seed, options) -> None:
    table = simulated(seed)
    times = np.random.default_rng(seed).integers(1, 3, size=120)
    heavy = table._replace(weight=times.astype(float))
    twice = table.take(np.repeat(np.arange(120), times))
    np.testing.assert_allclose(covariance_of(twice, **options), covariance_of(heavy, **options), rtol=1e-6, atol=1e-9)


@given(SEEDS, st.sampled_from(TIES), st.booleans())
@FEW
def test_voters_who_say_everything_twice_say_nothing_new(seed, ties, position) -> None:
    """Nor does the weight of all votes matter, where there is no prior: what counts is how many voters there are."""
    table = simulated(seed)
    options = {"ties": ties, "position": position, "prior_sd": math.inf}
    expected = covariance_of(table, **options)
    twice = table.take(np.tile(np.arange(120), 2))
    np.testing.assert_allclose(covariance_of(twice, **options), expected, rtol=1e-6, atol=1e-9)
    heavy = table._replace(weight=np.full(120, 17.0))
    np.testing.assert_allclose(covariance_of(heavy, **options), expected, rtol=1e-6, atol=1e-9)
    if ties != "half":
        once, again = (pv.bradley_terry(one.votes(), **options).covariance for one in (table, twice))
        np.testing.assert_allclose(again, once / 2, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("ties", TIES)
def test_twice_as_many_voters_halve_the_variance(ties) -> None:
    """Everyone's votes once more by somebody else; what is left of a factor of two is the correction for few voters."""
    table = kalmar_like(6)
    double = table.take(np.tile(np.arange(600), 2))._replace(voter=np.concatenate([table.voter, table.voter + 30]))
    once, twice = (covariance_of(one, ties=ties, prior_sd=math.inf) for one in (table, double))
    ratios = np.diag(twice) / np.diag(once)
    assert 0.44 < ratios.min() < ratios.max() < 0.5


def test_votes_on_one_criterion_go_with_their_voters() -> None:
    table = kalmar_like(7)
    asked = np.random.default_rng(8).choice(["useful", "new"], size=600)
    votes = table.votes(criterion=asked)
    for label in ("useful", "new"):
        ranking = pv.bradley_terry(votes, criterion=label, **BY_VOTER)
        alone = table.take(np.flatnonzero(asked == label))
        np.testing.assert_array_equal(ranking.covariance, covariance_of(alone))
    both = pv.bradley_terry(votes, criteria={"useful": 1, "new": 1}, **BY_VOTER)
    parts = [pv.bradley_terry(votes, criterion=label, **BY_VOTER).covariance for label in ("useful", "new")]
    np.testing.assert_allclose(both.covariance, sum(parts) / 4, rtol=1e-12)


def test_it_serves_whatever_asks_for_errors() -> None:
    ranking = pv.bradley_terry(kalmar_like(9).votes(), **BY_VOTER)
    assert ranking.top_k_probability(3, rng=0).sum() == pytest.approx(3)
    low, high = ranking.rank_interval(rng=0)
    assert ((low >= 1) & (high <= 12) & (low <= high)).all()
    on_scale = ranking.on_elo_scale()
    np.testing.assert_allclose(on_scale.standard_errors, ranking.standard_errors * 400 / math.log(10))
    assert ranking.fit.prior_share == pytest.approx(pv.bradley_terry(kalmar_like(9).votes()).fit.prior_share)
    assert ranking.fit.approximation_error == 0.0
    assert "interval" in str(ranking)


def test_voters_who_agree_with_themselves_show_in_by_voter_errors_alone() -> None:
    table = simulated(10, n_items=12, n_votes=1200, n_voters=40, taste_sd=3.0, ties=0.0)
    table = table._replace(voter=np.repeat(np.arange(40), 30))
    rng = np.random.default_rng(11)
    own = rng.normal(size=12) + 3.0 * rng.normal(size=(40, 12))
    lead = own[table.voter, table.left] - own[table.voter, table.right]
    table = table._replace(outcome=np.where(rng.random(1200) < 1 / (1 + np.exp(-lead)), LEFT, RIGHT))
    errors = {
        kind: pv.bradley_terry(table.votes(), uncertainty=kind).standard_errors.mean()
        for kind in ("model", "sandwich", "by-voter")
    }
    assert errors["sandwich"] == pytest.approx(errors["model"], rel=0.1)
    assert errors["by-voter"] > 1.3 * errors["model"]
    mixed = table._replace(voter=rng.permutation(table.voter))
    assert np.sqrt(np.diag(covariance_of(mixed))).mean() == pytest.approx(errors["model"], rel=0.1)


# --- what is refused ---


def alone_with(item: int, table: Table) -> Table:
    """The votes of the table, and four by voter 0 on one more item."""
    more = Table(
        np.array([item, item, 0, 1]),
        np.array([0, 1, item, item]),
        np.array([LEFT, RIGHT, LEFT, RIGHT]),
        np.ones(4),
        np.zeros(4, np.int64),
        np.zeros((4, 2)),
        item + 1,
    )
    return Table(*(np.concatenate(columns) for columns in zip(table[:6], more[:6], strict=True)), item + 1)


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("n_votes", [60, 240])
def test_what_a_single_voter_knows_has_no_errors_between_voters(n_votes, ties) -> None:
    """Without that voter there is nothing to say of the item, unless by the prior."""
    table = alone_with(5, simulated(12, n_votes=n_votes, n_voters=6))
    # A fit that has not quite arrived makes no difference.
    for prior_sd, tol in ((math.inf, 1e-9), (1e9, 1e-9), (math.inf, 1e-3)):
        ranking = pv.bradley_terry(table.votes(), ties=ties, prior_sd=prior_sd, tol=tol, **BY_VOTER)
        for ask in (lambda ranking: ranking.standard_errors, lambda ranking: ranking.difference(0, 1)):
            with pytest.raises(
                pv.MissingUncertaintyError, match=r"an item that only one voter was asked about, .*prior"
            ):
                ask(ranking)
        # A table of it goes without.
        assert "interval" not in str(ranking)
        assert "standard_error" not in ranking.to_columns()
    assert np.isfinite(pv.bradley_terry(table.votes(), ties=ties, prior_sd=1e3, **BY_VOTER).standard_errors).all()


def refusal(votes: Any, **options: Any) -> str:
    with pytest.raises(pv.InputError) as caught:
        pv.bradley_terry(votes, **BY_VOTER, **options)
    return str(caught.value)


def test_votes_must_say_whose_they_are() -> None:
    table = simulated(13)
    message = refusal(table.votes(voter=None))
    assert "uncertainty is 'by-voter' and these votes do not say who voted; pass voter= when making them" in message
    answered = np.flatnonzero(table.outcome != SKIP)
    names: list[int | None] = table.voter.tolist()
    for row in answered[:3].tolist():
        names[row] = None
    message = refusal(table.votes(voter=names))
    assert f"the voters of 3 of {len(answered)} answered votes are unknown" in message
    assert "leave these votes out with where(votes.voter >= 0)" in message
    known = table.votes(voter=names)
    known = known.where(known.voter >= 0)
    assert np.isfinite(pv.bradley_terry(known, **BY_VOTER).standard_errors).all()


def test_there_must_be_two_voters() -> None:
    table = simulated(14)
    one = table._replace(voter=np.zeros(120, np.int64))
    assert "answered votes are by 1 voter; errors between voters need at least 2" in refusal(one.votes())
    # Who only skipped did not vote.
    skipper = one._replace(voter=np.where(table.outcome == SKIP, 1, 0))
    assert "are by 1 voter" in refusal(skipper.votes())
    assert "are by 0 voters" in refusal(table._replace(outcome=np.full(120, SKIP)).votes())
    two = table._replace(voter=np.arange(120) % 2)
    assert np.isfinite(covariance_of(two)).all()


def test_counts_do_not_say_who_voted() -> None:
    assert re.search(
        r"votes is a PairCounts, which keeps no single votes; .*pass Votes", refusal(simulated(15).votes().counts())
    )
