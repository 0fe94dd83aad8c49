"""Columns of records: objects within them flattened with dots, and a row for each entry of a list of objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import code_column
from pairvote._common.messages import Locate, listed, plural, shorten, wrong_entry
from pairvote.errors import InputError
from pairvote.io._how import How
from pairvote.io._json_values import Block, Doubled, Place, Record, named, row_names, spelt
from pairvote.io._missing import without
from pairvote.io._source import Columns
from pairvote.io._text import is_text
from pairvote.io._types import TypesApart
from pairvote.votes._wanted import AMOUNTS

NESTED = (dict, list, Doubled)
_NESTED = frozenset(NESTED)
# Records of which no more are held, should their first ones lack a column.
MOST_BYTES_HELD = 2**24
Find = Callable[[Sequence[str]], dict[str, str]]


class Names:
    """The names of all columns of the records so far, in the order in which they turn up."""

    def __init__(self) -> None:
        self.known: dict[str, None] = {}
        self._doubled: dict[str, None] = {}
        self._flat: set[tuple[str, ...]] = set()

    def learn(self, records: Iterable[Record]) -> bool:
        """Take in the names of records; whether there were new ones."""
        n_before = len(self.known) + len(self._doubled)
        for record in records:
            keys = tuple(record)
            if not _NESTED.isdisjoint(map(type, record.values())):
                self.known.update(dict.fromkeys(self._below(record)))
            elif keys not in self._flat:
                self._flat.add(keys)
                self.known.update(dict.fromkeys(keys))
        return len(self.known) + len(self._doubled) > n_before

    def all(self) -> list[str]:
        """Every name; one that can be read in two ways, such as "a.b", twice."""
        return [*self.known, *self._doubled]

    def _below(self, record: Record) -> dict[str, None]:
        names: dict[str, None] = {}
        for key, value in record.items():
            deeper: dict[str, None] = {}
            for entry in [value] if isinstance(value, dict) else value if _is_repeated(value) else ():
                deeper.update(self._below(entry))
            own = [f"{key}.{name}" for name in deeper] or [key]
            self._doubled.update((name, None) for name in own if name in names)
            names.update(dict.fromkeys(own))
        return names


def _is_repeated(value: Any) -> bool:
    """Whether it is a list of objects, each of which gives rows of its own."""
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def records_of(document: Record, find: Find, file: str, *, every: bool) -> list[Record]:
    """The records of an object that is all of a file: columns, named rows, a list of objects, or objects by keys.

    Where `every` column is wanted, their names do not tell which of these it is.
    """
    if _is_split(document):
        names = row_names(document["columns"], How(), file)
        return [named(row, names, f"row {number} of {file}") for number, row in enumerate(document["data"], 1)]
    wanted = None if every else _found(find, list(document))
    if wanted is not None:
        columns = {name: document[name] for name in wanted.values()}
        if all(isinstance(column, list) for column in columns.values()):
            return _of_columns(columns, file)
        return _of_columns_by_key(columns) if _are_objects(columns) else [document]
    names_below = Names()
    names_below.learn([document])
    if not every and _found(find, names_below.all()) is not None:
        return [document]
    repeated = [key for key, value in document.items() if _is_repeated(value)]
    if len(repeated) == 1:
        return list(document[repeated[0]])
    if repeated and not every:
        raise InputError(
            f"{file} has several lists of objects, {listed(repeated)}",
            where=file,
            remedy=f"name the columns together with their list, such as left={repeated[0] + '.left'!r}",
        )
    if _are_objects(document):
        numbered = all(key.isdecimal() for column in document.values() for key in column)
        return _of_columns_by_key(document) if numbered else list(document.values())
    lists = {key: value for key, value in document.items() if isinstance(value, list)}
    return _of_columns(lists, file) if len(set(map(len, lists.values()))) == 1 < len(lists) else [document]


def _is_split(document: Record) -> bool:
    """Whether it has the names of columns, and rows."""
    names, rows = document.get("columns"), document.get("data")
    return isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows)


def _are_objects(values: Record) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values.values())


def _found(find: Find, names: Sequence[str]) -> dict[str, str] | None:
    try:
        return find(names)
    except InputError:
        return None


def _of_columns(columns: Mapping[str, list[Any]], file: str) -> list[Record]:
    lengths: dict[int, str] = {}
    for name, column in columns.items():
        lengths.setdefault(len(column), name)
    if len(lengths) > 1:
        (n_first, first), (n_other, other) = list(lengths.items())[:2]
        raise InputError(
            f"{file} has {n_first} entries in {first!r} and {n_other} in {other!r}",
            where=file,
            remedy="give all columns one length",
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _of_columns_by_key(columns: Mapping[str, Record]) -> list[Record]:
    keys = dict.fromkeys(key for column in columns.values() for key in column)
    return [{name: column[key] for name, column in columns.items() if key in column} for key in keys]


class Rows:
    """The wanted columns of the records of one file, block by block.

    Parameters
    ----------
    find : function
        Gives the parts that are wanted, by all names of columns, with their names; InputError for one that is lacking.
    every : bool
        Whether all columns are wanted as they are, so that nothing in them is wrong.
    """

    def __init__(self, file: str, how: How, find: Find, *, every: bool) -> None:
        self._file, self._how, self._find, self._every = file, how, find, every
        self._names = Names()
        self._held: list[Block] = []
        self._lacking = True
        self._types = TypesApart()
        self.found: dict[str, str] = {}
        self.n_without = 0

    @property
    def names(self) -> list[str]:
        """The names of all columns so far."""
        return self._names.all()

    def blocks(self, block: Block) -> list[tuple[Columns, list[Place], int]]:
        """The columns of a block, and of those before it that were held; none while a column that is needed lacks."""
        if self._names.learn(block.records):
            try:
                # What rows were read by stays as it was.
                self.found = {**self._find(self._names.all()), **self.found}
            except InputError:
                self._lacking = True
            else:
                self._lacking = False
        if self._lacking:
            self._held.append(block)
            if block.done - self._held[0].done > MOST_BYTES_HELD:
                self._find(self._names.all())
            return []
        held, self._held = [*self._held, block], []
        return [(*self._columns(each), each.done) for each in held]

    def finish(self) -> None:
        """Refuse a file whose records lack a column, and say how many gave no row."""
        if any(block.records for block in self._held):
            self._find(self._names.all())
        if self.n_without:
            what = f"{plural(self.n_without, 'record')} of {self._file}"
            self._how.report.remark(f"{what} without an entry in the list that has the columns")

    def _columns(self, block: Block) -> tuple[Columns, list[Place]]:
        records, places = block.records, block.places
        if not any("." in name for name in self.found.values()):
            columns = {part: [record.get(name) for record in records] for part, name in self.found.items()}
        else:
            columns, places = self._expanded(records, places)
        for part, values in columns.items():
            if not {list, float}.isdisjoint(map(type, values)):
                columns[part] = [_one(value) for value in values]
            columns[part] = without(columns[part], self._how.na)
        return (columns, places) if self._every else self._checked(columns, places)

    def _expanded(self, records: list[Record], places: list[Place]) -> tuple[Columns, list[Place]]:
        rows: list[Record] = []
        of_rows: list[Place] = []
        for record, place in zip(records, places, strict=True):
            try:
                found = _rows(record, self.found, every=self._every)
            except InputError as error:
                where = spelt(place, self._file)
                self._how.report.refuse(InputError(f"{where} {error.problem}", where=where, remedy=error.remedy))
                continue
            self.n_without += not found
            rows += found
            of_rows += [place] * len(found)
        return {part: [row.get(part) for row in rows] for part in self.found}, of_rows

    def _checked(self, columns: Columns, places: list[Place]) -> tuple[Columns, list[Place]]:
        """Refuse rows that have a list or an object as a label, and labels that Python would take for each other."""
        wrong: dict[int, InputError] = {}
        for part, values in columns.items():
            if part in AMOUNTS:
                continue
            kinds = set(map(type, values))
            if not kinds.isdisjoint(NESTED) or any(map(_is_wrong, set(values))):
                for row, value in enumerate(values):
                    if _is_wrong(value):
                        wrong.setdefault(row, _wrong_label(part, value, spelt(places[row], self._file)))
            self._types.check(part, values, lambda row: spelt(places[row], self._file))
        for row in sorted(wrong):
            self._how.report.refuse(wrong[row])
        if not wrong:
            return columns, places
        left = [row for row in range(len(places)) if row not in wrong]
        taken = {part: [values[row] for row in left] for part, values in columns.items()}
        return taken, [places[row] for row in left]


def _is_wrong(value: Any) -> bool:
    """Whether a value can be no label: half of a character, what is not one value, a number without an end."""
    if isinstance(value, str):
        return not (value.isascii() or is_text(value))
    return isinstance(value, NESTED) or (isinstance(value, float) and math.isinf(value))


def _wrong_label(part: str, value: Any, where: str) -> InputError:
    if isinstance(value, str):
        found = f"{shorten(value)}, which has half of a surrogate pair and so is not text"
        return wrong_entry(part, where, value, "write the whole character", found=found)
    if isinstance(value, NESTED):
        found = f"{shorten(value)}, which is not hashable and so cannot be a label"
        return wrong_entry(part, where, value, "use text or a number", found=found)
    found = f"{value}, which stands for any number beyond the largest"
    return wrong_entry(part, where, value, "write it as text", found=found)


def _one(value: Any) -> Any:
    """The only entry of a list, and nothing for an empty one or for NaN."""
    if isinstance(value, list) and len(value) < 2 and not any(isinstance(entry, NESTED) for entry in value):
        value = value[0] if value else None
    return None if isinstance(value, float) and math.isnan(value) else value


def _rows(record: Record, paths: Mapping[str, str], *, every: bool) -> list[Record]:
    """The rows of a record: what it has of the parts, by their paths, once for each entry of a list on the way.

    Where `every` column is wanted, entries of several lists stand side by side.
    """
    own: Record = {}
    below: dict[str, dict[str, str]] = {}
    for part, path in paths.items():
        key, rest = _step(record, path)
        if rest is not None:
            below.setdefault(key, {})[part] = rest
        elif key in record:
            own[part] = record[key]
    rows, repeated = [own], ""
    for key, deeper in below.items():
        value = record[key]
        if isinstance(value, Doubled):
            raise InputError(f"has the key {shorten(value.twice)} more than once", remedy="rename one of the two")
        if isinstance(value, dict):
            found = _rows(value, deeper, every=every)
        else:
            # An entry without any of the columns is about something else.
            found = [
                row for entry in value if isinstance(entry, dict) for row in _rows(entry, deeper, every=every) if row
            ]
        if every and (not found or min(len(rows), len(found)) > 1):
            rows = [{**row, **more} for row, more in zip_longest(rows, found, fillvalue=own)]
            continue
        if len(found) != 1:
            if repeated:
                raise InputError(
                    f"has several entries both in {repeated!r} and in {key!r}, and nothing says which belong together",
                    remedy="name columns of one list only",
                )
            repeated = key
        rows = [{**row, **more} for row in rows for more in found]
    return rows


def _step(record: Record, path: str) -> tuple[str, str | None]:
    """The key of a record on the way of a path, and the rest of the path below it; None where the way ends here."""
    if path in record:
        return path, None
    at = path.find(".")
    while at >= 0:
        if isinstance(record.get(path[:at]), NESTED):
            return path[:at], path[at + 1 :]
        at = path.find(".", at + 1)
    return path, None


def coded(values: list[Any], part: str, locate: Locate) -> Coded | list[Any]:
    """The values of a column of labels as codes; as they are where lists or objects are among them."""
    if not _NESTED.isdisjoint(map(type, values)):
        return values
    column = code_column(values, part, locate)
    return Coded(np.asarray(column.codes, np.int32), list(column.labels))
