"""Memory for the kernel that fits few items by Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.layout import ParameterLayout
from pairvote._inference.prior import Prior
from pairvote._inference.sums import Likelihood
from pairvote._kernels import davidson

Floats = NDArray[np.float64]


class NewtonWorkspace:
    """Memory and options for fits of one likelihood by the kernel, of up to so many pairs each.

    upper: (size, size), after `climb` the upper factor of the information. The kernel checks no bounds; `climb` does.
    """

    def __init__(self, likelihood: Likelihood, n_pairs: int, *, prior: Prior, tol: float, max_iter: int) -> None:
        outcome, layout = likelihood
        if not outcome.by_kernel or layout.n_nuisance > 1 or layout.n_covariates:
            raise ValueError(f"the kernel does not fit {outcome.name!r} with {layout}")
        self.layout: ParameterLayout = layout
        self.upper = np.zeros((layout.size, layout.size))
        settings = [tol, max_iter, layout.n_nuisance, layout.has_position, outcome.tie_weight, prior.is_common]
        self._options = np.concatenate([settings, *prior.of_all(likelihood)])
        self._kept = np.empty((2, n_pairs))
        # Gradients and information, then root odds, an effect and options, then the step.
        self._sums = np.zeros(2 * layout.n_items + 5 + layout.n_items + 1 + 4 + layout.size)

    def climb(self, start: NDArray[np.int64], right: NDArray[np.int32], table: Floats, parameters: Floats) -> int:
        """Take Newton's steps from the parameters in place, and say how many; negative where a full one is not safe.

        The pairs stand in compressed rows, as in PairCounts.
        """
        n_items, n_pairs = self.layout.n_items, len(right)
        if not (
            len(start) == n_items + 1
            and start[-1] <= n_pairs == len(table) <= self._kept.shape[1]
            and table.shape[1] == 3
            and len(parameters) == self.layout.size
        ):
            raise ValueError("the pairs or parameters do not fit this workspace")
        self._sums.fill(0.0)
        return davidson.newton_steps(start, right, table, parameters, self._options, self.upper, self._kept, self._sums)

    def invert(self, inverse: Floats) -> None:
        """Fill `inverse` (size * size,) with the inverse of the information at the last point but one."""
        if inverse.size != self.upper.size:
            raise ValueError("the inverse does not fit this workspace")
        inverse.fill(0.0)
        davidson.invert_factored(self.upper, inverse)
