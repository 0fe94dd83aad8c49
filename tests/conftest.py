"""Hypothesis: the same examples in every run, and fewer of them where the kernels are interpreted; draws: few there."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

from pairvote import _kernels

SCALE = 1 if _kernels.counting.COMPILED else 0.4

settings.register_profile("default", derandomize=True, deadline=None, max_examples=int(50 * SCALE))
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=int(100 * SCALE), print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# Draws under a learned prior take seconds where the kernels are interpreted, and are the same to the bit, which
# tests/kernels/test_mixture.py holds. A test that asks for more of them than these is left to the compiled kernels.
MOST_PAIRS_AT_ONCE, MOST_WORK = 400, 300_000


class Drawn:
    """What the present test has asked of the interpreted kernel, in units of a pair in a sweep."""

    work = 0


def pytest_runtest_setup(item: pytest.Item) -> None:
    Drawn.work = 0


if not _kernels.mixture.COMPILED:
    sample = _kernels.mixture.sample

    def sample_few(start: Any, entries: Any, ends: Any, amounts: Any, lines: Any, state: Any, *given: Any) -> Any:
        pairs = 20 * len(start) + len(entries[0])
        Drawn.work += len(given[-1]) * (100 + pairs)
        if pairs > MOST_PAIRS_AT_ONCE or Drawn.work > MOST_WORK:
            pytest.skip("these draws take seconds where kernels are interpreted", allow_module_level=True)
        return sample(start, entries, ends, amounts, lines, state, *given)

    _kernels.mixture.sample = sample_few
