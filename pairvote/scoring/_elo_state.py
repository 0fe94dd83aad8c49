"""Running Elo ratings as a dict of lists, numbers and labels, and back."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import shorten
from pairvote.errors import InputError
from pairvote.scoring._elo_rule import GAMES, LAST, KFunction
from pairvote.scoring._elo_run import EloRun

UNCHANGED = "pass the dict of EloRatings.state unchanged"


@dataclass(frozen=True, eq=False)
class Restored:
    """What a state says: options of `EloRatings`, and what was learned from votes."""

    items: list[Hashable]
    options: dict[str, Any]
    ratings: NDArray[np.float64]
    totals: NDArray[np.float64]
    seen: NDArray[np.float64]
    n_votes: int


def state_of(run: EloRun, items: tuple[Hashable, ...], totals: NDArray[np.float64], n_votes: int) -> dict[str, Any]:
    """The state of ratings: of options by item the label and the number of each, in a list."""
    rule = run.rule
    state: dict[str, Any] = {
        "k": [list(pair) for pair in rule.k_of.items()] if rule.k_of else rule.k,
        "initial": [list(pair) for pair in rule.initial_of.items()] if rule.initial_of else rule.initial,
        "scale": rule.scale,
        "base": rule.base,
        "items": list(items),
        "ratings": run.ratings.tolist(),
        "totals": totals.tolist(),
        "n_votes": n_votes,
    }
    if rule.k_function is not None:
        state["k"] = None
    if rule.half_life > 0.0:
        state["half_life_in_microseconds" if rule.moments else "half_life"] = rule.half_life
    if run.table is not None:
        # JSON has no infinities.
        state["last"] = [None if math.isinf(time) else time for time in run.table[:, LAST].tolist()]
        state["games"] = run.table[:, GAMES].tolist()
    return state


def restored(state: Mapping[str, Any], k: KFunction | None) -> Restored:
    """What a state says; InputError where it is none."""
    try:
        options = {name: state[name] for name in ("k", "initial", "scale", "base")}
        for name in ("k", "initial"):
            if isinstance(options[name], (list, tuple)):
                options[name] = dict(options[name])
        if options["k"] is None or k is not None:
            options["k"] = _same_kind(options["k"], k)
        options["half_life"] = state.get("half_life")
        if "half_life_in_microseconds" in state:
            options["half_life"] = _duration(state["half_life_in_microseconds"])
        items = list(state["items"])
        values, totals = np.array(state["ratings"], float), np.array(state["totals"], float).reshape(-1, 4)
        last = [-math.inf if time is None else time for time in state.get("last", [None] * len(items))]
        seen = np.array([last, state.get("games", [0.0] * len(items))], float).T.reshape(-1, 2)
        n_votes = state["n_votes"]
    except InputError:
        raise
    except Exception as error:
        # Whatever entries raise that are read as numbers.
        raise InputError(f"this is not what EloRatings.state gave ({error!r}); pass its dict unchanged") from error
    n_items = len(items)
    if values.shape != (n_items,) or totals.shape != (n_items, 4) or seen.shape != (n_items, 2):
        raise InputError(f"items, ratings and totals differ in length; {UNCHANGED}")
    games = seen[:, 1]
    if not (np.isfinite(values).all() and np.isfinite(totals).all() and (seen[:, 0] < math.inf).all()):
        raise InputError(f"a rating, a total or a time is not finite; {UNCHANGED}")
    if not ((games >= 0.0) & (games == np.floor(games)) & (games < 2.0**53)).all():
        raise InputError(f"a number of games is none; {UNCHANGED}")
    if not is_whole(n_votes) or n_votes < 0:
        raise InputError(f"n_votes is {shorten(n_votes)}; {UNCHANGED}")
    return Restored(items, options, values, totals, seen, int(n_votes))


def _same_kind(kept: object, k: KFunction | None) -> KFunction:
    """The function that k was; InputError where it is missing, or was none."""
    if kept is None and callable(k):
        return k
    if kept is None:
        raise InputError(
            "k was a function, which a state does not keep",
            option="k",
            remedy="pass it: EloRatings.from_state(state, k=f)",
        )
    raise InputError(f"k is given, and the state has its own, {shorten(kept)}", option="k", remedy="leave k out")


def _duration(microseconds: object) -> dt.timedelta:
    """A half-life of moments."""
    if not is_number(microseconds) or microseconds != math.floor(microseconds):
        raise InputError(f"half_life_in_microseconds is {shorten(microseconds)}; {UNCHANGED}")
    return dt.timedelta(microseconds=int(microseconds))
