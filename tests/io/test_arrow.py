"""Arrow IPC, which Feather is, in files and in streams: read whole, in batches, and refused where it is broken."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote.io import _arrow, _parquet_batches
from pairvote.io._formats import FORMATS
from pairvote.io._parquet_batches import Sizes

pa = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")

N_ROWS = 40
NAMES = [f"tree {number}" for number in range(9)]
COLUMNS = {
    "note": [[number] for number in range(N_ROWS)],
    "left": [NAMES[number % 4] for number in range(N_ROWS)],
    "right": [NAMES[4 + number % 5] for number in range(N_ROWS)],
    "outcome": [("left", "right", "tie", "skip")[number % 4] for number in range(N_ROWS)],
    "voter": [None if number % 7 == 0 else number % 3 for number in range(N_ROWS)],
    "weight": [0.5 + number for number in range(N_ROWS)],
}
EXPECTED = pv.Votes.from_labels(**{name: column for name, column in COLUMNS.items() if name != "note"})


def written(kind, columns=None, batch_rows=7, **options):
    """A table in the bytes of one kind of IPC."""
    table = pa.table(COLUMNS if columns is None else columns)
    held = io.BytesIO()
    if kind == "feather":
        feather.write_feather(table, held, chunksize=batch_rows, **options)
        return held.getvalue()
    new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with new(held, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return held.getvalue()


def parquet_of(columns):
    held = io.BytesIO()
    parquet.write_table(pa.table(columns), held)
    return held.getvalue()


def as_plain(votes):
    arrays = (votes.left, votes.right, votes.outcome, votes.voter, votes.weight, votes.criterion)
    columns = [None if array is None else array.tolist() for array in arrays]
    return votes.items, votes.voters, votes.criteria, columns


def message_of(action):
    with pytest.raises(pv.InputError) as caught:
        action()
    return str(caught.value)


@pytest.fixture(params=["file", "stream", "feather"])
def kind(request):
    return request.param


class TestReading:
    @pytest.mark.parametrize("suffix", ["arrow", "feather", "ipc", "csv", ""])
    @pytest.mark.parametrize(("batch_rows", "n_rows"), [(7, 5), (1, 100), (100, 3), (100, 100)])
    def test_whole_and_in_batches(self, tmp_path, monkeypatch, kind, suffix, batch_rows, n_rows):
        sizes = Sizes(batch_rows=n_rows, many_texts=0)
        monkeypatch.setitem(FORMATS, "arrow", replace(FORMATS["arrow"], scan=partial(_arrow.scan, sizes=sizes)))
        path = tmp_path / f"votes.{suffix}"
        path.write_bytes(written(kind, batch_rows=batch_rows))
        assert as_plain(pv.read_votes(path)) == as_plain(EXPECTED)
        assert as_plain(pv.read_votes(io.BytesIO(path.read_bytes()))) == as_plain(EXPECTED)
        (votes,) = pv.scan_votes(path)
        assert as_plain(votes) == as_plain(EXPECTED)
        chunks = list(pv.scan_votes(path, chunk_rows=3))
        assert [len(chunk) for chunk in chunks] == [3] * 13 + [1]
        (votes,) = pv.scan_votes(path, skip_rows=33)
        assert len(votes) == N_ROWS - 33

    def test_compressed_columns_and_dictionaries(self, kind):
        columns = {
            **COLUMNS,
            "left": pa.array(COLUMNS["left"]).dictionary_encode(),
            "right": pa.array(COLUMNS["right"], pa.large_string()),
        }
        options = (
            {"compression": "zstd"} if kind == "feather" else {"options": pa.ipc.IpcWriteOptions(compression="lz4")}
        )
        votes = pv.read_votes(io.BytesIO(written(kind, columns, **options)))
        assert as_plain(votes) == as_plain(EXPECTED)

    def test_a_dictionary_that_changes_within_a_stream(self):
        held = io.BytesIO()
        batches = [
            pa.record_batch(
                {
                    "left": pa.array(COLUMNS["left"][first : first + 10]).dictionary_encode(),
                    "right": COLUMNS["right"][first : first + 10],
                    "outcome": COLUMNS["outcome"][first : first + 10],
                }
            )
            for first in range(0, N_ROWS, 10)
        ]
        with pa.ipc.new_stream(held, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        expected = pv.Votes.from_labels(COLUMNS["left"], COLUMNS["right"], COLUMNS["outcome"])
        assert as_plain(pv.read_votes(io.BytesIO(held.getvalue()))) == as_plain(expected)

    def test_booleans_and_cells_that_mean_a_missing_value(self, kind):
        columns = {"left": ["a", "b"], "right": ["b", "c"], "outcome": [True, False], "voter": ["NA", "bo"]}
        content = written(kind, columns)
        votes = pv.read_votes(io.BytesIO(content), outcomes={True: "left", False: "right"}, na="NA")
        assert votes.outcome.tolist() == [2, 0]
        assert votes.to_columns()["voter"] == [None, "bo"]

    @pytest.mark.filterwarnings("ignore:1 row skipped")
    @pytest.mark.parametrize("part", ["left", "voter", "criterion"])
    @pytest.mark.parametrize(
        "values",
        [
            pa.array([1.5, float("nan"), 2.5]),
            pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(["x", None, "y"])),
            pa.array(["x", None, "y"]),
        ],
        ids=["nan", "null in a dictionary", "null"],
    )
    def test_missing_labels_are_those_of_parquet(self, tmp_path, kind, part, values):
        right = pa.array([3.5] * 3) if part == "left" and pa.types.is_floating(values.type) else pa.array(["z"] * 3)
        columns = {"left": pa.array(["a"] * 3), "right": right, "outcome": ["left", "tie", "right"], part: values}
        path = tmp_path / "votes.arrow"
        path.write_bytes(written(kind, columns, batch_rows=9))
        held = io.BytesIO(parquet_of({**columns, part: pa.array(values.to_pylist())}))
        expected = as_plain(pv.read_votes(held, bad_rows="skip"))
        assert as_plain(pv.read_votes(path, bad_rows="skip")) == expected
        (votes,) = pv.scan_votes(path, bad_rows="skip")
        assert as_plain(votes) == expected
        if part == "left":
            assert "left at row 1" in message_of(lambda: pv.read_votes(path))
            assert "left at row 1" in message_of(lambda: list(pv.scan_votes(path)))

    @pytest.mark.parametrize("part", ["left", "outcome", "voter", "criterion"])
    @pytest.mark.parametrize("nested", [[["a"], ["b"]], [{"x": 1}, {"x": 2}], [[("a", 1)], [("b", 2)]]])
    @pytest.mark.parametrize("bad_rows", ["raise", "skip"])
    def test_lists_and_records_are_no_labels(self, tmp_path, kind, part, nested, bad_rows):
        of_map = pa.map_(pa.string(), pa.int64()) if isinstance(nested[0], list) and nested[0] != ["a"] else None
        columns = {"left": ["a", "b"], "right": ["c", "d"], "outcome": ["left", "tie"], part: pa.array(nested, of_map)}
        path = tmp_path / "votes.bin"
        for content in (written(kind, columns), parquet_of(columns)):
            path.write_bytes(content)
            message = message_of(lambda: pv.read_votes(path, bad_rows=bad_rows))
            assert f"{part} at row 0" in message
            assert f"{part} at row 0" in message_of(lambda: list(pv.scan_votes(path, bad_rows=bad_rows)))

    def test_no_rows(self, tmp_path, kind):
        path = tmp_path / "a.arrow"
        path.write_bytes(written(kind, {name: pa.array([], pa.string()) for name in ("left", "right", "outcome")}))
        assert len(pv.read_votes(path)) == 0
        assert list(pv.scan_votes(path)) == []

    def test_folders_names_are_columns(self, tmp_path, kind):
        for value in ("new", "useful"):
            (tmp_path / f"criterion={value}").mkdir()
            (tmp_path / f"criterion={value}" / "a.arrow").write_bytes(written(kind))
        (votes,) = pv.scan_votes(tmp_path)
        assert votes.to_columns()["criterion"] == ["new"] * N_ROWS + ["useful"] * N_ROWS
        assert as_plain(pv.read_votes(tmp_path)) == as_plain(votes)

    def test_batches_are_read_as_they_are_needed(self, tmp_path, kind):
        n_rows = 200_000
        columns = {name: pa.array(column * (n_rows // N_ROWS)) for name, column in COLUMNS.items()}
        path = tmp_path / "a.arrow"
        path.write_bytes(written(kind, columns, batch_rows=2000))
        del columns
        before, most = pa.total_allocated_bytes(), 0
        for _ in pv.scan_votes(path).coded():
            most = max(most, pa.total_allocated_bytes() - before)
        assert most < path.stat().st_size / 10


def zipped(content):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("votes", content)
    return held.getvalue()


class TestPacked:
    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zipped])
    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_packed_files_are_the_same(self, tmp_path, monkeypatch, kind, pack, n_threads):
        sizes = Sizes(batch_rows=5, n_threads=n_threads)
        register = {"arrow": _arrow.scan, "parquet": _parquet_batches.scan}
        for name, scan in register.items():
            monkeypatch.setitem(FORMATS, name, replace(FORMATS[name], scan=partial(scan, sizes=sizes)))
        held = io.BytesIO()
        parquet.write_table(pa.table(COLUMNS), held, row_group_size=9)
        for content in (written(kind), held.getvalue()):
            path = tmp_path / "votes.gz"
            path.write_bytes(pack(content))
            assert as_plain(pv.read_votes(path)) == as_plain(EXPECTED)
            (votes,) = pv.scan_votes(path)
            assert as_plain(votes) == as_plain(EXPECTED)
            (votes,) = pv.scan_votes(path, skip_rows=33)
            assert votes.to_columns()["weight"] == COLUMNS["weight"][33:]


class TestRefusals:
    def test_rows_are_named(self, tmp_path, kind):
        path = tmp_path / "a.arrow"
        path.write_bytes(written(kind, {**COLUMNS, "right": [*COLUMNS["right"][:-1], COLUMNS["left"][-1]]}))
        words = f"row 39 of {path} has 'tree 3' against itself"
        assert words in message_of(lambda: pv.read_votes(path))
        assert words in message_of(lambda: list(pv.scan_votes(path)))
        message = message_of(lambda: pv.scan_votes(path, outcome="won"))
        assert "no column 'won'" in message

    def test_every_file_that_was_cut(self, tmp_path, kind):
        content = written(kind)
        path = tmp_path / "a.arrow"
        for length in range(8, len(content) - 8, 97):
            path.write_bytes(content[:length])
            for action in (lambda: pv.read_votes(path), lambda: list(pv.scan_votes(path))):
                try:
                    action()
                except pv.InputError:
                    continue
                # What ends with a whole batch looks like a whole stream.
                assert kind == "stream"

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_broken_bytes_only_raise_input_errors(self, data):
        content = bytearray(written(data.draw(st.sampled_from(["file", "stream", "feather"])), batch_rows=20))
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            votes = pv.read_votes(io.BytesIO(bytes(content)), format="arrow")
        except pv.InputError:
            return
        assert len(votes) <= 10 * N_ROWS

    def test_an_open_text_is_refused(self, tmp_path):
        path = tmp_path / "a.feather"
        path.write_bytes(written("file"))
        with path.open(encoding="latin-1") as text:
            assert "open it as bytes" in message_of(lambda: pv.read_votes(text))

    def test_it_is_not_written(self, tmp_path):
        assert "pass format='csv'" in message_of(lambda: pv.write_votes(EXPECTED, tmp_path / "a.arrow"))
