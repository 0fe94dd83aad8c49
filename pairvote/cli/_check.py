"""The command ``pairvote check``: whether a file of votes is to be trusted, for people or for programs."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from pairvote.diagnostics import check
from pairvote.diagnostics._page import as_text
from pairvote.votes._votes import Votes


def report_on(
    votes: Votes,
    top_k: int,
    seed: int | None,
    width: int | None = None,
    groups: dict[Hashable, Hashable] | None = None,
) -> tuple[str, dict[str, Any]]:
    """The report as text, and as what JSON can hold: labels as strings, null where there is no number.

    With a `width` in cells of a terminal, tables are fitted to it.
    """
    report = check(votes, top_k=top_k, rng=seed, groups=groups)
    return f"{as_text(report._sections(), width)}\n", {
        name: as_plain(value) for name, value in report.to_dict().items()
    }


def as_plain(value: Any) -> Any:
    """A value that JSON can hold: labels as strings, and null where there is no number."""
    if isinstance(value, dict):
        return {name: as_plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else str(value)
