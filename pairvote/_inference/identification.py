"""Whether the votes determine what a model asks of them, and if not, why not."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import listed, plural, shorten
from pairvote._common.outcomes import Outcome
from pairvote._inference.entries import AnswerCounts
from pairvote._inference.layout import ParameterLayout
from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.outcomes.ordered import Ordered
from pairvote.errors import NotIdentifiedError
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import components_of

MOST_NAMED = 5
PRIOR_REMEDY = {"option": "prior_sd", "remedy": "set a finite prior_sd, or add votes"}
GAIN = 1e-6


def check_beside(
    outcome: OutcomeModel,
    layout: ParameterLayout,
    n_decided: float,
    n_ties: float,
    sides_won: Callable[[], tuple[float, float]],
) -> None:
    """NotIdentifiedError where all votes are ties, or one side won all, without a prior."""
    if layout.n_nuisance and not n_decided:
        ties = "the only vote is a tie" if n_ties == 1 else f"all {plural(n_ties, 'vote')} are ties"
        raise NotIdentifiedError(
            f"{ties}, so the tie parameter has no finite estimate",
            option="ties",
            value=outcome.name,
            remedy="set a finite prior_sd, or score with ties='half', which makes all items level",
        )
    if layout.has_position:
        right, left = sides_won()
        # A tie without a parameter of its own is half a vote for each side, which says that neither always wins.
        if not (left and right) and not (n_ties and not layout.n_nuisance):
            winner = "left" if left else "right"
            votes = "the only vote" if left + right == 1 else f"all {plural(left + right, 'vote')}"
            what = f"the {winner} side won {votes}" if left + right else "no vote was won by either side"
            raise NotIdentifiedError(
                f"{what}, so the position effect has no finite estimate",
                option="position",
                value=True,
                remedy="score with position=False, or set a finite prior_sd",
            )


def check_maximum(counts: PairCounts, outcome: OutcomeModel, layout: ParameterLayout, n_ties: float) -> None:
    """NotIdentifiedError where the likelihood has no maximum.

    A log-likelihood that is concave has one unless it never falls along some direction (Albert and Anderson 1984,
    Biometrika 71).
    """
    check_scores(counts if outcome.tie_weight else decided(counts), **PRIOR_REMEDY)
    if layout.n_nuisance and _ties_can_grow(counts):
        raise NotIdentifiedError(
            "maximum-likelihood scores do not exist: they can be spaced so that no vote was won across less, and "
            "none tied across more, than one gap, and that gap grow with the tie parameter without end",
            option="prior_sd",
            remedy="set a finite prior_sd",
        )
    if layout.has_position and any(_side_can_grow(counts, layout, n_ties, sign) for sign in (1.0, -1.0)):
        raise NotIdentifiedError(
            "the position effect has no finite estimate under maximum likelihood: the scores can change with it so "
            "that no vote becomes less likely",
            option="prior_sd",
            remedy="set a finite prior_sd, or score with position=False",
        )


def decided(counts: PairCounts) -> PairCounts:
    """The counts without ties."""
    table = counts.table.copy()
    table[:, Outcome.TIE] = 0.0
    met = table.any(axis=1)
    start = np.concatenate([[0], np.cumsum(met)])[counts.start]
    return counts._changed(start=start, right=counts.right[met], table=table[met])


def check_scores(counts: PairCounts, *, option: str, remedy: str) -> None:
    """NotIdentifiedError, naming the items and a remedy for an option, where maximum-likelihood scores do not exist.

    They do by Ford's condition: however the items are split in two, some item of each part beats or ties one of the
    other.
    """
    groups_of = counts.dominance()
    if groups_of.max(initial=0) == 0:
        return
    above = np.flatnonzero(groups_of == _top_group(counts, groups_of))
    raise no_scores(counts.items, counts.item_totals(), components_of(counts), above, option=option, remedy=remedy)


def no_scores(
    items: tuple[Hashable, ...],
    totals: np.ndarray,
    components: np.ndarray,
    above: np.ndarray,
    *,
    option: str,
    remedy: str,
) -> NotIdentifiedError:
    """Why maximum-likelihood scores do not exist; nobody beat or tied those `above` but each other."""
    if components.max() > 0:
        groups = [
            _named(items, np.flatnonzero(components == c)) for c in range(min(int(components.max()) + 1, MOST_NAMED))
        ]
        return NotIdentifiedError(
            f"the votes fall into {components.max() + 1} components that nothing compares ({'; '.join(groups)}), "
            "so maximum-likelihood scores do not exist",
            option=option,
            remedy=remedy,
        )
    lost, tied, won, _ = totals.T
    reasons = []
    undefeated, winless = np.flatnonzero((lost == 0) & (tied == 0)), np.flatnonzero((won == 0) & (tied == 0))
    if len(undefeated):
        reasons.append(f"{_named(items, undefeated)} {_is(undefeated)} undefeated")
    if len(winless):
        reasons.append(f"{_named(items, winless)} {_is(winless)} winless")
    if not reasons:
        reasons.append(f"{_named(items, above)} never lost to or tied with any of the others")
    problem = f"maximum-likelihood scores do not exist: {', '.join(reasons)}"
    return NotIdentifiedError(problem, option=option, remedy=remedy)


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
    if has_circle(
        counts,
        np.concatenate([left[left_won], right[right_won]]),
        np.concatenate([right[left_won], left[right_won]]),
    ):
        return False
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


def _side_can_grow(counts: PairCounts, layout: ParameterLayout, n_ties: float, sign: float) -> bool:
    """Whether the position effect can grow (or fall, for a `sign` of -1) without end, and no vote become less likely.

    With s the change of scores for each unit of the effect, and t >= 0 that of the reach of ties, 2 eta or tau, it
    takes s_i - s_j + sign >= t wherever i on the left won against j, <= -t wherever it lost, and between -t and t where
    they tied; without a tie parameter t is 0. That is a linear programme.
    """
    right_won, tied, left_won = (counts.table[:, outcome] > 0 for outcome in (Outcome.RIGHT, Outcome.TIE, Outcome.LEFT))
    tied &= bool(n_ties)
    # Those against whom the effect grows would have to lead each other in a circle, each by at least 1.
    against = right_won if sign > 0 else left_won
    if not layout.n_nuisance:
        against = against | tied
    if has_circle(counts, counts.left[against], counts.right[against]):
        return False
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    # Each row: towards * (s_i - s_j + sign) <= away * t.
    rows = [(left_won, -1.0, -1.0), (right_won, 1.0, -1.0), (tied, 1.0, 1.0), (tied, -1.0, 1.0)]
    left = np.concatenate([counts.left[which] for which, _, _ in rows])
    right = np.concatenate([counts.right[which] for which, _, _ in rows])
    n_each = [int(which.sum()) for which, _, _ in rows]
    towards = np.repeat([toward for _, toward, _ in rows], n_each)
    away = np.repeat([away for _, _, away in rows], n_each)
    row = np.arange(len(left))
    last = np.full(len(left), counts.n_items)
    table = coo_array(
        (np.concatenate([towards, -towards, -away]), (np.tile(row, 3), np.concatenate([left, right, last]))),
        shape=(len(left), counts.n_items + 1),
    )
    bounds = [(None, None)] * counts.n_items + [(0.0, None if layout.n_nuisance else 0.0)]
    answer = linprog(np.zeros(counts.n_items + 1), A_ub=table.tocsr(), b_ub=-sign * towards, bounds=bounds)
    return answer.status == 0


def check_effects(
    counts: PairCounts, design: NDArray[np.float64], layout: ParameterLayout, n_ties: float, *, prior: bool
) -> None:
    """NotIdentifiedError where coefficients can grow without end and no vote become less likely.

    As for the position effect, and with it: a linear programme over the coefficients, the position effect, the reach t
    of ties, and without a prior the scores. Along a direction of growth, as much is gained over all votes as the bounds
    of 1 on its entries allow.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, csr_array, hstack, vstack

    columns = [csr_array(design)]
    n_pairs, n_items = counts.n_pairs, counts.n_items
    rows = np.arange(n_pairs)
    if layout.has_position:
        columns.append(csr_array(np.ones((n_pairs, 1))))
    if not prior:
        ends = (np.tile(rows, 2), np.concatenate([counts.left, counts.right]))
        columns.append(coo_array((np.repeat([1.0, -1.0], n_pairs), ends), shape=(n_pairs, n_items)).tocsr())
    ahead = hstack(columns).tocsr()
    right_won, tied, left_won = (counts.table[:, outcome] > 0 for outcome in (Outcome.RIGHT, Outcome.TIE, Outcome.LEFT))
    tied &= bool(n_ties)
    which = [(left_won, 1.0, -1.0), (right_won, -1.0, -1.0), (tied, 1.0, 1.0), (tied, -1.0, 1.0)]
    gains = [
        hstack([sign * ahead[mask], csr_array(np.full((int(mask.sum()), 1), reach))])
        for mask, sign, reach in which
        if mask.any()
    ]
    if not gains:
        raise NotIdentifiedError(
            "no vote was won by either side, so the coefficients have no estimate",
            remedy="leave the covariates out, or count ties as what they say, such as by ties='davidson'",
        )
    table = vstack(gains).tocsr()
    bounds = [(-1.0, 1.0)] * ahead.shape[1] + [(0.0, 1.0 if layout.n_nuisance else 0.0)]
    answer = linprog(-table.sum(axis=0), A_ub=-table, b_ub=np.zeros(table.shape[0]), bounds=bounds)
    if answer.status == 0 and -answer.fun > GAIN:
        grown = np.flatnonzero(np.abs(answer.x[: layout.n_covariates]) > GAIN).tolist()
        raise NotIdentifiedError(
            f"the coefficients have no finite estimate: growing without end, those of covariates {listed(grown)} make "
            "no vote less likely; leave such a covariate out, or add votes that go against it"
        )


def check_answers(counts: AnswerCounts, outcome: OutcomeModel, layout: ParameterLayout) -> None:
    """NotIdentifiedError where answers in order have no likelihood with a maximum.

    The chance of an answer between the cuts l and h less d does not fall along a direction in which l - d does not grow
    and h - d not fall. So it is a linear programme, over scores, thresholds and the position effect, whether there is a
    direction along which no chance falls and one grows. Along what is left of the thresholds' and the position effect's
    columns, beside those of the scores, all chances change; where nothing is, they can change together unseen.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import splu

    if components_of(counts).max(initial=0) > 0:
        check_scores(counts, **PRIOR_REMEDY)
    if not isinstance(outcome, Ordered):
        raise TypeError("answers in order have a model of their own")
    m, n_items = outcome.n_nuisance, counts.n_items
    cuts, pair_of, answer_of = outcome.bounds, *np.nonzero(counts.answers)
    rows, columns, values, row = [], [], [], 0
    for end, sign in ((0, 1.0), (1, -1.0)):
        cut = cuts[end, answer_of]
        used = np.abs(cut) <= m
        pairs, cut = pair_of[used], cut[used]
        n_rows = len(pairs)
        number = row + np.arange(n_rows)
        row += n_rows
        # sign * (cut - s_left + s_right - position) <= 0
        on = cut != 0
        parts = [
            (number[on], n_items + np.abs(cut[on]) - 1, sign * np.sign(cut[on])),
            (number, counts.left[pairs], np.full(n_rows, -sign)),
            (number, counts.right[pairs], np.full(n_rows, sign)),
        ]
        if layout.has_position:
            parts.append((number, np.full(n_rows, n_items + m), np.full(n_rows, -sign)))
        for where, column, value in parts:
            rows.append(where)
            columns.append(column)
            values.append(value)
    n_columns = n_items + m + layout.has_position
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    table = coo_array(entries, shape=(row, n_columns)).tocsr()
    answer = linprog(table.sum(axis=0), A_ub=table, b_ub=np.zeros(row), bounds=[(-1.0, 1.0)] * n_columns)
    if answer.status == 0 and -answer.fun > GAIN:
        raise NotIdentifiedError(
            "maximum-likelihood scores do not exist: scores and thresholds can be spread without end so that no answer "
            "becomes less likely",
            **PRIOR_REMEDY,
        )
    # The first item is held, for raising all scores changes nothing.
    scores, beside = table[:, 1:n_items], table[:, n_items:].toarray()
    own = beside - scores @ splu((scores.T @ scores).tocsc()).solve(scores.T @ beside)
    if np.linalg.matrix_rank(own, tol=GAIN) < own.shape[1]:
        raise NotIdentifiedError(
            "maximum-likelihood scores do not exist: scores, thresholds and position effect can change together so "
            "that no answer becomes more or less likely",
            option="prior_sd",
            remedy="set a finite prior_sd, or score with position=False"
            if layout.has_position
            else PRIOR_REMEDY["remedy"],
        )


def has_circle(counts: PairCounts, source: np.ndarray, target: np.ndarray) -> bool:
    """Whether these links lead from some item back to it."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shape = (counts.n_items, counts.n_items)
    graph = coo_array((np.ones(len(source)), (source, target)), shape=shape).tocsr()
    n_groups, _ = connected_components(graph, directed=True, connection="strong")
    return bool(n_groups < counts.n_items)


def _named(items: tuple[Hashable, ...], codes: Iterable[int]) -> str:
    labels = [items[code] for code in codes]
    listed = ", ".join(shorten(label, 40) for label in labels[:MOST_NAMED])
    return listed + (f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else "")


def _is(codes: np.ndarray) -> str:
    return "is" if len(codes) == 1 else "are"
