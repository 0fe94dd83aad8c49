"""Forks of the process: how logs bear them."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forking(Protocol):
    """Something that is to be told of a fork."""

    def before_fork(self) -> None:
        """Let nothing happen until the fork is done."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew."""


LOGS: WeakSet[Forking] = WeakSet()
_held: list[Forking] = []


def _before_fork() -> None:
    for log in list(LOGS):
        log.before_fork()
        _held.append(log)


def _after_fork_in_parent() -> None:
    while _held:
        _held.pop().after_fork_in_parent()


def _after_fork_in_child() -> None:
    while _held:
        _held.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
