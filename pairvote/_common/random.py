"""Random numbers as an option: `rng` is None, a seed or a generator everywhere."""

from __future__ import annotations

import numpy as np

from pairvote._common.messages import wrong_option

Rng = int | np.random.Generator | None


def generator(rng: Rng) -> np.random.Generator:
    """The generator that is meant: the one given, one of the seed given, or one of the system's own for None."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise wrong_option("rng", rng, "it is None, a whole number from 0 or a numpy Generator") from None
