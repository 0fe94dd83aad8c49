"""Items in the order of their scores: what a ranking says without its uncertainty."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._common.options import check_flag, check_top_k, chosen_top_k
from pairvote.errors import InputError
from pairvote.ranking._agreement import Agreement, agreement, matched_ranks
from pairvote.ranking._order import code_of, n_best, ranks_of
from pairvote.ranking._units import UNITS
from pairvote.votes._given import Elsewhere, numbered


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Standing:
    """Scores of items, the order they give, and the votes that each item was in; a `Ranking` adds the uncertainty."""

    items: tuple[Hashable, ...]
    scores: NDArray[np.float64]
    unit: str
    # What each item lost, tied, won and skipped; and the first item of its component, what tells it if asked, or None.
    _totals: NDArray[np.float64]
    _first: NDArray[np.int32] | Elsewhere | None

    @property
    def n_items(self) -> int:
        """The number of items."""
        return len(self.items)

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        return read_only(ranks_of(self.scores, self._level_within))

    @property
    def _level_within(self) -> float:
        """Scores at most this far apart are level."""
        return UNITS[self.unit].tolerance(self.scores)

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return np.argsort(self._ranks, kind="stable")

    def ranks(self) -> NDArray[np.int64]:
        """The rank of each item, 1 for the best: int64, shape (n_items,). Level scores share the best of them."""
        return self._ranks

    def order(self) -> list[Hashable]:
        """The labels, best first; level items in the order of `items`."""
        return [self.items[code] for code in self._order.tolist()]

    def top(
        self, k: int, ties: Literal["include", "raise", "first"] = "include", *, unvoted: bool = False
    ) -> list[Hashable]:
        """The best `k` labels, best first.

        Parameters
        ----------
        k : int
            From 1 to n_items.
        ties : {"include", "raise", "first"}
            What to do with items level with the k-th: include them all, raise, or take the first by `items`.
        unvoted : bool
            Whether items without a vote may be listed. Their scores come from no vote on them, so by default they are
            left out, and the list is shorter than `k` where fewer items have votes.

        Raises
        ------
        InputError
            For `k` out of range, and under "raise" for a level k-th place, naming those who share it.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.Votes.from_wins(["ash", "birch"], ["cedar", "cedar"], items=["ash", "birch", "cedar", "dogwood"])
        >>> ranking = pv.bradley_terry(votes, prior_sd=3.0)
        >>> ranking.top(1), ranking.top(1, ties="first")
        (['ash', 'birch'], ['ash'])
        >>> ranking.top(3), ranking.top(3, unvoted=True)
        (['ash', 'birch', 'cedar'], ['ash', 'birch', 'dogwood'])
        """
        check_top_k(k, self.n_items, "k")
        check_flag("unvoted", unvoted)
        if ties not in ("include", "raise", "first"):
            raise InputError(f"ties is {ties!r}; use 'include', 'raise' or 'first'")
        codes = self._order if unvoted else self._voted_first[: int(self._voted.sum())]
        if len(codes) > k:
            within, level = n_best(self._ranks[codes], k)
            if within > k and ties == "raise":
                names = ", ".join(repr(self.items[code]) for code in codes[level].tolist())
                raise InputError(f"place {k} is shared by {names}; pass ties='include' or 'first', or another k")
            codes = codes[: k if ties == "first" else within]
        return [self.items[code] for code in codes.tolist()]

    @property
    def _voted(self) -> NDArray[np.bool_]:
        """Whether an item has votes other than skips."""
        return np.asarray(self._totals[:, :3].any(axis=1))

    @property
    def _voted_first(self) -> NDArray[np.intp]:
        """The codes of items with votes, best first, and then of the others."""
        voted = self._voted[self._order]
        return np.concatenate([self._order[voted], self._order[~voted]])

    @property
    def won(self) -> NDArray[np.float64]:
        """The weight of votes that each item won: float64, shape (n_items,)."""
        return self._totals[:, 2]

    @property
    def tied(self) -> NDArray[np.float64]:
        """The weight of votes in which each item tied: float64, shape (n_items,)."""
        return self._totals[:, 1]

    @property
    def asked(self) -> NDArray[np.float64]:
        """The weight of answered questions that each item was in, skips left out: float64, shape (n_items,)."""
        return read_only(self._totals[:, :3].sum(axis=1))

    @property
    def skipped(self) -> NDArray[np.float64]:
        """The weight of skipped questions that each item was in: float64, shape (n_items,)."""
        return self._totals[:, 3]

    @cached_property
    def components(self) -> NDArray[np.int32]:
        """The connected component of each item: int32, shape (n_items,).

        No vote leads from one component to another, so their order relative to each other is the prior's.
        """
        if self._first is None:
            raise InputError(
                "running Elo ratings do not keep who met whom; rank the votes themselves to see the components"
            )
        return read_only(numbered(self._first) if isinstance(self._first, np.ndarray) else self._first.components())

    def agreement(self, other: Standing, top_k: int | None = None, *, p: float = 0.9) -> Agreement:
        """How far two rankings of the same items, in any order and unit, agree; `Agreement` explains the numbers.

        `top_k` is 5 by default, and of fewer than six items all except one.

        Raises
        ------
        InputError
            For `top_k` or `p` out of range, rankings that differ in their items, and where all items of one are level.

        Examples
        --------
        >>> import pairvote as pv
        >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
        >>> pv.tally(votes).agreement(pv.elo(votes), top_k=10).top_k_overlap
        0.9
        """
        if not isinstance(other, Standing):
            raise InputError(f"other is a {type(other).__name__}; pass a Ranking of the same items")
        top_k = chosen_top_k(top_k, self.n_items)
        return agreement(self._ranks, matched_ranks(self.items, other.items, other._ranks), top_k, p)

    def to_dict(self) -> dict[Hashable, float]:
        """The score of each label, best first."""
        return {self.items[code]: float(self.scores[code]) for code in self._order.tolist()}

    @cached_property
    def _codes(self) -> dict[Hashable, int]:
        return {label: code for code, label in enumerate(self.items)}

    def _code(self, label: Hashable) -> int:
        return code_of(label, self.items, self._codes)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The array, closed to writing."""
    array.flags.writeable = False
    return array
