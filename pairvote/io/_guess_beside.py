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


def on_validity(overview: Overview, taken: list[str]) -> list[str]:
    """What is said of a column that marks rows as not valid, which are votes all the same."""
    for view in overview.columns.values():
        if words(view.name) in (["valid"], ["is", "valid"]) and view.name not in taken:
            no = view.rows_of(np.array([text.lower() in ("false", "0", "no", "f") for text in view.texts], bool))
            if no.any():
                return [f"{plural(int(no.sum()), 'row')} that {view.name!r} calls false count all the same"]
    return []
