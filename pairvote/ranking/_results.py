"""The small answers that a ranking gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.checks import is_number, restore
from pairvote._common.messages import plural, shorten
from pairvote._inference import LinkName, Posterior, Ties
from pairvote.errors import InputError, MissingUncertaintyError
from pairvote.ranking._fit_criteria import BY_HELD_OUT, cells, check_likelihood, deviance, effective_parameters

# Weights that add up to a smaller part of the number of votes may not be meant as numbers of votes.
SMALL_WEIGHT = 0.5


class Interval(NamedTuple):
    """The two ends of a confidence interval: floats, or float64 arrays of shape (n_items,).

    Examples
    --------
    >>> import pairvote as pv
    >>> pv.Interval(low=-1.0, high=1.0).high
    1.0
    """

    low: Any
    high: Any


class OutcomeProbabilities(NamedTuple):
    """The chance that the left side is picked, that the two tie, and that the right side is picked.

    `Ranking.outcome_probabilities` gives it.

    Attributes
    ----------
    left, tie, right : float
        They add up to 1.

    Examples
    --------
    >>> import pairvote as pv
    >>> chances = pv.bradley_terry(pv.datasets.baseball(), prior_sd=3.0).outcome_probabilities("Milwaukee", "Detroit")
    >>> isinstance(chances, pv.OutcomeProbabilities), round(chances.left, 2), chances.tie
    (True, 0.54, 0.0)
    """

    left: float
    tie: float
    right: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Difference:
    """How far one item is ahead of another, or one mean of a simulation ahead of another.

    `Ranking.difference` and `simulation.Table.difference` give it.

    Attributes
    ----------
    estimate : float
        The first item's score less the second's.
    standard_error : float
        The standard error of `estimate`, in its unit.
    degrees_of_freedom : float
        Those of the t distribution that the interval is made with; infinite, so that it is a normal one, unless the
        standard error is one between few voters or clusters.

    Examples
    --------
    >>> import pairvote as pv
    >>> ahead = pv.bradley_terry(pv.datasets.baseball(), prior_sd=3.0).difference("Milwaukee", "Detroit")
    >>> isinstance(ahead, pv.Difference), round(ahead.estimate, 2), round(ahead.standard_error, 2)
    (True, 0.14, 0.31)
    >>> [round(float(end), 2) for end in ahead.confidence_interval(0.9)]
    [-0.37, 0.65]
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float = math.inf
    _draws: NDArray[np.float64] | None = field(default=None, repr=False)

    def confidence_interval(self, level: float = 0.95) -> Interval:
        """The interval at `level`: by draws from the posterior where there are enough, else by a normal or t."""
        reach = quantile(level, self.degrees_of_freedom) * self.standard_error
        if self._draws is not None and are_enough(self._draws, level):
            low, high = quantiles(self._draws, level)
            return Interval(float(low), float(high))
        return Interval(self.estimate - reach, self.estimate + reach)


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """How a model was fitted.

    Attributes
    ----------
    converged : bool
        Always true: a fit that does not converge raises ConvergenceError.
    n_iter : int
        Newton steps taken.
    ties : str
        What was made of ties: "davidson", "rao-kupper", "glenn-david", "cumulative", "half" or "drop".
    tie_parameter : float
        Davidson's nu (0 where nobody tied), or Rao and Kupper's theta (1 where nobody tied); by the probit link Glenn
        and David's threshold itself (0 where nobody tied).
    position_effect : float
        What standing on the left adds, in the unit in which scores were fitted; 0 where it was not asked for.
    coefficients : float64 array, shape (n_covariates,)
        What each covariate adds to the left side's score for each unit of it; empty without covariates.
    uncertainty : str
        What the standard errors are: "model", "sandwich", "by-voter", "clustered", "bootstrap" or "none".
    weights : str
        What the weights of votes mean: "counts" or "sampling".
    n_votes : int or None
        The number of answered votes with a weight above 0, whatever that is; None where only counts were given.
    dispersion : float
        How much graded votes scatter, as a share of the variance of wins and losses; 1 where no vote is graded.

    Examples
    --------
    >>> import math
    >>> import pairvote as pv
    >>> fit = pv.bradley_terry(pv.datasets.baseball(), prior_sd=math.inf, position=True).fit
    >>> round(fit.position_effect, 4), round(fit.log_likelihood, 2), fit.prior_share
    (0.3023, -169.54, 0.0)
    >>> round(fit.position_standard_error, 4)
    0.1309
    """

    converged: bool
    n_iter: int
    ties: Ties
    tie_parameter: float
    position_effect: float
    coefficients: NDArray[np.float64]
    uncertainty: str
    weights: str = "counts"
    n_votes: int | None = None
    dispersion: float = 1.0
    _posterior: Posterior
    _scale: NDArray[np.float64]

    __setstate__ = restore

    def __post_init__(self) -> None:
        for array in (self.coefficients, self._scale):
            array.flags.writeable = False

    def __repr__(self) -> str:
        return (
            f"Fit(converged={self.converged}, n_iter={self.n_iter}, ties={self.ties!r}, "
            f"tie_parameter={self.tie_parameter:.6g}, position_effect={self.position_effect:.6g}, "
            f"log_likelihood={self.log_likelihood:.6f})"
        )

    @cached_property
    def log_likelihood(self) -> float:
        """The log-likelihood of the votes at the fitted parameters, without the prior.

        The sum over votes of the logarithm of the chance of what was said. R's PlackettLuce prints -2 times it as the
        residual deviance.
        """
        return self._posterior.log_likelihood()

    @cached_property
    def deviance(self) -> float:
        """Twice the log-likelihood of a model with shares for every pair, less that of the fit: how much it misses.

        The saturated model gives each pair the shares of left, tie and right that its votes have; of left and right
        where no tie parameter was fitted. The two orders of a pair count as one, unless there is a position effect.
        With covariates every vote is a pair of its own, and the deviance is -2 times the log-likelihood. Fits with
        different saturated models are compared by `log_likelihood`.

        Beside `residual_degrees_of_freedom` it tests the fit, as a chi-squared number, where pairs have several votes
        each and there is no prior. An InputError where voters are weighed by `reliability`.

        Examples
        --------
        >>> import math
        >>> import pairvote as pv
        >>> fit = pv.bradley_terry(pv.datasets.baseball(), prior_sd=math.inf).fit
        >>> round(fit.deviance, 2), fit.residual_degrees_of_freedom
        (15.74, 15.0)
        """
        return deviance(self._posterior, self.log_likelihood)

    @cached_property
    def n_parameters(self) -> float:
        """The number of parameters: scores less one, and the tie parameter, position effect and coefficients.

        Under a prior the effective number: the sum of how much of each parameter the votes decide, and not the prior
        (the trace of C H). A learned spread counts as known. A MissingUncertaintyError under a prior for more than
        4,000 items.
        """
        return effective_parameters(self._posterior)

    @cached_property
    def residual_degrees_of_freedom(self) -> float:
        """The number of shares that the saturated model of `deviance` chooses, less `n_parameters`."""
        return cells(self._posterior) - self.n_parameters

    @cached_property
    def aic(self) -> float:
        """Akaike's criterion, -2 log-likelihood + 2 `n_parameters`: the less, the better votes like these are foretold.

        Under a prior it is the conditional criterion of Vaida and Blanchard (2005), with the spread taken as known:
        about what votes on the same items would cost. Compare only fits of the same votes; ties="drop" is of fewer.
        It takes votes for independent: where voters differ in taste, `pairvote.cross_validate` by voter holds.

        Raises
        ------
        InputError
            Where the fit has no likelihood of its votes: ties="half" where there are ties, graded votes, importance
            weights, and voters weighed by `reliability`.

        Examples
        --------
        >>> import math
        >>> import pairvote as pv
        >>> plain, sides = (
        ...     pv.bradley_terry(pv.datasets.baseball(), prior_sd=math.inf, position=position).fit
        ...     for position in (False, True)
        ... )
        >>> round(plain.aic, 1), round(sides.aic, 1)
        (356.5, 353.1)
        """
        check_likelihood(self._posterior, self.weights, "AIC")
        return 2.0 * (self.n_parameters - self.log_likelihood)

    @cached_property
    def bic(self) -> float:
        """Schwarz's criterion, -2 log-likelihood + `n_parameters` log(n) for n votes, by maximum likelihood alone.

        It is about -2 times the log-chance of the votes under the model, whose prior is as wide as one vote tells.
        Under a prior of scores the number of parameters that it is made for is not defined.

        Raises
        ------
        InputError
            As `aic`, and under a prior.
        """
        check_likelihood(self._posterior, self.weights, "BIC")
        model = self._posterior.model
        if self._posterior.is_posterior:
            raise InputError(
                "there is no BIC under a prior of the scores, since it counts whole parameters",
                option="prior_sd",
                value=float(self.prior_sd),
                remedy=f"set prior_sd=math.inf, or {BY_HELD_OUT}",
            )
        n_votes = max(model.n_decided + model.n_ties, 1.0)
        return self.n_parameters * math.log(n_votes) - 2.0 * self.log_likelihood

    @property
    def link(self) -> LinkName:
        """What a difference of scores says of a vote: "logistic" or "probit"."""
        return self._posterior.model.outcome.link.name

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """The thresholds between answers, from the one that ends ties on: float64, shape (n_thresholds,), read-only.

        In the unit of the scores; there is the negative of each too. Empty for models without thresholds.
        """
        found = self._posterior.thresholds.copy()
        found.flags.writeable = False
        return found

    @cached_property
    def threshold_standard_errors(self) -> NDArray[np.float64]:
        """The standard errors of `thresholds`: float64, shape (n_thresholds,), read-only."""
        found = self._with_errors.threshold_errors()
        found.flags.writeable = False
        return found

    @property
    def has_tie_parameter(self) -> bool:
        """Whether a tie parameter was fitted: the model has one, and somebody tied."""
        return self._posterior.model.outcome.has_ties

    @property
    def _with_errors(self) -> Posterior:
        if self.uncertainty in ("none", "bootstrap"):
            raise MissingUncertaintyError(
                f"a fit with uncertainty {self.uncertainty!r} has no standard errors of its parameters; "
                "fit with uncertainty='model', 'sandwich', 'by-voter' or 'clustered'"
            )
        return self._posterior

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Those of the t distribution that intervals are made with: few where voters or clusters are few.

        One less than the number of voters or clusters, if these say equally much and the prior says little; fewer
        where some say much more than others, and more where much of the standard errors is the prior's. Infinite, so
        that intervals are normal, for every other kind of uncertainty.
        """
        return self._posterior.degrees_of_freedom if self.uncertainty in ("by-voter", "clustered") else math.inf

    @property
    def _notes(self) -> tuple[str, ...]:
        """What a table says of the scale, of a learned prior, and of weights that may not be what they seem."""
        learned, known = self._posterior.learned, self._posterior.n_known
        scale = (f"scores are on the scale of {plural(known, 'known one')}, and not of mean zero",) if known else ()
        if learned is None:
            return (*scale, *self._of_weights)
        about = "" if learned.is_honest else " and taken as known, so that errors may be too small"
        spread = f"{learned.spread:.2g} (95%: {learned.low:.2g} to {learned.high:.2g})"
        return (*scale, f"the prior was learned: spread {spread}{about}", *self._of_weights)

    @property
    def _of_weights(self) -> tuple[str, ...]:
        total, n_votes = 0.5 * float(self._posterior.model.totals[:, :3].sum()), self.n_votes
        if not n_votes:
            return ()
        if self.weights == "sampling":
            return (f"weights are importance weights: {plural(n_votes, 'vote')}, worth {total:,.4g}",)
        if total < SMALL_WEIGHT * n_votes:
            votes = plural(float(f"{total:.4g}"), "vote")
            return (
                f"weights add up to {total:,.4g} for {plural(n_votes, 'row')}, so they count as {votes}; "
                "pass weights='sampling' if they are importance weights",
            )
        return ()

    @cached_property
    def tie_standard_error(self) -> float:
        """The standard error of the tie parameter, by the delta method; 0 where nobody tied."""
        return self._with_errors.tie_error() if self.has_tie_parameter else 0.0

    @cached_property
    def position_standard_error(self) -> float:
        """The standard error of the position effect; 0 where it was not asked for."""
        return self._with_errors.position_error() if self._posterior.model.layout.has_position else 0.0

    @cached_property
    def coefficient_standard_errors(self) -> NDArray[np.float64]:
        """The standard errors of the coefficients: float64, shape (n_covariates,)."""
        n_own = len(self._scale)
        errors = self._with_errors.coefficient_errors()[:n_own] / self._scale if n_own else np.empty(0)
        errors.flags.writeable = False
        return errors

    @cached_property
    def approximation_error(self) -> float:
        """How far the standard errors of many items are off, at most, as a share; 0 up to 4,000 items.

        For more they are exact where the votes form chains and trees, and else approximate: 30 of them, from the best
        known item to the least, are found exactly too, and this is the largest deviation.
        """
        return self._posterior.approximation_error()

    @property
    def prior_sd(self) -> PriorSd:
        """The standard deviation of the scores' prior, in their unit; where it was learned, with an interval.

        Where scores follow features, that of what these leave, the remainders.
        """
        learned = self._posterior.learned
        if learned is None:
            return PriorSd(self._posterior.prior_sd)
        return PriorSd(learned.spread, learned.low, learned.high)

    @cached_property
    def prior_share(self) -> float:
        """How much of the least determined direction the prior decides: 0 nothing, 1 everything."""
        return self._posterior.prior_share()


class PriorSd(float):
    """The standard deviation of the prior of scores, in their unit: a number, with an interval where it was learned.

    Attributes
    ----------
    learned : bool
        Whether it was learned from the votes. The number is then the median of its posterior, or the most likely one
        where there are too many votes or items for draws.
    interval : Interval
        What it is with 95% probability; both ends are the number itself where it was given.

    Examples
    --------
    >>> import pairvote as pv
    >>> spread = pv.bradley_terry(pv.datasets.baseball()).fit.prior_sd
    >>> isinstance(spread, pv.PriorSd), spread.learned, spread.interval.low < spread < spread.interval.high
    (True, True, True)
    """

    learned: bool
    interval: Interval

    def __new__(cls, value: float, low: float | None = None, high: float | None = None) -> PriorSd:
        made = super().__new__(cls, value)
        made.learned = low is not None and high is not None
        made.interval = Interval(value if low is None else low, value if high is None else high)
        return made

    def __reduce__(self) -> tuple[type[PriorSd], tuple[float, ...]]:
        return PriorSd, (float(self), *self.interval) if self.learned else (float(self),)


# Of draws beyond an end fewer do not say where it is.
FEWEST_BEYOND = 5.0


def are_enough(draws: NDArray[np.float64], level: float) -> bool:
    """Whether so many draws say where an interval at this level ends."""
    return 0.5 * (1.0 - level) * len(draws) >= FEWEST_BEYOND


def quantiles(draws: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """The ends of the interval that leaves out equally many draws on either side: shape (2, ...)."""
    return np.asarray(np.quantile(draws, [0.5 - 0.5 * level, 0.5 + 0.5 * level], axis=0))


def check_level(level: float) -> None:
    """InputError unless the level is a probability between 0 and 1."""
    if not is_number(level) or not 0.0 < level < 1.0:
        raise InputError(f"level is {shorten(level)}; it is a probability between 0 and 1, such as 0.95")


def normal_quantile(level: float) -> float:
    """The z of a two-sided normal interval at `level`; InputError for a level out of range."""
    from statistics import NormalDist

    check_level(level)
    return -NormalDist().inv_cdf(0.5 * (1.0 - float(level)))


def quantile(level: float, degrees_of_freedom: float = math.inf) -> float:
    """What |t| stays below with probability `level`, for t with so many degrees of freedom."""
    reach = normal_quantile(level)
    if math.isinf(degrees_of_freedom):
        return reach
    from scipy.special import stdtrit

    return float(-stdtrit(degrees_of_freedom, 0.5 * (1.0 - float(level))))
