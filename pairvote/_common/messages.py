"""Words and values as error messages say them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pairvote.errors import InputError

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
    except Exception:
        # Whatever a value's own __repr__ raises.
        text = f"<{type(value).__name__} that cannot be written out>"
    return text if len(text) <= width else text[: width - 3] + "..."


def listed(labels: Iterable[object], width: int = 300) -> str:
    """The labels with commas between them, cut to fit in a message."""
    text = ", ".join(map(shorten, labels)) or "none"
    return text if len(text) <= width else text[: width - 3] + "..."


def plural(number: float, noun: str) -> str:
    """A number and its noun, as in "1 vote" and "1,200 votes"."""
    return f"{number:,.12g} {noun}" if number == 1 else f"{number:,.12g} {noun}s"


def wrong_option(option: str, value: object, remedy: str) -> InputError:
    """The error for an option that has an impossible value: "n_jobs is 0; pass a whole number from 1"."""
    return InputError(f"{option} is {shorten(value)}", option=option, value=value, remedy=remedy)


def wrong_entry(
    column: str, where: str, value: object, remedy: str, *, found: str | None = None, option: str | None = None
) -> InputError:
    """The error for one entry of a column, "weight at row 3 is -1; mend it"; `found` are other words for the value."""
    problem = f"{column} at {where} is {shorten(value) if found is None else found}"
    return InputError(problem, option=option, value=value, where=where, remedy=remedy)
