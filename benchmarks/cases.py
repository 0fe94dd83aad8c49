"""The votes that are timed, and the words for what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks.goals import Goal

Size = Literal["full", "quick", "tiny"]
Work = Callable[[], Any]
Scores = NDArray[np.float64]

OUTCOME_LABELS = ("right", "tie", "left")
SEED = 20140527


@dataclass(frozen=True)
class SeededVotes:
    """Votes as integer arrays, and as what else people hold them in."""

    n_items: int
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    outcome: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.left)

    @cached_property
    def labels(self) -> list[str]:
        """One label an item; their alphabetical order is that of the codes."""
        return [f"item-{code:05d}" for code in range(self.n_items)]

    def held(self) -> pv.Votes:
        """New Votes, of which nothing has been asked yet."""
        return pv.Votes.from_codes(self.left, self.right, self.outcome, items=self.labels)

    def by_code(self, scores: Mapping[Hashable, float]) -> Scores:
        """Scores by label in the order of the codes."""
        return np.array([scores[label] for label in self.labels])

    def ints(self) -> tuple[list[int], list[int]]:
        """The codes of both sides as lists."""
        return self.left.tolist(), self.right.tolist()

    def repeated_strings(self) -> tuple[list[str], list[str], list[str]]:
        """Both sides and the outcome as lists in which the same string object comes back every time."""
        columns = zip(self._columns(), (self.labels, self.labels, OUTCOME_LABELS), strict=True)
        left, right, outcome = ([names[code] for code in codes.tolist()] for codes, names in columns)
        return left, right, outcome

    def read_strings(self) -> tuple[list[str], list[str], list[str]]:
        """The same lists as a file reader would make them: every entry an object of its own, never hashed before."""
        left, right, outcome = (text.split("\n") for text in self._texts)
        return left, right, outcome

    @cached_property
    def _texts(self) -> list[str]:
        return ["\n".join(column) for column in self.repeated_strings()]

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.left, self.right, self.outcome


def make_votes(n_items: int, n_votes: int, tie_share: float = 0.1, seed: int = SEED) -> SeededVotes:
    """Votes between uniformly drawn items with standard normal strengths; a tie with probability `tie_share`."""
    rng = np.random.default_rng(seed)
    strengths = rng.standard_normal(n_items)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
    left_wins = rng.random(n_votes) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    outcome = np.where(left_wins, np.uint8(pv.Outcome.LEFT), np.uint8(pv.Outcome.RIGHT))
    outcome[rng.random(n_votes) < tie_share] = pv.Outcome.TIE
    return SeededVotes(n_items, left, right, outcome)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that is timed.

    Attributes
    ----------
    library : str
        Whose it is: "pairvote", a peer's distribution name, or anything else for a baseline.
    fresh : callable
        Makes everything that its user would hold already, and gives the call to time. Called before every
        repeat, so nothing that an earlier repeat worked out can be used again.
    n_votes : int
        How many votes one call takes in; 0 where it takes none.
    scores : callable, optional
        The result as one number for each item code, for the checksum and the comparison with the reference.
    reference : callable, optional
        The right scores, where they are others than the group's.
    comparable : bool
        Whether there are right scores for it at all.
    repeatable : bool
        The call starts from raw input every time, so a short one may be timed several times over.
    operations : int
        What the seconds of a call are divided by.
    memory : bool
        Whether peak memory is worth a process of its own.
    own_cost : callable, optional
        The seconds and the peak bytes of a call that runs in a process of its own, from its result.
    turns : int, optional
        The most turns of a case that takes long; as many as are asked for where it is not given.
    missing : str
        What to say of it where something that it needs is not there; it is not run then.
    may_fail : bool
        Whether it uses a server of others, so that its failure is a line of the table and does not end the run.
    note : str
        What a reader of the table must know.
    """

    name: str
    library: str
    fresh: Callable[[], Work]
    n_votes: int = 0
    scores: Callable[[Any], Scores] | None = None
    reference: Callable[[], Scores] | None = None
    comparable: bool = True
    goal: Goal | None = None
    repeatable: bool = False
    operations: int = 1
    memory: bool = True
    own_cost: Callable[[Any], tuple[float, int | None]] | None = None
    turns: int | None = None
    missing: str = ""
    may_fail: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cases that take turns and share a table.

    `reference` gives the right scores, in `unit`. A peer whose scores are off by more than `close` is not one to be
    compared with.
    """

    title: str
    cases: Sequence[Case]
    reference: Callable[[], Scores] | None = None
    unit: str = ""
    close: float = 1e-3


def describe(votes: SeededVotes) -> str:
    """The votes in a few words, for a title."""
    n_ties = int(np.count_nonzero(votes.outcome == pv.Outcome.TIE))
    ties = f"{n_ties / max(len(votes), 1):.0%} ties" if n_ties else "no ties"
    return f"{len(votes):,} votes over {votes.n_items:,} items, {ties}"
