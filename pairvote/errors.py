"""Every exception that pairvote raises on purpose.

Each message gives the value, where it stands, what is wrong with it and what to do.
"""

from __future__ import annotations

from typing import Any, Self


class PairvoteError(Exception):
    """The base of every error that pairvote raises on purpose.

    A program reads the attributes; `str` gives the whole sentence for a person.

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
        return self.problem if self.remedy is None else f"{self.problem}; {self.remedy}"

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


class InputError(PairvoteError, ValueError):
    """What was passed in cannot be used: it is malformed, unknown or out of range.

    Examples
    --------
    >>> import pairvote as pv
    >>> try:
    ...     pv.rank(pv.Votes.from_wins(["ash"], ["birch"]), method="borda")
    ... except pv.InputError as error:
    ...     print(error)
    method is 'borda'; use one of 'tally', 'win-rate', 'elo', 'bradley-terry', 'luce'
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
