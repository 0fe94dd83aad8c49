r"""Errors between voters: the sum of the outer products of the voters' gradients, corrected for few voters.

A fit bends towards every voter, so the gradients that are left at it are too small. With :math:`g_v` what is left of
voter v's gradient and :math:`H_v` the information of the voter's votes,

.. math:: \tilde g_v = (I - H_v H^{-1})^{-1} g_v

is to first order the gradient of v's votes at the maximum of all others'. With the directions :math:`D_v` in which
the votes bear on the parameters, :math:`g_v = D_v' r_v` and :math:`H_v = D_v' W_v D_v`, that is
:math:`D_v' (I - W_v D_v H^{-1} D_v')^{-1} r_v`, a system of the size of the votes, which is the smaller one unless a
voter cast more votes than there are parameters.

References
----------
Mancl and DeRouen (2001), "A covariance estimator for GEE with improved small-sample properties", Biometrics 57,
equation 5. Huber (1967) and Liang and Zeger (1986), Biometrika 73, for the sum that is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.models import Model
from pairvote._inference.vote_rows import VoteRows
from pairvote.errors import MissingUncertaintyError

# Entries of the tables of voters that are solved for together.
MOST_TOGETHER = 2**22
LARGEST_TRACE = 1e9


@dataclass(frozen=True, eq=False)
class VoteDerivatives:
    """How votes bear on the parameters: each in one direction through d, and all through the nuisance parameters.

    places, values: (n_votes, n_places), the entries of the direction of d. x: (n_votes,) and y: (n_votes, n_nuisance),
    the gradient by d and by the nuisance parameters. xx: (n_votes,), xy: (n_votes, n_nuisance) and yy: (n_votes,
    n_nuisance, n_nuisance), the information. nuisance: the places of the nuisance parameters.
    """

    places: NDArray[np.intp]
    values: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]
    nuisance: NDArray[np.intp]

    @classmethod
    def of(cls, model: Model, parameters: NDArray[np.float64], rows: VoteRows) -> VoteDerivatives:
        """The derivatives of single votes."""
        layout, n_votes = model.layout, len(rows.left)
        scores, nuisance = parameters[layout.scores], parameters[layout.nuisance]
        places, values = [rows.left, rows.right], [np.ones(n_votes), -np.ones(n_votes)]
        d = scores[rows.left] - scores[rows.right] + model.position_effect(parameters)
        if layout.has_position:
            places.append(np.full(n_votes, layout.position.start))
            values.append(np.ones(n_votes))
        if rows.design is not None:
            d = d + rows.design @ parameters[layout.coefficients]
            places += [np.full(n_votes, layout.coefficients.start + column) for column in range(layout.n_covariates)]
            values += list(rows.design.T)
        weight = np.where(rows.outcome == Outcome.TIE, model.outcome.tie_weight, 1.0) * rows.weight
        votes = np.arange(n_votes)
        x, y = model.outcome.gradients(d, nuisance)
        xx, xy, yy = model.outcome.information(d, nuisance)
        # The outcome that each vote had; its place comes last of all, then the vote's comes first.
        x, y, xx, xy, yy = (
            np.moveaxis(weight * by_outcome[..., rows.outcome, votes], -1, 0) for by_outcome in (x, y, xx, xy, yy)
        )
        return cls(
            np.stack(places, axis=1),
            np.stack(values, axis=1),
            x,
            y,
            xx,
            xy,
            yy,
            np.arange(layout.size)[layout.nuisance],
        )


def voter_gradients(model: Model, parameters: NDArray[np.float64], rows: VoteRows) -> Any:
    """The gradient of each voter's votes: a sparse array, shape (n_voters, n_parameters)."""
    from scipy.sparse import csr_array

    voters, n_voters = rows.voters()
    votes = VoteDerivatives.of(model, parameters, rows)
    values = np.concatenate([votes.values * votes.x[:, None], votes.y], axis=1)
    places = np.concatenate([votes.places, np.broadcast_to(votes.nuisance, votes.y.shape)], axis=1)
    voters_of = np.repeat(voters, places.shape[1])
    values, places = values.ravel(), places.ravel()
    return csr_array((values, (voters_of, places)), shape=(n_voters, len(parameters)))


def corrected_gradients(
    model: Model,
    parameters: NDArray[np.float64],
    rows: VoteRows,
    inverse: NDArray[np.float64],
    *,
    largest_system: int | None = None,
    most_together: int = MOST_TOGETHER,
) -> Any:
    """The gradients of voters, corrected: a sparse array, shape (n_voters, n_parameters).

    inverse: of the whole information, (n_parameters, n_parameters). largest_system: a voter with fewer votes has a
    system of the size of the votes, others one of the size of the parameters; by default whichever is the smaller.
    """
    from scipy.sparse import csr_array

    voters, n_voters = rows.voters()
    derivatives = VoteDerivatives.of(model, parameters, rows)
    order = np.argsort(voters, kind="stable")
    n_each = np.bincount(voters, minlength=n_voters)
    first = np.cumsum(n_each) - n_each
    gradients = []
    for n_votes in np.unique(n_each).tolist():
        those = np.flatnonzero(n_each == n_votes)
        small = n_votes < (len(inverse) if largest_system is None else largest_system)
        correct = _corrected if small else _corrected_alone
        together = max(1, most_together // (n_votes + 1) ** 2) if small else 1
        for block in range(0, len(those), together):
            some = those[block : block + together]
            votes = order[first[some][:, None] + np.arange(n_votes)]
            gradients.append(correct(derivatives, votes, some, inverse))
    values, places, voters_of = (np.concatenate(columns) for columns in zip(*gradients, strict=True))
    return csr_array((values, (voters_of, places)), shape=(n_voters, len(parameters)))


def _corrected(
    derivatives: VoteDerivatives, votes: NDArray[np.intp], voters: NDArray[np.intp], inverse: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """For voters with equally many votes (n_voters, n_votes): the gradients' entries, their places and voters."""
    places, values = derivatives.places[votes], derivatives.values[votes]
    x, information = derivatives.x[votes], _diagonal(derivatives.xx[votes])
    n_nuisance = len(derivatives.nuisance)
    if n_nuisance:
        # A direction more for each nuisance parameter, which all votes of a voter share.
        shape = (len(votes), n_nuisance, places.shape[2])
        along, at = np.zeros(shape), np.broadcast_to(derivatives.nuisance[:, None], shape)
        along[..., 0] = 1.0
        places, values = np.concatenate([places, at], axis=1), np.concatenate([values, along], axis=1)
        x = np.concatenate([x, derivatives.y[votes].sum(axis=1)], axis=1)
        both, corner = derivatives.xy[votes], derivatives.yy[votes].sum(axis=1)
        information = np.block([[information, both], [both.transpose(0, 2, 1), corner]])
    reach = np.zeros(information.shape)
    for one in range(places.shape[2]):
        for other in range(places.shape[2]):
            table = inverse[places[:, :, one][:, :, None], places[:, :, other][:, None, :]]
            reach += values[:, :, one][:, :, None] * table * values[:, :, other][:, None, :]
    corrected = _without_own(information @ reach) @ x[:, :, None]
    voters_of = np.broadcast_to(voters[:, None, None], places.shape)
    return (values * corrected).ravel(), places.ravel(), voters_of.ravel()


def _corrected_alone(
    derivatives: VoteDerivatives, votes: NDArray[np.intp], voters: NDArray[np.intp], inverse: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Corrected gradients of a single voter, by the definition: the gradient's entries at all places."""
    from scipy.sparse import csr_array

    own, size = votes[0], len(inverse)
    places, n_places = derivatives.places[own], derivatives.places.shape[1]
    start = np.arange(0, places.size + 1, n_places)
    directions = csr_array((derivatives.values[own].ravel(), places.ravel(), start), shape=(len(own), size)).T
    gradient = directions @ derivatives.x[own]
    information = (directions * derivatives.xx[own] @ directions.T).toarray()
    nuisance, both = derivatives.nuisance, directions @ derivatives.xy[own]
    gradient[nuisance] += derivatives.y[own].sum(axis=0)
    information[nuisance] += both.T
    information[:, nuisance] += both
    information[np.ix_(nuisance, nuisance)] += derivatives.yy[own].sum(axis=0)
    corrected = _without_own(information @ inverse) @ gradient
    return corrected, np.arange(size), np.full(size, voters[0])


def _without_own(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(I - H_v H^-1)^-1 for tables of what the votes of a voter have a share of, shape (..., n, n).

    Its trace is the sum of 1 / (1 - share) over the directions of the votes, none of which may be the voter's alone.
    """
    try:
        inverse = np.linalg.inv(np.eye(shares.shape[-1]) - shares)
    except np.linalg.LinAlgError:
        inverse = np.full(shares.shape, np.inf)
    traces = inverse.trace(axis1=-2, axis2=-1)
    if not (np.abs(traces) < LARGEST_TRACE).all():
        raise MissingUncertaintyError(
            "uncertainty is 'by-voter' and of some direction of the parameters, such as the score of an item that only "
            "one voter was asked about, a single voter says all",
            option="prior_sd",
            remedy="set a smaller prior_sd, or use 'sandwich'",
        )
    return np.asarray(inverse)


def _diagonal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[:, :, None] * np.eye(values.shape[1])
