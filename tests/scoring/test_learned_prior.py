"""What a learned prior leaves as it was: other errors, criteria, covariates, resamples, order, and answers at once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pairvote as pv
from pairvote._inference import OUTCOME_MODELS
from pairvote._inference.systems import dense_information
from pairvote.ranking._results import quantiles

TIES = tuple(OUTCOME_MODELS)
RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
LABELS = ("ash", "birch", "cedar", "elm", "fir", "oak")


def votes_of(seed: int = 1, *, n_votes: int = 120, spread: float = 0.8, items: tuple[str, ...] = LABELS) -> pv.Votes:
    """Votes on pairs at random, of eight voters, a fifth of them ties and a few skipped."""
    rng = np.random.default_rng(seed)
    n_items = len(items)
    strength = spread * rng.normal(size=n_items)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(strength[right] - strength[left])), LEFT, RIGHT)
    outcome[rng.random(n_votes) < 0.2] = TIE
    outcome[rng.random(n_votes) < 0.05] = SKIP
    return pv.Votes.from_codes(left, right, outcome, items=list(items), voter=np.arange(n_votes) % 8)


VOTES = votes_of()
DEFAULT = pv.bradley_terry(VOTES)


def numbers_of(ranking: pv.Ranking) -> list[Any]:
    """All that a ranking says in numbers."""
    fit = ranking.fit
    said = [ranking.scores, ranking.covariance, ranking.top_k_probability(2), *ranking.rank_interval()]
    return [*said, *ranking.confidence_interval(), fit.tie_parameter, fit.position_effect, float(fit.prior_sd)]


def assert_same_numbers(found: pv.Ranking, expected: pv.Ranking) -> None:
    for one, other in zip(numbers_of(found), numbers_of(expected), strict=True):
        np.testing.assert_array_equal(one, other)


# --- what must not matter ---


@pytest.mark.parametrize("options", [{}, {"position": True}, {"ties": "rao-kupper"}])
def test_the_order_of_votes_changes_no_bit(options) -> None:
    expected = pv.bradley_terry(VOTES, **options)
    shuffled = VOTES._take(np.random.default_rng(0).permutation(len(VOTES)))
    for votes in (shuffled, VOTES.counts(), shuffled.counts()):
        assert_same_numbers(pv.bradley_terry(votes, **options), expected)
    if not options:
        # Which side was left is no matter then.
        mirrored = replace(
            VOTES,
            left=VOTES.right,
            right=VOTES.left,
            outcome=np.where(VOTES.outcome == SKIP, SKIP, 2 - VOTES.outcome).astype(VOTES.outcome.dtype),
        )
        assert_same_numbers(pv.bradley_terry(mirrored), expected)


@pytest.mark.parametrize("options", [{}, {"position": True}, {"ties": "rao-kupper"}, {"ties": "half"}])
def test_the_order_of_items_permutes(options) -> None:
    """Draws are made in an order that votes and labels have, so that only last digits change."""
    expected = pv.bradley_terry(VOTES, **options)
    places = np.random.default_rng(4).permutation(6)
    items = np.empty(6, object)
    items[places] = LABELS
    again = pv.bradley_terry(
        pv.Votes.from_codes(places[VOTES.left], places[VOTES.right], VOTES.outcome, items=items.tolist()), **options
    )
    np.testing.assert_allclose(again.scores[places], expected.scores, rtol=0, atol=1e-9)
    np.testing.assert_allclose(again.standard_errors[places], expected.standard_errors, rtol=1e-6)
    assert float(again.fit.prior_sd) == pytest.approx(float(expected.fit.prior_sd), rel=1e-9)


def test_start_does_not_matter_to_draws_and_little_to_a_prior_put_in() -> None:
    for start in (DEFAULT, np.linspace(-3, 3, 6), pv.bradley_terry(VOTES, prior_sd=3.0, position=True)):
        assert_same_numbers(pv.bradley_terry(VOTES, start=start), DEFAULT)
    # So many votes that the prior matters little.
    many = votes_of(2, n_votes=40_000)
    cold, warm = (pv.bradley_terry(many, start=start) for start in (None, np.linspace(-3, 3, 6)))
    assert cold._uncertainty.samples is None
    np.testing.assert_allclose(warm.scores, cold.scores, rtol=0, atol=1e-5)
    np.testing.assert_allclose(warm.standard_errors, cold.standard_errors, rtol=1e-5)


# --- other errors ---


@pytest.mark.parametrize("uncertainty", ["sandwich", "by-voter", "clustered"])
def test_errors_without_the_model_have_the_scores_of_the_default_and_no_draws(uncertainty) -> None:
    clusters = {"clusters": VOTES.voter} if uncertainty == "clustered" else {}
    ranking = pv.bradley_terry(VOTES, uncertainty=uncertainty, **clusters)
    np.testing.assert_array_equal(ranking.scores, DEFAULT.scores)
    assert ranking._uncertainty.samples is None
    reach = ranking.confidence_interval().high - ranking.scores
    np.testing.assert_allclose(ranking.scores - ranking.confidence_interval().low, reach, rtol=1e-9)
    assert ranking.top_k_probability(2).sum() == pytest.approx(2.0)
    assert np.isfinite(ranking.rank_interval().low).all()
    # As large as those of the model, to what 120 votes say of the difference.
    ratios = ranking.standard_errors / DEFAULT.standard_errors
    assert 0.5 < ratios.min() < ratios.max() < 2.0


def test_without_errors_the_scores_are_the_same() -> None:
    ranking = pv.bradley_terry(VOTES, uncertainty="none")
    np.testing.assert_array_equal(ranking.scores, DEFAULT.scores)
    assert ranking.fit.prior_sd.interval == DEFAULT.fit.prior_sd.interval
    assert ranking.fit.tie_parameter == DEFAULT.fit.tie_parameter
    with pytest.raises(pv.MissingUncertaintyError):
        ranking.standard_errors  # noqa: B018


def centred(matrix: NDArray[np.float64], n_items: int) -> NDArray[np.float64]:
    centring = np.eye(n_items) - 1 / n_items
    return centring @ matrix[:n_items, :n_items] @ centring


def test_the_sandwich_is_the_normal_one_with_the_draws_variances() -> None:
    """V = C + C (B - H) C of the normal approximation, each score in units in which its variance is the draws'."""
    votes = votes_of(10)
    ranking = pv.bradley_terry(votes, uncertainty="sandwich", ties="drop")
    posterior = ranking.fit._posterior
    model, parameters = posterior.model, posterior.parameters
    whole = dense_information(model.counts, model.slopes(parameters), anchored=False)
    h = np.triu(whole) + np.triu(whole, 1).T - np.eye(6) / model.prior_sd**2
    # Single votes one by one, at the scores.
    b = np.zeros((6, 6))
    decided = np.isin(votes.outcome, (LEFT, RIGHT))
    for left, right, outcome in zip(*(x[decided] for x in (votes.left, votes.right, votes.outcome)), strict=True):
        along = np.zeros(6)
        along[[left, right]] = 1, -1
        p = 1 / (1 + math.exp(ranking.scores[right] - ranking.scores[left]))
        b += (outcome / 2 - p) ** 2 * np.outer(along, along)
    c = centred(np.linalg.inv(h + np.eye(6) / model.prior_sd**2), 6)
    unit = pv.bradley_terry(votes, ties="drop").standard_errors / np.sqrt(np.diag(c))
    assert 0.7 < unit.min() < unit.max() < 1.4
    expected = centred(np.outer(unit, unit) * (c + c @ (b - h) @ c), 6)
    # Along the mean score, of which nothing is known, units differ a little.
    np.testing.assert_allclose(np.diag(ranking.covariance), np.diag(expected), rtol=0.1)


def test_where_a_prior_of_parts_leaves_more_than_the_votes_the_errors_stay_finite() -> None:
    """Items all but level, of which one may be another kind: its draws vary by more than the votes alone would let."""
    rng = np.random.default_rng(3)
    left = rng.integers(6, size=200)
    right = (left + rng.integers(1, 6, size=200)) % 6
    votes = pv.Votes.from_codes(left, right, rng.integers(0, 4, size=200), n_items=6)
    clusters = np.where((left == 2) | (right == 2), 0, 1 + np.arange(200) % 4)
    posterior = pv.bradley_terry(votes).fit._posterior
    model = posterior.model
    whole = dense_information(model.counts, model.slopes(posterior.parameters), anchored=False)
    h = np.triu(whole) + np.triu(whole, 1).T - model.prior_products(np.eye(7))
    assert np.linalg.eigvals(posterior._inverse @ h).real.max() > 1.0
    for options in ({"uncertainty": "sandwich"}, {"uncertainty": "clustered", "clusters": clusters}):
        ranking = pv.bradley_terry(votes, **options)
        assert (ranking.standard_errors > 0.05).all()
        assert np.linalg.eigvalsh(ranking.covariance).min() > -1e-9


def test_importance_weights_of_one_are_votes_and_have_no_draws() -> None:
    weighted = VOTES._changed(weight=np.full(len(VOTES), 7.0))
    ranking = pv.bradley_terry(weighted, weights="sampling")
    np.testing.assert_allclose(ranking.scores, DEFAULT.scores, rtol=0, atol=1e-9)
    assert ranking.fit.uncertainty == "sandwich"
    assert ranking._uncertainty.samples is None
    sandwich = pv.bradley_terry(VOTES, uncertainty="sandwich")
    np.testing.assert_allclose(ranking.standard_errors, sandwich.standard_errors, rtol=1e-6)


# --- criteria, covariates, scales ---


def test_criteria_are_combined_draw_by_draw() -> None:
    asked = np.where(np.arange(120) % 3 > 0, "new", "useful")
    votes = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=list(LABELS), criterion=asked)
    parts = [pv.bradley_terry(votes, criterion=label) for label in ("new", "useful")]
    both = pv.bradley_terry(votes, criteria={"new": 1, "useful": 3})
    np.testing.assert_array_equal(both.scores, 0.25 * parts[0].scores + 0.75 * parts[1].scores)
    samples = both._uncertainty.samples
    assert len(samples) == min(len(part._uncertainty.samples) for part in parts)
    np.testing.assert_allclose(samples.mean(axis=0), both.scores, atol=0.1)
    # Draws of two criteria are independent, though both chains began at one seed.
    np.testing.assert_allclose(samples.std(axis=0), both.standard_errors, rtol=0.15)
    # Moved to have the scores as their means to the last digit.
    np.testing.assert_allclose(both.confidence_interval(), quantiles(samples, 0.95), rtol=0, atol=1e-7)
    alone = pv.bradley_terry(VOTES.where(asked == "new"))
    assert_same_numbers(parts[0], alone)


@pytest.mark.parametrize("position", [False, True])
def test_coefficients_are_means_of_draws(position) -> None:
    longer = np.random.default_rng(5).normal(size=(120, 2))
    ranking, known = (
        pv.bradley_terry(VOTES, covariates=longer * [1.0, 1e3], position=position, prior_sd=prior_sd)
        for prior_sd in ("learned", 1.0)
    )
    errors = ranking.fit.coefficient_standard_errors
    np.testing.assert_allclose(errors, known.fit.coefficient_standard_errors, rtol=0.25)
    assert (np.abs(ranking.fit.coefficients - known.fit.coefficients) < 0.3 * errors).all()
    assert bool(ranking.fit.position_standard_error) is position
    assert ranking._uncertainty.samples.shape[1] == 6


def test_draws_move_with_the_scale() -> None:
    """An interval on Elo's scale is the same interval; by draws its ends are those of draws on that scale."""
    low, high = DEFAULT.confidence_interval()
    factor = 400 / math.log(10)
    for options in ({}, {"initial": 1000.0, "anchor": "cedar"}):
        ranking = DEFAULT.on_elo_scale(**options)
        origin = ranking.scores[0] - factor * DEFAULT.scores[0]
        found = ranking.confidence_interval()
        np.testing.assert_allclose(found.low, low * factor + origin, rtol=1e-9)
        np.testing.assert_allclose(found.high, high * factor + origin, rtol=1e-9)
        assert ((found.low < ranking.scores) & (ranking.scores < found.high)).all()
        np.testing.assert_array_equal(ranking.top_k_probability(2), DEFAULT.top_k_probability(2))
        np.testing.assert_array_equal(ranking.rank_interval().low, DEFAULT.rank_interval().low)


# --- resamples ---


@pytest.mark.parametrize("spread", [0.0, 0.8, 2.5])
def test_a_bootstrap_has_the_scores_and_about_the_errors_of_the_default_call(spread) -> None:
    """Level scores are drawn together, so that resamples alone would hardly vary."""
    votes = votes_of(3, n_votes=300, spread=spread)
    ranking = pv.bradley_terry(votes)
    resampled = pv.bootstrap(votes, n_resamples=400, rng=0)
    np.testing.assert_array_equal(resampled.scores, ranking.scores)
    assert resampled.fit.prior_sd.learned
    ratios = resampled.standard_errors / ranking.standard_errors
    assert 0.7 < ratios.min() < ratios.max() < 1.4
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)
    if not spread:
        sd = ranking.fit._posterior.model.prior_sd
        alone = pv.bootstrap(votes, n_resamples=100, rng=0, prior_sd=sd).standard_errors
        assert (alone < 0.7 * resampled.standard_errors).all()


def test_a_bootstrap_draws_no_chain_for_a_resample(monkeypatch) -> None:
    from pairvote._kernels import mixture

    runs = []
    sample = mixture.sample

    def counting(*arguments: Any) -> None:
        runs.append(arguments)
        sample(*arguments)

    monkeypatch.setattr(mixture, "sample", counting)
    pv.bradley_terry(VOTES)
    once = len(runs)
    pv.bootstrap(VOTES, n_resamples=60, rng=0)
    assert len(runs) == 2 * once
    asked = np.where(np.arange(120) % 2 > 0, "new", "useful")
    both = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=list(LABELS), criterion=asked)
    runs.clear()
    ranking = pv.bootstrap(both, criteria={"new": 1, "useful": 1}, n_resamples=60, rng=0)
    assert len(runs) < 60
    expected = pv.bradley_terry(both, criteria={"new": 1, "useful": 1})
    np.testing.assert_array_equal(ranking.scores, expected.scores)
    assert 0.6 < np.mean(ranking.standard_errors / expected.standard_errors) < 1.4


def test_jobs_do_not_change_a_bit_of_a_bootstrap() -> None:
    one, two = (pv.bootstrap(VOTES, n_resamples=60, rng=5, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one._uncertainty.samples, two._uncertainty.samples)
    np.testing.assert_array_equal(one.scores, DEFAULT.scores)


# --- the default call always answers ---

LIVE: dict[str, tuple[list[tuple[int, int, int]], int]] = {
    "no items": ([], 0),
    "one item": ([], 1),
    "no votes": ([], 3),
    "one vote": ([(0, 1, LEFT)], 2),
    "one vote of three items": ([(0, 1, LEFT)], 3),
    "a tie": ([(0, 1, TIE)], 2),
    "a skip": ([(0, 1, SKIP)], 3),
    "all ties": ([(0, 1, TIE), (1, 2, TIE), (2, 0, TIE)] * 5, 3),
    "left always": ([(0, 1, LEFT), (1, 2, LEFT), (2, 0, LEFT)] * 5, 3),
    "right always": ([(0, 1, RIGHT), (1, 2, RIGHT), (2, 0, RIGHT)] * 5, 3),
    "one winner": ([(0, 1, LEFT), (0, 2, LEFT)] * 20, 3),
    "two components": ([(0, 1, LEFT), (2, 3, RIGHT)], 5),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", LIVE)
def test_the_default_call_always_answers(name, ties, position) -> None:
    rows, n_items = LIVE[name]
    left, right, outcome = np.array(rows, np.int64).reshape(-1, 3).T
    votes = pv.Votes.from_codes(left, right, outcome, n_items=n_items)
    ranking = pv.bradley_terry(votes, ties=ties, position=position)
    fit = ranking.fit
    beside = [fit.tie_parameter, fit.tie_standard_error, fit.position_effect, fit.position_standard_error]
    assert np.isfinite([*ranking.scores, *ranking.standard_errors, *beside, fit.log_likelihood, fit.prior_share]).all()
    assert np.abs(ranking.scores).max(initial=0.0) < 10.0
    assert float(fit.prior_sd) > 0.0
    low, high = ranking.confidence_interval()
    assert np.isfinite([*low, *high]).all()
    assert (low <= ranking.scores).all()
    assert (ranking.scores <= high).all()
    assert len(ranking.to_columns()["item"]) == n_items
    assert "score" in str(ranking)
    assert "<table" in ranking._repr_html_()
    if n_items > 1:
        assert (ranking.standard_errors > 0.0).all()
        assert ranking.difference(0, 1).standard_error > 0.0
    if n_items:
        assert ranking.top_k_probability(1).sum() == pytest.approx(1.0)
        low, high = ranking.rank_interval()
        assert ((low >= 1) & (low <= high) & (high <= n_items)).all()
        assert ranking.tiers().min() == 1
    if name == "left always" and position:
        assert 0.5 < fit.position_effect < 8.0
    if name in ("no votes", "a skip") and position:
        assert fit.position_standard_error == pytest.approx(3.0, rel=0.2)
    if rows and n_items > 1 and (name, ties) != ("all ties", "half"):
        with pytest.raises(pv.NotIdentifiedError):
            pv.bradley_terry(votes, ties=ties, position=True, prior_sd=math.inf)


@pytest.mark.parametrize("name", [name for name in LIVE if name != "no items"])
@pytest.mark.parametrize("uncertainty", ["sandwich", "none"])
def test_so_do_other_errors(name, uncertainty) -> None:
    rows, n_items = LIVE[name]
    left, right, outcome = np.array(rows, np.int64).reshape(-1, 3).T
    votes = pv.Votes.from_codes(left, right, outcome, n_items=n_items)
    ranking = pv.bradley_terry(votes, uncertainty=uncertainty, position=True)
    np.testing.assert_array_equal(ranking.scores, pv.bradley_terry(votes, position=True).scores)
    assert np.isfinite(ranking.scores).all()
    assert "score" in str(ranking)
    if uncertainty == "sandwich":
        assert np.isfinite(ranking.standard_errors).all()
        assert np.isfinite([ranking.fit.tie_standard_error, ranking.fit.position_standard_error]).all()
