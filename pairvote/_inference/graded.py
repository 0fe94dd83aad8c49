"""Graded answers as answers in order: which there are, and how often each was given of each pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.entries import AnswerCounts, sides
from pairvote.errors import InputError
from pairvote.votes._votes import Votes

# Of more, most would be too rare for a threshold of their own.
MOST_ANSWERS = 21
# With so many, they are those of votes that are not graded.
SIDES_AND_TIE = 3
# Shares that differ by less are the same answer.
DECIMALS = 9


class Answered(NamedTuple):
    """The answer of each row, from 0, for the right side, to n_answers - 1; skips and rows of no weight have 0.

    shares: the left side's share by answer, where that is known.
    """

    answer: NDArray[np.uint8]
    n_answers: int
    shares: NDArray[np.float64] | None = None


def answered(votes: Votes, shares: NDArray[np.float64] | None = None) -> Answered:
    """The answers of graded votes, those that one side gave and those that the other might have.

    shares: those that there are, where these votes are some of others.

    Raises
    ------
    InputError
        For shares of more than a few different values.
    """
    whole = votes.outcome != Outcome.SKIP
    if votes.weight is not None:
        whole &= votes.weight > 0
    share = 0.5 * votes.outcome
    if votes.share is not None:
        share = np.where(np.isnan(votes.share), share, votes.share)
    found = np.round(share[whole], DECIMALS)
    values = _grades(found) if shares is None else shares
    if len(values) > MOST_ANSWERS:
        raise InputError(
            f"ties is 'cumulative' and the shares take {len(values)} different values, those of the other side "
            f"included; it is for graded answers of up to {MOST_ANSWERS} points",
            option="ties",
            value="cumulative",
            remedy="round the shares to a few points, or leave out ties=, which takes them as parts of votes",
        )
    answer = np.zeros(len(votes), np.uint8)
    answer[whole] = np.searchsorted(values, found)
    return Answered(answer, len(values), values)


def as_whole(votes: Votes, of: Answered) -> Votes:
    """Votes of up to three answers as wins of either side and ties, which say the same."""
    outcome = of.answer if of.n_answers == SIDES_AND_TIE else np.uint8(Outcome.LEFT) * of.answer
    counted = votes.outcome != Outcome.SKIP
    return votes._changed(outcome=np.where(counted, outcome, votes.outcome).astype(votes.outcome.dtype), share=None)


def _grades(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares that were given, and those of the other side, which are 1 less these; at least those of two sides."""
    values = np.unique(np.concatenate([found, np.round(1.0 - found, DECIMALS)]))
    return values if len(values) > 1 else np.unique(np.concatenate([values, [0.0, 1.0]]))


def answer_counts(votes: Votes, of: Answered, *, folded: bool) -> AnswerCounts:
    """How often each answer was given of each pair; `folded` forgets the sides."""
    weight = np.ones(len(votes)) if votes.weight is None else votes.weight
    counted = (votes.outcome != Outcome.SKIP) & (weight > 0)
    left, right = votes.left[counted].astype(np.int64), votes.right[counted].astype(np.int64)
    answer, weight = of.answer[counted].astype(np.int64), weight[counted]
    if folded:
        turned = left > right
        left, right = np.where(turned, right, left), np.where(turned, left, right)
        answer = np.where(turned, of.n_answers - 1 - answer, answer)
    n_items = votes.n_items
    pairs, place = np.unique(left * n_items + right, return_inverse=True)
    counted_up = np.bincount(place * of.n_answers + answer, weight, len(pairs) * of.n_answers)
    answers = np.asarray(counted_up, np.float64).reshape(len(pairs), of.n_answers)
    first, second = np.divmod(pairs, max(n_items, 1))
    return AnswerCounts._unchecked(
        items=votes.items,
        start=np.searchsorted(first, np.arange(n_items + 1)).astype(np.int64),
        right=second.astype(np.int32),
        table=sides(answers),
        skipped=np.zeros(n_items),
        answers=answers,
    )
