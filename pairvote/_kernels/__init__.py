"""The inner loops, compiled where a C compiler was at hand and interpreted with the same answers where not.

`elo.py` compiles to `_c_elo`, and so on. Each name below is one chosen module. Set the environment
variable PAIRVOTE_KERNELS to `python` or `compiled` to force the choice; `compiled` raises where the
binary is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

NAMES = ("counting", "davidson", "elo", "laplacian", "rao_kupper")
CHOICES = ("auto", "compiled", "python")


def compiled_module(name: str) -> ModuleType:
    """The binary of a kernel; ImportError where it was not built."""
    return import_module(f"{__name__}._c_{name}")


def _over_buffers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a kernel its arrays as buffers, whose elements are Python's own numbers: faster and exact."""

    def call(*arguments: object) -> Any:
        return function(*(memoryview(a) if isinstance(a, np.ndarray) else a for a in arguments))  # type: ignore[arg-type]

    return call


def interpreted_module(name: str) -> Any:
    """The public functions of a kernel's source, run by the interpreter."""
    module = import_module(f"{__name__}.{name}")
    public = {key: value for key, value in vars(module).items() if key.islower() and key[0] != "_"}
    functions = {key: _over_buffers(value) for key, value in public.items() if hasattr(value, "__code__")}
    return SimpleNamespace(COMPILED=False, **functions)


def _choose(name: str) -> Any:
    choice = os.environ.get("PAIRVOTE_KERNELS") or "auto"
    if choice not in CHOICES:
        raise ImportError(f"PAIRVOTE_KERNELS is {choice!r}; set it to one of {', '.join(CHOICES)}, or unset it")
    if choice != "python":
        try:
            return compiled_module(name)
        except ImportError as error:
            if choice == "compiled":
                raise ImportError(
                    f"PAIRVOTE_KERNELS=compiled, but the kernel {name!r} is not compiled here; "
                    "install a C compiler and reinstall pairvote, or unset the variable"
                ) from error
    return interpreted_module(name)


counting: Any = _choose("counting")
davidson: Any = _choose("davidson")
elo: Any = _choose("elo")
laplacian: Any = _choose("laplacian")
rao_kupper: Any = _choose("rao_kupper")
