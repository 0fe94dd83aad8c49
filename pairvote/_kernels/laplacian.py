# cython: language_level=3, cdivision=True
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


def multiply_columns(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    vectors: cython.const[cython.double][:, ::1],
    products: cython.double[:, ::1],
    first_row: cython.Py_ssize_t,
) -> None:
    """As `multiply_laplacian`, for every column of `vectors` (n_items, n_columns) at once."""
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    n_columns: cython.Py_ssize_t = vectors.shape[1]
    row: cython.Py_ssize_t
    item: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    column: cython.Py_ssize_t
    j: cython.int
    flow: cython.double
    with cython.nogil:
        for row in range(n_rows):
            item = first_row + row
            for entry in range(start[row], start[row + 1]):
                j = second[entry]
                for column in range(n_columns):
                    flow = weights[entry] * (vectors[item, column] - vectors[j, column])
                    products[item, column] += flow
                    products[j, column] -= flow


def add_second_order(
    start: cython.const[cython.longlong][::1],
    second: cython.const[cython.int][::1],
    weights: cython.const[cython.double][::1],
    diagonal: cython.const[cython.double][::1],
    sums: cython.double[::1],
    first_row: cython.Py_ssize_t,
) -> None:
    """Add w_ij^2 / (d_i d_j) over each item's pairs to `sums` (n_items)."""
    n_rows: cython.Py_ssize_t = start.shape[0] - 1
    row: cython.Py_ssize_t
    item: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    j: cython.int
    term: cython.double
    with cython.nogil:
        for row in range(n_rows):
            item = first_row + row
            for entry in range(start[row], start[row + 1]):
                j = second[entry]
                term = weights[entry] / diagonal[item] * (weights[entry] / diagonal[j])
                sums[item] += term
                sums[j] += term


def invert_on_pattern(
    start: cython.const[cython.longlong][::1],
    rows: cython.const[cython.int][::1],
    lower: cython.const[cython.double][::1],
    pivots: cython.const[cython.double][::1],
    inverse: cython.double[::1],
    diagonal: cython.double[::1],
    places: cython.int[::1],
) -> None:
    """The diagonal of (L D L')^-1 by Takahashi's recursion, from the last column to the first.

    Column j of the unit factor L holds, below the diagonal, lower[start[j]] to lower[start[j + 1]] in sorted `rows`;
    D is `pivots`. `inverse` gets the inverse's entries on L's pattern. `places` (n) starts at -1 and is left so.
    """
    n_items: cython.Py_ssize_t = pivots.shape[0]
    column: cython.Py_ssize_t
    j: cython.Py_ssize_t
    entry: cython.Py_ssize_t
    other: cython.Py_ssize_t
    inner: cython.Py_ssize_t
    i: cython.Py_ssize_t
    k: cython.Py_ssize_t
    value: cython.double
    with cython.nogil:
        for column in range(n_items):
            j = n_items - 1 - column
            for entry in range(start[j], start[j + 1]):
                places[rows[entry]] = cython.cast(cython.int, entry - start[j])
                inverse[entry] = 0.0
            # Z_ij = -sum over k of Z_ik L_kj, each Z_ik of the pattern taken once for both of its ends.
            for entry in range(start[j], start[j + 1]):
                k = rows[entry]
                inverse[entry] -= diagonal[k] * lower[entry]
                for inner in range(start[k], start[k + 1]):
                    i = rows[inner]
                    if places[i] >= 0:
                        other = start[j] + places[i]
                        inverse[other] -= inverse[inner] * lower[entry]
                        inverse[entry] -= inverse[inner] * lower[other]
            value = 1.0 / pivots[j]
            for entry in range(start[j], start[j + 1]):
                value -= lower[entry] * inverse[entry]
                places[rows[entry]] = -1
            diagonal[j] = value
