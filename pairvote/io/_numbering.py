"""One numbering of labels for all batches of rows, in the order in which rows first show the labels."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import weights
from pairvote._common.coded import Coded
from pairvote._common.labels import Codes, is_missing, iterate_labels, look_up, refuse_unhashable
from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote._common.outcomes import Meanings, Outcomes
from pairvote._common.questions import questions
from pairvote._common.text_table import COMPILED, TextTable
from pairvote._common.times import times
from pairvote._common.unknown_outcomes import Explain, unknown_outcomes
from pairvote.errors import InputError
from pairvote.io._arrow_text import Texts
from pairvote.votes._build import names_winners
from pairvote.votes._chunks import CodedVotes
from pairvote.votes._wanted import AMOUNTS


@dataclass(frozen=True)
class Rows:
    """Some rows of votes: the coded columns by part, with left, right and outcome among them.

    When a column has the labels that it had in the rows before, `labels` is the same object: they are looked up once.
    """

    columns: Mapping[str, Coded]
    n_rows: int
    locate: Locate
    weight: NDArray[np.float64] | None = None
    time: Any = None
    question: Any = None

    @classmethod
    def of(cls, columns: Mapping[str, Any], n_rows: int, locate: Locate) -> Rows:
        """The rows of columns, of which those of amounts are arrays."""
        labels = {part: column for part, column in columns.items() if isinstance(column, Coded) and part not in AMOUNTS}
        return cls(labels, n_rows, locate, *map(columns.get, ("weight", "time", "question")))


class Numbering:
    """Makes coded votes of batches, and keeps one numbering of labels for all of them."""

    def __init__(self, items: tuple[Hashable, ...] | None, outcomes: Outcomes | None) -> None:
        self._items = LabelTable("item", items)
        self._voters = LabelTable("voter")
        self._criteria = LabelTable("criterion")
        self._outcomes = _OutcomeTable(outcomes)
        self._has: set[str] = set()

    def coded(self, batch: Rows) -> CodedVotes:
        columns = batch.columns
        sides = {side: columns[side] for side in ("left", "right")}
        left, right = self._items.number(sides, batch.locate)

        def explain(rows: NDArray[np.intp], labels: Sequence[Any]) -> InputError | None:
            # Only now, since votes that are whole need no rows of their own.
            return names_winners(left.spread(), right.spread(), self._items.labels, batch.locate)(rows, labels)

        outcome, share = self._outcomes.number(columns["outcome"], batch.locate, explain)
        votes = CodedVotes(
            items=self._items.labels,
            left=left,
            right=right,
            outcome=outcome,
            share=share,
            time=None if batch.time is None else times(batch.time, batch.n_rows, batch.locate),
            question=None if batch.question is None else questions(batch.question, batch.n_rows, batch.locate),
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
    """What is known of the labels of a column, which the next batch may have as well.

    `numbers` has the number of each label, -1 where there is none, and at its end -1 for a missing value. `entries` is
    `numbers` without its end, and `whole` says that every label has a number. `in_texts` has the place of each label in
    a table of texts.
    """

    labels: Sequence[Hashable]
    numbers: NDArray[np.int32]
    entries: NDArray[np.int32]
    whole: bool
    in_texts: Codes | None = None

    @classmethod
    def of(cls, labels: Sequence[Hashable], numbers: NDArray[np.int32], in_texts: Codes | None = None) -> _Known:
        numbers.flags.writeable = False
        entries = numbers[:-1]
        return cls(labels, numbers, entries, not len(entries) or bool(entries.min() >= 0), in_texts)


class _Texts:
    """Numbers of texts by the thousand, found by their bytes and not as Python strings."""

    def __init__(self) -> None:
        self._table = TextTable()
        self._numbers = np.empty(0, np.int32)

    def places(self, labels: Texts) -> Codes | None:
        """The place of each text in the table; None when the table has no room for them."""
        places = self._table.number(labels.packed())
        n_new = self._table.n_texts - len(self._numbers)
        self._numbers = np.append(self._numbers, np.full(n_new, -1, np.int32))
        return places

    def numbers(self, places: Codes) -> Codes:
        """The number of the text at each place, -1 where it has none."""
        return self._numbers[places]

    def learn(self, places: Codes, numbers: Codes) -> None:
        """Give texts their numbers."""
        self._numbers[places] = numbers


class LabelTable:
    """The labels of one kind and their numbers; `known` ones are all that there may be.

    Codes of a batch are places among the labels of its column, so that only labels are looked up, never rows. Labels
    come as a range of whole numbers, of which few may be in use, as texts of Arrow, or as Python's objects.
    """

    def __init__(self, kind: str, known: tuple[Hashable, ...] | None = None) -> None:
        self._kind, self._closed = kind, known is not None
        self._numbers: dict[Hashable, int] = {label: number for number, label in enumerate(known or ())}
        self._labels = tuple(self._numbers)
        self._seen: dict[str, _Known] = {}
        self._first: tuple[Hashable, str, int, Locate] | None = None
        self._texts = _Texts()

    @property
    def labels(self) -> tuple[Hashable, ...]:
        """All labels so far, by their numbers."""
        n_new = len(self._numbers) - len(self._labels)
        if n_new:
            self._labels = (*self._labels, *reversed(list(islice(reversed(self._numbers), n_new))))
        return self._labels

    def number(self, columns: Mapping[str, Coded], locate: Locate) -> list[Coded]:
        """The columns, whose rows are read together, as codes of numbers in this table."""
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
        """The numbers of labels that the batch before did not have."""
        labels = column.labels
        numbers = np.full(len(labels) + 1, -1, np.int32)
        if isinstance(labels, range):
            # Numbers in use are looked up when a row shows them.
            return _Known.of(labels, numbers)
        if isinstance(labels, Texts) and COMPILED:
            places = self._texts.places(labels)
            if places is not None:
                numbers[:-1] = self._texts.numbers(places)
                return _Known.of(labels, numbers, places)
        try:
            numbers[:-1] = np.fromiter(map(self._numbers.get, labels, repeat(-1)), np.int32, len(labels))
        except TypeError:
            refuse_unhashable(iterate_labels(column.codes, labels), part, locate)
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
                seen = self._seen[part]
                fresh = seen.numbers.copy()
                fresh[entries] = own
                if seen.in_texts is not None:
                    self._texts.learn(seen.in_texts[entries], own)
                self._seen[part] = _Known.of(seen.labels, fresh, seen.in_texts)

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
        self._meanings = Meanings.of(outcomes)
        self._seen: _Known | None = None
        self._shares: NDArray[np.float64] | None = None

    def number(self, column: Coded, locate: Locate, explain: Explain) -> tuple[Coded, NDArray[np.float64] | None]:
        """Codes whose entries stand for outcomes, and the share by entry where some are graded."""
        codes, labels = column
        gaps = column.has_gaps("outcome", locate)
        if self._seen is None or not _same(self._seen.labels, labels):
            known = [self._meanings.meaning(label) for label in [*labels, None]]
            self._seen = _Known.of(labels, np.array([meaning.code for meaning in known], np.int32))
            if self._meanings.is_graded:
                self._shares = np.array([meaning.share for meaning in known])
        seen = self._seen
        if gaps or not seen.whole:
            wrong = seen.numbers[codes] < 0
            if wrong.any():
                raise unknown_outcomes(column, np.flatnonzero(wrong), self._meanings, locate, explain)
        if gaps:
            return Coded(np.where(codes < 0, np.int32(len(labels)), codes), seen.numbers), self._shares
        return Coded(codes, seen.entries), self._shares


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
