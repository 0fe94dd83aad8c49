"""The one door of this room: votes and options in, the posterior of a fit out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._inference.anchored import fit_anchored
from pairvote._inference.anchors import Anchors
from pairvote._inference.answers import Answers
from pairvote._inference.dispersion import MOST_ROUNDS, SAME_DISPERSION, dispersion
from pairvote._inference.features import with_means
from pairvote._inference.graph import is_crowded
from pairvote._inference.identification import check_beside
from pairvote._inference.learned import can_sample, sample
from pairvote._inference.learned_voters import DrawnKinds
from pairvote._inference.limits import LIMITS, Limits
from pairvote._inference.models import Model
from pairvote._inference.no_remainder import without_remainder
from pairvote._inference.outcomes import DEFAULT_TIES, outcome_model
from pairvote._inference.outcomes.links import LinkName
from pairvote._inference.plug_in import (
    FIRST_SD,
    NormalVotes,
    errors_of,
    is_enough,
    is_honest,
    mixture_of,
    sites_of,
    spread_error,
    spread_of,
)
from pairvote._inference.posterior import Learned, Posterior, UncertaintyKind, centred
from pairvote._inference.prior import Prior, PriorOption
from pairvote._inference.sampled import SampledPosterior
from pairvote._inference.solver import centre, maximise
from pairvote._inference.start import well_mixed_start
from pairvote._inference.sums import NOTHING, LocalSums, PairSums
from pairvote._inference.vote_rows import VoteRows
from pairvote._inference.weighing import Weighed, weigh
from pairvote.errors import ConvergenceError
from pairvote.votes._counts import PairCounts

# Where a prior is learned, the tolerance of the fit that it is learned from.
FIRST_TOLERANCE = 1e-6


class Start(NamedTuple):
    """Where a fit begins: scores, and where an earlier fit of the same kind ended, what it found beside them."""

    scores: ArrayLike
    tie_parameter: float | None = None
    position_effect: float = 0.0
    coefficients: NDArray[np.float64] = NOTHING
    thresholds: NDArray[np.float64] = NOTHING


def fit(
    votes: PairCounts | PairSums,
    *,
    ties: str = DEFAULT_TIES,
    prior_sd: PriorOption | Prior = 3.0,
    position: bool = False,
    uncertainty: UncertaintyKind = "model",
    rows: VoteRows | None = None,
    squares: PairSums | None = None,
    start: Start | None = None,
    tol: float = 1e-9,
    max_iter: int = 100,
    limits: Limits = LIMITS,
    answers: Answers | None = None,
    reliability: str = "lapse",
    link: LinkName = "logistic",
    anchors: Anchors | None = None,
) -> Posterior:
    """The normal approximation at the maximum of the log-posterior; under a learned prior the posterior by draws.

    votes: counts, or whatever sums over pairs, such as `LocalSums` with a design. ties, link: the names of an outcome
    model. prior_sd: the standard deviation of each score around zero, "learned", or a `Prior`. rows: the single votes
    for uncertainty "by-voter" and "clustered". squares: the votes with squared weights, where these are importance
    weights. answers: the votes by voter, to be weighed by how far each voter is to be believed, by the model of
    voters of the name `reliability`. anchors: known scores, whose columns the design has.

    Raises
    ------
    NotIdentifiedError
        Where some parameter has no finite estimate, without a prior.
    ConvergenceError
        After `max_iter` steps, or where no step gains.
    """
    if anchors is not None and not isinstance(prior_sd, Prior):
        votes_are = (votes, ties, position, limits, link)
        return fit_anchored(anchors, *votes_are, prior_sd, uncertainty, rows, squares, tol, max_iter)
    if not isinstance(prior_sd, str | Prior) and prior_sd == 0.0:
        return without_remainder(votes, ties, position, uncertainty, rows, squares, tol, max_iter, limits, link)
    learns = isinstance(prior_sd, str)
    first = FIRST_SD / outcome_model(ties, link).link.unit
    known, first_tol = (first, FIRST_TOLERANCE) if isinstance(prior_sd, str) else (prior_sd, tol)
    model = Model.of(votes, ties, known, position, limits, link)
    check_identified(model)
    if learns and _is_sampled(model):
        # Draws take far longer, and would begin at other last digits.
        start = None
    try:
        solution = maximise(model, _start(model, start), first_tol, max_iter)
    except ConvergenceError:
        if isinstance(model.sums, LocalSums):
            model.sums.check_coefficients(model.likelihood, model.n_ties, prior=model.prior.is_finite)
        raise
    rows = rows if uncertainty in ("by-voter", "clustered") else None
    squared = None if squares is None else replace(model, sums=squares)
    if answers is not None:
        weighed = weigh(answers, reliability, model, solution, learns=learns, tol=tol, max_iter=max_iter)
        posterior = Posterior(weighed.model, weighed.solution, uncertainty, voters=weighed.kinds, lost=weighed.lost)
        if squares is not None:
            sums = answers.sums(weighed.amounts * answers.rows.weight[:, None])
            posterior = replace(posterior, squared=replace(weighed.model, sums=sums))
        return _learnt(posterior, tol, max_iter, weighed) if learns else posterior
    posterior = Posterior(model, solution, uncertainty, rows, squared)
    if isinstance(model.sums, LocalSums) and model.sums.spread is not None:
        posterior = _dispersed(posterior, model.sums, first_tol, max_iter)
    return _learnt(posterior, tol, max_iter) if learns else posterior


def _dispersed(posterior: Posterior, sums: LocalSums, tol: float, max_iter: int) -> Posterior:
    """The posterior of graded votes whose weights are divided by their dispersion, given that of the votes as they are.

    The chances that the dispersion is taken from follow from it: a prior says less beside votes that say more.
    """
    model, solution, known = posterior.model, posterior.solution, 1.0
    for _ in range(MOST_ROUNDS):
        found = dispersion(sums, model.likelihood, solution.parameters)
        if abs(found - known) <= SAME_DISPERSION * known:
            break
        known = found
        outcome = model.outcome
        options = (outcome.name, model.prior, model.layout.has_position, model.limits, outcome.link.name)
        model = Model.of(sums.divided(known), *options)
        solution = maximise(model, solution.parameters.copy(), tol, max_iter)
    squares = sums if posterior.squared is None else posterior.squared.sums
    if not isinstance(squares, LocalSums):
        raise TypeError("the squares of votes in this memory are elsewhere")
    return replace(
        posterior,
        model=model,
        solution=solution,
        rows=None if posterior.rows is None else posterior.rows.divided(known),
        squared=replace(model, sums=squares.divided(known**2)),
        dispersion=known,
    )


def _learnt(posterior: Posterior, tol: float, max_iter: int, weighed: Weighed | None = None) -> Posterior:
    """The posterior under a learned prior, given one under some normal prior, perhaps of weighed votes."""
    model = posterior.model
    votes = NormalVotes.of(model, posterior.solution)
    spread = spread_of(votes)
    if model.n_items < 2:
        return replace(_under(posterior, Prior.of(spread), tol, max_iter), learned=Learned(spread, 0.0, math.inf))
    # Coefficients lean on the prior of all remainders at once, however many votes each has.
    follows = isinstance(model.sums, LocalSums) and model.sums.n_features > 0
    mixture = mixture_of(votes, spread)
    sites = Prior.of(spread) if follows else sites_of(votes, mixture)
    errors = errors_of(votes, spread, sites)
    if _is_sampled(model) and (follows or not is_enough(errors)):
        normal = _under(posterior, Prior.of(spread), tol, max_iter)
        if weighed is None:
            return SampledPosterior.of(normal, sample(normal))
        drawn = DrawnKinds(weighed, normal.model)
        draws = sample(normal, changing=drawn)
        return SampledPosterior.of(replace(normal, voters=drawn.kinds(), lost=None), draws)
    known = _under(posterior, sites, tol, max_iter)
    known = with_means(known) if follows else known
    factor = math.exp(min(1.96 * spread_error(votes, spread), 700.0))
    spread = spread if follows else mixture.spread
    return replace(known, learned=Learned(spread, spread / factor, spread * factor, is_honest(errors)))


def _is_sampled(model: Model) -> bool:
    """Whether there are draws under a learned prior, unless it matters little."""
    return model.limits.can_draw(model.n_items, model.sums.n_pairs) and can_sample(model)


def _under(posterior: Posterior, prior: Prior, tol: float, max_iter: int) -> Posterior:
    """The same under another prior, from where it ended."""
    model = replace(posterior.model, prior=prior)
    solution = maximise(model, posterior.solution.parameters.copy(), tol, max_iter)
    if not prior.is_common:
        scores = solution.parameters[: model.n_items]
        solution.parameters[: model.n_items] = scores - scores.mean()
    squared = posterior.squared
    return replace(
        posterior,
        model=model,
        solution=solution,
        squared=None if squared is None else replace(squared, prior=prior),
    )


def under_normal_prior(posterior: Posterior) -> Posterior:
    """The same scores under the normal prior of a learned spread, for refits; a posterior of a given prior as it is."""
    if posterior.learned is None:
        return posterior
    known = posterior.model.prior
    model = replace(posterior.model, prior=known if known.is_common else Prior.of(posterior.learned.spread))
    return Posterior(model, replace(posterior.solution, upper=None), "model", dispersion=posterior.dispersion)


def left_by_refits(posterior: Posterior) -> NDArray[np.float64]:
    """The covariance of scores under a learned prior that refits of resampled votes do not have.

    With C the covariance of the posterior, and C_0 and H the inverse and the votes' information under the normal prior,
    refits vary by C_0 H C_0 where the model holds, and C less that is left. Float64, shape (n_items, n_items).
    """
    normal, scores = under_normal_prior(posterior), posterior.model.layout.scores
    inverse = normal._inverse
    varied = inverse - inverse @ normal.model.prior_products(np.eye(len(inverse))) @ inverse
    return replace(posterior, uncertainty="model").covariance() - centred(varied[scores, scores])


def refit(posterior: Posterior, counts: PairCounts, *, tol: float, max_iter: int) -> Posterior:
    """The fit of other counts over the same items, beginning where the first fit ended."""
    before, parameters = posterior.model, posterior.solution.parameters
    if posterior.dispersion != 1.0:
        counts = counts._changed(table=counts.table / posterior.dispersion)
    options = (before.prior, before.layout.has_position, before.limits, before.outcome.link.name)
    model = Model.of(counts, before.outcome.name, *options)
    check_identified(model)
    start = parameters.copy() if model.layout.size == len(parameters) else model.start()
    if len(start) != len(parameters):
        # Nobody tied in one of the two.
        start[model.layout.scores] = parameters[before.layout.scores]
        start[model.layout.position] = parameters[before.layout.position]
    solution = maximise(model, start, tol, max_iter)
    return Posterior(model, solution, posterior.uncertainty, dispersion=posterior.dispersion)


def check_identified(model: Model) -> None:
    """NotIdentifiedError where some parameter has no finite estimate, which none has with a prior."""
    if not model.prior.is_finite:
        check_beside(*model.likelihood, model.n_decided, model.n_ties, model.sums.sides_won)
        model.sums.check_maximum(model.likelihood, model.n_ties)


def _start(model: Model, start: Start | None) -> NDArray[np.float64]:
    layout, limits = model.layout, model.limits
    if start is None:
        mixed = layout.n_items > limits.dense_items and is_crowded(model.sums, limits)
        return well_mixed_start(model) if mixed else model.start()
    parameters = model.start()
    parameters[layout.scores] = start.scores
    if layout.n_nuisance and start.tie_parameter is not None:
        same = len(start.thresholds) == layout.n_nuisance
        nuisance = start.thresholds if same else model.outcome.nuisance_at(start.tie_parameter)
        if nuisance is not None:
            parameters[layout.nuisance] = nuisance
    parameters[layout.position] = start.position_effect
    if layout.n_covariates and len(start.coefficients) == layout.n_covariates:
        parameters[layout.coefficients] = start.coefficients
        # Those of other covariates, or of the same in other units, may be out of all bounds here.
        if not model.allows(parameters):
            parameters[layout.coefficients] = 0.0
    return centre(model, parameters) if layout.n_items else parameters
