"""What happened to a stream so far, as strategies read it: `StreamCounts`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._kernels import exposure
from pairvote.errors import InputError, StateError
from pairvote.sampling._board import ANSWERS, BY_LEVEL, LEAD, POINTS, REST, SHOWN, Board, Ints, read_only
from pairvote.sampling._checks import ONE, check_voter
from pairvote.sampling._learner import Learner
from pairvote.sampling._stream_log import StreamLog


class StreamCounts:
    """The half of a `PairStream` that is read; the other half is told what happens."""

    n_asked: int
    _n_items: int
    _board: Board
    _open: dict[tuple[Hashable, int, int], int]
    _state: Learner | None
    _log: StreamLog | None

    @property
    def n_items(self) -> int:
        """How many items there are, with those that are retired."""
        return self._n_items

    @property
    def active(self) -> Ints:
        """The codes of the items that may be proposed, ascending: int32, read-only."""
        return read_only(self._board.active)

    @property
    def shown(self) -> Ints:
        """How often each item was shown, in open questions and skipped ones too: int32, shape (n_items,), read-only."""
        return read_only(self._board.items[SHOWN])

    @property
    def leads(self) -> Ints:
        """How often each item stood on the left, less how often on the right: int32, shape (n_items,), read-only."""
        return read_only(self._board.items[LEAD])

    @property
    def points(self) -> NDArray[np.float64]:
        """The votes that each item won, a tie as half of one, a graded answer by shares: float64, shape (n_items,)."""
        items = self._board.items
        return 0.5 * (items[POINTS] + items[REST] / ONE)

    @property
    def answers(self) -> Ints:
        """How many answers each item has, without skips: int32, shape (n_items,), read-only."""
        return read_only(self._board.items[ANSWERS])

    @property
    def by_exposure(self) -> Ints:
        """The items that may be proposed, least shown first: int32, read-only. Equals stand in any order."""
        if self._board.levelled:
            return read_only(self._board.items[BY_LEVEL, : self._board.n_active])
        active = self._board.active
        return active[np.argsort(self._board.items[SHOWN, active], kind="stable")]

    def wins(self, i: int, j: int) -> float:
        """The votes that item i won against item j, a tie as half of one.

        Examples
        --------
        >>> import pairvote as pv
        >>> stream = pv.sampling.Balanced().start(3, rng=1)
        >>> stream.record("anna", 0, 1, "left")
        >>> stream.record("bo", 1, 0, "tie")
        >>> stream.wins(0, 1), stream.wins(1, 0)
        (1.5, 0.5)
        """
        return 0.5 * self._kept_log().half_wins(*self._check_pair(None, i, j))

    @property
    def log(self) -> Sequence[tuple[Any, ...]]:
        """The calls that changed the stream, in order, each a tuple: the method's name, then what it was given.

        A stream of the same sampler and seed that is told them again is in the same state.

        Examples
        --------
        >>> import pairvote as pv
        >>> stream = pv.sampling.InformationGain().start(3, rng=1)
        >>> stream.reserve("anna", 0, 1)
        >>> stream.record("anna", 0, 1, "left")
        >>> stream.log[:]
        [('reserve', 'anna', 0, 1), ('record', 'anna', 0, 1, 'left')]
        >>> again = pv.sampling.InformationGain().start(3, rng=1)
        >>> for method, *given in stream.log:
        ...     _ = getattr(again, method)(*given)
        >>> again.propose("bo") == stream.propose("bo")
        True
        """
        return self._kept_log()

    @property
    def state(self) -> Any:
        """What the strategy keeps of its own, as `Sampler.begin` made it and the answers since have left it; or None.

        The state of `InformationGain` and `TopK` is the posterior of the scores, with its `mean` and `variances`.
        """
        return self._state

    @property
    def open_questions(self) -> list[tuple[Hashable, int, int]]:
        """The questions that were reserved and not yet recorded or released: (voter, left, right)."""
        return [question for question, n_open in self._open.items() for _ in range(n_open)]

    def times_shown(self, i: int, j: int, voter: Hashable = None) -> int:
        """How often two items were shown together, on either side: to one voter, or without one to all."""
        i, j = self._check_pair(voter, i, j)
        if voter is None:
            return int(exposure.times_shown(self._board.pairs, i, j))
        return self._board.times_shown_to(voter, i, j)

    def allowed_pairs(self, voter: Hashable) -> list[tuple[int, int]]:
        """All pairs (i, j), i > j, of active items that a voter was shown least often: those that may be proposed."""
        return self._board.least_shown_to(voter)

    def _kept_log(self) -> StreamLog:
        if self._log is None:
            raise StateError(
                "this stream keeps no log, so it has neither log nor wins; a poll's stream keeps one for a strategy "
                "whose state cannot be saved: write no saved and restore in its Learner"
            )
        return self._log

    def _check_item(self, item: int) -> int:
        if not is_whole(item) or not 0 <= item < self.n_items:
            raise InputError(f"item {shorten(item)} is unknown; the codes are 0 to {self.n_items - 1}")
        return int(item)

    def _check_pair(self, voter: Hashable, left: int, right: int) -> tuple[int, int]:
        # Plain and right, as nearly always, before anything else is asked.
        n_items = self._n_items
        if not (type(left) is type(right) is int and 0 <= left < n_items and 0 <= right < n_items):
            left, right = self._check_item(left), self._check_item(right)
        if left == right:
            raise InputError(f"item {left} stands against itself; pass two different items")
        try:
            hash(voter)
        except TypeError:
            check_voter(voter)
        return left, right
