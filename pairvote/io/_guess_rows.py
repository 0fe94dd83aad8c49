"""Rows that are no votes, which a guess leaves out, and items whose labels are doubtful."""

from __future__ import annotations

from typing import Any

import numpy as np

from pairvote._common.messages import plural
from pairvote.io._guess_items import Items
from pairvote.io._guess_told import Told
from pairvote.io._overview import ColumnView, Overview
from pairvote.io._words import name_pairs


def with_bad_rows(overview: Overview, items: Items, found: Told) -> Told:
    """The guess with rows left out that are no votes, when there are any; each kind is counted."""
    left, right = items.texts(overview)
    missing, alone = (left < 0) | (right < 0), (left == right) & (left >= 0)
    again = np.logical_and.reduce([overview[name].rows_of(_says_name(overview[name])) for name in items.columns])
    untold = np.zeros(overview.n_rows, bool) if found.bad is None else found.bad & ~missing & ~alone & ~again
    kinds = (
        (missing, "has not both items", "have not both items"),
        (again, "repeats the header", "repeat the header"),
        (alone, "has an item against itself", "have an item against itself"),
        (untold, "does not tell the outcome", "do not tell the outcome"),
    )
    for mask, one, many in kinds:
        number = int(np.count_nonzero(mask))
        if number:
            found.options["bad_rows"] = "skip"
            found.remarks.append(f"{plural(number, 'row')} {one if number == 1 else many} and would be left out")
    found.score -= 4.0 * float((missing | alone | untold | again).mean())
    if _blanks_apart(overview, items):
        found.options["normalise"] = True
        found.remarks.append("items that differ in blanks at their ends only are joined")
    partners = _partners(overview, items)
    if partners:
        found.remarks.append(f"{' and '.join(map(repr, partners))} look like partners of the items and are passed over")
    named = [view.name for view in (overview[name] for name in items.columns) if view.rows_of(_says_na(view)).any()]
    if named:
        found.remarks.append(f"NA in {', '.join(map(repr, named))} is taken as a label; --na NA makes it an empty cell")
    if len(set(overview[items.left[0]].texts) | set(overview[items.right[0]].texts)) > 0.9 * 2 * overview.n_rows > 7:
        found.remarks.append("nearly every item occurs once only, so there is hardly anything to rank")
    return found


def _blanks_apart(overview: Overview, items: Items) -> bool:
    """Whether some items differ in blanks at their ends only."""
    labels = {str(label) for name in items.columns for label in overview[name].labels}
    return len(items.left) == 1 and len({label.strip() for label in labels}) < len(labels)


def _partners(overview: Overview, items: Items) -> tuple[str, str] | None:
    """Two columns that are called as those of the items except for a number: sides of several players."""
    if items.names is None or len(items.left) > 1 or not any(word.isdecimal() for word in items.names.stem):
        return None
    plain = [word for word in items.names.stem if not word.isdecimal()]
    for pair, names in name_pairs(tuple(overview.names)).items():
        same_sides = (names.first, names.second) == (items.names.first, items.names.second)
        is_other = names.stem != items.names.stem and pair[0] not in items.columns
        if same_sides and is_other and plain == [word for word in names.stem if not word.isdecimal()]:
            return pair
    return None


def _says_name(view: ColumnView) -> Any:
    return np.array([text == view.name.strip() for text in view.texts], bool)


def _says_na(view: ColumnView) -> Any:
    return np.array([text in ("NA", "N/A", "NaN", "nan", "null") for text in view.texts], bool)
