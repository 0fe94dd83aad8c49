"""Camps of voters: found where there are two, not where there is one, and what is said of them."""

from __future__ import annotations

import math
import pickle
from itertools import combinations

import numpy as np
import pytest

import pairvote as pv
from pairvote.groups._find_number import HeldOut

TWO = pv.VoterModel(clusters=2, cluster_sd=1.5)
TWO_CAMPS = pv.simulate(votes_each=40, voters=TWO, sampler="uniform", repetitions=3, rng=19)
SMALL = pv.simulate(n_items=8, n_voters=12, votes_each=25, voters=TWO, repetitions=1, rng=3).votes(0)
FOUND = pv.find_groups(TWO_CAMPS.votes(0), rng=1)


def error_of(camps: pv.groups.Camps, n_groups: int = 2) -> float:
    """The share of voters who are put in another camp than theirs, voter v being in camp v modulo `n_groups`."""
    from scipy.optimize import linear_sum_assignment

    both = np.zeros((n_groups, camps.n_groups))
    np.add.at(both, (np.array(camps.voters) % n_groups, camps.membership.argmax(axis=1)), 1)
    return 1.0 - both[linear_sum_assignment(-both)].sum() / len(camps.voters)


def same(one: pv.groups.Camps, other: pv.groups.Camps, tolerance: float) -> None:
    """One and the other say alike of the same voters and items."""
    assert one.n_groups == other.n_groups
    order = [other.voters.index(voter) for voter in one.voters]
    membership = other.membership[order]
    # Of camps of one size, either may come first.
    flip = np.abs(membership - one.membership).max() > 0.5
    camps = slice(None, None, -1 if flip else 1)
    np.testing.assert_allclose(membership[:, camps], one.membership, atol=tolerance)
    np.testing.assert_allclose(other.attentive[order], one.attentive, atol=tolerance)
    np.testing.assert_allclose(other.gain, one.gain, atol=max(tolerance, 0.2 if tolerance else 0.0))
    for mine, theirs in zip(one.rankings, other.rankings[camps], strict=True):
        np.testing.assert_allclose(theirs.scores, mine.scores, atol=max(tolerance, 1e-9))


# --- how many, and who ---


@pytest.mark.parametrize("repetition", range(3))
def test_two_camps_are_found_with_all_their_voters(repetition: int) -> None:
    camps = FOUND if repetition == 0 else pv.find_groups(TWO_CAMPS.votes(repetition), max_groups=3, rng=1)
    assert camps.n_groups == 2
    assert error_of(camps) == 0.0
    assert camps.gain[1] > 3 * camps.gain_error[1] > 0.0
    assert (camps.membership.max(axis=1) > 0.99).all()
    assert (camps.attentive > 0.9).all()


@pytest.mark.parametrize(
    "voters", [None, pv.VoterModel(tie_parameter=0.5), pv.VoterModel(random_voters=0.2)], ids=["alike", "ties", "coins"]
)
def test_one_camp_is_one(voters: pv.VoterModel | None) -> None:
    votes = pv.simulate(voters=voters, sampler="uniform", repetitions=1, rng=19).votes(0)
    camps = pv.find_groups(votes, max_groups=3, rng=1)
    assert camps.n_groups == 1
    np.testing.assert_array_equal(camps.membership, np.ones((30, 1)))
    assert camps.rankings[0].to_dict() == pv.bradley_terry(votes).to_dict()
    assert camps.questions() == ()
    assert "1 camp of 30 voters" in str(camps)


@pytest.mark.slow
def test_honest_workshops_are_hardly_ever_split_and_camps_nearly_always_found() -> None:
    honest = pv.simulate(sampler="uniform", repetitions=40, rng=2014)
    assert sum(pv.find_groups(honest.votes(r), max_groups=2, rng=r).n_groups > 1 for r in range(40)) <= 3
    camps = pv.simulate(votes_each=40, voters=TWO, sampler="uniform", repetitions=20, rng=2014)
    found = [pv.find_groups(camps.votes(r), max_groups=2, rng=r) for r in range(20)]
    assert sum(one.n_groups == 2 for one in found) >= 19
    assert np.mean([error_of(one) for one in found if one.n_groups == 2]) < 0.02


def test_three_camps_are_found() -> None:
    three = pv.VoterModel(clusters=3, cluster_sd=1.5)
    camps = pv.find_groups(pv.simulate(votes_each=40, voters=three, repetitions=1, rng=5).votes(0), rng=1)
    assert camps.n_groups == 3
    assert error_of(camps, 3) == 0.0
    sizes = [list(camps.groups.values()).count(name) for name in camps.names]
    assert sizes == [10, 10, 10]


def test_camps_of_unequal_size_come_with_the_larger_first() -> None:
    votes = TWO_CAMPS.votes(0)
    kept = np.isin(votes.voter, [v for v in range(30) if v % 2 or v < 12])
    camps = pv.find_groups(votes.where(kept), max_groups=2, rng=1)
    assert [list(camps.groups.values()).count(name) for name in camps.names] == [15, 6]
    assert camps.group_of(1) == "A"
    assert camps.group_of(0) == "B"


def test_voters_who_toss_coins_are_in_no_camp() -> None:
    voters = pv.VoterModel(clusters=2, cluster_sd=1.5, random_voters=0.2)
    camps = pv.find_groups(
        pv.simulate(votes_each=60, voters=voters, repetitions=1, rng=2).votes(0), max_groups=3, rng=1
    )
    assert camps.n_groups == 2
    assert (camps.attentive[:24] > 0.5).all()
    assert (camps.attentive[24:] < 0.5).all()
    assert camps.group_of(29) is None
    assert 29 not in camps.groups
    assert "they likelier answer by a coin: 24, 25" in str(camps)


def test_rankings_are_nearly_those_of_the_camps_when_told() -> None:
    votes = TWO_CAMPS.votes(0)
    for camp in range(2):
        told = pv.bradley_terry(votes.where(votes.voter % 2 == camp))
        found = FOUND.rankings[FOUND.names.index(str(FOUND.group_of(camp)))]
        assert np.abs(found.scores - told.scores).max() < 0.1


def test_a_gain_must_be_likely_and_not_that_of_one_voter() -> None:
    level = np.zeros(20)
    even = np.full(20, 0.3) + np.tile([0.05, -0.05], 10)
    single = np.where(np.arange(20) == 0, 6.0, 0.0)
    assert HeldOut(log_chances=np.array([level, even])).number() == 2
    assert HeldOut(log_chances=np.array([level, single])).number() == 1
    # A sum of 2.9 is less than log 20.
    assert HeldOut(log_chances=np.array([level, even - 0.155])).number() == 1
    # Three camps are held against two where two were taken, against one where not.
    assert HeldOut(log_chances=np.array([level, even, even])).number() == 2
    assert HeldOut(log_chances=np.array([level, level, even])).number() == 3


# --- laws ---


def test_the_order_of_rows_and_the_sides_do_not_matter() -> None:
    votes = SMALL
    known = pv.find_groups(votes, max_groups=2, rng=1)
    order = np.random.default_rng(0).permutation(len(votes))
    shuffled = pv.Votes.from_codes(
        votes.left[order], votes.right[order], votes.outcome[order], n_items=8, voter=votes.voter[order].tolist()
    )
    same(known, pv.find_groups(shuffled, max_groups=2, rng=1), 1e-3)
    turned = pv.Votes.from_codes(
        votes.right, votes.left, 2 - votes.outcome.astype(int), n_items=8, voter=votes.voter.tolist()
    )
    same(known, pv.find_groups(turned, max_groups=2, rng=1), 1e-9)


def test_labels_do_not_matter_and_voters_are_theirs() -> None:
    votes = SMALL
    known = pv.find_groups(votes, max_groups=2, rng=1)
    named = pv.Votes.from_codes(
        votes.left, votes.right, votes.outcome, items=[*"abcdefgh"], voter=[f"v{code}" for code in votes.voter]
    )
    camps = pv.find_groups(named, max_groups=2, rng=1)
    np.testing.assert_array_equal(camps.membership, known.membership)
    assert camps.voters == tuple(f"v{label}" for label in known.voters)
    assert camps.rankings[0].items == tuple("abcdefgh")
    assert camps.groups == {f"v{label}": name for label, name in known.groups.items()}


def test_weight_two_is_a_vote_twice() -> None:
    votes = SMALL
    columns = (votes.left, votes.right, votes.outcome)
    twice = pv.Votes.from_codes(*(np.repeat(column, 2) for column in columns), voter=np.repeat(votes.voter, 2).tolist())
    heavy = pv.Votes.from_codes(*columns, voter=votes.voter.tolist(), weight=np.full(len(votes), 2.0))
    same(pv.find_groups(twice, max_groups=2, rng=1), pv.find_groups(heavy, max_groups=2, rng=1), 1e-9)


def test_skips_votes_of_no_weight_and_of_unknown_voters_are_left_out() -> None:
    votes = SMALL
    n = len(votes)
    more = pv.Votes.from_codes(
        np.append(votes.left, [0, 1, 2]),
        np.append(votes.right, [1, 2, 3]),
        np.append(votes.outcome, [3, 2, 2]),
        voter=[*votes.voter.tolist(), 0, 0, None],
        weight=np.append(np.ones(n), [1.0, 0.0, 1.0]),
    )
    same(pv.find_groups(votes, max_groups=2, rng=1), pv.find_groups(more, max_groups=2, rng=1), 1e-9)


def test_the_same_seed_gives_the_same_and_another_nearly() -> None:
    one, again, other = (pv.find_groups(SMALL, max_groups=2, rng=seed) for seed in (1, 1, None))
    np.testing.assert_array_equal(one.membership, again.membership)
    np.testing.assert_array_equal(one.gain, again.gain)
    same(one, other, 1e-3)


def test_one_criterion_is_chosen() -> None:
    votes = SMALL
    coin = np.random.default_rng(1).integers(2, size=len(votes)) * 2
    both = pv.Votes.from_codes(
        np.tile(votes.left, 2),
        np.tile(votes.right, 2),
        np.concatenate([votes.outcome, coin]),
        voter=np.tile(votes.voter, 2).tolist(),
        criterion=["useful"] * len(votes) + ["new"] * len(votes),
    )
    same(
        pv.find_groups(votes, max_groups=2, rng=1), pv.find_groups(both, max_groups=2, criterion="useful", rng=1), 1e-9
    )
    with pytest.raises(pv.InputError, match="several criteria"):
        pv.find_groups(both)


def test_a_position_effect_is_taken_out() -> None:
    voters = pv.VoterModel(clusters=2, cluster_sd=1.5, position=1.0)
    votes = pv.simulate(votes_each=40, voters=voters, repetitions=1, rng=4).votes(0)
    camps = pv.find_groups(votes, max_groups=2, position=True, rng=1)
    assert (camps.n_groups, error_of(camps)) == (2, 0.0)
    assert all(ranking.fit is not None and ranking.fit.position_effect > 0.5 for ranking in camps.rankings)


def test_graded_votes_and_ties_are_taken() -> None:
    votes = SMALL
    shares = np.where(votes.outcome == 2, 0.9, 0.1)
    graded = pv.Votes.from_labels(
        votes.left.tolist(), votes.right.tolist(), shares.tolist(), outcomes="share", voter=votes.voter.tolist()
    )
    assert error_of(pv.find_groups(graded, max_groups=2, rng=1)) == 0.0
    tied = pv.simulate(
        votes_each=40, voters=pv.VoterModel(clusters=2, cluster_sd=1.5, tie_parameter=1.0), repetitions=1, rng=4
    ).votes(0)
    camps = pv.find_groups(tied, max_groups=2, rng=1)
    assert (camps.n_groups, error_of(camps)) == (2, 0.0)


# --- what is said ---


def test_questions_have_the_information_of_their_definition() -> None:
    shares = (FOUND.membership * FOUND.attentive[:, None]).sum(axis=0)
    shares /= shares.sum()
    known = {}
    for left, right in combinations(range(23), 2):
        chances = [1.0 / (1.0 + math.exp(ranking.scores[right] - ranking.scores[left])) for ranking in FOUND.rankings]
        mean = float(np.dot(shares, chances))
        known[left, right] = sum(
            share * (p * math.log2(p / mean) + (1 - p) * math.log2((1 - p) / (1 - mean)))
            for share, p in zip(shares, chances, strict=True)
        )
    questions = FOUND.questions(400)
    assert len(questions) == 253
    for question in questions:
        assert question.bits == pytest.approx(known[question.left, question.right], abs=1e-9)
    np.testing.assert_allclose([question.bits for question in questions], sorted(known.values(), reverse=True))
    assert FOUND.questions(2) == questions[:2]
    # Of a voter whose camp is known nothing is left to tell.
    assert FOUND.questions(1, voter=0)[0].bits < 0.01


def test_a_result_is_read_only_and_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(FOUND))
    for array in (again.membership, FOUND.attentive, FOUND.gain, FOUND.log_likelihood, FOUND.map.voter_places):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    assert again.groups == FOUND.groups
    with pytest.raises(AttributeError):
        FOUND.voters = ()  # type: ignore[misc]


def test_columns_have_a_row_for_each_voter() -> None:
    columns = FOUND.to_columns()
    assert list(columns) == ["voter", "group", "chance_A", "chance_B", "attentive", "votes", "x", "y"]
    assert {len(column) for column in columns.values()} == {30}
    assert columns["votes"] == [40] * 30
    assert columns["group"] == [FOUND.group_of(voter) for voter in columns["voter"]]


def test_the_table_names_camps_and_what_they_differ_on() -> None:
    lines = str(FOUND).splitlines()
    assert lines[0] == "Camps of voters"
    assert "times likelier than under one camp" in lines[1]
    assert lines[2].split() == ["camp", "voters", "surely", "(95%)", "first"]
    assert [line.split()[:3] for line in lines[3:5]] == [["A", "15", "15"], ["B", "15", "15"]]
    scores = np.stack([ranking.scores for ranking in FOUND.rankings])
    assert lines[6].split()[0] == str(np.abs(scores[0] - scores[1]).argmax())
    assert len(lines) == 15
    assert FOUND._repr_html_().count("<table>") == 3
    assert repr(FOUND) == "Camps(2 camps of 30 voters)"


def test_camps_can_be_compared() -> None:
    votes = TWO_CAMPS.votes(0)
    compared = pv.compare_groups(votes, FOUND.groups)
    assert set(compared.rankings) == {"A", "B"}


# --- little and bad input ---


@pytest.mark.parametrize("n_voters", [1, 2, 3])
def test_few_voters_are_one_camp(n_voters: int) -> None:
    camps = pv.find_groups(SMALL.where(SMALL.voter < n_voters), rng=1)
    assert camps.n_groups == 1
    assert len(camps.gain) == 1
    assert "no more were tried" in str(camps)
    assert len(camps.voters) == n_voters


def test_a_vote_each_is_one_camp() -> None:
    votes = pv.Votes.from_wins([0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 0, 2], voter=[*"abcdef"])
    camps = pv.find_groups(votes, rng=1)
    assert camps.n_groups == 1
    assert camps.n_votes.tolist() == [1] * 6


def test_ties_only_are_one_camp() -> None:
    votes = pv.Votes.from_labels([*"aabb"] * 5, [*"bccd"] * 5, ["tie"] * 20, voter=[*"vwxyz"] * 4)
    camps = pv.find_groups(votes, rng=1)
    assert camps.n_groups == 1
    assert np.isfinite(camps.log_likelihood).all()


def test_one_camp_at_most_is_one() -> None:
    camps = pv.find_groups(TWO_CAMPS.votes(0), max_groups=1, rng=1)
    assert camps.n_groups == 1
    assert camps.gain.tolist() == [0.0]


@pytest.mark.parametrize("ask", [pv.find_groups, pv.groups.map_voters], ids=["camps", "map"])
@pytest.mark.parametrize(
    ("votes", "message"),
    [
        (SMALL.counts(), "PairCounts"),
        ([("a", "b", "left")], "votes is a list"),
        (None, "votes is a NoneType"),
        (pv.Votes.from_wins(["a"], ["b"]), "do not say who voted"),
        (pv.Votes.from_wins(["a"], ["b"], voter=[None]), "do not say who voted"),
        (pv.Votes.from_wins([], [], voter=[]), "none of them is answered"),
        (pv.Votes.from_labels(["a"], ["b"], ["skip"], voter=["v"]), "none of them is answered"),
        (pv.Votes.from_codes([0], [1], [2], n_items=501, voter=["v"]), "501 items"),
    ],
)
def test_votes_that_have_no_camps_are_refused(ask: object, votes: object, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        ask(votes)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_groups": 0}, "max_groups is 0; it is a whole number from 1 to 10"),
        ({"max_groups": 11}, "max_groups is 11"),
        ({"max_groups": 2.5}, r"max_groups is 2\.5"),
        ({"max_groups": "two"}, "max_groups is 'two'"),
        ({"position": 1}, "position is 1"),
        ({"criterion": "useful"}, "there is no criterion 'useful'"),
        ({"rng": "seed"}, "rng is 'seed'"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.find_groups(SMALL, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [0, -1, 1.5, "all"])
def test_a_number_of_questions_is_whole(n: object) -> None:
    with pytest.raises(pv.InputError, match="n is"):
        FOUND.questions(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("voter", ["nobody", [1], 30])
def test_a_voter_who_is_not_there_is_refused(voter: object) -> None:
    for ask in (FOUND.group_of, lambda label: FOUND.questions(voter=label)):
        with pytest.raises(pv.InputError, match="there is no voter"):
            ask(voter)  # type: ignore[arg-type, operator]


def test_a_map_is_shown_as_a_table() -> None:
    found = pv.groups.map_voters(pv.datasets.kalmar().simulated_votes(rng=2014))
    lines = str(found).splitlines()
    assert lines[0].startswith("Map of 30 voters and 23 items: the axes show ")
    furthest = found.items[int(np.square(found.item_places).sum(axis=1).argmax())]
    assert lines[2].startswith(furthest[:40])
    assert len(lines) == 10
    assert "<table>" in found._repr_html_()
    assert repr(found) == "OpinionMap(30 voters, 23 items)"
