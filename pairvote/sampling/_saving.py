"""A stream written down as arrays, and made again from them: to the bit what a replay of all calls would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.messages import shorten
from pairvote._common.random import Rng
from pairvote._kernels import exposure
from pairvote.errors import InputError
from pairvote.sampling._belief import Belief
from pairvote.sampling._board import Board
from pairvote.sampling._checks import check_that, own_array
from pairvote.sampling._learner import Learner
from pairvote.sampling._registry import SAMPLERS
from pairvote.sampling._stream import PairStream, Sampler

# Before the names of the arrays of the strategy's own state.
LEARNER = "learner."


def is_own(sampler: Sampler) -> bool:
    """Whether a strategy is one of pairvote's, which need no log of the calls."""
    return SAMPLERS.get(type(sampler).__name__) is type(sampler)


def can_be_saved(stream: PairStream) -> bool:
    """Whether `saved` gives arrays: of pairvote's strategies, and of an outsider's whose `Learner` writes `saved`."""
    save = getattr(type(stream.state), "saved", None)
    return is_own(stream.sampler) or save not in (None, Learner.saved)


def saved(stream: PairStream) -> dict[str, NDArray[Any]] | None:
    """All that a stream is but the questions that are open and what each voter was shown, which its poll knows.

    None where an outsider's strategy does not say what to save of its own.
    """
    if not can_be_saved(stream):
        return None
    own = {} if stream.state is None else stream.state.saved()
    if own is None:
        return None
    numbers = {"n_asked": np.array([stream.n_asked]), "n_begun": np.array([stream._n_begun])}
    for name, array in own.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            raise InputError(
                f"{type(stream.state).__name__}.saved gave {shorten(array)} as {name}; give numpy arrays of numbers"
            )
    return numbers | stream._board.saved() | {LEARNER + name: array for name, array in own.items()}


def restored(
    sampler: Sampler,
    arrays: Mapping[str, Any],
    *,
    n_items: int,
    votes_each: int,
    rng: Rng,
    open_questions: Sequence[tuple[Hashable, int, int]],
    seen_of: Callable[[Hashable], ArrayLike],
    most_asked: int,
) -> PairStream:
    """The stream that was saved, which keeps no log.

    Parameters
    ----------
    sampler, n_items, votes_each, rng
        As the stream had them; `n_items` with those that were added.
    arrays : mapping from name to array
        What `saved` gave, or anything: nothing in it is used that was not checked.
    open_questions : sequence of (voter, left, right)
    seen_of : callable
        The pairs that were shown to a voter, each (higher << 24) + lower, with repeats and in any order. It is asked
        once for each voter, at the first call that is about the voter, and gives what was so before that call.
    most_asked : int
        How many questions can have been asked at most, by the log.

    Raises
    ------
    ValueError
        Where the arrays cannot be those of such a stream.
    """
    n_asked, n_begun = (int(own_array(arrays, name, np.int64, (1,))[0]) for name in ("n_asked", "n_begun"))
    check_that(0 <= n_begun <= n_items and 0 <= n_asked <= most_asked, "as many items and questions")
    check_that(n_asked or n_begun == n_items, "items before the first question are all there at the start")
    board = Board.restored(arrays, n_items, levelled=sampler.levelled, most_asked=n_asked, seen_of=seen_of)
    stream = PairStream(sampler, n_begun, votes_each=votes_each, rng=rng)
    for _, left, right in open_questions:
        check_that(0 <= left < n_items and 0 <= right < n_items and left != right, "open questions are of known items")
    _check_shown(board, open_questions)
    stream.n_asked = n_asked
    stream._n_items = n_items
    stream._board = board
    stream._open = dict(Counter(open_questions))
    stream._keep_no_log()
    if stream.state is not None:
        own = {name.removeprefix(LEARNER): array for name, array in arrays.items() if name.startswith(LEARNER)}
        _restore_state(stream, own)
    return stream


def _check_shown(board: Board, questions: Sequence[tuple[Hashable, int, int]]) -> None:
    """ValueError unless open questions are among those that were asked."""
    pairs = Counter((max(left, right), min(left, right)) for _, left, right in questions)
    for (i, j), n_open in pairs.items():
        check_that(n_open <= exposure.times_shown(board.pairs, i, j), "open questions were asked")


def _restore_state(stream: PairStream, arrays: Mapping[str, Any]) -> None:
    """Let the strategy's own state be what was saved; ValueError whatever goes wrong in one that is not ours."""
    state, board = stream.state, stream._board
    try:
        state.restore(arrays)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{type(state).__name__} does not restore what it saved: {error!r}") from error
    if isinstance(state, Belief):
        check_that(state.n_items == stream.n_items, "the posterior is of as many items")
        check_that(state.open_pairs == _pairs_of(stream), "the posterior has the same questions open")
        check_that(np.array_equal(state.answers(), stream.answers), "the posterior has the same answers")
        state.restrict(board.active)


def _pairs_of(stream: PairStream) -> dict[tuple[int, int], int]:
    return dict(Counter((left, right) for _, left, right in stream.open_questions))
