"""Win rates averaged over opponents, held against reference.py, the plain rate, and votes whose truth is known."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEWER, Sample, samples

import pairvote as pv
from pairvote.cli._main import main

SKIP = 3
TIES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
PRIORS = st.sampled_from([0.5, 1.0, 3.0])


def rate(votes, **options):
    return pv.win_rate(votes, average="opponents", **options)


@given(samples(max_items=6), TIES, PRIORS)
@FEWER
def test_equals_the_reference(sample, ties, prior) -> None:
    ranking = rate(sample.votes(), ties=ties, prior=prior)
    scores, covariance = reference.win_rate_by_opponents(sample.rows, sample.n_items, ties, prior)
    np.testing.assert_allclose(ranking.scores, scores, atol=1e-14)
    centred = reference.centred(covariance, sample.n_items) if sample.n_items else covariance
    np.testing.assert_allclose(ranking.covariance, centred, atol=1e-14)
    np.testing.assert_allclose(ranking.standard_errors, np.sqrt(np.maximum(np.diag(centred), 0.0)), atol=1e-7)
    for one, other in [(0, 1), (1, 0)] if sample.n_items > 1 else []:
        variance = centred[one, one] + centred[other, other] - 2 * centred[one, other]
        difference = ranking.difference(one, other)
        np.testing.assert_allclose(
            [difference.estimate, difference.standard_error**2], [scores[one] - scores[other], variance], atol=1e-12
        )
    assert (ranking.unit, ranking.method, ranking.fit) == ("share", "win-rate", None)
    assert ((ranking.scores >= -1e-15) & (ranking.scores <= 1 + 1e-15)).all()


def test_the_mean_over_opponents_by_hand() -> None:
    # ash won 3 of 4 against birch and 1 of 2 against cedar; birch and cedar tied once.
    votes = pv.Votes.from_pairs(
        ["ash", "ash", "birch"], ["birch", "cedar", "cedar"], [3, 1, 0], [1, 1, 0], ties=[0, 0, 1]
    )
    assert rate(votes, prior=0).to_dict() == {"ash": (3 / 4 + 1 / 2) / 2, "birch": (1 / 4 + 1 / 2) / 2, "cedar": 0.5}
    assert pv.win_rate(votes, prior=0).to_dict()["ash"] == 4 / 6


def test_who_was_met_how_often_is_irrelevant() -> None:
    few, many = (pv.Votes.from_pairs(list("aab"), list("bcc"), [1, 3 * n, 2], [1, n, 2]) for n in (1, 100))
    np.testing.assert_allclose(rate(few, prior=0).scores, rate(many, prior=0).scores, rtol=1e-12)
    assert pv.win_rate(many, prior=0).scores[0] > pv.win_rate(few, prior=0).scores[0] + 0.05


@given(samples(min_items=2, max_items=5, min_votes=1, weights=None), st.integers(1, 3), TIES, PRIORS)
@FEWER
def test_equals_the_plain_rate_where_all_pairs_were_asked_equally(sample, each, ties, prior) -> None:
    rng = np.random.default_rng(len(sample.rows))
    low, high = np.triu_indices(sample.n_items, 1)
    rows = (np.repeat(low, each), np.repeat(high, each), rng.integers(3, size=len(low) * each))
    votes = pv.Votes.from_codes(*rows, n_items=sample.n_items)
    plain = pv.win_rate(votes, ties=ties, prior=prior)
    np.testing.assert_allclose(rate(votes, ties=ties, prior=prior).scores, plain.scores, rtol=1e-12)


@given(samples(), TIES, st.randoms(use_true_random=False))
@FEWER
def test_laws(sample, ties, random) -> None:
    plain = rate(sample.votes(), ties=ties)

    def same(rows, *, weighted=sample.weighted, places=None):
        ranking = rate(Sample(rows, sample.n_items, weighted).votes(), ties=ties)
        chosen = slice(None) if places is None else places
        np.testing.assert_allclose(ranking.scores[chosen], plain.scores, atol=1e-13)
        np.testing.assert_allclose(ranking.standard_errors[chosen], plain.standard_errors, atol=1e-7)

    same([(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows])
    shuffled = list(sample.rows)
    random.shuffle(shuffled)
    same(shuffled)
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows] + [(i, j, SKIP, w) for i, j, _, w in sample.rows]
    same([*idle, *sample.rows], weighted=True)
    places = list(range(sample.n_items))
    random.shuffle(places)
    same([(places[i], places[j], o, w) for i, j, o, w in sample.rows], places=places)
    doubled = [
        rate(Sample(rows, sample.n_items, weighted).votes(), ties=ties)
        for rows, weighted in (
            ([row for row in sample.rows for _ in range(2)], sample.weighted),
            ([(i, j, o, 2 * w) for i, j, o, w in sample.rows], True),
        )
    ]
    np.testing.assert_allclose(doubled[0].scores, doubled[1].scores, atol=1e-13)
    np.testing.assert_allclose(doubled[0].standard_errors, doubled[1].standard_errors, atol=1e-7)
    np.testing.assert_allclose(rate(sample.votes().counts(), ties=ties).scores, plain.scores, atol=1e-13)


def test_pairs_that_counts_hold_without_votes_are_none() -> None:
    counts = pv.PairCounts(
        items=tuple("abc"), start=[0, 2, 2, 2], right=[1, 2], table=[[0, 0, 3], [0, 0, 0]], skipped=[0] * 3
    )
    ranking = rate(counts)
    assert (
        ranking.scores.tolist() == rate(pv.Votes.from_wins(list("aaa"), list("bbb"), items=list("abc"))).scores.tolist()
    )
    assert pv.majority(counts).n_asked == 1


# --- errors are honest ---


@pytest.mark.parametrize(("n_votes", "sd"), [(150, 0.2), (600, 1.0)])
def test_intervals_hold_the_mean_of_the_true_chances(n_votes, sd) -> None:
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(120):
        strengths = rng.normal(size=15) * sd
        left = rng.integers(15, size=n_votes)
        # Near numbers are asked more often than far ones.
        right = (left + 1 + np.minimum(rng.geometric(0.2, n_votes) - 1, 13)) % 15
        chances = 1 / (1 + np.exp(strengths - strengths[:, None]))
        votes = pv.Votes.from_codes(left, right, np.where(rng.random(n_votes) < chances[left, right], 2, 0), n_items=15)
        met = ~np.isnan(votes.counts().win_shares())
        truth = np.where(met, chances, 0.0).sum(axis=1) / met.sum(axis=1)
        low, high = rate(votes).confidence_interval()
        inside += ((low <= truth) & (truth <= high)).tolist()
    # 1,800 intervals, of which those of one vote hang together: three standard errors are about 0.02.
    assert np.mean(inside) > 0.93


def test_an_item_without_votes_has_the_error_of_the_prior() -> None:
    votes = pv.Votes.from_wins(["a"] * 50, ["b"] * 50, items=["a", "b", "c"])
    ranking = rate(votes)
    assert ranking.scores[2] == 0.5
    # A uniform share has the variance 1 / 12; centred, 4/9 of it and a little of the others'.
    assert ranking.standard_errors[2] == pytest.approx((4 / 9 / 12) ** 0.5, rel=0.02)
    assert ranking.standard_errors[2] > 3 * ranking.difference("a", "b").standard_error / 2


def test_an_item_that_won_all_is_not_known_for_certain() -> None:
    ranking = rate(pv.Votes.from_wins(list("abb"), list("bcc")), prior=0)
    assert ranking.scores.tolist() == [1.0, 0.5, 0.0]
    assert (ranking.standard_errors > 0.1).all()


def test_more_items_than_a_table_holds_have_errors_but_no_covariance() -> None:
    votes = pv.Votes.from_codes(np.arange(4_500), (np.arange(4_500) + 1) % 4_500, np.full(4_500, 2))
    ranking = rate(votes)
    assert ranking.standard_errors.shape == (4_500,)
    assert ranking.difference(0, 1).standard_error > 0
    with pytest.raises(pv.MissingUncertaintyError, match=r"the covariance of 4,500 items would take 0.2 GiB"):
        ranking.covariance  # noqa: B018


@pytest.mark.parametrize("weight", [1e-310, 1e-300, 1e-3, 1e290])
@pytest.mark.parametrize("prior", [0, 1.0])
def test_weights_of_any_size_leave_errors_that_a_share_can_have(weight, prior) -> None:
    votes = pv.Votes.from_wins(list("aab"), list("bcc"), weight=[weight, 2 * weight, weight])
    ranking = rate(votes, prior=prior)
    assert ((ranking.scores >= 0) & (ranking.scores <= 1)).all()
    assert ((ranking.standard_errors >= 0) & (ranking.standard_errors <= 0.5)).all()


@pytest.mark.parametrize("n_items", [0, 1, 2])
def test_without_votes(n_items) -> None:
    ranking = rate(pv.Votes.from_codes([], [], [], n_items=n_items))
    assert ranking.scores.tolist() == [0.5] * n_items
    assert np.isfinite(ranking.standard_errors).all()
    assert str(ranking)


def test_other_tools_take_it() -> None:
    votes = pv.simulate(n_items=5, n_voters=8, votes_each=20, repetitions=1, rng=1).votes(0)
    drawn = pv.bootstrap(votes, "win-rate", average="opponents", n_resamples=400, rng=1)
    ranking = rate(votes)
    np.testing.assert_array_equal(drawn.scores, ranking.scores)
    np.testing.assert_allclose(drawn.standard_errors, ranking.standard_errors, rtol=0.25)
    assert ranking.top_k_probability(2).sum() == pytest.approx(2)
    assert ranking.tiers().min() == 1
    part = ranking.only([1, 3])
    assert part.difference(1, 3).standard_error == pytest.approx(ranking.difference(1, 3).standard_error)
    simulated = pv.simulate(n_items=5, n_voters=8, votes_each=3, repetitions=200, rng=1)
    options = {"method": "win-rate", "average": "opponents"}
    table = simulated.evaluate({"plain": {"method": "win-rate"}, "by opponents": options})
    plain, by_opponents = table.to_columns()["kendall_tau"]
    assert plain != by_opponents, "the option reaches simulations"
    assert plain == pytest.approx(by_opponents, abs=0.1)


# --- what is refused ---


@pytest.mark.parametrize("average", ["mean", "opponent", None, 1, True, ["votes"]])
def test_other_averages_are_refused(average) -> None:
    message = f"average is {average!r}; use one of 'votes', 'opponents'"
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.win_rate(pv.Votes.from_wins(["a"], ["b"]), average=average)


def test_the_item_that_nobody_was_asked_about_is_named() -> None:
    votes = pv.Votes.from_wins(["ash"], ["birch"], items=["ash", "birch", "cedar"])
    with pytest.raises(pv.InputError, match=r"nobody was asked about 'cedar', so .* set a positive prior"):
        rate(votes, prior=0)
    assert rate(votes, prior=0.5).scores[2] == 0.5


@pytest.mark.parametrize("votes", [None, [("a", "b", "left")], "votes.csv"])
def test_what_is_no_votes_is_refused(votes) -> None:
    with pytest.raises(pv.InputError, match="pass Votes or PairCounts"):
        rate(votes)


# --- on the command line ---


def test_the_command_line_has_it(tmp_path, capsys) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\nash,birch,left\nbirch,cedar,left\nbirch,cedar,left\nbirch,cedar,tie\n")
    assert main(["rank", str(path), "--method", "win-rate", "--average", "opponents", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["ranking"]
    ranking = rate(pv.read_votes(path))
    assert {row["item"]: row["score"] for row in rows} == ranking.to_dict()
    assert sorted(row["standard_error"] for row in rows) == sorted(ranking.standard_errors.tolist())
    assert main(["rank", str(path), "--average", "opponents"]) == 2
    assert "--average goes with --method win-rate, not with bradley-terry" in capsys.readouterr().err
