"""Labels of several types in one file, of which Python would take one for another."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any

from pairvote._common.messages import Locate, shorten, wrong_entry

_SIDES = ("left", "right", "winner", "loser")
_WORDS = {bool: "true or false", int: "a number"}


class TypesApart:
    """Refuses true beside 1 in the columns of a file, block by block: they are one label to Python."""

    def __init__(self) -> None:
        self._seen: dict[str, type] = {}

    def check(self, part: str, values: Sequence[Any], locate: Locate) -> None:
        """Look at a column.

        Raises
        ------
        InputError
            For the first row that is of another type than those above.
        """
        kinds = set(map(type, values))
        group = "item" if part.partition("+")[0] in _SIDES else part
        known = self._seen.get(group)
        if kinds.isdisjoint((bool, int, float)) or (known is not None and kinds <= {known, str, NoneType}):
            return
        for row, value in enumerate(values):
            if not isinstance(value, (bool, int, float)):
                continue
            kind = bool if isinstance(value, bool) else int
            first = self._seen.setdefault(group, kind)
            if first is not kind:
                found = f"{shorten(value)}, which is {_WORDS[kind]}, and another row has {_WORDS[first]} there"
                remedy = "give all labels one type, so that none is taken for another"
                raise wrong_entry(part, locate(row), value, remedy, found=found)
