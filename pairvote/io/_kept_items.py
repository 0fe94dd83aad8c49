"""Items that a file names beside its rows, since they have no votes or stand in another order."""

from __future__ import annotations

import json
import operator
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from pairvote._common.labels import MAX_ITEMS, first_seen, merge_labels
from pairvote._common.messages import plural, shorten
from pairvote.io._text import is_text
from pairvote.votes._report import Report
from pairvote.votes._votes import Votes

KEY = b"pairvote"
# Columns of Parquet hold numbers below this.
_LARGEST = 2**63


def kept_items(votes: Votes) -> dict[bytes, bytes]:
    """Metadata that names the items; none where the rows show all of them in order, or a label is of another kind."""
    _, shown = first_seen([votes.left, votes.right], votes.items)
    if shown is votes.items:
        return {}
    labels = [_plain(label) for label in votes.items]
    return {} if None in labels else {KEY: json.dumps({"items": labels}).encode()}


def _plain(label: Hashable) -> str | int | None:
    """The label as a file holds it; None where it is neither text nor a whole number of 64 bits."""
    if isinstance(label, str):
        return str.__str__(label) if is_text(label) else None
    if isinstance(label, (int, np.integer)) and not isinstance(label, bool):
        number = operator.index(label)
        return number if -_LARGEST <= number < _LARGEST else None
    return None


def with_kept_items(votes: Votes, metadata: Mapping[bytes, bytes], file: str, report: Report) -> Votes:
    """Votes over the items that the file's metadata name, where these can be the items of its rows.

    Anybody may have changed the rows or the metadata since, so a list that does not fit is passed over, which the
    report says.
    """
    if KEY not in metadata:
        return votes
    items = _items_in(metadata[KEY])
    if items is None:
        report.remark(f"what the metadata of {file} say of items is no list of labels, and is passed over")
        return votes
    kinds = {label: type(label) for label in items}
    # True is 1 to Python, but not to a reader.
    lacking = next((label for label in votes.items if kinds.get(label) is not type(label)), None)
    if lacking is not None:
        report.remark(f"the items that the metadata of {file} name lack {shorten(lacking)}, and are passed over")
        return votes
    n_more = len(items) - votes.n_items
    if n_more:
        report.remark(f"the metadata of {file} name {plural(n_more, 'item')} without votes")
    items, codes = merge_labels(items, votes.items)
    return votes._changed(items=items, left=codes[votes.left], right=codes[votes.right])


def _items_in(content: bytes) -> tuple[Hashable, ...] | None:
    """The labels that the metadata name; None where they are no list of different texts and whole numbers."""
    try:
        said: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    items = said.get("items") if isinstance(said, dict) else None
    if not isinstance(items, list) or len(items) > MAX_ITEMS:
        return None
    labels = tuple(label for label in map(_plain, items) if label is not None)
    return labels if len(labels) == len(items) == len(set(labels)) else None
