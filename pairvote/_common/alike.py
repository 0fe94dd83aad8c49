"""Labels that print alike, and labels that are words for a missing value."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable

# What programs write for a missing value; an item may be called so all the same.
MISSING_WORDS = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "<na>", "nat"})
# Characters that take no room, beside those of the category Cf: variation selectors and fillers.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}


def cleaned(label: str) -> str:
    """A label in composed characters, without those that cannot be seen and without blanks at its ends."""
    seen = "".join(c for c in label if unicodedata.category(c) != "Cf" and c not in _UNSEEN)
    return " ".join(unicodedata.normalize("NFC", seen).split()) or label


def alike_key(label: str) -> str:
    """What labels that print alike have in common, upper and lower case being alike too."""
    return unicodedata.normalize("NFC", cleaned(label).casefold())


def alike_labels(labels: Iterable[Hashable]) -> list[list[str]]:
    """Groups of labels that print alike, in the order in which their first is seen."""
    groups: dict[str, list[str]] = {}
    for label in labels:
        if isinstance(label, str):
            groups.setdefault(alike_key(label), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def missing_words(labels: Iterable[Hashable]) -> list[str]:
    """Labels that are words for a missing value, such as NA."""
    return [label for label in labels if isinstance(label, str) and label.strip().casefold() in MISSING_WORDS]
