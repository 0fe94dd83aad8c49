"""Fonts that have the characters of labels, for pictures whose default font lacks some."""

from __future__ import annotations

import re
import unicodedata
import warnings
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from pairvote._common.messages import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontEntry
    from matplotlib.text import Text

Characters = frozenset[str]

# Fonts whose characters are not those of Unicode, are no letters, or come in colours that matplotlib cannot draw.
_USELESS = re.compile(r"^cm[a-z]+\d|^STIX(NonUni|Size)|Last ?Resort|Colou?r ?Emoji|Blank", re.IGNORECASE)
_SANS = re.compile(r"sans|gothic|\bhei\b|\bui\b", re.IGNORECASE)
_CJK = re.compile(r"CJK|HIRAGANA|KATAKANA|HANGUL|IDEOGRAPH|BOPOMOFO|FULLWIDTH|HALFWIDTH|KANGXI")
# Debian's and Ubuntu's packages of fonts that matplotlib can draw.
CJK_FONTS, SYMBOL_FONTS, OTHER_FONTS = "fonts-noto-cjk", "fonts-symbola", "fonts-noto-core"
MOST_NAMED = 5


def dress(ax: Axes) -> None:
    """Give texts the installed fonts that have what their own lack; warn once of characters that no font has."""
    from matplotlib.text import Text

    texts: dict[tuple[str, ...], list[Text]] = {}
    for text in ax.findobj():
        if isinstance(text, Text) and not text.get_text().isascii():
            texts.setdefault(tuple(text.get_fontfamily()), []).append(text)
    missing: set[str] = set()
    for own, alike in texts.items():
        lacking = _lacking(frozenset().union(*(text.get_text() for text in alike)), own)
        families, never = fallbacks(lacking)
        missing |= never
        for text in alike:
            if families and not lacking.isdisjoint(text.get_text()):
                text.set_fontfamily([*own, *families])
    if missing:
        # Of the caller of the function that draws.
        warnings.warn(_sentence(missing), stacklevel=3)


def fallbacks(lacking: Characters) -> tuple[tuple[str, ...], Characters]:
    """Families of installed fonts that have these characters, as few as may be; and the characters that none has."""
    if not lacking:
        return (), lacking
    families, missing = _chosen(lacking, _known_files())
    if missing and _add_new_fonts():
        families, missing = _chosen(lacking, _known_files())
    return families, missing


def _known_files() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    return tuple(str(entry.fname) for entry in fontManager.ttflist)


@lru_cache(maxsize=64)
def _chosen(lacking: Characters, files: tuple[str, ...]) -> tuple[tuple[str, ...], Characters]:
    """What `fallbacks` gives, where matplotlib knows these files of fonts."""
    covered = {name: _covered(entry, lacking) for name, entry in _families().items()}
    # Of families that have as many, one without serifs, and the first by name.
    order = sorted(covered, key=lambda name: (_SANS.search(name) is None, name))
    families: list[str] = []
    missing = lacking
    while missing:
        best = max(order, key=lambda name: len(covered[name] & missing), default=None)
        if best is None or not covered[best] & missing:
            break
        families.append(best)
        missing -= covered[best]
    return tuple(families), missing


def _families() -> dict[str, FontEntry]:
    """The upright face of each family that is nearest to the regular weight."""
    from matplotlib.font_manager import fontManager, weight_dict

    def heaviness(entry: FontEntry) -> int:
        weight = entry.weight
        return abs((weight if isinstance(weight, int) else weight_dict.get(weight, 400)) - 400)

    families: dict[str, FontEntry] = {}
    for entry in fontManager.ttflist:
        if entry.style == "normal" and not _USELESS.search(entry.name):
            families[entry.name] = min(families.get(entry.name, entry), entry, key=heaviness)
    return families


def _covered(entry: FontEntry, characters: Characters) -> Characters:
    """The characters that a font has outlines of."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(entry.fname)
        codes = font.get_charmap() if font.scalable else {}
    except (OSError, RuntimeError):
        # A file that is gone or that FreeType cannot read.
        return frozenset()
    return frozenset(character for character in characters if ord(character) in codes)


def _add_new_fonts() -> bool:
    """Make matplotlib look for fonts that were installed after it wrote its list down; whether there are any."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = set(_known_files())
    for path in sorted(set(map(str, findSystemFonts())) - known):
        # matplotlib too leaves out fonts that it cannot read, whatever they raise.
        with suppress(Exception):
            fontManager.addfont(path)
    return known != set(_known_files())


def _lacking(characters: Characters, families: tuple[str, ...]) -> Characters:
    """The characters that no font of these families has, except those without an ink of their own."""
    from matplotlib.font_manager import FontProperties, fontManager
    from matplotlib.ft2font import FT2Font

    inked = {
        c for c in characters if unicodedata.category(c) not in ("Cc", "Cf", "Zs") and not "\ufe00" <= c <= "\ufe0f"
    }
    for family in families:
        try:
            path = fontManager.findfont(FontProperties(family=[family]), fallback_to_default=len(families) == 1)
        except ValueError:
            # It is not installed, and matplotlib goes on to the next.
            continue
        codes = FT2Font(path).get_charmap()
        inked = {character for character in inked if ord(character) not in codes}
    return frozenset(inked)


def _sentence(missing: set[str]) -> str:
    """Sentence on characters that no font has, and the packages that have them."""
    named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in sorted(missing)[:MOST_NAMED])
    more = f" and {plural(len(missing) - MOST_NAMED, 'more character')}" if len(missing) > MOST_NAMED else ""
    packages = " and ".join(sorted({_package(character) for character in missing}))
    return (
        f"no installed font has {named}{more} of the labels, which are drawn as boxes; install {packages} "
        "(so called in Debian and Ubuntu), or another font that has them"
    )


def _package(character: str) -> str:
    if _CJK.search(unicodedata.name(character, "")):
        return CJK_FONTS
    return SYMBOL_FONTS if unicodedata.category(character) in ("So", "Sk", "Sm") else OTHER_FONTS
