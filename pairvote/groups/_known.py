"""Which voter is in which group, as a user says it, and the votes of those who are in one."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.coded import Coded
from pairvote._common.labels import as_column, code_column, comparing, is_missing, reading
from pairvote._common.messages import listed, plural, shorten
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError
from pairvote.votes._votes import Votes

Ints = NDArray[np.intp]
# What `compare_groups` takes: the group of each voter, or one group for each vote.
Groups = Mapping[Any, Any] | Sequence[Any] | ArrayLike
FEWEST_VOTERS = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Grouped:
    """The answered votes of voters who are in a group.

    votes: rows of positive weight, on one criterion. names: the groups' labels. group: (n_votes,), the group of each
    row. voter: (n_votes,), the voter of each row, counted from 0. group_of: (n_voters,), the group of each voter.
    n_left_out: how many answered votes were left out, since their voter is unknown or in no group. asked: the rows of
    all these voters, with skips and those of weight zero; asked_group: the group of each.
    """

    votes: Votes
    asked: Votes
    asked_group: Ints
    names: tuple[Hashable, ...]
    group: Ints
    voter: Ints
    group_of: Ints
    n_left_out: int

    @classmethod
    def of(cls, votes: Votes, groups: Groups, criterion: Hashable | None) -> Grouped:
        """The votes by group; InputError where they cannot be compared."""
        if not isinstance(votes, Votes):
            raise InputError(
                f"votes is a {type(votes).__name__}, and groups are compared by their voters",
                option="votes",
                remedy="pass the Votes themselves",
            )
        if votes.voter is None:
            raise _no_voters()
        names, of_code = _by_mapping(votes, groups) if isinstance(groups, Mapping) else _by_vote(votes, groups)
        chosen = votes.select(criterion)
        counted = chosen.outcome != Outcome.SKIP
        if chosen.weight is not None:
            counted &= chosen.weight > 0
        if chosen.voter is None or not counted.any():
            raise InputError(
                f"there are {plural(len(chosen), 'vote')} and none of them is answered; pass answered ones"
            )
        # The code -1, of unknown voters, reads the last entry.
        of_row = np.append(of_code, -1)[chosen.voter]
        known = counted & (of_row >= 0)
        rows = chosen.where(known)
        codes, voter = np.unique(chosen.voter[known], return_inverse=True)
        group_of = of_code[codes]
        _check_sizes(names, np.bincount(group_of, minlength=len(names)))
        return cls(
            votes=rows,
            asked=chosen.where(of_row >= 0),
            asked_group=of_row[of_row >= 0],
            names=names,
            group=of_row[known],
            voter=voter,
            group_of=group_of,
            n_left_out=int(counted.sum() - known.sum()),
        )

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return len(self.names)

    @property
    def n_items(self) -> int:
        """The number of items, which are the same for all groups."""
        return self.votes.n_items

    @property
    def n_voters(self) -> Ints:
        """The number of voters in each group: shape (n_groups,)."""
        return np.bincount(self.group_of, minlength=self.n_groups)

    def of_group(self, group: int) -> Votes:
        """The answered votes of a group."""
        return self.votes.where(self.group == group)

    def apart(self) -> Votes:
        """The votes on items of which every group has its own: item i of group g has the code g n_items + i."""
        shift = (self.group * self.n_items).astype(np.int32)
        names = tuple((group, item) for group in range(self.n_groups) for item in range(self.n_items))
        left, right = self.votes.left + shift, self.votes.right + shift
        return self.votes._changed(items=names, left=left, right=right, criterion=None, criteria=())


def groups_by_voter(votes: Votes, groups: Sequence[Any] | ArrayLike) -> dict[Hashable, Hashable]:
    """The group of each voter, of groups given vote by vote; InputError for a voter in two groups."""
    names, of_code = _by_vote(votes, groups)
    return {voter: names[group] for voter, group in zip(votes.voters, of_code.tolist(), strict=True) if group >= 0}


def _by_mapping(votes: Votes, groups: Mapping[Any, Any]) -> tuple[tuple[Hashable, ...], Ints]:
    """The groups' labels, and the group of each voter of the votes by code; -1 for those in none."""
    with reading("groups"):
        given = dict(groups)
    coded = _coded([_hashable(group, f"the voter {shorten(voter)}") for voter, group in given.items()])
    place_of = dict(zip(given, coded.codes.tolist(), strict=True))
    with comparing():
        of_code = np.array([place_of.get(voter, -1) for voter in votes.voters], np.intp)
    if (of_code < 0).all():
        raise InputError(
            f"none of the voters ({listed(votes.voters[:5], 100)}) is in groups, which has "
            f"{listed(list(given)[:5], 100)}",
            option="groups",
            remedy="pass a mapping of voter to group, with voters as the votes have them",
        )
    return tuple(coded.labels), of_code


def _by_vote(votes: Votes, groups: Sequence[Any] | ArrayLike) -> tuple[tuple[Hashable, ...], Ints]:
    """The groups' labels, and the group of each voter, of groups given vote by vote."""
    column = as_column(groups, "groups")
    n_rows = len(column.codes) if isinstance(column, Coded) else len(column)
    if n_rows != len(votes):
        raise InputError(
            f"groups has {n_rows:,} entries and there are {len(votes):,} votes",
            option="groups",
            remedy="pass one group for every vote, that of a skip too, or a mapping of voter to group",
        )
    coded = _coded(column)
    if votes.voter is None:
        raise _no_voters()
    known = np.flatnonzero((coded.codes >= 0) & (votes.voter >= 0))
    of_code = np.full(len(votes.voters), -1, np.intp)
    # Written backwards, the first row of a voter stands.
    of_code[votes.voter[known][::-1]] = coded.codes[known][::-1]
    other = known[of_code[votes.voter[known]] != coded.codes[known]]
    if len(other):
        row, voter = int(other[0]), int(votes.voter[other[0]])
        one, two = (coded.labels[group] for group in (of_code[voter], coded.codes[row]))
        raise InputError(
            f"the voter {shorten(votes.voters[voter])} is in the group {shorten(one)}, and at row {row} in "
            f"{shorten(two)}",
            option="groups",
            value=two,
            where=f"row {row}",
            remedy="put every voter into one group, or leave these votes out with where()",
        )
    return tuple(coded.labels), of_code


def _coded(column: object) -> Coded:
    """Groups as codes; labels that no row has, such as unused categories and missing values, are left out."""
    coded = code_column(as_column(column, "groups"), "groups")
    codes = np.asarray(coded.codes, np.intp)
    missing = np.array([is_missing(label) for label in coded.labels], bool)
    codes = np.where(np.append(missing, True)[codes], -1, codes)
    used, first = np.unique(codes[codes >= 0], return_index=True)
    used = used[np.argsort(first)]
    numbers = np.full(len(coded.labels) + 1, -1, np.intp)
    numbers[used] = np.arange(len(used))
    labels = [coded.labels[code] for code in used.tolist()]
    if not labels and len(codes):
        raise InputError(
            "no voter has a group: every group is None or missing",
            option="groups",
            remedy="pass a mapping of voter to group, such as {'eve': 'business'}",
        )
    seen: dict[str, Hashable] = {}
    for label in labels:
        if (other := seen.setdefault(str(label), label)) is not label:
            raise InputError(
                f"the groups {shorten(other)} and {shorten(label)} print alike",
                option="groups",
                value=label,
                remedy="give them names that differ",
            )
    return Coded(numbers[codes].astype(np.int32), labels)


def _no_voters() -> InputError:
    return InputError(
        "these votes do not say who voted, and without that what is one voter's cannot be told from what is a group's",
        option="voter",
        remedy="pass voter= when making them; if each vote is another person's, voter=range(n_votes)",
    )


def _hashable(group: Hashable, where: str) -> Hashable:
    try:
        with comparing():
            hash(group)
    except TypeError:
        raise InputError(
            f"the group of {where} is {shorten(group)}, which is not hashable and so cannot be a label",
            option="groups",
            value=group,
            where=where,
            remedy="use a string, a number or a tuple; groups maps each voter to a group, not groups to their voters",
        ) from None
    return group


def _check_sizes(names: tuple[Hashable, ...], n_voters: Ints) -> None:
    """InputError unless there are two groups, each of two voters at least."""
    if len(names) < 2:
        raise InputError(
            f"groups has {plural(len(names), 'group')} ({listed(names, 100)}), and a comparison needs two",
            option="groups",
            remedy="name two groups, or rank these votes by bradley_terry",
        )
    few = np.flatnonzero(n_voters < FEWEST_VOTERS)
    if len(few):
        group = int(few[0])
        raise InputError(
            f"the group {shorten(names[group])} has answered votes by {plural(int(n_voters[group]), 'voter')}, and "
            "what is one person's cannot be told from what is the group's",
            option="groups",
            value=names[group],
            remedy=f"put them into another group, or leave the group out; each needs at least {FEWEST_VOTERS} voters",
        )
