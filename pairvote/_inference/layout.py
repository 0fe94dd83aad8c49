"""Where each kind of parameter stands in the vector that a fit works with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterLayout:
    """Scores first, then the outcome model's nuisance parameters, the position effect, and the coefficients."""

    n_items: int
    n_nuisance: int = 0
    has_position: bool = False
    n_covariates: int = 0

    @property
    def n_beside(self) -> int:
        """The number of parameters beside the scores."""
        return self.n_nuisance + self.has_position + self.n_covariates

    @property
    def size(self) -> int:
        """The number of all parameters."""
        return self.n_items + self.n_beside

    @property
    def scores(self) -> slice:
        """The scores of the items."""
        return slice(0, self.n_items)

    @property
    def beside(self) -> slice:
        """All parameters beside the scores."""
        return slice(self.n_items, self.size)

    @property
    def nuisance(self) -> slice:
        """The nuisance parameters of the outcome model, such as the logarithm of the tie parameter."""
        return slice(self.n_items, self.n_items + self.n_nuisance)

    @property
    def position(self) -> slice:
        """The position effect: one parameter, or none."""
        first = self.n_items + self.n_nuisance
        return slice(first, first + self.has_position)

    @property
    def coefficients(self) -> slice:
        """The coefficients of the covariates."""
        return slice(self.size - self.n_covariates, self.size)
