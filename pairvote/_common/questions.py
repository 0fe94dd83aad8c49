"""Which question each vote answers: rows of several criteria on one screen share one."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, first_row, is_missing, reading
from pairvote._common.messages import Locate, row_number, shorten, wrong_entry
from pairvote.errors import InputError

# A column of numbers, -1 where the question is not known.
Questions = NDArray[np.int64]
UNKNOWN = np.int64(-1)
_WHOLE = re.compile(r"\s*-?[0-9]{1,19}\s*")
# From here on, floats stand for whole numbers that they do not hold.
_INEXACT = 2**53


def questions(values: Any, n_votes: int, locate: Locate = row_number) -> Questions:
    """The numbers of questions as an array of their own: int64, shape (n_votes,), -1 where none is known.

    Takes whole numbers from 0, texts of them, and missing values.

    Raises
    ------
    InputError
        Naming the row, for anything else.
    """
    with reading("question"):
        column = as_column(values, "question")
        column = tuple(column) if isinstance(column, list) else column
    numbers, wrong = tried_questions(column)
    if numbers.shape != (n_votes,):
        raise InputError(
            f"question has {len(numbers)} entries and there are {n_votes} votes; pass one number for every vote"
        )
    if wrong.any():
        raise no_question(column, first_row(wrong), locate)
    return numbers


def tried_questions(column: Any) -> tuple[Questions, NDArray[np.bool_]]:
    """The numbers of a column, and in which of its rows there is no number of a question."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        wrong = (column < UNKNOWN) | (column >= 2**63)
        return column.astype(np.int64), np.asarray(wrong)
    codes, labels = column if isinstance(column, Coded) else (np.arange(len(column)), column)
    found = [*map(_number, labels), UNKNOWN]
    wrong = np.array([number is None for number in found])
    numbers = np.array([UNKNOWN if number is None else number for number in found], np.int64)
    # A missing entry is coded -1, which picks the last of these.
    return numbers[codes], wrong[codes]


def no_question(column: Any, row: int, locate: Locate) -> InputError:
    """The error for an entry that is no number of a question."""
    value = column.labels[column.codes[row]] if isinstance(column, Coded) else column[row]
    found = f"{shorten(value.item() if isinstance(value, np.integer) else value)}, which is no number of a question"
    return wrong_entry("question", locate(row), value, "pass whole numbers from 0 to 2**63 - 1", found=found)


def _number(value: Any) -> int | None:
    """The number of a question, -1 for a missing one; None for anything else."""
    if isinstance(value, str):
        number = int(value) if _WHOLE.fullmatch(value) else -2
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        number = int(value)
    elif is_missing(value):
        return -1
    elif isinstance(value, (float, np.floating)) and abs(float(value)) < _INEXACT and float(value).is_integer():
        # What a data frame makes of whole numbers beside missing ones.
        number = int(value)
    else:
        return None
    return number if -1 <= number < 2**63 else None


def joined_questions(parts: list[Questions | None], lengths: list[int]) -> Questions | None:
    """The questions of several parts of votes, one after the other: -1 where a part has none, None where none has."""
    if all(part is None for part in parts):
        return None
    return np.concatenate(
        [np.full(length, UNKNOWN) if part is None else part for part, length in zip(parts, lengths, strict=True)]
    )


def known(numbers: Questions) -> list[int | None]:
    """The numbers, None where there is none."""
    return [None if number < 0 else number for number in numbers.tolist()]
