"""The command's arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pairvote
from pairvote.cli import _arguments
from pairvote.errors import InputError, PairvoteError


class Methods:
    """The scorers' names, looked up when they are asked for: help on other commands needs no numbers."""

    def __iter__(self) -> Iterator[str]:
        from pairvote.scoring._methods import SCORERS

        return iter(sorted(SCORERS))


# How the command spells an option of the library that an error is about: the arguments that set it, each with what
# a person types.
FLAGS: dict[str, dict[str, str]] = {
    "outcomes": {"outcomes": "--outcomes LABEL=left"},
    "criterion": {"criterion": "--criterion LABEL", "criteria": "--criteria LABEL=WEIGHT"},
    "criteria": {"criteria": "--criteria LABEL=WEIGHT"},
    "criterion column": {"criterion_column": "--criterion-column NAME"},
    "format": {"input_format": "--input-format NAME"},
    "prior_sd": {"prior_sd": "--prior-sd SD"},
    "ties": {"ties": "--ties WHAT"},
    "link": {"link": "--link NAME"},
    "average": {"average": "--average WHAT"},
    "position": {"position": "leave out --position"},
    "reliability": {"reliability": "leave out --reliability"},
    "k": {"k": "--k K"},
    "initial": {"initial": "--initial RATING"},
    "item_covariates": {"item_covariates": "--item-covariates FILE"},
    "known_scores": {"known_scores": "--known-scores FILE"},
    "n_voters": {"voters": "--voters N"},
    "votes_each": {"votes": "--votes N"},
    "top_k": {"top": "--top K"},
    **{
        name: {name: f"--{name} NAME"}
        for name in ("left", "right", "outcome", "winner", "loser", "tie", "tied", "time", "voter", "weight", "sheet")
    },
    **{name: {name: f"--{name} TEXT"} for name in ("encoding", "delimiter", "comment", "decimal")},
    "skip_lines": {"skip_lines": "--skip-lines N"},
    "groups": {"group_column": "--group-column NAME"},
    "group_column": {"group_column": "--group-column NAME"},
}


def flags_of(error: PairvoteError, arguments: argparse.Namespace) -> list[str]:
    """The flags of the command at hand that set the option an error is about."""
    if error.option == "outcomes" and error.value is None:
        return ["--outcomes =skip"]
    flags = FLAGS.get(error.option or "", {})
    return [text for name, text in flags.items() if hasattr(arguments, name)]


class UnreadError(Exception):
    """Files that cannot be read as votes, for the reason that `error` gives."""

    def __init__(self, error: PairvoteError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def reading_files() -> Iterator[None]:
    """Read votes; what keeps files from being read is `UnreadError`.

    Here the option `criterion` is a column's name, and elsewhere a criterion's.
    """
    try:
        yield
    except PairvoteError as error:
        if error.option == "criterion":
            error.option = "criterion column"
        raise UnreadError(error) from error


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as everything else here does: in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def make_parser() -> _Parser:
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
    scoring.add_argument(
        "--method",
        choices=Methods(),
        default="bradley-terry",
        metavar="METHOD",
        help="one of %(choices)s; %(default)s by default",
    )
    scoring.add_argument(
        "--ties",
        type=_arguments.ties,
        metavar="WHAT",
        help="bradley-terry: davidson (default), rao-kupper, glenn-david, cumulative, half or drop; "
        "luce: half (default) or drop; tally and win-rate: what a tie counts for each side, 0.5 by default",
    )
    scoring.add_argument(
        "--link",
        choices=("logistic", "probit"),
        help="bradley-terry: logistic (default), or probit, which is Thurstone's case V",
    )
    scoring.add_argument(
        "--average",
        choices=("votes", "opponents"),
        help="win-rate: whether every vote counts alike (default), or every opponent that an item met",
    )
    scoring.add_argument(
        "--prior-sd",
        type=_arguments.prior_sd,
        metavar="SD",
        help="bradley-terry: the standard deviation of a normal prior, in the unit of the scores; inf for maximum "
        "likelihood; by default learned: spread and shape from the votes",
    )
    scoring.add_argument("--position", action="store_true", help="bradley-terry: fit what standing on the left adds")
    scoring.add_argument(
        "--reliability",
        choices=("lapse", "slope"),
        help="bradley-terry: weigh voters who may answer by a coin, or follow the common scores more or less closely",
    )
    scoring.add_argument(
        "--k", type=_arguments.number, metavar="K", help="elo: the most that one vote moves a rating, 32 by default"
    )
    scoring.add_argument(
        "--initial",
        type=_arguments.number,
        metavar="RATING",
        help="elo and glicko2: the rating that items begin with, 1500 by default",
    )
    scoring.add_argument(
        "--item-covariates",
        metavar="FILE",
        help="bradley-terry: a CSV of labels and a column of numbers for each feature of the items that scores follow",
    )
    scoring.add_argument(
        "--known-scores",
        metavar="FILE",
        help="bradley-terry: a CSV with columns item, score and standard_error of an earlier vote, as --format csv "
        "writes it, whose scale this one is put on",
    )
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
    _arguments.add_safe_csv(output)
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

    _arguments.add_compare(
        commands.add_parser(
            "compare-models",
            allow_abbrev=False,
            help="see which model of ties, which link, sides or not",
            description="Which model a file of votes speaks for: of ties, of what a difference of scores says, and of "
            "sides; by votes that are held out.",
        )
    )

    _arguments.add_majority(
        commands.add_parser(
            "majority",
            allow_abbrev=False,
            help="say who beats whom: Condorcet winner, Smith set, Kemeny's order, cycles",
            description="Who beats whom by the majority of the votes on each pair: the Condorcet winner if there is "
            "one, Copeland scores, the Smith set, largest defeats, Kemeny's order and the cycles.",
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
    plan.add_argument("--force", action="store_true", help="replace the file of --out where there is one")
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
