"""Columns of Arrow, array by array, as codes or amounts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from pairvote._common.arrow import arrow_codes, arrow_list, arrow_values, is_dictionary
from pairvote._common.coded import Coded
from pairvote._common.labels import MAX_ITEMS, code_column, is_missing
from pairvote._common.messages import Locate, row_number
from pairvote.errors import InputError
from pairvote.io._arrow_text import Texts, labels_of
from pairvote.io._bytes import opened
from pairvote.io._missing import without
from pairvote.io._source import Columns, Source
from pairvote.votes._wanted import AMOUNTS


class ColumnReaders:
    """Makes columns of votes of batches of Arrow, whose columns are `names` by part; the texts `na` are missing."""

    def __init__(self, names: Mapping[str, str], many_texts: int, na: tuple[str, ...], *, fresh: bool) -> None:
        self._names, self._na = names, na
        self._readers = {part: ColumnReader(part, many_texts, fresh=fresh) for part in names if part not in AMOUNTS}

    def columns(self, batch: Any, locate: Locate) -> Columns:
        """The columns of a batch by part."""
        arrays = {part: batch.column(batch.schema.names.index(name)) for part, name in self._names.items()}
        columns = {
            part: self._readers[part].column(array, locate) if part in self._readers else amounts(array, part, locate)
            for part, array in arrays.items()
        }
        return {part: without(column, self._na) for part, column in columns.items()}


@contextmanager
def seekable(file: Source) -> Iterator[Any]:
    """A file for pyarrow to read from any place."""
    import pyarrow as pa

    if file.is_decoded:
        raise InputError(f"{file.name} is open as text, which it is not; open it as bytes, with mode 'rb'")
    if file.path is not None:
        # Opened by Python, which says clearly what keeps a file from being read.
        with opened(file.path, file.name) as handle:
            if handle.seekable():
                yield handle
                return
    yield pa.BufferReader(file.read())


def unreadable_as(kind: str, file: str, error: Exception, where: str = "") -> InputError:
    """The error for a file that pyarrow does not read."""
    return InputError(
        f"{file} cannot be read as {kind}{where} ({reason_of(error)})",
        where=file,
        remedy="check that it is and that it was written to its end",
    )


def locate_from(name: str, first: int) -> Locate:
    """What tells the rows of a batch, whose first is row `first` of the file."""
    return lambda row: f"{row_number(first + row)} of {name}"


def reason_of(error: Exception) -> str:
    """What pyarrow says is wrong, on one line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class ColumnReader:
    """Makes codes of the arrays of one column, and remembers the labels of the last array."""

    def __init__(self, name: str, many_texts: int, *, fresh: bool) -> None:
        # Arrays that Parquet's reader makes are in memory that nobody else has.
        self._name, self._many_texts, self._fresh = name, many_texts, fresh
        self._dictionary: Any = None
        self._labels: Sequence[Hashable] = []
        # Entries of the dictionary that are no labels: a null, or a number that is none.
        self._missing: list[int] = []
        self._range = range(0)

    def column(self, array: Any, locate: Locate) -> Coded:
        import pyarrow as pa

        kind = array.type
        if not is_dictionary(kind):
            array = arrow_values(array, self._name, locate)
        elif pa.types.is_nested(kind.value_type):
            return code_column(arrow_list(array, self._name, locate), self._name, locate)
        if pa.types.is_integer(kind) and not array.null_count and len(array):
            column = self._whole_numbers(array.to_numpy(zero_copy_only=False))
            if column is not None:
                return column
        if not is_dictionary(kind):
            try:
                array = array.dictionary_encode()
            except (pa.ArrowNotImplementedError, pa.ArrowTypeError):
                return code_column(array.to_pylist(), self._name, locate)
        dictionary = array.dictionary
        if self._dictionary is None or not _same(dictionary, self._dictionary):
            self._dictionary = dictionary
            own = arrow_values(dictionary, f"the dictionary of {self._name}", locate)
            self._labels = labels_of(own, many_texts=self._many_texts)
            is_text = isinstance(self._labels, Texts)
            self._missing = [] if is_text else [n for n, label in enumerate(self._labels) if is_missing(label)]
        codes = arrow_codes(array, self._name, locate, copy=not self._fresh)
        if self._missing:
            codes = np.where(np.isin(codes, self._missing), np.int32(-1), codes)
        return Coded(codes, self._labels)

    def _whole_numbers(self, values: Any) -> Coded | None:
        """Codes that are places in a range of whole numbers; None when the range would be too long."""
        low, high = int(values.min()), int(values.max())
        known = self._range
        if not known or low < known.start or high >= known.stop:
            start, stop = (min(low, known.start), max(high + 1, known.stop)) if known else (low, high + 1)
            if stop - start > MAX_ITEMS or stop > 2**63:
                return None
            # Room to spare, so that numbers that rise from batch to batch seldom need a new range.
            self._range = known = range(start, stop + min(stop - start, MAX_ITEMS - (stop - start)))
        return Coded((values.astype(np.int64) - known.start).astype(np.int32), known)


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two dictionaries have the same entries; known at once when they share memory."""
    if ours.type != theirs.type or len(ours) != len(theirs):
        return False
    if ours.offset == theirs.offset and _addresses(ours) == _addresses(theirs):
        return True
    return bool(ours.equals(theirs))


def _addresses(array: Any) -> list[int | None]:
    return [None if buffer is None else buffer.address for buffer in array.buffers()]


def amounts(array: Any, name: str, locate: Locate) -> Any:
    """Amounts as an array where they are numbers, else as a list whose entries will be checked."""
    import pyarrow as pa

    kind = array.type
    if array.null_count or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return arrow_list(array, name, locate)
    return np.array(arrow_values(array, name, locate).to_numpy(zero_copy_only=False))
