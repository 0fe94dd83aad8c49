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
# Below, the series of Mills' ratio has all digits.
FAR = -30.0
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
    r"""The normal distribution of variance 1.

    In a tail, with the ratio :math:`\rho = \Phi(l) / \Phi(h)` and the hazard :math:`r(x) = \varphi(x) / \Phi(x)`,
    :math:`P = \Phi(h) (1 - \rho)`, :math:`g_h = r(h) / (1 - \rho)` and :math:`g_l = -r(l) \rho / (1 - \rho)`, which
    keeps all digits.
    """

    def log_chances(self, low: Floats, high: Floats) -> Floats:
        """log(F(high) - F(low)), each end perhaps infinite."""
        low, high, _ = _in_lower_tail(low, high)
        from scipy.special import log_ndtr, ndtr

        across = high > 0.0
        outside = np.where(across, ndtr(low) + ndtr(-high), 0.0)
        last = np.minimum(high, 0.0)
        inside = log_ndtr(last) + np.log(-np.expm1(_log_ratio(low, last)))
        return np.asarray(np.where(across, np.log1p(-outside), inside))

    def derivatives(self, low: Floats, high: Floats) -> Derivatives:
        """The derivatives of that; 0 by an infinite end."""
        chances = self.log_chances(low, high)
        low, high, turned = _in_lower_tail(low, high)
        across, last = high > 0.0, np.minimum(high, 0.0)

        def density(end: Floats) -> Floats:
            known = np.where(across & np.isfinite(end), end, 0.0)
            exponent = -0.5 * known * known - LOG_ROOT_TWO_PI - np.where(across, chances, 0.0)
            return np.asarray(np.where(np.isfinite(end), np.exp(exponent), 0.0))

        # Neither end in the tail on its own side.
        above, below = density(high), density(low)
        first = np.where(np.isfinite(low), np.minimum(low, 0.0), -1.0)
        high_twice, low_twice = above * (above + np.where(np.isfinite(high), high, 0.0)), below * (below - first)
        # Both in the lower tail.
        ratio = np.exp(_log_ratio(low, last))
        hazard, more = _hazard(last)
        of_low = np.where(np.isfinite(low), _hazard(first)[0] * ratio / (1.0 - ratio), 0.0)
        above, below = np.where(across, above, hazard / (1.0 - ratio)), np.where(across, below, of_low)
        tail = hazard * (more - last * ratio) / (1.0 - ratio) ** 2
        high_twice = np.where(across, high_twice, np.maximum(tail, 0.0))
        low_twice = np.where(across, low_twice, np.maximum(below * (below - first), 0.0))
        return Derivatives(
            np.where(turned, -above, -below),
            np.where(turned, below, above),
            np.where(turned, high_twice, low_twice),
            -below * above,
            np.where(turned, low_twice, high_twice),
        )

    def quantile(self, chance: float) -> float:
        """Where F has this value."""
        return NormalDist().inv_cdf(chance)


def _in_lower_tail(low: Floats, high: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The ends mirrored where both are above 0, and where they are."""
    low, high = np.broadcast_arrays(low, high)
    turned = low > 0.0
    return np.where(turned, -high, low), np.where(turned, -low, high), turned


def _hazard(x: Floats) -> tuple[Floats, Floats]:
    """The density over the distribution at x <= 0, and that plus x."""
    from scipy.special import log_ndtr

    near = np.exp(-0.5 * x * x - LOG_ROOT_TWO_PI - log_ndtr(x))
    less = _less_of_mills(x)
    far = -x / (1.0 - less)
    return np.where(x > FAR, near, far), np.where(x > FAR, near + x, less * far)


def _log_ratio(low: Floats, high: Floats) -> Floats:
    """The logarithm of the distribution at `low` over that at `high`, both at most 0."""
    from scipy.special import log_ndtr

    first = np.where(np.isfinite(low), np.minimum(low, high), high)
    known, beyond = np.minimum(first, FAR), np.minimum(high, FAR)
    far = 0.5 * (beyond - known) * (beyond + known) - np.log(known / beyond)
    far = far + np.log1p(-_less_of_mills(known)) - np.log1p(-_less_of_mills(beyond))
    found = np.where(high > FAR, log_ndtr(first) - log_ndtr(high), far)
    # Between ends that are one there is nothing; where the lower is infinite there is all.
    return np.where(np.isfinite(low), np.minimum(found, -np.finfo(float).tiny), -np.inf)


def _less_of_mills(x: Floats) -> Floats:
    """What Mills' ratio times -x is less than 1 far below 0, by its series: 1 / x^2 - 3 / x^4 + ..."""
    q = 1.0 / np.square(np.minimum(x, FAR))
    return np.asarray(q * (1.0 - q * (3.0 - q * (15.0 - q * (105.0 - q * 945.0)))))


LOGISTIC: Link = _Logistic("logistic", 1.0)
# A vote on level items has the information f(0)^2 / (1/4): 1/4 by the logistic link, 2 / pi by the probit.
PROBIT: Link = _Probit("probit", math.sqrt(8.0 / math.pi))
LINKS: dict[str, Link] = {link.name: link for link in (LOGISTIC, PROBIT)}


def _sigmoid(x: Floats) -> Floats:
    smaller = np.exp(-np.abs(x))
    return np.where(x > 0, 1.0, smaller) / (1.0 + smaller)
