"""The sampler of a learned prior: compiled equals interpreted, and its sweeps leave the posterior as it is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import outcome_models
import pytest
import reference
from both_kernels import bits, both
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import ks_2samp, kstest, norm

import pairvote as pv
from pairvote import _kernels
from pairvote._inference import Answered, LocalSums, VoteRows, answer_counts
from pairvote._inference.fitting import fit
from pairvote._inference.learned import _Chain

Floats = NDArray[np.float64]
COMPILED = _kernels.mixture.COMPILED
N_NUMBERS = 11


def drawn(n_items: int, n_votes: int, seed: int, outcomes: Any = (0, 1, 2), weight: Floats | None = None) -> pv.Votes:
    rng = np.random.default_rng(seed)
    left = rng.integers(n_items, size=n_votes)
    right = (left + rng.integers(1, max(n_items, 2), size=n_votes)) % max(n_items, 2)
    return pv.Votes.from_codes(left, right, rng.choice(outcomes, size=n_votes), n_items=n_items, weight=weight)


def cliques(n_each: int) -> pv.Votes:
    """Two sets of items, all pairs of each, and one vote between them: a step of one score moves it little."""
    first, second = np.triu_indices(n_each, 1)
    left = np.concatenate([np.tile(first, 8), np.tile(first, 8) + n_each, [0]])
    right = np.concatenate([np.tile(second, 8), np.tile(second, 8) + n_each, [n_each]])
    outcome = np.random.default_rng(3).choice([0, 2], size=len(left))
    return pv.Votes.from_codes(left, right, outcome, n_items=2 * n_each)


def chain_of(votes: pv.Votes, covariates: Floats | None = None, **options: Any) -> _Chain:
    counts = votes.counts()
    if covariates is not None:
        ranking = pv.bradley_terry(votes, covariates=covariates, prior_sd=1.0, **options)
        return _Chain(ranking.fit._posterior)
    return _Chain(fit(counts, prior_sd=1.0, **options))


def changed(votes: pv.Votes, **options: Any) -> _Chain:
    """A chain that goes on with votes of which none are ties and some pairs have none, as where voters are doubted."""
    chain = chain_of(votes, **options)
    table = chain._model.counts.table * (np.arange(chain._model.counts.n_pairs) % 3 > 0)[:, None]
    chain.change(table * np.array([1.0, 0.0, 1.0]))
    return chain


def graded(n_answers: int, seed: int, covariates: Floats | None = None, **options: Any) -> _Chain:
    """A chain of answers in order."""
    votes = drawn(5, 40, seed)
    answer = np.random.default_rng(seed).permutation(np.arange(40) % n_answers).astype(np.uint8)
    given = Answered(answer, n_answers)
    if covariates is not None:
        sums: Any = VoteRows.of(votes, covariates, answered=given).sums(votes.items)
    else:
        sums = LocalSums(answer_counts(votes, given, folded=not options.get("position")))
    return _Chain(fit(sums, ties="cumulative", prior_sd=1.0, **options))


def number_of_lines(chain: _Chain) -> int:
    return chain._n_lines


def shapes() -> dict[str, _Chain]:
    rng = np.random.default_rng(1)
    return {
        "decided": chain_of(drawn(5, 40, 1, (0, 2))),
        "ties": chain_of(drawn(5, 40, 2)),
        "position": chain_of(drawn(5, 40, 3), position=True),
        "rao-kupper": chain_of(drawn(5, 40, 4), ties="rao-kupper"),
        "rao-kupper, position": chain_of(drawn(4, 30, 5), ties="rao-kupper", position=True),
        "half": chain_of(drawn(4, 30, 6), ties="half"),
        "drop, position": chain_of(drawn(4, 30, 7), ties="drop", position=True),
        "covariates": chain_of(drawn(4, 30, 8), rng.normal(size=(30, 2)), position=True),
        "slow lines": chain_of(cliques(6)),
        "one vote": chain_of(drawn(4, 1, 9, (2,))),
        "a tie": chain_of(drawn(3, 1, 10, (1,))),
        "no votes": chain_of(drawn(3, 0, 11)),
        "two items": chain_of(drawn(2, 9, 12)),
        "left always": chain_of(drawn(4, 30, 13, (2,)), position=True),
        "weights": chain_of(drawn(5, 40, 14, weight=rng.gamma(0.3, size=40)), position=True),
        "heavy weights": chain_of(drawn(3, 12, 15, weight=10.0 ** rng.uniform(0, 7, size=12))),
        "whole weights": chain_of(drawn(3, 12, 16, weight=rng.integers(1, 20, size=12).astype(float))),
        "changed": changed(drawn(5, 40, 18), position=True),
        "changed rao-kupper": changed(drawn(5, 40, 19), ties="rao-kupper", position=True),
        "many items": chain_of(drawn(45, 60, 17)),
        **in_order(),
    }


def in_order() -> dict[str, _Chain]:
    """By the thresholds between answers in order, none or more, of either link."""
    rng, chains = np.random.default_rng(2), {}
    for link in ("logistic", "probit"):
        own = {
            "cumulative": chain_of(drawn(5, 40, 21), ties="cumulative", link=link),
            "cumulative, position": chain_of(drawn(4, 30, 22), ties="cumulative", position=True, link=link),
            "cumulative, covariates": chain_of(
                drawn(4, 30, 23), rng.normal(size=(30, 2)), ties="cumulative", position=True, link=link
            ),
            "cumulative without ties": chain_of(drawn(5, 40, 24, (0, 2)), ties="cumulative", link=link),
            "four answers": graded(4, 25, link=link),
            "five answers, position": graded(5, 26, position=True, link=link),
            "seven answers, covariates": graded(7, 27, rng.normal(size=(40, 2)), link=link),
            "cumulative, weights": chain_of(
                drawn(5, 40, 28, weight=rng.gamma(0.3, size=40)), ties="cumulative", link=link
            ),
            "changed cumulative": changed(drawn(5, 40, 29), ties="cumulative", position=True, link=link),
            "cumulative, no votes": chain_of(drawn(3, 0, 30), ties="cumulative", link=link),
            "cumulative, slow lines": chain_of(cliques(6), ties="cumulative", link=link),
        }
        chains |= {f"{link} {name}": chain for name, chain in own.items()}
    more = {
        "probit drop": chain_of(drawn(5, 40, 31), ties="drop", link="probit"),
        "probit half": chain_of(drawn(5, 40, 32), ties="half", link="probit", position=True),
        "probit covariates": chain_of(drawn(4, 30, 33), rng.normal(size=(30, 2)), ties="drop", link="probit"),
    }
    return chains | more


def arguments_of(chain: _Chain, n_sweeps: int, seed: int) -> list[Any]:
    """What the kernel is called with, as `_Chain.run` lays it out."""
    rng, n_items, n_lines = np.random.default_rng(seed), len(chain.voted), number_of_lines(chain)
    randoms = np.concatenate(
        [
            rng.standard_normal(n_sweeps * (4 * n_items + 38 + n_lines)),
            rng.standard_exponential(n_sweeps * (n_items + 13 + n_lines)),
            rng.random(n_sweeps * n_items),
        ]
    )
    rows = [chain._start, chain._entries, chain._ends, chain._amounts]
    return [*rows, chain._lines, chain._state.copy(), randoms, np.zeros((n_sweeps + 2, chain.width))]


@pytest.mark.slow
def test_compiled_equals_interpreted_to_the_bit() -> None:
    compiled, interpreted = both("mixture")
    assert (compiled.COMPILED, interpreted.COMPILED) == (True, False)
    for seed, (name, chain) in enumerate(shapes().items()):
        n_sweeps = 3 if name == "many items" else 25
        ours, theirs = (arguments_of(chain, n_sweeps, seed) for _ in range(2))
        taken = compiled.sample(*ours), interpreted.sample(*theirs)
        assert taken[0] == taken[1], name
        assert 0.3 * n_sweeps * len(chain.voted) <= taken[0] <= n_sweeps * len(chain.voted), name
        for place in (5, 7):
            assert bits(ours[place]) == bits(theirs[place]), (name, place)
        assert np.isfinite(ours[7][:n_sweeps]).all(), name
        assert (np.diff(ours[7][:n_sweeps], axis=0) != 0.0).any(axis=0)[-N_NUMBERS:].all(), name


@pytest.mark.slow
def test_no_index_of_a_cut_leads_out_of_the_parameters() -> None:
    """A cut k is the effect |k| - 1, one of the thresholds, or beyond all of them."""
    for name, chain in in_order().items():
        n_items, size = len(chain.voted), chain._size
        n_effects, m = size - n_items - 1, chain._model.layout.n_nuisance
        cuts = np.abs(chain._ends[2:])
        thresholds = set(range(n_effects - m + 1, n_effects + 1))
        assert set(cuts.ravel().tolist()) <= {0, n_effects + 1} | thresholds, name
        assert (chain._ends[:2] < n_items).all(), name
        # Of each row both ends are there, the lower one below the higher.
        order = np.sign(chain._ends[2:]) * cuts
        assert (order[0] < order[1]).all(), name
        assert chain._ends.dtype == np.int32, name


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
def test_a_chain_goes_on_with_other_votes(ties: str) -> None:
    votes = drawn(5, 60, 20)
    chain, table = chain_of(votes, ties=ties, position=True), votes.counts().table
    before, amounts, size = chain._state.copy(), chain._amounts.copy(), chain._size
    chain.change(3.0 * table)
    np.testing.assert_allclose(chain._amounts[0], 3.0 * amounts[0], rtol=1e-12)
    np.testing.assert_array_equal(chain._amounts[1:], amounts[1:])
    pulls = slice(size, 2 * size)
    np.testing.assert_allclose(chain._state[pulls], 3.0 * before[pulls], rtol=1e-12, atol=1e-12)
    chain.change(table)
    np.testing.assert_allclose(chain._state, before, rtol=1e-12, atol=1e-12)
    # Every left win less is a half less of pull on the left side's position.
    chain.change(table * np.array([1.0, 1.0, 0.0]))
    won = float(table[:, pv.Outcome.LEFT].sum())
    place = len(chain.voted)
    assert chain._state[size + place] == pytest.approx(before[size + place] - 0.5 * won)


@pytest.mark.slow
def test_a_threshold_stays_above_nought_without_ties() -> None:
    chain = changed(drawn(5, 40, 19), ties="rao-kupper")
    thresholds = chain.parameters(chain.run(2000, np.random.default_rng(22)))[:, -1]
    assert (thresholds > 0.0).all()
    # The prior's mean is 3.1; votes without ties pull it down.
    assert 0.0 < thresholds.mean() < 1.5


def test_the_shapes_lead_everywhere() -> None:
    """Slow directions are there, and effects, and weights that are no small whole numbers."""
    n_lines = {name: number_of_lines(chain) for name, chain in shapes().items()}
    assert n_lines["decided"] == 0
    assert n_lines["slow lines"] == 1
    assert (n_lines["ties"], n_lines["position"], n_lines["covariates"]) == (1, 2, 4)
    assert n_lines["rao-kupper, position"] == 2


def test_a_chain_goes_on_from_where_it_was() -> None:
    """Two runs are one, for the kernel's state holds all."""
    for chain in (chain_of(drawn(4, 20, 1), position=True), chain_of(cliques(3))):
        whole = arguments_of(chain, 12, 1)
        _kernels.mixture.sample(*whole)
        randoms = whole[6]
        n_items, n_lines = len(chain.voted), number_of_lines(chain)
        n_each = (4 * n_items + 38 + n_lines, n_items + 13 + n_lines)
        parts = np.split(randoms, np.cumsum(np.array(n_each) * 12))
        state, found = chain._state.copy(), []
        for half in range(2):
            own = np.concatenate([np.split(part, 2)[half] for part in parts])
            draws = np.zeros((8, chain.width))
            _kernels.mixture.sample(*whole[:5], state, own, draws)
            found.append(draws[:6])
        np.testing.assert_array_equal(np.concatenate(found), whole[7][:12])


# --- parameters and votes drawn together stay what they were ---


class Drawn:
    """Parameters from the prior and votes from these, three on each of some pairs."""

    def __init__(self, n_items: int, ties: str, position: bool, rng: np.random.Generator) -> None:
        self.n_items, self.ties, self.position = n_items, ties, position
        self.pairs = np.array([(i, (i + 1) % n_items) for i in range(n_items)] + [(0, 2)])
        while not self._draw(rng):
            pass

    def _draw(self, rng: np.random.Generator) -> bool:
        n_items = self.n_items
        self.scale = abs(rng.normal(0, 2))
        self.places, self.widths = rng.normal(0, 1.5, 3), rng.gamma(3, size=3) ** -0.5
        self.shares = rng.dirichlet([0.5] * 3)
        self.component = rng.choice(3, size=n_items, p=self.shares)
        theta = self.scale * rng.normal(self.places[self.component], self.widths[self.component])
        # The votes do not tell the scores' mean, and the chain has one of its own.
        self.origin = theta.mean() - rng.normal(0, n_items**-0.5)
        self.scores = theta - self.origin
        self.effect = rng.normal(0, 3) if self.position else 0.0
        # In log-odds, or in what is as much by the probit link.
        self.unit = reference.unit_of(self.ties)
        self.tie = rng.normal(self.unit * reference.tie_at_even_odds(self.ties), 3)
        d = self.scores[self.pairs[:, 0]] - self.scores[self.pairs[:, 1]] + self.effect
        if self.ties == "davidson":
            logits = np.stack([-d / 2, np.full(len(d), self.tie), d / 2], axis=1)
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
        else:
            chance = norm.cdf if self.ties.startswith("probit") else expit
            if self.has_threshold and self.tie <= 0.0:
                return False
            threshold = self.tie if self.has_threshold else 0.0
            right, left = (chance(-(threshold + sign * d) / self.unit) for sign in (1, -1))
            p = np.stack([right, np.maximum(1 - right - left, 0.0), left], axis=1)
            p /= p.sum(axis=1, keepdims=True)
        self.table = np.array([rng.multinomial(3, each) for each in p])
        # Where nobody ties there is no tie parameter, which is another model.
        return self.ties.endswith("drop") or self.table[:, 1].sum() > 0

    @property
    def has_threshold(self) -> bool:
        return self.ties in outcome_models.WITH_THRESHOLDS

    def chain(self) -> _Chain:
        """The chain of these votes, in these parameters."""
        rows, outcomes = np.nonzero(self.table)
        votes = pv.Votes.from_codes(
            *self.pairs[rows].T, outcomes, n_items=self.n_items, weight=self.table[rows, outcomes].astype(float)
        )
        chain = _Chain(fit(votes.counts(), **outcome_models.options(self.ties), position=self.position, prior_sd=1.0))
        size = chain.width - N_NUMBERS
        # A threshold is an effect behind the position effect, Davidson's log nu the last of all.
        beside = np.zeros(size - self.n_items)
        if self.position:
            beside[0] = self.effect
        if not self.ties.endswith("drop"):
            beside[-2 if self.has_threshold else -1] = self.tie
        first = 2 * size + 2 * self.n_items + len(beside) + len(beside) ** 2
        # The chain has an order of its own.
        self.order = chain.voted
        chain._state[:size] = np.concatenate([self.scores[self.order], beside])
        numbers = [self.scale, *self.places, *self.widths, *self.shares, self.origin, *self.component[self.order]]
        chain._state[first : first + len(numbers)] = numbers
        self.first = first
        return chain

    def statistics(self, state: Floats | None = None) -> list[float]:
        """Of the parameters, or of the kernel's state."""
        n_items = self.n_items
        if state is None:
            scores, beside = self.scores, [self.effect, self.tie]
            numbers = np.concatenate([[self.scale], self.places, self.widths, self.shares, [self.origin]])
            component = self.component
        else:
            back = np.argsort(self.order)
            scores, numbers = state[:n_items][back], state[self.first : self.first + 11]
            component = state[self.first + 11 : self.first + 11 + n_items][back]
            last = n_items + int(self.position)
            has_tie = not self.ties.endswith("drop")
            beside = [state[n_items] if self.position else 0.0, state[last] if has_tie else self.tie]
        log_odds = scores[self.pairs[:, 0]] - scores[self.pairs[:, 1]] + beside[0]
        return [
            math.log(numbers[0]),
            *np.sort(numbers[1:4]),
            math.log(numbers[1:4].std()),
            *np.log(np.sort(numbers[4:7])),
            *np.sort(numbers[7:10])[[0, 2]],
            numbers[10],
            scores.mean(),
            scores.std(),
            scores[0] - scores[1],
            scores[-1] - scores[0],
            np.abs(scores - scores.mean()).max() / numbers[0],
            float((component == component[0]).mean() + 1e-3 * numbers[7]),
            *beside,
            # How votes and parameters go together.
            float((self.table[:, 2] - self.table[:, 0]) @ np.tanh(log_odds / 2)),
            float(self.table[:, 1].sum() + np.tanh(beside[1])),
        ]


CASES = [(4, "drop", False), (4, "drop", True), (4, "davidson", True), (4, "rao-kupper", False)]
CASES += [(3, "rao-kupper", True), (41, "davidson", False), (4, "cumulative", True), (4, "probit drop", True)]
CASES += [(3, "probit cumulative", False), (4, "probit cumulative", True), (41, "probit drop", False)]


@pytest.mark.slow
@pytest.mark.parametrize(("n_items", "ties", "position"), CASES)
def test_sweeps_leave_parameters_and_votes_drawn_together_as_they_were(n_items, ties, position) -> None:
    """Geweke 2004, "Getting it right"; Gandy and Scott 2020, "Unit testing for MCMC": of parameters from the prior and
    votes from these, those after some sweeps are from the same distribution.
    """
    rng = np.random.default_rng(n_items)
    n = (4000 if n_items < 10 else 500) if COMPILED else 100
    moved, fresh, stayed = [], [], []
    for number in range(n):
        one = Drawn(n_items, ties, position, rng)
        chain = one.chain()
        arguments = arguments_of(chain, 12, number)
        taken = _kernels.mixture.sample(*arguments)
        stayed.append(taken == 0)
        moved.append(one.statistics(arguments[5]))
        fresh.append(Drawn(n_items, ties, position, rng).statistics())
    assert np.mean(stayed) < 0.02
    moved, fresh = np.array(moved).T, np.array(fresh).T
    chances = [ks_2samp(*both_).pvalue for both_ in zip(moved, fresh, strict=True) if np.ptp(both_[1]) > 0.0]
    assert min(chances) > 0.02 / len(chances)
    # The scores' own mean, of which neither votes nor other parameters say anything.
    assert kstest(moved[11] * math.sqrt(n_items), norm.cdf).pvalue > 0.001
