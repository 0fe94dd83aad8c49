"""The command ``pairvote plan``: the questions of a whole vote, as a CSV to print and to fill in."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._formats.base import Source, displayed, replacing
from pairvote._labels import plural, shorten
from pairvote.errors import InputError
from pairvote.sampling.plan import describe_plan, plan_ballots

COLUMNS = ("voter", "question", "left", "right", "outcome")


def plan(titles: Any, n_voters: int, votes_each: int, out: str, seed: int | None) -> tuple[str, str]:
    """The ballots as CSV, or nothing if they are saved in the file `out`; and a description of them."""
    items = _read_titles(Source.of(titles))
    ballots = plan_ballots(n_items=len(items), n_voters=n_voters, votes_each=votes_each, rng=seed)
    description = describe_plan(ballots, len(items), seed) + "\n"
    text = _as_csv(ballots, items)
    if out == "-":
        return text, description
    with replacing(Path(out)) as handle:
        handle.write(text.encode())
    return "", f"{description}The ballots are in {displayed(out)}.\n"


def _read_titles(file: Source) -> list[str]:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file.name} is not text in UTF-8 ({error}); save it as UTF-8, a title a line") from None
    line_of: dict[str, int] = {}
    for line, title in enumerate(map(str.strip, re.split(r"\r\n|\r|\n", text)), start=1):
        if "\0" in title:
            raise InputError(f"line {line} of {file.name} has a NUL byte, so it is no text; save it as UTF-8")
        if title in line_of:
            raise InputError(
                f"line {line} of {file.name} is {shorten(title)}, as is line {line_of[title]}; "
                "keep one of them, or tell them apart"
            )
        if title:
            line_of[title] = line
    if len(line_of) < 2:
        raise InputError(f"{file.name} has {plural(len(line_of), 'title')}; pass two or more, one a line")
    return list(line_of)


def _as_csv(ballots: NDArray[np.int32], items: list[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for voter, questions in enumerate(ballots.tolist(), start=1):
        writer.writerows((voter, number, items[a], items[b], "") for number, (a, b) in enumerate(questions, start=1))
    return text.getvalue()
