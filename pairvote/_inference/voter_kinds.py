"""What a fit has found of each voter."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class VoterKinds:
    """What is known of each voter, in the order of the votes' own voters.

    codes: (n_voters,), the codes of those who answered. attentive: (n_voters,), the chance that a voter always follows
    the scores. following: the expected part of the voter's answers that do: a half for a coin, 0 for one who goes
    against them. errors: the standard deviation of the log-odds of `attentive`, by what is not known of the scores; or
    draws: (n_draws, n_voters), those chances by draws of the scores. log_likelihood: of all votes, over kinds.

    Where voters may lapse: random, left, right, the chances of voters by a coin and of those who take one side;
    pushes: that of pushing `pushed`, the code of the likeliest item, or any other. Where slopes are fitted: nodes,
    (n_voters, n_nodes), the chances of following in each part of the answers.
    """

    codes: NDArray[np.intp]
    attentive: Floats
    following: Floats
    log_likelihood: float
    errors: Floats | None = None
    draws: NDArray[np.float32] | None = None
    random: Floats | None = None
    left: Floats | None = None
    right: Floats | None = None
    pushes: Floats | None = None
    pushed: NDArray[np.intp] | None = None
    nodes: Floats | None = None

    def in_order(self) -> VoterKinds:
        """The voters in the order of their codes."""
        order = np.argsort(self.codes)
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            name: value[order] for name, value in found.items() if isinstance(value, np.ndarray) and name != "draws"
        }
        if self.draws is not None:
            moved["draws"] = self.draws[:, order]
        return replace(self, **moved)
