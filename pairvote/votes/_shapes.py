"""What the columns of a file make of its rows: who stood on which side, and what was picked.

Files say so in several shapes (`pairvote.votes._wanted.SHAPES`). Each becomes the columns left, right and outcome here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.alike import alike_key
from pairvote._common.coded import Coded
from pairvote._common.labels import Codes, as_column, code_column, first_row
from pairvote._common.messages import Locate, shorten, wrong_entry
from pairvote._common.outcomes import Meanings, Outcome, Outcomes
from pairvote._common.questions import no_question, tried_questions
from pairvote._common.times import is_time, wrong_times
from pairvote._common.unknown_outcomes import unknown_outcomes
from pairvote.errors import InputError
from pairvote.votes._amounts import entry, no_number, tried
from pairvote.votes._build import Fields, from_columns
from pairvote.votes._item_texts import ItemTexts
from pairvote.votes._normaliser import Normaliser
from pairvote.votes._report import Report
from pairvote.votes._wanted import AMOUNTS, Name, Wanted

# Codes of outcomes are places among these, which mean themselves whatever outcomes= says.
OUTCOMES = (Outcome.RIGHT, Outcome.TIE, Outcome.LEFT, Outcome.SKIP)
LABELS = ("left", "right", "winner", "loser", "outcome", "voter", "criterion", "tie")
TIED = {True: True, "true": True, "yes": True, "y": True, "t": True, "1": True, "x": True, "tie": True}
NOT_TIED = {False: False, "false": False, "no": False, "n": False, "f": False, "0": False, "": False}
JOIN = " / "
# What votes are made of.
VOTE_COLUMNS = ("left", "right", "outcome", "voter", "weight", "criterion", "time", "question")
# A remedy for a row that is no vote.
DROP = "mend it, or pass bad_rows='skip' to leave such rows out"


@dataclass
class Table:
    """Rows of a file on their way to votes: the columns by part, and which rows are wrong.

    `wrong` holds, for each kind of fault, in which rows it is and what makes the error for one.
    """

    columns: dict[str, Any]
    n_rows: int
    locate: Locate
    wrong: list[tuple[NDArray[np.bool_], Callable[[int], InputError]]] = field(default_factory=list)

    def refuse(self, mask: NDArray[np.bool_], error: Callable[[int], InputError]) -> None:
        """Take note of rows that are wrong."""
        if mask.any():
            self.wrong.append((mask, error))

    def take(self, rows: NDArray[np.intp]) -> Table:
        """The rows of these numbers, in this order; one may come several times."""
        locate = self.locate
        columns = {part: _taken(column, rows) for part, column in self.columns.items()}
        return Table(columns, len(rows), lambda row: locate(int(rows[row])))


@dataclass(frozen=True)
class Reader:
    """What makes votes of columns, for all rows of all files of one reading.

    Parameters
    ----------
    wanted : Wanted
    outcomes : as in `read_votes`
    tie : str, optional
        The word that means a tie in a column of winners.
    decimal : str, optional
        What stands before the fraction of a number in text; with None, text is no number.
    normaliser : Normaliser, optional
        What joins labels that print alike.
    report : Report
    """

    wanted: Wanted
    report: Report
    outcomes: Outcomes | None = None
    tie: str | None = None
    decimal: str | None = "."
    normaliser: Normaliser | None = None

    def found_in(self, columns: Sequence[str], file: str) -> dict[str, str]:
        """Find the parts as `Wanted.found_in` does; the report takes note of them."""
        found = self.wanted.found_in(columns, file)
        self.report.columns.update(found)
        used = set(found.values())
        self.report.others = [name for name in columns if name not in used]
        return found

    def name(self, part: str) -> Name:
        """The column of a part, as `Wanted.name` says it."""
        return self.wanted.name(part)

    def rows(self, columns: Mapping[str, Any], n_rows: int, locate: Locate, *, whole: bool = False) -> Table:
        """The rows as votes: left, right and outcome, and what else there is, without those that are to be skipped.

        With `whole`, totals become a row for each vote where they are whole numbers; a weighted one otherwise.

        Raises
        ------
        InputError
            For the first row that is wrong, unless bad rows are skipped.
        """
        rows = Table(self._labels(columns, locate), n_rows, locate)
        shape = _shape_of(rows.columns)
        for part in AMOUNTS & rows.columns.keys() - {"time", "question"}:
            # Weights of a data frame are checked where votes are put together.
            if part != "weight" or self.decimal is not None or self.report.skips or "left_wins" in rows.columns:
                self._numbers(rows, part)
        if shape is not None:
            shape(self, rows)
        if self.normaliser is not None:
            sides = {side: _coded(rows.columns[side], side) for side in ("left", "right")}
            rows.columns |= self.normaliser.columns(sides)
        if self.report.skips:
            self._look_for_faults(rows)
        rows = self._without_wrong(rows)
        if "left_wins" in rows.columns:
            rows = _from_totals(rows, whole=whole)
        self.report.n_rows += rows.n_rows
        return rows

    def fields(
        self, columns: Mapping[str, Any], n_rows: int, locate: Locate, items: Any, texts: ItemTexts | None = None
    ) -> Fields:
        """The fields of votes, of all rows at once; `items` are those that there may be, found by `texts`."""
        table = self.rows(columns, n_rows, locate, whole=True)
        if texts is not None:
            table.columns |= texts.columns(table.columns, table.locate)
        parts = {part: table.columns[part] for part in VOTE_COLUMNS if part in table.columns}
        return from_columns(**parts, items=items, outcomes=self.outcomes, locate=table.locate)

    def _labels(self, columns: Mapping[str, Any], locate: Locate) -> dict[str, Any]:
        """The columns with what is extracted from cells, and with the columns of a side joined."""
        taken = dict(columns)
        for part in list(taken):
            how = self.wanted.extracted(part)
            if how is not None:
                taken[part] = _extracted(code_column(as_column(taken[part], part), part, locate), *how)
        for side in ("left", "right"):
            more = [part for part in taken if part.startswith(f"{side}+")]
            if more:
                several = [code_column(as_column(taken.pop(part), part), part, locate) for part in (side, *more)]
                taken[side] = _joined(several)
        if self.decimal == "," and "outcome" in taken and Meanings.of(self.outcomes).scale is not None:
            codes, labels = code_column(as_column(taken["outcome"], "outcome"), "outcome", locate)
            texts = [label.replace(",", ".") if isinstance(label, str) else label for label in labels]
            taken["outcome"] = Coded(codes, texts)
        # Where a row is compared with others or left out, its labels must be codes.
        is_plain = "outcome" in taken and not self.report.skips
        if not is_plain:
            for part in taken.keys() & set(LABELS):
                taken[part] = code_column(as_column(taken[part], part), part, locate)
        return taken

    def _numbers(self, rows: Table, part: str) -> None:
        column = rows.columns[part]
        amounts, wrong = tried(column, self.decimal)
        if part != "weight":
            wrong |= np.isnan(amounts)
        if part.endswith("wins") or part == "tied":
            rows.refuse(
                (amounts < 0) | np.isinf(amounts),
                lambda row: wrong_entry(
                    part, rows.locate(row), entry(column, row), "a number of votes is finite and not negative"
                ),
            )
        rows.refuse(wrong, lambda row: no_number(entry(column, row), part, rows.locate(row)))
        rows.columns[part] = amounts

    def _look_for_faults(self, rows: Table) -> None:
        """Find the rows that would be refused as votes."""
        left, right = (_coded(rows.columns[side], side) for side in ("left", "right"))
        for side, column in (("left", left), ("right", right)):
            rows.refuse(column.codes < 0, partial(_missing, side, rows.locate))
        ours, theirs = _numbered([left, right])
        rows.refuse(
            (ours == theirs) & (ours >= 0),
            lambda row: InputError(f"{rows.locate(row)} has {shorten(entry(left, row))} against itself"),
        )
        if "outcome" in rows.columns:
            outcome = _coded(rows.columns["outcome"], "outcome")
            meanings = Meanings.of(self.outcomes)
            codes = np.array([meanings.code(label) for label in [*outcome.labels, None]])
            rows.refuse(
                codes[outcome.codes] < 0,
                lambda row: InputError(f"outcome at {rows.locate(row)} is {_said(entry(outcome, row))}"),
            )
        if "weight" in rows.columns:
            weight = rows.columns["weight"]
            rows.refuse(
                ~(weight >= 0) | np.isinf(weight),
                lambda row: InputError(f"weight at {rows.locate(row)} is {weight[row]:g}"),
            )
        if "time" in rows.columns:
            time = rows.columns["time"]
            rows.refuse(
                _no_times(time), lambda row: InputError(f"time at {rows.locate(row)} is {_said(entry(time, row))}")
            )
        if "question" in rows.columns:
            question = rows.columns["question"]
            _, wrong = tried_questions(question)
            rows.refuse(wrong, lambda row: no_question(question, row, rows.locate))

    def _without_wrong(self, rows: Table) -> Table:
        if not rows.wrong:
            return rows
        firsts = [first_row(mask) for mask, _ in rows.wrong]
        if not self.report.skips:
            first = min(firsts)
            raise next(error(first) for (_, error), row in zip(rows.wrong, firsts, strict=True) if row == first)
        wrong = np.logical_or.reduce([mask for mask, _ in rows.wrong])
        faulty = np.flatnonzero(wrong)
        room = self.report.room
        for row in faulty[:room].tolist():
            self.report.skip(1, next(error(row) for mask, error in rows.wrong if mask[row]).problem)
        self.report.n_skipped += len(faulty[room:])
        return rows.take(np.flatnonzero(~wrong))


def n_rows_of(columns: Mapping[str, Any]) -> int:
    """How many rows columns of one length have."""
    column = next(iter(columns.values()), ())
    return len(column.codes) if isinstance(column, Coded) else len(column)


def _missing(side: str, locate: Locate, row: int) -> InputError:
    where = locate(row)
    return wrong_entry(side, where, None, "a vote needs two items, so fill it in or drop the row", found="missing")


def _header(locate: Locate, row: int) -> InputError:
    return InputError(f"{locate(row)} repeats the header", option="bad_rows", where=locate(row), remedy=DROP)


def _code_of(label: Name, column: Coded) -> int:
    """The code of a label; -2 where the column does not have it."""
    return column.labels.index(label) if label in column.labels else -2


def _no_times(column: Any) -> NDArray[np.bool_]:
    """The rows of a column in which there is no time."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iufM":
        return wrong_times(column)
    codes, labels = column if isinstance(column, Coded) else (np.arange(len(column)), column)
    # A missing entry is coded -1, which picks the last of these.
    wrong = np.array([*(not is_time(label) for label in labels), True])
    return np.asarray(wrong[codes])


def _said(value: Any) -> str:
    return "missing" if value is None else shorten(value)


def _coded(column: Any, name: str) -> Coded:
    return code_column(as_column(column, name), name)


def _taken(column: Any, rows: NDArray[np.intp]) -> Any:
    if isinstance(column, Coded):
        return Coded(column.codes[rows], column.labels)
    if isinstance(column, np.ndarray):
        return column[rows]
    return [column[row] for row in rows.tolist()]


def _extracted(column: Coded, pattern: re.Pattern[str], group: str) -> Coded:
    """What the group of a pattern finds in each cell; missing where the pattern does not fit."""
    found = [pattern.search(label) if isinstance(label, str) else None for label in column.labels]
    texts = [None if match is None else match[group] for match in found]
    table = {text: code for code, text in enumerate(dict.fromkeys(text for text in texts if text))}
    codes = np.array([table.get(text, -1) for text in [*texts, None]], np.int32)
    return Coded(codes[column.codes], list(table))


def _joined(columns: Sequence[Coded]) -> Coded:
    """One column of the cells of several, with a stroke between them; missing where any of them is.

    Raises
    ------
    InputError
        Where two different rows of cells would read alike.
    """
    table = np.stack([column.codes for column in columns], axis=1)
    distinct, codes = np.unique(table, axis=0, return_inverse=True)
    whole = np.asarray((distinct >= 0).all(axis=1))
    texts = [
        JOIN.join(str(column.labels[code]) for column, code in zip(columns, row, strict=True)) if full else None
        for row, full in zip(distinct.tolist(), whole.tolist(), strict=True)
    ]
    named = [text for text in texts if text is not None]
    if len(set(named)) < len(named):
        twice = next(text for text in named if named.count(text) > 1)
        raise InputError(f"two items would both be called {shorten(twice)}", value=twice, remedy="rename one of them")
    numbers = np.where(whole, np.cumsum(whole) - 1, -1).astype(np.int32)
    return Coded(numbers[codes.reshape(-1)], named)


def _numbered(columns: Sequence[Coded], *, alike: bool = False) -> list[Codes]:
    """The columns in one numbering, in which equal labels have equal numbers; -1 stays.

    With `alike`, labels that print alike are equal too.
    """
    table: dict[Hashable, int] = {}
    numbered = []
    for column in columns:
        keys = [alike_key(label) if alike and isinstance(label, str) else label for label in column.labels]
        numbers = [table.setdefault(key, len(table)) for key in keys]
        numbered.append(np.array([*numbers, -1], np.int32)[column.codes])
    return numbered


# --- the shapes ---


def _shape_of(columns: Mapping[str, Any]) -> Callable[[Reader, Table], None] | None:
    """The function that makes left, right and outcome of the columns; None where it is left to others.

    Outcomes are there already, and totals become rows when it is known that all is well with them.
    """
    if "outcome" in columns or "left_wins" in columns:
        return None
    if "loser" in columns:
        return _from_wins
    if "winner" in columns:
        return _from_winner
    return _from_scores


def _from_wins(reader: Reader, rows: Table) -> None:
    """The winner of each vote is put on the left."""
    columns = rows.columns
    columns["left"], columns["right"] = columns.pop("winner"), columns.pop("loser")
    won, lost = (
        columns[side].codes == _code_of(reader.wanted.name(part), columns[side])
        for part, side in (("winner", "left"), ("loser", "right"))
    )
    rows.refuse(won & lost, partial(_header, rows.locate))
    codes = np.full(rows.n_rows, Outcome.LEFT, np.int32)
    codes[_tied(rows)] = Outcome.TIE
    columns["outcome"] = Coded(codes, OUTCOMES)


def _from_winner(reader: Reader, rows: Table) -> None:
    """A column names the winner: an item, the column of its side, or its side; an empty cell is a tie."""
    columns = rows.columns
    winner = columns.pop("winner")
    left, right, picked = _numbered([columns["left"], columns["right"], winner], alike=reader.normaliser is not None)
    names = {reader.wanted.name(side): side for side in ("left", "right")}
    meanings = Meanings.of(reader.outcomes)

    def meaning(label: Hashable | None) -> int:
        code = meanings.code(label)
        if code < 0 and label is not None and label == reader.tie:
            return int(Outcome.TIE)
        if code < 0 and label in names:
            return int(Outcome[names[str(label)].upper()])
        return int(Outcome.TIE) if code < 0 and label is None else code

    codes = np.array([meaning(label) for label in [*winner.labels, None]], np.int32)[winner.codes]
    codes[(picked == left) & (picked >= 0)] = Outcome.LEFT
    codes[(picked == right) & (picked >= 0)] = Outcome.RIGHT
    codes[_tied(rows)] = Outcome.TIE
    n_empty = int(np.count_nonzero((winner.codes < 0) & (codes == Outcome.TIE)))
    if n_empty and meanings.code(None) < 0:
        reader.report.n_empty += n_empty

    def error(row: int) -> InputError:
        return unknown_outcomes(winner, np.flatnonzero(codes < 0), meanings, rows.locate, part="winner")

    rows.refuse(codes < 0, error)
    columns["outcome"] = Coded(codes, OUTCOMES)


def _tied(rows: Table) -> NDArray[np.bool_]:
    """The rows that a column of its own calls ties."""
    column = rows.columns.pop("tie", None)
    if column is None:
        return np.zeros(rows.n_rows, bool)
    meanings = TIED | NOT_TIED

    def meaning(label: Any) -> int:
        try:
            return int(meanings.get(label.strip().lower() if isinstance(label, str) else label, 2))
        except TypeError:
            return 2

    found = np.array([*map(meaning, column.labels), 0])[column.codes]
    remedy = "say true or false, or leave it empty"
    rows.refuse(found == 2, lambda row: wrong_entry("tie", rows.locate(row), entry(column, row), remedy, option="tie"))
    return np.asarray(found == 1)


def _from_scores(reader: Reader, rows: Table) -> None:
    """The higher score wins; a level one is a tie."""
    left, right = rows.columns.pop("left_score"), rows.columns.pop("right_score")
    codes = np.where(left > right, Outcome.LEFT, np.where(left < right, Outcome.RIGHT, Outcome.TIE))
    rows.columns["outcome"] = Coded(codes.astype(np.int32), OUTCOMES)


def _from_totals(rows: Table, *, whole: bool) -> Table:
    """A row for each outcome of a pair with its total as the weight, or as many rows as there were votes."""
    columns = rows.columns
    totals = [columns.pop("right_wins"), columns.pop("tied", np.zeros(rows.n_rows)), columns.pop("left_wins")]
    weight = columns.pop("weight", np.ones(rows.n_rows))
    table = np.stack(totals[::-1], axis=1) * weight[:, None]
    row, place = np.nonzero(table)
    amounts = table[row, place]
    codes = np.array([Outcome.LEFT, Outcome.TIE, Outcome.RIGHT], np.int32)[place]
    if whole and (amounts % 1 == 0).all() and amounts.sum() <= MOST_REPEATED:
        times = amounts.astype(np.intp)
        row, codes = np.repeat(row, times), np.repeat(codes, times)
        taken = rows.take(row)
    else:
        taken = rows.take(row)
        taken.columns["weight"] = amounts
    taken.columns["outcome"] = Coded(codes, OUTCOMES)
    return taken


# Totals of more votes become weights.
MOST_REPEATED = 10_000_000
