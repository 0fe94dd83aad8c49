"""Files of votes that are larger than memory, chunk by chunk."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pairvote._common.checks import is_whole
from pairvote._common.coded import Coded
from pairvote._common.messages import plural, wrong_option
from pairvote._common.options import check_flag
from pairvote._common.outcomes import Outcomes
from pairvote._common.questions import joined_questions
from pairvote._common.times import joined_times
from pairvote.io._file_format import Batch, Part, Reading
from pairvote.io._formats import Format
from pairvote.io._numbering import Numbering, Rows
from pairvote.io._options import Options, options_of
from pairvote.io._sources import parts_of
from pairvote.votes._chunks import CodedVotes
from pairvote.votes._item_texts import ItemTexts
from pairvote.votes._report import BadRows, Report, warn_of_skipped
from pairvote.votes._shapes import Reader
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import Name

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

# The options that only scanning has, and those that say what is to be read.
_OF_SCANS = ("source", "format", "chunk_rows", "skip_rows", "progress")
_COLUMNS = ("left", "right", "outcome", "voter", "weight", "criterion")


class VoteScan:
    r"""Votes in files, read anew chunk by chunk in every loop over them; `scan_votes` makes one.

    Each chunk is `Votes`. A label has the same code in every chunk of a loop: the `items` of a chunk are those of all
    chunks up to it, in first-seen order, and so are its `voters` and `criteria`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pairvote as pv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "votes.csv"
    ...     _ = path.write_text("left,right,outcome\nash,birch,left\nbirch,cedar,tie\nash,cedar,left\n")
    ...     for votes in pv.scan_votes(path, chunk_rows=2):
    ...         print(votes.items, votes.left.tolist(), votes.right.tolist())
    ('ash', 'birch', 'cedar') [0, 1] [1, 2]
    ('ash', 'birch', 'cedar') [0] [2]
    """

    def __init__(
        self,
        parts: list[Part],
        options: Options,
        *,
        chunk_rows: int,
        skip_rows: int,
        progress: bool,
        report: Report | None = None,
    ) -> None:
        self._parts, self._options = parts, options
        self._chunk_rows, self._skip_rows = chunk_rows, skip_rows
        self._progress = progress
        # Of the pass that is under way, or of the last one.
        self.report = report or Report(options.bad_rows)
        # What was said of the files when they were chosen.
        self._said, self._left_out = dict(self.report.remarks), self.report.left_out
        if parts:
            report = Report(options.bad_rows)
            parts[0].format.check(parts[0], self._reading(options.reader(report), voters=True))

    def __iter__(self) -> Iterator[Votes]:
        with closing(self.coded(voters=True)) as coded:
            yield from chunks_of(coded, self._chunk_rows, growing=self._options.items is None)
        warn_of_skipped(self.report)

    def coded(self, *, voters: bool = False, report: Report | None = None) -> Generator[CodedVotes, None, None]:
        """The votes as their files have them, for what counts them: in other chunks, by default without the voters.

        `report` takes what there is to tell; by default the scan's own does, anew for every pass.
        """
        options = self._options
        self.report = (
            Report(options.bad_rows, remarks=dict(self._said), left_out=self._left_out) if report is None else report
        )
        reader = options.reader(self.report)
        numbering = Numbering(options.items, options.outcomes)
        n_rows = 0
        # Closed at once where a row is refused, so that no file stays open until the error is forgotten.
        with closing(self._batches(self._reading(reader, voters=voters))) as batches:
            for batch, texts in batches:
                if batch.n_rows:
                    n_rows += batch.n_rows
                    table = reader.rows(batch.columns, batch.n_rows, batch.locate)
                    if texts is not None:
                        table.columns |= texts.columns(table.columns, table.locate)
                    yield numbering.coded(Rows.of(table.columns, table.n_rows, table.locate))
        if not n_rows and options.items is not None:
            none = Coded(np.empty(0, np.int32), np.empty(0, np.int32))
            yield CodedVotes(items=options.items, left=none, right=none, outcome=none)

    def __repr__(self) -> str:
        of_a_dataset = bool(self._parts) and self._parts[0].fragment is not None
        what = plural(len(self._parts), "fragment" if of_a_dataset else "file")
        size = "" if of_a_dataset else f", {plural(self._n_bytes, 'byte')}"
        return f"VoteScan({what}{size}, chunks of {plural(self._chunk_rows, 'row')})"

    @property
    def _n_bytes(self) -> int:
        return sum(part.n_bytes for part in self._parts)

    def _reading(self, reader: Reader, *, voters: bool) -> Reading:
        how = self._options.how.with_report(reader.report)
        return Reading(reader, voters, self._skip_rows, self._n_bytes, how)

    def _batches(self, reading: Reading) -> Generator[tuple[Batch, ItemTexts | None], None, None]:
        with _bar(self._n_bytes, shown=self._progress) as bar:
            for file_format, parts in groupby(self._parts, lambda part: part.format):
                texts = self._options.item_texts(file_format)
                with closing(file_format.scan(list(parts), reading)) as batches:
                    for batch in batches:
                        if bar is not None:
                            bar.update(batch.done - bar.n if self._n_bytes else batch.n_rows)
                        passed = min(reading.skip, batch.n_rows)
                        reading.skip -= passed
                        yield (batch.after(passed) if passed else batch), texts


def scan_votes(
    source: str | Path | list[str] | list[Path] | Dataset,
    *,
    chunk_rows: int = 1_000_000,
    format: Format | None = None,
    left: Name = "left",
    right: Name = "right",
    outcome: str = "outcome",
    winner: str | None = None,
    loser: str | None = None,
    tie: str | None = None,
    left_score: str | None = None,
    right_score: str | None = None,
    left_wins: str | None = None,
    right_wins: str | None = None,
    tied: str | None = None,
    voter: str | None = None,
    weight: str | None = None,
    criterion: str | None = None,
    time: str | None = None,
    question: str | None = None,
    extract: Mapping[str, str] | None = None,
    items: Iterable[Hashable] | None = None,
    outcomes: Outcomes | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    decimal: str = ".",
    sheet: str | int | None = None,
    na: str | Sequence[str] = (),
    comment: str | None = None,
    skip_lines: int = 0,
    header: bool = True,
    bad_rows: BadRows = "raise",
    use_weight: bool = True,
    normalise: bool = False,
    skip_rows: int = 0,
    progress: bool = False,
) -> VoteScan:
    r"""Votes from files that need not fit in memory, chunk by chunk.

    Joined together, the chunks are what `read_votes` makes of the whole, with two differences: all labels have one
    type, so that text in one file and numbers in another are refused; and items without votes that a file names beside
    its rows are passed over, unless ``items=`` names them. Until the loop starts, only the columns of the first
    file are read, and those of every file in a folder.

    Parameters
    ----------
    source : str, Path, list of them, or pyarrow.dataset.Dataset
        A file; a folder; files in the order given; or a dataset of pyarrow, in its order. Files below a folder are read
        in the order of their names, with numbers in numerical order (part-9 before part-10). Names that begin with "."
        or "_" are left out. The name of a folder such as ``criterion=useful`` is a column with this value.
    chunk_rows : int
        Number of rows in a chunk; the last chunk may have fewer.
    format : "csv", "json", "jsonl", "parquet", "arrow" or "excel", optional
        By default what each file's first bytes show, or else its suffix, as in `read_votes`.
    left, right, outcome, winner, loser, tie, left_score, right_score, left_wins, right_wins, tied
        The names of the columns, as in `read_votes`. Totals of a pair become weighted rows.
    voter, weight, criterion, time, question : str, optional
        The names of further columns, as in `read_votes`. When only some files have a column of voters, votes in the
        others are by unknown voters. Weights, criteria, times and questions must be in all files or in none.
    extract, items, outcomes, delimiter, encoding, decimal, sheet, na, comment, skip_lines, header
        As in `read_votes`.
    bad_rows, use_weight, normalise
        As in `read_votes`. Rows that are left out are warned of when all chunks have been read.
    skip_rows : int
        Number of rows to pass over first, unchecked, so that a stream goes on where it stopped. Codes start anew at the
        first row that is read, so match items with those of earlier chunks by their labels.
    progress : bool
        Whether to show a progress bar on stderr.

    Returns
    -------
    VoteScan

    Raises
    ------
    InputError
        At once for options, missing files and missing columns of the first file; in a loop, naming the file, its line
        or row and the remedy, for a file that cannot be read to its end and for anything malformed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pairvote as pv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for day, row in enumerate(("ash,birch,left", "birch,cedar,tie")):
    ...         _ = (Path(folder) / f"day-{day}.csv").write_text(f"left,right,outcome\n{row}\n")
    ...     scan = pv.scan_votes(folder)
    ...     print(scan, sum(len(votes) for votes in scan))
    VoteScan(2 files, 69 bytes, chunks of 1,000,000 rows) 2
    """
    given = {name: value for name, value in locals().items() if name not in _OF_SCANS}
    for name, value, least in (("chunk_rows", chunk_rows, 1), ("skip_rows", skip_rows, 0)):
        if not is_whole(value) or value < least:
            raise wrong_option(name, value, f"pass a whole number from {least}")
    check_flag("progress", progress)
    options = options_of(**given)
    report = Report(options.bad_rows)
    parts = parts_of(source, format, Reading(options.reader(report), how=options.how.with_report(report)))
    return VoteScan(
        parts,
        options,
        chunk_rows=int(chunk_rows),
        skip_rows=int(skip_rows),
        progress=progress,
        report=report,
    )


def _bar(n_bytes: int, *, shown: bool) -> AbstractContextManager[Any]:
    if not shown:
        return nullcontext()
    from tqdm import tqdm

    if n_bytes:
        return cast("AbstractContextManager[Any]", tqdm(total=n_bytes, unit="B", unit_scale=True))
    return cast("AbstractContextManager[Any]", tqdm(unit=" votes", unit_scale=True))


def chunks_of(pieces: Iterable[CodedVotes], n_rows: int, *, growing: bool) -> Iterator[Votes]:
    """The votes in chunks of `n_rows`."""
    held: list[Votes] = []
    lacking = n_rows
    labels = _Labels(growing)
    for piece in pieces:
        votes, start = piece.votes(), 0
        while len(votes) - start >= lacking:
            yield labels.joined([*held, _rows(votes, start, start + lacking)])
            start, held, lacking = start + lacking, [], n_rows
        if start < len(votes):
            held.append(_rows(votes, start, len(votes)))
            lacking -= len(votes) - start
    if held:
        yield labels.joined(held)


def _rows(votes: Votes, start: int, stop: int) -> Votes:
    return votes if stop - start == len(votes) else votes._take(slice(start, stop))


class _Labels:
    """Number of labels that the rows so far have shown. A batch knows all labels of its rows, a chunk only its own."""

    def __init__(self, growing: bool) -> None:
        self._growing = growing
        self._n_shown = {"items": 0, "voters": 0, "criteria": 0}

    def joined(self, pieces: list[Votes]) -> Votes:
        """One chunk of the pieces, whose codes are alike."""
        columns = {
            name: _joined([getattr(votes, name) for votes in pieces], list(map(len, pieces))) for name in _COLUMNS
        }
        lengths = list(map(len, pieces))
        columns["share"] = _joined([votes.share for votes in pieces], lengths, np.float64(np.nan))
        columns["time"] = joined_times([votes.time for votes in pieces], lengths)
        columns["question"] = joined_questions([votes.question for votes in pieces], lengths)
        labels = {}
        for kind, sides in (("items", ("left", "right")), ("voters", ("voter",)), ("criteria", ("criterion",))):
            known = getattr(pieces[-1], kind)
            if kind != "items" or self._growing:
                highest = [int(codes.max()) for side in sides if (codes := columns[side]) is not None]
                self._n_shown[kind] = max(self._n_shown[kind], 1 + max(highest, default=-1))
                known = known[: self._n_shown[kind]]
            labels[kind] = known
        return Votes._unchecked(**columns, **labels)


def _joined(arrays: list[Any], lengths: list[int], missing: np.number[Any] = np.int32(-1)) -> Any:  # noqa: B008
    """One column of several pieces; `missing` in the rows of a piece without it, by default the code of no label."""
    if len(arrays) == 1 or all(array is None for array in arrays):
        return arrays[0]
    return np.concatenate(
        [np.full(length, missing) if array is None else array for array, length in zip(arrays, lengths, strict=True)]
    )
