"""Events of a poll's log: numbered, each with the digest of all up to it."""

from __future__ import annotations

import enum
import hashlib
import math
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

from pairvote.errors import StorageError

# The version of what is described here; a later one may be read by a later pairvote only.
FORMAT = 2
# Numbers of events, and with them those of questions, are kept in 31 bits.
MOST_EVENTS = 2**31 - 1
Value = str | int | None


class Kind(enum.IntEnum):
    """Kinds of events, and what `a`, `b` and `c` of each are.

    A voter is a code: how many came before. The event by which a voter comes has text in its place, the seal of an id
    that is kept beside the log (`Identity`).
    """

    OPENED = 0  # settings as JSON
    ASKED = 1  # voter, left item's code, right item's code; the event's number is the question's id
    ANSWERED = 2  # question, outcome
    UNDONE = 3  # question, which is open again
    RELEASED = 4  # question, why
    ITEM_ADDED = 5  # label
    ITEM_RETIRED = 6  # item's code
    VOTER_REMOVED = 7  # voter
    CHANGED = 8  # question, outcome
    ENDED = 9  # nothing
    REOPENED = 10  # nothing
    SETTINGS_CHANGED = 11  # what was changed as JSON
    ITEM_RENAMED = 12  # item's code, label
    ITEM_RESTORED = 13  # item's code
    GROUP_SET = 14  # voter, group
    VOTER_FORGOTTEN = 15  # voter's code, 1 where the votes go
    IMPORTED = 16  # voter or nobody, both items in one number, outcome or JSON of outcome and time


class Why(enum.IntEnum):
    """Why an open question will not be answered."""

    EXPIRED = 0
    ITEM_RETIRED = 1
    UNDONE = 2
    SPENT = 3
    ENDED = 4


class Event(NamedTuple):
    """One line of the log. Events are numbered from 1 without gaps."""

    number: int
    time: float
    kind: int
    a: Value
    b: Value
    c: Value
    digest: bytes


class Draft(NamedTuple):
    """An event that is decided on and has no number yet."""

    kind: Kind
    a: Any = None
    b: Value = None
    c: Value = None


_LABEL, _WHOLE, _NOTHING, _ANY = (str, int), (int,), (type(None),), (str, int, type(None))
# The types of a, b and c.
_TYPES: dict[int, tuple[tuple[type, ...], ...]] = {
    Kind.OPENED.value: ((str,), _NOTHING, _NOTHING),
    Kind.ASKED.value: (_LABEL, _WHOLE, _WHOLE),
    Kind.ANSWERED.value: (_WHOLE, _WHOLE, _NOTHING),
    Kind.UNDONE.value: (_WHOLE, _NOTHING, _NOTHING),
    Kind.RELEASED.value: (_WHOLE, _WHOLE, _NOTHING),
    Kind.ITEM_ADDED.value: (_LABEL, _NOTHING, _NOTHING),
    Kind.ITEM_RETIRED.value: (_WHOLE, _NOTHING, _NOTHING),
    Kind.VOTER_REMOVED.value: (_LABEL, _NOTHING, _NOTHING),
    Kind.CHANGED.value: (_WHOLE, _WHOLE, _NOTHING),
    Kind.ENDED.value: (_NOTHING, _NOTHING, _NOTHING),
    Kind.REOPENED.value: (_NOTHING, _NOTHING, _NOTHING),
    Kind.SETTINGS_CHANGED.value: ((str,), _NOTHING, _NOTHING),
    Kind.ITEM_RENAMED.value: (_WHOLE, _LABEL, _NOTHING),
    Kind.ITEM_RESTORED.value: (_WHOLE, _NOTHING, _NOTHING),
    Kind.GROUP_SET.value: (_LABEL, _ANY, _NOTHING),
    Kind.VOTER_FORGOTTEN.value: (_WHOLE, _WHOLE, _NOTHING),
    Kind.IMPORTED.value: (_ANY, _WHOLE, _LABEL),
}


class LaterVersionError(Exception):
    """An event of a kind that is not known here."""


def check_event(event: tuple[Any, ...]) -> None:
    """Whether an event is one that could have been written: ValueError with what is wrong with it."""
    _, time, kind, a, b, c, digest = event
    types = _TYPES.get(kind) if type(kind) is int else None
    if types is None:
        if type(kind) is int and kind > max(_TYPES):
            raise LaterVersionError
        raise ValueError(f"its kind is {kind!r}")
    if type(a) not in types[0] or type(b) not in types[1] or type(c) not in types[2]:
        raise ValueError(f"a {Kind(kind).name.lower()} event cannot hold {a!r}, {b!r}, {c!r}")
    for value in (a, b, c):
        if type(value) is str:
            # Half a character is a ValueError.
            value.encode()
    if type(time) is not float or not math.isfinite(time):
        raise ValueError(f"its time is {time!r}")
    if type(digest) is not bytes or len(digest) != 32:
        raise ValueError(f"its digest is {digest!r}")


START = bytes(32)


def digest(before: bytes, number: int, time: float, kind: int, a: Value, b: Value, c: Value) -> bytes:
    """SHA-256 of the digest of the event before (32 zero bytes before the first) and of this event as JSON in ASCII."""
    # As json.dumps([number, time, kind, a, b, c], separators=(",", ":")) has it, in a third of the time.
    event = f"[{number:d},{float.__repr__(time)},{kind:d},{_json(a)},{_json(b)},{_json(c)}]"
    return hashlib.sha256(before + event.encode()).digest()


def _json(value: Value) -> str:
    if type(value) is int:
        return int.__repr__(value)
    # Of another type it is a TypeError.
    return "null" if value is None else encode_basestring_ascii(value)  # type: ignore[arg-type]


def numbered(drafts: Iterable[Draft], time: float, after: int, before: bytes) -> list[tuple[Any, ...]]:
    """Drafts as the events that follow the one numbered `after`, whose digest is `before`.

    Plain tuples, as stores give them back: the garbage collector need not look at those again and again.
    """
    events: list[tuple[Any, ...]] = []
    for number, (kind, a, b, c) in enumerate(drafts, after + 1):
        before = digest(before, number, time, kind, a, b, c)
        events.append((number, time, int(kind), a, b, c, before))
    return events


def _is_digest(kept: Any, before: bytes, number: int, content: list[Any]) -> bool:
    try:
        return digest(before, number, *content) == kept
    except (TypeError, ValueError):
        # A value of a type that no event has.
        return False


def checked_chain(events: Iterable[tuple[Any, ...]], name: str, expected: bytes | None = None) -> Iterable[Event]:
    """The same events, if every event follows from the one before and one has the digest `expected`.

    What does not follow is raised when it is come to, and that a digest is not there at the end.
    """
    before, last, found = START, 0, expected is None
    for event in events:
        number, *content, kept = event
        if number != last + 1:
            raise StorageError(
                f"event {last + 1} of {name} was taken out after it was written: event {number} follows event {last}; "
                "restore the file from a copy"
            )
        if not _is_digest(kept, before, number, content):
            raise StorageError(
                f"event {number} of {name} was changed after it was written; restore the file from a copy"
            )
        before, last = kept, number
        found = found or kept == expected
        yield Event(*event)
    if not found:
        raise StorageError(
            f"{name} ends at event {last} and no event has the digest {expected.hex() if expected else None}: events "
            "that were there when it was written down were cut off or replaced; restore the file from a copy"
        )
