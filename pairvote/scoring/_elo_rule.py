"""How votes move Elo ratings: k, where items begin, the scale, and how ratings fade with time."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number
from pairvote._common.messages import plural, shorten, wrong_option
from pairvote.errors import InputError
from pairvote.scoring._lengths import Length, length_of, numbers_of
from pairvote.votes._votes import Votes

# Up to here no number of votes brings a rating near the end of float64.
LARGEST_CHANGE = 1e100
USUAL_K, USUAL_RATING = 32.0, 1500.0
# Columns of the kernel's table of items.
START, K, LAST, GAMES = range(4)

KFunction = Callable[[Any], Any]
ByItem = float | Mapping[Hashable, float]


@dataclass(frozen=True, eq=False)
class EloRule:
    """The options of Elo ratings, checked.

    k, initial : of items that are not named
    k_of, initial_of : of those that are
    k_function : k by the number of votes that an item was in before, in place of `k`
    slope : log-odds of one rating point
    half_life : in the unit of the votes' times, microseconds for moments; 0 for ratings that do not fade
    moments : whether times are moments
    """

    k: float
    initial: float
    scale: float
    base: float
    slope: float
    k_of: Mapping[Hashable, float] = field(default_factory=dict)
    initial_of: Mapping[Hashable, float] = field(default_factory=dict)
    k_function: KFunction | None = None
    half_life: float = 0.0
    moments: bool = False

    @classmethod
    def of(
        cls,
        k: ByItem | KFunction,
        initial: ByItem,
        scale: float,
        base: float,
        half_life: Length | None,
    ) -> EloRule:
        """The rule of a user's options; InputError for any that is out of range."""
        if half_life is None and type(k) is type(initial) is type(scale) is type(base) is float:
            # Small votes by the thousand have one rule.
            return _plain_rule(k, initial, scale, base)
        return cls._checked(k, initial, scale, base, half_life)

    @classmethod
    def _checked(
        cls, k: ByItem | KFunction, initial: ByItem, scale: float, base: float, half_life: Length | None
    ) -> EloRule:
        function = k if callable(k) and not isinstance(k, Mapping) else None
        ks = by_item("k", USUAL_K if function is not None else k, USUAL_K, (0.0, math.inf))
        starts = by_item("initial", initial, USUAL_RATING)
        for name, value, low in (("scale", scale, 0.0), ("base", base, 1.0)):
            if not is_number(value) or not low < value < math.inf:
                raise wrong_option(name, value, f"it is a finite number above {low:g}")
        check_change(max(ks[0], *ks[1].values()) if ks[1] else ks[0], 1.0)
        slope = math.log(base) / float(scale)
        if slope == math.inf:
            raise InputError(f"scale is {scale!r}, so small that any lead is certain to win; it is usually 400")
        halving, moments = (0.0, False) if half_life is None else length_of("half_life", half_life)
        return cls(ks[0], starts[0], float(scale), float(base), slope, ks[1], starts[1], function, halving, moments)

    @cached_property
    def is_plain(self) -> bool:
        """Whether one k moves all ratings, and they do not fade."""
        return not self.k_of and self.k_function is None and self.half_life == 0.0

    def starts(self, items: Sequence[Hashable]) -> NDArray[np.float64]:
        """The rating that each item begins with: float64, shape (n_items,)."""
        ratings = np.full(len(items), self.initial)
        if self.initial_of:
            ratings[:] = [self.initial_of.get(label, self.initial) for label in items]
        return ratings

    def table(self, items: Sequence[Hashable]) -> NDArray[np.float64]:
        """What the kernel knows of each item beside its rating: float64, shape (n_items, 4)."""
        table = np.zeros((len(items), 4))
        table[:, START] = self.starts(items)
        table[:, K] = [self.k_of.get(label, self.k) for label in items] if self.k_of else self.k
        table[:, LAST] = -math.inf
        return table

    def check_labels(self, items: Iterable[Hashable]) -> None:
        """InputError for a label in `k` or `initial` that is none of the items."""
        for option, values in (("k", self.k_of), ("initial", self.initial_of)):
            if values:
                check_known(option, values, items)

    def times_of(self, votes: Votes) -> NDArray[np.float64]:
        """Times of votes as numbers that the half-life is measured in; InputError where they cannot be."""
        return numbers_of("half_life", votes, self.moments)


@lru_cache(maxsize=16)
def _plain_rule(k: float, initial: float, scale: float, base: float) -> EloRule:
    return EloRule._checked(k, initial, scale, base, None)


def by_item(
    option: str, value: Any, usual: float, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, dict[Hashable, float]]:
    """An option that is a number, or a number for each of some items: that of all others, and those by label.

    A number for all must be above the lower bound and below the upper one; one for an item may also be the lower.
    """
    low, high = bounds
    if is_number(value) and low < value < high:
        return float(value), {}
    if not isinstance(value, Mapping):
        what = "a finite number" + (f" above {low:g}" if low > -math.inf else "")
        raise wrong_option(option, value, f"it is {what}, or one for each label in a dict")
    own = {}
    for label, number in value.items():
        if not is_number(number) or not low <= number < high or math.isinf(number):
            wanted = "finite numbers" + (f" from {low:g}" if low > -math.inf else "")
            raise InputError(
                f"{option} of {shorten(label)} is {shorten(number)}",
                option=option,
                value=number,
                remedy=f"the values are {wanted}",
            )
        own[label] = float(number)
    return usual, own


def check_known(option: str, values: Iterable[Hashable], items: Iterable[Hashable]) -> None:
    """InputError for a label that an option names and that is none of the items."""
    known = set(items)
    for label in values:
        if label not in known:
            raise InputError(
                f"{option} names {shorten(label)}, which is not among the {len(known):,} items",
                option=option,
                value=label,
                remedy="check its spelling, or leave it out",
            )


class KByGames:
    """A user's k by the number of votes that an item was in before, asked for once for every number."""

    def __init__(self, function: KFunction) -> None:
        self._function = function
        self._known = np.empty(0)

    def up_to(self, n_games: int) -> NDArray[np.float64]:
        """The k after 0 to at least `n_games` votes: float64.

        Raises
        ------
        InputError
            For what is no finite number from 0, naming the number of games.
        """
        n_known = len(self._known)
        if n_games >= n_known:
            # Twice as many, so that a stream asks seldom.
            games = np.arange(n_known, max(n_games + 1, 2 * n_known, 64))
            self._known = np.append(self._known, self._ask(games))
        return self._known

    def _ask(self, games: NDArray[np.int64]) -> NDArray[np.float64]:
        answer = self._of_all(games)
        if answer is None:
            answer = np.array([self._of_one(number) for number in games.tolist()])
        bad = ~((answer >= 0.0) & (answer <= LARGEST_CHANGE))
        if bad.any():
            place = int(np.argmax(bad))
            raise _wrong_k(int(games[place]), float(answer[place]))
        return answer

    def _of_all(self, games: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """The function's answer to all at once; None where it does not take arrays."""
        try:
            with np.errstate(all="ignore"):
                answer = np.asarray(self._function(games.copy()))
        except Exception:
            # What it cannot do with an array, such as an `if`, it is asked for number by number.
            return None
        return answer.astype(np.float64) if answer.shape == games.shape and answer.dtype.kind in "iuf" else None

    def _of_one(self, games: int) -> float:
        try:
            answer = self._function(games)
        except Exception as error:
            raise InputError(
                f"k raised {error!r} after {plural(games, 'vote')}",
                option="k",
                remedy="pass a function of the number of votes that an item was in before",
            ) from error
        if isinstance(answer, np.ndarray) and answer.ndim == 0:
            answer = answer.item()
        if not is_number(answer):
            raise _wrong_k(games, answer)
        return float(answer)


def _wrong_k(games: int, answer: object) -> InputError:
    return InputError(
        f"k after {plural(games, 'vote')} is {shorten(answer)}",
        option="k",
        value=answer,
        remedy=f"its values are numbers from 0 to {LARGEST_CHANGE:g}",
    )


def check_change(k: float, weight: float) -> None:
    """InputError for a vote that might move ratings out of what float64 holds."""
    if float(k) * float(weight) > LARGEST_CHANGE:
        raise InputError(
            f"k is {k!r}, so a vote of weight {float(weight):g} could move a rating by more than {LARGEST_CHANGE:g}; "
            "let k or the weights be smaller"
        )
