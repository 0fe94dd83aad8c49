"""Votes from elsewhere, on paper or of another year, in a poll as if they had been cast in it."""

from __future__ import annotations

import numpy as np
import pytest
from poll_views import WithoutSnapshots, assert_same_poll
from strategies import assert_same_counts

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.sampling import Balanced, CatchUp, InformationGain, Swiss, TopK, Uniform

ITEMS = ["ash", "birch", "cedar", "doum", "elm"]
PAPER = [("ash", "birch", "left"), ("cedar", "ash", "tie"), ("birch", "cedar", "skip"), ("ash", "birch", "right")]


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "poll.db", durability="fast")


def paper(**given) -> pv.Votes:
    return pv.Votes.from_labels(*zip(*PAPER, strict=True), **given)


def as_replayed(poll: pv.Poll) -> None:
    for store in (poll._log.store, WithoutSnapshots(poll._log.store)):
        assert_same_poll(poll, pv.Poll.open(store, clock=lambda: 5.0), ["anna", "bo"])


def test_paper_ballots_without_voters_count_in_votes_and_exposures(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1, clock=lambda: 5.0) as poll:
        poll.answer("anna", poll.ask("anna").id, "left")
        n_events = poll.n_events
        assert poll.import_votes(paper()) == 4
        assert poll.n_events == n_events + 4
        votes = poll.votes()
        columns = votes.to_columns()
        assert list(zip(columns["left"], columns["right"], columns["outcome"], strict=True))[1:] == PAPER
        assert columns["voter"] == ["anna", None, None, None, None]
        assert votes.question.tolist()[1:] == list(range(n_events + 1, n_events + 5))
        assert votes.time.tolist() == [5.0] * 5
        assert [voter.voter for voter in poll.voters()] == ["anna"]
        assert_same_counts(poll.counts(), votes.counts())
        with poll._log.reading() as state:
            assert state.stream.shown.sum() == 10
            assert not state.stream.open_questions
        as_replayed(poll)


def test_votes_of_voters_count_in_their_quotas_and_are_theirs(store) -> None:
    voters, times = ["anna", "bo", "anna", "anna"], [3.5, 2.0, -1.0, 1e9]
    with pv.Poll(ITEMS, votes_each=3, skips_each=2, store=store, rng=1, clock=lambda: 5.0) as poll:
        open_ = poll.ask("bo")
        assert poll.import_votes(paper(voter=voters, time=times)) == 4
        assert (poll.remaining("anna"), poll.skips_remaining("anna"), poll.remaining("bo")) == (1, 1, 2)
        history = poll.history("anna")
        assert [(a.left, a.right, a.outcome, a.time) for a in history] == [
            (*row, time) for row, voter, time in zip(PAPER, voters, times, strict=True) if voter == "anna"
        ]
        assert poll.votes().time.tolist() == times
        assert (poll.ask("bo").id, poll.ask("bo").number) == (open_.id, 2)
        # They are answers as any other.
        poll.change("anna", history[0].id, "tie")
        question = poll.undo("anna", question=history[1].id)
        assert (question.left, question.right) == ("birch", "cedar")
        poll.answer("anna", question.id, "left")
        with pytest.raises(pv.StateError, match="was not put to voter 'bo'"):
            poll.undo("bo", question=history[0].id)
        assert poll.remaining("anna") == 0
        assert poll.ask("anna") is None
        assert [a.outcome for a in poll.history("anna")] == ["tie", "right", "left"]
        as_replayed(poll)
        poll.remove_voter("anna")
        assert len(poll.votes()) == 1
        as_replayed(poll)


def test_an_import_that_spends_the_last_vote_gives_up_what_is_open(store) -> None:
    with pv.Poll(ITEMS, votes_each=2, store=store, rng=1, clock=lambda: 5.0) as poll:
        open_ = poll.ask("anna")
        poll.import_votes(paper(voter=["anna", "anna", "bo", "anna"]))
        # More than her votes: those that were cast elsewhere stay.
        assert (poll.remaining("anna"), poll.ask("anna"), len(poll.history("anna"))) == (0, None, 3)
        with pytest.raises(pv.StateError, match="is open no more"):
            poll.answer("anna", open_.id, "left")
        as_replayed(poll)


@pytest.mark.parametrize("sampler", [Balanced(), Uniform(), CatchUp(), Swiss(), InformationGain(), TopK(2)], ids=repr)
def test_imported_votes_are_learned_from_as_those_that_were_asked_here(store, sampler) -> None:
    """Whatever was asked in one poll and imported into another leads both to the same next questions."""
    options = {"sampler": sampler, "votes_each": 30, "clock": lambda: 5.0}
    asked = pv.Poll(ITEMS, rng=1, **options)
    rng = np.random.default_rng(4)
    for number in range(60):
        asked.answer(number % 5, asked.ask(number % 5).id, ("left", "right", "tie", "skip")[rng.integers(4)])
    with pv.Poll(ITEMS, store=store, rng=1, **options) as poll:
        assert poll.import_votes(asked.votes()) == 60
        assert_same_counts(poll.counts(), asked.counts())
        with poll._log.reading() as state, asked._log.reading() as other:
            for name in ("shown", "leads", "points", "answers"):
                assert getattr(state.stream, name).tolist() == getattr(other.stream, name).tolist()
        for voter in (*range(5), "new"):
            assert poll.remaining(voter) == asked.remaining(voter)
            here, there = poll.ask(voter), asked.ask(voter)
            assert (here.left, here.right, here.number) == (there.left, there.right, there.number)
        as_replayed(poll)


def test_ten_thousand_votes_shift_what_is_asked() -> None:
    poll = pv.Poll(["ash", "birch", "cedar"], rng=1)
    assert poll.import_votes(pv.Votes.from_wins(["ash"] * 10_000, ["birch"] * 10_000, items=poll.items)) == 10_000
    for voter in range(20):
        question = poll.ask(voter)
        assert "cedar" in (question.left, question.right)


def test_a_retired_item_has_its_votes_and_an_unknown_one_none(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1, clock=lambda: 5.0) as poll:
        poll.retire_item("ash")
        assert poll.import_votes(paper()) == 4
        assert len(poll.votes()) == 4
        before = poll.verify()
        for votes, message in (
            (pv.Votes.from_wins(["ash", "oak"], ["birch", "elm"]), "'oak'"),
            (pv.Votes.from_wins([1], ["elm"]), "1"),
        ):
            with pytest.raises(pv.InputError, match=message):
                poll.import_votes(votes)
        assert poll.verify() == before
        poll.add_item("oak")
        assert poll.import_votes(pv.Votes.from_wins(["ash", "oak"], ["birch", "elm"])) == 2
        as_replayed(poll)


def test_labels_that_nobody_voted_on_need_not_be_known() -> None:
    poll = pv.Poll(ITEMS, rng=1)
    votes = pv.Votes.from_wins(["ash"], ["birch"], items=[*ITEMS[::-1], "oak"])
    assert poll.import_votes(votes) == 1
    assert poll.votes().items == tuple(ITEMS)
    assert poll.votes().to_columns()["left"] == ["ash"]


def test_a_removed_voters_votes_are_refused_with_all_others(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        poll.remove_voter("spam")
        before = poll.verify()
        with pytest.raises(pv.StateError, match="voter 'spam' was removed"):
            poll.import_votes(paper(voter=["anna", "bo", "spam", None]))
        assert poll.verify() == before
        assert [voter.voter for voter in poll.voters()] == ["spam"]


BAD = [
    (lambda: None, "votes is None"),
    (lambda: PAPER, "votes is "),
    (lambda: paper().counts(), "votes is "),
    (lambda: paper(weight=[1.0, 2.0, 1.0, 1.0]), "weight"),
    (lambda: paper(criterion=["useful"] * 4), "criteri"),
    (lambda: paper(voter=["anna", 1.5, "bo", "bo"]), "voter"),
    (lambda: paper(voter=["anna", "", "bo", "bo"]), "voter"),
    (lambda: pv.Votes.from_labels(["ash"], ["elm"], [0.7], outcomes="share"), "share|graded"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_what_a_poll_cannot_hold_is_refused(make, message: str) -> None:
    poll = pv.Poll(ITEMS, rng=1)
    before = poll.verify()
    with pytest.raises(pv.InputError, match=message):
        poll.import_votes(make())
    assert poll.verify() == before


def test_weights_of_one_are_no_weights() -> None:
    poll = pv.Poll(ITEMS, rng=1)
    assert poll.import_votes(paper(weight=[1.0] * 4)) == 4


def test_nothing_is_imported_from_no_votes(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        before = poll.verify()
        assert poll.import_votes(pv.Votes.from_labels([], [], [])) == 0
        assert poll.verify() == before


def test_an_ended_vote_is_reopened_for_what_was_cast_on_paper(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1, clock=lambda: 5.0) as poll:
        poll.end()
        digest = poll.verify()
        with pytest.raises(pv.StateError, match="the vote has ended and no answer is taken; call reopen"):
            poll.import_votes(paper())
        assert poll.verify() == digest
        poll.reopen()
        assert poll.import_votes(paper()) == 4
        poll.end()
        as_replayed(poll)


@pytest.mark.parametrize("criterion", [["useful", "useful", "new", "cheap"], ["useful", None, "new", "new"], None])
def test_criteria_that_are_not_the_polls_are_refused(criterion) -> None:
    poll = pv.Poll(ITEMS, criteria=["useful", "new"], rng=1)
    before = poll.verify()
    with pytest.raises(pv.InputError, match="criteri"):
        poll.import_votes(paper(criterion=criterion))
    assert poll.verify() == before


def test_a_criterion_that_is_not_there_was_skipped(store) -> None:
    with pv.Poll(ITEMS, criteria=["useful", "new"], store=store, rng=1, clock=lambda: 5.0) as poll:
        assert poll.import_votes(paper(criterion=["useful", "new"] * 2, voter=["anna"] * 4)) == 4
        assert [answer.outcome for answer in poll.history("anna")] == [
            {"useful": "left", "new": "skip"},
            {"useful": "skip", "new": "tie"},
            {"useful": "skip", "new": "skip"},
            {"useful": "skip", "new": "right"},
        ]
        assert (poll.remaining("anna"), poll.skips_remaining("anna")) == (17, 19)
        as_replayed(poll)


def test_rows_of_one_question_by_all_criteria_are_one_answer(store) -> None:
    rows = [("new", "left"), ("useful", "tie"), ("useful", "skip"), ("new", "skip"), ("new", "tie"), ("useful", "left")]
    names, outcomes = zip(*rows, strict=True)
    votes = pv.Votes.from_labels(
        ["ash"] * 4 + ["cedar"] * 2, ["elm"] * 6, outcomes, criterion=names, voter=["anna"] * 4 + ["bo"] * 2
    )
    with pv.Poll(ITEMS, criteria=["useful", "new"], store=store, rng=1, clock=lambda: 5.0) as poll:
        assert poll.import_votes(votes) == 3
        assert [answer.outcome for answer in poll.history("anna")] == [
            {"useful": "tie", "new": "left"},
            {"useful": "skip", "new": "skip"},
        ]
        assert (poll.remaining("anna"), poll.skips_remaining("anna"), poll.remaining("bo")) == (19, 19, 19)
        as_replayed(poll)
