"""What runs here."""

from __future__ import annotations

import importlib.metadata
import platform

from pairvote import _kernels

PACKAGES = ("pairvote", "numpy", "scipy", "choix", "narwhals", "tqdm", "joblib", "matplotlib", "pyarrow", "Cython")


def show_config() -> dict[str, str]:
    """Print and return which kernels run (compiled or interpreted) and the versions of what they run on.

    Examples
    --------
    >>> import pairvote as pv
    >>> config = pv.show_config()  # doctest: +ELLIPSIS
    pairvote ...
    >>> config["kernels"] in ("compiled", "python")
    True
    """
    kinds = {name: "compiled" if getattr(_kernels, name).COMPILED else "python" for name in _kernels.NAMES}
    config = {"pairvote": "", "python": platform.python_version()}
    config["kernels"] = (
        kinds["elo"] if len(set(kinds.values())) == 1 else ", ".join(f"{k} {v}" for k, v in kinds.items())
    )
    for package in PACKAGES:
        try:
            config[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            config[package] = "not installed"
    for name, value in config.items():
        print(f"{name:<10}  {value}")
    return config
