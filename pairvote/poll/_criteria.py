"""Criteria: one outcome a question, or one for each of several criteria, in one number."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import listed, shorten
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote.errors import InputError

# Two bits each, in 31.
MOST_CRITERIA = 15
NAMES = tuple(Outcome(code).name.lower() for code in range(4))


@dataclass(frozen=True)
class Criteria:
    """The criteria by which every pair is judged, with their weights; none where there is one judgement.

    An answer is a number with the outcome of each criterion in two bits, the first criterion's lowest; where there are
    no criteria it is the outcome.
    """

    labels: tuple[str | int, ...] = ()
    weights: tuple[float, ...] = ()

    @cached_property
    def n_each(self) -> int:
        """How many outcomes an answer has."""
        return max(1, len(self.labels))

    @cached_property
    def skip(self) -> int:
        """The answer by which nothing is judged."""
        return 4**self.n_each - 1

    def is_answer(self, answer: int) -> bool:
        """Whether a number from a log is an answer."""
        return 0 <= answer <= self.skip

    def pack(self, outcome: Any) -> int:
        """A user's answer as a number."""
        if not self.labels:
            if isinstance(outcome, Mapping):
                raise InputError(
                    f"outcome is {shorten(outcome)}, and there are no criteria; pass 'left', 'right', 'tie' or 'skip'"
                )
            return outcome_code(outcome, "outcome")
        if isinstance(outcome, Mapping):
            wrong = [label for label in outcome if label not in self.labels]
            missing = [label for label in self.labels if label not in outcome]
            if wrong or missing:
                problem = f"lacks {listed(missing)}" if missing else f"has {listed(wrong)}, which is no criterion"
                raise InputError(
                    f"outcome is {shorten(outcome)} and {problem}; pass one outcome for each of {listed(self.labels)}, "
                    "'skip' where there is none"
                )
            return sum(
                outcome_code(outcome[label], f"outcome of {shorten(label)}") << 2 * place
                for place, label in enumerate(self.labels)
            )
        if outcome_code(outcome, "outcome") != Outcome.SKIP:
            raise InputError(
                f"outcome is {shorten(outcome)}, and the poll has criteria; pass a mapping with an outcome for each of "
                f"{listed(self.labels)}, or 'skip' for none"
            )
        return self.skip

    def unpack(self, answer: int) -> str | dict[str | int, str]:
        """An answer as a user reads it."""
        if not self.labels:
            return NAMES[answer]
        return {label: NAMES[answer >> 2 * place & 3] for place, label in enumerate(self.labels)}

    def of(self, answers: NDArray[np.int32], place: int) -> NDArray[np.uint8]:
        """The outcomes of one criterion, by its place."""
        return (answers >> 2 * place & 3).astype(np.uint8)

    def mean(self, answer: int) -> int | float:
        """The weighted mean of what was judged, 0 right to 2 left, as strategies look at it; 3 for a skip."""
        if not self.labels:
            return answer
        if answer == self.skip:
            return 3
        judged = [
            (weight, answer >> 2 * place & 3)
            for place, weight in enumerate(self.weights)
            if answer >> 2 * place & 3 != 3
        ]
        mean = sum(weight * outcome for weight, outcome in judged) / sum(weight for weight, _ in judged)
        return int(mean) if mean in (0.0, 1.0, 2.0) else mean


def outcome_code(outcome: Any, name: str) -> int:
    """A user's outcome as its code."""
    if isinstance(outcome, str) and outcome in OUTCOME_NAMES:
        return OUTCOME_NAMES[outcome]
    if not isinstance(outcome, Outcome):
        raise InputError(f"{name} is {shorten(outcome)}; it must be 'left', 'right', 'tie' or 'skip'")
    return int(outcome)


def check_criteria(criteria: Iterable[Hashable] | Mapping[Any, float] | None, check_label: Any) -> Criteria:
    """A user's criteria, each refused where it cannot be meant."""
    if criteria is None:
        return Criteria()
    wanted = "pass a list of labels, or a mapping of labels to weights"
    try:
        given = list(criteria.items()) if isinstance(criteria, Mapping) else [(label, 1.0) for label in criteria]
    except TypeError:
        given = []
    if isinstance(criteria, (str, bytes)) or (not given and not isinstance(criteria, Sized)):
        raise InputError(f"criteria is {shorten(criteria)}; {wanted}")
    labels: list[Any] = []
    for place, (label, weight) in enumerate(given):
        checked = check_label(label, f"criteria[{place}]")
        if checked in labels:
            raise InputError(f"criteria[{place}] is {shorten(label)} again; give every criterion its own label")
        if not is_number(weight) or not 0 < weight < math.inf:
            raise InputError(f"the weight of criterion {shorten(label)} is {shorten(weight)}; pass a positive number")
        labels.append(checked)
    if not 1 <= len(labels) <= MOST_CRITERIA:
        raise InputError(f"criteria has {len(labels)} labels; pass from 1 to {MOST_CRITERIA}, or None")
    if not math.isfinite(sum(float(weight) for _, weight in given)):
        raise InputError(f"criteria has weights whose sum is infinite: {shorten(criteria)}; pass smaller ones")
    return Criteria(tuple(labels), tuple(float(weight) for _, weight in given))
