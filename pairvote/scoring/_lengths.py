"""Lengths of time as options: numbers in the unit of the votes' times, or timedeltas where these are dates."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import wrong_option
from pairvote._common.times import MOMENTS
from pairvote.errors import InputError
from pairvote.votes._votes import Votes

Length = float | dt.timedelta | np.timedelta64
# The longest in microseconds, and what a microsecond's parts and multiples are in it.
LONGEST = 1e19
MICROSECONDS = {"W": 6.048e11, "D": 8.64e10, "h": 3.6e9, "m": 6e7, "s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


def length_of(option: str, value: object, others: str = "") -> tuple[float, bool]:
    """A length of time as a number, and whether it is one of dates, in microseconds.

    Raises
    ------
    InputError
        For what is no length above 0; `others` are words for what else the option may be.
    """
    moments, number = isinstance(value, (dt.timedelta, np.timedelta64)), value
    if isinstance(value, dt.timedelta):
        number = value / dt.timedelta(microseconds=1)
    elif isinstance(value, np.timedelta64):
        # Months and years have no fixed length.
        number = float(value.astype(float)) * MICROSECONDS.get(np.datetime_data(value.dtype)[0], math.nan)
    if moments and is_number(number) and math.isfinite(number):
        number = float(round(number))
    if not is_number(number) or not 0.0 < number < (LONGEST if moments else math.inf):
        remedy = "a number above 0 in the unit of the votes' times, or for dates a datetime.timedelta above 0"
        raise wrong_option(option, value, f"it is {others}{remedy}")
    return float(number), moments


def numbers_of(option: str, votes: Votes, moments: bool) -> NDArray[np.float64]:
    """Times of votes as numbers that a length is measured in: float64, shape (n_votes,).

    Raises
    ------
    InputError
        Where there are no times, or such of another kind than the length in `option`.
    """
    times = votes.time
    if not len(votes):
        return np.empty(0)
    if times is None:
        raise InputError(
            f"{option} is a length of time and these votes have no times",
            option=option,
            remedy=f"make the votes with time=, one for each, or leave {option} out",
        )
    if (times.dtype == MOMENTS) != moments:
        found, meant, remedy = (
            ("numbers", "a timedelta", "pass a number in the unit of the times")
            if moments
            else ("dates", "a number", "pass a datetime.timedelta, such as timedelta(days=365)")
        )
        raise InputError(f"the times of these votes are {found} and {option} is {meant}", option=option, remedy=remedy)
    return np.asarray(times.astype(np.int64) if moments else times, np.float64)
