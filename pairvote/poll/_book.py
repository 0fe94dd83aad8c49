"""Questions and voters in arrays: one row a question, one row a voter."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote.poll._identities import Forgotten
from pairvote.poll._settings import Label

# What stands in the place of an answer: the question is open, or will never be answered, or no more.
OPEN, GONE = -1, -2
# What a voter is beside one who votes.
REMOVED, FORGOTTEN = 1, 2
NOBODY, NO_ROW = -1, -1
# The columns of questions and voters, with the types of their numbers.
QUESTION_COLUMNS = {
    "number": "i",
    "voter": "i",
    "left": "i",
    "right": "i",
    "previous": "i",
    "answer": "i",
    "answered": "i",
    "time": "d",
}
VOTER_COLUMNS = {"last": "i", "n_votes": "i", "n_skips": "i", "open": "i", "standing": "b"}
# Rows that are saved together.
CHUNK_BITS = 16


class Book:
    """The questions and the voters of a poll. A question is known by the number of its event, a voter by a code.

    Attributes
    ----------
    number, voter, left, right : array of int32, one entry a question
        Its event's number, ascending; the voter's code, -1 for nobody; the items' codes.
    previous : array of int32
        The row of the voter's question before, -1 for none.
    answer : array of int32
        What was answered, or `OPEN` or `GONE`.
    answered : array of int32
        The number of the event by which it was, 0 where there is no answer: the order of answers.
    time : array of float64
        When that was, 0 where there is no answer.
    last, open, n_votes, n_skips, standing : arrays, one entry a voter
        The row of the voter's last question and of the open one, -1 for none; how many votes and skips count; 0, or
        `REMOVED` and `FORGOTTEN`.
    labels : list of labels
        The voters' ids by code.
    codes : dict from label to code
        Of those who are not forgotten.
    groups : dict from code to group
    changed : set of int
        Which chunks of rows were changed since they were saved.
    """

    def __init__(self) -> None:
        self.number, self.voter, self.left, self.right = array("i"), array("i"), array("i"), array("i")
        self.previous, self.answer, self.answered, self.time = array("i"), array("i"), array("i"), array("d")
        self.last, self.n_votes, self.n_skips = array("i"), array("i"), array("i")
        self.open, self.standing = array("i"), array("b")
        self.labels: list[Label | Forgotten] = []
        self.codes: dict[Label | Forgotten, int] = {}
        self.groups: dict[int, Label] = {}
        self.changed: set[int] = set()

    # --- voters ---

    def come(self, label: Label | Forgotten) -> int:
        """One more voter; the code."""
        if label in self.codes:
            raise ValueError("the voter came before")
        code = len(self.labels)
        self.codes[label] = code
        self.labels.append(label)
        self.last.append(NO_ROW)
        self.open.append(NO_ROW)
        self.n_votes.append(0)
        self.n_skips.append(0)
        self.standing.append(FORGOTTEN if isinstance(label, Forgotten) else 0)
        return code

    def forget(self, code: int) -> Label | Forgotten:
        """Know a voter by a code only; the id that she had."""
        before = self.labels[code]
        del self.codes[before]
        self.labels[code] = after = Forgotten(code)
        self.codes[after] = code
        self.standing[code] |= FORGOTTEN
        self.groups.pop(code, None)
        return before

    def label(self, code: int) -> Label | Forgotten | None:
        """The name by which the stream knows a voter; None for nobody."""
        return self.labels[code] if code >= 0 else None

    def named(self) -> Iterator[tuple[Label, int]]:
        """Ids and codes of the voters who are not forgotten."""
        for code, label in enumerate(self.labels):
            if not isinstance(label, Forgotten):
                yield label, code

    def rows_of(self, code: int) -> Iterator[int]:
        """The rows of a voter's questions, the last first."""
        row = self.last[code]
        while row >= 0:
            yield row
            row = self.previous[row]

    def answered_by(self, code: int) -> list[int]:
        """The rows of a voter's answers that count, in the order in which they were given."""
        return sorted((row for row in self.rows_of(code) if self.answer[row] >= 0), key=self.answered.__getitem__)

    def pairs_shown_to(self, label: Any) -> list[int]:
        """The pairs that a voter was shown, as the stream's board has them; none to one who never came."""
        code = self.codes.get(label)
        if code is None:
            return []
        return [
            (max(self.left[row], self.right[row]) << 24) + min(self.left[row], self.right[row])
            for row in self.rows_of(code)
            if self.answer[row] != GONE
        ]

    # --- questions ---

    def ask(self, number: int, voter: int, left: int, right: int) -> int:
        """A question to a voter, which is open; its row."""
        row = len(self.number)
        self.number.append(number)
        self.voter.append(voter)
        self.left.append(left)
        self.right.append(right)
        self.answer.append(OPEN)
        self.answered.append(0)
        self.time.append(0.0)
        if voter >= 0:
            self.previous.append(self.last[voter])
            self.last[voter] = row
        else:
            self.previous.append(NO_ROW)
        self.changed.add(row >> CHUNK_BITS)
        return row

    def row(self, question: int) -> int:
        """The row of a question, -1 where there is none."""
        row = bisect_left(self.number, question)
        return row if row < len(self.number) and self.number[row] == question else NO_ROW

    def write(self, row: int, answer: int, answered: int, time: float) -> None:
        """Note the answer to a question, or that it is gone."""
        self.answer[row], self.answered[row], self.time[row] = answer, answered, time
        self.changed.add(row >> CHUNK_BITS)

    # --- as a whole ---

    def __len__(self) -> int:
        return len(self.number)

    def column(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """A copy of one column, or of rows of it."""
        return np.frombuffer(getattr(self, name)[start:stop], np.dtype((QUESTION_COLUMNS | VOTER_COLUMNS)[name]))

    def rows_that_count(self) -> NDArray[np.intp]:
        """The rows of the answers that count, in the order in which they were given."""
        answered = self.column("answered")
        rows = np.flatnonzero(answered)
        return rows[np.argsort(answered[rows], kind="stable")]

    @property
    def n_answers(self) -> int:
        """How many answers count."""
        return int(np.count_nonzero(self.column("answered")))

    def columns(self) -> dict[str, bytes]:
        """All that the log says of questions and voters, to be compared."""
        return {name: getattr(self, name).tobytes() for name in QUESTION_COLUMNS | VOTER_COLUMNS}

    # --- saved and restored ---

    @property
    def n_chunks(self) -> int:
        """How many chunks of rows there are."""
        return -(-len(self) >> CHUNK_BITS)

    def chunk(self, place: int) -> bytes:
        """The questions of one chunk, column by column."""
        start, stop = place << CHUNK_BITS, (place + 1) << CHUNK_BITS
        return b"".join(getattr(self, name)[start:stop].tobytes() for name in QUESTION_COLUMNS)

    def set_questions(self, n_rows: int, chunks: Iterable[bytes]) -> None:
        """So many questions, as `chunk` gave them one after the other; ValueError where they are others."""
        columns = [array(kind, [0]) * n_rows for kind in QUESTION_COLUMNS.values()]
        start = 0
        for content in chunks:
            stop, parts = min(n_rows, start + (1 << CHUNK_BITS)), memoryview(content)
            for column in columns:
                size = (stop - start) * column.itemsize
                with memoryview(column) as whole, whole.cast("B") as places:
                    # A part of another length is a ValueError.
                    places[start * column.itemsize : stop * column.itemsize] = parts[:size]
                parts = parts[size:]
            if len(parts):
                raise ValueError("there are more questions")
            start = stop
        if start != n_rows:
            raise ValueError("there are fewer questions")
        for name, column in zip(QUESTION_COLUMNS, columns, strict=True):
            setattr(self, name, column)

    def set_voters(
        self,
        columns: dict[str, NDArray[Any]],
        label_of: Callable[[int], Label | Forgotten],
        *,
        n_items: int,
        last_answer: int,
    ) -> None:
        """The voters of these columns; ValueError where they and the questions are none that a book could have."""
        for name, kind in VOTER_COLUMNS.items():
            column = columns[name]
            if column.dtype != np.dtype(kind) or column.shape != columns["last"].shape or column.ndim != 1:
                raise ValueError(f"the column {name} is of another kind")
            getattr(self, name).frombytes(column.tobytes())
        self._check(columns, n_items, last_answer)
        for code, standing in enumerate(columns["standing"].tolist()):
            label = Forgotten(code) if standing & FORGOTTEN else label_of(code)
            if isinstance(label, Forgotten):
                self.standing[code] |= FORGOTTEN
            self.labels.append(label)
        self.codes = {label: code for code, label in enumerate(self.labels)}
        if len(self.codes) != len(self.labels):
            raise ValueError("two voters have one id")

    def _check(self, voters: dict[str, NDArray[Any]], n_items: int, last_answer: int) -> None:
        """Whether all that points to a row, a voter or an item points to one."""
        number, voter, left, right, previous, answer, answered = (
            np.frombuffer(getattr(self, name), np.int32)
            for name in ("number", "voter", "left", "right", "previous", "answer", "answered")
        )
        opened, last = voters["open"], voters["last"]
        whole = (
            (np.diff(number) > 0).all()
            and (number > 1).all()
            and ((voter >= NOBODY) & (voter < len(last))).all()
            and ((previous >= NO_ROW) & (previous < np.arange(len(number), dtype=np.int32))).all()
            and ((left >= 0) & (left < n_items) & (right >= 0) & (right < n_items) & (left != right)).all()
            and ((answer >= GONE) & (answer <= last_answer)).all()
            and ((answered > 0) == (answer >= 0)).all()
            and np.isfinite(np.frombuffer(self.time, np.float64)).all()
            and ((last >= NO_ROW) & (last < len(number))).all()
            and ((opened >= NO_ROW) & (opened < len(number))).all()
            and (answer[opened[opened >= 0]] == OPEN).all()
            and (voter[last[last >= 0]] == np.flatnonzero(last >= 0)).all()
            and (voter[previous[previous >= 0]] == voter[previous >= 0]).all()
            and (voters["n_votes"] >= 0).all()
            and (voters["n_skips"] >= 0).all()
        )
        if not whole:
            raise ValueError("what it says of questions and voters cannot be")
