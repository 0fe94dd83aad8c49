"""Errors carry what programs read, wherever they go; nobody reads it out of their sentences."""

from __future__ import annotations

import ast
import copy
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import pairvote as pv
from pairvote import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, pv.PairvoteError)]
FIELDS = {"option": "outcomes", "value": 7, "where": "row 3", "remedy": "mend it"}


def same(one: pv.PairvoteError, other: pv.PairvoteError) -> bool:
    return (type(one), str(one), vars(one)) == (type(other), str(other), vars(other))


@pytest.mark.parametrize("kind", KINDS)
def test_fields_survive_copies_and_pickles(kind: type[pv.PairvoteError]) -> None:
    error = kind("outcome at row 3 is 7", **FIELDS)
    assert str(error) == "outcome at row 3 is 7; mend it"
    assert {name: getattr(error, name) for name in FIELDS} == FIELDS
    for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert same(again, error)
    placed = error.at("partition 2").at("a.csv")
    assert same(pickle.loads(pickle.dumps(placed)), placed)
    assert str(placed) == "a.csv: partition 2: outcome at row 3 is 7; mend it"
    assert vars(placed) == {**FIELDS, "where": "row 3 of partition 2 of a.csv"}
    assert isinstance(placed, kind)
    bare = kind("all is lost")
    assert (str(bare), bare.at("here").where, set(vars(bare).values())) == ("all is lost", "here", {None})


def misread() -> None:
    pv.Votes.from_labels(["ash"], ["birch"], ["won"])


def test_fields_come_back_from_another_process() -> None:
    with ProcessPoolExecutor(1) as pool, pytest.raises(pv.InputError, match="outcome at row 0 is 'won'") as raised:
        pool.submit(misread).result()
    assert (raised.value.option, raised.value.value, raised.value.where) == ("outcomes", "won", "row 0")


def test_a_value_that_cannot_be_sent_goes_as_text() -> None:
    error = pv.InputError("bad", value=lambda: 0, option="ties")
    again = pickle.loads(pickle.dumps(error))
    assert again.option == "ties"
    assert "lambda" in again.value


TWO = pv.Votes.from_wins(["ash"], ["birch"])
LEFT_WINS = pv.Votes.from_wins(["ash", "birch"], ["birch", "ash"])
CRITERIA = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left"] * 2, criterion=["new", "useful"])


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (lambda: pv.bradley_terry(TWO, prior_sd=math.inf), ("prior_sd", None, None)),
        (lambda: pv.bradley_terry(TWO, prior_sd=-1), ("prior_sd", -1, None)),
        (lambda: pv.bradley_terry(TWO, ties="draw"), ("ties", "draw", None)),
        (lambda: pv.bradley_terry(LEFT_WINS, position=True, prior_sd=math.inf), ("position", True, None)),
        (lambda: pv.bradley_terry(TWO, max_iter=1, tol=1e-15), ("max_iter", 1, None)),
        (lambda: pv.bradley_terry(TWO, uncertainty="by-voter"), ("voter", None, None)),
        (lambda: pv.tally(CRITERIA), ("criterion", None, None)),
        (lambda: pv.tally(CRITERIA, criterion="odd"), ("criterion", "odd", None)),
        (lambda: pv.tally(CRITERIA, criteria={"odd": 1}), ("criteria", "odd", None)),
        (lambda: pv.tally(CRITERIA, criteria={"new": -1}), ("criteria", -1, None)),
        (
            lambda: pv.bradley_terry(CRITERIA, criteria={"new": 1}, prior_sd=math.inf),
            ("prior_sd", None, "criterion 'new'"),
        ),
        (lambda: pv.rank(TWO, "borda"), ("method", "borda", None)),
        (lambda: pv.Votes.from_labels(["ash"], [None], ["left"]), (None, None, "row 0")),
        (lambda: pv.Votes.from_labels(["ash"], ["elm"], ["left"], items=["ash"]), ("items", "elm", "row 0")),
        (lambda: pv.Votes.from_labels(["ash"], ["elm"], ["left"], weight=[-1.0]), (None, -1.0, "row 0")),
        (lambda: pv.Votes.from_labels(["ash"], ["ash"], ["left"]), (None, "ash", "row 0")),
        (lambda: pv.read_votes("votes.doc"), (None, None, "votes.doc")),
        (lambda: pv.diagnostics.cut(TWO, top_k=3), ("top_k", 3, None)),
        (lambda: pv.how_many(votes_each=0), ("votes_each", 0, None)),
        (lambda: pv.bootstrap(TWO, n_jobs=0), ("n_jobs", 0, None)),
    ],
)
def test_fields_of_errors_that_are_raised(call: Callable[[], Any], fields: tuple[str | None, Any, str | None]) -> None:
    with pytest.raises(pv.PairvoteError) as raised:
        call()
    error = raised.value
    assert (error.option, error.value, error.where) == fields
    assert error.remedy
    assert str(error).endswith(error.remedy)


def test_a_scan_is_to_be_counted_first(tmp_path: Path) -> None:
    pv.write_votes(TWO, tmp_path / "votes.csv")
    scan = pv.scan_votes(tmp_path / "votes.csv")
    for scorer in (pv.bradley_terry, pv.tally, pv.win_rate):
        with pytest.raises(pv.InputError, match=r"votes is a VoteScan; .*pairvote\.count_pairs"):
            scorer(scan)  # type: ignore[arg-type]
        assert scorer(pv.count_pairs(scan)).items == ("ash", "birch")


READERS = {
    "partition",
    "rpartition",
    "split",
    "rsplit",
    "replace",
    "removeprefix",
    "removesuffix",
    "find",
    "startswith",
}


def test_nobody_reads_the_sentence_of_our_own_errors() -> None:
    """No `str(error).split(...)` and no `... in str(error)`, except where the error is another library's."""
    foreign = {
        "_parquet.py",
        "_parquet_batches.py",
        "frames.py",
        "_engine.py",
        "_partitions.py",
        "_excel.py",
        "_bytes.py",
        "_json_values.py",
        "sqlite.py",
        "sqlite_file.py",
    }
    for path in Path(pv.__file__).parent.rglob("*.py"):
        if path.name in foreign:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            asked = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
            if asked is not None and isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
                assert not is_sentence(asked), f"{path.name}:{node.lineno}"
            if isinstance(node, ast.Compare):
                assert not any(map(is_sentence, node.comparators)), f"{path.name}:{node.lineno}"


def is_sentence(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "str"
        and isinstance(node.args[0], ast.Name)
        and node.args[0].id in ("error", "failure", "found", "exception", "e")
    )
