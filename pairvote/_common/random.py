"""Random numbers as an option: `rng` is None, a seed or a generator everywhere."""

from __future__ import annotations

import numpy as np

Rng = int | np.random.Generator | None
