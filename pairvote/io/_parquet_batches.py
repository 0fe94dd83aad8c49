"""Parquet and the datasets of pyarrow, batch by batch through its scanner."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pairvote._common.arrow import is_text
from pairvote._common.threads import n_usable
from pairvote.errors import InputError
from pairvote.io._arrow_columns import ColumnReaders, locate_from, unreadable_as
from pairvote.io._arrow_text import MANY_TEXTS
from pairvote.io._file_format import Batch, Part, Reading, key_labels, with_keys

# A scanner reads ahead while its batches are used; more than about a row group's worth would only fill memory.
BATCHES_AHEAD = 8


@dataclass(frozen=True)
class Sizes:
    """How much of a file is read at once: rows of a batch, texts for a table of texts, threads."""

    batch_rows: int = 2**17
    many_texts: int = MANY_TEXTS
    n_threads: int = field(default_factory=n_usable)


def scan(parts: Sequence[Part], reading: Reading, *, sizes: Sizes | None = None) -> Generator[Batch, None, None]:
    """The rows of the files or fragments, in order."""
    for part in parts:
        yield from _File(part, reading, sizes or Sizes()).batches()


def check(part: Part, reading: Reading) -> None:
    """Refuse a file that does not have the columns."""
    _File(part, reading, Sizes())


class _File:
    """A file of Parquet, or a fragment of a dataset, with the columns of it that are wanted."""

    def __init__(self, part: Part, reading: Reading, sizes: Sizes) -> None:
        self._part, self._reading, self._sizes = part, reading, sizes
        self._kind = "Parquet" if part.fragment is None else "a dataset"
        self._row = 0
        self._all_groups: list[Any] = []
        try:
            fragment, schema = self._opened()
            self.found = reading.wanted.found_in(part.among(schema.names), part.name)
            taken = reading.of_interest(self.found)
            self._keys = key_labels(part, taken)
            self._in_file = {vote_part: name for vote_part, name in taken.items() if name not in part.keys}
            self._fragment, self._schema = _with_dictionaries(fragment, schema, self._in_file.values())
            self._is_parquet = _is_parquet(fragment)
        except InputError:
            raise
        except Exception as error:
            raise self._refusal(error) from error
        self._readers = ColumnReaders(self._in_file, sizes.many_texts, reading.how.na, fresh=self._is_parquet)

    def _opened(self) -> tuple[Any, Any]:
        from pyarrow import dataset, fs

        if self._part.fragment is None:
            # With buffers made beforehand, all of the file that was read would stay in memory until its end.
            options = dataset.ParquetFragmentScanOptions(pre_buffer=False)
            own = dataset.ParquetFileFormat(default_fragment_scan_options=options)
            packed = _unpacked(self._part)
            where = (str(self._part.path), fs.LocalFileSystem()) if packed is None else (packed,)
            fragment = own.make_fragment(*where)
            return fragment, fragment.physical_schema
        fragment, schema = self._part.fragment
        # Text has no types of its own: the dataset says which to read it as.
        is_text = isinstance(getattr(fragment, "format", None), _text_formats())
        return fragment, schema if is_text else fragment.physical_schema

    def batches(self) -> Iterator[Batch]:
        part, reading = self._part, self._reading
        try:
            n_rows = self._fragment.metadata.num_rows if self._is_parquet else None
            self._all_groups = self._fragment.row_groups if self._is_parquet else []
            self._pass_over_row_groups()
            batches = self._scanned()
        except Exception as error:
            raise self._refusal(error) from error
        agreed = False
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    return
                locate = locate_from(part.name, self._row)
                raw = self._readers.columns(batch, locate)
            except InputError:
                raise
            except Exception as error:
                # A broken file makes pyarrow raise errors of many kinds, some of them outside its own hierarchy.
                raise self._refusal(error) from error
            if not batch.num_rows:
                continue
            if not agreed:
                reading.agree(part.name, self.found)
                agreed = True
            columns = with_keys(raw, self._keys, batch.num_rows)
            self._row += batch.num_rows
            done = part.start + part.n_bytes * self._row // n_rows if n_rows else 0
            yield Batch(columns, batch.num_rows, locate, done)

    def _pass_over_row_groups(self) -> None:
        if not (self._reading.skip and self._is_parquet):
            return
        left: list[int] = []
        for group in self._all_groups:
            if not left and group.num_rows <= self._reading.skip:
                self._reading.skip -= group.num_rows
                self._row += group.num_rows
            else:
                left.append(group.id)
        self._fragment = self._fragment.subset(row_group_ids=left)

    def _scanned(self) -> Iterator[Any]:
        """The batches of rows. A user's dataset is read a row group at a time, since its options may buffer all."""
        names = list(dict.fromkeys(self._in_file.values()))
        if self._part.fragment is None and self._sizes.n_threads == 1 and not any("." in name for name in names):
            # A scanner has a thread that reads ahead, also where it was asked for none; a dot would be a path here.
            from pyarrow import BufferReader
            from pyarrow.parquet import ParquetFile

            texts = self._fragment.format.read_options.dictionary_columns
            content = self._fragment.buffer
            source = self._part.path if content is None else BufferReader(content)
            with ParquetFile(source, read_dictionary=list(texts)) as file:
                # One after the other, so that no more than one is held.
                for group in self._fragment.row_groups:
                    rows = {"row_groups": [group.id], "columns": names}
                    yield from file.iter_batches(self._sizes.batch_rows, use_threads=False, **rows)
            return
        if _is_ipc(self._fragment):
            yield from self._ipc_batches(names)
            return
        if self._part.fragment is None or not self._is_parquet:
            yield from self._scanner(self._fragment).to_batches()
            return
        for group in self._fragment.row_groups:
            yield from self._scanner(self._fragment.subset(row_group_ids=[group.id])).to_batches()

    def _ipc_batches(self, names: list[str]) -> Iterator[Any]:
        """Batches of an Arrow IPC file, in turn: a scanner that reads ahead in a broken one may crash."""
        import pyarrow as pa

        places = [self._schema.get_field_index(name) for name in names]
        options = pa.ipc.IpcReadOptions(included_fields=places, use_threads=self._sizes.n_threads > 1)
        with self._fragment.open() as file:
            reader = pa.ipc.open_file(file, options=options)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                for first in range(0, batch.num_rows, self._sizes.batch_rows):
                    yield batch.slice(first, self._sizes.batch_rows)

    def _scanner(self, fragment: Any) -> Any:
        from pyarrow.dataset import Scanner

        return Scanner.from_fragment(
            fragment,
            schema=self._schema,
            columns=list(dict.fromkeys(self._in_file.values())),
            batch_size=self._sizes.batch_rows,
            batch_readahead=BATCHES_AHEAD,
            fragment_readahead=1,
            use_threads=self._sizes.n_threads > 1,
        )

    def _refusal(self, error: Exception) -> InputError:
        return unreadable_as(self._kind, self._part.name, error, self._broken_rows())

    def _broken_rows(self) -> str:
        """The rows in which a file is broken: a scanner that reads ahead stops before it has given all above them."""
        first = 0
        for group in self._all_groups:
            stop = first + group.num_rows
            if stop > self._row and self._is_broken(group.id):
                return f" at rows {first} to {stop - 1}"
            first = stop
        return f" after row {self._row - 1}" if self._row else ""

    def _is_broken(self, group: int) -> bool:
        try:
            for _ in self._scanner(self._fragment.subset(row_group_ids=[group])).to_batches():
                continue
        except Exception:
            return True
        return False


def _unpacked(part: Part) -> Any:
    """What is packed in a file, whole in memory: pyarrow reads Parquet from its end. None for a plain file."""
    import pyarrow as pa

    # Opened by Python first, which says clearly what keeps a file from being read.
    with part.open() as handle:
        head = handle.read(4)
        if part.member is None and part.path is not None:
            with part.path.open("rb") as plain:
                if plain.read(4) == head:
                    return None
        return pa.py_buffer(head + handle.read())


def _text_formats() -> tuple[type, ...]:
    from pyarrow import dataset

    return tuple(getattr(dataset, name) for name in ("CsvFileFormat", "JsonFileFormat") if hasattr(dataset, name))


def _is_ipc(fragment: Any) -> bool:
    from pyarrow.dataset import IpcFileFormat

    return isinstance(getattr(fragment, "format", None), IpcFileFormat)


def _is_parquet(fragment: Any) -> bool:
    from pyarrow.dataset import ParquetFileFragment

    return isinstance(fragment, ParquetFileFragment)


def _with_dictionaries(fragment: Any, schema: Any, names: Any) -> tuple[Any, Any]:
    """The fragment and its schema, with text columns read as dictionaries, which is how Parquet stores them."""
    from pyarrow import dataset

    texts = {name for name in names if is_text(schema.field(name).type)}
    if not texts or not _is_parquet(fragment):
        return fragment, schema
    own = fragment.format
    read = dataset.ParquetReadOptions(
        dictionary_columns=texts | own.read_options.dictionary_columns,
        coerce_int96_timestamp_unit=own.read_options.coerce_int96_timestamp_unit,
    )
    fmt = dataset.ParquetFileFormat(read_options=read, default_fragment_scan_options=own.default_fragment_scan_options)
    groups = [group.id for group in fragment.row_groups]
    if fragment.buffer is None:
        where = (fragment.path, fragment.filesystem, fragment.partition_expression)
        remade = fmt.make_fragment(*where, row_groups=groups)
    else:
        remade = fmt.make_fragment(fragment.buffer, row_groups=groups)
    return remade, remade.physical_schema
