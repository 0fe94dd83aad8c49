"""Checks of what strategies and streams are given."""

from __future__ import annotations

import math
from collections.abc import Hashable

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import shorten
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote.errors import InputError


def check_voter(voter: Hashable) -> None:
    """InputError unless a voter can be told from others."""
    try:
        hash(voter)
    except TypeError:
        raise InputError(f"voter {shorten(voter)} is not hashable; pass a name or a number") from None


def outcome_code(outcome: Outcome | str) -> int:
    """The number of an outcome; InputError for anything else."""
    if isinstance(outcome, str) and outcome in OUTCOME_NAMES:
        return OUTCOME_NAMES[outcome]
    if isinstance(outcome, Outcome) or (is_whole(outcome) and 0 <= outcome <= 3):
        return int(outcome)
    raise InputError(f"outcome is {shorten(outcome)}; it must be 'left', 'right', 'tie' or 'skip'")


def check_positive(value: float, name: str, what: str) -> float:
    """A sampler's option that is a positive finite number."""
    if not is_number(value) or not 0 < value < math.inf:
        raise InputError(f"{name} is {shorten(value)}; {what}")
    return float(value)
