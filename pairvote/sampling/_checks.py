"""Checks of what strategies and streams are given."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import shorten
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote.errors import InputError

# Graded outcomes are multiples of one part in so many, of which sums are exact and taken back exactly.
ONE = 2**24


def check_voter(voter: Hashable) -> None:
    """InputError unless a voter can be told from others."""
    try:
        hash(voter)
    except TypeError:
        raise InputError(f"voter {shorten(voter)} is not hashable; pass a name or a number") from None


def outcome_code(outcome: Outcome | str | float) -> float:
    """The number of an outcome, an int unless the answer is graded; InputError for anything else."""
    if type(outcome) is int and 0 <= outcome <= 3:
        return outcome
    if isinstance(outcome, str) and outcome in OUTCOME_NAMES:
        return OUTCOME_NAMES[outcome]
    if isinstance(outcome, Outcome) or (is_whole(outcome) and 0 <= outcome <= 3):
        return int(outcome)
    if isinstance(outcome, (float, np.floating)) and 0 <= outcome <= 2:
        rounded = round(float(outcome) * ONE) / ONE
        return int(rounded) if rounded.is_integer() else rounded
    raise InputError(
        f"outcome is {shorten(outcome)}; it must be 'left', 'right', 'tie' or 'skip', or a float from 0 to 2, twice "
        "the left side's share of a graded vote"
    )


def own_array(
    arrays: Mapping[str, Any], name: str, dtype: type[np.generic], shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """A copy of an array that somebody else may have made; ValueError unless it is of that type and shape.

    A None in the shape stands for any length.
    """
    given = arrays.get(name)
    if not isinstance(given, np.ndarray) or given.dtype != dtype:
        raise ValueError(f"{name} is no array of {dtype.__name__}")
    if given.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, given.shape, strict=True)):
        raise ValueError(f"{name} has shape {given.shape}")
    return np.array(given, dtype, order="C")


def check_that(holds: object, what: str) -> None:
    """ValueError unless something holds for saved arrays, which are used only where all do."""
    if not holds:
        raise ValueError(f"saved arrays do not fit: {what}")


def check_positive(value: float, name: str, what: str) -> float:
    """A sampler's option that is a positive finite number."""
    if not is_number(value) or not 0 < value < math.inf:
        raise InputError(f"{name} is {shorten(value)}; {what}")
    return float(value)
