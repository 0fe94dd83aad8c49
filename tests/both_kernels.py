"""One kernel compiled and interpreted, and what tells their answers apart."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from pairvote import _kernels


def both(name: str) -> tuple[Any, Any]:
    """One kernel compiled and interpreted."""
    try:
        compiled = _kernels.compiled_module(name)
    except ImportError as error:
        if os.environ.get("CI"):
            pytest.fail(f"the kernel {name!r} was not compiled ({error}), which CI must do")
        pytest.skip(f"the kernel {name!r} was not compiled on this machine ({error})")
    return compiled, _kernels.interpreted_module(name)


def bits(value: Any) -> Any:
    """What tells two values apart to the bit, a zero's sign included."""
    if isinstance(value, float):
        return value.hex()
    return (value.shape, value.dtype, value.tobytes()) if isinstance(value, np.ndarray) else value
