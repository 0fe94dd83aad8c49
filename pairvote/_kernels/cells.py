# cython: language_level=3, cdivision=True
"""Votes added up in a cell for every pair and outcome that there could be, for few items.

Outcome codes are 0 right, 1 tie, 2 left, 3 skip, so (2 - outcome) & 3 is the same vote seen from the
other side, and a skip stays a skip.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

COMPILED = cython.compiled


def tabulate(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    left_places: cython.const[cython.int][::1],
    right_places: cython.const[cython.int][::1],
    outcome_places: cython.const[cython.int][::1],
    table: cython.double[::1],
) -> None:
    """Add every vote to its cell of `table`, which is at the sum of the places of its three codes.

    `weight` may be empty.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    row: cython.Py_ssize_t
    cell: cython.Py_ssize_t
    with cython.nogil:
        if weight.shape[0] > 0:
            for row in range(n_votes):
                cell = left_places[left[row]] + right_places[right[row]] + outcome_places[outcome[row]]
                table[cell] += weight[row]
        else:
            for row in range(n_votes):
                cell = left_places[left[row]] + right_places[right[row]] + outcome_places[outcome[row]]
                table[cell] += 1.0


def tabulate_folded(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    low_places: cython.const[cython.int][::1],
    high_places: cython.const[cython.int][::1],
    table: cython.double[::1],
) -> None:
    """The same with sides forgotten: the places are those of the lower and the higher code, the outcome as the lower's.

    The outcome is seen from the lower item's side, and is the last part of the cell's place.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    seen: cython.Py_ssize_t
    swapped: cython.Py_ssize_t
    w: cython.double = 1.0
    with cython.nogil:
        for row in range(n_votes):
            if weighted:
                w = weight[row]
            i = left[row]
            j = right[row]
            seen = outcome[row]
            # No branch on who stands left: it would be mispredicted every other vote.
            swapped = i > j
            seen += swapped * (((2 - seen) & 3) - seen)
            table[low_places[i + swapped * (j - i)] + high_places[j + swapped * (i - j)] + seen] += w


def gather_cells(
    table: cython.const[cython.double][::1],
    folded: cython.bint,
    start: cython.longlong[::1],
    second: cython.int[::1],
    pairs: cython.double[:, ::1],
    skipped: cython.double[::1],
) -> int:
    """Keep the pairs that met, of cells for every pair and outcome in order; return how many there are.

    `folded` says that there are cells only for pairs whose second item is higher. Skips are added to both items'.
    """
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    item: cython.Py_ssize_t
    other: cython.Py_ssize_t
    cell: cython.Py_ssize_t = 0
    entry: cython.Py_ssize_t = 0
    with cython.nogil:
        for item in range(n_items):
            start[item] = entry
            for other in range(item + 1 if folded else 0, n_items):
                if table[cell] + table[cell + 1] + table[cell + 2] > 0.0:
                    second[entry] = cython.cast(cython.int, other)
                    pairs[entry, 0] = table[cell]
                    pairs[entry, 1] = table[cell + 1]
                    pairs[entry, 2] = table[cell + 2]
                    entry += 1
                skipped[item] += table[cell + 3]
                skipped[other] += table[cell + 3]
                cell += 4
        start[n_items] = entry
    return entry
