"""Options that cannot be used are refused in our words: seeds, numbers beyond a float, long doubles, odd clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pairvote as pv

VOTES = pv.Votes.from_codes([0, 1, 2, 0, 1, 2] * 5, [1, 2, 0, 2, 0, 1] * 5, [2, 0, 2, 1, 2, 0] * 5)
# Beyond a float, and beyond what Python writes out.
HUGE = (10**400, 10**5000, -(10**400))
SEEDS = (-1, 0.5, "x", {}, object(), [-1], 10**5000 * -1)

WITH_SEED: dict[str, Callable[[Any], Any]] = {
    "Poll": lambda rng: pv.Poll(["a", "b"], rng=rng),
    "bootstrap": lambda rng: pv.bootstrap(VOTES, rng=rng, n_resamples=2),
    "elo": lambda rng: pv.elo(VOTES, n_shuffles=2, rng=rng),
    "check": lambda rng: pv.diagnostics.check(VOTES, top_k=1, rng=rng),
    "simulate": lambda rng: pv.simulate(n_items=3, n_voters=2, votes_each=2, repetitions=1, rng=rng),
    "top_k_probability": lambda rng: pv.bradley_terry(VOTES).top_k_probability(1, rng=rng),
    "plan": lambda rng: pv.sampling.plan_ballots(n_items=3, n_voters=2, votes_each=2, rng=rng),
    "stream": lambda rng: pv.sampling.Uniform().start(3, rng=rng),
    "kalmar": lambda rng: pv.datasets.kalmar().simulated_votes(rng=rng),
}
WITH_NUMBER: dict[str, Callable[[Any], Any]] = {
    "prior_sd": lambda huge: pv.bradley_terry(VOTES, prior_sd=huge),
    "tol": lambda huge: pv.bradley_terry(VOTES, tol=huge),
    "max_iter": lambda huge: pv.bradley_terry(VOTES, max_iter=huge),
    "start": lambda huge: pv.bradley_terry(VOTES, start=[huge, 0, 0]),
    "k": lambda huge: pv.elo(VOTES, k=huge),
    "initial": lambda huge: pv.elo(VOTES, initial=huge),
    "n_shuffles": lambda huge: pv.elo(VOTES, n_shuffles=-abs(huge)),
    "prior": lambda huge: pv.win_rate(VOTES, prior=huge),
    "tally ties": lambda huge: pv.tally(VOTES, ties=huge),
    "expire_after": lambda huge: pv.Poll(["a", "b"], expire_after=huge),
    "TopK": lambda huge: pv.sampling.TopK(2, prior_sd=huge),
    "record": lambda huge: pv.EloRatings([0, 1]).record(0, 1, "left", weight=huge),
    "from_state": lambda huge: pv.EloRatings.from_state({**pv.EloRatings(["a", "b"]).state(), "k": huge}),
    "level": lambda huge: pv.bradley_terry(VOTES).confidence_interval(huge),
    "n_resamples": lambda huge: pv.bootstrap(VOTES, n_resamples=-abs(huge)),
}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: type(seed).__name__ if not isinstance(seed, str) else seed)
@pytest.mark.parametrize("name", WITH_SEED)
def test_seeds_that_are_none_are_refused(name: str, seed: object) -> None:
    with pytest.raises(
        pv.InputError, match=r"rng is .*; it is None, a whole number from 0 or a numpy Generator"
    ) as raised:
        WITH_SEED[name](seed)
    assert (raised.value.option, raised.value.value) == ("rng", seed)


@pytest.mark.parametrize(
    "seed", [0, 10**30, np.int64(3), np.random.default_rng(1)], ids=lambda seed: type(seed).__name__
)
@pytest.mark.parametrize("name", sorted(WITH_SEED.keys() - {"check"}))
def test_seeds_are_taken(name: str, seed: object) -> None:
    WITH_SEED[name](seed)


@pytest.mark.parametrize("huge", HUGE, ids=["large", "larger", "negative"])
@pytest.mark.parametrize("name", WITH_NUMBER)
def test_numbers_beyond_a_float_are_refused(name: str, huge: int) -> None:
    with pytest.raises(pv.InputError) as raised:
        WITH_NUMBER[name](huge)
    assert len(str(raised.value)) < 1000


def test_long_doubles_are_refused_and_all_that_is_a_float_is_taken() -> None:
    with pytest.raises(pv.InputError, match="tol is"):
        pv.bradley_terry(VOTES, tol=np.longdouble(1e-9))
    expected = pv.bradley_terry(VOTES, tol=1e-9, prior_sd=2.0).scores
    for number in (np.float64(2.0), np.float32(2.0), np.int8(2), 2):
        np.testing.assert_array_equal(pv.bradley_terry(VOTES, tol=np.float64(1e-9), prior_sd=number).scores, expected)


@pytest.mark.parametrize("now", ["now", None, 10**400, "1e999", float("nan"), []], ids=repr)
def test_clocks_that_give_no_time_are_refused(now: Any) -> None:
    with pytest.raises(pv.InputError, match=r"clock gave .*; pass a function that gives the time in seconds"):
        pv.Poll(["a", "b"], clock=lambda: now)
