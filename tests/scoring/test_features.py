"""Scores that follow features of the items, held against regressions by hand, published fits and an exact sampler."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import numpy as np
import pytest
from exact_sampler import data_of, summary
from exact_sampler import sample as exact_sample
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import LIMITS, Limits
from pairvote._inference.outcomes import MODELS_BY_LINK
from pairvote.scoring._bradley_terry import ranked
from tests.scoring import published_features as published

Floats = NDArray[np.float64]
MODELS = [(link, ties) for link, models in MODELS_BY_LINK.items() for ties in models]
RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
LABELS = ("ash", "birch", "cedar", "elm", "fir", "oak", "pine", "yew")
FEATURES = np.array(
    [[1.0, 0.2], [0.3, -1.0], [-0.8, 0.4], [2.0, 1.1], [0.0, 0.0], [-1.5, 2.0], [0.7, -0.6], [1.1, 3.0]]
)


def votes_of(
    seed: int = 1, *, n_votes: int = 200, n_voted: int = 7, ties: float = 0.15, weight: bool = False, n_voters: int = 10
) -> pv.Votes:
    """Votes on the first items, whose strengths follow the first feature in part."""
    rng = np.random.default_rng(seed)
    strength = 0.7 * FEATURES[:, 0] + 0.4 * rng.normal(size=len(LABELS))
    left = rng.integers(n_voted, size=n_votes)
    right = (left + rng.integers(1, n_voted, size=n_votes)) % n_voted
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(strength[right] - strength[left])), LEFT, RIGHT)
    outcome[rng.random(n_votes) < ties] = TIE
    outcome[rng.random(n_votes) < 0.05] = SKIP
    return pv.Votes.from_codes(
        left,
        right,
        outcome,
        items=LABELS,
        voter=rng.integers(n_voters, size=n_votes),
        weight=rng.integers(1, 4, size=n_votes).astype(float) if weight else None,
    )


VOTES = votes_of()


# --- the slow, obvious version: a regression over (u, log nu, position effect, b) by finite differences ---


class Regression:
    """Davidson's model of single votes with the design [I X], its maximum by Newton's steps on numeric derivatives."""

    def __init__(
        self,
        votes: pv.Votes,
        features: Floats,
        prior_sd: float,
        *,
        position: bool = False,
        covariate: Floats | None = None,
    ) -> None:
        asked = votes.outcome != SKIP
        self.left, self.right, self.outcome = votes.left[asked], votes.right[asked], votes.outcome[asked]
        self.weight = np.ones(len(self.left)) if votes.weight is None else votes.weight[asked]
        n_items, n = votes.n_items, len(self.left)
        differences = features[self.left] - features[self.right]
        own = np.empty((n, 0)) if covariate is None else covariate[asked][:, None]
        effects = np.hstack([np.ones((n, int(position))), own, differences])
        self.n_items, self.n_features, self.has_remainder = n_items, features.shape[1], prior_sd > 0
        ends = np.zeros((n, n_items))
        ends[np.arange(n), self.left] += 1.0
        ends[np.arange(n), self.right] -= 1.0
        self.has_tie = int((self.outcome == TIE).any())
        self.first = n_items * self.has_remainder
        self.design = np.hstack([ends, effects]) if self.has_remainder else effects
        size = self.design.shape[1] + self.has_tie
        self.precision, self.centre = np.zeros((size, size)), np.zeros(size)
        if self.has_remainder:
            self.precision[: self.first, : self.first] = np.eye(n_items) / prior_sd**2
            moments = (self.weight * effects.T) @ effects / self.weight.sum()
            self.precision[self.first : size - self.has_tie, self.first : size - self.has_tie] = moments / 9.0
            if self.has_tie:
                self.precision[-1, -1], self.centre[-1] = 1 / 9.0, math.log(2.0)
        self.parameters = np.zeros(size)
        for _ in range(60):
            gradient, hessian, _ = self.derivatives(self.parameters)
            step = np.linalg.solve(hessian, gradient)
            self.parameters += step * min(1.0, 1.0 / np.abs(step).max())
        self.inverse = np.linalg.inv(self.derivatives(self.parameters)[1])
        # Scores are centred in the end.
        self.table = features - features.mean(axis=0)
        centring = np.eye(n_items) - 1.0 / n_items
        whole = np.zeros((n_items, size))
        if self.has_remainder:
            whole[:, :n_items] = centring
        last = size - self.has_tie
        whole[:, last - self.n_features : last] = self.table
        self.to_scores = whole
        self.scores = whole @ self.parameters
        self.coefficients = self.parameters[last - self.n_features : last]
        self.coefficient_inverse = self.inverse[last - self.n_features : last, last - self.n_features : last]

    def derivatives(self, parameters: Floats) -> tuple[Floats, Floats, Floats]:
        """Gradient and negative Hessian of the log-posterior, and the gradient of each vote."""
        d = self.design @ parameters[: self.design.shape[1]]
        nu = math.exp(parameters[-1]) if self.has_tie else 0.0
        weights = np.array([np.exp(-d / 2), np.full(len(d), nu), np.exp(d / 2)])
        right, tie, left = weights / weights.sum(axis=0)
        x = np.choose(self.outcome, [-0.5, 0.0, 0.5]) - 0.5 * (left - right)
        directions = np.hstack([self.design, np.zeros((len(d), self.has_tie))])
        rows = x[:, None] * directions
        information = ((self.weight * (0.25 * (left + right) - 0.25 * (left - right) ** 2)) * directions.T) @ directions
        if self.has_tie:
            rows[:, -1] += (self.outcome == TIE) - tie
            both = (self.weight * -0.5 * (left - right) * tie) @ directions
            information[-1, :] += both
            information[:, -1] += both
            information[-1, -1] += self.weight @ (tie * (1 - tie))
        gradient = self.weight @ rows - self.precision @ (parameters - self.centre)
        return gradient, information + self.precision, rows


@pytest.mark.parametrize("prior_sd", [0.4, 2.0, 0.0])
@pytest.mark.parametrize("options", [{}, {"position": True}, {"covariate": True}, {"weight": True, "position": True}])
def test_a_fit_is_the_regression_by_hand(options, prior_sd) -> None:
    votes = votes_of(3, weight=options.get("weight", False))
    position = options.get("position", False)
    covariate = np.random.default_rng(5).normal(size=len(votes)) if options.get("covariate") else None
    known = Regression(votes, FEATURES, prior_sd, position=position, covariate=covariate)
    ranking = pv.bradley_terry(
        votes, item_covariates=FEATURES, prior_sd=prior_sd, position=position, covariates=covariate
    )
    np.testing.assert_allclose(ranking.scores, known.scores, atol=1e-8)
    np.testing.assert_allclose(ranking.features.coefficients, known.coefficients, atol=1e-8)
    assert math.log(ranking.fit.tie_parameter) == pytest.approx(known.parameters[-1], abs=1e-8)
    if position:
        assert ranking.fit.position_effect == pytest.approx(known.parameters[known.first], abs=1e-8)
    if covariate is not None:
        assert ranking.fit.coefficients == pytest.approx(known.parameters[known.first : known.first + 1], abs=1e-8)
        assert ranking.fit.coefficient_standard_errors == pytest.approx(
            math.sqrt(known.inverse[known.first, known.first]), rel=1e-7
        )
    covariance = known.to_scores @ known.inverse @ known.to_scores.T
    np.testing.assert_allclose(ranking.covariance, covariance, atol=1e-8)
    np.testing.assert_allclose(ranking.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-7)
    np.testing.assert_allclose(ranking.features.covariance, known.coefficient_inverse, rtol=1e-6, atol=1e-10)
    ahead = covariance[0, 0] + covariance[7, 7] - 2 * covariance[0, 7]
    assert ranking.difference("ash", "yew").standard_error == pytest.approx(math.sqrt(ahead), rel=1e-7)
    assert float(ranking.fit.prior_sd) == prior_sd


@pytest.mark.parametrize("prior_sd", [0.8, 0.0])
def test_sandwich_errors_are_those_of_the_regression_by_hand(prior_sd) -> None:
    known = Regression(VOTES, FEATURES, prior_sd)
    rows = known.derivatives(known.parameters)[2]
    middle = rows.T @ rows + known.precision
    covariance = known.to_scores @ known.inverse @ middle @ known.inverse @ known.to_scores.T
    ranking = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=prior_sd, uncertainty="sandwich")
    np.testing.assert_allclose(ranking.covariance, covariance, atol=1e-9)


def test_errors_between_voters_are_about_those_of_the_regression_by_hand() -> None:
    """Without the correction for few clusters they are the sums of the gradients of each voter."""
    votes = votes_of(4, n_votes=1500, n_voters=300)
    known = Regression(votes, FEATURES, 0.0)
    rows = known.derivatives(known.parameters)[2]
    voter = votes.voter[votes.outcome != SKIP]
    sums = np.array([rows[voter == v].sum(axis=0) for v in np.unique(voter)])
    errors = np.sqrt(np.diag(known.to_scores @ known.inverse @ sums.T @ sums @ known.inverse @ known.to_scores.T))
    for prior_sd, slack in ((0.0, 0.01), (1e-4, 0.01)):
        ranking = pv.bradley_terry(votes, item_covariates=FEATURES, prior_sd=prior_sd, uncertainty="by-voter")
        np.testing.assert_allclose(ranking.standard_errors, errors, rtol=slack)
        assert 150 < ranking.fit.degrees_of_freedom < 300 or prior_sd


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
@pytest.mark.parametrize("position", [False, True])
def test_under_a_learned_prior_scores_are_those_of_the_exact_sampler(position) -> None:
    """Coefficients of differences of features are those of covariates, which the exact sampler knows."""
    votes = votes_of(6, n_votes=120, n_voted=8, ties=0.0)
    answered = votes.where(votes.outcome != SKIP)
    rows = [
        (int(i), int(j), int(y), 1.0) for i, j, y in zip(answered.left, answered.right, answered.outcome, strict=True)
    ]
    differences = FEATURES[answered.left] - FEATURES[answered.right]
    data = data_of(rows, 8, position=position, covariates=differences)
    exact = exact_sample(data, n_draws=400, n_warm_up=400, seed=3)
    # Theirs are of covariates divided by their largest size.
    coefficients = exact.effects[..., int(position) :] / np.abs(differences).max(axis=0)
    table = FEATURES - FEATURES.mean(axis=0)
    scores = summary(exact.scores + coefficients @ table.T)
    known = summary(coefficients)
    assert (scores.mean_error < 0.03 * scores.sd).all()
    ranking = pv.bradley_terry(votes, item_covariates=FEATURES, position=position)
    assert np.abs((ranking.scores - scores.mean) / scores.sd).max() < 0.2
    np.testing.assert_allclose(ranking.standard_errors, scores.sd, rtol=0.2)
    assert np.abs((ranking.features.coefficients - known.mean) / known.sd).max() < 0.2
    np.testing.assert_allclose(ranking.features.standard_errors, known.sd, rtol=0.2)


# --- published ---


def test_chameleons_by_the_direct_way() -> None:
    """Stuart-Fox et al. (2006), table 3: contests won before, residual casque height and the size of the main patch.

    To six digits by BradleyTerry2 1.1-2 with a random effect of variance 0.
    """
    contests = re.findall(r"(\d+)-(\d+)(?::(-?\d+))?", published.CONTESTS)
    measured = {
        f"C{name}": (float(a), float(b)) for name, a, b in (row.split(":") for row in published.CHAMELEONS.split())
    }
    votes = pv.Votes.from_wins([f"C{a}" for a, _, _ in contests], [f"C{b}" for _, b, _ in contests])
    won_before = [float(more or 0) for *_, more in contests]
    assert (len(votes), len(measured)) == (106, 35)
    options = {"covariates": won_before, "item_covariates": measured, "prior_sd": 0}
    ranking = pv.bradley_terry(votes, **options)
    assert ranking.fit.coefficients == pytest.approx([2.3812955942262], abs=1e-6)
    assert ranking.fit.coefficient_standard_errors == pytest.approx([0.484946529834574], abs=1e-6)
    np.testing.assert_allclose(ranking.features.coefficients, [0.609311520824365, 0.0892796886784111], atol=1e-6)
    np.testing.assert_allclose(ranking.features.standard_errors, [0.277731192984022, 0.0438199016134848], atol=1e-6)
    # A remainder pressed to nothing is none; beside it coefficients have a weak prior, worth half a vote.
    pressed = pv.bradley_terry(votes, **options | {"prior_sd": 1e-6})
    np.testing.assert_allclose(pressed.features.coefficients, ranking.features.coefficients, rtol=0.05)


def lizards() -> tuple[pv.Votes, dict[str, list[float]]]:
    """Fights and measurements; two lizards that were measured in part have a score of their own, by a feature."""
    measured = {}
    for row in published.LIZARDS.split():
        name, *values = row.split(":")
        own = [float(name == "096"), float(name == "099")]
        measured[name] = [0.0 if value == "-" or any(own) else float(value) for value in values] + own
    fights = [fight.split("-") for fight in published.FIGHTS.split()]
    assert (len(fights), len(measured)) == (100, 77)
    winners, losers = zip(*fights, strict=True)
    return pv.Votes.from_wins(winners, losers, items=list(measured)), measured


def test_flat_lizards_by_the_direct_way() -> None:
    """Whiting et al. (2006), table 1. Lizard 96 won all its fights, which have no say then."""
    votes, measured = lizards()
    with pytest.raises(pv.NotIdentifiedError, match="no finite estimate by maximum likelihood"):
        pv.bradley_terry(votes, item_covariates=measured, prior_sd=0)
    others = votes.where((votes.left != votes.items.index("096")) & (votes.right != votes.items.index("096")))
    features = pv.bradley_terry(
        others, item_covariates={k: row[:4] + row[5:] for k, row in measured.items()}, prior_sd=0
    ).features
    np.testing.assert_array_equal(features.coefficients[:4].round(2), [-0.09, 0.34, -1.13, 0.19])
    np.testing.assert_array_equal(features.standard_errors[:4].round(2), [0.03, 0.11, 0.49, 0.1])
    chi_square = (features.coefficients / features.standard_errors)[:4] ** 2
    np.testing.assert_allclose(chi_square, [10.3, 9.5, 5.2, 3.6], atol=0.15)


def test_flat_lizards_with_a_remainder_of_the_published_spread() -> None:
    """Turner and Firth (2012), section 3.3, and the printed fit of BradleyTerry2's own test of these data.

    It is by penalised quasi-likelihood, whose maximum for a known spread is ours.

    The weak prior of coefficients, which BradleyTerry2 has not, moves them by a tenth of a standard error.
    """
    votes, measured = lizards()
    features = pv.bradley_terry(votes, item_covariates=measured, prior_sd=1.1099).features
    printed, errors = [-0.08689, 0.3735, -1.382, 0.1722], np.array([0.0412, 0.1527, 0.739, 0.1373])
    assert (np.abs(features.coefficients[:4] - printed) < 0.15 * errors).all()
    np.testing.assert_allclose(features.standard_errors[:4], errors, rtol=0.03)


# --- other links, answers in order ---


@pytest.mark.parametrize("prior_sd", [0.7, 0])
def test_by_the_probit_link_a_fit_is_the_regression_by_hand(prior_sd) -> None:
    from scipy.optimize import minimize
    from scipy.stats import norm

    votes = VOTES.where(VOTES.outcome != SKIP)
    votes = votes.where(votes.outcome != TIE)
    differences = FEATURES[votes.left] - FEATURES[votes.right]
    moments = differences.T @ differences / len(votes)
    sign = votes.outcome.astype(float) - 1.0
    # One unit of the scores is 4 phi(0) log-odds, and so is that of the weak prior.
    weak = (3.0 / (4.0 * norm.pdf(0.0))) ** -2.0

    def loss(parameters: Floats) -> float:
        u, b = parameters[:8] * bool(prior_sd), parameters[8:]
        value = -norm.logcdf(sign * (u[votes.left] - u[votes.right] + differences @ b)).sum()
        return float(value + (0.5 * u @ u / prior_sd**2 + 0.5 * weak * b @ moments @ b if prior_sd else 0.0))

    known = minimize(loss, np.zeros(10), method="BFGS", options={"gtol": 1e-9}).x
    ranking = pv.bradley_terry(votes, item_covariates=FEATURES, prior_sd=prior_sd, link="probit")
    np.testing.assert_allclose(ranking.features.coefficients, known[8:], atol=1e-5)
    scores = known[:8] * bool(prior_sd) + FEATURES @ known[8:]
    np.testing.assert_allclose(ranking.scores, scores - scores.mean(), atol=1e-5)
    assert ranking.features.unit == "probit"
    assert "probit a unit" in str(ranking.features)


@pytest.mark.parametrize("prior_sd", ["learned", 0.7, 0])
def test_graded_answers_in_order_go_with_features(prior_sd) -> None:
    rng = np.random.default_rng(12)
    left, right = np.array(LABELS)[VOTES.left], np.array(LABELS)[VOTES.right]
    gap = FEATURES[VOTES.left, 0] - FEATURES[VOTES.right, 0]
    share = np.clip(np.round(0.5 + 0.15 * gap + 0.2 * rng.normal(size=len(gap)), 1) * 4, 0, 4).round() / 4
    votes = pv.Votes.from_labels(left, right, share, outcomes="share", items=LABELS)
    ranking = pv.bradley_terry(votes, item_covariates=FEATURES, prior_sd=prior_sd, ties="cumulative")
    assert ranking.features.confidence_interval().low[0] > 0.0
    assert len(ranking.fit.thresholds) == 2
    assert (ranking.standard_errors > 0.0).all()


# --- laws ---


def numbers_of(ranking: pv.Ranking) -> list[Any]:
    fit, features = ranking.fit, ranking.features
    said = [ranking.scores, ranking.covariance, *ranking.confidence_interval(), *features.confidence_interval()]
    return [*said, features.coefficients, features.standard_errors, fit.tie_parameter, float(fit.prior_sd)]


def assert_same(found: pv.Ranking, expected: pv.Ranking, *, rtol: float = 1e-6, atol: float = 1e-8) -> None:
    for one, other in zip(numbers_of(found), numbers_of(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


ALL_PRIORS = pytest.mark.parametrize("prior_sd", ["learned", 0.7, 0])


@ALL_PRIORS
@pytest.mark.parametrize(("link", "ties"), MODELS)
def test_which_side_was_left_and_the_order_of_votes_do_not_matter(link, ties, prior_sd) -> None:
    options = {"item_covariates": FEATURES, "prior_sd": prior_sd, "link": link, "ties": ties, "uncertainty": "model"}
    expected = pv.bradley_terry(VOTES, **options)
    turned = np.where(VOTES.outcome == SKIP, SKIP, 2 - VOTES.outcome).astype(int)
    mirrored = pv.Votes.from_codes(VOTES.right, VOTES.left, turned, items=LABELS)
    shuffled = VOTES._take(np.random.default_rng(0).permutation(len(VOTES)))
    for votes in (mirrored, shuffled, VOTES.counts()):
        assert_same(pv.bradley_terry(votes, **options), expected)


@ALL_PRIORS
def test_units_and_origins_of_features_do_not_matter(prior_sd) -> None:
    expected = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=prior_sd)
    other = pv.bradley_terry(VOTES, item_covariates=1e6 + 250.0 * FEATURES, prior_sd=prior_sd)
    np.testing.assert_allclose(other.scores, expected.scores, atol=1e-6)
    np.testing.assert_allclose(other.standard_errors, expected.standard_errors, atol=1e-6)
    np.testing.assert_allclose(250.0 * other.features.coefficients, expected.features.coefficients, atol=1e-6)
    np.testing.assert_allclose(250.0 * other.features.standard_errors, expected.features.standard_errors, atol=1e-6)


@pytest.mark.parametrize("prior_sd", [0.7, 0])
def test_labels_permute_and_a_mapping_has_any_order(prior_sd) -> None:
    expected = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=prior_sd)
    places = np.random.default_rng(2).permutation(8)
    items = np.empty(8, object)
    items[places] = LABELS
    votes = pv.Votes.from_codes(places[VOTES.left], places[VOTES.right], VOTES.outcome, items=items.tolist())
    mapping = {label: {"length": a, "cost": b} for label, (a, b) in zip(LABELS, FEATURES.tolist(), strict=True)}
    found = pv.bradley_terry(votes, item_covariates=mapping, prior_sd=prior_sd)
    np.testing.assert_allclose(found.scores[places], expected.scores, atol=1e-8)
    assert found.features.names == ("length", "cost")
    np.testing.assert_allclose(found.features.coefficients, expected.features.coefficients, atol=1e-8)


@pytest.mark.parametrize("prior_sd", ["learned", 0.7, 0])
def test_a_vote_of_weight_two_is_two_votes_and_one_of_weight_zero_none(prior_sd) -> None:
    rng = np.random.default_rng(8)
    weight = rng.integers(0, 3, size=len(VOTES)).astype(float)
    weighted = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, weight=weight)
    repeated = VOTES._take(np.repeat(np.arange(len(VOTES)), weight.astype(int)))
    options = {"item_covariates": FEATURES, "prior_sd": prior_sd}
    assert_same(pv.bradley_terry(weighted, **options), pv.bradley_terry(repeated, **options))


def test_a_feature_that_says_nothing_leaves_scores_about_as_they_are() -> None:
    """With a wide prior the remainder takes what features would."""
    plain = pv.bradley_terry(VOTES, prior_sd=30.0).only(LABELS[:7])
    ranking = pv.bradley_terry(VOTES, prior_sd=30.0, item_covariates=FEATURES).only(LABELS[:7])
    gap = (ranking.scores - ranking.scores.mean()) - (plain.scores - plain.scores.mean())
    assert np.abs(gap).max() < 0.1 * plain.standard_errors.min()


def test_an_item_without_votes_has_its_score_from_features_and_the_error_of_a_remainder() -> None:
    """By hand: x'b for the score, and x' Cov(b) x + sd^2 (1 - 1/n)^2 and so on for its variance, here far away."""
    ranking = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=0.7)
    table = FEATURES - FEATURES.mean(axis=0)
    remainder = ranking.scores - table @ ranking.features.coefficients
    assert remainder.sum() == pytest.approx(0.0, abs=1e-9)
    # Seven remainders and that of the item without votes, which is 0 before they are centred.
    assert remainder[7] == pytest.approx(-remainder[:7].sum(), abs=1e-9)
    errors = ranking.standard_errors
    assert errors[7] > 0.6 > errors[:7].max()
    text = str(ranking)
    assert "1 item has no vote, and a score by features alone: yew" in text
    assert "scores follow 2 features and a remainder" in text
    assert "yew" not in ranking.top(8)
    assert "yew" in ranking.top(8, unvoted=True)
    assert ranking.only(["yew", "ash"]).features is ranking.features


@pytest.mark.parametrize("prior_sd", ["learned", 0.7, 0])
def test_a_prediction_is_the_score_of_an_item_without_votes(prior_sd) -> None:
    """Beside the mean of the others, whether or not it was there when the votes were made."""
    votes = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS[:7])
    there = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=prior_sd)
    named = {label: {"a": row[0], "b": row[1]} for label, row in zip(LABELS, FEATURES.tolist(), strict=True)}
    new = {"yew": named.pop("yew")}
    features = pv.bradley_terry(votes, item_covariates=named, prior_sd=prior_sd).features
    found = features.predict({"yew": dict(reversed(new["yew"].items())), "larch": {"a": 0.0, "b": 0.0}})
    contrast = np.append(np.full(7, -1 / 7), 1.0)
    error = math.sqrt(contrast @ there.covariance @ contrast)
    slack = 0.15 if prior_sd == "learned" else 1e-7
    assert found.scores[0] == pytest.approx(contrast @ there.scores, abs=slack * error)
    assert found.standard_errors[0] == pytest.approx(error, rel=slack)
    assert found.items == ("yew", "larch")
    low, high = found.confidence_interval(0.9)
    assert (low < found.scores).all()
    assert high[0] - low[0] == pytest.approx(2 * 1.645 * error, rel=max(slack, 1e-3))
    by_row = features.predict([list(new["yew"].values())])
    assert by_row.items == (0,)
    np.testing.assert_allclose(by_row.scores, found.scores[:1], atol=slack * error)
    assert found.to_columns()["item"] == ["yew", "larch"]
    assert "yew" in str(found)
    assert "<table" in found._repr_html_()


def test_a_prediction_by_other_features_is_refused() -> None:
    named = {label: {"a": row[0], "b": row[1]} for label, row in zip(LABELS, FEATURES.tolist(), strict=True)}
    features = pv.bradley_terry(VOTES, item_covariates=named, prior_sd=1.0).features
    for rows in ([[1.0]], {"new": 1.0}, {"new": {"a": 1.0, "c": 2.0}}, {"new": {"a": 1.0}}, {}, [], [["x", "y"]]):
        with pytest.raises(pv.InputError, match="item_covariates"):
            features.predict(rows)
    silent = pv.bradley_terry(VOTES, item_covariates=named, prior_sd=1.0, uncertainty="none").features
    with pytest.raises(pv.MissingUncertaintyError):
        silent.predict({"new": {"a": 1.0, "b": 2.0}})


def test_components_are_compared_by_features_and_print_says_so() -> None:
    votes = pv.Votes.from_wins(["ash", "birch", "cedar", "elm"] * 4, ["birch", "ash", "elm", "cedar"] * 4)
    ranking = pv.bradley_terry(
        votes, item_covariates={"ash": 1.0, "birch": 2.0, "cedar": 5.0, "elm": 6.5}, prior_sd=1.0
    )
    assert "no vote joins the 2 components, so how they compare is known by features alone" in str(ranking)


def test_criteria_and_a_criterion_are_scored_by_features() -> None:
    rng = np.random.default_rng(1)
    asked = rng.choice(np.array(["new", "useful"]), size=len(VOTES))
    votes = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, criterion=asked)
    options = {"item_covariates": FEATURES, "prior_sd": 0.7}
    alone = [pv.bradley_terry(votes, criterion=label, **options) for label in ("new", "useful")]
    own = pv.bradley_terry(votes.select("new"), **options)
    np.testing.assert_allclose(alone[0].scores, own.scores, atol=1e-9)
    both = pv.bradley_terry(votes, criteria={"new": 1, "useful": 3}, **options)
    np.testing.assert_allclose(both.scores, 0.25 * alone[0].scores + 0.75 * alone[1].scores, atol=1e-12)
    np.testing.assert_allclose(both.covariance, alone[0].covariance / 16 + alone[1].covariance * 9 / 16, atol=1e-12)


@pytest.mark.parametrize("prior_sd", ["learned", 0.7, 0])
def test_graded_votes_and_importance_weights(prior_sd) -> None:
    rng = np.random.default_rng(2)
    left, right = np.array(LABELS)[VOTES.left], np.array(LABELS)[VOTES.right]
    graded = pv.Votes.from_labels(left, right, rng.random(len(left)), outcomes="share", items=LABELS)
    ranking = pv.bradley_terry(graded, item_covariates=FEATURES, prior_sd=prior_sd)
    assert ranking.fit.uncertainty == "sandwich"
    assert 0.1 < ranking.fit.dispersion < 0.6
    weight = rng.uniform(0.5, 2.0, size=len(VOTES))
    weighed = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, weight=weight)
    options = {"item_covariates": FEATURES, "prior_sd": prior_sd, "weights": "sampling"}
    expected = pv.bradley_terry(weighed, **options)
    larger = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, weight=1e4 * weight)
    assert_same(pv.bradley_terry(larger, **options), expected)
    assert (expected.standard_errors > 0.0).all()


def test_many_items_have_the_variances_of_a_dense_fit() -> None:
    """Above the size of a table of covariances they come from solves, one for each coefficient."""
    rng = np.random.default_rng(0)
    n_items, n_votes = 60, 500
    features = rng.normal(size=(n_items, 2))
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    strength = features[:, 0] + rng.normal(size=n_items)
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(strength[right] - strength[left])), LEFT, RIGHT)
    votes = pv.Votes.from_codes(left, right, outcome, n_items=n_items)

    def fitted(prior_sd: Any, limits: Limits) -> pv.Ranking:
        return ranked(
            votes, ties="davidson", prior_sd=prior_sd, position=False, covariates=None, uncertainty="model", start=None,
            tol=1e-9, max_iter=100, criterion=None, limits=limits, item_covariates=features,
        )  # fmt: skip

    few = Limits(dense_items=20, table_items=20, sampled_items=20)
    for prior_sd in (1.0, 0, "learned"):
        dense, many = (fitted(prior_sd, limits) for limits in (LIMITS, few))
        rtol = 0.2 if prior_sd == "learned" else 0.05
        within = np.abs(many.standard_errors / dense.standard_errors - 1.0) < rtol
        # Draws know more of how skew the posterior of an item is that lost or won nearly all.
        assert within.mean() > (0.95 if prior_sd == "learned" else 0.999)
        # Under a learned prior the maximum alone would be up to 0.75 standard errors too small.
        slack = (0.35 if prior_sd == "learned" else 0.1) * dense.features.standard_errors
        assert (np.abs(many.features.coefficients - dense.features.coefficients) < slack).all()
        np.testing.assert_allclose(many.features.standard_errors, dense.features.standard_errors, rtol=rtol)


def test_results_are_read_only_pickle_and_print() -> None:
    ranking = pv.bradley_terry(VOTES, item_covariates=FEATURES)
    assert ranking.fit.prior_sd.learned
    again = pickle.loads(pickle.dumps(ranking))
    assert_same(again, ranking, rtol=0, atol=0)
    for array in (again.features.coefficients, again.features.covariance):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    text = str(ranking.features)
    assert text.splitlines()[0].split() == ["feature", "log-odds", "a", "unit", "95%", "interval"]
    assert "remainder, whose spread was learned" in text
    assert "<table" in ranking.features._repr_html_()
    columns = ranking.features.to_columns()
    assert columns["feature"] == ["feature 0", "feature 1"]
    assert columns["low"][0] < columns["coefficient"][0] < columns["high"][0]
    elo = ranking.on_elo_scale()
    np.testing.assert_allclose(elo.standard_errors / ranking.standard_errors, 400 / math.log(10), rtol=1e-12)
    silent = pv.bradley_terry(VOTES, item_covariates=FEATURES, uncertainty="none")
    assert "low" not in silent.features.to_columns()
    with pytest.raises(pv.MissingUncertaintyError, match="uncertainty='model'"):
        silent.features.standard_errors  # noqa: B018


# --- what cannot be ---


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (FEATURES[:5], "5 rows and the votes have 8 items"),
        (np.empty((8, 0)), r"shape \(8, 0\)"),
        (np.zeros((8, 2, 2)), "shape"),
        (["long"] * 8, "pass numbers"),
        (np.where(FEATURES > 2.5, np.nan, FEATURES), "row 7, column 1 is nan"),
        (3.0, "shape"),
        (1e-150 * FEATURES, "measure it in another unit"),
        (1e150 * FEATURES, "measure it in another unit"),
        ({"ash": 1.0}, "no row for 'birch' and 6 more items"),
        (dict.fromkeys([*LABELS, "larch"], 1.0), "'larch', which is no item"),
        ({label: [1.0] * (1 + (label == "elm")) for label in LABELS}, "different lengths|shape|array"),
        (
            {label: {"a": 1.0, "b": 2.0} if label != "elm" else {"a": 1.0} for label in LABELS},
            "'elm' in item_covariates",
        ),
        ({label: {"a": 1.0} if label != "elm" else 3.0 for label in LABELS}, "'elm' in item_covariates"),
        ({label: {} for label in LABELS}, "'ash' in item_covariates has none"),
        ({label: {"a": "long"} for label in LABELS}, "pass numbers"),
        (None, None),
    ],
)
def test_features_that_cannot_be_are_refused(given, message) -> None:
    if message is None:
        assert pv.bradley_terry(VOTES, item_covariates=given, prior_sd=1.0).features is None
        return
    with pytest.raises(pv.InputError, match=message):
        pv.bradley_terry(VOTES, item_covariates=given, prior_sd=1.0)


def test_a_data_frame_is_refused_and_its_remedy_works() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"item": LABELS[::-1], "length": FEATURES[::-1, 0]})
    with pytest.raises(pv.InputError, match=re.escape("frame.set_index('item').to_dict('index')")):
        pv.bradley_terry(VOTES, item_covariates=frame.set_index("item"), prior_sd=1.0)
    found = pv.bradley_terry(VOTES, item_covariates=frame.set_index("item").to_dict("index"), prior_sd=1.0)
    expected = pv.bradley_terry(VOTES, item_covariates=FEATURES[:, 0], prior_sd=1.0)
    np.testing.assert_array_equal(found.scores, expected.scores)


@ALL_PRIORS
def test_features_that_votes_do_not_determine_are_named(prior_sd) -> None:
    only_yew = np.zeros((8, 2))
    only_yew[:, 0], only_yew[7, 1] = FEATURES[:, 0], 1.0
    with pytest.raises(pv.NotIdentifiedError, match="feature 'feature 1' is the same for both items of every"):
        pv.bradley_terry(VOTES, item_covariates=only_yew, prior_sd=prior_sd)
    twice = np.column_stack([FEATURES, FEATURES @ [2.0, -1.0]])
    with pytest.raises(pv.NotIdentifiedError, match=r"feature 0.*feature 1.*feature 2.*follow from each other"):
        pv.bradley_terry(VOTES, item_covariates=twice, prior_sd=prior_sd)
    differences = FEATURES[VOTES.left, 0] - FEATURES[VOTES.right, 0]
    with pytest.raises(pv.NotIdentifiedError, match=r"covariate 0.*feature 0.*follow from each other"):
        pv.bradley_terry(VOTES, covariates=differences, item_covariates=FEATURES, prior_sd=prior_sd)
    nothing = pv.Votes.from_codes([0], [1], [SKIP], items=LABELS)
    with pytest.raises(pv.NotIdentifiedError, match="every answered vote"):
        pv.bradley_terry(nothing, item_covariates=FEATURES, prior_sd=prior_sd)
    with pytest.raises(pv.NotIdentifiedError, match="every answered vote"):
        pv.bradley_terry(pv.Votes.from_codes([], [], []), item_covariates=np.empty((0, 1)), prior_sd=prior_sd)


def test_maximum_likelihood_beside_scores_of_their_own_is_refused_and_both_remedies_work() -> None:
    with pytest.raises(pv.InputError, match=r"leave prior_sd out.*set it to 0"):
        pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=math.inf)
    for prior_sd in ("learned", 0):
        pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=prior_sd)
    with pytest.raises(pv.InputError, match="prior_sd is 0"):
        pv.bradley_terry(VOTES, prior_sd=0)
    for wrong in (-1.0, math.nan, "wide", False):
        with pytest.raises(pv.InputError, match="prior_sd is"):
            pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=wrong)


def test_features_that_separate_winners_are_refused_without_a_prior_and_the_remedy_works() -> None:
    votes = pv.Votes.from_wins(["ash", "ash", "birch"], ["birch", "cedar", "cedar"])
    features = {"ash": 3.0, "birch": 2.0, "cedar": 1.0}
    with pytest.raises(pv.NotIdentifiedError, match="leave prior_sd out"):
        pv.bradley_terry(votes, item_covariates=features, prior_sd=0)
    for options in ({}, {"prior_sd": 1.0}):
        assert pv.bradley_terry(votes, item_covariates=features, **options).features.coefficients[0] > 0
    ties = pv.Votes.from_labels(["ash", "birch"], ["birch", "cedar"], ["tie", "tie"])
    with pytest.raises(pv.NotIdentifiedError, match="all 2 votes are ties"):
        pv.bradley_terry(ties, item_covariates=features, prior_sd=0)
    with pytest.raises(pv.NotIdentifiedError, match="no answered vote says anything"):
        pv.bradley_terry(ties, item_covariates=features, prior_sd=0, ties="drop")
    for options in ({}, {"ties": "drop"}):
        assert np.isfinite(pv.bradley_terry(ties, item_covariates=features, **options).scores).all()


def test_a_direction_in_which_votes_hardly_speak_is_no_maximum() -> None:
    """The ties hold two of three parameters, and all that the right side won goes along with the third."""
    features = [[-0.284, -1.391], [-0.539, 0.659], [1.417, -0.623], [-0.904, 1.452], [-0.883, 2.074]]
    votes = pv.Votes.from_codes(
        [4, 2, 0, 4, 1, 2, 0], [2, 0, 1, 1, 2, 0, 4], [1, 0, 0, 0, 0, 1, 0], items=list("abcde")
    )
    for link in ("logistic", "probit"):
        with pytest.raises(pv.NotIdentifiedError, match="no finite estimate"):
            pv.bradley_terry(votes, item_covariates=features, prior_sd=0, ties="half", link=link, position=True)


def test_what_does_not_go_with_features_is_refused() -> None:
    with pytest.raises(pv.InputError, match=r"reliability is 'lapse'.*leave out reliability"):
        pv.bradley_terry(VOTES, item_covariates=FEATURES, reliability="lapse")
    with pytest.raises(pv.InputError, match=r"item_covariates is given, .*uncertainty='sandwich'"):
        pv.bootstrap(VOTES, "bradley-terry", item_covariates=FEATURES, n_resamples=5)
    ranking = pv.bradley_terry(VOTES, item_covariates=FEATURES, uncertainty="sandwich")
    assert ranking.fit.uncertainty == "sandwich"


def test_a_ranking_by_features_may_be_a_start() -> None:
    first = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=0.7)
    again = pv.bradley_terry(VOTES, item_covariates=FEATURES, prior_sd=0.7, start=first)
    assert_same(again, first)
    plain = pv.bradley_terry(VOTES, prior_sd=0.7)
    np.testing.assert_allclose(pv.bradley_terry(VOTES, prior_sd=0.7, start=first).scores, plain.scores, atol=1e-8)


def test_ties_that_are_dropped_leave_features_without_an_estimate() -> None:
    votes = pv.Votes.from_labels(["a", "b"], ["b", "c"], ["tie", "tie"])
    options = {"item_covariates": {"a": 1.0, "b": 2.0, "c": 4.0}, "prior_sd": 0}
    with pytest.raises(pv.NotIdentifiedError):
        pv.bradley_terry(votes, ties="drop", **options)


def test_a_series_is_asked_for_its_labels() -> None:
    """Its rows may stand in any order; a lazy frame is not asked for its columns, which may take long."""
    pandas = pytest.importorskip("pandas")
    votes = pv.Votes.from_wins(["a", "b", "c", "a"], ["b", "c", "a", "c"])
    series = pandas.Series([4.0, 2.0, 1.0], index=["c", "b", "a"])
    with pytest.raises(pv.InputError, match=r"series\.to_dict\(\)"):
        pv.bradley_terry(votes, prior_sd=1.0, item_covariates=series)
    found = pv.bradley_terry(votes, prior_sd=1.0, item_covariates=series.to_dict())
    np.testing.assert_allclose(found.scores, pv.bradley_terry(votes, prior_sd=1.0, item_covariates=[1, 2, 4]).scores)
