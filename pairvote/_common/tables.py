"""Tables for people: aligned text and HTML."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Container, Sequence

# Characters that would break a line, or steer a terminal: controls, line and paragraph separators, lone surrogates.
UNSAFE = ("Cc", "Zl", "Zp", "Cs")


def as_label(label: object, width: int | None = None) -> str:
    """A label on one line: control characters escaped, and cut to `width` characters."""
    text = str(label)
    if not text.isprintable():
        text = "".join(repr(c)[1:-1] if unicodedata.category(c) in UNSAFE else c for c in text)
    return text if width is None or len(text) <= width else text[: width - 1].rstrip() + "…"


def text_lines(
    headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Container[int], gap: str = "  "
) -> list[str]:
    """The lines of an aligned table: text columns to the left, numbers to the right, with a gap between columns."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if i in text_columns else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return gap.join(aligned).rstrip()

    return [line(headings), *map(line, rows)]


def side_by_side(blocks: Sequence[Sequence[str]], gap: str) -> list[str]:
    """Blocks of as many lines each, one beside the other."""
    widths = [max(map(len, block)) for block in blocks]
    return [gap.join(map(str.ljust, lines, widths)).rstrip() for lines in zip(*blocks, strict=True)]


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Container[int]) -> str:
    """A table as HTML, aligned as `text_lines` aligns it."""

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} style="text-align:{"left" if i in text_columns else "right"}">{html.escape(value)}</{tag}>'
            for i, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', headings)}</tr></thead><tbody>{body}</tbody></table>"
