"""The columns of a file that hold the parts of votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pairvote._common.messages import listed, shorten
from pairvote.errors import InputError
from pairvote.io._source import NEEDED

# Parts whose columns hold amounts and not labels; formats hand them on as they are.
AMOUNTS = frozenset({"weight", "left_score", "right_score", "left_wins", "right_wins", "tied", "time"})


@dataclass(frozen=True)
class Wanted:
    """The column that holds each part of a vote, and which of them must be there."""

    names: dict[str, str]
    needed: frozenset[str]

    @classmethod
    def of(cls, **given: str | None) -> Wanted:
        for part, name in given.items():
            if not isinstance(name, str) and (name is not None or part in NEEDED):
                raise InputError(f"{part} is {shorten(name)}; pass the name of a column")
        names = {part: part if name is None else name for part, name in given.items()}
        return cls(names, frozenset(part for part, name in given.items() if name is not None))

    def found_in(self, columns: Sequence[str], file: str) -> dict[str, str]:
        """Parts that the file has, with their columns; InputError for a needed column that is lacking or doubled."""
        for part, name in self.names.items():
            if name not in columns and part in self.needed:
                raise self.lacks(part, columns, file)
            if columns.count(name) > 1:
                raise InputError(
                    f"{file} has {columns.count(name)} columns called {name!r}; rename all but one of them"
                )
        return {part: name for part, name in self.names.items() if name in columns}

    def lacks(self, part: str, columns: Sequence[str], file: str) -> InputError:
        option: str | None = part
        remedy = f"name the right one with {part}="
        if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
            option, remedy = None, "part the cells with commas"
        return InputError(
            f"{file} has no column {self.names[part]!r}",
            option=option,
            value=self.names[part],
            where=file,
            remedy=f"its columns are {listed(columns)}, so {remedy}",
        )
