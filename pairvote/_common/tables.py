"""Tables for people: aligned text and HTML."""

from __future__ import annotations

import html
from collections.abc import Container, Sequence

from pairvote._common.cells import cut, n_cells, padded, printable

# Text columns are cut to no fewer cells than this; numbers are never cut.
NARROWEST = 4


def as_label(label: object, width: int | None = None) -> str:
    """A label on one line: characters that hide or steer a terminal escaped, and cut to `width` cells."""
    text = printable(str(label))
    return text if width is None else cut(text, width)


def text_lines(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    text_columns: Container[int],
    gap: str = "  ",
    width: int | None = None,
) -> list[str]:
    """The lines of an aligned table: text columns to the left, numbers to the right, with a gap between columns.

    With a `width` in cells, the widest text columns are cut until the lines fit or no text is left to cut.
    """
    table = [list(map(printable, cells)) for cells in (headings, *rows)]
    widths = [max(map(n_cells, column)) for column in zip(*table, strict=True)]
    if width is not None:
        widths = _fitted(widths, text_columns, width - len(gap) * (len(widths) - 1))

    def line(cells: Sequence[str]) -> str:
        aligned = [
            padded(cut(cell, room), room) if i in text_columns else padded(cell, room, left=False)
            for i, (cell, room) in enumerate(zip(cells, widths, strict=True))
        ]
        return gap.join(aligned).rstrip()

    return [line(cells) for cells in table]


def _fitted(widths: list[int], text_columns: Container[int], room: int) -> list[int]:
    """The widths of columns of which the widest text columns were narrowed, so that all take the room there is."""
    widths = list(widths)
    while sum(widths) > room:
        texts = [(width, place) for place, width in enumerate(widths) if place in text_columns and width > NARROWEST]
        if not texts:
            break
        widest, place = max(texts)
        # Down to the next column, or by what is too much.
        others = [width for width, other in texts if other != place]
        widths[place] = max(widest - (sum(widths) - room), min(max(others, default=0), widest - 1), NARROWEST)
    return widths


def side_by_side(blocks: Sequence[Sequence[str]], gap: str) -> list[str]:
    """Blocks of as many lines each, one beside the other."""
    widths = [max(map(n_cells, block)) for block in blocks]
    return [gap.join(map(padded, lines, widths)).rstrip() for lines in zip(*blocks, strict=True)]


def html_table(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Container[int]) -> str:
    """A table as HTML, aligned as `text_lines` aligns it."""

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} style="text-align:{"left" if i in text_columns else "right"}">{value}</{tag}>'
            for i, value in enumerate(map(html.escape, map(printable, values)))
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells('th', headings)}</tr></thead><tbody>{body}</tbody></table>"
