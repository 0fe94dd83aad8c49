"""Thousands of Kalmar workshops drawn and scored, beside the same loop written with choix and with evalica.

The peers' loops draw pairs uniformly with numpy, a workshop at a time, count the votes won, score Elo and Bradley-Terry
by what the library has (choix has no Elo, so that is a loop in Python), and compare with the strengths through scipy.
They run fewer workshops, and the ratio is per vote.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.goals import Goal, Within

N_ITEMS, N_VOTERS, VOTES_EACH, TOP_K = 23, 30, 20, 5
N_VOTES = N_VOTERS * VOTES_EACH
SEED = 2014
# Workshops drawn, those of adaptive strategies, and those of the peers.
REPETITIONS: dict[Size, tuple[int, int, int]] = {
    "full": (10_000, 1_000, 100),
    "quick": (1_000, 100, 20),
    "tiny": (30, 5, 3),
}
Floats = NDArray[np.float64]


def workshops(size: Size) -> Group:
    """All cases in one table."""
    many, some, few = REPETITIONS[size]
    adaptive = (("information-gain", pv.sampling.InformationGain()), ("TopK(5)", pv.sampling.TopK(TOP_K)))
    cases = [
        _case("uniform, drawn", partial(_draw, "uniform", many), many, Within(1.0)),
        _case("balanced, drawn", partial(_draw, "balanced", many), many, Within(2.0)),
        _case("scored three ways with metrics", partial(_score, many), many, Within(2.0)),
        _case("uniform, drawn and scored", partial(_both, many), many, memory=True),
        *(
            _case(f"{name}, {some:,} drawn", partial(_draw, sampler, some), some, Within(20.0))
            for name, sampler in adaptive
        ),
        _case("choix, drawn and scored", partial(_loop, "choix", few), few, library="choix"),
        _case("evalica, drawn and scored", partial(_loop, "evalica", few), few, library="evalica"),
    ]
    return Group(title=f"{many:,} workshops of {N_ITEMS} items, {N_VOTERS} voters x {VOTES_EACH}", cases=cases)


GROUPS = (workshops,)


def _case(
    name: str,
    fresh: Callable[[], Work],
    repetitions: int,
    goal: Goal | None = None,
    *,
    library: str = "pairvote",
    memory: bool = False,
) -> Case:
    return Case(
        name=name,
        library=library,
        fresh=fresh,
        n_votes=repetitions * N_VOTES,
        comparable=False,
        memory=memory,
        goal=goal,
    )


def _draw(sampler: Any, repetitions: int) -> Work:
    return partial(
        pv.simulate,
        n_items=N_ITEMS,
        n_voters=N_VOTERS,
        votes_each=VOTES_EACH,
        sampler=sampler,
        repetitions=repetitions,
        rng=SEED,
    )


def _score(repetitions: int) -> Work:
    return partial(_draw("balanced", repetitions)().evaluate, ("tally", "elo", "bradley-terry"), top_k=TOP_K)


def _both(repetitions: int) -> Work:
    return lambda: _draw("uniform", repetitions)().evaluate(("tally", "elo", "bradley-terry"), top_k=TOP_K)


# --- the same, written with a peer ---

Score = Callable[[NDArray[np.int64], NDArray[np.int64]], list[Floats]]


def _loop(library: str, repetitions: int) -> Work:
    score = {"choix": _by_choix, "evalica": _by_evalica}[library]
    stats = import_module("scipy.stats")

    def work() -> Floats:
        with warnings.catch_warnings():
            # evalica has no finite scores where somebody is undefeated.
            warnings.simplefilter("ignore")
            return loop()

    def loop() -> Floats:
        rng = np.random.default_rng(SEED)
        found = []
        for _ in range(repetitions):
            strengths = rng.normal(size=N_ITEMS)
            left = rng.integers(N_ITEMS, size=N_VOTES)
            right = (left + rng.integers(1, N_ITEMS, size=N_VOTES)) % N_ITEMS
            won = rng.random(N_VOTES) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
            winners, losers = np.where(won, left, right), np.where(won, right, left)
            found.append([_metrics(strengths, scores, stats) for scores in score(winners, losers)])
        return np.mean(found, axis=0)

    return work


def _metrics(strengths: Floats, scores: Floats, stats: Any) -> list[float]:
    best, chosen = (set(np.argsort(-values)[:TOP_K].tolist()) for values in (strengths, scores))
    return [
        float(best == chosen),
        len(best & chosen) / TOP_K,
        float((strengths[list(best)].sum() - strengths[list(chosen)].sum()) / TOP_K),
        float(stats.kendalltau(strengths, scores).statistic),
        float(stats.spearmanr(strengths, scores).statistic),
    ]


def _by_choix(winners: NDArray[np.int64], losers: NDArray[np.int64]) -> list[Floats]:
    choix = import_module("choix")
    ratings = [1500.0] * N_ITEMS
    for winner, loser in zip(winners.tolist(), losers.tolist(), strict=True):
        gain = 32.0 / (1.0 + 10.0 ** ((ratings[winner] - ratings[loser]) / 400.0))
        ratings[winner] += gain
        ratings[loser] -= gain
    pairs = list(zip(winners.tolist(), losers.tolist(), strict=True))
    # The fastest of its fits; the prior keeps the scores of undefeated items finite.
    scores = choix.ilsr_pairwise(N_ITEMS, pairs, alpha=0.05)
    return [np.bincount(winners, minlength=N_ITEMS).astype(float), np.array(ratings), np.asarray(scores)]


def _by_evalica(winners: NDArray[np.int64], losers: NDArray[np.int64]) -> list[Floats]:
    evalica = import_module("evalica")
    index = import_module("pandas").RangeIndex(N_ITEMS)
    outcome = [evalica.Winner.X] * N_VOTES
    results = [
        evalica.counting(winners, losers, outcome, index=index),
        evalica.elo(winners, losers, outcome, index=index, k=32.0, initial=1500.0),
        evalica.bradley_terry(winners, losers, outcome, index=index),
    ]
    return [np.asarray(result.scores.sort_index(), np.float64) for result in results]
