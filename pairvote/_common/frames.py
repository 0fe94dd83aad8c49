"""Columns of any data frame, through narwhals, without turning categories into strings."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote.errors import InputError

Backend = Literal["pandas", "polars", "pyarrow"]
Column = list[Any] | NDArray[np.integer[Any]] | Coded


def series_column(values: object) -> Column | None:
    """A data frame's column as a list, an array of integers or codes of its labels; None for anything else."""
    import narwhals as nw

    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(values, arrow.Array):
        values = arrow.chunked_array([values])
    series = nw.from_native(values, series_only=True, pass_through=True)
    return _column(series) if isinstance(series, nw.Series) else None


class Frame:
    """The named columns of a data frame of pandas, polars, pyarrow or any other library that narwhals knows."""

    def __init__(self, native: object) -> None:
        import narwhals as nw

        try:
            frame = nw.from_native(native, pass_through=True)
        except nw.exceptions.DuplicateError as error:
            raise InputError(
                f"several columns have one name ({' '.join(str(error).split())}); give every column a name of its own"
            ) from None
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

    def column(self, name: str) -> Column:
        """The column `name` as a list, as an array where it holds integers, or as codes where it is text."""
        if not isinstance(name, Hashable) or name not in self.columns:
            listed = ", ".join(map(repr, self.columns)) or "none"
            remedy = f"the columns are {listed}, so name the right one"
            raise InputError(f"there is no column {name!r}", value=name, remedy=remedy)
        return _column(self._frame.get_column(name))


def _column(series: Any) -> Column:
    import narwhals as nw

    if series.dtype in (nw.Categorical, nw.Enum):
        native = series.to_native()
        if series.implementation.is_pandas_like() and hasattr(native.dtype, "categories"):
            return Coded(np.array(native.cat.codes, np.int32), native.cat.categories.tolist())
        if series.implementation.is_polars():
            return _polars_codes(native)
        if series.implementation.is_pyarrow():
            return _arrow_codes(native.chunks)
    if series.dtype.is_integer() and not series.null_count():
        numbers = series.to_numpy()
        if numbers.dtype.kind in "iu":
            return np.asarray(numbers)
    try:
        coded = _text_codes(series) if series.dtype == nw.String else None
        if coded is not None:
            return coded
        values: list[Any] = series.to_list()
    except (OverflowError, ValueError) as error:
        raise InputError(
            f"a column of type {series.dtype} has values that Python cannot hold ({error}); "
            "convert it to text or numbers"
        ) from error
    return values


def _text_codes(series: Any) -> Coded | None:
    """Codes of a column of text by its own library, several times as fast as one Python string after another."""
    native = series.to_native()
    if series.implementation.is_pyarrow():
        return _arrow_codes([native.combine_chunks().dictionary_encode()])
    if series.implementation.is_polars():
        import polars

        return _polars_codes(native.cast(polars.Categorical))
    if series.implementation.is_pandas():
        codes, labels = native.factorize()
        return Coded(codes.astype(np.int32), labels.tolist())
    return None


def _polars_codes(native: Any) -> Coded:
    """Codes of a categorical column, whose physical numbers are not places among its own labels."""
    distinct = native.drop_nulls().unique()
    physical = distinct.to_physical().to_numpy()
    places = np.full(int(physical.max(initial=0)) + 1, -1, np.int32)
    places[physical] = np.arange(len(physical))
    codes = places[native.to_physical().fill_null(0).to_numpy()]
    codes[native.is_null().to_numpy()] = -1
    return Coded(codes, distinct.to_list())


def _arrow_codes(chunks: Sequence[Any]) -> Coded:
    """One numbering of dictionary arrays, each of whose dictionaries may hold nulls and repeats."""
    table: dict[Any, int] = {None: -1}
    columns = [np.empty(0, np.int32)]
    for chunk in chunks:
        numbers = [table.setdefault(label, len(table) - 1) for label in chunk.dictionary.to_pylist()]
        codes = chunk.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False)
        # A null is coded -1, which picks the last entry.
        columns.append(np.array([*numbers, -1], np.int32)[codes])
    return Coded(np.concatenate(columns), [label for label in table if label is not None])


def make_frame(columns: Mapping[str, Sequence[Any] | NDArray[Any]], backend: Backend) -> Any:
    """A data frame of the library `backend` with these columns."""
    if backend not in ("pandas", "polars", "pyarrow"):
        raise InputError(f"backend is {backend!r}; use 'pandas', 'polars' or 'pyarrow'")
    import narwhals as nw

    if backend == "pandas":
        columns = {name: _as_objects(values) if _gaps(values) else values for name, values in columns.items()}
    try:
        return nw.from_dict(dict(columns), backend=backend).to_native()
    except ImportError as error:
        raise InputError(f"{backend} is not installed here; install it, or ask for another data frame") from error
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{backend} cannot hold these labels ({reason}); ask for 'pandas', or use to_columns()"
        ) from error


def _gaps(values: Sequence[Any] | NDArray[Any]) -> bool:
    """Whether integers stand beside None: pandas would make floats of them, which change those past 2**53."""
    return isinstance(values, list) and None in values and any(isinstance(value, int) for value in values)


def _as_objects(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    return np.fromiter(values, object, count=len(values))
