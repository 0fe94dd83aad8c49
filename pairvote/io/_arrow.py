"""Votes as Arrow IPC, in files (which Feather is) and in streams, through pyarrow."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from pairvote._common.messages import Locate
from pairvote.errors import InputError
from pairvote.io._arrow_columns import ColumnReaders, locate_from, seekable, unreadable_as
from pairvote.io._file_format import Batch, FileFormat, Part, Reading, key_labels, with_keys
from pairvote.io._how import How
from pairvote.io._join import joined
from pairvote.io._parquet_batches import Sizes
from pairvote.io._source import Columns, Source
from pairvote.votes._wanted import Finder

_FILE = b"ARROW1"
# A message of a stream begins with this; in streams of old versions its length comes first.
_CONTINUES = b"\xff\xff\xff\xff"


def begins(head: bytes) -> bool:
    """Whether a file that begins so is Arrow IPC."""
    return head.startswith((_FILE, _CONTINUES))


def read(file: Source, wanted: Finder, how: How) -> tuple[Columns, Locate]:
    """The wanted columns, coded where they are labels, and what tells the number of a row."""
    with seekable(file) as handle:
        table = _Table(handle, file.name)
        found = wanted.found_in(table.names, file.name)
        return joined(list(table.pieces(found, Sizes(), how)), list(found))


def check(part: Part, reading: Reading) -> None:
    """Refuse a file that does not have the columns."""
    with seekable(part.source()) as handle:
        reading.wanted.found_in(part.among(_Table(handle, part.name).names), part.name)


def scan(parts: Sequence[Part], reading: Reading, *, sizes: Sizes | None = None) -> Generator[Batch, None, None]:
    """The rows of the files, in order."""
    for part in parts:
        with seekable(part.source()) as handle:
            table = _Table(handle, part.name)
            found = reading.wanted.found_in(part.among(table.names), part.name)
            taken = reading.of_interest(found)
            keys = key_labels(part, taken)
            in_file = {vote_part: name for vote_part, name in taken.items() if name not in part.keys}
            agreed = False
            for columns, n_rows, locate in table.pieces(in_file, sizes or Sizes(), reading.how):
                if not agreed:
                    reading.agree(part.name, found)
                    agreed = True
                done = part.start + min(handle.tell(), part.n_bytes)
                yield Batch(with_keys(columns, keys, n_rows), n_rows, locate, done)


def metadata(file: Source) -> Mapping[bytes, bytes]:
    """What the file says beside its rows."""
    with seekable(file) as handle:
        return _Table(handle, file.name).metadata


class _Table:
    """The batches of rows of an open file or stream, one after the other."""

    def __init__(self, handle: Any, file: str) -> None:
        self._handle, self._file = handle, file
        try:
            schema = self._reader().schema
            self.names: list[str] = list(schema.names)
            self.metadata: Mapping[bytes, bytes] = schema.metadata or {}
        except Exception as error:
            raise unreadable_as("Arrow", file, error) from error

    def _reader(self, places: Sequence[int] | None = None) -> Any:
        import pyarrow as pa

        self._handle.seek(0)
        is_file = self._handle.read(len(_FILE)) == _FILE
        self._handle.seek(0)
        options = pa.ipc.IpcReadOptions(included_fields=None if places is None else list(places), use_threads=False)
        open_it = pa.ipc.open_file if is_file else pa.ipc.open_stream
        return open_it(self._handle, options=options)

    def pieces(self, found: dict[str, str], sizes: Sizes, how: How) -> Iterator[tuple[Columns, int, Locate]]:
        """The columns that were found, a batch at a time."""
        readers = ColumnReaders(found, sizes.many_texts, how.na, fresh=False)
        row = 0
        for batch in self._batches(sorted({self.names.index(name) for name in found.values()})):
            for first in range(0, batch.num_rows, sizes.batch_rows):
                rows = batch.slice(first, sizes.batch_rows)
                locate = locate_from(self._file, row)
                try:
                    columns = readers.columns(rows, locate)
                except InputError:
                    raise
                except Exception as error:
                    raise self._broken(row, error) from error
                yield columns, rows.num_rows, locate
                row += rows.num_rows

    def _batches(self, places: Sequence[int]) -> Iterator[Any]:
        import pyarrow as pa

        n_rows = 0
        try:
            # Without a column there would be no rows to count.
            reader = self._reader(places or [0])
            if isinstance(reader, pa.RecordBatchFileReader):
                batches = map(reader.get_batch, range(reader.num_record_batches))
            else:
                batches = iter(reader)
            for batch in batches:
                yield batch
                n_rows += batch.num_rows
        except InputError:
            raise
        except Exception as error:
            raise self._broken(n_rows, error) from error

    def _broken(self, row: int, error: Exception) -> InputError:
        return unreadable_as("Arrow", self._file, error, f" after row {row - 1}" if row else "")


ARROW = FileFormat(
    name="arrow",
    title="Arrow",
    suffixes=(".arrow", ".feather", ".ipc", ".arrows"),
    binary=True,
    begins=begins,
    read=read,
    check=check,
    metadata=metadata,
    scan=scan,
    large_bytes=2**24,
    needs="pyarrow",
    extra="io",
)
