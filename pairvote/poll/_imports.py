"""Votes from elsewhere, as a poll can take them in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import first_row
from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.poll._criteria import Criteria
from pairvote.poll._settings import Label, check_label, check_voter
from pairvote.votes._votes import Votes


class Imported(NamedTuple):
    """One answer from elsewhere: by whom, about which items, what by which criterion, and when."""

    voter: Label | None
    left: Label
    right: Label
    outcomes: dict[Label | None, int]
    time: float | None

    def packed(self, criteria: Criteria) -> int:
        """The answer as a poll with these criteria has it; those that are not there were skipped."""
        wrong = [label for label in self.outcomes if label not in (criteria.labels or (None,))]
        if wrong:
            problem = "has votes without a criterion" if wrong[0] is None else f"has criterion {shorten(wrong[0])}"
            wanted = f"criteria {criteria.labels}" if criteria.labels else "no criteria"
            raise InputError(
                f"votes {problem}, and the poll has {wanted}; pass the votes that it can have, by votes.where"
            )
        labels = criteria.labels or (None,)
        return sum(self.outcomes.get(label, int(Outcome.SKIP)) << 2 * place for place, label in enumerate(labels))


def check_imported(votes: Votes) -> list[Imported]:
    """The answers in a table of votes, each refused where a poll cannot have it."""
    if not isinstance(votes, Votes):
        raise InputError(f"votes is {shorten(votes)}; pass Votes, such as pairvote.read_votes gives")
    if votes.weight is not None and (votes.weight != 1.0).any():
        row = first_row(votes.weight != 1.0)
        raise InputError(
            f"votes has weight {votes.weight[row]:g} in row {row}, and every vote of a poll is one; pass a row for each"
        )
    if votes.is_graded.any():
        raise InputError(
            f"votes has a share of a vote in row {first_row(votes.is_graded)}, and a poll has whole votes only; pass "
            "the others, by votes.where(~votes.is_graded)"
        )
    items = [check_label(label, "an item of votes") for label in votes.items]
    voters = [check_voter(label) for label in votes.voters]
    criteria = [check_label(label, "a criterion of votes") for label in votes.criteria]
    voter = _codes(votes.voter, len(votes))
    criterion = _codes(votes.criterion, len(votes))
    question = _codes(votes.question, len(votes))
    times = _seconds(votes)
    answers: list[Imported] = []
    before: Any = None
    for row, (who, left, right, outcome, what, asked) in enumerate(
        zip(voter, votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), criterion, question, strict=True)
    ):
        judged = criteria[what] if what >= 0 else None
        same = (who, left, right, asked)
        if same == before and what >= 0 and judged not in answers[-1].outcomes:
            answers[-1].outcomes[judged] = outcome
            continue
        before = same
        answers.append(
            Imported(
                voters[who] if who >= 0 else None,
                items[left],
                items[right],
                {judged: outcome},
                None if times is None else times[row],
            )
        )
    return answers


def _codes(column: NDArray[Any] | None, n_votes: int) -> list[int]:
    return [-1] * n_votes if column is None else column.tolist()


def _seconds(votes: Votes) -> list[float] | None:
    """The times of votes in seconds, since 1970 where they are moments."""
    if votes.time is None:
        return None
    if votes.time.dtype.kind == "M":
        return [float(each) for each in votes.time.astype("datetime64[us]").astype(np.int64) / 1e6]
    return [float(each) for each in votes.time]
