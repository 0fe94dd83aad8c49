"""What words in the names of columns and in cells mean: sides, winners and losers, and outcomes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from pairvote.io._vocabulary import (
    CHESS,
    FILLER,
    HALVES,
    LEFT,
    LEFT_WORDS,
    LETTERS,
    LOSSES,
    ORDINALS,
    PLACE_WORDS,
    RIGHT,
    RIGHT_WORDS,
    SIDED_TIE,
    SIDES,
    SKIP,
    SKIP_PHRASES,
    SKIPS,
    STRONG,
    TIE,
    TIE_PHRASES,
    TIES,
    WEAK,
    WINNERS,
    WINS,
)

_COMPARED = re.compile(r"\[*\s*(\w+?)\s*(>>|>|≻|=|≈|~|≺|<<|<)\s*(\w+?)\s*\]*")
_SCORE = r"(\d+|1/2|½|\d*[.,]5)"
_SCORED = re.compile(rf"\s*{_SCORE}\s*[-–—:]\s*{_SCORE}\s*")
# Some say who won on penalties or after extra time behind the score.
SCORES = re.compile(rf"\s*{_SCORE}\s*[-–—:]\s*{_SCORE}(?!\d).{{0,20}}", re.DOTALL)

_HALVES_AGREE = {(LEFT, RIGHT), (RIGHT, LEFT), (TIE, TIE), (SKIP, SKIP)}


class NamePair(NamedTuple):
    """Two names that differ in one word only: those two words, the words that both have, and whether one won."""

    first: str
    second: str
    stem: tuple[str, ...]
    has_winner: bool


def words(name: str) -> list[str]:
    """The words of a column's name, in small letters: "HomeTeam", "home_team" and "Home.Team" are home and team."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", name)
    return [part.casefold() for part in parts]


def name_pair(x: str, y: str) -> NamePair | None:
    """How two names differ, where they name the left and the right, or winner and loser, of the same thing."""
    return name_pairs((x, y)).get((x, y))


@lru_cache(maxsize=64)
def name_pairs(names: tuple[str, ...]) -> dict[tuple[str, str], NamePair]:
    """All two of the names that differ as sides do, the left one or the winner first, and how."""
    # Columns without names are numbered.
    own = {name: tuple(words(name)) for name in names if not name.isdecimal()}
    found: dict[tuple[str, str], NamePair] = {}
    for pairs, has_winner in ((WINNERS, True), (SIDES, False)):
        for first, second in pairs:
            rests: dict[_Rest, list[str]] = {}
            for name, of_name in own.items():
                for rest in _rests(of_name, first):
                    rests.setdefault(rest, []).append(name)
            for name, of_name in own.items() if rests else ():
                for rest in _rests(of_name, second):
                    for other in rests.get(rest, ()):
                        if other != name and (other, name) not in found and (name, other) not in found:
                            stem = (*rest[0], *filter(None, [rest[1] + rest[2]]), *rest[3])
                            found[other, name] = NamePair(first, second, stem, has_winner)
    return dict(sorted(found.items(), key=lambda pair: tuple(map(names.index, pair[0]))))


# The words before a mark of a side, what stands with it in one word, before and behind it, and the words after it.
_Rest = tuple[tuple[str, ...], str, str, tuple[str, ...]]


def _rests(own: tuple[str, ...], mark: str) -> Iterator[_Rest]:
    """What is left of the words of a name without the mark of a side, for each place where it is."""
    several = tuple(mark.split())
    for at in range(len(own) - len(several) + 1):
        if own[at : at + len(several)] == several:
            yield own[:at], "", "", own[at + len(several) :]
    if len(several) > 1 or mark in ("i", "j"):
        return
    # Within a word: hometeam and awayteam, hgoal and vgoal, FTHG and FTAG.
    for place, word in enumerate(own):
        if word == mark or mark not in word:
            continue
        for at in range(len(word)):
            if word.startswith(mark, at) and (len(mark) > 2 or len(word) <= 5 or at == 0):
                yield own[:place], word[:at], word[at + len(mark) :], own[place + 1 :]


class Speech:
    """What the words in an outcome's cells mean for a left and a right column, by the names of these.

    Parameters
    ----------
    left, right : str
        The columns' names.
    texts : mapping
        The cells, with the number of rows of each: single letters mean what they mean among the others.
    """

    def __init__(self, left: str, right: str, texts: Mapping[str, int]) -> None:
        pair = name_pair(left, right)
        self._left, self._right = set(LEFT_WORDS), set(RIGHT_WORDS)
        if pair is not None:
            self._left.add(pair.first)
            self._right.add(pair.second)
            if (pair.first, pair.second) == ("r", "b"):
                self._left.add("red")
                self._right.add("blue")
        self._full = {" ".join(words(left)): LEFT, " ".join(words(right)): RIGHT}
        self._names = {left.casefold(): LEFT, right.casefold(): RIGHT}
        plain = {text: " ".join(words(text)) for text in texts}
        self._letters = _letters({plain[text]: count for text, count in texts.items() if len(plain[text]) == 1}, pair)
        self._is_chess = not {"checkmated", "resigned", "timeout"}.isdisjoint(plain.values())

    def meaning(self, text: str) -> str | None:
        """What a cell means: left, right, tie or skip; None where that is not known."""
        text = text.strip()
        if text.casefold() in self._names:
            return self._names[text.casefold()]
        scored = _SCORED.fullmatch(text)
        if scored:
            return _of_scores(*(_half(part) for part in scored.groups()))
        compared = _COMPARED.fullmatch(text)
        if compared:
            return self._of_comparison(*compared.groups())
        own = words(text)
        halves = [HALVES.get(word) for word in own] if "/" in text and len(own) == 2 else []
        if tuple(halves) in _HALVES_AGREE:
            return halves[0]
        phrase = " ".join(own)
        if phrase in self._full:
            return self._full[phrase]
        if phrase in self._letters:
            return self._letters[phrase]
        if self._is_chess and phrase in CHESS:
            return RIGHT
        if text.casefold() in SKIPS or phrase in SKIPS or phrase in SKIP_PHRASES:
            return SKIP
        if phrase in WINS:
            return LEFT
        if phrase in LOSSES:
            return RIGHT
        if text in TIES or phrase in TIE_PHRASES:
            return TIE
        return self._of_words(own)

    def _of_words(self, own: list[str]) -> str | None:
        """What several words mean together."""
        over = next((place for place, word in enumerate(own) if word in ("over", "beats", "beat", "than", "vs")), None)
        told = own if over is None else own[:over]
        left, right = (any(word in sides for word in told) for sides in (self._left, self._right))
        if over is None and not TIES.isdisjoint(own) and not (left ^ right and SIDED_TIE.isdisjoint(own)):
            return TIE
        # "a bit better" names no side.
        if left and "a" in told and told.index("a") + 1 < len(told) and told[told.index("a") + 1] in WEAK | STRONG:
            left = any(word in self._left - {"a"} for word in told)
        if left == right or any(word not in self._left | self._right | FILLER | LOSSES for word in told):
            return None
        lost = not LOSSES.isdisjoint(word for word in told if word != "no")
        return LEFT if left != lost else RIGHT

    def _of_comparison(self, first: str, sign: str, second: str) -> str | None:
        sides = [
            LEFT if w.casefold() in self._left else RIGHT if w.casefold() in self._right else ""
            for w in (first, second)
        ]
        if set(sides) != {LEFT, RIGHT}:
            return None
        if sign in "=≈~":
            return TIE
        return sides[0] if sign in (">", ">>", "≻") else sides[1]

    def strength(self, text: str) -> int:
        """How much better a cell says that a side is: 2 for much, 0 for slightly, 1 where it does not say."""
        own = set(words(text))
        if own & WEAK:
            return 0
        return 2 if own & STRONG or ">>" in text or "<<" in text else 1


def _letters(texts: Mapping[str, int], pair: NamePair | None) -> Mapping[str, str]:
    """The meaning of single letters and digits, by the set that most rows fit."""
    best: tuple[int, Mapping[str, str]] = (0, {})
    white = pair is not None and pair.first == "white"
    home = pair is not None and pair.first in ("home", "host", "h", "heim")
    for needed, meanings in LETTERS:
        if needed not in texts and not (home and needed == "h"):
            continue
        if needed == "w" and "b" in meanings and not white and "l" in texts:
            continue
        fitting = sum(count for text, count in texts.items() if text in meanings)
        if fitting > best[0]:
            best = fitting, meanings
    return best[1]


def _half(text: str) -> float:
    return 0.5 if text in ("1/2", "½") else float(text.replace(",", "."))


def _of_scores(left: float, right: float) -> str:
    return LEFT if left > right else RIGHT if right > left else TIE


def has_word(own: Iterable[str], among: Iterable[str]) -> bool:
    """Whether any of the words is among others."""
    return not set(own).isdisjoint(among)


def place_of(text: str) -> float:
    """The place that a cell of a ballot says: 1, "1st", "First Choice"; nan where it says none."""
    own = [word for word in words(text) if word not in PLACE_WORDS]
    if len(own) != 1:
        return math.nan
    if own[0] in ORDINALS:
        return float(ORDINALS.index(own[0]) + 1)
    return float(own[0]) if own[0].isdecimal() and len(own[0]) < 4 else math.nan
