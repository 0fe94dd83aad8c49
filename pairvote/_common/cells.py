"""Text as a terminal shows it: characters that steer or hide are escapes, and widths are measured in cells."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from pairvote.errors import UNPRINTABLE, printable

__all__ = ["ELLIPSIS", "cut", "in_json", "n_cells", "padded", "printable"]

ELLIPSIS = "…"
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
# No label has more combining marks than this on each of its characters.
_MOST_MARKS = 8


def in_json(text: str) -> str:
    r"""JSON in which the characters that `printable` escapes are escapes of JSON; its own line breaks stay."""

    def escape(match: re.Match[str]) -> str:
        if match[0] == "\n":
            return "\n"
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))

    return UNPRINTABLE.sub(escape, text)


def n_cells(text: str) -> int:
    """How many cells of a terminal the text takes."""
    return len(text) if text.isascii() else sum(_widths(text))


def cut(text: str, width: int) -> str:
    """The text, or as much of its beginning as fits in so many cells with an ellipsis; at least the ellipsis."""
    if len(text) <= width and text.isascii():
        return text
    # Marks take no cells, and a label may consist of them.
    beginning = text[: max(width, 1) * _MOST_MARKS]
    widths = _widths(beginning)
    if len(beginning) == len(text) and sum(widths) <= width:
        return text
    end = total = 0
    for cells in widths:
        total += cells
        if total > width - 1:
            break
        end += 1
    return beginning[:end].rstrip(f" {_JOINER}") + ELLIPSIS


def padded(text: str, width: int, *, left: bool = True) -> str:
    """The text with blanks up to so many cells, after it if it stands to the left."""
    blanks = " " * (width - n_cells(text))
    return text + blanks if left else blanks + text


def _widths(text: str) -> list[int]:
    """The cells that each character adds; an emoji of several characters takes those of its first."""
    widths: list[int] = []
    before = ""
    for character in text:
        width = _width(character)
        if character == _EMOJI_STYLE and widths and widths[-1] == 1:
            width = 1
        elif width == 2 and (before == _JOINER or ("\U0001f3fb" <= character <= "\U0001f3ff" and widths[-1:] == [2])):
            width = 0
        widths.append(width)
        before = character
    return widths


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff":
        return 0
    if "\ud7b0" <= character <= "\ud7ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
