"""PageRank: by evalica, by its equations written out, and the laws of every scorer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import Sample, samples

import pairvote as pv


def by_equations(sample: Sample, damping: float, ties: float) -> np.ndarray:
    """The solution of the linear equations, vote by vote."""
    n = sample.n_items
    won = np.zeros((n, n))
    for left, right, outcome, weight in sample.rows:
        for winner, loser, part in ((left, right, {2: 1.0, 1: ties}), (right, left, {0: 1.0, 1: ties})):
            won[winner, loser] += weight * part.get(int(outcome), 0.0)
    walk = np.full((n, n), 1.0 / n)
    for loser in range(n):
        if won[:, loser].sum() > 0:
            walk[:, loser] = won[:, loser] / won[:, loser].sum()
    return np.linalg.solve(np.eye(n) - damping * walk, np.full(n, (1 - damping) / n))


@given(samples(min_items=1), st.sampled_from([0.0, 0.5, 0.85, 0.99]), st.sampled_from([0.0, 0.5, 1.0]))
def test_it_solves_the_equations(sample: Sample, damping: float, ties: float) -> None:
    ranking = pv.pagerank(sample.votes(), damping=damping, ties=ties)
    np.testing.assert_allclose(ranking.scores, by_equations(sample, damping, ties), rtol=1e-9)
    assert ranking.scores.sum() == pytest.approx(1.0)


def test_it_is_what_evalica_gives() -> None:
    evalica = pytest.importorskip("evalica")
    winners = evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X
    votes = pv.simulate(n_items=9, n_voters=12, votes_each=15, voters=pv.VoterModel(tie_parameter=0.5), repetitions=1)
    votes = votes.votes(0)
    outcomes = [winners[int(outcome)] for outcome in votes.outcome]
    theirs = evalica.pagerank(votes.left.tolist(), votes.right.tolist(), outcomes, tolerance=1e-13, limit=2_000)
    expected = theirs.scores.sort_index().to_numpy()
    np.testing.assert_allclose(pv.pagerank(votes).scores, expected, rtol=1e-10)


def test_counts_are_enough_and_weights_have_no_scale() -> None:
    votes = pv.datasets.baseball()
    scores = pv.pagerank(votes).scores
    np.testing.assert_array_equal(pv.pagerank(votes.counts()).scores, scores)
    heavy = pv.Votes.from_codes(
        votes.left, votes.right, votes.outcome, items=votes.items, weight=np.full(len(votes), 1e300)
    )
    np.testing.assert_allclose(pv.pagerank(heavy).scores, scores, rtol=1e-12)


def test_items_without_votes_are_unvoted() -> None:
    ranking = pv.pagerank(pv.Votes.from_wins(["ash"], ["birch"], items=["ash", "birch", "cedar"]))
    assert ranking.order()[0] == "ash"
    assert "cedar" in str(ranking).splitlines()[-1]
    assert pv.pagerank(pv.Votes.from_wins([], [])).n_items == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"damping": 1.0}, "damping is 1.0; it is a number from 0 to below 1"),
        ({"damping": "much"}, "damping is 'much'"),
        ({"damping": float("nan")}, "damping is nan"),
        ({"ties": 2}, "ties is 2; it is what a tie counts for each side"),
    ],
)
def test_bad_options_are_refused(options, said) -> None:
    with pytest.raises(pv.errors.InputError, match=said):
        pv.pagerank(pv.datasets.baseball(), **options)
