"""Votes in partitions: the same counts, scores and errors as of the whole, by Dask's own schedulers in this process."""

from __future__ import annotations

import itertools
import math
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
from dask import delayed

import pairvote as pv
from pairvote._common.frames import Frame
from pairvote._inference import LIMITS, OUTCOME_MODELS, fit
from pairvote._inference.plug_in import NormalVotes
from pairvote.distributed._api import DistributedCounts, bradley_terry, count_pairs
from pairvote.distributed._remote import RemoteSums

TIES = tuple(OUTCOME_MODELS)
N_ITEMS = 30
# Dask reads Parquet in words that pandas is about to give up.
DASKS_OWN = pytest.mark.filterwarnings("ignore:The inplace keyword")
OUTCOMES = np.array(["right", "tie", "left", "skip"])


@pytest.fixture(autouse=True)
def _in_this_thread() -> Iterator[None]:
    with dask.config.set(scheduler="synchronous"):
        yield


def frame_of_votes(n_votes: int = 1_000, *, weighted: bool = True, seed: int = 8) -> pd.DataFrame:
    """Votes with ties and skips, in which the last five items appear only in the last 150 rows."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=N_ITEMS)
    late = np.arange(n_votes) >= n_votes - 150
    n_known = np.where(late, N_ITEMS, N_ITEMS - 5)
    left = rng.integers(np.where(late, N_ITEMS - 5, 0), n_known)
    right = (left + rng.integers(1, n_known)) % n_known
    log_odds = strengths[left] - strengths[right] + 0.4
    outcome = np.where(rng.random(n_votes) < 1.0 / (1.0 + np.exp(-log_odds)), 2, 0)
    outcome[rng.random(n_votes) < 0.15] = 1
    outcome[rng.random(n_votes) < 0.05] = 3
    # One partition, of those made by `cut`, has only ties.
    outcome[200:300] = 1
    columns = {"left": [f"item {i}" for i in left], "right": [f"item {i}" for i in right], "outcome": OUTCOMES[outcome]}
    if weighted:
        columns["weight"] = rng.integers(0, 4, n_votes) / 2
    return pd.DataFrame(columns)


def cut(df: pd.DataFrame) -> list[pd.DataFrame]:
    """Partitions of several sizes, one of them empty and one of ties alone."""
    bounds = [0, 200, 300, 300, 310, 600, 800, len(df)]
    return [df.iloc[first:last] for first, last in itertools.pairwise(bounds)]


def in_parts(df: pd.DataFrame) -> list[Any]:
    return [delayed(part) for part in cut(df)]


def spread(df: pd.DataFrame, **options: Any) -> DistributedCounts:
    counts = count_pairs(in_parts(df), most_pairs=0, **options)
    assert isinstance(counts, DistributedCounts)
    return counts


def write_parts(df: pd.DataFrame, folder: Path) -> None:
    """Four Parquet files."""
    for number, rows in enumerate(np.array_split(np.arange(len(df)), 4)):
        df.iloc[rows].to_parquet(folder / f"part{number}.parquet", index=False)


def wins(pairs: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["left", "right", "outcome"])


def each_row(df: pd.DataFrame) -> list[Any]:
    """A partition for every row."""
    return [delayed(df.iloc[row : row + 1]) for row in range(len(df))]


def assert_same_counts(ours: pv.PairCounts, theirs: pv.PairCounts) -> None:
    assert ours.items == theirs.items
    np.testing.assert_array_equal(ours.start, theirs.start)
    np.testing.assert_array_equal(ours.right, theirs.right)
    # Weights here are halves, so that sums are exact in any order.
    np.testing.assert_array_equal(ours.table, theirs.table)
    np.testing.assert_array_equal(ours.skipped, theirs.skipped)


# --- counting ---


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "Votes", "dask", "categories", "synchronous pieces"])
def test_partitions_are_counted_as_the_whole(kind: str, weighted: bool) -> None:
    df = frame_of_votes(weighted=weighted)
    whole = pv.Votes.from_frame(df).counts()
    if kind == "dask":
        votes: Any = dd.from_pandas(df, npartitions=7, sort=False)
    elif kind == "categories":
        votes = dd.from_pandas(df, npartitions=4, sort=False).astype({"left": "category", "right": "category"})
    else:
        convert = {"polars": pl.from_pandas, "pyarrow": lambda part: pl.from_pandas(part).to_arrow()}
        convert["Votes"] = pv.Votes.from_frame
        votes = [delayed(convert.get(kind, lambda part: part))(part) for part in cut(df)]
    counts = count_pairs(votes)
    assert isinstance(counts, pv.PairCounts)
    assert_same_counts(counts, whole)
    scattered = count_pairs(votes, most_pairs=0)
    assert isinstance(scattered, DistributedCounts)
    assert scattered.items == whole.items
    assert scattered.total == whole.total
    np.testing.assert_array_equal(scattered.item_totals(), whole.item_totals())
    np.testing.assert_array_equal(scattered.components(), pv.tally(whole).components)
    assert_same_counts(scattered.gather(), whole)


@pytest.mark.parametrize("seed", range(5))
def test_any_cuts_give_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    df = frame_of_votes(int(rng.integers(400, 700)), seed=seed)
    bounds = np.sort(rng.integers(0, len(df), rng.integers(1, 30))).tolist()
    parts = [df.iloc[first:last] for first, last in zip([0, *bounds], [*bounds, len(df)], strict=True)]
    assert_same_counts(count_pairs([delayed(part) for part in parts]), pv.Votes.from_frame(df).counts())


def test_threads_count_the_same() -> None:
    df = frame_of_votes()
    with dask.config.set(scheduler="threads"):
        counts, scattered = count_pairs(in_parts(df)), count_pairs(in_parts(df), most_pairs=0)
        ranking = bradley_terry(scattered, prior_sd=3.0)
    assert_same_counts(counts, pv.Votes.from_frame(df).counts())
    np.testing.assert_allclose(ranking.scores, pv.bradley_terry(counts, prior_sd=3.0).scores, atol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_scans_of_files_are_counted_as_the_whole(tmp_path: Path, weighted: bool) -> None:
    df = frame_of_votes(weighted=weighted)
    paths = [
        tmp_path / f"part-{number}.{suffix}"
        for number, suffix in enumerate(["csv", "jsonl", "parquet", "csv", "parquet", "jsonl", "csv"])
    ]
    for path, part in zip(paths, cut(df), strict=True):
        pv.write_votes(pv.Votes.from_frame(part), path)
    whole = pv.Votes.from_frame(df).counts()
    scans = [delayed(pv.scan_votes)(path) for path in paths]
    assert_same_counts(count_pairs(scans), whole)
    assert_same_counts(count_pairs(scans, most_pairs=0).gather(), whole)
    items = ("nobody", *reversed(whole.items))
    assert count_pairs(scans, items=items).items == items
    with pytest.raises(pv.InputError, match=rf"partition \d: .* is not among the {whole.n_items - 1} items of items="):
        count_pairs(scans, items=whole.items[1:])
    paths[4].write_bytes(paths[4].read_bytes()[:-9])
    with pytest.raises(pv.InputError, match=rf"{paths[4].name} cannot be read as Parquet"):
        count_pairs(scans)


def test_scans_on_several_criteria_are_chosen_from(tmp_path: Path) -> None:
    for number, criterion in enumerate(["new", "useful"]):
        text = f"left,right,outcome,criterion\nash,birch,left,{criterion}\n"
        (tmp_path / f"{number}.csv").write_text(text)
    scans = [delayed(pv.scan_votes)(tmp_path / f"{number}.csv") for number in range(2)]
    assert count_pairs(scans, select="useful").total == 1
    for votes in (scans, [delayed(pv.scan_votes)(tmp_path)]):
        with pytest.raises(pv.InputError, match=r"several criteria \('new', 'useful'\); choose one with select="):
            count_pairs(votes)


@pytest.mark.parametrize("dtype", [object, float, "int64", "string"])
def test_an_empty_partition_may_have_any_dtype(dtype: Any) -> None:
    df = frame_of_votes()
    empty = pd.DataFrame({name: pd.Series([], dtype=dtype) for name in ("left", "right", "outcome", "weight")})
    votes = [delayed(empty), *in_parts(df), delayed(empty)]
    assert_same_counts(count_pairs(votes), pv.Votes.from_frame(df).counts())
    nothing = count_pairs([delayed(empty)] * 2, most_pairs=0)
    assert (nothing.n_items, nothing.n_pairs) == (0, 0)
    named = count_pairs([delayed(empty)] * 2, items=["ash", "birch"], most_pairs=0)
    assert named.item_totals().tolist() == [[0.0] * 4] * 2


def as_received(sent: Any) -> Any:
    """A copy by way of a message in which no number lies in line with the machine's words."""
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(sent, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(pickled, buffers=[memoryview(b"x" + buffer.raw().tobytes())[1:] for buffer in buffers])


def test_what_was_received_out_of_line_is_counted_and_added() -> None:
    votes = pv.Votes.from_frame(frame_of_votes())
    received, counts = as_received(votes), as_received(votes.counts())
    for array in (received.left, received.weight, counts.table, counts.start):
        assert array.flags.aligned
        assert not array.flags.writeable
    assert_same_counts(received.counts(), votes.counts())
    assert_same_counts(counts + counts, votes.counts() + votes.counts())
    np.testing.assert_array_equal(
        pv.bradley_terry(counts, prior_sd=3.0).scores, pv.bradley_terry(votes.counts(), prior_sd=3.0).scores
    )


def test_pairs_stay_only_where_they_may_be_too_many() -> None:
    df = frame_of_votes()
    whole = pv.Votes.from_frame(df).counts()
    held = spread(df).n_pairs
    assert held > whole.n_pairs
    assert held < N_ITEMS * (N_ITEMS - 1)
    assert isinstance(count_pairs(in_parts(df), most_pairs=held), pv.PairCounts)
    assert isinstance(count_pairs(in_parts(df), most_pairs=held - 1), DistributedCounts)
    # Copies hold more, but there cannot be more pairs than of so many items.
    assert isinstance(count_pairs(in_parts(df) * 2, most_pairs=N_ITEMS * (N_ITEMS - 1)), pv.PairCounts)


@DASKS_OWN
def test_only_the_columns_wanted_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def frame(native: pd.DataFrame) -> Frame:
        read.append(list(native.columns))
        return Frame(native)

    monkeypatch.setattr("pairvote.distributed._partitions.Frame", frame)
    df = frame_of_votes().rename(columns={"left": "a", "right": "b", "outcome": "won", "weight": "times"})
    df = df.replace({"won": {"left": "A", "right": "B"}}).assign(comment="long")
    write_parts(df, tmp_path)
    options = {"left": "a", "right": "b", "outcome": "won", "weight": "times"}
    outcomes = {"A": "left", "B": "right", "tie": "tie", "skip": "skip"}
    counts = count_pairs(dd.read_parquet(tmp_path), **options, outcomes=outcomes)
    assert_same_counts(counts, pv.Votes.from_frame(df, **options, outcomes=outcomes).counts())
    assert read == [["a", "b", "won", "times"]] * 4
    with pytest.raises(pv.InputError, match=r"there is no column 'left'; the columns are 'a', 'b', 'won'"):
        count_pairs(dd.read_parquet(tmp_path))


# --- what is refused ---

STR, INT, FLOAT, BOOL = ["ash", "birch"], [1, 2], [1.0, 2.5], [True, False]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (STR, INT, r"'\w+' in partition 0 is a str and \d in partition 2 a int"),
        (INT, FLOAT, r"\d in partition 0 is a int and [\d.]+ in partition 2 a float"),
        (BOOL, INT, r"(True|False) in partition 0 is a bool and \d in partition 2 a int"),
        (FLOAT, STR, r"[\d.]+ in partition 0 is a float and '\w+' in partition 2 a str"),
    ],
)
def test_labels_of_several_types_are_refused_across_partitions(first: list[Any], second: list[Any], words: str) -> None:
    parts = [wins([(*labels, "left")]) for labels in (first, first[::-1], second)]
    for most_pairs in (0, 100):
        with pytest.raises(pv.InputError, match=f"several types: {words}; convert the columns"):
            count_pairs([delayed(part) for part in parts], most_pairs=most_pairs)


@pytest.mark.parametrize("labels", [["ash", 1], [1, 2.5], [True, 3], ["ash", 2.5], [(1, 2), "ash"]])
def test_labels_of_several_types_are_refused_within_a_partition(labels: list[Any]) -> None:
    plain = wins([("ash", "birch", "left")])
    mixed = pd.DataFrame({"left": pd.Series(labels, dtype=object), "right": ["x", "y"], "outcome": ["left", "tie"]})
    with pytest.raises(pv.InputError, match=r"labels are of several types: .* in partition 1"):
        count_pairs([delayed(plain), delayed(mixed)])
    sides = pd.DataFrame({"left": [1, 2], "right": [2.0, 1.0], "outcome": ["left", "tie"]})
    with pytest.raises(pv.InputError, match=r"in partition 0 is a (int|float) and .* in partition 0 a (int|float)"):
        count_pairs([delayed(sides)])


def test_types_that_python_holds_equal_are_one() -> None:
    parts = [wins([(np.int64(1), 2, "left")]), wins([(1, np.int32(3), "left")])]
    assert count_pairs([delayed(part) for part in parts]).items == (1, 2, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("outcome", "perhaps", "'perhaps'"),
        ("left", None, "left at row 17 is missing"),
        ("right", "item 0", "against itself"),
        ("weight", -1.0, "-1"),
    ],
)
def test_a_corrupt_row_is_named_with_its_partition(column: str, value: Any, words: str) -> None:
    parts = cut(frame_of_votes())
    damaged = parts[4].copy()
    damaged.loc[damaged.index[17], "left"] = "item 0"
    damaged.loc[damaged.index[17], column] = value
    parts[4] = damaged
    with pytest.raises(pv.InputError, match=rf"(?=^partition 4: .*row 17 )(?=.*{words})") as raised:
        count_pairs([delayed(part) for part in parts])
    assert raised.value.where == "row 17 of partition 4"
    with pytest.raises(pv.InputError, match=r"partition 4: .*row 17"):
        bradley_terry([delayed(part) for part in parts])


def test_a_partition_without_a_column_is_named() -> None:
    parts = cut(frame_of_votes())
    parts[2] = parts[2].rename(columns={"right": "other"})
    with pytest.raises(
        pv.InputError, match=r"partition 2: there is no column 'right'; the columns are 'left', 'other'"
    ):
        count_pairs([delayed(part) for part in parts])
    with pytest.raises(pv.InputError, match=r"partition 1: int is not a data frame"):
        count_pairs([delayed(parts[0]), delayed(7)])


@DASKS_OWN
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_a_file_that_is_damaged_is_named(tmp_path: Path, scheduler: str) -> None:
    write_parts(frame_of_votes(), tmp_path)
    damaged = sorted(tmp_path.glob("*.parquet"))[2]
    damaged.write_bytes(damaged.read_bytes()[:-200])
    votes = dd.read_parquet(tmp_path)
    with (
        dask.config.set(scheduler=scheduler),
        pytest.raises(pv.InputError, match=rf"partition 2 \({damaged}\) cannot be read \(.*\); mend it, or leave"),
    ):
        count_pairs(votes)
    frame_of_votes(100).replace({"outcome": {"tie": "draw"}}).to_parquet(damaged, index=False)
    with (
        dask.config.set(scheduler=scheduler),
        pytest.raises(pv.InputError, match=rf"^partition 2 \({damaged}\): outcome at row \d+ is 'draw'"),
    ):
        count_pairs(dd.read_parquet(tmp_path))


def test_a_text_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    df = frame_of_votes(weighted=True)
    paths = [tmp_path / f"{day}.csv" for day in ("monday", "tuesday", "wednesday")]
    for path in paths:
        df.to_csv(path, index=False)
    with open(paths[1], "a") as lines:
        lines.write("item 1,item 2,left,1.0,and,more\n")
    words = rf"partition 1 \({paths[1]}\) cannot be read \(\w*Error: .*\)"
    with pytest.raises(pv.InputError, match=words):
        count_pairs([delayed(pd.read_csv)(str(path)) for path in paths])
    with pytest.raises(pv.InputError, match=words):
        count_pairs(dd.read_csv(paths, blocksize=None))


def test_what_a_loader_says_is_passed_on(tmp_path: Path) -> None:
    def load(number: int) -> pv.Votes:
        return pv.read_votes(tmp_path / f"{number}.csv")

    for number in range(3):
        frame_of_votes(50).to_csv(tmp_path / f"{number}.csv", index=False)
    (tmp_path / "1.csv").write_text("left,right,outcome\nash,birch,left\nash,birch,perhaps\n")
    with pytest.raises(pv.InputError, match=r"1\.csv.*perhaps"):
        count_pairs([delayed(load)(number) for number in range(3)])
    (tmp_path / "1.csv").unlink()
    with pytest.raises(pv.InputError, match=r"1\.csv"):
        count_pairs([delayed(load)(number) for number in range(3)])


@pytest.mark.parametrize(
    ("votes", "words"),
    [
        ([], "empty list"),
        (frame_of_votes(), "votes is a DataFrame; pass a Dask DataFrame"),
        ([delayed(frame_of_votes()), frame_of_votes()], "entry 1 of votes is a DataFrame"),
        (pv.datasets.baseball(), "votes is a Votes, which lies in this memory"),
        (5, "votes is a int"),
    ],
)
def test_what_is_no_collection_of_votes_is_refused(votes: Any, words: str) -> None:
    with pytest.raises(pv.InputError, match=words):
        count_pairs(votes)


@pytest.mark.parametrize("most_pairs", [-1, 1.5, True])
def test_most_pairs_is_a_whole_number(most_pairs: Any) -> None:
    with pytest.raises(pv.InputError, match="most_pairs is"):
        count_pairs(in_parts(frame_of_votes()), most_pairs=most_pairs)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(pv.InputError, match=r"pip install 'pairvote\[dask\]'"):
        count_pairs([SimpleNamespace(key="a", __dask_graph__=dict)])


# --- criteria ---


def test_one_criterion_of_several_is_counted() -> None:
    df = frame_of_votes().assign(criterion="useful")
    df.loc[300:, "criterion"] = "new"
    for select in ("useful", "new"):
        counts = count_pairs(in_parts(df), select=select)
        assert_same_counts(counts, pv.Votes.from_frame(df).counts(criterion=select))
    named = count_pairs(in_parts(df.rename(columns={"criterion": "asked"})), criterion="asked", select="new")
    assert_same_counts(named, counts)


def test_criteria_are_never_mixed() -> None:
    useful, new, plain = (
        wins([("ash", "birch", "left")]).assign(**more) for more in ({"criterion": "useful"}, {"criterion": "new"}, {})
    )
    for parts, several in (([useful, new], "'useful', 'new'"), ([useful, plain], "'useful' and none")):
        with pytest.raises(pv.InputError, match=rf"several criteria \({several}\); choose one with select="):
            count_pairs([delayed(part) for part in parts])
    assert count_pairs([delayed(useful)] * 3).total == 3
    assert count_pairs([delayed(useful), delayed(plain)], select="useful").total == 1
    with pytest.raises(pv.InputError, match="there is no criterion 'good'; the criteria are 'useful', 'new'"):
        count_pairs([delayed(useful), delayed(new)], select="good")
    with pytest.raises(pv.InputError, match="there is no criterion 'good'; the criteria are none"):
        count_pairs([delayed(plain)], select="good")


# --- fitting ---


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("prior_sd", [0.5, 3.0, math.inf])
@pytest.mark.parametrize("ties", TIES)
def test_scores_are_those_of_a_local_fit(ties: Any, prior_sd: float, position: bool, weighted: bool) -> None:
    df = frame_of_votes(weighted=weighted)
    options: dict[str, Any] = {"ties": ties, "prior_sd": prior_sd, "position": position}
    local = pv.bradley_terry(pv.Votes.from_frame(df), **options)
    ranking = bradley_terry(spread(df), **options)
    assert ranking.items == local.items
    np.testing.assert_allclose(ranking.scores, local.scores, atol=1e-8, rtol=0)
    assert ranking.fit.tie_parameter == pytest.approx(local.fit.tie_parameter, abs=1e-8)
    assert ranking.fit.position_effect == pytest.approx(local.fit.position_effect, abs=1e-8)
    assert ranking.fit.log_likelihood == pytest.approx(local.fit.log_likelihood, abs=1e-8)
    assert ranking.fit.uncertainty == local.fit.uncertainty
    counted = bradley_terry(in_parts(df), **options)
    np.testing.assert_allclose(counted.scores, local.scores, atol=1e-8, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("uncertainty", ["model", "sandwich"])
@pytest.mark.parametrize("ties", TIES)
def test_errors_are_those_of_a_local_fit(ties: Any, uncertainty: Any) -> None:
    df = frame_of_votes(4_000)
    options: dict[str, Any] = {"ties": ties, "position": True, "uncertainty": uncertainty, "prior_sd": 3.0}
    local, ranking = pv.bradley_terry(pv.Votes.from_frame(df), **options), bradley_terry(spread(df), **options)
    ours, theirs = ranking.difference("item 3", "item 29"), local.difference("item 3", "item 29")
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-6)
    assert ranking.fit.position_standard_error == pytest.approx(local.fit.position_standard_error, rel=1e-6)
    assert ranking.fit.tie_standard_error == pytest.approx(local.fit.tie_standard_error, rel=1e-6)
    if uncertainty == "sandwich" or ties == "half":
        with pytest.raises(pv.MissingUncertaintyError, match="given for pairs in this memory, not on a cluster"):
            ranking.standard_errors  # noqa: B018
        return
    # All thirty items are among those that are solved exactly to tell how far off the others are.
    off = np.abs(ranking.standard_errors / local.standard_errors - 1.0).max()
    assert ranking.fit.approximation_error == pytest.approx(off, rel=0.01)
    assert 0.0 < off < 0.2
    assert ranking.fit.prior_share == pytest.approx(local.fit.prior_share, rel=0.05)


def test_cross_terms_of_a_pair_are_left_out_and_seen() -> None:
    df = frame_of_votes(2_000)[:-150]
    together, apart = (
        bradley_terry(count_pairs([delayed(part) for part in parts], most_pairs=0), prior_sd=3.0)
        for parts in ([df], cut(df))
    )
    assert (apart.standard_errors < together.standard_errors).all()
    exact = pv.bradley_terry(pv.Votes.from_frame(df), prior_sd=3.0).standard_errors
    for ranking in (together, apart):
        off = np.abs(ranking.standard_errors / exact - 1.0).max()
        assert ranking.fit.approximation_error == pytest.approx(off, rel=0.01)


def test_a_ranking_of_pairs_elsewhere_answers_or_says_why_not() -> None:
    df = frame_of_votes()
    counts = spread(df)
    local, ranking = pv.bradley_terry(pv.Votes.from_frame(df), prior_sd=3.0), bradley_terry(counts, prior_sd=3.0)
    for name in ("won", "tied", "asked", "skipped", "components"):
        np.testing.assert_array_equal(getattr(ranking, name), getattr(local, name))
    assert ranking.top(3) == local.top(3)
    assert ranking.on_elo_scale().to_frame("polars").shape == (N_ITEMS, 10)
    assert ranking.expected_score("item 1", "item 2") == pytest.approx(local.expected_score("item 1", "item 2"))
    for ask in (
        lambda: ranking.covariance,
        lambda: ranking.top_k_probability(3, rng=1),
        lambda: ranking.rank_interval(rng=1),
        ranking.tiers,
        lambda: ranking.quasi_variances,
    ):
        with pytest.raises(pv.MissingUncertaintyError, match=r"gather\(\) the counts"):
            ask()
    none = bradley_terry(counts, prior_sd=3.0, uncertainty="none")
    with pytest.raises(pv.MissingUncertaintyError):
        _ = none.standard_errors
    again = bradley_terry(counts, prior_sd=3.0, start=ranking)
    assert again.fit.n_iter <= 1
    np.testing.assert_allclose(again.scores, local.scores, atol=1e-8)
    for scorer in (pv.tally, pv.bradley_terry):
        with pytest.raises(
            pv.InputError, match=r"votes is a DistributedCounts; .*distributed\.bradley_terry.*gather\(\)"
        ):
            scorer(counts)
        assert scorer(counts.gather()).items == local.items
    with pytest.raises(pv.InputError, match="votes is a DistributedCounts; a bootstrap draws single votes"):
        pv.bootstrap(counts)


def test_what_needs_single_votes_is_refused() -> None:
    for options, words in (({"uncertainty": "by-voter"}, "by-voter"), ({"covariates": [[1.0]]}, "covariates")):
        with pytest.raises(pv.InputError, match=f"{words}.* single votes"):
            bradley_terry(in_parts(frame_of_votes()), **options)
    with pytest.raises(pv.InputError, match="ties is 'all'"):
        bradley_terry(in_parts(frame_of_votes()), ties="all")


def test_many_items_are_fitted_as_here() -> None:
    rng = np.random.default_rng(4)
    strengths = rng.normal(size=700)
    left, right = rng.integers(0, 700, (2, 9_000))
    met = left != right
    left, right = left[met], right[met]
    outcome = np.where(rng.random(len(left)) < 1.0 / (1.0 + np.exp(strengths[right] - strengths[left])), 2, 0)
    outcome[::7] = 1
    votes = pv.Votes.from_codes(left, right, outcome, n_items=700)
    parts = [delayed(votes.where(np.arange(len(votes)) % 5 == part)) for part in range(5)]
    for options in ({}, {"prior_sd": 3.0}):
        ranking, local = bradley_terry(count_pairs(parts, most_pairs=0), **options), pv.bradley_terry(votes, **options)
        np.testing.assert_allclose(ranking.scores, local.scores, atol=1e-8, rtol=0)
        assert np.abs(ranking.standard_errors / local.standard_errors - 1.0).max() < 0.05
        assert ranking.fit.prior_sd == pytest.approx(local.fit.prior_sd, rel=1e-6)
        assert ranking.fit.prior_sd.learned == (options == {})
    # Of a few votes an item too much is left out.
    few = votes.where(np.arange(len(votes)) < 1_400)
    for one in (bradley_terry(count_pairs([delayed(few)], most_pairs=0)), pv.bradley_terry(few)):
        assert "taken as known, so that errors may be too small" in str(one)
    assert "too small" not in str(bradley_terry(count_pairs(parts, most_pairs=0)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
def test_a_learned_prior_is_put_in_as_here(ties: str, position: bool, weighted: bool) -> None:
    """With prior vectors, and with the sums that say how much is left out."""
    counts = spread(frame_of_votes(weighted=weighted))
    assert isinstance(counts, DistributedCounts)
    ranking = fit(RemoteSums(counts), ties=ties, position=position, prior_sd="learned")
    limits = replace(LIMITS, sampled_items=0)
    local = fit(counts.gather(), ties=ties, position=position, prior_sd="learned", limits=limits)
    assert ranking.learned is not None
    assert local.learned is not None
    np.testing.assert_allclose(ranking.scores, local.scores, atol=1e-8, rtol=0)
    np.testing.assert_allclose(ranking.learned[:3], local.learned[:3], rtol=1e-6)
    assert ranking.learned.is_honest == local.learned.is_honest
    here, there = (NormalVotes.of(found.model, found.solution).skewness for found in (local, ranking))
    np.testing.assert_allclose(there, here, atol=1e-6)
    assert np.abs(here).max() > 0.01


def test_few_pairs_under_a_learned_prior_are_brought_here_for_draws() -> None:
    df = frame_of_votes()[:150]
    counts = spread(df)
    local, ranking = pv.bradley_terry(counts.gather()), bradley_terry(counts)
    np.testing.assert_array_equal(ranking.scores, local.scores)
    np.testing.assert_array_equal(ranking.standard_errors, local.standard_errors)
    np.testing.assert_array_equal(ranking.confidence_interval(), local.confidence_interval())
    assert ranking.fit.prior_sd.learned
    with pytest.raises(pv.InputError, match="prior_sd is 'unknown'"):
        bradley_terry(counts, prior_sd="unknown")


def test_a_weak_prior_brings_every_component_to_its_middle() -> None:
    df = wins(
        [(f"{group}{i}", f"{group}{(i + step) % 5}", "left") for group in "ab" for i in range(5) for step in (1, 2)]
    )
    df = pd.concat([df] * 3, ignore_index=True)
    local = pv.bradley_terry(pv.Votes.from_frame(df), prior_sd=1e6)
    ranking = bradley_terry(count_pairs(each_row(df), most_pairs=0), prior_sd=1e6)
    np.testing.assert_allclose(ranking.scores, local.scores, atol=1e-8)
    assert ranking.components.tolist() == local.components.tolist() == [0] * 5 + [1] * 5


# --- what maximum likelihood needs ---

RING = [("ash", "birch", "left"), ("birch", "cedar", "left"), ("cedar", "dogwood", "left")]


@pytest.mark.parametrize(
    ("pairs", "options"),
    [
        (RING, {}),
        ([*RING, ("elm", "fir", "left"), ("fir", "elm", "left")], {}),
        ([*RING, ("dogwood", "birch", "left")], {}),
        ([*RING, ("cedar", "ash", "left"), ("birch", "ash", "left")], {}),
        ([*RING, ("ash", "elm", "left"), ("elm", "ash", "left"), ("birch", "dogwood", "right")], {}),
        ([("ash", "birch", "left"), ("birch", "ash", "left"), ("ash", "cedar", "tie")], {"ties": "drop"}),
        ([("ash", "birch", "tie"), ("birch", "ash", "tie")], {}),
        ([*RING, ("dogwood", "ash", "left")], {"position": True}),
    ],
)
def test_where_there_is_no_maximum_the_error_is_that_of_a_local_fit(pairs: Any, options: dict[str, Any]) -> None:
    df = wins(pairs)
    with pytest.raises(pv.NotIdentifiedError) as here:
        pv.bradley_terry(pv.Votes.from_frame(df), prior_sd=math.inf, **options)
    with pytest.raises(pv.NotIdentifiedError) as there:
        bradley_terry(count_pairs(each_row(df), most_pairs=0), prior_sd=math.inf, **options)
    assert str(there.value) == str(here.value)


def test_a_ring_over_all_partitions_has_a_maximum() -> None:
    df = wins([*RING, ("dogwood", "ash", "left"), ("ash", "cedar", "tie")])
    local = pv.bradley_terry(pv.Votes.from_frame(df), prior_sd=math.inf)
    ranking = bradley_terry(count_pairs(each_row(df), most_pairs=0), prior_sd=math.inf)
    np.testing.assert_allclose(ranking.scores, local.scores, atol=1e-8)


@pytest.mark.parametrize(
    ("pairs", "options", "words"),
    [
        ([("ash", "birch", "left"), ("birch", "cedar", "left"), ("ash", "cedar", "tie")], {}, "the tie parameter"),
        (
            [("ash", "birch", "left"), ("birch", "ash", "left"), ("ash", "cedar", "right"), ("ash", "cedar", "left")],
            {"position": True},
            "the position effect",
        ),
    ],
)
def test_what_cannot_be_told_from_the_partitions_is_said(pairs: Any, options: dict[str, Any], words: str) -> None:
    counts = count_pairs(each_row(wins(pairs)), most_pairs=0)
    with pytest.raises(pv.NotIdentifiedError, match=rf"whether {words} .* cannot be told .*gather\(\) the counts"):
        bradley_terry(counts, prior_sd=math.inf, **options)
    options = {"prior_sd": 3.0, **options}
    np.testing.assert_allclose(
        bradley_terry(counts, **options).scores, pv.bradley_terry(counts.gather(), **options).scores, atol=1e-8
    )


def test_a_chain_too_long_to_follow_is_said() -> None:
    names = [f"item {place}" for place in range(8)]
    chain = wins([(*pair, outcome) for pair in itertools.pairwise(names) for outcome in ("left", "right")])
    counts = count_pairs(each_row(chain), most_pairs=0)
    assert isinstance(counts, DistributedCounts)
    with pytest.raises(pv.NotIdentifiedError, match="cannot be told after 2 rounds"):
        fit(RemoteSums(counts, most_rounds=2), prior_sd=math.inf)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("most_pairs", [0, 100])
def test_partitions_refuse_weights_that_together_may_overflow(most_pairs: int) -> None:
    def part() -> pv.Votes:
        return pv.Votes.from_labels(["a", "b"], ["b", "a"], ["left"] * 2, weight=[2e305, 2e305])

    with pytest.raises(pv.InputError, match=r"add up to more than 1e\+306; divide those of all sets of votes by one"):
        pv.distributed.count_pairs([dask.delayed(part)() for _ in range(4)], most_pairs=most_pairs)
    counts = pv.distributed.count_pairs([dask.delayed(part)() for _ in range(2)], most_pairs=most_pairs)
    assert counts.total == 8e305


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_the_first_votes_are_scored_whatever_they_are(ties: Any) -> None:
    """All ties, or all won by the left side: weak priors keep what is beside the scores finite, as in one memory."""
    for outcome in ("tie", "left"):
        votes = pv.Votes.from_labels(["a", "b", "c"], ["b", "c", "a"], [outcome] * 3)
        options = {"ties": ties, "position": True, "prior_sd": 3.0}
        there = pv.distributed.bradley_terry(pv.distributed.count_pairs([dask.delayed(votes)], most_pairs=0), **options)
        here = pv.bradley_terry(votes, **options)
        np.testing.assert_allclose(there.scores, here.scores, atol=1e-8)
        for name in ("tie_parameter", "tie_standard_error", "position_effect", "position_standard_error"):
            assert getattr(there.fit, name) == pytest.approx(getattr(here.fit, name), rel=1e-6, abs=1e-8), name


def test_graded_votes_are_counted_by_their_shares() -> None:
    df = pd.DataFrame({"left": [*"abcab"], "right": [*"bcabc"], "outcome": [0.25, 0.5, 1.0, 0.75, 0.0]})
    whole = pv.Votes.from_frame(df, outcomes="share")
    assert whole.is_graded.all()
    parts = [delayed(df.iloc[:2]), delayed(df.iloc[2:])]
    assert_same_counts(count_pairs(parts, outcomes="share"), whole.counts())
    assert_same_counts(count_pairs([delayed(whole)]), whole.counts())


@pytest.mark.parametrize("ties", ["glenn-david", "half", "drop"])
@pytest.mark.parametrize("prior_sd", [2.0, "learned", math.inf])
def test_a_probit_link_is_fitted_by_its_shards(ties, prior_sd) -> None:
    rng = np.random.default_rng(4)
    left = rng.integers(6, size=400)
    right = (left + rng.integers(1, 6, size=400)) % 6
    votes = pv.Votes.from_codes(left, right, rng.integers(3, size=400), n_items=6)
    options = {"ties": ties, "link": "probit", "prior_sd": prior_sd, "position": True}
    here = pv.bradley_terry(votes, **options)
    scattered = count_pairs([dask.delayed(votes)], most_pairs=0)
    there = pv.distributed.bradley_terry(scattered, **options)
    assert there.unit == "probit"
    np.testing.assert_allclose(there.scores, here.scores, atol=1e-7)
    np.testing.assert_allclose(there.fit.tie_parameter, here.fit.tie_parameter, atol=1e-7)
    assert there.fit.log_likelihood == pytest.approx(here.fit.log_likelihood)
