"""Columns of any data frame, through narwhals, without turning categories into strings."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.arrow import arrow_column, arrow_values, is_dictionary, is_text, refuse_nanoseconds, with_starts
from pairvote._common.coded import Coded, own_codes
from pairvote.errors import InputError

Backend = Literal["pandas", "polars", "pyarrow"]
Column = list[Any] | NDArray[np.integer[Any]] | Coded


def series_column(values: object, name: str) -> Column | None:
    """A data frame's column as a list, an array of integers or codes of its labels; None for anything else."""
    import narwhals as nw

    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(values, arrow.Array):
        values = arrow.chunked_array([values])
    series = nw.from_native(values, series_only=True, pass_through=True)
    return _column(series, name) if isinstance(series, nw.Series) else None


class Frame:
    """The named columns of a data frame of pandas, polars, pyarrow or any other library that narwhals knows."""

    def __init__(self, native: object) -> None:
        import narwhals as nw

        try:
            frame = nw.from_native(native, pass_through=True)
            if isinstance(frame, nw.LazyFrame):
                frame = frame.collect()
            self.columns: list[str] = list(frame.columns) if isinstance(frame, nw.DataFrame) else []
        except nw.exceptions.DuplicateError as error:
            raise InputError(
                f"several columns have one name ({' '.join(str(error).split())}); give every column a name of its own"
            ) from None
        except UnicodeDecodeError as error:
            raise InputError(f"the name of a column is not text in UTF-8 ({error})", remedy="rename it") from None
        if not isinstance(frame, nw.DataFrame):
            raise InputError(
                f"{type(native).__name__} is not a data frame; pass one of pandas, polars or pyarrow, "
                "or use from_labels for lists"
            )
        self._frame = frame

    def __len__(self) -> int:
        return len(self._frame)

    def column(self, name: str) -> Column:
        """The column `name` as a list, as an array where it holds integers, or as codes where it is text."""
        if not isinstance(name, Hashable) or name not in self.columns:
            listed = ", ".join(map(repr, self.columns)) or "none"
            remedy = f"the columns are {listed}, so name the right one"
            raise InputError(f"there is no column {name!r}", value=name, remedy=remedy)
        return _column(self._frame.get_column(name), name)


def _column(series: Any, name: str) -> Column:
    import narwhals as nw

    chunks = _arrow_chunks(series)
    is_coded = bool(chunks) and (is_dictionary(chunks[0].type) or is_text(chunks[0].type))
    if not is_coded:
        # Such values are read by the frame's own library, so what leaves its memory must be refused first.
        for chunk, where in with_starts(chunks):
            arrow_values(chunk, name, where)
    native = series.to_native()
    if series.dtype == nw.Time and series.implementation.is_polars():
        refuse_nanoseconds(native.to_physical().fill_null(0).to_numpy(), name)
    if series.dtype in (nw.Categorical, nw.Enum) and not is_coded:
        if series.implementation.is_pandas_like() and hasattr(native.dtype, "categories"):
            categories = native.cat.categories.tolist()
            return Coded(own_codes(native.cat.codes.to_numpy(), len(categories), name, gaps=True), categories)
        if series.implementation.is_polars():
            return _polars_codes(native)
    # numpy has no integers of 128 bits; they become Python's below.
    if series.dtype.is_integer() and str(series.dtype) not in ("Int128", "UInt128") and not series.null_count():
        numbers = series.to_numpy()
        if numbers.dtype.kind in "iu":
            return np.asarray(numbers)
    try:
        if is_coded:
            return arrow_column(chunks, name)
        if series.dtype == nw.String and series.implementation.is_polars():
            import polars

            return _polars_codes(native.cast(polars.Categorical))
        if series.dtype == nw.String and series.implementation.is_pandas():
            codes, labels = native.factorize()
            return Coded(codes.astype(np.int32), labels.tolist())
        values: list[Any] = series.to_list()
    except InputError:
        raise
    except (OverflowError, ValueError) as error:
        raise InputError(
            f"a column of type {series.dtype} has values that Python cannot hold ({error}); "
            "convert it to text or numbers"
        ) from error
    return values


def _arrow_chunks(series: Any) -> list[Any]:
    """The arrays of Arrow behind a column of pyarrow or pandas; none for any other."""
    native = series.to_native()
    if series.implementation.is_pandas():
        if not isinstance(native.array, sys.modules["pandas"].arrays.ArrowExtensionArray):
            return []
        native = native.array.__arrow_array__()
    elif not series.implementation.is_pyarrow():
        return []
    chunks: list[Any] = native.chunks
    return chunks


def _polars_codes(native: Any) -> Coded:
    """Codes of a categorical column, whose physical numbers are not places among its own labels."""
    distinct = native.drop_nulls().unique()
    physical = distinct.to_physical().to_numpy()
    places = np.full(int(physical.max(initial=0)) + 1, -1, np.int32)
    places[physical] = np.arange(len(physical))
    codes = places[native.to_physical().fill_null(0).to_numpy()]
    codes[native.is_null().to_numpy()] = -1
    return Coded(codes, distinct.to_list())


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
