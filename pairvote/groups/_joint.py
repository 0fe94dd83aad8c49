r"""Scores of all groups, fitted together so that those of small groups are drawn to what the groups share.

Item i has the score :math:`\theta_{gi} = s_i + \delta_{gi}` in group g, with :math:`s_i \sim N(0, \sigma^2)` what the
groups share and :math:`\delta_{gi} \sim N(0, \tau^2)` what is the group's own, so that over groups

.. math:: \mathrm{Cov}(\theta_{\cdot i}) = \sigma^2\, 1 1' + \tau^2 I,

and scores of two groups differ with the standard deviation :math:`\sqrt 2\,\tau`. The tie parameter and the position
effect are common to all groups; these change no log-odds between items. With Q the prior's precision,
:math:`\ell` the log-likelihood and :math:`\varphi` the design effect, the scores' posterior for a given
:math:`\tau` is taken for the normal one at the maximum of :math:`\ell / \varphi - \theta' Q \theta / 2`, with the
covariance :math:`C = (H / \varphi + Q)^{-1}`. Laplace's method gives the evidence for :math:`\tau`,

.. math:: \log p(votes \mid \tau) \approx \ell(\hat\theta) / \varphi - \tfrac12 \hat\theta' Q \hat\theta
          + \tfrac12 \log |Q| - \tfrac12 \log |H / \varphi + Q|,

and with the prior :math:`p(\tau) \propto \tau\,(1 + \tau^2 / \sigma^2)^{-3/2}` its posterior on a grid: flat in
:math:`\tau^2` near 0, where that makes intervals hold, with the tail of a half-Cauchy. Scores are those of the mixture
over the grid, so what is not known of :math:`\tau` is part of every error: where groups agree, a single best
:math:`\tau` is often 0, and errors by it would be too small.

Intervals of differences are to hold at once whatever the differences are, such as large ones on few items, which the
normal prior draws in too far. So they are those at :math:`\tau = 3 \sigma`, where the prior says next to nothing of
the differences and keeps those finite of which the votes say nothing.

Votes of one voter resemble each other. Let the gradient :math:`g_v` of voter v's votes have :math:`\varphi` times the
covariance that it has when votes are independent, which is their information :math:`H_v`. At the maximum, on average
over the prior,

.. math:: E \sum_v g_v' C g_v = \varphi \sum_v \left(\mathrm{tr}(C H_v) - \mathrm{tr}(C H_v C H_v) / \varphi\right),

which a few rounds solve for :math:`\varphi`, at :math:`\tau = \sigma`, so that differences of groups are not taken for
those of voters. For whole votes it is at least 1. Dividing the log-likelihood by it makes the votes say as much as they
do.

References
----------
Rao and Scott (1984), "On chi-squared tests for multiway contingency tables with cell proportions estimated from survey
data", Annals of Statistics 12, for the mean design effect. Tierney and Kadane (1986), "Accurate approximations for
posterior moments and marginal densities", JASA 81. Morris and Tang (2011), "Estimating random effects via adjustment
for density maximization", Statistical Science 26, for a prior flat in the variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference import Model, Ties, VoteRows, inverse_of, single_votes, sums_of, voter_gradients
from pairvote.errors import ConvergenceError
from pairvote.groups._known import Grouped
from pairvote.votes._given import count_votes

Floats = NDArray[np.float64]
# tau in units of sigma: where it is looked for first, how many places there are then, and how far below the best the
# logarithm of a weight may lie to be looked at closer.
LEAST_TAU, MOST_TAU, N_COARSE, N_FINE, FAR_BELOW = 0.01, 8.0, 14, 14, 8.0
# tau in units of sigma where the prior says next to nothing of differences.
WIDE = 3.0
# A design effect of whole votes is not taken to be less than 1; one of graded votes not less than this.
LEAST_EFFECT = 0.02
ROUNDS = 3
MOST_STEPS, MOST_HALVINGS, TOLERANCE = 200, 40, 1e-8
# A step whose expected gain is at most so much of the log-posterior cannot be told from rounding.
ROUNDING = 1e-13
# A smaller part of the posterior of tau has no say.
LEAST_WEIGHT = 1e-4
MOST_DRAWS, LEAST_DRAWS, MOST_NUMBERS = 10_000, 2_000, 2_000_000


class Fitted(NamedTuple):
    """The scores at one tau: the parameters, the information over phi plus Q, and the log of the evidence."""

    parameters: Floats
    information: Floats
    evidence: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Joint:
    """The posterior of all groups' scores, each group's of mean zero.

    scores: (n_groups, n_items). covariance: (n_groups n_items, n_groups n_items). draws: (n_draws, n_groups, n_items).
    tau: its median and the ends of its 95% interval. design_effect: phi. tie_parameter, position_effect: of all groups.
    """

    scores: Floats
    covariance: Floats
    draws: Floats
    tau: tuple[float, float, float]
    design_effect: float
    tie_parameter: float
    position_effect: float

    def __post_init__(self) -> None:
        for array in (self.scores, self.covariance, self.draws):
            array.flags.writeable = False


def fit_jointly(
    grouped: Grouped, sigma: float, tau: float | None, ties: Ties, position: bool, rng: np.random.Generator
) -> tuple[Joint, Joint]:
    """The posterior for this sigma, and that with a wide prior of differences; tau: None to learn it."""
    groups = _Groups.of(grouped, sigma, ties, position)
    effect, start = groups.design_effect(groups.model.start())
    wide = groups.fitted(WIDE * sigma, effect, start)
    if tau is None:
        grid, weights, fits = _learnt(groups, effect, start)
    else:
        grid, weights, fits = [tau], np.ones(1), [groups.fitted(tau, effect, start)]
    return (
        _mixed(groups, grid, weights, fits, effect, rng),
        _mixed(groups, [WIDE * sigma], np.ones(1), [wide], effect, rng),
    )


def _learnt(groups: _Groups, effect: float, start: Floats) -> tuple[list[float], Floats, list[Fitted]]:
    """Places of tau, with equal steps of its logarithm, the posterior weight of each, and the fits there."""
    logs = np.linspace(math.log(LEAST_TAU), math.log(MOST_TAU), N_COARSE)
    fits, heights = groups.along(logs, effect, start)
    near = np.flatnonzero(heights > heights.max() - FAR_BELOW)
    first, last = max(near[0] - 1, 0), min(near[-1] + 1, N_COARSE - 1)
    if last - first < N_COARSE // 2:
        best = fits[int(heights.argmax())].parameters
        logs = np.linspace(logs[first], logs[last], N_FINE)
        fits, heights = groups.along(logs, effect, best)
    weights = np.exp(heights - heights.max())
    return (groups.sigma * np.exp(logs)).tolist(), weights / weights.sum(), fits


@dataclass(frozen=True, eq=False, kw_only=True)
class _Groups:
    """The votes of all groups as those of one model, in which every group has items of its own.

    The model's own prior of scores, a standard normal one, is taken off wherever it comes in.
    """

    grouped: Grouped
    model: Model
    rows: VoteRows
    sigma: float

    @classmethod
    def of(cls, grouped: Grouped, sigma: float, ties: Ties, position: bool) -> _Groups:
        votes = grouped.apart()
        counts = count_votes(votes, folded=not position)
        model = Model.of(sums_of(votes, counts, folded=not position), ties, 1.0, position)
        return cls(grouped=grouped, model=model, rows=single_votes(votes, votes, None, None, "by-voter"), sigma=sigma)

    def precision(self, tau: float) -> Floats:
        """The prior's precision over groups, of one item: float64, shape (n_groups, n_groups)."""
        n_groups, variance = self.grouped.n_groups, self.sigma**2
        shared = variance / (tau**2 + n_groups * variance)
        return (np.eye(n_groups) - shared) / tau**2

    def along(self, logs: Floats, effect: float, start: Floats) -> tuple[list[Fitted], Floats]:
        """The fits at each logarithm of tau / sigma, and the log of the posterior density of these logarithms."""
        fits = []
        # From the largest tau down: each fit begins where the last one ended.
        for log in logs[::-1].tolist():
            fits.append(self.fitted(self.sigma * math.exp(log), effect, start))
            start = fits[-1].parameters
        fits.reverse()
        heights = np.array([found.evidence for found in fits]) + 2.0 * logs - 1.5 * np.log1p(np.exp(2.0 * logs))
        return fits, heights

    def fitted(self, tau: float, effect: float, start: Floats) -> Fitted:
        """The scores at tau, by damped Newton steps."""
        from scipy.linalg.lapack import dpotrf, dpotrs

        n_groups, n_items = self.grouped.n_groups, self.grouped.n_items
        between = self.precision(tau)
        prior = np.kron(between, np.eye(n_items))
        scores = self.model.layout.scores
        parameters, value = start.copy(), self._value(start, between, effect)
        for _ in range(MOST_STEPS):
            gradient, information = self._slopes(parameters, effect)
            gradient[scores] -= prior @ parameters[scores]
            information[scores, scores] += prior
            lower, failed = dpotrf(information, lower=1)
            if failed:
                break
            step = dpotrs(lower, gradient, lower=1)[0]
            size, gain = float(np.abs(step).max()), float(gradient @ step)
            if size <= TOLERANCE or gain <= ROUNDING * (1.0 + abs(value)):
                # What the evidence is of is the determinant at the maximum, which is a short step from here.
                half = np.log(lower.diagonal()).sum()
                n_own, all_of = (n_groups - 1) * n_items, tau**2 + n_groups * self.sigma**2
                log_q = -n_own * math.log(tau**2) - n_items * math.log(all_of)
                return Fitted(parameters, information, value + 0.5 * log_q - float(half))
            for halving in range(MOST_HALVINGS):
                tried = parameters + 0.5**halving * step
                reached = self._value(tried, between, effect) if self.model.allows(tried) else -math.inf
                if reached >= value - 1e-10 * (1.0 + abs(value)):
                    break
            else:
                break
            parameters, value = tried, max(reached, value) if size < 1e-4 else reached
        raise ConvergenceError(
            "the scores of the groups have not converged", option="prior_sd", remedy="set a smaller prior_sd"
        )

    def _value(self, parameters: Floats, between: Floats, effect: float) -> float:
        """The log-posterior whose maximum is looked for."""
        scores = parameters[self.model.layout.scores]
        votes = self.model.log_posterior(parameters) + 0.5 * float(scores @ scores)
        table = scores.reshape(len(between), -1)
        return votes / effect - 0.5 * float(np.einsum("gi,gh,hi->", table, between, table))

    def _slopes(self, parameters: Floats, effect: float) -> tuple[Floats, Floats]:
        """Gradient and information of the log-likelihood over phi, with the weak priors beside the scores."""
        model = self.model
        slopes, layout = model.slopes(parameters), model.layout
        gradient = slopes.gradient.copy()
        gradient[layout.scores] += parameters[layout.scores]
        information = np.zeros((layout.size, layout.size))
        own = np.zeros((layout.n_items, layout.n_items))
        model.sums.add_products(slopes, np.eye(layout.n_items), own)
        information[layout.scores, layout.scores] = own
        information[layout.scores, layout.beside] = slopes.border
        information[layout.beside, layout.scores] = slopes.border.T
        information[layout.beside, layout.beside] = slopes.corner
        return gradient / effect, information / effect

    def design_effect(self, start: Floats) -> tuple[float, Floats]:
        """How many times as far the voters' gradients scatter as those of independent votes; and the scores then.

        At tau = sigma, so that what groups differ by is not taken for what voters do.
        """
        least = LEAST_EFFECT if self.rows.share is not None else 1.0
        effect = 1.0
        for _ in range(ROUNDS):
            found = self.fitted(self.sigma, effect, start)
            start, known = found.parameters, effect
            effect = max(self._scatter(found, effect), least)
            if abs(effect - known) < 0.01 * known:
                break
        return effect, start

    def _scatter(self, found: Fitted, effect: float) -> float:
        inverse = inverse_of(found.information.copy())[self.model.layout.scores, self.model.layout.scores]
        gradients = voter_gradients(self.model, found.parameters, self.rows)[:, self.model.layout.scores]
        scatter = float((gradients @ inverse * gradients.toarray()).sum())
        once, twice = leverages(self.model, found.parameters, self.rows, inverse)
        expected = float(once.sum() - twice.sum() / effect)
        return scatter / expected if expected > 0.0 else 1.0


def vote_information(model: Model, parameters: Floats, rows: VoteRows) -> Floats:
    """The information of each vote of the log-odds of its left side: float64, shape (n_votes,)."""
    scores = parameters[model.layout.scores]
    d = scores[rows.left] - scores[rows.right] + model.position_effect(parameters)
    by_outcome = model.outcome.information(d, parameters[model.layout.nuisance])[0]
    found = by_outcome[rows.outcome, np.arange(len(d))]
    tied = (rows.outcome == Outcome.TIE) & ~rows.is_graded
    if rows.share is not None:
        parts = rows.share * by_outcome[Outcome.LEFT] + (1.0 - rows.share) * by_outcome[Outcome.RIGHT]
        found = np.where(rows.is_graded, parts, found)
    return np.asarray(np.where(tied, model.outcome.tie_weight, 1.0) * rows.weight * found)


def leverages(model: Model, parameters: Floats, rows: VoteRows, inverse: Floats) -> tuple[Floats, Floats]:
    """The traces of C H_v and of C H_v C H_v, over scores, of each voter: two of float64, shape (n_voters,)."""
    information = vote_information(model, parameters, rows)
    voter, n_voters = rows.clusters()
    order = np.argsort(voter, kind="stable")
    ends = np.cumsum(np.bincount(voter, minlength=n_voters))
    once, twice = np.zeros((2, n_voters))
    for place, votes in enumerate(np.split(order, ends[:-1])):
        left, right, root = rows.left[votes], rows.right[votes], np.sqrt(information[votes])
        if len(votes) <= len(inverse):
            half = inverse[:, left] - inverse[:, right]
            share = root[:, None] * (half[left] - half[right]) * root
        else:
            # More votes than items: a table over items is the smaller one, and has the same traces.
            across = np.zeros((len(votes), len(inverse)))
            across[np.arange(len(votes)), left], across[np.arange(len(votes)), right] = root, -root
            share = inverse @ (across.T @ across)
        once[place], twice[place] = np.trace(share), (share * share.T).sum()
    return once, twice


def _mixed(
    groups: _Groups, grid: list[float], weights: Floats, fits: list[Fitted], effect: float, rng: np.random.Generator
) -> Joint:
    """The mixture of normal posteriors over a grid of tau."""
    from scipy.linalg import solve_triangular

    n_groups, n_items = groups.grouped.n_groups, groups.grouped.n_items
    size, model = n_groups * n_items, groups.model
    used = [place for place, weight in enumerate(weights.tolist()) if weight > LEAST_WEIGHT * weights.max()]
    shares = weights[used] / weights[used].sum()
    n_draws = min(MOST_DRAWS, max(LEAST_DRAWS, MOST_NUMBERS // size))
    ends = np.round(np.cumsum(shares) * n_draws).astype(int)
    draws = np.empty((n_draws, n_groups, n_items))
    scores, parameters = np.zeros((n_groups, n_items)), np.zeros(model.layout.size)
    covariance, first = np.zeros((size, size)), 0
    for share, place, last in zip(shares.tolist(), used, ends.tolist(), strict=True):
        found = fits[place]
        lower = np.linalg.cholesky(found.information)
        centre = _centred(found.parameters[:size].reshape(n_groups, n_items))
        normals = solve_triangular(lower, rng.standard_normal((len(lower), last - first)), lower=True, trans=1)
        draws[first:last] = centre + _centred(normals[:size].T.reshape(-1, n_groups, n_items))
        within = inverse_of(found.information.copy())[:size, :size].reshape(n_groups, n_items, n_groups, n_items)
        within = within - within.mean(axis=1, keepdims=True)
        within = (within - within.mean(axis=3, keepdims=True)).reshape(size, size)
        covariance += share * (within + np.outer(centre, centre))
        scores += share * centre
        parameters += share * found.parameters
        first = last
    covariance -= np.outer(scores, scores)
    # What chance has done to the draws' means is taken off.
    draws += scores - draws.mean(axis=0)
    cumulated, logs = np.cumsum(shares), np.log([grid[place] for place in used])
    tau = [float(np.exp(np.interp(p, cumulated - 0.5 * shares, logs))) for p in (0.5, 0.025, 0.975)]
    return Joint(
        scores=scores,
        covariance=covariance,
        draws=draws,
        tau=(tau[0], tau[1], tau[2]),
        design_effect=effect,
        tie_parameter=model.tie_parameter(parameters),
        position_effect=model.position_effect(parameters),
    )


def _centred(scores: Floats) -> Floats:
    """Scores less the mean of each group's."""
    return np.asarray(scores - scores.mean(axis=-1, keepdims=True))
