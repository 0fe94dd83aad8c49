"""Amounts in files: numbers, or texts that say numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import first_row, is_missing
from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote.errors import InputError

REMEDIES = {"weight": ("write 1 for a single vote, or leave out the row", "write it as 1 or 0.5")}
MISSING, NO_NUMBER = "fill it in, or leave out the row", "write it as 1 or 0.5, or leave out the row"


def numbers(column: Any, part: str, locate: Locate, decimal: str | None = ".") -> NDArray[np.float64]:
    """The numbers of a column of amounts, which is an array, a list, or coded.

    Raises
    ------
    InputError
        For an entry that is missing or no number, naming its row.
    """
    found, wrong = tried(column, decimal)
    if wrong.any():
        row = first_row(wrong)
        raise no_number(entry(column, row), part, locate(row))
    return found


def tried(column: Any, decimal: str | None = ".") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The numbers of a column of amounts, nan where an entry is none; and in which rows that is.

    With None for `decimal`, text is no number.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind in "iuf":
        return column.astype(np.float64), np.zeros(len(column), bool)
    codes, labels = column if isinstance(column, Coded) else (None, column)
    values, wrong = np.full(len(labels) + 1, math.nan), np.ones(len(labels) + 1, bool)
    for place, label in enumerate(labels):
        number = _number(label, decimal)
        if number is not None:
            values[place], wrong[place] = number, False
    if codes is None:
        return values[:-1], wrong[:-1]
    # A missing entry is coded -1, which picks the last value.
    return values[codes], wrong[codes]


def _number(label: Any, decimal: str | None) -> float | None:
    if isinstance(label, str):
        if decimal is None:
            return None
        # Python's float also takes 1_000, which no file means.
        text = label.replace(decimal, ".") if decimal != "." and "." not in label else label
        try:
            return None if "_" in text else float(text)
        except ValueError:
            return None
    if isinstance(label, (bool, np.bool_)) or not isinstance(label, (int, float, np.integer, np.floating)):
        return None
    try:
        return float(label)
    except OverflowError:
        return math.inf


def entry(column: Any, row: int) -> Any:
    """What stands in a row of a column; None where it is missing."""
    if not isinstance(column, Coded):
        value = column[row]
        return value.item() if isinstance(value, np.number) else value
    code = column.codes[row]
    return None if code < 0 else column.labels[code]


def no_number(value: Any, part: str, where: str) -> InputError:
    """The error for an amount that is missing or no number."""
    missing, remedy = REMEDIES.get(part, (MISSING, NO_NUMBER))
    if is_missing(value):
        return wrong_entry(part, where, None, missing, found="missing")
    return wrong_entry(part, where, value, remedy, found=f"{shorten(value)}, which is not a number")
