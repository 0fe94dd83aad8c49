"""Columns of any data frame, through narwhals, without turning categories into strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import InputError

Backend = Literal["pandas", "polars", "pyarrow"]
CodedColumn = tuple[NDArray[np.signedinteger[Any]], list[Any]]


def series_column(values: object) -> list[Any] | CodedColumn | None:
    """A data frame's column as a list, or as (codes, labels) where it is categorical; None for anything else."""
    import narwhals as nw

    series = nw.from_native(values, series_only=True, pass_through=True)
    return _column(series) if isinstance(series, nw.Series) else None


class Frame:
    """The named columns of a data frame of pandas, polars, pyarrow or any other library that narwhals knows."""

    def __init__(self, native: object) -> None:
        import narwhals as nw

        frame = nw.from_native(native, pass_through=True)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        if not isinstance(frame, nw.DataFrame):
            raise InputError(
                f"{type(native).__name__} is not a data frame; pass one of pandas, polars or pyarrow, "
                "or use from_labels for lists"
            )
        self._frame = frame
        self.columns: list[str] = list(frame.columns)

    def __len__(self) -> int:
        return len(self._frame)

    def column(self, name: str) -> list[Any] | CodedColumn:
        """The column `name` as a list, or as (codes, labels) where it is categorical."""
        if name not in self.columns:
            listed = ", ".join(map(repr, self.columns)) or "none"
            raise InputError(f"there is no column {name!r}; the columns are {listed}, so name the right one")
        return _column(self._frame[name])


def _column(series: Any) -> list[Any] | CodedColumn:
    import narwhals as nw

    if series.dtype in (nw.Categorical, nw.Enum):
        return _codes(series)
    if series.implementation.is_pyarrow() and series.dtype == nw.String:
        return _arrow_codes(series.to_native().combine_chunks().dictionary_encode())
    values: list[Any] = series.to_list()
    return values


def _codes(series: Any) -> CodedColumn:
    native = series.to_native()
    if series.implementation.is_pandas_like():
        return np.asarray(native.cat.codes), native.cat.categories.tolist()
    if series.implementation.is_polars():
        labels = native.cat.get_categories().to_list()
        return native.to_physical().cast(int).fill_null(-1).to_numpy(), labels
    if series.implementation.is_pyarrow():
        return _arrow_codes(
            native.unify_dictionaries().combine_chunks() if native.num_chunks else native.combine_chunks()
        )
    labels = sorted(set(series.drop_nulls().to_list()))
    numbers = {label: code for code, label in enumerate(labels)}
    return np.array([numbers.get(label, -1) for label in series.to_list()], np.int64), labels


def _arrow_codes(array: Any) -> CodedColumn:
    codes = array.indices.fill_null(-1) if array.indices.null_count else array.indices
    return codes.to_numpy(zero_copy_only=False).astype(np.int64, copy=False), array.dictionary.to_pylist()


def make_frame(columns: Mapping[str, Sequence[Any] | NDArray[Any]], backend: Backend) -> Any:
    """A data frame of the library `backend` with these columns."""
    if backend not in ("pandas", "polars", "pyarrow"):
        raise InputError(f"backend is {backend!r}; use 'pandas', 'polars' or 'pyarrow'")
    import narwhals as nw

    try:
        return nw.from_dict(dict(columns), backend=backend).to_native()
    except ImportError as error:
        raise InputError(f"{backend} is not installed here; install it, or ask for another data frame") from error
