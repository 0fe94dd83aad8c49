"""Slow, obvious re-implementations: what the library is held against.

Nothing here imports pairvote or shares a formula's derivation with it. A vote is a plain row
(left, right, outcome, weight): item codes, then 0 right wins, 1 tie, 2 left wins, 3 skip. All loops are over
rows, in order. Derivatives are numerical, of the log-probability of one vote as its model defines it.
"""

from __future__ import annotations

import cmath
import itertools
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Row = tuple[int, int, int, float]
Rows = Sequence[Row]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RIGHT, TIE, LEFT, SKIP = 0, 1, 2, 3


def answered(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows that count: answered, and of positive weight."""
    return (row for row in rows if row[2] != SKIP and row[3] > 0)


def item_totals(rows: Rows, n_items: int) -> dict[str, Floats]:
    """Weight of votes won, tied, lost and skipped, each of shape (n_items,); a row counts for both sides."""
    totals = {name: np.zeros(n_items) for name in ("won", "tied", "lost", "skipped")}
    name_of_left = {RIGHT: "lost", TIE: "tied", LEFT: "won", SKIP: "skipped"}
    name_of_right = {RIGHT: "won", TIE: "tied", LEFT: "lost", SKIP: "skipped"}
    for left, right, outcome, weight in rows:
        totals[name_of_left[outcome]][left] += weight
        totals[name_of_right[outcome]][right] += weight
    return totals


def pair_table(rows: Rows) -> dict[tuple[int, int], list[float]]:
    """Weight of [right wins, ties, left wins] by ordered pair (left, right), for the pairs that have any."""
    table: dict[tuple[int, int], list[float]] = {}
    for left, right, outcome, weight in answered(rows):
        table.setdefault((left, right), [0.0, 0.0, 0.0])[outcome] += weight
    return table


def tally(rows: Rows, n_items: int, ties: float = 0.5) -> Floats:
    """Votes won, a tie counting `ties` to each side: won + ties * tied, the row sums of David (1988)."""
    totals = item_totals(rows, n_items)
    return totals["won"] + ties * totals["tied"]


def win_rate(rows: Rows, n_items: int, ties: float = 0.5, prior: float = 1.0) -> Floats:
    """Share of answered votes won, (won + ties * tied + prior) / (asked + 2 prior): with prior 1 the rule of
    succession (Laplace 1774), the mean of a share that was uniform before its votes.
    """
    totals = item_totals(rows, n_items)
    asked = totals["won"] + totals["tied"] + totals["lost"]
    return np.array(
        [
            (totals["won"][item] + ties * totals["tied"][item] + prior) / (asked[item] + 2 * prior)
            for item in range(n_items)
        ]
    )


def elo(rows: Rows, n_items: int, k: float = 32, initial: float = 1500, scale: float = 400, base: float = 10) -> Floats:
    """Ratings after the rows in their order: left gains weight * k * (y - E), right loses as much, where y is
    1, 1/2 or 0 and E = 1 / (1 + base ** (-(left - right) / scale)) (Elo 1978).
    """
    ratings = [float(initial)] * n_items
    for left, right, outcome, weight in rows:
        if outcome == SKIP:
            continue
        expected = 1 / (1 + base ** (-(ratings[left] - ratings[right]) / scale))
        gain = weight * k * (outcome / 2 - expected)
        ratings[left] += gain
        ratings[right] -= gain
    return np.array(ratings)


def components(rows: Rows, n_items: int) -> Ints:
    """Connected components, breadth first, numbered 0, 1, ... by their first item; of shape (n_items,).

    Skips and votes of no weight join nothing.
    """
    neighbours: list[set[int]] = [set() for _ in range(n_items)]
    for left, right, _, _ in answered(rows):
        neighbours[left].add(right)
        neighbours[right].add(left)
    labels = [-1] * n_items
    numbers = itertools.count()
    for first in range(n_items):
        if labels[first] >= 0:
            continue
        labels[first] = next(numbers)
        queue = deque([first])
        while queue:
            item = queue.popleft()
            for other in neighbours[item]:
                if labels[other] < 0:
                    labels[other] = labels[first]
                    queue.append(other)
    return np.array(labels)


def strongly_connected(rows: Rows, n_items: int) -> Ints:
    """Groups each of whose items beats or ties any other, directly or through third items; by transitive
    closure (Warshall 1962), numbered 0, 1, ... by their first item. One group is the condition of Ford (1957)
    for maximum-likelihood Bradley-Terry scores, ties counting as half a win to each side.
    """
    reaches = np.eye(n_items, dtype=bool)
    for left, right, outcome, _ in answered(rows):
        reaches[left, right] |= outcome != RIGHT
        reaches[right, left] |= outcome != LEFT
    for middle, first, last in itertools.product(range(n_items), repeat=3):
        reaches[first, last] |= reaches[first, middle] and reaches[middle, last]
    labels = [-1] * n_items
    numbers = itertools.count()
    for first in range(n_items):
        if labels[first] < 0:
            number = next(numbers)
            for other in range(n_items):
                if reaches[first, other] and reaches[other, first]:
                    labels[other] = number
    return np.array(labels)


def ranks(scores: Sequence[float] | Floats, tolerance: float) -> Ints:
    """Rank of each item, 1 = best: best first, an item no more than `tolerance` below the one before it
    shares that one's rank, and any other stands after all before it (standard competition ranking, "1224").
    """
    best_first = sorted(range(len(scores)), key=lambda item: -scores[item])
    result = [0] * len(scores)
    for place, item in enumerate(best_first):
        before = best_first[place - 1] if place else None
        level = before is not None and scores[before] - scores[item] <= tolerance
        result[item] = result[before] if level and before is not None else place + 1
    return np.array(result)


def log_sigmoid(x: complex) -> complex:
    """log(1 / (1 + e^-x)), without overflow, for complex x too."""
    return -cmath.log(1 + cmath.exp(-x)) if x.real > 0 else x - cmath.log(1 + cmath.exp(x))


def log_sum_exp(*terms: complex) -> complex:
    """log of the sum of exponentials, without overflow, for complex terms too."""
    largest = max(term.real for term in terms)
    return largest + cmath.log(sum(cmath.exp(term - largest) for term in terms))


def log_probability(outcome: int, ties: str, difference: complex, tie: complex | None) -> complex:
    """log P(outcome) of one vote with d = `difference` of log-odds, the position effect included.

    Without ties in the data (`tie` None) it is Bradley and Terry (1952): P(left) = sigma(d). "davidson" is
    Davidson (1970): left : right : tie = e^{d/2} : e^{-d/2} : e^eta with eta = `tie`. "rao-kupper" is Rao and
    Kupper (1967) with tau = `tie` = log theta: P(left) = sigma(d - tau), P(right) = sigma(-d - tau), and the
    rest, (theta^2 - 1) sigma(d - tau) sigma(-d - tau), for a tie. "half" is y log sigma(d) +
    (1 - y) log sigma(-d) with y = 1/2 for a tie, a quasi-likelihood (Wedderburn 1974); "drop" gives ties 0.
    """
    if ties == "davidson" and tie is not None:
        logits = (-difference / 2, tie, difference / 2)
        return logits[outcome] - log_sum_exp(*logits)
    if ties == "rao-kupper" and tie is not None:
        left, right = log_sigmoid(difference - tie), log_sigmoid(-difference - tie)
        return (right, cmath.log(cmath.exp(2 * tie) - 1) + left + right, left)[outcome]
    left, right = log_sigmoid(difference), log_sigmoid(-difference)
    if outcome == TIE:
        return {"half": (left + right) / 2, "drop": 0j}[ties]
    return left if outcome == LEFT else right


def has_tie_parameter(rows: Rows, ties: str) -> bool:
    """Whether the model has a tie parameter and the rows a tie of positive weight to determine it by."""
    return ties in ("davidson", "rao-kupper") and any(outcome == TIE for _, _, outcome, _ in answered(rows))


def unpack(
    params: Sequence[float] | Floats, rows: Rows, n_items: int, ties: str, position: bool
) -> tuple[list[float], float | None, float]:
    """Scores, tie parameter (eta or tau; None without one) and position effect (0 without one)."""
    values = [float(value) for value in params]
    with_tie = has_tie_parameter(rows, ties)
    expected = n_items + with_tie + position
    if len(values) != expected:
        raise ValueError(f"{len(values)} parameters, not {expected}")
    return values[:n_items], values[n_items] if with_tie else None, values[-1] if position else 0.0


def log_posterior(
    params: Sequence[float] | Floats, rows: Rows, n_items: int, ties: str, prior_sd: float, position: bool
) -> float:
    """Sum over votes of weight * log P(outcome) (see `log_probability`) with d = s_left - s_right + gamma,
    less sum s^2 / (2 prior_sd^2): independent Normal(0, prior_sd) priors on the scores without their
    constant, and none on eta, tau or gamma. `params` are the scores, then eta = log nu or tau = log theta if
    the model has it and the rows hold ties, then gamma if `position`. Outside tau > 0 it is -inf.
    """
    scores, tie, gamma = unpack(params, rows, n_items, ties, position)
    if ties == "rao-kupper" and tie is not None and tie <= 0:
        return -math.inf
    total = 0.0
    for left, right, outcome, weight in answered(rows):
        total += weight * log_probability(outcome, ties, scores[left] - scores[right] + gamma, tie).real
    return total - sum(score**2 for score in scores) / (2 * prior_sd**2)


def slopes(outcome: int, ties: str, difference: float, tie: float | None) -> tuple[float, float]:
    """Derivatives of `log_probability` by difference and by tie parameter, by the complex step
    f'(x) = Im f(x + ih) / h, exact to rounding (Squire and Trapp 1998).
    """
    h = 1e-30
    by_difference = log_probability(outcome, ties, complex(difference, h), tie).imag / h
    by_tie = 0.0 if tie is None else log_probability(outcome, ties, difference, complex(tie, h)).imag / h
    return by_difference, by_tie


def curvatures(outcome: int, ties: str, difference: float, tie: float | None) -> tuple[float, float, float]:
    """Second derivatives of `log_probability`, by difference twice, by both, and by tie parameter twice:
    central differences of sixth order (Fornberg 1988) of `slopes`, good to about 1e-12.
    """
    # The step stays well inside the domain tau > 0, and away from its singularity at 0.
    h = 0.01 if tie is None or ties != "rao-kupper" else min(0.01, tie / 200)
    stencil = ((1, 45), (2, -9), (3, 1))
    twice = both = tie_twice = 0.0
    for steps, factor in stencil:
        for sign in (1, -1):
            scale = sign * factor / (60 * h)
            by_difference, by_tie = slopes(outcome, ties, difference + sign * steps * h, tie)
            twice += scale * by_difference
            both += scale * by_tie
            if tie is not None:
                tie_twice += scale * slopes(outcome, ties, difference, tie + sign * steps * h)[1]
    return twice, both, tie_twice


def derivatives(
    params: Sequence[float] | Floats, rows: Rows, n_items: int, ties: str, prior_sd: float, position: bool
) -> tuple[Floats, Floats, Floats]:
    """Gradient of `log_posterior`, observed information (minus its Hessian), and the sum over votes of
    weight * g g' with g the gradient of that vote's log-probability.
    """
    scores, tie, gamma = unpack(params, rows, n_items, ties, position)
    n_params = len(params)
    gradient = np.zeros(n_params)
    hessian = np.zeros((n_params, n_params))
    outer = np.zeros((n_params, n_params))
    for left, right, outcome, weight in answered(rows):
        along_difference = np.zeros(n_params)
        along_difference[left] += 1
        along_difference[right] -= 1
        along_tie = np.zeros(n_params)
        if tie is not None:
            along_tie[n_items] = 1
        if position:
            along_difference[-1] = 1
        difference = scores[left] - scores[right] + gamma
        by_difference, by_tie = slopes(outcome, ties, difference, tie)
        twice, both, tie_twice = curvatures(outcome, ties, difference, tie)
        own = by_difference * along_difference + by_tie * along_tie
        gradient += weight * own
        outer += weight * np.outer(own, own)
        mixed = np.outer(along_difference, along_tie)
        hessian += weight * (
            twice * np.outer(along_difference, along_difference)
            + both * (mixed + mixed.T)
            + tie_twice * np.outer(along_tie, along_tie)
        )
    for item in range(n_items):
        gradient[item] -= scores[item] / prior_sd**2
        hessian[item, item] -= 1 / prior_sd**2
    return gradient, -hessian, outer


def maximum_exists(rows: Rows, n_items: int, ties: str, prior_sd: float, position: bool) -> bool:
    """Whether `log_posterior` has one maximum (up to a constant on all scores where prior_sd is inf).

    It is concave, so it has none if along some direction no vote's outcome ever becomes less likely: this is
    separation in the sense of Albert and Anderson (1984), here looked for by linear programming over
    directions. For plain Bradley-Terry it is the condition of Ford (1957); with a tie parameter it asks for
    more. With a finite prior the scores cannot run away, and only the other parameters are tried.
    """
    with_tie = has_tie_parameter(rows, ties)
    n_params = n_items + with_tie + position
    kept = []
    for left, right, outcome, _ in answered(rows):
        up = np.zeros(n_params)
        up[left] += 1
        up[right] -= 1
        if position:
            up[-1] = 1
        broad = np.zeros(n_params)
        if with_tie:
            # Davidson's e^{d/2} against e^eta; Rao and Kupper's d against tau.
            broad[n_items] = 2 if ties == "davidson" else 1
        if outcome == LEFT:
            kept += [up - broad, up]
        elif outcome == RIGHT:
            kept += [-up - broad, -up]
        elif with_tie:
            kept += [broad - up, broad + up]
        elif ties == "half":
            kept += [up, -up]
    free = slice(n_items if math.isfinite(prior_sd) else 0, None)
    if len(range(n_params)[free]) == 0:
        return True
    if not kept:
        return not with_tie and not position and n_items == 1
    conditions = np.array(kept)[:, free]
    rank = np.linalg.matrix_rank(conditions)
    if rank < conditions.shape[1] - (0 if math.isfinite(prior_sd) else 1):
        return False
    direction = linprog(-conditions.sum(0), A_ub=-conditions, b_ub=np.zeros(len(kept)), bounds=(-1, 1))
    return bool(-direction.fun < 1e-9)


def bradley_terry(
    rows: Rows, n_items: int, ties: str = "davidson", prior_sd: float = 3.0, position: bool = False
) -> dict[str, Any]:
    """Maximum of `log_posterior` by Newton's method with halved steps, and the covariances there.

    Gives scores (centred), tie (nu or theta; 0 or 1 without ties), position, log_likelihood (without the
    prior), parameters (scores, then eta or tau, then gamma), inverse_information (over all of them),
    covariance = P Sigma P with P = I - 11'/n and Sigma the score block of the inverse of the whole observed
    information, and sandwich_covariance = P H^-1 (M + D) H^-1 P with M = sum weight * g g' over votes and D
    the prior's precision on the scores (Huber 1967; White 1982). With prior_sd=inf the information is
    inverted on the centred subspace. Raises ValueError where there is no maximum.
    """
    if not maximum_exists(rows, n_items, ties, prior_sd, position):
        raise ValueError("the votes have no maximum of the likelihood")
    model = (rows, n_items, ties, prior_sd, position)
    with_tie = has_tie_parameter(rows, ties)
    start = {"davidson": 0.0, "rao-kupper": 0.5}
    params = np.array([0.0] * n_items + ([start[ties]] if with_tie else []) + [0.0] * position)
    level = np.zeros(len(params))
    level[:n_items] = 1 / math.sqrt(n_items)
    # Raising all scores together changes no likelihood; where no prior fixes their level this stands in for
    # one, and the centring below takes it out again.
    gauge = np.zeros((len(params), len(params))) if math.isfinite(prior_sd) else np.outer(level, level)

    value = log_posterior(params, *model)
    for _ in range(100):
        gradient, information, _ = derivatives(params, *model)
        step = np.linalg.solve(information + gauge, gradient)
        while (trial := log_posterior(params + step, *model)) < value - 1e-12 * (1 + abs(value)):
            step /= 2
        params, value = params + step, trial
        if np.abs(step).max() < 1e-11 * (1 + np.abs(params).max()):
            break
    else:
        raise ArithmeticError(f"no maximum after 100 steps; the last was {np.abs(step).max()}")

    _, information, outer = derivatives(params, *model)
    inverse = np.linalg.inv(information + gauge)
    precision = np.zeros((len(params), len(params)))
    precision[range(n_items), range(n_items)] = 1 / prior_sd**2
    sandwich = inverse @ (outer + precision) @ inverse
    centring = np.eye(n_items) - 1 / n_items
    scores, tie, gamma = unpack(params, rows, n_items, ties, position)
    without_ties = {"davidson": 0.0, "rao-kupper": 1.0}
    return {
        "scores": centring @ scores,
        "tie": math.exp(tie) if tie is not None else without_ties.get(ties),
        "position": gamma if position else None,
        "log_likelihood": log_posterior(params, rows, n_items, ties, math.inf, position),
        "parameters": params,
        "inverse_information": inverse,
        "covariance": centring @ inverse[:n_items, :n_items] @ centring,
        "sandwich_covariance": centring @ sandwich[:n_items, :n_items] @ centring,
    }
