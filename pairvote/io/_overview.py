"""What the columns of a file hold, for messages to show and for guesses to go by."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, code_column
from pairvote._common.messages import plural, shorten
from pairvote.errors import InputError

# Cells that stand for a missing value in files of many makers, in small letters.
NA_TEXTS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", ".", "?"})
N_SAMPLES = 8
N_COLUMNS = 12
NAME_WIDTH = 32
CELL_WIDTH = 28


@dataclass(frozen=True, eq=False)
class ColumnView:
    """A column: its name, its rows as codes into its labels (-1 where a cell is missing), and how often each occurs.

    `is_nested` is set when cells are lists or objects; their labels are then texts that show them.
    """

    name: str
    codes: NDArray[np.int32]
    labels: tuple[Hashable, ...]
    counts: NDArray[np.int64]
    is_nested: bool = False

    @classmethod
    def of(cls, name: str, values: object) -> ColumnView:
        """The view of a column, which is `Coded`, a list or an array."""
        nested = False
        try:
            coded = code_column(as_column(values, name), name)
        except InputError:
            # Cells that cannot be labels, such as lists, are shown all the same.
            coded, nested = code_column([shorten(value) for value in list(values)], name), True  # type: ignore[call-overload]
        return cls._of(name, coded, nested)

    @classmethod
    def _of(cls, name: str, coded: Coded, nested: bool) -> ColumnView:
        codes, labels = np.asarray(coded.codes), tuple(coded.labels)
        counts = np.bincount(codes[codes >= 0], minlength=len(labels)).astype(np.int64)
        used = np.flatnonzero(counts)
        if len(used) < len(labels):
            numbers = np.full(len(labels) + 1, -1, np.int32)
            numbers[used] = np.arange(len(used), dtype=np.int32)
            codes, labels, counts = numbers[codes], tuple([labels[code] for code in used.tolist()]), counts[used]
        return cls(name, codes, labels, counts, nested)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def n_distinct(self) -> int:
        """Number of different values, missing ones not counted."""
        return len(self.labels)

    @property
    def n_missing(self) -> int:
        """Number of missing cells."""
        return self.n_rows - int(self.counts.sum())

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The labels as texts, without blanks at their ends."""
        return tuple(str(label).strip() for label in self.labels)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The codes, most common first, then as rows show them."""
        return tuple(np.argsort(-self.counts, kind="stable").tolist())

    def common(self, n_labels: int = N_SAMPLES) -> list[tuple[Hashable, int]]:
        """The most common labels with their counts."""
        return [(self.labels[code], int(self.counts[code])) for code in self.order[:n_labels]]

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The number of every label; nan for a label that is none."""
        return np.array([number_of(label) for label in self.labels], np.float64)

    @cached_property
    def is_na(self) -> NDArray[np.bool_]:
        """Whether each label is a text that stands for a missing value, such as NA."""
        return np.array([text.lower() in NA_TEXTS for text in self.texts], bool)

    @cached_property
    def all_numbers(self) -> bool:
        """Whether all cells that are there are numbers, NA apart; False for a column without any."""
        return bool(len(self.labels)) and bool((~np.isnan(self.numbers) | self.is_na).all() and not self.is_na.all())

    @cached_property
    def all_whole(self) -> bool:
        """Whether all cells that are there are whole numbers, NA apart."""
        return self.all_numbers and bool((self.numbers[~self.is_na] % 1 == 0).all())

    @cached_property
    def has_decimal_comma(self) -> bool:
        """Whether numbers are written with a decimal comma."""
        return any(re.fullmatch(r"[-+]?\d+,\d+", text) for text in self.texts) and self.all_numbers

    @cached_property
    def text_length(self) -> float:
        """Mean number of characters in a cell."""
        lengths = np.array([len(text) for text in self.texts], np.float64)
        return float((lengths * self.counts).sum() / self.counts.sum()) if len(self.labels) else 0.0

    def rows_of(self, picked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the label of each row is picked; False where the cell is missing."""
        return np.append(picked, np.False_)[self.codes]

    def values(self) -> NDArray[np.float64]:
        """The number in every row; nan where there is none."""
        return np.append(self.numbers, np.nan)[self.codes]


def number_of(label: object) -> float:
    """The number that a label is, or that its text reads as, also with a decimal comma; nan where it is none."""
    if isinstance(label, bool):
        return math.nan
    text = str(label).strip()
    if not re.fullmatch(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?", text):
        return math.nan
    number = float(text.replace(",", "."))
    return number if math.isfinite(number) else math.nan


@dataclass(frozen=True, eq=False)
class Overview:
    """The columns of a file by their names, and the number of its rows; of its first rows where it is a `sample`."""

    columns: Mapping[str, ColumnView]
    n_rows: int
    sample: bool = False

    @classmethod
    def of(cls, columns: Mapping[str, object], *, sample: bool = False) -> Overview:
        """The overview of columns, each `Coded`, a list or an array, all of one length."""
        views = {name: ColumnView.of(name, values) for name, values in columns.items()}
        return cls(views, max((view.n_rows for view in views.values()), default=0), sample)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.columns)

    def __getitem__(self, name: str) -> ColumnView:
        return self.columns[name]

    def some(self, n_rows: int) -> Overview:
        """At most so many of the rows, which lie evenly over all; itself where there are no more."""
        step = -(-self.n_rows // n_rows)
        if step <= 1:
            return self
        views = {
            name: ColumnView._of(name, Coded(view.codes[::step], view.labels), view.is_nested)
            for name, view in self.columns.items()
        }
        return Overview(views, len(range(0, self.n_rows, step)), sample=True)

    def only(self, names: Iterable[str]) -> Overview:
        """The columns of these names, where it has them."""
        return Overview({name: self[name] for name in names if name in self.columns}, self.n_rows, self.sample)

    def without_header(self) -> Overview:
        """What it would be if the names were a row of cells as well; columns are then called 1, 2, 3 and so on."""
        return Overview(
            {str(place): _with_first(view, str(place)) for place, view in enumerate(self.columns.values(), 1)},
            self.n_rows + 1,
            self.sample,
        )

    def lines(self, width: int = 100, n_columns: int = N_COLUMNS, used: Iterable[str] = ()) -> list[str]:
        """What the columns hold, in a line each, for people.

        Parameters
        ----------
        width : int
            Maximum number of characters in a line.
        n_columns : int
            How many columns are shown; the others are counted.
        used : iterable of str
            Columns to show before others; all are in the order of the file.
        """
        chosen = [name for name in dict.fromkeys((*used, *self.columns)) if name in self.columns][:n_columns]
        shown = [view for view in self.columns.values() if view.name in chosen]
        names = [_cut(escaped(view.name), NAME_WIDTH) for view in shown]
        room = max(map(len, names), default=0)
        lines = [
            f"{name:<{room}}  {_cells(view, width - room - 2)}"[:width] for name, view in zip(names, shown, strict=True)
        ]
        n_more = len(self.columns) - len(shown)
        return [*lines, f"and {plural(n_more, 'more column')}"] if n_more else lines


def _with_first(view: ColumnView, name: str) -> ColumnView:
    """The column with its name as a cell above the others."""
    labels = list(view.labels)
    if view.name not in labels:
        labels.append(view.name)
    codes = np.concatenate([[labels.index(view.name)], view.codes]).astype(np.int32)
    return ColumnView._of(name, Coded(codes, labels), view.is_nested)


def _cells(view: ColumnView, width: int) -> str:
    """The most common cells with their counts, as many as there is room for, and how many there are."""
    facts = f"{view.n_distinct:,} different"
    if view.n_missing:
        facts += f", {view.n_missing:,} empty"
    if not view.n_distinct:
        return "all cells are empty" if view.n_rows else "no cells"
    if view.is_nested:
        facts += "; lists or objects"
    room = width - len(facts) - len(" (), …")
    unique = view.n_distinct > 1 and int(view.counts.max()) == 1
    parts: list[str] = []
    for label, count in view.common():
        part = _cut(escaped(str(label)), CELL_WIDTH) + ("" if unique else f" {count:,}×")
        if parts and len(", ".join([*parts, part])) > room:
            break
        parts.append(part)
    more = ", …" if len(parts) < view.n_distinct else ""
    return f"{', '.join(parts)}{more} ({facts})"


def escaped(text: str) -> str:
    """The text on one line, with control characters and the like written out."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def closest(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that was meant: spelt alike except for case, blanks, _ and -, or else nearly so.

    Examples
    --------
    >>> from pairvote.io._overview import closest
    >>> closest("Left ", ["left", "right"]), closest("model a", ["model_a", "model_b"]), closest("wieght", ["weight"])
    ('left', 'model_a', 'weight')
    >>> closest("left", ["elephant", "winner"])
    """
    names = list(names)
    if name in names:
        return name
    key = _folded(name)
    same = [other for other in names if _folded(other) == key]
    if same:
        return same[0]
    folded = {_folded(other): other for other in reversed(names)}
    # Short names differ by a letter when they mean something else.
    near = difflib.get_close_matches(key, list(folded), n=1, cutoff=0.8) if len(key) > 3 else []
    # model_a is as near to model_b as can be, and never it.
    near = [other for other in near if key[:-1] != other[:-1] or key[-1] == other[-1]]
    return folded[near[0]] if near else None


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).casefold()
