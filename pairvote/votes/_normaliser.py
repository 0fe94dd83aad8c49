"""Labels that print alike, joined."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from pairvote._common.alike import alike_key, cleaned
from pairvote._common.coded import Coded


class Normaliser:
    """Gives labels that print alike one label: the first that is seen, without blanks at its ends."""

    def __init__(self) -> None:
        self._shown: dict[str, Hashable] = {}
        self._seen: dict[str, tuple[Sequence[Hashable], list[Hashable], np.ndarray]] = {}
        self.joined: dict[Hashable, set[Hashable]] = {}

    def column(self, name: str, column: Coded) -> Coded:
        """The column with the labels that are kept."""
        seen = self._seen.get(name)
        if seen is None or seen[0] is not column.labels:
            shown = [self._label(label) for label in column.labels]
            table = {label: code for code, label in enumerate(dict.fromkeys(shown))}
            numbers = np.array([*(table[label] for label in shown), -1], np.int32)
            self._seen[name] = seen = (column.labels, list(table), numbers)
        return Coded(seen[2][column.codes], seen[1])

    def _label(self, label: Hashable) -> Hashable:
        if not isinstance(label, str):
            return label
        shown = self._shown.setdefault(alike_key(label), cleaned(label))
        if label != shown:
            self.joined.setdefault(shown, set()).add(label)
        return shown
