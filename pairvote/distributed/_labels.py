"""Labels that travel: texts as one piece of bytes, which is quick to send and to number; other labels as they are."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from pairvote._common.labels import Codes, merge_labels
from pairvote._common.text_table import COMPILED, PackedTexts, TextTable

Labels = tuple[Hashable, ...] | PackedTexts


def packed(labels: tuple[Hashable, ...]) -> Labels:
    """The labels in the form in which they travel."""
    if not COMPILED or not set(map(type, labels)) <= {str}:
        return labels
    texts = PackedTexts.of([label for label in labels if isinstance(label, str)])
    return labels if texts is None else texts


def unpacked(labels: Labels) -> tuple[Hashable, ...]:
    """The labels themselves."""
    return labels.texts() if isinstance(labels, PackedTexts) else labels


def united(one: Labels, other: Labels) -> Labels:
    """All labels: first those of `one`, then what `other` adds."""
    if isinstance(one, PackedTexts) and isinstance(other, PackedTexts):
        table = TextTable()
        if table.number(one) is not None and table.number(other) is not None:
            return table.packed()
    return merge_labels(unpacked(one), unpacked(other))[0]


@dataclass(frozen=True, eq=False)
class Numbering:
    """Codes of all labels as one object, since Dask would take a bare dict apart to send it."""

    table: TextTable | dict[Hashable, int]

    @classmethod
    def of(cls, labels: Labels) -> Numbering:
        """Codes from 0 in the order of the labels."""
        if isinstance(labels, PackedTexts):
            table = TextTable()
            if table.number(labels) is not None:
                return cls(table)
        return cls({label: code for code, label in enumerate(unpacked(labels))})

    def codes(self, labels: tuple[Hashable, ...]) -> Codes:
        """Codes of labels that are all known."""
        if isinstance(self.table, TextTable):
            texts = packed(labels)
            if isinstance(texts, PackedTexts):
                return self.table.known(texts)
            table: dict[Hashable, int] = {label: code for code, label in enumerate(self.table.packed().texts())}
        else:
            table = self.table
        return np.fromiter(map(table.__getitem__, labels), np.int32, count=len(labels))
