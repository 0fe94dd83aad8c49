"""Sizes from which a fit takes another way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes from which a fit takes another way, passed to `fit` and kept by the model.

    kernel_parameters: maximum number of parameters for Newton's steps in one kernel call. dense_items: maximum number
    of items whose information is factored densely at every step. table_items: maximum number of items for a dense
    table of covariances. few_products: number of conjugate-gradient steps up to which votes are said to mix the items
    well. most_products: number of steps after which a factor takes over. patience: number of steps after which a fit
    without any factor is given up. almost_tree, few_pairs: pairs for each item up to which a graph is almost a tree,
    or its factor may be sparse. largest_fill: maximum number of entries of a banded factor. sampled_items,
    sampled_rows: maximum numbers of items and of pairs for draws under a learned prior.
    """

    kernel_parameters: int = 128
    dense_items: int = 500
    table_items: int = 4_000
    few_products: int = 25
    most_products: int = 200
    patience: int = 20_000
    almost_tree: float = 1.25
    few_pairs: float = 3.0
    largest_fill: int = 30_000_000
    sampled_items: int = 500
    sampled_rows: int = 20_000

    def can_draw(self, n_items: int, n_pairs: int) -> bool:
        """Whether a learned prior may be carried through by draws, if its votes are in one memory."""
        return n_items <= self.sampled_items and n_pairs <= self.sampled_rows


LIMITS = Limits()
