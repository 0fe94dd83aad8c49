"""What a case is to reach: so many times as fast as another case, or within so many seconds and so much memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

GIB = 2**30
MB = 1e6


class Cost(NamedTuple):
    """The median seconds of one call, how many votes it takes in, and its peak memory where that was measured."""

    seconds: float
    n_votes: int
    peak_bytes: int | None = None

    @property
    def per_vote(self) -> float:
        """Seconds for a vote; those of the call where it takes no votes."""
        return self.seconds / max(self.n_votes, 1)


class Verdict(NamedTuple):
    """The figure that a goal is about, and whether it is met."""

    figure: str
    met: bool


class Goal(Protocol):
    """Judged on the costs of all cases of its group that were run, by name."""

    @property
    def text(self) -> str:
        """The goal in a few words."""

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        """None where the case to compare with was not run."""


@dataclass(frozen=True)
class Faster:
    """At least `times` as fast, per vote, as the case called `than`."""

    times: float
    than: str

    @property
    def text(self) -> str:
        return f"{self.times:g} x {self.than}"

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        if self.than not in others:
            return None
        ratio = others[self.than].per_vote / ours.per_vote
        return Verdict(f"{ratio:.3g} x", ratio >= self.times)


@dataclass(frozen=True)
class Within:
    """At most so many seconds, or so many times those of the case called `of`; and perhaps so many bytes."""

    limit: float
    of: str | None = None
    n_bytes: int | None = None

    @property
    def text(self) -> str:
        time = f"at most {seconds_text(self.limit)}" if self.of is None else f"at most {self.limit:g} x {self.of}"
        return time if self.n_bytes is None else f"{time}, {self.n_bytes / GIB:.3g} GiB"

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        if self.of is None:
            figure, met = seconds_text(ours.seconds), ours.seconds <= self.limit
        elif self.of in others:
            ratio = ours.seconds / others[self.of].seconds
            figure, met = f"{ratio:.3g} x", ratio <= self.limit
        else:
            return None
        if self.n_bytes is None:
            return Verdict(figure, met)
        if ours.peak_bytes is None:
            return None
        return Verdict(f"{figure}, {ours.peak_bytes / GIB:.3g} GiB", met and ours.peak_bytes <= self.n_bytes)


@dataclass(frozen=True)
class Beyond:
    """At most so many seconds more than the case called `of`."""

    seconds: float
    of: str

    @property
    def text(self) -> str:
        return f"at most {seconds_text(self.seconds)} more than {self.of}"

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        if self.of not in others:
            return None
        more = ours.seconds - others[self.of].seconds
        figure = f"{seconds_text(more)} more" if more >= 0 else f"{seconds_text(-more)} less"
        return Verdict(figure, more <= self.seconds)


@dataclass(frozen=True)
class Fits:
    """At most so many seconds and, in a process of its own, so many bytes."""

    seconds: float
    n_bytes: int

    @property
    def text(self) -> str:
        return f"at most {_time_and_memory(self.seconds, self.n_bytes)}"

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        if ours.peak_bytes is None:
            return None
        met = ours.seconds <= self.seconds and ours.peak_bytes <= self.n_bytes
        return Verdict(_time_and_memory(ours.seconds, ours.peak_bytes), met)


def _time_and_memory(seconds: float, n_bytes: int) -> str:
    memory = f"{n_bytes / GIB:.3g} GiB" if n_bytes >= GIB else f"{n_bytes / MB:.3g} MB"
    return f"{seconds_text(seconds)} and {memory}"


@dataclass(frozen=True)
class AtLeast:
    """So many votes a second."""

    rate: float

    @property
    def text(self) -> str:
        return f"at least {self.rate:,.0f} votes/s"

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        rate = 1 / ours.per_vote
        return Verdict(f"{rate:,.0f} votes/s", rate >= self.rate)


@dataclass(frozen=True)
class Holds:
    """At most so many bytes of memory for each vote."""

    bytes_each: float

    @property
    def text(self) -> str:
        return f"at most {self.bytes_each:g} bytes a vote"

    def judge(self, ours: Cost, others: Mapping[str, Cost]) -> Verdict | None:
        if ours.peak_bytes is None:
            return None
        each = ours.peak_bytes / max(ours.n_votes, 1)
        return Verdict(f"{each:.3g} bytes", each <= self.bytes_each)


def seconds_text(seconds: float) -> str:
    """A time in the unit that suits it."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{seconds * 1e9:.3g} ns"
