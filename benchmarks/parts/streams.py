"""Files larger than memory: counting 100 million votes over 129 items, beside what pyarrow needs only to read them.

Every call has a process of its own, which has imported what it uses; the files are in the system's cache where they
fit. Memory is all of the process at its peak, with the interpreter and pyarrow. "Off by" is the distance of the votes
that each item won, a tie for half, to those that were written.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

import pairvote as pv
from benchmarks import memory
from benchmarks.cases import Case, Group, Scores, SeededVotes, Size, make_votes
from benchmarks.goals import GIB, Within

N_ITEMS = 129
N_VOTES: dict[Size, int] = {"full": 100_000_000, "quick": 10_000_000, "tiny": 2_000}
WRITTEN_AT_ONCE = 1_000_000
COLUMNS = ["left", "right", "outcome"]
TIMES_READING = 1.5
COUNTING = "pairvote.count_pairs(scan_votes)"


@dataclass(frozen=True)
class Files:
    """The votes as CSV and as Parquet of plain text columns, and how many of them each item won."""

    folder: TemporaryDirectory[str]
    won: Scores

    def path(self, suffix: str) -> Path:
        """Where they are."""
        return Path(self.folder.name, f"votes.{suffix}")


class Finished(NamedTuple):
    """What a process has to say."""

    seconds: float
    peak_bytes: int | None
    won: Scores | None


@cache
def _files(size: Size) -> Files:
    import pyarrow as pa
    from pyarrow import csv, parquet

    files = Files(TemporaryDirectory(), np.zeros(N_ITEMS))
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    unquoted = csv.WriteOptions(quoting_style="none")
    n_left = N_VOTES[size]
    with (
        parquet.ParquetWriter(files.path("parquet"), schema) as as_parquet,
        csv.CSVWriter(files.path("csv"), schema, write_options=unquoted) as as_csv,
    ):
        while n_left:
            block = make_votes(N_ITEMS, min(n_left, WRITTEN_AT_ONCE), seed=n_left)
            n_left -= len(block)
            table = pa.table(_columns(block), schema=schema)
            as_parquet.write_table(table)
            as_csv.write_table(table)
            files.won[:] += _won(block.held().counts())
    return files


def _columns(block: SeededVotes) -> list[Any]:
    import pyarrow as pa

    names = pa.array(["right", "tie", "left"])
    items = pa.array(block.labels)
    return [items.take(pa.array(block.left)), items.take(pa.array(block.right)), names.take(pa.array(block.outcome))]


def _won(counts: pv.PairCounts) -> Scores:
    totals = dict(zip(counts.items, counts.item_totals() @ [0.0, 0.5, 1.0, 0.0], strict=True))
    return np.array([totals.get(f"item-{code:05d}", 0.0) for code in range(N_ITEMS)])


def from_parquet(size: Size) -> Group:
    """Text columns, whose pages hold a dictionary as pyarrow writes them."""
    reading = "pyarrow.dataset, columns only"
    cases = (
        _case(size, reading, "pyarrow", "read_parquet", "parquet"),
        _case(size, COUNTING, "pairvote", "count", "parquet", goal=Within(TIMES_READING, of=reading, n_bytes=GIB)),
        _case(size, "pairvote.elo(scan_votes)", "pairvote", "elo", "parquet"),
    )
    return _group("Parquet", size, cases)


def from_csv(size: Size) -> Group:
    """Cells without quotes."""
    reading = "pyarrow.csv.open_csv, columns only"
    cases = (
        _case(size, reading, "pyarrow", "read_csv", "csv"),
        _case(size, COUNTING, "pairvote", "count", "csv", goal=Within(TIMES_READING, of=reading, n_bytes=GIB)),
    )
    return _group("CSV", size, cases)


def _group(title: str, size: Size, cases: tuple[Case, ...]) -> Group:
    return Group(
        title=f"{title}: {N_VOTES[size]:,} votes over {N_ITEMS} items, 10% ties",
        cases=cases,
        unit="votes won",
        reference=lambda: _files(size).won,
    )


def _case(size: Size, name: str, library: str, work: str, suffix: str, goal: Any = None) -> Case:
    counts = work == "count"
    return Case(
        name=name,
        library=library,
        fresh=lambda: partial(_run, work, _files(size).path(suffix)),
        n_votes=N_VOTES[size],
        scores=(lambda finished: finished.won) if counts else None,
        comparable=counts,
        goal=goal,
        memory=False,
        own_cost=lambda finished: (finished.seconds, finished.peak_bytes),
        note="memory is all of the process",
    )


def _run(work: str, path: Path) -> Finished:
    done = memory.run_module("benchmarks.parts.streams", work, str(path))
    if done.returncode:
        raise RuntimeError(f"the process that was to {work} {path.name} failed:\n{done.stderr}")
    seconds, peak_bytes, won = json.loads(done.stdout)
    return Finished(seconds, peak_bytes, None if won is None else np.array(won))


# --- in a process of its own ---


def _read_parquet(path: Path) -> None:
    """The text columns as dictionaries, in the order of the file: the quickest way to read them that we found."""
    from pyarrow import dataset

    options = dataset.ParquetReadOptions(dictionary_columns=COLUMNS)
    file = dataset.dataset(path, format=dataset.ParquetFileFormat(read_options=options))
    for _ in file.scanner(columns=COLUMNS, batch_size=2**17).to_batches():
        pass


def _read_csv(path: Path) -> None:
    """The columns as text, which is quicker than as dictionaries."""
    import pyarrow as pa
    from pyarrow import csv

    options = csv.ConvertOptions(include_columns=COLUMNS, column_types=dict.fromkeys(COLUMNS, pa.string()))
    read = csv.ReadOptions(block_size=2**22)
    for _ in csv.open_csv(path, read_options=read, convert_options=options):
        pass


def _count(path: Path) -> pv.PairCounts:
    return pv.count_pairs(pv.scan_votes(path))


def _elo(path: Path) -> None:
    pv.elo(pv.scan_votes(path))


WORKS = {"read_parquet": _read_parquet, "read_csv": _read_csv, "count": _count, "elo": _elo}


def _main(work: str, path: Path) -> None:
    """Time one call, and print its seconds, the peak in bytes, and what each item won if it counted."""
    few = Path(path.parent, f"few{path.suffix}")
    pv.write_votes(make_votes(N_ITEMS, 100).held(), few)
    WORKS[work](few)

    def timed() -> tuple[float, Any]:
        begun = time.perf_counter()
        result = WORKS[work](path)
        return time.perf_counter() - begun, result

    (seconds, result), _, peak_bytes = memory.watch(timed)
    print(json.dumps([seconds, peak_bytes, None if result is None else _won(result).tolist()]))


GROUPS = (from_parquet, from_csv)

if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
