"""Which voter is asked about which pairs: the combinatorial part of `plan_ballots`, exact for all numbers.

Call pairs *level* if the numbers of them that any two items are in differ by at most 1. The complete graph on n items
falls into *units* that all items are in equally often: for even n the n - 1 rounds of a round robin (perfect matchings,
n/2 pairs), for odd n the (n - 1)/2 Hamilton cycles of Walecki (n pairs). Unit t is unit 0 turned by t places, and the
pairs of a unit stand in such an order that

(a) any run of consecutive pairs of a unit is level;
(b) the last a pairs of unit t and the first b of unit t + 1 are level together, for all a and b below the size u of a
    unit, except with a + b = u, and for odd n with a + b = n + (n-1)/2 or n + (n+1)/2.

For even n, counted from 0, pair j > 0 of unit t is {i + j, i - j} modulo n - 1, and pair 0 is {n - 1, i}, with i = -t.
So the first b pairs cover an arc around i and the last a an arc around the opposite point. With a + b < u the arcs of
neighbouring units are disjoint, and with a + b > u what is left out of the two units is two such disjoint arcs. For odd
n, pairs 0 to (n-3)/2 are {i - j, i + 1 + j} modulo n - 1, and the others {i + s, i - s} for s = 1, 2, ..., after
{n - 1, i} and before {n - 1, i + (n-1)/2}: every other edge along the cycle, so that half a cycle's run is a matching;
(b) follows from arcs again.

Level pairs stay level with a unit added, and the complement of level pairs is level. So a voter's pairs are one run of
the units 0, 1, 2, ... (modulo their number: the pairs come round again) and whole units that the run does not touch,
and all voters' runs follow each other without a gap. The last may leave a unit unfinished, which is level by (a).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def design(n_items: int, n_voters: int, n_pairs: int, rng: np.random.Generator) -> Ints:
    """Pairs for every voter: int64, shape (n_voters, n_pairs, 2), for up to half of all pairs.

    No voter has a pair twice; each voter's pairs are level, so are those of all voters together; and how many voters
    have a pair differs by at most 1 between any two pairs.
    """
    size, n_units = _units(n_items)
    n_whole, n_over = divmod(n_pairs, size)
    if n_whole == 0 or n_over == 0:
        return _pairs_at(np.arange(n_voters * n_pairs), n_items).reshape(n_voters, n_pairs, 2)
    # Long runs share no unit but with the runs beside them, which leaves most choice for the whole units. They are too
    # long for a single cycle beside them, so there runs within a cycle may be needed; one of the two always serves.
    for within in (False, True):
        starts = _starts(n_items, n_voters, n_over, within)
        lengths = np.diff(starts)
        touched = _touched(starts, size, n_units)
        demand = _demand(starts, touched, n_voters * n_pairs, size)
        whole = _whole_units((n_pairs - lengths) // size, touched, demand, rng)
        if whole is not None:
            break
    else:
        raise RuntimeError(f"no design of {n_pairs} pairs each for {n_voters} voters and {n_items} items was found")
    voter, unit = np.nonzero(whole)
    owner = np.concatenate([np.repeat(np.arange(n_voters), lengths), np.repeat(voter, size)])
    position = np.concatenate([np.arange(starts[-1]), (unit[:, None] * size + np.arange(size)).ravel()])
    order = np.argsort(owner, kind="stable")
    return _pairs_at(position[order], n_items).reshape(n_voters, n_pairs, 2)


def others(pairs: Ints, n_items: int) -> Ints:
    """The pairs that each voter does not have: int64, shape (n_voters, n (n - 1)/2 - n_pairs, 2)."""
    first, second = np.triu_indices(n_items, 1)
    low, high = pairs.min(axis=2), pairs.max(axis=2)
    left_out = np.ones((len(pairs), len(first)), bool)
    np.put_along_axis(left_out, low * (2 * n_items - low - 1) // 2 + high - low - 1, False, axis=1)
    number = np.nonzero(left_out)[1].reshape(len(pairs), -1)
    return np.stack([first[number], second[number]], axis=2)


def _units(n_items: int) -> tuple[int, int]:
    """How many pairs a unit has, and how many units there are."""
    return (n_items, (n_items - 1) // 2) if n_items % 2 else (n_items // 2, n_items - 1)


def _pairs_at(position: Ints, n_items: int) -> Ints:
    """The pairs at these places of the units 0, 1, 2, ..., one after the other: int64, shape (..., 2)."""
    size, _ = _units(n_items)
    last = n_items - 1
    unit, place = np.divmod(position, size)
    pole = -unit % last
    if n_items % 2 == 0:
        first = np.where(place == 0, last, (pole + place) % last)
        second = (pole - place) % last
    else:
        step = place - last // 2
        first = np.where(step < 0, pole - place, pole + step) % last
        first[step == 0] = last
        second = np.where(step < 0, pole + 1 + place, pole - step) % last
        second[step == last // 2] = last
    return np.stack([first, second], axis=-1)


def _starts(n_items: int, n_voters: int, n_over: int, within: bool) -> Ints:
    """Where each voter's run begins, and where the last ends: (n_voters + 1,).

    A run has `n_over` pairs more than no unit or one: as long as needed to end in another unit than it begins in,
    unless it is to stay within.
    """
    size, _ = _units(n_items)
    # The sums that (b) excepts for odd n.
    within = within or (n_items % 2 == 1 and 2 * n_over in (n_items - 1, n_items + 1))
    starts = np.zeros(n_voters + 1, np.int64)
    for voter in range(n_voters):
        to_go = size - starts[voter] % size
        starts[voter + 1] = starts[voter] + n_over + (size if to_go > n_over and not within else 0)
    return starts


def _touched(starts: Ints, size: int, n_units: int) -> NDArray[np.bool_]:
    """Which units each voter's run is in: (n_voters, n_units)."""
    touched = np.zeros((len(starts) - 1, n_units), bool)
    voters = np.arange(len(touched))
    touched[voters, starts[:-1] // size % n_units] = True
    touched[voters, (starts[1:] - 1) // size % n_units] = True
    return touched


def _demand(starts: Ints, touched: NDArray[np.bool_], n_questions: int, size: int) -> Ints:
    """How many voters must have each unit as a whole, for all pairs to come equally often within 1: (n_units,)."""
    n_units = touched.shape[1]
    in_runs = -(-int(starts[-1]) // size)
    each, n_more = divmod(-(-n_questions // size), n_units)
    run_through = np.bincount(np.arange(in_runs) % n_units, minlength=n_units)
    # The unit left unfinished is one of those that come once more. So are those that runs alone go through so often;
    # the rest are such as few runs are in, since these can go to most voters.
    needed = run_through > each
    needed[(in_runs - 1) % n_units] |= starts[-1] % size > 0
    once_more = np.lexsort([touched.sum(axis=0), ~needed])[:n_more]
    demand = each - run_through
    demand[once_more] += 1
    return demand


def _whole_units(
    wanted: Ints, touched: NDArray[np.bool_], demand: Ints, rng: np.random.Generator
) -> NDArray[np.bool_] | None:
    """Give each voter as many units as wanted and none touched, each unit as often as demanded; None if impossible.

    The most demanded first, then by augmenting paths (Kuhn 1955): whoever is short takes a unit from a voter who can
    take another one instead.
    """
    given = np.zeros(touched.shape, bool)
    left = demand.copy()
    for voter, number in enumerate(wanted.tolist()):
        eager = np.where(touched[voter] | (left <= 0), -1.0, left + rng.random(len(left)))
        chosen = np.argsort(-eager)[:number]
        chosen = chosen[eager[chosen] >= 0]
        given[voter, chosen] = True
        left[chosen] -= 1
    for voter in np.repeat(np.arange(len(wanted)), wanted - given.sum(axis=1)).tolist():
        if not _augment(voter, given, touched, left):
            return None
    return given


def _augment(voter: int, given: NDArray[np.bool_], touched: NDArray[np.bool_], left: Ints) -> bool:
    """Give one more unit to the voter; whether that can be done."""
    # For each unit found the voter who would take it, for each voter found the unit that another would take.
    taker: dict[int, int] = {}
    loss: dict[int, int] = {voter: -1}
    waiting = [voter]
    for one in waiting:
        for unit in np.flatnonzero(~(given[one] | touched[one])).tolist():
            if unit in taker:
                continue
            taker[unit] = one
            if left[unit] > 0:
                left[unit] -= 1
                while unit >= 0:
                    one = taker[unit]  # noqa: PLW2901
                    given[one, unit] = True
                    unit = loss[one]  # noqa: PLW2901
                    if unit >= 0:
                        given[one, unit] = False
                return True
            for owner in np.flatnonzero(given[:, unit]).tolist():
                if owner not in loss:
                    loss[owner] = unit
                    waiting.append(owner)
    return False
