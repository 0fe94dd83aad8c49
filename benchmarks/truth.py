"""Truth per vote: in how many simulated workshops a strategy finds exactly the true top k.

Strengths are normal; voters answer by Bradley-Terry; the final score is Bradley-Terry with the prior that the strengths
have. Strengths and answers are the same for every strategy, so that their differences are of pairs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import pairvote as pv

SEED = 2014
BLOCK = 25


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A workshop, as often as `repetitions` say.

    n_open: how many questions are open at a time; 0 for one after another. random_share: of the answers.
    """

    title: str = "one after another"
    n_items: int = 23
    n_voters: int = 30
    votes_each: int = 20
    top_k: int = 5
    strength_sd: float = 1.0
    n_open: int = 0
    random_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Means over repetitions, each with its standard error: exact top k, the same by votes won, Kendall's tau."""

    exact: tuple[float, float]
    by_votes_won: tuple[float, float]
    tau: tuple[float, float]


KALMAR = Setting()
SETTINGS = (
    KALMAR,
    replace(KALMAR, title="ten votes each", votes_each=10),
    replace(KALMAR, title="forty votes each", votes_each=40),
    replace(KALMAR, title="thirty at once", n_open=30),
    replace(KALMAR, title="10% random answers", random_share=0.1),
    replace(KALMAR, title="strengths N(0, 0.5)", strength_sd=0.5),
    Setting(title="100 items, top 10", n_items=100, n_voters=100, top_k=10),
)


def samplers(top_k: int) -> dict[str, pv.sampling.Sampler]:
    """The strategies by name."""
    return {
        "Uniform": pv.sampling.Uniform(),
        "CatchUp": pv.sampling.CatchUp(),
        "Balanced": pv.sampling.Balanced(),
        "Swiss": pv.sampling.Swiss(),
        "InformationGain": pv.sampling.InformationGain(),
        f"TopK({top_k})": pv.sampling.TopK(top_k),
    }


def measure(sampler: pv.sampling.Sampler, setting: Setting, repetitions: int, *, n_jobs: int = 1) -> Truth:
    """Simulate the workshop `repetitions` times; the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    firsts = range(0, repetitions, BLOCK)
    blocks = Parallel(n_jobs=n_jobs)(
        delayed(_block)(sampler, setting, first, min(first + BLOCK, repetitions)) for first in firsts
    )
    found = np.concatenate(blocks)
    errors = found.std(axis=0) / math.sqrt(len(found))
    exact, by_votes_won, tau = zip(found.mean(axis=0).tolist(), errors.tolist(), strict=True)
    return Truth(exact=exact, by_votes_won=by_votes_won, tau=tau)


def _block(sampler: pv.sampling.Sampler, setting: Setting, first: int, stop: int) -> NDArray[np.float64]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return np.array([_one(sampler, setting, number) for number in range(first, stop)])


def _one(sampler: pv.sampling.Sampler, setting: Setting, number: int) -> tuple[float, float, float]:
    rng = np.random.default_rng([SEED, number])
    strengths = rng.normal(0.0, setting.strength_sd, setting.n_items)
    votes = workshop(sampler, setting, strengths, rng)
    scores = pv.bradley_terry(votes, ties="half", prior_sd=setting.strength_sd, uncertainty="none").scores
    # Level numbers of votes won are told apart by lot.
    won = pv.tally(votes).scores + 0.25 * rng.random(setting.n_items)
    best = _best(strengths, setting.top_k)
    return (
        float(_best(scores, setting.top_k) == best),
        float(_best(won, setting.top_k) == best),
        _kendall_tau(strengths, scores),
    )


def workshop(
    sampler: pv.sampling.Sampler, setting: Setting, strengths: NDArray[np.float64], rng: np.random.Generator
) -> pv.Votes:
    """One simulated workshop's votes."""
    n_votes = setting.n_voters * setting.votes_each
    noise, lapses = rng.logistic(size=n_votes).tolist(), (rng.random(n_votes) < setting.random_share).tolist()
    # Whose turn it is: everybody once, then everybody again.
    turns = [voter for _ in range(setting.votes_each) for voter in range(setting.n_voters)]
    stream = sampler.start(setting.n_items, votes_each=setting.votes_each, rng=rng)
    levels = strengths.tolist()
    asked = []
    for row, voter in enumerate(turns):
        left, right = stream.propose(voter)
        stream.reserve(voter, left, right)
        lead = 0.0 if lapses[row] else levels[left] - levels[right]
        asked.append((voter, left, right, pv.Outcome.LEFT if lead > noise[row] else pv.Outcome.RIGHT))
        if row >= setting.n_open:
            stream.record(*asked[row - setting.n_open])
    _, lefts, rights, outcomes = zip(*asked, strict=True)
    return pv.Votes.from_codes(lefts, rights, np.array(outcomes, np.uint8), n_items=setting.n_items, voter=turns)


def _best(scores: NDArray[np.float64], k: int) -> set[int]:
    return set(np.argsort(-scores, kind="stable")[:k].tolist())


def _kendall_tau(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """tau-a: of all pairs, those in the same order less those in the other."""
    upper = np.triu_indices(len(first), 1)
    signs = [np.sign(np.subtract.outer(scores, scores)[upper]) for scores in (first, second)]
    return float(np.mean(signs[0] * signs[1]))


def rows(settings: tuple[Setting, ...], repetitions: int, *, n_jobs: int = 1) -> Iterator[tuple[Setting, str, Truth]]:
    """Every setting with every strategy."""
    for setting in settings:
        for name, sampler in samplers(setting.top_k).items():
            yield setting, name, measure(sampler, setting, repetitions, n_jobs=n_jobs)


def lines(settings: tuple[Setting, ...], repetitions: int, *, n_jobs: int = 1) -> Iterator[str]:
    """The table, a line at a time."""
    before: Setting | None = None
    for setting, name, truth in rows(settings, repetitions, n_jobs=n_jobs):
        if setting is not before:
            yield (
                f"\n{setting.title}: {setting.n_items} items, {setting.n_voters} voters x {setting.votes_each}, "
                f"{repetitions:,} repetitions"
            )
            yield f"{'':<16} {f'top {setting.top_k} exact':>14} {'by votes won':>14} {'tau':>16}"
            before = setting
        cells = [f"{mean:.{d}f} +-{error:.{d}f}" for (mean, error), d in _cells(truth)]
        yield f"{name:<16} {cells[0]:>14} {cells[1]:>14} {cells[2]:>16}"


def _cells(truth: Truth) -> list[tuple[tuple[float, float], int]]:
    return [(truth.exact, 3), (truth.by_votes_won, 3), (truth.tau, 4)]


def draw(found: Mapping[int, Mapping[str, Truth]], path: str) -> None:
    """A picture of the exact top k against the number of votes: `found` is by votes, then by strategy."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    votes = sorted(found)
    styles = zip(
        ("o", "v", "s", "D", "^", "*"), ("#000000", "#56B4E9", "#0072B2", "#009E73", "#E69F00", "#D55E00"), strict=True
    )
    for name, (marker, colour) in zip(found[votes[0]], styles, strict=True):
        shares, errors = zip(*(found[n][name].exact for n in votes), strict=True)
        axes.errorbar(votes, shares, errors, marker=marker, color=colour, label=name, linewidth=1.2, capsize=2)
    axes.set(xlabel="votes", ylabel="share of workshops with exactly the right top 5", ylim=(0, None), xticks=votes)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)
