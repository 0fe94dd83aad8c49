"""choix's algorithms, held against reference.py, choix itself and evalica; what choix gets wrong in silence raises."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import choix
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEWER, Sample, samples

import pairvote as pv
from pairvote.scoring import _choix
from pairvote.scoring._luce import ALGORITHMS

WHOLE = ("mm", "rank-centrality", "ep")
EXACT = ("lsr", "ilsr", "mm", "rank-centrality")
BASEBALL = pv.datasets.baseball()
# No prior, one of the size of a few votes, and one that outweighs them.
PRIORS = (0.0, 0.1, 2.0)
HALVES = st.integers(0, 12).map(lambda n: n / 2)


def expected(algorithm, rows, n_items, prior=0.0):
    """The scores that the algorithm defines."""
    wins = reference.half_wins(rows, n_items)
    if algorithm == "lsr":
        return reference.luce_spectral(wins, prior)
    if algorithm == "rank-centrality":
        return reference.rank_centrality(wins, prior)
    if prior:
        return reference.gamma_mode(wins, prior * n_items if algorithm == "ilsr" else prior)
    return reference.bradley_terry(rows, n_items, "half", math.inf)["scores"]


def chain(n_items, wins, losses):
    """Each item met the next only; without a prior the scores fall by log(wins / losses) a step."""
    table = np.zeros((n_items, n_items))
    step = np.arange(n_items - 1)
    table[step, step + 1], table[step + 1, step] = wins, losses
    return pv.Votes.from_matrix(table)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", EXACT)
@given(sample=samples(min_items=2, max_items=4, min_votes=6, max_votes=20, outcomes=(0, 1, 2), weights=HALVES))
def test_equals_the_reference_where_scores_exist_and_raises_elsewhere(algorithm, sample) -> None:
    if algorithm in WHOLE:
        # Twice the votes make neither algorithm's scores another, and four times the half of a half whole.
        sample = sample._replace(rows=sample.rows * 4)
    if reference.strongly_connected(sample.rows, sample.n_items).max() > 0:
        with pytest.raises(
            pv.NotIdentifiedError, match=r"maximum-likelihood scores do not exist.*set a positive prior"
        ):
            pv.luce(sample.votes(), algorithm=algorithm)
    else:
        scores = pv.luce(sample.votes(), algorithm=algorithm).scores
        np.testing.assert_allclose(scores, expected(algorithm, sample.rows, sample.n_items), atol=1e-6)
        assert scores.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("prior", PRIORS[1:])
@pytest.mark.parametrize("algorithm", EXACT)
@given(sample=samples(min_items=2, max_items=4, max_votes=12, outcomes=(0, 2, 3), weights=None))
@FEWER
def test_with_a_prior_there_are_scores_for_any_votes(algorithm, prior, sample) -> None:
    scores = pv.luce(sample.votes(), algorithm=algorithm, prior=prior).scores
    np.testing.assert_allclose(scores, expected(algorithm, sample.rows, sample.n_items, prior), atol=1e-6)


@pytest.mark.parametrize("prior", PRIORS)
def test_equals_choix(prior) -> None:
    pairs = BASEBALL.to_choix()
    theirs = {
        "lsr": choix.lsr_pairwise(7, pairs, prior),
        "ilsr": choix.ilsr_pairwise(7, pairs, prior),
        "mm": choix.mm_pairwise(7, pairs, alpha=prior),
        "rank-centrality": choix.rank_centrality(7, pairs, prior),
    }
    for algorithm, scores in theirs.items():
        ours = pv.luce(BASEBALL, algorithm=algorithm, prior=prior)
        np.testing.assert_allclose(ours.scores, scores - scores.mean(), atol=1e-6)
        assert (ours.unit, ours.method, ours.fit, ours._uncertainty) == ("log-odds", "luce", None, None)


@pytest.mark.parametrize("algorithm", ["ilsr", "mm"])
def test_the_iterative_ones_give_the_maximum_of_the_likelihood(algorithm) -> None:
    ours = pv.luce(BASEBALL, algorithm=algorithm)
    maximum = pv.bradley_terry(BASEBALL, prior_sd=math.inf)
    np.testing.assert_allclose(ours.scores, maximum.scores, atol=1e-7)
    np.testing.assert_allclose(ours.probability_matrix(), maximum.probability_matrix(), atol=1e-7)


def test_half_a_win_for_a_tie_is_evalicas() -> None:
    evalica = pytest.importorskip("evalica", reason="evalica is not installed")
    rng = np.random.default_rng(5)
    left = rng.integers(6, size=300)
    right = (left + rng.integers(1, 6, size=300)) % 6
    outcome = rng.integers(3, size=300)
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[o] for o in outcome]
    theirs = evalica.bradley_terry(
        [f"{i}" for i in left], [f"{j}" for j in right], winners, tolerance=1e-13, limit=100_000
    )
    logs = np.log([theirs.scores[f"{item}"] for item in range(6)])
    ours = pv.luce(pv.Votes.from_codes(left, right, outcome), algorithm="ilsr")
    np.testing.assert_allclose(ours.scores, logs - logs.mean(), atol=1e-8)


# --- expectation propagation ---


@pytest.mark.parametrize("prior_sd", [0.5, 1.0, 3.0])
def test_ep_is_nearer_the_posterior_than_the_maximum_and_its_curvature(prior_sd) -> None:
    wins = np.array([[0, 3, 1], [2, 0, 4], [0, 1, 0]])
    votes = pv.Votes.from_matrix(wins)
    mean, covariance = reference.posterior_of_three(wins, prior_sd)
    errors = np.sqrt(np.diag(covariance))

    def off(ranking):
        """How far off the scores are, in standard errors, and the standard errors and covariance, in shares."""
        return (
            np.abs((ranking.scores - mean) / errors).max(),
            np.abs(ranking.standard_errors / errors - 1).max(),
            np.abs(ranking.covariance - covariance).max() / covariance.max(),
        )

    ep = np.array(off(pv.luce(votes, algorithm="ep", prior_sd=prior_sd)))
    assert (ep < [0.02, 0.06, 0.11]).all()
    assert (ep < np.array(off(pv.bradley_terry(votes, prior_sd=prior_sd))) / [10, 2, 2]).all()


@pytest.mark.slow
def test_ep_is_choixs_with_the_prior_that_is_asked_for() -> None:
    pairs = BASEBALL.to_choix()
    for prior_sd, alpha in ((None, 1 / 9), (3.0, 1 / 9), (0.5, 4.0)):
        mean, covariance = choix.ep_pairwise(7, pairs, alpha)
        ranking = pv.luce(BASEBALL, algorithm="ep", prior_sd=prior_sd)
        centring = np.eye(7) - 1 / 7
        # choix stops when its parameters change by less than 1e-4.
        np.testing.assert_allclose(ranking.scores, centring @ mean, atol=1e-4)
        np.testing.assert_allclose(ranking.covariance, centring @ covariance @ centring, atol=1e-4)


def test_ep_gives_the_same_every_time_and_leaves_numpys_random_state_alone() -> None:
    np.random.seed(1)  # noqa: NPY002
    first = pv.luce(BASEBALL, algorithm="ep")
    drawn = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert drawn == np.random.random()  # noqa: NPY002
    again = pv.luce(BASEBALL, algorithm="ep")
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.covariance, again.covariance)


def test_ep_without_votes_is_the_prior() -> None:
    ranking = pv.luce(pv.Votes.from_wins([], [], items=["a", "b", "c"]), algorithm="ep", prior_sd=2.0)
    assert ranking.scores.tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(ranking.covariance, 4 * (np.eye(3) - 1 / 3), atol=1e-15)


# --- laws ---


@pytest.mark.parametrize("algorithm", EXACT)
@given(sample=samples(min_items=2, max_items=5, outcomes=(0, 2, 3), weights=None), random=st.randoms())
@FEWER
def test_laws_of_a_vote(algorithm, sample, random) -> None:
    # A prior, so that there are scores; with so many repeats, those of twice the prior on votes taken twice.
    def scored(rows, prior=0.5):
        return pv.luce(Sample(rows, sample.n_items, True).votes(), algorithm=algorithm, prior=prior).scores

    def assert_same(ours, theirs):
        np.testing.assert_allclose(ours, theirs, atol=1e-7)

    scores = scored(sample.rows)
    assert_same(scored([(j, i, 2 - o if o != 3 else o, w) for i, j, o, w in sample.rows]), scores)
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows] + [(i, j, 3, w) for i, j, _, w in sample.rows]
    assert_same(scored([*idle, *sample.rows]), scores)
    assert_same(scored([row for row in sample.rows for _ in range(2)], prior=1.0), scores)
    assert_same(scored([(i, j, o, 2 * w) for i, j, o, w in sample.rows], prior=1.0), scores)
    places = list(range(sample.n_items))
    random.shuffle(places)
    assert_same(scored([(places[i], places[j], o, w) for i, j, o, w in sample.rows])[places], scores)
    counts = sample.votes().counts()
    assert_same(pv.luce(counts, algorithm=algorithm, prior=0.5).scores, scores)
    assert_same(pv.luce(counts + counts, algorithm=algorithm, prior=1.0).scores, scores)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_dropped_ties_say_nothing(algorithm) -> None:
    decided = pv.Votes.from_wins(list("abcab"), list("bcabc"))
    ties = pv.Votes.from_labels(list("ac"), list("ba"), ["tie"] * 2)
    ranking = pv.luce(decided + ties, algorithm=algorithm, ties="drop")
    np.testing.assert_array_equal(ranking.scores, pv.luce(decided, algorithm=algorithm).scores)
    assert ranking.tied.tolist() == [2.0, 1.0, 1.0]


@pytest.mark.parametrize("algorithm", WHOLE)
def test_two_ties_are_a_win_each(algorithm) -> None:
    votes = pv.Votes.from_wins(list("abc"), list("bca"))
    ties = pv.Votes.from_labels(list("aa"), list("bb"), ["tie"] * 2)
    wins = pv.Votes.from_wins(list("ab"), list("ba"))
    np.testing.assert_allclose(
        pv.luce(votes + ties, algorithm=algorithm).scores, pv.luce(votes + wins, algorithm=algorithm).scores, atol=1e-12
    )


def test_ties_dropped_may_leave_nothing_to_score_by() -> None:
    votes = pv.Votes.from_labels(list("ab"), list("bc"), ["left", "tie"])
    with pytest.raises(pv.NotIdentifiedError, match="'a', 'b'; 'c'"):
        pv.luce(votes, ties="drop")


@pytest.mark.parametrize("n_items", [0, 1])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_fewer_than_two_items(algorithm, n_items) -> None:
    ranking = pv.luce(pv.Votes.from_codes([], [], [], n_items=n_items), algorithm=algorithm)
    assert ranking.scores.tolist() == [0.0] * n_items


# --- where choix fails ---


@pytest.mark.parametrize("algorithm", ["lsr", "ilsr", "rank-centrality"])
def test_long_chains_where_choix_can(algorithm) -> None:
    exact = -np.arange(200) * math.log(1.5)
    np.testing.assert_allclose(pv.luce(chain(200, 3, 2), algorithm=algorithm).scores, exact - exact.mean(), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithm", "votes", "why"),
    [
        # A score of choix's off by 131 log-odds, without a word.
        ("rank-centrality", chain(60, 99, 1), r"gave scores that are about \S+ log-odds from what it defines"),
        ("rank-centrality", chain(30, 9, 1), "gave scores that are not finite"),
        ("lsr", chain(160, 99, 1), "gave scores that are not finite"),
        ("mm", chain(60, 3, 2), r"gave up \(Did not converge after 10000 iterations\)"),
    ],
)
def test_what_choix_gets_wrong_raises(algorithm, votes, why) -> None:
    with pytest.raises(pv.ConvergenceError, match=f"choix's '{algorithm}' {why}.*; score with bradley_terry"):
        pv.luce(votes, algorithm=algorithm)


@pytest.mark.parametrize(
    "failure", [RuntimeError("no"), ValueError("no"), ZeroDivisionError("no"), OverflowError("no")]
)
@pytest.mark.parametrize("algorithm", ["ilsr", "ep"])
def test_where_choix_gives_up_there_is_one_error(algorithm, failure) -> None:
    def give_up():
        raise failure

    with pytest.raises(pv.ConvergenceError, match=rf"choix's '{algorithm}' gave up \(no\); score with bradley_terry"):
        _choix.run(algorithm, give_up)


def test_a_posterior_that_is_not_finite_raises() -> None:
    mean, covariance = np.zeros(7), np.full((7, 7), math.nan)
    with pytest.raises(pv.ConvergenceError, match="choix's 'ep' gave scores that are not finite"):
        _choix.check_finite("ep", mean, covariance)


@pytest.mark.parametrize("algorithm", EXACT)
@pytest.mark.parametrize("error", [1e-5, math.nan, 1e3])
def test_scores_that_are_not_what_the_algorithm_defines_raise(algorithm, error) -> None:
    counts = BASEBALL.counts()
    wins = np.zeros((7, 7))
    wins[counts.left, counts.right] += counts.table[:, 2]
    np.add.at(wins, (counts.right, counts.left), counts.table[:, 0])
    for prior in PRIORS:
        scores = _choix.estimate(algorithm, wins, prior)
        _choix.check_solution(algorithm, wins, scores, prior)
        scores[0] += error
        with pytest.raises(pv.ConvergenceError):
            _choix.check_solution(algorithm, wins, scores, prior)


# --- the rest of the library ---


def test_rank_and_bootstrap_know_it() -> None:
    np.testing.assert_array_equal(
        pv.rank(BASEBALL, "luce", algorithm="lsr").scores, pv.luce(BASEBALL, algorithm="lsr").scores
    )
    ranking = pv.bootstrap(BASEBALL, "luce", n_resamples=200, algorithm="ilsr", rng=0)
    model = pv.bradley_terry(BASEBALL, prior_sd=math.inf)
    np.testing.assert_allclose(ranking.standard_errors, model.standard_errors, rtol=5 / math.sqrt(2 * 200))
    assert ranking.top_k_probability(3).sum() == pytest.approx(3)


@pytest.mark.parametrize("algorithm", EXACT)
def test_only_ep_has_standard_errors(algorithm) -> None:
    with pytest.raises(pv.MissingUncertaintyError, match="by 'luce' of 7 items"):
        pv.luce(BASEBALL, algorithm=algorithm).standard_errors  # noqa: B018


# --- what is refused ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"algorithm": "newton"}, "algorithm is 'newton'; use one of 'lsr', 'ilsr', 'mm', 'rank-centrality', 'ep'"),
        ({"algorithm": None}, "algorithm is None; use one of"),
        ({"ties": "davidson"}, "ties is 'davidson'; use one of 'half', 'drop'"),
        ({"ties": 0.5}, "ties is 0.5; use one of"),
        ({"prior": -1.0}, "prior is -1.0; it is a number from 0 to 1e+09"),
        ({"prior": 1e308}, "prior is 1e+308; it is a number from 0 to 1e+09"),
        ({"algorithm": np.array(["lsr", "mm"])}, "; use one of 'lsr', 'ilsr', 'mm', 'rank-centrality', 'ep'"),
        ({"ties": np.zeros(2)}, "; use one of 'half', 'drop'"),
        ({"prior": math.inf}, "prior is inf; it is"),
        ({"prior": math.nan}, "prior is nan; it is"),
        ({"prior": True}, "prior is True; it is"),
        ({"prior": "1"}, "prior is '1'; it is"),
        ({"algorithm": "ep", "prior": 1.0}, "prior is 1.0, and 'ep' has a normal prior; set its prior_sd instead"),
        ({"prior_sd": 3.0}, "prior_sd is 3.0, and 'ilsr' has no normal prior; set prior instead"),
        ({"algorithm": "ep", "prior_sd": 0}, "prior_sd is 0; for 'ep' it is a number from 1e-100 to 10,000"),
        ({"algorithm": "ep", "prior_sd": math.inf}, "prior_sd is inf; for 'ep'"),
        ({"algorithm": "ep", "prior_sd": 1e-200}, "prior_sd is 1e-200; for 'ep'"),
        ({"algorithm": "ep", "prior_sd": 10_001}, "prior_sd is 10001; for 'ep'"),
        ({"algorithm": "ep", "prior_sd": math.nan}, "prior_sd is nan; for 'ep'"),
        ({"algorithm": "ep", "prior_sd": "3"}, "prior_sd is '3'; for 'ep'"),
    ],
)
def test_an_option_out_of_range_is_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.luce(BASEBALL, **options)


@pytest.mark.parametrize("algorithm", WHOLE)
def test_wins_that_are_no_whole_votes_are_refused(algorithm) -> None:
    tie = pv.Votes.from_labels(["Toronto"], ["Boston"], ["tie"])
    weighted = replace(BASEBALL, weight=np.full(len(BASEBALL), 1.25))
    for votes in (BASEBALL + tie, weighted):
        with pytest.raises(pv.InputError, match=f"'{algorithm}' takes whole votes.*algorithm='ilsr'.*ties='drop'"):
            pv.luce(votes, algorithm=algorithm)
    heavy = replace(BASEBALL, weight=np.full(len(BASEBALL), 1e6))
    with pytest.raises(pv.InputError, match=f"'{algorithm}' takes a list of all votes, and there are 273,000,000;"):
        pv.luce(heavy, algorithm=algorithm)
    huge = replace(BASEBALL, weight=np.full(len(BASEBALL), 1e300))
    with pytest.raises(pv.InputError, match=r"and there are 2\.73e\+302; use algorithm='ilsr'"):
        pv.luce(huge, algorithm=algorithm)
    twice = replace(BASEBALL, weight=np.full(len(BASEBALL), 2.0))
    np.testing.assert_allclose(
        pv.luce(twice, algorithm=algorithm).scores, pv.luce(BASEBALL + BASEBALL, algorithm=algorithm).scores, atol=1e-9
    )


def test_too_many_items_are_refused() -> None:
    votes = pv.Votes.from_codes([0], [1], [2], n_items=4001)
    with pytest.raises(pv.InputError, match="there are 4,001 items; luce takes up to 4,000"):
        pv.luce(votes)


@pytest.mark.parametrize("votes", [None, [("a", "b", "left")], "votes.csv"])
def test_what_is_no_votes_is_refused(votes) -> None:
    with pytest.raises(pv.InputError, match="pass Votes or PairCounts"):
        pv.luce(votes)
