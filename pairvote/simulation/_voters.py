r"""How simulated voters answer: the model of one vote, and how voters differ.

Each item has a common strength, in log-odds. Voter v sees item i at

.. math:: s_{vi} = strength_i + taste\_sd\;z_{vi} + cluster\_sd\;\bar z_{c(v)\,i} + self\_promotion\,[i = own(v)]

with z standard normal and :math:`\bar z` the same, scaled and shifted to mean 0 over clusters and standard deviation 1.
Let :math:`d = s_{v,left} - s_{v,right} + position`. An attentive voter picks the left item over the right one with the
chance p of "bradley-terry" or "probit",

.. math:: p = \frac{1}{1 + e^{-d}} \qquad\text{or}\qquad p = \Phi\bigl(\sqrt{\pi/8}\;d\bigr),

whose slopes are the same at d = 0, so that strengths are log-odds of close items under both. With ties it is Davidson's

.. math:: P(left) : P(tie) : P(right) = p : \nu\sqrt{p\,(1 - p)} : 1 - p, \qquad \nu = tie\_parameter.

Before that, a pair whose lead l = d - position looks small is skipped with the chance
:math:`skip\;e^{-l^2 / (2\,skip\_width^2)}`; and before that, with the chance `lapse`, the voter picks a side by a coin,
as some voters always do.

References
----------
Davidson (1970), "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", JASA 65.
Thurstone (1927), "A law of comparative judgment", Psychological Review 34: the probit, case V.
Wichmann and Hill (2001), "The psychometric function: I", Perception & Psychophysics 63(8): lapses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.messages import shorten
from pairvote.errors import InputError

Floats = NDArray[np.float64]
Choice = Literal["bradley-terry", "probit"]
CHOICES: tuple[Choice, ...] = ("bradley-terry", "probit")
PROBIT_SCALE = math.sqrt(math.pi / 8.0)
# Uniforms are multiples of 2^-53; half of one stands for zero.
LEAST_UNIFORM = 2.0**-54
LARGEST_TIE_PARAMETER = 1e6
# Beyond every threshold of a voter who judges, and short of those of one who flips a coin.
ALWAYS = 1e12


@dataclass(frozen=True, kw_only=True)
class VoterModel:
    """How simulated voters answer. The defaults are voters who all answer by Bradley-Terry; the equations stand above.

    Parameters
    ----------
    model : {"bradley-terry", "probit"}
        How the chance of picking a side grows with the lead in strength.
    tie_parameter : float
        Davidson's nu: two equal items tie with the chance nu / (2 + nu), of the questions answered with attention.
    position : float
        What standing on the left adds, in log-odds.
    lapse : float
        The share of answers given by a coin, from 0 to 1.
    random_voters : float
        The share of voters who always answer so; of n voters the last round(share x n).
    taste_sd : float
        How much each voter's strengths scatter around the common ones, in log-odds.
    clusters : int
        How many clusters of opinion there are; voter v is in cluster v modulo `clusters`.
    cluster_sd : float
        How much the strengths of clusters scatter around the common ones, in log-odds; where there are several.
    self_promotion : float
        What a promoter sees in the own proposal beyond its strength, in log-odds; `math.inf` to always pick it. Voter v
        is an author of item v modulo n_items.
    promoters : float
        The share of voters who do so; of n voters the first round(share x n).
    skip : float
        The chance of skipping a pair that is level in the voter's eyes, from 0 to 1.
    skip_width : float
        The lead in log-odds at which that chance has fallen to exp(-1/2) of it.

    Raises
    ------
    InputError
        For a value out of range.

    Examples
    --------
    >>> import pairvote as pv
    >>> voters = pv.VoterModel(tie_parameter=0.5, lapse=0.1)
    >>> voters
    VoterModel(tie_parameter=0.5, lapse=0.1)
    >>> voters.outcome_probabilities([0.0, 2.0]).round(3).tolist()     # right, tie, left, skip
    [[0.41, 0.18, 0.41, 0.0], [0.142, 0.125, 0.732, 0.0]]
    """

    model: Choice = "bradley-terry"
    tie_parameter: float = 0.0
    position: float = 0.0
    lapse: float = 0.0
    random_voters: float = 0.0
    taste_sd: float = 0.0
    clusters: int = 1
    cluster_sd: float = 1.0
    self_promotion: float = 0.0
    promoters: float = 1.0
    skip: float = 0.0
    skip_width: float = 1.0

    def __post_init__(self) -> None:
        if self.model not in CHOICES:
            raise InputError(f"model is {shorten(self.model)}; use one of {', '.join(map(repr, CHOICES))}")
        for name in ("lapse", "random_voters", "promoters", "skip"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value <= 1:
                raise InputError(f"{name} is {shorten(value)}; it is a share, a number from 0 to 1")
        for name in ("taste_sd", "cluster_sd"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value < math.inf:
                raise InputError(f"{name} is {shorten(value)}; it is a standard deviation in log-odds, finite, from 0")
        value = self.tie_parameter
        if not is_number(value) or not 0 <= value <= LARGEST_TIE_PARAMETER:
            raise InputError(f"tie_parameter is {shorten(value)}; it is Davidson's nu, a number from 0, such as 0.5")
        if not is_number(self.position) or not math.isfinite(self.position):
            raise InputError(f"position is {shorten(self.position)}; it is what the left gains, in finite log-odds")
        if not is_number(self.self_promotion) or not -math.inf < self.self_promotion:
            raise InputError(
                f"self_promotion is {shorten(self.self_promotion)}; it is a number of log-odds, or math.inf for always"
            )
        if not is_whole(self.clusters) or self.clusters < 1:
            raise InputError(f"clusters is {shorten(self.clusters)}; it is a whole number from 1, which is none")
        if not is_number(self.skip_width) or not 0 < self.skip_width < math.inf:
            raise InputError(f"skip_width is {shorten(self.skip_width)}; it is a lead in log-odds, finite and above 0")

    def __repr__(self) -> str:
        fields = type(self).__dataclass_fields__
        told = [f"{name}={getattr(self, name)!r}" for name in fields if getattr(self, name) != fields[name].default]
        return f"VoterModel({', '.join(told)})"

    @property
    def have_tastes(self) -> bool:
        """Whether voters see the items at strengths of their own."""
        return bool(
            self.taste_sd or (self.clusters > 1 and self.cluster_sd) or (self.self_promotion and self.promoters)
        )

    def n_random(self, n_voters: int) -> int:
        """How many of so many voters always answer by a coin: the last ones."""
        return round_half_up(self.random_voters * n_voters)

    def n_promoters(self, n_voters: int) -> int:
        """How many of so many voters push their own proposal: the first ones."""
        return round_half_up(self.promoters * n_voters) if self.self_promotion else 0

    def outcome_probabilities(self, lead: ArrayLike) -> Floats:
        """The chances of right, tie, left and skip by `Outcome`: float64, shape (..., 4), of a voter who may lapse.

        Parameters
        ----------
        lead : array_like of float, shape (...)
            How far the left item is ahead in this voter's eyes, in log-odds, before the position's effect.

        Examples
        --------
        >>> import pairvote as pv
        >>> pv.VoterModel(model="probit").outcome_probabilities(1.0).round(3).tolist()
        [0.265, 0.0, 0.735, 0.0]
        """
        lead = np.asarray(lead, np.float64)
        left, right = self._picks(lead + self.position), self._picks(-lead - self.position)
        tie = self.tie_parameter * np.sqrt(left * right)
        passed = self.skip * np.exp(-0.5 * (lead / self.skip_width) ** 2)
        judged = (1.0 - self.lapse) * (1.0 - passed) / (left + tie + right)
        coin = np.full_like(lead, 0.5 * self.lapse)
        return np.stack(
            [judged * right + coin, judged * tie, judged * left + coin, (1.0 - self.lapse) * passed], axis=-1
        )

    def _picks(self, d: Floats) -> Floats:
        from scipy.special import expit, ndtr

        return np.asarray(expit(d) if self.model == "bradley-terry" else ndtr(PROBIT_SCALE * d))

    def thresholds(self, uniforms: Floats) -> tuple[Floats, Floats]:
        """The leads above which the left is picked and below which the right is, of attentive voters.

        Parameters
        ----------
        uniforms : float64 array
            One from [0, 1) for each question.
        """
        # The left is picked where u < P(left | d), so at d > t(u); and the right where u > 1 - P(right | d) =
        # 1 - P(left | -d), so at d < -t(1 - u). With o = 1/u - 1 and x = exp(-d/2), u = 1 / (1 + nu x + x^2).
        odds = 1.0 / np.maximum(uniforms, LEAST_UNIFORM) - 1.0
        nu = self.tie_parameter
        if nu:
            upper = 2.0 * np.log((nu + np.sqrt(nu * nu + 4.0 * odds)) / (2.0 * odds))
            odds = 1.0 / odds
            lower = -2.0 * np.log((nu + np.sqrt(nu * nu + 4.0 * odds)) / (2.0 * odds))
        else:
            upper = np.log(odds, out=odds)
            np.negative(upper, out=upper)
            lower = upper
        if self.model == "probit":
            lower = as_probits(lower)
            upper = as_probits(upper) if nu else lower
        if self.position:
            lower = lower - self.position
            upper = upper - self.position if nu else lower
        return upper, lower

    def skip_reach(self, uniforms: Floats) -> Floats:
        """The lead up to which each question is skipped, -1 for those that are not at any."""
        reach = np.full(uniforms.shape, -1.0)
        low = uniforms < self.skip
        reach[low] = self.skip_width * np.sqrt(2.0 * np.log(self.skip / np.maximum(uniforms[low], LEAST_UNIFORM)))
        return reach

    def own_strengths(self, strengths: Floats, n_voters: int, tastes: np.random.Generator) -> Floats:
        """What each voter sees in each item: float64, shape (n_repetitions, n_voters, n_items)."""
        n_repetitions, n_items = strengths.shape
        own = np.repeat(strengths[:, None], n_voters, axis=1)
        if self.clusters > 1 and self.cluster_sd:
            apart = tastes.standard_normal((n_repetitions, self.clusters, n_items))
            apart -= apart.mean(axis=1, keepdims=True)
            apart *= self.cluster_sd * math.sqrt(self.clusters / (self.clusters - 1.0))
            own += apart[:, np.arange(n_voters) % self.clusters]
        if self.taste_sd:
            own += self.taste_sd * tastes.standard_normal(own.shape)
        promoters = np.arange(self.n_promoters(n_voters))
        own[:, promoters, promoters % n_items] += min(self.self_promotion, ALWAYS)
        return own


def as_probits(log_odds: Floats) -> Floats:
    """The d at which the probit model has the chances that the logistic one has at `log_odds`."""
    from scipy.special import expit, ndtri

    # By the smaller of the two chances, of which no digits are lost.
    return np.copysign(ndtri(expit(-np.abs(log_odds))) / PROBIT_SCALE, log_odds)


def round_half_up(number: float) -> int:
    """The nearest whole number; a half upwards."""
    return math.floor(number + 0.5)
