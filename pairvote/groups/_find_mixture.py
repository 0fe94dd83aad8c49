r"""A mixture of Bradley-Terry models over voters, by EM.

A voter answers by a coin with the chance :math:`\rho`, and otherwise belongs to camp k with the chance :math:`\pi_k`
and answers by the scores :math:`s_k` of that camp, of which

.. math:: s_k \sim N(m, \tau^2 I), \qquad m \sim N(0, \sigma^2 I)

for several camps, and :math:`s_1 \sim N(0, \sigma^2 I)` for one, of which :math:`\sigma` is learned. So camps that
hardly differ are drawn together, as far as :math:`\tau = 0.4`: camps that differ less are not worth telling apart, and
if :math:`\tau` vanished, several camps would be one. With
:math:`\ell_{vk}` the log-likelihood of voter v's votes in camp k and :math:`\ell_{v0}` that of a coin, the E-step is

.. math:: r_{vk} \propto (1 - \rho)\, \pi_k\, e^{\ell_{vk}}, \qquad r_{v0} \propto \rho\, e^{\ell_{v0}},

and the M-step one Newton step of each :math:`s_k` on counts weighted by :math:`r_{vk}`, the mean of m given them, the
shares with one vote of a prior for each camp, :math:`\rho` under Beta(1, 4), and

.. math:: \tau^2 = \frac{1}{K n} \sum_k \bigl( |s_k - m|^2 + \mathrm{tr}\, H_k^{-1} \bigr)

with :math:`H_k` the information of :math:`s_k`, its prior's included: the EM step of a variance. Of several starts the
one with the largest Laplace approximation of the marginal likelihood is taken,

.. math:: \sum_v \log \sum_k (\ldots) - \sum_k \Bigl( \tfrac{|s_k - m|^2}{2 \tau^2} + n \log \tau
          + \tfrac12 \log |H_k| \Bigr) - \tfrac{|m|^2}{2 \sigma^2} .

References
----------
Dempster, Laird and Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 39. Croon and
Luijkx (1993), "Latent structure models for ranking data", for latent classes of Bradley-Terry models; Zhao, Piech and
Xia (2016), "Learning mixtures of Plackett-Luce models", ICML. Tierney and Kadane (1986), JASA 81, for Laplace's
approximation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import ConvergenceError
from pairvote.groups._find_cells import VoterCells

Floats = NDArray[np.float64]
# How many voters the prior of the share of coins speaks for, and how many of them toss one.
PRIOR_VOTERS, PRIOR_COINS = 5.0, 1.0
# Scores change by no more than this at one step, and camps differ by no less than this.
LONGEST_STEP, LEAST_SPREAD, FIRST_SPREAD = 2.0, 0.4, 1.0
# What a voter's camp is at the start: this much of it where the start puts the voter.
SURE = 0.8
# Iterations of EM, and the change of the log-likelihood at which it ends.
MOST_ITERATIONS = 500
# Newton steps before voters are told apart: a camp whose scores are not fitted yet looks like coins.
STEPS_AT_FIRST, POOLED_STEPS = 5, 20
# How long all starts are followed, and how many of them to the end.
FIRST_ITERATIONS, FOLLOWED = 8, 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Mixture:
    """A fitted mixture: scores (n_groups, n_items); shares (n_groups,), adding up to 1; chances (n_voters, n_groups) of
    each voter's camp given that there is one; attentive (n_voters,), the chance that there is; spread, of the scores'
    prior; evidence, the logarithm of the marginal likelihood.
    """

    scores: Floats
    shares: Floats
    chances: Floats
    attentive: Floats
    spread: float
    evidence: float

    @property
    def n_groups(self) -> int:
        """The number of camps."""
        return len(self.scores)

    def of_each(self) -> NDArray[np.intp]:
        """The likeliest camp of each voter."""
        return self.chances.argmax(axis=1)

    def largest_first(self) -> Mixture:
        """The same camps, those with more voters first."""
        order = np.argsort(-(self.chances * self.attentive[:, None]).sum(axis=0), kind="stable")
        return replace(self, scores=self.scores[order], shares=self.shares[order], chances=self.chances[:, order])

    def predicted(self, held: VoterCells) -> Floats:
        """The log-chance of votes held out, given what the fitted votes say of each voter: shape (n_voters,)."""
        logs = held.log_likelihoods(self.scores) + logarithm(self.chances.T * self.attentive)
        coin = held.coin_log_likelihoods() + logarithm(1.0 - self.attentive)
        return np.asarray(np.logaddexp.reduce(np.concatenate([logs, coin[None]]), axis=0))


@dataclass(frozen=True, eq=False, kw_only=True)
class Common:
    """Where mixtures of several camps begin: the scores (n_items,) of a single one, and their spread sigma."""

    scores: Floats
    sigma: float

    @classmethod
    def level(cls, cells: VoterCells) -> Common:
        """Level scores, where a single camp begins."""
        return cls(scores=np.zeros(cells.n_items), sigma=FIRST_SPREAD)

    @classmethod
    def pooled(cls, cells: VoterCells) -> Common:
        """The scores of all voters as one camp without coins, and their learned spread."""
        level = cls.level(cells)
        runs = _Runs.started(cells, level, np.zeros((1, cells.n_voters), np.intp), 1)
        for _ in range(POOLED_STEPS):
            runs.maximise(cells, level)
        return cls(scores=runs.scores[0, 0], sigma=float(runs.spread[0]))

    @classmethod
    def of(cls, one: Mixture) -> Common:
        """What a mixture of one camp has found."""
        return cls(scores=one.scores[0], sigma=one.spread)


def newton(
    cells: VoterCells, counts: Floats, scores: Floats, centre: Floats, spread: Floats
) -> tuple[Floats, Floats, Floats]:
    """One Newton step: scores (n, n_items), inverse information (n, n_items, n_items) and log |information| (n,)."""
    gradient, information = cells.slopes(counts, scores)
    precision = spread[:, None] ** -2.0
    every = np.arange(cells.n_items)
    information[:, every, every] += precision
    try:
        inverse = np.linalg.inv(information)
    except np.linalg.LinAlgError as error:
        raise ConvergenceError(
            "the votes weigh so much that nothing is left of the prior beside them",
            option="weight",
            remedy="divide all weights by one number, so that a vote weighs about 1",
        ) from error
    step = (inverse @ (gradient - precision * (scores - centre))[..., None])[..., 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    step *= np.minimum(1.0, LONGEST_STEP / np.maximum(longest, LONGEST_STEP))
    return scores + step, np.asarray(inverse, np.float64), np.asarray(np.linalg.slogdet(information)[1])


@dataclass(eq=False, kw_only=True)
class _Runs:
    """Runs of EM side by side, one for each start; the first axis of every array is the run.

    scores (.., n_groups, n_items); middle (.., n_items) and spread (..,) of their prior. belongs (.., n_groups,
    n_voters): the chances of each camp, which add up to the chance of being attentive. shares (.., n_groups) of the
    camps, rho (..,) of coins. log_likelihood (..,) of the votes; log_size (.., n_groups), log |H_k|.
    """

    scores: Floats
    middle: Floats
    spread: Floats
    belongs: Floats
    shares: Floats
    rho: Floats
    log_likelihood: Floats
    log_size: Floats

    @classmethod
    def started(cls, cells: VoterCells, common: Common, labels: NDArray[np.intp], n_groups: int) -> _Runs:
        """Runs from labels (n_starts, n_voters), the camp of each voter."""
        n, several = len(labels), n_groups > 1
        chosen = labels[:, None] == np.arange(n_groups)[:, None]
        return cls(
            scores=np.tile(common.scores, (n, n_groups, 1)),
            middle=np.tile(common.scores if several else np.zeros(cells.n_items), (n, 1)),
            spread=np.full(n, FIRST_SPREAD),
            belongs=np.where(chosen, SURE, 0.0) + (1.0 - SURE) / n_groups,
            shares=np.full((n, n_groups), 1.0 / n_groups),
            rho=np.full(n, PRIOR_COINS / PRIOR_VOTERS),
            log_likelihood=np.full(n, -np.inf),
            log_size=np.zeros((n, n_groups)),
        )

    def some(self, runs: NDArray[np.intp]) -> _Runs:
        """Some of the runs."""
        return _Runs(**{field.name: getattr(self, field.name)[runs] for field in fields(self)})

    def iterate(self, cells: VoterCells, common: Common, coin: Floats, max_iter: int, tol: float = 0.0) -> None:
        """Go on for so many iterations, or until no log-likelihood changes by more than `tol`."""
        for _ in range(max_iter):
            before = self.log_likelihood
            self.maximise(cells, common)
            self._expect(cells, coin)
            if (np.abs(self.log_likelihood - before) <= tol).all():
                break

    def maximise(self, cells: VoterCells, common: Common) -> None:
        n, n_groups, n_items = self.scores.shape
        flat = (n * n_groups, -1)
        counts = cells.counts_of(self.belongs.reshape(flat))
        middle, spread = np.repeat(self.middle, n_groups, axis=0), np.repeat(self.spread, n_groups)
        scores, inverse, log_size = newton(cells, counts, self.scores.reshape(flat), middle, spread)
        self.scores, self.log_size = scores.reshape(self.scores.shape), log_size.reshape(n, n_groups)
        if n_groups > 1:
            precision = n_groups + (self.spread / common.sigma) ** 2
            self.middle = self.scores.sum(axis=1) / precision[:, None]
        left = np.trace(inverse, axis1=1, axis2=2).reshape(n, n_groups).sum(axis=1)
        self.spread = np.maximum(np.sqrt((self._apart() + left) / (n_groups * n_items)), LEAST_SPREAD)
        self.shares = (self.belongs.sum(axis=2) + 1.0) / (self.belongs.sum(axis=(1, 2)) + n_groups)[:, None]
        n_coins = cells.n_voters - self.belongs.sum(axis=(1, 2))
        self.rho = (n_coins + PRIOR_COINS) / (cells.n_voters + PRIOR_VOTERS)

    def _expect(self, cells: VoterCells, coin: Floats) -> None:
        n, n_groups, _ = self.scores.shape
        logs = np.empty((n, n_groups + 1, cells.n_voters))
        of_camps = np.log(self.shares) + np.log1p(-self.rho)[:, None]
        logs[:, :-1] = cells.log_likelihoods(self.scores) + of_camps[..., None]
        logs[:, -1] = coin + np.log(self.rho)[:, None]
        largest = logs.max(axis=1, keepdims=True)
        chances = np.exp(logs - largest)
        total = chances.sum(axis=1, keepdims=True)
        self.belongs = chances[:, :-1] / total
        self.log_likelihood = (largest + np.log(total)).sum(axis=(1, 2))

    def _apart(self) -> Floats:
        return np.asarray(((self.scores - self.middle[:, None]) ** 2).sum(axis=(1, 2)))

    def evidence(self, sigma: float) -> Floats:
        """The logarithm of the marginal likelihood of each run."""
        _, n_groups, n_items = self.scores.shape
        of_prior = 0.5 * self._apart() / self.spread**2 + n_groups * n_items * np.log(self.spread)
        of_middle = 0.5 * (self.middle**2).sum(axis=1) / sigma**2
        return np.asarray(self.log_likelihood - of_prior - 0.5 * self.log_size.sum(axis=1) - of_middle)


def fit_mixture(
    cells: VoterCells,
    common: Common,
    labels: NDArray[np.intp],
    n_groups: int,
    *,
    tol: float,
    max_iter: int = MOST_ITERATIONS,
) -> Mixture:
    """The best mixture from some starts: labels (n_starts, n_voters), the camp of each voter in each of them.

    All starts are followed for a few iterations, and the most promising ones to the end (Biernacki, Celeux and Govaert
    2003, Computational Statistics and Data Analysis 41).
    """
    coin = cells.coin_log_likelihoods()
    runs = _Runs.started(cells, common, labels, n_groups)
    for _ in range(STEPS_AT_FIRST):
        runs.maximise(cells, common)
    if len(labels) > FOLLOWED:
        runs.iterate(cells, common, coin, FIRST_ITERATIONS)
        runs = runs.some(np.argsort(-runs.evidence(common.sigma), kind="stable")[:FOLLOWED])
    runs.iterate(cells, common, coin, max_iter, tol)
    evidence = runs.evidence(common.sigma)
    best = int(evidence.argmax())
    belongs, shares = runs.belongs[best], runs.shares[best]
    attentive = belongs.sum(axis=0)
    chances = np.where(attentive > 0.0, belongs, shares[:, None]) / np.where(attentive > 0.0, attentive, 1.0)
    return Mixture(
        scores=runs.scores[best],
        shares=shares,
        chances=chances.T,
        attentive=np.minimum(attentive, 1.0),
        spread=float(runs.spread[best]),
        evidence=float(evidence[best]),
    )


def logarithm(values: Floats) -> Floats:
    """The logarithm, minus infinity of 0."""
    return np.log(values, out=np.full_like(values, -np.inf), where=values > 0.0)


def leading(departures: Any, n_axes: int) -> tuple[Floats, Floats, Floats]:
    """Principal components of sparse departures (n_voters, n_items): coordinates of voters (n_voters, n_axes), axes
    (n_items, n_axes) and the share of the variance along each (n_axes,). Fewer items are axes of zeros.

    Each axis points to where its largest entry is positive.
    """
    mean = np.asarray(departures.mean(axis=0)).ravel()
    n_voters, n_items = departures.shape
    square = (departures.T @ departures).toarray() - n_voters * np.outer(mean, mean)
    values, vectors = np.linalg.eigh(square)
    values, vectors = np.maximum(values[::-1][:n_axes], 0.0), vectors[:, ::-1][:, :n_axes]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    axes = np.zeros((n_items, n_axes))
    axes[:, : vectors.shape[1]] = vectors * np.where(signs == 0.0, 1.0, signs)
    total = float(np.trace(square))
    shares = np.zeros(n_axes)
    if total > 0.0:
        shares[: len(values)] = values / total
    return np.asarray(departures @ axes) - mean @ axes, axes, shares
