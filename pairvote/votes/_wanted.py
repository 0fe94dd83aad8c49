"""The columns of a file that hold the parts of votes."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pairvote._common.messages import listed, shorten, wrong_option
from pairvote.errors import InputError

# Parts whose columns hold amounts and not labels; formats hand them on as they are.
AMOUNTS = frozenset({"weight", "left_score", "right_score", "left_wins", "right_wins", "tied", "time", "question"})
# What rows tell of votes: each way by the parts that it needs, and in `MAY` those that it may have. The first whose
# columns are there is taken, if no option says more.
SHAPES: dict[str, tuple[str, ...]] = {
    "outcome": ("left", "right", "outcome"),
    "winner": ("left", "right", "winner"),
    "scores": ("left", "right", "left_score", "right_score"),
    "totals": ("left", "right", "left_wins", "right_wins"),
    "wins": ("winner", "loser"),
}
MAY = {"winner": ("tie",), "totals": ("tied",), "wins": ("tie",)}
ALWAYS = ("voter", "weight", "criterion", "time", "question")
# By default a column that is called as its part is taken for it, except these: a column called time may hold anything.
NAMED_ONLY = frozenset({"time", "question", "tie", "tied"})
SIDES = ("left", "right")
NEEDED = (*SIDES, "outcome")
# Names of columns that say who won, and who lost.
_WON = re.compile(r"(?<![^\W_])(win|wins|won|winner|winners|chosen|preferred)(?![^\W_])", re.IGNORECASE)
_LOST = re.compile(
    r"(?<![^\W_])(lose|loses|lost|loser|losers|rejected|not[ _]?chosen|runners?[ _-]?up|runnersup)(?![^\W_])",
    re.IGNORECASE,
)
# A column, or several of one side.
Name = str | list[str] | tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """The column that holds each part of a vote, as options name them, and which of them must be there.

    Parameters
    ----------
    given : mapping
        The options that were given: a column's name by the part. A side may have several columns, which are joined.
    use_weight : bool
        Whether a column called weight is taken.
    extract : mapping
        For a column, the regular expression whose named groups are columns too.
    """

    given: Mapping[str, Name]
    use_weight: bool = True
    extract: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        use_weight: bool = True,
        extract: Mapping[str, str] | None = None,
        any_names: bool = False,
        **names: Any,
    ) -> Wanted:
        """The columns that options name; None stands for an option that was not given.

        With `any_names`, names need not be text: those of a data frame may be numbers.
        """
        given: dict[str, Name] = {}
        for part, name in names.items():
            if name is None or (part in NEEDED and isinstance(name, str) and name == part):
                continue
            several = part in SIDES and isinstance(name, list)
            own = tuple(name) if several else (name,)
            if not own or not all(isinstance(one, Hashable if any_names else str) for one in own):
                raise wrong_option(part, name, "pass the name of a column")
            given[part] = own if several else name
        if not use_weight and "weight" in given:
            raise InputError(
                f"weight is {shorten(given['weight'])} and use_weight is False",
                option="weight",
                value=given["weight"],
                remedy="pass one of them",
            )
        wanted = cls(given, use_weight, {} if extract is None else _patterns(extract))
        wanted._shapes()
        return wanted

    def _shapes(self) -> list[str]:
        """The shapes that the options allow."""
        said = {part for part in self.given if part not in (*SIDES, *ALWAYS)}
        shapes = [
            shape
            for shape, needed in SHAPES.items()
            if said <= {*needed, *MAY.get(shape, ())}
            # Where sides are named, a winner's column stands beside them, unless a loser's is named too.
            and (shape != "wins" or "loser" in said or not self.given.keys() & set(SIDES))
        ]
        if not shapes:
            raise InputError(
                f"the options {listed(sorted(said))} do not go together",
                option=min(said),
                value=self.given[min(said)],
                remedy="name an outcome, a winner, two scores or two totals",
            )
        return shapes

    def name(self, part: str) -> Name:
        """The column of a part, or what it would be called."""
        return self.given.get(part, part)

    def one_of(self, part: str, columns: Sequence[str], file: str) -> str | None:
        """The column of a part that may be there; InputError for one that was named and is lacking."""
        name = self.name(part)
        if isinstance(name, str) and name in columns:
            return name
        if part in self.given:
            raise self._lacks("", set(columns), file, columns)
        return None

    def found_in(self, columns: Sequence[str], file: str) -> dict[str, str]:
        """Parts that the file has, with their columns; InputError for a needed column that is lacking or doubled.

        The second column of a side is the part "left+1", and so on. A part that is extracted has the column in which
        it is; what is extracted is taken before a column that is called so.
        """
        sources = [name for name in self.extract if name in columns]
        if len(sources) < len(self.extract):
            lacking = [name for name in self.extract if name not in columns]
            raise InputError(
                f"{file} has no column {listed(lacking)} to extract from",
                option="extract",
                value=lacking[0],
                where=file,
                remedy=f"its columns are {listed(columns)}",
            )
        present = {*columns, *(group for name in sources for group in self.extract[name].groupindex)}
        found = self._parts(present, file, columns)
        used = {how[0] for part in found if (how := self.extracted(part)) is not None}
        idle = next((name for name, pattern in self.extract.items() if pattern not in used), None)
        if idle is not None:
            groups = list(self.extract[idle].groupindex)
            raise InputError(
                f"what is extracted from {shorten(idle)} is not used: {listed(groups)}",
                option="extract",
                value=idle,
                remedy=f"name it, such as left={groups[0]!r}, or leave out extract=",
            )
        for name in found.values():
            if columns.count(name) > 1:
                problem = f"{file} has {columns.count(name)} columns called {shorten(name)}"
                raise InputError(problem, value=name, where=file, remedy="rename all but one of them")
        return found

    def _parts(self, present: set[str], file: str, columns: Sequence[str]) -> dict[str, str]:
        shapes = self._shapes()
        shape = next((shape for shape in shapes if all(self._has(part, present) for part in SHAPES[shape])), None)
        names = dict(self.given)
        if shape is None and self._sides_say_who_won(shapes):
            shape, names = "wins", {**self.given, "winner": self.given["left"], "loser": self.given["right"]}
        if shape is None:
            raise self._lacks(shapes[0], present, file, columns)
        found: dict[str, str] = {}
        for part in (*SHAPES[shape], *MAY.get(shape, ()), *ALWAYS):
            name = names.get(part, part)
            if part == "weight" and not self.use_weight:
                continue
            if part == "tie" and name not in present:
                # The word for a tie, in the column of winners.
                continue
            if part in (*ALWAYS, "tied") and part in names and name not in present:
                raise self._lacks(shape, present, file, columns)
            if part in names or (part not in NAMED_ONLY and name in present):
                several = _each(name)
                for place, one in enumerate(several):
                    source = next((key for key, pattern in self.extract.items() if one in pattern.groupindex), one)
                    found[f"{part}+{place}" if place else part] = source
        return found

    def _has(self, part: str, present: Iterable[str]) -> bool:
        name = self.name(part)
        return all(one in present for one in _each(name))

    def _sides_say_who_won(self, shapes: list[str]) -> bool:
        """Whether the names of the columns of both sides tell who won, so that there need be no outcome."""
        left, right = self.given.get("left"), self.given.get("right")
        if "outcome" in self.given or not ("outcome" in shapes and isinstance(left, str) and isinstance(right, str)):
            return False
        return bool(_WON.search(left) and not _LOST.search(left) and _LOST.search(right))

    def extracted(self, part: str) -> tuple[re.Pattern[str], str] | None:
        """The pattern and the group that give a part out of a column, if it is extracted."""
        side, _, place = part.partition("+")
        name = self.name(side)
        one = _each(name)[int(place or 0)]
        return next(((pattern, one) for pattern in self.extract.values() if one in pattern.groupindex), None)

    def _lacks(self, shape: str, present: set[str], file: str, columns: Sequence[str]) -> InputError:
        needed = SHAPES.get(shape, ())
        parts = [part for part in (*needed, "tied", *ALWAYS) if part in self.given or part in needed]
        lacking = [part for part in parts if not self._has(part, present)]
        names = [one for part in lacking for one in _each(self.name(part)) if one not in present]
        several = "s" if len(names) > 1 else ""
        return InputError(
            f"{file} has no column{several} {listed(names)}",
            option=lacking[0],
            value=names[0],
            where=file,
            remedy=f"its columns are {listed(columns)}, so name the right one{several} with "
            + ", ".join(f"{part}=" for part in lacking),
        )


def _each(name: Name) -> tuple[str, ...]:
    """The columns of a part: several are in a tuple."""
    return name if isinstance(name, tuple) else (name,)  # type: ignore[return-value]


class Finder(Protocol):
    """What says which columns of a file to read: `Wanted`, or every column."""

    def found_in(self, columns: Sequence[str], file: str) -> dict[str, str]:
        """The parts of votes that the columns hold, each with the name of its column."""

    def name(self, part: str) -> Name:
        """The column of a part, or what it would be called."""


class AllColumns:
    """In the place of `Wanted`: every column of a file, by its own name."""

    def name(self, part: str) -> Name:
        """The part itself, which is a column."""
        return part

    def found_in(self, columns: Sequence[str], file: str) -> dict[str, str]:
        """The columns; of several that are called alike the first."""
        return {name: name for name in columns}


def _patterns(extract: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    if not isinstance(extract, Mapping) or not all(isinstance(name, str) for name in extract):
        raise wrong_option("extract", extract, "pass a mapping from a column's name to a regular expression")
    patterns: dict[str, re.Pattern[str]] = {}
    seen: set[str] = set()
    for name, pattern in extract.items():
        try:
            patterns[name] = re.compile(pattern)
        except (re.error, TypeError, OverflowError, RecursionError) as error:
            raise InputError(
                f"extract[{shorten(name)}] is {shorten(pattern)}, which is no regular expression ({error})",
                option="extract",
                value=pattern,
                remedy=r"write one with named groups, such as '(?P<left>\w+),(?P<right>\w+) -> (?P<winner>\w+)'",
            ) from None
        if not patterns[name].groupindex:
            raise wrong_option("extract", pattern, "name its groups, such as (?P<left>...)")
        twice = [group for group in patterns[name].groupindex if group in seen]
        if twice:
            problem = f"extract has the group {twice[0]} in two patterns"
            raise InputError(problem, option="extract", value=twice[0], remedy="rename one of them")
        seen.update(patterns[name].groupindex)
    return patterns
