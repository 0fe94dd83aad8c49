"""One numbering of labels for all batches of rows, in the order in which the rows first show them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from itertools import islice, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import weights
from pairvote._common.coded import Coded
from pairvote._common.labels import Codes, first_row, is_missing, look_up
from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote._common.outcomes import Outcomes, meanings_of, outcome_code, unknown_outcome
from pairvote._common.text_table import COMPILED, TextTable
from pairvote.io._arrow_text import Texts
from pairvote.io._file_format import Batch
from pairvote.votes._chunks import CodedVotes


class Numbering:
    """Turns batches into coded votes, one after the other."""

    def __init__(self, items: tuple[Hashable, ...] | None, outcomes: Outcomes | None) -> None:
        self._items = LabelTable("item", items)
        self._voters = LabelTable("voter")
        self._criteria = LabelTable("criterion")
        self._outcomes = _OutcomeTable(outcomes)
        self._has: set[str] = set()

    def coded(self, batch: Batch) -> CodedVotes:
        columns = batch.columns
        sides = {side: columns[side] for side in ("left", "right")}
        left, right = self._items.number(sides, batch.locate)
        votes = CodedVotes(
            items=self._items.labels,
            left=left,
            right=right,
            outcome=self._outcomes.number(columns["outcome"], batch.locate),
            weight=None if batch.weight is None else weights(batch.weight, batch.n_rows, batch.locate),
            locate=batch.locate,
        )
        for part, table, labels in (("voter", self._voters, "voters"), ("criterion", self._criteria, "criteria")):
            if part in columns:
                self._has.add(part)
                (numbered,) = table.number({part: columns[part]}, batch.locate)
                codes = numbered.spread()
            elif part in self._has:
                codes = np.full(batch.n_rows, -1, np.int32)
            else:
                continue
            fields: dict[str, Any] = {part: codes, labels: table.labels}
            votes = replace(votes, **fields)
        return votes


class _Known(NamedTuple):
    """The number of every label, -1 where it has none; at the end -1, which is what the code -1 picks."""

    labels: Sequence[Hashable]
    numbers: NDArray[np.int32]
    entries: NDArray[np.int32]
    whole: bool

    @classmethod
    def of(cls, labels: Sequence[Hashable], numbers: NDArray[np.int32]) -> _Known:
        numbers.flags.writeable = False
        entries = numbers[:-1]
        return cls(labels, numbers, entries, not len(entries) or bool(entries.min() >= 0))


class LabelTable:
    """The labels of one kind and their numbers; `known` ones are all that there may be."""

    def __init__(self, kind: str, known: tuple[Hashable, ...] | None = None) -> None:
        self._kind, self._closed = kind, known is not None
        self._numbers: dict[Hashable, int] = {label: number for number, label in enumerate(known or ())}
        self._labels = tuple(self._numbers)
        self._seen: dict[str, _Known] = {}
        self._first: tuple[Hashable, str, int, Locate] | None = None
        # Of texts by the thousand: a table of them, the number here of each, and where each side's entries are in it.
        self._texts = TextTable()
        self._of_text = np.empty(0, np.int32)
        self._entries: dict[str, Codes] = {}

    @property
    def labels(self) -> tuple[Hashable, ...]:
        n_new = len(self._numbers) - len(self._labels)
        if n_new:
            self._labels = (*self._labels, *reversed(list(islice(reversed(self._numbers), n_new))))
        return self._labels

    def number(self, columns: Mapping[str, Coded], locate: Locate) -> list[Coded]:
        """The columns, whose rows are read together, numbered alike."""
        for part, column in columns.items():
            seen = self._seen.get(part)
            if seen is None or not _same(seen.labels, column.labels):
                self._seen[part] = self._look_up(part, column, locate)
        gaps = {part: column.has_gaps(part, locate) for part, column in columns.items()}
        if any(gaps[part] or not self._seen[part].whole for part in columns):
            self._admit(columns, locate)
        return [
            Coded(column.codes, self._seen[part].numbers if gaps[part] else self._seen[part].entries)
            for part, column in columns.items()
        ]

    def _look_up(self, part: str, column: Coded, locate: Locate) -> _Known:
        labels = column.labels
        numbers = np.full(len(labels) + 1, -1, np.int32)
        if isinstance(labels, range):
            # Far more whole numbers may lie in the range than there are labels: those in use are looked up one by one.
            seen = self._seen.get(part)
            if seen is not None and isinstance(seen.labels, range) and seen.labels.start in labels:
                start = seen.labels.start - labels.start
                numbers[start : start + len(seen.labels)] = seen.entries
            return _Known.of(labels, numbers)
        self._entries.pop(part, None)
        if isinstance(labels, Texts) and COMPILED:
            entries = self._texts.number(labels.packed())
            if entries is not None:
                n_new = self._texts.n_texts - len(self._of_text)
                self._of_text = np.concatenate([self._of_text, np.full(n_new, -1, np.int32)])
                self._entries[part] = entries
                numbers[:-1] = self._of_text[entries]
                return _Known.of(labels, numbers)
        try:
            numbers[:-1] = np.fromiter(map(self._numbers.get, labels, repeat(-1)), np.int32, len(labels))
        except TypeError:
            _refuse_unhashable(part, column, locate)
            raise
        return _Known.of(labels, numbers)

    def _admit(self, columns: Mapping[str, Coded], locate: Locate) -> None:
        """Give a number to each label in use that has none yet, in the order of the rows."""
        found: list[tuple[NDArray[np.intp], NDArray[np.int32]]] = []
        labels: list[Hashable] = []
        for part, column in columns.items():
            rows = np.flatnonzero(self._seen[part].numbers[column.codes] < 0)
            entries, first = np.unique(column.codes[rows], return_index=True)
            found.append((rows[first], entries))
            labels += _at(column.labels, entries)
        if not labels:
            return
        all_rows = np.concatenate([rows for rows, _ in found])
        parts, stops = list(columns), np.cumsum([len(rows) for rows, _ in found])
        # Stable, so that of one row the left item comes before the right one.
        order = np.argsort(all_rows, kind="stable")
        numbers = np.empty(len(labels), np.int32)
        in_order = order.tolist()

        def place(number: int) -> tuple[str, int]:
            entry = in_order[number]
            return parts[int(np.searchsorted(stops, entry, side="right"))], int(all_rows[entry])

        numbers[order] = self._number_all([labels[entry] for entry in in_order], place, locate)
        for part, (_, entries) in zip(columns, found, strict=True):
            own, numbers = numbers[: len(entries)], numbers[len(entries) :]
            if len(own) and own.max() >= 0:
                fresh = self._seen[part].numbers.copy()
                fresh[entries] = own
                if part in self._entries:
                    self._of_text[self._entries[part][entries]] = own
                self._seen[part] = _Known.of(columns[part].labels, fresh)

    def _number_all(self, labels: list[Hashable], place: Callable[[int], tuple[str, int]], locate: Locate) -> Any:
        """The number of every label; `place` says in which column and row each stands."""
        numbers: list[int] = []
        if self._first is None:
            numbers.append(self._number(labels[0], *place(0), locate))
        kinds = set(map(type, labels))
        if kinds in ({str}, {int}) and self._first is not None and type(self._first[0]) in kinds:
            # With labels of the type of the first of all, nothing can be wrong.
            return look_up(self._numbers, [labels])[0]
        numbers += [self._number(label, *place(n), locate) for n, label in enumerate(labels) if n >= len(numbers)]
        return numbers

    def _number(self, label: Hashable, part: str, row: int, locate: Locate) -> int:
        number = self._numbers.get(label)
        if number is not None:
            return number
        if is_missing(label):
            if self._kind != "item":
                return -1
            remedy = "a vote needs two items, so fill it in or drop the row"
            raise wrong_entry(part, locate(row), None, remedy, found="missing")
        if self._closed:
            found = f"{shorten(label)}, which is not among the {len(self._numbers)} items of items="
            raise wrong_entry(
                part, locate(row), label, "add it there or leave out the row", found=found, option="items"
            )
        if self._first is None:
            self._first = (label, part, row, locate)
        first, first_part, first_row, where = self._first
        if type(label) is not type(first) and _type(label) != _type(first):
            found = (
                f"{shorten(label)}, a label of type {_type(label)}, and {first_part} at {where(first_row)} is "
                f"{shorten(first)}, of type {_type(first)}"
            )
            remedy = "give all labels one type, so that none is taken for another"
            raise wrong_entry(part, locate(row), label, remedy, found=found)
        self._numbers[label] = number = len(self._numbers)
        return number


class _OutcomeTable:
    """What the labels of outcomes mean."""

    def __init__(self, outcomes: Outcomes | None) -> None:
        self._names = meanings_of(outcomes)
        self._seen: _Known | None = None

    def number(self, column: Coded, locate: Locate) -> Coded:
        codes, labels = column
        gaps = column.has_gaps("outcome", locate)
        if self._seen is None or not _same(self._seen.labels, labels):
            numbers = [outcome_code(label, self._names) for label in [*labels, None]]
            self._seen = _Known.of(labels, np.array(numbers, np.int32))
        seen = self._seen
        if gaps or not seen.whole:
            wrong = seen.numbers[codes] < 0
            if wrong.any():
                row = first_row(wrong)
                label = None if codes[row] < 0 else labels[codes[row]]
                raise unknown_outcome(label, locate(row), self._names)
        if gaps:
            return Coded(np.where(codes < 0, np.int32(len(labels)), codes), seen.numbers)
        return Coded(codes, seen.entries)


def _at(labels: Sequence[Hashable], entries: Codes) -> list[Hashable]:
    """The labels at these places, None for -1."""
    if isinstance(labels, Texts) and (not len(entries) or entries.min() >= 0):
        return list(labels.at(entries))
    return [None if entry < 0 else labels[entry] for entry in entries.tolist()]


def _same(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> bool:
    return ours is theirs or (type(ours) is type(theirs) and ours == theirs)


def _type(label: object) -> str:
    """The type of a label in a file: numbers, with and without a fraction, are of one."""
    if isinstance(label, bool) or not isinstance(label, (int, float, np.number)):
        return type(label).__name__
    return "number"


def _refuse_unhashable(part: str, column: Coded, locate: Locate) -> None:
    for row, code in enumerate(column.codes.tolist()):
        label: Any = None if code < 0 else column.labels[code]
        try:
            hash(label)
        except TypeError:
            found = f"{shorten(label)}, which is not hashable and so cannot be a label"
            raise wrong_entry(part, locate(row), label, "use a string, a number or a tuple", found=found) from None
