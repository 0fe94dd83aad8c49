r"""Errors between clusters of votes, such as all votes of a voter, corrected for few clusters.

The errors are made of the sum of the outer products of the clusters' gradients. A fit bends towards every cluster, so
the gradients that are left at it are too small. With :math:`g_v` what is left of cluster v's gradient, :math:`H_v` the
information of its votes and :math:`C` the inverse of the whole information with the prior in it,

.. math:: \mathrm{Cov}(g_v) = H_v - H_v C H_v

on average over the prior, where the model holds. The correction

.. math:: \tilde g_v = (I - H_v C)^{-1/2} g_v, \qquad (I - H_v C)^{-1/2} = I + H_v R\, f(R' H_v R)\, R'

makes it :math:`H_v` ("CR2"), with :math:`C = R R'`, f of a symmetric matrix by its eigenvalues and
:math:`f(k) = ((1 - k)^{-1/2} - 1) / k`. With the directions :math:`D_v` in which the votes bear on the parameters,
:math:`g_v = D_v' r_v` and :math:`H_v = D_v' W_v D_v`, it is the same of :math:`W_v = F F'` and :math:`D_v C D_v'`,
:math:`\tilde r_v = r_v + F f(F' D_v C D_v' F)\, F' D_v C D_v' r_v`: a system of the size of the votes, which is the
smaller one unless a cluster has more votes than there are parameters.

References
----------
Bell and McCaffrey (2002), "Bias reduction in standard errors for linear regression with multi-stage samples", Survey
Methodology 28. Pustejovsky and Tipton (2018), "Small-sample methods for cluster-robust variance estimation and
hypothesis testing in fixed effects models", JBES 36. Huber (1967) and Liang and Zeger (1986), Biometrika 73, for the
sum that is corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pairvote._common.outcomes import Outcome
from pairvote._inference.models import Model
from pairvote._inference.vote_rows import VoteRows
from pairvote.errors import MissingUncertaintyError

# Entries of the tables of clusters that are solved for together.
MOST_TOGETHER = 2**22
# A cluster that says all but this part of something leaves nothing to judge it by.
LEAST_LEFT = 1e-9


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
        tied = (rows.outcome == Outcome.TIE) & ~rows.is_graded
        weight = np.where(tied, model.outcome.tie_weight, 1.0) * rows.weight
        votes = np.arange(n_votes)
        x, y = model.outcome.gradients(d, nuisance)
        xx, xy, yy = model.outcome.information(d, nuisance)

        def of_votes(by_outcome: NDArray[np.float64]) -> NDArray[np.float64]:
            # The outcome that each vote had; its place comes last of all, then the vote's comes first.
            found = by_outcome[..., rows.outcome, votes]
            if rows.share is not None:
                parts = rows.share * by_outcome[..., Outcome.LEFT, :] + (1 - rows.share) * by_outcome[..., 0, :]
                found = np.where(rows.is_graded, parts, found)
            return np.moveaxis(weight * found, -1, 0)

        x, y, xx, xy, yy = map(of_votes, (x, y, xx, xy, yy))
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
    """The gradient of each cluster's votes, by default a voter's: a sparse array, shape (n_clusters, n_parameters)."""
    from scipy.sparse import csr_array

    clusters, n_clusters = rows.clusters()
    votes = VoteDerivatives.of(model, parameters, rows)
    values = np.concatenate([votes.values * votes.x[:, None], votes.y], axis=1)
    places = np.concatenate([votes.places, np.broadcast_to(votes.nuisance, votes.y.shape)], axis=1)
    clusters_of = np.repeat(clusters, places.shape[1])
    values, places = values.ravel(), places.ravel()
    return csr_array((values, (clusters_of, places)), shape=(n_clusters, len(parameters)))


class ClusterSizes(NamedTuple):
    """How large clusters are.

    effective: how many equal clusters would tell as much of the variance between clusters as these, of unequal
    information. weight: the mean weight of a vote, by information; where votes are independent, the outer products of
    gradients add up to so many times the information.

    References
    ----------
    Carter, Schnepel and Steigerwald (2017), "Asymptotic behavior of a t-test robust to cluster heterogeneity", Review
    of Economics and Statistics 99, with the information of d as the size of a cluster.
    """

    effective: float
    weight: float

    @classmethod
    def of(cls, model: Model, parameters: NDArray[np.float64], rows: VoteRows) -> ClusterSizes:
        """The sizes at these parameters."""
        clusters, n_clusters = rows.clusters()
        information = VoteDerivatives.of(model, parameters, rows).xx
        largest = information.max()
        if not largest > 0.0:
            return cls(float(n_clusters), 1.0)
        information = information / largest
        sizes = np.bincount(clusters, information, minlength=n_clusters)
        mean = float(information @ rows.weight / information.sum()) * rows.dispersion
        return cls(float(sizes.sum() ** 2 / (sizes @ sizes)), mean)


def corrected_gradients(
    model: Model,
    parameters: NDArray[np.float64],
    rows: VoteRows,
    inverse: NDArray[np.float64],
    *,
    largest_system: int | None = None,
    most_together: int = MOST_TOGETHER,
) -> Any:
    """The gradients of clusters, corrected: a sparse array, shape (n_clusters, n_parameters).

    inverse: of the whole information, (n_parameters, n_parameters). largest_system: a cluster with fewer votes has a
    system of the size of the votes, others one of the size of the parameters; by default whichever is the smaller.
    """
    from scipy.sparse import csr_array

    clusters, n_clusters = rows.clusters()
    derivatives = VoteDerivatives.of(model, parameters, rows)
    order = np.argsort(clusters, kind="stable")
    n_each = np.bincount(clusters, minlength=n_clusters)
    first = np.cumsum(n_each) - n_each
    largest = len(inverse) if largest_system is None else largest_system
    root = _root(inverse) if n_each.max() >= largest else None
    gradients = []
    for n_votes in np.unique(n_each).tolist():
        those = np.flatnonzero(n_each == n_votes)
        small = n_votes < largest
        together = max(1, most_together // (n_votes + 1) ** 2) if small else 1
        for block in range(0, len(those), together):
            some = those[block : block + together]
            votes = order[first[some][:, None] + np.arange(n_votes)]
            if root is None or small:
                gradients.append(_corrected(derivatives, votes, some, inverse, rows.kind))
            else:
                gradients.append(_corrected_alone(derivatives, votes[0], some[0], root, rows.kind))
    values, places, clusters_of = (np.concatenate(columns) for columns in zip(*gradients, strict=True))
    return csr_array((values, (clusters_of, places)), shape=(n_clusters, len(parameters)))


def _corrected(
    derivatives: VoteDerivatives,
    votes: NDArray[np.intp],
    clusters: NDArray[np.intp],
    inverse: NDArray[np.float64],
    kind: str,
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """For clusters of equally many votes (n_clusters, n_votes): the gradients' entries, their places and clusters."""
    places, values = derivatives.places[votes], derivatives.values[votes]
    x = derivatives.x[votes]
    roots = np.sqrt(derivatives.xx[votes])
    half = roots[:, :, None] * np.eye(votes.shape[1])
    n_nuisance = len(derivatives.nuisance)
    if n_nuisance:
        # A direction more for each nuisance parameter, which all votes of a cluster share.
        shape = (len(votes), n_nuisance, places.shape[2])
        along, at = np.zeros(shape), np.broadcast_to(derivatives.nuisance[:, None], shape)
        along[..., 0] = 1.0
        places, values = np.concatenate([places, at], axis=1), np.concatenate([values, along], axis=1)
        x = np.concatenate([x, derivatives.y[votes].sum(axis=1)], axis=1)
        # Cholesky's factor in blocks, of information that is [diagonal, both; both', corner].
        both = derivatives.xy[votes]
        across = np.divide(both, roots[:, :, None], out=np.zeros(both.shape), where=roots[:, :, None] > 0.0)
        corner = derivatives.yy[votes].sum(axis=1) - across.transpose(0, 2, 1) @ across
        half = np.block([[half, np.zeros(both.shape)], [across.transpose(0, 2, 1), _symmetric_root(corner)]])
    reach = np.zeros(half.shape)
    for one in range(places.shape[2]):
        for other in range(places.shape[2]):
            table = inverse[places[:, :, one][:, :, None], places[:, :, other][:, None, :]]
            reach += values[:, :, one][:, :, None] * table * values[:, :, other][:, None, :]
    turned = half.transpose(0, 2, 1)
    corrected = x[:, :, None] + half @ _more(turned @ reach @ half, turned @ reach @ x[:, :, None], kind)
    clusters_of = np.broadcast_to(clusters[:, None, None], places.shape)
    return (values * corrected).ravel(), places.ravel(), clusters_of.ravel()


def _corrected_alone(
    derivatives: VoteDerivatives, votes: NDArray[np.intp], cluster: int, root: NDArray[np.float64], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Corrected gradients of a single cluster: the gradient's entries at all places. root: R, with R R' the inverse."""
    from scipy.sparse import csr_array

    size = len(root)
    places, n_places = derivatives.places[votes], derivatives.places.shape[1]
    start = np.arange(0, places.size + 1, n_places)
    directions = csr_array((derivatives.values[votes].ravel(), places.ravel(), start), shape=(len(votes), size)).T
    gradient = directions @ derivatives.x[votes]
    information = (directions * derivatives.xx[votes] @ directions.T).toarray()
    nuisance, both = derivatives.nuisance, directions @ derivatives.xy[votes]
    gradient[nuisance] += derivatives.y[votes].sum(axis=0)
    information[nuisance] += both.T
    information[:, nuisance] += both
    information[np.ix_(nuisance, nuisance)] += derivatives.yy[votes].sum(axis=0)
    half = information @ root
    corrected = gradient + half @ _more(root.T @ half, (root.T @ gradient)[:, None], kind)[:, 0]
    return corrected, np.arange(size), np.full(size, cluster)


def _more(shares: NDArray[np.float64], vectors: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """f(shares) @ vectors, with f(k) = ((1 - k)^(-1/2) - 1) / k.

    shares: symmetric, shape (..., n, n); what a cluster says of all that is said, 1 where nobody else says anything.
    """
    try:
        known, along = np.linalg.eigh(shares)
        left = 1.0 - known
        alone = not left.min(initial=1.0) > LEAST_LEFT
    except np.linalg.LinAlgError:
        alone = True
    if alone:
        one, asked = ("voter", "was asked about") if kind == "by-voter" else ("cluster", "has votes on")
        raise MissingUncertaintyError(
            f"uncertainty is {kind!r} and of some direction of the parameters, such as the score of an item that only "
            f"one {one} {asked}, a single {one} says all",
            option="prior_sd",
            remedy="set a smaller prior_sd, or use 'sandwich'",
        )
    roots = np.sqrt(left)
    return np.asarray((along / (roots * (1.0 + roots))[..., None, :]) @ (np.swapaxes(along, -1, -2) @ vectors))


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Some R with R R' the positive matrix."""
    try:
        return np.asarray(np.linalg.cholesky(matrix), np.float64)
    except np.linalg.LinAlgError:
        return _symmetric_root(matrix)


def _symmetric_root(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Symmetric roots of matrices (..., n, n) whose eigenvalues are not below zero, but for rounding."""
    values, vectors = np.linalg.eigh(matrices)
    roots = np.sqrt(np.maximum(values, 0.0))[..., None, :]
    return np.asarray((vectors * roots) @ np.swapaxes(vectors, -1, -2), np.float64)
