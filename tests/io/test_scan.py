"""Files read chunk by chunk give what they give as a whole, wherever chunks and blocks end, or say where it fails."""

from __future__ import annotations

import csv
import dataclasses
import functools
import gc
import io
import json
import operator
import os
import sys
import weakref
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote._common.threads import n_usable
from pairvote.io import _csv, _csv_cells, _parquet_batches
from pairvote.io._formats import FORMATS
from pairvote.votes._chunks import CodedSource

HEADER = "left,right,outcome\n"
OUTCOMES = ("left", "right", "tie", "skip")
WHOLE = 10**6


def as_plain(votes):
    """All that votes hold, comparable."""
    arrays = (votes.left, votes.right, votes.outcome, votes.voter, votes.weight, votes.criterion)
    columns = [None if array is None else (array.dtype.str, array.tolist()) for array in arrays]
    return votes.items, votes.voters, votes.criteria, columns


def joined(chunks):
    return as_plain(functools.reduce(operator.add, chunks))


def message_of(action):
    with pytest.raises(pv.InputError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    return message


def chunks_or_none(path, **options):
    """The chunks of two rows, or None where they are refused."""
    try:
        return list(pv.scan_votes(path, chunk_rows=2, **options))
    except pv.InputError:
        return None


def drain(scan):
    return [len(votes) for votes in scan]


def register(monkeypatch, name, **functions):
    """The format `name` with other functions."""
    monkeypatch.setitem(FORMATS, name, dataclasses.replace(FORMATS[name], **functions))


def small_blocks(monkeypatch, n_bytes=64, n_rows=5, *, n_threads=None, **sizes):
    """The formats, reading little at once."""
    in_blocks = functools.partial(_csv.scan, block_bytes=n_bytes, arrow_from_bytes=0, n_threads=n_threads)
    register(monkeypatch, "csv", scan=in_blocks, read=functools.partial(_csv.read, arrow_from_bytes=0))
    register(monkeypatch, "jsonl", scan=functools.partial(FORMATS["jsonl"].scan, block_bytes=n_bytes))
    if n_threads is not None:
        sizes["n_threads"] = n_threads
    batches = _parquet_batches.Sizes(batch_rows=n_rows, **sizes)
    register(monkeypatch, "parquet", scan=functools.partial(_parquet_batches.scan, sizes=batches))


def some_votes(n_rows=60, *, seed=1, full=True):
    """Votes with late labels: the further down, the more items and voters there are."""
    rng = np.random.default_rng(seed)
    high = 2 + np.arange(n_rows) // 4
    left = rng.integers(0, high)
    right = (left + rng.integers(1, high)) % high
    names = [f"item {code}" for code in rng.permutation(int(high[-1]) + 1)]
    extra = {}
    if full:
        extra["voter"] = [None if code == 0 else f"voter {code}" for code in rng.integers(0, high)]
        extra["weight"] = rng.random(n_rows).round(3)
        extra["criterion"] = [(None, "new", "useful")[code] for code in rng.integers(3, size=n_rows)]
    return pv.Votes.from_labels(
        [names[code] for code in left],
        [names[code] for code in right],
        [OUTCOMES[code] for code in rng.integers(4, size=n_rows)],
        **extra,
    )


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def format(request):
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return request.param


@pytest.fixture
def arrow():
    pytest.importorskip("pyarrow.dataset")
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    class Arrow:
        table, array = staticmethod(pa.table), staticmethod(pa.array)
        dataset, write = staticmethod(ds.dataset), staticmethod(pq.write_table)

    return Arrow


@pytest.fixture(scope="module")
def patching():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scan")


class TestChunksAndTheWhole:
    @pytest.mark.slow
    @pytest.mark.parametrize("chunk_rows", [1, 2, 7, 59, 60, 61, WHOLE])
    @pytest.mark.parametrize("full", [False, True])
    def test_chunks_one_after_the_other_are_the_whole(self, tmp_path, monkeypatch, format, chunk_rows, full):
        small_blocks(monkeypatch)
        path = tmp_path / f"votes.{format}"
        pv.write_votes(some_votes(full=full), path)
        whole = pv.read_votes(path)
        scan = pv.scan_votes(path, chunk_rows=chunk_rows)
        chunks = list(scan)
        assert [len(votes) for votes in chunks[:-1]] == [chunk_rows] * (len(chunks) - 1)
        assert 0 < len(chunks[-1]) <= chunk_rows
        assert joined(chunks) == as_plain(whole)
        assert joined(scan) == as_plain(whole)
        rows = 0
        for votes in chunks:
            rows += len(votes)
            seen = whole.where(np.arange(len(whole)) < rows)
            n_items = 1 + max(seen.left.max(), seen.right.max())
            assert votes.items == whole.items[:n_items]
            if full:
                assert votes.voters == whole.voters[: 1 + seen.voter.max()]
                assert votes.criteria == whole.criteria[: 1 + seen.criterion.max()]

    @pytest.mark.parametrize("voters", [False, True])
    def test_coded_chunks_are_the_same_votes(self, tmp_path, monkeypatch, format, voters):
        small_blocks(monkeypatch)
        path = tmp_path / f"votes.{format}"
        pv.write_votes(some_votes(), path)
        scan = pv.scan_votes(path)
        assert isinstance(scan, CodedSource)
        pieces = list(scan.coded(voters=voters))
        assert len(pieces) > 3
        assert all(piece.left.codes.dtype == piece.right.codes.dtype == np.int32 for piece in pieces)
        for piece in pieces:
            for numbered in (piece.left, piece.right, piece.outcome):
                assert (numbered.codes >= 0).all()
                assert (numbered.spread() >= 0).all()
        got = functools.reduce(operator.add, [piece.votes() for piece in pieces])
        whole = pv.read_votes(path)
        assert as_plain(got)[0] == whole.items
        assert (got.voter is None) is not voters
        if voters:
            assert as_plain(got) == as_plain(whole)

    def test_ties_and_skips_alone(self, tmp_path, format):
        path = tmp_path / f"votes.{format}"
        votes = pv.Votes.from_labels(["a", "b"], ["b", "c"], ["tie", "skip"])
        pv.write_votes(votes, path)
        assert joined(pv.scan_votes(path, chunk_rows=1)) == as_plain(votes)

    def test_items_and_outcomes_are_as_asked(self, tmp_path, monkeypatch, format):
        small_blocks(monkeypatch)
        votes = pv.Votes.from_labels(["a", "b"] * 20, ["b", "c"] * 20, ["tie", "left"] * 20)
        path = tmp_path / f"votes.{format}"
        pv.write_votes(votes, path)
        options = {"items": ["c", "z", "b", "a"], "outcomes": {"tie": "skip"}}
        chunks = list(pv.scan_votes(path, chunk_rows=7, **options))
        assert all(chunk.items == ("c", "z", "b", "a") for chunk in chunks)
        assert joined(chunks) == as_plain(pv.read_votes(path, **options))
        message = message_of(lambda: drain(pv.scan_votes(path, items=["a", "b"])))
        assert "'c', which is not among the 2 items" in message
        assert f"votes.{format}" in message

    def test_no_rows_are_no_chunks(self, tmp_path, format):
        path = tmp_path / f"votes.{format}"
        pv.write_votes(pv.Votes.from_labels([], [], []), path)
        scan = pv.scan_votes(path)
        assert list(scan) == []
        assert list(scan.coded()) == []

    @pytest.mark.slow
    @pytest.mark.parametrize("n_rows", [0, 1, 4, 5, 6, 14, 15, 29, 30, 31, 100])
    def test_rows_are_passed_over_at_any_place(self, tmp_path, monkeypatch, format, n_rows):
        small_blocks(monkeypatch)
        votes = some_votes(30)
        paths = [tmp_path / f"{half}.{format}" for half in (0, 1)]
        for half, path in enumerate(paths):
            pv.write_votes(votes.where(np.arange(30) // 15 == half), path)
        rows = [row for path in paths for row in zip(*pv.read_votes(path).to_columns().values(), strict=True)]
        left = [
            row
            for votes in pv.scan_votes(paths, chunk_rows=4, skip_rows=n_rows)
            for row in zip(*votes.to_columns().values(), strict=True)
        ]
        assert left == rows[n_rows:]
        first = next(iter(pv.scan_votes(paths, chunk_rows=1, skip_rows=n_rows)), None)
        assert first is None if n_rows >= 30 else first.items == (rows[n_rows][0], rows[n_rows][1])

    def test_what_is_passed_over_is_not_checked(self, tmp_path):
        path = tmp_path / "votes.csv"
        path.write_text(HEADER + "a,a,won\nb,c,tie\nc,c,tie\n")
        assert pv.scan_votes(path, skip_rows=1, chunk_rows=1)
        message = message_of(lambda: drain(pv.scan_votes(path, skip_rows=1)))
        assert message.startswith(f"line 4 of {path} has 'c' against itself")


class TestSeveralFiles:
    def test_late_labels_and_an_empty_file(self, tmp_path, monkeypatch, format):
        small_blocks(monkeypatch)
        whole = some_votes(40, full=False)
        paths = []
        for part, rows in enumerate([range(15), range(0), range(15, 16), range(16, 40)]):
            paths.append(tmp_path / f"part-{part}.{format}")
            pv.write_votes(whole.where(np.isin(np.arange(40), rows)), paths[-1])
        for chunk_rows in (1, 6, WHOLE):
            assert joined(pv.scan_votes(paths, chunk_rows=chunk_rows)) == as_plain(whole)
            assert joined(pv.scan_votes(tmp_path, chunk_rows=chunk_rows)) == as_plain(whole)
            assert joined(pv.scan_votes(list(map(str, paths)), chunk_rows=chunk_rows)) == as_plain(whole)

    def test_numbers_in_names_count_as_such(self, tmp_path):
        for part in (10, 9, 1):
            (tmp_path / f"part.{part}.csv").write_text(f"{HEADER}a{part},b{part},tie\n")
        (tmp_path / "_SUCCESS").write_text("")
        (tmp_path / ".hidden.csv").write_text("")
        (votes,) = pv.scan_votes(tmp_path)
        assert votes.items == ("a1", "b1", "a9", "b9", "a10", "b10")

    @pytest.mark.parametrize("values", [("new", "useful"), ("2", "10"), ("a%20b", "__HIVE_DEFAULT_PARTITION__")])
    def test_folders_names_are_columns(self, tmp_path, monkeypatch, format, values):
        small_blocks(monkeypatch)
        votes = some_votes(20, full=False)
        labels = [{"2": 2, "10": 10, "a%20b": "a b", "__HIVE_DEFAULT_PARTITION__": None}.get(v, v) for v in values]
        for value in values:
            folder = tmp_path / f"criterion={value}" / "note=x"
            folder.mkdir(parents=True)
            pv.write_votes(votes, folder / f"a.{format}")
        whole = joined(pv.scan_votes(tmp_path, chunk_rows=7))
        order = labels if values != ("a%20b", "__HIVE_DEFAULT_PARTITION__") else labels[::-1]
        sides = votes.to_columns()
        expected = pv.Votes.from_labels(
            sides["left"] * 2, sides["right"] * 2, sides["outcome"] * 2, criterion=[x for x in order for _ in range(20)]
        )
        assert whole == as_plain(expected)

    def test_pyarrow_partitions_alike(self, tmp_path, arrow):
        votes = some_votes(30)
        table = votes.to_frame("pyarrow")
        import pyarrow.dataset as ds

        ds.write_dataset(table, tmp_path, format="parquet", partitioning=["criterion"], partitioning_flavor="hive")
        ours = joined(pv.scan_votes(tmp_path, chunk_rows=4))
        assert ours == joined(pv.scan_votes(arrow.dataset(tmp_path, partitioning="hive")))
        assert sorted(ours[2]) == ["new", "useful"]
        assert len(ours[3][0][1]) == 30

    def test_voters_may_be_lacking_and_weights_not(self, tmp_path, format):
        with_voter, without = tmp_path / f"a.{format}", tmp_path / f"b.{format}"
        pv.write_votes(pv.Votes.from_labels(["a"], ["b"], ["tie"], voter=["anna"]), with_voter)
        pv.write_votes(pv.Votes.from_labels(["b"], ["c"], ["tie"]), without)
        (votes,) = pv.scan_votes([with_voter, without])
        assert votes.voter.tolist() == [0, -1]
        (votes,) = pv.scan_votes([without, with_voter])
        assert votes.voter.tolist() == [-1, 0]
        message = message_of(lambda: drain(pv.scan_votes([with_voter, without], voter="voter")))
        assert "b." in message
        assert "no column 'voter'" in message
        for part, value in (("weight", [2.0]), ("criterion", ["new"])):
            pv.write_votes(pv.Votes.from_labels(["a"], ["b"], ["tie"], **{part: value}), with_voter)
            for paths in ([with_voter, without], [without, with_voter]):
                message = message_of(lambda paths=paths: drain(pv.scan_votes(paths)))
                assert f"{without} has no column {part!r} and {with_voter} has one" in message

    def test_labels_of_mixed_types(self, tmp_path, arrow):
        numbers, texts = tmp_path / "a.parquet", tmp_path / "b.parquet"
        arrow.write(arrow.table({"left": [1, 2], "right": [2, 3], "outcome": ["tie"] * 2}), numbers)
        arrow.write(arrow.table({"left": ["1", "2"], "right": ["2", "3"], "outcome": ["tie"] * 2}), texts)
        message = message_of(lambda: drain(pv.scan_votes([numbers, texts])))
        for words in (f"left at row 0 of {texts} is '1'", "type str", f"left at row 0 of {numbers} is 1", "number"):
            assert words in message
        message = message_of(lambda: drain(pv.scan_votes([texts, numbers])))
        assert message.startswith(f"left at row 0 of {numbers} is 1")

    @pytest.mark.parametrize("part", ["voter", "criterion"])
    def test_voters_and_criteria_of_mixed_types(self, tmp_path, part):
        path = tmp_path / "a.jsonl"
        lines = [{"left": "a", "right": "b", "outcome": "tie", part: value} for value in (None, "1", 2)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        message = message_of(lambda: drain(pv.scan_votes(path)))
        assert message.startswith(f"{part} at line 3 of {path} is 2, a label of type number, and {part} at line 2")

    def test_text_beside_the_number_in_json(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text('{"left": "1", "right": 1, "outcome": "tie"}\n')
        message = message_of(lambda: drain(pv.scan_votes(path)))
        assert f"right at line 1 of {path} is 1" in message
        assert f"left at line 1 of {path} is '1'" in message
        path.write_text('{"left": 1, "right": 1.5, "outcome": "tie"}\n')
        assert joined(pv.scan_votes(path))[0] == (1, 1.5)


class TestCsvBlocks:
    """Wherever a block ends, its rows are those of the whole file."""

    def same(self, patch, path, content, n_bytes, **options):
        path.write_bytes(content)
        with patch.context() as within:
            register(within, "csv", read=functools.partial(_csv.read, arrow_from_bytes=10**9))
            try:
                whole = as_plain(pv.read_votes(path, **options))
            except pv.InputError as error:
                whole = str(error)
        for absent in (False, True):
            with patch.context() as within:
                small_blocks(within, n_bytes)
                if absent:
                    within.setitem(sys.modules, "pyarrow", None)
                try:
                    chunks = list(pv.scan_votes(path, chunk_rows=2, **options))
                    got = joined(chunks) if chunks else None
                except pv.InputError as error:
                    got = str(error)
            if got is None:
                assert whole[3][0][1] == []
            else:
                assert got == whole

    @pytest.mark.slow
    @settings(max_examples=200)
    @given(
        st.lists(st.lists(st.text('a,"\r\n é\ufeff', max_size=4), min_size=3, max_size=3), max_size=8),
        st.lists(st.booleans(), min_size=24, max_size=24),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.sampled_from(["", "\ufeff", "\ufeff\ufeff", "\n"]),
        st.sampled_from([1, 3, 8, 20, 64]),
    )
    @example(
        [["a", 'b"', "c"], ['"', "b\n\n", "d"], ["e", "f", "c"]], [False, False, False, True, True] * 5, "\n", "", 8
    )
    def test_quoted_by_the_book_or_not(self, patching, shared_folder, rows, quoted, newline, start, n_bytes):
        quoting = iter(quoted)
        lines = [
            ",".join(f'"{cell.replace(chr(34), 2 * chr(34))}"' if next(quoting) else cell for cell in row)
            for row in rows
        ]
        text = start + newline.join(["left,right,outcome", *lines])
        meanings = dict.fromkeys([None, *(row[2] for row in rows), *"abcdef"], "tie")
        self.same_or_refused(patching, shared_folder / "a.csv", text.encode(), n_bytes, outcomes=meanings)

    @settings(max_examples=200)
    @given(
        st.text('ab,"\r\n', max_size=60),
        st.sampled_from(['"left",right,outcome\n', "left,right,outcome"]),
        st.sampled_from([1, 5, 12, 40]),
    )
    @example('\na,"b\nb",c', HEADER, 12)
    def test_anything(self, patching, shared_folder, body, header, n_bytes):
        meanings = dict.fromkeys([None, "a", "b"], "left")
        self.same_or_refused(patching, shared_folder / "a.csv", (header + body).encode(), n_bytes, outcomes=meanings)

    def same_or_refused(self, patch, path, content, n_bytes, **options):
        """The same votes; or both refuse it, though of several faults another may come first."""
        path.write_bytes(content)
        try:
            whole = as_plain(pv.read_votes(path, **options))
        except pv.InputError:
            whole = None
        for absent in (False, True):
            with patch.context() as within:
                small_blocks(within, n_bytes)
                if absent:
                    within.setitem(sys.modules, "pyarrow", None)
                got = chunks_or_none(path, **options)
            assert (got is None) == (whole is None)
            if got:
                assert joined(got) == whole
            elif got == []:
                assert whole[3][0][1] == []

    @pytest.mark.parametrize("n_bytes", range(1, 70, 3))
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_a_block_may_end_anywhere(self, tmp_path, monkeypatch, newline, n_bytes):
        text = (
            '\ufeffleft,right,outcome,weight\n\n"å日\n本","b ""x""",tie,1\n🙂,c,left,2.5\n\n\n"c",🙂,tie,0\nå,🙂,skip,3'
        )
        content = text.replace("\n", newline).encode()
        self.same(monkeypatch, tmp_path / "a.csv", content, n_bytes)

    @pytest.mark.parametrize("n_bytes", [1, 16, 33, 10**6])
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("a,b,tie\r\n\r\nb,c\r\n", "line 4 of {} has 2 cells and the header has 3"),
            ('a,b,tie\n"x\ny",b,tie\na,"b"c,tie\n', "line 5 of {} is not CSV"),
            ('a,b,tie\na,b,tie\n"a,b,tie\n', "line 4 of {} is not CSV"),
            ("a,b,tie\r\rb,b,tie\r", "line 4 of {} has 'b' against itself"),
            ("a,b,tie\n" * 5 + "b,,tie\n", "right at line 7 of {} is missing"),
            ("a,b,tie\n" * 5 + "\n\nb,c,won\n", "outcome at line 9 of {} is 'won'"),
            ("a,b,tie\na,b,\n", "outcome at line 3 of {} is missing"),
            (b"a,b,tie\n" * 4 + b"a,\xff,tie\n", "{} is not UTF-8 at line 6 (byte 0xff at position 53)"),
            ("a,b,tie\n" * 4 + "a,\0,tie\n", "{} has a NUL byte at line 6"),
        ],
    )
    def test_refusals_give_the_line_in_the_whole_file(self, tmp_path, monkeypatch, body, words, n_bytes):
        path = tmp_path / "a.csv"
        content = HEADER.encode() + (body if isinstance(body, bytes) else body.encode())
        path.write_bytes(content)
        # Reading the whole, it also proposes a call.
        expected = message_of(lambda: pv.read_votes(path)).partition("; perhaps read_votes(")[0]
        for absent in (False, True):
            with monkeypatch.context() as within:
                small_blocks(within, n_bytes)
                if absent:
                    within.setitem(sys.modules, "pyarrow", None)
                message = message_of(lambda: drain(pv.scan_votes(path)))
            assert message.startswith(words.format(path))
            assert message == expected

    @pytest.mark.parametrize("n_bytes", [8, 10**6])
    @pytest.mark.parametrize(("weight", "words"), [("", "missing"), ("one", "not a number"), ("-1", "not negative")])
    def test_weights_are_checked(self, tmp_path, monkeypatch, n_bytes, weight, words):
        small_blocks(monkeypatch, n_bytes)
        path = tmp_path / "a.csv"
        path.write_text(f"left,right,outcome,weight\na,b,tie,1\na,b,tie,{weight}\n")
        message = message_of(lambda: drain(pv.scan_votes(path)))
        assert f"weight at line 3 of {path}" in message
        assert words in message

    def test_the_rows_before_a_broken_file_come_first(self, tmp_path):
        good, broken = tmp_path / "a.csv", tmp_path / "b.csv"
        good.write_text(HEADER + "a,b,tie\n")
        broken.write_text("left,right\n")
        chunks = iter(pv.scan_votes([good, broken], chunk_rows=1))
        assert len(next(chunks)) == 1
        assert f"{broken} has no column 'outcome'" in message_of(lambda: next(chunks))

    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    @pytest.mark.parametrize("n_threads", [1, 2])
    @pytest.mark.parametrize("cell", ["a", "x" * (csv.field_size_limit() + 1)])
    def test_a_refusal_leaves_no_file_open(self, tmp_path, monkeypatch, suffix, n_threads, cell):
        small_blocks(monkeypatch, 30, n_threads=n_threads)
        path = tmp_path / f"a.{suffix}"
        pv.write_votes(pv.Votes.from_wins(["a"] * 20, ["b"] * 20), path)
        path.write_text(path.read_text().replace("b", cell))
        is_refused = suffix == "csv" or cell == "a"
        with pytest.raises(pv.InputError) if is_refused else nullcontext() as caught:
            drain(pv.scan_votes(path))
        handles = [kept for kept in gc.get_objects() if isinstance(kept, io.BufferedReader) and not kept.closed]
        assert path not in [handle.name for handle in handles]
        # What was caught holds its frames, and what these have opened.
        assert caught is None or caught.value

    def test_the_longest_cell(self, tmp_path, monkeypatch):
        limit = csv.field_size_limit()
        for length in (limit, limit + 1):
            for cell in ("x" * length, f'"{"," * length}"'):
                content = f"{HEADER}{'c,d,tie' + chr(10)}a,{cell},tie\n".encode()
                self.same(monkeypatch, tmp_path / "a.csv", content, 100)

    def test_large_and_plain_blocks_are_pyarrows(self, tmp_path, monkeypatch):
        pytest.importorskip("pyarrow")
        small_blocks(monkeypatch, 400)
        monkeypatch.setattr(_csv_cells, "_read_by_csv", None)
        path = tmp_path / "a.csv"
        path.write_text(HEADER + 'a,"b,\n""c""",tie\n' * 300)
        assert drain(pv.scan_votes(path, chunk_rows=100)) == [100, 100, 100]

    def test_few_blocks_are_in_memory(self, tmp_path, monkeypatch):
        small_blocks(monkeypatch, 50)
        alive = weakref.WeakSet()
        made = _csv_cells.Rows.__init__

        def watched(rows, *arguments):
            made(rows, *arguments)
            alive.add(rows)

        monkeypatch.setattr(_csv_cells.Rows, "__init__", watched)
        path = tmp_path / "a.csv"
        path.write_text(HEADER + "a,b,tie\n" * 1000)
        most = n_blocks = 0
        # What was there before need not be looked through each time.
        gc.freeze()
        for _ in pv.scan_votes(path).coded():
            gc.collect()
            n_blocks += 1
            most = max(most, len(alive))
        gc.unfreeze()
        assert n_blocks > 100
        # Those waiting, the one in use, the one about to wait, and the first, which may be named in a refusal.
        assert most <= n_usable() + 4

    def test_the_next_block_is_read_meanwhile(self, tmp_path, monkeypatch):
        import threading

        small_blocks(monkeypatch, 50, n_threads=2)
        path = tmp_path / "a.csv"
        path.write_text(HEADER + "a,b,tie\n" * 30)
        parsed, cells = [], _csv_cells.Rows.cells
        second = threading.Event()

        def watched(rows, *arguments, **options):
            parsed.append(rows.offset)
            if len(parsed) >= 2:
                second.set()
            return cells(rows, *arguments, **options)

        monkeypatch.setattr(_csv_cells.Rows, "cells", watched)
        chunks = pv.scan_votes(path).coded()
        next(chunks)
        # The consumer asks for nothing more, and yet:
        assert second.wait(20)
        chunks.close()


class TestJsonBlocks:
    LINES = (
        '{"left": "å日", "right": "b", "outcome": "tie"}\n\n  \r\n{"left": "b", "right": "🙂\\u2028", '
        '"outcome": "left", "voter": 7}\n{"right": "c", "left": "b", "outcome": "skip", "note": [{}]}\n'
    )

    @pytest.mark.parametrize("n_bytes", [1, 2, 50, 100, 10**6])
    @pytest.mark.parametrize("start", ["", "\ufeff", "\n"])
    def test_a_block_may_end_at_any_line(self, tmp_path, monkeypatch, n_bytes, start):
        small_blocks(monkeypatch, n_bytes)
        path = tmp_path / "a.jsonl"
        path.write_text(start + self.LINES, encoding="utf-8")
        assert joined(pv.scan_votes(path, chunk_rows=1)) == as_plain(pv.read_votes(path))

    @pytest.mark.parametrize("n_bytes", [1, 70, 10**6])
    @pytest.mark.parametrize(
        ("record", "words"),
        [
            ("{", "line 5 of {} is not JSON"),
            ('{"left": "a", "right": "b"}', "outcome at line 5 of {} is missing"),
            (
                '{"left": ["a", 1], "right": "b", "outcome": "tie"}',
                "left at line 5 of {} is ['a', 1], which is not hash",
            ),
            ('{"left": null, "right": "b", "outcome": "tie"}', "left at line 5 of {} is missing"),
            ('{"left": "a", "right": "a", "outcome": "tie"}', "line 5 of {} has 'a' against itself"),
            ('{"left": "a", "right": "b", "outcome": 1}', "outcome at line 5 of {} is the number 1"),
            ('{"left": "a", "right": "b", "outcome": [1, 2]}', "outcome at line 5 of {} is [1, 2]"),
            (
                '{"left": "\\ud83d", "right": "b", "outcome": "tie"}',
                "left at line 5 of {} is '\\ud83d', which has half",
            ),
        ],
    )
    def test_refusals_give_the_line_in_the_whole_file(self, tmp_path, monkeypatch, n_bytes, record, words):
        small_blocks(monkeypatch, n_bytes)
        path = tmp_path / "a.jsonl"
        path.write_text('{"left": "a", "right": "b", "outcome": "tie"}\n\n' * 2 + record + "\n")
        message = message_of(lambda: drain(pv.scan_votes(path)))
        assert message == message_of(lambda: pv.read_votes(path)).partition("; perhaps read_votes(")[0]
        assert message.startswith(words.format(path))

    @pytest.mark.parametrize("n_bytes", [1, 10**6])
    def test_weights_on_all_rows_or_none(self, tmp_path, monkeypatch, n_bytes):
        small_blocks(monkeypatch, n_bytes)
        path = tmp_path / "a.jsonl"
        plain = '{"left": "a", "right": "b", "outcome": "tie"}\n'
        weighted = plain.replace("}", ', "weight": 2}')
        for text in (plain + weighted, weighted + plain):
            path.write_text(text)
            message = message_of(lambda: drain(pv.scan_votes(path)))
            assert "weight" in message
            assert str(path) in message
        path.write_text(weighted * 2)
        assert joined(pv.scan_votes(path))[3][4][1] == [2.0, 2.0]


class TestParquetAndDatasets:
    @pytest.mark.slow
    @pytest.mark.parametrize("group", [1, 4, 5, 9, 100])
    @pytest.mark.parametrize("kind", ["text", "large text", "dictionary", "int", "small dictionary"])
    @pytest.mark.parametrize(("many_texts", "n_processors"), [(0, 1), (0, 2), (99, 1), (99, 2)])
    def test_kinds_of_columns_and_sizes_of_row_groups(
        self, tmp_path, monkeypatch, arrow, kind, group, many_texts, n_processors
    ):
        import pyarrow as pa

        small_blocks(monkeypatch, n_threads=n_processors, many_texts=many_texts)
        path = tmp_path / "a.parquet"
        votes = some_votes(50)
        columns = votes.to_frame("pyarrow")
        codes = {side: getattr(votes, side) for side in ("left", "right")}
        made = {
            "text": lambda side: columns[side].cast(pa.string()),
            "large text": lambda side: columns[side].cast(pa.large_string()),
            "dictionary": lambda side: columns[side].combine_chunks().dictionary_encode(),
            "small dictionary": lambda side: pa.DictionaryArray.from_arrays(
                pa.array(codes[side], pa.int8()), pa.array([*votes.items, "never used"])
            ),
            "int": lambda side: pa.array(1000 - 3 * codes[side].astype(np.int64), pa.int16()),
        }[kind]
        table = pa.table(
            {**{name: columns[name] for name in columns.column_names}, "left": made("left"), "right": made("right")}
        )
        arrow.write(table, path, row_group_size=group)
        whole = pv.read_votes(path)
        for chunk_rows in (3, WHOLE):
            assert joined(pv.scan_votes(path, chunk_rows=chunk_rows)) == as_plain(whole)
        for dataset in (arrow.dataset(path), arrow.dataset(table), arrow.dataset([tmp_path / "a.parquet"])):
            scan = pv.scan_votes(dataset, chunk_rows=4)
            assert joined(scan) == as_plain(whole)
            assert repr(scan) == "VoteScan(1 fragment, chunks of 4 rows)"

    @pytest.mark.parametrize("group", [1, 3])
    @pytest.mark.parametrize(
        ("values", "type"),
        [
            ([None] * 4, "null"),
            ([-128, 127, 0, 0], "int8"),
            ([2**64 - 1, 0, 5, 5], "uint64"),
            ([2**63 - 1, -(2**63), 0, 1], "int64"),
            ([1, None, 2, 1], "int32"),
            ([1.5, float("nan"), None, 2], "float64"),
            ([True, None, False, True], "bool"),
            ([b"x", None, b"y", b"x"], "binary"),
            ([1, 2, None, 1], "date32"),
            ([1, 2, None, 1], "timestamp[us]"),
        ],
    )
    def test_voters_of_any_type(self, tmp_path, monkeypatch, arrow, values, type, group):
        import pyarrow as pa

        small_blocks(monkeypatch, n_rows=2)
        kinds = {"timestamp[us]": pa.timestamp("us")}
        voter = pa.array(values, kinds.get(type) or getattr(pa, type.replace("bool", "bool_"))())
        sides = {"left": list("abac"), "right": list("bcca"), "outcome": list(OUTCOMES)}
        path = tmp_path / "a.parquet"
        arrow.write(pa.table({**sides, "voter": voter}), path, row_group_size=group)
        for source in (path, arrow.dataset(path), arrow.dataset(pa.table({**sides, "voter": voter}))):
            assert joined(pv.scan_votes(source, chunk_rows=1)) == as_plain(pv.read_votes(path))

    def test_dictionaries_with_nulls_and_repeats(self, arrow):
        import pyarrow as pa

        voter = pa.DictionaryArray.from_arrays(pa.array([2, 1, 0, None]), pa.array(["x", None, "x"]))
        table = pa.table({"left": list("abac"), "right": list("bcca"), "outcome": list(OUTCOMES), "voter": voter})
        (votes,) = pv.scan_votes(arrow.dataset(table))
        assert votes.voters == ("x",)
        assert votes.voter.tolist() == [0, -1, 0, -1]

    @pytest.mark.slow
    @pytest.mark.parametrize("n_processors", [1, 2])
    @pytest.mark.parametrize("as_dataset", [False, True])
    def test_memory_does_not_grow_with_the_file(self, tmp_path, monkeypatch, arrow, as_dataset, n_processors):
        import pyarrow as pa

        small_blocks(monkeypatch, n_rows=2000, n_threads=n_processors)

        rng = np.random.default_rng(5)
        n_rows = 400_000
        table = pa.table(
            {
                "left": pa.array(["a"] * n_rows).dictionary_encode(),
                "right": pa.array(["b"] * n_rows).dictionary_encode(),
                "outcome": pa.array(["tie"] * n_rows).dictionary_encode(),
                "weight": rng.random(n_rows),
            }
        )
        path = tmp_path / "a.parquet"
        arrow.write(table, path, row_group_size=2000, compression="none", use_dictionary=False)
        del table
        before, most, n_chunks = pa.total_allocated_bytes(), 0, 0
        for _ in pv.scan_votes(arrow.dataset(path) if as_dataset else path).coded():
            most = max(most, pa.total_allocated_bytes() - before)
            n_chunks += 1
        assert n_chunks == 200
        # However far a scanner runs ahead of a slow consumer, it is a few dozen row groups.
        assert most < path.stat().st_size / 2

    @pytest.mark.parametrize("kind", ["ipc", "csv", "parquet"])
    def test_datasets_of_other_formats(self, tmp_path, arrow, kind):
        import pyarrow.dataset as ds

        votes = some_votes(30, full=False)
        ds.write_dataset(votes.to_frame("pyarrow"), tmp_path, format=kind)
        assert joined(pv.scan_votes(arrow.dataset(tmp_path, format=kind), chunk_rows=7)) == as_plain(votes)

    def test_a_dataset_with_a_filter_is_refused(self, tmp_path, arrow):
        import pyarrow.dataset as ds

        table = some_votes(full=False).to_frame("pyarrow")
        filtered = arrow.dataset(table).filter(ds.field("left") == "item 1")
        assert "without a filter" in message_of(lambda: pv.scan_votes(filtered))

    def test_whole_numbers_far_apart_and_rising(self, tmp_path, monkeypatch, arrow):
        small_blocks(monkeypatch)
        left = [5, 6, 7, 8, 9, 10, 200, 3, 2**62, -(2**62), 11, 2**62]
        table = arrow.table({"left": left, "right": [row + 1 for row in left], "outcome": ["tie"] * len(left)})
        arrow.write(table, tmp_path / "a.parquet")
        expected = pv.Votes.from_labels(left, [row + 1 for row in left], ["tie"] * len(left))
        assert joined(pv.scan_votes(tmp_path / "a.parquet", chunk_rows=2)) == as_plain(expected)

    def test_equal_dictionaries_are_looked_up_once(self, tmp_path, monkeypatch, arrow):
        small_blocks(monkeypatch)
        table = arrow.table({"left": ["a", "b"] * 10, "right": ["b", "c"] * 10, "outcome": ["tie", "left"] * 10})
        arrow.write(table, tmp_path / "a.parquet", row_group_size=10)
        pieces = list(pv.scan_votes(tmp_path / "a.parquet").coded())
        assert len(pieces) == 4
        for part in ("left", "right", "outcome"):
            assert len({id(getattr(piece, part).labels) for piece in pieces}) == 1

    def test_unknown_outcomes_that_no_row_has(self, tmp_path, arrow):
        import pyarrow as pa

        outcome = pa.DictionaryArray.from_arrays(pa.array([1, 1], pa.int32()), pa.array(["won", "tie"]))
        arrow.write(arrow.table({"left": ["a", "b"], "right": ["b", "c"], "outcome": outcome}), tmp_path / "a.parquet")
        (votes,) = pv.scan_votes(tmp_path / "a.parquet")
        assert votes.outcome.tolist() == [1, 1]

    @pytest.mark.parametrize(
        ("column", "words"),
        [
            ({"left": ["a"] * 7 + [None]}, "left at row 7 of {} is missing"),
            ({"left": ["a"] * 7 + ["b"]}, "row 7 of {} has 'b' against itself"),
            ({"left": [["a"]] * 8}, "left at row 0 of {} is ['a'], which is not hashable"),
            ({"outcome": ["tie"] * 6 + ["won", "tie"]}, "outcome at row 6 of {} is 'won'"),
            ({"outcome": ["tie"] * 6 + [None, "tie"]}, "outcome at row 6 of {} is missing"),
            ({"weight": [1.0] * 6 + [None, 1.0]}, "weight at row 6 of {} is missing"),
            ({"weight": [1.0] * 6 + [-1.0, 1.0]}, "weight at row 6 of {} is -1"),
        ],
    )
    def test_refusals_give_file_and_row(self, tmp_path, monkeypatch, arrow, column, words):
        small_blocks(monkeypatch)
        path = tmp_path / "a.parquet"
        columns = {"left": ["a"] * 8, "right": ["b"] * 8, "outcome": ["tie"] * 8} | column
        arrow.write(arrow.table(columns), path)
        assert words.format(path) in message_of(lambda: drain(pv.scan_votes(path)))

    def test_missing_outcomes_can_be_skips(self, tmp_path, arrow):
        path = tmp_path / "a.parquet"
        arrow.write(arrow.table({"left": ["a", "b"], "right": ["b", "c"], "outcome": ["tie", None]}), path)
        (piece,) = pv.scan_votes(path, outcomes={None: "skip"}).coded()
        assert (piece.outcome.codes >= 0).all()
        assert piece.votes().outcome.tolist() == [1, 3]

    def test_a_corrupt_part_is_named_with_the_row(self, tmp_path, monkeypatch, arrow):
        small_blocks(monkeypatch)
        rng = np.random.default_rng(3)
        paths = [tmp_path / f"part-{part}.parquet" for part in range(3)]
        table = arrow.table(
            {side: rng.integers(first, first + 10**9, size=40) for side, first in (("left", 0), ("right", 10**10))}
            | {"outcome": ["tie"] * 40}
        )
        for path in paths:
            arrow.write(table, path, row_group_size=10, compression="zstd", use_dictionary=False)
        raw = bytearray(paths[1].read_bytes())
        import pyarrow.parquet as pq

        chunk = pq.ParquetFile(paths[1]).metadata.row_group(2).column(0)
        start, length = chunk.data_page_offset, chunk.total_compressed_size
        raw[start : start + length] = bytes(length)
        paths[1].write_bytes(raw)
        message = message_of(lambda: drain(pv.scan_votes(paths)))
        assert message.startswith(f"{paths[1]} cannot be read as Parquet at rows 20 to 29 (")
        paths[1].write_bytes(raw[:-20])
        message = message_of(lambda: drain(pv.scan_votes(tmp_path)))
        assert f"'part-1.parquet' ({paths[1]} cannot be read as Parquet (" in message

    def test_a_name_with_a_dot_is_a_name(self, tmp_path, arrow):
        table = arrow.table({"a.b": ["x"], "a": [{"b": "z"}], "right": ["y"], "outcome": ["tie"]})
        arrow.write(table, tmp_path / "a.parquet")
        assert joined(pv.scan_votes(tmp_path / "a.parquet", left="a.b"))[0] == ("x", "y")

    def test_only_the_columns_wanted_are_read(self, tmp_path, monkeypatch, arrow):
        small_blocks(monkeypatch, n_threads=2)
        path = tmp_path / "a.parquet"
        pv.write_votes(some_votes(), path)
        import pyarrow.dataset as ds

        asked = []

        class Watched:
            @staticmethod
            def from_fragment(fragment, *, columns, **options):
                asked.append(sorted(columns))
                return SCANNER(fragment, columns=columns, **options)

        SCANNER = ds.Scanner.from_fragment
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ds, "Scanner", Watched)
            drain(pv.scan_votes(path))
            list(pv.scan_votes(path).coded())
        assert asked == [
            ["criterion", "left", "outcome", "right", "voter", "weight"],
            ["criterion", "left", "outcome", "right", "weight"],
        ]

    def test_without_pyarrow_the_extra_is_named(self, tmp_path, monkeypatch):
        path = tmp_path / "a.parquet"
        path.write_bytes(b"")
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        monkeypatch.delitem(sys.modules, "pyarrow.dataset", raising=False)
        assert "pip install 'pairvote[io]'" in message_of(lambda: pv.scan_votes(path))


class TestSources:
    def test_what_is_refused_at_once(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text(HEADER + "a,b,tie\n")
        empty = tmp_path / "empty"
        empty.mkdir()
        for call, words in (
            (lambda: pv.scan_votes(path, chunk_rows=0), "chunk_rows is 0"),
            (lambda: pv.scan_votes(path, chunk_rows=2.5), "chunk_rows is 2.5"),
            (lambda: pv.scan_votes(path, skip_rows=-1), "skip_rows is -1"),
            (lambda: pv.scan_votes(path, progress=1), "progress is 1"),
            (lambda: pv.scan_votes(path, format="xml"), "format is 'xml'"),
            (lambda: pv.scan_votes(path, left=3), "left is 3"),
            (lambda: pv.scan_votes(path, items=["a", "a"]), "items[1] is 'a' again"),
            (lambda: pv.scan_votes(path, outcomes={"won": "up"}), "outcomes['won'] is 'up'"),
            (lambda: pv.scan_votes(path, outcome="won"), f"{path} has no column 'won'"),
            (lambda: pv.scan_votes(tmp_path / "none.csv"), "there is no file"),
            (lambda: pv.scan_votes([path, tmp_path / "none.csv"]), "there is no file"),
            (lambda: pv.scan_votes([]), "empty list"),
            (lambda: pv.scan_votes(empty), "without files"),
            (lambda: pv.scan_votes("a\0.csv"), "cannot be read"),
            (lambda: pv.scan_votes(io.StringIO(HEADER)), "read_votes"),
            (lambda: pv.scan_votes(7), "source is 7"),
            (lambda: pv.scan_votes(["a.csv", 7]), "list of paths"),
        ):
            assert words in message_of(call)

    def test_what_cannot_be_read_again_is_refused(self, tmp_path):
        path = tmp_path / "a.csv"
        if not hasattr(os, "mkfifo"):
            pytest.skip("there are no named pipes here")
        os.mkfifo(path)
        assert "use read_votes" in message_of(lambda: pv.scan_votes(path))

    def test_a_folder_name_for_all_files_or_none(self, tmp_path):
        (tmp_path / "criterion=new").mkdir()
        (tmp_path / "criterion=new" / "a.csv").write_text(HEADER)
        (tmp_path / "b.csv").write_text(HEADER)
        assert "b.csv is in no folder criterion=" in message_of(lambda: pv.scan_votes(tmp_path))

    @pytest.mark.parametrize(("suffix", "content"), [("csv", ""), ("csv", "\n\n"), ("jsonl", ""), ("csv", "PK\3\4x")])
    def test_a_file_that_went_wrong(self, tmp_path, suffix, content):
        path = tmp_path / f"a.{suffix}"
        path.write_text(content)
        assert message_of(lambda: pv.scan_votes(path)) == message_of(lambda: pv.read_votes(path))

    def test_files_of_several_formats_in_a_list(self, tmp_path):
        votes = some_votes(10)
        paths = [tmp_path / f"a.{format}" for format in ("csv", "jsonl")]
        for path in paths:
            pv.write_votes(votes, path)
        assert joined(pv.scan_votes(paths, chunk_rows=3)) == as_plain(votes + votes)

    @pytest.mark.slow
    def test_a_loop_may_end_early(self, tmp_path, monkeypatch, format):
        small_blocks(monkeypatch)
        path = tmp_path / f"a.{format}"
        pv.write_votes(some_votes(), path)
        before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
        for _ in range(3):
            for _ in pv.scan_votes(path, chunk_rows=1):
                break
            chunks = pv.scan_votes(path, chunk_rows=1).coded()
            next(chunks)
            chunks.close()
        gc.collect()
        if before:
            assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1

    def test_progress_goes_to_stderr(self, tmp_path, capsys, format):
        path = tmp_path / f"a.{format}"
        pv.write_votes(some_votes(), path)
        drain(pv.scan_votes(path))
        assert capsys.readouterr().err == ""
        drain(pv.scan_votes(path, progress=True))
        out, err = capsys.readouterr()
        assert out == ""
        assert "100%" in err

    def test_its_repr(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text(HEADER)
        assert repr(pv.scan_votes(path, chunk_rows=1)) == "VoteScan(1 file, 19 bytes, chunks of 1 row)"
