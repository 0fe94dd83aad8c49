"""The command ``pairvote``: rank or check a file of votes, plan the ballots of a vote, or see Kalmar voted.

Exit status: 0 when done, 2 with one line on stderr for input that cannot be used, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import pairvote
from pairvote import _arguments
from pairvote.errors import InputError, PairvoteError, PriorWarning

if TYPE_CHECKING:
    from pairvote._rank_command import Summary
    from pairvote.ranking import Ranking
    from pairvote.votes import Votes

METHODS = ("bradley-terry", "elo", "luce", "tally", "win-rate")
# How the command spells the options that the library's messages speak of.
FLAGS = {
    "outcomes=": "--outcomes LABEL=left",
    "outcomes={None": "--outcomes =skip",
    "criterion=": "--criterion LABEL",
    "criteria=": "--criteria LABEL=WEIGHT",
    "name the right one with criterion=": "--criterion-column NAME",
    "format=": "--input-format NAME",
    "prior_sd": "--prior-sd SD",
    "ties=": "--ties WHAT",
    "position=False": "leave out --position",
    "n_voters": "--voters N",
    "votes_each": "--votes N",
    "top_k": "--top K",
    **{f"{name}=": f"--{name} NAME" for name in ("left", "right", "outcome", "voter", "weight")},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Examples
    --------
    >>> import pairvote.cli
    >>> pairvote.cli.main(["rank", "--help"])  # doctest: +ELLIPSIS
    usage: pairvote rank ...
    0
    """
    _escape_what_cannot_be_encoded()
    try:
        return _run(argv)
    except PairvoteError as error:
        return _fail(str(error))
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as done:
        # argparse has printed the help or the version, and leaves.
        _write("")
        return int(done.code or 0)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return 2
    with warnings.catch_warnings(record=True, action="always", category=PriorWarning) as told:
        _write({"rank": _rank, "check": _check, "plan": _plan, "demo": _demo}[arguments.command](arguments))
    for warning in told:
        _tell(f"warning: {warning.message}")
    return 0


# --- rank ---


def _rank(arguments: argparse.Namespace) -> str:
    options = _scorer_options(arguments)
    if arguments.plot is not None:
        from pairvote.plotting import check_picture

        check_picture(arguments.plot)
    ranking, summary = _ranked(arguments, options)
    n_rows = _n_rows(ranking, arguments.top)
    if arguments.plot is not None:
        save_picture(ranking, arguments.plot, level=arguments.level, top=arguments.top)
    if arguments.top is not None and n_rows > arguments.top:
        _tell(f"note: {n_rows} items are shown, not {arguments.top}, since place {arguments.top} is shared")
    n_components = int(ranking.components.max(initial=-1)) + 1
    if n_components > 1:
        _tell(
            f"warning: the items fall into {n_components:,} components that no vote connects; "
            "their order across components is not the voters'"
        )
    if ranking.method == "bradley-terry" and ranking.uncertainty is None:
        _tell(f"note: standard errors are not given for as many as {ranking.n_items:,} items")
    from pairvote._rank_command import describe

    return describe(summary, ranking, n_rows, arguments.level, arguments.format)


def _ranked(arguments: argparse.Namespace, options: dict[str, Any]) -> tuple[Ranking, Summary]:
    from pairvote._rank_command import Summary, is_large, rank_chunks
    from pairvote.scoring.methods import rank

    if arguments.criteria is None and is_large(arguments.votes, arguments.input_format):
        from pairvote._scan import scan_votes

        progress = sys.stderr is not None and sys.stderr.isatty()
        scan = scan_votes(arguments.votes, format=arguments.input_format, progress=progress, **_columns(arguments))
        return rank_chunks(scan, arguments.method, arguments.criterion, options)
    votes = _read(arguments)
    if arguments.criteria is None:
        votes = votes.select(_spelt(votes, arguments.criterion))
    else:
        from pairvote.scoring.criteria import votes_on

        criteria = {_spelt(votes, label): weight for label, weight in arguments.criteria.items()}
        votes = votes_on(votes, criteria)
        options |= {"criteria": criteria, "criterion": arguments.criterion}
    return rank(votes, arguments.method, **options), Summary.of(votes)


def _scorer_options(arguments: argparse.Namespace) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if arguments.ties is not None:
        if arguments.method == "elo":
            raise InputError("--ties does not go with --method elo, which takes a tie as half a win for each side")
        options["ties"] = arguments.ties
    for name, value in (("prior_sd", arguments.prior_sd), ("position", arguments.position or None)):
        if value is not None:
            if arguments.method != "bradley-terry":
                flag = name.replace("_", "-")
                raise InputError(f"--{flag} goes with --method bradley-terry, not with {arguments.method}")
            options[name] = value
    return options


def _read(arguments: argparse.Namespace) -> Votes:
    from pairvote.io import read_votes

    source, format = arguments.votes, arguments.input_format
    if source == "-":
        source = _standard_input()
        if format is None:
            format = "jsonl" if source.getvalue().lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"
    return read_votes(source, format=format, **_columns(arguments))


def _columns(arguments: argparse.Namespace) -> dict[str, Any]:
    parts = ("left", "right", "outcome", "voter", "weight", "outcomes")
    return {part: getattr(arguments, part) for part in parts} | {"criterion": arguments.criterion_column}


def _standard_input() -> Any:
    import io

    class StandardInput(io.BytesIO):
        name = "standard input"

    if sys.stdin is None:
        raise InputError("standard input is closed; pass a file")
    return StandardInput(sys.stdin.buffer.read())


def _spelt(votes: Votes, criterion: str | None) -> Hashable | None:
    """The criterion's label, given as it is spelt on the command line."""
    return next((label for label in votes.criteria if str(label) == criterion), criterion)


def _n_rows(ranking: Ranking, top: int | None) -> int:
    if top is None:
        return ranking.n_items
    if top > ranking.n_items:
        raise InputError(f"--top is {top} and there are {ranking.n_items} items; pass at most as many")
    return len(ranking.top(top, ties="include"))


def save_picture(ranking: Ranking, path: str, *, level: float = 0.95, top: int | None = None) -> None:
    """Save the picture of a ranking; what matplotlib warns of becomes one line on stderr."""
    import warnings

    from pairvote.plotting import save_ranking

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            save_ranking(ranking, path, level=level, top=top)
        except OSError as error:
            raise InputError(
                f"the picture cannot be saved as {path!r} ({error.strerror or error}); choose another --plot"
            ) from error
    if caught:
        more = f" (and {len(caught) - 1} more of the kind)" if len(caught) > 1 else ""
        _tell(f"warning: {path}: {caught[0].message}{more}")


# --- check ---


def _check(arguments: argparse.Namespace) -> str:
    votes = _read(arguments)
    votes = votes.select(_spelt(votes, arguments.criterion))

    from pairvote._check_command import report_on
    from pairvote._rank_command import as_json

    text, report = report_on(votes, arguments.top, arguments.seed)
    return text if arguments.format == "text" else as_json(report)


# --- plan ---


def _plan(arguments: argparse.Namespace) -> str:
    from pairvote._plan_command import plan

    titles = _standard_input() if arguments.items == "-" else arguments.items
    options = (arguments.voters, arguments.votes, arguments.out, arguments.seed, arguments.top)
    ballots, description = plan(titles, *options)
    if ballots:
        for line in description.splitlines():
            _tell(line)
    return ballots or description


# --- demo ---


def _demo(arguments: argparse.Namespace) -> str:
    from pairvote._demo import demo

    return demo(arguments.seed, arguments.plot)


# --- arguments ---


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as everything else here does: in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> _Parser:
    parser = _Parser(
        prog="pairvote",
        allow_abbrev=False,
        description="Run and score votes in which people pick one of two.",
    )
    parser.add_argument("--version", action="version", version=f"pairvote {pairvote.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    rank = commands.add_parser(
        "rank",
        allow_abbrev=False,
        help="rank the items of a file of votes",
        description="Rank the items of a file of votes, with columns left, right and outcome "
        "(left, right, tie or skip).",
    )
    scoring = rank.add_argument_group("scoring")
    scoring.add_argument("--method", choices=METHODS, default="bradley-terry", help="%(default)s by default")
    scoring.add_argument(
        "--ties",
        type=_arguments.ties,
        metavar="WHAT",
        help="bradley-terry: davidson (default), rao-kupper, half or drop; "
        "luce: half (default) or drop; tally and win-rate: what a tie counts for each side, 0.5 by default",
    )
    scoring.add_argument(
        "--prior-sd",
        type=_arguments.number,
        metavar="SD",
        help="bradley-terry: the prior's standard deviation in log-odds, 3 by default; inf for maximum likelihood",
    )
    scoring.add_argument("--position", action="store_true", help="bradley-terry: fit what standing on the left adds")
    scoring.add_argument("--criterion", metavar="LABEL", help="score the votes on this criterion")
    scoring.add_argument(
        "--criteria",
        type=_arguments.criteria,
        metavar="LABEL=WEIGHT,...",
        help="score these criteria, each by itself, and rank by the weighted mean, such as useful=2,new=1",
    )
    output = rank.add_argument_group("output")
    output.add_argument(
        "--top", type=_arguments.count, metavar="K", help="the best K only, and all level with the K-th"
    )
    output.add_argument("--level", type=_arguments.level, default=0.95, help="of the intervals, %(default)s by default")
    output.add_argument("--format", choices=("table", "csv", "json"), default="table")
    output.add_argument("--plot", metavar="FILE", help="save a picture, such as ranking.png or ranking.svg")
    _arguments.add_reading(rank)

    _arguments.add_check(
        commands.add_parser(
            "check",
            allow_abbrev=False,
            help="see whether a file of votes is to be trusted",
            description="Whether a file of votes is to be trusted: what decides the best, voters, sides, items, "
            "reliability.",
        )
    )

    plan = commands.add_parser(
        "plan",
        allow_abbrev=False,
        help="plan all questions of a vote, for instance on paper",
        description="Plan all questions of a vote: a CSV of voter, question, left and right, and an empty column "
        "for the outcome. Filled in, it is a file of votes.",
    )
    plan.add_argument("--items", required=True, metavar="FILE", help="a title a line, in UTF-8; - for standard input")
    plan.add_argument("--voters", type=_arguments.count, metavar="N", help="how many there are; see --top")
    plan.add_argument(
        "--votes", type=_arguments.count, default=20, metavar="N", help="for each, %(default)s by default"
    )
    plan.add_argument("--out", default="-", metavar="FILE", help="standard output by default, or for -")
    plan.add_argument("--seed", type=_arguments.seed, metavar="N", help="the same seed gives the same plan")
    plan.add_argument(
        "--top",
        type=_arguments.count,
        metavar="K",
        help="say what the vote will find of the best K, and how many voters that takes; without --voters only that",
    )

    demo = commands.add_parser(
        "demo",
        allow_abbrev=False,
        help="see the Kalmar workshop of 2014 voted and scored three ways",
        description="The Kalmar workshop of 2014, with simulated votes, scored three ways and drawn.",
    )
    demo.add_argument("--seed", type=_arguments.seed, default=2014, metavar="N", help="%(default)s by default")
    demo.add_argument("--plot", default="kalmar.png", metavar="FILE", help="%(default)s by default")
    return parser


# --- streams ---


def _escape_what_cannot_be_encoded() -> None:
    """Under a terminal that knows no Swedish letters, print them escaped rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _write(text: str) -> None:
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again, with a traceback, when Python flushes it at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise InputError(f"the output cannot be written ({error.strerror}); send it elsewhere") from error


def _tell(line: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print("pairvote: " + " ".join(line.splitlines()), file=sys.stderr)


def _fail(message: str) -> int:
    spoken_of = [words for words in FLAGS if words in message]
    flags = [FLAGS[words] for words in spoken_of if not any(words in longer for longer in spoken_of if longer != words)]
    _tell(f"error: {message}" + (f" (on the command line: {', '.join(flags)})" if flags else ""))
    return 2
