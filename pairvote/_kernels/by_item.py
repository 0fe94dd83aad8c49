# cython: language_level=3, cdivision=True
"""What votes say of each item: its totals, and which items they connect.

Outcome codes are 0 right, 1 tie, 2 left, 3 skip, so (2 - outcome) & 3 is the vote seen from the other side, and a skip
stays a skip.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

COMPILED = cython.compiled


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _add_rows(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    totals: cython.double[:, ::1],
) -> cython.void:
    """Add every vote to `totals`."""
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    seen: cython.int
    w: cython.double = 1.0
    for row in range(left.shape[0]):
        if weighted:
            w = weight[row]
        seen = outcome[row]
        totals[left[row], seen] += w
        totals[right[row], (2 - seen) & 3] += w


def add_to_items(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    totals: cython.double[:, ::1],
) -> None:
    """Add every vote to `totals` (n_items, 4): lost, tied, won, skipped; `weight` may be empty."""
    with cython.nogil:
        _add_rows(left, right, outcome, weight, totals)


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


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _root(parent: cython.int[::1], item: cython.int) -> cython.int:
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _joined(parent: cython.int[::1], one: cython.int, other: cython.int) -> cython.int:
    """Let two items have one root, the lower of theirs; return 1 where they had two, else 0."""
    one = _root(parent, one)
    other = _root(parent, other)
    if one < other:
        parent[other] = one
    elif other < one:
        parent[one] = other
    return one != other


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
    count: cython.int = 0
    with cython.nogil:
        for item in range(n_items):
            component[item] = item
        for edge in range(n_edges):
            _joined(component, left[edge], right[edge])
        # A root is the lowest item of its component, so every parent is numbered before its children.
        for item in range(n_items):
            if component[item] == item:
                component[item] = count
                count += 1
            else:
                component[item] = component[component[item]]
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _flatten(first: cython.int[::1]) -> cython.void:
    """Lead every item to the first of its component at once; a parent, being lower than its child, does already."""
    item: cython.Py_ssize_t
    for item in range(first.shape[0]):
        first[item] = first[first[item]]


def add_and_join(
    left: cython.const[cython.int][::1],
    right: cython.const[cython.int][::1],
    outcome: cython.const[cython.uchar][::1],
    weight: cython.const[cython.double][::1],
    totals: cython.double[:, ::1],
    first: cython.int[::1],
) -> None:
    """Add votes to `totals`, as `add_to_items` does, and join their items in `first`.

    `first` (n_items) holds the first item of each item's component; it starts as 0, 1, ... Skips and votes of weight 0
    join nothing. When all items that were asked about are joined, the other votes are passed over.
    """
    n_votes: cython.Py_ssize_t = left.shape[0]
    weighted: cython.bint = weight.shape[0] > 0
    row: cython.Py_ssize_t
    item: cython.Py_ssize_t
    n_apart: cython.Py_ssize_t = 0
    with cython.nogil:
        _add_rows(left, right, outcome, weight, totals)
        for item in range(first.shape[0]):
            n_apart += first[item] == item and totals[item, 0] + totals[item, 1] + totals[item, 2] > 0.0
        for row in range(n_votes):
            if n_apart <= 1:
                break
            if outcome[row] != 3 and not (weighted and weight[row] == 0.0):
                n_apart -= _joined(first, left[row], right[row])
        _flatten(first)


def join_pairs(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    first: cython.int[::1],
) -> None:
    """Join the items of each pair in compressed rows, as `add_and_join` does."""
    item: cython.int
    entry: cython.Py_ssize_t
    n_apart: cython.Py_ssize_t = 0
    with cython.nogil:
        for item in range(first.shape[0]):
            n_apart += first[item] == item
        for item in range(first.shape[0]):
            if n_apart <= 1:
                break
            for entry in range(start[item], start[item + 1]):
                n_apart -= _joined(first, item, second[entry])
        _flatten(first)
