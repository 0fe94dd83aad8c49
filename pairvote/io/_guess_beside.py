"""What stands beside items and outcomes: who voted, and columns of which something is to be said."""

from __future__ import annotations

from typing import Any

import numpy as np

from pairvote._common.messages import plural
from pairvote.io._overview import Overview
from pairvote.io._words import words

# Who voted, by the names of columns, the surest first.
VOTER_WORDS = (
    *("voter", "worker", "judge", "annotator", "rater", "user", "participant", "respondent", "observer", "subject"),
    *("assessor", "evaluator", "reviewer", "labeler", "labeller", "juror", "person", "student", "expert", "email"),
    *("username", "completed", "session", "ip"),
)
WITH_VOTER = frozenset(
    {
        *("id", "name", "code", "hash", "hashed", "key", "no", "number", "address", "ip", "uuid", "pid", "nr", "s"),
        *("uniqueid", "unique", "assignment", "annotations", "by"),
    }
)


def find_voter(overview: Overview, taken: list[str]) -> str | None:
    """The column that names who voted."""
    best: tuple[int, str] | None = None
    for view in overview.columns.values():
        own = words(view.name)
        found = [VOTER_WORDS.index(word) for word in own if word in VOTER_WORDS]
        if view.name in taken or view.is_nested or not found or view.n_distinct < 2:
            continue
        rest = [word for word in own if word not in VOTER_WORDS]
        if set(rest) <= WITH_VOTER and (best is None or min(found) < best[0]):
            best = min(found), view.name
    return None if best is None else best[1]


def on_weights(overview: Overview, merged: dict[str, Any]) -> list[str]:
    """What is said of a column called weight, which counts without being asked for."""
    name = merged.get("weight", "weight")
    if name not in overview.columns or merged.get("use_weight") is False or merged.get("matrix"):
        return []
    view = overview[name]
    values = view.values()
    if not view.all_numbers or np.isnan(values).any() or (values < 0).any():
        merged.pop("weight", None)
        merged["use_weight"] = False
        return [f"the column {name!r} has cells that are no weights, so it is left out"]
    return [f"the column {name!r} counts as weights; --no-weight leaves it out"]


COUNT_WORDS = frozenset({"count", "counts", "n", "freq", "frequency", "times", "votes", "multiplicity"})


def find_counts(overview: Overview, parts: list[str], taken: list[str]) -> str | None:
    """The column that says how often each row was voted, where no two rows are alike in the columns `parts`."""
    if not parts or any(name not in overview.columns for name in parts):
        return None
    rows = np.stack([overview[name].codes for name in parts], axis=1)
    if len(np.unique(rows, axis=0)) < len(rows):
        return None
    for view in overview.columns.values():
        own = {*words(view.name)}
        is_named = bool(own & COUNT_WORDS) and own <= COUNT_WORDS | {"num", "number", "of", "no", "vote"}
        if not is_named or view.name in taken or view.n_missing or not view.all_whole:
            continue
        # The numbers of rows are no counts.
        if (view.numbers >= 0).all() and view.n_distinct < view.n_rows and view.numbers.max() > 1:
            return view.name
    return None


def on_validity(overview: Overview, taken: list[str]) -> list[str]:
    """What is said of a column that marks rows as not valid, which are votes all the same."""
    for view in overview.columns.values():
        if words(view.name) in (["valid"], ["is", "valid"]) and view.name not in taken:
            no = view.rows_of(np.array([text.lower() in ("false", "0", "no", "f") for text in view.texts], bool))
            if no.any():
                return [f"{plural(int(no.sum()), 'row')} that {view.name!r} calls false count all the same"]
    return []
