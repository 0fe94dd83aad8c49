"""A whole simulated vote question by question, for any strategy, and what the kernels' quicker ways have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.messages import shorten
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.sampling._stream import Sampler, WholeVote

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
# Columns of the draws: three uniforms for the choice, then these.
SIDE, UPPER, LOWER, REACH = 3, 4, 5, 6


def question_by_question(
    sampler: Sampler,
    n_items: int,
    turns: NDArray[np.int32],
    *,
    votes_each: int = 20,
    n_open: int = 0,
    rng: np.random.Generator | None = None,
) -> WholeVote:
    """The simulated vote of any strategy, one question after the other through its stream.

    `simulate` takes this way for a strategy without a `Sampler.whole_vote`. A `whole_vote` is right if it gives the
    same votes for the same strengths and draws.

    Parameters
    ----------
    sampler : Sampler
    n_items, turns, votes_each, n_open
        As in `Sampler.whole_vote`.
    rng : numpy.random.Generator, optional
        Where the stream's random numbers come from, instead of the first four columns of the draws: a seed is drawn for
        every vote.

    Returns
    -------
    callable
        As `Sampler.whole_vote` returns it.

    Examples
    --------
    >>> import numpy as np
    >>> import pairvote as pv
    >>> turns = np.tile(np.arange(3, dtype=np.int32), 4)
    >>> options = {"votes_each": 4, "n_open": 1}
    >>> quick = pv.sampling.Balanced().whole_vote(5, turns, **options)
    >>> slow = pv.sampling.question_by_question(pv.sampling.Balanced(), 5, turns, **options)
    >>> rng = np.random.default_rng(1)
    >>> noise = rng.logistic(size=12)
    >>> draws = np.column_stack([rng.random((12, 4)), noise, noise])
    >>> strengths = rng.normal(size=(1, 5))
    >>> bool((quick(strengths, draws) == slow(strengths, draws)).all())
    True
    """
    votes, n_voters = empty_votes(n_items, turns)
    voters = votes[:, 0].tolist()

    def vote(strengths: Floats, draws: Floats) -> Ints:
        check_shapes(votes, n_voters, n_items, strengths, draws)
        seed = 0 if rng is None else int(rng.integers(2**63))
        stream = sampler.start(n_items, votes_each=votes_each, rng=seed)
        own = np.broadcast_to(strengths, (n_voters, n_items)).tolist()
        asked: list[tuple[int, int, int, int]] = []
        for number, ((upper, lower, *reach), voter) in enumerate(zip(draws[:, UPPER:].tolist(), voters, strict=True)):
            left, right = stream.propose(voter, uniforms=draws[number, :UPPER] if rng is None else None)
            stream.reserve(voter, left, right)
            lead = own[voter][left] - own[voter][right]
            outcome = Outcome.LEFT if lead > upper else Outcome.RIGHT if lead < lower else Outcome.TIE
            if reach and abs(lead) < reach[0]:
                outcome = Outcome.SKIP
            asked.append((voter, left, right, int(outcome)))
            if number >= n_open:
                then, one, other, seen = asked[number - n_open]
                stream.record(then, one, other, Outcome(seen))
        votes[:] = asked
        return votes

    return vote


def empty_votes(n_items: Any, turns: Any) -> tuple[Ints, int]:
    """A table of voter, left, right and outcome, int32, shape (n_votes, 4), with the voters; how many these are."""
    if not is_whole(n_items) or n_items < 2:
        raise InputError(f"n_items is {shorten(n_items)}; pass a whole number from 2")
    given = np.array(turns)
    if given.ndim != 1 or given.dtype.kind not in "iu" or not len(given) or not 0 <= given.min() <= given.max() < 2**24:
        raise InputError(
            f"turns has shape {given.shape} and type {given.dtype}; pass whose turn it is, in numbers from 0"
        )
    votes = np.zeros((len(given), 4), np.int32)
    votes[:, 0] = given
    return votes, int(given.max()) + 1


def check_shapes(votes: Ints, n_voters: int, n_items: int, strengths: Floats, draws: Floats) -> None:
    """InputError unless strengths and draws fit a vote."""
    if strengths.shape not in ((1, n_items), (n_voters, n_items)):
        raise InputError(
            f"strengths has shape {strengths.shape}; pass (1, {n_items}) for all voters or ({n_voters}, {n_items})"
        )
    if draws.ndim != 2 or len(draws) != len(votes) or not UPPER + 2 <= draws.shape[1] <= REACH + 1:
        raise InputError(f"draws has shape {draws.shape}; pass ({len(votes)}, 6), or 7 columns where pairs are skipped")


# What float64 numbers from [0, 1) are as whole numbers lies below this; negative numbers and nan lie above.
ONE = np.float64(1.0).view(np.uint64)


def check_uniforms(draws: Floats, n_used: int) -> None:
    """InputError unless the first columns, from which places in arrays are computed, are from [0, 1)."""
    if not draws[:, :n_used].view(np.uint64).max() < ONE:
        raise InputError(f"the first {n_used} columns of draws have numbers outside [0, 1); pass uniforms")
