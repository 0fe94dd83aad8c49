"""Draws under a learned prior: the same every time, of the right votes, and right where single scores move slowly."""

from __future__ import annotations

import itertools
import math
from typing import Any

import exact_sampler
import numpy as np
import outcome_models
import pytest
import reference
from exact_sampler import data_of
from exact_sampler import sample as exact_sample
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import learned
from pairvote._inference.fitting import fit
from pairvote._inference.learned import Effort, _independent, _Rows
from pairvote._inference.robust import centred_variances

Floats = NDArray[np.float64]
TIES = outcome_models.NAMES
# Where kernels are interpreted a sweep takes a millisecond.
SHORT = Effort(burn_in=20, least=(40, 40), more=20, most=(60, 60))
LONG = Effort(most=(20_000, 20_000), enough=math.inf)


def some_votes(seed: int, n_items: int = 6, n_votes: int = 60, **columns: Any) -> pv.Votes:
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    return pv.Votes.from_codes(left, right, rng.choice([0, 1, 2, 2], size=n_votes), n_items=n_items, **columns)


def posterior_of(votes: pv.Votes, **options: Any) -> Any:
    return fit(votes.counts(), prior_sd=1.0, **options)


# --- the same every time ---


def test_the_default_call_repeats_itself_to_the_bit() -> None:
    votes = some_votes(1, n_items=4, n_votes=20)
    once = pv.bradley_terry(votes)
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    again = pv.bradley_terry(votes)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert once.scores.tobytes() == again.scores.tobytes()
    assert once._uncertainty.samples.tobytes() == again._uncertainty.samples.tobytes()
    assert once.fit.tie_parameter == again.fit.tie_parameter
    assert once.fit.prior_sd == again.fit.prior_sd
    assert once.fit.prior_sd.interval == again.fit.prior_sd.interval


@pytest.mark.parametrize("ties", TIES)
def test_sides_and_order_of_votes_do_not_matter(ties) -> None:
    """Without a position effect votes of two items are one row, whichever stood on the left."""
    votes = some_votes(2, n_items=4, n_votes=20)
    order = np.random.default_rng(1).permutation(20)
    turned = order % 2 == 0
    left, right, outcome = votes.left[order], votes.right[order], votes.outcome[order]
    other = pv.Votes.from_codes(
        np.where(turned, right, left),
        np.where(turned, left, right),
        np.where(turned, 2 - outcome.astype(int), outcome),
        n_items=4,
    )
    known = outcome_models.options(ties)
    one, two = (learned.sample(posterior_of(which, **known), SHORT) for which in (votes, other))
    np.testing.assert_allclose(one.parameters, two.parameters, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
def test_rows_that_are_not_folded_lead_to_the_same_posterior(monkeypatch) -> None:
    votes = some_votes(3)
    folded = learned.sample(posterior_of(votes), LONG).parameters
    monkeypatch.setattr(_Rows, "_folded", lambda self, n_items: self._without_empty())
    single = learned.sample(posterior_of(votes), LONG).parameters
    assert np.abs(folded[0] - single[0]).max() > 0.0
    sd = folded.std(axis=0)
    np.testing.assert_allclose(folded.mean(axis=0), single.mean(axis=0), rtol=0, atol=0.06 * sd.min())
    np.testing.assert_allclose(single.std(axis=0), sd, rtol=0.06)


@pytest.mark.parametrize("votes", [([], [], []), ([0], [1], [1])], ids=["none", "a tie"])
def test_votes_that_say_nothing_leave_the_prior(votes) -> None:
    for ties in ("drop", "half", "davidson"):
        ranking = pv.bradley_terry(pv.Votes.from_codes(*votes, n_items=3), ties=ties)
        # A tie says a little: that two are near each other.
        says = bool(votes[0]) and ties != "drop"
        assert ranking.scores == pytest.approx(np.zeros(3), abs=0.3 if says else 1e-9)
        assert ranking.scores[0] == pytest.approx(ranking.scores[1], abs=1e-9)
        if not says:
            assert (ranking.standard_errors > 0.5).all()


def test_items_without_votes_are_level() -> None:
    votes = pv.Votes.from_codes([0, 0, 1], [1, 2, 2], [2, 2, 1], n_items=6)
    ranking = pv.bradley_terry(votes)
    assert np.ptp(ranking.scores[3:]) < 1e-12
    assert ranking.ranks()[3:].tolist() == [ranking.ranks()[3]] * 3
    samples = ranking._uncertainty.samples
    assert samples.mean(axis=1) == pytest.approx(np.zeros(len(samples)), abs=1e-5)
    assert (samples[:, 3] != samples[:, 4]).all()


# --- the votes as rows ---


def log_likelihood(rows: _Rows, scores: Floats, beside: Floats, ties: str, n_ties: float) -> float:
    """Row by row. beside: what rows have as effects, and behind them Davidson's log nu."""
    value = 0.0
    if len(rows.ends) > 2:
        # Answers in order: each row is one answer, between two cuts less d.
        cuts = np.concatenate([[0.0], beside, [math.inf]])
        for row, (left, right, low, high) in enumerate(rows.ends.T.tolist()):
            d = scores[left] - scores[right] + float(rows.effects[:, row] @ beside)
            ends = [math.copysign(cuts[abs(cut)], cut) - d for cut in (low, high)]
            found = [reference.log_f(-ends[0], ties) if math.isinf(ends[1]) else reference.log_f(ends[1], ties)]
            if not math.isinf(ends[0]) and not math.isinf(ends[1]):
                found = [reference.log_between(*ends, ties)]
            value += rows.votes[row] * found[0].real
        return value
    log_nu = beside[-1] if ties == "davidson" and n_ties else -math.inf
    for row in range(len(rows.votes)):
        left, right = rows.ends[:, row]
        d = scores[left] - scores[right]
        d += sum(effect[row] * parameter for effect, parameter in zip(rows.effects, beside, strict=False))
        value += rows.ahead[row] * d
        value -= rows.votes[row] * math.log(math.exp(d / 2) + math.exp(-d / 2) + math.exp(log_nu))
    if ties == "davidson" and n_ties:
        value += n_ties * log_nu
    if ties == "rao-kupper" and n_ties:
        value += n_ties * math.log(math.exp(2 * beside[len(rows.effects) - 1]) - 1)
    return value


@pytest.mark.parametrize("with_covariates", [False, True])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_rows_have_the_likelihood_of_the_votes(ties, position, with_covariates) -> None:
    rng = np.random.default_rng(4)
    votes = some_votes(5, n_items=5, n_votes=40, weight=rng.choice([0.0, 0.5, 1.0, 3.0], size=40))
    covariates = rng.normal(size=(40, 2)) if with_covariates else None
    options = {**outcome_models.options(ties), "position": position, "covariates": covariates}
    model = pv.bradley_terry(votes, prior_sd=1.0, **options).fit._posterior.model
    rows, layout = _Rows.of(model), model.layout
    has_effects = position or with_covariates or ties == "rao-kupper" or len(rows.ends) > 2
    assert (rows.votes > 0.0).all()
    if not has_effects:
        assert len({frozenset(pair) for pair in rows.ends.T.tolist()}) == rows.ends.shape[1]
    found, expected = [], []
    for _ in range(4):
        parameters = rng.normal(size=layout.size)
        parameters[layout.nuisance] = np.abs(parameters[layout.nuisance])
        # In rows the nuisance parameter is behind the effects.
        order = (layout.position, layout.coefficients, layout.nuisance)
        beside = np.concatenate([parameters[part] for part in order])
        found.append(log_likelihood(rows, parameters[layout.scores], beside, ties, model.n_ties))
        expected.append(model.log_likelihood(parameters))
    assert np.diff(found) == pytest.approx(np.diff(expected), rel=1e-10)


# --- how much draws say ---


def test_independent_draws_are_counted() -> None:
    rng = np.random.default_rng(6)
    draws = rng.normal(size=(4000, 30))
    assert _independent(draws) == pytest.approx(4000, rel=0.15)
    for carried in (0.5, 0.9):
        chain = np.empty_like(draws)
        chain[0] = draws[0]
        for number in range(1, len(draws)):
            chain[number] = carried * chain[number - 1] + math.sqrt(1 - carried**2) * draws[number]
        # The autocorrelation is `carried` for each step, that of squares carried^2, which says less.
        expected = 4000 * (1 - carried) / (1 + carried)
        assert _independent(chain) == pytest.approx(expected, rel=0.2)
    assert _independent(np.ones((100, 3))) == 100.0
    # What never moves tells nothing of how well the others are known.
    still = draws.copy()
    still[:, ::2] = 1.0
    assert _independent(still) == pytest.approx(_independent(draws[:, 1::2]))


def test_a_chain_ends_where_it_has_enough() -> None:
    posterior = posterior_of(some_votes(7, n_items=4, n_votes=30))
    least = learned.sample(posterior, Effort(burn_in=10, least=(60, 60), more=20, most=(200, 200), enough=1.0))
    most = learned.sample(posterior, Effort(burn_in=10, least=(60, 60), more=20, most=(200, 200), enough=math.inf))
    assert (len(least.parameters), len(most.parameters)) == (60, 200)
    np.testing.assert_array_equal(most.parameters[:60], least.parameters)
    assert 1.0 <= least.independent <= 60.0


def test_the_spread_of_each_draw_is_that_of_its_mixture() -> None:
    draws = learned.sample(posterior_of(some_votes(8, n_items=3, n_votes=9)), SHORT)
    for spread, (scale, *numbers, _) in zip(draws.spreads(), draws.numbers, strict=True):
        places, widths, shares = np.reshape(numbers, (3, 3))
        mean = shares @ places
        assert spread == pytest.approx(scale * math.sqrt(shares @ (widths**2 + places**2) - mean**2))
        assert shares.sum() == pytest.approx(1.0)


# --- where single scores move slowly ---


def joined_cliques(n_each: int, times: int) -> list[tuple[int, int, int, float]]:
    """Two sets of items, all pairs of each many times, and one vote between the sets."""
    rng = np.random.default_rng(9)
    rows = []
    for first, second in itertools.combinations(range(n_each), 2):
        for offset in (0, n_each):
            won = int(rng.integers(1, times))
            rows += [
                (first + offset, second + offset, 2, float(won)),
                (first + offset, second + offset, 0, times - won),
            ]
    return [*rows, (0, n_each, 2, 1.0)]


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
def test_two_cliques_that_one_vote_joins_are_as_the_exact_sampler_has_them() -> None:
    rows = joined_cliques(6, 12)
    left, right, outcome, weight = map(np.array, zip(*rows, strict=True))
    votes = pv.Votes.from_codes(left, right, outcome, n_items=12, weight=weight)
    draws = exact_sample(data_of(rows, 12), n_draws=500, n_warm_up=500, seed=10).scores
    gap = draws[..., :6].mean(axis=2) - draws[..., 6:].mean(axis=2)
    error = gap.mean(axis=0).std() / math.sqrt(gap.shape[1])
    assert error < 0.03 * gap.std()
    posterior = pv.bradley_terry(votes).fit._posterior
    for effort, slack in ((learned.EFFORT, 0.2), (LONG, 0.08)):
        found = learned.sample(posterior, effort).parameters
        ours = found[:, :6].mean(axis=1) - found[:, 6:12].mean(axis=1)
        assert ours.mean() == pytest.approx(gap.mean(), abs=slack * gap.std())
        assert ours.std() == pytest.approx(gap.std(), rel=slack)


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
@pytest.mark.parametrize("ties", ["cumulative", "probit glenn-david", "probit drop"])
def test_answers_in_order_are_as_the_exact_sampler_has_them(ties) -> None:
    """Scores, their errors, the threshold and the position effect, in the unit of the link."""
    votes = some_votes(13, n_items=5, n_votes=50)
    rows = [
        (left, right, outcome, 1.0)
        for left, right, outcome in zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), strict=True)
    ]
    exact = exact_sample(data_of(rows, 5, ties, position=True), n_draws=250, n_warm_up=300, seed=14)
    found = learned.sample(pv.bradley_terry(votes, position=True, **outcome_models.options(ties)).fit._posterior, LONG)
    ours = found.parameters
    parts = [exact.scores, exact.log_tie, exact.effects]
    expected = np.concatenate(parts, axis=2) / exact_sampler.unit_of(ties)
    sd = expected.std(axis=(0, 1))
    error = expected.mean(axis=0).std(axis=0) / math.sqrt(expected.shape[1])
    assert (error < 0.05 * sd).all()
    np.testing.assert_allclose(ours.mean(axis=0), expected.mean(axis=(0, 1)), rtol=0, atol=0.12 * sd.min())
    np.testing.assert_allclose(ours.std(axis=0), sd, rtol=0.1)


# --- errors without the model ---


@pytest.mark.parametrize("uncertainty", ["sandwich", "by-voter"])
@pytest.mark.parametrize("ties", TIES)
def test_robust_errors_beside_a_learned_prior_are_to_the_draws_as_to_the_normal(ties, uncertainty) -> None:
    """They differ from the draws' standard deviations as those of a normal prior do from the errors by the model."""
    voter = np.arange(60) % 12
    votes = some_votes(11, n_items=4, voter=voter)
    known = outcome_models.options(ties)
    ranking = pv.bradley_terry(votes, uncertainty=uncertainty, **known)
    assert ranking._uncertainty.samples is None
    assert (np.diag(ranking.covariance) > 0.0).all()
    np.testing.assert_allclose(ranking.standard_errors, np.sqrt(np.diag(ranking.covariance)), rtol=1e-9)
    posterior = pv.bradley_terry(votes, uncertainty=uncertainty, prior_sd=ranking.fit.prior_sd, **known).fit._posterior
    by_model = np.sqrt(centred_variances(posterior._inverse, 4))
    sd = ranking.fit._posterior.draws[:, :4].std(axis=0)
    np.testing.assert_allclose(ranking.standard_errors / sd, np.sqrt(posterior.variances()) / by_model, rtol=0.1)
    assert ranking.fit.degrees_of_freedom == pytest.approx(posterior.degrees_of_freedom, rel=0.1)
    low, high = ranking.confidence_interval()
    np.testing.assert_allclose((low + high) / 2, ranking.scores, atol=1e-12)


def test_robust_errors_of_few_votes_are_errors() -> None:
    """The draws of so few votes are skew, and their covariance is larger than votes at their mean would have it."""
    votes = pv.Votes.from_labels(
        list("aacbcda"), list("bcaabad"), ["left", "left", "right", "tie", "left", "right", "left"]
    )
    for ties in TIES:
        ranking = pv.bradley_terry(votes, uncertainty="sandwich", **outcome_models.options(ties))
        assert np.linalg.eigvalsh(ranking.covariance).min() > -1e-12
        assert (ranking.standard_errors > 0.05).all()
        assert np.isfinite(ranking.fit.tie_standard_error)


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
def test_robust_errors_of_many_items_are_about_the_models_where_it_holds() -> None:
    """Of 300 items a covariance of some hundred draws has no inverse worth the name."""
    rng = np.random.default_rng(12)
    strengths = rng.normal(size=300)
    left = rng.integers(300, size=6000)
    right = (left + rng.integers(1, 300, size=6000)) % 300
    picked = rng.random(6000) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    votes = pv.Votes.from_codes(left, right, 2 * picked, n_items=300)
    by_model, robust = (pv.bradley_terry(votes, uncertainty=kind) for kind in ("model", "sandwich"))
    np.testing.assert_array_equal(by_model.scores, robust.scores)
    ratio = robust.standard_errors / by_model.standard_errors
    assert 0.9 < ratio.mean() < 1.05
    assert 0.7 < ratio.min() < ratio.max() < 1.4
