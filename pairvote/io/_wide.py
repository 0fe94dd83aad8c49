"""Files that are votes as a whole and not row by row: a square table of wins, or a ballot a row."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, code_column, is_missing
from pairvote._common.messages import Locate, listed, shorten
from pairvote.errors import InputError
from pairvote.io._words import place_of
from pairvote.votes._amounts import entry, no_number, tried
from pairvote.votes._report import Report
from pairvote.votes._votes import Votes

Columns = Mapping[str, Any]
# What a row of sums is called.
TOTALS = frozenset({"total", "totals", "sum", "sums", "summe", "gesamt", "summa", "totalt", "totale", "suma", "somme"})


def votes_of_matrix(columns: Columns, locate: Locate, report: Report, decimal: str = ".") -> Votes:
    """Votes from a square table: the cell in a row and a column says how often the row's item beat the column's.

    The first column names the items of the rows, unless all columns are numbers. Columns that bear the name of no
    row are left out, and so is the diagonal; a missing cell is 0.

    Raises
    ------
    InputError
        For a table that is not square, and for a cell that is no number.
    """
    names = list(columns)
    cells = {name: tried(column, decimal) for name, column in columns.items()}
    n_rows = len(cells[names[0]][0]) if names else 0
    coded = {name: code_column(as_column(columns[name], name), name) for name in names[:1]}
    bare = n_rows == len(names) and all(_is_numeric(columns[name], cells[name][1]) for name in names)
    if bare or not names:
        labels: list[Hashable] = [name.strip() for name in names]
        chosen = names
    else:
        first = coded[names[0]]
        labels = [_stripped(entry(first, row)) for row in range(n_rows)]
        if n_rows > 2 and _is_of_sums(labels[-1], [cells[name][0] for name in names[1:]]):
            report.remark(f"the last row, {shorten(labels.pop())}, is left out, since it holds the sums of the others")
            n_rows -= 1
            cells = {name: (amounts[:-1], wrong[:-1]) for name, (amounts, wrong) in cells.items()}
        by_label = {name.strip(): name for name in reversed(names[1:])}
        lacking = [label for label in labels if str(label) not in by_label]
        if lacking or len(set(labels)) < n_rows:
            what = f"no column for {listed(lacking)}" if lacking else "one item in two rows"
            raise InputError(
                f"the table is no matrix of wins: it has {n_rows} rows and {what}",
                option="matrix",
                remedy="name the items in the first column and, alike, in the header",
            )
        chosen = [by_label[str(label)] for label in labels]
        ignored = [name for name in names[1:] if name not in chosen]
        if ignored:
            report.remark(f"the columns {listed(ignored)} are left out, since no row is called so")
        report.columns["items"] = names[0]
    wins = np.zeros((n_rows, n_rows))
    n_missing = 0
    for place, name in enumerate(chosen):
        amounts, wrong = cells[name]
        wrong = wrong | np.isnan(amounts)
        for row in np.flatnonzero(wrong).tolist():
            value = entry(columns[name], row)
            if not is_missing(value) and str(value).strip().lower() not in ("na", "nan", "-", ""):
                raise no_number(value, f"column {shorten(name)}", locate(row))
            n_missing += row != place
        wins[:, place] = np.where(wrong, 0.0, amounts)
    n_own = int(np.count_nonzero(np.diagonal(wins)))
    if n_own:
        report.remark(f"{n_own} cells on the diagonal, where an item meets itself, are left out")
    if n_missing:
        report.remark(f"{n_missing} empty cells count as 0")
    np.fill_diagonal(wins, 0.0)
    report.remark("a cell is how often the item of its row beat the item of its column")
    report.n_rows += n_rows
    return Votes.from_matrix(wins, items=labels)


def votes_of_rankings(
    columns: Columns, names: Sequence[str], voter: str | None, locate: Locate, report: Report, decimal: str = "."
) -> Votes:
    """Votes from a ballot a row: every pair of the items that it ranks, by the voter whose ballot it is.

    Columns of numbers are items, and a cell is the item's place, 1 or First for the best; an empty cell is an item that
    was not ranked, and items on one place tie. Otherwise the columns are places, best first, and the cells are items.

    Raises
    ------
    InputError
        For columns of which some are numbers and some are not, and for a ballot that names an item twice.
    """
    columns = {**columns, **{name: _in_words(columns[name], name) for name in names}}
    cells = {name: tried(columns[name], decimal) for name in names}
    numeric = [_is_numeric(columns[name], cells[name][1]) for name in names]
    if any(numeric) and not all(numeric):
        texts = [name for name, is_number in zip(names, numeric, strict=True) if not is_number]
        raise InputError(
            f"the columns {listed(texts)} are not numbers and others are",
            option="rankings",
            value=texts[0],
            remedy="name the columns of the items that are ranked, such as rankings=['ash', 'birch']",
        )
    n_rows = len(cells[names[0]][0]) if names else 0
    coded = {name: code_column(as_column(columns[name], name), name) for name in names}
    rankings: list[list[Any]] = []
    for row in range(n_rows):
        if all(numeric):
            rankings.append(_by_place({name: float(cells[name][0][row]) for name in names}))
        else:
            labels = [entry(coded[name], row) for name in names]
            rankings.append([label for label in labels if not is_missing(label)])
            if len(set(rankings[-1])) < len(rankings[-1]):
                raise InputError(f"{locate(row)} ranks an item twice", where=locate(row), remedy="mend the ballot")
    voters: list[Any] = list(range(1, n_rows + 1))
    if voter is not None:
        column = code_column(as_column(columns[voter], voter), voter)
        voters = [entry(column, row) for row in range(n_rows)]
    report.n_rows += n_rows
    of_places = "a cell is the place of its column's item, 1 for the best"
    report.remark(of_places if all(numeric) else "columns are places, best first")
    items = [name.strip() for name in names] if all(numeric) else None
    return Votes.from_rankings(rankings, voter=voters, items=items)


def _in_words(column: Any, name: str) -> Any:
    """A column of texts that say places, such as "First Choice", as numbers; any other as it is."""
    codes, labels = code_column(as_column(column, name), name)
    places = np.full(len(labels) + 1, math.nan)
    for code in np.unique(codes[codes >= 0]).tolist():
        places[code] = place_of(str(labels[code]))
        if math.isnan(places[code]):
            return column
    # A missing entry is coded -1, which picks the last place.
    return places[codes]


def _by_place(places: Mapping[str, float]) -> list[Any]:
    """Items by their places, best first; those on one place together."""
    ranked: dict[float, list[str]] = {}
    for name, place in places.items():
        if not math.isnan(place):
            ranked.setdefault(place, []).append(name.strip())
    return [names[0] if len(names) == 1 else names for _, names in sorted(ranked.items())]


def _is_of_sums(label: Hashable, cells: Sequence[Any]) -> bool:
    """Whether the last row is called Total or the like and holds the sums of the rows above it."""
    if str(label).strip().casefold() not in TOTALS:
        return False
    sums = [float(own[:-1][~np.isnan(own[:-1])].sum()) for own in cells]
    return all(math.isclose(total, own[-1]) for total, own in zip(sums, cells, strict=True) if not math.isnan(own[-1]))


def _is_numeric(column: Any, wrong: Any) -> bool:
    """Whether every cell of a column is a number, or missing."""
    if not wrong.any():
        return True
    codes, labels = column if isinstance(column, Coded) else (np.arange(len(column)), column)
    return (
        all(
            code < 0 or is_missing(labels[code]) or str(labels[code]).strip().lower() in ("", "na", "nan", "-")
            for code in np.unique(codes[wrong]).tolist()
        )
        and not wrong.all()
    )


def _stripped(label: Hashable) -> Hashable:
    return label.strip() if isinstance(label, str) else label
