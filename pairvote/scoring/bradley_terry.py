"""Bradley-Terry and its kin: the scores that make the votes most likely."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pairvote._checks import is_number, is_whole
from pairvote._identification import check_identified
from pairvote._posterior import Posterior
from pairvote.counts import PairCounts, as_counts, as_counts_or_votes
from pairvote.errors import InputError
from pairvote.models import TIES, Model, Ties
from pairvote.ranking import Fit, Ranking
from pairvote.solver import DENSE_ITEMS, LARGEST_DENSE, centre, maximise
from pairvote.votes import Votes

UncertaintyKind = Literal["model", "sandwich", "none"]
# Newton's method finds back from anywhere in between, but further out sums of squares overflow.
LARGEST_START = 1e6
SMALLEST_PRIOR_SD = 1e-100
UNCERTAINTIES: tuple[UncertaintyKind, ...] = ("model", "sandwich", "none")


def bradley_terry(
    votes: Votes | PairCounts,
    *,
    ties: Ties = "davidson",
    prior_sd: float = 3.0,
    position: bool = False,
    uncertainty: UncertaintyKind = "model",
    start: Ranking | ArrayLike | None = None,
    tol: float = 1e-9,
    max_iter: int = 100,
    criterion: Hashable | None = None,
) -> Ranking:
    r"""Rank by Bradley-Terry scores: :math:`\log(P(i) / P(j)) = s_i - s_j` for any two items.

    The scores maximise the log-likelihood of the votes less :math:`\sum_i s_i^2 / (2\,prior\_sd^2)`; their mean
    is zero. The models of ties are derived in `pairvote.models`.

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
    uncertainty : {"model", "sandwich", "none"}
        "model": the inverse information. "sandwich": holds also where the model does not (but votes are
        independent). Both are worked out when first asked for, up to 4,000 items.
    start : Ranking or array_like of float, shape (n_items,), optional
        Scores to begin at, such as an earlier ranking; its labels are matched.
    tol : float
        The fit has converged when every gradient is at most `tol` of its curvature, and the last step short beside it.
    max_iter : int
        The most Newton steps.
    criterion : label, optional
        Which criterion to score, where the votes answer several.

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
        vote is a tie) or the position effect (one side always won), naming the items.
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
    _check_options(ties, prior_sd, position, uncertainty, tol, max_iter)
    source = as_counts_or_votes(votes, criterion)
    counts = as_counts(source, folded=not position)
    model = Model.of(counts, ties, float(prior_sd), bool(position))
    check_identified(model)
    solution = maximise(model, _start(model, start), tol, max_iter)
    scores, log_tie, side = model.split(solution.parameters)
    if uncertainty == "model" and ties == "half" and model.n_ties:
        uncertainty = "sandwich"
    posterior = Posterior(model, solution, sandwich=uncertainty == "sandwich")
    fit = Fit(
        converged=True,
        n_iter=solution.n_iter,
        ties=ties,
        tie_parameter=math.exp(log_tie),
        position_effect=side,
        uncertainty=uncertainty,
        posterior=posterior,
    )
    return Ranking(
        items=counts.items,
        scores=scores,
        unit="log-odds",
        method="bradley-terry",
        source=source,
        fit=fit,
        uncertainty=None if uncertainty == "none" or counts.n_items > LARGEST_DENSE else posterior,
        log_odds_per_unit=1.0,
    )


def _start(model: Model, start: Ranking | ArrayLike | None) -> NDArray[np.float64]:
    n_items = model.counts.n_items
    parameters = model.start(spread=start is None and n_items > DENSE_ITEMS)
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
            parameters[-1] = start.fit.position_effect
    elif start is not None:
        try:
            scores = np.asarray(start, np.float64)
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


def _check_options(ties: str, prior_sd: float, position: bool, uncertainty: str, tol: float, max_iter: int) -> None:
    for name, value, choices in (("ties", ties, TIES), ("uncertainty", uncertainty, UNCERTAINTIES)):
        if value not in choices:
            raise InputError(f"{name} is {value!r}; use one of {', '.join(map(repr, choices))}")
    if not isinstance(position, (bool, np.bool_)):
        raise InputError(f"position is {position!r}; it is True or False")
    for name, number in (("prior_sd", prior_sd), ("tol", tol)):
        if not is_number(number) or not number > 0:
            raise InputError(f"{name} is {number!r}; it is a number above 0")
    if prior_sd < SMALLEST_PRIOR_SD:
        raise InputError(f"prior_sd is {prior_sd!r}, so small that all scores are level; it is usually 1 to 5")
    if not is_whole(max_iter) or max_iter < 1:
        raise InputError(f"max_iter is {max_iter!r}; it is a whole number from 1")
