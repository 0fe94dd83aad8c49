"""Finds the two columns of a file that hold the items that were compared."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pairvote.io._overview import ColumnView, Overview
from pairvote.io._words import NamePair, has_word, name_pair, name_pairs, words

ITEM_WORDS = frozenset(
    {
        *("team", "player", "model", "item", "option", "condition", "candidate", "generator", "system", "name"),
        *("label", "title", "choice", "script", "project", "competitor", "entrant", "idea", "proposal", "product"),
        *("brand", "method", "algorithm", "stimulus", "object", "individual", "ind", "contestant", "fighter", "club"),
        *("alternative", "entity", "agent", "bot", "movie", "film", "song", "animal", "type", "text", "image"),
        *("winner",),
        *("person", "place", "work", "essay", "design", "variant", "policy", "statement", "photo", "picture", "side"),
        *("mannschaft", "verein", "spieler", "bild", "modell", "kandidat", "equipe", "équipe", "joueur", "équipes"),
        *("equipo", "jugador", "modelo", "imagen", "opción", "squadra", "giocatore", "lag", "spelare", "ploeg"),
        *("speler",),
    }
)
NOT_ITEMS = frozenset(
    {
        *("country", "nation", "rank", "rating", "elo", "seed", "age", "hand", "ht", "ioc", "odds", "prob", "accuracy"),
        *("probability", "conversation", "reason", "explanation", "comment", "date", "time", "tokens", "length"),
        *("conf", "conference", "city", "url", "colour", "color", "entry", "shots", "score", "scores", "goal", "goals"),
        *("points", "pts", "point", "win", "wins", "won", "result", "g", "ftg", "htg", "ft", "games", "sets", "runs"),
        *("position", "rationale", "justification", "feedback", "verdict", "logprob", "cost", "price", "latency"),
        *("turn", "judgment", "judgement", "confidence", "completion", "prompt", "votes", "count", "level", "state"),
        *("coach", "manager", "captain", "xg", "odd", "height", "weight", "reach", "stance", "corner"),
    }
)
TEXT_WORDS = frozenset({"response", "output", "answer", "reply", "summary", "content"})
LEVEL_WORDS = frozenset({"level", "variant", "version", "size", "setting", "quality", "param", "value", "strength"})
# Beyond so many columns only those whose names say what they are come into question.
MOST_COLUMNS = 60


@dataclass(frozen=True)
class Items:
    """The columns of the items: one a side, or several whose cells together name one; and how good a guess it is."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    names: NamePair | None
    score: float

    @property
    def has_winner(self) -> bool:
        """Whether one column holds winners and the other losers."""
        return self.names is not None and self.names.has_winner

    @property
    def columns(self) -> tuple[str, ...]:
        """All of the columns."""
        return (*self.left, *self.right)

    def texts(self, overview: Overview) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The items of every row as numbers that both sides share; -1 where one is missing."""
        return shared_numbers([overview[name] for name in self.left], [overview[name] for name in self.right])


def shared_numbers(
    left: Sequence[ColumnView], right: Sequence[ColumnView]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two columns as numbers, the same for the same label; several columns are taken together."""
    sides: list[NDArray[np.int64]] = []
    for place in range(len(left)):
        table: dict[Hashable, int] = {}
        size = 1 + left[place].n_distinct + right[place].n_distinct
        for side, view in enumerate((left[place], right[place])):
            own = np.array([table.setdefault(label, len(table)) for label in view.labels] + [-1], np.int64)
            codes = own[view.codes]
            if place:
                codes = np.where((codes < 0) | (sides[side] < 0), -1, sides[side] * size + codes)
                sides[side] = codes
            else:
                sides.append(codes)
    return sides[0], sides[1]


def find_items(overview: Overview, left: str | None = None, right: str | None = None) -> list[Items]:
    """Pairs of columns that may hold the items, best first; `left` and `right` are columns that were given."""
    found = [
        items
        for items in _candidates(overview, left, right)
        if (left is None or items.left[0] == left) and (right is None or items.right[0] == right)
    ]
    return sorted(found, key=lambda items: -items.score)


def _candidates(overview: Overview, left: str | None, right: str | None) -> Iterator[Items]:
    if left is not None and right is not None:
        yield Items((left,), (right,), name_pair(left, right), 10.0)
        return
    views = [view for view in overview.columns.values() if view.n_distinct and not view.is_nested]
    named = name_pairs(tuple(view.name for view in views))
    for (first, second), names in named.items():
        score = _score(overview[first], overview[second], names)
        if score > 0:
            yield _with_levels(Items((first,), (second,), names, score), overview)
    alike = [view for view in views if view.n_distinct > 1 and not view.all_numbers][:MOST_COLUMNS]
    others = [(x, y, 1.0) for x, y in combinations(alike, 2) if (y.name, x.name) not in named and overlap(x, y) >= 0.5]
    # One that was given stands, and the best partner for it is looked for among all.
    if left is not None:
        others = [(overview[left], view, 0.0) for view in views if view.name != left]
    elif right is not None:
        others = [(view, overview[right], 0.0) for view in views if view.name != right]
    for x, y, least in others:
        score = _score(x, y, None) if (x.name, y.name) not in named else 0.0
        if score > least:
            yield Items((x.name,), (y.name,), None, score)


def overlap(x: ColumnView, y: ColumnView) -> float:
    """The share of the labels of the column with fewer of them that the other has as well."""
    return len(set(x.texts) & set(y.texts)) / max(min(len(set(x.texts)), len(set(y.texts))), 1)


def _score(x: ColumnView, y: ColumnView, names: NamePair | None) -> float:
    """How well two columns look like the items."""
    score = 3.0 * overlap(x, y)
    both_numbers = x.all_numbers and y.all_numbers
    stem = words(x.name) + words(y.name)
    if names is not None:
        score += 4.0 if names.has_winner else 3.0
        stem = list(names.stem)
        if not stem and len(names.first) > 1:
            score += 1.0
    score += (1.0 if has_word(stem, ITEM_WORDS) else 0.0) - 0.1 * len(stem)
    score -= 4.0 if has_word(stem, NOT_ITEMS) else 0.0
    score -= 1.0 if has_word(stem, TEXT_WORDS) else 0.0
    score -= 0.5 if has_word(stem, ("id", "uuid", "number", "nr", "idx", "index", "key")) else 0.0
    score += 0.0 if both_numbers else 0.5
    if both_numbers and not stem:
        # home and guest with numbers in them are scores.
        score -= 2.0
    if any(view.all_numbers and not view.all_whole for view in (x, y)):
        score -= 3.0
    if both_numbers and names is not None and (names.first, names.second) == ("w", "l"):
        # Wins and losses, of one team a row.
        score -= 5.0
    if both_numbers and len({*x.texts, *y.texts}) < 3:
        score -= 5.0
    if max(x.text_length, y.text_length) > 100:
        score -= 3.0
    if all(set(map(str.lower, view.texts)) <= {"true", "false"} for view in (x, y)):
        score -= 9.0
    n_cells = x.n_rows - x.n_missing + y.n_rows - y.n_missing
    if n_cells > 8 and len({*x.texts, *y.texts}) > 0.9 * n_cells:
        score -= 2.0
    left, right = shared_numbers([x], [y])
    there = (left >= 0) & (right >= 0)
    score -= 5.0 * float(((left == right) & there).sum()) / max(int(there.sum()), 1)
    score -= 2.0 * float((~there).sum()) / max(len(there), 1)
    return score


def _with_levels(items: Items, overview: Overview) -> Items:
    """The items with a second column a side, where one alone compares many a thing with itself."""
    (left,), (right,) = items.left, items.right
    alone = self_pairs(*items.texts(overview))
    if items.names is None or alone <= 0.05 * overview.n_rows:
        return items
    best, fewest = items, alone / 4
    for (x, y), names in name_pairs(tuple(overview.names)).items():
        if (names.first, names.second) != (items.names.first, items.names.second) or not {x, y}.isdisjoint(
            items.columns
        ):
            continue
        if not (has_word(names.stem, items.names.stem) or has_word(names.stem, LEVEL_WORDS)):
            continue
        together = Items((left, x), (right, y), items.names, items.score + 5.0 * alone / max(overview.n_rows, 1))
        n_self = self_pairs(*together.texts(overview))
        if n_self < fewest:
            best, fewest = together, n_self
    return best


def self_pairs(left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
    """Number of rows in which an item meets itself."""
    return int(((left == right) & (left >= 0)).sum())


def rows_apart(
    overview: Overview, items: Items, view: ColumnView, strangers: dict[Hashable, int]
) -> NDArray[np.bool_] | None:
    """The rows of outcomes that are not understood, when no other row has their items: a second header, or totals."""
    rows = view.rows_of(np.array([label in strangers for label in view.labels], bool))
    left, right = items.texts(overview)
    own, others = np.concatenate([left[rows], right[rows]]), np.concatenate([left[~rows], right[~rows]])
    return rows if rows.any() and not np.isin(own[own >= 0], others).any() else None
