r"""A tie parameter for each item or each voter, or one that depends on covariates, where the votes carry it.

Davidson's model with the log tie parameter :math:`\eta + z t` of each vote, :math:`z = e_i + e_j` for its items or
:math:`z = e_v` for its voter (`pairvote.diagnostics._tie_test`), is an exponential family in
:math:`(d, \eta + z t)`. So with A and B the derivatives of both by all parameters :math:`\theta = (s, \eta, \gamma, t)`
the log-likelihood has the gradient :math:`A' r_x + B' r_y`, observed less expected statistics, and the information

.. math:: H = A' V_{xx} A + A' V_{xy} B + B' V_{xy} A + B' V_{yy} B,

and Newton's method finds the maximum under the priors :math:`t \sim N(0, \tau^2)` and those of all other parameters,
which are the fit's own. How far t scatters maximises Laplace's approximation of the marginal likelihood,

.. math:: \ell(\hat\theta) - \tfrac12 \hat\theta' Q \hat\theta + \tfrac12 \log |Q| - \tfrac12 \log |H + Q|.

Of covariates of votes, less their means, t are coefficients. They have the weak prior that `bradley_terry` gives its
own covariates, :math:`t \sim N(0, 9 M^{-1})` with M the mean of :math:`z z'` over votes, whatever their units: it says
little of them, and keeps them finite where all votes with some value are ties.

References
----------
Davidson (1970), "On extending the Bradley-Terry model to accommodate ties", JASA 65. Breslow and Clayton (1993),
"Approximate inference in generalized linear mixed models", JASA 88, section 2. Dittrich, Hatzinger and Katzenbeisser
(1998), "Modelling the effect of subject-specific covariates in paired comparison studies", Applied Statistics 47, for
ties as terms of a log-linear model.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import listed, plural
from pairvote._common.options import check_jobs
from pairvote._common.outcomes import Outcome
from pairvote._common.random import Rng, generator
from pairvote._inference import PriorOption
from pairvote.diagnostics._consensus import PRIOR_SD, Consensus, check_rate
from pairvote.diagnostics._page import MOST_ROWS, Block, Part, Table, chance, named
from pairvote.diagnostics._simulated import check_simulation, simulate
from pairvote.diagnostics._tie_test import (
    LEAST_SPREAD,
    Readiness,
    TiesBy,
    TieTest,
    readiness_of,
    statistic_of,
    tie_test_of,
)
from pairvote.errors import ConvergenceError, InputError
from pairvote.votes._votes import Votes

Floats = NDArray[np.float64]
# Tables of more parameters take minutes.
MOST_PARAMETERS = 2_000
NARROWEST, WIDEST = 0.02, 10.0
MOST_STEPS, SAME = 100, 1e-8
# The least part that a covariate has in a sum of covariates that vanishes, for it to be named.
LEAST_PART = 1e-3


class Mode(NamedTuple):
    """The maximum under a spread of t: all parameters, their covariance, and the log of the marginal likelihood."""

    parameters: Floats
    covariance: Floats
    log_marginal: float


class _Scores(TypedDict):
    scores: Floats
    largest_change: float


@dataclass(frozen=True, eq=False, kw_only=True)
class WithReadiness:
    """Davidson's model with tie parameters that depend on votes.

    d, e : sparse, (n_rows, size), the derivatives of the log-odds and of the log tie parameter of each vote
    outcome, weight : (n_rows,)
    precision : (n_before,), the prior's precision of all parameters but t; and their prior means, centre
    """

    d: Any
    e: Any
    outcome: NDArray[np.uint8]
    weight: Floats
    precision: Floats
    centre: Floats
    start: Floats

    @classmethod
    def of(cls, consensus: Consensus, readiness: Readiness) -> WithReadiness:
        """The model of a consensus whose votes are readier to tie by some columns."""
        from scipy.sparse import csr_array, hstack

        rows, model = consensus.rows, consensus.fitted.model
        layout, n_rows = model.layout, len(consensus.rows)
        ends = (np.repeat(np.arange(n_rows), 2), np.stack([rows.left, rows.right], axis=1).ravel())
        scores = csr_array((np.tile([1.0, -1.0], n_rows), ends), shape=(n_rows, layout.n_items))
        one, nothing = csr_array(np.ones((n_rows, 1))), csr_array((n_rows, 1))
        side = [one] if layout.has_position else []
        none = csr_array((n_rows, readiness.columns.shape[1]))
        by_d = hstack([scores, nothing, *side, none], format="csr")
        by_e = hstack([csr_array(scores.shape), one, *[nothing] * len(side), readiness.columns], format="csr")
        return cls(
            d=by_d,
            e=by_e,
            outcome=rows.outcome,
            weight=consensus.weight,
            precision=np.concatenate([model.precisions, np.diag(model.precision_beside)]),
            centre=model.prior_centres,
            start=consensus.fitted.parameters,
        )

    @property
    def n_labels(self) -> int:
        """The number of items or voters that t is of."""
        return int(self.d.shape[1]) - len(self.precision)

    def log_likelihood(self, parameters: Floats) -> float:
        """The sum over votes of the logarithm of the chance of what was said."""
        half, e = 0.5 * (self.d @ parameters), self.e @ parameters
        said = np.choose(self.outcome, [-half, e, half])
        return float(self.weight @ (said - np.logaddexp(np.logaddexp(half, -half), e)))

    def slopes(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Its gradient, (size,), and information, (size, size)."""
        half, e = 0.5 * (self.d @ parameters), self.e @ parameters
        total = np.logaddexp(np.logaddexp(half, -half), e)
        left, tie, right = np.exp(half - total), np.exp(e - total), np.exp(-half - total)
        by_d = 0.5 * (self.outcome.astype(np.float64) - 1.0 - (left - right))
        by_e = (self.outcome == Outcome.TIE) - tie
        twice = left * right + 0.25 * tie * (left + right)
        both, by_tie = 0.5 * tie * (right - left), tie * (1.0 - tie)
        weight = self.weight[:, None]
        across = (self.d * (weight * both[:, None])).T @ self.e
        information = (self.d * (weight * twice[:, None])).T @ self.d + across + across.T
        information = information + (self.e * (weight * by_tie[:, None])).T @ self.e
        return self.d.T @ (self.weight * by_d) + self.e.T @ (self.weight * by_e), information.toarray()

    def mode(self, spread: float, start: Floats) -> Mode:
        """The maximum under t ~ N(0, spread^2)."""
        return self.mode_under(spread**-2.0 * np.eye(self.n_labels), -2.0 * self.n_labels * math.log(spread), start)

    def mode_under(self, own: Floats, log_determinant: float, start: Floats) -> Mode:
        """The maximum under a normal prior of t with this precision, by Newton's method with halved steps."""
        n_before = len(self.precision)
        precision = np.diag(np.concatenate([self.precision, np.zeros(self.n_labels)]))
        precision[n_before:, n_before:] = own
        centre = np.concatenate([self.centre, np.zeros(self.n_labels)])
        parameters = start.copy()

        def value_at(at: Floats) -> float:
            return self.log_likelihood(at) - 0.5 * float((at - centre) @ precision @ (at - centre))

        value = value_at(parameters)
        for _ in range(MOST_STEPS):
            gradient, information = self.slopes(parameters)
            information += precision
            root = np.linalg.cholesky(information)
            step = np.linalg.solve(root.T, np.linalg.solve(root, gradient - precision @ (parameters - centre)))
            while (trial := value_at(parameters + step)) < value - SAME:
                step *= 0.5
            parameters, value = parameters + step, trial
            if np.abs(step).max() < SAME:
                break
        else:
            raise ConvergenceError(f"tie parameters of their own were not found in {MOST_STEPS} steps")
        log_marginal = value + 0.5 * log_determinant - float(np.log(np.diag(root)).sum())
        return Mode(parameters, np.asarray(np.linalg.inv(information), np.float64), log_marginal)

    def of_covariates(self, columns: Floats, weak: float) -> Mode:
        """The maximum where t are coefficients of columns, under a weak prior whatever their units."""
        own = weak * (columns.T * self.weight) @ columns / self.weight.sum()
        start = np.concatenate([self.start, np.zeros(self.n_labels)])
        return self.mode_under(own, float(np.linalg.slogdet(own)[1]), start)

    def fitted(self) -> tuple[float, Mode]:
        """The most likely spread of t, and the maximum under it."""
        from scipy.optimize import minimize_scalar

        at = np.concatenate([self.start, np.zeros(self.n_labels)])
        found = minimize_scalar(
            lambda log_spread: -self.mode(math.exp(log_spread), at).log_marginal,
            bounds=(math.log(NARROWEST), math.log(WIDEST)),
            method="bounded",
            options={"xatol": 1e-3},
        )
        spread = math.exp(float(found.x))
        return spread, self.mode(spread, at)


@dataclass(frozen=True, eq=False, kw_only=True)
class TieParameters(Part):
    """A tie parameter for each item or voter, or one that depends on covariates, where one for all is not enough.

    Attributes
    ----------
    by : {"item", "voter", "covariates"}
    labels : tuple of labels
        The items or the voters who are known; the numbers of covariates.
    log_ratios, standard_errors : float64 arrays, shape (n_labels,)
        How much more readily each ties than the mean one, as what it adds to the log tie parameter; drawn towards 0 as
        far as votes are few. Of a vote on two items both are added. Of a covariate its coefficient, which is what one
        unit of it adds.
    tie_parameter : float
        Davidson's nu of the mean item or voter, or of a vote whose covariates have their means.
    spread : float
        The standard deviation of `log_ratios` in the votes' own terms, before they are drawn in; nan for covariates.
    items : tuple of labels
    scores : float64 array, shape (n_items,)
        The scores beside these tie parameters, in log-odds, mean zero.
    largest_change : float
        The most that a score moved by them, in log-odds.
    test : TieTest
        That votes say so.

    Examples
    --------
    >>> import pairvote as pv
    >>> asked = [("ash", "birch"), ("birch", "cedar"), ("cedar", "ash")] * 10
    >>> left, right = zip(*asked)
    >>> votes = pv.Votes.from_labels(left, right, ["left", "right", "tie"] * 10, voter=["anna"] * 30)
    >>> votes += pv.Votes.from_labels(left, right, ["tie", "tie", "left"] * 10, voter=["bo"] * 30)
    >>> found = pv.diagnostics.tie_parameters(votes, by="voter", rng=1)
    >>> found.to_columns()["label"]
    ['bo', 'anna']
    """

    title = "Ties"

    by: str
    labels: tuple[Hashable, ...]
    log_ratios: Floats
    standard_errors: Floats
    tie_parameter: float
    spread: float
    items: tuple[Hashable, ...]
    scores: Floats
    largest_change: float
    test: TieTest

    def to_columns(self) -> dict[str, list[Any]]:
        """A row for each item, voter or covariate, those that ties grow with most first.

        Columns: label, log_ratio and standard_error; of items and voters also tie_parameter, that of a vote by this
        voter, or between two items like this one.
        """
        order = np.argsort(-self.log_ratios, kind="stable")
        columns = {
            "label": [self.labels[place] for place in order.tolist()],
            "log_ratio": self.log_ratios[order].tolist(),
            "standard_error": self.standard_errors[order].tolist(),
        }
        if self.by != "covariates":
            times = 2.0 if self.by == "item" else 1.0
            columns["tie_parameter"] = (self.tie_parameter * np.exp(times * self.log_ratios[order])).tolist()
        return columns

    def _blocks(self) -> Iterator[Block]:
        noun, enough = self.by.removesuffix("s"), f"({chance(self.test.p)} that one is enough)"
        moves = f"no score moves by more than {self.largest_change:.2f} log-odds"
        columns = self.to_columns()
        if self.by == "covariates":
            yield (
                f"a tie parameter that depends on {plural(len(self.labels), noun)}, and is {self.tie_parameter:.2f} at "
                f"the mean {enough}"
            )
            yield moves
            coefficients = zip(*columns.values(), strict=True)
            rows = [(named(label), f"{ratio:+.3g} ± {error:.2g}") for label, ratio, error in coefficients]
            yield Table((noun, "log ratio a unit"), shown(rows))
            return
        yield (
            f"{plural(len(self.labels), noun)} with tie parameters of their own, around {self.tie_parameter:.2f} "
            f"{enough}; their logarithms scatter by {self.spread:.2f}"
        )
        yield moves
        of_each = [
            (named(label), f"{ratio:+.2f} ± {error:.2f}", f"{parameter:.2f}")
            for label, ratio, error, parameter in zip(*columns.values(), strict=True)
        ]
        yield Table((noun, "log ratio", "tie parameter"), shown(of_each))


def shown(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """All rows, or of many the first and the last."""
    most = MOST_ROWS // 2
    return [*rows] if len(rows) <= MOST_ROWS else [*rows[:most], *rows[-most:]]


def tie_parameters(
    votes: Votes,
    *,
    by: TiesBy = "item",
    rate: float = 0.05,
    n_simulations: int | None = None,
    rng: Rng = None,
    criterion: Hashable | None = None,
    prior_sd: PriorOption = PRIOR_SD,
    n_jobs: int = 1,
    progress: bool = False,
) -> TieParameters:
    """Davidson's tie parameter for each item or voter, or by covariates, where the votes say that one is not enough.

    They are fitted together with the scores. Those of items and voters scatter around their mean as far as is most
    likely; covariates have a coefficient each. Where `tie_test` finds no difference there is nothing to fit, and it is
    refused.

    Parameters
    ----------
    votes : Votes
    by : {"item", "voter"} or array_like of float, shape (n_votes,) or (n_votes, n_covariates)
        What the tie parameter may depend on. An array holds covariates of each vote, such as how late it was cast.
    rate, n_simulations, rng, criterion, prior_sd, n_jobs, progress
        As in `tie_test`.

    Returns
    -------
    TieParameters

    Raises
    ------
    InputError
        As `tie_test`, where that finds no difference, for covariates that follow from each other, and for more than
        2,000 scores and tie parameters together.

    References
    ----------
    Davidson (1970), JASA 65. Breslow and Clayton (1993), JASA 88.

    Examples
    --------
    >>> import pairvote as pv
    >>> voters = pv.VoterModel(tie_parameter=0.7)
    >>> votes = pv.simulate(n_items=8, n_voters=12, votes_each=20, voters=voters, rng=1).votes(0)
    >>> try:
    ...     pv.diagnostics.tie_parameters(votes, rng=1)
    ... except pv.InputError as error:
    ...     print(error.problem)
    the votes do not say that items differ in how readily they tie (p = 0.76)
    """
    check_rate(rate)
    check_simulation(n_simulations, prior_sd)
    check_jobs(n_jobs, progress)
    consensus = Consensus.of(votes, criterion, prior_sd)
    if not (consensus.rows.outcome == Outcome.TIE).any():
        raise InputError("nobody tied, so nothing is known of who ties", option="votes")
    readiness = readiness_of(votes, consensus, criterion, by)
    size = len(readiness.labels) + consensus.n_items
    if size > MOST_PARAMETERS:
        raise InputError(
            f"there are {size:,} scores and tie parameters; up to {MOST_PARAMETERS:,} are fitted, so leave out "
            + ("covariates" if readiness.by == "covariates" else f"{readiness.by}s with few votes")
        )
    if readiness.by == "covariates":
        _check_apart(readiness.columns)
    (drawn,) = simulate(
        consensus, n_simulations, generator(rng), [statistic_of(readiness)], n_jobs=n_jobs, progress=progress
    )
    test = tie_test_of(consensus, readiness, drawn[:, 0], rate)
    if not test.differs:
        what = "how readily they tie depends on the covariates"
        if test.by != "covariates":
            what = f"{test.by}s differ in how readily they tie"
        raise InputError(
            f"the votes do not say that {what} ({chance(test.p)})",
            option="by",
            value=by,
            remedy="keep one tie parameter, that of bradley_terry(votes)",
        )
    model = WithReadiness.of(consensus, readiness)
    if readiness.unit is not None:
        weak = consensus.model.prior.weak_precision(consensus.model.outcome)
        return _of_coefficients(consensus, test, model.of_covariates(readiness.columns, weak), readiness.unit)
    spread, mode = model.fitted()
    return _of_mode(consensus, test, spread, mode)


def _check_apart(columns: Floats) -> None:
    """InputError for covariates that follow from each other, of which the coefficients are not determined."""
    within = columns / np.sqrt(np.square(columns).sum(axis=0))
    sizes, sums = np.linalg.eigh(within.T @ within)
    if sizes[0] > LEAST_SPREAD:
        return
    found = np.flatnonzero(np.abs(sums[:, 0]) > LEAST_PART).tolist()
    raise InputError(
        f"covariates {listed(found)} follow from each other (they are linearly dependent over the answered votes), so "
        "their coefficients are not determined",
        option="by",
        remedy="leave one out",
    )


def _of_coefficients(consensus: Consensus, test: TieTest, mode: Mode, unit: Floats) -> TieParameters:
    n_labels = len(test.labels)
    return TieParameters(
        by=test.by,
        labels=test.labels,
        log_ratios=mode.parameters[-n_labels:] / unit,
        standard_errors=np.sqrt(np.diag(mode.covariance)[-n_labels:]) / unit,
        tie_parameter=math.exp(float(mode.parameters[consensus.n_items])),
        spread=math.nan,
        items=consensus.rows.items,
        test=test,
        **_scores(consensus, mode),
    )


def _scores(consensus: Consensus, mode: Mode) -> _Scores:
    scores = mode.parameters[: consensus.n_items] - mode.parameters[: consensus.n_items].mean()
    change = float(np.abs(scores - consensus.scores + consensus.scores.mean()).max())
    return {"scores": scores, "largest_change": change}


def _of_mode(consensus: Consensus, test: TieTest, spread: float, mode: Mode) -> TieParameters:
    n_items, n_labels = consensus.n_items, len(test.labels)
    own = mode.parameters[-n_labels:]
    centring = np.eye(n_labels) - 1.0 / n_labels
    covariance = centring @ mode.covariance[-n_labels:, -n_labels:] @ centring
    times = 2.0 if test.by == "item" else 1.0
    return TieParameters(
        by=test.by,
        labels=test.labels,
        log_ratios=own - own.mean(),
        standard_errors=np.sqrt(np.diag(covariance)),
        tie_parameter=math.exp(float(mode.parameters[n_items] + times * own.mean())),
        spread=spread,
        items=consensus.rows.items,
        test=test,
        **_scores(consensus, mode),
    )
