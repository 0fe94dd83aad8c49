"""The course of ratings: what they were before and after each vote."""

from __future__ import annotations

import html
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import restore
from pairvote._common.frames import Backend, make_frame
from pairvote._common.labels import iterate_labels
from pairvote._common.messages import plural
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote.ranking._order import code_of
from pairvote.ranking._standing import read_only

SHOWN_ROWS = 10
NUMBERS = ("left_before", "right_before", "left_after", "right_after", "expected")
HEADINGS = ("row", "left", "right", "before", "before", "after", "after", "expected")
TEXT_COLUMNS = (1, 2)
LABEL_WIDTH = 24


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RatingHistory:
    """Ratings before and after each vote: `Ranking.history` of ``elo(..., history=True)`` and of `glicko2`.

    Attributes
    ----------
    items : tuple of labels, length n_items
    left, right : int32 array, shape (n_votes,), read-only
        The item on each side, as a code: its place in `items`. Rows are those of the votes that were rated, in the
        order that they were passed in.
    left_before, right_before : float64 array, shape (n_votes,), read-only
        The rating of each side just before the vote, faded to its time where ratings fade.
    left_after, right_after : float64 array, shape (n_votes,), read-only
        The rating of each side just after it, and for `glicko2` after its rating period. A skip changes nothing.
    expected : float64 array, shape (n_votes,), read-only
        The chance that left is picked, a tie as half, by the ratings before the vote: a forecast that has not seen it.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash"], ["birch", "cedar"])
    >>> history = pv.elo(votes, history=True).history
    >>> history.left_before.tolist(), history.left_after.round(2).tolist(), history.expected.round(3).tolist()
    ([1500.0, 1516.0], [1516.0, 1531.26], [0.5, 0.523])
    """

    items: tuple[Hashable, ...]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    left_before: NDArray[np.float64]
    right_before: NDArray[np.float64]
    left_after: NDArray[np.float64]
    right_after: NDArray[np.float64]
    expected: NDArray[np.float64]

    __setstate__ = restore

    def __post_init__(self) -> None:
        for array in vars(self).values():
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.left)

    def of(self, label: Hashable) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The rows of the votes that an item was in, and its rating after each of them: a curve to draw.

        Raises
        ------
        InputError
            For a label that is not among the items.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_wins(["ash", "ash", "birch"], ["birch", "cedar", "cedar"])
        >>> rows, ratings = pv.elo(votes, history=True).history.of("birch")
        >>> rows.tolist(), ratings.round(1).tolist()
        ([0, 2], [1484.0, 1500.0])
        """
        code = code_of(label, self.items, {each: place for place, each in enumerate(self.items)})
        on_left = self.left == code
        rows = np.flatnonzero(on_left | (self.right == code))
        return read_only(rows), read_only(np.where(on_left, self.left_after, self.right_after)[rows])

    def to_columns(self) -> dict[str, list[Any]]:
        """The columns as lists: left, right, left_before, right_before, left_after, right_after, expected."""
        columns: dict[str, list[Any]] = {
            "left": list(iterate_labels(self.left, self.items)),
            "right": list(iterate_labels(self.right, self.items)),
        }
        return columns | {name: getattr(self, name).tolist() for name in NUMBERS}

    def to_frame(self, backend: Backend = "pandas") -> Any:
        """`to_columns` as a data frame of "pandas", "polars" or "pyarrow"."""
        return make_frame(self.to_columns(), backend)

    def __repr__(self) -> str:
        return f"RatingHistory({plural(len(self), 'vote')}, {plural(len(self.items), 'item')})"

    def __str__(self) -> str:
        head, rows = self._table()
        return "\n".join([head, *text_lines(HEADINGS, rows, TEXT_COLUMNS)])

    def _repr_html_(self) -> str:
        head, rows = self._table()
        return f"<p>{html.escape(head)}</p>{html_table(HEADINGS, rows, TEXT_COLUMNS)}"

    def _table(self) -> tuple[str, list[tuple[str, ...]]]:
        """The heading, and the last rows for people."""
        first = max(len(self) - SHOWN_ROWS, 0)
        head = f"Ratings before and after each of {plural(len(self), 'vote')}" + (", the last of them" if first else "")
        rows = [
            (
                str(row),
                *(as_label(self.items[codes[row]], LABEL_WIDTH) for codes in (self.left, self.right)),
                *(f"{getattr(self, name)[row]:.1f}" for name in NUMBERS[:-1]),
                f"{self.expected[row]:.3f}",
            )
            for row in range(first, len(self))
        ]
        return head, rows

    def _moved(self, shift: float) -> RatingHistory:
        """The history of ratings that are all so much higher."""
        return replace(self, **{name: getattr(self, name) + shift for name in NUMBERS[:-1]})
