"""The command ``pairvote``: rank or check votes, compare models, say who beats whom, plan ballots, see Kalmar voted.

Exit status: 0 when done, 2 with one line on stderr for input that cannot be used, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from pairvote.cli import _reading as reading
from pairvote.cli._output import as_data, as_json, save_picture, tell, tell_all, terminal_width, write
from pairvote.cli._parser import UnreadError, flags_of, make_parser
from pairvote.errors import InputError, PairvoteError

if TYPE_CHECKING:
    from pairvote.cli._rank import Summary
    from pairvote.ranking._ranking import Ranking
    from pairvote.votes._votes import Votes


def main(argv: Sequence[str] | None = None, *, by_chunks: bool | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.
    by_chunks : bool, optional
        Whether `rank` reads votes chunk by chunk; by default it does so for large files only.

    Examples
    --------
    >>> import pairvote.cli
    >>> pairvote.cli.main(["rank", "--help"])  # doctest: +ELLIPSIS
    usage: pairvote rank ...
    0
    """
    _escape_what_cannot_be_encoded()
    arguments = argparse.Namespace(by_chunks=by_chunks)
    try:
        return _run(argv, arguments)
    except UnreadError as unread:
        # All that is wrong at once, and the command that may read the file.
        message = reading.explanation(unread.error, arguments)
        if message is None:
            return _refuse(unread.error, arguments)
        tell_all(f"error: {message}")
        return 2
    except PairvoteError as error:
        return _refuse(error, arguments)
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None, arguments: argparse.Namespace) -> int:
    """Do what the arguments say, which come into the namespace as they are understood."""
    parser = make_parser()
    try:
        _, rest = parser.parse_known_args(argv, arguments)
    except SystemExit as done:
        # argparse has printed the help or the version, and leaves.
        write("")
        return int(done.code or 0)
    if rest and hasattr(arguments, "skip_bad_rows") and not any(word.startswith("-") for word in rest):
        # Files may also stand after flags.
        arguments.votes = [*arguments.votes, *rest]
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return 2
    commands = {
        "rank": _rank,
        "check": _check,
        "compare-models": _compare,
        "majority": _majority,
        "plan": _plan,
        "demo": _demo,
    }
    write(commands[arguments.command](arguments))
    return 0


# --- rank ---


def _rank(arguments: argparse.Namespace) -> str | bytes:
    from pairvote.cli._answer import check_safe, remarks_on, table, table_as_csv, table_as_json

    check_safe(arguments.safe_csv, arguments.format)
    options = _scorer_options(arguments)
    if arguments.plot is not None:
        from pairvote.plotting._ranking import check_picture

        check_picture(arguments.plot)
    ranking, summary = _ranked(arguments, options)
    n_rows = _n_rows(ranking, arguments.top)
    summary.warnings += remarks_on(ranking, n_rows, arguments.top)
    if arguments.plot is not None:
        summary.warnings += save_picture(ranking, arguments.plot, level=arguments.level, top_k=arguments.top)
    for sentence in summary.warnings:
        tell(sentence)
    if arguments.format == "csv":
        if summary.groups is not None:
            tell("note: CSV has the ranking of all votes; the groups are in the table and in --format json")
        return table_as_csv(ranking, n_rows, arguments.level, safe=arguments.safe_csv)
    if arguments.format == "json":
        return table_as_json(summary, ranking, n_rows, arguments.level)
    return table(summary, ranking, n_rows, arguments.level, terminal_width())


def _ranked(arguments: argparse.Namespace, options: dict[str, Any]) -> tuple[Ranking, Summary]:
    from pairvote.cli._rank import Summary, rank_chunks
    from pairvote.scoring._methods import rank, scorer_named

    by_chunks = arguments.by_chunks
    if by_chunks is None:
        by_chunks = reading.is_large(arguments)
    by_time = scorer_named(arguments.method).uses_order
    orders: list[str] = []
    groups = None
    tables = arguments.item_covariates is not None or arguments.known_scores is not None
    is_by_voter = arguments.group_column is not None or arguments.reliability is not None or tables
    if arguments.criteria is None and not is_by_voter and by_chunks:
        scan = reading.scan(arguments)
        ranking, summary = rank_chunks(scan, arguments.method, arguments.criterion, options)
        report = scan.report
        if not summary.n_votes:
            raise reading.no_votes(arguments, report)
    else:
        votes, report = reading.read(arguments)
        orders = [] if arguments.fold_orders else reading.on_orders(votes)
        if arguments.group_column is not None:
            from pairvote.cli._groups import compare, groups_of

            by_voter = groups_of(arguments, votes)
            groups = compare(arguments, votes, by_voter, _spelt(votes, arguments.criterion))
        if arguments.criteria is None:
            votes = votes.select(_spelt(votes, arguments.criterion))
        else:
            from pairvote.scoring._criteria import votes_on

            criteria = {_spelt(votes, label): weight for label, weight in arguments.criteria.items()}
            votes = votes_on(votes, criteria)
            options |= {"criteria": criteria, "criterion": arguments.criterion}
        if tables:
            from pairvote.cli._item_tables import with_tables

            options, votes = with_tables(options, votes)
        ranking, summary = rank(votes, arguments.method, **options), Summary.of(votes)
    summary.columns, summary.groups = report.columns, groups
    summary.n_bad_rows, summary.bad_rows = report.n_skipped, report.skipped
    for sentence in reading.used(arguments, report):
        tell(sentence)
    summary.warnings += [*reading.doubtful(report, by_time=by_time), *orders, *reading.on_labels(ranking.items)]
    return ranking, summary


def _scorer_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of the scorer that were given; InputError for one that it does not have."""
    from pairvote.scoring._methods import SCORERS

    given = {name: getattr(arguments, name) for scorer in SCORERS.values() for name in scorer.flags}
    options = {name: value for name, value in given.items() if value is not None and value is not False}
    for name in options:
        takers = [scorer.name for scorer in SCORERS.values() if name in scorer.flags]
        if arguments.method not in takers:
            flag = name.replace("_", "-")
            problem = f"--{flag} goes with --method {', '.join(takers)}, not with {arguments.method}"
            raise InputError(problem, option="method", value=arguments.method)
    return options


def _spelt(votes: Votes, criterion: str | None) -> Hashable | None:
    """The criterion's label, given as it is spelt on the command line."""
    return next((label for label in votes.criteria if str(label) == criterion), criterion)


def _n_rows(ranking: Ranking, top: int | None) -> int:
    if top is None:
        return ranking.n_items
    if top > ranking.n_items:
        problem = f"--top is {top} and there are {ranking.n_items} items"
        raise InputError(problem, option="top_k", value=top, remedy="pass at most as many")
    return len(ranking.top(top, ties="include"))


# --- check ---


def _check(arguments: argparse.Namespace) -> str | bytes:
    votes, report = reading.read(arguments)

    from pairvote.cli._check import report_on

    groups = None
    if arguments.group_column is not None:
        from pairvote.cli._groups import groups_of

        groups = groups_of(arguments, votes)
    votes = votes.select(_spelt(votes, arguments.criterion))
    warnings = [*reading.doubtful(report, by_time=False), *reading.on_labels(votes.items)]
    for sentence in [*reading.used(arguments, report), *warnings]:
        tell(sentence)
    text, findings = report_on(votes, arguments.top, arguments.seed, terminal_width(), groups)
    return text if arguments.format == "text" else as_json({**findings, "warnings": warnings})


# --- compare-models ---


def _compare(arguments: argparse.Namespace) -> str | bytes:
    if arguments.group_column is not None:
        raise InputError("--group-column goes with rank and check, not with compare-models", option="group_column")
    votes, report = reading.read(arguments)

    from pairvote.cli._compare import page_on

    votes = votes.select(_spelt(votes, arguments.criterion))
    warnings = [*reading.doubtful(report, by_time=False), *reading.on_labels(votes.items)]
    for sentence in [*reading.used(arguments, report), *warnings]:
        tell(sentence)
    text, found = page_on(votes, arguments.by, arguments.seed, terminal_width())
    return text if arguments.format == "text" else as_json({**found, "warnings": warnings})


# --- majority ---


def _majority(arguments: argparse.Namespace) -> str | bytes:
    from pairvote.cli._answer import check_safe

    check_safe(arguments.safe_csv, arguments.format)
    if arguments.group_column is not None:
        problem = "--group-column goes with rank and check, not with majority"
        raise InputError(problem, option="group_column", value=arguments.group_column, remedy="leave it out")
    votes, report = reading.read(arguments)

    from pairvote.cli._majority import as_text, report_as_json, rows_as_csv
    from pairvote.scoring import majority

    found = majority(votes, criterion=_spelt(votes, arguments.criterion))
    warnings = [*reading.doubtful(report, by_time=False), *reading.on_labels(votes.items)]
    for sentence in [*reading.used(arguments, report), *warnings]:
        tell(sentence)
    if arguments.format == "csv":
        return rows_as_csv(found, safe=arguments.safe_csv)
    return report_as_json(found, warnings) if arguments.format == "json" else as_text(found, terminal_width())


# --- plan ---


def _plan(arguments: argparse.Namespace) -> str | bytes:
    from pairvote.cli._plan import plan

    titles = reading.standard_input() if arguments.items == "-" else arguments.items
    options = (arguments.voters, arguments.votes, arguments.out, arguments.seed, arguments.top)
    ballots, description = plan(titles, *options, force=arguments.force)
    if ballots:
        for line in description.splitlines():
            tell(line)
    return as_data(ballots) if ballots else description


# --- demo ---


def _demo(arguments: argparse.Namespace) -> str:
    from pairvote.cli._demo import demo

    return demo(arguments.seed, arguments.plot)


# --- streams ---


def _escape_what_cannot_be_encoded() -> None:
    """Under a terminal that knows no Swedish letters, print them escaped rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _refuse(error: PairvoteError, arguments: argparse.Namespace) -> int:
    """Say what is wrong, and which flags it is about."""
    flags = flags_of(error, arguments)
    return _fail(f"{error} (on the command line: {', '.join(flags)})" if flags else str(error))


def _fail(message: str) -> int:
    tell(f"error: {message}")
    return 2
