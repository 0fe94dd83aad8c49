"""The votes of a poll, copied out of its state."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote.poll._criteria import Criteria
from pairvote.poll._identities import Forgotten
from pairvote.poll._settings import Label
from pairvote.poll._state import State
from pairvote.votes._votes import Votes

COLUMNS = ("left", "right", "voter", "answer", "time", "number")


class Cast(NamedTuple):
    """Answers that count, in the order in which they were given."""

    items: tuple[Label, ...]
    criteria: Criteria
    labels: list[Label | Forgotten]
    columns: dict[str, NDArray[Any]]

    def votes(self) -> Votes:
        """A row for each answer, and for each criterion of it."""
        n_each, answer = self.criteria.n_each, self.columns["answer"]
        repeated = {name: np.repeat(column, n_each) for name, column in self.columns.items()}
        outcome = np.stack([self.criteria.of(answer, place) for place in range(n_each)], axis=1).ravel()
        voter, voters = self._voters(repeated["voter"])
        judged = self.criteria.labels
        return Votes._unchecked(
            items=self.items,
            left=repeated["left"],
            right=repeated["right"],
            outcome=outcome,
            voter=voter,
            voters=voters,
            weight=None,
            criterion=np.tile(np.arange(n_each, dtype=np.int32), len(answer)) if judged else None,
            criteria=judged,
            share=None,
            time=repeated["time"],
            question=repeated["number"].astype(np.int64),
        )

    def _voters(self, codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], tuple[Label, ...]]:
        """The voters who voted, in the order in which they did first, and their codes in it; -1 for nobody."""
        found, first, place = np.unique(codes, return_index=True, return_inverse=True)
        known = np.flatnonzero(found >= 0)
        order = known[np.argsort(first[known], kind="stable")]
        new = np.full(len(found), -1, np.int32)
        new[order] = np.arange(len(order), dtype=np.int32)
        labels = [self.labels[code] for code in found[order].tolist()]
        taken = {label for label in labels if not isinstance(label, Forgotten)}
        return new[place.reshape(-1)], tuple(
            _name(label, taken) if isinstance(label, Forgotten) else label for label in labels
        )


def cast_in(state: State) -> Cast:
    """A copy of what was cast."""
    rows = state.book.rows_that_count()
    columns = {name: state.book.column(name)[rows] for name in COLUMNS}
    return Cast(state.items, state.criteria, list(state.book.labels), columns)


def _name(voter: Forgotten, taken: set[Label]) -> str:
    """Call a forgotten voter by a name that is no other voter's id."""
    name = str(voter)
    while name in taken:
        name += "'"
    return name
