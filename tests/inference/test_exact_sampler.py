"""The exact sampler of a learned prior, held against its own model: derivatives, quadrature, weighted prior draws, and
draws of parameters and votes that must stay what they were."""

from __future__ import annotations

import math
from dataclasses import replace

import exact_sampler
import numpy as np
import outcome_models
import pytest
import reference
from exact_sampler import (
    Data,
    Floats,
    Hamiltonian,
    data_of,
    from_prior,
    log_density,
    log_likelihood,
    parts,
    sample,
    summary,
)
from scipy.stats import invgamma, ks_2samp, norm

TIES = outcome_models.NAMES


def random_rows(rng: np.random.Generator, n_items: int, n_votes: int):
    pairs = [rng.choice(n_items, 2, replace=False).tolist() for _ in range(n_votes)]
    return [(*pair, int(rng.integers(0, 3)), float(rng.gamma(1.0))) for pair in pairs]


@pytest.mark.parametrize("ties", TIES)
def test_the_likelihood_is_that_of_the_reference(ties):
    rng = np.random.default_rng(1)
    rows, covariates = random_rows(rng, 4, 25), rng.normal(size=(25, 2))
    rows += [(0, 1, reference.SKIP, 1.0), (1, 2, reference.LEFT, 0.0)]
    covariates = np.concatenate([covariates, [[9.0, 9.0], [9.0, 9.0]]])
    data = data_of(rows, 4, ties, position=True, covariates=covariates)
    theta, beside, tie = rng.normal(size=4), rng.normal(size=3), 0.4
    by_scale = covariates / np.abs(covariates[:25]).max(axis=0)
    expected = 0.0
    for (left, right, outcome, weight), x in zip(rows[:25], by_scale, strict=False):
        difference = theta[left] - theta[right] + beside[0] + x @ beside[1:]
        unit = exact_sampler.unit_of(ties)
        of_tie = tie / unit if data.has_tie else None
        expected += weight * reference.log_probability(outcome, ties, difference / unit, of_tie).real
    coordinate = math.log(tie) if ties in outcome_models.WITH_THRESHOLDS else tie
    found = log_likelihood(data, theta[None], np.full((1, int(data.has_tie)), coordinate), beside[None])[0]
    assert found == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_the_gradient_is_that_of_the_density(ties, scaled):
    rng = np.random.default_rng(2)
    data = data_of(random_rows(rng, 4, 20), 4, ties, position=True, covariates=rng.normal(size=(20, 1)))
    q = from_prior(3, data, rng)
    parts(data, q).tie[:] = 0.3
    gradient = log_density(data, q, scaled=scaled)[1]
    for place, step in enumerate(1e-6 * np.eye(q.shape[1])):
        after, before = (log_density(data, q + sign * step, scaled=scaled)[0] for sign in (1, -1))
        assert gradient[:, place] == pytest.approx((after - before) / 2e-6, rel=1e-4, abs=1e-4)


def test_the_mixture_is_summed_over_all_assignments():
    """Differences of log-densities are those of the densities as scipy has them; z with w, since both are even."""
    data = data_of([(0, 1, 2, 1.0)], 2)
    q = from_prior(5, data, np.random.default_rng(3))
    expected = []
    for point in q:
        of = exact_sampler.Parts(*(part[0] for part in parts(data, point[None])))
        s, w, v = math.exp(of.log_s[0]), of.z**2 / (of.z @ of.z), np.exp(of.log_v)
        density = sum(math.log(sum(w * norm.pdf(theta, s * of.u, s * np.sqrt(v)))) for theta in of.scores)
        density += norm.logpdf(of.u, 0, 1.5).sum() + norm.logpdf(of.z).sum()
        density += (invgamma.logpdf(v, 3, scale=1.0) + of.log_v).sum() + norm.logpdf(s, 0, 2.0) + of.log_s[0]
        expected.append(density - math.log1p(math.exp(of.scores[1] - of.scores[0])))
    found = log_density(data, q, scaled=False)[0]
    assert found - found[0] == pytest.approx(np.array(expected) - expected[0], abs=1e-9)
    # The same points by their x have a density larger by the two scores' s each.
    by_x = log_density(data, exact_sampler.changed_scores(data, q, -1), scaled=True)[0]
    assert by_x - found == pytest.approx(2 * parts(data, q).log_s[:, 0], abs=1e-9)


def asked_again(data: Data, q, rng: np.random.Generator) -> Data:
    """Votes of each chain of its own, three on each row, drawn from its parameters."""
    given = parts(data, q)
    certain = np.eye(3)[:, None, None, :] * np.ones((3, len(q), len(data.contrasts), 1))
    log_p = np.empty((len(q), len(data.contrasts), 3))
    for row in range(len(data.contrasts)):
        for outcome in range(3):
            one = replace(
                data,
                contrasts=data.contrasts[[row]],
                effects=data.effects[[row]],
                table=certain[outcome][:, [row]],
            )
            log_p[:, row, outcome] = log_likelihood(one, given.scores, given.tie, given.effects)[0]
    chance = np.exp(log_p)
    if not data.has_tie:
        chance[..., 1] = 0.0
    assert chance.sum(axis=2) == pytest.approx(np.ones(chance.shape[:2]))
    return replace(data, table=rng.multinomial(3, chance / chance.sum(axis=2, keepdims=True)).astype(float))


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "drop", "probit glenn-david", "probit drop"])
def test_parameters_and_votes_drawn_together_stay_what_they_were(ties):
    """Steps from the posterior leave the joint distribution as it was (Gandy and Scott 2020, "Unit testing for MCMC",
    after Geweke 2004): of parameters from the prior and votes from these, the moved ones are from the prior too.
    """
    rng = np.random.default_rng(4)
    rows = [(0, 1, 1, 1.0), (1, 2, 1, 1.0), (2, 0, 1, 1.0), (0, 3, 1, 1.0)]
    data = data_of(rows, 4, ties, position=True)
    q = first = from_prior(4000, data, rng)
    data = asked_again(data, q, rng)
    size = q.shape[1]
    moves = [Hamiltonian(data, scaled, np.eye(size), step=0.15, longest=20) for scaled in (False, True)]
    accepted = []
    for _ in range(40):
        for move in moves:
            q = move.move(q, rng)
            accepted.append(move.accepted)
    assert np.mean(accepted) > 0.6
    assert (q != first).all(axis=1).mean() > 0.95

    def statistics(q):
        of = parts(data, q)
        w = np.sort(of.z**2 / (of.z**2).sum(axis=1, keepdims=True), axis=1)
        of_votes = log_likelihood(data, of.scores, of.tie, of.effects)[0]
        columns = [of.log_s, of.u, of.log_v, w[:, [0, 2]], of.scores, of.tie, of.effects, of_votes[:, None]]
        columns += [of.scores[:, [0]] - of.scores[:, [1]], of.scores.std(axis=1, keepdims=True)]
        return np.concatenate(columns, axis=1).T

    # Apart by sides: the votes' log-likelihood has other draws beside it than the same votes moved.
    fresh = from_prior(4000, data, rng)
    fresh_votes = statistics(first)[-3]
    chances = [ks_2samp(moved, new).pvalue for moved, new in zip(statistics(q), statistics(fresh), strict=True)]
    chances[-3] = ks_2samp(statistics(q)[-3][:2000], fresh_votes[2000:]).pvalue
    assert min(chances) > 0.05 / len(chances) / 2


def weighted(mean: Floats, square: Floats, mass: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean and standard deviation of all, from means and squares (n, n_values) of parts of relative mass (n,), each
    drawn by itself; and their Monte Carlo errors.
    """
    mass = mass / mass.sum()
    middle = mass @ mean
    sd = np.sqrt(mass @ square - middle**2)
    mean_error = np.sqrt(mass**2 @ (mean - middle) ** 2)
    sd_error = np.sqrt(mass**2 @ (square - 2 * middle * mean + middle**2 - sd**2) ** 2) / (2 * sd)
    return middle, sd, mean_error, sd_error


def assert_alike(found: exact_sampler.Summary, expected: tuple[Floats, Floats, Floats, Floats]) -> None:
    mean, sd, mean_error, sd_error = expected
    assert (np.hypot(found.mean_error, mean_error) < 0.03 * sd).all()
    assert (np.abs(found.mean - mean) < 4 * np.hypot(found.mean_error, mean_error)).all()
    assert (np.hypot(found.sd_error, sd_error) < 0.03 * sd).all()
    assert (np.abs(found.sd - sd) < 4 * np.hypot(found.sd_error, sd_error)).all()


@pytest.mark.slow
def test_two_items_are_those_of_quadrature():
    """Given spread, shape and components of both, the difference of two items is normal: sums over a grid of it, of
    many draws of those from their prior.
    """
    rng, n = np.random.default_rng(5), 30_000
    s, u = np.abs(rng.normal(0, 2, n)), rng.normal(0, 1.5, (n, 3))
    v, w = 1 / rng.gamma(3, size=(n, 3)), rng.dirichlet([0.5] * 3, n)
    member = (np.cumsum(w, axis=1)[:, None, :2] < rng.random((n, 2, 1))).sum(axis=2)
    centre, variance = np.take_along_axis(u, member, axis=1), np.take_along_axis(v, member, axis=1)
    z = np.linspace(-6, 6, 121)
    difference = s[:, None] * ((centre[:, 0] - centre[:, 1])[:, None] + np.sqrt(variance.sum(axis=1))[:, None] * z)
    likelihood = np.exp(-5 * np.logaddexp(0, -difference) - np.logaddexp(0, difference)) * norm.pdf(z)
    mass = likelihood.sum(axis=1)
    moments = [((likelihood * difference**power).sum(axis=1) / mass)[:, None] for power in (1, 2)]

    draws = sample(data_of([(0, 1, 2, 5.0), (0, 1, 0, 1.0)], 2), n_draws=200, n_warm_up=240, seed=6)
    found = summary(draws.scores[..., [0]] - draws.scores[..., [1]])
    assert_alike(found, weighted(*moments, mass))


@pytest.mark.slow
@pytest.mark.parametrize("ties", TIES)
def test_three_items_are_those_of_weighted_draws_from_the_prior(ties):
    rows = [(0, 1, 2, 1.0), (0, 1, 1, 1.0), (1, 2, 2, 1.5), (2, 0, 0, 1.0), (2, 0, 1, 0.5)]
    data = data_of(rows, 4, ties, position=True)
    rng = np.random.default_rng(7)
    of = parts(data, from_prior(300_000, data, rng))
    mass = np.exp(log_likelihood(data, of.scores, of.tie, of.effects)[0])
    log_tie = np.exp(of.tie) if ties in outcome_models.WITH_THRESHOLDS else of.tie
    value = np.concatenate([of.scores - of.scores.mean(axis=1, keepdims=True), log_tie, of.effects], axis=1)

    draws = sample(data, n_draws=1500, n_warm_up=800, seed=8)
    found = summary(np.concatenate([draws.scores, draws.log_tie, draws.effects], axis=2))
    assert_alike(found, weighted(value, value**2, mass))
