"""Columns whose cells name the item that won."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.outcomes import OUTCOME_NAMES
from pairvote.io._guess_items import Items, rows_apart
from pairvote.io._guess_numbers import SCORE_WORDS, of_two_columns
from pairvote.io._guess_told import (
    LOSING,
    NO_WINNER,
    Told,
    are,
    cells_of,
    doubted,
    on_strangers,
    quoted,
    sureness,
)
from pairvote.io._overview import ColumnView, Overview
from pairvote.io._vocabulary import SKIP, TIE
from pairvote.io._words import Speech, has_word, name_pairs, words

# Cells are understood in at least this share of rows; the others are proposed as skips.
UNDERSTOOD = 0.6
# Scores are those of the winner's column where they agree with it in at least this share of rows.
AGREED = 0.9


def of_labels(overview: Overview, items: Items, view: ColumnView, *, sure: bool) -> Told | None:
    """A column whose cells name the item that won."""
    own = words(view.name)
    if len(items.left) > 1 or has_word(own, LOSING) or (has_word(own, NO_WINNER) and not sure):
        return None
    left, right = overview[items.left[0]], overview[items.right[0]]
    ours, theirs, picked = _three(left, right, view)
    there = picked >= 0
    hits = ((picked == ours) | (picked == theirs)) & there
    n_there = int(there.sum())
    if not hits.sum() or hits.sum() < 0.3 * len(hits):
        return None
    speech = Speech(left.name, right.name, cells_of(view))
    said = view.rows_of(np.array([speech.meaning(text) in (TIE, SKIP) for text in view.texts], bool))
    if int((hits | said).sum()) < UNDERSTOOD * n_there:
        return None
    items_there = {*left.labels, *right.labels}
    bad = there & ~hits & view.rows_of(np.array([label in items_there for label in view.labels], bool))
    others: dict[Hashable, NDArray[np.bool_]] = {}
    for code in np.unique(view.codes[there & ~hits]).tolist():
        label = view.labels[code]
        if label not in items_there and label not in OUTCOME_NAMES:
            others[label] = (view.codes == code) & ~hits
    told = Told(0.0, {"winner": view.name}, [], bad)
    unknown = {label: int(rows.sum()) for label, rows in others.items() if meaning_of(speech, view, label) is None}
    apart = rows_apart(overview, items, view, unknown)
    if apart is not None:
        told.bad = bad | apart
        others = {label: rows for label, rows in others.items() if label not in unknown}
    _tell_others(told, view, speech, others, _level(overview, items, picked == ours, picked == theirs))
    told.score = 6.0 * float((hits | said).sum()) / max(n_there, 1) + sureness(view.name) - 2.0 * float(bad.mean())
    return doubted(told, view, sure=sure)


def meaning_of(speech: Speech, view: ColumnView, label: Hashable) -> str | None:
    """What a cell that names no item means; the name of its own column means nothing."""
    return None if str(label).strip() == view.name.strip() else speech.meaning(str(label))


def _tell_others(
    told: Told, view: ColumnView, speech: Speech, others: dict[Hashable, NDArray[np.bool_]], level: Any
) -> None:
    """Add what cells mean that name no item, and what empty ones do: a tie where scores that there are say so."""
    meanings = {label: meaning_of(speech, view, label) for label in others}
    for label, rows in others.items():
        if meanings[label] in (SKIP, None) and level is not None and level[rows].all():
            meanings[label] = TIE
            told.remarks.append(f"{quoted(label)} in {quoted(view.name)} is a tie, since scores are level in its rows")
        elif meanings[label] == SKIP and str(label).strip().lower() in _NOTHING:
            told.remarks.append(
                f"{plural(int(rows.sum()), 'row')} with {quoted(label)} in {quoted(view.name)} "
                f"{are(int(rows.sum()))} skipped; say tie for skip if that is what it means"
            )
    ties = [label for label, meaning in meanings.items() if meaning == TIE]
    if len(ties) == 1 and isinstance(ties[0], str):
        told.options["tie"] = ties[0]
        del meanings[ties[0]]
    empty = view.codes < 0
    n_empty = int(np.count_nonzero(empty))
    if n_empty and level is not None and (level[empty].all() or not level[empty].any()):
        if not level[empty].any():
            meanings[None] = SKIP
            told.remarks.append(f"{plural(n_empty, 'row')} without a winner or level scores {are(n_empty)} skipped")
        elif ties:
            meanings[None] = TIE
    elif n_empty and ties:
        meanings[None] = SKIP
        told.remarks.append(f"{plural(n_empty, 'row')} without a winner {are(n_empty)} skipped; say =tie for ties")
    elif n_empty:
        count = "counts" if n_empty == 1 else "count"
        told.remarks.append(
            f"{plural(n_empty, 'row')} without a winner {count} as a tie; --outcomes =skip leaves them out"
        )
    if meanings:
        told.options["outcomes"] = {label: meaning or SKIP for label, meaning in meanings.items()}
        unknown = {label: int(others[label].sum()) for label, meaning in meanings.items() if meaning is None}
        told.remarks += on_strangers(unknown)
        told.n_strangers = sum(unknown.values())


# Cells that say that there is no winner, and not why.
_NOTHING = frozenset({"none", "null", "nil", "na", "nan", "n/a", "-", "--", ".", "?"})


def _level(
    overview: Overview, items: Items, left_won: NDArray[np.bool_], right_won: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """The rows whose scores are level, when there are scores and they agree with who won."""
    scores = [told for told in of_two_columns(overview, items) if "left_score" in told.options]
    if not scores:
        return None
    best = max(scores, key=lambda told: told.score).options
    left, right = overview[best["left_score"]].values(), overview[best["right_score"]].values()
    decided = (left_won | right_won) & ~np.isnan(left) & ~np.isnan(right)
    agreed = np.where(left_won, left > right, left < right)[decided]
    return left == right if len(agreed) and agreed.mean() >= AGREED else None


def winners_scores(overview: Overview) -> dict[str, str] | None:
    """The columns of what winners and losers scored, when some of them are level: then not every row has a winner."""
    views = [view for view in overview.columns.values() if view.all_numbers]
    for (first, second), names in name_pairs(tuple(view.name for view in views)).items():
        won, lost = overview[first].values(), overview[second].values()
        is_score = names.has_winner and has_word(names.stem, SCORE_WORDS)
        if is_score and (won >= lost).all() and (won == lost).any():
            return {"left_score": first, "right_score": second}
    return None


def _three(left: ColumnView, right: ColumnView, picked: ColumnView) -> tuple[Any, Any, Any]:
    """Rows of three columns as numbers, the same for the same label."""
    table: dict[Hashable, int] = {}
    sides = []
    for view in (left, right, picked):
        own = np.array([table.setdefault(label, len(table)) for label in view.labels] + [-1], np.int64)
        sides.append(own[view.codes])
    return sides[0], sides[1], sides[2]
