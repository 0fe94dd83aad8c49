"""Votes as Parquet, through pyarrow."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Mapping
from typing import IO, Any

import numpy as np

from pairvote._common.arrow import is_text
from pairvote._common.frames import Frame
from pairvote._common.messages import Locate, shorten
from pairvote.errors import InputError
from pairvote.io._arrow_columns import locate_from, seekable, unreadable_as
from pairvote.io._file_format import FileFormat
from pairvote.io._how import How
from pairvote.io._kept_items import kept_items
from pairvote.io._missing import without
from pairvote.io._parquet_batches import check, scan
from pairvote.io._source import Columns, Source, in_order, label_columns
from pairvote.votes._votes import Votes
from pairvote.votes._wanted import Finder


def read(file: Source, wanted: Finder, how: How) -> tuple[Columns, Locate]:
    """The wanted columns, coded where they are text, and what tells the number of a row."""
    with seekable(file) as handle:
        columns = _columns(handle, wanted, file.name)
    return {part: without(column, how.na) for part, column in columns.items()}, locate_from(file.name, 0)


def _columns(handle: Any, wanted: Finder, file: str) -> Columns:
    from pyarrow import parquet

    try:
        schema = parquet.read_schema(handle)
        found = wanted.found_in(schema.names, file)
        names = list(dict.fromkeys(found.values()))
        texts = [name for name in names if is_text(schema.field(name).type)]
        handle.seek(0)
        table = parquet.ParquetFile(handle, read_dictionary=texts).read(columns=names)
        frame = Frame(table)
        columns: Columns = {part: frame.column(name) for part, name in found.items()}
    except InputError:
        raise
    except Exception as error:
        # A broken file makes pyarrow raise errors of many kinds, some of them outside its own hierarchy.
        raise unreadable_as("Parquet", file, error) from error
    return columns


def write(votes: Votes, handle: IO[bytes]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {}
    for kind, coded, labels in label_columns(votes):
        values = _label_array(labels, kind)
        for part, codes in coded.items():
            places = pa.array(codes, mask=codes < 0)
            is_text = values.type == pa.string()
            columns[part] = pa.DictionaryArray.from_arrays(places, values) if is_text else values.take(places)
    if votes.weight is not None:
        columns["weight"] = pa.array(votes.weight)
    if votes.time is not None:
        columns["time"] = pa.array(votes.time)
    if votes.question is not None:
        columns["question"] = pa.array(votes.question, mask=votes.question < 0)
    table = pa.table(in_order(columns))
    parquet.write_table(table.replace_schema_metadata(kept_items(votes)), handle)


def metadata(file: Source) -> Mapping[bytes, bytes]:
    """What the file says beside its rows."""
    from pyarrow import parquet

    with seekable(file) as handle:
        try:
            return parquet.read_schema(handle).metadata or {}
        except Exception as error:
            raise unreadable_as("Parquet", file.name, error) from error


def _label_array(labels: list[Hashable], kind: str) -> Any:
    """The labels as an Arrow array, all text or all whole numbers."""
    import pyarrow as pa

    texts = [str.__str__(label) for label in labels if isinstance(label, str)]
    numbers = [
        operator.index(label)
        for label in labels
        if isinstance(label, (int, np.integer)) and not isinstance(label, bool)
    ]
    if len(labels) not in (len(texts), len(numbers)):
        raise InputError(
            f"the {kind} labels {shorten(labels)} cannot be written: a column of Parquet is all text or all "
            "whole numbers; rename them, or use .jsonl"
        )
    try:
        return pa.array(numbers, pa.int64()) if numbers else pa.array(texts, pa.string())
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        raise InputError(f"the {kind} labels cannot be written to Parquet ({error}); rename them") from error


PARQUET = FileFormat(
    name="parquet",
    title="Parquet",
    suffixes=(".parquet", ".pq", ".parq"),
    binary=True,
    begins=lambda head: head.startswith(b"PAR1"),
    read=read,
    write=write,
    check=check,
    metadata=metadata,
    scan=scan,
    # The same votes take several times as many bytes as text.
    large_bytes=2**24,
    needs="pyarrow",
    extra="io",
)
