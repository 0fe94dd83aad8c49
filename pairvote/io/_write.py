"""Votes into a file of CSV, JSON Lines or Parquet."""

from __future__ import annotations

from pathlib import Path

from pairvote._common.messages import shorten
from pairvote.errors import InputError
from pairvote.io._formats import Format, require, writer_of
from pairvote.io._source import displayed, replacing
from pairvote.votes._votes import Votes


def write_votes(votes: Votes, path: str | Path, *, format: Format | None = None) -> None:
    """Write votes to a file of CSV, JSON Lines or Parquet, for `read_votes` to read back.

    The columns are left, right and outcome, and voter, weight, criterion, time and question where there are any. The
    outcome of a graded vote is its share: read it back with ``outcomes="share"``, times with ``time="time"`` and
    questions with ``question="question"``. The file is replaced as a whole: when anything goes wrong, an older one at
    `path` stays as it was.

    Items without votes, and an order of items other than the first-seen one, are in files of Parquet, whose metadata
    name the items where these are all text and whole numbers. CSV and JSON Lines hold rows only, so pass
    ``items=votes.items`` when reading them; in CSV, whose labels are all text, this also gives labels their types back.

    Parameters
    ----------
    votes : Votes
        CSV takes text and whole numbers for labels; JSON Lines takes text and numbers; Parquet takes columns all of
        text or all of whole numbers.
    path : str or Path
    format : "csv", "jsonl" or "parquet", optional
        By default what the path's suffix says: .csv, .jsonl or .parquet. Other formats are read only.

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
    chosen = require(writer_of(format, Path(path).suffix.lower(), displayed(path)))
    with replacing(Path(path)) as handle:
        if chosen.write is not None:
            chosen.write(votes, handle)
