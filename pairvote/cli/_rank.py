"""The command ``pairvote rank``: a file at once, or chunk by chunk where it is large, and what its votes were."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pairvote.cli._parser import reading_files
from pairvote.groups import GroupComparison
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._methods import scorer_named
from pairvote.votes._chunks import CodedSource, CodedVotes, Criterion
from pairvote.votes._running import count_pairs
from pairvote.votes._votes import Outcome, Votes


@dataclass
class Summary:
    """What the votes were, and what is said of them on standard error.

    n_voters : None where it is not known, since votes came chunk by chunk or without voters
    columns : the column of each part of a vote
    n_bad_rows, bad_rows : rows that were skipped since they are no votes, and the first of them in words
    warnings : sentences for a person, which also stand in the JSON
    groups : what a comparison of groups found, if it was asked for
    """

    n_votes: int = 0
    n_ties: int = 0
    n_skips: int = 0
    n_voters: int | None = None
    columns: dict[str, str] = field(default_factory=dict)
    n_bad_rows: int = 0
    bad_rows: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    groups: GroupComparison | None = None

    @classmethod
    def of(cls, votes: Votes) -> Summary:
        """The summary of all votes."""
        summary = cls()
        summary.add(votes.outcome, np.arange(4))
        if votes.voter is not None:
            summary.n_voters = len(np.unique(votes.voter[votes.voter >= 0]))
        return summary

    def add(self, codes: Any, numbers: Any) -> None:
        """Take in outcomes: codes into numbers of outcomes."""
        times = np.bincount(codes, minlength=len(numbers))
        self.n_votes += len(codes)
        self.n_ties += int(times[numbers == Outcome.TIE].sum())
        self.n_skips += int(times[numbers == Outcome.SKIP].sum())


def rank_chunks(
    scan: CodedSource, method: str, criterion: str | None, options: dict[str, Any]
) -> tuple[Ranking, Summary]:
    """The ranking of votes that come chunk by chunk, on the criterion that is spelt so."""
    watched = _Watched(scan, criterion)
    scorer = scorer_named(method)
    chunks = watched if criterion is None else iter(watched)
    ranking = scorer.function(watched if scorer.uses_order else count_pairs(chunks), **options)
    if watched.chosen is not None:
        watched.chosen.check()
    return ranking, watched.summary


class _Watched:
    """Chunks of votes that are summed up as they go by."""

    def __init__(self, scan: CodedSource, criterion: str | None) -> None:
        self._scan = scan
        self.summary = Summary()
        self.chosen = None if criterion is None else Criterion(criterion, spelt=True)

    def coded(self, *, voters: bool) -> Generator[CodedVotes, None, None]:
        """As the files have them."""
        for chunk in self._read(voters=voters):
            self.summary.add(*chunk.outcome)
            yield chunk

    def __iter__(self) -> Iterator[Votes]:
        for chunk in self._read(voters=False):
            votes = chunk.votes() if self.chosen is None else self.chosen.of(chunk.votes())
            self.summary.add(votes.outcome, np.arange(4))
            yield votes

    def _read(self, *, voters: bool) -> Generator[CodedVotes, None, None]:
        with reading_files():
            yield from self._scan.coded(voters=voters)
