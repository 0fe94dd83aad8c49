"""Votes from files that fit in memory."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from pairvote._common.outcomes import Outcomes
from pairvote.errors import InputError
from pairvote.io._file_format import Reading
from pairvote.io._formats import Format
from pairvote.io._kept_items import with_kept_items
from pairvote.io._options import Options, options_of
from pairvote.io._scan import VoteScan, chunks_of
from pairvote.io._sources import file_of, is_several, parts_of
from pairvote.io._wide import votes_of_matrix, votes_of_rankings
from pairvote.votes._build import from_columns
from pairvote.votes._report import BadRows, Report, warn_of_skipped
from pairvote.votes._shapes import n_rows_of
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import AllColumns, Name

# More than there can be.
MOST_ROWS = 2**62


def read_votes(
    source: str | Path | Sequence[str | Path] | IO[str] | IO[bytes],
    *,
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
    matrix: bool = False,
    rankings: str | Sequence[str] | None = None,
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
) -> Votes:
    r"""Votes from files: CSV, JSON, JSON Lines, Parquet, Arrow or Excel, packed or not.

    In CSV every label is text, an empty cell is a missing value, and blank lines are skipped; elsewhere labels keep
    their type. Other columns than those named are left alone. Rows tell votes in one of several shapes: sides and an
    outcome; sides and a winner; a winner and a loser; sides and their scores; sides and how often each won. A file
    whose columns are called as these options needs none of them.

    Parameters
    ----------
    source : str, Path, list of them, or open file
        The path of a file or of a folder of files, several of them, or a file open for reading, as text or as bytes.
        Files are read one after the other, those below a folder as `scan_votes` reads them.
    format : "csv", "json", "jsonl", "parquet", "arrow" or "excel", optional
        By default what a file's first bytes show, or else its suffix: CSV (.csv, .tsv, .tab, .txt, .dat), JSON (.json),
        JSON Lines (.jsonl, .ndjson), Parquet (.parquet, .pq, .parq), Arrow (.arrow, .feather, .ipc, .arrows) or Excel
        (.xlsx, .xlsm, .xlsb, .xls, .ods).
    left, right : str or list of str
        The names of the columns of both sides. Cells of several columns are joined, as in "jpeg / 75".
    outcome : str
        The column of outcomes, whose labels `outcomes` explains.
    winner : str, optional
        The column that names the winner: the item, the name of its column, or left or right. An empty cell is a tie,
        and so are the word tie and the word that `tie` gives.
    loser : str, optional
        The column of the loser, where there are no sides; `winner` then holds items only.
    tie : str, optional
        A word that means a tie in the column of winners, or a column that is true where a vote is tied.
    left_score, right_score : str, optional
        Columns of numbers: the higher wins, and a level score is a tie.
    left_wins, right_wins, tied : str, optional
        Columns of how many votes each side won in all, and how many were ties: one row for a pair.
    voter, weight, criterion : str, optional
        The names of further columns; by default those called "voter", "weight" and "criterion", where there are any.
    time : str, optional
        The column of times, by which Elo goes: numbers, or dates and times in ISO 8601.
    question : str, optional
        The column of whole numbers that say which question a row answers; rows of several criteria share it.
    matrix : bool
        Whether the file is a square table: how often the item of a row beat the item of a column. The first column
        names the items. The diagonal, and columns whose name no row has, are left out; an empty cell is 0.
    rankings : "all" or list of str, optional
        The columns of ballots, one a row, of which every pair is a vote. Numbers are places of the columns' items, 1
        for the best; otherwise the columns are places, best first, and the cells are items.
    extract : mapping, optional
        For a column, a regular expression with named groups, each of which is a column of its own.
    items : iterable of labels, optional
        All items, in the order to keep, with or without votes; a label outside it is refused. A label of CSV, which is
        text, is the item of this text, such as 3 for "3".
    outcomes : mapping or str, optional
        What other outcome labels mean, such as ``{"model_a": "left", "model_b": "right"}``;
        ``{None: "skip"}`` makes missing ones skips. Also "share", "scores", "1-5" or "H/D/A": see `Votes.from_labels`.
    delimiter : str, optional
        What parts the cells of CSV; by default what the first lines suggest.
    encoding : str, optional
        The encoding of text, such as "windows-1252"; by default UTF-8, or UTF-16 where the file begins so.
    decimal : "." or ","
        What stands before the fraction of a number in text.
    sheet : str or int, optional
        The sheet of a workbook, by its name, or its number from 1.
    na : str or list of str
        Cells of text that mean a missing value, beside the empty one.
    comment : str, optional
        Lines of CSV that begin so are passed over.
    skip_lines : int
        How many lines of CSV, or rows of a sheet, stand above the header.
    header : bool
        Whether the first row names the columns. If not, they are called "1", "2", "3" and so on.
    bad_rows : "raise" or "skip"
        What to do with a row that is no vote: refuse the file, or leave the row out and warn of it.
    use_weight : bool
        Whether a column called "weight" is taken for weights without being named.
    normalise : bool
        Whether labels of items that print alike are one item: those that differ in blanks at their ends, in
        characters that cannot be seen, in how accents are composed, or in upper and lower case.

    Raises
    ------
    InputError
        Naming the value, its line and the remedy, for a file that cannot be read and for anything malformed.

    Warns
    -----
    UserWarning
        With ``bad_rows="skip"``, where rows were left out: how many, and what is wrong with the first.

    Examples
    --------
    >>> import io
    >>> import pairvote as pv
    >>> file = io.StringIO("voter,left,right,outcome\nanna,ash,birch,left\nbo,birch,cedar,tie\n")
    >>> pv.read_votes(file, format="csv")
    Votes(2 votes, 3 items, 2 voters: 1 left, 0 right, 1 tie, 0 skip)
    >>> file = io.StringIO("home,away,goals,conceded\nash,birch,3,1\nbirch,cedar,2,2\n")
    >>> pv.read_votes(
    ...     file, format="csv", left="home", right="away", left_score="goals", right_score="conceded"
    ... ).outcome.tolist()
    [2, 1]
    """
    given = {name: value for name, value in locals().items() if name not in ("source", "format")}
    report = Report(bad_rows)
    options = options_of(**given)
    try:
        votes = read_reported(source, format, options, report)
    except InputError as error:
        # Of no use, and slow to load, where all goes well.
        from pairvote.io._explain import propose_call

        propose_call(error, source, format, given)
        raise
    warn_of_skipped(report)
    return votes


def read_reported(source: Any, format: Format | None, options: Options, report: Report) -> Votes:
    """The votes of files; the report takes what there is to tell."""
    if is_several(source):
        if options.is_wide:
            what = "matrix" if options.matrix else "rankings"
            raise InputError(f"{what} is for one file", option=what, remedy="pass the path of one")
        return _read_several(source, format, options, report)
    how = options.how.with_report(report)
    file, chosen = file_of(source, format, how)
    if options.is_wide:
        columns, locate = chosen.read(file, AllColumns(), how)
        if options.matrix:
            return votes_of_matrix(columns, locate, report, how.decimal)
        names = options.ranked(list(columns), file.name)
        voter = options.wanted.one_of("voter", list(columns), file.name)
        return votes_of_rankings(columns, names, voter, locate, report, how.decimal)
    reader = options.reader(report)
    columns, locate = chosen.read(file, reader, how)
    texts = options.item_texts(chosen)
    votes = Votes._unchecked(**reader.fields(columns, n_rows_of(columns), locate, options.items, texts))
    if chosen.metadata is not None and options.items is None and not options.normalise:
        votes = with_kept_items(votes, chosen.metadata(file), file.name, report)
    return votes


def _read_several(source: Any, format: Format | None, options: Options, report: Report) -> Votes:
    """The votes of several files, joined."""
    reading = Reading(options.reader(report), how=options.how.with_report(report))
    parts = parts_of(source, format, reading)
    scan = VoteScan(parts, options, chunk_rows=MOST_ROWS, skip_rows=0, progress=False)
    with closing(scan.coded(voters=True, report=report)) as coded:
        for votes in chunks_of(coded, MOST_ROWS, growing=options.items is None):
            return votes
    return Votes._unchecked(**from_columns([], [], [], items=options.items))
