"""A strategy written outside the library, by public names alone: with its own state and its own whole vote."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import pairvote as pv
from pairvote.sampling import InformationGain, Learner, PairStream, Sampler, question_by_question


class Form(Learner):
    """What each item won of late, less than nothing for what it lost; open questions are counted."""

    def __init__(self, n_items: int) -> None:
        self.form = [0.0] * n_items
        self.taken_back: list[tuple[int, int, int]] = []
        self.n_open = 0

    def reserve(self, left: int, right: int) -> None:
        self.n_open += 1

    def release(self, left: int, right: int) -> None:
        self.n_open -= 1

    def learn(self, left: int, right: int, outcome: int) -> None:
        self.n_open -= 1
        self._move(left, right, outcome)

    def unlearn(self, left: int, right: int, outcome: int) -> None:
        self.n_open += 1
        self._move(left, right, 2 - outcome)

    def add_item(self) -> None:
        self.form.append(0.0)

    def _move(self, left: int, right: int, outcome: int) -> None:
        self.form[left] += outcome - 1
        self.form[right] -= outcome - 1


@dataclass(frozen=True)
class InForm(Sampler):
    """Of the pairs that a voter was shown least often one of the two whose items are most in form, by a coin."""

    pull: float = 1.0
    uniforms_used: ClassVar[int] = 1
    calls: ClassVar[list[str]] = []

    def begin(self, n_items: int) -> Form:
        return Form(n_items)

    def choose(self, stream: PairStream, voter, uniforms) -> tuple[int, int]:
        return self._of(stream.allowed_pairs(voter), stream.state.form, uniforms[0])

    def whole_vote(self, n_items, turns, *, votes_each, n_open):
        """The same in one loop, with tables instead of a stream."""
        self.calls.append("whole_vote")
        voters = turns.tolist()
        all_pairs = [(i, j) for i in range(n_items) for j in range(i)]
        votes = np.zeros((len(voters), 4), np.int32)

        def vote(strengths, draws):
            own = np.broadcast_to(strengths, (max(voters) + 1, n_items))
            form, leads, shown = Form(n_items), [0] * n_items, {}
            for row, voter in enumerate(voters):
                times = [shown.get((voter, pair), 0) for pair in all_pairs]
                allowed = [pair for pair, n in zip(all_pairs, times, strict=True) if n == min(times)]
                left, right = pair = self._of(allowed, form.form, draws[row, 0])
                shown[voter, pair] = shown.get((voter, pair), 0) + 1
                if leads[left] > leads[right] or (leads[left] == leads[right] and draws[row, 3] < 0.5):
                    left, right = right, left
                leads[left], leads[right] = leads[left] + 1, leads[right] - 1
                lead = own[voter, left] - own[voter, right]
                outcome = 2 if lead > draws[row, 4] else 0 if lead < draws[row, 5] else 1
                if draws.shape[1] > 6 and abs(lead) < draws[row, 6]:
                    outcome = 3
                votes[row] = voter, left, right, outcome
                if row >= n_open and votes[row - n_open, 3] != 3:
                    form.learn(*votes[row - n_open, 1:].tolist())
            return votes

        return vote

    def _of(self, pairs, form, uniform) -> tuple[int, int]:
        best = sorted(pairs, key=lambda pair: -self.pull * (form[pair[0]] + form[pair[1]]))
        return best[int(uniform * min(2, len(best)))]


class Slowly(InForm):
    """The same strategy, whose whole votes go through a stream."""

    def whole_vote(self, n_items, turns, *, votes_each, n_open):
        return question_by_question(self, n_items, turns, votes_each=votes_each, n_open=n_open)


VOTERS = pv.VoterModel(tie_parameter=0.5, taste_sd=0.3, lapse=0.1, skip=0.2)
SIZE = {"n_items": 5, "n_voters": 4, "votes_each": 8, "voters": VOTERS, "n_open": 2, "repetitions": 30, "rng": 3}


def all_votes(sampler: Sampler) -> np.ndarray:
    simulation = pv.simulate(sampler=sampler, **SIZE)
    votes = [simulation.votes(r) for r in range(30)]
    return np.array([(each.left, each.right, each.outcome) for each in votes])


def test_a_simulation_gives_the_same_votes_on_both_roads() -> None:
    InForm.calls.clear()
    fast = all_votes(InForm())
    assert InForm.calls
    np.testing.assert_array_equal(fast, all_votes(Slowly()))
    assert set(fast[:, 2].ravel().tolist()) == {0, 1, 2, 3}
    # And other options are another strategy.
    assert not np.array_equal(fast, all_votes(InForm(pull=-1.0)))


def test_an_experiment_takes_it_beside_ours() -> None:
    grid = {**SIZE, "methods": "bradley-terry", "top_k": 2}
    table = pv.experiment(samplers=[InForm(), Slowly(), "balanced"], **grid)
    row, slow = table.row(sampler=InForm()), table.row(sampler=Slowly())
    np.testing.assert_array_equal(row.sums, slow.sums)
    assert table.mean("exposure_range", sampler=InForm()) > table.mean("exposure_range", sampler="balanced")
    alone = pv.simulate(sampler=InForm(), **SIZE).evaluate("bradley-terry", top_k=2)
    np.testing.assert_array_equal(alone.rows[0].sums, row.sums)
    assert "InForm(pull=1.0)" in str(table)


def test_the_log_of_a_stream_makes_the_same_state_and_proposals() -> None:
    stream = InForm().start(4, votes_each=6, rng=2)
    for number in range(12):
        pair = stream.propose(number % 3)
        stream.reserve(number % 3, *pair)
        if number % 4 == 3:
            stream.release(number % 3, *pair)
        else:
            stream.record(number % 3, *pair, ("left", "right", "tie", "skip")[number // 3])
    first = next(call for call in stream.log if call[0] == "record")
    stream.withdraw(*first[1:])
    assert stream.add_item() == 4
    stream.retire(1)
    stream.record("late", 4, 0, "left")
    assert stream.log[0][0] == "reserve"
    assert stream.log[-4:] == [("withdraw", *first[1:]), ("add_item",), ("retire", 1), ("record", "late", 4, 0, "left")]
    assert stream.state.n_open == len(stream.open_questions) == 1

    again = InForm().start(4, votes_each=6, rng=2)
    for method, *given in stream.log:
        getattr(again, method)(*given)
    assert again.state.form == stream.state.form
    assert again.open_questions == stream.open_questions
    assert [again.propose(voter) for voter in range(5)] == [stream.propose(voter) for voter in range(5)]
    assert len(stream.log) == len(again.log)


def test_wins_of_a_pair_are_those_of_the_answers_that_stand() -> None:
    stream, won = InForm().start(4, rng=1), np.zeros((4, 4))
    rng = np.random.default_rng(7)
    told: list[tuple] = []
    for number in range(200):
        if told and rng.random() < 0.3:
            answer, step = told.pop(rng.integers(len(told))), -1
            stream.withdraw(*answer)
            stream.release(*answer[:3])
        else:
            left, right = rng.choice(4, 2, replace=False).tolist()
            answer, step = (number, left, right, ("right", "tie", "left", "skip")[rng.integers(4)]), 1
            stream.record(*answer)
            told.append(answer)
        _, left, right, outcome = answer
        if outcome != "skip":
            won[left, right] += step * {"left": 1, "tie": 0.5, "right": 0}[outcome]
            won[right, left] += step * {"left": 0, "tie": 0.5, "right": 1}[outcome]
        if number % 9 == 0:
            assert [[stream.wins(i, j) if i != j else 0.0 for j in range(4)] for i in range(4)] == won.tolist()
    assert won.sum(axis=1).tolist() == stream.points.tolist()
    with pytest.raises(pv.InputError, match="item 2 stands against itself"):
        stream.wins(2, 2)


def test_a_poll_takes_it_and_needs_it_again(tmp_path) -> None:
    path = tmp_path / "poll.db"
    with pv.Poll(["ash", "birch", "cedar", "doum"], sampler=InForm(), store=path, rng=1) as poll:
        for number in range(12):
            question = poll.ask(number % 3)
            poll.answer(number % 3, question.id, ("left", "tie", "skip")[number % 3])
        votes, question = poll.votes(), poll.ask("anna")
    with pytest.raises(pv.InputError, match=r"goes by the strategy InForm, .*pass the same to Poll\.open\("):
        pv.Poll.open(path)
    with pv.Poll.open(path, sampler=InForm()) as poll:
        assert poll.ask("anna") == question
        assert poll.votes().outcome.tolist() == votes.outcome.tolist()
    with pytest.raises(pv.InputError, match=r"sampler is Slowly\(.*\), and .* goes by InForm; pass that one"):
        pv.Poll.open(path, sampler=Slowly())


class MostInDoubt(Sampler):
    """The two items whose scores the posterior of `InformationGain` knows least about."""

    def begin(self, n_items: int) -> Learner:
        return InformationGain(prior_sd=2.0).begin(n_items)

    def choose(self, stream: PairStream, voter, uniforms) -> tuple[int, int]:
        variances = stream.state.variances
        return max(stream.allowed_pairs(voter), key=lambda pair: variances[list(pair)].sum())


@pytest.mark.parametrize("n_items", [5, 301])
def test_it_may_learn_by_our_posterior(n_items: int) -> None:
    stream = MostInDoubt().start(n_items, rng=1)
    for pair in itertools.combinations(range(4), 2):
        stream.record("anna", *pair, "left")
    assert stream.state.mean[0] > stream.state.mean[3]
    assert stream.state.variances.shape == (n_items,)
    assert stream.state.variances[0] < stream.state.variances[4] <= 4.0 + 1e-9
    assert 4 in stream.propose("bo") or n_items > 5


@pytest.mark.parametrize("sampler", [pv.sampling.Balanced(), InForm()], ids=repr)
def test_items_by_exposure(sampler: Sampler) -> None:
    stream = sampler.start(6, rng=1)
    for number in range(20):
        stream.record(number, *stream.propose(number), "left")
    stream.retire(2)
    assert sorted(stream.by_exposure.tolist()) == stream.active.tolist() == [0, 1, 3, 4, 5]
    assert (np.diff(stream.shown[stream.by_exposure]) >= 0).all()


GIVEN = ["abc", 0.5, [0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 1.0], [0.1, float("nan"), 0.3, 0.4], [-0.1, 0.2, 0.3, 0.4]]


@pytest.mark.parametrize("uniforms", GIVEN, ids=str)
def test_uniforms_that_are_none_are_refused(uniforms) -> None:
    stream = pv.sampling.Uniform().start(5, rng=1)
    with pytest.raises(pv.InputError, match=r"uniforms is .*; pass 4 numbers from \[0, 1\)"):
        stream.propose("anna", uniforms=uniforms)


@pytest.mark.parametrize("sampler", [pv.sampling.CatchUp(), pv.sampling.TopK(2), Slowly()], ids=repr)
def test_what_a_whole_vote_cannot_use_is_refused(sampler: Sampler) -> None:
    turns = np.array([0, 1, 0, 1], np.int32)
    vote = sampler.whole_vote(3, turns, votes_each=2, n_open=0)
    strengths, draws = np.zeros((1, 3)), np.full((4, 6), 0.5)
    assert vote(strengths, draws)[:, 0].tolist() == [0, 1, 0, 1]
    # The turns are its own: another's change of them is not seen.
    turns[:] = 99
    assert vote(strengths, draws)[:, 0].tolist() == [0, 1, 0, 1]
    for bad in (1.0, -1e-300, float("nan"), float("inf")):
        with pytest.raises(pv.InputError, match=r"\[0, 1\)"):
            vote(strengths, np.where(np.arange(6) == 0, bad, draws))
    with pytest.raises(pv.InputError, match=r"strengths has shape \(3, 3\)"):
        vote(np.zeros((3, 3)), draws)
    with pytest.raises(pv.InputError, match=r"draws has shape \(3, 6\)"):
        vote(strengths, draws[:3])
    for bad_turns in ([], [[0]], [-1], [0.5], ["a"]):
        with pytest.raises(pv.InputError, match="turns has shape"):
            sampler.whole_vote(3, bad_turns, votes_each=2, n_open=0)
    with pytest.raises(pv.InputError, match="n_items is 1"):
        sampler.whole_vote(1, turns, votes_each=2, n_open=0)


@dataclass(frozen=True)
class Wrong(Sampler):
    """A strategy whose whole votes have something that cannot be."""

    column: int
    value: int

    def whole_vote(self, n_items, turns, *, votes_each, n_open):
        good = pv.sampling.Uniform().whole_vote(n_items, turns, votes_each=votes_each, n_open=n_open)

        def vote(strengths, draws):
            votes = good(strengths, draws)
            if self.column > 3:
                return votes[:, :3] if self.value else votes.astype(float)
            votes[2, self.column] = self.value
            return votes

        return vote


WRONG = [
    (1, 5, "made votes on items that there are not"),
    (2, -1, "made votes on items that there are not"),
    (3, -7, "made votes on items that there are not"),
    (3, 256, "made votes that cannot be"),
    (4, 0, r"made an array of shape \(32, 4\) and type float64; return \(32, 4\) int32"),
    (4, 1, r"made an array of shape \(32, 3\)"),
]


@pytest.mark.parametrize(("column", "value", "message"), WRONG)
def test_a_whole_vote_that_cannot_be_reaches_no_kernel(column: int, value: int, message: str) -> None:
    with pytest.raises(pv.InputError, match=rf"Wrong\(column={column}, value={value}\).whole_vote {message}"):
        pv.simulate(sampler=Wrong(column, value), **SIZE)


def test_ours_are_named_and_kept_by_their_registry() -> None:
    from pairvote.sampling._registry import NAMED, SAMPLERS

    assert list(NAMED) == ["balanced", "catch-up", "information-gain", "swiss", "uniform"]
    assert {kind.__name__ for kind in NAMED.values()} == set(SAMPLERS) - {"TopK"}
    assert all(getattr(pv.sampling, name) is kind for name, kind in SAMPLERS.items())
    assert set(SAMPLERS) <= set(pv.sampling.__all__)
