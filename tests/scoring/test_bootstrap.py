"""The bootstrap's standard errors are those that theory gives, and its refusals say what to do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import reference

import pairvote as pv
from pairvote.ranking._uncertainty import Known
from pairvote.scoring import _bootstrap as module
from pairvote.scoring._methods import SCORERS

WORKSHOP = pv.datasets.kalmar().simulated_votes(rng=7, ties=0.5)
MODELS = ("davidson", "rao-kupper", "half", "drop")
SCORED = [
    *(("bradley-terry", {"ties": t, "position": p, "prior_sd": 3.0}) for t in MODELS for p in (False, True)),
    ("bradley-terry", {"prior_sd": 1.0, "tol": 1e-6}),
    ("tally", {"ties": 0.3}),
    ("win-rate", {"prior": 0.0}),
    ("elo", {"k": 8.0}),
]


def centring(n_items):
    return np.eye(n_items) - 1 / n_items


def credit(votes):
    """What each vote adds to the tally: shape (n_votes, n_items)."""
    table = np.zeros((len(votes), votes.n_items))
    rows = np.arange(len(votes))
    table[rows, votes.left] = votes.outcome / 2
    table[rows, votes.right] = 1 - votes.outcome / 2
    return table


def assert_same_covariance(covariance, expected, n_resamples):
    """Each entry within five of its standard errors, those of a sample covariance of normal variables."""
    variances = np.diag(expected)
    errors = np.sqrt((np.outer(variances, variances) + expected**2) / n_resamples)
    np.testing.assert_array_less(np.abs(covariance - expected), 5 * errors + 1e-12)


@pytest.mark.parametrize("many_alike", [0, 8])
def test_covariance_of_tally_by_vote_is_the_analytic_one(many_alike):
    # Drawn by kind, and one by one.
    n_resamples, rng = 2000, np.random.default_rng(1)
    draw = module._AddedUp.of(WORKSHOP, np.arange(len(WORKSHOP)), "vote", folded=True)
    draw = replace(draw, many_alike=many_alike)
    samples = np.array([pv.tally(draw(rng)).scores for _ in range(n_resamples)])
    # A sum of n independent draws from the votes has n times the covariance of one of them.
    one_vote = np.cov(credit(WORKSHOP).T, bias=True)
    p = centring(23)
    assert_same_covariance(Known.of_samples(samples).covariance(), p @ (len(WORKSHOP) * one_vote) @ p, n_resamples)


def test_covariance_of_tally_by_voter_is_the_analytic_one():
    n_resamples = 2000
    ranking = pv.bootstrap(WORKSHOP, "tally", n_resamples=n_resamples, by="voter", rng=1)
    ballots = np.stack([credit(WORKSHOP)[WORKSHOP.voter == voter].sum(axis=0) for voter in range(30)])
    p = centring(23)
    assert_same_covariance(ranking.covariance, p @ (30 * np.cov(ballots.T, bias=True)) @ p, n_resamples)


def test_voters_who_repeat_themselves_count_once_by_voter():
    # 40 voters of 9 equal votes each: 360 votes that hold no more than 40.
    picks = np.repeat(["left"] * 24 + ["right"] * 16, 9)
    votes = pv.Votes.from_labels(["ash"] * 360, ["birch"] * 360, picks, voter=np.repeat(np.arange(40), 9))
    by_vote = pv.bootstrap(votes, "tally", n_resamples=2000, rng=2).standard_errors[0]
    by_voter = pv.bootstrap(votes, "tally", n_resamples=2000, by="voter", rng=2).standard_errors[0]
    # The standard error of a ratio of two standard errors is its size / sqrt(n_resamples).
    assert by_voter / by_vote == pytest.approx(3.0, rel=5 / math.sqrt(2000))


def votes_of_four_items(n_votes, rng, tie_share=0.0):
    strengths = np.array([0.6, 0.2, -0.2, -0.6])
    left = rng.integers(4, size=n_votes)
    right = (left + rng.integers(1, 4, size=n_votes)) % 4
    won = rng.random(n_votes) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    outcome = np.where(rng.random(n_votes) < tie_share, 1, 2 * won)
    return pv.Votes.from_codes(left, right, outcome, n_items=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "tie_share"), [({}, 0.0), ({}, 0.3), ({"ties": "half"}, 0.6), ({"ties": "rao-kupper"}, 0.3)]
)
def test_covariance_of_bradley_terry_is_the_sandwich(options, tie_share):
    n_resamples = 1500
    votes, options = votes_of_four_items(4000, np.random.default_rng(3), tie_share), {**options, "prior_sd": 3.0}
    sandwich = pv.bradley_terry(votes, uncertainty="sandwich", **options)
    ranking = pv.bootstrap(votes, n_resamples=n_resamples, rng=3, **options)
    np.testing.assert_allclose(
        ranking.standard_errors, sandwich.standard_errors, rtol=4 / math.sqrt(2 * n_resamples) + 0.01
    )
    assert_same_covariance(ranking.covariance, sandwich.covariance, n_resamples)
    np.testing.assert_array_equal(ranking.scores, sandwich.scores)


def drawn_rows(votes, lots, n_resamples, seed):
    """The rows of each resample of one block, in time order."""
    (rng,) = np.random.default_rng(seed).spawn(1)
    n_lots = lots.max() + 1
    for _ in range(n_resamples):
        times_drawn = np.bincount(rng.integers(n_lots, size=n_lots), minlength=n_lots)
        yield np.repeat(np.arange(len(votes)), times_drawn[lots])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by", ["vote", "voter"])
@pytest.mark.parametrize(("method", "options"), SCORED)
def test_resamples_are_scored_as_the_scorer_scores_them(method, options, by, weighted):
    votes = WORKSHOP
    if options.get("ties") == "drop":
        votes = votes.where(votes.outcome != pv.Outcome.TIE)
    if weighted:
        votes = replace(votes, weight=np.random.default_rng(1).choice([0.5, 1.0, 2.5], size=len(votes)))
    samples = pv.bootstrap(votes, method, by=by, n_resamples=8, rng=11, **options)._uncertainty.samples
    lots = votes.voter if by == "voter" else np.arange(len(votes))
    expected = [pv.rank(votes._take(rows), method, **options).scores for rows in drawn_rows(votes, lots, 8, 11)]
    tolerance = 1e-3 if "tol" in options else 1e-7
    np.testing.assert_allclose(samples, expected, rtol=0, atol=tolerance * max(1.0, np.abs(samples).max()))


def test_a_few_hundred_items_are_scored_the_same():
    # More than the kernel for few items takes.
    rng = np.random.default_rng(12)
    left = rng.integers(150, size=6000)
    votes = pv.Votes.from_codes(left, (left + rng.integers(1, 150, size=6000)) % 150, rng.integers(3, size=6000))
    samples = pv.bootstrap(votes, n_resamples=2, rng=12, prior_sd=3.0)._uncertainty.samples
    expected = [
        pv.bradley_terry(votes._take(rows), prior_sd=3.0).scores for rows in drawn_rows(votes, np.arange(6000), 2, 12)
    ]
    np.testing.assert_allclose(samples, expected, rtol=0, atol=1e-7)


@pytest.mark.slow
def test_intervals_cover():
    rng = np.random.default_rng(4)
    n_votes, n_workshops = 60, 400
    covered = 0
    for _ in range(n_workshops):
        won = rng.random(n_votes) < 0.7
        votes = pv.Votes.from_codes([0] * n_votes, [1] * n_votes, 2 * won)
        low, high = pv.bootstrap(votes, "tally", n_resamples=100, rng=rng).confidence_interval()
        covered += int(low[0] <= 0.7 * n_votes <= high[0])
    assert abs(covered / n_workshops - 0.95) < 3 * math.sqrt(0.95 * 0.05 / n_workshops)


@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize("by", ["vote", "voter"])
def test_same_seed_same_answer_and_the_scorers_own_estimate(method, by):
    first, again, other = (pv.bootstrap(WORKSHOP, method, n_resamples=20, by=by, rng=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.covariance, again.covariance)
    np.testing.assert_array_equal(first.top_k_probability(5), again.top_k_probability(5))
    assert not np.array_equal(first.covariance, other.covariance)
    plain = pv.rank(WORKSHOP, method)
    np.testing.assert_array_equal(first.scores, plain.scores)
    for name in ("unit", "method", "_log_odds_per_unit"):
        assert getattr(first, name) == getattr(plain, name)
    np.testing.assert_allclose(first.covariance.sum(axis=0), 0.0, atol=1e-9 * np.abs(first.covariance).max())


def test_the_fit_says_where_the_standard_errors_come_from():
    assert pv.bootstrap(WORKSHOP, n_resamples=2, rng=0).fit.uncertainty == "bootstrap"
    assert pv.bootstrap(WORKSHOP, "tally", n_resamples=2, rng=0).fit is None


@pytest.mark.parametrize("method", SCORERS)
def test_skips_and_weightless_votes_change_nothing(method):
    extra = pv.Votes.from_codes([3, 4], [5, 6], [3, 2], items=WORKSHOP.items, voter=[1, 77], weight=[1.0, 0.0])
    plain = pv.bootstrap(WORKSHOP, method, n_resamples=10, rng=8)
    more = pv.bootstrap(extra + WORKSHOP, method, n_resamples=10, rng=8)
    np.testing.assert_array_equal(plain.covariance, more.covariance)
    assert more.skipped.sum() == 2


def test_options_and_criterion_reach_every_resample():
    criterion = np.where(np.arange(len(WORKSHOP)) % 2, "new", "useful")
    both = pv.Votes.from_codes(
        WORKSHOP.left, WORKSHOP.right, WORKSHOP.outcome, items=WORKSHOP.items, criterion=criterion
    )
    chosen = pv.bootstrap(both, "elo", n_resamples=10, rng=9, k=8.0, criterion="new")
    alone = pv.bootstrap(both.where(criterion == "new"), "elo", n_resamples=10, rng=9, k=8.0)
    np.testing.assert_array_equal(chosen.covariance, alone.covariance)
    larger = pv.bootstrap(both, "elo", n_resamples=10, rng=9, k=16.0, criterion="new")
    assert (larger.standard_errors > chosen.standard_errors).all()


def test_drawn_votes_keep_their_order():
    # The two wins in the other order give other ratings, which must never be drawn.
    votes = pv.Votes.from_wins(["ash", "birch"], ["birch", "ash"])
    samples = pv.bootstrap(votes, "elo", n_resamples=60, rng=0)._uncertainty.samples
    drawn = [votes._take(np.array(rows)) for rows in ([0, 0], [0, 1], [1, 1])]
    expected = {pv.elo(resample).scores[0] for resample in drawn}
    assert pv.elo(votes._take(np.array([1, 0]))).scores[0] not in expected
    assert set(samples[:, 0].tolist()) == expected


def test_shuffled_elo_takes_its_shuffles_from_the_same_seed():
    first, again = (pv.bootstrap(WORKSHOP, "elo", n_resamples=5, rng=1, n_shuffles=3) for _ in range(2))
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(first.covariance, again.covariance)
    assert first.order_spread is not None


def test_top_k_probability_is_the_share_of_resamples():
    ranking = pv.bootstrap(WORKSHOP, "elo", n_resamples=50, rng=1)
    best = np.argsort(-ranking._uncertainty.samples, axis=1)[:, :5]
    np.testing.assert_allclose(ranking.top_k_probability(5), np.bincount(best.ravel(), minlength=23) / 50)
    scaled = pv.bootstrap(WORKSHOP, n_resamples=50, rng=1)
    np.testing.assert_array_equal(scaled.on_elo_scale().top_k_probability(5), scaled.top_k_probability(5))
    np.testing.assert_array_equal(ranking.top_k_probability(23), np.ones(23))


def test_items_level_at_the_last_place_share_it_evenly():
    ranking = pv.tally(pv.Votes.from_wins(["ash"], ["birch"], items=["ash", "birch", "cedar", "elm"]))
    samples = np.array([[2.0, 1.0, 1.0, 1.0], [0.0, 3.0, 3.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
    shares = replace(ranking, _uncertainty=Known(np.eye(4), samples)).top_k_probability(2)
    np.testing.assert_allclose(shares, [2 / 3, (1 / 3 + 1 + 1) / 3, (1 / 3 + 1) / 3, 1 / 9])
    for k in (1, 2, 3, 4):
        total = pv.bootstrap(WORKSHOP, "tally", n_resamples=50, rng=1).top_k_probability(k).sum()
        assert total == pytest.approx(k, rel=1e-12)


def test_resamples_that_cannot_be_scored_are_drawn_again():
    # The point estimate exists, but a resample without the one vote for birch has ash undefeated.
    votes = pv.Votes.from_wins(["ash"] * 3 + ["birch"], ["birch"] * 3 + ["ash"])
    samples = pv.bootstrap(votes, n_resamples=100, prior_sd=math.inf, rng=0)._uncertainty.samples
    assert samples.shape == (100, 2)
    # 1, 2 or 3 votes of 4 for ash, to the tolerance of a refit.
    np.testing.assert_allclose(np.unique(samples[:, 0].round(3)), np.log([1 / 3, 1, 3]).round(3) / 2, atol=1e-3)
    # One resample in 500 has no decided vote, and none then has a tie parameter.
    ties = pv.Votes.from_labels(["a", "b", "c"] * 20, ["b", "c", "a"] * 20, (["tie"] * 9 + ["left"]) * 6)
    sides = pv.Votes.from_labels(["a", "b", "c"] * 20, ["b", "c", "a"] * 20, (["left"] * 14 + ["right"]) * 4)
    for given, options in ((ties, {}), (sides, {"position": True})):
        assert (pv.bootstrap(given, rng=0, n_resamples=600, **options).standard_errors > 0).all()


def test_next_to_no_resample_that_can_be_scored_is_an_error():
    # A chain of ten: each item beats the next one 30 times and loses once; few resamples keep all nine losses.
    wins = pv.Votes.from_codes(np.repeat(np.arange(9), 30), np.repeat(np.arange(1, 10), 30), np.full(270, 2))
    losses = pv.Votes.from_codes(np.arange(9), np.arange(1, 10), np.zeros(9, int))
    assert pv.bradley_terry(wins + losses, prior_sd=math.inf).scores[0] > 10
    with pytest.raises(pv.NotIdentifiedError, match=r"^only \d+ of 1,000 resamples can be scored, .*finite prior_sd"):
        pv.bootstrap(wins + losses, n_resamples=50, prior_sd=math.inf, rng=0)


def test_labels_are_drawn_as_voters_are():
    labels = [f"prompt {voter}" for voter in WORKSHOP.voter.tolist()]
    expected = pv.bootstrap(WORKSHOP, by="voter", n_resamples=20, rng=3).covariance
    unnamed = WORKSHOP._changed(voter=None, voters=())
    for by in (labels, tuple(labels), np.array(labels), np.array(labels, object), WORKSHOP.voter):
        np.testing.assert_array_equal(pv.bootstrap(unnamed, by=by, n_resamples=20, rng=3).covariance, expected)
    one = pv.bootstrap(WORKSHOP, "elo", by=np.arange(len(WORKSHOP)) // 7, n_resamples=60, rng=3)
    two = pv.bootstrap(WORKSHOP, "elo", by=np.arange(len(WORKSHOP)) // 7, n_resamples=60, rng=3, n_jobs=2)
    np.testing.assert_array_equal(one._uncertainty.samples, two._uncertainty.samples)


def test_labels_go_with_their_votes_when_a_criterion_is_chosen():
    criterion = np.where(np.arange(len(WORKSHOP)) % 3 > 0, "new", "useful")
    asked = pv.Votes.from_codes(
        WORKSHOP.left, WORKSHOP.right, WORKSHOP.outcome, items=WORKSHOP.items, criterion=criterion
    )
    labels = WORKSHOP.voter // 2
    found = pv.bootstrap(asked, by=labels, criterion="new", n_resamples=10, rng=1)
    new = criterion == "new"
    alone = pv.bootstrap(WORKSHOP.where(new), by=labels[new], n_resamples=10, rng=1)
    np.testing.assert_array_equal(found.covariance, alone.covariance)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ([1, 2], "by has 2 entries and there are 600 votes; pass one label for every row"),
        ([None] * 600, "by at row 0 is missing"),
        ([7] * 600, "give 1 cluster to draw from"),
        (5, "by is 5"),
        (None, "by is None; use 'vote' or 'voter', or an array"),
        ([[]] * 600, "not hashable"),
    ],
)
def test_labels_are_checked(by, message):
    with pytest.raises(pv.InputError, match=message):
        pv.bootstrap(WORKSHOP, by=by)


def test_importance_weights_are_drawn_in_the_units_of_all_votes():
    weight = np.where(np.arange(600) % 2, 0.1, 1.9)
    options = {"n_resamples": 60, "rng": 1, "prior_sd": 0.5, "weights": "sampling"}
    found = [
        pv.bootstrap(WORKSHOP._changed(weight=weight * scale), **options).standard_errors for scale in (1.0, 1e-9, 1e9)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize("by", ["vote", "voter"])
def test_jobs_do_not_change_the_result(method, by):
    # Three blocks, the last of them smaller.
    one, two = (pv.bootstrap(WORKSHOP, method, by=by, n_resamples=110, rng=5, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one._uncertainty.samples.shape == (110, 23)
    np.testing.assert_array_equal(one._uncertainty.samples, two._uncertainty.samples)
    np.testing.assert_array_equal(one.covariance, two.covariance)
    assert len(np.unique(one._uncertainty.samples, axis=0)) == 110


def test_progress_is_shown_on_standard_error_only_when_asked_for(capfd):
    quiet = pv.bootstrap(WORKSHOP, "tally", n_resamples=60, rng=5)
    assert capfd.readouterr() == ("", "")
    for n_jobs in (1, 2):
        shown = pv.bootstrap(WORKSHOP, "tally", n_resamples=60, rng=5, n_jobs=n_jobs, progress=True)
        out, err = capfd.readouterr()
        assert out == ""
        assert "2/2" in err
        np.testing.assert_array_equal(shown.covariance, quiet.covariance)


# Each item has few votes; cedar has two, and no chain of votes but these leads to it.
SPARSE = [(0, 1, 2), (0, 1, 0), (0, 1, 2), (1, 0, 1), (2, 0, 2), (1, 2, 2)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options", "score", "acceptable"),
    [
        (
            "win-rate",
            {"prior": 0.0},
            lambda rows: reference.win_rate(rows, 3, prior=0.0),
            lambda rows: {item for row in rows for item in row[:2]} == {0, 1, 2},
        ),
        (
            "elo",
            {"k": 20.0},
            lambda rows: reference.elo(rows, 3, k=20.0),
            lambda rows: not reference.components(rows, 3).any(),
        ),
        ("tally", {}, lambda rows: reference.tally(rows, 3), lambda rows: True),
    ],
)
@pytest.mark.parametrize("by", ["vote", "voter"])
def test_items_that_a_resample_leaves_out_get_no_value(method, options, score, acceptable, by):
    n_resamples = 1000
    left, right, outcome = zip(*SPARSE, strict=True)
    voter = [0, 0, 1, 2, 2, 3]
    votes = pv.Votes.from_codes(left, right, outcome, voter=voter)
    lots = voter if by == "voter" else range(len(SPARSE))
    rows = [(*row, 1.0) for row in SPARSE]
    rng = np.random.default_rng(9)
    expected = reference.bootstrap(rows, lots, score, n_resamples, rng, acceptable=acceptable)
    ranking = pv.bootstrap(votes, method, by=by, n_resamples=n_resamples, rng=9, **options)
    samples = ranking._uncertainty.samples
    assert samples.shape == expected.shape
    # There are only so many resamples, so both come upon the same scores, about equally often.
    for item in range(3):
        values, codes = np.unique(np.concatenate([samples, expected])[:, item].round(9), return_inverse=True)
        ours, theirs = (np.bincount(half, minlength=len(values)) for half in np.split(codes, 2))
        assert (np.abs(ours - theirs) <= 5 * np.sqrt(ours + theirs)).all()
    centred = samples - samples.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ranking.covariance, np.cov(centred.T), rtol=0, atol=1e-9 * ranking.covariance.max())


def test_the_prior_speaks_for_no_item():
    # One plain resample in e would leave cedar to the prior, which puts it between the two others.
    votes = pv.Votes.from_wins(["ash", "birch"] * 20 + ["cedar"], ["birch", "ash"] * 20 + ["ash"])
    samples = pv.bootstrap(votes, n_resamples=200, prior_sd=1.0, rng=1)._uncertainty.samples
    assert (samples[:, 2] > 0.2).all()


@pytest.mark.parametrize("method", [method for method in SCORERS if method != "tally"])
def test_votes_that_do_not_join_all_items_are_refused(method):
    options = {"prior": 0.1} if method == "luce" else {}
    records = [("ash", "birch", "left"), ("birch", "ash", "left")] * 10
    votes = pv.Votes.from_records([*records, ("cedar", "ash", "skip")])
    with pytest.raises(pv.NotIdentifiedError, match=r"no vote.* 'cedar'.*leave out items without votes"):
        pv.bootstrap(votes, method, n_resamples=10, **options)
    tie = ("cedar", "ash", "tie")
    if method == "bradley-terry":
        with pytest.raises(pv.NotIdentifiedError, match="joins 'cedar' to 'ash'"):
            pv.bootstrap(pv.Votes.from_records([*records, *[tie] * 9]), ties="drop", n_resamples=10)
    assert pv.bootstrap(pv.Votes.from_records([*records, *[tie] * 9]), method, n_resamples=2, **options)


def test_an_item_without_votes_has_a_tally_of_none():
    votes = pv.Votes.from_wins(["ash", "birch"] * 10, ["birch", "ash"] * 10, items=["ash", "birch", "cedar"])
    ranking = pv.bootstrap(votes, "tally", n_resamples=50, rng=0)
    assert (ranking._uncertainty.samples[:, 2] == 0.0).all()


def test_components_are_no_matter_to_the_win_rate():
    votes = pv.Votes.from_wins(["ash", "birch", "cedar", "elm"] * 10, ["birch", "ash", "elm", "cedar"] * 10)
    assert (pv.bootstrap(votes, "win-rate", n_resamples=50, rng=0).standard_errors > 0).all()
    with pytest.raises(pv.NotIdentifiedError, match="joins 'cedar' to 'ash'"):
        pv.bootstrap(votes, n_resamples=50)


def test_votes_too_few_to_resample_are_refused():
    # A chain of 30 items, each joined to the next by two votes: next to no resample keeps one of every two.
    links = np.repeat(np.arange(29), 2)
    votes = pv.Votes.from_codes(links, links + 1, np.tile([0, 2], 29))
    messages = set()
    for n_jobs in (1, 2):
        with pytest.raises(pv.NotIdentifiedError, match=r"^only \d of 1,200 resamples") as caught:
            pv.bootstrap(votes, n_resamples=60, rng=0, n_jobs=n_jobs)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_dropped_ties_are_not_drawn():
    decided = WORKSHOP.where(WORKSHOP.outcome != pv.Outcome.TIE)
    with_ties, without = (pv.bootstrap(votes, ties="drop", n_resamples=20, rng=4) for votes in (WORKSHOP, decided))
    np.testing.assert_array_equal(with_ties.covariance, without.covariance)
    assert len(decided) < len(WORKSHOP)


@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize("by", ["vote", "voter"])
def test_criteria_are_resampled_together(method, by):
    rng = np.random.default_rng(5)
    criterion = np.where(rng.random(len(WORKSHOP)) < 0.5, "new", "useful")
    votes = pv.Votes.from_codes(
        WORKSHOP.left, WORKSHOP.right, WORKSHOP.outcome, items=WORKSHOP.items, voter=WORKSHOP.voter, criterion=criterion
    )
    options = {"luce": {"prior": 0.1}, "bradley-terry": {"prior_sd": 3.0}}.get(method, {})
    ranking = pv.bootstrap(votes, method, by=by, n_resamples=4, rng=3, criteria={"new": 1, "useful": 3}, **options)
    lots = votes.voter if by == "voter" else np.arange(len(votes))
    expected = [
        0.25 * pv.rank(votes._take(rows), method, criterion="new", **options).scores
        + 0.75 * pv.rank(votes._take(rows), method, criterion="useful", **options).scores
        for rows in drawn_rows(votes, lots, 4, 3)
    ]
    np.testing.assert_allclose(ranking._uncertainty.samples, expected, rtol=1e-7, atol=1e-7)
    # Every criterion has to join all items by itself.
    silent = votes.where((criterion == "new") | (votes.left != 0) & (votes.right != 0))
    if method != "tally":
        with pytest.raises(pv.NotIdentifiedError, match="no vote"):
            pv.bootstrap(silent, method, n_resamples=4, criteria={"new": 1, "useful": 3}, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "borda"}, "method is 'borda'"),
        ({"n_resamples": 1}, "n_resamples is 1; "),
        ({"n_resamples": 10.0}, "n_resamples is 10.0; "),
        ({"n_resamples": True}, "n_resamples is True; "),
        ({"by": "item"}, "by is 'item'; use 'vote' or 'voter'"),
        (
            {"clusters": [1] * 600, "uncertainty": "clustered"},
            "clusters is given, .*; pass them as by=",
        ),
        ({"n_jobs": 0}, "n_jobs is 0; it is a whole number from 1, or -1 for all cores"),
        ({"n_jobs": None}, "n_jobs is None; "),
        ({"n_jobs": True}, "n_jobs is True; "),
        ({"progress": 1}, "progress is 1; it is True or False"),
        ({"method": "elo", "prior_sd": 1.0}, "has no option 'prior_sd'"),
        ({"prior_sd": 0.0}, "prior_sd is 0.0"),
        ({"covariates": np.zeros((600, 1))}, "covariates is given, .*'sandwich' or 'by-voter'"),
        ({"criterion": "new"}, "no criterion 'new'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(pv.InputError, match=message):
        pv.bootstrap(WORKSHOP, **options)


def test_votes_that_cannot_be_resampled_are_refused():
    with pytest.raises(pv.InputError, match="votes is a PairCounts"):
        pv.bootstrap(WORKSHOP.counts())
    with pytest.raises(pv.InputError, match="do not say who voted"):
        pv.bootstrap(pv.Votes.from_wins(["ash"], ["birch"]), by="voter")
    records = [("ash", "birch", "left", voter) for voter in ("anna", None, "bo")]
    with pytest.raises(pv.InputError, match="voters of 1 of 3 answered votes are unknown"):
        pv.bootstrap(pv.Votes.from_records(records), by="voter")
    with pytest.raises(pv.InputError, match="give 1 vote to draw from"):
        pv.bootstrap(pv.Votes.from_records([("ash", "birch", "left"), ("ash", "birch", "skip")]))
    with pytest.raises(pv.InputError, match="give 0 voters to draw from"):
        pv.bootstrap(pv.Votes.from_records([("ash", "birch", "skip", "anna")]), by="voter")
    with pytest.raises(pv.InputError, match="4,001 items"):
        pv.bootstrap(pv.Votes.from_codes([0], [1], [2], n_items=4001))
