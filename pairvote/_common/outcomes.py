"""What came of a question, and the labels that say so."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import (
    as_array,
    as_column,
    checked_copy,
    code_column,
    first_row,
    is_missing,
    look_up,
    own_values,
    reading,
)
from pairvote._common.messages import Locate, listed, row_number, shorten, wrong_entry
from pairvote.errors import InputError


class Outcome(enum.IntEnum):
    """What came of a question. The value is twice the left side's score; a skip has none.

    Examples
    --------
    >>> import pairvote as pv
    >>> [int(outcome) for outcome in (pv.Outcome.RIGHT, pv.Outcome.TIE, pv.Outcome.LEFT, pv.Outcome.SKIP)]
    [0, 1, 2, 3]
    """

    RIGHT = 0
    TIE = 1
    LEFT = 2
    SKIP = 3


OUTCOME_NAMES = {outcome.name.lower(): int(outcome) for outcome in Outcome}
Outcomes = Mapping[Any, "Outcome | str"]


def outcome_codes(values: ArrayLike) -> NDArray[np.uint8]:
    """Outcomes of `from_codes`: integers 0 to 3, or labels."""
    values = own_values(values, "outcome")
    numbers = hasattr(values, "__array__") or _is_numbers(values)
    array = as_array(values, "outcome", copy=False) if numbers else None
    if array is None or array.dtype.kind not in "iuf":
        return named_outcomes(values, None, row_number)
    if array.ndim != 1:
        raise InputError(f"outcome has shape {array.shape}; pass a one-dimensional array with one entry a vote")
    if not array.size:
        return np.empty(0, np.uint8)
    if array.dtype.kind == "f":
        raise InputError(f"outcome has dtype {array.dtype}; pass integers: 0 right, 1 tie, 2 left, 3 skip")
    codes, _, stray = checked_copy(array, np.uint8, 0, 4)
    if stray is not None:
        raise InputError(f"outcome at row {stray[0]} is {stray[1]}; the codes are 0 right, 1 tie, 2 left, 3 skip")
    return codes


def _is_numbers(values: Any) -> bool:
    return isinstance(values, (list, tuple, range)) and all(
        issubclass(kind, (int, float, np.number)) and kind is not bool for kind in set(map(type, values))
    )


def named_outcomes(values: Any, outcomes: Outcomes | None, locate: Locate) -> NDArray[np.uint8]:
    column = as_column(values, "outcome")
    if isinstance(column, np.ndarray):
        column = code_column(column, "outcome")
    names = meanings_of(outcomes)
    if isinstance(column, Coded):
        numbers = np.fromiter(
            (outcome_code(label, names) for label in column.labels), np.int16, count=len(column.labels)
        )
        # A missing value is coded -1, which picks the last entry.
        codes = np.append(numbers, outcome_code(None, names))[column.codes]
    else:
        # An Outcome equals its number, to which outcomes= may give another meaning.
        if outcomes is None or Outcome not in set(map(type, column)):
            meanings = dict(names)
            with suppress(TypeError):
                found = look_up(meanings, [column])[0]
                if len(meanings) == len(names):
                    return found.astype(np.uint8)
        column = tuple(column)
        codes = np.fromiter((outcome_code(label, names) for label in column), np.int16, count=len(column))
    if codes.size and codes.min() < 0:
        row = first_row(codes < 0)
        if isinstance(column, Coded):
            code = column.codes[row]
            label = None if code < 0 else column.labels[code]
        else:
            label = column[row]
        raise unknown_outcome(label, locate(row), names)
    return codes.astype(np.uint8)


def meanings_of(outcomes: Outcomes | None) -> dict[Any, int]:
    names: dict[Any, int] = dict(OUTCOME_NAMES)
    if outcomes is None:
        return names
    if not isinstance(outcomes, Mapping):
        raise InputError(
            f"outcomes is {shorten(outcomes)}",
            option="outcomes",
            value=outcomes,
            remedy="pass a mapping such as {'model_a': 'left', 'model_b': 'right'}",
        )
    with reading("outcomes"):
        pairs = list(outcomes.items())
    for label, meaning in pairs:
        name = None if is_missing(label) else label
        if isinstance(meaning, Outcome):
            names[name] = int(meaning)
        elif isinstance(meaning, str) and meaning in OUTCOME_NAMES:
            names[name] = OUTCOME_NAMES[meaning]
        else:
            raise InputError(
                f"outcomes[{shorten(label)}] is {shorten(meaning)}",
                option="outcomes",
                value=meaning,
                remedy="it must be 'left', 'right', 'tie' or 'skip'",
            )
    return names


def outcome_code(label: Any, names: Mapping[Any, int]) -> int:
    if isinstance(label, Outcome):
        return int(label)
    try:
        return names.get(None if is_missing(label) else label, -1)
    except Exception:
        # Whatever a label's own __hash__ or __eq__ raises, it is none of the names.
        return -1


def unknown_outcome(label: Any, where: str, names: Mapping[Any, int]) -> InputError:
    """The error for an outcome label that has no meaning; its value is None where the label is missing."""
    found = None
    remedy = f"the labels are {listed(names)}, so mend it or name it in outcomes="
    if is_missing(label):
        label, found = None, "missing"
        remedy = "leave out the row, or pass outcomes={None: 'skip'} to call it a skip"
    elif isinstance(label, (int, float, np.number)):
        found = f"the number {shorten(label)}, which could mean anything"
        remedy = f"say what each number means, such as outcomes={{{shorten(label)}: 'left'}}"
    return wrong_entry("outcome", where, label, remedy, found=found, option="outcomes")
