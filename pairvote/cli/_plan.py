"""The command ``pairvote plan``: the questions of a whole vote, as a CSV to print and to fill in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural, shorten
from pairvote.cli._output import as_csv, as_data
from pairvote.errors import InputError
from pairvote.io._source import Source, displayed, replacing
from pairvote.sampling._plan import describe_plan, plan_ballots
from pairvote.simulation._how_many import how_many
from pairvote.simulation._simulate import simulate

COLUMNS = ("voter", "question", "left", "right", "outcome")
# So many that the number of voters is known to about a tenth, in a second or two.
REPETITIONS = 400
TARGET = 0.8
METHOD = "bradley-terry"
# Simulations of larger votes would keep somebody waiting.
MOST_ITEMS, MOST_QUESTIONS = 100, 50_000


def plan(
    titles: Any,
    n_voters: int | None,
    votes_each: int,
    out: str,
    seed: int | None,
    top_k: int | None = None,
    *,
    force: bool = False,
    repetitions: int = REPETITIONS,
) -> tuple[str, str]:
    """The ballots as CSV, or nothing if they are saved in the file `out`; and a description of them.

    A file that is there already is replaced only by `force`.

    With `top_k`, the description also says what the vote will find of so many best. Without voters there is only that.
    """
    if n_voters is None and top_k is None:
        raise InputError("--voters is not given", remedy="pass it, or --top K to be told how many are needed")
    if n_voters is None and out != "-":
        raise InputError("--out is given without --voters, so there are no ballots to save", remedy="pass --voters N")
    source = Source.of(titles)
    _check_out(Path(out), source, force=force)
    items = _read_titles(source)
    if top_k is not None and top_k >= len(items):
        problem = f"--top is {top_k} and there are {len(items)} items"
        raise InputError(problem, value=top_k, remedy="pass fewer, those that are to be found")
    prospect = ""
    if top_k is not None:
        prospect = _prospect(len(items), n_voters, votes_each, top_k, seed, repetitions) + "\n"
    if n_voters is None:
        return "", prospect
    ballots = plan_ballots(n_items=len(items), n_voters=n_voters, votes_each=votes_each, rng=seed)
    description = describe_plan(ballots, len(items), seed) + "\n" + prospect
    text = _as_csv(ballots, items)
    if out == "-":
        return text, description
    with replacing(Path(out)) as handle:
        handle.write(as_data(text))
    return "", f"{description}The ballots are in {displayed(out)}.\n"


def _prospect(
    n_items: int, n_voters: int | None, votes_each: int, top_k: int, seed: int | None, repetitions: int
) -> str:
    """What a vote of this size will find, by simulation of items that are N(0, 1) in log-odds."""
    if n_items > MOST_ITEMS or (n_voters or 1) * votes_each > MOST_QUESTIONS:
        return f"what a vote will find is simulated for up to {MOST_ITEMS} items and {MOST_QUESTIONS:,} questions only"
    lines = []
    size: dict[str, Any] = {"n_items": n_items, "votes_each": votes_each}
    if n_voters is not None:
        found = simulate(**size, n_voters=n_voters, repetitions=repetitions, rng=seed).evaluate(METHOD, top_k=top_k)
        lines.append(
            f"about {top_k * found.mean('overlap'):.1f} of the best {top_k} are found on average, "
            f"all of them in {found.mean('exact'):.0%} of such votes"
        )
    try:
        needed = how_many(**size, top_k=top_k, target=TARGET, method=METHOD, repetitions=repetitions, rng=seed)
    except InputError as error:
        lines.append(error.problem)
    else:
        lines.append(
            f"to find {TARGET:.0%} of the best {top_k} takes about {plural(needed.n_voters, 'voter')} "
            f"({100 * needed.level:g}% interval {needed.low:,} to {needed.high:,}), {votes_each:,} votes each"
        )
    lines.append("(simulated: strengths N(0, 1) in log-odds, answers and scores by Bradley-Terry)")
    return "\n".join(lines)


def _check_out(out: Path, titles: Source, *, force: bool) -> None:
    """InputError for a file that is not to be replaced: one that may be filled in already, or that of the titles."""
    if str(out) == "-" or not out.is_file():
        return
    if titles.path is not None and titles.path.exists() and out.samefile(titles.path):
        raise InputError(f"--out is {displayed(out)}, the file of the titles", remedy="choose another --out")
    if not force:
        raise InputError(
            f"{displayed(out)} is there already, and may be filled in",
            where=displayed(out),
            remedy="choose another --out, or pass --force to replace it",
        )


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
    rows = (
        (voter, number, items[a], items[b], None)
        for voter, questions in enumerate(ballots.tolist(), start=1)
        for number, (a, b) in enumerate(questions, start=1)
    )
    return as_csv([COLUMNS, *rows])
