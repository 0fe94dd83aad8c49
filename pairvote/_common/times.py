"""When votes were given: numbers, or moments to the microsecond."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_exact
from pairvote._common.coded import Coded
from pairvote._common.labels import as_array, as_column, first_row, is_missing, reading
from pairvote._common.messages import Locate, row_number, shorten, wrong_entry
from pairvote.errors import InputError

# Numbers are int64 or float64; moments are datetime64[us], in UTC where they name a time zone.
Times = NDArray[Any]
MOMENTS = np.dtype("datetime64[us]")
_LARGEST = 2**63


def times(values: Any, n_votes: int, locate: Locate = row_number) -> Times:
    """The times of votes as an array of their own: int64, float64 or datetime64[us], shape (n_votes,).

    Takes numbers, moments (datetime or date objects, datetime64), or texts of either; moments as ISO 8601.

    Raises
    ------
    InputError
        For a time that is missing, neither a number nor a moment, or finer than a microsecond; for numbers beside
        moments, and moments with a time zone beside those without; always naming the row.
    """
    array = _array_of(values)
    if array is None:
        column = as_column(values, "time")
        if isinstance(column, np.ndarray):
            array = column
        elif isinstance(column, Coded):
            used, first = np.unique(column.codes, return_index=True)
            # In the order of the rows, the first of which is refused.
            order = np.argsort(first)
            entries = [None if code < 0 else column.labels[code] for code in used[order].tolist()]
            distinct = _of_objects(entries, lambda entry: locate(int(first[order[entry]])))
            array = distinct[np.argsort(order)[np.searchsorted(used, column.codes)]] if len(used) else distinct
        else:
            with reading("time"):
                array = _of_objects(list(column), locate)
    if array.shape != (n_votes,):
        raise InputError(f"time has shape {array.shape} and there are {n_votes} votes; pass one time for every vote")
    return _checked(array, locate)


def _array_of(values: Any) -> NDArray[Any] | None:
    """What is an array of numbers or moments already, or a column of a data frame that holds one."""
    if isinstance(values, (list, tuple, Coded, str, bytes)) or not hasattr(values, "__array__"):
        return None
    array = as_array(values, "time", copy=False)
    return array if array.dtype.kind in "iufM" else None


def _of_objects(values: list[Any], locate: Locate) -> NDArray[Any]:
    """Times of Python's objects, all numbers or all moments."""
    numbers = [_number(value) for value in values]
    if values and all(number is not None for number in numbers):
        if all(isinstance(number, int) for number in numbers):
            far = [number is not None and abs(number) >= _LARGEST for number in numbers]
            if any(far):
                raise _wrong(values, far.index(True), locate, "a whole number below 2**63 is one")
            return np.array(numbers, np.int64)
        inexact = [isinstance(number, int) and not is_exact(number) for number in numbers]
        if any(inexact):
            remedy = "beside times with a fraction, whole numbers have at most 53 bits"
            raise _wrong(values, inexact.index(True), locate, remedy)
        return np.array(numbers, np.float64)
    moments = [_moment(value) for value in values]
    for row, (number, moment) in enumerate(zip(numbers, moments, strict=True)):
        if number is None and moment is None:
            fine = getattr(values[row], "nanosecond", 0)
            remedy = "round it to microseconds" if fine else "pass numbers, datetimes, or texts in ISO 8601"
            raise _wrong(values, row, locate, remedy)
    if None in moments:
        raise _wrong(values, moments.index(None), locate, "others are moments, so make all times of one kind")
    aware = [moment.tzinfo is not None for moment in moments if moment is not None]
    if len(set(aware)) > 1:
        row = aware.index(not aware[0])
        raise _wrong(values, row, locate, "give all times a time zone, or none of them")
    found = [
        moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment for moment in moments if moment
    ]
    return np.array(found, MOMENTS)


def is_time(value: Any) -> bool:
    """Whether a value is a number that can be a time or a moment, or the text of one."""
    number = _number(value)
    if number is None:
        return _moment(value) is not None
    return abs(number) < _LARGEST if isinstance(number, int) else math.isfinite(number)


def wrong_times(array: NDArray[Any]) -> NDArray[np.bool_]:
    """The entries of an array of numbers or moments that are no times."""
    return _own(array)[1]


def _number(value: Any) -> int | float | None:
    if isinstance(value, str):
        text = value.strip()
        if "_" in text or not text.isascii():
            return None
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return None
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def _moment(value: Any) -> dt.datetime | None:
    if is_missing(value):
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            return dt.datetime.fromisoformat(f"{text[:-4]}+00:00" if text.endswith(" UTC") else text)
        except ValueError:
            return None
    if isinstance(value, np.datetime64):
        moment = value.astype(MOMENTS)
        found = moment.item()
        return found if moment == value and isinstance(found, dt.datetime) else None
    if isinstance(value, dt.datetime):
        # A Timestamp of pandas counts nanoseconds beside its microseconds.
        return None if getattr(value, "nanosecond", 0) else dt.datetime.combine(value.date(), value.timetz())
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else None


def _wrong(values: list[Any], row: int, locate: Locate, remedy: str) -> InputError:
    value = values[row]
    if is_missing(value) or value == "":
        return wrong_entry("time", locate(row), None, "fill it in, or leave out the row", found="missing")
    return wrong_entry("time", locate(row), value, remedy, found=f"{shorten(value)}, which is no time here")


def _checked(array: NDArray[Any], locate: Locate) -> Times:
    """A copy of times of one of the three types, none of them missing."""
    moments, wrong = _own(array)
    if wrong.any():
        found, remedy = {
            "M": ("finer than a microsecond", "round it to microseconds"),
            "f": ("not finite", "mend it, or leave out the row"),
        }.get(array.dtype.kind, ("too large", "times are whole numbers below 2**63"))
        row = first_row(wrong)
        value = array[row]
        if is_missing(value):
            raise wrong_entry("time", locate(row), None, "fill it in, or leave out the row", found="missing")
        raise wrong_entry("time", locate(row), value, remedy, found=f"{value}, which is {found}")
    return moments


def _own(array: NDArray[Any]) -> tuple[Times, NDArray[np.bool_]]:
    """A copy of an array as one of the three types, and which of its entries cannot be times."""
    if array.dtype.kind == "M":
        moments = array.astype(MOMENTS)
        return moments, np.isnat(moments) | (moments != array)
    if array.dtype.kind == "f":
        numbers = array.astype(np.float64)
        return numbers, ~np.isfinite(numbers)
    whole = array.astype(np.int64)
    return whole, whole != array


def joined_times(parts: Sequence[Times | None], lengths: Sequence[int]) -> Times | None:
    """The times of several parts of votes, one after the other; None where none has times.

    Raises
    ------
    InputError
        Where only some of the votes have times, or times are of different kinds.
    """
    filled = [part for part, length in zip(parts, lengths, strict=True) if length]
    kinds = list(dict.fromkeys(map(_kind, filled)))
    if len(kinds) > 1:
        raise InputError(
            f"some votes have {kinds[0]} and others have {kinds[1]}",
            option="time",
            remedy="give all of them times of one kind, or none",
        )
    known = [part for part in filled if part is not None]
    return np.concatenate(known) if known else next(iter(parts), None)


def _kind(part: Times | None) -> str:
    return "no times" if part is None else "moments as times" if part.dtype == MOMENTS else "numbers as times"


def written(moments: Times) -> list[str]:
    """Times as texts that are read back as they are."""
    if moments.dtype == MOMENTS:
        return [moment.isoformat() for moment in moments.tolist()]
    return list(map(repr, moments.tolist()))
