"""A strategy and its run: `Sampler`, the recipe, and `PairStream`, a fold over what happened."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import shorten, wrong_option
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote._kernels import exposure
from pairvote.errors import InputError, StateError
from pairvote.sampling._board import LEAD, SHOWN, Board, Ints

# Uniforms for every question: three for the choice and one for the side.
N_UNIFORMS = 4
# Questions whose uniforms are drawn at once.
BLOCK = 128
RandomSource = None | int | np.random.Generator


class Learner(Protocol):
    """What a strategy knows beside the counts, told of every question and answer."""

    def reserve(self, left: int, right: int) -> None:
        """A question is open."""

    def release(self, left: int, right: int) -> None:
        """An open question will not be answered."""

    def learn(self, left: int, right: int, outcome: int) -> None:
        """An open question was answered: 0 right, 1 tie, 2 left."""

    def unlearn(self, left: int, right: int, outcome: int) -> None:
        """An answer was taken back, and its question is open."""

    def add_item(self) -> None:
        """There is one more item."""

    def restrict(self, active: Ints) -> None:
        """Only these items may be asked about; told after each change."""


@dataclass(frozen=True)
class Sampler:
    """A recipe for which two items to ask a voter about next. Subclass it and write `choose` to make another.

    `start` gives the running `PairStream`, which draws the random numbers, balances the sides, counts what was shown
    to whom and checks what it is told, so that a strategy is one function of these counts.

    Examples
    --------
    A strategy of your own: the pair that was shown least often to anybody, of those that this voter may be shown.

    >>> import pairvote as pv
    >>> class LeastShownPair(pv.sampling.Sampler):
    ...     def choose(self, stream, voter, uniforms):
    ...         pairs = stream.allowed_pairs(voter)
    ...         shown = [stream.times_shown(i, j) for i, j in pairs]
    ...         fewest = [pair for pair, times in zip(pairs, shown) if times == min(shown)]
    ...         return fewest[int(uniforms[0] * len(fewest))]
    >>> stream = LeastShownPair().start(4, rng=1)
    >>> for _ in range(6):
    ...     left, right = stream.propose("anna")
    ...     stream.record("anna", left, right, "left")
    >>> stream.shown.tolist()
    [3, 3, 3, 3]
    """

    # Whether the stream keeps items in the order of how often they were shown.
    _levelled: ClassVar[bool] = False

    def start(self, n_items: int, *, votes_each: int = 20, rng: RandomSource = None) -> PairStream:
        """Begin to ask.

        Parameters
        ----------
        n_items : int
            How many items there are, up to 2^24; more can be added later.
        votes_each : int, default 20
            How many questions a voter is expected to answer; voters may be asked more.
        rng : None, int or numpy.random.Generator, keyword-only
            The same seed and the same events give the same proposals.

        Raises
        ------
        InputError
            Where a number is none or out of range.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.sampling.Uniform().start(23, rng=7)
        PairStream(Uniform(), 23 items, 0 questions asked)
        """
        return PairStream(self, n_items, votes_each=votes_each, rng=rng)

    def choose(self, stream: PairStream, voter: Hashable, uniforms: NDArray[np.float64]) -> tuple[int, int]:
        """The codes of two different items to ask `voter` about, in any order; the stream gives them their sides.

        Parameters
        ----------
        stream : PairStream
            What happened so far. Nothing in it is to be changed.
        voter : hashable
        uniforms : float64 array, shape (3,)
            Random numbers from [0, 1), the only ones to be used, so that the record can be replayed.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which pair to choose; write its method choose")

    def _begin(self, n_items: int) -> Learner | None:
        """What the strategy keeps of its own for a stream."""
        return None


class PairStream:
    """A strategy at work: which pair to ask a voter next, given all that was asked and answered.

    It is a fold over what happened: `propose` changes nothing, and the same events told to a stream of the same seed
    lead to the same proposals. `Sampler.start` makes one.

    Parameters
    ----------
    sampler : Sampler
    n_items, votes_each, rng
        As in `Sampler.start`.

    Attributes
    ----------
    sampler : Sampler
    votes_each : int
    n_asked : int
        How many questions were ever asked, those that were released included.

    Examples
    --------
    >>> import pairvote as pv
    >>> stream = pv.sampling.Balanced().start(23, votes_each=20, rng=1)
    >>> left, right = stream.propose("anna")
    >>> stream.reserve("anna", left, right)          # while she thinks, it counts as asked
    >>> stream.record("anna", left, right, "left")   # and now as answered
    >>> stream.n_asked, int(stream.shown.sum())
    (1, 2)
    """

    def __init__(self, sampler: Sampler, n_items: int, *, votes_each: int = 20, rng: RandomSource = None) -> None:
        if not isinstance(sampler, Sampler):
            raise InputError(f"sampler is {shorten(sampler)}; pass one such as pairvote.sampling.Balanced()")
        if not is_whole(n_items) or not 2 <= n_items <= MAX_ITEMS:
            raise InputError(f"n_items is {shorten(n_items)}; pass a whole number from 2 to {MAX_ITEMS:,}")
        if not is_whole(votes_each) or not 1 <= votes_each < 2**31:
            raise wrong_option("votes_each", votes_each, "pass a whole number from 1")
        self.sampler = sampler
        self.votes_each = int(votes_each)
        self.n_asked = 0
        self._key = int(np.random.default_rng(rng).integers(2**63))
        self._block: list[list[float]] = []
        self._block_number = -1
        self._uniforms = np.empty(N_UNIFORMS - 1)
        # The same memory, of which single numbers are set faster.
        self._places: Any = memoryview(self._uniforms)  # type: ignore[arg-type, unused-ignore]
        self._open: Counter[tuple[Hashable, int, int]] = Counter()
        self._board = Board(int(n_items), levelled=sampler._levelled)
        self._belief = sampler._begin(int(n_items))

    # --- asking ---

    def propose(self, voter: Hashable) -> tuple[int, int]:
        """Which two items to ask a voter about now: the codes of the left and the right one. Changes nothing.

        A voter is not shown a pair again before having been shown every pair.

        Raises
        ------
        StateError
            Where fewer than two items are left to be asked about.
        InputError
            Where a voter is not hashable.
        """
        if self._board.levels[0] < 2:
            raise StateError("fewer than two items are left to be asked about; add items first")
        try:
            side = self._draw(voter)
            i, j = self.sampler.choose(self, voter, self._uniforms)
        except TypeError:
            _check_voter(voter)
            raise
        leads = self._board.items[LEAD]
        i_lead, j_lead = leads.item(i), leads.item(j)
        # On the left goes what stood there less often.
        if i_lead > j_lead or (i_lead == j_lead and side < 0.5):
            return j, i
        return i, j

    def _draw(self, voter: Hashable) -> float:
        """Fill in the uniforms of the next question, were it this voter's; the one for the side.

        They depend on the seed, on how many questions were asked and, turned around the circle, on the voter, so that
        those who ask at the same moment do not all get the same.
        """
        number, row = divmod(self.n_asked, BLOCK)
        if number != self._block_number:
            source = np.random.Generator(np.random.Philox(key=self._key, counter=[0, 0, 0, number]))
            self._block, self._block_number = source.random((BLOCK, N_UNIFORMS)).tolist(), number
        turn = crc32(f"{voter}".encode("utf-8", "backslashreplace")) * 2.0**-32
        first, second, third, side = self._block[row]
        places = self._places
        places[0], places[1], places[2] = (first + turn) % 1.0, (second + turn) % 1.0, (third + turn) % 1.0
        return (side + turn) % 1.0

    # --- telling ---

    def reserve(self, voter: Hashable, left: int, right: int) -> None:
        """A voter is being asked: the question counts as asked, and is open until it is recorded or released.

        Raises
        ------
        InputError
            Where an item is unknown or retired, or both are the same.
        """
        left, right = self._check_pair(voter, left, right)
        for item in (left, right):
            if not self._board.is_active(item):
                raise InputError(f"item {item} is retired; propose another pair")
        self._ask(voter, left, right)

    def record(self, voter: Hashable, left: int, right: int, outcome: Outcome | str) -> None:
        """A voter has answered. A question that was not reserved counts as asked by this.

        Parameters
        ----------
        voter : hashable
        left, right : int
            The items' codes.
        outcome : Outcome or str
            "left", "right", "tie" or "skip"; a skipped pair was shown, but nothing is learnt of it.

        Raises
        ------
        InputError
            Where an item or the outcome is unknown, or both items are the same.
        """
        left, right = self._check_pair(voter, left, right)
        code = _outcome_code(outcome)
        question = (voter, left, right)
        if self._open[question]:
            self._close(question)
        else:
            del self._open[question]
            self._ask(voter, left, right)
            self._close(question)
        if code == Outcome.SKIP:
            if self._belief is not None:
                self._belief.release(left, right)
            return
        self._board.count_answer(left, right, code)
        if self._belief is not None:
            self._belief.learn(left, right, code)

    def release(self, voter: Hashable, left: int, right: int) -> None:
        """An open question will not be answered, and counts as never asked.

        Raises
        ------
        StateError
            Where this voter has no such open question.
        """
        left, right = self._check_pair(voter, left, right)
        question = (voter, left, right)
        if question not in self._open:
            raise StateError(
                f"voter {shorten(voter)} has no open question about {left} and {right}; nothing to release"
            )
        self._close(question)
        self._board.take_back(voter, left, right)
        if self._belief is not None:
            self._belief.release(left, right)

    def withdraw(self, voter: Hashable, left: int, right: int, outcome: Outcome | str) -> None:
        """An answer is taken back, as it was recorded: its question is open again.

        Raises
        ------
        StateError
            Where this voter was never asked about the pair, or all such questions are open.
        InputError
            Where an item or the outcome is unknown.
        """
        left, right = self._check_pair(voter, left, right)
        code = _outcome_code(outcome)
        pair = (max(left, right) << 24) + min(left, right)
        row = self._board.seen_by(voter)[0]
        n_shown = int(np.count_nonzero(row[1 : 1 + row[0]] == pair))
        if n_shown <= self._open.get((voter, left, right), 0) + self._open.get((voter, right, left), 0):
            raise StateError(
                f"voter {shorten(voter)} has answered no question about {left} and {right}; nothing to withdraw"
            )
        self._open[voter, left, right] += 1
        if code == Outcome.SKIP:
            if self._belief is not None:
                self._belief.reserve(left, right)
            return
        self._board.count_answer(left, right, code, -1)
        if self._belief is not None:
            self._belief.unlearn(left, right, code)

    def add_item(self) -> int:
        """There is one more item, to be asked about from now on; its code."""
        code = self._board.add_item()
        if self._belief is not None:
            self._belief.add_item()
            self._belief.restrict(self._board.active)
        return code

    def retire(self, item: int) -> None:
        """Never propose an item again. What is known of it stays.

        Raises
        ------
        InputError
            Where there is no such item, or it is retired already.
        """
        item = self._check_item(item)
        if not self._board.is_active(item):
            raise InputError(f"item {item} is retired already; retire each item once")
        self._board.retire(item)
        if self._belief is not None:
            self._belief.restrict(self._board.active)

    def _ask(self, voter: Hashable, left: int, right: int) -> None:
        self._board.show(voter, left, right)
        self._open[voter, left, right] += 1
        self.n_asked += 1
        if self._belief is not None:
            self._belief.reserve(left, right)

    def _close(self, question: tuple[Hashable, int, int]) -> None:
        self._open[question] -= 1
        if not self._open[question]:
            del self._open[question]

    # --- what happened, for those who write strategies ---

    def __repr__(self) -> str:
        return f"PairStream({self.sampler!r}, {self.n_items} items, {self.n_asked} questions asked)"

    @property
    def n_items(self) -> int:
        """How many items there are, with those that are retired."""
        return self._board.items.shape[1]

    @property
    def active(self) -> Ints:
        """The codes of the items that may be proposed, ascending: int32, read-only."""
        return _read_only(self._board.active)

    @property
    def shown(self) -> Ints:
        """How often each item was shown, in open questions and skipped ones too: int32, shape (n_items,), read-only."""
        return _read_only(self._board.items[SHOWN])

    @property
    def leads(self) -> Ints:
        """How often each item stood on the left, less how often on the right: int32, shape (n_items,), read-only."""
        return _read_only(self._board.items[LEAD])

    @property
    def points(self) -> NDArray[np.float64]:
        """The votes that each item won, a tie as half of one: float64, shape (n_items,)."""
        return 0.5 * self._board.items[6]

    @property
    def answers(self) -> Ints:
        """How many answers each item has, without skips: int32, shape (n_items,), read-only."""
        return _read_only(self._board.items[7])

    @property
    def open_questions(self) -> list[tuple[Hashable, int, int]]:
        """The questions that were reserved and not yet recorded or released: (voter, left, right)."""
        return list(self._open.elements())

    def times_shown(self, i: int, j: int, voter: Hashable = None) -> int:
        """How often two items were shown together, on either side: to one voter, or without one to all."""
        i, j = self._check_pair(voter, i, j)
        if voter is None:
            return int(exposure.times_shown(self._board.pairs, i, j))
        row = self._board.seen_by(voter)[0]
        return int(np.count_nonzero(row[1 : 1 + row[0]] == (max(i, j) << 24) + min(i, j)))

    def allowed_pairs(self, voter: Hashable) -> list[tuple[int, int]]:
        """All pairs (i, j), i > j, of active items that a voter was shown least often: those that may be proposed."""
        row = self._board.seen_by(voter)[0]
        shown = Counter(row[1 : 1 + row[0]].tolist())
        active = self._board.active.tolist()
        pairs = [(i, j) for place, i in enumerate(active) for j in active[:place]]
        times = [shown[(i << 24) + j] for i, j in pairs]
        least = min(times, default=0)
        return [pair for pair, n in zip(pairs, times, strict=True) if n == least]

    def _check_item(self, item: int) -> int:
        if not is_whole(item) or not 0 <= item < self.n_items:
            raise InputError(f"item {shorten(item)} is unknown; the codes are 0 to {self.n_items - 1}")
        return int(item)

    def _check_pair(self, voter: Hashable, left: int, right: int) -> tuple[int, int]:
        # Plain and right, as nearly always, before anything else is asked.
        n_items = self.n_items
        if not (type(left) is type(right) is int and 0 <= left < n_items and 0 <= right < n_items):
            left, right = self._check_item(left), self._check_item(right)
        if left == right:
            raise InputError(f"item {left} stands against itself; pass two different items")
        _check_voter(voter)
        return left, right


def _check_voter(voter: Hashable) -> None:
    try:
        hash(voter)
    except TypeError:
        raise InputError(f"voter {shorten(voter)} is not hashable; pass a name or a number") from None


def _outcome_code(outcome: Outcome | str) -> int:
    if isinstance(outcome, str) and outcome in OUTCOME_NAMES:
        return OUTCOME_NAMES[outcome]
    if isinstance(outcome, Outcome) or (is_whole(outcome) and 0 <= outcome <= 3):
        return int(outcome)
    raise InputError(f"outcome is {shorten(outcome)}; it must be 'left', 'right', 'tie' or 'skip'")


def _read_only(array: Ints) -> Ints:
    view = array.view()
    view.flags.writeable = False
    return view


def check_positive(value: float, name: str, what: str) -> float:
    """A sampler's option that is a positive finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not 0 < value < math.inf
    ):
        raise InputError(f"{name} is {shorten(value)}; {what}")
    return float(value)
