"""The mixture over voters against a slow one in loops, its held-out votes, and the map against a dense one."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize

import pairvote as pv
from pairvote.groups import _find_mixture as fast
from pairvote.groups._find_cells import VoterCells
from pairvote.groups._find_number import N_FOLDS, held_out, mixtures, one_camp

TWO = pv.VoterModel(clusters=2, cluster_sd=1.2, tie_parameter=0.4, random_voters=0.2)
VOTES = pv.simulate(n_items=6, n_voters=10, votes_each=20, voters=TWO, repetitions=1, rng=8).votes(0)
CELLS = VoterCells.of(VOTES, None, position=False)
NU = CELLS.model.tie_parameter(CELLS.nuisance)


def log_chance(lead: float, outcome: int) -> float:
    """The log-chance of right (0), tie (1) or left (2) under Davidson's model, as he writes it."""
    strengths = {2: math.exp(lead / 2), 0: math.exp(-lead / 2), 1: NU}
    return math.log(strengths[outcome] / sum(strengths.values()))


def log_likelihood_of(voter: int, scores: np.ndarray) -> float:
    rows = zip(VOTES.left.tolist(), VOTES.right.tolist(), VOTES.outcome.tolist(), VOTES.voter.tolist(), strict=True)
    return sum(log_chance(scores[left] - scores[right], outcome) for left, right, outcome, who in rows if who == voter)


def log_coin(voter: int) -> float:
    tie = float((VOTES.outcome == 1).sum()) / (len(VOTES) + 1.0)
    outcomes = VOTES.outcome[VOTES.voter == voter]
    return sum(math.log(tie if outcome == 1 else 0.5 * (1.0 - tie)) for outcome in outcomes.tolist())


@dataclass
class Slow:
    """EM in loops; each M-step maximises the whole of the scores' log-posterior."""

    scores: np.ndarray
    middle: np.ndarray
    spread: float
    sigma: float
    belongs: np.ndarray

    def run(self, n_rounds: int) -> None:
        n_groups, n_items = self.scores.shape
        n_voters = self.belongs.shape[1]
        for _ in range(n_rounds):
            left = 0.0
            for k in range(n_groups):

                def minus(s: np.ndarray, k: int = k) -> float:
                    votes = sum(self.belongs[k, v] * log_likelihood_of(v, s) for v in range(n_voters))
                    return -votes + float(((s - self.middle) ** 2).sum()) / (2 * self.spread**2)

                self.scores[k] = minimize(minus, self.scores[k], method="BFGS", options={"gtol": 1e-5}).x
                left += np.trace(np.linalg.inv(self._information(k)))
            precision = n_groups / self.spread**2 + 1 / self.sigma**2
            self.middle = self.scores.sum(axis=0) / self.spread**2 / precision
            apart = float(((self.scores - self.middle) ** 2).sum())
            self.spread = max(math.sqrt((apart + left) / (n_groups * n_items)), fast.LEAST_SPREAD)
            shares = (self.belongs.sum(axis=1) + 1) / (self.belongs.sum() + n_groups)
            rho = (n_voters - self.belongs.sum() + fast.PRIOR_COINS) / (n_voters + fast.PRIOR_VOTERS)
            for v in range(n_voters):
                weights = [
                    (1 - rho) * shares[k] * math.exp(log_likelihood_of(v, self.scores[k])) for k in range(n_groups)
                ]
                total = sum(weights) + rho * math.exp(log_coin(v))
                self.belongs[:, v] = [weight / total for weight in weights]

    def _information(self, k: int) -> np.ndarray:
        """By differences of the slow gradient's own slope: each vote's variance of half the wins less losses."""
        n_items = self.scores.shape[1]
        information = np.eye(n_items) / self.spread**2
        rows = zip(VOTES.left.tolist(), VOTES.right.tolist(), VOTES.voter.tolist(), strict=True)
        for left, right, who in rows:
            lead = self.scores[k, left] - self.scores[k, right]
            chances = [math.exp(log_chance(lead, outcome)) for outcome in range(3)]
            mean = (chances[2] - chances[0]) / 2
            variance = (chances[2] + chances[0]) / 4 - mean**2
            direction = np.zeros(n_items)
            direction[[left, right]] = 1.0, -1.0
            information += self.belongs[k, who] * variance * np.outer(direction, direction)
        return information


def started(labels: np.ndarray, n_groups: int) -> np.ndarray:
    return np.where(labels == np.arange(n_groups)[:, None], 0.8, 0.0) + 0.2 / n_groups


@pytest.mark.slow
def test_it_ends_where_a_slow_em_in_loops_ends() -> None:
    labels = np.arange(10) % 2
    common = fast.Common.of(one_camp(CELLS))
    found = fast.fit_mixture(CELLS, common, labels[None], 2, tol=1e-12)
    slow = Slow(np.tile(common.scores, (2, 1)), common.scores.copy(), 1.0, common.sigma, started(labels, 2))
    slow.run(25)
    attentive = slow.belongs.sum(axis=0)
    np.testing.assert_allclose(found.scores, slow.scores, atol=2e-3)
    np.testing.assert_allclose(found.attentive, attentive, atol=2e-3)
    np.testing.assert_allclose(found.chances, (slow.belongs / attentive).T, atol=2e-3)
    assert found.spread == pytest.approx(slow.spread, abs=2e-3)


def test_one_round_of_the_slow_em_changes_nothing_at_the_end() -> None:
    common = fast.Common.of(one_camp(CELLS))
    found = fast.fit_mixture(CELLS, common, (np.arange(10) % 2)[None], 2, tol=1e-12)
    middle = found.scores.sum(axis=0) / (2 + (found.spread / common.sigma) ** 2)
    belongs = (found.chances * found.attentive[:, None]).T
    slow = Slow(found.scores.copy(), middle, found.spread, common.sigma, belongs.copy())
    slow.run(1)
    np.testing.assert_allclose(slow.scores, found.scores, atol=1e-3)
    np.testing.assert_allclose(slow.belongs, belongs, atol=1e-3)
    assert slow.spread == pytest.approx(found.spread, abs=1e-3)


def test_log_likelihoods_are_those_of_the_definition() -> None:
    scores = np.random.default_rng(1).normal(size=(2, 6))
    slow = [[log_likelihood_of(v, s) for v in range(10)] for s in scores]
    np.testing.assert_allclose(CELLS.log_likelihoods(scores), slow)
    np.testing.assert_allclose(CELLS.coin_log_likelihoods(), [log_coin(v) for v in range(10)])


def test_slopes_are_those_of_the_log_likelihood() -> None:
    rng = np.random.default_rng(2)
    scores, shares = rng.normal(size=6), rng.random(10)
    counts = CELLS.counts_of(shares[None])
    gradient, information = (values[0] for values in CELLS.slopes(counts, scores[None]))
    step = 1e-5
    ends = [
        (CELLS.log_likelihoods(scores + sign * step * np.eye(6)) @ shares, CELLS.slopes(np.tile(counts, (6, 1)),
         scores + sign * step * np.eye(6))[0])
        for sign in (1.0, -1.0)
    ]  # fmt: skip
    np.testing.assert_allclose((ends[0][0] - ends[1][0]) / (2 * step), gradient, atol=1e-6)
    np.testing.assert_allclose((ends[0][1] - ends[1][1]) / (2 * step), -information, atol=1e-6)


@pytest.mark.parametrize("position", [False, True])
def test_folds_share_out_every_vote_once_and_keep_a_pair_together(position: bool) -> None:
    cells = VoterCells.of(VOTES + VOTES, None, position=position)
    folds = cells.folds(N_FOLDS)
    whole = cells.table.toarray()
    np.testing.assert_array_equal(sum(held.table.toarray() for _, held in folds), whole)
    pairs = [tuple(sorted(pair)) for pair in zip(cells.left.tolist(), cells.right.tolist(), strict=True)]
    seen: dict[tuple[int, tuple[int, ...]], int] = {}
    for number, (fitted, held) in enumerate(folds):
        np.testing.assert_array_equal(fitted.table.toarray() + held.table.toarray(), whole)
        for voter, cell in zip(*np.nonzero(held.table.toarray()), strict=True):
            assert seen.setdefault((int(voter), pairs[cell // 3]), number) == number
    each = [sum(voter == 0 and fold == number for (voter, _), fold in seen.items()) for number in range(N_FOLDS)]
    assert max(each) - min(each) <= 1


def test_held_out_votes_are_predicted_by_what_the_fitted_ones_say() -> None:
    found = held_out(CELLS, 2, np.random.default_rng(1)).log_chances
    slow = np.zeros((2, 10))
    rng = np.random.default_rng(1)
    for fitted, held in CELLS.folds(N_FOLDS):
        for row, mixture in enumerate(mixtures(fitted, 2, rng, 4, 0.02, 60)):
            for v in range(10):
                cells = held.table.toarray()[v].reshape(-1, 3)
                chances = [
                    math.exp(
                        sum(
                            cells[pair, outcome] * log_chance(s[held.left[pair]] - s[held.right[pair]], outcome)
                            for pair in range(held.n_pairs)
                            for outcome in range(3)
                        )
                    )
                    for s in mixture.scores
                ]
                coin = math.exp(held.coin_log_likelihoods()[v])
                attentive = mixture.attentive[v]
                slow[row, v] += math.log(attentive * (mixture.chances[v] @ chances) + (1 - attentive) * coin)
    np.testing.assert_allclose(found, slow, rtol=1e-9)


def test_without_ties_a_tie_parameter_is_not_looked_at() -> None:
    votes = VOTES.where(VOTES.outcome != 1)
    cells = VoterCells.of(votes, None, position=False)
    assert cells.tie_share == 0.0
    assert np.isfinite(cells.log_likelihoods(np.zeros((1, 6)))).all()
    assert np.isfinite(cells.coin_log_likelihoods()).all()


# --- the map ---


def test_the_map_is_the_best_of_rank_two_of_slow_departures() -> None:
    found = pv.groups.map_voters(VOTES)
    pooled = fast.Common.pooled(CELLS)
    gradient, information = np.zeros((10, 6)), np.zeros((10, 6))
    rows = zip(VOTES.left.tolist(), VOTES.right.tolist(), VOTES.outcome.tolist(), VOTES.voter.tolist(), strict=True)
    for left, right, outcome, who in rows:
        lead = pooled.scores[left] - pooled.scores[right]
        chances = [math.exp(log_chance(lead, answer)) for answer in range(3)]
        mean = (chances[2] - chances[0]) / 2
        gradient[who, [left, right]] += np.array([1.0, -1.0]) * ((outcome - 1) / 2 - mean)
        information[who, [left, right]] += (chances[2] + chances[0]) / 4 - mean**2
    departures = gradient / (information + pooled.sigma**-2)
    departures -= departures.mean(axis=0)
    left, values, right = np.linalg.svd(departures, full_matrices=False)
    best = left[:, :2] * values[:2] @ right[:2]
    np.testing.assert_allclose(found.voter_places @ found.item_places.T, best, atol=1e-9)
    np.testing.assert_allclose(found.shares, values[:2] ** 2 / (values**2).sum())
    np.testing.assert_allclose((found.item_places**2).mean(axis=0), 1.0)
    assert (found.item_places[np.abs(found.item_places).argmax(axis=0), [0, 1]] > 0.0).all()


def test_the_map_tells_camps_apart_and_turns_with_the_labels() -> None:
    two = pv.VoterModel(clusters=2, cluster_sd=1.5)
    votes = pv.simulate(votes_each=40, voters=two, repetitions=1, rng=6).votes(0)
    found = pv.groups.map_voters(votes)
    x = found.voter_places[:, 0]
    camps = x[::2], x[1::2]
    assert max(camps[0].max(), camps[1].max()) > 0.0 > min(camps[0].min(), camps[1].min())
    assert max(camps[0].min(), camps[1].min()) > min(camps[0].max(), camps[1].max())
    columns = found.to_columns()
    assert columns["kind"].count("item") == 23
    assert columns["x"][:30] == x.tolist()


def test_a_map_of_votes_that_say_nothing_is_a_point() -> None:
    votes = pv.Votes.from_labels(["a", "a"], ["b", "b"], ["tie", "tie"], voter=["v", "w"])
    found = pv.groups.map_voters(votes)
    np.testing.assert_allclose(found.voter_places, 0.0, atol=1e-12)
    assert found.shares.tolist() == [0.0, 0.0]
    single = pv.groups.map_voters(pv.Votes.from_wins(["a"], ["b"], voter=["v"]))
    assert np.isfinite(single.item_places).all()
