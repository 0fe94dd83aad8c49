"""The registry of scorers: one entry, and the whole library and the command line know a scorer."""

from __future__ import annotations

import gc
import pickle
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import pairvote as pv
from pairvote.cli._main import main
from pairvote.ranking._units import UNITS, Unit
from pairvote.scoring._methods import NOTHING, SCORERS, Scorer, register
from pairvote.votes._given import summed

KALMAR = pv.datasets.kalmar().simulated_votes(rng=2014)


def net_wins(votes: pv.Votes | pv.PairCounts, *, ties: float = 0.0) -> pv.Ranking:
    """A toy: votes won less votes lost, in stars."""
    totals, first = summed(votes)
    lost, tied, won, _ = totals.T
    return pv.Ranking(
        items=votes.items,
        scores=(won - lost + ties * tied) / 1000,
        unit="stars",
        method="net-wins",
        _totals=totals,
        _first=first,
    )


@pytest.fixture
def toy() -> Iterator[Scorer]:
    stars = Unit(name="stars", decimals=4)
    scorer = Scorer(name="net-wins", function=net_wins, unit=stars, needs=NOTHING, flags=("ties",))
    register(scorer)
    yield scorer
    del SCORERS["net-wins"], UNITS["stars"]


def test_a_toy_scorer_is_known_everywhere(toy, tmp_path: Path, capsys) -> None:
    ranking = pv.rank(KALMAR, "net-wins", ties=0.5)
    assert sum(ranking.scores) == pytest.approx(0.5 * ranking.tied.sum() / 1000)
    assert "score (stars)" in str(ranking)
    assert f"{ranking.scores.max():.4f}" in str(ranking)
    again = pv.bootstrap(KALMAR, "net-wins", n_resamples=50, rng=0)
    assert (again.standard_errors > 0).all()
    table = pv.simulate(repetitions=3, rng=1).evaluate(methods=["net-wins"])
    assert table.to_columns()["method"][0] == "net-wins"
    path = tmp_path / "votes.csv"
    pv.write_votes(KALMAR, path)
    assert main(["rank", str(path), "--method", "net-wins", "--ties", "0.5"]) == 0
    assert "score (stars)" in capsys.readouterr().out
    assert main(["rank", str(path), "--method", "net-wins", "--position"]) == 2
    assert "--position goes with --method bradley-terry, not with net-wins" in capsys.readouterr().err


def test_its_options_are_checked(toy) -> None:
    assert toy.options == {"ties": 0.0}
    with pytest.raises(pv.InputError, match=r"'net-wins' has no option 'k'; its options are ties"):
        pv.rank(KALMAR, "net-wins", k=3)


def test_when_it_is_gone_nobody_knows_it() -> None:
    with pytest.raises(pv.InputError, match="method is 'net-wins'; use one of 'tally', 'win-rate', 'elo'"):
        pv.rank(KALMAR, "net-wins")


# --- a ranking holds no votes ---


def many_votes() -> pv.Votes:
    rng = np.random.default_rng(1)
    left = rng.integers(129, size=100_000)
    right = (left + rng.integers(1, 129, size=100_000)) % 129
    return pv.Votes.from_codes(left, right, rng.integers(4, size=100_000), n_items=129)


@pytest.mark.parametrize(
    ("method", "largest"), [("tally", 8_000), ("win-rate", 8_000), ("elo", 8_000), ("luce", 8_000)]
)
def test_a_ranking_of_many_votes_is_a_small_pickle(method, largest) -> None:
    assert len(pickle.dumps(pv.rank(many_votes(), method))) < largest


def test_a_fit_pickles_no_more_than_its_counts() -> None:
    votes = many_votes()
    counts = len(pickle.dumps(votes.counts().folded()))
    assert len(pickle.dumps(pv.bradley_terry(votes, prior_sd=3.0, uncertainty="none"))) < counts + 20_000


def test_a_fit_under_a_learned_prior_pickles_its_draws_in_four_bytes_each_and_none_without_errors() -> None:
    ranking = pv.bradley_terry(KALMAR)
    n_draws = len(ranking._uncertainty.samples)
    assert 500 <= n_draws <= 6_000
    rest = len(pickle.dumps(pv.bradley_terry(KALMAR, uncertainty="none")))
    assert rest < 20_000
    assert len(pickle.dumps(ranking)) < rest + 4 * n_draws * 24 + 2_000
    again = pickle.loads(pickle.dumps(ranking))
    np.testing.assert_array_equal(again.standard_errors, ranking.standard_errors)
    np.testing.assert_array_equal(again.top_k_probability(5), ranking.top_k_probability(5))


@pytest.mark.slow
@pytest.mark.parametrize("method", SCORERS)
def test_votes_can_be_let_go(method) -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=1)
    gone = weakref.ref(votes)
    ranking = pv.rank(votes, method)
    str(ranking)
    del votes
    gc.collect()
    assert gone() is None
    assert ranking.asked.sum() == 2 * 600
    assert not ranking.components.any()


def test_chunks_and_criteria_can_be_let_go() -> None:
    votes = pv.datasets.kalmar().simulated_votes(rng=1)
    both = pv.Votes.from_labels(["ash"] * 2, ["birch"] * 2, ["left", "right"], criterion=["useful", "new"])
    gone = weakref.ref(votes), weakref.ref(both)
    rankings = pv.elo([votes]), pv.tally(both, criteria={"useful": 3, "new": 1})
    del votes, both
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
    assert [ranking.components.max() for ranking in rankings] == [0, 0]
