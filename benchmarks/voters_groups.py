"""Groups of voters: how often `compare_groups` finds a difference, where there is one and where there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks.honesty import NOISE, SEED, Figure, share_of
from benchmarks.voters import KALMAR, SPREAD

Floats = NDArray[np.float64]
LEVEL, POWER = 0.05, 0.8
# As exact as 9,999 at 5%, but for chance of its own.
N_REASSIGNMENTS = 999
# Standard deviations of the difference between two groups' scores of an item.
DIFFERENCES = (0.3, 0.5, 0.7, 0.9, 1.2)
N_RESAMPLES = 400


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A kind of electorate: two groups of voters in turns, whose scores of an item differ by a normal difference."""

    name: str
    difference: float = 0.0
    taste_sd: float = 0.0
    random_voters: float = 0.0
    n_voters: int = 30
    sampler: str = "balanced"

    @property
    def simulated(self) -> dict[str, Any]:
        """Options of `pairvote.simulate`."""
        # Each of two clusters is off by the same, one up and one down.
        voters = pv.VoterModel(
            clusters=2,
            cluster_sd=self.difference / 2.0,
            taste_sd=self.taste_sd,
            random_voters=self.random_voters,
        )
        return {**KALMAR, **SPREAD, "n_voters": self.n_voters, "sampler": self.sampler, "voters": voters}


def settings() -> list[Setting]:
    """All rows: first those without a difference, which the level is about."""
    return [
        Setting(name="15 + 15, no difference"),
        Setting(name="15 + 15, no difference, tastes 0.5", taste_sd=0.5),
        Setting(name="15 + 15, no difference, tastes 1", taste_sd=1.0),
        Setting(name="15 + 15, no difference, a third random", random_voters=1 / 3),
        Setting(name="60 + 60, no difference, tastes 0.5", taste_sd=0.5, n_voters=120),
        *(Setting(name=f"15 + 15, difference {sd:g}", difference=sd) for sd in DIFFERENCES),
        *(Setting(name=f"15 + 15, difference {sd:g}, tastes 0.5", difference=sd, taste_sd=0.5) for sd in DIFFERENCES),
    ]


class Found(NamedTuple):
    """Whether each test says at 5% that the groups differ."""

    reassigned: bool
    likelihood_ratio: bool
    score_test: bool


def look_at(votes: pv.Votes, options: Mapping[str, Any], seed: Sequence[int]) -> Found:
    """One workshop, of which every second voter is in the one group."""
    groups = {voter: ("even", "odd")[code % 2] for code, voter in enumerate(votes.voters)}
    found = pv.compare_groups(
        votes, groups, n_reassignments=N_REASSIGNMENTS, rng=np.random.default_rng(seed), **options
    )
    tests = found.p_value, found.likelihood_ratio.p_value, found.score_test.p_value
    return Found(*(bool(p_value <= LEVEL) for p_value in tests))


@dataclass(frozen=True, kw_only=True)
class Row:
    """The share of workshops in which each test finds a difference."""

    setting: Setting
    repetitions: int
    reassigned: Figure
    likelihood_ratio: Figure
    score_test: Figure
    found: tuple[Found, ...] = field(repr=False)

    @property
    def verdict(self) -> str:
        """Whether the level holds where there is no difference."""
        if self.setting.difference:
            return ""
        by = self.reassigned.value - LEVEL
        return "yes" if by <= 0.0 else "in doubt" if by <= NOISE * self.reassigned.error else "NO"


def measure(setting: Setting, repetitions: int, *, prior_sd: Any = None, n_jobs: int = 2) -> Row:
    """Simulate a row; the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    simulation = pv.simulate(**setting.simulated, repetitions=repetitions, rng=SEED)
    options = {} if prior_sd is None else {"prior_sd": prior_sd}
    calls = (delayed(look_at)(simulation.votes(r), options, (SEED, r)) for r in range(repetitions))
    return summary(setting, Parallel(n_jobs=n_jobs)(calls))


def summary(setting: Setting, found: Sequence[Found]) -> Row:
    """The figures of a row from its workshops."""
    shares = {name: share_of([float(getattr(one, name)) for one in found]) for name in Found._fields}
    return Row(setting=setting, repetitions=len(found), found=tuple(found), **shares)


def needed(rows: Sequence[Row], taste_sd: float) -> Figure | None:
    """The difference that is found in 80%, between those that were simulated, with an error by resampling workshops.

    The workshops of two differences have the same strengths and the same luck, so they are drawn together.
    """
    rows = [row for row in rows if row.setting.difference and row.setting.taste_sd == taste_sd]
    if len(rows) < 2:
        return None
    differences = np.array([row.setting.difference for row in rows])
    found = np.array([[one.reassigned for one in row.found] for row in rows], np.float64)
    value = _crossing(differences, found.mean(axis=1))
    if value is None:
        return None
    n, rng = found.shape[1], np.random.default_rng(SEED)
    again = (_crossing(differences, found[:, drawn].mean(axis=1)) for drawn in rng.integers(n, size=(N_RESAMPLES, n)))
    return Figure(value, float(np.std([one for one in again if one is not None])))


def _crossing(differences: Floats, power: Floats) -> float | None:
    from scipy.optimize import isotonic_regression

    # A larger difference is found more often; what says otherwise is chance.
    curve = isotonic_regression(power).x
    if not curve[0] < POWER <= curve[-1]:
        return None
    after = int(np.searchsorted(curve, POWER))
    part = (POWER - curve[after - 1]) / (curve[after] - curve[after - 1])
    return float(differences[after - 1] + part * (differences[after] - differences[after - 1]))
