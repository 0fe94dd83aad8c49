"""Files that are votes in other ways than two columns and an outcome: matrices, ballots, and pairs within a text."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np

from pairvote._common.messages import plural
from pairvote.io._overview import ColumnView, Overview
from pairvote.io._words import has_word, place_of, words

# Patterns for texts that hold a pair and who won it.
DECISIONS = (
    r"^(?P<left>[^,]+),(?P<right>[^,]+) -> (?P<winner>[^,]+),[^,]+$",
    r"^\s*(?P<left>[^,]+?)\s*,\s*(?P<right>[^,]+?)\s*(?:->|=>|→)\s*(?P<winner>[^,]+?)\s*,[^,]+$",
    r"^\s*(?P<left>[^,]+?)\s*,\s*(?P<right>[^,]+?)\s*(?:->|=>|→)\s*(?P<winner>[^,]+?)\s*$",
    r"^\s*(?P<winner>.+?)\s*(?:>|≻)\s*(?P<loser>[^>≻]+?)\s*$",
    r"^\s*(?P<winner>.+?)\s+(?:beats|beat|defeats|defeated|over)\s+(?P<loser>.+?)(?:,?\s+(?:by\s+)?\(?\d.*)?$",
)
PAIRED = r"^\s*(?P<left>.+?)\s+(?:vs\.?|v\.?|versus|gegen|contre|contra|mot)\s+(?P<right>.+?)\s*$"
# Marks that may also stand for something else than a pair, so items must recur on both sides of them.
PARTED = (r"^\s*(?P<left>[^|]+?)\s*\|\s*(?P<right>[^|]+?)\s*$", r"^\s*(?P<left>.+?)\s+[-–—]\s+(?P<right>.+?)\s*$")
# A column of texts is taken apart where at least this share of its cells can be.
TAKEN_APART = 0.6


def find_matrix(overview: Overview) -> dict[str, Any] | None:
    """The options for a square table of wins, when the first column and the header name the same items."""
    views = list(overview.columns.values())
    if len(views) < 4 or not overview.n_rows:
        return None
    first = views[0]
    rows = set(first.texts)
    cells = [view for view in views[1:] if view.name.strip() in rows]
    if len(cells) < 3 or len(cells) < 0.9 * len(rows) or len(rows) < 0.9 * first.n_rows:
        return None
    if not all(view.all_numbers or not view.n_distinct for view in cells):
        return None
    return {"matrix": True}


def is_bare_matrix(overview: Overview) -> bool:
    """Whether all columns are numbers and as many as rows, with nothing or zeros where an item meets itself."""
    views = list(overview.columns.values())
    if len(views) != overview.n_rows or len(views) < 3 or not all(view.all_numbers for view in views):
        return False
    table = np.stack([view.values() for view in views], axis=1)
    table[np.isnan(table)] = 0.0
    return bool((table >= 0).all() and not np.diagonal(table).any() and np.count_nonzero(table) > len(views))


def find_rankings(overview: Overview) -> tuple[dict[str, Any], list[str]] | None:
    """The options for a ballot a row: columns of items that hold places, or columns of places that hold items."""
    by_place = _by_place(overview)
    if by_place is not None:
        remark = f"{plural(len(by_place), 'column')} are taken as places of one ballot, best first"
        return {"rankings": "all" if len(by_place) == len(overview.columns) else by_place}, [remark]
    places = {view.name: _places(view) for view in overview.columns.values() if view.n_distinct}
    names = [name for name, numbers in places.items() if numbers is not None]
    names = [name for name in names if not has_word(words(name), ("id", "age", "year", "round", "session", "weight"))]
    if len(names) < 3:
        return None
    table = np.stack([places[name] for name in names], axis=1)
    ranked = ~np.isnan(table)
    filled = table[ranked.any(axis=1)]
    if len(filled) < 3 or np.nanmax(filled) > len(names):
        return None
    distinct = np.array([len(set(row[~np.isnan(row)])) == (~np.isnan(row)).sum() for row in filled])
    begins = np.nanmin(filled, axis=1) == 1
    if float(distinct.mean()) < 0.8 or float(begins.mean()) < 0.9 or ranked.sum() < 2 * len(filled):
        return None
    remarks = [f"the cells of {plural(len(names), 'column')} are taken as places, 1 for the best"]
    return {"rankings": "all" if len(names) == len(overview.columns) else names}, remarks


def _by_place(overview: Overview) -> list[str] | None:
    """Columns that are called first, second, third … and hold items, each once in a row; None where there are none."""
    places = {view.name: place_of(view.name) for view in overview.columns.values()}
    names = sorted((name for name, place in places.items() if place >= 1), key=lambda name: places[name])
    if len(names) < 3 or [places[name] for name in names] != list(range(1, len(names) + 1)):
        return None
    views = [overview.columns[name] for name in names]
    if any(view.all_numbers or view.is_nested for view in views):
        return None
    items = set().union(*(view.texts for view in views))
    # Items recur from column to column; the answers to several questions do not.
    if sum(view.n_distinct for view in views) < 1.5 * len(items):
        return None
    return names


def _places(view: ColumnView) -> Any:
    """The place in every row, nan where the cell is missing; None where a cell says no place."""
    numbers = view.numbers if view.all_numbers else np.array([place_of(text) for text in view.texts])
    wrong = np.isnan(numbers) & ~view.is_na
    numbers = np.where(view.is_na, np.nan, numbers)
    if wrong.any() or not (numbers[~np.isnan(numbers)] % 1 == 0).all() or not (numbers[~np.isnan(numbers)] >= 1).all():
        return None
    return np.append(numbers, np.nan)[view.codes]


def find_within(overview: Overview) -> tuple[dict[str, Any], list[str]] | None:
    """The options for a column whose cells hold a pair and who won it, such as "19,2 -> 2,19"."""
    for view in overview.columns.values():
        for pattern in DECISIONS:
            options = _taken_apart(view, pattern)
            if options is not None:
                rest = view.n_rows - _n_fitting(view, pattern)
                remarks = []
                if rest:
                    options["bad_rows"] = "skip"
                    remarks.append(f"{plural(rest, 'row')} of {view.name!r} cannot be taken apart and are left out")
                return options, remarks
    return None


def _taken_apart(view: ColumnView, pattern: str) -> dict[str, Any] | None:
    if view.is_nested or view.all_numbers or view.n_distinct < 2 or view.text_length > 200:
        return None
    if _n_fitting(view, pattern) < TAKEN_APART * (view.n_rows - view.n_missing):
        return None
    found = [match for match in (re.search(pattern, text) for text in view.texts) if match]
    groups = [match.groupdict() for match in found]
    if "left" in groups[0]:
        if sum(group["winner"] in (group["left"], group["right"]) for group in groups) < 0.9 * len(groups):
            return None
        return {"winner": "winner", "extract": {view.name: pattern}}
    items = [set(group.values()) for group in groups]
    # Where every item stands in one cell only, the sign between them is part of a sentence.
    if len(set().union(*items)) > 1.5 * len(items) or any(len(item) < 2 for item in items):
        return None
    return {"winner": "winner", "loser": "loser", "extract": {view.name: pattern}}


def _n_fitting(view: ColumnView, pattern: str) -> int:
    fits = np.array([bool(re.search(pattern, text)) for text in view.texts], bool)
    return int(view.counts[fits].sum())


def is_headerless(overview: Overview) -> bool:
    """Whether the names of the columns look like a row of cells: several of them occur as cells of their own column."""
    views = list(overview.columns.values())
    as_cells = [view for view in views if view.name.strip() in view.texts]
    shared = [
        (x, y)
        for x, y in combinations(views, 2)
        if {x.name.strip(), y.name.strip()} <= {*x.texts, *y.texts} and x.name != y.name and not x.all_numbers
    ]
    if len(as_cells) >= 2 and _is_row(as_cells):
        # A header that comes again, as where files were put one below the other.
        return False
    return len(as_cells) >= 2 or bool(shared and as_cells)


def _is_row(views: list[ColumnView]) -> bool:
    """Whether the names of columns are cells in the same rows only."""
    rows = [view.rows_of(np.array([text == view.name.strip() for text in view.texts], bool)) for view in views]
    return bool((np.logical_or.reduce(rows) == np.logical_and.reduce(rows)).all())
