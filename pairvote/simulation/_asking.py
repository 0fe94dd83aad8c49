"""The votes of simulated workshops, a block of repetitions at a time.

All that is random comes from streams that belong to a block: one for the strengths, some for how voters are and answer,
one for which pairs are asked. So two strategies meet the same items and the same voters, question by question in the
same mood, and what they differ by is their pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote._kernels import batch, exposure, gaussian
from pairvote.errors import InputError
from pairvote.sampling._adaptive import InformationGain, TopK
from pairvote.sampling._belief import WholeBelief
from pairvote.sampling._board import Board, empty_table
from pairvote.sampling._exposure import Balanced, CatchUp, Swiss, Uniform
from pairvote.sampling._stream import PairStream, Sampler
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
CHOICE, SIDE, UPPER, LOWER, REACH = 0, 3, 4, 5, 6
# The uniforms of a choice that a strategy looks at; the others are not drawn.
USED: dict[type[Sampler], tuple[int, ...]] = {
    Uniform: (0,),
    Balanced: (0, 1),
    Swiss: (0, 1),
    CatchUp: (0, 1, 2),
    InformationGain: (0,),
    TopK: (0,),
}


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


def draw(workshop: Workshop, block: int, n_repetitions: int = BLOCK) -> Block:
    """The first repetitions of a block, which are the same however many are asked for."""
    n_votes, n_voters, voters = workshop.n_votes, workshop.n_voters, workshop.voters
    strengths = workshop.strengths_of(block)
    made = Block(
        strengths[:n_repetitions],
        np.empty((n_repetitions, n_votes), np.int32),
        np.empty((n_repetitions, n_votes), np.int32),
        np.empty((n_repetitions, n_votes), np.uint8),
    )
    answers, pairs = workshop.stream(block, ANSWERS), workshop.stream(block, PAIRS)
    ask = _asker(workshop, pairs)
    n_columns = 7 if voters.skip else 6
    each = n_votes * n_columns + (n_voters * workshop.n_items if voters.have_tastes else 0)
    n_chunk = max(1, min(BLOCK, LARGEST_CHUNK // each))
    draws = np.zeros((n_chunk, n_votes, n_columns))
    used = (*USED.get(type(workshop.sampler), ()), SIDE)
    lapse = np.where(workshop.turns >= n_voters - voters.n_random(n_voters), 1.0, voters.lapse)
    # A stream that is not needed is not begun, which costs as much as a workshop's numbers.
    tastes, skips, lapses = (
        workshop.stream(block, which) if needed else None
        for which, needed in ((TASTES, voters.have_tastes), (SKIPS, voters.skip), (LAPSES, lapse.any()))
    )
    shape = (n_chunk, n_votes)
    for first in range(0, n_repetitions, n_chunk):
        for column in used:
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
            made.left[r], made.right[r], made.outcome[r] = votes[:, 1], votes[:, 2], votes[:, 3]
    return made


# Strengths, one row for all or one a voter, and random numbers in; a table of voter, left, right and outcome out.
Ask = Callable[[Floats, Floats], Ints]


def _asker(workshop: Workshop, pairs: np.random.Generator) -> Ask:
    stream = workshop.sampler.start(workshop.n_items, votes_each=workshop.votes_each, rng=0)
    if type(workshop.sampler) in (Uniform, Balanced, Swiss, CatchUp):
        return _by_exposure(workshop, stream)
    belief = stream._belief
    if type(workshop.sampler) in (InformationGain, TopK) and isinstance(belief, WholeBelief):
        return _by_belief(workshop, belief)
    return _one_by_one(workshop, pairs)


def _table(workshop: Workshop) -> Ints:
    votes = np.zeros((workshop.n_votes, 4), np.int32)
    votes[:, 0] = workshop.turns
    return votes


def _by_exposure(workshop: Workshop, stream: PairStream) -> Ask:
    """A whole vote in one call of the kernel."""
    n_items, n_votes = workshop.n_items, workshop.n_votes
    blank = Board(n_items, levelled=workshop.sampler._levelled)
    items, fresh_items = blank.items.copy(), blank.items
    # One place a level, and room for an item shown every time.
    fresh_levels = np.full(n_votes + 5, n_items, np.int64) if len(blank.levels) > 1 else blank.levels
    fresh_levels[1:2] = 0
    levels = fresh_levels.copy()
    n_pairs = min(n_items * (n_items - 1) // 2, n_votes)
    table = empty_table(1 << (2 * n_pairs).bit_length())
    seen = np.zeros((workshop.n_voters, workshop.votes_each + 1), np.int64)
    votes = _table(workshop)
    options = np.append(workshop.sampler._options(stream), float(workshop.n_open))  # type: ignore[attr-defined]

    def ask(strengths: Floats, draws: Floats) -> Ints:
        items[:], levels[:], table[0], seen[:, 0] = fresh_items, fresh_levels, -1, 0
        exposure.run(items, levels, table, seen, strengths, draws, votes, options)
        return votes

    return ask


def _by_belief(workshop: Workshop, belief: WholeBelief) -> Ask:
    """Questions from one exact fit to the next in one call of the kernel; the fits are those of the stream."""
    n_items, n_votes, n_open = workshop.n_items, workshop.n_votes, workshop.n_open
    seen = np.zeros((workshop.n_voters, workshop.votes_each + 1), np.int64)
    votes = _table(workshop)
    prior = np.diag(np.full(n_items, belief.prior_sd**2))
    options = np.append(belief.options, [0.0, 0.0, n_open, 1.0])

    def ask(strengths: Floats, draws: Floats) -> Ints:
        seen[:, 0] = 0
        belief.forget(prior)
        row = n_counted = 0
        while row < n_votes:
            options[3], options[4] = row, min(n_votes, n_counted + n_open + belief.refit_every)
            row = gaussian.run(belief.posterior, belief.gains, belief.board, seen, strengths, draws, votes, options)
            n_answered = max(row - n_open, 0)
            batch.count_questions(votes, belief.table, n_items, n_counted, n_answered)
            n_counted = n_answered
            if row < n_votes:
                belief.refit()
                for _, left, right, _ in votes[n_answered:row].tolist():
                    belief.absorb(left, right)
        return votes

    return ask


def _one_by_one(workshop: Workshop, pairs: np.random.Generator) -> Ask:
    """Any strategy, question by question."""
    votes = _table(workshop)

    def ask(strengths: Floats, draws: Floats) -> Ints:
        rng = np.random.default_rng(int(pairs.integers(2**63)))
        stream = workshop.sampler.start(workshop.n_items, votes_each=workshop.votes_each, rng=rng)
        own = np.broadcast_to(strengths, (workshop.n_voters, workshop.n_items)).tolist()
        asked: list[tuple[int, int, int, int]] = []
        for (upper, lower, *reach), voter in zip(draws[:, UPPER:].tolist(), workshop.turns.tolist(), strict=True):
            left, right = stream.propose(voter)
            stream.reserve(voter, left, right)
            lead = own[voter][left] - own[voter][right]
            outcome = Outcome.LEFT if lead > upper else Outcome.RIGHT if lead < lower else Outcome.TIE
            if reach and abs(lead) < reach[0]:
                outcome = Outcome.SKIP
            asked.append((voter, left, right, int(outcome)))
            if len(asked) > workshop.n_open:
                stream.record(*asked[-1 - workshop.n_open][:3], Outcome(asked[-1 - workshop.n_open][3]))
        votes[:] = asked
        return votes

    return ask


def described(workshop: Workshop) -> str:
    """The size of a workshop in a few words."""
    return (
        f"{plural(workshop.n_items, 'item')}, {plural(workshop.n_voters, 'voter')} x {workshop.votes_each:,}, "
        f"{workshop.sampler!r}"
    )
