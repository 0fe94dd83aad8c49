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
ROOT_TWO, ROOT_HALF_PI = math.sqrt(2.0), math.sqrt(0.5 * math.pi)


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
        low_twice, high_twice = left * _sigmoid(-low), right * _sigmoid(high)
        return Derivatives(-left - push, right + push, low_twice + stiff, -stiff, high_twice + stiff)

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        return math.log(chance / (1.0 - chance))


class _Probit(Link):
    r"""The normal distribution of variance 1.

    In the lower tail, to which both ends are turned, :math:`\Phi(x) = \phi(x) R(x)` with :math:`R(x) = \sqrt{\pi / 2}\,
    \mathrm{erfcx}(-x / \sqrt 2)`, in which nothing cancels and nothing underflows.
    """

    def log_chances(self, low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)), each end perhaps infinite."""
        from scipy.special import log_ndtr

        low, high, _ = self._turned(low, high)
        apart = -np.expm1(np.minimum(self._log_ratio(low, high), -np.finfo(float).tiny))
        inside = log_ndtr(np.minimum(high, 0.0)) + np.log(apart)
        return np.asarray(np.where(high > 0.0, self._log_across(low, high), inside))

    def derivatives(self, low: Floats, high: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        from scipy.special import erfcx

        low, high, turned = self._turned(low, high)
        across = high > 0.0
        # The density at the higher end over the chance, and the lower end's beside it.
        by_tail = 1.0 / (ROOT_HALF_PI * erfcx(-np.minimum(high, 0.0) / ROOT_TWO))
        by_tail /= -np.expm1(np.minimum(self._log_ratio(low, high), -np.finfo(float).tiny))
        chance = np.where(across, np.exp(self._log_across(low, high)), 1.0)
        above = np.where(across, _density(high) / chance, by_tail)
        below = np.where(across, _density(low) / chance, by_tail * np.exp(self._fall(low, high)))
        # The information of one end alone is positive, but for rounding far out.
        low_twice = np.maximum(below * (below - np.where(np.isinf(low), 0.0, low)), 0.0)
        high_twice = np.maximum(above * (above + np.where(np.isinf(high), 0.0, high)), 0.0)
        return Derivatives(
            np.where(turned, -above, -below),
            np.where(turned, below, above),
            np.where(turned, high_twice, low_twice),
            -below * above,
            np.where(turned, low_twice, high_twice),
        )

    @staticmethod
    def _turned(low: Floats, high: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Both ends, turned about 0 where both are above it, and where that is."""
        low, high = np.broadcast_arrays(low, high)
        turned = low > 0.0
        return np.where(turned, -high, low), np.where(turned, -low, high), turned

    @staticmethod
    def _fall(low: Floats, high: Floats) -> Floats:
        """The logarithm of the densities' ratio, of the lower end to the higher one or 0, whichever is lower."""
        high = np.minimum(high, 0.0)
        return np.asarray(0.5 * (high - low) * (high + low))

    def _log_ratio(self, low: Floats, high: Floats) -> Floats:
        """log(F(low) / F(high)) in the lower tail."""
        from scipy.special import erfcx

        known = np.where(np.isinf(low), 0.0, low)
        ratio = erfcx(-known / ROOT_TWO) / erfcx(-np.minimum(high, 0.0) / ROOT_TWO)
        return np.asarray(np.log(ratio) + self._fall(low, high))

    @staticmethod
    def _log_across(low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)) where 0 is between them."""
        from scipy.special import erf, ndtr

        low, high = np.minimum(low, 0.0), np.where(high > 0.0, high, math.inf)
        outside = ndtr(low) + ndtr(-high)
        narrow = np.log(0.5 * (erf(high / ROOT_TWO) + erf(-low / ROOT_TWO)))
        return np.asarray(np.where(outside < 0.5, np.log1p(-np.minimum(outside, 0.5)), narrow))

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


def _density(x: Floats) -> Floats:
    """The normal density; 0 far out."""
    return np.asarray(np.exp(-0.5 * x * x) / (2.0 * ROOT_HALF_PI))
