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
    """What was passed in cannot be used: it is malformed, unknown or out of range."""


class StateError(PairvoteError, RuntimeError):
    """A poll cannot do this now."""


class StorageError(PairvoteError, RuntimeError):
    """A poll's file cannot be read or written."""


class NotIdentifiedError(PairvoteError):
    """The votes do not determine what was asked for, such as the maximum-likelihood score of an undefeated item."""


class ConvergenceError(PairvoteError):
    """An iterative fit stopped before it had converged."""


class MissingUncertaintyError(PairvoteError):
    """The ranking has no standard errors, because its scorer has none to give."""
