"""Kinds of voters that are drawn between the sweeps of a chain under a learned prior.

Given the scores each voter's kind is drawn, and given the kinds their shares (`pairvote._inference.lapses` and
`slopes`); the chain (`pairvote._inference.learned`) goes on with the votes as these kinds have them. So what is not
known of voters, scores and the prior is carried through together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairvote._inference.models import Model
from pairvote._inference.voter_kinds import VoterKinds
from pairvote._inference.weighing import Weighed

Floats = NDArray[np.float64]


class DrawnKinds:
    """The voters' kinds as a chain draws them, and their chances on average over its draws.

    sweeps: of the chain between two draws of the kinds. attentive: the chances of attention at each draw.
    """

    sweeps = 4

    def __init__(self, weighed: Weighed, model: Model) -> None:
        self._voters, self._model = weighed.voters, model
        self._shares: Any = weighed.voters.shares(weighed.chances)
        self.begin()

    def begin(self) -> None:
        """Forget what was drawn on the way to the first draw."""
        self._sums: tuple[Any, ...] = ()
        self._attentive: list[NDArray[np.float32]] = []

    def table(self, parameters: Floats, rng: np.random.Generator) -> Floats:
        """The votes by kinds drawn at these parameters: float64, shape (n_entries, 3)."""
        voters, model = self._voters, self._model
        # An item without votes that count, such as one of dropped ties alone, is nowhere in particular.
        parameters = np.where(np.isnan(parameters), 0.0, parameters)
        chances = voters.chances(model, parameters, self._shares)
        self._attentive.append(chances.attentive.astype(np.float32))
        self._sums = tuple(a + b for a, b in zip(self._sums, chances, strict=True)) if self._sums else tuple(chances)
        self._type = type(chances)
        kinds = voters.drawn(chances, model, parameters, rng)
        self._shares = voters.drawn_shares(kinds, rng)
        return voters.answers.table(voters.amounts(kinds))

    def kinds(self) -> VoterKinds:
        """What is known of each voter, on average over the draws."""
        mean = self._type(*(values / len(self._attentive) for values in self._sums))
        return self._voters.kinds(mean, draws=np.array(self._attentive))
