"""An organiser's day: the end of a vote, changed settings, changed answers, and who is how far."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import pytest
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv
from pairvote.poll import Answer, MemoryStore, SQLiteStore, VoterProgress
from pairvote.sampling import Balanced, InformationGain, Swiss, TopK

ITEMS = ["ash", "birch", "cedar", "doum", "elm"]


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "poll.db", durability="fast")


def answered(poll: pv.Poll, voter: str, *outcomes: str) -> list[pv.Question]:
    """Let a voter answer; what was asked."""
    asked = []
    for outcome in outcomes:
        asked.append(poll.ask(voter))
        poll.answer(voter, asked[-1].id, outcome)
    return asked


# --- the end ---


def test_after_the_end_no_answer_gets_in_and_the_digest_is_final(store) -> None:
    now = [1000.0]
    with pv.Poll(ITEMS, store=store, rng=1, expire_after=60, clock=lambda: now[0]) as poll:
        first, second = answered(poll, "anna", "left", "tie")
        open_ = poll.ask("bo")
        poll.end()
        digest = poll.verify()
        now[0] += 1000
        assert poll.ended
        assert poll.ask("anna") is poll.ask("bo") is poll.ask("new") is None
        for act in (
            lambda: poll.answer("bo", open_.id, "left"),
            lambda: poll.answer("anna", first.id, "right"),
            lambda: poll.undo("anna"),
            lambda: poll.undo("anna", question=first.id),
            lambda: poll.change("anna", second.id, "left"),
        ):
            with pytest.raises(pv.StateError, match="the vote has ended and no answer is taken; call reopen to go on"):
                act()
        # What is so already may be said again, and the vote may be ended again.
        poll.answer("anna", first.id, "left")
        poll.change("anna", first.id, "left")
        poll.end()
        assert poll.verify() == digest
        assert len(poll.votes()) == 2
        with poll._log.reading() as state:
            assert state.stream.shown.sum() == 4
        # The organiser's own is still done.
        poll.remove_voter("anna")
        assert len(poll.votes()) == 0
        assert pv.Poll.open(store).ended


def test_a_vote_is_reopened(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        question = poll.ask("anna")
        poll.reopen()
        assert poll.ask("anna") == question
        poll.end()
        for _ in range(2):
            poll.reopen()
            assert not poll.ended
        with pytest.raises(pv.StateError, match=r"is open no more: .*the end of the vote.*; ask again"):
            poll.answer("anna", question.id, "left")
        answered(poll, "anna", "left")
        assert_same_votes(pv.Poll.open(store).votes(), poll.votes())


RACE = """
import sys
import pairvote as pv
poll = pv.Poll.open(pv.poll.SQLiteStore(sys.argv[1], durability="fast"))
print("ready", flush=True)
sys.stdin.readline()
for number in range(100_000):
    voter = f"{sys.argv[2]} {number}"
    question = poll.ask(voter)
    if question is None:
        break
    try:
        poll.answer(voter, question.id, "left")
    except pv.StateError as error:
        assert "has ended" in str(error)
        break
    print(question.id, flush=True)
"""


@pytest.mark.slow
def test_an_answer_that_races_with_the_end_is_before_the_final_digest_or_refused(tmp_path) -> None:
    path = tmp_path / "poll.db"
    with pv.Poll(range(9), store=SQLiteStore(path, durability="fast"), rng=1) as poll:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", RACE, str(path), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(3)
        ]
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        first = [child.stdout.readline() for child in children]
        poll.end()
        digest = poll.verify()
        ids = [int(line) for line in first] + [int(n) for child in children for n in child.stdout.read().split()]
        assert [child.wait() for child in children] == [0, 0, 0]
        for child in children:
            child.communicate()
        assert poll.verify() == digest
        assert sorted(ids) == sorted(poll.votes().question.tolist())


# --- settings ---


def test_settings_are_read_and_changed(store) -> None:
    with pv.Poll(ITEMS, votes_each=2, skips_each=1, store=store, rng=1) as poll:
        settings = poll.settings
        assert (settings.votes_each, settings.skips_each, settings.expire_after) == (2, 1, None)
        assert (settings.items, settings.sampler) == (tuple(ITEMS), Balanced())
        with pytest.raises(dataclasses.FrozenInstanceError):
            settings.votes_each = 3
        answered(poll, "anna", "left", "skip", "tie")
        assert (poll.ask("anna"), poll.remaining("anna"), poll.skips_remaining("anna")) == (None, 0, 0)
        poll.change_settings(votes_each=4, skips_each=3)
        assert poll.ask("anna").number == 3
        assert (poll.remaining("anna"), poll.skips_remaining("anna"), poll.remaining("bo")) == (2, 2, 4)
        before = poll.verify()
        poll.change_settings(votes_each=4)
        assert poll.verify() == before
        poll.add_item("fir")
        again = pv.Poll.open(store)
        assert (
            again.settings
            == poll.settings
            == dataclasses.replace(settings, votes_each=4, skips_each=3, items=(*ITEMS, "fir"))
        )
        assert again.ask("next") == poll.ask("next")


def test_fewer_votes_keep_those_that_were_cast_and_give_up_what_is_open(store) -> None:
    with pv.Poll(ITEMS, votes_each=5, store=store, rng=1) as poll:
        asked = answered(poll, "anna", "left", "tie", "right")
        open_, other = poll.ask("anna"), poll.ask("bo")
        poll.change_settings(votes_each=2)
        assert (poll.ask("anna"), poll.remaining("anna"), len(poll.votes())) == (None, 0, 3)
        assert poll.ask("bo") == other
        with pytest.raises(pv.StateError, match="is open no more"):
            poll.answer("anna", open_.id, "left")
        # Nobody comes above the limit again: the answer that is taken back leaves two.
        assert poll.undo("anna", question=asked[0].id) is None
        assert (poll.ask("anna"), len(poll.votes())) == (None, 2)


def test_expiry_is_turned_on_and_off(store) -> None:
    now = [0.0]
    with pv.Poll(ITEMS, store=store, rng=1, clock=lambda: now[0]) as poll:
        question = poll.ask("anna")
        now[0] = 100.0
        poll.change_settings(expire_after=60)
        assert poll.ask("anna") != question
        question = poll.ask("anna")
        poll.change_settings(expire_after=None)
        now[0] = 1000.0
        assert poll.ask("anna") == question


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "change_settings was given nothing to change; pass votes_each, skips_each, expire_after or sampler"),
        ({"votes_each": 0}, "votes_each is 0; pass a whole number from 1"),
        ({"votes_each": 2.0}, "votes_each is 2.0; pass"),
        ({"skips_each": -1}, "skips_each is -1; pass"),
        ({"expire_after": 0}, "expire_after is 0; pass a positive number"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message: str) -> None:
    poll = pv.Poll(ITEMS, rng=1)
    before = poll.verify()
    with pytest.raises(pv.InputError, match=message):
        poll.change_settings(**changes)
    assert poll.verify() == before


def test_who_sets_an_attribute_is_told_of_change_settings() -> None:
    poll = pv.Poll(ITEMS, rng=1)
    with pytest.raises(
        pv.InputError, match=r"votes_each of a poll cannot be set to 30, .*call change_settings\(votes_each="
    ):
        poll.votes_each = 30
    poll.change_settings(votes_each=30)
    assert poll.remaining("anna") == 30


# --- answers of one voter ---


@pytest.mark.parametrize("sampler", [Balanced(), Swiss(), InformationGain(), TopK(2)], ids=repr)
def test_an_earlier_answer_is_changed_and_the_later_ones_stay(store, sampler) -> None:
    times = iter(range(1000))
    with pv.Poll(ITEMS, sampler=sampler, store=store, rng=1, clock=lambda: float(next(times))) as poll:
        asked = answered(poll, "anna", "left", "tie", "right")
        answered(poll, "bo", "left")
        given = [answer.time for answer in poll.history("anna")]
        for _ in range(2):
            poll.change("anna", asked[0].id, "right")
            assert poll.votes().outcome.tolist() == [0, 1, 0, 2]
        history = poll.history("anna")
        assert [answer.outcome for answer in history] == ["right", "tie", "right"]
        assert [answer.time for answer in history] == given == sorted(given)
        assert [(answer.id, answer.left, answer.right) for answer in history] == [
            (q.id, q.left, q.right) for q in asked
        ]
        assert_same_counts(poll.counts(), poll.votes().counts())
        assert poll.remaining("anna") == 17
        again = pv.Poll.open(store)
        assert again.history("anna") == history
        with again._log.reading() as replayed, poll._log.reading() as state:
            assert replayed.stream.propose("new") == state.stream.propose("new")
            assert state.stream.points.sum() == 4


def test_a_change_from_and_to_a_skip_keeps_to_the_limits(store) -> None:
    with pv.Poll(ITEMS, votes_each=2, skips_each=1, store=store, rng=1) as poll:
        left, skip = answered(poll, "anna", "left", "skip")
        with pytest.raises(pv.StateError, match="has skipped 1 question, as many as a voter may"):
            poll.change("anna", left.id, "skip")
        open_ = poll.ask("anna")
        poll.change("anna", skip.id, "tie")
        # That was the last vote, so that what was open cannot be answered.
        with pytest.raises(pv.StateError, match=r"is open no more: .*because no vote is left"):
            poll.answer("anna", open_.id, "left")
        assert (poll.ask("anna"), poll.remaining("anna"), poll.skips_remaining("anna")) == (None, 0, 1)
        poll.change("anna", left.id, "skip")
        answered(poll, "anna", "right")
        with pytest.raises(
            pv.StateError, match="has no vote left to put in the place of a skip; change or undo another"
        ):
            poll.change("anna", left.id, "left")
        assert poll.votes().outcome.tolist() == [3, 1, 0]


def test_what_cannot_be_changed_is_refused() -> None:
    poll = pv.Poll(ITEMS, rng=1)
    (first,) = answered(poll, "anna", "left")
    open_ = poll.ask("anna")
    before = poll.verify()
    for voter, question, outcome, kind, message in (
        ("bo", first.id, "tie", pv.StateError, "was not put to voter 'bo'"),
        ("anna", open_.id, "tie", pv.StateError, "has no answer that could be changed; call answer, or ask again"),
        ("anna", 99, "tie", pv.InputError, "question 99 is unknown"),
        ("anna", first.id, "lef", pv.InputError, "outcome is 'lef'; it must be"),
        ("", first.id, "tie", pv.InputError, "voter is ''"),
    ):
        with pytest.raises(kind, match=message):
            poll.change(voter, question, outcome)
    assert poll.verify() == before


def test_the_voters_and_how_far_they_are(store) -> None:
    with pv.Poll(ITEMS, votes_each=3, skips_each=2, store=store, rng=1, clock=lambda: 5.0) as poll:
        asked = answered(poll, "anna", "left", "skip")
        answered(poll, 7, "tie", "tie", "tie")
        answered(poll, "spam", "left")
        poll.ask("new")
        poll.remove_voter("spam")
        assert poll.voters() == [
            VoterProgress("anna", 1, 1, 2, removed=False),
            VoterProgress(7, 3, 0, 0, removed=False),
            VoterProgress("spam", 0, 0, 0, removed=True),
            VoterProgress("new", 0, 0, 3, removed=False),
        ]
        assert poll.history("anna") == [
            Answer(question.id, question.left, question.right, outcome, 5.0)
            for question, outcome in zip(asked, ("left", "skip"), strict=True)
        ]
        assert poll.history("spam") == poll.history("nobody") == []
        assert [poll.skips_remaining(voter) for voter in ("anna", 7, "spam", "nobody")] == [1, 2, 0, 2]


# --- items ---


def test_what_is_done_twice_is_harmless_and_says_so(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        answered(poll, "spam", "left")
        for act in (
            lambda: poll.add_item("fir"),
            lambda: poll.retire_item("fir"),
            lambda: poll.restore_item("fir"),
            lambda: poll.rename_item("fir", "oak"),
            lambda: poll.remove_voter("spam"),
        ):
            assert act() is True
            digest = poll.verify()
            assert act() is False
            assert poll.verify() == digest
        assert poll.rename_item("oak", "oak") is False
        assert poll.items == (*ITEMS, "oak")


@pytest.mark.parametrize("sampler", [Balanced(), Swiss(), InformationGain(), TopK(2)], ids=repr)
def test_a_restored_item_is_asked_about_again_and_keeps_its_votes(store, sampler) -> None:
    with pv.Poll(ITEMS, sampler=sampler, votes_each=6, store=store, rng=1) as poll:
        for voter in "abc":
            answered(poll, voter, *["left"] * 4)
        votes = poll.votes()
        poll.retire_item("cedar")
        answered(poll, "d", *["tie"] * 6)
        poll.restore_item("cedar")
        assert poll.retired == ()
        assert {name: column[:12] for name, column in poll.votes().to_columns().items()} == votes.to_columns()
        asked = answered(poll, "e", *["tie"] * 6)
        assert any("cedar" in (question.left, question.right) for question in asked)
        again = pv.Poll.open(store)
        assert_same_votes(again.votes(), poll.votes())
        with again._log.reading() as replayed, poll._log.reading() as state:
            assert replayed.stream.propose("new") == state.stream.propose("new")


def test_a_renamed_item_has_its_votes_under_the_new_label(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        answered(poll, "anna", *["left"] * 8)
        before, counts = poll.votes(), poll.counts()
        open_ = poll.ask("anna")
        poll.rename_item("ash", "oak")
        poll.add_item("ash")
        labels = ["oak" if label == "ash" else label for label in ITEMS]
        assert poll.items == (*labels, "ash")
        assert poll.votes().left.tolist() == before.left.tolist()
        assert poll.votes().items == poll.items
        assert_same_counts(poll.counts(), poll.votes().counts())
        assert poll.counts().table.tolist() == counts.table.tolist()
        again = poll.ask("anna")
        assert again.id == open_.id
        assert [again.left, again.right] == ["oak" if label == "ash" else label for label in (open_.left, open_.right)]
        poll.answer("anna", again.id, "tie")
        assert_same_counts(poll.counts(), poll.votes().counts())
        # The old label is another item's now, so the renaming cannot come twice.
        with pytest.raises(pv.InputError, match="new is 'oak', which an item has already"):
            poll.rename_item("ash", "oak")
        assert_same_votes(pv.Poll.open(store).votes(), poll.votes())


# --- logs of earlier versions ---

SETTINGS = (
    '{"format": 2, "votes_each": 4, "skips_each": 4, "sampler": {"name": "Balanced", "options": {}}, '
    '"seed": 4720721261117928063, "expire_after": 50.0, "criteria": [], "weights": [], "items": ["ash", 1, "cedar"]}'
)
IDS = ["anna", "bo", 7, "late one", "banned", "gone", "on paper"]


def salt(code: int) -> bytes:
    return bytes([code]) * 16


def seal(code: int) -> str:
    return hashlib.sha256(salt(code) + json.dumps(IDS[code]).encode()).hexdigest()


# A log of format 2, with every kind of event.
WRITTEN = [
    (1000.0, 0, SETTINGS, None, None),
    (1010.0, 1, seal(0), 0, 1),
    (1020.0, 2, 2, 2, None),
    (1030.0, 1, seal(1), 2, 0),
    (1040.0, 2, 4, 1, None),
    (1050.0, 1, 0, 1, 2),
    (1060.0, 2, 6, 3, None),
    (1070.0, 1, seal(2), 2, 0),
    (1080.0, 2, 8, 0, None),
    (1090.0, 3, 6, None, None),
    (1100.0, 5, "late", None, None),
    (1110.0, 4, 6, 1, None),
    (1110.0, 6, 1, None, None),
    (1120.0, 1, seal(3), 3, 2),
    (1130.0, 7, 2, None, None),
    (1200.0, 4, 14, 0, None),
    (1200.0, 1, 1, 3, 2),
    (1210.0, 2, 17, 2, None),
    (1220.0, 7, seal(4), None, None),
    (1230.0, 14, 0, "public", None),
    (1240.0, 1, seal(5), 0, 3),
    (1250.0, 2, 21, 0, None),
    (1260.0, 15, 5, 0, None),
    (1270.0, 16, seal(6), (2 << 24) + 3, 1),
    (1270.0, 16, None, 1, "[2, 12.5]"),
    (1280.0, 8, 4, 0, None),
    (1290.0, 9, None, None, None),
    (1300.0, 10, None, None, None),
    (1310.0, 11, '{"votes_each": 5}', None, None),
    (1320.0, 12, 3, "later", None),
    (1330.0, 13, 1, None, None),
]  # fmt: skip


def written(events: list[tuple]) -> MemoryStore:
    """A store with these events, and with the ids of the voters who are not forgotten."""
    before, whole = bytes(32), []
    for number, content in enumerate(events, 1):
        before = hashlib.sha256(before + json.dumps([number, *content], separators=(",", ":")).encode()).digest()
        whole.append((number, *content, before))
    store = MemoryStore()
    store.create(whole)
    store.begin()
    known = {code: f"{salt(code).hex()} {json.dumps(IDS[code])}".encode() for code in range(len(IDS)) if code != 5}
    store.keep({f"voter/{code:010d}": content for code, content in known.items()})
    store.commit()
    return store


def test_a_log_of_this_version_opens_as_it_did_when_it_was_written() -> None:
    store = written(WRITTEN)
    poll = pv.Poll.open(store, clock=lambda: 1340.0)
    assert poll.verify() == "30bae7b7341cd5075ab5489835b32232a9f16ab6f53ed93d216eb33bf5487d57"
    votes = poll.votes()
    columns = votes.to_columns()
    assert list(zip(*(columns[name] for name in ("left", "right", "outcome", "voter")), strict=True)) == [
        ("ash", 1, "left", "anna"),
        ("cedar", "ash", "right", "bo"),
        ("later", "cedar", "left", "bo"),
        ("ash", "later", "right", "forgotten-6"),
        ("cedar", "later", "tie", "on paper"),
        ("ash", 1, "left", None),
    ]
    assert votes.question.tolist() == [2, 4, 17, 21, 24, 25]
    assert votes.time.tolist() == [1020.0, 1040.0, 1210.0, 1250.0, 1270.0, 12.5]
    assert [poll.remaining(voter) for voter in ("anna", "bo", 7, "banned", "gone", "on paper")] == [4, 3, 0, 0, 5, 4]
    assert (poll.groups(), poll.items, poll.retired) == ({"anna": "public"}, ("ash", 1, "cedar", "later"), ())
    assert poll.ask("next") == pv.Question(id=32, left=1, right="later", number=1)
    poll.end()
    assert pv.Poll.open(store).ended


def test_a_log_of_another_format_is_said_to_be_that() -> None:
    for number in (1, 3):
        other = (*WRITTEN[0][:2], SETTINGS.replace('"format": 2', f'"format": {number}'), None, None)
        with pytest.raises(pv.StorageError, match="was written by another version of pairvote; open it with that one"):
            pv.Poll.open(written([other, *WRITTEN[1:]]))


@pytest.mark.parametrize(
    "changes", ["{}", '{"seed": 3}', '{"votes_each": 0}', '{"votes_each": "x"}', "[1]", "x", '{"expire_after": -1}']
)
def test_changed_settings_that_could_not_have_been_written_are_refused(changes: str) -> None:
    store = MemoryStore()
    pv.Poll(ITEMS, store=store, rng=1)
    store._events.append((2, 2e9, 11, changes, None, None, os.urandom(32)))
    with pytest.raises(pv.StorageError, match="event 2 of the poll in memory does not follow from those before it"):
        pv.Poll.open(store)
