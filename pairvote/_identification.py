"""Whether the votes determine what a model asks of them, and if not, why not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

import numpy as np

from pairvote._labels import plural, shorten
from pairvote._outcomes import Outcome
from pairvote.counts import PairCounts, components_of
from pairvote.errors import NotIdentifiedError
from pairvote.models import Model

MOST_NAMED = 5


def check_identified(model: Model) -> None:
    """NotIdentifiedError where some parameter of the model has no finite estimate.

    A log-likelihood that is concave has a maximum unless it never falls along some direction (Albert and Anderson
    1984, Biometrika 71). The prior bounds the scores; the tie parameter and the position effect have none.
    """
    counts = model.counts
    if model.has_ties and model.n_ties == model.n_votes:
        raise NotIdentifiedError(
            f"all {plural(model.n_ties, 'vote')} are ties, so the tie parameter has no finite estimate; "
            "score with ties='half', which makes all items level"
        )
    if model.position:
        right, left = (float(counts.table[:, outcome].sum()) for outcome in (Outcome.RIGHT, Outcome.LEFT))
        if not (left and right):
            winner = "left" if left else "right"
            votes = plural(left + right, "vote")
            what = f"the {winner} side won all {votes}" if left + right else "no vote was won by either side"
            raise NotIdentifiedError(
                f"{what}, so the position effect has no finite estimate; score with position=False"
            )
    if not model.prior_precision:
        _check_scores(counts if model.tie_weight else _decided(counts))
        if model.has_ties and _ties_can_grow(counts):
            raise NotIdentifiedError(
                "maximum-likelihood scores do not exist: with every step from loser to winner twice as long as a tie "
                "allows, all votes fit perfectly (no circle of wins, counting ties against it, contradicts it); "
                "set a finite prior_sd"
            )


def _decided(counts: PairCounts) -> PairCounts:
    """The counts without ties."""
    table = counts.table.copy()
    table[:, Outcome.TIE] = 0.0
    met = table.any(axis=1)
    start = np.concatenate([[0], np.cumsum(met)])[counts.start]
    return replace(counts, start=start, right=counts.right[met], table=table[met])


def _check_scores(counts: PairCounts) -> None:
    """Ford's condition: however the items are split in two, some item of each part beats or ties one of the other."""
    if counts.n_items < 2:
        return
    remedy = "set a finite prior_sd, or add votes"
    components = components_of(counts)
    if components.max() > 0:
        groups = [
            _named(counts, np.flatnonzero(components == c)) for c in range(min(int(components.max()) + 1, MOST_NAMED))
        ]
        raise NotIdentifiedError(
            f"the votes fall into {components.max() + 1} components that nothing compares ({'; '.join(groups)}), "
            f"so maximum-likelihood scores do not exist; {remedy}"
        )
    groups_of = counts.dominance()
    if groups_of.max() == 0:
        return
    lost, tied, won, _ = counts.item_totals().T
    reasons = []
    undefeated, winless = np.flatnonzero((lost == 0) & (tied == 0)), np.flatnonzero((won == 0) & (tied == 0))
    if len(undefeated):
        reasons.append(f"{_named(counts, undefeated)} {_is(undefeated)} undefeated")
    if len(winless):
        reasons.append(f"{_named(counts, winless)} {_is(winless)} winless")
    if not reasons:
        above = np.flatnonzero(groups_of == _top_group(counts, groups_of))
        reasons.append(f"{_named(counts, above)} never lost to or tied with any of the others")
    raise NotIdentifiedError(f"maximum-likelihood scores do not exist: {', '.join(reasons)}; {remedy}")


def _top_group(counts: PairCounts, groups: np.ndarray) -> int:
    """A group that no vote, lost or tied, leads out of."""
    below = set()
    left, right = groups[counts.left], groups[counts.right]
    below.update(left[(left != right) & (counts.table[:, Outcome.RIGHT] > 0)].tolist())
    below.update(right[(left != right) & (counts.table[:, Outcome.LEFT] > 0)].tolist())
    return min(set(groups.tolist()) - below)


def _ties_can_grow(counts: PairCounts) -> bool:
    """Whether the tie parameter can grow without end, scores spreading with it, and no vote become less likely.

    In Davidson's model that takes a change of scores by at least 2 from loser to winner and at most 2 across a tie
    for each unit of the log tie parameter; in Rao and Kupper's the same with 1. Such differences exist unless the
    constraints contain a negative circle (Bellman and Ford).
    """
    right_won, tied, left_won = (counts.table[:, outcome] > 0 for outcome in (Outcome.RIGHT, Outcome.TIE, Outcome.LEFT))
    left, right = counts.left, counts.right
    source = np.concatenate([left[left_won], right[right_won], left[tied], right[tied]])
    target = np.concatenate([right[left_won], left[right_won], right[tied], left[tied]])
    length = np.repeat([-1.0, 1.0], [left_won.sum() + right_won.sum(), 2 * tied.sum()])
    reach = np.zeros(counts.n_items)
    for _ in range(counts.n_items):
        before = reach.copy()
        np.minimum.at(reach, target, before[source] + length)
        if (reach == before).all():
            return True
        if reach.min() < -float(counts.n_items):
            return False
    return False


def _named(counts: PairCounts, codes: Iterable[int]) -> str:
    labels: list[Hashable] = [counts.items[code] for code in codes]
    listed = ", ".join(shorten(label, 40) for label in labels[:MOST_NAMED])
    return listed + (f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else "")


def _is(codes: np.ndarray) -> str:
    return "is" if len(codes) == 1 else "are"
