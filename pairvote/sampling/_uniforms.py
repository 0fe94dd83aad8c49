"""The random numbers of a stream: a function of its seed, of the question's number and of the voter."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pairvote._common.messages import shorten
from pairvote._common.random import Rng, generator
from pairvote.errors import InputError

# Uniforms for every question: three for the choice and one for the side.
N_UNIFORMS = 4
# Questions whose uniforms are drawn at once.
BLOCK = 128


class Uniforms:
    """Random numbers for one question at a time; `values` has the three for the choice."""

    def __init__(self, rng: Rng) -> None:
        self.values: NDArray[np.float64] = np.empty(N_UNIFORMS - 1)
        # The same memory, of which single numbers are set faster.
        self._places: Any = memoryview(self.values)  # type: ignore[arg-type, unused-ignore]
        self._key = int(generator(rng).integers(2**63))
        self._block: list[list[float]] = []
        self._block_number = -1

    def draw(self, question: int, voter: Hashable) -> float:
        """Fill in the uniforms of a question, by its number from 0; the one for the side.

        They are turned around the circle by the voter, so that those who ask at the same moment do not all get the
        same.
        """
        number, row = divmod(question, BLOCK)
        if number != self._block_number:
            source = np.random.Generator(np.random.Philox(key=self._key, counter=[0, 0, 0, number]))
            self._block, self._block_number = source.random((BLOCK, N_UNIFORMS)).tolist(), number
        turn = crc32(f"{voter}".encode("utf-8", "backslashreplace")) * 2.0**-32
        first, second, third, side = self._block[row]
        places = self._places
        places[0], places[1], places[2] = (first + turn) % 1.0, (second + turn) % 1.0, (third + turn) % 1.0
        return (side + turn) % 1.0

    def take(self, uniforms: Any) -> float:
        """Fill in four uniforms that were given; the one for the side."""
        try:
            given = np.array(uniforms, np.float64)
        except (TypeError, ValueError):
            given = np.empty(0)
        if given.shape != (N_UNIFORMS,) or not ((given >= 0.0) & (given < 1.0)).all():
            raise InputError(f"uniforms is {shorten(uniforms)}; pass {N_UNIFORMS} numbers from [0, 1)")
        self.values[:] = given[:-1]
        return float(given[-1])
