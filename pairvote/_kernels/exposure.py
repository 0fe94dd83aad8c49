# cython: language_level=3, cdivision=True
# cython: infer_types=True
"""Which pair to ask next by how often items and pairs were shown; `pairvote.sampling._exposure` states the rules.

items (13, n_items), by rows: 0 how often each item was shown; 1 how often on the left, less on the right; 2 the items
that may be asked about, by how often they were shown, and 3 each one's place there; 4 the same items, ascending, and
5 each one's place there, n_items where it may not be asked about; 6 twice its wins and once its ties; 7 its answers;
8 to 11 scratch, of which 8 and 9 zero; 12 what row 6 has beyond a whole number, in parts of 2^-24. levels: how many
items may be asked about, and at 1 + c the first place in row 2 of those shown c times or more; nothing but the first
number for rules that need no such order. pairs (2, 2^x): an open-addressed table of pairs and how often each was shown,
-1 where empty. A pair is one integer, the higher item times 2^24 plus the lower. seen: a row for each voter, how many
pairs this voter was shown, then the pairs, sorted, each as many times as it was shown.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

if cython.compiled:
    from cython.cimports.libc.math import ceil, fabs, floor, pow, sqrt
else:
    from math import ceil, fabs, floor, pow, sqrt

COMPILED = cython.compiled


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _slot(pairs: cython.longlong[:, ::1], pair: cython.longlong) -> cython.Py_ssize_t:
    """Where a pair stands in the table, or would."""
    mask: cython.longlong = pairs.shape[1] - 1
    high = pair >> 24
    low = pair & 16777215
    # The pair's number where the table is as long, so that among few items none is in another's place.
    slot: cython.longlong = high * (high - 1) // 2 + low
    if slot > mask:
        # Products of 24-bit numbers with these stay within 47 bits.
        slot = high * 7_368_787 + low * 4_256_249
        slot = (slot ^ (slot >> 13)) & mask
    while pairs[0, slot] != pair and pairs[0, slot] >= 0:
        slot = (slot + 1) & mask
    return slot


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def times_shown(pairs: cython.longlong[:, ::1], i: cython.Py_ssize_t, j: cython.Py_ssize_t) -> cython.longlong:
    slot: cython.Py_ssize_t = _slot(pairs, (max(i, j) << 24) + min(i, j))
    return pairs[1, slot] if pairs[0, slot] >= 0 else 0


def rehash(pairs: cython.const[cython.longlong][:, ::1], larger: cython.longlong[:, ::1]) -> None:
    """Move every pair with its count to a larger table, which is empty."""
    with cython.nogil:
        for row in range(pairs.shape[1]):
            if pairs[0, row] >= 0:
                slot = _slot(larger, pairs[0, row])
                larger[0, slot] = pairs[0, row]
                larger[1, slot] = pairs[1, row]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _exchange(items: cython.int[:, ::1], place: cython.Py_ssize_t, other: cython.Py_ssize_t) -> cython.void:
    here: cython.int = items[2, place]
    there: cython.int = items[2, other]
    items[2, place] = there
    items[2, other] = here
    items[3, there] = cython.cast(cython.int, place)
    items[3, here] = cython.cast(cython.int, other)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _count_item(
    items: cython.int[:, ::1], levels: cython.longlong[::1], item: cython.Py_ssize_t, step: cython.int
) -> cython.void:
    """An item was shown once more, or once less: it goes to the edge of its level, and the edge past it."""
    level: cython.Py_ssize_t = items[0, item]
    if levels.shape[0] > 1 and items[5, item] < levels[0]:
        if step > 0:
            _exchange(items, items[3, item], levels[2 + level] - 1)
            levels[2 + level] -= 1
        else:
            _exchange(items, items[3, item], levels[1 + level])
            levels[1 + level] += 1
    items[0, item] += step


@cython.ccall
@cython.nogil
@cython.exceptval(check=False)
def show(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    left: cython.Py_ssize_t,
    right: cython.Py_ssize_t,
    step: cython.int,
) -> cython.int:
    """Count a question, for which there must be room, as asked (step 1) or not (-1); whether its pair is a new one."""
    pair: cython.longlong = (max(left, right) << 24) + min(left, right)
    new: cython.int = 0
    _count_item(items, levels, left, step)
    _count_item(items, levels, right, step)
    items[1, left] += step
    items[1, right] -= step
    place = _slot(pairs, pair)
    if pairs[0, place] < 0:
        pairs[0, place] = pair
        pairs[1, place] = 0
        new = 1
    pairs[1, place] += step
    if step > 0:
        place = seen[voter, 0] + 1
        while place > 1 and seen[voter, place - 1] > pair:
            seen[voter, place] = seen[voter, place - 1]
            place -= 1
        seen[voter, place] = pair
    else:
        place = 1
        while seen[voter, place] != pair:
            place += 1
        while place < seen[voter, 0]:
            seen[voter, place] = seen[voter, place + 1]
            place += 1
    seen[voter, 0] += step
    return new


def answer(
    items: cython.int[:, ::1],
    left: cython.Py_ssize_t,
    right: cython.Py_ssize_t,
    share: cython.longlong,
    step: cython.int,
) -> None:
    """Count an answer (step 1), or take it back (-1): `share` is twice what the left side won, in parts of 2^-24."""
    total: cython.longlong
    item: cython.Py_ssize_t
    for item in (left, right):
        total = items[6, item] * cython.cast(cython.longlong, 16777216) + items[12, item] + step * share
        items[6, item] = cython.cast(cython.int, total >> 24)
        items[12, item] = cython.cast(cython.int, total & 16777215)
        items[7, item] += step
        share = 33554432 - share


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _larger_of_pair(number: cython.longlong) -> cython.longlong:
    """The x of number = x (x - 1) / 2 + y, 0 <= y < x."""
    x: cython.longlong = cython.cast(cython.longlong, floor(0.5 + sqrt(0.25 + 2.0 * number)))
    while x * (x - 1) // 2 > number:
        x -= 1
    while x * (x + 1) // 2 <= number:
        x += 1
    return x


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_active(items: cython.int[:, ::1], levels: cython.longlong[::1], pair: cython.longlong) -> cython.bint:
    # Of an item that may not be asked about the place is past all.
    return max(items[5, pair >> 24], items[5, pair & 16777215]) < levels[0]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _n_beyond(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    times: cython.Py_ssize_t,
) -> cython.longlong:
    """How many of the pairs that may be asked about this voter was shown more than `times` times."""
    same: cython.Py_ssize_t = 0
    n_beyond: cython.longlong = 0
    for own in range(1, seen[voter, 0] + 1):
        # What stands before the first pair is a count, less than any pair.
        same = same + 1 if seen[voter, own] == seen[voter, own - 1] else 1
        if same == times + 1 and _is_active(items, levels, seen[voter, own]):
            n_beyond += 1
    return n_beyond


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _least_times(
    items: cython.int[:, ::1], levels: cython.longlong[::1], seen: cython.longlong[:, ::1], voter: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """How often this voter was shown the pair shown least often, of those that may be asked about."""
    n_pairs: cython.longlong = levels[0] * (levels[0] - 1) // 2
    times: cython.Py_ssize_t = 0
    while seen[voter, 0] >= n_pairs * (times + 1) and _n_beyond(items, levels, seen, voter, times) == n_pairs:
        times += 1
    return times


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _uniform(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    uniform: cython.double,
) -> cython.longlong:
    """Any pair alike of those that this voter was shown least often."""
    n_pairs: cython.longlong = levels[0] * (levels[0] - 1) // 2
    times: cython.Py_ssize_t = _least_times(items, levels, seen, voter)
    same: cython.Py_ssize_t = 0
    # The places of items ascend with the items, so those of the pairs ascend with the pairs.
    number: cython.longlong = cython.cast(
        cython.longlong, uniform * (n_pairs - _n_beyond(items, levels, seen, voter, times))
    )
    for own in range(1, seen[voter, 0] + 1):
        same = same + 1 if seen[voter, own] == seen[voter, own - 1] else 1
        if same == times + 1 and _is_active(items, levels, seen[voter, own]):
            high = items[5, seen[voter, own] >> 24]
            number += ((high * (high - 1)) >> 1) + items[5, seen[voter, own] & 16777215] <= number
    high = _larger_of_pair(number)
    low = number - high * (high - 1) // 2
    return (cython.cast(cython.longlong, items[4, high]) << 24) + items[4, low]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _mark(
    items: cython.int[:, ::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    times: cython.Py_ssize_t,
    item: cython.Py_ssize_t,
    mark: cython.int,
) -> cython.void:
    """Mark the items that were shown to this voter with `item` more than `times` times."""
    same: cython.Py_ssize_t = 0
    for own in range(1, seen[voter, 0] + 1):
        high = seen[voter, own] >> 24
        low = seen[voter, own] & 16777215
        same = same + 1 if seen[voter, own] == seen[voter, own - 1] else 1
        if (high == item or low == item) and same == times + 1:  # noqa: PLR1714
            items[8, high + low - item] = mark


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _partner(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    item: cython.Py_ssize_t,
    most: cython.int,
    by_score: cython.bint,
    uniform: cython.double,
) -> cython.Py_ssize_t:
    """Of the unmarked items of the lowest level that has any, the one shown with `item` least often; -1 without any.

    By score, of these the nearest in (wins + 1) / (answers + 2). Of a large level 64 items, from a random one, count.
    """
    place: cython.Py_ssize_t = 0
    spot: cython.Py_ssize_t = 0
    n_tried: cython.Py_ssize_t = 0
    n_equal: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = 0
    offset: cython.Py_ssize_t = 0
    fewest: cython.longlong = 0
    gap: cython.double = 0.0
    score: cython.double = 0.0
    nearest: cython.double = 0.0
    own: cython.double = (items[6, item] + items[12, item] / 16777216.0 + 2.0) / (2.0 * items[7, item] + 4.0)
    while place < levels[0] and n_tried < 64 and n_equal == 0:
        stop = levels[2 + items[0, items[2, place]]]
        size = stop - place
        offset = cython.cast(cython.Py_ssize_t, uniform * size)
        spot = place + offset
        for _ in range(min(size, 64)):
            other = items[2, spot]
            spot = spot + 1 if spot + 1 < stop else place
            n_tried += 1
            if other == item or items[8, other] != 0 or items[9, other] >= most:
                continue
            times = times_shown(pairs, item, other)
            if by_score:
                score = (items[6, other] + items[12, other] / 16777216.0 + 2.0) / (2.0 * items[7, other] + 4.0)
                gap = fabs(score - own)
            if n_equal == 0 or times < fewest or (times == fewest and gap < nearest):
                n_equal = 0
                fewest = times
                nearest = gap
            # Kept only if it counts, without a branch to mispredict.
            items[10, n_equal] = cython.cast(cython.int, other)
            n_equal += times == fewest and gap == nearest
        place = stop
    if n_equal == 0:
        return -1
    # What is left of the uniform after the offset is uniform again.
    uniform = uniform * size - offset
    return items[10, cython.cast(cython.Py_ssize_t, uniform * n_equal)]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _level(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    draws: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    options: cython.const[cython.double][::1],
) -> cython.longlong:
    times: cython.Py_ssize_t = _least_times(items, levels, seen, voter)
    most: cython.int = cython.cast(cython.int, ceil(2.0 * options[1] / levels[0]) + 1.0)
    first: cython.double = draws[row, 0]
    place: cython.Py_ssize_t = 0
    n_tried: cython.Py_ssize_t = 0
    other: cython.Py_ssize_t = -1
    choice: cython.longlong = -1
    for step in range(1, seen[voter, 0] + 1):
        items[9, seen[voter, step] >> 24] += 1
        items[9, seen[voter, step] & 16777215] += 1
    while choice < 0 and place < levels[0] and n_tried < 64:
        size = levels[2 + items[0, items[2, place]]] - place
        n_left = min(size, 64)
        offset = cython.cast(cython.Py_ssize_t, first * size)
        first = first * size - offset
        offset += place
        n_tried += n_left
        for step in range(n_left):
            items[11, step] = items[2, offset]
            offset = offset + 1 if offset + 1 < place + size else place
        while choice < 0 and n_left > 0:
            # A random one of those not tried yet; what is left of the uniform is uniform again.
            picked = cython.cast(cython.Py_ssize_t, first * n_left)
            first = first * n_left - picked
            item = items[11, picked]
            n_left -= 1
            items[11, picked] = items[11, n_left]
            if items[9, item] < most:
                _mark(items, seen, voter, times, item, 1)
                other = _partner(items, levels, pairs, item, most, options[0] == 2.0, draws[row, 1])
                _mark(items, seen, voter, times, item, 0)
                if other >= 0:
                    choice = (cython.cast(cython.longlong, max(item, other)) << 24) + min(item, other)
        place += size
        if choice < 0 and most < 2147483647 and (place >= levels[0] or n_tried >= 64):
            # Nothing is left but to weary the voter of an item.
            most = 2147483647
            place = 0
            n_tried = 0
    for step in range(1, seen[voter, 0] + 1):
        items[9, seen[voter, step] >> 24] -= 1
        items[9, seen[voter, step] & 16777215] -= 1
    return choice if choice >= 0 else _uniform(items, levels, seen, voter, first)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _catch_up(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    draws: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    options: cython.const[cython.double][::1],
) -> cython.longlong:
    high: cython.longlong
    low: cython.longlong
    n_pairs: cython.longlong = levels[0] * (levels[0] - 1) // 2
    n_looked_at: cython.longlong = min(n_pairs, 512)
    stride: cython.longlong = 1 + cython.cast(cython.longlong, draws[row, 1] * ((n_pairs - 1) // 512))
    number: cython.longlong = cython.cast(cython.longlong, draws[row, 0] * n_pairs)
    times: cython.Py_ssize_t = _least_times(items, levels, seen, voter)
    same: cython.Py_ssize_t = 0
    total: cython.double = 0.0
    target: cython.double = 0.0
    chosen: cython.longlong = -1
    # What this voter may not be shown is marked in the table: its count less than zero.
    for turn in range(2):
        same = 0
        for own in range(1, seen[voter, 0] + 1):
            same = same + 1 if seen[voter, own] == seen[voter, own - 1] else 1
            if same == times + 1:
                slot = _slot(pairs, seen[voter, own])
                pairs[1, slot] = -1 - pairs[1, slot]
        if turn == 1:
            break
        # Once for the sum of the weights, once to find where the third uniform's share of it lies.
        for step in range(2 * n_looked_at):
            high = _larger_of_pair((number + (step % n_looked_at) * stride) % n_pairs)
            low = items[4, (number + (step % n_looked_at) * stride) % n_pairs - high * (high - 1) // 2]
            high = items[4, high]
            if step == n_looked_at:
                target = draws[row, 2] * total
            shown = times_shown(pairs, high, low)
            if shown < 0:
                continue
            if step < n_looked_at:
                total += min(pow(shown + 1.0, -options[2]), options[3])
            else:
                target -= min(pow(shown + 1.0, -options[2]), options[3])
                chosen = (high << 24) + low
                if target < 0.0:
                    break
    return chosen if chosen >= 0 else _uniform(items, levels, seen, voter, draws[row, 0])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _choose(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    seen: cython.longlong[:, ::1],
    voter: cython.Py_ssize_t,
    draws: cython.const[cython.double][:, ::1],
    row: cython.Py_ssize_t,
    options: cython.const[cython.double][::1],
) -> cython.longlong:
    if options[0] == 0.0:
        return _uniform(items, levels, seen, voter, draws[row, 0])
    if options[0] == 3.0:
        return _catch_up(items, levels, pairs, seen, voter, draws, row, options)
    return _level(items, levels, pairs, seen, voter, draws, row, options)


def choose(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    seen: cython.longlong[:, ::1],
    draws: cython.const[cython.double][:, ::1],
    options: cython.const[cython.double][::1],
) -> int:
    """The pair to ask the voter of the only row of `seen`, of those that this voter was shown least often.

    draws (1, 3): uniforms. options: the rule, then votes_each, and for catching up the exponent and the cap. Rules:

    - 0, uniform: any pair alike.
    - 1, level: a least-shown item, and of the least-shown others the one shown with it least often. No item is taken
      that this voter was shown ceil(2 votes_each / n) + 1 times, unless there is no other pair.
    - 2, the same, and of these others the one nearest in score.
    - 3, catch up: a pair with a chance in proportion to min((c + 1)^-exponent, cap), c being how often it was shown to
      anybody; where there are more than 512 pairs, of 512 evenly spaced ones from a random one on.
    """
    return _choose(items, levels, pairs, seen, 0, draws, 0, options)


def run(
    items: cython.int[:, ::1],
    levels: cython.longlong[::1],
    pairs: cython.longlong[:, ::1],
    seen: cython.longlong[:, ::1],
    strengths: cython.const[cython.double][:, ::1],
    draws: cython.const[cython.double][:, ::1],
    votes: cython.int[:, ::1],
    options: cython.const[cython.double][::1],
) -> None:
    """Ask and answer all questions of a simulated vote; pairs and levels must have room.

    strengths: one row for each voter, or one for all. draws (n_questions, 6 or 7): three uniforms for the choice, one
    for the side, the left's lead above which the left is picked and that below which the right is, else it is a tie;
    and perhaps the lead of either below which it is skipped. votes (n_questions, 4): whose turn it is; filled in with
    left, right and outcome. options: as in `choose`, then how many others are open when a question is answered.
    """
    may_skip: cython.bint = draws.shape[1] > 6
    n_open: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, options[4])
    one_for_all: cython.bint = strengths.shape[0] == 1
    pair: cython.longlong
    swapped: cython.longlong
    ahead: cython.int
    with cython.nogil:
        for row in range(votes.shape[0]):
            voter = votes[row, 0]
            pair = _choose(items, levels, pairs, seen, voter, draws, row, options)
            i = pair >> 24
            j = pair & 16777215
            # No branch on sides and outcomes: they would be mispredicted every other question.
            swapped = (items[1, i] > items[1, j]) + (items[1, i] == items[1, j]) * (draws[row, 3] < 0.5)
            i += swapped * (j - i)
            j = (pair >> 24) + (pair & 16777215) - i
            show(items, levels, pairs, seen, voter, i, j, 1)
            lead = strengths[0 if one_for_all else voter, i] - strengths[0 if one_for_all else voter, j]
            votes[row, 1] = cython.cast(cython.int, i)
            votes[row, 2] = cython.cast(cython.int, j)
            ahead = lead > draws[row, 4]
            votes[row, 3] = 2 * ahead + (1 - ahead) * (lead >= draws[row, 5])
            if may_skip and fabs(lead) < draws[row, 6]:
                votes[row, 3] = 3
            answered = row - n_open
            if answered >= 0 and votes[answered, 3] != 3:
                items[6, votes[answered, 1]] += votes[answered, 3]
                items[6, votes[answered, 2]] += 2 - votes[answered, 3]
                items[7, votes[answered, 1]] += 1
                items[7, votes[answered, 2]] += 1
