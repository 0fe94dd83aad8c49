"""Tables of items for the command `rank`: their features, or their scores in an earlier vote."""

from __future__ import annotations

import csv
import math
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from pairvote.cli._output import tell
from pairvote.errors import InputError
from pairvote.votes._votes import Votes

# The columns of scores, as `pairvote rank --format csv` writes them.
ITEM, SCORE, ERROR = "item", "score", "standard_error"


def with_tables(options: dict[str, Any], votes: Votes) -> tuple[dict[str, Any], Votes]:
    """The options of the scorer with the tables in the place of their files, and the votes with all items of these."""
    by_text = {str(label): label for label in votes.items}
    options = dict(options)
    if "item_covariates" in options:
        names, rows = _read(options["item_covariates"], "--item-covariates")
        features = {
            by_text.get(label, label): dict(zip(names[1:], values, strict=True)) for label, values in rows.items()
        }
        new = [label for label in rows if label not in by_text]
        if new:
            votes = votes._changed(items=(*votes.items, *new))
        options["item_covariates"] = features
    if "known_scores" in options:
        options["known_scores"] = _known(options["known_scores"], by_text)
    return options, votes


def _known(path: str, by_text: dict[str, Hashable]) -> dict[Hashable, tuple[float, float]]:
    """The scores of the items that are here, with their standard errors."""
    flag = "--known-scores"
    names, rows = _read(path, flag, columns=(ITEM, SCORE, ERROR))
    exact = len(names) < 3
    here = {by_text[label]: (row[0], 0.0 if exact else row[1]) for label, row in rows.items() if label in by_text}
    if not here:
        raise InputError(
            f"none of the {len(rows):,} items of {path} is in these votes",
            option="known_scores",
            remedy="their labels must be spelt alike",
        )
    if len(here) < len(rows):
        tell(f"note: of {len(rows):,} known scores {len(rows) - len(here):,} are of items that are not in these votes")
    if exact:
        tell(f"note: {path} has no column {ERROR}, so its scores are taken as exact")
    return here


def _read(path: str, flag: str, columns: tuple[str, ...] = ()) -> tuple[list[str], dict[str, list[float]]]:
    """The header of a table and its numbers by label, of all columns or of these; the first has the labels."""
    option = flag.removeprefix("--").replace("-", "_")

    def wrong(problem: str, remedy: str) -> InputError:
        return InputError(f"{flag} {path}: {problem}", option=option, value=path, remedy=remedy)

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise wrong(f"it cannot be read ({error})", "name a CSV file in UTF-8") from None
    try:
        header, *lines = [line for line in csv.reader(text.splitlines()) if line] or [[]]
    except csv.Error as error:
        raise wrong(f"it is no CSV ({error})", "save it as CSV, with commas") from None
    names = [name.strip() for name in header]
    wanted = [name for name in columns if name in names] if columns else names
    if len(wanted) < 2 or len(set(names)) < len(names) or (columns and wanted[:2] != list(columns[:2])):
        need = f"columns {', '.join(columns[:2])}" if columns else "a column of labels, and one for each feature"
        raise wrong(f"its header is {','.join(names) or 'empty'}", f"it needs {need}, each with a name of its own")
    places = [names.index(name) for name in wanted]
    rows: dict[str, list[float]] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(names):
            raise wrong(f"row {number} has {len(line)} cells and the header {len(names)}", "mend the row")
        label, *cells = (line[place].strip() for place in places)
        if label in rows:
            raise wrong(f"row {number} is a second one of {label!r}", "keep one of them")
        try:
            rows[label] = [float(cell) for cell in cells]
        except ValueError:
            rows[label] = [math.nan]
        if not all(map(math.isfinite, rows[label])):
            raise wrong(f"row {number}, of {label!r}, has a cell that is no number", "fill it in, or leave out the row")
    return wanted, rows
