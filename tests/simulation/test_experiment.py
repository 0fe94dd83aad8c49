"""Experiments: the same table for any number of jobs, after any interruption; paired streams make differences exact."""

from __future__ import annotations

import importlib
import json

import joblib
import numpy as np
import pytest

import pairvote as pv
from pairvote import VoterModel, _kernels
from pairvote.sampling import Balanced, Sampler, TopK, Uniform
from pairvote.simulation._records import Records

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


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_any_number_of_jobs_gives_the_same(table, backend) -> None:
    if backend == "loky":
        assert same(pv.experiment(**GRID, n_jobs=2), table)
        return
    small = {**GRID, "votes_each": 3}
    with joblib.parallel_config(backend=backend):
        found = pv.experiment(**small, n_jobs=2)
    assert same(found, pv.experiment(**small))


def test_an_interrupted_experiment_goes_on_to_the_same_table(table, tmp_path, monkeypatch) -> None:
    from pairvote.simulation import _records

    path = tmp_path / "experiment.jsonl"
    add, n_added = Records.add, []

    def interrupted(self, part, sums):
        add(self, part, sums)
        n_added.append(part)
        if len(n_added) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(_records.Records, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pv.experiment(**GRID, store=path)
    monkeypatch.undo()
    before = path.read_bytes()
    assert before.count(b"\n") == 7
    # A line that was being written when the machine stopped.
    path.write_bytes(before + before.splitlines()[0][:100])
    assert same(pv.experiment(**GRID, store=str(path)), table)
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == 16
    assert all(json.loads(line)["part"]["seed"] for line in after.splitlines())
    # Once more, nothing is left to do.
    monkeypatch.setattr(importlib.import_module("pairvote.simulation._experiment"), "_work", None)
    assert same(pv.experiment(**GRID, store=path, n_jobs=1), table)
    assert path.read_bytes() == after


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


def test_progress_is_shown(capsys) -> None:
    pv.experiment(**{**GRID, "votes_each": 3, "voters": None, "repetitions": 30}, progress=True)
    assert "2/2" in capsys.readouterr().err


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
        assert ratio({"sampler": "Swiss()"}, {"sampler": "Balanced()"}, samplers=["swiss", "balanced"]) < 1.0
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
