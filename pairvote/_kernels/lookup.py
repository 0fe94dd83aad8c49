# cython: language_level=3
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
# Labels that are copied at a time.
ROWS = 1024


def code_rows(columns: list, table: dict, codes: cython.int[:, ::1]) -> int:
    """The number of every label in `table`, to which new ones are added in the order in which rows first show them.

    columns: lists or tuples of labels, all of the length of codes.shape[1]. codes (n_columns, n_rows) is filled in. A
    label's own __hash__ or __eq__ may run anything, and another thread may write to a list, so what is read here are
    tuples of a few rows of each, which nobody can change. A copy of the whole would bring every label into the cache
    twice. Returns how many rows were read: fewer where a list has become shorter.
    """
    n_columns: cython.Py_ssize_t = codes.shape[0]
    n_rows: cython.Py_ssize_t = codes.shape[1]
    place: cython.Py_ssize_t
    row: cython.Py_ssize_t
    first: cython.Py_ssize_t = 0
    n_own: cython.Py_ssize_t
    column: tuple
    own: list
    if len(columns) != n_columns:
        raise ValueError("there are not as many columns as rows of codes")
    while first < n_rows:
        n_own = min(ROWS, n_rows - first)
        own = [tuple(labels[first : first + n_own]) for labels in columns]
        for place in range(n_columns):
            if len(own[place]) != n_own:
                return first
        for row in range(n_own):
            for place in range(n_columns):
                column = own[place]
                codes[place, first + row] = _code(table, column[row])
        first += n_own
    return n_rows


@cython.cfunc
@cython.inline
def _code(table: dict, label: object) -> cython.int:
    code: object = table.get(label)
    if code is None:
        # What is set by now, by a label whose __eq__ answers otherwise than before, stays as it is.
        code = table.setdefault(label, len(table))
    return cython.cast(cython.int, code)


def number_rows(
    first: cython.const[cython.longlong][::1],
    second: cython.const[cython.longlong][::1],
    low: cython.longlong,
    numbers: cython.int[::1],
    codes: cython.int[:, ::1],
    labels: cython.longlong[::1],
) -> int:
    """The same for integers from `low` on, few enough to have a place each; returns how many different ones there are.

    first, second (n_rows): two columns that share their numbers; the second may be empty. numbers: -1 for every integer
    up to the highest. codes (1 or 2, n_rows) and `labels` are filled in.
    """
    n_rows: cython.Py_ssize_t = first.shape[0]
    both: cython.bint = second.shape[0] > 0
    row: cython.Py_ssize_t
    place: cython.longlong
    count: cython.int = 0
    with cython.nogil:
        for row in range(n_rows):
            place = first[row] - low
            if numbers[place] < 0:
                numbers[place] = count
                labels[count] = first[row]
                count += 1
            codes[0, row] = numbers[place]
            if both:
                place = second[row] - low
                if numbers[place] < 0:
                    numbers[place] = count
                    labels[count] = second[row]
                    count += 1
                codes[1, row] = numbers[place]
    return count


def number_texts(
    offsets: cython.const[cython.int][::1],
    data: cython.const[cython.uchar][::1],
    slots: cython.longlong[::1],
    starts: cython.longlong[::1],
    store: cython.uchar[::1],
    n_texts: cython.int,
    most_texts: cython.int,
    codes: cython.int[::1],
) -> int:
    """The number of every text, those without one being numbered on from `n_texts` as they come; returns how many are.

    Once there are `most_texts`, a text without a number gets -1, and nothing is changed.

    The texts are data[offsets[i] : offsets[i + 1]]; the known ones store[starts[k] : starts[k + 1]], found by hash
    (Fowler, Noll and Vo's, 32 bits) in `slots`, a power of two of them: hash x 2^24 + number, or -1. There must be room
    for all texts in `starts` and `store`, and more slots than texts.
    """
    mask: cython.Py_ssize_t = slots.shape[0] - 1
    row: cython.Py_ssize_t
    begin: cython.Py_ssize_t
    length: cython.Py_ssize_t
    place: cython.Py_ssize_t
    first: cython.Py_ssize_t
    slot: cython.Py_ssize_t
    number: cython.int
    hashed: cython.longlong
    held: cython.longlong
    basis: cython.longlong = 2166136261
    low_bits: cython.longlong = 0xFFFFFFFF
    with cython.nogil:
        for row in range(codes.shape[0]):
            begin = offsets[row]
            length = offsets[row + 1] - begin
            hashed = basis
            for place in range(begin, begin + length):
                # Within 56 bits.
                hashed = ((hashed ^ data[place]) * 16777619) & low_bits
            slot = hashed & mask
            while True:
                held = slots[slot]
                if held < 0 and n_texts >= most_texts:
                    number = -1
                    break
                if held < 0:
                    number = n_texts
                    slots[slot] = (hashed << 24) | number
                    first = starts[number]
                    for place in range(length):
                        store[first + place] = data[begin + place]
                    starts[number + 1] = first + length
                    n_texts += 1
                    break
                if held >> 24 == hashed:
                    number = held & 0xFFFFFF
                    first = starts[number]
                    if starts[number + 1] - first == length:
                        place = 0
                        while place < length and store[first + place] == data[begin + place]:
                            place += 1
                        if place == length:
                            break
                slot = (slot + 1) & mask
            codes[row] = number
    return n_texts
