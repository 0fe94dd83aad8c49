"""Groups that are known: each one's ranking, whether they agree, and where they do not, against slow versions."""

from __future__ import annotations

import math
import pickle
import re
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

import pairvote as pv
from pairvote import _kernels
from pairvote.groups._compare import _scores_of
from pairvote.groups._evidence import _dealt, _statistics, reassigned, score_test
from pairvote.groups._joint import _Groups, fit_jointly
from pairvote.groups._known import Grouped

# psychotree's nodes: Strobl, Wickelmaier and Zeileis (2011), "Accounting for individual differences in Bradley-Terry
# models by means of recursive partitioning", JEBS 36. Votes of the CEMS tree's nodes 3 and 4 as (left, right, left won,
# tied, right won), and the worths that psychotree prints for them (tests/Examples/psychotree-Ex.Rout.save).
SCHOOLS = ("London", "Paris", "Milano", "StGallen", "Barcelona", "Stockholm")
NODES = {
    3: [(4, 1, 3), (5, 0, 3), (3, 0, 4), (5, 2, 1), (5, 0, 3), (4, 1, 3), (2, 0, 6), (1, 1, 6), (3, 0, 5), (2, 0, 6),
        (8, 0, 0), (7, 1, 0), (8, 0, 0), (5, 0, 3), (8, 0, 0)],
    4: [(29, 5, 7), (20, 7, 14), (7, 3, 19), (32, 3, 6), (21, 5, 15), (32, 4, 5), (33, 4, 4), (18, 6, 17), (31, 6, 4),
        (17, 8, 16), (36, 3, 2), (29, 3, 9), (35, 5, 1), (17, 8, 16), (23, 9, 9)],
}  # fmt: skip
WORTHS = {
    3: [0.2083, 0.12682, 0.15936, 0.06905, 0.42506, 0.01135],
    4: [0.4315, 0.08630, 0.34017, 0.05205, 0.06060, 0.02939],
}
# The topmodel tree's node 3 and all 192 viewers, as (left won, right won), and the worths printed for the node.
MODELS = ("Barbara", "Anni", "Hana", "Fiona", "Mandy", "Anja")
YOUNG = [(19, 16), (12, 23), (11, 24), (20, 15), (22, 13), (28, 7), (25, 10), (22, 13), (26, 9), (20, 15), (27, 8),
         (27, 8), (33, 2), (24, 11), (22, 13)]  # fmt: skip
VIEWERS = [(121, 71), (98, 94), (75, 117), (101, 91), (81, 111), (113, 79), (130, 62), (114, 78), (130, 62), (131, 61),
           (123, 69), (112, 80), (130, 62), (119, 73), (92, 100)]  # fmt: skip
WORTHS_OF_YOUNG = [0.1889, 0.16993, 0.3851, 0.1142, 0.09232, 0.04958]
LOG_TIE_PARAMETERS = {3: -1.97585033468983, 4: -0.9664155176431}
PAIRS = [(left, right) for right in range(6) for left in range(right)]

SIM = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=0.7), repetitions=1, rng=2014)
VOTES = SIM.votes(0)
GROUPS = {voter: ("public", "business")[voter % 2] for voter in VOTES.voters}


def votes_of_nodes(*nodes: int) -> tuple[pv.Votes, list[int]]:
    """The votes of nodes, each by a voter of its own, and the node of each."""
    rows = [
        (left, right, outcome, node)
        for node in nodes
        for (left, right), (won, tied, lost) in zip(PAIRS, NODES[node], strict=True)
        for outcome in ["left"] * won + ["tie"] * tied + ["right"] * lost
    ]
    left, right, outcome, node = zip(*rows, strict=True)
    labels = [[SCHOOLS[code] for code in side] for side in (left, right)]
    return pv.Votes.from_labels(*labels, outcome, voter=range(len(rows)), items=SCHOOLS), list(node)


def small(
    rng: np.random.Generator, n_items: int = 5, n_voters: int = 12, each: int = 12, ties: float = 0.2
) -> pv.Votes:
    """Votes in which every pair comes up and no item wins or loses all, as good as surely."""
    n = n_voters * each
    left = rng.integers(n_items, size=n)
    right = (left + rng.integers(1, n_items, size=n)) % n_items
    outcome = np.where(rng.random(n) < ties, 1, 2 * rng.integers(2, size=n))
    return pv.Votes.from_codes(left, right, outcome, n_items=n_items, voter=np.repeat(np.arange(n_voters), each))


def test_the_published_nodes_come_back_by_maximum_likelihood() -> None:
    votes, node = votes_of_nodes(3, 4)
    found = pv.compare_groups(votes, node, prior_sd=math.inf)
    for name, ranking in found.rankings.items():
        worth = np.exp(ranking.scores)
        np.testing.assert_allclose(worth / worth.sum(), WORTHS[name], atol=6e-5)
        assert math.log(ranking.fit.tie_parameter) == pytest.approx(LOG_TIE_PARAMETERS[name], abs=2e-7)
    assert found.difference_sd == math.inf
    assert math.isnan(found.design_effect)


def test_the_published_node_comes_back_beside_all_other_viewers() -> None:
    rows = []
    for (left, right), node, whole in zip(PAIRS, YOUNG, VIEWERS, strict=True):
        for side, outcome in enumerate(("left", "right")):
            rows += [(left, right, outcome, "node 3")] * node[side]
            rows += [(left, right, outcome, "others")] * (whole[side] - node[side])
    left, right, outcome, group = zip(*rows, strict=True)
    labels = [[MODELS[code] for code in side] for side in (left, right)]
    votes = pv.Votes.from_labels(*labels, outcome, voter=range(len(rows)), items=MODELS)
    found = pv.compare_groups(votes, list(group), prior_sd=math.inf)
    worth = np.exp(found.rankings["node 3"].scores)
    np.testing.assert_allclose(worth / worth.sum(), WORTHS_OF_YOUNG, atol=6e-5)
    assert found.likelihood_ratio.degrees_of_freedom == 5
    assert found.p_value < 0.01


def test_the_likelihood_ratio_is_that_of_slow_fits() -> None:
    votes, node = votes_of_nodes(3, 4)

    def best(rows: pv.Votes) -> float:
        def against(parameters: np.ndarray) -> float:
            scores, log_nu = np.append(parameters[:-1], 0.0), parameters[-1]
            d = scores[rows.left] - scores[rows.right]
            terms = np.exp([-d / 2, np.full(len(d), log_nu), d / 2])
            return -float(np.log(terms[rows.outcome, np.arange(len(d))] / terms.sum(axis=0)).sum())

        return -float(minimize(against, np.zeros(6), method="BFGS", options={"gtol": 1e-7}).fun)

    apart = [best(votes.where(np.array(node) == name)) for name in (3, 4)]
    test = pv.compare_groups(votes, node).likelihood_ratio
    assert test.statistic == pytest.approx(2 * (sum(apart) - best(votes)), abs=1e-4)
    assert test.degrees_of_freedom == 6
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, 6), rel=1e-9)


def test_the_score_test_is_raos_with_voters_as_clusters() -> None:
    rng = np.random.default_rng(4)
    votes = small(rng, n_voters=40, ties=0.0)
    group = rng.integers(3, size=40)
    found = score_test(Grouped.of(votes, dict(enumerate(group.tolist())), None), "davidson", False)
    scores = pv.bradley_terry(votes, prior_sd=math.inf).scores
    # Each voter's gradient by all scores but the last, vote by vote.
    gradients = np.zeros((40, 4))
    for voter, left, right, outcome in zip(votes.voter, votes.left, votes.right, votes.outcome, strict=True):
        residual = (outcome == 2) - 1 / (1 + math.exp(scores[right] - scores[left]))
        for item, sign in ((left, 1), (right, -1)):
            if item < 4:
                gradients[voter, item] += sign * residual
    inverse = np.linalg.inv(gradients.T @ gradients)
    statistic = 0.0
    for name in range(3):
        total = gradients[group == name].sum(axis=0)
        statistic += 40 / (group == name).sum() * float(total @ inverse @ total)
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert found.degrees_of_freedom == 8


def test_few_voters_have_no_score_test_and_separated_votes_no_likelihood_ratio() -> None:
    votes = pv.Votes.from_wins([*"abcabcaa"], [*"bcabcabc"], voter=[*"uvwxuvwx"])
    groups = {"u": 1, "v": 1, "w": 2, "x": 2}
    found = pv.compare_groups(votes, groups)
    assert found.likelihood_ratio.problem is not None
    assert math.isnan(found.likelihood_ratio.p_value)
    assert FOUND.score_test.problem is None
    few = {voter: group for voter, group in GROUPS.items() if voter < 12}
    assert pv.compare_groups(VOTES, few).score_test.problem == "12 voters are too few for 22 parameters"


# --- reassignment ---


def test_reassignments_of_few_voters_are_right_on_average_over_all_of_them() -> None:
    # Of 3 + 3 voters there are 20 assignments: the p-value is the share of those that are as far apart.
    votes = small(np.random.default_rng(8), n_voters=6, each=10)
    grouped = Grouped.of(votes, {voter: voter // 3 for voter in range(6)}, None)
    gradients, sizes = _dealt(grouped, 1.0, "davidson", False)
    statistics = []
    for chosen in combinations(range(6), 3):
        inside = np.isin(np.arange(6), chosen)
        parts = [(gradients[side].sum(axis=0), sizes[side].sum()) for side in (inside, ~inside)]
        statistics.append(sum(float(total @ total) / part for total, part in parts))
    observed = _statistics(gradients, sizes, grouped.group_of[None], 2)[0]
    exact = np.mean(np.array(statistics) >= observed * (1 - 1e-9))
    p = pv.compare_groups(votes, {voter: voter // 3 for voter in range(6)}, prior_sd=1.0).p_value
    assert p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 9999))


@pytest.mark.slow
@pytest.mark.skipif(not _kernels.davidson.COMPILED, reason="takes a minute where kernels are interpreted")
@pytest.mark.parametrize("voters", [pv.VoterModel(), pv.VoterModel(taste_sd=0.7)], ids=["honest", "tastes"])
def test_the_level_of_five_percent_holds(voters) -> None:
    sim = pv.simulate(voters=voters, repetitions=300, sampler="uniform", rng=12)
    groups = {voter: voter % 2 for voter in range(30)}
    rng = np.random.default_rng(3)
    p = [reassigned(Grouped.of(sim.votes(r), groups, None), 1.0, "davidson", False, 199, rng)[0] for r in range(300)]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.09


def test_opposite_groups_are_found_and_told_apart() -> None:
    rng = np.random.default_rng(1)
    strengths = np.linspace(-2, 2, 8)
    left = rng.integers(8, size=800)
    right = (left + rng.integers(1, 8, size=800)) % 8
    voter = np.arange(800) % 20
    sign = np.where(voter < 10, 1.0, -1.0)
    won = rng.random(800) < 1 / (1 + np.exp(-sign * (strengths[left] - strengths[right])))
    votes = pv.Votes.from_codes(left, right, 2 * won, n_items=8, voter=voter)
    found = pv.compare_groups(votes, {v: "up" if v < 10 else "down" for v in range(20)})
    assert found.p_value == 1e-4
    assert set(found.divisive(2)) == {0, 7}
    assert {difference.item for difference in found.clear_differences()} >= {0, 1, 6, 7}
    assert found.shared_top(3) == []
    assert found.rankings["up"].top(2) == [7, 6]
    assert found.rankings["down"].top(2) == [0, 1]


# --- the joint fit ---


def test_the_joint_fit_is_the_maximum_of_the_slow_posterior() -> None:
    votes = small(np.random.default_rng(2))
    grouped = Grouped.of(votes, {voter: voter % 3 for voter in range(12)}, None)
    sigma, tau, effect = 0.9, 0.6, 1.3
    groups = _Groups.of(grouped, sigma, "davidson", False)
    found = groups.fitted(tau, effect, groups.model.start())

    def against(parameters: np.ndarray) -> float:
        scores, log_nu = parameters[:15].reshape(3, 5), parameters[15]
        d = scores[grouped.group, votes.left] - scores[grouped.group, votes.right]
        terms = np.exp([-d / 2, np.full(len(d), log_nu), d / 2])
        total = -float(np.log(terms[votes.outcome, np.arange(len(d))] / terms.sum(axis=0)).sum())
        # The weak prior of the tie parameter is centred at one tie in two votes of level items.
        total += 0.5 * ((log_nu - math.log(2.0)) / 3.0) ** 2
        covariance = sigma**2 * np.ones((3, 3)) + tau**2 * np.eye(3)
        inverse = np.linalg.inv(covariance)
        return total / effect + 0.5 * float(np.einsum("gi,gh,hi->", scores, inverse, scores))

    slow = minimize(against, np.zeros(16), method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(found.parameters, slow.x, atol=2e-5)
    # The evidence, up to what does not depend on tau: the maximum, and determinants of the prior and of the curvature.
    prior = sigma**2 * np.ones((3, 3)) + tau**2 * np.eye(3)
    evidence = -slow.fun - 0.5 * 5 * np.linalg.slogdet(prior)[1] - 0.5 * np.linalg.slogdet(found.information)[1]
    assert found.evidence == pytest.approx(evidence, abs=1e-3)
    steps = 1e-4 * np.eye(16)
    curvature = np.array(
        [
            [
                (against(slow.x + a + b) - against(slow.x + a - b) - against(slow.x - a + b) + against(slow.x - a - b))
                / 4e-8
                for b in steps
            ]
            for a in steps
        ]
    )
    np.testing.assert_allclose(found.information, curvature, atol=1e-3)


def test_a_group_without_votes_on_an_item_takes_its_score_from_the_others() -> None:
    votes = VOTES.where(~((VOTES.voter % 2 == 0) & ((VOTES.left == 3) | (VOTES.right == 3))))
    found = pv.compare_groups(votes, GROUPS)
    public = found.rankings["public"]
    errors = public.standard_errors
    assert errors[3] == errors.max()
    assert public.asked[3] == 0
    assert 3 not in public.top(23)
    assert found.rankings["business"].scores[3] * public.scores[3] > 0


def test_small_groups_are_drawn_in_more_than_large_ones() -> None:
    rng = np.random.default_rng(11)
    whole = small(rng, n_items=6, n_voters=40, each=20, ties=0.0)
    few = dict.fromkeys(range(2), "a") | dict.fromkeys(range(2, 40), "b")
    found = pv.compare_groups(whole, few, difference_sd=0.5)
    gaps = {name: np.abs(ranking.scores - found.overall.scores) for name, ranking in found.rankings.items()}
    raw = {difference.item: abs(difference.unshrunken) for difference in found.differences}
    drawn = {difference.item: abs(difference.estimate) for difference in found.differences}
    assert all(drawn[item] < raw[item] for item in raw)
    np.testing.assert_allclose(gaps["a"], gaps["b"], atol=1e-9)
    # What there is to be known of the small group is mostly what the large one says.
    large = pv.bradley_terry(whole.where(whole.voter >= 2), prior_sd=1.0).scores
    assert np.abs(found.rankings["b"].scores - large).max() < np.abs(found.rankings["a"].scores - large).max()


# --- laws ---


def described(found: pv.groups.GroupComparison) -> dict[object, tuple[float, ...]]:
    return {
        (difference.item, difference.group): (difference.estimate, difference.standard_error, difference.unshrunken)
        for difference in found.differences
    }


def assert_same(one, other, atol: float = 1e-6) -> None:
    assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
    assert one.likelihood_ratio.statistic == pytest.approx(other.likelihood_ratio.statistic, abs=1e-6)
    assert one.difference_sd == pytest.approx(other.difference_sd, rel=1e-5)
    found, expected = described(one), described(other)
    assert found.keys() == expected.keys()
    for key, numbers in expected.items():
        np.testing.assert_allclose(found[key], numbers, atol=atol)


FOUND = pv.compare_groups(VOTES, GROUPS)


def test_the_order_of_rows_does_not_matter() -> None:
    rows = np.random.default_rng(5).permutation(len(VOTES))
    turned = VOTES._take(rows)
    assert_same(pv.compare_groups(turned, GROUPS), FOUND)


def test_the_order_of_voters_and_their_names_do_not_matter() -> None:
    names = np.random.default_rng(6).permutation(1000)[:30]
    renamed = pv.Votes.from_codes(
        VOTES.left, VOTES.right, VOTES.outcome, n_items=23, voter=[int(names[v]) for v in VOTES.voter]
    )
    assert_same(pv.compare_groups(renamed, {int(names[v]): group for v, group in GROUPS.items()}), FOUND)


def test_swapping_sides_changes_nothing() -> None:
    swapped = pv.Votes.from_codes(VOTES.right, VOTES.left, 2 - VOTES.outcome.astype(int), n_items=23, voter=VOTES.voter)
    assert_same(pv.compare_groups(swapped, GROUPS), FOUND)


def test_one_group_a_vote_is_the_same_as_a_mapping() -> None:
    by_vote = [GROUPS[VOTES.voters[code]] for code in VOTES.voter]
    assert_same(pv.compare_groups(VOTES, by_vote), FOUND)
    frame = pytest.importorskip("pandas").Series(by_vote, dtype="category")
    assert_same(pv.compare_groups(VOTES, frame), FOUND)


def test_a_weight_of_two_is_two_votes() -> None:
    double = VOTES + VOTES
    weighed = VOTES._changed(weight=np.full(len(VOTES), 2.0))
    assert_same(pv.compare_groups(weighed, GROUPS), pv.compare_groups(double, GROUPS))


def test_votes_that_a_voter_casts_three_times_count_about_once() -> None:
    rng = np.random.default_rng(3)
    votes = small(rng, n_items=6, n_voters=40, each=12, ties=0.0)
    groups = {voter: voter % 2 for voter in range(40)}
    once, thrice = (pv.compare_groups(rows, groups, prior_sd=1.0) for rows in (votes, votes + votes + votes))
    assert once.design_effect == pytest.approx(1.0, abs=0.15)
    assert thrice.design_effect == pytest.approx(3.0 * once.design_effect, rel=0.15)
    assert thrice.p_value == pytest.approx(once.p_value, abs=0.15)
    assert thrice.likelihood_ratio.statistic == pytest.approx(3.0 * once.likelihood_ratio.statistic, rel=1e-6)
    errors = described(thrice)
    for key, (_, error, _) in described(once).items():
        assert errors[key][1] == pytest.approx(error, rel=0.25)


def test_the_same_seed_gives_the_same_answer_and_none_too() -> None:
    again = pv.compare_groups(VOTES, GROUPS)
    assert again.differences == FOUND.differences
    assert again.p_value == FOUND.p_value
    one, other = (pv.compare_groups(VOTES, GROUPS, rng=3) for _ in range(2))
    assert one.differences == other.differences


def test_all_rankings_are_on_one_scale() -> None:
    for ranking in [*FOUND.rankings.values(), FOUND.overall]:
        assert ranking.items == VOTES.items
        assert ranking.scores.mean() == pytest.approx(0.0, abs=1e-12)
    mean = np.mean([ranking.scores for ranking in FOUND.rankings.values()], axis=0)
    np.testing.assert_allclose(FOUND.overall.scores, mean, atol=1e-12)
    draws = FOUND._draws
    assert np.abs(draws.mean(axis=2)).max() < 1e-9
    for group, ranking in enumerate(FOUND.rankings.values()):
        np.testing.assert_allclose(draws[:, group].std(axis=0), ranking.standard_errors, rtol=0.12)


def test_intervals_hold_at_once_and_are_a_little_shorter_than_by_bonferroni() -> None:
    grouped = Grouped.of(VOTES, GROUPS, None)
    _, wide = fit_jointly(grouped, 1.0, None, "davidson", False, np.random.default_rng(0))
    scores = _scores_of(wide)
    # The quantile of the largest of 23 about independent ones: that of Sidak, and below that of Bonferroni.
    single, bonferroni = (NormalDist().inv_cdf(1 - 0.025 / n) for n in (1, 23))
    assert single + 0.5 < scores.reach(0.95) < bonferroni + 0.1
    off = np.abs((scores.draws[:, 0] - scores.draws[:, 1]) - (scores.scores[0] - scores.scores[1]))
    inside = (off <= scores.reach(0.95) * np.sqrt(scores.variances[0, 1])).all(axis=1)
    assert inside.mean() == pytest.approx(0.95, abs=1e-3)
    wider = {difference.item: difference for difference in pv.compare_groups(VOTES, GROUPS, level=0.999).differences}
    for difference in FOUND.differences:
        assert difference.low <= min(difference.estimate, difference.unshrunken)
        assert difference.high >= max(difference.estimate, difference.unshrunken)
        assert wider[difference.item].high > difference.high


def test_three_groups_have_three_pairs() -> None:
    groups = {voter: "abc"[voter % 3] for voter in VOTES.voters}
    found = pv.compare_groups(VOTES, groups)
    assert len(found.differences) == 3 * 23
    assert {(difference.group, difference.other) for difference in found.differences} == {
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    }
    assert found.likelihood_ratio.problem is not None or found.likelihood_ratio.degrees_of_freedom == 44
    assert "range" in str(found)


def test_shared_and_divisive_items_follow_from_the_scores() -> None:
    scores = np.array([ranking.scores for ranking in FOUND.rankings.values()])
    assert FOUND.divisive(3) == np.argsort(-np.abs(scores[0] - scores[1]))[:3].tolist()
    top = [set(np.argsort(-row)[:5].tolist()) for row in scores]
    assert set(FOUND.shared_top(5)) == top[0] & top[1]
    chances = FOUND.shared_top_probability(5)
    assert chances.sum() <= 5
    assert min(chances[item] for item in FOUND.shared_top(3)) > np.median(chances)
    np.testing.assert_array_equal(FOUND.shared_top_probability(23), 1.0)
    assert len(set(FOUND.shared(23))) == 23


def test_columns_and_text_say_the_same() -> None:
    columns = FOUND.to_columns()
    assert columns["item"] == FOUND.overall.order()
    assert columns["score by public"] == FOUND.rankings["public"].scores[columns["item"]].tolist()
    assert {len(column) for column in columns.values()} == {23}
    text = str(FOUND)
    assert "public: 15 voters, 300 votes; business: 15 voters, 300 votes" in text
    assert "the groups differ: p < 0.001 by 9,999 reassignments" in text
    for difference in FOUND.clear_differences():
        assert re.search(rf"they clearly differ on [^(]*\b{difference.item}\b", text)
    assert "<table>" in FOUND._repr_html_()
    assert repr(FOUND) == "GroupComparison(2 groups, 23 items, p = 0.0001)"


def test_graded_votes_ties_and_positions_are_compared() -> None:
    rng = np.random.default_rng(9)
    base = small(rng, n_items=6, n_voters=16, each=15)
    groups = {voter: voter % 2 for voter in range(16)}
    graded = pv.Votes.from_labels(base.left, base.right, rng.random(len(base)), voter=base.voter, outcomes="share")
    found = pv.compare_groups(graded, groups)
    assert found.likelihood_ratio.problem == "graded votes have no likelihood"
    assert 0.0 < found.design_effect < 1.0
    for ties in ("davidson", "rao-kupper", "half", "drop"):
        one = pv.compare_groups(base, groups, ties=ties, position=True)
        assert np.isfinite(one.rankings[0].standard_errors).all()
        assert 0.0 < one.p_value <= 1.0
    assert pv.compare_groups(base, groups, ties="half").likelihood_ratio.problem is not None


def test_one_criterion_is_chosen() -> None:
    other = VOTES._changed(outcome=(2 - VOTES.outcome).astype(np.uint8))
    labels = ["useful"] * len(VOTES) + ["new"] * len(VOTES)
    both = VOTES + other
    both = pv.Votes.from_codes(
        both.left, both.right, both.outcome, n_items=23, voter=[*VOTES.voter.tolist()] * 2, criterion=labels
    )
    assert_same(pv.compare_groups(both, GROUPS, criterion="useful"), FOUND)
    with pytest.raises(pv.InputError, match="several criteria"):
        pv.compare_groups(both, GROUPS)


# --- who is left out, and what is refused ---


def test_voters_without_a_group_are_left_out_and_counted() -> None:
    groups = {voter: group for voter, group in GROUPS.items() if voter > 3}
    found = pv.compare_groups(VOTES, groups | {2: None, "not here": "public"})
    assert found.n_left_out == 80
    assert found.n_voters == (13, 13)
    assert "80 votes of voters without a group left out" in str(found)
    kept = VOTES.where(VOTES.voter > 3)
    assert_same(found, pv.compare_groups(kept, groups))
    unknown = VOTES._changed(voter=np.where(VOTES.voter > 3, VOTES.voter, -1).astype(np.int32))
    assert_same(pv.compare_groups(unknown, GROUPS), found)


def test_a_poll_gives_its_groups() -> None:
    poll = pv.Poll(["ash", "birch", "cedar"], votes_each=3)
    for place, voter in enumerate(("anna", "bo", "cia", "dan")):
        for _ in range(3):
            poll.answer(voter, poll.ask(voter).id, "left")
        poll.set_group(voter, "public" if place < 2 else "business")
    found = pv.compare_groups(poll.votes(), poll.groups())
    assert found.groups == ("public", "business")
    assert found.n_votes == (6, 6)


REFUSED = {
    "counts": (lambda: (VOTES.counts(), GROUPS, {}), "votes is a PairCounts"),
    "no voters": (
        lambda: (pv.Votes.from_wins(["a", "b"], ["b", "a"]), ["x", "y"], {}),
        "do not say who voted",
    ),
    "two groups": (
        lambda: (VOTES, [*(GROUPS[v] for v in VOTES.voter[:-1]), "elsewhere"], {}),
        r"the voter \d+ is in the group '(public|business)', and at row 599 in 'elsewhere'",
    ),
    "one voter": (
        lambda: (VOTES, GROUPS | {4: "alone"}, {}),
        "the group 'alone' has answered votes by 1 voter,",
    ),
    "nobody": (lambda: (VOTES, GROUPS | {"x": "away", "y": "away"}, {}), "'away' has answered votes by 0 voters"),
    "one group": (lambda: (VOTES, dict.fromkeys(GROUPS, "all"), {}), "a comparison needs two"),
    "no group": (lambda: (VOTES, {}, {}), "none of the voters"),
    "strangers": (lambda: (VOTES, {"anna": "a", "bo": "b"}, {}), "none of the voters"),
    "short": (lambda: (VOTES, ["a", "b"], {}), "groups has 2 entries and there are 600 votes"),
    "text": (lambda: (VOTES, "public", {}), "groups is 'public'"),
    "number": (lambda: (VOTES, 3, {}), "groups is 3"),
    "list as group": (lambda: (VOTES, {voter: [] for voter in GROUPS}, {}), "not hashable"),
    "empty": (lambda: (VOTES.where(VOTES.voter < 0), GROUPS, {}), "none of them is answered"),
    "ties": (lambda: (VOTES, GROUPS, {"ties": "elo"}), "ties is 'elo'"),
    "prior": (lambda: (VOTES, GROUPS, {"prior_sd": -1.0}), "prior_sd is -1"),
    "spread": (lambda: (VOTES, GROUPS, {"difference_sd": 0.0}), "difference_sd is 0.0"),
    "word": (lambda: (VOTES, GROUPS, {"difference_sd": "wide"}), "difference_sd is 'wide'"),
    "both": (lambda: (VOTES, GROUPS, {"prior_sd": math.inf, "difference_sd": 1.0}), "fits each group by itself"),
    "level": (lambda: (VOTES, GROUPS, {"level": 1.0}), "level is 1.0"),
    "reassignments": (lambda: (VOTES, GROUPS, {"n_reassignments": 10}), "n_reassignments is 10"),
    "rng": (lambda: (VOTES, GROUPS, {"rng": "seed"}), "rng is 'seed'"),
    "position": (lambda: (VOTES, GROUPS, {"position": 2}), "position is 2"),
    "wide prior": (lambda: (VOTES, GROUPS, {"prior_sd": 1e300}), r"prior_sd is 1e\+300; it is from 0.001 to 1,000"),
    "alike": (lambda: (VOTES, {voter: (0, "0")[voter % 2] for voter in GROUPS}, {}), "0 and '0' print alike"),
    "all missing": (lambda: (VOTES, dict.fromkeys(GROUPS), {}), "every group is None or missing"),
    "turned round": (lambda: (VOTES, {"a": [0, 2], "b": [1, 3]}, {}), "not groups to their voters"),
    "weights": (
        lambda: (VOTES._changed(weight=np.full(len(VOTES), 1e16)), GROUPS, {}),
        "the information is singular",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused(case) -> None:
    make, words = REFUSED[case]
    votes, groups, options = make()
    with pytest.raises((pv.InputError, pv.ConvergenceError), match=words):
        pv.compare_groups(votes, groups, **options)


def test_the_remedies_work() -> None:
    votes = pv.Votes.from_wins([*"abcabca"], [*"bcabcab"])
    with pytest.raises(pv.InputError, match=r"voter=range\(n_votes\)"):
        pv.compare_groups(votes, [*"xxxyyyy"])
    named = pv.Votes.from_wins([*"abcabca"], [*"bcabcab"], voter=range(7))
    assert pv.compare_groups(named, [*"xxxyyyy"]).n_voters == (3, 4)
    groups = GROUPS | {4: "alone"}
    with pytest.raises(pv.InputError, match="leave the group out"):
        pv.compare_groups(VOTES, groups)
    del groups[4]
    assert pv.compare_groups(VOTES, groups).n_left_out == 20
    with pytest.raises(pv.NotIdentifiedError, match=r"by group 'y' alone .* use prior_sd='learned'"):
        pv.compare_groups(named, [*"xxxxxyy"], prior_sd=math.inf)
    assert np.isfinite(pv.compare_groups(named, [*"xxxxxyy"], prior_sd="learned").rankings["y"].scores).all()


def test_more_scores_than_can_be_fitted_at_once_are_refused() -> None:
    left = np.arange(1200) % 1199
    votes = pv.Votes.from_codes(left, left + 1, np.full(1200, 2), n_items=1200, voter=np.arange(1200) % 4)
    with pytest.raises(pv.InputError, match="2,400 scores"):
        pv.compare_groups(votes, {0: 1, 1: 1, 2: 2, 3: 2})


def test_results_are_read_only_and_can_be_sent_to_other_processes() -> None:
    again = pickle.loads(pickle.dumps(FOUND))
    assert again.differences == FOUND.differences
    assert not again._draws.flags.writeable
    with pytest.raises(AttributeError):
        FOUND.p_value = 0.5


@pytest.mark.parametrize("seed", range(12))
def test_any_votes_give_an_answer_or_an_error_that_says_what_to_do(seed) -> None:
    rng = np.random.default_rng(seed)
    n_items, n_votes = int(rng.integers(2, 6)), int(rng.integers(4, 60))
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    # Anything, ties alone, one side alone, or no ties.
    outcome = [rng.integers(4, size=n_votes), np.ones(n_votes), np.full(n_votes, 2), 2 * rng.integers(2, size=n_votes)]
    voter = [None if rng.random() < 0.1 else int(v) for v in rng.integers(8, size=n_votes)]
    weight = rng.choice([0.0, 1e-6, 0.5, 1.0, 3.0], n_votes) if seed % 3 == 0 else None
    votes = pv.Votes.from_codes(left, right, outcome[seed % 4].astype(int), n_items=n_items, voter=voter, weight=weight)
    groups = {v: None if v == 7 else v % (2 + seed % 2) for v in range(8)}
    for ties in ("davidson", "rao-kupper", "half", "drop"):
        for prior_sd in ("learned", 100.0, math.inf):
            # By maximum likelihood scores may not be there; with a prior they are, if there are groups at all.
            expected = pv.PairvoteError if prior_sd == math.inf else pv.InputError
            try:
                found = pv.compare_groups(
                    votes, groups, ties=ties, prior_sd=prior_sd, position=seed % 2 == 0, n_reassignments=99
                )
            except expected:
                continue
            for difference in found.differences:
                assert -math.inf < difference.low <= difference.estimate <= difference.high < math.inf
            assert 0.0 < found.p_value <= 1.0
            assert str(found)
