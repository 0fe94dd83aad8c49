"""Elo ratings that follow a stream of votes."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.labels import check_items, first_row
from pairvote._common.messages import plural, shorten
from pairvote._common.options import check_flag
from pairvote._common.outcomes import OUTCOME_NAMES, Outcome
from pairvote._common.times import joined_times, times
from pairvote._kernels import by_item
from pairvote._kernels import elo as kernel
from pairvote.errors import InputError
from pairvote.ranking._history import RatingHistory
from pairvote.ranking._ranking import Ranking
from pairvote.scoring._elo_rule import GAMES, LAST, ByItem, EloRule, KFunction, check_change
from pairvote.scoring._elo_run import NO_HISTORY, EloRun, history_of, too_few
from pairvote.scoring._elo_state import restored, state_of
from pairvote.scoring._lengths import Length
from pairvote.votes._chunks import Criterion, each_chunk
from pairvote.votes._counts import NO_WEIGHTS
from pairvote.votes._votes import Votes

NEEDED = "Elo needs Votes, since their order matters, or chunks of them, such as scan_votes gives"


@dataclass(frozen=True, eq=False)
class Rated:
    """Votes in the order in which they moved the ratings, and the course of these, empty where it is not kept."""

    votes: Votes
    course: NDArray[np.float64]

    def in_rows(self, order: NDArray[np.intp] | None) -> Rated:
        """In the order of the rows, of which `order` was the one of their times."""
        if order is None or not len(self.course):
            return self
        rows = np.argsort(order)
        return Rated(self.votes._take(rows), self.course[rows])


class EloRatings:
    """Elo ratings that follow a stream: single votes or batches, with the same result to the bit.

    Parameters
    ----------
    items : iterable of labels
    k, initial, scale, base, half_life
        As in `pairvote.elo`. `k` and `initial` may name labels that are added later.

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
        k: ByItem | KFunction = 32.0,
        initial: ByItem = 1500.0,
        scale: float = 400.0,
        base: float = 10.0,
        half_life: Length | None = None,
    ) -> None:
        self._rule = EloRule.of(k, initial, scale, base, half_life)
        self._items = check_items(items)
        self._codes = {label: code for code, label in enumerate(self._items)}
        self._run = EloRun(self._rule, self._items)
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
        """The present rating of an item; where ratings fade, at the time of the last vote."""
        code = self._code(label)
        return float(self._run.ratings[code] if self._rule.half_life == 0.0 else self._run.present()[code])

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
        self._run.add(labels)
        self._totals = np.vstack([self._totals, np.zeros((len(labels), 4))])
        self._codes |= {label: code for code, label in enumerate(labels, len(self._codes))}
        self._items = (*self._items, *labels)

    def record(
        self, left: Hashable, right: Hashable, outcome: Outcome | str, weight: float = 1.0, *, time: Any = None
    ) -> None:
        """Take in one vote.

        Parameters
        ----------
        left, right : label
        outcome : Outcome or {"left", "right", "tie", "skip"}
        weight : float
            Finite and not negative.
        time : number or datetime, optional
            When the vote was given: needed with `half_life`, and only then.

        Raises
        ------
        InputError
            For an unknown item or outcome, an item against itself, a weight out of range, or a time that is missing or
            goes back; nothing is changed.
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
        run, totals = self._run, self._totals
        if run.table is not None or time is not None:
            self._record_by_table(i, j, seen, weight, time)
        else:
            rule, ratings = run.rule, run.ratings
            check_change(rule.k, weight)
            if max(i, j) >= min(len(ratings), len(totals)):
                self._room(max(i, j) + 1)
            kernel.record_vote(ratings, i, j, seen, weight, rule.k, rule.slope)
        totals[i, seen] += weight
        totals[j, (2 - seen) & 3] += weight
        self._n_votes += 1

    def _record_by_table(self, i: int, j: int, seen: int, weight: float, time: Any) -> None:
        """Take one vote as a batch of one."""
        if time is not None and self._rule.half_life == 0.0:
            raise InputError(
                "time is given and these ratings do not fade", option="time", remedy="leave it out, or set half_life"
            )
        votes = Votes._unchecked(
            items=self._items,
            left=np.array([i], np.int32),
            right=np.array([j], np.int32),
            outcome=np.array([seen], np.uint8),
            weight=np.array([weight]),
            time=None if time is None else times([time], 1),
        )
        self._check_times(votes)
        self._room(len(self._items))
        self._run.record(votes)

    def update(
        self,
        votes: Votes | Iterable[Votes],
        *,
        criterion: Hashable | None = None,
        add: bool = False,
        history: bool = False,
    ) -> RatingHistory | None:
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
        history : bool
            Return the ratings before and after each of these votes.

        Returns
        -------
        RatingHistory or None
            With `history`, one row for each vote on the criterion.

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
        check_flag("history", history)
        parts: list[Rated] = []
        if isinstance(votes, Votes):
            chosen = votes.select(criterion)
            order = time_order(chosen)
            part = self._take_in(chosen if order is None else chosen._take(order), add=add, history=history)
            self._count(part.votes)
            self._n_votes += len(votes)
            parts.append(part.in_rows(order))
        else:
            wanted = Criterion(criterion)
            for chunk in in_turn(each_chunk(votes, NEEDED)):
                part = self._take_in(wanted.of(chunk), add=add, history=history)
                self._count(part.votes)
                self._n_votes += len(chunk)
                parts += [part] if history else []
            wanted.check()
        return history_of_parts(self._items, parts, self._rule.slope) if history else None

    def _take_in(self, votes: Votes, *, add: bool, history: bool = False) -> Rated:
        """Let votes move the ratings; what they are in the codes that items have here, not counted yet."""
        self._check_times(votes)
        if votes.items != self._items:
            used = np.union1d(votes.left, votes.right).tolist()
            if add:
                self._add_all([label for code in used if (label := votes.items[code]) not in self._codes])
            codes = np.full(votes.n_items, -1, np.int32)
            codes[used] = [self._code(votes.items[code]) for code in used]
            votes = votes._changed(items=self._items, left=codes[votes.left], right=codes[votes.right])
        self._room(votes.n_items)
        return Rated(votes, self._run.record(votes, history=history))

    def _check_times(self, votes: Votes) -> None:
        """InputError where ratings fade and votes have no times of the right kind, or such before the last vote."""
        if self._rule.half_life == 0.0 or not len(votes):
            return
        moments = self._rule.times_of(votes)
        row = int(np.argmin(moments))
        if moments[row] < self._run.now and votes.time is not None:
            raise InputError(
                f"time is {votes.time[row]}, before that of a vote that was taken in already",
                option="time",
                remedy="pass votes in the order of their times",
            )

    def _count(self, votes: Votes) -> None:
        """Add to the totals what was taken in."""
        totals = self._room(votes.n_items)
        votes = votes._in_halves()
        weight = NO_WEIGHTS if votes.weight is None else votes.weight
        by_item.add_to_items(votes.left, votes.right, votes.outcome, weight, totals)

    def _room(self, n_items: int) -> NDArray[np.float64]:
        """The totals, if they and the ratings have room for so many items: the kernels do not ask."""
        totals, (ratings, _) = self._totals, self._run.room(n_items)
        if len(totals) < n_items:
            raise too_few(n_items, len(ratings))
        return totals

    def ranking(self) -> Ranking:
        """The present ratings as a Ranking."""
        return self._ranking(None)

    def _ranking(self, first: NDArray[np.int32] | None, history: RatingHistory | None = None) -> Ranking:
        """The present ratings, and the first item of each item's component where it is known."""
        return Ranking(
            items=self._items,
            scores=self._run.present(),
            unit="elo",
            method="elo",
            _totals=self._totals.copy(),
            _first=first,
            history=history,
            _log_odds_per_unit=self._rule.slope,
        )

    def state(self) -> dict[str, Any]:
        """All that `from_state` needs to go on from here: lists, numbers and labels.

        A function for `k` is not kept: pass it to `from_state` again.

        Examples
        --------
        >>> import pairvote as pv
        >>> ratings = pv.EloRatings(["ash", "birch"])
        >>> pv.EloRatings.from_state(ratings.state())["ash"]
        1500.0
        """
        return state_of(self._run, self._items, self._totals, self._n_votes)

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, k: KFunction | None = None) -> EloRatings:
        """The ratings that `state` gave, to the bit.

        Parameters
        ----------
        state : dict
        k : function, optional
            That of the ratings, where it was one.

        Raises
        ------
        InputError
            Where something is missing or of the wrong size.
        """
        found = restored(state, k)
        try:
            ratings = cls(found.items, **found.options)
        except InputError as error:
            raise InputError(f"this is not what EloRatings.state gave ({error!r}); pass its dict unchanged") from error
        ratings._run.ratings, ratings._totals, ratings._n_votes = found.ratings, found.totals, found.n_votes
        if ratings._run.table is not None:
            ratings._run.table[:, (LAST, GAMES)] = found.seen
        return ratings

    def _code(self, label: Hashable) -> int:
        try:
            return self._codes[label]
        except (KeyError, TypeError, ValueError):
            raise InputError(f"{shorten(label)} is not among the {len(self)} items; add it first") from None


def history_of_parts(items: tuple[Hashable, ...], parts: Sequence[Rated], slope: float) -> RatingHistory:
    """The course of ratings over parts of the votes."""
    if len(parts) == 1:
        return history_of(items, parts[0].votes.left, parts[0].votes.right, parts[0].course, slope)
    none = np.empty(0, np.int32)
    left, right = (np.concatenate([none, *(getattr(part.votes, side) for part in parts)]) for side in ("left", "right"))
    return history_of(items, left, right, np.concatenate([NO_HISTORY, *(part.course for part in parts)]), slope)


def time_order(votes: Votes) -> NDArray[np.intp] | None:
    """The rows of votes in the order of their times; None where they stand in it, or have none."""
    if votes.time is None or not (votes.time[1:] < votes.time[:-1]).any():
        return None
    return np.argsort(votes.time, kind="stable")


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
