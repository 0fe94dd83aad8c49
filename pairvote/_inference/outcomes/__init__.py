"""The outcome models, by name: what the `ties` of a scorer may be.

One more is one more file here, and an entry in OUTCOME_MODELS; a kernel, if it has one, goes to `_kernels`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.outcomes.base import OutcomeModel
from pairvote._inference.outcomes.davidson import Davidson
from pairvote._inference.outcomes.links import PROBIT, LinkName
from pairvote._inference.outcomes.ordered import Ordered
from pairvote._inference.outcomes.rao_kupper import RaoKupper

# For type checkers, which cannot read the registry.
Ties = Literal["davidson", "rao-kupper", "glenn-david", "cumulative", "half", "drop"]
DEFAULT_TIES: Ties = "davidson"
CUMULATIVE: Ties = "cumulative"
# Of the logistic link; a model of ties that it has and the probit link has not, or the other way round, is in one only.
OUTCOME_MODELS: dict[str, OutcomeModel] = {
    model.name: model
    for model in (
        Davidson(name="davidson", n_nuisance=1),
        RaoKupper(name="rao-kupper"),
        Ordered(name="cumulative", n_nuisance=1, has_middle=True),
        Davidson(name="half", is_likelihood=False),
        Davidson(name="drop", tie_weight=0.0),
    )
}
PROBIT_MODELS: dict[str, OutcomeModel] = {
    model.name: model
    for model in (
        Ordered(name="glenn-david", link=PROBIT, n_nuisance=1, has_middle=True),
        Ordered(name="cumulative", link=PROBIT, n_nuisance=1, has_middle=True),
        Ordered(name="half", link=PROBIT, is_likelihood=False),
        Ordered(name="drop", link=PROBIT, tie_weight=0.0),
    )
}
# What these two are by the probit link: it has one model of three outcomes.
PROBIT_MODELS |= dict.fromkeys(("davidson", "rao-kupper"), PROBIT_MODELS["glenn-david"])
MODELS_BY_LINK: dict[LinkName, dict[str, OutcomeModel]] = {"logistic": OUTCOME_MODELS, "probit": PROBIT_MODELS}


def outcome_model(ties: str, link: LinkName = "logistic") -> OutcomeModel:
    """The outcome model of these names."""
    return MODELS_BY_LINK[link][ties]


def outcome_probabilities(
    log_odds: NDArray[np.float64], tie_parameter: float = 0.0, ties: str = DEFAULT_TIES, link: LinkName = "logistic"
) -> NDArray[np.float64]:
    """P(right), P(tie) and P(left) at differences of scores: float64, shape (..., 3)."""
    return outcome_model(ties, link).probabilities(log_odds, tie_parameter)
