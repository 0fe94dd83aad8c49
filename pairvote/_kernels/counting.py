# cython: language_level=3, cdivision=True
"""Votes added up by pair, and which items reach each other.

Outcome codes are 0 right, 1 tie, 2 left, 3 skip, so (2 - outcome) & 3 is the same vote seen from the
other side, and a skip stays a skip.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

COMPILED = cython.compiled


def count_sides(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    mode: cython.int,
    counts: cython.longlong[::1],
) -> None:
    """Add to `counts` (n_items) the votes but skips of each item, on the side that `mode` says (see `place_votes`)."""
    n_votes: cython.Py_ssize_t = left.shape[0]
    folded: cython.Py_ssize_t = mode & 1
    by_second: cython.Py_ssize_t = mode >> 1
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    swapped: cython.Py_ssize_t
    with cython.nogil:
        for row in range(n_votes):
            if outcome[row] == 3:
                continue
            i = left[row]
            j = right[row]
            swapped = folded and i > j
            counts[i + (swapped ^ by_second) * (j - i)] += 1


def place_votes(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    mode: cython.int,
    places: cython.longlong[::1],
    keys: cython.int[::1],
    weights: cython.double[::1],
) -> None:
    """Bring the votes but skips of each item together, in their order: one pass of a counting sort.

    The first item of a vote is the left one, or the lower one if `mode` has bit 1. They are brought together by it, or
    by the second item if `mode` has bit 2. `places` (n_items) says where each item's next vote goes, and is moved on.
    Leaves 4 x the other item + outcome as the first item sees it in `keys`, and unless `weight` is empty the vote's
    weight in `weights`.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    folded: cython.Py_ssize_t = mode & 1
    by_second: cython.Py_ssize_t = mode >> 1
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    item: cython.Py_ssize_t
    swapped: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    place: cython.longlong
    with cython.nogil:
        for row in range(n_votes):
            seen = outcome[row]
            if seen == 3:
                continue
            i = left[row]
            j = right[row]
            # No branch on who stands left: it would be mispredicted every other vote.
            swapped = folded and i > j
            item = i + (swapped ^ by_second) * (j - i)
            seen += swapped * (2 - 2 * seen)
            place = places[item]
            places[item] = place + 1
            keys[place] = cython.cast(cython.int, 4 * (i + j - item) + seen)
            if weighted:
                weights[place] = weight[row]


def count_keys(keys: cython.const[cython.int][::1], counts: cython.longlong[::1]) -> None:
    """Add to `counts` (n_items) how often each item is in `keys`."""
    n_keys: cython.Py_ssize_t = keys.shape[0]
    row: cython.Py_ssize_t
    with cython.nogil:
        for row in range(n_keys):
            counts[keys[row] >> 2] += 1


def place_keys(
    stops: cython.const[cython.longlong][::1],
    keys: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    first_row: cython.Py_ssize_t,
    places: cython.longlong[::1],
    placed: cython.int[::1],
    placed_weights: cython.double[::1],
) -> None:
    """Bring votes that stand by second item together by first item, in their order.

    Those of second item i, whose keys hold the first, end at stops[i]; the items before `first_row` are passed over.
    What is placed holds the second item; `places` is as for `place_votes`.
    """
    n_rows: cython.Py_ssize_t = stops.shape[0]
    weighted: cython.bint = weights.shape[0] > 0
    item: cython.Py_ssize_t
    row: cython.Py_ssize_t
    first: cython.Py_ssize_t
    place: cython.longlong
    with cython.nogil:
        row = stops[first_row - 1] if first_row > 0 else 0
        for item in range(first_row, n_rows):
            while row < stops[item]:
                first = keys[row] >> 2
                place = places[first]
                places[first] = place + 1
                placed[place] = cython.cast(cython.int, 4 * item + (keys[row] & 3))
                if weighted:
                    placed_weights[place] = weights[row]
                row += 1


def gather_rows(
    stops: cython.const[cython.longlong][::1],
    keys: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    folded: cython.bint,
    row_sums: cython.double[:, ::1],
    start: cython.longlong[::1],
    second: cython.int[::1],
    table: cython.double[:, ::1],
) -> int:
    """Add up each first item's votes over all second items, and keep those it met; return the number of pairs.

    For `keys` by first item, whose votes end at stops[i]; `folded` says that second items are higher. `row_sums`
    (n_items, 3) starts at zero and is left so.
    """
    n_items: cython.Py_ssize_t = stops.shape[0]
    weighted: cython.bint = weights.shape[0] > 0
    item: cython.Py_ssize_t
    other: cython.Py_ssize_t
    row: cython.Py_ssize_t = 0
    entry: cython.Py_ssize_t = 0
    w: cython.double = 1.0
    with cython.nogil:
        for item in range(n_items):
            start[item] = entry
            if row == stops[item]:
                continue
            while row < stops[item]:
                if weighted:
                    w = weights[row]
                row_sums[keys[row] >> 2, keys[row] & 3] += w
                row += 1
            for other in range(item + 1 if folded else 0, n_items):
                if row_sums[other, 0] + row_sums[other, 1] + row_sums[other, 2] > 0.0:
                    second[entry] = cython.cast(cython.int, other)
                    table[entry, 0] = row_sums[other, 0]
                    table[entry, 1] = row_sums[other, 1]
                    table[entry, 2] = row_sums[other, 2]
                    row_sums[other, 0] = 0.0
                    row_sums[other, 1] = 0.0
                    row_sums[other, 2] = 0.0
                    entry += 1
        start[n_items] = entry
    return entry


def count_runs(
    stops: cython.const[cython.longlong][::1],
    keys: cython.const[cython.int][::1],
    first_row: cython.Py_ssize_t,
    lengths: cython.longlong[::1],
) -> None:
    """Fill `lengths` (n_items) with the number of pairs of each first item, from `first_row` on, in sorted `keys`."""
    n_rows: cython.Py_ssize_t = stops.shape[0]
    item: cython.Py_ssize_t
    row: cython.Py_ssize_t
    runs: cython.Py_ssize_t
    current: cython.int
    with cython.nogil:
        row = stops[first_row - 1] if first_row > 0 else 0
        for item in range(first_row, n_rows):
            current = -1
            runs = 0
            while row < stops[item]:
                runs += (keys[row] >> 2) != current
                current = keys[row] >> 2
                row += 1
            lengths[item] = runs


def gather_runs(
    stops: cython.const[cython.longlong][::1],
    keys: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    first_row: cython.Py_ssize_t,
    start: cython.const[cython.longlong][::1],
    second: cython.int[::1],
    table: cython.double[:, ::1],
) -> None:
    """Add up the runs of equal pairs in sorted `keys` from `first_row` on into compressed rows; `table` starts at 0."""
    n_rows: cython.Py_ssize_t = stops.shape[0]
    weighted: cython.bint = weights.shape[0] > 0
    item: cython.Py_ssize_t
    row: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    current: cython.int
    w: cython.double = 1.0
    with cython.nogil:
        row = stops[first_row - 1] if first_row > 0 else 0
        for item in range(first_row, n_rows):
            current = -1
            entry = start[item] - 1
            while row < stops[item]:
                if (keys[row] >> 2) != current:
                    current = keys[row] >> 2
                    entry += 1
                    second[entry] = current
                if weighted:
                    w = weights[row]
                table[entry, keys[row] & 3] += w
                row += 1


def transpose_lower(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    places: cython.longlong[::1],
    turned_second: cython.int[::1],
    turned_table: cython.double[:, ::1],
) -> None:
    """Bring each pair whose second item is lower to that item's row, seen from there.

    `places` (n_items) says where each row's next pair goes, and is moved on.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    item: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    place: cython.longlong
    with cython.nogil:
        for item in range(n_items):
            for entry in range(start[item], start[item + 1]):
                if second[entry] > item:
                    break
                place = places[second[entry]]
                places[second[entry]] = place + 1
                turned_second[place] = cython.cast(cython.int, item)
                turned_table[place, 0] = table[entry, 2]
                turned_table[place, 1] = table[entry, 1]
                turned_table[place, 2] = table[entry, 0]


def merge_rows(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    other_start: cython.longlong[::1],
    other_second: cython.const[cython.int][::1],
    other_table: cython.const[cython.double][:, ::1],
    merged_second: cython.int[::1],
    merged_table: cython.double[:, ::1],
) -> None:
    """Add up two sets of compressed rows; `other_start` is left at the starts of the merged ones."""
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    item: cython.Py_ssize_t
    outcome: cython.Py_ssize_t
    one: cython.Py_ssize_t
    other: cython.Py_ssize_t = 0
    stop: cython.Py_ssize_t
    other_stop: cython.Py_ssize_t
    entry: cython.Py_ssize_t = 0
    with cython.nogil:
        for item in range(n_items):
            one = start[item]
            stop = start[item + 1]
            other_stop = other_start[item + 1]
            other_start[item] = entry
            while one < stop or other < other_stop:
                if other == other_stop or (one < stop and second[one] < other_second[other]):
                    merged_second[entry] = second[one]
                    for outcome in range(3):
                        merged_table[entry, outcome] = table[one, outcome]
                    one += 1
                elif one == stop or other_second[other] < second[one]:
                    merged_second[entry] = other_second[other]
                    for outcome in range(3):
                        merged_table[entry, outcome] = other_table[other, outcome]
                    other += 1
                else:
                    merged_second[entry] = second[one]
                    for outcome in range(3):
                        merged_table[entry, outcome] = table[one, outcome] + other_table[other, outcome]
                    one += 1
                    other += 1
                entry += 1
        other_start[n_items] = entry


def reach_all(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    most_sweeps: cython.int,
    above: cython.int[::1],
    below: cython.int[::1],
) -> bool:
    """Whether every item can be reached from the first, and the first from it, from items to those they beat or tied.

    `above` and `below` (n_items), which start at zero, get 1 for items that reach the first, or are reached. Where most
    items met, a few rows are enough. False may also mean that `most_sweeps` over all rows were too few to tell.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    missing: cython.Py_ssize_t = 2 * n_items - 2
    before: cython.Py_ssize_t
    sweep: cython.int
    with cython.nogil:
        above[0] = 1
        below[0] = 1
        for sweep in range(most_sweeps):  # noqa: B007
            before = missing
            for i in range(n_items):
                for entry in range(start[i], start[i + 1]):
                    j = second[entry]
                    if table[entry, 1] + table[entry, 2] > 0.0:
                        if below[i] > below[j]:
                            below[j] = 1
                            missing -= 1
                        if above[j] > above[i]:
                            above[i] = 1
                            missing -= 1
                    if table[entry, 1] + table[entry, 0] > 0.0:
                        if below[j] > below[i]:
                            below[i] = 1
                            missing -= 1
                        if above[i] > above[j]:
                            above[j] = 1
                            missing -= 1
                if missing == 0:
                    break
            if missing == before or missing == 0:  # noqa: PLR1714
                break
    return missing == 0
