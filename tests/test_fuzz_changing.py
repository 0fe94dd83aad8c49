"""Inputs that change while they are read, and Arrow files with impossible codes: votes or a PairvoteError come out."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from test_fuzz import attempt

import pairvote as pv

pytestmark = pytest.mark.slow

ITEMS = ["ash", "birch", "cedar"]
MEANINGS = ["left", "right", "tie", "skip"]


def run_apart(code: str, *arguments: str) -> str:
    """What a program prints that may end its interpreter, which must come to its end."""
    folder = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder.parent), str(folder)])}
    program = [sys.executable, "-c", code, *arguments]
    run = subprocess.run(program, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert run.returncode == 0, f"ended with {run.returncode} (-11 is a segmentation fault): {run.stderr[-2000:]}"
    return run.stdout


# --- another thread writes to what is read ---

WRITTEN_TO = """
import sys, threading
import numpy as np, pandas as pd, pairvote as pv
from test_fuzz import attempt

n, kind = 60_000, sys.argv[1]
codes, ones, outcome = np.zeros(n, np.int64), np.ones(n, np.int64), np.full(n, 2, np.uint8)
weight, mask, labels = np.ones(n), np.ones(n, bool), ["a"] * n
frame = pd.DataFrame({"left": codes, "right": ones, "outcome": pd.Categorical(["left"] * n)}, copy=False)
inside = frame["left"].to_numpy()
inside.flags.writeable = True
sound = pv.Votes.from_codes(codes, ones, outcome)
changes = {
    "codes": (codes, (2**31 - 1, -1, 0)), "labels": (codes, (2**40, -(2**62), 0)), "outcome": (outcome, (200, 3, 2)),
    "weight": (weight, (np.nan, -1.0, 1.0)), "mask": (mask, (False, True)), "frame": (inside, (2**40, -5, 0)),
    "voter": (codes, (2**40, -1, 0)), "constructed": (codes, (2**31 - 1, -1, 0)), "pairs": (codes, (2**31 - 1, 0)),
}
def pair_counts():
    start = np.zeros(n + 1, np.int64)
    return pv.PairCounts(items=tuple(range(n)), start=start, right=codes, table=np.ones((n, 3)), skipped=np.zeros(n))
calls = {
    "codes": lambda: pv.Votes.from_codes(codes, ones, outcome, n_items=2).counts(),
    "labels": lambda: pv.Votes.from_labels(codes, ones, ["left"] * n).counts(),
    "outcome": lambda: pv.Votes.from_codes(np.zeros(n, int), ones, outcome).counts(),
    "weight": lambda: pv.Votes.from_labels(np.zeros(n, int), ones, ["tie"] * n, weight=weight).counts(),
    "mask": lambda: sound.where(mask).counts(),
    "frame": lambda: pv.Votes.from_frame(frame).counts(),
    "voter": lambda: pv.Votes.from_codes(np.zeros(n, int), ones, outcome, voter=codes, criterion=codes),
    "list": lambda: pv.Votes.from_labels(labels, ["b"] * len(labels), ["left"] * len(labels)).counts(),
    "constructed": lambda: pv.Votes(items=("a", "b"), left=codes, right=ones, outcome=outcome).counts(),
    "pairs": pair_counts,
}
done = threading.Event()
def write():
    while not done.is_set():
        if kind == "list":
            del labels[100:]
            labels.extend(["c"] * n)
            continue
        array, values = changes[kind]
        for value in values:
            array[n // 2 :] = value
sys.setswitchinterval(1e-5)
thread = threading.Thread(target=write)
thread.start()
try:
    for _ in range(40):
        try:
            calls[kind]()
        except pv.PairvoteError:
            pass
finally:
    done.set()
    thread.join()
"""


@pytest.mark.parametrize(
    "kind", ["codes", "labels", "outcome", "weight", "mask", "frame", "voter", "list", "constructed", "pairs"]
)
def test_another_thread_writes_to_what_is_read(kind: str) -> None:
    run_apart(WRITTEN_TO, kind)


# --- what is read changes what is read ---


class Label:
    """A label whose hash and equality do something first."""

    def __init__(self, number: int, acts: list[Callable[[], Any]]) -> None:
        self.number, self.acts = number, acts

    def act(self) -> None:
        for act in self.acts:
            act()

    def __hash__(self) -> int:
        if self.number == 3:
            self.act()
        return self.number % 5

    def __eq__(self, other: object) -> bool:
        if self.number == 4:
            self.act()
        return isinstance(other, Label) and self.number == other.number

    def __repr__(self) -> str:
        self.act()
        return f"Label {self.number}"


class Fickle(Label):
    """A label that is now equal to another and now not even to itself."""

    turn = 0

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        Fickle.turn += 1
        return Fickle.turn % 3 == 0


def failing() -> None:
    raise RuntimeError("no hash today")


ACTIONS: dict[str, Callable[[list[Any]], Callable[[], Any]]] = {
    "clear": lambda victim: victim.clear,
    "pop": lambda victim: lambda: victim and victim.pop(),
    "grow": lambda victim: lambda: len(victim) < 1000 and victim.extend(victim[:50]),
    "replace": lambda victim: lambda: victim.__setitem__(slice(None), [None] * 3),
    "raise": lambda victim: failing,
    "nothing": lambda victim: victim.__len__,
}
CALLS: dict[str, Callable[[list[Any], list[Any]], Any]] = {
    "from_labels": lambda left, right: pv.Votes.from_labels(left, right, ["left"] * len(right)),
    "from_labels with items": lambda left, right: pv.Votes.from_labels(
        left, right, ["left"] * len(right), items=[*left, *right]
    ),
    "items": lambda left, right: pv.Votes.from_codes([0], [1], [2], items=left),
    "from_wins": pv.Votes.from_wins,
    "records": lambda left, right: pv.Votes.from_records(
        [[a, b, "left"] for a, b in zip(left, right, strict=True)], items=left
    ),
    "voter": lambda left, right: pv.Votes.from_codes(
        [0] * len(left), [1] * len(left), [2] * len(left), voter=left, criterion=left
    ),
    "outcome": lambda left, right: pv.Votes.from_labels(["a"] * len(left), ["b"] * len(left), left),
    "outcomes": lambda left, right: pv.Votes.from_labels(
        ["a"] * len(left), ["b"] * len(left), left, outcomes={left[5]: "tie", left[6]: "left"}
    ),
    "weight": lambda left, right: pv.Votes.from_codes([0] * len(left), [1] * len(left), [2] * len(left), weight=left),
    "added": lambda left, right: pv.Votes.from_wins(left, right) + pv.Votes.from_wins(right, left),
    "ratings": lambda left, right: pv.EloRatings(left),
}
INSIDE = """
import sys
import test_fuzz_changing as here
here.labels_change_lists(*sys.argv[1:])
"""


def labels_change_lists(name: str) -> None:
    for kind in (Label, Fickle):
        for action in ACTIONS.values():
            left: list[Any] = []
            right: list[Any] = []
            acts: list[Callable[[], Any]] = []
            left.extend(kind(n, acts) for n in range(300))
            right.extend(kind(1_000 + n, acts) for n in range(300))
            acts.append(action(left))
            with suppress(pv.PairvoteError):
                found = CALLS[name](left, right)
                if isinstance(found, pv.Votes):
                    assert max(found.left.max(initial=0), found.right.max(initial=0)) < found.n_items
                    found.counts()


@pytest.mark.parametrize("name", CALLS)
def test_labels_change_the_list_that_they_stand_in(name: str) -> None:
    run_apart(INSIDE, name)


class Changing:
    """What gives another array whenever it is asked."""

    def __init__(self, *arrays: Any) -> None:
        self.arrays, self.turn = arrays, 0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.turn += 1
        return self.arrays[self.turn % len(self.arrays)]

    def __len__(self) -> int:
        self.turn += 1
        return self.turn * 1000

    def __iter__(self) -> Iterator[Any]:
        return iter(self.arrays[self.turn % len(self.arrays)].tolist())


class Long(list):  # type: ignore[type-arg]
    """A list that is longer than it says, and shorter."""

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, place: Any) -> Any:
        return 7


def growing(values: list[Any]) -> Iterator[Any]:
    for value in list(values):
        values.append(value)
        yield value


SELF: list[Any] = [0, 1]
SELF.append(SELF)
STRANGE: dict[str, Callable[[], Any]] = {
    "another array each time": lambda: Changing(np.array([0, 1, 0]), np.array([5, 5]), np.array([-1, 2**40, 0])),
    "another type each time": lambda: Changing(np.array([0, 1, 0]), np.array(["a", "b", "c"]), np.array(0)),
    "a length that is not so": lambda: Long([0, 1, 0]),
    "an iterator that changes its list": lambda: growing([0, 1, 0]),
    "a deque": lambda: deque([0, 1, 0]),
    "a list that holds itself": lambda: SELF,
    "no array": lambda: Changing(None),
    "a view with a writable base": lambda: np.lib.stride_tricks.as_strided(np.zeros(1, np.int64), (3,), (0,)),
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("column", ["left", "right", "outcome", "voter", "weight", "criterion", "items"])
def test_columns_that_change_between_looks(name: str, column: str) -> None:
    codes: dict[str, Any] = {"left": [0, 1, 2], "right": [1, 2, 0], "outcome": [2, 1, 3]}
    attempt(pv.Votes.from_codes, **codes | {column: STRANGE[name]()})
    labels = codes | {"outcome": ["left", "tie", "skip"]}
    attempt(pv.Votes.from_labels, **labels | {column: STRANGE[name]()})
    sound = pv.Votes.from_codes(**codes)
    attempt(sound.where, STRANGE[name]())
    attempt(pv.Votes.from_matrix, STRANGE[name]())
    attempt(pv.Votes.from_choix, STRANGE[name]())
    attempt(pv.Votes.from_records, STRANGE[name]())


# --- Arrow ---


@st.composite
def arrow_columns(draw: st.DrawFn, labels: list[Any], n_rows: int, *, chunked: bool) -> Any:
    """A dictionary column, most of them sound, some with codes that its dictionary does not have; or plain values."""
    import pyarrow as pa

    if draw(st.integers(0, 4)) == 0:
        return pa.array(draw(st.lists(st.sampled_from([*labels, None]), min_size=n_rows, max_size=n_rows)))
    chunks = []
    cuts = sorted(draw(st.lists(st.integers(0, n_rows), max_size=2))) if chunked else []
    for first, last in zip([0, *cuts], [*cuts, n_rows], strict=True):
        dictionary = draw(st.permutations(labels)) if chunked else labels
        dictionary = [*dictionary, *draw(st.sampled_from([[], [], [None], labels[:1]]))]
        code = st.integers(0, len(labels) - 1)
        if draw(st.integers(0, 2)) == 0:
            code |= st.none() | st.sampled_from([-1, -2, -7, -100, len(labels), 100])
        codes = draw(st.lists(code, min_size=last - first, max_size=last - first))
        kind = draw(st.sampled_from([pa.int8(), pa.int32(), pa.int64()])) if not chunked else pa.int32()
        chunks.append(pa.DictionaryArray.from_arrays(pa.array(codes, kind), pa.array(dictionary), safe=False))
    return pa.chunked_array(chunks)


@st.composite
def arrow_tables(draw: st.DrawFn, *, chunked: bool) -> Any:
    import pyarrow as pa

    n_rows = draw(st.integers(0, 12))
    columns = {
        "left": draw(arrow_columns(ITEMS[:2], n_rows, chunked=chunked)),
        "right": draw(arrow_columns(ITEMS[2:], n_rows, chunked=chunked)),
        "outcome": draw(arrow_columns(MEANINGS, n_rows, chunked=chunked)),
    }
    if draw(st.booleans()):
        columns["voter"] = draw(arrow_columns(["anna", "bo"], n_rows, chunked=chunked))
    return pa.table(columns)


def read_arrow(road: str) -> None:
    """Read hypothesis's tables; print how many were read and how many refused."""
    accepted = []

    def tried(read: Callable[[], Any]) -> None:
        accepted.append(attempt(read))

    @hypothesis.settings(max_examples=150, database=None)
    @hypothesis.given(arrow_tables(chunked=False))
    def files(table: Any) -> None:
        import pyarrow.dataset as ds
        from pyarrow import feather

        with tempfile.TemporaryDirectory() as folder:
            feather.write_feather(table, f"{folder}/votes.feather", compression="uncompressed", chunksize=5)
            dataset = ds.dataset(folder, format="feather")
            tried(lambda: sum(pv.scan_votes(dataset), start=pv.Votes.from_codes([], [], [])))
            pv_counts(dataset)

    def pv_counts(dataset: Any) -> None:
        try:
            pv.count_pairs(pv.scan_votes(dataset))
        except pv.PairvoteError:
            return

    @hypothesis.settings(max_examples=300, database=None)
    @hypothesis.given(arrow_tables(chunked=True))
    def frames(table: Any) -> None:
        tried(lambda: pv.Votes.from_frame(table))

    {"files": files, "frames": frames}[road]()
    print(sum(accepted), len(accepted))


ARROW = """
import sys
import conftest, test_fuzz_changing as here
here.read_arrow(sys.argv[1])
"""


@pytest.mark.parametrize("road", ["files", "frames"])
def test_arrow_with_codes_that_are_in_no_dictionary(road: str) -> None:
    pytest.importorskip("pyarrow")
    accepted, tried = map(int, run_apart(ARROW, road).split())
    assert accepted >= 0.2 * tried, f"only {accepted} of {tried} were read"
