"""Files of polls, which are gone with the process, and cases that say themselves what they cost."""

from __future__ import annotations

import atexit
import functools
import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.goals import Goal

# Seconds, and bytes where they were looked at.
Figure = tuple[float, int | None]
_numbers = itertools.count()


def new_path() -> Path:
    """A file that is not there yet."""
    return folder() / f"{next(_numbers)}.db"


@functools.cache
def folder() -> Path:
    """A folder for files, in the directory for temporary files (TMPDIR)."""
    made = Path(tempfile.mkdtemp(prefix="pairvote-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


class Run:
    """Something that gives several figures at once, each of which is a case; it is run once for all of them a turn."""

    def __init__(self, run: Callable[[], Mapping[str, Figure]]) -> None:
        self._run = run
        self._found: list[Mapping[str, Figure]] = []
        self._taken: Counter[str] = Counter()

    def figure(self, name: str) -> Callable[[], Figure]:
        """The work of a case: to look up its figure, or to run it all."""

        def work() -> Figure:
            turn = self._taken[name]
            self._taken[name] += 1
            while len(self._found) <= turn:
                self._found.append(self._run())
            return self._found[turn][name]

        return work


def stated(
    name: str,
    work: Callable[[], Figure],
    goal: Goal | None = None,
    *,
    library: str = "pairvote",
    n_votes: int = 0,
    turns: int | None = None,
    missing: str = "",
    may_fail: bool = False,
    note: str = "",
) -> Case:
    """A case whose work says what it has cost."""
    return Case(
        name=name,
        library=library,
        fresh=lambda: work,
        n_votes=n_votes,
        comparable=False,
        goal=goal,
        memory=False,
        own_cost=lambda figure: figure,
        turns=turns,
        missing=missing,
        may_fail=may_fail,
        note=note,
    )
