"""Answers by shares of a vote, such as a poll of several criteria gives: between the outcomes, exact, taken back."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote.sampling import Balanced, InformationGain, Swiss, TopK
from pairvote.sampling._saving import saved

SHARES = st.floats(0, 2)
WHOLE = {"right": 0.0, "tie": 1.0, "left": 2.0}


def same(one: pv.sampling.PairStream, other: pv.sampling.PairStream) -> bool:
    mine, theirs = saved(one), saved(other)
    return mine.keys() == theirs.keys() and all(mine[name].tobytes() == theirs[name].tobytes() for name in mine)


@pytest.mark.parametrize("sampler", [Balanced(), Swiss(), TopK(2), InformationGain()], ids=repr)
@pytest.mark.parametrize("n_items", [5, 301])
def test_a_share_that_is_an_outcome_is_that_outcome(sampler: pv.sampling.Sampler, n_items: int) -> None:
    named, numbered = sampler.start(n_items, rng=3), sampler.start(n_items, rng=3)
    for number in range(60):
        pair = named.propose(number % 4)
        outcome = list(WHOLE)[number * 7 % 3]
        named.record(number % 4, *pair, outcome)
        numbered.record(number % 4, *pair, WHOLE[outcome])
    assert same(named, numbered)
    assert named.log[:] == numbered.log[:]


@given(answers=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), SHARES), max_size=30))
def test_points_are_sums_of_shares(answers) -> None:
    stream, points, wins = Swiss().start(4, rng=1), [Fraction(0)] * 4, np.zeros((4, 4))
    for number, (left, step, outcome) in enumerate(answers):
        right = (left + step) % 4
        stream.record(number, left, right, np.float64(outcome))
        share = Fraction(round(outcome * 2**24), 2**25)
        points[left] += share
        points[right] += 1 - share
        wins[left, right] += share
        wins[right, left] += 1 - share
    assert stream.points.tolist() == [float(each) for each in points]
    assert [[stream.wins(i, j) if i != j else 0.0 for j in range(4)] for i in range(4)] == wins.tolist()
    assert stream.answers.sum() == 2 * len(answers)


@pytest.mark.parametrize("sampler", [Balanced(), Swiss(), TopK(2), InformationGain()], ids=repr)
@pytest.mark.parametrize("n_items", [4, 301])
def test_what_is_taken_back_leaves_no_trace(sampler, n_items) -> None:
    stream, rng = sampler.start(n_items, rng=1), np.random.default_rng(4)
    given = []
    for voter in range(12):
        pair = stream.propose(voter)
        given.append((voter, *pair, float(rng.uniform(0, 2))))
        stream.record(*given[-1])
    for call in given[::2] + given[1::2]:
        stream.withdraw(*call)
        stream.release(*call[:3])
    assert not stream.points.any()
    assert not stream.answers.any()
    if stream.state is not None:
        assert not stream.state._counts().table.any()
        np.testing.assert_allclose(stream.state.mean, 0.0, atol=1e-9)


@pytest.mark.parametrize("n_items", [5, 301])
def test_a_posterior_learns_the_share_as_votes_for_both_sides(n_items: int) -> None:
    """A share of three quarters is what bradley_terry makes of a graded vote."""
    stream = InformationGain(refit_every=1).start(n_items, rng=1)
    rows = [(0, 1, 1.5), (2, 1, 0.25), (4, 3, 2.0), (1, 4, 1.0), (3, 0, 0.625)]
    for number, row in enumerate(rows):
        stream.record(number, *row)
    left, right, outcome = zip(*rows, strict=True)
    votes = pv.Votes.from_labels(
        left, right, [each / 2 for each in outcome], outcomes="share", items=tuple(range(n_items))
    )
    ranking = pv.bradley_terry(votes, ties="half", prior_sd=1.0)
    np.testing.assert_allclose(stream.state.mean, ranking.scores, atol=1e-7)


def test_one_step_goes_as_far_as_the_share() -> None:
    ends = []
    for outcome in (0.0, 0.5, 1.0, 1.5, 2.0):
        stream = InformationGain(refit_every=99).start(3, rng=1)
        stream.record("anna", 1, 0, outcome)
        ends.append(stream.state.mean[1])
    np.testing.assert_allclose(np.diff(ends), np.diff(ends)[0], rtol=1e-12)
    assert ends[2] == 0.0
    assert ends[0] < 0.0


def test_swiss_looks_at_shares() -> None:
    """Items 0, 1 and 2 have 1, 1.75 and 0.75 half votes: 0 is next to 2, though it has as many whole ones as 1."""
    stream = Swiss().start(4, rng=1)
    for item, outcome in enumerate((1.0, 1.75, 0.75)):
        stream.record(item, item, 3, outcome)
    stream.retire(3)
    chosen = Counter(frozenset(stream.propose(voter)) for voter in range(300))
    # Whoever comes first, at random: 0 and 2 take each other, and 1 takes 0.
    assert set(chosen) == {frozenset({0, 2}), frozenset({0, 1})}
    assert 160 < chosen[frozenset({0, 2})] < 240


def test_the_log_has_shares() -> None:
    stream = Swiss().start(3, rng=1)
    stream.record("anna", 0, 1, 1.25)
    stream.record("anna", 1, 2, "tie")
    stream.withdraw("anna", 0, 1, 1.25)
    stream.record("anna", 0, 1, 1 / 3)
    assert [call[-1] for call in stream.log] == [1.25, "tie", 1.25, round(2**24 / 3) / 2**24]
    again = Swiss().start(3, rng=1)
    for method, *given_then in stream.log:
        getattr(again, method)(*given_then)
    assert same(again, stream)
