"""Bradley-Terry and its kin, held against reference.py, choix and evalica, and to the laws of a vote."""

from __future__ import annotations

import itertools
import math
import re

import choix
import numpy as np
import outcome_models
import pytest
import reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import Sample, samples

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import OUTCOME_MODELS, outcome_probabilities

RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3
TIES = tuple(OUTCOME_MODELS)
OPTIONS = st.fixed_dictionaries(
    {"ties": st.sampled_from(TIES), "position": st.booleans(), "prior_sd": st.sampled_from([0.5, 3.0, math.inf])}
)
FEW = settings(max_examples=40 if _kernels.davidson.COMPILED else 15)


def fitted(sample: Sample, **options) -> pv.Ranking:
    """The ranking, where there is one."""
    prior_sd, ties, position = (
        options.get(*pair) for pair in (("prior_sd", 3.0), ("ties", "davidson"), ("position", False))
    )
    assume(sample.n_items > 0 and reference.maximum_exists(sample.rows, sample.n_items, ties, prior_sd, position))
    return pv.bradley_terry(sample.votes(), **options)


def outcomes_of(ranking: pv.Ranking) -> list[float]:
    return [ranking.fit.tie_parameter, ranking.fit.position_effect, ranking.fit.log_likelihood]


def assert_same_fit(ours: pv.Ranking, theirs: pv.Ranking, tolerance: float = 1e-8) -> None:
    np.testing.assert_allclose(ours.scores, theirs.scores, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(outcomes_of(ours), outcomes_of(theirs), rtol=tolerance, atol=tolerance)
    if ours._uncertainty is not None:
        scale = max(1.0, float(np.abs(theirs.covariance).max(initial=0.0)))
        np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=1e-6, atol=1e-6 * scale)


def well_mixed(n_items: int, n_votes: int, seed: int, *, ties: float = 0.0, weighted: bool = False) -> Sample:
    """Votes enough for a maximum of the likelihood."""
    rng = np.random.default_rng(seed)
    strength = 0.8 * rng.normal(size=n_items)
    rows = []
    for _ in range(n_votes):
        i, j = rng.choice(n_items, size=2, replace=False).tolist()
        won = rng.random() < 1 / (1 + math.exp(strength[j] - strength[i]))
        outcome = TIE if rng.random() < ties else LEFT if won else RIGHT
        rows.append((i, j, outcome, float(rng.integers(1, 5)) / 2 if weighted else 1.0))
    return Sample(rows, n_items, weighted)


# --- oracles ---


@given(samples(max_votes=18), OPTIONS)
@FEW
def test_equals_the_reference(sample, options) -> None:
    ranking = fitted(sample, **options)
    expected = reference.bradley_terry(sample.rows, sample.n_items, **options)
    np.testing.assert_allclose(ranking.scores, expected["scores"], rtol=1e-6, atol=1e-7)
    if expected["tie"] is not None:
        assert ranking.fit.tie_parameter == pytest.approx(expected["tie"], rel=1e-6)
    if options["position"]:
        assert ranking.fit.position_effect == pytest.approx(expected["position"], rel=1e-6, abs=1e-7)
    assert ranking.fit.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-9, abs=1e-9)
    half = options["ties"] == "half" and reference.item_totals(sample.rows, sample.n_items)["tied"].any()
    covariance = expected["sandwich_covariance" if half else "covariance"]
    scale = max(1.0, float(np.abs(covariance).max()))
    np.testing.assert_allclose(ranking.covariance, covariance, rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(ranking.standard_errors**2, np.diag(covariance), rtol=1e-5, atol=1e-6 * scale)


@given(samples(max_votes=18), OPTIONS)
@FEW
def test_sandwich_equals_the_reference(sample, options) -> None:
    ranking = fitted(sample, uncertainty="sandwich", **options)
    expected = reference.bradley_terry(sample.rows, sample.n_items, **options)["sandwich_covariance"]
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(ranking.covariance, expected, rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(ranking.standard_errors**2, np.diag(expected), rtol=1e-5, atol=1e-6 * scale)
    assert ranking.fit.uncertainty == "sandwich"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("prior_sd", [0.5, 3.0, math.inf])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_equals_the_reference_on_mixed_votes(ties, position, prior_sd, seed) -> None:
    sample = well_mixed(6, 110, seed, ties=0.25, weighted=seed % 2 == 1)
    options = {"ties": ties, "position": position, "prior_sd": prior_sd}
    expected = reference.bradley_terry(sample.rows, 6, **options)
    for kind, name in (("model", "covariance"), ("sandwich", "sandwich_covariance")):
        ranking = pv.bradley_terry(sample.votes(), uncertainty=kind, **options)
        np.testing.assert_allclose(ranking.scores, expected["scores"], atol=1e-9)
        if ties != "half" or kind == "sandwich":
            np.testing.assert_allclose(ranking.covariance, expected[name], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("prior_sd", [0.3, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_equals_choix_with_its_penalty(prior_sd, seed) -> None:
    sample = well_mixed(8, 90, seed)
    pairs = [(i, j) if outcome == LEFT else (j, i) for i, j, outcome, _ in sample.rows]
    # Its penalty is alpha times the sum of squares, so its prior's variance is 1 / (2 alpha).
    theirs = choix.opt_pairwise(8, pairs, alpha=1 / (2 * prior_sd**2), tol=1e-12)
    ours = pv.bradley_terry(sample.votes(), prior_sd=prior_sd, uncertainty="none")
    np.testing.assert_allclose(ours.scores, theirs - theirs.mean(), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_equals_choix_without_a_prior(seed) -> None:
    sample = well_mixed(8, 120, seed)
    pairs = [(i, j) if outcome == LEFT else (j, i) for i, j, outcome, _ in sample.rows]
    theirs = choix.mm_pairwise(8, pairs, tol=1e-12)
    ours = pv.bradley_terry(sample.votes(), prior_sd=math.inf, uncertainty="none")
    np.testing.assert_allclose(ours.scores, theirs - theirs.mean(), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_equals_evalicas_newman_which_is_davidson_without_a_prior(seed) -> None:
    evalica = pytest.importorskip("evalica", reason="evalica is not installed")
    sample = well_mixed(7, 150, seed, ties=0.3)
    left, right, outcome, _ = zip(*sample.rows, strict=True)
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[o] for o in outcome]
    theirs = evalica.newman([f"{i}" for i in left], [f"{j}" for j in right], winners, tolerance=1e-13, limit=100_000)
    strength = np.log(theirs.scores.sort_index().to_numpy())
    ours = pv.bradley_terry(sample.votes(), prior_sd=math.inf)
    np.testing.assert_allclose(ours.scores, strength - strength.mean(), atol=1e-7)
    # Newman writes 2 v sqrt(p q) where Davidson has nu sqrt(p q).
    assert ours.fit.tie_parameter == pytest.approx(2 * theirs.v, rel=1e-7)


def test_two_items_have_their_closed_form() -> None:
    votes = pv.Votes.from_codes([0, 0, 0], [1, 1, 1], [LEFT, RIGHT, TIE], weight=[6.0, 3.0, 2.0])
    odds = math.log(6 / 3)
    free = pv.bradley_terry(votes, prior_sd=math.inf, ties="drop")
    assert free.difference(0, 1).estimate == pytest.approx(odds, rel=1e-12)
    assert free.difference(0, 1).standard_error == pytest.approx(math.sqrt(1 / 6 + 1 / 3), rel=1e-9)
    # Davidson: wins as 6 to 3, and nu^2 = ties^2 / (wins x losses).
    davidson = pv.bradley_terry(votes, prior_sd=math.inf)
    assert davidson.difference(0, 1).estimate == pytest.approx(odds, rel=1e-12)
    assert davidson.fit.tie_parameter == pytest.approx(2 / math.sqrt(18), rel=1e-12)
    # Rao and Kupper: sigma(d - tau) = 6/11 and sigma(-d - tau) = 3/11.
    rao_kupper = pv.bradley_terry(votes, prior_sd=math.inf, ties="rao-kupper")
    d, tau = (math.log(6 / 5) - math.log(3 / 8)) / 2, -(math.log(6 / 5) + math.log(3 / 8)) / 2
    assert rao_kupper.difference(0, 1).estimate == pytest.approx(d, rel=1e-10)
    assert rao_kupper.fit.tie_parameter == pytest.approx(math.exp(tau), rel=1e-10)
    half = pv.bradley_terry(votes, prior_sd=math.inf, ties="half")
    assert half.difference(0, 1).estimate == pytest.approx(math.log(7 / 4), rel=1e-12)


def test_side_effect_has_its_closed_form() -> None:
    # Each of two items on the left 10 times: 0 wins 8 and loses 2 there, 1 wins 6 and loses 4.
    votes = pv.Votes.from_codes([0, 0, 1, 1], [1, 1, 0, 0], [LEFT, RIGHT, LEFT, RIGHT], weight=[8.0, 2.0, 6.0, 4.0])
    ranking = pv.bradley_terry(votes, prior_sd=math.inf, position=True)
    here, there = math.log(8 / 2), math.log(6 / 4)
    assert ranking.fit.position_effect == pytest.approx((here + there) / 2, rel=1e-12)
    assert ranking.difference(0, 1).estimate == pytest.approx((here - there) / 2, rel=1e-12)


# --- whether there is a maximum ---


def tiny_tables(n_tables: int, seed: int):
    """A few votes on a few items, often one-sided, so that about half of them have no maximum."""
    rng = np.random.default_rng(seed)
    kinds = [[0, 1, 2], [0, 2], [0, 2, 2, 2, 2], [1, 1, 1, 0, 2], [0, 1, 2, 3]]
    for _ in range(n_tables):
        n_items = int(rng.integers(1, 6))
        kind, in_order = kinds[rng.integers(len(kinds))], rng.random() < 0.4
        rows = []
        for _ in range(int(rng.integers(0, 16)) if n_items > 1 else 0):
            i, j = rng.choice(n_items, size=2, replace=False).tolist()
            outcome = int(rng.choice(kind))
            if in_order and outcome in (LEFT, RIGHT):
                outcome = LEFT if i < j else RIGHT
            rows.append((i, j, outcome, 1.0))
        yield Sample(rows, n_items, False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_raises_exactly_where_there_is_no_maximum(seed) -> None:
    seen = {True: 0, False: 0}
    for sample in tiny_tables(60 if _kernels.davidson.COMPILED else 20, seed):
        votes = sample.votes()
        for ties, position, prior_sd in itertools.product(TIES, (False, True), (2.0, math.inf)):
            there_is = reference.maximum_exists(sample.rows, sample.n_items, ties, prior_sd, position)
            seen[there_is] += 1
            options = {"ties": ties, "position": position, "prior_sd": prior_sd}
            if there_is:
                ranking = pv.bradley_terry(votes, **options)
                assert np.abs(ranking.scores).max() < 30
                assert abs(ranking.fit.position_effect) < 30
                assert np.isfinite(ranking.covariance).all()
            else:
                with pytest.raises(pv.NotIdentifiedError):
                    pv.bradley_terry(votes, **options)
    # Without a maximum are those of no finite prior alone.
    assert min(seen.values()) > (100 if _kernels.davidson.COMPILED else 60)


MLE = {"prior_sd": math.inf}


def refusal(votes: pv.Votes, **options) -> str:
    with pytest.raises(pv.NotIdentifiedError) as caught:
        pv.bradley_terry(votes, **options)
    return str(caught.value)


def test_undefeated_and_winless_items_are_named() -> None:
    votes = pv.Votes.from_wins(
        ["ash", "ash", "birch", "cedar", "birch"], ["birch", "cedar", "cedar", "birch", "dogwood"]
    )
    message = refusal(votes, **MLE)
    assert "'ash' is undefeated" in message
    assert "'dogwood' is winless" in message
    assert "set a finite prior_sd, or add votes" in message
    several = pv.Votes.from_wins(["a", "b", "c", "d"], ["c", "d", "d", "c"])
    assert "'a', 'b' are undefeated" in refusal(several, **MLE)


def test_a_group_above_the_others_is_named() -> None:
    votes = pv.Votes.from_wins(list("abcdab"), list("badccd"))
    assert "'a', 'b' never lost to or tied with any of the others" in refusal(votes, **MLE)


def test_components_are_named() -> None:
    votes = pv.Votes.from_wins(list("abcd"), list("badc"), items=list("abcde"))
    message = refusal(votes, **MLE)
    assert "fall into 3 components" in message
    assert "'a', 'b'; 'c', 'd'; 'e'" in message
    assert "set a finite prior_sd" in message


def test_long_lists_of_names_are_cut() -> None:
    items = [f"item {k}" for k in range(40)]
    apart = pv.Votes.from_wins(items[:1], items[1:2], items=items)
    message = refusal(apart, **MLE)
    assert "39 components" in message
    assert len(message) < 400
    many = pv.Votes.from_wins(items[:20] + items[20:], ["hub"] * 20 + ["hub"] * 20)
    assert "and 35 more are undefeated" in refusal(many, **MLE)


def test_skips_and_weightless_votes_join_nothing() -> None:
    votes = pv.Votes.from_labels(list("aba"), list("bac"), ["left", "left", "skip"])
    assert "2 components" in refusal(votes, **MLE)
    weightless = pv.Votes.from_labels(list("abac"), list("baca"), ["left"] * 4, weight=[1.0, 1.0, 0.0, 0.0])
    assert "2 components" in refusal(weightless, **MLE)


def test_ties_join_under_half_but_not_under_drop() -> None:
    votes = pv.Votes.from_labels(list("abc"), list("bcb"), ["left", "tie", "tie"])
    assert "is undefeated" in refusal(votes, ties="half", **MLE)
    assert "2 components" in refusal(votes, ties="drop", **MLE)
    tied = pv.Votes.from_labels(list("abbc"), list("bacb"), ["left", "left", "tie", "tie"])
    assert pv.bradley_terry(tied, ties="half", **MLE).scores.tolist() == pytest.approx([0.0] * 3, abs=1e-12)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_all_ties_leave_the_tie_parameter_open_without_a_prior(ties) -> None:
    weight = np.random.default_rng(1).random((30, 40))
    for row in weight:
        votes = pv.Votes.from_codes(np.arange(40) % 5, (np.arange(40) + 2) % 5, [TIE] * 40, weight=row)
        message = refusal(votes, ties=ties, **MLE)
        assert "are ties, so the tie parameter has no finite estimate; set a finite prior_sd, or score with" in message
        assert pv.bradley_terry(votes, ties=ties, prior_sd=3.0).scores.tolist() == pytest.approx([0.0] * 5, abs=1e-9)
    assert pv.bradley_terry(votes, ties="half", prior_sd=3.0).scores.tolist() == pytest.approx([0.0] * 5, abs=1e-12)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_ties_that_the_scores_can_explain_leave_the_tie_parameter_open(ties) -> None:
    # Everyone beats whoever stands two below and ties with the next: steps of equal length explain it all.
    votes = pv.Votes.from_labels(list("abcaab"), list("bcddcd"), ["tie", "tie", "tie", "left", "left", "left"])
    assert "grow with the tie parameter without end; set a finite prior_sd" in refusal(votes, ties=ties, **MLE)
    assert np.isfinite(pv.bradley_terry(votes, ties=ties).scores).all()


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize(("outcome", "sign"), [("left", 1.0), ("right", -1.0)])
def test_one_side_always_winning_leaves_the_position_effect_open_without_a_prior(ties, outcome, sign) -> None:
    votes = pv.Votes.from_labels(list("abca"), list("bcab"), [outcome] * 4)
    message = refusal(votes, ties=ties, position=True, **MLE)
    assert f"the {outcome} side won all 4 votes, so the position effect has no finite estimate" in message
    assert "score with position=False, or set a finite prior_sd" in message
    fit = pv.bradley_terry(votes, ties=ties, position=True, prior_sd=3.0).fit
    assert 1.0 < sign * fit.position_effect < 4.0
    assert 0.5 < fit.position_standard_error < 3.0
    nothing = pv.Votes.from_labels(["a"], ["b"], ["skip"])
    assert "no vote was won by either side" in refusal(nothing, ties=ties, position=True, **MLE)
    unknown = pv.bradley_terry(nothing, ties=ties, position=True, prior_sd=3.0).fit
    assert (unknown.position_effect, unknown.position_standard_error) == (0.0, pytest.approx(3.0))


LIVE = {
    "no items": ([], 0),
    "no votes": ([], 3),
    "one vote": ([(0, 1, LEFT)], 3),
    "a tie": ([(0, 1, TIE)], 2),
    "a skip": ([(0, 1, SKIP)], 3),
    "all ties": ([(0, 1, TIE), (1, 2, TIE), (2, 0, TIE)] * 10, 3),
    "many ties": ([(0, 1, TIE)] * 10_000, 3),
    "left always": ([(0, 1, LEFT), (1, 2, LEFT), (2, 0, LEFT)] * 7, 3),
    "ties and one side": ([(0, 1, TIE), (1, 2, RIGHT)], 4),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", LIVE)
def test_a_finite_prior_always_answers(name, ties, position) -> None:
    rows, n_items = LIVE[name]
    left, right, outcome = np.array(rows, np.int64).reshape(-1, 3).T
    for weight in (1.0, 1e-300):
        votes = pv.Votes.from_codes(left, right, outcome, n_items=n_items, weight=np.full(len(rows), weight))
        for kind in ("model", "sandwich"):
            ranking = pv.bradley_terry(votes, ties=ties, prior_sd=3.0, position=position, uncertainty=kind)
            fit = ranking.fit
            beside = [fit.tie_parameter, fit.tie_standard_error, fit.position_effect, fit.position_standard_error]
            assert np.isfinite([*ranking.scores, *ranking.standard_errors, *beside]).all()
    # Half of the votes are taken for ties before any is known.
    if name == "a tie":
        chance = outcome_probabilities(np.zeros(1), fit.tie_parameter, ties)[0, TIE]
        assert chance == pytest.approx(0.5 if ties in outcome_models.WITH_TIES else 0.0)


def test_half_votes_bound_the_position_effect() -> None:
    votes = pv.Votes.from_labels(list("abca"), list("bcab"), ["left", "left", "left", "tie"])
    ranking = pv.bradley_terry(votes, ties="half", position=True)
    assert 0 < ranking.fit.position_effect < 10
    assert "the left side won all 3 votes" in refusal(votes, ties="davidson", position=True, **MLE)


@pytest.mark.parametrize("ties", TIES)
def test_items_that_never_change_sides_leave_the_position_effect_open(ties) -> None:
    """Scores of the left group and the effect can be traded for each other, so the likelihood is flat."""
    rng = np.random.default_rng(2)
    left, right, outcome = rng.integers(0, 3, 200), rng.integers(3, 6, 200), rng.choice([0, 1, 2], 200)
    votes = pv.Votes.from_codes(left, right, outcome)
    assert "the scores can change with it" in refusal(votes, ties=ties, position=True, **MLE)
    ranking = pv.bradley_terry(votes, ties=ties, position=True)
    assert abs(ranking.fit.position_effect) < 5
    assert np.isfinite(ranking.standard_errors).all()


# --- options ---

SOME = well_mixed(5, 40, 11, ties=0.2).votes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "split"}, "ties is 'split'; use one of 'davidson', 'rao-kupper', 'cumulative', 'half', 'drop'"),
        ({"ties": None}, "ties is None"),
        ({"ties": 0.5}, "ties is 0.5"),
        ({"prior_sd": 0}, "prior_sd is 0; it is 'learned', or a number above 0"),
        ({"prior_sd": -1.0}, "prior_sd is -1.0"),
        ({"prior_sd": math.nan}, "prior_sd is nan"),
        ({"prior_sd": "3"}, "prior_sd is '3'"),
        ({"prior_sd": True}, "prior_sd is True"),
        ({"prior_sd": None}, "prior_sd is None"),
        ({"prior_sd": 1e-200}, "prior_sd is 1e-200, so small"),
        ({"position": 1}, "position is 1; it is True or False"),
        ({"position": "left"}, "position is 'left'"),
        (
            {"uncertainty": "bootstrap"},
            "uncertainty is 'bootstrap'; use one of 'model', 'sandwich', 'by-voter', 'clustered', 'none'",
        ),
        ({"tol": 0.0}, "tol is 0.0"),
        ({"tol": math.nan}, "tol is nan"),
        ({"tol": "1e-9"}, "tol is '1e-9'"),
        ({"max_iter": 0}, "max_iter is 0; it is a whole number from 1"),
        ({"max_iter": 2.0}, "max_iter is 2.0"),
        ({"max_iter": True}, "max_iter is True"),
        ({"criterion": "useful"}, "there is no criterion 'useful'"),
        ({"start": [0.0]}, "start has shape (1,); pass one score for each of the 5 items"),
        ({"start": np.zeros((5, 1))}, "start has shape (5, 1)"),
        ({"start": [0.0, 0.0, math.nan, 0.0, 0.0]}, "start[2] is nan; scores are finite"),
        ({"start": [0.0, math.inf, 0.0, 0.0, 0.0]}, "start[1] is inf"),
        (
            {"start": [0.0, 0.0, 0.0, 0.0, 1e200]},
            "start[4] is 1e+200; scores are finite, here up to 1,000,000",
        ),
        ({"start": "scores"}, "start cannot be made an array of scores"),
        ({"start": list("abcde")}, "start cannot be made an array of scores"),
        ({"start": pv.tally(SOME)}, "start is a ranking in 'votes'; pass one by bradley_terry"),
        ({"start": pv.elo(SOME)}, "start is a ranking in 'elo'"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.bradley_terry(SOME, **options)


@pytest.mark.parametrize("votes", [None, [("a", "b")], "votes.csv", np.zeros((2, 2)), pv.tally(SOME)])
def test_what_is_no_votes_is_refused(votes) -> None:
    with pytest.raises(pv.InputError, match=f"votes is a {type(votes).__name__}; pass Votes or PairCounts"):
        pv.bradley_terry(votes)


def test_numpy_scalars_are_options_too() -> None:
    ranking = pv.bradley_terry(
        SOME, prior_sd=np.float32(2.0), position=np.bool_(True), tol=np.float64(1e-9), max_iter=np.int64(50)
    )
    assert_same_fit(ranking, pv.bradley_terry(SOME, prior_sd=2.0, position=True))


def test_criteria_are_scored_one_at_a_time() -> None:
    votes = pv.Votes.from_labels(list("abab"), list("baba"), ["left"] * 4, criterion=["new", "new", "useful", "useful"])
    with pytest.raises(pv.InputError, match=r"several criteria \('new', 'useful'\); choose one with criterion="):
        pv.bradley_terry(votes)
    assert pv.bradley_terry(votes, criterion="new").won.tolist() == [1.0, 1.0]
    with pytest.raises(pv.InputError, match="which PairCounts do not keep"):
        pv.bradley_terry(votes.counts(criterion="new"), criterion="new")


def test_uncertainty_none_has_none() -> None:
    ranking = pv.bradley_terry(SOME, uncertainty="none")
    assert ranking.fit.uncertainty == "none"
    for name in ("standard_errors", "covariance"):
        with pytest.raises(pv.MissingUncertaintyError, match="has no standard errors"):
            getattr(ranking, name)


def test_half_gets_sandwich_errors_only_where_there_are_ties() -> None:
    assert pv.bradley_terry(SOME, ties="half").fit.uncertainty == "sandwich"
    assert pv.bradley_terry(SOME.where(SOME.outcome != TIE), ties="half").fit.uncertainty == "model"
    assert pv.bradley_terry(SOME, ties="half", uncertainty="none").fit.uncertainty == "none"


# --- start ---


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("position", [False, True])
def test_start_changes_the_way_but_not_the_answer(ties, position) -> None:
    votes = well_mixed(9, 120, 12, ties=0.2).votes()
    options = {"ties": ties, "position": position, "prior_sd": 3.0}
    cold = pv.bradley_terry(votes, **options)
    for start in (cold.scores, cold.scores.tolist(), cold, np.linspace(-5, 5, 9), np.arange(9)):
        assert_same_fit(pv.bradley_terry(votes, start=start, **options), cold)
    assert pv.bradley_terry(votes, start=cold, **options).fit.n_iter == 0


def test_start_matches_labels() -> None:
    names = list("abcdefg")
    votes = well_mixed(7, 200, 13, ties=0.2).votes(items=names)
    ranking = pv.bradley_terry(votes, position=True, prior_sd=3.0)
    order = [3, 6, 0, 5, 1, 4, 2]
    shuffled = pv.Votes.from_labels(
        [names[i] for i in votes.left],
        [names[j] for j in votes.right],
        [pv.Outcome(o) for o in votes.outcome.tolist()],
        items=[names[k] for k in order],
    )
    again = pv.bradley_terry(shuffled, position=True, prior_sd=3.0, start=ranking)
    assert again.fit.n_iter == 0
    np.testing.assert_allclose(again.scores, ranking.scores[order], atol=1e-9)
    # An item that the earlier ranking did not have begins level; one that is gone is not missed.
    more = pv.Votes.from_wins(["new", "a", "b"], ["a", "new", "a"], items=["new", "a", "b"])
    assert_same_fit(pv.bradley_terry(more, prior_sd=3.0, start=ranking), pv.bradley_terry(more, prior_sd=3.0))


def test_start_by_another_model_helps_too() -> None:
    votes = well_mixed(9, 120, 14, ties=0.2).votes()
    for there, here in itertools.permutations(TIES, 2):
        options = {"ties": here, "position": True, "prior_sd": 3.0}
        other = pv.bradley_terry(votes, ties=there, prior_sd=3.0)
        assert_same_fit(pv.bradley_terry(votes, start=other, **options), pv.bradley_terry(votes, **options))
    bootstrapped = pv.bootstrap(votes, n_resamples=2, rng=0, prior_sd=3.0)
    assert pv.bradley_terry(votes, prior_sd=3.0, start=bootstrapped).fit.n_iter == 0


# --- laws ---


@given(samples(max_votes=18), OPTIONS)
def test_swapping_sides_negates_the_position_effect_and_keeps_the_rest(sample, options) -> None:
    ranking = fitted(sample, **options)
    swapped = [(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows]
    mirrored = pv.bradley_terry(Sample(swapped, sample.n_items, sample.weighted).votes(), **options)
    np.testing.assert_allclose(mirrored.scores, ranking.scores, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(mirrored.covariance, ranking.covariance, rtol=1e-6, atol=1e-6)
    assert mirrored.fit.position_effect == pytest.approx(-ranking.fit.position_effect, rel=1e-8, abs=1e-8)
    assert mirrored.fit.tie_parameter == pytest.approx(ranking.fit.tie_parameter, rel=1e-8)
    assert mirrored.fit.log_likelihood == pytest.approx(ranking.fit.log_likelihood, rel=1e-10, abs=1e-10)


@given(samples(max_votes=18), OPTIONS, st.randoms(use_true_random=False))
def test_relabelling_permutes(sample, options, random) -> None:
    ranking = fitted(sample, **options)
    places = list(range(sample.n_items))
    random.shuffle(places)
    rows = [(places[i], places[j], o, w) for i, j, o, w in sample.rows]
    again = pv.bradley_terry(Sample(rows, sample.n_items, sample.weighted).votes(), **options)
    np.testing.assert_allclose(again.scores[places], ranking.scores, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(again.covariance[np.ix_(places, places)], ranking.covariance, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(outcomes_of(again), outcomes_of(ranking), rtol=1e-8, atol=1e-8)


@given(samples(max_votes=18), OPTIONS, st.randoms(use_true_random=False))
def test_the_order_of_votes_is_irrelevant(sample, options, random) -> None:
    ranking = fitted(sample, **options)
    rows = list(sample.rows)
    random.shuffle(rows)
    assert_same_fit(pv.bradley_terry(Sample(rows, sample.n_items, sample.weighted).votes(), **options), ranking)


@given(samples(min_items=2, max_votes=15), samples(min_items=2, max_items=2, max_votes=5), OPTIONS)
def test_votes_of_no_weight_and_skips_change_nothing(sample, more, options) -> None:
    ranking = fitted(sample, **options)
    idle = [(i, j, o, 0.0) for i, j, o, _ in more.rows] + [(j, i, SKIP, w) for i, j, _, w in more.rows]
    padded = Sample([*idle, *sample.rows], sample.n_items, True)
    assert_same_fit(pv.bradley_terry(padded.votes(), **options), ranking, 0.0)


@given(samples(max_votes=12), OPTIONS, st.sampled_from(["model", "sandwich"]))
def test_a_vote_cast_twice_equals_weight_two(sample, options, uncertainty) -> None:
    doubled = Sample([(i, j, o, 2 * w) for i, j, o, w in sample.rows], sample.n_items, True)
    ranking = fitted(doubled, uncertainty=uncertainty, **options)
    twice = Sample([row for row in sample.rows for _ in range(2)], sample.n_items, sample.weighted)
    assert_same_fit(pv.bradley_terry(twice.votes(), uncertainty=uncertainty, **options), ranking)


@pytest.mark.slow
@given(samples(max_votes=18), OPTIONS)
def test_pair_counts_score_as_the_votes_do(sample, options) -> None:
    ranking = fitted(sample, **options)
    votes = sample.votes()
    half = len(votes) // 2
    first, second = votes.where(np.arange(len(votes)) < half), votes.where(np.arange(len(votes)) >= half)
    for counts in (votes.counts(), first.counts() + second.counts()):
        assert_same_fit(pv.bradley_terry(counts, **options), ranking)
    np.testing.assert_array_equal(pv.bradley_terry(votes.counts(), **options).won, ranking.won)


@given(samples(max_votes=18, outcomes=(RIGHT, LEFT, SKIP)), st.booleans(), st.sampled_from([0.5, math.inf]))
def test_without_ties_all_models_are_one(sample, position, prior_sd) -> None:
    plain = fitted(sample, ties="drop", position=position, prior_sd=prior_sd)
    for ties in TIES:
        same = pv.bradley_terry(sample.votes(), ties=ties, position=position, prior_sd=prior_sd)
        slack = 1e-7 if ties == "cumulative" else 0.0
        np.testing.assert_allclose(same.scores, plain.scores, rtol=0.0, atol=slack)
        # The cumulative model is the same by another path.
        np.testing.assert_allclose(same.covariance, plain.covariance, rtol=slack, atol=slack)
        assert same.fit.tie_parameter == (1.0 if ties in outcome_models.WITH_THRESHOLDS else 0.0)


@given(samples(max_votes=18), OPTIONS)
def test_scores_and_covariance_are_centred(sample, options) -> None:
    ranking = fitted(sample, **options)
    assert ranking.scores.sum() == pytest.approx(0.0, abs=1e-10 * max(1.0, np.abs(ranking.scores).max()))
    scale = max(1.0, float(np.abs(ranking.covariance).max()))
    np.testing.assert_allclose(ranking.covariance.sum(axis=0), 0.0, atol=1e-9 * scale)
    np.testing.assert_allclose(ranking.covariance, ranking.covariance.T, rtol=0, atol=1e-14 * scale)
    assert np.linalg.eigvalsh(ranking.covariance).min() > -1e-9 * scale


@given(samples(max_votes=18), st.sampled_from(TIES))
def test_under_the_model_mean_information_sandwich_equals_model(sample, ties) -> None:
    """Where each pair's votes come out exactly as predicted, the two covariances agree."""
    base = fitted(sample, ties=ties, prior_sd=3.0)
    rows = []
    for i, j in itertools.combinations(range(sample.n_items), 2):
        chances = base.outcome_probabilities(i, j) if not (ties in ("half", "drop") and base.tied.any()) else None
        assume(chances is not None)
        rows += [(i, j, o, 1e6 * p) for o, p in ((LEFT, chances.left), (TIE, chances.tie), (RIGHT, chances.right))]
    assume(rows)
    exact = Sample(rows, sample.n_items, True).votes()
    options = {"ties": ties, "prior_sd": math.inf}
    model = pv.bradley_terry(exact, **options)
    sandwich = pv.bradley_terry(exact, uncertainty="sandwich", **options)
    np.testing.assert_allclose(sandwich.covariance, model.covariance, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(model.scores, base.scores, atol=1e-6)


# --- what a fit says of itself ---


def test_prior_share_is_one_for_an_item_without_votes() -> None:
    votes = well_mixed(5, 60, 15).votes()
    assert 0.0 < pv.bradley_terry(votes, prior_sd=3.0).fit.prior_share < 0.3
    more = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=6)
    assert pv.bradley_terry(more).fit.prior_share == pytest.approx(1.0, abs=1e-9)
    assert pv.bradley_terry(Sample([], 4, False).votes()).fit.prior_share == pytest.approx(1.0, abs=1e-12)
    assert pv.bradley_terry(votes, prior_sd=math.inf).fit.prior_share == 0.0


def test_prior_share_falls_with_votes_and_rises_with_the_priors_precision() -> None:
    sample = well_mixed(6, 80, 16, ties=0.2)
    for ties, position in itertools.product(TIES, (False, True)):
        shares = [
            pv.bradley_terry(
                Sample([(i, j, o, w * times) for i, j, o, w in sample.rows], 6, True).votes(),
                ties=ties,
                position=position,
                prior_sd=prior_sd,
            ).fit.prior_share
            for times, prior_sd in ((1, 0.2), (1, 1.0), (10, 1.0), (10, 5.0))
        ]
        assert shares == sorted(shares, reverse=True)
        assert 0.0 < shares[-1] < shares[0] < 1.0


def test_prior_share_is_the_largest_over_centred_directions() -> None:
    sample = well_mixed(5, 40, 17)
    ranking = pv.bradley_terry(sample.votes(), prior_sd=2.0)
    directions = np.random.default_rng(0).normal(size=(500, 5))
    directions -= directions.mean(axis=1, keepdims=True)
    shares = np.einsum("ki,ij,kj->k", directions, ranking.covariance, directions) / 4.0 / (directions**2).sum(axis=1)
    assert shares.max() <= ranking.fit.prior_share + 1e-12
    assert shares.max() > 0.9 * ranking.fit.prior_share


def test_fit_reports_itself() -> None:
    fit = pv.bradley_terry(SOME, position=True).fit
    assert fit.converged is True
    assert fit.n_iter >= 1
    assert (fit.ties, fit.uncertainty) == ("davidson", "model")
    text = repr(fit)
    for part in (
        "converged=True",
        f"n_iter={fit.n_iter}",
        f"tie_parameter={fit.tie_parameter:.6g}",
        "log_likelihood=-",
    ):
        assert part in text


def test_items_alone_and_apart_get_level_scores_from_the_prior() -> None:
    votes = pv.Votes.from_wins(["a", "c"], ["b", "d"], items=list("abcde"))
    ranking = pv.bradley_terry(votes, prior_sd=2.0)
    assert ranking.components.tolist() == [0, 0, 1, 1, 2]
    a, b, c, d, e = ranking.scores.tolist()
    assert (a, b, e) == (pytest.approx(c), pytest.approx(d), pytest.approx(0.0, abs=1e-12))
    # Of an item without votes only the prior is known, less what centring takes off.
    assert ranking.difference("e", "a").standard_error > 2.0
    alone = Sample([], 3, False).votes()
    np.testing.assert_allclose(pv.bradley_terry(alone, prior_sd=2.0).covariance, 4.0 * (np.eye(3) - 1 / 3), atol=1e-12)


def test_more_than_four_thousand_items_have_errors_without_a_table_of_them() -> None:
    n_items = 4001
    rng = np.random.default_rng(18)
    n_votes = (20 if _kernels.davidson.COMPILED else 3) * n_items
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    votes = pv.Votes.from_codes(left, right, rng.choice([0, 2], size=n_votes), n_items=n_items)
    ranking = pv.bradley_terry(votes, prior_sd=3.0)
    assert np.isfinite(ranking.scores).all()
    # Items being all but level, a vote says a quarter, and the prior a ninth.
    ratios = ranking.standard_errors * np.sqrt(ranking.asked / 4 + 1 / 9)
    assert ratios.min() > 0.9
    assert np.median(ratios) == pytest.approx(1.0, abs=0.05 if _kernels.davidson.COMPILED else 0.3)
    assert ranking.fit.approximation_error < (0.01 if _kernels.davidson.COMPILED else 0.3)
    assert 0.0 < ranking.fit.prior_share < 1.0
    assert ranking.difference(0, 1).standard_error == pytest.approx(np.hypot(*ranking.standard_errors[:2]), rel=0.2)
    assert "interval" in str(ranking)
    with pytest.raises(pv.MissingUncertaintyError, match=r"covariance of 4,001 items would take 0\.1 GiB"):
        ranking.covariance  # noqa: B018
