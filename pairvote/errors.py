"""Every exception that pairvote raises on purpose.

Each message gives the value, where it stands, what is wrong with it and what to do.
"""

from __future__ import annotations


class PairvoteError(Exception):
    """The base of every error that pairvote raises on purpose.

    Examples
    --------
    >>> import pairvote as pv
    >>> try:
    ...     pv.Votes.from_wins(["ash"], ["ash"])
    ... except pv.PairvoteError as error:
    ...     print(error)
    row 0 has 'ash' against itself; a vote needs two different items, so remove the row or mend its labels
    """


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
    ...     print(str(error).split(";")[0])
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
    ...     print(str(error).split(";")[0])
    this ranking by 'elo' of 7 items has no standard errors
    """
