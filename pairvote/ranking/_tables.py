"""A ranking as a table for people: aligned, best first, no more digits than the standard errors support."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.cells import n_cells
from pairvote._common.messages import plural
from pairvote._common.tables import NARROWEST, as_label, html_table, text_lines
from pairvote.ranking._units import Unit

MOST_ROWS = 50
LABEL_WIDTH = 80
# A note names so many items at most, each cut to so many characters.
MOST_NAMES, NAME_WIDTH = 3, 30
# Parts of votes with more decimals are shown with one.
MOST_DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Table:
    """The best items of a ranking.

    columns : by name, as `Ranking.to_columns` gives them
    n_items : how many items the ranking has, the best and all others
    notes : what else there is to say, a line each
    """

    columns: dict[str, list[Any]]
    unit: Unit
    decimals: int
    n_items: int
    level: float = 0.95
    notes: tuple[str, ...] = ()

    def formatted(self, label_width: int | None = None) -> tuple[list[str], list[list[str]]]:
        """Headings, and the rows of cells as text."""
        columns, decimals = self.columns, self.decimals

        def numbers(name: str) -> list[str]:
            # Adding zero turns a rounded -0.0 into 0.0.
            return [f"{round(value, decimals) + 0.0:.{decimals}f}" for value in columns[name]]

        shown = {
            "rank": [
                str(rank) if asked else "-" for rank, asked in zip(columns["rank"], columns["asked"], strict=True)
            ],
            "item": [as_label(label, label_width) for label in columns["item"]],
            f"score ({self.unit.name})": numbers("score"),
        }
        if "low" in columns:
            ends = zip(numbers("low"), numbers("high"), strict=True)
            shown[f"{100 * self.level:g}% interval"] = [f"{low} to {high}" for low, high in ends]
        if "order_spread" in columns:
            shown["spread over orders"] = numbers("order_spread")
        for name in ("won", "tied", "asked"):
            shown[name] = _amounts(columns[name])
        return list(shown), [list(row) for row in zip(*shown.values(), strict=True)]

    def text(self, width: int | None = None) -> str:
        """An aligned table, and how many items it leaves out; labels are cut to fit it in so many cells of a line."""
        headings, rows = self.formatted(LABEL_WIDTH if width is None else max(width, NARROWEST))
        lines = text_lines(headings, rows, text_columns=(1,), width=width)
        if width is not None and max(map(n_cells, lines)) > width:
            # The longest heading names the unit, which follows from the method.
            lines = text_lines([heading.partition(" (")[0] for heading in headings], rows, (1,), width=width)
        if self.n_items > len(rows):
            lines.append(f"... and {self.n_items - len(rows):,} more")
        return "\n".join([*lines, *self.notes])

    def html(self) -> str:
        """The table of `text` in HTML, for notebooks."""
        headings, rows = self.formatted()
        more = f"<p>... and {self.n_items - len(rows):,} more</p>" if self.n_items > len(rows) else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return html_table(headings, rows, text_columns=(1,)) + more + notes


def shown_ranks(ranks: NDArray[np.int64], voted: NDArray[np.bool_], codes: NDArray[np.intp]) -> list[Any]:
    """The ranks of these items among those with votes, and a dash for the others."""
    known = np.sort(ranks[voted])
    shown = 1 + np.searchsorted(known, ranks[codes])
    return [rank if has else "-" for rank, has in zip(shown.tolist(), voted[codes].tolist(), strict=True)]


def notes_on(
    items: Sequence[Hashable],
    order: NDArray[np.intp],
    voted: NDArray[np.bool_],
    first: NDArray[np.int32] | None,
    *,
    by_features: bool = False,
    by_known: bool = False,
) -> tuple[str, ...]:
    """What votes leave open: items without a vote, and components that no vote joins.

    order : the codes of the items, best first
    first : the code of the first item of each item's component, where it is known
    by_features, by_known : whether scores follow features of the items, or are on the scale of known ones
    """
    notes = []
    known, unknown = order[voted[order]], order[~voted[order]]
    if not len(known):
        return ("no item has a vote yet",) if len(order) else ()
    if len(unknown):
        has = "has" if len(unknown) == 1 else "have"
        named = _some([as_label(items[code], NAME_WIDTH) for code in unknown[:MOST_NAMES].tolist()], len(unknown))
        but = "a score by features alone" if by_features else "so no rank"
        notes.append(f"{plural(len(unknown), 'item')} {has} no vote, and {but}: {named}")
    if first is not None and np.count_nonzero(first[known] == known) > 1:
        _, places, sizes = np.unique(first[known], return_index=True, return_counts=True)
        largest = np.argsort(places)[:MOST_NAMES]
        groups = [
            as_label(items[known[place]], NAME_WIDTH) + (f" and {size - 1:,} more" if size > 1 else "")
            for place, size in zip(places[largest].tolist(), sizes[largest].tolist(), strict=True)
        ]
        comparison = "is not known"
        if by_features or by_known:
            comparison = f"is known by {'features' if by_features else 'their known scores'} alone"
        notes.append(
            f"no vote joins the {len(places):,} components, so how they compare "
            f"{comparison}: "
            f"{_some(groups, len(places), '; ')}"
        )
    return tuple(notes)


def _some(names: list[str], number: int, between: str = ", ") -> str:
    """Names of a few of so many."""
    return between.join(names + ["..."] * (number > len(names)))


def decimals_for(errors: NDArray[np.float64] | None, unit: Unit, scores: NDArray[np.float64]) -> int:
    """How many decimals show two digits of the smallest standard error; without errors, what suits the unit."""
    smallest = 0.0 if errors is None else float(errors.min(initial=math.inf))
    if 0.0 < smallest < math.inf:
        return min(max(0, 1 - math.floor(math.log10(smallest))), 9)
    return 0 if unit.counted and not (scores % 1.0).any() else unit.decimals


def columns_of(
    items: Sequence[Hashable], ranks: NDArray[np.int64], arrays: Mapping[str, NDArray[Any]], codes: NDArray[np.intp]
) -> dict[str, list[Any]]:
    """The columns of these items: rank, item, and what the arrays have of each."""
    columns = {"rank": ranks[codes].tolist(), "item": [items[code] for code in codes.tolist()]}
    return columns | {name: array[codes].tolist() for name, array in arrays.items()}


def _amounts(values: Sequence[float]) -> list[str]:
    """Numbers of votes; where they have many decimals, as parts of graded votes do, with one."""
    texts = [f"{value:.10g}" for value in values]
    if any(len(text.partition(".")[2]) > MOST_DECIMALS for text in texts):
        return [f"{value:.1f}" for value in values]
    return texts
