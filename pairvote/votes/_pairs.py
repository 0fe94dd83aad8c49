"""Votes of what says more than one vote: the totals of a pair, and a whole ranking."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import weights
from pairvote._common.coded import Coded
from pairvote._common.labels import (
    Codes,
    check_items,
    code_column,
    code_labels,
    code_pairs,
    first_row,
    is_missing,
    reading,
)
from pairvote._common.messages import row_number, shorten, wrong_entry
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.votes._build import MOST_REPEATED, Fields, assemble, refuse_itself


def paired(left: Any, right: Any, left_wins: Any, right_wins: Any, ties: Any, items: Any) -> Fields:
    """A row for every vote of each pair where the totals are whole numbers, and weighted rows for any other."""
    left_codes, right_codes, labels = code_pairs(left, right, items)
    refuse_itself(left_codes, right_codes, labels, row_number)
    n_pairs = len(left_codes)
    given = {"left_wins": left_wins, "ties": np.zeros(n_pairs) if ties is None else ties, "right_wins": right_wins}
    totals = [weights(values, n_pairs, row_number, name) for name, values in given.items()]
    table = np.stack(totals, axis=1)
    row, place = np.nonzero(table)
    times = table[row, place]
    outcome = np.array([Outcome.LEFT, Outcome.TIE, Outcome.RIGHT], np.uint8)[place]
    weight = None
    if (times == np.floor(times)).all() and times.sum() <= MOST_REPEATED:
        repeats = times.astype(np.int64)
        row, outcome = np.repeat(row, repeats), np.repeat(outcome, repeats)
    else:
        weight = times
    return assemble(left_codes[row], right_codes[row], outcome, labels, weight=weight)


def ranked(rankings: Any, voter: Any, items: Any) -> Fields:
    """A vote for each two items of every ranking, the better one on the left."""
    if isinstance(rankings, (str, bytes, Mapping, Set)) or not isinstance(rankings, Iterable):
        raise InputError(f"rankings is {shorten(rankings)}; pass a list of rankings, each a list of labels, best first")
    with reading("rankings"):
        ballots = [_places(ballot, row) for row, ballot in enumerate(list(rankings))]
    lengths = np.array([len(labels) for labels, _ in ballots], np.int64)
    begin = np.cumsum(lengths) - lengths
    flat = [label for labels, _ in ballots for label in labels]
    place = np.array([place for _, places in ballots for place in places], np.int64)
    codes, labels = _coded(flat, np.repeat(np.arange(len(ballots)), lengths), items)
    ballot = np.repeat(np.arange(len(ballots)), lengths * (lengths - 1) // 2)
    better, worse = (np.zeros(0, np.int64) for _ in range(2))
    if len(ballot):
        pairs = [_each_two(length) for length in lengths.tolist()]
        better, worse = (np.concatenate([two[side] for two in pairs]) + begin[ballot] for side in (0, 1))
    outcome = np.where(place[better] == place[worse], np.uint8(Outcome.TIE), np.uint8(Outcome.LEFT))
    voters = list(range(len(ballots))) if voter is None else voter
    return assemble(codes[better], codes[worse], outcome, labels, voter=_voters(voters, len(ballots), ballot))


@lru_cache(maxsize=64)
def _each_two(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of each two of n items, the better one first."""
    better, worse = np.triu_indices(n, 1)
    return better, worse


def _places(ballot: Any, row: int) -> tuple[list[Hashable], list[int]]:
    """The labels of a ranking, and the place of each; a list within it is a place that several items share."""
    if isinstance(ballot, (str, bytes, Mapping, Set)) or not isinstance(ballot, Iterable):
        raise InputError(
            f"ranking {row} is {shorten(ballot)}",
            value=ballot,
            where=f"ranking {row}",
            remedy="pass its labels as a list, best first",
        )
    labels: list[Hashable] = []
    places: list[int] = []
    for place, entry in enumerate(list(ballot)):
        shared = list(entry) if isinstance(entry, list) else [entry]
        labels += shared
        places += [place] * len(shared)
    return labels, places


def _coded(flat: Sequence[Any], row: NDArray[np.int64], items: Any) -> tuple[Codes, tuple[Hashable, ...]]:
    """The codes of the labels of all rankings, and the labels; InputError for one that a ranking has twice."""
    coded = code_column(list(flat), "rankings", lambda entry: f"ranking {row[entry]}")
    if len(coded.codes) and coded.codes.min() < 0:
        where = f"ranking {row[first_row(coded.codes < 0)]}"
        raise wrong_entry("an item", where, None, "name it, or leave it out of the ranking", found="missing")
    labels: tuple[Hashable, ...] = tuple(label for label in coded.labels if not is_missing(label))
    order = np.lexsort((coded.codes, row))
    twice = (np.diff(coded.codes[order]) == 0) & (np.diff(row[order]) == 0)
    if twice.any():
        entry = int(order[1:][twice].min())
        raise InputError(
            f"ranking {row[entry]} has {shorten(flat[entry])} twice",
            value=flat[entry],
            where=f"ranking {row[entry]}",
            remedy="give each item one place, and items on one place as a list within the ranking",
        )
    if items is None:
        return coded.codes.astype(np.int32), labels
    known = check_items(items)
    table = {label: code for code, label in enumerate(known)}
    numbers = np.array([table.get(label, -1) for label in labels], np.int32)
    codes = numbers[coded.codes]
    if len(codes) and codes.min() < 0:
        entry = first_row(codes < 0)
        found = f"{shorten(flat[entry])}, which is not among the {len(known)} items of items="
        remedy = "add it there or leave it out of the ranking"
        raise wrong_entry("an item", f"ranking {row[entry]}", flat[entry], remedy, found=found, option="items")
    return codes, known


def _voters(voter: Any, n_ballots: int, ballot: NDArray[np.int64]) -> Any:
    """Rankers, one for each vote."""
    codes, labels = code_labels(voter, "voter", n_ballots, beside="rankings")
    return Coded(codes[ballot], labels)
