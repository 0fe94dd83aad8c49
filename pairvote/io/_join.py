"""Columns of several files, or of several blocks of one, put one below the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, code_column, iterate_labels, refuse_unhashable
from pairvote._common.messages import Locate
from pairvote.io._arrow_text import Texts
from pairvote.io._source import Columns

# The columns by part, the number of rows, and what tells where each of them stands.
Piece = tuple[Columns, int, Locate]


def joined(pieces: Sequence[Piece], parts: Sequence[str]) -> tuple[Columns, Locate]:
    """The pieces as one; a part that a piece lacks is missing in its rows."""
    if len(pieces) == 1 and list(pieces[0][0]) == list(parts):
        return pieces[0][0], pieces[0][2]
    lengths = [n_rows for _, n_rows, _ in pieces]
    columns: Columns = {}
    for part in parts:
        given = [piece.get(part) for piece, _, _ in pieces]
        is_coded = all(column is None or isinstance(column, Coded) for column in given)
        columns[part] = _labels(part, given, pieces) if is_coded else _amounts(given, lengths)
    starts = [0, *accumulate(lengths)]

    def locate(row: int) -> str:
        place = min(bisect_right(starts, row), len(pieces)) - 1
        return pieces[place][2](row - starts[place])

    return columns, locate


def _amounts(columns: Sequence[Any], lengths: Sequence[int]) -> Any:
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns)
    values: list[Any] = []
    for column, n_rows in zip(columns, lengths, strict=True):
        values += [None] * n_rows if column is None else _listed(column)
    return values


def _listed(column: Any) -> list[Any]:
    if isinstance(column, Coded):
        entries = [*column.labels, None]
        return [entries[code] for code in column.codes.tolist()]
    return list(column.tolist() if isinstance(column, np.ndarray) else column)


def _labels(part: str, columns: Sequence[Any], pieces: Sequence[Piece]) -> Coded:
    """One numbering of all labels; those of different types are kept apart."""
    table: dict[tuple[bool, Hashable], int] = {}
    codes = [np.empty(0, np.int32)]
    for column, (_, n_rows, locate) in zip(columns, pieces, strict=True):
        if column is None:
            codes.append(np.full(n_rows, -1, np.int32))
            continue
        own = column if isinstance(column, Coded) else code_column(as_column(column, part), part, locate)
        used = np.unique(own.codes[own.codes >= 0])
        numbers = np.full(len(own.labels) + 1, -1, np.int32)
        try:
            numbers[used] = [
                table.setdefault((isinstance(label, (bool, np.bool_)), label), len(table))
                for label in _at(own.labels, used)
            ]
        except TypeError:
            refuse_unhashable(iterate_labels(own.codes, own.labels), part, locate)
            raise
        codes.append(numbers[own.codes])
    return Coded(np.concatenate(codes), [label for _, label in table])


def _at(labels: Any, used: Any) -> list[Any]:
    return list(labels.at(used)) if isinstance(labels, Texts) else [labels[code] for code in used.tolist()]
