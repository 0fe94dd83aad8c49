"""Numbers that a user passes in, checked once: codes, weights, tables."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import (
    MAX_ITEMS,
    Codes,
    as_array,
    check_items,
    checked_coded,
    checked_copy,
    first_row,
    iterate_labels,
    own_values,
    reading,
)
from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote.errors import InputError

# Sums of weights up to here are safe from overflow.
LARGEST_TOTAL = 1e306


def is_number(value: object) -> TypeGuard[float]:
    """Whether an option is a real number that a float can hold; True and False are none."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= sys.float_info.max
    # numpy counts its lengths of time among the integers.
    return isinstance(value, (float, np.integer, np.floating)) and not isinstance(
        value, (np.longdouble, np.timedelta64)
    )


def is_whole(value: object) -> TypeGuard[int]:
    """Whether an option is an integer; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def is_exact(value: int) -> bool:
    """Whether a float holds an integer as it is."""
    return abs(value) <= 2**53 or (abs(value) <= sys.float_info.max and int(float(value)) == value)


def item_codes(sides: Mapping[str, Any], items: Any, n_items: int | None) -> tuple[Codes, Codes, tuple[Hashable, ...]]:
    """The two columns of codes, by name, as int32, and the labels that they are codes of."""
    columns = {name: integers(values, name) for name, values in sides.items()}
    (first, n_first), (second, n_second) = ((name, len(codes)) for name, codes in columns.items())
    if n_first != n_second:
        raise InputError(f"{first} has {n_first} entries and {second} has {n_second}; pass one of each for every vote")
    labels = None if items is None else check_items(items)
    limit = item_limit(labels, n_items)
    (left, left_highest), (right, right_highest) = (
        limited_codes(values, name, limit) for name, values in columns.items()
    )
    if labels is None:
        labels = tuple(range(max(left_highest, right_highest) + 1 if n_items is None else n_items))
    return left, right, labels


def integers(values: ArrayLike, name: str) -> NDArray[np.integer[Any]]:
    """A view of a user's codes, which somebody else may be writing to."""
    array = as_array(values, name, copy=False)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; pass a one-dimensional array with one code a vote")
    if not array.size:
        return np.empty(0, np.int32)
    if array.dtype.kind not in "iu":
        raise InputError(
            f"{name} has dtype {array.dtype} (its first entry is {shorten(array[0])}); codes are integers, "
            "so convert them, or use from_labels for labels"
        )
    return array


def item_limit(labels: tuple[Hashable, ...] | None, n_items: int | None) -> int | None:
    if n_items is None:
        return None if labels is None else len(labels)
    if not is_whole(n_items) or n_items < 0:
        raise InputError(f"n_items is {shorten(n_items)}; pass the number of items, a whole number from 0")
    if n_items > MAX_ITEMS:
        raise InputError(
            f"n_items is {shorten(n_items)}; there can be at most {MAX_ITEMS:,}, so pass the number of items"
        )
    if labels is not None and len(labels) != n_items:
        raise InputError(
            f"n_items is {n_items} and items has {len(labels)} labels; pass one of them, or let them agree"
        )
    return int(n_items)


def limited_codes(values: NDArray[np.integer[Any]], name: str, limit: int | None) -> tuple[Codes, int]:
    """A copy of codes, all of which must lie between 0 and the limit, and the largest of them."""
    bound = MAX_ITEMS if limit is None else limit
    codes, highest, stray = checked_copy(values, np.int32, 0, bound)
    if stray is None:
        return codes, highest
    allowed = f"0 to {bound - 1}" if bound else "none, since there are no items"
    remedy = "check that codes count from 0" + (", or use from_labels for large labels" if limit is None else "")
    raise wrong_entry(name, f"row {stray[0]}", stray[1], f"the codes are {allowed}, so {remedy}")


def weights(values: Any, n_votes: int, locate: Locate, name: str = "weight") -> NDArray[np.float64]:
    """Weights, or other amounts of the column `name`, as float64, shape (n_votes,): finite and not negative."""
    if isinstance(values, Coded):
        values = list(iterate_labels(*checked_coded(values, name)))
    # What is asked of a list below is asked of the copy.
    values = own_values(values, name)
    # What is used is a copy of it.
    raw = as_array(values, name, copy=False)
    every, kind = ("vote", "weights") if name == "weight" else ("row", "totals")
    if raw.shape != (n_votes,):
        raise InputError(
            f"{name} has shape {raw.shape} and there are {n_votes} {every}s; pass one number for every {every}"
        )
    if raw.dtype.kind not in "iuf" or (isinstance(values, (list, tuple)) and bool in set(map(type, values))):
        entries = np.asarray(values, object) if isinstance(values, list) else raw.astype(object)
        strange = np.fromiter((not _is_amount(entry) for entry in entries), bool, count=n_votes)
        if strange.any():
            row = first_row(strange)
            remedy = f"{kind} are numbers, finite and not negative, so mend or remove it"
            raise wrong_entry(name, locate(row), entries[row], remedy)
    with reading(name):
        weight = raw.astype(np.float64) if raw.size else np.empty(0, np.float64)
    _refuse_inexact(values if isinstance(values, (list, tuple)) else raw, weight, locate, name)
    bad = ~(weight >= 0) | np.isinf(weight)
    if bad.any():
        row = first_row(bad)
        remedy = f"{kind} are finite and not negative, so mend or remove it"
        raise wrong_entry(name, locate(row), float(weight[row]), remedy, found=f"{weight[row]:g}")
    if n_votes and weight.max() > LARGEST_TOTAL / n_votes:
        raise InputError(
            f"the {n_votes} {kind}, of up to {weight.max():g}, may add up to more than {LARGEST_TOTAL:g}; "
            "divide them all by one number"
        )
    return weight


def check_total(*amounts: NDArray[np.float64]) -> None:
    """InputError when weights that were added up, of any number of sets of votes, might overflow in further sums."""
    for values in amounts:
        # Few have entries so large that they must be added up to tell.
        if float(values.max(initial=0.0)) * values.size > LARGEST_TOTAL and (values / LARGEST_TOTAL).sum() > 1.0:
            raise InputError(
                f"the weights of these votes together add up to more than {LARGEST_TOTAL:g}; "
                "divide those of all sets of votes by one number"
            )


def _refuse_inexact(given: Any, weight: NDArray[np.float64], locate: Locate, name: str) -> None:
    """InputError for a whole number that float64 changes."""
    if not weight.size or not weight.max() >= 2.0**53:
        return
    for row in np.flatnonzero(weight >= 2.0**53).tolist():
        value = given[row]
        if isinstance(value, (int, np.integer)) and not is_exact(int(value)):
            remedy = "53 bits are kept, so divide all by one number"
            raise wrong_entry(name, locate(row), int(value), remedy, found=f"{int(value)}, which is not kept exactly")


def _is_amount(value: object) -> bool:
    """Whether a value is a real number that a float can hold; a string or a boolean is none."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, (float, np.floating, np.integer))


def square(values: ArrayLike, name: str) -> NDArray[np.float64]:
    values = own_values(values, name)
    raw = as_array(values, name)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise InputError(f"{name} has shape {raw.shape}; pass a square table, a row and a column for each item")
    if raw.dtype.kind not in "biuf":
        entries = np.asarray(values, object) if isinstance(values, list) else raw.astype(object)
        for (i, j), entry in np.ndenumerate(entries):
            if not _is_amount(entry):
                raise InputError(
                    f"{name}[{i}, {j}] is {shorten(entry)}; the entries are finite and not negative numbers"
                )
    with reading(name):
        table = raw.astype(np.float64) if raw.size else np.empty((0, 0), np.float64)
    bad = ~(table >= 0) | np.isinf(table)
    if bad.any():
        i, j = map(int, np.argwhere(bad)[0])
        raise InputError(f"{name}[{i}, {j}] is {table[i, j]:g}; the entries are finite and not negative")
    on_diagonal = np.flatnonzero(np.diag(table))
    if on_diagonal.size:
        i = int(on_diagonal[0])
        raise InputError(
            f"{name}[{i}, {i}] is {table[i, i]:g}; an item does not meet itself, so set the diagonal to zero"
        )
    return table


def restore(self: object, state: dict[str, Any]) -> None:
    """Unpickle a result: its arrays, which come back writable, are read-only again.

    Those that a cluster sends may lie anywhere in what was received; the kernels take numbers that lie in line.
    """
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            aligned = np.require(value, requirements="A")
            aligned.flags.writeable = False
            vars(self)[name] = aligned
        else:
            vars(self)[name] = value
