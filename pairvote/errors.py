"""Every exception that pairvote raises on purpose.

Each message gives the value, where it stands, what is wrong with it and what to do.
"""

from __future__ import annotations

import re
from typing import Any, Self

# A message is no longer than a screen; a remedy may take so much of it, and more where the problem leaves more.
LONGEST_MESSAGE, LONGEST_REMEDY = 1800, 900
# Controls, line and paragraph separators, marks and overrides of the writing direction, characters without a width or
# an ink of their own, halves of surrogate pairs, private use: what would steer a terminal or be overlooked.
_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    r"\ud800-\udfff\ue000-\uf8ff\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e00ff\U000e01f0-\U0010ffff"
)
# Joiners and variation selectors shape Arabic, Indic, Mongolian and emoji; elsewhere they only hide.
_SHAPING = r"\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_SHAPED = r"\u0600-\u1fff\u2030-\u205e\u2070-\U0010ffff"
UNPRINTABLE = re.compile(rf"[{_HIDDEN}]|(?<![{_SHAPED}])(?!\ufe0f\u20e3)[{_SHAPING}]|[\u200c\u200d](?![{_SHAPED}])")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


class PairvoteError(Exception):
    """The base of every error that pairvote raises on purpose.

    A program reads the attributes; `str` gives the whole sentence for a person: on one line, with control characters
    as escapes, and at most 1,800 characters long.

    Parameters
    ----------
    message : str
        What is wrong.
    option, value, where, remedy
        The attributes of these names.

    Attributes
    ----------
    option : str or None
        The parameter that the remedy is about, such as "outcomes" or "prior_sd".
    value : object
        What was found; None where there is nothing to show.
    where : str or None
        The place: a row, a line of a file, a partition.
    remedy : str or None
        What to do. It follows the message after a semicolon.

    Examples
    --------
    >>> import pairvote as pv
    >>> try:
    ...     pv.Votes.from_wins(["ash"], ["ash"])
    ... except pv.PairvoteError as error:
    ...     print(error)
    ...     print(error.where, error.value)
    row 0 has 'ash' against itself; a vote needs two different items, so remove the row or mend its labels
    row 0 ash
    """

    def __init__(
        self,
        message: str = "",
        *,
        option: str | None = None,
        value: Any = None,
        where: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.option = option
        self.value = value
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        problem, remedy = printable(self.problem), self.remedy
        if remedy is None:
            return cut_inside(problem, LONGEST_MESSAGE)
        remedy = printable(remedy)
        rest = LONGEST_MESSAGE - len("; ")
        remedy = cut_inside(remedy, max(LONGEST_REMEDY, rest - len(problem)))
        return f"{cut_inside(problem, rest - len(remedy))}; {remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        import pickle

        fields = vars(self)
        try:
            pickle.dumps(self.value)
        except Exception:
            # A value may be anything, such as a lambda; the error must reach the other process all the same.
            fields = fields | {"value": repr(self.value)}
        return type(self), (self.problem,), fields

    @property
    def problem(self) -> str:
        """What is wrong, without the remedy."""
        return str(self.args[0]) if self.args else ""

    def at(self, where: str) -> Self:
        """A copy whose sentence begins with a place, such as a partition.

        Examples
        --------
        >>> import pairvote as pv
        >>> error = pv.InputError("weight at row 3 is -1", remedy="mend it", value=-1, where="row 3")
        >>> placed = error.at("partition 2")
        >>> print(placed)
        partition 2: weight at row 3 is -1; mend it
        >>> placed.where, placed.value
        ('row 3 of partition 2', -1)
        """
        placed = type(self)(f"{where}: {self.problem}")
        whole = where if self.where is None else f"{self.where} of {where}"
        vars(placed).update(vars(self), where=whole)
        return placed


def printable(text: str) -> str:
    r"""The text on one line, with characters that hide or steer a terminal as escapes such as ``\n`` and ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cut_inside(text: str, length: int) -> str:
    """The text, or its beginning and its end with an ellipsis between: the end is often what to do."""
    if len(text) <= length:
        return text
    end = length // 3
    return f"{text[: length - end - 3]} … {text[-end:]}"


class InputError(PairvoteError, ValueError):
    """What was passed in cannot be used: it is malformed, unknown or out of range.

    Examples
    --------
    >>> import pairvote as pv
    >>> try:
    ...     pv.rank(pv.Votes.from_wins(["ash"], ["birch"]), method="borda")
    ... except pv.InputError as error:
    ...     print(error)
    method is 'borda'; use one of 'tally', 'win-rate', 'elo', 'glicko2', 'bradley-terry', 'luce', 'pagerank'
    """


class StateError(PairvoteError, RuntimeError):
    """What was asked for cannot be done now, such as answering a question twice.

    Examples
    --------
    >>> import pairvote as pv
    >>> issubclass(pv.StateError, pv.PairvoteError)
    True
    """


class StorageError(PairvoteError, RuntimeError):
    """A file that holds a vote being run cannot be read or written.

    Examples
    --------
    >>> import pairvote as pv
    >>> issubclass(pv.StorageError, pv.PairvoteError)
    True
    """


class NotIdentifiedError(PairvoteError):
    """The votes do not determine what was asked for, such as the maximum-likelihood score of an undefeated item.

    Examples
    --------
    >>> import math
    >>> import pairvote as pv
    >>> try:
    ...     pv.bradley_terry(pv.Votes.from_wins(["ash"], ["birch"]), prior_sd=math.inf)
    ... except pv.NotIdentifiedError as error:
    ...     print(error.problem)
    maximum-likelihood scores do not exist: 'ash' is undefeated, 'birch' is winless
    """


class ConvergenceError(PairvoteError):
    """An iterative fit stopped before it had converged.

    Examples
    --------
    >>> import pairvote as pv
    >>> try:
    ...     pv.bradley_terry(pv.datasets.baseball(), max_iter=1)
    ... except pv.ConvergenceError as error:
    ...     print(str(error).split("(")[0])
    the fit has not converged after 1 steps
    """


class MissingUncertaintyError(PairvoteError):
    """The ranking has no standard errors, because its scorer has none to give.

    Examples
    --------
    >>> import pairvote as pv
    >>> try:
    ...     pv.elo(pv.datasets.baseball()).standard_errors
    ... except pv.MissingUncertaintyError as error:
    ...     print(error.problem)
    this ranking by 'elo' of 7 items has no standard errors
    """
