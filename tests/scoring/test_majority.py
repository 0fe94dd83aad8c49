"""Majorities held against reference.py, published elections, and the laws that the field has proven."""

from __future__ import annotations

import itertools
import math
import pickle
import re
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEWER, LABEL_KINDS, Sample, samples

import pairvote as pv
from pairvote.scoring import _kemeny
from pairvote.scoring._beating import Components
from pairvote.scoring._linear_ordering import Prices, cheapest_order

SKIP = 3
SETS = ("unbeaten", "smith_set", "schwartz_set", "copeland_winners", "minimax_winners")


def ballots(groups):
    """Votes of groups of voters that rank all, such as {"abc": 23, "bca": 17}."""
    return pv.Votes.from_rankings([list(ranking) for ranking, n_voters in groups.items() for _ in range(n_voters)])


def random_table(n_items, *, votes_each, seed, share_asked=1.0, weights=None):
    """Votes won by each item against each other one, by coins."""
    rng = np.random.default_rng(seed)
    won = np.triu(rng.binomial(votes_each, 0.5, (n_items, n_items)), 1).astype(float)
    won += np.tril(votes_each - won.T, -1)
    asked = np.triu(rng.random((n_items, n_items)) < share_asked, 1)
    won *= asked | asked.T
    return won if weights is None else won * rng.uniform(*weights, won.shape)


def found_in(won):
    return pv.majority(pv.Votes.from_matrix(won))


def nearest(won, **limits):
    lead = won - won.T
    members = Components.of(lead > 0, lead.sum(axis=1)).members()
    return lead, _kemeny.nearest_order(lead, members, replace(_kemeny.LIMITS, **limits))


# --- published elections ---


def test_condorcets_example_of_60_voters() -> None:
    # Condorcet (1785), as Young (1988), "Condorcet's theory of voting", American Political Science Review 82, has it:
    # a over b 33 to 27, b over c 42 to 18, c over a 35 to 25; the order of maximum likelihood is b, c, a.
    found = pv.majority(ballots({"abc": 23, "bca": 17, "bac": 2, "cab": 10, "cba": 8}))
    assert found.items == tuple("abc")
    assert found.won.tolist() == [[0, 33, 25], [27, 0, 42], [35, 18, 0]]
    assert found.condorcet_winner is None
    assert found.cycles == (("a", "b", "c"),)
    assert (found.kemeny, found.kemeny_exact, found.kemeny_distance) == (tuple("bca"), True, 180 - 104)
    assert found.minimax.tolist() == [10, 6, 24]
    assert found.minimax_winners == ("b",)


def test_the_capital_of_tennessee() -> None:
    # The usual example of textbooks; Kemeny's order agrees with 393 of 600 preferences (Wikipedia, "Kemeny method").
    groups = {"MNCK": 42, "NCKM": 26, "CKNM": 15, "KCNM": 17}
    found = pv.majority(ballots(groups))
    assert found.condorcet_winner == "N"
    assert found.smith_set == found.schwartz_set == found.unbeaten == found.copeland_winners == ("N",)
    assert dict(zip(found.items, found.copeland.tolist(), strict=True)) == {"M": 0, "N": 3, "C": 2, "K": 1}
    assert (found.kemeny, found.kemeny_exact, found.kemeny_distance) == (tuple("NCKM"), True, 600 - 393)
    assert (found.cycles, found.cycle_groups) == ((), ())
    assert found.minimax[found.items.index("M")] == 58 - 42


def test_schulzes_first_example() -> None:
    # Schulze (2011), "A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner
    # election method", Social Choice and Welfare 36, example 1: the table of who is preferred how often.
    groups = {"ACBED": 5, "ADECB": 5, "BEDAC": 8, "CABED": 3, "CAEBD": 7, "CBADE": 2, "DCEBA": 7, "EBADC": 8}
    votes = ballots(groups)
    found = pv.majority(votes)
    order = [found.items.index(label) for label in "ABCDE"]
    assert found.won[np.ix_(order, order)].tolist() == [
        [0, 20, 26, 30, 22],
        [25, 0, 16, 33, 18],
        [19, 29, 0, 17, 24],
        [15, 12, 28, 0, 14],
        [23, 27, 21, 31, 0],
    ]
    assert found.condorcet_winner is None
    assert set(found.smith_set) == set("ABCDE")
    assert found.copeland[order].tolist() == [2, 2, 2, 1, 3]
    assert found.copeland_winners == ("E",)
    # By the field's oldest reading of minimax, E loses by 24 to 21, which is the smallest of the largest defeats.
    assert found.minimax[order].tolist() == [25 - 20, 29 - 16, 28 - 17, 33 - 12, 24 - 21]
    assert found.minimax_winners == ("E",)
    (cycle,) = found.cycles
    assert cycle[0] == "E"
    assert len(cycle) == 3


def test_baseball_of_1987() -> None:
    # Agresti (2002), Categorical Data Analysis, section 10.6: Milwaukee won 7 or more of 13 games with each team.
    found = pv.majority(pv.datasets.baseball())
    assert found.condorcet_winner == "Milwaukee"
    assert sorted(found.won[found.items.index("Milwaukee")])[1] == 7
    assert found.kemeny[0] == "Milwaukee"
    assert (found.n_asked, found.n_unasked, found.n_tied) == (21, 0, 0)


# --- the slow way ---


@given(samples(max_items=6))
def test_equals_the_reference(sample) -> None:
    found = pv.majority(sample.votes())
    won = reference.majority_table(sample.rows, sample.n_items)
    beats = reference.beaters(won)
    items = range(sample.n_items)
    assert found.won.tolist() == won
    assert found.copeland.tolist() == reference.copeland(won)
    np.testing.assert_array_equal(found.minimax, reference.minimax(won))
    asked = [[won[i][j] + won[j][i] > 0 for j in items] for i in items]
    margins = [[won[i][j] - won[j][i] if asked[i][j] else math.nan for j in items] for i in items]
    np.testing.assert_array_equal(found.margins, np.array(margins).reshape(found.won.shape))
    assert set(found.smith_set) == reference.smith_set(won)
    assert set(found.schwartz_set) == reference.schwartz_set(won)
    assert [found.condorcet_winner] == ([i for i in items if len(beats[i]) == len(items) - 1] or [None])
    met = [any(won[i][j] + won[j][i] > 0 for j in items) for i in items]
    assert set(found.unbeaten) == {i for i in items if met[i] and not any(i in beats[j] for j in items)}
    assert found.n_asked == sum(won[i][j] + won[j][i] > 0 for i, j in itertools.combinations(items, 2))
    assert found.n_asked + found.n_unasked == math.comb(sample.n_items, 2)
    assert found.n_tied == sum(won[i][j] == won[j][i] > 0 for i, j in itertools.combinations(items, 2))
    below = [reference.chain_below(beats, i) for i in items]
    groups = {frozenset({j for j in below[i] if i in below[j]}) for i in items if i in below[i]}
    assert set(map(frozenset, found.cycle_groups)) == groups
    for group, cycle in zip(found.cycle_groups, found.cycles, strict=True):
        assert cycle[0] == group[0]
        assert found.copeland[cycle[0]] == max(found.copeland[i] for i in group)
        assert len(cycle) == len(set(cycle)) == below[cycle[0]][cycle[0]]
        assert all(later in beats[first] for first, later in itertools.pairwise([*cycle, cycle[0]]))


@given(samples(max_items=6))
@FEWER
def test_kemenys_order_is_the_nearest_of_all(sample) -> None:
    found = pv.majority(sample.votes())
    won = reference.majority_table(sample.rows, sample.n_items)
    assert sorted(found.kemeny) == list(range(sample.n_items))
    assert found.kemeny_exact
    assert found.kemeny_distance == reference.kemeny_distance(won, found.kemeny) == reference.kemeny_least(won)
    assert found.kemeny_bound == found.kemeny_distance


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "table", [{"votes_each": 1}, {"votes_each": 4, "share_asked": 0.7}, {"votes_each": 3, "weights": (0.1, 2.0)}]
)
def test_every_way_to_the_nearest_order_is_right(seed, table) -> None:
    won = random_table(7, seed=seed, **table)
    least = reference.kemeny_least(won) - np.minimum(won, won.T).sum() / 2
    for limits in ({}, {"subsets": 0}, {"subsets": 0, "rounds": 0}, {"subsets": 0, "cuts": 0}):
        lead, found = nearest(won, **limits)
        assert sorted(found.order) == list(range(7))
        assert found.against == pytest.approx(_kemeny.cost(lead, found.order), abs=1e-9)
        assert found.at_least - 1e-9 <= least <= found.against + 1e-9
        if found.is_exact:
            assert found.against == pytest.approx(least, abs=1e-8)
    for limits in ({}, {"subsets": 0}):
        assert nearest(won, **limits)[1].is_exact


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**900, 1e-7, 3e200])
def test_only_the_ratios_of_weights_matter(scale) -> None:
    won = random_table(14, votes_each=3, seed=1, share_asked=0.9)
    plain, scaled = nearest(won)[1], nearest(won * scale)[1]
    assert scaled.is_exact
    assert scaled.against == pytest.approx(plain.against * scale, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_program_and_all_subsets_agree(seed) -> None:
    won = random_table(14, votes_each=3, seed=seed)
    lead, found = nearest(won)
    order, all_seen = cheapest_order(Prices.plain(lead), math.inf, 2**14)
    assert all_seen
    assert found.is_exact
    assert found.against == _kemeny.cost(lead, order)


def test_where_the_linear_program_leaves_a_gap_its_sets_close_it() -> None:
    # A random tournament in which the best order costs more than the linear program's solution.
    gaps = 0
    for seed in range(4):
        won = random_table(18, votes_each=1, seed=seed)
        _, closed = nearest(won)
        _, open_ended = nearest(won, work=0.0)
        assert closed.is_exact
        assert open_ended.at_least <= closed.against <= open_ended.against
        gaps += not open_ended.is_exact
    assert gaps > 0, "no example had a gap"


# --- what the field has proven ---


@given(samples(min_items=2, max_items=7))
@FEWER
def test_sets_lie_in_each_other_as_they_must(sample) -> None:
    found = pv.majority(sample.votes())
    smith, voted = set(found.smith_set), [i for i in found.items if not math.isnan(found.minimax[i])]
    assert set(found.schwartz_set) <= smith
    assert {item for item in found.unbeaten if item in voted} <= set(found.schwartz_set)
    # Extended Condorcet criterion (Young and Levenglick 1978; Truchon 1998): the Smith set comes first.
    assert set(found.kemeny[: len(smith)]) == smith
    if found.n_unasked == 0:
        assert set(found.copeland_winners) <= smith
    if found.condorcet_winner is not None:
        (winner,) = found.smith_set
        assert (winner,) == found.unbeaten == found.schwartz_set == found.copeland_winners == (found.condorcet_winner,)
        assert found.minimax[winner] < 0


@given(st.integers(3, 9), st.integers(0, 10**6))
@FEWER
def test_in_a_tournament_cycles_have_three_items(n_items, seed) -> None:
    # Moon (1968), Topics on Tournaments, theorem 3: every item of a strong tournament is in one of three.
    found = found_in(random_table(n_items, votes_each=1, seed=seed))
    assert all(len(cycle) == 3 for cycle in found.cycles)
    # Of two items that stand side by side in Kemeny's order the first beats the second, or the two would change places.
    order = found.kemeny
    assert all(found.won[first, later] > found.won[later, first] for first, later in itertools.pairwise(order))


@given(samples(min_items=2, max_items=6, min_votes=1), st.randoms(use_true_random=False))
@FEWER
def test_whatever_the_unasked_pairs_would_say_the_smith_set_holds_theirs(sample, random) -> None:
    found = pv.majority(sample.votes())
    won = reference.majority_table(sample.rows, sample.n_items)
    filled = [list(row) for row in won]
    for i, j in itertools.combinations(range(sample.n_items), 2):
        if won[i][j] + won[j][i] == 0:
            filled[i][j], filled[j][i] = random.choice([(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    assert reference.smith_set(filled) <= set(found.smith_set)


# --- laws ---


@given(samples(max_items=6), st.randoms(use_true_random=False))
@FEWER
def test_laws_of_a_count(sample, random) -> None:
    plain = pv.majority(sample.votes())

    def same(rows, *, weighted=sample.weighted, scale=1.0):
        found = pv.majority(Sample(rows, sample.n_items, weighted).votes())
        np.testing.assert_array_equal(found.won, plain.won * scale)
        for name in ("condorcet_winner", *SETS, "cycles", "cycle_groups", "kemeny"):
            assert getattr(found, name) == getattr(plain, name), name
        np.testing.assert_array_equal(found.copeland, plain.copeland)
        np.testing.assert_array_equal(found.minimax, plain.minimax * scale)
        assert (found.kemeny_distance, found.kemeny_exact) == (plain.kemeny_distance * scale, True)

    same([(j, i, 2 - o if o != SKIP else o, w) for i, j, o, w in sample.rows])
    shuffled = list(sample.rows)
    random.shuffle(shuffled)
    same(shuffled)
    idle = [(i, j, o, 0.0) for i, j, o, _ in sample.rows] + [(i, j, SKIP, w) for i, j, _, w in sample.rows]
    same([*idle, *sample.rows], weighted=True)
    same([row for row in sample.rows for _ in range(2)], scale=2.0)
    same([(i, j, o, 2 * w) for i, j, o, w in sample.rows], weighted=True, scale=2.0)
    places = list(range(sample.n_items))
    random.shuffle(places)
    moved = pv.majority(sample._replace(rows=[(places[i], places[j], o, w) for i, j, o, w in sample.rows]).votes())
    for name in SETS:
        assert set(getattr(moved, name)) == {places[i] for i in getattr(plain, name)}, name
    np.testing.assert_array_equal(moved.won[np.ix_(places, places)], plain.won)
    assert moved.kemeny_distance == plain.kemeny_distance
    assert sorted(map(len, moved.cycles)) == sorted(map(len, plain.cycles))


@given(samples(min_items=2, max_items=5, min_votes=1, outcomes=(0, 1, 2)))
@FEWER
def test_turning_all_votes_round_turns_kemenys_order_round(sample) -> None:
    plain = pv.majority(sample.votes())
    turned = pv.majority(sample._replace(rows=[(i, j, 2 - o, w) for i, j, o, w in sample.rows]).votes())
    assert turned.kemeny_distance == plain.kemeny_distance
    np.testing.assert_array_equal(turned.margins, -plain.margins)
    assert set(map(frozenset, turned.cycle_groups)) == set(map(frozenset, plain.cycle_groups))


@given(st.lists(LABEL_KINDS["mixed"], min_size=3, max_size=5, unique=True))
@FEWER
def test_labels_may_be_anything(labels) -> None:
    found = pv.majority(pv.Votes.from_rankings([labels, labels[::-1], labels]))
    assert found.condorcet_winner == labels[0]
    assert list(found.kemeny) == labels
    assert found.to_columns()["item"] == labels
    assert len(str(found).splitlines()) == 4 + 1 + len(labels)


# --- ties, weights, grades, skips ---


def test_ties_are_half_for_each_and_level_pairs_are_tied() -> None:
    votes = pv.Votes.from_labels(list("aab"), list("bbc"), ["tie", "left", "tie"])
    found = pv.majority(votes)
    assert found.won.tolist() == [[0, 1.5, 0], [0.5, 0, 0.5], [0, 0.5, 0]]
    assert found.copeland.tolist() == [1.0, 0.5, 0.5]
    assert str(found.minimax.tolist()) == "[-1.0, 1.0, 0.0]"
    assert (found.n_tied, found.n_unasked) == (1, 1)
    assert found.margins[1].tolist()[::2] == [-1.0, 0.0]
    assert math.isnan(found.margins[0, 2])


def test_grades_are_divided_between_the_sides() -> None:
    votes = pv.Votes.from_labels(list("aab"), list("bbc"), [0.9, 0.2, 0.75], outcomes="share")
    found = pv.majority(votes)
    np.testing.assert_allclose(found.won, [[0, 1.1, 0], [0.9, 0, 0.75], [0, 0.25, 0]])
    assert found.unbeaten == ("a",)
    assert found.condorcet_winner is None, "a and c were never compared"


def test_what_rounding_leaves_of_a_tie_is_a_tie() -> None:
    # 0.1 + 0.2 is not 0.3 in floating point.
    votes = pv.Votes.from_labels(list("aab"), list("bba"), ["left"] * 3, weight=[0.1, 0.2, 0.3])
    found = pv.majority(votes)
    assert (found.n_tied, found.unbeaten) == (1, ("a", "b"))


def test_weights_count() -> None:
    votes = pv.Votes.from_wins(list("abb"), list("baa"), weight=[5, 1, 1])
    assert pv.majority(votes).condorcet_winner == "a"


# --- pairs that nobody was asked about ---


def test_without_all_pairs_there_is_no_condorcet_winner_but_one_not_beaten() -> None:
    found = pv.majority(pv.Votes.from_wins(list("aab"), list("bcc"), items=list("abcd")))
    assert found.condorcet_winner is None
    assert found.unbeaten == ("a",)
    assert set(found.smith_set) == set("abcd")
    assert set(found.schwartz_set) == {"a", "d"}
    assert found.kemeny == tuple("abcd"), "an item without votes is last"
    assert math.isnan(found.minimax[3])
    assert found.n_unasked == 3
    text = str(found)
    assert "6 pairs of 4 items: 3 with a majority, 0 tied, 3 never asked; 1 vote a pair (median)" in text
    assert "no Condorcet winner: not beaten: a (beats 2, was not asked against 1)" in text
    assert "Smith set: all 4 items" in text
    assert "Schwartz set: a, d (2 of 4)" in text


def test_a_cycle_may_be_long_where_pairs_were_not_asked() -> None:
    found = pv.majority(pv.Votes.from_wins(list("abcde"), list("bcdea")))
    assert found.cycles == (tuple("abcde"),)
    assert found.kemeny_distance == 1
    assert "cycle among 5 items: a beats b 1 to 0, b beats c 1 to 0" in str(found)


@pytest.mark.parametrize("n_items", [0, 1, 2, 3])
def test_without_votes_there_is_nothing_to_say(n_items) -> None:
    for source in (votes := pv.Votes.from_codes([], [], [], n_items=n_items), votes.counts()):
        found = pv.majority(source)
        assert found.condorcet_winner == (0 if n_items == 1 else None)
        assert found.unbeaten == found.cycles == ()
        assert found.copeland.tolist() == [0.0] * n_items
        assert found.smith_set == found.schwartz_set == found.kemeny == tuple(range(n_items))
        assert (found.kemeny_exact, found.kemeny_distance, found.n_asked) == (True, 0.0, 0)
        assert str(found)
        assert "<table>" in found._repr_html_()


# --- scale ---


def test_of_many_items_the_bound_is_honest() -> None:
    rng = np.random.default_rng(3)
    strengths = rng.normal(size=300)
    left = rng.integers(300, size=9_000)
    right = (left + rng.integers(1, 300, size=9_000)) % 300
    won = rng.random(9_000) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    found = pv.majority(pv.Votes.from_codes(left, right, np.where(won, 2, 0), n_items=300))
    assert not found.kemeny_exact
    by_strength = reference.kemeny_distance(found.won, np.argsort(-strengths).tolist())
    assert 0 < found.kemeny_bound < found.kemeny_distance < by_strength
    place = {label: rank for rank, label in enumerate(found.kemeny)}
    assert found.kemeny_distance == reference.kemeny_distance(found.won, sorted(place, key=place.__getitem__))
    assert "this is the best that was found" in str(found)
    assert str(found).splitlines()[-1] == "... and 250 more"


def test_what_no_cycle_is_in_the_way_of_is_ordered_at_any_size() -> None:
    order = np.random.default_rng(5).permutation(1_000)
    pairs = np.stack([order[:-1], order[1:]])
    found = pv.majority(pv.Votes.from_codes(*pairs, np.full(999, 2), n_items=1_000))
    assert found.kemeny == tuple(order.tolist())
    assert (found.kemeny_exact, found.kemeny_distance) == (True, 0.0)


def test_of_two_rooms_of_cycles_each_is_ordered_by_itself() -> None:
    # Two random tournaments of ten, the first above the second: more than the subsets of twenty could be gone through.
    won = np.zeros((20, 20))
    won[:10, :10], won[10:, 10:] = random_table(10, votes_each=1, seed=1), random_table(10, votes_each=1, seed=2)
    won[:10, 10:] = 1
    found = found_in(won)
    assert found.kemeny_exact
    assert set(found.kemeny[:10]) == set(range(10))
    parts = [found_in(won[:10, :10]), found_in(won[10:, 10:])]
    assert found.kemeny_distance == sum(part.kemeny_distance for part in parts)


# --- the result ---


def test_the_result_is_frozen_and_survives_a_pickle() -> None:
    found = pv.majority(ballots({"abc": 2, "bca": 2, "cab": 1}))
    for source in (found, pickle.loads(pickle.dumps(found))):
        assert source.kemeny == found.kemeny
        assert str(source) == str(found)
        with pytest.raises(FrozenInstanceError):
            source.condorcet_winner = "a"
        for values in (source.won, source.margins, source.copeland, source.minimax):
            with pytest.raises(ValueError, match="read-only"):
                values[0] = 1.0


def test_columns_are_in_kemenys_order() -> None:
    columns = pv.majority(ballots({"abc": 23, "bca": 17, "bac": 2, "cab": 10, "cba": 8})).to_columns()
    assert columns == {
        "rank": [1, 2, 3],
        "item": ["b", "c", "a"],
        "beats": [1, 1, 1],
        "ties": [0, 0, 0],
        "loses": [1, 1, 1],
        "unasked": [0, 0, 0],
        "copeland": [1.0, 1.0, 1.0],
        "minimax": [6.0, 24.0, 10.0],
        "in_smith_set": [True, True, True],
    }


def test_people_are_told_in_sentences_and_a_table() -> None:
    found = pv.majority(ballots({"abc": 23, "bca": 17, "bac": 2, "cab": 10, "cba": 8}))
    assert str(found).splitlines() == [
        "3 pairs of 3 items: 3 with a majority, 0 tied; 60 votes a pair (median)",
        "no Condorcet winner: every item is beaten by another one",
        "Smith set: all 3 items",
        "cycle among 3 items: a beats b 33 to 27, b beats c 42 to 18, c beats a 35 to 25",
        "Kemeny's order goes against 76 of 180 votes; no order goes against fewer",
        "rank  item  beats  ties  loses  Copeland  worst margin  Smith set",
        "   1  b         1     0      1       1.0            +6          *",
        "   2  c         1     0      1       1.0           +24          *",
        "   3  a         1     0      1       1.0           +10          *",
    ]
    assert repr(found) == "Majority(3 items, no Condorcet winner, Smith set of 3)"
    html = pv.majority(pv.Votes.from_wins(["<a>"], ["b&b"]))._repr_html_()
    assert "<p>Condorcet winner: &lt;a&gt; beats every other item</p>" in html
    assert "b&amp;b" in html


def test_labels_that_steer_a_terminal_are_escaped() -> None:
    found = pv.majority(pv.Votes.from_wins(["a\nb", "c", "d"], ["c", "d", "a\nb"]))
    assert "a\\nb beats c 1 to 0" in str(found)
    assert "\\n" in repr(pv.majority(pv.Votes.from_wins(["a\nb"], ["c"])))


# --- what is refused ---


@pytest.mark.parametrize("votes", [None, [("a", "b", "left")], np.zeros(3), "votes.csv"])
def test_what_is_no_votes_is_refused(votes) -> None:
    with pytest.raises(pv.InputError, match="pass Votes or PairCounts"):
        pv.majority(votes)


def test_several_criteria_need_a_choice() -> None:
    votes = pv.Votes.from_labels(list("aba"), list("bab"), ["left"] * 3, criterion=["new", "useful", "useful"])
    with pytest.raises(pv.InputError, match="several criteria"):
        pv.majority(votes)
    assert pv.majority(votes, criterion="new").condorcet_winner == "a"
    assert pv.majority(votes, criterion="useful").n_tied == 1
    with pytest.raises(pv.InputError, match="there is no criterion 'old'; the criteria are 'new', 'useful'"):
        pv.majority(votes, criterion="old")
    with pytest.raises(pv.InputError, match="which PairCounts do not keep"):
        pv.majority(votes.counts(criterion="new"), criterion="new")


def test_too_many_items_are_refused_with_a_remedy_that_works() -> None:
    votes = pv.Votes.from_codes([0], [1], [2], n_items=4_001)
    message = "there are 4,001 items; majorities are told of up to 4,000, so rank them by bradley_terry or win_rate"
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.majority(votes)
    assert pv.win_rate(votes).top(1) == [0]


def test_voters_are_not_needed() -> None:
    votes = pv.Votes.from_wins(list("aab"), list("bba"), voter=[None, "eve", None])
    assert pv.majority(votes).condorcet_winner == "a"
    assert pv.majority(votes.where(votes.voter >= 0)).n_asked == 1
