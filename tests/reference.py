"""Slow, obvious re-implementations: what the library is held against.

Nothing here imports pairvote or shares a formula's derivation with it. A vote is a plain row
(left, right, outcome, weight): item codes, then 0 right wins, 1 tie, 2 left wins, 3 skip, or a `Share`. All loops are
over rows, in order. Derivatives are numerical, of the log-probability of one vote as its model defines it. Where votes
are too many for that, `maximum_of_many` takes them as arrays.
"""

from __future__ import annotations

import cmath
import itertools
import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq, linprog, minimize, minimize_scalar
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import cg, splu
from scipy.special import log_ndtr
from scipy.stats import norm, studentized_range


class Share(NamedTuple):
    """A graded vote: the part of it that the left side has, from 0 to 1."""

    left: float


Row = tuple[int, int, Any, float]
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
        gain = weight * k * ((outcome.left if isinstance(outcome, Share) else outcome / 2) - expected)
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


THRESHOLD_MODELS = ("rao-kupper", "cumulative", "probit glenn-david", "probit cumulative")
# How many log-odds one unit of scores is, so that a vote on level items says as much: f(0)^2 / (1/4) of the density f.
LOG_ODDS_OF_PROBIT = 4 * norm.pdf(0)


def log_f(x: complex, ties: str) -> complex:
    """The logarithm of the distribution of the noise about a difference, logistic or normal, also for complex x."""
    return complex(log_ndtr(complex(x))) if ties.startswith("probit") else log_sigmoid(x)


def log_between(low: complex, high: complex, ties: str) -> complex:
    """log(F(high) - F(low)) of two ends, in the lower tail, where F keeps its digits."""
    if (low + high).real > 0:
        low, high = -high, -low
    above = log_f(high, ties)
    return above + cmath.log(1 - cmath.exp(log_f(low, ties) - above))


def unit_of(ties: str) -> float:
    """How many log-odds one unit of this model's scores is."""
    return LOG_ODDS_OF_PROBIT if ties.startswith("probit") else 1.0


def log_probability(outcome: Any, ties: str, difference: complex, tie: complex | None) -> complex:
    """log P(outcome) of one vote with d = `difference` of log-odds, the position effect included.

    Without ties in the data (`tie` None) it is Bradley and Terry (1952): P(left) = sigma(d). "davidson" is
    Davidson (1970): left : right : tie = e^{d/2} : e^{-d/2} : e^eta with eta = `tie`. "rao-kupper" is Rao and
    Kupper (1967) with tau = `tie` = log theta: P(left) = sigma(d - tau), P(right) = sigma(-d - tau), and the
    rest, (theta^2 - 1) sigma(d - tau) sigma(-d - tau), for a tie, and so is "cumulative". "half" is y log sigma(d) +
    (1 - y) log sigma(-d) with y = 1/2 for a tie, a quasi-likelihood (Wedderburn 1974); "drop" gives ties 0. Of a share
    y it is y log P(left) + (1 - y) log P(right) (Papke and Wooldridge 1996, equation 4).

    A name that begins with "probit" has the normal distribution Phi in the place of sigma (Thurstone 1927), and
    P(tie) = Phi(tau - d) - Phi(-tau - d) (Glenn and David 1960).
    """
    if isinstance(outcome, Share):
        left, right = (log_probability(side, ties, difference, tie) for side in (LEFT, RIGHT))
        return outcome.left * left + (1 - outcome.left) * right
    if ties == "davidson" and tie is not None:
        logits = (-difference / 2, tie, difference / 2)
        return logits[outcome] - log_sum_exp(*logits)
    if ties in THRESHOLD_MODELS and tie is not None:
        left, right = log_f(difference - tie, ties), log_f(-difference - tie, ties)
        if outcome == TIE and ties.startswith("probit"):
            return log_between(-tie - difference, tie - difference, ties)
        return (right, cmath.log(cmath.exp(2 * tie) - 1) + left + right if outcome == TIE else 0j, left)[outcome]
    left, right = log_f(difference, ties), log_f(-difference, ties)
    if outcome == TIE:
        return {"half": (left + right) / 2, "drop": 0j}[ties.removeprefix("probit ")]
    return left if outcome == LEFT else right


def has_tie_parameter(rows: Rows, ties: str) -> bool:
    """Whether the model has a tie parameter and the rows a tie of positive weight to determine it by."""
    has_one = ties == "davidson" or ties in THRESHOLD_MODELS
    return has_one and any(outcome == TIE for _, _, outcome, _ in answered(rows))


def public_tie(ties: str, tie: float | None) -> float | None:
    """Davidson's nu, Rao and Kupper's theta or Glenn and David's tau, of eta or tau; None of models without one."""
    if tie is None:
        return {"davidson": 0.0, "rao-kupper": 1.0, "cumulative": 1.0}.get(
            ties, 0.0 if ties in THRESHOLD_MODELS else None
        )
    return tie if ties.startswith("probit") else math.exp(tie)


def tie_at_even_odds(ties: str) -> float:
    """eta or tau where half of the votes on level items are ties.

    P(tie) = nu / (2 + nu) = 1/2 at eta = log 2, P(tie) = (theta - 1) / (theta + 1) = 1/2 at tau = log 3, and P(tie) =
    2 Phi(tau) - 1 = 1/2 at the upper quartile.
    """
    if ties == "davidson":
        return math.log(2)
    return float(norm.ppf(0.75)) if ties.startswith("probit") else math.log(3)


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


def normal_priors(n_params: int, rows: Rows, n_items: int, ties: str, prior_sd: float) -> tuple[Floats, Floats]:
    """Precision and centre of the normal prior of each parameter, of shape (n_params,); all zero if prior_sd is inf.

    Scores have N(0, prior_sd^2). The parameters beside them have weak ones, of standard deviation 3 in log-odds, around
    zero, but eta and tau around what `tie_at_even_odds` says.
    """
    precisions, centres = np.zeros((2, n_params))
    if math.isfinite(prior_sd):
        precisions[:n_items], precisions[n_items:] = 1 / prior_sd**2, unit_of(ties) ** 2 / 3**2
        if has_tie_parameter(rows, ties):
            centres[n_items] = tie_at_even_odds(ties)
    return precisions, centres


def priors_with_covariates(
    n_params: int, rows: Rows, covariates: Floats, n_items: int, ties: str, prior_sd: float, position: bool
) -> tuple[Floats, Floats]:
    """Precision, of shape (n_params, n_params), and centre of all parameters: position effect and coefficients have
    N(0, 3^2 M^-1) with M the mean over the votes of z z', z of a 1 for the position effect and the covariates.
    """
    precisions, centres = normal_priors(n_params, rows, n_items, ties, prior_sd)
    precision = np.diag(precisions)
    if math.isfinite(prior_sd):
        first = n_items + has_tie_parameter(rows, ties)
        precision[first:, first:] = 0.0
        total = sum(weight for _, _, outcome, weight in rows if outcome != SKIP)
        for (_, _, outcome, weight), values in zip(rows, covariates, strict=True):
            if outcome != SKIP:
                z = np.concatenate([[1.0] * position, values])
                precision[first:, first:] += unit_of(ties) ** 2 * weight / total * np.outer(z, z) / 3**2
    return precision, centres


def log_posterior(
    params: Sequence[float] | Floats, rows: Rows, n_items: int, ties: str, prior_sd: float, position: bool
) -> float:
    """Sum over votes of weight * log P(outcome) (see `log_probability`) with d = s_left - s_right + gamma,
    less sum (x - c)^2 / (2 sd^2): independent Normal(c, sd) priors without their constant, as `normal_priors`
    says. `params` are the scores, then eta = log nu or tau = log theta if
    the model has it and the rows hold ties, then gamma if `position`. Outside tau > 0 it is -inf.
    """
    scores, tie, gamma = unpack(params, rows, n_items, ties, position)
    if ties in THRESHOLD_MODELS and tie is not None and tie <= 0:
        return -math.inf
    total = 0.0
    for left, right, outcome, weight in answered(rows):
        total += weight * log_probability(outcome, ties, scores[left] - scores[right] + gamma, tie).real
    precisions, centres = normal_priors(len(params), rows, n_items, ties, prior_sd)
    return total - sum(precisions * (np.array(params) - centres) ** 2) / 2


def slopes(outcome: Any, ties: str, difference: float, tie: float | None) -> tuple[float, float]:
    """Derivatives of `log_probability` by difference and by tie parameter, by the complex step
    f'(x) = Im f(x + ih) / h, exact to rounding (Squire and Trapp 1998).
    """
    h = 1e-30
    by_difference = log_probability(outcome, ties, complex(difference, h), tie).imag / h
    by_tie = 0.0 if tie is None else log_probability(outcome, ties, difference, complex(tie, h)).imag / h
    return by_difference, by_tie


def curvatures(outcome: Any, ties: str, difference: float, tie: float | None) -> tuple[float, float, float]:
    """Second derivatives of `log_probability`, by difference twice, by both, and by tie parameter twice:
    central differences of sixth order (Fornberg 1988) of `slopes`, good to about 1e-12.
    """
    # The step stays well inside the domain tau > 0, and away from its singularity at 0.
    h = 0.01 if tie is None or ties not in THRESHOLD_MODELS else min(0.01, tie / 200)
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
    precisions, centres = normal_priors(n_params, rows, n_items, ties, prior_sd)
    gradient -= precisions * (np.array(params) - centres)
    hessian -= np.diag(precisions)
    return gradient, -hessian, outer


def maximum_exists(rows: Rows, n_items: int, ties: str, prior_sd: float, position: bool) -> bool:
    """Whether `log_posterior` has one maximum (up to a constant on all scores where prior_sd is inf).

    It is concave, so it has none if along some direction no vote's outcome ever becomes less likely: this is
    separation in the sense of Albert and Anderson (1984), here looked for by linear programming over
    directions. For plain Bradley-Terry it is the condition of Ford (1957); with a tie parameter it asks for
    more. With a finite prior no parameter can run away.
    """
    if math.isfinite(prior_sd):
        return True
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
            # Davidson's e^{d/2} against e^eta; of other models d against tau.
            broad[n_items] = 2 if ties == "davidson" else 1
        share = outcome.left if isinstance(outcome, Share) else {LEFT: 1.0, RIGHT: 0.0}.get(outcome)
        if share is not None:
            kept += [up - broad, up] * (share > 0) + [-up - broad, -up] * (share < 1)
        elif with_tie:
            kept += [broad - up, broad + up]
        elif ties.endswith("half"):
            kept += [up, -up]
    if not n_params:
        return True
    if not kept:
        return not with_tie and not position and n_items == 1
    conditions = np.array(kept)
    if np.linalg.matrix_rank(conditions) < n_params - 1:
        return False
    direction = linprog(-conditions.sum(0), A_ub=-conditions, b_ub=np.zeros(len(kept)), bounds=(-1, 1))
    return bool(-direction.fun < 1e-9)


def bradley_terry(
    rows: Rows, n_items: int, ties: str = "davidson", prior_sd: float = 3.0, position: bool = False
) -> dict[str, Any]:
    """Maximum of `log_posterior` by Newton's method with halved steps, and the covariances there.

    Gives scores (centred), tie (nu, theta or tau; 0 or 1 without ties), position, log_likelihood (without the
    prior), parameters (scores, then eta or tau, then gamma), inverse_information (over all of them),
    covariance = P Sigma P with P = I - 11'/n and Sigma the score block of the inverse of the whole observed
    information, and sandwich_covariance = P H^-1 (M + D) H^-1 P with M = sum weight * g g' over votes and D
    the priors' precisions (Huber 1967; White 1982), M with a part of the information where it is small, as
    `covariance_between` has it. With prior_sd=inf the information is
    inverted on the centred subspace. Raises ValueError where there is no maximum.
    """
    if not maximum_exists(rows, n_items, ties, prior_sd, position):
        raise ValueError("the votes have no maximum of the likelihood")
    model = (rows, n_items, ties, prior_sd, position)
    with_tie = has_tie_parameter(rows, ties)
    start = 0.0 if ties == "davidson" else 0.5
    params = np.array([0.0] * n_items + ([start] if with_tie else []) + [0.0] * position)
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
    precision = np.diag(normal_priors(len(params), rows, n_items, ties, prior_sd)[0])
    whole = information - precision
    ratio = np.trace(inverse @ outer) / max(np.trace(inverse @ whole), 1e-300)
    n_votes = sum(weight for _, _, outcome, weight in rows if outcome != SKIP)
    outer = outer + max(0.0, 1.0 - 2.0 * ratio) / (n_votes + 1) * whole
    sandwich = inverse @ (outer + precision) @ inverse
    centring = np.eye(n_items) - 1 / n_items
    scores, tie, gamma = unpack(params, rows, n_items, ties, position)
    return {
        "scores": centring @ scores,
        "tie": public_tie(ties, tie),
        "position": gamma if position else None,
        "log_likelihood": log_posterior(params, rows, n_items, ties, math.inf, position),
        "parameters": params,
        "inverse_information": inverse,
        "covariance": centring @ inverse[:n_items, :n_items] @ centring,
        "sandwich_covariance": centring @ sandwich[:n_items, :n_items] @ centring,
    }


class VoteByVote(NamedTuple):
    """What each row that counts adds to the log-likelihood, over all parameters: scores, eta or tau, gamma, then the
    coefficients. `numbers` says which rows they are; their weights are in the values, gradients and informations.
    """

    numbers: list[int]
    weights: Floats
    values: Floats
    gradients: Floats
    informations: Floats


def vote_by_vote(params: Floats, rows: Rows, covariates: Floats, n_items: int, ties: str, position: bool) -> VoteByVote:
    """`derivatives` of each row by itself, with d = s_left - s_right + gamma + covariates[row] . coefficients."""
    n_covariates = covariates.shape[1]
    scores, tie, gamma = unpack(params[: len(params) - n_covariates], rows, n_items, ties, position)
    coefficients = params[len(params) - n_covariates :]
    found = []
    for number, (left, right, outcome, weight) in enumerate(rows):
        if outcome == SKIP or weight == 0:
            continue
        along_difference, along_tie = np.zeros((2, len(params)))
        along_difference[[left, right]] = 1, -1
        if tie is not None:
            along_tie[n_items] = 1
        if position:
            along_difference[n_items + (tie is not None)] = 1
        along_difference[len(params) - n_covariates :] = covariates[number]
        difference = scores[left] - scores[right] + gamma + float(covariates[number] @ coefficients)
        by_difference, by_tie = slopes(outcome, ties, difference, tie)
        twice, both, tie_twice = curvatures(outcome, ties, difference, tie)
        mixed = np.outer(along_difference, along_tie)
        bend = (
            twice * np.outer(along_difference, along_difference)
            + both * (mixed + mixed.T)
            + tie_twice * np.outer(along_tie, along_tie)
        )
        gradient = by_difference * along_difference + by_tie * along_tie
        value = log_probability(outcome, ties, difference, tie).real
        found.append((number, weight, weight * value, weight * gradient, -weight * bend))
    numbers, weights, values, gradients, informations = zip(*found, strict=True)
    return VoteByVote(list(numbers), *map(np.array, (weights, values, gradients, informations)))


def bradley_terry_with_covariates(
    rows: Rows,
    covariates: Floats,
    n_items: int,
    ties: str = "davidson",
    prior_sd: float = 3.0,
    position: bool = False,
) -> dict[str, Any]:
    """As `bradley_terry`, by Newton's method on `vote_by_vote`.

    Gives scores (centred), tie, position, coefficients and log_likelihood; `votes`, a VoteByVote at the maximum;
    `inverse` of the information over all parameters (without a prior, with the scores' level fixed); and `precision`,
    the prior's part of it.
    """
    with_tie = has_tie_parameter(rows, ties)
    start = 0.0 if ties == "davidson" else 0.5
    beside = ([start] if with_tie else []) + [0.0] * (position + covariates.shape[1])
    params = np.array([0.0] * n_items + beside)
    precision, centres = priors_with_covariates(len(params), rows, covariates, n_items, ties, prior_sd, position)
    gauge = np.zeros_like(precision)
    if math.isinf(prior_sd):
        gauge[:n_items, :n_items] = 1 / n_items

    def value(at: Floats) -> float:
        if ties in THRESHOLD_MODELS and with_tie and at[n_items] <= 0:
            return -math.inf
        return float(vote_by_vote(at, *model).values.sum() - (at - centres) @ precision @ (at - centres) / 2)

    model = (rows, covariates, n_items, ties, position)
    for _ in range(100):
        votes = vote_by_vote(params, *model)
        information = votes.informations.sum(axis=0) + precision + gauge
        step = np.linalg.solve(information, votes.gradients.sum(axis=0) - precision @ (params - centres))
        here = value(params)
        while value(params + step) < here - 1e-12 * (1 + abs(here)):
            step /= 2
        params = params + step
        if np.abs(step).max() < 1e-11 * (1 + np.abs(params).max()):
            break
    else:
        raise ArithmeticError(f"no maximum after 100 steps; the last was {np.abs(step).max()}")
    votes = vote_by_vote(params, *model)
    n_beside = len(params) - covariates.shape[1]
    scores, tie, gamma = unpack(params[:n_beside], rows, n_items, ties, position)
    return {
        "scores": np.array(scores) - np.mean(scores),
        "tie": public_tie(ties, tie),
        "position": gamma,
        "coefficients": params[n_beside:],
        "log_likelihood": float(votes.values.sum()),
        "votes": votes,
        "inverse": np.linalg.inv(votes.informations.sum(axis=0) + precision + gauge),
        "precision": precision,
    }


# --- graded answers, by thresholds ---


class InOrder(NamedTuple):
    """Answers in order from 0, wholly for the right side, to n_answers - 1, of rows (left, right, answer, weight).

    The answer k has P(k) = F(c_k+1 - d) - F(c_k - d) (Agresti 1992), the cuts c symmetric about 0: negative thresholds,
    0 if the number of answers is even, thresholds. F is that of `ties`, "cumulative" or "probit cumulative". Parameters
    are scores, thresholds, gamma if there is a position effect, then coefficients.
    """

    rows: Rows
    covariates: Floats
    n_items: int
    n_answers: int
    ties: str
    position: bool

    @property
    def n_thresholds(self) -> int:
        return (self.n_answers - 1) // 2

    @property
    def n_params(self) -> int:
        return self.n_items + self.n_thresholds + self.position + self.covariates.shape[1]

    def ends(self, row: int, params: Sequence[complex]) -> tuple[complex | None, complex | None]:
        """Both cuts of a row's answer less d; None of one that is not there."""
        left, right, answer, _ = self.rows[row]
        first = self.n_items + self.n_thresholds
        d = params[left] - params[right] + (params[first] if self.position else 0)
        d += sum(x * b for x, b in zip(self.covariates[row], params[first + self.position :], strict=True))
        thresholds = list(params[self.n_items : first])
        cuts = [-t for t in reversed(thresholds)] + [0.0] * (self.n_answers % 2 == 0) + thresholds
        low = cuts[answer - 1] - d if answer > 0 else None
        return low, cuts[answer] - d if answer < self.n_answers - 1 else None

    def log_probability(self, row: int, params: Sequence[complex]) -> complex:
        low, high = self.ends(row, params)
        if low is None or high is None:
            return log_f(-low if high is None else high, self.ties)
        return log_between(low, high, self.ties)

    def gradient(self, row: int, params: Floats) -> Floats:
        """By complex steps."""
        h, found = 1e-30, []
        for place in range(self.n_params):
            stepped = params.astype(complex)
            stepped[place] += h * 1j
            found.append(self.log_probability(row, list(stepped)).imag / h)
        return np.array(found)

    def at(self, params: Floats) -> VoteByVote:
        """What each row adds: informations by central differences of sixth order, as in `curvatures`."""
        h = min([0.01, *np.diff([0.0, *params[self.n_items : self.n_items + self.n_thresholds]]) / 200])
        found = []
        for row, (_, _, _, weight) in enumerate(self.rows):
            bend = np.zeros((self.n_params, self.n_params))
            for place in range(self.n_params):
                along = h * np.eye(self.n_params)[place]
                for steps, factor in ((1, 45), (2, -9), (3, 1)):
                    for sign in (1, -1):
                        bend[place] += sign * factor / (60 * h) * self.gradient(row, params + sign * steps * along)
            value = self.log_probability(row, params.tolist()).real
            found.append((weight, weight * value, weight * self.gradient(row, params), -weight * bend))
        return VoteByVote(list(range(len(self.rows))), *map(np.array, zip(*found, strict=True)))

    def prior(self, prior_sd: float) -> tuple[Floats, Floats]:
        """Precision, of shape (n_params, n_params), and centre: that of thresholds where half of the votes on level
        items are ties, if there is a middle, and all other answers as often as each other.
        """
        precision, centres = np.zeros((self.n_params, self.n_params)), np.zeros(self.n_params)
        if math.isinf(prior_sd):
            return precision, centres
        weak, m = (unit_of(self.ties) / 3) ** 2, self.n_thresholds
        of_scores, of_thresholds = np.arange(self.n_items), np.arange(self.n_items, self.n_items + m)
        precision[of_scores, of_scores], precision[of_thresholds, of_thresholds] = prior_sd**-2, weak
        total = sum(weight for *_, weight in self.rows)
        first = self.n_items + m
        for (*_, weight), values in zip(self.rows, self.covariates, strict=True):
            z = np.concatenate([[1.0] * self.position, values])
            precision[first:, first:] += weak * weight / total * np.outer(z, z)
        quantile = norm.ppf if self.ties.startswith("probit") else lambda p: math.log(p / (1 - p))
        for j in range(m):
            within = 0.5 + 0.5 * j / m if self.n_answers % 2 else (j + 1) / (m + 1)
            centres[self.n_items + j] = quantile(0.5 + 0.5 * within)
        return precision, centres

    def maximum(self, prior_sd: float) -> dict[str, Any]:
        """As `bradley_terry_with_covariates`, with `thresholds` and `parameters` too."""
        precision, centres = self.prior(prior_sd)
        gauge = np.zeros_like(precision)
        if math.isinf(prior_sd):
            gauge[: self.n_items, : self.n_items] = 1 / self.n_items
        first = self.n_items + self.n_thresholds
        params = np.zeros(self.n_params)
        params[self.n_items : first] = 0.5 * np.arange(1, self.n_thresholds + 1)

        def value(at: Floats) -> float:
            if (np.diff([0.0, *at[self.n_items : first]]) <= 0).any():
                return -math.inf
            votes = sum(row[3] * self.log_probability(place, at.tolist()).real for place, row in enumerate(self.rows))
            return float(votes - (at - centres) @ precision @ (at - centres) / 2)

        for _ in range(50):
            votes = self.at(params)
            whole = votes.informations.sum(axis=0) + precision + gauge
            step = np.linalg.solve(whole, votes.gradients.sum(axis=0) - precision @ (params - centres))
            here = value(params)
            while value(params + step) < here - 1e-12 * (1 + abs(here)):
                step /= 2
            params = params + step
            if np.abs(step).max() < 1e-10 * (1 + np.abs(params).max()):
                break
        else:
            raise ArithmeticError(f"no maximum after 50 steps; the last was {np.abs(step).max()}")
        votes = self.at(params)
        return {
            "scores": params[: self.n_items] - params[: self.n_items].mean(),
            "thresholds": params[self.n_items : first],
            "position": params[first] if self.position else 0.0,
            "coefficients": params[first + self.position :],
            "log_likelihood": float(votes.values.sum()),
            "parameters": params,
            "votes": votes,
            "inverse": np.linalg.inv(votes.informations.sum(axis=0) + precision + gauge),
            "precision": precision,
        }

    def has_maximum(self) -> bool:
        """Whether the likelihood has one maximum, by a linear programme over directions, as `maximum_exists`.

        Along a direction that it has none by, no row's interval shrinks at either end.
        """
        kept = []
        for row in range(len(self.rows)):
            zero = self.ends(row, [0.0] * self.n_params)
            slopes = np.array([self.ends(row, list(direction)) for direction in np.eye(self.n_params)], dtype=object)
            for end, sign in ((0, -1.0), (1, 1.0)):
                if zero[end] is not None:
                    kept.append(sign * slopes[:, end].astype(float))
        if not kept:
            return self.n_params == 1
        conditions = np.array(kept)
        if np.linalg.matrix_rank(conditions) < self.n_params - 1:
            return False
        direction = linprog(-conditions.sum(0), A_ub=-conditions, b_ub=np.zeros(len(kept)), bounds=(-1, 1))
        return bool(-direction.fun < 1e-9)


def dispersion(rows: Rows, differences: Sequence[float], ties: str, tie: float | None, n_free: int) -> float:
    """How much graded votes scatter, as a share of the variance of wins and losses.

    1 - sum w y (1 - y) / sum w v over votes of weight w, with v the information of each by d, times n / (n - n_free).
    One vote more is as the model has it.
    """
    less = of_model = n_votes = 0.0
    for (_, _, outcome, weight), difference in zip(rows, differences, strict=True):
        if outcome == SKIP or (outcome == TIE and ties.endswith("drop")):
            continue
        n_votes += weight
        of_model -= weight * curvatures(outcome, ties, difference, tie)[0]
        if isinstance(outcome, Share):
            apart = slopes(LEFT, ties, difference, tie)[0] - slopes(RIGHT, ties, difference, tie)[0]
            less += weight * outcome.left * (1 - outcome.left) * apart**2
    found = 1 - less / (of_model * (1 + 1 / n_votes))
    return min(max(found, 1 / (n_votes + 1)) * n_votes / (n_votes - n_free), 1.0)


def covariance_between(
    fit: dict[str, Any], groups: Sequence[Any] | None, *, corrected: bool = False, dispersion: float = 1.0
) -> Floats:
    """C (B + Q) C over all parameters, with B the sum of outer products of the groups' gradients.

    C is the inverse of the information H of the votes and the precision Q of the prior. `groups` says of each row whose
    it is; None takes each vote by itself, weight * g g'. A corrected gradient is (I - H_v C)^(-1/2) g_v with H_v the
    information of the group's votes (Bell and McCaffrey 2002). Where the ratio of the traces of C B and C H is below a
    half, a part of H is added, as that of one vote or group more among n, times the mean weight for groups. Weights
    that were divided by a dispersion are those of so many times fewer votes.
    """
    from scipy.linalg import fractional_matrix_power

    votes, inverse, n_items = fit["votes"], fit["inverse"], len(fit["scores"])
    whole = votes.informations.sum(axis=0)
    meat, n_pieces = np.zeros_like(inverse), votes.weights.sum()
    if groups is None:
        for gradient, weight in zip(votes.gradients, votes.weights, strict=True):
            meat += np.outer(gradient, gradient) / (weight * dispersion)
    else:
        n_pieces = len({groups[number] for number in votes.numbers})
        for group in set(groups):
            gradient, information = np.zeros(len(inverse)), np.zeros_like(inverse)
            for place, number in enumerate(votes.numbers):
                if groups[number] == group:
                    gradient += votes.gradients[place]
                    information += votes.informations[place]
            if corrected:
                left = fractional_matrix_power(np.eye(len(inverse)) - information @ inverse, -0.5)
                gradient = np.real(left) @ gradient
            meat += np.outer(gradient, gradient)
    if groups is not None:
        along = np.einsum("ijj->i", votes.informations[:, :n_items, :n_items])
        whole = whole * (along @ votes.weights / along.sum()) * dispersion
    ratio = np.trace(inverse @ meat) / np.trace(inverse @ whole)
    meat += max(0.0, 1.0 - 2.0 * ratio) / (n_pieces + 1) * whole
    return np.asarray(inverse @ (meat + fit["precision"]) @ inverse)


def centred(covariance: Floats, n_items: int) -> Floats:
    """P S P with P = I - 11'/n and S the block of the scores."""
    centring = np.eye(n_items) - 1 / n_items
    return np.asarray(centring @ covariance[:n_items, :n_items] @ centring)


def slopes_of_many(
    left: Ints, right: Ints, outcome: Ints, weight: Floats, scores: Floats, eta: float, prior_sd: float
) -> tuple[float, Floats, Any, Floats]:
    """What `derivatives` gives, for as many votes as arrays hold, without a position effect.

    Davidson's model as a multinomial logit with the features x = (-1/2, 0, 1/2) of d and y = (0, 1, 0) of eta, whose
    gradient is the observed features less the expected and whose information is their covariance. At eta = -inf, where
    nobody ties, it is Bradley and Terry's, and of a vote with x = 0 the quasi-likelihood of "half".

    Gives the value, the gradient over scores and eta, the information of the scores (sparse) and its border with
    eta, of shape (n_items + 1,), the information of eta itself last.
    """
    n_items = len(scores)
    d = scores[left] - scores[right]
    x, y = np.array([-0.5, 0.0, 0.5]), np.array([0.0, 1.0, 0.0])
    logits = np.stack([-d / 2, np.full(len(d), eta), d / 2])
    log_total = np.logaddexp.reduce(logits)
    chances = np.exp(logits - log_total)
    mean_x, mean_y = x @ chances, y @ chances
    tied = y[outcome] if eta > -math.inf else np.zeros(len(d))
    value = weight @ (x[outcome] * d + np.where(tied > 0, eta, 0.0) - log_total)
    # The weak prior of eta, where there is one: N(log 2, 3^2), as in `normal_priors`.
    weak = 1 / 9 if math.isfinite(prior_sd) and eta > -math.inf else 0.0
    away = eta - math.log(2) if weak else 0.0
    value -= (scores @ scores) / (2 * prior_sd**2) + weak * away**2 / 2
    by_d, by_eta = weight * (x[outcome] - mean_x), weight * (tied - mean_y)
    twice = weight * (x**2 @ chances - mean_x**2)
    both = weight * ((x * y) @ chances - mean_x * mean_y)
    eta_twice = weight * (y**2 @ chances - mean_y**2)

    def per_item(values: Floats, sign: int) -> Floats:
        return np.bincount(left, values, n_items) + sign * np.bincount(right, values, n_items)

    gradient = np.append(per_item(by_d, -1) - scores / prior_sd**2, by_eta.sum() - weak * away)
    links = coo_array((twice, (left, right)), shape=(n_items, n_items))
    information = diags_array(per_item(twice, 1) + 1 / prior_sd**2) - links - links.T
    return float(value), gradient, information.tocsc(), np.append(per_item(both, -1), eta_twice.sum() + weak)


def maximum_of_many(
    left: Ints,
    right: Ints,
    outcome: Ints,
    weight: Floats,
    n_items: int,
    ties: str = "davidson",
    prior_sd: float = 3.0,
    *,
    mixed: bool = False,
) -> tuple[Floats, float]:
    """Centred scores and Davidson's nu (0 under "half"): Newton's method with halved steps on `slopes_of_many`.

    Steps are solved for by a sparse factor; in `mixed` graphs, which would fill it up, by conjugate gradients. With
    prior_sd=inf the first item is held meanwhile. The last step is below 1e-9, so its square is what remains.
    """
    held = 0 if math.isfinite(prior_sd) else 1
    votes = (left, right, outcome, weight)
    scores, eta = np.zeros(n_items), 0.0 if ties == "davidson" else -math.inf
    value, gradient, information, border = slopes_of_many(*votes, scores, eta, prior_sd)
    for _ in range(100):
        matrix = information[held:, held:].tocsc()
        columns = np.column_stack([gradient[held:-1], border[held:-1]])
        solved = np.zeros((n_items, 2))
        if mixed:
            solved[held:] = np.column_stack([_solve_iteratively(matrix, column) for column in columns.T])
        else:
            solved[held:] = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(columns)
        step, along_border = (solved - solved.mean(axis=0)).T
        eta_step = 0.0
        if ties == "davidson":
            eta_step = float((gradient[-1] - border[:-1] @ step) / (border[-1] - border[:-1] @ along_border))
            step = step - eta_step * along_border
        while True:
            ahead = slopes_of_many(*votes, scores + step, eta + eta_step, prior_sd)
            if ahead[0] >= value - 1e-12 * (1 + abs(value)):
                break
            step, eta_step = step / 2, eta_step / 2
        scores, eta = scores + step, eta + eta_step
        value, gradient, information, border = ahead
        if max(np.abs(step).max(), abs(eta_step)) < 1e-9:
            return scores, math.exp(eta)
    raise ArithmeticError("no maximum after 100 steps")


def _solve_iteratively(matrix: Any, vector: Floats) -> Floats:
    """The inverse of a positive definite matrix times a vector, to a residual of a millionth of its size."""
    solution, failed = cg(matrix, vector, rtol=1e-6, maxiter=1000, M=diags_array(1 / matrix.diagonal()))
    if failed:
        raise ArithmeticError("conjugate gradients have not arrived; is the graph mixed?")
    return solution


# --- walks, posteriors by brute force, and agreement of rankings ---


def half_wins(rows: Rows, n_items: int) -> Floats:
    """How often each item (row) won against each other (column), a tie as half a win for both."""
    wins = np.zeros((n_items, n_items))
    for left, right, outcome, weight in answered(rows):
        wins[left, right] += weight * outcome / 2
        wins[right, left] += weight * (1 - outcome / 2)
    return wins


def walk(rates: Floats) -> Floats:
    """log pi, centred, of the walk that goes from i to j at rates[i, j]: by elimination without subtraction, so
    each pi is exact to rounding (Grassmann, Taksar and Heyman 1985).
    """
    rates = rates.copy()
    n_states = len(rates)
    for last in range(n_states - 1, 0, -1):
        rates[:last, last] /= rates[last, :last].sum()
        for first in range(last):
            rates[first, :last] += rates[first, last] * rates[last, :last]
    visits = np.ones(n_states)
    for state in range(1, n_states):
        visits[state] = visits[:state] @ rates[:state, state]
    return np.log(visits) - np.log(visits).mean()


def luce_spectral(wins: Floats, alpha: float) -> Floats:
    """One step of Luce spectral ranking from equal scores: a walk from loser to winner, each win a rate of 1/2
    (Maystre and Grossglauser 2015, algorithm 1), and alpha from each item to each.
    """
    return walk(wins.T / 2 + alpha)


def rank_centrality(wins: Floats, alpha: float) -> Floats:
    """The walk that goes from i to j at j's share of wins against i (Negahban, Oh and Shah 2012)."""
    shares = np.zeros_like(wins)
    for i, j in itertools.permutations(range(len(wins)), 2):
        met = wins[i, j] + wins[j, i] + 2 * alpha
        shares[i, j] = (wins[j, i] + alpha) / met if met else 0.0
    return walk(shares)


def gamma_mode(wins: Floats, a: float) -> Floats:
    """Scores of the maximum of prod (w_i / (w_i + w_j))^wins_ij prod w_i^a e^(-a w_i), centred (Caron and Doucet
    2012), by one-dimensional root finding of each item's equation in turn.
    """
    scores = np.zeros(len(wins))
    for _ in range(20_000):
        before = scores.copy()
        for i in range(len(wins)):

            def slope(s: float, i: int = i) -> float:
                rest = sum(
                    (wins[i, j] + wins[j, i]) / (1 + math.exp(scores[j] - s)) for j in range(len(wins)) if j != i
                )
                return float(wins[i].sum() - rest + a - a * math.exp(s))

            scores[i] = brentq(slope, -50, 50, xtol=1e-13)
        if np.abs(scores - before).max() < 1e-12:
            return scores - scores.mean()
    raise ArithmeticError("no maximum after 20,000 rounds")


def posterior_of_three(wins: Floats, prior_sd: float) -> tuple[Floats, Floats]:
    """Mean and covariance of the centred scores of three items under normal priors, on a grid of differences.

    The differences a = s_0 - s_1 and b = s_1 - s_2 have the prior covariance sd^2 [[2, -1], [-1, 2]].
    """
    axis = np.linspace(-9, 9, 721) * prior_sd
    a, b = np.meshgrid(axis, axis, indexing="ij")
    gaps = {(0, 1): a, (1, 2): b, (0, 2): a + b}
    log = -(a**2 + a * b + b**2) / (3 * prior_sd**2)
    for (i, j), gap in gaps.items():
        log = log - wins[i, j] * np.logaddexp(0, -gap) - wins[j, i] * np.logaddexp(0, gap)
    mass = np.exp(log - log.max())
    mass /= mass.sum()
    scores = np.stack([(2 * a + b) / 3, (b - a) / 3, (-a - 2 * b) / 3])
    mean = (scores * mass).sum(axis=(1, 2))
    deviations = scores - mean[:, None, None]
    return mean, np.einsum("iab,jab,ab->ij", deviations, deviations, mass)


def kendall_tau_b(ranks: Sequence[int], others: Sequence[int]) -> float:
    """(concordant - discordant) / sqrt(pairs not level in one x pairs not level in the other) (Kendall 1945)."""
    balance = ordered = ordered_there = 0
    for i, j in itertools.combinations(range(len(ranks)), 2):
        here, there = np.sign(ranks[i] - ranks[j]), np.sign(others[i] - others[j])
        balance += here * there
        ordered += abs(here)
        ordered_there += abs(there)
    return float(balance / math.sqrt(ordered * ordered_there))


def spearman(ranks: Sequence[int], others: Sequence[int]) -> float:
    """Pearson's correlation of the mid-ranks, level items at the mean of their places (Spearman 1904)."""
    columns = []
    for given in (ranks, others):
        middle = [sum(r < own for r in given) + (sum(r == own for r in given) + 1) / 2 for own in given]
        columns.append(np.array(middle) - np.mean(middle))
    one, other = columns
    return float(one @ other / math.sqrt((one @ one) * (other @ other)))


def top_k_parts(ranks: Sequence[int], k: int) -> Floats:
    """The chance of each item to be among the best k when level items are put in any order, all equally likely."""
    orders = [
        order for order in itertools.permutations(range(len(ranks))) if sorted(ranks) == [ranks[i] for i in order]
    ]
    return np.array([sum(item in order[:k] for order in orders) / len(orders) for item in range(len(ranks))])


def rank_biased_overlap(ranks: Sequence[int], others: Sequence[int], p: float) -> float:
    """(1 - p) sum over depths d = 1, 2, ... of p^(d-1) 2 |S_d & T_d| / (|S_d| + |T_d|), where S_d holds the items of
    rank up to d (Webber, Moffat and Zobel 2010, with their treatment of ties), to 1e-14.
    """
    total, depth = 0.0, 0
    while p**depth > 1e-15:
        depth += 1
        ours, theirs = ({item for item, rank in enumerate(given) if rank <= depth} for given in (ranks, others))
        total += (1 - p) * p ** (depth - 1) * 2 * len(ours & theirs) / (len(ours) + len(theirs))
    return total


def bootstrap(
    rows: Rows,
    lots: Sequence[int],
    score: Callable[[Rows], Floats],
    n_resamples: int,
    rng: np.random.Generator,
    *,
    acceptable: Callable[[Rows], bool] = lambda rows: True,
) -> Floats:
    """The scores of resamples, drawn lot by lot and thrown away until acceptable: shape (n_resamples, n_items)."""
    samples: list[Floats] = []
    choices = sorted(set(lots))
    while len(samples) < n_resamples:
        drawn = [choices[int(rng.random() * len(choices))] for _ in choices]
        times = {lot: drawn.count(lot) for lot in set(drawn)}
        resample = [row for row, lot in zip(rows, lots, strict=True) for _ in range(times.get(lot, 0))]
        if acceptable(resample):
            samples.append(score(resample))
    return np.array(samples)


def difference_variances(covariance: Floats) -> Floats:
    """C_ii + C_jj - 2 C_ij for all pairs."""
    n_items = len(covariance)
    variances = np.zeros((n_items, n_items))
    for i, j in itertools.permutations(range(n_items), 2):
        variances[i, j] = covariance[i, i] + covariance[j, j] - 2 * covariance[i, j]
    return variances


def stepped_down(scores: Floats, covariance: Floats, level: float, draws: Floats | None, *, of_one: bool) -> set:
    """The ordered pairs (i, j) whose difference is significant for item i, by stepping down (Romano and Wolf 2005).

    Beyond c times its standard error a difference is significant; c is the `level` quantile of the largest |z_i - z_j|
    in standard errors over the pairs that are left, those of one item or all, but at most Sidak's (1967) bound.
    """
    n_items, variances = len(scores), difference_variances(covariance)
    variances[variances < 1e-12 * (np.diag(covariance)[:, None] + np.diag(covariance))] = 0.0
    pairs = set(itertools.permutations(range(n_items), 2))
    certain = {(i, j) for i, j in pairs if variances[i, j] == 0}
    found = {(i, j) for i, j in certain if scores[i] != scores[j]}
    families = [{pair for pair in pairs if pair[0] == item} for item in range(n_items)] if of_one else [pairs]
    for family in families:
        left = family - certain
        while left:
            within = level ** (1 / len({frozenset(pair) for pair in left}))
            critical = float(norm.ppf(0.5 + within / 2))
            if draws is not None:
                largest = np.zeros(len(draws))
                for i, j in left:
                    largest = np.maximum(largest, np.abs(draws[:, i] - draws[:, j]) / math.sqrt(variances[i, j]))
                critical = min(critical, float(np.sort(largest)[math.ceil(level * (len(draws) + 1)) - 1]))
            more = {(i, j) for i, j in left if abs(scores[i] - scores[j]) > critical * math.sqrt(variances[i, j])}
            if not more:
                break
            found |= more
            left -= more
    return found


def rank_bounds(scores: Floats, significant: set) -> tuple[Ints, Ints]:
    """Best and worst rank of each item: one more than the items significantly ahead, and n less those significantly
    behind (Mogstad, Romano, Shaikh and Wilhelm 2024).
    """
    n_items = len(scores)
    best, worst = [1] * n_items, [n_items] * n_items
    for i, j in significant:
        best[i] += bool(scores[j] > scores[i])
        worst[i] -= bool(scores[i] > scores[j])
    return np.array(best), np.array(worst)


def tiers(scores: Floats, significant: set) -> Ints:
    """Down the different scores, a tier begins where an item is significantly behind the tier's best, or one of those
    level with it.
    """
    result = np.zeros(len(scores), int)
    tier, leaders = 0, []
    for score in sorted(set(scores), reverse=True):
        here = [item for item in range(len(scores)) if scores[item] == score]
        if tier == 0 or any(pair in significant for pair in itertools.product(leaders, here)):
            tier, leaders = tier + 1, here
        result[here] = tier
    return result


def credible_ranks(draws: Floats, level: float) -> list[int]:
    """How many ranks the narrowest interval has that holds at least `level` of each item's ranks in the draws."""
    n_draws, n_items = draws.shape
    widths = []
    for item in range(n_items):
        ranks = [1 + sum(other > draw[item] for other in draw) for draw in draws]
        ends = [
            high - low + 1
            for low in range(1, n_items + 1)
            for high in range(low, n_items + 1)
            if sum(low <= rank <= high for rank in ranks) >= level * n_draws
        ]
        widths.append(min(ends))
    return widths


def largest_error_quantile(level: float, n_items: int, *, of_one: bool) -> float:
    """Quantile of the largest |z_i - z_j| / sqrt(2) for independent standard normals: over all pairs the studentised
    range over sqrt(2) (Tukey 1953), over the pairs of one item Dunnett's (1955) two-sided, by quadrature.
    """
    if not of_one:
        return float(studentized_range.ppf(level, n_items, math.inf) / math.sqrt(2))

    def within(c: float) -> float:
        def density(u: float) -> float:
            near = norm.cdf(u + math.sqrt(2) * c) - norm.cdf(u - math.sqrt(2) * c)
            return float(norm.pdf(u) * near ** (n_items - 1))

        return float(quad(density, -10, 10)[0])

    return float(brentq(lambda c: within(c) - level, 0.01, 20))


def quasi_variances(covariance: Floats) -> Floats:
    """Least sum over pairs of (log(q_i + q_j) - log v_ij)^2 (Firth and de Menezes 2004), by a search that uses no
    derivatives (Nelder and Mead 1965), begun again from where it ends until it ends there.
    """
    n_items, variances = len(covariance), difference_variances(covariance)

    def criterion(quasi: Floats) -> float:
        total = 0.0
        for i, j in itertools.combinations(range(n_items), 2):
            if quasi[i] + quasi[j] <= 0:
                return math.inf
            total += math.log((quasi[i] + quasi[j]) / variances[i, j]) ** 2
        return total

    quasi = np.full(n_items, variances.sum() / n_items**2 / 2)
    for _ in range(50):
        options = {"xatol": 1e-12, "fatol": 1e-16, "maxiter": 10_000, "maxfev": 20_000}
        found = minimize(criterion, quasi, method="Nelder-Mead", options=options)
        if np.abs(found.x - quasi).max() < 1e-9 * variances.max():
            break
        quasi = found.x
    return np.asarray(found.x)


def chances(scores: Floats, left: int, right: int, nu: float, side: float) -> list[float]:
    """Davidson's P(right), P(tie), P(left), from the worths exp(s / 2)."""
    ahead, behind = (
        math.exp((scores[left] - scores[right] + side) / 2),
        math.exp((scores[right] - scores[left] - side) / 2),
    )
    total = ahead + behind + nu
    return [behind / total, nu / total, ahead / total]


def mean_squares(rows: Rows, groups: Sequence[Sequence[int]], scores: Floats, nu: float, side: float) -> Floats:
    """Infit, outfit and their t of the rows in each group (Wright and Masters 1982): shape (4, n_groups)."""
    found = np.full((4, len(groups)), math.nan)
    for number, group in enumerate(groups):
        squares, standard, variances, for_infit, for_outfit = 0.0, 0.0, 0.0, 0.0, 0.0
        for row in group:
            left, right, outcome, _ = rows[row]
            probabilities = chances(scores, left, right, nu, side)
            expected = sum(p * x for p, x in zip(probabilities, (0.0, 0.5, 1.0), strict=True))
            variance, fourth = (
                sum(p * (x - expected) ** power for p, x in zip(probabilities, (0.0, 0.5, 1.0), strict=True))
                for power in (2, 4)
            )
            square = (outcome / 2 - expected) ** 2
            squares, standard, variances = squares + square, standard + square / variance, variances + variance
            for_infit, for_outfit = for_infit + fourth - variance**2, for_outfit + fourth / variance**2 - 1
        if group:
            infit, outfit = squares / variances, standard / len(group)
            spreads = math.sqrt(max(for_infit, 0)) / variances, math.sqrt(max(for_outfit, 0)) / len(group)
            # Votes that are all expected to be even have squares that do not vary.
            ts = [
                (m ** (1 / 3) - 1) * 3 / q + q / 3 if q >= 1e-6 else 0.0
                for m, q in zip((infit, outfit), spreads, strict=True)
            ]
            found[:, number] = [infit, outfit, *ts]
    return found


def suspicions(rows: Rows, scores: Floats, nu: float, side: float, bias: float = 3.0) -> dict[str, Any]:
    """Log-likelihood ratios of one voter's rows: of both sides, of random answers, and of each item as pushed."""
    n_items = len(scores)

    def log_likelihood(scores: Floats, side: float) -> float:
        return sum(math.log(chances(scores, left, right, nu, side)[outcome]) for left, right, outcome, _ in rows)

    usual = log_likelihood(scores, side)
    return {
        "sides": [log_likelihood(scores, side + bias) - usual, log_likelihood(scores, side - bias) - usual],
        "random": log_likelihood(np.zeros(n_items), side) - usual,
        "pushes": [log_likelihood(scores + bias * np.eye(n_items)[item], side) - usual for item in range(n_items)],
    }


def circular_triads(rows: Rows, n_items: int) -> tuple[int, int]:
    """Triads in which each item beat another by majority, and those with a majority on all three pairs."""
    lead = np.zeros((n_items, n_items))
    for left, right, outcome, weight in answered(rows):
        lead[left, right] += weight * (outcome - 1)
        lead[right, left] -= weight * (outcome - 1)
    circular = complete = 0
    for triad in itertools.combinations(range(n_items), 3):
        wins = sorted(sum(lead[i, j] > 0 for j in triad) for i in triad)
        if sum(wins) == 3:
            complete += 1
            circular += wins == [1, 1, 1]
    return circular, complete


def nominal_alpha(units: Iterable[Sequence[Hashable]]) -> tuple[float, float]:
    """Observed agreement and Krippendorff's alpha of nominal values, each unit a list of those that it was given.

    Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: 1 - D_o / D_e.
    """
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    observed = 0.0
    for unit in units:
        for place, other in itertools.permutations(range(len(unit)), 2):
            observed += (unit[place] != unit[other]) / (len(unit) - 1) / len(values)
    pairs = list(itertools.permutations(values, 2))
    expected = sum(one != other for one, other in pairs) / len(pairs)
    return 1.0 - observed, 1.0 - observed / expected


def question_distance(rows: Rows, n_items: int) -> float:
    """How far the items of a question are apart by their shares of wins before it, over the mean of all pairs then."""
    won, asked = [0.0] * n_items, [0] * n_items
    found = usual = 0.0
    for left, right, outcome, _ in answered(rows):
        shares = [(w + 1) / (m + 2) for w, m in zip(won, asked, strict=True)]
        apart = [abs(shares[i] - shares[j]) for i, j in itertools.combinations(range(n_items), 2)]
        usual += sum(apart) / len(apart)
        found += abs(shares[left] - shares[right])
        won[left] += outcome / 2
        won[right] += 1 - outcome / 2
        asked[left] += 1
        asked[right] += 1
    return found / usual if usual > 1e-9 else 1.0


def sampling_criterion(mean, covariance, active, pair, k, share):
    """What an answer about a pair is worth: w v, or for a cut after k items the rule of TopK, written out."""
    contrast = np.zeros(len(mean))
    contrast[pair[0]], contrast[pair[1]] = 1.0, -1.0
    p = 1 / (1 + math.exp(-contrast @ mean))
    w, v = p * (1 - p), contrast @ covariance @ contrast
    if not 0 < k < len(active):
        return w * v
    by_mean = sorted(active, key=lambda item: -mean[item])
    a, b = by_mean[k - 1], by_mean[k]
    taken = 0.0
    for q in active:
        c = np.zeros(len(mean))
        if q in (a, b):
            c[a], c[b] = 1.0, -1.0
        else:
            c[q], c[a], c[b] = 1.0, -0.5, -0.5
        variance = c @ covariance @ c
        z = c @ mean / math.sqrt(variance)
        if z * z < 30:
            taken += math.exp(-0.5 * z * z) / variance * (c @ covariance @ contrast) ** 2
    return w / (1 + w * v) * taken + share * math.log(1 + w * v)


def information_of_pairs(counts, scores):
    """The information on each score alone: the sum of p (1 - p) over its votes."""
    sums = np.zeros(len(scores))
    for i, j, table in zip(counts.left, counts.right, counts.table, strict=True):
        p = 1 / (1 + math.exp(scores[j] - scores[i]))
        for item in (i, j):
            sums[item] += table.sum() * p * (1 - p)
    return sums


def posterior_with_open(counts, open_pairs, prior_sd):
    """Bradley-Terry, ties as halves, under Normal(0, prior_sd): the mean, and the covariance with open pairs in it."""
    n = counts.n_items
    rows = list(zip(counts.left.tolist(), counts.right.tolist(), counts.table.tolist(), strict=True))

    def gradient(s):
        g = -s / prior_sd**2
        for i, j, (lost, tied, won) in rows:
            surprise = won + 0.5 * tied - (lost + tied + won) / (1 + math.exp(s[j] - s[i]))
            g[i] += surprise
            g[j] -= surprise
        return g

    def information(s, pairs):
        h = np.eye(n) / prior_sd**2
        for i, j, weight in pairs:
            p = 1 / (1 + math.exp(s[j] - s[i]))
            c = np.zeros(n)
            c[i], c[j] = 1.0, -1.0
            h += weight * p * (1 - p) * np.outer(c, c)
        return h

    answered = [(i, j, sum(table)) for i, j, table in rows]

    def loss(s):
        total = 0.5 * s @ s / prior_sd**2
        for i, j, (lost, tied, won) in rows:
            d = s[i] - s[j]
            total += (lost + 0.5 * tied) * np.logaddexp(0, d) + (won + 0.5 * tied) * np.logaddexp(0, -d)
        return total

    s = minimize(loss, np.zeros(n), jac=lambda s: -gradient(s)).x
    for _ in range(5):
        s = s + np.linalg.solve(information(s, answered), gradient(s))
    return s, np.linalg.inv(information(s, answered + [(i, j, 1.0) for i, j in open_pairs]))


# --- a prior learned from normal likelihoods ---


def log_normal(x, mean, variance):
    return -0.5 * math.log(2 * math.pi * variance) - 0.5 * (x - mean) ** 2 / variance


def spread_criterion(spread, means, information):
    """The log-density of a normal prior's spread, |Normal(0, 2^2)|, its mean integrated out over a flat prior."""
    variances = [spread**2 + 1 / h for h in information]
    middle = sum(x / v for x, v in zip(means, variances, strict=True)) / sum(1 / v for v in variances)
    value = sum(log_normal(x, middle, v) for x, v in zip(means, variances, strict=True))
    # The integral of exp(-(m - middle)^2 sum(1 / v) / 2) over m.
    return value - 0.5 * math.log(sum(1 / v for v in variances)) - 0.5 * (spread / 2) ** 2


def mixture_criterion(places, widths, shares, means, information, centre):
    """The log-likelihood of a mixture with its priors, at the best unit: shares Dirichlet(3/2), and in that unit places
    from the centre Normal(0, 1.5^2), and squared widths InverseGamma(3, 1), by their logarithms; unit half-normal(2),
    by its logarithm.
    """
    value = 0.0
    for x, h in zip(means, information, strict=True):
        parts = [w * math.exp(log_normal(x, u, r**2 + 1 / h)) for u, r, w in zip(places, widths, shares, strict=True)]
        value += math.log(sum(parts))
    value += 0.5 * sum(math.log(w) for w in shares)

    def loss(log_unit):
        unit = math.exp(log_unit)
        found = -log_unit + unit**2 / 8
        for u, r in zip(places, widths, strict=True):
            found -= log_normal((u - centre) / unit, 0.0, 1.5**2)
            found += 3 * math.log((r / unit) ** 2) + (unit / r) ** 2
        return found

    return value - minimize_scalar(loss, bounds=(-8, 5), method="bounded", options={"xatol": 1e-10}).fun


def mixture_posterior(places, widths, shares, mean, information):
    """Mean and variance of a score whose prior is a mixture, given a normal likelihood, by a fine grid."""
    reach = 12 * max([*widths, *np.abs(places), abs(mean)])
    grid = np.linspace(-reach, reach, 200_001)
    prior = sum(w / r * np.exp(-0.5 * ((grid - u) / r) ** 2) for u, r, w in zip(places, widths, shares, strict=True))
    density = prior * np.exp(-0.5 * information * (grid - mean) ** 2)
    density /= density.sum()
    middle = density @ grid
    return middle, density @ (grid - middle) ** 2


def dyadic_variance(answers: Sequence[tuple[Hashable, Hashable, int]], *, of_alpha: bool = False) -> float:
    """The variance of the share of coincidences alike, or of alpha times 1 - e, by the voters of two coincidences.

    `answers` are voter, pair and outcome (1 for a tie), one for each voter and pair. What dyad d adds is the derivative
    by its weight. Aronow, Samii and Assenova (2015), "Cluster-robust variance estimation for dyadic data": products of
    what two dyads add, where they share a voter; here with the jackknife's factor.
    """
    units: dict[Hashable, list[tuple[Hashable, int]]] = {}
    for voter, pair, outcome in answers:
        units.setdefault(pair, []).append((voter, outcome))
    units = {pair: unit for pair, unit in units.items() if len(unit) > 1}
    n = sum(map(len, units.values()))
    coincidences = [
        (frozenset((one, other)), 1.0 / (len(unit) - 1), float(a == b), ((a == TIE) + (b == TIE)) / 2.0)
        for unit in units.values()
        for (one, a), (other, b) in itertools.combinations(unit, 2)
    ]
    dyads = list(dict.fromkeys(dyad for dyad, *_ in coincidences))

    def chance(ties: float) -> float:
        values = [n * (1.0 - ties), n * (1.0 - ties), 2.0 * n * ties]
        return sum(value * (value - 1.0) for value in values) / (2.0 * n * (2.0 * n - 1.0))

    def means(weight: dict[frozenset[Hashable], float]) -> tuple[float, float]:
        weights = [weight.get(dyad, 1.0) * w for dyad, w, _, _ in coincidences]
        alike = sum(w * same for w, (*_, same, _) in zip(weights, coincidences, strict=True)) / sum(weights)
        return alike, sum(w * tie for w, (*_, tie) in zip(weights, coincidences, strict=True)) / sum(weights)

    by_chance = chance(means({})[1])

    def estimate(weight: dict[frozenset[Hashable], float]) -> float:
        alike, ties = means(weight)
        return (1.0 - (1.0 - alike) / (1.0 - chance(ties))) * (1.0 - by_chance) if of_alpha else alike

    step = 1e-5
    adds = {d: (estimate({d: 1.0 + step}) - estimate({d: 1.0 - step})) / (2.0 * step) for d in dyads}
    j = len(frozenset().union(*dyads))
    # Two dyads share none, one or, where they are the same, both of their voters.
    by_voter = sum(x * y * len(one & other) for one, x in adds.items() for other, y in adds.items())
    squares = sum(x**2 for x in adds.values())
    return max(by_voter * j * (j - 1) / (j - 2) ** 2 - squares, squares)


def wilson(share: float, n: float, reach: float) -> tuple[float, float]:
    """Wilson (1927): the shares p from which this one is `reach` standard errors of n answers away."""

    def apart(p: float) -> float:
        return (share - p) ** 2 - reach**2 * p * (1.0 - p) / n

    # Shares of 0 and 1 are no distance from themselves.
    low = 0.0 if share == 0.0 else brentq(apart, 0.0, share - 1e-9, xtol=1e-14)
    high = 1.0 if share == 1.0 else brentq(apart, share + 1e-9, 1.0, xtol=1e-14)
    return low, high


def own_circles(rows: Sequence[tuple[int, int, int]], n_items: int) -> tuple[int, int]:
    """One voter's triads of decided first answers, and the circular ones; rows are left, right, outcome."""
    beats: dict[frozenset[int], int | None] = {}
    for left, right, outcome in rows:
        beats.setdefault(frozenset((left, right)), {LEFT: left, RIGHT: right}.get(outcome))
    triads = circular = 0
    for three in itertools.combinations(range(n_items), 3):
        winners = [beats.get(frozenset(pair)) for pair in itertools.combinations(three, 2)]
        if None not in winners:
            triads += 1
            circular += len(set(winners)) == 3
    return triads, circular


# --- majorities ---


def majority_table(rows: Rows, n_items: int) -> list[list[float]]:
    """The votes that the row's item won against the column's, a tie as half for each."""
    won = [[0.0] * n_items for _ in range(n_items)]
    for left, right, outcome, weight in answered(rows):
        share = outcome.left if isinstance(outcome, Share) else {LEFT: 1.0, TIE: 0.5, RIGHT: 0.0}[outcome]
        won[left][right] += share * weight
        won[right][left] += (1.0 - share) * weight
    return won


def beaters(won: Sequence[Sequence[float]]) -> list[set[int]]:
    """Whom each item beats: with more than half of the votes on their pair."""
    n = len(won)
    return [{j for j in range(n) if won[i][j] > won[j][i]} for i in range(n)]


def copeland(won: Sequence[Sequence[float]]) -> list[float]:
    """Items beaten, and half of those tied with."""
    n = len(won)
    points = [
        [0.0 if won[i][j] < won[j][i] else 0.5 + 0.5 * (won[i][j] > won[j][i]) for j in range(n)] for i in range(n)
    ]
    return [sum(points[i][j] for j in range(n) if won[i][j] + won[j][i] > 0) for i in range(n)]


def minimax(won: Sequence[Sequence[float]]) -> list[float]:
    """The largest margin of another item, nan without votes."""
    n = len(won)
    margins = [[won[j][i] - won[i][j] for j in range(n) if won[i][j] + won[j][i] > 0] for i in range(n)]
    return [max(margin) if margin else math.nan for margin in margins]


def smith_set(won: Sequence[Sequence[float]]) -> set[int]:
    """The smallest set that beats all outside, by going through all sets from small to large."""
    beats, items = beaters(won), range(len(won))
    for size in range(1, len(won) + 1):
        for chosen in itertools.combinations(items, size):
            if all(set(items) - set(chosen) <= beats[i] for i in chosen):
                return set(chosen)
    return set()


def schwartz_set(won: Sequence[Sequence[float]]) -> set[int]:
    """The items that beat, in a chain, all items that beat them in a chain."""
    beats = beaters(won)
    below = [chain_below(beats, i) for i in range(len(won))]
    return {i for i in range(len(won)) if all(j in below[i] for j in range(len(won)) if i in below[j])}


def chain_below(beats: Sequence[set[int]], item: int) -> dict[int, int]:
    """The items that one beats in a chain, and the fewest steps to each; itself only in a cycle."""
    steps: dict[int, int] = {}
    edge = deque((other, 1) for other in beats[item])
    while edge:
        other, n = edge.popleft()
        if other not in steps:
            steps[other] = n
            edge.extend((next_one, n + 1) for next_one in beats[other])
    return steps


def kemeny_distance(won: Sequence[Sequence[float]], order: Sequence[int]) -> float:
    """The votes that an order goes against: those for an item over one that stands before it."""
    return sum(won[later][first] for first, later in itertools.combinations(order, 2))


def kemeny_least(won: Sequence[Sequence[float]]) -> float:
    """The least distance of any order, by going through all of them."""
    return min(kemeny_distance(won, order) for order in itertools.permutations(range(len(won))))


def win_rate_by_opponents(rows: Rows, n_items: int, ties: float, prior: float) -> tuple[Floats, Floats]:
    """The mean over opponents met of the share won against each, drawn to one half as the plain rate is; and the
    covariance of these, not centred: every pair is a multinomial to which two votes for either side are added.
    """
    table: dict[tuple[int, int], list[float]] = {}
    for (left, right), (lost, tied, won) in pair_table(rows).items():
        low, high = min(left, right), max(left, right)
        cells = table.setdefault((low, high), [0.0, 0.0, 0.0])
        cells[0] += lost if low == left else won
        cells[1] += tied
        cells[2] += won if low == left else lost
    table = {pair: cells for pair, cells in table.items() if sum(cells) > 0}
    met = [sum(item in pair for pair in table) for item in range(n_items)]
    asked = [sum(sum(cells) for pair, cells in table.items() if item in pair) for item in range(n_items)]
    weight = [asked[item] / (asked[item] + 2 * prior) for item in range(n_items)]
    scores = np.array([0.5 * (1 - weight[item]) for item in range(n_items)])
    covariance = np.diag(
        [(1 - w) ** 2 * prior**2 / ((2 * prior) ** 2 * (2 * prior + 1)) if prior else 0.0 for w in weight]
    )
    for (low, high), (lost, tied, won) in table.items():
        n = lost + tied + won
        chances = [(lost + 2) / (n + 4), tied / (n + 4), (won + 2) / (n + 4)]
        parts = [weight[low] / met[low], weight[high] / met[high]]
        for k, (item, worth) in enumerate(((low, [0.0, ties, 1.0]), (high, [1.0, ties, 0.0]))):
            scores[item] += parts[k] * (worth[0] * lost + worth[1] * tied + worth[2] * won) / n
        worths = np.array([[0.0, ties, 1.0], [1.0, ties, 0.0]])
        means = worths @ chances
        of_one_vote = (worths * chances) @ worths.T - np.outer(means, means)
        covariance[np.ix_([low, high], [low, high])] += np.outer(parts, parts) * of_one_vote / max(n, 1.0)
    return scores, covariance
