"""What a strategy knows beside the counts of its stream: `Learner`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Learner(Protocol):
    """What a strategy keeps of its own for one stream: a model of the answers, a tree, a table.

    `Sampler.begin` makes it and `PairStream.state` shows it to `choose`. The stream calls the methods below for every
    question and every answer, in the order in which they happen, so that a stream which is told the same events again
    has the same state. Subclass it and write the methods that are needed; the others do nothing.

    Examples
    --------
    A strategy that asks about the two items which won most votes of late.

    >>> import pairvote as pv
    >>> class Form(pv.sampling.Learner):
    ...     def __init__(self, n_items):
    ...         self.form = [0.0] * n_items
    ...     def learn(self, left, right, outcome):
    ...         self.form[left] = 0.9 * self.form[left] + 0.5 * outcome
    ...         self.form[right] = 0.9 * self.form[right] + 0.5 * (2 - outcome)
    >>> class InForm(pv.sampling.Sampler):
    ...     def begin(self, n_items):
    ...         return Form(n_items)
    ...     def choose(self, stream, voter, uniforms):
    ...         return max(stream.allowed_pairs(voter), key=lambda pair: sum(stream.state.form[item] for item in pair))
    >>> stream = InForm().start(4, rng=1)
    >>> for pair in [(0, 2), (0, 1), (3, 2)]:
    ...     stream.record("anna", *pair, "left")
    >>> sorted(stream.propose("bo"))
    [0, 3]
    """

    def reserve(self, left: int, right: int) -> None:
        """Take note that a question is open."""

    def release(self, left: int, right: int) -> None:
        """Take note that an open question was skipped or given up: there is no answer to learn from."""

    def learn(self, left: int, right: int, outcome: float) -> None:
        """Learn from the answer to an open question: 0 right, 1 tie, 2 left, for a graded one a float between."""

    def unlearn(self, left: int, right: int, outcome: float) -> None:
        """Take an answer back; its question is open again."""

    def add_item(self) -> None:
        """Make room for one more item, which has the next code."""

    def restrict(self, active: NDArray[np.int32]) -> None:
        """Take note of the items that may be asked about, ascending, after one was added, retired or restored."""

    def saved(self) -> dict[str, NDArray[Any]] | None:
        """Arrays from which `restore` makes this state again, to the bit; None, the default, where that is not written.

        A poll writes them down now and then, and goes on from there when it is opened again. Without them it repeats
        all that ever happened. Each is a numpy array of numbers or booleans, by any name. A strategy that has them
        must not use `PairStream.log` or `PairStream.wins`, which would have to be kept as well.
        """
        return None

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Be what was saved; called once, on what `Sampler.begin` has made for as many items as it was begun with.

        Raises
        ------
        ValueError
            When the arrays cannot be what `saved` gave. The poll then repeats all that ever happened.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to restore what it saved; write restore")
