"""Arrow's arrays with indices or offsets that point outside are refused by file and row, however they are read."""

from __future__ import annotations

import re
import threading

import numpy as np
import polars as pl
import pytest

import pairvote as pv

pa = pytest.importorskip("pyarrow")
ds = pytest.importorskip("pyarrow.dataset")

N_ROWS, BAD_ROW = 90, 70
# A table in memory is a dataset whose fragments are its chunks.
BAD_ROW_OF = r"(70|70 of \S*x\.feather|10 of fragment 1 of the dataset)"
LABELS = {
    "left": ["ash", "birch", "cedar"],
    "right": ["oak", "pine", "rowan"],
    "outcome": ["left", "right", "tie"],
    "voter": ["anna", "bo", "cia"],
    "criterion": ["new", "new", "new"],
    "weight": [1.0, 2.0, 3.0],
}
PLAIN = pa.schema(
    {name: pa.string() for name in ("left", "right", "outcome", "voter")}
    | {"weight": pa.float64(), "criterion": pa.string()}
)
BAD = [-1, -2, -3, -1000, 3, 2**31 - 1]


def dictionary(codes, labels):
    values = labels if isinstance(labels, pa.Array) else pa.array(labels)
    return pa.DictionaryArray.from_arrays(codes, values, safe=False)


def table(where=None, value=0, index_type=np.int32, missing=False):
    """Votes as dictionary columns in chunks, with one bad index in the column `where`."""
    columns = {}
    for name, labels in LABELS.items():
        codes = np.arange(N_ROWS, dtype=index_type if name == where else np.int32) % 3
        mask = np.zeros(N_ROWS, bool)
        mask[5] = missing and name in ("voter", "criterion")
        if name == where:
            codes[BAD_ROW] = value
        whole = dictionary(pa.array(codes, mask=mask), labels)
        columns[name] = pa.chunked_array([whole[:60], whole[60:80], whole[80:]])
    return pa.table(columns)


def broken_text(offsets, type=None):
    """An array of texts, and a function that gives it these offsets into its ten bytes."""
    type = type or pa.string()
    width = np.int64 if type == pa.large_string() else np.int32
    begins = np.zeros(len(offsets), width)
    array = pa.Array.from_buffers(type, len(offsets) - 1, [None, pa.py_buffer(begins), pa.py_buffer(b"ashbirchoa")])
    return array, lambda: np.copyto(begins, offsets)


def ipc(folder, data):
    with pa.ipc.new_file(str(folder / "x.feather"), data.schema) as writer:
        for batch in data.to_batches(max_chunksize=25):
            writer.write_batch(batch)
    return ds.dataset(str(folder), format="feather")


def drain(source):
    return [len(votes) for votes in pv.scan_votes(source)]


READERS = {
    "from_frame": lambda data, folder: pv.Votes.from_frame(data),
    "scan": lambda data, folder: drain(ds.dataset(data)),
    "count": lambda data, folder: pv.count_pairs(pv.scan_votes(ds.dataset(data))),
    "scan of a file": lambda data, folder: drain(ipc(folder, data)),
}


@pytest.fixture(params=READERS)
def reader(request):
    return READERS[request.param]


@pytest.mark.parametrize("where", LABELS)
@pytest.mark.parametrize("value", BAD)
def test_an_index_outside_its_dictionary_is_refused_with_its_row(tmp_path, reader, where, value):
    if reader is READERS["count"] and where == "voter":
        # Voters are not read to count pairs.
        assert reader(table(where, value), tmp_path).total > 0
        return
    with pytest.raises(pv.InputError, match=rf"{where} at row {BAD_ROW_OF} has the index {value}, "):
        reader(table(where, value), tmp_path)


@pytest.mark.parametrize("index_type", [np.int8, np.int16, np.int64, np.uint8, np.uint32, np.uint64])
def test_indices_of_any_type(tmp_path, reader, index_type):
    value = np.iinfo(index_type).max if np.dtype(index_type).kind == "u" else -2
    with pytest.raises(pv.InputError, match=rf"left at row {BAD_ROW_OF} has the index"):
        reader(table("left", value, index_type), tmp_path)
    reader(table("left", 2, index_type), tmp_path)


def test_a_file_is_named(tmp_path):
    with pytest.raises(pv.InputError, match=r"row 70 of .*x\.feather has the index -2"):
        drain(ipc(tmp_path, table("left", -2)))


def test_good_indices_and_nulls_are_read_as_they_are():
    votes = pv.Votes.from_frame(table(missing=True).drop_columns("weight"))
    assert votes.voter[5] == -1
    assert votes.items == ("ash", "oak", "birch", "pine", "cedar", "rowan")
    (chunk,) = pv.scan_votes(ds.dataset(table(missing=True).drop_columns("weight")))
    assert chunk.voter.tolist() == votes.voter.tolist()
    assert (chunk.left == votes.left).all()


def test_an_empty_dictionary():
    indices = pa.array([None] * N_ROWS, pa.int32())
    data = table().set_column(3, "voter", dictionary(indices, pa.array([], pa.string())))
    assert (pv.Votes.from_frame(data).voter == -1).all()
    data = data.set_column(0, "left", dictionary(pa.array([0] * N_ROWS, pa.int32()), pa.array([], pa.string())))
    with pytest.raises(pv.InputError, match="left at row 0 has the index 0, which picks none of the 0 labels"):
        pv.Votes.from_frame(data)


def test_a_single_column():
    bad = dictionary(pa.array([0, -5], pa.int32()), ["ash", "birch"])
    with pytest.raises(pv.InputError, match="winners at row 1 has the index -5"):
        pv.Votes.from_wins(bad, ["oak", "oak"])


@pytest.mark.parametrize("as_str", [False, True])
def test_data_frames_of_pandas(as_str):
    pd = pytest.importorskip("pandas")
    dtype = pd.CategoricalDtype(["ash", "birch"])
    for codes in ([0, -2], [0, 2], [0, 100]):
        column = pd.Categorical.from_codes(np.array(codes, np.int8), dtype=dtype, validate=False)
        data = pd.DataFrame({"left": column, "right": "oak", "outcome": "tie"})
        with pytest.raises(pv.InputError, match=f"left at row 1 has the index {codes[1]}"):
            pv.Votes.from_frame(data)
    arrow = dictionary(pa.array([0, -2], pa.int32()), ["ash", "birch"])
    text, corrupt = broken_text([0, 11, 3])
    column = pd.arrays.ArrowExtensionArray(pa.chunked_array([text if as_str else arrow]))
    data = pd.DataFrame({"left": column, "right": "oak", "outcome": "tie"})
    corrupt()
    with pytest.raises(pv.InputError, match=r"left at row [01]"):
        pv.Votes.from_frame(data)


@pytest.mark.parametrize("type", [pa.string(), pa.large_string(), pa.binary()])
@pytest.mark.parametrize("offsets", [[0, 3, 10**6], [0, 3, -3], [0, 8, 3], [-2, 3, 8], [0, 2**31 - 1, 8]])
def test_texts_outside_their_memory(type, offsets):
    broken, corrupt = broken_text(offsets, type)
    rest = {"right": ["oak"] * 4, "outcome": ["tie"] * 4}
    plain = pa.table({"left": pa.chunked_array([pa.array(["ash", "elm"], type), broken]), **rest})
    coded = pa.table({"left": dictionary(pa.array([0, 1, 0, 1]), broken), **rest})
    corrupt()
    for read in (pv.Votes.from_frame, lambda data: drain(ds.dataset(data))):
        with pytest.raises(pv.InputError, match=r"left (at|from) row"):
            read(plain)
        with pytest.raises(pv.InputError, match=r"the dictionary of left (at|from) row"):
            read(coded)


def test_sliced_texts_with_nulls():
    array = pa.array(["", None, "ash", "birch", None, "å", "oak"])[2:]
    data = pa.table({"left": ["a"] * 5, "right": ["b"] * 5, "outcome": ["tie"] * 5, "voter": array})
    votes = pv.Votes.from_frame(data)
    assert votes.voters == ("ash", "birch", "å", "oak")
    assert votes.voter.tolist() == [0, 1, -1, 2, 3]


@pytest.mark.slow
def test_files_with_bytes_changed(tmp_path):
    rng = np.random.default_rng(1)
    refused = 0
    for turn in range(300):
        data = table() if turn % 2 else pv.Votes.from_frame(table()).to_frame("pyarrow").cast(PLAIN)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, data.schema) as writer:
            for batch in data.to_batches(max_chunksize=25):
                writer.write_batch(batch)
        content = bytearray(sink.getvalue().to_pybytes())
        for place in rng.integers(len(content), size=rng.integers(1, 6)):
            content[place] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        # A file of its own, since a scanner that was given up may still be reading the last one.
        path = tmp_path / f"{turn}.arrow"
        path.write_bytes(content)
        for opened, read in (
            (lambda path=path: ds.dataset(path, format="ipc"), drain),
            (lambda path=path: pa.ipc.open_file(str(path)).read_all(), pv.Votes.from_frame),
        ):
            try:
                source = opened()
            except (pa.ArrowException, OSError, UnicodeDecodeError):
                continue
            try:
                read(source)
            except pv.InputError:
                refused += 1
    assert refused > 100


def found_or_refused(read, data):
    """Which of the two; of items, no others than those that there are. An index may be half old and half new."""
    try:
        found = read(data)
    except pv.InputError as error:
        return "refused" if re.search(r"has the index -\d+,", str(error)) else str(error)
    return "found" if set(found.items) <= {"ash", "birch", "cedar", "oak"} else str(found.items)


def test_a_table_that_another_thread_changes():
    n = 200_000
    codes = np.zeros(n, np.int32)
    shared = pa.Array.from_buffers(pa.int32(), n, [None, pa.py_buffer(codes)])
    column = dictionary(shared, ["ash", "birch", "cedar"])
    other = dictionary(pa.array(np.zeros(n, np.int32)), ["oak"])
    outcome = dictionary(pa.array(np.zeros(n, np.int32)), ["left"])
    data = pa.table({"left": column, "right": other, "outcome": outcome})
    ended = threading.Event()

    def change():
        while not ended.is_set():
            codes[:] = 2
            codes[n // 2 :] = -7
            codes[:] = 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(20):
            for read in (pv.Votes.from_frame, lambda data: pv.count_pairs(pv.scan_votes(ds.dataset(data)))):
                assert found_or_refused(read, data) in ("found", "refused")
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("make", [lambda ns: pa.array(ns, pa.time64("ns")), lambda ns: pl.Series(ns).cast(pl.Time)])
def test_times_of_day_do_not_lose_their_nanoseconds(make) -> None:
    """Three different labels may not become one."""
    with pytest.raises(pv.InputError, match=r"left at row 1 is a time of day to the nanosecond"):
        pv.Votes.from_labels(make([1000, 2, 3]), ["x", "y", "z"], ["left"] * 3)
    assert pv.Votes.from_labels(make([1000, 2000, 1000]), ["x", "y", "z"], ["left"] * 3).n_items == 5
