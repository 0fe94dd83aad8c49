"""The items that texts stand for, in files whose labels can only be texts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, code_column, first_row, reading
from pairvote._common.messages import Locate, listed, shorten
from pairvote.errors import InputError


class ItemTexts:
    """Finds the item whose text a label is, such as 3 for "3"; any other label stays as it is."""

    def __init__(self, items: Sequence[Hashable]) -> None:
        self._of_text: dict[str, list[Hashable]] = {}
        with reading("items"):
            for item in items:
                self._of_text.setdefault(str(item), []).append(item)
        # For each column, the labels that it had last, and what became of them: they are looked up once.
        self._seen: dict[str, tuple[object, list[Hashable]]] = {}

    @classmethod
    def of(cls, items: Sequence[Hashable] | None) -> ItemTexts | None:
        """What finds items by their texts; None where the items are texts themselves, or not known."""
        return None if items is None or all(type(item) is str for item in items) else cls(items)

    def columns(self, columns: Mapping[str, Any], locate: Locate) -> dict[str, Coded]:
        """The columns of both sides, with items in place of their texts.

        Raises
        ------
        InputError
            For a label that is the text of several items, naming its row.
        """
        return {side: self._column(side, columns[side], locate) for side in ("left", "right")}

    def _column(self, side: str, column: Any, locate: Locate) -> Coded:
        codes, labels = code_column(as_column(column, side), side, locate)
        if side not in self._seen or self._seen[side][0] is not labels:
            self._seen[side] = (labels, [self._items(label)[0] for label in labels])
        several = [len(self._items(label)) > 1 for label in labels]
        if any(several):
            wrong = np.array([*several, False])[codes]
            if wrong.any():
                row = first_row(wrong)
                label = labels[codes[row]]
                items = listed(self._items(label))
                raise InputError(
                    f"{side} at {locate(row)} is {shorten(label)}, the text of several items ({items})",
                    option="items",
                    value=label,
                    where=locate(row),
                    remedy="give items whose texts differ, or read a file whose labels have types, such as .jsonl",
                )
        return Coded(codes, self._seen[side][1])

    def _items(self, label: Any) -> list[Hashable]:
        return self._of_text.get(label, [label]) if isinstance(label, str) else [label]
