"""Groups of voters for the commands: read from a column of the files, compared, and told."""

from __future__ import annotations

import argparse
import math
from collections.abc import Hashable
from typing import Any

from pairvote.cli import _reading as reading
from pairvote.errors import InputError
from pairvote.groups import GroupComparison, GroupTest, compare_groups
from pairvote.groups._known import groups_by_voter
from pairvote.votes._votes import Votes

# The options of a comparison that `rank` has too.
OPTIONS = ("ties", "prior_sd", "position")


def groups_of(arguments: argparse.Namespace, votes: Votes) -> dict[Hashable, Hashable]:
    """The group of each voter, by the column that says it: files are read once more, as if groups were voters."""
    if arguments.fold_orders:
        votes = reading.read_rows(arguments)
    rows = reading.read_rows(arguments, voter=arguments.group_column)
    if len(rows) != len(votes):
        raise InputError(
            f"with groups, {len(rows):,} rows are votes, and without, {len(votes):,}",
            option="group_column",
            value=arguments.group_column,
            remedy="leave out --skip-bad-rows and mend the rows",
        )
    codes = [-1] * len(rows) if rows.voter is None else rows.voter.tolist()
    return groups_by_voter(votes, [None if code < 0 else rows.voters[code] for code in codes])


def compare(
    arguments: argparse.Namespace, votes: Votes, groups: dict[Hashable, Hashable], criterion: Hashable | None
) -> GroupComparison:
    """The comparison of groups, by Bradley-Terry with the options that were given for it."""
    if arguments.criteria is not None:
        raise InputError(
            "--group-column is given with --criteria, and groups are compared on one criterion",
            option="criteria",
            remedy="choose one by --criterion",
        )
    options: dict[str, Any] = {"level": arguments.level}
    if arguments.method == "bradley-terry":
        given = {name: getattr(arguments, name) for name in OPTIONS}
        options |= {name: value for name, value in given.items() if value is not None and value is not False}
    return compare_groups(votes, groups, criterion=criterion, **options)


def as_dict(comparison: GroupComparison) -> dict[str, Any]:
    """What JSON can hold of a comparison: labels as text, None where there is no number."""
    return {
        "groups": [
            {"group": str(group), "n_voters": n_voters, "n_votes": n_votes}
            for group, n_voters, n_votes in zip(comparison.groups, comparison.n_voters, comparison.n_votes, strict=True)
        ],
        "n_left_out": comparison.n_left_out,
        "p_value": comparison.p_value,
        "n_reassignments": comparison.n_reassignments,
        "likelihood_ratio": _test(comparison.likelihood_ratio),
        "score_test": _test(comparison.score_test),
        "difference_sd": _number(comparison.difference_sd),
        "design_effect": _number(comparison.design_effect),
        "shared_top": [str(label) for label in comparison.shared_top()],
        "items": _rows({**comparison.to_columns()}),
        "differences": [
            {
                "item": str(difference.item),
                "group": str(difference.group),
                "other": str(difference.other),
                "estimate": difference.estimate,
                "standard_error": difference.standard_error,
                "low": difference.low,
                "high": difference.high,
                "clear": difference.is_clear,
            }
            for difference in comparison.differences
        ],
    }


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    columns["item"] = [str(label) for label in columns["item"]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _test(test: GroupTest) -> dict[str, Any]:
    return {
        "statistic": _number(test.statistic),
        "degrees_of_freedom": test.degrees_of_freedom,
        "p_value": _number(test.p_value),
        "problem": test.problem,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
