"""Simulations: the same votes as question by question, the same scores as one at a time, and the metrics by hand."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

import pairvote as pv
from pairvote import VoterModel, _kernels
from pairvote.sampling import Balanced, CatchUp, InformationGain, Sampler, Swiss, TopK, Uniform, question_by_question
from pairvote.simulation import Simulation, Table
from pairvote.simulation._asking import BLOCK, PAIRS, Workshop, draw
from pairvote.simulation._evaluation import scorer_of

FEW = 30 if _kernels.exposure.COMPILED else 4
EVERYTHING = VoterModel(
    tie_parameter=0.5,
    position=0.2,
    lapse=0.1,
    random_voters=0.2,
    taste_sd=0.3,
    clusters=2,
    self_promotion=1.0,
    skip=0.3,
)
SAMPLERS = [Uniform(), Balanced(), Swiss(), CatchUp(), InformationGain(), TopK(2), TopK(2, refit_every=3)]


class Backwards(Sampler):
    """A strategy of one's own: the last pair that the voter was shown least often."""

    def choose(self, stream, voter, uniforms):
        return stream.allowed_pairs(voter)[-1]


def workshop(**options) -> Workshop:
    known = {
        "n_items": 6,
        "n_voters": 5,
        "votes_each": 9,
        "strength_sd": 1.0,
        "strengths": None,
        "sampler": Balanced(),
        "voters": VoterModel(),
        "n_open": 0,
        "seed": 3,
    }
    return Workshop(**{**known, **options})


# --- asking ---


@pytest.mark.parametrize("n_open", [0, 3])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_whole_votes_are_those_of_the_stream(sampler, n_open) -> None:
    made = workshop(sampler=sampler, n_open=n_open)
    rng = np.random.default_rng(n_open)
    options = {"votes_each": 9, "n_open": n_open}
    fast = sampler.whole_vote(6, made.turns, **options)
    slow = question_by_question(sampler, 6, made.turns, **options)
    seen = set()
    for _ in range(4):
        noise = rng.logistic(size=made.n_votes)
        reach = rng.uniform(-1, 0.6, made.n_votes)
        draws = np.column_stack([rng.random((made.n_votes, 4)), noise + 0.2, noise - 0.2, reach])
        strengths = rng.normal(size=(5, 6))
        votes = fast(strengths, draws).copy()
        np.testing.assert_array_equal(votes, slow(strengths, draws))
        seen |= set(votes[:, 3].tolist())
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("sampler", [*SAMPLERS, Backwards()], ids=repr)
def test_a_block_begins_alike_however_much_of_it_is_drawn(sampler) -> None:
    made = workshop(sampler=sampler, voters=EVERYTHING)
    whole = draw(made, 2, 6)
    for array, part in zip(whole, draw(made, 2, 4), strict=True):
        np.testing.assert_array_equal(array[:4], part)
    assert (whole.left != whole.right).all()
    assert not np.array_equal(whole.left, draw(made, 3, 6).left)
    # However few numbers are held at a time, the votes are as many and their strengths the same.
    np.testing.assert_array_equal(draw(made, 2, 6, largest_chunk=1).strengths, whole.strengths)


def test_strategies_meet_the_same_items_and_voters() -> None:
    blocks = [draw(workshop(sampler=sampler), 0, 20) for sampler in (Uniform(), Swiss())]
    np.testing.assert_array_equal(blocks[0].strengths, blocks[1].strengths)
    assert not np.array_equal(blocks[0].left, blocks[1].left)
    # Where both ask the same, they get the same answer.
    same = (blocks[0].left == blocks[1].left) & (blocks[0].right == blocks[1].right)
    assert same.sum() > 20
    np.testing.assert_array_equal(blocks[0].outcome[same], blocks[1].outcome[same])


def test_pairs_do_not_follow_from_answers_under_uniform() -> None:
    one, other = (draw(workshop(sampler=Uniform(), voters=voters), 0, 10) for voters in (VoterModel(), EVERYTHING))
    np.testing.assert_array_equal(one.left, other.left)
    assert not np.array_equal(one.outcome, other.outcome)


def test_exposures_are_those_of_the_strategy() -> None:
    sim = pv.simulate(n_items=9, n_voters=6, votes_each=12, repetitions=8, rng=1, sampler="balanced")
    for r in range(8):
        votes = sim.votes(r)
        shown = np.bincount(np.concatenate([votes.left, votes.right]), minlength=9)
        assert np.ptp(shown) <= 2
        assert np.bincount(votes.voter).tolist() == [12] * 6
        pairs = np.sort(np.column_stack([votes.left, votes.right]), axis=1)
        assert len(np.unique(np.column_stack([votes.voter, pairs]), axis=0)) == 72
    wide = pv.simulate(n_items=9, n_voters=6, votes_each=12, repetitions=8, rng=1, sampler="uniform")
    tables = [each.evaluate("tally", top_k=2) for each in (sim, wide)]
    assert tables[0].mean("exposure_range") <= 2 < tables[1].mean("exposure_range")


# --- Simulation ---


def test_given_drawn_and_called_strengths() -> None:
    given = pv.simulate(n_items=3, strengths=[1.0, 0.0, -1.0], n_voters=2, votes_each=3, repetitions=30, rng=1)
    np.testing.assert_array_equal(given.strengths, np.tile([1.0, 0.0, -1.0], (30, 1)))
    drawn = pv.simulate(n_items=40, strength_sd=2.0, n_voters=1, votes_each=1, repetitions=60, rng=1)
    assert abs(drawn.strengths.std() - 2.0) < 0.1
    called = pv.simulate(
        n_items=4, strengths=lambda rng, size: rng.uniform(0, 5, size), n_voters=1, votes_each=1, repetitions=60, rng=1
    )
    assert called.strengths.shape == (60, 4)
    assert 0 <= called.strengths.min() < 1
    assert 4 < called.strengths.max() <= 5
    assert not called.strengths.flags.writeable
    with pytest.raises(pv.InputError, match=r"strengths\(rng, \(25, 4\)\) gave an array of shape \(4,\)"):
        pv.simulate(n_items=4, strengths=lambda rng, size: np.zeros(4), n_voters=1, votes_each=1, repetitions=2)


def test_the_same_seed_gives_the_same_votes() -> None:
    options = {"n_items": 5, "n_voters": 3, "votes_each": 4, "repetitions": 30}
    one, same, other = (pv.simulate(rng=rng, **options) for rng in (1, np.random.default_rng(1), 2))
    for r in (0, 24, 25, 29):
        assert one.votes(r).left.tolist() == same.votes(r).left.tolist()
        assert one.votes(r).outcome.tolist() == same.votes(r).outcome.tolist()
    assert any(one.votes(r).left.tolist() != other.votes(r).left.tolist() for r in range(30))
    assert pv.simulate(**{**options, "repetitions": 26}, rng=1).votes(25).left.tolist() == one.votes(25).left.tolist()


def test_votes_that_are_too_many_to_hold_are_drawn_again() -> None:
    options = {"n_items": 5, "n_voters": 3, "votes_each": 4, "repetitions": 60, "rng": 1}
    held = pv.simulate(**options)
    again = Simulation(workshop=held.workshop, repetitions=60, most_held=100)
    assert not again._held
    for r in (0, 31, 59):
        assert again.votes(r).left.tolist() == held.votes(r).left.tolist()
    np.testing.assert_array_equal(again.strengths, held.strengths)
    np.testing.assert_array_equal(again.scores("elo"), held.scores("elo"))
    assert str(again.evaluate(top_k=2)) == str(held.evaluate(top_k=2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_items": 1}, "n_items is 1; pass a whole number from 2"),
        ({"n_voters": 0}, "n_voters is 0"),
        ({"votes_each": 2.5}, "votes_each is 2.5"),
        ({"n_open": -1}, "n_open is -1"),
        ({"repetitions": 0}, "repetitions is 0"),
        ({"n_items": 2**25}, "there can be at most 16,777,216"),
        ({"n_voters": 10**6}, "more than 10,000,000 questions"),
        ({"strength_sd": -1.0}, "strength_sd is -1.0"),
        ({"strengths": [1.0, 2.0]}, r"strengths has shape \(2,\) and n_items is 23"),
        ({"strengths": [math.nan] * 23}, "pass one finite number"),
        ({"strengths": ["a"] * 23}, "strengths cannot be made an array"),
        ({"sampler": "topk"}, "sampler is 'topk'; use one of 'balanced', 'catch-up'"),
        ({"sampler": None}, "sampler is None"),
        ({"voters": 30}, "voters is 30; pass a VoterModel"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.simulate(**{"repetitions": 1, **options})


def test_a_repetition_that_is_not_there_is_refused() -> None:
    sim = pv.simulate(n_items=3, n_voters=1, votes_each=2, repetitions=2, rng=1)
    for r in (2, -1, 0.0):
        with pytest.raises(pv.InputError, match="the repetitions are 0 to 1"):
            sim.votes(r)


# --- scores ---

METHODS = [
    ("tally", {}),
    ("tally", {"ties": 0.2}),
    ("win-rate", {}),
    ("win-rate", {"prior": 0.5, "ties": 0.0}),
    ("elo", {}),
    ("elo", {"k": 10.0, "initial": 0.0, "scale": 100.0, "base": 2.0}),
    ("elo", {"n_shuffles": 3, "rng": 1}),
    ("bradley-terry", {}),
    ("bradley-terry", {"prior_sd": 0.7}),
    ("bradley-terry", {"prior_sd": 1e5}),
    ("bradley-terry", {"ties": "half"}),
    ("bradley-terry", {"ties": "drop", "uncertainty": "none"}),
    ("bradley-terry", {"ties": "rao-kupper"}),
    ("bradley-terry", {"position": True}),
    ("luce", {"algorithm": "lsr", "prior": 0.5}),
]


@pytest.mark.parametrize(("method", "options"), METHODS, ids=str)
@pytest.mark.parametrize("voters", [VoterModel(), EVERYTHING], ids=["plain", "everything"])
def test_batched_scores_are_those_of_the_scorers(method, options, voters) -> None:
    sim = pv.simulate(n_items=7, n_voters=6, votes_each=15, voters=voters, repetitions=FEW, rng=4, sampler="uniform")
    scores = sim.scores(method, **options)
    assert scores.shape == (FEW, 7)
    assert not scores.flags.writeable
    known = {"prior_sd": 3.0, **options} if method == "bradley-terry" else options
    for r in range(FEW):
        np.testing.assert_allclose(scores[r], pv.rank(sim.votes(r), method, **known).scores, rtol=0, atol=1e-9)


@pytest.mark.parametrize("ties", ["davidson", "half", "drop", "rao-kupper"])
def test_batched_intervals_are_those_of_the_scorers(ties) -> None:
    made = workshop(voters=EVERYTHING, votes_each=20)
    block = draw(made, 0, min(FEW, 25))
    low, high = scorer_of(made, {"method": "bradley-terry", "ties": ties}, block, 0.9)(block).ends
    for r in range(len(low)):
        expected = pv.bradley_terry(block.votes(r, made), ties=ties, prior_sd=3.0).confidence_interval(0.9)
        np.testing.assert_allclose([low[r], high[r]], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("options", [{"prior_sd": "learned"}, {"uncertainty": "by-voter"}], ids=str)
def test_intervals_of_fits_one_by_one_are_their_own(options) -> None:
    made = workshop(n_items=4, n_voters=3, votes_each=6)
    block = draw(made, 0, 2)
    found = scorer_of(made, {"method": "bradley-terry", **options}, block, 0.8)(block)
    for r in range(2):
        ranking = pv.bradley_terry(block.votes(r, made), **{"prior_sd": 3.0, **options})
        np.testing.assert_array_equal(found.scores[r], ranking.scores)
        np.testing.assert_array_equal(found.ends[:, r], ranking.confidence_interval(0.8))


def test_a_learned_prior_is_evaluated_beside_a_known_one() -> None:
    sim = pv.simulate(n_items=4, n_voters=2, votes_each=6, repetitions=3, rng=2)
    learned = {"method": "bradley-terry", "prior_sd": "learned"}
    table = sim.evaluate({"known": {"method": "bradley-terry"}, "learned": learned}, top_k=1, level=0.8)
    held = []
    for r, truth in enumerate(sim.strengths - sim.strengths.mean(axis=1, keepdims=True)):
        low, high = pv.bradley_terry(sim.votes(r)).confidence_interval(0.8)
        held.append(np.mean((low <= truth) & (truth <= high)))
    assert table.mean("coverage", method="learned") == pytest.approx(np.mean(held), abs=1e-12)
    assert table.mean("rmse", method="known") != table.mean("rmse", method="learned")
    assert str(sim.evaluate({"learned": learned}, top_k=1, level=0.8, n_jobs=2)) == str(
        sim.evaluate({"learned": learned}, top_k=1, level=0.8)
    )


def test_votes_that_determine_nothing_are_scored_or_refused_as_by_the_scorer() -> None:
    sim = pv.simulate(n_items=3, n_voters=1, votes_each=3, voters=VoterModel(tie_parameter=1e6), repetitions=3, rng=1)
    with pytest.raises(pv.NotIdentifiedError, match="all 3 votes are ties"):
        sim.scores("bradley-terry", prior_sd=math.inf)
    assert np.abs(sim.scores("bradley-terry")).max() < 1e-9
    assert np.abs(sim.scores("bradley-terry", ties="half")).max() == 0
    for options, message in (({"order": 1}, "no option 'order'"), ({"prior_sd": -1}, "prior_sd is -1")):
        with pytest.raises(pv.InputError, match=message):
            sim.scores("bradley-terry", **options)


# --- metrics ---


def naive_metrics(truth, scores, k, within) -> list[float]:
    """By all ways to break ties."""
    n = len(truth)

    def choices(values, eps):
        above = [i for i in range(n) if sum(values > values[i] + eps) + sum(np.abs(values - values[i]) <= eps) <= k]
        level = [i for i in range(n) if i not in above and sum(values > values[i] + eps) < k]
        return [set(above) | set(rest) for rest in combinations(level, k - len(above))]

    best, found = choices(truth, 0.0), choices(scores, within)
    shares = [np.mean([[i in chosen for i in range(n)] for chosen in sets], axis=0) for sets in (best, found)]
    rounded = np.round(scores / within) if within else scores
    level = len(set(rounded)) == 1
    return [
        float(np.mean([chosen in best for chosen in found])),
        float(np.minimum(*shares).sum() / k),
        float(np.mean([(sum(truth[list(best[0])]) - sum(truth[list(chosen)])) / k for chosen in found])),
        0.0 if level else kendalltau(truth, rounded).statistic,
        0.0 if level else spearmanr(truth, rounded).statistic,
    ]


@pytest.mark.parametrize("k", [1, 2, 4, 6])
@pytest.mark.parametrize("within", [0.0, 1e-6])
def test_metrics_are_those_by_hand(k, within) -> None:
    rng = np.random.default_rng(k)
    truth = np.round(rng.normal(size=(40, 6)), 1 if k == 4 else 9)
    scores = rng.integers(0, 4, size=(40, 6)) + (within / 8) * rng.random((40, 6))
    scores[0] = 1.0
    found = np.empty((40, 5))
    _kernels.batch.compare(truth, scores, k, within, np.zeros((4, 6), np.int32), found)
    for r in range(40):
        np.testing.assert_allclose(found[r], naive_metrics(truth[r], scores[r], k, within), rtol=1e-9, atol=1e-12)


def test_evaluate_is_the_mean_over_repetitions() -> None:
    sim = pv.simulate(n_items=6, n_voters=5, votes_each=8, voters=EVERYTHING, repetitions=FEW, rng=5, sampler="uniform")
    table = sim.evaluate(
        {"BT": {"method": "bradley-terry", "prior_sd": 1.0}, "elo": {"method": "elo"}}, top_k=2, level=0.8
    )
    found: dict[str, list[float]] = {name: [] for name in ("rmse", "coverage", "exact", "exposure_range", "elo")}
    for r, truth in enumerate(sim.strengths - sim.strengths.mean(axis=1, keepdims=True)):
        votes = sim.votes(r)
        ranking = pv.bradley_terry(votes, prior_sd=1.0)
        low, high = ranking.confidence_interval(0.8)
        found["rmse"].append(np.sqrt(np.mean((ranking.scores - truth) ** 2)))
        found["coverage"].append(np.mean((low <= truth) & (truth <= high)))
        found["exact"].append(set(ranking.top(2, ties="first")) == set(np.argsort(-truth)[:2].tolist()))
        found["exposure_range"].append(np.ptp(np.bincount(np.concatenate([votes.left, votes.right]), minlength=6)))
        found["elo"].append(np.sqrt(np.mean(((pv.elo(votes).scores - 1500) * math.log(10) / 400 - truth) ** 2)))
    for name, values in found.items():
        metric, method = ("rmse", "elo") if name == "elo" else (name, "BT")
        assert table.mean(metric, method=method) == pytest.approx(np.mean(values), abs=1e-9)
        assert table.error(metric, method=method) == pytest.approx(np.std(values, ddof=1) / math.sqrt(FEW), abs=1e-9)
    assert math.isnan(table.mean("coverage", method="elo"))


def test_intervals_cover_where_the_prior_is_the_truth() -> None:
    table = pv.simulate(repetitions=10 * FEW, rng=1).evaluate({"BT": {"method": "bradley-terry", "prior_sd": 1.0}})
    assert abs(table.mean("coverage") - 0.945) < 3.5 * table.error("coverage") + 0.002


# --- the table ---


@pytest.fixture(scope="module")
def table() -> Table:
    return pv.simulate(n_items=6, n_voters=5, votes_each=8, repetitions=60, rng=5).evaluate(top_k=2)


def test_a_table_prints_and_goes_to_frames(table) -> None:
    lines = str(table).splitlines()
    assert len(lines) == 4
    assert lines[0].split()[:3] == ["method", "exact", "overlap"]
    assert lines[1].split("  ")[0] == "tally"
    assert f"{table.mean('exact', method='elo'):.3f} ± {table.error('exact', method='elo'):.3f}" in lines[2]
    assert repr(table) == str(table)
    assert table._repr_html_().count("<tr>") == 4
    columns = table.to_columns()
    assert columns["coverage"][:2] == [None, None]
    assert columns["repetitions"] == [60, 60, 60]
    for backend in ("pandas", "polars", "pyarrow"):
        frame = table.to_frame(backend)
        assert len(frame) == len(table) == 3
        assert list(frame["exact"].to_pylist() if backend == "pyarrow" else frame["exact"]) == columns["exact"]


def test_a_paired_difference_is_that_of_the_blocks(table) -> None:
    gap = table.difference("overlap", {"method": "tally"}, {"method": "elo"})
    means = [table.mean("overlap", method=method) for method in ("tally", "elo")]
    assert gap.estimate == pytest.approx(means[0] - means[1])
    sizes = table.rows[0].sizes
    assert sizes.tolist() == [25, 25, 10]
    blocks = (table.rows[0].sums - table.rows[1].sums)[:, 1]
    expected = math.sqrt(np.sum((blocks - gap.estimate * sizes) ** 2) * 3 / 2) / 60
    assert gap.standard_error == pytest.approx(expected)
    assert table.difference("exact", {"method": "elo"}, {"method": "elo"}).standard_error == 0


def test_rows_and_metrics_that_are_not_there_are_refused(table) -> None:
    for call, message in (
        (lambda: table.mean("score", method="elo"), "metric is 'score'; use one of 'exact'"),
        (lambda: table.mean("exact", method="luce"), "method='luce' is that of 0 rows of 3"),
        (lambda: table.mean("exact"), "no setting is that of 3 rows of 3"),
        (lambda: table.mean("exact", scorer="elo"), "there is no column 'scorer'"),
    ):
        with pytest.raises(pv.InputError, match=message):
            call()
    short = pv.simulate(n_items=3, n_voters=2, votes_each=2, repetitions=9, rng=1)
    with pytest.raises(pv.InputError, match="more than one block"):
        short.evaluate(top_k=1).difference("exact", {"method": "elo"}, {"method": "tally"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": "borda"}, "method is 'borda'"),
        ({"methods": []}, "methods is empty"),
        ({"methods": [1]}, r"methods is \[1\]; pass names"),
        ({"methods": {"BT": "bradley-terry"}}, r"methods\['BT'\] is 'bradley-terry'; pass a mapping"),
        ({"top_k": 0}, "top_k is 0; pass a whole number from 1 to 3"),
        ({"top_k": 4}, "top_k is 4"),
        ({"level": 1.0}, "level is 1.0"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(options, message) -> None:
    sim = pv.simulate(n_items=3, n_voters=2, votes_each=2, repetitions=9, rng=1)
    with pytest.raises(pv.InputError, match=message):
        sim.evaluate(**{"top_k": 2, **options})
    with pytest.raises(pv.InputError, match="standard errors take two or more"):
        pv.simulate(n_items=3, n_voters=2, votes_each=2, repetitions=1, rng=1).evaluate(top_k=1)


def test_blocks_are_of_the_size_that_every_answer_depends_on() -> None:
    assert (BLOCK, PAIRS) == (25, 5)
