"""Columns of outcomes as codes, and as shares where votes are graded."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import as_array, as_column, checked_copy, code_column, look_up, own_values, reading
from pairvote._common.messages import Locate, row_number
from pairvote._common.outcomes import OUTCOME_NAMES, Meanings, Outcome, Outcomes, direction, number_of
from pairvote._common.unknown_outcomes import Explain, unknown_outcomes
from pairvote.errors import InputError


def outcome_codes(values: ArrayLike) -> NDArray[np.uint8]:
    """Outcomes of `from_codes`: integers 0 to 3, or labels."""
    values = own_values(values, "outcome")
    numbers = hasattr(values, "__array__") or _is_numbers(values)
    array = as_array(values, "outcome", copy=False) if numbers else None
    if array is None or array.dtype.kind not in "iuf":
        return read_outcomes(values, None, row_number).codes
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


class ReadOutcomes(NamedTuple):
    """The outcomes of rows as codes, and the left side's shares where some row is graded."""

    codes: NDArray[np.uint8]
    share: NDArray[np.float64] | None = None


def read_outcomes(
    values: Any, outcomes: Outcomes | None, locate: Locate, explain: Explain | None = None
) -> ReadOutcomes:
    """The outcomes that a column's labels mean.

    Raises
    ------
    InputError
        For labels without a meaning, all of them at once; `explain` may give a better error.
    """
    meanings = Meanings.of(outcomes)
    column = as_column(values, "outcome")
    if isinstance(column, np.ndarray):
        if meanings.scale is not None:
            return _graded(column.astype(np.float64), meanings, column, locate, explain)
        column = code_column(column, "outcome")
    if not isinstance(column, Coded):
        if outcomes is None:
            plain = _plain_codes(column)
            if plain is not None:
                return ReadOutcomes(plain)
        column = tuple(column)
        kinds = set(map(type, column))
        if meanings.scale is not None and kinds and kinds <= {float, int}:
            with reading("outcome"):
                numbers = np.fromiter(map(number_of, column), np.float64, count=len(column))
            return _graded(numbers, meanings, column, locate, explain)
        column = _coded(column, kinds)
    known = [meanings.meaning(label) for label in (*column.labels, None)]
    # A missing value is coded -1, which picks the last entry.
    codes = np.array([meaning.code for meaning in known], np.int16)[column.codes]
    share = np.array([meaning.share for meaning in known])[column.codes] if meanings.is_graded else None
    if codes.size and codes.min() < 0:
        raise unknown_outcomes(column, np.flatnonzero(codes < 0), meanings, locate, explain)
    return ReadOutcomes(codes.astype(np.uint8), None if share is None or np.isnan(share).all() else share)


def _plain_codes(column: Any) -> NDArray[np.uint8] | None:
    """Codes of labels that are all "left", "right", "tie" or "skip"; None where some are not."""
    known: dict[Hashable, int] = dict(OUTCOME_NAMES.items())
    try:
        codes = look_up(known, [column])[0]
    except TypeError:
        return None
    return codes.astype(np.uint8) if len(known) == len(OUTCOME_NAMES) else None


def _coded(column: tuple[Any, ...], kinds: set[type]) -> Coded:
    """A column with codes; a code of its own for every row where labels that differ might be taken for equal."""
    if not (len(kinds) > 1 and any(issubclass(kind, (Outcome, bool, np.bool_)) for kind in kinds)):
        try:
            table: dict[Hashable, int] = {}
            return Coded(look_up(table, [column])[0], tuple(table))
        except TypeError:
            # Not hashable, and so no label; the error names it.
            pass
    return Coded(np.arange(len(column), dtype=np.int32), column)


def _graded(
    numbers: NDArray[np.float64], meanings: Meanings, labels: Any, locate: Locate, explain: Explain | None
) -> ReadOutcomes:
    """Outcomes of numbers on a scale."""
    share = meanings.shares(numbers)
    wrong = np.flatnonzero(np.isnan(share))
    if len(wrong):
        column = Coded(np.arange(len(labels), dtype=np.int32), labels)
        raise unknown_outcomes(column, wrong, meanings, locate, explain)
    return ReadOutcomes(direction(share), share if len(share) else None)
