"""The columns of a table of votes, put together and checked as whole rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import square, weights
from pairvote._common.labels import Codes, check_items, code_labels, code_pairs, first_row, is_missing, reading
from pairvote._common.messages import Locate, listed, row_number, shorten
from pairvote._common.outcome_columns import read_outcomes
from pairvote._common.outcomes import Outcome, Outcomes
from pairvote._common.questions import questions
from pairvote._common.times import times
from pairvote._common.unknown_outcomes import Explain
from pairvote.errors import InputError

Fields = dict[str, Any]
MOST_REPEATED = 10_000_000
# The part of the outcomes without a meaning that must be labels of items, for the column to be one of winners.
MOST_NAMED = 0.8
WINNER_REMEDY = (
    "pass that column as winner= in place of outcome= (from_frame, read_votes, scan_votes), or pass winners and losers "
    "to Votes.from_wins"
)


def from_columns(
    left: Any,
    right: Any,
    outcome: Any,
    *,
    voter: Any = None,
    weight: Any = None,
    criterion: Any = None,
    time: Any = None,
    question: Any = None,
    items: Any = None,
    outcomes: Outcomes | None = None,
    locate: Locate = row_number,
    names: tuple[str, str] | None = None,
) -> Fields:
    """Checked columns of votes from a user's. `names`: what the columns of left and right are called, for messages."""
    left_codes, right_codes, labels = code_pairs(left, right, items, locate)
    read = read_outcomes(outcome, outcomes, locate, names_winners(left_codes, right_codes, labels, locate, names))
    return assemble(
        left_codes,
        right_codes,
        read.codes,
        labels,
        voter=voter,
        weight=weight,
        criterion=criterion,
        share=read.share,
        time=time,
        question=question,
        locate=locate,
    )


def names_winners(
    left: Codes,
    right: Codes,
    items: Sequence[Hashable],
    locate: Locate = row_number,
    names: tuple[str, str] | None = None,
) -> Explain:
    """What explains unknown outcomes that are labels of items, or `names` of their columns: the winner of each vote."""

    def explain(rows: NDArray[np.intp], labels: Sequence[Any]) -> InputError | None:
        if rows[-1] >= min(len(left), len(right)):
            return None
        present = [(int(row), label) for row, label in zip(rows, labels, strict=True) if not is_missing(label)]
        by_label = [_side(label, (items[left[row]], items[right[row]])) for row, label in present]
        by_name = [_side(label, names or ()) for _, label in present]
        named, thing = by_label, "label of the {} item"
        if sum(map(bool, by_name)) > sum(map(bool, by_label)):
            named, thing = by_name, "name of the {} column"
        n_named = sum(map(bool, named))
        if not n_named or n_named < MOST_NAMED * len(named):
            return None
        first = next(place for place, side in enumerate(named) if side)
        row, label = present[first]
        where = locate(row)
        return InputError(
            f"outcome at {where} is {shorten(label)}, the {thing.format(named[first])}, and so it is in "
            f"{n_named:,} of the {len(named):,} rows looked at: the column names the winner of each vote",
            option="winner",
            value=label,
            where=where,
            remedy=WINNER_REMEDY,
        )

    return explain


def _side(label: Any, pair: Sequence[Hashable]) -> str:
    """The side of a pair that a label names, or nothing."""
    try:
        return next((side for side, named in zip(("left", "right"), pair, strict=False) if label == named), "")
    except Exception:
        # Whatever a label's own __eq__ raises.
        return ""


def assemble(
    left: Codes,
    right: Codes,
    outcome: NDArray[np.uint8],
    items: tuple[Hashable, ...],
    *,
    voter: Any = None,
    weight: Any = None,
    criterion: Any = None,
    share: NDArray[np.float64] | None = None,
    time: Any = None,
    question: Any = None,
    locate: Locate = row_number,
) -> Fields:
    """The one place where votes are put together: what concerns whole rows is checked here."""
    n_votes = len(left)
    if len(outcome) != n_votes:
        raise InputError(f"outcome has {len(outcome)} entries and left has {n_votes}; pass one for every vote")
    refuse_itself(left, right, items, locate)
    voter_codes, voters = (None, ()) if voter is None else code_labels(voter, "voter", n_votes, locate)
    criterion_codes, criteria = (
        (None, ()) if criterion is None else code_labels(criterion, "criterion", n_votes, locate)
    )
    return {
        "items": items,
        "left": left,
        "right": right,
        "outcome": outcome,
        "voter": voter_codes,
        "voters": voters,
        "weight": None if weight is None else weights(weight, n_votes, locate),
        "criterion": criterion_codes,
        "criteria": criteria,
        "share": share,
        "time": None if time is None else times(time, n_votes, locate),
        "question": None if question is None else questions(question, n_votes, locate),
    }


def refuse_itself(left: Codes, right: Codes, items: Sequence[Hashable], locate: Locate) -> None:
    """InputError for the first row with one item on both sides."""
    same = left == right
    if np.count_nonzero(same):
        where, item = locate(row := first_row(same)), items[left[row]]
        raise InputError(
            f"{where} has {shorten(item)} against itself",
            value=item,
            where=where,
            remedy="a vote needs two different items, so remove the row or mend its labels",
        )


RECORD_FIELDS = ("left", "right", "outcome", "voter", "weight", "criterion", "time", "question")


def from_records(records: Any, *, items: Any, outcomes: Outcomes | None, locate: Locate = row_number) -> Fields:
    if isinstance(records, np.ndarray) and records.ndim:
        records = records.tolist()
    if isinstance(records, (str, bytes, Mapping, np.ndarray)) or not isinstance(records, Iterable):
        raise InputError(f"records is {shorten(records)}; pass a list of (left, right, outcome) or of mappings")
    with reading("records"):
        # A list may grow for as long as somebody goes through it, so it is copied at once; those inside it likewise.
        own = list(records)
        records = [tuple(record) if type(record) in (list, tuple) else record for record in own]
    width = len(records[0]) if records and isinstance(records[0], tuple) else 0
    if width in (3, 4) and all(type(record) is tuple and len(record) == width for record in records):
        left, right, outcome, *voter = ([record[place] for record in records] for place in range(width))
        named = voter[0] if voter and any(label is not None for label in voter[0]) else None
        return from_columns(left, right, outcome, voter=named, items=items, outcomes=outcomes, locate=locate)
    columns: dict[str, list[Any]] = {name: [] for name in RECORD_FIELDS}
    for row, record in enumerate(records):
        if isinstance(record, Mapping):
            lacking = [name for name in RECORD_FIELDS[:3] if name not in record]
            if lacking:
                raise InputError(f"{locate(row)} has no {lacking[0]!r}; its keys are {listed(record)}")
            for name, column in columns.items():
                column.append(record.get(name))
        elif isinstance(record, Sequence) and not isinstance(record, (str, bytes)) and len(record) in (3, 4):
            for name, value in zip(RECORD_FIELDS, (*record, *[None] * 5), strict=False):
                columns[name].append(value)
        else:
            raise InputError(
                f"{locate(row)} is {shorten(record)}; a record is (left, right, outcome), "
                "(left, right, outcome, voter) or a mapping with these keys"
            )
    weight = columns["weight"]
    weighted = any(value is not None for value in weight)
    if weighted and None in weight:
        raise InputError(
            f"{locate(weight.index(None))} has no weight and others have one; give each row a weight, or none"
        )
    return from_columns(
        columns["left"],
        columns["right"],
        columns["outcome"],
        voter=columns["voter"] if any(value is not None for value in columns["voter"]) else None,
        weight=weight if weighted else None,
        criterion=columns["criterion"] if any(value is not None for value in columns["criterion"]) else None,
        time=columns["time"] if any(value is not None for value in columns["time"]) else None,
        question=columns["question"] if any(value is not None for value in columns["question"]) else None,
        items=items,
        outcomes=outcomes,
        locate=locate,
    )


def tabulated(wins: Any, ties: Any, items: Any) -> Fields:
    """Rows of votes from a square table of wins and a symmetric one of ties."""
    won = square(wins, "wins")
    labels = tuple(range(len(won))) if items is None else check_items(items)
    if len(labels) != len(won):
        raise InputError(f"wins is {len(won)} x {len(won)} and items has {len(labels)} labels; give one for each row")
    tied = np.zeros_like(won) if ties is None else square(ties, "ties")
    if tied.shape != won.shape:
        raise InputError(f"ties is {tied.shape} and wins is {won.shape}; pass tables of one shape")
    if (tied != tied.T).any():
        i, j = map(int, np.argwhere(tied != tied.T)[0])
        raise InputError(
            f"ties[{i}, {j}] is {tied[i, j]:g} and ties[{j}, {i}] is {tied[j, i]:g}; a tie is the same from "
            "both sides, so make the table symmetric"
        )
    tied = np.triu(tied)
    left, right = (np.concatenate(sides) for sides in zip(np.nonzero(won), np.nonzero(tied), strict=True))
    outcome = np.repeat(np.array([Outcome.LEFT, Outcome.TIE], np.uint8), [(won > 0).sum(), (tied > 0).sum()])
    times = np.concatenate([won[won > 0], tied[tied > 0]])
    winners, losers = left.astype(np.int32), right.astype(np.int32)
    if (times != np.floor(times)).any() or times.sum() > MOST_REPEATED:
        return assemble(winners, losers, outcome, labels, weight=times)
    repeats = times.astype(np.int64)
    return assemble(np.repeat(winners, repeats), np.repeat(losers, repeats), np.repeat(outcome, repeats), labels)


def append_codes(ours: Codes | None, theirs: Codes | None, codes: Codes, n_ours: int, n_theirs: int) -> Codes | None:
    """Two columns of codes in one, theirs renumbered; rows that have none are -1."""
    if ours is None and theirs is None:
        return None
    unknown = np.full(n_theirs, -1, np.int32)
    renumbered = unknown if theirs is None else np.append(codes, np.int32(-1))[theirs]
    return np.concatenate([np.full(n_ours, -1, np.int32) if ours is None else ours, renumbered])
