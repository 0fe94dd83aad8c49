"""What a stream was told: `StreamLog`."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from typing import Any, overload

# A call in one number of 64 bits: what was called, the outcome of an answer in the bits from 48 on, and two items.
ITEM_BITS, OUTCOME_BIT, KIND_BIT = 24, 48, 50
RECORD, WITHDRAW, RESERVE, RELEASE, ADD_ITEM, RETIRE, RESTORE = (kind << KIND_BIT for kind in range(7))
METHODS = ("record", "withdraw", "reserve", "release", "add_item", "retire", "restore")
OUTCOMES = ("right", "tie", "left", "skip")
SKIP = 3
LAST_ITEM = 2**ITEM_BITS - 1


class StreamLog(Sequence[tuple[Any, ...]]):
    """The calls that changed a stream, in order: each a tuple of the method's name and what it was given.

    A call takes 16 bytes: a number in `codes`, and in `voters` whose it was.
    """

    def __init__(self) -> None:
        self.codes = array("q")
        self.voters: list[Hashable] = []
        # The outcomes of graded answers, by place.
        self._graded: dict[int, float] = {}
        self._half_wins: dict[tuple[int, int], float] = {}
        self._n_counted = 0

    def add(self, call: int, voter: Hashable, outcome: float) -> None:
        """Take note of one more call; `outcome` is 0 where it has none."""
        if isinstance(outcome, int):
            call += outcome << OUTCOME_BIT
        else:
            self._graded[len(self.codes)] = outcome
        self.codes.append(call)
        self.voters.append(voter)

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> tuple[Any, ...]: ...

    @overload
    def __getitem__(self, place: slice) -> list[tuple[Any, ...]]: ...

    def __getitem__(self, place: int | slice) -> tuple[Any, ...] | list[tuple[Any, ...]]:
        if isinstance(place, slice):
            return [self._call(each) for each in range(*place.indices(len(self)))]
        return self._call(range(len(self))[place])

    def __repr__(self) -> str:
        return f"[{len(self)} calls]"

    def half_wins(self, i: int, j: int) -> float:
        """Twice the votes that item i won against item j, a tie as half of one."""
        # What came since the last call is counted now, so that a strategy that never asks pays nothing for it.
        for place in range(self._n_counted, len(self.codes)):
            code = self.codes[place]
            method, left, right, whole = _parts(code)
            outcome = self._graded.get(place, whole)
            if code < RESERVE and outcome != SKIP:
                step = -1 if method == "withdraw" else 1
                for pair, half_wins in (((left, right), outcome), ((right, left), 2 - outcome)):
                    self._half_wins[pair] = self._half_wins.get(pair, 0) + step * half_wins
        self._n_counted = len(self.codes)
        return self._half_wins.get((i, j), 0)

    def _call(self, place: int) -> tuple[Any, ...]:
        code, voter = self.codes[place], self.voters[place]
        method, left, right, outcome = _parts(code)
        if code >= ADD_ITEM:
            return (method, left) if code >= RETIRE else (method,)
        question = (method, voter, left, right)
        return question if code >= RESERVE else (*question, self._graded.get(place, OUTCOMES[outcome]))


def _parts(code: int) -> tuple[str, int, int, int]:
    """What was called, two items, and an outcome."""
    method = METHODS[code >> KIND_BIT]
    return method, code >> ITEM_BITS & LAST_ITEM, code & LAST_ITEM, code >> OUTCOME_BIT & 3
