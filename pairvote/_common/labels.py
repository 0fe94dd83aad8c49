"""Labels to codes and back.

A column of labels is coded on its own (`Coded`), then columns that share a set of labels are brought
to one numbering, in the order in which the labels are first seen, row by row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pairvote._common.coded import Coded
from pairvote._common.frames import series_column
from pairvote._common.messages import Locate, row_number, shorten, wrong_entry
from pairvote._kernels import lookup
from pairvote.errors import InputError, PairvoteError

Codes = NDArray[np.int32]
MAX_ITEMS = 2**24
# What is no list, and most common.
PLAIN = frozenset({int, float, str, bool, type(None)})
# So many integers of 64 bits stay in a fast cache while they are checked.
BLOCK = 2**16
UNSIGNED = {4: np.uint32, 8: np.uint64}


# Labels, integers, or codes, each but a list in memory of its own that nobody else can change.
Column = list[Any] | tuple[Any, ...] | NDArray[np.integer[Any]] | Coded


class Checked(NamedTuple):
    """A copy of codes; the largest of them; and the first that is out of bounds, with its row, or None."""

    codes: NDArray[Any]
    highest: int
    stray: tuple[int, int] | None


def checked_copy(values: NDArray[Any], dtype: DTypeLike, low: int, bound: int) -> Checked:
    """A copy of integers, all of which should lie between `low` and `bound` - 1.

    Somebody may be writing to the array, so each block of it is copied first, and the copy is checked.
    """
    wide = values.dtype.newbyteorder("=") if values.dtype.itemsize >= 4 else np.dtype(np.int32)
    # Seen as unsigned, a negative number is larger than any other: where 0 is the least, one look is enough.
    unsigned = UNSIGNED[wide.itemsize] if low == 0 else wide
    n_rows, highest = len(values), low - 1
    if 0 < n_rows <= BLOCK:
        block = values.astype(wide)
        highest = int(np.maximum.reduce(block.view(unsigned)))
        if highest < bound and (low == 0 or int(np.minimum.reduce(block)) >= low):
            return Checked(block.astype(dtype, copy=False), highest, None)
    codes = np.empty(n_rows, dtype)
    for first in range(0, n_rows, BLOCK):
        block = values[first : first + BLOCK].astype(wide)
        highest = max(highest, int(np.maximum.reduce(block.view(unsigned))))
        if highest >= bound or (low and int(np.minimum.reduce(block)) < low):
            row = first_row((block < low) | (block >= bound))
            return Checked(codes, highest, (first + row, int(block[row])))
        codes[first : first + BLOCK] = block
    return Checked(codes, highest, None)


def is_missing(label: object) -> bool:
    """Whether a label is None, NaN, NaT or another library's mark for a missing value."""
    if label is None:
        return True
    if isinstance(label, (str, int, tuple)):
        return False
    try:
        return bool(label != label)  # noqa: PLR0124
    except Exception:
        # Whatever a label's own method raises.
        return type(label).__name__ == "NAType"


class Refusing:
    """In a ``with`` block, InputError for whatever a user's own objects raise there."""

    def __init__(self, what: str, doing: str, *passed: type[Exception]) -> None:
        self._what, self._doing = what, doing
        self._passed: tuple[type[Exception], ...] = (PairvoteError, MemoryError, *passed)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, self._passed):
            raise InputError(f"{self._what} raises {shorten(error)} when it is {self._doing}") from error


def reading(name: str) -> Refusing:
    """InputError for what a column raises while it is read."""
    return Refusing(name, "read; pass a list or an array that nothing changes meanwhile")


def comparing() -> Refusing:
    """InputError for what a label's own __hash__ or __eq__ raises, except TypeError where it has no hash."""
    return Refusing("a label", "hashed or compared; use strings, numbers or tuples as labels", TypeError)


def own_values(values: Any, name: str) -> Any:
    """Lists as lists of their own, those inside them too; anything else as it is.

    While numpy makes an array of a list, an entry's __float__ or __array__ may change the list.
    """
    if isinstance(values, np.ndarray):
        return values
    with reading(name):
        return _own_list(values) if _is_list(type(values)) else values


def _is_list(kind: type) -> bool:
    return issubclass(kind, Sequence) and not issubclass(kind, (str, bytes, range, memoryview))


def _own_list(values: Iterable[Any]) -> list[Any]:
    own = list(values)
    if any(map(_is_list, set(map(type, own)) - PLAIN)):
        return [_own_list(value) if _is_list(type(value)) else value for value in own]
    return own


def as_array(values: ArrayLike, name: str, *, copy: bool = True) -> NDArray[Any]:
    """A user's values as an array of their own; without `copy` perhaps a view, to be copied before it is checked."""
    if type(values) is np.ndarray:
        # A view has a shape and a type of its own, which others cannot change in place.
        return values.copy() if copy else values[...]
    own = own_values(values, name)
    try:
        array = np.asarray(own)
        masked = isinstance(values, np.ndarray) and hasattr(values, "mask") and bool(np.any(values.mask))
    except MemoryError:
        raise
    except Exception as error:
        # Whatever a user's own __array__ or __float__ raises.
        raise InputError(f"{name} cannot be made an array ({error}); pass a flat list or array") from None
    # np.asarray takes off the mask of a masked array, and so would bring back what it hides.
    if masked:
        raise InputError(f"{name} has masked entries; fill them in, or leave out their rows")
    # A view has a shape and a type of its own, which others cannot change in place.
    return array.copy() if copy and own is values else array[...]


def first_row(mask: NDArray[np.bool_]) -> int:
    """The first row at which `mask` holds; it must hold somewhere."""
    return int(np.argmax(mask))


def as_column(values: object, name: str) -> Column:
    """A copy of a user's column: a tuple, an array of integers of 64 bits, or codes where it has them already.

    A list comes back as it is: whoever reads it copies it first, `look_up` a few rows at a time.
    """
    if isinstance(values, Coded):
        return checked_coded(values, name)
    if type(values) is list:
        return values
    if isinstance(values, (list, tuple)):
        with reading(name):
            return tuple(values)
    if isinstance(values, (str, bytes, Mapping, Set)) or not isinstance(values, Iterable):
        raise InputError(f"{name} is {shorten(values)}; pass a list, an array or a column with one entry a vote")
    if not isinstance(values, np.ndarray):
        with reading(name):
            series = series_column(values, name)
            if series is None:
                return tuple(values)
        return as_column(series, name)
    shown = values[...]
    if shown.ndim != 1:
        raise InputError(f"{name} has shape {shown.shape}; pass a one-dimensional array with one entry a vote")
    if shown.dtype.kind in "iu" and not hasattr(shown, "mask"):
        return shown.astype(np.uint64 if shown.dtype.kind == "u" and shown.itemsize == 8 else np.int64)
    # tolist() would make bare integers of times in nanoseconds.
    return tuple(shown if shown.dtype.kind in "mM" else shown.tolist())


def checked_coded(column: Coded, name: str) -> Coded:
    """A column of codes, all of which must be those of labels, or -1 for missing. Whoever coded it made the arrays."""
    codes, n_labels = column.codes, len(column.labels)
    if len(codes) and not (int(codes.min()) >= -1 and int(codes.max()) < n_labels):
        row = first_row((codes < -1) | (codes >= n_labels))
        raise InputError(
            f"{name} at row {row} has the code {codes[row]}, and its categories have codes from 0 to {n_labels - 1}; "
            "make the column anew from its labels"
        )
    return column


def _code_integers(values: NDArray[Any]) -> Coded:
    numbered = _number([values])
    if numbered is not None:
        return Coded(numbered[0][0], numbered[1])
    labels, codes = np.unique(values, return_inverse=True)
    return Coded(codes.astype(np.int32), labels.tolist())


def _number(columns: Sequence[NDArray[np.integer[Any]]]) -> tuple[NDArray[np.int32], list[int]] | None:
    """Codes and labels of integers, as rows first show them; None where they lie too far apart for a table.

    The columns must be copies that nobody else can change.
    """
    n_rows = len(columns[0])
    low, high = (min(int(c.min()) for c in columns), max(int(c.max()) for c in columns)) if n_rows else (0, 0)
    if high - low >= 4 * n_rows + 1000 or high >= 2**63:
        return None
    first, second = (*(column.view(np.int64) for column in columns), np.empty(0, np.int64))[:2]
    codes, labels = np.empty((len(columns), n_rows), np.int32), np.empty(high - low + 1, np.int64)
    n_labels = lookup.number_rows(first, second, low, np.full(high - low + 1, -1, np.int32), codes, labels)
    return codes, labels[:n_labels].tolist()


def code_column(values: Column, name: str, locate: Locate = row_number) -> Coded:
    """Code one column by itself; missing values become -1."""
    if isinstance(values, Coded):
        return values
    if isinstance(values, np.ndarray):
        return _code_integers(values)
    table: dict[Hashable, int] = {}
    try:
        (codes,) = look_up(table, [values])
    except TypeError as error:
        refuse_unhashable(values, name, locate)
        raise InputError(
            f"the labels of {name} cannot be told apart ({error}); use strings, numbers or tuples"
        ) from error
    missing = [code for label, code in table.items() if is_missing(label)]
    if missing:
        codes[np.isin(codes, missing)] = -1
    return Coded(codes, tuple(table))


def look_up(table: dict[Hashable, int], columns: Sequence[Sequence[Any]]) -> NDArray[np.int32]:
    """The code of every label of columns of one length: int32, shape (n_columns, n_rows).

    `table` gets the new ones, in the order in which the rows first show them. TypeError where one is not hashable.
    """
    n_columns, n_rows = len(columns), len(columns[0])
    with comparing():
        if lookup.COMPILED:
            codes = np.empty((n_columns, n_rows), np.int32)
            if lookup.code_rows(list(columns), table, codes) < n_rows:
                raise _changed_meanwhile()
            return codes
        columns = [tuple(column) for column in columns]
        if {len(column) for column in columns} != {n_rows}:
            raise _changed_meanwhile()
        # What the kernel does, by the quickest means that the interpreter has.
        growing = defaultdict(count(len(table)).__next__, table)
        labels = columns[0] if n_columns == 1 else chain.from_iterable(zip(*columns, strict=True))
        flat = np.fromiter(map(growing.__getitem__, labels), np.int32, count=n_columns * n_rows)
        table.update(growing)
    if int(flat.max(initial=-1)) >= len(table):
        raise InputError(
            "a label equals others at one time and not at another; use strings, numbers or tuples as labels"
        )
    return np.ascontiguousarray(flat.reshape(n_rows, n_columns).T)


def _changed_meanwhile() -> InputError:
    return InputError("a list of labels has become shorter while it was read; pass one that nothing changes meanwhile")


def refuse_unhashable(values: Iterable[Any], name: str, locate: Locate) -> None:
    """InputError for the first value that is not hashable, if there is one."""
    for row, label in enumerate(tuple(values)):
        try:
            with comparing():
                hash(label)
        except TypeError:
            found = f"{shorten(label)}, which is not hashable and so cannot be a label"
            raise wrong_entry(name, locate(row), label, "use a string, a number or a tuple", found=found) from None


def check_items(items: object) -> tuple[Hashable, ...]:
    """The labels of `items=` as a tuple, refusing what has no order, repeats itself or cannot be a label."""
    if isinstance(items, (str, bytes, Mapping, Set)) or not isinstance(items, Iterable):
        raise InputError(f"items is {shorten(items)}; pass the labels as a list, in the order that they should keep")
    if isinstance(items, np.ndarray) and items.ndim != 1:
        raise InputError(f"items has shape {items.shape}; pass a one-dimensional array of labels")
    with reading("items"):
        series = None if isinstance(items, (list, tuple, range, np.ndarray)) else series_column(items, "items")
        if isinstance(series, Coded):
            labels = tuple(iterate_labels(*checked_coded(series, "items")))
        else:
            values = items if series is None else series
            labels = tuple(values.tolist() if isinstance(values, np.ndarray) else values)
    seen: dict[Hashable, int] = {}
    for place, label in enumerate(labels):
        if is_missing(label):
            raise InputError(
                f"items[{place}] is {shorten(label)}; every item needs a label, so leave it out or name it"
            )
        try:
            with comparing():
                earlier = seen.setdefault(label, place)
        except TypeError:
            raise InputError(
                f"items[{place}] is {shorten(label)}, which is not hashable and so cannot be a label"
            ) from None
        if earlier != place:
            raise InputError(
                f"items[{place}] is {shorten(label)} again, after items[{earlier}]; give every item a label of its own"
            )
    return labels


def code_pairs(
    left: object,
    right: object,
    items: object,
    locate: Locate = row_number,
    names: tuple[str, str] = ("left", "right"),
) -> tuple[Codes, Codes, tuple[Hashable, ...]]:
    """Codes of both sides and the labels they share, in first-seen order or in that of `items`."""
    known = None if items is None else check_items(items)
    columns = {name: as_column(values, name) for name, values in zip(names, (left, right), strict=True)}
    n_left, n_right = (len(column.codes if isinstance(column, Coded) else column) for column in columns.values())
    if n_left != n_right:
        raise InputError(
            f"{names[0]} has {n_left} entries and {names[1]} has {n_right}; pass one of each for every vote"
        )
    integers = [column for column in columns.values() if isinstance(column, np.ndarray)]
    if known is None and len(integers) == len(columns):
        numbered = _number(integers)
        if numbered is not None:
            return numbered[0][0], numbered[0][1], tuple(numbered[1])
    lists = [column for column in columns.values() if not isinstance(column, (np.ndarray, Coded))]
    if len(lists) == len(columns):
        table = {label: code for code, label in enumerate(known or ())}
        with suppress(TypeError):
            codes = look_up(table, lists)
            if len(table) == len(known) if known is not None else not any(map(is_missing, table)):
                return codes[0], codes[1], known or tuple(table)
    coded = {name: code_column(column, name, locate) for name, column in columns.items()}
    if len({len(column.codes) for column in coded.values()}) > 1:
        raise _changed_meanwhile()
    for name, column in coded.items():
        if len(column.codes) and column.codes.min() < 0:
            where, remedy = locate(first_row(column.codes < 0)), "a vote needs two items, so fill it in or drop the row"
            raise wrong_entry(name, where, None, remedy, found="missing")
    if known is None:
        table = {}
        with comparing():
            for column in coded.values():
                for label in column.labels:
                    table.setdefault(label, len(table))
    else:
        table = {label: code for code, label in enumerate(known)}
    recoded = [_recode(column, table, name, known is not None, locate) for name, column in coded.items()]
    if known is not None:
        return recoded[0], recoded[1], known
    (left_codes, right_codes), labels = first_seen(recoded, tuple(table))
    return left_codes, right_codes, labels


def _recode(column: Coded, table: Mapping[Hashable, int], name: str, closed: bool, locate: Locate) -> Codes:
    with comparing():
        numbers = np.fromiter((table.get(label, -1) for label in column.labels), np.int32, count=len(column.labels))
    if not closed and numbers.min(initial=0) < 0:
        raise InputError(
            f"a label of {name} equals itself at one time and not at another; use strings, numbers or tuples"
        )
    if closed and len(numbers) and numbers.min() < 0:
        outside = (numbers < 0)[column.codes]
        if outside.any():
            label = column.labels[column.codes[row := first_row(outside)]]
            found = f"{shorten(label)}, which is not among the {len(table)} items of items="
            raise wrong_entry(
                name, locate(row), label, "add it there or leave out the row", found=found, option="items"
            )
    if np.array_equal(numbers, np.arange(len(numbers))):
        return column.codes.astype(np.int32, copy=False)
    return numbers[column.codes]


def first_seen(columns: Sequence[Codes], labels: tuple[Hashable, ...]) -> tuple[list[Codes], tuple[Hashable, ...]]:
    """Renumber by first appearance, row by row over all columns; labels that no row bears are left out."""
    n_columns, n_rows = len(columns), len(columns[0])
    never = n_columns * n_rows
    seen = np.full(len(labels), never, np.int64)
    block = 0
    while block < n_rows and (seen == never).any():
        # Most labels turn up early, so later blocks are looked at only for those that did not.
        rows = slice(block, max(2 * block, 2**14))
        for place, codes in enumerate(columns):
            first = np.full(len(labels), never, np.int64)
            numbers = n_columns * np.arange(block, block + len(codes[rows])) + place
            # Of repeated indices the last assignment stands, so writing the rows backwards leaves the first.
            first[codes[rows][::-1]] = numbers[::-1]
            np.minimum(seen, first, out=seen)
        block = rows.stop
    order = np.argsort(seen, kind="stable")[: int((seen < never).sum())]
    if np.array_equal(order, np.arange(len(labels))):
        return list(columns), labels
    numbers = np.empty(len(labels), np.int32)
    numbers[order] = np.arange(len(order), dtype=np.int32)
    return [np.asarray(numbers[codes], np.int32) for codes in columns], tuple(labels[code] for code in order.tolist())


def code_labels(
    values: object, name: str, n_rows: int, locate: Locate = row_number, *, beside: str = "left"
) -> tuple[Codes, tuple[Hashable, ...]]:
    """Codes and labels of a column of its own, such as the voters; -1 where the value is missing."""
    coded = code_column(as_column(values, name), name, locate)
    if len(coded.codes) != n_rows:
        every = "vote" if beside == "left" else beside.removesuffix("s")
        raise InputError(f"{name} has {len(coded.codes)} entries and {beside} has {n_rows}; pass one for every {every}")
    present = coded.codes >= 0
    codes = np.full(n_rows, -1, np.int32)
    (codes[present],), labels = first_seen([coded.codes[present].astype(np.int32)], tuple(coded.labels))
    return codes, labels


def iterate_labels(codes: NDArray[np.signedinteger[Any]], labels: Sequence[Hashable]) -> Iterator[Hashable]:
    """The label of every code, None for -1."""
    return (None if code < 0 else labels[code] for code in codes.tolist())


def merge_labels(ours: tuple[Hashable, ...], theirs: tuple[Hashable, ...]) -> tuple[tuple[Hashable, ...], Codes]:
    """All labels, ours first, and the code of each of theirs among them."""
    n_both = min(len(ours), len(theirs))
    with comparing():
        alike = ours[:n_both] == theirs[:n_both]
    if alike:
        return (ours if n_both == len(theirs) else theirs), np.arange(len(theirs), dtype=np.int32)
    with comparing():
        table = {label: code for code, label in enumerate(ours)}
        codes = np.fromiter((table.setdefault(label, len(table)) for label in theirs), np.int32, count=len(theirs))
    return tuple(table), codes
