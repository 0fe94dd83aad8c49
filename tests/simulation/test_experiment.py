"""Experiments: the same table for any number of jobs, after any interruption; paired streams make differences exact."""

from __future__ import annotations

import json

import joblib
import numpy as np
import pytest

import pairvote as pv
from pairvote import VoterModel, _kernels
from pairvote.sampling import Balanced, Sampler, Swiss, TopK, Uniform

GRID = {
    "samplers": [Balanced(), "uniform"],
    "methods": ("tally", "bradley-terry"),
    "n_items": 5,
    "n_voters": 4,
    "votes_each": [3, 6],
    "voters": [VoterModel(), VoterModel(lapse=0.3)],
    "top_k": 2,
    "repetitions": 160,
    "rng": 8,
}
COMPILED = _kernels.exposure.COMPILED


class Unnamed(Sampler):
    __repr__ = object.__repr__

    def choose(self, stream, voter, uniforms):
        return stream.allowed_pairs(voter)[0]


def wide(rng, size):
    return rng.uniform(0, 5, size)


@pytest.fixture(scope="module")
def table() -> pv.simulation.Table:
    return pv.experiment(**GRID)


def same(one: pv.simulation.Table, other: pv.simulation.Table) -> bool:
    return all(
        dict(a.setting) == dict(b.setting)
        and np.array_equal(a.sums, b.sums, equal_nan=True)
        and np.array_equal(a.squares, b.squares, equal_nan=True)
        for a, b in zip(one.rows, other.rows, strict=True)
    )


def test_every_combination_is_that_of_a_simulation(table) -> None:
    assert len(table) == 16
    for sampler in GRID["samplers"]:
        for votes_each in (3, 6):
            for voters in GRID["voters"]:
                alone = pv.simulate(
                    n_items=5,
                    n_voters=4,
                    votes_each=votes_each,
                    sampler=sampler,
                    voters=voters,
                    repetitions=160,
                    rng=8,
                ).evaluate(GRID["methods"], top_k=2)
                where = {"sampler": Uniform() if sampler == "uniform" else sampler, "voters": voters}
                for method in GRID["methods"]:
                    row = table.row(**where, votes_each=votes_each, method=method)
                    assert row.n == 160
                    np.testing.assert_array_equal(row.sums, alone.row(method=method).sums)
    lines = str(table).splitlines()
    assert lines[0].split()[:5] == ["sampler", "voters", "votes_each", "method", "exact"]
    assert set(table.to_columns()["n_voters"]) == {4}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_any_number_of_jobs_gives_the_same(table, backend) -> None:
    if backend == "loky":
        assert same(pv.experiment(**GRID, n_jobs=2), table)
        return
    small = {**GRID, "votes_each": 3}
    with joblib.parallel_config(backend=backend):
        found = pv.experiment(**small, n_jobs=2)
    assert same(found, pv.experiment(**small))


def counted(rng, size):
    """Strengths, with a note of every block; the machine stops at the one that is said."""
    BLOCKS.append(size)
    if len(BLOCKS) == STOP_AT:
        raise KeyboardInterrupt
    return rng.normal(size=size)


BLOCKS: list[tuple[int, int]] = []
# Of seven blocks in two parts for each combination: in the second part of the fourth.
STOP_AT = 26


def test_an_interrupted_experiment_goes_on_to_the_same_table(tmp_path) -> None:
    path = tmp_path / "experiment.jsonl"
    BLOCKS.clear()
    with pytest.raises(KeyboardInterrupt):
        pv.experiment(**GRID, strengths=counted, store=path)
    before = path.read_bytes()
    assert before.count(b"\n") == 7
    # A line that was being written when the machine stopped.
    path.write_bytes(before + before.splitlines()[0][:100])
    table = pv.experiment(**GRID, strengths=counted, store=str(path))
    assert len(BLOCKS) == STOP_AT + 8 * 7 - (STOP_AT - 1)
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == 16
    assert all(json.loads(line)["part"]["seed"] for line in after.splitlines())
    # Once more, nothing is left to do.
    n_blocks = len(BLOCKS)
    assert same(pv.experiment(**GRID, strengths=counted, store=path, n_jobs=1), table)
    assert len(BLOCKS) == n_blocks
    assert path.read_bytes() == after
    assert same(pv.experiment(**GRID, strengths=counted), table)


def test_a_store_tells_what_was_done_from_what_was_not(tmp_path) -> None:
    path = tmp_path / "experiment.jsonl"
    small = {"methods": "elo", "n_items": 4, "n_voters": 2, "votes_each": 3, "top_k": 2, "repetitions": 100, "rng": 1}
    tables = []
    for change in (
        {},
        {"rng": 2},
        {"repetitions": 200},
        {"methods": {"elo": {"method": "elo", "k": 10.0}}},
        {"strengths": wide},
        {"strength_sd": 2.0},
        {"voters": VoterModel(position=1.0)},
        {"top_k": 1},
        {"level": 0.9},
    ):
        options = {**small, "samplers": "balanced", **change}
        tables.append(pv.experiment(**options, store=path))
        assert same(tables[-1], pv.experiment(**options))
    assert path.read_bytes().count(b"\n") == 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rng": None}, "store is given and rng is None"),
        ({"samplers": Unnamed()}, "sampler is <.*Unnamed.*which a store cannot tell from another"),
        ({"strengths": lambda rng, size: np.zeros(size)}, "strengths is .*<lambda>"),
        ({"methods": {"elo": {"method": "elo", "k": np.float32(3)}}}, "an option of methods is no JSON"),
    ],
)
def test_what_a_store_cannot_know_again_is_refused(options, message, tmp_path) -> None:
    known = {"n_items": 4, "n_voters": 2, "votes_each": 3, "top_k": 2, "repetitions": 50, "rng": 1, "methods": "elo"}
    with pytest.raises(pv.InputError, match=message):
        pv.experiment(**{**known, **options}, store=tmp_path / "experiment.jsonl")


def test_a_file_that_is_no_store_is_refused(tmp_path) -> None:
    known = {"n_items": 4, "n_voters": 2, "votes_each": 3, "top_k": 2, "repetitions": 50, "rng": 1, "methods": "elo"}
    path = tmp_path / "votes.csv"
    path.write_text("left,right\n", encoding="utf-8")
    with pytest.raises(pv.StorageError, match=r"line 1 of .*votes\.csv is no part of an experiment"):
        pv.experiment(**known, store=path)
    assert path.read_text(encoding="utf-8") == "left,right\n"
    with pytest.raises(pv.StorageError, match="cannot be"):
        pv.experiment(**known, store=tmp_path)
    with pytest.raises(pv.StorageError, match="cannot be written"):
        pv.experiment(**known, store=tmp_path / "nowhere" / "experiment.jsonl")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samplers": []}, "samplers is empty"),
        ({"voters": [30]}, "voters is 30"),
        ({"votes_each": [0]}, "votes_each is 0"),
        ({"top_k": [2, 9]}, "top_k is 9; pass a whole number from 1 to 5"),
        ({"repetitions": 1}, "standard errors take two or more"),
        ({"repetitions": 2.5}, "repetitions is 2.5"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"progress": 1}, "progress is 1"),
        ({"methods": "borda"}, "method is 'borda'"),
    ],
)
def test_options_out_of_range_are_refused(options, message) -> None:
    with pytest.raises(pv.InputError, match=message):
        pv.experiment(**{**GRID, **options})


@pytest.mark.parametrize("most_held", [0, 10**6], ids=["drawn again", "held"])
def test_an_evaluation_is_an_experiment_of_one_cell(most_held, capsys) -> None:
    size = {"n_items": 5, "n_voters": 4, "votes_each": 6}
    table = pv.experiment(samplers="swiss", **size, top_k=2, repetitions=160, rng=8)
    drawn = pv.simulate(sampler="swiss", **size, repetitions=160, rng=8)
    simulation = pv.simulation.Simulation(workshop=drawn.workshop, repetitions=160, most_held=most_held)
    for n_jobs in (1, 2):
        for progress in (False, True):
            found = simulation.evaluate(top_k=2, n_jobs=n_jobs, progress=progress)
            for row, alone in zip(table.rows, found.rows, strict=True):
                np.testing.assert_array_equal([row.sums, row.squares], [alone.sums, alone.squares])
                assert row.sizes.tolist() == alone.sizes.tolist()
                assert dict(alone.setting) == {"method": row.setting["method"]}
            assert ("2/2" in capsys.readouterr().err) == progress
    for options, message in (({"n_jobs": 0}, "n_jobs is 0"), ({"progress": 1}, "progress is 1")):
        with pytest.raises(pv.InputError, match=message):
            simulation.evaluate(**options, top_k=2)


def test_a_table_knows_its_settings_as_objects_and_prints_them(table) -> None:
    row = table.row(sampler="balanced", voters=VoterModel(lapse=0.3), votes_each=3, method="tally")
    assert row.setting["sampler"] == Balanced()
    assert table.row(sampler=Balanced(), voters=row.setting["voters"], votes_each=3, method="tally") is row
    assert set(table.to_columns()["sampler"]) == {"Balanced()", "Uniform()"}
    assert "VoterModel(lapse=0.3)" in str(table)
    with pytest.raises(pv.InputError, match=r"sampler is 'Balanced\(\)'; use one of 'balanced', "):
        table.row(sampler="Balanced()")


def test_progress_is_shown(capsys) -> None:
    pv.experiment(**{**GRID, "votes_each": 3, "voters": None, "repetitions": 30}, progress=True)
    assert "2/2" in capsys.readouterr().err


@pytest.mark.slow
def test_paired_streams_make_a_difference_more_exact() -> None:
    """By how much, from ten thousand repetitions, is written in docs/simulation.md."""
    options = {"repetitions": 1000 if COMPILED else 150, "rng": 1, "samplers": "balanced", "methods": "bradley-terry"}
    if not COMPILED:
        options |= {"n_items": 10, "n_voters": 6}

    def ratio(one, other, **changes) -> float:
        table = pv.experiment(**{**options, **changes})
        alone = np.hypot(table.error("kendall_tau", **one), table.error("kendall_tau", **other))
        return table.difference("kendall_tau", one, other).standard_error / alone

    methods = [{"method": name} for name in ("tally", "bradley-terry")]
    assert ratio(*methods, methods=("tally", "bradley-terry")) < 0.4
    voters = [VoterModel(), VoterModel(lapse=0.1)]
    assert ratio(*({"voters": model} for model in voters), voters=voters) < 0.75
    if COMPILED:
        # Of a few repetitions its own error would be larger than what it says.
        assert ratio({"sampler": Swiss()}, {"sampler": "balanced"}, samplers=["swiss", "balanced"]) < 1.0
    # And of another seed it is just as large as that of two means.
    one, other = (pv.experiment(**{**options, "rng": seed}).rows[0] for seed in (1, 2))
    apart = pv.simulation.Table(
        rows=tuple(
            type(row)(setting={"seed": seed}, sizes=row.sizes, sums=row.sums, squares=row.squares)
            for seed, row in ((1, one), (2, other))
        )
    )
    ratio = (
        apart.difference("kendall_tau", {"seed": 1}, {"seed": 2}).standard_error / np.hypot(one.errors, other.errors)[3]
    )
    assert 0.6 < ratio < 1.5


def test_the_topk_strategy_runs_in_a_grid() -> None:
    found = pv.experiment(
        samplers=[TopK(2), "information-gain"],
        methods="bradley-terry",
        n_items=6,
        n_voters=3,
        votes_each=5,
        top_k=2,
        repetitions=30,
        rng=1,
    )
    assert found.mean("exact", sampler=TopK(2)) > 0
