"""A ranking as a table for people: aligned, best first, no more digits than the standard errors support."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pairvote._common.tables import as_label, html_table, text_lines

MOST_ROWS = 50
LABEL_WIDTH = 80
DECIMALS = {"log-odds": 2, "elo": 0, "votes": 1, "share": 3}
# A ranking's columns by name, as `Ranking.to_columns` gives them, perhaps of its best items only.
Columns = Mapping[str, list[Any]]


def formatted(
    columns: Columns, unit: str, decimals: int, level: float = 0.95, label_width: int | None = None
) -> tuple[list[str], list[list[str]]]:
    """Headings and cells as text, scores with so many decimals."""

    def numbers(name: str) -> list[str]:
        # Adding zero turns a rounded -0.0 into 0.0.
        return [f"{round(value, decimals) + 0.0:.{decimals}f}" for value in columns[name]]

    shown = {
        "rank": list(map(str, columns["rank"])),
        "item": [as_label(label, label_width) for label in columns["item"]],
        f"score ({unit})": numbers("score"),
    }
    if "low" in columns:
        ends = zip(numbers("low"), numbers("high"), strict=True)
        shown[f"{100 * level:g}% interval"] = [f"{low} to {high}" for low, high in ends]
    if "order_spread" in columns:
        shown["spread over orders"] = numbers("order_spread")
    for name in ("won", "tied", "asked"):
        shown[name] = [f"{value:.10g}" for value in columns[name]]
    return list(shown), [list(row) for row in zip(*shown.values(), strict=True)]


def as_text(columns: Columns, unit: str, decimals: int, n_items: int, level: float = 0.95) -> str:
    """An aligned table, and how many of `n_items` it leaves out."""
    headings, rows = formatted(columns, unit, decimals, level, LABEL_WIDTH)
    lines = text_lines(headings, rows, text_columns=(1,))
    if n_items > len(rows):
        lines.append(f"... and {n_items - len(rows):,} more")
    return "\n".join(lines)


def as_html(columns: Columns, unit: str, decimals: int, n_items: int) -> str:
    """The table of `as_text` in HTML, for notebooks."""
    headings, rows = formatted(columns, unit, decimals)
    more = f"<p>... and {n_items - len(rows):,} more</p>" if n_items > len(rows) else ""
    return html_table(headings, rows, text_columns=(1,)) + more


def decimals_for(smallest_error: float, unit: str, whole: bool) -> int:
    """How many decimals show two digits of the smallest standard error; without errors what suits the unit.

    smallest_error : 0 or infinite where there is none. whole : whether all scores are whole numbers.
    """
    if 0.0 < smallest_error < math.inf:
        return min(max(0, 1 - math.floor(math.log10(smallest_error))), 9)
    return 0 if unit == "votes" and whole else DECIMALS[unit]
