"""What a ranking says of the prior that its scores had."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import pairvote as pv


def spread_of(ranking: pv.Ranking) -> pv.PriorSd:
    assert ranking.fit is not None
    return ranking.fit.prior_sd


@pytest.fixture(scope="module")
def learned() -> pv.Ranking:
    return pv.bradley_terry(pv.datasets.citations())


@pytest.mark.parametrize("given", [0.5, 3, math.inf])
def test_a_prior_that_was_given_is_known(given: float) -> None:
    spread = spread_of(pv.bradley_terry(pv.datasets.citations(), prior_sd=given))
    assert isinstance(spread, pv.PriorSd)
    assert spread == given
    assert not spread.learned
    assert spread.interval == (given, given)


def test_a_prior_that_was_learned_has_an_interval(learned: pv.Ranking) -> None:
    spread = spread_of(learned)
    assert isinstance(spread, pv.PriorSd)
    assert spread.learned
    assert 0 < spread.interval.low < spread < spread.interval.high < math.inf
    # Of four items little is known of how far such items spread, but their own spread is no surprise.
    assert spread.interval.low < np.std(learned.scores) < spread.interval.high


def test_the_printed_ranking_says_what_was_learned(learned: pv.Ranking) -> None:
    spread = spread_of(learned)
    assert f"the prior was learned: spread {spread:.2g} (95%: {spread.interval.low:.2g} to" in str(learned)
    assert "learned" not in str(pv.bradley_terry(pv.datasets.citations(), prior_sd=3.0))


def test_it_is_a_number_and_survives_a_pickle(learned: pv.Ranking) -> None:
    for spread in (spread_of(learned), pv.PriorSd(3.0)):
        assert spread * 2 == 2 * float(spread)
        again = pickle.loads(pickle.dumps(spread))
        assert (again, again.learned, again.interval) == (spread, spread.learned, spread.interval)
