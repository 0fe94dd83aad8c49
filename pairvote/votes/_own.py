"""Tables whose arrays are their own, and are checked however a table is made: kernels trust them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import MISSING, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pairvote._common.labels import MAX_ITEMS, as_array, checked_copy
from pairvote._common.messages import shorten
from pairvote.errors import InputError


class OwnTable:
    """A frozen dataclass that copies and checks its arrays in `__post_init__`, unpickled and replaced ones too."""

    @classmethod
    def _unchecked(cls, **columns: Any) -> Self:
        """A table of columns that this package made and checked: they are neither copied nor checked again."""
        table = object.__new__(cls)
        table._set(columns)
        return table

    def _changed(self, **columns: Any) -> Self:
        """A table with some columns changed, unchecked like `_unchecked`."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return self._unchecked(**own | columns)

    def _set(self, columns: dict[str, Any]) -> None:
        for column in columns.values():
            if isinstance(column, np.ndarray):
                column.flags.writeable = False
        # A frozen dataclass has no other way.
        vars(self).update(columns)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise InputError(f"the state of {type(self).__name__} is {shorten(state)}; pickle a whole one")
        own = fields(self)  # type: ignore[arg-type]
        for field in own:
            if field.default is MISSING and field.name not in state:
                raise InputError(f"the state of {type(self).__name__} has no {field.name!r}; pickle a whole one")
        type(self).__init__(self, **{field.name: state[field.name] for field in own if field.name in state})


def n_labels(labels: Sequence[Hashable], name: str) -> int:
    """How many labels there are. A range stands for codes whose labels are elsewhere, as in the parts of a cluster."""
    if not isinstance(labels, (tuple, range)):
        raise InputError(f"{name} is {shorten(labels)}; pass a tuple of labels")
    if len(labels) > MAX_ITEMS:
        raise InputError(f"{name} has {len(labels):,} labels; there can be at most {MAX_ITEMS:,}, so leave some out")
    return len(labels)


def column(values: ArrayLike, name: str, dtype: DTypeLike, bounds: tuple[int, int], length: int | None) -> NDArray[Any]:
    """A copy of a column of integers from bounds[0] to bounds[1] - 1, as many as the rows."""
    array = as_array(values, name, copy=False)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}; pass one integer for every row, "
            "or let Votes.from_labels or from_codes make the table"
        )
    if length is not None and len(array) != length:
        raise InputError(f"{name} has {len(array)} entries and there are {length} rows; pass one for every row")
    low, bound = bounds
    codes, _, stray = checked_copy(array, dtype, low, bound)
    if stray is not None:
        raise InputError(
            f"{name} at row {stray[0]} is {stray[1]}; it lies between {low} and {bound - 1}, so mend it or leave it out"
        )
    return codes


def amounts(values: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A copy of weights of this shape, finite and not negative."""
    array = as_array(values, name, copy=False)
    if array.shape != shape or array.dtype.kind not in "iuf":
        raise InputError(f"{name} has shape {array.shape} and type {array.dtype}; pass numbers of shape {shape}")
    own = array.astype(np.float64, order="C")
    # A comparison with nan is false.
    if own.size and not (own.min() >= 0.0 and own.max() < np.inf):
        place = tuple(np.argwhere(~((own >= 0.0) & (own < np.inf)))[0].tolist())
        raise InputError(
            f"{name} at row {place[0]} is {own[place]:g}; weights are finite and not negative, so mend or remove it"
        )
    return own
