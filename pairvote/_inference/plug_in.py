r"""A learned prior put in as if it were known: where the votes are many, and where sampling would take too long.

At a fit under a normal prior, all that a score's votes say of it is nearly a normal likelihood
:math:`N(\mu_i; \theta_i, v_i)` with :math:`v_i = 1 / h_i`, h the information of the votes on each score, and
:math:`\mu_i = \theta_i + g_i / h_i`, g what they pull at it. So the prior's spread maximises
:math:`\sum \log N(\mu_i; m, S^2 + v_i)`, the mixture of `pairvote._inference.learned` is found by EM from the same
(with its own priors), and a score's prior is the normal with which its posterior has the mean and the variance that the
mixture gives it: a site of expectation propagation (Minka 2001), so that the fit goes on as under any normal prior.

What this leaves out, for a score with :math:`B_i = d_i / (d_i + h_i)`, the prior's part in it, d the precision of its
site or of the normal prior, whichever is larger:

- that the prior is not known. Its p numbers are estimated from n scores. The mean's error adds
  :math:`B_i / (n (1 - B_i))` to the posterior variance, as a part of it, and the spread's
  :math:`2 z^2 B_i / (n (1 - B_i))` at z standard deviations from the mean (Morris 1983; the delta method). With half
  of p such numbers that is about :math:`p B_i / (n (1 - B_i))`.
- that the likelihood is not normal: by its third derivative :math:`\kappa_i` the posterior mean is off the maximum by
  :math:`\kappa_i v_i^{3/2} / 2` standard deviations, to first order.

Both are small where votes are many, and `is_enough` holds where both are, for nineteen items in twenty.

References
----------
Minka (2001), "Expectation propagation for approximate Bayesian inference", UAI. Morris (1983), "Parametric empirical
Bayes inference: theory and applications", JASA 78.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.models import Model
from pairvote._inference.prior import Prior
from pairvote._inference.solver import Solution

Floats = NDArray[np.float64]
# Numbers of the prior that are learned: three places, widths and shares, of which one is the rest.
N_LEARNED = 8
# The largest part of a posterior variance that may be left out, and the largest shift in standard deviations.
MOST_VARIANCE, MOST_SHIFT = 0.02, 0.05
# The same, from which on a fit says that its errors may be too small.
SAID_VARIANCE, SAID_SHIFT = 0.1, 0.2
# Of so many items a prior is learned at most: more would change its last digits.
MOST_LEARNED = 20_000
N_STEPS = 40
# EM has arrived where no place and no width moves by more than this part of the spread.
CLOSE = 1e-3
SMALLEST_SPREAD, LARGEST_SPREAD = 0.01, 30.0
SCALE_SD = 2.0
# The spread, in log-odds, of the normal prior under which a fit is made that a prior is learned from.
FIRST_SD = 1.0
PLACE_SD = 1.5
WIDTH_SHAPE, WIDTH_SCALE = 3.0, 1.0
# A site may be no weaker than so much of the votes' information: between two groups the mixture's would be negative.
WEAKEST_SITE = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class NormalVotes:
    """What the votes say of each score, as a normal likelihood: its means and its information, of shape (n_items,).

    skewness: the third derivative of the log-likelihood in standard deviations, or a bound of it that is small enough.
    unit: how many log-odds one unit of the scores is.
    """

    means: Floats
    information: Floats
    skewness: Floats
    unit: float = 1.0

    @classmethod
    def of(cls, model: Model, solution: Solution) -> NormalVotes:
        """What the votes say at a maximum."""
        scores = solution.parameters[model.layout.scores]
        slopes = model.slopes(solution.parameters)
        information = np.maximum(slopes.diagonal - model.precisions, 0.0)
        pull = model.precisions * (scores - model.prior_centres[model.layout.scores])
        voted = information > 0.0
        means = scores + np.divide(pull, information, out=np.zeros(len(scores)), where=voted)
        # The third derivative is at most the second, which is often enough to know of it.
        skewness = np.where(voted, 1.0, 0.0) / np.sqrt(np.where(voted, information, 1.0))
        if shift_of(skewness) > MOST_SHIFT or model.unit != 1.0:
            third = model.sums.third_order(slopes, model.likelihood, solution.parameters)
            skewness = skewness * np.divide(third, information, out=np.zeros(len(scores)), where=voted)
        return cls(means=means, information=information, skewness=skewness, unit=model.unit)

    def some(self) -> NormalVotes:
        """Those of the items with votes, of many items each so-and-so-manieth."""
        chosen = np.flatnonzero(self.information > 0.0)
        chosen = chosen[:: max(1, math.ceil(len(chosen) / MOST_LEARNED))]
        return NormalVotes(
            means=self.means[chosen],
            information=self.information[chosen],
            skewness=self.skewness[chosen],
            unit=self.unit,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Mixture:
    """A prior of places, widths and shares, each (3,), in log-odds."""

    places: Floats
    widths: Floats
    shares: Floats

    @property
    def spread(self) -> float:
        """Its standard deviation."""
        off = self.places - self.shares @ self.places
        return float(np.sqrt(self.shares @ (self.widths**2 + off**2)))


def spread_of(votes: NormalVotes) -> float:
    """The most likely spread of a normal prior, its own prior that of the learned prior's scale."""
    some = votes.some()
    if len(some.means) < 2:
        return 1.0 / votes.unit
    spreads = np.geomspace(SMALLEST_SPREAD, LARGEST_SPREAD, 60) / votes.unit
    variances = spreads[:, None] ** 2 + 1.0 / some.information
    firm = 1.0 / variances
    places = (some.means * firm).sum(axis=1) / firm.sum(axis=1)
    off = some.means - places[:, None]
    values = -0.5 * (np.log(variances) + off**2 / variances).sum(axis=1) - 0.5 * (votes.unit * spreads / SCALE_SD) ** 2
    # The mean is not known: its information is integrated out, as in restricted maximum likelihood.
    values -= 0.5 * np.log(firm.sum(axis=1))
    return float(spreads[int(np.argmax(values))])


def mixture_of(votes: NormalVotes, spread: float, n_steps: int = N_STEPS) -> Mixture:
    """The mixture that EM leads to from three normals side by side, their priors in a unit that is learned with them.

    The unit is the learned prior's scale: of groups far apart it is less than the spread, so that they may be narrow.
    """
    some = votes.some()
    noise = 1.0 / some.information
    centre = float(np.median(some.means)) if len(some.means) else 0.0
    places, widths = centre + spread * np.array([-1.0, 0.0, 1.0]), np.full(3, 0.7 * spread)
    shares, square = np.full(3, 1.0 / 3.0), spread**2
    for _ in range(n_steps):
        before = np.concatenate([places, widths])
        variances = widths**2 + noise[:, None]
        off = some.means[:, None] - places
        chances = np.log(shares) - 0.5 * (np.log(variances) + off**2 / variances)
        chances = np.exp(chances - chances.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        # Given a component, the score's own mean, from its place, and variance.
        kept = widths**2 / variances
        ahead, within = kept * off, kept * noise[:, None]
        n_each = chances.sum(axis=0)
        shares = (n_each + 0.5) / (n_each.sum() + 1.5)
        firm, held = n_each / widths**2, 1.0 / (PLACE_SD**2 * square)
        moved = (chances * ahead).sum(axis=0) / widths**2 + held * (centre - places)
        places = places + moved / (firm + held)
        squares = (chances * ((ahead + some.means[:, None] - off - places) ** 2 + within)).sum(axis=0)
        widths = np.sqrt((2.0 * WIDTH_SCALE * square + squares) / (2.0 * WIDTH_SHAPE + n_each))
        # Places and logarithms of squared widths in the unit have their priors, and so has its logarithm: the square of
        # the unit maximises power log square - narrow square - apart / square.
        narrow = WIDTH_SCALE * (widths**-2.0).sum() + 0.5 * (SCALE_SD / votes.unit) ** -2.0
        apart = 0.5 * ((places - centre) ** 2).sum() / PLACE_SD**2
        power = 3.0 * WIDTH_SHAPE + 0.5
        square = (power + math.sqrt(power**2 + 4.0 * narrow * apart)) / (2.0 * narrow)
        if float(np.abs(np.concatenate([places, widths]) - before).max()) < CLOSE * spread:
            break
    return Mixture(places=places, widths=widths, shares=shares)


def sites_of(votes: NormalVotes, mixture: Mixture) -> Prior:
    """The normal priors with which each score has the mean and variance that the mixture gives it."""
    widest = float(mixture.spread)
    information = np.maximum(votes.information, WEAKEST_SITE * widest**-2.0)
    noise = 1.0 / information[:, None]
    variances = mixture.widths**2 + noise
    off = votes.means[:, None] - mixture.places
    chances = np.log(mixture.shares) - 0.5 * (np.log(variances) + off**2 / variances)
    chances = np.exp(chances - chances.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    kept = mixture.widths**2 / variances
    each = mixture.places + kept * off
    means = (chances * each).sum(axis=1)
    spreads = (chances * (kept * noise + (each - means[:, None]) ** 2)).sum(axis=1)
    precision = np.maximum(1.0 / spreads - information, WEAKEST_SITE * information)
    centre = ((information + precision) * means - information * votes.means) / precision
    return Prior(precision=precision, centre=centre, spread=widest)


def errors_of(votes: NormalVotes, spread: float, sites: Prior) -> tuple[float, float]:
    """What is left out, in all but one of twenty items: a part of the variance, and a shift in standard deviations."""
    voted = votes.information > 0.0
    if not voted.any():
        return math.inf, math.inf
    odds = (np.maximum(sites.precision, spread**-2.0) * np.ones(len(voted)))[voted] / votes.information[voted]
    variance = float(np.quantile(odds, 0.95)) * N_LEARNED / len(votes.means)
    return variance, shift_of(votes.skewness)


def shift_of(skewness: Floats) -> float:
    """How far means are off the maximum in standard deviations, in all but one of twenty items with votes."""
    voted = skewness != 0.0
    return 0.5 * float(np.quantile(np.abs(skewness[voted]), 0.95)) if voted.any() else 0.0


def is_enough(errors: tuple[float, float]) -> bool:
    """Whether what is left out is small beside what is known."""
    return errors[0] <= MOST_VARIANCE and errors[1] <= MOST_SHIFT


def is_honest(errors: tuple[float, float]) -> bool:
    """Whether what is left out is not worth saying: a twentieth of a standard error, or a fifth of one."""
    return errors[0] <= SAID_VARIANCE and errors[1] <= SAID_SHIFT


def spread_error(votes: NormalVotes, spread: float) -> float:
    """The standard error of the spread's logarithm, of normal scores."""
    kept = 1.0 / (1.0 + 1.0 / (np.maximum(votes.information, 1e-300) * spread**2))
    total = 2.0 * float(np.square(kept).sum())
    return total**-0.5 if total > 0.0 else math.inf
