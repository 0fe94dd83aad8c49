"""Votes on several criteria, weighed into one ranking: the mean of the scores, and the errors of that mean."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote.cli._main import main
from pairvote.scoring._methods import SCORERS

CRITERIA = {"useful": 2, "new": 1}
OPTIONS = {
    "tally": {"ties": 0.25},
    "win-rate": {"prior": 2.0},
    "elo": {"k": 16.0},
    "glicko2": {"tau": 0.8},
    "pagerank": {"damping": 0.5},
    "bradley-terry": {"ties": "rao-kupper", "position": True, "uncertainty": "sandwich"},
    "luce": {"algorithm": "lsr", "prior": 0.5},
}


def voted_on(criteria, *, n_votes=240, n_items=5, seed=1):
    """Votes of 12 people on these criteria, item by item better in turn."""
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    return pv.Votes.from_codes(
        left,
        right,
        rng.choice([0, 0, 1, 2, 2, 2, 3], size=n_votes),
        items=["ash", "birch", "cedar", "dogwood", "elm"][:n_items],
        criterion=rng.choice(np.array(criteria), size=n_votes),
        voter=rng.integers(12, size=n_votes),
    )


VOTES = voted_on(["useful", "new", "cheap"])


@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize("criteria", [CRITERIA, {"cheap": 0.1, "new": 0.3, "useful": 0.2}, {"new": 5}])
def test_scores_are_the_weighted_mean_and_covariances_add_up(method, criteria) -> None:
    options = OPTIONS[method]
    ranking = pv.rank(VOTES, method, criteria=criteria, **options)
    alone = {label: pv.rank(VOTES.select(label), method, **options) for label in criteria}
    total = sum(criteria.values())
    expected = sum(weight / total * alone[label].scores for label, weight in criteria.items())
    np.testing.assert_allclose(ranking.scores, expected, rtol=1e-12, atol=1e-12)
    for one in alone.values():
        assert (ranking.unit, ranking.method, ranking.items) == (one.unit, one.method, one.items)
        assert (ranking._uncertainty is None) == (one._uncertainty is None)
    if ranking._uncertainty is not None:
        covariance = sum((weight / total) ** 2 * alone[label].covariance for label, weight in criteria.items())
        np.testing.assert_allclose(ranking.covariance, covariance, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(ranking.standard_errors, np.sqrt(np.diag(covariance)), rtol=1e-10)
    for name in ("won", "tied", "asked", "skipped"):
        np.testing.assert_array_equal(getattr(ranking, name), sum(getattr(one, name) for one in alone.values()))


@pytest.mark.parametrize("method", SCORERS)
def test_only_the_ratios_of_weights_matter(method) -> None:
    plain = pv.rank(VOTES, method, criteria={"useful": 2, "new": 1})
    for criteria in ({"new": 1.5, "useful": 3.0}, {"useful": 2e307, "new": 1e307}, {"useful": 2e-300, "new": 1e-300}):
        np.testing.assert_allclose(pv.rank(VOTES, method, criteria=criteria).scores, plain.scores, rtol=1e-12)


@given(st.permutations(range(240)))
def test_the_order_of_votes_on_other_criteria_is_irrelevant(order) -> None:
    plain = pv.elo(VOTES, criteria=CRITERIA)
    # Elo goes by the order within each criterion, so rows of different ones may be shuffled past each other.
    by_criterion = np.argsort(np.asarray(VOTES.criterion)[order], kind="stable")
    rows = np.array(order)[by_criterion]
    within = np.concatenate([np.sort(rows[VOTES.criterion[rows] == code]) for code in range(3)])
    np.testing.assert_array_equal(pv.elo(VOTES._take(within), criteria=CRITERIA).scores, plain.scores)


EVERY_OPTION: dict[str, dict[str, Any]] = {
    "tally": {"ties": 0.25},
    "win-rate": {"ties": 0.25, "prior": 3.0, "average": "opponents"},
    "elo": {"k": 20.0, "initial": 1000.0, "scale": 300.0, "base": 5.0, "n_shuffles": 3, "rng": "seven"}
    | {"half_life": 3.0},
    "glicko2": {"tau": 1.2, "initial": 1000.0, "deviation": 100.0, "volatility": 0.2, "period": "all"},
    "bradley-terry": {
        "ties": "cumulative",
        "link": "probit",
        "prior_sd": 1.0,
        "position": True,
        "uncertainty": "sandwich",
        "weights": "sampling",
        "start": [1.0],
        "tol": 0.1,
        "max_iter": 1,
        "reliability": "lapse",
        "item_covariates": [[1.0], [2.0], [0.0], [4.0], [3.0]],
        "known_scores": {"ash": 1.0, "elm": (2.0, 0.1)},
    },
    "pagerank": {"damping": 0.5, "ties": 0.25},
    "luce": {"algorithm": "lsr", "ties": "drop", "prior": 1.0, "prior_sd": 0.0},
}


def answer(votes: pv.Votes, method: str, **options: Any) -> Any:
    """Scores and standard errors, or what an error says."""
    try:
        ranking = pv.rank(votes, method, **options)
    except (pv.PairvoteError, TypeError) as error:
        return str(error).removeprefix("criterion 'useful': ")
    errors = None if ranking._uncertainty is None else ranking.standard_errors.round(9).tolist()
    return ranking.scores.round(9).tolist(), errors


@pytest.mark.parametrize(
    ("method", "option"), [(method, option) for method in EVERY_OPTION for option in EVERY_OPTION[method]]
)
def test_every_option_reaches_every_criterion(method, option) -> None:
    more = {"n_shuffles": {"n_shuffles": 3, "rng": 1}, "rng": {"rng": "seven", "n_shuffles": 3}}.get(option, {})
    options = {option: EVERY_OPTION[method][option], **more}
    alone = answer(VOTES, method, criterion="useful", **options)
    assert answer(VOTES, method, criteria={"useful": 1.0}, **options) == alone
    assert alone != answer(VOTES, method, criterion="useful")


def test_no_option_is_forgotten() -> None:
    # Covariates and a history go with votes on one criterion, and are refused with several. Clusters have tests of
    # their own.
    for name, scorer in SCORERS.items():
        assert set(scorer.options) - {"criterion", "criteria", "covariates", "clusters", "history"} == set(
            EVERY_OPTION[name]
        )


def test_spreads_over_orders_are_combined() -> None:
    ranking = pv.elo(VOTES, criteria=CRITERIA, n_shuffles=20, rng=3)
    rng = np.random.default_rng(3)
    useful, new = (pv.elo(VOTES, criterion=label, n_shuffles=20, rng=rng) for label in CRITERIA)
    np.testing.assert_allclose(ranking.order_spread, np.hypot(2 * useful.order_spread, new.order_spread) / 3)
    assert pv.elo(VOTES, criteria=CRITERIA).order_spread is None


def test_errors_are_those_of_independent_votes() -> None:
    rng = np.random.default_rng(2)
    strengths = {"useful": np.array([0.8, 0.0, -0.8]), "new": np.array([-0.3, 0.6, -0.3])}
    truth = (2 * strengths["useful"] + strengths["new"]) / 3
    n_votes, n_repetitions, covered = 200, 400, 0
    left, right = rng.integers(3, size=(2, n_votes))
    right = np.where(left == right, (left + 1) % 3, right)
    criterion = np.repeat(["useful", "new"], n_votes // 2)
    lead = np.array(
        [strengths[label][i] - strengths[label][j] for label, i, j in zip(criterion, left, right, strict=True)]
    )
    for _ in range(n_repetitions):
        won = rng.random(n_votes) < 1 / (1 + np.exp(-lead))
        votes = pv.Votes.from_codes(left, right, 2 * won, criterion=criterion)
        gap = pv.bradley_terry(votes, criteria=CRITERIA, prior_sd=math.inf).difference(0, 2)
        low, high = gap.confidence_interval()
        covered += int(low <= truth[0] - truth[2] <= high)
    assert abs(covered / n_repetitions - 0.95) < 4 * math.sqrt(0.95 * 0.05 / n_repetitions)


def test_the_bootstrap_by_voter_knows_that_voters_repeat_themselves() -> None:
    # Everybody says the same to both questions, so the second holds nothing that the first does not.
    rng = np.random.default_rng(4)
    picks = rng.choice(["left", "right"], size=80)
    votes = pv.Votes.from_labels(
        ["ash"] * 160,
        ["birch"] * 160,
        np.concatenate([picks, picks]),
        voter=np.tile(np.arange(80), 2),
        criterion=np.repeat(["useful", "new"], 80),
    )
    options = {"criteria": {"useful": 1, "new": 1}, "prior_sd": 3.0}
    model = pv.bradley_terry(votes, **options).standard_errors[0]
    ranking = pv.bootstrap(votes, "bradley-terry", by="voter", n_resamples=800, rng=5, **options)
    # A ratio of sqrt(2), whose bootstrap side is within five standard errors of a standard error.
    assert ranking.standard_errors[0] / model == pytest.approx(math.sqrt(2), rel=5 / math.sqrt(2 * 800))
    np.testing.assert_array_equal(ranking.scores, pv.bradley_terry(votes, **options).scores)


@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize("by", ["vote", "voter"])
def test_bootstrap_takes_criteria_with_any_scorer(method, by) -> None:
    ranking = pv.bootstrap(VOTES, method, by=by, criteria=CRITERIA, n_resamples=30, rng=6)
    np.testing.assert_array_equal(ranking.scores, pv.rank(VOTES, method, criteria=CRITERIA).scores)
    assert ranking.top_k_probability(2).sum() == pytest.approx(2)
    only = VOTES.where(VOTES.criterion != VOTES.criteria.index("cheap"))
    again = pv.bootstrap(only, method, by=by, criteria=CRITERIA, n_resamples=30, rng=6)
    np.testing.assert_array_equal(ranking.covariance, again.covariance)


# --- what such a ranking is not ---


@pytest.mark.parametrize("ranking", [pv.bradley_terry(VOTES, criteria=CRITERIA), pv.elo(VOTES, criteria=CRITERIA)])
def test_there_is_no_model_of_a_vote_on_a_mixture(ranking) -> None:
    assert ranking.fit is None
    for ask in (ranking.probability_matrix, lambda: ranking.expected_score("ash", "elm")):
        with pytest.raises(pv.InputError, match=r"has no model of a vote; .*several criteria, one of them"):
            ask()
    with pytest.raises(pv.InputError, match="no model of ties"):
        ranking.outcome_probabilities("ash", "elm")


def test_nor_is_there_on_elos_scale() -> None:
    ranking = pv.bradley_terry(VOTES, criteria=CRITERIA)
    on_scale = ranking.on_elo_scale()
    np.testing.assert_allclose(on_scale.standard_errors, ranking.standard_errors * 400 / math.log(10))
    with pytest.raises(pv.InputError, match="has no model of a vote"):
        on_scale.probability_matrix()


# --- what is refused ---


@pytest.mark.parametrize("method", SCORERS)
def test_several_criteria_are_not_mixed_without_saying_how(method) -> None:
    with pytest.raises(pv.InputError, match=r"choose one with criterion=; .* take several with criteria="):
        pv.rank(VOTES, method)


@pytest.mark.parametrize("method", SCORERS)
@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({}, "criteria is {}; pass the weight of each, such as {'useful': 2, 'new': 1}"),
        (["useful", "new"], "criteria is ['useful', 'new']; pass the weight of each"),
        ("useful", "criteria is 'useful'; pass the weight of each"),
        ({"useful": 1, "old": 1}, "there is no criterion 'old'; the criteria are"),
        ({None: 1}, "there is no criterion None; the criteria are"),
        ({"useful": 0}, "the weight of criterion 'useful' is 0; weights are finite numbers above 0"),
        ({"useful": 1, "new": -1.0}, "the weight of criterion 'new' is -1.0; weights are"),
        ({"useful": math.nan}, "the weight of criterion 'useful' is nan; weights are"),
        ({"useful": math.inf}, "the weight of criterion 'useful' is inf; weights are"),
        ({"useful": True}, "the weight of criterion 'useful' is True; weights are"),
        ({"useful": "2"}, "the weight of criterion 'useful' is '2'; weights are"),
        ({"useful": None}, "the weight of criterion 'useful' is None; weights are"),
    ],
)
def test_criteria_that_cannot_be_are_refused(method, criteria, message) -> None:
    with pytest.raises(pv.InputError, match=re.escape(message)):
        pv.rank(VOTES, method, criteria=criteria)


@pytest.mark.parametrize("method", SCORERS)
def test_criterion_and_criteria_together_are_refused(method) -> None:
    with pytest.raises(pv.InputError, match=r"criterion is 'new' and criteria is \{.*\}; pass one of them"):
        pv.rank(VOTES, method, criterion="new", criteria=CRITERIA)


@pytest.mark.parametrize("method", SCORERS)
def test_counts_do_not_say_what_was_asked(method) -> None:
    for votes in (VOTES.counts(criterion="new"), None):
        with pytest.raises(
            pv.InputError, match=f"votes is a {type(votes).__name__}; to score several criteria pass Votes"
        ):
            pv.rank(votes, method, criteria=CRITERIA)


def test_votes_without_criteria_have_none() -> None:
    with pytest.raises(pv.InputError, match="there is no criterion 'useful'; the criteria are none"):
        pv.tally(pv.Votes.from_wins(["a"], ["b"]), criteria=CRITERIA)


def test_the_criterion_that_cannot_be_scored_is_named() -> None:
    votes = pv.Votes.from_labels(list("aba"), list("bab"), ["left", "left", "left"], criterion=["x", "x", "y"])
    with pytest.raises(pv.NotIdentifiedError, match="criterion 'y': maximum-likelihood scores do not exist: 'a' is"):
        pv.bradley_terry(votes, criteria={"x": 1, "y": 1}, prior_sd=math.inf)
    with pytest.raises(pv.InputError, match="criterion 'x': ties is 2; it is what a tie counts"):
        pv.tally(votes, ties=2, criteria={"x": 1, "y": 1})


# --- on the command line ---


@pytest.fixture
def votes_file(tmp_path):
    path = tmp_path / "votes.csv"
    numbered = voted_on([1, 2, 3])
    rows = zip(*numbered.to_columns().values(), strict=True)
    head = ",".join(numbered.to_columns())
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


@pytest.mark.parametrize("method", SCORERS)
def test_the_command_line_takes_criteria(method, votes_file, capsys) -> None:
    assert main(["rank", votes_file, "--criteria", "1=2,3=0.5", "--method", method, "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    votes = pv.read_votes(votes_file)
    labels = {str(label): label for label in votes.criteria}
    ranking = pv.rank(votes, method, criteria={labels["1"]: 2, labels["3"]: 0.5})
    assert {row["item"]: row["score"] for row in report["ranking"]} == ranking.to_dict()
    assert report["n_votes"] == int(np.isin(votes.criterion, [votes.criteria.index(labels[c]) for c in "13"]).sum())
    assert [row["asked"] for row in report["ranking"]] == [
        ranking.asked[ranking.items.index(i)] for i in ranking.order()
    ]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "--criterion LABEL, --criteria LABEL=WEIGHT"),
        (["--criteria", "1"], "'1' is not LABEL=WEIGHT, each label once"),
        (["--criteria", "1=2,1=3"], "'1=3' is not LABEL=WEIGHT, each label once"),
        (["--criteria", "1=much"], "'much' is not a number"),
        (["--criteria", "1=0"], "is 0.0; weights are finite numbers above 0"),
        (["--criteria", "1=nan"], "is nan; weights are"),
        (["--criteria", "4=1"], "there is no criterion '4'"),
        (["--criteria", "1=1", "--criterion", "2"], "pass one of them"),
    ],
)
def test_the_command_line_refuses_in_one_line(argv, message, votes_file, capsys) -> None:
    assert main(["rank", votes_file, *argv]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert message in said.err
    assert len(said.err.splitlines()) == 1
