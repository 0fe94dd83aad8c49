"""A log read as an auditor does: what follows from it without any strategy, and whose ids its seals are."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from pairvote.errors import PairvoteError, StorageError
from pairvote.poll._events import START, Event, Kind
from pairvote.poll._identities import Forgotten, Identity
from pairvote.poll._settings import changed, from_json
from pairvote.poll._state import State
from pairvote.sampling._registry import SAMPLERS


class Ledger:
    """The findings of an audit.

    Attributes
    ----------
    number, digest
        Those of the last event.
    facts : dict, or None
        `State.facts` as they were at the event that was asked for; None where that is not there.
    seals : dict from code to str
        Those of the voters who are not forgotten.
    """

    def __init__(self) -> None:
        self.number, self.digest = 0, START
        self.facts: dict[str, Any] | None = None
        self.seals: dict[int, str] = {}


class _NoStrategy:
    """Takes what a stream is told, and keeps only how many items there are."""

    def __init__(self, n_items: int) -> None:
        self.n_items = n_items
        self._board = SimpleNamespace(seen={})

    def add_item(self) -> int:
        self.n_items += 1
        return self.n_items - 1

    def told(self, *_: Any) -> None:
        """Take no note."""

    reserve = record = release = withdraw = retire = restore = _ask = told


class _Audited(State):
    """The state of a poll as far as the log alone says it."""

    seals: dict[int, str]

    def _new_stream(self) -> Any:
        return _NoStrategy(len(self.items))

    def _settings_changed(self, changes: Any, *_: Any) -> None:
        """Take note of all but the strategy."""
        others = {name: value for name, value in json.loads(changes).items() if name != "sampler"}
        if others:
            self.settings = changed(self.settings, json.dumps(others), None, self._name)

    def _come(self, voter: int | str) -> int:
        code = super()._come(voter)
        if isinstance(voter, str):
            self.seals[code] = voter
        return code

    _FOLDS = State._FOLDS | {Kind.SETTINGS_CHANGED.value: _settings_changed}


def audited(events: Iterable[Event], at: int, name: str) -> Ledger:
    """Fold a whole log without its strategy.

    Raises
    ------
    StorageError
        Naming the first event that does not follow from those before.
    """
    ledger = Ledger()
    state: _Audited | None = None
    for event in events:
        try:
            if state is None:
                settings = from_json(str(event.a), SAMPLERS["Uniform"](), name, any_sampler=True)
                state = _Audited(settings, event, Forgotten, None, name)
                state.seals = ledger.seals
            else:
                state.fold(event)
                if event.kind == Kind.VOTER_FORGOTTEN:
                    del ledger.seals[event.a]  # type: ignore[arg-type]
        except StorageError:
            raise
        except (PairvoteError, ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
            raise StorageError(
                f"event {event.number} of {name} does not follow from those before it ({error!r}): the log was changed "
                "or damaged; restore the file from a copy"
            ) from error
        if event.number == at:
            ledger.facts = copy.deepcopy(state.facts())
        ledger.number, ledger.digest = event.number, event.digest
    return ledger


def check_ids(seals: dict[int, str], ids: dict[int, Identity], forgotten_since: set[Any], name: str) -> None:
    """Whether the ids beside a log are those that its seals are of, and all there."""
    for code, seal in seals.items():
        identity = ids.get(code)
        if identity is None and code not in forgotten_since:
            raise StorageError(
                f"the id of voter {code + 1} of {name} is missing, and nobody asked to forget it; restore the file "
                "from a copy"
            )
        if identity is not None and identity.seal != seal:
            raise StorageError(
                f"the id of voter {code + 1} of {name} is not the one that came: it was changed after it was written; "
                "restore the file from a copy"
            )
