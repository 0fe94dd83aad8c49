"""A column as codes, which is what every reader of columns gives and every counter of votes takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Coded(NamedTuple):
    """A column as codes into its entries, int32, shape (n_rows,); -1 where a value is missing.

    `labels` is a sequence of labels, or an array of int32: the numbers that the entries have in a larger numbering.
    """

    codes: NDArray[np.int32]
    labels: Any

    def spread(self) -> Any:
        """The number of every row, for entries that stand for numbers."""
        return self.labels[self.codes]
