"""A ranking as a table for people: aligned, best first, no more digits than the standard errors support."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Container, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import MissingUncertaintyError

if TYPE_CHECKING:
    from pairvote.ranking import Ranking

MOST_ROWS = 50
LABEL_WIDTH = 80
# Characters that would break a line, or steer a terminal: controls, line and paragraph separators, lone surrogates.
UNSAFE = ("Cc", "Zl", "Zp", "Cs")
DECIMALS = {"log-odds": 2, "elo": 0, "votes": 1, "share": 3}


def columns(ranking: Ranking, order: NDArray[np.intp], level: float) -> dict[str, list[Any]]:
    """The columns of a ranking's table for the items in `order`."""

    def pick(array: NDArray[Any]) -> list[Any]:
        values: list[Any] = array[order].tolist()
        return values

    table: dict[str, list[Any]] = {
        "rank": pick(ranking.ranks()),
        "item": [ranking.items[code] for code in order.tolist()],
        "score": pick(ranking.scores),
    }
    with suppress(MissingUncertaintyError):
        low, high = ranking.confidence_interval(level)
        table |= {"standard_error": pick(ranking.standard_errors), "low": pick(low), "high": pick(high)}
    if ranking.order_spread is not None:
        table["order_spread"] = pick(ranking.order_spread)
    return table | {
        "won": pick(ranking.won),
        "tied": pick(ranking.tied),
        "asked": pick(ranking.asked),
        "skipped": pick(ranking.skipped),
    }


def as_label(label: object, width: int | None = None) -> str:
    """A label on one line: control characters escaped, and cut to `width` characters."""
    text = str(label)
    if not text.isprintable():
        text = "".join(repr(c)[1:-1] if unicodedata.category(c) in UNSAFE else c for c in text)
    return text if width is None or len(text) <= width else text[: width - 1].rstrip() + "…"


def formatted(
    ranking: Ranking, n_rows: int, level: float = 0.95, label_width: int | None = None
) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the best `n_rows` items, as text."""
    table = columns(ranking, np.argsort(ranking.ranks(), kind="stable")[:n_rows], level)
    decimals = _decimals(ranking)

    def numbers(name: str, digits: int) -> list[str]:
        # Adding zero turns a rounded -0.0 into 0.0.
        return [f"{round(value, digits) + 0.0:.{digits}f}" for value in table[name]]

    shown = {"rank": list(map(str, table["rank"])), "item": [as_label(label, label_width) for label in table["item"]]}
    shown[f"score ({ranking.unit})"] = numbers("score", decimals)
    if "low" in table:
        ends = zip(numbers("low", decimals), numbers("high", decimals), strict=True)
        shown[f"{100 * level:g}% interval"] = [f"{low} to {high}" for low, high in ends]
    if "order_spread" in table:
        shown["spread over orders"] = numbers("order_spread", decimals)
    for name in ("won", "tied", "asked"):
        shown[name] = [f"{value:.10g}" for value in table[name]]
    return list(shown), [list(row) for row in zip(*shown.values(), strict=True)]


def as_text(ranking: Ranking, n_rows: int = MOST_ROWS, level: float = 0.95) -> str:
    """An aligned table: text to the left, numbers to the right."""
    headings, rows = formatted(ranking, n_rows, level, LABEL_WIDTH)
    lines = text_lines(headings, rows, text_columns=(1,))
    if ranking.n_items > len(rows):
        lines.append(f"... and {ranking.n_items - len(rows):,} more")
    return "\n".join(lines)


def text_lines(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Container[int]) -> list[str]:
    """The lines of an aligned table: what is text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if i in text_columns else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return [line(headings), *map(line, rows)]


def as_html(ranking: Ranking, n_rows: int = MOST_ROWS) -> str:
    """The same table in HTML, for notebooks."""
    headings, rows = formatted(ranking, n_rows)
    more = f"<p>... and {ranking.n_items - len(rows):,} more</p>" if ranking.n_items > len(rows) else ""
    return html_table(headings, rows, text_columns=(1,)) + more


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Container[int]) -> str:
    """The same of any table, as HTML."""

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} style="text-align:{"left" if i in text_columns else "right"}">{html.escape(value)}</{tag}>'
            for i, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', headings)}</tr></thead><tbody>{body}</tbody></table>"


def _decimals(ranking: Ranking) -> int:
    """So many that the smallest standard error shows two digits; else what suits the unit."""
    with suppress(MissingUncertaintyError):
        smallest = float(ranking.standard_errors.min(initial=math.inf))
        if 0.0 < smallest < math.inf:
            return min(max(0, 1 - math.floor(math.log10(smallest))), 9)
    if ranking.unit == "votes" and not (ranking.scores % 1.0).any():
        return 0
    return DECIMALS[ranking.unit]
