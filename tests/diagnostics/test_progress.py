"""How sure the best k are, held against simulated votes whose strengths are known."""

from __future__ import annotations

import numpy as np
import pytest

import pairvote as pv
from pairvote import _kernels

COMPILED = _kernels.davidson.COMPILED
REPETITIONS = 150 if COMPILED else 25


@pytest.mark.slow
def test_chances_and_the_votes_still_needed_are_right_on_average() -> None:
    options = {"n_items": 12, "n_voters": 10, "votes_each": 15, "rng": 1, "repetitions": REPETITIONS}
    now = pv.simulate(**options)
    sure, exact, hits, more = [], [], [], []
    for r, truth in enumerate(now.strengths):
        best = set(np.argsort(-truth)[:3].tolist())
        found = pv.diagnostics.progress(now.votes(r), top_k=3, target=0.9, rng=r)
        assert found.n_votes == 150
        assert found.overlap == pytest.approx(found.probability.mean())
        assert found.exact <= found.probability.min() + 1e-12
        sure.append(found.overlap)
        exact.append(found.exact)
        hits.append(len(best & set(found.top)) / 3)
        more.append(found.more_votes)
    error = np.std(np.subtract(sure, hits)) / np.sqrt(REPETITIONS)
    print(f"expected overlap {np.mean(sure):.3f}, found {np.mean(hits):.3f} +- {error:.3f}")
    assert abs(np.mean(sure) - np.mean(hits)) < 3 * error
    assert abs(np.mean(exact) - np.mean(np.equal(hits, 1.0))) < 0.13
    # With as many more as are lacking at the median, the overlap is about the target: within a tenth.
    n_voters = round((150 + float(np.median(more))) / 15)
    then = pv.simulate(**{**options, "n_voters": n_voters}).evaluate("bradley-terry", top_k=3)
    print(f"{n_voters} voters: {then.mean('overlap'):.3f}")
    assert 0.8 < then.mean("overlap") < 0.96
    assert then.mean("overlap") > np.mean(hits)


def test_more_votes_of_the_same_make_surer() -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    once, twice = (pv.diagnostics.progress(v.counts(), top_k=5, rng=1) for v in (votes, votes + votes))
    assert twice.overlap > once.overlap
    assert twice.n_votes == 2 * once.n_votes
    assert twice.more_votes > 0
    settled = pv.diagnostics.progress(votes, top_k=5, target=0.5, rng=1)
    assert settled.more_votes == 0
    assert "no more votes are needed for 2.5" in str(settled)
    assert repr(settled) == f"Progress({settled})"


def test_the_whole_ranking_is_always_right_and_nothing_comes_of_no_votes() -> None:
    votes = pv.Votes.from_wins(["ash", "birch"], ["birch", "cedar"])
    everything = pv.diagnostics.progress(votes, top_k=3, rng=1)
    assert everything.overlap == everything.exact == 1.0
    assert everything.more_votes == 0
    nothing = pv.diagnostics.progress(pv.Votes.from_codes([], [], [], n_items=4), top_k=2, rng=1)
    assert nothing.more_votes is None
    assert abs(nothing.overlap - 0.5) < 0.05
    assert "no number of votes in reach" in str(nothing)


def test_options_go_to_the_scorer() -> None:
    votes = pv.simulate(
        n_items=6, n_voters=8, votes_each=12, voters=pv.VoterModel(taste_sd=2.0), repetitions=1, rng=2
    ).votes(0)
    model, by_voter = (pv.diagnostics.progress(votes, top_k=2, rng=1, uncertainty=u) for u in ("model", "by-voter"))
    assert model.top == by_voter.top
    assert model.overlap != by_voter.overlap


def test_chances_are_those_of_the_ranking() -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    for options in ({}, {"prior_sd": 0.5}, {"uncertainty": "sandwich"}):
        ranking = pv.bradley_terry(votes, **options)
        for rng in (None, 3):
            now = pv.diagnostics.progress(votes, top_k=4, rng=rng, **options)
            chances = dict(zip(ranking.items, ranking.top_k_probability(4, rng=rng), strict=True))
            assert now.probability.tolist() == pytest.approx([chances[label] for label in now.top])
            assert now.top == ranking.top(4, ties="first")


def test_settled_is_whether_all_are_right_with_that_probability() -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    now = pv.diagnostics.progress(votes)
    assert len(now.top) == 5
    assert 0.1 < now.exact < 0.5
    assert now.settled(now.exact)
    assert not now.settled(now.exact + 1e-9)
    assert not now.settled()
    assert pv.diagnostics.progress(votes, top_k=22).top[-1] != pv.diagnostics.progress(votes, top_k=23).top[-1]
    assert pv.diagnostics.progress(votes, top_k=23).settled(0.999)
    for probability in (0.0, 1.0, 90, None, True):
        with pytest.raises(pv.InputError, match="it is above 0 and below 1"):
            now.settled(probability)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["Balanced", "TopK"])
def test_votes_that_are_ended_when_settled_are_right_as_often_as_they_say(sampler) -> None:
    """Looked at every twenty votes, with strengths from the prior that the scorer is told."""
    strategy = {"Balanced": pv.sampling.Balanced(), "TopK": pv.sampling.TopK(2)}[sampler]
    rng, right, n_asked = np.random.default_rng(77), [], []
    for repetition in range(60):
        votes = pv.simulate(
            n_items=6, n_voters=12, votes_each=20, sampler=strategy, strengths=1.5 * rng.normal(size=6),
            repetitions=1, rng=repetition,
        )  # fmt: skip
        truth = set(np.argsort(-votes.strengths[0])[:2].tolist())
        rows = votes.votes(0)
        for n_votes in range(20, len(rows) + 1, 20):
            so_far = rows.where(np.arange(len(rows)) < n_votes)
            now = pv.diagnostics.progress(so_far, top_k=2, prior_sd=1.5, target=0.01)
            if now.settled(0.8):
                right.append(set(now.top) == truth)
                n_asked.append(n_votes)
                break
    assert len(right) > 40
    assert np.mean(right) > 0.8 - 2 * np.sqrt(0.8 * 0.2 / len(right))
    assert np.mean(n_asked) < 200


def test_items_without_a_vote_are_not_among_the_best() -> None:
    votes = pv.Votes.from_wins(list("aaa"), list("bbb"), items=["unseen", "a", "b"])
    assert pv.diagnostics.progress(votes, top_k=2).top == ["a", "b"]
    assert pv.diagnostics.progress(votes, top_k=3).top == ["a", "b", "unseen"]
    assert pv.diagnostics.progress(votes).top == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "top_k is 0; with 2 items"),
        ({"top_k": 1, "target": 1.0}, "target is 1.0"),
        ({"top_k": 1, "prior_sd": -1.0}, "prior_sd is -1.0"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.diagnostics.progress(pv.Votes.from_wins(["ash"], ["birch"]), **options)


def test_the_usual_k_fits_few_items() -> None:
    votes = pv.Votes.from_wins(list("abcda"), list("bcdac"))
    assert pv.diagnostics.cut(votes).top_k == 3
    assert len(pv.diagnostics.progress(votes).top) == 3
    assert pv.diagnostics.cut(pv.datasets.kalmar().simulated_votes(rng=2014)).top_k == 5
    with pytest.raises(pv.InputError, match="top_k is 4 and there are as many items"):
        pv.diagnostics.cut(votes, top_k=4)


def test_more_votes_do_not_depend_on_the_scale_of_importance_weights() -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    usual = pv.diagnostics.progress(votes, top_k=5)
    light = pv.Votes.from_codes(
        votes.left, votes.right, votes.outcome, n_items=votes.n_items, weight=np.full(len(votes), 1e-3)
    )
    found = pv.diagnostics.progress(light, top_k=5, weights="sampling")
    assert found.n_votes == pytest.approx(usual.n_votes)
    assert found.more_votes == pytest.approx(usual.more_votes, rel=0.1)
