r"""Errors that hold without the model: a sandwich of what votes, or clusters of votes, pull at the scores.

With H the information of the votes, D the precision of the prior, :math:`C = (H + D)^{-1}` and B the sum of the outer
products of the pulls, which estimates their covariance,

.. math:: V = C (B + D) C = C + C (B - H) C

is the mean squared error of the posterior's mean, averaged over the prior, for whatever covariance B the votes have;
where the model holds B = H and V = C (White 1982, "Maximum likelihood estimation of misspecified models", Econometrica
50, theorem 3.2, with the prior as more observations).

B can be too small by chance: where all votes are ties it is zero, and three votes would say all. So with the ratio
:math:`\varphi = \mathrm{tr}(C B) / \mathrm{tr}(C H)` below a half, B is taken with up to one vote (or cluster) more,
as the model has it: :math:`B + H (1 - 2 \varphi) / (n + 1)`. With :math:`\varphi = 0` that is Laplace's rule of
succession. Between clusters B does not depend on the unit of the weights, and H is multiplied by the mean weight.

An interval by V of few clusters has to be longer than a normal one. With J equal clusters
:math:`c' C B C c` is about a multiple of chi-square with J - 1 degrees of freedom, and the prior's part of V is
known, so Satterthwaite's rule gives V about :math:`(J - 1) / share^2` of them, *share* being the part of B in V.

References
----------
Satterthwaite (1946), "An approximate distribution of estimates of variance components", Biometrics Bulletin 2. Imbens
and Kolesar (2016), "Robust standard errors in small samples: some practical advice", Review of Economics and
Statistics 98.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.clustered import ClusterSizes, corrected_gradients
from pairvote._inference.models import Model
from pairvote._inference.systems import dense_information, symmetric
from pairvote._inference.vote_rows import VoteRows

# Rows that are copied together, so few that they stay in a fast cache.
BLOCK = 256
# A smaller part of the variance has no say in how long an interval is.
LEAST_SHARE = 1e-3


@dataclass(frozen=True, eq=False)
class Sandwich:
    """What the errors are made of, over all parameters.

    inverse: C. middle: B / scale^2, so that sums of squares do not overflow. prior: D, its diagonal or the whole of it.
    n_pieces: the number of votes or clusters that B is a sum over. n_effective: the number of equal clusters that
    would tell as much of B; infinite for votes. unit: what H is multiplied by to be compared with B.
    """

    inverse: NDArray[np.float64]
    middle: NDArray[np.float64]
    scale: float
    prior: NDArray[np.float64]
    n_items: int
    n_pieces: float
    n_effective: float = math.inf
    unit: float = 1.0

    @classmethod
    def of(
        cls,
        model: Model,
        parameters: NDArray[np.float64],
        inverse: NDArray[np.float64],
        *,
        rows: VoteRows | None = None,
        squared: Model | None = None,
        prior: NDArray[np.float64] | None = None,
        corrected_by: NDArray[np.float64] | None = None,
    ) -> Sandwich:
        """The sandwich at these parameters.

        rows: single votes, for errors between clusters. squared: the model of votes of squared weights, where the
        weights are importance weights. prior: D, where it is not what the model has. corrected_by: what gradients of
        clusters are corrected by in the place of C.
        """
        precision = prior_precisions(model) if prior is None else prior
        if rows is None:
            of = model if squared is None else squared
            slopes = of.sums.squares(of.likelihood, parameters)
            middle = symmetric(dense_information(of.counts, slopes, anchored=False))
            return cls(inverse, middle, 1.0, precision, model.n_items, 0.5 * float(model.totals[:, :3].sum()))
        gradients = corrected_gradients(model, parameters, rows, inverse if corrected_by is None else corrected_by)
        largest = max(float(np.abs(gradients.data).max(initial=0.0)), math.sqrt(float(precision.max(initial=0.0))))
        # A power of two, which changes no digit.
        scale = 2.0 ** math.frexp(largest)[1] if largest > 0.0 else 1.0
        gradients.data /= scale
        middle = (gradients.T @ gradients).toarray()
        sizes = ClusterSizes.of(model, parameters, rows)
        return cls(inverse, middle, scale, precision, model.n_items, float(gradients.shape[0]), *sizes)

    @cached_property
    def _model_part(self) -> float:
        """What H is multiplied by when it is added to B."""
        if self.n_items < 2:
            return 0.0
        of_votes = float(np.einsum("ij,ij->", self.inverse * self.scale, self.middle)) * (self.scale / self.unit)
        # Along the mean of all scores votes say nothing.
        of_all = len(self.inverse) - 1 - self._prior_trace
        part = max(0.0, 1.0 - 2.0 * of_votes / of_all) if of_all > 0.0 else 0.0
        return self.unit * part / (self.n_pieces + 1.0)

    @cached_property
    def _prior_trace(self) -> float:
        """The trace of C D, without what is along the mean of all scores."""
        inverse, prior, n_items = self.inverse, self.prior, self.n_items
        if prior.ndim == 1:
            beside = float(inverse.diagonal()[n_items:] @ prior[n_items:])
            return float(centred_variances(inverse, n_items) @ prior[:n_items]) + beside
        means = inverse[:n_items].mean(axis=0)
        off = 2.0 * means @ prior[:, :n_items].sum(axis=1) - means[:n_items].mean() * prior[:n_items, :n_items].sum()
        return float((inverse * prior).sum() - off)

    @cached_property
    def _prior_variances(self) -> NDArray[np.float64]:
        """The variances of centred scores by C D C: float64, shape (n_items,)."""
        inverse, n_items = self.inverse, self.n_items
        if self.prior.ndim > 1:
            return centred_squares(self.prior, inverse, n_items)
        rows = inverse[:n_items]
        return np.asarray(np.square(rows - rows.mean(axis=0)) @ self.prior)

    @cached_property
    def _whole_middle(self) -> NDArray[np.float64]:
        """(B + D - part of it that the model's part of B takes away) / scale^2."""
        middle, prior = self.middle.copy(), (1.0 - self._model_part) * (self.prior / self.scale / self.scale)
        if prior.ndim == 1:
            middle.flat[:: len(middle) + 1] += prior
        else:
            middle += prior
        return middle

    def covariance(self) -> NDArray[np.float64]:
        """V: float64, shape (n_parameters, n_parameters); its part along the mean score means nothing."""
        # C H C = C - C D C, up to that part.
        outer = self.inverse * self.scale
        return np.asarray(outer @ times(self._whole_middle, outer) + self._model_part * self.inverse)

    def variances(self) -> NDArray[np.float64]:
        """The variances of centred scores: float64, shape (n_items,)."""
        outer = self.inverse * self.scale
        return centred_squares(self._whole_middle, outer, self.n_items) + self._model_part * centred_variances(
            self.inverse, self.n_items
        )

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Those of V, on average over the scores; infinite for votes one by one."""
        if math.isinf(self.n_effective):
            return math.inf
        total = float(self.variances().sum())
        share = 1.0 - float(self._prior_variances.sum()) / total if total > 0.0 else 1.0
        return least_freedom(self.n_effective) / max(share, LEAST_SHARE) ** 2


def least_freedom(n_effective: float) -> float:
    """The degrees of freedom of errors between so many equal clusters."""
    return max(n_effective - 1.0, 1.0)


def prior_precisions(model: Model) -> NDArray[np.float64]:
    """The precision of the prior on the parameters: its diagonal, (n_parameters,), or with covariates the whole."""
    if model.layout.n_covariates:
        return model.prior_products(np.eye(model.layout.size))
    return np.concatenate([model.precisions, model.precision_beside.diagonal()])


def centred_squares(middle: NDArray[np.float64], outer: NDArray[np.float64], n_items: int) -> NDArray[np.float64]:
    """The diagonal of P O M O P over scores, with P = I - 11'/n, M and O symmetric: float64, shape (n_items,)."""
    average = np.zeros(len(outer))
    average[:n_items] = 1.0 / max(n_items, 1)
    shares = outer @ average
    diagonal, means = np.empty(n_items), np.empty(n_items)
    # So few columns at a time that their product is at hand when it is summed.
    for first in range(0, n_items, BLOCK):
        block = slice(first, min(first + BLOCK, n_items))
        columns = outer[block].T
        half = times(middle, columns)
        diagonal[block], means[block] = np.einsum("ij,ij->j", half, columns), shares @ half
    return np.asarray(diagonal - 2.0 * means + average[:n_items] @ means)


def centred_variances(inverse: NDArray[np.float64], n_items: int) -> NDArray[np.float64]:
    """The diagonal of P C P over scores: float64, shape (n_items,)."""
    means = inverse[:n_items, :n_items].mean(axis=0) if n_items else np.empty(0)
    return np.asarray(inverse.diagonal()[:n_items] - 2.0 * means + (means.mean() if n_items else 0.0))


def times(middle: NDArray[np.float64], inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of two symmetric matrices, of the second perhaps only the first columns.

    By scipy's BLAS, as the factor before it: numpy has one of its own, whose threads would wait for those of scipy's,
    which go on looking for work for a while.
    """
    from scipy.linalg.blas import dsymm

    if not inverse.size:
        # BLAS complains of it on the terminal.
        return np.zeros_like(inverse)
    return np.asarray(dsymm(1.0, middle.T, inverse, lower=1))
