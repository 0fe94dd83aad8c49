"""Live votes with voters who answer at random: whether it helps that the strategy believes them less.

Every belief meets the same strengths and voters, who answer the same question of the same turn alike. The strategy is
told of an answer that it is not to believe as of a skipped question: it was asked, and there is nothing to learn.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks.honesty import SEED, TOP_K, Figure, mean_of
from benchmarks.voters import FLAGGED_BELOW, N_VOTERS, SPREAD, VOTES_EACH, overlap

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
N_ITEMS = 23
# Before so many votes of each nobody can be told from anybody.
FIRST_LOOK = 4


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How many of the voters, the last ones, answer at random."""

    name: str
    n_random: int


def settings() -> list[Setting]:
    """All rows."""
    return [
        Setting(name="live, nobody random", n_random=0),
        Setting(name="live, a tenth random", n_random=N_VOTERS // 10),
        Setting(name="live, a third random", n_random=N_VOTERS // 3),
    ]


class Vote:
    """One live vote: strengths, who answers at random, and how each would answer in each turn."""

    def __init__(self, n_random: int, seed: Sequence[int]) -> None:
        rng = np.random.default_rng(seed)
        self.strengths = rng.normal(0.0, SPREAD["strength_sd"], N_ITEMS)
        self.is_random: Flags = np.arange(N_VOTERS) >= N_VOTERS - n_random
        # The lead above which the left is picked; what a coin does where it is one.
        self.threshold = rng.logistic(size=(VOTES_EACH, N_VOTERS))
        self.seed = int(rng.integers(2**63))
        self.rows: list[tuple[int, int, int, int]] = []

    def answer(self, turn: int, voter: int, left: int, right: int) -> int:
        """The outcome of a question."""
        lead = 0.0 if self.is_random[voter] else self.strengths[left] - self.strengths[right]
        outcome = pv.Outcome.LEFT if lead > self.threshold[turn, voter] else pv.Outcome.RIGHT
        self.rows.append((voter, left, right, int(outcome)))
        return int(outcome)

    def votes(self) -> pv.Votes:
        """What was answered so far."""
        voter, left, right, outcome = np.array(self.rows).T
        return pv.Votes.from_codes(left, right, outcome.astype(np.uint8), n_items=N_ITEMS, voter=voter)


# Who is not believed, by what is known before a turn. A strategy that weighs answers by itself has its place here.
Belief = Callable[[Vote, int], Flags]


def everybody(vote: Vote, turn: int) -> Flags:
    """Believe everybody, as `TopK` does."""
    return np.zeros(N_VOTERS, bool)


def told(vote: Vote, turn: int) -> Flags:
    """Know who answers at random."""
    return vote.is_random


def found(vote: Vote, turn: int) -> Flags:
    """Find out from the votes so far who answers at random."""
    if turn < FIRST_LOOK:
        return everybody(vote, turn)
    ranking = pv.bradley_terry(vote.votes(), prior_sd=SPREAD["strength_sd"], reliability="lapse")
    reliability = ranking.voters
    return everybody(vote, turn) if reliability is None else np.asarray(reliability.attentive < FLAGGED_BELOW)


BELIEFS: dict[str, Belief] = {"everybody": everybody, "told": told, "found": found}


def run(belief: Belief, vote: Vote) -> pv.Votes:
    """Ask and answer a whole vote, turn by turn, and give its votes."""
    doubted = everybody(vote, 0)
    stream = _begun()
    for turn in range(VOTES_EACH):
        now = belief(vote, turn)
        if (now != doubted).any():
            doubted, stream = now, _begun()
            for voter, left, right, outcome in vote.rows:
                _tell(stream, voter, left, right, outcome, doubted)
        for voter in range(N_VOTERS):
            left, right = stream.propose(voter)
            _tell(stream, voter, left, right, vote.answer(turn, voter, left, right), doubted)
    return vote.votes()


def _begun() -> pv.sampling.PairStream:
    return pv.sampling.TopK(TOP_K).start(N_ITEMS, votes_each=VOTES_EACH, rng=SEED)


def _tell(stream: pv.sampling.PairStream, voter: int, left: int, right: int, outcome: int, doubted: Flags) -> None:
    stream.record(voter, left, right, "skip" if doubted[voter] else pv.Outcome(outcome))


SCORED: Mapping[str, Mapping[str, Any]] = {"plain": {}, "lapse": {"reliability": "lapse"}}


def look_at(n_random: int, options: Mapping[str, Any], seed: Sequence[int]) -> dict[str, dict[str, float]]:
    """The overlap with the true five by belief and by how the votes are scored in the end."""
    overlaps: dict[str, dict[str, float]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, belief in BELIEFS.items():
            vote = Vote(n_random, seed)
            votes = run(belief, vote)
            honest = votes.where(~vote.is_random[votes.voter])
            rankings = {by: pv.bradley_terry(votes, **options, **more) for by, more in SCORED.items()}
            rankings["oracle"] = pv.bradley_terry(honest, **options)
            overlaps[name] = {by: overlap(ranking.scores, vote.strengths) for by, ranking in rankings.items()}
    return overlaps


@dataclass(frozen=True, kw_only=True)
class Row:
    """The overlap with the true five under one belief, by how the votes are scored in the end.

    gain: what the belief adds over believing everybody, of the votes scored by "lapse", workshop by workshop.
    """

    setting: Setting
    belief: str
    repetitions: int
    plain: Figure
    lapse: Figure
    oracle: Figure
    gain: Figure


def measure(setting: Setting, repetitions: int, *, prior_sd: Any = None, n_jobs: int = 2) -> list[Row]:
    """Run a row's votes under every belief; the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    options = {} if prior_sd is None else {"prior_sd": prior_sd}
    calls = (delayed(look_at)(setting.n_random, options, (SEED, r)) for r in range(repetitions))
    return summary(setting, Parallel(n_jobs=n_jobs)(calls))


def summary(setting: Setting, workshops: Sequence[Mapping[str, Mapping[str, float]]]) -> list[Row]:
    """The figures of each belief."""
    usual = np.array([one["everybody"]["lapse"] for one in workshops])
    rows = []
    for belief in workshops[0]:
        figures = {by: mean_of([one[belief][by] for one in workshops]) for by in (*SCORED, "oracle")}
        gain = mean_of(np.array([one[belief]["lapse"] for one in workshops]) - usual)
        rows.append(Row(setting=setting, belief=belief, repetitions=len(workshops), gain=gain, **figures))
    return rows
