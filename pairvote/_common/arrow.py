"""Arrays of Arrow in memory of our own, every index and offset checked.

Arrow checks neither when it reads an IPC file or takes over somebody's buffers, and another thread may change those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded, own_codes
from pairvote._common.messages import Locate, row_number
from pairvote.errors import InputError


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is text that can be encoded as a dictionary."""
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_dictionary(kind: Any) -> bool:
    """Whether an Arrow type is a dictionary, with indices into its values."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(kind))


def with_starts(chunks: Iterable[Any], locate: Locate = row_number) -> Iterator[tuple[Any, Locate]]:
    """Each chunk of a column, and what tells its rows among those of the column."""
    first = 0
    for chunk in chunks:
        yield chunk, partial(_after, locate, first)
        first += len(chunk)


def _after(locate: Locate, first: int, row: int) -> str:
    return locate(first + row)


def arrow_codes(array: Any, name: str, locate: Locate = row_number, *, copy: bool = True) -> NDArray[np.int32]:
    """The indices of a dictionary array, copied and checked; -1 where a value is null.

    Without `copy`, indices that nobody else can change stay in place.
    """
    indices, missing = array.indices, None
    _validate(indices, name, locate, full=False)
    if indices.null_count:
        missing = indices.is_null().to_numpy(zero_copy_only=False)
        indices = indices.fill_null(0)
    return own_codes(indices.to_numpy(), len(array.dictionary), name, locate, missing=missing, copy=copy)


def arrow_values(array: Any, name: str, locate: Locate = row_number) -> Any:
    """An array, not of a dictionary, that can be read without leaving its memory; InputError for any other."""
    import pyarrow as pa

    kind = array.type
    if is_text(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        _validate(array, name, locate, full=False)
        return _own_texts(array, name, locate)
    _validate(array, name, locate, full=not pa.types.is_primitive(kind))
    if kind == pa.time64("ns"):
        refuse_nanoseconds(array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), name, locate)
    return array


def refuse_nanoseconds(times: NDArray[np.int64], name: str, locate: Locate = row_number) -> None:
    """InputError for a time of day in nanoseconds of which Python's microseconds would lose a part."""
    lost = times % 1000 != 0
    if lost.any():
        where = locate(int(np.argmax(lost)))
        raise InputError(
            f"{name} at {where} is a time of day to the nanosecond, of which Python keeps microseconds",
            where=where,
            remedy="convert the column to text or to whole numbers",
        )


def arrow_list(array: Any, name: str, locate: Locate = row_number) -> list[Any]:
    """The values of any array as Python's."""
    if not is_dictionary(array.type):
        values: list[Any] = arrow_values(array, name, locate).to_pylist()
        return values
    # The code -1 picks the last entry.
    entries = [*arrow_values(array.dictionary, f"the dictionary of {name}").to_pylist(), None]
    return [entries[code] for code in arrow_codes(array, name, locate).tolist()]


def arrow_column(chunks: Sequence[Any], name: str, locate: Locate = row_number) -> Coded:
    """One numbering of dictionary or text arrays; a dictionary may hold nulls and repeats."""
    import pyarrow as pa

    table: dict[Any, int] = {None: -1}
    columns = [np.empty(0, np.int32)]
    if len(chunks) and is_text(chunks[0].type):
        own = [arrow_values(chunk, name, where) for chunk, where in with_starts(chunks, locate)]
        chunks = [pa.chunked_array(own).combine_chunks().dictionary_encode()]
    for chunk, where in with_starts(chunks, locate):
        labels = arrow_values(chunk.dictionary, f"the dictionary of {name}").to_pylist()
        numbers = [table.setdefault(label, len(table) - 1) for label in labels]
        codes = arrow_codes(chunk, name, where)
        if numbers != list(range(len(numbers))):
            # A null is coded -1, which picks the last entry.
            codes = np.array([*numbers, -1], np.int32)[codes]
        columns.append(codes)
    labels = [label for label in table if label is not None]
    return Coded(columns[-1] if len(columns) == 2 else np.concatenate(columns), labels)


def _validate(array: Any, name: str, locate: Locate, *, full: bool) -> None:
    import pyarrow as pa

    try:
        array.validate(full=full)
    except pa.ArrowException as error:
        where = locate(0)
        problem = f"{name} from {where} on is no valid array of Arrow ({error})"
        raise InputError(problem, where=where, remedy="make the column anew from its values") from None


def _own_texts(array: Any, name: str, locate: Locate) -> Any:
    """Texts whose offsets are copied and checked."""
    import pyarrow as pa

    if not len(array):
        return array
    _, begins, data = array.buffers()
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    shared: NDArray[np.signedinteger[Any]] = np.frombuffer(begins, np.int64 if wide else np.int32)
    offsets = shared[array.offset :][: len(array) + 1].copy()
    n_bytes = 0 if data is None else data.size
    if offsets[0] < 0 or offsets[-1] > n_bytes or (offsets[1:] < offsets[:-1]).any():
        wrong = (offsets[:-1] < 0) | (offsets[1:] < offsets[:-1]) | (offsets[1:] > n_bytes)
        where = locate(int(np.argmax(wrong)))
        problem = f"{name} at {where} is a text outside its memory, so the Arrow array is broken"
        raise InputError(problem, where=where, remedy="make the column anew from its values")
    present = None
    if array.null_count:
        mask = array.is_valid().to_numpy(zero_copy_only=False)
        present = pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.Array.from_buffers(array.type, len(array), [present, pa.py_buffer(offsets), data])
