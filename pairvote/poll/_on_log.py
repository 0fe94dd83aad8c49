"""The base of the parts of a `Poll`."""

from __future__ import annotations

from pairvote.poll._log import Log


class OnLog:
    """Base of classes whose methods call a log."""

    @property
    def _log(self) -> Log:
        """The log that calls go to: another one within a transaction of the caller's."""
        raise NotImplementedError
