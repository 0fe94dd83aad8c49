"""Votes held out: against slow loops over single votes, by hand, and by law."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import norm
from strategies import FEWER, samples

import pairvote as pv

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)
TIED = pv.simulate(n_items=6, n_voters=8, votes_each=15, voters=pv.VoterModel(tie_parameter=0.8), rng=3).votes(0)
PLAIN = {"plain": {"prior_sd": 1.0}}


# --- by hand ---


def test_five_votes_on_two_items_by_hand() -> None:
    # Without one of three wins it is 2 : 2, and without one of two losses 3 : 1.
    votes = pv.Votes.from_wins(["a", "a", "a", "b", "b"], ["b", "b", "b", "a", "a"])
    found = pv.cross_validate(
        votes, {"ml": {"prior_sd": math.inf}, "still": {"method": "elo", "k": 1e-9}}, folds=5, rng=1
    )
    losses = [math.log(2)] * 3 + [math.log(4)] * 2
    assert found.log_loss.tolist() == pytest.approx([sum(losses) / 5, math.log(2)], abs=1e-7)
    assert found.brier.tolist() == pytest.approx([(3 * 0.5 + 2 * 2 * 0.75**2) / 5, 0.5], abs=1e-7)
    assert found.log_loss_errors.tolist() == pytest.approx([np.std(losses, ddof=1) / math.sqrt(5), 0.0], abs=1e-7)
    assert found.difference("ml", "still").estimate == pytest.approx(2 / 5 * math.log(2), abs=1e-7)
    assert (found.best, found.n_units, found.folds, found.counted) == ("still", 5, 5, "all")


def test_an_item_that_no_training_vote_is_about_has_even_chances() -> None:
    votes = pv.Votes.from_wins(["a", "c"], ["b", "d"])
    found = pv.cross_validate(votes, {"prior": {"prior_sd": 2.0}, "elo": "elo", "learned": {}}, folds=2, rng=1)
    assert found.log_loss.tolist() == pytest.approx([math.log(2)] * 3)
    with pytest.raises(pv.NotIdentifiedError, match=r"candidate 'ml', without part 1: .*prior_sd"):
        pv.cross_validate(votes, {"ml": {"prior_sd": math.inf}}, folds=2)


# --- against a slow loop ---


def slow_losses(rows, n_items, parts, **options) -> list[float]:
    """The log loss of each row, foretold by the reference's fit to the rows of other parts."""
    found = []
    for row, part in zip(rows, parts, strict=True):
        others = [other for other, its in zip(rows, parts, strict=True) if its != part]
        fit = reference.bradley_terry(others, n_items, **options)
        left, right, outcome, _ = row
        chances = reference.chances(fit["scores"], left, right, fit["tie"], fit["position"] or 0.0)
        found.append(-math.log(chances[outcome]) if chances[outcome] > 0 else math.inf)
    return found


@FEWER
@given(samples(min_items=2, max_items=4, min_votes=2, max_votes=10), st.booleans(), st.booleans())
def test_losses_are_those_of_a_loop_over_votes_or_voters(sample, position, by_voter) -> None:
    rows = [row for row in sample.rows if row[2] != reference.SKIP and row[3] > 0]
    voter = [number % 3 for number in range(len(sample.rows))]
    known = [who for row, who in zip(sample.rows, voter, strict=True) if row[2] != reference.SKIP and row[3] > 0]
    units = known if by_voter else list(range(len(rows)))
    assume(len(set(units)) > 1)
    # In as many parts as there are units each is foretold from all others, whatever chance does.
    losses = np.array(slow_losses(rows, sample.n_items, units, ties="davidson", prior_sd=0.8, position=position))
    found = pv.cross_validate(
        sample.votes(voter=voter),
        {"a": {"prior_sd": 0.8, "position": position}},
        by="voter" if by_voter else "vote",
        folds=len(rows),
        outcomes="all",
        rng=1,
    )
    weight = np.array([row[3] for row in rows])
    mean = sum(weight * losses) / sum(weight)
    assert found.log_loss[0] == pytest.approx(mean, abs=1e-6)
    assert found.n_votes == pytest.approx(weight.sum())
    if math.isfinite(mean):
        sums = [
            sum(w * (loss - mean) for w, loss, u in zip(weight, losses, units, strict=True) if u == unit)
            for unit in set(units)
        ]
        n = len(sums)
        error = math.sqrt(n / (n - 1) * sum(value**2 for value in sums)) / sum(weight)
        assert found.log_loss_errors[0] == pytest.approx(error, abs=1e-6)
    else:
        assert math.isnan(found.log_loss_errors[0])
        assert "infinite" in str(found)


def test_the_probit_link_foretells_by_the_normal_curve() -> None:
    # Glenn and David (1960): P(left) = Phi(d - tau), with the threshold tau.
    losses = []
    for number in range(8):
        others = TIED.where(TIED.voter != number)
        ranking = pv.bradley_terry(others, link="probit", prior_sd=1.0)
        held = TIED.where(TIED.voter == number)
        ahead, tau = ranking.scores[held.left] - ranking.scores[held.right], ranking.fit.tie_parameter
        chances = np.stack(
            [norm.cdf(-ahead - tau), norm.cdf(tau - ahead) - norm.cdf(-tau - ahead), norm.cdf(ahead - tau)]
        )
        losses += (-np.log(chances[held.outcome, np.arange(len(held))])).tolist()
    found = pv.cross_validate(TIED, {"probit": {"link": "probit", "prior_sd": 1.0}}, folds=8, by="voter", rng=1)
    assert found.log_loss[0] == pytest.approx(np.mean(losses), abs=1e-8)


def test_elo_is_trained_on_the_other_votes_in_their_order() -> None:
    votes = KALMAR.where(np.arange(len(KALMAR)) < 40)
    found = pv.cross_validate(votes, {"elo": {"method": "elo", "k": 20}}, folds=40, rng=1)
    losses = []
    for row in range(40):
        ratings = pv.elo(votes.where(np.arange(40) != row), k=20).scores
        ahead = (ratings[votes.left[row]] - ratings[votes.right[row]]) * math.log(10) / 400
        losses.append(math.log1p(math.exp(-ahead if votes.outcome[row] == 2 else ahead)))
    assert found.log_loss[0] == pytest.approx(np.mean(losses))


def test_glicko2_foretells_by_what_is_known_of_both_items() -> None:
    # Its chances are those of `expected_score`, which moves them towards a half where ratings are not well known.
    votes = KALMAR.where(np.arange(len(KALMAR)) < 40)
    found = pv.cross_validate(votes, ["glicko2"], folds=40, rng=1)
    losses = []
    for row in range(40):
        ranking = pv.glicko2(votes.where(np.arange(40) != row))
        chance = ranking.expected_score(votes.items[votes.left[row]], votes.items[votes.right[row]])
        losses.append(-math.log(chance if votes.outcome[row] == 2 else 1.0 - chance))
    assert found.log_loss[0] == pytest.approx(np.mean(losses))


# --- laws ---


def test_the_same_parts_whatever_the_order_of_rows_and_jobs() -> None:
    rng = np.random.default_rng(1)
    shuffled = TIED._take(rng.permutation(len(TIED)))
    for by in ("vote", "voter"):
        found = pv.cross_validate(TIED, PLAIN, by=by, folds=4, rng=7)
        for other, options in ((shuffled, {}), (TIED, {"n_jobs": 2} if by == "vote" else {})):
            again = pv.cross_validate(other, PLAIN, by=by, folds=4, rng=7, **options)
            np.testing.assert_allclose(again.log_loss, found.log_loss, rtol=1e-9)
            np.testing.assert_allclose(again.log_loss_errors, found.log_loss_errors, rtol=1e-9)
        other = pv.cross_validate(TIED, PLAIN, by=by, folds=4, rng=8)
        assert other.log_loss[0] != found.log_loss[0]


def test_a_vote_of_weight_two_is_two_votes_of_one_voter() -> None:
    weighed = TIED._changed(weight=np.full(len(TIED), 2.0))
    one, other = (pv.cross_validate(votes, PLAIN, by="voter", rng=7) for votes in (weighed, TIED + TIED))
    np.testing.assert_allclose(one.log_loss, other.log_loss, rtol=1e-7)
    np.testing.assert_allclose(one.log_loss_errors, other.log_loss_errors, rtol=1e-6)
    skips = TIED + pv.Votes.from_labels([TIED.items[0]], [TIED.items[1]], ["skip"], voter=[TIED.voters[0]])
    assert pv.cross_validate(skips, PLAIN, rng=7).log_loss == pv.cross_validate(TIED, PLAIN, rng=7).log_loss


def test_swapped_sides_change_nothing_where_each_voter_is_held_out() -> None:
    turned = pv.Votes.from_codes(
        TIED.right, TIED.left, 2 - TIED.outcome, items=TIED.items, voter=[TIED.voters[code] for code in TIED.voter]
    )
    candidates = {"sides": {"prior_sd": 1.0, "position": True}, "rk": {"prior_sd": 1.0, "ties": "rao-kupper"}}
    one, other = (pv.cross_validate(votes, candidates, by="voter", rng=7) for votes in (TIED, turned))
    np.testing.assert_allclose(one.log_loss, other.log_loss, rtol=1e-7)
    np.testing.assert_allclose(one.brier, other.brier, rtol=1e-7)


def test_differences_are_paired_and_turn_round() -> None:
    found = pv.cross_validate(KALMAR, by="voter", rng=1)
    one, other = found.difference("default", "level"), found.difference("level", "default")
    assert one.estimate == -other.estimate == pytest.approx(found.log_loss[0] - found.log_loss[-1])
    assert one.standard_error == other.standard_error
    assert one.degrees_of_freedom == 29
    brier = found.difference("default", "level", "brier")
    assert brier.estimate == pytest.approx(found.brier[0] - found.brier[-1])
    same = found.difference("elo", "elo")
    assert (same.estimate, same.standard_error) == (0.0, 0.0)


def test_covariates_go_with_their_votes() -> None:
    rng = np.random.default_rng(5)
    left = np.tile([0, 1, 2], 200)
    longer = rng.normal(size=600)
    wins = rng.random(600) < 1 / (1 + np.exp(-2.0 * longer))
    votes = pv.Votes.from_codes(left, (left + 1) % 3, np.where(wins, 2, 0))
    options = {"prior_sd": 1.0, "covariates": longer}
    found = pv.cross_validate(votes, {"with": options, "without": {"prior_sd": 1.0}}, rng=1)
    truth = np.where(wins, 1, -1) * 2.0 * longer
    assert found.log_loss[0] == pytest.approx(np.log1p(np.exp(-truth)).mean(), abs=0.02)
    assert found.difference("without", "with").confidence_interval().low > 0.1
    with pytest.raises(pv.InputError, match="covariates has shape"):
        pv.cross_validate(votes, {"short": {"covariates": longer[:-1]}})


def test_functions_are_candidates() -> None:
    found = pv.cross_validate(
        KALMAR,
        {"f": lambda votes: pv.bradley_terry(votes, prior_sd=1.0), "options": {"prior_sd": 1.0}, "luce": "luce"},
        by="voter",
        folds=3,
        rng=1,
    )
    assert found.log_loss[0] == pytest.approx(found.log_loss[1], abs=1e-9)
    assert math.isfinite(found.log_loss[2])


@pytest.mark.parametrize("form", [list, tuple])
def test_scorers_may_be_listed_by_name(form) -> None:
    names = ["luce", "bradley-terry", "elo"]
    found = pv.cross_validate(KALMAR, form(names), by="voter", rng=1)
    assert found.candidates == tuple(names)
    apart = pv.cross_validate(KALMAR, {name: {"method": name} for name in names}, by="voter", rng=1)
    assert found.log_loss.tolist() == apart.log_loss.tolist()


def test_a_scorer_listed_twice_is_refused_and_the_remedies_work() -> None:
    with pytest.raises(pv.InputError, match=r"candidates names 'elo' twice; leave one out, or pass a dict"):
        pv.cross_validate(KALMAR, ["elo", "elo"])
    assert pv.cross_validate(KALMAR, ["elo"], rng=1).candidates == ("elo",)
    both = pv.cross_validate(KALMAR, {"elo": "elo", "slow": {"method": "elo", "k": 8}}, rng=1)
    assert both.log_loss[0] != both.log_loss[1]


def test_clusters_are_held_out_whole() -> None:
    session = np.arange(len(KALMAR)) // 50
    found = pv.cross_validate(KALMAR, PLAIN, by=session, folds=99, rng=1)
    assert (found.by, found.n_units, found.folds) == ("cluster", 12, 12)
    assert "600 votes by 12 clusters" in str(found)
    by_voter = KALMAR._changed(voter=session.astype(np.int32), voters=tuple(range(12)))
    assert found.log_loss == pytest.approx(pv.cross_validate(by_voter, PLAIN, by="voter", folds=12).log_loss)


# --- ties and graded votes ---


def test_ties_are_foretold_where_all_candidates_give_them_a_chance() -> None:
    whole = pv.cross_validate(TIED, rng=1)
    assert whole.candidates == ("default", "rao-kupper", "probit", "position", "level")
    assert whole.counted == "all"
    assert whole.n_votes == len(TIED)
    decided = pv.cross_validate(TIED, {"default": {}, "elo": "elo"}, rng=1)
    assert decided.counted == "decided"
    assert decided.n_votes == int((TIED.outcome != 1).sum())
    assert f"{decided.n_votes:.0f} decided votes" in str(decided)
    forced = pv.cross_validate(TIED, {"default": {}, "elo": "elo"}, outcomes="all", rng=1)
    assert math.isinf(forced.log_loss[1])
    assert forced.best == "default"
    assert math.isfinite(forced.brier[1])


def test_graded_votes_share_their_loss() -> None:
    votes = pv.Votes.from_labels(["a"] * 6, ["b"] * 6, [0.9, 0.7, 0.6, 0.8, 0.3, 0.5], outcomes="share")
    found = pv.cross_validate(votes, {"still": {"method": "elo", "k": 1e-9}, "bt": {"prior_sd": 1.0}}, folds=6, rng=1)
    shares = np.array([0.9, 0.7, 0.6, 0.8, 0.3, 0.5])
    assert found.log_loss[0] == pytest.approx(math.log(2))
    assert found.brier[0] == pytest.approx(np.mean(2 * (shares - 0.5) ** 2))
    assert found.log_loss[1] != found.log_loss[0]
    with pytest.raises(pv.InputError, match=r"ties='cumulative' and votes are graded.*fit\.aic"):
        pv.cross_validate(votes, {"answers": {"ties": "cumulative"}})


# --- what it says ---


def test_the_table_is_best_first_and_columns_hold_it() -> None:
    found = pv.cross_validate(KALMAR, rng=1)
    columns = found.to_columns()
    assert columns["log_loss"] == sorted(columns["log_loss"])
    assert columns["candidate"][0] == found.best
    assert columns["difference"][0] == 0.0
    lines = str(found).splitlines()
    assert [line.split()[0] for line in lines[2:]] == columns["candidate"]
    assert len({len(line) for line in lines[1:]}) == 1
    assert "<table>" in found._repr_html_()
    assert found.to_frame("polars").shape == (5, 7)
    assert repr(found) == f"CrossValidation(5 candidates, best {found.best!r})"
    assert not found.log_loss.flags.writeable


@pytest.mark.parametrize(
    ("votes", "options", "match"),
    [
        (KALMAR.counts(), {}, "votes is a PairCounts"),
        ([1, 2], {}, "votes is a list"),
        (KALMAR, {"folds": 1}, "folds is 1"),
        (KALMAR, {"folds": 2.5}, "folds is 2.5"),
        (KALMAR, {"by": "judge"}, "by is 'judge'"),
        (KALMAR, {"by": [1, 2]}, "by has 2 entries"),
        (KALMAR, {"outcomes": "ties"}, "outcomes is 'ties'"),
        (KALMAR, {"outcomes": np.zeros(2)}, "outcomes is .*; use 'all' or 'decided'"),
        (KALMAR, {"n_jobs": 0}, "n_jobs is 0"),
        (KALMAR, {"rng": "x"}, "rng is 'x'"),
        (KALMAR, {"criterion": "new"}, "there is no criterion 'new'"),
        (KALMAR, {"candidates": {}}, "candidates is {}"),
        (KALMAR, {"candidates": []}, r"candidates is \[\].*or a list of scorers"),
        (KALMAR, {"candidates": "elo"}, r"candidates is 'elo'.*or a list of scorers"),
        (KALMAR, {"candidates": ["elo", {}]}, r"candidates is \['elo', \{\}\]"),
        (KALMAR, {"candidates": ["elo-9"]}, "method is 'elo-9'"),
        (KALMAR, {"candidates": {1: {}}}, "the name of a candidate is 1"),
        (KALMAR, {"candidates": {"a": 3}}, "candidate 'a' is 3"),
        (KALMAR, {"candidates": {"a": "glicko-9"}}, "method is 'glicko-9'"),
        (KALMAR, {"candidates": {"a": {"prior": 1}}}, "candidate 'a' has the option 'prior'"),
        (KALMAR, {"candidates": {"a": {"criteria": {"b": 1}}}}, "candidate 'a' has the option 'criteria'"),
        (KALMAR, {"candidates": {"a": {"prior_sd": -1}}}, "candidate 'a', without part 1: prior_sd is -1"),
        (KALMAR, {"candidates": {"a": "tally"}}, "'tally' has no model of a vote"),
        (KALMAR, {"candidates": {"a": "win-rate"}}, "'win-rate' has no model of a vote"),
        (KALMAR, {"candidates": {"a": lambda votes: 3}}, "candidate 'a' gave 3"),
        (pv.Votes.from_wins(["a"], ["b"]), {}, "give 1 vote to hold out"),
        (pv.Votes.from_labels([], [], []), {}, "give 0 votes to hold out"),
        (pv.Votes.from_labels(["a"] * 3, ["b"] * 3, ["skip"] * 3), {}, "give 0 votes to hold out"),
        (pv.Votes.from_wins(["a"] * 3, ["b"] * 3), {"by": "voter"}, "do not say who voted"),
        (pv.Votes.from_wins(["a"] * 3, ["b"] * 3, voter=["x", None, "x"]), {"by": "voter"}, "voters of 1 of 3"),
        (pv.Votes.from_wins(["a"] * 3, ["b"] * 3, voter=["x"] * 3), {"by": "voter"}, "give 1 voter to hold out"),
        (pv.Votes.from_labels(["a"] * 3, ["b"] * 3, ["tie"] * 3), {"outcomes": "decided"}, "no vote was won by either"),
    ],
)
def test_what_cannot_be_compared_is_refused(votes, options, match) -> None:
    with pytest.raises(pv.InputError, match=match):
        pv.cross_validate(votes, **options)


def test_one_criterion_of_several() -> None:
    criterion = np.where(np.arange(len(KALMAR)) % 2, "useful", "new")
    votes = pv.Votes.from_codes(KALMAR.left, KALMAR.right, KALMAR.outcome, items=KALMAR.items, criterion=criterion)
    longer = np.arange(len(KALMAR)) % 7 / 7
    candidates = {"plain": {"prior_sd": 1.0}, "longer": {"prior_sd": 1.0, "covariates": longer}}
    found = pv.cross_validate(votes, candidates, criterion="new", rng=1)
    alone = {**candidates, "longer": {"prior_sd": 1.0, "covariates": longer[criterion == "new"]}}
    assert found.log_loss == pytest.approx(pv.cross_validate(votes.select("new"), alone, rng=1).log_loss)
    with pytest.raises(pv.InputError, match="answer several criteria"):
        pv.cross_validate(votes, candidates)


def test_names_that_are_not_there_are_refused() -> None:
    found = pv.cross_validate(TIED, PLAIN, rng=1)
    with pytest.raises(pv.InputError, match="candidate is 'elo'"):
        found.difference("plain", "elo")
    with pytest.raises(pv.InputError, match="measure is 'auc'"):
        found.difference("plain", "plain", "auc")
