r"""Scores that are known, from an earlier vote, with or without their errors.

Of the known items A the scores are :math:`s_A = a + R z` with :math:`z \sim N(0, I)` and :math:`R R' = V` the
covariance of a; without errors R is nothing. The others are :math:`s_i = m + u_i`, with the prior of scores for u and a
centre m of which little is known: :math:`N(\bar a, 3^2)`, the weak prior of `pairvote._inference.prior`, which keeps it
finite where others won or lost all their votes. So less :math:`\bar a` the scores are :math:`o + Z c + u` with the
coefficients :math:`c = (m, z)`, an offset o that is :math:`a - \bar a` for known items and 0 for others, and
:math:`u_A = 0`: coefficients of covariates that all votes of a pair share, and the offset as one more whose coefficient
stays 1. All is on the scale of a, whose origin nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.features import Features
from pairvote._inference.layout import ParameterLayout

Floats = NDArray[np.float64]
# Directions with less of the largest variance have none.
LEAST_VARIANCE = 1e-12


@dataclass(frozen=True, eq=False, kw_only=True)
class Anchors:
    """Known scores: `is_known` and `offset` (n_items,), the scores less `origin`; `root` (n_items, n_roots) is R."""

    is_known: NDArray[np.bool_]
    offset: Floats
    root: Floats
    origin: float

    @classmethod
    def of(cls, n_items: int, codes: NDArray[np.intp], scores: Floats, covariance: Floats) -> Anchors:
        """The anchors of the items with these codes, their scores (n,) and covariance (n, n)."""
        origin = float(scores.mean())
        is_known, offset = np.zeros(n_items, bool), np.zeros(n_items)
        is_known[codes], offset[codes] = True, scores - origin
        values, vectors = np.linalg.eigh(covariance)
        kept = values > LEAST_VARIANCE * max(float(values.max(initial=0.0)), 0.0)
        root = np.zeros((n_items, int(kept.sum())))
        root[codes] = vectors[:, kept] * np.sqrt(values[kept])
        return cls(is_known=is_known, offset=offset, root=root, origin=origin)

    @property
    def is_exact(self) -> NDArray[np.bool_]:
        """Whether a score is known without an error: bool, shape (n_items,)."""
        return np.asarray(self.is_known & ~self.root.any(axis=1))

    @property
    def n_columns(self) -> int:
        """The number of columns in the design: m, z and the offset."""
        return self.root.shape[1] + 2

    @property
    def features(self) -> Features:
        """The columns of the design: m, z and the offset."""
        table = np.column_stack([~self.is_known, self.root, self.offset]).astype(np.float64)
        ones, zeros = np.ones(table.shape[1]), np.zeros(table.shape[1])
        return Features(names=("",) * table.shape[1], table=table, centre=zeros, scale=ones)

    def places(self, layout: ParameterLayout) -> tuple[int, slice, int]:
        """Where m, z and the offset stand among the parameters."""
        first = layout.size - self.n_columns
        return first, slice(first + 1, layout.size - 1), layout.size - 1

    def to_scores(self, layout: ParameterLayout) -> Floats:
        """T with the scores T theta, less the origin: float64, shape (n_items, size)."""
        table = np.zeros((layout.n_items, layout.size))
        table[:, layout.scores] = np.diag((~self.is_known).astype(np.float64))
        table[:, layout.size - self.n_columns :] = self.features.table
        return table
