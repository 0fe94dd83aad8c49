# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Sums over the pairs of each item, and products with the weighted graph Laplacian that they make.

Pairs stand in compressed rows: row i holds entries start[i] to start[i + 1], and `second` is the other item of each.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

COMPILED = cython.compiled


def add_differences(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    values: cython.const[cython.double][::1],
    sums: cython.double[::1],
) -> None:
    """Add each entry's value to the sum of its first item, and take it off that of its second."""
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    i: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    own: cython.double
    with cython.nogil:
        for i in range(n_items):
            own = 0.0
            for entry in range(start[i], start[i + 1]):
                own += values[entry]
                sums[second[entry]] -= values[entry]
            sums[i] += own


def fill_laplacian(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    matrix: cython.double[:, ::1],
) -> None:
    """Add the weighted graph Laplacian to the diagonal and the upper triangle of `matrix`."""
    n_items: cython.Py_ssize_t = start.shape[0] - 1
    i: cython.Py_ssize_t
    j: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    own: cython.double
    with cython.nogil:
        for i in range(n_items):
            own = 0.0
            for entry in range(start[i], start[i + 1]):
                j = second[entry]
                own += weights[entry]
                matrix[j, j] += weights[entry]
                if i < j:
                    matrix[i, j] -= weights[entry]
                else:
                    matrix[j, i] -= weights[entry]
            matrix[i, i] += own


def multiply_laplacian(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    vector: cython.const[cython.double][::1],
    product: cython.double[::1],
    first_row: cython.Py_ssize_t,
) -> None:
    """Add the weighted graph Laplacian times `vector` to `product`, over rows of which `first_row` is the first."""
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    row: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    j: cython.int
    own: cython.double
    flow: cython.double
    here: cython.double
    with cython.nogil:
        for row in range(n_rows):
            own = 0.0
            here = vector[first_row + row]
            for entry in range(start[row], start[row + 1]):
                j = second[entry]
                flow = weights[entry] * (here - vector[j])
                own += flow
                product[j] -= flow
            product[first_row + row] += own
