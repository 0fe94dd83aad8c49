"""Words and values as error messages say them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Locate = Callable[[int], str]


def row_number(row: int) -> str:
    """Where a row stands, in the words of an error message."""
    return f"row {row}"


def shorten(value: object, width: int = 60) -> str:
    """The repr of a value, cut to fit in a message."""
    try:
        text = repr(value)
    except ValueError:
        # Python writes out no integer of more than 4,300 digits.
        text = f"<{type(value).__name__} too long to write out>"
    return text if len(text) <= width else text[: width - 3] + "..."


def listed(labels: Iterable[object], width: int = 300) -> str:
    """The labels with commas between them, cut to fit in a message."""
    text = ", ".join(map(shorten, labels)) or "none"
    return text if len(text) <= width else text[: width - 3] + "..."


def plural(number: float, noun: str) -> str:
    """A number and its noun, as in "1 vote" and "1,200 votes"."""
    return f"{number:,.12g} {noun}" if number == 1 else f"{number:,.12g} {noun}s"
