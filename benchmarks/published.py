"""Simulations that others published, with our strategies on the same axes.

Hybrid-MST (Li et al. 2018, section 5): 60 items, strengths U(0, 5), each seen with normal noise of a standard
deviation of its own, U(0, 0.7), 10% of the answers flipped; up to 15 standard trials of n (n - 1) / 2 comparisons.
ASAP (Mikhailiuk et al. 2021): 20 items, U(0, 5), noise of standard deviation 1 on each side (Thurstone's case V), 1 to
10 standard trials.

Their criterion is the expected information of an answer, by quadrature over the posterior of a difference: "batches"
takes the n - 1 pairs of the tree that it is largest along, as Hybrid-MST does, and "one by one" the best pair each
time, as ASAP does; both refit the posterior (here by bradley_terry, as all are scored) before each choice. Every
answer is a new voter's.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import pairvote as pv

Floats = NDArray[np.float64]
SEED = 2018
# Strengths U(0, 5) have the standard deviation 5 / sqrt(12).
PRIOR_SD = 1.5
NODES, WEIGHTS = np.polynomial.hermite.hermgauss(30)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A simulation that was published: noise_sd is that of each item, U(0, noise_sd) or the same for all."""

    title: str
    n_items: int
    noise_sd: float
    noise_varies: bool
    flipped: float
    trials: tuple[int, ...]
    batches: bool

    @property
    def n_pairs(self) -> int:
        return self.n_items * (self.n_items - 1) // 2


HYBRID_MST = Study(
    title="Hybrid-MST", n_items=60, noise_sd=0.7, noise_varies=True, flipped=0.1, trials=(1, 2, 5, 10, 15), batches=True
)
ASAP = Study(
    title="ASAP", n_items=20, noise_sd=1.0, noise_varies=False, flipped=0.0, trials=(1, 2, 5, 10), batches=False
)


class Panel:
    """Strengths and what observers say of pairs, one after another."""

    def __init__(self, study: Study, run: int) -> None:
        self.study = study
        rng = np.random.default_rng([SEED, run])
        self.strengths = rng.uniform(0, 5, study.n_items)
        self.noise = (
            rng.uniform(0, study.noise_sd, study.n_items)
            if study.noise_varies
            else np.full(study.n_items, study.noise_sd)
        )
        self.rng = rng
        self.asked: list[tuple[int, int, int]] = []

    def ask(self, left: int, right: int) -> int:
        """Whether the left is picked, as an outcome."""
        lead = self.strengths[left] - self.strengths[right] + self.noise[left] * self.rng.normal()
        won = lead > self.noise[right] * self.rng.normal()
        outcome = 2 * int(won != (self.rng.random() < self.study.flipped))
        self.asked.append((left, right, outcome))
        return outcome

    def ranking(self) -> pv.Ranking:
        """Bradley-Terry of all that was said."""
        left, right, outcome = np.array(self.asked).T
        votes = pv.Votes.from_codes(left, right, outcome, n_items=self.study.n_items)
        return pv.bradley_terry(votes, prior_sd=PRIOR_SD)


def by_stream(sampler: pv.sampling.Sampler, panel: Panel) -> Iterator[None]:
    """Ask one question after another by one of our strategies."""
    stream = sampler.start(panel.study.n_items, votes_each=1, rng=7)
    number = 0
    while True:
        left, right = stream.propose(number)
        stream.record(number, left, right, pv.Outcome(panel.ask(left, right)))
        number += 1
        yield


def by_criterion(panel: Panel) -> Iterator[None]:
    """Ask by the criterion that they publish."""
    from scipy.sparse.csgraph import minimum_spanning_tree

    n, rng = panel.study.n_items, np.random.default_rng(7)
    first, second = np.triu_indices(n, 1)
    mean, covariance = np.zeros(n), PRIOR_SD**2 * np.eye(n)
    while True:
        gains = expected_information(mean, covariance, first, second)
        # Equals are told apart by lot.
        gains *= 1 + 1e-9 * rng.random(len(gains))
        if panel.study.batches:
            cost = np.zeros((n, n))
            cost[first, second] = 1 / gains
            pairs = list(zip(*(side.tolist() for side in minimum_spanning_tree(cost).nonzero()), strict=True))
        else:
            best = int(gains.argmax())
            pairs = [(int(first[best]), int(second[best]))]
        for pair in pairs:
            panel.ask(*(pair if rng.random() < 0.5 else pair[::-1]))
            yield
        ranking = panel.ranking()
        mean, covariance = ranking.scores, ranking.covariance


def expected_information(mean: Floats, covariance: Floats, first: NDArray[np.intp], second: NDArray[np.intp]) -> Floats:
    """What an answer to each pair is expected to say of their difference, in nats."""
    variances = covariance.diagonal()
    spread = np.sqrt(2 * (variances[first] + variances[second] - 2 * covariance[first, second]))
    p = 1 / (1 + np.exp(-(mean[first] - mean[second])[:, None] - spread[:, None] * NODES))
    weights = WEIGHTS / np.sqrt(np.pi)
    return np.asarray(_entropy(p @ weights) - _entropy(p) @ weights)


def _entropy(p: Floats) -> Floats:
    held = np.clip(p, 1e-300, 1 - 1e-16)
    return np.asarray(-held * np.log(held) - (1 - held) * np.log1p(-held))


def accuracy(strengths: Floats, scores: Floats) -> list[float]:
    """Pearson's correlation and RMSE after the customary four-parameter mapping; Kendall's tau and Spearman's rho."""
    from scipy.optimize import OptimizeWarning, curve_fit
    from scipy.special import expit
    from scipy.stats import kendalltau, spearmanr

    def mapping(x: Floats, top: float, bottom: float, middle: float, width: float) -> Floats:
        return np.asarray(bottom + (top - bottom) * expit((x - middle) / abs(width)))

    start = [strengths.max(), strengths.min(), float(np.median(scores)), float(scores.std())]
    try:
        with warnings.catch_warnings():
            # Of the covariance of the mapping, which nobody asked for.
            warnings.simplefilter("ignore", OptimizeWarning)
            mapped = mapping(scores, *curve_fit(mapping, scores, strengths, p0=start, maxfev=20_000)[0])
    except RuntimeError:
        # Without a best mapping, a line.
        mapped = np.asarray(np.polyval(np.polyfit(scores, strengths, 1), scores), np.float64)
    return [
        float(np.corrcoef(mapped, strengths)[0, 1]),
        float(np.sqrt(np.mean((mapped - strengths) ** 2))),
        float(kendalltau(strengths, scores).statistic),
        float(spearmanr(strengths, scores).statistic),
    ]


def strategies(study: Study) -> dict[str, Callable[[Panel], Iterator[None]]]:
    """Ways to ask, by name."""
    samplers = {
        "Uniform": pv.sampling.Uniform(),
        "Balanced": pv.sampling.Balanced(),
        "Swiss": pv.sampling.Swiss(),
        "InformationGain": pv.sampling.InformationGain(prior_sd=PRIOR_SD),
    }

    def ours(sampler: pv.sampling.Sampler) -> Callable[[Panel], Iterator[None]]:
        return lambda panel: by_stream(sampler, panel)

    name = "their criterion, batches" if study.batches else "their criterion, one by one"
    return {**{name: ours(sampler) for name, sampler in samplers.items()}, name: by_criterion}


def lines(study: Study, n_runs: int, trials: tuple[int, ...] | None = None) -> Iterator[str]:
    """The table, a line at a time."""
    trials = study.trials if trials is None else trials
    yield f"\n{study.title}: {study.n_items} items, {n_runs} runs, mean +- standard error"
    yield f"{'':<28} {'trials':>6} {'PLCC':>16} {'RMSE':>16} {'Kendall':>16} {'Spearman':>16} {'a question':>12}"
    for name, strategy in strategies(study).items():
        found = np.zeros((len(trials), n_runs, 4))
        seconds = 0.0
        for run in range(n_runs):
            panel = Panel(study, run)
            asking = strategy(panel)
            for place, n_trials in enumerate(trials):
                begun = time.perf_counter()
                while len(panel.asked) < n_trials * study.n_pairs:
                    next(asking)
                seconds += time.perf_counter() - begun
                found[place, run] = accuracy(panel.strengths, panel.ranking().scores)
        each = 1e6 * seconds / (n_runs * trials[-1] * study.n_pairs)
        for place, n_trials in enumerate(trials):
            means, errors = found[place].mean(axis=0), found[place].std(axis=0) / np.sqrt(n_runs)
            cells = "".join(f" {mean:>7.4f} +-{error:.4f}" for mean, error in zip(means, errors, strict=True))
            yield f"{name:<28} {n_trials:>6}{cells} {f'{each:,.0f} µs' if not place else '':>12}"


def coin_flips(n_runs: int, n_items: int = 100, n_voters: int = 40, votes_each: int = 20) -> Iterator[str]:
    """How reliable answers by a coin look: the scale separation reliability, (V - mean of se^2) / V.

    Bramley (2015), "Investigating the reliability of adaptive comparative judgement": it is 0 in truth.
    """
    yield f"\ncoin flips: {n_items} items, {n_voters} voters x {votes_each}, {n_runs} runs"
    yield f"{'':<18} {'reliability':>18} {'prior_sd=inf':>18}"
    samplers = ("uniform", "balanced", "swiss", pv.sampling.InformationGain(), pv.sampling.TopK(10))
    for sampler in samplers:
        sim = pv.simulate(
            n_items=n_items,
            n_voters=n_voters,
            votes_each=votes_each,
            sampler=sampler,
            voters=pv.VoterModel(lapse=1.0),
            repetitions=n_runs,
            rng=SEED,
        )
        cells = []
        for prior_sd in (3.0, np.inf):
            found = []
            for run in range(n_runs):
                try:
                    ranking = pv.bradley_terry(sim.votes(run), prior_sd=prior_sd)
                except pv.NotIdentifiedError:
                    continue
                variance = ranking.scores.var(ddof=1)
                found.append((variance - np.mean(ranking.standard_errors**2)) / variance)
            if found:
                cells.append(f"{np.mean(found):.3f} +-{np.std(found) / np.sqrt(len(found)):.3f}")
            else:
                cells.append("no estimate")
        name = sampler if isinstance(sampler, str) else type(sampler).__name__
        yield f"{name:<18} {cells[0]:>18} {cells[1]:>18}"
