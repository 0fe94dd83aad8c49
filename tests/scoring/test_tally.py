"""Votes won and shares of votes won, held against reference.py and the laws of a count."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import Sample, samples

import pairvote as pv

SKIP = 3
TIES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1 / 3])
SCORERS = {"tally": pv.tally, "win-rate": pv.win_rate}


@given(samples(), TIES)
def test_tally_equals_the_reference(sample, ties) -> None:
    ranking = pv.tally(sample.votes(), ties=ties)
    np.testing.assert_allclose(ranking.scores, reference.tally(sample.rows, sample.n_items, ties), rtol=1e-14)
    assert (ranking.unit, ranking.method, ranking.fit) == ("votes", "tally", None)


@given(samples(), TIES, st.sampled_from([0.5, 1.0, 10]))
def test_win_rate_equals_the_reference(sample, ties, prior) -> None:
    ranking = pv.win_rate(sample.votes(), ties=ties, prior=prior)
    expected = reference.win_rate(sample.rows, sample.n_items, ties, prior)
    np.testing.assert_allclose(ranking.scores, expected, rtol=1e-14)
    assert (ranking.unit, ranking.method, ranking.fit) == ("share", "win-rate", None)
    assert ((ranking.scores >= 0) & (ranking.scores <= 1)).all()


@given(samples(), TIES)
def test_win_rate_without_a_prior_is_the_plain_share(sample, ties) -> None:
    totals = reference.item_totals(sample.rows, sample.n_items)
    asked = totals["won"] + totals["tied"] + totals["lost"]
    if (asked == 0).any():
        with pytest.raises(pv.InputError, match=r"nobody was asked about \d+, so .* set a positive prior"):
            pv.win_rate(sample.votes(), ties=ties, prior=0)
    else:
        ranking = pv.win_rate(sample.votes(), ties=ties, prior=0)
        np.testing.assert_allclose(ranking.scores, (totals["won"] + ties * totals["tied"]) / asked, rtol=1e-14)


def test_the_item_that_nobody_was_asked_about_is_named() -> None:
    votes = pv.Votes.from_wins(["ash"], ["birch"], items=["ash", "birch", "cedar"])
    with pytest.raises(pv.InputError, match="nobody was asked about 'cedar'"):
        pv.win_rate(votes, prior=0)
    assert pv.win_rate(votes).to_dict() == {"ash": 2 / 3, "cedar": 1 / 2, "birch": 1 / 3}


@given(samples())
def test_a_ranking_knows_what_the_votes_were(sample) -> None:
    totals = reference.item_totals(sample.rows, sample.n_items)
    for source in (sample.votes(), sample.votes().counts()):
        ranking = pv.tally(source)
        for name in ("won", "tied", "skipped"):
            np.testing.assert_array_equal(getattr(ranking, name), totals[name])
        np.testing.assert_array_equal(ranking.asked, totals["won"] + totals["tied"] + totals["lost"])
        np.testing.assert_array_equal(ranking.components, reference.components(sample.rows, sample.n_items))


# --- laws; sums of quarters are exact ---


@pytest.mark.parametrize("name", SCORERS)
@given(sample=samples(), ties=TIES, random=st.randoms(use_true_random=False))
def test_laws_of_a_count(name, sample, ties, random) -> None:
    scorer = SCORERS[name]
    scores = scorer(sample.votes(), ties=ties).scores

    def scored(rows, *, weighted=sample.weighted):
        return scorer(Sample(rows, sample.n_items, weighted).votes(), ties=ties).scores

    swapped = [(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows]
    np.testing.assert_array_equal(scored(swapped), scores)
    shuffled = list(sample.rows)
    random.shuffle(shuffled)
    np.testing.assert_array_equal(scored(shuffled), scores)
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows] + [(i, j, SKIP, w) for i, j, _, w in sample.rows]
    np.testing.assert_array_equal(scored([*idle, *sample.rows], weighted=True), scores)
    np.testing.assert_array_equal(
        scored([row for row in sample.rows for _ in range(2)]),
        scored([(i, j, o, 2 * w) for i, j, o, w in sample.rows], weighted=True),
    )
    np.testing.assert_array_equal(scorer(sample.votes().counts(), ties=ties).scores, scores)
    places = list(range(sample.n_items))
    random.shuffle(places)
    renamed = [(places[i], places[j], o, w) for i, j, o, w in sample.rows]
    np.testing.assert_array_equal(scored(renamed)[places], scores)


@given(samples(min_items=2))
def test_every_answered_vote_gives_one_point(sample) -> None:
    total = sum(weight for *_, outcome, weight in sample.rows if outcome != SKIP)
    assert pv.tally(sample.votes()).scores.sum() == total


@given(samples(min_items=2, outcomes=(0, 2)), TIES)
def test_without_ties_their_worth_is_irrelevant(sample, ties) -> None:
    for scorer in SCORERS.values():
        np.testing.assert_array_equal(scorer(sample.votes(), ties=ties).scores, scorer(sample.votes()).scores)


@given(samples(min_items=2, min_votes=1, weights=None))
def test_tally_adds_up_over_parts(sample) -> None:
    votes = sample.votes()
    parts = [votes.where(np.arange(len(votes)) % 3 == part) for part in range(3)]
    np.testing.assert_array_equal(sum(pv.tally(part).scores for part in parts), pv.tally(votes).scores)


@given(samples(min_items=2))
def test_where_all_were_asked_equally_both_rank_the_same(sample) -> None:
    totals = reference.item_totals(sample.rows, sample.n_items)
    asked = totals["won"] + totals["tied"] + totals["lost"]
    assume(asked.min() == asked.max())
    votes = sample.votes()
    np.testing.assert_array_equal(pv.tally(votes).ranks(), pv.win_rate(votes).ranks())


def test_round_robin_ranks_the_same() -> None:
    rng = np.random.default_rng(1)
    pairs = np.array(list(itertools.combinations(range(8), 2)))
    votes = pv.Votes.from_codes(*pairs.T, rng.choice([0, 1, 2], size=len(pairs)))
    np.testing.assert_array_equal(pv.tally(votes).ranks(), pv.win_rate(votes).ranks())


# --- what is refused ---


@pytest.mark.parametrize("ties", [-0.1, 1.1, math.nan, math.inf, None, "half", True, [0.5]])
@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
def test_worth_of_a_tie_out_of_range_is_refused(scorer, ties) -> None:
    with pytest.raises(pv.InputError, match=re.escape(f"ties is {ties!r}; it is what a tie counts for each side")):
        scorer(pv.Votes.from_wins(["a"], ["b"]), ties=ties)


@pytest.mark.parametrize("prior", [-1, math.nan, math.inf, None, "1", True])
def test_prior_out_of_range_is_refused(prior) -> None:
    with pytest.raises(pv.InputError, match=re.escape(f"prior is {prior!r}; it is a finite number from 0")):
        pv.win_rate(pv.Votes.from_wins(["a"], ["b"]), prior=prior)


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
def test_votes_on_several_criteria_are_refused_without_a_choice(scorer) -> None:
    votes = pv.Votes.from_labels(list("aba"), list("bab"), ["left"] * 3, criterion=["new", "useful", "useful"])
    with pytest.raises(pv.InputError, match="several criteria"):
        scorer(votes)
    assert scorer(votes, criterion="new").order() == ["a", "b"]
    assert scorer(votes, criterion="useful").ranks().tolist() == [1, 1]
    with pytest.raises(pv.InputError, match="there is no criterion 'old'; the criteria are 'new', 'useful'"):
        scorer(votes, criterion="old")
    with pytest.raises(pv.InputError, match=r"there is no criterion .*; the criteria are 'new', 'useful'"):
        scorer(votes, criterion=np.array(["new", "useful"]))


@pytest.mark.parametrize("scorer", SCORERS.values(), ids=SCORERS)
@pytest.mark.parametrize("votes", [None, [("a", "b", "left")], np.zeros(3), "votes.csv"])
def test_what_is_no_votes_is_refused(scorer, votes) -> None:
    with pytest.raises(pv.InputError, match="pass Votes or PairCounts"):
        scorer(votes)


@pytest.mark.parametrize("name", SCORERS)
def test_there_are_no_standard_errors(name) -> None:
    ranking = pv.rank(pv.Votes.from_wins(["a"], ["b"]), name)
    with pytest.raises(pv.MissingUncertaintyError, match=f"by '{name}' of 2 items has no standard errors"):
        ranking.standard_errors  # noqa: B018


def test_rank_takes_each_scorers_options() -> None:
    votes = pv.Votes.from_labels(list("ab"), list("ba"), ["left", "tie"])
    assert pv.rank(votes, "tally", ties=0.0).scores.tolist() == [1.0, 0.0]
    assert pv.rank(votes, "win-rate", prior=0, ties=0.0).scores.tolist() == [0.5, 0.0]
    with pytest.raises(pv.InputError, match="'tally' has no option 'prior'; its options are ties, criterion"):
        pv.rank(votes, "tally", prior=1)
    for method in ("votes", None, ["tally"]):
        with pytest.raises(pv.InputError, match=re.escape(f"method is {method!r}; use one of 'tally', 'win-rate'")):
            pv.rank(votes, method)
