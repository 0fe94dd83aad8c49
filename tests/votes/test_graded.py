"""Graded votes, of which the left side has a share: how they are made, kept, written and counted."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv

N_ITEMS = 4
SHARES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]))


@st.composite
def rows_of_votes(draw: Any, min_size: int = 0) -> list[tuple[int, int, Any, float]]:
    """Left and right codes, an outcome or a share, and a weight."""
    outcome = st.one_of(SHARES, st.sampled_from(["left", "right", "tie", "skip"]))
    row = st.tuples(
        st.integers(0, N_ITEMS - 1), st.integers(1, N_ITEMS - 1), outcome, st.sampled_from([0.0, 0.5, 1.0, 3.0])
    )
    return [(i, (i + step) % N_ITEMS, o, w) for i, step, o, w in draw(st.lists(row, min_size=min_size, max_size=12))]


def votes_of(rows: list[tuple[int, int, Any, float]], **options: Any) -> pv.Votes:
    left, right, outcome, weight = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    return pv.Votes.from_labels(left, right, outcome, weight=weight, items=range(N_ITEMS), outcomes="share", **options)


def table_of(rows: list[tuple[int, int, Any, float]]) -> np.ndarray:
    """The weight that each ordered pair gave to right, tie and left, by hand."""
    table = np.zeros((N_ITEMS, N_ITEMS, 3))
    for i, j, outcome, weight in rows:
        if isinstance(outcome, str):
            if outcome != "skip":
                table[i, j, ["right", "tie", "left"].index(outcome)] += weight
        else:
            table[i, j, 2] += weight * outcome
            table[i, j, 0] += weight - weight * outcome
    return table


@given(rows_of_votes())
def test_counts_give_each_side_its_share(rows: Any) -> None:
    votes = votes_of(rows)
    counts = votes.counts()
    found = np.zeros((N_ITEMS, N_ITEMS, 3))
    found[counts.left, counts.right] = counts.table
    expected = table_of(rows)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-300)
    # A vote is one vote, whatever its share: each item was asked about as often as it would be without grades.
    whole = votes_of([(i, j, o if isinstance(o, str) else "left", w) for i, j, o, w in rows])
    asked = [v.counts().item_totals()[:, :3].sum(axis=1) for v in (votes, whole)]
    np.testing.assert_allclose(*asked, rtol=1e-14)
    np.testing.assert_array_equal(counts.skipped, whole.counts().skipped)
    np.testing.assert_allclose(
        pv.tally(votes).scores, (expected @ [0, 0.5, 1]).sum(1) + (expected @ [1, 0.5, 0]).sum(0)
    )


@given(rows_of_votes())
def test_chunks_count_as_the_whole(rows: Any) -> None:
    whole = votes_of(rows)
    chunks = [votes_of(rows[:5]), votes_of(rows[5:])]
    for counts in (pv.count_pairs(chunks), (chunks[0] + chunks[1]).counts()):
        found, expected = (np.zeros((N_ITEMS, N_ITEMS, 3)) for _ in range(2))
        found[counts.left, counts.right] = counts.table
        once = whole.counts()
        expected[once.left, once.right] = once.table
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@given(rows_of_votes())
def test_shares_are_kept_by_all_that_keeps_rows(rows: Any) -> None:
    votes = votes_of(rows)
    share = np.array([math.nan if isinstance(o, str) else o for _, _, o, _ in rows])
    graded = ~np.isnan(share)
    np.testing.assert_array_equal(votes.is_graded, graded)
    if not graded.any():
        assert votes.share is None
        return
    np.testing.assert_array_equal(votes.share, share)
    again: list[pv.Votes] = [
        pickle.loads(pickle.dumps(votes)),
        votes.where(np.ones(len(rows), bool)),
        votes.where(graded) + votes.where(~graded),
        pv.Votes.from_records(
            [{"left": i, "right": j, "outcome": o, "weight": w} for i, j, o, w in rows], outcomes="share"
        ),
        pv.Votes.from_labels(**votes.to_columns(), outcomes="share"),
        pv.Votes.from_frame(votes.to_frame("pandas"), outcomes="share"),
        pv.Votes.from_frame(votes.to_frame("polars"), outcomes="share"),
    ]
    for copy in again:
        assert copy.share is not None
        np.testing.assert_array_equal(np.sort(copy.share), np.sort(share))
        assert sorted(copy.outcome.tolist()) == sorted(votes.outcome.tolist())
    assert f"; {graded.sum()} graded)" in repr(votes)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_file_gives_back_what_was_written(tmp_path: Path, suffix: str) -> None:
    shares = [0.1 + 0.2, 1 / 3, 0.5, 0.0, 1.0, "tie", "skip", "left", 5e-324]
    votes = pv.Votes.from_labels(["ash"] * 9, ["birch"] * 9, shares, outcomes="share", time=range(9))
    path = tmp_path / f"votes{suffix}"
    pv.write_votes(votes, path)
    scanned = next(iter(pv.scan_votes(path, outcomes="share", time="time")))
    for again in (pv.read_votes(path, outcomes="share", time="time"), scanned):
        np.testing.assert_array_equal(again.share, votes.share)
        np.testing.assert_array_equal(again.outcome, votes.outcome)
        np.testing.assert_array_equal(again.time, votes.time)
        assert again.time.dtype == votes.time.dtype


def test_a_scan_has_shares_only_where_votes_are_graded(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("left,right,outcome\nash,birch,left\nash,birch,0.25\nash,birch,tie\n")
    chunks = list(pv.scan_votes(path, chunk_rows=1, outcomes="share"))
    assert [None if chunk.share is None else chunk.share.tolist() for chunk in chunks] == [None, [0.25], None] or [
        chunk.is_graded.tolist() for chunk in chunks
    ] == [[False], [True], [False]]
    assert pv.count_pairs(chunks).table.tolist() == [[0.75, 1.0, 1.25]]
    assert pv.count_pairs(pv.scan_votes(path, outcomes="share")).table.tolist() == [[0.75, 1.0, 1.25]]


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ([0.6, 1.5], r"share at row 1 is 1\.5"),
        ([0.6, 0.4], r"share at row 1 is 0\.4 and outcome is 2"),
        ([0.6], r"share has shape \(1,\)"),
        ([1, 0], r"share has shape \(2,\) and type int64"),
    ],
)
def test_the_constructor_checks_shares(share: Any, message: str) -> None:
    good = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, [0.6, 0.7], outcomes="share")
    columns = {name: getattr(good, name) for name in ("items", "left", "right", "outcome")}
    assert pv.Votes(**columns, share=good.share).share.tolist() == [0.6, 0.7]
    with pytest.raises(pv.InputError, match=message):
        pv.Votes(**columns, share=np.array(share))


def test_choix_does_not_know_shares() -> None:
    votes = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, [0.6, "left"], outcomes="share")
    with pytest.raises(pv.InputError, match="graded, which choix does not know"):
        votes.to_choix()
    assert votes.where(~votes.is_graded).to_choix() == [(0, 1)]
