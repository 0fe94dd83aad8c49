"""What a ranking says: order, uncertainty, chances, and the forms it takes."""

from __future__ import annotations

import copy
import math
import pickle
import re
from html.parser import HTMLParser
from statistics import NormalDist

import numpy as np
import outcome_models
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import samples

import pairvote as pv
from pairvote.ranking._uncertainty import Known

TIES = outcome_models.NAMES
NO_VOTES = pv.Votes.from_codes(np.empty(0, int), np.empty(0, int), np.empty(0, np.uint8), n_items=0)
TABLE = pv.Votes.from_labels(
    ["ash", "ash", "birch", "cedar", "ash", "birch", "cedar", "dogwood", "ash", "elm"],
    ["birch", "cedar", "cedar", "ash", "birch", "ash", "birch", "ash", "dogwood", "ash"],
    ["left", "left", "tie", "right", "skip", "tie", "left", "right", "left", "skip"],
)
FITTED = pv.bradley_terry(TABLE)


def ranking_of(scores, unit: pv.ranking.Unit = "log-odds", *, items=None, covariance=None, **fields) -> pv.Ranking:
    """A ranking of these scores that no votes led to."""
    items = tuple(range(len(scores))) if items is None else tuple(items)
    return pv.Ranking(
        items=items,
        scores=np.array(scores, float),
        unit=unit,
        method="by hand",
        _totals=np.ones((len(items), 4)),
        _first=np.zeros(len(items), np.int32),
        _uncertainty=None if covariance is None else Known(np.array(covariance, float)),
        **fields,
    )


def refusal(function, *arguments, error=pv.InputError, **options) -> str:
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    return str(caught.value)


# --- order ---

TOLERANCES = {"log-odds": 1e-8, "elo": 4e-6 / math.log(10)}


@pytest.mark.parametrize("unit", TOLERANCES)
@given(st.lists(st.one_of(st.floats(-5, 5), st.sampled_from([0.0, 1e-16, 5e-9, 2e-8, 1.0, 1.0 + 1e-9])), max_size=12))
def test_ranks_equal_the_reference(unit, scores) -> None:
    ranking = ranking_of(scores, unit)
    np.testing.assert_array_equal(ranking.ranks(), reference.ranks(scores, TOLERANCES[unit]).reshape(-1))


@given(st.lists(st.sampled_from([0.0, 0.5, 1 / 3, 1e6, 7.25]), max_size=12), st.sampled_from(["votes", "share"]))
def test_counts_are_level_only_if_equal_but_for_rounding(scores, unit) -> None:
    rounding = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], size=len(scores)) * 2.0**-52
    ranking = ranking_of(np.array(scores) * (1 + rounding), unit)
    np.testing.assert_array_equal(ranking.ranks(), reference.ranks(scores, 0.0).reshape(-1))


def test_one_vote_more_is_more() -> None:
    assert ranking_of([1e9, 1e9 + 1, 0.5, 0.0], "votes").ranks().tolist() == [2, 1, 3, 4]
    assert ranking_of([0.5, 0.5 + 1e-9], "share").ranks().tolist() == [2, 1]


def test_the_same_item_twice_is_level_with_itself() -> None:
    # Two items with mirrored votes differ in the last bits, by the order of summation.
    scores = [0.1 + 0.2, 0.3, 0.0, 1e-16]
    assert scores[0] != scores[1]
    ranking = ranking_of(scores, items=["ash", "birch", "cedar", "dogwood"])
    assert ranking.ranks().tolist() == [1, 1, 3, 3]
    assert ranking.order() == ["ash", "birch", "cedar", "dogwood"]
    votes = pv.Votes.from_labels(
        list("abcd"), list("cdab"), ["left", "left", "tie", "tie"], weight=[0.1, 0.1, 0.7, 0.7], items=list("abcd")
    )
    assert pv.bradley_terry(votes, prior_sd=0.7).ranks().tolist() == [1, 1, 3, 3]


def test_a_chain_of_near_level_scores_shares_one_rank() -> None:
    steps = np.arange(6) * 6e-9
    assert ranking_of(steps).ranks().tolist() == [1] * 6
    assert ranking_of([*steps, steps[-1] + 2e-8, -1.0]).ranks().tolist() == [2, 2, 2, 2, 2, 2, 1, 8]
    assert ranking_of(steps).order() == [0, 1, 2, 3, 4, 5]


def test_the_elo_scale_keeps_the_ranks() -> None:
    ranking = ranking_of([0.0, 9e-9, 1.7e-8, 1.0, 1.0 - 1.1e-8])
    np.testing.assert_array_equal(ranking.on_elo_scale().ranks(), ranking.ranks())


@given(samples(min_items=1))
def test_order_goes_by_rank_and_then_by_items(sample) -> None:
    ranking = pv.tally(sample.votes())
    ranks = ranking.ranks()
    assert ranking.order() == sorted(range(sample.n_items), key=lambda item: (ranks[item], item))
    voted = [item for item in ranking.order() if ranking.asked[item] > 0]
    for unvoted, order in ((True, ranking.order()), (False, voted)):
        assert ranking.top(sample.n_items, unvoted=unvoted) == order
        for k in range(1, sample.n_items + 1):
            assert ranking.top(k, ties="first", unvoted=unvoted) == order[:k]
            included = ranking.top(k, unvoted=unvoted)
            assert included[:k] == order[:k]
            assert set(included) == {item for item in order if k > len(order) or ranks[item] <= ranks[order[k - 1]]}
            if len(included) <= k:
                assert ranking.top(k, ties="raise", unvoted=unvoted) == included
            else:
                assert f"place {k} is shared by" in refusal(ranking.top, k, ties="raise", unvoted=unvoted)


def test_top_says_who_shares_the_place() -> None:
    ranking = ranking_of([3, 2, 2, 2, 1], "votes", items=["ash", "birch", "cedar", "dogwood", "elm"])
    assert ranking.top(2) == ranking.top(4) == ["ash", "birch", "cedar", "dogwood"]
    assert ranking.top(3, ties="first") == ["ash", "birch", "cedar"]
    assert ranking.top(4, ties="raise") == ["ash", "birch", "cedar", "dogwood"]
    message = refusal(ranking.top, 2, ties="raise")
    assert message.startswith("place 2 is shared by 'birch', 'cedar', 'dogwood'; pass ties='include' or 'first'")


@pytest.mark.parametrize("k", [0, -1, 6, 2.0, True, "2", None, math.nan])
def test_k_out_of_range_is_refused(k) -> None:
    ranking = pv.bradley_terry(TABLE)
    for ask, name in ((ranking.top, "k"), (ranking.top_k_probability, "top_k")):
        assert refusal(ask, k) == f"{name} is {k!r}; with 5 items it is a whole number from 1 to 5"
    assert ranking.top(np.int64(2)) == ranking.top(2)


@pytest.mark.parametrize("ties", ["drop", None, True])
def test_an_unknown_way_with_ties_is_refused(ties) -> None:
    assert refusal(FITTED.top, 1, ties=ties) == f"ties is {ties!r}; use 'include', 'raise' or 'first'"


def test_nothing_to_rank() -> None:
    ranking = pv.tally(NO_VOTES)
    assert (ranking.n_items, ranking.order(), ranking.ranks().tolist(), ranking.to_dict()) == (0, [], [], {})
    assert "from 1 to 0" in refusal(ranking.top, 1)
    assert str(ranking).split() == ["rank", "item", "score", "(votes)", "won", "tied", "asked"]
    assert repr(ranking) == "Ranking(0 items by 'tally' in votes)"
    fitted = pv.bradley_terry(NO_VOTES)
    assert fitted.covariance.shape == (0, 0)
    assert fitted.standard_errors.shape == fitted.confidence_interval().low.shape == (0,)
    assert fitted.probability_matrix().shape == (0, 0)
    assert fitted.to_frame("pandas").empty


# --- uncertainty ---

COVARIANCE = np.array([[2.0, -0.5, -1.5], [-0.5, 1.0, -0.5], [-1.5, -0.5, 2.0]])


def test_intervals_are_normal() -> None:
    ranking = ranking_of([1.0, 0.0, -1.0], covariance=COVARIANCE)
    np.testing.assert_array_equal(ranking.standard_errors, np.sqrt([2.0, 1.0, 2.0]))
    for level in (0.5, 0.9, 0.95, 0.99, np.float32(0.5)):
        reach = NormalDist().inv_cdf(0.5 + float(level) / 2) * ranking.standard_errors
        low, high = ranking.confidence_interval(level)
        np.testing.assert_allclose(low, ranking.scores - reach, rtol=1e-14)
        np.testing.assert_allclose(high, ranking.scores + reach, rtol=1e-14)
    # So near to 1 that half of what is beyond vanishes beside 1.
    edge = ranking.confidence_interval(1 - 2**-53)
    np.testing.assert_allclose(edge.high, ranking.scores + 8.292361075813595 * ranking.standard_errors, rtol=1e-12)
    assert ranking.confidence_interval().high[0] == pytest.approx(1.0 + 1.959964 * math.sqrt(2), abs=1e-6)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, math.nan, "0.95", None, True])
def test_level_out_of_range_is_refused(level) -> None:
    expected = f"level is {level!r}; it is a probability between 0 and 1, such as 0.95"
    difference = FITTED.difference("ash", "birch")
    for ask in (FITTED.confidence_interval, FITTED.to_columns, difference.confidence_interval):
        assert refusal(ask, level) == expected


@given(st.permutations([0, 1, 2]))
def test_differences_match_the_covariance(order) -> None:
    ranking = ranking_of([1.0, 0.5, -1.5], items=["ash", "birch", "cedar"], covariance=COVARIANCE)
    i, j, _ = order
    a, b = ranking.items[i], ranking.items[j]
    there, back = ranking.difference(a, b), ranking.difference(b, a)
    contrast = np.eye(3)[i] - np.eye(3)[j]
    assert there.estimate == -back.estimate == ranking.scores @ contrast
    assert there.standard_error == back.standard_error == pytest.approx(math.sqrt(contrast @ COVARIANCE @ contrast))
    low, high = there.confidence_interval(0.9)
    reach = NormalDist().inv_cdf(0.95) * there.standard_error
    assert (low, high) == (pytest.approx(there.estimate - reach), pytest.approx(there.estimate + reach))
    assert back.confidence_interval(0.9) == (pytest.approx(-high), pytest.approx(-low))


def test_an_item_differs_from_itself_by_nothing() -> None:
    difference = FITTED.difference("ash", "ash")
    assert (difference.estimate, difference.standard_error) == (0.0, 0.0)


def test_standard_errors_are_those_of_the_covariance() -> None:
    for ties in TIES:
        for kind in ("model", "sandwich"):
            ranking = pv.bradley_terry(TABLE, uncertainty=kind, **outcome_models.options(ties))
            np.testing.assert_allclose(ranking.standard_errors, np.sqrt(np.diag(ranking.covariance)), rtol=1e-9)


@pytest.mark.parametrize("method", ["tally", "win-rate", "elo"])
def test_where_there_is_no_uncertainty_it_says_who_has_some(method) -> None:
    ranking = pv.rank(TABLE, method)
    asks = (
        lambda: ranking.covariance,
        lambda: ranking.standard_errors,
        ranking.confidence_interval,
        lambda: ranking.difference("ash", "birch"),
        lambda: ranking.top_k_probability(1),
    )
    for ask in asks:
        message = refusal(ask, error=pv.MissingUncertaintyError)
        assert f"by '{method}'" in message
        assert "bradley_terry" in message
        assert "bootstrap" in message


# --- chances ---


@pytest.mark.parametrize("ties", outcome_models.WITH_TIES)
@pytest.mark.parametrize("position", [False, True])
def test_chances_are_the_models(ties, position) -> None:
    rng = np.random.default_rng(1)
    left = rng.integers(4, size=200)
    votes = pv.Votes.from_codes(left, (left + rng.integers(1, 4, size=200)) % 4, rng.choice([0, 1, 2, 2], size=200))
    ranking = pv.bradley_terry(votes, position=position, **outcome_models.options(ties))
    public = ranking.fit.tie_parameter
    tie = public if ties.startswith("probit") else math.log(public)
    for i in range(4):
        for j in range(4):
            d = ranking.scores[i] - ranking.scores[j] + ranking.fit.position_effect
            expected = [math.exp(reference.log_probability(o, ties, d, tie).real) for o in (2, 1, 0)]
            assert list(ranking.outcome_probabilities(i, j)) == pytest.approx(expected, rel=1e-12)
            here, there = ranking.outcome_probabilities(i, j), ranking.outcome_probabilities(j, i)
            half = (here.left + here.tie / 2 + there.right + there.tie / 2) / 2
            assert ranking.expected_score(i, j) == pytest.approx(half, abs=1e-15)
    if position:
        assert ranking.outcome_probabilities(0, 0).left > ranking.outcome_probabilities(0, 0).right
    else:
        assert there.left == pytest.approx(here.right)


@pytest.mark.parametrize("ties", TIES)
def test_probability_matrix_holds_every_expected_score(ties) -> None:
    ranking = pv.bradley_terry(TABLE, position=ties == "davidson", **outcome_models.options(ties))
    matrix = ranking.probability_matrix()
    for i, a in enumerate(ranking.items):
        for j, b in enumerate(ranking.items):
            assert matrix[i, j] == ranking.expected_score(a, b)
    np.testing.assert_allclose(matrix + matrix.T, 1.0, atol=1e-15)
    np.testing.assert_array_equal(np.diag(matrix), 0.5)


def test_chances_do_not_depend_on_the_scale() -> None:
    on_scale = FITTED.on_elo_scale()
    np.testing.assert_allclose(on_scale.probability_matrix(), FITTED.probability_matrix(), atol=1e-14)
    assert on_scale.outcome_probabilities("ash", "elm") == pytest.approx(FITTED.outcome_probabilities("ash", "elm"))
    lead = on_scale.scores[0] - on_scale.scores[1]
    plain = pv.bradley_terry(TABLE, ties="drop").on_elo_scale()
    lead = plain.scores[0] - plain.scores[1]
    assert plain.expected_score("ash", "birch") == pytest.approx(1 / (1 + 10 ** (-lead / 400)))


@pytest.mark.parametrize("method", ["tally", "win-rate"])
def test_counts_have_no_model_of_a_vote(method) -> None:
    ranking = pv.rank(TABLE, method)
    for ask in (lambda: ranking.expected_score("ash", "birch"), ranking.probability_matrix):
        assert f"a ranking by '{method}' has no model of a vote; score with elo or bradley_terry" in refusal(ask)


def test_chances_of_a_tie_need_a_model_of_ties() -> None:
    rankings = [pv.tally(TABLE), pv.elo(TABLE), *(pv.bradley_terry(TABLE, ties=ties) for ties in ("half", "drop"))]
    for ranking in rankings:
        message = refusal(ranking.outcome_probabilities, "ash", "birch")
        assert f"this ranking by {ranking.method!r} has no model of ties" in message
    decided = TABLE.where(TABLE.outcome != pv.Outcome.TIE)
    for ties in TIES:
        chances = pv.bradley_terry(decided, **outcome_models.options(ties)).outcome_probabilities("ash", "birch")
        assert chances.tie == 0.0
        assert chances.left + chances.right == pytest.approx(1.0)


@pytest.mark.parametrize("label", ["oak", 0, None, math.nan, ["ash"], ("ash",)])
def test_an_unknown_label_is_named(label) -> None:
    asks = (
        lambda: FITTED.difference(label, "ash"),
        lambda: FITTED.difference("ash", label),
        lambda: FITTED.expected_score("ash", label),
        lambda: FITTED.outcome_probabilities(label, "ash"),
    )
    for ask in asks:
        assert refusal(ask) == (
            f"{label!r} is not among the items ('ash', 'birch', 'cedar', 'dogwood', 'elm'); check its spelling"
        )


def test_of_many_items_only_the_first_are_listed() -> None:
    ranking = ranking_of(np.arange(7.0), covariance=np.eye(7))
    assert "(0, 1, 2, 3, 4, ...)" in refusal(ranking.difference, "x" * 500, 1)
    assert len(refusal(ranking.difference, "x" * 500, 1)) < 200


# --- the votes behind it ---


def test_a_ranking_knows_its_components() -> None:
    votes = pv.Votes.from_labels(
        list("abcdf"), list("badcg"), ["left", "tie", "left", "right", "skip"], items=list("abcdefg")
    )
    for ranking in (pv.tally(votes), pv.elo(votes), pv.bradley_terry(votes), pv.bradley_terry(votes.counts())):
        assert ranking.components.tolist() == [0, 0, 1, 1, 2, 3, 4]
        assert ranking.components.dtype == np.int32


# --- other scales and forms ---


def test_the_elo_scale() -> None:
    factor = 400 / math.log(10)
    on_scale = FITTED.on_elo_scale()
    assert (on_scale.unit, on_scale.method, on_scale.items) == ("elo", "bradley-terry", FITTED.items)
    np.testing.assert_allclose(on_scale.scores, FITTED.scores * factor + 1500, rtol=1e-15)
    np.testing.assert_allclose(on_scale.standard_errors, FITTED.standard_errors * factor, rtol=1e-14)
    np.testing.assert_allclose(on_scale.covariance, FITTED.covariance * factor**2, rtol=1e-14)
    assert on_scale.difference("ash", "elm").standard_error == pytest.approx(
        FITTED.difference("ash", "elm").standard_error * factor
    )
    assert FITTED.on_elo_scale(initial=0.0).scores.mean() == pytest.approx(0.0, abs=1e-11)
    assert on_scale.order() == FITTED.order()
    for name in ("won", "tied", "asked", "skipped", "components"):
        np.testing.assert_array_equal(getattr(on_scale, name), getattr(FITTED, name))
    for ranking in (pv.win_rate(TABLE), pv.tally(TABLE)):
        assert f"scores in {ranking.unit!r} have no place on Elo's scale" in refusal(ranking.on_elo_scale)


def test_to_dict_is_best_first() -> None:
    assert list(FITTED.to_dict()) == FITTED.order()
    assert list(FITTED.to_dict().values()) == sorted(FITTED.scores.tolist(), reverse=True)
    assert all(type(score) is float for score in FITTED.to_dict().values())


def test_to_columns_is_the_whole_table() -> None:
    columns = FITTED.to_columns()
    assert list(columns) == [
        "rank", "item", "score", "standard_error", "low", "high", "won", "tied", "asked", "skipped",
    ]  # fmt: skip
    # Nobody answered about elm, which comes last.
    labels = [label for label in FITTED.order() if label != "elm"] + ["elm"]
    order = [FITTED.items.index(label) for label in labels]
    low, high = FITTED.confidence_interval()
    expected = {
        "rank": FITTED.ranks(), "score": FITTED.scores, "standard_error": FITTED.standard_errors, "low": low,
        "high": high, "won": FITTED.won, "tied": FITTED.tied, "asked": FITTED.asked, "skipped": FITTED.skipped,
    }  # fmt: skip
    assert columns["item"] == labels
    for name, array in expected.items():
        assert columns[name] == array[order].tolist(), name
    narrow = FITTED.to_columns(level=0.5)
    assert narrow["low"][0] > columns["low"][0]
    assert list(pv.tally(TABLE).to_columns()) == ["rank", "item", "score", "won", "tied", "asked", "skipped"]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_to_frame(backend) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    for ranking in (FITTED, pv.elo(TABLE, n_shuffles=2, rng=0), pv.tally(TABLE)):
        frame = ranking.to_frame(backend, level=0.8)
        assert type(frame).__module__.split(".")[0] == backend
        columns = ranking.to_columns(0.8)
        names = frame.column_names if backend == "pyarrow" else list(frame.columns)
        assert names == list(columns)
        for name, values in columns.items():
            column = frame[name]
            assert (
                column.tolist()
                if backend == "pandas"
                else column.to_pylist()
                if backend == "pyarrow"
                else column.to_list()
            ) == values
    assert "backend is 'excel'; use 'pandas', 'polars' or 'pyarrow'" in refusal(FITTED.to_frame, "excel")


# --- tables for people ---


def cells_of(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def test_the_printed_table() -> None:
    assert str(pv.tally(TABLE)).splitlines() == [
        "rank  item     score (votes)  won  tied  asked",
        "   1  ash                5.5    5     1      6",
        "   2  cedar              1.5    1     1      4",
        "   3  birch              1.0    0     2      4",
        "   4  dogwood            0.0    0     0      2",
        "   -  elm                0.0    0     0      0",
        "1 item has no vote, and so no rank: elm",
    ]


@pytest.mark.parametrize("method", ["bradley-terry", "win-rate", "elo", "tally"])
def test_items_without_a_vote_are_not_ranked_among_the_others(method) -> None:
    votes = pv.Votes.from_wins(list("aaabb"), list("bbbcc"), items=["x", "a", "b", "c", "<y>", "z", "v"])
    ranking = pv.rank(votes, method=method)
    assert ranking.top(2) == ["a", "b"]
    assert ranking.top(5) == ["a", "b", "c"]
    assert sorted(ranking.top(7, unvoted=True)) == sorted(ranking.items)
    _, *rows = cells_of(str(ranking))
    assert [row[:2] for row in rows[:7]] == [
        ["1", "a"], ["2", "b"], ["3", "c"], ["-", "x"], ["-", "<y>"], ["-", "z"], ["-", "v"]
    ]  # fmt: skip
    notes = [note for (note,) in rows[7:]]
    assert notes[0] == "4 items have no vote, and so no rank: x, <y>, z, ..."
    assert len(notes) == 1 + (method == "bradley-terry")
    assert all(note.startswith("the prior was learned: spread ") for note in notes[1:])
    assert "<p>4 items have no vote, and so no rank: x, &lt;y&gt;, z, ...</p>" in ranking._repr_html_()
    assert ranking.to_columns()["item"] == ["a", "b", "c", "x", "<y>", "z", "v"]
    assert "unvoted is 1; it is True or False" in refusal(ranking.top, 2, unvoted=1)


def test_before_the_first_vote_nobody_is_best() -> None:
    ranking = pv.bradley_terry(pv.Votes.from_codes([], [], [], n_items=3))
    assert ranking.top(2) == []
    assert len(ranking.top(2, unvoted=True)) == 3
    assert ranking.scores.tolist() == pytest.approx([0.0] * 3, abs=1e-12)
    assert str(ranking).splitlines()[-2] == "no item has a vote yet"
    assert str(ranking).splitlines()[-1].startswith("the prior was learned: ")
    # A skip is no vote.
    skipped = pv.Votes.from_labels(["a", "c"], ["b", "a"], ["left", "skip"])
    assert pv.win_rate(skipped).top(3) == ["a", "b"]


def test_the_table_names_components_that_no_vote_joins() -> None:
    votes = pv.Votes.from_wins(list("abcddd"), list("cabeff"), items=["unseen", *"abcdef"])
    last = str(pv.tally(votes)).splitlines()[-2:]
    assert last[0] == "1 item has no vote, and so no rank: unseen"
    assert last[1] == "no vote joins the 2 components, so how they compare is not known: d and 2 more; a and 2 more"
    joined = pv.tally(votes + pv.Votes.from_wins(["a"], ["f"]))
    assert "component" not in str(joined)
    # Running ratings do not keep who met whom, and so say nothing of it.
    ratings = pv.EloRatings(list("abcd"))
    ratings.update(pv.Votes.from_wins(["a", "c"], ["b", "d"]))
    assert "component" not in str(ratings.ranking())


# --- a part of the items ---


@pytest.mark.parametrize("source", [FITTED, FITTED.on_elo_scale(), pv.bootstrap(TABLE, "tally", n_resamples=30, rng=0)])
def test_a_part_of_a_ranking_keeps_its_scores_and_its_differences(source) -> None:
    part = source.only(iter(["dogwood", "ash", "birch"]))
    codes = [3, 0, 1]
    assert part.items == ("dogwood", "ash", "birch")
    assert part.to_dict() == {label: score for label, score in source.to_dict().items() if label in part.items}
    assert part.ranks().tolist() == [3, 1, 2]
    np.testing.assert_array_equal(part.covariance, source.covariance[np.ix_(codes, codes)])
    np.testing.assert_array_equal(part.standard_errors, source.standard_errors[codes])
    for name in ("won", "tied", "asked", "skipped"):
        np.testing.assert_array_equal(getattr(part, name), getattr(source, name)[codes])
    ours, theirs = (which.difference("ash", "dogwood") for which in (part, source))
    assert (ours.estimate, ours.standard_error) == (theirs.estimate, pytest.approx(theirs.standard_error))
    low, high = part.rank_interval()
    assert ((low >= 1) & (low <= part.ranks()) & (part.ranks() <= high) & (high <= 3)).all()
    assert part.top_k_probability(3).tolist() == [1.0] * 3
    assert part.only(["ash"]).order() == ["ash"]
    assert source.only([]).order() == []


def test_a_part_keeps_chances_spreads_and_components() -> None:
    part = FITTED.only(["birch", "ash"])
    assert part.expected_score("ash", "birch") == FITTED.expected_score("ash", "birch")
    assert part.fit is FITTED.fit
    spread = pv.elo(TABLE, n_shuffles=3, rng=0)
    assert spread.only(["birch", "ash"]).order_spread.tolist() == spread.order_spread[[1, 0]].tolist()
    split = pv.tally(pv.Votes.from_wins(list("abcx"), list("bcay")))
    assert split.only(list("ycxa")).components.tolist() == [0, 1, 0, 1]
    # What is left out may be what joins the others.
    star = pv.tally(pv.Votes.from_wins(["a", "b"], ["hub", "hub"]))
    assert star.only(["b", "a"]).components.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("ash", "labels is 'ash'; pass a list of labels"),
        (3, "labels is 3; pass a list of labels"),
        (["ash", "birch", "ash"], "labels has 'ash' twice; pass each label once"),
        (["oak"], "'oak' is not among the items"),
        ([["ash"]], "['ash'] is not among the items"),
    ],
)
def test_a_part_of_what_is_not_there_is_refused(labels, message) -> None:
    assert refusal(FITTED.only, labels).startswith(message)


@pytest.mark.parametrize(
    "ranking", [FITTED, FITTED.on_elo_scale(), pv.elo(TABLE, n_shuffles=3, rng=0), pv.win_rate(TABLE), pv.elo(TABLE)]
)
def test_tables_are_aligned(ranking) -> None:
    lines = str(ranking).splitlines()
    notes = [lines.pop() for _ in range(1 + (ranking.fit is not None))][::-1]
    assert notes[0].endswith("elm")
    assert notes[1:] == list(() if ranking.fit is None else ranking.fit._notes)
    heading = lines[0]
    assert len(lines) == 1 + ranking.n_items
    assert len({len(line) for line in lines}) == 1
    starts = heading.index("item")
    for line, label in zip(lines[1:], ranking.to_columns()["item"], strict=True):
        assert line[starts:].startswith(label)
    # Numbers end where their heading ends.
    ends = [match.end() for match in re.finditer(r"\S+( \S+)*(?=  |$)", heading)]
    for line in lines[1:]:
        for end in ends[:1] + ends[2:]:
            assert line[end - 1] != " "
            assert line[end : end + 1] in ("", " ")


@pytest.mark.parametrize(
    ("smallest", "decimals"),
    [(0.35, 2), (0.099, 3), (1.2, 1), (9.99, 1), (12.0, 0), (1e5, 0), (0.00123, 4), (1e-30, 9)],
)
def test_digits_follow_the_smallest_standard_error(smallest, decimals) -> None:
    ranking = ranking_of([1.23456789, -1.23456789], covariance=np.diag([smallest**2, 1e12]))
    _, best, worst = cells_of(str(ranking))
    assert best[2] == f"{1.23456789:.{decimals}f}"
    low, high = ranking.confidence_interval()
    assert best[3] == f"{low[0]:.{decimals}f} to {high[0]:.{decimals}f}"
    assert worst[2] == f"{-1.23456789:.{decimals}f}"


def test_digits_without_standard_errors_suit_the_unit() -> None:
    shown = {unit: cells_of(str(ranking_of([2.3456789], unit)))[1][2] for unit in ("log-odds", "elo", "votes", "share")}
    assert shown == {"log-odds": "2.35", "elo": "2", "votes": "2.3", "share": "2.346"}
    assert cells_of(str(ranking_of([3.0], "votes")))[1][2] == "3"


def test_no_negative_zero() -> None:
    ranking = ranking_of([0.001, -0.001], covariance=np.eye(2))
    assert "-0.0 " not in str(ranking)
    assert [row[2] for row in cells_of(str(ranking))[1:]] == ["0.0", "0.0"]


def test_long_tables_are_cut() -> None:
    ranking = ranking_of(np.arange(1051.0), "votes")
    lines = str(ranking).splitlines()
    assert len(lines) == 52
    assert lines[-1] == "... and 1,001 more"
    assert lines[1].split()[:2] == ["1", "1050"]
    assert "<p>... and 1,001 more</p>" in ranking._repr_html_()
    assert ranking._repr_html_().count("<tr>") == 51


def test_labels_are_kept_on_their_line() -> None:
    wild = ["two\nlines", "tab\there", "bell\x07", "x" * 200, "ångström 漢字", "\ud800", "right\u2028there", "", " "]
    ranking = ranking_of(np.arange(len(wild), 0, -1.0), "votes", items=wild)
    text = str(ranking)
    assert len(text.splitlines()) == 1 + len(wild)
    assert text.isprintable() or set(text) - set("\n") <= {c for c in text if c.isprintable()}
    text.encode()
    assert "two\\nlines" in text
    assert "ångström 漢字" in text
    assert "x" * 79 + "…" in text
    assert "x" * 81 not in text


class Cells(HTMLParser):
    """The text of every cell, and the tags used."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.notes: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "p":
            self.notes.append("")

    def handle_data(self, data) -> None:
        if self.notes:
            self.notes[-1] += data
        elif self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_html_holds_the_same_table_and_escapes_it() -> None:
    labels = ["<script>alert(1)</script>", "a & b", '"quoted"', "plain", "</td>"]
    for source in (ranking_of([5, 4, 3, 2, 1], "votes", items=labels), FITTED.only(["birch", "ash"])):
        parsed = Cells()
        parsed.feed(source._repr_html_())
        notes = [note.strip() for note in parsed.notes]
        assert parsed.tags == {"table", "thead", "tbody", "tr", "th", "td", *(["p"] if notes else [])}
        heading, *rows = parsed.rows
        assert [row[1] for row in rows] == [str(label) for label in source.order()]
        assert [heading, *rows, *([note] for note in notes)] == cells_of(str(source))
        assert len(notes) == (source.fit is not None)


def test_repr_is_one_short_line() -> None:
    assert repr(FITTED) == "Ranking(5 items by 'bradley-terry' in log-odds, best 'ash')"
    long = ranking_of([1.0], items=["x" * 500])
    assert len(repr(long)) < 120
    assert "\n" not in repr(ranking_of([1.0], items=["a\nb"]))


# --- kept as it is ---


def test_arrays_are_read_only() -> None:
    ranking = pv.elo(TABLE, n_shuffles=2, rng=0)
    arrays = {"order_spread": ranking.order_spread}
    for name in ("scores", "standard_errors", "covariance", "won", "tied", "asked", "skipped", "components"):
        arrays[name] = getattr(FITTED, name)
    arrays |= {
        "ranks": FITTED.ranks(),
        "low": FITTED.confidence_interval().low,
        "high": FITTED.confidence_interval().high,
        "probability_matrix": FITTED.probability_matrix(),
        "top_k_probability": FITTED.top_k_probability(2, rng=0),
        "Elo scores": FITTED.on_elo_scale().scores,
        "Elo covariance": FITTED.on_elo_scale().covariance,
    }
    for name, array in arrays.items():
        assert not array.flags.writeable, name
        if array.size:
            with pytest.raises(ValueError, match="read-only"):
                array.flat[0] = 1
    with pytest.raises(AttributeError):
        FITTED.scores = np.zeros(5)
    with pytest.raises(AttributeError):
        FITTED.fit.n_iter = 3


@pytest.mark.parametrize("again", [lambda r: pickle.loads(pickle.dumps(r)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("asked_before", [False, True])
def test_copies_and_pickles_say_the_same(again, asked_before) -> None:
    rankings = [
        pv.bradley_terry(TABLE, position=True),
        pv.bradley_terry(TABLE.counts(), ties="half"),
        pv.bradley_terry(TABLE).on_elo_scale(),
        pv.bradley_terry(TABLE, link="probit").on_jod_scale(anchor="ash"),
        pv.bootstrap(pv.datasets.baseball(), n_resamples=20, rng=0),
    ]
    for ranking in rankings:
        if asked_before:
            str(ranking), ranking.covariance
        same = again(ranking)
        assert same.to_columns() == ranking.to_columns()
        assert str(same) == str(ranking)
        np.testing.assert_array_equal(same.covariance, ranking.covariance)
        assert repr(same.fit) == repr(ranking.fit)
        for name in ("scores", "standard_errors", "covariance", "won"):
            assert not getattr(same, name).flags.writeable, name
    plain = again(pv.elo(TABLE, n_shuffles=2, rng=0))
    assert not plain.order_spread.flags.writeable


def test_rankings_are_told_apart_by_identity() -> None:
    assert pv.bradley_terry(TABLE) != FITTED
    assert len({FITTED, pv.bradley_terry(TABLE)}) == 2
