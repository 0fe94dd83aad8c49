"""Counts with more in them than left, tie and right of each pair: single votes, and answers of more grades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.labels import Codes
from pairvote.votes._counts import PairCounts


class SingleVotes(PairCounts):
    """Counts with an entry for each vote, so that a pair may come again: votes with covariates of their own."""

    @staticmethod
    def _misplaced(left: Codes, right: Codes) -> NDArray[np.bool_]:
        return left == right


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AnswerCounts(SingleVotes):
    """Counts of votes with more than three answers: `table` says only which side they lean to.

    answers: the weight of votes with each answer, float64, shape (n_pairs, n_answers).
    """

    answers: NDArray[np.float64]

    @property
    def n_answers(self) -> int:
        """How many answers there are."""
        return self.answers.shape[1]


def sides(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weight of votes by the side that they lean to: right, neither, left: float64, shape (n_pairs, 3)."""
    n_each = answers.shape[1] // 2
    last = answers.shape[1] - n_each
    parts = answers[:, :n_each], answers[:, n_each:last], answers[:, last:]
    return np.column_stack([part.sum(axis=1) for part in parts])
