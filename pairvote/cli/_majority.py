"""The command ``pairvote majority``: who beats whom, for people or for programs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pairvote.cli._answer import FORMULA
from pairvote.cli._output import as_csv, as_data, as_json
from pairvote.scoring import Majority


def as_text(found: Majority, width: int | None = None) -> str:
    """The sentences and the table, on lines of so many cells of a terminal."""
    return f"{found._text(width)}\n"


def rows_as_csv(found: Majority, *, safe: bool = False) -> bytes:
    """The table alone, a row for each item in Kemeny's order; if it is to be safe, no label is taken for a formula."""
    columns = _plain(found)
    if safe:
        columns["item"] = [f"'{label}" if str(label).startswith(FORMULA) else label for label in columns["item"]]
    return as_data(as_csv([tuple(columns), *zip(*columns.values(), strict=True)]))


def report_as_json(found: Majority, warnings: list[str]) -> bytes:
    """All that was found: labels as text or whole numbers, null where there is no number."""
    columns = _plain(found)
    columns["item"] = _labels(columns["item"])
    report: dict[str, Any] = {
        "n_items": found.n_items,
        "n_pairs": math.comb(found.n_items, 2),
        "n_tied": found.n_tied,
        "n_unasked": found.n_unasked,
        "condorcet_winner": _labels([found.condorcet_winner])[0],
    }
    sets = ("unbeaten", "smith_set", "schwartz_set", "copeland_winners", "minimax_winners")
    report |= {name: _labels(getattr(found, name)) for name in sets}
    report["cycles"] = [
        {"cycle": _labels(cycle), "among": _labels(group)}
        for cycle, group in zip(found.cycles, found.cycle_groups, strict=True)
    ]
    report["kemeny"] = {
        "exact": found.kemeny_exact,
        "distance": found.kemeny_distance,
        "at_least": found.kemeny_bound,
        "votes": float(found.won.sum()),
    }
    report["warnings"] = warnings
    report["items"] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return as_json(report)


def _plain(found: Majority) -> dict[str, list[Any]]:
    columns = found.to_columns()
    columns["minimax"] = [None if math.isnan(margin) else margin for margin in columns["minimax"]]
    return columns


def _labels(labels: Iterable[object]) -> list[object]:
    """Labels as JSON holds them; None stays, where there is none."""
    return [label if label is None or isinstance(label, (str, int)) else str(label) for label in labels]
