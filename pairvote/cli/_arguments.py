"""What the command's arguments mean, as argparse takes it: functions that make a value of a text, or refuse it.

And the arguments that several commands share.
"""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterator
from typing import Any

from pairvote.errors import InputError


class _Formats:
    """The names of the formats; asked for only when they are shown or chosen, so that numpy need not be loaded."""

    def __iter__(self) -> Iterator[str]:
        from pairvote.io._formats import FORMATS

        return iter(FORMATS)

    def __contains__(self, name: object) -> bool:
        return name in tuple(self)


def ties(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def prior_sd(text: str) -> float | str:
    if text == "learned":
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not learned, a number above 0, or inf") from None


def whole(text: str, low: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if number < low:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low}")
    return number


def count(text: str) -> int:
    return whole(text, 1)


def seed(text: str) -> int:
    return whole(text, 0)


def level(text: str) -> float:
    probability = number(text)
    if not 0.0 < probability < 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability between 0 and 1, such as 0.95")
    return probability


def criteria(text: str) -> dict[str, float]:
    """The mapping behind "useful=2,new=1"."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        label, equals, weight = part.rpartition("=")
        if not equals or label in weights:
            raise argparse.ArgumentTypeError(f"{part!r} is not LABEL=WEIGHT, each label once")
        weights[label] = number(weight)
    return weights


def outcomes(text: str) -> dict[Any, str | float] | str:
    """The mapping behind "a=left,b=right", or a text that names how outcomes are told, such as scores or 1-5.

    A label with a comma, an equals sign or a quote in it stands in double quotes. A label that reads as a number
    stands for the number too, and true and false for the booleans; a label of no characters is a missing one.
    """
    from pairvote._common.outcomes import Meanings

    if "=" not in text:
        try:
            Meanings.of(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not LABEL=left, LABEL=right, LABEL=tie or LABEL=skip, nor share, scores, 1-5 or H/D/A"
            ) from error
        return text
    meanings: dict[Any, str | float] = {}
    for label, meaning, part in _labelled(text):
        if label in meanings:
            raise argparse.ArgumentTypeError(f"{label!r} is given a meaning twice")
        meanings[label] = _meaning(meaning, part)
    for label, told in list(meanings.items()):
        with contextlib.suppress(ValueError):
            meanings[float(label)] = told
    for label, told in list(meanings.items()):
        if isinstance(label, str) and label.lower() in ("true", "false"):
            meanings.setdefault(label.lower() == "true", told)
    if "" in meanings:
        meanings[None] = meanings.pop("")
    return meanings


def _labelled(text: str) -> Iterator[tuple[str, str, str]]:
    """Each label and its meaning, and the part of the text that says so."""
    part_of_text = re.compile(r'"((?:[^"]|"")*)"=([^,"]*)|([^,"]*)')
    at = 0
    while at <= len(text):
        found = part_of_text.match(text, at)
        end = at if found is None else found.end()
        if found is None or text[end : end + 1] not in ("", ","):
            raise argparse.ArgumentTypeError(
                f"{text[at:]!r} is not LABEL=MEANING; put a label with marks in double quotes"
            )
        if found[1] is not None:
            yield found[1].replace('""', '"'), found[2], found[0]
        else:
            label, equals, meaning = found[3].rpartition("=")
            yield label, meaning if equals else "", found[0]
        at = end + 1


def _meaning(text: str, part: str) -> str | float:
    if text in ("left", "right", "tie", "skip"):
        return text
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(
            f"{part!r} is not LABEL=left, LABEL=right, LABEL=tie or LABEL=skip, or the left side's share from 0 to 1"
        )
    return share


class Merged(argparse.Action):
    """Takes --outcomes several times: what each says of labels is put together."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, value: Any, option: str | None = None) -> None:
        """Keep the value, beside what was said before."""
        known = getattr(namespace, self.dest)
        if known is not None:
            if not (isinstance(known, dict) and isinstance(value, dict)):
                raise argparse.ArgumentError(self, "a text such as scores says all, so give it alone")
            if known.keys() & value.keys():
                raise argparse.ArgumentError(
                    self, f"{min(map(str, known.keys() & value.keys()))!r} is given a meaning twice"
                )
            value = {**known, **value}
        setattr(namespace, self.dest, value)


def extract(text: str) -> tuple[str, str]:
    """A column and the pattern of its cells, out of "decision=(?P<left>.*),(?P<right>.*)"."""
    column, equals, pattern = text.partition("=")
    if not column or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=PATTERN")
    return column, pattern


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add the arguments that say which files to read, and how."""
    command.add_argument(
        "votes", metavar="VOTES", nargs="+", help="files and folders of votes, or - for standard input"
    )
    _add_columns(command.add_argument_group("columns", "By default those that are called so are taken."))
    _add_rows(command.add_argument_group("rows"))
    _add_cells(command.add_argument_group("file"))


def _add_columns(columns: Any) -> None:
    for side in ("left", "right"):
        columns.add_argument(
            f"--{side}",
            action="append",
            metavar="NAME",
            help=f"the item on the {side}; give it twice to join two columns",
        )
    columns.add_argument("--outcome", metavar="NAME", help="what was picked")
    columns.add_argument("--winner", metavar="NAME", help="the winner, by its label or by its side, beside both sides")
    columns.add_argument("--loser", metavar="NAME", help="the loser, beside the winner")
    columns.add_argument(
        "--tie", metavar="NAME", help="true where a vote is a tie; or the word for a tie among winners"
    )
    for option, what in (("score", "score"), ("wins", "number of votes won, one row for a pair")):
        for side in ("left", "right"):
            columns.add_argument(f"--{side}-{option}", metavar="NAME", help=f"the {what}")
    columns.add_argument("--tied", metavar="NAME", help="the number of ties, beside --left-wins")
    columns.add_argument("--voter", metavar="NAME", help="who voted")
    columns.add_argument("--group-column", metavar="NAME", help="the voter's group; whether groups agree is told")
    columns.add_argument("--weight", metavar="NAME", help="how many votes a row stands for")
    columns.add_argument("--no-weight", action="store_true", help="take no column for weights")
    columns.add_argument("--criterion-column", metavar="NAME", help="what was asked")
    columns.add_argument("--time", metavar="NAME", help="when; Elo goes by it")
    columns.add_argument(
        "--extract",
        type=extract,
        action="append",
        metavar="NAME=PATTERN",
        help="a column whose cells hold several: a regular expression with groups such as (?P<left>...)",
    )


def _add_rows(rows: Any) -> None:
    rows.add_argument(
        "--outcomes",
        type=outcomes,
        action=Merged,
        metavar="LABEL=MEANING,...",
        help="what other outcome labels mean, such as model_a=left,model_b=right; no label for a missing one: =skip; "
        "or how they are told: scores, share, a scale such as 1-5, or the labels H/D/A",
    )
    rows.add_argument("--matrix", action="store_true", help="the file is a square table of wins, of rows over columns")
    rows.add_argument(
        "--rankings",
        action="append",
        metavar="NAME",
        help="a column of ballots, one a row; give it for each such column, or all",
    )
    rows.add_argument("--skip-bad-rows", action="store_true", help="leave out rows that are no votes, and say which")
    rows.add_argument(
        "--fold-orders", action="store_true", help="make one vote of a pair that a voter judged in both orders"
    )
    rows.add_argument("--strip", action="store_true", help="join items whose labels print alike")


def _add_cells(file: Any) -> None:
    file.add_argument(
        "--input-format", choices=_Formats(), metavar="FORMAT", help="%(choices)s; by default what the file looks like"
    )
    file.add_argument("-d", "--delimiter", metavar="CHAR", help="what parts the cells of CSV; found out by default")
    file.add_argument("-t", "--tabs", action="store_true", help="tabs part the cells")
    file.add_argument("-e", "--encoding", metavar="NAME", help="such as windows-1252; UTF-8 or UTF-16 by default")
    file.add_argument("--decimal", choices=(".", ","), help="the mark before a fraction")
    file.add_argument("--sheet", type=sheet, metavar="NAME", help="of a workbook, by name or number from 1")
    file.add_argument("--na", action="append", metavar="TEXT", help="a cell that means a missing value, such as NA")
    file.add_argument("--comment", metavar="TEXT", help="pass over lines that begin so")
    file.add_argument("--skip-lines", type=seed, default=0, metavar="N", help="pass over N lines above the header")
    file.add_argument(
        "--no-header", action="store_true", help="the columns have no names; they are called 1, 2, 3, ..."
    )


def sheet(text: str) -> str | int:
    """A sheet's number, or its name."""
    return int(text) if text.isdecimal() and int(text) else text


def add_check(command: argparse.ArgumentParser) -> None:
    """The arguments of ``pairvote check``."""
    command.add_argument(
        "--top", type=count, default=5, metavar="K", help="how many are wanted, %(default)s by default"
    )
    command.add_argument("--criterion", metavar="LABEL", help="check the votes on this criterion")
    command.add_argument("--seed", type=seed, default=0, metavar="N", help="of the simulations, %(default)s by default")
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_reading(command)


def add_compare(command: argparse.ArgumentParser) -> None:
    """The arguments of ``pairvote compare-models``."""
    command.add_argument(
        "--by",
        choices=("vote", "voter"),
        help="what is held out; by default voters, where at least ten are known and none is unknown",
    )
    command.add_argument("--criterion", metavar="LABEL", help="look at the votes on this criterion")
    command.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of what is held out, %(default)s by default"
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_reading(command)


def add_majority(command: argparse.ArgumentParser) -> None:
    """The arguments of ``pairvote majority``."""
    command.add_argument("--criterion", metavar="LABEL", help="count the votes on this criterion")
    command.add_argument("--format", choices=("table", "csv", "json"), default="table")
    add_safe_csv(command)
    add_reading(command)


def add_safe_csv(output: Any) -> None:
    """Add the argument that keeps spreadsheets from taking labels for formulas."""
    output.add_argument(
        "--safe-csv",
        action="store_true",
        help="in CSV, an apostrophe before labels that a spreadsheet would take for formulas",
    )
