"""Outcomes told by numbers: grades on a scale, scores in a text, and two columns of scores or of totals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pairvote._common.outcomes import Meanings
from pairvote.io._guess_items import Items
from pairvote.io._guess_told import NO_OUTCOME, Told, quoted, sureness
from pairvote.io._overview import ColumnView, Overview
from pairvote.io._words import SCORES, has_word, name_pairs, words

SCORE_WORDS = {
    **dict.fromkeys(("points", "score", "scores", "pts", "point"), 3.0),
    **dict.fromkeys(("ftg", "g", "goal", "goals", "runs", "sets", "result", "total"), 2.5),
    **dict.fromkeys(("tore", "tor", "punkte", "buts", "but", "goles", "gols", "gol", "puntos", "pontos"), 2.5),
    **dict.fromkeys(("placar", "marcador", "punti", "mål", "mal", "poäng", "doelpunten", "punten", "maalit"), 2.5),
}
NO_SCORE = frozenset(
    {
        *("odds", "elo", "rating", "rank", "ranking", "accuracy", "age", "seed", "shots", "corners", "fouls", "cards"),
        *("red", "yellow", "xg", "pen", "pens", "aet", "goalaet", "ht", "htg", "half", "behinds", "id", "time", "prob"),
        *("probability", "price", "height", "weight", "length", "tokens", "index", "order", "level", "year", "seconds"),
        *("win", "wins", "won", "cost", "turn", "hidden", "prior", "ts", "svpt", "ace", "df"),
    }
)
WIN_WORDS = frozenset({"win", "wins", "won", "w", "victories", "votes", "count", "n", "freq", "wincount", "winner"})
TIED_WORDS = frozenset({"tie", "ties", "tied", "draw", "draws", "drawn", "equal"})


def names_ties(name: str) -> bool:
    """Whether a column is called so that it counts ties, or says which rows are ties."""
    own = {*words(name)} - {"is", "a", "n", "of", "number"}
    return bool(own) and own <= TIED_WORDS


# --- grades, and scores in a text ---


def of_grades(view: ColumnView, *, sure: bool) -> Told | None:
    """A column of numbers on a scale: shares from 0 to 1, a preference from 1 to 2, or whole numbers such as 1 to 5."""
    named = sureness(view.name)
    own = words(view.name)
    if not view.all_numbers or view.n_distinct < 3 or not (named or sure) or has_word(own, NO_OUTCOME):
        return None
    if not sure and has_word(own, WIN_WORDS):
        return None
    values = view.numbers[~view.is_na]
    low, high = float(values.min()), float(values.max())
    scale = _scale(low, high, whole=view.all_whole) or (_wide_scale(low, high) if has_word(own, SLID) else None)
    if scale is None:
        return None
    name = quoted(view.name)
    least, most = scale
    if scale == (0, 1):
        text, remark = "share", f"{name} is taken as the left side's share of a vote"
    else:
        text = f"{least}-{most}"
        remark = (
            f"{least} in {name} is taken as wholly left and {most} as wholly right; {most}-{least} turns them round"
        )
    options: dict[str, Any] = {"outcome": view.name, "outcomes": text}
    if view.has_decimal_comma:
        options["decimal"] = ","
    return Told(3.0 + named, options, [remark], ~view.rows_of(~np.isnan(view.numbers)))


# What is answered with a slider from one side to the other.
SLID = frozenset({"slider", "preference", "preferred", "choice", "answer", "judgment", "judgement", "präferenz"})


def _wide_scale(low: float, high: float) -> tuple[int, int] | None:
    """The ends of a slider: 0 to 100, -50 to 50 or -100 to 100."""
    if not 10 < high <= 100 or low < -100:
        return None
    return (0, 100) if low >= 0 else (-50, 50) if low >= -50 and high <= 50 else (-100, 100)


def _scale(low: float, high: float, *, whole: bool) -> tuple[int, int] | None:
    """The ends of the usual scale on which numbers from `low` to `high` are: 0 to 1, 1 to 2, 1 to 5, -3 to 3."""
    if not whole:
        return (0, 1) if low >= 0 and high <= 1 else (1, 2) if low >= 1 and high <= 2 else None
    most = int(high)
    if low >= 1 and 3 <= high <= 11:
        return 1, most + (most + 1) % 2
    if low == 0 and 4 <= high <= 10:
        return 0, most + most % 2
    widest = int(max(-low, high))
    return (-widest, widest) if low < 0 and 2 <= widest <= 5 else None


def of_score_texts(view: ColumnView) -> Told | None:
    """A column of texts such as 3-2."""
    texts = view.texts
    is_scores = np.array([bool(SCORES.fullmatch(text)) for text in texts], bool)
    n_scores = int(view.counts[is_scores].sum())
    if view.n_distinct < 2 or n_scores < 0.8 * (view.n_rows - view.n_missing) or n_scores < 0.3 * view.n_rows:
        return None
    if any(_is_date(text) for text in texts):
        return None
    meanings = Meanings.of("scores")
    read = np.array([meanings.code(label) >= 0 for label in view.labels], bool)
    score = 3.5 + 0.5 * sureness(view.name) - (1.0 if has_word(words(view.name), NO_SCORE) else 0.0)
    return Told(score, {"outcome": view.name, "outcomes": "scores"}, [], ~view.rows_of(read))


def _is_date(text: str) -> bool:
    parts = text.replace(":", "-").replace("–", "-").split("-")
    return len(parts) > 2 or (len(parts) == 2 and len(parts[0]) == 4)


# --- two columns of numbers ---


def of_two_columns(overview: Overview, items: Items) -> Iterator[Told]:
    """Two scores a row; or the wins of both sides, where a row is a pair."""
    views = [view for view in overview.columns.values() if view.all_numbers and view.name not in items.columns]
    left, right = items.texts(overview)
    low, high = np.minimum(left, right), np.maximum(left, right)
    pairs = np.stack([low, high], axis=1)[(low >= 0)]
    distinct = len(np.unique(pairs, axis=0)) >= 0.95 * max(len(pairs), 1)
    for (first, second), names in name_pairs(tuple(view.name for view in views)).items():
        if names.has_winner:
            continue
        x, y = overview[first], overview[second]
        bad = np.isnan(x.values()) | np.isnan(y.values())
        lacking = float(bad.mean())
        told_twice = x.n_distinct > 1 and bool((x.values() == 1 - y.values())[~bad].all())
        if has_word(names.stem, WIN_WORDS) and x.all_whole and y.all_whole:
            most = max(x.numbers[~x.is_na].max(), y.numbers[~y.is_na].max())
            if most <= 1 and (not distinct or "winner" in names.stem):
                # A column for each side says with 1 that it won, and neither does for a tie.
                yield Told(5.0 - 3 * lacking, {"left_score": x.name, "right_score": y.name}, [], bad)
                continue
            if distinct or most > 1:
                options: dict[str, Any] = {"left_wins": x.name, "right_wins": y.name}
                tied = [view for view in views if names_ties(view.name) and view.name not in (x.name, y.name)]
                if tied:
                    options["tied"] = tied[0].name
                yield Told(7.0 - 3 * lacking, options, [], bad)
                continue
        if has_word(names.stem, NO_SCORE):
            continue
        worth = max((SCORE_WORDS.get(word, 0.0) for word in names.stem), default=2.0) + (3.0 if told_twice else 0.0)
        if not names.stem or worth:
            yield Told(2.0 + worth - 3 * lacking, {"left_score": x.name, "right_score": y.name}, [], bad)
