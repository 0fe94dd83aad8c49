"""Hypothesis: the same examples in every run, and fewer of them where the kernels are interpreted."""

from __future__ import annotations

import os

from hypothesis import settings

from pairvote import _kernels

SCALE = 1 if _kernels.counting.COMPILED else 0.4

settings.register_profile("default", derandomize=True, deadline=None, max_examples=int(50 * SCALE))
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=int(100 * SCALE), print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
