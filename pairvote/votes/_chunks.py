"""Votes that come chunk by chunk, so that they need never be in memory all at once."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import Codes
from pairvote._common.messages import Locate, listed, row_number, shorten
from pairvote._common.questions import Questions
from pairvote._common.times import Times
from pairvote.errors import InputError
from pairvote.votes._build import assemble
from pairvote.votes._votes import Votes


@dataclass(frozen=True, eq=False, kw_only=True)
class CodedVotes:
    """A chunk of votes as a file has them: every row has two items and an outcome, but perhaps one item twice.

    `items`, `voters` and `criteria` are the labels of this chunk and of all before it, so that a label has the same
    number in every chunk. Entries of `left` and `right` stand for places in `items`, entries of `outcome` for outcomes;
    `share` is the left side's share by entry of `outcome`, nan where it is a whole vote.
    """

    items: tuple[Hashable, ...]
    left: Coded
    right: Coded
    outcome: Coded
    weight: NDArray[np.float64] | None = None
    voter: Codes | None = None
    voters: tuple[Hashable, ...] = ()
    criterion: Codes | None = None
    criteria: tuple[Hashable, ...] = ()
    share: NDArray[np.float64] | None = None
    time: Times | None = None
    question: Questions | None = None
    locate: Locate = row_number

    def __len__(self) -> int:
        return len(self.left.codes)

    def votes(self) -> Votes:
        """The chunk as Votes.

        Raises
        ------
        InputError
            For an item against itself.
        """
        outcome = self.outcome.labels.astype(np.uint8)[self.outcome.codes]
        share = None if self.share is None else self.share[self.outcome.codes]
        if share is not None and np.isnan(share).all():
            share = None
        fields = assemble(self.left.spread(), self.right.spread(), outcome, self.items, share=share, locate=self.locate)
        own = ("weight", "voter", "voters", "criterion", "criteria", "time", "question")
        return Votes._unchecked(**fields | {name: getattr(self, name) for name in own})


@runtime_checkable
class CodedSource(Protocol):
    """A source of votes that also gives them as its files have them, which saves work."""

    def coded(self, *, voters: bool) -> Generator[CodedVotes, None, None]:
        """The chunks, with or without the voters."""


class Criterion:
    """The votes on one criterion, chunk by chunk, as `Votes.select` gives them of a whole.

    `wanted` is its label, or its label as text when `spelt` is set. None takes all votes, which must not mix criteria.
    `option` is the parameter that chooses it. `seen` holds the criteria so far, with None for
    votes without one.
    """

    def __init__(self, wanted: Hashable | None, *, spelt: bool = False, option: str = "criterion") -> None:
        self.wanted = wanted
        self.seen: dict[Hashable | None, None] = {}
        self._spelt = spelt
        self._option = option

    def of(self, votes: Votes) -> Votes:
        """The chunk's votes on it.

        Raises
        ------
        InputError
            For None, where this chunk and those before it answer several criteria.
        """
        if not len(votes):
            return votes
        codes = np.full(1, -1) if votes.criterion is None else np.unique(votes.criterion)
        self.see(None if code < 0 else votes.criteria[code] for code in codes.tolist())
        if self.wanted is None:
            return votes
        if votes.criterion is None:
            return votes.where(np.zeros(len(votes), bool))
        wanted = [code for code, label in enumerate(votes.criteria) if self._is_wanted(label)]
        return votes.where(np.isin(votes.criterion, wanted))

    def see(self, criteria: Iterable[Hashable | None]) -> None:
        """Take note of the criteria of a chunk; InputError as `of` raises it."""
        self.seen |= dict.fromkeys(criteria)
        if self.wanted is None and len(self.seen) > 1:
            raise InputError(
                f"these votes answer several criteria ({self._listed()})",
                option=self._option,
                remedy=f"choose one with {self._option}=",
            )

    def check(self) -> None:
        """InputError when no chunk had a vote on the criterion."""
        if self.wanted is not None and not any(map(self._is_wanted, self.seen)):
            raise InputError(
                f"there is no criterion {shorten(self.wanted)}",
                option=self._option,
                value=self.wanted,
                remedy=f"the criteria are {self._listed()}",
            )

    def _is_wanted(self, label: Hashable | None) -> bool:
        return label is not None and (str(label) if self._spelt else label) == self.wanted

    def _listed(self) -> str:
        labels = [label for label in self.seen if label is not None]
        return listed(labels) + (" and none" if labels and None in self.seen else "")


def each_chunk(votes: Any, remedy: str) -> Iterator[Votes]:
    """Chunks of votes; InputError, with the remedy, for anything else."""
    if isinstance(votes, (str, bytes, Mapping)) or not isinstance(votes, Iterable):
        raise InputError(f"votes is a {type(votes).__name__}; {remedy}")
    for place, chunk in enumerate(votes):
        if not isinstance(chunk, Votes):
            raise InputError(f"chunk {place} of votes is a {type(chunk).__name__}; {remedy}")
        yield chunk
