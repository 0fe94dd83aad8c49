"""Finds the columns that say what came of each comparison, and what their cells mean."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote.io._guess_items import Items, rows_apart
from pairvote.io._guess_numbers import of_grades, of_score_texts, of_two_columns
from pairvote.io._guess_told import LOSING, NO_OUTCOME, Told, are, cells_of, doubted, on_strangers, quoted, sureness
from pairvote.io._guess_winner import UNDERSTOOD, meaning_of, of_labels
from pairvote.io._overview import ColumnView, Overview
from pairvote.io._vocabulary import LEFT, RIGHT, SKIP, TIE
from pairvote.io._words import SCORES, Speech, has_word, name_pairs, words

# Another column that is nearly as good a guess is named.
RIVAL = 1.0


def find_outcome(overview: Overview, items: Items, given: str | None = None) -> Told | None:
    """What tells the outcomes for these items, best first; `given` is a column that was named for it."""
    sure = given is not None
    found = []
    for view in overview.columns.values():
        if view.name in items.columns or view.is_nested or (sure and view.name != given):
            continue
        found += [of_labels(overview, items, view, sure=sure), _of_words(overview, items, view, sure=sure)]
        found += [of_score_texts(view), of_grades(view, sure=sure)]
    if given is None:
        found += [*of_two_columns(overview, items), *_of_two_booleans(overview, items)]
    told = [one for one in found if one is not None]
    best = max(told, key=lambda one: one.score, default=None)
    if best is not None:
        names = [_column(one) for one in told if one.score >= best.score - RIVAL]
        rivals = [repr(name) for name in dict.fromkeys(names) if name not in (None, _column(best))]
        if rivals and _column(best) is not None:
            best.remarks.append(f"{', '.join(rivals[:5])} may say who won as well; --outcome names the column to go by")
    return best


def _column(told: Told) -> str | None:
    """The column that names outcomes or winners, if one does."""
    return told.options.get("outcome", told.options.get("winner"))


# --- a word ---


def _of_words(overview: Overview, items: Items, view: ColumnView, *, sure: bool) -> Told | None:
    """A column whose cells are words such as left, model_a, H, draw, or numbers and booleans that stand for them."""
    if view.n_distinct > max(30, view.n_rows // 20):
        return None
    if not view.n_distinct:
        # Where nothing else tells more, votes that are not filled in yet.
        is_meant = sure or view.name == "outcome"
        return Told(0.0, {"outcome": view.name}, [], view.codes < 0) if is_meant else None
    if view.all_numbers or all(isinstance(label, bool) or str(label).lower() in _BOOLEANS for label in view.labels):
        return _of_codes(overview, items, view, sure=sure)
    left, right = items.left[0], items.right[0]
    texts = cells_of(view)
    if sum(count for text, count in texts.items() if SCORES.fullmatch(text)) > 0.5 * sum(texts.values()):
        return None
    speech = Speech(left, right, texts)
    meanings: dict[Hashable, Any] = {label: meaning_of(speech, view, label) for label in view.labels}
    counts = dict(zip(view.labels, view.counts.tolist(), strict=True))
    n_known = sum(counts[label] for label, meaning in meanings.items() if meaning)
    sides = {meaning for meaning in meanings.values() if meaning in (LEFT, RIGHT)}
    if not sides or n_known < UNDERSTOOD * sum(counts.values()):
        return None
    if len(sides) < 2 and not sure and not sureness(view.name):
        return None
    if not sure and has_word(words(view.name), NO_OUTCOME):
        return None
    if has_word(words(view.name), LOSING):
        meanings = {label: _TURNED.get(meaning, meaning) for label, meaning in meanings.items()}
    strangers = {label: counts[label] for label, meaning in meanings.items() if meaning is None}
    apart = rows_apart(overview, items, view, strangers)
    if apart is not None:
        meanings = {label: meaning for label, meaning in meanings.items() if label not in strangers}
        strangers = {}
    remarks = on_strangers(strangers)
    strength = {label: speech.strength(str(label)) for label, meaning in meanings.items() if meaning in (LEFT, RIGHT)}
    if len(set(strength.values())) > 1:
        meanings |= _graded(meanings, strength)
        remarks.append("answers of several strengths are taken as the left side's shares of a vote, from 1.0 to 0.0")
    told = {label: SKIP if meaning is None else meaning for label, meaning in meanings.items()}
    options = _as_outcome(view.name, told)
    bad = _without_outcome(overview, items, view, options, remarks)
    if apart is not None:
        bad = apart if bad is None else bad | apart
    n_all = sum(counts.values())
    score = 4.0 * n_known / n_all + (1.0 if len(sides) > 1 else 0.0) + sureness(view.name) - len(strangers) * 0.1
    return doubted(Told(score, options, remarks, bad, n_strangers=sum(strangers.values())), view, sure=sure)


def _graded(meanings: dict[Hashable, Any], strength: dict[Hashable, int]) -> dict[Hashable, Any]:
    """The left side's share for each cell that says how much better a side is, in even steps."""
    levels = sorted(set(strength.values()))
    lead = {level: round(0.5 * (place + 1) / len(levels), 3) for place, level in enumerate(levels)}
    return {label: 0.5 + lead[level] * (1 if meanings[label] == LEFT else -1) for label, level in strength.items()}


_TURNED: dict[Any, str] = {LEFT: RIGHT, RIGHT: LEFT}
_BOOLEANS = frozenset({"true", "false"})


def _of_codes(overview: Overview, items: Items, view: ColumnView, *, sure: bool) -> Told | None:
    """A column of few numbers, or of true and false."""
    own = words(view.name)
    left, right = _side_words(items)
    told = [side for side, names in ((LEFT, left), (RIGHT, right)) if not names.isdisjoint(own)]
    sided = told[0] if len(told) == 1 else None
    named = sureness(view.name)
    if not sure and (not (named or (sided and "is" in own)) or _is_barred(own)):
        return None
    if not sure and any(view.name in pair for pair in name_pairs(tuple(overview.names))):
        # There is another for the other side, and both together tell more.
        return None
    remarks: list[str] = []
    meanings: dict[Hashable, Any]
    if all(isinstance(label, bool) or str(label).lower() in _BOOLEANS for label in view.labels):
        yes, no = (RIGHT, LEFT) if sided == RIGHT else (LEFT, RIGHT)
        meanings = {label: yes if str(label).lower() == "true" else no for label in view.labels}
        if sided is None:
            remarks.append(f"true in {quoted(view.name)} is taken to mean left; swap left and right if it does not")
    else:
        there = ~view.is_na
        values = sorted(set(view.numbers[there].tolist()))
        known = _of_numbers(values, sided, is_index=_is_index(items, own))
        if known is None:
            return None
        meanings = {
            label: known.get(number, SKIP) for label, number in zip(view.labels, view.numbers.tolist(), strict=True)
        }
        if sided is None:
            spelt = ", ".join(f"{value:g} {known[value]}" for value in values)
            remarks.append(f"numbers in {quoted(view.name)} are taken as {spelt}; swap them if they mean otherwise")
    if has_word(own, LOSING):
        meanings = {label: _TURNED.get(meaning, meaning) for label, meaning in meanings.items()}
    options = _as_outcome(view.name, meanings)
    bad = _without_outcome(overview, items, view, options, remarks)
    return Told(4.0 + named + (1.0 if sided else 0.0), options, remarks, bad)


def _of_two_booleans(overview: Overview, items: Items) -> Iterator[Told]:
    """A column for each side, of which one says true and the other false in every row."""
    views = [view for view in overview.columns.values() if {text.lower() for text in view.texts} == _BOOLEANS]
    for (first, second), names in name_pairs(tuple(view.name for view in views)).items():
        x, y = overview[first], overview[second]
        is_told = has_word(names.stem, _PICKED) and not has_word(names.stem, NO_OUTCOME)
        if not is_told or names.has_winner or items.names is None or x.n_missing or y.n_missing:
            continue
        if (_is_true(x) != _is_true(y)).all():
            yield Told(5.0, _as_outcome(first, {label: _SAID[str(label).lower()] for label in x.labels}))


def _is_true(view: ColumnView) -> NDArray[np.bool_]:
    return view.rows_of(np.array([text.lower() == "true" for text in view.texts], bool))


_SAID = {"true": LEFT, "false": RIGHT}
_PICKED = ("answer", "pref", "preferred", "selected", "chosen", "picked", "won", "win", "wins", "winner", "vote")
_INDEX_WORDS = (
    *("winner", "choice", "chosen", "selected", "selection", "pick", "picked", "preferred", "best", "answer"),
    *("response", "button", "pressed"),
)


def _is_index(items: Items, own: list[str]) -> bool:
    """Whether a number says which of two things was picked, 0 for the first, and not whether the first was."""
    counted_from_0 = items.names is not None and items.names.first == "0"
    return (has_word(own, (*_INDEX_WORDS, "id", "index", "idx")) or counted_from_0) and "is" not in own


def _is_barred(own: list[str]) -> bool:
    """Whether words of a name say that its column is no outcome; the id of what was better is one."""
    return has_word(own, NO_OUTCOME - {"id"} if has_word(own, (*_INDEX_WORDS, "better")) else NO_OUTCOME)


def _of_numbers(values: list[float], sided: str | None, *, is_index: bool) -> dict[float, str] | None:
    """What whole numbers mean, and halves between them."""
    there = set(values)
    if there <= {0.0, 0.5, 1.0}:
        yes, no = (RIGHT, LEFT) if sided == RIGHT or (is_index and sided is None) else (LEFT, RIGHT)
        return {1.0: yes, 0.0: no, 0.5: TIE}
    if there <= {-1.0, 0.0, 1.0}:
        yes, no = (RIGHT, LEFT) if sided == RIGHT else (LEFT, RIGHT)
        return {1.0: yes, -1.0: no, 0.0: TIE}
    if there <= {0.0, 1.0, 1.5, 2.0}:
        return {1.0: LEFT, 2.0: RIGHT, 0.0: TIE, 1.5: TIE}
    return None


def _side_words(items: Items) -> tuple[set[str], set[str]]:
    left, right = {"left", "a", "first", "home", "1"}, {"right", "b", "second", "away", "2"}
    if items.names is not None:
        left.add(items.names.first)
        right.add(items.names.second)
    return left, right


# --- in common ---


def _as_outcome(name: str, meanings: dict[Hashable, Any]) -> dict[str, Any]:
    """The options for a column of labels; those that mean themselves are not named."""
    own = {label: meaning for label, meaning in meanings.items() if label != meaning}
    options: dict[str, Any] = {"outcome": name}
    if own:
        options["outcomes"] = own
    return options


def _without_outcome(
    overview: Overview, items: Items, view: ColumnView, options: dict[str, Any], remarks: list[str]
) -> NDArray[np.bool_] | None:
    """Propose empty cells as skips; or give their rows as bad ones, where these name items that no other row has."""
    empty = view.codes < 0
    if not empty.any():
        return None
    left, right = items.texts(overview)
    elsewhere = np.concatenate([left[~empty], right[~empty]])
    there = empty & (left >= 0) & (right >= 0)
    if not np.isin(np.concatenate([left[there], right[there]]), elsewhere).all():
        return empty
    options["outcomes"] = {**options.get("outcomes", {}), None: SKIP}
    n_empty = int(np.count_nonzero(empty))
    remarks.append(f"{plural(n_empty, 'row')} with an empty {quoted(view.name)} {are(n_empty)} skipped")
    return None
