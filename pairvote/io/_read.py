"""Votes from a file and into one: CSV, JSON Lines, Parquet."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import IO

from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcomes
from pairvote.errors import InputError
from pairvote.io._formats import Format, format_of, require
from pairvote.io._how import How
from pairvote.io._numbers import numbers
from pairvote.io._source import Source, displayed, replacing
from pairvote.io._wanted import Wanted
from pairvote.votes._build import from_columns
from pairvote.votes._votes import Votes


def read_votes(
    source: str | Path | IO[str] | IO[bytes],
    *,
    format: Format | None = None,
    left: str = "left",
    right: str = "right",
    outcome: str = "outcome",
    voter: str | None = None,
    weight: str | None = None,
    criterion: str | None = None,
    items: Iterable[Hashable] | None = None,
    outcomes: Outcomes | None = None,
) -> Votes:
    r"""Votes from a file of CSV, JSON Lines or Parquet, one row or line a vote.

    Text is in UTF-8. In CSV every label is text, an empty cell is a missing value, and blank lines are skipped;
    in JSON Lines and Parquet labels keep their type. Other columns than those named are left alone.

    Parameters
    ----------
    source : str, Path or open file
        The file's path, or a file open for reading, as text or as bytes.
    format : "csv", "jsonl" or "parquet", optional
        By default what the file's suffix says: .csv, .jsonl or .parquet.
    left, right, outcome : str
        The names of the columns.
    voter, weight, criterion : str, optional
        The names of further columns; by default those called "voter", "weight" and "criterion", where there are any.
    items : iterable of labels, optional
        All items, in the order to keep; a label outside it is refused.
    outcomes : mapping, optional
        What other outcome labels mean, such as ``{"model_a": "left", "model_b": "right"}``;
        ``{None: "skip"}`` makes missing ones skips.

    Raises
    ------
    InputError
        Naming the value, its line and the remedy, for a file that cannot be read and for anything malformed.

    Examples
    --------
    >>> import io
    >>> import pairvote as pv
    >>> file = io.StringIO("voter,left,right,outcome\nanna,ash,birch,left\nbo,birch,cedar,tie\n")
    >>> pv.read_votes(file, format="csv")
    Votes(2 votes, 3 items, 2 voters: 1 left, 0 right, 1 tie, 0 skip)
    """
    file = Source.of(source)
    chosen = require(format_of(format, file.suffix, file.name))
    wanted = Wanted.of(left=left, right=right, outcome=outcome, voter=voter, weight=weight, criterion=criterion)
    columns, locate = chosen.read(file, wanted, How())
    if "weight" in columns:
        columns["weight"] = numbers(columns["weight"], "weight", locate)
    return Votes._unchecked(**from_columns(**columns, items=items, outcomes=outcomes, locate=locate))


def write_votes(votes: Votes, path: str | Path, *, format: Format | None = None) -> None:
    """Write votes to a file of CSV, JSON Lines or Parquet, for `read_votes` to read back.

    The columns are left, right and outcome, and voter, weight and criterion where there are any. The file is
    replaced as a whole: when anything goes wrong, an older one at `path` stays as it was. Items without votes
    are not in the file, so pass ``items=votes.items`` when reading it to keep them, and their order.

    Parameters
    ----------
    votes : Votes
        CSV takes text and whole numbers for labels, which are read back as text; JSON Lines takes text and
        numbers; Parquet takes columns all of text or all of whole numbers.
    path : str or Path
    format : "csv", "jsonl" or "parquet", optional
        By default what the path's suffix says: .csv, .jsonl or .parquet.

    Raises
    ------
    InputError
        For a label that would not be read back as it is, naming it, and for a path that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_records([("ash", "birch", "left", "anna"), ("birch", "cedar", "tie", "bo")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "votes.csv"
    ...     pv.write_votes(votes, path)
    ...     print(path.read_text(), pv.read_votes(path).voters)
    left,right,outcome,voter
    ash,birch,left,anna
    birch,cedar,tie,bo
     ('anna', 'bo')
    """
    if not isinstance(votes, Votes):
        raise InputError(f"votes is {shorten(votes)}; pass Votes")
    if not isinstance(path, (str, Path)):
        raise InputError(f"path is {shorten(path)}; pass the path of a file")
    chosen = require(format_of(format, Path(path).suffix.lower(), displayed(path)))
    with replacing(Path(path)) as handle:
        chosen.write(votes, handle)
