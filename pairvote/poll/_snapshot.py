"""A state beside its log, so that opening a poll need not fold all of it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import StorageError
from pairvote.poll._book import VOTER_COLUMNS
from pairvote.poll._events import FORMAT, Event
from pairvote.poll._identities import Forgotten
from pairvote.poll._settings import Label, from_json, to_json
from pairvote.poll._state import State
from pairvote.sampling._saving import can_be_saved, is_own, restored, saved
from pairvote.sampling._stream import Sampler

FIRST, LAST = "snapshot/", "snapshot/~"
HEAD = "snapshot/head"
# What is in a snapshot; another number is another kind, which is dropped.
SNAPSHOT_FORMAT = 1
# A snapshot is written when folding what came since took so long, and so many times as long as writing the last one.
SECONDS_OF_FOLDING, TIMES_OF_WRITING = 0.15, 10.0


# The event of a number, None where the log has none.
EventOf = Callable[[int], tuple[Any, ...] | None]


class SnapshotError(Exception):
    """Records are no snapshot of this log."""


class Snapshots:
    """Says when a snapshot is due, and what is in it."""

    def __init__(self) -> None:
        # How long folding took since the last one, this process's or another's.
        self.seconds = 0.0
        # How much of it makes the next one due, where that is not to follow from the times above.
        self.after: float | None = None
        self._cost = 0.0
        # The number of the snapshot since which `State.book.changed` knows what changed; 0 where none is known.
        self._number = 0
        # That of the last one that was seen.
        self._seen = 0

    def is_due(self, state: State) -> bool:
        """Whether folding since the last took long enough."""
        enough = max(SECONDS_OF_FOLDING, TIMES_OF_WRITING * self._cost) if self.after is None else self.after
        return self.seconds > enough and can_be_saved(state.stream)

    def written(self, state: State, before: dict[str, Any] | None) -> dict[str, bytes | None]:
        """The records to be written, none where another process was first; `before` is what is there of this log.

        The store has to have them then; otherwise call `forget`.
        """
        start = time.perf_counter()
        book = state.book
        hashes: list[str] = []
        if before is not None and self._seen < before["number"] <= state.number:
            self._seen, self.seconds = before["number"], 0.0
            return {}
        if before is not None and self._number <= before["number"] <= state.number and self._number:
            hashes = before["chunks"]
        places = [place for place in range(book.n_chunks) if place >= len(hashes) or place in book.changed]
        records: dict[str, bytes | None] = {}
        hashes += [""] * (book.n_chunks - len(hashes))
        for place in places:
            content = book.chunk(place)
            hashes[place] = _hash(content)
            records[_chunk_name(place)] = content
        records[HEAD] = _head(state, hashes)
        # From here on, since others' events may be folded before the records are in the store.
        book.changed.clear()
        self._number = self._seen = state.number
        self.seconds, self._cost = 0.0, time.perf_counter() - start
        return records

    def found(self, number: int) -> None:
        """The state has begun with the snapshot of this number."""
        self._number, self._seen, self.seconds = number, number, 0.0

    def forget(self) -> None:
        """Nothing is known of what is there."""
        self._number, self._seen, self.seconds = 0, 0, 0.0


def read_snapshot(
    records: Iterable[tuple[str, bytes]],
    event_of: EventOf,
    label_of: Callable[[int], Label | Forgotten],
    sampler: Sampler | None,
    name: str,
) -> State | None:
    """The state that is kept, None where none is, SnapshotError where it is none of a log with these events."""
    records = iter(records)
    head = next(records, None)
    if head is None:
        return None
    try:
        return _read(head, records, event_of, label_of, sampler, name)
    except StorageError:
        raise
    except Exception as error:
        # Whatever is wrong with bytes that others may have written.
        raise SnapshotError(f"{error!r}") from error


def copied(state: State) -> State | None:
    """A state that changes without the other, None where its strategy cannot be copied."""
    if not can_be_saved(state.stream):
        return None
    chunks = [state.book.chunk(place) for place in range(state.book.n_chunks)]
    head = (HEAD, _head(state, [_hash(content) for content in chunks]))
    records = [(_chunk_name(place), content) for place, content in enumerate(chunks)]
    last = (state.number, state.time, 0, None, None, None, state.digest)
    try:
        return _read(
            head, iter(records), lambda _: last, lambda code: state.book.labels[code], state._sampler, state._name
        )
    except Exception:
        # A strategy of somebody's own does not restore what it saved: its log is folded anew.
        if is_own(state.settings.sampler):
            raise
        return None


def _head(state: State, hashes: list[str]) -> bytes:
    book = state.book
    about = {
        "snapshot": SNAPSHOT_FORMAT,
        "format": FORMAT,
        "number": state.number,
        "time": state.time,
        "digest": state.digest.hex(),
        "settings": to_json(dataclasses.replace(state.settings, items=state.items)),
        "started_with": state.stream.votes_each,
        "retired": sorted(state.retired),
        "former": list(state.former.items()),
        "ended": state.ended,
        "open": list(state.open.items()),
        "groups": list(book.groups.items()),
        "questions": len(book),
        "chunks": hashes,
    }
    arrays: dict[str, NDArray[Any]] = {f"voter.{name}": book.column(name) for name in VOTER_COLUMNS}
    arrays |= {f"stream.{name}": array for name, array in (saved(state.stream) or {}).items()}
    arrays["about"] = np.frombuffer(json.dumps(about, default=lambda number: number.item()).encode(), np.uint8)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type, unused-ignore]
    return content.getvalue()


def _read(
    head: tuple[str, bytes],
    chunks: Iterable[tuple[str, bytes]],
    event_of: EventOf,
    label_of: Callable[[int], Label | Forgotten],
    sampler: Sampler | None,
    name: str,
) -> State:
    title, content = head
    if title != HEAD:
        raise ValueError("it has no head")
    # Arrays are read when it is their turn, so that they do not stand in memory together.
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        if (about["snapshot"], about["format"]) != (SNAPSHOT_FORMAT, FORMAT):
            raise ValueError("it is of another version")
        # First of all, so that what it says of itself can be no more than the log has.
        last = event_of(about["number"])
        if last is None or (last[1], last[6].hex()) != (about["time"], about["digest"]):
            raise ValueError("it is of another log")
        if not 0 <= about["questions"] < last[0]:
            raise ValueError("it has more questions than the log has events")
        settings = from_json(about["settings"], sampler, name)
        state = State(settings, Event(*last), label_of, sampler, name)
        state.book.set_questions(about["questions"], _checked(about["chunks"], chunks))
        voters = {key: arrays[f"voter.{key}"] for key in VOTER_COLUMNS}
        state.book.set_voters(voters, label_of, n_items=len(state.items), last_answer=state.criteria.skip)
        _set_facts(state, about)
        state.stream = restored(
            settings.sampler,
            {key.removeprefix("stream."): arrays[key] for key in arrays.files if key.startswith("stream.")},
            n_items=len(state.items),
            votes_each=int(about["started_with"]),
            rng=settings.seed,
            open_questions=list(state.open_questions()),
            seen_of=state.book.pairs_shown_to,
            most_asked=len(state.book),
        )
    active = set(state.stream.active.tolist())
    if active | state.retired != set(range(len(state.items))) or active & state.retired:
        raise ValueError("the strategy asks about other items")
    state.book.changed.clear()
    return state


def _checked(hashes: list[str], chunks: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The chunks of these hashes, one after the other."""
    wanted = iter(hashes)
    for place, (hash_, (title, content)) in enumerate(zip(wanted, chunks, strict=False)):
        if title != _chunk_name(place) or _hash(content) != hash_:
            raise ValueError(f"chunk {place} is another one")
        yield content
    if next(wanted, None) is not None:
        raise ValueError("a chunk is missing")


def _set_facts(state: State, about: dict[str, Any]) -> None:
    book = state.book
    if len(book) and book.number[-1] > state.number:
        raise ValueError("it has questions after its end")
    state.retired = {int(code) for code in about["retired"]}
    state.former = {label: int(code) for label, code in about["former"]}
    state.ended = bool(about["ended"])
    state.open = {int(question): float(since) for question, since in about["open"]}
    book.groups = {int(code): group for code, group in about["groups"]}
    if sorted(book.number[row] for row in book.open if row >= 0) != sorted(state.open):
        raise ValueError("the open questions are others")


def head_of(kept: Iterable[tuple[str, bytes]]) -> dict[str, Any] | None:
    """Read what a head says of its snapshot; None where no head can be read."""
    for title, content in kept:
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                about = json.loads(file["about"].tobytes())
            if title == HEAD and about["snapshot"] == SNAPSHOT_FORMAT and isinstance(about["number"], int):
                chunks, digest = [str(each) for each in about["chunks"]], bytes.fromhex(about["digest"])
                return {"number": about["number"], "digest": digest, "chunks": chunks}
        except Exception:
            # None of ours: all is written anew.
            return None
    return None


def _chunk_name(place: int) -> str:
    return f"snapshot/rows/{place:08d}"


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
