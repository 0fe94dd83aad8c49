"""A strategy and its run: `Sampler`, the recipe, and `PairStream`, a fold over what happened."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import shorten, wrong_option
from pairvote._common.outcomes import Outcome
from pairvote._common.random import Rng
from pairvote.errors import InputError, StateError
from pairvote.sampling._board import LEAD, Board, Ints
from pairvote.sampling._checks import check_voter, outcome_code
from pairvote.sampling._learner import Learner
from pairvote.sampling._stream_counts import StreamCounts
from pairvote.sampling._stream_log import (
    ADD_ITEM,
    ITEM_BITS,
    RECORD,
    RELEASE,
    RESERVE,
    RESTORE,
    RETIRE,
    WITHDRAW,
    StreamLog,
)
from pairvote.sampling._uniforms import Uniforms

# Strengths, one row for all or one a voter, and random numbers in; a table of voter, left, right and outcome out.
WholeVote = Callable[[NDArray[np.float64], NDArray[np.float64]], Ints]


@dataclass(frozen=True)
class Sampler:
    """A recipe for which two items to ask a voter about next. Subclass it and write `choose` to make another.

    `start` gives the running `PairStream`, which draws the random numbers, balances the sides, counts what was shown
    to whom and checks what it is told, so that a strategy is one function of these counts. What a strategy learns
    from the answers it keeps in a `Learner`, which `begin` makes. `simulate` takes any strategy; one that can ask and
    answer a whole vote at once, in a compiled loop for example, says so by `whole_vote`.

    Attributes
    ----------
    levelled : bool, class attribute
        Whether the stream keeps `PairStream.by_exposure` current after every question, instead of sorting when it is
        asked for. False by default.
    uniforms_used : int or None, class attribute
        How many of the three uniforms `whole_vote` looks at; the others are not drawn. None, the default, for all.

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

    levelled: ClassVar[bool] = False
    uniforms_used: ClassVar[int | None] = None

    def start(self, n_items: int, *, votes_each: int = 20, rng: Rng = None) -> PairStream:
        """Begin to ask.

        Parameters
        ----------
        n_items : int
            How many items there are, from 0 to 2^24; more can be added later. `propose` needs two.
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
            What happened so far; `PairStream.state` is what `begin` made. Nothing in it is to be changed.
        voter : hashable
        uniforms : float64 array, shape (3,)
            Random numbers from [0, 1), the only ones to be used, so that the record can be replayed.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say which pair to choose; write its method choose")

    def begin(self, n_items: int) -> Learner | None:
        """Make what the strategy keeps of its own for one stream; None, the default, for nothing.

        A stream may begin with no items or one; this is called again for each that is added before the first question.
        """
        return None

    def whole_vote(self, n_items: int, turns: Ints, *, votes_each: int, n_open: int) -> WholeVote | None:
        """Prepare a whole simulated vote in one call; None, the default, where questions are asked one by one.

        `simulate` calls this once and the result for every repetition. A strategy that has it must give the votes that
        `question_by_question` gives for the same strengths and draws.

        Parameters
        ----------
        n_items : int
        turns : int32 array, shape (n_votes,)
            Whose turn it is, from voter 0.
        votes_each : int
            How many questions a voter is expected to answer.
        n_open : int
            How many other questions are open when one is answered.

        Returns
        -------
        callable or None
            A function of `strengths` and `draws` that returns the votes: int32, shape (n_votes, 4), voter, left, right
            and outcome (0 right, 1 tie, 2 left, 3 skip), which are read before it is called again.

            strengths: float64, shape (1, n_items) for all voters, or (n_voters, n_items). draws: float64, shape
            (n_votes, 6 or 7). Columns 0 to 2 are the uniforms for `choose` and 3 is the one for the side: of two items
            with equal leads the first of the pair is on the right where it is below 0.5. With the lead of a question
            the left item's strength less the right one's: the left wins above column 4, the right below column 5, else
            it is a tie; and it is skipped where the lead of either is below column 6, if there is one.
        """
        return None


class PairStream(StreamCounts):
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

    def __init__(self, sampler: Sampler, n_items: int, *, votes_each: int = 20, rng: Rng = None) -> None:
        if not isinstance(sampler, Sampler):
            raise InputError(f"sampler is {shorten(sampler)}; pass one such as pairvote.sampling.Balanced()")
        if not is_whole(n_items) or not 0 <= n_items <= MAX_ITEMS:
            raise InputError(f"n_items is {shorten(n_items)}; pass a whole number from 0 to {MAX_ITEMS:,}")
        if not is_whole(votes_each) or not 1 <= votes_each < 2**31:
            raise wrong_option("votes_each", votes_each, "pass a whole number from 1")
        self.sampler = sampler
        self.votes_each = int(votes_each)
        self.n_asked = 0
        self._n_items = int(n_items)
        self._uniforms = Uniforms(rng)
        self._open: dict[tuple[Hashable, int, int], int] = {}
        self._board = Board(int(n_items), levelled=sampler.levelled)
        # With how many items the strategy's own state was begun; it was told of those that came later.
        self._n_begun = self._n_items
        self._state = sampler.begin(self._n_items)
        self._log = StreamLog()

    def __repr__(self) -> str:
        return f"PairStream({self.sampler!r}, {self.n_items} items, {self.n_asked} questions asked)"

    # --- asking ---

    def propose(
        self, voter: Hashable, *, uniforms: Sequence[float] | NDArray[np.float64] | None = None
    ) -> tuple[int, int]:
        """Which two items to ask a voter about now: the codes of the left and the right one. Changes nothing.

        A voter is not shown a pair again before having been shown every pair.

        Parameters
        ----------
        voter : hashable
        uniforms : four numbers from [0, 1), optional
            Three for the choice and one for the side, instead of the stream's own: a simulation has its own.

        Raises
        ------
        StateError
            When fewer than two items are left to be asked about.
        InputError
            When a voter is not hashable, or `uniforms` are not such numbers.
        """
        if self._board.levels.item(0) < 2:
            raise StateError("fewer than two items are left to be asked about; add items first")
        try:
            drawn = self._uniforms
            side = drawn.draw(self.n_asked, voter) if uniforms is None else drawn.take(uniforms)
            i, j = self.sampler.choose(self, voter, drawn.values)
        except TypeError:
            check_voter(voter)
            raise
        items = self._board.items
        i_lead, j_lead = items.item(LEAD, i), items.item(LEAD, j)
        # On the left goes what stood there less often.
        if i_lead > j_lead or (i_lead == j_lead and side < 0.5):
            return j, i
        return i, j

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
        self._note(RESERVE + (left << ITEM_BITS) + right, voter)

    def record(self, voter: Hashable, left: int, right: int, outcome: Outcome | str | float) -> None:
        """A voter has answered. A question that was not reserved counts as asked by this.

        Parameters
        ----------
        voter : hashable
        left, right : int
            The items' codes.
        outcome : Outcome, str or float
            "left", "right", "tie" or "skip"; a skipped pair was shown, but nothing is learnt of it. Of a graded answer
            a float from 0 to 2, twice the left side's share of the vote: 1.5 is three quarters for the left. It is
            rounded to a multiple of 2^-24, so that sums of them are exact.

        Raises
        ------
        InputError
            Where an item or the outcome is unknown, or both items are the same.
        """
        left, right = self._check_pair(voter, left, right)
        code = outcome_code(outcome)
        question = (voter, left, right)
        if question in self._open:
            self._close(question)
        else:
            self._ask(voter, left, right)
            self._close(question)
        self._note(RECORD + (left << ITEM_BITS) + right, voter, code)
        if code == Outcome.SKIP:
            if self._state is not None:
                self._state.release(left, right)
            return
        self._board.count_answer(left, right, code)
        if self._state is not None:
            self._state.learn(left, right, code)

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
        self._note(RELEASE + (left << ITEM_BITS) + right, voter)
        if self._state is not None:
            self._state.release(left, right)

    def withdraw(self, voter: Hashable, left: int, right: int, outcome: Outcome | str | float) -> None:
        """An answer is taken back, as it was recorded: its question is open again.

        Raises
        ------
        StateError
            Where this voter was never asked about the pair, or all such questions are open.
        InputError
            Where an item or the outcome is unknown.
        """
        left, right = self._check_pair(voter, left, right)
        code = outcome_code(outcome)
        n_shown = self._board.times_shown_to(voter, left, right)
        if n_shown <= self._open.get((voter, left, right), 0) + self._open.get((voter, right, left), 0):
            raise StateError(
                f"voter {shorten(voter)} has answered no question about {left} and {right}; nothing to withdraw"
            )
        self._open[voter, left, right] = self._open.get((voter, left, right), 0) + 1
        self._note(WITHDRAW + (left << ITEM_BITS) + right, voter, code)
        if code == Outcome.SKIP:
            if self._state is not None:
                self._state.reserve(left, right)
            return
        self._board.count_answer(left, right, code, -1)
        if self._state is not None:
            self._state.unlearn(left, right, code)

    def add_item(self) -> int:
        """There is one more item, to be asked about from now on; its code.

        Until the first question is asked, the strategy's own state is begun anew with all items.
        """
        code = self._board.add_item()
        self._n_items += 1
        if self.n_asked:
            if self._state is not None:
                self._state.add_item()
        else:
            # A strategy that may choose its model by the number of items begins with all that come before the votes.
            self._n_begun = self._n_items
            self._state = self.sampler.begin(self._n_items)
        self._note_active(ADD_ITEM)
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
        self._note_active(RETIRE + (item << ITEM_BITS))

    def restore(self, item: int) -> None:
        """Propose a retired item again. It goes on with what was shown and learnt of it.

        Raises
        ------
        InputError
            When there is no such item, or it is not retired.
        """
        item = self._check_item(item)
        if self._board.is_active(item):
            raise InputError(f"item {item} is not retired; restore one that is")
        self._board.restore(item)
        self._note_active(RESTORE + (item << ITEM_BITS))

    def _note_active(self, call: int) -> None:
        self._note(call, None)
        if self._state is not None:
            self._state.restrict(self._board.active)

    def _note(self, call: int, voter: Hashable, outcome: float = 0) -> None:
        if self._log is not None:
            self._log.add(call, voter, outcome)

    def _keep_no_log(self) -> None:
        """Save the memory of the log, where nobody asks for `log` and `wins`."""
        self._log = None

    def _ask(self, voter: Hashable, left: int, right: int) -> None:
        self._board.show(voter, left, right)
        question = (voter, left, right)
        self._open[question] = self._open.get(question, 0) + 1
        self.n_asked += 1
        if self._state is not None:
            self._state.reserve(left, right)

    def _close(self, question: tuple[Hashable, int, int]) -> None:
        if self._open[question] > 1:
            self._open[question] -= 1
        else:
            del self._open[question]
