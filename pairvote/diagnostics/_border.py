"""What decides the best k: the border between them and the others, and single votes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.outcomes import Outcome
from pairvote._inference import PriorOption
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus
from pairvote.diagnostics._influence import MOST_REFITS, best_of, chosen_cut
from pairvote.diagnostics._page import Block, Part, named
from pairvote.votes._votes import Votes

# Votes by which the best k come nearest to a change are tried until so many in a row change nothing.
PATIENCE = 10
# Items on either side of the cut that a single vote is thought to move across.
NEAREST = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Cut(Part):
    """How firmly the border between the best k and the others stands.

    Attributes
    ----------
    top_k : int
    last_in, first_out : labels
        The items on either side.
    gap, standard_error : float
        Of their scores, in log-odds.
    votes_won : tuple of float
        The votes won by each of the two, a tie as half.
    deciding : int64 array
        The rows of `votes` any one of which, were it not there, would change the best k; checked by scoring again.
    flips : int
        So few votes, had they gone the other way, would change the best k. The fewest are no more than these, which
        were found by taking those that bear most on the gap.

    Examples
    --------
    >>> import pairvote as pv
    >>> print(pv.diagnostics.cut(pv.datasets.baseball(), top_k=1))
    The cut
      place 1 is Milwaukee (50 votes won), place 2 is Detroit (47)
      they are 0.12 log-odds apart (standard error 0.28)
      2 votes or fewer, had they gone the other way, would change the best 1
      no single vote, had it not been cast, would
    """

    title = "The cut"

    top_k: int
    last_in: Hashable
    first_out: Hashable
    gap: float
    standard_error: float
    votes_won: tuple[float, float]
    deciding: NDArray[np.int64]
    flips: int | None

    def _blocks(self) -> Iterator[Block]:
        yield (
            f"place {self.top_k} is {named(self.last_in)} ({self.votes_won[0]:g} votes won), place {self.top_k + 1} is "
            f"{named(self.first_out)} ({self.votes_won[1]:g})"
        )
        yield f"they are {self.gap:.2f} log-odds apart (standard error {self.standard_error:.2f})"
        single = f"any one of {plural(len(self.deciding), 'vote')}" if len(self.deciding) else "no single vote"
        turned = "no votes" if self.flips is None else f"{plural(self.flips, 'vote')} or fewer"
        yield f"{turned}, had they gone the other way, would change the best {self.top_k}"
        yield f"{single}, had it not been cast, would"

    def _concerns(self) -> Iterator[str]:
        if self.gap < self.standard_error:
            yield (
                f"{named(self.last_in)} at place {self.top_k} and {named(self.first_out)} at place {self.top_k + 1} "
                f"cannot be told apart ({self.gap:.2f} log-odds, standard error {self.standard_error:.2f})"
            )


def cut(
    votes: Votes, *, top_k: int | None = None, criterion: Hashable | None = None, prior_sd: PriorOption = PRIOR_SD
) -> Cut:
    """How firmly the best k stand: the gap at the border, and the votes that decide it.

    A vote with direction a bears on the gap c's by :math:`c' H^{-1} a` times its gradient, over
    :math:`1 - a' H^{-1} a` times its information where it is left out. What comes nearest to a change by that is scored
    again.

    Parameters
    ----------
    votes : Votes
    top_k : int, optional
        Fewer than there are items; by default 5, and of fewer than six items all except one.
    criterion : label, optional
        Which criterion to look at, where the votes answer several.
    prior_sd : float or "learned"
        Of `bradley_terry`; where votes are left out or turned, a learned one becomes a normal one of its spread.

    Raises
    ------
    InputError
        For an option out of range, votes none of which is answered, and for more than 4,000 items.

    References
    ----------
    Pregibon (1981), "Logistic regression diagnostics", Ann. Statist. 9, for the one-step change of a fit. Broderick,
    Giordano and Meager (2020), "An automatic finite-sample robustness metric", arXiv:2011.14999, for the fewest votes.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.cut(pv.datasets.baseball(), top_k=1)
    >>> found.last_in, found.first_out, round(found.gap, 2), found.flips, len(found.deciding)
    ('Milwaukee', 'Detroit', 0.12, 2, 0)
    """
    chosen = votes.select(criterion) if isinstance(votes, Votes) else votes
    consensus = Consensus.of(chosen, None, prior_sd)
    return cut_of(chosen, consensus, chosen_cut(top_k, consensus.n_items))


def cut_of(votes: Votes, consensus: Consensus, top_k: int) -> Cut:
    """The cut of a fit at hand, to `votes` with their skips."""
    n_items, items = consensus.n_items, consensus.rows.items
    i, j = best_of(consensus.ranking.scores, n_items)[top_k - 1 : top_k + 1].tolist()
    difference = consensus.ranking.difference(items[i], items[j])
    won = consensus.ranking.won + 0.5 * consensus.ranking.tied
    counted = votes.outcome != Outcome.SKIP
    if votes.weight is not None:
        counted &= votes.weight > 0
    kinds, kind = np.unique(3 * consensus.pair + consensus.rows.outcome, return_inverse=True)
    bearing = _Bearing.of(consensus, *np.divmod(kinds, 3))
    # By the fit that votes are left out of, whose best may be others where items are nearly level.
    order = best_of(consensus.scores, n_items)
    inside, outside = order[top_k - 1 : top_k + 1].tolist()
    gap = float(consensus.scores[inside] - consensus.scores[outside])
    deciding = _deciding(consensus, bearing, order, top_k, kind)
    return Cut(
        top_k=top_k,
        last_in=items[i],
        first_out=items[j],
        gap=difference.estimate,
        standard_error=difference.standard_error,
        votes_won=(float(won[i]), float(won[j])),
        deciding=np.flatnonzero(counted)[deciding],
        flips=_fewest_flips(consensus, bearing.flipping(inside, outside)[kind], top_k, gap),
    )


@dataclass(frozen=True, eq=False)
class _Bearing:
    """What a vote of each kind, a pair with an outcome, does to the scores by one Newton step.

    reach: (n_kinds, n_items), a' H^-1. x: the vote's gradient by d; opposite: had it gone the other way.
    leverage: its information times a' H^-1 a.
    """

    reach: NDArray[np.float64]
    x: NDArray[np.float64]
    opposite: NDArray[np.float64]
    leverage: NDArray[np.float64]

    @classmethod
    def of(cls, consensus: Consensus, pair: NDArray[np.intp], outcome: NDArray[np.intp]) -> _Bearing:
        model, n_items = consensus.model, consensus.n_items
        inverse = consensus.fitted._inverse
        left, right = consensus.counts.left[pair], consensus.counts.right[pair]
        along = inverse[left] - inverse[right]
        # The position effect's row and column, or nothing.
        along = along + inverse[model.layout.position].sum(axis=0)
        own = along[np.arange(len(pair)), left] - along[np.arange(len(pair)), right]
        own = own + along[:, model.layout.position].sum(axis=1)
        nuisance = consensus.parameters[model.layout.nuisance]
        d = consensus.log_odds[pair]
        by_outcome = model.outcome.gradients(d, nuisance)[0]
        places = np.arange(len(pair))
        information = model.outcome.information(d, nuisance)[0][outcome, places]
        return cls(along[:, :n_items], by_outcome[outcome, places], by_outcome[2 - outcome, places], information * own)

    def without(self, codes: NDArray[np.intp]) -> NDArray[np.float64]:
        """How the scores of these items change when a vote of each kind is left out: (n_kinds, n_codes)."""
        return -self.reach[:, codes] * (self.x / np.maximum(1.0 - self.leverage, 1e-3))[:, None]

    def flipping(self, i: int, j: int) -> NDArray[np.float64]:
        """How much nearer i and j come when a vote of each kind goes the other way; a tie stays one."""
        return (self.reach[:, i] - self.reach[:, j]) * (self.x - self.opposite)


def _deciding(
    consensus: Consensus, bearing: _Bearing, order: NDArray[np.intp], top_k: int, kind: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The rows of which each alone decides the best k."""
    inside, outside = order[max(0, top_k - NEAREST) : top_k], order[top_k : top_k + NEAREST]
    changed = [consensus.scores[codes] + bearing.without(codes) for codes in (inside, outside)]
    margin = changed[0].min(axis=1) - changed[1].max(axis=1)
    best = set(order[:top_k].tolist())
    whole = consensus.table_of()
    weight = consensus.weight
    found, unchanged = [], 0
    by_kind = np.argsort(kind, kind="stable")
    ends = np.cumsum(np.bincount(kind))
    for number in np.argsort(margin, kind="stable")[:MOST_REFITS].tolist():
        those = by_kind[ends[number - 1] if number else 0 : ends[number]]
        decided = False
        # Votes of one kind are alike unless their weights differ.
        for value in np.unique(weight[those]).tolist():
            some_rows = those[weight[those] == value]
            scores = consensus.scores_of(whole - consensus.table_of(some_rows[:1]))
            if set(best_of(scores, top_k).tolist()) != best:
                found.append(some_rows)
                decided = True
        unchanged = 0 if decided else unchanged + 1
        if unchanged >= PATIENCE:
            break
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.intp)


def _fewest_flips(consensus: Consensus, nearer: NDArray[np.float64], top_k: int, gap: float) -> int | None:
    """How many of the votes that bear most on the gap change the best k when they go the other way."""
    best = set(best_of(consensus.scores, top_k).tolist())
    nearer = nearer * consensus.weight
    heaviest = np.argsort(-nearer, kind="stable")[: int((nearer > 0).sum())]
    whole = consensus.table_of()

    def changes(n_flips: int) -> bool:
        rows = heaviest[:n_flips]
        table = whole - consensus.table_of(rows) + consensus.table_of(rows, turned=True)
        return set(best_of(consensus.scores_of(table), top_k).tolist()) != best

    n_flips = int(np.searchsorted(np.cumsum(nearer[heaviest]), gap)) + 1
    while n_flips < len(heaviest) and not changes(n_flips):
        n_flips += 1 + n_flips // 8
    n_flips = min(n_flips, len(heaviest))
    if not changes(n_flips):
        return None
    while n_flips > 1 and changes(n_flips - 1):
        n_flips -= 1
    return n_flips
