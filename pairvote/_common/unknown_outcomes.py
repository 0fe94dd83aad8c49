"""The error for outcomes without a meaning: all labels at once, and what may be done about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import is_missing
from pairvote._common.messages import Locate, listed, plural, shorten
from pairvote._common.outcomes import Meanings, number_of, scores_of
from pairvote.errors import InputError

# What fits on a screen.
MOST_NAMED = 8
MOST_LOOKED_AT = 1000
MOST_GRADES = 11
# Takes rows whose outcome has no meaning and the label of each; gives a better error than the usual one, or None.
Explain = Callable[[NDArray[np.intp], Sequence[Any]], InputError | None]


def unknown_outcomes(
    column: Coded,
    rows: NDArray[np.intp],
    meanings: Meanings,
    locate: Locate,
    explain: Explain | None = None,
    *,
    part: str = "outcome",
) -> InputError:
    """The error for the outcomes at `rows`, which have no meaning: every label, with its count and first place.

    Its value is the first label, None where that is missing.
    """
    if explain is not None:
        some = rows[:MOST_LOOKED_AT]
        better = explain(some, [None if code < 0 else column.labels[code] for code in column.codes[some].tolist()])
        if better is not None:
            return better
    entries, first, counts = np.unique(column.codes[rows], return_index=True, return_counts=True)
    order = np.argsort(first)
    labels = [None if code < 0 else column.labels[code] for code in entries[order[:MOST_LOOKED_AT]].tolist()]
    labels = [None if is_missing(label) else label for label in labels]
    named: list[str] = []
    for label, place in zip(labels, order[:MOST_NAMED].tolist(), strict=False):
        where = locate(int(rows[first[place]]))
        count = int(counts[place])
        often = f" ({plural(count, 'row')})" if len(order) > 1 or count > 1 else ""
        said = _said(label, meanings)
        named.append(f"{f'{part} ' if not named else ''}at {where} {'is ' if not named else ''}{said}{often}")
    problem = ", ".join(named)
    present = [label for label in labels if label is not None]
    if meanings.scale is not None and all(number_of(label) is not None for label in present):
        low, high = sorted(meanings.scale)
        problem += f", which is not from {low:g} to {high:g}" if present else ""
    elif present and all(map(_is_number, present)):
        problem += ", which could mean anything"
    n_more = len(order) - len(named)
    if n_more:
        left = int(counts[order[MOST_NAMED:]].sum())
        problem += f", and {plural(n_more, 'more label')} in {plural(left, 'row')}"
    return InputError(
        problem,
        option="outcomes",
        value=labels[0],
        where=locate(int(rows[0])),
        remedy=_remedy(labels, meanings),
    )


def _said(label: Any, meanings: Meanings) -> str:
    if label is None:
        return "missing"
    return ("the number " if _is_number(label) and meanings.scale is None else "") + shorten(label, 40)


def _remedy(labels: Sequence[Any], meanings: Meanings) -> str:
    present = [label for label in labels if label is not None]
    if not present:
        return "leave out the row, or pass outcomes={None: 'skip'} to call it a skip"
    it = "it" if len(labels) == 1 else "them"
    if meanings.scale is not None:
        low, high = sorted(meanings.scale)
        remedy = f"grades are numbers from {low:g} to {high:g}, so mend {it} or leave out the row"
        return remedy + ("" if len(present) == len(labels) else "; a missing one may be written 'skip'")
    guess = _guess(present)
    if all(map(_is_number, present)):
        remedy = f"say what each number means, {guess}such as outcomes={{{shorten(present[0], 40)}: 'left'}}"
    elif guess:
        remedy = f"say what they mean, {guess}or name each in outcomes="
    else:
        remedy = f"the labels are {listed(meanings.names)}, so mend {it} or name {it} in outcomes="
    missing = "" if len(present) == len(labels) else "; in it, None: 'skip' makes a missing one a skip"
    return remedy + missing


def _guess(labels: Sequence[Any]) -> str:
    """What texts and numbers look like, as advice: scores, shares, grades; or nothing."""
    if all(isinstance(label, str) and scores_of(label) is not None for label in labels):
        return "by outcomes='scores' for the left score and the right one, "
    numbers = [number_of(label) for label in labels]
    known = [number for number in numbers if number is not None and math.isfinite(number)]
    if len(known) < len(labels):
        return ""
    if all(0.0 <= number <= 1.0 for number in known) and any(number not in (0.0, 0.5, 1.0) for number in known):
        return "by outcomes='share' where it is the left side's share of the vote, "
    low, high = min(known), max(known)
    if 2 < len(known) <= MOST_GRADES and low >= 0.0 and all(number.is_integer() for number in known):
        return f"by outcomes='{low:g}-{high:g}' for grades of which {low:g} is wholly left and {high:g} wholly right, "
    return ""


def _is_number(label: object) -> bool:
    return isinstance(label, (int, float, np.number, np.bool_))
