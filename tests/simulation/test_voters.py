"""Simulated voters answer by the model that they are said to have: every parameter is found again by a fit of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import chisquare, kstest, norm

import pairvote as pv
from pairvote import VoterModel, _kernels
from pairvote.simulation._voters import PROBIT_SCALE

# Interpreted, a vote takes a hundred times as long.
SCALE = 1 if _kernels.exposure.COMPILED else 4
STRENGTHS = np.array([1.5, 0.9, 0.2, -0.2, -0.9, -1.5])


def ballots(voters: VoterModel, n_voters: int = 40, votes_each: int = 200, **options) -> pv.simulation.Simulation:
    options = {"n_items": 6, "strengths": STRENGTHS, "repetitions": 1, "sampler": "uniform", "rng": 7, **options}
    return pv.simulate(n_voters=n_voters, votes_each=votes_each // SCALE, voters=voters, **options)


def leads(votes: pv.Votes) -> np.ndarray:
    return STRENGTHS[votes.left] - STRENGTHS[votes.right]


def likelihood(votes: pv.Votes, voters: VoterModel) -> float:
    chances = voters.outcome_probabilities(leads(votes))
    return float(np.log(chances[np.arange(len(votes)), votes.outcome]).sum())


def assert_found(found: float, error: float, truth: float) -> None:
    print(f"{found:.3f} +- {error:.3f}, truly {truth}")
    assert 0 < error < 0.2 * max(abs(truth), 0.5)
    assert abs(found - truth) < 3.5 * error


@pytest.mark.parametrize("tie_parameter", [0.3, 1.5])
def test_the_tie_parameter_is_found_again(tie_parameter) -> None:
    fit = pv.bradley_terry(ballots(VoterModel(tie_parameter=tie_parameter)).votes(0)).fit
    assert_found(fit.tie_parameter, fit.tie_standard_error, tie_parameter)


@pytest.mark.parametrize("position", [0.5, -0.3])
def test_the_position_effect_is_found_again(position) -> None:
    fit = pv.bradley_terry(ballots(VoterModel(position=position)).votes(0), position=True).fit
    assert_found(fit.position_effect, fit.position_standard_error, position)


def test_the_strengths_are_found_again() -> None:
    ranking = pv.bradley_terry(ballots(VoterModel(tie_parameter=0.4)).votes(0), prior_sd=math.inf)
    assert np.abs((ranking.scores - STRENGTHS) / ranking.standard_errors).max() < 3.5


def test_the_probit_is_found_again() -> None:
    votes = ballots(VoterModel(model="probit")).votes(0)
    sign = np.where(votes.outcome == pv.Outcome.LEFT, 1.0, -1.0) * leads(votes)
    scale = minimize_scalar(lambda b: -norm.logcdf(b * sign).sum(), bounds=(0.1, 3), method="bounded").x
    z = scale * sign
    hazard = np.exp(norm.logpdf(z) - norm.logcdf(z))
    assert_found(scale, 1 / math.sqrt(np.sum(sign**2 * hazard * (z + hazard))), PROBIT_SCALE)
    assert likelihood(votes, VoterModel(model="probit")) > likelihood(votes, VoterModel())


@pytest.mark.parametrize("model", ["bradley-terry", "probit"])
def test_the_lapse_rate_is_found_again(model) -> None:
    votes = ballots(VoterModel(model=model, lapse=0.2)).votes(0)

    def at(lapse: float) -> float:
        return -likelihood(votes, VoterModel(model=model, lapse=lapse))

    found = minimize_scalar(at, bounds=(0, 1), method="bounded", options={"xatol": 1e-6}).x
    bend = (at(found + 0.01) - 2 * at(found) + at(found - 0.01)) / 0.01**2
    assert_found(found, 1 / math.sqrt(bend), 0.2)


def test_random_voters_are_told_from_the_others() -> None:
    votes = ballots(VoterModel(random_voters=0.3)).votes(0)
    random = []
    for voter in range(40):
        own = votes.where(votes.voter == voter)
        random.append(likelihood(own, VoterModel(random_voters=1, lapse=1)) > likelihood(own, VoterModel()))
    # By chance one of forty may be taken for the other kind.
    assert sum(random[:28]) + sum(not r for r in random[28:]) <= 1
    assert abs(sum(random) / 40 - 0.3) <= 0.026


def deviations(votes: pv.Votes, group: np.ndarray, strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each group the scores of its own, less the common ones, and their variances."""
    found = [pv.bradley_terry(votes.where(group == number), prior_sd=20.0) for number in np.unique(group)]
    centred = strengths - strengths.mean()
    return np.array([r.scores - centred for r in found]), np.array([r.standard_errors**2 for r in found])


@pytest.mark.slow
def test_the_scatter_of_tastes_is_found_again() -> None:
    votes = ballots(VoterModel(taste_sd=0.7), n_voters=60, votes_each=800).votes(0)
    off, variances = deviations(votes, votes.voter, STRENGTHS)
    # Centred, a voter's scores scatter by 1 - 1/n of the variance of the tastes.
    variance = (np.square(off) - variances).mean() / (1 - 1 / 6)
    assert_found(math.sqrt(variance), math.sqrt(variance) * math.sqrt(0.5 / (60 * 5)) * 1.3, 0.7)
    alike, variances = deviations(ballots(VoterModel(), n_voters=60, votes_each=800).votes(0), votes.voter, STRENGTHS)
    assert abs((np.square(alike) - variances).mean()) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [2, 3])
def test_clusters_of_opinion_are_found_again(clusters) -> None:
    sim = ballots(VoterModel(clusters=clusters, cluster_sd=0.8), n_voters=6, votes_each=800, repetitions=40 // SCALE)
    squares, sums = [], []
    for r in range(40 // SCALE):
        votes = sim.votes(r)
        off, variances = deviations(votes, votes.voter % clusters, STRENGTHS)
        squares.append((np.square(off) - variances).mean() / (1 - 1 / 6))
        sums.append(np.abs(off.sum(axis=0) / np.sqrt(variances.sum(axis=0))).max())
    assert_found(math.sqrt(np.mean(squares)), np.std(squares) / math.sqrt(len(squares)) / 1.6, 0.8)
    # Over clusters the opinions add up to the common ones.
    assert np.median(sums) < 2.5


def test_self_promotion_is_found_again() -> None:
    votes = ballots(VoterModel(self_promotion=1.2)).votes(0)
    own = votes.voter % 6
    ahead = (votes.left == own).astype(float) - (votes.right == own)
    fit = pv.bradley_terry(votes, covariates=ahead[:, None]).fit
    assert_found(fit.coefficients[0], fit.coefficient_standard_errors[0], 1.2)


def test_promoters_are_the_first_voters_and_always_pick_their_own() -> None:
    votes = ballots(VoterModel(self_promotion=math.inf, promoters=0.5)).votes(0)
    own = votes.voter % 6
    won = np.where(votes.left == own, votes.outcome == 2, votes.outcome == 0)[
        (votes.left == own) | (votes.right == own)
    ]
    voter = votes.voter[(votes.left == own) | (votes.right == own)]
    shares = np.array([won[voter == number].mean() for number in range(40)])
    assert (shares[:20] == 1.0).all()
    assert shares[20:].mean() < 0.6
    lapsing = ballots(VoterModel(self_promotion=math.inf, lapse=1.0)).votes(0)
    assert abs((lapsing.outcome == 2).mean() - 0.5) < 0.04
    assert set(lapsing.outcome.tolist()) == {0, 2}


def test_skips_of_close_pairs_are_found_again() -> None:
    votes = ballots(VoterModel(skip=0.4, skip_width=0.8)).votes(0)
    skipped, lead = votes.outcome == pv.Outcome.SKIP, leads(votes)

    def loss(parameters) -> float:
        skip, width = np.exp(parameters)
        chance = np.minimum(skip, 0.999) * np.exp(-0.5 * (lead / width) ** 2)
        return -np.sum(np.where(skipped, np.log(chance), np.log1p(-chance)))

    found = minimize(loss, np.log([0.2, 2.0]), method="BFGS")
    for estimate, error, truth in zip(np.exp(found.x), np.sqrt(np.diag(found.hess_inv)), (0.4, 0.8), strict=True):
        assert_found(estimate, error * estimate, truth)


MODELS = [
    VoterModel(),
    VoterModel(model="probit"),
    VoterModel(tie_parameter=0.8),
    VoterModel(tie_parameter=0.8, position=-0.4),
    VoterModel(model="probit", tie_parameter=0.5, position=0.6),
    VoterModel(lapse=0.3, tie_parameter=1.0),
    VoterModel(skip=0.5, skip_width=0.4, position=0.5),
    VoterModel(model="probit", skip=0.7, lapse=0.2, tie_parameter=2.0, position=0.3),
    VoterModel(lapse=1.0),
    VoterModel(skip=1.0, skip_width=2.0),
]


@pytest.mark.slow
@pytest.mark.parametrize("voters", MODELS, ids=repr)
@pytest.mark.parametrize("lead", [0.0, 0.7, 6.0])
def test_outcomes_come_as_often_as_the_equations_say(voters, lead) -> None:
    sim = pv.simulate(
        n_items=2,
        n_voters=10,
        votes_each=80 // SCALE,
        strengths=[lead, 0.0],
        voters=voters,
        repetitions=25,
        rng=int(10 * lead),
        sampler="uniform",
    )
    votes = [sim.votes(r) for r in range(25)]
    left, outcome = (np.concatenate([getattr(v, name) for v in votes]) for name in ("left", "outcome"))
    for first in (0, 1):
        chances = voters.outcome_probabilities(lead if first == 0 else -lead)
        assert chances.sum() == pytest.approx(1.0)
        seen = np.bincount(outcome[left == first], minlength=4)
        expected = chances * seen.sum()
        rare = expected < 5
        assert seen[rare].sum() <= 20
        if (~rare).sum() > 1:
            kept = expected[~rare] * seen[~rare].sum() / expected[~rare].sum()
            assert chisquare(seen[~rare], kept).pvalue > 1e-4


def test_thresholds_are_the_inverse_of_the_chances() -> None:
    uniforms = np.random.default_rng(1).random(500)
    for voters in MODELS[:5]:
        upper, lower = voters.thresholds(uniforms.copy())
        assert (lower <= upper).all()
        chances = voters.outcome_probabilities
        np.testing.assert_allclose(chances(upper)[:, 2], uniforms, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(1 - chances(lower)[:, 0], uniforms, rtol=1e-9, atol=1e-12)
        ends = voters.thresholds(np.array([0.0, 1 - 2.0**-53]))
        assert np.isfinite(ends).all()
        assert (np.diff(ends) > 20).all()


def test_tastes_are_normal_and_clusters_centred() -> None:
    common = np.zeros((25, 30))
    own = VoterModel(taste_sd=2.0).own_strengths(common, 10, np.random.default_rng(1))
    assert kstest(own.ravel() / 2.0, "norm").pvalue > 0.001
    own = VoterModel(clusters=4, cluster_sd=3.0).own_strengths(common, 8, np.random.default_rng(1))
    np.testing.assert_array_equal(own[:, :4], own[:, 4:])
    np.testing.assert_allclose(own[:, :4].sum(axis=1), 0, atol=1e-12)
    assert abs(own.std() - 3.0) < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "elo"}, "model is 'elo'; use one of 'bradley-terry', 'probit'"),
        ({"lapse": 1.5}, r"lapse is 1.5; it is a share"),
        ({"lapse": True}, r"lapse is True"),
        ({"random_voters": -0.1}, "random_voters is -0.1"),
        ({"promoters": math.nan}, "promoters is nan"),
        ({"skip": "some"}, "skip is 'some'"),
        ({"taste_sd": math.inf}, "taste_sd is inf; it is a standard deviation"),
        ({"tie_parameter": -1}, "tie_parameter is -1; it is Davidson's nu"),
        ({"position": math.inf}, "position is inf"),
        ({"self_promotion": -math.inf}, "self_promotion is -inf"),
        ({"clusters": 0}, "clusters is 0; it is a whole number from 1"),
        ({"cluster_sd": -1.0}, "cluster_sd is -1.0"),
        ({"skip_width": 0.0}, "skip_width is 0.0"),
    ],
)
def test_values_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=message):
        VoterModel(**options)


def test_the_model_says_what_is_not_plain() -> None:
    assert repr(VoterModel()) == "VoterModel()"
    assert VoterModel(lapse=0.1) == eval("VoterModel(lapse=0.1)")
    assert VoterModel(random_voters=1 / 3).n_random(30) == 10
    assert VoterModel(self_promotion=1.0, promoters=0.5).n_promoters(5) == 3
    assert VoterModel(promoters=0.5).n_promoters(5) == 0
