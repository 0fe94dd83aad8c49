"""Decisions of a poll: from its state and a request, the events to add to the log, or a refusal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from pairvote._common.checks import is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import plural, shorten
from pairvote.errors import InputError, StateError
from pairvote.poll._book import OPEN, REMOVED
from pairvote.poll._criteria import NAMES
from pairvote.poll._events import Draft, Kind, Why
from pairvote.poll._identities import Forgotten, Identity, newcomer
from pairvote.poll._imports import Imported
from pairvote.poll._settings import Label, changes_to_json
from pairvote.poll._state import State
from pairvote.sampling._saving import is_own

# A voter in a draft: a code, or the identity of one who comes.
Who = int | Identity


def ask(state: State, voter: Label) -> list[Draft]:
    """A question for a voter who has none open and votes left."""
    code = _standing(state, voter)
    if state.ended or (code is not None and state.book.open[code] >= 0) or not state.remaining(code):
        return []
    return [Draft(Kind.ASKED, newcomer(voter) if code is None else code, *state.stream.propose(voter))]


def answer(state: State, voter: Label, question: int, outcome: Any) -> list[Draft]:
    """The answer to an open question; nothing where it was given before."""
    packed = state.criteria.pack(outcome)
    code = _standing(state, voter)
    row = _put_to(state, voter, code, question)
    given = state.book.answer[row]
    if given == packed:
        return []
    _not_ended(state)
    if given >= 0:
        was = NAMES[given] if not state.criteria.labels else state.criteria.unpack(given)
        raise StateError(f"question {question} was answered {was!r}; call undo first to change it")
    if given != OPEN:
        raise StateError(f"question {question} is open no more: {_why_closed(state, row)}; ask again")
    if packed == state.criteria.skip:
        _may_skip(state, voter, code)
    return [Draft(Kind.ANSWERED, int(question), packed)]


def change(state: State, voter: Label, question: int, outcome: Any) -> list[Draft]:
    """Another answer in the place of one that was given; nothing where it is the same."""
    packed = state.criteria.pack(outcome)
    code = _standing(state, voter)
    row = _put_to(state, voter, code, question)
    given, skip = state.book.answer[row], state.criteria.skip
    if given == packed:
        return []
    _not_ended(state)
    if given < 0 or code is None:
        raise StateError(f"question {question} has no answer that could be changed; call answer, or ask again")
    drafts = []
    if packed == skip:
        _may_skip(state, voter, code)
    elif given == skip:
        left = state.remaining(code)
        if left < 1:
            raise StateError(
                f"voter {shorten(voter)} has no vote left to put in the place of a skip; change or undo another answer"
            )
        if left == 1 and state.book.open[code] >= 0:
            drafts.append(_given_up(state, state.book.open[code], Why.SPENT))
    return [*drafts, Draft(Kind.CHANGED, int(question), packed)]


def undo(state: State, voter: Label, question: int | None) -> list[Draft]:
    """The last answer, or that to a question, taken back, after a question that is open was given up."""
    code, book = _standing(state, voter), state.book
    if question is not None:
        row = _put_to(state, voter, code, question)
        if book.answer[row] < 0:
            return []
    else:
        answered = [] if code is None else book.answered_by(code)
        if not answered:
            raise StateError(f"voter {shorten(voter)} has no answer to take back; call undo after an answer")
        row = answered[-1]
    _not_ended(state)
    code = book.voter[row]
    drafts = [_given_up(state, book.open[code], Why.UNDONE)] if book.open[code] >= 0 else []
    drafts.append(Draft(Kind.UNDONE, book.number[row]))
    used = book.n_votes[code] - (book.answer[row] != state.criteria.skip)
    if state.retired.intersection((book.left[row], book.right[row])):
        drafts.append(_given_up(state, row, Why.ITEM_RETIRED))
    elif used >= state.settings.votes_each:
        # A skip that is taken back after all votes were used, or one of more votes than a voter has by now: to answer
        # its question would be a vote too many.
        drafts.append(_given_up(state, row, Why.SPENT))
    return drafts


def add_item(state: State, label: Label) -> list[Draft]:
    """One more item; nothing where it is there."""
    if label in state.codes:
        if state.codes[label] in state.retired:
            raise StateError(f"item {shorten(label)} is there and retired; call restore_item to ask about it again")
        return []
    if len(state.items) == MAX_ITEMS:
        raise StateError(f"there are {MAX_ITEMS:,} items, as many as there can be; begin another poll")
    return [Draft(Kind.ITEM_ADDED, label)]


def retire_item(state: State, label: Label) -> list[Draft]:
    """One item less, after the open questions about it were given up; nothing where it is retired."""
    code, book = _code(state, label), state.book
    if code in state.retired:
        return []
    given_up = _all_given_up(state, Why.ITEM_RETIRED, lambda row: code in (book.left[row], book.right[row]))
    return [*given_up, Draft(Kind.ITEM_RETIRED, code)]


def remove_voter(state: State, voter: Label) -> list[Draft]:
    """One voter less, also before the first question; nothing where she is removed."""
    code = state.book.codes.get(voter)
    if code is not None and state.book.standing[code] & REMOVED:
        return []
    return [Draft(Kind.VOTER_REMOVED, newcomer(voter) if code is None else code)]


def set_group(state: State, voter: Label, group: Label | None) -> list[Draft]:
    """A voter's group; nothing where it is this one already."""
    code = state.book.codes.get(voter)
    now = None if code is None else state.book.groups.get(code)
    if type(now) is type(group) and now == group:
        return []
    return [Draft(Kind.GROUP_SET, newcomer(voter) if code is None else code, group)]


def forget_voter(state: State, voter: Label, votes_go: bool) -> list[Draft]:
    """A voter of whom a code is left; nothing where there is no such voter, or not any more."""
    code = state.book.codes.get(voter)
    return [] if code is None else [Draft(Kind.VOTER_FORGOTTEN, code, int(votes_go))]


def import_votes(state: State, answers: Sequence[Imported]) -> list[Draft]:
    """Answers that were given elsewhere, by voters who may be new."""
    _not_ended(state)
    book = state.book
    drafts: list[Draft] = []
    coming: dict[Label, int] = {}
    used: Counter[Label | Forgotten | None] = Counter()
    for each in answers:
        who: Who | None = None
        if each.voter is not None:
            who = coming[each.voter] if each.voter in coming else _standing(state, each.voter)
            if who is None:
                coming[each.voter] = len(state.book.labels) + len(coming)
                who = newcomer(each.voter)
        for label in (each.left, each.right):
            if label not in state.codes:
                raise InputError(f"votes has item {shorten(label)}, which the poll has not; call add_item first")
        pair = (state.codes[each.left] << 24) + state.codes[each.right]
        packed = each.packed(state.criteria)
        drafts.append(Draft(Kind.IMPORTED, who, pair, packed if each.time is None else json.dumps([packed, each.time])))
        if packed != state.criteria.skip:
            used[each.voter] += 1
    given_up = [
        _given_up(state, book.open[code], Why.SPENT)
        for code in (book.codes.get(voter) for voter in used if voter is not None)
        if code is not None and book.open[code] >= 0 and used[book.labels[code]] >= state.remaining(code)
    ]
    return [*given_up, *drafts]


def restore_item(state: State, label: Label) -> list[Draft]:
    """A retired item asked about again; nothing where it is not retired."""
    code = _code(state, label)
    return [Draft(Kind.ITEM_RESTORED, code)] if code in state.retired else []


def rename_item(state: State, label: Label, new: Label) -> list[Draft]:
    """Another label for an item; nothing where it was renamed so."""
    if label not in state.codes and label in state.former and state.codes.get(new) == state.former[label]:
        return []
    code = _code(state, label)
    if new == label:
        return []
    if new in state.codes:
        raise InputError(f"new is {shorten(new)}, which an item has already; give every item its own")
    return [Draft(Kind.ITEM_RENAMED, code, new)]


def _code(state: State, label: Label) -> int:
    code = state.codes.get(label)
    if code is None:
        raise InputError(f"label is {shorten(label)}, which no item has; pass one of poll.items")
    return code


def end(state: State) -> list[Draft]:
    """No answer from now on, after all open questions were given up; nothing where it has ended."""
    if state.ended:
        return []
    return [*_all_given_up(state, Why.ENDED), Draft(Kind.ENDED)]


def reopen(state: State) -> list[Draft]:
    """Answers again; nothing where it has not ended."""
    return [Draft(Kind.REOPENED)] if state.ended else []


def change_settings(state: State, changes: dict[str, Any]) -> list[Draft]:
    """Other settings, after the open questions of voters who have no vote left by them were given up."""
    changes = {name: value for name, value in changes.items() if getattr(state.settings, name) != value}
    if not changes:
        return []
    now = state.settings.sampler
    if "sampler" in changes and not (is_own(changes["sampler"]) and is_own(now)):
        other = now if is_own(changes["sampler"]) else changes["sampler"]
        raise InputError(
            f"sampler is {changes['sampler']!r} after {now!r}, and {type(other).__name__} is none of pairvote's own, "
            "which alone can take turns in a log; begin another poll with it and import_votes of this one"
        )
    most, book = changes.get("votes_each", state.settings.votes_each), state.book
    given_up = _all_given_up(state, Why.SPENT, lambda row: book.n_votes[book.voter[row]] >= most)
    return [*given_up, Draft(Kind.SETTINGS_CHANGED, changes_to_json(changes))]


def _given_up(state: State, row: int, why: Why) -> Draft:
    return Draft(Kind.RELEASED, state.book.number[row], why.value)


def _all_given_up(state: State, why: Why, which: Callable[[int], bool] = lambda _: True) -> list[Draft]:
    """The releases of all open questions, or of those whose row is one of `which`."""
    return [Draft(Kind.RELEASED, question, why.value) for question in state.open if which(state.book.row(question))]


def _not_ended(state: State) -> None:
    if state.ended:
        raise StateError("the vote has ended and no answer is taken; call reopen to go on with it")


def _may_skip(state: State, voter: Label, code: int | None) -> None:
    if not state.skips_remaining(code):
        n_skips = 0 if code is None else state.book.n_skips[code]
        raise StateError(
            f"voter {shorten(voter)} has skipped {plural(n_skips, 'question')}, as many as a voter may; "
            "answer 'left', 'right' or 'tie'"
        )


def _standing(state: State, voter: Label) -> int | None:
    """The code of a voter, None before she comes; StateError for one who was removed."""
    code = state.book.codes.get(voter)
    if code is not None and state.book.standing[code] & REMOVED:
        raise StateError(f"voter {shorten(voter)} was removed and may not vote; let others vote")
    return code


def _put_to(state: State, voter: Label, code: int | None, question: int) -> int:
    """The row of a question; refused where it is none, or another voter's."""
    row = state.book.row(question) if is_whole(question) else -1
    if row < 0:
        text = " (it is text; ids are whole numbers)" if isinstance(question, str) else ""
        raise InputError(f"question {shorten(question)} is unknown{text}; pass the id of what ask returned")
    if state.book.voter[row] != code:
        raise StateError(f"question {question} was not put to voter {shorten(voter)}; answer what ask returned to her")
    return row


def _why_closed(state: State, row: int) -> str:
    if state.retired.intersection((state.book.left[row], state.book.right[row])):
        return "an item of it was retired"
    return "it expired, or was given up by an undo, by the end of the vote or because no vote is left"
