"""The stream of pairs against a naive model of what was asked, under every strategy."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from both_kernels import bits, both
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

import pairvote as pv
from pairvote._kernels import exposure
from pairvote.sampling import Balanced, CatchUp, InformationGain, Sampler, Swiss, TopK, Uniform
from pairvote.sampling._board import Board

EXPOSURE = [Uniform(), Balanced(), Swiss(), CatchUp(), CatchUp(exponent=2.0, cap=1.0)]
ALL = [*EXPOSURE, InformationGain(), TopK(2)]
OUTCOMES = ("right", "tie", "left", "skip")


class AnyPair(Sampler):
    """A strategy in plain Python."""

    def choose(self, stream, voter, uniforms):
        pairs = stream.allowed_pairs(voter)
        return pairs[int(uniforms[0] * len(pairs))]


class Naive:
    """What was asked and answered, in lists."""

    def __init__(self, n_items: int) -> None:
        self.active = list(range(n_items))
        self.n_items = n_items
        self.n_asked = 0
        self.open: list[tuple] = []
        self.closed: list[tuple] = []

    @property
    def asked(self) -> list[tuple]:
        return self.open + [question[:3] for question in self.closed]

    def times(self, i: int, j: int, voter=None) -> int:
        return sum({left, right} == {i, j} and voter in (None, who) for who, left, right in self.asked)

    def allowed(self, voter) -> list[tuple[int, int]]:
        times = {(i, j): self.times(i, j, voter) for i, j in itertools.combinations(self.active, 2)}
        return [(j, i) for (i, j), n in times.items() if n == min(times.values())]

    def check(self, stream) -> None:
        shown, leads, points, answers = (np.zeros(self.n_items) for _ in range(4))
        for _, left, right in self.asked:
            shown[[left, right]] += 1
            leads[left] += 1
            leads[right] -= 1
        for _, left, right, outcome in self.closed:
            if outcome != "skip":
                points[left] += {"left": 1, "tie": 0.5, "right": 0}[outcome]
                points[right] += {"left": 0, "tie": 0.5, "right": 1}[outcome]
                answers[[left, right]] += 1
        assert stream.n_items == self.n_items
        assert stream.n_asked == self.n_asked
        assert stream.active.tolist() == self.active
        assert stream.shown.tolist() == shown.tolist()
        assert stream.leads.tolist() == leads.tolist()
        assert stream.points.tolist() == points.tolist()
        assert stream.answers.tolist() == answers.tolist()
        assert Counter(stream.open_questions) == Counter(self.open)


def events(data, stream, naive: Naive, n_voters: int) -> list[tuple]:
    """Drawn events told to both; what was told."""
    told = []
    for _ in range(data.draw(st.integers(1, 60))):
        kind = data.draw(
            st.sampled_from(
                ["ask", "ask", "ask", "ask", "record", "record", "release", "add", "retire", "restore", "back"]
            )
        )
        voter = data.draw(st.integers(0, n_voters - 1))
        if kind == "ask":
            before = [array.copy() for array in (stream._board.items[:8], stream._board.levels, stream._board.pairs)]
            left, right = stream.propose(voter)
            assert (left, right) == stream.propose(voter)
            after = (stream._board.items[:8], stream._board.levels, stream._board.pairs)
            assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
            assert (max(left, right), min(left, right)) in naive.allowed(voter)
            assert stream.leads[left] <= stream.leads[right]
            stream.reserve(voter, left, right)
            naive.open.append((voter, left, right))
            naive.n_asked += 1
            told.append(("reserve", voter, left, right))
        elif kind == "record" and naive.open:
            question = naive.open.pop(data.draw(st.integers(0, len(naive.open) - 1)))
            outcome = data.draw(st.sampled_from(OUTCOMES))
            stream.record(*question, outcome)
            naive.closed.append((*question, outcome))
            told.append(("record", *question, outcome))
        elif kind == "release" and naive.open:
            question = naive.open.pop()
            stream.release(*question)
            told.append(("release", *question))
        elif kind == "back" and naive.closed:
            *question, outcome = naive.closed.pop()
            stream.withdraw(*question, outcome)
            naive.open.append(tuple(question))
            told.append(("withdraw", *question, outcome))
        elif kind == "add":
            assert stream.add_item() == naive.n_items
            naive.active.append(naive.n_items)
            naive.n_items += 1
            told.append(("add_item",))
        elif kind == "retire" and len(naive.active) > 2:
            item = naive.active.pop(data.draw(st.integers(0, len(naive.active) - 1)))
            stream.retire(item)
            told.append(("retire", item))
        elif kind == "restore" and len(naive.active) < naive.n_items:
            retired = sorted(set(range(naive.n_items)) - set(naive.active))
            item = data.draw(st.sampled_from(retired))
            stream.restore(item)
            naive.active = sorted([*naive.active, item])
            told.append(("restore", item))
        naive.check(stream)
    return told


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [*ALL, AnyPair()], ids=repr)
@given(data=st.data())
def test_a_stream_is_a_fold_over_what_happened(sampler: Sampler, data) -> None:
    n_items, n_voters = data.draw(st.integers(2, 12)), data.draw(st.integers(1, 5))
    seed = data.draw(st.integers(0, 1000))
    stream, naive = sampler.start(n_items, votes_each=6, rng=seed), Naive(n_items)
    told = events(data, stream, naive, n_voters)
    for voter in range(n_voters):
        assert sorted(stream.allowed_pairs(voter)) == sorted(naive.allowed(voter))
    for i, j in itertools.combinations(range(naive.n_items), 2):
        assert stream.times_shown(i, j) == naive.times(i, j)
        assert stream.times_shown(j, i, 0) == naive.times(i, j, 0)

    replayed = sampler.start(n_items, votes_each=6, rng=seed)
    for name, *arguments in told:
        if name == "reserve":
            assert replayed.propose(arguments[0]) == tuple(arguments[1:])
        getattr(replayed, name)(*arguments)
    assert replayed.propose("new") == stream.propose("new")


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [Balanced(), Swiss()], ids=repr)
@pytest.mark.parametrize("n_open", [0, 30])
@pytest.mark.parametrize("in_turn", [True, False])
def test_exposures_are_level_at_any_time(sampler: Sampler, n_open: int, in_turn: bool) -> None:
    rng = np.random.default_rng(4)
    turns = np.tile(np.arange(30), 20) if in_turn else np.repeat(np.arange(30), 20)
    for seed in range(8):
        stream, asked = sampler.start(23, votes_each=20, rng=seed), []
        for row, voter in enumerate(turns.tolist()):
            asked.append((voter, *stream.propose(voter)))
            stream.reserve(*asked[-1])
            assert np.ptp(stream.shown) <= 2
            if row >= n_open:
                stream.record(*asked[row - n_open], OUTCOMES[rng.integers(4)])
        assert np.abs(stream.leads).max() <= 4
        by_voter = np.zeros((30, 23), int)
        for voter, left, right in asked:
            by_voter[voter, [left, right]] += 1
        assert by_voter.max() <= 3
        pairs = Counter(frozenset(question[1:]) for question in asked)
        # 600 questions of 253 pairs, levelled greedily.
        assert max(pairs.values()) <= 6


@pytest.mark.parametrize("n_items", [2, 3, 4, 5, 6])
def test_one_voter_sees_every_pair_before_any_again(n_items: int) -> None:
    n_pairs = n_items * (n_items - 1) // 2
    for sampler, seed in itertools.product(ALL, range(4)):
        stream, asked = sampler.start(n_items, rng=seed), []
        for _ in range(3 * n_pairs):
            asked.append(stream.propose("anna"))
            stream.record("anna", *asked[-1], "left")
        rounds = [asked[first : first + n_pairs] for first in range(0, len(asked), n_pairs)]
        assert all(len(set(map(frozenset, round_))) == n_pairs for round_ in rounds)


def test_a_late_item_catches_up_through_many_voters() -> None:
    stream = Balanced().start(23, votes_each=20, rng=1)
    for number in range(300):
        stream.record(number % 30, *stream.propose(number % 30), "left")
    late = stream.add_item()
    by_voter = Counter()
    for number in range(200):
        voter = 100 + number % 30
        pair = stream.propose(voter)
        by_voter[voter] += late in pair
        stream.record(voter, *pair, "left")
    assert np.ptp(stream.shown) <= 2
    assert max(by_voter.values()) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [Uniform(), Balanced(), Swiss(), CatchUp(cap=1.0)], ids=repr)
def test_the_first_pair_is_any_pair_on_either_side(sampler: Sampler) -> None:
    found = Counter(sampler.start(7, rng=seed).propose("anna") for seed in range(4200))
    assert len(found) == 42
    assert chisquare(list(found.values())).pvalue > 1e-4


def test_uniform_is_uniform_over_what_a_voter_has_not_seen() -> None:
    found: Counter = Counter()
    for seed in range(4000):
        stream = Uniform().start(6, rng=seed)
        for pair in [(0, 1), (3, 2), (5, 0), (4, 5)]:
            stream.record("anna", *pair, "tie")
        stream.retire(1)
        found[frozenset(stream.propose("anna"))] += 1
    unseen = {frozenset(p) for p in itertools.combinations([0, 2, 3, 4, 5], 2)} - {
        frozenset({2, 3}),
        frozenset({0, 5}),
        frozenset({4, 5}),
    }
    assert set(found) == unseen
    assert chisquare(list(found.values())).pvalue > 1e-4


def test_voters_who_ask_at_the_same_moment_get_different_pairs() -> None:
    stream = Uniform().start(23, rng=5)
    assert len({frozenset(stream.propose(voter)) for voter in range(30)}) > 20
    assert len({frozenset(Uniform().start(23, rng=seed).propose(0)) for seed in range(30)}) > 20
    assert Uniform().start(23, rng=5).propose(np.int64(3)) == stream.propose(3)


@pytest.mark.slow
@pytest.mark.parametrize(("exponent", "cap"), [(1.0, 1.0), (2.0, 0.3)])
def test_catching_up_is_in_proportion(exponent: float, cap: float) -> None:
    history = [(0, 1)] * 4 + [(0, 2)] * 2 + [(2, 3)] + [(1, 3)] * 9
    found: Counter = Counter()
    for seed in range(6000):
        stream = CatchUp(exponent=exponent, cap=cap).start(4, rng=seed)
        for number, pair in enumerate(history):
            stream.record(number, *pair, "left")
        stream.record("anna", 3, 0, "left")
        found[tuple(sorted(stream.propose("anna")))] += 1
    counts = Counter(history)
    weights = {pair: min((counts[pair] + 1.0) ** -exponent, cap) for pair in itertools.combinations(range(4), 2)}
    del weights[0, 3]
    assert set(found) <= set(weights)
    expected = [6000 * weight / sum(weights.values()) for weight in weights.values()]
    assert chisquare([found[pair] for pair in weights], expected).pvalue > 1e-4


def test_catching_up_among_many_items_prefers_what_was_seldom_shown() -> None:
    stream = CatchUp(cap=1.0).start(60, rng=2)
    for voter, pair in enumerate(itertools.combinations(range(60), 2)):
        if 0 not in pair:
            for again in range(9):
                stream.record((voter, again), *pair, "left")
    share = np.mean([0 in stream.propose(voter) for voter in range(2000)])
    # 59 pairs of weight 1 beside 1,711 of weight a tenth.
    assert abs(share - 59 / (59 + 171.1)) < 0.04


def test_swiss_takes_the_nearest_score_of_those_met_least_often() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        stream = Swiss().start(9, rng=seed)
        for _ in range(40):
            stream.record(rng.integers(20), *stream.propose("nobody"), OUTCOMES[rng.integers(3)])
        pair = stream.propose("anna")
        score = (stream.points + 1) / (stream.answers + 2)
        lowest = np.flatnonzero(stream.shown == stream.shown.min()).tolist()

        key = {
            (i, j): (stream.times_shown(i, j), abs(score[i] - score[j])) for i, j in itertools.permutations(range(9), 2)
        }

        def best(first: int, lowest=lowest, shown=stream.shown, key=key) -> tuple[int, float]:
            rest = [item for item in lowest if item != first]
            if not rest:
                level = min(shown[item] for item in range(9) if item != first)
                rest = [item for item in range(9) if item != first and shown[item] == level]
            return min(key[first, other] for other in rest)

        firsts = [item for item in pair if item in lowest]
        assert any(key[pair] == pytest.approx(best(first)) for first in firsts)


@pytest.mark.parametrize("sampler", EXPOSURE, ids=repr)
def test_a_million_items(sampler: Sampler) -> None:
    stream = sampler.start(1_000_000, rng=1)
    for number in range(50):
        left, right = stream.propose(number % 3)
        stream.record(number % 3, left, right, "left")
    assert stream.shown.max() <= 2
    assert int(stream.shown.sum()) == 100


@pytest.mark.parametrize("sampler", EXPOSURE, ids=repr)
@pytest.mark.parametrize("n_open", [0, 4])
def test_the_loop_of_the_kernel_is_that_of_the_stream(sampler: Sampler, n_open: int) -> None:
    n_items, n_voters, n_questions = 6, 3, 70
    rng = np.random.default_rng(3)
    draws = np.column_stack(
        [rng.random((n_questions, 4)), rng.normal(0.2, 1, n_questions), rng.normal(-0.2, 1, n_questions)]
    )
    strengths = rng.normal(size=(n_voters, n_items))
    votes = np.zeros((n_questions, 4), np.int32)
    votes[:, 0] = rng.integers(n_voters, size=n_questions)
    stream = sampler.start(n_items, votes_each=9)
    options = sampler._options(9)

    runs, rng = [], np.random.default_rng(5)
    for kernel in (exposure, *both("exposure")):
        board = Board(n_items, levelled=sampler.levelled)
        if sampler.levelled:
            board.levels = np.array([n_items, 0] + [n_items] * 80)
        pairs, seen = board.pairs.copy(), np.zeros((n_voters, n_questions + 1), np.int64)
        made = votes.copy()
        kernel.run(board.items, board.levels, pairs, seen, strengths, draws, made, np.append(options, n_open))
        runs.append([bits(array) for array in (board.items, board.levels, pairs, seen, made)])
        again, skipped = Board(n_items, levelled=sampler.levelled), votes.copy()
        if sampler.levelled:
            again.levels = np.array([n_items, 0] + [n_items] * 80)
        some = np.column_stack([draws, rng.permutation(np.linspace(-2, 1, n_questions))])
        seen_too = np.zeros_like(seen)
        tables = again.items, again.levels, again.pairs, seen_too
        kernel.run(*tables, strengths, some, skipped, np.append(options, n_open))
        assert 3 in skipped[:, 3]
        runs[-1].append(bits(skipped))
        rng = np.random.default_rng(5)
    assert runs[0] == runs[1] == runs[2]
    for row, (voter, left, right, outcome) in enumerate(made.tolist()):
        assert stream.propose(voter, uniforms=draws[row, :4]) == (left, right)
        stream.reserve(voter, left, right)
        lead = strengths[voter, left] - strengths[voter, right]
        assert outcome == (2 if lead > draws[row, 4] else 0 if lead < draws[row, 5] else 1)
        if row >= n_open:
            then, one, other, seen_so = made[row - n_open].tolist()
            stream.record(then, one, other, pv.Outcome(seen_so))
    np.testing.assert_array_equal(stream._board.items[:8], board.items[:8])


def test_counting_is_the_same_compiled_and_interpreted() -> None:
    found = []
    for kernel in both("exposure"):
        rng = np.random.default_rng(6)
        board, seen = Board(9, levelled=True), np.zeros((1, 200), np.int64)
        board.levels = np.array([9, 0] + [9] * 90)
        pairs = np.zeros((2, 128), np.int64)
        pairs[0] = -1
        results: list[object] = []
        asked, answered = [], []
        for _ in range(120):
            if asked and rng.random() < 0.3:
                left, right = asked.pop(rng.integers(len(asked)))
                results.append(kernel.show(board.items, board.levels, pairs, seen, 0, left, right, -1))
            else:
                left, right = rng.choice(9, 2, replace=False).tolist()
                asked.append((left, right))
                results.append(kernel.show(board.items, board.levels, pairs, seen, 0, left, right, 1))
            results.append(kernel.times_shown(pairs, left, right))
            if answered and rng.random() < 0.4:
                kernel.answer(board.items, *answered.pop(rng.integers(len(answered))), -1)
            else:
                answered.append((left, right, int(rng.integers(2**25 + 1))))
                kernel.answer(board.items, *answered[-1], 1)
            draws = rng.random((1, 3))
            results += [
                kernel.choose(board.items, board.levels, pairs, seen, draws, np.array([rule, 20.0, 1.0, 0.5]))
                for rule in range(4)
            ]
        larger = np.zeros((2, 256), np.int64)
        larger[0] = -1
        kernel.rehash(pairs, larger)
        results += [kernel.times_shown(larger, i, j) for i, j in itertools.combinations(range(9), 2)]
        found.append([*results, *(bits(array) for array in (board.items, board.levels, pairs, larger, seen))])
    assert found[0] == found[1]


BAD = [
    (lambda s: Uniform().start(-1), pv.InputError, "n_items is -1; pass a whole number from 0"),
    (lambda s: Uniform().start(1).propose("a"), pv.StateError, "fewer than two items are left to be asked about"),
    (lambda s: Uniform().start(2.0), pv.InputError, "n_items is 2.0; pass"),
    (lambda s: Uniform().start(True), pv.InputError, "n_items is True; pass"),
    (lambda s: Uniform().start(2**24 + 1), pv.InputError, "pass a whole number from 0 to 16,777,216"),
    (lambda s: Uniform().start(5, votes_each=0), pv.InputError, "votes_each is 0; pass a whole number from 1"),
    (lambda s: pv.sampling.PairStream("balanced", 5), pv.InputError, "sampler is 'balanced'; pass one such as"),
    (lambda s: s.propose([]), pv.InputError, r"voter \[\] is not hashable"),
    (lambda s: s.reserve([], 0, 1), pv.InputError, r"voter \[\] is not hashable"),
    (lambda s: s.reserve("a", 0, 0), pv.InputError, "item 0 stands against itself"),
    (lambda s: s.reserve("a", 0, 9), pv.InputError, "item 9 is unknown; the codes are 0 to 3"),
    (lambda s: s.reserve("a", -1, 0), pv.InputError, "item -1 is unknown"),
    (lambda s: s.reserve("a", 0.0, 1), pv.InputError, "item 0.0 is unknown"),
    (lambda s: s.reserve("a", 3, 0), pv.InputError, "item 3 is retired; propose another pair"),
    (lambda s: s.record("a", 0, 1, "lef"), pv.InputError, "outcome is 'lef'; it must be 'left'"),
    (lambda s: s.record("a", 0, 1, 7), pv.InputError, "outcome is 7; it must be 'left'"),
    (
        lambda s: s.record("a", 0, 1, 2.1),
        pv.InputError,
        "outcome is 2.1; .*or a float from 0 to 2",
    ),
    (lambda s: s.record("a", 0, 1, float("nan")), pv.InputError, "outcome is nan; it must be 'left'"),
    (lambda s: s.record("a", 0, 1, -0.1), pv.InputError, "outcome is -0.1; it must be 'left'"),
    (lambda s: s.record("a", 0, 1, True), pv.InputError, "outcome is True; it must be 'left'"),
    (lambda s: s.release("a", 0, 1), pv.StateError, "voter 'a' has no open question about 0 and 1"),
    (lambda s: s.withdraw("a", 0, 1, "left"), pv.StateError, "voter 'a' has answered no question about 0 and 1"),
    (lambda s: s.retire(3), pv.InputError, "item 3 is retired already"),
    (lambda s: s.retire(4), pv.InputError, "item 4 is unknown"),
    (lambda s: s.restore(0), pv.InputError, "item 0 is not retired; restore one that is"),
    (lambda s: s.restore(4), pv.InputError, "item 4 is unknown"),
    (lambda s: (s.retire(0), s.retire(1), s.propose("a")), pv.StateError, "fewer than two items are left"),
    (lambda s: Sampler().start(3).propose("a"), NotImplementedError, "Sampler does not say which pair to choose"),
    (lambda s: CatchUp(exponent=0), pv.InputError, "exponent is 0; pass a positive number"),
    (lambda s: CatchUp(cap=float("nan")), pv.InputError, "cap is nan; pass a positive number"),
]


@pytest.mark.parametrize(("act", "kind", "message"), BAD)
def test_what_cannot_be_is_refused_and_changes_nothing(act, kind, message: str) -> None:
    stream = Balanced().start(4, rng=1)
    stream.retire(3)
    before = stream.propose("bo"), stream.shown.tolist()
    with pytest.raises(kind, match=message):
        act(stream)
    if len(stream.active) == 3:
        assert (stream.propose("bo"), stream.shown.tolist()) == before


def test_what_is_handed_out_is_read_only_and_codes_may_be_numpy_integers() -> None:
    stream = Balanced().start(4, rng=1)
    stream.record("a", np.int64(0), np.int32(1), pv.Outcome.LEFT)
    for array in (stream.active, stream.shown, stream.leads, stream.answers):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    assert stream.points.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert repr(stream) == "PairStream(Balanced(), 4 items, 1 questions asked)"
