r"""Links: the distribution F of the noise about a difference d.

With thresholds on either side an answer has the chance :math:`F(h) - F(l)`, l and h the thresholds less d. Both
densities here are log-concave, so the logarithm of such a chance is concave in (l, h) (Pratt 1981, "Concavity of the
log likelihood", JASA 76). The derivatives of :math:`\log(F(h) - F(l))` are, with densities f,

.. math:: g_h = f(h) / P, \qquad g_l = -f(l) / P, \qquad P = F(h) - F(l).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LinkName = Literal["logistic", "probit"]
LINK_NAMES: tuple[LinkName, ...] = get_args(LinkName)
LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


class Derivatives(NamedTuple):
    """Derivatives of log(F(high) - F(low)): the gradient by either end, and the information of both."""

    low: Floats
    high: Floats
    low_twice: Floats
    both: Floats
    high_twice: Floats


@dataclass(frozen=True)
class Link:
    """A distribution around 0, symmetric.

    unit: how many log-odds one unit is at level scores, so that a vote on level items says as much of either. Priors of
    parameters beside the scores, and a learned prior, are the same in log-odds for every link.
    """

    name: LinkName
    unit: float

    def log_chances(self, low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)), each end perhaps infinite."""
        raise NotImplementedError

    def derivatives(self, low: Floats, high: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        raise NotImplementedError

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        raise NotImplementedError

    def cumulative(self, x: float) -> float:
        """F at x."""
        return float(np.exp(self.log_chances(np.array(-math.inf), np.array(x))))


class _Logistic(Link):
    r"""The logistic distribution: :math:`P = \sigma(h)\,\sigma(-l)\,(1 - e^{l - h})`."""

    def log_chances(self, low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)), each end perhaps infinite."""
        return np.asarray(-np.logaddexp(0.0, -high) - np.logaddexp(0.0, low) + np.log(-np.expm1(low - high)))

    def derivatives(self, low: Floats, high: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        apart = high - low
        # Of the factor that keeps the two ends apart: 1 / (e^x - 1) and e^x / (e^x - 1)^2.
        away = np.exp(-apart)
        push = away / -np.expm1(-apart)
        stiff = push / -np.expm1(-apart)
        left, right = _sigmoid(low), _sigmoid(-high)
        return Derivatives(-left - push, right + push, left * (1 - left) + stiff, -stiff, right * (1 - right) + stiff)

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        return math.log(chance / (1.0 - chance))


class _Probit(Link):
    """The normal distribution of variance 1."""

    def log_chances(self, low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)), each end perhaps infinite."""
        from scipy.special import log_ndtr, ndtr

        low, high = np.broadcast_arrays(low, high)
        beyond = low > 0.0
        # In the lower tail, where F keeps its digits.
        low, high = np.where(beyond, -high, low), np.where(beyond, -low, high)
        across = high > 0.0
        outside = np.where(across, ndtr(low) + ndtr(-high), 0.0)
        below, above = log_ndtr(low), log_ndtr(np.minimum(high, 0.0))
        inside = above + np.log(-np.expm1(np.minimum(below - above, -np.finfo(float).tiny)))
        return np.asarray(np.where(across, np.log1p(-outside), inside))

    def derivatives(self, low: Floats, high: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        chances = self.log_chances(low, high)

        def over(end: Floats) -> tuple[Floats, Floats]:
            known = np.where(np.isinf(end), 0.0, end)
            found = np.where(np.isinf(end), 0.0, np.exp(-0.5 * known * known - LOG_ROOT_TWO_PI - chances))
            return found, known * found

        below, of_below = over(low)
        above, of_above = over(high)
        # The information of one end alone is positive, but for rounding far out.
        low_twice = np.maximum(below * below - of_below, 0.0)
        high_twice = np.maximum(above * above + of_above, 0.0)
        return Derivatives(-below, above, low_twice, -below * above, high_twice)

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        return NormalDist().inv_cdf(chance)


LOGISTIC: Link = _Logistic("logistic", 1.0)
# A vote on level items has the information f(0)^2 / (1/4): 1/4 by the logistic link, 2 / pi by the probit.
PROBIT: Link = _Probit("probit", math.sqrt(8.0 / math.pi))
LINKS: dict[str, Link] = {link.name: link for link in (LOGISTIC, PROBIT)}


def _sigmoid(x: Floats) -> Floats:
    smaller = np.exp(-np.abs(x))
    return np.where(x > 0, 1.0, smaller) / (1.0 + smaller)
