"""A guess at the options with which a file of votes is read rightly; a message proposes it, and nothing applies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pairvote.io._guess_beside import find_counts, find_voter, on_validity, on_weights
from pairvote.io._guess_items import Items, find_items
from pairvote.io._guess_numbers import names_ties
from pairvote.io._guess_outcome import find_outcome
from pairvote.io._guess_rows import with_bad_rows
from pairvote.io._guess_shapes import (
    PAIRED,
    PARTED,
    find_matrix,
    find_rankings,
    find_within,
    is_bare_matrix,
    is_headerless,
)
from pairvote.io._guess_told import Told
from pairvote.io._guess_winner import winners_scores
from pairvote.io._overview import ColumnView, Overview, closest

# The options that name a column.
NAMING = (
    *("left", "right", "outcome", "winner", "loser", "tie", "left_score", "right_score", "left_wins", "right_wins"),
    *("tied", "voter", "weight", "criterion", "time", "question"),
)
TELLING = frozenset({"outcome", "winner", "loser", "left_score", "right_score", "left_wins", "right_wins", "tied"})
WHOLE = frozenset({"matrix", "rankings"})
# What becomes of a column that is called so by default.
NO_DEFAULT = object()
DEFAULTS: dict[str, object] = {
    **{part: part for part in ("left", "right", "outcome", "voter", "criterion")},
    "decimal": ".",
    "skip_lines": 0,
    "header": True,
    "use_weight": True,
    "matrix": False,
    "normalise": False,
}
MOST_CANDIDATES = 12
# Of so many columns at most.
MOST_COLUMNS = 300
# Which columns hold what is seen in so many rows.
MOST_ROWS = 5_000


@dataclass(frozen=True)
class Guess:
    """Options of `read_votes` that may read a file rightly, and sentences that say what was taken for what.

    Attributes
    ----------
    options : dict
        Options by their names, those that were given among them.
    remarks : list of str
        What to know before one relies on it.
    found : bool
        Whether the columns of votes were recognised; otherwise the options are only those given.
    """

    options: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    found: bool = False


def guess(overview: Overview, given: Mapping[str, object] = {}) -> Guess:
    """A guess at the options for a file with these columns.

    Parameters
    ----------
    overview : Overview
        The columns of the file, read with the options of bytes and of cells that were given.
    given : mapping
        Options that a user gave. A column that is there is kept; one that is spelt nearly so is mended.

    Examples
    --------
    >>> from pairvote.io._guess import guess
    >>> from pairvote.io._overview import Overview
    >>> columns = {"model_a": ["x", "y", "z"], "model_b": ["y", "z", "x"], "winner": ["model_a", "model_b", "tie"]}
    >>> guess(Overview.of(columns)).options
    {'left': 'model_a', 'right': 'model_b', 'outcome': 'winner', 'outcomes': {'model_a': 'left', 'model_b': 'right'}}
    """
    options, remarks = _mended(overview, given)
    if not overview.n_rows:
        return Guess(options, [*remarks, "there are no rows"])
    found = _matrix(overview, options)
    if len(overview.columns) > MOST_COLUMNS:
        named = [name for part in NAMING for name in as_names(options.get(part))]
        overview = overview.only([*named, *overview.names[:MOST_COLUMNS]])
        remarks.append(f"only the first {MOST_COLUMNS} columns were looked at")
    if (
        not found
        and options.get("header", True)
        and not given.keys() & {*NAMING}
        and is_headerless(overview.some(MOST_ROWS))
    ):
        bare = overview.without_header()
        found = _by_rows(bare, options)
        if found is not None:
            found.options["header"] = False
            found.remarks.insert(0, "the first row looks like votes, not like names of columns, which are numbered")
            overview = bare
    if found is None:
        either = [one for one in (_ballots(overview, options), _by_rows(overview, options)) if one is not None]
        found = max(either, key=lambda one: one.score, default=None)
    if found is None:
        return Guess(options, [*remarks, "no columns look like the two items of a vote and its outcome"])
    merged = _merged(options, found.options)
    remarks += found.remarks
    taken = [name for part in NAMING for name in as_names(merged.get(part))]
    if "voter" not in merged and "voter" not in overview.columns and not merged.get("matrix"):
        voter = find_voter(overview, taken)
        if voter is not None:
            merged["voter"] = voter
    if not merged.keys() & {"weight", "left_wins", "matrix", "rankings"} and "weight" not in overview.columns:
        told = [name for part in ("left", "right", "outcome", "winner", "loser") for name in as_names(merged.get(part))]
        counts = find_counts(overview, told, taken)
        if counts is not None:
            merged["weight"] = counts
    remarks += on_weights(overview, merged)
    remarks += on_validity(overview, taken)
    return Guess(said(merged), remarks, True)


# --- what was given ---


def _mended(overview: Overview, given: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """The given options with names of columns as the file spells them, without those that it does not have."""
    options: dict[str, Any] = {}
    remarks: list[str] = []
    for option, value in given.items():
        if option not in NAMING or value is None or (option == "tie" and value not in overview.columns):
            if value is not None:
                options[option] = value
            continue
        names = [closest(name, overview.names) for name in as_names(value)]
        if all(name is not None for name in names):
            options[option] = names[0] if isinstance(value, str) else [str(name) for name in names]
        elif option in DEFAULTS and value == option:
            continue
        elif _is_within(value, given.get("extract")):
            options[option] = value
    return options, remarks


def _is_within(value: object, extract: object) -> bool:
    """Whether a name is that of a group in a pattern."""
    return isinstance(extract, Mapping) and any(f"(?P<{value}>" in str(pattern) for pattern in extract.values())


def as_names(value: object) -> list[str]:
    """The columns that an option names: none, one or several."""
    return [value] if isinstance(value, str) else list(map(str, value)) if isinstance(value, (list, tuple)) else []


def _merged(given: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The found options over those given, which they were found with; outcomes that were given stay."""
    merged = {name: value for name, value in given.items() if name not in {*TELLING, *WHOLE} or name in found}
    for name, value in found.items():
        own = given.get(name)
        if name == "outcomes" and isinstance(own, Mapping) and isinstance(value, Mapping):
            merged[name] = {**value, **own}
        elif name in ("outcomes", "bad_rows", "na", "decimal") and own not in (None, (), [], "raise", "."):
            merged[name] = own
        else:
            merged[name] = value
    if "winner" in found and "loser" in found:
        merged.pop("left", None), merged.pop("right", None)
    return merged


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from what is taken when they are not given."""
    unsaid: tuple[object, ...] = (None, (), [], {}, "raise")
    own = {name: value for name, value in options.items() if not any(value is no or value == no for no in unsaid)}
    return {name: value for name, value in own.items() if DEFAULTS.get(name, NO_DEFAULT) != value}


# --- shapes ---


def _is_row_by_row(options: Mapping[str, Any]) -> bool:
    """Whether what was given says that a row is a vote or a pair."""
    return any(options.get(part) for part in TELLING | {"left", "right", "extract"})


def _matrix(overview: Overview, options: Mapping[str, Any]) -> Told | None:
    """A square table of wins, if nothing that was given says otherwise."""
    if _is_row_by_row(options) or options.get("rankings") or overview.n_rows > len(overview.columns):
        return None
    options_of_matrix = find_matrix(overview) or ({"matrix": True} if is_bare_matrix(overview) else None)
    if options_of_matrix is None:
        return None
    remarks = ["a cell is taken as how often the item of its row beat the item of its column"]
    if not all(view.all_whole for view in overview.columns.values() if view.all_numbers):
        remarks.append("some cells are no whole numbers; shares of wins do not say how many votes there were")
    return Told(9.0, options_of_matrix, remarks)


def _ballots(overview: Overview, options: Mapping[str, Any]) -> Told | None:
    """A ballot a row, if nothing that was given says otherwise."""
    rankings = None if _is_row_by_row(options) else find_rankings(overview.some(MOST_ROWS))
    return None if rankings is None else Told(9.0, *rankings)


def _by_rows(overview: Overview, options: Mapping[str, Any]) -> Told | None:
    """A vote a row, or a pair a row with totals."""
    few = overview.some(MOST_ROWS)
    found = _best(few, options)
    if found is None or few is overview:
        return found
    # What cells of these columns mean, and which are wrong, is seen in all rows.
    sure = {name: value for name, value in found.options.items() if name in NAMING and "extract" not in found.options}
    names = [name for value in (*sure.values(), *options.values()) for name in as_names(value)]
    # Scores tell which winners are lacking since it was a tie.
    amounts = [view.name for view in few.columns.values() if view.all_numbers]
    return _best(overview.only([*names, *found.options.get("extract", ()), *amounts]), {**options, **sure}) or found


def _best(overview: Overview, options: Mapping[str, Any]) -> Told | None:
    """The best of the guesses at two sides and what tells the outcome, and at one column that holds it all."""
    left, right = (_first(options.get(side)) for side in ("left", "right"))
    if options.get("winner") and options.get("loser"):
        left, right = options["winner"], options["loser"]
    if not {left, right} - {None} <= overview.columns.keys():
        # They are groups of a pattern.
        left, right = None, None
    several = {side: tuple(as_names(options.get(side))) for side in ("left", "right")}
    if len(several["left"]) == len(several["right"]) > 1:
        candidates = [Items(several["left"], several["right"], None, 10.0)]
    else:
        candidates = find_items(overview, left, right)[:MOST_CANDIDATES]
    told = [found for items in candidates if (found := _told(overview, items, options)) is not None]
    best = max(told, key=lambda found: found.score, default=None)
    if (best is None or best.score < 5) and not left and not right:
        within = find_within(overview) or _pair_within(overview, options)
        if within is not None:
            return Told(5.0, *within)
    return best


def _first(value: object) -> str | None:
    names = as_names(value)
    return names[0] if names else None


def _told(overview: Overview, items: Items, options: Mapping[str, Any]) -> Told | None:
    """The options for these items, when something tells the outcomes."""
    sides = {
        "left": items.left[0] if len(items.left) == 1 else list(items.left),
        "right": items.right[0] if len(items.right) == 1 else list(items.right),
    }
    outcome = options.get("outcome") or (None if options.get("loser") else options.get("winner"))
    is_told = options.get("winner") and options.get("loser")
    if is_told or (items.has_winner and len(items.left) == 1 and not (outcome and outcome not in items.columns)):
        # Rows without a winner may be ties, which two sides and a winner tell better.
        empty = float((np.minimum(*items.texts(overview)) < 0).mean())
        found = Told(items.score + 9.0 - 20.0 * empty, {"winner": sides["left"], "loser": sides["right"]})
        tie = _column_of_ties(overview, items)
        level = None if tie is not None or is_told else winners_scores(overview)
        if tie is not None:
            found.options["tie"] = tie
        elif level is not None:
            found.options = {**sides, **level}
            found.remarks.append("some scores are level, so the scores say who won and which rows are ties")
    else:
        told = _given_numbers(overview, options) or find_outcome(overview, items, outcome)
        if told is None:
            return None
        if items.names is None and told.by_cells and not options.keys() & {"left", "right"}:
            # Nothing but cells speaks for any of the columns: they must fit wholly, and no header may say otherwise.
            has_header = overview.columns.keys().isdisjoint({"1", *options.get("extract", ())})
            if told.n_strangers or has_header:
                return None
        found = Told(items.score + told.score, {**sides, **told.options}, list(told.remarks), told.bad)
    return with_bad_rows(overview, items, found)


def _given_numbers(overview: Overview, options: Mapping[str, Any]) -> Told | None:
    """Two columns of scores or totals that were given."""
    for pair in (("left_score", "right_score"), ("left_wins", "right_wins")):
        if all(options.get(part) for part in pair):
            bad = np.logical_or.reduce([np.isnan(overview[options[part]].values()) for part in pair])
            own = {part: options[part] for part in (*pair, "tied") if options.get(part)}
            return Told(5.0, own, [], bad)
    return None


def _column_of_ties(overview: Overview, items: Items) -> str | None:
    """A column that says which rows of winners and losers are ties."""
    for view in overview.columns.values():
        is_named = names_ties(view.name) and view.name not in items.columns
        if is_named and {text.lower() for text in view.texts} <= {"true", "false", "0", "1", "yes", "no"}:
            return view.name
    return None


def _pair_within(overview: Overview, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]] | None:
    """A column of texts such as "ash vs birch", beside one that tells the outcome."""
    import re

    for view, pattern in ((view, pattern) for view in overview.columns.values() for pattern in (PAIRED, *PARTED)):
        matches = [re.search(pattern, text) for text in view.texts]
        if not matches or not all(matches) or view.n_missing:
            continue
        sides = {
            side: [match[side] if match else None for match in (matches[code] for code in view.codes.tolist())]
            for side in ("left", "right")
        }
        if pattern != PAIRED and len({*sides["left"]} & {*sides["right"]}) < 2:
            continue
        wider = Overview(
            {**overview.columns, **{side: ColumnView.of(side, cells) for side, cells in sides.items()}}, overview.n_rows
        )
        told = _told(wider, Items(("left",), ("right",), None, 5.0), options)
        if told is not None:
            return {**told.options, "extract": {view.name: pattern}}, told.remarks
    return None
