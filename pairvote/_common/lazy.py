"""Public names that are imported when they are first used, so that importing a package loads next to nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path


def attach(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose public names are those of its stub.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    file : str
        Its ``__file__``. The stub lies beside it and has one line ``from module import name as name`` for each public
        name, which type checkers read too; a module of the package itself is imported from the package.
    """
    homes = {}
    for line in Path(file).with_suffix(".pyi").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:1] == ["from"]:
            homes[words[3]] = words[1]

    def __getattr__(name: str) -> object:  # noqa: N807
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if home == package:
            return importlib.import_module(f"{package}.{name}")
        value = getattr(importlib.import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    names = sorted(homes)
    return __getattr__, lambda: names, names
