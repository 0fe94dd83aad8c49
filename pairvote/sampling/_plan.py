"""A whole vote's questions planned ahead: `plan_ballots`.

Who is asked about which pairs is the work of `_design`; which pairs come once more than others, of `_connectivity`;
the order of a voter's questions and who stands on the left are settled here.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError
from pairvote.sampling._connectivity import FEW_ITEMS, MOST_ITEMS, algebraic_connectivity, well_connected
from pairvote.sampling._design import design, others

Ints = NDArray[np.int64]
MOST_QUESTIONS = 10**7
# Exchanges tried for each two questions in a row on one item.
TRIES = 30


def plan_ballots(
    *,
    n_items: int,
    n_voters: int,
    votes_each: int = 20,
    rng: Rng = None,
) -> NDArray[np.int32]:
    """All questions of a vote planned ahead, such as for a workshop that votes on paper.

    For any numbers, with N = n_items (n_items - 1) / 2 pairs:

    - how often any two items are asked about differs by at most 1, and so does how often any two pairs are;
    - no voter is asked about a pair twice, or where votes_each > N, not before having been asked about all pairs;
    - no voter is asked about an item twice where 2 votes_each <= n_items; elsewhere, how often a voter is asked about
      any two items differs by at most 1;
    - every item is on the left as often as on the right within 1, over all voters and for each voter; where no voter
      is asked about an item twice, every pair is shown both ways round equally often within 1 too;
    - the comparison graph is in as few pieces as so many questions allow: one, from n_items - 1 of them on. Which pairs
      come once more than others is chosen for a high algebraic connectivity, the best of some random choices.

    A voter's questions come in random order, exchanged so that seldom two in a row share an item.

    Parameters
    ----------
    n_items : int
        2 or more.
    n_voters : int
        1 or more.
    votes_each : int
        Questions for each voter, 1 or more; 20 by default.
    rng : None, int or numpy.random.Generator
        The source of randomness; the same seed gives the same plan.

    Returns
    -------
    array of int32, shape (n_voters, votes_each, 2)
        Item codes, from 0: ``[voter, question]`` is the item on the left and the one on the right. Read-only.

    Raises
    ------
    InputError
        If a number is not whole or too small, or if there would be more than ten million questions.

    References
    ----------
    Alspach (2008), "The wonderful Walecki construction", Bulletin of the ICA 52: the Hamilton cycles that the questions
    are cut from where n_items is odd, and runs of pairs without a common item.

    Fiedler (1973), "Algebraic connectivity of graphs", Czechoslovak Mathematical Journal 23.

    Examples
    --------
    The Kalmar workshop: each of the 23 proposals is asked about 52 or 53 times.

    >>> import numpy as np
    >>> import pairvote as pv
    >>> ballots = pv.sampling.plan_ballots(n_items=23, n_voters=30, votes_each=20, rng=2014)
    >>> ballots.shape
    (30, 20, 2)
    >>> sorted(set(np.bincount(ballots.ravel()).tolist()))
    [52, 53]
    """
    rng = generator(rng)
    for name, value, least in (("n_items", n_items, 2), ("n_voters", n_voters, 1), ("votes_each", votes_each, 1)):
        if not is_whole(value) or value < least:
            raise wrong_option(name, value, f"pass a whole number from {least}")
    if n_items > MAX_ITEMS:
        raise InputError(f"n_items is {shorten(n_items)}; there can be at most {MAX_ITEMS:,}, so plan for fewer")
    n_items, n_voters, votes_each = int(n_items), int(n_voters), int(votes_each)
    if n_voters * votes_each > MOST_QUESTIONS:
        raise InputError(
            f"n_voters is {shorten(n_voters)} and votes_each is {shorten(votes_each)}, more than {MOST_QUESTIONS:,} "
            "questions",
            option="n_voters",
            value=n_voters,
            remedy="plan for groups of voters, one at a time",
        )
    n_pairs = n_items * (n_items - 1) // 2
    n_rounds, n_rest = divmod(votes_each, n_pairs)
    few = min(n_rest, n_pairs - n_rest)
    rest = design(n_items, n_voters, few, rng)
    rest = well_connected(rest, n_items, others=n_rest > few, rng=rng)
    if n_rest > few:
        rest = others(rest, n_items)
    rest = rng.permutation(n_items)[rest]
    blocks = [rest]
    if n_rounds:
        everything = np.stack(np.triu_indices(n_items, 1), axis=1)
        blocks = [np.broadcast_to(everything, (n_voters, n_pairs, 2))] * n_rounds + blocks
    questions = np.concatenate([_shuffled(block, rng) for block in blocks], axis=1)
    if n_items >= 5:
        _part(questions, n_pairs, rng)
    ballots = _with_sides(questions, rng)
    ballots.flags.writeable = False
    return ballots


def _shuffled(block: Ints, rng: np.random.Generator) -> Ints:
    """Each voter's questions in random order."""
    order = rng.permuted(np.broadcast_to(np.arange(block.shape[1]), block.shape[:2]), axis=1)
    return np.take_along_axis(block, order[:, :, None], axis=1)


def _part(questions: Ints, n_pairs: int, rng: np.random.Generator) -> None:
    """Exchange questions of a voter, within a round of all pairs, to part such as follow one on the same item."""
    before, after = questions[:, :-1], questions[:, 1:]
    follows = (before[..., :, None] == after[..., None, :]).any(axis=(2, 3))
    for voter in np.flatnonzero(follows.any(axis=1)).tolist():
        row = questions[voter].tolist()
        for _ in range(TRIES):
            clashes = [place for place in range(1, len(row)) if _clashes(row, place)]
            if not clashes:
                break
            for place, number in zip(clashes, rng.random(len(clashes)).tolist(), strict=True):
                first = place // n_pairs * n_pairs
                other = first + int(number * min(n_pairs, len(row) - first))
                spots = {place, place + 1, other, other + 1}
                n_before = sum(_clashes(row, spot) for spot in spots)
                row[place], row[other] = row[other], row[place]
                if sum(_clashes(row, spot) for spot in spots) >= n_before:
                    row[place], row[other] = row[other], row[place]
        questions[voter] = row


def _clashes(row: list[list[int]], place: int) -> bool:
    """Whether the question at a place has an item of the one before it."""
    if not 0 < place < len(row):
        return False
    (a, b), (c, d) = row[place - 1], row[place]
    return a in (c, d) or b in (c, d)


def _with_sides(questions: Ints, rng: np.random.Generator) -> NDArray[np.int32]:
    """The questions with each item left as often as right.

    A question has two ends, one for each item. Of two ends of an item that are mates, one shall be left and the other
    right. An end has one mate at most, so questions hang together in trails, each of which is followed from one end and
    has one side to choose: Euler's argument. Ends find mates first with the same voter, then with the same opponent,
    and then wherever one is left.
    """
    n_voters, votes_each, _ = questions.shape
    item = questions.ravel()
    end = np.arange(len(item))
    voter = end // (2 * votes_each)
    mate = np.full(len(item), -1)
    for within in (voter, item[end ^ 1], np.zeros_like(item)):
        free = rng.permutation(np.flatnonzero(mate < 0))
        free = free[np.lexsort([within[free], item[free]])]
        alike = (item[free[1:]] == item[free[:-1]]) & (within[free[1:]] == within[free[:-1]])
        first = np.flatnonzero(np.concatenate([[True], ~alike])) if len(free) else free
        place = np.arange(len(free)) - np.repeat(first, np.diff(first, append=len(free)))
        one = np.flatnonzero(alike & (place[:-1] % 2 == 0))
        mate[free[one]], mate[free[one + 1]] = free[one + 1], free[one]
    left = _left_ends(mate.tolist(), (rng.random(len(item) // 2) < 0.5).tolist())
    ends = np.stack([left, left ^ 1], axis=1)
    return item[ends].reshape(n_voters, votes_each, 2).astype(np.int32)


def _left_ends(mate: list[int], coins: list[bool]) -> Ints:
    """Which end of each question is left: ends 2q and 2q + 1 are those of question q, and -1 is no mate."""
    left = [-1] * len(coins)
    lone = [end for end, other in enumerate(mate) if other < 0]
    for start in chain(lone, range(0, len(mate), 2)):
        end, coin = start, coins[start >> 1]
        while end >= 0 and left[end >> 1] < 0:
            left[end >> 1] = end if coin else end ^ 1
            end = mate[end ^ 1]
    return np.array(left, np.int64)


def describe_plan(ballots: NDArray[np.integer], n_items: int, rng: Rng = None) -> str:
    """What a plan holds to, counted in it, and its connectivity beside that of pairs drawn at random; a few lines."""
    rng = generator(rng)
    n_voters, votes_each, _ = ballots.shape
    n_pairs = n_items * (n_items - 1) // 2
    ends = ballots.reshape(-1, 2).astype(np.int64)
    lefts, rights = (np.bincount(ends[:, side], minlength=n_items) for side in (0, 1))
    pair = ends.min(axis=1) * n_items + ends.max(axis=1)
    voter = np.repeat(np.arange(n_voters), votes_each)
    lines = [
        f"{plural(len(ends), 'question')}: {plural(n_voters, 'voter')}, {votes_each:,} each",
        f"{plural(n_items, 'item')}, each asked about {_times(lefts + rights, n_items)}, "
        f"by one voter {_times(_counts(np.repeat(voter, 2), ends.ravel()), n_voters * n_items)}; "
        f"left and right differ by at most {np.abs(lefts - rights).max()}",
        f"{plural(n_pairs, 'pair')}, each asked about {_times(_counts(pair), n_pairs)}, "
        f"by one voter {_times(_counts(voter, pair), n_voters * n_pairs)}",
    ]
    if n_items > MOST_ITEMS:
        lines.append(f"algebraic connectivity is computed for up to {MOST_ITEMS:,} items only")
    else:
        n_designs = 20 if n_items <= FEW_ITEMS else 5
        ours = algebraic_connectivity(ends[:, 0], ends[:, 1], n_items)
        drawn = sum(_random_connectivity(len(ends), n_items, rng) for _ in range(n_designs)) / n_designs
        lines.append(
            f"algebraic connectivity {_short(ours)}, and {_short(drawn)} where pairs are drawn at random "
            f"(the mean of {n_designs} such designs)"
        )
    return "\n".join(lines)


def _random_connectivity(n_questions: int, n_items: int, rng: np.random.Generator) -> float:
    left = rng.integers(n_items, size=n_questions)
    right = (left + rng.integers(1, n_items, size=n_questions)) % n_items
    return algebraic_connectivity(left, right, n_items)


def _counts(*columns: Ints) -> Ints:
    """How often each row comes, of those that do."""
    order = np.lexsort(columns)
    new = np.any([np.diff(column[order], prepend=-1) != 0 for column in columns], axis=0)
    return np.diff(np.flatnonzero(new), append=len(order))


def _times(counts: Ints, n_possible: int) -> str:
    """The range of some counts, which is from 0 where not all that are possible are among them."""
    low, high = int(counts.min()) if len(counts) == n_possible else 0, int(counts.max())
    return plural(high, "time") if low == high else f"{low:,} to {high:,} times"


def _short(number: float) -> str:
    return f"{float(f'{number:.3g}'):,.12g}"
