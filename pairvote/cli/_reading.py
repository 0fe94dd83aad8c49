"""Files of votes for the commands: read with the options that were given, and what was used said."""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairvote._common.alike import alike_labels, missing_words
from pairvote._common.messages import listed, plural, shorten
from pairvote.cli._parser import UnreadError, make_parser, reading_files
from pairvote.errors import InputError, PairvoteError

if TYPE_CHECKING:
    from pairvote.io._scan import VoteScan
    from pairvote.votes._report import Report
    from pairvote.votes._votes import Votes

# The options of reading, as the library and the parser call them, where their names are alike.
OPTIONS = (
    "left", "right", "outcome", "winner", "loser", "tie", "left_score", "right_score", "left_wins", "right_wins",
    "tied", "voter", "weight", "time", "matrix", "rankings", "extract", "outcomes", "delimiter", "encoding", "decimal",
    "sheet", "na", "comment", "skip_lines",
)  # fmt: skip
# Columns whose names say that they hold times.
TIMES = re.compile(r"time|date|created|submitted|(?<![^\W_])(ts|tstamp|when|at)(?![^\W_])", re.IGNORECASE)
# Columns whose names say how often a row was meant.
COUNTS = re.compile(r"(n|no|num|number)?[ _.]*(of)?[ _.]*(n|counts?|freq|frequency|times|votes)", re.IGNORECASE)
# A packed file is this many times as large as it seems, or more.
PACKED = 4
# So many files are named, of several.
FILES = 3
# So many groups of labels that print alike are named.
GROUPS = 3


def library_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of `read_votes` that the arguments set."""
    options = {name: getattr(arguments, name) for name in OPTIONS}
    options["criterion"] = arguments.criterion_column
    options["header"] = not arguments.no_header
    options["bad_rows"] = "skip" if arguments.skip_bad_rows else "raise"
    options["use_weight"] = not arguments.no_weight
    options["normalise"] = arguments.strip
    if arguments.tabs:
        options["delimiter"] = "\t"
    if arguments.delimiter is not None and arguments.tabs:
        raise InputError("-d and -t are both given", option="delimiter", remedy="pass one of them")
    for side in ("left", "right"):
        columns = options[side]
        options[side] = columns[0] if columns is not None and len(columns) == 1 else columns
    if options["rankings"] == ["all"]:
        options["rankings"] = "all"
    if options["extract"] is not None:
        options["extract"] = dict(options["extract"])
    return {name: value for name, value in options.items() if value is not None}


def read(arguments: argparse.Namespace) -> tuple[Votes, Report]:
    """The votes of all files, and what is to be told of them; InputError where there are none."""
    from pairvote.votes._report import Report

    report = Report("skip" if arguments.skip_bad_rows else "raise")
    votes = _read(arguments, library_options(arguments), report)
    if not len(votes):
        raise no_votes(arguments, report)
    if arguments.fold_orders:
        n_rows = len(votes)
        votes = votes.fold_orders()
        n_folded = n_rows - len(votes)
        report.remark(f"{plural(n_folded, 'pair')} judged in both orders by one voter became one vote each")
    return votes, report


def read_rows(arguments: argparse.Namespace, **options: Any) -> Votes:
    """The votes of all files with other options, in the rows that the files have: pairs in both orders stay two."""
    from pairvote.votes._report import Report

    report = Report("skip" if arguments.skip_bad_rows else "raise")
    try:
        return _read(arguments, library_options(arguments) | options, report)
    except UnreadError as unread:
        if "voter" in options:
            unread.error.option = "group_column"
            raise unread.error from None
        raise


def _read(arguments: argparse.Namespace, options: dict[str, Any], report: Report) -> Votes:
    from pairvote.io._options import options_of
    from pairvote.io._read import read_reported

    source = source_of(arguments)
    with reading_files():
        return read_reported(source, arguments.input_format, options_of(**options), report)


def scan(arguments: argparse.Namespace) -> VoteScan:
    """The votes of all files, to be read chunk by chunk."""
    from pairvote.io._scan import scan_votes

    progress = sys.stderr is not None and sys.stderr.isatty()
    options = {"format": arguments.input_format, "progress": progress, **library_options(arguments)}
    del options["matrix"]
    with reading_files():
        return scan_votes(source_of(arguments), **options)


def source_of(arguments: argparse.Namespace) -> Any:
    """What the reader takes: standard input, a path, or several."""
    names: list[str] = arguments.votes
    if "" in names:
        raise InputError("the name of a file is empty", value="", remedy="pass the file; is a variable not set?")
    if "-" in names:
        if len(names) > 1:
            raise InputError("- stands beside other files", value="-", remedy="pass files, or standard input alone")
        # It is read once, and looked at again where it cannot be read as votes.
        arguments.content = getattr(arguments, "content", None) or standard_input()
        arguments.content.seek(0)
        return arguments.content
    return names[0] if len(names) == 1 else names


def standard_input() -> Any:
    """What comes by standard input, all of it."""

    class StandardInput(io.BytesIO):
        name = "standard input"

    if sys.stdin is None:
        raise InputError("standard input is closed; pass a file")
    return StandardInput(sys.stdin.buffer.read())


def no_votes(arguments: argparse.Namespace, report: Report) -> InputError:
    """The error for files in which there is no vote."""
    files = listed(arguments.votes)
    if report.n_skipped:
        problem = f"{files} has no vote: {plural(report.n_skipped, 'row')} skipped, the first since {report.skipped[0]}"
        return InputError(problem, where=files, remedy="mend the options that say what the columns are")
    remedy = "check that it is the right file and was written to its end"
    return InputError(f"{files} has columns and no row of votes", where=files, remedy=remedy)


def used(arguments: argparse.Namespace, report: Report) -> list[str]:
    """Sentences on what was read, and how."""
    return [f"note: {_rows_and_columns(arguments, report)}", *(f"note: {remark}" for remark in report.remarks)]


def doubtful(report: Report, *, by_time: bool) -> list[str]:
    """Sentences on what may be wrong with rows; with `by_time`, also on a column of times that was passed over."""
    sentences = []
    if report.n_empty:
        sentences.append(
            f"note: {plural(report.n_empty, 'empty cell')} in the column of winners counted as ties; "
            "--outcomes =skip makes skips of them"
        )
    if report.n_skipped:
        more = "; …" if report.n_skipped > len(report.skipped) else ""
        sentences.append(f"warning: {plural(report.n_skipped, 'row')} skipped: {'; '.join(report.skipped)}{more}")
    counts = [name for name in report.others if isinstance(name, str) and COUNTS.fullmatch(name)]
    if counts and not report.columns.keys() & {"weight", "left_wins"}:
        sentences.append(
            f"note: each row counts once, and {listed(counts)} is passed over; "
            f"--weight {counts[0]} counts a row as often as it says"
        )
    times = [name for name in report.others if isinstance(name, str) and TIMES.search(name)]
    if by_time and times and "time" not in report.columns:
        sentences.append(
            f"note: rows are taken in the order of the file, and {listed(times)} is passed over; "
            f"--time {times[0]} goes by it"
        )
    return sentences


def _rows_and_columns(arguments: argparse.Namespace, report: Report) -> str:
    columns: list[str] = []
    for part, name in report.columns.items():
        side, _, place = part.partition("+")
        if place:
            columns[-1] += f" and {shorten(name)}"
        elif part == "weight":
            columns.append(f"weight {shorten(name)} (--no-weight leaves it out)")
        else:
            columns.append(side if name == part else f"{side} {shorten(name)}")
    names: list[str] = arguments.votes
    files = "standard input" if names == ["-"] else ", ".join(names[:FILES])
    if len(names) > FILES:
        files += f" and {plural(len(names) - FILES, 'more file')}"
    where = f", from the columns {', '.join(columns)}" if columns else ""
    return f"{plural(report.n_rows, 'row')} read from {files}{where}"


def on_labels(labels: Any) -> list[str]:
    """Sentences on labels that print alike, and on those that are words for a missing value."""
    sentences = []
    groups = alike_labels(labels)
    if groups:
        shown = "; ".join(listed(group, 100) for group in groups[:GROUPS])
        more = f" and {plural(len(groups) - GROUPS, 'more group')}" if len(groups) > GROUPS else ""
        sentences.append(f"warning: items that print alike are counted apart: {shown}{more}; --strip joins them")
    missing = missing_words(labels)
    if missing:
        sentences.append(
            f"warning: {listed(missing)} is an item; if it is a missing value, pass --na {missing[0]} --skip-bad-rows"
        )
    return sentences


def on_orders(votes: Votes) -> list[str]:
    """A sentence on pairs that one voter judged in both orders, where these are most of the votes."""
    import numpy as np

    if votes.voter is None or not len(votes):
        return []
    known = votes.voter >= 0
    criterion = np.full(len(votes), -1) if votes.criterion is None else votes.criterion
    low, high = np.minimum(votes.left, votes.right), np.maximum(votes.left, votes.right)
    judged = np.stack([votes.voter, criterion, low, high, votes.left], axis=1)[known]
    orders = np.unique(judged, axis=0)
    pairs = len(np.unique(orders[:, :4], axis=0))
    n_both = len(orders) - pairs
    if not n_both or 4 * n_both < len(votes):
        return []
    return [
        f"note: {plural(n_both, 'pair')} judged in both orders by one voter {'is' if n_both == 1 else 'are'} two votes "
        "each; --fold-orders makes one of them"
    ]


def explanation(error: PairvoteError, arguments: argparse.Namespace) -> str | None:
    """Message on all faults of files that cannot be read, with the command that may read them; None if unknown."""
    from pairvote.io._explain import explained
    from pairvote.io._proposal import as_command

    def call(options: dict[str, Any]) -> str:
        return as_command(options, arguments.votes, arguments.command, rest_of(arguments))

    try:
        options = library_options(arguments)
        return explained(error, source_of(arguments), arguments.input_format, options, call)
    except InputError:
        return None


def rest_of(arguments: argparse.Namespace) -> list[str]:
    """The arguments that say nothing of reading, as they are typed."""
    usual = vars(make_parser().parse_args([arguments.command, "-"]))
    of_reading = {*OPTIONS, "criterion_column", "no_header", "skip_bad_rows", "no_weight", "strip", "tabs"}
    typed: list[str] = []
    for name in sorted(usual.keys() - of_reading - {"votes", "command"}):
        value = getattr(arguments, name)
        if value != usual[name]:
            weights = value.items() if name == "criteria" else ()
            text = ",".join(f"{label}={weight:g}" for label, weight in weights) or str(value)
            flag = "--" + name.replace("_", "-")
            typed += [flag] if value is True else [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    return typed


def is_large(arguments: argparse.Namespace) -> bool:
    """Whether to read chunk by chunk: large files.

    Of graded votes the errors by bradley_terry are those of single votes, which counts of chunks do not keep.
    """
    from pairvote._common.outcomes import Meanings
    from pairvote.io._bytes import inner_suffix
    from pairvote.io._formats import FORMATS, of_suffix

    is_graded = arguments.method == "bradley-terry" and Meanings.of(arguments.outcomes).is_graded
    is_whole = arguments.matrix or arguments.rankings is not None or arguments.fold_orders or is_graded
    is_whole = is_whole or arguments.group_column is not None or getattr(arguments, "reliability", None) is not None
    if is_whole or "-" in arguments.votes:
        return False
    for name in arguments.votes:
        path = Path(name)
        if not path.exists():
            continue
        suffix, format = inner_suffix(path), arguments.input_format
        file_format = (of_suffix(suffix) or FORMATS["csv"]) if format is None else FORMATS[format]
        unpacked = path.stat().st_size * (1 if suffix == path.suffix.lower() else PACKED)
        if path.is_dir() or unpacked >= file_format.large_bytes:
            return True
    return False
