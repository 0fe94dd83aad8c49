"""Elo ratings that follow a stream of votes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.labels import check_items, first_row
from pairvote._common.messages import plural, shorten
from pairvote._common.options import check_flag
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote._common.times import joined_times
from pairvote._kernels import by_item
from pairvote._kernels import elo as kernel
from pairvote.errors import InputError, StateError
from pairvote.ranking._ranking import Ranking
from pairvote.votes._chunks import Criterion, each_chunk
from pairvote.votes._counts import NO_WEIGHTS
from pairvote.votes._votes import Votes

# Up to here no number of votes brings a rating near the end of float64.
LARGEST_CHANGE = 1e100
NEEDED = "Elo needs Votes, since their order matters, or chunks of them, such as scan_votes gives"


class EloRatings:
    """Elo ratings that follow a stream: single votes or batches, with the same result to the bit.

    Parameters
    ----------
    items : iterable of labels
    k, initial, scale, base : float
        As in `pairvote.elo`.

    Examples
    --------
    >>> import pairvote as pv
    >>> ratings = pv.EloRatings(["ash", "birch", "cedar"])
    >>> ratings.record("ash", "birch", "left")
    >>> ratings.update(pv.Votes.from_wins(["cedar"], ["birch"]))
    >>> ratings["ash"], ratings.ranking().order()
    (1516.0, ['ash', 'cedar', 'birch'])
    """

    def __init__(
        self,
        items: Iterable[Hashable],
        *,
        k: float = 32.0,
        initial: float = 1500.0,
        scale: float = 400.0,
        base: float = 10.0,
    ) -> None:
        self._slope = check_options(k, initial, scale, base)
        self._options = {"k": float(k), "initial": float(initial), "scale": float(scale), "base": float(base)}
        self._k, self._initial = float(k), float(initial)
        self._items = check_items(items)
        self._codes = {label: code for code, label in enumerate(self._items)}
        self._ratings = np.full(len(self._items), self._initial)
        self._totals = np.zeros((len(self._items), 4))
        self._n_votes = 0

    @property
    def n_votes(self) -> int:
        """How many votes were taken in, skips and those on other criteria among them.

        A stream goes on from there with ``scan_votes(..., skip_rows=ratings.n_votes)``.
        """
        return self._n_votes

    @property
    def items(self) -> tuple[Hashable, ...]:
        """The labels."""
        return self._items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, label: Hashable) -> float:
        """The present rating of an item."""
        return float(self._ratings[self._code(label)])

    def __repr__(self) -> str:
        return f"EloRatings({plural(len(self), 'item')}, {plural(self._totals[:, :3].sum() / 2, 'vote')})"

    def add(self, label: Hashable) -> None:
        """Take in a new item, at the initial rating.

        Raises
        ------
        InputError
            For a label that is there already or cannot be one.
        """
        check_items((*self._items, label))
        self._add_all([label])

    def _add_all(self, labels: Sequence[Hashable]) -> None:
        """Take in labels that are known to be new and fit to be labels."""
        if not labels:
            return
        # Room first: another thread may ask for a label as soon as it has a code.
        self._ratings = np.append(self._ratings, np.full(len(labels), self._initial))
        self._totals = np.vstack([self._totals, np.zeros((len(labels), 4))])
        self._codes |= {label: code for code, label in enumerate(labels, len(self._codes))}
        self._items = (*self._items, *labels)

    def record(self, left: Hashable, right: Hashable, outcome: Outcome | str, weight: float = 1.0) -> None:
        """Take in one vote.

        Parameters
        ----------
        left, right : label
        outcome : Outcome or {"left", "right", "tie", "skip"}
        weight : float
            Finite and not negative.

        Raises
        ------
        InputError
            For an unknown item or outcome, an item against itself, or a weight out of range; nothing is changed.
        """
        i, j = self._code(left), self._code(right)
        if i == j:
            raise InputError(f"the vote has {shorten(left)} against itself; a vote needs two different items")
        seen = (
            int(outcome)
            if isinstance(outcome, Outcome)
            else OUTCOME_NAMES.get(outcome)
            if isinstance(outcome, str)
            else None
        )
        if seen is None:
            raise InputError(f"outcome is {shorten(outcome)}; it is 'left', 'right', 'tie' or 'skip'")
        if not is_number(weight) or not 0.0 <= weight < math.inf:
            raise InputError(f"weight is {shorten(weight)}; weights are finite numbers and not negative")
        weight = float(weight)
        check_change(self._k, weight)
        ratings, totals = self._ratings, self._totals
        if max(i, j) >= min(len(ratings), len(totals)):
            self._room(max(i, j) + 1)
        kernel.record_vote(ratings, i, j, seen, weight, self._k, self._slope)
        totals[i, seen] += weight
        totals[j, (2 - seen) & 3] += weight
        self._n_votes += 1

    def update(self, votes: Votes | Iterable[Votes], *, criterion: Hashable | None = None, add: bool = False) -> None:
        """Take in a batch of votes, or one batch after another, in their order.

        The votes of one batch are taken in the order of their times, if they have any; those of several batches must
        come in that order.

        Parameters
        ----------
        votes : Votes or iterable of Votes
        criterion : label, optional
            Which criterion to take, where the votes answer several.
        add : bool
            Take in items that are not here yet as well, at the initial rating.

        Raises
        ------
        InputError
            For an item that is not here yet, unless `add`, and for batches whose times go back; nothing of that batch
            is taken in.

        Examples
        --------
        >>> import pairvote as pv
        >>> ratings = pv.EloRatings(["ash", "birch"])
        >>> ratings.update([pv.Votes.from_wins(["ash"], ["birch"]), pv.Votes.from_wins(["oak"], ["ash"])], add=True)
        >>> ratings.items, ratings.n_votes
        (('ash', 'birch', 'oak'), 2)
        """
        check_flag("add", add)
        if isinstance(votes, Votes):
            self._count(self._take_in(in_time_order(votes.select(criterion)), add=add))
            self._n_votes += len(votes)
            return
        chosen = Criterion(criterion)
        for chunk in in_turn(each_chunk(votes, NEEDED)):
            self._count(self._take_in(chosen.of(chunk), add=add))
            self._n_votes += len(chunk)
        chosen.check()

    def _take_in(self, votes: Votes, *, add: bool) -> Votes:
        """Let votes move the ratings; what they are in the codes that items have here, not counted yet."""
        if votes.items != self._items:
            used = np.union1d(votes.left, votes.right).tolist()
            if add:
                self._add_all([label for code in used if (label := votes.items[code]) not in self._codes])
            codes = np.full(votes.n_items, -1, np.int32)
            codes[used] = [self._code(votes.items[code]) for code in used]
            votes = votes._changed(items=self._items, left=codes[votes.left], right=codes[votes.right])
        ratings, _ = self._room(votes.n_items)
        record_all(votes, ratings, self._k, self._slope)
        return votes

    def _count(self, votes: Votes) -> None:
        """Add to the totals what was taken in."""
        _, totals = self._room(votes.n_items)
        votes = votes._in_halves()
        weight = NO_WEIGHTS if votes.weight is None else votes.weight
        by_item.add_to_items(votes.left, votes.right, votes.outcome, weight, totals)

    def _room(self, n_items: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The ratings and totals, if they have room for so many items: the kernels do not ask."""
        ratings, totals = self._ratings, self._totals
        if min(len(ratings), len(totals)) < n_items:
            raise StateError(
                f"there are {n_items} items and {len(ratings)} ratings, since several threads added items at one time; "
                "let one thread at a time have the ratings"
            )
        return ratings, totals

    def ranking(self) -> Ranking:
        """The present ratings as a Ranking."""
        return self._ranking(None)

    def _ranking(self, first: NDArray[np.int32] | None) -> Ranking:
        """The present ratings, and the first item of each item's component where it is known."""
        return Ranking(
            items=self._items,
            scores=self._ratings.copy(),
            unit="elo",
            method="elo",
            _totals=self._totals.copy(),
            _first=first,
            _log_odds_per_unit=self._slope,
        )

    def state(self) -> dict[str, Any]:
        """All that `from_state` needs to go on from here: lists, numbers and labels.

        Examples
        --------
        >>> import pairvote as pv
        >>> ratings = pv.EloRatings(["ash", "birch"])
        >>> pv.EloRatings.from_state(ratings.state())["ash"]
        1500.0
        """
        return {
            **self._options,
            "items": list(self._items),
            "ratings": self._ratings.tolist(),
            "totals": self._totals.tolist(),
            "n_votes": self._n_votes,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> EloRatings:
        """The ratings that `state` gave, to the bit.

        Raises
        ------
        InputError
            Where something is missing or of the wrong size.
        """
        try:
            ratings = cls(state["items"], **{name: state[name] for name in ("k", "initial", "scale", "base")})
            values, totals = np.array(state["ratings"], float), np.array(state["totals"], float).reshape(-1, 4)
            n_votes = state["n_votes"]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"this is not what EloRatings.state gave ({error!r}); pass its dict unchanged") from error
        if values.shape != (len(ratings),) or totals.shape != (len(ratings), 4):
            raise InputError("items, ratings and totals differ in length; pass the dict of EloRatings.state unchanged")
        if not (np.isfinite(values).all() and np.isfinite(totals).all()):
            raise InputError("a rating or a total is not finite; pass the dict of EloRatings.state unchanged")
        if not is_whole(n_votes) or n_votes < 0:
            raise InputError(f"n_votes is {shorten(n_votes)}; pass the dict of EloRatings.state unchanged")
        ratings._ratings, ratings._totals, ratings._n_votes = values, totals, int(n_votes)
        return ratings

    def _code(self, label: Hashable) -> int:
        try:
            return self._codes[label]
        except (KeyError, TypeError):
            raise InputError(f"{shorten(label)} is not among the {len(self)} items; add it first") from None


def in_time_order(votes: Votes) -> Votes:
    """The votes in the order of their times, if they have any; of one time, as they stand."""
    if votes.time is None or not (votes.time[1:] < votes.time[:-1]).any():
        return votes
    return votes._take(np.argsort(votes.time, kind="stable"))


def in_turn(chunks: Iterable[Votes]) -> Iterator[Votes]:
    """Chunks of votes; InputError for one in which times go back, so that they cannot be taken as they come."""
    n_before, last = 0, None
    for chunk in chunks:
        times = joined_times([last, chunk.time], [int(n_before > 0), len(chunk)]) if len(chunk) else None
        if times is not None:
            back = times[1:] < times[:-1]
            if back.any():
                place = first_row(back)
                row = n_before + place + 1 - int(last is not None)
                raise InputError(
                    f"time at row {row} is {times[place + 1]}, and that of the row above it is {times[place]}",
                    option="time",
                    where=f"row {row}",
                    remedy="sort the rows by time, or read all of them at once, by read_votes",
                )
            last = times[-1:]
        n_before += len(chunk)
        yield chunk


def record_all(votes: Votes, ratings: NDArray[np.float64], k: float, slope: float) -> None:
    """Move the ratings by votes, one after another, in the order of their rows."""
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    check_change(k, weight.max(initial=0.0))
    if votes.share is not None:
        # Twice the left side's score less one, which is what a whole vote's code is too.
        whole = np.where(votes.outcome == Outcome.SKIP, np.nan, votes.outcome - 1.0)
        lead = np.where(votes.is_graded, 2.0 * votes.share - 1.0, whole)
        kernel.record_leads(votes.left, votes.right, lead, weight, ratings, k, slope)
        return
    kernel.record_votes(votes.left, votes.right, votes.outcome, weight, ratings, k, slope)


def check_options(k: float, initial: float, scale: float, base: float) -> float:
    """The log-odds of one rating point."""
    for name, value, low in (
        ("k", k, 0.0),
        ("initial", initial, -math.inf),
        ("scale", scale, 0.0),
        ("base", base, 1.0),
    ):
        if not is_number(value) or not low < value < math.inf:
            bounds = "a finite number" if low == -math.inf else f"a finite number above {low:g}"
            raise InputError(f"{name} is {shorten(value)}; it is {bounds}")
    check_change(k, 1.0)
    slope = math.log(base) / float(scale)
    if slope == math.inf:
        raise InputError(f"scale is {scale!r}, so small that any lead is certain to win; it is usually 400")
    return slope


def check_change(k: float, weight: float) -> None:
    if float(k) * float(weight) > LARGEST_CHANGE:
        raise InputError(
            f"k is {k!r}, so a vote of weight {float(weight):g} could move a rating by more than {LARGEST_CHANGE:g}; "
            "let k or the weights be smaller"
        )
