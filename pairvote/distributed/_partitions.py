"""Partitions of votes, each counted where it lies, and what must be known of all of them together."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from pairvote._common.coded import Coded
from pairvote._common.frames import Frame
from pairvote._common.messages import listed, shorten
from pairvote._common.outcomes import Outcomes
from pairvote.distributed._engine import Delayed, added, kept, result, sent, task
from pairvote.distributed._labels import Labels, packed, united
from pairvote.errors import InputError, PairvoteError
from pairvote.io._formats import FORMATS
from pairvote.votes._build import from_columns
from pairvote.votes._chunks import CodedSource, Criterion
from pairvote.votes._counts import PairCounts, no_votes
from pairvote.votes._given import count_votes
from pairvote.votes._running import count_chosen
from pairvote.votes._votes import Votes

# How deep in a task's arguments the name of a file is looked for.
DEPTH = 10
MOST_FILES = 3
COLUMNS = ("left", "right", "outcome", "weight", "criterion")
# Suffixes of files that Dask reads, beside those of our own formats.
SUFFIXES = (".tsv", ".txt", ".json", ".ndjson", ".parq", ".pq", ".arrow", ".feather", ".orc")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which columns to read, and how."""

    left: str
    right: str
    outcome: str
    weight: str | None
    criterion: str | None
    select: Hashable | None
    items: tuple[Hashable, ...] | None
    outcomes: Outcomes | None

    def columns(self, present: Iterable[str]) -> list[str]:
        """The columns to read among those present; InputError for one that is lacking."""
        present = list(present)
        named = [name for option in COLUMNS if (name := getattr(self, option))]
        lacking = [name for name in named if name not in present]
        if lacking:
            raise InputError(
                f"there is no column {lacking[0]!r}",
                option=next(option for option in COLUMNS if getattr(self, option) == lacking[0]),
                value=lacking[0],
                remedy=f"the columns are {listed(present)}, so name the right one",
            )
        defaults = [
            default
            for name, default in ((self.weight, "weight"), (self.criterion, "criterion"))
            if name is None and default in present
        ]
        return list(dict.fromkeys(named + defaults))


class PartitionError(PairvoteError):
    """An error that was found in one partition, on its way to where the partition's files are known."""

    def __init__(self, number: int, error: PairvoteError) -> None:
        super().__init__(str(error.at(f"partition {number}")))
        self.number, self.error = number, error

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.number, self.error)


class Counted(NamedTuple):
    """A partition: its counts, an example of each type of label, and the criteria that it has; None is one without."""

    counts: PairCounts
    kinds: dict[str, Any]
    criteria: list[Hashable]


@dataclass(frozen=True, eq=False)
class Summary:
    """What is known of several partitions: all labels in the order first seen, and where each kind was seen first."""

    items: Labels
    kinds: dict[str, tuple[Any, int]]
    criteria: dict[Hashable, None]
    n_pairs: list[int]

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            items=united(self.items, other.items),
            kinds={**other.kinds, **self.kinds},
            # In the order first seen.
            criteria={**self.criteria, **other.criteria},
            n_pairs=self.n_pairs + other.n_pairs,
        )


def add(one: Any, other: Any) -> Any:
    """One and the other."""
    return one + other


def count_partition(partition: Any, number: int, asked: Asked) -> Counted:
    """Count one partition; its errors say which it is."""
    try:
        chosen = Criterion(asked.select, option="select")
        if isinstance(partition, (Votes, CodedSource)):
            chunks = [partition] if isinstance(partition, Votes) else partition
            counts = _over(count_chosen(chunks, chosen), asked.items)
            return Counted(counts, _kinds(counts.items), list(chosen.seen))
        votes, kinds = _read(partition, asked)
        return Counted(count_votes(chosen.of(votes)), kinds, list(chosen.seen))
    except PairvoteError as error:
        # Without what it was raised from: that may be something that cannot be sent.
        raise PartitionError(number, error) from None


def _over(counts: PairCounts, items: tuple[Hashable, ...] | None) -> PairCounts:
    """The counts over these items, in their order; InputError for any other."""
    if items is None:
        return counts
    known = set(items)
    for label in counts.items:
        if label not in known:
            raise InputError(
                f"{shorten(label)} is not among the {len(items)} items of items=",
                option="items",
                value=label,
                remedy="add it there, or leave out its votes",
            )
    return no_votes(items) + counts


def _read(partition: Any, asked: Asked) -> tuple[Votes, dict[str, Any]]:
    frame = Frame(partition)
    names = asked.columns(frame.columns)
    if not len(frame):
        # A column without entries may have any type.
        return Votes.from_codes([], [], [], items=asked.items or ()), {}
    columns = {name: frame.column(name) for name in names}
    fields = from_columns(
        columns[asked.left],
        columns[asked.right],
        columns[asked.outcome],
        weight=columns.get(asked.weight or "weight"),
        criterion=columns.get(asked.criterion or "criterion"),
        items=asked.items,
        outcomes=asked.outcomes,
    )
    kinds = _kinds_of_column(columns[asked.right])
    return Votes._unchecked(**fields), {**kinds, **_kinds_of_column(columns[asked.left])}


def _kinds_of_column(column: Any) -> dict[str, Any]:
    if isinstance(column, np.ndarray):
        return {"int": column[0].item()}
    if isinstance(column, Coded):
        used = np.zeros(len(column.labels), bool)
        used[column.codes] = True
        return _kinds([label for label, is_used in zip(column.labels, used.tolist(), strict=True) if is_used])
    return _kinds(column)


def _kinds(labels: Sequence[Hashable]) -> dict[str, Any]:
    """An example of each type of label; types that are equal to Python, such as its own and numpy's, are one."""
    kinds: dict[str, Any] = {}
    for kind in set(map(type, labels)):
        kinds.setdefault(_name(kind), next(label for label in labels if type(label) is kind))
    return kinds


def _name(kind: type) -> str:
    for name, bases in (("bool", (bool, np.bool_)), ("str", str), ("int", numbers.Integral), ("float", numbers.Real)):
        if issubclass(kind, bases):
            return name
    return kind.__name__


def summary_of(counted: Counted, number: int) -> Summary:
    """The summary of one partition."""
    return Summary(
        items=packed(counted.counts.items),
        kinds={kind: (example, number) for kind, example in counted.kinds.items()},
        criteria=dict.fromkeys(counted.criteria),
        n_pairs=[counted.counts.n_pairs],
    )


def counts_of(counted: Counted) -> PairCounts:
    """The counts alone."""
    return counted.counts


def delayed_partitions(votes: Any, asked: Asked) -> list[Delayed]:
    """The partitions of a Dask DataFrame, of which only the columns wanted are read, or those of a list."""
    if hasattr(votes, "to_delayed") and hasattr(votes, "columns"):
        return list(votes[asked.columns(votes.columns)].to_delayed())
    if not isinstance(votes, (list, tuple)):
        raise InputError(
            f"votes is a {type(votes).__name__}; pass a Dask DataFrame, or a list of delayed data frames, "
            "and what lies in this memory to pairvote itself"
        )
    for place, part in enumerate(votes):
        if not (hasattr(part, "key") and hasattr(part, "__dask_graph__")):
            raise InputError(
                f"entry {place} of votes is a {type(part).__name__}; pass delayed data frames, "
                "such as dask.delayed(read)(path)"
            )
    if not votes:
        raise InputError("votes is an empty list; pass at least one delayed data frame")
    return list(votes)


def count_all(partitions: list[Delayed], asked: Asked) -> tuple[list[Delayed], Delayed, Summary]:
    """Each partition counted and kept where it lies, and the summary of all, both there and here."""
    count, how = task(count_partition), sent(asked)
    counted = [count(part, number, how) for number, part in enumerate(partitions)]
    try:
        counted = kept(counted)
        (whole,) = kept([added([task(summary_of)(part, number) for number, part in enumerate(counted)], add)])
        summary: Summary = result(whole)
    except PartitionError as found:
        raise found.error.at(_place(partitions, found.number)) from found
    except (PairvoteError, MemoryError):
        # What somebody's own loader says.
        raise
    except Exception as error:
        raise _unreadable(partitions, counted, error) from error
    _check(summary, asked.select)
    return counted, whole, summary


def _check(summary: Summary, select: Hashable | None) -> None:
    if len(summary.kinds) > 1:
        by_partition = sorted(summary.kinds.items(), key=lambda kind: kind[1][1])
        (kind, (label, where)), (other, (against, there)) = by_partition[:2]
        raise InputError(
            f"labels are of several types: {shorten(label)} in partition {where} is a {kind} and {shorten(against)} in "
            f"partition {there} a {other}",
            value=against,
            where=f"partition {there}",
            remedy="convert the columns to one type, so that one item has one label",
        )
    criteria = [label for label in summary.criteria if label is not None]
    if select is not None and select not in criteria:
        raise InputError(
            f"there is no criterion {shorten(select)}",
            option="select",
            value=select,
            remedy=f"the criteria are {listed(criteria)}",
        )
    if select is None and len(summary.criteria) > 1:
        several = listed(criteria) + (" and none" if None in summary.criteria else "")
        raise InputError(
            f"these votes answer several criteria ({several})",
            option="select",
            remedy="choose one with select=",
        )


def _unreadable(partitions: list[Delayed], counted: list[Delayed], error: Exception) -> Exception:
    """Which partition could not be made, found by making one after the other; those that are kept are there already."""
    for number, part in enumerate(counted):
        try:
            result(task(_nothing)(part))
        except Exception as found:
            text = " ".join(str(found).split()) or "no reason given"
            place = _place(partitions, number)
            problem = f"{place} cannot be read ({type(found).__name__}: {text})"
            return InputError(problem, where=place, remedy="mend it, or leave it out")
    return error


def _place(partitions: list[Delayed], number: int) -> str:
    files = _files(partitions[number])[:MOST_FILES]
    return f"partition {number}" + (f" ({', '.join(files)})" if files else "")


def _nothing(_: object) -> None:
    """Ask for a value without bringing it here."""


def _files(part: Delayed) -> list[str]:
    """The files that a partition is read from, as far as its own tasks name them."""
    graph = part.__dask_graph__()
    found: dict[str, None] = {}
    suffixes = {*SUFFIXES, *(suffix for file_format in FORMATS.values() for suffix in file_format.suffixes)}

    def walk(value: Any, depth: int) -> None:
        if isinstance(value, str):
            # One more suffix may follow, such as .gz.
            if not suffixes.isdisjoint(suffix.lower() for suffix in PurePath(value).suffixes[-2:]):
                found[value] = None
        elif depth and isinstance(value, dict):
            for entry in value.values():
                walk(entry, depth - 1)
        elif depth and isinstance(value, (list, tuple)):
            for entry in value:
                walk(entry, depth - 1)
        elif depth:
            for name in ("args", "kwargs", "value", "path"):
                walk(getattr(value, name, None), depth - 1)

    for key in graph.cull({part.key}) if hasattr(graph, "cull") else [part.key]:
        walk(graph[key], DEPTH)
    return list(found)
