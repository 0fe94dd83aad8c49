"""Several criteria on one pair: one question, one quota, an answer by each."""

from __future__ import annotations

import numpy as np
import pytest
from poll_views import WithoutSnapshots, assert_same_poll
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.sampling import Balanced, InformationGain, Swiss, TopK

ITEMS = ["ash", "birch", "cedar", "doum", "elm"]
FIVE = ["useful", "new", "cheap", "quick", "fair"]
OUTCOMES = ("right", "tie", "left", "skip")


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "poll.db", durability="fast")


def as_replayed(poll: pv.Poll) -> None:
    for store in (poll._log.store, WithoutSnapshots(poll._log.store)):
        assert_same_poll(poll, pv.Poll.open(store), ["anna", "bo"])


def test_a_workshop_with_five_criteria_from_the_first_question_to_the_ranking(store) -> None:
    rng = np.random.default_rng(3)
    given = []
    with pv.Poll(ITEMS, criteria=FIVE, votes_each=4, skips_each=2, store=store, rng=1) as poll:
        for voter in ("anna", "bo", "cia"):
            while (question := poll.ask(voter)) is not None:
                answer = {name: OUTCOMES[rng.integers(3)] for name in rng.permutation(FIVE).tolist()}
                poll.answer(voter, question.id, answer)
                poll.answer(voter, question.id, dict(reversed(answer.items())))
                given.append((voter, question, answer))
        assert len(given) == 12
        votes = poll.votes()
        assert votes.criteria == tuple(FIVE)
        columns = votes.to_columns()
        named = [columns[name] for name in ("voter", "left", "right", "criterion", "outcome")]
        rows = list(zip(*named, strict=True))
        assert rows == [(v, q.left, q.right, name, answer[name]) for v, q, answer in given for name in FIVE]
        assert votes.question.tolist() == [q.id for _, q, _ in given for _ in FIVE]
        for voter in ("anna", "bo"):
            mine = [(q.id, answer) for v, q, answer in given if v == voter]
            assert [(answer.id, answer.outcome) for answer in poll.history(voter)] == mine
            assert poll.remaining(voter) == 0
        for code, name in enumerate(FIVE):
            by_name = [(q.left, q.right, answer[name]) for _, q, answer in given]
            wanted = pv.Votes.from_labels(*zip(*by_name, strict=True), items=ITEMS)
            assert_same_counts(poll.counts(criterion=name), wanted.counts())
            assert (votes.criterion == code).sum() == 12
        by_each = [poll.counts(criterion=name) for name in FIVE]
        assert_same_counts(poll.counts(), sum(by_each[1:], by_each[0]))
        ranking = pv.bradley_terry(votes, criteria=dict.fromkeys(FIVE, 1.0))
        assert set(ranking.to_dict()) == set(ITEMS)
        as_replayed(poll)


def test_a_skip_of_all_uses_no_vote_and_a_skip_of_some_uses_one(store) -> None:
    with pv.Poll(ITEMS, criteria=["useful", "new"], votes_each=3, skips_each=2, store=store, rng=1) as poll:
        first = poll.ask("anna")
        poll.answer("anna", first.id, "skip")
        # The same, said otherwise.
        poll.answer("anna", first.id, {"new": "skip", "useful": pv.Outcome.SKIP})
        poll.answer("anna", first.id, pv.Outcome.SKIP)
        assert (poll.remaining("anna"), poll.skips_remaining("anna")) == (3, 1)
        second = poll.ask("anna")
        assert second.number == 1
        poll.answer("anna", second.id, {"useful": "skip", "new": "left"})
        assert (poll.remaining("anna"), poll.skips_remaining("anna")) == (2, 1)
        assert [answer.outcome for answer in poll.history("anna")] == [
            {"useful": "skip", "new": "skip"},
            {"useful": "skip", "new": "left"},
        ]
        poll.change("anna", second.id, {"useful": "tie", "new": "left"})
        poll.change("anna", second.id, "skip")
        assert (poll.remaining("anna"), poll.skips_remaining("anna")) == (3, 0)
        third = poll.ask("anna")
        with pytest.raises(pv.StateError, match="has skipped 2 questions"):
            poll.answer("anna", third.id, "skip")
        with pytest.raises(pv.StateError, match="has skipped 2 questions"):
            poll.answer("anna", third.id, {"useful": "skip", "new": "skip"})
        poll.answer("anna", third.id, {"useful": "right", "new": "skip"})
        poll.change("anna", first.id, {"useful": "right", "new": "skip"})
        assert (poll.remaining("anna"), poll.skips_remaining("anna")) == (1, 1)
        assert poll.undo("anna", question=first.id).id == first.id
        assert (poll.remaining("anna"), len(poll.history("anna"))) == (2, 2)
        as_replayed(poll)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ({"useful": "left"}, "new"),
        ({"useful": "left", "new": "tie", "cheap": "tie"}, "cheap"),
        ({"useful": "left", "newer": "tie"}, "new"),
        ({}, "useful"),
        ("left", "outcome is 'left'"),
        (pv.Outcome.LEFT, "outcome is "),
        ({"useful": "left", "new": "lef"}, "'lef'"),
        ({"useful": "left", "new": None}, "None"),
        ({"useful": "left", "new": 2}, "2"),
        ({"useful": "left", 1: "tie"}, "new|1"),
        ([("useful", "left"), ("new", "tie")], "outcome is "),
        (None, "outcome is None"),
    ],
)
def test_an_answer_that_says_not_all_or_too_much_is_refused(outcome, message: str) -> None:
    poll = pv.Poll(ITEMS, criteria=["useful", "new"], rng=1)
    done, question = poll.ask("bo"), poll.ask("anna")
    poll.answer("bo", done.id, {"useful": "left", "new": "tie"})
    before = poll.verify()
    with pytest.raises(pv.InputError, match=message):
        poll.answer("anna", question.id, outcome)
    with pytest.raises(pv.InputError, match=message):
        poll.change("bo", done.id, outcome)
    assert poll.verify() == before


@pytest.mark.parametrize("outcome", [{"useful": "left"}, {}, {None: "left"}])
def test_a_poll_without_criteria_takes_no_answer_by_criteria(outcome) -> None:
    poll = pv.Poll(ITEMS, rng=1)
    question = poll.ask("anna")
    with pytest.raises(pv.InputError, match="outcome is "):
        poll.answer("anna", question.id, outcome)
    with pytest.raises(pv.InputError, match="criterion is 'useful'"):
        poll.counts(criterion="useful")


@pytest.mark.parametrize(
    "criteria",
    [
        "useful", [], {}, ["useful", "useful"], [1.5], [None], {"useful": -1}, {"useful": float("nan")},
        {"useful": "much"}, {"useful": 0.0}, 3, [f"criterion {n}" for n in range(1000)], {"useful": float("inf")},
    ],
)  # fmt: skip
def test_criteria_that_cannot_be_are_refused(criteria) -> None:
    with pytest.raises(pv.InputError, match="criteri"):
        pv.Poll(ITEMS, criteria=criteria)


@pytest.mark.parametrize("sampler", [Balanced(), Swiss(), InformationGain(), TopK(2)], ids=repr)
def test_a_strategy_sees_an_answer_by_all_criteria_as_their_weighted_mean(store, sampler) -> None:
    """With all of the weight on one of them, what is asked follows from that one alone."""
    rng = np.random.default_rng(1)
    one = pv.Poll(ITEMS, sampler=sampler, votes_each=8, rng=2)
    weights = {"useful": 1.0, "new": 1e-9}
    with pv.Poll(ITEMS, criteria=weights, sampler=sampler, votes_each=8, store=store, rng=2) as two:
        for voter in ("anna", "bo", "cia") * 8:
            question = one.ask(voter)
            assert two.ask(voter) == question
            useful, new = (OUTCOMES[rng.integers(4)] for _ in range(2))
            one.answer(voter, question.id, useful if useful != "skip" else "tie")
            two.answer(voter, question.id, {"useful": useful if useful != "skip" else "tie", "new": new})
        as_replayed(two)


def test_one_criterion_is_as_none_but_for_its_name(store) -> None:
    plain = pv.Poll(ITEMS, rng=2)
    with pv.Poll(ITEMS, criteria=["useful"], store=store, rng=2) as poll:
        for voter, outcome in zip(("anna", "bo") * 6, OUTCOMES * 3, strict=True):
            question = plain.ask(voter)
            assert poll.ask(voter) == question
            plain.answer(voter, question.id, outcome)
            poll.answer(voter, question.id, {"useful": outcome})
        assert poll.votes().criteria == ("useful",)
        assert poll.votes().outcome.tolist() == plain.votes().outcome.tolist()
        assert_same_counts(poll.counts(), plain.counts())
        assert_same_counts(poll.counts(criterion="useful"), plain.counts())
        as_replayed(poll)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_export_has_a_row_for_each_criterion_and_is_imported_again(tmp_path, suffix: str) -> None:
    poll = pv.Poll(ITEMS, criteria=["useful", "new"], rng=2)
    for voter in ("anna", "bo"):
        for first, second in (("left", "tie"), ("skip", "right"), ("skip", "skip")):
            poll.answer(voter, poll.ask(voter).id, {"useful": first, "new": second})
    poll.export(tmp_path / f"votes.{suffix}")
    read = pv.read_votes(tmp_path / f"votes.{suffix}", items=ITEMS, question="question")
    for name in ("left", "right", "outcome", "voter", "criterion"):
        assert read.to_columns()[name] == poll.votes().to_columns()[name]
    other = pv.Poll(ITEMS, criteria=["useful", "new"], rng=2)
    assert other.import_votes(read) == 6
    assert_same_counts(other.counts(), poll.counts())
    assert other.remaining("anna") == poll.remaining("anna") == 18
    assert [a.outcome for a in other.history("bo")] == [a.outcome for a in poll.history("bo")]


def test_the_criteria_are_among_the_settings(store) -> None:
    with pv.Poll(ITEMS, criteria={"useful": 2.0, "new": 1.0}, store=store, rng=1) as poll:
        again = pv.Poll.open(store)
        assert poll.settings == again.settings
        assert (poll.settings.criteria, poll.settings.weights) == (("useful", "new"), (2.0, 1.0))
        with pytest.raises(pv.InputError, match="criterion is 'cheap'"):
            poll.counts(criterion="cheap")
        assert_same_votes(again.votes(), poll.votes())
