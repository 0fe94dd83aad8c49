"""Honesty: how often what `bradley_terry` says comes true, in simulated votes whose truth is known.

Each row is one kind of vote, drawn many times. What the default call says of the scores, the differences, the ranks and
the chances of the best five is compared with the truth. Standard errors are over workshops, whose items are not
independent. Strengths are the same for every strategy, so that rows differ by their pairs.

Items that are level in truth share their ranks by lot, and their places among the best five in equal parts.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks import truth

Floats = NDArray[np.float64]
Truth = Callable[[Floats], Floats]
SEED = 2014
TOP_K = 5
LEVEL = 0.95
# Differences looked at in a workshop: all where there are no more, or so many of them drawn at random.
MOST_DIFFERENCES = 253
# Stated chances of being among the best five, from and up to.
BINS = ((0.02, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.98))
# A bin of fewer chances than these says nothing.
FEWEST_CASES = 100
COVERAGE, OF_THE_BEST, ONE_BY_ONE, ALL_AT_ONCE = (0.91, 0.985), (0.90, 0.99), (0.95, 1.0), (0.92, 0.98)
LARGEST_GAP = 0.05
# A goal that is missed by less than so many standard errors may be met.
NOISE = 2.0


class Figure(NamedTuple):
    """A mean over workshops and its standard error."""

    value: float
    error: float


class Chances(NamedTuple):
    """Chances that were stated in one bin: how many, their mean, the share that came true, and the gap's error."""

    n: int
    said: float
    true: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row of the table.

    Attributes
    ----------
    name : str
    simulated : mapping
        Options of `pairvote.simulate`.
    scored : mapping
        Options of `pairvote.bradley_terry`; none for the default call.
    truth : callable
        The true scores of a workshop from its strengths, where they are not the strengths themselves.
    is_normal : bool
        Whether the strengths are normal, so that the rank sets are judged all at once.
    has_best : bool
        Whether some items are truly the best five. Where all are level the stated chances are not judged: only a prior
        without any spread would state a chance of k / n for each.
    of_the_best : pair of float
        What coverage of the five ranked best is to be within.
    """

    name: str
    simulated: Mapping[str, Any]
    scored: Mapping[str, Any] = field(default_factory=dict)
    truth: Truth | None = None
    is_normal: bool = True
    has_best: bool = True
    of_the_best: tuple[float, float] = OF_THE_BEST


# Strengths by other laws, and the pair chances of voters with tastes.


def two_groups(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Each item near -1.2 or 1.2, by a coin; within 0.2, since exactly level items have no ranks to be right about."""
    return np.where(rng.random(size) < 0.5, -1.2, 1.2) + rng.normal(0.0, 0.2, size)


def heavy_tails(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Student's t with three degrees of freedom."""
    return rng.standard_t(3, size)


def few_good(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Each item near 2.5 with the chance 0.15, and near the others if not; within 0.2, as `two_groups`."""
    return np.where(rng.random(size) < 0.15, 2.5, 0.0) + rng.normal(0.0, 0.2, size)


def population_scores(strengths: Floats, taste_sd: float) -> Floats:
    """The Bradley-Terry scores of the pair chances of all voters together, whose tastes scatter by `taste_sd`.

    A voter's lead of one item over another is normal around the common one; its chances are averaged by
    Gauss-Hermite quadrature, and fitted as the infinitely many votes that they are the shares of.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    left, right = np.nonzero(~np.eye(len(strengths), dtype=bool))
    leads = (strengths[left] - strengths[right])[:, None] + math.sqrt(2.0) * taste_sd * nodes
    chances = (1.0 / (1.0 + np.exp(-leads))) @ weights / weights.sum()
    votes = pv.Votes.from_codes(
        left, right, np.full(len(left), pv.Outcome.LEFT), n_items=len(strengths), weight=chances
    )
    return pv.bradley_terry(votes, prior_sd=math.inf, uncertainty="none").scores


def settings() -> list[Setting]:
    """All rows of the table."""
    samplers = truth.samplers(TOP_K)
    both = {name: samplers[name] for name in ("Uniform", f"TopK({TOP_K})")}
    rows = [
        Setting(name=f"{name}, sd {sd:g}", simulated={"strength_sd": sd, "sampler": sampler}, has_best=sd > 0.0)
        for sd in (0.0, 0.3, 1.0, 2.5)
        for name, sampler in samplers.items()
    ]

    def add(title: str, simulated: Mapping[str, Any], **more: Any) -> None:
        for name, sampler in both.items():
            rows.append(Setting(name=f"{name}, {title}", simulated={**simulated, "sampler": sampler}, **more))

    for n_voters, sd in ((3, 1.0), (10, 1.0), (10, 0.3), (120, 1.0)):
        add(f"sd {sd:g}, {20 * n_voters:,} votes", {"n_voters": n_voters, "strength_sd": sd})
    add("200 items, 800 votes", {"n_items": 200, "n_voters": 40})
    # 31% of the questions on level items are tied, fewer where items are apart.
    add("30% ties", {"voters": pv.VoterModel(tie_parameter=0.9)})
    add("two groups", {"strengths": two_groups}, is_normal=False)
    add("heavy tails", {"strengths": heavy_tails}, is_normal=False)
    add("a few good ones", {"strengths": few_good}, is_normal=False)
    hardest = next(row for row in rows if row.name == f"TopK({TOP_K}), a few good ones")
    rows[rows.index(hardest)] = Setting(**{**vars(hardest), "of_the_best": (0.82, OF_THE_BEST[1])})
    for n_voters, votes_each in ((4, 150), (8, 75), (30, 40), (300, 10)):
        rows.append(
            Setting(
                name=f"tastes, {n_voters} voters x {votes_each}",
                simulated={
                    "n_items": 15,
                    "n_voters": n_voters,
                    "votes_each": votes_each,
                    "voters": pv.VoterModel(taste_sd=1.0),
                    "sampler": "uniform",
                },
                scored={"uncertainty": "by-voter"},
                truth=partial(population_scores, taste_sd=1.0),
            )
        )
    return rows


class Workshop(NamedTuple):
    """What came true in one workshop; the chances by bin: how many, their sum, and the sum that came true."""

    square: float
    scores: float
    best: float
    differences: float
    one_by_one: float
    width: float
    all_at_once: float
    width_at_once: float
    chances: tuple[tuple[int, float, float], ...]


def look_at(votes: pv.Votes, truth: Floats, options: Mapping[str, Any], seed: Sequence[int]) -> Workshop:
    """What the ranking of one workshop says, against the true scores."""
    rng = np.random.default_rng(seed)
    truth = truth - truth.mean()
    with warnings.catch_warnings():
        # The table says how far the prior may be trusted.
        warnings.simplefilter("ignore", UserWarning)
        ranking = pv.bradley_terry(votes, **options)
    code = {label: place for place, label in enumerate(ranking.items)}
    low, high = ranking.confidence_interval(LEVEL)
    held = (low <= truth) & (truth <= high)
    best = [code[label] for label in ranking.top(TOP_K, ties="first")]
    ranks = np.empty(len(truth), np.int64)
    ranks[np.lexsort((rng.random(len(truth)), -truth))] = np.arange(1, len(truth) + 1)
    sets = [ranking.rank_interval(LEVEL, simultaneous=joint, rng=rng) for joint in (False, True)]
    (one, width), (joint, width_at_once) = ((_within(ranks, a, b), float((b - a + 1).mean())) for a, b in sets)
    return Workshop(
        square=float(((ranking.scores - truth) ** 2).mean()),
        scores=float(held.mean()),
        best=float(held[best].mean()),
        differences=_differences(ranking, truth, rng),
        one_by_one=float(one.mean()),
        width=width,
        all_at_once=float(joint.all()),
        width_at_once=width_at_once,
        chances=_chances(ranking.top_k_probability(TOP_K, rng=rng), places(truth, TOP_K)),
    )


def _within(ranks: NDArray[np.int64], low: NDArray[Any], high: NDArray[Any]) -> NDArray[np.bool_]:
    return (low <= ranks) & (ranks <= high)


def _differences(ranking: pv.Ranking, truth: Floats, rng: np.random.Generator) -> float:
    """The share of intervals of differences that hold the true one."""
    pairs = np.stack(np.triu_indices(len(truth), 1), axis=1)
    if len(pairs) > MOST_DIFFERENCES:
        pairs = pairs[rng.choice(len(pairs), MOST_DIFFERENCES, replace=False)]
    held = 0
    for i, j in pairs.tolist():
        low, high = ranking.difference(ranking.items[i], ranking.items[j]).confidence_interval(LEVEL)
        held += low <= truth[i] - truth[j] <= high
    return held / len(pairs)


def places(truth: Floats, k: int) -> Floats:
    """How much of a place among the best k each item has: 1, 0, or a part where level items share the last."""
    ahead = (truth > truth[:, None]).sum(axis=1)
    level = (truth == truth[:, None]).sum(axis=1)
    return np.clip((k - ahead) / level, 0.0, 1.0)


def _chances(said: Floats, true: Floats) -> tuple[tuple[int, float, float], ...]:
    inside = [(low <= said) & (said < high) for low, high in BINS]
    return tuple((int(one.sum()), float(said[one].sum()), float(true[one].sum())) for one in inside)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that was measured: figures over workshops, the chances by bin, and the goals that are missed."""

    setting: Setting
    repetitions: int
    figures: Mapping[str, Figure]
    chances: tuple[Chances | None, ...]
    missed: tuple[str, ...]
    doubtful: tuple[str, ...]


def measure(setting: Setting, repetitions: int, *, prior_sd: Any = None, n_jobs: int = 2) -> Row:
    """Simulate and judge a row; the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    simulation = pv.simulate(**setting.simulated, repetitions=repetitions, rng=SEED)
    options = {**setting.scored, **({} if prior_sd is None else {"prior_sd": prior_sd})}
    true = setting.truth or (lambda strengths: strengths)
    calls = (
        delayed(look_at)(simulation.votes(r), true(strengths), options, (SEED, r))
        for r, strengths in enumerate(simulation.strengths)
    )
    return summary(setting, Parallel(n_jobs=n_jobs)(calls))


def summary(setting: Setting, workshops: Sequence[Workshop]) -> Row:
    """Means over workshops, with their standard errors, and what they say of the goals."""
    names = Workshop._fields[:-1]
    figures = {name: mean_of([getattr(one, name) for one in workshops]) for name in names}
    figures["all_at_once"] = share_of([one.all_at_once for one in workshops])
    square, error = figures.pop("square")
    figures["rmse"] = Figure(math.sqrt(square), error / (2.0 * math.sqrt(square)))
    bins = np.array([one.chances for one in workshops])
    chances = tuple(_pooled(*bins[:, number].T) for number in range(len(BINS)))
    missed: list[str] = []
    doubtful: list[str] = []
    for what, figure, (low, high) in _goals(setting, figures, chances):
        by = max(low - figure.value, figure.value - high)
        if by > 0.0:
            (missed if by > NOISE * figure.error else doubtful).append(what)
    return Row(
        setting=setting,
        repetitions=len(workshops),
        figures=figures,
        chances=chances,
        missed=tuple(missed),
        doubtful=tuple(doubtful),
    )


def mean_of(values: Sequence[float]) -> Figure:
    """The mean of one value a workshop, with its standard error."""
    return Figure(float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))))


def share_of(happened: Sequence[float]) -> Figure:
    """The share of workshops in which something happened.

    Its error is not 0 when it happened in all of them: two more of each kind are counted (Agresti and Coull 1998).
    """
    n = len(happened)
    share = (float(np.sum(happened)) + 2.0) / (n + 4.0)
    return Figure(float(np.mean(happened)), math.sqrt(share * (1.0 - share) / (n + 4.0)))


def _pooled(n: Floats, said: Floats, true: Floats) -> Chances | None:
    """The chances of one bin of all workshops; the error of the gap is that of a ratio of means over workshops."""
    total = n.sum()
    if not total:
        return None
    rest = true - said - n * (true.sum() - said.sum()) / total
    error = math.sqrt((rest**2).sum() * len(n) / (len(n) - 1)) / total
    return Chances(int(total), float(said.sum() / total), float(true.sum() / total), float(error))


def _goals(
    setting: Setting, figures: Mapping[str, Figure], chances: Sequence[Chances | None]
) -> Iterator[tuple[str, Figure, tuple[float, float]]]:
    yield "scores", figures["scores"], COVERAGE
    yield "best five", figures["best"], setting.of_the_best
    yield "differences", figures["differences"], COVERAGE
    yield "ranks", figures["one_by_one"], ONE_BY_ONE
    if setting.is_normal:
        yield "ranks at once", figures["all_at_once"], ALL_AT_ONCE
    for (low, high), found in zip(BINS, chances, strict=True):
        if setting.has_best and found is not None and found.n >= FEWEST_CASES:
            gap = Figure(found.true - found.said, found.error)
            yield f"P {low:g}-{high:g}", gap, (-LARGEST_GAP, LARGEST_GAP)
