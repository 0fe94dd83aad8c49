"""Labels that print alike, joined."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np

from pairvote._common.alike import alike_key, cleaned
from pairvote._common.coded import Coded


class Normaliser:
    """Gives labels that print alike one label: the one that rows show first, without blanks at its ends."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}
        # For each column, the labels that it had last, and what became of them: they are looked at once.
        self._seen: dict[str, tuple[object, Coded]] = {}

    def columns(self, columns: Mapping[str, Coded]) -> dict[str, Coded]:
        """The columns, whose rows are read together, with the labels that are kept."""
        if any(self._is_new(name, column) for name, column in columns.items()):
            self._see(list(columns.values()))
        return {name: self._column(name, column) for name, column in columns.items()}

    def _is_new(self, name: str, column: Coded) -> bool:
        return name not in self._seen or self._seen[name][0] is not column.labels

    def _see(self, columns: list[Coded]) -> None:
        """Take note of the labels in the order in which rows show them, of one row the left before the right."""
        found: list[tuple[int, int, str]] = []
        for place, (codes, labels) in enumerate(columns):
            used, first = np.unique(codes, return_index=True)
            for code, row in zip(used.tolist(), first.tolist(), strict=True):
                if code >= 0 and isinstance(labels[code], str):
                    found.append((row, place, labels[code]))
        for _, _, label in sorted(found):
            self._shown.setdefault(alike_key(label), cleaned(label))

    def _column(self, name: str, column: Coded) -> Coded:
        if self._is_new(name, column):
            shown = [self._label(label) for label in column.labels]
            table = {label: code for code, label in enumerate(dict.fromkeys(shown))}
            numbers = np.array([*(table[label] for label in shown), -1], np.int32)
            self._seen[name] = (column.labels, Coded(numbers, list(table)))
        numbers, labels = self._seen[name][1]
        return Coded(numbers[column.codes], labels)

    def _label(self, label: Hashable) -> Hashable:
        return self._shown.setdefault(alike_key(label), cleaned(label)) if isinstance(label, str) else label
