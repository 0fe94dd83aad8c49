"""What came of a question, and the labels that say so."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import is_missing, reading
from pairvote._common.messages import shorten
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
Outcomes = Mapping[Any, "Outcome | str | float"] | str

# Of more labels in one text some are probably no grades.
MOST_GRADES = 21
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_SCALE = re.compile(rf"\s*({_NUMBER})\s*[-\u2013]\s*({_NUMBER})\s*")
_ONE_SCORE = r"(\d+(?:\.\d+)?|\d+/\d+|\u00bd)"
_SCORES = re.compile(rf"\s*{_ONE_SCORE}\s*[-\u2010-\u2015\u2212:]\s*{_ONE_SCORE}\s*")
_REMEDY = (
    "pass a mapping such as {'model_a': 'left', 'model_b': 'right'}, or 'share', 'scores', a scale such as '1-5', "
    "the labels of left, tie and right such as 'H/D/A', or more of them, such as 'much better/better/worse/much worse'"
)


class Meaning(NamedTuple):
    """The code of an outcome, -1 where a label has no meaning; the left side's share where it is graded, else nan."""

    code: int
    share: float = math.nan

    @classmethod
    def graded(cls, share: float) -> Meaning:
        """A share of the vote, and the side that has the larger part of it."""
        return cls(int(Outcome.TIE) if share == 0.5 else 2 * int(share > 0.5), share)


_UNKNOWN = Meaning(-1)
_NAMED = {name: Meaning(code) for name, code in OUTCOME_NAMES.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class Meanings:
    """What the labels of outcomes mean.

    Attributes
    ----------
    names : mapping of label to Meaning
        Labels that have a meaning of their own, "left", "right", "tie" and "skip" among them.
    scale : (float, float) or None
        The numbers that stand for a vote wholly right and wholly left, where numbers are grades.
    reads_scores : bool
        Whether texts such as "3-2" are scores of left and right.
    spelt : bool
        Whether labels were given as text, so that a number is looked up by its text too.
    """

    names: Mapping[Any, Meaning]
    scale: tuple[float, float] | None = None
    reads_scores: bool = False
    spelt: bool = False

    @classmethod
    def of(cls, outcomes: Outcomes | None) -> Meanings:
        """What a user's `outcomes=` says; InputError for what it cannot say."""
        if outcomes is None:
            return cls(names=_NAMED)
        if isinstance(outcomes, str):
            return cls._of_text(outcomes)
        if not isinstance(outcomes, Mapping):
            raise InputError(
                f"outcomes is {shorten(outcomes)}",
                option="outcomes",
                value=outcomes,
                remedy=_REMEDY,
            )
        with reading("outcomes"):
            pairs = list(outcomes.items())
        fractions = any(isinstance(meaning, (float, np.floating)) for _, meaning in pairs)
        names: dict[Any, Meaning] = dict(_NAMED)
        for label, meaning in pairs:
            names[None if is_missing(label) else label] = _meaning_of(label, meaning, fractions)
        for label, _ in pairs:
            if isinstance(label, (bool, np.bool_)):
                # Files of text write a boolean by its name.
                for name in (str(label), str(label).lower(), str(label).upper()):
                    names.setdefault(name, names[label])
        return cls(names=names)

    @classmethod
    def _of_text(cls, text: str) -> Meanings:
        if text == "share":
            return cls(names=_NAMED, scale=(0.0, 1.0))
        if text == "scores":
            return cls(names=_NAMED, reads_scores=True)
        ends = _SCALE.fullmatch(text)
        if ends is not None and float(ends[1]) != float(ends[2]):
            return cls(names=_NAMED, scale=(float(ends[2]), float(ends[1])))
        labels = [label.strip() for label in text.split("/")]
        if 2 <= len(labels) <= MOST_GRADES and all(labels) and len(set(labels)) == len(labels):
            sides = (Outcome.LEFT, Outcome.TIE, Outcome.RIGHT)
            given = [Meaning(int(outcome)) for outcome in (sides if len(labels) == 3 else sides[::2])]
            if len(labels) > 3:
                last = len(labels) - 1
                given = [Meaning.graded((last - place) / last) for place in range(len(labels))]
            own = dict(zip(labels, given, strict=True))
            return cls(names=_NAMED | own, spelt=True)
        raise InputError(
            f"outcomes is {shorten(text)}",
            option="outcomes",
            value=text,
            remedy=_REMEDY,
        )

    @property
    def is_graded(self) -> bool:
        """Whether a label may stand for a share of a vote."""
        return self.scale is not None or any(not math.isnan(meaning.share) for meaning in self.names.values())

    def meaning(self, label: Any) -> Meaning:
        """The code and the share of a label."""
        if isinstance(label, Outcome):
            return Meaning(int(label))
        found = self._named(label)
        if found is not None:
            return found
        if self.scale is not None:
            number = number_of(label)
            return _UNKNOWN if number is None or math.isnan(share := self._share(number)) else Meaning.graded(share)
        if self.reads_scores and isinstance(label, str):
            return scores_of(label) or _UNKNOWN
        return _UNKNOWN

    def code(self, label: Any) -> int:
        """The code of a label's outcome, -1 where it has no meaning."""
        return self.meaning(label).code

    def share(self, label: Any) -> float:
        """The left side's share, nan where the label is not graded."""
        return self.meaning(label).share

    def shares(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """The left side's share for numbers on the scale, nan for those outside it."""
        right, left = self.scale or (math.nan, math.nan)
        inside = (numbers >= min(left, right)) & (numbers <= max(left, right))
        return np.divide(numbers - right, left - right, out=np.full(numbers.shape, math.nan), where=inside)

    def _share(self, number: float) -> float:
        return float(self.shares(np.array([number]))[0])

    def _named(self, label: Any) -> Meaning | None:
        try:
            found = self.names.get(None if is_missing(label) else label)
            if found is not None:
                return found
            if isinstance(label, (bool, np.bool_)):
                return self.names.get(str(label)) or self.names.get(str(label).lower())
            if self.spelt and isinstance(label, (int, float, np.number)):
                return self.names.get(f"{label:.15g}")
        except Exception:
            # Whatever a label's own __hash__ or __eq__ raises, it is none of the names.
            return None
        return None


def _meaning_of(label: Any, meaning: Any, fractions: bool) -> Meaning:
    """The meaning of a label in a mapping; a whole number is a share only beside shares with a fraction."""
    if isinstance(meaning, Outcome):
        return Meaning(int(meaning))
    if isinstance(meaning, str) and meaning in OUTCOME_NAMES:
        return _NAMED[meaning]
    is_share = isinstance(meaning, (float, np.floating)) or (
        fractions and isinstance(meaning, (int, np.integer)) and not isinstance(meaning, bool)
    )
    if is_share and 0.0 <= meaning <= 1.0:
        return Meaning.graded(float(meaning))
    raise InputError(
        f"outcomes[{shorten(label)}] is {shorten(meaning)}",
        option="outcomes",
        value=meaning,
        remedy="it must be 'left', 'right', 'tie' or 'skip', or the left side's share as a float from 0.0 to 1.0",
    )


def number_of(label: Any) -> float | None:
    """The number that a label is, or that its text says; None for any other and for booleans."""
    if isinstance(label, str):
        if not re.fullmatch(rf"{_NUMBER}(?:[eE][+-]?\d+)?", label.strip(), re.ASCII):
            return None
        return float(label)
    # A length of time is an integer to numpy.
    if isinstance(label, (bool, np.bool_, np.timedelta64)) or not isinstance(
        label, (int, float, np.integer, np.floating)
    ):
        return None
    try:
        return float(label)
    except OverflowError:
        return math.inf


def scores_of(text: str) -> Meaning | None:
    """What a text such as "3-2" means, where more is a win; None where it is no scores."""
    from fractions import Fraction

    found = _SCORES.fullmatch(text)
    try:
        left, right = (Fraction(score.replace("\u00bd", "1/2")) for score in found.groups()) if found else (None, None)
    except ZeroDivisionError:
        return None
    if left is None or right is None:
        return None
    return Meaning(int(Outcome.TIE) if left == right else 2 * int(left > right))


def direction(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The outcome to which shares of votes lean: uint8, the shape of `share`; nan leans right."""
    return np.where(share == 0.5, np.uint8(Outcome.TIE), np.where(share > 0.5, np.uint8(2), np.uint8(0)))
