"""Voters who answered the same pair more than once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote._common.messages import plural
from pairvote.diagnostics._consensus import (
    added_up,
    answered,
    check_votes,
    folded_outcomes,
    known_voters,
    no_voters,
    pair_keys,
)
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, beside, named
from pairvote.votes._votes import Votes

# Repeats are worth a remark where they are more than this share and so many standard deviations more than by chance, or
# most of all answers.
MANY, DEVIATIONS, MOST = 0.05, 3.0, 0.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Repeats(Part):
    """How often voters answered a pair that they had answered before, whichever side its items stood on.

    Attributes
    ----------
    voters : tuple of labels
        Those who did, the most often first.
    repeated, changed : int64 arrays, shape (len(voters),)
        Answers on a pair that the voter had answered before, and those of them that differ from the answer before.
    expected_changed : float64 array, shape (len(voters),)
        How many would differ if the voter followed the scores, which close pairs make likely; nan where no scores were
        fitted, as in `repeats`.
    n_votes : int
        Answered questions of known voters.
    expected : float
        How many answers would be repeats if every voter were asked about random pairs.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_labels([*"aab"], [*"bba"], ["left"] * 3, voter=["eve"] * 3)
    >>> found = pv.diagnostics.repeats(votes)
    >>> found.voters, found.repeated.tolist(), found.changed.tolist()
    (('eve',), [2], [1])
    """

    title = "Repeated questions"

    voters: tuple[Hashable, ...]
    repeated: NDArray[np.int64]
    changed: NDArray[np.int64]
    expected_changed: NDArray[np.float64]
    n_votes: int
    expected: float

    def _blocks(self) -> Iterator[Block]:
        if not len(self.voters):
            yield "no voter answered a pair more than once"
            return
        yield (
            f"{self.repeated.sum():,} of {plural(self.n_votes, 'answer')} are on a pair that the voter had answered "
            f"before ({self.expected:,.0f} by chance), {self.changed.sum():,} of them with another answer"
        )
        expected = self.expected_changed.tolist()
        rows = zip(self.voters[:MOST_ROWS], self.repeated.tolist(), self.changed.tolist(), expected, strict=False)
        yield Table(
            ("voter", "repeated", "changed" if np.isnan(expected).any() else "changed (expected)"),
            [(named(label), f"{n:,}", beside(other, expected)) for label, n, other, expected in rows],
        )
        if len(self.voters) > MOST_ROWS:
            yield f"and {plural(len(self.voters) - MOST_ROWS, 'more voter')}"

    @property
    def _many(self) -> bool:
        found = float(self.repeated.sum())
        beyond_chance = found > self.expected + DEVIATIONS * math.sqrt(self.expected)
        return found >= MOST * self.n_votes or (beyond_chance and found > MANY * self.n_votes)

    def _concerns(self) -> Iterator[str]:
        if self._many:
            yield (
                f"{self.repeated.sum():,} of {plural(self.n_votes, 'answer')} are on a pair that the same voter had "
                f"answered before, {self.changed.sum():,} of them with another answer; each counts as a vote of its "
                "own: keep one of those that were sent twice, and score with uncertainty='by-voter'"
            )


def repeats(votes: Votes, *, criterion: Hashable | None = None) -> Repeats:
    """Count the answers of each voter on pairs that the voter had answered before.

    With m answers on random ones of P pairs, :math:`m - P (1 - (1 - 1/P)^m)` are repeats on average.

    Parameters
    ----------
    votes : Votes
        A row is one question, whatever its weight; skipped ones are left out.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.

    Raises
    ------
    InputError
        For votes none of which is answered, votes that do not say who voted, and for more than 4,000 items.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> print(pv.diagnostics.repeats(votes.where(votes.voter < 6)))
    Repeated questions
      6 of 120 answers are on a pair that the voter had answered before (4 by chance), 2 of them with another answer
      voter  repeated  changed
      3             2        0
      1             1        1
      2             1        0
      4             1        1
      6             1        0
    """
    found = repeats_of(answered(check_votes(votes, criterion)))
    if found is None:
        raise no_voters()
    return found


def asked_again(rows: Votes, voter: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Answers on a pair that the voter had answered before: the row before, their own, and whether these differ."""
    key, outcome = pair_keys(rows), folded_outcomes(rows)
    order = np.lexsort((key, voter))
    same = np.flatnonzero((np.diff(voter[order]) == 0) & (np.diff(key[order]) == 0))
    before, later = order[same], order[same + 1]
    return before, later, outcome[before] != outcome[later]


def alike(
    rows: Votes, chances: NDArray[np.float64], before: NDArray[np.intp], later: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The chance that answers are as before, by the chances of each row's outcomes: shape (len(later),)."""
    folded = np.where((rows.left < rows.right)[:, None], chances, chances[:, ::-1])
    return np.asarray((folded[before] * folded[later]).sum(axis=1))


def repeats_of(rows: Votes, chances: NDArray[np.float64] | None = None) -> Repeats | None:
    """The repeats among answered votes; None where no voter is known.

    chances: P(right), P(tie) and P(left) of each row by a model, shape (n_rows, 3).
    """
    known = known_voters(rows)
    if known is None:
        return None
    if chances is not None and rows.voter is not None:
        chances = chances[rows.voter >= 0]
    rows, voter = known
    before, later, changed = asked_again(rows, voter)
    n_each, n_changed = (np.bincount(voter[some], minlength=len(rows.voters)) for some in (later, later[changed]))
    codes = np.argsort(-n_each, kind="stable")[: np.count_nonzero(n_each)]
    expected = np.full(len(rows.voters), np.nan)
    if chances is not None:
        expected = added_up(voter[later], 1.0 - alike(rows, chances, before, later), len(rows.voters))
    n_pairs = rows.n_items * (rows.n_items - 1) / 2
    answers = np.bincount(known[1])
    by_chance = answers + n_pairs * np.expm1(answers * np.log1p(-1.0 / n_pairs)) if n_pairs > 1 else answers - 1.0
    return Repeats(
        voters=tuple(rows.voters[code] for code in codes.tolist()),
        repeated=n_each[codes],
        changed=n_changed[codes],
        expected_changed=expected[codes],
        n_votes=len(rows),
        expected=float(np.maximum(by_chance, 0.0).sum()),
    )
