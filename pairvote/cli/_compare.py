"""The command ``pairvote compare-models``: which model of a vote a file of votes speaks for."""

from __future__ import annotations

from typing import Any

from pairvote.cli._check import as_plain
from pairvote.diagnostics import compare_models
from pairvote.diagnostics._page import as_text
from pairvote.votes._votes import Votes


def page_on(votes: Votes, by: str | None, seed: int | None, width: int | None = None) -> tuple[str, dict[str, Any]]:
    """The page as text, and as what JSON can hold: labels as strings, null where there is no number.

    With a `width` in cells of a terminal, tables are fitted to it.
    """
    page = compare_models(votes, by=by, rng=seed)
    text = as_text([(page.title, list(page._blocks()))], width)
    return f"{text}\n", {name: as_plain(value) for name, value in page.to_dict().items()}
