"""Votes that come chunk by chunk, so that they need never be in memory all at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pairvote._assembly import assemble
from pairvote._labels import Codes, Locate, row_number
from pairvote.votes import Votes


class Numbered(NamedTuple):
    """A column as codes into a dictionary of its own, and the number that each entry of that stands for."""

    codes: Codes
    numbers: NDArray[np.int32]

    def spread(self) -> Codes:
        """The number of every row."""
        return self.numbers[self.codes]


@dataclass(frozen=True, eq=False, kw_only=True)
class CodedVotes:
    """A chunk of votes as a file has them: every row has two items and an outcome, but perhaps one item twice.

    `items`, `voters` and `criteria` are the labels of this chunk and of all before it, so that a label has the same
    number in every chunk.
    """

    items: tuple[Hashable, ...]
    left: Numbered
    right: Numbered
    outcome: Numbered
    weight: NDArray[np.float64] | None = None
    voter: Codes | None = None
    voters: tuple[Hashable, ...] = ()
    criterion: Codes | None = None
    criteria: tuple[Hashable, ...] = ()
    locate: Locate = row_number

    def __len__(self) -> int:
        return len(self.left.codes)

    def votes(self) -> Votes:
        """The same as Votes.

        Raises
        ------
        InputError
            For an item against itself.
        """
        outcome = self.outcome.numbers.astype(np.uint8)[self.outcome.codes]
        fields = assemble(self.left.spread(), self.right.spread(), outcome, self.items, locate=self.locate)
        own = ("weight", "voter", "voters", "criterion", "criteria")
        return Votes(**fields | {name: getattr(self, name) for name in own})


@runtime_checkable
class CodedSource(Protocol):
    """What yields votes chunk by chunk and can give them as its files have them, which saves work."""

    def coded(self, *, voters: bool) -> Iterator[CodedVotes]:
        """The chunks; without the voters where nobody asks for them."""
