"""Units of scores: how many decimals they are shown with, and how close level scores are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pairvote.errors import InputError

ELO_PER_LOG_ODDS = 400.0 / math.log(10.0)
# Elo's own curve was the normal one, of performances that scatter by 200 each.
ELO_PER_PROBIT = 200.0 * math.sqrt(2.0)
# One unit is three votes to one: log 3 in log-odds, and the upper quartile of a normal in probits.
JOD_PER_LOG_ODDS = 1.0 / math.log(3.0)
JOD_PER_PROBIT = 1.0 / NormalDist().inv_cdf(0.75)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What scores are measured in.

    name : str
    decimals : int
        Shown where there are no standard errors to tell how many are worth it.
    level_within : float
        Scores at most this far apart are level: an item scored twice differs by rounding, or by a fit's tolerance.
    relative : bool
        Whether `level_within` is a share of the largest score.
    counted : bool
        Whether scores that are all whole numbers are shown without decimals.
    """

    name: str
    decimals: int
    level_within: float = 1e-12
    relative: bool = True
    counted: bool = False

    def tolerance(self, scores: NDArray[np.float64]) -> float:
        """How far apart level scores may be among these."""
        return self.level_within * (float(np.abs(scores).max(initial=0.0)) if self.relative else 1.0)


LOG_ODDS = Unit(name="log-odds", decimals=2, level_within=1e-8, relative=False)
PROBITS = Unit(name="probit", decimals=2, level_within=1e-8, relative=False)
JOD = Unit(name="jod", decimals=2, level_within=1e-8, relative=False)
ELO = Unit(name="elo", decimals=0, level_within=1e-8 * ELO_PER_LOG_ODDS, relative=False)
GLICKO = Unit(name="glicko", decimals=0, level_within=1e-8 * ELO_PER_LOG_ODDS, relative=False)
VOTES = Unit(name="votes", decimals=1, counted=True)
SHARE = Unit(name="share", decimals=3)
# The unit of scores that were fitted by a link.
UNIT_OF_LINK = {"logistic": LOG_ODDS.name, "probit": PROBITS.name}
# Registering a scorer in `pairvote.scoring` adds its unit here.
UNITS = {unit.name: unit for unit in (LOG_ODDS, PROBITS, JOD, ELO, GLICKO, VOTES, SHARE)}


def points_per_unit(unit: str, log_odds_per_unit: float | None, link: str | None = None) -> float:
    """Points of Elo's scale, where 400 are odds of 10 to 1, in one unit of scores; link: that of the fit, if any.

    Raises
    ------
    InputError
        For scores without a place on that scale.
    """
    if unit in (LOG_ODDS.name, PROBITS.name):
        return ELO_PER_LOG_ODDS if unit == LOG_ODDS.name else ELO_PER_PROBIT
    if unit == JOD.name and link is not None:
        return points_per_unit(UNIT_OF_LINK[link], None) / jods_per_unit(UNIT_OF_LINK[link])
    if unit == JOD.name:
        raise _scaled_already(unit)
    if unit not in (ELO.name, GLICKO.name):
        raise InputError(
            f"scores in {unit!r} have no place on Elo's scale", remedy="score with bradley_terry, elo or glicko2"
        )
    if link is not None:
        return 1.0
    if log_odds_per_unit is not None and not math.isclose(log_odds_per_unit * ELO_PER_LOG_ODDS, 1.0, rel_tol=1e-9):
        raise InputError(
            f"{math.log(10.0) / log_odds_per_unit:,.6g} points of these ratings are odds of 10 to 1, and 400 points of "
            "Elo's scale",
            remedy="rate with scale=400 and base=10",
        )
    return 1.0


def jods_per_unit(unit: str, link: str | None = None) -> float:
    """Just-objectionable differences in one unit of scores; InputError for scores that are no such differences.

    link : that of the fit, if any, which says what a point of Elo's scale is
    """
    if unit in (LOG_ODDS.name, PROBITS.name):
        return JOD_PER_LOG_ODDS if unit == LOG_ODDS.name else JOD_PER_PROBIT
    if unit == JOD.name:
        return 1.0
    if unit == ELO.name and link is not None:
        return jods_per_unit(UNIT_OF_LINK[link]) / points_per_unit(UNIT_OF_LINK[link], None)
    raise InputError(
        f"scores in {unit!r} are not those of a fitted model of a vote",
        remedy="score with bradley_terry, and put its ranking on this scale before any other",
    )


def _scaled_already(unit: str) -> InputError:
    return InputError(
        f"these scores are in {unit!r}, and how they were fitted is no longer known",
        remedy="put the ranking on this scale as it was scored, before any other",
    )
