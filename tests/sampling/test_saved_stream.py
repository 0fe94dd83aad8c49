"""A stream that is saved and made again goes on as the one that was told everything, to the bit."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from both_kernels import bits
from hypothesis import given, settings
from hypothesis import strategies as st

import pairvote as pv
from pairvote.sampling import Balanced, CatchUp, InformationGain, PairStream, Sampler, Swiss, TopK, Uniform
from pairvote.sampling._registry import SAMPLERS
from pairvote.sampling._saving import can_be_saved, restored, saved

SEEDS = st.integers(0, 2**32 - 1)
OURS = [
    Uniform(),
    Balanced(),
    Swiss(),
    CatchUp(cap=1.0),
    InformationGain(),
    TopK(2),
    TopK(3, prior_sd=2.0, refit_every=3),
]
OUTCOMES = ("right", "tie", "left", "skip", 0.3, 1.75, 2 / 3)


class Run:
    """A stream and a record of what it was told, from which random events are drawn."""

    def __init__(self, stream: PairStream, seed: int) -> None:
        self.stream = stream
        self.rng = np.random.default_rng(seed)
        self.open: list[tuple] = []
        self.closed: list[tuple] = []

    def seen_of(self, voter) -> list[int]:
        shown = [question[:3] for question in (*self.open, *self.closed)]
        return [(max(left, right) << 24) + min(left, right) for who, left, right in shown if who == voter]

    def draw(self) -> tuple | None:
        """The next call that may follow."""
        rng, stream = self.rng, self.stream
        kind = rng.choice(["ask"] * 6 + ["record"] * 5 + ["release", "withdraw", "add", "retire", "restore"])
        voter = int(rng.integers(6))
        active = stream.active.tolist()
        retired = sorted(set(range(stream.n_items)) - set(active))
        if kind == "ask" and len(active) > 1:
            return "reserve", voter, *stream.propose(voter)
        if kind in ("record", "release") and self.open:
            question = self.open[rng.integers(len(self.open))]
            return ("release", *question) if kind == "release" else ("record", *question, OUTCOMES[rng.integers(7)])
        if kind == "withdraw" and self.closed:
            return "withdraw", *self.closed[rng.integers(len(self.closed))]
        if kind == "add" and stream.n_items < 12:
            return ("add_item",)
        if kind == "retire" and len(active) > 2:
            return "retire", active[rng.integers(len(active))]
        if kind == "restore" and retired:
            return "restore", retired[rng.integers(len(retired))]
        return None

    def note(self, call: tuple) -> None:
        """Take down a call after it was made."""
        name, *given = call
        if name == "reserve":
            self.open.append(tuple(given))
        elif name == "record":
            self.open.remove(tuple(given[:3]))
            self.closed.append(tuple(given))
        elif name == "release":
            self.open.remove(tuple(given))
        elif name == "withdraw":
            self.closed.remove(tuple(given))
            self.open.append(tuple(given[:3]))

    def go_on(self, n_calls: int, *others: PairStream) -> None:
        """Tell the stream, and others, what is drawn."""
        for _ in range(n_calls):
            call = self.draw()
            if call is not None:
                for stream in (self.stream, *others):
                    getattr(stream, call[0])(*call[1:])
                self.note(call)


def again(run: Run, arrays: dict | None = None, **changes) -> PairStream:
    """The stream of a run, made again from what was saved of it."""
    stream = run.stream
    options = {
        "n_items": stream.n_items,
        "votes_each": stream.votes_each,
        "rng": 5,
        "open_questions": list(run.open),
        "seen_of": run.seen_of,
        "most_asked": stream.n_asked,
    }
    return restored(stream.sampler, saved(stream) if arrays is None else arrays, **(options | changes))


def all_bits(stream: PairStream) -> dict:
    return {name: bits(array) for name, array in saved(stream).items()}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", OURS, ids=repr)
@given(seed=SEEDS, n_items=st.integers(0, 8), n_before=st.integers(0, 120), n_after=st.integers(0, 60))
def test_it_goes_on_as_the_stream_that_was_told_everything(sampler, seed, n_items, n_before, n_after) -> None:
    run = Run(sampler.start(n_items, votes_each=6, rng=5), seed)
    run.go_on(n_before)
    other = again(run)
    assert all_bits(other) == all_bits(run.stream)
    for _ in range(n_after):
        run.go_on(1, other)
        if len(other.active) > 1:
            for voter in (0, 3, "new"):
                assert other.propose(voter) == run.stream.propose(voter)
    assert all_bits(other) == all_bits(run.stream)
    assert Counter(other.open_questions) == Counter(run.stream.open_questions) == Counter(run.open)
    for voter in range(6):
        assert other.allowed_pairs(voter) == run.stream.allowed_pairs(voter)
    assert other.n_asked == run.stream.n_asked


def test_every_strategy_of_ours_is_tried() -> None:
    assert {type(sampler) for sampler in OURS} == set(SAMPLERS.values())


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [TopK(4), InformationGain()], ids=repr)
@pytest.mark.parametrize("n_items", [140, 310])
def test_of_many_items_too(sampler: Sampler, n_items: int) -> None:
    run = Run(sampler.start(n_items, rng=5), 7)
    run.go_on(450)
    other = again(run)
    run.go_on(450, other)
    assert all_bits(other) == all_bits(run.stream)
    assert type(other.state) is type(run.stream.state)


@pytest.mark.slow
def test_a_stream_that_grew_past_the_whole_covariance_keeps_it() -> None:
    run = Run(InformationGain().start(299, rng=5), 7)
    run.go_on(10)
    for _ in range(3):
        run.stream.add_item()
    other = again(run)
    run.go_on(20, other)
    assert other.n_items == 302
    assert all_bits(other) == all_bits(run.stream)


@pytest.mark.parametrize("sampler", OURS, ids=repr)
@pytest.mark.parametrize("n_items", [0, 1])
def test_a_stream_may_begin_without_items(sampler: Sampler, n_items: int) -> None:
    """And with those that are added before the first question it is the stream that had them at the start."""
    stream, whole = sampler.start(n_items, rng=5), sampler.start(7, rng=5)
    assert stream.n_items == len(stream.active) == len(stream.shown) == len(stream.points) == n_items
    with pytest.raises(pv.StateError, match="fewer than two items are left to be asked about; add items first"):
        stream.propose("anna")
    for code in range(n_items, 7):
        assert stream.add_item() == code
    assert all_bits(stream) == all_bits(whole)
    for number in range(40):
        pair = stream.propose(number % 3)
        assert pair == whole.propose(number % 3)
        for each in (stream, whole):
            each.record(number % 3, *pair, ("left", "tie", "right")[number % 3])
    assert all_bits(stream) == all_bits(whole)


def test_many_items_that_come_before_the_first_question_are_many_from_the_start() -> None:
    stream = TopK(2).start(0, rng=1)
    for _ in range(301):
        stream.add_item()
    assert type(stream.state) is type(TopK(2).start(301).state)


def test_voters_are_recalled_once_and_only_when_needed() -> None:
    run = Run(Balanced().start(6, rng=5), 1)
    run.go_on(100)
    asked_of: dict = defaultdict(int)

    def seen_of(voter):
        asked_of[voter] += 1
        return run.seen_of(voter)

    other = again(run, seen_of=seen_of)
    assert not asked_of
    for _ in range(5):
        other.propose(0)
    other.reserve(1, *other.propose(1))
    other.propose(1)
    assert dict(asked_of) == {0: 1, 1: 1}
    assert other.allowed_pairs(2) == run.stream.allowed_pairs(2)


def test_log_and_wins_are_not_kept() -> None:
    run = Run(Balanced().start(4, rng=5), 1)
    run.go_on(20)
    assert len(run.stream.log) > 10
    for other in (again(run), Balanced().start(4)):
        other._keep_no_log()
        other.record("anna", 0, 1, "left")
        with pytest.raises(pv.StateError, match="keeps no log"):
            _ = other.log
        with pytest.raises(pv.StateError, match="keeps no log"):
            other.wins(0, 1)


# --- what others may have written ---


def spoilt(arrays: dict, rng: np.random.Generator) -> dict:
    """The arrays with one of them changed."""
    arrays = {name: array.copy() for name, array in arrays.items()}
    name = str(rng.choice(sorted(arrays)))
    array = arrays[name]
    way = rng.integers(7)
    if way == 0:
        del arrays[name]
    elif way == 1:
        arrays[name] = array.real.astype(rng.choice(["float32", "int16", "uint8", "O", ">i4", "complex128", "U4"]))
    elif way == 2:
        arrays[name] = array[..., : array.shape[-1] // 2]
    elif way == 3:
        arrays[name] = np.concatenate([array, array], axis=-1)
    elif way == 4:
        arrays[name] = array[None]
    elif array.size:
        wrong = [-1, 1, 2, 7, 2**24, 2**31 - 1, -(2**31)]
        if array.dtype == np.int64:
            wrong += [2**62, -(2**63), (3 << 24) + 3, (2**25 << 24) + 1]
        if array.dtype == np.float64:
            wrong += [float("nan"), float("inf"), -0.5, 1e300, 1e-300]
        array.flat[rng.integers(array.size)] = wrong[rng.integers(len(wrong))]
    return arrays


@pytest.mark.slow
@pytest.mark.parametrize("sampler", OURS, ids=repr)
@settings(max_examples=200)
@given(seed=SEEDS, n_items=st.integers(0, 8), n_spoilt=st.integers(1, 3))
def test_nothing_that_is_written_there_does_harm(sampler: Sampler, seed: int, n_items: int, n_spoilt: int) -> None:
    """Arrays that cannot be are refused; of others there is a stream that works."""
    rng = np.random.default_rng(seed)
    run = Run(sampler.start(n_items, votes_each=6, rng=5), seed)
    run.go_on(60)
    arrays = saved(run.stream)
    for _ in range(n_spoilt):
        arrays = spoilt(arrays, rng)
    open_questions = [question for question in run.open if rng.random() < 0.97]
    try:
        other = again(run, arrays, open_questions=open_questions)
    except ValueError:
        return
    run.stream, run.open = other, open_questions
    try:
        run.go_on(60)
    except pv.PairvoteError:
        # Numbers that no votes give: no fit of them need exist.
        assert other.state is not None


@pytest.mark.parametrize("sampler", OURS, ids=repr)
def test_each_array_is_checked(sampler: Sampler) -> None:
    run = Run(sampler.start(6, votes_each=6, rng=5), 3)
    run.go_on(90)
    arrays = saved(run.stream)
    for name in arrays:
        with pytest.raises(ValueError, match=name.removeprefix("learner.")):
            again(run, {other: array for other, array in arrays.items() if other != name})
    for row, item in np.ndindex(arrays["items"].shape):
        changed = arrays["items"].copy()
        changed[row, item] += 1
        with pytest.raises(ValueError, match="saved arrays do not fit"):
            again(run, arrays | {"items": changed})
    for change in ({"most_asked": run.stream.n_asked - 1}, {"n_items": 5}, {"n_items": 13}):
        with pytest.raises(ValueError, match=r"saved arrays do not fit|has shape"):
            again(run, **change)
    left, right = run.stream.propose("new")
    with pytest.raises(ValueError, match="saved arrays do not fit: open questions"):
        again(run, open_questions=[*run.open, *[("new", left, right)] * 99])


def test_pairs_of_a_voter_are_checked_when_they_are_recalled() -> None:
    run = Run(Uniform().start(5, rng=5), 3)
    run.go_on(40)
    for pair in (-1, (12 << 24) + 1, (2 << 24) + 2, (1 << 24) + 3, 2**62):
        with pytest.raises(ValueError, match="saved arrays do not fit: pairs"):
            again(run, seen_of=lambda voter, pair=pair: [pair]).propose("anna")
    question = "bo", *run.stream.propose("bo")
    run.stream.reserve(*question)
    run.note(("reserve", *question))
    with pytest.raises(ValueError, match="never shown to this voter"):
        again(run, seen_of=lambda voter: []).release(*question)
    again(run).release(*question)


# --- an outsider's strategy ---


class Tally(pv.sampling.Learner):
    """How often each item won, in a list."""

    def __init__(self, n_items: int) -> None:
        self.won = [0.0] * n_items

    def learn(self, left, right, outcome) -> None:
        self.won[left] += outcome
        self.won[right] += 2 - outcome

    def unlearn(self, left, right, outcome) -> None:
        self.won[left] -= outcome
        self.won[right] -= 2 - outcome

    def add_item(self) -> None:
        self.won.append(0.0)


class SavedTally(Tally):
    def saved(self):
        return {"won": np.array(self.won)}

    def restore(self, arrays) -> None:
        self.won = arrays["won"].tolist()


class Best(Sampler):
    kind: type[Tally] = SavedTally

    def begin(self, n_items):
        return self.kind(n_items)

    def choose(self, stream, voter, uniforms):
        return max(stream.allowed_pairs(voter), key=lambda pair: sum(stream.state.won[item] for item in pair))


class BestUnsaved(Best):
    kind = Tally


class OddTally(Tally):
    def saved(self):
        return {"won": self.won}


class Odd(Best):
    kind = OddTally


def test_a_strategy_of_ones_own_is_saved_if_it_says_how() -> None:
    run = Run(Best().start(5, votes_each=6, rng=5), 2)
    run.go_on(80)
    other = again(run)
    run.go_on(60, other)
    assert other.state.won == run.stream.state.won
    assert [other.propose(voter) for voter in range(6)] == [run.stream.propose(voter) for voter in range(6)]
    with pytest.raises(ValueError, match=r"SavedTally does not restore what it saved: KeyError\('won'\)"):
        again(run, {name: array for name, array in saved(run.stream).items() if name != "learner.won"})


def test_else_it_is_not_saved() -> None:
    class NoState(Sampler):
        def choose(self, stream, voter, uniforms):
            return 0, 1

    for sampler in (BestUnsaved(), NoState()):
        assert saved(sampler.start(5)) is None
        assert not can_be_saved(sampler.start(5))
    assert all(can_be_saved(sampler.start(5)) for sampler in (*OURS, Best()))
    with pytest.raises(NotImplementedError, match="Tally does not say how to restore"):
        Tally(3).restore({})
    with pytest.raises(pv.InputError, match=r"OddTally.saved gave \[0.0, 0.0\] as won; give numpy arrays of numbers"):
        saved(Odd().start(2))
