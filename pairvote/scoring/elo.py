"""Elo ratings: votes one after another, each moving two ratings."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote import _labels
from pairvote._checks import is_number, is_whole
from pairvote._chunks import Criterion, each_chunk
from pairvote._kernels import counting
from pairvote._kernels import elo as _kernel
from pairvote._outcomes import OUTCOME_NAMES, Outcome
from pairvote.counts import NO_WEIGHTS, ItemTotals, joined_components
from pairvote.errors import InputError
from pairvote.ranking import Ranking, Rng
from pairvote.scoring.criteria import combine
from pairvote.votes import Votes

# Up to here no number of votes brings a rating near the end of float64.
LARGEST_CHANGE = 1e100
NEEDED = "Elo needs Votes, since their order matters, or chunks of them, such as scan_votes gives"


def elo(
    votes: Votes | Iterable[Votes],
    *,
    k: float = 32.0,
    initial: float = 1500.0,
    scale: float = 400.0,
    base: float = 10.0,
    n_shuffles: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by Elo ratings, the votes taken in their order.

    A vote of weight w that gives the left side the score S (1, 1/2 for a tie, 0) adds
    :math:`k w (S - 1 / (1 + b^{-(r_l - r_r) / scale}))` to the left rating and takes as much off the right one.
    Skips change nothing.

    Parameters
    ----------
    votes : Votes or iterable of Votes
        Or chunks of votes in their order, such as `pairvote.scan_votes` gives, with the same result to the bit.
    k : float
        The most that one vote moves a rating.
    initial : float
        The rating that all items begin with.
    scale, base : float
        A lead of `scale` makes the odds `base` to 1.
    n_shuffles : int, optional
        Average the ratings over so many random orders of the votes, and give their standard deviation as
        ``ranking.order_spread``. By default the votes' own order is taken once.
    rng : None, int or numpy.random.Generator
        For the shuffles.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In Elo points. It has no standard errors: what the order of votes does to a rating is no measure of how
        far it is from the truth.

    Raises
    ------
    InputError
        For an option out of range, and for PairCounts, which have no order.

    References
    ----------
    Elo (1978), "The Rating of Chessplayers, Past and Present", section 1.6.

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.elo(pv.Votes.from_wins(["ash"], ["birch"])).to_dict()
    {'ash': 1516.0, 'birch': 1484.0}
    """
    if criteria is not None:
        return combine(
            votes,
            criteria,
            criterion,
            elo,
            k=k,
            initial=initial,
            scale=scale,
            base=base,
            n_shuffles=n_shuffles,
            rng=np.random.default_rng(rng),
        )
    slope = _check_options(k, initial, scale, base)
    if not isinstance(votes, Votes):
        if n_shuffles is not None:
            raise InputError(
                "n_shuffles is given with chunks of votes, which cannot be shuffled; pass them as one Votes"
            )
        return _rate_chunks(votes, criterion, k=k, initial=initial, scale=scale, base=base)
    votes = votes.select(criterion)
    k = float(k)
    spread = None
    if n_shuffles is None:
        ratings = _rate(votes, initial, k, slope)
    else:
        if not is_whole(n_shuffles) or n_shuffles < 2:
            raise InputError(
                f"n_shuffles is {n_shuffles!r}; it is a whole number from 2, or None for the votes' own order"
            )
        rng = np.random.default_rng(rng)
        mean, squares = np.zeros(votes.n_items), np.zeros(votes.n_items)
        for done in range(1, n_shuffles + 1):
            ratings = _rate(votes._take(rng.permutation(len(votes))), initial, k, slope)
            change = ratings - mean
            mean += change / done
            squares += change * (ratings - mean)
        ratings, spread = mean, np.sqrt(squares / (n_shuffles - 1))
    return Ranking(
        items=votes.items,
        scores=ratings,
        unit="elo",
        method="elo",
        source=votes,
        log_odds_per_unit=slope,
        order_spread=spread,
    )


def _rate_chunks(votes: Any, criterion: Hashable | None, **options: float) -> Ranking:
    ratings, component = EloRatings((), **options), np.empty(0, np.int32)
    chosen = Criterion(criterion)
    for chunk in each_chunk(votes, NEEDED):
        component = joined_components(component, ratings._take_in(chosen.of(chunk), add=True))
    chosen.check()
    return ratings._ranking(component)


def _rate(votes: Votes, initial: float, k: float, slope: float) -> NDArray[np.float64]:
    ratings = np.full(votes.n_items, float(initial))
    _record(votes, ratings, k, slope)
    return ratings


def _record(votes: Votes, ratings: NDArray[np.float64], k: float, slope: float) -> None:
    weight = NO_WEIGHTS if votes.weight is None else votes.weight
    _check_change(k, weight.max(initial=0.0))
    _kernel.record_votes(votes.left, votes.right, votes.outcome, weight, ratings, k, slope)


def _check_options(k: float, initial: float, scale: float, base: float) -> float:
    """The log-odds of one rating point."""
    for name, value, low in (
        ("k", k, 0.0),
        ("initial", initial, -math.inf),
        ("scale", scale, 0.0),
        ("base", base, 1.0),
    ):
        if not is_number(value) or not low < value < math.inf:
            bounds = "a finite number" if low == -math.inf else f"a finite number above {low:g}"
            raise InputError(f"{name} is {value!r}; it is {bounds}")
    _check_change(k, 1.0)
    slope = math.log(base) / float(scale)
    if slope == math.inf:
        raise InputError(f"scale is {scale!r}, so small that any lead is certain to win; it is usually 400")
    return slope


def _check_change(k: float, weight: float) -> None:
    if float(k) * float(weight) > LARGEST_CHANGE:
        raise InputError(
            f"k is {k!r}, so a vote of weight {float(weight):g} could move a rating by more than {LARGEST_CHANGE:g}; "
            "let k or the weights be smaller"
        )


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
        self._slope = _check_options(k, initial, scale, base)
        self._options = {"k": float(k), "initial": float(initial), "scale": float(scale), "base": float(base)}
        self._k, self._initial = float(k), float(initial)
        self._items = _labels.check_items(items)
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
        return (
            f"EloRatings({_labels.plural(len(self), 'item')}, {_labels.plural(self._totals[:, :3].sum() / 2, 'vote')})"
        )

    def add(self, label: Hashable) -> None:
        """Take in a new item, at the initial rating.

        Raises
        ------
        InputError
            For a label that is there already or cannot be one.
        """
        _labels.check_items((*self._items, label))
        self._add_all([label])

    def _add_all(self, labels: Sequence[Hashable]) -> None:
        """Take in labels that are known to be new and fit to be labels."""
        if not labels:
            return
        self._items = (*self._items, *labels)
        self._codes |= {label: code for code, label in enumerate(labels, len(self._codes))}
        self._ratings = np.append(self._ratings, np.full(len(labels), self._initial))
        self._totals = np.vstack([self._totals, np.zeros((len(labels), 4))])

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
            raise InputError(f"the vote has {left!r} against itself; a vote needs two different items")
        seen = (
            int(outcome)
            if isinstance(outcome, Outcome)
            else OUTCOME_NAMES.get(outcome)
            if isinstance(outcome, str)
            else None
        )
        if seen is None:
            raise InputError(f"outcome is {outcome!r}; it is 'left', 'right', 'tie' or 'skip'")
        if not is_number(weight) or not 0.0 <= weight < math.inf:
            raise InputError(f"weight is {weight!r}; weights are finite numbers and not negative")
        weight = float(weight)
        _check_change(self._k, weight)
        _kernel.record_vote(self._ratings, i, j, seen, weight, self._k, self._slope)
        self._totals[i, seen] += weight
        self._totals[j, (2 - seen) & 3] += weight
        self._n_votes += 1

    def update(self, votes: Votes | Iterable[Votes], *, criterion: Hashable | None = None, add: bool = False) -> None:
        """Take in a batch of votes, or one batch after another, in their order.

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
            For an item that is not here yet, unless `add`; nothing of that batch is taken in.

        Examples
        --------
        >>> import pairvote as pv
        >>> ratings = pv.EloRatings(["ash", "birch"])
        >>> ratings.update([pv.Votes.from_wins(["ash"], ["birch"]), pv.Votes.from_wins(["oak"], ["ash"])], add=True)
        >>> ratings.items, ratings.n_votes
        (('ash', 'birch', 'oak'), 2)
        """
        if not isinstance(add, bool):
            raise InputError(f"add is {add!r}; it is True or False")
        if isinstance(votes, Votes):
            self._take_in(votes.select(criterion), add=add)
            self._n_votes += len(votes)
            return
        chosen = Criterion(criterion)
        for chunk in each_chunk(votes, NEEDED):
            self._take_in(chosen.of(chunk), add=add)
            self._n_votes += len(chunk)
        chosen.check()

    def _take_in(self, votes: Votes, *, add: bool) -> Votes:
        """Take in votes; what they are in the codes that items have here."""
        if votes.items != self._items:
            used = np.union1d(votes.left, votes.right).tolist()
            if add:
                self._add_all([label for code in used if (label := votes.items[code]) not in self._codes])
            codes = np.full(votes.n_items, -1, np.int32)
            codes[used] = [self._code(votes.items[code]) for code in used]
            votes = replace(votes, items=self._items, left=codes[votes.left], right=codes[votes.right])
        _record(votes, self._ratings, self._k, self._slope)
        weight = NO_WEIGHTS if votes.weight is None else votes.weight
        counting.add_to_items(votes.left, votes.right, votes.outcome, weight, self._totals)
        return votes

    def ranking(self) -> Ranking:
        """The present ratings as a Ranking."""
        return self._ranking(None)

    def _ranking(self, component: NDArray[np.int32] | None) -> Ranking:
        return Ranking(
            items=self._items,
            scores=self._ratings.copy(),
            unit="elo",
            method="elo",
            source=ItemTotals(self._items, self._totals.copy(), component),
            log_odds_per_unit=self._slope,
        )

    def to_dict(self) -> dict[str, Any]:
        """All that `from_dict` needs to go on from here: lists, numbers and labels.

        Examples
        --------
        >>> import pairvote as pv
        >>> ratings = pv.EloRatings(["ash", "birch"])
        >>> pv.EloRatings.from_dict(ratings.to_dict())["ash"]
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
    def from_dict(cls, state: Mapping[str, Any]) -> EloRatings:
        """The ratings that `to_dict` gave, to the bit.

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
            raise InputError(
                f"this is not what EloRatings.to_dict gave ({error!r}); pass its dict unchanged"
            ) from error
        if values.shape != (len(ratings),) or totals.shape != (len(ratings), 4):
            raise InputError(
                "items, ratings and totals differ in length; pass the dict of EloRatings.to_dict unchanged"
            )
        if not (np.isfinite(values).all() and np.isfinite(totals).all()):
            raise InputError("a rating or a total is not finite; pass the dict of EloRatings.to_dict unchanged")
        if not is_whole(n_votes) or n_votes < 0:
            raise InputError(f"n_votes is {n_votes!r}; pass the dict of EloRatings.to_dict unchanged")
        ratings._ratings, ratings._totals, ratings._n_votes = values, totals, int(n_votes)
        return ratings

    def _code(self, label: Hashable) -> int:
        try:
            return self._codes[label]
        except (KeyError, TypeError):
            raise InputError(f"{_labels.shorten(label)} is not among the {len(self)} items; add it first") from None
