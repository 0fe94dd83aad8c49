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
