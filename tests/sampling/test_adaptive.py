"""Strategies that look at the answers: the posterior is right, and the pair is the one that the rule says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import reference
from both_kernels import bits, both
from hypothesis import given
from hypothesis import strategies as st

import pairvote as pv
from pairvote._kernels import gaussian
from pairvote.sampling import InformationGain, TopK
from pairvote.sampling._belief import N_SCRATCH_ROWS, DiagonalBelief, WholeBelief

SEEDS = st.integers(0, 2**32 - 1)
OUTCOMES = ("right", "tie", "left")


def pair_of(choice: int) -> tuple[int, int]:
    return choice >> 24, choice & 0xFFFFFF


def row_of(pairs: list[tuple[int, int]]) -> np.ndarray:
    """A voter's pairs as the kernels take them."""
    keys = sorted((max(i, j) << 24) + min(i, j) for i, j in pairs)
    return np.array([[len(keys), *keys]], np.int64)


def random_posterior(rng: np.random.Generator, n_items: int) -> np.ndarray:
    root = rng.normal(size=(n_items, 2 * n_items)) / n_items
    return np.ascontiguousarray(np.vstack([root @ root.T, rng.normal(size=n_items)]))


def arrays(posterior: np.ndarray, active: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_items = posterior.shape[1]
    board = np.zeros((n_items + 2, n_items), np.int32)
    board[-1, : len(active)] = active
    return posterior.copy(), np.full((n_items + N_SCRATCH_ROWS, n_items), 7.0), board


def asked(stream: pv.sampling.PairStream, rng: np.random.Generator, n_questions: int, *, n_voters: int = 6) -> None:
    """Ask and answer at random, leaving some questions open and releasing others."""
    for number in range(n_questions):
        voter = number % n_voters
        left, right = stream.propose(voter)
        stream.reserve(voter, left, right)
        fate = rng.random()
        if fate < 0.8:
            stream.record(voter, left, right, OUTCOMES[rng.integers(3)])
        elif fate < 0.9:
            stream.release(voter, left, right)


def votes_and_open(stream: pv.sampling.PairStream) -> tuple[pv.PairCounts, list[tuple[int, int]]]:
    return stream.state._counts(), [(left, right) for _, left, right in stream.open_questions]


@given(seed=SEEDS, n_items=st.integers(2, 9), k=st.integers(0, 9), n_seen=st.integers(0, 50))
def test_the_pair_is_the_one_with_the_largest_criterion(seed: int, n_items: int, k: int, n_seen: int) -> None:
    rng = np.random.default_rng(seed)
    posterior = random_posterior(rng, n_items)
    active = sorted(rng.choice(n_items, size=rng.integers(2, n_items + 1), replace=False).tolist())
    pairs = list(itertools.combinations(range(n_items), 2))
    seen = [pairs[rng.integers(len(pairs))] for _ in range(n_seen)]
    share = 0.3
    options = np.array([k, share if k else 0.0, len(active)])
    state = arrays(posterior, active)
    chosen = pair_of(gaussian.choose(*state, row_of(seen), 0.4, options))

    times = {pair: seen.count(pair) for pair in itertools.combinations(active, 2)}
    allowed = [pair for pair in times if times[pair] == min(times.values())]
    worth = {
        pair: reference.sampling_criterion(posterior[-1], posterior[:-1], active, pair, k, share) for pair in allowed
    }
    assert tuple(sorted(chosen)) in allowed
    assert worth[tuple(sorted(chosen))] == pytest.approx(max(worth.values()), rel=1e-9)
    # The board is clean again for the next voter, and nothing was learnt.
    assert not state[2][:-1].any()
    assert np.array_equal(state[0], posterior)


def test_equals_are_chosen_alike() -> None:
    posterior = np.vstack([np.eye(5), np.zeros(5)])
    state = arrays(posterior, [0, 1, 2, 3, 4])
    options = np.array([0.0, 0.0, 5])
    chosen = [pair_of(gaussian.choose(*state, row_of([]), (n + 0.5) / 10, options)) for n in range(10)]
    assert len(set(chosen)) == 10


@pytest.mark.parametrize("name", ["absorb", "learn"])
def test_one_answer_at_a_time(name: str) -> None:
    rng = np.random.default_rng(3)
    posterior = random_posterior(rng, 6)
    mean, covariance = posterior[-1].copy(), posterior[:-1].copy()
    contrast = np.zeros(6)
    contrast[4], contrast[1] = 1, -1
    chance = 1 / (1 + np.exp(-contrast @ mean))
    if name == "absorb":
        gaussian.absorb(posterior, np.empty((2, 6)), 4, 1)
        whole = np.linalg.inv(np.linalg.inv(covariance) + chance * (1 - chance) * np.outer(contrast, contrast))
        np.testing.assert_allclose(posterior[:-1], whole, rtol=1e-9)
        np.testing.assert_array_equal(posterior[-1], mean)
    else:
        gaussian.learn(posterior, 4, 1, 0.5)
        np.testing.assert_allclose(posterior[-1], mean + covariance @ contrast * (0.5 - chance), rtol=1e-12)
        np.testing.assert_array_equal(posterior[:-1], covariance)


@given(seed=SEEDS, n_items=st.integers(2, 8), n_questions=st.integers(0, 40), prior_sd=st.floats(0.3, 4))
def test_a_refit_is_exact(seed: int, n_items: int, n_questions: int, prior_sd: float) -> None:
    """Mean and covariance are those of bradley_terry, less what the open questions will take."""
    rng = np.random.default_rng(seed)
    stream = InformationGain(prior_sd=prior_sd, refit_every=10**6).start(n_items, rng=rng)
    asked(stream, rng, n_questions)
    stream.state.refit()
    counts, open_pairs = votes_and_open(stream)
    mean, covariance = reference.posterior_with_open(counts, open_pairs, prior_sd)
    np.testing.assert_allclose(stream.state.mean, mean, atol=1e-7)
    contrasts = np.eye(n_items) - 1 / n_items
    np.testing.assert_allclose(
        contrasts @ stream.state.posterior[:-1] @ contrasts, contrasts @ covariance @ contrasts, atol=1e-7
    )
    ranking = pv.bradley_terry(counts, ties="half", prior_sd=prior_sd, uncertainty="none")
    np.testing.assert_allclose(stream.state.mean, ranking.scores, atol=1e-7)


@given(seed=SEEDS, n_items=st.integers(2, 7), n_questions=st.integers(1, 30))
def test_open_questions_alone_are_taken_exactly(seed: int, n_items: int, n_questions: int) -> None:
    """While nobody answers the mean stays, so rank-one updates are as exact as an inverse."""
    stream = TopK(1, refit_every=7).start(n_items, rng=seed)
    for number in range(n_questions):
        stream.reserve(number % 3, *stream.propose(number % 3))
    counts, open_pairs = votes_and_open(stream)
    assert len(open_pairs) == n_questions
    mean, covariance = reference.posterior_with_open(counts, open_pairs, 1.0)
    np.testing.assert_allclose(stream.state.posterior, np.vstack([covariance, mean]), atol=1e-10)


def test_single_steps_stay_near_the_exact_fit() -> None:
    rng = np.random.default_rng(8)
    steps = InformationGain(refit_every=10**6).start(12, rng=1)
    strengths = rng.normal(size=12)
    for number in range(150):
        left, right = steps.propose(number % 10)
        won = rng.random() < 1 / (1 + np.exp(strengths[right] - strengths[left]))
        steps.record(number % 10, left, right, "left" if won else "right")
    before = steps.state.posterior.copy()
    steps.state.refit()
    after = steps.state.posterior
    errors = np.sqrt(np.diag(after[:-1]))
    assert np.abs((before[-1] - before[-1].mean()) - after[-1]).max() < 0.5 * errors.min()
    assert np.abs(before[-1] - before[-1].mean() - after[-1]).max() > 0


@given(seed=SEEDS, sampler=st.sampled_from([InformationGain(), TopK(2), TopK(3, refit_every=1)]))
def test_what_is_taken_back_leaves_no_trace(seed: int, sampler: pv.sampling.Sampler) -> None:
    rng = np.random.default_rng(seed)
    stream = sampler.start(6, rng=5)
    asked(stream, rng, 20)
    stream.state.refit()
    before = stream.state.posterior.copy()
    pair = stream.propose("late")
    stream.reserve("late", *pair)
    assert np.trace(stream.state.posterior[:-1]) < np.trace(before[:-1])
    stream.record("late", *pair, "left")
    stream.withdraw("late", *pair, "left")
    stream.release("late", *pair)
    np.testing.assert_allclose(stream.state.posterior, before, atol=1e-6)
    other = stream.propose("late")
    stream.record("late", *other, "skip")
    np.testing.assert_allclose(stream.state.posterior, before, atol=1e-6)


@pytest.mark.parametrize(
    ("sampler", "n_items"), [(InformationGain(), 9), (TopK(3), 9), (InformationGain(), 140)], ids=repr
)
def test_late_and_retired_items(sampler: pv.sampling.Sampler, n_items: int) -> None:
    rng = np.random.default_rng(2)
    stream = sampler.start(n_items, rng=3)
    asked(stream, rng, 40)
    late = stream.add_item()
    assert late == n_items
    stream.retire(0)
    stream.retire(4)
    counts, open_pairs = votes_and_open(stream)
    assert counts.n_items == n_items + 1
    mean, covariance = reference.posterior_with_open(counts, open_pairs, 1.0)
    contrasts = np.eye(n_items + 1) - 1 / (n_items + 1)
    ours = contrasts @ stream.state.posterior[:-1] @ contrasts
    np.testing.assert_allclose(ours, contrasts @ covariance @ contrasts, atol=1e-6)
    np.testing.assert_allclose(stream.state.mean, mean - mean.mean(), atol=1e-6)
    shown = stream.shown.copy()
    asked(stream, rng, 40)
    assert stream.shown[late] > 0
    assert stream.shown[0] == shown[0]
    assert stream.shown[4] == shown[4]


@pytest.mark.parametrize("sampler", [InformationGain(), TopK(5)], ids=repr)
def test_thirty_at_once_are_not_all_asked_the_same(sampler: pv.sampling.Sampler) -> None:
    rng = np.random.default_rng(1)
    stream = sampler.start(23, rng=1)
    asked(stream, rng, 60, n_voters=30)
    questions = []
    for voter in range(100, 130):
        questions.append(frozenset(stream.propose(voter)))
        stream.reserve(voter, *questions[-1])
    assert len(set(questions)) >= 15


@pytest.mark.parametrize("sampler", [InformationGain(), TopK(2)], ids=repr)
@pytest.mark.parametrize("n_items", [2, 3, 5, pytest.param(320, marks=pytest.mark.slow)])
def test_no_pair_again_before_every_pair(sampler: pv.sampling.Sampler, n_items: int) -> None:
    rng = np.random.default_rng(n_items)
    stream = sampler.start(n_items, rng=7)
    for _ in range(30):
        left, right = stream.propose("anna")
        if n_items < 9:
            assert (max(left, right), min(left, right)) in stream.allowed_pairs("anna")
        else:
            assert stream.times_shown(left, right, "anna") == 0
        stream.record("anna", left, right, OUTCOMES[rng.integers(3)])
    assert np.abs(stream.leads).max() <= 3


@pytest.mark.parametrize("n_open", [0, 5])
@pytest.mark.parametrize("sampler", [InformationGain(refit_every=10**6), TopK(3, refit_every=10**6)], ids=repr)
def test_the_loop_of_the_kernel_is_that_of_the_stream(sampler, n_open) -> None:
    n_items, n_voters, n_questions = 7, 4, 60
    rng = np.random.default_rng(n_open)
    strengths, noise = rng.normal(size=n_items), rng.logistic(size=n_questions)
    draws = np.column_stack([rng.random((n_questions, 4)), noise + 0.2, noise - 0.2])
    votes = np.zeros((n_questions, 4), np.int32)
    votes[:, 0] = np.arange(n_questions) % n_voters
    belief = sampler.start(n_items).state
    seen = np.zeros((n_voters, n_questions), np.int64)
    options = np.concatenate([belief.options, [0, n_questions, n_open]])
    gaussian.run(belief.posterior, belief.gains, belief.board, seen, strengths[None].copy(), draws, votes, options)

    stream = sampler.start(n_items)
    for row, (voter, left, right, _) in enumerate(votes.tolist()):
        assert stream.propose(voter, uniforms=draws[row, :4]) == (left, right)
        stream.reserve(voter, left, right)
        if row >= n_open:
            then, one, other, outcome = votes[row - n_open].tolist()
            stream.record(then, one, other, pv.Outcome(outcome))
    leads = strengths[votes[:, 1]] - strengths[votes[:, 2]]
    expected = np.where(leads > draws[:, 4], 2, np.where(leads < draws[:, 5], 0, 1))
    np.testing.assert_array_equal(votes[:, 3], expected)
    assert {0, 1, 2} == set(votes[:, 3].tolist())
    np.testing.assert_array_equal(stream.state.posterior, belief.posterior)


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("n_items", [2, 3, 8])
def test_compiled_equals_interpreted(k: int, n_items: int) -> None:
    found = []
    for kernel in both("gaussian"):
        rng = np.random.default_rng(4)
        posterior, gains, board = arrays(random_posterior(rng, n_items), list(range(n_items)))
        options = np.array([k, 0.05, n_items])
        results: list[object] = []
        for _ in range(5):
            pairs = [tuple(rng.choice(n_items, 2, replace=False).tolist()) for _ in range(rng.integers(9))]
            choice = kernel.choose(posterior, gains, board, row_of(pairs), float(rng.random()), options)
            kernel.absorb(posterior, gains, *pair_of(choice))
            kernel.learn(posterior, *pair_of(choice), 0.5)
            results += [choice, bits(posterior.copy())]
        draws = np.column_stack([rng.random((20, 4)), np.full(20, 0.3), np.full(20, -0.3)])
        votes = np.zeros((20, 4), np.int32)
        seen = np.zeros((1, 40), np.int64)
        kernel.run(posterior, gains, board, seen, np.zeros((1, n_items)), draws, votes, np.append(options, [0, 20, 2]))
        # And where pairs are skipped, which ends the loop.
        draws, row = np.column_stack([draws, rng.uniform(-1, 1, 20)]), 0
        skipped, seen[:] = votes.copy(), 0
        while row < 20:
            end = np.append(options, [row, 20, 2])
            row = kernel.run(posterior, gains, board, seen, rng.normal(size=(1, n_items)), draws, skipped, end)
        assert 3 in skipped[:, 3]
        results.append(bits(skipped))
        found.append([*results, bits(votes), bits(posterior), bits(board), bits(seen)])
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "n_items"), [(InformationGain(), 700), (TopK(10), 301)], ids=repr)
def test_many_items_are_weighed_by_candidates(sampler: pv.sampling.Sampler, n_items: int) -> None:
    rng = np.random.default_rng(6)
    stream = sampler.start(n_items, rng=2)
    strengths = np.linspace(3, -3, n_items)
    assert isinstance(stream.state, DiagonalBelief)
    for number in range(n_items + 20):
        left, right = stream.propose(number % 40)
        won = rng.random() < 1 / (1 + np.exp(strengths[right] - strengths[left]))
        stream.record(number % 40, left, right, "left" if won else "right")
    stream.state.refit()
    counts, _ = votes_and_open(stream)
    exact = pv.bradley_terry(counts, ties="half", prior_sd=1.0, uncertainty="none")
    np.testing.assert_allclose(stream.state.mean, exact.scores, atol=1e-6)
    weights = reference.information_of_pairs(counts, exact.scores)
    np.testing.assert_allclose(stream.state.precision, 1 + weights, rtol=1e-6)
    if isinstance(sampler, TopK):
        # The votes go where the cut is: to the better half far more than to the worse.
        assert stream.shown[: n_items // 2].sum() > 1.5 * stream.shown[n_items // 2 :].sum()
    stream.retire(3)
    late = stream.add_item()
    stream.reserve("bo", *stream.propose("bo"))
    assert stream.state.mean.shape == (late + 1,)


def test_who_has_seen_all_candidates_is_shown_what_is_left() -> None:
    stream = TopK(2).start(301, rng=1)
    best = range(64)
    for i, j in itertools.combinations(best, 2):
        stream.reserve("anna", i, j)
    # With these means the candidates are the same 64 at any time.
    stream.state._mean[:64] = 1e-3
    stream.state._mean[:2] = 2e-3
    pairs = {frozenset(stream.propose("anna")) for _ in range(3)}
    assert not any(pair <= set(best) for pair in pairs)


def test_up_to_300_items_have_a_whole_covariance() -> None:
    assert isinstance(InformationGain().start(300).state, WholeBelief)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopK(0), r"k is 0; pass how many items"),
        (lambda: TopK(True), r"k is True; pass how many items"),
        (lambda: TopK(2.5), r"k is 2.5; pass how many items"),
        (lambda: TopK(5, prior_sd=0), r"prior_sd is 0; pass a positive number of log-odds"),
        (lambda: TopK(5, information_share=-1), r"information_share is -1; pass a number from 0"),
        (lambda: TopK(5, information_share="much"), r"information_share is 'much'; pass a number from 0"),
        (lambda: InformationGain(prior_sd=float("inf")), r"prior_sd is inf; pass a positive number"),
        (lambda: InformationGain(prior_sd=float("nan")), r"prior_sd is nan; pass a positive number"),
        (lambda: InformationGain(prior_sd="1"), r"prior_sd is '1'; pass a positive number"),
        (lambda: InformationGain(refit_every=0), r"refit_every is 0; pass a whole number from 1"),
        (lambda: InformationGain(refit_every=2.0), r"refit_every is 2.0; pass a whole number from 1"),
    ],
)
def test_bad_options_are_refused(make, message: str) -> None:
    with pytest.raises(pv.InputError, match=message):
        make()


def test_a_cut_past_the_items_asks_for_information() -> None:
    one, other = TopK(9, information_share=0.0).start(5, rng=3), InformationGain().start(5, rng=3)
    for voter in range(8):
        assert one.propose(voter) == other.propose(voter)
        for stream in (one, other):
            stream.record(voter, *stream.propose(voter), "left")
