"""The outcome models, by name: what the `ties` of a scorer may be.

One more is one more file here, and an entry in OUTCOME_MODELS; a kernel, if it has one, goes to `_kernels`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.outcomes.davidson import Davidson
from pairvote._inference.outcomes.rao_kupper import RaoKupper

# For type checkers, which cannot read the registry.
Ties = Literal["davidson", "rao-kupper", "half", "drop"]
DEFAULT_TIES: Ties = "davidson"
OUTCOME_MODELS: dict[str, OutcomeModel] = {
    model.name: model
    for model in (
        Davidson(name="davidson", n_nuisance=1),
        RaoKupper(name="rao-kupper"),
        Davidson(name="half", is_likelihood=False),
        Davidson(name="drop", tie_weight=0.0),
    )
}


def outcome_probabilities(
    log_odds: NDArray[np.float64], tie_parameter: float = 0.0, ties: str = DEFAULT_TIES
) -> NDArray[np.float64]:
    """P(right), P(tie) and P(left) at differences in log-odds: float64, shape (..., 3)."""
    return OUTCOME_MODELS[ties].probabilities(log_odds, tie_parameter)
