"""A sampler of Bradley-Terry scores under a prior whose spread and shape are learned: slow, and exact but for Monte
Carlo error, to hold the library's sampler against. Nothing here imports pairvote.

The scores are theta_i = s x_i, with x_i drawn from a mixture of three normals Normal(u_k, v_k) of weights w_k;
u_k ~ Normal(0, 1.5^2), v_k ~ InverseGamma(3, 1), w ~ Dirichlet(1/2, 1/2, 1/2), s ~ half-normal(2). Beside them stand
the logarithm of the tie parameter, Normal(c, 3^2) with c where ties are as likely as wins between level items, and the
position effect and the coefficients delta, together Normal(0, 3^2 M^-1) with M the mean of z z' over all votes, where
z'delta is what they add to the log-odds of the left side (Zellner 1986).

Rao and Kupper's tau itself is Normal(log 3, 3^2), as is the threshold of the cumulative model, which is theirs. Of a
name that begins with "probit" all of this is the unit of the normal link times the parameter, sqrt(8 / pi), so that a
vote on level items says as much of it.

Which item belongs to which component is summed out. What is left is sampled in unconstrained coordinates by Hamiltonian
Monte Carlo (Neal 2011, algorithm 1), many chains side by side, each step once with the scores theta and once with the
x as coordinates: theta is all but independent of s where votes are many, x where they are few. Weights of a
Dirichlet(1/2, 1/2, 1/2) are z_k^2 / (z_1^2 + z_2^2 + z_3^2) of three standard normals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr
from scipy.stats import norm

Floats = NDArray[np.float64]

K = 3
CENTRE_SD = 1.5
SHAPE = 3.0
SCALE_SD = 2.0
BESIDE_SD = 3.0
PROBIT_UNIT = math.sqrt(8 / math.pi)
LOG_TIE_CENTRE = {"davidson": math.log(2.0), "rao-kupper": math.log(3.0), "cumulative": math.log(3.0)}
LOG_TIE_CENTRE |= dict.fromkeys(("probit glenn-david", "probit cumulative"), PROBIT_UNIT * norm.ppf(0.75))


def unit_of(ties: str) -> float:
    """What library's scores are multiplied by here."""
    return PROBIT_UNIT if ties.startswith("probit") else 1.0


@dataclass(frozen=True, kw_only=True)
class Data:
    """Votes with equal sides and effects counted together.

    contrasts: (n_rows, n_items), +1 for the left item and -1 for the right one. effects: (n_rows, n_effects), a column
    of ones for the position effect and the covariates. table: the weights of right wins, ties and left wins, (n_rows,
    3), or (n_chains, n_rows, 3) where each chain has votes of its own. has_tie: whether there is a tie parameter.
    """

    contrasts: Floats
    effects: Floats
    table: Floats
    ties: str
    has_tie: bool

    @property
    def n_items(self) -> int:
        return self.contrasts.shape[1]

    @property
    def n_effects(self) -> int:
        return self.effects.shape[1]

    @cached_property
    def precision(self) -> Floats:
        """Of the prior of the effects, (n_effects, n_effects); chains' votes are as many on each row."""
        weights = np.atleast_2d(self.table.sum(axis=-1)).mean(axis=0)
        return (weights / weights.sum() * self.effects.T) @ self.effects / BESIDE_SD**2


def data_of(rows, n_items, ties="davidson", position=False, covariates=None) -> Data:
    """Data of rows (left, right, outcome, weight), outcomes 0 right wins, 1 tie, 2 left wins, 3 skip.

    covariates: (n_rows, n_covariates); the coefficients are of covariates divided by their largest size.
    """
    kept = [number for number, row in enumerate(rows) if row[2] != 3 and row[3] > 0]
    design = np.zeros((len(rows), 0)) if covariates is None else np.asarray(covariates, float)
    design = design / np.abs(design[kept]).max(axis=0) if kept and design.shape[1] else design
    sums: dict[tuple[int, int, tuple[float, ...]], list[float]] = {}
    for number in kept:
        left, right, outcome, weight = rows[number]
        if left > right and not position and not design.shape[1]:
            left, right, outcome = right, left, 2 - outcome
        effects = ((1.0,) if position else ()) + tuple(design[number].tolist())
        sums.setdefault((left, right, effects), [0.0, 0.0, 0.0])[outcome] += weight
    contrasts = np.zeros((len(sums), n_items))
    for number, (left, right, _) in enumerate(sums):
        contrasts[number, left], contrasts[number, right] = 1.0, -1.0
    table = np.array(list(sums.values())).reshape(-1, 3)
    return Data(
        contrasts=contrasts,
        effects=np.array([effects for _, _, effects in sums]).reshape(len(sums), position + design.shape[1]),
        table=table,
        ties=ties,
        has_tie=ties in LOG_TIE_CENTRE and bool(table[:, 1].sum() > 0),
    )


class Parts(NamedTuple):
    """The unconstrained parameters of every chain by name: all of shape (n_chains, ...).

    tie: eta = log nu of Davidson, or the logarithm of a threshold; (n_chains, 0) without a tie parameter.
    """

    scores: Floats
    log_s: Floats
    u: Floats
    log_v: Floats
    z: Floats
    tie: Floats
    effects: Floats


def parts(data: Data, q: Floats) -> Parts:
    """Views of the parts of q."""
    sizes = [data.n_items, 1, K, K, K, int(data.has_tie), data.n_effects]
    return Parts(*np.split(q, np.cumsum(sizes)[:-1], axis=1))


def log_sigmoid(x: Floats) -> Floats:
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


def log_sum_exp(terms: Floats) -> Floats:
    """Over the first axis."""
    largest = terms.max(axis=0)
    return largest + np.log(np.exp(terms - largest).sum(axis=0))


def log_likelihood(data: Data, theta: Floats, tie: Floats, effects: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The log-likelihood (n_chains,) and its gradients by theta, the tie coordinate and the effects."""
    d = theta @ data.contrasts.T + effects @ data.effects.T
    right, tied, left = (data.table[..., outcome] for outcome in range(3))
    by_tie = np.zeros_like(tie)
    if data.ties.startswith("probit"):
        value, by_d, by_tie = normal_likelihood(data, d, tie)
    elif data.has_tie and data.ties == "davidson":
        logits = np.stack([-d / 2, np.broadcast_to(tie, d.shape), d / 2])
        log_p = logits - log_sum_exp(logits)
        value = right * log_p[0] + tied * log_p[1] + left * log_p[2]
        p, asked = np.exp(log_p), right + tied + left
        by_d = (left - right) / 2 - asked * (p[2] - p[0]) / 2
        by_tie = (tied - asked * p[1]).sum(axis=1, keepdims=True)
    elif data.has_tie:
        tau = np.exp(tie)
        log_left, log_right = log_sigmoid(d - tau), log_sigmoid(-d - tau)
        # Of ties log(e^(2 tau) - 1), without overflow.
        alone = 2 * tau + np.log(-np.expm1(-2 * tau))
        value = (left + tied) * log_left + (right + tied) * log_right + tied * alone
        from_left, from_right = (left + tied) * -np.expm1(log_left), (right + tied) * -np.expm1(log_right)
        by_d = from_left - from_right
        by_tau = (tied * 2 / -np.expm1(-2 * tau) - from_left - from_right).sum(axis=1, keepdims=True)
        by_tie = by_tau * tau
    else:
        share = 0.5 if data.ties == "half" else 0.0
        won, lost = left + share * tied, right + share * tied
        # log P(right) = log P(left) - d
        log_left = log_sigmoid(d)
        value = (won + lost) * log_left - lost * d
        by_d = won - (won + lost) * np.exp(log_left)
    return value.sum(axis=1), by_d @ data.contrasts, by_tie, by_d @ data.effects


def normal_likelihood(data: Data, d: Floats, tie: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each row the log-likelihood by the normal link and its derivative by d; and that of all by the tie coordinate.

    P(left) = Phi((d - tau) / u), P(right) = Phi((-d - tau) / u), u the unit, and the rest for ties.
    """
    right, tied, left = (data.table[..., outcome] for outcome in range(3))
    tau = np.exp(tie) if data.has_tie else np.zeros_like(d[:, :1])
    if not data.has_tie:
        share = 0.5 if data.ties.endswith("half") else 0.0
        left, right, tied = left + share * tied, right + share * tied, np.zeros_like(tied)

    def tail(x: Floats) -> tuple[Floats, Floats]:
        """log Phi(x / u) and its derivative."""
        x = x / PROBIT_UNIT
        log_f = log_ndtr(x)
        return log_f, np.exp(norm.logpdf(x) - log_f) / PROBIT_UNIT

    log_left, from_left = tail(d - tau)
    log_right, from_right = tail(-d - tau)
    value = left * log_left + right * log_right
    by_d = left * from_left - right * from_right
    by_tau = -left * from_left - right * from_right
    if data.has_tie:
        # Of ties by |d|, in the lower tail.
        above, below = (sign * tau - np.abs(d) for sign in (1, -1))
        log_above, log_below = tail(above)[0], tail(below)[0]
        log_p = log_above + np.log(-np.expm1(np.minimum(log_below - log_above, -1e-300)))
        at_above, at_below = (np.exp(norm.logpdf(x / PROBIT_UNIT) - log_p) / PROBIT_UNIT for x in (above, below))
        value = value + tied * log_p
        by_d = by_d + tied * (at_below - at_above) * np.sign(d)
        by_tau = by_tau + tied * (at_above + at_below)
    by_tie = (by_tau.sum(axis=1, keepdims=True) * tau) if data.has_tie else np.zeros_like(tie)
    return value, by_d, by_tie


def log_mixture(x: Floats, u: Floats, log_v: Floats, z: Floats) -> tuple[Floats, Parts]:
    """sum_i log sum_k w_k Normal(x_i; u_k, v_k) but for a constant, and its gradients by x, u, log_v and z."""
    # The components first, as (K, n_chains, n_items).
    away = x - u.T[:, :, None]
    by_v = away / np.exp(log_v).T[:, :, None]
    size = (z**2).sum(axis=1, keepdims=True)
    log_w = np.log(z**2 / size)
    terms = (log_w - 0.5 * log_v).T[:, :, None] - 0.5 * away * by_v
    each = log_sum_exp(terms)
    share = np.exp(terms - each)
    pull = share * by_v
    gradient = Parts(
        scores=-pull.sum(axis=0),
        log_s=np.empty(0),
        u=pull.sum(axis=2).T,
        log_v=0.5 * (pull * away - share).sum(axis=2).T,
        z=2 * share.sum(axis=2).T / z - 2 * x.shape[1] * z / size,
        tie=np.empty(0),
        effects=np.empty(0),
    )
    return each.sum(axis=1), gradient


def log_density(data: Data, q: Floats, *, scaled: bool) -> tuple[Floats, Floats]:
    """The log-density of the parameters (n_chains,) and its gradient (n_chains, n_parameters), but for a constant.

    scaled: the first coordinates are the x, otherwise the scores theta = s x.
    """
    given = parts(data, q)
    s = np.exp(given.log_s)
    theta = given.scores * s if scaled else given.scores
    x = given.scores if scaled else given.scores / s
    gradient = np.zeros_like(q)
    by = parts(data, gradient)

    mixture, of_mixture = log_mixture(x, given.u, given.log_v, given.z)
    votes, by_theta, by_tie, by_effects = log_likelihood(data, theta, given.tie, given.effects)
    value = mixture + votes
    by.u[:], by.log_v[:], by.z[:], by.tie[:], by.effects[:] = (*of_mixture[2:5], by_tie, by_effects)
    if scaled:
        by.scores[:] = of_mixture.scores + by_theta * s
        by.log_s[:] = (by_theta * theta).sum(axis=1, keepdims=True)
    else:
        # p(theta) = p(x) / s^n
        value = value - data.n_items * given.log_s[:, 0]
        by.scores[:] = of_mixture.scores / s + by_theta
        by.log_s[:] = -(of_mixture.scores * x).sum(axis=1, keepdims=True) - data.n_items

    value = value - 0.5 * ((given.u / CENTRE_SD) ** 2).sum(axis=1) - 0.5 * (given.z**2).sum(axis=1)
    by.u[:] -= given.u / CENTRE_SD**2
    by.z[:] -= given.z
    # The densities of the logarithms of v and s: those of v and s times v and s.
    value = value - (SHAPE * given.log_v + np.exp(-given.log_v)).sum(axis=1)
    by.log_v[:] -= SHAPE - np.exp(-given.log_v)
    value = value + (given.log_s - 0.5 * (s / SCALE_SD) ** 2)[:, 0]
    by.log_s[:] += 1 - (s / SCALE_SD) ** 2
    if data.has_tie and data.ties == "davidson":
        off = (given.tie - LOG_TIE_CENTRE["davidson"]) / BESIDE_SD
        value = value - 0.5 * (off**2)[:, 0]
        by.tie[:] -= off / BESIDE_SD
    elif data.has_tie:
        tau = np.exp(given.tie)
        off = (tau - LOG_TIE_CENTRE[data.ties]) / BESIDE_SD
        value = value + (given.tie - 0.5 * off**2)[:, 0]
        by.tie[:] += 1 - off / BESIDE_SD * tau
    firm = given.effects @ data.precision
    value = value - 0.5 * (firm * given.effects).sum(axis=1)
    by.effects[:] -= firm
    return value, gradient


def from_prior(n_chains: int, data: Data, rng: np.random.Generator) -> Floats:
    """Draws of the parameters from the prior, the first coordinates theta."""
    q = np.zeros((n_chains, data.n_items + 1 + 3 * K + data.has_tie + data.n_effects))
    of = parts(data, q)
    s = np.abs(rng.normal(0, SCALE_SD, (n_chains, 1)))
    of.log_s[:] = np.log(s)
    of.u[:] = rng.normal(0, CENTRE_SD, of.u.shape)
    of.log_v[:] = -np.log(rng.gamma(SHAPE, size=of.u.shape))
    of.z[:] = rng.normal(size=of.u.shape)
    w = of.z**2 / (of.z**2).sum(axis=1, keepdims=True)
    below = np.cumsum(w, axis=1)[:, None, :-1]
    member = (below < rng.random((n_chains, data.n_items, 1))).sum(axis=2)
    centre, sd = (np.take_along_axis(part, member, axis=1) for part in (of.u, np.exp(of.log_v / 2)))
    of.scores[:] = s * rng.normal(centre, sd)
    if data.has_tie:
        log_tie = rng.normal(LOG_TIE_CENTRE[data.ties], BESIDE_SD, of.tie.shape)
        if data.ties != "davidson":
            while (log_tie <= 0).any():
                again = rng.normal(LOG_TIE_CENTRE[data.ties], BESIDE_SD, of.tie.shape)
                log_tie = np.where(log_tie <= 0, again, log_tie)
        of.tie[:] = np.log(log_tie) if data.ties != "davidson" else log_tie
    of.effects[:] = rng.normal(size=of.effects.shape) @ np.linalg.inv(np.linalg.cholesky(data.precision))
    return q


def changed_scores(data: Data, q: Floats, power: int) -> Floats:
    """The first coordinates times s^power: 1 makes theta of x, -1 makes x of theta."""
    changed = q.copy()
    of = parts(data, changed)
    of.scores[:] *= np.exp(power * of.log_s)
    return changed


@dataclass
class Hamiltonian:
    """Steps in one of the two sets of coordinates, that learn their length and their scales as long as asked to."""

    data: Data
    scaled: bool
    root: Floats
    step: float = 0.1
    longest: int = 40
    accepted: float = 0.0

    def move(self, theta_q: Floats, rng: np.random.Generator, *, adapt: float = 0.0) -> Floats:
        """One step of all chains; q goes in and comes out with theta as its first coordinates.

        With y the parameters in units of `root`, momenta are standard normal (Neal 2011, section 5.4.1).
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._move(theta_q, rng, adapt)

    def _move(self, theta_q: Floats, rng: np.random.Generator, adapt: float) -> Floats:
        q = changed_scores(self.data, theta_q, -1) if self.scaled else theta_q
        step = self.step * rng.uniform(0.6, 1.1)
        n_steps = int(rng.integers(1, min(self.longest, math.ceil(3.0 / self.step)) + 1))
        before, slope = log_density(self.data, q, scaled=self.scaled)
        momentum = rng.normal(size=q.shape)
        energy = before - 0.5 * (momentum**2).sum(axis=1)
        moved = q
        for _ in range(n_steps):
            momentum = momentum + 0.5 * step * (slope @ self.root)
            moved = moved + step * (momentum @ self.root.T)
            value, slope = log_density(self.data, moved, scaled=self.scaled)
            momentum = momentum + 0.5 * step * (slope @ self.root)
        log_ratio = value - 0.5 * (momentum**2).sum(axis=1) - energy
        # A path that left the range of floats ends in nan, and is not taken.
        chance = np.exp(np.minimum(np.where(np.isnan(log_ratio), -np.inf, log_ratio), 0.0))
        self.accepted = float(chance.mean())
        if adapt:
            self.step *= math.exp(adapt * (self.accepted - 0.8))
        q = np.where((rng.random(len(q)) < chance)[:, None], moved, q)
        return changed_scores(self.data, q, 1) if self.scaled else q


class Draws(NamedTuple):
    """Draws after warm-up: scores (n_steps, n_chains, n_items), of mean zero; log_tie (n_steps, n_chains, 0 or 1), the
    logarithm of the public tie parameter; effects (n_steps, n_chains, n_effects); scale, the s (n_steps, n_chains, 1).
    """

    scores: Floats
    log_tie: Floats
    effects: Floats
    scale: Floats


def sample(data: Data, *, n_draws: int, n_warm_up: int, n_chains: int = 64, seed: int = 0) -> Draws:
    """Draws from the posterior, from chains that begin at independent draws from the prior.

    In the warm-up the covariances of the parameters over all chains become the scales of the steps, several times.
    """
    rng = np.random.default_rng(seed)
    q = from_prior(n_chains, data, rng)
    moves = [Hamiltonian(data, scaled, np.eye(q.shape[1])) for scaled in (False, True)]
    windows = [n_warm_up // 8] * 2 + [n_warm_up // 4] * 3
    for window in windows:
        seen: list[list[Floats]] = [[], []]
        for number in range(window):
            for move, kept in zip(moves, seen, strict=True):
                q = move.move(q, rng, adapt=0.5 / (1 + number) ** 0.6 + 0.01)
                if number >= window // 3:
                    kept.append(changed_scores(data, q, -1) if move.scaled else q)
        if window is windows[-1]:
            break
        for move, kept in zip(moves, seen, strict=True):
            covariance = np.cov(np.concatenate(kept).T)
            move.root = np.linalg.cholesky(covariance + 1e-9 * np.diag(np.diag(covariance)))
    kept_parts: list[Parts] = []
    for _ in range(n_draws):
        for move in moves:
            q = move.move(q, rng)
        kept_parts.append(parts(data, q))
    scores, log_s, _, _, _, tie, effects = (np.array(part) for part in zip(*kept_parts, strict=True))
    return Draws(
        scores=scores - scores.mean(axis=2, keepdims=True),
        log_tie=tie if data.ties == "davidson" else np.exp(tie),
        effects=effects,
        scale=np.exp(log_s),
    )


class Summary(NamedTuple):
    """Means and standard deviations of draws, and the Monte Carlo errors of both, from how far chains differ."""

    mean: Floats
    sd: Floats
    mean_error: Floats
    sd_error: Floats


def summary(draws: Floats) -> Summary:
    """The summary of draws (n_steps, n_chains, n): each chain is an independent estimate of means and variances."""
    mean = draws.mean(axis=(0, 1))
    of_chains = draws.mean(axis=0)
    variances = ((draws - mean) ** 2).mean(axis=0)
    root_n = math.sqrt(draws.shape[1])
    sd = np.sqrt(variances.mean(axis=0))
    mean_error = of_chains.std(axis=0, ddof=1) / root_n
    sd_error = variances.std(axis=0, ddof=1) / root_n / (2 * sd)
    return Summary(mean, sd, mean_error, sd_error)
