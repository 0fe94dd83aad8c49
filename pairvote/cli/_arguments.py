"""What the command's arguments mean, as argparse takes it: functions that make a value of a text, or refuse it.

And the arguments that several commands share.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any


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


def outcomes(text: str) -> dict[Any, str]:
    """The mapping behind "a=left,b=right"; a label that reads as a number stands for the number too."""
    meanings: dict[Any, str] = {}
    for part in text.split(","):
        label, equals, meaning = part.rpartition("=")
        if not equals or meaning not in ("left", "right", "tie", "skip"):
            raise argparse.ArgumentTypeError(f"{part!r} is not LABEL=left, LABEL=right, LABEL=tie or LABEL=skip")
        if label in meanings:
            raise argparse.ArgumentTypeError(f"{label!r} is given a meaning twice")
        meanings[label] = meaning
    for label, meaning in list(meanings.items()):
        with contextlib.suppress(ValueError):
            meanings[float(label)] = meaning
    if "" in meanings:
        meanings[None] = meanings.pop("")
    return meanings


def add_reading(command: argparse.ArgumentParser) -> None:
    """Which file to read, and how."""
    command.add_argument("votes", metavar="VOTES", help="a file or folder of votes, or - for standard input")
    reading = command.add_argument_group("input")
    reading.add_argument(
        "--input-format", choices=_Formats(), metavar="FORMAT", help="%(choices)s; by default what the suffix says"
    )
    reading.add_argument(
        "--outcomes",
        type=outcomes,
        metavar="LABEL=MEANING,...",
        help="what other outcome labels mean, such as model_a=left,model_b=right; no label for a missing one: =skip",
    )
    for name in ("left", "right", "outcome"):
        reading.add_argument(f"--{name}", default=name, metavar="NAME", help="the column's name")
    for flag in ("--voter", "--weight", "--criterion-column"):
        reading.add_argument(flag, metavar="NAME", help="the column's name")


def add_check(command: argparse.ArgumentParser) -> None:
    """The arguments of ``pairvote check``."""
    command.add_argument(
        "--top", type=count, default=5, metavar="K", help="how many are wanted, %(default)s by default"
    )
    command.add_argument("--criterion", metavar="LABEL", help="check the votes on this criterion")
    command.add_argument("--seed", type=seed, default=0, metavar="N", help="of the simulations, %(default)s by default")
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_reading(command)
