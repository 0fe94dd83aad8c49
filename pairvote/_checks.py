"""Numbers that a user passes in, checked once: codes, weights, tables."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote import _labels
from pairvote._labels import Coded, Locate, as_array, highest_unsigned, shorten
from pairvote.errors import InputError


def integers(values: ArrayLike, name: str) -> NDArray[np.integer[Any]]:
    array = as_array(values, name)
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
    if isinstance(n_items, bool) or not isinstance(n_items, (int, np.integer)) or n_items < 0:
        raise InputError(f"n_items is {n_items!r}; pass the number of items, a whole number from 0")
    if labels is not None and len(labels) != n_items:
        raise InputError(
            f"n_items is {n_items} and items has {len(labels)} labels; pass one of them, or let them agree"
        )
    return int(n_items)


def highest_code(codes: NDArray[np.integer[Any]], name: str, limit: int | None) -> int:
    """The largest of the codes, all of which must lie between 0 and the limit."""
    bound = _labels.MAX_ITEMS if limit is None else limit
    high = highest_unsigned(codes)
    if high < bound:
        return high
    row = _labels.first_row((codes < 0) | (codes >= bound))
    allowed = f"0 to {bound - 1}" if bound else "none, since there are no items"
    remedy = "check that codes count from 0" + (", or use from_labels for large labels" if limit is None else "")
    raise InputError(f"{name} at row {row} is {codes[row]}; the codes are {allowed}, so {remedy}")


def weights(values: Any, n_votes: int, locate: Locate) -> NDArray[np.float64]:
    if isinstance(values, Coded):
        values = list(_labels.iterate_labels(values.codes, values.labels))
    try:
        raw = np.asarray(values)
        weight = np.array(values if raw.dtype.kind != "U" else raw.astype(object), np.float64)
        if raw.dtype.kind not in "iuf" and not all(
            isinstance(w, (int, float, np.number)) for w in raw.ravel().tolist()
        ):
            raise TypeError("weights are numbers")
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"weight is {shorten(values)}; pass one number for every vote") from None
    if weight.shape != (n_votes,):
        raise InputError(
            f"weight has shape {weight.shape} and there are {n_votes} votes; pass one number for every vote"
        )
    bad = ~(weight >= 0) | np.isinf(weight)
    if bad.any():
        row = _labels.first_row(bad)
        raise InputError(
            f"weight at {locate(row)} is {weight[row]:g}; weights are finite and not negative, so mend or remove it"
        )
    return weight


def square(values: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        table = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} cannot be made a table of numbers ({error}); pass a square array") from None
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise InputError(f"{name} has shape {table.shape}; pass a square table, a row and a column for each item")
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
