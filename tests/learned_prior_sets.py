"""Small sets of votes, and what the exact sampler says of each: `python tests/learned_prior_sets.py [name ...]` works
them out, all or those named, and writes them to tests/inference/learned_prior_oracle.json. One thread of the BLAS is
as fast as many, so set OPENBLAS_NUM_THREADS=1.

The votes are stored beside the numbers, so that these stay true when what simulates the votes changes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from exact_sampler import Data, Summary, data_of, sample, summary

import pairvote as pv

TABLE = Path(__file__).parent / "inference" / "learned_prior_oracle.json"
N_CHAINS = 64


def of_votes(votes: pv.Votes, **options: Any) -> dict[str, Any]:
    """Columns of votes, those alike added up, and the options of the model."""
    rows, times = np.unique(np.column_stack([votes.left, votes.right, votes.outcome]), axis=0, return_counts=True)
    return set_of(votes.n_items, *rows.T, weight=times, **options)


def set_of(n_items, left, right, outcome, weight=None, covariates=None, **options) -> dict[str, Any]:
    weight = np.ones(len(left)) if weight is None else np.asarray(weight)
    columns = {"left": left, "right": right, "outcome": outcome}
    found = {name: np.asarray(column).astype(int).tolist() for name, column in columns.items()}
    found |= {"n_items": n_items, "weight": [round(float(w), 6) for w in weight], "options": options}
    return found if covariates is None else found | {"covariates": np.round(covariates, 3).tolist()}


def simulated(seed: int, strengths: Any, sampler: Any, n_votes: int, **options: Any) -> dict[str, Any]:
    """One workshop of voters who follow the Bradley-Terry model."""
    strengths = np.asarray(strengths)
    simulation = pv.simulate(
        n_items=len(strengths),
        n_voters=n_votes // 20,
        votes_each=20,
        strengths=strengths,
        sampler=sampler,
        repetitions=1,
        rng=seed,
    )
    return of_votes(simulation.votes(0), **options)


def answered(rng: np.random.Generator, left: Any, right: Any, log_odds: Any, nu: float) -> Any:
    """Outcomes by Davidson's model."""
    away = np.exp(np.asarray(log_odds) / 2)
    chance = np.stack([1 / away, np.full(len(away), nu), away])
    return (rng.random(len(left)) > np.cumsum(chance / chance.sum(axis=0), axis=0)).sum(axis=0)


def drawn_pairs(rng: np.random.Generator, items: Any, n_votes: int) -> Any:
    return np.array([rng.choice(items, 2, replace=False) for _ in range(n_votes)]).T


def normal(seed: int, n_items: int, sd: float) -> Any:
    return np.random.default_rng(seed).normal(0, sd, n_items)


def baseball() -> dict[str, Any]:
    """Games, with the advantage of playing at home."""
    return of_votes(pv.datasets.baseball(), position=True)


def citations() -> dict[str, Any]:
    """So many votes that the prior hardly matters."""
    return of_votes(pv.datasets.citations())


def uniform() -> dict[str, Any]:
    return simulated(1, normal(11, 23, 1.0), "uniform", 600)


def narrow_top_k() -> dict[str, Any]:
    """Items all but level, pairs by TopK."""
    return simulated(2, normal(12, 23, 0.3), pv.sampling.TopK(5), 600)


def two_groups_top_k() -> dict[str, Any]:
    truth = np.where(np.arange(23) < 11, 1.2, -1.2) + normal(13, 23, 0.2)
    return simulated(3, truth, pv.sampling.TopK(5), 300)


def few_good_information() -> dict[str, Any]:
    truth = np.where(np.arange(20) < 3, 2.5, 0.0) + normal(14, 20, 0.1)
    return simulated(4, truth, "information-gain", 400)


def sparse() -> dict[str, Any]:
    """60 votes of 23 items."""
    return simulated(5, normal(15, 23, 1.0), "uniform", 60)


def one_vote() -> dict[str, Any]:
    """One vote, and two items without any."""
    return set_of(4, [0], [1], [2])


def first_vote_tied() -> dict[str, Any]:
    return set_of(3, [0], [1], [1])


def weighted_ties() -> dict[str, Any]:
    """Ties, weights, and a last item without votes."""
    rng = np.random.default_rng(16)
    left, right = drawn_pairs(rng, 8, 90)
    truth = rng.normal(size=8)
    outcome = answered(rng, left, right, truth[left] - truth[right], 0.9)
    return set_of(9, left, right, outcome, rng.choice([0.5, 1.0, 2.0], 90))


def rao_kupper() -> dict[str, Any]:
    """Rao and Kupper's ties, and the left preferred."""
    rng = np.random.default_rng(17)
    left, right = drawn_pairs(rng, 10, 160)
    truth = rng.normal(size=10) * 0.7
    outcome = answered(rng, left, right, truth[left] - truth[right] + 0.5, 1.0)
    return set_of(10, left, right, outcome, ties="rao-kupper", position=True)


def components() -> dict[str, Any]:
    """Two sets of items that no vote joins, and two covariates, one of them large."""
    rng = np.random.default_rng(18)
    pairs = [drawn_pairs(rng, items, 60) for items in (np.arange(5), np.arange(5, 11))]
    left, right = np.concatenate(pairs, axis=1)
    covariates = np.round(rng.normal(size=(120, 2)) * [1.0, 100.0], 3)
    truth = rng.normal(size=11)
    log_odds = truth[left] - truth[right] + covariates @ [0.6, -0.005]
    return set_of(11, left, right, answered(rng, left, right, log_odds, 0.5), covariates=covariates)


def halves() -> dict[str, Any]:
    """Ties as half a win for each, which is no likelihood."""
    return weighted_ties() | {"options": {"ties": "half"}}


# Steps of each of the 64 chains that are kept.
SETS: dict[Callable[[], dict[str, Any]], int] = {
    weighted_ties: 1500,
    one_vote: 5000,
    baseball: 1500,
    two_groups_top_k: 3000,
    sparse: 4000,
    uniform: 800,
    rao_kupper: 1500,
    narrow_top_k: 1000,
    few_good_information: 1000,
    components: 1500,
    citations: 1500,
    first_vote_tied: 5000,
    halves: 1500,
}


def data_of_set(votes: dict[str, Any]) -> Data:
    rows = list(zip(votes["left"], votes["right"], votes["outcome"], votes["weight"], strict=True))
    return data_of(rows, votes["n_items"], covariates=votes.get("covariates"), **votes["options"])


def numbers(found: Summary) -> dict[str, list[float]]:
    return {name: [float(f"{x:.6g}") for x in np.atleast_1d(values)] for name, values in found._asdict().items()}


def said(votes: dict[str, Any], n_draws: int, seed: int = 1) -> dict[str, Any]:
    """Means and standard deviations, each with its Monte Carlo error, of all there is to know.

    log_tie: the logarithm of the public tie parameter. effects: the position effect, and the coefficients for
    covariates of a largest size of 1.
    """
    draws = sample(data_of_set(votes), n_draws=n_draws, n_warm_up=1200, n_chains=N_CHAINS, seed=seed)
    found = {"scores": summary(draws.scores), "log_scale": summary(np.log(draws.scale))}
    if draws.log_tie.shape[2]:
        found |= {"log_tie": summary(draws.log_tie), "tie_parameter": summary(np.exp(draws.log_tie))}
    if draws.effects.shape[2]:
        found["effects"] = summary(draws.effects)
    return {name: numbers(value) for name, value in found.items()}


def write(table: dict[str, Any]) -> None:
    """The table as JSON, one list in a line."""
    lines = []
    for name, votes in table.items():
        entries = [f'  "{key}": {json.dumps(value)}' for key, value in votes.items()]
        lines.append(f'"{name}": {{\n' + ",\n".join(entries) + "\n}")
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    stored = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    for make, steps in SETS.items():
        if len(sys.argv) > 1 and make.__name__ not in sys.argv[1:]:
            continue
        votes = make()
        stored[make.__name__] = votes | said(votes, steps)
        write(stored)
        scores = stored[make.__name__]["scores"]
        worst = max(np.array(scores["mean_error"]) / scores["sd"]), max(np.array(scores["sd_error"]) / scores["sd"])
        print(f"{make.__name__}: Monte Carlo errors of at most {worst[0]:.4f} and {worst[1]:.4f} sd", flush=True)
