"""Scores on the scale of known ones, held against fits by hand, an exact sampler and the laws of a scale."""

from __future__ import annotations

import math
import pickle
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from exact_sampler import Data, summary
from exact_sampler import sample as exact_sample
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels

Floats = NDArray[np.float64]
RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
LABELS = ("ash", "birch", "cedar", "elm", "fir", "oak", "pine")
EXACT = {"ash": 2.0, "birch": 1.2, "cedar": 0.5}
WITH_ERRORS = {"ash": (2.0, 0.4), "birch": (1.2, 0.3), "cedar": 0.5}


def votes_of(seed: int = 1, *, n_votes: int = 220, n_voted: int = 7, ties: float = 0.15) -> pv.Votes:
    """Votes on items of which the first three have about the known scores."""
    rng = np.random.default_rng(seed)
    strength = np.array([2.0, 1.2, 0.5, 1.8, 0.9, 0.1, 2.4])
    left = rng.integers(n_voted, size=n_votes)
    right = (left + rng.integers(1, n_voted, size=n_votes)) % n_voted
    outcome = np.where(rng.random(n_votes) < 1 / (1 + np.exp(strength[right] - strength[left])), LEFT, RIGHT)
    outcome[rng.random(n_votes) < ties] = TIE
    outcome[rng.random(n_votes) < 0.05] = SKIP
    return pv.Votes.from_codes(left, right, outcome, items=LABELS, voter=rng.integers(12, size=n_votes))


VOTES = votes_of()


# --- the slow, obvious version: the scores themselves as parameters, by Newton's steps ---


def by_hand(
    votes: pv.Votes, known: dict[str, Any], prior_sd: float, *, position: bool = False, covariance: Floats | None = None
) -> dict[str, Any]:
    """Davidson's model over (scores, log nu, position effect), those of the others around a centre of their own."""
    asked = votes.outcome != SKIP
    left, right, outcome = votes.left[asked], votes.right[asked], votes.outcome[asked]
    n, n_votes = votes.n_items, len(left)
    design = np.zeros((n_votes, n + position))
    design[np.arange(n_votes), left] += 1.0
    design[np.arange(n_votes), right] -= 1.0
    design[:, n:] = 1.0
    size = n + position + 1
    codes = [votes.items.index(label) for label in known]
    given = [value if isinstance(value, tuple) else (value, 0.0) for value in known.values()]
    centre, precision = np.zeros(size), np.zeros((size, size))
    others = np.setdiff1d(np.arange(n), codes)
    fixed = []
    for code, (score, error) in zip(codes, given, strict=True):
        centre[code] = score
        if covariance is None and not error:
            fixed.append(code)
        elif covariance is None:
            precision[code, code] = error**-2
    if covariance is not None:
        precision[np.ix_(codes, codes)] = np.linalg.inv(covariance)
    if math.isfinite(prior_sd):
        # Around a centre that is N(mean of the known ones, 3^2).
        around = prior_sd**2 * np.eye(len(others)) + 9.0
        precision[np.ix_(others, others)] = np.linalg.inv(around)
        centre[others] = np.mean([score for score, _ in given])
        precision[n:, n:] = np.eye(position + 1) / 9.0
        centre[-1] = math.log(2.0)
    free = np.setdiff1d(np.arange(size), fixed)
    at = np.zeros(size)
    at[codes] = [score for score, _ in given]
    at[others] = at[codes].mean()
    for _ in range(60):
        d, nu = design @ at[:-1], math.exp(at[-1])
        weights = np.array([np.exp(-d / 2), np.full(n_votes, nu), np.exp(d / 2)])
        p_right, p_tie, p_left = weights / weights.sum(axis=0)
        x = np.choose(outcome, [-0.5, 0.0, 0.5]) - 0.5 * (p_left - p_right)
        gradients = np.column_stack([x[:, None] * design, (outcome == TIE) - p_tie])
        information = precision.copy()
        of_d = 0.25 * (p_left + p_right) - 0.25 * (p_left - p_right) ** 2
        information[:-1, :-1] += (of_d * design.T) @ design
        both = -0.5 * (p_left - p_right) * p_tie @ design
        information[-1, :-1] += both
        information[:-1, -1] += both
        information[-1, -1] += float((p_tie * (1 - p_tie)).sum())
        gradient = gradients.sum(axis=0) - precision @ (at - centre)
        step = np.linalg.solve(information[np.ix_(free, free)], gradient[free])
        at[free] += step * min(1.0, 1.0 / np.abs(step).max())
    inverse = np.zeros((size, size))
    inverse[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)])
    middle = gradients.T @ gradients
    return {
        "scores": at[:n],
        "log_tie": at[-1],
        "position": at[n] if position else 0.0,
        "covariance": inverse[:n, :n],
        "sandwich": (inverse @ (middle + precision) @ inverse)[:n, :n],
    }


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("prior_sd", [0.6, 3.0, math.inf])
@pytest.mark.parametrize("known", [EXACT, WITH_ERRORS, {"oak": 0.0}])
def test_a_fit_is_that_by_hand(known, prior_sd, position) -> None:
    expected = by_hand(VOTES, known, prior_sd, position=position)
    ranking = pv.bradley_terry(VOTES, known_scores=known, prior_sd=prior_sd, position=position)
    np.testing.assert_allclose(ranking.scores, expected["scores"], atol=1e-8)
    np.testing.assert_allclose(ranking.covariance, expected["covariance"], atol=1e-8)
    np.testing.assert_allclose(ranking.standard_errors, np.sqrt(np.diag(expected["covariance"])), atol=1e-8)
    assert math.log(ranking.fit.tie_parameter) == pytest.approx(expected["log_tie"], abs=1e-8)
    assert ranking.fit.position_effect == pytest.approx(expected["position"], abs=1e-8)
    ahead = np.zeros(7)
    ahead[[0, 4]] = 1.0, -1.0
    error = math.sqrt(ahead @ expected["covariance"] @ ahead)
    assert ranking.difference("ash", "fir").standard_error == pytest.approx(error, abs=1e-8)
    assert float(ranking.fit.prior_sd) == prior_sd
    robust = pv.bradley_terry(VOTES, known_scores=known, prior_sd=prior_sd, position=position, uncertainty="sandwich")
    np.testing.assert_allclose(robust.covariance, expected["sandwich"], atol=1e-8)


def test_an_earlier_ranking_gives_its_whole_covariance() -> None:
    earlier = pv.bradley_terry(votes_of(5, n_voted=4), prior_sd=1.0)
    shared = earlier.only(["ash", "birch", "elm"])
    known = dict(zip(shared.items, shared.scores.tolist(), strict=True))
    expected = by_hand(VOTES, known, 1.0, covariance=shared.covariance)
    ranking = pv.bradley_terry(VOTES, known_scores=shared, prior_sd=1.0)
    np.testing.assert_allclose(ranking.scores, expected["scores"], atol=1e-7)
    np.testing.assert_allclose(ranking.covariance, expected["covariance"], atol=1e-7)
    # Errors alone would leave out that these scores are known together.
    alone = pv.bradley_terry(
        VOTES,
        known_scores={a: (b, e) for a, b, e in zip(shared.items, shared.scores, shared.standard_errors, strict=True)},
        prior_sd=1.0,
    )
    assert np.abs(alone.standard_errors - ranking.standard_errors).max() > 0.01


def test_errors_between_voters_hold_on_the_scale_too() -> None:
    """Of many voters with a vote or two each they are about those of single votes, and intervals are by t."""
    rng = np.random.default_rng(2)
    many = votes_of(7, n_votes=900)
    votes = pv.Votes.from_codes(many.left, many.right, many.outcome, items=LABELS, voter=rng.integers(600, size=900))
    options = {"known_scores": WITH_ERRORS, "prior_sd": 1.0}
    between = pv.bradley_terry(votes, uncertainty="by-voter", **options)
    single = pv.bradley_terry(votes, uncertainty="sandwich", **options)
    np.testing.assert_allclose(between.standard_errors, single.standard_errors, rtol=0.15, atol=1e-12)
    assert 300 < between.fit.degrees_of_freedom < 5000
    few = pv.bradley_terry(VOTES, uncertainty="by-voter", **options)
    low, high = few.confidence_interval()
    assert (high - low)[4] > 2 * 1.96 * few.standard_errors[4]
    learned = pv.bradley_terry(votes, uncertainty="by-voter", known_scores=WITH_ERRORS)
    assert learned._uncertainty.samples is None
    assert learned.standard_errors[2] == 0.0


class Anchored(Data):
    """Data whose effects have the priors of a centre of which little is known, and of standard normal errors."""

    @cached_property
    def precision(self) -> Floats:
        return np.diag([1 / 9] + [1.0] * (self.n_effects - 1))


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
@pytest.mark.parametrize("error", [0.0, 0.5])
def test_under_a_learned_prior_scores_are_those_of_the_exact_sampler(error) -> None:
    """Its scores are those of the others less their level, and errors of the known ones are more effects."""
    votes = votes_of(8, n_votes=150, ties=0.0)
    votes = votes.where(votes.outcome != SKIP)
    known = ["ash", "cedar"]
    codes = [LABELS.index(label) for label in known]
    others = np.setdiff1d(np.arange(7), codes)
    ends = np.zeros((len(votes), 7))
    ends[np.arange(len(votes)), votes.left] += 1.0
    ends[np.arange(len(votes)), votes.right] -= 1.0
    effects = [ends[:, others].sum(axis=1), *(error * ends[:, codes].T)]
    table = np.zeros((len(votes), 3))
    table[np.arange(len(votes)), votes.outcome] = 1.0
    data = Anchored(
        contrasts=ends[:, others],
        effects=np.column_stack(effects[: 3 if error else 1]),
        table=table,
        ties="davidson",
        has_tie=False,
    )
    draws = exact_sample(data, n_draws=500, n_warm_up=500, seed=2)
    # Their scores are centred, and what the centre was is not kept; so compare what does not hang on it.
    exact = summary(draws.scores)
    ranking = pv.bradley_terry(votes, known_scores=dict.fromkeys(known, (0.0, error) if error else 0.0))
    samples = ranking._uncertainty.samples[:, others]
    ours = samples - samples.mean(axis=1, keepdims=True)
    assert np.abs((ours.mean(axis=0) - exact.mean) / exact.sd).max() < 0.2
    np.testing.assert_allclose(ours.std(axis=0), exact.sd, rtol=0.2)
    # On the scale, the sum over all others of what votes against known ones say is as a normal fit has it.
    normal = pv.bradley_terry(
        votes, known_scores=dict.fromkeys(known, (0.0, error) if error else 0.0), prior_sd=float(ranking.fit.prior_sd)
    )
    level, error_of = samples.mean(axis=1), np.zeros(7)
    error_of[others] = 1 / len(others)
    assert level.mean() == pytest.approx(normal.scores[others].mean(), abs=0.3 * level.std())
    assert level.std() == pytest.approx(math.sqrt(error_of @ normal.covariance @ error_of), rel=0.2)


# --- laws ---


def numbers_of(ranking: pv.Ranking) -> list[Any]:
    said = [ranking.scores, ranking.covariance, *ranking.confidence_interval(), ranking.fit.tie_parameter]
    return [*said, float(ranking.fit.prior_sd)]


def assert_same(found: pv.Ranking, expected: pv.Ranking, *, rtol: float = 1e-6, atol: float = 1e-8) -> None:
    for one, other in zip(numbers_of(found), numbers_of(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


ALL_PRIORS = pytest.mark.parametrize("prior_sd", ["learned", 0.7, math.inf])
BOTH = pytest.mark.parametrize("known", [EXACT, WITH_ERRORS], ids=["exact", "with errors"])


@ALL_PRIORS
@BOTH
def test_to_shift_known_scores_shifts_all(known, prior_sd) -> None:
    expected = pv.bradley_terry(VOTES, known_scores=known, prior_sd=prior_sd)
    moved = {a: (b[0] + 100, b[1]) if isinstance(b, tuple) else b + 100 for a, b in known.items()}
    found = pv.bradley_terry(VOTES, known_scores=moved, prior_sd=prior_sd)
    np.testing.assert_allclose(found.scores, expected.scores + 100, atol=1e-7)
    np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-7)


@ALL_PRIORS
@BOTH
@pytest.mark.parametrize("options", [{}, {"ties": "rao-kupper"}, {"link": "probit"}, {"ties": "half"}])
def test_which_side_was_left_and_the_order_of_votes_do_not_matter(options, known, prior_sd) -> None:
    options = {**options, "known_scores": known, "prior_sd": prior_sd, "uncertainty": "model"}
    expected = pv.bradley_terry(VOTES, **options)
    turned = np.where(VOTES.outcome == SKIP, SKIP, 2 - VOTES.outcome).astype(int)
    mirrored = pv.Votes.from_codes(VOTES.right, VOTES.left, turned, items=LABELS)
    shuffled = VOTES._take(np.random.default_rng(0).permutation(len(VOTES)))
    for votes in (mirrored, shuffled, VOTES.counts()):
        assert_same(pv.bradley_terry(votes, **options), expected)


@BOTH
def test_items_and_known_scores_may_stand_in_any_order(known) -> None:
    for prior_sd in (0.7, math.inf):
        expected = pv.bradley_terry(VOTES, known_scores=known, prior_sd=prior_sd)
        places = np.random.default_rng(4).permutation(7)
        items = np.empty(7, object)
        items[places] = LABELS
        votes = pv.Votes.from_codes(places[VOTES.left], places[VOTES.right], VOTES.outcome, items=items.tolist())
        found = pv.bradley_terry(votes, known_scores=dict(reversed(known.items())), prior_sd=prior_sd)
        np.testing.assert_allclose(found.scores[places], expected.scores, atol=1e-8)
        np.testing.assert_allclose(found.standard_errors[places], expected.standard_errors, atol=1e-8)


@BOTH
@ALL_PRIORS
def test_a_vote_of_weight_two_is_two_votes_and_one_of_weight_zero_none(known, prior_sd) -> None:
    weight = np.random.default_rng(8).integers(0, 3, size=len(VOTES)).astype(float)
    weighted = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, weight=weight)
    repeated = VOTES._take(np.repeat(np.arange(len(VOTES)), weight.astype(int)))
    options = {"known_scores": known, "prior_sd": prior_sd}
    assert_same(pv.bradley_terry(weighted, **options), pv.bradley_terry(repeated, **options))


def test_to_know_what_the_votes_say_changes_nothing() -> None:
    """Known scores of all items, or of one, at their maximum of the likelihood leave the others where they are."""
    plain = pv.bradley_terry(VOTES, prior_sd=math.inf)
    for labels in (LABELS, LABELS[:1], LABELS[2:5]):
        known = {label: plain.to_dict()[label] for label in labels}
        found = pv.bradley_terry(VOTES, known_scores=known, prior_sd=math.inf)
        np.testing.assert_allclose(found.scores, plain.scores, atol=1e-7)
        assert found.fit.tie_parameter == pytest.approx(plain.fit.tie_parameter, abs=1e-7)
        assert found.fit.log_likelihood == pytest.approx(plain.fit.log_likelihood, abs=1e-9)
    one = pv.bradley_terry(VOTES, known_scores={"ash": 0.0}, prior_sd=math.inf)
    assert one.difference("elm", "fir").standard_error == pytest.approx(
        plain.difference("elm", "fir").standard_error, rel=1e-7
    )


def test_small_errors_are_none_and_large_ones_know_nothing() -> None:
    exact = pv.bradley_terry(VOTES, known_scores=EXACT, prior_sd=0.7)
    nearly = pv.bradley_terry(VOTES, known_scores={a: (b, 1e-7) for a, b in EXACT.items()}, prior_sd=0.7)
    np.testing.assert_allclose(nearly.scores, exact.scores, atol=1e-6)
    np.testing.assert_allclose(nearly.standard_errors, exact.standard_errors, atol=1e-6)
    plain = pv.bradley_terry(VOTES, prior_sd=math.inf)
    hardly = pv.bradley_terry(VOTES, known_scores={a: (b, 60.0) for a, b in EXACT.items()}, prior_sd=math.inf)
    gaps = hardly.scores - hardly.scores.mean()
    np.testing.assert_allclose(gaps, plain.scores, atol=1e-3)
    assert hardly.difference("ash", "elm").standard_error == pytest.approx(
        plain.difference("ash", "elm").standard_error, rel=1e-3
    )


def test_two_votes_in_turn_are_about_the_two_at_once() -> None:
    """By maximum likelihood this year's scale is last year's, with its errors: nearly a fit of all votes together."""
    last, this = votes_of(11, n_votes=500), votes_of(12, n_votes=500)
    earlier = pv.bradley_terry(last, prior_sd=math.inf)
    found = pv.bradley_terry(this, known_scores=earlier, prior_sd=math.inf)
    both = pv.bradley_terry(last + this, prior_sd=math.inf)
    np.testing.assert_allclose(found.scores - found.scores.mean(), both.scores, atol=0.1 * both.standard_errors.min())
    np.testing.assert_allclose(found.standard_errors, both.standard_errors, rtol=0.05)
    # Last year's scores were of mean zero, all known, and so are these.
    assert found.scores.mean() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.mixture.COMPILED, reason="minutes where kernels are interpreted")
def test_intervals_on_last_years_scale_hold_the_truth() -> None:
    """Twelve proposals last year, of which six are back with eight new and better ones; scores on last year's scale."""
    rng = np.random.default_rng(3)
    hits, n_repetitions = [], 60
    for _ in range(n_repetitions):
        old, new = rng.normal(size=12), 0.8 + 0.7 * rng.normal(size=8)
        truth = np.concatenate([old[:6], new]) - old.mean()
        found = []
        for strength, names, known in ((old, [*range(12)], None), (truth, [*range(6), *range(20, 28)], "last")):
            left = rng.integers(len(names), size=300)
            right = (left + rng.integers(1, len(names), size=300)) % len(names)
            won = rng.random(300) < 1 / (1 + np.exp(strength[right] - strength[left]))
            votes = pv.Votes.from_codes(left, right, np.where(won, LEFT, RIGHT), items=names)
            found.append(pv.bradley_terry(votes, known_scores=found[0] if known else None))
        low, high = found[1].confidence_interval()
        hits.append(((low <= truth) & (truth <= high)).mean())
    error = np.std(hits) / math.sqrt(n_repetitions)
    assert abs(np.mean(hits) - 0.95) < 3 * error + 0.01


def test_all_that_a_ranking_says_holds_on_the_scale() -> None:
    ranking = pv.bradley_terry(VOTES, known_scores=EXACT)
    assert ranking.fit.prior_sd.learned
    assert [ranking.to_dict()[label] for label in EXACT] == pytest.approx(list(EXACT.values()), abs=1e-12)
    assert (ranking.standard_errors[:3] == 0.0).all()
    low, high = ranking.confidence_interval()
    np.testing.assert_allclose(low[:3], high[:3], atol=1e-12)
    assert (low < ranking.scores + 1e-12).all()
    best, worst = ranking.rank_interval()
    assert (best <= ranking.ranks()).all()
    assert (ranking.ranks() <= worst).all()
    assert ranking.difference("ash", "birch").standard_error == 0.0
    assert ranking.top_k_probability(3).sum() == pytest.approx(3.0)
    assert ranking.tiers().min() == 1
    assert ranking.top(2) == ranking.order()[:2]
    text = str(ranking)
    assert "scores are on the scale of 3 known ones, and not of mean zero" in text
    assert_same(pickle.loads(pickle.dumps(ranking)), ranking, rtol=0, atol=0)
    elo = ranking.on_elo_scale(1500, anchor="ash")
    assert elo.to_dict()["ash"] == 1500
    for kind in ("confidence", "credible"):
        fitted = pv.bradley_terry(VOTES, known_scores=WITH_ERRORS, prior_sd=1.0)
        assert fitted.rank_interval(kind=kind).low.min() == 1
    assert 0.0 < fitted.fit.prior_share < 1.0
    flat = pv.bradley_terry(VOTES, known_scores=EXACT, prior_sd=math.inf)
    assert flat.rank_interval().low.min() == 1
    silent = pv.bradley_terry(VOTES, known_scores=EXACT, uncertainty="none")
    np.testing.assert_allclose(silent.scores, ranking.scores, atol=1e-12)


@pytest.mark.parametrize("prior_sd", ["learned", 0.7])
def test_items_without_votes_and_components(prior_sd) -> None:
    votes = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=[*LABELS, "yew", "larch"])
    known = EXACT | {"larch": (1.0, 0.2)}
    ranking = pv.bradley_terry(votes, known_scores=known, prior_sd=prior_sd)
    scores = ranking.to_dict()
    # A known item without votes stays where it was; of a new one the prior speaks, around the others' centre.
    assert scores["larch"] == pytest.approx(1.0, abs=0.03)
    assert ranking.standard_errors[8] == pytest.approx(0.2, rel=0.05)
    centre = ranking.scores[3:7].mean()
    assert scores["yew"] == pytest.approx(centre, abs=0.35)
    assert ranking.standard_errors[7] > ranking.standard_errors[3:7].max()
    apart = pv.Votes.from_wins(["ash", "elm", "birch", "fir"] * 3, ["elm", "ash", "fir", "birch"] * 3)
    joined = pv.bradley_terry(apart, known_scores={"ash": 0.0, "birch": 2.0}, prior_sd=1.0)
    assert "so how they compare is known by their known scores alone" in str(joined)
    assert joined.to_dict()["fir"] > joined.to_dict()["elm"]
    by_likelihood = pv.bradley_terry(apart, known_scores={"ash": 0.0, "birch": 2.0}, prior_sd=math.inf)
    np.testing.assert_allclose([by_likelihood.to_dict()[name] for name in ("elm", "fir")], [0.0, 2.0], atol=1e-8)


@pytest.mark.parametrize("prior_sd", ["learned", 0.7, math.inf])
def test_all_items_may_be_known(prior_sd) -> None:
    """Exactly, and nothing but ties is left to find; or with errors, and votes make these less."""
    exact = pv.bradley_terry(VOTES, known_scores=dict.fromkeys(LABELS, 0.5), prior_sd=prior_sd)
    np.testing.assert_array_equal(exact.scores, np.full(7, 0.5))
    assert (exact.standard_errors == 0.0).all()
    assert exact.fit.tie_parameter > 0.0
    known = {label: (0.1 * place, 0.5) for place, label in enumerate(LABELS)}
    found = pv.bradley_terry(VOTES, known_scores=known, prior_sd=prior_sd)
    assert (found.standard_errors < 0.5).all()
    assert 0.0 < pv.diagnostics.separation(found).reliability < 1.0
    expected = by_hand(VOTES, known, 1e9 if prior_sd == math.inf else 1.0) if prior_sd == 0.7 else None
    if expected is not None:
        np.testing.assert_allclose(found.scores, expected["scores"], atol=1e-7)
    str(found)


def test_criteria_covariates_graded_votes_and_weights_go_with_known_scores() -> None:
    rng = np.random.default_rng(1)
    asked = rng.choice(np.array(["new", "useful"]), size=len(VOTES))
    votes = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, criterion=asked)
    options = {"known_scores": WITH_ERRORS, "prior_sd": 0.7}
    alone = pv.bradley_terry(votes, criterion="new", **options)
    np.testing.assert_allclose(alone.scores, pv.bradley_terry(votes.select("new"), **options).scores, atol=1e-9)
    both = pv.bradley_terry(votes, criteria={"new": 1, "useful": 1}, **options)
    assert np.isfinite(both.standard_errors).all()
    covariate = rng.normal(size=len(VOTES))
    found = pv.bradley_terry(VOTES, covariates=covariate, position=True, **options)
    assert abs(found.fit.coefficients[0]) < 4 * found.fit.coefficient_standard_errors[0]
    moved = pv.bradley_terry(VOTES, covariates=3.0 * covariate, position=True, **options)
    np.testing.assert_allclose(3.0 * moved.fit.coefficients, found.fit.coefficients, atol=1e-9)
    left, right = np.array(LABELS)[VOTES.left], np.array(LABELS)[VOTES.right]
    graded = pv.Votes.from_labels(left, right, rng.random(len(left)), outcomes="share", items=LABELS)
    for prior_sd in ("learned", 0.7, math.inf):
        shares = pv.bradley_terry(graded, known_scores=WITH_ERRORS, prior_sd=prior_sd)
        assert shares.fit.uncertainty == "sandwich"
        assert 0.1 < shares.fit.dispersion < 0.6
    weight = rng.uniform(0.5, 2.0, size=len(VOTES))
    weighed = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, weight=weight)
    larger = pv.Votes.from_codes(VOTES.left, VOTES.right, VOTES.outcome, items=LABELS, weight=1e4 * weight)
    assert_same(
        pv.bradley_terry(larger, weights="sampling", **options),
        pv.bradley_terry(weighed, weights="sampling", **options),
    )


# --- what cannot be ---


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "pass a mapping"),
        ([1.0] * 7, "pass a mapping"),
        ({"larch": 1.0}, "'larch', which is no item"),
        ({"ash": math.nan}, "the known score of 'ash' is nan"),
        ({"ash": "high"}, "the known score of 'ash'"),
        ({"ash": None}, "the known score of 'ash'"),
        ({"ash": (1.0, -0.1)}, "the known score of 'ash'"),
        ({"ash": (1.0, math.inf)}, "the known score of 'ash'"),
        ({"ash": (1.0, 0.1, 2.0)}, "the known score of 'ash'"),
        ({"ash": 0.0, "elm": 200.0}, "200 apart"),
    ],
)
def test_known_scores_that_cannot_be_are_refused(given, message) -> None:
    for prior_sd in ("learned", 1.0):
        with pytest.raises(pv.InputError, match=message):
            pv.bradley_terry(VOTES, known_scores=given, prior_sd=prior_sd)


def test_an_earlier_ranking_that_cannot_be_is_refused_and_the_remedies_work() -> None:
    earlier = pv.bradley_terry(votes_of(5), prior_sd=1.0)
    with pytest.raises(pv.InputError, match="ranking in 'elo'"):
        pv.bradley_terry(VOTES, known_scores=earlier.on_elo_scale())
    with pytest.raises(pv.InputError, match="ranking in 'log-odds', and these scores are in 'probit'"):
        pv.bradley_terry(VOTES, known_scores=earlier, link="probit")
    silent = pv.bradley_terry(votes_of(5), prior_sd=1.0, uncertainty="none")
    with pytest.raises(pv.InputError, match=r"pass ranking\.to_dict\(\)"):
        pv.bradley_terry(VOTES, known_scores=silent)
    pv.bradley_terry(VOTES, known_scores=silent.to_dict())
    others = pv.bradley_terry(pv.Votes.from_wins(["x"], ["y"]), prior_sd=1.0)
    with pytest.raises(pv.InputError, match="none of the 2 items"):
        pv.bradley_terry(VOTES, known_scores=others)
    for options in ({"item_covariates": np.arange(7.0)}, {"reliability": "lapse"}):
        with pytest.raises(pv.InputError, match="do not yet go together"):
            pv.bradley_terry(VOTES, known_scores=EXACT, **options)
    with pytest.raises(pv.InputError, match="known_scores is given"):
        pv.bootstrap(VOTES, "bradley-terry", known_scores=EXACT, n_resamples=5)


def test_others_without_a_place_on_the_scale_are_refused() -> None:
    apart = pv.Votes.from_wins(["ash", "birch", "elm", "fir"], ["birch", "ash", "fir", "elm"])
    for prior_sd in ("learned", 1.0, math.inf):
        with pytest.raises(pv.NotIdentifiedError, match="no vote joins an item of known score"):
            pv.bradley_terry(apart, known_scores={"ash": 0.0, "birch": 1.0}, prior_sd=prior_sd)
        with pytest.raises(pv.NotIdentifiedError, match="no vote joins an item of known score"):
            pv.bradley_terry(pv.Votes.from_codes([], [], [], items=LABELS), known_scores=EXACT, prior_sd=prior_sd)
    won = pv.Votes.from_wins(["ash", "elm", "elm"], ["birch", "ash", "birch"])
    with pytest.raises(pv.NotIdentifiedError, match="'elm' is undefeated"):
        pv.bradley_terry(won, known_scores={"ash": 0.0, "birch": 1.0}, prior_sd=math.inf)
    for prior_sd in ("learned", 1.0):
        assert pv.bradley_terry(won, known_scores={"ash": 0.0, "birch": 1.0}, prior_sd=prior_sd).top(1) == ["elm"]


def test_an_error_beyond_all_chance_is_named() -> None:
    votes = pv.Votes.from_wins(["a", "b"], ["b", "a"])
    with pytest.raises(pv.InputError, match="have a standard error of 1e\\+05"):
        pv.bradley_terry(votes, known_scores={"a": (0.0, 1e5)})


def test_votes_among_known_items_alone_say_nothing_of_the_others() -> None:
    votes = pv.Votes.from_wins(["a", "b"], ["b", "a"], items=["a", "b", "c"])
    with pytest.raises(pv.NotIdentifiedError, match="with one whose score is not known"):
        pv.bradley_terry(votes, known_scores={"a": 0.0, "b": (0.0, 1.0)})
