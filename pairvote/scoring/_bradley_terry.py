"""Bradley-Terry and its kin: the scores that make the votes most likely."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._common.checks import is_number, is_whole
from pairvote._common.labels import as_array
from pairvote._common.messages import wrong_option
from pairvote._common.options import check_flag
from pairvote._inference.graph import is_crowded
from pairvote._inference.identification import check_effects, check_identified
from pairvote._inference.models import NOTHING, TIES, Model, Ties
from pairvote._inference.posterior import Posterior
from pairvote._inference.solver import DENSE_ITEMS, centre, maximise
from pairvote._inference.start import well_mixed_start
from pairvote._inference.vote_rows import VoteRows, check_determined, single_votes
from pairvote.errors import ConvergenceError, InputError
from pairvote.ranking._ranking import Ranking
from pairvote.ranking._results import Fit
from pairvote.scoring._criteria import combine
from pairvote.votes._counts import PairCounts
from pairvote.votes._given import Elsewhere, as_counts, as_counts_or_votes, summed
from pairvote.votes._votes import Votes

UncertaintyKind = Literal["model", "sandwich", "by-voter", "none"]
# Newton's method finds back from anywhere in between, but further out sums of squares overflow.
LARGEST_START = 1e6
SMALLEST_PRIOR_SD = 1e-100
UNCERTAINTIES: tuple[UncertaintyKind, ...] = ("model", "sandwich", "by-voter", "none")


def bradley_terry(
    votes: Votes | PairCounts,
    *,
    ties: Ties = "davidson",
    prior_sd: float = 3.0,
    position: bool = False,
    covariates: ArrayLike | None = None,
    uncertainty: UncertaintyKind = "model",
    start: Ranking | ArrayLike | None = None,
    tol: float = 1e-9,
    max_iter: int = 100,
    criterion: Hashable | None = None,
    criteria: Mapping[Hashable, float] | None = None,
) -> Ranking:
    r"""Rank by Bradley-Terry scores: :math:`\log(P(i) / P(j)) = s_i - s_j` for any two items.

    The scores maximise the log-likelihood of the votes less :math:`\sum_i s_i^2 / (2\,prior\_sd^2)`; their mean
    is zero. The models of ties are derived on the documentation's page of equations.

    Parameters
    ----------
    votes : Votes or PairCounts
    ties : {"davidson", "rao-kupper", "half", "drop"}
        What a tie says. "davidson": the scores are close, by a fitted tie parameter; exactly Bradley-Terry where
        nobody tied. "rao-kupper": the same by a threshold of what can be told apart. "half": half a vote for
        each side, with sandwich errors, since that is no likelihood. "drop": nothing.
    prior_sd : float
        The standard deviation of the normal prior on each score, in log-odds; `math.inf` for maximum likelihood.
    position : bool
        Fit what standing on the left adds, as ``ranking.fit.position_effect`` in log-odds.
    covariates : array_like of float, shape (n_votes, n_covariates), optional
        What else may sway a vote, such as how much longer the left text is: each adds its coefficient times its value
        to the log-odds of the left side, ``ranking.fit.coefficients``. The scores are those at covariates of zero.
    uncertainty : {"model", "sandwich", "by-voter", "none"}
        "model": the inverse information. "sandwich": holds also where the model does not, if votes are independent.
        "by-voter": holds also where one voter's votes resemble each other, as where tastes differ; the votes must say
        whose they are. All are worked out when first asked for.
    start : Ranking or array_like of float, shape (n_items,), optional
        Scores to begin at, such as an earlier ranking; its labels are matched.
    tol : float
        The fit has converged when every gradient is at most `tol` of its curvature, and the last step short beside it.
    max_iter : int
        The most Newton steps.
    criterion : label, optional
        Which criterion to score, where the votes answer several.
    criteria : mapping of label to float, optional
        The criteria to score, each by itself, and the weights of their scores in the mean of them.

    Returns
    -------
    Ranking
        In natural log-odds, mean zero over all items.

    Raises
    ------
    InputError
        For an option out of range, and for votes on several criteria without choosing one.
    NotIdentifiedError
        Where the votes do not determine the scores (only under ``prior_sd=math.inf``), the tie parameter (every
        vote is a tie), the position effect (one side always won) or a coefficient, naming the items or the covariate.
    ConvergenceError
        After `max_iter` steps.

    References
    ----------
    Bradley and Terry (1952), Biometrika 39. Davidson (1970), JASA 65. Rao and Kupper (1967), JASA 62.

    Examples
    --------
    >>> import pairvote as pv
    >>> votes = pv.Votes.from_wins(["ash", "ash", "birch", "cedar"], ["birch", "cedar", "cedar", "ash"])
    >>> ranking = pv.bradley_terry(votes)
    >>> ranking.order(), ranking.scores.round(3).tolist()
    (['ash', 'birch', 'cedar'], [0.381, 0.0, -0.381])
    >>> ranking.standard_errors.round(2).tolist()
    [0.78, 0.89, 0.78]
    """
    if criteria is not None:
        if covariates is not None:
            raise InputError("covariates is given with criteria=; score one criterion at a time, by criterion=")
        return combine(
            votes,
            criteria,
            criterion,
            bradley_terry,
            ties=ties,
            prior_sd=prior_sd,
            position=position,
            covariates=None,
            uncertainty=uncertainty,
            start=start,
            tol=tol,
            max_iter=max_iter,
        )
    check_options(ties, prior_sd, position, uncertainty, tol, max_iter)
    source = as_counts_or_votes(votes, criterion)
    design, scale = None, np.empty(0)
    rows = None
    if covariates is not None or uncertainty == "by-voter":
        rows = single_votes(votes, source, covariates, criterion)
    if rows is not None and uncertainty == "by-voter":
        rows.voters()
    if rows is not None and rows.design is not None:
        check_determined(rows, position, prior=math.isfinite(prior_sd))
        rows, scale = rows.scaled()
        counts, design = rows.counts(source.items)
    else:
        # Votes are as soon counted folded; to fold counts takes as long as a fit may.
        counts = source = as_counts(source, folded=not position and isinstance(source, Votes))
    model = Model.of(counts, ties, float(prior_sd), bool(position), design)
    check_identified(model)
    return fitted(
        model, source, uncertainty=uncertainty, start=start, tol=tol, max_iter=max_iter, scale=scale, rows=rows
    )


def fitted(
    model: Model,
    source: Votes | PairCounts | Elsewhere,
    *,
    uncertainty: UncertaintyKind,
    start: Ranking | ArrayLike | None,
    tol: float,
    max_iter: int,
    scale: NDArray[np.float64] = NOTHING,
    rows: VoteRows | None = None,
) -> Ranking:
    """The ranking at the model's maximum, which is known to exist.

    scale: what the covariates were divided by. rows: the single votes, where a vote is more than its pair and outcome.
    """
    try:
        solution = maximise(model, _start(model, start, scale), tol, max_iter)
    except ConvergenceError:
        check_effects(model)
        raise
    scores, log_tie, side = model.split(solution.parameters)
    if uncertainty == "model" and model.ties == "half" and model.n_ties:
        uncertainty = "sandwich"
    posterior = Posterior(
        model,
        solution,
        sandwich=uncertainty in ("sandwich", "by-voter"),
        rows=rows if uncertainty == "by-voter" else None,
    )
    fit = Fit(
        converged=True,
        n_iter=solution.n_iter,
        ties=model.ties,
        tie_parameter=math.exp(log_tie),
        position_effect=side,
        coefficients=model.coefficients(solution.parameters) / scale,
        uncertainty=uncertainty,
        _scale=scale,
        _posterior=posterior,
    )
    totals, first = summed(source) if isinstance(source, Votes | PairCounts) else (source.item_totals(), source)
    return Ranking(
        items=model.counts.items,
        scores=scores,
        unit="log-odds",
        method="bradley-terry",
        fit=fit,
        _totals=totals,
        _first=first,
        _uncertainty=None if uncertainty == "none" else posterior,
        _log_odds_per_unit=1.0,
    )


def refit(fitted: Posterior, counts: PairCounts, tol: float, max_iter: int) -> NDArray[np.float64]:
    """The scores by the same model of other counts over the same items, beginning where the fit ended."""
    return refit_all(fitted, counts, tol, max_iter)[1][: counts.n_items]


def refit_all(fitted: Posterior, counts: PairCounts, tol: float, max_iter: int) -> tuple[Model, NDArray[np.float64]]:
    """The model of these counts and all its parameters, by the same."""
    before = fitted.model
    model = Model.of(counts, before.ties, before.prior_sd, before.position)
    check_identified(model)
    start = fitted.solution.parameters.copy()
    if before.has_ties and not model.has_ties:
        start = np.delete(start, before.counts.n_items)
    return model, maximise(model, start, tol, max_iter).parameters


def _start(model: Model, start: Ranking | ArrayLike | None, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    n_items = model.counts.n_items
    mixed = start is None and n_items > DENSE_ITEMS and is_crowded(model)
    parameters = well_mixed_start(model) if mixed else model.start()
    if isinstance(start, Ranking):
        if start.unit != "log-odds":
            raise InputError(f"start is a ranking in {start.unit!r}; pass one by bradley_terry")
        known = start.to_dict()
        parameters[:n_items] = [known.get(label, 0.0) for label in model.counts.items]
        if (
            model.has_ties
            and start.fit is not None
            and start.fit.ties == model.ties
            and start.fit.tie_parameter not in (0.0, 1.0)
        ):
            parameters[n_items] = math.log(start.fit.tie_parameter)
        if model.position and start.fit is not None:
            parameters[n_items + model.has_ties] = start.fit.position_effect
        if start.fit is not None and len(start.fit.coefficients) == len(scale):
            model.coefficients(parameters)[:] = start.fit.coefficients * scale
            # Those of other covariates, or of the same in other units, may be out of all bounds here.
            if not model.allows(parameters):
                model.coefficients(parameters)[:] = 0.0
    elif start is not None:
        given = as_array(start, "start")
        try:
            scores = given.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"start cannot be made an array of scores ({error}); pass a Ranking or one number an item"
            ) from None
        if scores.shape != (n_items,):
            raise InputError(f"start has shape {scores.shape}; pass one score for each of the {n_items} items")
        far = ~(np.abs(scores) <= LARGEST_START)
        if far.any():
            code = int(np.argmax(far))
            raise InputError(
                f"start[{code}] is {scores[code]:g}; scores are finite log-odds, here of up to {LARGEST_START:,.0f}"
            )
        parameters[:n_items] = scores
    if start is not None and n_items:
        centre(model, parameters)
    return parameters


def check_options(ties: str, prior_sd: float, position: bool, uncertainty: str, tol: float, max_iter: int) -> None:
    """InputError for an option out of range."""
    for name, value, choices in (("ties", ties, TIES), ("uncertainty", uncertainty, UNCERTAINTIES)):
        if value not in choices:
            raise wrong_option(name, value, f"use one of {', '.join(map(repr, choices))}")
    check_flag("position", position)
    for name, number in (("prior_sd", prior_sd), ("tol", tol)):
        if not is_number(number) or not number > 0:
            raise wrong_option(name, number, "it is a number above 0")
    if prior_sd < SMALLEST_PRIOR_SD:
        raise InputError(
            f"prior_sd is {prior_sd!r}, so small that all scores are level",
            option="prior_sd",
            value=prior_sd,
            remedy="it is usually 1 to 5",
        )
    if not is_whole(max_iter) or max_iter < 1:
        raise wrong_option("max_iter", max_iter, "it is a whole number from 1")
