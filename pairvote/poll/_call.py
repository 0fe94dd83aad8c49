"""A call that is to change a poll."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from pairvote.poll._events import Draft
from pairvote.poll._state import State


class Call:
    """A decision that a thread waits for, and what came of it."""

    __slots__ = ("arguments", "decide", "error", "lasting", "n_events", "result", "served", "turn", "view")

    def __init__(
        self,
        decide: Callable[..., list[Draft]],
        arguments: tuple[Any, ...],
        view: Callable[[State], Any] | None,
        lasting: bool,
    ) -> None:
        self.decide, self.arguments, self.view, self.lasting = decide, arguments, view, lasting
        self.served = False
        # Something is put in when the call is served, or when it is its turn to serve.
        self.turn: SimpleQueue[None] = SimpleQueue()
        self.n_events = 0
        self.result: Any = None
        self.error: Exception | None = None
