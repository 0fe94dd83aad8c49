"""How time and memory grow, twenty votes an item, up to 20 million votes over a million.

Every call has a process of its own and goes from integer arrays to scores, the checks included; a tie is half a
win for each side, and the prior is the default of three log-odds. Memory is all of the process at its peak, with
the interpreter and the arrays. "Off by" is the distance of the scores to those found by scipy's conjugate gradients.

No peer is timed: evalica keeps tables of all items by all items, choix goes vote by vote in Python, and arena-rank
fits maximum likelihood, which does not exist for the two largest, where some items are undefeated.
"""

from __future__ import annotations

import json
import sys
import time
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

import pairvote as pv
from benchmarks import memory, reference
from benchmarks.cases import Case, Group, Scores, Size, make_votes
from benchmarks.goals import GIB, Fits

# Items, twenty votes each.
SIZES: dict[Size, tuple[int, ...]] = {
    "full": (5_000, 50_000, 500_000, 1_000_000),
    "quick": (500, 5_000, 50_000, 100_000),
    "tiny": (20, 40, 60, 80),
}
VOTES_AN_ITEM = 20
PRIOR_SD = 3.0
GOAL = Fits(30.0, 5 * GIB)
# Enough that what a large fit loads on first use is loaded.
WARM_UP_ITEMS = 600


class Finished(NamedTuple):
    """What a process has to say."""

    seconds: float
    peak_bytes: int | None
    scores: Scores


def without_errors(size: Size) -> Group:
    """Scores alone."""
    return _group(size, "scores", errors=False)


def with_errors(size: Size) -> Group:
    """Scores and the standard error of each."""
    return _group(size, "scores and standard errors", errors=True)


def _group(size: Size, title: str, *, errors: bool) -> Group:
    cases = tuple(_case(n_items, errors, largest=n_items == SIZES[size][-1]) for n_items in SIZES[size])
    return Group(title=f"{title}: {VOTES_AN_ITEM} votes an item, 10% ties", cases=cases, unit="log-odds")


def _case(n_items: int, errors: bool, *, largest: bool) -> Case:
    return Case(
        name=f"pairvote.bradley_terry(Votes.from_codes), {n_items:,} items" + ", standard errors" * errors,
        library="pairvote",
        fresh=lambda: partial(_run, n_items, errors),
        n_votes=VOTES_AN_ITEM * n_items,
        scores=lambda finished: finished.scores,
        reference=partial(_right_scores, n_items),
        goal=GOAL if largest else None,
        memory=False,
        own_cost=lambda finished: (finished.seconds, finished.peak_bytes),
        note="memory is all of the process, the integer arrays and the interpreter included",
    )


@cache
def _right_scores(n_items: int) -> Scores:
    return reference.bradley_terry_by_gradients(make_votes(n_items, VOTES_AN_ITEM * n_items), PRIOR_SD)


def _run(n_items: int, errors: bool) -> Finished:
    with TemporaryDirectory() as folder:
        path = Path(folder, "scores.npy")
        done = memory.run_module("benchmarks.parts.large", str(n_items), str(int(errors)), str(path))
        if done.returncode:
            raise RuntimeError(f"the process with {n_items:,} items failed:\n{done.stderr}")
        seconds, peak_bytes = json.loads(done.stdout)
        return Finished(seconds, peak_bytes, np.load(path))


def _main(n_items: int, errors: bool, path: Path) -> None:
    """Time one call in this process, print its seconds and the peak in bytes, and write the scores."""
    _rank(WARM_UP_ITEMS, errors)()
    (seconds, ranking), _, peak_bytes = memory.watch(_rank(n_items, errors))
    print(json.dumps([seconds, peak_bytes]))
    np.save(path, ranking.scores)


def _rank(n_items: int, errors: bool) -> Any:
    votes = make_votes(n_items, VOTES_AN_ITEM * n_items)

    def work() -> tuple[float, pv.Ranking]:
        begun = time.perf_counter()
        held = pv.Votes.from_codes(votes.left, votes.right, votes.outcome, n_items=n_items)
        ranking = pv.bradley_terry(held, ties="half", prior_sd=PRIOR_SD, uncertainty="model" if errors else "none")
        if errors:
            ranking.standard_errors  # noqa: B018
        return time.perf_counter() - begun, ranking

    return work


GROUPS = (without_errors, with_errors)

if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2] == "1", Path(sys.argv[3]))
