"""What a poll decides: from its state and what is asked of it, the events to add to the log, or a refusal."""

from __future__ import annotations

import json
from typing import Any

from pairvote._common.checks import is_whole
from pairvote._common.labels import MAX_ITEMS
from pairvote._common.messages import plural, shorten
from pairvote._common.outcomes import Outcome
from pairvote.errors import InputError, StateError
from pairvote.poll._events import Draft, Kind, Why
from pairvote.poll._settings import Label
from pairvote.poll._state import State, Voter

NOBODY = Voter()


def ask(state: State, voter: Label) -> list[Draft]:
    """A question for a voter who has none open and votes left."""
    known = _standing(state, voter)
    if state.ended or known.open or known.n_votes >= state.settings.votes_each:
        return []
    return [Draft(Kind.ASKED, voter, *state.stream.propose(voter))]


def answer(state: State, voter: Label, question: int, outcome: int) -> list[Draft]:
    """The answer to an open question; nothing where it was given before."""
    known = _standing(state, voter)
    _put_to(state, voter, question)
    given = state.answers.get(question)
    if given == outcome:
        return []
    _not_ended(state)
    if given is not None:
        raise StateError(
            f"question {question} was answered {Outcome(given).name.lower()!r}; call undo first to change it"
        )
    if question not in state.open:
        raise StateError(f"question {question} is open no more: {_why_closed(state, question)}; ask again")
    if outcome == Outcome.SKIP:
        _may_skip(state, voter, known)
    return [Draft(Kind.ANSWERED, int(question), outcome)]


def change(state: State, voter: Label, question: int, outcome: int) -> list[Draft]:
    """Another answer in the place of one that was given; nothing where it is the same."""
    known = _standing(state, voter)
    _put_to(state, voter, question)
    given = state.answers.get(question)
    if given == outcome:
        return []
    _not_ended(state)
    if given is None:
        raise StateError(f"question {question} has no answer that could be changed; call answer, or ask again")
    drafts = []
    if outcome == Outcome.SKIP:
        _may_skip(state, voter, known)
    elif given == Outcome.SKIP:
        left = state.settings.votes_each - known.n_votes
        if left < 1:
            raise StateError(
                f"voter {shorten(voter)} has no vote left to put in the place of a skip; change or undo another answer"
            )
        if left == 1 and known.open:
            drafts.append(Draft(Kind.RELEASED, known.open, Why.SPENT.value))
    return [*drafts, Draft(Kind.CHANGED, int(question), outcome)]


def undo(state: State, voter: Label, question: int | None) -> list[Draft]:
    """The last answer, or that to a question, taken back, after a question that is open was given up."""
    known = _standing(state, voter)
    if question is not None:
        _put_to(state, voter, question)
        if question not in state.answers:
            return []
        _not_ended(state)
        last = int(question)
    elif known.answered:
        _not_ended(state)
        last = known.answered[-1]
    else:
        raise StateError(f"voter {shorten(voter)} has no answer to take back; call undo after an answer")
    drafts = [Draft(Kind.RELEASED, known.open, Why.UNDONE.value)] if known.open else []
    drafts.append(Draft(Kind.UNDONE, last))
    used = known.n_votes - (state.answers[last] != Outcome.SKIP)
    if state.retired.intersection(state.questions[last][1:]):
        drafts.append(Draft(Kind.RELEASED, last, Why.ITEM_RETIRED.value))
    elif used >= state.settings.votes_each:
        # A skip that is taken back after all votes were used: to answer its question would be a vote too many.
        drafts.append(Draft(Kind.RELEASED, last, Why.SPENT.value))
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
    code = _code(state, label)
    if code in state.retired:
        return []
    about = [question for question in state.open if code in state.questions[question][1:]]
    given_up = [Draft(Kind.RELEASED, question, Why.ITEM_RETIRED.value) for question in about]
    return [*given_up, Draft(Kind.ITEM_RETIRED, code)]


def remove_voter(state: State, voter: Label) -> list[Draft]:
    """One voter less; nothing where she is removed."""
    if voter not in state.voters:
        raise InputError(f"voter {shorten(voter)} was never asked anything; check the name: 1 is not '1'")
    if state.voters[voter].removed:
        return []
    return [Draft(Kind.VOTER_REMOVED, voter)]


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
    return [*(Draft(Kind.RELEASED, question, Why.ENDED.value) for question in state.open), Draft(Kind.ENDED)]


def reopen(state: State) -> list[Draft]:
    """Answers again; nothing where it has not ended."""
    return [Draft(Kind.REOPENED)] if state.ended else []


def change_settings(state: State, changes: dict[str, Any]) -> list[Draft]:
    """Other settings, after the open questions of voters who have no vote left by them were given up."""
    changes = {name: value for name, value in changes.items() if getattr(state.settings, name) != value}
    if not changes:
        return []
    most = changes.get("votes_each", state.settings.votes_each)
    spent = [question for question in state.open if state.voters[state.questions[question].voter].n_votes >= most]
    given_up = [Draft(Kind.RELEASED, question, Why.SPENT.value) for question in spent]
    return [*given_up, Draft(Kind.SETTINGS_CHANGED, json.dumps(changes))]


def _not_ended(state: State) -> None:
    if state.ended:
        raise StateError("the vote has ended and no answer is taken; call reopen to go on with it")


def _may_skip(state: State, voter: Label, known: Voter) -> None:
    if known.n_skips >= state.settings.skips_each:
        raise StateError(
            f"voter {shorten(voter)} has skipped {plural(known.n_skips, 'question')}, as many as a voter may; "
            "answer 'left', 'right' or 'tie'"
        )


def _standing(state: State, voter: Label) -> Voter:
    """What a voter did; StateError for one who was removed."""
    known = state.voters.get(voter, NOBODY)
    if known.removed:
        raise StateError(f"voter {shorten(voter)} was removed and may not vote; let others vote")
    return known


def _put_to(state: State, voter: Label, question: int) -> None:
    """Refuse a question that is none, or another voter's."""
    asked = state.questions.get(question) if is_whole(question) else None
    if asked is None:
        text = " (it is text; ids are whole numbers)" if isinstance(question, str) else ""
        raise InputError(f"question {shorten(question)} is unknown{text}; pass the id of what ask returned")
    if asked.voter != voter:
        raise StateError(f"question {question} was not put to voter {shorten(voter)}; answer what ask returned to her")


def _why_closed(state: State, question: int) -> str:
    if state.retired.intersection(state.questions[question][1:]):
        return "an item of it was retired"
    return "it expired, or was given up by an undo, by the end of the vote or because no vote is left"
