"""People: who is banned before she comes, of which group she is, and how she is forgotten."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil

import pytest
from poll_views import WithoutSnapshots, assert_same_poll, files_with
from strategies import assert_same_counts

import pairvote as pv
from pairvote.poll import MemoryStore, SQLiteStore
from pairvote.sampling import Balanced, InformationGain, Swiss, TopK

ITEMS = ["ash", "birch", "cedar", "doum", "elm"]
ANNA, BO = "anna.larsson@kalmar.example", "bo.ek@oland.example"


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    if request.param == "memory":
        return MemoryStore()
    return SQLiteStore(tmp_path / "poll" / "poll.db", durability="fast")


@pytest.fixture(autouse=True)
def folder(tmp_path):
    folder = tmp_path / "poll"
    folder.mkdir()
    return folder


def answered(poll: pv.Poll, voter, *outcomes) -> list[int]:
    """Let a voter answer; the ids of the questions."""
    asked = []
    for outcome in outcomes:
        asked.append(poll.ask(voter).id)
        poll.answer(voter, asked[-1], outcome)
    return asked


def as_replayed(poll: pv.Poll) -> None:
    for store in (poll._log.store, WithoutSnapshots(poll._log.store)):
        assert_same_poll(poll, pv.Poll.open(store), [ANNA, BO, 7, "7"])


# --- bans ---


@pytest.mark.parametrize("voter", ["spam", 7])
def test_a_voter_is_banned_before_the_first_question(store, voter) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        assert poll.remove_voter(voter) is True
        digest = poll.verify()
        assert poll.remove_voter(voter) is False
        assert poll.verify() == digest
        for each in (poll, pv.Poll.open(store)):
            for act in (lambda: each.ask(voter), lambda: each.undo(voter), lambda: each.answer(voter, 2, "left")):  # noqa: B023
                with pytest.raises(pv.StateError, match="was removed and may not vote"):
                    act()
            assert (each.remaining(voter), each.skips_remaining(voter), each.history(voter)) == (0, 0, [])
        # Others are others, also with the same name as text.
        assert poll.ask(str(voter) if voter == 7 else "SPAM").number == 1
        as_replayed(poll)


# --- groups ---


def test_every_voter_is_of_one_group_and_may_change_it(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        answered(poll, ANNA, "left")
        assert poll.groups() == {}
        assert poll.set_group(ANNA, "public") is True
        digest = poll.verify()
        assert poll.set_group(ANNA, "public") is False
        assert poll.verify() == digest
        assert poll.set_group("not asked yet", "business") is True
        assert poll.set_group(7, 3) is True
        assert poll.set_group("7", "3") is True
        assert poll.set_group(ANNA, "business") is True
        expected = {ANNA: "business", "not asked yet": "business", 7: 3, "7": "3"}
        for each in (poll, pv.Poll.open(store)):
            assert each.groups() == expected
            assert [type(group) for group in each.groups().values()] == [str, str, int, str]
        assert poll.ask("not asked yet").number == 1
        assert poll.remaining("not asked yet") == 20
        as_replayed(poll)


def test_a_group_is_taken_away_again(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        assert poll.set_group(ANNA, None) is False
        poll.set_group(ANNA, "public")
        poll.set_group(BO, "public")
        assert poll.set_group(ANNA, None) is True
        assert poll.set_group(ANNA, None) is False
        assert poll.groups() == {BO: "public"}
        as_replayed(poll)


def test_no_question_follows_from_a_group() -> None:
    one, other = pv.Poll(ITEMS, rng=1), pv.Poll(ITEMS, rng=1)
    one.set_group(3, "public")
    other.set_group(3, "business")
    assert one.ask(3) == other.ask(3)


@pytest.mark.parametrize("group", [1.5, True, [], ("a",), 2**63, "\ud800"])
def test_what_is_no_group_is_refused(group) -> None:
    poll = pv.Poll(ITEMS, rng=1)
    before = poll.verify()
    with pytest.raises(pv.InputError, match="group is "):
        poll.set_group(ANNA, group)
    with pytest.raises(pv.InputError, match="voter is ''"):
        poll.set_group("", "public")
    assert poll.verify() == before


# --- forgetting ---


@pytest.mark.parametrize("sampler", [Balanced(), Swiss(), InformationGain(), TopK(2)], ids=repr)
def test_the_votes_of_a_forgotten_voter_stay_under_another_name(store, sampler) -> None:
    with pv.Poll(ITEMS, sampler=sampler, votes_each=6, skips_each=6, store=store, rng=1) as poll:
        asked = answered(poll, ANNA, "left", "skip", "tie")
        answered(poll, BO, "right")
        poll.ask(ANNA)
        before, noted, voters = poll.votes(), poll.verify(), [voter.voter for voter in poll.voters()]
        assert voters == [ANNA, BO]
        assert poll.forget_voter(ANNA, votes="keep") is True
        after = poll.votes()
        for name in ("left", "right", "outcome", "time", "question", "voter"):
            assert getattr(after, name).tolist() == getattr(before, name).tolist(), name
        pseudonym, other = after.voters
        assert other == BO
        assert pseudonym not in (None, "", ANNA)
        assert_same_counts(poll.counts(), before.counts())
        # Nobody is she: neither who has her id, nor who has what her votes are kept under.
        assert (poll.remaining(ANNA), poll.skips_remaining(ANNA), poll.history(ANNA)) == (6, 6, [])
        assert ANNA not in [voter.voter for voter in poll.voters()]
        for voter in (ANNA, pseudonym):
            for act in (
                lambda: poll.undo(voter),  # noqa: B023
                lambda: poll.undo(voter, question=asked[0]),  # noqa: B023
                lambda: poll.change(voter, asked[0], "tie"),  # noqa: B023
                lambda: poll.answer(voter, asked[0], "left"),  # noqa: B023
            ):
                with pytest.raises(pv.StateError):
                    act()
        with poll._log.reading() as state:
            assert state.stream.shown.sum() == 2 * 4
        poll.verify(noted)
        as_replayed(poll)
        # She comes again as a new voter.
        answered(poll, ANNA, *["left"] * 6)
        assert poll.ask(ANNA) is None
        assert poll.votes().voters == (pseudonym, BO, ANNA)
        as_replayed(poll)


def test_the_votes_of_a_forgotten_voter_go(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        answered(poll, BO, "right", "tie")
        before, noted = poll.votes(), poll.verify()
        with poll._log.reading() as state:
            shown = state.stream.shown.tolist()
        answered(poll, ANNA, "left", "skip", "tie")
        poll.counts()
        poll.ask(ANNA)
        assert poll.forget_voter(ANNA, votes="drop") is True
        assert poll.votes().to_columns() == before.to_columns()
        assert_same_counts(poll.counts(), before.counts())
        with poll._log.reading() as state:
            assert state.stream.shown.tolist() == shown
        assert poll.remaining(ANNA) == 20
        poll.verify(noted)
        as_replayed(poll)
        assert poll.ask(ANNA).number == 1


@pytest.mark.parametrize("votes", ["keep", "drop"])
def test_no_byte_of_a_forgotten_id_is_left(store, folder, votes) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll, pv.Poll.open(store) as other:
        for number in range(50):
            answered(poll, f"{number} of many", "left")
        answered(poll, ANNA, "left", "tie")
        poll.set_group(ANNA, "public")
        answered(other, BO, "left")
        poll.remove_voter(BO)
        digest = poll.verify()
        for voter in (ANNA, BO):
            if isinstance(store, SQLiteStore):
                assert files_with(folder, voter)
            assert other.forget_voter(voter, votes=votes) is True
            noted = poll.verify()
            assert poll.forget_voter(voter, votes=votes) is False
            assert other.forget_voter(voter, votes="drop") is False
            assert poll.verify() == noted
            assert files_with(folder, voter) == []
            assert not any(voter.encode() in record for _, record in store.kept("", "\x7f"))
            assert not any(voter in map(str, event) for event in store.events(0))
        for each in (poll, other):
            assert each.verify(digest) == noted
            assert ANNA not in each.groups()
        copies = folder.parent / "copies"
        copies.mkdir()
        assert poll.backup(copies / "backup.db") == noted
        copy = MemoryStore()
        assert poll.copy_to(copy) == noted
        assert not any(ANNA.encode() in record for _, record in copy.kept("", "\x7f"))
        if isinstance(store, SQLiteStore):
            shutil.copy(folder / "poll.db", copies / "later.db")
        for voter in (ANNA, BO):
            assert files_with(copies, voter) == []
        as_replayed(poll)


def test_what_is_forgotten_cannot_be_guessed_from_the_log() -> None:
    """The hash of an id has a salt of its own, which is deleted with the id."""
    hashes = set()
    for _ in range(2):
        store = MemoryStore()
        poll = pv.Poll(ITEMS, store=store, rng=1)
        answered(poll, ANNA, "left")
        (said,) = [event[3] for event in store.events(0) if event[2] == 1]
        assert len(bytes.fromhex(said)) == 32
        assert said not in (hashlib.sha256(text).hexdigest() for text in (ANNA.encode(), json.dumps(ANNA).encode()))
        hashes.add(said)
        ((name, _),) = store.kept("voter/", "voter/~")
        assert name == "voter/0000000000"
        poll.forget_voter(ANNA)
        assert list(store.kept("voter/", "voter/~")) == []
    assert len(hashes) == 2


def test_a_record_of_another_id_is_not_believed(store) -> None:
    """The log has a seal of every id: `verify` finds out who writes another into its record."""
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        answered(poll, ANNA, "left")
        answered(poll, BO, "right")
    records = dict(store.kept("voter/", "voter/~"))
    first, second = sorted(records)
    for changed in (
        {first: records[second], second: records[first]},
        {first: records[first].replace(b"anna", b"hans")},
        {first: records[first][:-2]},
        {first: secrets.token_bytes(40)},
        {first: b""},
        {first: None},
    ):
        store.begin()
        store.keep(changed)
        store.commit()
        with pytest.raises(pv.StorageError, match="restore"):
            pv.Poll.open(store).verify()
        store.begin()
        store.keep(records)
        store.commit()
        pv.Poll.open(store).verify()
        assert pv.Poll.open(store).remaining(ANNA) == 19


def test_a_voter_who_is_unknown_is_not_forgotten_and_a_wrong_word_is_refused(store) -> None:
    with pv.Poll(ITEMS, store=store, rng=1) as poll:
        answered(poll, 7, "left")
        before = poll.verify()
        assert poll.forget_voter("7") is False
        for votes in ("kept", None, True, 1):
            with pytest.raises(pv.InputError, match=r"votes is .*'keep' or 'drop'"):
                poll.forget_voter(7, votes=votes)
        with pytest.raises(pv.InputError, match="voter is ''"):
            poll.forget_voter("")
        assert poll.verify() == before
        # By default the votes stay.
        assert poll.forget_voter(7) is True
        assert len(poll.votes()) == 1


def test_many_are_forgotten_and_come_again(store) -> None:
    with pv.Poll(ITEMS, votes_each=2, store=store, rng=1) as poll:
        for _ in range(3):
            for voter in (ANNA, BO, 7):
                answered(poll, voter, "left", "right")
                assert poll.ask(voter) is None
                assert poll.forget_voter(voter) is True
        votes = poll.votes()
        assert (len(votes), votes.n_voters if hasattr(votes, "n_voters") else len(votes.voters)) == (18, 9)
        assert len(set(votes.voters)) == 9
        as_replayed(poll)
