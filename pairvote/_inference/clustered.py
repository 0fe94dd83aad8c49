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

from pairvote._inference.models import Model
from pairvote._inference.vote_rows import VoteRows
from pairvote.errors import MissingUncertaintyError

# Entries of the tables of voters that are solved for together.
MOST_TOGETHER = 2**22
LARGEST_TRACE = 1e9


@dataclass(frozen=True, eq=False)
class Bearing:
    """How votes bear on the parameters: each in one direction through d, and all in one through the tie parameter.

    places, values: (n_votes, n_places), the direction's entries. x, y: (n_votes,), the gradient by d and by the log tie
    parameter. xx, xy, yy: (n_votes,), the information. tie: the tie parameter's place, or None.
    """

    places: NDArray[np.intp]
    values: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]
    tie: int | None

    @classmethod
    def of(cls, model: Model, parameters: NDArray[np.float64], rows: VoteRows) -> Bearing:
        """The bearing of single votes."""
        scores, log_tie, side = model.split(parameters)
        n_items, n_votes = rows.n_items, len(rows.left)
        places, values = [rows.left, rows.right], [np.ones(n_votes), -np.ones(n_votes)]
        d = scores[rows.left] - scores[rows.right] + side
        if model.position:
            places.append(np.full(n_votes, n_items + model.has_ties))
            values.append(np.ones(n_votes))
        if rows.design is not None:
            d = d + rows.design @ model.coefficients(parameters)
            first = len(parameters) - model.n_covariates
            places += [np.full(n_votes, first + column) for column in range(model.n_covariates)]
            values += list(rows.design.T)
        weight = np.where(rows.outcome == 1, model.tie_weight, 1.0) * rows.weight
        x, y = (weight * rows.outcome.choose(by_outcome) for by_outcome in model.gradients(d, log_tie))
        xx, xy, yy = (weight * rows.outcome.choose(by_outcome) for by_outcome in model.bends(d, log_tie))
        tie = n_items if model.has_ties else None
        return cls(np.stack(places, axis=1), np.stack(values, axis=1), x, y, xx, xy, yy, tie)


def voter_gradients(model: Model, parameters: NDArray[np.float64], rows: VoteRows) -> Any:
    """The gradient of each voter's votes: a sparse array, shape (n_voters, n_parameters)."""
    from scipy.sparse import csr_array

    voters, n_voters = rows.voters()
    bearing = Bearing.of(model, parameters, rows)
    values, places = bearing.values * bearing.x[:, None], bearing.places
    voters_of = np.repeat(voters, places.shape[1])
    values, places = values.ravel(), places.ravel()
    if bearing.tie is not None:
        values, places = np.append(values, bearing.y), np.append(places, np.full(len(voters), bearing.tie))
        voters_of = np.append(voters_of, voters)
    return csr_array((values, (voters_of, places)), shape=(n_voters, len(parameters)))


def corrected_gradients(
    model: Model, parameters: NDArray[np.float64], rows: VoteRows, inverse: NDArray[np.float64]
) -> Any:
    """The same, corrected; `inverse` is that of the whole information, (n_parameters, n_parameters)."""
    from scipy.sparse import csr_array

    voters, n_voters = rows.voters()
    bearing = Bearing.of(model, parameters, rows)
    order = np.argsort(voters, kind="stable")
    n_each = np.bincount(voters, minlength=n_voters)
    first = np.cumsum(n_each) - n_each
    gradients = []
    for n_votes in np.unique(n_each).tolist():
        those = np.flatnonzero(n_each == n_votes)
        # With more votes than parameters, the system of the parameters' size is the smaller one.
        correct, size = (_corrected, n_votes) if n_votes < len(inverse) else (_corrected_alone, len(inverse))
        together = max(1, MOST_TOGETHER // (size + 1) ** 2) if correct is _corrected else 1
        for block in range(0, len(those), together):
            some = those[block : block + together]
            votes = order[first[some][:, None] + np.arange(n_votes)]
            gradients.append(correct(bearing, votes, some, inverse))
    values, places, voters_of = (np.concatenate(columns) for columns in zip(*gradients, strict=True))
    return csr_array((values, (voters_of, places)), shape=(n_voters, len(parameters)))


def _corrected(
    bearing: Bearing, votes: NDArray[np.intp], voters: NDArray[np.intp], inverse: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """For voters with equally many votes (n_voters, n_votes): the gradients' entries, their places and voters."""
    places, values = bearing.places[votes], bearing.values[votes]
    x, bends = bearing.x[votes], _diagonal(bearing.xx[votes])
    if bearing.tie is not None:
        # One direction more, which all of a voter's votes share.
        shape = (len(votes), 1, places.shape[2])
        along_tie = np.zeros(shape)
        along_tie[..., 0] = 1.0
        places = np.concatenate([places, np.full(shape, bearing.tie)], axis=1)
        values = np.concatenate([values, along_tie], axis=1)
        x = np.concatenate([x, bearing.y[votes].sum(axis=1, keepdims=True)], axis=1)
        both = bearing.xy[votes]
        corner = bearing.yy[votes].sum(axis=1)[:, None, None]
        bends = np.block([[bends, both[:, :, None]], [both[:, None, :], corner]])
    reach = np.zeros(bends.shape)
    for one in range(places.shape[2]):
        for other in range(places.shape[2]):
            table = inverse[places[:, :, one][:, :, None], places[:, :, other][:, None, :]]
            reach += values[:, :, one][:, :, None] * table * values[:, :, other][:, None, :]
    corrected = _without_own(bends @ reach) @ x[:, :, None]
    voters_of = np.broadcast_to(voters[:, None, None], places.shape)
    return (values * corrected).ravel(), places.ravel(), voters_of.ravel()


def _corrected_alone(
    bearing: Bearing, votes: NDArray[np.intp], voters: NDArray[np.intp], inverse: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """The same for a single voter, by the definition: the gradient's entries at all places."""
    from scipy.sparse import csr_array

    own, size = votes[0], len(inverse)
    places, n_places = bearing.places[own], bearing.places.shape[1]
    start = np.arange(0, places.size + 1, n_places)
    directions = csr_array((bearing.values[own].ravel(), places.ravel(), start), shape=(len(own), size)).T
    gradient = directions @ bearing.x[own]
    information = (directions * bearing.xx[own] @ directions.T).toarray()
    if bearing.tie is not None:
        gradient[bearing.tie] += bearing.y[own].sum()
        both = directions @ bearing.xy[own]
        information[bearing.tie] += both
        information[:, bearing.tie] += both
        information[bearing.tie, bearing.tie] += bearing.yy[own].sum()
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
