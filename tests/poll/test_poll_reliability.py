"""What an organiser sees of voters while the vote goes on: how far the votes so far bear each of them out."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import pairvote as pv

ITEMS = [f"proposal {number}" for number in range(8)]
HONEST = ["anna", "bo", "cia", "dan", "eva", 7]


def _vote(poll: pv.Poll, voter: str | int, turns: int, rng: random.Random) -> None:
    for _ in range(turns):
        question = poll.ask(voter)
        lead = 1.5 * (ITEMS.index(question.left) - ITEMS.index(question.right))
        chance = 1.0 / (1.0 + math.exp(-lead)) if voter in HONEST else 0.5
        poll.answer(voter, question.id, "left" if rng.random() < chance else "right")


@pytest.mark.parametrize("sampler", ["balanced", pv.sampling.TopK(3)])
def test_who_answers_by_a_coin_shows_under_the_labels_of_the_poll(sampler):
    poll = pv.Poll(ITEMS, votes_each=40, sampler=sampler, rng=2014)
    rng = random.Random(5)
    # One who comes first and one who comes between others, so that codes are not the order of labels.
    voters = ["mallory", *HONEST[:3], "trudy", *HONEST[3:]]
    for _ in range(10):
        for voter in voters:
            _vote(poll, voter, 4, rng)
    found = pv.bradley_terry(poll.votes(), prior_sd=3.0, reliability="lapse").voters
    assert found.voters == tuple(voters)
    assert found.n_votes.tolist() == [40] * len(voters)
    assert set(found.flags()) == {"mallory", "trudy"}
    # The same votes without a poll say the same.
    votes = poll.votes()
    plain = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=len(ITEMS), voter=votes.voter)
    again = pv.bradley_terry(plain, prior_sd=3.0, reliability="lapse").voters
    assert np.abs(again.attentive - found.attentive).max() < 1e-9


def test_from_the_first_answer_on_and_after_one_is_forgotten():
    poll = pv.Poll(ITEMS, votes_each=5, rng=1)
    assert _found(poll).voters == ()
    question = poll.ask("anna")
    poll.answer("anna", question.id, "skip")
    assert _found(poll).voters == ()
    for voter in ("anna", "mallory", "bo"):
        _vote(poll, voter, 5, random.Random(2))
    before = _found(poll)
    assert before.voters == ("anna", "mallory", "bo")
    poll.forget_voter("mallory")
    after = _found(poll)
    assert set(after.voters) - {"anna", "bo"} == set(poll.votes().voters) - {"anna", "bo"}
    assert sorted(after.attentive) == pytest.approx(sorted(before.attentive), abs=1e-9)
    poll.remove_voter("bo")
    assert "bo" not in _found(poll).voters


def test_a_poll_with_criteria_is_judged_by_one_of_them():
    poll = pv.Poll(ITEMS[:3], criteria=["useful", "new"], votes_each=3, rng=1)
    for voter in ("anna", "bo"):
        for number in range(3):
            question = poll.ask(voter)
            poll.answer(voter, question.id, {"useful": "left", "new": "skip" if number else "right"})
    assert _found(poll, criterion="useful").n_votes.tolist() == [3, 3]
    assert _found(poll, criterion="new").n_votes.tolist() == [1, 1]
    with pytest.raises(pv.errors.InputError, match="criterion="):
        _found(poll)


def _found(poll: pv.Poll, **options: str) -> pv.ranking.VoterReliability:
    found = pv.bradley_terry(poll.votes(), prior_sd=1.0, reliability="lapse", **options).voters
    assert found is not None
    return found
