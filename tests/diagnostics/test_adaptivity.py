"""Questions that earlier answers chose are found out, and others, however uneven, are not."""

from __future__ import annotations

import json

import numpy as np
import pytest
import reference
from hypothesis import given
from strategies import samples

import pairvote as pv
from pairvote import _kernels
from pairvote.diagnostics._adaptivity import Questions
from pairvote.diagnostics._consensus import Consensus

N_WORKSHOPS = 20 if _kernels.davidson.COMPILED else 4
SAMPLING = pv.sampling


def workshop(sampler: object, seed: int, spread: float = 1.0, **options: int) -> pv.Votes:
    options = {"n_items": 23, "n_voters": 30, "votes_each": 20, **options}
    strengths = spread * np.random.default_rng(seed).normal(size=options["n_items"])
    return pv.simulate(sampler=sampler, strengths=strengths, repetitions=1, rng=seed, **options).votes(0)


def answered_by(left: np.ndarray, right: np.ndarray, strengths: np.ndarray, rng: np.random.Generator) -> pv.Votes:
    won = rng.random(len(left)) < 1 / (1 + np.exp(strengths[right] - strengths[left]))
    return pv.Votes.from_codes(left, right, 2 * won, n_items=len(strengths))


def found_in(votes: pv.Votes, rng: object = 1) -> bool:
    return pv.diagnostics.adaptivity(votes, n_simulations=99, rng=rng).is_found


@given(samples(min_items=2, max_items=5, min_votes=2, max_votes=30).filter(lambda s: {0, 2} & {r[2] for r in s.rows}))
def test_the_distance_equals_the_reference(sample) -> None:
    try:
        consensus = Consensus.of(sample.votes(), None, 3.0)
    except (pv.NotIdentifiedError, pv.InputError):
        return
    found = Questions.of(consensus).distance(consensus.rows.outcome)
    assert found == pytest.approx(reference.question_distance(sample.rows, sample.n_items))


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("sampler", [SAMPLING.Swiss(), SAMPLING.TopK(5), SAMPLING.InformationGain()])
def test_adaptive_samplers_are_found(sampler, spread) -> None:
    found = sum(found_in(workshop(sampler, seed, spread)) for seed in range(6))
    assert found >= 5


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("sampler", [SAMPLING.Uniform(), SAMPLING.Balanced(), SAMPLING.CatchUp()])
def test_questions_that_do_not_depend_on_answers_are_not_taken_for_adaptive(sampler, spread) -> None:
    rng = np.random.default_rng(2)
    chances = [
        pv.diagnostics.adaptivity(workshop(sampler, 50 + seed, spread), n_simulations=99, rng=rng).p
        for seed in range(N_WORKSHOPS)
    ]
    print(np.round(chances, 2))
    assert sum(p <= 0.01 for p in chances) <= 1
    assert 0.2 < np.mean(chances) < 0.8, "a test that always says 1 would pass this too"


def test_an_uneven_design_is_not_taken_for_adaptive() -> None:
    rng = np.random.default_rng(3)
    low, high = np.triu_indices(16, 1)
    apart = high - low
    first = high < 8
    second = low >= 8
    designs = {
        "sorted by pair": np.repeat(np.arange(120), 4),
        "one half of the items after the other": np.concatenate(
            [np.tile(np.flatnonzero(w), 8) for w in (first, second)]
        ),
        "a chain": np.tile(np.flatnonzero(apart == 1), 20),
    }
    for name, pairs in designs.items():
        found = [found_in(answered_by(low[pairs], high[pairs], rng.normal(size=16), rng)) for _ in range(4)]
        assert sum(found) <= 1, name
    # Somebody knew what is about equally good, and asked about that.
    near = rng.permutation(np.repeat(np.flatnonzero(apart <= 3), 10))
    known = [found_in(answered_by(low[near], high[near], np.sort(rng.normal(size=16)), rng)) for _ in range(4)]
    assert sum(known) <= 1


def test_check_says_which_of_its_numbers_are_inflated() -> None:
    report = pv.diagnostics.check(workshop(SAMPLING.InformationGain(), 1), n_simulations=99, rng=1)
    assert report.adaptivity.is_found
    assert report.inflated == ()
    assert "inflated" not in str(report)
    assert any("chosen by earlier answers" in concern for concern in report.concerns)
    known = pv.diagnostics.check(workshop(SAMPLING.InformationGain(), 1), n_simulations=99, rng=1, prior_sd=3.0)
    assert known.inflated == ("separation", "split_half")
    (said,) = [concern for concern in known.concerns if "are inflated" in concern]
    assert f"scale-separation reliability ({known.separation.reliability:.2f})" in said
    assert f"split-half reliability ({known.split_half.reliability:.2f})" in said
    assert json.loads(json.dumps(known.to_dict()))["inflated"] == ["separation", "split_half"]
    assert "inflated where earlier answers chose the questions" in str(known.separation)
    plain = pv.diagnostics.check(workshop(SAMPLING.Balanced(), 1), n_simulations=99, rng=1)
    assert plain.inflated == ()
    assert not any("inflated" in concern or "earlier answers" in concern for concern in plain.concerns)


@pytest.mark.parametrize("prior_sd", ["learned", 3.0])
def test_those_numbers_are_inflated_indeed_unless_the_prior_is_learned(prior_sd) -> None:
    def reliabilities(votes: pv.Votes) -> list[float]:
        separation = pv.diagnostics.separation(votes, prior_sd=prior_sd)
        halves = pv.diagnostics.split_half(votes, prior_sd=prior_sd, rng=1, n_splits=20)
        return [separation.reliability, halves.reliability]

    adaptive, plain = (
        np.mean([reliabilities(workshop(sampler, seed, spread=0.3)) for seed in range(4)], axis=0)
        for sampler in (SAMPLING.InformationGain(), SAMPLING.Balanced())
    )
    if prior_sd == "learned":
        assert (adaptive < plain + 0.08).all()
    else:
        assert (adaptive > plain + 0.1).all()


def test_there_is_nothing_to_find_in_few_votes_or_two_items() -> None:
    for votes in (
        pv.Votes.from_wins(["a"], ["b"]),
        pv.Votes.from_wins(["a", "b", "a"], ["b", "a", "b"]),
        pv.Votes.from_wins(["a", "b"], ["b", "c"]),
    ):
        assert pv.diagnostics.adaptivity(votes, n_simulations=99, rng=1).p == 1.0


def test_of_many_questions_shares_are_taken_in_stages() -> None:
    votes = workshop(SAMPLING.Uniform(), 1, n_voters=120)
    consensus = Consensus.of(votes, None, 3.0)
    questions = Questions.of(consensus)
    assert len(questions.answers) == 1000
    rows = [(*row, 1.0) for row in zip(votes.left.tolist(), votes.right.tolist(), votes.outcome.tolist(), strict=True)]
    near = reference.question_distance(rows, 23)
    assert questions.distance(consensus.rows.outcome) == pytest.approx(near, abs=0.01)
