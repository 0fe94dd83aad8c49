# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Labels and their numbers.

`code_rows` is the one kernel that handles objects, so it holds the interpreter: of a million labels most of the time
went into calling the dictionary's method and turning its answers into an array.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from pairvote._kernels import _shim as cython

COMPILED = cython.compiled


def code_rows(columns: list, table: dict, codes: cython.int[:, ::1]) -> None:
    """The number of every label in `table`, to which new ones are added in the order in which rows first show them.

    columns: lists of labels, all of the length of codes.shape[1]. codes (n_columns, n_rows) is filled in.
    """
    n_columns: cython.Py_ssize_t = codes.shape[0]
    n_rows: cython.Py_ssize_t = codes.shape[1]
    place: cython.Py_ssize_t
    row: cython.Py_ssize_t
    column: list
    if n_columns == 1:
        column = columns[0]
        for row in range(n_rows):
            codes[0, row] = _code(table, column[row])
        return
    for row in range(n_rows):
        for place in range(n_columns):
            column = columns[place]
            codes[place, row] = _code(table, column[row])


@cython.cfunc
@cython.inline
def _code(table: dict, label: object) -> cython.int:
    code: object = table.get(label)
    if code is None:
        code = len(table)
        table[label] = code
    return cython.cast(cython.int, code)


def number_rows(
    columns: cython.const[cython.longlong][:, ::1],
    low: cython.longlong,
    numbers: cython.int[::1],
    codes: cython.int[:, ::1],
    labels: cython.longlong[::1],
) -> int:
    """The same for integers from `low` on, few enough to have a place each; returns how many different ones there are.

    columns (n_columns, n_rows). numbers: -1 for every integer up to the highest. codes, of the shape of `columns`, and
    `labels` are filled in.
    """
    n_columns: cython.Py_ssize_t = columns.shape[0]
    n_rows: cython.Py_ssize_t = columns.shape[1]
    column: cython.Py_ssize_t
    row: cython.Py_ssize_t
    place: cython.longlong
    count: cython.int = 0
    with cython.nogil:
        for row in range(n_rows):
            for column in range(n_columns):
                place = columns[column, row] - low
                if numbers[place] < 0:
                    numbers[place] = count
                    labels[count] = columns[column, row]
                    count += 1
                codes[column, row] = numbers[place]
    return count
