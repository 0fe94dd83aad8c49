"""The table for people and the JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pairvote as pv
from benchmarks import peers
from benchmarks.cases import Group
from benchmarks.goals import seconds_text
from benchmarks.measure import Row

NONE = "-"
# Columns of words, which begin at the left; numbers end at the right.
WORDS = ("case", "goal", "met")


def header(facts: Mapping[str, str]) -> str:
    """The machine, a line each."""
    width = max(map(len, facts))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def table(group: Group, rows: Sequence[Row], *, judged: bool) -> str:
    """One group as an aligned table; columns that no row fills are left out."""
    cells = _cells(group, rows, judged)
    widths = {title: max(len(title), *map(len, column)) for title, column in cells.items()}

    def line(texts: Mapping[str, str]) -> str:
        aligned = (
            f"{texts[title]:<{width}}" if title in WORDS else f"{texts[title]:>{width}}"
            for title, width in widths.items()
        )
        return "  ".join(aligned).rstrip()

    lines = [group.title, line({title: title for title in cells})]
    lines += [line({title: column[place] for title, column in cells.items()}) for place in range(len(rows))]
    return "\n".join([*lines, *(f"  {note}" for note in _notes(rows))])


def shown(name: str, group: Group, rows: Sequence[Row], *, judged: bool) -> tuple[dict[str, Any], str]:
    """Print a group's table; what JSON and the page keep of it."""
    print(table(group, rows, judged=judged), end="\n\n", flush=True)
    found = {
        "group": name,
        "title": group.title,
        "unit": group.unit,
        "rows": [record(row, judged=judged) for row in rows],
    }
    return found, markdown(group, rows, judged=judged)


def markdown(group: Group, rows: Sequence[Row], *, judged: bool) -> str:
    """The same for a page of the docs."""
    cells = _cells(group, rows, judged)
    lines = [list(cells), ["---" if title in WORDS else "---:" for title in cells], *zip(*cells.values(), strict=True)]
    texts = [f"| {' | '.join('' if cell == NONE else cell for cell in line)} |" for line in lines]
    return "\n".join([f"**{group.title}**", "", *texts, *(f"\n{note}" for note in _notes(rows))])


def _notes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.case.note for row in rows if row.case.note and row.measured))


def _cells(group: Group, rows: Sequence[Row], judged: bool) -> dict[str, list[str]]:
    """The columns that some row fills, by title."""
    columns: dict[str, Callable[[Row], str]] = {
        "case": lambda row: row.case.name,
        "votes": lambda row: f"{row.case.n_votes:,}" if row.case.n_votes else NONE,
        "median": lambda row: seconds_text(row.cost.seconds) if row.measured else row.status,
        "min": lambda row: seconds_text(min(row.seconds)) if row.measured else NONE,
        "votes/s": lambda row: rate_text(1 / row.cost.per_vote) if row.measured and row.case.n_votes else NONE,
        "memory": lambda row: NONE if row.peak_bytes is None else bytes_text(row.peak_bytes),
        "x peer": lambda row: NONE if row.times_fastest_peer is None else f"{row.times_fastest_peer:.3g}",
        f"off by ({group.unit})" if group.unit else "off by": lambda row: (
            NONE if row.difference is None else f"{row.difference:.1g}"
        ),
        "goal": lambda row: NONE if row.case.goal is None else row.case.goal.text,
        "met": lambda row: _met(row, judged),
    }
    cells = {title: [text(row) for row in rows] for title, text in columns.items()}
    return {title: column for title, column in cells.items() if any(cell != NONE for cell in column)}


def _met(row: Row, judged: bool) -> str:
    if row.case.goal is None:
        return NONE
    if row.verdict is None:
        return "not compared"
    if not judged:
        return f"({row.verdict.figure})"
    return f"{'yes' if row.verdict.met else 'NO'}, {row.verdict.figure}"


def record(row: Row, *, judged: bool) -> dict[str, Any]:
    """A row as JSON has it: seconds, bytes and ratios as numbers."""
    case, verdict = row.case, row.verdict
    goal = None
    if case.goal is not None:
        goal = {
            "text": case.goal.text,
            "figure": verdict.figure if verdict else None,
            "met": verdict.met if verdict and judged else None,
        }
    return {
        "case": case.name,
        "library": case.library,
        "version": pv.__version__ if row.is_ours else peers.version(case.library),
        "status": row.status,
        "votes": case.n_votes,
        "seconds": row.seconds,
        "median": row.cost.seconds if row.measured else None,
        "min": min(row.seconds) if row.measured else None,
        "votes_per_second": 1 / row.cost.per_vote if row.measured and case.n_votes else None,
        "peak_bytes": row.peak_bytes,
        "times_fastest_peer": row.times_fastest_peer,
        "off_by": _finite(row.difference),
        "checksum": _finite(row.checksum),
        "goal": goal,
        "note": case.note,
    }


def _finite(value: float | None) -> float | None:
    """JSON has no nan and no inf."""
    return value if value is not None and math.isfinite(value) else None


def bytes_text(n_bytes: int) -> str:
    """Memory in MB of a million bytes."""
    return f"{n_bytes / 1e6:.1f} MB"


def rate_text(per_second: float) -> str:
    """A rate with its thousands as a letter."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if per_second >= size:
            return f"{per_second / size:.3g}{letter}"
    return f"{per_second:.3g}"


LEGEND = """\
median and min: seconds of a call over the repeats, in which the cases of a table take turns
memory: what a call takes at its peak on top of what was held before, in a process of its own
x peer: times as fast, per vote, as the fastest peer of the table with a right answer (1 is that peer)
off by: the largest distance of a score to the right one"""
