"""Who decides the best k: voters left out one at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import plural
from pairvote._common.options import chosen_top_k
from pairvote._inference import PriorOption, VoteRows, voter_gradients
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, named, some
from pairvote.diagnostics._suspicions import Groups
from pairvote.errors import InputError
from pairvote.votes._votes import Votes

MOST_REFITS = 200


@dataclass(frozen=True, eq=False, kw_only=True)
class Influence(Part):
    """What each voter's votes do to the best k.

    Attributes
    ----------
    top_k : int
    voters : tuple of labels, length n_voters
    refitted : bool array, shape (n_voters,)
        Whether the votes were scored again without this voter: all of up to 200, and of more those 200 without whom,
        by one Newton step, the best k come nearest to a change.
    shift : float64 array, shape (n_voters,)
        The largest change of a score without the voter, in log-odds; by one Newton step where not refitted.
    joins, leaves : tuples of tuples of labels, length n_voters
        Who would be among the best k without the voter, and who no more.

    Examples
    --------
    >>> import pairvote as pv
    >>> found = pv.diagnostics.influence(pv.datasets.kalmar().simulated_votes(rng=2014))
    >>> found.decisive, found.leaves[found.voters.index(7)]
    ((7, 13, 17, 24, 27, 28), ('Innovationschef i kommunen',))
    """

    title = "Influence of voters"

    top_k: int
    voters: tuple[Hashable, ...]
    refitted: NDArray[np.bool_]
    shift: NDArray[np.float64]
    joins: tuple[tuple[Hashable, ...], ...]
    leaves: tuple[tuple[Hashable, ...], ...]

    @property
    def decisive(self) -> tuple[Hashable, ...]:
        """The voters without whom the best k would be others."""
        return tuple(label for label, gone in zip(self.voters, self.leaves, strict=True) if gone)

    def _blocks(self) -> Iterator[Block]:
        decisive = self.decisive
        yield (
            f"without {len(decisive):,} of {len(self.voters):,} voters, each alone, the best {self.top_k} would be "
            f"others; one voter moves a score by up to {self.shift.max():.2f} log-odds"
        )
        if decisive:
            rows = [
                (named(label), f"{shift:.2f}", some(gone, 2), some(new, 2))
                for label, shift, gone, new in zip(
                    self.voters, self.shift.tolist(), self.leaves, self.joins, strict=True
                )
                if gone
            ]
            yield Table(("without", "shift", "leaves", "joins"), rows[:MOST_ROWS], text_columns=(0, 2, 3))

    def _concerns(self) -> Iterator[str]:
        if self.decisive:
            yield (
                f"the best {self.top_k} would be others without any one of {plural(len(self.decisive), 'voter')}: the "
                "items at the cut are close, and it is no fault of these voters"
            )


def influence(
    votes: Votes, *, top_k: int | None = None, criterion: Hashable | None = None, prior_sd: PriorOption = PRIOR_SD
) -> Influence:
    """Leave out each voter in turn, score the others' votes, and see whether the best k change.

    Fits begin where that of all votes ended. Items level at the k-th place are taken in the order of `items`.

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
        For an option out of range, votes none of which is answered, votes that do not say who voted, and for more than
        4,000 items.

    References
    ----------
    Cook (1977), "Detection of influential observation in linear regression", Technometrics 19: deletion of cases. The
    Newton step is that of Pregibon (1981), "Logistic regression diagnostics", Ann. Statist. 9.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.datasets.kalmar().simulated_votes(rng=2014)
    >>> found = pv.diagnostics.influence(votes)
    >>> len(found.voters), len(found.decisive), round(float(found.shift.max()), 2)
    (30, 6, 0.27)
    """
    consensus = Consensus.of(votes, criterion, prior_sd)
    return influence_of(consensus, Groups.needed(consensus), chosen_cut(top_k, consensus.n_items))


def chosen_cut(top_k: int | None, n_items: int) -> int:
    """How many of the best are meant; InputError unless some items are among them and some are not."""
    chosen = chosen_top_k(top_k, n_items)
    if chosen == n_items:
        problem = f"top_k is {chosen} and there are as many items, so nothing is decided"
        raise InputError(problem, option="top_k", value=top_k, remedy="pass a smaller one")
    return chosen


def influence_of(consensus: Consensus, groups: Groups, top_k: int, *, most_refits: int = MOST_REFITS) -> Influence:
    """The influence of each voter on a fit at hand."""
    n_voters, n_items = len(groups.codes), consensus.n_items
    rows = VoteRows.of(consensus.rows.where(np.isin(np.arange(len(consensus.rows)), groups.rows)))
    fitted = consensus.fitted
    if n_voters > 1:
        # Without the voter's gradient, the others' points the other way.
        moved = -(voter_gradients(fitted.model, fitted.solution.parameters, rows) @ fitted._inverse)[:, :n_items]
    else:
        moved = -consensus.scores[None, :]
    inside = np.zeros(n_items, bool)
    inside[best_of(consensus.scores, top_k)] = True
    after = consensus.scores + moved
    margin = after[:, inside].min(axis=1) - after[:, ~inside].max(axis=1)
    refitted = np.zeros(n_voters, bool)
    refitted[np.argsort(margin, kind="stable")[:most_refits]] = True
    shift = np.abs(moved).max(axis=1)
    joins: list[tuple[Hashable, ...]] = [()] * n_voters
    leaves = joins.copy()
    whole = consensus.table_of()
    order = np.argsort(groups.voter, kind="stable")
    ends = np.cumsum(np.bincount(groups.voter, minlength=n_voters))
    for v in np.flatnonzero(refitted).tolist():
        own = groups.rows[order[ends[v - 1] if v else 0 : ends[v]]]
        scores = consensus.scores_of(whole - consensus.table_of(own))
        shift[v] = np.abs(scores - consensus.scores).max()
        now = best_of(scores, top_k)
        joins[v] = tuple(consensus.rows.items[code] for code in now.tolist() if not inside[code])
        leaves[v] = tuple(consensus.rows.items[code] for code in np.flatnonzero(inside).tolist() if code not in now)
    return Influence(
        top_k=top_k,
        voters=tuple(consensus.rows.voters[code] for code in groups.codes.tolist()),
        refitted=refitted,
        shift=shift,
        joins=tuple(joins),
        leaves=tuple(leaves),
    )


def best_of(scores: NDArray[np.float64], top_k: int) -> NDArray[np.intp]:
    """The codes of the best k, best first; level items in their order."""
    return np.argsort(-scores, kind="stable")[:top_k]
