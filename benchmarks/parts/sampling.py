"""What it costs to choose a pair, against the number of items; the truth per vote is printed after it.

`propose` is timed on a stream that has had as many answers as a workshop of that size, so that there is a posterior to
choose by; "ask and answer" adds the reservation and the record, exact refits included. The baseline is the criterion of
Hybrid-MST and ASAP, the expected information of the answer, for every pair by Gauss-Hermite quadrature in numpy; it
neither keeps a posterior nor remembers who saw what, which those methods spend more on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks import truth
from benchmarks.cases import Case, Group, Size, Work
from benchmarks.goals import Goal, Within

N_VOTERS = 30
N_CALLS = 300
N_NODES = 30
BASELINE = "Hybrid-MST's criterion in numpy"
GOALS: dict[tuple[str, int], Goal] = {
    ("InformationGain", 23): Within(5e-6),
    ("InformationGain", 100): Within(100e-6),
    ("TopK(5)", 23): Within(25e-6),
}
# How often a workshop is simulated for the truth per vote; none in a test.
REPETITIONS: dict[Size, int] = {"full": 2000, "quick": 50, "tiny": 2}


def choices_among(n_items: int) -> Callable[[Size], Group]:
    """One table a number of items."""

    def group(size: Size) -> Group:
        n, n_calls = (6, 3) if size == "tiny" else (n_items, N_CALLS)
        cases = []
        for name, sampler in truth.samplers(5).items():
            goal = GOALS.get((name, n))
            cases.append(_case(f"{name}.propose", partial(_proposals, sampler, n, n_calls), n_calls, goal))
            cases.append(_case(f"{name}, ask and answer", partial(_questions, sampler, n, n_calls), n_calls))
        if n <= 300:
            cases.append(_case(BASELINE, partial(_baseline, n, n_calls), n_calls, library="baseline"))
        return Group(title=f"choosing a pair of {n:,} items", cases=cases)

    group.__name__ = f"choices_among_{n_items}"
    return group


def _case(
    name: str, fresh: Callable[[], Work], n_calls: int, goal: Goal | None = None, library: str = "pairvote"
) -> Case:
    return Case(name=name, library=library, fresh=fresh, operations=n_calls, comparable=False, memory=False, goal=goal)


def _stream(sampler: pv.sampling.Sampler, n_items: int) -> tuple[pv.sampling.PairStream, NDArray[np.float64]]:
    rng = np.random.default_rng(n_items)
    strengths = rng.normal(size=n_items)
    stream = sampler.start(n_items, votes_each=20, rng=1)
    _answer(stream, strengths, rng, min(10 * n_items, 2000))
    return stream, strengths


def _answer(
    stream: pv.sampling.PairStream, strengths: NDArray[np.float64], rng: np.random.Generator, n_questions: int
) -> None:
    noise, levels = rng.logistic(size=n_questions).tolist(), strengths.tolist()
    for number in range(n_questions):
        voter = number % N_VOTERS
        left, right = stream.propose(voter)
        stream.reserve(voter, left, right)
        won = levels[left] - levels[right] > noise[number]
        stream.record(voter, left, right, pv.Outcome.LEFT if won else pv.Outcome.RIGHT)


def _proposals(sampler: pv.sampling.Sampler, n_items: int, n_calls: int) -> Work:
    stream, _ = _stream(sampler, n_items)

    def work() -> Any:
        for number in range(n_calls):
            pair = stream.propose(number % N_VOTERS)
        return pair

    return work


def _questions(sampler: pv.sampling.Sampler, n_items: int, n_calls: int) -> Work:
    stream, strengths = _stream(sampler, n_items)
    return partial(_answer, stream, strengths, np.random.default_rng(5), n_calls)


def _baseline(n_items: int, n_calls: int) -> Work:
    rng = np.random.default_rng(n_items)
    mean, errors = rng.normal(size=n_items), rng.uniform(0.2, 0.6, size=n_items)
    i, j = np.triu_indices(n_items, 1)
    nodes, weights = np.polynomial.hermite.hermgauss(N_NODES)
    weights = weights / np.sqrt(np.pi)

    def work() -> Any:
        for _ in range(n_calls):
            spread = np.sqrt(2.0 * (errors[i] ** 2 + errors[j] ** 2))
            p = 1.0 / (1.0 + np.exp(-(mean[i] - mean[j])[:, None] - spread[:, None] * nodes))
            average = p @ weights
            gain = _entropy(average) - _entropy(p) @ weights
            best = int(gain.argmax())
        return best

    return work


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-p * np.log(p) - (1.0 - p) * np.log1p(-p))


GROUPS = tuple(choices_among(n_items) for n_items in (23, 100, 1000))


def after(size: Size, _options: Any = None) -> None:
    """Print the truth per vote, a line at a time; hours of votes, so it takes minutes."""
    for line in truth.lines(truth.SETTINGS, REPETITIONS[size], n_jobs=-1):
        print(line, flush=True)
