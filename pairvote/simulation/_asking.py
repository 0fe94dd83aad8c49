"""The votes of simulated workshops, a block of repetitions at a time.

All that is random comes from streams that belong to a block: one for the strengths, some for how voters are and answer,
one for which pairs are asked. So two strategies meet the same items and the same voters, question by question in the
same mood, and what they differ by is their pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote.errors import InputError
from pairvote.sampling._registry import sampler_named
from pairvote.sampling._stream import Sampler, WholeVote
from pairvote.sampling._whole_vote import LOWER, REACH, SIDE, UPPER, question_by_question
from pairvote.simulation._voters import VoterModel
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Strengths = None | NDArray[np.float64] | Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]
# Repetitions whose random numbers come from the same streams. Another number would change every answer.
BLOCK = 25
STREAMS = STRENGTHS, TASTES, ANSWERS, LAPSES, SKIPS, PAIRS = tuple(range(6))
# Random numbers that are held at a time, unless those of one workshop are more.
LARGEST_CHUNK = 2**20
MOST_QUESTIONS = 10**7


@dataclass(frozen=True, eq=False, kw_only=True)
class Workshop:
    """All that a block's votes follow from."""

    n_items: int
    n_voters: int
    votes_each: int
    strength_sd: float
    strengths: Strengths
    sampler: Sampler
    voters: VoterModel
    n_open: int
    seed: int

    @property
    def n_votes(self) -> int:
        """How many questions are asked."""
        return self.n_voters * self.votes_each

    @property
    def turns(self) -> Ints:
        """Whose turn it is: everybody once, then everybody again. int32, shape (n_votes,)."""
        return np.tile(np.arange(self.n_voters, dtype=np.int32), self.votes_each)

    def stream(self, block: int, which: int) -> np.random.Generator:
        """One of a block's streams."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(block, which)))

    def strengths_of(self, block: int) -> Floats:
        """The strengths in all repetitions of a block: float64, shape (BLOCK, n_items)."""
        size = (BLOCK, self.n_items)
        if self.strengths is None:
            return self.stream(block, STRENGTHS).normal(0.0, self.strength_sd, size)
        if not callable(self.strengths):
            return np.tile(self.strengths, (BLOCK, 1))
        drawn = np.asarray(self.strengths(self.stream(block, STRENGTHS), size), np.float64)
        if drawn.shape != size or not np.isfinite(drawn).all():
            raise InputError(
                f"strengths(rng, {size}) gave an array of shape {drawn.shape}, or one that is not finite; it must give "
                "finite log-odds of just that shape, such as rng.uniform(0, 5, size)"
            )
        return drawn


class Block(NamedTuple):
    """Some repetitions: strengths (n, n_items); left, right (n, n_votes) int32; outcome (n, n_votes) uint8."""

    strengths: Floats
    left: Ints
    right: Ints
    outcome: NDArray[np.uint8]

    def votes(self, r: int, workshop: Workshop) -> Votes:
        """The votes of one repetition."""
        return Votes.from_codes(
            self.left[r], self.right[r], self.outcome[r], n_items=workshop.n_items, voter=workshop.turns
        )


def draw(workshop: Workshop, block: int, n_repetitions: int = BLOCK, *, largest_chunk: int = LARGEST_CHUNK) -> Block:
    """The first repetitions of a block, which are the same however many are asked for."""
    n_votes, n_voters, voters = workshop.n_votes, workshop.n_voters, workshop.voters
    strengths = workshop.strengths_of(block)
    left, right, outcome = (np.empty((n_repetitions, n_votes), np.int32) for _ in range(3))
    answers, pairs = workshop.stream(block, ANSWERS), workshop.stream(block, PAIRS)
    ask, n_used = _way_to_ask(workshop, pairs)
    n_columns = 7 if voters.skip else 6
    each = n_votes * n_columns + (n_voters * workshop.n_items if voters.have_tastes else 0)
    n_chunk = max(1, min(BLOCK, largest_chunk // each))
    draws = np.zeros((n_chunk, n_votes, n_columns))
    lapse = np.where(workshop.turns >= n_voters - voters.n_random(n_voters), 1.0, voters.lapse)
    # A stream that is not needed is not begun, which costs as much as a workshop's numbers.
    tastes, skips, lapses = (
        workshop.stream(block, which) if needed else None
        for which, needed in ((TASTES, voters.have_tastes), (SKIPS, voters.skip), (LAPSES, lapse.any()))
    )
    shape = (n_chunk, n_votes)
    for first in range(0, n_repetitions, n_chunk):
        for column in (*range(n_used), SIDE):
            draws[:, :, column] = pairs.random(shape)
        upper, lower = voters.thresholds(answers.random(shape))
        draws[:, :, UPPER], draws[:, :, LOWER] = upper, lower
        if skips is not None:
            draws[:, :, REACH] = voters.skip_reach(skips.random(shape))
        if lapses is not None:
            coin = lapses.random(shape)
            draws[coin < lapse, UPPER:] = np.array([np.inf, np.inf, -1.0])[: n_columns - UPPER]
            draws[coin < 0.5 * lapse, UPPER : LOWER + 1] = -np.inf
        common = strengths[first : first + n_chunk]
        own = common[:, None] if tastes is None else voters.own_strengths(common, n_voters, tastes)
        for place in range(min(n_chunk, n_repetitions - first)):
            r = first + place
            votes = ask(own[place], draws[place])
            if votes.shape != (n_votes, 4) or votes.dtype != np.int32:
                raise InputError(
                    f"{workshop.sampler!r}.whole_vote made an array of shape {votes.shape} and type {votes.dtype}; "
                    f"return ({n_votes}, 4) int32"
                )
            left[r], right[r], outcome[r] = votes[:, 1], votes[:, 2], votes[:, 3]
    # The kernels that count them take them as they are.
    if min(left.min(), right.min(), outcome.min()) < 0 or max(left.max(), right.max()) >= workshop.n_items:
        raise InputError(f"{workshop.sampler!r}.whole_vote made votes on items that there are not; return codes from 0")
    if outcome.max() > 3 or (left == right).any():
        raise InputError(f"{workshop.sampler!r}.whole_vote made votes that cannot be; see Sampler.whole_vote")
    return Block(strengths[:n_repetitions], left, right, outcome.astype(np.uint8))


def _way_to_ask(workshop: Workshop, pairs: np.random.Generator) -> tuple[WholeVote, int]:
    """How a vote is asked and answered, and how many of the uniforms of a choice that takes."""
    sampler, n_items, turns = workshop.sampler, workshop.n_items, workshop.turns
    votes_each, n_open = workshop.votes_each, workshop.n_open
    whole = sampler.whole_vote(n_items, turns, votes_each=votes_each, n_open=n_open)
    n_used = sampler.uniforms_used
    if n_used is None:
        n_used = 0 if whole is None else SIDE
    if whole is None:
        whole = question_by_question(sampler, n_items, turns, votes_each=votes_each, n_open=n_open, rng=pairs)
    return whole, n_used


def described(workshop: Workshop) -> str:
    """The size of a workshop in a few words."""
    return (
        f"{plural(workshop.n_items, 'item')}, {plural(workshop.n_voters, 'voter')} x {workshop.votes_each:,}, "
        f"{workshop.sampler!r}"
    )


def workshop_of(
    *,
    n_items: int,
    n_voters: int,
    votes_each: int,
    strength_sd: float,
    strengths: Any,
    sampler: Sampler | str,
    voters: VoterModel,
    n_open: int,
    seed: int,
) -> Workshop:
    """A workshop of checked values."""
    for name, value, least in (
        ("n_items", n_items, 2),
        ("n_voters", n_voters, 1),
        ("votes_each", votes_each, 1),
        ("n_open", n_open, 0),
    ):
        if not is_whole(value) or value < least:
            raise wrong_option(name, value, f"pass a whole number from {least}")
    if n_items > MAX_ITEMS:
        raise InputError(f"n_items is {n_items:,}; there can be at most {MAX_ITEMS:,}, so simulate fewer")
    if n_voters * votes_each > MOST_QUESTIONS:
        raise InputError(
            f"n_voters is {n_voters:,} and votes_each is {votes_each:,}, more than {MOST_QUESTIONS:,} questions",
            option="n_voters",
            value=n_voters,
            remedy="simulate fewer",
        )
    if not is_number(strength_sd) or not 0 <= strength_sd < math.inf:
        raise InputError(f"strength_sd is {shorten(strength_sd)}; it is a number of log-odds, finite, from 0")
    if not isinstance(voters, VoterModel):
        raise InputError(f"voters is {shorten(voters)}; pass a VoterModel, and their number as n_voters")
    return Workshop(
        n_items=int(n_items),
        n_voters=int(n_voters),
        votes_each=int(votes_each),
        strength_sd=float(strength_sd),
        strengths=_checked_strengths(strengths, int(n_items)),
        sampler=sampler_named(sampler),
        voters=voters,
        n_open=int(n_open),
        seed=seed,
    )


def _checked_strengths(strengths: Any, n_items: int) -> Any:
    if strengths is None or callable(strengths):
        return strengths
    try:
        given = np.array(strengths, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"strengths cannot be made an array ({error}); pass one number an item") from None
    if given.shape != (n_items,) or not np.isfinite(given).all():
        raise InputError(
            f"strengths has shape {given.shape} and n_items is {n_items}; pass one finite number of log-odds an item, "
            "and n_items with them"
        )
    return given
