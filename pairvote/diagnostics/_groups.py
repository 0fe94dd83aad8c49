"""Groups of voters: whether they agree, so that one ranking of all votes speaks for each of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from pairvote._common.messages import plural
from pairvote.diagnostics._page import Block, Part, Table, chance, named, some
from pairvote.groups import GroupComparison

# How often groups that agree are said to differ.
LEVEL = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupAgreement(Part):
    """Whether groups of voters agree, in short; `pairvote.compare_groups` says all.

    Attributes
    ----------
    groups : tuple of labels
    n_voters, n_votes : tuple of int
        Of each group.
    p_value : float
        Of "the groups agree", by reassignment of voters to groups.
    differ_on : tuple of labels
        The items on which two groups clearly differ, all at once at 95%.
    shared_top : tuple of labels
        The items in the top k of every group.
    top_k : int

    Examples
    --------
    >>> import pairvote as pv
    >>> sim = pv.simulate(voters=pv.VoterModel(clusters=2, cluster_sd=1.0), repetitions=1, rng=2014)
    >>> groups = {voter: ("public", "business")[voter % 2] for voter in range(30)}
    >>> pv.diagnostics.check(sim.votes(0), groups=groups, rng=1).groups.differ_on
    (13, 0, 8, 17)
    """

    title = "Groups of voters"

    groups: tuple[Hashable, ...]
    n_voters: tuple[int, ...]
    n_votes: tuple[int, ...]
    p_value: float
    differ_on: tuple[Hashable, ...]
    shared_top: tuple[Hashable, ...]
    top_k: int

    @classmethod
    def of(cls, comparison: GroupComparison, top_k: int) -> GroupAgreement:
        """The short of a comparison."""
        return cls(
            groups=comparison.groups,
            n_voters=comparison.n_voters,
            n_votes=comparison.n_votes,
            p_value=comparison.p_value,
            differ_on=tuple(dict.fromkeys(difference.item for difference in comparison.clear_differences())),
            shared_top=tuple(comparison.shared_top(top_k)),
            top_k=top_k,
        )

    @property
    def differ(self) -> bool:
        """Whether groups that agree would rarely be so far apart: in one vote of 20."""
        return self.p_value < LEVEL

    def _blocks(self) -> Iterator[Block]:
        yield Table(
            ("group", "voters", "votes"),
            [
                (named(group), f"{n_voters:,}", f"{n_votes:,}")
                for group, n_voters, n_votes in zip(self.groups, self.n_voters, self.n_votes, strict=True)
            ],
        )
        verdict = "the groups differ" if self.differ else "no sign that the groups differ"
        yield f"{verdict} ({chance(self.p_value)})"
        if self.differ_on:
            yield f"they clearly differ on {some(self.differ_on)}"
        yield f"in the top {self.top_k} of every group: {some(self.shared_top) or 'none'}"

    def _concerns(self) -> Iterator[str]:
        if self.differ:
            on = f", clearly on {some(self.differ_on)}" if self.differ_on else ""
            yield (
                f"{plural(len(self.groups), 'group')} of voters differ ({chance(self.p_value)}){on}: one ranking of "
                "all votes hides it (see compare_groups)"
            )
