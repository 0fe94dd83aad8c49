"""Graphs on which solvers stall, at full size: fits are the maximum to 1e-8, by another solver and in closed form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import limited
import numpy as np
import pytest
import reference
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import LIMITS, Limits

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
COMPILED = _kernels.davidson.COMPILED
LARGE = 100_000 if COMPILED else 2_000
PER_CLUSTER = 300 if COMPILED else 70
TIE_PARAMETER = 0.8


def path(n_items: int) -> Ints:
    return np.stack([np.arange(n_items - 1), np.arange(1, n_items)])


def band(n_items: int) -> Ints:
    """Each item met the next two."""
    return np.concatenate([path(n_items), [np.arange(n_items - 2), np.arange(2, n_items)]], axis=1)


def star(n_items: int) -> Ints:
    return np.stack([np.zeros(n_items - 1, np.int64), np.arange(1, n_items)])


def tree(n_items: int) -> Ints:
    """Each item met one before it."""
    return np.stack([np.random.default_rng(1).integers(0, np.arange(1, n_items)), np.arange(1, n_items)])


def three_regular(n_items: int) -> Ints:
    rng = np.random.default_rng(2)
    return np.concatenate([rng.permutation(n_items).reshape(2, -1) for _ in range(3)], axis=1)


def bridged_clusters(n_items: int) -> Ints:
    """Two halves in which everyone met everyone, and one pair across."""
    half = n_items // 2
    inside = np.stack(np.triu_indices(half, 1))
    return np.concatenate([inside, inside + half, [[0], [half]]], axis=1)


# The edges, how many items, and whether a sparse factor would fill up, so that the oracle goes without.
GRAPHS: dict[str, tuple[Callable[[int], Ints], int, bool]] = {
    "chain": (path, 60, False),
    "path": (path, LARGE, False),
    "band": (band, LARGE, False),
    "star": (star, LARGE, True),
    "tree": (tree, LARGE, False),
    "three-regular": (three_regular, LARGE, True),
    "bridged clusters": (bridged_clusters, 2 * PER_CLUSTER, False),
}
TREES = ("chain", "path", "star", "tree")


class Links(NamedTuple):
    """The pairs of a graph, and how often the first of each won, tied and lost."""

    n_items: int
    first: Ints
    second: Ints
    won: Floats
    tied: Floats
    lost: Floats

    def columns(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Left, right, outcome and weight, with half of the pairs' sides swapped."""
        swapped = np.random.default_rng(3).random(len(self.first)) < 0.5
        left, right = np.where(swapped, [self.second, self.first], [self.first, self.second])
        on_left, on_right = np.where(swapped, [self.lost, self.won], [self.won, self.lost])
        outcome = np.repeat([2, 1, 0], len(left))
        return np.tile(left, 3), np.tile(right, 3), outcome, np.concatenate([on_left, self.tied, on_right])

    def fitted(self, ties: str, prior_sd: float, limits: Limits = LIMITS) -> pv.Ranking:
        left, right, outcome, weight = self.columns()
        votes = pv.Votes.from_codes(left, right, outcome, n_items=self.n_items, weight=weight)
        return limited.bradley_terry(votes, limits, ties=ties, prior_sd=prior_sd, uncertainty="none")


def links(name: str, n_items: int | None = None) -> Links:
    """Ten votes or more a pair by strengths of spread one, both ways, with ties as often as fit one tie parameter."""
    edges, full_size, _ = GRAPHS[name]
    n_items = full_size if n_items is None else n_items
    first, second = edges(n_items)
    rng = np.random.default_rng(4)
    strength = rng.normal(size=n_items)
    won = 1.0 + rng.binomial(8, 1 / (1 + np.exp(strength[second] - strength[first])))
    lost = 10.0 - won
    return Links(n_items, first, second, won, TIE_PARAMETER * np.sqrt(won * lost), lost)


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["half", "davidson"])
@pytest.mark.parametrize("name", TREES)
def test_on_trees_each_link_has_the_log_odds_of_its_own_votes(name, ties) -> None:
    votes = links(name)
    ranking = votes.fitted(ties, math.inf)
    if ties == "davidson":
        expected = np.log(votes.won / votes.lost)
        assert ranking.fit.tie_parameter == pytest.approx(TIE_PARAMETER, abs=1e-8)
    else:
        expected = np.log((votes.won + votes.tied / 2) / (votes.lost + votes.tied / 2))
    gaps = ranking.scores[votes.first] - ranking.scores[votes.second]
    np.testing.assert_allclose(gaps, expected, rtol=0, atol=1e-8)
    assert abs(ranking.scores.mean()) < 1e-10
    if name in ("chain", "path"):
        # Errors of links that are small each could still add up.
        along = -np.cumsum(np.append(0.0, expected))
        np.testing.assert_allclose(ranking.scores, along - along.mean(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_a_steep_path_keeps_its_closed_form(ties) -> None:
    """Scores thousands of log-odds apart, whose exponentials no float64 holds."""
    n_items = LARGE // 5
    first, second = path(n_items)
    won, lost = np.full(n_items - 1, 6.0), np.full(n_items - 1, 2.0)
    votes = Links(n_items, first, second, won, TIE_PARAMETER * np.sqrt(won * lost), lost)
    ranking = votes.fitted(ties, math.inf)
    tied = 0.0 if ties == "davidson" else votes.tied[0] / 2
    np.testing.assert_allclose(-np.diff(ranking.scores), math.log((6 + tied) / (2 + tied)), rtol=0, atol=1e-8)
    if COMPILED:
        assert np.ptp(ranking.scores) > 2_000


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_a_path_of_uneven_links_keeps_its_closed_form(ties) -> None:
    """Shares of votes say little of scores that add up along a path, and weights are a ten-thousandth to one."""
    n_items = LARGE // 5
    rng = np.random.default_rng(7)
    first, second = path(n_items)
    won, lost = 10.0 ** rng.uniform(-2, 2, size=(2, n_items - 1))
    tied = TIE_PARAMETER * np.sqrt(won * lost)
    ranking = Links(n_items, first, second, won, tied, lost).fitted(ties, math.inf)
    halved = 0.0 if ties == "davidson" else tied / 2
    np.testing.assert_allclose(-np.diff(ranking.scores), np.log((won + halved) / (lost + halved)), rtol=0, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["half", "davidson"])
@pytest.mark.parametrize(
    ("name", "prior_sd"),
    [
        ("chain", 3.0),
        ("path", 3.0),
        ("star", 3.0),
        *itertools.product(("band", "three-regular", "bridged clusters"), (3.0, math.inf)),
    ],
)
def test_equals_an_independent_newton_method(name, prior_sd, ties) -> None:
    votes = links(name)
    ranking = votes.fitted(ties, prior_sd)
    tie_parameter = ranking.fit.tie_parameter
    columns = votes.columns()

    expected, expected_tie = reference.maximum_of_many(*columns, votes.n_items, ties, prior_sd, mixed=GRAPHS[name][2])
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(ranking.scores, expected, rtol=0, atol=1e-8)
    assert tie_parameter == pytest.approx(expected_tie, abs=1e-8)

    eta = math.log(tie_parameter) if ties == "davidson" else -math.inf
    _, gradient, information, border = reference.slopes_of_many(*columns, ranking.scores, eta, prior_sd)
    # In log-odds: what each parameter would move by if it were free to alone.
    assert (np.abs(gradient[:-1]) <= 1e-8 * information.diagonal()).all()
    assert abs(gradient[-1]) <= 1e-8 * max(border[-1], 1e-300)


@pytest.mark.parametrize("prior_sd", [3.0, math.inf])
@pytest.mark.parametrize("ties", ["half", "davidson"])
@pytest.mark.parametrize("name", ["star", "bridged clusters"])
def test_the_oracle_for_many_votes_equals_the_slow_one(name, ties, prior_sd) -> None:
    votes = links(name, 10)
    columns = votes.columns()
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    slow = reference.bradley_terry(rows, 10, ties, prior_sd)
    scores, tie_parameter = reference.maximum_of_many(*columns, 10, ties, prior_sd, mixed=GRAPHS[name][2])
    np.testing.assert_allclose(scores, slow["scores"], rtol=0, atol=1e-9)
    assert tie_parameter == pytest.approx(slow["tie"] or 0.0, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("n_items", [60, 300, 2_000])
@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_a_long_chain_at_the_default_prior_is_the_priors(n_items, ties) -> None:
    assert links("chain", n_items).fitted(ties, 3.0).fit.prior_share > 0.9


@pytest.mark.parametrize(("name", "n_items"), [("chain", 8), ("star", 200), ("bridged clusters", 80), ("chain", 60)])
def test_the_prior_has_a_small_share_where_the_votes_decide(name, n_items) -> None:
    prior_sd = 30.0 if (name, n_items) == ("chain", 60) else 3.0
    assert links(name, n_items).fitted("half", prior_sd).fit.prior_share < 0.8


def test_a_core_with_long_chains_is_solved_without_a_factor() -> None:
    """Where a factor would fill up, conjugate gradients are given the time that they need."""
    n_core, n_chain = 600, 500
    rng = np.random.default_rng(8)
    core = np.stack([rng.permutation(n_core) for _ in range(8)]).reshape(2, -1)
    chain = path(n_chain) + n_core - 1
    first, second = np.concatenate([core, chain], axis=1)
    unlike = first != second
    first, second = first[unlike], second[unlike]
    won, lost = 1.0 + rng.integers(9, size=(2, len(first)))
    votes = Links(n_core + n_chain - 1, first, second, won, np.ones(len(first)), lost)
    ranking = votes.fitted("half", math.inf, Limits(table_items=1_000, largest_fill=1_000))
    along = -np.diff(ranking.scores[n_core - 1 :])
    of_chain = slice(-(n_chain - 1), None)
    np.testing.assert_allclose(along, np.log((won + 0.5) / (lost + 0.5))[of_chain], rtol=0, atol=1e-8)
    impatient = Limits(table_items=1_000, largest_fill=1_000, patience=300)
    with pytest.raises(pv.ConvergenceError, match="conjugate gradients have not arrived after 300 products"):
        votes.fitted("half", math.inf, impatient)
