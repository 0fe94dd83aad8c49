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
NARROW = 1e-5


class Derivatives(NamedTuple):
    """Derivatives of log(F(high) - F(low)): the gradient by either end, and the information of both.

    shift, shift_twice: the gradient and the information when both ends move together, in which nothing cancels.
    """

    low: Floats
    high: Floats
    low_twice: Floats
    both: Floats
    high_twice: Floats
    shift: Floats
    shift_twice: Floats


@dataclass(frozen=True)
class Link:
    """A distribution around 0, symmetric.

    unit: how many log-odds one unit is at level scores, so that a vote on level items says as much of either. Priors of
    parameters beside the scores, and a learned prior, are the same in log-odds for every link.

    Ends may be infinite; apart is high - low, which rounding far out would lose.
    """

    name: LinkName
    unit: float

    def log_chances(self, low: Floats, high: Floats, apart: Floats) -> Floats:
        """log(F(high) - F(low))."""
        raise NotImplementedError

    def derivatives(self, low: Floats, high: Floats, apart: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        raise NotImplementedError

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        raise NotImplementedError

    def log_cumulative(self, x: Floats) -> Floats:
        """Log F(x)."""
        nothing = np.full(np.shape(x), -math.inf)
        return self.log_chances(nothing, np.asarray(x), -nothing)


class _Logistic(Link):
    r"""The logistic distribution: :math:`P = \sigma(h)\,\sigma(-l)\,(1 - e^{l - h})`."""

    def log_chances(self, low: Floats, high: Floats, apart: Floats) -> Floats:
        """log(F(high) - F(low))."""
        return np.asarray(-np.logaddexp(0.0, -high) - np.logaddexp(0.0, low) + np.log(-np.expm1(-apart)))

    def derivatives(self, low: Floats, high: Floats, apart: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        # Of the factor that keeps the two ends apart: 1 / (e^x - 1) and e^x / (e^x - 1)^2.
        push = np.exp(-apart) / -np.expm1(-apart)
        stiff = push / -np.expm1(-apart)
        left, right = _sigmoid(low), _sigmoid(-high)
        low_twice, high_twice = left * _sigmoid(-low), right * _sigmoid(high)
        return Derivatives(
            low=-left - push,
            high=right + push,
            low_twice=low_twice + stiff,
            both=-stiff,
            high_twice=high_twice + stiff,
            shift=right - left,
            shift_twice=low_twice + high_twice,
        )

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        return math.log(chance / (1.0 - chance))


class _Probit(Link):
    r"""The normal distribution of variance 1.

    In the lower tail, to which both ends are turned, :math:`\Phi(x) = \phi(x) R(x)` with :math:`R(x) = \sqrt{\pi / 2}\,
    \mathrm{erfcx}(-x / \sqrt 2)`, in which nothing cancels and nothing underflows.
    """

    def log_chances(self, low: Floats, high: Floats, apart: Floats) -> Floats:
        """log(F(high) - F(low))."""
        from scipy.special import log_ndtr

        low, high, _ = self._turned(low, high)
        inside = log_ndtr(np.minimum(high, 0.0)) + np.log(self._share(low, high, apart))
        return np.asarray(np.where(high > 0.0, self._log_across(low, high), inside))

    def derivatives(self, low: Floats, high: Floats, apart: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        low, high, turned = self._turned(low, high)
        across = high > 0.0
        known_low, known_high = (np.where(np.isinf(end), 0.0, end) for end in (low, high))
        # The density at the higher end over the chance, and how far it falls to the lower end.
        tail = 1.0 / (_mills(high) * self._share(low, high, apart))
        fall = self._fall(low, high, apart)
        chance = np.where(across, np.exp(self._log_across(low, high)), 1.0)
        above = np.where(across, _density(high) / chance, tail)
        below = np.where(across, _density(low) / chance, tail * np.exp(fall))
        shift = np.where(across, above - below, -tail * np.expm1(fall))
        # Above times high less below times low.
        moved = np.where(np.isinf(low), known_high, apart + known_low * -np.expm1(fall))
        slope = np.where(across, above * known_high - below * known_low, tail * np.where(across, 0.0, moved))
        # An information of one end, or of both together, is positive but for rounding.
        low_twice = np.maximum(below * (below - known_low), 0.0)
        high_twice = np.maximum(above * (above + known_high), 0.0)
        return Derivatives(
            low=np.where(turned, -above, -below),
            high=np.where(turned, below, above),
            low_twice=np.where(turned, high_twice, low_twice),
            both=-below * above,
            high_twice=np.where(turned, low_twice, high_twice),
            shift=np.where(turned, -shift, shift),
            shift_twice=np.maximum(shift * shift + slope, 0.0),
        )

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        return NormalDist().inv_cdf(chance)

    @staticmethod
    def _turned(low: Floats, high: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Both ends, turned about 0 where none is below it, and where that is."""
        low, high = np.broadcast_arrays(low, high)
        turned = low >= 0.0
        return np.where(turned, -high, low), np.where(turned, -low, high), turned

    @staticmethod
    def _fall(low: Floats, high: Floats, apart: Floats) -> Floats:
        """The logarithm of the density at the lower end over that at the higher one, both below 0."""
        return np.asarray(0.5 * apart * (np.minimum(high, 0.0) + low))

    def _share(self, low: Floats, high: Floats, apart: Floats) -> Floats:
        """1 - F(low) / F(high), both below 0; of near ends by the slope of log F halfway."""
        narrow = apart < NARROW
        by_slope = np.where(narrow, apart, 0.0) / _mills(np.where(narrow, 0.5 * (low + high), 0.0))
        ratio = np.log(_mills(np.where(np.isinf(low), high, low)) / _mills(high)) + self._fall(low, high, apart)
        return np.asarray(-np.expm1(np.where(narrow, -by_slope, ratio)))

    @staticmethod
    def _log_across(low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)) where 0 is between them."""
        from scipy.special import erf, ndtr

        low, high = np.minimum(low, 0.0), np.where(high > 0.0, high, math.inf)
        outside = ndtr(low) + ndtr(-high)
        narrow = np.log(0.5 * (erf(high / ROOT_TWO) + erf(-low / ROOT_TWO)))
        return np.asarray(np.where(outside < 0.5, np.log1p(-np.minimum(outside, 0.5)), narrow))


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


def _mills(x: Floats) -> Floats:
    """Mills' ratio R(x) of the lower tail, at x or 0, whichever is lower."""
    from scipy.special import erfcx

    return np.asarray(ROOT_HALF_PI * erfcx(-np.minimum(x, 0.0) / ROOT_TWO))
