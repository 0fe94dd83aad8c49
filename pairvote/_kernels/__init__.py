"""The inner loops, compiled where a C compiler was at hand and interpreted with the same answers where not.

`elo.py` compiles to `_c_elo`, and so on. Each name below is one chosen module. Set the environment
variable PAIRVOTE_KERNELS to `python` or `compiled` to force the choice; `compiled` raises where the
binary is missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

import numpy as np

NAMES = (
    "batch",
    "by_item",
    "cells",
    "counting",
    "davidson",
    "elo",
    "exposure",
    "gaussian",
    "glicko",
    "laplacian",
    "lookup",
    "mixture",
    "ordered",
    "rao_kupper",
    "sandwich",
)
CHOICES = ("auto", "compiled", "python")


def compiled_module(name: str) -> ModuleType:
    """The binary of a kernel; ImportError where it was not built."""
    return import_module(f"{__name__}._c_{name}")


def _over_buffers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a kernel its arrays as buffers, whose elements are Python's own numbers: faster and exact."""

    def call(*arguments: object) -> Any:
        return function(*(memoryview(a) if isinstance(a, np.ndarray) else a for a in arguments))  # type: ignore[arg-type]

    return call


def interpreted_module(name: str) -> ModuleType:
    """The public functions of a kernel's source, run by the interpreter."""
    full_name = f"{__name__}.{name}"
    spec = PathFinder.find_spec(full_name, __path__)
    if spec is None or spec.loader is None:
        raise ImportError(f"the source of the kernel {name!r} is missing; reinstall pairvote", name=full_name)
    # Imported under its own name, the source would take the place of the chosen module.
    source = module_from_spec(spec)
    spec.loader.exec_module(source)
    module = ModuleType(full_name, source.__doc__)
    module.COMPILED = False  # type: ignore[attr-defined]
    for key, value in vars(source).items():
        if key.islower() and key[0] != "_" and hasattr(value, "__code__"):
            setattr(module, key, _over_buffers(value))
    return module


def _choose(name: str) -> Any:
    choice = os.environ.get("PAIRVOTE_KERNELS") or "auto"
    if choice not in CHOICES:
        raise ImportError(f"PAIRVOTE_KERNELS is {choice!r}; set it to one of {', '.join(CHOICES)}, or unset it")
    try:
        module = interpreted_module(name) if choice == "python" else compiled_module(name)
    except ImportError as error:
        if choice == "compiled":
            raise ImportError(
                f"PAIRVOTE_KERNELS=compiled, but the kernel {name!r} is not compiled here; "
                "install a C compiler and reinstall pairvote, or unset the variable"
            ) from error
        module = interpreted_module(name)
    # Whoever imports the kernel by its own name, as a collector of doctests does, gets the chosen one as well.
    sys.modules[f"{__name__}.{name}"] = module
    return module


batch: Any = _choose("batch")
by_item: Any = _choose("by_item")
cells: Any = _choose("cells")
counting: Any = _choose("counting")
davidson: Any = _choose("davidson")
elo: Any = _choose("elo")
exposure: Any = _choose("exposure")
gaussian: Any = _choose("gaussian")
glicko: Any = _choose("glicko")
laplacian: Any = _choose("laplacian")
lookup: Any = _choose("lookup")
mixture: Any = _choose("mixture")
ordered: Any = _choose("ordered")
rao_kupper: Any = _choose("rao_kupper")
sandwich: Any = _choose("sandwich")
