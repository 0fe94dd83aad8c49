"""How far each voter is to be believed, as a ranking says it."""

from __future__ import annotations

import html
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, restore
from pairvote._common.messages import plural, shorten
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote._inference import VoterKinds
from pairvote.errors import InputError
from pairvote.ranking._results import Interval, check_level, normal_quantile, quantiles

# Rows of a printed table, its columns of text, and the titles of those that depend on the model of voters.
MOST_ROWS = 12
TEXT_COLUMNS = (0, 5)
# A larger part of the voters is hardly inattentive, but may be of another mind.
MANY = 0.4
TITLES = {"lapse": ("attentive", "looks like"), "slope": ("follows", "attentive")}
KINDS = ("random", "left", "right", "pushes")


@dataclass(frozen=True, eq=False, kw_only=True)
class VoterReliability:
    """How far each voter is to be believed: ``bradley_terry(votes, reliability=...).voters``.

    Attributes
    ----------
    reliability : {"lapse", "slope"}
        The model of voters that was fitted.
    voters : tuple of labels, length n_voters
        Voters who answered a question, and who are known.
    n_votes : int64 array, shape (n_voters,)
        Answered questions.
    attentive : float64 array, shape (n_voters,)
        The chance, from 0 to 1, that a voter looks at the items in every answer.
    following : float64 array, shape (n_voters,)
        The expected part of a voter's answers that follow the common scores: 1 for an attentive voter, a half for one
        who flips a coin, and with "slope" 0 for one who goes against them.
    agreement : float64 array, shape (n_voters,)
        The share of decided votes that went to the item with the higher score, each row counted once; items of level
        scores count half. nan for a voter without decided votes.

    Examples
    --------
    >>> import pairvote as pv
    >>> model = pv.VoterModel(random_voters=0.25)
    >>> votes = pv.simulate(n_voters=8, votes_each=150, voters=model, repetitions=1, rng=1).votes(0)
    >>> voters = pv.bradley_terry(votes, prior_sd=1.0, reliability="lapse").voters
    >>> voters.attentive.round(2).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    >>> voters.flags()
    {6: 'random', 7: 'random'}
    """

    reliability: str
    voters: tuple[Hashable, ...]
    n_votes: NDArray[np.int64]
    attentive: NDArray[np.float64]
    following: NDArray[np.float64]
    agreement: NDArray[np.float64]
    _kinds: VoterKinds
    _items: tuple[Hashable, ...]

    __setstate__ = restore

    def __post_init__(self) -> None:
        for array in (self.n_votes, self.attentive, self.following, self.agreement):
            array.flags.writeable = False

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The two ends of an interval for each voter.

        With "lapse": of the chance of being attentive, by what is not known of the scores. With "slope": of the part of
        the answers that follow the scores.

        Parameters
        ----------
        level : float
            Between 0 and 1.

        Returns
        -------
        Interval
            Two float64 arrays, shape (n_voters,).

        Raises
        ------
        InputError
            For a level out of range.
        """
        check_level(level)
        found = self._kinds
        if found.nodes is not None:
            return self._of_slopes(found.nodes, level)
        if found.draws is not None:
            low, high = quantiles(found.draws.astype(np.float64), level)
            return Interval(low, high)
        reach = normal_quantile(level) * (np.zeros(len(self.voters)) if found.errors is None else found.errors)
        tiny = np.finfo(float).tiny
        odds = np.log(np.maximum(self.attentive, tiny)) - np.log(np.maximum(1.0 - self.attentive, tiny))
        low, high = (1.0 / (1.0 + np.exp(np.clip(-odds - side * reach, -700.0, 700.0))) for side in (-1.0, 1.0))
        return Interval(low, high)

    def _of_slopes(self, nodes: NDArray[np.float64], level: float) -> Interval:
        """The narrowest parts of the answers, from below and above, that leave out half of the rest each."""
        outside, n_nodes = 0.5 * (1.0 - level), nodes.shape[1]
        sums = np.cumsum(nodes, axis=1)
        above = sums[:, -1:] - sums + self.attentive[:, None]
        low = np.where((sums > outside).any(axis=1), (sums > outside).argmax(axis=1) / n_nodes, 1.0)
        over = above <= outside
        high = np.where(over.any(axis=1), (over.argmax(axis=1) + 1) / n_nodes, 1.0)
        return Interval(low, high)

    def attentive_of(self, voter: Hashable) -> float:
        """The chance that this voter is attentive.

        Parameters
        ----------
        voter : label

        Raises
        ------
        InputError
            For a voter who is not known, or answered nothing.
        """
        if voter not in self.voters:
            raise InputError(
                f"there is no voter {shorten(voter)} who answered a question",
                option="voter",
                value=voter,
                remedy="`voters` lists those who did",
            )
        return float(self.attentive[self.voters.index(voter)])

    def flags(self, chance: float = 0.5) -> dict[Hashable, str]:
        """What the voters are likeliest to be whose chance of being attentive is below `chance`; the least first.

        Parameters
        ----------
        chance : float
            From 0 to 1.

        Returns
        -------
        dict of label to str
            With "lapse": "random", "left" or "right" for one who takes a side, or "pushes" and an item. With "slope":
            "follows" and the part of the answers that follow the scores.

        Raises
        ------
        InputError
            For a chance out of range.
        """
        if not is_number(chance) or not 0.0 <= chance <= 1.0:
            raise InputError(f"chance is {shorten(chance)}", option="chance", value=chance, remedy="it is from 0 to 1")
        flagged = np.flatnonzero(self.attentive < chance)
        order = flagged[np.argsort(self.attentive[flagged], kind="stable")].tolist()
        return {self.voters[voter]: self._what(voter) for voter in order}

    def _what(self, voter: int) -> str:
        found = self._kinds
        if found.random is None or found.left is None or found.right is None or found.pushes is None:
            return f"follows {self.following[voter]:.0%}"
        likeliest = int(np.argmax([each[voter] for each in (found.random, found.left, found.right, found.pushes)]))
        pushed = "" if found.pushed is None else as_label(self._items[int(found.pushed[voter])])
        return f"pushes {pushed}" if likeliest == len(KINDS) - 1 else KINDS[likeliest]

    def to_columns(self, level: float = 0.95) -> dict[str, list[Any]]:
        """A column for each number, for ``pandas.DataFrame(...)`` and the like."""
        low, high = self.confidence_interval(level)
        return {
            "voter": list(self.voters),
            "n_votes": self.n_votes.tolist(),
            "attentive": self.attentive.tolist(),
            "following": self.following.tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
            "agreement": self.agreement.tolist(),
        }

    def __repr__(self) -> str:
        return f"VoterReliability({self.reliability!r}, {plural(len(self.voters), 'voter')})"

    def __str__(self) -> str:
        head, headings, rows, foot = self._table()
        return "\n".join([head, *text_lines(headings, rows, TEXT_COLUMNS), *foot])

    def _repr_html_(self) -> str:
        head, headings, rows, foot = self._table()
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in foot)
        return f"<p>{html.escape(head)}</p>{html_table(headings, rows, TEXT_COLUMNS)}{lines}"

    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]], list[str]]:
        """The heading, the titles of columns, the rows of the least attentive, and what is left out."""
        flags = self.flags()
        low, high = self.confidence_interval()
        lapses, is_camp = self.reliability == "lapse", len(flags) > MANY * len(self.voters)
        looks: dict[Hashable, str] = {} if is_camp else flags
        shown = self.attentive if lapses else self.following
        order = np.argsort(shown, kind="stable")[:MOST_ROWS].tolist()
        head = (
            f"{plural(len(self.voters), 'voter')}, {len(flags) or 'none'} likelier inattentive than not; by "
            f"{'the chance of attention' if lapses else 'the part of answers that follow the scores'}"
        )
        rows: list[tuple[str, ...]] = [
            (
                as_label(self.voters[voter]),
                f"{self.n_votes[voter]:,}",
                f"{shown[voter]:.2f}",
                f"{low[voter]:.2f} to {high[voter]:.2f}",
                "" if math.isnan(self.agreement[voter]) else f"{self.agreement[voter]:.0%}",
                looks.get(self.voters[voter], "") if lapses else f"{self.attentive[voter]:.2f}",
            )
            for voter in order
        ]
        more = len(self.voters) - len(rows)
        headings = ("voter", "votes", *TITLES[self.reliability][:1], "95%", "agreement", *TITLES[self.reliability][1:])
        foot = [f"and {plural(more, 'more voter')}"] if more else []
        if is_camp:
            foot.append(
                "so many may be a camp of their own: see find_groups, and compare_groups where groups are known"
            )
        return head, headings, rows, foot
