"""All that can be seen of a poll, and what can be done to the records beside its log."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from strategies import assert_same_counts, assert_same_votes

import pairvote as pv
from pairvote.poll import EventStore
from pairvote.sampling._saving import saved

SNAPSHOTS = ("snapshot/", "snapshot/~")


class WithoutSnapshots:
    """A store in which no snapshot is seen nor kept: what is opened from it folds the whole log."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def keep(self, records: Mapping[str, bytes | None]) -> None:
        self.store.keep({name: kept for name, kept in records.items() if not name.startswith("snapshot/")})

    def kept(self, first: str, last: str) -> Iterator[tuple[str, bytes]]:
        return (record for record in self.store.kept(first, last) if not record[0].startswith("snapshot/"))


class Kept:
    """A store of which snapshots are kept also where it is in memory."""

    def __init__(self, store: EventStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def eager(poll: pv.Poll) -> pv.Poll:
    """The poll, of which a snapshot is written after every call that changes something."""
    poll._log.snapshots.after = 0.0
    return poll


def snapshots(store: EventStore) -> dict[str, bytes]:
    """The records of the snapshot that is beside a log."""
    return dict(store.kept(*SNAPSHOTS))


def write_snapshots(store: EventStore, records: Mapping[str, bytes]) -> None:
    """Put other records in the place of those of the snapshot."""
    gone: dict[str, bytes | None] = dict.fromkeys(snapshots(store))
    store.begin()
    store.keep(gone | records)
    store.commit()


def damaged(records: Mapping[str, bytes], how: str, draw: random.Random) -> dict[str, bytes]:
    """Records of a snapshot after something has happened to them."""
    names = sorted(records)
    if not names:
        return {"snapshot/head": draw.randbytes(99)}
    name, other = draw.choice(names), draw.choice(names)
    content = records[name]
    match how:
        case "noise":
            return {**records, name: draw.randbytes(len(content))}
        case "cut":
            return {**records, name: content[: draw.randrange(len(content) + 1)]}
        case "longer":
            return {**records, name: content + draw.randbytes(8)}
        case "bit":
            bits = bytearray(content or b"\0")
            bits[draw.randrange(len(bits))] ^= 1 << draw.randrange(8)
            return {**records, name: bytes(bits)}
        case "lost":
            return {kept: records[kept] for kept in names if kept != name}
        case "more":
            return {**records, f"{name}0": content, "snapshot/zz": draw.randbytes(20)}
        case "swapped":
            return {**records, name: records[other], other: content}
    raise ValueError(how)


DAMAGES = ("noise", "cut", "longer", "bit", "lost", "more", "swapped")


def assert_same_poll(one: pv.Poll, other: pv.Poll, voters: Iterable[Hashable] = ()) -> None:
    """Nothing that is to be seen of two polls differs, nor will what they ask next."""
    for name in ("items", "retired", "ended", "settings", "n_events"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("voters", "groups", "verify"):
        assert getattr(one, name)() == getattr(other, name)(), name
    votes = one.votes()
    assert_same_votes(votes, other.votes())
    for name in ("time", "question"):
        ours, theirs = getattr(votes, name), getattr(other.votes(), name)
        assert ours.dtype == theirs.dtype, name
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    for criterion in (None, *votes.criteria):
        assert_same_counts(one.counts(criterion=criterion), other.counts(criterion=criterion))
    for voter in voters:
        for name in ("remaining", "skips_remaining", "history"):
            assert getattr(one, name)(voter) == getattr(other, name)(voter), (name, voter)
    with one._log.reading() as ours, other._log.reading() as theirs:
        assert_same_stream(ours.stream, theirs.stream, voters)


def assert_same_stream(
    one: pv.sampling.PairStream, other: pv.sampling.PairStream, voters: Iterable[Hashable] = ()
) -> None:
    """Two streams have the same arrays, to the bit, and propose the same to everybody."""
    assert (one.sampler, one.n_items, one.n_asked) == (other.sampler, other.n_items, other.n_asked)
    for name in ("active", "shown", "leads", "points", "answers", "by_exposure"):
        ours, theirs = getattr(one, name), getattr(other, name)
        assert (ours.dtype, ours.tobytes()) == (theirs.dtype, theirs.tobytes()), name
    assert sorted(one.open_questions, key=repr) == sorted(other.open_questions, key=repr)
    everybody = [*{voter for voter, *_ in one.open_questions}, *voters, "nobody yet"]
    for i in range(one.n_items):
        for j in range(i):
            assert one.times_shown(i, j) == other.times_shown(i, j)
            for voter in everybody:
                assert one.times_shown(i, j, voter) == other.times_shown(i, j, voter)
    ours, theirs = saved(one), saved(other)
    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert ours.keys() == theirs.keys()
        for name, array in ours.items():
            assert (array.dtype, array.shape) == (theirs[name].dtype, theirs[name].shape), name
            assert array.tobytes() == theirs[name].tobytes(), name
    if len(one.active) > 1:
        for voter in everybody:
            assert one.propose(voter) == other.propose(voter)


def files_with(folder: Path, text: str) -> list[str]:
    """The names of the files in a folder that hold a text, also as UTF-16 or in hexadecimal."""
    wanted = [text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()]
    return [path.name for path in folder.rglob("*") if path.is_file() and any(w in path.read_bytes() for w in wanted)]
