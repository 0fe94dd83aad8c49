"""Camps of voters whom nobody knows: how often `find_groups` says how many there are, and who is in which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pairvote as pv
from benchmarks.honesty import NOISE, SEED, Figure, mean_of, share_of
from benchmarks.voters import KALMAR, SPREAD

MOST = 4
# At most so many of the workshops with one scale are split; at least so many with two camps are found.
SPLIT, FOUND = 0.05, 0.9


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A kind of electorate; voter v is in camp v modulo `camps`. The goal is for none, one camp, or two."""

    name: str
    camps: int = 1
    simulated: Mapping[str, Any] = field(default_factory=dict)
    has_goal: bool = True


def settings() -> list[Setting]:
    """All rows."""

    def of(name: str, camps: int = 1, *, votes_each: int = 40, has_goal: bool = True, **voters: Any) -> Setting:
        model = pv.VoterModel(clusters=camps, cluster_sd=1.5, **voters)
        simulated = {"votes_each": votes_each, "voters": model}
        return Setting(name=f"camps, {name}", camps=camps, simulated=simulated, has_goal=has_goal)

    return [
        of("one scale, 20 votes each", votes_each=20),
        of("one scale, 40 votes each"),
        of("one scale, tastes 0.5", taste_sd=0.5),
        of("one scale, a third random", random_voters=1 / 3),
        of("one scale, a tenth promote", self_promotion=3.0, promoters=0.1),
        of("two camps, 20 votes each", 2, votes_each=20, has_goal=False),
        of("two camps, 40 votes each", 2),
        of("two camps, tastes 0.5", 2, taste_sd=0.5, has_goal=False),
        of("three camps, 40 votes each", 3, has_goal=False),
    ]


class Found(NamedTuple):
    """How many camps are found, and the share of voters in the wrong one where that is right and not one."""

    n_camps: int
    wrong: float | None


def look_at(votes: pv.Votes, setting: Setting, seed: Sequence[int]) -> Found:
    """One workshop."""
    camps = pv.find_groups(votes, max_groups=MOST, rng=np.random.default_rng(seed))
    n_camps = camps.n_groups
    if n_camps != setting.camps or n_camps == 1:
        return Found(n_camps, None)
    return Found(n_camps, wrong(np.argmax(camps.membership, axis=1), np.asarray(camps.voters) % setting.camps))


def wrong(found: NDArray[Any], truth: NDArray[Any]) -> float:
    """The share of voters in the wrong camp, when camps are paired so that it is the smallest."""
    from scipy.optimize import linear_sum_assignment

    n = int(max(found.max(), truth.max())) + 1
    table = np.zeros((n, n))
    np.add.at(table, (found, truth), 1.0)
    rows, columns = linear_sum_assignment(-table)
    return float(1.0 - table[rows, columns].sum() / len(truth))


@dataclass(frozen=True, kw_only=True)
class Row:
    """The share of workshops with each number of camps said, and the share of voters in the wrong one."""

    setting: Setting
    repetitions: int
    one: Figure
    two: Figure
    more: Figure
    wrong: Figure | None

    @property
    def verdict(self) -> str:
        """Whether one scale is left whole, and two camps are found."""
        if not self.setting.has_goal:
            return ""
        if self.setting.camps == 1:
            by, error = 1.0 - SPLIT - self.one.value, self.one.error
        else:
            by, error = FOUND - self.two.value, self.two.error
        return "yes" if by <= 0.0 else "in doubt" if by <= NOISE * error else "NO"


def measure(setting: Setting, repetitions: int, *, n_jobs: int = 2) -> Row:
    """Simulate a row; the same numbers for any `n_jobs`."""
    from joblib import Parallel, delayed

    simulation = pv.simulate(**{**KALMAR, **SPREAD, **setting.simulated}, repetitions=repetitions, rng=SEED)
    calls = (delayed(look_at)(simulation.votes(r), setting, (SEED, r)) for r in range(repetitions))
    return summary(setting, Parallel(n_jobs=n_jobs)(calls))


def summary(setting: Setting, found: Sequence[Found]) -> Row:
    """The figures of a row from its workshops."""
    n_camps = np.array([one.n_camps for one in found])
    missed = [one.wrong for one in found if one.wrong is not None]
    return Row(
        setting=setting,
        repetitions=len(found),
        one=share_of((n_camps == 1).tolist()),
        two=share_of((n_camps == 2).tolist()),
        more=share_of((n_camps > 2).tolist()),
        wrong=mean_of(missed) if len(missed) > 1 else None,
    )
