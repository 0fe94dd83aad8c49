# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Votes added up: per item, per pair, and the components of the comparison graph.

Outcome codes are 0 right, 1 tie, 2 left, 3 skip, so (2 - outcome) & 3 is the same vote seen from the
other side, and a skip stays a skip.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

COMPILED = cython.compiled


def add_to_items(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    totals: cython.double[:, ::1],
) -> None:
    """Add every vote to `totals` (n_items, 4): lost, tied, won, skipped; `weight` may be empty."""
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    seen: cython.int
    w: cython.double = 1.0
    with cython.nogil:
        for row in range(n_votes):
            if weighted:
                w = weight[row]
            seen = outcome[row]
            totals[left[row], seen] += w
            totals[right[row], (2 - seen) & 3] += w


def add_pairs_to_items(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    table: cython.const[cython.double][:, ::1],
    totals: cython.double[:, ::1],
) -> None:
    """Add every pair's votes to `totals` (n_items, 4): lost, tied, won; what is skipped is left alone."""
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    item: cython.Py_ssize_t
    other: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    lost: cython.double
    tied: cython.double
    won: cython.double
    with cython.nogil:
        for item in range(n_items):
            lost = 0.0
            tied = 0.0
            won = 0.0
            for entry in range(start[item], start[item + 1]):
                other = second[entry]
                lost += table[entry, 0]
                tied += table[entry, 1]
                won += table[entry, 2]
                totals[other, 0] += table[entry, 2]
                totals[other, 1] += table[entry, 1]
                totals[other, 2] += table[entry, 0]
            totals[item, 0] += lost
            totals[item, 1] += tied
            totals[item, 2] += won


def bucket_by_first(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    triangle: cython.bint,
    stops: cython.longlong[::1],
    keys: cython.int[::1],
    weights: cython.double[::1],
) -> None:
    """Bring the votes but skips of each first item together, by one counting sort.

    Leaves 4 x second item + outcome of each vote in `keys`, its weight in `weights` (unless `weight` is
    empty), and in `stops` (n_items), which starts at zero, where each first item's votes end. Under `triangle`
    the lower item of a pair is the first.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    n_items: cython.Py_ssize_t = stops.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    first: cython.Py_ssize_t
    item: cython.Py_ssize_t
    swapped: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    place: cython.longlong = 0
    count: cython.longlong
    with cython.nogil:
        for row in range(n_votes):
            if outcome[row] == 3:
                continue
            i = left[row]
            j = right[row]
            swapped = triangle and i > j
            stops[i + swapped * (j - i)] += 1
        for item in range(n_items):
            count = stops[item]
            stops[item] = place
            place += count
        for row in range(n_votes):
            seen = outcome[row]
            if seen == 3:
                continue
            i = left[row]
            j = right[row]
            # No branch on who stands left: it would be mispredicted every other vote.
            swapped = triangle and i > j
            first = i + swapped * (j - i)
            seen += swapped * (2 - 2 * seen)
            place = stops[first]
            stops[first] = place + 1
            keys[place] = cython.cast(cython.int, 4 * (i + j - first) + seen)
            if weighted:
                weights[place] = weight[row]


def gather_rows(
    stops: cython.const[cython.longlong][::1],
    keys: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    row_sums: cython.double[:, ::1],
    start: cython.longlong[::1],
    second: cython.int[::1],
    table: cython.double[:, ::1],
) -> int:
    """Add up each first item's votes over all second items, and keep those it met; return the number of pairs.

    For bucketed `keys`. `row_sums` (n_items, 3) starts at zero and is left so.
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
            for other in range(n_items):
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


def sort_by_pair(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    triangle: cython.bint,
    stops: cython.longlong[:, ::1],
    keys: cython.int[:, ::1],
    weights: cython.double[:, ::1],
) -> None:
    """Sort votes but skips by pair with two counting sorts, by second item and then by first.

    Leaves 4 x second item + outcome of each vote in keys[1] (`keys` is (2, n_votes)), its weight in
    weights[1] (unless `weight` is empty), and in stops[0] where each first item's votes end; `stops`
    (2, n_items) starts at zero. Under `triangle` the lower item of a pair is the first.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    n_items: cython.Py_ssize_t = stops.shape[1]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    first: cython.Py_ssize_t
    item: cython.Py_ssize_t
    swapped: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    place: cython.longlong
    before_first: cython.longlong = 0
    before_second: cython.longlong = 0
    count: cython.longlong
    with cython.nogil:
        for row in range(n_votes):
            if outcome[row] == 3:
                continue
            i = left[row]
            j = right[row]
            swapped = triangle and i > j
            first = i + swapped * (j - i)
            stops[0, first] += 1
            stops[1, i + j - first] += 1
        for item in range(n_items):
            count = stops[0, item]
            stops[0, item] = before_first
            before_first += count
            count = stops[1, item]
            stops[1, item] = before_second
            before_second += count
        for row in range(n_votes):
            seen = outcome[row]
            if seen == 3:
                continue
            i = left[row]
            j = right[row]
            swapped = triangle and i > j
            first = i + swapped * (j - i)
            seen += swapped * (2 - 2 * seen)
            place = stops[1, i + j - first]
            stops[1, i + j - first] = place + 1
            keys[0, place] = cython.cast(cython.int, 4 * first + seen)
            if weighted:
                weights[0, place] = weight[row]
        row = 0
        for item in range(n_items):
            while row < stops[1, item]:
                first = keys[0, row] >> 2
                place = stops[0, first]
                stops[0, first] = place + 1
                keys[1, place] = cython.cast(cython.int, 4 * item + (keys[0, row] & 3))
                if weighted:
                    weights[1, place] = weights[0, row]
                row += 1


def count_runs(stops: cython.const[cython.longlong][::1], keys: cython.const[cython.int][::1]) -> int:
    """The number of distinct pairs among sorted `keys`, those of first item i ending at stops[i]."""
    n_items: cython.Py_ssize_t = stops.shape[0]
    item: cython.Py_ssize_t
    row: cython.Py_ssize_t = 0
    runs: cython.Py_ssize_t = 0
    current: cython.int
    with cython.nogil:
        for item in range(n_items):
            current = -1
            while row < stops[item]:
                runs += (keys[row] >> 2) != current
                current = keys[row] >> 2
                row += 1
    return runs


def gather_runs(
    stops: cython.const[cython.longlong][::1],
    keys: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    start: cython.longlong[::1],
    second: cython.int[::1],
    table: cython.double[:, ::1],
) -> None:
    """Add up the runs of equal pairs in sorted `keys` into compressed rows; `table` starts at zero."""
    n_items: cython.Py_ssize_t = stops.shape[0]
    weighted: cython.bint = weights.shape[0] > 0
    item: cython.Py_ssize_t
    row: cython.Py_ssize_t = 0
    entry: cython.Py_ssize_t = -1
    current: cython.int
    w: cython.double = 1.0
    with cython.nogil:
        for item in range(n_items):
            current = -1
            while row < stops[item]:
                if (keys[row] >> 2) != current:
                    current = keys[row] >> 2
                    entry += 1
                    second[entry] = current
                if weighted:
                    w = weights[row]
                table[entry, keys[row] & 3] += w
                row += 1
            start[item + 1] = entry + 1


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _root(parent: cython.int[::1], item: cython.int) -> cython.int:
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


def join_components(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    component: cython.int[::1],
) -> int:
    """Number the connected components 0, 1, ... by their first item into `component`; return how many."""
    n_edges: cython.Py_ssize_t = left.shape[0]
    n_items: cython.Py_ssize_t = component.shape[0]
    edge: cython.Py_ssize_t
    item: cython.int
    a: cython.int
    b: cython.int
    count: cython.int = 0
    with cython.nogil:
        for item in range(n_items):
            component[item] = item
        for edge in range(n_edges):
            a = _root(component, left[edge])
            b = _root(component, right[edge])
            if a < b:
                component[b] = a
            elif b < a:
                component[a] = b
        # A root is the lowest item of its component, so every parent is numbered before its children.
        for item in range(n_items):
            if component[item] == item:
                component[item] = count
                count += 1
            else:
                component[item] = component[component[item]]
    return count
