"""Graded votes scored: held against the definition, against whole votes, and by their coverage."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import outcome_models
import pytest
import reference
from numpy.typing import NDArray

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import OUTCOME_MODELS

Floats = NDArray[np.float64]
COMPILED = _kernels.davidson.COMPILED
N_ITEMS = 5
# Shares are parts of votes; by "cumulative" they are answers in order, which tests/scoring/test_cumulative.py holds.
TIES = tuple(ties for ties in OUTCOME_MODELS if ties != "cumulative")


class Table(NamedTuple):
    """Graded and whole votes as columns."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    outcome: list[Any]
    weight: Floats
    voter: NDArray[np.int64]
    covariates: Floats

    def votes(self, **options: Any) -> pv.Votes:
        columns = {"weight": self.weight, "voter": self.voter, "items": range(N_ITEMS), **options}
        return pv.Votes.from_labels(self.left, self.right, self.outcome, outcomes="share", **columns)

    @property
    def rows(self) -> list[reference.Row]:
        names = ("right", "tie", "left", "skip")
        outcomes = [names.index(o) if isinstance(o, str) else reference.Share(o) for o in self.outcome]
        return list(zip(self.left.tolist(), self.right.tolist(), outcomes, self.weight.tolist(), strict=True))

    def turned(self) -> Table:
        """The same votes with every pair the other way round."""
        other = {"left": "right", "right": "left"}
        outcome = [other.get(o, o) if isinstance(o, str) else 1 - o for o in self.outcome]
        return self._replace(left=self.right, right=self.left, outcome=outcome)


def simulated(
    seed: int,
    *,
    n_votes: int = 120,
    whole: float = 0.3,
    weighted: bool = False,
    sharp: float = 2.0,
    effect: float = 0.4,
) -> Table:
    """Shares from beta distributions about each pair's chance; a part of the votes are whole, tied or skipped."""
    rng = np.random.default_rng(seed)
    left = rng.integers(N_ITEMS, size=n_votes)
    right = (left + rng.integers(1, N_ITEMS, size=n_votes)) % N_ITEMS
    covariates = np.column_stack([rng.normal(size=n_votes), rng.integers(2, size=n_votes)])
    strengths = rng.normal(size=N_ITEMS)
    chance = 1 / (1 + np.exp(-(strengths[left] - strengths[right] + covariates @ [effect, -effect])))
    outcome: list[Any] = rng.beta(sharp * chance, sharp * (1 - chance)).tolist()
    for row in np.flatnonzero(rng.random(n_votes) < whole).tolist():
        outcome[row] = ("left", "right", "tie", "skip", 0.0, 1.0, 0.5)[rng.integers(7)]
    weight = rng.choice([0.0, 0.5, 1.0, 2.0], size=n_votes) if weighted else np.ones(n_votes)
    return Table(left, right, outcome, weight, rng.integers(9, size=n_votes), covariates)


# --- the definition ---


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("with_covariates", [False, True])
@pytest.mark.parametrize("prior_sd", [0.7, math.inf])
@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("ties", TIES)
def test_equals_the_definition(
    ties: str, position: bool, prior_sd: float, with_covariates: bool, weighted: bool
) -> None:
    table = simulated(1, n_votes=70, weighted=weighted)
    covariates = table.covariates if with_covariates else np.empty((len(table.left), 0))
    options = {"ties": ties, "position": position, "prior_sd": prior_sd}
    has_ties = ties in outcome_models.WITH_TIES
    groups = {"sandwich": None, "by-voter": table.voter.tolist()}
    for uncertainty in (None, "sandwich", "model", "by-voter"):
        ranking = pv.bradley_terry(
            table.votes(), covariates=covariates if with_covariates else None, uncertainty=uncertainty, **options
        )
        part = ranking.fit.dispersion
        rows = table._replace(weight=table.weight / part).rows
        expected = reference.bradley_terry_with_covariates(rows, covariates, N_ITEMS, **options)
        differences = expected["scores"][table.left] - expected["scores"][table.right] + expected["position"]
        differences += covariates @ expected["coefficients"]
        tie = math.log(expected["tie"]) if has_ties else None
        known = reference.dispersion(table.rows, differences.tolist(), ties, tie, n_free=N_ITEMS - 1)
        assert part == pytest.approx(known, rel=1e-6)
        assert 0.1 < part < 0.95
        whole = expected["inverse"]
        if uncertainty != "model" or ties == "half":
            # Halved ties are no likelihood either.
            by = "by-voter" if uncertainty == "by-voter" else "sandwich"
            whole = reference.covariance_between(expected, groups[by], corrected=by == "by-voter", dispersion=part)
            assert ranking.fit.uncertainty == by
        np.testing.assert_allclose(ranking.scores, expected["scores"], rtol=0, atol=1e-8)
        np.testing.assert_allclose(ranking.covariance, reference.centred(whole, N_ITEMS), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(ranking.standard_errors**2, np.diag(ranking.covariance), rtol=1e-9)
        errors, fit = np.sqrt(np.diag(whole)), ranking.fit
        assert fit.tie_standard_error == pytest.approx(errors[N_ITEMS] * expected["tie"] if has_ties else 0.0, rel=1e-6)
        assert fit.position_standard_error == pytest.approx(errors[N_ITEMS + has_ties] if position else 0.0, rel=1e-6)
        assert fit.log_likelihood == pytest.approx(part * expected["log_likelihood"], rel=1e-9)


def test_a_vote_has_the_residual_of_its_share() -> None:
    """Two items, by hand: scores by the mean share, errors by the sum of squared residuals."""
    shares = np.tile([0.9, 0.6, 0.7, 0.35], 5)
    votes = pv.Votes.from_labels(["ash"] * 20, ["birch"] * 20, shares, outcomes="share")
    ranking = pv.bradley_terry(votes, prior_sd=math.inf)
    mean = shares.mean()
    information = 20 * mean * (1 - mean)
    squares = ((shares - mean) ** 2).sum()
    part = (1 - (shares * (1 - shares)).sum() / (information * 21 / 20)) * 20 / 19
    assert ranking.fit.dispersion == pytest.approx(part, rel=1e-9)
    difference = ranking.difference("ash", "birch")
    assert difference.estimate == pytest.approx(math.log(mean / (1 - mean)), abs=1e-12)
    assert difference.standard_error == pytest.approx(math.sqrt(squares) / information, rel=1e-9)
    by_model = pv.bradley_terry(votes, prior_sd=math.inf, uncertainty="model").difference("ash", "birch")
    assert by_model.standard_error == pytest.approx(math.sqrt(part / information), rel=1e-9)


@pytest.mark.parametrize("sharp", [0.5, 3.0, 20.0])
def test_the_dispersion_is_that_of_the_shares(sharp: float) -> None:
    """A beta distribution with a + b = s has 1 / (s + 1) of the variance of wins and losses."""
    ranking = pv.bradley_terry(simulated(10, n_votes=4000, whole=0.0, sharp=sharp, effect=0.0).votes(), prior_sd=1.0)
    assert ranking.fit.dispersion == pytest.approx(1 / (sharp + 1), rel=0.06)


def test_sampling_weights_are_squared() -> None:
    table = simulated(4, weighted=True, whole=0.0, sharp=0.5)
    ranking = pv.bradley_terry(table.votes(), weights="sampling", prior_sd=math.inf)
    kept = table.weight > 0
    weight = table.weight * (table.weight[kept].sum() / (table.weight[kept] @ table.weight[kept]))
    rows = table._replace(weight=weight).rows
    expected = reference.bradley_terry_with_covariates(rows, np.empty((120, 0)), N_ITEMS, "davidson", math.inf, False)
    # Each vote by itself, its gradient taken with its weight.
    whole = reference.covariance_between(expected, list(range(120)))
    np.testing.assert_allclose(ranking.covariance, reference.centred(whole, N_ITEMS), rtol=1e-6, atol=1e-9)


# --- laws ---


def score(table: Table, **options: Any) -> tuple[Floats, Floats]:
    ranking = pv.bradley_terry(table.votes(), prior_sd=2.0, **options)
    return ranking.scores, ranking.standard_errors


LAWS = [{}, {"uncertainty": "by-voter"}, {"ties": "rao-kupper"}, {"ties": "half"}, {"ties": "drop"}]


@pytest.mark.parametrize("options", LAWS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_shares_of_all_or_nothing_are_whole_votes(options: Any, weighted: bool) -> None:
    table = simulated(2, whole=1.0, weighted=weighted)
    table = table._replace(outcome=["tie" if o == 0.5 else o for o in table.outcome])
    names = {0.0: "right", 1.0: "left"}
    plain = table._replace(outcome=[names.get(o, o) for o in table.outcome])
    assert plain.votes().share is None
    options = {"uncertainty": "sandwich", **options}
    for found, expected in zip(score(table, **options), score(plain, **options), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("options", LAWS, ids=str)
def test_sides_may_be_swapped_and_a_vote_repeated(options: Any) -> None:
    table = simulated(3)
    doubled = Table(*(np.concatenate([c, c]) if isinstance(c, np.ndarray) else c + c for c in table))
    for other, twice in ((table.turned(), table), (doubled, table._replace(weight=2 * table.weight))):
        for found, expected in zip(score(other, **options), score(twice, **options), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_a_vote_of_one_half_is_no_tie() -> None:
    votes = pv.Votes.from_labels(["ash"] * 6, ["birch"] * 6, [0.5, 0.5, 0.9, 0.1, 0.2, 0.9], outcomes="share")
    assert pv.bradley_terry(votes, prior_sd=2.0).fit.tie_parameter == 0.0
    dropped = pv.bradley_terry(votes, prior_sd=2.0, ties="drop")
    np.testing.assert_array_equal(dropped.scores, pv.bradley_terry(votes, prior_sd=2.0, ties="half").scores)
    assert dropped.asked.tolist() == [6, 6]


def test_the_learned_prior_has_robust_errors_by_default() -> None:
    votes = simulated(5, n_votes=300).votes()
    robust, by_model = (pv.bradley_terry(votes, uncertainty=kind) for kind in (None, "model"))
    assert (robust.fit.uncertainty, by_model.fit.uncertainty) == ("sandwich", "model")
    np.testing.assert_array_equal(robust.scores, by_model.scores)
    # Where shares scatter as their dispersion says, both are right.
    np.testing.assert_allclose(robust.standard_errors, by_model.standard_errors, rtol=0.2)


def test_other_scorers_take_shares_as_parts_of_votes() -> None:
    table = simulated(6, weighted=True)
    votes, rows = table.votes(), table.rows
    halves = []
    for left, right, outcome, weight in rows:
        if isinstance(outcome, reference.Share):
            halves += [(left, right, 2, weight * outcome.left), (left, right, 0, weight * (1 - outcome.left))]
        else:
            halves.append((left, right, outcome, weight))
    for scorer, expected in ((pv.tally, reference.tally), (pv.win_rate, reference.win_rate)):
        np.testing.assert_allclose(scorer(votes).scores, expected(halves, N_ITEMS), rtol=1e-12)
    left, right, outcome, weight = zip(*halves, strict=True)
    apart = pv.Votes.from_codes(left, right, outcome, weight=weight, n_items=N_ITEMS)
    for algorithm in ("ilsr", "lsr"):
        found, known = (pv.luce(v, algorithm=algorithm, prior=0.1).scores for v in (votes, apart))
        np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-9)


def test_parts_of_votes_are_printed_with_one_decimal() -> None:
    votes = pv.Votes.from_labels(["ash"] * 3, ["birch"] * 3, [0.73512, 0.41, 0.6], outcomes="share")
    first = str(pv.tally(votes)).splitlines()[1].split()
    assert first[1:] == ["ash", "1.7", "1.7", "0", "3"]


# --- Elo ---


def test_elo_takes_the_share_as_the_score() -> None:
    table = simulated(7, weighted=True)
    expected = reference.elo(table.rows, N_ITEMS)
    votes = table.votes()
    np.testing.assert_allclose(pv.elo(votes).scores, expected, rtol=1e-12)
    rows = np.arange(len(votes))
    chunks = [votes.where(rows < 50), votes.where(rows >= 50)]
    np.testing.assert_array_equal(pv.elo(chunks).scores, pv.elo(votes).scores)
    ratings = pv.EloRatings(range(N_ITEMS))
    ratings.update(chunks)
    assert ratings.ranking().scores.tolist() == pv.elo(votes).scores.tolist()
    np.testing.assert_allclose(ratings.ranking().asked, pv.elo(votes).asked, rtol=1e-12)


def test_elo_of_whole_shares_is_that_of_votes_to_the_bit() -> None:
    table = simulated(8, whole=1.0)
    names = {0.0: "right", 1.0: "left", 0.5: "tie"}
    plain = table._replace(outcome=[names.get(o, o) for o in table.outcome])
    assert pv.elo(table.votes()).scores.tolist() == pv.elo(plain.votes()).scores.tolist()


# --- the bootstrap ---


def test_a_graded_vote_is_drawn_whole() -> None:
    votes = pv.Votes.from_labels(["ash"] * 20, ["birch"] * 20, [0.75] * 20, outcomes="share")
    for by in ("vote", list(range(20))):
        ranking = pv.bootstrap(votes, "tally", by=by, rng=0, n_resamples=50)
        assert ranking.scores.tolist() == [15.0, 5.0]
        # Any 20 of these votes say the same; halves drawn apart would not.
        np.testing.assert_allclose(ranking.standard_errors, 0.0, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"position": True}, {"ties": "drop"}])
def test_the_bootstrap_agrees_with_robust_errors(options: Any) -> None:
    votes = simulated(9, n_votes=600, sharp=4.0).votes()
    robust = pv.bradley_terry(votes, prior_sd=math.inf, uncertainty="sandwich", **options)
    drawn = pv.bootstrap(votes, prior_sd=math.inf, n_resamples=500, rng=1, **options)
    ratio = drawn.standard_errors / robust.standard_errors
    # A standard error of 500 resamples has one of 1 / sqrt(1000), and five are looked at.
    assert np.abs(np.log(ratio)).max() < 4 / math.sqrt(1000) + 0.02, ratio


# --- coverage ---


@pytest.mark.slow
@pytest.mark.parametrize("scatter", ["beta", "between pairs"])
@pytest.mark.parametrize("prior_sd", [1.0, "learned", math.inf])
def test_robust_intervals_cover(prior_sd: Any, scatter: str) -> None:
    """Shares that scatter less than wins and losses; in half of the cases much more on some pairs than on others."""
    rng = np.random.default_rng(2026)
    n_items, n_votes = 8, 200
    n_workshops = 400 if COMPILED else 40
    covered, known = [], {"between pairs": 0.3, "beta": 0.0}[scatter]
    for _ in range(n_workshops):
        strengths = rng.normal(size=n_items)
        left = rng.integers(n_items, size=n_votes)
        right = (left + rng.integers(1, n_items, size=n_votes)) % n_items
        chance = 1 / (1 + np.exp(-(strengths[left] - strengths[right])))
        # The first items are judged by wins and losses in a part of the votes.
        sharp = np.where((np.minimum(left, right) < 3) & (rng.random(n_votes) < known), 0.01, 6.0)
        shares = rng.beta(sharp * chance, sharp * (1 - chance))
        votes = pv.Votes.from_labels(left, right, shares, outcomes="share", items=range(n_items))
        ranking = pv.bradley_terry(votes, prior_sd=prior_sd)
        assert ranking.fit is not None
        assert ranking.fit.uncertainty == "sandwich"
        off = np.abs(ranking.scores - strengths + strengths.mean())
        covered.append(float((off < 1.959964 * ranking.standard_errors).mean()))
    coverage, error = float(np.mean(covered)), float(np.std(covered, ddof=1)) / math.sqrt(n_workshops)
    print(f"prior_sd={prior_sd}, {scatter}: {coverage:.4f} with a standard error of {error:.4f}")
    # Normal quantiles beside variances that 50 votes an item tell cost about a percent.
    assert abs(coverage - 0.945) < 3 * error + 0.01
