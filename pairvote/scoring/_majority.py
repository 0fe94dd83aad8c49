"""What the majorities of pairs say: winner, sets, scores, cycles, and the nearest order; for people and programs."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import restore
from pairvote._common.messages import plural
from pairvote._common.tables import as_label, html_table, text_lines
from pairvote.scoring._beating import Ints
from pairvote.scoring._kemeny import Nearest, nearest_order

Floats = NDArray[np.float64]
Labels = tuple[Hashable, ...]
COUNTED = ("rank", "beats", "ties", "loses", "unasked")
LABEL_WIDTH, MOST_ROWS, MOST_NAMED, MOST_CYCLES = 48, 50, 8, 5


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Majority:
    """Who beats whom by the majority of the votes on each pair, and what follows from it.

    An item beats another one with more than half of the votes on their pair; with just half the two tie. A pair that
    nobody was asked about is neither won nor tied. `majority` gives it.

    Attributes
    ----------
    items : tuple of labels
    won : float64 array, shape (n_items, n_items)
        The votes that the row's item won against the column's, a tie as half.
    margins : float64 array, shape (n_items, n_items)
        The votes by which the row's item is ahead of the column's: negative where it is behind, and nan where nobody
        was asked, as on the diagonal.
    condorcet_winner : label or None
        The item that beats every other one. None where there is none, and where it was not asked against all.
    unbeaten : tuple of labels
        Items that no other one beats, of those that have votes. They may have ties, and pairs that nobody was asked
        about.
    copeland : float64 array, shape (n_items,)
        Items that it beats, and half of those that it ties with.
    smith_set : tuple of labels
        The smallest set of items each of which beats every item outside. With pairs that nobody was asked about it may
        be large: whatever the votes on them would be, the Smith set is this one or a part of it.
    schwartz_set : tuple of labels
        The items of the smallest sets that no item outside beats.
    minimax : float64 array, shape (n_items,)
        The largest margin, in votes, by which another item beats it: the smaller the better, negative where it beats
        all that it met. nan for items without votes.
    cycle_groups : tuple of tuples of labels
        Items that beat each other in a circle, directly or in a chain: all that no majority puts in an order.
    cycles : tuple of tuples of labels
        For each of these groups a shortest cycle through its best item by Copeland: each item beats the next one, and
        the last the first.

    Examples
    --------
    >>> import pairvote as pv
    >>> won = [[0, 6, 4], [4, 0, 7], [6, 3, 0]]
    >>> found = pv.majority(pv.Votes.from_matrix(won, items=["ash", "birch", "cedar"]))
    >>> found.condorcet_winner, found.smith_set, found.copeland.tolist(), found.minimax.tolist()
    (None, ('ash', 'birch', 'cedar'), [1.0, 1.0, 1.0], [2.0, 2.0, 4.0])
    >>> found.cycles, found.kemeny, found.kemeny_distance
    ((('ash', 'birch', 'cedar'),), ('ash', 'birch', 'cedar'), 13.0)
    """

    items: Labels
    won: Floats
    margins: Floats
    condorcet_winner: Hashable | None
    unbeaten: Labels
    copeland: Floats
    smith_set: Labels
    schwartz_set: Labels
    minimax: Floats
    cycle_groups: tuple[Labels, ...]
    cycles: tuple[Labels, ...]
    _components: tuple[Ints, ...]

    __setstate__ = restore

    def __post_init__(self) -> None:
        for values in (self.won, self.margins, self.copeland, self.minimax):
            values.flags.writeable = False

    @property
    def n_items(self) -> int:
        """The number of items, with or without votes."""
        return len(self.items)

    @property
    def n_asked(self) -> int:
        """The number of pairs with votes."""
        return int(np.count_nonzero(self._asked)) // 2

    @property
    def n_unasked(self) -> int:
        """The number of pairs that nobody was asked about."""
        return math.comb(self.n_items, 2) - self.n_asked

    @property
    def n_tied(self) -> int:
        """The number of pairs with as many votes for one item as for the other."""
        return int(self._standing["ties"].sum()) // 2

    @property
    def copeland_winners(self) -> Labels:
        """The items with the largest Copeland score."""
        return self._where(self.copeland == self.copeland.max(initial=-math.inf))

    @property
    def minimax_winners(self) -> Labels:
        """The items with the smallest largest defeat, by the rule of Simpson and Kramer, of those that have votes."""
        return self._where(self.minimax == np.fmin.reduce(self.minimax, initial=math.inf))

    @property
    def kemeny(self) -> Labels:
        """All items in the order nearest to the votes, best first: the order that the fewest votes go against.

        Other orders may be as near. Where `kemeny_exact` is False it is the best that was found.
        """
        return tuple(self.items[code] for code in self._nearest.order.tolist())

    @property
    def kemeny_exact(self) -> bool:
        """Whether it is proven that no order is nearer to the votes."""
        return self._nearest.is_exact

    @property
    def kemeny_distance(self) -> float:
        """The votes that the order goes against, a tie as half."""
        return self._least + self._nearest.against

    @property
    def kemeny_bound(self) -> float:
        """A number of votes that no order goes against less than; `kemeny_distance` where that is exact."""
        return self._least + self._nearest.at_least

    @cached_property
    def _nearest(self) -> Nearest:
        return nearest_order(np.where(self._asked, self.margins, 0.0), self._components)

    @cached_property
    def _least(self) -> float:
        """The votes of the minority on each pair, against which every order goes at the least."""
        one, other = self._pairs
        return float(np.minimum(self.won[one, other], self.won[other, one]).sum())

    @cached_property
    def _codes(self) -> dict[Hashable, int]:
        return {label: code for code, label in enumerate(self.items)}

    @property
    def _asked(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.margins)

    @property
    def _pairs(self) -> tuple[Ints, Ints]:
        """The codes of the items of each pair with votes."""
        one, other = np.nonzero(np.triu(self._asked))
        return one, other

    @cached_property
    def _standing(self) -> dict[str, NDArray[np.int64]]:
        """How many others each item beats, ties with, loses to, and was not asked against."""
        beats, ties, loses = ((compare(self.margins, 0.0)).sum(axis=1) for compare in (np.greater, np.equal, np.less))
        return {"beats": beats, "ties": ties, "loses": loses, "unasked": self.n_items - 1 - beats - ties - loses}

    def _where(self, chosen: NDArray[np.bool_]) -> Labels:
        return tuple(self.items[code] for code in np.flatnonzero(chosen).tolist())

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each item, in the order of `kemeny`.

        Columns: rank, item, beats, ties, loses and unasked (how many other items), copeland, minimax, and in_smith_set.
        """
        order = self._nearest.order
        in_smith_set = np.zeros(self.n_items, bool)
        in_smith_set[[self._codes[label] for label in self.smith_set]] = True
        return {
            "rank": list(range(1, self.n_items + 1)),
            "item": list(self.kemeny),
            **{name: values[order].tolist() for name, values in self._standing.items()},
            "copeland": self.copeland[order].tolist(),
            "minimax": self.minimax[order].tolist(),
            "in_smith_set": in_smith_set[order].tolist(),
        }

    # --- for people ---

    def _sentences(self) -> Iterator[str]:
        """What was found, without the table."""
        n_pairs = math.comb(self.n_items, 2)
        n_ahead = self.n_asked - self.n_tied
        counted = f"{plural(n_pairs, 'pair')} of {plural(self.n_items, 'item')}: {n_ahead:,} with a majority"
        counted += f", {self.n_tied:,} tied" + (f", {self.n_unasked:,} never asked" if self.n_unasked else "")
        if self.n_asked:
            one, other = self._pairs
            median = float(np.median(self.won[one, other] + self.won[other, one]))
            counted += f"; {plural(median, 'vote')} a pair (median)"
        yield counted
        if not self.items:
            return
        if self.condorcet_winner is not None or self.n_items == 1:
            yield f"Condorcet winner: {_named(self.condorcet_winner)} beats every other item"
        else:
            yield f"no Condorcet winner: {self._in_the_way()}"
        yield f"Smith set: {self._set(self.smith_set)}"
        if set(self.schwartz_set) != set(self.smith_set):
            yield f"Schwartz set: {self._set(self.schwartz_set)}"
        for cycle, group in list(zip(self.cycles, self.cycle_groups, strict=True))[:MOST_CYCLES]:
            yield f"cycle among {len(group):,} items: {self._told(cycle)}"
        if len(self.cycles) > MOST_CYCLES:
            yield f"and {plural(len(self.cycles) - MOST_CYCLES, 'more group')} of items with a cycle"
        total = float(self.won.sum())
        yield f"Kemeny's order goes against {_amount(self.kemeny_distance)} of {plural(total, 'vote')}; {self._proof()}"

    def _in_the_way(self) -> str:
        if not self.unbeaten:
            return "every item is beaten by another one" if self.n_asked else "there is no vote"
        told = []
        for label in self.unbeaten[:MOST_NAMED]:
            n = {name: int(values[self._codes[label]]) for name, values in self._standing.items()}
            found = [f"beats {n['beats']:,}"]
            found += [f"ties with {n['ties']:,}"] * (n["ties"] > 0)
            found += [f"was not asked against {n['unasked']:,}"] * (n["unasked"] > 0)
            told.append(f"{_named(label)} ({', '.join(found)})")
        more = f" and {len(self.unbeaten) - MOST_NAMED} more" if len(self.unbeaten) > MOST_NAMED else ""
        return f"not beaten: {', '.join(told)}{more}"

    def _proof(self) -> str:
        if self.kemeny_exact:
            return "no order goes against fewer"
        return f"no order goes against fewer than {_amount(self.kemeny_bound)}, and this is the best that was found"

    def _set(self, labels: Labels) -> str:
        if len(labels) == self.n_items > 1:
            return f"all {self.n_items:,} items"
        return f"{_some(labels)} ({len(labels):,} of {self.n_items:,})"

    def _told(self, cycle: Labels) -> str:
        told = []
        for winner, loser in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            one, other = self._codes[winner], self._codes[loser]
            votes = f"{_amount(self.won[one, other])} to {_amount(self.won[other, one])}"
            told.append(f"{_named(winner)} beats {_named(loser)} {votes}")
        more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
        return ", ".join(told[:MOST_NAMED]) + more

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Headings, and a row for each of the first items."""
        columns = self.to_columns()
        names = {"rank": "rank", "item": "item", "beats": "beats", "ties": "ties", "loses": "loses"}
        names |= {"unasked": "not asked"} if self.n_unasked else {}
        names |= {"copeland": "Copeland", "minimax": "worst margin", "in_smith_set": "Smith set"}
        shown: dict[str, list[str]] = {name: [f"{value:,}" for value in columns[name][:MOST_ROWS]] for name in COUNTED}
        shown["item"] = [_named(label) for label in columns["item"][:MOST_ROWS]]
        shown["copeland"] = [f"{score:,.1f}" for score in columns["copeland"][:MOST_ROWS]]
        shown["minimax"] = [
            "-" if math.isnan(margin) else f"{margin:+,.6g}" for margin in columns["minimax"][:MOST_ROWS]
        ]
        shown["in_smith_set"] = ["*" if is_in else "" for is_in in columns["in_smith_set"][:MOST_ROWS]]
        return list(names.values()), [list(row) for row in zip(*(shown[name] for name in names), strict=True)]

    def _text(self, width: int | None = None) -> str:
        headings, rows = self._table()
        more = [f"... and {self.n_items - len(rows):,} more"] if self.n_items > len(rows) else []
        return "\n".join([*self._sentences(), *text_lines(headings, rows, (1,), width=width), *more])

    def __repr__(self) -> str:
        winner = "no Condorcet winner" if self.condorcet_winner is None else _named(self.condorcet_winner)
        return f"Majority({plural(self.n_items, 'item')}, {winner}, Smith set of {len(self.smith_set):,})"

    def __str__(self) -> str:
        return self._text()

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self._sentences()) + html_table(*self._table(), (1,))


def _named(label: object) -> str:
    return as_label(label, LABEL_WIDTH)


def _some(labels: Sequence[object]) -> str:
    shown = ", ".join(map(_named, labels[:MOST_NAMED]))
    return shown + (f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else "")


def _amount(votes: float) -> str:
    return f"{votes:,.6g}"
