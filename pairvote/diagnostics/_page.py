"""How a part of a report is shown: sentences and small tables, as text, as HTML and as a dict."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from pairvote._common.checks import restore
from pairvote._common.tables import as_label, html_table, text_lines

LABEL_WIDTH = 48
INDENT = "  "
MOST_ROWS = 8


@dataclass(frozen=True)
class Table:
    """Headings and cells; `text_columns` stand to the left."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: tuple[int, ...] = (0,)


Block = str | Table


class Part:
    """What one diagnostic found: a frozen dataclass that prints, shows itself in notebooks, and gives a dict."""

    title = ""

    __setstate__ = restore

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def _blocks(self) -> Iterator[Block]:
        """The sentences and tables that say what was found."""
        yield from ()

    def _concerns(self) -> Iterator[str]:
        """What speaks against trusting the vote, in sentences."""
        yield from ()

    def concerns(self) -> tuple[str, ...]:
        """What speaks against trusting the vote, in sentences; empty where nothing does."""
        return tuple(self._concerns())

    def to_dict(self) -> dict[str, Any]:
        """What was found, as plain numbers, strings and lists by name; labels as they are."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]

    def __str__(self) -> str:
        return as_text([(self.title, list(self._blocks()))])

    def _repr_html_(self) -> str:
        return as_html([(self.title, list(self._blocks()))])


Sections = Sequence[tuple[str, Sequence[Block]]]


def as_text(sections: Sections, width: int | None = None) -> str:
    """Sections under their titles, as lines; tables are fitted to a width in cells of a terminal."""
    lines = []
    room = None if width is None else width - len(INDENT)
    for title, blocks in sections:
        lines.append(title)
        for block in blocks:
            shown = (
                [block]
                if isinstance(block, str)
                else text_lines(block.headings, block.rows, block.text_columns, width=room)
            )
            lines += [INDENT + line for line in shown]
    return "\n".join(lines)


def as_html(sections: Sections) -> str:
    """A page for notebooks."""
    parts = []
    for title, blocks in sections:
        parts.append(f"<h4>{html.escape(title)}</h4>")
        parts += [
            f"<p>{html.escape(block)}</p>"
            if isinstance(block, str)
            else html_table(block.headings, block.rows, block.text_columns)
            for block in blocks
        ]
    return "".join(parts)


def named(label: object) -> str:
    """A label on one line, cut to fit beside numbers."""
    return as_label(label, LABEL_WIDTH)


def some(labels: Sequence[object], most: int = 5) -> str:
    """The first labels with commas between them, and how many more there are."""
    shown = ", ".join(map(named, labels[:most]))
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")


def chance(p: float) -> str:
    """A p-value, without more digits than it is good for."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def beside(found: int, expected: float) -> str:
    """What was found with what is expected in brackets, if it is known."""
    return f"{found:,}" if math.isnan(expected) else f"{found:,} ({expected:.1f})"


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value
