"""Links and answers in order: held against reference.py, far out, and where answers have no maximum."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import reference
from numpy.typing import NDArray
from reference import InOrder
from scipy.stats import logistic, norm

import pairvote as pv
from pairvote._inference import Answered, LocalSums, Model, VoteRows, answer_counts
from pairvote._inference.outcomes.links import LINKS
from pairvote._inference.systems import dense_information

Floats = NDArray[np.float64]
NAMES = {"logistic": "cumulative", "probit": "probit cumulative"}
CASES = list(itertools.product(NAMES, (2, 3, 4, 5, 7), (False, True)))
N_ITEMS = 4


# --- links ---


def slopes(link: str, low: float, high: float) -> list[float]:
    """By complex steps: the derivatives by both ends, of log-chances that the reference has."""
    name, h = NAMES[link], 1e-30

    def chance(low: complex, high: complex) -> complex:
        if math.isinf(high.real):
            return reference.log_f(-low, name)
        return reference.log_f(high, name) if math.isinf(low.real) else reference.log_between(low, high, name)

    return [
        0.0 if math.isinf(low) else chance(complex(low, h), complex(high)).imag / h,
        0.0 if math.isinf(high) else chance(complex(low), complex(high, h)).imag / h,
    ]


ENDS = [(-3.0, -1.0), (-0.5, 2.0), (-700.0, 0.3), (-60.0, -59.5), (200.0, 201.0), (5.0, 5.5), (-0.01, 0.02)]
ENDS += [(-math.inf, x) for x in (-700.0, -40.0, -1.0, 0.0, 3.0, 30.0)]
ENDS += [(-high, -low) for low, high in ENDS]


def ends_of(low: float, high: float) -> tuple[Floats, Floats, Floats]:
    return np.array(low), np.array(high), np.array(high - low)


@pytest.mark.parametrize("link", NAMES)
@pytest.mark.parametrize(("low", "high"), ENDS)
def test_links_have_the_derivatives_of_their_chances(link, low, high) -> None:
    """The information by central differences of sixth order of the gradient, as `reference.curvatures` has them."""
    found = [float(value) for value in LINKS[link].derivatives(*ends_of(low, high))]
    assert found[:2] == pytest.approx(slopes(link, low, high), rel=1e-9, abs=1e-300)
    h, expected = min(0.01, 0.004 * (high - low)), np.zeros((2, 2))
    for end, (steps, factor), sign in itertools.product((0, 1), ((1, 45), (2, -9), (3, 1)), (1, -1)):
        step = sign * steps * h
        expected[end] -= sign * factor / (60 * h) * np.array(slopes(link, low + step * (end == 0), high + step * end))
    size = max(1.0, np.abs(expected).max())
    bounded = not math.isinf(low) and not math.isinf(high)
    low_twice, both, high_twice, shift, shift_twice = found[2:]
    np.testing.assert_allclose([low_twice, high_twice], np.diag(expected), rtol=1e-6, atol=1e-9 * size)
    np.testing.assert_allclose(both, expected[0, 1] if bounded else 0.0, rtol=1e-6, atol=1e-9 * size)
    assert shift == pytest.approx(found[0] + found[1], rel=1e-9, abs=1e-12 * abs(found[0]))
    assert shift_twice == pytest.approx(low_twice + 2 * both + high_twice, rel=1e-6, abs=1e-9 * size)


@pytest.mark.parametrize("x", [1e3, 1e5, 1e6])
def test_far_out_the_normal_tail_has_its_series(x) -> None:
    """log Phi(-x) = -x^2 / 2 - log(x sqrt(2 pi)) + log(1 - 1 / x^2 + ...), so the slope is x + 1 / x - 2 / x^3."""
    ends = ends_of(-math.inf, -x)
    found = LINKS["probit"].derivatives(*ends)
    assert found.high == pytest.approx(x + 1 / x - 2 / x**3, rel=1e-14)
    assert found.high_twice == pytest.approx(1.0, rel=1e-3)
    value = LINKS["probit"].log_chances(*ends)
    expected = -(x**2) / 2 - math.log(x * math.sqrt(2 * math.pi)) - 1 / x**2
    assert value == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("link", NAMES)
@pytest.mark.parametrize("width", [1e-4, 0.9e-5, 1e-7, 1e-12, 1e-100])
@pytest.mark.parametrize("x", [-300.0, -5.0, -0.1, 0.0, 1.0, 700.0])
def test_a_narrow_interval_has_its_width_times_the_density(link, x, width) -> None:
    """log P = log width + log f(x), of slope f'(x) / f(x) when both ends move, and information -(log f)''."""
    if link == "probit":
        density, slope, bend = -x * x / 2 - math.log(2 * math.pi) / 2, -x, 1.0
    else:
        density = -abs(x) - 2 * math.log1p(math.exp(-abs(x)))
        slope, bend = -math.tanh(x / 2), 2 * math.exp(-abs(x)) / (1 + math.exp(-abs(x))) ** 2
    # Far out both ends round to the same number.
    ends = np.array(x - width / 2), np.array(x + width / 2), np.array(width)
    value, found = LINKS[link].log_chances(*ends), LINKS[link].derivatives(*ends)
    assert value == pytest.approx(math.log(width) + density, rel=1e-9, abs=1e-5)
    assert found.shift == pytest.approx(slope, rel=1e-9, abs=1e-9)
    assert found.shift_twice == pytest.approx(bend, rel=1e-5)
    assert found.high == pytest.approx(1 / width, rel=0.2)


def test_a_certain_vote_has_as_little_information_from_either_side() -> None:
    """e^-d of a difference d, whichever side the rounding is on."""
    for d in (40.0, 100.0, 600.0):
        for side in (d, -d):
            found = LINKS["logistic"].derivatives(*ends_of(-math.inf, side))
            assert (found.high_twice, found.shift_twice) == pytest.approx([math.exp(-d)] * 2, rel=1e-12)


@pytest.mark.parametrize("link", NAMES)
@pytest.mark.parametrize("weight", [1e-3, 1e-8, 1e-13])
def test_an_answer_that_is_hardly_ever_given_has_a_narrow_interval(link, weight) -> None:
    """To first order as wide as its share of votes, over the density: the scores are those without it."""
    columns = [0, 1, 1, 0, 0], [1, 0, 2, 2, 1], [2, 2, 2, 0, 1]
    votes = pv.Votes.from_codes(*columns, n_items=3, weight=[5, 3, 4, 3, weight])
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=math.inf)
    decided = pv.bradley_terry(votes, ties="drop", link=link, prior_sd=math.inf)
    np.testing.assert_allclose(ranking.scores, decided.scores, atol=max(weight, 1e-8))
    d, density = decided.scores[0] - decided.scores[1], {"probit": norm.pdf, "logistic": logistic.pdf}[link]
    narrow = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=math.inf).fit.thresholds[0]
    # By the slope of the log-likelihood: weight / tau for the tie, f / F for the threshold in all other votes.
    loss = 0.0
    for left, right, outcome, times in zip(*columns, [5, 3, 4, 3, 0.0], strict=True):
        d = (decided.scores[left] - decided.scores[right]) * (1 if outcome == 2 else -1)
        loss += times * density(d) / {"probit": norm.cdf, "logistic": logistic.cdf}[link](d)
    assert narrow == pytest.approx(weight / loss, rel=max(1e-5, weight))


# --- answers in order ---


def answers(seed: int, n_answers: int, n_votes: int = 24) -> tuple[list[Any], Floats]:
    """Rows (left, right, answer, weight), every answer among them, and two covariates of each."""
    rng = np.random.default_rng(seed)
    answer = rng.permutation(np.arange(n_votes) % n_answers)
    rows = []
    for row in range(n_votes):
        left, right = rng.choice(N_ITEMS, size=2, replace=False).tolist()
        rows.append((left, right, int(answer[row]), float(rng.gamma(2.0))))
    return rows, rng.normal(size=(n_votes, 2))


def votes_of(rows: list[Any], n_answers: int, **columns: Any) -> pv.Votes:
    """As graded votes on a scale on which 0 is wholly for the left side."""
    left, right, answer, weight = map(np.array, zip(*rows, strict=True))
    scale, last = f"0-{n_answers - 1}", n_answers - 1
    return pv.Votes.from_labels(
        left, right, last - answer, outcomes=scale, items=range(N_ITEMS), weight=weight, **columns
    )


def model_of(task: InOrder, prior_sd: float) -> Model:
    left, right, answer, weight = map(np.array, zip(*task.rows, strict=True))
    votes = pv.Votes.from_codes(left, right, np.zeros(len(left), int), n_items=N_ITEMS, weight=weight)
    given = Answered(answer.astype(np.uint8), task.n_answers)
    link = "probit" if task.ties.startswith("probit") else "logistic"
    if task.covariates.shape[1]:
        sums: Any = VoteRows.of(votes, task.covariates, answered=given).sums(votes.items)
    else:
        sums = LocalSums(answer_counts(votes, given, folded=not task.position))
    return Model.of(sums, "cumulative", prior_sd, task.position, link=link)


def task_of(link: str, n_answers: int, position: bool, *, seed: int = 1, covariates: bool = False) -> InOrder:
    rows, design = answers(seed, n_answers)
    return InOrder(rows, design if covariates else design[:, :0], N_ITEMS, n_answers, NAMES[link], position)


def information(model: Model, slopes: Any) -> Floats:
    upper = np.triu(dense_information(model.counts, slopes, anchored=False))
    return upper + np.triu(upper, 1).T


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize(("link", "n_answers", "position"), [case for case in CASES if case[1] > 3])
def test_sums_over_answers_equal_the_reference(link, n_answers, position, covariates) -> None:
    task = task_of(link, n_answers, position, covariates=covariates)
    for prior_sd, size in ((1.5, 1.0), (math.inf, 6.0)):
        model, rng = model_of(task, prior_sd), np.random.default_rng(2)
        at = rng.uniform(-0.5, 0.5, size=task.n_params)
        at[:N_ITEMS] *= size
        at[N_ITEMS : N_ITEMS + task.n_thresholds] = np.cumsum(rng.uniform(0.3, 1.0, size=task.n_thresholds))
        votes, (precision, centres) = task.at(at), task.prior(prior_sd)
        assert model.log_likelihood(at) == pytest.approx(votes.values.sum(), rel=1e-12)
        slopes = model.slopes(at)
        gradient = votes.gradients.sum(axis=0) - precision @ (at - centres)
        np.testing.assert_allclose(slopes.gradient, gradient, rtol=1e-9, atol=1e-9)
        expected = votes.informations.sum(axis=0) + precision
        np.testing.assert_allclose(information(model, slopes), expected, rtol=1e-7, atol=1e-7)
        outer = np.einsum("vi,vj->ij", votes.gradients / votes.weights[:, None], votes.gradients)
        squares = model.sums.squares(model.likelihood, at)
        np.testing.assert_allclose(information(model, squares), outer, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("prior_sd", [1.5, math.inf])
@pytest.mark.parametrize(("link", "n_answers", "position"), CASES)
def test_the_fit_equals_the_reference(link, n_answers, position, prior_sd) -> None:
    """Through the public interface: scores, thresholds, position effect and all their errors."""
    task = task_of(link, n_answers, position, seed=3)
    votes, expected = votes_of(task.rows, n_answers), task.maximum(prior_sd)
    options = {"ties": "cumulative", "link": link, "prior_sd": prior_sd, "position": position}
    ranking = pv.bradley_terry(votes, **options)
    fit, inverse = ranking.fit, expected["inverse"]
    np.testing.assert_allclose(ranking.scores, expected["scores"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(fit.thresholds, expected["thresholds"], rtol=0, atol=1e-8)
    assert fit.position_effect == pytest.approx(expected["position"], abs=1e-8)
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-9)
    np.testing.assert_allclose(ranking.covariance, reference.centred(inverse, N_ITEMS), rtol=1e-6, atol=1e-8)
    errors = np.sqrt(np.diag(inverse)[N_ITEMS:])
    np.testing.assert_allclose(fit.threshold_standard_errors, errors[: task.n_thresholds], rtol=1e-6)
    if position:
        assert fit.position_standard_error == pytest.approx(errors[task.n_thresholds], rel=1e-6)
    between = reference.covariance_between(expected, None)
    sandwich = pv.bradley_terry(votes, uncertainty="sandwich", **options)
    np.testing.assert_allclose(sandwich.covariance, reference.centred(between, N_ITEMS), rtol=1e-6, atol=1e-8)
    errors = np.sqrt(np.diag(between)[N_ITEMS : N_ITEMS + task.n_thresholds])
    np.testing.assert_allclose(sandwich.fit.threshold_standard_errors, errors, rtol=1e-6)


@pytest.mark.parametrize(("link", "n_answers", "position"), [case for case in CASES if case[1] in (4, 5)])
def test_with_covariates_and_voters_too(link, n_answers, position) -> None:
    task = task_of(link, n_answers, position, seed=4, covariates=True)
    voter = np.random.default_rng(5).integers(8, size=len(task.rows)).tolist()
    votes, expected = votes_of(task.rows, n_answers, voter=voter), task.maximum(1.5)
    options = {"ties": "cumulative", "link": link, "prior_sd": 1.5, "position": position}
    options |= {"covariates": task.covariates}
    ranking = pv.bradley_terry(votes, **options)
    np.testing.assert_allclose(ranking.scores, expected["scores"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ranking.fit.coefficients, expected["coefficients"], rtol=0, atol=1e-7)
    covariance = reference.centred(expected["inverse"], N_ITEMS)
    np.testing.assert_allclose(ranking.covariance, covariance, rtol=1e-6, atol=1e-8)
    by_voter = pv.bradley_terry(votes, uncertainty="by-voter", **options)
    between = reference.covariance_between(expected, voter, corrected=True)
    np.testing.assert_allclose(by_voter.covariance, reference.centred(between, N_ITEMS), rtol=1e-6, atol=1e-8)


# --- where there is no maximum ---


@pytest.mark.slow
@pytest.mark.parametrize("n_answers", [4, 5, 7])
@pytest.mark.parametrize("position", [False, True])
def test_not_identified_where_and_only_where_the_linear_programme_says_so(n_answers, position) -> None:
    rng, seen = np.random.default_rng(6), [0, 0]
    while min(seen) < 4:
        n_votes = int(rng.integers(3, 14))
        left = rng.integers(3, size=n_votes)
        right = (left + rng.integers(1, 3, size=n_votes)) % 3
        rows = [(a, b, int(rng.integers(n_answers)), 1.0) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        present = {share for *_, answer, _ in rows for share in (answer, n_answers - 1 - answer)}
        if len(present) < n_answers:
            continue
        task = InOrder(rows, np.empty((n_votes, 0)), 3, n_answers, "cumulative", position)
        answer = [n_answers - 1 - row[2] for row in rows]
        votes = pv.Votes.from_labels(left, right, answer, outcomes=f"0-{n_answers - 1}", items=range(3))
        there_is = task.has_maximum()
        seen[there_is] += 1
        for link in NAMES:
            options = {"ties": "cumulative", "link": link, "prior_sd": math.inf, "position": position}
            if there_is:
                ranking = pv.bradley_terry(votes, **options)
                assert (
                    np.abs(ranking.fit._posterior.model.slopes(ranking.fit._posterior.parameters).gradient).max() < 1e-6
                )
            else:
                with pytest.raises(pv.NotIdentifiedError, match=r"do not exist|no finite estimate"):
                    pv.bradley_terry(votes, **options)


@pytest.mark.parametrize("link", NAMES)
def test_all_answers_alike_have_a_maximum_under_a_prior_alone(link) -> None:
    votes = pv.Votes.from_labels([0, 1, 0], [1, 2, 2], [4, 4, 5], outcomes="1-5")
    with pytest.raises(pv.NotIdentifiedError):
        pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=math.inf)
    ranking = pv.bradley_terry(votes, ties="cumulative", link=link, prior_sd=1.0)
    assert np.isfinite(ranking.scores).all()
    assert (np.diff([0.0, *ranking.fit.thresholds]) > 0.0).all()
